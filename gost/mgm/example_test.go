package mgm_test

import (
	"bytes"
	"fmt"

	"propusk/gost/kuznyechik"
	"propusk/gost/mgm"
)

func Example() {
	key := bytes.Repeat([]byte{0x42}, kuznyechik.KeySize)
	block, err := kuznyechik.New(key)
	if err != nil {
		panic(err)
	}
	aead, err := mgm.New(block)
	if err != nil {
		panic(err)
	}
	// A number that never repeats for the key, with its upper bit clear.
	nonce := make([]byte, aead.NonceSize())
	nonce[len(nonce)-1] = 1

	sealed := aead.Seal(nil, nonce, []byte("message"), []byte("header"))
	opened, err := aead.Open(nil, nonce, sealed, []byte("header"))
	fmt.Printf("%s %v\n", opened, err)

	_, err = aead.Open(nil, nonce, sealed, []byte("another header"))
	fmt.Println(err)
	// Output:
	// message <nil>
	// mgm: message authentication failed
}
