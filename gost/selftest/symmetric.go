package selftest

import (
	"crypto/cipher"
	"hash"

	"propusk/gost/gost28147"
	"propusk/gost/gostr341194"
	"propusk/gost/kuznyechik"
	"propusk/gost/magma"
	"propusk/gost/modes"
	"propusk/gost/streebog"
)

// symmetric are the hash functions, the ciphers and their modes.
var symmetric = []check{
	{"Streebog-256", func() error { return hashes(streebog.New256(), streebogMessage, streebog256) }},
	{"Streebog-512", func() error { return hashes(streebog.New512(), streebogMessage, streebog512) }},
	{"GOST R 34.11-94", func() error { return hashes(gostr341194.New(), "616263", gost94ABC) }},
	{"Kuznyechik", func() error {
		return encrypts(kuznyechik.New, kuznyechikKey, "1122334455667700ffeeddccbbaa9988", "7f679d90bebc24305a468d42b9d4edcd")
	}},
	{"Magma", func() error {
		return encrypts(magma.New, magmaKey, "fedcba9876543210", "4ee901e5c2d8ca3d")
	}},
	{"GOST 28147-89", func() error {
		tc26 := func(key []byte) (cipher.Block, error) { return gost28147.New(key, gost28147.TC26Z()) }
		return encrypts(tc26, kekSeed, "2021222324252627", "d15547f8ee85121b")
	}},
	{"Kuznyechik CTR", func() error { return streams(kuznyechik.New, kuznyechikKey, "1234567890abcef0", kuznyechikCTR) }},
	{"Magma CTR", func() error { return streams(magma.New, magmaKey, "12345678", magmaCTR) }},
	{"Kuznyechik OMAC", func() error {
		return codes(kuznyechik.New, kuznyechikKey, kuznyechikPlain, "336f4d296059fbe34ddeb35b37749c67")
	}},
	{"Magma OMAC", func() error { return codes(magma.New, magmaKey, magmaPlain, "154e72102030c5bb") }},
	{"Kuznyechik CTR-ACPKM", func() error {
		return record(kuznyechik.New, "0000000000000040", 4096, 8192, kuznyechikCode, kuznyechikEnd)
	}},
	{"Magma CTR-ACPKM", func() error { return record(magma.New, "00001000", 1024, 2048, magmaCode, magmaEnd) }},
}

const (
	// RFC 6986, Section 10, example 1, with all bytes reversed.
	streebogMessage = "303132333435363738393031323334353637383930313233343536373839303132333435363738393031323334353637383930313233343536373839303132"
	streebog256     = "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500"
	streebog512     = "1b54d01a4af5b9d5cc3d86d68d285462b19abc2475222f35c085122be4ba1ffa00ad30f8767b3a82384c6574f024c311e2a481332b08ef7f41797891c1646f48"

	// "abc" with the CryptoPro parameters, as Botan and gost-engine have it.
	gost94ABC = "b285056dbf18d7392d7677369524dd14747459ed8143997e163b2986f92fd42c"

	// RFC 7801, Section 5.4; RFC 8891, Appendix A.3; RFC 7836, Appendix B, example 11.
	kuznyechikKey = "8899aabbccddeeff0011223344556677fedcba98765432100123456789abcdef"
	magmaKey      = "ffeeddccbbaa99887766554433221100f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
	kekSeed       = "a1aa5f7de402d7b3d323f2991c8d4534013137010a83754fd0af6d7cd4922ed9"

	// GOST R 34.13-2015, Appendix A.
	kuznyechikPlain = "1122334455667700ffeeddccbbaa998800112233445566778899aabbcceeff0a112233445566778899aabbcceeff0a002233445566778899aabbcceeff0a0011"
	kuznyechikCTR   = "f195d8bec10ed1dbd57b5fa240bda1b885eee733f6a13e5df33ce4b33c45dee4a5eae88be6356ed3d5e877f13564a3a5cb91fab1f20cbab6d1c6d15820bdba73"
	magmaPlain      = "92def06b3c130a59db54c704f8189d204a98fb2e67a8024c8912409b17b57e41"
	magmaCTR        = "4e98110c97b7b93c3e250d93d6e85d69136d868807b2dbef568eb680ab52a12d"

	// RFC 9189, Appendix A.1.2: record 64 with Kuznyechik, record 4096 with Magma, the
	// code and the end of the ciphertext.
	kuznyechikCode = "eac39787842b1dbd6080cc3fbfae5c2f"
	kuznyechikEnd  = "b302672ccb0286cd4048fbd5381a655526112551014fa8edf5c21b7d1db39d6badec0d7c0705348b5c556c4d5081691aa9ec36f8b5"
	magmaCode      = "5055a26abe196381"
	magmaEnd       = "7f0b2461e75fe10634b84dc57035725aca4f0cbca9b06cb9f76fbd2f80462b8d775ebd416f634139ac89c2ed3df19fe24ef8c05aa890931b0186fd7ddf"
)

// recordKeys are K_ENC of the records above.
var recordKeys = map[int]string{
	kuznyechik.BlockSize: "64f55afc37a174d9533e708bcd14fa4aeec37bc0e32ba49901b4669e96a63d96",
	magma.BlockSize:      "edf2fd02477160238309002d1d57df9fd2ed18d64566c76f4bf03d3abf7bbb1e",
}

type newCipher = func(key []byte) (cipher.Block, error)

// hashes writes the message in two parts.
func hashes(h hash.Hash, message, want string) error {
	m := unhex(message)
	h.Write(m[:1])
	h.Write(m[1:])
	return equal(h.Sum(nil), want)
}

// encrypts tries both directions.
func encrypts(c newCipher, key, plain, sealed string) error {
	b, err := c(unhex(key))
	if err != nil {
		return err
	}
	buf := unhex(plain)
	b.Encrypt(buf, buf)
	if err := equal(buf, sealed); err != nil {
		return err
	}
	b.Decrypt(buf, buf)
	return equal(buf, plain)
}

func streams(c newCipher, key, iv, want string) error {
	b, err := c(unhex(key))
	if err != nil {
		return err
	}
	buf := unhex(kuznyechikPlain)
	if b.BlockSize() == magma.BlockSize {
		buf = unhex(magmaPlain)
	}
	modes.NewCTR(b, unhex(iv)).XORKeyStream(buf, buf)
	return equal(buf, want)
}

func codes(c newCipher, key, message, want string) error {
	b, err := c(unhex(key))
	if err != nil {
		return err
	}
	return hashes(modes.NewOMAC(b), message, want)
}

// record encrypts a TLS record of size zero bytes and the given code, which is two
// sections and a little more, and looks at its end.
func record(c newCipher, iv string, section, size int, code, end string) error {
	buf := append(make([]byte, size), unhex(code)...)
	s, err := modes.NewCTRACPKM(c, unhex(recordKeys[len(code)/2]), unhex(iv), section)
	if err != nil {
		return err
	}
	s.XORKeyStream(buf, buf)
	return equal(buf[len(buf)-len(end)/2:], end)
}
