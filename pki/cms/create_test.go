package cms

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/gost/gost3410"
	"propusk/gost/pkcs8"
	"propusk/gost/spki"
	"propusk/pki/gostx509"
	"propusk/pki/internal/openssl"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

// signedAt is a moment at which the certificates of newSigner are in force.
var signedAt = time.Date(2026, 6, 15, 9, 30, 15, 999, time.UTC)

// newSignatory makes somebody who signs at signedAt.
func newSignatory(t testing.TB, curve *gost3410.Curve, name string) Signatory {
	t.Helper()
	cert, key := newSigner(t, curve, name)
	return Signatory{Key: key, Certificate: cert, Time: signedAt}
}

// curves are all there are.
func curves() []*gost3410.Curve {
	return []*gost3410.Curve{
		gost3410.TC26256A(), gost3410.CryptoProA(), gost3410.CryptoProB(), gost3410.CryptoProC(),
		gost3410.TC26512A(), gost3410.TC26512B(), gost3410.TC26512C(),
	}
}

// create makes an attached or a detached signature.
func create(t testing.TB, detached bool, by ...Signatory) []byte {
	t.Helper()
	file, err := Create(nil, document, by...)
	if detached {
		file, err = CreateDetached(nil, bytes.NewReader(document), by...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// given returns what must be given to verify.
func given(detached bool) Content {
	if detached {
		return Document(document)
	}
	return Content{}
}

// TestCreate makes signatures on every curve and reads what is in them.
func TestCreate(t *testing.T) {
	for _, curve := range curves() {
		for _, detached := range []bool{false, true} {
			by := newSignatory(t, curve, "Подписант Вымышленный")
			other, _ := newSigner(t, gost3410.TC26256A(), "УЦ Вымышленный")
			by.Chain = []*gostx509.Certificate{other, by.Certificate, other}
			file := create(t, detached, by)
			sd, ok := accepts(file, given(detached))
			if !ok {
				t.Fatalf("%s: not accepted", curve.Name())
			}
			digest, signature := sigalg.OIDStreebog256, sigalg.OIDGOST256WithStreebog
			if curve.Size() == 64 {
				digest, signature = sigalg.OIDStreebog512, sigalg.OIDGOST512WithStreebog
			}
			s := &sd.Signers[0]
			for what, right := range map[string]bool{
				"versions":            sd.Version == 1 && s.Version == 1,
				"detached":            sd.Detached == detached && (detached || bytes.Equal(sd.Content, document)),
				"content type":        sd.ContentType.Equal(idData),
				"certificates":        len(sd.Certificates) == 2,
				"digest algorithms":   len(sd.DigestAlgorithms) == 1 && sd.DigestAlgorithms[0].Algorithm.Equal(digest),
				"digest algorithm":    s.DigestAlgorithm.Algorithm.Equal(digest) && s.DigestAlgorithm.Parameters == nil,
				"signature algorithm": s.SignatureAlgorithm.Algorithm.Equal(signature) && s.SignatureAlgorithm.Parameters == nil,
				"signature":           len(s.Signature) == 2*curve.Size(),
				"level":               levels(sd, given(detached)) == "CAdES-BES",
				"attributes":          len(s.SignedAttrs) == 4 && len(s.UnsignedAttrs) == 0,
			} {
				if !right {
					t.Errorf("%s, detached %v: wrong %s", curve.Name(), detached, what)
				}
			}
			if at, ok := s.SigningTime(); !ok || !at.Equal(signedAt.Truncate(time.Second)) {
				t.Errorf("signing-time %v", at)
			}
			rewrites(t, file)
		}
	}
}

// levels returns the kinds of the signatures of a file.
func levels(sd *SignedData, content Content) string {
	certs, _ := sd.X509()
	var all []string
	for _, r := range sd.Verify(content, certs) {
		all = append(all, string(r.Level))
	}
	return strings.Join(all, " ")
}

// rewrites checks that a file, taken apart and written again, is the same: all of
// its sets are in the order of DER.
func rewrites(t *testing.T, file []byte) {
	t.Helper()
	sd, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := sd.message()
	if err != nil {
		t.Fatal(err)
	}
	again, err := m.marshal()
	if err != nil || !bytes.Equal(again, file) {
		t.Errorf("written again, the file is another: %v", err)
	}
	for i := range sd.Signers {
		set := bytes.Clone(sd.Signers[i].RawSignedAttrs)
		if set == nil {
			continue // not ours
		}
		set[0] = 0x31
		var attributes []asn1.RawValue // encoding/asn1 does not sort what it reads
		if rest, err := asn1.UnmarshalWithParams(set, &attributes, "set"); err != nil || len(rest) > 0 {
			t.Fatal(err)
		}
		for j := 1; j < len(attributes); j++ {
			if bytes.Compare(attributes[j-1].FullBytes, attributes[j].FullBytes) >= 0 {
				t.Error("signed attributes are not in the order of DER")
			}
		}
	}
}

// TestCreateTimes writes signing-time in its two forms, or leaves it out.
func TestCreateTimes(t *testing.T) {
	by := newSignatory(t, gost3410.TC26256A(), "Подписант Вымышленный")
	by.Time = time.Time{}
	sd, ok := accepts(create(t, false, by), Content{})
	if _, claimed := sd.Signers[0].SigningTime(); !ok || claimed || len(sd.Signers[0].SignedAttrs) != 3 {
		t.Errorf("a time is claimed, or not accepted")
	}
	for _, year := range []int{1949, 1950, 2049, 2050} {
		by.Time = time.Date(year, 12, 31, 23, 59, 59, 5, time.FixedZone("MSK", 3*60*60))
		var b cryptobyte.Builder
		by.addTime(&b)
		raw := b.BytesOrPanic()
		s := Signer{SignedAttrs: []Attribute{{Type: []byte(oidSigningTime), Values: raw}}}
		if at, ok := s.SigningTime(); !ok || !at.Equal(by.Time.Truncate(time.Second)) {
			t.Errorf("%d: read back as %v", year, at)
		}
		if short := raw[0] == 0x17; short != (1950 <= year && year < 2050) {
			t.Errorf("%d: tag %#x: RFC 5652, 11.3", year, raw[0])
		}
	}
}

// TestDescription has what the document is written under the signature, and read back;
// OpenSSL knows the attribute.
func TestDescription(t *testing.T) {
	by := newSignatory(t, gost3410.TC26256A(), "Подписант Вымышленный")
	sd, ok := accepts(create(t, false, by), Content{})
	if text, found := sd.Signers[0].Description(); !ok || found || text != "" {
		t.Errorf("without one: %q, %v", text, found)
	}
	by.Description = "Договор, sign-document"
	file := create(t, false, by)
	sd, ok = accepts(file, Content{})
	if text, found := sd.Signers[0].Description(); !ok || !found || text != by.Description {
		t.Errorf("read back as %q, %v, accepted %v", text, found, ok)
	}
	hints := func(write func(*cryptobyte.Builder)) Signer {
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SEQUENCE, write)
		return Signer{SignedAttrs: []Attribute{{Type: []byte(oidContentHints), Values: b.BytesOrPanic()}}}
	}
	for name, s := range map[string]Signer{
		"type alone": hints(func(b *cryptobyte.Builder) { addOID(b, oidData) }),
		"no type": hints(func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte("x")) })
		}),
		"empty": hints(func(*cryptobyte.Builder) {}),
		"not UTF-8": hints(func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte{0xff}) })
			addOID(b, oidData)
		}),
		"no values":   {SignedAttrs: []Attribute{{Type: []byte(oidContentHints)}}},
		"not in DER":  {SignedAttrs: []Attribute{{Type: []byte(oidContentHints), Values: []byte{0x30, 0x80}}}},
		"two of them": {SignedAttrs: []Attribute{{Type: []byte(oidContentHints), Values: bytes.Repeat(sd.Signers[0].SignedAttrs[0].Values, 2)}}},
	} {
		if text, found := s.Description(); text != "" || !found {
			t.Errorf("%s: %q, %v", name, text, found)
		}
	}
	by.Description = "\xff"
	if _, err := Create(nil, document, by); !errors.Is(err, errDescription) {
		t.Errorf("not UTF-8: %v", err)
	}
	openssl.Require(t)
	dir := t.TempDir()
	openssl.Write(t, dir, "signature", file)
	if text := string(openssl.Run(t, dir, "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", "signature")); !strings.Contains(text, "id-smime-aa-contentHint") {
		t.Errorf("openssl does not see it:\n%s", text)
	}
}

