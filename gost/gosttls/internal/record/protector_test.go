package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"propusk/gost/internal/vectors"
	"propusk/gost/kdf"
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

// Records of all lengths around the limits, many in a row so that the keys change, from
// numbers on around which upper levels of the trees change too.
func TestSealOpen(t *testing.T) {
	for _, suite := range allSuites {
		starts := []uint64{0, 1<<13 - 50, 1<<32 - 100, 1<<38 + 3}
		switch suite {
		case 0xc101:
			starts = []uint64{0, 1<<25 - 100}
		case 0xc102, 0xff85:
			starts = []uint64{0}
		}
		for _, start := range starts {
			sealer, opener := pair(t, suite)
			streamThrough(t, sealer.at(t, start), opener.at(t, start))
		}
	}
}

func streamThrough(t *testing.T, sealer, opener *Protector) {
	t.Helper()
	lengths := []int{0, 1, 7, 8, 15, 16, 17, 1023, 1024, 1025, 4095, 4096, 4097, MaxPlaintext - 1, MaxPlaintext}
	for i := range 3 * 64 {
		content := pattern(lengths[i%len(lengths)])
		prefix, typ := []byte("before"), uint8(21+i%3)
		rec, err := sealer.Seal(prefix, typ, 0x0303, content)
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
		if sealer.Version13() && rec[0] != typeApplicationData {
			t.Fatalf("type %d in the header of TLS 1.3", rec[0])
		}
		inner, got, err := opener.Open(rec[0], 0x0303, rec[HeaderSize:])
		if err != nil || inner != typ || !bytes.Equal(got, content) {
			t.Fatalf("%s, record %d of %d bytes: type %d, %v", sealer.suite.Name, i, len(content), inner, err)
		}
	}
}

// Suite.leaf is what the masks say: the keys are looked up only where a leaf begins.
func TestLeaf(t *testing.T) {
	for _, suite := range allSuites {
		s, _ := SuiteByID(suite)
		if s.kind == cntIMIT {
			continue
		}
		tree := kdf.NewTLSTree(s.masks, make([]byte, KeySize))
		for _, first := range []uint64{0, 3 * s.leaf, 1<<33 + 5*s.leaf} {
			key := tree.Key(first)
			if tree.Key(first+s.leaf-1) != key {
				t.Errorf("%s: key changes before %d", s.Name, first+s.leaf)
			}
			if tree.Key(first+s.leaf) == key {
				t.Errorf("%s: key does not change at %d", s.Name, first+s.leaf)
			}
		}
	}
}

// Padding of the peer is removed, as much as a record holds; a record of nothing but
// padding has no type, and content with it must not be longer than without (RFC 8446,
// Sections 5.2 and 5.4).
func TestPadding(t *testing.T) {
	for _, suite := range []uint16{0xc103, 0xc104, 0xc105, 0xc106} {
		for _, test := range []struct {
			content, padding int
			want             error
		}{
			{5, 0, nil}, {5, 1, nil}, {0, 1, nil}, {0, 200, nil}, {0, MaxPlaintext, nil},
			{MaxPlaintext - 7, 7, nil}, {MaxPlaintext - 7, 8, ErrLength}, {MaxPlaintext, 1, ErrLength},
			{MaxPlaintext, 239, ErrLength}, {MaxPlaintext, 260, ErrLength},
		} {
			sealer, opener := pair(t, suite)
			content := pattern(test.content)
			rec := padded(t, sealer, 22, content, test.padding)
			typ, got, err := opener.Open(rec[0], 0x0303, rec[HeaderSize:])
			if !errors.Is(err, test.want) || (err == nil && (typ != 22 || !bytes.Equal(got, content))) {
				t.Errorf("%#x, %d bytes and %d of padding: type %d, %d bytes, %v", suite, test.content, test.padding, typ, len(got), err)
			}
		}
		sealer, opener := pair(t, suite)
		rec := padded(t, sealer, 0, nil, 30)
		if _, got, err := opener.Open(rec[0], 0x0303, rec[HeaderSize:]); !errors.Is(err, ErrInnerType) || got != nil {
			t.Errorf("%#x, nothing but padding: %x, %v", suite, got, err)
		}
	}
}

