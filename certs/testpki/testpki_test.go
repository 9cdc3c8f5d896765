package testpki_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"propusk/certs"
	"propusk/certs/testpki"
	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/validate"
	"propusk/pki/verdict"
)

var moment = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

func country(t testing.TB) *testpki.Country {
	t.Helper()
	c, err := testpki.New(testpki.Options{Now: moment})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// snapshot loads the trust directory that the country writes.
func snapshot(t testing.TB, c *testpki.Country, dir string) *certs.Snapshot {
	t.Helper()
	if err := c.WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	s, err := certs.Load(t.Context(), certs.Source{Dir: filepath.Join(dir, "trust")}, moment)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestContract holds the people that DESIGN promises.
func TestContract(t *testing.T) {
	c := country(t)
	want := []string{"ip", "ip512", "expired", "notyet", "unknown-ca", "terminated-ca", "revoked", "unqualified", "ul", "fl"}
	for _, id := range want {
		if p := c.Person(id); p.ID != id || p.Certificate == nil || p.Key == nil || p.PIN == "" {
			t.Errorf("%s: %+v", id, p)
		}
	}
	if k := c.Person("ip").Key.PublicKey().Curve(); k != gost3410.CryptoProA() {
		t.Errorf("ip has a key on %s", k.Name())
	}
	if k := c.Person("ip512").Key.PublicKey().Curve(); k.Size() != 64 {
		t.Errorf("ip512 has a key on %s", k.Name())
	}
}

// TestNumbers sees that every number is one that could exist, belongs to no
// region, and is unique.
func TestNumbers(t *testing.T) {
	seen := map[string]string{}
	unique := func(id, number string) {
		if number == "" {
			return
		}
		if other, ok := seen[number]; ok {
			t.Errorf("%s and %s share %s", id, other, number)
		}
		seen[number] = id
	}
	for _, p := range country(t).People() {
		check := func(what string, err error) {
			if err != nil {
				t.Errorf("%s: %s: %v", p.ID, what, err)
			}
		}
		_, err := person.ParseINN(p.INN)
		check("ИНН", err)
		_, err = person.ParseSNILS(p.SNILS)
		check("СНИЛС", err)
		if p.Kind == person.Entrepreneur {
			_, err = person.ParseOGRNIP(p.OGRNIP)
			check("ОГРНИП", err)
		}
		if p.Kind == person.LegalEntity {
			_, err = person.ParseOGRN(p.OGRN)
			check("ОГРН", err)
			_, err = person.ParseINNLE(p.INNLE)
			check("ИНН ЮЛ", err)
		}
		for _, number := range []string{p.INN, p.SNILS, p.OGRNIP, p.OGRN, p.INNLE} {
			unique(p.ID, number)
		}
		if !strings.HasPrefix(p.INN, "98") || !strings.HasPrefix(p.SNILS, "999") {
			t.Errorf("%s: %s, %s may belong to somebody", p.ID, p.INN, p.SNILS)
		}
		identity, err := p.Certificate.Identity()
		check("certificate", err)
		if identity.Kind != p.Kind || identity.INN.Reveal() != p.INN || identity.OGRNIP.Reveal() != p.OGRNIP || identity.SNILS.Reveal() != p.SNILS || identity.Name.Reveal() != p.Name {
			t.Errorf("%s: the certificate names a %q with other numbers or name", p.ID, identity.Kind)
		}
	}
}

// TestExpectations judges every person as the sign-in host does.
func TestExpectations(t *testing.T) {
	c := country(t)
	v := validate.Validator{
		Trust:  snapshot(t, c, t.TempDir()).Trust(),
		Policy: validate.SignIn(person.Entrepreneur),
	}
	for _, p := range c.People() {
		t.Run(p.ID, func(t *testing.T) {
			got := v.Certificate(p.Certificate.Raw, nil, moment).Verdict
			if got.Why() != p.Expect {
				t.Errorf("reason %q, want %q: %+v", got.Why(), p.Expect, got.Checks())
			}
			if (got.Status() == verdict.Passed) != (p.Expect == "") {
				t.Errorf("status %v", got.Status())
			}
			who, ok := got.Identity()
			if ok != (p.Expect == "") || (ok && who.INN.Reveal() != p.INN) {
				t.Errorf("identity given: %v", ok)
			}
		})
	}
	// Until the country ends nothing changes, and then nobody may sign in.
	almost := moment.Add(testpki.Life - time.Hour)
	for _, p := range c.People() {
		if got := v.Certificate(p.Certificate.Raw, nil, almost).Verdict.Why(); got != p.Expect {
			t.Errorf("%s, at the end of the country: %q, want %q", p.ID, got, p.Expect)
		}
	}
	if got := v.Certificate(c.Person("ip").Certificate.Raw, nil, moment.Add(testpki.Life+time.Minute)).Verdict; got.Status() != verdict.Indeterminate {
		t.Errorf("with stale revocation lists: %v, %q", got.Status(), got.Why())
	}
}

// TestOtherPolicies sees that the people who are good elsewhere are good: a
// company and a natural person are refused only for their kind.
func TestOtherPolicies(t *testing.T) {
	c := country(t)
	v := validate.Validator{Trust: snapshot(t, c, t.TempDir()).Trust(), Policy: validate.QES()}
	for _, id := range []string{"ip", "ip512", "ul", "fl"} {
		if got := v.Certificate(c.Person(id).Certificate.Raw, nil, moment).Verdict; got.Status() != verdict.Passed {
			t.Errorf("%s: %v, %q: %+v", id, got.Status(), got.Why(), got.Checks())
		}
	}
}

// TestSnapshotOfCountry looks at what the trust directory gives.
func TestSnapshotOfCountry(t *testing.T) {
	c := country(t)
	s := snapshot(t, c, t.TempDir())
	if len(s.Quarantined()) != 0 || len(s.Orphans()) != 0 || len(s.Stale(moment)) != 0 {
		t.Errorf("quarantined %v, orphans %v, stale %v", s.Quarantined(), s.Orphans(), s.Stale(moment))
	}
	trusted := s.Trust()
	if trusted.Roots.Len() != 2 || trusted.Accredited == nil {
		t.Errorf("%d roots", trusted.Roots.Len())
	}
	for _, a := range c.Authorities() {
		_, listed := trusted.Accredited.CAOf(a.Certificate)
		if listed != a.Listed() {
			t.Errorf("%s: in the list: %v", a.ID, listed)
		}
	}
}

// TestDeterministicKeys sees that a seed gives the same keys again.
func TestDeterministicKeys(t *testing.T) {
	seeded := func(seed string) *testpki.Country {
		c, err := testpki.New(testpki.Options{Now: moment, Rand: rand.NewChaCha8(sha256.Sum256([]byte(seed)))})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	a, b, other := seeded("seed"), seeded("seed"), seeded("another")
	for _, p := range a.People() {
		if !bytes.Equal(p.Key.Bytes(), b.Person(p.ID).Key.Bytes()) {
			t.Errorf("%s: two keys from one seed", p.ID)
		}
		if bytes.Equal(p.Key.Bytes(), other.Person(p.ID).Key.Bytes()) {
			t.Errorf("%s: one key from two seeds", p.ID)
		}
	}
}

// TestFast keeps the country cheap enough to make in any test.
func TestFast(t *testing.T) {
	start := time.Now()
	country(t)
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("a country took %v", took)
	}
}

// TestIssue makes a spoilt certificate as other tests do.
func TestIssue(t *testing.T) {
	c := country(t)
	ip := c.Person("ip")
	template := c.PersonTemplate(ip)
	template.Policies = nil
	got, err := c.Issue(ip.Issuer, template, gost3410.TC26256A())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Certificate.Policies) != 0 || got.Key.PublicKey().Curve() != gost3410.TC26256A() {
		t.Error("the template was not followed")
	}
	if len(ip.Certificate.Policies) == 0 {
		t.Error("the person was spoilt")
	}
	if err := got.Certificate.CheckSignature(ip.Issuer.Certificate.PublicKey); err != nil {
		t.Error(err)
	}
}

// TestIssueServer makes server certificates on all curves.
func TestIssueServer(t *testing.T) {
	c := country(t)
	ca := c.Authority("tls").Certificate
	for _, curve := range []*gost3410.Curve{
		gost3410.TC26256A(), gost3410.CryptoProA(), gost3410.CryptoProB(), gost3410.CryptoProC(),
		gost3410.TC26512A(), gost3410.TC26512B(), gost3410.TC26512C(),
	} {
		s, err := c.IssueServer(curve)
		if err != nil {
			t.Fatal(curve.Name(), err)
		}
		cert, err := gostx509.Parse(s.Chain[0])
		if err != nil {
			t.Fatal(curve.Name(), err)
		}
		if err := cert.CheckSignature(ca.PublicKey); err != nil {
			t.Error(curve.Name(), err)
		}
		if !slices.Contains(cert.DNSNames, "localhost") || len(cert.IPAddresses) != 1 {
			t.Errorf("%s: %v, %v", curve.Name(), cert.DNSNames, cert.IPAddresses)
		}
	}
}

// TestManifest reads back what was written.
func TestManifest(t *testing.T) {
	dir := t.TempDir()
	c := country(t)
	if err := c.WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	m, err := testpki.ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	hosts := []string{"localhost", "127.0.0.1"}
	const base = "http://pki.demo.invalid"
	for _, u := range []struct {
		name string
		at   time.Time
		host []string
		base string
		want bool
	}{
		{"now", moment, hosts, base, true},
		{"before it was made", moment.Add(-time.Minute), hosts, base, false},
		{"a week before its end", moment.Add(testpki.Life - 7*24*time.Hour), hosts, base, true},
		{"an hour before its end", moment.Add(testpki.Life - time.Hour), hosts, base, false},
		{"other hosts", moment, []string{"example.ru"}, base, false},
		{"another port", moment, hosts, base + ":8440", false},
	} {
		if got := m.Usable(u.at, 24*time.Hour, u.host, u.base); got != u.want {
			t.Errorf("%s: usable is %v", u.name, got)
		}
	}
	in := m.In(dir)
	files := append(append([]string{in.Trust.TSL, in.TLS.CA, in.TLS.GOSTCA}, in.Trust.Roots...), in.Trust.CRLs...)
	for _, f := range append(in.Services.Authorities, in.Services.TSA) {
		files = append(files, f.Cert, f.Key, f.CA, f.CRL)
	}
	for _, p := range in.People {
		files = append(files, p.Cert, p.Key)
		want := c.Person(p.ID).Expect
		if want == "" {
			want = "ok"
		}
		if p.Expect != string(want) || p.INN == "" || p.SNILS == "" || (p.OGRNIP != "") != (p.Kind == "ip") {
			t.Errorf("%+v", p)
		}
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", f, err)
		}
	}
	if filepath.IsAbs(m.Trust.Dir) || filepath.IsAbs(m.Services.Authorities[0].Key) {
		t.Error("In changed the manifest itself")
	}
}