// TestCreateOpenSSL lets openssl verify what this package makes.
func TestCreateOpenSSL(t *testing.T) {
	openssl.Require(t)
	for _, curve := range curves() {
		dir := t.TempDir()
		by := newSignatory(t, curve, "Подписант Вымышленный")
		openssl.Write(t, dir, "document", document)
		openssl.Write(t, dir, "ca", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: by.Certificate.Raw}))
		for _, detached := range []bool{false, true} {
			for _, form := range []string{"DER", "PEM"} {
				file := create(t, detached, by)
				if form == "PEM" {
					file = pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: file})
				}
				verifyWithOpenSSL(t, dir, file, detached, form)
			}
		}
	}
}

// verifyWithOpenSSL checks a file in which everybody signed at signedAt; trusted are
// the certificates in the file "ca".
func verifyWithOpenSSL(t *testing.T, dir string, file []byte, detached bool, form string) {
	t.Helper()
	openssl.Write(t, dir, "signature", file)
	args := []string{
		"cms", "-verify", "-cades", "-binary", "-in", "signature", "-inform", form, "-out", "out",
		"-CAfile", "ca", "-purpose", "any", "-attime", fmt.Sprint(signedAt.Unix()),
	}
	if detached {
		args = append(args, "-content", "document")
	}
	openssl.Run(t, dir, args...)
	if got := openssl.Read(t, dir, "out"); !bytes.Equal(got, document) {
		t.Errorf("openssl verified another document: %q", got)
	}
}

