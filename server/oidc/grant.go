package oidc

import (
	"sync"
	"time"

	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// grant is a finished sign-in on its way to the service: behind a ticket, then
// behind a code, then behind an access token. It implements op.AuthRequest.
type grant struct {
	id    string
	req   Request
	login Login
	sub   string

	mu      sync.Mutex
	used    bool   // the code was presented
	revoked bool   // the code was presented again
	token   string // key of the access token, once there is one
}

var _ op.AuthRequest = (*grant)(nil)

// use marks the code as presented. The second time it returns false, and the
// access token that the first one gave, to be revoked. RFC 6749, Section 4.1.2.
func (g *grant) use() (token string, first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.used {
		g.revoked = true
		return g.token, false
	}
	g.used = true
	return "", true
}

// issue notes the access token, unless the grant was revoked meanwhile.
func (g *grant) issue(token string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.revoked {
		return false
	}
	g.token = token
	return true
}

// GetID implements op.AuthRequest. Before sign-in it is the sealed request.
func (g *grant) GetID() string { return g.id }

// GetACR implements op.AuthRequest.
func (g *grant) GetACR() string { return g.login.Level.ACR() }

// GetAMR implements op.AuthRequest.
func (g *grant) GetAMR() []string { return g.login.AMR }

// GetAudience implements op.AuthRequest.
func (g *grant) GetAudience() []string { return []string{g.req.ClientID} }

// GetAuthTime implements op.AuthRequest.
func (g *grant) GetAuthTime() time.Time { return g.login.At }

// GetClientID implements op.AuthRequest.
func (g *grant) GetClientID() string { return g.req.ClientID }

// GetCodeChallenge implements op.AuthRequest. It is never nil: without a
// challenge there is no request.
func (g *grant) GetCodeChallenge() *zoidc.CodeChallenge {
	return &zoidc.CodeChallenge{Challenge: g.req.Challenge, Method: zoidc.CodeChallengeMethodS256}
}

// GetNonce implements op.AuthRequest.
func (g *grant) GetNonce() string { return g.req.Nonce }

// GetRedirectURI implements op.AuthRequest.
func (g *grant) GetRedirectURI() string { return g.req.RedirectURI }

// GetResponseType implements op.AuthRequest.
func (g *grant) GetResponseType() zoidc.ResponseType { return zoidc.ResponseTypeCode }

// GetResponseMode implements op.AuthRequest.
func (g *grant) GetResponseMode() zoidc.ResponseMode { return zoidc.ResponseModeQuery }

// GetScopes implements op.AuthRequest.
func (g *grant) GetScopes() []string { return g.req.Scopes }

// GetState implements op.AuthRequest.
func (g *grant) GetState() string { return g.req.State }

// GetSubject implements op.AuthRequest.
func (g *grant) GetSubject() string { return g.sub }

// Done implements op.AuthRequest: only a sign-in makes a subject.
func (g *grant) Done() bool { return g.sub != "" }
