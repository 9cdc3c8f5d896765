// Package server is the gateway: the sign-in host that judges client
// certificates over GOST TLS, the public host with the verify API and OpenID
// Connect, the environment check page, and the administrative listener.
//
// New puts the parts together, Listen opens the ports, Serve answers until its
// context ends. The parts are packages of their own below this one.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"propusk/certs"
	"propusk/certs/fetch"
	"propusk/certs/refresh"
	"propusk/pki/reason"
	"propusk/pki/revocation"
	"propusk/pki/sigalg"
	"propusk/server/challenge"
	"propusk/server/check"
	"propusk/server/config"
	"propusk/server/engine"
	"propusk/server/journal"
	"propusk/server/level"
	"propusk/server/metrics"
	"propusk/server/oidc"
	"propusk/server/resumption"
	"propusk/server/trust"
)

// Options is what a Server is made of.
type Options struct {
	// Config must pass Validate.
	Config config.Config

	// Trust is the store of trust snapshots. The server loads it when it starts,
	// reads the current snapshot at every request and looks for changes at the
	// configured interval.
	Trust *certs.Store

	// Log receives one line per request and the events of the server. It never
	// receives personal data. Nil means nobody listens.
	Log *slog.Logger

	// Now returns the time; nil means time.Now.
	Now func() time.Time

	// Version is shown in metrics.
	Version string

	// Services answer on the check listener, each for the paths that begin with its
	// key: those of a demo country. They see the requests as they came.
	Services map[string]http.Handler

	// AdminServices answer on the admin listener in the same way.
	AdminServices map[string]http.Handler
}

// Server is the gateway. Make it with New, and call one of Run and Serve, once.
type Server struct {
	opts      Options
	keys      keys
	guard     trust.Guard
	client    *fetch.Client // nil if nobody is asked
	strange   trust.Strangers
	refresh   *refresh.Refresher // nil if nothing is fetched
	verifier  *engine.Keeper     // nil if this program computes signatures
	provider  *oidc.Provider
	policy    *level.Policy        // nil wants a key everywhere
	challenge *challenge.Challenge // nil if nobody signs in by one
	checks    *check.Check
	metrics   *metrics.Metrics
	sessions  *resumption.Keeper
	journal   *journal.Recorder // nil if there is none
	accounts  *accounts         // nil if there are none
	people    *people           // nil without accounts

	public, signIn, check, admin http.Handler
}

