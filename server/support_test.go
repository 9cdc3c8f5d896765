package server_test

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"propusk/server/account"
	"propusk/server/captcha/captchatest"
	"propusk/server/mail/mailbox"
	"propusk/server/store"
	"propusk/server/testgateway"
)

// supportForm is a form of the support that is filled in.
type supportForm struct {
	fields map[string]string
	files  map[string][]byte
}

func filledSupport() supportForm {
	return supportForm{map[string]string{
		"name": "Иванов Иван Иванович", "inn": "", "email": "ivan@example.ru", "phone": "+7 (900) 000-00-00", "topic": "sign-in",
		"text": "Не вижу окна выбора <script>alert(1)</script> сертификата.", "check": "", "code": "",
	}, map[string][]byte{}}
}

// hidden returns a hidden field of a page.
func hidden(t *testing.T, page testgateway.Answer, name string) string {
	t.Helper()
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(page.Text)
	if m == nil {
		t.Fatalf("no %s:\n%s", name, page.Text)
	}
	return m[1]
}

func sendSupport(t *testing.T, g *testgateway.Gateway, c *http.Client, page testgateway.Answer, f supportForm) testgateway.Answer {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	write := func(name, value string) {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	write("form-token", hidden(t, page, "form-token"))
	solved := url.Values{}
	captchatest.Solve(page.Text, solved)
	for name := range solved {
		write(name, solved.Get(name))
	}
	for name, value := range f.fields {
		write(name, value)
	}
	if len(f.files) == 0 { // what browsers send when none was chosen
		if _, err := w.CreateFormFile("files", ""); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range f.files {
		part, err := w.CreateFormFile("files", name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return g.Post(c, g.Config.Public.URL+"/support", w.FormDataContentType(), body.String())
}

func tickets(t *testing.T, g *testgateway.Gateway) (all []account.Ticket, files []account.Attachment) {
	t.Helper()
	err := g.Accounts().View(t.Context(), func(tx store.Tx) (err error) {
		if all, err = tx.Tickets("", "", 100); err != nil || len(all) == 0 {
			return err
		}
		files, err = tx.Attachments(all[0].Number)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, files
}

// TestSupport: a request goes through a browser into the store, its letter comes, its pictures
// and its certificate are there, and nobody is asked twice whether he is a program.
func TestSupport(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithAccounts, func(g *testgateway.Gateway) { g.Config.Support.URL = "" })
	c := g.Browser()
	front := g.Get(c, g.Config.Public.URL+"/")
	if !strings.Contains(front.Text, `href="`+g.Config.Public.URL+`/support"`) { // SP-01
		t.Errorf("no link to the support:\n%s", front.Text)
	}
	page := g.Get(c, g.Config.Public.URL+"/support?check=7K3F-9QX2-M4TD&code=ABC-123")
	if hidden(t, page, "check") != "7K3F-9QX2-M4TD" {
		t.Error("the code of the check is not filled in")
	}
	var shot bytes.Buffer
	if err := png.Encode(&shot, image.NewGray(image.Rect(0, 0, 20, 20))); err != nil {
		t.Fatal(err)
	}
	f := filledSupport()
	f.fields["code"] = "ABC-123"
	f.files["Снимок.png"] = shot.Bytes()
	answer := sendSupport(t, g, c, page, f)
	if answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(answer.Location(), "/support/done?number=2") {
		t.Fatalf("%d %s\n%s", answer.StatusCode, answer.Location(), answer.Text)
	}
	all, files := tickets(t, g)
	if len(all) != 1 || len(files) != 1 {
		t.Fatalf("%d tickets, %d files", len(all), len(files))
	}
	ticket := all[0]
	if ticket.Email.Reveal() != "ivan@example.ru" || ticket.State != account.OpenTicket || ticket.Support != "ABC-123" || files[0].Type != "image/png" ||
		!strings.HasSuffix(answer.Location(), ticket.Number) {
		t.Errorf("%+v", ticket)
	}
	if done := g.Get(c, g.Config.Public.URL+answer.Location()); done.StatusCode != http.StatusOK || !strings.Contains(done.Text, ticket.Number) {
		t.Errorf("%d\n%s", done.StatusCode, done.Text)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	letter, err := g.Mail.Wait(ctx, "ivan@example.ru", func(l mailbox.Letter) bool { return strings.Contains(l.Subject, ticket.Number) })
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(letter.Text, "script") || strings.Contains(letter.Text, "Иванов") {
		t.Errorf("the letter says what a stranger wrote:\n%s", letter.Text)
	}
	waitUntil(t, func() bool {
		return strings.Contains(g.Get(g.Browser(), g.Admin()+"/metrics").Text, `propusk_letters_total{result="sent"} 1`)
	})
	if page = g.Get(c, g.Config.Public.URL+"/support"); strings.Contains(page.Text, "captcha-id") {
		t.Error("asked twice in a session")
	}
	if again := sendSupport(t, g, c, page, filledSupport()); again.StatusCode != http.StatusSeeOther {
		t.Errorf("%d\n%s", again.StatusCode, again.Text)
	}
	for _, secret := range []string{"Иванов", "ivan@example.ru", "(900)"} {
		if strings.Contains(g.Log.String(), secret) {
			t.Errorf("%s is in the log", secret)
		}
	}
}

// TestSupportRefuses: what is wrong is said at its field, what was written stays, and a key is
// kept nowhere.
func TestSupportRefuses(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithAccounts)
	key := "-----BEGIN PRIVATE KEY-----\nS3cretKeyMaterialOfIvan\n-----END PRIVATE KEY-----\n"
	for name, c := range map[string]struct {
		field  string
		change func(*supportForm)
	}{
		"no name": {"name", func(f *supportForm) { f.fields["name"] = "" }}, "no address": {"email", func(f *supportForm) { f.fields["email"] = "ivan" }},
		"a wrong ИНН": {"inn", func(f *supportForm) { f.fields["inn"] = "500100732258" }}, "a topic of his own": {"topic", func(f *supportForm) { f.fields["topic"] = "x" }},
		"nothing said": {"text", func(f *supportForm) { f.fields["text"] = "?" }}, "no telephone": {"phone", func(f *supportForm) { f.fields["phone"] = "call me" }},
		"no code of a check": {"check", func(f *supportForm) { f.fields["check"] = "<b>" }}, "no support code": {"code", func(f *supportForm) { f.fields["code"] = "a b" }},
		"a key":    {"files", func(f *supportForm) { f.files["ivan.pem"] = []byte(key) }},
		"a script": {"files", func(f *supportForm) { f.files["ivan.html"] = []byte("<script>") }},
	} {
		b := g.Browser()
		f := filledSupport()
		c.change(&f)
		answer := sendSupport(t, g, b, g.Get(b, g.Config.Public.URL+"/support"), f)
		if answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(answer.Text, `id="field-`+c.field+`-error"`) || !strings.Contains(answer.Text, `href="#field-`+c.field+`"`) {
			t.Errorf("%s: %d\n%s", name, answer.StatusCode, answer.Text)
		}
		if strings.Contains(answer.Text, "<script>alert") || !strings.Contains(answer.Text, "(900) 000-00-00") && c.field != "phone" {
			t.Errorf("%s: what was written is lost, or runs:\n%s", name, answer.Text)
		}
	}
	if all, _ := tickets(t, g); len(all) != 0 {
		t.Errorf("%d tickets", len(all))
	}
	if strings.Contains(g.Log.String(), "S3cret") {
		t.Error("the key is in the log")
	}
	wrong := g.Browser()
	page := g.Get(wrong, g.Config.Public.URL+"/support")
	page.Text = strings.ReplaceAll(page.Text, `name="captcha-id" value="`, `name="captcha-id" value="x`)
	if answer := sendSupport(t, g, wrong, page, filledSupport()); answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(answer.Text, `id="field-captcha-error"`) {
		t.Errorf("a captcha of his own: %d", answer.StatusCode)
	}
	if answer := g.Post(wrong, g.Config.Public.URL+"/support", "application/x-www-form-urlencoded", url.Values{"text": {"x"}}.Encode()); answer.StatusCode != http.StatusForbidden {
		t.Errorf("without a token: %d", answer.StatusCode)
	}
	if answer := g.Get(wrong, g.Config.Public.URL+"/support/done?number=Your+account+is+lost"); answer.StatusCode != http.StatusNotFound {
		t.Errorf("a number of his own: %d", answer.StatusCode)
	}
}

// TestSupportIsBounded: each request writes a letter, so a network has only so many.
func TestSupportIsBounded(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithAccounts)
	b := g.Browser()
	for i := range 6 {
		answer := sendSupport(t, g, b, g.Get(b, g.Config.Public.URL+"/support"), filledSupport())
		want := http.StatusSeeOther
		if i == 5 {
			want = http.StatusTooManyRequests
		}
		if answer.StatusCode != want {
			t.Fatalf("request %d: %d\n%s", i, answer.StatusCode, answer.Text)
		}
	}
}

// TestSupportKnowsWho: of who is signed in the account says who he is, whatever the form says,
// and the certificate that he signed in with goes along (SP-02, SP-03).
func TestSupportKnowsWho(t *testing.T) {
	w := newAccountWorld(t)
	c := w.GOSTBrowser("ip")
	w.enter(c, "/account")
	page := w.Get(c, w.Config.Public.URL+"/support?lang=en")
	ip := w.Country.Person("ip")
	for _, want := range []string{ip.Name, ip.INN, `value="` + w.acc.Email.Reveal() + `"`, "goes along by itself", "What happened"} {
		if !strings.Contains(page.Text, want) {
			t.Errorf("no %q:\n%s", want, page.Text)
		}
	}
	f := filledSupport()
	f.fields["name"], f.fields["inn"] = "Кто-то Другой", w.Country.Person("ip512").INN
	if answer := sendSupport(t, w.Gateway, c, page, f); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d\n%s", answer.StatusCode, answer.Text)
	}
	all, _ := tickets(t, w.Gateway)
	if len(all) != 1 {
		t.Fatalf("%d tickets", len(all))
	}
	got := all[0]
	if got.Account != w.acc.ID || got.Name.Reveal() != ip.Name || got.INN.Reveal() != ip.INN || !bytes.Equal(got.Certificate, ip.Certificate.Raw) || got.Language != "en" {
		t.Errorf("%+v", got)
	}
}

// TestSupportKeyInText: a key that somebody pastes into his words is neither stored nor shown,
// and he learns what to do about it.
func TestSupportKeyInText(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithAccounts, func(g *testgateway.Gateway) { g.Config.Support.URL = "" })
	c := g.Browser()
	f := filledSupport()
	f.fields["text"] = "Не могу войти, вот мой ключ:\r\n-----BEGIN PRIVATE KEY-----\r\nMEgCAQAwHwYIKoUDBwEBAQEwEwYHKoUDAgIkAAYIKoUDBwEBAgIEIgQg\r\n"
	answer := sendSupport(t, g, c, g.Get(c, g.Config.Public.URL+"/support"), f)
	if answer.StatusCode/100 != 4 || !strings.Contains(answer.Text, "В тексте был закрытый ключ") || strings.Contains(answer.Text, "MEgC") {
		t.Errorf("%d\n%s", answer.StatusCode, answer.Text)
	}
	if all, _ := tickets(t, g); len(all) != 0 || strings.Contains(g.Log.String(), "MEgC") {
		t.Error("the key was kept")
	}
}
