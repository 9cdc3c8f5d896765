package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"propusk/gost/gost3410"
	"propusk/gost/pkcs8"
	"propusk/pki/cms"
	"propusk/pki/der"
	"propusk/pki/reason"
	"propusk/tokens/uri"
)

// maxKeyFile limits a file with a private key, in bytes; those of GOST have 300.
const maxKeyFile = 64 << 10

// signOptions are the flags of `propusk sign`.
type signOptions struct {
	key              string
	token            tokenOptions
	cert             string
	chain            []string
	attach, detached bool
	at               string
	noTime           bool
	out              string
	der, pem, base64 bool
	addTo            string
	stamp            stampOptions
}

// newSignCommand returns `propusk sign`.
func newSignCommand() *cobra.Command {
	var o signOptions
	cmd := &cobra.Command{
		Use:   "sign {--key FILE --cert FILE | --key pkcs11:… | --module FILE} [DOCUMENT]",
		Short: "Подписать документ / sign a document",
		Long: "Подписывает документ ключом из файла: CAdES-BES по ГОСТ Р 34.10-2012. Подпись лежит рядом с документом (--detached, так по\n" +
			"умолчанию) или содержит его (--attach, до 64 МБ). С --add-to к готовой подписи добавляется ещё одна, прежние не меняются.\n" +
			"С -T служба штампов времени удостоверяет время подписания (CAdES-T); --level xlt1 и lta добавляют всё, что нужно для проверки\n" +
			"без сети и через годы.\n\n" +
			"Signs a document with a key file: CAdES-BES, GOST R 34.10-2012. The signature is beside the document (--detached, the default;\n" +
			"a document of any length is read once) or holds it (--attach, up to 64 MB). DOCUMENT, or one other file, may be - for standard\n" +
			"input; with --add-to to a signature that holds its document it need not be given, and if given, must be the same.\n\n" +
			"With -T a time-stamping authority confirms when it was made (CAdES-T). --level xlt1 (CAdES-X Long Type 1) and lta (CAdES-LTA)\n" +
			"judge it at once by --trust, --crl or --online, and put in all that the judgement rests on, to be judged without a network\n" +
			"and in years.\n\n" +
			"The signature goes to DOCUMENT.sig, or with --add-to back to where it was; --out names another file or - for standard output.\n" +
			"A file is written whole or not at all, and none that exists is overwritten but the one of --add-to.\n\n" +
			"KEY is PKCS #8 that is not encrypted, in PEM, DER or base64; or the PKCS #11 URI (RFC 7512) of a key in a token, which stays\n" +
			"there, and the certificate too may be taken from it; --module and its flags name a key in other words. The first certificate of --cert is that of the key; others in the\n" +
			"file, and those of --chain, are included. There is no signature if the key is not that of the certificate, or if the\n" +
			"certificate is not in force, is not for signatures, or its key period is over. Whether it was revoked is for verify to say.\n\n" +
			"Exit code 0 signed, 1 refused, 3 usage or I/O error.",
		Example: "  propusk sign --key key.pem --cert cert.pem contract.pdf\n" +
			"  propusk sign --module /usr/lib/librtpkcs11ecp.so contract.pdf\n" +
			"  propusk sign --key 'pkcs11:object=key?module-name=rtpkcs11ecp' contract.pdf\n" +
			"  propusk sign --key key.pem --cert cert.pem -T http://127.0.0.1:8440/tsp contract.pdf\n" +
			"  propusk sign --key other.pem --cert other-cert.pem --add-to contract.pdf.sig contract.pdf",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return refusal(o.run(cmd, args, time.Now()))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.key, "key", "", "закрытый ключ: файл PKCS #8 без шифрования или pkcs11:… / private key: file of PKCS #8, not encrypted, or pkcs11:…")
	flags.StringVar(&o.cert, "cert", "", "сертификат этого ключа / the certificate of the key")
	flags.StringArrayVar(&o.chain, "chain", nil, "сертификаты УЦ, чтобы вложить в подпись / CA certificates to include")
	flags.BoolVar(&o.detached, "detached", false, "подпись рядом с документом (по умолчанию) / signature beside the document (the default)")
	flags.BoolVar(&o.attach, "attach", false, "документ внутри подписи / document inside the signature")
	flags.StringVar(&o.at, "time", "", "время подписания, RFC 3339; по умолчанию сейчас / the time to claim; now by default")
	flags.BoolVar(&o.noTime, "no-time", false, "не указывать время подписания / claim no time")
	flags.StringVar(&o.out, "out", "", "куда записать подпись, - для вывода / where to write, - for standard output")
	flags.BoolVar(&o.der, "der", false, "записать DER (по умолчанию) / write DER (the default)")
	flags.BoolVar(&o.pem, "pem", false, "записать PEM / write PEM")
	flags.BoolVar(&o.base64, "base64", false, "записать base64 / write base64")
	flags.StringVar(&o.addTo, "add-to", "", "файл подписи, к которому добавить подпись / signature file to add a signature to")
	flags.StringVar(&o.token.keyID, "key-id", "", "ключ токена, если их несколько: CKA_ID / the key of the token, if there are several: its CKA_ID, hexadecimal")
	o.token.add(cmd)
	o.stamp.add(cmd)
	cmd.MarkFlagsOneRequired("key", "module")
	cmd.MarkFlagsMutuallyExclusive("key", "module")
	cmd.MarkFlagsMutuallyExclusive("detached", "attach", "add-to")
	cmd.MarkFlagsMutuallyExclusive("time", "no-time")
	cmd.MarkFlagsMutuallyExclusive("der", "pem", "base64")
	return cmd
}

