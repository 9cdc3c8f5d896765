// Package kdf implements the key derivation functions of RFC 7836 and RFC 9189.
package kdf

// KDF is KDF_GOSTR3411_2012_256 (RFC 7836, Section 4.4).
func KDF(key, label, seed []byte) [32]byte { panic("TODO") }

// Tree is KDF_TREE_GOSTR3411_2012_256 (RFC 7836, Section 4.5): length bytes (not bits) of output,
// a counter of r bytes, 1 to 4.
func Tree(key, label, seed []byte, r, length int) []byte { panic("TODO") }

// Masks names the constants C1, C2, C3 of TLSTREE for a cipher suite.
type Masks uint8

// Masks of the suites of RFC 9189, Section 4.1.1? (table of TLSTREE constants).
const (
	KuznyechikCTROMAC Masks = iota + 1 // 0xC100
	MagmaCTROMAC                       // 0xC101
)

// TLSTree derives record keys.
type TLSTree struct{}

// NewTLSTree returns the tree for a 32-byte root key.
func NewTLSTree(masks Masks, key []byte) *TLSTree { panic("TODO") }

// Key returns the key of the record with number seq.
func (t *TLSTree) Key(seq uint64) [32]byte { panic("TODO") }

// PRF is PRF_TLS_GOSTR3411_2012_256 (RFC 7836, Section 4.2.1).
func PRF(secret []byte, label string, seed []byte, length int) []byte { panic("TODO") }
