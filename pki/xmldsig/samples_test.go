package xmldsig

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"propusk/pki/reason"
	"propusk/pki/samples"
	"propusk/pki/verdict"
)

// TestSamplesValid: signatures from the wild verify, and each covers what it
// says. Five of the files hold more than one document, or notes after it; as
// files they are not XML and are refused, as libxml2 does.
func TestSamplesValid(t *testing.T) {
	torn := 0
	for name, doc := range files(t, samples.Path(t, "data", "xmldsig/valid/*.xml")) {
		if first, rest, ok := bytes.Cut(doc, []byte("</soap:Envelope>")); ok && len(bytes.TrimSpace(rest)) > 0 {
			if _, err := Inspect(doc); reason.Of(err) != reason.XMLMalformed {
				t.Errorf("%s: a file with something after the document: %v", filepath.Base(name), err)
			}
			doc, torn = doc[:len(first)+len("</soap:Envelope>")], torn+1
		}
		sigs, err := Inspect(doc)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
			continue
		}
		for i, s := range sigs {
			if s.Status != verdict.Passed || s.Reason() != "" || s.Certificate == nil || len(s.References) == 0 {
				t.Errorf("%s: signature %d: %+v", filepath.Base(name), i, s.Checks)
				continue
			}
			c := s.References[0]
			if enveloped := strings.HasPrefix(filepath.Base(name), "lsh123"); c.Whole != enveloped {
				t.Errorf("%s: signature %d: covers %+v", filepath.Base(name), i, c)
			}
			if !c.Whole && !bytes.Contains(doc[c.Start:c.End], []byte(c.URI[1:])) {
				t.Errorf("%s: signature %d: %+v is not the element with that identifier", filepath.Base(name), i, c)
			}
		}
	}
	if torn != 5 {
		t.Errorf("%d files hold more than a document, want 5", torn)
	}
}

// TestSamplesInvalid: no file of the invalid set passes as a whole, whichever of
// its signatures is bad.
func TestSamplesInvalid(t *testing.T) {
	for name, doc := range files(t, samples.Path(t, "data", "xmldsig/invalid/*.xml")) {
		sigs, err := Inspect(doc)
		good := 0
		for _, s := range sigs {
			if s.Status == verdict.Passed {
				good++
			} else if s.Certificate != nil || s.Reason() == "" {
				t.Errorf("%s: a bad signature with a signer or without a reason: %+v", filepath.Base(name), s)
			}
		}
		if err == nil && good == len(sigs) {
			t.Errorf("%s: passed", filepath.Base(name))
		}
	}
}

// TestSamplesBroken flips one bit in every byte of what the signatures of a real
// message cover.
func TestSamplesBroken(t *testing.T) {
	doc, err := os.ReadFile(samples.Path(t, "data", "xmldsig/valid/Roland4444-GetResponseRequestWithoutFilter-ce46e16b.xml"))
	if err != nil {
		t.Fatal(err)
	}
	sigs, err := Inspect(doc)
	if err != nil || sigs[0].Status != verdict.Passed {
		t.Fatalf("%v, %+v", err, sigs)
	}
	ref := sigs[0].References[0]
	passed := 0
	for i := ref.Start; i < ref.End; i++ {
		bad := bytes.Clone(doc)
		bad[i] ^= 1
		if sigs, err := Inspect(bad); err == nil && sigs[0].Status == verdict.Passed {
			passed++
			if !isMarkup(doc, i) {
				t.Errorf("byte %d, %q: passed", i, doc[max(0, i-20):i+1])
			}
		}
	}
	t.Logf("%d of %d flips do not change the canonical form", passed, ref.End-ref.Start)
}

// isMarkup reports whether a byte may change without changing the normal form of
// СМЭВ: it is inside a tag, where quotes, white space and prefixes stand.
func isMarkup(doc []byte, i int) bool {
	return bytes.LastIndexByte(doc[:i+1], '<') > bytes.LastIndexByte(doc[:i], '>')
}
