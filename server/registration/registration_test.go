package registration

import (
	"bytes"
	"context"
	"errors"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/certs/testpki"
	"propusk/pki/cms"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/server/account"
	"propusk/server/captcha"
	"propusk/server/captcha/captchatest"
	"propusk/server/challenge"
	"propusk/server/level"
	"propusk/server/mail"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/password"
	"propusk/server/register"
	"propusk/server/request"
	"propusk/server/store"
)

var country = sync.OnceValues(func() (*testpki.Country, error) {
	return testpki.New(testpki.Options{Now: time.Now()})
})

func theCountry(t testing.TB) *testpki.Country {
	t.Helper()
	c, err := country()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// desk stands for package challenge: it keeps what is to be signed until a person signs it.
type desk struct{ asked []challenge.Local }

func (*desk) Methods() []page.Method { return []page.Method{page.MethodAgent, page.MethodPlugin} }

func (d *desk) Ask(x *gin.Context, _ page.Method, l challenge.Local) {
	d.asked = append(d.asked, l)
	x.Redirect(http.StatusSeeOther, "/signin/wait")
}

// passwords stands for package login.
type passwords struct{}

func (passwords) Weaknesses(fresh string, _ account.Account) []password.Weakness {
	if len(fresh) < 8 {
		return []password.Weakness{{Name: "short", RU: "Пароль короче 8 знаков.", EN: "The password is too short."}}
	}
	return nil
}

func (passwords) Hash(_ context.Context, fresh string) (string, error) {
	return "hash of " + fresh, nil
}

// books is a register that tests change.
type books struct {
	entry register.Entry
	err   error
	asked int
	// during is what happens while the register looks.
	during func()
}

func (b *books) Find(_ context.Context, q register.Query) (register.Entry, error) {
	b.asked++
	if f := b.during; f != nil {
		b.during = nil
		f()
	}
	if b.err != nil || b.entry.INN != q.INN || !q.OGRNIP.IsZero() && q.OGRNIP != b.entry.OGRNIP {
		return register.Entry{}, errors.Join(b.err, missing(b.err))
	}
	return b.entry, nil
}

func missing(err error) error {
	if err == nil {
		return register.ErrNotFound
	}
	return nil
}

// gateway is a public host with nothing but registration.
type gateway struct {
	t        *testing.T
	engine   *gin.Engine
	store    store.Store
	desk     *desk
	register *books
	now      time.Time
	admitted []oidc.Login
	judged   error
	log      bytes.Buffer
	options  Options
}

func newGateway(t *testing.T, change ...func(*Options)) *gateway {
	t.Helper()
	g := &gateway{t: t, store: store.NewMemory(), desk: new(desk), register: new(books), now: time.Now().UTC().Truncate(time.Second)}
	t.Cleanup(func() {
		if err := g.store.Close(); err != nil {
			t.Error(err)
		}
	})
	g.start(change...)
	return g
}

// start makes the host anew, as after the end of the program: only the store stays.
func (g *gateway) start(change ...func(*Options)) {
	t := g.t
	pages, err := page.New(page.Site{PublicURL: "https://gateway.example", SupportURL: "https://support.example/"}, Templates())
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := account.NewSealer(bytes.Repeat([]byte{7}, account.MinSecret))
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return g.now }
	o := Options{
		Issuer: "https://gateway.example", Gateway: "Пропуск", Store: g.store, Sealer: sealer,
		Admit: func(w http.ResponseWriter, _ *http.Request, _ oidc.Request, who oidc.Login) {
			g.admitted = append(g.admitted, who)
			w.WriteHeader(http.StatusNoContent)
		},
		Judge: func([][]byte) error { return g.judged }, Signer: g.desk, Passwords: passwords{}, Captcha: captcha.New(now), Register: g.register,
		Kinds: []person.Kind{person.Entrepreneur, person.LegalEntity, person.Person},
		Life:  time.Hour, LinkLife: 72 * time.Hour, ActivateWithin: 30 * 24 * time.Hour, CheckDays: 15, WorkingDays: true, Letters: 5,
		Mail:    mail.Composer{Gateway: "Пропуск", URL: "https://gateway.example"},
		Address: func(string) person.Private { return person.NewPrivate("192.0.2.0/24") }, Pages: pages, Now: now,
	}
	for _, f := range change {
		f(&o)
	}
	g.options = o
	r := New(o)
	g.engine = request.NewEngine(request.Options{
		Host: "public", Log: slog.New(slog.NewJSONHandler(&g.log, nil)), Now: now, Observe: func(request.Outcome) {},
		Refuse: func(w http.ResponseWriter, r *http.Request, code reason.Code) {
			page.Written(w, r, pages.Failure(w, r, page.Failure{Code: code}))
		},
	})
	g.engine.Use(func(x *gin.Context) { page.KeepLanguage(x.Writer, x.Request) })
	o.Captcha.Routes(g.engine)
	r.Routes(g.engine)
	// What admission does with who comes by a key.
	for path, f := range map[string]func(http.ResponseWriter, *http.Request, oidc.Request, oidc.Login){"/begin": r.Begin, "/await": r.Await} {
		g.engine.GET(path, func(x *gin.Context) {
			p := theCountry(t).Person(x.Query("person"))
			f(x.Writer, x.Request, oidc.Request{ClientID: "cabinet", RedirectURI: "https://cabinet.example/", Level: level.QES}, oidc.Login{
				CertSHA256: p.Certificate.SHA256(), At: g.now, Certificate: p.Certificate.Raw, Method: "agent", Level: level.QES, AMR: []string{"swk"},
			})
		})
	}
}

