package cms

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"reflect"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"propusk/gost/gost3410"
	"propusk/pki/der"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

// checkStream holds ParseStream to what Parse says of the same bytes.
func checkStream(t testing.TB, data []byte) {
	t.Helper()
	want, wantErr := Parse(data)
	got, content, err := ParseStream(bytes.NewReader(data))
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%x: Parse says %v, ParseStream %v", data, wantErr, err)
	}
	if err != nil {
		if got != nil || content.passed {
			t.Fatalf("%x: refused, yet something was returned", data)
		}
		return
	}
	if got.Raw != nil || got.Content != nil {
		t.Fatal("a stream holds what it should let pass")
	}
	if content.passed == want.Detached {
		t.Fatalf("detached %v, document passed %v", want.Detached, content.passed)
	}
	for _, d := range content.digests {
		h, err := sigalg.NewHash(d.algorithm)
		if err != nil {
			t.Fatal(err)
		}
		if h.Write(want.Content); !bytes.Equal(h.Sum(nil), d.digest) {
			t.Fatalf("%v: another digest of the document", d.algorithm)
		}
	}
	certs, _ := want.X509()
	document := Document([]byte("some document"))
	if !want.Detached {
		document = content
	}
	for i, result := range got.Verify(document, certs) {
		expected := want.Verify(document, certs)[i]
		if statusOf(expected.Format, CheckFormat) != nil && !allPassed(expected.Format) {
			continue // an algorithm that was not announced was not computed
		}
		if !reflect.DeepEqual(result, expected) {
			t.Fatalf("%x: a stream gives %+v, want %+v", data, result, expected)
		}
	}
	a, b := *want, *got
	for _, sd := range []*SignedData{&a, &b} {
		sd.Raw, sd.Content, sd.RawEncapContentInfo, sd.passed, sd.spare = nil, nil, nil, nil, nil
	}
	if !reflect.DeepEqual(a, b) {
		t.Fatalf("%x: a stream gives %+v, want %+v", data, b, a)
	}
}

// streamed returns an attached signature in the forms that software writes, each
// under its name.
func streamed(t testing.TB, file []byte) map[string][]byte {
	t.Helper()
	forms := map[string][]byte{"DER": file, "base64": []byte(base64.StdEncoding.EncodeToString(file))}
	forms["PEM"] = pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: file})
	forms["PEM with text"] = []byte("\xEF\xBB\xBFa signature\r\n-----BEGIN X-----\r\nAA==\r\n-----END X-----\r\n" +
		strings.ReplaceAll(string(forms["PEM"]), "\n", "\r\n") + "\r\nthe end")
	forms["PEM twice"] = bytes.Repeat(forms["PEM"], 2)
	forms["PEM without an end"] = forms["PEM"][:len(forms["PEM"])-8]
	forms["base64 cut"] = forms["base64"][:len(forms["base64"])-1]
	forms["base64 padded twice"] = append(bytes.Clone(forms["base64"]), "MAo="...)
	forms["trailing byte"] = append(bytes.Clone(file), 0)
	forms["truncated"] = file[:len(file)-1]
	forms["empty"] = nil
	forms["blank"] = []byte(" \r\n")
	forms["BER"] = asBER(t, file, 0)
	forms["BER, pieces"] = asBER(t, file, 5)
	forms["BER, one end too few"] = forms["BER"][:len(forms["BER"])-2]
	forms["BER, one end too many"] = append(bytes.Clone(forms["BER"]), 0, 0)
	return forms
}

// asBER writes the elements around the document with indefinite lengths, and the
// document in pieces of the given size unless that is zero.
func asBER(t testing.TB, file []byte, piece int) []byte {
	t.Helper()
	sd, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	var p parser
	top := p.d.Open(file, derLimits)
	info := top.Sequence()
	out := append([]byte{0x30, 0x80}, info.Raw()...)
	explicit := info.Enter(der.Constructed(0))
	seq := explicit.Sequence()
	out = append(out, 0xA0, 0x80, 0x30, 0x80)
	out = append(append(out, seq.Raw()...), seq.Raw()...)
	encapsulated := seq.Sequence()
	out = append(append(out, 0x30, 0x80), encapsulated.Raw()...)
	if !sd.Detached {
		out = append(out, 0xA0, 0x80)
		if piece == 0 {
			out = append(appendHeader(out, 4, len(sd.Content)), sd.Content...)
		} else {
			out = append(out, 0x24, 0x80, 0x24, 0x80, 0, 0)
			for rest := sd.Content; len(rest) > 0; {
				n := min(piece, len(rest))
				out = append(append(out, 0x24, byte(n+2), 4, byte(n)), rest[:n]...)
				rest = rest[n:]
			}
			out = append(out, 0, 0)
		}
		out = append(out, 0, 0)
	}
	out = append(out, 0, 0)
	out = append(out, seq.Rest()...)
	if p.d.Err() != nil {
		t.Fatal(p.d.Err())
	}
	return append(out, 0, 0, 0, 0, 0, 0)
}

