package gostx509

import (
	"crypto"
	"encoding/asn1"
	"io"
	"net/netip"
	"time"

	"propusk/gost/spki"
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
	// IA5String for e-mail, UTF8String for the rest.
	Subject Name

	NotBefore time.Time
	NotAfter  time.Time

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
	IdentificationKind IdentificationKind
	PrivateKeyUsage    PrivateKeyUsage

	// Extra holds further extensions, written as they are after the others.
	Extra []Extension

	// Critical and NonCritical change the critical flag of extensions made from
	// the fields above. By default basicConstraints and keyUsage are critical.
	Critical    []asn1.ObjectIdentifier
	NonCritical []asn1.ObjectIdentifier

	// PublicKeyAlgorithm overrides the identifier of a GOST key, to choose
	// between equivalent parameter sets. Zero means spki.DefaultAlgorithm.
	PublicKeyAlgorithm spki.AlgorithmIdentifier

	// SignatureAlgorithm overrides the identifier of the signature, to make bad
	// certificates in tests. Zero means the right one for the signer's key.
	SignatureAlgorithm sigalg.AlgorithmIdentifier
}

// Create makes a certificate for pub, signed by signer, whose certificate is
// issuer; a nil issuer makes a self-signed certificate. It returns the DER.
// A nil rand means crypto/rand.
func Create(rand io.Reader, t Template, issuer *Certificate, pub crypto.PublicKey, signer crypto.Signer) ([]byte, error) {
	panic("TODO")
}
