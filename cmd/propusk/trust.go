package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"propusk/certs"
	netfetch "propusk/certs/fetch"
	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/ocsp"
	"propusk/pki/report"
	"propusk/pki/revocation"
	"propusk/pki/validate"
)

// trustFlags are the flags that say whom to trust and for which moment.
type trustFlags struct {
	dir           string
	tsl           string
	tslSigners    []string
	roots         []string
	intermediates []string
	crls          []string
	ocsps         []string
	pins          []string
	at            string
	online        bool
	private       bool
	order         string
}

// add gives a command the flags.
func (f *trustFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.dir, "trust", "", "каталог доверенных данных или просто сертификатов УЦ / trust directory, or a plain directory of CA certificates")
	flags.StringVar(&f.tsl, "tsl", "", "файл перечня аккредитованных УЦ / the list of accredited CAs")
	flags.StringArrayVar(&f.tslSigners, "tsl-signer", nil, "сертификат того, кто подписывает перечень / certificate that may sign the list")
	flags.StringArrayVar(&f.roots, "root", nil, "корневой сертификат, которому доверять / root certificate to trust")
	flags.StringArrayVar(&f.intermediates, "intermediate", nil, "сертификаты УЦ для построения цепочки / CA certificates to build chains with")
	flags.StringArrayVar(&f.crls, "crl", nil, "список отзыва / revocation list")
	flags.StringArrayVar(&f.ocsps, "ocsp", nil, "ответ OCSP о сертификате / an OCSP response")
	flags.BoolVar(&f.online, "online", false, "спрашивать об отзыве по адресам из сертификатов (OCSP, списки отзыва) / ask the addresses in certificates about revocation (OCSP, revocation lists)")
	flags.BoolVar(&f.private, "allow-private", false, "с --online: и адреса этой машины и частных сетей / with --online: addresses of this machine and of private networks as well")
	flags.StringVar(&f.order, "revocation-order", crlFirst, "с --online: что спрашивать сначала, crl-first или ocsp-first / with --online: what to ask first")
	flags.StringArrayVar(&f.pins, "pin", nil, "SHA-256 корневого сертификата / SHA-256 of a root certificate")
	flags.StringVar(&f.at, "at", "", "на какой момент проверять, RFC 3339; по умолчанию сейчас / moment to verify for; now by default")
}

// moment returns the moment to verify for.
func (f *trustFlags) moment(now time.Time) (time.Time, error) {
	if f.at == "" {
		return now, nil
	}
	return parseMoment("--at", f.at)
}

// parseMoment reads the time that a flag was given.
func parseMoment(flag, text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: %q is not a time like 2026-01-31T12:00:00+03:00", flag, text)
	}
	return at, nil
}

// given reports whether any trust data were named.
func (f *trustFlags) given() bool {
	return f.dir != "" || f.tsl != "" || len(f.roots)+len(f.intermediates)+len(f.crls)+len(f.ocsps)+len(f.pins)+len(f.tslSigners) > 0
}

// source returns the files to load.
func (f *trustFlags) source() (certs.Source, error) {
	src := certs.Source{
		Dir: f.dir, TSL: f.tsl, TSLSigners: f.tslSigners,
		Roots: f.roots, Intermediates: f.intermediates, CRLs: f.crls,
	}
	for _, text := range f.pins {
		pin, err := certs.ParsePin(text)
		if err != nil {
			return certs.Source{}, fmt.Errorf("--pin: %w", err)
		}
		src.Pins = append(src.Pins, pin)
	}
	return src, nil
}

// load reads the trust data. Without any flag nobody is trusted, and every
// verdict is indeterminate.
func (f *trustFlags) load(ctx context.Context, now time.Time) (validate.Trust, error) {
	if f.order != crlFirst && f.order != ocspFirst {
		return validate.Trust{}, fmt.Errorf("--revocation-order: %q is neither %s nor %s", f.order, crlFirst, ocspFirst)
	}
	if !f.given() {
		return validate.Trust{}, nil
	}
	src, err := f.source()
	if err != nil {
		return validate.Trust{}, err
	}
	snapshot, err := certs.Load(ctx, src, now)
	if err != nil {
		return validate.Trust{}, fmt.Errorf("read trust data: %w", err)
	}
	trust := snapshot.Trust()
	if trust.OCSP, err = readResponses(f.ocsps); err != nil {
		return validate.Trust{}, err
	}
	if f.online {
		client, err := f.client()
		if err != nil {
			return validate.Trust{}, err
		}
		trust.Online = revocation.NewOnline(client)
	}
	return trust, nil
}

// The words of --revocation-order.
const (
	crlFirst  = "crl-first"
	ocspFirst = "ocsp-first"
)

// onlineBudget is how long asking may take for one verdict. A list of revocations
// may have 50 MB, and nobody else fetches it.
const onlineBudget = 2 * time.Minute

// revocation returns how revocation is asked for.
func (f *trustFlags) revocation() revocation.Policy {
	p := revocation.Policy{Budget: onlineBudget}
	if f.order == ocspFirst {
		p.Order = revocation.OCSPFirst
	}
	return p
}

// client returns who asks about revocation. The demo country serves on ports of its own,
// so that those of private addresses are not limited.
func (f *trustFlags) client() (*netfetch.Client, error) {
	o := netfetch.Options{Hosts: []string{"*"}, AllowPrivate: f.private, UserAgent: "propusk/" + buildVersion()}
	for port := uint16(1); f.private && port != 0; port++ {
		o.Ports = append(o.Ports, port)
	}
	return netfetch.New(o)
}

// readResponses reads OCSP responses.
func readResponses(names []string) ([]*ocsp.Response, error) {
	var all []*ocsp.Response
	for _, name := range names {
		data, err := readInput(nil, name, ocsp.MaxSize)
		if err != nil {
			return nil, err
		}
		r, err := ocsp.Parse(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, r)
	}
	return all, nil
}

// openInput opens a file, or standard input for "-".
func openInput(stdin io.Reader, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(stdin), nil
	}
	return os.Open(name)
}

// readInput reads a file, or standard input for "-", up to a limit in bytes.
func readInput(stdin io.Reader, name string, limit int64) ([]byte, error) {
	in, err := openInput(stdin, name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: longer than %d bytes", name, limit)
	}
	return data, nil
}

// readCertificates reads the certificates of files, each in any form that
// cms.Bundle takes.
func readCertificates(stdin io.Reader, names []string) ([]*gostx509.Certificate, error) {
	var all []*gostx509.Certificate
	for _, name := range names {
		data, err := readInput(stdin, name, certs.MaxCertificateFile)
		if err != nil {
			return nil, err
		}
		bundle, err := cms.Bundle(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, raw := range bundle {
			cert, err := gostx509.Parse(raw)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			all = append(all, cert)
		}
	}
	return all, nil
}

// conclusionCode returns the exit code for a conclusion of a verdict document.
func conclusionCode(conclusion string) int {
	switch conclusion {
	case report.TotalPassed:
		return exitYes
	case report.TotalFailed:
		return exitNo
	default:
		return exitIndeterminate
	}
}

// exitWith returns the error that ends the program with a code, nil for zero.
func exitWith(code int) error {
	if code == exitYes {
		return nil
	}
	return &exitError{Code: code}
}
