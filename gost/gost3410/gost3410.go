// Package gost3410 implements the signature algorithm GOST R 34.10-2012
// (RFC 7091) on the seven curves that Russian certificates and TLS use
// (RFC 7836, Appendix A; RFC 4357, Section 11.4), and the point multiplication
// of the key agreement VKO (RFC 7836, Section 4.3). GOST R 34.10-2001 is the same
// algorithm with another hash function.
//
// # Byte orders
//
// Keys are little-endian: a private key is LE(d), a public key LE(x)|LE(y)
// (RFC 9215, Section 4.3). A digest is what software prints, and read as a
// little-endian number. A signature is BE(s)|BE(r), the order of X.509 and CMS
// (RFC 9215, Section 2); TLS wants all of its bytes reversed.
//
// # Timing
//
// Everything that touches a private key takes constant time in the key and in
// the nonce: [NewPrivateKey], [GenerateKey], [PrivateKey.Sign],
// [PrivateKey.SharedPoint], [PrivateKey.Equal]. Only the number of rejected
// random candidates shows, and those are independent of the ones that are used.
// [NewPublicKey] and [PublicKey.Verify] take variable time; what they get is
// public. The Go compiler gives no promise about secret-independent code; the
// arithmetic is written without branches and table indices that depend on
// secrets, TestTiming looks for differences, and the test of internal/taint has
// valgrind look for branches and addresses that depend on a secret. Valgrind knows no
// AVX-512: a test of internal/ifma reads that assembly, and finds no branch but loops
// that count, and no address but fixed ones.
//
// # Speed
//
// On amd64 processors with BMI2, ADX and AVX2 the arithmetic is assembly, compiled
// from the portable formulas by internal/generate; the build tag purego leaves it
// out. Signatures of keys that come back are verified three times as fast with a
// [KeyCache], and many at once by [VerifyMany].
//
// With AVX-512 IFMA there is other assembly, in internal/ifma, for the curves with
// a = −3 but CryptoPro-C. It computes on eight points at once: those of eight signatures,
// or the parts of one multiplication. Then a batch takes a quarter of the time for each
// signature, and so does one by a key with a table.
//
// # Memory
//
// The numbers of private keys, and the buffers they pass through on the heap, are
// overwritten after use. What the compiler leaves on stacks and in registers is not.
//
// Tables of multiples of the base points are made on the first use of a curve:
// that use is slower, up to 4 ms for the curves of 256 bits, 25 ms for those of 512. They
// take up to 1.5 MB for a curve of 256 bits, 6 MB for one of 512; where there are eight
// lanes, 0.5 MB and 2 MB.
package gost3410

import (
	"encoding/asn1"
	"errors"
	"fmt"

	"propusk/gost/gost3410/internal/ec"
	"propusk/gost/gost3410/internal/ifma"
	"propusk/gost/gost3410/internal/scalar"
)

// Errors of this package, for errors.Is.
var (
	// ErrParamSet means an identifier that names none of the seven curves.
	ErrParamSet = errors.New("gost3410: unknown parameter set")
	// ErrPublicKey means bytes that are no public key of the curve: the length, a
	// coordinate not below p, a point off the curve or outside the subgroup.
	ErrPublicKey = errors.New("gost3410: not a public key of this curve")
	// ErrPrivateKey means bytes that are no private key of the curve: the length,
	// zero, or not below the order of the subgroup.
	ErrPrivateKey = errors.New("gost3410: not a private key of this curve")
	// ErrDigest means a digest that is not as long as the scalars of the curve.
	ErrDigest = errors.New("gost3410: the digest must be as long as the key")
	// ErrAgreement means a key agreement that cannot be done: keys of different
	// curves, a UKM that is too long, or one that is zero modulo the order.
	ErrAgreement = errors.New("gost3410: key agreement is impossible")
	// ErrRandom means a source of randomness that is evidently broken.
	ErrRandom = errors.New("gost3410: the source of randomness is broken")
)

// Curve is one of the seven elliptic curves. The only values are those that the
// functions of this package return; two of them are the same curve if and only
// if the pointers are equal. A Curve is safe for concurrent use.
type Curve struct {
	name     string
	order    *scalar.Modulus
	cofactor int
	group    group
	lanes    *ifma.Curve // nil for curves that it does not know
}

// group is the arithmetic of the points of one curve. Points are LE(x)|LE(y);
// points that go in must have passed Check, except for Check itself.
type group interface {
	// Check reports whether xy is a point of the subgroup, not infinity.
	Check(xy []byte) bool
	// Mult returns k·P, and false if that is infinity, in constant time.
	Mult(k scalar.Nat, xy []byte) ([]byte, bool)
	// BaseMult returns k·G, and false if that is infinity, in constant time.
	BaseMult(k scalar.Nat) ([]byte, bool)
	// VerifyX reports whether x(k·G + l·P) is r modulo the order.
	VerifyX(r, k, l scalar.Nat, xy []byte) bool
	// NewTable returns multiples of P, for many VerifyX.
	NewTable(xy []byte) ec.Table
}

var (
	tc26256A   = &Curve{"tc26-256-A", &scalar.TC26256A, 4, ec.TC26256A{}, nil}
	cryptoProA = &Curve{"CryptoPro-A", &scalar.CryptoProA, 1, ec.CryptoProA{}, ifma.CryptoProA}
	cryptoProB = &Curve{"CryptoPro-B", &scalar.CryptoProB, 1, ec.CryptoProB{}, ifma.CryptoProB}
	cryptoProC = &Curve{"CryptoPro-C", &scalar.CryptoProC, 1, ec.CryptoProC{}, nil}
	tc26512A   = &Curve{"tc26-512-A", &scalar.TC26512A, 1, ec.TC26512A{}, ifma.TC26512A}
	tc26512B   = &Curve{"tc26-512-B", &scalar.TC26512B, 1, ec.TC26512B{}, ifma.TC26512B}
	tc26512C   = &Curve{"tc26-512-C", &scalar.TC26512C, 4, ec.TC26512C{}, nil}
)

