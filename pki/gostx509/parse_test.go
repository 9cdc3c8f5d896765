package gostx509

import (
	"bytes"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/gost/gost3410"
	"propusk/pki/der"
	"propusk/pki/reason"
	"propusk/pki/samples"
)

// TestRFC reads the certificates of RFC 9215. Two of them are on curves that
// exist for tests only; their keys must not be accepted.
func TestRFC(t *testing.T) {
	for file, c := range map[string]struct {
		key    bool
		serial byte
		alg    string
	}{
		"rfc9215-d1.pem": {false, 10, "1.2.643.7.1.1.3.2"},
		"rfc9215-d2.pem": {true, 10, "1.2.643.7.1.1.3.2"},
		"rfc9215-d3.pem": {false, 11, "1.2.643.7.1.1.3.3"},
	} {
		text, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(text, []byte("# Source: ")) {
			t.Errorf("%s: no source", file)
		}
		cert, err := ParseAny(text)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if cert.Subject.String() != "CN=Example" || !bytes.Equal(cert.Serial, []byte{c.serial}) || !cert.IsCA ||
			cert.NotAfter.Year() != 2050 || cert.SignatureAlgorithm.Algorithm.String() != c.alg {
			t.Errorf("%s: %+v", file, cert)
		}
		if (cert.PublicKey != nil) != c.key || (cert.KeyError == nil) != c.key {
			t.Errorf("%s: key %v, %v", file, cert.PublicKey, cert.KeyError)
		}
		want := reason.Code("")
		if !c.key {
			want = reason.CertKeyUnsupported
		}
		if err := cert.CheckSignature(cert.PublicKey); reason.Of(err) != want {
			t.Errorf("%s: %v, want %q", file, err, want)
		}
	}
}

// TestRealQualified verifies a real end-entity certificate under the CA of the
// corpus that issued it.
func TestRealQualified(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(samples.Path(t, "data", "ee_certs", "real_qualified"), "*.der"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	all := loadCorpus(t)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Parse(raw)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if issuerOf(c, all.certs) == nil {
			t.Errorf("%s: no CA of the corpus issued it", file)
		}
		if who, err := c.Identity(); err != nil || who.Kind != "ul-auto" {
			t.Errorf("%s: kind %q, %v", file, who.Kind, err)
		}
	}
}

// pieces is a certificate in parts, each the DER of one field, to be put together
// wrongly.
type pieces struct {
	version, serial, inner, issuer, validity, subject, key, unique, extensions, outer, signature, trailer []byte
}

func take(t testing.TB, c *Certificate) pieces {
	t.Helper()
	var d der.Decoder
	input := d.Open(c.Raw, der.Limits{})
	cert := input.Sequence()
	tbs := cert.Sequence()
	p := pieces{
		version: tbs.Raw(), serial: tbs.Raw(), inner: tbs.Raw(), issuer: tbs.Raw(), validity: tbs.Raw(),
		subject: tbs.Raw(), key: tbs.Raw(), extensions: tbs.Raw(), outer: cert.Raw(), signature: cert.Raw(),
	}
	tbs.End()
	cert.End()
	if d.Err() != nil {
		t.Fatal(d.Err())
	}
	return p
}

func (p pieces) assemble(t testing.TB) []byte {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, part := range [][]byte{p.version, p.serial, p.inner, p.issuer, p.validity, p.subject, p.key, p.unique, p.extensions} {
				b.AddBytes(part)
			}
		})
		b.AddBytes(p.outer)
		b.AddBytes(p.signature)
		b.AddBytes(p.trailer)
	})
	return b.BytesOrPanic()
}

// list wraps extensions, each DER, into the field [3].
func list(extensions ...string) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.Tag(3).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, e := range extensions {
				b.AddBytes([]byte(e))
			}
		})
	})
	return b.BytesOrPanic()
}

// ext makes an extension out of the content of its OID and its value.
func ext(id, value string) string { return wrap(0x30, wrap(6, id)+wrap(4, value)) }

// parts is the certificate that the tests below spoil.
func parts(t testing.TB) pieces {
	t.Helper()
	key := newKey(t, gost3410.CryptoProA())
	return take(t, mustCreate(t, caTemplate(), nil, key.Public(), key))
}

// fault is one way to spoil a certificate, and the reason to expect.
type fault struct {
	spoil func(*pieces)
	want  reason.Code
}

