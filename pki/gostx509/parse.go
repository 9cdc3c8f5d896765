package gostx509

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"errors"

	"propusk/pki/der"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// Limits of one certificate. The largest of 2,403 real CA certificates has 3 KiB,
// 17 extensions and 15 attributes in a name.
const (
	// MaxSize is the greatest length of a certificate in bytes. Without it one
	// request could hold as much memory as the largest upload.
	MaxSize = 64 << 10
	// MaxExtensions is the greatest number of extensions. The search for
	// duplicates takes quadratic time.
	MaxExtensions = 64
	// MaxAttributes is the greatest number of attributes in a name, of policies,
	// and of addresses in a list: each costs an allocation several times its size
	// in the input.
	MaxAttributes = 128
	// MaxSerial is the greatest length of a serial number in bytes: RFC 5280,
	// Section 4.1.2.2, allows 20, and one leading zero.
	MaxSerial = 21
)

// formError is a way in which DER fails to be a certificate.
type formError string

// Error implements error.
func (e formError) Error() string { return "gostx509: " + string(e) }

const (
	errVersion       formError = "version is not 1, 2 or 3, or is written out as the default"
	errSerial        formError = "serial number is too long"
	errAlgorithms    formError = "inner and outer signature algorithms differ"
	errUniqueID      formError = "unique identifiers or extensions in a certificate of an older version"
	errEmptyRDN      formError = "empty relative distinguished name"
	errOneExtension  formError = "extension occurs twice"
	errManyExtension formError = "too many extensions"
	errNoExtension   formError = "empty list of extensions"
	errManyValues    formError = "too many values in a list"
	errNoValue       formError = "empty list or string"
	errText          formError = "character outside the string type"
	errKeyUsage      formError = "keyUsage has no bit or an unknown one"
	errPathLen       formError = "path length in a certificate that is not of a CA"
	errAddress       formError = "IP address of a wrong length"
)

// Parse reads one certificate in DER; data must hold it and nothing else. The
// bytes are copied. A malformed certificate gives a *reason.Error with
// reason.CertMalformed or reason.CertTooLarge.
//
// A public key of an unknown kind, or one that is not a point of its curve, does
// not make the certificate malformed: it stays readable as evidence, with
// PublicKey nil and KeyError set, and no signature passes under it.
func Parse(data []byte) (*Certificate, error) {
	if len(data) > MaxSize {
		return nil, reason.Errorf(reason.CertTooLarge, "gostx509: %d bytes, at most %d are allowed", len(data), MaxSize)
	}
	raw := bytes.Clone(data)
	one := &struct { // one allocation
		Certificate
		kept derived
	}{Certificate{Raw: raw, MaxPathLen: -1}, derived{raw: raw}}
	one.derived = &one.kept
	p := parser{c: &one.Certificate, text: string(raw)}
	p.certificate(p.d.Open(raw, der.Limits{Size: MaxSize, Depth: 16, Elements: 4096}))
	if err := p.d.Err(); err != nil {
		return nil, reason.New(formCode(err), err)
	}
	p.publicKey()
	one.kept.tbs = p.c.RawTBS
	one.kept.issuer.name, one.kept.subject.name, one.kept.isCA = p.c.Issuer, p.c.Subject, p.c.IsCA
	return p.c, nil
}

// ParseAny is Parse for a certificate in DER, in PEM with the label CERTIFICATE
// or X509 CERTIFICATE, or in bare base64.
func ParseAny(data []byte) (*Certificate, error) {
	raw, err := der.Decode(data, "CERTIFICATE", "X509 CERTIFICATE")
	if err != nil {
		return nil, reason.New(formCode(err), err)
	}
	return Parse(raw)
}

func formCode(err error) reason.Code {
	for _, limit := range []error{der.ErrTooLarge, der.ErrTooDeep, der.ErrTooMany, errSerial, errManyExtension, errManyValues} {
		if errors.Is(err, limit) {
			return reason.CertTooLarge
		}
	}
	return reason.CertMalformed
}

// parser reads one certificate. Errors stick in d.
type parser struct {
	d    der.Decoder
	c    *Certificate
	text string // the same bytes as c.Raw: texts are parts of it, not copies
}

// certificate reads Certificate: RFC 5280, Section 4.1.
func (p *parser) certificate(input der.Reader) {
	cert := input.Sequence()
	input.End()

	p.c.RawTBS = cert.RawTag(der.TagSequence)
	algorithm := cert.RawTag(der.TagSequence)
	p.c.Signature = cert.BitOctets()
	cert.End()

	outer := input.Inside(algorithm)
	p.c.SignatureAlgorithm = sigalg.Read(&outer)
	tbs := input.Inside(p.c.RawTBS)
	p.tbsCertificate(tbs.Sequence(), algorithm)
}

