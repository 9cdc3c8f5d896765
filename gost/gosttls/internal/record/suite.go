// Package record protects the records of TLS with the GOST cipher suites: CTR_OMAC
// and CNT_IMIT of TLS 1.2 and before (RFC 9189, Section 4.1) and MGM of TLS 1.3 (RFC
// 9367, Section 4.1).
//
// A [Protector] is one direction of a connection under one set of traffic keys. It
// numbers the records itself, derives the keys that change with the number, writes
// and removes headers, and hides what the versions do differently: with TLS 1.3 the
// type that goes into Seal and comes out of Open is the real one, which travels
// inside; the padding of the peer is removed, and nothing is padded here.
package record

import (
	"crypto/cipher"
	"math"

	"propusk/gost/gost28147"
	"propusk/gost/kdf"
	"propusk/gost/kuznyechik"
	"propusk/gost/magma"
)

// Sizes in bytes.
const (
	HeaderSize   = 5
	MaxPlaintext = 1 << 14 // RFC 5246, Section 6.2.1; RFC 8446, Section 5.1
	KeySize      = 32      // of MAC and encryption keys

	// maxExpansion13 is how much longer than MaxPlaintext a fragment of TLS 1.3
	// may be (RFC 8446, Section 5.2).
	maxExpansion13 = 256
)

// A KeyExchange is how the secret of a handshake comes about.
type KeyExchange uint8

// The key exchanges of the suites.
const (
	// KeyExchangeKExp15 exports the premaster secret under keys of KEG: RFC 9189,
	// Section 4.2.4.1.
	KeyExchangeKExp15 KeyExchange = iota + 1

	// KeyExchangeKExp28147 exports the premaster secret under a key of KEG_28147:
	// RFC 9189, Section 4.2.4.2.
	KeyExchangeKExp28147

	// KeyExchangeECDHE agrees on a secret of ephemeral keys: RFC 9367, Section 6.1.
	KeyExchangeECDHE
)

// kind is what is done with a record.
type kind uint8

const (
	ctrOMAC kind = iota + 1
	cntIMIT
	mgmTree
)

// Suite holds the parameters of a cipher suite.
type Suite struct {
	ID   uint16
	Name string // as IANA has it

	// Version13 says that the suite belongs to TLS 1.3, and to no version before.
	// The suites of CNT_IMIT work with TLS 1.0 to 1.2, those of CTR_OMAC only with
	// 1.2.
	Version13 bool

	// KeyExchange says how the secret of the handshake comes about.
	KeyExchange KeyExchange

	// BlockSize is n: the length of a block in bytes.
	BlockSize int

	// MACSize is the length of the authentication code of a record in bytes.
	MACSize int

	// FinishedSize is the length of verify_data in bytes (RFC 9189, Section
	// 4.2.6; RFC 8446, Section 4.4.4).
	FinishedSize int

	// NewCipher makes the block cipher from a 32-byte key. It is nil with
	// CNT_IMIT, whose modes are those of package gost28147.
	NewCipher func(key []byte) (cipher.Block, error)

	// MaxSeq is SNMAX, the last number that a record may have (RFC 9189, Section
	// 4.3.5; RFC 9367, Section 4.1.3).
	MaxSeq uint64

	kind    kind
	section int       // bytes under one key of CTR-ACPKM (RFC 9189, Section 4.3.3)
	masks   kdf.Masks // of TLSTREE (RFC 9189, Section 8.1; RFC 9367, Section 4.1.2)
	leaf    uint64    // how many records in a row have one key by these masks
}

// IVSize returns the length in bytes of the IV of a direction. With CTR_OMAC it is
// half a block, also in KExp15.
func (s *Suite) IVSize() int {
	if s.kind == ctrOMAC {
		return s.BlockSize / 2
	}
	return s.BlockSize
}

