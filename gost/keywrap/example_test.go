package keywrap_test

import (
	"bytes"
	"fmt"

	"propusk/gost/keywrap"
	"propusk/gost/kuznyechik"
)

func Example() {
	macKey, encKey := bytes.Repeat([]byte{0x42}, 32), bytes.Repeat([]byte{0x43}, 32)
	iv := make([]byte, kuznyechik.BlockSize/2) // never the same for the same keys
	wrapped, err := keywrap.KExp15(kuznyechik.New, macKey, encKey, iv, []byte("a key of another cipher"))
	if err != nil {
		panic(err)
	}
	secret, err := keywrap.KImp15(kuznyechik.New, macKey, encKey, iv, wrapped)
	fmt.Printf("%s %v\n", secret, err)

	wrapped[0] ^= 1
	_, err = keywrap.KImp15(kuznyechik.New, macKey, encKey, iv, wrapped)
	fmt.Println(err)
	// Output:
	// a key of another cipher <nil>
	// keywrap: wrong authentication code
}
