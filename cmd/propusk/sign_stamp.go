package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"propusk/pki/cades"
	"propusk/pki/cms"
	"propusk/pki/crl"
	"propusk/pki/der"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/revocation"
	"propusk/pki/tsp"
	"propusk/pki/validate"
	"propusk/pki/verdict"
)

// The words of --level.
const (
	levelBES  = "bes"
	levelT    = "t"
	levelXLT1 = "xlt1"
	levelLTA  = "lta"
)

// maxCRLFile limits a file with a revocation list, in bytes. It goes into the
// signature.
const maxCRLFile = cms.MaxSize

// stampOptions are the flags of `propusk sign` about what is added to the signature.
type stampOptions struct {
	tsa   string
	level string
	trust trustFlags
}

// add gives the command the flags.
func (o *stampOptions) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&o.tsa, "tsa", "T", "", "адрес службы штампов времени: подпись CAdES-T / address of a time-stamping authority: makes CAdES-T")
	flags.StringVar(&o.level, "level", "", "уровень: bes, t, xlt1, lta; с --tsa по умолчанию t / level: bes, t, xlt1, lta; with --tsa it is t by default")
	flags.StringVar(&o.trust.dir, "trust", "", "для xlt1 и lta: каталог доверенных данных / for xlt1 and lta: trust directory")
	flags.StringArrayVar(&o.trust.crls, "crl", nil, "для xlt1 и lta: список отзыва / for xlt1 and lta: revocation list")
	flags.BoolVar(&o.trust.online, "online", false, "для xlt1 и lta: спрашивать об отзыве по адресам из сертификатов / for xlt1 and lta: ask the addresses in certificates about revocation")
	flags.BoolVar(&o.trust.private, "allow-private", false, "с --online: и адреса этой машины и частных сетей / with --online: addresses of this machine and of private networks as well")
}

// check checks the flags, and fills in what they imply.
func (o *stampOptions) check() error {
	o.trust.order = ocspFirst // answers are short, and go into the signature
	o.level = strings.ToLower(o.level)
	if o.level == "" {
		if o.level = levelBES; o.tsa != "" {
			o.level = levelT
		}
	}
	switch o.level {
	case levelBES:
		if o.tsa != "" {
			return errors.New("--level bes: штамп времени не нужен, уберите --tsa / there is no time-stamp in it, leave --tsa out")
		}
	case levelT, levelXLT1, levelLTA:
		if o.tsa == "" {
			return fmt.Errorf("--level %s: нужен --tsa / --tsa is needed", o.level)
		}
	default:
		return fmt.Errorf("--level %q: это не bes, t, xlt1 или lta / none of bes, t, xlt1 and lta", o.level)
	}
	switch given := o.trust.given() || o.trust.online || o.trust.private; {
	case given && !o.isLong():
		return errors.New("--trust, --crl, --online и --allow-private: только с --level xlt1 и lta / go with --level xlt1 and lta only")
	case o.isLong() && o.trust.dir == "":
		return fmt.Errorf("--level %s: нужен --trust / --trust is needed", o.level)
	}
	return nil
}

// isLong reports whether the signature shall be judged without a network.
func (o *stampOptions) isLong() bool { return o.level == levelXLT1 || o.level == levelLTA }

// extend adds what the level wants to the signature that somebody has made just now,
// a file in DER.
func (o *stampOptions) extend(ctx context.Context, file []byte, by *gostx509.Certificate, now time.Time) ([]byte, error) {
	if o.level == levelBES {
		return file, nil
	}
	number, err := signatureOf(file, by)
	if err != nil {
		return nil, err
	}
	tsa := &tsp.Client{URL: o.tsa}
	if file, err = cades.ExtendT(ctx, file, number, tsa); err != nil || !o.isLong() {
		return file, err
	}
	// The number may be another now: signatures are sorted.
	if number, err = signatureOf(file, by); err != nil {
		return nil, err
	}
	content, err := signedDocument(file, number)
	if err != nil {
		return nil, err
	}
	material, err := o.material(ctx, file, content, number, now)
	if err != nil {
		return nil, err
	}
	if file, err = cades.ExtendXLongType1(ctx, file, number, tsa, material); err != nil || o.level == levelXLT1 {
		return file, err
	}
	if number, err = signatureOf(file, by); err != nil {
		return nil, err
	}
	return cades.ExtendArchive(ctx, file, content, number, tsa, material)
}

// signatureOf returns the number of the signature of a certificate.
func signatureOf(file []byte, by *gostx509.Certificate) (int, error) {
	sd, err := cms.Parse(file)
	if err != nil {
		return 0, err
	}
	for i, r := range sd.Verify(cms.Content{}, []*gostx509.Certificate{by}) {
		if by.Equal(r.Certificate) {
			return i, nil
		}
	}
	return 0, reason.New(reason.SignerCertMissing, nil)
}

