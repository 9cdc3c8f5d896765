// Package agent is the token agent: it runs on the machine of a person, shows pages of
// its own on 127.0.0.1, and signs with a token what a gateway asks for and the person
// agrees to.
//
// A gateway is trusted only after it was enrolled, with its keys pinned. A page of it
// sends the browser to /sign with a signed request (package signrequest); the agent
// says who asks and what will be signed, lists the certificates with the reason why one
// cannot be used, takes the PIN on its own page, signs, and has the browser post the
// signature back. Nothing about the person leaves the machine before that. What keeps
// others out is told in gate.go.
package agent

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"propusk/server/signrequest"
	"propusk/tokens"
)

// Options is what an agent needs. The zero value is an agent that trusts nobody and
// has no libraries of tokens.
type Options struct {
	// Gateways are those that may ask for signatures.
	Gateways []Gateway
	// Modules are the PKCS#11 libraries to look for tokens in, each a path or
	// "soft:DIR". A token that several reach is that of the first.
	Modules []string
	// Tokens are options that every library is opened with.
	Tokens []tokens.Option
	// Phrase is what the person chose to know the agent by; it is shown where the PIN
	// is asked for. Empty: none was chosen.
	Phrase string
	// Version is shown on the pages.
	Version string
	// Log gets a line for each request that was refused or answered; nil: nothing is
	// logged. Neither PINs nor names of people are ever in it.
	Log *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Gateway is one that was enrolled.
type Gateway struct {
	signrequest.Gateway
	// CA is the PEM of the CAs that its TLS certificate may be from; empty: those that
	// the machine trusts.
	CA []byte
}

// Agent answers the browser. It is safe for concurrent use. Make it with [New].
type Agent struct {
	options  Options
	gateways []signrequest.Gateway
	lists    map[string]*authorities // by the URL of the gateway
	shelf    *shelf
	pages    *template.Template
	log      *slog.Logger
	now      func() time.Time
	// sameUser reports whether the client end of a connection belongs to the user that
	// the agent runs as.
	sameUser func(client, server netip.AddrPort) (bool, error)

	mu       sync.Mutex
	visits   map[string]*visit
	requests map[[32]byte]received
}

// New returns an agent. Libraries of tokens are opened when somebody asks what is
// connected, not before. The error is about a gateway.
func New(o Options) (*Agent, error) {
	a := &Agent{
		options: o, log: o.Log, sameUser: sameUser, pages: parsePages(),
		lists:  make(map[string]*authorities),
		visits: make(map[string]*visit), requests: make(map[[32]byte]received),
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	// What ends, ends by the clock on the wall: the other one stands still while the
	// machine sleeps.
	now := o.Now
	if now == nil {
		now = time.Now
	}
	a.now = func() time.Time { return now().Round(0) }
	for _, g := range o.Gateways {
		if err := g.Check(); err != nil {
			return nil, fmt.Errorf("gateway %q: %w", g.URL, err)
		}
		list, err := newAuthorities(g, a.now)
		if err != nil {
			return nil, fmt.Errorf("gateway %q: %w", g.URL, err)
		}
		if a.lists[g.URL] != nil {
			return nil, fmt.Errorf("gateway %q: enrolled twice", g.URL)
		}
		a.gateways, a.lists[g.URL] = append(a.gateways, g.Gateway), list
	}
	a.shelf = newShelf(o.Modules, o.Tokens)
	return a, nil
}

// Close unloads the libraries of tokens. [Agent.Serve] does it by itself.
func (a *Agent) Close() error { return a.shelf.close() }

// Limits on connections. Whoever enters a PIN on a reader takes his time.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 10 * time.Minute
	idleTimeout   = time.Minute
	endTimeout    = 5 * time.Second
	maxHeader     = signrequest.MaxToken + 64<<10 // bytes; a request is in the address
)

// Serve answers on a listener, which must be on 127.0.0.1, until ctx ends; then it
// closes the listener and the libraries of tokens.
func (a *Agent) Serve(ctx context.Context, l net.Listener) error {
	at, err := netip.ParseAddrPort(l.Addr().String())
	if err != nil || at.Addr() != loopback {
		return errors.Join(fmt.Errorf("the agent listens on 127.0.0.1 only, not on %s", l.Addr()), l.Close())
	}
	server := &http.Server{
		Handler: a.Handler(), ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
		defer cancel()
		if server.Shutdown(end) != nil {
			_ = server.Close() // somebody was in the middle of something, and was given time
		}
		close(stopped)
	})
	err = server.Serve(l)
	if !stop() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, a.Close())
}
