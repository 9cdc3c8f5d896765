package keyring_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/vko"
	"propusk/pki/reason"
	"propusk/tokens"
	"propusk/tokens/keyring"
	"propusk/tokens/soft"
	"propusk/tokens/soft/softtest"
	"propusk/tokens/softhsmtest"
	"propusk/tokens/uri"
)

// TestMain lets the test binary be the process of a library too.
func TestMain(m *testing.M) {
	tokens.ServeIfChild()
	os.Exit(m.Run())
}

func parse(t testing.TB, text, pinFile string) uri.URI {
	t.Helper()
	u, err := uri.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	u.PINFile = pinFile
	return u
}

func pinFile(t testing.TB, pin string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pin")
	if err := os.WriteFile(file, []byte(pin+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func newRing(t testing.TB, o keyring.Options) *keyring.Ring {
	t.Helper()
	ring := keyring.New(o)
	t.Cleanup(func() {
		if err := ring.Close(); err != nil {
			t.Error(err)
		}
	})
	return ring
}

// library is what a token is reached through: their library or, without cgo, none.
func library(t *testing.T, token *softtest.Token) string {
	t.Helper()
	if !softtest.Cgo {
		return tokens.SoftScheme + token.Dir
	}
	return softtest.Module(t)
}

// A key in the library of soft tokens signs and agrees, many times at once, on either size of
// curve; it does so again after the token was away, with nobody's help.
func TestKey(t *testing.T) {
	for name, curve := range map[string]*gost3410.Curve{"256": gost3410.TC26256A(), "512": gost3410.TC26512A()} {
		t.Run(name, func(t *testing.T) {
			private, err := gost3410.GenerateKey(curve, nil)
			if err != nil {
				t.Fatal(err)
			}
			token := softtest.New(t, softtest.Options{NoKey: true})
			t.Setenv(softtest.Environment, token.Dir)
			token.Import(t, private, paramSet(curve), "key", 7, 0)
			var mu sync.Mutex
			var told []reason.Code
			ring := newRing(t, keyring.Options{Sessions: 2, Changed: func(_ string, err error) {
				mu.Lock()
				told = append(told, reason.Of(err))
				mu.Unlock()
			}})
			key, err := ring.Key(parse(t, "pkcs11:token=Soft;id=%07?module-path="+library(t, token), pinFile(t, token.PIN)))
			if err != nil {
				t.Fatal(err)
			}
			if key.Derives() != vko.FunctionVKO256|vko.FunctionKEG || !private.PublicKey().Equal(key.Public()) || key.ID()[0] != 7 {
				t.Errorf("derives %d", key.Derives())
			}
			digest := make([]byte, curve.Size())
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					if signature, err := key.Sign(nil, digest, nil); err != nil || !private.PublicKey().Verify(digest, signature) {
						t.Errorf("%x, %v", signature, err)
					}
				})
			}
			all.Wait()
			away := filepath.Join(t.TempDir(), "away")
			if err := errors.Join(os.Rename(token.Path, away)); err != nil {
				t.Fatal(err)
			}
			if signature, err := key.Sign(nil, digest, nil); err == nil || signature != nil {
				t.Errorf("signed without the token: %v", err)
			}
			if err := os.Rename(away, token.Path); err != nil {
				t.Fatal(err)
			}
			if _, err := key.Sign(nil, digest, nil); err != nil {
				t.Errorf("after the token came back: %v", err)
			}
			if len(told) != 2 || told[0] == "" || told[1] != "" {
				t.Errorf("told %q", told)
			}
		})
	}
}

func paramSet(c *gost3410.Curve) (oid []int) {
	if c.Size() == 64 {
		return []int{1, 2, 643, 7, 1, 2, 1, 2, 1}
	}
	return []int{1, 2, 643, 7, 1, 2, 1, 1, 1}
}