// TestCreateSeveral makes one file of several signatures at once.
func TestCreateSeveral(t *testing.T) {
	one := newSignatory(t, gost3410.TC26256A(), "Первый Вымышленный")
	two := newSignatory(t, gost3410.TC26512A(), "Второй Вымышленный")
	three := newSignatory(t, gost3410.CryptoProA(), "Третий Вымышленный")
	two.Time = time.Time{}
	file := create(t, true, one, two, three)
	sd, ok := accepts(file, Document(document))
	if !ok || len(sd.Signers) != 3 || len(sd.Certificates) != 3 || len(sd.DigestAlgorithms) != 2 {
		t.Errorf("%d signers, accepted %v", len(sd.Signers), ok)
	}
	rewrites(t, file)
}

// TestAdd adds a second and a third signature to our own file and to those of
// openssl; openssl verifies the result.
func TestAdd(t *testing.T) {
	openssl.Require(t)
	for name, args := range map[string][]string{
		"ours": nil, "plain": {"-outform", "DER"}, "cades": {"-cades", "-outform", "PEM"},
		"stream": {"-stream", "-outform", "DER"}, "keyid": {"-keyid", "-outform", "DER"}, "noattr": {"-noattr", "-outform", "DER"},
	} {
		for _, detached := range []bool{false, true} {
			if name == "stream" && detached {
				continue // openssl puts the document inside all the same
			}
			t.Run(fmt.Sprintf("%s detached %v", name, detached), func(t *testing.T) { addTo(t, args, detached) })
		}
	}
}

func addTo(t *testing.T, args []string, detached bool) {
	dir := t.TempDir()
	one := newSignatory(t, gost3410.TC26256A(), "Первый Вымышленный")
	openssl.Write(t, dir, "document", document)
	openssl.Write(t, dir, "one.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: one.Certificate.Raw}))
	file := create(t, detached, one)
	if args != nil {
		openssl.Write(t, dir, "one.key", keyPEM(t, one.Key))
		if !detached {
			args = append([]string{"-nodetach"}, args...)
		}
		file = sign(t, dir, "one", args...)
	}
	old, ok := accepts(file, given(detached))
	if !ok {
		t.Fatal("not accepted before")
	}

	two := newSignatory(t, gost3410.TC26512B(), "Второй Вымышленный")
	three := newSignatory(t, gost3410.CryptoProA(), "Третий Вымышленный")
	var content io.Reader
	if detached {
		content = iotest.OneByteReader(bytes.NewReader(document))
	}
	more, err := old.Add(nil, content, two, three)
	if err != nil {
		t.Fatal(err)
	}
	sd, ok := accepts(more, given(detached))
	if !ok || len(sd.Signers) != 3 || sd.Version != old.Version || sd.Detached != detached {
		t.Fatalf("accepted %v, %d signers", ok, len(sd.Signers))
	}
	info, err := old.message()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(more, info.signers[0]) {
		t.Error("the first signature is not as it was")
	}
	rewrites(t, more)
	var ca []byte
	for _, s := range []Signatory{one, two, three} {
		ca = append(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate.Raw})...)
	}
	openssl.Write(t, dir, "ca", ca)
	if _, plain := old.Signers[0].signed(oidSigningCertificateV2); plain { // openssl wants CAdES of all
		verifyWithOpenSSL(t, dir, more, detached, "DER")
	}
}

