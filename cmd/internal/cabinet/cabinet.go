// Package cabinet is the demo relying party: a small taxpayer's cabinet that
// knows nothing of certificates and asks Propusk who the person is, by OpenID
// Connect with PKCE (OpenID Connect Core 1.0; RFC 7636).
//
// It is an example to copy from: what every service has to do is in this file, what one does
// whose parts want different levels in services.go, and the end of the visit in backchannel.go.
package cabinet

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"propusk/server/level"
	"propusk/server/session"
)

// Options is what a Cabinet needs to know.
type Options struct {
	// URL is where browsers find the cabinet, without a trailing slash. Its
	// /callback must be registered with the provider.
	URL string
	// Issuer is the URL of the provider, exactly as the provider writes it.
	Issuer string
	// ClientID and ClientSecret are the registration. A secret may be absent.
	ClientID, ClientSecret string
	// RootCAs verify the provider's ordinary TLS certificate; nil means those of
	// the system.
	RootCAs *x509.CertPool
	// Services are what the cabinet offers, each to who has proven enough; other fields of
	// them than ID, Name, Level, Kinds and Physical have nothing to say. Without services the
	// cabinet is one page, for who has signed in with a key.
	Services []level.Service
	// Log receives what went wrong; never personal data. Nil discards it.
	Log *slog.Logger
}

// Limits of what one cabinet keeps.
const (
	attemptLife = 15 * time.Minute // a person looks for the token and the PIN
	sessionLife = 30 * time.Minute
	maxKept     = 10000            // sessions
	backTimeout = 10 * time.Second // of a request to the provider
)

// Cabinet is the relying party. It implements http.Handler and is safe for
// concurrent use. Make it with New.
type Cabinet struct {
	opts     Options
	mux      *http.ServeMux
	client   *http.Client
	origin   http.CrossOriginProtection
	sessions *session.Store[Account]
	farewell *session.Store[struct{}] // logout tokens that were taken, by their jti
	ended    *session.Store[struct{}] // visits that have ended just now, by their sid

	mu       sync.Mutex
	provider *oidc.Provider // once it has answered
}

// attempt is a sign-in under way: three secrets that live in a cookie of the browser
// that began it, and nowhere else, so nobody can fill our memory with sign-ins that
// are never finished.
type attempt struct{ state, nonce, verifier string }

// secretLength is how many characters each secret of an attempt has: 256 bits in
// base64url.
const secretLength = 43

// String is the attempt as a cookie has it.
func (a attempt) String() string { return a.state + "." + a.nonce + "." + a.verifier }

// parseAttempt reads an attempt, if it is whole. An empty state must match nothing.
func parseAttempt(cookie string) (attempt, bool) {
	parts := strings.Split(cookie, ".")
	if len(parts) != 3 {
		return attempt{}, false
	}
	for _, p := range parts {
		if len(p) != secretLength {
			return attempt{}, false
		}
	}
	return attempt{parts[0], parts[1], parts[2]}, true
}

// Account is what the cabinet knows about a person who signed in.
type Account struct {
	Subject    string   `json:"sub"`
	Name       string   `json:"name"`
	Kind       string   `json:"kind"`
	INN        string   `json:"inn"`
	OGRNIP     string   `json:"ogrnip"`
	SNILS      string   `json:"snils"`
	ACR        string   `json:"acr"`
	AMR        []string `json:"amr"`
	AuthTime   int64    `json:"auth_time"` // seconds since 1970
	CertSHA256 string   `json:"cert_sha256"`
	// SID is the visit at the provider, whose end the provider tells of.
	SID string `json:"sid"`
	// Taxpayer is for whom the person acts; nil means for himself.
	Taxpayer *Taxpayer `json:"taxpayer"`
}

// Taxpayer is for whom a person acts.
type Taxpayer struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	INN    string `json:"inn"`
	INNLE  string `json:"innle"`
	OGRN   string `json:"ogrn"`
	OGRNIP string `json:"ogrnip"`
}

// requiredACR is what a cabinet without services lets in: a qualified certificate.
const requiredACR = "urn:propusk:acr:qes"