// knows puts a person into the register.
func (g *gateway) knows(id string) register.Entry {
	g.t.Helper()
	who, err := theCountry(g.t).Person(id).Certificate.Identity()
	if err != nil {
		g.t.Fatal(err)
	}
	g.register.entry = register.Entry{
		INN: who.INN, OGRNIP: who.OGRNIP, Name: who.Name, Born: person.NewPrivate("1980-02-28"), Document: person.NewPrivate("4501 123456"),
	}
	return g.register.entry
}

// browser is a browser of a person, or of somebody else.
type browser struct {
	g       *gateway
	cookies map[string]*http.Cookie
	page    string // the last one
	status  int
}

func (g *gateway) browser() *browser { return &browser{g: g, cookies: make(map[string]*http.Cookie)} }

// send sends a request and follows redirects; it returns the path where it ends.
func (b *browser) send(method, path string, form url.Values) string {
	b.g.t.Helper()
	for range 5 {
		var body io.Reader
		if method == http.MethodPost {
			body = strings.NewReader(form.Encode())
		}
		r := httptest.NewRequest(method, "https://gateway.example"+path, body)
		if method == http.MethodPost {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Sec-Fetch-Site", "same-origin")
		}
		for _, c := range b.cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		b.g.engine.ServeHTTP(w, r)
		for _, c := range w.Result().Cookies() {
			if c.MaxAge < 0 {
				delete(b.cookies, c.Name)
			} else {
				b.cookies[c.Name] = c
			}
		}
		b.page, b.status = w.Body.String(), w.Code
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") == "/signin/wait" {
			return path
		}
		method, path = http.MethodGet, w.Header().Get("Location")
	}
	b.g.t.Fatal("redirects without end")
	return ""
}

func (b *browser) get(path string) string { b.g.t.Helper(); return b.send(http.MethodGet, path, nil) }

var tokenField = regexp.MustCompile(`name="form-token" value="([^"]+)"`)

// post sends a form of the last page: pairs of names and values.
func (b *browser) post(path string, pairs ...string) string {
	b.g.t.Helper()
	fields := url.Values{}
	if m := tokenField.FindStringSubmatch(b.page); m != nil {
		fields.Set("form-token", m[1])
	}
	for i := 0; i < len(pairs); i += 2 {
		fields.Set(pairs[i], pairs[i+1])
	}
	if fields.Get("captcha") == "" {
		captchatest.Solve(b.page, fields)
	}
	return b.send(http.MethodPost, path, fields)
}

// is checks where a browser has ended, and what is on the page.
func (b *browser) is(got, want string, status int, texts ...string) {
	b.g.t.Helper()
	if got != want || b.status != status {
		b.g.t.Fatalf("at %s with %d, want %s with %d\n%s", got, b.status, want, status, b.page)
	}
	for _, text := range texts {
		if !strings.Contains(html.UnescapeString(b.page), text) {
			b.g.t.Fatalf("the page of %s has no %q\n%s", got, text, b.page)
		}
	}
}

// refused checks that the last page is about a reason.
func (b *browser) refused(status int, code reason.Code) {
	b.g.t.Helper()
	if b.status != status || !strings.Contains(b.page, `data-code="`+string(code)+`"`) {
		b.g.t.Fatalf("%d, want %d and %s\n%s", b.status, status, code, b.page)
	}
}

// toAgreement registers up to the agreement.
func (b *browser) toAgreement(person string) {
	b.g.t.Helper()
	b.is(b.get("/begin?person="+person), PathBegin, http.StatusOK)
	b.is(b.post(PathBegin, "email", "name@example.ru"), pathAgreement, http.StatusOK)
}

