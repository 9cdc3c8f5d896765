// Package record protects the records of TLS 1.2 with the CTR_OMAC cipher suites
// of RFC 9189, Section 4.1.1: MAC, then encrypt, with keys that change with the
// number of the record.
package record

import (
	"crypto/cipher"
	"math"

	"propusk/gost/kdf"
	"propusk/gost/kuznyechik"
	"propusk/gost/magma"
)

// Sizes in bytes.
const (
	HeaderSize   = 5
	MaxPlaintext = 1 << 14 // RFC 5246, Section 6.2.1
	KeySize      = 32      // of MAC and encryption keys
)

// Suite holds the parameters of a cipher suite.
type Suite struct {
	ID   uint16
	Name string // as IANA has it

	// BlockSize is n: the length of a block and of the MAC in bytes. The IV of
	// a connection and of KExp15 is half of it.
	BlockSize int

	// NewCipher makes the block cipher from a 32-byte key.
	NewCipher func(key []byte) (cipher.Block, error)

	// MaxSeq is SNMAX, the last number that a record may have (Section 4.3.5).
	MaxSeq uint64

	section int       // bytes under one key of CTR-ACPKM (Section 4.3.3)
	masks   kdf.Masks // of TLSTREE (Section 8.1)
}

// IVSize returns the length in bytes of the IV of a direction and of KExp15.
func (s *Suite) IVSize() int { return s.BlockSize / 2 }

var (
	kuznyechikCTROMAC = Suite{
		ID:        0xc100,
		Name:      "TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC",
		BlockSize: kuznyechik.BlockSize,
		NewCipher: kuznyechik.New,
		MaxSeq:    math.MaxUint64,
		section:   4096,
		masks:     kdf.KuznyechikCTROMAC,
	}
	magmaCTROMAC = Suite{
		ID:        0xc101,
		Name:      "TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC",
		BlockSize: magma.BlockSize,
		NewCipher: magma.New,
		MaxSeq:    math.MaxUint32,
		section:   1024,
		masks:     kdf.MagmaCTROMAC,
	}
)

// SuiteByID returns the suite with the given number, or false.
func SuiteByID(id uint16) (*Suite, bool) {
	switch id {
	case kuznyechikCTROMAC.ID:
		return &kuznyechikCTROMAC, true
	case magmaCTROMAC.ID:
		return &magmaCTROMAC, true
	}
	return nil, false
}
