//go:build unix

package pcsctest

import (
	"bytes"
	"crypto/rand"
	"encoding/asn1"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"propusk/gost/gost3410"
	"propusk/tokens/soft/softtest"
	"propusk/tokens/virtualcard"
)

// cryptoProA is the parameter set of keys on cards: 1.2.643.2.2.35.1.
var cryptoProA = asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 1}

// openSC runs a command of OpenSC and returns what it said.
func openSC(t *testing.T, s *Service, line ...string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath(line[0]); err != nil {
		softtest.Missing(t, "opensc is not installed")
	}
	cmd := exec.CommandContext(t.Context(), line[0], line[1:]...)
	cmd.Env = s.Env()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// says runs a command that must succeed and say some things.
func says(t *testing.T, s *Service, line []string, want ...string) {
	t.Helper()
	out, err := openSC(t, s, line...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	for _, w := range want {
		if !strings.Contains(out, w) {
			t.Errorf("%s says nothing of %q:\n%s", line, w, out)
		}
	}
}

func pkcs11(args ...string) []string {
	return append([]string{"pkcs11-tool", "--module", "opensc-pkcs11.so"}, args...)
}

// withCertificate makes a card whose key has a certificate.
func withCertificate(t *testing.T) (*virtualcard.Card, []byte) {
	t.Helper()
	key, err := gost3410.GenerateKey(gost3410.CryptoProA(), rand.Reader)
	must(t, err)
	der := softtest.Certificate(t, key, cryptoProA, "Card")
	card, err := virtualcard.New(virtualcard.Options{Key: key, Certificate: der, Label: "Карта", Serial: 0x2A})
	must(t, err)
	return card, der
}

// TestPersonalised lets OpenSC find everything on a card and sign with it, and OpenSSL
// check the signature.
func TestPersonalised(t *testing.T) {
	t.Parallel()
	s := StartQuiet(t)
	card, der := withCertificate(t)
	s.Insert(card)
	says(t, s, []string{"opensc-tool", "--name", "--serial"}, "Rutoken ECP (DS)", "00 00 00 00 00 00 00 2A")
	says(t, s, []string{"pkcs15-tool", "-D"}, "PKCS#15 Card [Карта]", "PIN [User PIN]", "PIN [Security Officer PIN]",
		"Private GOSTR3410 Key [key]", "3f001000100060020001", "Public GOSTR3410 Key [key]", "X.509 Certificate [key]")
	says(t, s, pkcs11("-L"), "Карта (User PIN)", "Aktiv Co.", "000000000000002a", "6/32")
	says(t, s, pkcs11("-l", "--pin", "12345678", "-O"), "Private Key Object", "Public Key Object", "Data object", "06072a850302022301")

	dir := t.TempDir()
	digest := softtest.Digest(32, []byte("a document"))
	in, out := filepath.Join(dir, "digest"), filepath.Join(dir, "signature")
	must(t, os.WriteFile(in, digest, 0o600))
	says(t, s, pkcs11("-l", "--pin", "12345678", "-s", "-m", "GOSTR3410", "-i", in, "-o", out))
	signature, err := os.ReadFile(out)
	must(t, err)
	if !softtest.OpenSSLVerify(t, cryptoProA, card.PublicKeys()[0], digest, signature) {
		t.Error("openssl refuses the signature of the card")
	}
	found := filepath.Join(dir, "certificate")
	says(t, s, pkcs11("-r", "-y", "data", "--application-label", "X.509", "-o", found))
	if got, err := os.ReadFile(found); err != nil || !bytes.Equal(got, der) {
		t.Errorf("the certificate was read as %x, %v", got, err)
	}
}

// TestPINs locks a card with OpenSC and lets the officer unlock it.
func TestPINs(t *testing.T) {
	t.Parallel()
	s := StartQuiet(t)
	card, err := virtualcard.New(virtualcard.Options{Tries: 3})
	must(t, err)
	s.Insert(card)
	for left := 2; left >= 0; left-- {
		if out, err := openSC(t, s, pkcs11("-l", "--pin", "00000000", "-O")...); err == nil || !strings.Contains(out, "CKR_PIN_") {
			t.Errorf("a wrong PIN: %v\n%s", err, out)
		}
		if got := card.TriesLeft(); got != left {
			t.Errorf("%d tries are left, want %d", got, left)
		}
	}
	if out, err := openSC(t, s, pkcs11("-l", "--pin", "12345678", "-O")...); err == nil || !strings.Contains(out, "CKR_PIN_LOCKED") {
		t.Errorf("a locked PIN: %v\n%s", err, out)
	}
	// OpenSC has no C_InitPIN for this card: the officer does what reset_retry_counter and
	// change_reference_data of the driver would.
	for _, apdu := range []string{"\x00\x20\x00\x01\x0887654321", "\x00\x2C\x03\x02",
		"\x00\x24\x01\x02\x16\x80\x02\x00\x10\xA5\x10новыйпин", "\x80\x40\x00\x00"} {
		if got := card.Transmit([]byte(apdu)); string(got) != "\x90\x00" {
			t.Fatalf("%x is answered with %x", apdu, got)
		}
	}
	if got := card.TriesLeft(); got != 3 {
		t.Errorf("%d tries are left after the officer's help", got)
	}
	says(t, s, pkcs11("-l", "--pin", "новыйпин", "-O"), "Private Key Object")
	says(t, s, pkcs11("-l", "--pin", "новыйпин", "--change-pin", "--new-pin", "12345678"))
	says(t, s, pkcs11("-l", "--pin", "12345678", "-O"), "Private Key Object")
}

// TestBlank lets pkcs15-init personalise a blank card and make a key on it.
func TestBlank(t *testing.T) {
	t.Parallel()
	s := StartQuiet(t)
	card, err := virtualcard.New(virtualcard.Options{Blank: true})
	must(t, err)
	s.Insert(card)
	says(t, s, []string{"pkcs15-init", "-C", "--so-pin", "87654321", "--so-puk=", "--label", "Blank"})
	says(t, s, []string{"pkcs15-init", "-P", "--auth-id", "2", "--so-pin", "87654321", "--pin", "12345678", "--puk=", "--label", "User"})
	says(t, s, []string{"pkcs15-init", "-F"})
	says(t, s, pkcs11("-l", "--pin", "12345678", "--keypairgen", "--key-type", "GOSTR3410:A", "--id", "45", "--label", "mine"), "Key pair generated")

	keys := card.PublicKeys()
	if len(keys) != 1 {
		t.Fatalf("%d keys are on the card", len(keys))
	}
	dir := t.TempDir()
	digest := softtest.Digest(32, []byte("a document"))
	in, out := filepath.Join(dir, "digest"), filepath.Join(dir, "signature")
	must(t, os.WriteFile(in, digest, 0o600))
	says(t, s, pkcs11("-l", "--pin", "12345678", "-s", "-m", "GOSTR3410", "-i", in, "-o", out))
	signature, err := os.ReadFile(out)
	must(t, err)
	if !softtest.OpenSSLVerify(t, cryptoProA, keys[0], digest, signature) {
		t.Error("openssl refuses the signature of the card")
	}
	says(t, s, []string{"pkcs15-init", "-D", "privkey,pubkey", "--id", "45", "--pin", "12345678"})
	if len(card.PublicKeys()) != 0 {
		t.Error("the key is still there")
	}
}

// TestService puts cards in and out, and ends and starts the service.
func TestService(t *testing.T) {
	s := Start(t)
	if os.Getenv("PCSCLITE_CSOCK_NAME") != s.Socket() {
		t.Error("the environment does not name the socket")
	}
	uec := virtualcard.Shows([]byte(virtualcard.ATRUEC))
	s.Insert(uec)
	card, err := virtualcard.New(virtualcard.Options{})
	must(t, err)
	s.InsertAt(1, card)
	says(t, s, []string{"opensc-tool", "--list-readers"}, Reader0, Reader1)
	says(t, s, []string{"opensc-tool", "--reader", "0", "--atr"}, "3b:7c:13:00:00:80:64:11:65:01:90:73:00:00:00:81:07")
	s.Insert(card2(t))
	says(t, s, []string{"opensc-tool", "--reader", "0", "--name"}, "Rutoken ECP (DS)")
	s.Remove()
	if out, err := openSC(t, s, "opensc-tool", "--reader", "0", "--atr"); err == nil {
		t.Errorf("an empty reader has an ATR:\n%s", out)
	}
	s.Stop()
	if out, _ := openSC(t, s, "opensc-tool", "--list-readers"); strings.Contains(out, Reader0) { // it says so or not
		t.Errorf("a service that ended has readers:\n%s", out)
	}
	s.Resume()
	s.Insert(uec)
}

func card2(t *testing.T) *virtualcard.Card {
	t.Helper()
	card, err := virtualcard.New(virtualcard.Options{})
	must(t, err)
	return card
}