func TestParseStreamForms(t *testing.T) {
	someone := newSignatory(t, gost3410.TC26256A(), "Первый Вымышленный")
	attached, err := Create(nil, []byte("a document that is signed"), someone)
	if err != nil {
		t.Fatal(err)
	}
	detached, err := CreateDetached(nil, strings.NewReader("some document"), someone)
	if err != nil {
		t.Fatal(err)
	}
	for kind, file := range map[string][]byte{"attached": attached, "detached": detached} {
		for name, form := range streamed(t, file) {
			t.Run(kind+" "+name, func(t *testing.T) {
				checkStream(t, form)
				whole, _, wholeErr := ParseStream(bytes.NewReader(form))
				slow, _, slowErr := ParseStream(iotest.OneByteReader(bytes.NewReader(form)))
				if (wholeErr == nil) != (slowErr == nil) || !reflect.DeepEqual(whole, slow) {
					t.Errorf("byte by byte: %v, %v", wholeErr, slowErr)
				}
				if good := strings.HasSuffix(name, "DER") || strings.HasSuffix(name, "pieces") || name == "PEM with text"; good && wholeErr != nil {
					t.Error(wholeErr)
				}
			})
		}
	}
}

func TestParseStreamCorpus(t *testing.T) {
	for _, line := range corpus(t, "cms_signed/", ".p7m", ".p7s") {
		data, err := os.ReadFile(line.path)
		if err != nil {
			t.Fatal(err)
		}
		checkStream(t, data)
	}
}

// TestParseStreamMutated changes every byte of a signature in three ways: a stream
// never accepts what Parse does not, nor says anything else about it.
func TestParseStreamMutated(t *testing.T) {
	someone := newSignatory(t, gost3410.TC26256A(), "Первый Вымышленный")
	file, err := Create(nil, []byte("a document"), someone)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range [][]byte{file, asBER(t, file, 3)} {
		for i := range form {
			for _, change := range []byte{0x01, 0x80, 0xFF} {
				mutant := bytes.Clone(form)
				mutant[i] ^= change
				checkStream(t, mutant)
			}
		}
	}
}

// pattern is what generated is made of.
var pattern = bytes.Repeat([]byte("propusk"), 1<<12)

// generated is a document of any length.
type generated struct{ left, done int64 }

func (g *generated) Read(p []byte) (int, error) {
	if g.left == 0 {
		return 0, io.EOF
	}
	n := int(min(g.left, int64(len(p))))
	for at := 0; at < n; {
		copied := copy(p[at:n], pattern[g.done%7:])
		at += copied
		g.done, g.left = g.done+int64(copied), g.left-int64(copied)
	}
	return n, nil
}

// large returns an attached signature of a document that is longer than memory should
// hold, in one or in pieces. The signature is of another document.
func large(t *testing.T, size int64, pieces bool) io.Reader {
	t.Helper()
	small, err := Create(nil, []byte("x"), newSignatory(t, gost3410.TC26256A(), "Первый Вымышленный"))
	if err != nil {
		t.Fatal(err)
	}
	before, after, found := bytes.Cut(asBER(t, small, 0), []byte("\x04\x01x"))
	if !found {
		t.Fatal("the document is not where it should be")
	}
	document := &generated{left: size}
	parts := []io.Reader{bytes.NewReader(before)}
	if !pieces {
		parts = append(parts, bytes.NewReader(appendHeader(nil, 4, int(size))), document)
	} else {
		const piece = 1 << 20
		parts = append(parts, strings.NewReader("\x24\x80"))
		for range size / piece {
			parts = append(parts, bytes.NewReader(appendHeader(nil, 4, piece)), io.LimitReader(document, piece))
		}
		parts = append(parts, strings.NewReader("\x00\x00"))
	}
	return io.MultiReader(append(parts, bytes.NewReader(after))...)
}

