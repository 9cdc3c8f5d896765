package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"propusk/certs"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/pki/tsl"
)

// tslOptions are the flags of `propusk tsl`.
type tslOptions struct {
	dir     string
	signers []string
	at      string
	all     bool
	json    bool
}

// newTSLCommand returns `propusk tsl`.
func newTSLCommand() *cobra.Command {
	var o tslOptions
	cmd := &cobra.Command{
		Use:   "tsl FILE",
		Short: "Проверить перечень аккредитованных УЦ / check a list of accredited CAs",
		Long: "Reads a list of accredited CAs (ТСЛ of Минцифры), verifies its signature and says what is in it. The signature must be\n" +
			"made by a certificate named with --signer, or by one that the trust directory --trust accepts; without either it is\n" +
			"not verified and the answer is indeterminate.\n\n" +
			"Exit code 0 signed by whom it should be, 1 not, 2 signature not verified, 3 usage or I/O error.",
		Example: "  propusk tsl --trust var/demo/trust var/demo/trust/tsl.xml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd, args[0], time.Now())
		},
	}
	cmd.Flags().StringVar(&o.dir, "trust", "", "каталог доверенных данных / trust directory")
	cmd.Flags().StringArrayVar(&o.signers, "signer", nil, "сертификат того, кто подписывает перечень / certificate that may sign the list")
	cmd.Flags().StringVar(&o.at, "at", "", "на какой момент считать действующие УЦ, RFC 3339 / moment to count accredited CAs for")
	cmd.Flags().BoolVar(&o.all, "all", false, "напечатать каждый УЦ / print every CA")
	addJSONFlag(cmd, &o.json)
	return cmd
}

// listSummary is what the command prints.
type listSummary struct {
	Conclusion   string         `json:"conclusion"`
	Code         reason.Code    `json:"code,omitempty"`
	Text         *report.Text   `json:"text,omitempty"`
	Version      int            `json:"version,omitempty"`
	Date         *time.Time     `json:"date,omitempty"`
	Signer       string         `json:"signer,omitempty"`
	Authorities  int            `json:"authorities"`
	InForce      int            `json:"in_force"`
	ByStatus     map[string]int `json:"by_status,omitempty"`
	Certificates int            `json:"certificates"`
	CRLAddresses int            `json:"crl_addresses"`
	Problems     []string       `json:"problems,omitempty"`
	All          []authority    `json:"all,omitempty"`
}

// authority is one CA of the list at the moment asked about.
type authority struct {
	Name           string     `json:"name"`
	OGRN           string     `json:"ogrn"`
	RegistryNumber string     `json:"registry_number,omitempty"`
	Status         string     `json:"status"`
	InForce        bool       `json:"in_force"`
	Since          *time.Time `json:"since,omitempty"`
	Successor      string     `json:"successor_ogrn,omitempty"`
}

// run checks one list.
func (o *tslOptions) run(cmd *cobra.Command, name string, now time.Time) error {
	at, err := (&trustFlags{at: o.at}).moment(now)
	if err != nil {
		return err
	}
	data, err := readInput(cmd.InOrStdin(), name, certs.MaxListFile)
	if err != nil {
		return err
	}
	signers, err := readCertificates(cmd.InOrStdin(), o.signers)
	if err != nil {
		return err
	}
	summary := o.check(cmd.Context(), data, name, signers, at, now)
	if o.json {
		err = printJSON(cmd.OutOrStdout(), summary)
	} else {
		err = printList(cmd.OutOrStdout(), name, summary)
	}
	if err != nil {
		return err
	}
	return exitWith(conclusionCode(summary.Conclusion))
}

// check reads the list, verifies its signature if it may, and sums it up. A list
// that does not verify is summed up all the same.
func (o *tslOptions) check(ctx context.Context, data []byte, name string, signers []*gostx509.Certificate, at, now time.Time) listSummary {
	unverified, err := tsl.Parse(data)
	if err != nil {
		return listSummary{Conclusion: report.TotalFailed}.because(err)
	}
	s := summarise(unverified.Content(), at, o.all)
	var list *tsl.List
	switch {
	case len(signers) > 0:
		list, err = unverified.VerifySignature(signers...)
	case o.dir != "":
		var snapshot *certs.Snapshot
		snapshot, err = certs.Load(ctx, certs.Source{Dir: o.dir, TSL: name}, now)
		list = snapshot.Trust().Accredited
	default:
		s.Conclusion = report.Indeterminate
		return s.because(reason.TSLSignerNotGiven)
	}
	if err == nil && list == nil {
		err = reason.TSLNotVerified
	}
	if err != nil {
		s.Conclusion = report.TotalFailed
		return s.because(err)
	}
	s.Conclusion = report.TotalPassed
	s.Signer = list.Signer().Subject.String()
	return s
}

// because adds the reason of an error.
func (s listSummary) because(err error) listSummary {
	s.Code = reason.Of(err)
	if entry, ok := reason.Lookup(s.Code); ok {
		s.Text = &report.Text{RU: entry.RU, EN: entry.EN}
	}
	return s
}

// summarise counts what is in a list.
func summarise(c *tsl.Content, at time.Time, all bool) listSummary {
	s := listSummary{Version: c.Version, Authorities: len(c.CAs), ByStatus: map[string]int{}}
	if !c.Date.IsZero() {
		s.Date = &c.Date
	}
	for _, ca := range c.CAs {
		status := ca.Accredited(at)
		s.ByStatus[status.Value]++
		if status.InForce {
			s.InForce++
		}
		for i := range ca.Installations {
			for _, key := range ca.Installations[i].Keys {
				s.Certificates += len(key.Certificates)
				s.CRLAddresses += len(key.CRLs)
			}
		}
		if all {
			s.All = append(s.All, newAuthority(ca, status))
		}
	}
	for _, p := range c.Problems {
		s.Problems = append(s.Problems, p.CA+": "+p.What)
	}
	return s
}

func newAuthority(ca *tsl.CA, status tsl.Status) authority {
	a := authority{
		Name: ca.Name, OGRN: ca.OGRN, RegistryNumber: ca.RegistryNumber,
		Status: status.Value, InForce: status.InForce, Successor: ca.SuccessorOGRN,
	}
	if !status.Since.IsZero() {
		a.Since = &status.Since
	}
	return a
}

// printList writes a summary for people.
func printList(w io.Writer, name string, s listSummary) error {
	out := &printer{w: w}
	out.line("%s: %s", name, s.Conclusion)
	if s.Text != nil {
		out.line("%s", s.Text.RU)
		out.line("%s", s.Text.EN)
	}
	if s.Date != nil {
		out.line("  версия / version          %d от %s", s.Version, s.Date.Format(time.RFC3339))
	}
	if s.Signer != "" {
		out.line("  подписан / signed by      %s", s.Signer)
	}
	out.line("  УЦ / authorities          %d, действует / in force %d", s.Authorities, s.InForce)
	out.line("  сертификатов / certificates %d, адресов списков отзыва / CRL addresses %d", s.Certificates, s.CRLAddresses)
	for _, problem := range s.Problems {
		out.line("  ? %s", problem)
	}
	for _, a := range s.All {
		out.line("  %s %s  %s  %s", mark(inForceMark(a.InForce)), a.OGRN, a.Status, a.Name)
	}
	return out.err
}

// inForceMark is the status word whose mark stands for a CA.
func inForceMark(inForce bool) string {
	if inForce {
		return "passed"
	}
	return "failed"
}
