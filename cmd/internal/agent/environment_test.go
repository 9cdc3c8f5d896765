package agent

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"propusk/pki/reason"
	"propusk/tokens/pcsctest"
	"propusk/tokens/virtualcard"
)

// script is what a browser says of a script on a page.
func script(origin string) []func(*http.Request) {
	return []func(*http.Request){set("Origin", origin), set("Sec-Fetch-Mode", "cors"), set("Sec-Fetch-Dest", "empty")}
}

// environment asks as the check page of the gateway does.
func (w *world) environment() Environment {
	w.t.Helper()
	p := w.get(w.url+"/environment", script(w.gateway.URL)...)
	var e Environment
	if err := json.Unmarshal([]byte(p.text), &e); err != nil || p.status != http.StatusOK || p.header.Get("Access-Control-Allow-Origin") != w.gateway.URL {
		w.t.Fatalf("status %d, %v:\n%s", p.status, err, p.text)
	}
	return e
}

// TestEnvironment tells an enrolled gateway what is connected, and nothing about people.
func TestEnvironment(t *testing.T) {
	w := newWorld(t, []string{"ip", "expired"})
	e := w.environment()
	if e.Program != "propusk-agent" || e.Version != "test" || e.Modules != 1 || e.Broken != 0 || e.Gateway != "ok" || len(e.Tokens) != 2 {
		t.Errorf("%+v", e)
	}
	expired := 0
	for _, one := range e.Tokens {
		expired += one.Expired
		if one.PIN != "ok" || one.Certificates != 1 || one.Model == "" {
			t.Errorf("%+v", one)
		}
	}
	if expired != 1 {
		t.Errorf("%d certificates are over", expired)
	}
	text := w.get(w.url+"/environment", script(w.gateway.URL)...).text
	for _, id := range []string{"ip", "expired"} {
		p := w.country.Person(id)
		for _, secret := range []string{p.Name, p.INN, p.SNILS, strings.Fields(p.Name)[0]} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is told", secret)
			}
		}
	}
}

// TestEnvironmentIsForGateways: no page of another site, no program that is no page, and
// nothing else of the agent for the gateway.
func TestEnvironmentIsForGateways(t *testing.T) {
	w := newWorld(t, []string{"ip"})
	address := w.url + "/environment"
	for _, origin := range []string{"", "null", "https://attacker.example", w.gateway.URL + ".attacker.example", w.gateway.URL + "/", strings.Replace(w.gateway.URL, "https", "http", 1), w.url} {
		p := w.get(address, script(origin)...)
		w.want(p, 403, reason.AgentOriginForeign)
		if p.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%q may read the refusal", origin)
		}
	}
	two := append(script(w.gateway.URL), func(r *http.Request) { r.Header.Add("Origin", "https://attacker.example") })
	w.want(w.get(address, two...), 403, reason.AgentOriginForeign)
	for _, mode := range []string{"navigate", "no-cors", "websocket", ""} {
		w.want(w.get(address, append(script(w.gateway.URL), set("Sec-Fetch-Mode", mode))...), 403, reason.AgentNotNavigation)
	}
	w.want(w.get(address, append(script(w.gateway.URL), set("Service-Worker", "script"))...), 403, reason.AgentNotNavigation)
	for _, path := range []string{"/", "/status", "/sign?request=x"} {
		w.want(w.get(w.url+path, script(w.gateway.URL)...), 403, reason.AgentNotNavigation)
	}

	p := w.navigate(http.MethodOptions, address, nil, append(script(w.gateway.URL), set("Access-Control-Request-Private-Network", "true"))...)
	if p.status != http.StatusNoContent || p.header.Get("Access-Control-Allow-Private-Network") != "true" || p.header.Get("Access-Control-Allow-Origin") != w.gateway.URL {
		t.Errorf("preflight: status %d, %v", p.status, p.header)
	}
	w.want(w.navigate(http.MethodOptions, address, nil, script("https://attacker.example")...), 403, reason.AgentOriginForeign)
}

// TestEnvironmentWithoutTokens: nothing is connected, then a library does not load.
func TestEnvironmentWithoutTokens(t *testing.T) {
	w := newWorld(t, nil, func(o *Options) { o.Modules = append(o.Modules, "/nowhere/library.so") })
	if e := w.environment(); len(e.Tokens) != 0 || e.Modules != 2 || e.Broken != 1 {
		t.Errorf("%+v", e)
	}
}

// TestEnvironmentSeesTheMiddle: something else answers under the address of the gateway.
func TestEnvironmentSeesTheMiddle(t *testing.T) {
	w := newWorld(t, nil, func(o *Options) {
		// The agent knows the CA of the real one; what it meets has another.
		c, err := country()
		must(t, err)
		o.Gateways[0].CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.TLSAuthority()})
	})
	if e := w.environment(); e.Gateway != "untrusted" {
		t.Errorf("gateway %q", e.Gateway)
	}
	w.lists.Close()
	if e := w.environment(); e.Gateway != "unreachable" {
		t.Errorf("gateway %q", e.Gateway)
	}
}

// TestEnvironmentReaders counts readers and cards, and knows an УЭК.
func TestEnvironmentReaders(t *testing.T) {
	s := pcsctest.Start(t)
	for _, pair := range s.Env() {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
	w := newWorld(t, nil)
	if e := w.environment(); e.Readers < 1 || e.Cards != 0 || e.UEC != 0 {
		t.Errorf("empty: %+v", e)
	}
	s.Insert(virtualcard.Shows([]byte(virtualcard.ATRUEC)))
	deadline := time.Now().Add(30 * time.Second)
	for {
		e := w.environment()
		if e.Cards == 1 && e.UEC == 1 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("with a card: %+v", e)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestEnvironmentWithoutService: pcscd does not run.
func TestEnvironmentWithoutService(t *testing.T) {
	t.Setenv("PCSCLITE_CSOCK_NAME", t.TempDir()+"/nobody")
	w := newWorld(t, nil)
	if e := w.environment(); e.Readers != -1 || e.Cards != -1 {
		t.Errorf("%+v", e)
	}
}

// TestEnvironmentTellsOfLockedTokens: wrong PINs were entered until the token gave up.
func TestEnvironmentTellsOfLockedTokens(t *testing.T) {
	w := newWorld(t, []string{"ip"})
	over, stop := w.agent.shelf.timer()
	defer stop()
	devices, _ := w.agent.shelf.devices(over)
	if len(devices) != 1 {
		t.Fatalf("%d tokens", len(devices))
	}
	seen := make(map[string]bool)
	for range 20 { // more than a token allows
		session, err := devices[0].Login([]byte("00000000"), true)
		if err == nil {
			must(t, session.Close())
			t.Fatal("a wrong PIN is right")
		}
		pin := w.environment().Tokens[0].PIN
		if seen[pin] = true; pin == "locked" {
			break
		}
	}
	if !seen["last"] || !seen["locked"] {
		t.Errorf("seen: %v", seen)
	}
}
