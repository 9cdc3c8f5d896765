package api

import (
	"bytes"
	"compress/gzip"
	"encoding/asn1"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"propusk/pki/reason"
	"propusk/pki/report"
)

var update = flag.Bool("update", false, "write testdata/malformed.txt anew; read what has changed")

// bad is a request that cannot be used, or whose files are good for nothing.
type bad struct {
	target  string
	headers []string // names and values
	body    string
}

// table is the inputs by name.
type table map[string]bad

func (m table) add(name, target, contentType, body string, headers ...string) {
	if _, taken := m[name]; taken {
		panic("two inputs are called " + name)
	}
	if contentType != "" {
		headers = append(headers, "Content-Type", contentType)
	}
	m[name] = bad{target, headers, body}
}

const (
	toVerify      = "/api/v1/verify"
	toDigest      = "/api/v1/verify/digest"
	toBatch       = "/api/v1/verify/batch"
	toCertificate = "/api/v1/certificates/check"
	octets        = "application/octet-stream"
	bounded       = "multipart/form-data; boundary=B"
)

// TestMalformed sends everything that is wrong in a way of its own. Each must get the
// status and the code of testdata/malformed.txt: a problem document, or a verdict that
// did not pass and says why. None may be our fault.
func TestMalformed(t *testing.T) {
	s := newService(t, func(o *Options) { o.MaxBody, o.MaxDocument, o.MaxBatch = 100_000, 200_000, 5 })
	inputs := malformed(s)
	if len(inputs) < 200 {
		t.Errorf("only %d inputs", len(inputs))
	}
	got := make(map[string]string)
	for name, in := range inputs {
		got[name] = outcomeOf(t, name, s, in)
	}
	golden(t, "testdata/malformed.txt", got)
}

// outcomeOf sends an input and returns "status code" after looking at the document.
func outcomeOf(t *testing.T, name string, s *service, in bad) string {
	t.Helper()
	w := s.do(in.target, "", strings.NewReader(in.body), in.headers...)
	return describe(t, name, w.Code, w.Header(), w.Body.Bytes())
}

// describe checks that an answer is a whole problem document, or a verdict with a
// reason, and returns "status code".
func describe(t *testing.T, name string, status int, h http.Header, body []byte) string {
	t.Helper()
	if h.Get("Content-Type") == typeNDJSON {
		body = bytes.SplitN(body, []byte("\n"), 2)[0]
	}
	var d answerDoc
	if err := json.Unmarshal(body, &d); err != nil {
		t.Errorf("%s: %d %v\n%s", name, status, err, body)
		return "no JSON"
	}
	if len(d.Results) > 0 {
		d = *d.Results[0]
	}
	switch {
	case d.Verdict != nil:
		d = *d.Verdict
	case d.Problem != nil:
		checkProblem(t, name, d.Problem.Status, d.Problem)
		return fmt.Sprintf("%d item %d %s", status, d.Problem.Status, d.Problem.Code)
	}
	if status == http.StatusOK {
		if d.Conclusion == "" || d.Conclusion == report.TotalPassed || d.Code == "" || d.Text.RU == "" || d.SubIndication == "" {
			t.Errorf("%s: a verdict without a reason:\n%s", name, body)
		}
		return fmt.Sprintf("%d verdict %s", status, d.Code)
	}
	if got := h.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("%s: Content-Type %q", name, got)
	}
	checkProblem(t, name, status, &d)
	return fmt.Sprintf("%d %s", status, d.Code)
}

// checkProblem looks at the members of RFC 9457, Section 3.1, and at ours.
func checkProblem(t *testing.T, name string, status int, d *answerDoc) {
	t.Helper()
	entry, known := reason.Lookup(d.Code)
	if status < 400 || status >= 500 || d.Status != status || !known || entry.Kind == reason.Internal ||
		d.Type != "urn:propusk:problem:"+string(d.Code) || d.Title != entry.EN || d.Text.RU != entry.RU || d.SupportCode == "" {
		t.Errorf("%s: status %d, document %+v", name, status, d)
	}
}

