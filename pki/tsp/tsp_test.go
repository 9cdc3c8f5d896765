package tsp

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/gost/gost3410"
	"propusk/pki/cms"
	"propusk/pki/der"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

// What the tests stamp, when and under which policy.
var (
	stamped   = []byte("Вымышленные данные, на которые ставят штамп времени")
	stampedAt = time.Date(2026, 6, 15, 9, 30, 15, 120_000_000, time.UTC)
	policy    = asn1.ObjectIdentifier{1, 2, 643, 7, 99, 1}
	streebog  = sigalg.OIDStreebog256
)

// keys of a TSA, one of every kind there is. RSA takes long to make, so that is done
// once.
var rsaKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

type namedKey struct {
	name string
	key  crypto.Signer
}

func allKeys(t testing.TB) []namedKey {
	t.Helper()
	var all []namedKey
	for _, c := range []*gost3410.Curve{
		gost3410.TC26256A(), gost3410.CryptoProA(), gost3410.CryptoProB(), gost3410.CryptoProC(),
		gost3410.TC26512A(), gost3410.TC26512B(), gost3410.TC26512C(),
	} {
		all = append(all, namedKey{c.Name(), gostKey(t, c)})
	}
	for _, c := range []elliptic.Curve{elliptic.P256(), elliptic.P384()} {
		key, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, namedKey{c.Params().Name, key})
	}
	key, err := rsaKey()
	if err != nil {
		t.Fatal(err)
	}
	return append(all, namedKey{"RSA", key})
}

