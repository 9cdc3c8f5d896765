// Package oidc is the OpenID Connect provider that hands a judged identity to
// services: authorization code flow with PKCE, and nothing else (OpenID Connect
// Core 1.0; RFC 6749; RFC 7636; RFC 9700).
//
// The way of a sign-in, as told by the methods of [Provider]:
//
//	service → /authorize            authorize   checks the request, binds it to the browser by a cookie
//	        → sign-in host          Open        reads the sealed request
//	          certificate is good   Ticket      keeps who it is under a one-time ticket
//	        → /signin/return        back        ticket and cookie must belong together; code
//	        → service → /token      token       code and PKCE verifier give the identity token
//
// Where people have accounts, back leads to Options.Admit, which begins a visit and ends in
// Grant, as a sign-in by password does; and authorize answers at once who visits already and
// has proven what the service wants (docs/LEVELS.md).
//
// The request itself is not kept here: it travels sealed through the browser, so
// nobody can fill our memory before showing a good certificate. Whoever starts a
// request in his own browser and lures another person into finishing it gets
// nothing: the ticket reaches only the other person's browser, which lacks the
// cookie.
package oidc

import (
	"context"
	"crypto"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/zitadel/oidc/v3/pkg/op"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/level"
	"propusk/server/request"
	"propusk/server/session"
)

// ACR is the authentication context of every sign-in by a qualified certificate.
const ACR = "urn:propusk:acr:qes"

// Options is what a Provider is made of. Only ChoiceURL, Key, Clients, SessionLife and Logout may be left out.
type Options struct {
	// Issuer is the URL of the public host, without a trailing slash.
	Issuer string
	// SignInURL is the URL of the sign-in host, without a trailing slash.
	SignInURL string
	// ChoiceURL is the page where people choose how to sign in; empty sends them to the
	// sign-in host at once.
	ChoiceURL string
	// Key signs identity tokens: *ecdsa.PrivateKey on P-256 or
	// *rsa.PrivateKey. Nil makes a P-256 key for this Provider.
	Key crypto.Signer
	// SubjectSecret turns identifiers into the claim sub; at least 32 bytes.
	SubjectSecret []byte
	// Clients are the services.
	Clients []Client
	// RequestLife, TicketLife, CodeLife and TokenLife are how long each is good.
	RequestLife, TicketLife, CodeLife, TokenLife time.Duration
	// Limit is how many tickets, codes and tokens are kept, of each.
	Limit int
	// Now returns the time.
	Now func() time.Time
	// SessionLife is how long a browser may resume the TLS session by which it has
	// signed in; zero means never.
	SessionLife time.Duration
	// Logout is told the SHA-256 of the certificate by which a person had signed in
	// who logs out now; may be nil.
	Logout func(cert [32]byte)
	// Refuse writes a page about a failure.
	Refuse func(http.ResponseWriter, *http.Request, reason.Code)

	// Policy says what services want of a person; nil wants a key everywhere.
	Policy *level.Policy
	// Admit takes over who came back with a good key, in the browser that began: it ends in
	// Grant or in a page of its own. Nil admits everybody at once.
	Admit func(w http.ResponseWriter, r *http.Request, req Request, who Login)
	// Visit returns who visits by the browser of a request, and false if nobody does. Nil
	// means that there are no visits: every sign-in is a new one, and max_age, prompt and
	// acr_values have nothing to say.
	Visit func(r *http.Request) (Login, bool)
	// Granted is told before a service learns of a visit; on an error it does not. Nil if
	// there are no visits.
	Granted func(ctx context.Context, who Login, clientID string) error
	// LogoutURL is the local path of the page that asks whether to log out; it gets what
	// LogoutEnd reads, in the parameter end. Empty if there are no visits.
	LogoutURL string
	// Continue writes a page that leads on to an address: a redirect would belong to the
	// form that was posted, whose page may lead nowhere else. Needed for Grant after a POST.
	Continue func(w http.ResponseWriter, r *http.Request, address string)
	// Paths are the local paths at which Own may end; those below them are meant too.
	Paths []string
}

// Client is a service that relies on the identity.
type Client struct {
	ID                     string
	Secret                 string // empty for a public client
	RedirectURIs           []string
	PostLogoutRedirectURIs []string
	// BackChannelLogoutURI is where the service learns that a visit has ended; may be empty.
	BackChannelLogoutURI string
}

// Login is who signed in, how and when.
type Login struct {
	// Identity comes out of a passed verdict.
	Identity person.Identity
	// CertSHA256 is the fingerprint of the certificate.
	CertSHA256 [32]byte
	// At is when the person proved who he is: when the certificate was judged, or the
	// password. It is the claim auth_time.
	At time.Time
	// Certificate is the certificate in DER; nil if the person came without a key.
	Certificate []byte
	// Method is how the key was proven: "gost-tls", "agent" or "plugin"; empty without a key.
	Method string
	// Level is how strongly. Ticket sets it: what leads there is a key.
	Level level.Level
	// AMR is by which means (RFC 8176).
	AMR []string
	// Proofs are all that the visit has proven; nil means this one alone.
	Proofs []level.Proof
	// Account names whose visit it is; empty if there is none.
	Account string
	// SID is the visit, as services know it; empty if there is none.
	SID string
	// Taxpayer is for whom the person acts; nil means for himself as Identity says.
	Taxpayer *Taxpayer
	// EmailVerified says that the address of Identity was confirmed.
	EmailVerified bool
}

