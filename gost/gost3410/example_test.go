package gost3410_test

import (
	"fmt"

	"propusk/gost/gost3410"
	"propusk/gost/streebog"
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
