// Package softtest gives tests soft tokens, the PKCS#11 library of them, and openssl to
// check what they sign.
package softtest

import (
	"crypto"
	"encoding/asn1"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/gost/gost3410"
	"propusk/gost/spki"
	"propusk/gost/streebog"
	"propusk/tokens/soft"
)

// Environment is the variable from which the library takes its directory.
const Environment = "PROPUSK_SOFT_TOKENS"

// Options says what a new token is to be. The zero value is a token "Soft" with the
// user's PIN 12345678, that of the security officer 87654321, and a key and a
// certificate of CryptoPro-A.
type Options struct {
	Label, PIN, SOPIN string
	ParamSet          asn1.ObjectIdentifier // of the key
	KeyLabel          string                // of the key and the certificate: "key"
	ID                []byte                // of both: 01
	Subject           string                // common name in the certificate: "Soft Token"
	MustChange        bool                  // the PIN must be changed before anything else
	NoPIN             bool                  // the user has no PIN, and the token no key
	NoKey             bool                  // no key and no certificate
	NoCertificate     bool                  // a key, and no certificate of it
	Confirm           bool                  // the key wants the PIN at each signature
	Dir               string                // directory of tokens to put it in; a new one if empty
}

// Token is a token that a test has.
type Token struct {
	Dir         string // for [Environment]: the token is a directory in it
	Path        string // the directory of the token itself
	PIN, SOPIN  string
	Label       string
	KeyLabel    string
	ID          []byte
	Certificate []byte              // DER
	Public      *gost3410.PublicKey // of the certificate
}

// New makes a token, and removes it after the test.
func New(t testing.TB, o Options) *Token {
	t.Helper()
	o = o.defaults()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	path, err := os.MkdirTemp(o.Dir, "token-")
	must(t, err)
	token, err := soft.Open(path)
	must(t, err)
	must(t, token.Init(o.Label, []byte(o.SOPIN)))
	out := &Token{Dir: o.Dir, Path: path, PIN: o.PIN, SOPIN: o.SOPIN, Label: o.Label, KeyLabel: o.KeyLabel, ID: o.ID}
	if o.NoPIN {
		return out
	}
	must(t, token.Login(soft.SecurityOfficer, []byte(o.SOPIN)))
	must(t, token.InitPIN([]byte(o.PIN), false))
	token.Logout()
	if !o.NoKey {
		must(t, token.Login(soft.User, []byte(o.PIN)))
		out.key(t, token, o)
		token.Logout()
	}
	if o.MustChange {
		must(t, token.Login(soft.SecurityOfficer, []byte(o.SOPIN)))
		must(t, token.InitPIN([]byte(o.PIN), true))
		token.Logout()
	}
	return out
}

func (o Options) defaults() Options {
	text := func(s *string, otherwise string) {
		if *s == "" {
			*s = otherwise
		}
	}
	text(&o.Label, "Soft")
	text(&o.PIN, "12345678")
	text(&o.SOPIN, "87654321")
	text(&o.KeyLabel, "key")
	text(&o.Subject, "Soft Token")
	if o.ParamSet == nil {
		o.ParamSet = asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 1}
	}
	if o.ID == nil {
		o.ID = []byte{1}
	}
	return o
}

func (o Options) usage() soft.Usage {
	if o.Confirm {
		return soft.Sign | soft.Derive | soft.Confirm
	}
	return 0
}

// key makes the key and the certificate.
func (k *Token) key(t testing.TB, token *soft.Token, o Options) {
	t.Helper()
	_, private, err := token.Generate(nil, soft.KeyTemplate{ParamSet: o.ParamSet, Label: o.KeyLabel, ID: o.ID, Usage: o.usage()})
	must(t, err)
	key, err := token.Key(private)
	must(t, err)
	k.Public = private.PublicKey()
	if o.NoCertificate {
		return
	}
	k.Certificate = Certificate(t, key, o.ParamSet, o.Subject)
	_, err = token.Add(soft.Object{Class: soft.Certificate, Label: o.KeyLabel, ID: o.ID, Value: k.Certificate})
	must(t, err)
}

