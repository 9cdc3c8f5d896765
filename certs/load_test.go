package certs_test

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/pem"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"propusk/certs"
	"propusk/certs/testpki"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/samples"
	"propusk/pki/tsl"
)

// TestLoadFiles loads the country from explicit files, as the command line does.
func TestLoadFiles(t *testing.T) {
	c := newCountry(t, "files", moment)
	dir := trustDir(t, c)
	file := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	src := certs.Source{
		TSL:   file("tsl.xml"),
		Roots: []string{file("roots", "head-256.pem"), file("roots", "head-512.pem")},
		CRLs:  []string{file("crls", "fns.crl"), file("crls", "head-256.crl")},
	}
	s, err := certs.Load(t.Context(), src, moment)
	if err != nil {
		t.Fatal(err)
	}
	trusted := s.Trust()
	if trusted.Roots.Len() != 2 || trusted.Accredited == nil || !trusted.Intermediates.Contains(c.Authority("fns").Certificate) {
		t.Errorf("%d roots, list %v", trusted.Roots.Len(), trusted.Accredited)
	}
	if got := len(trusted.CRLs.Lists()); got != 2 {
		t.Errorf("%d revocation lists", got)
	}
	if len(s.Files()) != 5 {
		t.Errorf("files: %v", s.Files())
	}

	bad := filepath.Join(t.TempDir(), "bad.crl")
	write(t, bad, half(read(t, file("crls", "fns.crl"))))
	for _, test := range []struct {
		name   string
		change func(*certs.Source)
		code   reason.Code
	}{
		{"a bad CRL that was named", func(s *certs.Source) { s.CRLs = append(s.CRLs, bad) }, reason.CRLMalformed},
		{"a CRL that is not there", func(s *certs.Source) { s.CRLs = append(s.CRLs, file("absent.crl")) }, reason.TrustFileUnreadable},
		{"a CRL of a stranger", func(s *certs.Source) { s.CRLs = append(s.CRLs, strangersCRL(t, c)) }, reason.TrustCRLIssuerUnknown},
		{"a signer that did not sign", func(s *certs.Source) { s.TSLSigners = []string{file("roots", "head-512.pem")} }, reason.TSLNotVerified},
		{"the signer", func(s *certs.Source) { s.TSLSigners = []string{file("tsl-signers", "head-256.pem")} }, ""},
		{"the wrong root only", func(s *certs.Source) { s.Roots, s.CRLs = s.Roots[1:], nil }, reason.TSLNotVerified},
		{"no root", func(s *certs.Source) { s.Roots = nil }, reason.TrustNoRoots},
		{"a pin of another root", func(s *certs.Source) { s.Pins = []certs.Pin{{1}} }, reason.TrustRootNotPinned},
		{"the right pins", func(s *certs.Source) {
			for _, a := range c.Roots() {
				s.Pins = append(s.Pins, a.Certificate.SHA256())
			}
		}, ""},
		{"a root file that holds a person", func(s *certs.Source) { s.Roots = append(s.Roots, file("..", "people", "ip", "cert.pem")) }, reason.TrustRootUnsuitable},
		{"too many files", func(s *certs.Source) { s.CRLs = make([]string, 20_001) }, reason.TrustTooManyFiles},
		{"nothing at all", func(s *certs.Source) { *s = certs.Source{} }, reason.TrustNotConfigured},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := src
			s.Roots, s.CRLs = slices.Clone(src.Roots), slices.Clone(src.CRLs)
			test.change(&s)
			got, err := certs.Load(t.Context(), s, moment)
			if reason.Of(err) != test.code {
				t.Errorf("code %q, want %q: %v", reason.Of(err), test.code, err)
			}
			if (got == nil) == (err == nil) {
				t.Error("a snapshot with an error, or neither")
			}
		})
	}
}

func strangersCRL(t *testing.T, c *testpki.Country) string {
	path := filepath.Join(t.TempDir(), "stranger.crl")
	write(t, path, c.CRL("unknown"))
	return path
}

