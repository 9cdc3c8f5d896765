package check

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"propusk/pki/person"
	"propusk/pki/reason"
)

// Facts are what a run has found out. Nothing in them tells who the person is but Holder,
// which never leaves the program as JSON with a number of a person in it. The zero value is
// a run in which nothing was tried yet.
type Facts struct {
	// Script tells that a script has reported.
	Script bool `json:"script,omitempty"`
	// Cookies is "on" or "off"; empty if nobody knows yet.
	Cookies string `json:"cookies,omitempty"`
	// Skew is by how many seconds the clock of the computer is ahead; nil if nobody knows.
	Skew *int64 `json:"skew,omitempty"`
	// Hello is how the browser has reached the public host; nil if it has not.
	Hello *Hello `json:"hello,omitempty"`
	// Missed are the hosts that the browser says it could not reach: "public", "signin".
	Missed []string `json:"missed,omitempty"`
	// Refused are handshakes from the address of the person that failed since the run began.
	Refused []Refused `json:"refused,omitempty"`
	// Agent is what the agent says; nil if it does not answer, or if nobody has asked.
	Agent *Agent `json:"agent,omitempty"`
	// AgentAsked tells that a script has looked for the agent.
	AgentAsked bool `json:"agent_asked,omitempty"`
	// Plugins are the plug-ins that were found, of those that were looked for if
	// PluginsAsked.
	Plugins      []Plugin `json:"plugins,omitempty"`
	PluginsAsked bool     `json:"plugins_asked,omitempty"`
	// Signature is who made the test signature, Entrance who came to the sign-in host.
	Signature *Holder `json:"signature,omitempty"`
	Entrance  *Holder `json:"entrance,omitempty"`
	// Methods are the ways to sign in that the gateway offers.
	Methods []string `json:"methods,omitempty"`
	// PlainHost tells that the run is on the host without TLS.
	PlainHost bool `json:"plain_host,omitempty"`
}

// Hello is what a ClientHello, and the request after it, say about a browser. What the
// browser calls itself is not asked.
type Hello struct {
	// Kind is "gost", "ordinary" or "none"; Version and Suite are as package request names
	// them.
	Kind    string `json:"kind"`
	Version string `json:"version,omitempty"`
	Suite   string `json:"suite,omitempty"`
	// Offered tells that a GOST suite of RFC 9189 or RFC 9367 was offered, Draft that one of
	// the numbers before those was.
	Offered bool `json:"offered,omitempty"`
	Draft   bool `json:"draft,omitempty"`
	// Grease tells that the hello has values of RFC 8701, Hints that the request has client
	// hints: browsers that send the latter send the former too, unless somebody stands
	// between (DOMAIN 7.4, row 30).
	Grease bool `json:"grease,omitempty"`
	Hints  bool `json:"hints,omitempty"`
	// Proxy tells that a proxy has named itself in the request (RFC 9110, Section 7.6.3).
	Proxy bool `json:"proxy,omitempty"`
}

// Refused is a handshake that failed.
type Refused struct {
	// Host is "public" or "signin".
	Host string `json:"host"`
	// Why is one of the Why constants.
	Why string `json:"why"`
	// Offered is as in Hello.
	Offered bool `json:"offered,omitempty"`
}

// Why a handshake failed.
const (
	WhyOldVersion = "old-version" // the client knows nothing newer than TLS 1.1
	WhyNoSuite    = "no-suite"    // nothing in common
	WhyDistrust   = "distrust"    // the client does not trust the certificate of the server
	WhyKey        = "key"         // the certificate of the client came, its key did not
	WhyOldKey     = "old-key"     // its key is not of GOST R 34.10-2012
	WhyBroken     = "broken"      // the client left in the middle
	WhyNotTLS     = "not-tls"     // something that is not TLS
	WhyProbe      = "probe"       // the client has looked whether the server knows GOST, and left
	WhyOther      = "other"
)

