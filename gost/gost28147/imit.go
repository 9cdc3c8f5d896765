package gost28147

import (
	"encoding/binary"
	"errors"
	"hash"
)

// Sizes of authentication codes, in bytes.
const (
	MinMACSize = 1
	MACSize    = 4 // the usual one: RFC 4357, RFC 9189
	MaxMACSize = 8
)

// imit is a running message authentication code.
type imit struct {
	first, key Key // of the beginning, and the current one
	table      *[4][256]uint32
	meshing    Meshing
	size       int // bytes of the code

	iv, state uint64
	blocks    uint64 // how many blocks went through
	tail      [BlockSize]byte
	used      int // bytes of tail
}

// NewIMIT returns the message authentication code of RFC 5830, Section 8, IMITOVSTAVKA
// in the standard, over a message to which the initialization vector is added at its
// beginning: gost28147IMIT of RFC 9189, Section 8.4. The key has KeySize bytes; the iv
// has BlockSize bytes or is nil, for zeros. The code has size bytes, from [MinMACSize]
// to [MaxMACSize]; shorter ones are prefixes of longer ones. The slices are not kept.
//
// Sum tells the code of everything written since the beginning and leaves the state
// alone, with a part of a block not padded, so that one code can run over all records
// of a connection of TLS (RFC 9189, Section 4.1.2). The standard has no messages of
// less than two blocks: zeros are added to them, as gost-engine does (and gogost does
// not).
//
// Compare codes with hmac.Equal. The hash implements [hash.Cloner], is not safe for
// several goroutines, and does not allocate in Write and in Sum into a slice with
// enough capacity.
func NewIMIT(key, iv []byte, s *SBox, m Meshing, size int) (hash.Hash, error) {
	if len(key) != KeySize {
		return nil, KeySizeError(len(key))
	}
	if iv != nil && len(iv) != BlockSize {
		return nil, IVSizeError(len(iv))
	}
	if size < MinMACSize || size > MaxMACSize {
		return nil, errors.New("gost28147: MAC size out of range")
	}
	h := &imit{first: loadKey(key), table: s.tables(), meshing: m, size: size}
	if iv != nil {
		h.iv = binary.LittleEndian.Uint64(iv)
	}
	h.Reset()
	return h, nil
}

// Size implements hash.Hash.
func (h *imit) Size() int { return h.size }

// BlockSize implements hash.Hash.
func (h *imit) BlockSize() int { return BlockSize }

// Reset implements hash.Hash: the key and the IV stay.
func (h *imit) Reset() {
	h.key, h.state, h.blocks, h.used = h.first, h.iv, 0, 0
}

// Clone implements hash.Cloner. The error is always nil.
func (h *imit) Clone() (hash.Cloner, error) {
	c := *h
	return &c, nil
}

// Write implements hash.Hash. The error is always nil.
func (h *imit) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		if h.used == 0 && len(p) >= BlockSize {
			h.mix(binary.LittleEndian.Uint64(p))
			p = p[BlockSize:]
			continue
		}
		n := copy(h.tail[h.used:], p)
		h.used += n
		p = p[n:]
		if h.used == BlockSize {
			h.mix(binary.LittleEndian.Uint64(h.tail[:]))
			h.used = 0
		}
	}
	return written, nil
}

// mix takes a block: sixteen rounds, the key words forward twice.
func (h *imit) mix(word uint64) {
	if h.meshing && h.blocks > 0 && h.blocks%(section/BlockSize) == 0 {
		mesh(h.table, &h.key) // only the key: RFC 4357 has no IV in a MAC
	}
	word ^= h.state
	n1, n2 := uint32(word), uint32(word>>32)
	for range 2 {
		for i := 0; i < 8; i += 2 {
			n2 ^= round(h.table, n1+h.key[i])
			n1 ^= round(h.table, n2+h.key[i+1])
		}
	}
	h.state = uint64(n2)<<32 | uint64(n1)
	h.blocks++
}

// Sum implements hash.Hash: it leaves the state alone, so that writing can go on.
func (h *imit) Sum(in []byte) []byte {
	last := *h
	if last.used > 0 {
		clear(last.tail[last.used:])
		last.mix(binary.LittleEndian.Uint64(last.tail[:]))
	}
	for last.blocks < 2 { // RFC 5830, Section 8: M >= 2
		last.mix(0)
	}
	var code [BlockSize]byte
	binary.LittleEndian.PutUint64(code[:], last.state)
	return append(in, code[:h.size]...)
}