// New returns a Cabinet. It does not talk to the provider yet, so both may start
// in any order. The error names the option that cannot be used.
func New(o Options) (*Cabinet, error) {
	for name, value := range map[string]string{"URL": o.URL, "Issuer": o.Issuer} {
		u, err := url.Parse(value)
		if err != nil || u.Host == "" || strings.HasSuffix(value, "/") {
			return nil, fmt.Errorf("cabinet: %s must be an address without a trailing slash", name)
		}
	}
	if o.ClientID == "" {
		return nil, errors.New("cabinet: ClientID must be set")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Cabinet{
		opts: o,
		mux:  http.NewServeMux(),
		client: &http.Client{
			Timeout:   backTimeout,
			Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12}},
		},
		sessions: session.New[Account](maxKept, sessionLife, time.Now),
		farewell: session.New[struct{}](maxKept, logoutTokenLife, time.Now),
		ended:    session.New[struct{}](maxKept, backTimeout, time.Now),
	}
	c.mux.HandleFunc("GET /{$}", c.home)
	c.mux.HandleFunc("GET /login", c.login)
	c.mux.HandleFunc("GET /callback", c.callback)
	c.mux.HandleFunc("POST /logout", c.logout)
	c.mux.HandleFunc("POST /backchannel-logout", c.backChannel)
	if len(o.Services) > 0 {
		c.mux.HandleFunc("GET /services/{id}", c.service)
	}
	c.mux.HandleFunc("GET /cabinet.css", style)
	return c, nil
}

// ServeHTTP implements http.Handler.
func (c *Cabinet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self' "+c.opts.Issuer+"; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // with no-referrer, forms of ours would name no origin
	h.Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if err := c.origin.Check(r); err != nil { // the page of another site signs nobody out
		http.Error(w, "cross-origin request", http.StatusForbidden)
		return
	}
	c.mux.ServeHTTP(w, r)
}

// Serve answers on l until ctx ends, then lets requests under way finish for a few
// seconds. It takes over l and closes it. The error is nil after a clean shutdown.
func (c *Cabinet) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler: c, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("cabinet: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := srv.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = srv.Close()
	}
	if ended := <-failed; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

// oauth returns the configuration of the client, after the provider has told
// where its endpoints are.
func (c *Cabinet) oauth(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.provider == nil {
		// The provider keeps the context for fetching keys later on.
		p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), c.client), c.opts.Issuer)
		if err != nil {
			return nil, nil, fmt.Errorf("cabinet: ask the provider: %w", err)
		}
		c.provider = p
	}
	return c.provider, &oauth2.Config{
		ClientID:     c.opts.ClientID,
		ClientSecret: c.opts.ClientSecret,
		Endpoint:     c.provider.Endpoint(),
		RedirectURL:  c.opts.URL + "/callback",
		Scopes:       []string{oidc.ScopeOpenID, "profile"},
	}, nil
}

// login begins a sign-in: three secrets, one browser.
func (c *Cabinet) login(w http.ResponseWriter, r *http.Request) {
	_, config, err := c.oauth(r.Context())
	if err != nil {
		c.fail(w, r, http.StatusBadGateway, "provider-unreachable", err)
		return
	}
	a := attempt{state: session.NewKey(), nonce: session.NewKey(), verifier: oauth2.GenerateVerifier()}
	c.setCookie(w, attemptCookie, a.String(), attemptLife)
	options := append(c.wanted(w, r), oidc.Nonce(a.nonce), oauth2.S256ChallengeOption(a.verifier))
	http.Redirect(w, r, config.AuthCodeURL(a.state, options...), http.StatusSeeOther)
}

// callback ends a sign-in: the browser must be the one that began it.
func (c *Cabinet) callback(w http.ResponseWriter, r *http.Request) {
	a, ok := parseAttempt(c.cookie(r, attemptCookie))
	q := r.URL.Query()
	if !ok || subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(a.state)) != 1 {
		c.fail(w, r, http.StatusBadRequest, "state-mismatch", errors.New("the answer does not belong to a sign-in of this browser"))
		return
	}
	c.setCookie(w, attemptCookie, "", -time.Second) // good once
	if q.Get("error") != "" {
		c.fail(w, r, http.StatusForbidden, "refused-by-provider", errors.New("the provider refused"))
		return
	}
	account, err := c.redeem(r.Context(), q.Get("code"), a)
	if err != nil {
		c.fail(w, r, http.StatusForbidden, "identity-not-proven", err)
		return
	}
	key, ok := c.sessions.Put(account) // a new key: whatever the browser had before is worth nothing
	if !ok {
		c.fail(w, r, http.StatusServiceUnavailable, "busy", errors.New("too many sessions"))
		return
	}
	if _, over := c.ended.Get(account.SID); over && account.SID != "" { // while its token was on the way
		c.sessions.Take(key)
		c.fail(w, r, http.StatusForbidden, "identity-not-proven", errors.New("the visit has ended"))
		return
	}
	c.sessions.Take(c.cookie(r, sessionCookie))
	c.setCookie(w, sessionCookie, key, sessionLife)
	http.Redirect(w, r, c.opts.URL+c.chosen(w, r), http.StatusSeeOther)
}

