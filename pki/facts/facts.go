// Package facts remembers what stays true for ever: that a certificate, byte for
// byte, carries a good signature of a key. It also keeps the certificates that it
// knows in parsed form, and tables of multiples of the keys that come back. That is
// most of what a verdict costs.
//
// Dates, revocation, accreditation and rules are never remembered: each verdict asks
// about them anew. Nor is anything bad: a signature that does not match is checked
// again every time.
//
// Only what was signed by a CA of the trust data is worth to be told to a [Memory].
// Whoever sends certificates can make up CAs without number, and would otherwise
// drive out what is useful.
package facts

import (
	"bytes"
	"crypto/sha256"
	"hash/maphash"
	"unique"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/pki/sigalg"
)

// The bounds of a Memory. Together they are about 30 MB when it is full, and 60 MB
// if all keys have 512 bits.
const (
	// maxSignatures is how many signatures are remembered, of some 150 bytes each:
	// about as many people as sign in within a day.
	maxSignatures = 1 << 16
	// maxCertificates is how many certificates are kept in parsed form, which takes
	// about six times their length.
	maxCertificates = 1 << 10
	// maxCertificateSize is the length in bytes of the longest certificate that is
	// kept so. Those of people have 1.5 KB.
	maxCertificateSize = 4 << 10
	// maxIssuerTables is how many keys of CAs have tables, 65 KB each, and 330 KB for
	// keys of 512 bits: about as many CAs as issue certificates now.
	maxIssuerTables = 64
	// maxHolderTables is how many keys of holders have tables.
	maxHolderTables = 64
)

// A Memory is bounded: what was not asked for longest goes first. It is safe for
// concurrent use. A nil *Memory remembers nothing, and everything works with it.
type Memory struct {
	signatures *recent[fact, struct{}]
	// certificates are found by the hash of Raw with seed, and compared byte for byte:
	// that takes a tenth of the time of a fingerprint.
	seed         maphash.Seed
	certificates *recent[uint64, *gostx509.Certificate]
	issuers      *gost3410.KeyCache
	holders      *gost3410.KeyCache
}

// fact is that a certificate is signed with the key of an issuer. Both are whole: the
// certificate with its algorithms and its signature, the key with its parameters. It is
// known to one engine: another one has to compute it for itself.
type fact struct {
	certificate [sha256.Size]byte // of Raw
	key         [sha256.Size]byte // of RawSPKI
	engine      unique.Handle[sigalg.EngineInfo]
}

// New returns a Memory that knows nothing yet.
func New() *Memory {
	return &Memory{
		signatures:   newRecent[fact, struct{}](maxSignatures),
		seed:         maphash.MakeSeed(),
		certificates: newRecent[uint64, *gostx509.Certificate](maxCertificates),
		issuers:      gost3410.NewKeyCache(maxIssuerTables),
		holders:      gost3410.NewKeyCache(maxHolderTables),
	}
}

// CheckSignature is cert.CheckSignatureFrom(issuer), without the mathematics if it is
// known to pass. Facts are only recorded, and tables only made, for an issuer of the
// trust data.
func (m *Memory) CheckSignature(cert, issuer *gostx509.Certificate, trusted bool) error {
	return m.CheckSignatureBy(nil, cert, issuer, trusted)
}

// CheckSignatureBy is CheckSignature by the engine of a run. What is known from before
// is what the same version of the same engine has computed, and nobody else.
func (m *Memory) CheckSignatureBy(run *sigalg.Run, cert, issuer *gostx509.Certificate, trusted bool) error {
	if m == nil || !trusted {
		return cert.CheckSignatureWith(sigalg.Verifier{Run: run}, issuer)
	}
	f := fact{cert.SHA256(), sha256.Sum256(issuer.RawSPKI), run.ID()}
	if _, known := m.signatures.get(f); known {
		return nil
	}
	if err := cert.CheckSignatureWith(sigalg.Verifier{Keys: m.issuers, Run: run}, issuer); err != nil {
		return err
	}
	if run.Keeps() {
		m.signatures.put(f, struct{}{})
	}
	if len(cert.Raw) <= maxCertificateSize {
		m.certificates.put(maphash.Bytes(m.seed, cert.Raw), cert)
	}
	return nil
}

// Certificate is gostx509.Parse, and returns the certificate that was parsed before
// if it is known: one that a CA of the trust data has signed.
func (m *Memory) Certificate(raw []byte) (*gostx509.Certificate, error) {
	if cert := m.known(raw); cert != nil {
		return cert, nil
	}
	return gostx509.Parse(raw)
}

// known returns the certificate with exactly these bytes, if it is known, or nil.
func (m *Memory) known(raw []byte) *gostx509.Certificate {
	if m == nil || len(raw) > maxCertificateSize {
		return nil
	}
	cert, found := m.certificates.get(maphash.Bytes(m.seed, raw))
	if !found || !bytes.Equal(cert.Raw, raw) {
		return nil
	}
	return cert
}

// Verifier returns a verifier for signatures of the holder of a certificate: one that
// keeps a table for the key if the certificate is known.
func (m *Memory) Verifier(cert *gostx509.Certificate) sigalg.Verifier {
	if cert == nil || m.known(cert.Raw) == nil {
		return sigalg.Verifier{}
	}
	return sigalg.Verifier{Keys: m.holders}
}