// New reads the keys that the configuration names and puts the server together.
// It opens no ports. Every error names the field of the configuration.
func New(o Options) (*Server, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if o.Trust == nil {
		return nil, errors.New("server: no store of trust data")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	k, err := loadKeys(o.Config, o.Log)
	if err != nil {
		return nil, err
	}
	s := &Server{opts: o, keys: k}
	if err := s.build(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close ends the tokens with keys of the gateway, and the store of accounts. Serve does so at
// its end; who does not call it calls Close.
func (s *Server) Close() error {
	var err error
	if s.people != nil {
		err = s.people.store.Close()
	}
	return errors.Join(err, s.keys.close())
}

// build makes the parts.
func (s *Server) build() error {
	c := s.opts.Config
	s.verifier = engine.New(engine.Options{
		Config: c.Verification, Log: s.opts.Log, Now: s.opts.Now, Observe: func(c sigalg.Computed) { s.metrics.Computed(c) },
	})
	s.guard = trust.Guard{
		Store: s.opts.Trust, MaxAge: c.Trust.MaxAge, Now: s.opts.Now, Judged: s.judged, Engine: s.verifier.Choice(),
		Revocation: c.Revocation.Policy(),
	}
	var err error
	if s.client, err = s.newClient(); err != nil {
		return err
	}
	if c.Revocation.Online {
		s.guard.Online = revocation.NewOnline(s.client)
	}
	if s.refresh, err = s.newRefresher(); err != nil {
		return err
	}
	return s.assemble()
}

// Listeners are the open ports of a Server. Check may be nil.
type Listeners struct {
	Public, SignIn, Check, Admin net.Listener
}

// Listen opens the ports named in c, all or none. With port 0 the caller learns
// the port from the listener's Addr, and must put it into the URLs of the
// configuration before New.
func Listen(ctx context.Context, c config.Config) (*Listeners, error) {
	var l Listeners
	for _, p := range []struct {
		field, address string
		to             *net.Listener
	}{
		{"public.listen", c.Public.Listen, &l.Public},
		{"signin.listen", c.SignIn.Listen, &l.SignIn},
		{"check.listen", c.Check.Listen, &l.Check},
		{"admin.listen", c.Admin.Listen, &l.Admin},
	} {
		if p.address == "" {
			continue
		}
		ln, err := new(net.ListenConfig).Listen(ctx, "tcp", p.address)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("server: %s: %w", p.field, err), l.Close())
		}
		*p.to = ln
	}
	return &l, nil
}

// Close closes the ports that are open. The error names every port that did not
// close, those that were closed before included.
func (l *Listeners) Close() error {
	var errs []error
	for _, ln := range []net.Listener{l.Public, l.SignIn, l.Check, l.Admin} {
		if ln != nil {
			errs = append(errs, ln.Close())
		}
	}
	return errors.Join(errs...)
}

// Run opens the ports that the configuration names and does what Serve does. The
// error is that of [Listen] or of Serve.
func (s *Server) Run(ctx context.Context) error {
	l, err := Listen(ctx, s.opts.Config)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	return s.Serve(ctx, l)
}

// Serve answers on l until ctx ends, then lets requests under way finish within
// the configured time. It takes over l and closes it. The error is nil after a
// clean shutdown. Connections are accepted as soon as Listen returned: those
// that come before Serve wait in the queue of the kernel.
//
// Trust data that do not load at the start do not stop the server: it says so in
// the log and in /readyz, lets nobody in, and keeps trying.
func (s *Server) Serve(ctx context.Context, l *Listeners) error {
	if err := s.claimPeople(); err != nil {
		return errors.Join(err, l.Close(), s.Close())
	}
	endJournal, err := s.openJournal()
	if err != nil {
		return errors.Join(err, l.Close(), s.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	loaded := s.opts.Trust.Current().ID() != ""
	go s.sessions.Run(ctx)
	watch, first := make(chan struct{}), make(chan struct{})
	tried := sync.OnceFunc(func() { close(first) })
	go func() {
		defer close(watch)
		s.opts.Trust.Watch(ctx, s.opts.Config.Trust.Reload, func(err error) { //nolint:errcheck // ends with ctx, and says only that
			s.reloaded(err)
			tried()
		})
	}()
	if !loaded { // whoever comes meanwhile waits instead of being turned away
		select {
		case <-first:
		case <-watch:
		}
	}
	var running sync.WaitGroup
	if s.verifier != nil {
		running.Go(func() { s.verifier.Run(ctx) })
	}
	if s.refresh != nil { // after the first load, whose lists say where the others are
		running.Go(func() { s.refresh.Run(ctx) }) //nolint:errcheck // ends with ctx, and says only that
	}
	endPeople := s.runPeople(ctx)
	err = s.serveAll(ctx, s.hosts(l))
	endPeople()
	cancel()
	<-watch
	running.Wait()
	return errors.Join(err, endJournal(), s.Close())
}

// host is one listener and what answers on it.
type host struct {
	name     string
	listener net.Listener
	server   *http.Server
}

// hosts pairs the open ports with what answers on them.
func (s *Server) hosts(l *Listeners) []host {
	hosts := []host{
		{"public", s.tls("public", l.Public, s.keys.public, s.publicTLS()), s.httpServer(s.public)},
		{"signin", s.tls("signin", l.SignIn, s.keys.signIn, s.signInTLS()), s.httpServer(s.signIn)},
		{"admin", l.Admin, s.httpServer(s.admin)},
	}
	if l.Check != nil {
		hosts = append(hosts, host{"check", l.Check, s.httpServer(s.check)})
	}
	return hosts
}

// serveAll serves until ctx ends or one of the hosts fails, then shuts all down.
func (s *Server) serveAll(ctx context.Context, hosts []host) error {
	failed := make(chan error, len(hosts))
	for _, h := range hosts {
		s.opts.Log.LogAttrs(ctx, slog.LevelInfo, "listening",
			slog.String("host", h.name), slog.String("address", h.listener.Addr().String()))
		go func() { failed <- h.server.Serve(h.listener) }()
	}
	var errs []error
	running := len(hosts)
	select {
	case <-ctx.Done():
	case err := <-failed:
		errs, running = append(errs, err), running-1
	}
	// The context of the caller is over; the grace period has its own.
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.Config.Limits.Shutdown)
	defer cancel()
	errs = append(errs, shutDown(grace, hosts)...)
	for range running {
		if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
			errs = append(errs, err)
		}
	}
	s.opts.Log.LogAttrs(grace, slog.LevelInfo, "stopped")
	return errors.Join(errs...)
}

// shutDown stops all hosts at once. Connections that outlive the grace period
// are cut; that is not an error of the server.
func shutDown(ctx context.Context, hosts []host) []error {
	results := make(chan error, len(hosts))
	for _, h := range hosts {
		go func() {
			err := h.server.Shutdown(ctx)
			if errors.Is(err, context.DeadlineExceeded) {
				err = h.server.Close()
			}
			results <- err
		}()
	}
	var errs []error
	for range hosts {
		if err := <-results; err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errs
}

// reloaded notes what a load of trust data came to.
func (s *Server) reloaded(err error) {
	s.metrics.Reload(err)
	ctx := context.Background()
	if err != nil {
		s.opts.Log.LogAttrs(ctx, slog.LevelError, "trust data not loaded; the previous ones stay in force",
			slog.String("code", string(reason.Of(err))), slog.String("err", err.Error()))
		return
	}
	snap := s.opts.Trust.Current()
	if s.client != nil && s.opts.Config.Trust.Refresh.ListedHosts {
		s.client.Allow(refresh.Addresses(snap.Trust().Accredited))
	}
	if err := s.opts.Trust.StateError(); err != nil {
		s.opts.Log.LogAttrs(ctx, slog.LevelError, "fetched trust data would not survive a restart", slog.String("err", err.Error()))
	}
	version, _ := snap.TSLVersion()
	s.opts.Log.LogAttrs(ctx, slog.LevelInfo, "trust data loaded", slog.String("id", snap.ID()),
		slog.Int("list_version", version), slog.Int("quarantined_crls", len(snap.Quarantined())))
	s.journal.Act(ctx, "trust-loaded", fmt.Sprintf("trust=%s list_version=%d", snap.ID(), version))
}
