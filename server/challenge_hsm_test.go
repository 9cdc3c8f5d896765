package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"propusk/pki/reason"
	"propusk/server/config"
	"propusk/server/signrequest"
	"propusk/server/testgateway"
	"propusk/tokens/softhsmtest"
)

// TestChallengeKeysInToken: the keys that requests to agents are signed with may be in a
// token. While it is away no request is made, and plug-ins are asked as before.
func TestChallengeKeysInToken(t *testing.T) {
	hsm := softhsmtest.New(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	hsm.Import("challenge", 1, key)
	hsm.Import("longer", 2, p384)
	g := testgateway.Start(t, testgateway.WithChallenge, func(g *testgateway.Gateway) {
		g.WriteFile("hsm.pin", softhsmtest.PIN)
		g.Config.HSM = config.HSM{Module: softhsmtest.Library, PINFile: g.Path("hsm.pin"), Sessions: 2}
		g.Config.Challenge.Keys = []string{"pkcs11:object=challenge", g.Path(testgateway.ChallengeKey)}
	})
	v := newVisit(t, g)
	known := v.gateway()
	if id, err := signrequest.KeyID(&key.PublicKey); err != nil || len(known.Keys) != 2 || known.Keys[0].ID != id {
		t.Fatalf("the card: %+v, %v", known, err)
	}
	known.Keys = known.Keys[:1] // that of the token signs
	state := v.begin()
	jws, _ := strings.CutPrefix(v.get("/signin/open?state="+state).Location(), "http://127.0.0.1:17446/sign?request=")
	r, _, err := signrequest.Verify(jws, []signrequest.Gateway{known}, g.Clock())
	if err != nil {
		t.Fatal(err)
	}
	v.next(v.follow(v.answer(state, v.sign(r.Content(), v.signatory("ip")))))

	state = v.begin()
	back := hsm.Hide()
	a := v.get("/signin/open?state=" + state)
	wantCode(t, a, http.StatusInternalServerError, reason.InternalError) // nothing about a token: people would look at theirs
	if log := g.Log.String(); !strings.Contains(log, "token with keys of the gateway lost") {
		t.Errorf("not told:\n%s", log)
	}
	wantStatus(t, v.get("/signin/plugin?state="+v.beginPlugin()), http.StatusOK)
	back()

	refusedConfig(t, g, "P-384", func(c *config.Config) { c.Challenge.Keys = []string{"pkcs11:object=longer"} }, []string{"challenge", "P-256"})
	refusedConfig(t, g, "no such key", func(c *config.Config) { c.Challenge.Keys[0] = "pkcs11:object=none" }, []string{"challenge.keys[0]", "none"})
}
