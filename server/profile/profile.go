// Package profile is the pages on which people look after their accounts (requirements IP-30,
// IP-31, IP-36, FL-15, GU-02 to GU-06, GU-12, BY-09): certificates, the journal of sign-ins
// and signatures, visits, passwords and second factors, the address of e-mail, the active
// taxpayer, and the lock for emergencies.
//
// Whoever visits may look. What changes the account wants a fresh sign-in as strong as the
// account has to offer (GU-12), but for what keeps others out: to give up a key, to end
// visits and to block the account is done at once.
package profile

import (
	"context"
	"embed"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/admission"
	"propusk/server/factor"
	"propusk/server/form"
	"propusk/server/journal"
	"propusk/server/level"
	"propusk/server/mail"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/password"
	"propusk/server/request"
	"propusk/server/store"
	"propusk/server/visit"
)

//go:embed templates/*.html
var templates embed.FS

// Templates are the pages of this package.
func Templates() page.Set { return page.Set{Name: "profile", Files: templates} }

// Paths on the public host.
const (
	// Path is the page of an account; all others are below it.
	Path = "/account"

	pathCertificates = Path + "/certificates"
	pathJournal      = Path + "/journal"
	pathVisits       = Path + "/visits"
	pathSecurity     = Path + "/security"
	pathEmail        = Path + "/email"
	pathTaxpayer     = Path + "/taxpayer"
	pathBlock        = Path + "/block"
	pathConfirm      = Path + "/confirm"
	pathAgreements   = Path + "/agreements"
)

// Provider sends people to sign in, and knows whether they have: an [oidc.Provider].
type Provider interface {
	Own(w http.ResponseWriter, r *http.Request, target string, need oidc.Need)
	Enough(who oidc.Login, need oidc.Need) bool
}

// Passwords sets passwords: a [login.Login].
type Passwords interface {
	Weaknesses(fresh string, a account.Account) []password.Weakness
	Hash(ctx context.Context, fresh string) (string, error)
	HashCodeWord(ctx context.Context, word string) (string, error)
	SetPassword(tx store.Tx, r *http.Request, a account.Account, hash string) error
}

// Histories reads the journal: a [journal.Recorder].
type Histories interface {
	Of(ctx context.Context, who []person.Identity, before uint64, limit int) ([]journal.Record, error)
}

// Options is what a Profile needs.
type Options struct {
	Store     store.Store
	Provider  Provider
	Visits    *visit.Keeper
	Admission *admission.Admission
	Passwords Passwords
	Factors   *factor.Keeper
	// Histories is the journal.
	Histories Histories
	// Forget is told the SHA-256 of a certificate by which nobody is to come any more.
	Forget func(cert [32]byte)
	Mail   mail.Composer
	// PublicURL is the public host, without a trailing slash.
	PublicURL string
	// LinkLife is how long the link for a new address is good, and Fresh how long after a
	// sign-in the account may be changed.
	LinkLife, Fresh time.Duration
	Pages           *page.Book
	Now             func() time.Time
}

// Profile answers on the public host. It is safe for concurrent use. Make it with New.
type Profile struct{ opts Options }

// New returns a Profile.
func New(o Options) *Profile { return &Profile{o} }

