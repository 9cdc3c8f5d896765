// Package registration opens accounts by a qualified certificate (requirements IP-03 to
// IP-28): what the certificate lacks is asked for, the register of entrepreneurs is
// consulted, the agreement is signed by the person's own key, and the address of e-mail is
// confirmed by a link.
//
// The way of a registration:
//
//	key proven → Begin                           a progress, sealed in the store; the browser has its cookie
//	           → /registration                   form: what the certificate lacks, e-mail, captcha
//	           → /registration/details           only if the register wants more: birthday and document
//	           → /registration/agreement         the text, signed through package challenge
//	             account + key + evidence        in one transaction
//	           → /registration/password          e-mail once more, password
//	             password + link + letter        in one transaction
//	           → /registration/done              what was entered; the letter again; go on to the service
//	letter     → /activate                       in any browser: a page with a button, which uses the link up
//
// Every step begins and ends in the store, so that the end of the program between two
// requests loses nothing. Once the agreement is signed there is an account, and the person
// goes on from any browser by his key: Await.
package registration

import (
	"context"
	"embed"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/admission"
	"propusk/server/captcha"
	"propusk/server/challenge"
	"propusk/server/form"
	"propusk/server/mail"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/password"
	"propusk/server/register"
	"propusk/server/request"
	"propusk/server/signrequest"
	"propusk/server/store"
)

//go:embed templates/*.html
var templates embed.FS

// Templates are the pages of this package.
func Templates() page.Set { return page.Set{Name: "registration", Files: templates} }

// Paths on the public host.
const (
	// PathBegin is the form; a registration under way goes on from there wherever it is.
	PathBegin     = "/registration"
	pathDetails   = "/registration/details"
	pathAgreement = "/registration/agreement"
	pathPassword  = "/registration/password"
	pathDone      = "/registration/done"
	pathResend    = "/registration/resend"
	pathContinue  = "/registration/continue"
	// PathActivate is where the link of the letter leads.
	PathActivate = "/activate"
)

// Signer has a text signed by the key of the person at a browser: *challenge.Challenge.
type Signer interface {
	Methods() []page.Method
	Ask(x *gin.Context, method page.Method, l challenge.Local)
}

// Passwords judges and hashes passwords: *login.Login.
type Passwords interface {
	Weaknesses(fresh string, a account.Account) []password.Weakness
	Hash(ctx context.Context, fresh string) (string, error)
}

// Options is what a Registration needs. Only Register may be left out.
type Options struct {
	// Issuer is the URL of the public host, without a trailing slash.
	Issuer string
	// Gateway is what people call the gateway; agents show it.
	Gateway string
	Store   store.Store
	Sealer  *account.Sealer
	// Admit goes on with a person whose account is active: Admission.Key.
	Admit func(w http.ResponseWriter, r *http.Request, req oidc.Request, who oidc.Login)
	// Judge returns why the holder of a chain, leaf first, is not let in at this moment, or
	// nil: the key was proven when the registration began, and may be revoked since.
	Judge     func(chain [][]byte) error
	Signer    Signer
	Passwords Passwords
	Captcha   *captcha.Keeper
	// Register is asked about entrepreneurs; nil believes their certificates.
	Register register.Register
	// Agreement is what people sign.
	Agreement Agreement
	// Kinds are the kinds of holders that may register.
	Kinds []person.Kind
	// Life is how long a person may take for everything.
	Life time.Duration
	// LinkLife is how long the link of a letter is good.
	LinkLife time.Duration
	// ActivateWithin is how long an account waits for its link.
	ActivateWithin time.Duration
	// CheckDays is what people are told of how long a check by hand takes (IP-07); they are
	// working days if WorkingDays.
	CheckDays   int
	WorkingDays bool
	// Letters is how many letters with links a person gets in 24 hours.
	Letters int
	// Mail writes letters.
	Mail mail.Composer
	// Address is what is kept of the address of a request, "host:port".
	Address func(remote string) person.Private
	// Pages writes pages; it has those of Templates.
	Pages *page.Book
	// Now returns the time.
	Now func() time.Time
}

// Registration answers on the public host. It is safe for concurrent use. Make it with New.
type Registration struct{ opts Options }

// New returns a Registration.
func New(o Options) *Registration { return &Registration{o} }

// Routes adds the routes of the public host.
func (g *Registration) Routes(r gin.IRouter) {
	guarded := r.Group("/", form.Guard(g.refusePost))
	guarded.GET(PathBegin, g.form)
	guarded.POST(PathBegin, g.enter)
	guarded.GET(pathDetails, g.details)
	guarded.POST(pathDetails, g.enterDetails)
	guarded.GET(pathAgreement, g.agreement)
	guarded.POST(pathAgreement, g.sign)
	guarded.GET(pathPassword, g.password)
	guarded.POST(pathPassword, g.setPassword)
	guarded.GET(pathDone, g.done)
	guarded.POST(pathResend, g.resend)
	guarded.POST(pathContinue, g.goOn)
	guarded.GET(PathActivate, g.activation)
	guarded.POST(PathActivate, g.activate)
}

