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
	pure   []float64 // how many times as long as ours without assembly the engine took, or gogost when it has no such operation
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
	engine, ok, err := p.engine(ctx, r.op, each)
	if err != nil {
		return err
	}
	reference := engine
	if ok {
		r.engine = append(r.engine, engine/ours)
	}
	gogost, ok, err := p.gogost(ctx, r.op, each)
	if err != nil {
		return err
	}
	if ok {
		r.gogost = append(r.gogost, gogost/ours)
		if reference == 0 {
			reference = gogost
		}
	}
	if p.pure == nil || reference == 0 {
		return nil
	}
	pure, ok, err := p.pure(ctx, r.op, each)
	if ok {
		r.pure = append(r.pure, reference/pure)
	}
	return err
}

// printTable prints our medians, and how many times faster than the others we are:
// the median of the rounds, and the least and the greatest of them. The last column is
// ours without assembly beside gost-engine, or gogost where the engine has nothing.
func printTable(w io.Writer, rows []row) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "operation\tours\tthan gost-engine\tthan gogost\tGo only, than the first of both\t")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t\n",
			r.op.name, r.op.figure(median(r.ours)), ratio(r.engine), ratio(r.gogost), ratio(r.pure))
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
