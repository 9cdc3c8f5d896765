package certs_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"propusk/certs"
	"propusk/certs/testpki"
	"propusk/pki/crl"
	"propusk/pki/reason"
	"propusk/pki/tsl"
	"propusk/pki/validate"
	"propusk/pki/verdict"
)

// newTSL signs a list whose version is so much higher than that of the country.
func newTSL(t testing.TB, c *testpki.Country, more int, change ...func(*tsl.Content)) []byte {
	t.Helper()
	content := c.TSLContent()
	content.Version += more
	for _, f := range change {
		f(content)
	}
	return must(c.SignTSL(content, c.TSLSigner()))(t)
}

// newCRL signs a list of a CA that was issued so long after that of the country,
// and revokes certificates.
func newCRL(t testing.TB, c *testpki.Country, id string, later time.Duration, revoked ...[]byte) []byte {
	t.Helper()
	a := c.Authority(id)
	template := c.CRLTemplate(a)
	template.ThisUpdate = template.ThisUpdate.Add(later)
	template.Number = int64(2 + later/time.Second)
	for _, serial := range revoked {
		template.Entries = append(template.Entries, crl.Entry{Serial: serial, RevokedAt: moment.Add(-time.Hour), Reason: crl.KeyCompromise})
	}
	return must(c.IssueCRL(a, template))(t)
}

