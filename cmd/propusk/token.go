package main

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/tokens"
)

// maxPINFile limits a file with a PIN, in bytes; the longest PIN of a token has 249.
const maxPINFile = 1 << 10

// tokenOptions are the flags that name a key in a token.
type tokenOptions struct {
	module  string
	name    string
	keyID   string
	pinFile string
	lastTry bool
}

// add adds the flags that name a token.
func (o *tokenOptions) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.module, "module", "", "библиотека PKCS#11 токена / PKCS#11 library of the token")
	flags.StringVar(&o.name, "token", "", "название или номер токена, если их несколько / label or serial number of the token, if there are several")
	flags.StringVar(&o.pinFile, "pin-file", "", "файл с PIN-кодом, - для ввода; иначе он спрашивается / file with the PIN, - for standard input; asked for otherwise")
	flags.BoolVar(&o.lastTry, "last-try", false, "вводить PIN-код и при последней попытке / enter the PIN even if one try is left")
}

// login opens the library and the token. The session and the module must be closed,
// in this order.
func (o *tokenOptions) login(cmd *cobra.Command) (*tokens.Module, *tokens.Session, error) {
	module, err := tokens.Open(o.module)
	if err != nil {
		return nil, nil, err
	}
	session, err := o.session(cmd, module)
	if err != nil {
		return nil, nil, errors.Join(err, module.Close())
	}
	return module, session, nil
}

// session finds the token and enters the PIN.
func (o *tokenOptions) session(cmd *cobra.Command, module *tokens.Module) (*tokens.Session, error) {
	token, err := module.Find(o.name)
	if err != nil {
		return nil, err
	}
	if token.HasPINPad() {
		fmt.Fprintln(cmd.ErrOrStderr(), "Введите PIN-код на клавиатуре токена / enter the PIN on the token's own keypad")
		return token.Login(nil, o.lastTry)
	}
	pin, err := o.pin(cmd, token)
	if err != nil {
		return nil, err
	}
	defer clear(pin)
	return token.Login(pin, o.lastTry)
}

// pin reads the PIN from its file, or asks for it without showing it.
func (o *tokenOptions) pin(cmd *cobra.Command, token *tokens.Token) ([]byte, error) {
	if o.pinFile != "" {
		data, err := readInput(cmd.InOrStdin(), o.pinFile, maxPINFile)
		if err != nil {
			return nil, err
		}
		return bytes.TrimRight(data, "\r\n"), nil
	}
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return nil, errors.New("нужен PIN-код: --pin-file / the PIN is needed: --pin-file")
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "PIN-код токена / PIN of the token «%s»%s: ", token.Label(), triesLeft(token.PIN()))
	pin, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(cmd.ErrOrStderr())
	return pin, err
}

// triesLeft warns of a PIN that was wrong before.
func triesLeft(state tokens.PINState) string {
	switch state {
	case tokens.PINCountLow:
		return " (попыток осталось мало / few tries are left)"
	case tokens.PINFinalTry:
		return " (последняя попытка / last try)"
	default:
		return ""
	}
}

// signingKey is a key in a token with the certificate that it signs under.
type signingKey struct {
	key         *tokens.Key
	certificate *gostx509.Certificate
	release     func() error // ends the session and unloads the library
}

// signingKey opens the token and chooses the key: that of the certificate, if one is
// given, or the one that --key-id names, or the only one with a certificate that may sign
// now.
func (o *tokenOptions) signingKey(cmd *cobra.Command, certificate *gostx509.Certificate, now time.Time) (signingKey, error) {
	module, session, err := o.login(cmd)
	if err != nil {
		return signingKey{}, err
	}
	closeBoth := func() error { return errors.Join(session.Close(), module.Close()) }
	chosen, err := o.choose(session, certificate, now)
	if err != nil {
		return signingKey{}, errors.Join(err, closeBoth())
	}
	chosen.release = closeBoth
	return chosen, nil
}