// Agent is what the agent of the person says about tokens, as its /environment does.
type Agent struct {
	Version string `json:"version"`
	// Readers and Cards are those of the PC/SC service; -1 if it does not answer.
	Readers int `json:"readers"`
	Cards   int `json:"cards"`
	// UEC is how many of the cards are universal electronic cards.
	UEC int `json:"uec"`
	// Modules is how many libraries of tokens there are, Broken how many do not answer.
	Modules int `json:"modules"`
	Broken  int `json:"broken"`
	// Gateway is "ok", "untrusted" if something with a certificate of its own stands between
	// the agent and the gateway, or "unreachable".
	Gateway string  `json:"gateway"`
	Tokens  []Token `json:"tokens"`
}

// Token is a token as the agent sees it.
type Token struct {
	// Model is what kind of token it is: never the name that its owner gave it.
	Model string `json:"model"`
	// PIN is "ok", "low", "last", "locked", "unset" or "must-change".
	PIN string `json:"pin"`
	// Certificates are all, Expired those of them whose time is over; -1 if it cannot be
	// read.
	Certificates int `json:"certificates"`
	Expired      int `json:"expired"`
}

// Plugin is a plug-in in the browser.
type Plugin struct {
	// ID is "cryptopro" or "rutoken".
	ID string `json:"id"`
	// State is "found", "refused" if the person did not let the page use it, "program" if its
	// extension is there and its program is not, or "absent".
	State string `json:"state"`
	// Version is of the plug-in, CSP of the cryptographic provider; empty if not known.
	Version string `json:"version,omitempty"`
	CSP     string `json:"csp,omitempty"`
	// Certificates are those that the plug-in offers, Expired those of them whose time is
	// over, Keyless those without a key; -1 if it did not list them.
	Certificates int `json:"certificates"`
	Expired      int `json:"expired"`
	Keyless      int `json:"keyless"`
}

// Holder is a certificate whose key was proven, by a signature or by TLS.
type Holder struct {
	// Code is why its holder may not enter; empty if he may.
	Code reason.Code `json:"code,omitempty"`
	// Kind is the kind of holder; empty if it could not be read.
	Kind person.Kind `json:"kind,omitempty"`
	// NotBefore and NotAfter are of the certificate, KeyUntil of its key; zero if unknown.
	NotBefore time.Time `json:"not_before,omitzero"`
	NotAfter  time.Time `json:"not_after,omitzero"`
	KeyUntil  time.Time `json:"key_until,omitzero"`
	// Chain are the CAs up to the root, the issuer first; of a CA that is not known it is
	// empty.
	Chain []CA `json:"chain,omitempty"`
	// Sent tells that the client has sent the certificates of CAs that it has.
	Sent bool `json:"sent,omitempty"`

	inn  person.INN
	cert []byte // DER
}

// CA is a CA certificate of a chain.
type CA struct {
	SHA256 string `json:"sha256"`
	Name   string `json:"name"`
	Root   bool   `json:"root,omitempty"`
	// Came tells that it came from the computer of the person, so it is installed there.
	Came bool `json:"came,omitempty"`
}

// Missing are the CAs of the chain that did not come from the computer of the person.
// Roots never come: RFC 5246, Section 7.4.2 lets a client leave them out, and all do.
func (h *Holder) Missing() []CA {
	var missing []CA
	for _, ca := range h.Chain {
		if !ca.Came {
			missing = append(missing, ca)
		}
	}
	return missing
}

// broken reports whether a CA between the certificate and the root did not come, from a
// client that sends what it has.
func (h *Holder) broken() bool {
	for _, ca := range h.Chain {
		if h.Sent && !ca.Came && !ca.Root {
			return true
		}
	}
	return false
}

// Observed is what the script of the page reports.
type Observed struct {
	Skew    *int64   `json:"skew"` // seconds
	Missed  []string `json:"missed"`
	Agent   *Agent   `json:"agent"`
	Plugins []Plugin `json:"plugins"`
	// AgentAsked and PluginsAsked tell that they were looked for.
	AgentAsked   bool `json:"agent_asked"`
	PluginsAsked bool `json:"plugins_asked"`
}

// Limits of a report.
const (
	maxObserved = 16 << 10 // bytes
	maxTokens   = 32
	maxPlugins  = 4
	maxText     = 100               // characters
	maxSkew     = 100 * 365 * 86400 // seconds
	maxCount    = 100000
)

