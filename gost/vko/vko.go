// Package vko implements the key agreement of GOST R 34.10-2012 keys:
// VKO_GOSTR3410_2012_256 and VKO_GOSTR3410_2012_512 of RFC 7836, Section 4.3, and
// KEG, which GOST TLS 1.2 and CMS build on them, of RFC 9189, Section 8.3.1.
//
// The point multiplication takes constant time. The hash function that follows does
// too where package streebog has assembly; elsewhere it has tables in memory, and
// through the cache its timing depends on the shared point, which belongs to one
// agreement only.
package vko

import (
	"errors"
	"slices"

	"propusk/gost/gost3410"
	"propusk/gost/kdf"
	"propusk/gost/streebog"
)

// Agreement is a private key that can take part in a key agreement and gives out the
// shared point. *gost3410.PrivateKey implements it; keys that keep the point to
// themselves are [Deriver]s.
type Agreement interface {
	// SharedPoint returns LE(x)|LE(y) of ((h·ukm·d) mod q)·Q for the peer's key Q;
	// ukm is little-endian. See [gost3410.PrivateKey.SharedPoint].
	SharedPoint(peer *gost3410.PublicKey, ukm []byte) ([]byte, error)
}

// Sizes in bytes.
const (
	HashSize = 32 // of what KEG takes
	KeySize  = 64 // of what KEG returns
)

// ErrHash means a hash for KEG that is not HashSize bytes long.
var ErrHash = errors.New("vko: the hash for KEG must have 32 bytes")

// ErrShared means a [Deriver] that returned something else than 32 bytes.
var ErrShared = errors.New("vko: the key did not derive 32 bytes")

// VKO256 returns the 32 bytes of VKO_GOSTR3410_2012_256. The keys may be of 256 or
// 512 bits, of the same curve; ukm is a little-endian number of at most as many
// bits that is not zero modulo q. The error is that of key.SharedPoint.
//
// RFC 7836, Section 4.3.1.
func VKO256(key Agreement, peer *gost3410.PublicKey, ukm []byte) ([]byte, error) {
	shared, err := key.SharedPoint(peer, ukm)
	if err != nil {
		return nil, err
	}
	defer clear(shared)
	sum := streebog.Sum256(shared)
	return sum[:], nil
}

// VKO512 returns the 64 bytes of VKO_GOSTR3410_2012_512. The parameters and the
// error are those of [VKO256]. RFC 7836, Section 4.3.2, defines it for keys of 512
// bits only; that is up to the caller.
func VKO512(key Agreement, peer *gost3410.PublicKey, ukm []byte) ([]byte, error) {
	shared, err := key.SharedPoint(peer, ukm)
	if err != nil {
		return nil, err
	}
	defer clear(shared)
	sum := streebog.Sum512(shared)
	return sum[:], nil
}

// KEG returns the 64 bytes K_EXP_MAC | K_EXP_ENC for the hash h of both randoms, 32
// bytes. The error is [ErrHash] or that of key.SharedPoint.
//
// RFC 9189, Section 8.3.1.
func KEG(key Agreement, peer *gost3410.PublicKey, h []byte) ([]byte, error) {
	if len(h) != HashSize {
		return nil, ErrHash
	}
	ukm := kegUKM(h[:16])
	if peer != nil && peer.Curve() != nil && peer.Curve().Size() == 64 {
		return VKO512(key, peer, ukm)
	}
	exp, err := VKO256(key, peer, ukm)
	if err != nil {
		return nil, err
	}
	defer clear(exp)
	return kdf.Tree(exp, []byte("kdf tree"), h[16:24], 1, KeySize), nil
}

// kegUKM returns the UKM that the first half of the hash gives as a big-endian
// number, with 1 in place of zero, in little-endian.
func kegUKM(half []byte) []byte {
	ukm := slices.Clone(half)
	slices.Reverse(ukm)
	for _, b := range ukm {
		if b != 0 {
			return ukm
		}
	}
	ukm[0] = 1
	return ukm
}
