package sigalg

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"fmt"
	"hash"

	"propusk/gost/gostr341194"
	"propusk/gost/streebog"
	"propusk/pki/der"
)

// Digest algorithms. They are constants: do not modify them.
var (
	OIDStreebog256 = asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 2, 2}
	OIDStreebog512 = asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 2, 3}
	OIDGOST94      = asn1.ObjectIdentifier{1, 2, 643, 2, 2, 9}
	OIDSHA256      = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	OIDSHA384      = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	OIDSHA512      = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
)

// Signature algorithms. They are constants: do not modify them.
var (
	OIDGOST256WithStreebog = asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 3, 2}
	OIDGOST512WithStreebog = asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 3, 3}
	OIDGOST2001WithGOST94  = asn1.ObjectIdentifier{1, 2, 643, 2, 2, 3}
	OIDRSAWithSHA256       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	OIDRSAWithSHA384       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}
	OIDRSAWithSHA512       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}
	OIDRSAPSS              = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	OIDECDSAWithSHA256     = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	OIDECDSAWithSHA384     = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}
	OIDECDSAWithSHA512     = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}
)

// Key algorithms, which software also writes where a signature algorithm
// belongs. They are constants: do not modify them.
var (
	OIDKeyGOST256  = asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 1, 1}
	OIDKeyGOST512  = asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 1, 2}
	OIDKeyGOST2001 = asn1.ObjectIdentifier{1, 2, 643, 2, 2, 19}
	OIDKeyRSA      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	OIDKeyECDSA    = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
)

// objectIdentifier decodes an identifier, without an allocation for those of GOST.
func objectIdentifier(oid der.OID) asn1.ObjectIdentifier {
	switch string(oid) {
	case "\x2a\x85\x03\x07\x01\x01\x02\x02":
		return OIDStreebog256
	case "\x2a\x85\x03\x07\x01\x01\x02\x03":
		return OIDStreebog512
	case "\x2a\x85\x03\x07\x01\x01\x01\x01":
		return OIDKeyGOST256
	case "\x2a\x85\x03\x07\x01\x01\x01\x02":
		return OIDKeyGOST512
	case "\x2a\x85\x03\x07\x01\x01\x03\x02":
		return OIDGOST256WithStreebog
	case "\x2a\x85\x03\x07\x01\x01\x03\x03":
		return OIDGOST512WithStreebog
	case "\x2a\x85\x03\x02\x02\x03":
		return OIDGOST2001WithGOST94
	default:
		return oid.ObjectIdentifier()
	}
}

// family is a kind of key together with a way to use it.
type family uint8

const (
	noFamily family = iota
	gost256
	gost512
	rsaPKCS1
	rsaPSS
	ecdsaPlain
)

// key returns the family that stands for the kind of key.
func (f family) key() family {
	if f == rsaPSS {
		return rsaPKCS1
	}
	return f
}

// algorithm is one line of the table of signature algorithms.
type algorithm struct {
	id     asn1.ObjectIdentifier
	family family
	digest asn1.ObjectIdentifier // nil when the algorithm implies none
	keyID  bool                  // a key algorithm: parameters of the key may follow
}

// algorithms and digests are constants.
var algorithms = [...]algorithm{
	{OIDGOST256WithStreebog, gost256, OIDStreebog256, false},
	{OIDGOST512WithStreebog, gost512, OIDStreebog512, false},
	{OIDGOST2001WithGOST94, gost256, OIDGOST94, false},
	{OIDKeyGOST256, gost256, OIDStreebog256, true},
	{OIDKeyGOST512, gost512, OIDStreebog512, true},
	{OIDKeyGOST2001, gost256, OIDGOST94, true},
	{OIDRSAWithSHA256, rsaPKCS1, OIDSHA256, false},
	{OIDRSAWithSHA384, rsaPKCS1, OIDSHA384, false},
	{OIDRSAWithSHA512, rsaPKCS1, OIDSHA512, false},
	{OIDRSAPSS, rsaPSS, nil, false},
	{OIDKeyRSA, rsaPKCS1, nil, false},
	{OIDECDSAWithSHA256, ecdsaPlain, OIDSHA256, false},
	{OIDECDSAWithSHA384, ecdsaPlain, OIDSHA384, false},
	{OIDECDSAWithSHA512, ecdsaPlain, OIDSHA512, false},
	{OIDKeyECDSA, ecdsaPlain, nil, true},
}

