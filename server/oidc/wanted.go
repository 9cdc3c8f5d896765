package oidc

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"

	"propusk/pki/person"
	"propusk/server/level"
)

// maxMaxAge bounds max_age, in seconds: more is any time.
const maxMaxAge = 1 << 31

// wanted is what an authorization request asks for.
type wanted struct {
	req Request
	// silent asks for no page (prompt=none).
	silent bool
	// low says that somebody visits, whose proof is fresh enough but of too low a level.
	low bool
}

// wanted reads a request that was checked. The errors go to the client.
func (p *Provider) wanted(c *client, form url.Values) (wanted, *zoidc.Error) {
	now := p.opts.Now()
	want := wanted{req: Request{
		ClientID: c.ID, RedirectURI: form.Get("redirect_uri"), Scopes: known(strings.Fields(form.Get("scope"))),
		State: form.Get("state"), Nonce: form.Get("nonce"), Challenge: form.Get("code_challenge"), Issued: now,
	}}
	prompt := strings.Fields(form.Get("prompt"))
	want.silent = slices.Contains(prompt, "none")
	if p.opts.Visit == nil {
		return want, nil
	}
	if want.silent && len(prompt) > 1 {
		return wanted{}, zoidc.ErrInvalidRequest().WithDescription("prompt has none and something else")
	}
	// Who is to consent signs in anew: the page names the service that he does it for.
	if slices.ContainsFunc(prompt, func(p string) bool { return p == "login" || p == "select_account" || p == "consent" }) {
		want.req.Since = now
	} else if raw := form.Get("max_age"); raw != "" {
		seconds, err := strconv.ParseInt(raw, 10, 64)
		if err != nil || seconds < 0 {
			return wanted{}, zoidc.ErrInvalidRequest().WithDescription("max_age must be a number of seconds")
		}
		want.req.Since = now.Add(-time.Duration(min(seconds, maxMaxAge)) * time.Second)
	}
	var e *zoidc.Error
	if want.req.Level, e = acrValues(form.Get("acr_values")); e != nil {
		return wanted{}, e
	}
	if id := form.Get("service"); id != "" && p.opts.Policy != nil {
		if _, ok := p.opts.Policy.Service(c.ID, id); !ok {
			return wanted{}, zoidc.ErrInvalidRequest().WithDescription("the client has no such service")
		}
		want.req.Service = id
	}
	return want, nil
}

// acrValues returns the lowest level among those that a client would be content with: a higher
// one serves as well. Values that are not ours are passed over; if there are no others the
// client cannot be served (RFC 9470, Section 5).
func acrValues(values string) (level.Level, *zoidc.Error) {
	fields := strings.Fields(values)
	if len(fields) == 0 {
		return level.Open, nil
	}
	lowest, found := level.QES, false
	for _, value := range fields {
		if l, ok := level.ParseACR(value); ok {
			lowest, found = min(lowest, l), true
		}
	}
	if !found {
		return level.Open, &zoidc.Error{ErrorType: "unmet_authentication_requirements", Description: "none of acr_values is known"}
	}
	return lowest, nil
}

// TooOld reports whether a key was proven too long ago for a request: by a TLS session that
// was resumed. That session is ended then, so that the next connection proves the key anew.
func (p *Provider) TooOld(req Request, cert [32]byte, proven time.Time) bool {
	if p.opts.Logout == nil || !proven.Before(req.Since) {
		return false
	}
	p.opts.Logout(cert)
	return true
}

// refusal is the answer to a request that may show no page but needs one. OpenID Connect
// Core 1.0, Section 3.1.2.6.
func (want *wanted) refusal() *zoidc.Error {
	if want.low {
		return zoidc.ErrInteractionRequired().WithDescription("a higher level is needed than was proven")
	}
	return zoidc.ErrLoginRequired().WithDescription("nobody is signed in, or not since max_age")
}

// proofs are all that is proven.
func (who Login) proofs() []level.Proof {
	return append([]level.Proof{{Level: who.Level, AMR: who.AMR, At: who.At}}, who.Proofs...)
}

// Kind is as what sort of holder the person acts.
func (who Login) Kind() person.Kind {
	if who.Taxpayer != nil {
		return who.Taxpayer.Kind
	}
	return who.Identity.Kind
}