// TestStreamMemory reads documents that nothing holds: 64 MB, or 1 GB with
// PROPUSK_STREAM=1, detached and attached.
func TestStreamMemory(t *testing.T) {
	size := int64(64 << 20)
	if os.Getenv("PROPUSK_STREAM") == "1" {
		size = 1 << 30
	}
	before := allocated()
	want, err := Stream(&generated{left: size}, sigalg.OIDStreebog256)
	if err != nil {
		t.Fatal(err)
	}
	checkAllocated(t, before)
	for _, pieces := range []bool{false, true} {
		file := large(t, size, pieces)
		before := allocated()
		_, got, err := ParseStream(file)
		if err != nil {
			t.Fatal(err)
		}
		checkAllocated(t, before)
		if !reflect.DeepEqual(got, want) {
			t.Error("the digest of the document is wrong")
		}
	}
}

// allocated is how many bytes were ever allocated.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// checkAllocated allows for the buffers.
func checkAllocated(t *testing.T, before uint64) {
	t.Helper()
	if n := allocated() - before; n > 4<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
}

func TestStream(t *testing.T) {
	someone := newSignatory(t, gost3410.TC26256A(), "Первый Вымышленный")
	document := bytes.Repeat([]byte("a document "), 10_000)
	file, err := CreateDetached(nil, bytes.NewReader(document), someone)
	if err != nil {
		t.Fatal(err)
	}
	sd, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	certs, _ := sd.X509()
	changed := append(bytes.Clone(document), ' ')
	for name, c := range map[string]struct {
		document   []byte
		algorithms []asn1.ObjectIdentifier
		status     verdict.Status
		why        reason.Code
	}{
		"the right one":      {document, nil, verdict.Passed, ""},
		"one digest":         {document, []asn1.ObjectIdentifier{sigalg.OIDStreebog256}, verdict.Passed, ""},
		"the same twice":     {document, []asn1.ObjectIdentifier{sigalg.OIDStreebog256, sigalg.OIDStreebog256}, verdict.Passed, ""},
		"another document":   {changed, nil, verdict.Failed, reason.ContentChanged},
		"an empty document":  {nil, nil, verdict.Failed, reason.ContentChanged},
		"another digest":     {document, []asn1.ObjectIdentifier{sigalg.OIDSHA256}, verdict.Indeterminate, reason.ContentMissing},
		"another digest too": {document, []asn1.ObjectIdentifier{sigalg.OIDSHA512, sigalg.OIDStreebog256}, verdict.Passed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			content, err := Stream(iotest.HalfReader(bytes.NewReader(c.document)), c.algorithms...)
			if err != nil {
				t.Fatal(err)
			}
			wantCheck(t, sd.Verify(content, certs)[0].Math, CheckContent, c.status, c.why)
		})
	}
}

