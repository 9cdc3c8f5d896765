package der

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"testing"
	"time"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRefusals feeds encodings that BER or nobody allows; X.690 is quoted in the
// names of the errors.
func TestRefusals(t *testing.T) {
	element := func(r *Reader) { r.Any() }
	for _, c := range []struct {
		name, in string
		read     func(*Reader)
		want     Error
	}{
		{"empty input", "", element, ErrTruncated},
		{"tag alone", "30", element, ErrTruncated},
		{"content missing", "040100"[:4], element, ErrTruncated},
		{"content short", "040201", element, ErrTruncated},
		{"indefinite length", "30800000", element, ErrIndefinite},
		{"long form of a short length", "04810100", element, ErrLength},
		{"leading zero of a length", "0482007f" + "00", element, ErrLength},
		{"five octets of length", "04850000000001", element, ErrLength},
		{"reserved length", "04ff", element, ErrLength},
		{"length octets missing", "0482ff", element, ErrTruncated},
		{"length beyond the input", "0484ffffffff00", element, ErrTruncated},
		{"high tag number", "1f810100", element, ErrHighTag},
		{"high context tag number", "bf2100", element, ErrHighTag},
		{"end of contents", "0000", element, ErrTag},
		{"constructed octet string", "2400", element, ErrConstructed},
		{"constructed UTF8String", "2c00", element, ErrConstructed},
		{"primitive sequence", "1000", element, ErrTag},
		{"wrong tag", "0500", func(r *Reader) { r.Integer() }, ErrTag},
		{"integer without content", "0200", func(r *Reader) { r.Integer() }, ErrInteger},
		{"integer with a zero too many", "0202007f", func(r *Reader) { r.Integer() }, ErrInteger},
		{"integer with a sign octet too many", "0202ff80", func(r *Reader) { r.Integer() }, ErrInteger},
		{"negative small integer", "0201ff", func(r *Reader) { r.Int(10) }, ErrRange},
		{"small integer above the limit", "02010b", func(r *Reader) { r.Int(10) }, ErrRange},
		{"small integer of nine octets", "0209010000000000000000", func(r *Reader) { r.Int(10) }, ErrRange},
		{"boolean 01", "010101", func(r *Reader) { r.Boolean() }, ErrBoolean},
		{"lenient boolean 02", "010102", func(r *Reader) { r.BooleanLenient() }, ErrBoolean},
		{"boolean of two octets", "0102ffff", func(r *Reader) { r.BooleanLenient() }, ErrBoolean},
		{"written-out default", "010100", func(r *Reader) { r.DefaultFalse() }, ErrDefault},
		{"bit string without count", "0300", func(r *Reader) { r.BitString() }, ErrBitString},
		{"eight unused bits", "03020800", func(r *Reader) { r.BitString() }, ErrBitString},
		{"unused bits of nothing", "030101", func(r *Reader) { r.BitString() }, ErrBitString},
		{"padding not zero", "03020181", func(r *Reader) { r.BitString() }, ErrBitString},
		{"octets with unused bits", "03020180", func(r *Reader) { r.BitOctets() }, ErrBitString},
		{"null with content", "050100", func(r *Reader) { r.Null() }, ErrNull},
		{"empty OID", "0600", func(r *Reader) { r.OID() }, ErrOID},
		{"OID cut inside an arc", "06022a86", func(r *Reader) { r.OID() }, ErrOID},
		{"OID with a padded arc", "06032a8001", func(r *Reader) { r.OID() }, ErrOID},
		{"OID with a huge arc", "06062a8880808000", func(r *Reader) { r.OID() }, ErrOID},
		{"trailing bytes", "050000", func(r *Reader) { r.Null(); r.End() }, ErrTrailing},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d Decoder
			r := d.Open(unhex(t, c.in), Limits{})
			c.read(&r)
			if err := d.Err(); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.in, err, c.want)
			}
			if r.More() || r.Ok() {
				t.Error("the reader goes on after an error")
			}
		})
	}
}

