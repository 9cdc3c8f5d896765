package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"

	"propusk/gost/gosttls/internal/record"
)

var suites = []uint16{0xc100, 0xc101, 0xc102, 0xff85, 0xc103, 0xc104, 0xc105, 0xc106}

// protector returns the protection of a direction; all of a suite are alike.
func protector(t *testing.T, suite uint16) *record.Protector {
	t.Helper()
	s, ok := record.SuiteByID(suite)
	if !ok {
		t.Fatalf("no suite %#x", suite)
	}
	key, iv := bytes.Repeat([]byte{7}, record.KeySize), make([]byte, s.IVSize())
	var p *record.Protector
	var err error
	if s.Version13 {
		p, err = record.NewProtector13(s, key, iv)
	} else {
		p, err = record.NewProtector(s, key, key, iv)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// counted counts writes.
type counted struct {
	bytes.Buffer
	writes int
}

func (c *counted) Write(b []byte) (int, error) {
	c.writes++
	return c.Buffer.Write(b)
}

// established returns both ends of a direction after a handshake.
func established(t *testing.T, suite uint16, stream io.Reader) (*Output, *counted, *Input) {
	t.Helper()
	below := new(counted)
	if stream == nil {
		stream = below
	}
	return &Output{Writer: below, Protect: protector(t, suite)}, below,
		&Input{Reader: stream, Protect: protector(t, suite), Established: true}
}

// pieces gives one piece after the other.
type pieces struct{ left [][]byte }

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.left[0])
	if p.left[0] = p.left[0][n:]; len(p.left[0]) == 0 {
		p.left = p.left[1:]
	}
	return n, nil
}

// What is written comes out, whatever the size, in as few writes as the records allow.
func TestData(t *testing.T) {
	for _, suite := range suites {
		out, below, in := established(t, suite, nil)
		for size, writes := range map[int]int{
			0: 0, 1: 1, record.MaxPlaintext: 1, record.MaxPlaintext + 1: 1, 16 * record.MaxPlaintext: 1, 33*record.MaxPlaintext + 5: 3,
		} {
			content := make([]byte, size)
			for i := range content {
				content[i] = byte(i >> 3)
			}
			below.writes = 0
			if n, err := out.WriteData(content); n != size || err != nil {
				t.Fatalf("%#x: %d of %d bytes, %v", suite, n, size, err)
			}
			if below.writes != writes {
				t.Errorf("%#x: %d bytes in %d writes, want %d", suite, size, below.writes, writes)
			}
			var got []byte
			for len(got) < size {
				typ, part, err := in.Next()
				if typ != TypeApplicationData || err != nil {
					t.Fatalf("%#x: type %d, %v", suite, typ, err)
				}
				got = append(got, part...)
			}
			if !bytes.Equal(got, content) {
				t.Fatalf("%#x: %d bytes came as others", suite, size)
			}
		}
	}
}

// Records that arrive together come out up to the one that was changed, and then the
// error, for good.
func TestChangedRecord(t *testing.T) {
	const size = 100
	for _, suite := range suites {
		for _, bad := range []int{0, 1, 3, 7, 8, 19} {
			out, below, _ := established(t, suite, nil)
			for i := range 20 {
				if _, err := out.WriteData(bytes.Repeat([]byte{byte(i)}, size)); err != nil {
					t.Fatal(err)
				}
			}
			stream := below.Bytes()
			length := len(stream) / 20
			stream[bad*length+record.HeaderSize+50] ^= 1
			_, _, in := established(t, suite, bytes.NewReader(stream))
			for i := range bad {
				typ, got, err := in.Next()
				if typ != TypeApplicationData || err != nil || !bytes.Equal(got, bytes.Repeat([]byte{byte(i)}, size)) {
					t.Fatalf("%#x: record %d: type %d, %x, %v", suite, i, typ, got, err)
				}
			}
			for range 2 {
				var refusal *ProtocolError
				if _, got, err := in.Next(); got != nil || !errors.As(err, &refusal) || refusal.Alert != AlertBadRecordMAC {
					t.Errorf("%#x: changed record %d: %x, %v", suite, bad, got, err)
				}
			}
		}
	}
}

// Empty records are legal and of no use; too many in a row end the connection, also when
// they arrive together.
func TestEmptyRecords(t *testing.T) {
	for _, suite := range suites {
		for count, end := range map[int]bool{MaxUselessRecords - 1: false, MaxUselessRecords: true} {
			out, below, in := established(t, suite, nil)
			for range count {
				rec, err := out.Protect.Seal(nil, uint8(TypeApplicationData), Version, nil)
				if err != nil {
					t.Fatal(err)
				}
				below.Buffer.Write(rec)
			}
			if _, err := out.WriteData([]byte("content")); err != nil {
				t.Fatal(err)
			}
			_, got, err := in.Next()
			var refusal *ProtocolError
			if end && (!errors.As(err, &refusal) || refusal.Alert != AlertUnexpectedMessage) || !end && string(got) != "content" {
				t.Errorf("%#x, %d empty records: %q, %v", suite, count, got, err)
			}
		}
	}
}

