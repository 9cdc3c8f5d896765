package person

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"strings"
	"testing"
	ttemplate "text/template"

	"propusk/pki/reason"
)

// TestVectors checks the numbers of DOMAIN 2.2, which are public, and that no
// other last digit would do.
func TestVectors(t *testing.T) {
	for _, c := range []struct {
		number string
		parse  func(string) error
	}{
		{"500100732259", parser(ParseINN)},
		{"304500116000157", parser(ParseOGRNIP)},
		{"11223344595", parser(ParseSNILS)},
		{"7707083893", parser(ParseINNLE)},
		{"7707329152", parser(ParseINNLE)},
		{"7710474375", parser(ParseINNLE)},
		{"1027700132195", parser(ParseOGRN)},
		{"1047707030513", parser(ParseOGRN)},
		{"1047702026701", parser(ParseOGRN)},
	} {
		if err := c.parse(c.number); err != nil {
			t.Errorf("%s: %v", c.number, err)
		}
		last := len(c.number) - 1
		for d := '0'; d <= '9'; d++ {
			other := c.number[:last] + string(d)
			if err := c.parse(other); (err == nil) != (other == c.number) {
				t.Errorf("%s: %v", other, err)
			}
		}
		for i := range c.number { // one wrong digit anywhere is seen
			other := c.number[:i] + string('0'+(c.number[i]-'0'+1)%10) + c.number[i+1:]
			if err := c.parse(other); !errors.Is(err, reason.IdentifierBad) {
				t.Errorf("%s: %v", other, err)
			}
		}
		for _, other := range []string{"", c.number[1:], c.number + "0", " " + c.number, c.number[:last] + "x", c.number[:last] + "٣"} {
			if err := c.parse(other); !errors.Is(err, reason.IdentifierBad) {
				t.Errorf("%q: %v", other, err)
			}
		}
	}
}

// parser forgets the value, so that all five parsers have one type. It fails
// when a refused number leaves a value behind.
func parser[T interface {
	comparable
	Reveal() string
}](parse func(string) (T, error)) func(string) error {
	return func(s string) error {
		v, err := parse(s)
		var zero T
		if err != nil && v != zero || err == nil && v.Reveal() != s {
			return fmt.Errorf("parsed as %s, with error %w", v.Reveal(), err)
		}
		return err
	}
}

func TestNobody(t *testing.T) {
	for number, parse := range map[string]func(string) error{
		"000000000000":    parser(ParseINN), // its check digits match
		"007707329152":    parser(ParseINN), // a legal entity in the old form
		"0000000000":      parser(ParseINNLE),
		"0000000000000":   parser(ParseOGRN),
		"000000000000000": parser(ParseOGRNIP),
		"00000000000":     parser(ParseSNILS),
	} {
		if err := parse(number); !errors.Is(err, reason.IdentifierBad) {
			t.Errorf("%s: %v", number, err)
		}
	}
}

// TestSNILS checks the edges of the rule: no check digits up to 001-001-998, and
// a sum of 100 or 101 gives 00.
func TestSNILS(t *testing.T) {
	for _, c := range []struct {
		in, want string
	}{
		{"112-233-445 95", "11223344595"},
		{"00100199877", "00100199877"}, // not checked
		{"00100199965", "00100199965"}, // 1·7+1·4+9·3+9·2+9·1 = 65
		{"00100199964", ""},
		{"09000018900", "09000018900"}, // the sum is 100
		{"09000019800", "09000019800"}, // the sum is 101
		{"08765009900", "08765009900"}, // the sum is 201
		{"08765018900", "08765018900"}, // the sum is 202
		{"09000018901", ""},
		{"112-233-44595", ""},
		{"112 233 445 95", ""},
	} {
		got, err := ParseSNILS(c.in)
		if got.Reveal() != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q, %v, want %q", c.in, got.Reveal(), err, c.want)
		}
	}
	s, err := ParseSNILS("11223344595")
	if err != nil || s.Printed() != "112-233-445 95" || (SNILS{}).Printed() != "" {
		t.Errorf("printed as %q, %v", s.Printed(), err)
	}
}

