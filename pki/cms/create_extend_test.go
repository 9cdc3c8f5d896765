package cms

import (
	"bytes"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"

	"propusk/gost/gost3410"
	"propusk/pki/der"
	"propusk/pki/gostx509"
	"propusk/pki/internal/openssl"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

// testPolicy is a signature policy.
func testPolicy(t testing.TB) *Policy {
	return &Policy{
		ID: asn1.ObjectIdentifier{1, 2, 643, 7, 99, 2}, Algorithm: sigalg.OIDStreebog256,
		Hash: digestOf(t, sigalg.OIDStreebog256, []byte("Вымышленная политика подписи")), URL: "https://example.test/policy",
	}
}

// TestCreateEPES signs under a policy: ours and openssl verify it, and openssl reads
// the policy.
func TestCreateEPES(t *testing.T) {
	by := newSignatory(t, gost3410.TC26256A(), "Подписант Вымышленный")
	by.Policy = testPolicy(t)
	for _, address := range []string{"", "https://example.test/policy"} {
		by.Policy.URL = address
		file := create(t, false, by)
		sd, ok := accepts(file, Content{})
		if !ok || levels(sd, Content{}) != string(EPES) {
			t.Errorf("%q: not accepted as EPES: %s", address, levels(sd, Content{}))
		}
		rewrites(t, file)
		if address == "" {
			continue
		}
		openssl.Require(t)
		dir := t.TempDir()
		openssl.Write(t, dir, "ca", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: by.Certificate.Raw}))
		openssl.Write(t, dir, "document", document)
		verifyWithOpenSSL(t, dir, file, false, "DER")
		openssl.Write(t, dir, "file", file)
		text := string(openssl.Run(t, dir, "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", "file"))
		if !strings.Contains(text, "id-smime-aa-ets-sigPolicyId") || !strings.Contains(text, by.Policy.ID.String()) {
			t.Error("openssl does not see the policy")
		}
	}
}

// TestPolicyRefused refuses policies that say nothing.
func TestPolicyRefused(t *testing.T) {
	by := newSignatory(t, gost3410.TC26256A(), "Подписант Вымышленный")
	for name, change := range map[string]func(*Policy){
		"no identifier":   func(p *Policy) { p.ID = nil },
		"no digest":       func(p *Policy) { p.Hash = nil },
		"short digest":    func(p *Policy) { p.Hash = p.Hash[1:] },
		"unknown digest":  func(p *Policy) { p.Algorithm = asn1.ObjectIdentifier{1, 2, 3} },
		"Russian address": func(p *Policy) { p.URL = "https://пример.испытание/" },
	} {
		by.Policy = testPolicy(t)
		change(by.Policy)
		if file, err := Create(nil, document, by); file != nil || !errors.Is(err, errPolicy) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCounterSign puts a counter-signature under a signature: it verifies over that
// one and no other, and the signature stays as it was.
func TestCounterSign(t *testing.T) {
	first := newSignatory(t, gost3410.TC26256A(), "Подписант Вымышленный")
	for _, curve := range curves() {
		second := newSignatory(t, curve, "Заверитель Вымышленный")
		ca, _ := newSigner(t, gost3410.TC26256A(), "УЦ Вымышленный")
		second.Chain = []*gostx509.Certificate{ca}
		before, err := Parse(create(t, true, first))
		if err != nil {
			t.Fatal(err)
		}
		file, err := before.CounterSign(nil, 0, second)
		if err != nil {
			t.Fatal(err)
		}
		rewrites(t, file)
		sd, ok := accepts(file, given(true))
		if !ok {
			t.Fatalf("%s: not accepted any more", curve.Name())
		}
		s := &sd.Signers[0]
		if !bytes.Equal(s.Signature, before.Signers[0].Signature) || !bytes.Equal(s.RawSignedAttrs, before.Signers[0].RawSignedAttrs) {
			t.Errorf("%s: what was signed is another", curve.Name())
		}
		if len(s.UnsignedAttrs) != 1 || string(s.UnsignedAttrs[0].Type) != oidCounterSignature || len(sd.Certificates) != 3 {
			t.Fatalf("%s: no counter-signature, or not its certificates", curve.Name())
		}
		counter, err := ParseSigner(s.UnsignedAttrs[0].Values)
		if err != nil {
			t.Fatal(err)
		}
		certs, _ := sd.X509()
		if r := counter.VerifyCounter(nil, s.Signature, certs); !allPassed(append(r.Math, r.Format...)) || !r.Certificate.Equal(second.Certificate) {
			t.Errorf("%s: %v", curve.Name(), r)
		}
		other := bytes.Clone(s.Signature)
		other[0] ^= 1
		if r := counter.VerifyCounter(nil, other, certs); allPassed(r.Math) {
			t.Errorf("%s: good for another signature too", curve.Name())
		}
		openssl.Require(t)
		dir := t.TempDir()
		openssl.Write(t, dir, "ca", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: first.Certificate.Raw}))
		openssl.Write(t, dir, "document", document)
		verifyWithOpenSSL(t, dir, file, true, "DER")
	}
}

