package main

import (
	"bytes"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/tokens"
)

// addModule adds the flag that names a library, which must be given.
func (o *tokenOptions) addModule(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.module, "module", "", "библиотека PKCS#11 токена или soft:КАТАЛОГ / PKCS#11 library of the token, or soft:DIR")
	if err := cmd.MarkFlagRequired("module"); err != nil {
		panic("propusk: token: " + err.Error())
	}
}

// newTokenListCommand returns `propusk token list`.
func newTokenListCommand() *cobra.Command {
	var o tokenOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list --module FILE",
		Short: "Какие токены подключены / which tokens are connected, and how their PINs stand",
		Long: "Lists the tokens that a PKCS#11 library knows, without a PIN. The library is that of the vendor: librtpkcs11ecp.so of Rutoken,\n" +
			"libjcPKCS11-2.so of JaCarta, opensc-pkcs11.so of OpenSC, and so on; or soft:DIR for a directory of soft tokens.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return refusal(listTokens(cmd.OutOrStdout(), o.module, asJSON))
		},
	}
	o.addModule(cmd)
	addJSONFlag(cmd, &asJSON)
	return cmd
}

// tokenLine is a token in the answer of `propusk token list`.
type tokenLine struct {
	Label        string `json:"label"`
	Manufacturer string `json:"manufacturer"`
	Model        string `json:"model"`
	Serial       string `json:"serial"`
	Known        string `json:"known,omitempty"`      // identifier of the model that it is recognised as
	Name         string `json:"name,omitempty"`       // of that model
	PIN          string `json:"pin"`                  // "ready", "count-low", "final-try", "must-change", "unset", "locked"
	TriesLeft    *int   `json:"tries_left,omitempty"` // if the library tells
	PINPad       bool   `json:"pin_pad"`
}

func lineOf(t *tokens.Token) tokenLine {
	about := t.About()
	l := tokenLine{
		Label: t.Label(), Manufacturer: t.Manufacturer(), Model: t.Model(), Serial: t.Serial(),
		Known: about.ID, Name: about.RU, PIN: t.PIN().String(), PINPad: t.HasPINPad(),
	}
	if left, ok := t.TriesLeft(); ok {
		l.TriesLeft = &left
	}
	return l
}

// listTokens prints the tokens of a library; none is the answer no.
func listTokens(w io.Writer, path string, asJSON bool) (err error) {
	module, err := tokens.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, module.Close()) }()
	found, err := module.Tokens()
	if err != nil {
		return err
	}
	lines := make([]tokenLine, 0, len(found))
	for _, t := range found {
		lines = append(lines, lineOf(t))
	}
	if asJSON {
		return printJSON(w, lines)
	}
	if len(lines) == 0 {
		return reason.New(reason.TokenAbsent, nil)
	}
	out := &printer{w: w}
	for _, l := range lines {
		name := l.Model
		if l.Name != "" {
			name = l.Name + " (" + l.Model + ")"
		}
		out.line("%s\t%s, %s, № %s, PIN %s%s", l.Label, l.Manufacturer, name, l.Serial, l.PIN, l.tries())
	}
	return out.err
}

func (l tokenLine) tries() string {
	if l.TriesLeft == nil {
		return ""
	}
	return fmt.Sprintf(", попыток осталось / tries left: %d", *l.TriesLeft)
}

// newTokenCertCommand returns `propusk token cert`.
func newTokenCertCommand() *cobra.Command {
	var o tokenOptions
	var asJSON, asPEM bool
	cmd := &cobra.Command{
		Use:   "cert --module FILE",
		Short: "Какие сертификаты на токене и чем они не годятся / the certificates on a token, and why they cannot be used",
		Long: "Lists the certificates on a token and says which can sign now. With --pin-file the token is asked for its private keys too:\n" +
			"a certificate whose key is not there cannot be used. Whether a certificate was revoked, and who trusts it, `propusk cert` says:\n\n" +
			"  propusk token cert --module FILE --pem | propusk cert --trust DIR -",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return refusal(o.certificates(cmd, asJSON, asPEM, time.Now()))
		},
	}
	o.add(cmd)
	if err := cmd.MarkFlagRequired("module"); err != nil {
		panic("propusk: token cert: " + err.Error())
	}
	addJSONFlag(cmd, &asJSON)
	cmd.Flags().BoolVar(&asPEM, "pem", false, "вывести сами сертификаты / print the certificates themselves")
	cmd.MarkFlagsMutuallyExclusive("json", "pem")
	return cmd
}