// keyPEM writes a key as openssl reads it.
func keyPEM(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	private := key.(*gost3410.PrivateKey)
	raw, err := pkcs8.Marshal(private, spki.DefaultAlgorithm(private.PublicKey().Curve()))
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

// TestAddKeeps adds to a file with things that this package does not look at.
func TestAddKeeps(t *testing.T) {
	f := goodForgery(t)
	f.others = [][]byte{{0xA1, 2, 5, 0}} // an attribute certificate, so to speak
	f.version = 3
	f.contentType = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	f.signed[0].values[0] = asn(t, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(f.contentType) })
	f.unsigned = []attribute{{idTimeStamp, [][]byte{octets(t, []byte("stamp"))}}}
	old, ok := accepts(f.build(t), Content{})
	if !ok {
		t.Fatal("not accepted before")
	}
	file, err := old.Add(nil, nil, newSignatory(t, gost3410.TC26256A(), "Второй Вымышленный"))
	if err != nil {
		t.Fatal(err)
	}
	sd, ok := accepts(file, Content{})
	if !ok || sd.Skipped != 1 || sd.Version != 3 || !sd.ContentType.Equal(f.contentType) || len(sd.Signers) != 2 {
		t.Errorf("accepted %v: %+v", ok, sd)
	}
	if len(sd.Signers[0].UnsignedAttrs)+len(sd.Signers[1].UnsignedAttrs) != 1 {
		t.Error("the unsigned attribute is lost")
	}
}

// TestAddRefuses: nobody puts his name beside what is broken.
func TestAddRefuses(t *testing.T) {
	one := newSignatory(t, gost3410.TC26256A(), "Первый Вымышленный")
	two := newSignatory(t, gost3410.TC26256A(), "Второй Вымышленный")
	broken, err := Parse(create(t, true, one))
	if err != nil {
		t.Fatal(err)
	}
	broken.Signers[0].Signature = bytes.Clone(broken.Signers[0].Signature)
	broken.Signers[0].Signature[3] ^= 1
	f := goodForgery(t)
	f.unsigned = []attribute{{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 48}, [][]byte{octets(t, nil)}}}
	sealed := f.build(t)
	f.unsigned[0].id[8] = 27
	sealedOld := f.build(t)
	f.key = nil
	nobody := f.write(t, nil)
	reader := func(b []byte) io.Reader { return bytes.NewReader(b) }
	parsed := func(file []byte) *SignedData {
		sd, err := Parse(file)
		if err != nil {
			t.Fatal(err)
		}
		return sd
	}
	for _, v := range []struct {
		name     string
		sd       *SignedData
		document io.Reader
		by       []Signatory
		code     reason.Code
	}{
		{"another document", parsed(create(t, true, one)), reader(document[1:]), []Signatory{two}, reason.ContentChanged},
		{"no document", parsed(create(t, true, one)), nil, []Signatory{two}, reason.ContentMissing},
		{"two documents", parsed(create(t, false, one)), reader(document), []Signatory{two}, reason.InternalError},
		{"a broken signature", broken, reader(document), []Signatory{two}, reason.SignatureBad},
		{"signed already", parsed(create(t, false, one)), nil, []Signatory{one}, reason.SignedAlready},
		{"twice at once", parsed(create(t, false, one)), nil, []Signatory{two, two}, reason.SignedAlready},
		{"nobody", parsed(create(t, false, one)), nil, nil, reason.InternalError},
		{"an archive time-stamp", parsed(sealed), nil, []Signatory{two}, reason.SignatureSealed},
		{"an old archive time-stamp", parsed(sealedOld), nil, []Signatory{two}, reason.SignatureSealed},
		{"no signature", parsed(nobody), nil, []Signatory{two}, reason.NoSigners},
	} {
		file, err := v.sd.Add(nil, v.document, v.by...)
		if file != nil || reason.Of(err) != v.code {
			t.Errorf("%s: %v, want %s", v.name, err, v.code)
		}
	}
}

// lazyKey is a key that must not be asked.
type lazyKey struct {
	crypto.Signer
	t *testing.T
}