func fieldFaults() map[string]fault {
	return map[string]fault{
		"version 1 written out":       {func(p *pieces) { p.version = []byte("\xa0\x03\x02\x01\x00") }, reason.CertMalformed},
		"version 1 written, no more":  {func(p *pieces) { p.version, p.extensions = []byte("\xa0\x03\x02\x01\x00"), nil }, reason.CertMalformed},
		"version 4":                   {func(p *pieces) { p.version = []byte("\xa0\x03\x02\x01\x03") }, reason.CertMalformed},
		"extensions in version 2":     {func(p *pieces) { p.version = []byte("\xa0\x03\x02\x01\x01") }, reason.CertMalformed},
		"extensions in version 1":     {func(p *pieces) { p.version = nil }, reason.CertMalformed},
		"unique id in version 1":      {func(p *pieces) { p.version, p.extensions, p.unique = nil, nil, []byte("\x81\x02\x00\x01") }, reason.CertMalformed},
		"serial of 22 octets":         {func(p *pieces) { p.serial = []byte(wrap(2, strings.Repeat("\x01", 22))) }, reason.CertTooLarge},
		"serial with a zero too many": {func(p *pieces) { p.serial = []byte("\x02\x02\x00\x01") }, reason.CertMalformed},
		"inner algorithm differs":     {func(p *pieces) { p.inner = bytes.Replace(p.inner, []byte{3, 2}, []byte{3, 3}, 1) }, reason.CertMalformed},
		"inner algorithm with NULL":   {func(p *pieces) { p.inner = []byte("\x30\x0c" + string(p.inner[2:]) + "\x05\x00") }, reason.CertMalformed},
		"no issuer":                   {func(p *pieces) { p.issuer = nil }, reason.CertMalformed},
		"issuer is a SET":             {func(p *pieces) { p.issuer = append([]byte{0x31}, p.issuer[1:]...) }, reason.CertMalformed},
		"one date": {func(p *pieces) {
			p.validity = p.validity[:2+15]
			p.validity = append([]byte{0x30, 15}, p.validity[2:]...)
		}, reason.CertMalformed},
		"three dates": {func(p *pieces) {
			p.validity = append([]byte{0x30, p.validity[1] + 15}, append(p.validity[2:len(p.validity):len(p.validity)], p.validity[2:17]...)...)
		}, reason.CertMalformed},
		"no key":                       {func(p *pieces) { p.key = nil }, reason.CertMalformed},
		"a field after the extensions": {func(p *pieces) { p.extensions = append(bytes.Clone(p.extensions), 5, 0) }, reason.CertMalformed},
		"a field after the signature":  {func(p *pieces) { p.trailer = []byte{5, 0} }, reason.CertMalformed},
		"signature with unused bits":   {func(p *pieces) { p.signature = []byte("\x03\x02\x01\x80") }, reason.CertMalformed},
	}
}

// extensionFaults is extensions of a wrong form.
func extensionFaults() map[string][]byte {
	return map[string][]byte{
		"empty list of extensions":       list(),
		"the same extension twice":       list(ext(idSubjectKeyID, "\x04\x01a"), ext(idSubjectKeyID, "\x04\x01a")),
		"critical is 02":                 list(wrap(0x30, wrap(6, idKeyUsage)+"\x01\x01\x02"+wrap(4, "\x03\x02\x01\x06"))),
		"extension without a value":      list(wrap(0x30, wrap(6, idKeyUsage))),
		"value after the value":          list(ext(idSubjectKeyID, "\x04\x01a\x05\x00")),
		"keyUsage without a bit":         list(ext(idKeyUsage, "\x03\x01\x00")),
		"keyUsage with bit 9":            list(ext(idKeyUsage, "\x03\x03\x06\x00\x40")),
		"path length without a CA":       list(ext(idBasicConstraints, "\x30\x03\x02\x01\x00")),
		"negative path length":           list(ext(idBasicConstraints, "\x30\x06\x01\x01\xff\x02\x01\xff")),
		"CA is 02":                       list(ext(idBasicConstraints, "\x30\x03\x01\x01\x02")),
		"empty policies":                 list(ext(idPolicies, "\x30\x00")),
		"empty extended key usage":       list(ext(idExtKeyUsage, "\x30\x00")),
		"empty key period":               list(ext(idPrivateKeyUsage, "\x30\x00")),
		"key period in local time":       list(ext(idPrivateKeyUsage, wrap(0x30, wrap(0x80, "20250101000000")))),
		"empty alternative names":        list(ext(idSubjectAltName, "\x30\x00")),
		"IP address of 5 octets":         list(ext(idSubjectAltName, wrap(0x30, wrap(0x87, "12345")))),
		"DNS name in Russian":            list(ext(idSubjectAltName, wrap(0x30, wrap(0x82, "пример.рф")))),
		"DNS name with NUL":              list(ext(idSubjectAltName, wrap(0x30, wrap(0x82, "a.ru\x00b")))),
		"URL with a line end":            list(ext(idAuthorityInfo, wrap(0x30, wrap(0x30, wrap(6, idOCSP)+wrap(0x86, "http://a\n"))))),
		"issuerSignTool of three":        list(ext(idIssuerSignTool, wrap(0x30, strings.Repeat("\x0c\x01a", 3)))),
		"issuerSignTool of five":         list(ext(idIssuerSignTool, wrap(0x30, strings.Repeat("\x0c\x01a", 5)))),
		"subjectSignTool is an integer":  list(ext(idSubjectSignTool, "\x02\x01\x05")),
		"subjectSignTool is empty":       list(ext(idSubjectSignTool, "\x0c\x00")),
		"identificationKind is negative": list(ext(idIdentificationKind, "\x02\x01\xff")),
	}
}

