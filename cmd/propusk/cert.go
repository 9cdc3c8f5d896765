package main

import (
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"propusk/certs"
	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/report"
	"propusk/pki/validate"
)

// certOptions are the flags of `propusk cert`.
type certOptions struct {
	trust            trustFlags
	engine           engineFlags
	ignoreDates      bool
	ignoreRevocation bool
	json             bool
}

// newCertCommand returns `propusk cert`.
func newCertCommand() *cobra.Command {
	var o certOptions
	cmd := &cobra.Command{
		Use:   "cert FILE…",
		Short: "Что это за сертификат / say what a certificate is",
		Long: "Says what a certificate is: whose, of which kind, with which identifiers; its chain, the accreditation of its CA and\n" +
			"the rules for qualified certificates that it breaks. FILE is DER, PEM, base64 or a bundle (.p7b), or - for standard input; the first\n" +
			"certificate of a file is judged, the others help to build its chain. With --json one document per file is printed.\n\n" +
			"--trust may name a trust directory or a plain directory of CA certificates, of which the roots that --root or --pin\n" +
			"name, or else the known roots of Минцифры, are trusted.\n\n" +
			"The exit code is that of the worst file: 0 valid, 1 not valid, 2 indeterminate, 3 usage or I/O error.",
		Example: "  propusk cert --trust var/demo/trust person.pem\n" +
			"  propusk cert --trust ca_certs --ignore-dates --ignore-revocation --json ca_certs/*.der",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd, args, time.Now())
		},
	}
	o.trust.add(cmd)
	o.engine.add(cmd)
	cmd.Flags().BoolVar(&o.ignoreDates, "ignore-dates", false, "не смотреть на сроки действия / leave out the dates: for archives")
	cmd.Flags().BoolVar(&o.ignoreRevocation, "ignore-revocation", false, "не проверять отзыв / leave out revocation: for archives")
	addJSONFlag(cmd, &o.json)
	return cmd
}

// run judges the certificates of all files.
func (o *certOptions) run(cmd *cobra.Command, names []string, now time.Time) error {
	at, err := o.trust.moment(now)
	if err != nil {
		return err
	}
	trust, err := o.trust.load(cmd.Context(), now)
	if err != nil {
		return err
	}
	choice, closeEngine, err := o.engine.open()
	if err != nil {
		return err
	}
	defer closeEngine() //nolint:errcheck // the verdict does not depend on it
	trust.Engine = choice
	defer o.engine.explain(cmd.ErrOrStderr())
	worst := exitYes
	for i, name := range names {
		doc, err := o.judge(cmd, name, trust, at, now)
		if err != nil {
			return err
		}
		if o.json {
			err = printJSON(cmd.OutOrStdout(), doc)
		} else {
			err = printCertificate(cmd.OutOrStdout(), name, doc, i > 0)
		}
		if err != nil {
			return err
		}
		// No is worse than indeterminate, and that is worse than yes.
		if code := conclusionCode(doc.Conclusion); code == exitNo || worst == exitYes {
			worst = code
		}
	}
	return exitWith(worst)
}

// judge reads one file and judges its first certificate.
func (o *certOptions) judge(cmd *cobra.Command, name string, trust validate.Trust, at, now time.Time) (*report.CertificateDocument, error) {
	data, err := readInput(cmd.InOrStdin(), name, certs.MaxCertificateFile)
	if err != nil {
		return nil, err
	}
	v := validate.Validator{Trust: trust, Policy: validate.QES(), Now: now, Context: cmd.Context()}
	all, err := cms.Bundle(data)
	if err != nil {
		all = [][]byte{data} // the validator says what is wrong with it
	}
	if cert, err := gostx509.Parse(all[0]); err == nil && cert.IsCA {
		v.Policy = validate.CA()
		v.Policy.AllowUnaccredited = trust.Accredited == nil
	}
	v.Policy.Revocation = o.trust.revocation()
	v.Policy.InsecureSkipValidity = o.ignoreDates
	v.Policy.InsecureSkipRevocation = o.ignoreRevocation
	return report.Certificate(v.Certificate(all[0], all[1:], at), trust, now), nil
}

// printCertificate writes a verdict on a certificate for people.
func printCertificate(w io.Writer, name string, doc *report.CertificateDocument, again bool) error {
	out := &printer{w: w}
	if again {
		out.line("")
	}
	out.line("%s:", name)
	printConclusion(out, doc.Conclusion, doc.SubIndication, doc.Text)
	if c := doc.Certificate; c != nil {
		out.fact("Владелец / subject", c.Subject)
		out.fact("Издатель / issuer", c.Issuer)
		out.fact("Номер / serial number", c.Serial)
		out.fact("Действует / valid", c.NotBefore.Format(time.RFC3339)+" … "+c.NotAfter.Format(time.RFC3339))
		out.fact("SHA-1", c.SHA1)
		out.fact("SHA-256", c.SHA256)
	}
	if p := doc.Properties; p != nil {
		out.fact("Ключ / key", p.Key)
	}
	switch {
	case doc.Holder != nil:
		out.line("  Кто это / who it is:")
		printIdentity(out, doc.Holder)
	case doc.Claims != nil:
		out.line("  Что написано в сертификате, не подтверждено / what it claims, not confirmed:")
		printIdentity(out, doc.Claims)
	}
	out.line("  Цепочка до доверенного корня / chain to a trusted root: %s", yesNo(doc.Trusted))
	for i, c := range doc.Chain {
		out.line("  %s%s", strings.Repeat("  ", i+1), c.Subject)
	}
	if doc.StateCode != nil {
		out.line("  код ЕСВ / state service code: %d, %s", doc.StateCode.Code, doc.StateCode.Text.RU)
	}
	printChecks(out, doc.Checks)
	out.line("  Квалифицированный / qualified: %s", doc.Qualified)
	printChecks(out, beyond(doc.QualifiedChecks, doc.Checks))
	printContext(out, doc.Context)
	return out.err
}

// beyond returns the checks that are not among those printed already: a policy
// that demands a qualified certificate has the rules among its own checks.
func beyond(checks, printed []report.Check) []report.Check {
	return slices.DeleteFunc(slices.Clone(checks), func(c report.Check) bool {
		return slices.ContainsFunc(printed, func(p report.Check) bool {
			return c.Name == p.Name && c.Status == p.Status && c.Code == p.Code && c.Cite == p.Cite && c.Detail == p.Detail
		})
	})
}

func yesNo(b bool) string {
	if b {
		return "да / yes"
	}
	return "нет / no"
}
