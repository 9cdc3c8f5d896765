package server_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"propusk/certs"
	"propusk/gost/gost3410"
	"propusk/gost/gosttls"
	"propusk/gost/pkcs8"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/server"
	"propusk/server/admin"
	"propusk/server/config"
	"propusk/server/testgateway"
	"propusk/tokens/soft"
	"propusk/tokens/soft/softtest"
	"propusk/tokens/softhsmtest"
)

// safeplace is what holds the keys of a gateway: a soft token in its PKCS#11 library for GOST,
// and SoftHSM for the rest.
type safeplace struct {
	soft *softtest.Token
	hsm  *softhsmtest.Token
	oidc *ecdsa.PrivateKey
}

const softLabel = "Gateway"

// inTokens is a change that puts every key and every secret of a gateway into tokens, and
// takes the files away.
func inTokens(t *testing.T, x *safeplace, usage soft.Usage) func(*testgateway.Gateway) {
	t.Helper()
	library := softtest.Module(t)
	x.soft = softtest.New(t, softtest.Options{Label: softLabel, NoKey: true})
	t.Setenv(softtest.Environment, x.soft.Dir)
	x.hsm = softhsmtest.New(t)
	return func(g *testgateway.Gateway) {
		g.WriteFile("soft.pin", x.soft.PIN+"\n")
		g.WriteFile("hsm.pin", softhsmtest.PIN)
		g.Config.HSM = config.HSM{Module: softhsmtest.Library, PINFile: g.Path("hsm.pin"), Sessions: 2}
		inSoft := func(label string, id byte, file string) string {
			key, alg := readGOST(t, g.Path(file))
			x.soft.Import(t, key, alg, label, id, usage)
			return fmt.Sprintf("pkcs11:token=%s;object=%s;type=private?module-path=%s&pin-source=file:%s", softLabel, label, library, g.Path("soft.pin"))
		}
		host := inSoft("host", 1, "tls/gost-256.key")
		g.Config.Public.TLS.GOSTKey = host
		g.Config.SignIn.TLS.GOSTKey = strings.Replace(host, "object=host", "id=%01", 1)
		g.Config.Report = config.Report{Certificate: g.Path("people/ul/cert.pem"), Key: inSoft("report", 2, "people/ul/key.pem")}

		x.hsm.Import("host", 1, readPEM(t, g.Path("tls/ecdsa.key")))
		g.Config.Public.TLS.Key, g.Config.SignIn.TLS.Key = "pkcs11:object=host", "pkcs11:id=%01;token=HSM"
		var err error
		if x.oidc, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
		x.hsm.Import("oidc", 2, x.oidc)
		g.Config.OIDC.Key = "pkcs11:object=oidc"
		x.hsm.Data("subject", []byte(strings.Repeat("07", 32)), true)
		x.hsm.Data("client", []byte(testgateway.ClientSecret+"\n"), true)
		g.Config.OIDC.SubjectSecret = "pkcs11:object=subject;type=data"
		g.Config.OIDC.Clients[0].SecretFile = "pkcs11:object=client"
		for _, file := range []string{"tls/gost-256.key", "tls/ecdsa.key", "subject.hex", "client.secret"} {
			if err := os.Remove(g.Path(file)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func readPEM(t *testing.T, file string) crypto.PrivateKey {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func readGOST(t *testing.T, file string) (*gost3410.PrivateKey, asn1.ObjectIdentifier) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	key, algorithm, err := pkcs8.Parse(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key, algorithm.ParamSet
}

// TestKeysInTokens: a gateway without the file of any key signs people in over every suite,
// gives out identity tokens that verify, and signs reports that openssl verifies.
func TestKeysInTokens(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	var x safeplace
	g := testgateway.Start(t, inTokens(t, &x, 0))
	for suite, name := range suites() { // OpenSSL with TLS 1.2, where the module does KEG
		if out := peer.Curl(g, suite, "ip", g.Config.SignIn.URL+"/api/v1/whoami"); parseWhoAmI(t, out).Connection.Suite != name {
			t.Errorf("%s:\n%s", name, out)
		}
	}
	// And with CNT_IMIT, where it does VKO.
	host := strings.TrimPrefix(g.Config.SignIn.URL, "https://")
	out := peer.Run([]byte("GET /api/v1/whoami HTTP/1.1\r\nHost: "+host+"\r\n\r\n"), "openssl", "s_client", "-quiet", "-connect", host, "-tls1_2",
		"-cipher", "IANA-GOST2012-GOST8912-GOST8912", "-CAfile", g.Path("tls/gost-ca.pem"), "-verify_return_error",
		"-cert", g.Path("people/ip/cert.pem"), "-key", g.Path("people/ip/key.pem"))
	if !strings.Contains(out, "28147_CNT_IMIT") || !strings.Contains(out, "TOTAL-PASSED") {
		t.Errorf("CNT_IMIT:\n%s", out)
	}
	signInWithTokens(t, g, &x)
	signedReport(t, g, peer)
	if a := g.Get(g.Browser(), g.Config.Public.URL+"/"); a.TLS == nil || a.StatusCode != http.StatusOK {
		t.Errorf("ordinary TLS: %d", a.StatusCode)
	}
	for _, secret := range []string{softhsmtest.PIN, testgateway.ClientSecret} {
		if strings.Contains(g.Log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

// signInWithTokens goes the way of a person with TLS 1.3, and verifies the identity token
// with the key set of the gateway.
func signInWithTokens(t *testing.T, g *testgateway.Gateway, x *safeplace) {
	t.Helper()
	var seen gosttls.ConnectionState
	c := g.GOSTBrowser("ip", func(config *gosttls.Config) {
		config.VerifyPeer = func(s gosttls.ConnectionState) error { seen = s; return nil }
	})
	a := g.Get(c, g.Get(c, authorizeURL(g, "state")).Location())
	u, err := url.Parse(g.Get(c, a.Location()).Location())
	if err != nil || seen.Version != gosttls.VersionTLS13 {
		t.Fatalf("version %#04x, %v", seen.Version, err)
	}
	a = redeem(t, g, u.Query().Get("code"))
	wantStatus(t, a, http.StatusOK)
	var issued struct {
		ID string `json:"id_token"`
	}
	var discovery struct {
		Keys string `json:"jwks_uri"`
	}
	var set jose.JSONWebKeySet
	unmarshal := func(text string, to any) {
		if err := json.Unmarshal([]byte(text), to); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
	unmarshal(a.Text, &issued)
	unmarshal(g.Get(g.Browser(), g.Config.Public.URL+"/.well-known/openid-configuration").Text, &discovery)
	unmarshal(g.Get(g.Browser(), discovery.Keys).Text, &set)
	token, err := jose.ParseSignedCompact(issued.ID, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	keys := set.Key(token.Signatures[0].Header.KeyID)
	if len(keys) != 1 || !x.oidc.PublicKey.Equal(keys[0].Key) {
		t.Fatalf("%d keys %q", len(keys), token.Signatures[0].Header.KeyID)
	}
	claims, err := token.Verify(keys[0])
	if err != nil || !strings.Contains(string(claims), g.Country.Person("ip").INN) {
		t.Errorf("%s, %v", claims, err)
	}
}

// signedReport gets a verdict and lets openssl verify who signed it.
func signedReport(t *testing.T, g *testgateway.Gateway, peer *testgateway.OpenSSL) {
	t.Helper()
	contentType, body := form(t, map[string][]byte{"signature": signature(t, peer, g, "ip", "Договор", "-nodetach")})
	answer := g.Post(g.Browser(), g.Config.Public.URL+"/api/v1/verify?format=signed", contentType, body)
	var signed report.Signed
	if err := json.Unmarshal([]byte(answer.Text), &signed); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%d %s: %v", answer.StatusCode, answer.Text, err)
	}
	g.WriteFile("report.json", string(signed.Report))
	g.WriteFile("report.sig", string(signed.Signature))
	peer.Run(nil, "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", g.Path("report.sig"), "-content", g.Path("report.json"),
		"-noverify", "-out", g.Path("report.out"))
}

// TestLostToken: what needs a token fails while it is away, and works again when it is back,
// with nobody's help; what does not need it goes on.
func TestLostToken(t *testing.T) {
	var x safeplace
	g := testgateway.Start(t, inTokens(t, &x, 0))
	get := func() error {
		c := g.GOSTBrowser("ip", func(config *gosttls.Config) { config.MaxVersion = gosttls.VersionTLS12 })
		res, err := c.Get(g.Config.SignIn.URL + "/api/v1/whoami")
		if err != nil {
			return err
		}
		return res.Body.Close()
	}
	if err := get(); err != nil {
		t.Fatal(err)
	}
	away := filepath.Join(t.TempDir(), "away")
	if err := os.Rename(x.soft.Path, away); err != nil {
		t.Fatal(err)
	}
	if err := get(); err == nil {
		t.Error("a handshake without the key")
	}
	wantStatus(t, g.Get(g.Browser(), g.Config.Public.URL+"/"), http.StatusOK)
	if !strings.Contains(g.Log.String(), "token with keys of the gateway lost") {
		t.Errorf("not told:\n%s", g.Log)
	}
	wantLost(t, g, x.soft.Label)
	if err := os.Rename(away, x.soft.Path); err != nil {
		t.Fatal(err)
	}
	if err := get(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(g.Log.String(), "is back") {
		t.Errorf("not told:\n%s", g.Log)
	}
	wantLost(t, g)
}

// wantLost wants operators to be told which tokens and keys are lost.
func wantLost(t *testing.T, g *testgateway.Gateway, names ...string) {
	t.Helper()
	ready := g.Get(http.DefaultClient, g.Admin()+"/readyz")
	var state admin.Ready
	if err := json.Unmarshal([]byte(ready.Text), &state); err != nil || ready.StatusCode != http.StatusOK || !slices.Equal(state.LostKeys, names) {
		t.Errorf("%v: %d %s, want %q lost", err, ready.StatusCode, ready.Text, names)
	}
	if metrics := g.Get(http.DefaultClient, g.Admin()+"/metrics").Text; !strings.Contains(metrics, fmt.Sprintf("\npropusk_keys_lost %d\n", len(names))) {
		t.Errorf("want %q lost:\n%s", names, metrics)
	}
}

// TestKeyThatOnlySigns: suites that the key cannot do are not offered, the others are, and the
// log says so.
func TestKeyThatOnlySigns(t *testing.T) {
	var x safeplace
	g := testgateway.Start(t, inTokens(t, &x, soft.Sign))
	for version, want := range map[uint16]bool{gosttls.VersionTLS12: false, gosttls.VersionTLS13: true} {
		c := g.GOSTBrowser("", func(config *gosttls.Config) { config.MinVersion, config.MaxVersion = version, version })
		res, err := c.Get(g.Config.Public.URL + "/")
		if (err == nil) != want {
			t.Errorf("%#04x: %v", version, err)
		}
		if err == nil {
			res.Body.Close()
		}
	}
	if !strings.Contains(g.Log.String(), "are not offered") || !strings.Contains(g.Log.String(), "KUZNYECHIK_CTR_OMAC") {
		t.Errorf("not told:\n%s", g.Log)
	}
	c := g.Config
	c.GOSTTLS.Suites = []string{gosttls.CipherSuiteName(gosttls.KuznyechikCTROMAC)}
	if _, err := newServer(c); err == nil || !strings.Contains(err.Error(), "public.tls.gost_key: the key can do none of gost_tls.suites") {
		t.Errorf("%v", err)
	}
}

func newServer(c config.Config) (*server.Server, error) {
	s, err := server.New(server.Options{
		Config: c, Trust: certs.NewStore(server.TrustSource(c.Trust), time.Now), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err == nil {
		err = s.Close()
	}
	return s, err
}

// TestBadKeysInTokens: a gateway does not start with a key that it cannot reach or that is
// another one, and says which field is wrong and why. A wrong PIN is tried once.
func TestBadKeysInTokens(t *testing.T) {
	var x safeplace
	g := testgateway.Start(t, inTokens(t, &x, 0))
	x.hsm.Data("open", []byte("a secret that everybody can read"), false)
	x.hsm.Data("short", []byte("short"), true)
	g.WriteFile("wrong.pin", "00000000")
	g.WriteFile("empty.pin", "\n")
	g.WriteFile("loose.pin", x.soft.PIN)
	if err := os.Chmod(g.Path("loose.pin"), 0o640); err != nil {
		t.Fatal(err)
	}
	pin := func(file string) func(*config.Config) {
		return func(c *config.Config) {
			for _, key := range []*string{&c.Public.TLS.GOSTKey, &c.SignIn.TLS.GOSTKey, &c.Report.Key} {
				*key = strings.Replace(*key, "soft.pin", file, 1)
			}
		}
	}
	for name, test := range map[string]struct {
		change func(*config.Config)
		words  []string
	}{
		"nothing":       {func(*config.Config) {}, nil},
		"no library":    {func(c *config.Config) { c.HSM.Module = "/nowhere/lib.so" }, []string{"server: oidc.key: ", "/nowhere/lib.so", string(reason.TokenModuleBad)}},
		"no such name":  {func(c *config.Config) { c.OIDC.Key += "?module-name=nosuch" }, []string{"oidc.key", "nosuch"}},
		"no such token": {func(c *config.Config) { c.OIDC.Key = "pkcs11:object=oidc;token=none" }, []string{"oidc.key", string(reason.TokenAbsent)}},
		"no such key":   {func(c *config.Config) { c.OIDC.Key = "pkcs11:object=none" }, []string{"oidc.key", string(reason.TokenObjectAbsent), "none"}},
		"no such GOST key": {func(c *config.Config) {
			c.Report.Key = strings.Replace(c.Report.Key, "object=report", "object=none", 1)
		}, []string{"server: report: ", string(reason.TokenKeyAbsent)}},
		"another key": {func(c *config.Config) {
			c.Report.Key = strings.Replace(c.Report.Key, "object=report", "object=host", 1)
		}, []string{"server: report: ", "does not belong"}},
		"another TLS key": {func(c *config.Config) { c.Public.TLS.Key = "pkcs11:object=oidc" }, []string{"server: public.tls: ", "does not belong"}},
		"open secret":     {func(c *config.Config) { c.OIDC.Clients[0].SecretFile = "pkcs11:object=open" }, []string{"oidc.clients[0].secret_file", string(reason.TokenDataPublic)}},
		"short secret":    {func(c *config.Config) { c.OIDC.Clients[0].SecretFile = "pkcs11:object=short" }, []string{"oidc.clients[0].secret_file", "at least 16"}},
		"no secret":       {func(c *config.Config) { c.OIDC.SubjectSecret = "pkcs11:object=none" }, []string{"oidc.subject_secret", string(reason.TokenObjectAbsent)}},
		"no PIN file":     {pin("none.pin"), []string{"public.tls", "none.pin"}},
		"loose PIN file":  {pin("loose.pin"), []string{"public.tls", "chmod 600"}},
		"empty PIN file":  {pin("empty.pin"), []string{"public.tls", "is empty"}},
		"two PINs": {func(c *config.Config) { c.Report.Key = strings.Replace(c.Report.Key, "soft.pin", "hsm.pin", 1) },
			[]string{"server: report: ", "two files with its PIN"}},
	} {
		refusedConfig(t, g, name, test.change, test.words)
	}
	// Three keys want the wrong PIN, which is sent once.
	refusedConfig(t, g, "wrong PIN", pin("wrong.pin"),
		[]string{"server: public.tls: ", "server: signin.tls: ", "server: report: ", string(reason.TokenPINWrong)})
	token, err := soft.Open(x.soft.Path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := token.Info(); err != nil || info.UserTries != soft.MaxTries-1 {
		t.Errorf("%d tries left, %v", info.UserTries, err)
	}
}

// refusedConfig changes the configuration of a gateway and looks at why it does not start;
// without words it must.
func refusedConfig(t *testing.T, g *testgateway.Gateway, name string, change func(*config.Config), words []string) {
	t.Helper()
	c := g.Config
	c.OIDC.Clients = append([]config.Client(nil), c.OIDC.Clients...)
	change(&c)
	_, err := newServer(c)
	if (err == nil) != (words == nil) {
		t.Errorf("%s: %v", name, err)
	}
	if err == nil {
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%s: no %q in %v", name, word, err)
		}
	}
	if strings.Contains(err.Error(), "00000000") || strings.Contains(err.Error(), softhsmtest.PIN) {
		t.Errorf("%s: a PIN is in %v", name, err)
	}
}
