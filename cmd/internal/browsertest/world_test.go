//go:build unix

package browsertest

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"testing"

	"propusk/certs/testpki"
	"propusk/cmd/internal/agent"
	"propusk/cmd/internal/cabinet"
	"propusk/cmd/internal/keyring"
	"propusk/server/config"
	"propusk/server/level"
	"propusk/server/testgateway"
	"propusk/tokens"
)

// TestMain is the process of a token library when package tokens starts this binary
// again.
func TestMain(m *testing.M) {
	tokens.ServeIfChild()
	os.Exit(m.Run())
}

// phrase is what the person of the tests knows the agent by.
const phrase = "Зелёный слон на крыше"

// world is a gateway with a cabinet behind it, and an agent that trusts the gateway.
type world struct {
	gateway *testgateway.Gateway
	cabinet string
	agent   string
	tokens  string // directory of soft tokens
}

// newWorld starts a world without accounts. The agent looks for tokens in modules, or, without
// any, in the directory of soft tokens.
func newWorld(t *testing.T, modules []string, options ...tokens.Option) *world {
	t.Helper()
	return newWorldOf(t, testgateway.WithChallenge, modules, options...)
}

// newWorldOf starts a world whose gateway was changed.
func newWorldOf(t *testing.T, change func(*testgateway.Gateway), modules []string, options ...tokens.Option) *world {
	t.Helper()
	Require(t)
	cabinetListener, agentListener := listen(t), listen(t)
	w := &world{
		cabinet: "http://" + cabinetListener.Addr().String(), agent: "http://" + agentListener.Addr().String(),
		tokens: filepath.Join(t.TempDir(), "tokens"),
	}
	w.gateway = testgateway.Start(t, change, func(g *testgateway.Gateway) {
		g.Config.Challenge.AgentPorts = []int{agentListener.Addr().(*net.TCPAddr).Port}
		g.Config.OIDC.Clients = append(g.Config.OIDC.Clients, config.Client{
			ID: "cabinet", Name: "Личный кабинет (испытание)", URL: w.cabinet + "/",
			RedirectURIs: []string{w.cabinet + "/callback"}, PostLogoutRedirectURIs: []string{w.cabinet + "/"},
			BackChannelLogoutURI: w.cabinet + "/backchannel-logout",
		})
	})
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.gateway.Country.TLSAuthority()})
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		t.Fatal("no CA")
	}
	o := cabinet.Options{URL: w.cabinet, Issuer: w.gateway.Config.Public.URL, ClientID: "cabinet", RootCAs: roots}
	if path := w.gateway.Config.Levels.Path; path != "" {
		policy, err := level.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		o.Services = policy.Services(o.ClientID)
	}
	relyingParty, err := cabinet.New(o)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, func(ctx context.Context) error { return relyingParty.Serve(ctx, cabinetListener) })

	if len(modules) == 0 {
		modules = []string{tokens.SoftScheme + w.tokens}
	}
	card, err := agent.FetchCard(t.Context(), w.gateway.Config.Public.URL, ca)
	if err != nil {
		t.Fatal(err)
	}
	a, err := agent.New(agent.Options{
		Gateways: []agent.Gateway{{Gateway: card.Gateway, CA: ca}}, Modules: modules, Tokens: options, Phrase: phrase, Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	serve(t, func(ctx context.Context) error { return a.Serve(ctx, agentListener) })
	return w
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// serve runs a server until the test ends.
func serve(t *testing.T, run func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// addToken gives a person a soft token.
func (w *world) addToken(t *testing.T, id string) {
	t.Helper()
	p := w.gateway.Country.Person(id)
	if err := keyring.Make(filepath.Join(w.tokens, id), id, p.PIN, p.Certificate.Raw, p.Key); err != nil {
		t.Fatal(err)
	}
}

// input is what the scripts need to know of the world.
func (w *world) input(host *Host, ids ...string) map[string]any {
	people := make(map[string]map[string]string)
	for _, id := range ids {
		p := w.gateway.Country.Person(id)
		people[id] = map[string]string{
			"id": id, "name": p.Name, "inn": p.INN, "ogrnip": p.OGRNIP, "pin": p.PIN, "expect": string(p.Expect),
		}
	}
	in := map[string]any{
		"cabinet": w.cabinet, "gateway": w.gateway.Config.Public.URL, "agent": w.agent, "phrase": phrase, "people": people,
	}
	if host != nil {
		in["host"], in["certificates"] = host.URL, host.Certificates()
	}
	return in
}

// holders returns people for a Host.
func holders(country *testpki.Country, ids ...string) []Holder {
	list := make([]Holder, len(ids))
	for i, id := range ids {
		p := country.Person(id)
		list[i] = Holder{ID: id, Certificate: p.Certificate, Key: p.Key}
	}
	return list
}
