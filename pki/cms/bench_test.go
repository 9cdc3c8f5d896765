package cms

import (
	"bytes"
	"encoding/pem"
	"os"
	"reflect"
	"testing"

	"propusk/gost/gost3410"
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

// BenchmarkReset reads the same file again and again.
func BenchmarkReset(b *testing.B) {
	data, err := os.ReadFile(samples.Path(b, "data", "cms_signed", "detached", "diadoc-cms-signed-fd77a2b22dd8d338.p7s"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	var sd SignedData
	for b.Loop() {
		if err := sd.Reset(data); err != nil {
			b.Fatal(err)
		}
	}
}

// TestResetAllocates reads signatures of several signers in turn into one SignedData.
func TestResetAllocates(t *testing.T) {
	one := newSignatory(t, gost3410.TC26256A(), "Первый Вымышленный")
	two := newSignatory(t, gost3410.TC26512C(), "Второй Вымышленный")
	var files [][]byte
	for _, by := range [][]Signatory{{one}, {one, two}, {two}} {
		file, err := Create(nil, []byte("a document"), by...)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	var sd SignedData
	all := func() {
		for _, file := range files {
			if err := sd.Reset(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 4 { // until everything is long enough
		all()
	}
	if n := testing.AllocsPerRun(100, all); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestReset reads files of all kinds one after the other into one SignedData: each is
// read as if it were the first, also after one that cannot be read.
func TestReset(t *testing.T) {
	var files [][]byte
	for _, name := range []string{"cades.pem", "noattr.pem", "stream.pem", "keyid.pem"} {
		file := recorded(t, name)
		files = append(files, file, file[:len(file)-1], pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: file}))
	}
	for _, line := range corpus(t, "cms_signed/", ".p7m", ".p7s") {
		data, err := os.ReadFile(line.path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, data)
	}
	var sd SignedData
	for i, file := range files {
		for range 2 {
			want, wantErr := Parse(bytes.Clone(file))
			err := sd.Reset(file)
			if (err == nil) != (wantErr == nil) {
				t.Fatalf("file %d: %v, want %v", i, err, wantErr)
			}
			if err != nil {
				if !reflect.DeepEqual(sd, SignedData{}) {
					t.Errorf("file %d: refused, yet something is there", i)
				}
				continue
			}
			got := sd
			got.spare, want.spare = nil, nil
			if !reflect.DeepEqual(&got, want) {
				t.Errorf("file %d: %+v, want %+v", i, got, want)
			}
		}
	}
}
