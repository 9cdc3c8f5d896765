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
		short, long := parser{l: &List{version: 2}}, parser{l: &List{version: 2}}
		n := short.usualEntry([]byte(entry))
		if n == 0 {
			if short.l.index.count != 0 {
				t.Fatalf("%x: refused, yet recorded", entry)
			}
			return
		}
		usual++
		r := long.d.Open([]byte(entry), der.Limits{})
		long.anyEntry(r.Sequence())
		if err := long.d.Err(); err != nil || string(short.l.index.records) != string(long.l.index.records) || n != len(entry)-len(r.Rest()) {
			t.Fatalf("%x: %x of %d bytes; the long way: %x, %v", entry, short.l.index.records, n, long.l.index.records, err)
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