// extensionExcess is extensions beyond the limits.
func extensionExcess() map[string][]byte {
	many := make([]string, MaxExtensions+1)
	for i := range many {
		many[i] = ext(string([]byte{0x2A, 0x03, byte(i)}), "\x05\x00")
	}
	policies := strings.Repeat(wrap(0x30, "\x06\x01\x2a"), 24)
	manyPolicies := "\x30\x82" + string([]byte{byte(len(policies) * 6 >> 8), byte(len(policies) * 6)}) + strings.Repeat(policies, 6)
	large := "\x30\x82" + string([]byte{byte((len(manyPolicies) + 9) >> 8), byte(len(manyPolicies) + 9)}) +
		wrap(6, idPolicies) + "\x04\x82" + string([]byte{byte(len(manyPolicies) >> 8), byte(len(manyPolicies))}) + manyPolicies
	return map[string][]byte{
		"too many extensions": list(many...),
		"too many policies":   list(large),
	}
}

// TestMalformed spoils one field at a time.
func TestMalformed(t *testing.T) {
	good := parts(t)
	if _, err := Parse(good.assemble(t)); err != nil {
		t.Fatal(err)
	}
	faults := fieldFaults()
	for name, extensions := range extensionFaults() {
		faults[name] = fault{func(p *pieces) { p.extensions = extensions }, reason.CertMalformed}
	}
	for name, extensions := range extensionExcess() {
		faults[name] = fault{func(p *pieces) { p.extensions = extensions }, reason.CertTooLarge}
	}
	for name, c := range faults {
		t.Run(name, func(t *testing.T) {
			p := good
			c.spoil(&p)
			got, err := Parse(p.assemble(t))
			if got != nil || reason.Of(err) != c.want {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestTolerated reads what real certificates have; DIVERGENCES.md.
func TestTolerated(t *testing.T) {
	good := parts(t)
	for name, c := range map[string]struct {
		spoil func(*pieces)
		check func(*Certificate) bool
	}{
		"CA as 01": {func(p *pieces) { p.extensions = list(ext(idBasicConstraints, "\x30\x06\x01\x01\x01\x02\x01\x00")) }, func(c *Certificate) bool { return c.IsCA && c.MaxPathLen == 0 }},
		"FALSE written out": {func(p *pieces) {
			p.extensions = list(wrap(0x30, wrap(6, idKeyUsage)+"\x01\x01\x00"+wrap(4, "\x03\x02\x01\x06")))
		}, func(c *Certificate) bool {
			return c.KeyUsage == KeyUsageCertSign|KeyUsageCRLSign && !c.Extensions[0].Critical
		}},
		"fraction of a second": {func(p *pieces) {
			p.extensions = list(ext(idPrivateKeyUsage, wrap(0x30, wrap(0x81, "20251217100600.876Z"))))
		}, func(c *Certificate) bool {
			return c.PrivateKeyUsage.NotAfter.Nanosecond() == 876_000_000 && c.PrivateKeyUsage.NotBefore.IsZero()
		}},
		"GeneralizedTime early": {func(p *pieces) {
			p.validity = []byte(wrap(0x30, wrap(0x18, "20250101000000Z")+wrap(0x18, "20260101000000Z")))
		}, func(c *Certificate) bool { return c.NotBefore.Year() == 2025 }},
		"negative serial":     {func(p *pieces) { p.serial = []byte("\x02\x01\xa9") }, func(c *Certificate) bool { return bytes.Equal(c.Serial, []byte{0xA9}) }},
		"serial of 21 octets": {func(p *pieces) { p.serial = []byte(wrap(2, "\x00"+strings.Repeat("\xff", 20))) }, func(c *Certificate) bool { return len(c.Serial) == 21 }},
		"empty subject":       {func(p *pieces) { p.subject = []byte{0x30, 0} }, func(c *Certificate) bool { return len(c.Subject) == 0 }},
		"version 1":           {func(p *pieces) { p.version, p.extensions = nil, nil }, func(c *Certificate) bool { return c.Version == 1 && !c.IsCA && c.MaxPathLen == -1 }},
		"version 2, unique ids": {func(p *pieces) {
			p.version, p.extensions, p.unique = []byte("\xa0\x03\x02\x01\x01"), nil, []byte("\x81\x02\x00\x01\x82\x02\x00\x02")
		}, func(c *Certificate) bool { return c.Version == 2 }},
		"key of another kind": {func(p *pieces) { p.key = []byte(wrap(0x30, wrap(0x30, "\x06\x03\x2b\x65\x70")+"\x03\x02\x00\x01")) }, func(c *Certificate) bool { return c.PublicKey == nil && c.KeyError != nil }},
		"key off the curve": {func(p *pieces) { p.key = bytes.Clone(p.key); p.key[len(p.key)-1] ^= 1 }, func(c *Certificate) bool {
			return c.PublicKey == nil && c.KeyError != nil && len(c.PublicKeyAlgorithm.Algorithm) > 0
		}},
		"unknown, critical": {func(p *pieces) { p.extensions = list(wrap(0x30, "\x06\x03\x55\x1d\x1e\x01\x01\xff\x04\x02\x30\x00")) }, func(c *Certificate) bool {
			return len(c.UnhandledCritical) == 1 && c.UnhandledCritical[0].Equal(OIDNameConstraints)
		}},
		"unknown, not critical": {func(p *pieces) { p.extensions = list(ext("\x2a\x03", "whatever")) }, func(c *Certificate) bool { return len(c.UnhandledCritical) == 0 && len(c.Extensions) == 1 }},
		"policy with qualifiers": {func(p *pieces) {
			p.extensions = list(ext(idPolicies, wrap(0x30, wrap(0x30, "\x06\x01\x2a\x30\x02\x05\x00"))))
		}, func(c *Certificate) bool { return len(c.Policies) == 1 && c.Policies[0].String() == "1.2" }},
		"identification unknown": {func(p *pieces) { p.extensions = list(ext(idIdentificationKind, "\x02\x01\x07")) }, func(c *Certificate) bool { return *c.IdentificationKind == 7 && !c.IdentificationKind.Known() }},
		"CDP by relative name": {func(p *pieces) {
			p.extensions = list(ext(idCRLDistribution, wrap(0x30, wrap(0x30, wrap(0xa0, "\xa1\x00")))))
		}, func(c *Certificate) bool { return len(c.CRLDistributionPoints) == 0 }},
		"CDP with reasons": {func(p *pieces) {
			p.extensions = list(ext(idCRLDistribution, wrap(0x30, wrap(0x30, "\x81\x02\x00\x80\xa2\x02\x82\x00"))))
		}, func(c *Certificate) bool { return len(c.CRLDistributionPoints) == 0 }},
		"AKI by another name": {func(p *pieces) { p.extensions = list(ext(idAuthorityKeyID, wrap(0x30, "\xa1\x03\x82\x01a"))) }, func(c *Certificate) bool { return c.AuthorityKeyID.RawIssuer == nil }},
	} {
		t.Run(name, func(t *testing.T) {
			p := good
			c.spoil(&p)
			raw := p.assemble(t)
			got, err := Parse(raw)
			if err != nil {
				t.Fatalf("%v\n%x", err, raw)
			}
			if !c.check(got) || !bytes.Equal(got.Raw, raw) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestExtensionLookup(t *testing.T) {
	key := newKey(t, gost3410.CryptoProA())
	c := mustCreate(t, caTemplate(), nil, key.Public(), key)
	if e, ok := c.Extension(OIDBasicConstraints); !ok || !e.Critical {
		t.Errorf("basicConstraints: %v, %v", e, ok)
	}
	if _, ok := c.Extension(asn1.ObjectIdentifier{1, 2, 3}); ok {
		t.Error("an extension that is not there was found")
	}
}

func TestParseAny(t *testing.T) {
	raw := parts(t).assemble(t)
	text := base64.StdEncoding.EncodeToString(raw)
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
	for name, in := range map[string][]byte{"DER": raw, "base64": []byte(text), "PEM": block} {
		if c, err := ParseAny(in); err != nil || !bytes.Equal(c.Raw, raw) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, in := range map[string][]byte{
		"nothing":        nil,
		"two":            bytes.Repeat(block, 2),
		"a private key":  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}),
		"trailing bytes": append(bytes.Clone(raw), 0),
		"cut":            raw[:len(raw)-1],
	} {
		if c, err := ParseAny(in); c != nil || !errors.Is(err, reason.CertMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if c, err := Parse(make([]byte, MaxSize+1)); c != nil || !errors.Is(err, reason.CertTooLarge) {
		t.Errorf("too large: %v", err)
	}
}

// TestOwnCopy: the caller may reuse the buffer.
func TestOwnCopy(t *testing.T) {
	raw := parts(t).assemble(t)
	buffer := bytes.Clone(raw)
	c, err := Parse(buffer)
	if err != nil {
		t.Fatal(err)
	}
	clear(buffer)
	if !bytes.Equal(c.Raw, raw) || c.Subject.Get(OIDOGRN) != testOGRN {
		t.Error("the certificate changed with the caller's buffer")
	}
}

// TestEveryByte flips every byte of a certificate: whatever is still read does
// not verify, and writes back the same bytes.
func TestEveryByte(t *testing.T) {
	key := newKey(t, gost3410.CryptoProA())
	raw := mustCreate(t, holderTemplate(), mustCreate(t, caTemplate(), nil, key.Public(), key), key.Public(), key).Raw
	for i := range raw {
		for _, bit := range []byte{0x01, 0x80} {
			spoiled := bytes.Clone(raw)
			spoiled[i] ^= bit
			c, err := Parse(spoiled)
			if err != nil {
				continue
			}
			if !bytes.Equal(c.Raw, spoiled) {
				t.Fatalf("byte %d: Raw differs", i)
			}
			if c.CheckSignature(key.Public()) == nil {
				t.Fatalf("byte %d: verifies", i)
			}
		}
	}
}

// FuzzParse: what is accepted is kept to the byte, hangs together, and nothing
// panics on the way to an identity.
func FuzzParse(f *testing.F) {
	key := newKey(f, gost3410.CryptoProA())
	ca := mustCreate(f, caTemplate(), nil, key.Public(), key)
	f.Add(ca.Raw)
	f.Add(mustCreate(f, holderTemplate(), ca, key.Public(), key).Raw)
	for _, name := range []string{"rfc9215-d1.pem", "rfc9215-d2.pem", "rfc9215-d3.pem"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		raw, err := der.Decode(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := Parse(raw)
		if err != nil {
			if c != nil || reason.Of(err) != reason.CertMalformed && reason.Of(err) != reason.CertTooLarge {
				t.Fatalf("refused with %v and %v", c, err)
			}
			return
		}
		for name, part := range map[string][]byte{"TBS": c.RawTBS, "issuer": c.RawIssuer, "subject": c.RawSubject, "SPKI": c.RawSPKI} {
			if len(part) < 2 || !bytes.Contains(c.Raw, part) {
				t.Fatalf("%s is not a part of the certificate", name)
			}
		}
		if !bytes.Equal(c.Raw, raw) || (c.PublicKey == nil) == (c.KeyError == nil) || len(c.Serial) == 0 {
			t.Fatalf("%x read as %+v", raw, c)
		}
		_, _ = c.Identity()
		_ = c.Subject.String() + c.Issuer.String()
		if c.CheckSignature(ca.PublicKey) == nil && !bytes.Equal(c.RawIssuer, ca.RawSubject) {
			t.Fatalf("a forged certificate verifies: %x", raw)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for name, curve := range map[string]*gost3410.Curve{"CryptoPro-A": gost3410.CryptoProA(), "tc26-256-A": gost3410.TC26256A(), "tc26-512-A": gost3410.TC26512A()} {
		b.Run(name, func(b *testing.B) {
			key := newKey(b, curve)
			ca := mustCreate(b, caTemplate(), nil, key.Public(), key)
			raw := mustCreate(b, holderTemplate(), ca, key.Public(), key).Raw
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCorpus parses every certificate of the accredited CAs.
func BenchmarkCorpus(b *testing.B) {
	all := loadCorpus(b)
	b.ReportAllocs()
	for b.Loop() {
		for _, c := range all.certs {
			if _, err := Parse(c.Raw); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(all.certs)), "µs/cert")
}
