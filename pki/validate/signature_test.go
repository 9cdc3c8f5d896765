package validate

import (
	"bytes"
	"fmt"
	"testing"

	"propusk/gost/gost3410"
	"propusk/pki/cms"
	"propusk/pki/facts"
	"propusk/pki/internal/country"
	"propusk/pki/internal/openssl"
	"propusk/pki/path"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

var document = []byte("Заявление вымышленного предпринимателя.\n")

// TestOpenSSL judges what openssl signs with keys of the country.
func TestOpenSSL(t *testing.T) {
	openssl.Require(t)
	c := country.New(t)
	v := validator(c, QES())
	forms := []struct {
		name     string
		args     []string
		detached bool
		level    cms.Level
	}{
		{"attached DER", []string{"-nodetach", "-outform", "DER"}, false, cms.Plain},
		{"attached PEM", []string{"-nodetach", "-outform", "PEM"}, false, cms.Plain},
		{"detached DER", []string{"-outform", "DER"}, true, cms.Plain},
		{"detached PEM", []string{"-outform", "PEM"}, true, cms.Plain},
		{"without attributes", []string{"-noattr", "-nodetach", "-outform", "DER"}, false, cms.Plain},
		{"detached without attributes", []string{"-noattr", "-outform", "DER"}, true, cms.Plain},
		{"CAdES", []string{"-cades", "-nodetach", "-outform", "DER"}, false, cms.BES},
		{"detached CAdES", []string{"-cades", "-outform", "PEM"}, true, cms.BES},
		{"key identifier", []string{"-keyid", "-nodetach", "-outform", "DER"}, false, cms.Plain},
		{"stream", []string{"-stream", "-nodetach", "-outform", "DER"}, false, cms.Plain},
	}
	for _, curve := range []*gost3410.Curve{
		gost3410.TC26256A(), gost3410.CryptoProA(), gost3410.CryptoProB(), gost3410.CryptoProC(),
		gost3410.TC26512A(), gost3410.TC26512B(), gost3410.TC26512C(),
	} {
		h := c.Person(t, c.FNS, curve, country.Entrepreneur())
		for _, form := range forms {
			t.Run(fmt.Sprintf("%s %s", curve.Name(), form.name), func(t *testing.T) {
				content := cms.Content{}
				if form.detached {
					content = cms.Document(document)
				}
				file := h.Sign(t, document, form.args...)
				wantPassed(t, v.Signature(file, content, now), form.level, h)
				wrong := v.Signature(file, cms.Document(document[1:]), now)
				if wrong.Verdict().Status() != verdict.Failed {
					t.Errorf("another document: %v", wrong.Verdict().Status())
				}
			})
		}
	}
}

// wantPassed checks a report about one good signature of a holder.
func wantPassed(t *testing.T, r Report, level cms.Level, h country.Holder) {
	t.Helper()
	who, ok := r.Verdict().Identity()
	if !ok || len(r.Signatures) != 1 {
		t.Fatalf("%v %q: %+v", r.Verdict().Status(), r.Verdict().Why(), r.Verdict().Checks())
	}
	s := r.Signatures[0]
	signer, ok := s.Verdict.Identity()
	if !ok || signer != who || who.Kind != person.Entrepreneur || who.OGRNIP.Reveal() != "304500116000157" {
		t.Errorf("another signer")
	}
	if s.Level != level || !s.Claimed.Equal(h.Cert) {
		t.Errorf("level %s, want %s; or another certificate", s.Level, level)
	}
	for name, part := range map[string]verdict.Verdict{
		"mathematical": s.Mathematical, "certificate": s.Certificate.Verdict, "qualified": s.Certificate.Qualified,
	} {
		if part.Status() != verdict.Passed {
			t.Errorf("%s: %v", name, part.Status())
		}
	}
}

// refuses checks that a report grants nothing.
func refuses(t *testing.T, name string, r Report, status verdict.Status, code reason.Code) {
	t.Helper()
	got := r.Verdict()
	if got.Status() != status || got.Why() != code {
		t.Errorf("%s: %v %q, want %v %q: %+v", name, got.Status(), got.Why(), status, code, got.Checks())
	}
	if _, ok := got.Identity(); ok {
		t.Errorf("%s: an identity", name)
	}
	for _, s := range r.Signatures {
		if _, ok := s.Verdict.Identity(); ok && len(r.Signatures) == 1 {
			t.Errorf("%s: an identity of the signature", name)
		}
		if _, ok := s.Certificate.Verdict.Identity(); ok && s.Verdict.Status() != verdict.Passed {
			t.Errorf("%s: an identity of the certificate, and nobody has signed", name)
		}
		if s.Mathematical.Status() == verdict.Failed && (s.Certificate.Parsed != nil || len(s.Certificate.Verdict.Checks()) > 0) {
			t.Errorf("%s: the certificate of nobody was judged", name)
		}
	}
}

// TestBadFiles judges what is no good signature at all.
func TestBadFiles(t *testing.T) {
	c := country.New(t)
	h := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	v := validator(c, QES())
	refuses(t, "nothing", v.Signature(nil, cms.Content{}, now), verdict.Failed, reason.SignatureMalformed)
	refuses(t, "noise", v.Signature([]byte("noise"), cms.Content{}, now), verdict.Failed, reason.SignatureMalformed)
	refuses(t, "a certificate", v.Signature(h.Cert.Raw, cms.Content{}, now), verdict.Failed, reason.SignatureMalformed)
	refuses(t, "zero", Report{}, verdict.Indeterminate, "")
	refuses(t, "too long", v.Signature(make([]byte, cms.MaxSize+1), cms.Content{}, now), verdict.Indeterminate, reason.SignatureTooLarge)

	bundle := noSigners(t, h)
	refuses(t, "certificates only", v.Signature(bundle, cms.Content{}, now), verdict.Failed, reason.NoSigners)

	file := h.Sign(t, document, "-outform", "DER")
	refuses(t, "no document", v.Signature(file, cms.Content{}, now), verdict.Indeterminate, reason.ContentMissing)
	refuses(t, "another document", v.Signature(file, cms.Document([]byte("x")), now), verdict.Failed, reason.ContentChanged)
	refuses(t, "zero validator", Validator{}.Signature(file, cms.Document(document), now), verdict.Indeterminate, reason.TrustNotConfigured)
	file = h.Sign(t, document, "-outform", "DER", "-nocerts")
	refuses(t, "no certificate", v.Signature(file, cms.Document(document), now), verdict.Indeterminate, reason.SignerCertMissing)
	wantPassed(t, v.Signature(file, cms.Document(document), now, h.Cert), cms.Plain, h)
}

// noSigners returns a bundle of certificates, a SignedData without signers.
func noSigners(t *testing.T, h country.Holder) []byte {
	t.Helper()
	openssl.Require(t)
	dir := t.TempDir()
	openssl.Write(t, dir, "crt", country.CertPEM(h.Cert))
	openssl.Run(t, dir, "crl2pkcs7", "-nocrl", "-certfile", "crt", "-outform", "DER", "-out", "bundle")
	return openssl.Read(t, dir, "bundle")
}

// TestBadCertificates judges good signatures made with bad certificates: the
// mathematics passes, the total does not.
func TestBadCertificates(t *testing.T) {
	c := country.New(t)
	expired := country.Entrepreneur()
	expired.NotAfter = now.AddDate(0, 0, -1)
	for _, one := range []struct {
		name string
		h    country.Holder
		code reason.Code
	}{
		{"expired", c.Person(t, c.FNS, gost3410.TC26256A(), expired), reason.CertExpired},
		{"unlisted CA", c.Person(t, c.Stranger, gost3410.TC26256A(), country.Entrepreneur()), reason.CANotListed},
		{"self-signed", c.Person(t, nil, gost3410.TC26256A(), country.Entrepreneur()), reason.UnknownCA},
	} {
		r := validator(c, QES()).Signature(one.h.Sign(t, document, "-nodetach", "-outform", "DER"), cms.Content{}, now)
		refuses(t, one.name, r, verdict.Failed, one.code)
		s := r.Signatures[0]
		if s.Mathematical.Status() != verdict.Passed || s.Certificate.Verdict.Status() != verdict.Failed {
			t.Errorf("%s: mathematics %v, certificate %v", one.name, s.Mathematical.Status(), s.Certificate.Verdict.Status())
		}
	}
}

// TestWorkPerSigner: signers share the work that a file may cost, and each still
// has enough of it for a real path.
func TestWorkPerSigner(t *testing.T) {
	for n := 1; n <= cms.MaxSigners; n++ {
		w := workPerSigner(n)
		if w < 8 || w > path.DefaultMaxWork || n*w > 4*path.DefaultMaxWork {
			t.Errorf("%d signers: %d steps each", n, w)
		}
	}
	if w := workPerSigner(1); w != path.DefaultMaxWork {
		t.Errorf("one signer: %d steps", w)
	}
	c := country.New(t)
	v := validator(c, QES())
	v.work = 1
	h := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	if got := v.Certificate(h.Cert.Raw, nil, now); got.Verdict.Why() != reason.ChainTooComplex {
		t.Errorf("a path of two steps within one: %q", got.Verdict.Why())
	}
}

// TestSwappedCertificate puts the certificate of somebody else into a signature,
// under the name and number of the signer and under its own.
func TestSwappedCertificate(t *testing.T) {
	c := country.New(t)
	h := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	other := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	v := validator(c, QES())
	for _, args := range [][]string{{"-nodetach", "-nocerts", "-outform", "DER"}, {"-nodetach", "-nocerts", "-cades", "-outform", "DER"}} {
		file := h.Sign(t, document, args...)
		refuses(t, "another certificate", v.Signature(file, cms.Content{}, now, other.Cert), verdict.Indeterminate, reason.SignerCertMissing)

		// A certificate of the same CA with the same number and another key.
		template := country.Entrepreneur()
		template.Serial = bytes.TrimLeft(h.Cert.Serial, "\x00")
		twin := c.Person(t, c.FNS, gost3410.TC26256A(), template)
		refuses(t, "a twin", v.Signature(file, cms.Content{}, now, twin.Cert), verdict.Failed, reason.SignatureBad)
		wantTwinIgnored(t, v.Signature(file, cms.Content{}, now, twin.Cert, h.Cert), h)
	}
}

func wantTwinIgnored(t *testing.T, r Report, h country.Holder) {
	t.Helper()
	if r.Verdict().Status() != verdict.Passed || !r.Signatures[0].Claimed.Equal(h.Cert) {
		t.Errorf("the signer is not found behind its twin: %+v", r.Verdict().Checks())
	}
}

// TestTwoSigners judges a file with two signatures: the worst one counts.
func TestTwoSigners(t *testing.T) {
	c := country.New(t)
	openssl.Require(t)
	h := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	good := c.Person(t, c.FNS, gost3410.TC26512A(), country.Entrepreneur())
	bad := c.Person(t, c.Lost, gost3410.TC26512A(), country.Entrepreneur())
	v := validator(c, QES())
	for _, one := range []struct {
		second country.Holder
		status verdict.Status
	}{{good, verdict.Passed}, {bad, verdict.Failed}} {
		dir := t.TempDir()
		second := openssl.Write(t, dir, "crt2", country.CertPEM(one.second.Cert))
		key := openssl.Write(t, dir, "key2", country.KeyPEM(t, one.second.Key))
		r := v.Signature(h.Sign(t, document, "-nodetach", "-outform", "DER", "-signer", second, "-inkey", key), cms.Content{}, now)
		if len(r.Signatures) != 2 || r.Verdict().Status() != one.status {
			t.Fatalf("%d signatures, %v: %+v", len(r.Signatures), r.Verdict().Status(), r.Verdict().Checks())
		}
		if who, _ := r.Verdict().Identity(); who != (person.Identity{}) {
			t.Error("the total names one of two signers")
		}
		for _, s := range r.Signatures {
			want := verdict.Passed
			if s.Claimed.Equal(bad.Cert) {
				want = verdict.Failed
			}
			if s.Verdict.Status() != want {
				t.Errorf("a signature: %v, want %v", s.Verdict.Status(), want)
			}
		}
	}
}

// TestFlipSignature spoils every byte of a signature file with its certificate
// and document inside, for CMS and CAdES: none passes.
func TestFlipSignature(t *testing.T) {
	c := country.New(t)
	h := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	v := validator(c, QES())
	v.Trust.Facts = facts.New()
	for _, args := range [][]string{
		{"-nodetach", "-outform", "DER"},
		{"-nodetach", "-cades", "-outform", "DER"},
		{"-nodetach", "-noattr", "-outform", "DER"},
	} {
		file := h.Sign(t, document, args...)
		wantStatus(t, v.Signature(file, cms.Content{}, now), verdict.Passed)
		for i := range file {
			for _, mask := range []byte{1 << (i % 8), 255} { // package cms tries every bit
				file[i] ^= mask
				if r := v.Signature(file, cms.Content{}, now); r.Verdict().Status() == verdict.Passed {
					t.Errorf("%v: byte %d ^ %02x: passed", args, i, mask)
				}
				file[i] ^= mask
			}
		}
	}
}

func wantStatus(t *testing.T, r Report, want verdict.Status) {
	t.Helper()
	if got := r.Verdict(); got.Status() != want {
		t.Fatalf("%v %q, want %v: %+v", got.Status(), got.Why(), want, got.Checks())
	}
}

// BenchmarkLogin judges the CMS of a login by challenge: three signatures.
func BenchmarkLogin(b *testing.B) {
	c := country.New(b)
	h := c.Person(b, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	v := validator(c, SignIn(person.Entrepreneur))
	file := h.Sign(b, document, "-nodetach", "-cades", "-outform", "DER")
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if r := v.Signature(file, cms.Content{}, now); r.Verdict().Status() != verdict.Passed {
			b.Fatal(r.Verdict().Why())
		}
	}
}
