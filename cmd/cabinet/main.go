// Command cabinet runs the demo relying party on its own, against any Propusk.
package main

import (
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"propusk/cmd/internal/cabinet"
	"propusk/server/level"
)

// Exit codes.
const (
	exitOK    = 0
	exitUsage = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stderr)
	stop()
	os.Exit(code)
}

// settings are the flags; each has an environment variable for its default.
type settings struct {
	listen, url, issuer, clientID, secretFile, caFile, services string
}

func parse(args []string, getenv func(string) string, stderr io.Writer) (settings, error) {
	var s settings
	f := flag.NewFlagSet("cabinet", flag.ContinueOnError)
	f.SetOutput(stderr)
	option := func(to *string, name, fallback, usage string) {
		env := "CABINET_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		if v := getenv(env); v != "" {
			fallback = v
		}
		f.StringVar(to, name, fallback, usage+" ("+env+")")
	}
	option(&s.listen, "listen", "127.0.0.1:8445", "address to listen on")
	option(&s.url, "url", "http://127.0.0.1:8445", "where browsers find the cabinet, without a trailing slash")
	option(&s.issuer, "issuer", "", "URL of Propusk, without a trailing slash; required")
	option(&s.clientID, "client-id", "cabinet", "client_id")
	option(&s.secretFile, "client-secret-file", "", "file with the client secret; empty for a public client")
	option(&s.caFile, "ca", "", "PEM file with the CA of the issuer's ordinary certificate; empty means the system's")
	option(&s.services, "services", "", "policy file of Propusk with the services of this cabinet; empty for a cabinet of one page")
	if err := f.Parse(args); err != nil {
		return settings{}, err
	}
	if f.NArg() > 0 {
		return settings{}, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	return s, nil
}

func run(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) int {
	s, err := parse(args, getenv, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err == nil {
		err = serve(ctx, s, slog.New(slog.NewJSONHandler(stderr, nil)))
	}
	if err != nil {
		fmt.Fprintln(stderr, "cabinet:", err)
		return exitUsage
	}
	return exitOK
}

func serve(ctx context.Context, s settings, log *slog.Logger) error {
	o := cabinet.Options{URL: s.url, Issuer: s.issuer, ClientID: s.clientID, Log: log}
	if s.secretFile != "" {
		secret, err := os.ReadFile(s.secretFile)
		if err != nil {
			return err
		}
		o.ClientSecret = strings.TrimSpace(string(secret))
	}
	if s.caFile != "" {
		data, err := os.ReadFile(s.caFile)
		if err != nil {
			return err
		}
		o.RootCAs = x509.NewCertPool()
		if !o.RootCAs.AppendCertsFromPEM(data) {
			return fmt.Errorf("%s: no certificate in PEM", s.caFile)
		}
	}
	if s.services != "" {
		policy, err := level.Load(s.services)
		if err != nil {
			return err
		}
		o.Services = policy.Services(s.clientID)
	}
	c, err := cabinet.New(o)
	if err != nil {
		return err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", s.listen)
	if err != nil {
		return err
	}
	log.LogAttrs(ctx, slog.LevelInfo, "listening", slog.String("address", l.Addr().String()))
	return c.Serve(ctx, l)
}
