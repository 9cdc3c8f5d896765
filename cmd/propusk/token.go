package main

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/tokens"
	"propusk/tokens/keyring"
	"propusk/tokens/uri"
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

	place uri.URI // of the key, instead of all of the above but lastTry and pinFile
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
	token, err := o.find(module)
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

// find returns the token that the flags or the URI name.
func (o *tokenOptions) find(module *tokens.Module) (*tokens.Token, error) {
	if o.place.IsZero() {
		return module.Find(o.name)
	}
	return keyring.Find(module, o.place)
}

// take takes the library and the token from the PKCS #11 URI of a key.
func (o *tokenOptions) take(text string) error {
	if o.name != "" || o.keyID != "" {
		return errors.New("--token и --key-id не нужны: их называет URI / --token and --key-id are in the URI: token=, id=")
	}
	u, err := uri.Parse(text)
	if err != nil {
		return err
	}
	if u.Type != "" && u.Type != uri.Private {
		return errors.New("URI должен называть закрытый ключ: type=private / the URI must name a private key: type=private")
	}
	o.place = u
	o.module, err = keyring.Library(u)
	return err
}

// pin reads the PIN from its file, or asks for it without showing it.
func (o *tokenOptions) pin(cmd *cobra.Command, token *tokens.Token) ([]byte, error) {
	if o.pinFile != "" {
		data, err := readInput(cmd.InOrStdin(), o.pinFile, maxPINFile)
		if _, ok := errors.AsType[*fs.PathError](err); ok {
			return nil, keyring.PINFileError(o.pinFile, err)
		}
		if err != nil {
			return nil, err
		}
		return bytes.TrimRight(data, "\r\n"), nil
	}
	if o.place.PINFile != "" {
		return keyring.ReadPIN(o.place.PINFile)
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
		if o.keyID != "" && !strings.EqualFold(o.keyID, hex.EncodeToString(k.ID())) || !keyring.Fits(o.place, k.Label(), k.ID()) {
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
		return signingKey{}, reason.Errorf(reason.TokenAmbiguous, "%d keys can sign; name one with --key-id or id=", len(fit))
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
	cmd.AddCommand(newTokenListCommand(), newTokenReadersCommand(), newTokenCertCommand(), newTokenDoctorCommand())
	return cmd
}
