// Package longterm makes signatures of every level of CAdES for tests: good ones,
// and ones with a part that is of something else. It is made of the pieces that the
// standards name, so that what tests hold against package cades does not come out of
// it.
package longterm

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/asn1"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/gost/gost3410"
	"propusk/gost/gostr341194"
	"propusk/gost/streebog"
	"propusk/pki/cms"
	"propusk/pki/der"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/sigalg"
	"propusk/pki/tsp"
)

// Types of attributes, in dotted form.
const (
	CounterSignature    = "1.2.840.113549.1.9.6"
	SignatureTimeStamp  = "1.2.840.113549.1.9.16.2.14"
	SignaturePolicy     = "1.2.840.113549.1.9.16.2.15"
	ContentTimeStamp    = "1.2.840.113549.1.9.16.2.20"
	CertificateRefs     = "1.2.840.113549.1.9.16.2.21"
	RevocationRefs      = "1.2.840.113549.1.9.16.2.22"
	CertificateValues   = "1.2.840.113549.1.9.16.2.23"
	RevocationValues    = "1.2.840.113549.1.9.16.2.24"
	ESCTimeStamp        = "1.2.840.113549.1.9.16.2.25"
	ReferencesTimeStamp = "1.2.840.113549.1.9.16.2.26"
	ArchiveV1           = "1.2.840.113549.1.9.16.2.27"
	ArchiveV2           = "1.2.840.113549.1.9.16.2.48"
	ArchiveV3           = "0.4.0.1733.2.4"
	LongTerm            = "0.4.0.1733.2.2"
	Index               = "0.4.0.1733.2.5"
	IndexV2             = "0.4.0.19122.1.4"
	IndexV3             = "0.4.0.19122.1.5"
)

// TSA is a time-stamping authority. Every stamp is of the time given.
type TSA struct {
	Holder country.Holder
	Time   time.Time
	// Make makes a token over data; nil makes one with package tsp.
	Make   func(data []byte) []byte
	random *rand.ChaCha8
}

// NewTSA makes an authority with a certificate of an issuer.
func NewTSA(t testing.TB, c *country.Country, issuer *country.Authority, template gostx509.Template, at time.Time) *TSA {
	t.Helper()
	return &TSA{
		Holder: c.Person(t, issuer, gost3410.TC26256A(), template), Time: at,
		random: rand.NewChaCha8([32]byte{'t', 's', 'a'}),
	}
}

