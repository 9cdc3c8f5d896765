// Package admission decides what becomes of people who have proven who they are: which
// account is theirs, whether it lets them in, and which keys belong to it (requirements IP-10,
// IP-24, IP-29 to IP-31, GU-04).
//
// A key that the gateway has not seen is bound to the account of the person whom its
// certificate names, without another registration (IP-24). The ИНН finds the account; the
// СНИЛС and the name must not contradict it, because a certificate that was issued by mistake
// or by fraud must not open the account of somebody else. A key that was given up stays given
// up, in whatever certificate it comes again.
//
// Whatever is decided is written in one transaction together with the letters and the events
// of the journal that tell about it.
package admission

import (
	"context"
	"errors"
	"net/http"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/server/account"
	"propusk/server/level"
	"propusk/server/mail"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/problem"
	"propusk/server/request"
	"propusk/server/store"
	"propusk/server/visit"
)

// Newcomers takes over people whom no account lets in yet. Each method answers the request.
type Newcomers interface {
	// Begin is for who has proven a key and has no account.
	Begin(w http.ResponseWriter, r *http.Request, req oidc.Request, who oidc.Login)
	// Await is for who has an account that waits for the link of the letter or for an operator.
	Await(w http.ResponseWriter, r *http.Request, req oidc.Request, who oidc.Login)
}

// Devices remembers from which browsers a login was used.
type Devices interface {
	Known(r *http.Request, login string) bool
	Remember(w http.ResponseWriter, r *http.Request, login string)
}

// Granter sends people on who were let in: an [oidc.Provider].
type Granter interface {
	Grant(w http.ResponseWriter, r *http.Request, req oidc.Request, who oidc.Login)
	Need(req oidc.Request, kind person.Kind) level.Need
}

// Enterprises knows whether somebody is an entrepreneur still.
type Enterprises interface {
	// Ended returns when the enterprise that an identity names has ended, and the zero time
	// if it goes on. The error means that nobody can tell.
	Ended(ctx context.Context, who person.Identity) (time.Time, error)
}

// Options is what an Admission needs. Only Newcomers, Enterprises and Observe may be left out.
type Options struct {
	Store    store.Store
	Provider Granter
	Visits   *visit.Keeper
	// Newcomers takes over who has no account; nil refuses them.
	Newcomers Newcomers
	// Devices tells new browsers from known ones.
	Devices Devices
	// Enterprises is asked at sign-ins of entrepreneurs; nil is not asked.
	Enterprises Enterprises
	// EntrepreneurYears is for how long who is no entrepreneur any more may come in as one.
	EntrepreneurYears int
	// Mail writes letters.
	Mail mail.Composer
	// Address is what is kept of the address of a request, "host:port".
	Address func(remote string) person.Private
	// Pages writes pages.
	Pages *page.Book
	// Observe is told of everybody who has proven who he is: the conclusion of a report, and
	// the reason unless he was let in. Nobody is told who it was. Nil is nobody.
	Observe func(conclusion string, why reason.Code)
	// Now returns the time.
	Now func() time.Time
}

// Admission lets people in. It is safe for concurrent use. Make it with New.
type Admission struct{ opts Options }

// New returns an Admission.
func New(o Options) *Admission { return &Admission{o} }

// Key takes over who came back with a good key: it is [oidc.Options.Admit]. It ends in
// [oidc.Provider.Grant], at Newcomers, or in a page with cause and remedy.
func (a *Admission) Key(w http.ResponseWriter, r *http.Request, req oidc.Request, who oidc.Login) {
	cert, err := gostx509.Parse(who.Certificate)
	if err != nil {
		a.refuse(w, r, reason.New(reason.CertMalformed, err), nil)
		return
	}
	seen := a.enterprise(r.Context(), who.Identity)
	var d decision
	err = a.opts.Store.Update(r.Context(), func(tx store.Tx) (err error) {
		d, err = a.decide(tx, r, attempt{who, cert, seen, a.opts.Now()})
		return err
	})
	if err != nil {
		a.refuse(w, r, err, nil)
		return
	}
	a.opts.Visits.Over(d.ended)
	switch {
	case d.refused != "":
		a.refuse(w, r, d.refused, d.facts)
	case d.next == beginning && a.opts.Newcomers != nil:
		a.opts.Newcomers.Begin(w, r, req, who)
	case d.next == awaiting && a.opts.Newcomers != nil:
		a.opts.Newcomers.Await(w, r, req, who)
	case d.next == entering:
		a.enter(w, r, req, visit.How{Account: d.account.ID, Level: who.Level, AMR: who.AMR, Login: who}, d.taxpayer)
	default:
		a.refuse(w, r, reason.AccountUnknown, nil)
	}
}