// signedDocument returns the document of a signature by the digest that was signed:
// it was read when the signature was made, and may be gone.
func signedDocument(file []byte, number int) (cms.Content, error) {
	const oidMessageDigest = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04" // 1.2.840.113549.1.9.4
	sd, err := cms.Parse(file)
	if err != nil {
		return cms.Content{}, err
	}
	if !sd.Detached {
		return cms.Content{}, nil
	}
	signer := &sd.Signers[number]
	for _, a := range signer.SignedAttrs {
		if string(a.Type) != oidMessageDigest {
			continue
		}
		var d der.Decoder
		r := d.Open(a.Values, der.Limits{})
		digest := r.OctetString()
		r.End()
		return cms.Digest(signer.DigestAlgorithm.Algorithm, digest), d.Err()
	}
	return cms.Content{}, reason.New(reason.SignatureAttributesBad, nil)
}

// material judges the signature with its time-stamp now, and returns everything that
// the judgement rests on. A signature that is not good now is not made to last.
func (o *stampOptions) material(ctx context.Context, file []byte, content cms.Content, number int, now time.Time) (cades.Material, error) {
	trust, err := o.trust.load(ctx, now)
	if err != nil {
		return cades.Material{}, err
	}
	v := validate.Validator{Trust: trust, Policy: validate.QES(), Now: now, Context: ctx}
	v.Policy.Revocation = o.trust.revocation()
	v.Policy.AllowUnqualified, v.Policy.AllowUnaccredited = true, true
	s := v.Signature(file, content, now).Signatures[number]
	if s.Verdict.Status() != verdict.Passed {
		return cades.Material{}, reason.New(s.Verdict.Why(), errNotGood)
	}
	c := collector{options: o, ctx: ctx}
	c.take(s.Certificate)
	for _, ts := range s.TimeStamps {
		if ts.Verdict.Status() != verdict.Passed {
			return cades.Material{}, reason.New(ts.Verdict.Why(), errStampNotGood)
		}
		c.take(ts.Certificate)
	}
	return c.material, c.err
}

var (
	errNotGood      = errors.New("the signature is not good now, so that it is not made to last")
	errStampNotGood = errors.New("the time-stamp is not good now, so that the signature is not made to last")
	errNotKept      = errors.New("a revocation list is not in --trust or --crl, and was not got again")
)

// collector collects what judgements rest on; err is the first error.
type collector struct {
	options  *stampOptions
	ctx      context.Context //nolint:containedctx // of one call
	material cades.Material
	files    map[[sha256.Size]byte][]byte // revocation lists that are at hand
	err      error
}

// take takes the chain and the evidence of one certificate.
func (c *collector) take(judged validate.Certificate) {
	for _, cert := range judged.Chain {
		if !slices.ContainsFunc(c.material.Certificates, cert.Equal) {
			c.material.Certificates = append(c.material.Certificates, cert)
		}
	}
	for _, used := range judged.Evidence {
		if c.err != nil {
			return
		}
		if used.Raw != nil {
			c.material.OCSPs = include(c.material.OCSPs, used.Raw)
			continue
		}
		var raw []byte
		if raw, c.err = c.list(used); c.err == nil {
			c.material.CRLs = include(c.material.CRLs, raw)
		}
	}
}

// include appends what is not there.
func include(list [][]byte, one []byte) [][]byte {
	if slices.ContainsFunc(list, func(have []byte) bool { return bytes.Equal(have, one) }) {
		return list
	}
	return append(list, one)
}

// list returns a revocation list that an answer rests on: a file, or what is at the
// address where it was got from.
func (c *collector) list(used revocation.Used) ([]byte, error) {
	if c.files == nil {
		var err error
		if c.files, err = c.options.lists(); err != nil {
			return nil, err
		}
	}
	if raw, ok := c.files[used.SHA256]; ok {
		return raw, nil
	}
	if used.Source == "" {
		return nil, reason.New(reason.MaterialMissing, errNotKept)
	}
	client, err := c.options.trust.client()
	if err != nil {
		return nil, err
	}
	raw, err := client.CRL(c.ctx, used.Source)
	if err != nil {
		return nil, err
	}
	if list, err := crl.Parse(raw); err != nil || list.SHA256() != used.SHA256 {
		return nil, reason.New(reason.MaterialMissing, errors.Join(errNotKept, err))
	}
	return raw, nil
}

// lists reads the revocation lists of the trust data, by their digests.
func (o *stampOptions) lists() (map[[sha256.Size]byte][]byte, error) {
	names := slices.Clone(o.trust.crls)
	if o.trust.dir != "" {
		found, err := filepath.Glob(filepath.Join(o.trust.dir, "crls", "*"))
		if err != nil {
			return nil, err
		}
		names = append(names, found...)
	}
	all := make(map[[sha256.Size]byte][]byte)
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
			continue
		}
		data, err := readInput(nil, name, maxCRLFile)
		if err != nil {
			return nil, err
		}
		if raw, err := der.Decode(data, "X509 CRL"); err == nil { // what is none was set aside when it was loaded
			all[sha256.Sum256(raw)] = raw
		}
	}
	return all, nil
}
