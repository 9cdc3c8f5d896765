package kdf_test

import (
	"bytes"
	"crypto/hkdf"
	"fmt"

	"propusk/gost/kdf"
	"propusk/gost/streebog"
)

func ExampleTree() {
	key := bytes.Repeat([]byte{0x42}, kdf.Size)
	fmt.Printf("%x\n", kdf.Tree(key, []byte("label"), []byte("seed"), 1, 64))
	// Output:
	// 336cedc28b16da11f77d2891bc61c4fb316df8f05a0ae7f520548fe6e550fcf69510da51a28971992bcc299e5cf1bca273fe88b3e57d29f15f03dc7a34723808
}

// The keys of the records of a connection: one of them serves 64 records.
func ExampleTLSTree() {
	tree := kdf.NewTLSTree(kdf.KuznyechikCTROMAC, bytes.Repeat([]byte{0x42}, kdf.Size))
	fmt.Println(tree.Key(0) == tree.Key(63))
	fmt.Println(tree.Key(0) == tree.Key(64))
	// Output:
	// true
	// false
}

// HKDF of RFC 5869, which TLS 1.3 takes, is in the standard library.
func Example_hkdf() {
	key, err := hkdf.Key(streebog.New256, []byte("secret"), []byte("salt"), "what the key is for", 32)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%x\n", key)
	// Output:
	// 9fcc8888a885f3d19b4443138f703c172ba9b197c17b96fa974cc196d457d99a
}
