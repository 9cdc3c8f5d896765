package crl

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"time"
)

// index holds the entries of a list: records one after another in one slice, and
// an open-addressing hash table of their offsets. A million entries with serial
// numbers of 17 bytes take 32 MB, a quarter of what a slice of structs takes, and
// no pointer for the garbage collector to follow.
//
// The hash is seeded anew for every list: whoever chooses serial numbers cannot
// choose collisions.
type index struct {
	seed    maphash.Seed
	records []byte
	table   []uint32 // offset into records plus one, zero for a free place
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

// add appends a record. It does not look for duplicates: build does.
func (x *index) add(e *Entry) {
	if e.InvalidSince.IsZero() {
		x.addUsual(e.Serial, e.RevokedAt.Unix(), e.Reason)
		return
	}
	x.records = append(x.records, byte(len(e.Serial)), byte(e.Reason)|hasInvalid)
	x.records = appendTime(x.records, e.RevokedAt.Unix())
	x.records = appendTime(x.records, e.InvalidSince.Unix())
	x.records = append(x.records, e.Serial...)
	x.count++
}

// addUsual appends a record without an invalidity date.
func (x *index) addUsual(serial []byte, revokedAt int64, r Reason) {
	x.records = append(x.records, byte(len(serial)), byte(r))
	x.records = appendTime(x.records, revokedAt)
	x.records = append(x.records, serial...)
	x.count++
}

func appendTime(to []byte, unix int64) []byte {
	s := uint64(max(unix-yearOne, 0)) // year 0 exists in DER, but not in any list
	return append(to, byte(s>>32), byte(s>>24), byte(s>>16), byte(s>>8), byte(s))
}

func readTime(b []byte) time.Time {
	s := uint64(b[0])<<32 | uint64(binary.BigEndian.Uint32(b[1:timeSize]))
	return time.Unix(int64(s)+yearOne, 0).UTC()
}

// serialAt returns the serial number of the record at an offset, and the offset
// of the next record.
func (x *index) serialAt(offset int) (serial []byte, next int) {
	start := offset + recordHeader
	if x.records[offset+1]&hasInvalid != 0 {
		start += timeSize
	}
	next = start + int(x.records[offset])
	return x.records[start:next], next
}

// build makes the table once all records are there. Its load is between a quarter
// and a half. Of several entries of one serial number the first one is found: each
// of them says that the certificate is revoked.
func (x *index) build() {
	x.seed = maphash.MakeSeed()
	size := 8
	for size < 2*x.count {
		size *= 2
	}
	x.table = make([]uint32, size)
	for offset := 0; offset < len(x.records); {
		serial, next := x.serialAt(offset)
		if place, found := x.find(serial); !found {
			x.table[place] = uint32(offset) + 1
		}
		offset = next
	}
}

// find returns the place of a serial number in the table: where it is, or where
// it belongs.
func (x *index) find(serial []byte) (place int, found bool) {
	mask := len(x.table) - 1
	for place = int(maphash.Bytes(x.seed, serial)) & mask; x.table[place] != 0; place = (place + 1) & mask {
		if s, _ := x.serialAt(int(x.table[place] - 1)); bytes.Equal(s, serial) {
			return place, true
		}
	}
	return place, false
}

func (x *index) lookup(serial []byte) (Entry, bool) {
	if len(x.table) == 0 {
		return Entry{}, false
	}
	place, found := x.find(serial)
	if !found {
		return Entry{}, false
	}
	return x.entryAt(int(x.table[place] - 1)), true
}

// entryAt returns the entry of the record at an offset.
func (x *index) entryAt(offset int) Entry {
	record := x.records[offset:]
	e := Entry{
		RevokedAt: readTime(record[2:]),
		Reason:    Reason(record[1] &^ hasInvalid),
	}
	if record[1]&hasInvalid != 0 {
		e.InvalidSince = readTime(record[recordHeader:])
	}
	serial, _ := x.serialAt(offset)
	e.Serial = bytes.Clone(serial)
	return e
}