// TestExtend adds attributes and data of every sort, and finds each once.
func TestExtend(t *testing.T) {
	by := newSignatory(t, gost3410.TC26256A(), "Подписант Вымышленный")
	ca, _ := newSigner(t, gost3410.TC26256A(), "УЦ Вымышленный")
	sd, err := Parse(create(t, false, by))
	if err != nil {
		t.Fatal(err)
	}
	list, response := []byte{0x30, 0}, []byte{0x30, 3, 0x0a, 1, 6}
	add := Addition{
		Attributes:   []Attribute{{Type: der.OID(oidCounterSignature), Values: null}, {Type: der.OID(oidData), Values: null}},
		Certificates: [][]byte{ca.Raw, by.Certificate.Raw, ca.Raw},
		CRLs:         [][]byte{list, list}, OCSPs: [][]byte{response, response},
	}
	file, err := sd.Extend(0, add)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time, only the attributes are added again
		if sd, err = Parse(file); err != nil {
			t.Fatal(err)
		}
		if len(sd.Certificates) != 2 || len(sd.CRLs) != 1 || len(sd.OCSPResponses) != 1 || sd.Version != 5 || !bytes.Equal(sd.OCSPResponses[0], response) {
			t.Errorf("%d certificates, %d lists, %d responses", len(sd.Certificates), len(sd.CRLs), len(sd.OCSPResponses))
		}
		if err := sd.Unbroken(0); err != nil {
			t.Error(err)
		}
		if file, err = sd.Extend(0, add); err != nil {
			t.Fatal(err)
		}
	}
	if sd, err = Parse(file); err != nil || len(sd.Signers[0].UnsignedAttrs) != 6 {
		t.Errorf("%d attributes: %v", len(sd.Signers[0].UnsignedAttrs), err)
	}
	same, err := sd.Extend(0, Addition{})
	if err != nil || !bytes.Equal(same, file) {
		t.Errorf("nothing was added, and yet: %v", err)
	}
}

// TestExtendRefused adds to nothing that would break, and nothing that cannot be
// read.
func TestExtendRefused(t *testing.T) {
	by := newSignatory(t, gost3410.TC26256A(), "Подписант Вымышленный")
	good, err := Parse(create(t, false, by))
	if err != nil {
		t.Fatal(err)
	}
	add := Addition{Attributes: []Attribute{{Type: der.OID(oidData), Values: null}}}
	for _, seal := range []string{oidSealOld, oidSealV2} {
		file, err := good.Extend(0, Addition{Attributes: []Attribute{{Type: der.OID(seal), Values: null}}})
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := Parse(file)
		if err != nil {
			t.Fatal(err)
		}
		if file, err := sealed.Extend(0, add); file != nil || !errors.Is(err, reason.SignatureSealed) {
			t.Errorf("sealed: %v", err)
		}
		other := newSignatory(t, gost3410.TC26256A(), "Заверитель Вымышленный")
		if file, err := sealed.CounterSign(nil, 0, other); file != nil || !errors.Is(err, reason.SignatureSealed) {
			t.Errorf("sealed: %v", err)
		}
	}
	for _, number := range []int{-1, 1} {
		if _, err := good.Extend(number, add); !errors.Is(err, errNoSuchSigner) {
			t.Errorf("signer %d: %v", number, err)
		}
		if _, err := good.CounterSign(nil, number, by); !errors.Is(err, errNoSuchSigner) {
			t.Errorf("signer %d: %v", number, err)
		}
	}
	if _, err := good.Extend(0, Addition{Certificates: [][]byte{{0x02, 1, 1}}}); err == nil {
		t.Error("an INTEGER among the certificates")
	}
	if _, err := good.CounterSign(nil, 0, Signatory{}); !errors.Is(err, errIncomplete) {
		t.Error(err)
	}
	broken := bytes.Clone(good.Raw)
	broken[len(broken)-1] ^= 1
	sd, err := Parse(broken)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sd.CounterSign(nil, 0, by); !errors.Is(err, reason.SignatureBad) {
		t.Errorf("a broken signature: %v", err)
	}
}

