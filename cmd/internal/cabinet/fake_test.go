package cabinet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// fakeProvider answers at the token endpoint with whatever claims a test wants.
type fakeProvider struct {
	*httptest.Server
	key    *ecdsa.PrivateKey
	claims map[string]any // of the next identity token
	signer *ecdsa.PrivateKey
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newFakeProvider(t *testing.T) *fakeProvider {
	t.Helper()
	p := &fakeProvider{key: newKey(t)}
	p.signer = p.key
	mux := http.NewServeMux()
	p.Server = httptest.NewTLSServer(mux)
	t.Cleanup(p.Close)
	reply := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token",
			"jwks_uri": p.URL + "/keys", "id_token_signing_alg_values_supported": []string{"ES256"},
		})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), Algorithm: "ES256", Use: "sig", KeyID: "k"}}})
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, _ *http.Request) {
		s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: p.signer, KeyID: "k"}}, nil)
		if err != nil {
			t.Error(err)
			return
		}
		raw, err := jwt.Signed(s).Claims(p.claims).Serialize()
		if err != nil {
			t.Error(err)
		}
		reply(w, map[string]any{"access_token": "the access token", "token_type": "Bearer", "expires_in": 60, "id_token": raw})
	})
	return p
}

// TestTokensThatProveNothing: a provider that errs, or somebody in its place, gets
// nobody into the cabinet. Every row changes one thing of a good answer.
func TestTokensThatProveNothing(t *testing.T) {
	p := newFakeProvider(t)
	roots := x509.NewCertPool()
	roots.AddCert(p.Certificate())
	c, err := New(Options{URL: "http://cabinet.example", Issuer: p.URL, ClientID: "cabinet", RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	half := sha256.Sum256([]byte("the access token"))
	now := time.Now()
	// attempt signs in with claims that change returns, and reports whether the
	// cabinet opened a session.
	attempt := func(change map[string]any) (bool, string) {
		login := httptest.NewRecorder()
		c.ServeHTTP(login, httptest.NewRequest(http.MethodGet, "/login", nil))
		u, err := url.Parse(login.Header().Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		p.claims = map[string]any{
			"iss": p.URL, "aud": "cabinet", "sub": "somebody", "exp": now.Add(time.Minute).Unix(), "iat": now.Unix(),
			"nonce": u.Query().Get("nonce"), "acr": requiredACR, "at_hash": base64.RawURLEncoding.EncodeToString(half[:16]),
		}
		maps.Copy(p.claims, change)
		r := httptest.NewRequest(http.MethodGet, "/callback?code=c&state="+u.Query().Get("state"), nil)
		for _, cookie := range login.Result().Cookies() {
			r.AddCookie(cookie)
		}
		w := httptest.NewRecorder()
		c.ServeHTTP(w, r)
		return strings.Contains(strings.Join(w.Header().Values("Set-Cookie"), " "), sessionCookie), w.Body.String()
	}
	if ok, body := attempt(nil); !ok {
		t.Fatalf("a good token is refused:\n%s", body)
	}
	for name, change := range map[string]map[string]any{
		"another nonce":        {"nonce": "x"},
		"no nonce":             {"nonce": nil},
		"lower level":          {"acr": "urn:propusk:acr:password"},
		"no level":             {"acr": nil},
		"nobody":               {"sub": ""},
		"another issuer":       {"iss": "https://evil.example"},
		"for another service":  {"aud": "other"},
		"over":                 {"exp": now.Add(-time.Minute).Unix()},
		"another access token": {"at_hash": base64.RawURLEncoding.EncodeToString(half[1:17])},
		"no access token hash": {"at_hash": nil},
	} {
		if ok, _ := attempt(change); ok {
			t.Errorf("%s: signed in", name)
		}
	}
	p.signer = newKey(t)
	if ok, _ := attempt(nil); ok {
		t.Error("signed by somebody else: signed in")
	}
}
