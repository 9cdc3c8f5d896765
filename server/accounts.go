package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"propusk/pki/person"
	"propusk/server/account"
	"propusk/server/config"
	"propusk/server/journal"
	"propusk/server/mail"
	"propusk/server/store"
	"propusk/server/support"
	"propusk/server/upkeep"
	"propusk/server/visit"
)

// farewellTimeout is how long a service may take to hear that a visit has ended.
const farewellTimeout = 10 * time.Second

// people are the parts that know people for longer than a sign-in. There are none without
// accounts.
type people struct {
	store  store.Store
	serve  func() error // makes this process the one that serves the store
	sealer *account.Sealer
	mail   mail.Composer
	sender *mail.Sender // nil if letters wait
	visits *visit.Keeper
	upkeep *upkeep.Keeper
	// farewell is what tells services of the end of visits.
	farewell *http.Client
}

// openPeople opens the store of accounts and makes what works on it; nil without accounts. The
// journal must be there.
func (s *Server) openPeople() (*people, error) {
	c := s.opts.Config
	if !c.Accounts.Kept() {
		return nil, nil
	}
	p := &people{mail: mail.Composer{Gateway: c.Challenge.Name, URL: c.Public.URL, Support: supportURL(c)}}
	var err error
	if p.sealer, err = account.NewSealer(s.keys.accounts); err != nil {
		return nil, fmt.Errorf("server: accounts.secret: %w", err)
	}
	if p.farewell, err = newFarewell(c.OIDC); err != nil {
		return nil, err
	}
	file, err := store.Open(c.Accounts.Path)
	if err != nil {
		return nil, fmt.Errorf("server: accounts.path: %w", err)
	}
	p.serve = file.Serve
	// What the store wakes is made after it.
	p.store = store.Watch(file, func() {
		if p.sender != nil {
			p.sender.Wake()
		}
	}, func() { p.upkeep.Wake() })
	p.visits = visit.New(visit.Options{
		Store: p.store, Now: s.opts.Now, Life: c.Visits.Life, Idle: c.Visits.Idle,
		Ended: func(v account.Visit) { s.sessions.Forget(v.CertSHA256) }, // nobody comes back without a proof of the key
	})
	p.upkeep = upkeep.New(upkeep.Options{
		Store: p.store, Journal: s.journal, Mail: p.mail, Ended: p.visits.Over, Now: s.opts.Now, Log: s.opts.Log,
	})
	s.metrics.WatchAccounts(p.upkeep.Waiting)
	if p.sender, err = s.newSender(p.store); err != nil {
		return nil, errors.Join(err, p.store.Close())
	}
	return p, nil
}

// newSender returns what sends letters; nil without a mail server.
func (s *Server) newSender(letters store.Store) (*mail.Sender, error) {
	c := s.opts.Config.Mail
	if c.Server == "" {
		return nil, nil
	}
	o := mail.Options{Store: letters, Poll: c.Poll, GiveUp: c.GiveUp, Keep: c.Keep, Now: s.opts.Now, Log: s.opts.Log, Observe: s.metrics.Letter}
	o.Server = mail.Server{Address: c.Server, Security: c.Security, Login: c.Login, From: c.From, FromName: c.FromName}
	if c.FromName == "" {
		o.Server.FromName = s.opts.Config.Challenge.Name
	}
	var err error
	if o.Server.Roots, err = rootsIn(c.CA); err != nil {
		return nil, fmt.Errorf("server: mail.ca: %w", err)
	}
	if c.PasswordFile != "" {
		password, err := s.keys.safe.secret(c.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("server: mail.password_file: %w", err)
		}
		o.Server.Password = strings.TrimRight(string(password), "\r\n")
	}
	sender, err := mail.NewSender(o)
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	s.metrics.WatchMail(func() (time.Time, int) {
		state := sender.State()
		return state.FailingSince, state.Waiting
	})
	return sender, nil
}

// supportURL is where people find help: the form of the gateway, where there is one, unless the
// operator has another.
func supportURL(c config.Config) string {
	if c.Support.URL == "" && c.Accounts.Kept() {
		return c.Public.URL + support.Path
	}
	return c.Support.URL
}

// rootsIn reads what verifies a server; nil, for no file, is what the system trusts.
func rootsIn(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s: no certificate in PEM", file)
	}
	return roots, nil
}

// newFarewell returns what tells services of the end of visits. The address is the one that
// was registered: redirects are not followed.
func newFarewell(c config.OIDC) (*http.Client, error) {
	roots, err := rootsIn(c.BackChannelCA)
	if err != nil {
		return nil, fmt.Errorf("server: oidc.backchannel_ca: %w", err)
	}
	return &http.Client{
		Timeout:       farewellTimeout,
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// history is the journal as people see it: with what they have done just now.
type history struct {
	*upkeep.Keeper
	*journal.Recorder
}

// Of is [journal.Recorder.Of]. What cannot be brought to the journal comes later; the log
// tells of that.
func (h history) Of(ctx context.Context, who []person.Identity, before uint64, limit int) ([]journal.Record, error) {
	_ = h.Drain(ctx)
	return h.Recorder.Of(ctx, who, before, limit)
}

// claimPeople makes this process the one that serves the accounts.
func (s *Server) claimPeople() error {
	if s.people == nil {
		return nil
	}
	if err := s.people.serve(); err != nil {
		return fmt.Errorf("server: accounts.path: %w", err)
	}
	return nil
}

// runPeople does what accounts need until the function that it returns is called, which does
// the last of it: requests must be over then, and the journal still open.
func (s *Server) runPeople(ctx context.Context) (end func()) {
	p := s.people
	if p == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { p.upkeep.Run(ctx) })
	running.Go(func() {
		p.visits.Run(ctx, func(ctx context.Context, clientID, sid string) error {
			return s.provider.LogOut(ctx, p.farewell, clientID, sid)
		})
	})
	if p.sender != nil {
		running.Go(func() { p.sender.Run(ctx) })
	}
	return func() {
		cancel()
		running.Wait()
	}
}