// padded returns the next record of a sealer, with padding.
func padded(t *testing.T, sealer *Protector, typ uint8, content []byte, padding int) []byte {
	t.Helper()
	m, ok := sealer.mode.(*mgmMode)
	if !ok {
		t.Fatalf("a %T", sealer.mode)
	}
	rec := sealer.appendHeader(nil, typ, 0x0303, len(content)+padding+sealer.Overhead())
	rec, err := m.sealPadded(rec, sealer.seq, typ, content, padding)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// After Wipe nothing is sealed or opened, and the keys are gone.
func TestWipe(t *testing.T) {
	for _, suite := range allSuites {
		sealer, opener := pair(t, suite)
		rec, err := sealer.Seal(nil, 23, 0x0303, pattern(20_000%MaxPlaintext))
		if err != nil {
			t.Fatal(err)
		}
		sealer.Wipe()
		opener.Wipe()
		if got, err := sealer.Seal(nil, 23, 0x0303, []byte("x")); !errors.Is(err, ErrSequence) || got != nil {
			t.Errorf("%#x: Seal after Wipe: %x, %v", suite, got, err)
		}
		if _, done, err := sealer.SealMany(nil, 23, 0x0303, make([]byte, 1000), 100); done != 0 || !errors.Is(err, ErrSequence) {
			t.Errorf("%#x: SealMany after Wipe: %d, %v", suite, done, err)
		}
		if _, got, err := opener.Open(rec[0], 0x0303, rec[HeaderSize:]); !errors.Is(err, ErrSequence) || got != nil {
			t.Errorf("%#x: Open after Wipe: %x, %v", suite, got, err)
		}
		if n, err := opener.OpenMany(rec[0], 0x0303, [][]byte{rec[HeaderSize:], rec[HeaderSize:]}); n != 0 || !errors.Is(err, ErrSequence) {
			t.Errorf("%#x: OpenMany after Wipe: %d, %v", suite, n, err)
		}
	}
}

// Keys are replaced before the record numbers of TLS 1.3 run out.
func TestUpdateSoon(t *testing.T) {
	for _, suite := range allSuites {
		p, _ := pair(t, suite)
		for left, want := range map[uint64]bool{0: true, 1: true, 1<<16 - 1: true, 1 << 16: false, 1 << 30: false} {
			if got := p.at(t, p.suite.MaxSeq-left).UpdateSoon(); got != (want && p.Version13()) {
				t.Errorf("%#x: %v with %d records left", suite, got, left)
			}
		}
	}
}

func TestForgeries(t *testing.T) {
	content := []byte("GET / HTTP/1.1\r\n\r\n")
	for _, suite := range allSuites {
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

// RFC 9189, Section 4.3.5, and RFC 9367, Section 4.1.3: SNMAX is used, and nothing after it.
func TestLastRecord(t *testing.T) {
	for suite, last := range map[uint16]uint64{
		0xc100: math.MaxUint64, 0xc101: math.MaxUint32, 0xc102: math.MaxUint64, 0xff85: math.MaxUint64,
		0xc103: math.MaxUint64, 0xc104: math.MaxUint64, 0xc105: 1<<42 - 1, 0xc106: 1<<39 - 1,
	} {
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
	for _, suite := range allSuites {
		sealer, opener := pair(t, suite)
		if _, err := sealer.Seal(nil, 23, 0x0303, make([]byte, MaxPlaintext+1)); !errors.Is(err, ErrLength) {
			t.Errorf("Seal: %v", err)
		}
		if _, _, err := opener.Open(23, 0x0303, make([]byte, opener.MaxFragment()+1)); !errors.Is(err, ErrLength) {
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

// FuzzRecord opens arbitrary bytes. Nobody can forge a code, so everything is refused
// except what was sealed.
func FuzzRecord(f *testing.F) {
	for i, suite := range allSuites {
		sealer, _ := pair(f, suite)
		rec, err := sealer.Seal(nil, 23, 0x0303, []byte("content"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), uint8(23), uint16(0x0303), rec[HeaderSize:])
		f.Add(uint8(i), uint8(22), uint16(0x0303), rec[HeaderSize:len(rec)-1])
		f.Add(uint8(i), uint8(21), uint16(0x0301), []byte{})
	}
	f.Fuzz(func(t *testing.T, i, typ uint8, version uint16, fragment []byte) {
		sealer, opener := pair(t, allSuites[int(i)%len(allSuites)])
		input := bytes.Clone(fragment)
		inner, content, err := opener.Open(typ, version, fragment)
		if err != nil {
			if content != nil {
				t.Fatalf("refused, yet returned %x", content)
			}
			return
		}
		back, err := sealer.Seal(nil, inner, version, content)
		if err != nil || !bytes.Equal(back[HeaderSize:], input) {
			t.Fatalf("%x opens and is sealed as %x, %v", input, back, err)
		}
	})
}

// FuzzStream seals a stream in records of some size, from some number on, opens it with
// one bit changed somewhere, and sees everything before and nothing after.
func FuzzStream(f *testing.F) {
	f.Add(uint8(0), uint64(0), uint16(16), []byte("a few records"), uint32(5))
	f.Add(uint8(1), uint64(4090), uint16(1000), pattern(20_000), uint32(100_000))
	f.Add(uint8(0), uint64(60), uint16(4096), pattern(70_000), uint32(300_000))
	f.Add(uint8(2), uint64(0), uint16(1020), pattern(5000), uint32(40_000))
	f.Add(uint8(7), uint64(1<<38), uint16(100), pattern(1000), uint32(0))
	f.Fuzz(func(t *testing.T, i uint8, start uint64, size uint16, content []byte, flip uint32) {
		suite := allSuites[int(i)%len(allSuites)]
		sealer, opener := pair(t, suite)
		records := uint64(len(content))/maxBlock + 2
		start = min(start, sealer.suite.MaxSeq-records)
		sealer.at(t, start)
		opener.at(t, start)
		piece := maxBlock + int(size)%(MaxPlaintext-maxBlock+1)
		stream, done, err := sealer.SealMany(nil, 23, 0x0303, content, piece)
		if err != nil || done != len(content) {
			t.Fatalf("sealed %d of %d bytes: %v", done, len(content), err)
		}
		at := int(flip) / 8 % max(len(stream), 1) // no record begins after len(stream)
		changed := len(stream) > 0 && at%(piece+sealer.Overhead()+HeaderSize) >= HeaderSize
		if changed {
			stream[at] ^= 1 << (flip % 8)
		}
		openStream(t, opener, stream, content, piece, changed, at)
	})
}

// openStream opens records until one does not open, which must be that of the octet at
// if something was changed, and compares.
func openStream(t *testing.T, opener *Protector, stream, content []byte, piece int, changed bool, at int) {
	t.Helper()
	for offset := 0; offset < len(stream); {
		n := min(piece, len(content))
		end := offset + HeaderSize + n + opener.Overhead()
		_, got, err := opener.Open(23, 0x0303, stream[offset+HeaderSize:end])
		if changed && offset <= at && at < end {
			if !errors.Is(err, ErrMAC) || got != nil {
				t.Fatalf("changed record at %d opens: %v", offset, err)
			}
			return
		}
		if err != nil || !bytes.Equal(got, content[:n]) {
			t.Fatalf("record at %d: %v", offset, err)
		}
		content, offset = content[n:], end
	}
}