// TestCreateContent signs content of a type of its own, and includes what it is told
// to.
func TestCreateContent(t *testing.T) {
	by := newSignatory(t, gost3410.TC26512C(), "Служба Вымышленная")
	id := asn1.ObjectIdentifier{1, 2, 643, 7, 99, 3}
	file, err := CreateContent(nil, id, document, by)
	if err != nil {
		t.Fatal(err)
	}
	sd, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	if !sd.ContentType.Equal(id) || sd.Version != 3 || len(sd.Certificates) != 0 || !bytes.Equal(sd.Content, document) {
		t.Errorf("version %d, type %v, %d certificates", sd.Version, sd.ContentType, len(sd.Certificates))
	}
	r := sd.Verify(Content{}, []*gostx509.Certificate{by.Certificate})[0]
	for _, c := range append(r.Math, r.Format...) {
		if c.Status != verdict.Passed {
			t.Errorf("%s: %s", c.Name, c.Reason)
		}
	}
	if _, err := CreateContent(nil, nil, document, by); err == nil {
		t.Error("no type of content")
	}
	if _, err := CreateContent(nil, id, document, Signatory{}); !errors.Is(err, errIncomplete) {
		t.Error(err)
	}
}

// FuzzExtend: whatever can be read can be extended, and all that was signed is still
// there, byte for byte.
func FuzzExtend(f *testing.F) {
	first, second := newSignatory(f, gost3410.TC26256A(), "Подписант Вымышленный"), newSignatory(f, gost3410.TC26512A(), "Заверитель Вымышленный")
	f.Add(create(f, false, first))
	f.Add(create(f, true, first, second))
	f.Add(goodForgery(f).build(f))
	add := Addition{
		Attributes:   []Attribute{{Type: der.OID(oidData), Values: null}},
		Certificates: [][]byte{first.Certificate.Raw}, CRLs: [][]byte{{0x30, 0}}, OCSPs: [][]byte{{0x30, 0}},
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before, err := Parse(data)
		if err != nil || len(before.Signers) == 0 {
			return
		}
		file, err := before.Extend(len(before.Signers)-1, add)
		if err != nil {
			if file != nil {
				t.Fatal("refused, yet returned")
			}
			return
		}
		after, err := Parse(file)
		if err != nil || len(after.Signers) != len(before.Signers) || !bytes.Equal(after.Content, before.Content) || after.Detached != before.Detached {
			t.Fatalf("another file: %v", err)
		}
		for i := range before.Signers {
			s := &before.Signers[i]
			if !slices.ContainsFunc(after.Signers, func(now Signer) bool {
				return bytes.Equal(now.Signature, s.Signature) && bytes.Equal(now.RawSignedAttrs, s.RawSignedAttrs) &&
					bytes.Equal(now.Issuer, s.Issuer) && bytes.Equal(now.SubjectKeyID, s.SubjectKeyID)
			}) {
				t.Fatalf("signature %d is lost", i)
			}
		}
		for _, cert := range before.Certificates {
			if !slices.ContainsFunc(after.Certificates, func(now []byte) bool { return bytes.Equal(now, cert) }) {
				t.Fatal("a certificate is lost")
			}
		}
	})
}