func TestTimes(t *testing.T) {
	utc := func(r *Reader) time.Time { return r.Time() }
	fraction := func(r *Reader) time.Time { return r.GeneralizedTimeFraction(TagGeneralizedTime) }
	for _, c := range []struct {
		tag  Tag
		text string
		read func(*Reader) time.Time
		want string // RFC 3339, or "" for refused
	}{
		{TagUTCTime, "491231235959Z", utc, "2049-12-31T23:59:59Z"},
		{TagUTCTime, "500101000000Z", utc, "1950-01-01T00:00:00Z"},
		{TagUTCTime, "000229000000Z", utc, "2000-02-29T00:00:00Z"},
		{TagUTCTime, "010229000000Z", utc, ""},
		{TagUTCTime, "2001010000Z", utc, ""},
		{TagUTCTime, "200101000000+0300", utc, ""},
		{TagUTCTime, "200101240000Z", utc, ""},
		{TagUTCTime, "200101006000Z", utc, ""},
		{TagUTCTime, "200101000060Z", utc, ""},
		{TagUTCTime, "200001000000Z", utc, ""},
		{TagUTCTime, "200100000000Z", utc, ""},
		{TagUTCTime, "201301000000Z", utc, ""},
		{TagUTCTime, "20010100000 Z", utc, ""},
		{TagGeneralizedTime, "20500101000000Z", utc, "2050-01-01T00:00:00Z"},
		{TagGeneralizedTime, "20250101000000Z", utc, "2025-01-01T00:00:00Z"},
		{TagGeneralizedTime, "99991231235959Z", utc, "9999-12-31T23:59:59Z"},
		{TagGeneralizedTime, "20251217100600.876Z", utc, ""},
		{TagGeneralizedTime, "20251217100600.876Z", fraction, "2025-12-17T10:06:00.876Z"},
		{TagGeneralizedTime, "20251217100600.123456789Z", fraction, "2025-12-17T10:06:00.123456789Z"},
		{TagGeneralizedTime, "20251217100600Z", fraction, "2025-12-17T10:06:00Z"},
		{TagGeneralizedTime, "20251217100600.870Z", fraction, ""},
		{TagGeneralizedTime, "20251217100600.Z", fraction, ""},
		{TagGeneralizedTime, "20251217100600,5Z", fraction, ""},
		{TagGeneralizedTime, "20251217100600.1234567891Z", fraction, ""},
		{TagGeneralizedTime, "20251217100600", fraction, ""},
	} {
		var d Decoder
		in := append([]byte{byte(c.tag), byte(len(c.text))}, c.text...)
		r := d.Open(in, Limits{})
		got := c.read(&r)
		r.End()
		switch {
		case c.want == "" && d.Err() == nil:
			t.Errorf("%s: read as %v, want an error", c.text, got)
		case c.want != "" && (d.Err() != nil || got.Format(time.RFC3339Nano) != c.want):
			t.Errorf("%s: %v, %v, want %s", c.text, got, d.Err(), c.want)
		}
	}
}

func TestTolerances(t *testing.T) {
	for in, want := range map[string]bool{"010100": false, "010101": true, "0101ff": true, "": false} {
		var d Decoder
		r := d.Open(unhex(t, in), Limits{})
		got := r.DefaultFalseLenient()
		r.End()
		if got != want || d.Err() != nil {
			t.Errorf("DefaultFalseLenient(%q) = %v, %v, want %v", in, got, d.Err(), want)
		}
	}
}

