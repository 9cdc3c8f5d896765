package facts

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/pki/sigalg"
)

// authority is a CA, or somebody who has the name of one.
type authority struct {
	cert *gostx509.Certificate
	key  *gost3410.PrivateKey
}

func newAuthority(t testing.TB) authority {
	t.Helper()
	key, err := gost3410.GenerateKey(gost3410.CryptoProA(), nil)
	if err != nil {
		t.Fatal(err)
	}
	template := gostx509.Template{
		Subject: gostx509.Name{{Type: gostx509.OIDCommonName, Text: "УЦ «Пример» (демо)", Tag: 12}},
		Serial:  []byte{1}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<31, 0), IsCA: true, MaxPathLen: -1,
	}
	raw, err := gostx509.Create(rand.Reader, template, nil, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return authority{parse(t, raw), key}
}

func (a authority) issue(t testing.TB, serial int) *gostx509.Certificate {
	t.Helper()
	key, err := gost3410.GenerateKey(gost3410.CryptoProA(), nil)
	if err != nil {
		t.Fatal(err)
	}
	template := gostx509.Template{
		Subject: gostx509.Name{{Type: gostx509.OIDCommonName, Text: fmt.Sprint("Вымышленный ", serial), Tag: 12}},
		Serial:  []byte{2, byte(serial >> 8), byte(serial)}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<31, 0), MaxPathLen: -1,
	}
	raw, err := gostx509.Create(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, raw)
}