// TestCanary looks for the digits and names in everything that prints.
func TestCanary(t *testing.T) {
	who := canary(t)
	outer := struct {
		Who   Identity
		Ptr   *Identity
		Map   map[string]INN
		Slice []SNILS
		Any   any
		inner Identity
		inn   INN
	}{who, &who, map[string]INN{"x": who.INN}, []SNILS{who.SNILS}, who.Name, who, who.INN}

	var out bytes.Buffer
	for _, v := range []any{who, &who, outer, &outer, who.INN, who.INNLE, who.OGRN, who.OGRNIP, who.SNILS, who.Name, who.Email, &who.INN} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10s", "%T", "%w"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		fmt.Fprintln(&out, v)
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v, slog.Any("a", v), slog.Group("g", "v", v))
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v, slog.Any("a", v), slog.Group("g", "v", v))
		for _, write := range []func() error{
			func() error { return template.Must(template.New("").Parse("{{.}}")).Execute(&out, v) },
			func() error { return ttemplate.Must(ttemplate.New("").Parse("{{.}}")).Execute(&out, v) },
		} {
			if err := write(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := xml.NewEncoder(&out).Encode(who); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(&out, errors.Join(fmt.Errorf("no account for %v: %s", who.INN, who)))
	search(t, out.String())
}

func canary(t *testing.T) Identity {
	t.Helper()
	var err error
	who := Identity{
		Kind: Entrepreneur, Name: NewName("Канарейкина Проба"), Organization: NewName("ООО Канарейка"),
		Title: NewName("Канареечница"), Email: NewEmail("canary@example.org"),
	}
	keep := func(e error) { err = errors.Join(err, e) }
	var e error
	who.INN, e = ParseINN("500100732259")
	keep(e)
	who.INNLE, e = ParseINNLE("7707083893")
	keep(e)
	who.OGRN, e = ParseOGRN("1027700132195")
	keep(e)
	who.OGRNIP, e = ParseOGRNIP("304500116000157")
	keep(e)
	who.SNILS, e = ParseSNILS("11223344595")
	keep(e)
	if err != nil {
		t.Fatal(err)
	}
	return who
}

func search(t *testing.T, printed string) {
	t.Helper()
	// Nine digits of each number: an address, which %d prints of a value that Go
	// doesn't let format itself, holds any five of them now and then.
	for _, secret := range []string{"500100732", "770708389", "102770013", "304500116", "112233445", "анаре", "canary"} {
		for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), strings.Trim(fmt.Sprintf("%+q", secret), `"`)} {
			if i := strings.Index(printed, form); i >= 0 {
				t.Errorf("%q shows in …%s…", secret, printed[max(0, i-80):min(len(printed), i+80)])
			}
		}
	}
	if !strings.Contains(printed, "**********59") {
		t.Error("the masked form does not show: the test prints nothing")
	}
}

func TestEquality(t *testing.T) {
	a, errA := ParseINN("500100732259")
	b, errB := ParseINN(strings.Clone("500100732259"))
	if a != b || errA != nil || errB != nil || a == (INN{}) {
		t.Error("equal numbers are not equal values")
	}
	if !(INN{}).IsZero() || a.IsZero() || (INN{}).Reveal() != "" || (Name{}).String() != "" || NewName("") != (Name{}) {
		t.Error("the zero value is not empty")
	}
}

func TestKinds(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range []Kind{Entrepreneur, LegalEntity, LegalEntityAuto, Person, Authority, Other} {
		ru, en := k.Text()
		if ru == "" || en == "" || seen[ru] || seen[en] {
			t.Errorf("%s: %q, %q", k, ru, en)
		}
		seen[ru], seen[en] = true, true
	}
}

// FuzzNumbers: a number that is accepted is all digits and comes out as it was.
func FuzzNumbers(f *testing.F) {
	for _, s := range []string{"500100732259", "7707083893", "1027700132195", "304500116000157", "112-233-445 95", "000000000000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, parse := range []func(string) error{parser(ParseINN), parser(ParseINNLE), parser(ParseOGRN), parser(ParseOGRNIP)} {
			if err := parse(s); err != nil && !errors.Is(err, reason.IdentifierBad) {
				t.Fatal(err)
			}
		}
		v, err := ParseSNILS(s)
		if again, e := ParseSNILS(v.Printed()); err == nil && (e != nil || again != v) {
			t.Fatalf("%q printed as %q", s, v.Printed())
		}
	})
}
