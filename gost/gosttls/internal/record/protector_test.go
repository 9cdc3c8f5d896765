package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"propusk/gost/internal/vectors"
)

func protector(t testing.TB, suite uint16, macKey, encKey, iv []byte) *Protector {
	t.Helper()
	s, ok := SuiteByID(suite)
	if !ok {
		t.Fatalf("no suite %#x", suite)
	}
	var p *Protector
	var err error
	if s.Version13 {
		p, err = NewProtector13(s, encKey, iv)
	} else {
		p, err = NewProtector(s, macKey, encKey, iv)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// at moves a protector to a record number.
func (p *Protector) at(t testing.TB, seq uint64) *Protector {
	t.Helper()
	p.seq = seq
	return p
}

func pair(t testing.TB, suite uint16) (sealer, opener *Protector) {
	t.Helper()
	s, _ := SuiteByID(suite)
	mac, enc := bytes.Repeat([]byte{1}, KeySize), bytes.Repeat([]byte{2}, KeySize)
	iv := bytes.Repeat([]byte{0xff}, s.IVSize()) // so that the sum with seq wraps
	return protector(t, suite, mac, enc, iv), protector(t, suite, mac, enc, iv)
}

// suites are those of CTR_OMAC.
var suites = []uint16{0xc100, 0xc101}

var allSuites = []uint16{0xc100, 0xc101, 0xc102, 0xff85, 0xc103, 0xc104, 0xc105, 0xc106}

func TestVectors(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/rfc9189-records.txt") {
		t.Run(v.Name, func(t *testing.T) {
			suite := binary.BigEndian.Uint16(v.Hex(t, "suite"))
			seq := binary.BigEndian.Uint64(v.Hex(t, "seqnum"))
			content := make([]byte, binary.BigEndian.Uint16(v.Hex(t, "length")))
			macKey, encKey, iv := v.Hex(t, "mac key"), v.Hex(t, "key"), v.Hex(t, "iv")

			got, err := protector(t, suite, macKey, encKey, iv).at(t, seq).Seal(nil, 23, 0x0303, content)
			if err != nil {
				t.Fatal(err)
			}
			if head := v.Hex(t, "head"); !bytes.HasPrefix(got, head) {
				t.Errorf("record begins %x, want %x", got[:len(head)], head)
			}
			if v.Has("tail") {
				if tail := v.Hex(t, "tail"); !bytes.HasSuffix(got, tail) {
					t.Errorf("record ends %x, want %x", got[len(got)-len(tail):], tail)
				}
			}
			_, back, err := protector(t, suite, macKey, encKey, iv).at(t, seq).Open(23, 0x0303, got[HeaderSize:])
			if err != nil || !bytes.Equal(back, content) {
				t.Errorf("Open: %v", err)
			}
		})
	}
}

// Records of all lengths around the limits, many in a row so that the keys change.
func TestSealOpen(t *testing.T) {
	for _, suite := range suites {
		sealer, opener := pair(t, suite)
		lengths := []int{0, 1, 7, 8, 15, 16, 17, 1023, 1024, 1025, 4095, 4096, 4097, MaxPlaintext - 1, MaxPlaintext}
		for i := range 5 * 64 {
			content := bytes.Repeat([]byte{byte(i)}, lengths[i%len(lengths)])
			prefix := []byte("before")
			rec, err := sealer.Seal(prefix, 23, 0x0303, content)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(rec, prefix) {
				t.Fatal("Seal does not append")
			}
			rec = rec[len(prefix):]
			if len(rec) != HeaderSize+len(content)+sealer.Overhead() {
				t.Fatalf("record of %d bytes for %d", len(rec), len(content))
			}
			_, got, err := opener.Open(23, 0x0303, rec[HeaderSize:])
			if err != nil || !bytes.Equal(got, content) {
				t.Fatalf("%#x, record %d of %d bytes: %v", suite, i, len(content), err)
			}
		}
	}
}

func TestForgeries(t *testing.T) {
	content := []byte("GET / HTTP/1.1\r\n\r\n")
	for _, suite := range suites {
		sealer, _ := pair(t, suite)
		rec, err := sealer.Seal(nil, 23, 0x0303, content)
		if err != nil {
			t.Fatal(err)
		}
		second, err := sealer.Seal(nil, 23, 0x0303, content)
		if err != nil {
			t.Fatal(err)
		}
		try := func(name string, typ uint8, version uint16, fragment []byte) {
			t.Helper()
			_, opener := pair(t, suite)
			fragment = bytes.Clone(fragment)
			_, got, err := opener.Open(typ, version, fragment)
			if !errors.Is(err, ErrMAC) || got != nil {
				t.Errorf("%#x, %s: %q, %v", suite, name, got, err)
			}
			if bytes.Contains(fragment, content[:8]) {
				t.Errorf("%#x, %s: plaintext left behind", suite, name)
			}
		}
		fragment := rec[HeaderSize:]
		for i := range fragment {
			for bit := range 8 {
				if testing.Short() && bit != i%8 {
					continue
				}
				bad := bytes.Clone(fragment)
				bad[i] ^= 1 << bit
				try("flipped bit", 23, 0x0303, bad)
			}
		}
		for n := range fragment {
			try("shortened", 23, 0x0303, fragment[:n])
		}
		try("lengthened", 23, 0x0303, append(bytes.Clone(fragment), 0))
		try("another type", 22, 0x0303, fragment)
		try("another version", 23, 0x0301, fragment)
		try("another number", 23, 0x0303, second[HeaderSize:])

		_, opener := pair(t, suite)
		for i, r := range [][]byte{rec, second} {
			if _, _, err := opener.Open(23, 0x0303, bytes.Clone(r[HeaderSize:])); err != nil {
				t.Fatalf("%#x, record %d: %v", suite, i, err)
			}
		}
		if _, _, err := opener.Open(23, 0x0303, bytes.Clone(second[HeaderSize:])); !errors.Is(err, ErrMAC) {
			t.Errorf("%#x, replay: %v", suite, err)
		}
	}
}

// RFC 9189, Section 4.3.5: SNMAX is used, and nothing after it.
func TestLastRecord(t *testing.T) {
	for suite, last := range map[uint16]uint64{0xc100: math.MaxUint64, 0xc101: math.MaxUint32} {
		sealer, opener := pair(t, suite)
		sealer.at(t, last-1)
		opener.at(t, last-1)
		for i := range 2 {
			if got, want := sealer.LastOne(), i == 1; got != want {
				t.Errorf("%#x: LastOne = %v before record %d", suite, got, i)
			}
			rec, err := sealer.Seal(nil, 23, 0x0303, []byte("x"))
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := opener.Open(23, 0x0303, rec[HeaderSize:]); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := sealer.Seal(nil, 23, 0x0303, nil); !errors.Is(err, ErrSequence) {
			t.Errorf("%#x: Seal after the last record: %v", suite, err)
		}
		if _, _, err := opener.Open(23, 0x0303, make([]byte, 20)); !errors.Is(err, ErrSequence) {
			t.Errorf("%#x: Open after the last record: %v", suite, err)
		}
		if !sealer.LastOne() {
			t.Errorf("%#x: LastOne is false after the last record", suite)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, suite := range suites {
		sealer, opener := pair(t, suite)
		if _, err := sealer.Seal(nil, 23, 0x0303, make([]byte, MaxPlaintext+1)); !errors.Is(err, ErrLength) {
			t.Errorf("Seal: %v", err)
		}
		if _, _, err := opener.Open(23, 0x0303, make([]byte, MaxPlaintext+opener.Overhead()+1)); !errors.Is(err, ErrLength) {
			t.Errorf("Open: %v", err)
		}
		s, _ := SuiteByID(suite)
		for _, bad := range [][3]int{{31, 32, s.IVSize()}, {32, 33, s.IVSize()}, {32, 32, s.IVSize() + 1}, {0, 0, 0}} {
			if p, err := NewProtector(s, make([]byte, bad[0]), make([]byte, bad[1]), make([]byte, bad[2])); err == nil || p != nil {
				t.Errorf("NewProtector with lengths %v: %v, %v", bad, p, err)
			}
		}
	}
	if s, ok := SuiteByID(0x0081); ok {
		t.Errorf("suite %v", s.Name)
	}
}

// FuzzRecord opens arbitrary bytes. Nobody can forge a MAC, so everything is
// refused except what was sealed.
func FuzzRecord(f *testing.F) {
	for _, suite := range suites {
		sealer, _ := pair(f, suite)
		rec, err := sealer.Seal(nil, 23, 0x0303, []byte("content"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(suite == 0xc101, uint8(23), uint16(0x0303), rec[HeaderSize:])
		f.Add(suite == 0xc101, uint8(22), uint16(0x0303), rec[HeaderSize:len(rec)-1])
		f.Add(suite == 0xc101, uint8(21), uint16(0x0301), []byte{})
	}
	f.Fuzz(func(t *testing.T, magma bool, typ uint8, version uint16, fragment []byte) {
		suite := uint16(0xc100)
		if magma {
			suite = 0xc101
		}
		sealer, opener := pair(t, suite)
		input := bytes.Clone(fragment)
		_, content, err := opener.Open(typ, version, fragment)
		if err != nil {
			if content != nil {
				t.Fatalf("refused, yet returned %x", content)
			}
			return
		}
		back, err := sealer.Seal(nil, typ, version, content)
		if err != nil || !bytes.Equal(back[HeaderSize:], input) {
			t.Fatalf("%x opens and is sealed as %x, %v", input, back, err)
		}
	})
}
