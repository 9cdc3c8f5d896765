package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// reference is what package encoding/json makes of a document.
func reference(t testing.TB, d *Document) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(d); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// TestAppendJSON: documents filled by chance, so that every field is there, or absent,
// or null, or odd, are written as package encoding/json writes them. A field that was
// forgotten fails.
func TestAppendJSON(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 7))
		var d Document
		fill(r, reflect.ValueOf(&d).Elem(), 0)
		got, want := d.AppendJSON([]byte("before")), reference(t, &d)
		if string(got) != "before"+string(want) {
			t.Fatalf("seed %d:\n%s, want\n%s", seed, got, want)
		}
	}
	var zero Document
	if got, want := zero.AppendJSON(nil), reference(t, &zero); !bytes.Equal(got, want) {
		t.Errorf("the zero document:\n%s, want\n%s", got, want)
	}
}

// oddities are strings that need care.
var oddities = []string{
	"", "plain", "Подпись действительна. Ё №", `"quoted" \ and <html> & 'more'`, "\x00\x01\b\f\n\r\t\x1f\x7f", "\u2028\u2029\u2027\u202a", "\xff\xfe", "\xd0", "\xd0x", "\xd0\xd0", "\xe2\x80", "a\xd1\x80\xd1", "😀", "\ufffd", "\xed\xa0\x80", "\xc0\xaf",
}

// fill sets every field of a value by chance.
func fill(r *rand.Rand, v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(r.Int64N(1<<33), r.Int64N(2)*r.Int64N(1e9)).In(time.FixedZone("", int(r.Int64N(5))*3600))))
			return
		}
		for i := range v.NumField() {
			if v.Field(i).CanSet() { // Step.written is nobody's but ours
				fill(r, v.Field(i), depth)
			}
		}
	case reflect.Pointer:
		if r.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem(), depth+1)
		}
	case reflect.Slice:
		if n := r.IntN(4); n > 0 && depth < 4 {
			v.Set(reflect.MakeSlice(v.Type(), n-1, n-1))
			for i := range n - 1 {
				fill(r, v.Index(i), depth+1)
			}
		}
	case reflect.String:
		var text string
		for range r.IntN(5) {
			text += oddities[r.IntN(len(oddities))]
		}
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(r.Int64N(3) * (r.Int64N(1<<40) - 1<<39))
	case reflect.Uint8:
		if v.Type() != reflect.TypeFor[verdict.Status]() {
			panic("a field of a type that the test does not know")
		}
		v.SetUint(r.Uint64N(4))
	default:
		panic(fmt.Sprint("a field of a kind that the test does not know: ", v.Kind()))
	}
}

// FuzzAppendJSON: whatever a string holds, it is written as package encoding/json does.
func FuzzAppendJSON(f *testing.F) {
	for _, s := range oddities {
		f.Add(s)
		f.Add("Подпись" + s + "действительна")
		f.Add("signature" + s + "signature")
	}
	f.Fuzz(func(t *testing.T, s string) {
		d := Document{Conclusion: s}
		if got, want := d.AppendJSON(nil), reference(t, &d); !bytes.Equal(got, want) {
			t.Fatalf("%s, want %s", got, want)
		}
	})
}

// forget makes no fragments known, until the test ends.
func forget(t *testing.T) {
	before := written.Swap(nil)
	t.Cleanup(func() { written.Store(before) })
}

// TestFragments: a document is the same whether its parts are written for the first time
// or were before, and whoever changes a text is not answered with another one.
func TestFragments(t *testing.T) {
	forget(t)
	var b verdict.Builder
	b.Pass("fragments.passed", "63-ФЗ, ст. 11")
	b.Add(
		verdict.Fail("fragments.failed", reason.CertExpired, "63-ФЗ, ст. 11", "2026-01-01"), verdict.Skip("fragments.skipped", reason.RuleOtherDate, ""),
		verdict.Check{Name: "fragments.passed", Status: verdict.Passed, Cite: "63-ФЗ, ст. 11", Detail: "another detail"},
		verdict.Fail("fragments.failed", reason.CertRevoked, "63-ФЗ, ст. 11", ""),
	)
	d := Document{Text: Text{RU: "текст", EN: "text of fragments"}, Checks: checksOf(b.Done(person.Identity{}))}
	for range 3 {
		if got, want := d.AppendJSON(nil), reference(t, &d); !bytes.Equal(got, want) {
			t.Fatalf("%s, want\n%s", got, want)
		}
	}
	own := *d.Checks[1].Step
	own.Cite, own.written = "another norm", ""
	d.Checks[1].Step = &own
	d.Text.RU = "другой"
	if got, want := d.AppendJSON(nil), reference(t, &d); !bytes.Equal(got, want) {
		t.Fatalf("with other texts: %s, want\n%s", got, want)
	}
	if _, ok := written.Load().text(Text{RU: "текст", EN: "text of fragments"}); !ok {
		t.Error("no text is remembered")
	}
	if again := checksOf(b.Done(person.Identity{})); again[0].Step != d.Checks[0].Step || again[0].Step != again[3].Step || again[0].written == "" ||
		again[1].Step == again[4].Step || again[3].Detail != "another detail" || again[1].Cite != "63-ФЗ, ст. 11" {
		t.Errorf("steps are not the same, or not different: %+v", again)
	}
}

// TestStepsAreBounded: checks without end take no memory without end, and stay right.
func TestStepsAreBounded(t *testing.T) {
	var m stepMemory
	for i := range maxSteps + 10 {
		c := verdict.Pass(fmt.Sprint("bounded ", i%100), fmt.Sprint(i))
		s := m.add(&c)
		if again := m.add(&c); s.Cite != c.Cite || again.Cite != c.Cite || (again == s) != (i < maxSteps) || (s.written != "") != (i < maxSteps) {
			t.Fatalf("%d: %+v, %+v", i, s, again)
		}
	}
	n := 0
	for _, same := range *m.Load() {
		n += len(same)
	}
	if n != maxSteps {
		t.Errorf("%d steps are kept", n)
	}
}

// TestFragmentsAreBounded: texts without end take no memory without end.
func TestFragmentsAreBounded(t *testing.T) {
	forget(t)
	for i := range 3 * maxFragments / 100 {
		var f fragments
		for j := range 100 {
			f.add(Text{RU: fmt.Sprint(i, j)}, []byte("{}"))
		}
		f.add(Text{RU: fmt.Sprint(i)}, make([]byte, maxFragment+1))
		f.keep()
	}
	known := written.Load()
	if n := len(*known); n < maxFragments || n > maxFragments+100 {
		t.Errorf("%d fragments are remembered", n)
	}
	if _, ok := known.text(Text{RU: "0"}); ok {
		t.Error("a long one is remembered")
	}
}

// TestFragmentsAtOnce: documents are written by many at once.
func TestFragmentsAtOnce(t *testing.T) {
	forget(t)
	var group sync.WaitGroup
	for i := range 8 {
		d := Document{Text: Text{RU: fmt.Sprint("at once ", i%4)}}
		want := reference(t, &d)
		group.Go(func() {
			for range 50 {
				if got := d.AppendJSON(nil); !bytes.Equal(got, want) {
					t.Errorf("%s, want %s", got, want)
				}
			}
		})
	}
	group.Wait()
}