// certificateLine is a certificate in the answer of `propusk token cert`.
type certificateLine struct {
	Subject   string      `json:"subject,omitempty"`
	Issuer    string      `json:"issuer,omitempty"`
	Serial    string      `json:"serial,omitempty"` // hexadecimal
	NotBefore *time.Time  `json:"not_before,omitempty"`
	NotAfter  *time.Time  `json:"not_after,omitempty"`
	KeyID     string      `json:"key_id,omitempty"` // CKA_ID of its key, hexadecimal; only with a PIN
	Usable    bool        `json:"usable"`
	Code      reason.Code `json:"code,omitempty"` // why not
	der       []byte
}

// certificates prints what is on the token; nothing usable is the answer no.
func (o *tokenOptions) certificates(cmd *cobra.Command, asJSON, asPEM bool, now time.Time) (err error) {
	lines, err := o.certificateLines(cmd, now)
	if err != nil {
		return err
	}
	usable := false
	for _, l := range lines {
		usable = usable || l.Usable
	}
	switch w := cmd.OutOrStdout(); {
	case asJSON:
		err = printJSON(w, lines)
	case asPEM:
		for _, l := range lines {
			err = errors.Join(err, pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: l.der}))
		}
	default:
		err = printCertificateLines(w, lines)
	}
	if err == nil && !usable && !asPEM {
		return exitWith(exitNo)
	}
	return err
}

// certificateLines reads the certificates, and the keys if there is a PIN.
func (o *tokenOptions) certificateLines(cmd *cobra.Command, now time.Time) (lines []certificateLine, err error) {
	module, err := tokens.Open(o.module)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, module.Close()) }()
	var session *tokens.Session
	if o.pinFile != "" {
		session, err = o.session(cmd, module)
	} else {
		var token *tokens.Token
		if token, err = module.Find(o.name); err == nil {
			session, err = token.Public()
		}
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	all, err := session.Certificates()
	if err != nil {
		return nil, err
	}
	var keys []*tokens.Key
	if o.pinFile != "" {
		if keys, err = session.Keys(); err != nil {
			return nil, err
		}
	}
	lines = make([]certificateLine, 0, len(all))
	for _, der := range all {
		lines = append(lines, o.certificateLine(der, keys, now))
	}
	return lines, nil
}

// certificateLine says what a certificate is and, as far as it is cheap, why it cannot
// sign.
func (o *tokenOptions) certificateLine(der []byte, keys []*tokens.Key, now time.Time) certificateLine {
	l := certificateLine{der: der}
	cert, err := gostx509.Parse(der)
	if err != nil {
		l.Code = reason.Of(err)
		return l
	}
	l.Subject, l.Issuer, l.Serial = cert.SubjectText(), cert.IssuerText(), hex.EncodeToString(cert.Serial)
	l.NotBefore, l.NotAfter = &cert.NotBefore, &cert.NotAfter
	if err := cms.Suitable(cert, now); err != nil {
		l.Code = reason.Of(err)
	}
	for _, k := range keys {
		for _, own := range k.Certificates() {
			if bytes.Equal(own, der) {
				l.KeyID = hex.EncodeToString(k.ID())
			}
		}
	}
	if l.Code == "" && o.pinFile != "" && l.KeyID == "" {
		l.Code = reason.TokenKeyAbsent
	}
	l.Usable = l.Code == ""
	return l
}

func printCertificateLines(w io.Writer, lines []certificateLine) error {
	out := &printer{w: w}
	if len(lines) == 0 {
		out.line("Сертификатов нет / no certificates")
	}
	for _, l := range lines {
		out.line("%s", l.Subject)
		if l.NotAfter != nil {
			out.fact("Издатель / issuer", l.Issuer)
			out.fact("Номер / serial number", l.Serial)
			out.fact("Действует / valid", l.NotBefore.Format(time.RFC3339)+" … "+l.NotAfter.Format(time.RFC3339))
		}
		if l.KeyID != "" {
			out.fact("Ключ / key", l.KeyID)
		}
		if l.Usable {
			out.fact("Годится / usable", "да / yes")
			continue
		}
		entry, _ := reason.Lookup(l.Code)
		out.fact("Годится / usable", "нет / no: "+string(l.Code))
		out.line("    %s\n    %s", entry.RU, entry.EN)
	}
	return out.err
}