// Token stamps pieces of data with Streebog-256.
func (a *TSA) Token(t testing.TB, pieces ...[]byte) []byte {
	t.Helper()
	data := bytes.Join(pieces, nil)
	if a.Make != nil {
		return a.Make(data)
	}
	sum := streebog.Sum256(data)
	template := tsp.Template{
		Policy: asn1.ObjectIdentifier{1, 2, 643, 100, 99},
		Digest: tsp.Imprint{
			Algorithm: sigalg.AlgorithmIdentifier{Algorithm: sigalg.OIDStreebog256}, Hash: sum[:],
		},
		GenTime:      a.Time,
		Certificates: []*gostx509.Certificate{a.Holder.Cert},
	}
	token, err := tsp.Create(a.random, template, a.Holder.Cert, crypto.Signer(a.Holder.Key))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Sign makes a detached or an attached BES of a holder.
func Sign(t testing.TB, document []byte, detached bool, h country.Holder, at time.Time) []byte {
	t.Helper()
	by := cms.Signatory{Key: h.Key, Certificate: h.Cert, Time: at}
	var file []byte
	var err error
	if detached {
		file, err = cms.CreateDetached(nil, bytes.NewReader(document), by)
	} else {
		file, err = cms.Create(nil, document, by)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// Parse reads a file.
func Parse(t testing.TB, file []byte) *cms.SignedData {
	t.Helper()
	sd, err := cms.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	return sd
}

// OID returns the content of an OBJECT IDENTIFIER given in dotted form.
func OID(t testing.TB, dotted string) der.OID {
	t.Helper()
	var b cryptobyte.Builder
	var id asn1.ObjectIdentifier
	n := 0
	for _, c := range dotted + "." {
		if c != '.' {
			n = n*10 + int(c-'0')
			continue
		}
		id, n = append(id, n), 0
	}
	b.AddASN1ObjectIdentifier(id)
	raw, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return der.OID(raw[2:])
}

// Add adds an unsigned attribute to the first signer of a file.
func Add(t testing.TB, file []byte, oid string, values ...[]byte) []byte {
	t.Helper()
	return AddTo(t, file, 0, oid, values...)
}

// AddTo adds an unsigned attribute to a signer of a file, whether or not that breaks
// anything. Attributes stay in the order in which they are added, the values too.
func AddTo(t testing.TB, file []byte, signer int, oid string, values ...[]byte) []byte {
	t.Helper()
	attribute := Element(0x30, Element(0x06, OID(t, oid)), Element(0x31, values...))
	sd := Parse(t, file)
	s := sd.Signers[signer]
	old, added := s.Raw, Element(0x30, signedFields(s.Raw), Element(0xa1, unsigned(s.Raw), attribute))
	return Rebuild(t, sd, func(signers [][]byte) [][]byte {
		for i := range signers {
			if bytes.Equal(signers[i], old) {
				signers[i] = added
			}
		}
		return signers
	})
}

// Rebuild writes a file with other SignerInfos.
func Rebuild(t testing.TB, sd *cms.SignedData, change func(signers [][]byte) [][]byte) []byte {
	t.Helper()
	var signers [][]byte
	for i := range sd.Signers {
		signers = append(signers, sd.Signers[i].Raw)
	}
	var d der.Decoder
	top := d.Open(sd.Raw, der.Limits{Size: cms.MaxSize})
	info := top.Sequence()
	contentType := info.Raw()
	explicit := info.Enter(der.Constructed(0))
	all := Elements(explicit.Content(der.TagSequence))
	if d.Err() != nil {
		t.Fatal(d.Err())
	}
	all[len(all)-1] = Element(0x31, change(signers)...)
	return Element(0x30, contentType, Element(0xa0, Element(0x30, all...)))
}

// signedFields returns the fields of a SignerInfo before the unsigned attributes,
// unsigned the content of those.
func signedFields(info []byte) []byte {
	fields, _ := split(info)
	return fields
}

func unsigned(info []byte) []byte {
	_, attributes := split(info)
	return attributes
}

func split(info []byte) (fields, attributes []byte) {
	var d der.Decoder
	top := d.Open(info, der.Limits{Size: cms.MaxSize})
	seq := top.Sequence()
	whole := seq.Rest()
	for seq.More() && !seq.Peek(der.Constructed(1)) {
		seq.Raw()
	}
	fields = whole[:len(whole)-len(seq.Rest())]
	if seq.More() {
		attributes = seq.Content(der.Constructed(1))
	}
	return fields, attributes
}

// Element writes one DER element.
func Element(tag byte, content ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.Tag(tag), func(b *cryptobyte.Builder) {
		for _, c := range content {
			b.AddBytes(c)
		}
	})
	return b.BytesOrPanic()
}

// OtherHash writes the digest of something with SHA-256 (RFC 5126, Section 5.7.3.3).
func OtherHash(data []byte) []byte {
	sum := sha256.Sum256(data)
	return Element(0x30, AlgorithmSHA256(), Element(0x04, sum[:]))
}

// AlgorithmSHA256 writes the identifier of SHA-256.
func AlgorithmSHA256() []byte {
	return Element(0x30, Element(0x06, []byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}))
}

// Attribute returns type and values, with headers, of an unsigned attribute of the
// first signer of a file; nil if it is not there.
func Attribute(t testing.TB, file []byte, oid string) []byte {
	t.Helper()
	want := OID(t, oid)
	for _, a := range Parse(t, file).Signers[0].UnsignedAttrs {
		if bytes.Equal(a.Type, want) {
			return append(Element(0x06, a.Type), Element(0x31, a.Values)...)
		}
	}
	return nil
}

// CertificateRefsOf writes complete-certificate-references.
func CertificateRefsOf(certs ...*gostx509.Certificate) []byte {
	var refs [][]byte
	for _, c := range certs {
		refs = append(refs, Element(0x30, OtherHash(c.Raw),
			Element(0x30, Element(0x30, Element(0xa4, c.RawIssuer)), Element(0x02, c.Serial))))
	}
	return Element(0x30, refs...)
}

// RevocationRefsOf writes complete-revocation-references with one CrlOcspRef for each
// list, and one for each BasicOCSPResponse, given by its responder's [1] or [2]
// element, its time and itself.
func RevocationRefsOf(lists [][]byte, responses ...OCSP) []byte {
	var refs [][]byte
	for _, l := range lists {
		refs = append(refs, Element(0x30, Element(0xa0, Element(0x30, Element(0x30, Element(0x30, OtherHash(l)))))))
	}
	for _, r := range responses {
		id := [][]byte{Element(0x30, r.Responder, Element(0x18, []byte(r.ProducedAt.UTC().Format("20060102150405Z"))))}
		if r.Hashed != nil {
			id = append(id, OtherHash(r.Hashed))
		}
		refs = append(refs, Element(0x30, Element(0xa1, Element(0x30, Element(0x30, Element(0x30, id...))))))
	}
	return Element(0x30, refs...)
}

// OCSP is a response that is referred to.
type OCSP struct {
	Responder  []byte // ResponderID in DER
	ProducedAt time.Time
	Hashed     []byte // what the reference hashes; nil leaves the digest out
}

// CertificateValuesOf writes certificate-values.
func CertificateValuesOf(certs ...*gostx509.Certificate) []byte {
	var all [][]byte
	for _, c := range certs {
		all = append(all, c.Raw)
	}
	return Element(0x30, all...)
}

// RevocationValuesOf writes revocation-values of lists and BasicOCSPResponses.
func RevocationValuesOf(lists, responses [][]byte) []byte {
	var content [][]byte
	if lists != nil {
		content = append(content, Element(0xa0, Element(0x30, lists...)))
	}
	if responses != nil {
		content = append(content, Element(0xa1, Element(0x30, responses...)))
	}
	return Element(0x30, content...)
}

// FileImprint returns what an archive time-stamp of version 1 or 2 is over, with the
// header of the unsigned attributes or without.
func FileImprint(t testing.TB, file, document []byte, signer int, header bool) []byte {
	t.Helper()
	sd := Parse(t, file)
	out := append([]byte{}, sd.RawEncapContentInfo...)
	if sd.Detached {
		out = append(out, document...)
	}
	out = append(append(out, sd.RawCertificates...), sd.RawCRLs...)
	raw := sd.Signers[signer].Raw
	out = append(out, signedFields(raw)...)
	if !header {
		return append(out, unsigned(raw)...)
	}
	return append(out, Element(0xa1, unsigned(raw))...)
}

// IndexOf writes an ats-hash-index with SHA-256 over the certificates, the lists and
// the unsigned attributes for which keep returns true; nil keeps all.
func IndexOf(t testing.TB, file []byte, version string, keep func(raw []byte) bool) []byte {
	t.Helper()
	sd := Parse(t, file)
	list := func(all [][]byte) []byte {
		var digests [][]byte
		for _, raw := range all {
			if keep == nil || keep(raw) {
				sum := sha256.Sum256(raw)
				digests = append(digests, Element(0x04, sum[:]))
			}
		}
		return Element(0x30, digests...)
	}
	var attributes [][]byte
	for _, a := range sd.Signers[0].UnsignedAttrs {
		if version == IndexV3 {
			for _, value := range Elements(a.Values) {
				attributes = append(attributes, append(Element(0x06, a.Type), value...))
			}
			continue
		}
		attributes = append(attributes, Element(0x30, Element(0x06, a.Type), Element(0x31, a.Values)))
	}
	lists := [][]byte{list(inside(sd.RawCertificates)), list(inside(sd.RawCRLs)), list(attributes)}
	if version == Index { // SHA-256 is the default
		return Element(0x30, lists...)
	}
	return Element(0x30, append([][]byte{AlgorithmSHA256()}, lists...)...)
}

// Elements splits the content of an element.
func Elements(content []byte) [][]byte {
	var d der.Decoder
	var all [][]byte
	for r := d.Open(content, der.Limits{Size: cms.MaxSize}); r.More(); {
		all = append(all, r.Raw())
	}
	return all
}

func inside(raw []byte) [][]byte {
	if raw == nil {
		return nil
	}
	var d der.Decoder
	r := d.Open(raw, der.Limits{Size: cms.MaxSize})
	_, _, content := r.Any()
	return Elements(content)
}

// IndexedImprint returns what an archive time-stamp of version 3 is over.
func IndexedImprint(t testing.TB, file, document, index []byte) []byte {
	t.Helper()
	sd := Parse(t, file)
	sum := streebog.Sum256(document)
	out := append(Element(0x06, sd.RawContentType()), sum[:]...)
	out = append(out, signedFields(sd.Signers[0].Raw)...)
	return append(out, index...)
}

// WithIndex puts an index into a token.
func WithIndex(t testing.TB, token []byte, version string, index []byte) []byte {
	t.Helper()
	return Add(t, token, version, index)
}

// Material is what a long-term signature carries.
type Material struct {
	Certs []*gostx509.Certificate
	Lists [][]byte // CRLs
	OCSPs [][]byte // BasicOCSPResponses
	Refs  []OCSP   // to OCSPs
}

// T adds a signature time-stamp.
func T(t testing.TB, file []byte, tsa *TSA) []byte {
	t.Helper()
	return Add(t, file, SignatureTimeStamp, tsa.Token(t, Parse(t, file).Signers[0].Signature))
}

// C adds references.
func C(t testing.TB, file []byte, m Material) []byte {
	t.Helper()
	file = Add(t, file, CertificateRefs, CertificateRefsOf(m.Certs...))
	return Add(t, file, RevocationRefs, RevocationRefsOf(m.Lists, m.Refs...))
}

// Values adds values.
func Values(t testing.TB, file []byte, m Material) []byte {
	t.Helper()
	file = Add(t, file, CertificateValues, CertificateValuesOf(m.Certs...))
	return Add(t, file, RevocationValues, RevocationValuesOf(m.Lists, m.OCSPs))
}

// Type1 adds a time-stamp over the signature, its time-stamp and the references.
func Type1(t testing.TB, file []byte, tsa *TSA) []byte {
	t.Helper()
	return Add(t, file, ESCTimeStamp, tsa.Token(t, Parse(t, file).Signers[0].Signature,
		Attribute(t, file, SignatureTimeStamp), Attribute(t, file, CertificateRefs), Attribute(t, file, RevocationRefs)))
}

// Type2 adds a time-stamp over the references.
func Type2(t testing.TB, file []byte, tsa *TSA) []byte {
	t.Helper()
	return Add(t, file, ReferencesTimeStamp, tsa.Token(t, Attribute(t, file, CertificateRefs), Attribute(t, file, RevocationRefs)))
}

// Archive adds an archive time-stamp of version 1 or 2.
func Archive(t testing.TB, file, document []byte, oid string, tsa *TSA) []byte {
	t.Helper()
	return Add(t, file, oid, tsa.Token(t, FileImprint(t, file, document, 0, true)))
}

// Indexed adds an archive time-stamp of version 3 with an index of a version.
func Indexed(t testing.TB, file, document []byte, version string, tsa *TSA) []byte {
	t.Helper()
	index := IndexOf(t, file, version, nil)
	token := tsa.Token(t, IndexedImprint(t, file, document, index))
	return Add(t, file, ArchiveV3, WithIndex(t, token, version, index))
}

// LongType1 makes CAdES-X Long Type 1 of a BES: the second stamp is of the same
// authority.
func LongType1(t testing.TB, file []byte, m Material, tsa *TSA) []byte {
	t.Helper()
	return Type1(t, Values(t, C(t, T(t, file, tsa), m), m), tsa)
}

// SignWith makes an attached BES with one more signed attribute.
func SignWith(t testing.TB, document []byte, h country.Holder, at time.Time, oid string, values ...[]byte) []byte {
	t.Helper()
	sd := Parse(t, Sign(t, document, false, h, at))
	s := sd.Signers[0]
	attributes := append(append([]byte{}, Content(s.RawSignedAttrs)...),
		Element(0x30, Element(0x06, OID(t, oid)), Element(0x31, values...))...)
	sum := streebog.Sum256(Element(0x31, attributes))
	value, err := h.Key.Sign(nil, sum[:], crypto.Hash(0))
	if err != nil {
		t.Fatal(err)
	}
	var fields [][]byte
	for _, raw := range Elements(signedFields(s.Raw)) {
		switch raw[0] {
		case 0xa0:
			raw = Element(0xa0, attributes)
		case 0x04:
			raw = Element(0x04, value)
		}
		fields = append(fields, raw)
	}
	return Rebuild(t, sd, func([][]byte) [][]byte { return [][]byte{Element(0x30, fields...)} })
}

// Content returns an element without its header.
func Content(raw []byte) []byte {
	var d der.Decoder
	r := d.Open(raw, der.Limits{Size: cms.MaxSize})
	_, _, content := r.Any()
	return content
}

// OldSignature makes an attached signature of GOST R 34.10-2001 with GOST R 34.11-94
// by a holder whose certificate has such a key: plain CMS.
func OldSignature(t testing.TB, document []byte, h country.Holder) []byte {
	t.Helper()
	return oldSigned(t, "1.2.840.113549.1.7.1", 1, document, h)
}

// OldToken makes a time-stamp token of another one with such a key.
func OldToken(t testing.TB, token []byte, h country.Holder) []byte {
	t.Helper()
	sum := sha256.Sum256(h.Cert.Raw)
	ess := Element(0x30, Element(0x30, Element(0x30, Element(0x04, sum[:])))) // SHA-256 is the default
	return oldSigned(t, "1.2.840.113549.1.9.16.1.4", 3, Parse(t, token).Content, h,
		Element(0x30, Element(0x06, OID(t, "1.2.840.113549.1.9.16.2.47")), Element(0x31, ess)))
}

func oldSigned(t testing.TB, contentType string, version byte, content []byte, h country.Holder, more ...[]byte) []byte {
	t.Helper()
	sum := gostr341194.New()
	sum.Write(content)
	data := Element(0x06, OID(t, contentType))
	attribute := func(oid string, value []byte) []byte {
		return Element(0x30, Element(0x06, OID(t, oid)), Element(0x31, value))
	}
	attributes := bytes.Join(append(more,
		attribute("1.2.840.113549.1.9.3", data), attribute("1.2.840.113549.1.9.4", Element(0x04, sum.Sum(nil)))), nil)
	sum.Reset()
	sum.Write(Element(0x31, attributes))
	value, err := h.Key.Sign(nil, sum.Sum(nil), crypto.Hash(0))
	if err != nil {
		t.Fatal(err)
	}
	digest := Element(0x30, Element(0x06, OID(t, "1.2.643.2.2.9")))
	signer := Element(0x30, Element(0x02, []byte{1}), Element(0x30, h.Cert.RawIssuer, Element(0x02, h.Cert.Serial)), digest,
		Element(0xa0, attributes), Element(0x30, Element(0x06, OID(t, "1.2.643.2.2.19"))), Element(0x04, value))
	return Element(0x30, Element(0x06, OID(t, "1.2.840.113549.1.7.2")), Element(0xa0, Element(0x30, Element(0x02, []byte{version}),
		Element(0x31, digest), Element(0x30, data, Element(0xa0, Element(0x04, content))),
		Element(0xa0, h.Cert.Raw), Element(0x31, signer))))
}
