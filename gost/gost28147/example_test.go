package gost28147_test

import (
	"bytes"
	"fmt"

	"propusk/gost/gost28147"
)

// A record of TLS with TLS_GOSTR341112_256_WITH_28147_CNT_IMIT: the stream and the code
// go on from record to record.
func Example() {
	sbox, meshing := gost28147.TC26Z(), gost28147.MeshingCryptoPro
	key, iv := bytes.Repeat([]byte{0x42}, gost28147.KeySize), make([]byte, gost28147.BlockSize)
	stream, err := gost28147.NewCNT(key, iv, sbox, meshing)
	if err != nil {
		panic(err)
	}
	macKey := bytes.Repeat([]byte{0x43}, gost28147.KeySize)
	mac, err := gost28147.NewIMIT(macKey, nil, sbox, meshing, gost28147.MACSize)
	if err != nil {
		panic(err)
	}
	for _, text := range []string{"one", "two", "two"} {
		mac.Write([]byte(text))
		record := mac.Sum([]byte(text))
		stream.XORKeyStream(record, record)
		fmt.Printf("%x\n", record)
	}
	// Output:
	// 2f0fdb4e9cd9da
	// 88f99bd44d7efa
	// 0c55848b5a1280
}
