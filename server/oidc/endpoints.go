package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"propusk/pki/reason"
	"propusk/server/level"
	"propusk/server/request"
)

// discovery tells what is offered. OpenID Connect Discovery 1.0, Section 3. The
// library's own document also names flows that are not.
func (p *Provider) discovery(c *gin.Context) {
	at := func(path string) string { return p.opts.Issuer + path }
	visits := p.opts.Visit != nil
	acrs, claims := []string{level.QES.ACR()}, []string{"iss", "sub", "aud", "exp", "iat", "nonce", "acr", "amr", "auth_time", "kind", claimCert,
		"name", "organization", "inn", "innle", "ogrn", "ogrnip", "snils", "email", "email_verified"}
	if visits {
		acrs = []string{level.Password.ACR(), level.TwoFactor.ACR(), level.QES.ACR()}
		claims = append(claims, "sid", "taxpayer")
	}
	c.JSON(http.StatusOK, &zoidc.DiscoveryConfiguration{
		Issuer:                            p.opts.Issuer,
		AuthorizationEndpoint:             at("/authorize"),
		TokenEndpoint:                     at("/token"),
		UserinfoEndpoint:                  at("/userinfo"),
		EndSessionEndpoint:                at("/end_session"),
		JwksURI:                           at("/keys"),
		ScopesSupported:                   scopes(),
		ResponseTypesSupported:            []string{"code"},
		ResponseModesSupported:            []string{"query"},
		GrantTypesSupported:               []zoidc.GrantType{zoidc.GrantTypeCode},
		ACRValuesSupported:                acrs,
		SubjectTypesSupported:             []string{"pairwise"},
		IDTokenSigningAlgValuesSupported:  []string{string(p.key.algorithm)},
		TokenEndpointAuthMethodsSupported: []zoidc.AuthMethod{zoidc.AuthMethodBasic, zoidc.AuthMethodNone},
		CodeChallengeMethodsSupported:     []zoidc.CodeChallengeMethod{zoidc.CodeChallengeMethodS256},
		ClaimsSupported:                   claims,
		UILocalesSupported:                zoidc.Locales(languages),
		BackChannelLogoutSupported:        visits,
		BackChannelLogoutSessionSupported: visits,
	})
}

// clientKey is the context key of the ID of the client that asks for tokens.
type clientKey struct{}

// token is the token endpoint. RFC 6749, Section 4.1.3. The form is checked here
// because the library takes parameters from the URL too, and stumbles over a
// form that does not parse; the client, because the library looks at the code first.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	if e := checkToken(r); e != nil {
		oauthError(w, r, http.StatusBadRequest, e)
		return
	}
	c := p.authenticated(r)
	if c == nil {
		w.Header().Set("WWW-Authenticate", `Basic realm="token"`) // RFC 6749, Section 5.2
		oauthError(w, r, http.StatusUnauthorized, zoidc.ErrInvalidClient())
		return
	}
	request.From(r.Context()).Client = c.ID
	op.Exchange(w, r.WithContext(context.WithValue(r.Context(), clientKey{}, c.ID)), p.op)
}

// authenticated returns the client that asks, or nil when it does not prove itself:
// by HTTP Basic if it has a secret, by its mere name if it has none. RFC 6749,
// Section 2.3: one method only.
func (p *Provider) authenticated(r *http.Request) *client {
	named := r.PostForm.Get("client_id")
	if r.PostForm.Has("client_secret") || r.PostForm.Has("client_assertion") {
		return nil
	}
	user, password, basic := r.BasicAuth()
	if !basic {
		if c := p.clients[named]; c != nil && c.Secret == "" {
			return c
		}
		return nil
	}
	id, err1 := url.QueryUnescape(user)
	secret, err2 := url.QueryUnescape(password)
	if errors.Join(err1, err2) != nil || (named != "" && named != id) {
		return nil
	}
	if (*storage)(p).AuthorizeClientIDSecret(r.Context(), id, secret) != nil {
		return nil
	}
	return p.clients[id]
}

// checkToken checks the form of a token request and leaves it parsed in r.
func checkToken(r *http.Request) *zoidc.Error {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return zoidc.ErrInvalidRequest().WithDescription("send application/x-www-form-urlencoded")
	}
	if r.URL.RawQuery != "" {
		return zoidc.ErrInvalidRequest().WithDescription("parameters belong in the body")
	}
	if err := r.ParseForm(); err != nil {
		return zoidc.ErrInvalidRequest().WithDescription("the form does not parse")
	}
	if repeated(r.PostForm) {
		return zoidc.ErrInvalidRequest().WithDescription("a parameter occurs more than once")
	}
	if r.PostForm.Get("grant_type") != string(zoidc.GrantTypeCode) {
		return zoidc.ErrUnsupportedGrantType().WithDescription("only authorization_code is offered")
	}
	return nil
}

// userinfo answers with the claims of the access token's owner. OpenID Connect
// Core 1.0, Section 5.3; the token comes in the header only (RFC 6750, 2.1).
func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) {
	g, ok := p.bearer(r)
	if !ok {
		// RFC 6750, Section 3.
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		oauthError(w, r, http.StatusUnauthorized, &zoidc.Error{ErrorType: "invalid_token"})
		return
	}
	request.From(r.Context()).Client = g.req.ClientID
	claims := g.claims()
	claims["sub"] = g.sub
	writeJSON(w, http.StatusOK, claims)
}

// bearer returns the grant of the access token in the Authorization header.
func (p *Provider) bearer(r *http.Request) (*grant, bool) {
	scheme, sealed, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return nil, false
	}
	plain, err := p.op.Crypto().Decrypt(sealed)
	if err != nil {
		return nil, false
	}
	// The library seals "token:subject".
	token, sub, ok := strings.Cut(plain, ":")
	if !ok {
		return nil, false
	}
	g, ok := p.tokens.Get(token)
	return g, ok && g.sub == sub && p.goesOn(r.Context(), g)
}

// oauthError answers a client with an error of RFC 6749, Section 5.2.
func oauthError(w http.ResponseWriter, r *http.Request, status int, e *zoidc.Error) {
	ev := request.From(r.Context())
	ev.Code, ev.Err = reason.RequestMalformed, errorType(e)
	writeJSON(w, status, e)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic("oidc: a map of strings does not encode: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the client went away; there is nobody to tell
}

// errorType keeps the type of an error of the library and drops its text.
func errorType(err error) error {
	if e, ok := errors.AsType[*zoidc.Error](err); ok {
		return fmt.Errorf("oidc: %s", e.ErrorType)
	}
	return errors.New("oidc: internal error of the library")
}
