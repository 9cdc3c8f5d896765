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

// The suites of TLS 1.3, RFC 9367, Section 4.1.2: two of each cipher, of which S
// changes keys more often.
const (
	// KuznyechikMGML belongs to TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_L, 0xC103:
	// the key changes every 8192 records.
	KuznyechikMGML Masks = iota + MagmaCTROMAC + 1

	// MagmaMGML belongs to TLS_GOSTR341112_256_WITH_MAGMA_MGM_L, 0xC104: the key
	// changes every 128 records.
	MagmaMGML

	// KuznyechikMGMS belongs to TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_S, 0xC105:
	// the key changes every 8 records.
	KuznyechikMGMS

	// MagmaMGMS belongs to TLS_GOSTR341112_256_WITH_MAGMA_MGM_S, 0xC106: the key
	// changes every record.
	MagmaMGMS
)

const levels = 3

// constants returns C_1, C_2, C_3.
func (m Masks) constants() [levels]uint64 {
	switch m {
	case KuznyechikCTROMAC:
		return [levels]uint64{0xFFFFFFFF00000000, 0xFFFFFFFFFFF80000, 0xFFFFFFFFFFFFFFC0}
	case MagmaCTROMAC:
		return [levels]uint64{0xFFFFFFC000000000, 0xFFFFFFFFFE000000, 0xFFFFFFFFFFFFF000}
	case KuznyechikMGML:
		return [levels]uint64{0xF800000000000000, 0xFFFFFFF000000000, 0xFFFFFFFFFFFFE000}
	case MagmaMGML:
		return [levels]uint64{0xFFE0000000000000, 0xFFFFFFFFC0000000, 0xFFFFFFFFFFFFFF80}
	case KuznyechikMGMS:
		return [levels]uint64{0xFFFFFFFFE0000000, 0xFFFFFFFFFFFF0000, 0xFFFFFFFFFFFFFFF8}
	case MagmaMGMS:
		return [levels]uint64{0xFFFFFFFFFC000000, 0xFFFFFFFFFFFFE000, 0xFFFFFFFFFFFFFFFF}
	default:
		panic("kdf: unknown TLSTREE masks")
	}
}

// A TLSTree is TLSTREE of RFC 9189, Section 8.1, and RFC 9367, Section 4.1.2: it makes the key of every record
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

// Wipe overwrites all keys. The tree cannot be used any more.
func (t *TLSTree) Wipe() { *t = TLSTree{} }
