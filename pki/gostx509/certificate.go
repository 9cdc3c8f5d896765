// Package gostx509 reads and makes X.509 certificates as Russian certification
// authorities issue them: RFC 5280 with the keys and signatures of RFC 9215, the
// subject attributes and extensions of приказ ФСБ России № 795.
//
// Package crypto/x509 refuses 33 of 2,403 real certificates of accredited CAs.
// This parser reads them all, and is strict about everything else; each thing it
// tolerates is listed in pki/DIVERGENCES.md. A parsed certificate has passed no
// check of trust: see packages path, qualified and validate.
package gostx509

import (
	"bytes"
	"crypto"
	"crypto/sha1" // as a name of certificates
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"propusk/gost/spki"
	"propusk/gost/streebog"
	"propusk/pki/person"
	"propusk/pki/sigalg"
)

// A Certificate is one parsed certificate. All byte slices point into Raw, which
// belongs to the certificate; nothing may be modified. A Certificate may be used
// by several goroutines at once.
type Certificate struct {
	Raw        []byte // the whole DER, exactly as it was given
	RawTBS     []byte // the signed part, with its header
	RawIssuer  []byte // the Name of the issuer, with its header
	RawSubject []byte // the Name of the subject, with its header
	RawSPKI    []byte // SubjectPublicKeyInfo, with its header

	Version int // 1, 2 or 3

	// Serial is the content of the serialNumber INTEGER as it is encoded: big
	// endian, two's complement, with a leading zero octet when the top bit of
	// the number is set. Compare it only with the same form, as der.Reader.Integer
	// returns it.
	Serial []byte

	Issuer  Name
	Subject Name

	NotBefore time.Time // inclusive, UTC
	NotAfter  time.Time // inclusive, UTC

	// PublicKey is *gost3410.PublicKey, *rsa.PublicKey or *ecdsa.PublicKey. It is
	// nil when the key is of a kind we do not handle or is not a valid key;
	// KeyError then says why.
	PublicKey crypto.PublicKey
	// KeyError says why PublicKey is nil; it is nil otherwise.
	KeyError error
	// PublicKeyAlgorithm is the identifier of the key; for GOST keys with the
	// parameter sets. For other keys only Algorithm and Raw are set.
	PublicKeyAlgorithm spki.AlgorithmIdentifier

	SignatureAlgorithm sigalg.AlgorithmIdentifier
	Signature          []byte // the bits of signatureValue

	// Extensions holds all extensions in order, the known ones too.
	Extensions []Extension
	// UnhandledCritical holds the critical extensions that this package does not
	// read. RFC 5280, Section 4.2: a certificate with any must be refused, unless
	// the caller processes them all.
	UnhandledCritical []asn1.ObjectIdentifier

	IsCA       bool // basicConstraints cA
	MaxPathLen int  // pathLenConstraint, -1 when there is none

	KeyUsage    KeyUsage                // zero when the extension is absent
	ExtKeyUsage []asn1.ObjectIdentifier // nil when the extension is absent
	Policies    []asn1.ObjectIdentifier // policy identifiers, without qualifiers

	SubjectKeyID   []byte         // nil when absent
	AuthorityKeyID AuthorityKeyID // zero when absent

	CRLDistributionPoints []string // URLs, in order
	OCSPServers           []string // URLs of id-ad-ocsp
	CAIssuers             []string // URLs of id-ad-caIssuers

	DNSNames       []string     // subjectAltName
	EmailAddresses []string     // subjectAltName
	IPAddresses    []netip.Addr // subjectAltName

	SubjectSignTool    string              // "" when absent
	IssuerSignTool     *IssuerSignTool     // nil when absent
	IdentificationKind *IdentificationKind // nil when absent
	PrivateKeyUsage    PrivateKeyUsage     // zero when absent

	derived *derived // nil in a certificate that Parse did not make
}

// derived is what follows from the bytes of a certificate, computed when it is asked
// for: most certificates are judged more than once.
type derived struct {
	raw []byte // what it follows from

	sha256   sync.Once
	sum      [sha256.Size]byte
	streebog sync.Once
	sum2012  [streebog.Size256]byte
	hashed   atomic.Bool            // streebog is done
	tbs      []byte                 // RawTBS
	tbs2012  [streebog.Size256]byte // of tbs
	sha1     sync.Once
	sum1     [sha1.Size]byte

	issuer, subject writtenName

	// The holder follows from these, which may be replaced in a copy.
	isCA   bool
	holder sync.Once
	who    person.Identity
	whoErr error
}

// writtenName is a name and its text.
type writtenName struct {
	name  Name
	write sync.Once
	text  string
}

// is reports whether name is that very one: in a copy of a certificate it may have been
// replaced.
func (w *writtenName) is(name Name) bool {
	return len(name) > 0 && len(name) == len(w.name) && &name[0] == &w.name[0]
}

// of returns the text of a name.
func (w *writtenName) of(name Name) string {
	if !w.is(name) {
		return name.String()
	}
	w.write.Do(func() { w.text = w.name.String() })
	return w.text
}

// known returns what follows from Raw, and nil when there is nothing to keep it in: in
// a certificate that was put together by hand, or a copy whose fields were replaced.
func (c *Certificate) known() *derived {
	d := c.derived
	if d == nil || len(c.Raw) != len(d.raw) || &c.Raw[0] != &d.raw[0] {
		return nil
	}
	return d
}

