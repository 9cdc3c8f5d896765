package kuznyechik_test

import (
	"encoding/hex"
	"fmt"

	"propusk/gost/kuznyechik"
)

// The example of RFC 7801, Section 5.5.
func ExampleNew() {
	key, err := hex.DecodeString("8899aabbccddeeff0011223344556677fedcba98765432100123456789abcdef")
	if err != nil {
		panic(err)
	}
	block, err := kuznyechik.New(key)
	if err != nil {
		panic(err)
	}
	text, err := hex.DecodeString("1122334455667700ffeeddccbbaa9988")
	if err != nil {
		panic(err)
	}
	block.Encrypt(text, text)
	fmt.Printf("%x\n", text)
	block.Decrypt(text, text)
	fmt.Printf("%x\n", text)
	// Output:
	// 7f679d90bebc24305a468d42b9d4edcd
	// 1122334455667700ffeeddccbbaa9988
}
