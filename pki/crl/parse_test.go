package crl

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
)

// asn writes DER by hand: a tag, then what is inside.
func asn(tag byte, inside ...string) string {
	body := strings.Join(inside, "")
	switch n := len(body); {
	case n < 0x80:
		return string([]byte{tag, byte(n)}) + body
	case n < 0x100:
		return string([]byte{tag, 0x81, byte(n)}) + body
	default:
		return string([]byte{tag, 0x82, byte(n >> 8), byte(n)}) + body
	}
}

const (
	algorithm = "\x30\x0a\x06\x08\x2a\x85\x03\x07\x01\x01\x03\x02"
	version2  = "\x02\x01\x01"
	aName     = "\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01A"
	otherName = "\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01B"
	aTime     = "\x17\x0d260723120000Z"
	reasonOID = "\x06\x03\x55\x1d\x15"
	aSign     = "\x03\x03\x00\xAA\xBB"
)

func listOf(tbs ...string) []byte { return []byte(asn(0x30, asn(0x30, tbs...), algorithm, aSign)) }

// entries is a whole list with the given entries.
func entries(all ...string) []byte {
	return listOf(version2, algorithm, aName, aTime, aTime, asn(0x30, all...))
}

func withReason(code string) []byte {
	return entries(asn(0x30, "\x02\x01\x05", aTime, asn(0x30, asn(0x30, reasonOID, asn(0x04, code)))))
}

func extensions(all ...string) []byte {
	return listOf(version2, algorithm, aName, aTime, asn(0xA0, asn(0x30, all...)))
}

