package oidc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/level"
	"propusk/server/request"
	"propusk/server/session"
)

// Need is what a page of the gateway wants of the person who is to come back.
type Need struct {
	// Level is the least level.
	Level level.Level
	// MaxAge is how long ago the person may have proven who he is; zero means any time.
	MaxAge time.Duration
}

// Own sends a browser to sign in for a page of the gateway itself. Target is the local path
// where it ends, with its query; it must be one of Options.Paths or below it, else it ends
// at the first of them. Who comes there is found by the visit that the sign-in began, or
// raised: the page looks again whether that is enough, by Enough.
func (p *Provider) Own(w http.ResponseWriter, r *http.Request, target string, need Need) {
	now := p.opts.Now()
	req := Request{Path: p.local(target), Level: need.Level, Issued: now, Since: p.since(need)}
	p.signIn(w, r, req)
}

// Enough reports whether what a person has proven is what a page of the gateway wants.
func (p *Provider) Enough(who Login, need Need) bool {
	_, ok := level.Need{Level: need.Level, Since: p.since(need)}.Best(who.proofs())
	return ok
}

func (p *Provider) since(need Need) time.Time {
	if need.MaxAge <= 0 {
		return time.Time{}
	}
	return p.opts.Now().Add(-need.MaxAge)
}

// local returns a target if it may be one, and the first of the paths otherwise.
func (p *Provider) local(target string) string {
	u, err := url.Parse(target)
	if err == nil && u.Scheme == "" && u.Host == "" && u.User == nil && u.Path == path.Clean(u.Path) && len(target) <= maxParameter &&
		!strings.ContainsAny(u.Path, "\\\r\n") {
		for _, allowed := range p.opts.Paths {
			if u.Path == allowed || strings.HasPrefix(u.Path, strings.TrimSuffix(allowed, "/")+"/") {
				return (&url.URL{Path: u.Path, RawQuery: u.RawQuery}).String()
			}
		}
	}
	if len(p.opts.Paths) == 0 {
		return "/"
	}
	return p.opts.Paths[0]
}

// Need returns what is wanted of who finishes a request, and acts for a holder of a kind; ""
// asks for the least that is wanted of anybody.
func (p *Provider) Need(req Request, kind person.Kind) level.Need {
	n := level.Need{Level: req.Level, Since: req.Since}
	if req.ClientID == "" {
		return n
	}
	service := p.opts.Policy.Required(req.ClientID, req.Service, kind)
	n.Level, n.Physical = max(n.Level, service.Level), service.Physical
	return n
}

// meets returns who with the strongest of the proofs that a request is content with, and
// false if none is.
func (p *Provider) meets(req Request, who Login) (Login, bool) {
	proof, ok := p.Need(req, who.Kind()).Best(who.proofs())
	if !ok {
		return who, false
	}
	who.Level, who.AMR, who.At = proof.Level, proof.AMR, proof.At
	return who, true
}

// Grant sends a browser on to where the request wants it: a service with a code, or a page
// of the gateway. Nobody gets anywhere with less than what is wanted: the browser is sent
// to the sign-in page again, or told that its key is of the wrong sort. The browser must be
// the one that began; how long ago is for the caller to judge.
//
// Who may be what Ticket was given, or what package visit makes of a visit.
func (p *Provider) Grant(w http.ResponseWriter, r *http.Request, req Request, who Login) {
	request.From(r.Context()).Client = req.ClientID
	if !SameBrowser(r, req.Browser) {
		p.refuse(w, r, reason.SignInOtherBrowser)
		return
	}
	best, ok := p.meets(req, who)
	switch {
	case !p.meant(req, who):
		p.refuse(w, r, reason.VisitOtherAccount)
	case ok:
		p.finish(w, r, req, best)
	case p.onlyPhysical(req, who):
		p.refuse(w, r, reason.LevelPhysical)
	default:
		http.Redirect(w, r, p.signInPage(req), http.StatusSeeOther)
	}
}

// hinted returns the subject that the client names by an identity token (id_token_hint, OpenID
// Connect Core 1.0, Section 3.1.2.1); "" if it names none, or with a token that is not ours or
// another client's. That the token is over does not matter.
func (p *Provider) hinted(r *http.Request, clientID string) string {
	raw := r.Form.Get("id_token_hint")
	if raw == "" {
		return ""
	}
	claims, err := op.VerifyIDTokenHint[*zoidc.IDTokenClaims](r.Context(), raw, p.op.IDTokenHintVerifier(r.Context()))
	if err != nil && !errors.As(err, &op.IDTokenHintExpiredError{}) || !slices.Contains(claims.Audience, clientID) {
		return ""
	}
	return claims.Subject
}

// meant reports whether somebody is who the client has named, if it has named anybody.
func (p *Provider) meant(req Request, who Login) bool {
	if req.Subject == "" {
		return true
	}
	sub, err := p.subject(req.ClientID, who.Identity)
	return err == nil && sub == req.Subject
}

// onlyPhysical reports whether a person has proven all that is wanted, but with a key that
// may leave its device.
func (p *Provider) onlyPhysical(req Request, who Login) bool {
	n := p.Need(req, who.Kind())
	n.Physical = false
	_, ok := n.Best(who.proofs())
	return ok
}

// grantKey is the context key of the grant that finish is about to give a code for.
type grantKey struct{}

// finish sends the browser on: nothing more is wanted.
func (p *Provider) finish(w http.ResponseWriter, r *http.Request, req Request, who Login) {
	if req.ClientID == "" {
		p.lead(w, r, p.opts.Issuer+req.Path)
		return
	}
	g := &grant{id: session.NewKey(), req: req, login: who}
	var err error
	if g.sub, err = p.subject(req.ClientID, who.Identity); err == nil && who.SID != "" {
		err = p.opts.Granted(r.Context(), who, req.ClientID)
	}
	if err != nil {
		request.From(r.Context()).Err = err
		p.refuse(w, r, reason.Of(err))
		return
	}
	ctx := context.WithValue(op.ContextWithIssuer(r.Context(), p.opts.Issuer), grantKey{}, g)
	address, err := op.BuildAuthResponseCallbackURL(ctx, g, p.op)
	if err != nil {
		op.AuthRequestError(w, r.WithContext(ctx), g, err, p.op)
		return
	}
	p.lead(w, r, address)
}

// lead sends the browser to an address. After a form was posted a redirect would be refused
// by the policy of its page, which lets it come here and no further.
func (p *Provider) lead(w http.ResponseWriter, r *http.Request, address string) {
	if r.Method == http.MethodPost && p.opts.Continue != nil {
		p.opts.Continue(w, r, address)
		return
	}
	http.Redirect(w, r, address, http.StatusFound)
}

// means says by which means a key was used. Whether it is in a token cannot be seen from
// here; what its certificate says about the tool, the operator may believe (RFC 8176,
// Section 2).
func (p *Provider) means(certificate []byte) string {
	if p.opts.Policy.Physical(certificate) {
		return level.Hardware
	}
	return level.Software
}

// Seal returns a request as text that only this Provider can read: what Open takes. A
// request keeps its age.
func (p *Provider) Seal(req Request) string { return p.seal.close(req) }