// run makes one signature, or adds one.
func (o *signOptions) run(cmd *cobra.Command, args []string, now time.Time) (err error) {
	document := ""
	if len(args) > 0 {
		document = args[0]
	}
	if err := errors.Join(o.checkNames(document), o.stamp.check()); err != nil {
		return err
	}
	if uri.Is(o.key) {
		if err := o.token.take(o.key); err != nil {
			return err
		}
	}
	target := o.target(document)
	if err := o.isFree(target); err != nil {
		return err
	}
	by, release, err := o.signatory(cmd, now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	file, encoding, err := o.sign(cmd.InOrStdin(), document, by)
	if err != nil {
		return err
	}
	if file, err = o.stamp.extend(cmd.Context(), file, by.Certificate, now); err != nil {
		return err
	}
	text := encoding.write(file)
	if len(text) > cms.MaxSize { // verify would not read it, which base64 makes a third longer
		return reason.New(reason.SignatureTooLarge, nil)
	}
	if target == "-" {
		_, err := cmd.OutOrStdout().Write(text)
		return err
	}
	if err := writeWhole(target, text); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.ErrOrStderr(), "Подписано / signed: %s\n", target)
	return err
}

// checkNames checks what can be known of the names of files alone.
func (o *signOptions) checkNames(document string) error {
	inputs := 0
	for _, name := range append([]string{o.key, o.cert, o.token.pinFile, document, o.addTo}, o.chain...) {
		if name == "-" {
			inputs++
		}
	}
	switch {
	case o.key != "" && o.cert == "" && !uri.Is(o.key):
		return errors.New("нужен --cert / --cert is needed: the certificate of the key")
	case document == "" && o.addTo == "":
		return errors.New("нужен документ / a document is needed")
	case inputs > 1:
		return errors.New("только один файл может быть - / only one file may be standard input")
	case o.target(document) == "":
		return errors.New("нужен --out / --out is needed: the signature has no name")
	}
	return nil
}

// target returns the file to write, "" if there is no name for it.
func (o *signOptions) target(document string) string {
	switch {
	case o.out != "":
		return o.out
	case o.addTo == "-":
		return ""
	case o.addTo != "":
		return o.addTo
	case document == "-":
		return ""
	default:
		return document + ".sig"
	}
}