func TestForms(t *testing.T) {
	number := asn(0x30, "\x06\x03\x55\x1d\x14", asn(0x04, "\x02\x01\x05"))
	for name, v := range map[string]struct {
		der  []byte
		want reason.Code
	}{
		"version 1":                 {listOf(algorithm, aName, aTime), ""},
		"version 1, entries":        {listOf(algorithm, aName, aTime, aTime, asn(0x30, asn(0x30, "\x02\x01\x05", aTime))), ""},
		"version 2":                 {listOf(version2, algorithm, aName, aTime), ""},
		"empty entries":             {entries(), ""},
		"entry":                     {entries(asn(0x30, "\x02\x01\x05", aTime)), ""},
		"GeneralizedTime":           {entries(asn(0x30, "\x02\x01\x05", "\x18\x0f20260723120000Z")), ""},
		"year zero":                 {entries(asn(0x30, "\x02\x01\x05", "\x18\x0f00000723120000Z")), ""},
		"reason":                    {withReason("\x0a\x01\x06"), ""},
		"number":                    {extensions(number), ""},
		"FALSE written out":         {extensions(asn(0x30, "\x06\x03\x55\x1d\x14", "\x01\x01\x00", asn(0x04, "\x02\x01\x05"))), ""},
		"entry names an issuer":     {entries(asn(0x30, "\x02\x01\x05", aTime, asn(0x30, asn(0x30, "\x06\x03\x55\x1d\x1d", "\x01\x01\xff", asn(0x04, asn(0x30, asn(0xA4, otherName))))))), reason.CRLUnsupported},
		"entry, issuer by e-mail":   {entries(asn(0x30, "\x02\x01\x05", aTime, asn(0x30, asn(0x30, "\x06\x03\x55\x1d\x1d", "\x01\x01\xff", asn(0x04, asn(0x30, "\x81\x01a")))))), reason.CRLUnsupported},
		"entry, nobody its issuer":  {entries(asn(0x30, "\x02\x01\x05", aTime, asn(0x30, asn(0x30, "\x06\x03\x55\x1d\x1d", "\x01\x01\xff", asn(0x04, "\x30\x00"))))), reason.CRLMalformed},
		"delta without a number":    {extensions(asn(0x30, "\x06\x03\x55\x1d\x1b", "\x01\x01\xff", asn(0x04, "\x02\x01\x05"))), reason.CRLUnsupported},
		"delta, long base":          {extensions(asn(0x30, "\x06\x03\x55\x1d\x1b", asn(0x04, asn(0x02, strings.Repeat("\x11", maxSerial+1))))), reason.CRLMalformed},
		"some reasons":              {extensions(asn(0x30, "\x06\x03\x55\x1d\x1c", asn(0x04, asn(0x30, someCause)))), ""},
		"no reasons":                {extensions(asn(0x30, "\x06\x03\x55\x1d\x1c", asn(0x04, asn(0x30, "\x83\x02\x05\x00")))), reason.CRLMalformed},
		"reasons with spare bits":   {extensions(asn(0x30, "\x06\x03\x55\x1d\x1c", asn(0x04, asn(0x30, "\x83\x02\x05\x30")))), reason.CRLMalformed},
		"scope of users and others": {extensions(asn(0x30, "\x06\x03\x55\x1d\x1c", asn(0x04, asn(0x30, userOnly, attrOnly)))), reason.CRLMalformed},
		"entry, unknown critical":   {entries(asn(0x30, "\x02\x01\x05", aTime, asn(0x30, asn(0x30, "\x06\x01\x2a", "\x01\x01\xff", asn(0x04, "\x30\x00"))))), reason.CRLUnsupported},
		"entry, unknown":            {entries(asn(0x30, "\x02\x01\x05", aTime, asn(0x30, asn(0x30, "\x06\x01\x2a", asn(0x04, "\x30\x00"))))), ""},
		"version 0":                 {listOf("\x02\x01\x00", algorithm, aName, aTime), reason.CRLMalformed},
		"version 3":                 {listOf("\x02\x01\x02", algorithm, aName, aTime), reason.CRLMalformed},
		"version 1, extensions":     {listOf(algorithm, aName, aTime, asn(0xA0, asn(0x30, number))), reason.CRLMalformed},
		"version 1, entry ext":      {listOf(algorithm, aName, aTime, asn(0x30, asn(0x30, "\x02\x01\x05", aTime, asn(0x30, asn(0x30, reasonOID, asn(0x04, "\x0a\x01\x01")))))), reason.CRLMalformed},
		"no extensions inside":      {extensions(), reason.CRLMalformed},
		"extension twice":           {extensions(number, number), reason.CRLMalformed},
		"algorithms differ":         {[]byte(asn(0x30, asn(0x30, version2, algorithm, aName, aTime), "\x30\x0a\x06\x08\x2a\x85\x03\x07\x01\x01\x03\x03", aSign)), reason.CRLMalformed},
		"signature is signed":       {[]byte(asn(0x30, asn(0x30, version2, algorithm, aName, aTime, algorithm, aSign))), reason.CRLMalformed},
		"no thisUpdate":             {listOf(version2, algorithm, aName), reason.CRLMalformed},
		"no issuer":                 {listOf(version2, algorithm, aTime), reason.CRLMalformed},
		"something after":           {listOf(version2, algorithm, aName, aTime, aTime, asn(0x30), "\x05\x00"), reason.CRLMalformed},
		"third time":                {listOf(version2, algorithm, aName, aTime, aTime, aTime), reason.CRLMalformed},
		"month 13":                  {entries(asn(0x30, "\x02\x01\x05", "\x17\x0d261323120000Z")), reason.CRLMalformed},
		"local time":                {entries(asn(0x30, "\x02\x01\x05", "\x17\x11260723120000+0300")), reason.CRLMalformed},
		"no date":                   {entries(asn(0x30, "\x02\x01\x05")), reason.CRLMalformed},
		"no serial":                 {entries(asn(0x30, aTime)), reason.CRLMalformed},
		"empty serial":              {entries(asn(0x30, "\x02\x00", aTime)), reason.CRLMalformed},
		"serial not minimal":        {entries(asn(0x30, "\x02\x02\x00\x05", aTime)), reason.CRLMalformed},
		"long serial":               {entries(asn(0x30, asn(0x02, strings.Repeat("\x11", maxSerial+1)), aTime)), reason.CRLMalformed},
		"reason 7":                  {withReason("\x0a\x01\x07"), reason.CRLMalformed},
		"reason 11":                 {withReason("\x0a\x01\x0b"), reason.CRLMalformed},
		"reason is no ENUMERATED":   {withReason("\x02\x01\x01"), reason.CRLMalformed},
		"reason and more":           {withReason("\x0a\x01\x01\x05\x00"), reason.CRLMalformed},
		"long number":               {extensions(asn(0x30, "\x06\x03\x55\x1d\x14", asn(0x04, asn(0x02, strings.Repeat("\x11", maxSerial+1))))), reason.CRLMalformed},
		"scope of users and CAs":    {extensions(asn(0x30, "\x06\x03\x55\x1d\x1c", asn(0x04, asn(0x30, userOnly, caOnly)))), reason.CRLMalformed},
		"scope with a bad BOOLEAN":  {extensions(asn(0x30, "\x06\x03\x55\x1d\x1c", asn(0x04, asn(0x30, "\x81\x01\x05")))), reason.CRLMalformed},
		"scope without names":       {extensions(asn(0x30, "\x06\x03\x55\x1d\x1c", asn(0x04, asn(0x30, "\xa0\x02\xa0\x00")))), reason.CRLMalformed},
		"many names":                {extensions(asn(0x30, "\x06\x03\x55\x1d\x1c", asn(0x04, asn(0x30, asn(0xA0, asn(0xA0, strings.Repeat("\x86\x01x", maxNames+1))))))), reason.CRLMalformed},
		"many extensions":           {extensions(manyExtensions()), reason.CRLMalformed},
		"empty file":                {nil, reason.CRLMalformed},
		"a web page":                {[]byte("<html>404</html>"), reason.CRLMalformed},
		"BER length":                {append([]byte{0x30, 0x80}, listOf(version2, algorithm, aName, aTime)...), reason.CRLMalformed},
	} {
		l, err := Parse(v.der)
		if err == nil {
			err = l.Unusable()
		}
		if v.want == "" && err != nil || v.want != "" && reason.Of(err) != v.want {
			t.Errorf("%s: %v, want %q", name, err, v.want)
		}
	}
	if _, err := Parse(make([]byte, MaxSize+1)); reason.Of(err) != reason.CRLTooLarge {
		t.Errorf("a list over the limit: %v", err)
	}
}

