package kdf

import "encoding/binary"

// Masks names the constants C_1, C_2, C_3 of a cipher suite: which bits of the
// record number select a key at each level of its tree.
type Masks uint8

// The suites of RFC 9189, Section 8.1.1.
const (
	// KuznyechikCTROMAC belongs to TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC,
	// 0xC100: the key changes every 64 records.
	KuznyechikCTROMAC Masks = iota + 1

	// MagmaCTROMAC belongs to TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC, 0xC101:
	// the key changes every 4096 records.
	MagmaCTROMAC
)

const levels = 3

// constants returns C_1, C_2, C_3.
func (m Masks) constants() [levels]uint64 {
	switch m {
	case KuznyechikCTROMAC:
		return [levels]uint64{0xFFFFFFFF00000000, 0xFFFFFFFFFFF80000, 0xFFFFFFFFFFFFFFC0}
	case MagmaCTROMAC:
		return [levels]uint64{0xFFFFFFC000000000, 0xFFFFFFFFFE000000, 0xFFFFFFFFFFFFF000}
	default:
		panic("kdf: unknown TLSTREE masks")
	}
}

// A TLSTree is TLSTREE of RFC 9189, Section 8.1: it makes the key of every record
// of a connection, in one direction, from one root key. It remembers the key of
// each level, so that most records cost nothing. It is not safe for several
// goroutines; the zero value is not usable.
type TLSTree struct {
	masks [levels]uint64
	root  [Size]byte
	cache [levels]node
}

// A node is the key of one level, for the record numbers that are prefix under
// the mask of the level.
type node struct {
	known  bool
	prefix uint64
	key    [Size]byte
}

var labels = [levels]string{"level1", "level2", "level3"}

// NewTLSTree returns the tree of the given suite over the given root key, which
// must be Size bytes and is copied. An unknown suite or another length is a
// mistake of the caller, and panics.
func NewTLSTree(masks Masks, key []byte) *TLSTree {
	if len(key) != Size {
		panic("kdf: TLSTREE root key must be 32 bytes")
	}
	return &TLSTree{masks: masks.constants(), root: [Size]byte(key)}
}

// Key returns the key of the record with number seq. Numbers may come in any
// order, but only neighbours come cheaply.
func (t *TLSTree) Key(seq uint64) [Size]byte {
	parent, changed := &t.root, false
	for i := range t.cache {
		n, prefix := &t.cache[i], seq&t.masks[i]
		if changed || !n.known || n.prefix != prefix {
			var seed [8]byte
			binary.BigEndian.PutUint64(seed[:], prefix)
			*n = node{true, prefix, KDF(parent[:], []byte(labels[i]), seed[:])}
			changed = true
		}
		parent = &n.key
	}
	return *parent
}