// Taxpayer is for whom a person acts (requirement BY-09).
type Taxpayer struct {
	Kind   person.Kind
	INN    person.INN
	INNLE  person.INNLE
	OGRN   person.OGRN
	OGRNIP person.OGRNIP
	Name   person.Name
}

// Provider is the OpenID Connect provider. It is safe for concurrent use. Make
// it with New.
type Provider struct {
	opts    Options
	seal    sealer
	op      *op.Provider
	clients map[string]*client
	tickets *session.Store[*grant]
	codes   *session.Store[*grant]
	tokens  *session.Store[*grant]
	key     signingKey
}

// minSecret is the shortest subject secret, in bytes.
const minSecret = 32

// New returns a Provider. The error says which option cannot be used: the subject
// secret is too short, the key is of another sort, or the library refuses the rest.
func New(o Options) (*Provider, error) {
	if len(o.SubjectSecret) < minSecret {
		return nil, fmt.Errorf("oidc: the subject secret is %d bytes long, at least %d are needed", len(o.SubjectSecret), minSecret)
	}
	key, err := newSigningKey(o.Key)
	if err != nil {
		return nil, err
	}
	p := &Provider{
		opts:    o,
		seal:    newSealer(),
		clients: make(map[string]*client),
		tickets: session.New[*grant](o.Limit, o.TicketLife, o.Now),
		codes:   session.New[*grant](o.Limit, o.CodeLife, o.Now),
		tokens:  session.New[*grant](o.Limit, o.TokenLife, o.Now),
		key:     key,
	}
	for _, c := range o.Clients {
		p.clients[c.ID] = &client{Client: c, provider: p}
	}
	config := &op.Config{CodeMethodS256: true, DefaultLogoutRedirectURI: o.Issuer + "/", SupportedScopes: scopes()}
	rand.Read(config.CryptoKey[:])
	p.op, err = op.NewProvider(config, (*storage)(p), op.StaticIssuer(o.Issuer),
		op.WithLogger(slog.New(errorTypes{})), op.WithCORSOptions(nil))
	if err != nil {
		return nil, fmt.Errorf("oidc: %w", err)
	}
	return p, nil
}

// maxForm bounds bodies of the endpoints, in bytes: they carry a few parameters.
const maxForm = 64 << 10

// Routes adds the endpoints of the public host.
func (p *Provider) Routes(r gin.IRouter) {
	g := r.Group("/", request.LimitBody(maxForm))
	request.Get(g, "/.well-known/openid-configuration", p.discovery)
	request.Get(g, "/keys", p.wrap(func(w http.ResponseWriter, r *http.Request) { op.Keys(w, r, (*storage)(p)) }))
	g.GET("/authorize", p.wrap(p.authorize))
	g.POST("/authorize", p.wrap(p.authorize))
	g.GET("/signin/return", p.wrap(p.back))
	g.POST("/token", p.wrap(p.token))
	g.GET("/userinfo", p.wrap(p.userinfo))
	g.POST("/userinfo", p.wrap(p.userinfo))
	g.GET("/end_session", p.wrap(p.endSession))
	g.POST("/end_session", p.wrap(p.endSession))
}

// wrap makes a gin handler of one that the library understands.
func (p *Provider) wrap(h http.HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		h(c.Writer, c.Request.WithContext(op.ContextWithIssuer(c.Request.Context(), p.opts.Issuer)))
	}
}

// Sessions returns how many values are alive, by sort: "ticket", "code", "token".
func (p *Provider) Sessions() map[string]int {
	return map[string]int{"ticket": p.tickets.Len(), "code": p.codes.Len(), "token": p.tokens.Len()}
}

// refuse writes a page and notes why.
func (p *Provider) refuse(w http.ResponseWriter, r *http.Request, code reason.Code) {
	request.From(r.Context()).Code = code
	p.opts.Refuse(w, r, code)
}

// single returns the value of a parameter that occurs exactly once.
func single(values []string) (string, bool) {
	if len(values) != 1 {
		return "", false
	}
	return values[0], true
}

// repeated reports whether any parameter occurs more than once, which RFC 6749,
// Section 3.1 forbids: which of the values counts would be a matter of taste.
func repeated(form map[string][]string) bool {
	for _, values := range form {
		if len(values) > 1 {
			return true
		}
	}
	return false
}

func scopes() []string { return []string{"openid", "profile", "email"} }

// errorTypes is a log handler for the library: it keeps the type of an error for
// the log line of the request, and drops texts that may repeat what was sent.
type errorTypes struct{ found error }

// Enabled implements slog.Handler.
func (errorTypes) Enabled(context.Context, slog.Level) bool { return true }

// WithGroup implements slog.Handler.
func (h errorTypes) WithGroup(string) slog.Handler { return h }

// WithAttrs implements slog.Handler.
func (h errorTypes) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		if err, ok := a.Value.Any().(error); ok {
			h.found = errorType(err)
		}
	}
	return h
}

// Handle implements slog.Handler.
func (h errorTypes) Handle(ctx context.Context, rec slog.Record) error {
	rec.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			h.found = errorType(err)
		}
		return true
	})
	if h.found != nil {
		request.From(ctx).Err = h.found
	}
	return nil
}
