package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
)

// event returns an event with every field filled in.
func event(i int) Event {
	return Event{
		At: time.Date(2026, 3, 1, 12, 0, i, 123456789, time.UTC), Kind: SignIn, Action: "gost-tls", Conclusion: "TOTAL-FAILED", Reason: reason.CertExpired,
		Subject: fmt.Sprintf("person-%d", i%3), Client: "cabinet", Address: person.NewPrivate("192.0.2.7"), Device: person.NewPrivate("Chromium «Гост» 120"),
		Certificate: [32]byte{1, byte(i)}, Engine: "go", Document: person.NewPrivate("Договор <1>.pdf"), Digest: strings.Repeat("ab", 32), Order: "order",
		Support: "7K3F-9QX2-M4TD", Detail: "a \"detail\" & more",
	}
}

// fill appends n events.
func fill(t *testing.T, j Journal, n int) []Record {
	t.Helper()
	var all []Record
	for i := range n {
		r, err := j.Append(t.Context(), event(i))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// newFile opens a journal in a directory of its own.
func newFile(t *testing.T) (*File, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a journal?#%.db")
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f, path
}

// TestConformance runs the contract over every implementation.
func TestConformance(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) Journal{
		"memory": func(*testing.T) Journal { return new(Memory) },
		"file":   func(t *testing.T) Journal { f, _ := newFile(t); return f },
	} {
		t.Run(name, func(t *testing.T) { conformance(t, func() Journal { return open(t) }) })
	}
}

func conformance(t *testing.T, open func() Journal) {
	t.Run("Empty", func(t *testing.T) {
		j := open()
		head, err := Verify(t.Context(), j)
		page, err2 := j.Read(t.Context(), 1, 10)
		mine, err3 := j.Of(t.Context(), "person-1", 0, 10)
		if errors.Join(err, err2, err3) != nil || head != (Head{}) || len(page)+len(mine) != 0 {
			t.Errorf("%v, %v, %v, %v", head, page, mine, errors.Join(err, err2, err3))
		}
	})
	t.Run("Chain", func(t *testing.T) { testChain(t, open(), open()) })
	t.Run("Paging", func(t *testing.T) { testPaging(t, open()) })
	t.Run("Concurrent", func(t *testing.T) { testConcurrent(t, open()) })
	t.Run("Limits", func(t *testing.T) {
		j := open()
		for name, spoil := range map[string]func(*Event){
			"kind": func(e *Event) { e.Kind = "other" }, "long": func(e *Event) { e.Engine = strings.Repeat("a", maxText+1) },
			"line": func(e *Event) { e.Detail = "a\nb" }, "bytes": func(e *Event) { e.Document = person.NewPrivate("\xff") },
			"early": func(e *Event) { e.At = time.Time{} }, "late": func(e *Event) { e.At = time.Date(10000, 1, 2, 0, 0, 0, 0, time.UTC) },
		} {
			e := event(1)
			spoil(&e)
			if _, err := j.Append(t.Context(), e); !errors.Is(err, ErrEvent) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if head, err := j.Head(t.Context()); err != nil || head.Number != 0 {
			t.Errorf("%v, %v", head, err)
		}
	})
	t.Run("Cancelled", func(t *testing.T) {
		j := open()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := j.Append(ctx, event(1)); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Run("Closed", func(t *testing.T) {
		j := open()
		fill(t, j, 1)
		if err := errors.Join(j.Close(), j.Close()); err != nil {
			t.Error(err)
		}
		_, err := j.Append(t.Context(), event(1))
		_, err2 := j.Read(t.Context(), 1, 1)
		_, err3 := j.Of(t.Context(), "person-1", 0, 1)
		_, err4 := j.Head(t.Context())
		for _, err := range []error{err, err2, err3, err4} {
			if !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
		}
	})
}

func testChain(t *testing.T, j, other Journal) {
	all := fill(t, j, 7)
	read, err := j.Read(t.Context(), 1, 100)
	if err != nil || !slices.Equal(read, all) {
		t.Fatalf("%v\nread     %v\nappended %v", err, read, all)
	}
	for i, r := range all {
		want := event(i)
		want.At = want.At.Truncate(time.Microsecond)
		if r.Event != want || r.Number != uint64(i+1) || i > 0 && r.Previous != all[i-1].Hash {
			t.Errorf("record %d: %v", i+1, r)
		}
	}
	head, err := Verify(t.Context(), j, all[3].head(), all[6].head())
	if err != nil || head != all[6].head() {
		t.Errorf("%v, %v", head, err)
	}
	if first := fill(t, other, 1)[0]; first.Hash == all[0].Hash {
		t.Error("two journals begin alike")
	}
	var broken *Broken
	if _, err := Verify(t.Context(), j, Head{Number: 4}); !errors.As(err, &broken) || broken.Number != 4 {
		t.Error(err)
	}
	if _, err := Verify(t.Context(), j, Head{Number: 9}); !errors.As(err, &broken) || broken.Number != 8 {
		t.Error(err)
	}
	var b bytes.Buffer
	if err := Export(t.Context(), j, &b); err != nil {
		t.Fatal(err)
	}
	if head, err := VerifyLines(&b, all[5].head()); err != nil || head != all[6].head() {
		t.Errorf("export: %v, %v", head, err)
	}
}

func testPaging(t *testing.T, j Journal) {
	fill(t, j, 20)
	var got []uint64
	before := uint64(0)
	for range 10 {
		page, err := j.Of(t.Context(), "person-1", before, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			got = append(got, r.Number)
		}
		before = page[len(page)-1].Number
	}
	if want := []uint64{20, 17, 14, 11, 8, 5, 2}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for name, f := range map[string]func() ([]Record, error){
		"nobody": func() ([]Record, error) { return j.Of(t.Context(), "", 0, 10) }, "no limit": func() ([]Record, error) { return j.Read(t.Context(), 1, -1) },
		"after": func() ([]Record, error) { return j.Read(t.Context(), 1<<63, 10) }, "other": func() ([]Record, error) { return j.Of(t.Context(), "person", 0, 10) },
		"none": func() ([]Record, error) { return j.Of(t.Context(), "person-1", 0, 0) },
	} {
		if page, err := f(); err != nil || len(page) != 0 {
			t.Errorf("%s: %v, %v", name, page, err)
		}
	}
	if page, err := j.Of(t.Context(), "person-1", 1<<63, 100); err != nil || len(page) != 7 {
		t.Errorf("%d, %v", len(page), err)
	}
}

func testConcurrent(t *testing.T, j Journal) {
	var wg sync.WaitGroup
	seen := make([]bool, 201)
	var mu sync.Mutex
	for i := range 200 {
		wg.Go(func() {
			r, err := j.Append(t.Context(), event(i))
			if err != nil {
				t.Error(err)
				return
			}
			found, err := j.Read(t.Context(), r.Number, 1) // what is acknowledged can be read
			if err != nil || len(found) != 1 || found[0] != r {
				t.Errorf("%v, %v", found, err)
			}
			mu.Lock()
			seen[r.Number] = true
			mu.Unlock()
		})
	}
	wg.Wait()
	if head, err := Verify(t.Context(), j); err != nil || head.Number != 200 || slices.Contains(seen[1:], false) {
		t.Errorf("%v, %v", head, err)
	}
}

// TestMasked: however a record is printed, it says nothing about the person.
func TestMasked(t *testing.T) {
	r := fill(t, new(Memory), 1)[0]
	text := fmt.Sprintf("%v %+v %#v", r, r, r)
	for _, secret := range []string{"192.0.2.7", "Chromium", "Договор"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is printed", secret)
		}
		if !strings.Contains(string(r.Line()), secret) {
			t.Errorf("%s is not in the line", secret)
		}
	}
}

// TestLinesTampered: every byte of an export matters, and the record is named.
func TestLinesTampered(t *testing.T) {
	j := new(Memory)
	all := fill(t, j, 3)
	var b bytes.Buffer
	if err := Export(t.Context(), j, &b); err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(b.Bytes(), []byte("\n"))[:3]
	start := 0
	for n, line := range lines {
		for i := range line {
			for _, bit := range []byte{1, 0x20} {
				changed := bytes.Clone(b.Bytes())
				changed[start+i] ^= bit
				wantBroken(t, fmt.Sprintf("line %d, byte %d", n+1, i), uint64(n+1), func() error { _, err := VerifyLines(bytes.NewReader(changed)); return err })
			}
		}
		start += len(line)
	}
	join := func(order ...int) *bytes.Reader {
		var out []byte
		for _, i := range order {
			out = append(out, lines[i]...)
		}
		return bytes.NewReader(out)
	}
	for _, c := range []struct {
		name  string
		order []int
		at    uint64
	}{
		{"first gone", []int{1, 2}, 1}, {"middle gone", []int{0, 2}, 2}, {"swapped", []int{0, 2, 1}, 2}, {"twice", []int{0, 1, 1, 2}, 3}, {"tail gone", []int{0, 1}, 3}, {"all gone", nil, 1},
	} {
		wantBroken(t, c.name, c.at, func() error { _, err := VerifyLines(join(c.order...), all[2].head()); return err })
	}
	wantBroken(t, "cut", 3, func() error { _, err := VerifyLines(bytes.NewReader(b.Bytes()[:b.Len()-2])); return err })
	wantBroken(t, "long", 1, func() error {
		_, err := VerifyLines(strings.NewReader(strings.Repeat("a", 2*maxLine) + "\n"))
		return err
	})
	// A chain that was computed anew from the second record on is whole, but for the head.
	anew := new(Memory)
	anew.records = []Record{all[0], all[0].head().next(event(9), newID())}
	anew.records = append(anew.records, anew.records[1].head().next(event(2), newID()))
	if _, err := Verify(t.Context(), anew); err != nil {
		t.Error(err)
	}
	wantBroken(t, "anew", 3, func() error { _, err := Verify(t.Context(), anew, all[2].head()); return err })
}

func wantBroken(t *testing.T, name string, at uint64, f func() error) {
	t.Helper()
	err := f()
	if broken, ok := errors.AsType[*Broken](err); !ok || broken.Number != at {
		t.Errorf("%s: %v, want record %d broken", name, err, at)
	}
}

func TestHead(t *testing.T) {
	h := Head{7, [32]byte{1, 2}}
	if got, err := ParseHead(h.String()); err != nil || got != h {
		t.Errorf("%v, %v", got, err)
	}
	for _, s := range []string{"", "7", "7:", "x:" + strings.Repeat("0", 64), "07:" + strings.Repeat("0", 64), "7:" + strings.Repeat("A", 64), h.String() + "0", "-1:" + strings.Repeat("0", 64)} {
		if _, err := ParseHead(s); err == nil {
			t.Errorf("%q is a head", s)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "Имя файла.pdf": "Имя файла.pdf", "a\nb": "a�b", "\xff": "�", "a\u202eb": "a�b",
		strings.Repeat("я", 300): strings.Repeat("я", 256), strings.Repeat("a", 9999): strings.Repeat("a", 512),
	} {
		if got := Clean(in); got != want || Clean(got) != got {
			t.Errorf("%q: %q", in, got)
		}
	}
}

// FuzzParseLine: a line has one form, and its record is printed back as it was.
func FuzzParseLine(f *testing.F) {
	j := new(Memory)
	for i := range 3 {
		r, err := j.Append(context.Background(), event(i))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(r.Line())
	}
	empty := Head{}.next(Event{At: time.Unix(0, 0), Kind: Operator}, [32]byte{})
	f.Add(empty.Line())
	f.Add([]byte(`{"v":"1","v":"1"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := ParseLine(line)
		if err != nil {
			if r != (Record{}) {
				t.Fatalf("rejected, yet returned %v", r)
			}
			return
		}
		if !bytes.Equal(r.Line(), bytes.TrimSuffix(line, []byte("\n"))) {
			t.Fatalf("%s\nbecame %s", line, r.Line())
		}
		if err := r.Check(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestAppendAll: events are written in their order, all or, when one of them is none, nothing.
func TestAppendAll(t *testing.T) {
	f, _ := newFile(t)
	var events []Event
	for i := range 3 * maxBatch {
		events = append(events, event(i))
	}
	if err := f.AppendAll(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	if err := f.AppendAll(t.Context(), []Event{event(1), {}}); !errors.Is(err, ErrEvent) {
		t.Errorf("no event: %v", err)
	}
	if err := f.AppendAll(t.Context(), nil); err != nil {
		t.Errorf("nothing: %v", err)
	}
	all, err := f.Read(t.Context(), 1, maxPage)
	if err != nil || len(all) != len(events) {
		t.Fatalf("%d records, %v, want %d", len(all), err, len(events))
	}
	for i, r := range all {
		if r.Event != (Head{Number: uint64(i)}).next(events[i], newID()).Event { //nolint:gosec // small
			t.Fatalf("record %d is of another event", r.Number)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.AppendAll(ctx, events[:1]); !errors.Is(err, context.Canceled) {
		t.Errorf("the caller has left: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.AppendAll(t.Context(), events[:1]); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}
