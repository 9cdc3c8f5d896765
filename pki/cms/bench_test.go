package cms

import (
	"os"
	"testing"

	"propusk/pki/samples"
)

// BenchmarkParse reads a CAdES-BES of 3.4 KB with one certificate.
func BenchmarkParse(b *testing.B) {
	data, err := os.ReadFile(samples.Path(b, "data", "cms_signed", "detached", "diadoc-cms-signed-fd77a2b22dd8d338.p7s"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(data); err != nil {
			b.Fatal(err)
		}
	}
}
