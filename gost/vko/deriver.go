package vko

import (
	"propusk/gost/gost28147"
	"propusk/gost/gost3410"
)

// Functions are key agreements that a [Deriver] can do: a set of bits.
type Functions uint8

// The functions that GOST TLS 1.2 and CMS are built on.
const (
	FunctionVKO256 Functions = 1 << iota // [VKO256]
	FunctionKEG                          // [KEG]
)

// Deriver is a private key that agrees where it is, in a token or an HSM, which gives
// out what was derived and not the shared point: a key that is no [Agreement]. It is
// safe for concurrent use if its owner says so.
type Deriver interface {
	// Derives returns what the key can do. It does not change.
	Derives() Functions

	// VKO256 returns what [VKO256] does: 32 bytes, which the caller wipes.
	VKO256(peer *gost3410.PublicKey, ukm []byte) ([]byte, error)

	// KEG returns what [KEG] does: KeySize bytes, which the caller wipes.
	KEG(peer *gost3410.PublicKey, h []byte) ([]byte, error)
}

// KEG28147Within is [KEG28147] with a key that does VKO256 where it is; the
// diversification, in which no private key takes part, is done here. The error is
// [ErrHash] or that of the key.
func KEG28147Within(key Deriver, peer *gost3410.PublicKey, h []byte) ([]byte, error) {
	if len(h) != HashSize {
		return nil, ErrHash
	}
	ukm := h[:gost28147.BlockSize]
	shared, err := key.VKO256(peer, ukm)
	if err != nil {
		return nil, err
	}
	return diversify(shared, ukm)
}
