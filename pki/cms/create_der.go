package cms

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/pki/der"
	"propusk/pki/sigalg"
)

// message is a SignedData to be written. Each element is DER with its header.
type message struct {
	version      int64
	digests      [][]byte // AlgorithmIdentifier
	content      []byte   // EncapsulatedContentInfo
	certificates [][]byte // CertificateChoices
	crls         [][]byte // RevocationInfoChoice
	signers      [][]byte // SignerInfo

	// namedOnly says that certificates of signatories are not included of themselves.
	namedOnly bool
}

// encapsulate writes EncapsulatedContentInfo of data: RFC 5652, Section 5.2. The
// eContent is absent when the document is nil.
func encapsulate(document []byte) ([]byte, error) {
	b := cryptobyte.NewBuilder(make([]byte, 0, len(document)+64))
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addOID(b, oidData)
		if document != nil {
			b.AddASN1(cbasn1.Tag(der.Constructed(0)), func(b *cryptobyte.Builder) { b.AddASN1OctetString(document) })
		}
	})
	return b.Bytes()
}

// add puts in a signature with what belongs to it: its digest algorithm and its
// certificates, unless they are there.
func (m *message) add(info []byte, s *Signatory) error {
	digest, _, err := s.algorithms()
	if err != nil {
		return err
	}
	if !lists(m.digests, digest) {
		raw, err := digest.Marshal()
		if err != nil {
			return err
		}
		m.digests = append(m.digests, raw)
	}
	if !m.namedOnly {
		m.include(s.Certificate.Raw)
	}
	for _, cert := range s.Chain {
		m.include(cert.Raw)
	}
	m.signers = append(m.signers, info)
	return nil
}

// lists reports whether a digest algorithm is among those of a message, with
// parameters NULL or without any.
func lists(digests [][]byte, id sigalg.AlgorithmIdentifier) bool {
	return slices.ContainsFunc(digests, func(raw []byte) bool {
		var d der.Decoder
		r := d.Open(raw, derLimits)
		known := sigalg.Read(&r)
		return d.Err() == nil && known.Algorithm.Equal(id.Algorithm)
	})
}

// include puts in a certificate, once.
func (m *message) include(cert []byte) {
	if !slices.ContainsFunc(m.certificates, func(have []byte) bool { return bytes.Equal(have, cert) }) {
		m.certificates = append(m.certificates, cert)
	}
}

// marshal writes ContentInfo with the SignedData: RFC 5652, Sections 3 and 5.1.
func (m *message) marshal() ([]byte, error) {
	b := cryptobyte.NewBuilder(make([]byte, 0, m.size()))
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addOID(b, oidSignedData)
		b.AddASN1(cbasn1.Tag(der.Constructed(0)), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(m.version)
				addSet(b, der.TagSet, m.digests)
				b.AddBytes(m.content)
				if len(m.certificates) > 0 {
					addSet(b, der.Constructed(0), m.certificates)
				}
				if len(m.crls) > 0 {
					addSet(b, der.Constructed(1), m.crls)
				}
				addSet(b, der.TagSet, m.signers)
			})
		})
	})
	return b.Bytes()
}

// size returns the length of the whole message in bytes or a little more, so that a
// long document is copied once.
func (m *message) size() int {
	const headers = 128
	n := headers + len(m.content)
	for _, raw := range slices.Concat(m.digests, m.certificates, m.crls, m.signers) {
		n += len(raw)
	}
	return n
}

// signerInfo writes SignerInfo: RFC 5652, Section 5.3. The attributes are in the
// form that was signed, a SET; inside they have the tag [0].
func (s *Signatory) signerInfo(digest, signature sigalg.AlgorithmIdentifier, attributes, value []byte) ([]byte, error) {
	digestRaw, err := digest.Marshal()
	if err != nil {
		return nil, err
	}
	signatureRaw, err := signature.Marshal()
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1) // issuerAndSerialNumber
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(s.Certificate.RawIssuer)
			b.AddASN1(cbasn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(s.Certificate.Serial) })
		})
		b.AddBytes(digestRaw)
		b.AddUint8(uint8(der.Constructed(0)))
		b.AddBytes(attributes[1:])
		b.AddBytes(signatureRaw)
		b.AddASN1OctetString(value)
	})
	return b.Bytes()
}

// signedValue is one signed attribute with one value, to be written.
type signedValue struct {
	oid   string
	write func(*cryptobyte.Builder)
}