func gostKey(t testing.TB, curve *gost3410.Curve) *gost3410.PrivateKey {
	t.Helper()
	key, err := gost3410.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// authorityWith makes a TSA with a self-signed certificate.
func authorityWith(t testing.TB, key crypto.Signer, template gostx509.Template) *Authority {
	t.Helper()
	raw, err := gostx509.Create(rand.Reader, template, nil, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := gostx509.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return &Authority{Certificate: cert, Key: key, Policy: policy, Accuracy: 1500100 * time.Microsecond}
}

func newAuthority(t testing.TB) *Authority {
	t.Helper()
	return authorityWith(t, gostKey(t, gost3410.TC26256A()), country.TimeStamping())
}

func digest(t testing.TB, algorithm asn1.ObjectIdentifier, data []byte) Imprint {
	t.Helper()
	h, err := sigalg.NewHash(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	h.Write(data)
	return Imprint{Algorithm: sigalg.AlgorithmIdentifier{Algorithm: algorithm}, Hash: h.Sum(nil)}
}

// ask sends a request to a TSA and returns the token.
func ask(t testing.TB, a *Authority, q *Request) *Token {
	t.Helper()
	query, err := q.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	reply, err := a.Respond(query, stampedAt)
	if err != nil {
		t.Fatal(err)
	}
	token, err := ParseResponse(reply)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// own returns the certificates inside a token.
func own(t *Token) []*gostx509.Certificate {
	certs, _ := t.Signed.X509()
	return certs
}

// create makes a token of the data stamped.
func create(t testing.TB, a *Authority, change func(*Template)) ([]byte, error) {
	t.Helper()
	template := Template{
		Policy: policy, Digest: digest(t, streebog, stamped), GenTime: stampedAt, Named: true,
		Certificates: []*gostx509.Certificate{a.Certificate},
	}
	change(&template)
	return Create(nil, template, a.Certificate, a.Key)
}

// TestToken asks a TSA of every kind of key for time-stamps in every digest, and
// reads what it asked for.
func TestToken(t *testing.T) {
	for _, k := range allKeys(t) {
		a := authorityWith(t, k.key, country.TimeStamping())
		for _, algorithm := range []asn1.ObjectIdentifier{sigalg.OIDStreebog256, sigalg.OIDStreebog512, sigalg.OIDSHA256} {
			q := &Request{Digest: digest(t, algorithm, stamped), Policy: policy, Nonce: []byte{0, 0x81, 2}, WantCertificate: true}
			token := ask(t, a, q)
			if r, err := token.Verify(own(token)); err != nil || !r.Certificate.Equal(a.Certificate) {
				t.Errorf("%s, %v: %v, %v", k.name, algorithm, r.Math, err)
			}
			if err := token.CheckImprint(stamped[:7], stamped[7:]); err != nil {
				t.Errorf("%s, %v: %v", k.name, algorithm, err)
			}
			if err := token.CheckImprint(stamped[:7]); !errors.Is(err, reason.TimeStampImprint) {
				t.Errorf("%s, %v: other data: %v", k.name, algorithm, err)
			}
			if err := token.answers(q); err != nil {
				t.Errorf("%s, %v: %v", k.name, algorithm, err)
			}
			for what, right := range map[string]bool{
				"time":         token.GenTime.Equal(stampedAt),
				"policy":       token.Policy.Equal(policy),
				"accuracy":     token.Accuracy == a.Accuracy,
				"serial":       len(token.Serial) >= 8,
				"name":         bytes.Contains(token.TSA, a.Certificate.RawSubject),
				"ordering":     !token.Ordering,
				"certificates": len(token.Signed.Certificates) == 1,
			} {
				if !right {
					t.Errorf("%s, %v: wrong %s", k.name, algorithm, what)
				}
			}
			again, err := ParseToken(token.Raw)
			if err != nil || !bytes.Equal(again.Raw, token.Raw) {
				t.Errorf("%s: the token does not read alone: %v", k.name, err)
			}
		}
	}
}

// TestCertificateLeftOut obtains a token without a certificate, which verifies with
// one given beside it and says what it lacks without.
func TestCertificateLeftOut(t *testing.T) {
	a := newAuthority(t)
	token := ask(t, a, &Request{Digest: digest(t, streebog, stamped)})
	if n := len(token.Signed.Certificates); n != 0 {
		t.Errorf("%d certificates without being asked for", n)
	}
	if _, err := token.Verify([]*gostx509.Certificate{a.Certificate}); err != nil {
		t.Error(err)
	}
	if r, err := token.Verify(nil); !errors.Is(err, reason.SignerCertMissing) || r.Certificate != nil {
		t.Errorf("verified by nobody: %v", err)
	}
}

// TestChain has the certificates of the CAs put in on request.
func TestChain(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	a.Chain = []*gostx509.Certificate{other.Certificate}
	token := ask(t, a, &Request{Digest: digest(t, streebog, stamped), WantCertificate: true})
	if n := len(token.Signed.Certificates); n != 2 {
		t.Errorf("%d certificates, want 2", n)
	}
	if r, err := token.Verify(own(token)); err != nil || !r.Certificate.Equal(a.Certificate) {
		t.Error(err)
	}
}

// TestTimes writes and reads times and accuracies at the edges of their fields.
func TestTimes(t *testing.T) {
	a := newAuthority(t)
	for _, c := range []struct {
		at       time.Time
		accuracy time.Duration
	}{
		{stampedAt.Truncate(time.Second), 0},
		{stampedAt.Truncate(time.Second).Add(time.Microsecond), time.Microsecond},
		{stampedAt.Truncate(time.Second).Add(999999 * time.Microsecond), 999 * time.Microsecond},
		{stampedAt, time.Millisecond},
		{stampedAt.In(time.FixedZone("MSK", 3*60*60)), 999 * time.Millisecond},
		{stampedAt, time.Second},
		{stampedAt, time.Hour + 2*time.Millisecond + 3*time.Microsecond},
		{time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC), 24 * time.Hour},
	} {
		raw, err := create(t, a, func(p *Template) { p.GenTime, p.Accuracy = c.at, c.accuracy })
		if err != nil {
			t.Fatal(err)
		}
		token, err := ParseToken(raw)
		if err != nil {
			t.Fatalf("%v, %v: %v", c.at, c.accuracy, err)
		}
		if !token.GenTime.Equal(c.at) || token.Accuracy != c.accuracy {
			t.Errorf("%v, %v: read back as %v, %v", c.at, c.accuracy, token.GenTime, token.Accuracy)
		}
	}
}

// TestRefusals sends requests that a TSA must refuse, and reads the reason.
func TestRefusals(t *testing.T) {
	a := newAuthority(t)
	good := func() *Request { return &Request{Digest: digest(t, streebog, stamped), Nonce: []byte{1}} }
	sha1 := sigalg.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}}
	for name, c := range map[string]struct {
		change func(*Request)
		want   Failure
	}{
		"unknown digest":     {func(q *Request) { q.Digest.Algorithm.Algorithm = asn1.ObjectIdentifier{1, 2, 3} }, BadAlg},
		"forbidden digest":   {func(q *Request) { q.Digest = Imprint{sha1, make([]byte, 20)} }, BadAlg},
		"odd parameters":     {func(q *Request) { q.Digest.Algorithm.Parameters = []byte{2, 1, 1} }, BadAlg},
		"short digest":       {func(q *Request) { q.Digest.Hash = q.Digest.Hash[1:] }, BadDataFormat},
		"long digest":        {func(q *Request) { q.Digest.Hash = append(q.Digest.Hash, 0) }, BadDataFormat},
		"no digest":          {func(q *Request) { q.Digest.Hash = nil }, BadDataFormat},
		"long nonce":         {func(q *Request) { q.Nonce = bytes.Repeat([]byte{1}, MaxNonce+1) }, BadDataFormat},
		"another policy":     {func(q *Request) { q.Policy = asn1.ObjectIdentifier{1, 2, 3} }, UnacceptedPolicy},
		"an extension":       {func(q *Request) { q.Extensions = []Extension{{asn1.ObjectIdentifier{1, 2, 3}, false, []byte{5, 0}}} }, UnacceptedExtension},
		"a critical one":     {func(q *Request) { q.Extensions = []Extension{{asn1.ObjectIdentifier{1, 2, 3}, true, []byte{5, 0}}} }, UnacceptedExtension},
		"repeated extension": {func(q *Request) { q.Extensions = make2(Extension{asn1.ObjectIdentifier{1, 2, 3}, true, []byte{5, 0}}) }, BadDataFormat},
	} {
		q := good()
		c.change(q)
		query, err := q.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		refused(t, a, name, query, c.want)
	}
	refused(t, a, "nothing", nil, BadDataFormat)
	refused(t, a, "too long", make([]byte, MaxRequest+1), BadDataFormat)
	query, err := good().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	query[4] = 2 // version
	refused(t, a, "version 2", query, BadRequest)
}

func make2(e Extension) []Extension { return []Extension{e, e} }

// refused checks that a TSA answers a request with a certain failure.
func refused(t *testing.T, a *Authority, name string, query []byte, want Failure) {
	t.Helper()
	reply, err := a.Respond(query, stampedAt)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	token, err := ParseResponse(reply)
	refusal, ok := errors.AsType[*Refusal](err)
	if token != nil || !errors.Is(err, reason.TimeStampRefused) || !ok {
		t.Errorf("%s: %v", name, err)
		return
	}
	if refusal.Status != Rejection || refusal.Failure != want || refusal.Text == "" {
		t.Errorf("%s: %v, want %v", name, refusal, want)
	}
}

// TestAuthorityUnfit has authorities that may not stamp say so, and make nothing.
func TestAuthorityUnfit(t *testing.T) {
	query, err := (&Request{Digest: digest(t, streebog, stamped)}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	notCritical := country.TimeStamping()
	notCritical.Critical = nil
	for _, c := range []struct {
		name string
		a    *Authority
		at   time.Time
		want reason.Code
	}{
		{"nobody", &Authority{}, stampedAt, reason.TimeStampSigner},
		{"not critical", authorityWith(t, gostKey(t, gost3410.TC26256A()), notCritical), stampedAt, reason.TimeStampSigner},
		{"too early", newAuthority(t), country.TimeStamping().NotBefore.Add(-time.Second), reason.CertNotYetValid},
		{"too late", newAuthority(t), country.TimeStamping().NotAfter.Add(time.Second), reason.CertExpired},
	} {
		if reply, err := c.a.Respond(query, c.at); reply != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// TestPurpose has certificates that may not stamp refused, whatever they signed.
func TestPurpose(t *testing.T) {
	for name, change := range map[string]func(*gostx509.Template){
		"not critical":      func(p *gostx509.Template) { p.Critical = nil },
		"another use too":   func(p *gostx509.Template) { p.ExtKeyUsage = append(p.ExtKeyUsage, gostx509.OIDClientAuth) },
		"another use":       func(p *gostx509.Template) { p.ExtKeyUsage = []asn1.ObjectIdentifier{gostx509.OIDOCSPSigning} },
		"no use":            func(p *gostx509.Template) { p.ExtKeyUsage, p.Critical = nil, nil },
		"a name of its own": func(p *gostx509.Template) { p.Subject[1].Text = "Другая служба" },
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuthority(t)
			template := country.TimeStamping()
			change(&template)
			bad := authorityWith(t, a.Key, template)
			raw, err := create(t, bad, func(p *Template) {
				p.Certificates = []*gostx509.Certificate{bad.Certificate}
			})
			if err != nil {
				t.Fatal(err)
			}
			token, err := ParseToken(raw)
			if err != nil {
				t.Fatal(err)
			}
			_, err = token.Verify(own(token))
			if name == "a name of its own" {
				if err != nil {
					t.Fatal(err)
				}
				token.TSA = []byte("\xa4\x02\x30\x00") // directoryName of nobody
				_, err = token.Verify(own(token))
			}
			if !errors.Is(err, reason.TimeStampSigner) {
				t.Errorf("not refused: %v", err)
			}
		})
	}
}

// TestPurposeOfKey: a key that may not sign makes no time-stamps. Nobody makes such a
// token by accident, so the certificate alone is looked at.
func TestPurposeOfKey(t *testing.T) {
	a := newAuthority(t)
	for usage, want := range map[gostx509.KeyUsage]verdict.Status{
		0: verdict.Passed, gostx509.KeyUsageDigitalSignature: verdict.Passed, gostx509.KeyUsageNonRepudiation: verdict.Passed,
		gostx509.KeyUsageKeyAgreement: verdict.Failed,
	} {
		template := country.TimeStamping()
		template.KeyUsage = usage
		if got := checkPurpose(authorityWith(t, a.Key, template).Certificate); got.Status != want {
			t.Errorf("usage %b: %+v", usage, got)
		}
	}
}

// TestEqual: a digest is the same only with its algorithm.
func TestEqual(t *testing.T) {
	i, j := digest(t, sigalg.OIDStreebog256, stamped), digest(t, sigalg.OIDSHA256, stamped)
	j.Hash = i.Hash
	if i.equal(j) || !i.equal(digest(t, sigalg.OIDStreebog256, stamped)) {
		t.Error("algorithms do not matter")
	}
}

// TestTails: nothing may stand after the last field of a TSTInfo, nor a token beside a
// refusal.
func TestTails(t *testing.T) {
	a := newAuthority(t)
	good, err := create(t, a, func(*Template) {})
	if err != nil {
		t.Fatal(err)
	}
	token, err := ParseToken(good)
	if err != nil {
		t.Fatal(err)
	}
	var fields, tail cryptobyte.Builder
	whole := cryptobyte.String(token.Signed.Content)
	var content cryptobyte.String
	if !whole.ReadASN1(&content, cbasn1.SEQUENCE) {
		t.Fatal("no TSTInfo")
	}
	fields.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(content)
		b.AddASN1NULL()
	})
	if err := new(Token).readInfo(fields.BytesOrPanic()); err == nil {
		t.Error("a field too many")
	}
	tail.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(Rejection)) })
		b.AddBytes(good)
	})
	if got, err := ParseResponse(tail.BytesOrPanic()); got != nil || !errors.Is(err, reason.TimeStampMalformed) {
		t.Errorf("a token beside a refusal: %v", err)
	}
}