// Another key that takes the name of the one that was there at the start is not used.
func TestReplacedKey(t *testing.T) {
	hsm := softhsmtest.New(t)
	generate := func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	first := generate()
	hsm.Import("key", 1, first)
	ring := newRing(t, keyring.Options{})
	u := parse(t, "pkcs11:object=key?module-path="+softhsmtest.Library, pinFile(t, softhsmtest.PIN))
	key, err := ring.Signer(u)
	if err != nil || !first.PublicKey.Equal(key.Public()) || key.ID()[0] != 1 {
		t.Fatalf("%v", err)
	}
	hsm.Tool("--delete-object", "--type", "privkey", "--label", "key")
	hsm.Tool("--delete-object", "--type", "pubkey", "--label", "key")
	hsm.Import("key", 1, generate())
	failed := 0
	for range 3 { // the old object fails first, then the new one is found
		signature, err := key.Sign(nil, make([]byte, 32), crypto.SHA256)
		if err != nil && signature == nil {
			failed++
		}
	}
	if failed != 3 {
		t.Errorf("%d of 3 signatures refused", failed)
	}
	if key, err := ring.Signer(u); err != nil || first.PublicKey.Equal(key.Public()) {
		t.Errorf("the new key: %v", err)
	}
}

// What a URI does not fit is not used.
func TestRefused(t *testing.T) {
	token := softtest.New(t, softtest.Options{Label: "one"})
	softtest.New(t, softtest.Options{Dir: token.Dir, Label: "two"})
	t.Setenv(softtest.Environment, token.Dir)
	ring := newRing(t, keyring.Options{})
	pin := pinFile(t, token.PIN)
	at := "?module-path=" + library(t, token)
	bad := reason.TokenModuleBad
	if !softtest.Cgo {
		bad = reason.TokenSupportMissing
	}
	for text, want := range map[string]reason.Code{
		"pkcs11:object=key;token=one" + at:            "",
		"pkcs11:object=key" + at:                      reason.TokenAmbiguous,
		"pkcs11:object=key;token=three" + at:          reason.TokenAbsent,
		"pkcs11:object=key;token=one;model=x" + at:    reason.TokenAbsent,
		"pkcs11:object=key;token=one;slot-id=99" + at: reason.TokenAbsent,
		"pkcs11:object=none;token=one" + at:           reason.TokenKeyAbsent,
		"pkcs11:id=%09;token=one" + at:                reason.TokenKeyAbsent,
		"pkcs11:object=key;library-version=9.9" + at:  reason.TokenModuleBad,
		"pkcs11:object=key;token=one":                 reason.TokenModuleBad,
		"pkcs11:object=key?module-name=no-such":       reason.TokenModuleBad,
		"pkcs11:object=key?module-path=/no/such.so":   bad,
	} {
		key, err := ring.Key(parse(t, text, pin))
		if want == "" && (err != nil || key == nil) || want != "" && (reason.Of(err) != want || key != nil) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, err := ring.Key(parse(t, "pkcs11:object=key;token=one"+at, "")); err == nil || !strings.Contains(err.Error(), "pin-source") {
		t.Errorf("no PIN: %v", err)
	}
	if _, err := ring.Signer(parse(t, "pkcs11:object=key;token=one"+at, pin)); reason.Of(err) != reason.TokenObjectAbsent {
		t.Errorf("a key of GOST as an ordinary one: %v", err)
	}
}

// A PIN that was refused is not sent again, whoever asks for whichever key.
func TestRefusedPIN(t *testing.T) {
	token := softtest.New(t, softtest.Options{})
	t.Setenv(softtest.Environment, token.Dir)
	ring := newRing(t, keyring.Options{})
	u := parse(t, "pkcs11:object=key?module-path="+library(t, token), pinFile(t, "wrong-one"))
	for range 5 {
		if _, err := ring.Key(u); reason.Of(err) != reason.TokenPINWrong {
			t.Errorf("%v", err)
		}
	}
	open, err := soft.Open(token.Path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := open.Info(); err != nil || info.UserTries != soft.MaxTries-1 {
		t.Errorf("%d tries left, %v", info.UserTries, err)
	}
}
