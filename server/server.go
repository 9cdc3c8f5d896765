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
	"time"

	"propusk/certs"
	"propusk/server/config"
)

// Options is what a Server is made of.
type Options struct {
	// Config must pass Validate.
	Config config.Config

	// Trust is the store of trust snapshots. The server reads the current
	// snapshot at every request and calls Reload at the configured interval.
	Trust *certs.Store

	// Log receives one line per request and the events of the server. It never
	// receives personal data.
	Log *slog.Logger

	// Now returns the time; nil means time.Now.
	Now func() time.Time

	// Version is shown in metrics and in the API document.
	Version string
}

// Server is the gateway. Make it with New.
type Server struct {
	opts Options
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

// Close closes the ports that are open.
func (l *Listeners) Close() error {
	var errs []error
	for _, ln := range []net.Listener{l.Public, l.SignIn, l.Check, l.Admin} {
		if ln != nil {
			errs = append(errs, ln.Close())
		}
	}
	return errors.Join(errs...)
}

// New reads the keys that the configuration names and puts the server together.
// It opens no ports.
func New(o Options) (*Server, error) {
	return &Server{opts: o}, nil
}

// Run opens the ports and serves until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	l, err := Listen(ctx, s.opts.Config)
	if err != nil {
		return err
	}
	return s.Serve(ctx, l)
}

// Serve answers on l until ctx ends, then lets requests under way finish within
// the configured time. It takes over l and closes it. The error is nil after a
// clean shutdown. Connections are accepted as soon as Listen returned: those
// that come before Serve wait in the queue of the kernel.
func (s *Server) Serve(ctx context.Context, l *Listeners) error {
	panic("TODO")
}
