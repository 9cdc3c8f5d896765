package gost28147

import (
	"encoding/binary"

	"propusk/gost/internal/avx512"
)

// Meshing says whether CryptoPro key meshing replaces the key on the way. RFC 4357,
// Section 2.3, wants it with all sets of parameters but [Test], and RFC 9189, Section
// 4.3, with [TC26Z] in TLS.
type Meshing bool

// The algorithms of RFC 4357, Section 2.3.
const (
	// MeshingNone is id-Gost28147-89-None-KeyMeshing: one key for the whole message.
	MeshingNone Meshing = false

	// MeshingCryptoPro is id-Gost28147-89-CryptoPro-KeyMeshing: another key after every
	// 1024 bytes.
	MeshingCryptoPro Meshing = true
)

// section is how many bytes one key processes with MeshingCryptoPro.
const section = 1024

// meshingConstant is C of RFC 4357, Section 2.3.2.
const meshingConstant = "\x69\x00\x72\x22\x64\xC9\x04\x23\x8D\x3A\xDB\x96\x46\xE9\x2A\xC4" +
	"\x18\xFE\xAC\x94\x00\xED\x07\x12\xC0\x86\xDC\xC2\xEF\x4C\xA9\x2B"

// mesh replaces the key by the next one, RFC 4357, Section 2.3.2.
func mesh(s *SBox, key *Key) {
	if avx512.Enabled {
		s.meshVector(key)
		return
	}
	var next Key
	for i := 0; i < len(next); i += 2 {
		word := decrypt(s, key, binary.LittleEndian.Uint64([]byte(meshingConstant[4*i:4*i+8])))
		next[i], next[i+1] = uint32(word), uint32(word>>32)
	}
	*key = next
}

// loadKey returns the words of a key of KeySize bytes.
func loadKey(key []byte) (k Key) {
	for i := range k {
		k[i] = binary.LittleEndian.Uint32(key[4*i:])
	}
	return k
}

// Diversify is the CryptoPro KEK Diversification Algorithm of RFC 4357, Section 6.5,
// which RFC 9189 calls CPDivers: a key made of a key of KeySize bytes and user keying
// material of BlockSize bytes. Other lengths are mistakes of the caller, and panic.
func Diversify(s *SBox, key, ukm []byte) [KeySize]byte {
	if len(key) != KeySize {
		panic("gost28147: key must be 32 bytes")
	}
	if len(ukm) != BlockSize {
		panic("gost28147: user keying material must be 8 bytes")
	}
	k := loadKey(key)
	for _, a := range ukm {
		var chosen, others uint32
		for j, word := range k {
			mask := -(uint32(a) >> j & 1)
			chosen += word & mask
			others += word &^ mask
		}
		// encryptCFB(S[i], K[i], K[i])
		feedback, next := uint64(others)<<32|uint64(chosen), Key{}
		for j := 0; j < len(k); j += 2 {
			feedback = encrypt(s, &k, feedback) ^ (uint64(k[j+1])<<32 | uint64(k[j]))
			next[j], next[j+1] = uint32(feedback), uint32(feedback>>32)
		}
		k = next
	}
	var out [KeySize]byte
	for i, word := range k {
		binary.LittleEndian.PutUint32(out[4*i:], word)
	}
	return out
}
