package gostx509

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha1" // key identifiers only: RFC 5280, Section 4.2.1.2
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/gost/gost3410"
	"propusk/gost/spki"
	"propusk/pki/der"
	"propusk/pki/sigalg"
)

// Template says what Create puts into a certificate. Zero fields are left out
// unless the field says otherwise.
type Template struct {
	// Serial is the serial number as a big-endian magnitude, up to 20 bytes.
	// When empty, 16 random bytes are taken.
	Serial []byte

	// Subject holds the attributes in order, each in its own RDN unless SameRDN
	// is set. Tag zero means the right type for the attribute: NumericString for
	// Russian identifiers, PrintableString for country and serialNumber,
	// IA5String for e-mail, a SEQUENCE of the lines between ", " for postalAddress,
	// UTF8String for the rest.
	Subject Name

	NotBefore time.Time // in whole seconds; the rest is cut off
	NotAfter  time.Time // in whole seconds; the rest is cut off

	IsCA       bool
	MaxPathLen int // for a CA; negative means no limit

	KeyUsage    KeyUsage
	ExtKeyUsage []asn1.ObjectIdentifier
	Policies    []asn1.ObjectIdentifier

	// SubjectKeyID, when empty, is the SHA-1 of the key bits (RFC 5280, Section
	// 4.2.1.2, method 1).
	SubjectKeyID []byte

	CRLDistributionPoints []string
	OCSPServers           []string
	CAIssuers             []string

	DNSNames       []string
	EmailAddresses []string
	IPAddresses    []netip.Addr

	SubjectSignTool    string
	IssuerSignTool     *IssuerSignTool
	IdentificationKind *IdentificationKind // nil: none
	PrivateKeyUsage    PrivateKeyUsage

	// Extra holds further extensions, written as they are after the others.
	Extra []Extension

	// Critical and NonCritical change the critical flag of extensions made from
	// the fields above. By default basicConstraints and keyUsage are critical.
	Critical    []asn1.ObjectIdentifier
	NonCritical []asn1.ObjectIdentifier

	// PublicKeyAlgorithm overrides the identifier of a GOST key, to choose
	// between equivalent parameter sets: take it from spki.AlgorithmFor. Zero
	// means spki.DefaultAlgorithm.
	PublicKeyAlgorithm spki.AlgorithmIdentifier

	// SignatureAlgorithm overrides the identifier of the signature. If package
	// sigalg does not know it, the signature is made with the right algorithm for
	// the key under the wrong name: that makes bad certificates for tests. Zero
	// means the right one.
	SignatureAlgorithm sigalg.AlgorithmIdentifier
}

var (
	errIssuerKey  = errors.New("gostx509: the signer's key is not the issuer's")
	errDates      = errors.New("gostx509: NotAfter is before NotBefore")
	errLongSerial = errors.New("gostx509: the serial number is longer than 20 bytes")
)

// Create makes a certificate for pub, signed by signer, whose certificate is
// issuer; a nil issuer makes a self-signed certificate. It returns the DER.
// A nil random means crypto/rand.
//
// The issuer's name, and the three parts of authorityKeyIdentifier, come from
// the certificate of the issuer as they are. Nothing else about the issuer is
// checked but its key, so that bad chains can be made for tests.
func Create(random io.Reader, t Template, issuer *Certificate, pub crypto.PublicKey, signer crypto.Signer) ([]byte, error) {
	if random == nil {
		random = rand.Reader
	}
	if err := checkIssuer(issuer, pub, signer); err != nil {
		return nil, err
	}
	if t.NotAfter.Before(t.NotBefore) {
		return nil, errDates
	}
	algorithm, err := t.signatureAlgorithm(signer.Public())
	if err != nil {
		return nil, err
	}
	tbs, err := t.tbsCertificate(random, issuer, pub, algorithm)
	if err != nil {
		return nil, err
	}
	sig, err := t.sign(random, signer, tbs)
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		b.AddBytes(algorithm)
		b.AddASN1BitString(sig)
	})
	return b.Bytes()
}

// checkIssuer makes sure that the signature will verify under the key of issuer,
// or, when there is none, under pub.
func checkIssuer(issuer *Certificate, pub crypto.PublicKey, signer crypto.Signer) error {
	want := pub
	if issuer != nil {
		want = issuer.PublicKey
	}
	key, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || want == nil || !key.Equal(want) {
		return errIssuerKey
	}
	return nil
}

