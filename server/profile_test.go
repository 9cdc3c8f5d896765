package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"propusk/gost/gost3410"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/journal"
	"propusk/server/mail"
	"propusk/server/mail/mailbox"
	"propusk/server/store"
	"propusk/server/testgateway"
)

// accountWorld is a gateway with the account of the entrepreneur.
type accountWorld struct {
	*testgateway.Gateway
	t     *testing.T
	db    store.Store
	acc   account.Account
	later atomic.Int64 // by how much the clock of the gateway is ahead, in nanoseconds
}

func newAccountWorld(t *testing.T, change ...func(*account.Account)) *accountWorld {
	t.Helper()
	w := &accountWorld{t: t}
	w.Gateway = testgateway.Start(t, testgateway.WithAccounts, func(g *testgateway.Gateway) {
		g.Clock = func() time.Time { return time.Now().Add(time.Duration(w.later.Load())) }
	})
	w.db = w.Accounts()
	w.acc = w.AddAccount(w.db, "ip", change...)
	return w
}

// enter signs the entrepreneur in to a page of the account by GOST TLS, and returns the page.
func (w *accountWorld) enter(c *http.Client, path string) testgateway.Answer {
	w.t.Helper()
	return w.follow(c, w.Get(c, w.Config.Public.URL+path))
}

// follow goes where a browser with GOST TLS and a key goes, until there is a page of a person
// who is signed in, or one about a failure.
func (w *accountWorld) follow(c *http.Client, a testgateway.Answer) testgateway.Answer {
	w.t.Helper()
	for range 10 {
		to := a.Location()
		if to == "" {
			return a
		}
		u, err := a.Request.URL.Parse(to)
		if err != nil {
			w.t.Fatal(err)
		}
		if u.Path == "/signin" && strings.HasPrefix(u.String(), w.Config.Public.URL) {
			u.Scheme, u.Host = "https", strings.TrimPrefix(w.Config.SignIn.URL, "https://") // what the button leads to
		}
		a = w.Get(c, u.String())
	}
	w.t.Fatal("redirects without end")
	return a
}

// account reads the account as it is now.
func (w *accountWorld) account() account.Account {
	w.t.Helper()
	var acc account.Account
	err := w.db.View(w.t.Context(), func(tx store.Tx) (err error) { acc, err = tx.Account(w.acc.ID); return err })
	if err != nil {
		w.t.Fatal(err)
	}
	return acc
}

// letter waits for a letter of a kind, told by a word of its subject or text.
func (w *accountWorld) letter(to, word string) mailbox.Letter {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	l, err := w.Mail.Wait(ctx, to, func(l mailbox.Letter) bool { return strings.Contains(l.Subject+l.Text, word) })
	if err != nil {
		w.t.Fatalf("no letter %q to %s: %v; there are %v", word, to, err, w.Mail.Letters(""))
	}
	return l
}