// ParseObserved reads the report of a script: one JSON value without unknown fields, of at
// most 16 KiB, whose texts are one line each. The error says which limit is broken.
func ParseObserved(r io.Reader) (Observed, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxObserved+1))
	if err != nil {
		return Observed{}, fmt.Errorf("check: read: %w", err)
	}
	if len(data) > maxObserved {
		return Observed{}, errors.New("check: the report is too long")
	}
	var o Observed
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		return Observed{}, errors.New("check: the report is not the JSON that is wanted")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Observed{}, errors.New("check: something after the report")
	}
	if err := o.check(); err != nil {
		return Observed{}, err
	}
	return o, nil
}

// check holds a report to its limits.
func (o Observed) check() error {
	if o.Skew != nil && (*o.Skew > maxSkew || *o.Skew < -maxSkew) {
		return errors.New("check: skew")
	}
	if len(o.Missed) > 2 || len(o.Plugins) > maxPlugins {
		return errors.New("check: a list is too long")
	}
	for _, host := range o.Missed {
		if !oneOf(host, hostPublic, hostSignIn) {
			return errors.New("check: missed")
		}
	}
	for _, p := range o.Plugins {
		if !oneOf(p.ID, pluginCryptoPro, pluginRutoken) || !oneOf(p.State, pluginFound, pluginRefused, pluginProgram, pluginAbsent) || !counts(p.Certificates, p.Expired, p.Keyless) || !line(p.Version) || !line(p.CSP) {
			return errors.New("check: plugins")
		}
	}
	if o.Agent != nil {
		return o.Agent.check()
	}
	return nil
}

func (a *Agent) check() error {
	if !line(a.Version) || !oneOf(a.Gateway, gatewayOK, gatewayUntrusted, gatewayUnreachable) || len(a.Tokens) > maxTokens {
		return errors.New("check: agent")
	}
	if !counts(a.Readers, a.Cards, a.UEC, a.Modules, a.Broken) {
		return errors.New("check: agent: a number")
	}
	for _, t := range a.Tokens {
		if !line(t.Model) || !oneOf(t.PIN, pinOK, pinLow, pinLast, pinLocked, pinUnset, pinMustChange) || !counts(t.Certificates, t.Expired) {
			return errors.New("check: token")
		}
	}
	return nil
}

// Words of reports.
const (
	hostPublic = "public"
	hostSignIn = "signin"

	pluginCryptoPro = "cryptopro"
	pluginRutoken   = "rutoken"
	pluginFound     = "found"
	pluginRefused   = "refused"
	pluginProgram   = "program"
	pluginAbsent    = "absent"

	gatewayOK          = "ok"
	gatewayUntrusted   = "untrusted"
	gatewayUnreachable = "unreachable"

	pinOK         = "ok"
	pinLow        = "low"
	pinLast       = "last"
	pinLocked     = "locked"
	pinUnset      = "unset"
	pinMustChange = "must-change"
)

func oneOf(s string, words ...string) bool {
	for _, w := range words {
		if s == w {
			return true
		}
	}
	return false
}

// counts reports whether all numbers are counts, or -1 for what nobody knows.
func counts(numbers ...int) bool {
	for _, n := range numbers {
		if n < -1 || n > maxCount {
			return false
		}
	}
	return true
}

// line reports whether a text is short and in one line.
func line(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxText && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// add takes what a script has seen. What it did not look for stays as it was.
func (f *Facts) add(o Observed) {
	f.Script = true
	if o.Skew != nil {
		f.Skew = o.Skew
	}
	f.Missed = o.Missed
	if o.AgentAsked {
		f.AgentAsked, f.Agent = true, o.Agent
	}
	if o.PluginsAsked {
		f.PluginsAsked, f.Plugins = true, o.Plugins
	}
}

// plugin returns a plug-in that was found, or whose extension was.
func (f *Facts) plugin(id string) (Plugin, bool) {
	for _, p := range f.Plugins {
		if p.ID == id && p.State != pluginAbsent {
			return p, true
		}
	}
	return Plugin{}, false
}

// holder is the certificate that is known best: that which came to the sign-in host, or
// that of the test signature.
func (f *Facts) holder() *Holder {
	if f.Entrance != nil && f.Entrance.Kind != "" {
		return f.Entrance
	}
	return f.Signature
}

func hexOf(sum [32]byte) string { return hex.EncodeToString(sum[:]) }
