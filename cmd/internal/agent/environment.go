package agent

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/server/signrequest"
	"propusk/tokens"
	"propusk/tokens/pcsc"
)

// environmentPath is where the check page of a gateway asks what is connected.
const environmentPath = "/environment"

// Environment is what GET /environment answers with, to pages of the gateways that were
// enrolled: what stands in the way of signing, and nothing about a person. Tokens are known
// by their model: names and numbers of theirs, and what is in certificates, are not told.
type Environment struct {
	Program string `json:"program"` // "propusk-agent"
	Version string `json:"version"`
	// Readers and Cards are those of the PC/SC service, -1 if it does not answer; UEC is how
	// many of the cards are universal electronic cards, which no program reads any more.
	Readers int `json:"readers"`
	Cards   int `json:"cards"`
	UEC     int `json:"uec"`
	// Modules is how many libraries of tokens there are, Broken how many do not answer.
	Modules int `json:"modules"`
	Broken  int `json:"broken"`
	// Gateway is how the agent reaches the gateway that asks: "ok", "untrusted" if something
	// answers with a certificate that is not the gateway's, or "unreachable".
	Gateway string             `json:"gateway"`
	Tokens  []EnvironmentToken `json:"tokens"`
}

// EnvironmentToken is a token without its owner.
type EnvironmentToken struct {
	Model string `json:"model"`
	// PIN is "ok", "low", "last", "locked", "unset" or "must-change".
	PIN string `json:"pin"`
	// Certificates is how many there are, Expired how many of them are over; -1 if the token
	// cannot be read.
	Certificates int `json:"certificates"`
	Expired      int `json:"expired"`
}

// Limits of an answer.
const (
	maxEnvironmentTokens = 32
	maxModel             = 100 // characters
	contactTime          = 5 * time.Second
	readersTime          = 5 * time.Second
)

// fromGateway admits a script of a page of an enrolled gateway, which it may ask for the
// environment and for nothing else: browsers say which page a script is on, and no page can
// say that it is another one (Fetch, "append a request Origin header").
func (a *Agent) fromGateway(r *http.Request) error {
	origin := r.Header.Values("Origin")
	if len(origin) != 1 || a.lists[origin[0]] == nil {
		return reason.Errorf(reason.AgentOriginForeign, "the page is of no enrolled gateway")
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "cors" {
		return reason.Errorf(reason.AgentNotNavigation, "Sec-Fetch-Mode %.20q", mode)
	}
	for _, name := range []string{"Service-Worker", "Service-Worker-Navigation-Preload", "Sec-Purpose", "Purpose", "X-Moz"} {
		if len(r.Header.Values(name)) > 0 {
			return reason.Errorf(reason.AgentNotNavigation, "header %s", name)
		}
	}
	return nil
}

// preflight tells a browser that an enrolled gateway may ask this machine (WICG Private
// Network Access, 3.1.2).
func (a *Agent) preflight(w http.ResponseWriter, r *http.Request) {
	allow(w.Header(), r)
	w.Header().Set("Access-Control-Allow-Methods", http.MethodGet)
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		w.Header().Set("Access-Control-Allow-Private-Network", "true")
	}
	w.WriteHeader(http.StatusNoContent)
}

// allow lets the page that asked, which was admitted, read the answer.
func allow(h http.Header, r *http.Request) {
	h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
	h.Set("Vary", "Origin")
}

// environment tells a gateway what is connected.
func (a *Agent) environment(w http.ResponseWriter, r *http.Request) {
	contact := make(chan string, 1)
	go func() { contact <- a.contact(r.Context(), r.Header.Get("Origin")) }()
	e := Environment{Program: program, Version: a.options.Version, Modules: len(a.shelf.books), Tokens: []EnvironmentToken{}}
	e.Readers, e.Cards, e.UEC = a.countReaders(r.Context())
	over, stop := a.shelf.timer()
	defer stop()
	devices, troubles := a.shelf.devices(over)
	e.Broken = len(troubles)
	contents := contentsOf(devices, over)
	for i, d := range devices {
		if !d.again && len(e.Tokens) < maxEnvironmentTokens {
			e.Tokens = append(e.Tokens, a.tokenOf(d, contents[i]))
		}
	}
	e.Gateway = <-contact
	allow(w.Header(), r)
	body, err := json.Marshal(e)
	if err != nil {
		panic("agent: environment: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(append(body, '\n')) //nolint:errcheck // the other side went away
}

// tokenOf describes a token without its owner.
func (a *Agent) tokenOf(d device, c contents) EnvironmentToken {
	model := []rune(modelName(d))
	t := EnvironmentToken{Model: string(model[:min(len(model), maxModel)]), PIN: pinWord(d.PIN()), Certificates: len(c.certificates)}
	if c.err != nil {
		t.Certificates, t.Expired = -1, -1
		return t
	}
	now := a.now()
	for _, der := range c.certificates {
		if cert, err := gostx509.Parse(der); err == nil && now.After(cert.NotAfter) {
			t.Expired++
		}
	}
	return t
}

// pinWord is how a PIN stands.
func pinWord(s tokens.PINState) string {
	switch s {
	case tokens.PINCountLow:
		return "low"
	case tokens.PINFinalTry:
		return "last"
	case tokens.PINLocked:
		return "locked"
	case tokens.PINUnset:
		return "unset"
	case tokens.PINMustChange:
		return "must-change"
	default:
		return "ok"
	}
}

// countReaders counts the readers and what is in them.
func (a *Agent) countReaders(ctx context.Context) (readers, cards, uec int) {
	ctx, cancel := context.WithTimeout(ctx, readersTime)
	defer cancel()
	all, err := pcsc.List(ctx)
	if err != nil {
		return -1, -1, 0
	}
	for _, r := range all {
		if r.Present {
			cards++
		}
		if family, ok := pcsc.FamilyOf(r.ATR); ok && family == pcsc.UEC {
			uec++
		}
	}
	return len(all), cards, uec
}

// contact finds out whether the gateway can be reached from this machine, and whether what
// answers is the gateway.
func (a *Agent) contact(ctx context.Context, url string) string {
	ctx, cancel := context.WithTimeout(ctx, contactTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+signrequest.WellKnown, nil)
	if err != nil {
		return "unreachable"
	}
	answer, err := a.lists[url].client.Do(r)
	if err == nil { // whatever it says: TLS has proven who says it
		_ = answer.Body.Close()
		return "ok"
	}
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted {
		return "untrusted"
	}
	return "unreachable"
}