// TestWriteToForeignDirectory sees that nothing of others is removed.
func TestWriteToForeignDirectory(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "people", "list.txt")
	if err := os.MkdirAll(filepath.Dir(precious), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(precious, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := country(t)
	if err := c.WriteTo(dir); !errors.Is(err, testpki.ErrForeign) {
		t.Error(err)
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, testpki.ManifestFile)); err == nil {
		t.Error("a manifest was left behind")
	}
}

// TestWriteToReplaces writes two countries one after another.
func TestWriteToReplaces(t *testing.T) {
	dir := t.TempDir()
	snapshot(t, country(t), dir)
	leftover := filepath.Join(dir, "people", "left", "over")
	if err := os.MkdirAll(leftover, 0o755); err != nil {
		t.Fatal(err)
	}
	second := country(t)
	snapshot(t, second, dir)
	if _, err := os.Stat(leftover); err == nil {
		t.Error("the first country was not removed")
	}
	cert, err := os.ReadFile(filepath.Join(dir, "people", "ip", "cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := gostx509.ParseAny(cert)
	if err != nil || !got.Equal(second.Person("ip").Certificate) {
		t.Errorf("%v, or the certificate of the first country", err)
	}
}

// TestExpectCodes sees that what people expect is in the catalogue.
func TestExpectCodes(t *testing.T) {
	for _, p := range country(t).People() {
		if _, ok := reason.Lookup(p.Expect); !ok && p.Expect != "" {
			t.Errorf("%s expects %q", p.ID, p.Expect)
		}
	}
}