// AuthorityKeyID is the extension authorityKeyIdentifier (RFC 5280, Section
// 4.2.1.1). Any part may be absent.
type AuthorityKeyID struct {
	KeyID     []byte // nil when absent
	RawIssuer []byte // the DER Name of the first directoryName, nil when absent
	Serial    []byte // as Certificate.Serial, nil when absent
}

// Extension is one extension as it stands in the certificate.
type Extension struct {
	ID       asn1.ObjectIdentifier
	Critical bool
	Value    []byte // the content of the OCTET STRING
}

// IssuerSignTool is the extension of the same name (приказ ФСБ России № 795):
// names of the CA's tools and of their conformity documents.
type IssuerSignTool struct {
	SignTool     string // the tool that made the CA's key
	CATool       string // the CA software
	SignToolCert string // conformity document of the first
	CAToolCert   string // conformity document of the second
}

// IdentificationKind says how the CA identified the applicant (extension
// 1.2.643.100.114). It is the number in the certificate, known or not.
type IdentificationKind int

// The known kinds of identification.
const (
	IdentificationPersonal      IdentificationKind = 0 // in person
	IdentificationByCertificate IdentificationKind = 1 // remotely, by a qualified certificate
	IdentificationByPassport    IdentificationKind = 2 // remotely, by a passport with a chip
	IdentificationBySystem      IdentificationKind = 3 // remotely, by ЕСИА and ЕБС
)

// Known reports whether the kind is one of those above.
func (k IdentificationKind) Known() bool {
	return IdentificationPersonal <= k && k <= IdentificationBySystem
}

// PrivateKeyUsage is the extension privateKeyUsagePeriod (RFC 3280, Section
// 4.2.1.4). A bound that is absent is the zero time.
type PrivateKeyUsage struct {
	NotBefore time.Time // inclusive, UTC
	NotAfter  time.Time // inclusive, UTC
}

// IsZero reports whether the extension is absent.
func (p PrivateKeyUsage) IsZero() bool { return p.NotBefore.IsZero() && p.NotAfter.IsZero() }

// KeyUsage is the set of bits of RFC 5280, Section 4.2.1.3; bit n of the
// standard is 1<<n, as in crypto/x509.
type KeyUsage uint16

// The bits of KeyUsage.
const (
	KeyUsageDigitalSignature KeyUsage = 1 << iota
	KeyUsageNonRepudiation
	KeyUsageKeyEncipherment
	KeyUsageDataEncipherment
	KeyUsageKeyAgreement
	KeyUsageCertSign
	KeyUsageCRLSign
	KeyUsageEncipherOnly
	KeyUsageDecipherOnly
)

// SHA256 returns the fingerprint of the whole certificate. It is computed once.
func (c *Certificate) SHA256() [sha256.Size]byte {
	d := c.known()
	if d == nil {
		return sha256.Sum256(c.Raw)
	}
	d.sha256.Do(func() { d.sum = sha256.Sum256(d.raw) })
	return d.sum
}

// Streebog256 returns the digest of the whole certificate by which Russian signatures
// name it. It is computed once.
func (c *Certificate) Streebog256() [streebog.Size256]byte {
	d := c.known()
	if d == nil {
		return streebog.Sum256(c.Raw)
	}
	d.hash()
	return d.sum2012
}

// hash computes both digests: who names a certificate by the one will need the other to
// check its signature, and two messages at once take little longer than one.
func (d *derived) hash() {
	d.streebog.Do(func() {
		sums := streebog.Sums256([][]byte{d.raw, d.tbs})
		d.sum2012, d.tbs2012 = sums[0], sums[1]
		d.hashed.Store(true)
	})
}

// digestTBS returns the Streebog-256 of RawTBS if it was computed on the way, or nil.
func (c *Certificate) digestTBS() []byte {
	d := c.known()
	if d == nil || !d.hashed.Load() || len(c.RawTBS) != len(d.tbs) || &c.RawTBS[0] != &d.tbs[0] {
		return nil
	}
	return d.tbs2012[:]
}

// SHA1 returns the SHA-1 of the whole certificate, by which the list of accredited CAs
// and many programs name it. It is computed once. It is no proof of anything.
func (c *Certificate) SHA1() [sha1.Size]byte {
	d := c.known()
	if d == nil {
		return sha1.Sum(c.Raw)
	}
	d.sha1.Do(func() { d.sum1 = sha1.Sum(d.raw) })
	return d.sum1
}

// SubjectText returns Subject.String(), which is computed once.
func (c *Certificate) SubjectText() string {
	if d := c.known(); d != nil {
		return d.subject.of(c.Subject)
	}
	return c.Subject.String()
}

// IssuerText returns Issuer.String(), which is computed once.
func (c *Certificate) IssuerText() string {
	if d := c.known(); d != nil {
		return d.issuer.of(c.Issuer)
	}
	return c.Issuer.String()
}

// String returns the fingerprint, so that printing a certificate names it without
// the personal data inside.
func (c *Certificate) String() string {
	sum := c.SHA256()
	return "certificate sha256:" + hex.EncodeToString(sum[:])
}

// MarshalText implements encoding.TextMarshaler with the fingerprint, for logs in
// JSON.
func (c *Certificate) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Equal reports whether both are the same certificate, byte for byte.
func (c *Certificate) Equal(other *Certificate) bool {
	return c != nil && other != nil && bytes.Equal(c.Raw, other.Raw)
}

// Extension returns the extension with the given OID.
func (c *Certificate) Extension(id asn1.ObjectIdentifier) (Extension, bool) {
	for _, e := range c.Extensions {
		if e.ID.Equal(id) {
			return e, true
		}
	}
	return Extension{}, false
}
