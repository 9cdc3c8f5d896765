package login

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/admission"
	"propusk/server/factor"
	"propusk/server/form"
	"propusk/server/level"
	"propusk/server/mail"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/request"
	"propusk/server/store"
	"propusk/server/visit"

	"propusk/pki/report"
)

// Limits of fields, in characters.
const (
	maxRequest  = 8 << 10
	maxLogin    = 32
	maxPassword = 128
	maxCode     = 32
	maxEmail    = 254 // RFC 5321, Section 4.5.3.1.3
	maxWord     = 64
	maxLink     = 64
)

// askPassword shows the form for login and password.
func (l *Login) askPassword(c *gin.Context) {
	sealed := c.Query(FieldRequest)
	if _, ok := l.open(c, sealed); ok {
		l.show(c, "password", passwordView(sealed, nil))
	}
}

// passwordData is what the page "password" shows.
type passwordData struct{ Request, Key, Recovery string }

func passwordView(sealed string, values form.Values) page.View {
	return page.View{
		Title:  page.Text{RU: "Вход по логину и паролю", EN: "Sign in with login and password"},
		Values: values.Kept(FieldPassword),
		Here:   PathPassword + "?" + url.Values{FieldRequest: {sealed}}.Encode(),
		Data:   passwordData{Request: sealed, Key: "/signin?" + url.Values{"choose": {"1"}, "request": {sealed}}.Encode(), Recovery: PathRecovery},
	}
}

// password compares login and password.
func (l *Login) password(c *gin.Context) {
	values, ok := l.parse(c, form.Limits{FieldRequest: {Max: maxRequest}, FieldLogin: {Max: maxLogin}, FieldPassword: {Max: maxPassword, Raw: true}})
	if !ok {
		return
	}
	req, ok := l.open(c, values[FieldRequest])
	if !ok {
		return
	}
	view := passwordView(values[FieldRequest], values)
	login := factor.Digits(values[FieldLogin])
	checkLogin(&view.Errors, login)
	if values[FieldPassword] == "" {
		view.Errors.Add(FieldPassword, page.Text{RU: "Введите пароль.", EN: "Enter the password."})
	}
	if len(view.Errors) > 0 {
		l.show(c, "password", view)
		return
	}
	a, p, err := l.check(c.Request, login, values[FieldPassword])
	if err != nil {
		l.again(c, "password", "", err, view)
		return
	}
	l.advance(c, req, values[FieldRequest], a, p)
}

// checkLogin adds what is wrong with a login before anything is looked up: a number that
// nobody has is a slip of the hand (GU-16).
func checkLogin(errs *page.Errors, login string) {
	if _, err := person.ParseINN(login); err != nil && login != DemoINN {
		errs.Add(FieldLogin, page.Text{RU: "ИНН состоит из 12 цифр; проверьте, нет ли опечатки.", EN: "An INN has 12 digits; look for a slip."})
	}
}

// advance finds what is wanted of a person whose password was right.
func (l *Login) advance(c *gin.Context, req oidc.Request, sealed string, a account.Account, p account.Password) {
	if err := l.standing(c.Request, a, p); err != nil {
		l.refuse(c, err)
		return
	}
	methods, due, err := l.methods(c.Request, req, a)
	if err != nil {
		l.refuse(c, err)
		return
	}
	wait := waiting{Request: sealed, Change: p.Initial, Second: due}
	if !wait.Change && !wait.Second {
		l.enter(c, req, a, wait)
		return
	}
	l.wait(c, a, wait, methods)
}

// wait keeps a sign-in, and sends the browser to its next step.
func (l *Login) wait(c *gin.Context, a account.Account, wait waiting, methods []string) {
	// Nothing is sent because of an address that was opened.
	send := wait.Second && c.Request.Method == http.MethodPost && slices.Equal(methods, []string{account.EmailCode})
	wait, cookie := l.fresh(a.ID, wait)
	err := l.opts.Store.Update(c.Request.Context(), func(tx store.Tx) error { return l.begin(tx, wait) })
	if err == nil && send {
		err = l.sendCode(c.Request, wait, a)
	}
	if err != nil {
		l.refuse(c, err)
		return
	}
	setCookie(c.Writer, cookie, int(l.opts.WaitLife.Seconds()))
	next := PathChange
	if wait.Second {
		next = PathSecond
	}
	http.Redirect(c.Writer, c.Request, next, http.StatusSeeOther)
}

