package record

import (
	"bytes"
	"encoding/binary"
	"testing"

	"propusk/gost/internal/vectors"
)

// newVector returns the protector with the keys of a vector.
func newVector(t *testing.T, v vectors.Vector) *Protector {
	t.Helper()
	s, ok := SuiteByID(binary.BigEndian.Uint16(v.Hex(t, "suite")))
	if !ok {
		t.Fatalf("%s: unknown suite", v.Name)
	}
	var p *Protector
	var err error
	if s.Version13 {
		p, err = NewProtector13(s, v.Hex(t, "key"), v.Hex(t, "iv"))
	} else {
		p, err = NewProtector(s, v.Hex(t, "mac key"), v.Hex(t, "key"), v.Hex(t, "iv"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Records of other implementations open, and sealing what was inside gives the same
// bytes.
func TestRecorded(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/recorded.txt") {
		t.Run(v.Name, func(t *testing.T) {
			opener, sealer := newVector(t, v), newVector(t, v)
			version := binary.BigEndian.Uint16(v.Hex(t, "version"))
			count := 0
			for rest := v.Hex(t, "records"); len(rest) > 0; count++ {
				rec := rest[:HeaderSize+int(binary.BigEndian.Uint16(rest[3:]))]
				rest = rest[len(rec):]
				typ, content, err := opener.Open(rec[0], version, bytes.Clone(rec[HeaderSize:]))
				if err != nil {
					t.Fatalf("record %d: %v", count, err)
				}
				back, err := sealer.Seal(nil, typ, version, content)
				if err != nil || !bytes.Equal(back, rec) {
					t.Fatalf("record %d: sealed as %x, %v; want %x", count, back, err, rec)
				}
			}
			if count == 0 {
				t.Error("no records")
			}
		})
	}
}

func TestVectors13(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/rfc9367-records.txt") {
		t.Run(v.Name, func(t *testing.T) {
			seq, typ := binary.BigEndian.Uint64(v.Hex(t, "seqnum")), v.Hex(t, "type")[0]
			var content, got []byte
			padding := 0
			if v.Has("content") {
				content = v.Hex(t, "content")
			} else {
				content = make([]byte, binary.BigEndian.Uint16(v.Hex(t, "length")))
			}
			if v.Has("padding") {
				padding = int(binary.BigEndian.Uint16(v.Hex(t, "padding")))
			}
			p := newVector(t, v).at(t, seq)
			got = p.appendHeader(got, typ, 0x0303, len(content)+padding+p.Overhead())
			m, ok := p.mode.(*mgmMode)
			if !ok {
				t.Fatalf("a %T", p.mode)
			}
			got, err := m.sealPadded(got, seq, typ, content, padding)
			if err != nil {
				t.Fatal(err)
			}
			checkRecord(t, v, got)

			inner, back, err := newVector(t, v).at(t, seq).Open(got[0], 0x0303, got[HeaderSize:])
			if err != nil || inner != typ || !bytes.Equal(back, content) {
				t.Errorf("Open: type %d, %v", inner, err)
			}
		})
	}
}

// checkRecord compares a record with what a vector has of it.
func checkRecord(t *testing.T, v vectors.Vector, got []byte) {
	t.Helper()
	if v.Has("record") {
		if want := v.Hex(t, "record"); !bytes.Equal(got, want) {
			t.Errorf("record %x, want %x", got, want)
		}
		return
	}
	if head := v.Hex(t, "head"); !bytes.HasPrefix(got, head) {
		t.Errorf("record begins %x, want %x", got[:min(len(head), len(got))], head)
	}
	if v.Has("tail") {
		if tail := v.Hex(t, "tail"); !bytes.HasSuffix(got, tail) {
			t.Errorf("record ends %x, want %x", got[max(len(got)-len(tail), 0):], tail)
		}
	}
}