// Routes adds the routes of the public host.
func (p *Profile) Routes(r gin.IRouter) {
	g := r.Group("/", form.Guard(func(w http.ResponseWriter, r *http.Request, code reason.Code) {
		page.Written(w, r, p.opts.Pages.Failure(w, r, page.Failure{Code: code}))
	}))
	g.GET(Path, p.visited(p.home))
	g.GET(pathConfirm, p.confirm)
	g.GET(pathCertificates, p.visited(p.certificates))
	g.GET(pathCertificates+"/file", p.visited(p.certificateFile))
	g.POST(pathCertificates+"/remove", p.changed(pathCertificates, p.removeCertificate))
	g.POST(pathCertificates+"/restore", p.changed(pathCertificates, p.restoreCertificate))
	g.GET(pathCertificates+"/lost", p.visited(p.askLost))
	g.POST(pathCertificates+"/lost", p.visited(p.lost))
	g.GET(pathJournal, p.visited(p.journal))
	g.GET(pathJournal+".csv", p.visited(p.journalCSV))
	g.GET(pathJournal+".json", p.visited(p.journalJSON))
	g.GET(pathAgreements, p.visited(p.agreements))
	g.GET(pathAgreements+"/file", p.visited(p.agreementFile))
	g.GET(pathVisits, p.visited(p.visits))
	g.POST(pathVisits+"/end", p.visited(p.endVisit))
	g.POST(pathVisits+"/end-others", p.visited(p.endOthers))
	p.securityRoutes(g)
	g.GET(pathEmail, p.changed(pathEmail, p.email))
	g.POST(pathEmail, p.changed(pathEmail, p.changeEmail))
	g.GET(pathEmail+"/confirm", p.askEmail)
	g.POST(pathEmail+"/confirm", p.confirmEmail)
	g.GET(pathTaxpayer, p.visited(p.taxpayers))
	g.POST(pathTaxpayer, p.visited(p.setTaxpayer))
	g.GET(pathBlock, p.visited(p.askBlock))
	g.POST(pathBlock, p.visited(p.block))
}

// securityRoutes adds those about passwords and second factors.
func (p *Profile) securityRoutes(g gin.IRouter) {
	g.GET(pathSecurity, p.visited(p.security))
	g.GET(pathSecurity+"/password", p.changed(pathSecurity+"/password", p.password))
	g.POST(pathSecurity+"/password", p.changed(pathSecurity+"/password", p.setPassword))
	g.POST(pathSecurity+"/application", p.changed(pathSecurity, p.proposeApplication))
	g.GET(pathSecurity+"/application", p.changed(pathSecurity, p.application))
	g.GET(pathSecurity+"/application.png", p.changed(pathSecurity, p.applicationPicture))
	g.POST(pathSecurity+"/application/confirm", p.changed(pathSecurity, p.confirmApplication))
	g.POST(pathSecurity+"/application/remove", p.changed(pathSecurity, p.removeApplication))
	g.POST(pathSecurity+"/recovery", p.changed(pathSecurity, p.newRecovery))
	g.POST(pathSecurity+"/code-by-email", p.changed(pathSecurity, p.codeByEmail))
	g.GET(pathSecurity+"/word", p.changed(pathSecurity+"/word", p.word))
	g.POST(pathSecurity+"/word", p.changed(pathSecurity+"/word", p.setWord))
}

// call is a request of somebody who visits.
type call struct {
	w     http.ResponseWriter
	r     *http.Request
	visit account.Visit
	acc   account.Account
}

// visited makes a handler for those who visit; others sign in first.
func (p *Profile) visited(h func(call)) gin.HandlerFunc {
	return func(c *gin.Context) {
		v, acc, ok := p.opts.Visits.Of(c.Request)
		switch {
		case ok:
			h(call{c.Writer, c.Request, v, acc})
		case c.Request.Method == http.MethodPost:
			p.fail(c.Writer, c.Request, reason.VisitOver)
		default:
			p.opts.Provider.Own(c.Writer, c.Request, c.Request.URL.RequestURI(), oidc.Need{Level: level.Password})
		}
	}
}

// changed makes a handler for those who have signed in just now, as strongly as their account
// allows; others do so first, and come back to a page.
func (p *Profile) changed(back string, h func(call)) gin.HandlerFunc {
	return p.visited(func(c call) {
		need, err := p.need(c.r.Context(), c.acc)
		if err != nil {
			p.fail(c.w, c.r, err)
			return
		}
		if p.opts.Provider.Enough(p.opts.Visits.Login(c.visit, c.acc), need) {
			h(c)
			return
		}
		p.show(c, "confirm", page.View{
			Status: http.StatusForbidden,
			Title:  page.Text{RU: "Подтвердите, что это вы", EN: "Confirm that it is you"},
			Data:   confirmPage{To: back, Password: need.Level == level.Password},
		})
	})
}