// withState returns a store of a trust directory and a state directory, loaded.
func withState(t testing.TB, dir, stateDir string) *certs.Store {
	t.Helper()
	s := certs.NewStore(certs.Source{Dir: dir, State: stateDir}, now)
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func offerTSL(t testing.TB, s *certs.Store, doc []byte) {
	t.Helper()
	if changed, err := s.OfferTSL(t.Context(), doc); err != nil || !changed {
		t.Fatalf("changed %t, %v", changed, err)
	}
}

func offerCRL(t testing.TB, s *certs.Store, data []byte) {
	t.Helper()
	if got, err := s.OfferCRL(data, certs.Wanted{}); err != nil || !got.Changed {
		t.Fatalf("%+v, %v", got, err)
	}
}

func reload(t testing.TB, s *certs.Store) {
	t.Helper()
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.StateError(); err != nil {
		t.Fatal(err)
	}
}

func version(t testing.TB, s *certs.Store) int {
	t.Helper()
	v, _ := s.Current().TSLVersion()
	return v
}

// judge returns why a person may not enter, empty if he may.
func judge(s *certs.Snapshot, c *testpki.Country, id string) reason.Code {
	v := validate.Validator{Trust: s.Trust(), Policy: validate.QES()}
	got := v.ParsedCertificate(c.Person(id).Certificate, nil, moment)
	if got.Verdict.Status() == verdict.Passed {
		return ""
	}
	return got.Verdict.Why()
}

// TestOffersSurviveRestart: what was offered and put in force is there after a
// restart, with nobody to fetch it from, and the trust directory is as it was.
func TestOffersSurviveRestart(t *testing.T) {
	c := newCountry(t, "restart", moment)
	dir, stateDir := trustDir(t, c), filepath.Join(t.TempDir(), "state")
	before := listing(t, dir)
	s := withState(t, dir, stateDir)
	if code := judge(s.Current(), c, "ip"); code != "" {
		t.Fatal(code)
	}
	offerTSL(t, s, newTSL(t, c, 5))
	offerCRL(t, s, newCRL(t, c, "fns", time.Minute, c.Person("ip").Certificate.Serial))
	if v := version(t, s); v != c.TSLContent().Version {
		t.Errorf("version %d is in force before Reload", v)
	}
	reload(t, s)
	for name, s := range map[string]*certs.Store{"running": s, "restarted": withState(t, dir, stateDir)} {
		if v := version(t, s); v != c.TSLContent().Version+5 {
			t.Errorf("%s: version %d", name, v)
		}
		if code := judge(s.Current(), c, "ip"); code != reason.CertRevoked {
			t.Errorf("%s: %q, want revoked", name, code)
		}
	}
	if after := listing(t, dir); after != before {
		t.Errorf("the trust directory has changed:\n%s\n%s", before, after)
	}
	if a, b := s.Current().ID(), withState(t, dir, stateDir).Current().ID(); a != b {
		t.Errorf("the same data are %s and %s", a, b)
	}
}

// listing names all files of a directory with sizes and times.
func listing(t testing.TB, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && !d.IsDir() {
			fmt.Fprintln(&b, path, info.Size(), info.ModTime())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestFloorAcrossRestarts: what was accepted once is the least that is accepted
// later, although the files that held it are gone and the process is a new one.
func TestFloorAcrossRestarts(t *testing.T) {
	c := newCountry(t, "floor", moment)
	dir, stateDir := trustDir(t, c), filepath.Join(t.TempDir(), "state")
	s := withState(t, dir, stateDir)
	list, fns := newTSL(t, c, 3), newCRL(t, c, "fns", time.Minute)
	offerTSL(t, s, list)
	offerCRL(t, s, fns)
	reload(t, s)
	remove(t, filepath.Join(stateDir, "tsl.xml"))
	remove(t, filepath.Join(stateDir, "crls"))

	again := certs.NewStore(certs.Source{Dir: dir, State: stateDir}, now)
	if err := again.Reload(t.Context()); reason.Of(err) != reason.TrustListRollback {
		t.Fatalf("an older list after a restart: %v", err)
	}
	checkSentence(t, again.Reload(t.Context()))
	if _, err := again.OfferTSL(t.Context(), newTSL(t, c, 2)); reason.Of(err) != reason.TrustListRollback {
		t.Errorf("an older list is offered: %v", err)
	}
	offerTSL(t, again, list)
	reload(t, again)
	q := again.Current().Quarantined()
	if len(q) != 1 || q[0].Code != reason.TrustCRLRollback || filepath.Base(q[0].Path) != "fns.crl" {
		t.Errorf("quarantined: %+v", q)
	}
	if code := judge(again.Current(), c, "ip"); code == "" || code == reason.CertRevoked {
		t.Errorf("by an older list: %q", code)
	}
	if _, err := again.OfferCRL(newCRL(t, c, "fns", time.Second), certs.Wanted{}); reason.Of(err) != reason.TrustCRLRollback {
		t.Errorf("an older CRL is offered: %v", err)
	}
	offerCRL(t, again, fns)
	reload(t, again)
	if code := judge(again.Current(), c, "ip"); code != "" {
		t.Errorf("after repair: %q", code)
	}

	remove(t, filepath.Join(dir, "tsl.xml"))
	remove(t, filepath.Join(stateDir, "tsl.xml"))
	last := certs.NewStore(certs.Source{Dir: dir, State: stateDir}, now)
	if err := last.Reload(t.Context()); reason.Of(err) != reason.TrustListMissing {
		t.Errorf("no list at all: %v", err)
	}
}

// TestBadOffers: nothing that is offered counts before it was verified, and what is
// refused leaves no trace.
func TestBadOffers(t *testing.T) {
	c := newCountry(t, "offers", moment)
	dir, stateDir := trustDir(t, c), filepath.Join(t.TempDir(), "state")
	s := withState(t, dir, stateDir)
	good := newTSL(t, c, 1)
	resigned := func(signer string) []byte {
		content := c.TSLContent()
		content.Version++
		return must(c.SignTSL(content, c.Authority(signer)))(t)
	}
	for name, bad := range map[string]struct {
		doc  []byte
		code reason.Code
	}{
		"nothing":        {nil, reason.XMLMalformed},
		"a page":         {[]byte("<html><body>502 Bad Gateway</body></html>"), reason.TSLMalformed},
		"half":           {half(good), reason.XMLMalformed},
		"of a stranger":  {resigned("unknown-root"), reason.TSLNotVerified},
		"of another CA":  {resigned("fns"), reason.TSLNotVerified},
		"changed":        {bytes.Replace(good, []byte("УЦ Образец"), []byte("УЦ Образуц"), 1), reason.TSLNotVerified},
		"older":          {newTSL(t, c, -1), reason.TrustListRollback},
		"of next week":   {newTSL(t, c, 1, func(l *tsl.Content) { l.Date = moment.AddDate(0, 0, 7) }), reason.TrustListFuture},
		"revocation":     {c.CRL("fns"), reason.XMLMalformed},
		"not in the XML": {[]byte("\x00\x01"), reason.XMLMalformed},
	} {
		changed, err := s.OfferTSL(t.Context(), bad.doc)
		code := reason.Of(err)
		notXML := bad.code == reason.XMLMalformed && strings.HasPrefix(string(code), "xml-")
		if changed || code != bad.code && !notXML {
			t.Errorf("list, %s: changed %t, code %q, want %q", name, changed, code, bad.code)
		}
	}
	dated := func(ago, due time.Duration) []byte {
		a := c.Authority("fns")
		template := c.CRLTemplate(a)
		template.ThisUpdate, template.NextUpdate = moment.Add(-ago), moment.Add(due)
		return must(c.IssueCRL(a, template))(t)
	}
	fresh := newCRL(t, c, "fns", time.Minute)
	flipped := bytes.Clone(fresh)
	flipped[len(flipped)-1] ^= 1
	fns := certs.Wanted{KeyID: c.Authority("fns").Certificate.SubjectKeyID, Issuer: c.Authority("fns").Certificate.RawSubject}
	for name, bad := range map[string]struct {
		data []byte
		code reason.Code
	}{
		"nothing":         {nil, reason.CRLMalformed},
		"a page":          {[]byte("<html>404</html>"), reason.CRLMalformed},
		"half":            {half(fresh), reason.CRLMalformed},
		"trailing":        {append(bytes.Clone(fresh), 0), reason.CRLMalformed},
		"flipped":         {flipped, reason.CRLSignatureBad},
		"a certificate":   {c.Person("ip").Certificate.Raw, reason.CRLMalformed},
		"of a stranger":   {c.CRL("unknown"), reason.TrustCRLIssuerUnknown},
		"of another CA":   {newCRL(t, c, "commercial", time.Minute), reason.CRLIssuerMismatch},
		"expired":         {dated(30*time.Minute, -time.Minute), reason.TrustCRLExpired},
		"from the future": {dated(-time.Hour, 2*time.Hour), reason.TrustCRLFuture},
		"older":           {dated(2*time.Hour, time.Hour), reason.TrustCRLRollback},
	} {
		got, err := s.OfferCRL(bad.data, fns)
		if got.Changed || reason.Of(err) != bad.code {
			t.Errorf("CRL, %s: %+v, %v, want %q", name, got, err, bad.code)
		}
	}
	for i := range fresh { // no single byte may be another one
		bad := bytes.Clone(fresh)
		bad[i] ^= 0x40
		if got, err := s.OfferCRL(bad, fns); err == nil || got.Changed {
			t.Fatalf("byte %d may be changed", i)
		}
	}
	if got := listing(t, stateDir); strings.Contains(got, ".crl") || strings.Contains(got, ".xml") {
		t.Errorf("something was kept:\n%s", got)
	}
	if changed, err := s.OfferTSL(t.Context(), c.TSL()); changed || err != nil {
		t.Errorf("the list in force: %t, %v", changed, err)
	}
	if got, err := s.OfferCRL(c.CRL("fns"), fns); got.Changed || err != nil || got.NextUpdate.IsZero() {
		t.Errorf("the CRL in force: %+v, %v", got, err)
	}
	nowhere := loaded(t, dir)
	if _, err := nowhere.OfferTSL(t.Context(), good); reason.Of(err) != reason.TrustStateUnwritable {
		t.Errorf("without a state directory: %v", err)
	}
	if _, err := nowhere.OfferCRL(fresh, fns); reason.Of(err) != reason.TrustStateUnwritable {
		t.Errorf("without a state directory: %v", err)
	}
}

// TestDamagedState spoils every file of a state directory in turn: the rest loads,
// and the damaged one is set aside.
func TestDamagedState(t *testing.T) {
	c := newCountry(t, "damaged", moment)
	dir := trustDir(t, c)
	fill := func(t *testing.T) string {
		stateDir := filepath.Join(t.TempDir(), "state")
		s := withState(t, dir, stateDir)
		offerCRL(t, s, newCRL(t, c, "fns", time.Minute))
		offerTSL(t, s, newTSL(t, c, 0, func(l *tsl.Content) { l.Version++ }))
		reload(t, s)
		return stateDir
	}
	files := must(filepath.Glob(filepath.Join(fill(t), "*")))(t)
	if len(files) != 4 { // tsl.xml, crls, floor.json, lock
		t.Fatalf("%v", files)
	}
	for what, spoil := range map[string]func([]byte) []byte{
		"empty":   func([]byte) []byte { return nil },
		"half":    half,
		"zeros":   func(d []byte) []byte { return make([]byte, len(d)) },
		"garbage": func([]byte) []byte { return []byte("garbage") },
	} {
		for _, name := range []string{"tsl.xml", "crls", "floor.json"} {
			t.Run(name+" "+what, func(t *testing.T) {
				stateDir := fill(t)
				path := filepath.Join(stateDir, name)
				if name == "crls" {
					path = must(filepath.Glob(filepath.Join(path, "*.crl")))(t)[0]
				}
				edit(t, path, spoil)
				s := certs.NewStore(certs.Source{Dir: dir, State: stateDir}, now)
				err := s.Reload(t.Context())
				if name == "tsl.xml" {
					// The floor remembers the list that is damaged: the older one of the
					// operator is not taken, a newer one that is fetched is.
					if reason.Of(err) != reason.TrustListRollback {
						t.Fatal(err)
					}
					offerTSL(t, s, newTSL(t, c, 1))
					err = s.Reload(t.Context())
				}
				if err != nil || s.StateError() != nil {
					t.Fatal(err, s.StateError())
				}
				if name != "tsl.xml" {
					set, err := os.ReadDir(filepath.Join(stateDir, "damaged"))
					if err != nil || len(set) != 1 {
						t.Errorf("set aside: %v, %v", set, err)
					}
				}
				reload(t, s)
				want := 0
				if name == "crls" {
					want = 1 // the older list of the operator, below the floor
				}
				if q := s.Current().Quarantined(); len(q) != want {
					t.Errorf("quarantined: %+v", q)
				}
			})
		}
	}
}

// TestStateIsPutRight: somebody damages or removes what was fetched while it is in
// force. It stays in force, and the same data, fetched again, put the files right.
func TestStateIsPutRight(t *testing.T) {
	c := newCountry(t, "right", moment)
	for what, spoil := range map[string]func(t *testing.T, path string){
		"removed": func(t *testing.T, path string) { remove(t, path) },
		"damaged": func(t *testing.T, path string) { edit(t, path, half) },
	} {
		t.Run(what, func(t *testing.T) {
			dir, stateDir := trustDir(t, c), filepath.Join(t.TempDir(), "state")
			s := withState(t, dir, stateDir)
			list, fns := newTSL(t, c, 1), newCRL(t, c, "fns", time.Minute)
			offerTSL(t, s, list)
			offerCRL(t, s, fns)
			reload(t, s)
			before := s.Current()
			spoil(t, filepath.Join(stateDir, "tsl.xml"))
			spoil(t, must(filepath.Glob(filepath.Join(stateDir, "crls", "*.crl")))(t)[0])
			if err := s.Reload(t.Context()); err == nil || s.Current() != before {
				t.Errorf("they were given up: %v", err)
			}
			offerTSL(t, s, list)
			offerCRL(t, s, fns)
			reload(t, s)
			if s.Current().ID() != before.ID() {
				t.Error("other data are in force")
			}
			if again := withState(t, dir, stateDir); again.Current().ID() != before.ID() {
				t.Error("other data are in force after a restart")
			}
		})
	}
}

// TestUnwritableState: fresh data are put in force although they cannot be kept, and
// the operator is told.
func TestUnwritableState(t *testing.T) {
	c := newCountry(t, "unwritable", moment)
	dir := trustDir(t, c)
	stateDir := filepath.Join(t.TempDir(), "state")
	write(t, stateDir, []byte("a file where the directory should be"))
	s := certs.NewStore(certs.Source{Dir: dir, State: stateDir}, now)
	if err := s.Reload(t.Context()); reason.Of(err) != reason.TrustDirMissing {
		t.Errorf("%v", err)
	}
	remove(t, stateDir)
	if err := os.Mkdir(stateDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(stateDir, "floor.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(stateDir, "damaged"), []byte("in the way"))
	if err := s.Reload(t.Context()); err != nil || s.Current().ID() == "" {
		t.Fatalf("%v", err)
	}
	if reason.Of(s.StateError()) != reason.TrustStateUnwritable {
		t.Errorf("%v", s.StateError())
	}
}

// TestOnlyWhatChanged: another revocation list leaves everything else as it was,
// the CA certificates above all, and lists are not parsed again.
func TestOnlyWhatChanged(t *testing.T) {
	c := newCountry(t, "changed", moment)
	dir, stateDir := trustDir(t, c), filepath.Join(t.TempDir(), "state")
	s := withState(t, dir, stateDir)
	first := s.Current()
	before := make(map[*crl.List]bool)
	for _, l := range first.Trust().CRLs.Lists() {
		before[l] = true
	}
	offerCRL(t, s, newCRL(t, c, "fns", time.Minute))
	reload(t, s)
	second := s.Current()
	if a, b := first.Trust(), second.Trust(); a.Accredited != b.Accredited || a.Roots != b.Roots || a.Intermediates != b.Intermediates {
		t.Error("the CAs were read again")
	}
	fresh := 0
	for _, l := range second.Trust().CRLs.Lists() {
		if !before[l] {
			fresh++
		}
	}
	if fresh != 1 {
		t.Errorf("%d lists were parsed", fresh)
	}
	// A file of the operator that says the same in other bytes is read, and its
	// neighbours are not.
	edit(t, filepath.Join(dir, "pins.txt"), func(d []byte) []byte { return append(d, "# looked at\n"...) })
	reload(t, s)
	third := s.Current()
	if third.Trust().Accredited != first.Trust().Accredited || third.Trust().Roots == first.Trust().Roots {
		t.Error("other pins: the list was verified again, or the roots were not")
	}
	if third.ID() == second.ID() {
		t.Error("other pins have the same identifier")
	}
}

// The child of TestKilled runs when these are set.
const (
	childTrust = "PROPUSK_TEST_KILLED_TRUST"
	childState = "PROPUSK_TEST_KILLED_STATE"
	childLists = "PROPUSK_TEST_KILLED_LISTS"
)

// TestKilledChild refreshes without end, for TestKilled.
func TestKilledChild(t *testing.T) {
	dir, stateDir, lists := os.Getenv(childTrust), os.Getenv(childState), os.Getenv(childLists)
	if dir == "" {
		t.Skip("it is run by TestKilled")
	}
	s := certs.NewStore(certs.Source{Dir: dir, State: stateDir}, now)
	for round := 0; ; round++ {
		if err := s.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		fmt.Println("round", round)
		n := version(t, s) - int(moment.Unix()/60) + 1
		doc, err := os.ReadFile(filepath.Join(lists, fmt.Sprintf("%d.xml", n)))
		if err != nil {
			return // all have been taken
		}
		if _, err := s.OfferTSL(t.Context(), doc); err != nil {
			t.Fatal(err)
		}
		if _, err := s.OfferCRL(read(t, filepath.Join(lists, fmt.Sprintf("%d.crl", n))), certs.Wanted{}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestKilled kills a process that refreshes, again and again: what it leaves loads,
// and is never older than before.
func TestKilled(t *testing.T) {
	const rounds = 60
	c := newCountry(t, "killed", moment)
	dir, stateDir, lists := trustDir(t, c), filepath.Join(t.TempDir(), "state"), t.TempDir()
	for i := 1; i <= rounds; i++ {
		write(t, filepath.Join(lists, fmt.Sprintf("%d.xml", i)), newTSL(t, c, i))
		write(t, filepath.Join(lists, fmt.Sprintf("%d.crl", i)), newCRL(t, c, "fns", time.Duration(i)*time.Second))
	}
	last, issued := 0, time.Time{}
	for kill := range 6 {
		child := exec.Command(os.Args[0], "-test.run=^TestKilledChild$", "-test.v")
		child.Env = append(os.Environ(), childTrust+"="+dir, childState+"="+stateDir, childLists+"="+lists)
		out := must(child.StdoutPipe())(t)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		seen := 0
		for lines := bufio.NewScanner(out); seen <= kill && lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "round") {
				seen++
			}
		}
		_ = child.Process.Kill() // it may have ended
		_ = child.Wait()
		if seen == 0 {
			t.Fatal("the child did nothing")
		}
		s := withState(t, dir, stateDir)
		if v := version(t, s); v < last || v < c.TSLContent().Version+kill {
			t.Errorf("kill %d: version %d after %d", kill, v, last)
		} else {
			last = v
		}
		for _, l := range s.Current().RevocationLists() {
			if l.Issuer.Equal(c.Authority("fns").Certificate) && l.ThisUpdate.After(issued) {
				issued = l.ThisUpdate
			}
		}
		if q := s.Current().Quarantined(); len(q) != 0 || s.StateError() != nil {
			t.Errorf("kill %d: %+v, %v", kill, q, s.StateError())
		}
		if code := judge(s.Current(), c, "ip"); code != "" {
			t.Errorf("kill %d: %q", kill, code)
		}
		if left := must(filepath.Glob(filepath.Join(stateDir, "*", ".new-*")))(t); len(left) != 0 {
			t.Errorf("kill %d: left behind %v", kill, left)
		}
	}
	if issued.Before(c.CRLTemplate(c.Authority("fns")).ThisUpdate.Add(2 * time.Second)) {
		t.Errorf("the newest list is of %s", issued)
	}
}
