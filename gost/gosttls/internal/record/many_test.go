package record

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"propusk/gost/internal/cryptotest"
)

// pattern returns n bytes that are not all alike.
func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i*i>>7 + i)
	}
	return p
}

func TestSealMany(t *testing.T) { cryptotest.Paths(t, testSealMany) }

// Whatever SealMany does at once is what Seal does one by one: for numbers of records
// around those that are done side by side, for last records of all lengths, and where
// the keys change in the middle.
func testSealMany(t *testing.T) {
	for _, suite := range allSuites {
		s, _ := SuiteByID(suite)
		starts := []uint64{0}
		if s.leaf > 1 {
			starts = append(starts, s.leaf-5, 7*s.leaf-16, 3*s.leaf-1)
		}
		if s.kind == cntIMIT {
			starts = starts[:1] // what was before counts
		}
		for _, start := range starts {
			for _, size := range []int{16, 1000, 1024 - s.MACSize, 4096} {
				for _, n := range []int{0, 1, size - 1, size, size + 1, 2 * size, 3*size + 5, 8 * size, 9*size - 1, 16 * size, 35*size + 3} {
					many, one := pair(t, suite)
					many.at(t, start)
					one.at(t, start)
					compareMany(t, many, one, pattern(n), size)
				}
			}
		}
	}
}

func compareMany(t *testing.T, many, one *Protector, content []byte, size int) {
	t.Helper()
	prefix := []byte("before")
	got, done, err := many.SealMany(bytes.Clone(prefix), 23, 0x0303, content, size)
	if err != nil || done != len(content) {
		t.Fatalf("%s: %d of %d bytes sealed, %v", many.suite.Name, done, len(content), err)
	}
	want := prefix
	for len(content) > 0 {
		n := min(size, len(content))
		if want, err = one.Seal(want, 23, 0x0303, content[:n]); err != nil {
			t.Fatal(err)
		}
		content = content[n:]
	}
	if !bytes.Equal(got, want) || many.seq != one.seq {
		t.Fatalf("%s, from %d on: records of %d bytes differ", many.suite.Name, many.seq, size)
	}
}

// The record with the last number is left for close_notify.
func TestSealManyStops(t *testing.T) {
	for _, suite := range allSuites {
		sealer, _ := pair(t, suite)
		last := sealer.suite.MaxSeq
		for _, left := range []uint64{0, 1, 3, 16, 20} {
			sealer.at(t, last-left)
			_, done, err := sealer.SealMany(nil, 23, 0x0303, make([]byte, 64*100), 100)
			if err != nil || done != int(left)*100 || !sealer.LastOne() {
				t.Errorf("%s, %d records before the last one: %d bytes sealed, %v", sealer.suite.Name, left, done, err)
			}
		}
		if _, err := sealer.Seal(nil, 21, 0x0303, []byte{1, 0}); err != nil {
			t.Errorf("%s: the last record: %v", sealer.suite.Name, err)
		}
		for _, bad := range []int{math.MinInt, 0, maxBlock - 1, MaxPlaintext + 1} {
			if _, _, err := sealer.SealMany(nil, 23, 0x0303, make([]byte, 100), bad); !errors.Is(err, ErrLength) {
				t.Errorf("records of %d bytes: %v", bad, err)
			}
		}
	}
}