func parse(t testing.TB, raw []byte) *gostx509.Certificate {
	t.Helper()
	cert, err := gostx509.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// TestMutated changes every byte of a certificate that is known in three ways, and
// every byte of the key of its issuer: a memory says what somebody without one says.
func TestMutated(t *testing.T) {
	ca := newAuthority(t)
	leaf := ca.issue(t, 1)
	m := New()
	for range 5 {
		if err := m.CheckSignature(leaf, ca.cert, true); err != nil {
			t.Fatal(err)
		}
	}
	same := func(cert, issuer *gostx509.Certificate) {
		t.Helper()
		want := cert.CheckSignatureFrom(issuer)
		for range 2 { // a bad answer must not be remembered as a good one
			if err := m.CheckSignature(cert, issuer, true); (err == nil) != (want == nil) {
				t.Errorf("%v with a memory, %v without", err, want)
			}
		}
	}
	for i := range leaf.Raw {
		for _, change := range []byte{0x01, 0x80, 0xFF} {
			mutant := bytes.Clone(leaf.Raw)
			mutant[i] ^= change
			got, err := m.Certificate(mutant)
			if _, wantErr := gostx509.Parse(mutant); (err == nil) != (wantErr == nil) {
				t.Fatalf("byte %d: %v with a memory, %v without", i, err, wantErr)
			}
			if err != nil {
				continue
			}
			if !bytes.Equal(got.Raw, mutant) || m.Verifier(got).Keys != nil {
				t.Fatalf("byte %d: a changed certificate is taken for the one that is known", i)
			}
			same(got, ca.cert)
			if m.CheckSignature(got, ca.cert, true) == nil && i < len(leaf.Raw)-len(leaf.Signature) {
				t.Errorf("byte %d changed by %02x, and the signature is good", i, change)
			}
		}
	}
	for i := range ca.cert.Raw {
		mutant := bytes.Clone(ca.cert.Raw)
		mutant[i] ^= 1
		if issuer, err := gostx509.Parse(mutant); err == nil {
			same(leaf, issuer)
		}
	}
}

// TestOtherIssuer asks about a CA that has the same name and another key.
func TestOtherIssuer(t *testing.T) {
	ca, impostor := newAuthority(t), newAuthority(t)
	leaf := ca.issue(t, 1)
	m := New()
	if err := m.CheckSignature(leaf, ca.cert, true); err != nil {
		t.Fatal(err)
	}
	if m.CheckSignature(leaf, impostor.cert, true) == nil {
		t.Error("the key of another CA is as good")
	}
}

// TestStrangers makes sure that what strangers made up is not kept.
func TestStrangers(t *testing.T) {
	stranger := newAuthority(t)
	leaf := stranger.issue(t, 1)
	m := New()
	if err := m.CheckSignature(leaf, stranger.cert, false); err != nil {
		t.Fatal(err)
	}
	if n := m.signatures.len() + m.certificates.len(); n != 0 {
		t.Errorf("%d facts about strangers are kept", n)
	}
	if got, err := m.Certificate(leaf.Raw); err != nil || got == leaf || m.Verifier(got).Keys != nil {
		t.Errorf("a certificate of strangers is known: %v", err)
	}
}

// TestNil lets a memory that is none do everything.
func TestNil(t *testing.T) {
	ca := newAuthority(t)
	var m *Memory
	leaf, err := m.Certificate(ca.issue(t, 1).Raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.CheckSignature(leaf, ca.cert, true); err != nil || m.Verifier(leaf) != (sigalg.Verifier{}) {
		t.Errorf("no memory says %v", err)
	}
	if m.CheckSignature(ca.cert, leaf, true) == nil {
		t.Error("no memory lets a bad signature pass")
	}
}

// TestKnown makes sure that there is a memory at all.
func TestKnown(t *testing.T) {
	ca := newAuthority(t)
	leaf := ca.issue(t, 1)
	m := New()
	if m.Verifier(leaf).Keys != nil {
		t.Error("a certificate is known that nobody has seen")
	}
	if err := m.CheckSignature(leaf, ca.cert, true); err != nil {
		t.Fatal(err)
	}
	if got, err := m.Certificate(bytes.Clone(leaf.Raw)); err != nil || got != leaf {
		t.Errorf("a certificate was parsed again: %v", err)
	}
	if m.Verifier(leaf).Keys != m.holders {
		t.Error("the key of a known holder gets no table")
	}
	allocs := testing.AllocsPerRun(100, func() {
		if m.CheckSignature(leaf, ca.cert, true) != nil {
			t.Fatal("forgotten")
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations for what is known", allocs)
	}
}

// TestBounded fills a memory with more than it keeps.
func TestBounded(t *testing.T) {
	r := newRecent[int, int](64)
	for i := range 10_000 {
		r.put(i, -i)
		r.put(-1, 1) // what is asked for stays
		if v, ok := r.get(i); !ok || v != -i {
			t.Fatalf("%d is forgotten at once", i)
		}
		if v, ok := r.get(-1); !ok || v != 1 {
			t.Fatalf("what is asked for all the time is forgotten after %d", i)
		}
		if n := r.len(); n > 64 {
			t.Fatalf("%d are kept", n)
		}
	}
	if n := r.len(); n < 32 {
		t.Errorf("only %d are kept", n)
	}
}

// TestConcurrent uses one memory from many sides.
func TestConcurrent(t *testing.T) {
	ca, impostor := newAuthority(t), newAuthority(t)
	var leaves []*gostx509.Certificate
	for i := range 20 {
		leaves = append(leaves, ca.issue(t, i))
	}
	m := New()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for _, leaf := range leaves {
				known, err := m.Certificate(leaf.Raw)
				if err != nil || m.CheckSignature(known, ca.cert, true) != nil || m.CheckSignature(known, impostor.cert, true) == nil {
					t.Error("a wrong answer")
				}
				m.Verifier(known)
			}
		})
	}
	all.Wait()
}

// stub is a module that answers as a test wants.
type stub struct {
	version string
	err     error
	asked   int
}

func (s *stub) Verify(pub *gost3410.PublicKey, digest, signature []byte) (bool, error) {
	s.asked++
	return s.err == nil && pub.Verify(digest, signature), s.err
}

func (s *stub) About() sigalg.EngineInfo {
	return sigalg.EngineInfo{Name: sigalg.EnginePKCS11, Version: s.version}
}

// TestEngines: what this program knows a module has to compute for itself, and each version
// of it anew; what somebody else computed in its place is not known to it.
func TestEngines(t *testing.T) {
	ca := newAuthority(t)
	leaf := ca.issue(t, 1)
	m := New()
	if err := m.CheckSignature(leaf, ca.cert, true); err != nil {
		t.Fatal(err)
	}
	engine := &stub{version: "1"}
	check := func(choice sigalg.Choice, trusted bool, asked int) {
		t.Helper()
		choice.Engine = engine
		engine.asked = 0
		err := m.CheckSignatureBy(choice.Begin(), leaf, ca.cert, trusted)
		if want := engine.err == nil || choice.Fallback; (err == nil) != want || engine.asked != asked {
			t.Errorf("%v; asked %d times, not %d", err, engine.asked, asked)
		}
	}
	engine.err = errors.New("lost")
	check(sigalg.Choice{}, true, 1)
	check(sigalg.Choice{Fallback: true}, true, 1)
	check(sigalg.Choice{Fallback: true}, true, 1) // nobody keeps what this program said alone
	engine.err = nil
	check(sigalg.Choice{}, false, 1)
	check(sigalg.Choice{}, true, 1)
	check(sigalg.Choice{}, true, 0)
	check(sigalg.Choice{Both: true}, true, 1)
	check(sigalg.Choice{Both: true}, true, 0)
	check(sigalg.Choice{}, false, 1) // a stranger
	engine.version = "2"
	check(sigalg.Choice{}, true, 1)
	check(sigalg.Choice{}, true, 0)
}