// standing reports why the account of a right password lets nobody in. A first password whose
// time is over blocks the account (PW-02).
func (l *Login) standing(r *http.Request, a account.Account, p account.Password) error {
	if !p.Initial || p.Expires.IsZero() || l.opts.Now().Before(p.Expires) || a.State != account.Active {
		return admission.Check(a)
	}
	if p.Spent { // somebody has opened the account again since, which gives the password no new life
		return reason.AccountCardExpired
	}
	err := l.opts.Store.Update(r.Context(), func(tx store.Tx) error {
		now, kept, err := withPassword(tx, a.ID)
		if err != nil || now.State != account.Active || kept.Hash != p.Hash { // there is a new card
			return err
		}
		kept.Spent = true
		if err := tx.PutPassword(kept); err != nil {
			return err
		}
		now.State, now.Why = account.Blocked, reason.AccountCardExpired
		e := l.opts.Admission.Event(r, "account-blocked")
		e.Reason = reason.AccountCardExpired
		if err := tx.Note(e, now.Identity); err != nil {
			return err
		}
		if !now.EmailConfirmed.IsZero() {
			if err := tx.PutLetter(l.opts.Mail.Blocked(admission.To(now), l.opts.Now(), mail.Blocked{At: l.opts.Now(), Card: true})); err != nil {
				return err
			}
		}
		return tx.PutAccount(&now)
	})
	if err != nil {
		return err
	}
	return reason.AccountCardExpired
}

// methods returns by what an account can prove a second factor, and whether it has to now.
func (l *Login) methods(r *http.Request, req oidc.Request, a account.Account) (methods []string, due bool, err error) {
	var set factor.Set
	err = l.opts.Store.View(r.Context(), func(tx store.Tx) error {
		set, err = l.opts.Factors.Of(tx, a.ID)
		return err
	})
	if set.TOTP {
		methods = append(methods, account.TOTP)
	}
	if !a.EmailConfirmed.IsZero() && (set.Email || !set.TOTP) {
		methods = append(methods, account.EmailCode)
	}
	if set.TOTP && set.Recovery > 0 {
		methods = append(methods, account.Recovery)
	}
	wanted := set.Any() || l.opts.SecondAlways || l.need(r, req, a).Level == level.TwoFactor
	return methods, wanted && len(methods) > 0, err
}

// need is what a request wants of a person, who may act for another taxpayer in the visit that
// the browser has.
func (l *Login) need(r *http.Request, req oidc.Request, a account.Account) level.Need {
	kind := a.Identity.Kind
	if v, who, ok := l.opts.Visits.Of(r); ok && who.ID == a.ID {
		kind = l.opts.Visits.Login(v, who).Kind()
	}
	return l.opts.Provider.Need(req, kind)
}

// enter notes the sign-in, and hands the person to package admission. Whatever waited has been
// used up.
func (l *Login) enter(c *gin.Context, req oidc.Request, a account.Account, wait waiting) {
	r := c.Request
	how := visit.How{Account: a.ID, Level: level.Password, AMR: []string{"pwd"}}
	if wait.Passed {
		how.Level, how.AMR = level.TwoFactor, []string{"pwd", "otp", "mfa"}
	}
	if l.need(r, req, a).Level == level.TwoFactor && !wait.Passed {
		l.refuse(c, reason.LoginNoFactor, page.Link{Label: page.Text{RU: "Безопасность", EN: "Security"}, URL: "/account/security"})
		return
	}
	err := l.opts.Store.Update(r.Context(), func(tx store.Tx) error {
		now, err := tx.Account(a.ID)
		if err != nil {
			return err
		}
		if err := admission.Check(now); err != nil {
			return err
		}
		return tx.Note(l.event(r, ""), now.Identity)
	})
	if err != nil {
		l.refuse(c, err)
		return
	}
	request.From(r.Context()).Conclusion = report.TotalPassed
	l.opts.Admission.Enter(c.Writer, r, req, how)
}
