package modes

import (
	"bytes"
	"encoding/hex"
	"testing"

	"propusk/gost/internal/cryptotest"
	"propusk/gost/internal/engine"
	"propusk/gost/kdf"
	"propusk/gost/kuznyechik"
	"propusk/gost/magma"
)

// TestEngineCMS reads encrypted data of gost-engine in CMS, with the parameters of RFC
// 9337, Section 7.3: half of a block of IV, then 8 bytes from which the suites with OMAC
// derive their keys. (The engine gives no code of encrypted data to compare.)
func TestEngineCMS(t *testing.T) {
	key, msg := cryptotest.Bytes(32), cryptotest.Bytes(600_001)
	for _, c := range []struct {
		name    string
		new     newCipher
		section int
		derive  bool
	}{
		{"kuznyechik-ctr-acpkm", kuznyechik.New, 256 << 10, false},
		{"magma-ctr-acpkm", magma.New, 8 << 10, false},
		{"kuznyechik-ctr-acpkm-omac", kuznyechik.New, 256 << 10, true},
		{"magma-ctr-acpkm-omac", magma.New, 8 << 10, true},
	} {
		der := engine.Run(t, msg, "cms", "-EncryptedData_encrypt", "-secretkey", hex.EncodeToString(key), "-"+c.name,
			"-binary", "-outform", "DER")
		ivSize := mustCipher(t, c.new, key).BlockSize() / 2
		content := der[len(der)-len(msg):]
		ukm := der[len(der)-len(msg)-5-ivSize-8:][:ivSize+8] // before the header of the content
		used := key
		if c.derive {
			used = kdf.Tree(key, []byte("kdf tree"), ukm[ivSize:], 1, 64)[:32]
		}
		if !bytes.Equal(xor(acpkm(t, c.new, used, ukm[:ivSize], c.section), content), msg) {
			t.Errorf("%s of gost-engine does not decrypt", c.name)
		}
	}
}