// signatory opens the key, reads the certificates, and asks whether they may sign. The key
// must be released.
func (o *signOptions) signatory(cmd *cobra.Command, now time.Time) (by cms.Signatory, release func() error, err error) {
	if by.Time, err = o.claimedTime(now); err != nil {
		return by, nil, err
	}
	if o.cert != "" {
		own, err := readCertificates(cmd.InOrStdin(), []string{o.cert})
		if err != nil {
			return by, nil, err
		}
		by.Certificate, by.Chain = own[0], own[1:]
		if err := cms.Suitable(by.Certificate, now); err != nil {
			return by, nil, err
		}
	}
	chain, err := readCertificates(cmd.InOrStdin(), o.chain)
	if err != nil {
		return by, nil, err
	}
	by.Chain = append(by.Chain, chain...)
	if o.token.module != "" {
		chosen, err := o.token.signingKey(cmd, by.Certificate, now)
		by.Key, by.Certificate = chosen.key, chosen.certificate
		return by, chosen.release, err
	}
	key, err := readKey(cmd.InOrStdin(), o.key)
	if err != nil {
		return by, nil, err
	}
	by.Key = key
	return by, func() error { return nil }, warnOfKey(cmd.ErrOrStderr(), o.key)
}

// claimedTime is the time that the signature claims; zero for none.
func (o *signOptions) claimedTime(now time.Time) (time.Time, error) {
	switch {
	case o.noTime:
		return time.Time{}, nil
	case o.at != "":
		return parseMoment("--time", o.at)
	default:
		return now, nil
	}
}

// sign makes the signature, in DER, and says how to write it.
func (o *signOptions) sign(stdin io.Reader, document string, by cms.Signatory) ([]byte, encoding, error) {
	if o.addTo != "" {
		return o.add(stdin, document, by)
	}
	form := o.encoding(asDER)
	if o.attach {
		data, err := readInput(stdin, document, cms.MaxSize)
		if err != nil {
			return nil, form, err
		}
		file, err := cms.Create(rand.Reader, data, by)
		return file, form, err
	}
	in, err := openInput(stdin, document)
	if err != nil {
		return nil, form, err
	}
	defer in.Close()
	file, err := cms.CreateDetached(rand.Reader, in, by)
	return file, form, err
}

// add adds a signature to a file. It is written as the file was, unless a flag says
// otherwise.
func (o *signOptions) add(stdin io.Reader, document string, by cms.Signatory) ([]byte, encoding, error) {
	old, err := readInput(stdin, o.addTo, cms.MaxSize)
	if err != nil {
		return nil, asDER, err
	}
	form := o.encoding(encodingOf(old))
	sd, err := cms.Parse(old)
	if err != nil {
		return nil, form, err
	}
	if !sd.Detached {
		if err := sameDocument(stdin, document, sd.Content); err != nil {
			return nil, form, err
		}
		file, err := sd.Add(rand.Reader, nil, by)
		return file, form, err
	}
	if document == "" {
		return nil, form, errors.New("подпись отсоединённая, нужен документ / the signature is detached, its document is needed")
	}
	in, err := openInput(stdin, document)
	if err != nil {
		return nil, form, err
	}
	defer in.Close()
	file, err := sd.Add(rand.Reader, in, by)
	return file, form, err
}

// sameDocument compares a document, if one is named, with the one inside a
// signature.
func sameDocument(stdin io.Reader, name string, inside []byte) error {
	if name == "" {
		return nil
	}
	data, err := readInput(stdin, name, cms.MaxSize)
	if err != nil {
		return err
	}
	if !bytes.Equal(data, inside) {
		return reason.New(reason.ContentMismatch, nil)
	}
	return nil
}

// refusal turns an error with a reason into the answer no; other errors, and files
// that cannot be read, are those of usage.
func refusal(err error) error {
	code, ok := errors.AsType[reason.Code](err)
	if !ok {
		return err
	}
	entry, _ := reason.Lookup(code)
	exit := &exitError{Code: exitNo, Err: fmt.Errorf("%w\n%s\n%s", err, entry.RU, entry.EN)}
	switch entry.Kind {
	case reason.Malformed, reason.TooLarge, reason.Unsupported, reason.Unavailable:
		exit.Code = exitUsage
	}
	return exit
}