func (k lazyKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	k.t.Error("the key was asked to sign")
	return nil, errors.New("no")
}

// TestCreateRefuses: who may not sign does not sign, and his token is not asked.
func TestCreateRefuses(t *testing.T) {
	good := newSignatory(t, gost3410.TC26256A(), "Подписант Вымышленный")
	good.Key = lazyKey{good.Key, t}
	other := newSignatory(t, gost3410.TC26256A(), "Другой Вымышленный")
	change := func(f func(*Signatory, *gostx509.Certificate)) []Signatory {
		s, cert := good, *good.Certificate
		s.Certificate = &cert
		f(&s, &cert)
		return []Signatory{s}
	}
	for _, v := range []struct {
		name string
		by   []Signatory
		code reason.Code
	}{
		{"nobody", nil, reason.InternalError},
		{"the zero value", []Signatory{{}}, reason.InternalError},
		{"a hole in the chain", change(func(s *Signatory, _ *gostx509.Certificate) { s.Chain = []*gostx509.Certificate{nil} }), reason.InternalError},
		{"no key", change(func(s *Signatory, _ *gostx509.Certificate) { s.Key = nil }), reason.InternalError},
		{"twice", []Signatory{good, good}, reason.SignedAlready},
		{"another key", change(func(s *Signatory, _ *gostx509.Certificate) { s.Key = lazyKey{other.Key, t} }), reason.SigningKeyMismatch},
		{"a key of 2001", change(func(_ *Signatory, c *gostx509.Certificate) { c.PublicKeyAlgorithm.Algorithm = sigalg.OIDKeyGOST2001 }), reason.KeyNotGOST2012},
		{"a key of RSA", change(func(_ *Signatory, c *gostx509.Certificate) { c.PublicKeyAlgorithm.Algorithm = sigalg.OIDKeyRSA }), reason.KeyNotGOST2012},
		{"a bad key", change(func(_ *Signatory, c *gostx509.Certificate) { c.PublicKey = nil }), reason.CertKeyUnsupported},
		{"encryption only", change(func(_ *Signatory, c *gostx509.Certificate) { c.KeyUsage = gostx509.KeyUsageKeyAgreement }), reason.KeyUsageUnsuitable},
		{"too early", change(func(s *Signatory, c *gostx509.Certificate) { s.Time = c.NotBefore.Add(-time.Second) }), reason.CertNotYetValid},
		{"too late", change(func(s *Signatory, c *gostx509.Certificate) { s.Time = c.NotAfter.Add(time.Second) }), reason.CertExpired},
		{"the key period is to come", change(func(s *Signatory, c *gostx509.Certificate) {
			c.PrivateKeyUsage.NotBefore = s.Time.Add(time.Second)
		}), reason.KeyPeriodNotStarted},
		{"the key period is over", change(func(s *Signatory, c *gostx509.Certificate) {
			c.PrivateKeyUsage.NotAfter = s.Time.Add(-time.Second)
		}), reason.KeyPeriodOver},
	} {
		file, err := Create(nil, document, v.by...)
		if file != nil || reason.Of(err) != v.code {
			t.Errorf("%s: %v, want %s", v.name, err, v.code)
		}
		file, err = CreateDetached(nil, iotest.ErrReader(errors.New("it was read")), v.by...)
		if file != nil || reason.Of(err) != v.code {
			t.Errorf("%s: %v, want %s", v.name, err, v.code)
		}
	}
}

// TestSuitable takes both ends of the periods, and certificates without keyUsage.
func TestSuitable(t *testing.T) {
	cert, _ := newSigner(t, gost3410.TC26256A(), "Подписант Вымышленный")
	cert.PrivateKeyUsage = gostx509.PrivateKeyUsage{NotBefore: cert.NotBefore, NotAfter: cert.NotAfter}
	for _, usage := range []gostx509.KeyUsage{0, gostx509.KeyUsageDigitalSignature, gostx509.KeyUsageNonRepudiation} {
		cert.KeyUsage = usage
		for _, at := range []time.Time{cert.NotBefore, cert.NotAfter} {
			if err := Suitable(cert, at); err != nil {
				t.Error(err)
			}
		}
	}
}

// faulty is a token with a fault: it turns a bit of what it signs.
type faulty struct{ crypto.Signer }

func (k faulty) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	value, err := k.Signer.Sign(random, digest, opts)
	if err == nil {
		value[7] ^= 1
	}
	return value, err
}

