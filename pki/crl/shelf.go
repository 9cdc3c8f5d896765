package crl

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"iter"
	"sort"
)

// shelf holds entries whose serial numbers are of one length, sorted into buckets.
//
// The number of the bucket is the first two bytes of the serial number, masked with
// a hash of the others, so that serial numbers of any design spread evenly. The
// bucket and the others give the two bytes back: they need not be kept, and yet
// nothing is left to chance. A record is the rest of the serial number and four
// bytes: how many seconds before the list was issued the certificate was revoked,
// 28 bits, and the reason. A million serial numbers of 17 bytes take 19.3 MB.
type shelf struct {
	count int
	trays [trays]tray
}

// tray holds the buckets with the same first four bits: it fits into the cache of the
// processor while it is sorted.
type tray struct {
	tail   int // bytes of a serial number that are kept
	count  int
	blocks []block
	starts []uint32 // number of the first record of each bucket, and of all; nil before sort
}

// block is a part of the records, so that a tray grows without being copied.
type block struct {
	keys    []uint16 // of the records; nil after sort
	records []byte
}

const (
	keySize    = 2 // bytes that the bucket stands for
	metaSize   = 4 // bytes after those of the serial number
	reasonBits = 4 // of the four bytes
	maxAge     = 1 << (8*metaSize - reasonBits)
	trays      = 1 << 4
	buckets    = 1 << (8 * keySize) / trays // of a tray
	blockSize  = 1 << 13                    // records of a block: it is whole pages of memory then, whatever the width

	// minShelf is how many entries are worth the buckets, 256 KB.
	minShelf = 4096
	// fewRecords is the greatest number of records that are looked at one by one. A
	// bucket has more if the list has millions of entries, or one serial number many
	// times.
	fewRecords = 64
)

// tray returns where a key belongs.
func (s *shelf) tray(key uint16) *tray { return &s.trays[key/buckets] }

// add puts an entry on the shelf.
func (s *shelf) add(seed maphash.Seed, serial []byte, meta uint32) {
	key := keyOf(seed, serial)
	s.count++
	s.tray(key).add(key, serial[keySize:], meta)
}

// lookup finds a serial number; of several records, the worst.
func (s *shelf) lookup(seed maphash.Seed, serial []byte) (meta uint32, found bool) {
	if s.count == 0 {
		return 0, false
	}
	key := keyOf(seed, serial)
	return s.tray(key).lookup(int(key%buckets), serial[keySize:])
}

// sort makes the entries findable.
func (s *shelf) sort() {
	for i := range s.trays {
		s.trays[i].sort()
	}
}

// all yields the serial numbers of the shelf.
func (s *shelf) all(seed maphash.Seed) iter.Seq2[[]byte, uint32] {
	return func(yield func([]byte, uint32) bool) {
		for i := range s.trays {
			for key, record := range s.trays[i].all() {
				tail, meta := s.trays[i].split(record)
				if !yield(serialOf(seed, uint16(i*buckets)+key, tail), meta) {
					return
				}
			}
		}
	}
}

// keyOf returns the bucket of a serial number.
func keyOf(seed maphash.Seed, serial []byte) uint16 {
	return binary.BigEndian.Uint16(serial) ^ uint16(maphash.Bytes(seed, serial[keySize:]))
}

// serialOf puts a serial number together again.
func serialOf(seed maphash.Seed, key uint16, tail []byte) []byte {
	front := key ^ uint16(maphash.Bytes(seed, tail))
	return append(binary.BigEndian.AppendUint16(make([]byte, 0, maxSerial), front), tail...)
}

// add appends a record. The first block grows with what it holds.
func (t *tray) add(key uint16, tail []byte, meta uint32) {
	if t.count%blockSize == 0 {
		t.tail = len(tail)
		b := block{}
		if t.count > 0 {
			b = block{make([]uint16, 0, blockSize), make([]byte, 0, blockSize*(t.tail+metaSize))}
		}
		t.blocks = append(t.blocks, b)
	}
	b := &t.blocks[len(t.blocks)-1]
	b.keys = append(b.keys, key%buckets)
	b.records = append(b.records, tail...)
	b.records = binary.LittleEndian.AppendUint32(b.records, meta)
	t.count++
}

// record returns record i.
func (t *tray) record(i int) []byte {
	width := t.tail + metaSize
	at := i % blockSize * width
	return t.blocks[i/blockSize].records[at : at+width]
}

// split returns what a record says.
func (t *tray) split(record []byte) (tail []byte, meta uint32) {
	return record[:t.tail], binary.LittleEndian.Uint32(record[t.tail:])
}

// at returns what record i says.
func (t *tray) at(i int) (tail []byte, meta uint32) { return t.split(t.record(i)) }

// key returns the bucket of record i, before sort.
func (t *tray) key(i int) *uint16 { return &t.blocks[i/blockSize].keys[i%blockSize] }

