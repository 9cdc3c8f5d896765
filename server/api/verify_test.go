package api

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/server/filekind"
)

// wantVerdict fails unless the answer is a verdict with the conclusion and the code.
func wantVerdict(t *testing.T, name string, w *httptest.ResponseRecorder, conclusion string, code reason.Code) {
	t.Helper()
	if w.Code != http.StatusOK {
		t.Errorf("%s: status %d\n%s", name, w.Code, w.Body)
		return
	}
	if d := decodeAnswer(t, w.Body.Bytes()); d.Conclusion != conclusion || d.Code != code {
		t.Errorf("%s: %s %q, want %s %q", name, d.Conclusion, d.Code, conclusion, code)
	}
}

// wantProblem fails unless the answer is a problem document with the code.
func wantProblem(t *testing.T, name string, w *httptest.ResponseRecorder, status int, code reason.Code) {
	t.Helper()
	d := decodeAnswer(t, w.Body.Bytes())
	if w.Code != status || d.Code != code || d.Status != status || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s: %d %q %s, want %d %q", name, w.Code, d.Code, w.Header().Get("Content-Type"), status, code)
	}
}

// TestEveryWayToSend: the same signature passes in every form in which it may come.
func TestEveryWayToSend(t *testing.T) {
	s := newService(t)
	const document = "Договор № 1\r\n"
	for _, id := range []string{"ip", "ip512", "fl"} {
		attached, detached := s.attached(id, document), s.detached(id, strings.NewReader(document))
		pemText := pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: attached})
		first, firstBody := formBody(t, file{"signature", "a.sig", detached}, file{"content", "a.txt", []byte(document)})
		last, lastBody := formBody(t, file{"content", "a.txt", []byte(document)}, file{"signature", "a.sig", detached})
		alone, aloneBody := formBody(t, file{"signature", "a.sig", attached}, file{"content", "", nil})
		both, bothBody := formBody(t, file{"signature", "a.sig", attached}, file{"content", "a.txt", []byte(document)})
		for name, c := range map[string]struct {
			contentType string
			body        io.Reader
		}{
			"raw":                        {"application/pkcs7-signature", bytes.NewReader(attached)},
			"raw, octets":                {"application/octet-stream", bytes.NewReader(attached)},
			"raw, S/MIME":                {`application/pkcs7-mime; smime-type=signed-data; name="a.p7m"`, bytes.NewReader(attached)},
			"raw, PEM":                   {"application/octet-stream", bytes.NewReader(pemText)},
			"raw, base64":                {"application/octet-stream", strings.NewReader("\ufeff" + b64(attached) + "\r\n")},
			"raw, of unknown length":     {"application/octet-stream", io.MultiReader(bytes.NewReader(attached))},
			"form, signature first":      {first, firstBody},
			"form, document first":       {last, lastBody},
			"form, no document":          {alone, aloneBody},
			"form, attached and beside":  {both, bothBody},
			"JSON":                       {"application/json", strings.NewReader(object("signature", detached, "content", []byte(document)))},
			"JSON, document first":       {"application/json", strings.NewReader(object("content", []byte(document), "signature", detached))},
			"JSON, PEM":                  {"application/json; charset=UTF-8", strings.NewReader(object("signature", pemText))},
			"JSON, base64 within base64": {"application/json", strings.NewReader(object("signature", []byte(b64(attached))))},
		} {
			wantVerdict(t, id+", "+name, s.do("/api/v1/verify", c.contentType, c.body), report.TotalPassed, "")
		}
	}
}

// letters is a document of any length that nobody holds.
type letters struct{ left int64 }

func (l *letters) Read(p []byte) (int, error) {
	if l.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), l.left))
	for i := range p[:n] {
		p[i] = byte('a' + (l.left-int64(i))%26)
	}
	l.left -= int64(n)
	return n, nil
}

