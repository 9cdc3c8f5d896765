package oidc

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"time"

	"propusk/pki/person"
	"propusk/server/session"
)

// Browser returns the SHA-256 of the cookie that tells the browser of a request from
// others, and false if it sent none, or something that is not of ours.
func Browser(r *http.Request) ([32]byte, bool) {
	cookie, ok := browserOf(r)
	return sha256.Sum256([]byte(cookie)), ok
}

// SameBrowser reports whether a request comes from the browser whose Browser is given. It
// takes the same time whatever differs.
func SameBrowser(r *http.Request, browser [32]byte) bool {
	digest, ok := Browser(r)
	return ok && subtle.ConstantTimeCompare(digest[:], browser[:]) == 1
}

// BindBrowser makes sure that the browser has its cookie for a while, and returns the
// SHA-256 of it. A cookie that is there already stays, so that sign-ins in several tabs
// do not disturb each other.
func BindBrowser(w http.ResponseWriter, r *http.Request, life time.Duration) [32]byte {
	value, ok := browserOf(r)
	if !ok {
		value = session.NewKey()
	}
	http.SetCookie(w, &http.Cookie{
		Name: browserCookie, Value: value, Path: "/", MaxAge: int(life.Seconds()),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return sha256.Sum256([]byte(value))
}

// Authenticate returns the ID of the confidential client that a request proves to come
// from, by HTTP Basic (RFC 6749, Section 2.3.1), and false if it proves none.
func (p *Provider) Authenticate(r *http.Request) (clientID string, ok bool) {
	rawID, rawSecret, ok := r.BasicAuth()
	id, errID := url.QueryUnescape(rawID)
	secret, errSecret := url.QueryUnescape(rawSecret)
	if !ok || errID != nil || errSecret != nil || (*storage)(p).AuthorizeClientIDSecret(r.Context(), id, secret) != nil {
		return "", false
	}
	return id, true
}

// RedirectRegistered reports whether a client may be returned to at an address, which is
// compared byte for byte.
func (p *Provider) RedirectRegistered(clientID, address string) bool {
	c := p.clients[clientID]
	return c != nil && slices.Contains(c.Client.RedirectURIs, address)
}

// Subject returns the claim sub of a person at a client. The error says that the identity
// has no identifier to make one of.
func (p *Provider) Subject(clientID string, who person.Identity) (string, error) {
	return p.subject(clientID, who)
}