// TestAlternativeName lets a TSA name itself by a name of subjectAltName.
func TestAlternativeName(t *testing.T) {
	template := country.TimeStamping()
	template.DNSNames = []string{"tsa.example.test"}
	a := authorityWith(t, gostKey(t, gost3410.TC26256A()), template)
	token := ask(t, a, &Request{Digest: digest(t, streebog, stamped), WantCertificate: true})
	for name, want := range map[string]bool{"tsa.example.test": true, "tsa.example.tesu": false, "": false} {
		token.TSA = append([]byte{0x82, byte(len(name))}, name...)
		if _, err := token.Verify(own(token)); (err == nil) != want {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestUnnamedCertificate refuses tokens in which the signer does not name his
// certificate under the signature.
func TestUnnamedCertificate(t *testing.T) {
	token := ask(t, newAuthority(t), &Request{Digest: digest(t, streebog, stamped), WantCertificate: true})
	signer := &token.Signed.Signers[0]
	kept := signer.SignedAttrs[:0:0]
	for _, a := range signer.SignedAttrs {
		if string(a.Type) != oidSigningCertificateV2 {
			kept = append(kept, a)
		}
	}
	signer.SignedAttrs = kept
	if _, err := token.Verify(own(token)); !errors.Is(err, reason.TimeStampBad) {
		t.Errorf("accepted: %v", err)
	}
}

// TestForms has whatever is no token refused when it is read.
func TestForms(t *testing.T) {
	a := newAuthority(t)
	document, err := cms.Create(nil, stamped, cms.Signatory{Key: a.Key, Certificate: a.Certificate})
	if err != nil {
		t.Fatal(err)
	}
	good, err := create(t, a, func(*Template) {})
	if err != nil {
		t.Fatal(err)
	}
	other := newAuthority(t)
	sd, err := cms.Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	two, err := sd.Add(nil, nil, cms.Signatory{Key: other.Key, Certificate: other.Certificate})
	if err != nil {
		t.Fatal(err)
	}
	notInfo, err := cms.CreateContent(nil, oidTSTInfo, stamped, cms.Signatory{Key: a.Key, Certificate: a.Certificate})
	if err != nil {
		t.Fatal(err)
	}
	infoAsData, err := cms.Create(nil, sd.Content, cms.Signatory{Key: a.Key, Certificate: a.Certificate})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		raw  []byte
		want reason.Code
	}{
		"nothing":       {nil, reason.TimeStampMalformed},
		"a document":    {document, reason.TimeStampMalformed},
		"two signers":   {two, reason.TimeStampMalformed},
		"no TSTInfo":    {notInfo, reason.TimeStampMalformed},
		"as a document": {infoAsData, reason.TimeStampMalformed},
		"PEM":           {pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: good}), reason.TimeStampMalformed},
		"cut off":       {good[:len(good)-1], reason.TimeStampMalformed},
		"with a tail":   {append(bytes.Clone(good), 0), reason.TimeStampMalformed},
		"far too long":  {make([]byte, MaxToken+1), reason.TimeStampTooLarge},
	} {
		if token, err := ParseToken(c.raw); token != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestTemplates refuses to make tokens that nobody could read.
func TestTemplates(t *testing.T) {
	a := newAuthority(t)
	for name, change := range map[string]func(*Template){
		"no policy":         func(p *Template) { p.Policy = nil },
		"no digest":         func(p *Template) { p.Digest = Imprint{} },
		"long serial":       func(p *Template) { p.Serial = make([]byte, 21) },
		"long nonce":        func(p *Template) { p.Nonce = make([]byte, MaxNonce+1) },
		"negative accuracy": func(p *Template) { p.Accuracy = -1 },
	} {
		if raw, err := create(t, a, change); raw != nil || err == nil {
			t.Errorf("%s: made", name)
		}
	}
}

// TestInfo has every rule of TSTInfo broken, one at a time.
func TestInfo(t *testing.T) {
	a := newAuthority(t)
	critical := Extension{ID: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}
	harmless := Extension{ID: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte{5, 0}}
	for name, c := range map[string]struct {
		change func(*Template)
		good   bool
	}{
		"as it should be":    {func(*Template) {}, true},
		"ordering":           {func(p *Template) { p.Ordering = true }, true},
		"an extension":       {func(p *Template) { p.Extensions = []Extension{harmless} }, true},
		"critical extension": {func(p *Template) { p.Extensions = []Extension{critical} }, false},
		"repeated extension": {func(p *Template) { p.Extensions = make2(harmless) }, false},
		"short digest":       {func(p *Template) { p.Digest.Hash = p.Digest.Hash[1:] }, false},
		"long serial":        {func(p *Template) { p.Serial = bytes.Repeat([]byte{0xff}, 20) }, true},
		"padded nonce":       {func(p *Template) { p.Nonce = []byte{0, 1} }, false},
		"negative nonce":     {func(p *Template) { p.Nonce = []byte{0x81} }, true},
		"unknown digest":     {func(p *Template) { p.Digest.Algorithm.Algorithm = asn1.ObjectIdentifier{1, 2, 3} }, true},
		"accuracy of a week": {func(p *Template) { p.Accuracy = 7 * 24 * time.Hour }, false},
	} {
		raw, err := create(t, a, c.change)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		token, err := ParseToken(raw)
		if (err == nil) != c.good || (token != nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
		if name == "unknown digest" {
			if err := token.CheckImprint(stamped); !errors.Is(err, reason.TimeStampAlgorithm) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestFractions: milli- and microseconds are 1 to 999, and nothing else is taken for
// them.
func TestFractions(t *testing.T) {
	for content, want := range map[string]int{
		"\x01": 1, "\x7f": 127, "\x00\xff": 255, "\x03\xe7": 999,
		"\x00": 0, "\x03\xe8": 0, "\xff": 0, "\x81": 0, "\xfe\xff": 0, "": 0, "\x01\x00\x00\x00\x00\x00\x00\x00\x01": 0,
	} {
		var d der.Decoder
		r := d.Open(append([]byte{byte(der.Context(0)), byte(len(content))}, content...), limits)
		if got := fraction(&r, der.Context(0)); got != want || (d.Err() == nil) != (want > 0) {
			t.Errorf("%x: %d, %v, want %d", content, got, d.Err(), want)
		}
	}
}