func manyExtensions() string {
	var b strings.Builder
	for i := range maxExtensions + 1 {
		b.WriteString(asn(0x30, "\x06\x02\x2a"+string([]byte{byte(i)}), asn(0x04, "x")))
	}
	return b.String()
}

// TestUnknownAlgorithm: a list that cannot be verified can be read.
func TestUnknownAlgorithm(t *testing.T) {
	const sha1RSA = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00"
	ca := newAuthority(t, "A", nil)
	l, err := Parse([]byte(asn(0x30, asn(0x30, version2, sha1RSA, string(ca.cert.RawSubject), aTime), sha1RSA, aSign)))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.CheckSignature(ca.cert); reason.Of(err) != reason.CRLUnsupported {
		t.Errorf("%v", err)
	}
}

// FuzzParse: what is accepted has all its entries in the index; what is refused
// returns nothing.
func FuzzParse(f *testing.F) {
	for _, name := range mustGlob(f, "testdata/seeds/*.hex") {
		f.Add(readHex(f, name))
	}
	ca := newAuthority(f, "УЦ", nil)
	cert := ca.issue(f, []byte{0x22}, nil)
	f.Fuzz(func(t *testing.T, der []byte) {
		l, err := Parse(der)
		if err != nil {
			if l != nil || reason.Of(err) == reason.InternalError {
				t.Fatalf("%v, %v", l, err)
			}
			if l, err := Read(iotest.OneByteReader(bytes.NewReader(der))); err == nil || l != nil {
				t.Fatalf("refused as a whole, but not in pieces: %v", err)
			}
			return
		}
		found := 0
		for e := range l.Entries() {
			name := e.Issuer
			if name == nil {
				name = l.RawIssuer()
			}
			if got, ok := l.LookupOf(name, e.Serial); !ok || !bytes.Equal(got.Serial, e.Serial) {
				t.Fatalf("entry %x is not found: %+v", e.Serial, got)
			}
			found++
		}
		if found != l.Len() {
			t.Fatalf("%d entries, %d found", l.Len(), found)
		}
		same(t, der, l)
		// Nobody but the CA of this run could have signed it.
		if l.CheckSignature(ca.cert) == nil {
			t.Fatal("signature accepted")
		}
		if c := (Checker{Set: NewSet(l)}).Revocation(cert, ca.cert, now); c.Reason == "" {
			t.Fatalf("%+v", c)
		}
	})
}