// confirmPage is what the page sees that asks for another sign-in.
type confirmPage struct {
	// To is where the person comes back.
	To string
	// Password is whether a password alone is enough.
	Password bool
}

// need is what a change of an account wants (GU-12): a key or a second factor, if the person has
// one or a code can be sent to him. A key that was given up counts until its certificate ends:
// to give it up takes no more than a password, and must not make a password enough.
func (p *Profile) need(ctx context.Context, acc account.Account) (oidc.Need, error) {
	need := oidc.Need{Level: level.Password, MaxAge: p.opts.Fresh}
	err := p.opts.Store.View(ctx, func(tx store.Tx) error {
		set, err := p.opts.Factors.Of(tx, acc.ID)
		if err != nil {
			return err
		}
		keys, err := tx.Keys(acc.ID)
		key := slices.ContainsFunc(keys, func(k account.Key) bool {
			return k.State != account.RemovedKey && p.opts.Now().Before(k.NotAfter)
		})
		if key || set.Any() || !acc.EmailConfirmed.IsZero() {
			need.Level = level.TwoFactor
		}
		return err
	})
	return need, err
}

// confirm sends a person to sign in again, and then to one of the pages that want it.
func (p *Profile) confirm(c *gin.Context) {
	to := c.Query("to")
	if !slices.Contains([]string{pathCertificates, pathSecurity, pathSecurity + "/password", pathSecurity + "/word", pathEmail}, to) {
		to = Path
	}
	_, acc, ok := p.opts.Visits.Of(c.Request)
	need := oidc.Need{Level: level.Password, MaxAge: p.opts.Fresh}
	if ok {
		var err error
		if need, err = p.need(c.Request.Context(), acc); err != nil {
			p.fail(c.Writer, c.Request, err)
			return
		}
	}
	p.opts.Provider.Own(c.Writer, c.Request, to, need)
}

// show writes a page of somebody who visits.
func (p *Profile) show(c call, name string, v page.View) {
	v.Who, v.Token = visit.Header(c.visit, c.acc), form.Token(c.w, c.r)
	if len(v.Errors) > 0 {
		request.From(c.r.Context()).Code = reason.FormMalformed
	}
	page.Written(c.w, c.r, p.opts.Pages.Show(c.w, c.r, "profile/"+name, v))
}

// fail writes the page about an error.
func (p *Profile) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, store.ErrNotFound) {
		err = errors.Join(reason.PageNotFound, err)
	}
	admission.Refuse(p.opts.Pages, w, r, err, nil)
}

// update runs a transaction with the account as it is now, so that what is written rests on
// nothing old.
func (p *Profile) update(c call, f func(tx store.Tx, acc account.Account) error) error {
	return p.opts.Store.Update(c.r.Context(), func(tx store.Tx) error {
		acc, err := tx.Account(c.acc.ID)
		if err == nil {
			err = admission.Check(acc)
		}
		if err != nil {
			return err
		}
		return f(tx, acc)
	})
}

// tell writes the event of a change of the second factors or of the code word, and the letter
// about it.
func (p *Profile) tell(tx store.Tx, c call, acc account.Account, action string, what mail.Change) error {
	if err := tx.Note(p.opts.Admission.Event(c.r, action), acc.Identity); err != nil || acc.EmailConfirmed.IsZero() {
		return err
	}
	changed := mail.SecurityChanged{Device: p.opts.Admission.Device(c.r), What: what}
	return tx.PutLetter(p.opts.Mail.SecurityChanged(admission.To(acc), p.opts.Now(), changed))
}

// done leads back to a page after a change, which says what was done: one of the names that
// its template knows.
func (p *Profile) done(c call, path, what string) {
	http.Redirect(c.w, c.r, path+"?done="+what, http.StatusSeeOther)
}

// parse reads a form; if it cannot be read the request is answered, and ok is false.
func (p *Profile) parse(c call, limits form.Limits) (v form.Values, ok bool) {
	v, err := form.Parse(c.r, limits)
	if err != nil {
		p.fail(c.w, c.r, err)
	}
	return v, err == nil
}
