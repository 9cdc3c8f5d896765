// Package login is sign-in by ИНН and password (PW-07, IP-08), with a second factor (GU-01,
// GU-02), the change of a first password (PW-03) and recovery (GU-11, FL-04).
//
// The way of a sign-in:
//
//	POST /signin/password   check    the attempt is paid for, login and password are compared
//	                        advance  what else is wanted: a second factor, a new password
//	POST /signin/second     second   the code is compared, and used up
//	POST /password/change   change   the first password ends
//	                        enter    package admission begins or raises the visit
//
// Between the steps the sign-in waits in the store under the digest of a cookie. Nothing that
// is answered tells whether there is a login: the words are the same, and so is the work, be
// it hashing or writing.
package login

import (
	"embed"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/admission"
	"propusk/server/factor"
	"propusk/server/form"
	"propusk/server/mail"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/password"
	"propusk/server/problem"
	"propusk/server/request"
	"propusk/server/store"
	"propusk/server/throttle"
	"propusk/server/visit"
)

//go:embed templates/*.html
var templates embed.FS

// Templates are the pages of this package.
func Templates() page.Set { return page.Set{Name: "login", Files: templates} }

// DemoINN is the login of the demo account: nobody's ИНН. It opens nothing unless the
// configuration says that this is a demo.
const DemoINN = "000000000000"

// Paths on the public host.
const (
	// PathPassword is where login and password are posted to; GET shows the form.
	PathPassword = "/signin/password"
	// PathSecond asks for the second factor of a sign-in that waits. With the parameter
	// request and a visit by password it begins to raise that visit.
	PathSecond = "/signin/second"
	// PathChange changes a first password.
	PathChange = "/password/change"
	// PathRecovery is for who has forgotten the password.
	PathRecovery = "/recovery"
	// PathReset is where the link of recovery leads.
	PathReset = "/recovery/password"
	// PathByKey sets a new password after a sign-in with a key (GU-11); [oidc.Options.Paths]
	// must have it.
	PathByKey = "/recovery/key"
)

// Names of the fields of the form that posts to PathPassword. FieldRequest is the sealed
// request ([oidc.Provider.Seal]).
const (
	FieldRequest  = "request"
	FieldLogin    = "login"
	FieldPassword = "password"
)

// Options is what a Login needs.
type Options struct {
	Store     store.Store
	Provider  *oidc.Provider
	Admission *admission.Admission
	Visits    *visit.Keeper
	Hasher    *password.Hasher
	Policy    password.Policy
	Factors   *factor.Keeper
	Throttle  *throttle.Throttle
	Mail      mail.Composer
	// Pages has the set [Templates].
	Pages *page.Book
	// Refuse writes the page about a form that was not taken.
	Refuse func(http.ResponseWriter, *http.Request, reason.Code)
	// SecondAlways asks everybody for a second factor who has a confirmed address, and not
	// only those who have set one up (GU-02).
	SecondAlways bool
	// WaitLife is how long a sign-in waits for its next step, LinkLife how long a link of
	// recovery is good.
	WaitLife, LinkLife time.Duration
	// Demo is the ИНН of the demo account that DemoINN opens; zero if this is no demo.
	Demo person.INN
	Now  func() time.Time
}

// Login answers on the public host. It is safe for concurrent use. Make it with New.
type Login struct{ opts Options }

// New returns a Login.
func New(o Options) *Login { return &Login{o} }

// Routes adds the routes of the public host.
func (l *Login) Routes(r gin.IRouter) {
	guarded := r.Group("/", form.Guard(l.opts.Refuse))
	for _, route := range []struct {
		path      string
		get, post gin.HandlerFunc
	}{
		{PathPassword, l.askPassword, l.password},
		{PathSecond, l.askSecond, l.second},
		{PathChange, l.askChange, l.change},
		{PathRecovery, l.askRecovery, l.recover},
		{PathReset, l.askReset, l.reset},
		{PathByKey, l.askByKey, l.byKey},
	} {
		request.Get(r, route.path, route.get)
		guarded.POST(route.path, route.post)
	}
}

// show writes a page of this package with a form.
func (l *Login) show(c *gin.Context, name string, v page.View) {
	v.Token = form.Token(c.Writer, c.Request)
	page.Written(c.Writer, c.Request, l.opts.Pages.Show(c.Writer, c.Request, "login/"+name, v))
}

// again writes a page once more with what is wrong, by the reason of an error that is about
// the form as a whole, or about one field of it.
func (l *Login) again(c *gin.Context, name, field string, err error, v page.View) {
	code := note(c, err)
	v.Status, v.Code = problem.Status(code), code
	entry, _ := reason.Lookup(code)
	v.Errors.Add(field, page.Text{RU: entry.RU, EN: entry.EN})
	l.show(c, name, v)
}

// refuse writes the page about an error that ends what the person was doing.
func (l *Login) refuse(c *gin.Context, err error, links ...page.Link) {
	code := note(c, err)
	page.Written(c.Writer, c.Request, l.opts.Pages.Failure(c.Writer, c.Request, page.Failure{Code: code, Links: links}))
}

// note writes the reason of an error into the log line of the request, tells the browser how
// long to wait if that is known, and returns the reason.
func note(c *gin.Context, err error) reason.Code {
	e := request.From(c.Request.Context())
	e.Code, e.Err = admission.Code(err), err
	if limited, ok := asRefused(err); ok {
		seconds := int(limited.Wait/time.Second) + 1
		c.Writer.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	return e.Code
}

// parse reads a form, and answers the request if that fails.
func (l *Login) parse(c *gin.Context, limits form.Limits) (form.Values, bool) {
	values, err := form.Parse(c.Request, limits)
	if err != nil {
		l.refuse(c, err)
	}
	return values, err == nil
}

// open opens the sealed request of a page for the browser that it belongs to, and answers the
// request if that fails.
func (l *Login) open(c *gin.Context, sealed string) (oidc.Request, bool) {
	req, err := l.opts.Provider.Open(sealed)
	if err == nil && !oidc.SameBrowser(c.Request, req.Browser) {
		err = reason.SignInOtherBrowser
	}
	if err != nil {
		l.refuse(c, err)
		return oidc.Request{}, false
	}
	request.From(c.Request.Context()).Client = req.ClientID
	return req, true
}
