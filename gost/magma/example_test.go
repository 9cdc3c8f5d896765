package magma_test

import (
	"encoding/hex"
	"fmt"

	"propusk/gost/magma"
)

// The example of RFC 8891, Appendix A.4.
func ExampleNew() {
	key, err := hex.DecodeString("ffeeddccbbaa99887766554433221100f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
	if err != nil {
		panic(err)
	}
	block, err := magma.New(key)
	if err != nil {
		panic(err)
	}
	text, err := hex.DecodeString("fedcba9876543210")
	if err != nil {
		panic(err)
	}
	block.Encrypt(text, text)
	fmt.Printf("%x\n", text)
	block.Decrypt(text, text)
	fmt.Printf("%x\n", text)
	// Output:
	// 4ee901e5c2d8ca3d
	// fedcba9876543210
}
