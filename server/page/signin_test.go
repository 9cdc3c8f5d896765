package page

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// TestChoiceOfAccounts: each way in which the page is shown says what is wanted and what is
// offered, in one language, and takes no password where that is not enough.
func TestChoiceOfAccounts(t *testing.T) {
	b := newBook(t, testSite())
	who := &Person{Name: "Name", SignOut: "/logout"}
	key := Text{RU: "только вход с ключом электронной подписи", EN: "only the key of electronic signature"}
	word := Text{RU: "по паролю", EN: "with a password"}
	for name, c := range map[string]struct {
		service string
		account Account
		ru, en  string
		without string
	}{
		"nobody": {"Service", Account{Password: "/signin/password", Recovery: "/recovery", Registers: true},
			"Если учётной записи ещё нет", "If you have no account yet", `id="by-second"`},
		"nobody, for the account": {"", Account{Password: "/signin/password", Recovery: "/recovery", Demo: true},
			"Вы входите в свою учётную запись", "You are signing in to your account", "has no account"},
		"a key is wanted": {"Service", Account{Who: who, Wanted: key, Known: word, Registers: true},
			"Вы вошли по паролю", "takes only the key of electronic signature", `name="password"`},
		"a second factor is wanted": {"Service", Account{Who: who, Wanted: key, Known: word, Second: "/signin/second?request=x", Password: "/signin/password"},
			"Ввести код", "Enter a code", "no account yet"},
		"a key, for the account":     {"", Account{Who: who, Wanted: key, Known: word}, "Для этого нужен", "This takes only", `name="password"`},
		"once more":                  {"Service", Account{Who: who, Again: true, Password: "/signin/password"}, "Вы вошли давно", "a while ago", `id="by-second"`},
		"once more, for the account": {"", Account{Who: who, Again: true, Password: "/signin/password"}, "Вы вошли давно", "a while ago", `id="by-second"`},
	} {
		c.account.Token = "the-token"
		for lang, want := range map[string]string{Russian: c.ru, English: c.en} {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "/signin?lang="+lang, nil)
			choice := Choice{
				Service: c.service, Methods: []Method{MethodGOSTTLS, MethodAgent, MethodPlugin}, GOSTTLS: "https://signin/x", Agent: "/a", Plugin: "/p",
				Request: "the-request", Account: &c.account, Notice: Text{RU: "Перерыв до <12:00>", EN: "Pause until <12:00>"},
			}
			if err := b.Choice(w, r, choice); err != nil {
				t.Fatal(err)
			}
			text := w.Body.String()
			if !strings.Contains(text, want) || strings.Contains(text, c.without) || !strings.Contains(text, "&lt;12:00&gt;") {
				t.Errorf("%s, %s: want %q and not %q:\n%s", name, lang, want, c.without, text)
			}
			if strings.Count(text, "<h1>") != 1 {
				t.Errorf("%s: more than one heading of the page", name)
			}
			if lang == English && regexp.MustCompile(`[А-яЁё]{2,}`).MatchString(strings.NewReplacer("ИНН", "", "Русский", "", "КриптоПро", "", "ЭЦП", "", "Рутокен", "", "Плагин", "", "УЭК", "").Replace(text)) {
				t.Errorf("%s: Russian on an English page:\n%s", name, text)
			}
		}
	}
}
