// Package agent is the token agent: it runs on the machine of a person, shows pages of
// its own on 127.0.0.1, and signs with a token what a gateway asks for and the person
// agrees to.
//
// A gateway is trusted only after it was enrolled, with its keys pinned. A page of it
// sends the browser to /sign with a signed request (package signrequest); the agent
// says who asks and what will be signed, lists the certificates with the reason why one
// cannot be used, takes the PIN on its own page, signs, and has the browser post the
// signature back. What keeps others out is told in gate.go.
package agent

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"propusk/tokens"
)

// Options is what an agent needs. The zero value is an agent that trusts nobody and
// has no libraries of tokens.
type Options struct {
	// Gateways are those that may ask for signatures.
	Gateways []Gateway
	// Modules are the PKCS#11 libraries to look for tokens in, each a path or
	// "soft:DIR".
	Modules []string
	// Tokens are options that every library is opened with.
	Tokens []tokens.Option
	// Phrase is what the person chose to know the agent by; it is shown where the PIN
	// is asked for. Empty: none was chosen.
	Phrase string
	// Version is shown on the pages.
	Version string
	// Log gets a line for each request that was refused or signed; nil: nothing is
	// logged. Neither PINs nor names of people are ever in it.
	Log *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Gateway is one that was enrolled.
type Gateway struct {
	// URL is the origin of its public host, without a slash at the end.
	URL string `yaml:"url" json:"url"`
	// Name is what it is called on the pages.
	Name string `yaml:"name" json:"name"`
}

// Agent answers the browser. It is safe for concurrent use. Make it with [New].
type Agent struct {
	options Options
}

// New returns an agent. Libraries of tokens are opened when somebody asks for a
// signature, not before.
func New(o Options) (*Agent, error) { return &Agent{options: o}, nil }

// Handler returns the pages, for an http.Server that listens on 127.0.0.1.
func (a *Agent) Handler() http.Handler { return http.NotFoundHandler() }

// Serve answers on a listener, which must be on 127.0.0.1, until ctx ends; then it
// closes the listener and the libraries.
func (a *Agent) Serve(_ context.Context, _ net.Listener) error { return errors.ErrUnsupported }
