package main

import (
	"encoding/asn1"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"propusk/pki/cades"
	"propusk/pki/cms"
	"propusk/pki/report"
	"propusk/pki/validate"
	"propusk/pki/verdict"
)

// verifyOptions are the flags of `propusk verify`.
type verifyOptions struct {
	trust        trustFlags
	engine       engineFlags
	content      string
	certificates []string
	json         bool
	output       reportOptions
}

// newVerifyCommand returns `propusk verify`.
func newVerifyCommand() *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify SIGNATURE",
		Short: "Проверить подпись / verify a signature",
		Long: "Verifies the signatures of a CMS or CAdES file (DER, PEM or base64, attached or detached) and says who signed.\n" +
			"SIGNATURE may be - for standard input. The document may be of any length.\n\n" +
			"--html writes the record of the verification for people, --report the same as JSON; with --report-key and --report-cert\n" +
			"the JSON is signed, and the signature is beside it, with .sig at the end of the name.\n\n" +
			"Without trust data the mathematics is checked and the verdict is indeterminate.\n" +
			"Exit code 0 valid, 1 not valid, 2 indeterminate, 3 usage or I/O error.",
		Example: "  propusk verify --trust var/demo/trust --content contract.pdf contract.pdf.sig\n" +
			"  propusk verify --trust var/demo/trust --content contract.pdf --html record.html contract.pdf.sig",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd, args[0], time.Now())
		},
	}
	o.trust.add(cmd)
	o.engine.add(cmd)
	cmd.Flags().StringVar(&o.content, "content", "", "документ, если подпись отсоединённая / the document, if the signature is detached")
	cmd.Flags().StringArrayVar(&o.certificates, "certificate", nil, "сертификат подписавшего, если его нет в подписи / the signer's certificate, if the signature lacks it")
	addJSONFlag(cmd, &o.json)
	o.output.add(cmd)
	return cmd
}

// run verifies one file.
func (o *verifyOptions) run(cmd *cobra.Command, name string, now time.Time) error {
	if err := o.output.check(); err != nil {
		return err
	}
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
	signature, err := readInput(cmd.InOrStdin(), name, cms.MaxSize)
	if err != nil {
		return err
	}
	content, err := o.readContent(cmd.InOrStdin(), signature)
	if err != nil {
		return err
	}
	beside, err := readCertificates(cmd.InOrStdin(), o.certificates)
	if err != nil {
		return err
	}
	v := validate.Validator{Trust: trust, Policy: validate.QES(), Now: now, Context: cmd.Context()}
	v.Policy.Revocation = o.trust.revocation()
	doc := report.Signatures(v.Signature(signature, content, at, beside...), trust, now)
	if o.json {
		err = printJSON(cmd.OutOrStdout(), doc)
	} else {
		err = printVerdict(cmd.OutOrStdout(), doc)
	}
	if err == nil {
		err = o.output.write(cmd, doc, now)
	}
	if err != nil {
		return err
	}
	return exitWith(conclusionCode(doc.Conclusion))
}

// readContent reads the document of a detached signature, with the digests that the
// signature needs. It is never held.
func (o *verifyOptions) readContent(stdin io.Reader, signature []byte) (cms.Content, error) {
	if o.content == "" {
		return cms.Content{}, nil
	}
	in, err := openInput(stdin, o.content)
	if err != nil {
		return cms.Content{}, err
	}
	defer in.Close()
	content, err := cms.Stream(in, digestsOf(signature)...)
	if err != nil {
		return cms.Content{}, fmt.Errorf("read %s: %w", o.content, err)
	}
	return content, nil
}

// digestsOf returns the digest algorithms that the document is needed in; none, which
// stands for all, if the signature cannot be read.
func digestsOf(signature []byte) []asn1.ObjectIdentifier {
	sd, err := cms.Parse(signature)
	if err != nil {
		return nil
	}
	return cades.Digests(sd)
}

// printVerdict writes a verdict document for people.
func printVerdict(w io.Writer, doc *report.Document) error {
	out := &printer{w: w}
	printConclusion(out, doc.Conclusion, doc.SubIndication, doc.Text)
	printChecks(out, doc.Checks)
	for i, s := range doc.Signatures {
		out.line("")
		out.line("Подпись %d / signature %d: %s, %s", i+1, i+1, s.Level, s.Conclusion)
		printSignature(out, s)
	}
	printContext(out, doc.Context)
	return out.err
}

