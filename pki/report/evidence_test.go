package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/streebog"
	"propusk/pki/cms"
	"propusk/pki/internal/country"
	"propusk/pki/internal/openssl"
	"propusk/pki/person"
	"propusk/pki/revocation"
	"propusk/pki/validate"
)

func hexOf[T ~[32]byte](sum T) string { return hex.EncodeToString(sum[:]) }

// roleDigests returns the digests of a role.
func roleDigests(all []Evidence, role string) []string {
	var out []string
	for _, e := range all {
		if e.Role == role {
			out = append(out, e.Digest)
		}
	}
	return out
}

// TestEvidence: the document names everything that the verdict rests on, by the
// digests that anybody can compute.
func TestEvidence(t *testing.T) {
	openssl.Require(t)
	c := country.New(t)
	h := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	v := validate.Validator{Trust: trust(c), Policy: validate.QES()}
	file := h.Sign(t, document, "-cades", "-outform", "DER")
	d := Signatures(v.Signature(file, cms.Document(document), country.Now), v.Trust, country.Now)
	chain := []string{hexOf(h.Cert.SHA256()), hexOf(c.FNS.Cert.SHA256()), hexOf(c.Root.Cert.SHA256())}
	slices.Sort(chain)
	for role, want := range map[string][]string{
		RoleSignature:   {hexOf(sha256.Sum256(file))},
		RoleDocument:    {hexOf(streebog.Sum256(document))},
		RoleCertificate: chain,
		RoleList:        {hexOf(c.List.SHA256())},
	} {
		if got := roleDigests(d.Evidence, role); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", role, got, want)
		}
	}
	if got := roleDigests(d.Evidence, RoleCRL); len(got) != 2 {
		t.Errorf("%d revocation lists for a chain of three", len(got))
	}
	if got := roleDigests(d.Evidence, RolePolicy); len(got) != 1 {
		t.Errorf("policy: %q", got)
	}
	for _, e := range d.Evidence {
		if e.Role == RoleCRL && (e.Issuer == "" || e.ThisUpdate == nil || e.NextUpdate == nil) {
			t.Errorf("list without facts: %+v", e)
		}
		if e.Role == RoleDocument && e.Algorithm != "gost3411-2012-256" || e.Role != RoleDocument && e.Algorithm != "sha256" {
			t.Errorf("%s: algorithm %q", e.Role, e.Algorithm)
		}
	}
	if d.Engine.Version == "" || d.Engine.Name != "go" || d.Program != "propusk" || d.Trust.AgeSeconds != 0 || d.Trust.ListAgeSeconds <= 0 {
		t.Errorf("engine %+v, trust data %+v", d.Engine, d.Trust)
	}
	if later := Signatures(v.Signature(file, cms.Document(document), country.Now), v.Trust, country.Now.Add(time.Hour)); later.Trust.AgeSeconds != 3600 {
		t.Errorf("an hour later the data are %d seconds old", later.Trust.AgeSeconds)
	}

	// Each input that changes shows in the evidence.
	strict := v
	strict.Policy.AllowedKinds = []person.Kind{person.Entrepreneur}
	other := Signatures(strict.Signature(file, cms.Document(document), country.Now), strict.Trust, country.Now)
	if slices.Equal(roleDigests(d.Evidence, RolePolicy), roleDigests(other.Evidence, RolePolicy)) {
		t.Error("another policy is the same evidence")
	}
	changed := Signatures(v.Signature(file, cms.Document([]byte("x")), country.Now), v.Trust, country.Now)
	if got := roleDigests(changed.Evidence, RoleDocument); got != nil {
		t.Errorf("a document that was not signed is evidence: %q", got)
	}
	if got := Signatures(validate.Report{}, validate.Trust{}, country.Now).Evidence; got == nil || len(roleDigests(got, RoleList)) != 0 {
		t.Errorf("nothing: %v", got)
	}
}

// TestEvidenceOfStream: of a file that was not held, the signatures are named.
func TestEvidenceOfStream(t *testing.T) {
	var k collector
	k.file(&cms.SignedData{Signers: []cms.Signer{{Signature: []byte("a")}, {Signature: []byte("b")}}})
	k.file(nil)
	if got := roleDigests(k.done(), RoleValue); len(got) != 2 || !slices.Contains(got, hexOf(sha256.Sum256([]byte("a")))) {
		t.Errorf("%q", got)
	}
}

// TestReproducible: the same inputs at the same moment give the same bytes, with
// other objects, and whatever the order of what lies about.
func TestReproducible(t *testing.T) {
	openssl.Require(t)
	c := country.New(t)
	h := c.Person(t, c.FNS, gost3410.TC26512A(), country.Entrepreneur())
	file := h.Sign(t, document, "-cades", "-outform", "DER")
	var first, firstPage []byte
	for range 20 {
		v := validate.Validator{Trust: trust(c), Policy: validate.QES()}
		d := Signatures(v.Signature(bytes.Clone(file), cms.Document(bytes.Clone(document)), country.Now), v.Trust, country.Now)
		text, err := JSON(d)
		if err != nil {
			t.Fatal(err)
		}
		var page bytes.Buffer
		if err := HTML(&page, d, Russian); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first, firstPage = text, page.Bytes()
		}
		if !bytes.Equal(text, first) || !bytes.Equal(page.Bytes(), firstPage) {
			t.Fatal("the same inputs gave another document")
		}
	}
}

