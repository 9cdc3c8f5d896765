package mail

import (
	"strings"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/server/account"
)

var at = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

var composer = Composer{Gateway: "Пропуск", URL: "https://gate.example.ru", Support: "https://gate.example.ru/support"}

func device(name string) Device {
	return Device{At: at, Address: person.NewPrivate("192.0.2.7"), Name: person.NewPrivate(name)}
}

// each writes every kind of letter, and both forms of those that have two.
func each(t *testing.T, to To) []account.Letter {
	t.Helper()
	inn, err := person.ParseINN("500100732259")
	if err != nil {
		t.Fatal(err)
	}
	until, link, d := at.Add(time.Hour), composer.URL+"/activate?code=abc", device("Chromium, Linux")
	all := []account.Letter{
		composer.Activation(to, at, Activation{link, until}),
		composer.Registered(to, at, Registered{at, "17"}),
		composer.Registered(to, at, Registered{At: at}),
		composer.EmailChange(to, at, EmailChange{link, until}),
		composer.EmailChanged(to, at, EmailChanged{d}),
		composer.PasswordChanged(to, at, PasswordChanged{d}),
		composer.Code(to, at, Code{"012345", until, false}),
		composer.Code(to, at, Code{"012345", until, true}),
		composer.Recovery(to, at, Recovery{link, until}),
		composer.NewKey(to, at, NewKey{d, [32]byte{1, 2, 3, 0xab}, until}),
		composer.NewDevice(to, at, NewDevice{d, true}),
		composer.NewDevice(to, at, NewDevice{d, false}),
		composer.Blocked(to, at, Blocked{At: at, BySelf: true}),
		composer.Blocked(to, at, Blocked{At: at, Card: true}),
		composer.Blocked(to, at, Blocked{At: at}),
		composer.KeyCompromised(to, at, KeyCompromised{d, [32]byte{1}}),
		composer.CardIssued(to, at, CardIssued{Login: inn, Password: "Pervyj-42-parol", From: at, Until: until}),
		composer.CardIssued(to, at, CardIssued{Login: inn, From: at, Until: until}),
		composer.CardIssued(to, at, CardIssued{Login: inn, Elsewhere: true, From: at, Until: until}),
		composer.PendingCheck(to, at, PendingCheck{}),
		composer.CheckResult(to, at, CheckResult{true}),
		composer.CheckResult(to, at, CheckResult{false}),
		composer.TicketOpened(to, at, TicketOpened{"2026-000017", until}),
		composer.TicketAnswered(to, at, TicketAnswered{"2026-000017", "Установите\nдрайвер.", true}),
		composer.TicketAnswered(to, at, TicketAnswered{"2026-000017", "Установите драйвер.", false}),
	}
	for _, what := range changes {
		all = append(all, composer.SecurityChanged(to, at, SecurityChanged{d, what}))
	}
	return all
}

// changes are all that a letter tells of.
var changes = []Change{ApplicationOn, ApplicationOff, EmailCodesOn, EmailCodesOff, RecoveryCodesNew, CodeWordSet, CodeWordChanged}

// TestSecurityChanged: the letter says what was changed, when and from where, and what to do.
func TestSecurityChanged(t *testing.T) {
	for _, language := range []string{"ru", "en"} {
		subjects, bodies := map[string]bool{}, map[string]bool{}
		for _, what := range changes {
			l := composer.SecurityChanged(To{Language: language}, at, SecurityChanged{device("Chromium, Linux"), what})
			body, _, _ := strings.Cut(strings.SplitAfterN(l.Text.Reveal(), "\n\n", 2)[1], "\n\n")
			subjects[l.Subject], bodies[body] = true, true
			if len(body) < 40 || strings.Contains(body, "Chromium") || !strings.Contains(l.HTML.Reveal(), "<p>"+body+"</p>") {
				t.Errorf("%s: %q\n%s", what, body, l.HTML.Reveal())
			}
			for _, want := range []string{"02.03.2026 12:30", "192.0.2.7", "Chromium, Linux", "\nhttps://gate.example.ru/account/security\n"} {
				if !strings.Contains(l.Text.Reveal(), want) {
					t.Errorf("%s: no %q:\n%s", what, want, l.Text.Reveal())
				}
			}
		}
		if len(subjects) != len(changes) || len(bodies) != len(changes) {
			t.Errorf("%s: %d subjects and %d texts of %d changes", language, len(subjects), len(bodies), len(changes))
		}
	}
}

