package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"

	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/pki/sigalg"
)

// results decodes the answer to a batch, of JSON or of lines.
func results(t *testing.T, w *httptest.ResponseRecorder) []*answerDoc {
	t.Helper()
	if w.Code != http.StatusOK {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	if w.Header().Get("Content-Type") != typeNDJSON {
		return decodeAnswer(t, w.Body.Bytes()).Results
	}
	var all []*answerDoc
	for line := range strings.Lines(w.Body.String()) {
		all = append(all, decodeAnswer(t, []byte(line)))
	}
	return all
}

// batchItems are the items of the tests: what is sent, and what comes back.
func batchItems(s *service) (objects []string, files []file, want []string) {
	for i := range 6 {
		document := fmt.Sprintf("Договор № %d", i)
		good := s.detached("ip", strings.NewReader(document))
		id := fmt.Sprintf("doc-%d", i)
		signature, content, code := good, []byte(document), ""
		switch i {
		case 1:
			content, code = []byte("другой"), string(reason.ContentChanged)
		case 2:
			signature, code = []byte("%PDF-1.7"), string(reason.FileIsPDF)
		case 3:
			signature, content, code = content, good, string(reason.FilesSwapped)
		case 4:
			signature, code = s.detached("revoked", strings.NewReader(document)), string(reason.CertRevoked)
		}
		objects = append(objects, object("id", id, "signature", signature, "content", content))
		files = append(files, file{"signature." + id, "a", signature}, file{"content." + id, "a", content})
		want = append(want, id+":"+code)
	}
	return objects, files, want
}

func outcome(all []*answerDoc) []string {
	var got []string
	for _, d := range all {
		code := reason.InternalError
		switch {
		case (d.Verdict == nil) == (d.Problem == nil):
		case d.Problem != nil:
			code = d.Problem.Code
		case d.Verdict.Conclusion == report.TotalPassed:
			code = ""
		default:
			code = d.Verdict.Code
		}
		got = append(got, d.ID+":"+string(code))
	}
	return got
}

// TestBatch: in every form the answers come in the order of the request, a wrong item
// is its own problem, and all verdicts are by the same trust data.
func TestBatch(t *testing.T) {
	s := newService(t)
	objects, files, want := batchItems(s)
	formType, form := formBody(t, files...)
	reversed := append([]file(nil), files...)
	for i := 0; i < len(reversed); i += 2 {
		reversed[i], reversed[i+1] = reversed[i+1], reversed[i]
	}
	otherType, other := formBody(t, reversed...)
	for name, c := range map[string]struct {
		contentType string
		body        io.Reader
	}{
		"array":                 {"application/json", strings.NewReader("[" + strings.Join(objects, ",") + "]")},
		"lines":                 {"application/x-ndjson", strings.NewReader(strings.Join(objects, "\n"))},
		"lines, with empty":     {"application/x-ndjson", strings.NewReader("\n" + strings.Join(objects, "\r\n\r\n") + "\r\n\n")},
		"form":                  {formType, form},
		"form, documents first": {otherType, other},
	} {
		all := results(t, s.do("/api/v1/verify/batch", c.contentType, c.body))
		if got := outcome(all); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s:\n%s, want\n%s", name, got, want)
		}
		for _, d := range all {
			if d.Verdict != nil && d.Verdict.Trust.ID != s.store.Current().ID() {
				t.Errorf("%s: %s is judged by other trust data", name, d.ID)
			}
		}
	}
	if left, all := s.api.memory.left.Load(), int64(4*bodiesPerVerification)*s.api.opts.MaxBody; left != all {
		t.Errorf("%d bytes of the budget are lost", all-left)
	}
}

// TestBatchOneSnapshot: trust data that change in the middle of a batch are those of
// the next one.
func TestBatchOneSnapshot(t *testing.T) {
	s := newService(t)
	objects, _, _ := batchItems(s)
	lines := strings.Join(objects, "\n")
	half := &change{from: strings.NewReader(lines), at: len(lines) / 2, do: func() { s.api.opts.Now = nil }}
	for _, d := range results(t, s.do("/api/v1/verify/batch", typeNDJSON, half)) {
		if d.Verdict != nil && d.Verdict.Trust.ID == "" {
			t.Errorf("%s: no trust data", d.ID)
		}
	}
	if !half.done {
		t.Error("nothing changed")
	}
}

// change is a reader that does something on its way.
type change struct {
	from io.Reader
	at   int
	do   func()
	done bool
}

func (c *change) Read(p []byte) (int, error) {
	if c.at <= 0 && !c.done {
		c.done = true
		c.do() // nobody asks for the time again
	}
	n, err := c.from.Read(p[:min(len(p), 100)])
	c.at -= n
	return n, err
}

