// Command tlsbench compares a server of gosttls, net/http on top, with nginx and
// gost-engine, in the same run and round by round: handshakes and megabytes for each
// second of processor time of the server. It prints ratios, because absolute figures
// say little on a machine that does other things too.
//
// The client is the same for both, of gosttls or of crypto/tls, in a process of its own
// on another processor. In full handshakes the client presents a certificate and the
// server checks it against its CA, as nginx does; gosttls keeps a table for the key of
// the CA. Suites that nginx cannot do, those of TLS 1.3, are measured on our side only;
// there the client sends a request after a resumed handshake, to get the next ticket.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"time"
)

// options are the command line. The roles of the other processes come with what they
// need.
type options struct {
	rounds      int
	each        time.Duration
	match       string
	connections int
	profile     string

	role, dir, addr string
	suite           suite
	key, kind       string
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 3, "how many times everything is measured, at least 1")
	flag.DurationVar(&o.each, "time", time.Second, "how long one measurement takes")
	flag.StringVar(&o.match, "match", "", "measure only the rows that match this regular expression")
	flag.IntVar(&o.connections, "connections", 16, "how many connections the client has at once, at least 1")
	flag.StringVar(&o.profile, "profile", "", "write a processor profile of our server to this file")
	flag.StringVar(&o.role, "role", "", "for the processes that this command starts")
	flag.StringVar(&o.dir, "dir", "", "for the role: where the certificates are")
	flag.StringVar(&o.addr, "addr", "", "for the role load: the server")
	flag.StringVar((*string)(&o.suite), "suite", "", "for the role load: the cipher suite")
	flag.StringVar(&o.key, "key", "", "for the role load: the certificates")
	flag.StringVar(&o.kind, "kind", "", "for the role load: what to do")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := start(ctx, o)
	stop()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w\n%s", err, exit.Stderr)
		}
		fmt.Fprintln(os.Stderr, "tlsbench:", err)
		os.Exit(1)
	}
}

// start plays the role of this process.
func start(ctx context.Context, o options) error {
	if o.rounds < 1 || o.each <= 0 || o.connections < 1 {
		return errors.New("rounds, time and connections must be positive")
	}
	switch o.role {
	case "":
		return compare(ctx, o)
	case "serve":
		return serve(ctx, o)
	case "load":
		return load(ctx, o)
	}
	return fmt.Errorf("unknown role %q", o.role)
}

// compare measures in rounds and prints the table.
func compare(ctx context.Context, o options) error {
	filter, err := regexp.Compile(o.match)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tlsbench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := makeCertificates(ctx, dir); err != nil {
		return err
	}
	if err := os.WriteFile(bulkFile(dir), make([]byte, bulkSize), 0o600); err != nil {
		return err
	}
	ours, err := startOurs(ctx, dir, o.profile)
	if err != nil {
		return err
	}
	defer ours.stop()
	nginx, err := startNginx(ctx, dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "nginx is left out:", err)
	} else {
		defer nginx.stop()
	}

	var rows []*row
	for _, r := range allRows() {
		if filter.MatchString(r.name()) {
			rows = append(rows, r)
		}
	}
	var errs []error
	for round := range o.rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, o.rounds)
		for _, r := range rows {
			if err := r.measure(ctx, o, dir, ours, nginx); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", r.name(), err))
			}
		}
	}
	// What could be measured is worth to be seen all the same.
	return errors.Join(append(errs, printTable(os.Stdout, rows))...)
}
