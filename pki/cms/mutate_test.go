package cms

import (
	"bytes"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// recorded returns the DER of a file of testdata, which openssl wrote.
func recorded(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil || !bytes.HasPrefix(text, []byte("# Source:")) {
		t.Fatalf("%s: no PEM or no source", name)
	}
	return block.Bytes
}

// recordedSigner returns the certificate of the signer of the recorded files.
func recordedSigner(t testing.TB) *gostx509.Certificate {
	t.Helper()
	cert, err := gostx509.Parse(recorded(t, "signer.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// accepts reports whether a file parses and everything about it passes, its
// certificates being the only candidates, or with one beside it.
func accepts(file []byte, content Content, beside ...*gostx509.Certificate) (*SignedData, bool) {
	sd, err := Parse(file)
	if err != nil {
		return nil, false
	}
	certs, _ := sd.X509()
	results := sd.Verify(content, append(certs, beside...))
	for _, r := range results {
		if !allPassed(r.Math) || !allPassed(r.Format) {
			return sd, false
		}
	}
	return sd, len(results) > 0
}

// flips are the ways in which the mutation tests spoil one byte: every bit alone
// and all of them.
func flips() []byte { return []byte{1, 2, 4, 8, 16, 32, 64, 128, 255} }

// TestRecorded verifies the recorded files as they are.
func TestRecorded(t *testing.T) {
	for _, v := range []struct {
		file  string
		level Level
	}{{"cades.pem", BES}, {"noattr.pem", Plain}, {"stream.pem", Plain}, {"keyid.pem", Plain}} {
		text, err := os.ReadFile(filepath.Join("testdata", v.file))
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range [][]byte{text, recorded(t, v.file)} {
			sd, ok := accepts(form, Content{}, recordedSigner(t))
			if !ok || string(sd.Content) != "Demo document.\n" || sd.Signers[0].BaseLevel() != v.level {
				t.Errorf("%s: not accepted, or with other content or level", v.file)
			}
		}
	}
}

// TestFlipEveryByte spoils every byte of a CAdES signature, the certificate and
// the document inside included: none passes.
func TestFlipEveryByte(t *testing.T) {
	file := recorded(t, "cades.pem")
	for i := range file {
		for _, mask := range flips() {
			file[i] ^= mask
			if _, ok := accepts(file, Content{}); ok {
				t.Errorf("byte %d ^ %02x: accepted", i, mask)
			}
			file[i] ^= mask
		}
	}
}

// TestFlipPlain does the same to signatures that name no certificate, whose
// signer is given beside them: the file has nothing else that could be changed.
func TestFlipPlain(t *testing.T) {
	for _, name := range []string{"keyid.pem", "stream.pem"} {
		file, cert := withoutCertificates(t, name), recordedSigner(t)
		if _, ok := accepts(file, Content{}, cert); !ok {
			t.Fatalf("%s: not accepted without a change", name)
		}
		for i := range file {
			for _, mask := range flips() {
				file[i] ^= mask
				if _, ok := accepts(file, Content{}, cert); ok {
					t.Errorf("%s: byte %d ^ %02x: accepted", name, i, mask)
				}
				file[i] ^= mask
			}
		}
	}
}

// withoutCertificates returns the DER of a recorded file without the set of
// certificates: a change in there is for the path builder to find.
func withoutCertificates(t *testing.T, name string) []byte {
	t.Helper()
	sd, err := Parse(recorded(t, name))
	if err != nil {
		t.Fatal(err)
	}
	if len(sd.Certificates) == 0 {
		return bytes.Clone(sd.Raw)
	}
	cert := sd.Certificates[0]
	set := append(appendHeader(nil, 0xa0, len(cert)), cert...)
	if !bytes.Contains(sd.Raw, set) {
		t.Fatal("the certificates are not where they should be")
	}
	// Strip the outer headers, cut the set out and wrap the rest again.
	body := sd.Raw
	for range 3 {
		h, err := readHeader(body)
		if err != nil {
			t.Fatal(err)
		}
		body = body[h.size:]
		if h.tag == 0x30 && bytes.HasPrefix(body, []byte("\x06\x09"+oidSignedData)) {
			body = body[2+len(oidSignedData):]
		}
	}
	body = bytes.Replace(body, set, nil, 1)
	body = append(appendHeader(nil, 0x30, len(body)), body...)
	body = append(appendHeader(nil, 0xa0, len(body)), body...)
	body = append([]byte("\x06\x09"+oidSignedData), body...)
	return append(appendHeader(nil, 0x30, len(body)), body...)
}

// TestFlipText spoils every character of a signature in PEM. Blanks do not
// count, so a changed line end may leave the same signature, but no other.
func TestFlipText(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "cades.pem"))
	if err != nil {
		t.Fatal(err)
	}
	want := recorded(t, "cades.pem")
	start := bytes.Index(text, []byte("-----BEGIN"))
	for i := start; i < len(text); i++ {
		for _, mask := range flips() {
			text[i] ^= mask
			if sd, ok := accepts(text, Content{}); ok && !bytes.Equal(sd.Raw, want) {
				t.Errorf("character %d ^ %02x: accepted as something else", i, mask)
			}
			text[i] ^= mask
		}
	}
}

// TestTruncated cuts a signature short at every length, and adds to it.
func TestTruncated(t *testing.T) {
	file := recorded(t, "cades.pem")
	for n := range file {
		if sd, err := Parse(file[:n]); err == nil || sd != nil {
			t.Errorf("%d bytes of %d: accepted", n, len(file))
		}
	}
	for _, tail := range []string{"\x00", "\x00\x00", "\x05\x00"} {
		if _, err := Parse(append(bytes.Clone(file), tail...)); reason.Of(err) != reason.SignatureMalformed {
			t.Errorf("tail %x: %v", tail, err)
		}
	}
}

// TestFlipDocument spoils every byte of the document of a detached signature.
func TestFlipDocument(t *testing.T) {
	f := goodForgery(t)
	f.content = nil
	file := f.build(t)
	if _, ok := accepts(file, Document(document)); !ok {
		t.Fatal("not accepted without a change")
	}
	changed := bytes.Clone(document)
	for i := range changed {
		for _, mask := range flips() {
			changed[i] ^= mask
			if _, ok := accepts(file, Document(changed)); ok {
				t.Errorf("byte %d ^ %02x: accepted", i, mask)
			}
			changed[i] ^= mask
		}
	}
}

// TestContentBeside offers a document beside a signature that has one inside.
func TestContentBeside(t *testing.T) {
	file := recorded(t, "cades.pem")
	if _, ok := accepts(file, Document([]byte("Demo document.\n"))); !ok {
		t.Error("the same document beside: not accepted")
	}
	sd, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	certs, _ := sd.X509()
	for _, other := range [][]byte{[]byte("Demo document."), {}, nil} {
		r := sd.Verify(Document(other), certs)[0]
		wantCheck(t, r.Math, CheckContent, verdict.Failed, reason.ContentMismatch)
	}
	id := sd.Signers[0].DigestAlgorithm.Algorithm
	r := sd.Verify(Digest(id, make([]byte, 32)), certs)[0]
	wantCheck(t, r.Math, CheckContent, verdict.Failed, reason.ContentMismatch)
	r = sd.Verify(Digest([]int{1, 2, 3}, make([]byte, 32)), certs)[0]
	wantCheck(t, r.Math, CheckContent, verdict.Indeterminate, reason.SignatureAlgorithmUnsupported)
}

// TestNoSigners checks that a file without signers has no results at all.
func TestNoSigners(t *testing.T) {
	f := goodForgery(t)
	f.key = nil
	sd, err := Parse(f.write(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	certs, _ := sd.X509()
	if results := sd.Verify(Content{}, certs); len(results) != 0 {
		t.Errorf("%+v", results)
	}
}

// TestLimits checks that counts above the limits are refused.
func TestLimits(t *testing.T) {
	f := goodForgery(t)
	f.certificates = nil
	for range MaxCertificates + 1 {
		f.certificates = append(f.certificates, []byte{0x30, 0})
	}
	wantTooLarge(t, "certificates", f.build(t))

	f = goodForgery(t)
	for range MaxDigestAlgorithms {
		f.digests = append(f.digests, f.digests[0])
	}
	wantTooLarge(t, "digest algorithms", f.build(t))

	f = goodForgery(t)
	for range MaxAttributes {
		f.signed = append(f.signed, f.signed[0])
	}
	wantTooLarge(t, "attributes", f.build(t))

	signers := appendHeader(nil, 0x31, 2*(MaxSigners+1))
	signers = append(signers, bytes.Repeat([]byte{0x30, 0}, MaxSigners+1)...)
	f = goodForgery(t)
	f.key, f.certificates = nil, nil
	wantTooLarge(t, "signers", wrap(t, f, signers))

	wantTooLarge(t, "bytes", make([]byte, MaxSize+1))
}

// wrap writes a file whose signerInfos is the given element.
func wrap(t *testing.T, f *forgery, signers []byte) []byte {
	t.Helper()
	good := f.write(t, nil)
	version := []byte{0x02, 0x01, 0x01}
	_, rest, found := bytes.Cut(good, version)
	if !found {
		t.Fatal("no version")
	}
	inner := slices.Concat(version, bytes.TrimSuffix(rest, []byte{0x31, 0}), signers)
	body := append(appendHeader(nil, 0x30, len(inner)), inner...)
	body = append(appendHeader(nil, 0xa0, len(body)), body...)
	body = append([]byte("\x06\x09"+oidSignedData), body...)
	return append(appendHeader(nil, 0x30, len(body)), body...)
}

func wantTooLarge(t *testing.T, what string, file []byte) {
	t.Helper()
	if sd, err := Parse(file); sd != nil || reason.Of(err) != reason.SignatureTooLarge {
		t.Errorf("too many %s: %v", what, err)
	}
}

// FuzzParse checks that a failed parse returns nothing and that a successful one
// is a fixed point within the limits.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"cades.pem", "noattr.pem", "stream.pem", "keyid.pem"} {
		f.Add(recorded(f, name))
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sd, err := Parse(data)
		if err != nil {
			if sd != nil {
				t.Fatalf("%x: rejected, yet returned something", data)
			}
			if code := reason.Of(err); code == reason.InternalError {
				t.Fatalf("%x: %v has no reason", data, err)
			}
			return
		}
		again, err := Parse(sd.Raw)
		if err != nil || !bytes.Equal(again.Raw, sd.Raw) || len(again.Signers) != len(sd.Signers) {
			t.Fatalf("%x: parsed as %x, which does not parse to itself: %v", data, sd.Raw, err)
		}
		if len(sd.Signers) > MaxSigners || len(sd.Certificates) > MaxCertificates || len(sd.CRLs) > MaxCRLs {
			t.Fatalf("%x: limits", data)
		}
	})
}

// FuzzVerify checks that nothing but the document that was signed ever passes.
// Parts that no signature protects, such as further certificates, may change.
func FuzzVerify(f *testing.F) {
	cert := recordedSigner(f)
	for _, name := range []string{"cades.pem", "noattr.pem", "stream.pem", "keyid.pem"} {
		f.Add(recorded(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sd, ok := accepts(data, Content{}, cert)
		if !ok {
			return
		}
		if string(sd.Content) != "Demo document.\n" || !sd.isData() {
			t.Fatalf("%x: passes with the content %q of type %v", data, sd.Content, sd.ContentType)
		}
		for i, r := range sd.Verify(Content{}, []*gostx509.Certificate{cert}) {
			if !r.Certificate.Equal(cert) || statusOf(r.Math, CheckSignature) == nil {
				t.Fatalf("%x: signer %d passes without the certificate or a signature check", data, i)
			}
		}
	})
}
