package selftest

import (
	"errors"

	"propusk/gost/gost3410"
	"propusk/gost/kuznyechik"
	"propusk/gost/magma"
	"propusk/gost/mgm"
	"propusk/gost/streebog"
)

// many are the ways that are taken only when there is much to do: long messages,
// several at once, keys that come back. The processor may have assembly of its own for
// each.
var many = []check{
	{"Streebog, several messages", severalMessages},
	{"Kuznyechik MGM, long message", func() error {
		return sealsLong(kuznyechik.New, kuznyechikKey, "1122334455667700ffeeddccbbaa9988", kuznyechikLong)
	}},
	{"Magma MGM, long message", func() error { return sealsLong(magma.New, magmaKey, "12def06b3c130a59", magmaLong) }},
	{"GOST R 34.10-2012, many signatures, CryptoPro-A", func() error {
		return verifiesMany(gost3410.CryptoProA(), keyCryptoProA, signatureCryptoProA)
	}},
	{"GOST R 34.10-2012, many signatures, CryptoPro-B", func() error {
		return verifiesMany(gost3410.CryptoProB(), keyCryptoProB, signatureCryptoProB)
	}},
	{"GOST R 34.10-2012, many signatures, tc26-512-B", func() error {
		return verifiesMany(gost3410.TC26512B(), keyTC26512B, signatureTC26512B)
	}},
	{"GOST R 34.10-2012, many signatures, tc26-512-A", func() error {
		return verifiesMany(gost3410.TC26512A(), keyTC26512A, signatureTC26512A)
	}},
	{"GOST R 34.10-2012, a key that comes back, CryptoPro-A", func() error {
		return verifiesAgain(gost3410.CryptoProA(), keyCryptoProA, signatureCryptoProA)
	}},
	{"GOST R 34.10-2012, a key that comes back, tc26-256-A", func() error {
		return verifiesAgain(gost3410.TC26256A(), keyTC26256A, signatureTC26256A)
	}},
}

const (
	// RFC 6986, Section 10, example 2, with all bytes reversed.
	streebogSecond    = "d1e520e2e5f2f0e82c20d1f2f0e8e1eee6e820e2edf3f6e82c20e2e5fef2fa20f120eceef0ff20f1f2f0e5ebe0ece820ede020f5f0e0e1f0fbff20efebfaeafb20c8e3eef0e5e2fb"
	streebog256Second = "9dd2fe4e90409e5da87f53976d7405b0c0cac628fc669a741d50063c557e8f50"
	streebog512Second = "1e88e62226bfca6f9994f1f2d51569e0daf8475a3b0fe61a5300eee46d961376035fe83549ada2b8620fcd7c496ce5b33f0cb9dddc2b6460143b03dabac9fb28"

	// gogost v1.0.0: the last block and the tag of longMessage zeros with longData
	// zeros of associated data.
	longMessage    = 3000
	longData       = 1500
	kuznyechikLong = "a73a4769ee4dff4c53fa2511bc9f4cd36e7f839124496e651fcb221bc9fbf81a"
	magmaLong      = "13d2d9e14c4f61c37a78a24ed0268b0d"
)

// batch is how many messages or signatures are enough for every path.
const batch = 9

// severalMessages hashes two messages in turn, of one block and of two.
func severalMessages() error {
	messages := make([][]byte, batch)
	for i := range messages {
		messages[i] = unhex([]string{streebogMessage, streebogSecond}[i%2])
	}
	for i, sum := range streebog.Sums256(messages) {
		if err := equal(sum[:], []string{streebog256, streebog256Second}[i%2]); err != nil {
			return err
		}
	}
	for i, sum := range streebog.Sums512(messages) {
		if err := equal(sum[:], []string{streebog512, streebog512Second}[i%2]); err != nil {
			return err
		}
	}
	return nil
}

// sealsLong looks at the end of a message of zeros, and opens it.
func sealsLong(c newCipher, key, nonce, end string) error {
	b, err := c(unhex(key))
	if err != nil {
		return err
	}
	a, err := mgm.New(b)
	if err != nil {
		return err
	}
	text, data := make([]byte, longMessage, longMessage+a.Overhead()), make([]byte, longData)
	sealed := a.Seal(text[:0], unhex(nonce), text, data)
	if err := equal(sealed[len(sealed)-len(end)/2:], end); err != nil {
		return err
	}
	_, err = a.Open(sealed[:0], unhex(nonce), sealed, data)
	return err
}

// verifiesMany verifies good and bad signatures in turn.
func verifiesMany(c *gost3410.Curve, key, signature string) error {
	k, err := gost3410.NewPublicKey(c, unhex(key))
	if err != nil {
		return err
	}
	claims := make([]gost3410.Signed, batch)
	for i := range claims {
		sum := digest(c)
		sum[0] ^= byte(i % 2)
		claims[i] = gost3410.Signed{Key: k, Digest: sum, Signature: unhex(signature)}
	}
	for i, good := range gost3410.VerifyMany(nil, claims) {
		if good != (i%2 == 0) {
			return errOneOfMany
		}
	}
	return nil
}

// errOneOfMany means a signature that gets the wrong answer among others.
var errOneOfMany = errors.New("wrong answer for a signature among others")

// verifiesAgain verifies until the key has a table, and then once more.
func verifiesAgain(c *gost3410.Curve, key, signature string) error {
	k, err := gost3410.NewPublicKey(c, unhex(key))
	if err != nil {
		return err
	}
	cache := gost3410.NewKeyCache(1)
	for range batch {
		if !cache.Verify(k, digest(c), unhex(signature)) {
			return errors.New("valid signature was refused")
		}
	}
	changed := digest(c)
	changed[0] ^= 1
	if cache.Verify(k, changed, unhex(signature)) {
		return errAccepted
	}
	return nil
}
