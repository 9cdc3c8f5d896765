// Package kdf derives keys from keys with HMAC-Streebog-256: the functions of
// RFC 7836, Section 4, and the key tree of TLS, RFC 9189, Section 8.1, and RFC 9367,
// Section 4.1.2. HKDF, which TLS 1.3 takes besides, is crypto/hkdf with streebog.
//
// The functions leave their arguments alone, return new memory and can be called by
// several goroutines at once. Keys may have any length where none is said.
package kdf

import (
	"encoding/binary"

	"propusk/gost/streebog"
)

// Size is the length, in bytes, of one output block and of the keys of [TLSTree].
const Size = streebog.Size256

// KDF is KDF_GOSTR3411_2012_256 of RFC 7836, Section 4.5. Label and seed run
// into each other except for one zero byte, so a protocol must fix their lengths.
func KDF(key, label, seed []byte) [Size]byte {
	return streebog.HMAC256(key, []byte{1}, label, []byte{0}, seed, []byte{1, 0}) // 256 bits
}

// Tree is KDF_TREE_GOSTR3411_2012_256 of RFC 7836, Section 4.4. It returns length
// bytes (the standard counts bits), from 1 to Size times the largest counter. The
// counter has r bytes, from 1 to 4; other figures are mistakes of the caller, and
// panic. The length is part of the derivation: a shorter output is not a prefix
// of a longer one.
func Tree(key, label, seed []byte, r, length int) []byte {
	if r < 1 || r > 4 {
		panic("kdf: counter must have 1 to 4 bytes")
	}
	if length < 1 || uint64(length) > Size*(1<<(8*r)-1) {
		panic("kdf: output length out of range")
	}
	suffix := append([]byte{0}, seed...)
	suffix = append(suffix, minimal(8*uint64(length))...)

	mac := streebog.NewHMAC256(key)
	out := make([]byte, 0, length+Size)
	for i := uint32(1); len(out) < length; i++ {
		var counter [4]byte
		binary.BigEndian.PutUint32(counter[:], i)
		mac.Reset()
		mac.Write(counter[4-r:])
		mac.Write(label)
		mac.Write(suffix)
		out = mac.Sum(out)
	}
	return out[:length:length]
}

// minimal returns x in network byte order without leading zero bytes.
func minimal(x uint64) []byte {
	b := binary.BigEndian.AppendUint64(nil, x)
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	return b
}

// PRF is PRF_TLS_GOSTR3411_2012_256 of RFC 7836, Section 4.2.1.1, the
// pseudorandom function of TLS 1.2 with the suites of RFC 9189. It returns length
// bytes, zero or more; a shorter output is a prefix of a longer one.
func PRF(secret []byte, label string, seed []byte, length int) []byte {
	seed = append([]byte(label), seed...)
	mac := streebog.NewHMAC256(secret)
	sum := func(dst []byte, parts ...[]byte) []byte {
		mac.Reset()
		for _, p := range parts {
			mac.Write(p)
		}
		return mac.Sum(dst)
	}
	out := make([]byte, 0, length+Size)
	a := sum(nil, seed)
	for len(out) < length {
		if len(out) > 0 {
			a = sum(a[:0], a)
		}
		out = sum(out, a, seed)
	}
	return out[:length:length]
}
