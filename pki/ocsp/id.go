package ocsp

import (
	"bytes"
	"crypto/sha1" // a name, not a proof: RFC 6960, Sections 4.1.1 and 4.2.1
	"encoding/asn1"
	"fmt"
	"hash"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/pki/der"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// OIDSHA1 is the digest that every responder knows (RFC 5019, Section 2.1.1). It only
// names an issuer here: two issuers with one digest would still need one key. It is a
// constant: do not modify it.
var OIDSHA1 = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}

// NewID names cert, issued by issuer, with digests of the given algorithm: OIDSHA1
// or one that package sigalg knows. It returns a *reason.Error with
// reason.OCSPUnsupported for another algorithm, or if a certificate is missing.
func NewID(digest asn1.ObjectIdentifier, cert, issuer *gostx509.Certificate) (ID, error) {
	if cert == nil || issuer == nil {
		return ID{}, reason.Errorf(reason.OCSPUnsupported, "ocsp: no certificate to name")
	}
	id := ID{Digest: digest, Serial: cert.Serial}
	var err error
	if id.NameHash, err = sum(digest, cert.RawIssuer); err != nil {
		return ID{}, err
	}
	key := issuer.KeyBits()
	if key == nil {
		return ID{}, reason.Errorf(reason.OCSPUnsupported, "ocsp: the public key of the issuer cannot be read")
	}
	if id.KeyHash, err = sum(digest, key); err != nil {
		return ID{}, err
	}
	return id, nil
}

// Matches reports whether the ID names cert, issued by issuer. Everything is
// computed anew from the certificates: an ID that cannot be checked matches nothing.
func (id ID) Matches(cert, issuer *gostx509.Certificate) bool {
	if cert == nil || issuer == nil || len(id.Serial) == 0 || !bytes.Equal(id.Serial, cert.Serial) ||
		!bytes.Equal(cert.RawIssuer, issuer.RawSubject) {
		return false
	}
	want, err := NewID(id.Digest, cert, issuer)
	return err == nil && bytes.Equal(id.NameHash, want.NameHash) && bytes.Equal(id.KeyHash, want.KeyHash)
}

// sum hashes with an algorithm named by its identifier.
func sum(digest asn1.ObjectIdentifier, data []byte) ([]byte, error) {
	var h hash.Hash
	if digest.Equal(OIDSHA1) {
		h = sha1.New()
	} else {
		var err error
		if h, err = sigalg.NewHash(digest); err != nil {
			return nil, reason.New(reason.OCSPUnsupported, fmt.Errorf("ocsp: digest of an identifier: %w", err))
		}
	}
	h.Write(data)
	return h.Sum(nil), nil
}

// keyHash returns the SHA-1 that names a responder; nil if there is none.
func keyHash(c *gostx509.Certificate) []byte {
	bits := c.KeyBits()
	if bits == nil {
		return nil
	}
	h := sha1.Sum(bits)
	return h[:]
}

// readID reads CertID.
func readID(r *der.Reader) ID {
	seq := r.Sequence()
	algorithm := sigalg.Read(&seq)
	id := ID{
		Digest: algorithm.Algorithm, parameters: algorithm.Parameters,
		NameHash: seq.OctetString(), KeyHash: seq.OctetString(), Serial: seq.Integer(),
	}
	seq.End()
	if len(id.NameHash) == 0 || len(id.NameHash) > maxDigest || len(id.KeyHash) != len(id.NameHash) || len(id.Serial) > maxSerial {
		seq.Fail(errID)
	}
	return id
}

// add writes CertID. The digests of GOST have no parameters, the others have a NULL,
// as everybody writes them.
func (id ID) add(b *cryptobyte.Builder) {
	if len(id.NameHash) == 0 || len(id.KeyHash) == 0 || len(id.Serial) == 0 {
		b.SetError(errID)
		return
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(id.Digest)
			switch {
			case id.parameters != nil:
				b.AddBytes(id.parameters)
			case id.Digest.Equal(sigalg.OIDStreebog256), id.Digest.Equal(sigalg.OIDStreebog512), id.Digest.Equal(sigalg.OIDGOST94):
			default:
				b.AddASN1NULL()
			}
		})
		b.AddASN1OctetString(id.NameHash)
		b.AddASN1OctetString(id.KeyHash)
		b.AddASN1(cbasn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(id.Serial) })
	})
}
