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
			for _, size := range []int{16, 100, 1024 - s.MACSize, 4096} {
				for _, n := range []int{0, 1, size - 1, size, size + 1, 2 * size, 3*size + 5, 9*size - 1, 16 * size, 35*size + 3} {
					if n > 20_000 {
						continue
					}
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

func TestOpenMany(t *testing.T) { cryptotest.Paths(t, testOpenMany) }

// OpenMany opens what Seal made, up to the first record that was changed, and leaves
// nothing of those after it.
func testOpenMany(t *testing.T) {
	for _, suite := range []uint16{0xc100, 0xc101, 0xc102} {
		for _, size := range []int{0, 3, 15, 16, 17, 300, 4096, MaxPlaintext} {
			for _, count := range []int{1, 2, 3, 16, 17, 40} {
				if size*count > 40_000 {
					continue
				}
				for _, bad := range []int{-1, 0, count / 2, count - 1} {
					openMany(t, suite, size, count, bad)
				}
			}
		}
	}
}

// openMany seals count records, of which it changes that with the number bad.
func openMany(t *testing.T, suite uint16, size, count, bad int) {
	t.Helper()
	sealer, opener := pair(t, suite)
	if suite != 0xc102 {
		start := 5*sealer.suite.leaf - 10
		sealer.at(t, start)
		opener.at(t, start)
	}
	content := pattern(size)
	var fragments [][]byte
	for i := range count {
		rec, err := sealer.Seal(nil, 23, 0x0303, content)
		if err != nil {
			t.Fatal(err)
		}
		if i == bad {
			rec[HeaderSize+len(rec[HeaderSize:])/2] ^= 0x10
		}
		fragments = append(fragments, rec[HeaderSize:])
	}
	n, err := opener.OpenMany(23, 0x0303, fragments)
	want := count
	if bad >= 0 {
		want = bad
		if !errors.Is(err, ErrMAC) {
			t.Fatalf("%#x, record %d of %d changed: %v", suite, bad, count, err)
		}
	} else if err != nil {
		t.Fatal(err)
	}
	if n != want {
		t.Fatalf("%#x: opened %d of %d records of %d bytes, want %d", suite, n, count, size, want)
	}
	for i, fragment := range fragments {
		if i < n && !bytes.Equal(fragment, content) {
			t.Fatalf("%#x: record %d of %d bytes opened as something else", suite, i, size)
		}
		if i >= n && suite != 0xc102 && bytes.Count(fragment, []byte{0}) != len(fragment) {
			t.Fatalf("%#x: record %d left behind", suite, i)
		}
	}
}

// Every byte of a record counts, also when it is opened beside others: none of the code
// may be left out.
func TestForgeriesMany(t *testing.T) { cryptotest.Paths(t, testForgeriesMany) }

func testForgeriesMany(t *testing.T) {
	for _, suite := range []uint16{0xc100, 0xc101} {
		sealer, opener := pair(t, suite)
		var records [][]byte
		for range 3 {
			rec, err := sealer.Seal(nil, 23, 0x0303, pattern(40))
			if err != nil {
				t.Fatal(err)
			}
			records = append(records, rec[HeaderSize:])
		}
		if opener.sideBySide(len(records)) == 0 {
			t.Fatalf("%#x: not opened side by side", suite)
		}
		for i := range records[1] {
			_, opener := pair(t, suite)
			changed := [][]byte{bytes.Clone(records[0]), bytes.Clone(records[1]), bytes.Clone(records[2])}
			changed[1][i] ^= 1 << (i % 8)
			if n, err := opener.OpenMany(23, 0x0303, changed); n != 1 || !errors.Is(err, ErrMAC) {
				t.Errorf("%#x, byte %d of %d: opened %d, %v", suite, i, len(records[1]), n, err)
			}
		}
	}
}
