package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"
)

// A row is one line of the table.
type row struct {
	name string
	unit unit    // of the figures
	ours measure // our side
	peer measure // who is compared; nil means nobody
	goal goal

	figures []float64 // ours, one a round
	ratios  []float64 // peer over ours, one a round
}

// A measure takes one figure in about the given time, in the unit of its row. Less is
// better.
type measure func(ctx context.Context, each time.Duration) (float64, error)

// A unit says what figures are.
type unit int

// The units.
const (
	nanoseconds unit = iota // of processor time for one operation
	bytesUsed               // of memory
	count                   // of anything, such as allocations
)

// A goal is what the project wants; the zero value is nothing in particular.
type goal struct {
	ratio  float64 // the peer is to take so many times as much, or more
	figure float64 // ours is to be so much, or less
}

// atLeast is the goal that the peer takes so many times as much.
func atLeast(ratio float64) goal { return goal{ratio: ratio} }

// atMost is the goal that our figure is no more than this.
func atMost(figure float64) goal { return goal{figure: figure} }

// measure takes one figure of each side, one right after the other.
func (r *row) measure(ctx context.Context, each time.Duration) error {
	ours, err := r.ours(ctx, each)
	if err != nil {
		return err
	}
	r.figures = append(r.figures, ours)
	if r.peer == nil {
		return nil
	}
	peer, err := r.peer(ctx, each)
	if err != nil {
		return err
	}
	if ours > 0 {
		r.ratios = append(r.ratios, peer/ours)
	}
	return nil
}

// loop measures the processor time of one call of f, of all threads of this process:
// what the garbage collector does for f counts. The first call does not.
func loop(f func() error) measure {
	return func(ctx context.Context, each time.Duration) (float64, error) {
		if err := f(); err != nil {
			return 0, err
		}
		return once(ctx, each, math.MaxInt, f)
	}
}

// once is loop for what can only be called so many times; all calls count.
func once(ctx context.Context, each time.Duration, calls int, f func() error) (float64, error) {
	runtime.GC() // of what others left
	start, err := processorTime()
	if err != nil {
		return 0, err
	}
	for n, batch := 0, 1; ; batch *= 2 {
		batch = min(batch, calls-n)
		for range batch {
			if err := f(); err != nil {
				return 0, err
			}
		}
		n += batch
		now, err := processorTime()
		if err != nil {
			return 0, err
		}
		if now-start >= each || n == calls || ctx.Err() != nil {
			return float64(now-start) / float64(n), ctx.Err()
		}
	}
}

// fixed is a measure of what is no matter of time.
func fixed(f func() (float64, error)) measure {
	return func(context.Context, time.Duration) (float64, error) { return f() }
}

// processorTime is how long all threads of this process ran.
func processorTime() (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		return 0, fmt.Errorf("processor time: %w", err)
	}
	return time.Duration(t.Nano()), nil
}

// printTable prints the medians of our figures, how many times as much the peer takes
// (the median of the rounds, the least and the greatest), and the goals.
func printTable(w io.Writer, rows []*row) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "what\tours\tOpenSSL and gost-engine\tgoal\t")
	for _, r := range rows {
		if len(r.figures) > 0 {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t\n", r.name, r.unit.format(median(r.figures)), ratio(r.ratios), r.verdict())
		}
	}
	return t.Flush()
}

// verdict prints the goal, and whether it was reached.
func (r *row) verdict() string {
	text, reached := "", false
	switch {
	case r.goal.ratio > 0 && len(r.ratios) > 0:
		text, reached = fmt.Sprintf("≥ %.4gx", r.goal.ratio), median(r.ratios) >= r.goal.ratio
	case r.goal.figure > 0:
		text, reached = "≤ "+r.unit.format(r.goal.figure), median(r.figures) <= r.goal.figure
	default:
		return "-"
	}
	if reached {
		return text + ", reached"
	}
	return text + ", missed"
}

// format prints a figure.
func (u unit) format(x float64) string {
	switch {
	case u == count:
		return fmt.Sprintf("%.0f", x)
	case u == bytesUsed && x >= 1e6:
		return fmt.Sprintf("%.1f MB", x/1e6)
	case u == bytesUsed:
		return fmt.Sprintf("%.1f KB", x/1e3)
	case x >= 1e6:
		return fmt.Sprintf("%.1f ms", x/1e6)
	case x >= 1e3:
		return fmt.Sprintf("%.1f µs", x/1e3)
	default:
		return fmt.Sprintf("%.0f ns", x)
	}
}

func ratio(rounds []float64) string {
	if len(rounds) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2fx (%.2f-%.2f)", median(rounds), slices.Min(rounds), slices.Max(rounds))
}

// median returns the middle figure, the lower one of two.
func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	return sorted[(len(sorted)-1)/2]
}

// startProfile begins a processor profile, unless the path is empty.
func startProfile(path string) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		if err := f.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "verdictbench: profile:", err)
		}
	}, nil
}