// TestLongDocuments: documents and signatures around the length from which they are
// not held, in both orders, right and wrong.
func TestLongDocuments(t *testing.T) {
	s := newService(t)
	for _, n := range []int64{heldDocument - 1, heldDocument, heldDocument + 1, 2*heldDocument + 12345} {
		detached := s.detached("ip", &letters{n})
		text, err := io.ReadAll(&letters{n})
		if err != nil {
			t.Fatal(err)
		}
		wrong := bytes.Clone(text)
		wrong[n-1] ^= 1
		for name, c := range map[string]struct {
			files      []file
			conclusion string
			code       reason.Code
		}{
			"signature first":          {[]file{{"signature", "a", detached}, {"content", "a", text}}, report.TotalPassed, ""},
			"document first":           {[]file{{"content", "a", text}, {"signature", "a", detached}}, report.TotalPassed, ""},
			"signature first, changed": {[]file{{"signature", "a", detached}, {"content", "a", wrong}}, report.TotalFailed, reason.ContentChanged},
			"document first, changed":  {[]file{{"content", "a", wrong}, {"signature", "a", detached}}, report.TotalFailed, reason.ContentChanged},
			"unreadable signature":     {[]file{{"signature", "a", []byte("hello")}, {"content", "a", text}}, report.TotalFailed, reason.SignatureMalformed},
			"attached":                 {[]file{{"signature", "a", s.attached("ip", string(text))}}, report.TotalPassed, ""},
			"attached and beside":      {[]file{{"signature", "a", s.attached("ip", string(text))}, {"content", "a", text}}, report.TotalPassed, ""},
			"beside and attached":      {[]file{{"content", "a", text}, {"signature", "a", s.attached("ip", string(text))}}, report.TotalPassed, ""},
			"attached, other beside":   {[]file{{"signature", "a", s.attached("ip", string(text))}, {"content", "a", wrong}}, report.TotalFailed, reason.ContentMismatch},
		} {
			contentType, body := formBody(t, c.files...)
			wantVerdict(t, fmt.Sprintf("%d bytes, %s", n, name), s.do("/api/v1/verify", contentType, body), c.conclusion, c.code)
		}
		attached := s.attached("ip", string(text))
		wantVerdict(t, "raw", s.do("/api/v1/verify", "application/octet-stream", bytes.NewReader(attached)), report.TotalPassed, "")
		wantVerdict(t, "raw base64", s.do("/api/v1/verify", "application/octet-stream", strings.NewReader(b64(attached))), report.TotalPassed, "")
		attached[len(attached)/2] ^= 1
		wantVerdict(t, "raw, changed", s.do("/api/v1/verify", "application/octet-stream", bytes.NewReader(attached)), report.TotalFailed, reason.ContentChanged)
		wantVerdict(t, "raw, cut", s.do("/api/v1/verify", "application/octet-stream", bytes.NewReader(attached[:n-1])), report.TotalFailed, reason.SignatureMalformed)
	}
}

// streamedForm is a form with a signature and a document of n bytes that nobody holds.
func streamedForm(signature []byte, n int64, documentFirst bool) (contentType string, body io.Reader, length int64) {
	var head, middle, tail bytes.Buffer
	w := multipart.NewWriter(&head)
	part := func(to *bytes.Buffer, name string, first bool) {
		if !first {
			to.WriteString("\r\n")
		}
		fmt.Fprintf(to, "--%s\r\nContent-Disposition: form-data; name=%q; filename=\"x\"\r\n\r\n", w.Boundary(), name)
	}
	end := "\r\n--" + w.Boundary() + "--\r\n"
	if documentFirst {
		part(&head, "content", true)
		part(&middle, "signature", false)
		middle.Write(signature)
		tail.WriteString(end)
		length = int64(head.Len()+middle.Len()+tail.Len()) + n
		return w.FormDataContentType(), io.MultiReader(&head, &letters{n}, &middle, &tail), length
	}
	part(&head, "signature", true)
	head.Write(signature)
	part(&middle, "content", false)
	tail.WriteString(end)
	length = int64(head.Len()+middle.Len()+tail.Len()) + n
	return w.FormDataContentType(), io.MultiReader(&head, &middle, &letters{n}, &tail), length
}

// heapPeak runs f while watching what the program holds of the system, in bytes beyond
// what it held before.
type heapPeak struct {
	from  io.Reader
	most  uint64
	bytes int64
}

// Read implements io.Reader and looks at the heap every 4 MiB.
func (h *heapPeak) Read(p []byte) (int, error) {
	n, err := h.from.Read(p)
	before := h.bytes >> 22
	if h.bytes += int64(n); h.bytes>>22 != before {
		h.most = max(h.most, heapInUse())
	}
	return n, err
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// TestConstantMemory: a document of 128 MB takes no more memory than a small one,
// whichever part comes first. TestOneGigabyte does the same to a running gateway.
func TestConstantMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("hashes 128 MB")
	}
	s := newService(t)
	const n = 128_000_000
	defer debug.SetGCPercent(debug.SetGCPercent(20)) // what is held counts, not what lies about
	signature := s.detached("ip", &letters{n})
	runtime.GC()
	before := heapInUse()
	contentType, body, _ := streamedForm(signature, n, false)
	peak := &heapPeak{from: body}
	wantVerdict(t, "128 MB", s.do("/api/v1/verify", contentType, peak), report.TotalPassed, "")
	if peak.bytes < n {
		t.Fatalf("only %d bytes were read", peak.bytes)
	}
	grown := int64(peak.most) - int64(before)
	t.Logf("%d KiB more", grown>>10)
	if grown > 32<<20 {
		t.Errorf("%d bytes of memory for a document of %d", grown, n)
	}
}