func TestValues(t *testing.T) {
	var d Decoder
	r := d.Open(unhex(t, "3014"+"020203e8"+"0101ff"+"06062a8503026401"+"0401aa"+"0500"), Limits{})
	s := r.Sequence()
	if !bytes.Equal(s.Integer(), []byte{3, 0xE8}) {
		t.Error("Integer")
	}
	if !s.DefaultFalse() {
		t.Error("DefaultFalse")
	}
	id := s.OID()
	if id.String() != "1.2.643.2.100.1" {
		t.Errorf("OID = %s", id)
	}
	if !bytes.Equal(s.OctetString(), []byte{0xAA}) {
		t.Error("OctetString")
	}
	s.Null()
	s.End()
	r.End()
	if err := d.Err(); err != nil {
		t.Fatal(err)
	}
}

// TestOIDs compares with encoding/asn1 over the arcs at the edges.
func TestOIDs(t *testing.T) {
	for _, id := range []asn1.ObjectIdentifier{
		{0, 0}, {0, 39}, {1, 0}, {1, 39}, {2, 0}, {2, 39}, {2, 40}, {2, 47}, {2, 48}, {2, 999},
		{1, 2, 643, 7, 1, 1, 1, 1}, {1, 2, 127, 128, 16383, 16384, 2147483647},
	} {
		in, err := asn1.Marshal(id)
		if err != nil {
			t.Fatal(err)
		}
		var d Decoder
		r := d.Open(in, Limits{})
		if got := r.OID().ObjectIdentifier(); !got.Equal(id) || d.Err() != nil {
			t.Errorf("%v read as %v, %v", id, got, d.Err())
		}
	}
}

