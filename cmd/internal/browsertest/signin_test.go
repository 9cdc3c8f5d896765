package browsertest

import (
	"os"
	"testing"

	"propusk/tokens"
	"propusk/tokens/pcsctest"
	"propusk/tokens/virtualcard"
)

// openSC is Debian's PKCS#11 library, somebody else's code between the agent and a card.
const openSC = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"

// TestSignIn takes a new user with a soft token from the click in the cabinet to its
// greeting, and sees that every certificate that cannot be used is refused with the right
// words: by the agent, before the PIN, or by the gateway.
func TestSignIn(t *testing.T) {
	w := newWorld(t, nil)
	people := []string{"ip", "ip512", "expired", "notyet", "unknown-ca", "terminated-ca", "revoked", "unqualified", "ul", "fl"}
	for _, id := range people {
		w.addToken(t, id)
	}
	in := w.input(nil, people...)
	in["signer"], in["clumsy"], in["pictures"] = "ip", "ip512", "soft"
	in["unusable"] = map[string]string{
		"expired": "истёк", "notyet": "ещё не начался|ещё не действует|начн", "unqualified": "квалифицированн",
		"ul": "юридическ|другого вида|не того вида|ОГРНИП", "fl": "физическ|другого вида|не того вида|ОГРНИП",
		"unknown-ca": "удостоверяющ", "terminated-ca": "аккредит",
	}
	// Only the gateway knows what was revoked.
	in["refused"] = map[string]string{"revoked": "отозван"}
	Run(t, "signin", in)
}

// TestSignInVirtualCard is TestSignIn with a card in a reader: pcscd, Debian's OpenSC in
// a process of its own, and the agent.
func TestSignInVirtualCard(t *testing.T) {
	Require(t)
	if _, err := os.Stat(openSC); err != nil {
		if os.Getenv("PROPUSK_REQUIRE_INTEROP") == "1" {
			t.Fatal("apt-get install opensc: ", err)
		}
		t.Skip("apt-get install opensc: ", err)
	}
	service := pcsctest.Start(t)
	w := newWorld(t, []string{openSC}, tokens.Environment(service.Env()...))
	ip := w.gateway.Country.Person("ip")
	card, err := virtualcard.New(virtualcard.Options{Key: ip.Key, Certificate: ip.Certificate.Raw, PIN: []byte(ip.PIN)})
	if err != nil {
		t.Fatal(err)
	}
	service.Insert(card)
	in := w.input(nil, "ip")
	in["signer"], in["pictures"] = "ip", "card"
	Run(t, "signin", in)
}
