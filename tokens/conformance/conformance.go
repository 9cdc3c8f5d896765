// Package conformance is one suite of tests for every library that package tokens
// drives: soft tokens in Go, their PKCS#11 library, OpenSC with a card, SoftHSM. What a
// back end cannot do must be refused with a reason, and is not skipped.
package conformance

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"propusk/gost/gost3410"
	"propusk/pki/reason"
	"propusk/tokens"
	"propusk/tokens/soft/softtest"
)

// Backend is a library with a token, and what it is and can do.
type Backend struct {
	Name   string
	Module *tokens.Module
	Token  string // label
	PIN    string
	Model  string // identifier of [tokens.Model] that it must be recognised as

	Keys         []Key    // of GOST R 34.10-2012 on the token: these and no others
	Certificates [][]byte // on the token: these and no others, in DER

	// What it can do. What is false, or not among the curves, must be refused.
	Sign256, Sign512 bool
	Curves           []asn1.ObjectIdentifier // parameter sets that it verifies with
	VKO, KEG         bool

	// Tries reads the counter of the user's PIN past the library; nil for a token that
	// counts nothing.
	Tries    func(*testing.T) int
	MaxTries int // of a PIN that was right
	// TellsLastTry says that the library shows that one try is left; one that does not
	// locks its token without a warning.
	TellsLastTry bool
	// Remembers says that the library shows how the PIN stood when it was entered last
	// through it, as OpenSC does, and not how it stands.
	Remembers bool
	// Unlock gives a locked PIN its tries back.
	Unlock func(*testing.T)

	MustChange, Unset string // labels of tokens whose PIN is to be changed, or is none; or empty

	// Remove takes the token out, and Insert puts it back; nil if that cannot be.
	Remove, Insert func(*testing.T)
}

// Key is a key that a back end has.
type Key struct {
	ID          []byte
	ParamSet    asn1.ObjectIdentifier
	Public      *gost3410.PublicKey
	Certificate []byte // DER; nil for a key without one
	Confirm     bool   // the PIN is wanted at each signature
}

// Run tests a back end. The subtests are one after the other: they share its token.
func Run(t *testing.T, b Backend) {
	t.Helper()
	for _, step := range []struct {
		name string
		test func(*testing.T, Backend)
	}{
		{"Identity", identity},
		{"Keys", keys},
		{"Sign", sign},
		{"Verify", verify},
		{"Agree", agree},
		{"Concurrent", concurrent},
		{"PINs", pins},
		{"Removal", removal},
	} {
		t.Run(b.Name+"/"+step.name, func(t *testing.T) {
			before := b.tries(t)
			step.test(t, b)
			if after := b.tries(t); after != before {
				t.Errorf("%d tries of the PIN were left, and %d are now", before, after)
			}
		})
	}
}

// tries is the counter of the PIN, or -1.
func (b Backend) tries(t *testing.T) int {
	t.Helper()
	if b.Tries == nil {
		return -1
	}
	return b.Tries(t)
}

func (b Backend) find(t *testing.T) *tokens.Token {
	t.Helper()
	token, err := b.Module.Find(b.Token)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// login opens the token, and closes it after the test.
func (b Backend) login(t *testing.T) *tokens.Session {
	t.Helper()
	pin := []byte(b.PIN)
	s, err := b.find(t).Login(pin, b.Remembers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// A token that was removed has no session to close any more.
		if err := s.Close(); err != nil && reason.Of(err) != reason.TokenRemoved {
			t.Errorf("close the session: %v", err)
		}
	})
	return s
}

// refused makes sure that something was refused with one of our reasons.
func refused(t *testing.T, what string, err error, codes ...reason.Code) {
	t.Helper()
	code := reason.Of(err)
	if code == "" || len(codes) > 0 && !slices.Contains(codes, code) {
		t.Errorf("%s: %v, want %q", what, err, codes)
	}
}

// Numbers of mechanisms (CKM) that say what a token can do.
const (
	ckmSign256 = 0x1201
	ckmSign512 = 0xD4321006
	ckmVKO     = 0xD4321007
	ckmKEG     = 0xD4321039
)

// identity is what the library and the token say of themselves without a PIN.
func identity(t *testing.T, b Backend) {
	info, err := b.Module.Info()
	if err != nil || info.Description == "" && info.Manufacturer == "" || info.Version == "" {
		t.Errorf("%+v, %v", info, err)
	}
	token := b.find(t)
	if token.Serial() == "" || token.Model() == "" || token.Label() != b.Token {
		t.Errorf("label %q, model %q, serial number %q", token.Label(), token.Model(), token.Serial())
	}
	if got := token.About(); got.ID != b.Model {
		t.Errorf("%q of %q is taken for %q, not %q", token.Model(), token.Manufacturer(), got.ID, b.Model)
	}
	if token.HasPINPad() {
		t.Error("it has a PIN pad")
	}
	if left, known := token.TriesLeft(); known && left != b.tries(t) {
		t.Errorf("it says that %d tries are left, and there are %d", left, b.tries(t))
	}
	mechanisms, err := token.Mechanisms()
	if err != nil {
		t.Fatal(err)
	}
	has := func(kind uint) bool {
		return slices.ContainsFunc(mechanisms, func(m tokens.Mechanism) bool { return m.Type == kind })
	}
	for kind, want := range map[uint]bool{ckmSign256: b.Sign256, ckmSign512: b.Sign512, ckmVKO: b.VKO, ckmKEG: b.KEG} {
		if has(kind) != want {
			t.Errorf("mechanism 0x%08X: %v, want %v", kind, has(kind), want)
		}
	}
	if _, err := b.Module.Find("no token has this name"); reason.Of(err) != reason.TokenAbsent {
		t.Errorf("a token that is not there: %v", err)
	}
}