var numberField = regexp.MustCompile(`name="number" value="([^"]+)"`)

// asks presses «Подписать» and returns what is to be signed.
func (b *browser) asks() challenge.Local {
	b.g.t.Helper()
	number := numberField.FindStringSubmatch(b.page)
	if number == nil {
		b.g.t.Fatalf("no agreement on the page\n%s", b.page)
	}
	before := len(b.g.desk.asked)
	b.post(pathAgreement, "method", "agent", "number", number[1])
	if len(b.g.desk.asked) != before+1 {
		b.g.t.Fatalf("%d: nothing is to be signed\n%s", b.status, b.page)
	}
	return b.g.desk.asked[before]
}

// signs is what package challenge does with a good signature of a person.
func (b *browser) signs(l challenge.Local, id string) error {
	b.g.t.Helper()
	p := theCountry(b.g.t).Person(id)
	signature, err := cms.CreateDetached(nil, strings.NewReader(l.Text), cms.Signatory{Key: p.Key, Certificate: p.Certificate, Time: b.g.now})
	if err != nil {
		b.g.t.Fatal(err)
	}
	who, err := p.Certificate.Identity()
	if err != nil {
		b.g.t.Fatal(err)
	}
	if err := l.Person(who); err != nil {
		return err
	}
	r := httptest.NewRequest(http.MethodGet, "https://gateway.example/signed", nil)
	next, err := l.Signed(r, challenge.Signed{
		Who: who, Certificate: p.Certificate.Raw, Signature: signature, Verdict: &report.Document{}, At: b.g.now,
	})
	if err == nil && next != pathPassword {
		b.g.t.Fatalf("on to %q", next)
	}
	return err
}

// toDone registers up to the letter.
func (b *browser) toDone(person string) {
	b.g.t.Helper()
	b.toAgreement(person)
	if err := b.signs(b.asks(), person); err != nil {
		b.g.t.Fatal(err)
	}
	b.is(b.get(PathBegin), pathPassword, http.StatusOK)
	b.is(b.post(pathPassword, "email", "name@example.ru", "password", "correct horse", "again", "correct horse"), pathDone, http.StatusOK)
}

// account returns the account of a person.
func (g *gateway) account(id string) (a account.Account) {
	g.t.Helper()
	who, err := theCountry(g.t).Person(id).Certificate.Identity()
	if err != nil {
		g.t.Fatal(err)
	}
	g.view(func(tx store.Tx) error {
		a, err = tx.AccountByINN(who.INN)
		return err
	})
	return a
}

func (g *gateway) view(f func(tx store.Tx) error) {
	g.t.Helper()
	if err := g.store.View(g.t.Context(), f); err != nil {
		g.t.Fatal(err)
	}
}

// letters are those of a kind, the newest first.
func (g *gateway) letters(kind string) (found []account.Letter) {
	g.t.Helper()
	g.view(func(tx store.Tx) error {
		all, err := tx.Letters("", 100)
		for _, l := range all {
			if l.Kind == kind {
				found = append(found, l)
			}
		}
		return err
	})
	return found
}

var link = regexp.MustCompile(`https://gateway\.example(/activate\?code=[\w-]+)`)

// linkOf is the path of the link in a letter.
func (g *gateway) linkOf(l account.Letter) string {
	g.t.Helper()
	m := link.FindStringSubmatch(l.Text.Reveal())
	if m == nil {
		g.t.Fatal("there is no link in the letter")
	}
	return m[1]
}

// activate opens a link and presses the button; it returns where that leads.
func (b *browser) activate(path string) string {
	b.g.t.Helper()
	b.is(b.get(path), path, http.StatusOK)
	return b.post(PathActivate, "code", strings.TrimPrefix(path, PathActivate+"?code="))
}