// digest is one line of the table of digest algorithms.
type digest struct {
	id   asn1.ObjectIdentifier
	size int // bytes
	hash func() hash.Hash
	std  crypto.Hash                 // zero for GOST, which the standard library does not know
	sum  func(message []byte) []byte // quicker than hash; nil when there is no such function
}

var digests = [...]digest{
	{OIDStreebog256, streebog.Size256, streebog.New256, 0, func(m []byte) []byte { sum := streebog.Sum256(m); return sum[:] }},
	{OIDStreebog512, streebog.Size512, streebog.New512, 0, func(m []byte) []byte { sum := streebog.Sum512(m); return sum[:] }},
	{OIDGOST94, 32, gostr341194.New, 0, nil},
	{OIDSHA256, sha256.Size, sha256.New, crypto.SHA256, nil},
	{OIDSHA384, sha512.Size384, sha512.New384, crypto.SHA384, nil},
	{OIDSHA512, sha512.Size, sha512.New, crypto.SHA512, nil},
}

// forbidden is the digests and signature algorithms that were broken: MD2, MD4,
// MD5 and SHA-1 alone, with RSA, with DSA and with ECDSA.
func forbidden() []asn1.ObjectIdentifier {
	return []asn1.ObjectIdentifier{
		{1, 2, 840, 113549, 2, 2}, {1, 2, 840, 113549, 2, 4}, {1, 2, 840, 113549, 2, 5}, {1, 3, 14, 3, 2, 26},
		{1, 2, 840, 113549, 1, 1, 2}, {1, 2, 840, 113549, 1, 1, 3}, {1, 2, 840, 113549, 1, 1, 4},
		{1, 2, 840, 113549, 1, 1, 5}, {1, 3, 14, 3, 2, 29}, {1, 2, 840, 10040, 4, 3}, {1, 2, 840, 10045, 4, 1},
	}
}

// find returns the line of a signature algorithm, having checked the parameters.
// NULL is taken where RFC 9215 and RFC 5758 want nothing, as CMS from CryptoPro
// has it; the parameters of a key carry nothing that the key does not.
func find(alg AlgorithmIdentifier) (algorithm, error) {
	for _, a := range algorithms {
		if !a.id.Equal(alg.Algorithm) {
			continue
		}
		if a.family == rsaPSS || a.keyID || len(alg.Parameters) == 0 || bytes.Equal(alg.Parameters, []byte{5, 0}) {
			return a, nil
		}
		return algorithm{}, fmt.Errorf("%w: %v", ErrParameters, alg.Algorithm)
	}
	return algorithm{}, refusal(alg.Algorithm)
}

func findDigest(id asn1.ObjectIdentifier) (digest, error) {
	for _, d := range digests {
		if d.id.Equal(id) {
			return d, nil
		}
	}
	return digest{}, refusal(id)
}

func refusal(id asn1.ObjectIdentifier) error {
	for _, f := range forbidden() {
		if f.Equal(id) {
			return fmt.Errorf("%w: %v", ErrForbidden, id)
		}
	}
	return fmt.Errorf("%w: %v", ErrUnknown, id)
}

// NewHash returns the hash with the given digest OID. It returns ErrForbidden for
// MD5 and SHA-1 and ErrUnknown for what it does not know, both wrapped.
func NewHash(id asn1.ObjectIdentifier) (hash.Hash, error) {
	d, err := findDigest(id)
	if err != nil {
		return nil, err
	}
	return d.hash(), nil
}

// Sum returns the digest of a message that is at hand, in the algorithm with the given
// OID. The errors are those of NewHash.
func Sum(id asn1.ObjectIdentifier, message []byte) ([]byte, error) {
	d, err := findDigest(id)
	if err != nil {
		return nil, err
	}
	if d.sum != nil {
		return d.sum(message), nil
	}
	h := d.hash()
	h.Write(message)
	return h.Sum(nil), nil
}
