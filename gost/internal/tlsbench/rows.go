package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"propusk/gost/gosttls"
)

// What is measured.
const (
	full    = "full"    // handshakes with a client certificate
	again   = "again"   // the same, and our server keeps a table for the key of the client
	resumed = "resumed" // handshakes that go on with an earlier one, by ticket
	bulk    = "bulk"    // bytes from the server to the client
)

// A suite is the name of a cipher suite in the table: of four hexadecimal digits, or
// one of those of crypto/tls.
type suite string

// The suites of nginx with P-256, in TLS 1.2 and TLS 1.3.
const (
	aes12 suite = "AES-GCM-1.2"
	aes13 suite = "AES-GCM-1.3"
)

// id returns the number of a suite of gosttls.
func (s suite) id() (uint16, error) {
	var id uint16
	_, err := fmt.Sscanf(string(s), "%04X", &id)
	return id, err
}

// isGOST reports whether the suite is one of gosttls.
func (s suite) isGOST() bool { return s != aes12 && s != aes13 }

// isTLS13 reports whether the suite is one of gosttls for TLS 1.3.
func (s suite) isTLS13() bool { return slices.Contains([]suite{"C103", "C104", "C105", "C106"}, s) }

// engineName is what OpenSSL calls a suite that nginx can do; empty for the others.
func (s suite) engineName() string {
	switch s {
	case "C100":
		return "GOST2012-KUZNYECHIK-KUZNYECHIKOMAC"
	case "C101":
		return "GOST2012-MAGMA-MAGMAOMAC"
	case "C102":
		return "IANA-GOST2012-GOST8912-GOST8912"
	case aes12:
		return "ECDHE-ECDSA-AES256-GCM-SHA384"
	}
	return ""
}

// row is one line of the table.
type row struct {
	kind   string
	suite  suite
	key    string // the certificates of both sides
	ours   []float64
	nginx  []float64
	ratios []float64 // ours over nginx, one a round
}

func (r *row) name() string { return r.kind + " " + string(r.suite) + " " + r.key }

// allRows returns what is measured, in the order of the table.
func allRows() []*row {
	var rows []*row
	add := func(kind string, s suite, keys ...string) {
		for _, key := range keys {
			rows = append(rows, &row{kind: kind, suite: s, key: key})
		}
	}
	for _, s := range []suite{"C100", "C101", "C102"} {
		add(full, s, "256-A", "256-TCA", "512-A", "512-C")
	}
	add(full, "C105", "256-A", "256-TCA", "512-A", "512-C")
	for _, s := range []suite{"C103", "C104", "C106"} {
		add(full, s, "256-A")
	}
	add(full, aes12, "P-256")
	add(full, aes13, "P-256")
	for _, s := range []suite{"C100", "C101", "C102"} {
		add(again, s, "256-A", "512-C")
	}
	for _, kind := range []string{resumed, bulk} {
		for _, s := range []suite{"C100", "C101", "C102", "C103", "C104", "C105", "C106"} {
			add(kind, s, "256-A")
		}
		add(kind, aes12, "P-256")
	}
	return rows
}

// measure takes one figure of each server, one right after the other.
func (r *row) measure(ctx context.Context, o options, dir string, ours, nginx *server) error {
	var mine, theirs float64
	var err error
	if r.suite.isGOST() {
		if mine, err = ours.measure(ctx, o, dir, r); err != nil {
			return fmt.Errorf("ours: %w", err)
		}
		r.ours = append(r.ours, mine)
	}
	if nginx != nil && (r.suite.engineName() != "" || !r.suite.isGOST()) {
		if theirs, err = nginx.measure(ctx, o, dir, r); err != nil {
			return fmt.Errorf("nginx: %w", err)
		}
		r.nginx = append(r.nginx, theirs)
	}
	if mine > 0 && theirs > 0 {
		r.ratios = append(r.ratios, mine/theirs)
	}
	return nil
}

// printTable prints the medians of both, and how many times as much of ours go into a
// second of processor time: the median of the rounds, the least and the greatest.
func printTable(w io.Writer, rows []*row) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "per second of processor time of the server\tours\tnginx\tratio\t")
	for _, r := range rows {
		name := "TLS with P-256"
		if id, err := r.suite.id(); err == nil && r.suite.isGOST() {
			name = strings.TrimPrefix(gosttls.CipherSuiteName(id), "TLS_GOSTR341112_256_WITH_")
		} else if r.suite == aes13 {
			name = tls.VersionName(tls.VersionTLS13) + " with P-256"
		}
		fmt.Fprintf(t, "%s %s, %s\t%s\t%s\t%s\t\n", title(r.kind), name, r.key,
			r.figure(r.ours), r.figure(r.nginx), ratio(r.ratios))
	}
	return t.Flush()
}

func title(kind string) string {
	switch kind {
	case full:
		return "handshakes with client certificate,"
	case again:
		return "handshakes of a client that returns,"
	case resumed:
		return "resumed handshakes,"
	}
	return "megabytes sent,"
}

func (r *row) figure(rounds []float64) string {
	if len(rounds) == 0 {
		return "-"
	}
	if r.kind == bulk {
		return fmt.Sprintf("%.1f", median(rounds)/1e6)
	}
	return fmt.Sprintf("%.0f", median(rounds))
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