// TestStreamBeside gives a document beside an attached signature, where one of both, or
// both, are known by their digests only.
func TestStreamBeside(t *testing.T) {
	someone := newSignatory(t, gost3410.TC26256A(), "Первый Вымышленный")
	document := []byte("a document")
	file, err := Create(nil, document, someone)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	passedBy, _, err := ParseStream(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	stream := func(b []byte, algorithms ...asn1.ObjectIdentifier) Content {
		c, err := Stream(bytes.NewReader(b), algorithms...)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, sd := range []*SignedData{whole, passedBy} {
		for _, c := range []struct {
			content Content
			status  verdict.Status
			why     reason.Code
		}{
			{Content{}, verdict.Passed, ""},
			{Document(document), verdict.Passed, ""},
			{Document([]byte("another")), verdict.Failed, reason.ContentMismatch},
			{stream(document), verdict.Passed, ""},
			{stream([]byte("another")), verdict.Failed, reason.ContentMismatch},
			{stream([]byte("another"), sigalg.OIDStreebog256), verdict.Failed, reason.ContentMismatch},
		} {
			certs, _ := sd.X509()
			wantCheck(t, sd.Verify(c.content, certs)[0].Math, CheckContent, c.status, c.why)
		}
	}
	certs, _ := passedBy.X509()
	sum := sha256.Sum256(document)
	only := Digest(sigalg.OIDSHA256, sum[:]) // not among those that were announced
	wantCheck(t, passedBy.Verify(only, certs)[0].Math, CheckContent, verdict.Indeterminate, reason.ContentMissing)
	wantCheck(t, whole.Verify(only, certs)[0].Math, CheckContent, verdict.Passed, "")
}

// TestStreamAttributes offers the signed attributes of one signature as the document
// of another without attributes, and what looks like some: at hand and as a stream.
func TestStreamAttributes(t *testing.T) {
	sd, err := Parse(recorded(t, "cades.pem"))
	if err != nil {
		t.Fatal(err)
	}
	attributes := append([]byte{byte(der.TagSet)}, sd.Signers[0].RawSignedAttrs[1:]...)
	bare := *sd
	bare.Signers = slices.Clone(sd.Signers)
	bare.Signers[0].RawSignedAttrs, bare.Signers[0].SignedAttrs = nil, nil
	bare.Detached, bare.Content = true, nil
	long := append([]byte("\x06\x01\x2a"), appendHeader(nil, byte(der.TagSet), 1<<17)...)
	long = append(long, make([]byte, 1<<17)...)
	long = append(appendHeader(nil, byte(der.TagSequence), len(long)), long...)
	long = append(appendHeader(nil, byte(der.TagSet), len(long)), long...)
	for _, c := range []struct {
		document []byte
		want     verdict.Status
	}{
		{attributes, verdict.Failed},
		{append(bytes.Clone(attributes), 0), verdict.Passed},
		{long, verdict.Failed},
		{append(bytes.Clone(long), 0), verdict.Passed},
		{long[1:], verdict.Passed},
		{append([]byte{byte(der.TagSequence)}, attributes[1:]...), verdict.Passed},
		{[]byte("\x31\x07\x30\x05\x06\x01\x2a\x31\x00"), verdict.Failed},
		{[]byte("\x31\x80\x30\x80\x06\x01\x2a\x31\x00\x00\x00\x00\x00"), verdict.Failed},
		{[]byte("\x31\x81\x07\x30\x05\x06\x01\x2a\x31\x00"), verdict.Failed},
		{[]byte("\x31\x07\x30\x05\x02\x01\x2a\x31\x00"), verdict.Passed},
		{[]byte("\x31\x07\x31\x05\x06\x01\x2a\x31\x00"), verdict.Passed},
		{[]byte("12" + strings.Repeat("0", 0x32)), verdict.Passed},
		{[]byte("\x31\x02\x30\x00"), verdict.Passed},
		{[]byte("\x31\x01\x30"), verdict.Passed},
		{[]byte("\x31\x00"), verdict.Passed},
		{[]byte("1"), verdict.Passed},
		{nil, verdict.Passed},
	} {
		content, err := Stream(iotest.OneByteReader(bytes.NewReader(c.document)))
		if err != nil {
			t.Fatal(err)
		}
		got := bare.Verify(Document(c.document), nil)[0].Math[0]
		if got.Name != CheckContent || got.Status != c.want {
			t.Errorf("%.40x: %v", c.document, got)
		}
		if streamed := bare.Verify(content, nil)[0].Math[0]; streamed != got {
			t.Errorf("%.40x: a stream gives %v, a document %v", c.document, streamed, got)
		}
	}
}

func TestStreamErrors(t *testing.T) {
	broken := errors.New("broken")
	if _, err := Stream(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("Stream says %v", err)
	}
	if _, err := Stream(strings.NewReader(""), asn1.ObjectIdentifier{1, 2, 3}); !errors.Is(err, sigalg.ErrUnknown) {
		t.Errorf("Stream says %v of an unknown algorithm", err)
	}
	file := recorded(t, "cades.pem")
	for n := range len(file) {
		r := io.MultiReader(bytes.NewReader(file[:n]), iotest.ErrReader(broken))
		if sd, _, err := ParseStream(r); !errors.Is(err, broken) || sd != nil {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
	for name, in := range map[string]string{
		"a length of 8 EB":       "\x30\x88\xff\xff\xff\xff\xff\xff\xff\xff",
		"a version of 1 TB":      "\x30\x80\x06\x09" + oidSignedData + "\xa0\x80\x30\x80\x02\x86\x01\x00\x00\x00\x00\x00",
		"algorithms without end": "\x30\x80\x06\x09" + oidSignedData + "\xa0\x80\x30\x80\x02\x01\x01" + strings.Repeat("\x31\x80", 100),
	} {
		if _, _, err := ParseStream(strings.NewReader(in)); reason.Of(err) != reason.SignatureMalformed && reason.Of(err) != reason.SignatureTooLarge {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseStream(f *testing.F) {
	for _, name := range []string{"cades.pem", "noattr.pem", "stream.pem", "keyid.pem"} {
		raw := recorded(f, name)
		f.Add(raw)
		f.Add(pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: raw}))
		f.Add([]byte(base64.StdEncoding.EncodeToString(raw)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		checkStream(t, data)
	})
}
