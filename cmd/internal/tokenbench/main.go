// Command tokenbench measures what tokens cost: how much the process of its own that a
// library runs in adds to a signature, against the same library in this process, and how
// long it takes to start it again; and how many signatures a second it verifies. The library is that of soft tokens, which is built on
// the spot, so a C compiler is needed.
//
// Each row has a goal and says whether it is met. The rows of a part are measured in
// turns, so that what else the machine does falls on all of them.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"propusk/tokens"
)

// options are the command line.
type options struct {
	rounds int
	short  bool
}

// row is one figure.
type row struct {
	name  string
	value string
	goal  string // empty: there is none
	met   bool
}

// part measures some rows; what it leaves out it says on progress.
type part struct {
	name    string
	measure func(o options, dir string, progress io.Writer) ([]row, error)
}

// parts are what is measured.
func parts() []part {
	return []part{
		{"bridge", bridge},
		{"agent", agentRows},
		{"engine", throughput},
	}
}

func main() {
	tokens.ServeIfChild()
	var o options
	flag.IntVar(&o.rounds, "rounds", 400, "how many signatures are measured of each kind, at least 1")
	flag.BoolVar(&o.short, "short", false, "measure little, in seconds: the figures are rough")
	flag.Parse()
	if err := run(o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "tokenbench:", err)
		os.Exit(1)
	}
}

// run measures the parts and prints the table to out. A goal that is missed is printed,
// and is no error: a busy machine misses it.
func run(o options, out, progress io.Writer) error {
	if o.short {
		o.rounds = 40
	}
	if o.rounds < 1 {
		return fmt.Errorf("rounds must be positive")
	}
	dir, err := os.MkdirTemp("", "tokenbench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, p := range parts() {
		own := filepath.Join(dir, p.name)
		if err := os.Mkdir(own, 0o700); err != nil {
			return err
		}
		rows, err := p.measure(o, own, progress)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		for _, r := range rows {
			verdict := ""
			switch {
			case r.goal == "":
			case r.met:
				verdict = "goal " + r.goal + ": pass"
			default:
				verdict = "goal " + r.goal + ": miss"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", r.name, r.value, verdict)
		}
	}
	return w.Flush()
}

// median is the middle of durations, which are sorted by it.
func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// micro prints a duration in microseconds.
func micro(d time.Duration) string { return fmt.Sprintf("%.1f µs", float64(d)/1e3) }

// milli prints a duration in milliseconds.
func milli(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }
