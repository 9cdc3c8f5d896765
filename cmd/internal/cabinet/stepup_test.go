package cabinet_test

import (
	"context"
	"crypto/x509"
	"html"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"propusk/cmd/internal/cabinet"
	"propusk/server/account"
	"propusk/server/config"
	"propusk/server/level"
	"propusk/server/login"
	"propusk/server/mail/mailbox"
	"propusk/server/store"
	"propusk/server/testgateway"
	"propusk/server/visit"
)

// services are what the cabinet of these tests offers, as the gateway reads it.
const services = `
clients: {cabinet: password}
services:
  - {id: messages, client: cabinet, name: {ru: Переписка, en: Messages}, level: password}
  - {id: payments, client: cabinet, name: {ru: Платежи, en: Payments}, level: 2fa}
  - {id: declaration, client: cabinet, name: {ru: Подача деклараций, en: Filing tax returns}, level: qes}
  - {id: eaeu, client: cabinet, name: {ru: Документы ЕАЭС, en: EAEU documents}, level: qes, physical: true}
`

const secret = "Зелёный чайник 7"

// world is a gateway with accounts, a cabinet with services, and one person with a browser.
type world struct {
	*testgateway.Gateway
	t       *testing.T
	cabinet string
	db      store.Store
	b       *http.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, cabinet: "http://" + l.Addr().String()}
	w.Gateway = testgateway.Start(t, testgateway.WithAccounts, func(g *testgateway.Gateway) {
		g.WriteFile("levels.yaml", services)
		g.Config.Levels.Path = g.Path("levels.yaml")
		g.Config.SignIn.Notice = g.Path("notice.yaml")
		g.Config.OIDC.Clients = append(g.Config.OIDC.Clients, config.Client{
			ID: "cabinet", Name: "Кабинет", URL: w.cabinet + "/", BackChannelLogoutURI: w.cabinet + "/backchannel-logout",
			RedirectURIs: []string{w.cabinet + "/callback"}, PostLogoutRedirectURIs: []string{w.cabinet + "/"},
		})
	})
	policy, err := level.Load(w.Path("levels.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	ca, err := os.ReadFile(w.Path("tls/ca.pem"))
	if err != nil || !roots.AppendCertsFromPEM(ca) {
		t.Fatalf("the CA: %v", err)
	}
	c, err := cabinet.New(cabinet.Options{
		URL: w.cabinet, Issuer: w.Config.Public.URL, ClientID: "cabinet", RootCAs: roots, Services: policy.Services("cabinet"),
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- c.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	w.db, w.b = w.Accounts(), w.Browser()
	return w
}

// person gives somebody of the country an account with a password.
func (w *world) person(id string) account.Account {
	w.t.Helper()
	a := w.AddAccount(w.db, id)
	w.GivePassword(w.db, a, secret)
	return a
}

// follow goes where an answer leads, by redirects and by pages that lead on, until a page is
// there that does neither.
func (w *world) follow(a testgateway.Answer) testgateway.Answer {
	w.t.Helper()
	for range 12 {
		next := a.Location()
		if next == "" && strings.Contains(a.Text, `http-equiv="refresh"`) {
			next = html.UnescapeString(onward.FindStringSubmatch(a.Text)[1])
		}
		if next == "" {
			return a
		}
		if u, err := url.Parse(next); err == nil && u.Host == "" {
			next = a.Request.URL.Scheme + "://" + a.Request.URL.Host + next
		}
		a = w.Get(w.b, next)
	}
	w.t.Fatalf("the way has no end: %s", a.Request.URL)
	return a
}

var (
	onward  = regexp.MustCompile(`<a class="button" href="([^"]+)"`)
	byTLS   = regexp.MustCompile(`href="(https://[^"]+/signin\?request=[^"]+)"`)
	request = regexp.MustCompile(`name="request" value="([^"]+)"`)
)

// byPassword fills in the page where people sign in.
func (w *world) byPassword(page testgateway.Answer, id string) testgateway.Answer {
	w.t.Helper()
	sealed := request.FindStringSubmatch(page.Text)
	if sealed == nil || !strings.Contains(page.Text, `action="/signin/password"`) {
		w.t.Fatalf("the page takes no password:\n%s", page.Text)
	}
	return w.follow(w.PostForm(w.b, page, login.PathPassword, url.Values{
		login.FieldRequest: {sealed[1]}, login.FieldLogin: {w.Country.Person(id).INN}, login.FieldPassword: {secret},
	}))
}

// byKey goes on from that page by GOST TLS, with the key of a person.
func (w *world) byKey(page testgateway.Answer, id string) testgateway.Answer {
	w.t.Helper()
	link := byTLS.FindStringSubmatch(page.Text)
	if link == nil {
		w.t.Fatalf("the page takes no key:\n%s", page.Text)
	}
	back := w.Get(w.GOSTBrowser(id), html.UnescapeString(link[1])).Location()
	if !strings.HasPrefix(back, w.Config.Public.URL+"/signin/return?") {
		w.t.Fatalf("the sign-in host leads to %q", back)
	}
	return w.follow(w.Get(w.b, back))
}

func (w *world) to(path string) testgateway.Answer {
	w.t.Helper()
	return w.follow(w.Get(w.b, w.cabinet+path))
}

// at checks that a page is at an address and says something.
func (w *world) at(a testgateway.Answer, address string, texts ...string) {
	w.t.Helper()
	if got := a.Request.URL.String(); !strings.HasPrefix(got, address) {
		w.t.Fatalf("at %s, want %s\n%s", got, address, a.Text)
	}
	for _, text := range texts {
		if !strings.Contains(a.Text, text) {
			w.t.Errorf("%s does not say %q:\n%s", address, text, a.Text)
		}
	}
}

// TestStepUp is BY-08: signed in by password, a person chooses a service that wants a key,
// proves the key, and is at that service.
func TestStepUp(t *testing.T) {
	w := newWorld(t)
	w.person("ip")
	w.person("ip512")
	name := w.Country.Person("ip").Name
	signIn := w.Config.Public.URL + "/signin?request="

	page := w.to("/login?by=password")
	w.at(page, signIn, "Ограниченный доступ", "Полный доступ", "Забыли пароль?")
	home := w.byPassword(page, "ip")
	w.at(home, w.cabinet+"/", "Здравствуйте, "+name+"!", "urn:propusk:acr:password", `id="payer"`)
	w.at(w.to("/services/messages"), w.cabinet+"/services/messages", "<h1>Переписка</h1>")

	asked := w.to("/services/declaration")
	w.at(asked, signIn, "Нужно подтвердить вход", "«Подача деклараций» принимает только вход с ключом", "Вы вошли по паролю", name)
	if strings.Contains(asked.Text, `name="password"`) {
		t.Error("a password is asked for where it is not enough")
	}
	w.at(w.Get(w.b, asked.Request.URL.String()+"&lang=en"), signIn, "A stronger sign-in is needed", "“Filing tax returns” takes only the key")
	w.Get(w.b, w.Config.Public.URL+"/?lang=ru")

	// The key of somebody else makes nobody somebody else.
	other := w.byKey(asked, "ip512")
	w.at(other, w.Config.Public.URL+"/signin/return", `data-code="visit-other-account"`, w.Config.Public.URL+"/logout")
	if strings.Contains(w.to("/services/declaration").Text, "<h1>Подача деклараций</h1>") {
		t.Fatal("the service is open")
	}

	w.at(w.byKey(w.to("/services/declaration"), "ip"), w.cabinet+"/services/declaration", "<h1>Подача деклараций</h1>", "urn:propusk:acr:qes", name)
	// The gateway knows now; another service of the level asks nothing.
	w.at(w.to("/login"), w.cabinet+"/", "Здравствуйте", "urn:propusk:acr:qes")
	w.at(w.byKey(w.to("/services/eaeu"), "ip"), w.Config.Public.URL+"/signin/return", `data-code="level-physical-key"`)
}

// TestSecondFactor: a code by letter is enough for a service that wants two factors, and leads
// to it; the password is not asked for again.
func TestSecondFactor(t *testing.T) {
	w := newWorld(t)
	w.person("ip")
	w.byPassword(w.to("/login?by=password"), "ip")
	asked := w.to("/services/payments")
	w.at(asked, w.Config.Public.URL+"/signin?request=", "«Платежи» принимает вход с ключом или по паролю и коду")
	link := regexp.MustCompile(`id="choose-second" href="([^"]+)"`).FindStringSubmatch(asked.Text)
	if link == nil || strings.Contains(asked.Text, `name="password"`) {
		t.Fatalf("no way to the second factor, or the password again:\n%s", asked.Text)
	}
	page := w.follow(w.Get(w.b, w.Config.Public.URL+html.UnescapeString(link[1])))
	w.at(page, w.Config.Public.URL+login.PathSecond)
	sent := w.follow(w.PostForm(w.b, page, login.PathSecond, url.Values{"action": {"send"}}))
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	digits := regexp.MustCompile(`\b\d{6,8}\b`)
	letter, err := w.Mail.Wait(ctx, testgateway.Address("ip"), func(l mailbox.Letter) bool { return digits.MatchString(l.Text) })
	if err != nil {
		t.Fatal(err)
	}
	done := w.follow(w.PostForm(w.b, sent, login.PathSecond, url.Values{"method": {account.EmailCode}, "code": {digits.FindString(letter.Text)}}))
	w.at(done, w.cabinet+"/services/payments", "<h1>Платежи</h1>", "urn:propusk:acr:2fa")
	w.at(w.to("/services/declaration"), w.Config.Public.URL+"/signin?request=", "Вы вошли по паролю и коду")
}

// TestLogoutReachesTheCabinet: whoever ends a visit, and in whatever process, ends the session
// at the cabinet.
func TestLogoutReachesTheCabinet(t *testing.T) {
	w := newWorld(t)
	a := w.person("ip")
	signedIn := func() bool { return strings.Contains(w.Get(w.b, w.cabinet+"/").Text, "Здравствуйте") }
	enter := func() {
		t.Helper()
		w.at(w.byPassword(w.to("/login?by=password"), "ip"), w.cabinet+"/", "Здравствуйте")
	}

	enter()
	if err := w.db.Update(t.Context(), func(tx store.Tx) error { // as `propusk account block` does, beside the gateway
		_, err := visit.EndAllIn(tx, a.ID, "", time.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for range 600 {
		if !signedIn() {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if signedIn() {
		t.Fatal("the cabinet has not been told")
	}

	enter()
	asked := w.follow(w.Post(w.b, w.cabinet+"/logout", "application/x-www-form-urlencoded", ""))
	w.at(asked, w.Config.Public.URL+"/logout?end=", "Выйти?", w.Country.Person("ip").Name)
	end := regexp.MustCompile(`name="end" value="([^"]+)"`).FindStringSubmatch(asked.Text)
	w.at(w.follow(w.PostForm(w.b, asked, "/logout", url.Values{"end": {end[1]}})), w.cabinet+"/", "Вход в личный кабинет")
	w.at(w.to("/login?by=password"), w.Config.Public.URL+"/signin?request=", `name="password"`) // nobody is signed in
	w.at(w.Get(w.b, w.Config.Public.URL+"/logout"), w.Config.Public.URL+"/logout", "Вы вышли")
}

// TestNotice: what the operator wants people to know is there as soon as the file is, and
// nothing that is no notice keeps anybody out.
func TestNotice(t *testing.T) {
	w := newWorld(t)
	page := func() string { t.Helper(); return w.to("/login?by=password").Text }
	if strings.Contains(page(), `class="notice`) {
		t.Error("a notice of nothing")
	}
	w.WriteFile("notice.yaml", "ru: \"Сервис «Платежи» не работает до 12:00 <script>\"\nen: Payments are out of service\n")
	if text := page(); !strings.Contains(text, "не работает до 12:00 &lt;script&gt;") {
		t.Errorf("no notice:\n%s", text)
	}
	w.WriteFile("notice.yaml", "ru: [")
	if text := page(); strings.Contains(text, `class="notice`) || !strings.Contains(text, `name="password"`) {
		t.Errorf("a broken notice:\n%s", text)
	}
}
