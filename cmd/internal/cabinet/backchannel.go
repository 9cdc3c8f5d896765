package cabinet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// logoutEvent is what makes a token a logout token. OpenID Connect Back-Channel Logout 1.0,
// Section 2.4.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutTokenLife is how long a logout token may be good, so that one which comes a second
// time is known.
const logoutTokenLife = 10 * time.Minute

// backChannel takes a logout token of the provider and ends the sessions of the visit that it
// names. Section 2.5: the answer is 200, or 400 when the token proves nothing.
func (c *Cabinet) backChannel(w http.ResponseWriter, r *http.Request) {
	sid, err := c.logoutToken(r.Context(), r.PostFormValue("logout_token"))
	if err != nil {
		c.opts.Log.LogAttrs(r.Context(), slog.LevelWarn, "logout token refused", slog.String("err", err.Error()))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		w.Write([]byte(`{"error":"invalid_request"}`)) //nolint:errcheck // the provider went away
		return
	}
	// A sign-in by the same visit may be under way, and have its token already.
	c.ended.PutAs(sid, struct{}{})
	c.sessions.TakeWhere(func(a Account) bool { return a.SID == sid })
	w.WriteHeader(http.StatusOK)
}

// logoutToken checks a logout token: signature, issuer, audience and expiry by the library,
// the rest of Section 2.6 here. It returns the visit that has ended.
func (c *Cabinet) logoutToken(ctx context.Context, raw string) (sid string, err error) {
	parsed, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil {
		return "", errors.New("cabinet: not a token")
	}
	if typ := parsed.Headers[0].ExtraHeaders[jose.HeaderType]; typ != "logout+jwt" {
		return "", errors.New("cabinet: a token of another type")
	}
	provider, _, err := c.oauth(ctx)
	if err != nil {
		return "", err
	}
	token, err := provider.Verifier(&oidc.Config{ClientID: c.opts.ClientID}).Verify(oidc.ClientContext(ctx, c.client), raw)
	if err != nil {
		return "", fmt.Errorf("cabinet: verify the logout token: %w", err)
	}
	var claims struct {
		SID    string              `json:"sid"`
		ID     string              `json:"jti"`
		Nonce  *string             `json:"nonce"`
		Events map[string]struct{} `json:"events"`
	}
	if err := token.Claims(&claims); err != nil {
		return "", fmt.Errorf("cabinet: read the claims: %w", err)
	}
	_, logout := claims.Events[logoutEvent]
	if !logout || claims.Nonce != nil || claims.SID == "" || claims.ID == "" || time.Until(token.Expiry) > logoutTokenLife {
		return "", errors.New("cabinet: not a logout token")
	}
	if !c.farewell.PutAs(claims.ID, struct{}{}) {
		return "", errors.New("cabinet: this logout token was here before, or too many were")
	}
	return claims.SID, nil
}
