package modes_test

import (
	"bytes"
	"crypto/hmac"
	"fmt"

	"propusk/gost/kuznyechik"
	"propusk/gost/magma"
	"propusk/gost/modes"
)

// CTR alone hides a message, but whoever changes it is not found out: see package mgm.
func ExampleNewCTR() {
	block, err := magma.New(bytes.Repeat([]byte{0x42}, magma.KeySize))
	if err != nil {
		panic(err)
	}
	iv := []byte{0, 0, 0, 1} // half a block, which never repeats for the key
	text := []byte("message")
	modes.NewCTR(block, iv).XORKeyStream(text, text)
	fmt.Printf("%x\n", text)
	modes.NewCTR(block, iv).XORKeyStream(text, text)
	fmt.Printf("%s\n", text)
	// Output:
	// efb64d50c07fbf
	// message
}

func ExampleNewCTRACPKM() {
	key, iv := bytes.Repeat([]byte{0x42}, kuznyechik.KeySize), make([]byte, kuznyechik.BlockSize/2)
	stream, err := modes.NewCTRACPKM(kuznyechik.New, key, iv, 4096) // as in TLS
	if err != nil {
		panic(err)
	}
	text := make([]byte, 10_000)
	stream.XORKeyStream(text, text)
	fmt.Printf("%x\n", text[len(text)-8:])
	// Output:
	// 64d8a30cb00d98ff
}

func ExampleNewOMAC() {
	block, err := kuznyechik.New(bytes.Repeat([]byte{0x42}, kuznyechik.KeySize))
	if err != nil {
		panic(err)
	}
	mac := modes.NewOMAC(block)
	mac.Write([]byte("message"))
	code := mac.Sum(nil)
	fmt.Printf("%x\n", code)

	mac.Reset()
	mac.Write([]byte("another message"))
	fmt.Println(hmac.Equal(mac.Sum(nil), code))
	// Output:
	// 638d41628dd4a25efed79aa824d67eed
	// false
}

func ExampleNewOMACACPKM() {
	key := bytes.Repeat([]byte{0x42}, magma.KeySize)
	mac, err := modes.NewOMACACPKM(magma.New, key, 1024, 80)
	if err != nil {
		panic(err)
	}
	mac.Write(make([]byte, 10_000))
	fmt.Printf("%x\n", mac.Sum(nil))
	// Output:
	// 12a442c4d71e361a
}