// keys are those that the token has, with their certificates, and no others.
func keys(t *testing.T, b Backend) {
	s := b.login(t)
	found, err := s.Keys()
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != len(b.Keys) {
		t.Errorf("%d keys, want %d", len(found), len(b.Keys))
	}
	for _, want := range b.Keys {
		k := b.key(t, found, want)
		if k == nil {
			continue
		}
		if !want.Public.Equal(k.Public()) {
			t.Errorf("%x: another public key", want.ID)
		}
		var certificates [][]byte
		if want.Certificate != nil {
			certificates = [][]byte{want.Certificate}
		}
		if !slices.EqualFunc(k.Certificates(), certificates, bytes.Equal) {
			t.Errorf("%x: %d certificates, want %d", want.ID, len(k.Certificates()), len(certificates))
		}
	}
	certificates, err := s.Certificates()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(sorted(certificates), sorted(b.Certificates), bytes.Equal) {
		t.Errorf("%d certificates, want %d", len(certificates), len(b.Certificates))
	}
	// Without a PIN there are certificates, and no private keys.
	public, err := b.find(t).Public()
	if err != nil {
		t.Fatal(err)
	}
	if open, err := public.Certificates(); err != nil || len(open) != len(b.Certificates) {
		t.Errorf("%d certificates without a PIN, %v", len(open), err)
	}
	if err := public.Close(); err != nil {
		t.Error(err)
	}
}

func sorted(all [][]byte) [][]byte { return slices.SortedFunc(slices.Values(all), bytes.Compare) }

// key is the one with an identifier; nil, and the test fails, if it is not there.
func (b Backend) key(t *testing.T, all []*tokens.Key, want Key) *tokens.Key {
	t.Helper()
	i := slices.IndexFunc(all, func(k *tokens.Key) bool { return bytes.Equal(k.ID(), want.ID) })
	if i < 0 {
		t.Errorf("the key %s is not there", hex.EncodeToString(want.ID))
		return nil
	}
	if want.Confirm {
		all[i].SetSignaturePIN(func() ([]byte, error) { return []byte(b.PIN), nil })
	}
	return all[i]
}

// each calls f with every key of the token, which is logged in.
func (b Backend) each(t *testing.T, f func(*tokens.Key, Key)) {
	t.Helper()
	found, err := b.login(t).Keys()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range b.Keys {
		if k := b.key(t, found, want); k != nil {
			f(k, want)
		}
	}
}

// sign signs with every key. OpenSSL verifies, so that the order of bytes is not one
// that only we have.
func sign(t *testing.T, b Backend) {
	b.each(t, func(k *tokens.Key, want Key) {
		size := want.Public.Curve().Size()
		digest := softtest.Digest(size, append([]byte("to be signed by "), want.ID...))
		signature, err := k.Sign(nil, digest, nil)
		if err != nil {
			t.Errorf("%x: %v", want.ID, err)
			return
		}
		if !want.Public.Verify(digest, signature) {
			t.Errorf("%x: not a signature", want.ID)
		}
		if !softtest.OpenSSLVerify(t, want.ParamSet, want.Public, digest, signature) {
			t.Errorf("%x: openssl does not verify it", want.ID)
		}
		signature[9] ^= 1
		if softtest.OpenSSLVerify(t, want.ParamSet, want.Public, digest, signature) {
			t.Errorf("%x: openssl verifies anything", want.ID)
		}
		for _, wrong := range [][]byte{nil, digest[1:], append(digest, 0)} {
			signature, err := k.Sign(nil, wrong, nil)
			if signature != nil {
				t.Errorf("%x: a signature of %d bytes", want.ID, len(wrong))
			}
			refused(t, "a digest of another length", err)
		}
		if want.Confirm {
			refuseSignaturePIN(t, b, k, digest)
		}
	})
}

// refuseSignaturePIN signs with a key that wants the PIN, without it.
func refuseSignaturePIN(t *testing.T, b Backend, k *tokens.Key, digest []byte) {
	t.Helper()
	before := b.tries(t)
	k.SetSignaturePIN(nil)
	_, err := k.Sign(nil, digest, nil)
	refused(t, "nobody enters the PIN of signatures", err)
	cancelled := errors.New("no PIN today")
	k.SetSignaturePIN(func() ([]byte, error) { return nil, cancelled })
	if _, err := k.Sign(nil, digest, nil); err == nil {
		t.Error("a signature without the PIN")
	}
	if after := b.tries(t); after != before {
		t.Errorf("%d tries were left, and %d are", before, after)
	}
	asked := 0
	k.SetSignaturePIN(func() ([]byte, error) { asked++; return []byte("00000000"), nil })
	_, err = k.Sign(nil, digest, nil)
	refused(t, "a wrong PIN of signatures", err, reason.TokenPINWrong)
	if after := b.tries(t); asked != 1 || after != before-1 {
		t.Errorf("asked %d times: %d tries were left, and %d are", asked, before, after)
	}
	k.SetSignaturePIN(func() ([]byte, error) { return []byte(b.PIN), nil })
	if _, err := k.Sign(nil, digest, nil); err != nil {
		t.Error(err)
	}
}