// readKey reads a private key of PKCS #8.
func readKey(stdin io.Reader, name string) (*gost3410.PrivateKey, error) {
	data, err := readInput(stdin, name, maxKeyFile)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	raw, err := der.Decode(data, "PRIVATE KEY")
	if err != nil && bytes.Contains(data, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----")) || err == nil && isEncryptedKey(raw) {
		return nil, fmt.Errorf("%s: ключ зашифрован, снимите пароль: openssl pkey / the key is encrypted, which is not supported: "+
			"remove the password with openssl pkey", name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: это не закрытый ключ PKCS #8 / not a private key in PKCS #8: %w", name, err)
	}
	defer clear(raw)
	key, _, err := pkcs8.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: закрытый ключ не прочитан / the private key cannot be read: %w", name, err)
	}
	return key, nil
}

// isEncryptedKey tells EncryptedPrivateKeyInfo from PrivateKeyInfo: the one begins
// with an algorithm, the other with a version (RFC 5958, Sections 2 and 3).
func isEncryptedKey(raw []byte) bool {
	var d der.Decoder
	top := d.Open(raw, der.Limits{})
	info := top.Sequence()
	return info.Peek(der.TagSequence)
}

// warnOfKey warns of a key that others on the machine can read.
func warnOfKey(w io.Writer, name string) error {
	if name == "-" {
		return nil
	}
	open, err := othersRead(name)
	if err != nil || !open {
		return err
	}
	_, err = fmt.Fprintf(w, "Внимание: файл ключа могут читать другие; исправить: chmod 600 %[1]s\n"+
		"Warning: others can read the key file; to correct: chmod 600 %[1]s\n", name)
	return err
}

// othersRead reports whether others on the machine can read a file. Modes of files
// mean nothing on Windows.
func othersRead(name string) (bool, error) {
	info, err := os.Stat(name)
	if err != nil {
		return false, err
	}
	return runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0, nil
}

// encoding is a way to write a signature.
type encoding int

const (
	asDER encoding = iota
	asPEM
	asBase64
)

// encoding returns the one of the flags, or else the usual one.
func (o *signOptions) encoding(usual encoding) encoding {
	switch {
	case o.der:
		return asDER
	case o.pem:
		return asPEM
	case o.base64:
		return asBase64
	default:
		return usual
	}
}

// encodingOf returns the encoding of a file that cms.Parse reads.
func encodingOf(file []byte) encoding {
	switch {
	case len(file) > 0 && file[0] == byte(der.TagSequence):
		return asDER
	case bytes.Contains(file, []byte("-----BEGIN ")):
		return asPEM
	default:
		return asBase64
	}
}

// write encodes a signature given in DER.
func (e encoding) write(file []byte) []byte {
	switch e {
	case asPEM:
		return pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: file})
	case asBase64:
		return append(base64.StdEncoding.AppendEncode(nil, file), '\n')
	default:
		return file
	}
}

// isFree checks that a file may be written: there is none, or it is to be replaced.
func (o *signOptions) isFree(name string) error {
	if name == "-" || name == o.addTo {
		return nil
	}
	if _, err := os.Lstat(name); err == nil {
		return fmt.Errorf("%s: файл уже есть, назовите другой в --out / the file exists, name another with --out", name)
	}
	return nil
}

// writeWhole writes a file under its name at once: whoever sees it sees all of it,
// and what fails leaves nothing. Who may read it is for the umask to say, as a
// signature may have the document inside; one that is replaced keeps its mode.
func writeWhole(name string, data []byte) error {
	temp := filepath.Join(filepath.Dir(name), ".propusk-"+rand.Text())
	file, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer os.Remove(temp) // gone already if all went well
	_, err = file.Write(data)
	if old, statErr := os.Stat(name); err == nil && statErr == nil {
		err = file.Chmod(old.Mode().Perm())
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(temp, name)
}