// readHex reads a file of hexadecimal digits; lines that begin with # are
// comments.
func readHex(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			digits.WriteString(strings.TrimSpace(line))
		}
	}
	der, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return der
}

var update = flag.Bool("update", false, "write testdata/seeds anew")

// TestUpdate makes the seeds of FuzzParse.
func TestUpdate(t *testing.T) {
	if !*update {
		t.Skip("without -update the seeds stay")
	}
	ca := newAuthority(t, "УЦ", nil)
	for name, der := range map[string][]byte{
		"full": ca.der(t, func(t *Template) {
			t.Extra = []gostx509.Extension{point(namedURL + userOnly), extension("1.3.6.1.4.1.311.21.1", false, "\x02\x01\x00")}
			t.Entries = append(t.Entries, Entry{Serial: []byte{0, 0x80}, RevokedAt: now.AddDate(30, 0, 0), InvalidSince: now})
		}),
		"empty": ca.der(t, func(t *Template) { t.Entries = nil }),
		"indirect": ca.der(t, func(t *Template) {
			t.Base, t.Freshest, t.Scope = 5, []string{pointURL}, Scope{Indirect: true, CACerts: true, Reasons: Reasons(KeyCompromise, AACompromise)}
			t.Entries = append(t.Entries, Entry{Serial: []byte{3}, RevokedAt: now, Issuer: []byte(otherName)}, Entry{Serial: []byte{4}, RevokedAt: now, Reason: RemoveFromCRL})
		}),
		"version1": listOf(algorithm, aName, aTime, aTime, asn(0x30, asn(0x30, "\x02\x01\x05", aTime))),
		"scope":    extensions(asn(0x30, "\x06\x03\x55\x1d\x1c", asn(0x04, asn(0x30, caOnly, someCause, indirect, attrOnly)))),
		"delta":    extensions(asn(0x30, "\x06\x03\x55\x1d\x1b", "\x01\x01\xff", asn(0x04, "\x02\x01\x05"))),
	} {
		text := "# Source: made by TestUpdate of package crl (go test -run TestUpdate -update).\n" + hex.EncodeToString(der) + "\n"
		if err := os.WriteFile("testdata/seeds/"+name+".hex", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func mustGlob(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	return names
}

// same reads a list again, in pieces of any size, and wants the same.
func same(t *testing.T, der []byte, want *List) {
	t.Helper()
	got, err := Read(iotest.HalfReader(bytes.NewReader(der)))
	if err != nil {
		t.Fatalf("taken as a whole, but not in pieces: %v", err)
	}
	if got.Len() != want.Len() || got.sha256 != want.sha256 || !bytes.Equal(got.digest, want.digest) || !bytes.Equal(got.signature, want.signature) {
		t.Fatalf("%d entries, %x; in pieces %d, %x", want.Len(), want.digest, got.Len(), got.digest)
	}
	for e := range want.Entries() {
		name := e.Issuer
		if name == nil {
			name = want.RawIssuer()
		}
		a, _ := want.LookupOf(name, e.Serial)
		if b, ok := got.LookupOf(name, e.Serial); !ok || !reflect.DeepEqual(a, b) {
			t.Fatalf("%+v, in pieces %+v", a, b)
		}
	}
}

// many is a list of n entries with serial numbers of 17 bytes, the first of which is
// always one, and a reason: 50 bytes each. serial tells the numbers.
func many(t testing.TB, n int) (der []byte, serial func(int) []byte) {
	t.Helper()
	ca := newAuthority(t, "УЦ", nil)
	serial = func(i int) []byte {
		h := md5.Sum(binary.BigEndian.AppendUint32(nil, uint32(i))) // random enough, and the same in every run
		return append([]byte{1}, h[:]...)
	}
	all := make([]Entry, n)
	for i := range all {
		all[i] = Entry{Serial: serial(i), RevokedAt: now.Add(-time.Duration(1+i) * time.Second), Reason: Reason(1 + i%5)}
	}
	der, err := Create(nil, Template{Number: 1, ThisUpdate: now, NextUpdate: now.Add(time.Hour), Entries: all}, ca.cert, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	return der, serial
}

// unhashed gives a list a signature algorithm that nobody knows: it is read, and
// nothing is hashed for the signature.
func unhashed(der []byte) []byte {
	const tc26 = "\x2a\x85\x03\x07\x01\x01\x03"
	return bytes.ReplaceAll(der, []byte(tc26+"\x02"), []byte(tc26+"\x7f"))
}

// heap is how many bytes are in use after a collection.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestMillion holds the index to its size: a million entries of 50 bytes take at most
// 20 MB, and little more while they are read.
func TestMillion(t *testing.T) {
	if testing.Short() {
		t.Skip("a list of 50 MB")
	}
	const n = 1_000_000
	der, serial := many(t, n)
	before, peak := heap(), int64(0)
	l, err := Read(&watch{data: der, every: 10 << 20, see: func() { peak = max(peak, heap()-before) }})
	if err != nil {
		t.Fatal(err)
	}
	if peak == 0 || peak > 25_000_000 {
		t.Errorf("%d bytes were held while %d were read", peak, len(der))
	}
	if kept := heap() - before; kept > 20_000_000 {
		t.Errorf("%d entries of %d bytes take %d bytes", l.Len(), len(der), kept)
	}
	for i := range n {
		e, ok := l.Lookup(serial(i))
		if !ok || !e.RevokedAt.Equal(now.Add(-time.Duration(1+i)*time.Second)) || e.Reason != Reason(1+i%5) {
			t.Fatalf("%d: %+v, %v", i, e, ok)
		}
		if _, ok := l.Lookup(serial(n + i)); ok {
			t.Fatalf("%d is found", n+i)
		}
	}
	runtime.KeepAlive(der)
}

func BenchmarkMillion(b *testing.B) {
	der, serial := many(b, 1_000_000)
	b.Run("parse", func(b *testing.B) {
		b.SetBytes(int64(len(der)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Parse(der); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(der)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Read(bytes.NewReader(der)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("index", func(b *testing.B) { // without the hashes
		plain := unhashed(der)
		b.SetBytes(int64(len(der)))
		for b.Loop() {
			s := newStream(nil, plain)
			s.whole.Hash = nil
			p := parser{s: s, l: &List{}}
			p.certificateList()
			p.build()
			if s.err != nil {
				b.Fatal(s.err)
			}
		}
	})
	b.Run("lookup", func(b *testing.B) {
		l, err := Parse(der)
		if err != nil {
			b.Fatal(err)
		}
		serials := make([][]byte, 1<<10)
		for i := range serials {
			serials[i] = serial(i * 977)
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, found := l.Lookup(serials[i%len(serials)]); !found {
				b.Fatal("not found")
			}
		}
	})
}
