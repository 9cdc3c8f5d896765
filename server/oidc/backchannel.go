package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"propusk/server/session"
)

// logoutEvent is the event that makes a token a logout token. OpenID Connect Back-Channel
// Logout 1.0, Section 2.4.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutTokenLife is how long a logout token is good: two minutes, as Section 4 proposes.
const logoutTokenLife = 2 * time.Minute

// maxLogoutAnswer bounds what is read of the answer of a service, in bytes.
const maxLogoutAnswer = 4 << 10

// logoutClaims are those of a logout token. There is no sub, because sid is enough; and no
// nonce, so that it never passes for an identity token.
type logoutClaims struct {
	Issuer   string              `json:"iss"`
	Audience string              `json:"aud"`
	IssuedAt int64               `json:"iat"`
	Expires  int64               `json:"exp"`
	ID       string              `json:"jti"`
	SID      string              `json:"sid"`
	Events   map[string]struct{} `json:"events"`
}

// LogoutToken returns the token that tells a service of the end of a visit.
func (p *Provider) LogoutToken(clientID, sid string) (string, error) {
	key := jose.SigningKey{Algorithm: p.key.algorithm, Key: jose.JSONWebKey{Key: p.key.Key(), KeyID: p.key.id}}
	signer, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType("logout+jwt"))
	if err != nil {
		return "", fmt.Errorf("oidc: %w", err)
	}
	now := p.opts.Now()
	raw, err := jwt.Signed(signer).Claims(logoutClaims{
		Issuer: p.opts.Issuer, Audience: clientID, IssuedAt: now.Unix(), Expires: now.Add(logoutTokenLife).Unix(),
		ID: session.NewKey(), SID: sid, Events: map[string]struct{}{logoutEvent: {}},
	}).Serialize()
	if err != nil {
		return "", fmt.Errorf("oidc: %w", err)
	}
	return raw, nil
}

// LogOut tells a service of the end of a visit, and takes back the access tokens that it has
// by the visit. A service that is not there any more, or does not want to be told, is no
// error; an error means that it is to be tried again.
//
// The empty sid is that of no visit, and nothing happens.
func (p *Provider) LogOut(ctx context.Context, client *http.Client, clientID, sid string) error {
	if sid == "" {
		return nil
	}
	p.tokens.TakeWhere(func(g *grant) bool { return g.login.SID == sid && g.req.ClientID == clientID })
	c := p.clients[clientID]
	if c == nil || c.BackChannelLogoutURI == "" {
		return nil
	}
	token, err := p.LogoutToken(clientID, sid)
	if err != nil {
		return err
	}
	body := strings.NewReader(url.Values{"logout_token": {token}}.Encode())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.BackChannelLogoutURI, body)
	if err != nil {
		return errors.New("oidc: the address for logout tokens cannot be used")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("oidc: the service is not told: %w", err)
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, maxLogoutAnswer)) //nolint:errcheck // the status is the answer
	switch res.StatusCode {
	case http.StatusOK, http.StatusNoContent:
		return nil
	case http.StatusBadRequest:
		// Section 2.8: the logout failed; the same token would fail again, a later one
		// may not.
		return errors.New("oidc: the service says that the logout failed")
	}
	return fmt.Errorf("oidc: the service answers a logout token with status %d", res.StatusCode)
}