// printSignature writes what was found about one signature.
func printSignature(out *printer, s report.Signature) {
	out.line("  %s", s.Text.RU)
	out.line("  математика / mathematics: %s; сертификат / certificate: %s; квалифицированный / qualified: %s", s.Mathematical, s.Certificate, s.Qualified)
	if s.Signer != nil {
		out.line("  Подписал / signed by:")
		printIdentity(out, s.Signer)
	}
	if c := s.ClaimedCertificate; c != nil {
		out.line("  Сертификат, названный в подписи, не подтверждён / claimed certificate, not confirmed:")
		out.line("    %s", c.Subject)
	}
	if s.ProofOfExistence != nil {
		out.line("  подписано не позднее, доказано меткой времени / proven to exist at: %s", s.ProofOfExistence.Format(time.RFC3339))
	}
	if s.ClaimedSigningTime != nil {
		out.line("  время по часам подписавшего, не подтверждено / claimed time: %s", s.ClaimedSigningTime.Format(time.RFC3339))
	}
	for _, t := range s.TimeStamps {
		out.line("  метка времени / time-stamp: %s", strings.Join(stampFacts(t), ", "))
	}
	if s.StateCode != nil {
		out.line("  код ЕСВ / state service code: %d, %s", s.StateCode.Code, s.StateCode.Text.RU)
	}
	printChecks(out, s.Checks)
	for i, c := range s.CounterSignatures {
		out.line("  Заверяющая подпись %d / counter-signature %d: %s, %s", i+1, i+1, c.Level, c.Conclusion)
		printSignature(out, c)
	}
}

// stampFacts lists what is known of a time-stamp.
func stampFacts(t report.TimeStamp) []string {
	facts := []string{t.Kind, t.Conclusion}
	if t.Code != "" {
		facts = append(facts, string(t.Code))
	}
	if t.Time != nil {
		facts = append(facts, t.Time.Format(time.RFC3339))
	}
	return facts
}

// printConclusion writes the first lines of a verdict.
func printConclusion(out *printer, conclusion, sub string, text report.Text) {
	if sub != "" {
		conclusion += " / " + sub
	}
	out.line("%s", conclusion)
	out.line("%s", text.RU)
	out.line("%s", text.EN)
}

// printIdentity writes who somebody is.
func printIdentity(out *printer, who *report.Identity) {
	out.line("    %s / %s", who.KindText.RU, who.KindText.EN)
	for _, f := range []struct{ name, value string }{
		{"Имя / name", who.Name},
		{"Организация / organization", who.Organization},
		{"Должность / title", who.Title},
		{"ИНН", who.INN},
		{"ИНН ЮЛ", who.INNLE},
		{"ОГРН", who.OGRN},
		{"ОГРНИП", who.OGRNIP},
		{"СНИЛС", who.SNILS},
		{"E-mail", who.Email},
	} {
		if f.value != "" {
			out.fact("  "+f.name, f.value)
		}
	}
}

// printChecks writes the steps of a verification.
func printChecks(out *printer, checks []report.Check) {
	for _, c := range checks {
		if c.Status == verdict.NotApplicable {
			continue // JSON and --html have them
		}
		line := "  " + mark(c.Status.String()) + " " + c.Name
		if c.Code != "" {
			line += ": " + string(c.Code)
		}
		if c.Detail != "" {
			line += " (" + c.Detail + ")"
		}
		if c.Cite != "" {
			line += "  [" + c.Cite + "]"
		}
		out.line("%s", line)
	}
}

// mark is one sign for a status.
func mark(status string) string {
	switch status {
	case "passed":
		return "+"
	case "failed":
		return "-"
	default:
		return "?"
	}
}

// engineText names what computed.
func engineText(e report.Engine) string {
	text := e.Name
	if e.Module != "" {
		text += ", " + e.Module
	}
	if e.Version != "" {
		text += " " + e.Version
	}
	if e.Fallback {
		text += "; модуль не отвечал, ответила программа / the module gave no answer, the program answered"
	}
	return text
}

// printContext writes what the verdict rests on.
func printContext(out *printer, c report.Context) {
	out.line("")
	out.line("на момент / for the moment: %s; порядок проверки / policy: %s", c.Moment.Format(time.RFC3339), c.Policy)
	if c.Trust.ListDate != nil {
		out.line("перечень УЦ / list of CAs: версия %d от %s", c.Trust.ListVersion, c.Trust.ListDate.Format(time.DateOnly))
	}
	out.line("подписи проверил / signatures verified by: %s", engineText(c.Engine))
	out.line("%s", c.Notice.RU)
	out.line("%s", c.Notice.EN)
}
