package oidc

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"time"

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
	if p.opts.LogoutURL == "" {
		http.Redirect(w, r, end.RedirectURI, http.StatusSeeOther)
		return
	}
	// What comes from the page of a service may lack the cookie of the visit; where this
	// leads, it has it.
	out := End{ClientID: end.ClientID, Address: end.RedirectURI, Issued: p.opts.Now()}
	if end.IDTokenHintClaims != nil {
		out.SID, _ = end.IDTokenHintClaims.Claims["sid"].(string)
	}
	http.Redirect(w, r, p.opts.LogoutURL+"?end="+p.SealEnd(out), http.StatusSeeOther)
}

// End is a logout that a service began, and that was checked.
type End struct {
	ClientID string `json:"c"`
	// Address is where the browser goes afterwards.
	Address string `json:"a"`
	// SID is the visit that the identity token of the service names, which was verified;
	// empty without one. Another visit is ended only if the person says so (RP-Initiated
	// Logout 1.0, Section 2).
	SID    string    `json:"s,omitempty"`
	Issued time.Time `json:"i"`
}

// sealedEnd is bound into the seal of an End.
const sealedEnd = "propusk logout 1"

// SealEnd returns a logout as what LogoutEnd reads.
func (p *Provider) SealEnd(e End) string {
	plain, err := json.Marshal(e)
	if err != nil {
		panic("oidc: a logout does not encode: " + err.Error())
	}
	return p.seal.seal(sealedEnd, plain)
}

// LogoutEnd reads the parameter end of Options.LogoutURL. The error is
// [reason.SignInExpired] when it is not ours or too old.
func (p *Provider) LogoutEnd(sealed string) (End, error) {
	plain, err := p.seal.unseal(sealedEnd, sealed)
	var e End
	if err == nil {
		err = json.Unmarshal(plain, &e)
	}
	if err == nil && p.opts.Now().Sub(e.Issued) > p.opts.RequestLife {
		err = errNotOpen
	}
	if err != nil {
		return End{}, reason.New(reason.SignInExpired, err)
	}
	return e, nil
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
