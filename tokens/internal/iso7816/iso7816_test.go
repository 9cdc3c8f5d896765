package iso7816

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCommands walks through the cases of ISO/IEC 7816-3, 12.1.3.
func TestCommands(t *testing.T) {
	long := bytes.Repeat([]byte{0xAB}, 256)
	for _, c := range []struct {
		name, apdu string
		want       Command
	}{
		{"1", "80400000", Command{CLA: 0x80, INS: 0x40}},
		{"2 short", "00CA018108", Command{INS: 0xCA, P1: 1, P2: 0x81, Le: 8}},
		{"2 short, 256", "00B0000000", Command{INS: 0xB0, Le: 256}},
		{"3 short", "002000020431323334", Command{INS: 0x20, P2: 2, Data: []byte("1234")}},
		{"4 short", "00A4080402500000", Command{INS: 0xA4, P1: 8, P2: 4, Data: []byte{0x50, 0}, Le: 256}},
		{"2 extended", "00B00000000800", Command{INS: 0xB0, Le: 0x800, Extended: true}},
		{"2 extended, 65536", "00B00000000000", Command{INS: 0xB0, Le: 65536, Extended: true}},
		{"3 extended", "00D60000000100" + hex.EncodeToString(long), Command{INS: 0xD6, Data: long, Extended: true}},
		{"4 extended", "002A9E9A000001AA0040", Command{INS: 0x2A, P1: 0x9E, P2: 0x9A, Data: []byte{0xAA}, Le: 64, Extended: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseCommand(unhex(t, c.apdu))
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v, %v; want %+v", got, err, c.want)
			}
			if back := got.Bytes(); !bytes.Equal(back, unhex(t, c.apdu)) {
				t.Errorf("written as %x", back)
			}
		})
	}
}

func TestBadCommands(t *testing.T) {
	for _, apdu := range []string{
		"", "00", "00A400", // no header
		"00A4000002AA",       // data cut
		"00A4000001AABBCC",   // more than Le
		"00A400000001",       // extended length cut
		"00A40000000000AA",   // extended, no data, and data
		"00A400000000010000", // extended Le cut
		"00A40000000002AA",   // extended data cut
	} {
		if c, err := ParseCommand(unhex(t, apdu)); !errors.Is(err, ErrCommand) {
			t.Errorf("%s: %+v, %v", apdu, c, err)
		}
	}
	if _, err := ParseCommand(make([]byte, MaxCommand+1)); err == nil {
		t.Error("a command without end was taken")
	}
}

func TestResponses(t *testing.T) {
	r, err := ParseResponse(unhex(t, "01029000"))
	if err != nil || r.SW != OK || !bytes.Equal(r.Data, []byte{1, 2}) || !bytes.Equal(r.Bytes(), unhex(t, "01029000")) {
		t.Errorf("%+v, %v", r, err)
	}
	for _, b := range [][]byte{nil, {0x90}, make([]byte, MaxResponse+1)} {
		if _, err := ParseResponse(b); !errors.Is(err, ErrResponse) {
			t.Errorf("%d bytes: %v", len(b), err)
		}
	}
	if n, ok := Status(0x63C3).Tries(); n != 3 || !ok {
		t.Errorf("63C3: %d, %v", n, ok)
	}
	if _, ok := VerificationFailed.Tries(); ok {
		t.Error("6300 says how many tries are left")
	}
}

func TestObjects(t *testing.T) {
	list := unhex(t, "85060106"+"80AA0000"+"82021000")
	list = AppendObject(list, 0xA5, make([]byte, 200)...)
	list = AppendObject(list, 0xA6, make([]byte, 300)...)
	all, err := ParseObjects(list)
	if err != nil || len(all) != 4 || Find(all, 0x85)[3] != 0xAA || len(Find(all, 0xA5)) != 200 || len(Find(all, 0xA6)) != 300 {
		t.Errorf("%v, %v", all, err)
	}
	if Find(all, 0x99) != nil {
		t.Error("found what is not there")
	}
	for _, bad := range []string{"85", "8502AA", "1F0100", "808101AA", "80820010" + "00112233445566778899aabbccddeeff", "8080", "808301000000"} {
		if all, err := ParseObjects(unhex(t, bad)); !errors.Is(err, ErrObjects) || all != nil {
			t.Errorf("%s: %v, %v", bad, all, err)
		}
	}
	if _, err := ParseObjects(make([]byte, 2*(maxObjects+1))); err == nil {
		t.Error("a list without end was taken")
	}
}

func FuzzCommand(f *testing.F) {
	for _, seed := range []string{"80400000", "00CA018108", "002000020431323334", "00A4080402500000", "00B00000000800", "002A9E9A000001AA0040"} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, apdu []byte) {
		c, err := ParseCommand(apdu)
		if err != nil {
			if !reflect.DeepEqual(c, Command{}) {
				t.Fatalf("%x: refused, yet %+v", apdu, c)
			}
			return
		}
		if back := c.Bytes(); !bytes.Equal(back, apdu) {
			t.Fatalf("%x: written as %x", apdu, back)
		}
	})
}

func FuzzObjects(f *testing.F) {
	f.Add(unhex(f, "8506010680AA000082021000"))
	f.Add(AppendObject(nil, 0xA5, make([]byte, 300)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := ParseObjects(b)
		if err != nil {
			if all != nil {
				t.Fatalf("%x: refused, yet %v", b, all)
			}
			return
		}
		var back []byte
		for _, o := range all {
			back = AppendObject(back, o.Tag, o.Value...)
		}
		if !bytes.Equal(back, b) {
			t.Fatalf("%x: written as %x", b, back)
		}
	})
}