// TC26256A returns the curve id-tc26-gost-3410-2012-256-paramSetA, cofactor 4
// (RFC 7836, Appendix A.2).
func TC26256A() *Curve { return tc26256A }

// CryptoProA returns the curve id-GostR3410-2001-CryptoPro-A-ParamSet, also known
// as XchA and id-tc26-gost-3410-2012-256-paramSetB (RFC 4357, Section 11.4).
func CryptoProA() *Curve { return cryptoProA }

// CryptoProB returns the curve id-GostR3410-2001-CryptoPro-B-ParamSet, also known
// as id-tc26-gost-3410-2012-256-paramSetC (RFC 4357, Section 11.4).
func CryptoProB() *Curve { return cryptoProB }

// CryptoProC returns the curve id-GostR3410-2001-CryptoPro-C-ParamSet, also known
// as XchB and id-tc26-gost-3410-2012-256-paramSetD (RFC 4357, Section 11.4).
func CryptoProC() *Curve { return cryptoProC }

// TC26512A returns the curve id-tc26-gost-3410-12-512-paramSetA (RFC 7836,
// Appendix A.1).
func TC26512A() *Curve { return tc26512A }

// TC26512B returns the curve id-tc26-gost-3410-12-512-paramSetB (RFC 7836,
// Appendix A.1).
func TC26512B() *Curve { return tc26512B }

// TC26512C returns the curve id-tc26-gost-3410-2012-512-paramSetC, cofactor 4
// (RFC 7836, Appendix A.2).
func TC26512C() *Curve { return tc26512C }

// known reports whether c is a curve of this package.
func (c *Curve) known() bool { return c != nil && c.group != nil }

// Size returns the length in bytes of a coordinate, of a scalar and of the digest
// that is signed: 32 or 64.
func (c *Curve) Size() int { return c.order.Size() }

// Name returns a short name of the curve for people: "CryptoPro-A".
func (c *Curve) Name() string { return c.name }

// String returns Name.
func (c *Curve) String() string { return c.name }

// paramSets are the last arcs, under 1.2.643, of the identifiers of the curves.
var paramSets = []struct {
	arcs  []int
	curve *Curve
}{
	// RFC 4357, Section 11.4.
	{[]int{2, 2, 35, 1}, cryptoProA},
	{[]int{2, 2, 35, 2}, cryptoProB},
	{[]int{2, 2, 35, 3}, cryptoProC},
	{[]int{2, 2, 36, 0}, cryptoProA},
	{[]int{2, 2, 36, 1}, cryptoProC},
	// RFC 9215, Appendix C.
	{[]int{7, 1, 2, 1, 1, 1}, tc26256A},
	{[]int{7, 1, 2, 1, 1, 2}, cryptoProA},
	{[]int{7, 1, 2, 1, 1, 3}, cryptoProB},
	{[]int{7, 1, 2, 1, 1, 4}, cryptoProC},
	{[]int{7, 1, 2, 1, 2, 1}, tc26512A},
	{[]int{7, 1, 2, 1, 2, 2}, tc26512B},
	{[]int{7, 1, 2, 1, 2, 3}, tc26512C},
}

// CurveByParamSet returns the curve that a parameter set identifier names. There
// are 12 identifiers for the 7 curves. The sets that are meant for tests only,
// such as 1.2.643.2.2.35.0, are refused. The error is [ErrParamSet].
func CurveByParamSet(oid asn1.ObjectIdentifier) (*Curve, error) {
	for _, set := range paramSets {
		if len(oid) > 3 && oid[:3].Equal(asn1.ObjectIdentifier{1, 2, 643}) && oid[3:].Equal(set.arcs) {
			return set.curve, nil
		}
	}
	return nil, fmt.Errorf("%w %v", ErrParamSet, oid)
}

// newTable returns multiples of a point that has passed Check.
func (c *Curve) newTable(xy []byte) ec.Table {
	if c.lanes != nil && ifma.Enabled {
		return c.lanes.NewTable(xy)
	}
	return c.group.NewTable(xy)
}

// baseMult returns k·G, and false if that is infinity, in constant time.
func (c *Curve) baseMult(k scalar.Nat) ([]byte, bool) {
	if c.lanes != nil && ifma.Enabled {
		return c.lanes.BaseMult(k)
	}
	return c.group.BaseMult(k)
}

// mult returns k·P, and false if that is infinity, in constant time.
func (c *Curve) mult(k scalar.Nat, xy []byte) ([]byte, bool) {
	if c.lanes != nil && ifma.Enabled {
		return c.lanes.Mult(k, xy)
	}
	return c.group.Mult(k, xy)
}

// verifyX reports whether x(k·G + l·P) is r modulo the order. Lanes have to wait for the
// doublings of P, and for 256 bits they do not make up for that.
func (c *Curve) verifyX(r, k, l scalar.Nat, xy []byte) bool {
	if c.lanes != nil && ifma.Enabled && c.Size() == 64 {
		return c.lanes.VerifyX(r, k, l, xy)
	}
	return c.group.VerifyX(r, k, l, xy)
}