// A direction that waits for the next request keeps the small buffer and nothing else,
// and one that has ended keeps none and no keys.
func TestBuffers(t *testing.T) {
	for _, suite := range suites {
		out, below, _ := established(t, suite, nil)
		if _, err := out.WriteData(make([]byte, 3*record.MaxPlaintext)); err != nil {
			t.Fatal(err)
		}
		long := bytes.Clone(below.Bytes())
		below.Reset()
		if _, err := out.WriteData([]byte("request")); err != nil {
			t.Fatal(err)
		}
		_, _, in := established(t, suite, &pieces{[][]byte{long[:len(long)-100], long[len(long)-100:], below.Bytes()}})
		for range 4 {
			if _, _, err := in.Next(); err != nil {
				t.Fatal(err)
			}
		}
		if in.large != nil || len(in.buf) != smallBuffer {
			t.Errorf("%#x: a buffer of %d bytes is kept", suite, len(in.buf))
		}
		if _, _, err := in.Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%#x: %v", suite, err)
		}
		if in.buf != nil || in.small != nil || in.large != nil {
			t.Errorf("%#x: a buffer is kept after the end", suite)
		}
		if _, _, err := in.Protect.Open(23, Version, make([]byte, 100)); !errors.Is(err, record.ErrSequence) {
			t.Errorf("%#x: keys are kept after the end: %v", suite, err)
		}
	}
}

// A time-out is not the end: the bytes so far stay.
func TestTimeout(t *testing.T) {
	for _, suite := range suites {
		out, below, _ := established(t, suite, nil)
		if _, err := out.WriteData([]byte("slowly")); err != nil {
			t.Fatal(err)
		}
		_, _, in := established(t, suite, &slow{b: below.Bytes()})
		var got []byte
		timeouts := 0
		for got == nil {
			_, content, err := in.Next()
			if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
				timeouts++
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			got = content
		}
		if string(got) != "slowly" || timeouts < 2 {
			t.Errorf("%#x: %q after %d time-outs", suite, got, timeouts)
		}
	}
}

// slow gives one byte, then a time-out.
type slow struct {
	b    []byte
	turn bool
}

func (s *slow) Read(b []byte) (int, error) {
	if s.turn = !s.turn; !s.turn {
		return 0, timeout{}
	}
	n := copy(b[:1], s.b)
	s.b = s.b[n:]
	return n, nil
}

type timeout struct{}

func (timeout) Error() string   { return "too slow" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

// After close_notify nothing is sent, and the keys are gone.
func TestClosed(t *testing.T) {
	for _, suite := range suites {
		out, below, in := established(t, suite, nil)
		if err := out.SendAlert(AlertCloseNotify); err != nil {
			t.Fatal(err)
		}
		sent := below.Len()
		if n, err := out.WriteData([]byte("x")); n != 0 || !errors.Is(err, ErrWriteClosed) {
			t.Errorf("%#x: %d, %v", suite, n, err)
		}
		if err := out.Queue(TypeHandshake, []byte("x")); !errors.Is(err, ErrWriteClosed) {
			t.Errorf("%#x: %v", suite, err)
		}
		if err := out.SendAlert(AlertInternalError); err != nil || below.Len() != sent {
			t.Errorf("%#x: a second alert: %v", suite, err)
		}
		if _, err := out.Protect.Seal(nil, 23, Version, nil); !errors.Is(err, record.ErrSequence) {
			t.Errorf("%#x: keys are kept: %v", suite, err)
		}
		if _, _, err := in.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%#x: %v", suite, err)
		}
	}
}

// FuzzInput gives arbitrary bytes to an input with keys: there is nothing but errors.
func FuzzInput(f *testing.F) {
	f.Add(uint8(0), []byte{23, 3, 3, 0, 20, 1, 2, 3})
	f.Add(uint8(4), append([]byte{23, 3, 3, 0, 20}, make([]byte, 40)...))
	f.Add(uint8(2), []byte{21, 3, 3, 0, 2, 1, 0})
	f.Fuzz(func(t *testing.T, i uint8, stream []byte) {
		_, _, in := established(t, suites[int(i)%len(suites)], bytes.NewReader(stream))
		if typ, content, err := in.Next(); err == nil || content != nil {
			t.Fatalf("type %d, %x came out of nothing", typ, content)
		}
	})
}
