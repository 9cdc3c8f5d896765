package vko_test

import (
	"bytes"
	"fmt"

	"propusk/gost/gost3410"
	"propusk/gost/vko"
)

func ExampleVKO256() {
	alice, err := gost3410.GenerateKey(gost3410.TC26256A(), nil)
	if err != nil {
		panic(err)
	}
	bob, err := gost3410.GenerateKey(gost3410.TC26256A(), nil)
	if err != nil {
		panic(err)
	}
	ukm := []byte{1, 2, 3, 4, 5, 6, 7, 8} // both know it, and it is no secret
	hers, err := vko.VKO256(alice, bob.PublicKey(), ukm)
	if err != nil {
		panic(err)
	}
	his, err := vko.VKO256(bob, alice.PublicKey(), ukm)
	if err != nil {
		panic(err)
	}
	fmt.Println(len(hers), bytes.Equal(hers, his))
	// Output:
	// 32 true
}