// signatureAlgorithm returns the DER of the identifier to write.
func (t *Template) signatureAlgorithm(signer crypto.PublicKey) ([]byte, error) {
	if !t.SignatureAlgorithm.IsZero() {
		return t.SignatureAlgorithm.Marshal()
	}
	alg, err := sigalg.Suits(signer)
	if err != nil {
		return nil, err
	}
	return alg.Marshal()
}

// sign signs with the algorithm of the template if it can be computed.
func (t *Template) sign(random io.Reader, signer crypto.Signer, tbs []byte) ([]byte, error) {
	if !t.SignatureAlgorithm.IsZero() {
		if sig, err := sigalg.SignWith(random, t.SignatureAlgorithm, signer, tbs); err == nil {
			return sig, nil
		}
	}
	_, sig, err := sigalg.Sign(random, signer, tbs)
	return sig, err
}

// tbsCertificate writes TBSCertificate: RFC 5280, Section 4.1.2.
func (t *Template) tbsCertificate(random io.Reader, issuer *Certificate, pub crypto.PublicKey, algorithm []byte) ([]byte, error) {
	serial, err := t.serial(random)
	if err != nil {
		return nil, err
	}
	subject, err := t.Subject.Marshal()
	if err != nil {
		return nil, err
	}
	key, err := t.publicKey(pub)
	if err != nil {
		return nil, err
	}
	extensions, err := t.extensions(issuer, key)
	if err != nil {
		return nil, err
	}
	issuerName := subject
	if issuer != nil {
		issuerName = issuer.RawSubject
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1Int64(2) })
		b.AddASN1(cbasn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(serial) })
		b.AddBytes(algorithm)
		b.AddBytes(issuerName)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addTime(b, t.NotBefore)
			addTime(b, t.NotAfter)
		})
		b.AddBytes(subject)
		b.AddBytes(key)
		addExtensions(b, extensions)
	})
	return b.Bytes()
}

// addTime writes UTCTime up to 2049 and GeneralizedTime from 2050 on: RFC 5280,
// Section 4.1.2.5.
func addTime(b *cryptobyte.Builder, at time.Time) {
	at = at.UTC().Truncate(time.Second)
	if 1950 <= at.Year() && at.Year() < 2050 {
		b.AddASN1UTCTime(at)
		return
	}
	b.AddASN1GeneralizedTime(at)
}

// serial returns the content of the INTEGER: positive and minimal.
func (t *Template) serial(random io.Reader) ([]byte, error) {
	magnitude := bytes.TrimLeft(t.Serial, "\x00")
	if len(magnitude) > 20 {
		return nil, errLongSerial
	}
	if len(t.Serial) == 0 {
		magnitude = make([]byte, 16)
		if _, err := io.ReadFull(random, magnitude); err != nil {
			return nil, fmt.Errorf("gostx509: random serial number: %w", err)
		}
		magnitude[0] = magnitude[0]&0x7F | 0x40 // positive and always 16 bytes
	}
	if len(magnitude) == 0 || magnitude[0] >= 0x80 {
		return append([]byte{0}, magnitude...), nil
	}
	return magnitude, nil
}

// publicKey returns the DER of SubjectPublicKeyInfo.
func (t *Template) publicKey(pub crypto.PublicKey) ([]byte, error) {
	key, ok := pub.(*gost3410.PublicKey)
	if !ok {
		return x509.MarshalPKIXPublicKey(pub)
	}
	algorithm := t.PublicKeyAlgorithm
	if len(algorithm.Algorithm) == 0 {
		algorithm = spki.DefaultAlgorithm(key.Curve())
	}
	return spki.Marshal(algorithm, key)
}

// keyID returns the SHA-1 of the key bits in a SubjectPublicKeyInfo.
func keyID(info []byte) ([]byte, error) {
	var d der.Decoder
	input := d.Open(info, der.Limits{})
	seq := input.Sequence()
	seq.Sequence()
	bits := seq.BitOctets()
	if err := d.Err(); err != nil {
		return nil, err
	}
	sum := sha1.Sum(bits)
	return sum[:], nil
}

// critical says whether an extension made from the template is critical.
func (t *Template) critical(id asn1.ObjectIdentifier, standard bool) bool {
	is := func(other asn1.ObjectIdentifier) bool { return other.Equal(id) }
	switch {
	case slices.ContainsFunc(t.Critical, is):
		return true
	case slices.ContainsFunc(t.NonCritical, is):
		return false
	default:
		return standard
	}
}
