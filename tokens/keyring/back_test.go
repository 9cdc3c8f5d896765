package keyring_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"propusk/pki/reason"
	"propusk/tokens/keyring"
	"propusk/tokens/softhsmtest"
)

// hsmKey makes a token of SoftHSM with a key, and opens that.
func hsmKey(t *testing.T, o keyring.Options) (hsm *softhsmtest.Token, ring *keyring.Ring, key *keyring.Signer, pin string) {
	t.Helper()
	hsm = softhsmtest.New(t)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	hsm.Import("key", 1, private)
	ring, pin = newRing(t, o), pinFile(t, softhsmtest.PIN)
	key, err = ring.Signer(parse(t, "pkcs11:object=key?module-path="+softhsmtest.Library, pin))
	if err != nil {
		t.Fatal(err)
	}
	return hsm, ring, key, pin
}

func sign(key *keyring.Signer) error {
	_, err := key.Sign(nil, make([]byte, crypto.SHA256.Size()), crypto.SHA256)
	return err
}

// eventually signs until the answer is the one that is wanted: a library that does not
// see a token that came back is left alone for some time between two restarts.
func eventually(t *testing.T, key *keyring.Signer, want reason.Code) {
	t.Helper()
	var err error
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err = sign(key); err == nil && want == "" || err != nil && reason.Of(err) == want {
			return
		}
	}
	t.Fatalf("%v, want %q", err, want)
}

// A token that was away works again, in a library that does not look for tokens again and
// forgets its objects: SoftHSM.
func TestBack(t *testing.T) {
	var mu sync.Mutex
	var told []string
	hsm, ring, key, _ := hsmKey(t, keyring.Options{Sessions: 2, Changed: func(what string, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			what += " lost"
		}
		told = append(told, what)
	}})
	back := hsm.Hide()
	if err := sign(key); err == nil {
		t.Error("signed without the token")
	}
	if lost := ring.Lost(); !slices.Equal(lost, []string{softhsmtest.Label}) {
		t.Errorf("lost: %q", lost)
	}
	back()
	eventually(t, key, "")
	if lost := ring.Lost(); len(lost) != 0 {
		t.Errorf("still lost: %q", lost)
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(told, []string{softhsmtest.Label + " lost", softhsmtest.Label}) {
		t.Errorf("told %q", told)
	}
}

// A PIN that is refused when the token comes back is not sent again, not even if its file
// has the right one by then.
func TestBackPIN(t *testing.T) {
	hsm, _, key, pin := hsmKey(t, keyring.Options{})
	write := func(text string) {
		if err := os.WriteFile(pin, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	back := hsm.Hide()
	if err := sign(key); err == nil {
		t.Error("signed without the token")
	}
	write("00000000")
	back()
	eventually(t, key, reason.TokenPINWrong)
	write(softhsmtest.PIN)
	for range 3 {
		if err := sign(key); reason.Of(err) != reason.TokenPINWrong {
			t.Errorf("%v", err)
		}
	}
}

// A key that somebody deleted is lost, and its token is not; the others of the token work.
func TestDeletedKey(t *testing.T) {
	hsm, ring, key, pin := hsmKey(t, keyring.Options{})
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	hsm.Import("other", 2, private)
	other, err := ring.Signer(parse(t, "pkcs11:object=other?module-path="+softhsmtest.Library, pin))
	if err != nil {
		t.Fatal(err)
	}
	hsm.Tool("--delete-object", "--type", "privkey", "--label", "key")
	for range 3 {
		if err := sign(key); reason.Of(err) != reason.TokenObjectAbsent {
			t.Errorf("a deleted key: %v", err)
		}
		if err := sign(other); err != nil {
			t.Errorf("another key: %v", err)
		}
		if lost := ring.Lost(); !slices.Equal(lost, []string{softhsmtest.Label + ": key"}) {
			t.Errorf("lost: %q", lost)
		}
	}
}