// TestSwappedAndWrongFiles: who sends the wrong file is told which one it is.
func TestSwappedAndWrongFiles(t *testing.T) {
	s := newService(t)
	const document = "Договор"
	detached := s.detached("ip", strings.NewReader(document))
	contentType, body := formBody(t, file{"signature", "a.txt", []byte(document)}, file{"content", "a.sig", detached})
	wantProblem(t, "swapped", s.do("/api/v1/verify", contentType, body), 422, reason.FilesSwapped)
	contentType, body = formBody(t, file{"signature", "a.txt", bytes.Repeat([]byte("x"), 3*heldDocument)}, file{"content", "a.sig", []byte(b64(detached))})
	wantProblem(t, "swapped, long", s.do("/api/v1/verify", contentType, body), 422, reason.FilesSwapped)
	contentType, body = formBody(t, file{"content", "a.sig", detached})
	wantProblem(t, "signature as document only", s.do("/api/v1/verify", contentType, body), 422, reason.FilesSwapped)

	for name, c := range wrongFiles(s) {
		wantProblem(t, name, s.do("/api/v1/verify", "application/octet-stream", bytes.NewReader(c.data)), 422, c.code)
		wantProblem(t, name+", JSON", s.do("/api/v1/verify", "application/json", strings.NewReader(object("signature", c.data))), 422, c.code)
		if (c.code == reason.FileIsPrivateKey || c.code == reason.FileIsPKCS12) && len(c.data) < filekind.HeadLength {
			contentType, body := formBody(t, file{"signature", "a.sig", detached}, file{"content", "a", c.data})
			wantProblem(t, name+", as the document", s.do("/api/v1/verify", contentType, body), 422, c.code)
			wantProblem(t, name+", as a certificate", s.do("/api/v1/certificates/check", "application/octet-stream", bytes.NewReader(c.data)), 422, c.code)
		}
	}
}

// TestPrivateKeyIsNotRepeated: not a byte of a key that was sent by mistake gets into
// the log or into the answer.
func TestPrivateKeyIsNotRepeated(t *testing.T) {
	s := newService(t)
	for name, c := range wrongFiles(s) {
		if c.code != reason.FileIsPrivateKey {
			continue
		}
		w := s.do("/api/v1/verify", "application/octet-stream", bytes.NewReader(c.data))
		for _, secret := range [][]byte{c.data[len(c.data)-16:], []byte(b64(c.data))[:24], fmt.Appendf(nil, "%x", c.data[len(c.data)-16:])} {
			if bytes.Contains(w.Body.Bytes(), secret) || bytes.Contains(s.log.Bytes(), secret) {
				t.Errorf("%s: the key is repeated", name)
			}
		}
	}
}

// TestLimits: what is held and what passes by have limits of their own.
func TestLimits(t *testing.T) {
	s := newService(t, func(o *Options) { o.MaxBody, o.MaxDocument = 100_000, 300_000 })
	document := strings.Repeat("x", 200_000)
	detached := s.detached("ip", strings.NewReader(document))
	contentType, body := formBody(t, file{"signature", "a", detached}, file{"content", "a", []byte(document)})
	wantVerdict(t, "a document longer than what is held", s.do("/api/v1/verify", contentType, body), report.TotalPassed, "")
	wantVerdict(t, "an attached one", s.do("/api/v1/verify", "application/octet-stream", bytes.NewReader(s.attached("ip", document))), report.TotalPassed, "")
	wantProblem(t, "JSON", s.do("/api/v1/verify", "application/json", strings.NewReader(object("signature", detached, "content", []byte(document)))), 413, reason.RequestTooLarge)
	contentType, body = formBody(t, file{"signature", "a", detached}, file{"content", "a", make([]byte, 400_000)})
	wantProblem(t, "longer than any", s.do("/api/v1/verify", contentType, body), 413, reason.RequestTooLarge)
	wantProblem(t, "a certificate", s.do("/api/v1/certificates/check", "application/octet-stream", bytes.NewReader(make([]byte, 200_000))), 413, reason.RequestTooLarge)
	if left, all := s.api.memory.left.Load(), int64(4*bodiesPerVerification*100_000); left != all {
		t.Errorf("%d bytes of the budget are lost", all-left)
	}
}