// TestLoadPile looks at a plain directory of certificates, all of them in the
// forms that people have.
func TestLoadPile(t *testing.T) {
	c := newCountry(t, "pile", moment)
	dir := t.TempDir()
	var bundle []byte
	for _, a := range c.Authorities() {
		bundle = append(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Certificate.Raw})...)
	}
	write(t, filepath.Join(dir, "all.PEM"), bundle)
	write(t, filepath.Join(dir, "fns.cer"), c.Authority("fns").Certificate.Raw)
	write(t, filepath.Join(dir, "README.txt"), []byte("not a certificate"))
	write(t, filepath.Join(dir, ".partial.cer"), []byte("a download in progress"))

	if _, err := certs.Load(t.Context(), certs.Source{Dir: dir}, moment); reason.Of(err) != reason.TrustNoRoots {
		t.Errorf("a pile without known roots: %v", err)
	}
	s, err := certs.Load(t.Context(), certs.Source{Dir: dir, Pins: []certs.Pin{c.Authority("head-256").Certificate.SHA256()}}, moment)
	if err != nil {
		t.Fatal(err)
	}
	trusted := s.Trust()
	if !trusted.Roots.Contains(c.Authority("head-256").Certificate) || trusted.Roots.Len() != 1 {
		t.Errorf("%d roots", trusted.Roots.Len())
	}
	if want := len(c.Authorities()) - 1; trusted.Intermediates.Len() != want {
		t.Errorf("%d intermediates, want %d", trusted.Intermediates.Len(), want)
	}
	write(t, filepath.Join(dir, "broken.cer"), []byte("broken"))
	if _, err := certs.Load(t.Context(), certs.Source{Dir: dir}, moment); reason.Of(err) != reason.TrustCertMalformed {
		t.Errorf("a pile with garbage: %v", err)
	}
}

// TestRootBesidePins names a root beside a directory that does not pin it.
func TestRootBesidePins(t *testing.T) {
	c := newCountry(t, "beside", moment)
	dir := trustDir(t, c)
	stranger := filepath.Join(t.TempDir(), "stranger.cer")
	write(t, stranger, c.Authority("unknown-root").Certificate.Raw)
	s, err := certs.Load(t.Context(), certs.Source{Dir: dir, Roots: []string{stranger}}, moment)
	if err != nil || s.Trust().Roots.Len() != 3 {
		t.Errorf("named by itself: %v", err)
	}
	_, err = certs.Load(t.Context(), certs.Source{Dir: dir, Roots: []string{stranger}, Pins: []certs.Pin{{1}}}, moment)
	if reason.Of(err) != reason.TrustRootNotPinned {
		t.Errorf("with other pins: %v", err)
	}
}

// TestOrphans sees that a listed CA that leads to no root is recorded and not
// used, although the list itself is good.
func TestOrphans(t *testing.T) {
	c := newCountry(t, "orphans", moment)
	dir := trustDir(t, c)
	stranger := c.Authority("unknown").Certificate
	resign(func(l *tsl.Content) {
		l.CAs[2].Installations[0].Keys[0].Certificates = append(l.CAs[2].Installations[0].Keys[0].Certificates,
			tsl.Certificate{DER: stranger.Raw, Thumbprint: sha1.Sum(stranger.Raw)})
	}, "head-256")(t, c, dir)
	s := loaded(t, dir).Current()
	orphans := s.Orphans()
	if len(orphans) != 1 || orphans[0].Thumbprint != sha1.Sum(stranger.Raw) || orphans[0].Code != reason.UnknownCA {
		t.Errorf("%+v", orphans)
	}
	if s.Trust().Intermediates.Contains(stranger) {
		t.Error("the orphan is used")
	}
	if !s.Trust().Intermediates.Contains(c.Authority("fns").Certificate) {
		t.Error("the others are not used")
	}
}

