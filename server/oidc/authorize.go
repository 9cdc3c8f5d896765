package oidc

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"

	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/text/language"

	"propusk/pki/reason"
	"propusk/server/level"
	"propusk/server/request"
	"propusk/server/session"
)

// browserCookie binds a sign-in to the browser that began it. The prefix makes
// browsers refuse it from other hosts, paths and plain HTTP; the name is our own
// because cookies know no ports. RFC 6265bis, Section 4.1.3.2.
const browserCookie = "__Host-propusk-browser"

// languages are those that pages have.
var languages = []language.Tag{language.Russian, language.English}

// maxParameter bounds state and nonce, in bytes: they travel in URLs, sealed.
const maxParameter = 512

// authorize is the authorization endpoint. OpenID Connect Core 1.0, Section
// 3.1.2. It checks everything itself, and the library does not see the request: it
// redirects errors to addresses that we want to have checked first, does not insist on
// PKCE, state and nonce, and knows nothing of visits.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		p.refuse(w, r, reason.AuthorizationInvalid)
		return
	}
	form := r.Form
	id, ok := single(form["client_id"])
	c := p.clients[id]
	if !ok || c == nil {
		p.refuse(w, r, reason.ClientUnknown)
		return
	}
	request.From(r.Context()).Client = c.ID
	// Byte for byte. RFC 9700, Section 2.1.
	back, ok := single(form["redirect_uri"])
	if !ok || !slices.Contains(c.Client.RedirectURIs, back) {
		p.refuse(w, r, reason.RedirectMismatch)
		return
	}
	if e := checkAuthorization(form); e != nil {
		p.redirectError(w, r, back, form, e)
		return
	}
	want, e := p.wanted(c, form)
	if e != nil {
		p.redirectError(w, r, back, form, e)
		return
	}
	if p.opts.Visit != nil {
		want.req.Subject = p.hinted(r, c.ID)
		if who, ok := p.opts.Visit(r); ok && p.meant(want.req, who) {
			_, want.low = level.Need{Since: want.req.Since}.Best(who.proofs())
			if best, enough := p.meets(want.req, who); enough {
				p.finish(w, r, want.req, best)
				return
			}
		}
	}
	if want.silent {
		p.redirectError(w, r, back, form, want.refusal())
		return
	}
	p.signIn(w, r, want.req)
}

// signIn sends a browser to the page where people sign in, and binds the request to it.
func (p *Provider) signIn(w http.ResponseWriter, r *http.Request, req Request) {
	req.Browser = BindBrowser(w, r, p.opts.RequestLife+p.opts.TicketLife)
	http.Redirect(w, r, p.signInPage(req)+inLanguage(r), http.StatusFound)
}

// inLanguage is what asks the pages of a sign-in to be in the language that the service wants:
// the first of ui_locales that pages have (OpenID Connect Core 1.0, Section 3.1.2.1); empty
// leaves it to what the person chose.
func inLanguage(r *http.Request) string {
	for tag := range strings.FieldsSeq(r.Form.Get("ui_locales")) {
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if slices.ContainsFunc(languages, func(known language.Tag) bool { return known.String() == primary }) {
			return "&lang=" + primary
		}
	}
	return ""
}

// signInPage is where a request goes on.
func (p *Provider) signInPage(req Request) string {
	if choice := p.opts.ChoiceURL; choice != "" {
		return choice + "?request=" + p.seal.close(req)
	}
	return p.opts.SignInURL + "/signin?request=" + p.seal.close(req)
}

// checkAuthorization checks all but the client and its address. The errors go to
// the client as RFC 6749, Section 4.1.2.1 says.
func checkAuthorization(form url.Values) *zoidc.Error {
	if repeated(form) {
		return zoidc.ErrInvalidRequest().WithDescription("a parameter occurs more than once")
	}
	switch {
	case form.Get("request") != "":
		return zoidc.ErrRequestNotSupported()
	case form.Get("request_uri") != "":
		return &zoidc.Error{ErrorType: "request_uri_not_supported"}
	case form.Get("response_type") != "code":
		return &zoidc.Error{ErrorType: "unsupported_response_type", Description: "only the code flow is offered"}
	case form.Get("response_mode") != "" && form.Get("response_mode") != "query":
		return zoidc.ErrInvalidRequest().WithDescription("response_mode must be query")
	case !slices.Contains(strings.Fields(form.Get("scope")), "openid"):
		return zoidc.ErrInvalidScope().WithDescription("scope must have openid")
	case !acceptable(form.Get("state")):
		return zoidc.ErrInvalidRequest().WithDescription("state is needed, of at most 512 bytes")
	case !acceptable(form.Get("nonce")):
		return zoidc.ErrInvalidRequest().WithDescription("nonce is needed, of at most 512 bytes")
	case form.Get("code_challenge_method") != "S256":
		return zoidc.ErrInvalidRequest().WithDescription("PKCE is needed: code_challenge_method must be S256")
	case !isDigest(form.Get("code_challenge")):
		return zoidc.ErrInvalidRequest().WithDescription("PKCE is needed: code_challenge must be 43 characters of base64url")
	}
	return nil
}

