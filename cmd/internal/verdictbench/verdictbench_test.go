package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// TestShort runs the whole command as "-short" does; it takes seconds, so it is asked
// for by PROPUSK_VERDICTBENCH=1.
func TestShort(t *testing.T) {
	if os.Getenv("PROPUSK_VERDICTBENCH") != "1" {
		t.Skip("PROPUSK_VERDICTBENCH is not 1")
	}
	var out, progress bytes.Buffer
	if err := run(t.Context(), options{short: true}, &out, &progress); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"read the CMS of a sign-in", "nothing known", "certificate known", "in memory", "goal"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s\n%s", want, out.String(), progress.String())
		}
	}
}

// TestSignIn makes sure that the verdicts that are measured are given at all: loops fail
// when a verdict is not good.
func TestSignIn(t *testing.T) {
	rows, err := login(t.Context(), setup{dir: t.TempDir(), short: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := r.measure(t.Context(), time.Millisecond); err != nil || len(r.figures) != 1 || len(r.ratios) != 0 {
			t.Errorf("%s: %v, %v", r.name, r.figures, err)
		}
	}
}

func TestDocument(t *testing.T) {
	rows, err := document(t.Context(), setup{dir: t.TempDir(), short: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := r.measure(t.Context(), time.Millisecond); err != nil {
			t.Errorf("%s: %v", r.name, err)
		}
	}
}

// TestBadVerdict makes sure that a loop over bad verdicts does not pass for a figure.
func TestBadVerdict(t *testing.T) {
	country, snapshot, err := newCountry(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	files, err := signIns(country, 1)
	if err != nil {
		t.Fatal(err)
	}
	late := judge{trust: snapshot.Trust(), at: country.Now().AddDate(20, 0, 0)}
	for _, m := range []measure{late.nothingKnown(files[0]), late.certificateKnown(files[0])} {
		if _, err := m(t.Context(), time.Millisecond); err == nil {
			t.Error("an expired certificate makes a figure")
		}
	}
}

func TestTable(t *testing.T) {
	rows := []*row{
		{name: "reached", figures: []float64{1500, 1400, 1600}, ratios: []float64{6, 5, 7}, goal: atLeast(5.5)},
		{name: "missed", figures: []float64{3e6}, ratios: []float64{2}, goal: atLeast(5)},
		{name: "alone", figures: []float64{900}, goal: atMost(2000)},
		{name: "too much", unit: bytesUsed, figures: []float64{3e6}, goal: atMost(2e6)},
		{name: "no peer", figures: []float64{7}, unit: count, goal: atLeast(5)},
		{name: "not measured"},
	}
	var out bytes.Buffer
	if err := printTable(&out, rows); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"1.5 µs", "6.00x (5.00-7.00)", "≥ 5.5x, reached", "3.0 ms", "≥ 5x, missed", "900 ns", "≤ 2.0 µs, reached", "≤ 2.0 MB, missed",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "not measured") {
		t.Error("a row without figures is printed")
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []options{{}, {rounds: 1}, {rounds: 1, each: 1, match: "("}, {rounds: 1, each: 1, part: "("}} {
		if err := run(t.Context(), o, io.Discard, io.Discard); err == nil {
			t.Errorf("%+v passes", o)
		}
	}
}

// TestMeasures looks at what stops a measurement.
func TestMeasures(t *testing.T) {
	broken := errors.New("broken")
	if _, err := loop(func() error { return broken })(t.Context(), time.Hour); !errors.Is(err, broken) {
		t.Errorf("a loop that fails: %v", err)
	}
	calls := 0
	if _, err := once(t.Context(), time.Hour, 10, func() error { calls++; return nil }); err != nil || calls != 10 {
		t.Errorf("%d calls, %v", calls, err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := loop(func() error { return nil })(stopped, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("a loop that is stopped: %v", err)
	}
}