// TestWholeWay: from the key to the service, and what is kept on the way.
func TestWholeWay(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	p := theCountry(t).Person("ip")
	b := g.browser()
	b.is(b.get("/begin?person=ip"), PathBegin, http.StatusOK, p.Name, p.INN, p.OGRNIP, "Регистрация", "/captcha/")
	for _, name := range []string{`name="inn"`, `name="ogrnip"`} {
		if strings.Contains(b.page, name) {
			t.Errorf("what the certificate has is asked for: %s", name)
		}
	}
	b.is(b.post(PathBegin, "email", "name@example.ru"), pathAgreement, http.StatusOK, "СОГЛАШЕНИЕ", p.Name, p.INN, p.OGRNIP, "name@example.ru")
	l := b.asks()
	if !strings.Contains(html.UnescapeString(b.g.textShown(b)), l.Text) {
		t.Error("what is signed is not what was shown")
	}
	if err := b.signs(l, "ip"); err != nil {
		t.Fatal(err)
	}
	b.is(b.get(PathBegin), pathPassword, http.StatusOK, "name@example.ru", p.INN)
	if len(g.letters(mail.KindActivation)) != 0 {
		t.Error("a letter before the address was looked at again")
	}
	b.is(b.post(pathPassword, "email", "other@example.ru", "password", "correct horse", "again", "correct horse"), pathDone, http.StatusOK,
		p.Name, p.INN, p.OGRNIP, "other@example.ru", "двух часов", "https://support.example/")
	a := g.account("ip")
	if a.State != account.Awaiting || a.Origin != account.ByCertificate || !a.ActivateBy.Equal(g.now.Add(30*24*time.Hour)) ||
		!a.EmailConfirmed.IsZero() || a.Language != "ru" || len(a.Taxpayers) != 1 || a.Taxpayers[0].Kind != person.Entrepreneur {
		t.Errorf("the account is %+v", a)
	}
	g.evidence(a, l.Text, p)

	// Not before the link.
	b.is(b.post(pathContinue), pathDone+"?early=1", http.StatusOK, "ещё не активна")
	letters := g.letters(mail.KindActivation)
	if len(letters) != 1 || letters[0].To.Reveal() != "other@example.ru" {
		t.Fatalf("letters: %v", letters)
	}
	other := g.browser() // another one: IP-21
	other.is(other.activate(g.linkOf(letters[0])), PathActivate, http.StatusOK, "Учётная запись активирована", "до трёх рабочих дней")
	a = g.account("ip")
	if a.State != account.Active || !a.EmailConfirmed.Equal(g.now) || !a.ActivateBy.IsZero() {
		t.Errorf("the account is %+v", a)
	}
	if registered := g.letters(mail.KindRegistered); len(registered) != 1 {
		t.Errorf("%d letters that the agreement is in force", len(registered))
	}
	b.is(b.get(pathDone), pathDone, http.StatusOK, "Регистрация завершена")
	b.post(pathContinue)
	if b.status != http.StatusNoContent || len(g.admitted) != 1 {
		t.Fatalf("%d\n%s", b.status, b.page)
	}
	if who := g.admitted[0]; who.CertSHA256 != p.Certificate.SHA256() || who.Identity.INN.Reveal() != p.INN || !who.At.Equal(g.now) || who.Level != level.QES {
		t.Errorf("admitted %+v", who)
	}
	if b.cookies[cookieName] != nil {
		t.Error("the cookie outlives the registration")
	}
	b.get(PathBegin)
	b.refused(http.StatusForbidden, reason.RegistrationExpired)
	g.noPeopleInLog(p.INN, p.OGRNIP, "example.ru", strings.Fields(p.Name)[0])
}

// textShown is the text on the last page of the agreement.
func (g *gateway) textShown(b *browser) string {
	g.t.Helper()
	b.get(pathAgreement)
	return b.page
}

// evidence checks what proves the agreement: kept whole, and such that anybody can verify it.
func (g *gateway) evidence(a account.Account, text string, p *testpki.Person) {
	g.t.Helper()
	g.view(func(tx store.Tx) error {
		all, err := tx.EvidenceOf(a.ID)
		if err != nil || len(all) != 1 {
			g.t.Fatalf("%d pieces of evidence: %v", len(all), err)
		}
		e := all[0]
		if e.Kind != "agreement" || string(e.Text) != text || !bytes.Equal(e.Certificate, p.Certificate.Raw) || len(e.Verdict) == 0 || !strings.Contains(text, e.ID) {
			g.t.Errorf("the evidence is %+v", e)
		}
		if _, err := cms.Parse(e.Signature); err != nil {
			g.t.Error(err)
		}
		k, err := tx.Key(p.Certificate.SHA256())
		if err != nil || k.Account != a.ID || k.State != account.GoodKey {
			g.t.Errorf("the key is %+v: %v", k, err)
		}
		notes, err := tx.Notes(10)
		if err != nil || len(notes) != 1 || notes[0].Event.Action != "registered" || notes[0].Event.Certificate != p.Certificate.SHA256() || notes[0].Who.INN != a.Identity.INN {
			g.t.Errorf("the events are %+v: %v", notes, err)
		}
		return err
	})
}

// noPeopleInLog checks that the log tells about no person.
func (g *gateway) noPeopleInLog(canaries ...string) {
	g.t.Helper()
	for _, c := range canaries {
		if strings.Contains(g.log.String(), c) {
			g.t.Errorf("the log has %q", c)
		}
	}
}