func (o *tokenOptions) choose(session *tokens.Session, certificate *gostx509.Certificate, now time.Time) (signingKey, error) {
	keys, err := session.Keys()
	if err != nil {
		return signingKey{}, err
	}
	var fit []signingKey
	var why error // why the certificate of a key that was asked for may not sign
	for _, k := range keys {
		if o.keyID != "" && !strings.EqualFold(o.keyID, hex.EncodeToString(k.ID())) {
			continue
		}
		cert, err := certificateOf(k, certificate, now)
		if err != nil {
			why = err
			continue
		}
		fit = append(fit, signingKey{key: k, certificate: cert})
	}
	switch {
	case len(fit) == 1:
		return fit[0], nil
	case len(fit) > 1:
		return signingKey{}, reason.Errorf(reason.TokenAmbiguous, "%d keys can sign; name one with --key-id", len(fit))
	case why != nil:
		return signingKey{}, why
	default:
		return signingKey{}, reason.Errorf(reason.TokenKeyAbsent, "%d keys are on the token", len(keys))
	}
}

// certificateOf returns the certificate that a key signs under: the given one if it is
// of that key, else the one on the token that may sign now and is valid for longest.
func certificateOf(k *tokens.Key, given *gostx509.Certificate, now time.Time) (*gostx509.Certificate, error) {
	if given != nil {
		if public, ok := k.Public().(interface{ Equal(crypto.PublicKey) bool }); ok && public.Equal(given.PublicKey) {
			return given, nil
		}
		return nil, reason.New(reason.SigningKeyMismatch, nil)
	}
	var best *gostx509.Certificate
	var why error = reason.Errorf(reason.TokenKeyAbsent, "the key has no certificate on the token; name it with --cert")
	for _, der := range k.Certificates() {
		cert, err := gostx509.Parse(der)
		if err == nil {
			err = cms.Suitable(cert, now)
		}
		if err != nil {
			why = err
			continue
		}
		if best == nil || best.NotAfter.Before(cert.NotAfter) {
			best = cert
		}
	}
	if best == nil {
		return nil, why
	}
	return best, nil
}

// newTokenCommand returns `propusk token` with its subcommands.
func newTokenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Токены с ключами подписи / tokens with signing keys",
	}
	cmd.AddCommand(newTokenListCommand())
	return cmd
}

// newTokenListCommand returns `propusk token list`.
func newTokenListCommand() *cobra.Command {
	var o tokenOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list --module FILE",
		Short: "Какие токены подключены / which tokens are connected, and how their PINs stand",
		Long: "Lists the tokens that a PKCS#11 library knows, without a PIN. The library is that of the vendor: librtpkcs11ecp.so of Rutoken,\n" +
			"libjcPKCS11-2.so of JaCarta, opensc-pkcs11.so of OpenSC, and so on.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return refusal(listTokens(cmd.OutOrStdout(), o.module, asJSON))
		},
	}
	cmd.Flags().StringVar(&o.module, "module", "", "библиотека PKCS#11 токена / PKCS#11 library of the token")
	if err := cmd.MarkFlagRequired("module"); err != nil {
		panic("propusk: token list: " + err.Error())
	}
	addJSONFlag(cmd, &asJSON)
	return cmd
}

// tokenLine is a token in the answer of `propusk token list`.
type tokenLine struct {
	Label        string `json:"label"`
	Manufacturer string `json:"manufacturer"`
	Model        string `json:"model"`
	Serial       string `json:"serial"`
	PIN          string `json:"pin"` // "ready", "count-low", "final-try", "must-change", "unset", "locked"
	PINPad       bool   `json:"pin_pad"`
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
		lines = append(lines, tokenLine{t.Label(), t.Manufacturer(), t.Model(), t.Serial(), t.PIN().String(), t.HasPINPad()})
	}
	if asJSON {
		return printJSON(w, lines)
	}
	if len(lines) == 0 {
		return reason.New(reason.TokenAbsent, nil)
	}
	out := &printer{w: w}
	for _, l := range lines {
		out.line("%s\t%s, %s, № %s, PIN %s", l.Label, l.Manufacturer, l.Model, l.Serial, l.PIN)
	}
	return out.err
}