// tbsCertificate reads TBSCertificate: RFC 5280, Section 4.1.2.
func (p *parser) tbsCertificate(tbs der.Reader, algorithm []byte) {
	c := p.c
	c.Version = p.version(&tbs)
	if c.Serial = tbs.Integer(); len(c.Serial) > MaxSerial {
		tbs.Fail(errSerial)
	}
	if inner := tbs.RawTag(der.TagSequence); !bytes.Equal(inner, algorithm) {
		tbs.Fail(errAlgorithms)
	}
	c.RawIssuer = tbs.RawTag(der.TagSequence)
	validity := tbs.Sequence()
	c.NotBefore, c.NotAfter = validity.Time(), validity.Time()
	validity.End()
	c.RawSubject = tbs.RawTag(der.TagSequence)
	c.RawSPKI = tbs.RawTag(der.TagSequence)
	p.uniqueIDs(&tbs)
	if tbs.Peek(der.Constructed(3)) {
		p.extensions(tbs.Enter(der.Constructed(3)))
	}
	tbs.End()

	p.keyInfo(tbs.Inside(c.RawSPKI))
	c.Issuer = p.name(tbs.Inside(c.RawIssuer))
	c.Subject = p.name(tbs.Inside(c.RawSubject))
}

// version reads the version; the default, 1, must not be written out.
func (p *parser) version(tbs *der.Reader) int {
	if !tbs.Peek(der.Constructed(0)) {
		return 1
	}
	explicit := tbs.Enter(der.Constructed(0))
	v := explicit.Int(2)
	explicit.End()
	if v == 0 {
		tbs.Fail(errVersion)
	}
	return v + 1
}

// uniqueIDs passes over the unique identifiers of version 2, which RFC 5280,
// Section 4.1.2.8, tells to parse and not to use.
func (p *parser) uniqueIDs(tbs *der.Reader) {
	old := tbs.Skip(der.Context(1))
	old = tbs.Skip(der.Context(2)) || old
	if old && p.c.Version < 2 || tbs.Peek(der.Constructed(3)) && p.c.Version < 3 {
		tbs.Fail(errUniqueID)
	}
}

// string returns the text of a part of c.Raw without a copy: both have the same
// bytes at the same places.
func (p *parser) string(part []byte) string {
	start := cap(p.c.Raw) - cap(part)
	return p.text[start : start+len(part)]
}

// AcceptsDigest reports whether the key of c may sign digests of the given
// algorithm: a GOST key of 2001 those of GOST R 34.11-94 and no others, a key of
// 2012 none of those (RFC 4490, Section 3.2; RFC 9215, Section 2). Once they are
// read, keys of both kinds look the same, so the signature check alone cannot tell.
func (c *Certificate) AcceptsDigest(digest asn1.ObjectIdentifier) bool {
	return c.PublicKeyAlgorithm.Algorithm.Equal(sigalg.OIDKeyGOST2001) == digest.Equal(sigalg.OIDGOST94)
}

// CheckSignatureFrom reports whether issuer made the signature of c. It is
// CheckSignature with the key of issuer, and reason.CertAlgorithm when the key may
// not be used so; see AcceptsDigest. Nothing else about issuer is checked.
func (c *Certificate) CheckSignatureFrom(issuer *Certificate) error {
	return c.CheckSignatureWith(sigalg.Verifier{}, issuer)
}

// CheckSignatureWith is CheckSignatureFrom with a verifier that may know the key
// of issuer, or have another engine, whose errors are those of sigalg.EngineFailure.
func (c *Certificate) CheckSignatureWith(v sigalg.Verifier, issuer *Certificate) error {
	digest, err := sigalg.DigestOf(c.SignatureAlgorithm)
	if err != nil {
		return reason.New(reason.CertAlgorithm, err)
	}
	if issuer.PublicKey != nil && !issuer.AcceptsDigest(digest) {
		return reason.Errorf(reason.CertAlgorithm, "gostx509: a key of kind %v and the digest %v", issuer.PublicKeyAlgorithm.Algorithm, digest)
	}
	return c.checkSignature(v, issuer.PublicKey)
}

// CheckSignature reports whether issuerKey made the signature of c. It returns
// nil, or a *reason.Error: reason.CertSignatureBad when the signature does not
// match, reason.CertAlgorithm when the algorithm is forbidden or unknown or does
// not fit the key, reason.CertKeyUnsupported when issuerKey is nil.
func (c *Certificate) CheckSignature(issuerKey crypto.PublicKey) error {
	return c.checkSignature(sigalg.Verifier{}, issuerKey)
}

func (c *Certificate) checkSignature(v sigalg.Verifier, issuerKey crypto.PublicKey) error {
	if issuerKey == nil {
		return reason.Errorf(reason.CertKeyUnsupported, "gostx509: the issuer's public key is of an unknown kind")
	}
	err := c.verify(v, issuerKey)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sigalg.ErrSignature):
		return reason.New(reason.CertSignatureBad, err)
	case sigalg.EngineFailed(err):
		return sigalg.EngineFailure(err)
	default:
		return reason.New(reason.CertAlgorithm, err)
	}
}

// verify is the mathematics of checkSignature.
func (c *Certificate) verify(v sigalg.Verifier, issuerKey crypto.PublicKey) error {
	if sum := c.digestTBS(); sum != nil {
		if id, err := sigalg.DigestOf(c.SignatureAlgorithm); err == nil && id.Equal(sigalg.OIDStreebog256) {
			return v.VerifyDigestWith(c.SignatureAlgorithm, id, issuerKey, sum, c.Signature)
		}
	}
	return v.Verify(c.SignatureAlgorithm, issuerKey, c.RawTBS, c.Signature)
}
