package server

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"fmt"

	"propusk/gost/streebog"
	"propusk/pki/person"
	"propusk/server/journal"
)

// newJournal returns what writes the journal; nil if there is none.
func (s *Server) newJournal() *journal.Recorder {
	c := s.opts.Config.Journal
	r := journal.NewRecorder(journal.Options{
		Path: c.Path, Required: c.Required(), Addresses: c.Addresses, Now: s.opts.Now, Log: s.opts.Log,
		// No service has an empty client ID: the pseudonym is the journal's own.
		Subject: func(who person.Identity) (string, error) { return s.provider.Subject("", who) },
		Observe: func(kind journal.Kind, err error) { s.metrics.Journalled(string(kind), err) },
	})
	if r != nil {
		s.metrics.WatchJournal(r.Noted)
	}
	return r
}

// openJournal opens the journal, and notes the start; the function that it returns notes the
// end and closes the journal.
func (s *Server) openJournal() (end func() error, err error) {
	if err := s.journal.Open(); err != nil {
		return nil, fmt.Errorf("server: journal.path: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	s.journal.Act(ctx, "started", fmt.Sprintf("version=%s keys=%s trust=%s", s.opts.Version, s.keys.fingerprint(), s.opts.Trust.Current().ID()))
	go func() { ended <- s.journal.Run(ctx) }()
	return func() error {
		s.journal.Act(ctx, "stopped", "")
		cancel()
		return <-ended
	}, nil
}

// fingerprint is another one when a certificate or the key of tokens is: Streebog-256 in
// hexadecimal.
func (k keys) fingerprint() string {
	h := streebog.New256()
	for _, host := range []hostKeys{k.public, k.signIn} {
		for _, chain := range [][][]byte{host.ordinary.Certificate, host.gost.Chain} {
			for _, cert := range chain {
				h.Write(cert) // certificates say how long they are
			}
		}
	}
	if k.token != nil {
		if raw, err := x509.MarshalPKIXPublicKey(k.token.Public()); err == nil {
			h.Write(raw)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
