package vko

import (
	"propusk/gost/gost28147"
	"propusk/gost/gost3410"
)

// KeySize28147 is how many bytes [KEG28147] returns.
const KeySize28147 = gost28147.KeySize

// KEG28147 returns the 32 bytes of key material for the hash h of both randoms, 32
// bytes, whose first 8 bytes are the user keying material: VKO256, then the
// diversification of RFC 4357, Section 6.5. The error is [ErrHash] or that of
// key.SharedPoint.
//
// RFC 9189, Section 8.3.2.
func KEG28147(key Agreement, peer *gost3410.PublicKey, h []byte) ([]byte, error) {
	if len(h) != HashSize {
		return nil, ErrHash
	}
	ukm := h[:gost28147.BlockSize]
	shared, err := VKO256(key, peer, ukm)
	if err != nil {
		return nil, err
	}
	return diversify(shared, ukm)
}

// diversify is step 2 of RFC 9189, Section 8.3.2. It wipes the shared secret, and
// refuses one of another length than VKO gives: it came from a token.
func diversify(shared, ukm []byte) ([]byte, error) {
	defer clear(shared)
	if len(shared) != gost28147.KeySize {
		return nil, ErrShared
	}
	out := gost28147.Diversify(gost28147.TC26Z(), shared, ukm)
	return out[:], nil
}