func acceptable(s string) bool { return s != "" && len(s) <= maxParameter }

// isDigest reports whether s is base64url of 32 bytes. RFC 7636, Section 4.2.
func isDigest(s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(b) == sha256.Size
}

// redirectError tells the client what is wrong, at an address that was checked.
func (p *Provider) redirectError(w http.ResponseWriter, r *http.Request, back string, form url.Values, e *zoidc.Error) {
	ev := request.From(r.Context())
	ev.Code, ev.Err = reason.AuthorizationInvalid, errorType(e)
	u, err := url.Parse(back)
	if err != nil {
		p.refuse(w, r, reason.RedirectMismatch)
		return
	}
	q := u.Query()
	q.Set("error", string(e.ErrorType))
	if e.Description != "" {
		q.Set("error_description", e.Description)
	}
	if state, ok := single(form["state"]); ok && acceptable(state) {
		q.Set("state", state)
	}
	u.RawQuery = q.Encode()
	http.Redirect(w, r, u.String(), http.StatusSeeOther)
}

// browserOf returns the cookie of the browser, if it sent exactly one and it
// looks like ours.
func browserOf(r *http.Request) (string, bool) {
	cookies := r.CookiesNamed(browserCookie)
	if len(cookies) != 1 || !isDigest(cookies[0].Value) {
		return "", false
	}
	return cookies[0].Value, true
}

// Open returns the authorization request that a browser brought to the sign-in
// host, and [reason.SignInExpired] when it is not ours or too old.
func (p *Provider) Open(sealed string) (Request, error) {
	r, err := p.seal.open(sealed)
	if err != nil {
		return Request{}, reason.New(reason.SignInExpired, err)
	}
	if p.opts.Now().Sub(r.Issued) > p.opts.RequestLife {
		return Request{}, reason.Errorf(reason.SignInExpired, "the request is older than %s", p.opts.RequestLife)
	}
	return r, nil
}

// Ticket keeps who signed in for the request, and returns the address on the
// public host to which only this person's browser may be sent: it holds the
// one-time ticket. The error is [reason.ServerBusy] when too many are kept, or
// says that the identity has no identifier to make a subject of.
func (p *Provider) Ticket(r Request, who Login) (string, error) {
	sub, err := p.subject(r.ClientID, who.Identity)
	if err != nil {
		return "", err
	}
	who.Level, who.AMR = level.QES, []string{p.means(who.Certificate)}
	ticket, ok := p.tickets.Put(&grant{id: session.NewKey(), req: r, login: who, sub: sub})
	if !ok {
		return "", reason.Errorf(reason.ServerBusy, "the store of tickets is full")
	}
	return p.opts.Issuer + "/signin/return?ticket=" + ticket, nil
}

// back is where the browser comes with the ticket. The ticket is used up at the
// first attempt, whoever makes it.
func (p *Provider) back(w http.ResponseWriter, r *http.Request) {
	ticket, ok := single(r.URL.Query()["ticket"])
	if !ok {
		p.refuse(w, r, reason.SignInTicketInvalid)
		return
	}
	g, ok := p.tickets.Take(ticket)
	if !ok {
		p.refuse(w, r, reason.SignInTicketInvalid)
		return
	}
	request.From(r.Context()).Client = g.req.ClientID
	if !SameBrowser(r, g.req.Browser) {
		p.refuse(w, r, reason.SignInOtherBrowser)
		return
	}
	p.rememberCertificate(w, g.login.CertSHA256)
	if p.opts.Admit != nil {
		p.opts.Admit(w, r, g.req, g.login)
		return
	}
	p.Grant(w, r, g.req, g.login)
}
