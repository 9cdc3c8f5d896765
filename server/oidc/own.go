package oidc

import "net/http"

// Own sends a browser to sign in for a page of the gateway itself. Path, with its query, is
// where it ends; it must be one of Options.Paths or below it, else it ends at the first of
// them. Who comes there is found by the visit that the sign-in began, or raised: the page
// looks again whether that is enough.
func (p *Provider) Own(w http.ResponseWriter, r *http.Request, path string, need Need) {
	panic("TODO")
}

// Grant sends a browser on to where the request wants it: a service with a code, or a page
// of the gateway. Nobody gets anywhere with less than what is wanted: the browser is sent
// to the sign-in page again. The browser must be the one that began.
func (p *Provider) Grant(w http.ResponseWriter, r *http.Request, req Request, who Login) {
	panic("TODO")
}

// Seal returns a request as text that only this Provider can read: what Open takes. A
// request keeps its age.
func (p *Provider) Seal(req Request) string { return p.seal.close(req) }