// redeem exchanges the code for the identity token and checks it: signature,
// issuer, audience and expiry by the library, nonce, access token hash and level
// here.
func (c *Cabinet) redeem(ctx context.Context, code string, a attempt) (Account, error) {
	provider, config, err := c.oauth(ctx)
	if err != nil {
		return Account{}, err
	}
	token, err := config.Exchange(oidc.ClientContext(ctx, c.client), code, oauth2.VerifierOption(a.verifier))
	if err != nil {
		return Account{}, fmt.Errorf("cabinet: exchange the code: %w", err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return Account{}, errors.New("cabinet: the answer has no identity token")
	}
	id, err := provider.Verifier(&oidc.Config{ClientID: c.opts.ClientID}).Verify(oidc.ClientContext(ctx, c.client), raw)
	if err != nil {
		return Account{}, fmt.Errorf("cabinet: verify the identity token: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.nonce)) != 1 {
		return Account{}, errors.New("cabinet: the identity token is for another sign-in")
	}
	if err := id.VerifyAccessToken(token.AccessToken); err != nil {
		return Account{}, fmt.Errorf("cabinet: %w", err)
	}
	var account Account
	if err := id.Claims(&account); err != nil {
		return Account{}, fmt.Errorf("cabinet: read the claims: %w", err)
	}
	if !c.letsIn(account) || account.Subject == "" {
		return Account{}, errors.New("cabinet: the level of the sign-in is too low")
	}
	return account, nil
}

// logout ends the session here and says so to the provider. OpenID Connect
// RP-Initiated Logout 1.0. There is no id_token_hint: the token holds the name and
// the numbers of the person, and addresses stay in histories and logs.
func (c *Cabinet) logout(w http.ResponseWriter, r *http.Request) {
	_, ok := c.sessions.Take(c.cookie(r, sessionCookie))
	c.setCookie(w, sessionCookie, "", -time.Second)
	target := c.opts.URL + "/"
	if ok {
		if end := c.endSession(r.Context()); end != "" {
			target = end + "?" + url.Values{
				"client_id":                {c.opts.ClientID},
				"post_logout_redirect_uri": {c.opts.URL + "/"},
			}.Encode()
		}
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}

// endSession returns the logout endpoint of the provider, or "".
func (c *Cabinet) endSession(ctx context.Context) string {
	provider, _, err := c.oauth(ctx)
	if err != nil {
		return ""
	}
	var metadata struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&metadata); err != nil {
		return ""
	}
	return metadata.EndSession
}

// Names of cookies. Cookies know no ports, so the names say whose they are.
const (
	attemptCookie = "propusk-cabinet-attempt"
	sessionCookie = "propusk-cabinet-session"
	serviceCookie = "propusk-cabinet-service" // which service the sign-in is for
)

// setCookie sets a cookie, or removes it when life is negative.
func (c *Cabinet) setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: c.prefix() + name, Value: value, Path: "/", MaxAge: int(life.Seconds()),
		Secure: c.secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// cookie returns the value of a cookie, or "".
func (c *Cabinet) cookie(r *http.Request, name string) string {
	if cookies := r.CookiesNamed(c.prefix() + name); len(cookies) == 1 {
		return cookies[0].Value
	}
	return ""
}

// secure reports whether the cabinet is served over TLS. The demo on the loopback
// is not.
func (c *Cabinet) secure() bool { return strings.HasPrefix(c.opts.URL, "https://") }

func (c *Cabinet) prefix() string {
	if c.secure() {
		return "__Host-"
	}
	return ""
}
