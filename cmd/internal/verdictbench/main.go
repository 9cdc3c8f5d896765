// Command verdictbench measures how long verdicts take: of sign-in signatures, paths,
// documents, lists and requests. Where a C program over libcrypto and gost-engine can
// do the same it runs beside, in the same run and round by round, and the table says
// how many times as much processor time it takes: absolute figures say little on a
// machine that does other things too.
//
// The C program is compiled on the spot when gcc and the headers of OpenSSL are there;
// rows that need what is absent are left out, with a line that says so.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"time"
)

// options are the command line.
type options struct {
	rounds  int
	each    time.Duration
	match   string
	part    string
	short   bool
	profile string
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 5, "how many times everything is measured, at least 1")
	flag.DurationVar(&o.each, "time", 300*time.Millisecond, "how long one measurement takes, about")
	flag.StringVar(&o.match, "match", "", "measure only the rows that match this regular expression")
	flag.StringVar(&o.part, "part", "", "prepare and measure only the parts that match this regular expression")
	flag.BoolVar(&o.short, "short", false, "measure once, in seconds: the figures are rough, and large inputs are smaller")
	flag.StringVar(&o.profile, "profile", "", "write a processor profile of our side to this file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "verdictbench:", err)
		os.Exit(1)
	}
}

// run prepares the parts, measures in rounds and prints the table to out. What is left
// out, and how far it has come, goes to progress.
func run(ctx context.Context, o options, out, progress io.Writer) error {
	if o.short {
		o.rounds, o.each = 1, 30*time.Millisecond
	}
	if o.rounds < 1 || o.each <= 0 {
		return errors.New("rounds and time must be positive")
	}
	filter, err := regexp.Compile(o.match)
	if err != nil {
		return err
	}
	only, err := regexp.Compile(o.part)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "verdictbench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := setup{dir: dir, short: o.short}
	if s.library, err = buildLibrary(ctx, dir); err != nil {
		fmt.Fprintln(progress, "OpenSSL is left out:", err)
	}
	// Figures are of one core. With more, idle ones help the garbage collector, and
	// what they spend would count.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	rows, err := prepare(ctx, s, only, filter, progress)
	if err != nil {
		return err
	}
	stopProfile, err := startProfile(o.profile)
	if err != nil {
		return err
	}
	defer stopProfile()
	for round := range o.rounds {
		fmt.Fprintf(progress, "round %d of %d\n", round+1, o.rounds)
		for _, r := range rows {
			if err := r.measure(ctx, o.each); err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
		}
	}
	return printTable(out, rows)
}

// setup is what parts are prepared with.
type setup struct {
	dir     string  // for files, removed at the end
	short   bool    // inputs are to be small
	library library // to compare with; may be absent
}

// A part prepares rows that belong together, and says with an error why it cannot:
// then its rows are left out.
type part struct {
	name string
	rows func(context.Context, setup) ([]*row, error)
}

// parts returns everything there is, in the order of the table.
func parts() []part {
	return []part{
		{"sign-in signatures", login},
		{"requests", requests},
		{"documents", document},
		{"paths", paths},
		{"revocation lists", lists},
		{"the list of accredited CAs", accredited},
	}
}

// prepare returns the rows whose names match filter, of the parts that match only.
func prepare(ctx context.Context, s setup, only, filter *regexp.Regexp, progress io.Writer) ([]*row, error) {
	var rows []*row
	for _, p := range parts() {
		if !only.MatchString(p.name) {
			continue
		}
		some, err := p.rows(ctx, s)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			fmt.Fprintf(progress, "%s is left out: %v\n", p.name, err)
		}
		for _, r := range some {
			if filter.MatchString(r.name) {
				rows = append(rows, r)
			}
		}
	}
	return rows, nil
}
