package certs_test

import (
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"propusk/certs"
	"propusk/certs/testpki"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/tsl"
	"propusk/pki/validate"
	"propusk/pki/verdict"
)

// stage is trust data that will be in force, and what is right by them.
type stage struct {
	list, crl []byte // what is offered
	old       []byte // a list that must be refused
	want      reason.Code
}

// stages make the CA of a person accredited and terminated, and his certificate
// revoked and not, in all combinations, again and again.
func stages(t *testing.T, c *testpki.Country, n int) []stage {
	t.Helper()
	serial := c.Person("ip").Certificate.Serial
	var all []stage
	for i := range n {
		s := stage{old: c.TSL()}
		revoked, terminated := i%2 == 1, i/2%2 == 1
		if revoked {
			s.crl = newCRL(t, c, "fns", time.Duration(i+1)*time.Second, serial)
		} else {
			s.crl = newCRL(t, c, "fns", time.Duration(i+1)*time.Second)
		}
		s.list = newTSL(t, c, i+1, func(l *tsl.Content) {
			if !terminated {
				return
			}
			for _, ca := range l.CAs {
				if ca.ShortName == c.Authority("fns").Name {
					ca.Current = tsl.StatusChange{Value: tsl.Terminated, Since: moment.AddDate(0, 0, -60)}
					ca.History = append(ca.History, ca.Current)
				}
			}
		})
		switch { // a verdict tells the first thing that is wrong
		case revoked:
			s.want = reason.CertRevoked
		case terminated:
			s.want = reason.CANotAccredited
		}
		all = append(all, s)
	}
	return all
}

// given is a verdict that somebody was given.
type given struct {
	id     string      // of the trust data it says it rests on
	code   reason.Code // empty if it passed
	passed bool
	// completed is how many swaps had ended before it began, started how many had
	// begun when it ended.
	completed, started int64
}

// TestVerdictsWhileListsChange gives 10,000 verdicts while the lists change under
// them: each is the one that is right for the snapshot that it names, that snapshot
// was in force while the verdict was made, and none is lost.
func TestVerdictsWhileListsChange(t *testing.T) {
	const all, judges, swaps = 10_000, 8, 40
	c := newCountry(t, "verdicts", moment)
	dir := trustDir(t, c)
	s := withState(t, dir, filepath.Join(t.TempDir(), "state"))
	plan := stages(t, c, swaps)
	inForce := map[string]int64{s.Current().ID(): 0} // identifier → number of the stage
	right := map[string]reason.Code{s.Current().ID(): ""}

	var completed, started atomic.Int64
	person := c.Person("ip").Certificate.Raw
	results := make([][]given, judges)
	// One for a verdict. The room makes a half of those of a stage begin before the next
	// one is put in force, and leaves the other half for meanwhile.
	tickets := make(chan struct{}, all/swaps/2)
	var wait sync.WaitGroup
	for i := range judges {
		wait.Go(func() {
			for range tickets {
				g := given{completed: completed.Load()}
				v := validate.Validator{Trust: s.Current().Trust(), Policy: validate.QES()}
				got := v.Certificate(person, nil, moment)
				g.started = started.Load()
				g.id, g.code, g.passed = v.Trust.ID, got.Verdict.Why(), got.Verdict.Status() == verdict.Passed
				results[i] = append(results[i], g)
			}
		})
	}
	for n, st := range plan {
		for range all / swaps {
			tickets <- struct{}{}
		}
		if err := swap(t, s, c, st, &started, &completed); err != nil {
			t.Errorf("swap %d: %v", n, err)
			continue
		}
		inForce[s.Current().ID()], right[s.Current().ID()] = int64(n+1), st.want
	}
	close(tickets)
	wait.Wait()
	if len(inForce) != swaps+1 {
		t.Errorf("%d different snapshots, want %d", len(inForce), swaps+1)
	}
	count, seen := 0, make(map[string]bool)
	for _, list := range results {
		for _, g := range list {
			count++
			seen[g.id] = true
			n, known := inForce[g.id]
			switch {
			case !known:
				t.Fatalf("a verdict by %q, which was never in force", g.id)
			case g.code != right[g.id] || g.passed != (right[g.id] == ""):
				t.Fatalf("by snapshot %d: %q, passed %t; right is %q", n, g.code, g.passed, right[g.id])
			case n < g.completed || n > g.started:
				t.Fatalf("a verdict by snapshot %d, made between %d and %d", n, g.completed, g.started)
			}
		}
	}
	if count != all {
		t.Errorf("%d verdicts, want %d", count, all)
	}
	if len(seen) < swaps {
		t.Errorf("the verdicts rest on %d snapshots only", len(seen))
	}
}

// swap puts a stage in force, and tries to bring an older list back before and after.
func swap(t *testing.T, s *certs.Store, c *testpki.Country, st stage, started, completed *atomic.Int64) error {
	t.Helper()
	started.Add(1)
	defer completed.Add(1)
	if changed, err := s.OfferTSL(t.Context(), st.list); err != nil || !changed {
		return errors.Join(errors.New("the list was not taken"), err)
	}
	if got, err := s.OfferCRL(st.crl, certs.Wanted{}); err != nil || !got.Changed {
		return errors.Join(errors.New("the CRL was not taken"), err)
	}
	for range 2 {
		if _, err := s.OfferTSL(t.Context(), st.old); reason.Of(err) != reason.TrustListRollback {
			return errors.Join(errors.New("an older list was taken"), err)
		}
		if _, err := s.OfferCRL(c.CRL("fns"), certs.Wanted{}); reason.Of(err) != reason.TrustCRLRollback {
			return errors.Join(errors.New("an older CRL was taken"), err)
		}
		if err := s.Reload(t.Context()); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkReloadOneCRL refreshes one revocation list of a store with thousands of CA
// certificates.
func BenchmarkReloadOneCRL(b *testing.B) {
	c := newCountry(b, "bench", moment)
	dir := trustDir(b, c)
	content := c.TSLContent()
	fns := c.Authority("fns")
	keys := &content.CAs[2].Installations[0].Keys
	for range 400 {
		cert, err := c.Issue(c.Authority("head-256"), caTemplate(fns.Certificate), fns.Key.PublicKey().Curve())
		if err != nil {
			b.Fatal(err)
		}
		*keys = append(*keys, tsl.Key{ID: cert.Certificate.SubjectKeyID, Certificates: []tsl.Certificate{tsl.NewCertificate(cert.Certificate)}})
	}
	write(b, filepath.Join(dir, "tsl.xml"), must(c.SignTSL(content, c.TSLSigner()))(b))
	s := withState(b, dir, filepath.Join(b.TempDir(), "state"))
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		data := newCRL(b, c, "fns", time.Duration(i+1)*time.Second)
		b.StartTimer()
		offerCRL(b, s, data)
		reload(b, s)
	}
}

// caTemplate is a CA certificate like another one.
func caTemplate(like *gostx509.Certificate) gostx509.Template {
	return gostx509.Template{
		Subject: like.Subject, NotBefore: like.NotBefore, NotAfter: like.NotAfter, IsCA: true, MaxPathLen: 0, KeyUsage: like.KeyUsage,
	}
}
