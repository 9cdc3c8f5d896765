//go:build cgo && linux

package conformance_test

import (
	"encoding/asn1"
	"os/exec"
	"testing"

	"propusk/tokens"
	"propusk/tokens/conformance"
	"propusk/tokens/pcsctest"
	"propusk/tokens/soft"
	"propusk/tokens/soft/softtest"
	"propusk/tokens/virtualcard"
)

// openSC is the library of Debian's opensc-pkcs11.
func openSC(t *testing.T) string {
	t.Helper()
	for _, l := range tokens.InstalledLibraries() {
		if l.Vendor == "OpenSC" {
			return l.Paths[0]
		}
	}
	softtest.Missing(t, "no opensc-pkcs11.so (Debian: opensc-pkcs11)")
	return ""
}

// rutoken is a virtual Rutoken with a key that is in a certificate.
func rutoken(t *testing.T, set asn1.ObjectIdentifier) (*virtualcard.Card, conformance.Key) {
	t.Helper()
	// The certificate is signed by the key, which a soft token has meanwhile.
	key := conformance.NewKey(t, set)
	place := softtest.New(t, softtest.Options{NoKey: true})
	token, err := soft.Open(place.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := token.Login(soft.User, []byte(place.PIN)); err != nil {
		t.Fatal(err)
	}
	defer token.Logout()
	object, err := token.Import(key, soft.KeyTemplate{ParamSet: set, Label: "key", ID: []byte{0x45}})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := token.Key(object)
	if err != nil {
		t.Fatal(err)
	}
	certificate := softtest.Certificate(t, signer, set, "Virtual Rutoken")
	card, err := virtualcard.New(virtualcard.Options{Key: key, Certificate: certificate, Label: "Rutoken"})
	if err != nil {
		t.Fatal(err)
	}
	return card, conformance.Key{ID: []byte{0x45}, ParamSet: set, Public: key.PublicKey(), Certificate: certificate}
}

// unlock is the security officer, who gives the user's PIN its tries back.
func unlock(t *testing.T, card *virtualcard.Card) {
	t.Helper()
	for _, apdu := range []string{
		"\x80\x40\x00\x00", // whoever is logged in leaves
		"\x00\x20\x00\x01\x0887654321",
		"\x00\x2C\x03\x02",
		"\x80\x40\x00\x00",
	} {
		if answer := card.Transmit([]byte(apdu)); len(answer) != 2 || answer[0] != 0x90 {
			t.Errorf("%X: %X", apdu, answer)
		}
	}
}

// Debian's OpenSC with a card of ours: software of others between the bridge and the
// key. It signs with keys of 256 bits, and does nothing else of GOST.
func TestOpenSC(t *testing.T) {
	library := openSC(t)
	if _, err := exec.LookPath("pcscd"); err != nil {
		softtest.Missing(t, "no pcscd (Debian: pcscd)")
	}
	service := pcsctest.Start(t)
	for _, set := range []asn1.ObjectIdentifier{{1, 2, 643, 2, 2, 35, 1}, {1, 2, 643, 2, 2, 35, 2}, {1, 2, 643, 2, 2, 35, 3}} {
		card, key := rutoken(t, set)
		service.Insert(card)
		module, err := tokens.Open(library)
		if err != nil {
			t.Fatal(err)
		}
		b := conformance.Backend{
			Name: "opensc-" + key.Public.Curve().Name(), Module: module, Token: "Rutoken (User PIN)", PIN: "12345678", Model: "opensc",
			Keys: []conformance.Key{key}, Certificates: [][]byte{key.Certificate},
			Sign256: true,
			Tries:   func(*testing.T) int { return card.TriesLeft() }, MaxTries: 10, TellsLastTry: true, Remembers: true,
			Unlock: func(t *testing.T) { unlock(t, card) },
			Remove: func(*testing.T) { service.Remove() },
			Insert: func(*testing.T) { service.Insert(card) },
		}
		conformance.Run(t, b)
		if err := module.Close(); err != nil {
			t.Error(err)
		}
		service.Remove()
	}
}