// TestCreateFaults: errors of the reader, of the randomness and of the token come
// out, and nothing else does.
func TestCreateFaults(t *testing.T) {
	by := newSignatory(t, gost3410.TC26256A(), "Подписант Вымышленный")
	fault := errors.New("fault")
	if file, err := CreateDetached(nil, nil, by); file != nil || reason.Of(err) != reason.ContentMissing {
		t.Errorf("no document: %v", err)
	}
	for _, document := range []io.Reader{
		iotest.ErrReader(fault),
		io.MultiReader(bytes.NewReader(document), iotest.ErrReader(fault)),
	} {
		if file, err := CreateDetached(nil, document, by); file != nil || !errors.Is(err, fault) {
			t.Errorf("reader: %v", err)
		}
	}
	if file, err := Create(iotest.ErrReader(fault), document, by); file != nil || !errors.Is(err, fault) {
		t.Errorf("randomness: %v", err)
	}
	by.Key = faulty{by.Key}
	if file, err := Create(nil, document, by); file != nil || !errors.Is(err, errSigning) {
		t.Errorf("token: %v", err)
	}
}

// TestCreateLimits: what Parse would not read is not written.
func TestCreateLimits(t *testing.T) {
	by := newSignatory(t, gost3410.TC26256A(), "Подписант Вымышленный")
	for _, n := range []int{MaxSize, MaxSize + 1} {
		if file, err := Create(nil, make([]byte, n), by); file != nil || reason.Of(err) != reason.SignatureTooLarge {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	for i := range MaxCertificates {
		twin := *by.Certificate
		twin.Raw = asn(t, func(b *cryptobyte.Builder) {
			b.AddASN1(0x30, func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(i)) })
		})
		by.Chain = append(by.Chain, &twin)
	}
	if file, err := Create(nil, document, by); file != nil || reason.Of(err) != reason.SignatureTooLarge {
		t.Errorf("%d certificates: %v", MaxCertificates+1, err)
	}
	by.Chain = by.Chain[1:]
	if _, err := Create(nil, document, by); err != nil {
		t.Errorf("%d certificates: %v", MaxCertificates, err)
	}
}

// TestCreateEmpty signs the empty document, which is not the same as none.
func TestCreateEmpty(t *testing.T) {
	by := newSignatory(t, gost3410.TC26256A(), "Подписант Вымышленный")
	for _, empty := range [][]byte{nil, {}} {
		file, err := Create(nil, empty, by)
		if err != nil {
			t.Fatal(err)
		}
		if sd, ok := accepts(file, Content{}); !ok || sd.Detached || len(sd.Content) != 0 {
			t.Error("an empty document inside is not accepted")
		}
	}
	file, err := CreateDetached(nil, strings.NewReader(""), by)
	if err != nil {
		t.Fatal(err)
	}
	if sd, ok := accepts(file, Document(nil)); !ok || !sd.Detached {
		t.Error("an empty document beside the signature is not accepted")
	}
}

// TestCreateFlips spoils every byte of a signature that we made, the certificate
// and the document too.
func TestCreateFlips(t *testing.T) {
	by := newSignatory(t, gost3410.TC26256A(), "П")
	file := create(t, false, by)
	for i := range file {
		for _, flip := range []byte{1, 0x80} {
			spoiled := bytes.Clone(file)
			spoiled[i] ^= flip
			if _, ok := accepts(spoiled, Content{}); ok {
				t.Errorf("byte %d: accepted with %#02x turned", i, flip)
			}
		}
	}
}

// zeros is a document of any length that is nowhere in memory.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestCreateLarge signs 100 MB in the memory of a page or two.
func TestCreateLarge(t *testing.T) {
	by := newSignatory(t, gost3410.TC26256A(), "Подписант Вымышленный")
	const size = 100 << 20
	sign := func(n int64) (file []byte, allocated uint64) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		file, err := CreateDetached(nil, io.LimitReader(zeros{}, n), by)
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		return file, after.TotalAlloc - before.TotalAlloc
	}
	sign(1) // what is made once
	file, allocated := sign(size)
	if allocated > 4<<20 {
		t.Errorf("%d bytes allocated for a document of %d", allocated, size)
	}
	h, err := sigalg.NewHash(sigalg.OIDStreebog256)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(h, io.LimitReader(zeros{}, size)); err != nil {
		t.Fatal(err)
	}
	if _, ok := accepts(file, Digest(sigalg.OIDStreebog256, h.Sum(nil))); !ok {
		t.Error("not accepted")
	}
}