// TestAccountPages: who is not signed in is led to sign in; with the key every page is there,
// in both languages, with the person in the header.
func TestAccountPages(t *testing.T) {
	w := newAccountWorld(t)
	stranger := w.Get(w.Browser(), w.Config.Public.URL+"/account/journal")
	if !strings.Contains(stranger.Location(), "/signin?request=") {
		t.Errorf("a stranger is led to %q, %d", stranger.Location(), stranger.StatusCode)
	}
	c := w.GOSTBrowser("ip")
	p := w.Country.Person("ip")
	home := w.enter(c, "/account")
	wantStatus(t, home, http.StatusOK)
	wantText(t, home, p.Name, p.INN, "вход с ключом электронной подписи", "Выйти", "ip@people.example")
	fingerprint := sha256.Sum256(p.Certificate.Raw)
	for path, words := range map[string][2]string{
		"/account":                   {"Учётная запись", "Account"},
		"/account/certificates":      {hex.EncodeToString(fingerprint[:]), "Certificates"},
		"/account/journal":           {"Вход с ключом (ГОСТ TLS)", "Sign-in with a key"},
		"/account/visits":            {"этот сеанс", "this visit"},
		"/account/agreements":        {"ничего не подписывали", "signed nothing"},
		"/account/security":          {"второй фактор", "second factor"},
		"/account/security/password": {"Новый пароль", "A new password"},
		"/account/security/word":     {"Кодовое слово", "Code word"},
		"/account/email":             {"ip@people.example", "E-mail"},
		"/account/taxpayer":          {"ОГРНИП " + p.OGRNIP, "For whom you act"},
		"/account/block":             {"только лично", "Block the account"},
		"/account/certificates/lost?sha256=" + hex.EncodeToString(fingerprint[:]): {"Ключ скомпрометирован", "in other hands"},
		"/account/certificates/lost?sha256=all":                                   {"Ключ скомпрометирован", "in other hands"},
	} {
		separator := "?"
		if strings.Contains(path, "?") {
			separator = "&"
		}
		for i, lang := range []string{"ru", "en"} {
			a := w.Get(c, w.Config.Public.URL+path+separator+"lang="+lang)
			wantStatus(t, a, http.StatusOK)
			wantText(t, a, words[i], `lang="`+lang+`"`)
			if n := strings.Count(a.Text, "<h1>"); n != 1 {
				t.Errorf("%s: %d headings", path, n)
			}
		}
	}
	for _, path := range []string{"/account/certificates/lost", "/account/certificates/lost?sha256=00", "/account/journal?before=x", "/account/certificates/file?sha256=zz"} {
		wantStatus(t, w.Get(c, w.Config.Public.URL+path), http.StatusNotFound)
	}
	if strings.Contains(home.Text, "Предыдущий вход") {
		t.Error("a sign-in before the first one")
	}
	w.later.Store(int64(10 * time.Minute))
	wantText(t, w.enter(w.GOSTBrowser("ip"), "/account"), "Предыдущий вход", "127.0.0.1")
	file := w.Get(c, w.Config.Public.URL+"/account/certificates/file?sha256="+hex.EncodeToString(fingerprint[:]))
	if file.Text != string(p.Certificate.Raw) || !strings.HasPrefix(file.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the file of the certificate: %d bytes, %v", len(file.Text), file.Header)
	}
}

// posts are all forms of the account, with fields that would do something.
func posts(w *accountWorld) map[string]url.Values {
	fingerprint := sha256.Sum256(w.Country.Person("ip").Certificate.Raw)
	key := func() url.Values { return url.Values{"sha256": {hex.EncodeToString(fingerprint[:])}} }
	return map[string]url.Values{
		"/account/certificates/remove":          key(),
		"/account/certificates/restore":         key(),
		"/account/certificates/lost":            key(),
		"/account/visits/end":                   {"visit": {"x"}},
		"/account/visits/end-others":            {},
		"/account/security/password":            {"fresh": {"Длинный пароль 7!"}, "again": {"Длинный пароль 7!"}},
		"/account/security/application":         {},
		"/account/security/application/confirm": {"code": {"123456"}},
		"/account/security/application/remove":  {},
		"/account/security/recovery":            {},
		"/account/security/code-by-email":       {"on": {"yes"}},
		"/account/security/word":                {"word": {"каравелла"}, "again": {"каравелла"}},
		"/account/email":                        {"email": {"new@people.example"}},
		"/account/email/confirm":                {"code": {"x"}},
		"/account/taxpayer":                     {"taxpayer": {w.acc.Taxpayers[0].ID}},
		"/account/block":                        {"sure": {"yes"}},
	}
}

