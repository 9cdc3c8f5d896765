package signin

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"propusk/certs"
	"propusk/certs/testpki"
	"propusk/gost/spki"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/pki/revocation"
	"propusk/pki/validate"
	"propusk/server/trust"
)

// newJudge returns a judge who trusts the demo country.
func newJudge(t *testing.T) (judge, *testpki.Country) {
	t.Helper()
	country, err := testpki.New(testpki.Options{Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := country.WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	store := certs.NewStore(certs.Source{Dir: dir + "/trust"}, time.Now)
	if err := store.Reload(context.Background()); err != nil {
		t.Fatal(err)
	}
	return judge{
		trust:  trust.Guard{Store: store, MaxAge: time.Hour, Now: time.Now},
		kinds:  []person.Kind{person.Entrepreneur},
		now:    time.Now,
		proven: spki.FromCertificate,
	}, country
}

func TestJudgeAgreesWithTheCountry(t *testing.T) {
	j, country := newJudge(t)
	for _, p := range country.People() {
		o := j.certificates(t.Context(), [][]byte{p.Certificate.Raw}, time.Now())
		if o.code != p.Expect {
			t.Errorf("%s: %q, want %q", p.ID, o.code, p.Expect)
		}
		if (o.code == "") != (o.who != person.Identity{}) || (o.code == "") != (o.conclusion() == report.TotalPassed) {
			t.Errorf("%s: code %q with identity %v, conclusion %s", p.ID, o.code, o.who, o.conclusion())
		}
	}
}

// A session is resumed only for a certificate that would be let in now: the certificates
// of the country that are good today are not when their time is over.
func TestJudgeOfSessions(t *testing.T) {
	j, country := newJudge(t)
	s := &SignIn{judge: j}
	for _, p := range country.People() {
		err := s.Judge([][]byte{p.Certificate.Raw})
		if (err == nil) != (p.Expect == "") || err != nil && reason.Of(err) != p.Expect {
			t.Errorf("%s: %v, want %q", p.ID, err, p.Expect)
		}
	}
	ip := country.Person("ip").Certificate
	s.judge.now = func() time.Time { return ip.NotAfter.Add(time.Second) }
	if err := s.Judge([][]byte{ip.Raw}); reason.Of(err) != reason.CertExpired {
		t.Errorf("after its time: %v", err)
	}
}

// TestForeignChainDoesNotHelp: certificates that a client sends along are not
// trusted, whatever they are.
func TestForeignChainDoesNotHelp(t *testing.T) {
	j, country := newJudge(t)
	p := country.Person("unknown-ca")
	chain := [][]byte{p.Certificate.Raw, p.Issuer.Certificate.Raw, country.Person("ip").Certificate.Raw, []byte("garbage"), nil}
	if o := j.certificates(t.Context(), chain, time.Now()); o.code != reason.UnknownCA {
		t.Errorf("code %q", o.code)
	}
}

func TestMalformedCertificate(t *testing.T) {
	j, country := newJudge(t)
	good := country.Person("ip").Certificate.Raw
	for name, raw := range map[string][]byte{"empty": nil, "garbage": []byte("hello"), "cut": good[:len(good)-1], "longer": append(good[:len(good):len(good)], 0)} {
		o := j.certificates(t.Context(), [][]byte{raw}, time.Now())
		if o.code == "" || o.who != (person.Identity{}) || o.conclusion() == report.TotalPassed {
			t.Errorf("%s: %q %s", name, o.code, o.conclusion())
		}
	}
}

// TestKeysMustAgree: were the two parsers to read different keys out of one
// certificate, nobody would enter.
func TestKeysMustAgree(t *testing.T) {
	j, country := newJudge(t)
	ip, other := country.Person("ip").Certificate, country.Person("ip512").Certificate
	if err := j.sameKey(ip.Raw, validate.Certificate{Parsed: ip}); err != nil {
		t.Errorf("the same certificate: %v", err)
	}
	if j.sameKey(ip.Raw, validate.Certificate{Parsed: other}) == nil {
		t.Error("keys of two people are the same")
	}
	if j.sameKey([]byte("garbage"), validate.Certificate{Parsed: ip}) == nil {
		t.Error("a certificate that does not parse has a key")
	}
	j.proven = func([]byte) (spki.PublicKeyInfo, error) { return spki.FromCertificate(other.Raw) }
	o := j.certificates(t.Context(), [][]byte{ip.Raw}, time.Now())
	if o.code != reason.ConnectionKeyMismatch || o.who != (person.Identity{}) || o.conclusion() != report.TotalFailed {
		t.Errorf("a good certificate with the key of another: %q, %v, %s", o.code, o.who, o.conclusion())
	}
}

// TestZeroVerdictLetsNobodyIn: the judge must not take silence for consent.
func TestZeroVerdictLetsNobodyIn(t *testing.T) {
	store := certs.NewStore(certs.Source{}, time.Now)
	j := judge{trust: trust.Guard{Store: store, MaxAge: time.Hour, Now: time.Now}, now: time.Now}
	_, country := newJudge(t)
	o := j.certificates(t.Context(), [][]byte{country.Person("ip").Certificate.Raw}, time.Now())
	if o.code != reason.TrustDataAbsent || o.conclusion() != report.Indeterminate {
		t.Errorf("%q %s", o.code, o.conclusion())
	}
	if o := j.connection(context.Background()); o.code != reason.GOSTTLSRequired || o.conclusion() != report.Indeterminate {
		t.Errorf("without TLS: %q %s", o.code, o.conclusion())
	}
}

// silence is a network in which nobody answers until the test ends.
type silence struct {
	asked chan struct{}
	end   <-chan struct{}
}

func (s silence) OCSP(context.Context, string, []byte) ([]byte, error) {
	select {
	case s.asked <- struct{}{}:
	default:
	}
	<-s.end
	return nil, context.Canceled
}

func (s silence) CRL(ctx context.Context, url string) ([]byte, error) { return s.OCSP(ctx, url, nil) }

// TestPersonGone: whoever has left is not waited for, nor let in.
func TestPersonGone(t *testing.T) {
	j, country := newJudge(t)
	network := silence{make(chan struct{}, 1), t.Context().Done()}
	j.trust.Online = revocation.NewOnline(network)
	j.trust.Revocation = revocation.Policy{Order: revocation.OCSPFirst, Budget: time.Hour}
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		<-network.asked
		leave()
	}()
	j.trust.Store = certs.NewStore(certs.Source{Dir: withoutLists(t, country)}, time.Now)
	if err := j.trust.Store.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := j.certificates(ctx, [][]byte{country.Person("ip").Certificate.Raw}, time.Now())
	if o.code != reason.RevocationUnreachable || (o.who != person.Identity{}) {
		t.Errorf("%q, %v", o.code, o.who)
	}
}

// withoutLists writes the trust data of a country without its revocation lists.
func withoutLists(t *testing.T, country *testpki.Country) string {
	t.Helper()
	dir := t.TempDir()
	if err := country.WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "trust", "crls")); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "trust")
}
