package gost28147

import (
	"encoding/binary"
	"errors"
	"hash"

	"propusk/gost/internal/avx512"
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
	order      order
	sbox       *SBox
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
	h := &imit{first: loadKey(key), sbox: s, meshing: m, size: size}
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
	h.order = h.key.encryption()
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
			n := len(p) / BlockSize * BlockSize
			h.mix(p[:n])
			p = p[n:]
			continue
		}
		n := copy(h.tail[h.used:], p)
		h.used += n
		p = p[n:]
		if h.used == BlockSize {
			h.mix(h.tail[:])
			h.used = 0
		}
	}
	return written, nil
}

// mix takes whole blocks.
func (h *imit) mix(p []byte) {
	for len(p) > 0 {
		size := len(p)
		if h.meshing {
			past := int(h.blocks * BlockSize % section)
			if past == 0 && h.blocks > 0 {
				mesh(h.sbox, &h.key) // only the key: RFC 4357 has no IV in a MAC
				h.order = h.key.encryption()
			}
			size = min(size, section-past)
		}
		if avx512.Enabled {
			h.mixVector(p[:size])
		} else {
			h.mixGeneric(p[:size])
		}
		h.blocks += uint64(size / BlockSize)
		p = p[size:]
	}
}

// mixGeneric takes blocks under one key, each in sixteen rounds, the key words forward
// twice.
func (h *imit) mixGeneric(p []byte) {
	t := h.sbox.tables()
	n1, n2 := uint32(h.state), uint32(h.state>>32)
	for ; len(p) >= BlockSize; p = p[BlockSize:] {
		n1 ^= binary.LittleEndian.Uint32(p)
		n2 ^= binary.LittleEndian.Uint32(p[4:])
		for i := 0; i < 16; i += 2 {
			n2 ^= round(t, n1+h.order[i])
			n1 ^= round(t, n2+h.order[i+1])
		}
	}
	h.state = uint64(n2)<<32 | uint64(n1)
}

// Sum implements hash.Hash: it leaves the state alone, so that writing can go on.
func (h *imit) Sum(in []byte) []byte {
	last := *h
	if last.used > 0 {
		clear(last.tail[last.used:])
		last.mix(last.tail[:])
	}
	for last.blocks < 2 { // RFC 5830, Section 8: M >= 2
		last.mix(make([]byte, BlockSize))
	}
	var code [BlockSize]byte
	binary.LittleEndian.PutUint64(code[:], last.state)
	return append(in, code[:h.size]...)
}