// Enter lets in who has proven a password: it looks once more at the account, begins or raises
// the visit, tells of a new browser, and ends in [oidc.Provider.Grant] or in a page with cause
// and remedy. The caller has not written an answer.
func (a *Admission) Enter(w http.ResponseWriter, r *http.Request, req oidc.Request, how visit.How) {
	a.enter(w, r, req, how, "")
}

// enter begins or raises a visit; taxpayer is the one that the key proves, "" with a password.
func (a *Admission) enter(w http.ResponseWriter, r *http.Request, req oidc.Request, how visit.How, taxpayer string) {
	var acc account.Account
	current, _, visits := a.opts.Visits.Of(r)
	err := a.opts.Store.View(r.Context(), func(tx store.Tx) (err error) {
		if acc, err = tx.Account(how.Account); err == nil {
			err = Check(acc)
		}
		return err
	})
	if err == nil {
		err = a.tellDevice(r, acc, how.Login.Certificate != nil)
	}
	if err == nil {
		if visits && current.Account == acc.ID {
			how.Taxpayer, err = a.keepTaxpayer(acc, current, taxpayer, &how)
		} else {
			how.Taxpayer, err = a.firstTaxpayer(acc, taxpayer, &how)
		}
	}
	if err == nil && how.Login.Certificate != nil && a.opts.Provider.Need(req, how.Login.Identity.Kind).Level > how.Level {
		err = reason.AccountLimited // another try with the same key would end here again
	}
	if err != nil {
		a.refuse(w, r, err, nil)
		return
	}
	how.Still = func(tx store.Tx, acc account.Account) error { return stillGood(tx, acc, how.Login) }
	v, err := a.opts.Visits.Begin(r.Context(), w, r, how)
	if err != nil {
		a.refuse(w, r, err, nil)
		return
	}
	a.opts.Devices.Remember(w, r, acc.Identity.INN.Reveal())
	a.observe(report.TotalPassed, "")
	a.opts.Provider.Grant(w, r, req, a.opts.Visits.Login(v, acc))
}

// stillGood reports why somebody who was let in is not any more: the person may have given the
// key up in the meantime, or blocked the account, in another browser.
func stillGood(tx store.Tx, acc account.Account, who oidc.Login) error {
	if err := Check(acc); err != nil || who.Certificate == nil {
		return err
	}
	key, err := tx.Key(who.CertSHA256)
	if err != nil {
		return err
	}
	if code := knownKey(key); code != "" {
		return code
	}
	return nil
}

// tellDevice tells a person of a sign-in from a browser that he has not used before (GU-04):
// by letter, because whoever sits there must not be asked. The first sign-in of all is no news.
func (a *Admission) tellDevice(r *http.Request, acc account.Account, key bool) error {
	if acc.LastVisit.IsZero() || acc.EmailConfirmed.IsZero() || a.opts.Devices.Known(r, acc.Identity.INN.Reveal()) {
		return nil
	}
	letter := a.opts.Mail.NewDevice(To(acc), a.opts.Now(), mail.NewDevice{Device: a.Device(r), Key: key})
	return a.opts.Store.Update(r.Context(), func(tx store.Tx) error { return tx.PutLetter(letter) })
}

// To is where the letters of an account go.
func To(acc account.Account) mail.To {
	return mail.To{Email: acc.Email, Language: acc.Language, Account: acc.ID}
}

// Device is the browser of a request, for letters.
func (a *Admission) Device(r *http.Request) mail.Device {
	return mail.Device{At: a.opts.Now(), Address: a.opts.Address(r.RemoteAddr), Name: visit.DeviceOf(r)}
}

// refuse writes the page about a reason. Errors without one are those of the store.
func (a *Admission) refuse(w http.ResponseWriter, r *http.Request, err error, facts []page.Fact) {
	conclusion := report.TotalFailed
	if code := Code(err); problem.Status(code) >= http.StatusInternalServerError {
		conclusion = report.Indeterminate
	}
	a.observe(conclusion, Code(err))
	Refuse(a.opts.Pages, w, r, err, facts)
}

func (a *Admission) observe(conclusion string, why reason.Code) {
	if a.opts.Observe != nil {
		a.opts.Observe(conclusion, why)
	}
}

// Refuse writes the page about an error of this package, of package visit or of a store.
func Refuse(pages *page.Book, w http.ResponseWriter, r *http.Request, err error, facts []page.Fact) {
	code := Code(err)
	e := request.From(r.Context())
	e.Code, e.Err = code, err
	page.Written(w, r, pages.Failure(w, r, page.Failure{Code: code, Facts: facts}))
}

// Code returns the reason for people of an error of this package, of package visit or of a
// store.
func Code(err error) reason.Code {
	if code, ok := errors.AsType[reason.Code](err); ok {
		return code
	}
	if errors.Is(err, store.ErrConflict) {
		return reason.AccountBusy
	}
	return reason.AccountLost
}
