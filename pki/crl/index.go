package crl

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"iter"
	"time"
)

// index holds the entries of a list, without a pointer for the garbage collector to
// follow in each, and finds them by their serial numbers. Short lists, and what is
// unusual in long ones, stand in a table; the rest of long ones on shelves, which
// take less room.
//
// Hashes are seeded anew for every list: whoever chooses serial numbers cannot
// choose collisions.
type index struct {
	seed    maphash.Seed
	epoch   int64                 // Unix time that ages on the shelves are counted back from
	shelves *[maxSerial + 1]shelf // by the length of the serial number; nil for a short list
	rest    table
	count   int
}

// record is what is known of an entry besides its serial number.
type record struct {
	revokedAt    int64 // Unix time
	reason       Reason
	invalidSince int64 // Unix time, noDate if absent
}

// noDate stands for a date that an entry does not have. No list can have it: it is
// in the year −292277022399.
const noDate = -1 << 63

// worse reports whether of two entries of one serial number r is the one that
// counts: revocation against its removal, then the earlier date.
func (r record) worse(than record) bool {
	if a, b := r.reason == RemoveFromCRL, than.reason == RemoveFromCRL; a != b {
		return b
	}
	return r.revokedAt < than.revokedAt
}

// entry makes the record of a serial number an Entry, which holds the slice given.
func (r record) entry(serial []byte) Entry {
	e := Entry{Serial: serial, RevokedAt: time.Unix(r.revokedAt, 0).UTC(), Reason: r.reason}
	if r.invalidSince != noDate {
		e.InvalidSince = time.Unix(r.invalidSince, 0).UTC()
	}
	return e
}

// long prepares for a list that is worth shelves. epoch is its date of issue, which
// dates of revocation precede by some years at most.
func (x *index) long(epoch time.Time) {
	x.seed, x.epoch = maphash.MakeSeed(), epoch.Unix()
	x.shelves = new([maxSerial + 1]shelf)
}

// add takes one entry. Duplicates are taken too: build and lookup see to them.
func (x *index) add(serial []byte, r record) {
	x.count++
	if x.shelves != nil && len(serial) >= keySize && r.invalidSince == noDate {
		if age := x.epoch - r.revokedAt; age >= 0 && age < maxAge {
			x.shelves[len(serial)].add(x.seed, serial, uint32(age)<<reasonBits|uint32(r.reason))
			return
		}
	}
	x.rest.add(serial, r)
}

// build makes the entries findable once all of them are there.
func (x *index) build() {
	if x.shelves != nil {
		for i := range x.shelves {
			x.settle(&x.shelves[i])
		}
	}
	x.rest.build()
}

// settle sorts a shelf, or clears it if it holds too little to be worth its buckets.
func (x *index) settle(s *shelf) {
	if s.count >= minShelf {
		s.sort()
		return
	}
	for serial, meta := range s.all(x.seed) {
		x.rest.add(serial, x.record(meta))
	}
	*s = shelf{}
}

// record reads what a shelf says.
func (x *index) record(meta uint32) record {
	return record{x.epoch - int64(meta>>reasonBits), Reason(meta & (1<<reasonBits - 1)), noDate}
}

// lookup finds the entry of a serial number; of several, the worst.
func (x *index) lookup(serial []byte) (record, bool) {
	found, ok := x.rest.lookup(serial)
	if x.shelves == nil || len(serial) > maxSerial {
		return found, ok
	}
	if meta, shelved := x.shelves[len(serial)].lookup(x.seed, serial); shelved {
		if r := x.record(meta); !ok || r.worse(found) {
			return r, true
		}
	}
	return found, ok
}

// all yields the entries in no particular order. The serial number is valid until
// the next one.
func (x *index) all() iter.Seq2[[]byte, record] {
	return func(yield func([]byte, record) bool) {
		for offset := 0; offset < len(x.rest.records); {
			serial, r, next := x.rest.at(offset)
			if !yield(serial, r) {
				return
			}
			offset = next
		}
		if x.shelves == nil {
			return
		}
		for i := range x.shelves {
			for serial, meta := range x.shelves[i].all(x.seed) {
				if !yield(serial, x.record(meta)) {
					return
				}
			}
		}
	}
}

// table is records one after another in one slice, and an open-addressing hash table
// of their offsets. Nothing about an entry is too odd for it.
type table struct {
	seed    maphash.Seed
	records []byte
	places  []uint32 // offset into records plus one, zero for a free place
	count   int
}

// A record is:
//
//	1 byte   length of the serial number
//	1 byte   reason; the top bit says that an invalidity date follows
//	5 bytes  revocation date, seconds since year 1
//	5 bytes  invalidity date, if there is one
//	         the serial number
const (
	recordHeader = 7
	hasInvalid   = 0x80
	timeSize     = 5
)

// yearOne is the Unix time of the first second of year 1.
const yearOne = -62135596800

// add appends a record.
func (t *table) add(serial []byte, r record) {
	flag := byte(0)
	if r.invalidSince != noDate {
		flag = hasInvalid
	}
	t.records = append(t.records, byte(len(serial)), byte(r.reason)|flag)
	t.records = appendTime(t.records, r.revokedAt)
	if flag != 0 {
		t.records = appendTime(t.records, r.invalidSince)
	}
	t.records = append(t.records, serial...)
	t.count++
}

func appendTime(to []byte, unix int64) []byte {
	s := uint64(max(unix-yearOne, 0)) // year 0 exists in DER, but not in any list
	return append(to, byte(s>>32), byte(s>>24), byte(s>>16), byte(s>>8), byte(s))
}

func readTime(b []byte) int64 {
	return int64(uint64(b[0])<<32|uint64(binary.BigEndian.Uint32(b[1:timeSize]))) + yearOne
}

// at returns the record at an offset, and the offset of the next one.
func (t *table) at(offset int) (serial []byte, r record, next int) {
	b := t.records[offset:]
	r = record{readTime(b[2:]), Reason(b[1] &^ hasInvalid), noDate}
	start := recordHeader
	if b[1]&hasInvalid != 0 {
		r.invalidSince = readTime(b[recordHeader:])
		start += timeSize
	}
	length := start + int(b[0])
	return b[start:length], r, offset + length
}

// build makes the table once all records are there. Its load is between a quarter
// and a half.
func (t *table) build() {
	if t.count == 0 {
		return
	}
	t.seed = maphash.MakeSeed()
	size := 8
	for size < 2*t.count {
		size *= 2
	}
	t.places = make([]uint32, size)
	for offset := 0; offset < len(t.records); {
		serial, r, next := t.at(offset)
		place, other, found := t.find(serial)
		if !found || r.worse(other) {
			t.places[place] = uint32(offset) + 1
		}
		offset = next
	}
}

// find returns the place of a serial number in the table: where it is, or where it
// belongs.
func (t *table) find(serial []byte) (place int, r record, found bool) {
	mask := len(t.places) - 1
	for place = int(maphash.Bytes(t.seed, serial)) & mask; t.places[place] != 0; place = (place + 1) & mask {
		if s, r, _ := t.at(int(t.places[place] - 1)); bytes.Equal(s, serial) {
			return place, r, true
		}
	}
	return place, record{}, false
}

func (t *table) lookup(serial []byte) (record, bool) {
	if len(t.places) == 0 {
		return record{}, false
	}
	_, r, found := t.find(serial)
	return r, found
}
