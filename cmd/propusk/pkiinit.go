package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"propusk/certs/testpki"
)

// newPKICommand returns `propusk pki` with its subcommands.
func newPKICommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pki",
		Short: "Демонстрационная страна на диске / the demo country on disk",
	}
	cmd.AddCommand(newPKIInitCommand())
	return cmd
}

// pkiInitOptions are the flags of `propusk pki init`.
type pkiInitOptions struct {
	hosts []string
	force bool
	json  bool
}

// newPKIInitCommand returns `propusk pki init DIR`.
func newPKIInitCommand() *cobra.Command {
	var o pkiInitOptions
	cmd := &cobra.Command{
		Use:   "init DIR",
		Short: "Создать УЦ, перечень, списки отзыва и людей / write CAs, the list, CRLs and people",
		Long: "Writes the demo country: a head CA, accredited and other CAs with their keys, the signed list of accredited CAs,\n" +
			"revocation lists, server certificates, and people with certificates and soft keys. Everything is fictional.\n\n" +
			"DIR/trust is a trust directory for --trust and for the configuration of propusk serve.",
		Example: "  propusk pki init var/country\n  propusk cert --trust var/country/trust var/country/people/ip/cert.pem",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return pkiInit(cmd.OutOrStdout(), args[0], o)
		},
	}
	cmd.Flags().StringSliceVar(&o.hosts, "host", []string{"localhost", "127.0.0.1"}, "имена и адреса серверов / names and addresses in the server certificates")
	cmd.Flags().BoolVar(&o.force, "force", false, "заменить страну, которая там уже есть / replace a country that is there")
	addJSONFlag(cmd, &o.json)
	return cmd
}

// pkiInit writes a new country to dir and says what is where.
func pkiInit(w io.Writer, dir string, o pkiInitOptions) error {
	if _, err := os.Lstat(filepath.Join(dir, testpki.ManifestFile)); err == nil && !o.force {
		return fmt.Errorf("%s: a country is there already; --force replaces it and all its keys", dir)
	}
	country, err := testpki.New(testpki.Options{Now: time.Now(), Hosts: o.hosts})
	if err != nil {
		return err
	}
	if err := country.WriteTo(dir); err != nil {
		return err
	}
	m, err := testpki.ReadManifest(dir)
	if err != nil {
		return err
	}
	m = m.In(dir)
	if o.json {
		return printJSON(w, m)
	}
	return printCountry(w, m)
}

// printCountry says what is where.
func printCountry(w io.Writer, m testpki.Manifest) error {
	out := &printer{w: w}
	out.line("Страна создана. Всё в ней вымышлено. / The demo country is ready; everything in it is fictional.")
	out.line("")
	out.line("доверенные данные / trust   %s", m.Trust.Dir)
	out.line("перечень УЦ / list          %s", m.Trust.TSL)
	out.line("УЦ серверов / server CAs    %s (GOST), %s", m.TLS.GOSTCA, m.TLS.CA)
	out.line("годна до / good until       %s", m.Expires.Format(time.DateOnly))
	out.line("")
	printPeople(out, m.People)
	return out.err
}

// printPeople lists the people, one a line.
func printPeople(out *printer, people []testpki.PersonFiles) {
	for _, p := range people {
		out.line("  %-14s %-3s %-32s %-26s %s", p.ID, p.Kind, p.Name, p.Expect, p.Cert)
	}
}

// printer writes lines and remembers the first error.
type printer struct {
	w   io.Writer
	err error
}

// line writes one formatted line.
func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// fact writes a label and what it stands for, the values one under another.
func (p *printer) fact(label, value string) { p.line("  %-28s %s", label, value) }
