package pcsc

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// shared finds a file among the research data beside the repository; the test is skipped
// without it.
func shared(t *testing.T, name string) []byte {
	t.Helper()
	root := os.Getenv("PROPUSK_SHARED")
	if root == "" {
		dir, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for ; root == "" && filepath.Dir(dir) != dir; dir = filepath.Dir(dir) {
			if _, err := os.Stat(filepath.Join(dir, "shared", "DESIGN.md")); err == nil {
				root = filepath.Join(dir, "shared")
			}
		}
	}
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Skipf("no research data: %v", err)
	}
	return data
}

// TestSharedATRs recognises everything that was collected.
func TestSharedATRs(t *testing.T) {
	var list []struct{ ATR, Family, Name string }
	if err := json.Unmarshal(shared(t, "testbed/tokens/atrs.json"), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) < 40 {
		t.Fatalf("%d answers only", len(list))
	}
	for _, l := range list {
		atr, err := hex.DecodeString(l.ATR)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := FamilyOf(atr); !ok || string(got) != l.Family {
			t.Errorf("%s (%s) is %q, want %q", l.ATR, l.Name, got, l.Family)
		}
	}
}

// nonconforming are answers of real cards that do not follow the standard: one has a
// check byte where T=0 alone has none, one has TA to TD without all of them.
var nonconforming = []string{"3B8B005275746F6B656E6C745344E3", "3BF2180000C10A31FE55C80600"}

// TestTable holds what the table promises.
func TestTable(t *testing.T) {
	for _, r := range rows() {
		atr := unhex(r.atr)
		if mask := unhex(r.mask); len(mask) != 0 && len(mask) != len(atr) {
			t.Errorf("%s has a mask of %d bytes", r.atr, len(mask))
		}
		if got, ok := FamilyOf(atr); !ok || got != r.family {
			t.Errorf("%s is %q, want %q", r.atr, got, r.family)
		}
		if _, err := ParseATR(atr); err != nil && !slices.Contains(nonconforming, r.atr) {
			t.Errorf("%s: %v", r.atr, err)
		}
		a := r.family.About()
		if a.RU == "" || a.EN == "" || a.HelpRU == "" || a.HelpEN == "" {
			t.Errorf("%s: nothing is said of %s", r.atr, r.family)
		}
	}
	if Family("none").About() != (About{}) {
		t.Error("something is said of a family that is not there")
	}
}

// TestFamilyOf has answers that the table does not have bit by bit.
func TestFamilyOf(t *testing.T) {
	for _, c := range []struct {
		name, atr string
		want      Family
	}{
		{"Rutoken ECP SC at another speed", "3B9C94005275746F6B656E4543507363", RutokenECP},
		{"Rutoken Lite SC at another speed", "3B9E94005275746F6B656E4C697465534332", RutokenLite},
		{"MS_KEY of another version", "3B9E12348031C0654D534F340072F7418107", MSKey},
		{"a bank card", "3B6500002063CB6800", ""},
		{"Rutoken of one bit more", "3B8B015275746F6B656E20445320C0", ""},
		{"nothing", "", ""},
	} {
		got, ok := FamilyOf(unhex(c.atr))
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s is %q, %v; want %q", c.name, got, ok, c.want)
		}
	}
}

func TestParseATR(t *testing.T) {
	a, err := ParseATR([]byte("\x3B\x8B\x01Rutoken DS \xC1"))
	if err != nil || a.Text() != "Rutoken DS" || len(a.Protocols()) != 1 || a.Protocols()[0] != 1 {
		t.Errorf("%q, %v, %v", a.Text(), a.Protocols(), err)
	}
	a, err = ParseATR(unhex("3BDC18FF8191FE1FC38073C821136601061159000128"))
	if err != nil || a.Text() != "" || len(a.Historical()) != 12 || len(a.Protocols()) != 1 {
		t.Errorf("%x, %v, %v", a.Historical(), a.Protocols(), err)
	}
	if a, err = ParseATR(unhex("3B00")); err != nil || a.Protocols()[0] != 0 {
		t.Errorf("the shortest: %v, %v", a, err)
	}
	for _, bad := range []string{
		"", "3B", "3C00", // no start
		"3B02AA",                         // historical bytes cut
		"3B00AA",                         // more than announced
		"3B80",                           // interface bytes cut
		"3B8001",                         // the check byte is missing
		"3B800180",                       // the check byte is wrong
		"3B800000",                       // T=0 alone has none
		"3BF0000000",                     // TD1 cut
		"3B8B015275746F6B656E20445320C0", // the check byte is wrong
	} {
		if a, err := ParseATR(unhex(bad)); !errors.Is(err, ErrATR) || a.Bytes() != nil {
			t.Errorf("%s: %x, %v", bad, a.Bytes(), err)
		}
	}
	if _, err := ParseATR(append(unhex("3B9F"), make([]byte, 40)...)); err == nil {
		t.Error("an answer without end was taken")
	}
}

func FuzzParseATR(f *testing.F) {
	for _, r := range rows() {
		f.Add(unhex(r.atr))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		FamilyOf(b)
		a, err := ParseATR(b)
		if err != nil {
			if a.raw != nil || a.historical != nil || a.protocols != nil {
				t.Fatalf("%x: refused, yet %+v", b, a)
			}
			return
		}
		if !bytes.Equal(a.Bytes(), b) || len(a.Historical()) > 15 || len(a.Protocols()) == 0 {
			t.Fatalf("%x: %+v", b, a)
		}
		_ = a.Text()
	})
}

// FuzzPIN reads what a card says of its PIN.
func FuzzPIN(f *testing.F) {
	f.Add(unhex("62248506010680AA000082021000830200028A0105860F43010200000000FF00000000000000"))
	f.Add(unhex("620A85060106800A0000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p := pinOf(b); !p.Known && p != (PIN{}) || p.Left > 15 || p.Tries > 15 {
			t.Fatalf("%x: %+v", b, p)
		}
		_ = model(b)
	})
}

// TestPIN reads the template of a real token.
// Source: RUTOKEN-APDU.md, «FCP глобального PIN», of a Рутокен ЭЦП 3.0 5100 Flash.
func TestPIN(t *testing.T) {
	template := unhex("62248506010680AA000082021000830200028A0105860F43010200000000FF00000000000000")
	if got, want := pinOf(template), (PIN{Known: true, Factory: true, MinLength: 6, Tries: 10, Left: 10}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for _, bad := range []string{"", "62", "6F0A85060106800A0000", "62068504210680AA", "6206850406800A00"} {
		if p := pinOf(unhex(bad)); p.Known {
			t.Errorf("%s is %+v", bad, p)
		}
	}
}

// The name of a model is shown: what a card says cannot move the cursor of a terminal, nor
// turn round the text beside it.
func TestModelIsPlain(t *testing.T) {
	for name, want := range map[string]string{
		"Рутокен ЭЦП 3.0\x00\xff": "Рутокен ЭЦП 3.0", " A ": "A",
		"A\x1b[2J": "", "A\u009b2J": "", "A\u202eB": "", "A\u2028B": "", "A\xff": "", "": "",
	} {
		if got := model([]byte(name)); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
