package certs_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"propusk/certs"
	"propusk/certs/testpki"
	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
)

// TestWantedByName: a good list of another CA is not what was asked for, however the CA
// was named.
func TestWantedByName(t *testing.T) {
	c := newCountry(t, "wanted", moment)
	s := withState(t, trustDir(t, c), filepath.Join(t.TempDir(), "state"))
	fns, other := c.Authority("fns").Certificate, newCRL(t, c, "commercial", time.Minute)
	for _, want := range []certs.Wanted{{Issuer: fns.RawSubject}, {KeyID: fns.SubjectKeyID}} {
		if got, err := s.OfferCRL(other, want); got.Changed || reason.Of(err) != reason.CRLIssuerMismatch {
			t.Errorf("%+v: %+v, %v", want, got, err)
		}
	}
}

// TestUnusableList: nothing is concluded from a list with a critical extension that
// nobody knows, so it takes the place of no other.
func TestUnusableList(t *testing.T) {
	c := newCountry(t, "unusable", moment)
	s := withState(t, trustDir(t, c), filepath.Join(t.TempDir(), "state"))
	a := c.Authority("fns")
	template := c.CRLTemplate(a)
	template.ThisUpdate = template.ThisUpdate.Add(time.Minute)
	template.Extra = []gostx509.Extension{{ID: []int{1, 2, 3}, Critical: true, Value: []byte{5, 0}}}
	if got, err := s.OfferCRL(must(c.IssueCRL(a, template))(t), certs.Wanted{}); got.Changed || reason.Of(err) != reason.CRLUnsupported {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestNewestOfBothDirectories: of what the operator gave and what was fetched the newer
// one counts, whichever it is.
func TestNewestOfBothDirectories(t *testing.T) {
	c := newCountry(t, "both", moment)
	dir := trustDir(t, c)
	s := withState(t, dir, filepath.Join(t.TempDir(), "state"))
	offerTSL(t, s, newTSL(t, c, 2))
	offerCRL(t, s, newCRL(t, c, "fns", time.Second))
	reload(t, s)
	write(t, filepath.Join(dir, "tsl.xml"), newTSL(t, c, 5))
	write(t, filepath.Join(dir, "crls", "fns.crl"), newCRL(t, c, "fns", 3*time.Second))
	reload(t, s)
	if v := version(t, s); v != c.TSLContent().Version+5 {
		t.Errorf("version %d", v)
	}
	if got, err := s.OfferCRL(newCRL(t, c, "fns", 2*time.Second), certs.Wanted{}); got.Changed || reason.Of(err) != reason.TrustCRLRollback {
		t.Errorf("older than that of the operator: %+v, %v", got, err)
	}
	if _, err := s.OfferTSL(t.Context(), newTSL(t, c, 4)); reason.Of(err) != reason.TrustListRollback {
		t.Errorf("older than that of the operator: %v", err)
	}
}

// TestSignersAreAskedAgain: a list that was verified once is not believed any longer
// when those who may sign it have changed.
func TestSignersAreAskedAgain(t *testing.T) {
	c := newCountry(t, "signers", moment)
	dir := trustDir(t, c)
	s := loaded(t, dir)
	for _, path := range must(filepath.Glob(filepath.Join(dir, "tsl-signers", "*")))(t) {
		remove(t, path)
	}
	if err := os.MkdirAll(filepath.Join(dir, "tsl-signers"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "tsl-signers", "fns.cer"), c.Authority("fns").Certificate.Raw)
	if err := s.Reload(t.Context()); reason.Of(err) != reason.TSLNotVerified {
		t.Errorf("signed by somebody who may not sign any more: %v", err)
	}
}

// TestIssuerComesAndGoes: whether a list is good is asked again when the CAs change.
func TestIssuerComesAndGoes(t *testing.T) {
	c := newCountry(t, "issuer", moment)
	dir := trustDir(t, c)
	pem := filepath.Join(dir, "intermediates", "unlisted.pem")
	cert := read(t, pem)
	s := loaded(t, dir)
	good := len(s.Current().RevocationLists())
	remove(t, pem)
	reload(t, s)
	if got := len(s.Current().RevocationLists()); got != good-1 {
		t.Errorf("%d lists without the CA of one of %d", got, good)
	}
	write(t, pem, cert)
	reload(t, s)
	if got := len(s.Current().RevocationLists()); got != good {
		t.Errorf("%d lists, want %d", got, good)
	}
}

// TestReplacedInSecret: a file is read again if it is another one, if its length or its
// time is another one, and if it was written so lately that its time says nothing.
func TestReplacedInSecret(t *testing.T) {
	c := newCountry(t, "secret", moment)
	serial := c.Person("ip").Certificate.Serial
	other := bytes.Clone(serial)
	other[len(other)-1] ^= 1
	harmless := newCRL(t, c, "fns", time.Minute, other)
	revokes := newCRL(t, c, "fns", time.Minute, serial)
	longer := newCRL(t, c, "fns", time.Minute, serial, other)
	if len(harmless) != len(revokes) {
		t.Fatal("of different lengths")
	}
	old, lately := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	for name, v := range map[string]struct {
		before, after time.Time
		replace       func(path string)
	}{
		"another time": {old, old.Add(time.Minute), func(path string) { write(t, path, revokes) }},
		"another file": {old, old, func(path string) {
			write(t, path+".new", revokes)
			if err := os.Rename(path+".new", path); err != nil {
				t.Fatal(err)
			}
		}},
		"another length": {old, old, func(path string) { write(t, path, longer) }},
		"written lately": {lately, lately, func(path string) { write(t, path, revokes) }},
	} {
		dir := trustDir(t, c)
		path := filepath.Join(dir, "crls", "fns.crl")
		write(t, path, harmless)
		if err := os.Chtimes(path, v.before, v.before); err != nil {
			t.Fatal(err)
		}
		s := loaded(t, dir)
		if code := judge(s.Current(), c, "ip"); code != "" {
			t.Fatal(code)
		}
		v.replace(path)
		if err := os.Chtimes(path, v.after, v.after); err != nil {
			t.Fatal(err)
		}
		reload(t, s)
		if code := judge(s.Current(), c, "ip"); code != reason.CertRevoked {
			t.Errorf("%s: %q", name, code)
		}
	}
}

// TestFloorOfPlaces: a list that falls below the floor is dropped with all of its place,
// and a newer one beside an older one saves both.
func TestFloorOfPlaces(t *testing.T) {
	c := newCountry(t, "places", moment)
	dir, stateDir := trustDir(t, c), filepath.Join(t.TempDir(), "state")
	s := withState(t, dir, stateDir)
	offerCRL(t, s, newCRL(t, c, "fns", time.Minute))
	reload(t, s)
	for name, s := range map[string]*certs.Store{"running": s, "restarted": withState(t, dir, stateDir)} {
		reload(t, s)
		if q := s.Current().Quarantined(); len(q) != 0 {
			t.Errorf("%s: beside a newer one: %+v", name, q)
		}
	}
	remove(t, filepath.Join(stateDir, "crls"))
	restarted := withState(t, dir, stateDir)
	if q := restarted.Current().Quarantined(); len(q) != 1 || q[0].Code != reason.TrustCRLRollback {
		t.Errorf("alone: %+v", q)
	}
	// The clock of the machine may be put back: what was accepted stays accepted.
	early := certs.NewStore(certs.Source{Dir: dir, State: stateDir}, func() time.Time { return moment.Add(-testpki.Life) })
	if err := early.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(early.Current().Trust().CRLs.Lists()); got != 0 {
		t.Errorf("%d lists of the future are in force", got)
	}
	if got, err := early.OfferCRL(newCRL(t, c, "fns", -2*testpki.Life), certs.Wanted{}); got.Changed || err == nil {
		t.Errorf("older than what was accepted: %+v, %v", got, err)
	}
}

// TestDeltaIsNotForgotten: somebody who may remove files of the state directory cannot
// make good again what a delta list has revoked.
func TestDeltaIsNotForgotten(t *testing.T) {
	c := newCountry(t, "delta", moment)
	dir, stateDir := trustDir(t, c), filepath.Join(t.TempDir(), "state")
	s := withState(t, dir, stateDir)
	a := c.Authority("fns")
	list := func(change func(*crl.Template)) []byte {
		template := c.CRLTemplate(a)
		change(&template)
		return must(c.IssueCRL(a, template))(t)
	}
	complete := list(func(t *crl.Template) { t.Number, t.ThisUpdate = 7, t.ThisUpdate.Add(time.Minute) })
	delta := list(func(l *crl.Template) {
		l.Number, l.Base, l.ThisUpdate = 9, 7, l.ThisUpdate.Add(2*time.Minute)
		l.Entries = []crl.Entry{{Serial: c.Person("ip").Certificate.Serial, RevokedAt: moment.Add(-time.Minute), Reason: crl.KeyCompromise}}
	})
	offerCRL(t, s, complete)
	reload(t, s)
	crls := filepath.Join(stateDir, "crls")
	path := must(filepath.Glob(filepath.Join(crls, "*.crl")))(t)[0]
	offerCRL(t, s, delta)
	reload(t, s)
	if code := judge(s.Current(), c, "ip"); code != reason.CertRevoked {
		t.Fatal(code)
	}
	for _, file := range must(filepath.Glob(filepath.Join(crls, "*.crl")))(t) {
		if file != path {
			remove(t, file)
		}
	}
	if err := s.Reload(t.Context()); reason.Of(err) != reason.TrustCRLMissing {
		t.Errorf("running: %v", err)
	}
	again := withState(t, dir, stateDir)
	if code := judge(again.Current(), c, "ip"); code == "" {
		t.Error("after a restart it is good again")
	}
	if got, err := again.OfferCRL(complete, certs.Wanted{}); got.Changed || err != nil {
		t.Errorf("the complete list is still there: %+v, %v", got, err)
	}
	offerCRL(t, again, delta)
	reload(t, again)
	if code := judge(again.Current(), c, "ip"); code != reason.CertRevoked {
		t.Errorf("with the delta list again: %q", code)
	}
	// A later complete list needs no delta list that was before it.
	for _, file := range must(filepath.Glob(filepath.Join(crls, "*.crl")))(t) {
		remove(t, file)
	}
	write(t, filepath.Join(dir, "crls", "fns.crl"), list(func(t *crl.Template) { t.Number, t.ThisUpdate = 10, t.ThisUpdate.Add(3*time.Minute) }))
	last := withState(t, dir, stateDir)
	if code := judge(last.Current(), c, "ip"); code != "" || len(last.Current().Quarantined()) != 0 {
		t.Errorf("a later complete list: %q, %+v", code, last.Current().Quarantined())
	}
}
