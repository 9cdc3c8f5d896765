package oidc

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"slices"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// storage is the Provider as the library wants to see it. What only other grants
// than the code would need answers with an error.
type storage Provider

var (
	_ op.Storage                   = (*storage)(nil)
	_ op.CanSetUserinfoFromRequest = (*storage)(nil)
)

var (
	errNotOffered = errors.New("oidc: only the authorization code grant is offered")
	errUnknown    = errors.New("oidc: unknown, used or old")
	errFull       = errors.New("oidc: too many sign-ins are kept")
)

// CreateAuthRequest implements op.AuthStorage. Nobody asks: requests travel sealed, and the
// authorization endpoint is our own.
func (s *storage) CreateAuthRequest(context.Context, *zoidc.AuthRequest, string) (op.AuthRequest, error) {
	return nil, errNotOffered
}

// known leaves out the scopes that are not offered.
func known(asked []string) []string {
	return slices.DeleteFunc(slices.Clone(asked), func(s string) bool { return !slices.Contains(scopes(), s) })
}

// AuthRequestByID implements op.AuthStorage. Nobody asks: the way back calls the
// library with the grant itself.
func (s *storage) AuthRequestByID(context.Context, string) (op.AuthRequest, error) {
	return nil, errNotOffered
}

// SaveAuthCode implements op.AuthStorage.
func (s *storage) SaveAuthCode(ctx context.Context, id, code string) error {
	g, ok := ctx.Value(grantKey{}).(*grant)
	if !ok || g.id != id {
		return errUnknown
	}
	if !s.codes.PutAs(code, g) {
		return errFull
	}
	return nil
}

// AuthRequestByCode implements op.AuthStorage. A code is good once and for its own
// client only; the second time, whatever the first one gave is revoked. Another
// client changes nothing. A code of a visit that has ended since is good for nothing: the
// service would have been told of the end before it knows of the beginning.
func (s *storage) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	g, ok := s.codes.Get(code)
	if id, known := ctx.Value(clientKey{}).(string); !ok || !known || id != g.req.ClientID {
		return nil, errUnknown
	}
	token, first := g.use()
	if !first {
		s.tokens.Take(token)
		return nil, errUnknown
	}
	if !(*Provider)(s).goesOn(ctx, g) {
		return nil, errUnknown
	}
	return g, nil
}

// goesOn reports whether the visit goes on in which a service was given something; what was
// given without a visit is good by itself.
func (p *Provider) goesOn(ctx context.Context, g *grant) bool {
	return g.login.SID == "" || p.opts.Granted(ctx, g.login, g.req.ClientID) == nil
}

// DeleteAuthRequest implements op.AuthStorage. The code stays until its time is
// over, to notice that it is presented again.
func (s *storage) DeleteAuthRequest(context.Context, string) error { return nil }

// CreateAccessToken implements op.AuthStorage.
func (s *storage) CreateAccessToken(_ context.Context, r op.TokenRequest) (string, time.Time, error) {
	g, ok := r.(*grant)
	if !ok {
		return "", time.Time{}, errNotOffered
	}
	token, ok := s.tokens.Put(g)
	if !ok {
		return "", time.Time{}, errFull
	}
	if !g.issue(token) {
		s.tokens.Take(token)
		return "", time.Time{}, errUnknown
	}
	return token, s.opts.Now().Add(s.opts.TokenLife), nil
}

// CreateAccessAndRefreshTokens implements op.AuthStorage.
func (s *storage) CreateAccessAndRefreshTokens(context.Context, op.TokenRequest, string) (string, string, time.Time, error) {
	return "", "", time.Time{}, errNotOffered
}

// TokenRequestByRefreshToken implements op.AuthStorage.
func (s *storage) TokenRequestByRefreshToken(context.Context, string) (op.RefreshTokenRequest, error) {
	return nil, errNotOffered
}

// TerminateSession implements op.AuthStorage. Nobody asks: the logout endpoint is
// our own.
func (s *storage) TerminateSession(context.Context, string, string) error { return errNotOffered }

// RevokeToken implements op.AuthStorage.
func (s *storage) RevokeToken(context.Context, string, string, string) *zoidc.Error {
	return zoidc.ErrInvalidRequest()
}

// GetRefreshTokenInfo implements op.AuthStorage.
func (s *storage) GetRefreshTokenInfo(context.Context, string, string) (string, string, error) {
	return "", "", op.ErrInvalidRefreshToken
}

// SigningKey implements op.AuthStorage.
func (s *storage) SigningKey(context.Context) (op.SigningKey, error) { return s.key, nil }

// SignatureAlgorithms implements op.AuthStorage.
func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{s.key.algorithm}, nil
}

// KeySet implements op.AuthStorage.
func (s *storage) KeySet(context.Context) ([]op.Key, error) {
	return []op.Key{publicKey{s.key}}, nil
}

// GetClientByClientID implements op.OPStorage.
func (s *storage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	c, ok := s.clients[id]
	if !ok {
		return nil, zoidc.ErrInvalidClient().WithDescription("unknown client")
	}
	return c, nil
}

// AuthorizeClientIDSecret implements op.OPStorage, in time that does not depend
// on the secret.
func (s *storage) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	c, ok := s.clients[id]
	if !ok || c.Secret == "" {
		return errUnknown
	}
	got, want := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(c.Secret))
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		return errUnknown
	}
	return nil
}

// SetUserinfoFromScopes implements op.OPStorage; SetUserinfoFromRequest does it.
func (s *storage) SetUserinfoFromScopes(context.Context, *zoidc.UserInfo, string, string, []string) error {
	return nil
}

// SetUserinfoFromRequest implements op.CanSetUserinfoFromRequest: the claims of
// the identity token.
func (s *storage) SetUserinfoFromRequest(_ context.Context, info *zoidc.UserInfo, r op.IDTokenRequest, _ []string) error {
	g, ok := r.(*grant)
	if !ok {
		return errNotOffered
	}
	info.Subject = g.sub // the library puts it over the subject of the token
	for name, value := range g.claims() {
		info.AppendClaims(name, value)
	}
	return nil
}

// SetUserinfoFromToken implements op.OPStorage; our userinfo endpoint does not
// ask.
func (s *storage) SetUserinfoFromToken(context.Context, *zoidc.UserInfo, string, string, string) error {
	return errNotOffered
}

// SetIntrospectionFromToken implements op.OPStorage.
func (s *storage) SetIntrospectionFromToken(context.Context, *zoidc.IntrospectionResponse, string, string, string) error {
	return errNotOffered
}

// GetPrivateClaimsFromScopes implements op.OPStorage: access tokens are opaque.
func (s *storage) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}

// GetKeyByIDAndClientID implements op.OPStorage: clients have no keys.
func (s *storage) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errNotOffered
}

// ValidateJWTProfileScopes implements op.OPStorage.
func (s *storage) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, errNotOffered
}

// Health implements op.Storage.
func (s *storage) Health(context.Context) error { return nil }