func TestLimits(t *testing.T) {
	deep := []byte{}
	for range 10 {
		deep = append([]byte{0x30, byte(len(deep))}, deep...)
	}
	descend := func(r Reader) {
		for r.More() {
			r = r.Sequence()
		}
	}
	flat := bytes.Repeat([]byte{5, 0}, 10)
	walk := func(r Reader) {
		for r.More() {
			r.Null()
		}
	}
	for _, c := range []struct {
		name   string
		in     []byte
		limits Limits
		read   func(Reader)
		want   error
	}{
		{"depth within", deep, Limits{Depth: 10}, descend, nil},
		{"depth beyond", deep, Limits{Depth: 9}, descend, ErrTooDeep},
		{"elements within", flat, Limits{Elements: 10}, walk, nil},
		{"elements beyond", flat, Limits{Elements: 9}, walk, ErrTooMany},
		{"size within", flat, Limits{Size: 20}, walk, nil},
		{"size beyond", flat, Limits{Size: 19}, walk, ErrTooLarge},
	} {
		var d Decoder
		c.read(d.Open(c.in, c.limits))
		if err := d.Err(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestOffset(t *testing.T) {
	var d Decoder
	r := d.Open(unhex(t, "3007"+"0500"+"0203"+"000001"), Limits{})
	s := r.Sequence()
	s.Null()
	s.Integer()
	var syntax *SyntaxError
	if !errors.As(d.Err(), &syntax) || syntax.Offset != 9 || !errors.Is(syntax, ErrInteger) {
		t.Errorf("%v, want an integer error at byte 9, after the element", d.Err())
	}
}

// TestSharedError shows that an error in a child is an error of the whole.
func TestSharedError(t *testing.T) {
	var d Decoder
	r := d.Open(unhex(t, "30040101010500"), Limits{})
	s := r.Sequence()
	s.Boolean()
	if r.Skip(TagNull) || d.Err() == nil {
		t.Error("the parent does not see the error of the child")
	}
}

func TestNoAllocations(t *testing.T) {
	in := unhex(t, "300f"+"020203e8"+"0101ff"+"06032a8503"+"0401aa")
	n := testing.AllocsPerRun(100, func() {
		var d Decoder
		r := d.Open(in, Limits{})
		s := r.Sequence()
		s.Integer()
		s.Boolean()
		s.OID()
		s.OctetString()
		if !s.Ok() {
			t.Fatal("the input is wrong")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// FuzzDER walks any input to its leaves and puts it together again: what was
// accepted must give the same bytes.
func FuzzDER(f *testing.F) {
	for _, s := range []string{"", "3000", "30030101ff", "a0030c0161", "30800000", "0485", "300806062a8503026401"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var d Decoder
		r := d.Open(in, Limits{})
		out := rebuild(&r)
		if d.Err() == nil && !bytes.Equal(in, out) {
			t.Fatalf("%x read as %x", in, out)
		}
		values(in)
	})
}

func rebuild(r *Reader) (out []byte) {
	for r.More() {
		tag, raw, content := r.Any()
		if !r.Ok() {
			return nil
		}
		header := raw[:len(raw)-len(content)]
		if tag&0x20 != 0 {
			inner := r.Inside(content)
			content = rebuild(&inner)
		}
		out = append(append(out, header...), content...)
	}
	return out
}

// values calls every reading method on the input: none may panic.
func values(in []byte) {
	for _, read := range []func(*Reader){
		func(r *Reader) { _ = r.OID().String() }, func(r *Reader) { r.Integer() }, func(r *Reader) { r.Int(1 << 30) },
		func(r *Reader) { r.Enumerated(10) }, func(r *Reader) { r.Boolean() }, func(r *Reader) { r.DefaultFalseLenient() },
		func(r *Reader) { r.BitString() }, func(r *Reader) { r.BitOctets() }, func(r *Reader) { r.Null() },
		func(r *Reader) { r.Time() }, func(r *Reader) { r.GeneralizedTimeFraction(TagGeneralizedTime) },
		func(r *Reader) { r.Sequence() }, func(r *Reader) { r.Set() }, func(r *Reader) { r.RawTag(TagSet) },
	} {
		var d Decoder
		r := d.Open(in, Limits{})
		read(&r)
		_ = d.Err()
	}
}

func BenchmarkReader(b *testing.B) {
	in := unhex(b, "300f"+"020203e8"+"0101ff"+"06032a8503"+"0401aa")
	b.ReportAllocs()
	for b.Loop() {
		var d Decoder
		r := d.Open(in, Limits{})
		s := r.Sequence()
		s.Integer()
		s.Boolean()
		s.OID()
		s.OctetString()
	}
}

// TestHeader: a header alone tells the length.
func TestHeader(t *testing.T) {
	for in, want := range map[string][2]int{
		"3003": {2, 3}, "0500": {2, 0}, "308180": {3, 0x80}, "3084010203": {}, "308401020304": {6, 0x1020304},
		"": {}, "30": {}, "3080": {}, "308103": {}, "3081": {}, "30850102030405": {}, "3f0103": {},
	} {
		header, length, err := Header(unhex(t, in))
		if got := [2]int{header, length}; got != want || (err == nil) != (header > 0) {
			t.Errorf("%s: %v, %v, want %v", in, got, err, want)
		}
	}
}

// TestAnyHeader tries all first two octets before content of several lengths: Any, which
// has a shorter way for most elements, takes what parseHeader takes.
func TestAnyHeader(t *testing.T) {
	for first := range 256 {
		for second := range 256 {
			for _, rest := range []int{0, 1, 0x7E, 0x7F, 0x80} {
				in := append([]byte{byte(first), byte(second)}, make([]byte, rest)...)
				header, length, problem := parseHeader(in)
				var d Decoder
				r := d.Open(in, Limits{})
				tag, raw, content := r.Any()
				if problem != "" {
					if !errors.Is(d.Err(), problem) || raw != nil || content != nil {
						t.Fatalf("%02x %02x and %d octets: %v, want %v", first, second, rest, d.Err(), problem)
					}
					continue
				}
				if d.Err() != nil || int(tag) != first || !bytes.Equal(raw, in[:header+length]) || len(content) != length {
					t.Fatalf("%02x %02x and %d octets: %v, %x", first, second, rest, d.Err(), raw)
				}
			}
		}
	}
}
