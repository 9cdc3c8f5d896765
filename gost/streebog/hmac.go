package streebog

import "hash"

// mac is HMAC whose key was hashed already.
type mac struct {
	inner, outer digest // after the key
	now          digest // inner and what was written
}

// NewHMAC256 returns HMAC_GOSTR3411_2012_256 of RFC 7836, Section 4.1.1, which is HMAC of
// RFC 2104 with [New256], with a key of any length, which is not kept. It is what
// crypto/hmac returns, and quicker when it is used again after Reset: the two blocks that
// are made of the key are hashed only once. Compare codes with hmac.Equal.
//
// The hash implements [hash.Cloner], is not safe for several goroutines, and does not
// allocate in Write and in Sum into a slice with enough capacity.
func NewHMAC256(key []byte) hash.Hash { return newHMAC(key, Size256) }

// NewHMAC512 is [NewHMAC256] with [New512]: HMAC_GOSTR3411_2012_512 of RFC 7836, Section
// 4.1.2.
func NewHMAC512(key []byte) hash.Hash { return newHMAC(key, Size512) }

// HMAC256 returns the code of the parts, one after the other: that of [NewHMAC256], without
// allocating. It is for keys that are used once.
func HMAC256(key []byte, parts ...[]byte) (code [Size256]byte) {
	var m mac
	m.init(key, Size256)
	for _, p := range parts {
		m.now.write(p)
	}
	m.Sum(code[:0])
	return code
}

func newHMAC(key []byte, size int) *mac {
	m := new(mac)
	m.init(key, size)
	return m
}

// init hashes the key.
func (m *mac) init(key []byte, size int) {
	m.inner.init(size)
	m.outer.init(size)
	var padded block
	if len(key) > BlockSize {
		m.now.init(size)
		m.now.finish(&m.now.h, key)
		copy(padded[:], m.now.h[Size512-size:])
	} else {
		copy(padded[:], key)
	}
	for i := range padded {
		padded[i] ^= 0x36
	}
	m.inner.write(padded[:])
	for i := range padded {
		padded[i] ^= 0x36 ^ 0x5c
	}
	m.outer.write(padded[:])
	clear(padded[:])
	m.Reset()
}

// Size implements hash.Hash.
func (m *mac) Size() int { return m.inner.size }

// BlockSize implements hash.Hash.
func (m *mac) BlockSize() int { return BlockSize }

// Reset implements hash.Hash: the key stays.
func (m *mac) Reset() { m.now = m.inner }

// Clone implements hash.Cloner. The error is always nil.
func (m *mac) Clone() (hash.Cloner, error) {
	c := *m
	return &c, nil
}

// Write implements hash.Hash. The error is always nil.
func (m *mac) Write(p []byte) (int, error) { return m.now.Write(p) }

// Sum implements hash.Hash: it leaves the state alone, so that writing can go on.
func (m *mac) Sum(in []byte) []byte {
	var h block
	m.now.finish(&h, m.now.tail[:m.now.used])
	digest := h[Size512-m.inner.size:]
	m.outer.finish(&h, digest)
	return append(in, digest...)
}
