package cms

import (
	"bytes"
	"testing"

	"propusk/gost/gost3410"
)

// TestOCSPResponses puts revocation data of several kinds into a file: RFC 5652,
// Section 10.2.1; RFC 5940, Section 2.
func TestOCSPResponses(t *testing.T) {
	file, err := Create(nil, []byte("a document"), newSignatory(t, gost3410.TC26256A(), "Первый Вымышленный"))
	if err != nil {
		t.Fatal(err)
	}
	sd, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	element := func(tag byte, content ...[]byte) []byte {
		joined := bytes.Join(content, nil)
		return append(appendHeader(nil, tag, len(joined)), joined...)
	}
	ocsp, scvp := []byte("\x06\x08"+oidOCSPResponse), []byte("\x06\x08\x2b\x06\x01\x05\x05\x07\x10\x04")
	response := element(0x30, []byte("\x0a\x01\x00"))
	list := element(0x30, []byte("\x05\x00"))
	for name, c := range map[string]struct {
		elements                [][]byte
		lists, answers, skipped int
	}{
		"an answer":              {[][]byte{element(0xA1, ocsp, response)}, 0, 1, 0},
		"a list and two answers": {[][]byte{list, element(0xA1, ocsp, response), element(0xA1, ocsp, response)}, 1, 2, 0},
		"another format":         {[][]byte{element(0xA1, scvp, response)}, 0, 0, 1},
		"an answer and more":     {[][]byte{element(0xA1, ocsp, response, response)}, 0, 0, 1},
		"no answer":              {[][]byte{element(0xA1, ocsp)}, 0, 0, 1},
		"something else":         {[][]byte{element(0xA1, ocsp, []byte("\x05\x00"))}, 0, 0, 1},
		"nothing":                {[][]byte{element(0xA1)}, 0, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			ber := asBER(t, file, 0)
			before, after, _ := bytes.Cut(ber, sd.RawCertificates)
			with := bytes.Join([][]byte{before, sd.RawCertificates, element(0xA1, c.elements...), after}, nil)
			checkStream(t, with)
			var got SignedData
			for range 2 { // the second time into the memory of the first
				if err := got.Reset(with); err != nil {
					t.Fatal(err)
				}
			}
			if len(got.CRLs) != c.lists || len(got.OCSPResponses) != c.answers || got.Skipped != c.skipped {
				t.Fatalf("%d lists, %d answers, %d others", len(got.CRLs), len(got.OCSPResponses), got.Skipped)
			}
			for _, r := range got.OCSPResponses {
				if !bytes.Equal(r, response) {
					t.Errorf("%x, want %x", r, response)
				}
			}
		})
	}
}
