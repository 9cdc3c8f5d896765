//go:build unix

package browsertest

import (
	"os"
	"testing"

	"propusk/server/page/plugins"
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
	t.Parallel()
	w := newWorld(t, nil)
	people := []string{"ip", "ip512", "expired", "notyet", "unknown-ca", "terminated-ca", "revoked", "unqualified", "ul", "fl"}
	for _, id := range people {
		w.addToken(t, id)
	}
	in := w.input(nil, people...)
	in["signer"], in["clumsy"], in["pictures"] = "ip", "ip512", "soft"
	// The code, and what the words must have.
	in["unusable"] = map[string][2]string{
		"expired":       {"certificate-expired", "истёк"},
		"notyet":        {"certificate-not-yet-valid", "ещё не наступил"},
		"unqualified":   {"not-qualified", "не является квалифицированным"},
		"ul":            {"wrong-holder-kind", "другого вида"},
		"fl":            {"wrong-holder-kind", "другого вида"},
		"unknown-ca":    {"ca-not-listed", "отсутствует в перечне"},
		"terminated-ca": {"ca-not-accredited", "не аккредитован"},
	}
	// Only the gateway knows what was revoked.
	in["refused"] = map[string]string{"revoked": "отозван"}
	Run(t, "signin", in)
}

// TestSignInVirtualCard is TestSignIn with a card in a reader: pcscd, Debian's OpenSC in
// a process of its own, and the agent.
func TestSignInVirtualCard(t *testing.T) {
	t.Parallel()
	Require(t)
	if _, err := os.Stat(openSC); err != nil {
		if os.Getenv("PROPUSK_REQUIRE_INTEROP") == "1" {
			t.Fatal("apt-get install opensc: ", err)
		}
		t.Skip("apt-get install opensc: ", err)
	}
	service := pcsctest.StartQuiet(t)
	w := newWorld(t, []string{openSC}, tokens.Environment(service.Env()...))
	ip := w.gateway.Country.Person("ip")
	card, err := virtualcard.New(virtualcard.Options{Key: ip.Key, Certificate: ip.Certificate.Raw, PIN: []byte(ip.PIN)})
	if err != nil {
		t.Fatal(err)
	}
	service.Insert(card)
	in := w.input(nil, "ip")
	in["signer"], in["pictures"], in["brief"] = "ip", "card", true
	Run(t, "signin", in)
}

// TestSignInPlugin signs in on the gateway's page with fakes of the vendors' plug-ins,
// from the click in the cabinet to its greeting.
func TestSignInPlugin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if !plugins.Built() {
		t.Skip("the script is not built: make plugins") // its own test fails where it must be there
	}
	people := []string{"ip", "ip512", "revoked", "expired"}
	Run(t, "plugin", w.input(NewHost(t, holders(w.gateway.Country, people...)...), people...))
}

// TestAttacks tries what a site, or whoever else reaches a person's browser, could do to
// the person who signs in through the agent.
func TestAttacks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.addToken(t, "ip")
	Run(t, "attacks", w.input(nil, "ip"))
}
