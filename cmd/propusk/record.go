package main

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"propusk/pki/cms"
	"propusk/pki/report"
)

// reportOptions are the flags of `propusk verify` for the record of a verification.
type reportOptions struct {
	html, language string
	json           string
	key, cert      string
}

func (o *reportOptions) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.html, "html", "", "записать протокол проверки (HTML) / write the record of the verification (HTML)")
	flags.StringVar(&o.language, "lang", report.Russian, "язык протокола: ru, en / language of the record: ru, en")
	flags.StringVar(&o.json, "report", "", "записать заключение (JSON) / write the verdict document (JSON)")
	flags.StringVar(&o.key, "report-key", "", "ключ, которым подписать заключение / the key to sign the document with")
	flags.StringVar(&o.cert, "report-cert", "", "сертификат этого ключа / the certificate of the key")
	cmd.MarkFlagsRequiredTogether("report-key", "report-cert")
}

// errReportFile is an error of usage.
var errReportFile = errors.New("--report-key: назовите файл в --report / name the file with --report")

// check checks what can be known of the flags alone.
func (o *reportOptions) check() error {
	switch {
	case o.language != report.Russian && o.language != report.English:
		return fmt.Errorf("--lang %q: ru, en", o.language)
	case o.key != "" && o.json == "":
		return errReportFile
	}
	return nil
}

// write writes what was asked for. Personal data are in it: who may read the files is
// for the umask to say.
func (o *reportOptions) write(cmd *cobra.Command, d *report.Document, now time.Time) error {
	if o.html != "" {
		var page bytes.Buffer
		if err := report.HTML(&page, d, o.language); err != nil {
			return err
		}
		if err := writeWhole(o.html, page.Bytes()); err != nil {
			return err
		}
	}
	switch {
	case o.key != "":
		return o.sign(cmd, d, now)
	case o.json != "":
		text, err := report.JSON(d)
		if err != nil {
			return err
		}
		return writeWhole(o.json, text)
	}
	return nil
}

// sign writes the document and its signature.
func (o *reportOptions) sign(cmd *cobra.Command, d *report.Document, now time.Time) error {
	by := signOptions{key: o.key, cert: o.cert}
	who, release, err := by.signatory(cmd, now)
	if err != nil {
		return refusal(err)
	}
	signed, err := report.Sign(nil, d, cms.Signatory{Key: who.Key, Certificate: who.Certificate, Chain: who.Chain})
	if err := errors.Join(err, release()); err != nil {
		return refusal(err)
	}
	if err := writeWhole(o.json, signed.Report); err != nil {
		return err
	}
	return writeWhole(o.json+".sig", signed.Signature)
}