// TestAccountForgery: no form is taken from another site, or without its token, or from who is
// not signed in; and nothing has changed by it.
func TestAccountForgery(t *testing.T) {
	w := newAccountWorld(t)
	c := w.GOSTBrowser("ip")
	w.enter(c, "/account")
	before := w.account()
	page := w.Get(c, w.Config.Public.URL+"/account/block")
	for path, fields := range posts(w) {
		a := w.Post(c, w.Config.Public.URL+path, "application/x-www-form-urlencoded", fields.Encode())
		wantStatus(t, a, http.StatusForbidden)
		wantText(t, a, `data-code="form-expired"`)
		stranger := w.Browser()
		if path != "/account/email/confirm" { // which works in any browser
			a = w.PostForm(stranger, w.Get(stranger, w.Config.Public.URL+"/recovery"), path, fields)
			wantText(t, a, `data-code="visit-over"`)
		}
		fields.Set("form-token", regexp.MustCompile(`name="form-token" value="([^"]+)"`).FindStringSubmatch(page.Text)[1])
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Config.Public.URL+path, strings.NewReader(fields.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		wantText(t, w.Do(c, r), `data-code="form-from-elsewhere"`)
	}
	if got := w.account(); got.Version != before.Version || got.State != account.Active {
		t.Errorf("the account was changed: %+v", got)
	}
	wantStatus(t, w.Get(c, w.Config.Public.URL+"/account"), http.StatusOK)
}

// TestAccountStepUp (GU-12): changes want a fresh sign-in; to give up a key, to end visits and to
// block the account do not.
func TestAccountStepUp(t *testing.T) {
	w := newAccountWorld(t)
	c := w.GOSTBrowser("ip")
	home := w.enter(c, "/account/visits")
	wantStatus(t, w.Get(c, w.Config.Public.URL+"/account/email"), http.StatusOK)
	w.later.Store(int64(20 * time.Minute))
	before := w.account()
	for _, path := range []string{
		"/account/certificates/remove", "/account/certificates/restore", "/account/security/password", "/account/security/application", "/account/security/application/confirm",
		"/account/security/application/remove", "/account/security/recovery", "/account/security/code-by-email", "/account/security/word", "/account/email",
	} {
		a := w.PostForm(c, home, path, posts(w)[path])
		wantStatus(t, a, http.StatusForbidden)
		wantText(t, a, "Подтвердите, что это вы", "/account/confirm?to=")
	}
	if got := w.account(); got.Version != before.Version {
		t.Errorf("the account was changed: %+v", got)
	}
	a := w.Get(c, w.Config.Public.URL+"/account/email")
	wantStatus(t, a, http.StatusForbidden)
	back := w.enter(c, "/account/confirm?to=/account/email")
	wantStatus(t, back, http.StatusOK)
	if back.Request.URL.Path != "/account/email" {
		t.Errorf("back at %s", back.Request.URL.Path)
	}
	for _, to := range []string{"https://evil.example/", "//evil.example", "/account/../token", "/end_session"} {
		w.later.Add(int64(16 * time.Minute))
		if got := w.enter(c, "/account/confirm?to="+url.QueryEscape(to)).Request.URL.Path; got != "/account" {
			t.Errorf("%s: back at %s", to, got)
		}
	}
	w.later.Add(int64(16 * time.Minute))
	wantStatus(t, w.PostForm(c, w.Get(c, w.Config.Public.URL+"/account/visits"), "/account/visits/end-others", nil), http.StatusSeeOther)
}

// TestAccountEmail (IP-06, IP-36): another address counts when the link of its letter was used,
// in any browser, once; the old address is told.
func TestAccountEmail(t *testing.T) {
	w := newAccountWorld(t)
	c := w.GOSTBrowser("ip")
	page := w.enter(c, "/account/email")
	for _, wrong := range []string{"", "nobody", "a b@people.example", "a@b", "Имя <a@people.example>", "ip@people.example", "IP@people.example", "a@people.example, b@people.example"} {
		a := w.PostForm(c, page, "/account/email", url.Values{"email": {wrong}})
		wantStatus(t, a, http.StatusUnprocessableEntity)
		wantText(t, a, `href="#field-email"`, `aria-invalid="true"`)
	}
	a := w.PostForm(c, page, "/account/email", url.Values{"email": {"new@people.example"}})
	wantStatus(t, a, http.StatusOK)
	if got := w.account(); got.Email.Reveal() != "ip@people.example" {
		t.Errorf("the address is %s before the link was opened", got.Email.Reveal())
	}
	letter := w.letter("new@people.example", "/account/email/confirm?code=")
	link, ok := letter.Link(w.Config.Public.URL + "/account/email/confirm")
	if !ok {
		t.Fatalf("no link:\n%s", letter.Text)
	}
	other := w.Browser()
	for range 2 { // programs that look at letters have opened it
		asked := w.Get(other, link)
		wantStatus(t, asked, http.StatusOK)
		wantText(t, asked, "new@people.example", "Подтвердить адрес")
	}
	code := strings.SplitN(link, "code=", 2)[1]
	asked := w.Get(other, link)
	wantText(t, w.PostForm(other, asked, "/account/email/confirm", url.Values{"code": {code}}), "Адрес изменён")
	if got := w.account(); got.Email.Reveal() != "new@people.example" || got.EmailConfirmed.IsZero() {
		t.Errorf("the address is %s", got.Email.Reveal())
	}
	w.letter("ip@people.example", "адрес")
	wantText(t, w.PostForm(other, asked, "/account/email/confirm", url.Values{"code": {code}}), `data-code="account-email-link"`)
	wantText(t, w.Get(other, link), `data-code="account-email-link"`)
	if strings.Contains(w.Log.String(), code) {
		t.Error("the link is in the log")
	}

	// A newer link makes the older one void; the time of a link ends; letters are counted.
	w.PostForm(c, page, "/account/email", url.Values{"email": {"one@people.example"}})
	first, _ := w.letter("one@people.example", "confirm?code=").Link(w.Config.Public.URL)
	w.PostForm(c, page, "/account/email", url.Values{"email": {"two@people.example"}})
	second, _ := w.letter("two@people.example", "confirm?code=").Link(w.Config.Public.URL)
	wantText(t, w.Get(other, first), `data-code="account-email-link"`)
	wantStatus(t, w.Get(other, second), http.StatusOK)
	for range 2 {
		wantStatus(t, w.PostForm(c, page, "/account/email", url.Values{"email": {"two@people.example"}}), http.StatusOK)
	}
	wantText(t, w.PostForm(c, page, "/account/email", url.Values{"email": {"two@people.example"}}), "Слишком много писем")
	w.later.Store(int64(25 * time.Hour))
	wantText(t, w.Get(other, second), `data-code="account-email-link"`)
}

// TestAccountJournal (GU-05, GU-06): the person sees what was done in his name, under each of his
// kinds, and takes it along as a table and as records.
func TestAccountJournal(t *testing.T) {
	w := newAccountWorld(t)
	c := w.GOSTBrowser("ip")
	w.enter(c, "/account")
	var a testgateway.Answer
	waitUntil(t, func() bool { // events of transactions come a moment later
		a = w.Get(c, w.Config.Public.URL+"/account/journal")
		return strings.Contains(a.Text, "Сертификат привязан")
	})
	wantText(t, a, "Вход с ключом (ГОСТ TLS)", "127.0.0.1", "Скачать таблицу")
	table := w.Get(c, w.Config.Public.URL+"/account/journal.csv")
	wantStatus(t, table, http.StatusOK)
	text, mark := strings.CutPrefix(table.Text, "\ufeff")
	reader := csv.NewReader(strings.NewReader(text))
	reader.Comma = ';'
	rows, err := reader.ReadAll()
	if err != nil || !mark || len(rows) < 3 || rows[0][0] != "Номер" || len(rows[1]) != 12 {
		t.Fatalf("%v, mark %v:\n%s", err, mark, table.Text)
	}
	records := w.Get(c, w.Config.Public.URL+"/account/journal.json")
	var all []json.RawMessage
	if err := json.Unmarshal([]byte(records.Text), &all); err != nil || len(all) != len(rows)-1 {
		t.Fatalf("%v, %d records, %d rows:\n%s", err, len(all), len(rows)-1, records.Text)
	}
	for i, line := range all {
		r, err := journal.ParseLine(line)
		if err != nil || r.Sum() != r.Hash || hex.EncodeToString(r.Hash[:]) != rows[i+1][11] {
			t.Errorf("record %d: %v\n%s", i, err, line)
		}
	}
	w.AddAccount(w.db, "ul")
	other := w.GOSTBrowser("ul")
	w.enter(other, "/account")
	theirs := w.Get(other, w.Config.Public.URL+"/account/journal.json")
	wantStatus(t, theirs, http.StatusOK)
	for _, row := range rows[1:] {
		if strings.Contains(theirs.Text, `"n":"`+row[0]+`"`) {
			t.Errorf("another person sees record %s", row[0])
		}
	}
}

// waitUntil waits for something that happens a moment later.
func waitUntil(t *testing.T, done func() bool) {
	t.Helper()
	for range 600 {
		if done() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("it did not happen within 30 seconds")
}

// TestAccountVisits (GU-05): a visit is ended from another browser; that one is a stranger then.
func TestAccountVisits(t *testing.T) {
	w := newAccountWorld(t)
	one, two := w.GOSTBrowser("ip"), w.GOSTBrowser("ip")
	w.enter(one, "/account")
	page := w.enter(two, "/account/visits")
	if n := strings.Count(page.Text, `action="/account/visits/end"`); n != 2 {
		t.Fatalf("%d visits:\n%s", n, page.Text)
	}
	a := w.PostForm(two, page, "/account/visits/end", url.Values{"visit": {"of somebody else"}})
	wantStatus(t, a, http.StatusSeeOther)
	wantStatus(t, w.Get(one, w.Config.Public.URL+"/account"), http.StatusOK)
	wantStatus(t, w.PostForm(two, page, "/account/visits/end-others", nil), http.StatusSeeOther)
	if a := w.Get(one, w.Config.Public.URL+"/account"); a.Location() == "" {
		t.Errorf("the visit goes on: %d", a.StatusCode)
	}
	wantStatus(t, w.Get(two, w.Config.Public.URL+"/account"), http.StatusOK)
	id := regexp.MustCompile(`name="visit" value="([^"]+)"`).FindStringSubmatch(w.Get(two, w.Config.Public.URL+"/account/visits").Text)
	wantStatus(t, w.PostForm(two, page, "/account/visits/end", url.Values{"visit": {id[1]}}), http.StatusSeeOther)
	if a := w.Get(two, w.Config.Public.URL+"/account"); a.Location() == "" {
		t.Errorf("his own visit goes on: %d", a.StatusCode)
	}
}

// TestAccountSecond (GU-02): an application is added by its first code, recovery codes are shown
// once, and sign-ins know of it.
func TestAccountSecond(t *testing.T) {
	w := newAccountWorld(t)
	c := w.GOSTBrowser("ip")
	page := w.enter(c, "/account/security")
	wantText(t, w.PostForm(c, page, "/account/security/recovery", nil), `data-code="page-not-found"`)
	a := w.PostForm(c, page, "/account/security/application", nil)
	wantStatus(t, a, http.StatusSeeOther)
	a = w.Get(c, w.Config.Public.URL+a.Location())
	secret := regexp.MustCompile(`<code class="id">([A-Z2-7 ]{30,})</code>`).FindStringSubmatch(a.Text)
	if secret == nil {
		t.Fatalf("no key:\n%s", a.Text)
	}
	picture := w.Get(c, w.Config.Public.URL+"/account/security/application.png")
	if picture.Header.Get("Content-Type") != "image/png" || !strings.HasPrefix(picture.Text, "\x89PNG") {
		t.Errorf("no picture: %v", picture.Header)
	}
	wrong := w.PostForm(c, a, "/account/security/application/confirm", url.Values{"code": {"000"}})
	wantStatus(t, wrong, http.StatusUnprocessableEntity)
	w.wantChanges(0)
	code, err := totp.GenerateCode(strings.ReplaceAll(secret[1], " ", ""), w.Clock())
	if err != nil {
		t.Fatal(err)
	}
	shown := w.PostForm(c, a, "/account/security/application/confirm", url.Values{"code": {code}})
	wantText(t, shown, "Резервные коды")
	w.wantChanges(1)
	if l := w.letter("ip@people.example", "Приложение с кодами подключено"); strings.Contains(l.Text, code) || !strings.Contains(l.Text, "/account/security") {
		t.Errorf("the letter says\n%s", l.Text)
	}
	codes := regexp.MustCompile(`[0-9A-Z]{5}-[0-9A-Z]{5}`).FindAllString(shown.Text, -1)
	if len(codes) != 10 {
		t.Errorf("%d recovery codes", len(codes))
	}
	after := w.Get(c, w.Config.Public.URL+"/account/security")
	wantText(t, after, "подключено", "Осталось кодов: 10")
	if strings.Contains(after.Text, codes[0]) || strings.Contains(w.Log.String(), codes[0]) || strings.Contains(w.Log.String(), code) {
		t.Error("codes are shown again, or in the log")
	}
	again := w.PostForm(c, page, "/account/security/recovery", nil)
	if fresh := regexp.MustCompile(`[0-9A-Z]{5}-[0-9A-Z]{5}`).FindAllString(again.Text, -1); len(fresh) != 10 || fresh[0] == codes[0] {
		t.Errorf("fresh codes %v", fresh)
	}
	w.wantChanges(2)
	if l := w.letter("ip@people.example", "Выданы новые резервные коды"); regexp.MustCompile(`[0-9A-Z]{5}-[0-9A-Z]{5}`).MatchString(l.Text) {
		t.Errorf("recovery codes are in the letter:\n%s", l.Text)
	}
	for i, s := range []struct {
		path      string
		fields    url.Values
		now, mail string // what the page and the letter say
	}{
		{"application/remove", nil, "не подключено", "Приложение с кодами отключено"},
		{"code-by-email", url.Values{"on": {"yes"}}, "включены", "Коды по почте включены"},
		{"code-by-email", nil, "выключены", "Коды по почте выключены"},
	} {
		for range 2 { // the second time nothing changes, and nobody is told
			wantStatus(t, w.PostForm(c, page, "/account/security/"+s.path, s.fields), http.StatusSeeOther)
			wantText(t, w.Get(c, w.Config.Public.URL+"/account/security"), s.now)
			w.wantChanges(3 + i)
		}
		w.letter("ip@people.example", s.mail)
	}
}

// wantChanges: that many changes of second factors and of the code word are told of by a
// letter, which was written with the change.
func (w *accountWorld) wantChanges(want int) {
	w.t.Helper()
	got := 0
	err := w.db.View(w.t.Context(), func(tx store.Tx) error {
		all, err := tx.Letters("", 100)
		for _, l := range all {
			if l.Kind == mail.KindSecurityChanged && l.Account == w.acc.ID {
				got++
			}
		}
		return err
	})
	if err != nil || got != want {
		w.t.Fatalf("%d letters about changes, not %d: %v", got, want, err)
	}
}

// TestAccountSecondWithoutAddress: no letter goes to an address that nobody has confirmed.
func TestAccountSecondWithoutAddress(t *testing.T) {
	w := newAccountWorld(t, func(a *account.Account) { a.EmailConfirmed = time.Time{} })
	c := w.GOSTBrowser("ip")
	word := w.enter(c, "/account/security/word")
	wantStatus(t, w.PostForm(c, word, "/account/security/word", url.Values{"word": {"каравелла"}, "again": {"каравелла"}}), http.StatusSeeOther)
	if w.account().CodeWord == "" {
		t.Error("no code word")
	}
	w.wantChanges(0)
}

// TestAccountPassword (PW-06, FL-06): weak passwords are refused at the field; a good one ends
// the other visits, and a letter tells of it. The code word is kept as a hash.
func TestAccountPassword(t *testing.T) {
	w := newAccountWorld(t)
	c, other := w.GOSTBrowser("ip"), w.GOSTBrowser("ip")
	w.enter(other, "/account")
	page := w.enter(c, "/account/security/password")
	for fresh, again := range map[string]string{"": "", "short": "short", "Vernyj-Parol-42": "Vernyj-Parol-43"} {
		a := w.PostForm(c, page, "/account/security/password", url.Values{"fresh": {fresh}, "again": {again}})
		wantStatus(t, a, http.StatusUnprocessableEntity)
		if fresh != "" && strings.Contains(a.Text, fresh) {
			t.Errorf("the password is in the page:\n%s", a.Text)
		}
	}
	good := url.Values{"fresh": {"Vernyj-Parol-42"}, "again": {"Vernyj-Parol-42"}}
	wantStatus(t, w.PostForm(c, page, "/account/security/password", good), http.StatusSeeOther)
	wantText(t, w.Get(c, w.Config.Public.URL+"/account/security"), "Изменить пароль")
	if a := w.Get(other, w.Config.Public.URL+"/account"); a.Location() == "" {
		t.Error("the other visit goes on")
	}
	w.letter("ip@people.example", "парол")

	word := w.Get(c, w.Config.Public.URL+"/account/security/word")
	for _, bad := range []string{"пять5", w.Country.Person("ip").INN, "ip@people.example"} {
		wantStatus(t, w.PostForm(c, word, "/account/security/word", url.Values{"word": {bad}, "again": {bad}}), http.StatusUnprocessableEntity)
	}
	wantStatus(t, w.PostForm(c, word, "/account/security/word", url.Values{"word": {"каравелла"}, "again": {"каравеллы"}}), http.StatusUnprocessableEntity)
	for i, s := range []struct{ word, mail string }{{"каравелла", "Кодовое слово задано"}, {"бригантина", "Кодовое слово изменено"}} {
		wantStatus(t, w.PostForm(c, word, "/account/security/word", url.Values{"word": {s.word}, "again": {s.word}}), http.StatusSeeOther)
		if got := w.account().CodeWord; !strings.HasPrefix(got, "$argon2id$") {
			t.Errorf("the code word is kept as %q", got)
		}
		w.wantChanges(i + 1)
		if l := w.letter("ip@people.example", s.mail); strings.Contains(l.Text, s.word) {
			t.Errorf("the code word is in the letter:\n%s", l.Text)
		}
	}
}

// TestAccountLostKey (IP-31): the key is given up in mid-visit; the visit that it began is over,
// and it does not come back.
func TestAccountLostKey(t *testing.T) {
	for _, which := range []string{"", "all"} {
		w := newAccountWorld(t)
		c := w.GOSTBrowser("ip")
		p := w.Country.Person("ip")
		fingerprint := sha256.Sum256(p.Certificate.Raw)
		if which == "" {
			which = hex.EncodeToString(fingerprint[:])
		}
		page := w.enter(c, "/account/certificates/lost?sha256="+which)
		a := w.PostForm(c, page, "/account/certificates/lost", url.Values{"sha256": {which}})
		wantStatus(t, a, http.StatusOK)
		wantText(t, a, "одного рабочего дня", "УЦ ФНС")
		if strings.Contains(a.Text, "Выйти") {
			t.Error("the page speaks of a visit that is over")
		}
		refused := w.enter(c, "/account")
		wantStatus(t, refused, http.StatusForbidden)
		wantText(t, refused, `data-code="account-key-compromised"`, "новым ключом")
		w.letter("ip@people.example", "ключ")
		if got, want := w.account().State, map[bool]account.State{true: account.Compromised, false: account.Active}[which == "all"]; got != want {
			t.Errorf("state %s, want %s", got, want)
		}
	}
}

// TestAccountRemovedKey: a certificate that is used no more opens nothing; that of somebody else
// cannot be touched.
func TestAccountRemovedKey(t *testing.T) {
	w := newAccountWorld(t)
	w.AddAccount(w.db, "ul")
	other := w.GOSTBrowser("ul")
	w.enter(other, "/account")
	c := w.GOSTBrowser("ip")
	page := w.enter(c, "/account/certificates")
	foreign := sha256.Sum256(w.Country.Person("ul").Certificate.Raw)
	for _, path := range []string{"/account/certificates/remove", "/account/certificates/restore", "/account/certificates/lost"} {
		wantText(t, w.PostForm(c, page, path, url.Values{"sha256": {hex.EncodeToString(foreign[:])}}), `data-code="page-not-found"`)
	}
	wantStatus(t, w.Get(c, w.Config.Public.URL+"/account/certificates/file?sha256="+hex.EncodeToString(foreign[:])), http.StatusNotFound)
	wantStatus(t, w.Get(other, w.Config.Public.URL+"/account"), http.StatusOK)
	own := sha256.Sum256(w.Country.Person("ip").Certificate.Raw)
	key := url.Values{"sha256": {hex.EncodeToString(own[:])}}
	// While there is no other way in it stays.
	last := w.PostForm(c, page, "/account/certificates/remove", key)
	wantText(t, w.Get(c, w.Config.Public.URL+last.Location()), "единственный способ войти")
	wantText(t, w.PostForm(c, page, "/account/certificates/restore", key), `data-code="page-not-found"`)
	renewed := w.with(w.renewed("ip", "fns-512", gost3410.TC26512A(), nil))
	page = w.enter(renewed, "/account/certificates")
	gone := w.PostForm(renewed, page, "/account/certificates/remove", key)
	wantStatus(t, gone, http.StatusSeeOther)
	wantText(t, w.enter(c, "/account"), `data-code="account-key-removed"`)
	page = w.Get(renewed, w.Config.Public.URL+"/account/certificates")
	wantText(t, page, "Использовать снова")
	back := w.PostForm(renewed, page, "/account/certificates/restore", key)
	wantText(t, w.Get(renewed, w.Config.Public.URL+back.Location()), "снова действует")
	wantStatus(t, w.enter(c, "/account"), http.StatusOK)
}

// TestAccountBlock (IP-30): without the mark nothing happens; with it the account is shut, by
// key too, and the page says who opens it.
func TestAccountBlock(t *testing.T) {
	w := newAccountWorld(t)
	c := w.GOSTBrowser("ip")
	page := w.enter(c, "/account/block")
	wantStatus(t, w.PostForm(c, page, "/account/block", nil), http.StatusUnprocessableEntity)
	a := w.PostForm(c, page, "/account/block", url.Values{"sure": {"yes"}})
	wantStatus(t, a, http.StatusOK)
	wantText(t, a, "Учётная запись заблокирована", "в инспекцию")
	wantText(t, w.enter(c, "/account"), `data-code="`+string(reason.AccountBlockedBySelf)+`"`, "лично")
	w.letter("ip@people.example", "заблокирован")
	if got := w.account(); got.State != account.Blocked || got.Why != reason.AccountBlockedBySelf {
		t.Errorf("%s %s", got.State, got.Why)
	}
}

// TestAccountTaxpayer (BY-09): the person chooses for whom he acts, among his own; who is no
// entrepreneur any more is not chosen in a visit by another key.
func TestAccountTaxpayer(t *testing.T) {
	himself := account.Taxpayer{}
	w := newAccountWorld(t, func(a *account.Account) {
		who := a.Identity
		who.Kind, who.OGRNIP = person.Person, person.OGRNIP{}
		himself = account.TaxpayerOf(who)
		a.Taxpayers = append(a.Taxpayers, himself)
	})
	c := w.GOSTBrowser("ip")
	page := w.enter(c, "/account/taxpayer")
	wantText(t, page, "Сменить налогоплательщика")
	wantText(t, w.PostForm(c, page, "/account/taxpayer", url.Values{"taxpayer": {account.NewName()}}), `data-code="page-not-found"`)
	wantStatus(t, w.PostForm(c, page, "/account/taxpayer", url.Values{"taxpayer": {himself.ID}}), http.StatusSeeOther)
	var active string
	err := w.db.View(t.Context(), func(tx store.Tx) error {
		visits, err := tx.Visits(w.acc.ID)
		if err == nil {
			active = visits[0].Taxpayer
		}
		return err
	})
	if err != nil || active != himself.ID {
		t.Errorf("active taxpayer %q, %v", active, err)
	}
	err = w.db.Update(t.Context(), func(tx store.Tx) error {
		acc, err := tx.Account(w.acc.ID)
		if err != nil {
			return err
		}
		acc.Closed = w.Clock().AddDate(0, -1, 0)
		return tx.PutAccount(&acc)
	})
	if err != nil {
		t.Fatal(err)
	}
	a := w.PostForm(c, page, "/account/taxpayer", url.Values{"taxpayer": {w.acc.Taxpayers[0].ID}})
	wantText(t, a, `data-code="account-entrepreneur-closed"`)
	wantText(t, w.Get(c, w.Config.Public.URL+"/account/taxpayer"), "Сейчас недоступны")
	wantText(t, w.Get(c, w.Config.Public.URL+"/account"), "Деятельность ИП прекращена")
}

// TestAccountAgreement (IP-14): what was signed is there to read and to take along, for its person
// and nobody else.
func TestAccountAgreement(t *testing.T) {
	w := newAccountWorld(t)
	other := w.AddAccount(w.db, "ul")
	err := w.db.Update(t.Context(), func(tx store.Tx) error {
		mine := account.Evidence{
			ID: "AAAA-BBBB-CCCC", Account: w.acc.ID, Kind: "agreement", Text: []byte("Соглашение <b>"), Signature: []byte{0x30, 0},
			Certificate: []byte{0x30, 1}, Verdict: []byte("{}"), At: w.Clock(),
		}
		theirs := mine
		theirs.ID, theirs.Account = "DDDD-EEEE-FFFF", other.ID
		if err := tx.AddEvidence(mine); err != nil {
			return err
		}
		return tx.AddEvidence(theirs)
	})
	if err != nil {
		t.Fatal(err)
	}
	c := w.GOSTBrowser("ip")
	page := w.enter(c, "/account/agreements")
	wantText(t, page, "AAAA-BBBB-CCCC", "Соглашение &lt;b&gt;")
	if strings.Contains(page.Text, "DDDD-EEEE-FFFF") {
		t.Error("the agreement of another person is there")
	}
	for file, want := range map[string]string{"text": "Соглашение <b>", "signature": "\x30\x00", "verdict": "{}"} {
		a := w.Get(c, w.Config.Public.URL+"/account/agreements/file?id=AAAA-BBBB-CCCC&file="+file)
		if a.Text != want || !strings.HasPrefix(a.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %q", file, a.Text)
		}
		wantStatus(t, w.Get(c, w.Config.Public.URL+"/account/agreements/file?id=DDDD-EEEE-FFFF&file="+file), http.StatusNotFound)
	}
	wantStatus(t, w.Get(c, w.Config.Public.URL+"/account/agreements/file?id=AAAA-BBBB-CCCC&file=other"), http.StatusNotFound)
}

// TestAccountRenewalLetter: the first sign-in with a key is told of by a letter that leads to
// the account.
func TestAccountRenewalLetter(t *testing.T) {
	w := newAccountWorld(t)
	w.enter(w.GOSTBrowser("ip"), "/account")
	fingerprint := sha256.Sum256(w.Country.Person("ip").Certificate.Raw)
	l := w.letter("ip@people.example", hex.EncodeToString(fingerprint[:])[:8])
	if l.Subject == "" || strings.Contains(l.Text, w.Country.Person("ip").INN) {
		t.Errorf("letter %+v", l)
	}
}