// TestCreateGolden holds the structure of a signature, element by element.
func TestCreateGolden(t *testing.T) {
	random := rand.NewChaCha8([32]byte{'g', 'o', 'l', 'd', 'e', 'n'})
	key, err := gost3410.GenerateKey(gost3410.TC26256A(), random)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := gostx509.Create(random, gostx509.Template{
		Serial:    []byte{0x2A},
		Subject:   gostx509.Name{{Type: gostx509.OIDCommonName, Text: "Golden"}},
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), MaxPathLen: -1,
	}, nil, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := gostx509.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	file, err := Create(random, []byte("Demo document.\n"), Signatory{Key: key, Certificate: cert, Time: signedAt})
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	dump(t, &got, file, map[string]string{
		string(cert.Raw): "the certificate",
		string(octets(t, digestOf(t, sigalg.OIDStreebog256, cert.Raw))): "the digest of the certificate",
	}, 0)
	want, err := os.ReadFile("testdata/created.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, listing, _ := strings.Cut(string(want), "\n\n")
	if got.String() != listing {
		t.Errorf("another structure:\n%s", got.String())
	}
}

// dump lists DER. An element that has a name is listed by it, and a signature,
// which may be another one tomorrow, by its length.
func dump(t *testing.T, w *strings.Builder, der []byte, names map[string]string, depth int) {
	for len(der) > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(der, &v)
		if err != nil {
			t.Fatal(err)
		}
		der = rest
		fmt.Fprintf(w, "%s%02x ", strings.Repeat("  ", depth), v.FullBytes[0])
		switch {
		case names[string(v.FullBytes)] != "":
			fmt.Fprintf(w, "%s\n", names[string(v.FullBytes)])
		case v.IsCompound:
			fmt.Fprintf(w, "%d\n", len(v.Bytes))
			dump(t, w, v.Bytes, names, depth+1)
		case v.Tag == asn1.TagOID:
			var id asn1.ObjectIdentifier
			if _, err := asn1.Unmarshal(v.FullBytes, &id); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(w, "%v\n", id)
		case len(v.Bytes) == 64:
			fmt.Fprintf(w, "64 bytes\n")
		default:
			fmt.Fprintf(w, "%x\n", v.Bytes)
		}
	}
}

// FuzzCreate signs any document at any time in any form, and reads it back.
func FuzzCreate(f *testing.F) {
	small := newSignatory(f, gost3410.TC26256A(), "Первый Вымышленный")
	large := newSignatory(f, gost3410.TC26512C(), "Второй Вымышленный")
	f.Add([]byte(nil), int64(0), uint8(0))
	f.Add([]byte("document"), int64(1781515815), uint8(1))
	f.Add([]byte{0x30, 0x80}, int64(1), uint8(2))
	f.Add(bytes.Repeat([]byte{0xFF}, 300), int64(-1), uint8(7))
	f.Fuzz(func(t *testing.T, document []byte, seconds int64, form uint8) {
		one, two := small, large
		if form&1 != 0 {
			one, two = large, small
		}
		one.Time = small.Certificate.NotBefore.Add(time.Duration(uint64(seconds)%31_000_000) * time.Second)
		by := []Signatory{one}
		if form&2 != 0 {
			by = append(by, two)
		}
		content := Content{}
		file, err := Create(nil, document, by...)
		if form&4 != 0 {
			content = Document(document)
			file, err = CreateDetached(nil, iotest.HalfReader(bytes.NewReader(document)), by...)
		}
		if err != nil {
			t.Fatal(err)
		}
		sd, ok := accepts(file, content)
		if !ok || len(sd.Signers) != len(by) || !sd.Detached && !bytes.Equal(sd.Content, document) {
			t.Fatal("not accepted, or another document")
		}
		if got := levels(sd, content); got != strings.TrimSpace(strings.Repeat("CAdES-BES ", len(by))) {
			t.Errorf("levels %s", got)
		}
		certs, _ := sd.X509()
		for _, r := range sd.Verify(Document(append(bytes.Clone(document), 0)), certs) {
			wantCheck(t, r.Math, CheckContent, verdict.Failed, statusOf(r.Math, CheckContent).Reason)
		}
		rewrites(t, file)
	})
}
