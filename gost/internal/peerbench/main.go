// Command peerbench compares the speed of gost with gost-engine and gogost, in the
// same run and round by round, and prints ratios of processor time: absolute figures
// say little on a machine that does other things too.
//
// Our side and gogost run as Go benchmarks of this package, so that gogost is never
// linked into a program; gost-engine runs in a small C program, compiled on the
// spot when gcc and the headers of OpenSSL are there.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"time"
)

func main() {
	rounds := flag.Int("rounds", 5, "how many times everything is measured, at least 1")
	each := flag.Duration("time", 100*time.Millisecond, "how long one measurement takes")
	match := flag.String("match", "", "measure only the operations that match this regular expression")
	pure := flag.Bool("pure", false, "measure our code without assembly, too")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *rounds, *each, *match, *pure)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "peerbench:", err)
		os.Exit(1)
	}
}

// run builds the peers, measures in rounds and prints the table.
func run(ctx context.Context, rounds int, each time.Duration, match string, pure bool) error {
	if rounds < 1 || each <= 0 {
		return fmt.Errorf("rounds and time must be positive")
	}
	filter, err := regexp.Compile(match)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "peerbench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	peers, err := build(ctx, dir, pure)
	if err != nil {
		return err
	}
	var rows []row
	for _, op := range operations() {
		if filter.MatchString(op.name) {
			rows = append(rows, row{op: op})
		}
	}
	for round := range rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, rounds)
		for i := range rows {
			if err := rows[i].measure(ctx, peers, each); err != nil {
				return err
			}
		}
	}
	return printTable(os.Stdout, rows)
}
