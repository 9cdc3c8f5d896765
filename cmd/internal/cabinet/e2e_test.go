package cabinet_test

import (
	"context"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"propusk/cmd/internal/cabinet"
	"propusk/server/config"
	"propusk/server/testgateway"
)

// start runs a gateway and a cabinet that relies on it, and returns the address
// of the cabinet.
func start(t *testing.T) (*testgateway.Gateway, string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + l.Addr().String()
	g := testgateway.Start(t, func(g *testgateway.Gateway) {
		g.Config.OIDC.Clients = append(g.Config.OIDC.Clients, config.Client{
			ID: "cabinet", Name: "Кабинет", URL: address + "/",
			RedirectURIs: []string{address + "/callback"}, PostLogoutRedirectURIs: []string{address + "/"},
		})
	})
	roots := x509.NewCertPool()
	ca, err := os.ReadFile(g.Path("tls/ca.pem"))
	if err != nil || !roots.AppendCertsFromPEM(ca) {
		t.Fatalf("the CA: %v", err)
	}
	c, err := cabinet.New(cabinet.Options{URL: address, Issuer: g.Config.Public.URL, ClientID: "cabinet", RootCAs: roots})
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
	return g, address
}

// TestMainJob is what all of this is for: a person comes to the cabinet with a
// browser that is not ours (curl with gost-engine), shows a certificate at the
// sign-in host, and is greeted by name, with ИНН and ОГРНИП.
func TestMainJob(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	g, address := start(t)
	for _, suite := range []string{"KUZNYECHIK", "MAGMA"} {
		for _, id := range []string{"ip", "ip512"} {
			t.Run(suite+" "+id, func(t *testing.T) {
				p := g.Country.Person(id)
				jar := filepath.Join(t.TempDir(), "cookies")
				out := peer.Curl(g, suite, id, "--location", "--max-redirs", "10", "--cookie", jar, "--cookie-jar", jar, address+"/login")
				for _, want := range []string{"Здравствуйте, " + p.Name + "!", p.INN, p.OGRNIP, "urn:propusk:acr:qes"} {
					if !strings.Contains(out, want) {
						t.Fatalf("the cabinet does not say %q:\n%s", want, out)
					}
				}
				out = peer.Curl(g, suite, id, "--location", "--cookie", jar, "--cookie-jar", jar, "--data", "", address+"/logout")
				if strings.Contains(out, p.Name) || !strings.Contains(out, "Войти с ключом электронной подписи") {
					t.Errorf("after logout the cabinet says:\n%s", out)
				}
			})
		}
	}
	for _, p := range g.Country.People() {
		for _, secret := range []string{p.INN, p.OGRNIP, p.SNILS, p.Name} {
			if secret != "" && strings.Contains(g.Log.String(), secret) {
				t.Errorf("the log knows %s", p.ID)
			}
		}
	}
}

// TestMainJobBySClient: the same with openssl s_client at the sign-in host, and a
// browser without GOST everywhere else.
func TestMainJobBySClient(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	g, address := start(t)
	for _, suite := range []string{"KUZNYECHIK", "MAGMA"} {
		t.Run(suite, func(t *testing.T) {
			browser := g.Browser()
			signIn := g.Get(browser, g.Get(browser, address+"/login").Location()).Location()
			path, ok := strings.CutPrefix(signIn, g.Config.SignIn.URL)
			if !ok {
				t.Fatalf("the way to the sign-in host leads to %q", signIn)
			}
			head, _ := peer.SClient(g, suite, "ip", path)
			_, rest, _ := strings.Cut(head, "\r\nLocation: ")
			back, _, _ := strings.Cut(rest, "\r\n")
			if !strings.HasPrefix(back, g.Config.Public.URL+"/signin/return?") {
				t.Fatalf("the sign-in host answers:\n%s", head)
			}
			a := g.Get(browser, back)
			for hops := 0; a.Location() != "" && hops < 5; hops++ {
				next := a.Location()
				if strings.HasPrefix(next, "/") {
					next = address + next
				}
				a = g.Get(browser, next)
			}
			if p := g.Country.Person("ip"); !strings.Contains(a.Text, "Здравствуйте, "+p.Name+"!") || !strings.Contains(a.Text, p.OGRNIP) {
				t.Errorf("the cabinet says:\n%s", a.Text)
			}
		})
	}
}

// TestBadCertificateReachesNoCabinet: with a bad certificate the way ends at the
// sign-in host.
func TestBadCertificateReachesNoCabinet(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	g, address := start(t)
	for _, p := range g.Country.People() {
		if p.Expect == "" {
			continue
		}
		jar := filepath.Join(t.TempDir(), "cookies")
		out := peer.Curl(g, "KUZNYECHIK", p.ID, "--location", "--cookie", jar, "--cookie-jar", jar, "--write-out", "\n%{url_effective}", address+"/login")
		if strings.Contains(out, "Здравствуйте") || !strings.Contains(out, `data-code="`+string(p.Expect)+`"`) ||
			!strings.Contains(out, "\n"+g.Config.SignIn.URL+"/signin?request=") {
			t.Errorf("%s:\n%s", p.ID, out)
		}
	}
}
