package crl

import (
	"fmt"
	"testing"
	"time"

	"propusk/pki/der"
)

// TestUnixUTCTime compares with package time on every day of the hundred years,
// and on days that there are not.
func TestUnixUTCTime(t *testing.T) {
	for year := range 100 {
		for month := range 14 {
			for day := range 33 {
				text := fmt.Sprintf("%02d%02d%02d%02d%02d%02dZ", year, month, day, day%25, month*5%61, day*2%61)
				var d der.Decoder
				r := d.Open([]byte(utcTime+text), der.Limits{})
				want := r.UTCTime()
				got, ok := unixUTCTime((*[13]byte)([]byte(text)))
				if ok != (d.Err() == nil) || ok && !time.Unix(got, 0).Equal(want) {
					t.Fatalf("%s: %v, %v; want %v, %v", text, time.Unix(got, 0).UTC(), ok, want, d.Err())
				}
			}
		}
	}
}

// TestUsualEntry: what the short way takes, the long way takes and understands in
// the same way.
func TestUsualEntry(t *testing.T) {
	usual := 0
	check := func(entry string) {
		short, long := entryParser([]byte(entry)), entryParser([]byte(entry))
		n := short.usualEntry([]byte(entry))
		if n == 0 {
			if short.l.index.count != 0 {
				t.Fatalf("%x: refused, yet recorded", entry)
			}
			return
		}
		usual++
		long.element(der.TagSequence, int64(len(entry)), long.anyEntry)
		a, b := short.l.index.rest.records, long.l.index.rest.records
		if err := long.s.err; err != nil || string(a) != string(b) || n != long.s.pos {
			t.Fatalf("%x: %x of %d bytes; the long way: %x of %d, %v", entry, a, n, b, long.s.pos, err)
		}
	}
	for _, entry := range []string{
		asn(0x30, "\x02\x01\x05", aTime),
		asn(0x30, "\x02\x01\x05", aTime, asn(0x30, asn(0x30, reasonOID, asn(0x04, "\x0a\x01\x06")))),
		asn(0x30, "\x02\x02\x00\x80", aTime) + "more",
	} {
		before := usual
		check(entry)
		if usual == before {
			t.Errorf("%x: not taken", entry)
		}
		for i := range entry { // every byte with every value
			for b := range 256 {
				check(entry[:i] + string([]byte{byte(b)}) + entry[i+1:])
			}
			check(entry[:i])
		}
	}
}

// entryParser stands before an entry of a list of version 2.
func entryParser(entry []byte) *parser {
	p := &parser{s: newStream(nil, entry), l: &List{version: 2}}
	p.into = &p.l.index
	return p
}