var (
	kuznyechikCTROMAC = Suite{
		ID:           0xc100,
		Name:         "TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC",
		KeyExchange:  KeyExchangeKExp15,
		BlockSize:    kuznyechik.BlockSize,
		MACSize:      kuznyechik.BlockSize,
		FinishedSize: 32,
		NewCipher:    kuznyechik.New,
		MaxSeq:       math.MaxUint64,
		kind:         ctrOMAC,
		section:      4096,
		masks:        kdf.KuznyechikCTROMAC,
		leaf:         64,
	}
	magmaCTROMAC = Suite{
		ID:           0xc101,
		Name:         "TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC",
		KeyExchange:  KeyExchangeKExp15,
		BlockSize:    magma.BlockSize,
		MACSize:      magma.BlockSize,
		FinishedSize: 32,
		NewCipher:    magma.New,
		MaxSeq:       math.MaxUint32,
		kind:         ctrOMAC,
		section:      1024,
		masks:        kdf.MagmaCTROMAC,
		leaf:         4096,
	}
	gost28147CNTIMIT = Suite{
		ID:           0xc102,
		Name:         "TLS_GOSTR341112_256_WITH_28147_CNT_IMIT",
		KeyExchange:  KeyExchangeKExp28147,
		BlockSize:    gost28147.BlockSize,
		MACSize:      gost28147.MACSize,
		FinishedSize: 12,
		MaxSeq:       math.MaxUint64,
		kind:         cntIMIT,
	}
	legacyCNTIMIT = Suite{
		ID:           0xff85,
		Name:         "LEGACY-GOST2012-GOST8912-GOST8912", // of OpenSSL; IANA has no name for it
		KeyExchange:  KeyExchangeKExp28147,
		BlockSize:    gost28147.BlockSize,
		MACSize:      gost28147.MACSize,
		FinishedSize: 12,
		MaxSeq:       math.MaxUint64,
		kind:         cntIMIT,
	}
	kuznyechikMGML = Suite{
		ID:           0xc103,
		Name:         "TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_L",
		Version13:    true,
		KeyExchange:  KeyExchangeECDHE,
		BlockSize:    kuznyechik.BlockSize,
		MACSize:      kuznyechik.BlockSize,
		FinishedSize: 32,
		NewCipher:    kuznyechik.New,
		MaxSeq:       math.MaxUint64,
		kind:         mgmTree,
		masks:        kdf.KuznyechikMGML,
		leaf:         8192,
	}
	magmaMGML = Suite{
		ID:           0xc104,
		Name:         "TLS_GOSTR341112_256_WITH_MAGMA_MGM_L",
		Version13:    true,
		KeyExchange:  KeyExchangeECDHE,
		BlockSize:    magma.BlockSize,
		MACSize:      magma.BlockSize,
		FinishedSize: 32,
		NewCipher:    magma.New,
		MaxSeq:       math.MaxUint64,
		kind:         mgmTree,
		masks:        kdf.MagmaMGML,
		leaf:         128,
	}
	kuznyechikMGMS = Suite{
		ID:           0xc105,
		Name:         "TLS_GOSTR341112_256_WITH_KUZNYECHIK_MGM_S",
		Version13:    true,
		KeyExchange:  KeyExchangeECDHE,
		BlockSize:    kuznyechik.BlockSize,
		MACSize:      kuznyechik.BlockSize,
		FinishedSize: 32,
		NewCipher:    kuznyechik.New,
		MaxSeq:       1<<42 - 1,
		kind:         mgmTree,
		masks:        kdf.KuznyechikMGMS,
		leaf:         8,
	}
	magmaMGMS = Suite{
		ID:           0xc106,
		Name:         "TLS_GOSTR341112_256_WITH_MAGMA_MGM_S",
		Version13:    true,
		KeyExchange:  KeyExchangeECDHE,
		BlockSize:    magma.BlockSize,
		MACSize:      magma.BlockSize,
		FinishedSize: 32,
		NewCipher:    magma.New,
		MaxSeq:       1<<39 - 1,
		kind:         mgmTree,
		masks:        kdf.MagmaMGMS,
		leaf:         1,
	}
)

// SuiteByID returns the suite with the given number, or false.
func SuiteByID(id uint16) (*Suite, bool) {
	switch id {
	case kuznyechikCTROMAC.ID:
		return &kuznyechikCTROMAC, true
	case magmaCTROMAC.ID:
		return &magmaCTROMAC, true
	case gost28147CNTIMIT.ID:
		return &gost28147CNTIMIT, true
	case legacyCNTIMIT.ID:
		return &legacyCNTIMIT, true
	case kuznyechikMGML.ID:
		return &kuznyechikMGML, true
	case magmaMGML.ID:
		return &magmaMGML, true
	case kuznyechikMGMS.ID:
		return &kuznyechikMGMS, true
	case magmaMGMS.ID:
		return &magmaMGMS, true
	}
	return nil, false
}