// TestBusyInTheMiddle: wherever in a body the memory ends, the answer is that the
// server is busy, not that the request is bad.
func TestBusyInTheMiddle(t *testing.T) {
	s := newService(t)
	long := strings.Repeat("A", 8192)
	formType, formText := formBody(t, file{"signature", "a", []byte(long)}, file{"content", "a", []byte(long)})
	for contentType, body := range map[string]string{
		"application/json": object("signature", long, "content", long), formType: formText.String(), "application/octet-stream": long,
	} {
		for n := int64(0); n < 8000; n += 61 {
			s.api.memory.left.Store(n)
			w := s.do("/api/v1/verify", contentType, strings.NewReader(body))
			if d := decodeAnswer(t, w.Body.Bytes()); w.Code != 503 || d.Code != reason.ServerBusy || w.Header().Get("Retry-After") == "" {
				t.Fatalf("%s, %d bytes of memory: %d %s", contentType, n, w.Code, w.Body)
			}
			if s.api.memory.left.Load() != n {
				t.Fatalf("%s, %d bytes of memory: what was taken is not given back", contentType, n)
			}
		}
	}
}

// TestPages: who prefers pages gets the protocol, who asks for a format gets that.
func TestPages(t *testing.T) {
	s := newService(t)
	attached := s.attached("ip", "Договор")
	for _, c := range []struct {
		query, accept, want string
	}{
		{"", "", "application/json"},
		{"", "*/*", "application/json"},
		{"", "application/json", "application/json"},
		{"", "application/json, text/html", "application/json"},
		{"", "text/html", "text/html"},
		{"", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"},
		{"", "text/html;q=0.5, application/json;q=0.4", "text/html"},
		{"", "text/html;q=0", "application/json"},
		{"", ";;;", "application/json"},
		{"?format=html", "application/json", "text/html"},
		{"?format=json", "text/html", "application/json"},
		{"?format=html&lang=en", "", "text/html"},
	} {
		w := s.do("/api/v1/verify"+c.query, "application/octet-stream", bytes.NewReader(attached), "Accept", c.accept)
		if got, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";"); w.Code != 200 || got != c.want {
			t.Errorf("%s, Accept %q: %d %s, want %s", c.query, c.accept, w.Code, got, c.want)
		}
		if c.want == "text/html" && strings.Contains(w.Header().Get("Content-Security-Policy"), "unsafe") {
			t.Error("the policy of the page is loose")
		}
	}
}

// TestSignedReport: the receipt is a verdict document with a signature over its bytes,
// which our own verification takes.
func TestSignedReport(t *testing.T) {
	s := newService(t)
	by := s.signatory("ul")
	signing := newService(t, func(o *Options) { o.Signatory = &by })
	w := signing.do("/api/v1/verify?format=signed", octets, bytes.NewReader(s.attached("ip", "x")))
	var signed report.Signed
	if err := json.Unmarshal(w.Body.Bytes(), &signed); err != nil || w.Code != http.StatusOK || w.Header().Get("Content-Type") != typeSigned {
		t.Fatalf("%d %v\n%s", w.Code, err, w.Body)
	}
	if d := decodeAnswer(t, signed.Report); d.Conclusion != report.TotalPassed {
		t.Errorf("the report says %s", d.Conclusion)
	}
	contentType, body := formBody(t, file{"signature", "a", signed.Signature}, file{"content", "a", signed.Report})
	wantVerdict(t, "the receipt", s.do("/api/v1/verify", contentType, body), report.TotalPassed, "")
	signed.Report[0] ^= 1
	contentType, body = formBody(t, file{"signature", "a", signed.Signature}, file{"content", "a", signed.Report})
	wantVerdict(t, "a changed receipt", s.do("/api/v1/verify", contentType, body), report.TotalFailed, reason.ContentChanged)
}

// TestRandomPieces: however the network cuts a body into pieces, the verdict is the same.
func TestRandomPieces(t *testing.T) {
	s := newService(t)
	text, err := io.ReadAll(&letters{heldDocument + 77})
	if err != nil {
		t.Fatal(err)
	}
	detached := s.detached("ip", bytes.NewReader(text))
	for seed := range uint64(8) {
		contentType, body := formBody(t, file{"content", "a", text}, file{"signature", "a", detached})
		pieces := &pieces{body, rand.New(rand.NewPCG(seed, 1))}
		wantVerdict(t, fmt.Sprint(seed), s.do("/api/v1/verify", contentType, pieces), report.TotalPassed, "")
	}
}

// pieces is a reader that gives as much as it likes.
type pieces struct {
	from io.Reader
	r    *rand.Rand
}

func (p *pieces) Read(b []byte) (int, error) {
	return p.from.Read(b[:min(len(b), 1+p.r.IntN(70_000))])
}