// Begin takes over a person who has proven a key and has no account, and answers the
// request. The request of the service goes on when the account is active. A registration of
// the same key that is under way in this browser goes on where it was.
func (g *Registration) Begin(w http.ResponseWriter, r *http.Request, req oidc.Request, who oidc.Login) {
	p, err := newProgress(req, who)
	if err == nil {
		err = g.mayRegister(p)
	}
	if err == nil {
		if current, err := g.current(r); err == nil && current.SameKey(p) && current.Account == "" {
			current.Request, current.Proven = p.Request, p.Proven
			p = current
		}
		err = g.begin(w, r, p)
	}
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	http.Redirect(w, r, p.path(), http.StatusSeeOther)
}

// Await takes over a person who has proven a key and whose account waits for his password,
// for the link in the letter or for the operator, and answers the request.
func (g *Registration) Await(w http.ResponseWriter, r *http.Request, req oidc.Request, who oidc.Login) {
	p, err := newProgress(req, who)
	if err == nil {
		err = g.opts.Store.View(r.Context(), func(tx store.Tx) error {
			a, err := accountOf(tx, p)
			p.Account = a.ID
			return err
		})
	}
	if err == nil {
		err = g.begin(w, r, p)
	}
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	http.Redirect(w, r, p.path(), http.StatusSeeOther)
}

// accountOf returns the account of the person of a progress.
func accountOf(tx store.Tx, p *progress) (account.Account, error) {
	if p.Account != "" {
		return tx.Account(p.Account)
	}
	k, err := tx.Key(p.cert.SHA256())
	if err == nil {
		return tx.Account(k.Account)
	}
	return tx.AccountByINN(p.identity().INN)
}

// mayRegister refuses certificates by which no account is opened.
func (g *Registration) mayRegister(p *progress) error {
	who := p.who
	named := signrequest.OneLine(who.Name.Reveal()) && (who.Organization.IsZero() || signrequest.OneLine(who.Organization.Reveal()))
	if !slices.Contains(g.opts.Kinds, who.Kind) || !named {
		return reason.Errorf(reason.RegistrationNotOpen, "the kind %s, or a name that cannot be shown", who.Kind)
	}
	return nil
}

// newProgress makes the progress of a person who has just proven a key.
func newProgress(req oidc.Request, who oidc.Login) (*progress, error) {
	p := &progress{Request: req, Certificate: who.Certificate, Method: who.Method, Proven: who.At, Level: who.Level, AMR: who.AMR}
	return p, p.parse()
}

// parse reads the certificate.
func (p *progress) parse() error {
	var err error
	if p.cert, err = gostx509.Parse(p.Certificate); err != nil {
		return reason.New(reason.CertMalformed, err)
	}
	p.who, err = p.cert.Identity()
	return err
}

// login is the proof of the key, as it was.
func (p *progress) login() oidc.Login {
	return oidc.Login{
		Identity: p.who, CertSHA256: p.cert.SHA256(), At: p.Proven, Certificate: p.Certificate, Method: p.Method,
		Level: p.Level, AMR: p.AMR,
	}
}

// refuse writes the page about an error.
func (g *Registration) refuse(w http.ResponseWriter, r *http.Request, err error) {
	code := admission.Code(err)
	e := request.From(r.Context())
	e.Code, e.Err = code, err
	page.Written(w, r, g.opts.Pages.Failure(w, r, page.Failure{Code: code, Links: links(code)}))
}

// refusePost is refuse for what the guard of forms found.
func (g *Registration) refusePost(w http.ResponseWriter, r *http.Request, code reason.Code) {
	page.Written(w, r, g.opts.Pages.Failure(w, r, page.Failure{Code: code, Links: links(reason.RegistrationStep)}))
}

// links leads on from a failure.
func links(code reason.Code) []page.Link {
	switch code {
	case reason.RegistrationExpired, reason.RegistrationKnown, reason.ActivationInvalid, reason.RegistrationNotOpen:
		return []page.Link{{Label: page.Text{RU: "Войти", EN: "Sign in"}, URL: "/account"}}
	}
	return []page.Link{{Label: page.Text{RU: "Продолжить регистрацию", EN: "Go on with the registration"}, URL: PathBegin}}
}

// show writes a page of this package.
func (g *Registration) show(x *gin.Context, name string, v page.View) {
	v.Token = form.Token(x.Writer, x.Request)
	page.Written(x.Writer, x.Request, g.opts.Pages.Show(x.Writer, x.Request, "registration/"+name, v))
}
