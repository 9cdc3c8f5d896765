package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// row is what was measured of one operation.
type row struct {
	op     operation
	ours   []float64 // nanoseconds, one figure a round
	engine []float64 // how many times as long as ours the engine took, one a round
	gogost []float64
}

// measure takes one figure of each peer, one right after the other.
func (r *row) measure(ctx context.Context, p peers, each time.Duration) error {
	ours, ok, err := p.ours(ctx, r.op, each)
	if err != nil {
		return err
	}
	if !ok || ours <= 0 {
		return fmt.Errorf("no benchmark of ours for %s", r.op.name)
	}
	r.ours = append(r.ours, ours)
	for _, other := range []struct {
		peer   peer
		ratios *[]float64
	}{{p.engine, &r.engine}, {p.gogost, &r.gogost}} {
		theirs, ok, err := other.peer(ctx, r.op, each)
		if err != nil {
			return err
		}
		if ok {
			*other.ratios = append(*other.ratios, theirs/ours)
		}
	}
	return nil
}

// printTable prints our medians, and how many times faster than the others we are:
// the median of the rounds, and the least and the greatest of them.
func printTable(w io.Writer, rows []row) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "operation\tours\tthan gost-engine\tthan gogost\t")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t\n", r.op.name, r.op.figure(median(r.ours)), ratio(r.engine), ratio(r.gogost))
	}
	return t.Flush()
}

// figure prints the speed, or the time for operations without bytes.
func (op operation) figure(ns float64) string {
	if op.bytes > 0 {
		return fmt.Sprintf("%.0f MB/s", float64(op.bytes)/ns*1e3)
	}
	return fmt.Sprintf("%.1f µs", ns/1e3)
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