// golden compares outcomes with a file of lines "outcome<TAB>name".
func golden(t *testing.T, path string, got map[string]string) {
	t.Helper()
	var now strings.Builder
	for _, name := range slices.Sorted(maps.Keys(got)) {
		fmt.Fprintf(&now, "%s\t%s\n", got[name], name)
	}
	if *update {
		if err := os.WriteFile(path, []byte(now.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		outcome, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		want[name] = outcome
	}
	for name, outcome := range got {
		if want[name] != outcome {
			t.Errorf("%s: %s, want %s", name, outcome, want[name])
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("%s: is not sent any more", name)
	}
}

// malformed makes all inputs.
func malformed(s *service) table {
	m := make(table)
	signature := s.attached("ip", "Договор")
	badTypes(m, signature)
	badJSON(m)
	badForms(m)
	badDER(m, signature)
	badText(m, signature)
	badDigests(m, s.detached("ip", strings.NewReader("Договор")))
	badBatches(m)
	badQueries(m, signature)
	badCertificates(m, s.Person("ip").Certificate.Raw)
	for name, f := range wrongFiles(s) {
		m.add("file: "+name, toVerify, octets, string(f.data))
	}
	return m
}

// badTypes are about Content-Type and Content-Encoding.
func badTypes(m table, signature []byte) {
	for _, contentType := range []string{
		"", "text/plain", "text/html", "application/xml", "application/x-www-form-urlencoded", "application/", "/", "json", ";", "application/json;;;=",
		"multipart/mixed; boundary=B", "multipart/form-data", "multipart/form-data; boundary=", `multipart/form-data; boundary="B`,
		"multipart/form-data; boundary=B; boundary=C", "application/json; charset=windows-1251", "application/json; charset=utf-16", "application/json, application/json",
		"application/x-ndjson", "application/pdf", "image/png", "application/problem+json", "application/timestamp-query", "*/*", "application/json\x00", "применение/json",
	} {
		m.add(fmt.Sprintf("type: %q", contentType), toVerify, "", string(signature), "Content-Type", contentType)
	}
	m.add("type: absent", toVerify, "", string(signature))
	m.add("type: twice", toVerify, typeJSON, "{}", "Content-Type", typeJSON)
	m.add("type: octets for digests", toDigest, octets, string(signature))
	m.add("type: octets for a batch", toBatch, octets, string(signature))
	var compressed bytes.Buffer
	z := gzip.NewWriter(&compressed)
	z.Write(signature)
	z.Close()
	for _, coding := range []string{"gzip", "br", "deflate", "zstd", "identity, gzip", "GZIP", "x", "identity,"} {
		m.add("coding: "+coding, toVerify, octets, compressed.String(), "Content-Encoding", coding)
	}
	m.add("coding: the second header", toVerify, octets, compressed.String(), "Content-Encoding", "identity", "Content-Encoding", "gzip")
	m.add("coding: not told", toVerify, octets, compressed.String())
}

// badJSON are oddities of JSON.
func badJSON(m table) {
	const b = `"aGVsbG8="` // hello
	for name, body := range map[string]string{
		"empty": "", "blanks": " \n\t ", "null": "null", "true": "true", "a number": "1", "a string": b, "an array": "[" + b + "]", "an empty object": "{}",
		"no end": "{", "no end of a name": `{"sig`, "no colon": `{"signature"`, "no value": `{"signature":`, "no end of a value": `{"signature":"aGVs`, "no closing brace": `{"signature":` + b,
		"garbage": "\x30\x82\x00", "a comment": `{/* */"signature":` + b + `}`, "single quotes": `{'signature':'aGVsbG8='}`, "no quotes": `{signature:` + b + `}`,
		"a comma at the end": `{"signature":` + b + `,}`, "two commas": `{"signature":` + b + `,,"content":` + b + `}`, "no comma": `{"signature":` + b + ` "content":` + b + `}`,
		"two objects": `{"signature":` + b + `}{}`, "something follows": `{"signature":` + b + `}x`, "a null byte follows": "{\"signature\":" + b + "}\x00",
		"a byte order mark": "\ufeff{\"signature\":" + b + "}", "UTF-16": "\xff\xfe{\x00}\x00", "a value that is a number": `{"signature":1}`, "a value that is null": `{"signature":null}`,
		"a value that is true": `{"signature":true}`, "a value that is an array": `{"signature":[` + b + `]}`, "a value that is an object": `{"signature":{"a":` + b + `}}`,
		"a number that is infinite": `{"signature":1e999}`, "an unknown field": `{"signature":` + b + `,"at":"x"}`, "an unknown field alone": `{"at":1}`,
		"another case": `{"Signature":` + b + `}`, "a name with a blank": `{"signature ":` + b + `}`, "a name in escapes": `{"\u0073ignatur\u0435":` + b + `}`, "an empty name": `{"":` + b + `}`,
		"twice": `{"signature":` + b + `,"signature":` + b + `}`, "twice, in escapes": `{"signature":` + b + `,"\u0073ignature":` + b + `}`, "content twice": `{"content":` + b + `,"content":` + b + `}`,
		"an empty signature": `{"signature":""}`, "content only": `{"content":` + b + `}`, "deep arrays": `{"signature":` + strings.Repeat("[", 20_000), "deep objects": strings.Repeat(`{"signature":`, 5000),
		"a lone surrogate": `{"signature":"\ud800"}`, "a bad escape": `{"signature":"\x41"}`, "a line end in a string": "{\"signature\":\"aGVs\nbG8=\"}", "a control in a name": "{\"signat\x01ure\":" + b + "}",
		"bytes that are not UTF-8": "{\"signature\":\"\xff\xfe\"}", "too long": `{"signature":"` + strings.Repeat("A", 120_000) + `"}`, "too long after its end": `{"signature":` + b + `}` + strings.Repeat(" ", 120_000),
		"the prototype": `{"__proto__":{"signature":` + b + `}}`, "digests": `{"signature":` + b + `,"digests":[]}`,
	} {
		m.add("JSON: "+name, toVerify, typeJSON, body)
	}
	for name, value := range map[string]string{
		"one letter": "A", "no padding": "aGVsbG8", "too much padding": "aGVsbG8==", "padding only": "====", "padding in the middle": "aGVs=bG8=", "loose bits": "aGVsbG9=",
		"of URLs": "-_-_", "blanks": "aGVs bG8=", "quoted": `\"aGVs\"`, "a data URL": "data:;base64,aGVsbG8=", "hexadecimal": "68656c6c6f", "Cyrillic": "привет", "a percent sign": "aGVsbG8%3D",
	} {
		m.add("base64: "+name, toVerify, typeJSON, `{"signature":"`+value+`"}`)
	}
}

// field makes one part of a form with the boundary B.
func field(disposition, value string) string {
	return "--B\r\nContent-Disposition: " + disposition + "\r\n\r\n" + value + "\r\n"
}

// badForms are oddities of multipart/form-data.
func badForms(m table) {
	const end = "--B--\r\n"
	one := field(`form-data; name="signature"`, "hello")
	for name, body := range map[string]string{
		"empty": "", "no parts": end, "no multipart": "hello", "another boundary": strings.ReplaceAll(one, "--B", "--C") + "--C--\r\n", "no end": one, "no end of a part": strings.TrimSuffix(one, "\r\n"),
		"no end of the headers": "--B\r\nContent-Disp", "no headers": "--B\r\n\r\nhello\r\n" + end, "no disposition": "--B\r\nContent-Type: a/b\r\n\r\nhello\r\n" + end, "a header without a colon": "--B\r\nhello\r\n\r\nx\r\n" + end,
		"no name": field("form-data", "hello") + end, "an empty name": field(`form-data; name=""`, "hello") + end, "an attachment": field(`attachment; name="signature"`, "hello") + end,
		"a file name only": field(`form-data; filename="signature"`, "hello") + end, "an unknown name": field(`form-data; name="x"`, "hello") + end, "an unknown name after all": one + field(`form-data; name="x"`, "hello") + end,
		"a long name": field(`form-data; name="`+strings.Repeat("x", 1000)+`"`, "hello") + end, "a name twice": field("form-data; name=\"signature\"; name=\"content\"", "hello") + end,
		"two dispositions": field("form-data; name=\"signature\"\r\nContent-Disposition: form-data; name=\"content\"", "hello") + end,
		"the same twice":   one + one + end, "content twice": field(`form-data; name="content"`, "x") + field(`form-data; name="content"`, "y") + end, "content only": field(`form-data; name="content"`, "x") + end,
		"an empty signature": field(`form-data; name="signature"; filename="a"`, "") + end, "no file chosen": field(`form-data; name="signature"; filename=""`, "") + field(`form-data; name="content"; filename=""`, "") + end,
		"many empty files": strings.Repeat(field(`form-data; name="signature"; filename=""`, ""), 100) + end, "line ends of Unix": strings.ReplaceAll(one+end, "\r\n", "\n"), "a long header": "--B\r\nX: " + strings.Repeat("x", 90_000) + "\r\n",
		"many headers": "--B\r\n" + strings.Repeat("X: y\r\n", 11_000), "too long": field(`form-data; name="signature"`, strings.Repeat("A", 250_000)) + end, "a document too long": one + field(`form-data; name="content"`, strings.Repeat("A", 250_000)) + end,
		"a preamble without an end": strings.Repeat("x", 250_000), "nested": field("form-data; name=\"signature\"\r\nContent-Type: multipart/mixed; boundary=C", "--C\r\n\r\nx\r\n--C--") + end,
		"a name in two languages": field(`form-data; name*=UTF-8''signature`, "hello") + end, "a broken disposition": field(`form-data; name="signature`, "hello") + end, "a null byte in the name": field("form-data; name=\"signature\x00\"", "hello") + end,
	} {
		m.add("form: "+name, toVerify, bounded, body)
	}
	m.add("form: a boundary that is too long", toVerify, "multipart/form-data; boundary="+strings.Repeat("b", 200), "x")
	m.add("form: a boundary with a line end", toVerify, "multipart/form-data; boundary=\"a\r\nb\"", "x")
	m.add("form: an unknown field of a certificate", toCertificate, bounded, one+end)
	m.add("form: an empty certificate", toCertificate, bounded, field(`form-data; name="certificate"`, "")+end)
	m.add("form: a certificate too long", toCertificate, bounded, field(`form-data; name="certificate"`, strings.Repeat("A", 150_000))+end)
}

// node is one element of DER inside a file.
type node struct {
	path                string
	start, content, end int
}

// walk lists the elements of DER down to a depth. Certificates are not entered.
func walk(data []byte, offset int, path string, depth int) []node {
	var all []node
	for at, i := 0, 0; at < len(data); i++ {
		var e asn1.RawValue
		rest, err := asn1.Unmarshal(data[at:], &e)
		if err != nil {
			panic(err)
		}
		size := len(data) - at - len(rest)
		n := node{fmt.Sprintf("%s.%d", path, i), offset + at, offset + at + size - len(e.Bytes), offset + at + size}
		all = append(all, n)
		if e.IsCompound && depth > 0 && !strings.HasPrefix(n.path, ".0.1.0.3.") {
			all = append(all, walk(e.Bytes, n.content, n.path, depth-1)...)
		}
		at += size
	}
	return all
}

// badDER cuts a signature at the borders of each element, gives elements lengths that
// they do not have, and calls each algorithm and type by another name.
func badDER(m table, signature []byte) {
	nodes := walk(signature, 0, "", 6)
	for _, n := range nodes {
		m.add("DER: cut before "+n.path, toVerify, octets, string(signature[:n.start]))
		if n.end-n.content > 1 {
			m.add("DER: cut inside "+n.path, toVerify, octets, string(signature[:n.content+1]))
		}
		if signature[n.start] == asn1.TagOID {
			other := bytes.Clone(signature)
			other[n.end-1] ^= 0x55
			m.add("DER: another OID at "+n.path, toVerify, octets, string(other))
		}
		if signature[n.start]&0x20 != 0 {
			head, tail := string(signature[:n.start+1]), string(signature[n.content:])
			for name, length := range map[string]string{"4 GiB": "\x84\xff\xff\xff\xff", "17 EiB": "\x88\xff\xff\xff\xff\xff\xff\xff\xff", "no end": "\x80", "nothing": "\x00", "reserved": "\xff"} {
				m.add("DER: length of "+n.path+": "+name, toVerify, octets, head+length+tail)
			}
		}
	}
	for name, body := range map[string]string{
		"one byte": "\x30", "two bytes": "\x30\x82", "an empty sequence": "\x30\x00", "an empty sequence without an end": "\x30\x80", "zeros": strings.Repeat("\x00", 500), "ones": strings.Repeat("\xff", 500),
		"zeros after a sequence": "\x30\x82\x01\x00" + strings.Repeat("\x00", 256), "something follows": string(signature) + "x", "another follows": string(signature) + string(signature), "zeros follow": string(signature) + "\x00\x00",
		"deep": strings.Repeat("\x30\x80", 40_000), "deep, after the type": "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80" + strings.Repeat("\x30\x80", 40_000), "a set": "\x31" + string(signature[1:]),
		"data only": "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", "the type only": "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", "nothing": "", "a letter": "x", "a text": "Подпись", "a zero": "0",
	} {
		m.add("DER: "+name, toVerify, octets, body)
	}
}

// badText are PEM and base64 that were damaged on the way.
func badText(m table, signature []byte) {
	text := string(pemOf("CMS", signature))
	for name, body := range map[string]string{
		"no end": text[:len(text)-20], "no dashes at the end": text[:len(text)-6], "another label at the end": strings.Replace(text, "END CMS", "END PKCS7", 1), "another label": strings.ReplaceAll(text, "CMS", "DATA"), "two": text + text,
		"nothing inside": "-----BEGIN CMS-----\n-----END CMS-----\n", "garbage inside": "-----BEGIN CMS-----\n!!!!\n-----END CMS-----\n", "headers": strings.Replace(text, "-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n", 1), "UTF-16": string(utf16(text)),
		"a line lost": strings.Replace(text, text[80:145], "", 1), "the head only": "-----BEGIN CMS-----",
	} {
		m.add("PEM: "+name, toVerify, octets, body)
	}
	encoded := b64(signature)
	for name, body := range map[string]string{
		"cut": encoded[:len(encoded)-3], "cut to a quantum": encoded[:len(encoded)/8*4], "a bad letter": encoded[:100] + "!" + encoded[100:], "of URLs": strings.NewReplacer("+", "-", "/", "_", "A", "-").Replace(encoded), "twice": encoded + encoded,
		"twice encoded": b64([]byte(encoded)), "in quotes": `"` + encoded + `"`,
	} {
		m.add("text: "+name, toVerify, octets, body)
	}
}

func utf16(text string) []byte {
	wide := []byte{0xff, 0xfe}
	for _, c := range []byte(text) {
		wide = append(wide, c, 0)
	}
	return wide
}

// badDigests are about digests.
func badDigests(m table, signature []byte) {
	zeros := strings.Repeat("0", 64)
	for name, digests := range map[string]string{
		"null": "null", "an object": `{"algorithm":"sha256","value":"` + zeros + `"}`, "a string": `"` + zeros + `"`, "none": "[]", "a number in it": "[1]", "an empty object": "[{}]", "no value": `[{"algorithm":"sha256"}]`,
		"no algorithm": `[{"value":"` + zeros + `"}]`, "an unknown field": `[{"algorithm":"sha256","value":"` + zeros + `","x":1}]`, "a field twice": `[{"algorithm":"sha256","algorithm":"sha256","value":"` + zeros + `"}]`,
		"MD5": `[{"algorithm":"md5","value":"` + zeros[:32] + `"}]`, "SHA-1": `[{"algorithm":"sha1","value":"` + zeros[:40] + `"}]`, "an OID of a key": `[{"algorithm":"1.2.643.7.1.1.1.1","value":"` + zeros + `"}]`, "a bad OID": `[{"algorithm":"1.2..3","value":"` + zeros + `"}]`,
		"an empty algorithm": `[{"algorithm":"","value":"` + zeros + `"}]`, "an algorithm that is a number": `[{"algorithm":1,"value":"` + zeros + `"}]`, "an empty value": `[{"algorithm":"sha256","value":""}]`, "too short": `[{"algorithm":"sha256","value":"` + zeros[2:] + `"}]`,
		"too long": `[{"algorithm":"sha256","value":"` + zeros + `00"}]`, "an odd length": `[{"algorithm":"sha256","value":"` + zeros[1:] + `"}]`, "no hexadecimal": `[{"algorithm":"sha256","value":"` + zeros[1:] + `g"}]`,
		"with colons": `[{"algorithm":"sha256","value":"` + strings.Repeat("00:", 31) + `00"}]`, "of another length": `[{"algorithm":"streebog512","value":"` + zeros + `"}]`, "base64 of another length": `[{"algorithm":"streebog256","value":"AAAA"}]`,
		"the same twice": `[{"algorithm":"sha256","value":"` + zeros + `"},{"algorithm":"sha256","value":"` + zeros + `"}]`, "too many": "[" + strings.TrimSuffix(strings.Repeat(`{"algorithm":"sha256","value":"`+zeros+`"},`, 7), ",") + "]",
		"of nothing": `[{"algorithm":"streebog256","value":"` + zeros + `"}]`, "of another algorithm": `[{"algorithm":"sha256","value":"` + zeros + `"}]`, "no end": `[{"algorithm":"sha256"`,
	} {
		m.add("digest: "+name, toDigest, typeJSON, `{"signature":"`+b64(signature)+`","digests":`+digests+`}`)
	}
	m.add("digest: absent", toDigest, typeJSON, `{"signature":"`+b64(signature)+`"}`)
	m.add("digest: no signature", toDigest, typeJSON, `{"digests":[{"algorithm":"sha256","value":"`+zeros+`"}]}`)
	m.add("digest: content", toDigest, typeJSON, `{"signature":"AAAA","content":"AAAA"}`)
	for name, value := range map[string]string{"no colon": zeros, "empty": "", "no algorithm": ":" + zeros, "no value": "sha256:", "long": "sha256:" + strings.Repeat("0", 1000), "two": "sha256:" + zeros + "," + zeros} {
		m.add("digest: form, "+name, toDigest, bounded, field(`form-data; name="signature"`, string(signature))+field(`form-data; name="digest"`, value)+"--B--\r\n")
	}
	m.add("digest: form, none", toDigest, bounded, field(`form-data; name="signature"`, string(signature))+"--B--\r\n")
}

// badBatches are about batches.
func badBatches(m table) {
	const item = `{"signature":"aGVsbG8="}`
	for name, body := range map[string]string{
		"empty": "", "null": "null", "an object": item, "no items": "[]", "a number": "[1]", "a null": "[null]", "nested": "[[" + item + "]]", "an empty item": "[{}]", "an unknown field": `[{"x":1}]`, "no end": "[" + item, "no comma": "[" + item + item + "]",
		"something follows": "[" + item + "]" + item, "too many": "[" + item + strings.Repeat(","+item, 5) + "]", "bad base64": `[{"signature":"!"}]`, "an id that is a number": `[{"id":1,"signature":"aGVsbG8="}]`, "an id with a blank": `[{"id":"a b","signature":"aGVsbG8="}]`,
		"a long id": `[{"id":"` + strings.Repeat("a", 65) + `","signature":"aGVsbG8="}]`, "content and digests": `[{"signature":"AAAA","content":"","digests":[{"algorithm":"sha256","value":"` + strings.Repeat("0", 64) + `"}]}]`, "deep": strings.Repeat("[", 20_000),
		"an id twice in an item": `[{"id":"a","id":"b","signature":"aGVsbG8="}]`, "too long": "[" + item + strings.Repeat(" ", 150_000) + "]",
	} {
		m.add("batch: "+name, toBatch, typeJSON, body)
	}
	for name, body := range map[string]string{"empty": "", "blank lines": "\n\r\n \n", "no JSON": "hello\n", "an array": "[" + item + "]\n", "no end": `{"signature":"aGVs`, "two on a line": item + item, "a long line": strings.Repeat("x", 150_000), "too many": strings.Repeat(item+"\n", 6), "a null byte": "\x00\n"} {
		m.add("lines: "+name, toBatch, typeNDJSON, body)
	}
	for name, body := range map[string]string{
		"no id": field(`form-data; name="signature"`, "x"), "an empty id": field(`form-data; name="signature."`, "x"), "an id with a slash": field(`form-data; name="signature.a/b"`, "x"), "an unknown field": field(`form-data; name="x.1"`, "x"),
		"content only": field(`form-data; name="content.1"`, "x"), "twice": field(`form-data; name="signature.1"`, "x") + field(`form-data; name="signature.1"`, "x"), "a PDF": field(`form-data; name="signature.1"`, "%PDF-1.7"), "no parts": "",
	} {
		m.add("batch form: "+name, toBatch, bounded, body+"--B--\r\n")
	}
}

// badQueries are about the query of the address.
func badQueries(m table, signature []byte) {
	for _, query := range []string{
		"x=1", "format=", "format=xml", "format=JSON", "Format=json", "format=json&format=html", "format=json&format=json", "lang=de", "lang=", "lang=ru&lang=en", "format=signed", "%zz", "format=%ff", "format=json;lang=ru", "at=2020-01-01", "=", "format[]=json", "callback=f",
	} {
		m.add("query: "+query, toVerify+"?"+query, octets, string(signature))
	}
	m.add("query: batch", toBatch+"?format=xml", typeJSON, "[]")
	m.add("query: certificate", toCertificate+"?deep=1", octets, "x")
	m.add("key: basic", toVerify, octets, string(signature), "Authorization", "Basic dXNlcjpwYXNz")
	m.add("key: unknown", toVerify, octets, string(signature), "X-Api-Key", "propusk_x")
	m.add("key: empty", toVerify, octets, string(signature), "Authorization", "")
	m.add("key: two", toVerify, octets, string(signature), "X-Api-Key", "a", "Authorization", "Bearer a")
}

// badCertificates are about the check of certificates.
func badCertificates(m table, certificate []byte) {
	for name, body := range map[string]string{
		"nothing": "", "a text": "hello", "cut": string(certificate[:len(certificate)/2]), "cut by a byte": string(certificate[:len(certificate)-1]), "something follows": string(certificate) + "\x00", "an empty sequence": "\x30\x00", "deep": strings.Repeat("\x30\x80", 1000),
		"a PDF": "%PDF-1.7", "PEM with another label": string(pemOf("DATA", certificate)), "two in PEM": string(append(pemOf("CERTIFICATE", certificate), pemOf("CERTIFICATE", certificate)...)), "too long": strings.Repeat("A", 150_000),
		"a key beside it": string(append(pemOf("CERTIFICATE", certificate), pemOf("PRIVATE KEY", []byte{0x30, 0})...)),
	} {
		m.add("certificate: "+name, toCertificate, octets, body)
	}
	for name, body := range map[string]string{"no field": "{}", "an unknown field": `{"signature":"AAAA"}`, "bad base64": `{"certificate":"!"}`, "a number": `{"certificate":1}`, "empty": `{"certificate":""}`, "twice": `{"certificate":"AAAA","certificate":"AAAA"}`, "something follows": `{"certificate":"AAAA"}x`} {
		m.add("certificate: JSON, "+name, toCertificate, typeJSON, body)
	}
}

// TestMalformedByPeople: the page answers everything that a form can have wrong with a
// page.
func TestMalformedByPeople(t *testing.T) {
	s := newService(t, func(o *Options) { o.MaxBody, o.MaxDocument = 100_000, 200_000 })
	for name, in := range malformed(s) {
		if in.target != toVerify {
			continue
		}
		w := s.do("/verify", "", strings.NewReader(in.body), in.headers...)
		if w.Code >= 500 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") || w.Code == http.StatusOK && !strings.Contains(w.Body.String(), "<h1") {
			t.Errorf("%s: %d %s", name, w.Code, w.Header().Get("Content-Type"))
		}
	}
}

// rawRequest is what a client writes into a connection, whatever HTTP says.
func rawRequests() map[string]string {
	head := "POST /api/v1/verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
	chunked := head + "Transfer-Encoding: chunked\r\n\r\n"
	return map[string]string{
		"a chunk without a length":           chunked + "hello",
		"a chunk with a length of letters":   chunked + "xyz\r\nhello\r\n0\r\n\r\n",
		"a chunk with a negative length":     chunked + "-1\r\n{}\r\n0\r\n\r\n",
		"a chunk with a huge length":         chunked + "ffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
		"a chunk longer than it says":        chunked + "1\r\n{}\r\n0\r\n\r\n",
		"a chunk that ends early":            chunked + "ff\r\n{}",
		"a last chunk without an end":        chunked + "2\r\n{}\r\n0\r\n",
		"no chunks":                          chunked + "0\r\n\r\n",
		"a chunk with a long extension":      chunked + "2;" + strings.Repeat("x", 10_000) + "\r\n{}\r\n0\r\n\r\n",
		"a body shorter than its length":     head + "Content-Length: 100\r\n\r\n{}",
		"a length and chunks":                head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"no length":                          head + "\r\n{}",
		"an expectation that nobody fulfils": head + "Expect: miracles\r\nContent-Length: 2\r\n\r\n{}",
		"a length longer than allowed":       head + "Content-Length: 99999999999\r\n\r\n{}",
	}
}

// TestMalformedChunks: what breaks below the body never leaves a client without an
// answer, and the answer is never that we failed.
func TestMalformedChunks(t *testing.T) {
	s := newService(t)
	server := httptest.NewServer(s.handler)
	defer server.Close()
	got := make(map[string]string)
	for name, text := range rawRequests() {
		got["raw: "+name] = rawOutcome(t, server.Listener.Addr().String(), name, text)
	}
	golden(t, "testdata/chunks.txt", got)
}