func TestEveryLetter(t *testing.T) {
	for _, language := range []string{"ru", "en"} {
		kinds := map[string]bool{}
		for _, l := range each(t, To{Email: person.NewEmail("a@example.ru"), Language: language, Account: "x"}) {
			text, html := l.Text.Reveal(), l.HTML.Reveal()
			kinds[l.Kind] = true
			if l.ID == "" || l.Account != "x" || l.To.Reveal() != "a@example.ru" || l.Language != language || !l.Waiting() || !l.NotBefore.Equal(at) {
				t.Errorf("%s: envelope %+v", l.Kind, l)
			}
			if l.Subject == "" || strings.ContainsAny(l.Subject, "\r\n") || len([]rune(l.Subject)) > 70 {
				t.Errorf("%s: subject %q", l.Kind, l.Subject)
			}
			cyrillic := strings.ContainsFunc(l.Subject+strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(text, "Пропуск", ""), "Установите", ""), "драйвер", ""), func(r rune) bool { return r >= 'А' && r <= 'я' })
			if cyrillic != (language == "ru") {
				t.Errorf("%s: not all in %s:\n%s", l.Kind, language, text)
			}
			for _, bad := range []string{"{{", "<no value>", "%!", "\n\n\n", "***", "\n \n"} {
				if strings.Contains(strings.ReplaceAll(text, "**********59", ""), bad) {
					t.Errorf("%s: %q in the text:\n%s", l.Kind, bad, text)
				}
			}
			if !strings.Contains(text, composer.Support) || !strings.Contains(html, `<html lang="`+language+`">`) {
				t.Errorf("%s: no support, or no language:\n%s\n%s", l.Kind, text, html)
			}
		}
		if len(kinds) != 17 {
			t.Errorf("%d kinds", len(kinds))
		}
	}
}

// TestLetterSays: what a letter is for is in it.
func TestLetterSays(t *testing.T) {
	to := To{Email: person.NewEmail("a@example.ru"), Language: "ru"}
	link := composer.URL + "/activate?code=a-b&x=1"
	l := composer.Activation(to, at, Activation{link, at.Add(time.Hour)})
	if !strings.Contains(l.Text.Reveal(), "\n"+link+"\n") || !strings.Contains(l.HTML.Reveal(), `<a href="https://gate.example.ru/activate?code=a-b&amp;x=1">`) {
		t.Errorf("no link:\n%s\n%s", l.Text.Reveal(), l.HTML.Reveal())
	}
	if !strings.Contains(l.Text.Reveal(), "02.03.2026 13:30 МСК") || !l.Expires.Equal(at.Add(time.Hour)) {
		t.Errorf("when does it end?\n%s", l.Text.Reveal())
	}
	k := composer.NewKey(to, at, NewKey{device("Chromium"), [32]byte{0xab, 0xcd}, at})
	for _, want := range []string{"abcd0000 00000000", "192.0.2.7", "Chromium", "https://gate.example.ru/account/security"} {
		if !strings.Contains(k.Text.Reveal(), want) {
			t.Errorf("no %s:\n%s", want, k.Text.Reveal())
		}
	}
	inn, err := person.ParseINN("500100732259")
	if err != nil {
		t.Fatal(err)
	}
	c := composer.CardIssued(to, at, CardIssued{Login: inn, Password: "Pervyj-42-parol", From: at, Until: at}).Text.Reveal()
	if !strings.Contains(c, "Pervyj-42-parol") || strings.Contains(c, "500100732259") {
		t.Errorf("the password and not the whole login:\n%s", c)
	}
	const taken = "Второй фактор и резервные коды, если они были, больше не действуют."
	inPerson := composer.CardIssued(to, at, CardIssued{Login: inn, From: at, Until: at}).Text.Reveal()
	if !strings.Contains(inPerson, taken) || strings.Contains(c, taken) {
		t.Errorf("a card handed over in person takes the second factors away, and no other does:\n%s\n%s", inPerson, c)
	}
	if got := composer.Activation(To{}, at, Activation{}).Language; got != "ru" {
		t.Errorf("language of nobody: %q", got)
	}
}

// TestNothingForeignInLetters: what strangers chose makes no lines, links or elements.
func TestNothingForeignInLetters(t *testing.T) {
	to := To{Email: person.NewEmail("a@example.ru"), Language: "ru"}
	evil := "A\r\nSubject: B\n\nhttps://evil.example/ <script>x</script> \u202egnp.exe" + strings.Repeat("ж", 500)
	l := composer.NewDevice(to, at, NewDevice{Device: device(evil)})
	text, html := l.Text.Reveal(), l.HTML.Reveal()
	for _, bad := range []string{"\r", "\nSubject", "://evil", "\u202e", strings.Repeat("ж", 121)} {
		if strings.Contains(text, bad) {
			t.Errorf("%q in\n%s", bad, text)
		}
	}
	if strings.Contains(html, "<script") || strings.Contains(html, "evil.example/\"") {
		t.Errorf("an element of a stranger:\n%s", html)
	}
	a := composer.TicketAnswered(to, at, TicketAnswered{"1", "Да.\r\n\r\n\r\n\r\n<b>Нет</b>\x00", false})
	if !strings.Contains(a.Text.Reveal(), "Да.\n\n<b>Нет</b>\n") || strings.Contains(a.HTML.Reveal(), "<b>") {
		t.Errorf("answer:\n%s\n%s", a.Text.Reveal(), a.HTML.Reveal())
	}
}