// attributes writes the signed attributes of CAdES-BES or -EPES as a SET in DER,
// which is what is signed: RFC 5652, Section 5.4; ETSI EN 319 122-1, Section 5.2. A
// nil type of content is that of a counter-signature, which has no such attribute:
// RFC 5652, Section 11.4.
func (s *Signatory) attributes(contentType []byte, digest sigalg.AlgorithmIdentifier, sum []byte) ([]byte, error) {
	signer, err := s.signingCertificate(digest)
	if err != nil {
		return nil, err
	}
	values := []signedValue{
		{oidMessageDigest, func(b *cryptobyte.Builder) { b.AddASN1OctetString(sum) }},
		{oidSigningCertificateV2, func(b *cryptobyte.Builder) { b.AddBytes(signer) }},
	}
	if contentType != nil {
		values = append(values, signedValue{oidContentType, func(b *cryptobyte.Builder) { addOID(b, string(contentType)) }})
	}
	if !s.Time.IsZero() {
		values = append(values, signedValue{oidSigningTime, s.addTime})
	}
	if s.Description != "" {
		values = append(values, signedValue{oidContentHints, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(s.Description)) })
				addOID(b, oidData)
			})
		}})
	}
	if s.Policy != nil {
		values = append(values, signedValue{oidSignaturePolicy, s.Policy.add})
	}
	var all [][]byte
	for _, v := range values {
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addOID(b, v.oid)
			b.AddASN1(cbasn1.SET, v.write)
		})
		raw, err := b.Bytes()
		if err != nil {
			return nil, err
		}
		all = append(all, raw)
	}
	var b cryptobyte.Builder
	addSet(&b, der.TagSet, all)
	return b.Bytes()
}

// addTime writes Time: UTCTime from 1950 to 2049, GeneralizedTime in other years
// (RFC 5652, Section 11.3).
func (s *Signatory) addTime(b *cryptobyte.Builder) {
	at := s.Time.UTC().Truncate(time.Second)
	if 1950 <= at.Year() && at.Year() < 2050 {
		b.AddASN1UTCTime(at)
		return
	}
	b.AddASN1GeneralizedTime(at)
}

// check refuses a policy that says nothing. Nil is right: there is none.
func (p *Policy) check() error {
	if p == nil {
		return nil
	}
	h, err := sigalg.NewHash(p.Algorithm)
	if err != nil || len(p.ID) == 0 || len(p.Hash) != h.Size() || !isASCII(p.URL) {
		return errors.Join(errPolicy, err)
	}
	return nil
}

// isASCII reports whether a text fits into an IA5String.
func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
}

// add writes SignaturePolicyId: RFC 5126, Section 5.8.1.
func (p *Policy) add(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(p.ID)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // OtherHashAlgAndValue
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(p.Algorithm) })
			b.AddASN1OctetString(p.Hash)
		})
		if p.URL == "" {
			return
		}
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // sigPolicyQualifiers
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				addOID(b, oidPolicyURI)
				b.AddASN1(cbasn1.IA5String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(p.URL)) })
			})
		})
	})
}

// signingCertificate writes SigningCertificateV2 with the certificate of the
// signatory alone: RFC 5035, Section 3. The hash is the one of the signature, so
// that the weakest algorithm involved is Streebog.
func (s *Signatory) signingCertificate(digest sigalg.AlgorithmIdentifier) ([]byte, error) {
	id, err := digest.Marshal()
	if err != nil {
		return nil, err
	}
	h, err := sigalg.NewHash(digest.Algorithm)
	if err != nil {
		return nil, err
	}
	h.Write(s.Certificate.Raw)
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // SigningCertificateV2
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // certs
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // ESSCertIDv2
				b.AddBytes(id)
				b.AddASN1OctetString(h.Sum(nil))
				b.AddASN1(cbasn1.SEQUENCE, s.addIssuerSerial)
			})
		})
	})
	return b.Bytes()
}

// addIssuerSerial writes the fields of IssuerSerial: RFC 5035, Section 5.
func (s *Signatory) addIssuerSerial(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // GeneralNames
		b.AddASN1(cbasn1.Tag(der.Constructed(4)), func(b *cryptobyte.Builder) { b.AddBytes(s.Certificate.RawIssuer) })
	})
	b.AddASN1(cbasn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(s.Certificate.Serial) })
}

// addSet writes a SET OF under a tag, in the order of DER: X.690, Section 11.6.
func addSet(b *cryptobyte.Builder, tag der.Tag, elements [][]byte) {
	sorted := slices.Clone(elements)
	slices.SortFunc(sorted, bytes.Compare)
	b.AddASN1(cbasn1.Tag(tag), func(b *cryptobyte.Builder) {
		for _, raw := range sorted {
			b.AddBytes(raw)
		}
	})
}

// addOID writes an identifier given as its content.
func addOID(b *cryptobyte.Builder, content string) {
	b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(content)) })
}