// TestSnapshotID sees that the identifier depends on the data and on nothing else.
func TestSnapshotID(t *testing.T) {
	c := newCountry(t, "id", moment)
	one, two := trustDir(t, c), trustDir(t, c)
	first := loaded(t, one).Current()
	if got := loaded(t, two).Current().ID(); got != first.ID() || len(got) != 64 {
		t.Errorf("the same data in two places: %s and %s", first.ID(), got)
	}
	if first.Trust().ID != first.ID() || !first.LoadedAt().Equal(moment) || first.Age(moment.Add(time.Hour)) != time.Hour {
		t.Errorf("%+v", first)
	}
	ids := map[string]string{first.ID(): "untouched"}
	for name, change := range map[string]func(dir string){
		"comment in pins": func(dir string) {
			edit(t, filepath.Join(dir, "pins.txt"), func(d []byte) []byte { return append(d, "# x\n"...) })
		},
		"a CRL less": func(dir string) { remove(t, filepath.Join(dir, "crls", "gap.crl")) },
		"a bad CRL":  func(dir string) { write(t, filepath.Join(dir, "crls", "gap.crl"), []byte("x")) },
	} {
		dir := trustDir(t, c)
		change(dir)
		id := loaded(t, dir).Current().ID()
		if other, ok := ids[id]; ok {
			t.Errorf("%s has the identifier of %s", name, other)
		}
		ids[id] = name
	}
}

// TestNilSnapshot sees that nothing comes from nothing.
func TestNilSnapshot(t *testing.T) {
	for _, s := range []*certs.Snapshot{nil, new(certs.Snapshot)} {
		_, ok := s.TSLVersion()
		if ok || s.ID() != "" || s.Trust().Roots != nil || len(s.Files())+len(s.Quarantined())+len(s.Orphans())+len(s.Stale(moment)) != 0 {
			t.Errorf("%+v", s)
		}
	}
}

// TestNamedPipe sees that a file that would block for ever is refused.
func TestNamedPipe(t *testing.T) {
	dir := trustDir(t, newCountry(t, "pipe", moment))
	path := filepath.Join(dir, "tsl.xml")
	remove(t, path)
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Skip("cannot make a named pipe here:", err)
	}
	if _, err := certs.Load(t.Context(), certs.Source{Dir: dir}, moment); reason.Of(err) != reason.TrustFileUnreadable {
		t.Error(err)
	}
}

// FuzzParsePin sees that what is accepted is written back the same, in lower case.
func FuzzParsePin(f *testing.F) {
	f.Add("4e450e4971f2d77d22567b55ecc2162b3dfd0d2fa6a8da8a92cdcabc80489b59")
	f.Add("4E45")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := certs.ParsePin(s)
		if err != nil {
			if p != (certs.Pin{}) {
				t.Fatalf("%q: refused, yet returned %v", s, p)
			}
			return
		}
		if p.String() != strings.ToLower(s) {
			t.Fatalf("%q is written back as %q", s, p)
		}
	})
}

// TestKnownRoots compares the table with the certificates.
func TestKnownRoots(t *testing.T) {
	dir := samples.Path(t, "data/ca_certs/accredited")
	for _, r := range certs.KnownRoots() {
		cert, err := gostx509.Parse(read(t, filepath.Join(dir, r.SHA1+".der")))
		if err != nil {
			t.Error(r.Name, err)
			continue
		}
		if sum := sha1.Sum(cert.Raw); hex.EncodeToString(sum[:]) != r.SHA1 || certs.Pin(cert.SHA256()) != r.SHA256 {
			t.Errorf("%s %s: other fingerprints", r.Name, r.SHA1)
		}
		validity := cert.NotBefore.Format(time.DateOnly) + "…" + cert.NotAfter.Format(time.DateOnly)
		if cert.Subject.Get(gostx509.OIDCommonName) != r.Name || validity != r.Validity {
			t.Errorf("%s %s: the certificate is of %s, %s", r.Name, r.Validity, cert.Subject.Get(gostx509.OIDCommonName), validity)
		}
	}
}

// TestCorpus loads the real CA certificates as a pile.
func TestCorpus(t *testing.T) {
	dir := samples.Path(t, "data/ca_certs/accredited")
	start := time.Now()
	s, err := certs.Load(t.Context(), certs.Source{Dir: dir}, moment)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d certificates in %v", len(s.Files()), time.Since(start))
	if got := s.Trust().Roots.Len(); got != len(certs.KnownRoots()) {
		t.Errorf("%d roots", got)
	}
	if got := s.Trust().Intermediates.Len(); got != len(s.Files())-len(certs.KnownRoots()) {
		t.Errorf("%d intermediates of %d files", got, len(s.Files()))
	}
}
