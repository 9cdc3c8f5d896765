package cms

import (
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/streebog"
	"propusk/pki/internal/openssl"
	"propusk/pki/reason"
)

// TestCreateDigest signs documents that are known by their digests, and shows that the
// signatures are those of the documents, to us and to OpenSSL.
func TestCreateDigest(t *testing.T) {
	sum256, sum512 := streebog.Sum256(document), streebog.Sum512(document)
	both := Digests{Streebog256: sum256[:], Streebog512: sum512[:]}
	for _, curve := range curves() {
		by := newSignatory(t, curve, "Подписант Вымышленный")
		file, err := CreateDigest(nil, both, by)
		if err != nil {
			t.Fatalf("%s: %v", curve.Name(), err)
		}
		if _, ok := accepts(file, Document(document)); !ok {
			t.Errorf("%s: the signature is not that of the document", curve.Name())
		}
		if _, ok := accepts(file, Document(append([]byte("x"), document...))); ok {
			t.Errorf("%s: the signature is that of another document", curve.Name())
		}
	}
	t.Run("openssl", func(t *testing.T) {
		openssl.Require(t)
		dir := t.TempDir()
		file, err := CreateDigest(nil, both, newSignatory(t, gost3410.TC26512A(), "Подписант Вымышленный"))
		if err != nil {
			t.Fatal(err)
		}
		openssl.Write(t, dir, "document", document)
		openssl.Write(t, dir, "signature", file)
		openssl.Run(t, dir, "cms", "-verify", "-noverify", "-binary", "-inform", "DER", "-in", "signature", "-content", "document", "-out", "out")
	})
	t.Run("refused", func(t *testing.T) {
		by := newSignatory(t, gost3410.TC26512A(), "Подписант Вымышленный")
		for name, digests := range map[string]Digests{
			"absent": {Streebog256: sum256[:]}, "short": {Streebog512: sum512[:63]}, "none": {},
		} {
			if file, err := CreateDigest(nil, digests, by); reason.Of(err) != reason.ContentMissing || file != nil {
				t.Errorf("%s: %d bytes, %v", name, len(file), err)
			}
		}
		if file, err := CreateDigest(nil, both); err == nil || file != nil {
			t.Errorf("nobody signed: %d bytes", len(file))
		}
	})
}
