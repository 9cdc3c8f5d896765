package gost3410_test

import (
	"fmt"

	"propusk/gost/gost3410"
	"propusk/gost/streebog"
	"propusk/gost/vko"
)

func Example() {
	key, err := gost3410.GenerateKey(gost3410.TC26256A(), nil) // with crypto/rand
	if err != nil {
		panic(err)
	}
	digest := streebog.Sum256([]byte("message"))
	signature, err := key.Sign(nil, digest[:], nil)
	if err != nil {
		panic(err)
	}
	public, err := gost3410.NewPublicKey(gost3410.TC26256A(), key.PublicKey().Bytes())
	if err != nil {
		panic(err)
	}
	fmt.Println(public.Verify(digest[:], signature))

	digest = streebog.Sum256([]byte("another message"))
	fmt.Println(public.Verify(digest[:], signature))
	// Output:
	// true
	// false
}

func ExamplePrivateKey_SharedPoint() {
	ours, err := gost3410.GenerateKey(gost3410.TC26512C(), nil)
	if err != nil {
		panic(err)
	}
	theirs, err := gost3410.GenerateKey(gost3410.TC26512C(), nil)
	if err != nil {
		panic(err)
	}
	ukm := []byte{1, 2, 3, 4, 5, 6, 7, 8} // both sides know it
	here, err := vko.VKO256(ours, theirs.PublicKey(), ukm)
	if err != nil {
		panic(err)
	}
	there, err := vko.VKO256(theirs, ours.PublicKey(), ukm)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(here) == string(there))
	// Output: true
}

func ExampleKeyCache() {
	key, err := gost3410.GenerateKey(gost3410.CryptoProA(), nil)
	if err != nil {
		panic(err)
	}
	cache := gost3410.NewKeyCache(256) // tables, 90 to 270 KB each
	var batch []gost3410.Signed
	for i := range 10 {
		digest := streebog.Sum256([]byte{byte(i)})
		signature, err := key.Sign(nil, digest[:], nil)
		if err != nil {
			panic(err)
		}
		if !cache.Verify(key.PublicKey(), digest[:], signature) {
			panic("a good signature was refused")
		}
		batch = append(batch, gost3410.Signed{Key: key.PublicKey(), Digest: digest[:], Signature: signature})
	}
	batch[3].Signature[5] ^= 1
	fmt.Println(gost3410.VerifyMany(cache, batch))
	// Output: [true true true false true true true true true true]
}
