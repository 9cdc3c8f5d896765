//go:build unix

package browsertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"propusk/pki/person"
	"propusk/server/account"
	"propusk/server/captcha/captchatest"
	"propusk/server/mail/mailbox"
	"propusk/server/testgateway"
)

// secret is the password of the people of these tests.
const secret = "Зелёная-дверь-47"

// levels are what the services of the cabinet want.
const levels = `clients:
  cabinet: password
services:
  - {id: messages, client: cabinet, name: {ru: Переписка, en: Messages}, level: password}
  - {id: payments, client: cabinet, name: {ru: Платежи, en: Payments}, level: 2fa}
  - {id: declaration, client: cabinet, name: {ru: Декларации, en: Tax returns}, level: qes}
`

// withPeople is a change that keeps accounts, and services that want different levels.
func withPeople(g *testgateway.Gateway) {
	testgateway.WithAccounts(g)
	g.WriteFile("levels.yaml", levels)
	g.Config.Levels.Path = g.Path("levels.yaml")
}

// newPeople starts a world with accounts, in which some people have one with a password.
func newPeople(t *testing.T, known ...string) (*world, map[string]any) {
	t.Helper()
	w := newWorldOf(t, withPeople, nil)
	w.addToken(t, "ip")
	w.addToken(t, "ip512")
	w.addToken(t, "fl")
	accounts := w.gateway.Accounts()
	for _, id := range known {
		w.gateway.GivePassword(accounts, w.gateway.AddAccount(accounts, id), secret)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the gateway:\n%s", w.gateway.Log)
		}
	})
	in := w.input(nil, "ip", "ip512", "fl")
	in["helper"], in["secret"] = newHelper(t, w.gateway.Mail).URL, secret
	in["signin"], in["check"] = w.gateway.Config.SignIn.URL, w.gateway.Config.Check.URL
	in["address"] = testgateway.Address("")
	return w, in
}

// newHelper does for scripts what people do elsewhere: it reads letters, and thinks.
func newHelper(t *testing.T, mail *mailbox.Mailbox) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(mailbox.Path+".json", mail.Handler())
	mux.HandleFunc("/answer", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, captchatest.Answer(r.URL.Query().Get("question")))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// TestPeople goes every way of somebody who has an account, in both languages: sign-in with
// a password, second factors, steps up, account pages, letters and sign-out.
func TestPeople(t *testing.T) {
	t.Parallel()
	_, in := newPeople(t, "ip", "ip512")
	Run(t, "people", in)
}

// TestLevels goes from service to service of the cabinet, each of which wants more, and comes
// back to the one that was chosen; and signs out on either side.
func TestLevels(t *testing.T) {
	t.Parallel()
	_, in := newPeople(t, "ip")
	Run(t, "levels", in)
}

// hostile is the name of somebody whom no page may run.
const hostile = `"><script>document.title="pwned"</script><img src=x onerror=alert(1)>`

// TestSupport asks the support, in both languages, and tries to send it a private key; and looks
// with a browser at the pages of somebody whose name is a script.
func TestSupport(t *testing.T) {
	t.Parallel()
	w, in := newPeople(t, "ip")
	accounts := w.gateway.Accounts()
	w.gateway.GivePassword(accounts, w.gateway.AddAccount(accounts, "ip512", func(a *account.Account) {
		a.Identity.Name = person.NewName(hostile)
		for i := range a.Taxpayers {
			a.Taxpayers[i].Name = person.NewName(hostile)
		}
	}), secret)
	key, err := os.ReadFile(w.gateway.Path("tls/ecdsa.key"))
	if err != nil {
		t.Fatal(err)
	}
	in["key"], in["certificate"], in["hostile"] = string(key), w.gateway.Country.Person("ip").Certificate.Raw, hostile
	Run(t, "support", in)
}

// TestNewcomer registers somebody whom the gateway has never seen, with a key that really
// signs the agreement.
func TestNewcomer(t *testing.T) {
	t.Parallel()
	_, in := newPeople(t)
	Run(t, "newcomer", in)
}
