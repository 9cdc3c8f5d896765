package oidc

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"

	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"propusk/pki/reason"
)

// endSession is the logout endpoint. OpenID Connect RP-Initiated Logout 1.0. The
// library validates; the answers are ours, because it is a person who comes here.
func (p *Provider) endSession(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || repeated(r.Form) {
		p.refuse(w, r, reason.RequestMalformed)
		return
	}
	asked := &zoidc.EndSessionRequest{
		IdTokenHint: p.hint(r), ClientID: r.Form.Get("client_id"),
		PostLogoutRedirectURI: r.Form.Get("post_logout_redirect_uri"), State: r.Form.Get("state"),
	}
	end, err := op.ValidateEndSessionRequest(r.Context(), asked, p.op)
	if err != nil {
		code := reason.RedirectMismatch
		if errors.Is(err, zoidc.ErrInvalidClient()) {
			code = reason.ClientUnknown
		}
		p.refuse(w, r, code)
		return
	}
	p.forget(end.UserID, end.ClientID)
	p.logout(w, r, end.IDTokenHintClaims)
	http.Redirect(w, r, end.RedirectURI, http.StatusSeeOther)
}

// hint returns the identity token that a logout names, or "" when it is not one of
// ours: a token of an earlier key must not keep a person from logging out. Where
// the person may be sent then depends on the client alone, as without a hint.
func (p *Provider) hint(r *http.Request) string {
	raw := r.Form.Get("id_token_hint")
	_, err := op.VerifyIDTokenHint[*zoidc.IDTokenClaims](r.Context(), raw, p.op.IDTokenHintVerifier(r.Context()))
	if err != nil && !errors.As(err, &op.IDTokenHintExpiredError{}) {
		return ""
	}
	return raw
}

// forget ends the access tokens of a person at a service.
func (p *Provider) forget(sub, clientID string) {
	if sub != "" {
		p.tokens.TakeWhere(func(g *grant) bool { return g.sub == sub && g.req.ClientID == clientID })
	}
}

// certificateCookie tells the logout endpoint by which certificate a browser has signed
// in: services do not send the identity token there, because it holds the name of the
// person and addresses stay in histories. The cookie is sealed, and lives as long as
// there can be a TLS session to end.
const certificateCookie = "__Host-propusk-certificate"

// sealedCertificate is bound into the seal of the cookie.
const sealedCertificate = "propusk certificate of a browser 1"

// rememberCertificate gives the browser its cookie.
func (p *Provider) rememberCertificate(w http.ResponseWriter, cert [sha256.Size]byte) {
	if p.opts.SessionLife > 0 {
		p.setCertificateCookie(w, p.seal.seal(sealedCertificate, cert[:]), int(p.opts.SessionLife.Seconds()))
	}
}

func (p *Provider) setCertificateCookie(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: certificateCookie, Value: value, Path: "/", MaxAge: maxAge,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// logout tells which certificates log out: the one that the identity token names, which
// is ours, and the one of the browser.
func (p *Provider) logout(w http.ResponseWriter, r *http.Request, token *zoidc.IDTokenClaims) {
	if token != nil {
		if named, ok := token.Claims[claimCert].(string); ok {
			sum, err := hex.DecodeString(named)
			p.tellLogout(sum, err)
		}
	}
	if cookies := r.CookiesNamed(certificateCookie); len(cookies) > 0 {
		p.setCertificateCookie(w, "", -1)
		for _, c := range cookies {
			p.tellLogout(p.seal.unseal(sealedCertificate, c.Value))
		}
	}
}

// tellLogout reports a certificate, unless it could not be read.
func (p *Provider) tellLogout(sum []byte, err error) {
	if err == nil && len(sum) == sha256.Size && p.opts.Logout != nil {
		p.opts.Logout([sha256.Size]byte(sum))
	}
}
