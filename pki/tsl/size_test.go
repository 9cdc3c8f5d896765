package tsl

import (
	"bytes"
	"os"
	"reflect"
	"runtime"
	"testing"

	"propusk/pki/gostx509"
)

// TestFullSize: a list of the size of the real one takes memory for its certificates
// and little more, and does not hold on to the document.
func TestFullSize(t *testing.T) {
	if testing.Short() {
		t.Skip("a list of 25 MB")
	}
	doc, p := big(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	l, err := Verify(doc, p.cert)
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	certificates, bytesOfThem := 0, 0
	for ca, c := range l.Certificates() {
		certificates++
		bytesOfThem += len(c.DER)
		if listed, ok := l.CAOf(&gostx509.Certificate{Raw: c.DER}); !ok || listed != ca {
			t.Fatalf("certificate %d is not listed", certificates)
		}
	}
	if len(doc) < 24<<20 || len(l.Content().CAs) != 500 || certificates != 6000 {
		t.Errorf("%d bytes, %d records, %d certificates", len(doc), len(l.Content().CAs), certificates)
	}
	// All that was ever allocated, and what of it is left: 15 MB are certificates.
	if total := int64(after.TotalAlloc - before.TotalAlloc); total > 32_000_000 {
		t.Errorf("%d bytes allocated for a list of %d", total, len(doc))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if kept := int64(after.HeapAlloc) - int64(before.HeapAlloc); kept > int64(bytesOfThem)+7_000_000 {
		t.Errorf("%d bytes kept, %d of them certificates", kept, bytesOfThem)
	}
	runtime.KeepAlive(doc)
	runtime.KeepAlive(l)
}

// TestFlip changes bits of every byte of a signed list: what verifies still says what
// was signed.
func TestFlip(t *testing.T) {
	doc, err := os.ReadFile("testdata/small.xml")
	if err != nil {
		t.Fatal(err)
	}
	content, err := Parse(doc)
	if err != nil {
		t.Fatal(err)
	}
	p := newPublisher(t)
	doc, err = Sign(content.Content(), p.key, p.cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Verify(doc, p.cert)
	if err != nil {
		t.Fatal(err)
	}
	signature := bytes.Index(doc, []byte("<ds:Signature "))
	for i := range doc {
		for _, bit := range []byte{0x01, 0x20} {
			bad := bytes.Clone(doc)
			bad[i] ^= bit
			l, err := Verify(bad, p.cert)
			if err != nil {
				if l != nil {
					t.Fatalf("byte %d: refused, yet returned", i)
				}
				continue
			}
			// Spelling, such as the kind of quotes in the XML declaration, is not signed.
			if !reflect.DeepEqual(l.Content(), want.Content()) {
				t.Fatalf("byte %d ^ %#x: verified with another content", i, bit)
			}
			if i > len("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") && i < signature {
				t.Fatalf("byte %d ^ %#x: %q verified", i, bit, bad[max(0, i-20):i+20])
			}
		}
	}
}