// TestBatchRules are about items that cannot be used, and about batches that cannot.
func TestBatchRules(t *testing.T) {
	s := newService(t, func(o *Options) { o.MaxBatch, o.MaxBody = 3, 100_000 })
	good := object("signature", s.attached("ip", "x"))
	for name, c := range map[string]struct {
		contentType, body string
		want              string // what comes back, or the code of the problem with all
	}{
		"numbers":             {typeNDJSON, good + "\n" + good, "[1: 2:]"},
		"a bad line":          {typeNDJSON, good + "\n{\n" + good, "[1: 2:request-incomplete 3:]"},
		"no JSON":             {typeNDJSON, "hello\n" + good, "[1:request-malformed 2:]"},
		"two on a line":       {typeNDJSON, good + good, "[1:request-malformed]"},
		"a long line":         {typeNDJSON, `{"signature":"` + strings.Repeat("A", 150_000) + "\"}\n" + good, "[1:request-too-large 2:]"},
		"a bad id":            {typeNDJSON, `{"id":"a b","signature":"AA=="}`, "[1:request-field-bad]"},
		"the same id":         {typeNDJSON, strings.Repeat(`{"id":"a","signature":"aGVsbG8="}`+"\n", 2), "[a:signature-malformed a:request-field-repeated]"},
		"unknown field":       {typeNDJSON, `{"id":"a","sig":"AA=="}`, "[1:request-field-unknown]"},
		"no signature":        {typeNDJSON, `{"id":"a"}`, "[a:request-field-missing]"},
		"content and digests": {typeNDJSON, `{"signature":"AA==","content":"","digests":[{"algorithm":"sha256","value":"` + strings.Repeat("0", 64) + `"}]}`, "[1:request-field-repeated]"},
		"too many lines":      {typeNDJSON, strings.Repeat(good+"\n", 4), "batch-too-long"},
		"too many items":      {typeJSON, "[" + good + strings.Repeat(","+good, 3) + "]", "batch-too-long"},
		"as many as allowed":  {typeJSON, "[" + good + strings.Repeat(","+good, 2) + "]", "[1: 2: 3:]"},
		"no lines":            {typeNDJSON, "\n\n", "request-field-missing"},
		"empty array":         {typeJSON, "[]", "request-field-missing"},
		"an object":           {typeJSON, good, "request-malformed"},
		"a long array":        {typeJSON, "[" + good + strings.Repeat(" ", 150_000) + "]", "request-too-large"},
		"something follows":   {typeJSON, "[" + good + "]]", "request-malformed"},
		"bad item of array":   {typeJSON, "[" + good + `,{"signature":1},7,` + good + "]", "batch-too-long"},
		"bad items of array":  {typeJSON, "[" + good + `,{"signature":1},7]`, "[1: 2:request-field-bad 3:request-malformed]"},
		"no JSON in an array": {typeJSON, "[" + good + `,{]`, "request-malformed"},
	} {
		w := s.do("/api/v1/verify/batch", c.contentType, strings.NewReader(c.body))
		got := ""
		if w.Code == http.StatusOK {
			got = fmt.Sprint(outcome(results(t, w)))
		} else {
			got = string(decodeAnswer(t, w.Body.Bytes()).Code)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	for name, c := range map[string]struct {
		names []string
		want  reason.Code
	}{
		"no id":       {[]string{"signature"}, reason.RequestFieldUnknown},
		"empty id":    {[]string{"signature."}, reason.RequestFieldUnknown},
		"other field": {[]string{"digest.1"}, reason.RequestFieldUnknown},
		"bad id":      {[]string{"signature.a b"}, reason.RequestFieldUnknown},
		"twice":       {[]string{"signature.a", "signature.a"}, reason.RequestFieldRepeated},
		"too many":    {[]string{"signature.a", "signature.b", "signature.c", "signature.d"}, reason.BatchTooLong},
	} {
		var files []file
		for _, n := range c.names {
			files = append(files, file{n, "a", []byte("hello")})
		}
		contentType, body := formBody(t, files...)
		if d := decodeAnswer(t, s.do("/api/v1/verify/batch", contentType, body).Body.Bytes()); d.Code != c.want {
			t.Errorf("form, %s: %s, want %s", name, d.Code, c.want)
		}
	}
}

// TestDigests: a document that is known by its digest only passes as the document
// itself, however the digest is written.
func TestDigests(t *testing.T) {
	s := newService(t)
	const document = "Договор"
	for id, algorithm := range map[string]string{"ip": "streebog256", "ip512": "streebog512"} {
		oid, err := digestAlgorithm(algorithm)
		if err != nil {
			t.Fatal(err)
		}
		h, err := sigalg.NewHash(oid)
		if err != nil {
			t.Fatal(err)
		}
		h.Write([]byte(document))
		sum := h.Sum(nil)
		signature := s.detached(id, strings.NewReader(document))
		wrong := bytes.Clone(sum)
		wrong[0] ^= 1
		send := func(digests ...map[string]string) *httptest.ResponseRecorder {
			return s.do("/api/v1/verify/digest", "application/json", strings.NewReader(object("signature", signature, "digests", append([]map[string]string{}, digests...))))
		}
		digest := func(algorithm, value string) map[string]string {
			return map[string]string{"algorithm": algorithm, "value": value}
		}
		sha := digest("sha256", strings.Repeat("00", 32))
		wantVerdict(t, "hexadecimal", send(digest(algorithm, fmt.Sprintf("%x", sum))), report.TotalPassed, "")
		wantVerdict(t, "upper case", send(digest(strings.ToUpper(algorithm), fmt.Sprintf("%X", sum))), report.TotalPassed, "")
		wantVerdict(t, "base64, OID", send(digest(oid.String(), b64(sum))), report.TotalPassed, "")
		wantVerdict(t, "with another", send(sha, digest(algorithm, b64(sum))), report.TotalPassed, "")
		wantVerdict(t, "wrong", send(digest(algorithm, b64(wrong))), report.TotalFailed, reason.ContentChanged)
		wantVerdict(t, "another only", send(sha), report.Indeterminate, reason.ContentMissing)
		wantProblem(t, "none", send(), 422, reason.RequestFieldMissing)
		wantProblem(t, "short", send(digest(algorithm, b64(sum[1:]))), 422, reason.DigestBad)
		wantProblem(t, "unknown", send(digest("md5", b64(sum[:16]))), 422, reason.DigestAlgorithmUnknown)
		wantProblem(t, "twice", send(digest(algorithm, b64(sum)), digest(oid.String(), b64(sum))), 422, reason.RequestFieldRepeated)
		contentType, body := formBody(t, file{"digest", "", nil}, file{"digest", "x", fmt.Appendf(nil, "%s:%x\n", algorithm, sum)}, file{"signature", "a", signature})
		wantVerdict(t, "form", s.do("/api/v1/verify/digest", contentType, body), report.TotalPassed, "")
		line := object("signature", signature, "digests", []map[string]string{digest(algorithm, b64(sum))})
		if got := fmt.Sprint(outcome(results(t, s.do("/api/v1/verify/batch", typeNDJSON, strings.NewReader(line))))); got != "[1:]" {
			t.Errorf("in a batch: %s", got)
		}
	}
}

// TestDigestNames: every algorithm has a digest of a length of its own way to be
// written, and no two have a name in common.
func TestDigestNames(t *testing.T) {
	taken := map[string]bool{}
	for _, d := range digestNames() {
		h, err := sigalg.NewHash(d.oid)
		if err != nil {
			t.Fatal(err)
		}
		sum := h.Sum(nil)
		var b cryptobyte.Builder
		b.AddASN1ObjectIdentifier(d.oid)
		if _, err := b.Bytes(); err != nil {
			t.Error(err)
		}
		for _, name := range append(d.names, d.oid.String()) {
			if oid, err := digestAlgorithm(name); err != nil || !oid.Equal(d.oid) || taken[name] {
				t.Errorf("%s: %v, %v", name, oid, err)
			}
			taken[name] = true
		}
		for _, text := range []string{fmt.Sprintf("%x", sum), b64(sum)} {
			if got, err := digestValue(d.oid, text); err != nil || !bytes.Equal(got, sum) {
				t.Errorf("%v: %q is read as %x, %v", d.oid, text, got, err)
			}
		}
		for _, text := range []string{"", "00", fmt.Sprintf("%x", sum[1:]), fmt.Sprintf("%x0", sum), b64(sum[1:]), strings.Repeat("g", 2*len(sum)), b64(sum) + "\n="} {
			if _, err := digestValue(d.oid, text); reason.Of(err) != reason.DigestBad {
				t.Errorf("%v: %q: %v", d.oid, text, err)
			}
		}
	}
}

// TestBatchResultsAreWhole: the document of an item is the same as alone.
func TestBatchResultsAreWhole(t *testing.T) {
	s := newService(t)
	body := object("id", "a", "signature", s.attached("ip", "x"))
	var line struct{ Verdict map[string]any }
	if err := json.Unmarshal(s.do("/api/v1/verify/batch", typeNDJSON, strings.NewReader(body)).Body.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	var alone map[string]any
	if err := json.Unmarshal(s.do("/api/v1/verify", typeJSON, strings.NewReader(object("signature", s.attached("ip", "x")))).Body.Bytes(), &alone); err != nil {
		t.Fatal(err)
	}
	if len(line.Verdict) != len(alone) || len(alone) == 0 {
		t.Errorf("%d fields in a batch, %d alone", len(line.Verdict), len(alone))
	}
}