// swap exchanges two records.
func (t *tray) swap(i, j int) {
	var spare [maxSerial + metaSize]byte
	a, b := t.record(i), t.record(j)
	copy(spare[:], a)
	copy(a, b)
	copy(b, spare[:len(b)])
}

// sort brings the records into their buckets, in place: each swap brings one to
// where it stays.
func (t *tray) sort() {
	if t.count == 0 {
		return
	}
	t.starts = make([]uint32, buckets+1)
	for i := range t.blocks {
		for _, k := range t.blocks[i].keys {
			t.starts[k+1]++
		}
	}
	for k := range buckets {
		t.starts[k+1] += t.starts[k]
	}
	var free [buckets]uint32
	copy(free[:], t.starts)
	for k := range free {
		for end := t.starts[k+1]; free[k] < end; {
			i := int(free[k])
			key := t.key(i)
			if int(*key) != k {
				j := int(free[*key])
				free[*key]++
				other := t.key(j)
				*key, *other = *other, *key
				t.swap(i, j)
			} else {
				free[k]++
			}
		}
	}
	for i := range t.blocks {
		b := &t.blocks[i]
		if b.keys = nil; len(b.records) < cap(b.records) {
			b.records = bytes.Clone(b.records)
		}
	}
	for k := range buckets {
		if r := t.bucket(k); r.Len() > fewRecords {
			r.sort()
		}
	}
}

// bucket returns the records of a bucket.
func (t *tray) bucket(k int) run { return run{t, int(t.starts[k]), int(t.starts[k+1])} }

// run is the records of a tray from one to before another.
type run struct {
	*tray
	from, to int
}

// sort sorts by serial number; of one serial number the worst comes first. The others
// stay as they come: a list may have one serial number many million times, and to order
// those would take much longer than to read them.
func (r run) sort() {
	sort.Sort(r)
	worst := r.from
	for i := r.from + 1; i < r.to; i++ {
		tail, meta := r.at(i)
		other, least := r.at(worst)
		switch {
		case !bytes.Equal(tail, other):
			worst = i
		case worseMeta(meta, least):
			r.swap(worst, i)
		}
	}
}

func (r run) Len() int      { return r.to - r.from }
func (r run) Swap(i, j int) { r.swap(r.from+i, r.from+j) }
func (r run) Less(i, j int) bool {
	a, _ := r.at(r.from + i)
	b, _ := r.at(r.from + j)
	return bytes.Compare(a, b) < 0
}

// worseMeta is record.worse for what shelves keep: of the greater age is the earlier
// date.
func worseMeta(a, b uint32) bool {
	if x, y := isRemoval(a), isRemoval(b); x != y {
		return y
	}
	return a>>reasonBits > b>>reasonBits
}

func isRemoval(meta uint32) bool { return Reason(meta&(1<<reasonBits-1)) == RemoveFromCRL }

// lookup finds a serial number in a bucket.
func (t *tray) lookup(k int, tail []byte) (meta uint32, found bool) {
	if t.count == 0 {
		return 0, false
	}
	r := t.bucket(k)
	if r.Len() > fewRecords {
		r.from += sort.Search(r.Len(), func(i int) bool {
			other, _ := t.at(r.from + i)
			return bytes.Compare(other, tail) >= 0
		})
		r.to = min(r.to, r.from+1)
	}
	width := t.tail + metaSize
	for i := r.from; i < r.to; {
		n := min(r.to-i, blockSize-i%blockSize)
		records := t.blocks[i/blockSize].records[i%blockSize*width:][:n*width]
		i += n
		for at := next(records, tail, width, 0); at < len(records); at = next(records, tail, width, at+width) {
			if _, m := t.split(records[at : at+width]); !found || worseMeta(m, meta) {
				meta, found = m, true
			}
		}
	}
	return meta, found
}

// next returns where in a row of records of some width the first one at or after from
// stands that begins with tail; the length of the row if there is none. Nearly all
// differ in the first four bytes, if there are so many.
func next(records, tail []byte, width, from int) int {
	var first [4]byte
	mask := uint32(1)<<(8*copy(first[:], tail)) - 1 // all ones if there are four
	front := binary.LittleEndian.Uint32(first[:])
	for ; from+4 <= len(records); from += width {
		if (binary.LittleEndian.Uint32(records[from:])^front)&mask == 0 && bytes.HasPrefix(records[from:], tail) {
			return from
		}
	}
	return len(records)
}

// all yields the records with their buckets, sorted or not.
func (t *tray) all() iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		k := 0
		for i := range t.count {
			if t.starts == nil {
				k = int(*t.key(i))
			}
			for t.starts != nil && int(t.starts[k+1]) <= i {
				k++
			}
			if !yield(uint16(k), t.record(i)) {
				return
			}
		}
	}
}