// Certificate returns a self-signed certificate with a common name and no extensions,
// of a key with a parameter set: one to be found and read, not one to be trusted.
func Certificate(t testing.TB, key crypto.Signer, paramSet asn1.ObjectIdentifier, name string) []byte {
	t.Helper()
	public, ok := key.Public().(*gost3410.PublicKey)
	if !ok {
		t.Fatalf("%T is no public key of GOST R 34.10", key.Public())
	}
	algorithm, err := spki.AlgorithmFor(paramSet)
	must(t, err)
	keyInfo, err := spki.Marshal(algorithm, public)
	must(t, err)

	// RFC 9215, Section 2: the algorithms of signatures with Streebog.
	signature := asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 3, 2}
	if public.Curve().Size() == 64 {
		signature = asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 3, 3}
	}
	sigAlg := func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(signature) }
	cn := func(b *cryptobyte.Builder) {
		b.AddASN1(tag.SET, func(b *cryptobyte.Builder) {
			b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{2, 5, 4, 3})
				b.AddASN1(tag.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(name)) })
			})
		})
	}
	var tbs cryptobyte.Builder
	tbs.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tag.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1Int64(2) })
		b.AddASN1Int64(1)
		b.AddASN1(tag.SEQUENCE, sigAlg)
		b.AddASN1(tag.SEQUENCE, cn)
		b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1UTCTime(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))
			b.AddASN1UTCTime(time.Date(2049, 1, 1, 0, 0, 0, 0, time.UTC))
		})
		b.AddASN1(tag.SEQUENCE, cn)
		b.AddBytes(keyInfo)
	})
	body, err := tbs.Bytes()
	must(t, err)
	sig, err := key.Sign(nil, Digest(public.Curve().Size(), body), nil)
	must(t, err)
	var cert cryptobyte.Builder
	cert.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(body)
		b.AddASN1(tag.SEQUENCE, sigAlg)
		b.AddASN1BitString(sig)
	})
	der, err := cert.Bytes()
	must(t, err)
	return der
}

// Digest returns the Streebog of data that keys of size bytes, 32 or 64, sign.
func Digest(size int, data []byte) []byte {
	if size == streebog.Size512 {
		sum := streebog.Sum512(data)
		return sum[:]
	}
	sum := streebog.Sum256(data)
	return sum[:]
}

// library is the path of the library and why there is none.
var library = sync.OnceValues(build)

// Module returns the path of the PKCS#11 library, which is built once in a test
// process. The test is skipped when there is no C compiler, unless
// PROPUSK_REQUIRE_INTEROP is 1.
func Module(t testing.TB) string {
	t.Helper()
	if _, err := exec.LookPath(Compiler()); err != nil {
		Missing(t, "no C compiler to build the PKCS#11 library with")
	}
	path, err := library()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Compiler is the C compiler that the libraries are built with.
func Compiler() string {
	if cc := os.Getenv("CC"); cc != "" {
		return cc
	}
	return "gcc"
}

// Missing skips the test, or fails it if PROPUSK_REQUIRE_INTEROP is 1.
func Missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("PROPUSK_REQUIRE_INTEROP") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// build puts the library where the next test process finds it: the same name with the
// same content, so that nothing piles up. A new one takes the place of an old one at
// once, for other processes may be loading it.
func build() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "propusk-test")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(fresh) }() // what is left takes space, no more
	const name = "libpropusksoft.so"
	out := filepath.Join(fresh, name)
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-o", out, "propusk/tokens/soft/module")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	// The go command looks for packages from where it is, and a test may be elsewhere.
	if _, here, _, ok := runtime.Caller(0); ok && filepath.IsAbs(here) {
		cmd.Dir = filepath.Dir(here)
	}
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", &buildError{said: string(said), err: err}
	}
	path := filepath.Join(dir, name)
	return path, os.Rename(out, path)
}

type buildError struct {
	said string
	err  error
}

func (e *buildError) Error() string {
	return "build the PKCS#11 library: " + e.err.Error() + "\n" + e.said
}
func (e *buildError) Unwrap() error { return e.err }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Give puts one more key on the token, of which the ParamSet, KeyLabel, ID, Subject,
// NoCertificate and Confirm of the options are. The Certificate and the Public of what it
// returns are those of that key.
func (k *Token) Give(t testing.TB, o Options) *Token {
	t.Helper()
	o = o.defaults()
	token, err := soft.Open(k.Path)
	must(t, err)
	must(t, token.Login(soft.User, []byte(k.PIN)))
	defer token.Logout()
	with := *k
	with.KeyLabel, with.ID, with.Certificate = o.KeyLabel, o.ID, nil
	with.key(t, token, o)
	return &with
}

// away is where a token is while it is removed: the library does not look there.
func (k *Token) away() string { return filepath.Join(k.Dir, ".removed-"+filepath.Base(k.Path)) }

// Remove takes the token out.
func (k *Token) Remove(t testing.TB) {
	t.Helper()
	must(t, os.Rename(k.Path, k.away()))
}

// Insert puts back the token that was removed.
func (k *Token) Insert(t testing.TB) {
	t.Helper()
	must(t, os.Rename(k.away(), k.Path))
}

// Tries returns how many tries the PIN of the user has left, from the files.
func (k *Token) Tries(t testing.TB) int {
	t.Helper()
	token, err := soft.Open(k.Path)
	must(t, err)
	info, err := token.Info()
	must(t, err)
	return info.UserTries
}

// Unlock gives the PIN of the user its tries back.
func (k *Token) Unlock(t testing.TB) {
	t.Helper()
	token, err := soft.Open(k.Path)
	must(t, err)
	must(t, token.Login(soft.SecurityOfficer, []byte(k.SOPIN)))
	must(t, token.InitPIN([]byte(k.PIN), false))
	token.Logout()
}