// TestEvidencePrintsNobody: evidence names issuers, who may be people in a test
// country; a careless log line must not.
func TestEvidencePrintsNobody(t *testing.T) {
	e := Evidence{Role: RoleCertificate, Digest: "00", Algorithm: "sha256", Issuer: "CN=Иванов"}
	if strings.Contains(e.String()+e.GoString(), "Иванов") {
		t.Error("evidence prints its issuer")
	}
}

// TestSign: the receipt is verified by ourselves and by OpenSSL, and no changed one
// is.
func TestSign(t *testing.T) {
	openssl.Require(t)
	c := country.New(t)
	h := c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	v := validate.Validator{Trust: trust(c), Policy: validate.QES()}
	d := Signatures(v.Signature(h.Sign(t, document, "-cades", "-outform", "DER"), cms.Document(document), country.Now), v.Trust, country.Now)
	signed, err := Sign(nil, d, cms.Signatory{Key: h.Key, Certificate: h.Cert, Time: country.Now})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := JSON(d); err != nil || !bytes.Equal(text, signed.Report) {
		t.Errorf("the receipt is not the document: %v", err)
	}
	receipt := v.Signature(signed.Signature, cms.Document(signed.Report), country.Now)
	if who, ok := receipt.Verdict().Identity(); !ok || who.INN.Reveal() != "500100732259" || receipt.Signatures[0].Level != cms.BES {
		t.Errorf("the receipt: %+v", receipt.Verdict())
	}
	forged := bytes.Replace(signed.Report, []byte(TotalPassed), []byte(TotalFailed), 1)
	if r := v.Signature(signed.Signature, cms.Document(forged), country.Now); r.Verdict().Why() != "content-changed" {
		t.Errorf("a forged receipt: %q", r.Verdict().Why())
	}

	dir := t.TempDir()
	openssl.Write(t, dir, "report.json", signed.Report)
	openssl.Write(t, dir, "forged.json", forged)
	openssl.Write(t, dir, "report.sig", signed.Signature)
	for name, want := range map[string]bool{"report.json": true, "forged.json": false} {
		_, said, ok := openssl.Try(t, dir, "cms", "-verify", "-inform", "DER", "-in", "report.sig", "-content", name, "-binary", "-noverify", "-out", "content")
		if ok != want {
			t.Errorf("%s: OpenSSL says %s", name, said)
		}
	}
	if _, err := Sign(nil, d, cms.Signatory{}); err == nil {
		t.Error("nobody signed")
	}
}

// BenchmarkSignatures makes the document about one signature: what an answer costs
// beside the verdict.
func BenchmarkSignatures(b *testing.B) {
	openssl.Require(b)
	c := country.New(b)
	h := c.Person(b, c.FNS, gost3410.TC26256A(), country.Entrepreneur())
	v := validate.Validator{Trust: trust(c), Policy: validate.QES()}
	r := v.Signature(h.Sign(b, document, "-cades", "-outform", "DER"), cms.Document(document), country.Now)
	b.Run("document", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Signatures(r, v.Trust, country.Now)
		}
	})
	b.Run("JSON", func(b *testing.B) {
		b.ReportAllocs()
		d := Signatures(r, v.Trust, country.Now)
		for b.Loop() {
			if _, err := json.Marshal(d); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestPolicyDigest: what is remembered about policies is about these policies, whatever
// the caller does with one afterwards.
func TestPolicyDigest(t *testing.T) {
	want := func(p validate.Policy) string {
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%x", sha256.Sum256(text))
	}
	own := validate.Policy{Name: "own", AllowedKinds: []person.Kind{person.Entrepreneur}, SignaturePolicies: map[string][]byte{"1.2.3": {1}}}
	all := []validate.Policy{
		{}, validate.QES(), validate.CA(), validate.SignIn(person.Entrepreneur), validate.SignIn(), own,
		{Revocation: revocation.Policy{Grace: 1, Issuers: map[string]revocation.IssuerPolicy{"00": {}}}}, {AllowUnqualified: true}, {AllowedKinds: []person.Kind{}},
	}
	for range 3 {
		for _, p := range all {
			for range 2 {
				if got := policyDigest(&p); got != want(p) {
					t.Errorf("%+v: %s, want %s", p, got, want(p))
				}
			}
		}
		own.AllowedKinds[0] = person.Person
		own.SignaturePolicies["1.2.3"][0]++
	}
	policyDigest(&own)
	if known := digested.Load(); known == nil || !reflect.DeepEqual(known[0].policy, own) {
		t.Error("nothing is remembered")
	}
}
