package login

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/admission"
	"propusk/server/form"
	"propusk/server/level"
	"propusk/server/mail"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/store"
	"propusk/server/throttle"
)

// Fields of the form of the second factor.
const (
	fieldMethod = "method"
	fieldCode   = "code"
	fieldAction = "action"
	actionSend  = "send"
)

// secondData is what the page "second" shows.
type secondData struct {
	// Methods are offered to choose from; Method is the only one, if it is.
	Methods []page.Option
	Method  string
	// Email is where a code can be sent, as its owner recognises it; empty if it cannot.
	Email string
	// Sent is true if a code was sent for this sign-in.
	Sent bool
}

// First reports whether a letter has to be asked for before there is a code at all.
func (d secondData) First() bool { return d.Method == account.EmailCode && !d.Sent }

// askSecond shows the form for the code, or begins to raise a visit.
func (l *Login) askSecond(c *gin.Context) {
	if sealed := c.Query(FieldRequest); sealed != "" {
		l.raise(c, sealed)
		return
	}
	wait, a, _, methods, ok := l.secondOf(c)
	if !ok {
		return
	}
	l.show(c, "second", secondView(a, methods, wait.Sent, nil))
}

// raise begins the second factor of a person whose visit has the password already.
func (l *Login) raise(c *gin.Context, sealed string) {
	req, ok := l.open(c, sealed)
	if !ok {
		return
	}
	v, a, ok := l.opts.Visits.Of(c.Request)
	if !ok || !typed(v, l.need(c.Request, req, a).Since) {
		http.Redirect(c.Writer, c.Request, PathPassword+"?"+url.Values{FieldRequest: {sealed}}.Encode(), http.StatusSeeOther)
		return
	}
	methods, _, err := l.methods(c.Request, req, a)
	if err == nil && len(methods) == 0 {
		err = reason.LoginNoFactor
	}
	if err != nil {
		l.refuse(c, err)
		return
	}
	l.wait(c, a, waiting{Request: sealed, Second: true, Raise: true}, methods)
}

// typed reports whether a visit has a password that was typed at a time or later. What was
// raised by a code does not count: its moment is that of the code.
func typed(v account.Visit, since time.Time) bool {
	return slices.ContainsFunc(v.Proofs, func(p level.Proof) bool { return p.Level == level.Password && !p.At.Before(since) })
}

// secondOf returns the sign-in that waits for a code, and answers the request if there is none.
func (l *Login) secondOf(c *gin.Context) (waiting, account.Account, oidc.Request, []string, bool) {
	wait, a, req, ok := l.waitingOf(c)
	if !ok {
		return wait, a, req, nil, false
	}
	methods, _, err := l.methods(c.Request, req, a)
	if err == nil && (!wait.Second || wait.Passed || len(methods) == 0 || wait.Raise && !l.visiting(c.Request, a)) {
		err = reason.LoginExpired
	}
	if err != nil {
		l.refuse(c, err)
		return wait, a, req, nil, false
	}
	return wait, a, req, methods, true
}

// visiting reports whether a browser has the visit of an account still.
func (l *Login) visiting(r *http.Request, a account.Account) bool {
	_, who, ok := l.opts.Visits.Of(r)
	return ok && who.ID == a.ID
}

// waitingOf returns the sign-in of a browser with its account and request, and answers the
// request if there is none.
func (l *Login) waitingOf(c *gin.Context) (wait waiting, a account.Account, req oidc.Request, ok bool) {
	err := l.opts.Store.View(c.Request.Context(), func(tx store.Tx) (err error) {
		wait, a, err = l.waits(tx, c.Request)
		return err
	})
	if err != nil {
		l.refuse(c, err)
		return wait, a, req, false
	}
	req, ok = l.open(c, wait.Request)
	return wait, a, req, ok
}

func secondView(a account.Account, methods []string, sent bool, values form.Values) page.View {
	d := secondData{Sent: sent}
	for _, m := range methods {
		d.Methods = append(d.Methods, methodOption(m))
	}
	if len(methods) == 1 {
		d.Method = methods[0]
	}
	if slices.Contains(methods, account.EmailCode) {
		d.Email = recognisable(a.Email.Reveal())
	}
	if values[fieldMethod] == "" {
		values = form.Values{fieldMethod: methods[0]}
		if sent && d.Email != "" {
			values[fieldMethod] = account.EmailCode
		}
	}
	return page.View{
		Title:  page.Text{RU: "Код подтверждения", EN: "Confirmation code"},
		Values: values.Kept(fieldCode), Here: PathSecond, Data: d,
	}
}

// recognisable returns an address of e-mail so that its owner knows it again, and nobody else
// can write to it: "i***@p***.example".
func recognisable(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return starred(address)
	}
	domain, zone := address[at+1:], ""
	if dot := strings.LastIndexByte(domain, '.'); dot > 0 {
		domain, zone = domain[:dot], domain[dot:]
	}
	return starred(address[:at]) + "@" + starred(domain) + zone
}

// starred returns the first character of a text: how many are left out is not told.
func starred(text string) string {
	_, size := utf8.DecodeRuneInString(text)
	return text[:size] + "***"
}

// methodOption puts a method into words.
func methodOption(method string) page.Option {
	o := page.Option{Value: method}
	switch method {
	case account.TOTP:
		o.Label = page.Text{RU: "Код из приложения", EN: "A code of the application"}
		o.Hint = page.Text{RU: "6 цифр, меняются каждые 30 секунд", EN: "6 digits that change every 30 seconds"}
	case account.EmailCode:
		o.Label = page.Text{RU: "Код из письма", EN: "A code by e-mail"}
		o.Hint = page.Text{RU: "8 цифр", EN: "8 digits"}
	default:
		o.Label = page.Text{RU: "Резервный код", EN: "A recovery code"}
		o.Hint = page.Text{RU: "10 знаков из списка, который вы сохранили; каждый действует один раз", EN: "10 characters of the list that you have kept; each is good once"}
	}
	return o
}

// second compares a code, or sends one.
func (l *Login) second(c *gin.Context) {
	values, ok := l.parse(c, form.Limits{fieldMethod: {Max: maxCode}, fieldCode: {Max: maxCode}, fieldAction: {Max: maxCode}})
	if !ok {
		return
	}
	wait, a, req, methods, ok := l.secondOf(c)
	if !ok {
		return
	}
	view := secondView(a, methods, wait.Sent, values)
	method := view.Values[fieldMethod]
	switch {
	case values[fieldAction] == actionSend && slices.Contains(methods, account.EmailCode):
		if err := l.sendCode(c.Request, wait, a); err != nil {
			l.again(c, "second", "", err, view)
			return
		}
		http.Redirect(c.Writer, c.Request, PathSecond, http.StatusSeeOther) // a page that is loaded again sends nothing
		return
	case !slices.Contains(methods, method):
		l.refuse(c, reason.Errorf(reason.FormMalformed, "there is no such method"))
		return
	case values[fieldCode] == "":
		view.Errors.Add(fieldCode, page.Text{RU: "Введите код.", EN: "Enter the code."})
		l.show(c, "second", view)
		return
	}
	wait, err := l.compare(c.Request, a, method, values[fieldCode])
	switch {
	case err != nil && wait.secret.Tries >= maxWrong: // the sign-in is over
		setCookie(c.Writer, "", -1)
		l.refuse(c, err)
	case err != nil:
		l.again(c, "second", fieldCode, err, view)
	case wait.Change:
		http.Redirect(c.Writer, c.Request, PathChange, http.StatusSeeOther)
	default:
		setCookie(c.Writer, "", -1)
		l.enter(c, req, a, wait)
	}
}

// compare uses a code up, and the sign-in too unless it goes on to another step. The error has
// the reason [reason.LoginCodeWrong] or [reason.LoginCodeAttempts], or is that of the store.
func (l *Login) compare(r *http.Request, a account.Account, method, code string) (wait waiting, err error) {
	attempt := l.opts.Throttle.Attempt(r, bySecond, a.Identity.INN.Reveal(), rules(bySecond))
	right := false
	err = l.opts.Store.Update(r.Context(), func(tx store.Tx) (err error) {
		if wait, _, err = l.waits(tx, r); err != nil {
			return err
		}
		if err := l.opts.Throttle.Begin(tx, attempt); err != nil {
			return err
		}
		if right, err = l.right(tx, wait, a, method, code); err != nil {
			return err
		}
		if right {
			return l.passed(tx, &wait, attempt)
		}
		if err := tx.Note(l.event(r, reason.LoginCodeWrong), a.Identity); err != nil {
			return err
		}
		if wait.secret.Tries++; wait.secret.Tries >= maxWrong {
			return l.end(tx, wait)
		}
		return l.keep(tx, wait)
	})
	switch {
	case err != nil:
		err = limited(bySecond, err)
	case !right && wait.secret.Tries >= maxWrong:
		err = reason.LoginCodeAttempts
	case !right:
		err = reason.LoginCodeWrong
	}
	return wait, err
}

// right reports whether a code is, and uses it up.
func (l *Login) right(tx store.Tx, wait waiting, a account.Account, method, code string) (bool, error) {
	switch method {
	case account.TOTP:
		return l.opts.Factors.TOTP(tx, a.ID, code)
	case account.Recovery:
		return l.opts.Factors.Recovery(tx, a.ID, code)
	default:
		return l.opts.Factors.CheckEmailCode(tx, a.ID, bySecond, wait.owner(), code)
	}
}

// owner names a waiting sign-in to package factor: a code by e-mail is good for the browser
// that asked for it, and for no other.
func (w waiting) owner() string { return string(w.secret.Digest[:]) }

// passed gives the attempt of a right code back, and lets the sign-in go on.
func (l *Login) passed(tx store.Tx, wait *waiting, attempt throttle.Attempt) error {
	if err := l.opts.Throttle.Passed(tx, attempt); err != nil {
		return err
	}
	wait.Passed = true
	if wait.Change {
		return l.keep(tx, *wait)
	}
	return l.end(tx, *wait)
}

// sendCode writes a letter with a code for a waiting sign-in, and notes that. The error has the
// reason [reason.LoginCodeSent] when there were too many, or [reason.LoginExpired].
func (l *Login) sendCode(r *http.Request, wait waiting, a account.Account) error {
	attempt := l.opts.Throttle.Attempt(r, byLetter, a.Identity.INN.Reveal(), rules(byLetter))
	err := l.opts.Store.Update(context.WithoutCancel(r.Context()), func(tx store.Tx) error {
		if err := l.opts.Throttle.Begin(tx, attempt); err != nil {
			return err
		}
		now, err := l.kept(tx, wait.secret.Digest) // it may have ended since somebody looked
		if err != nil {
			return err
		}
		now.Sent = true
		if err := l.keep(tx, now); err != nil {
			return err
		}
		code, until, err := l.opts.Factors.EmailCode(tx, a.ID, bySecond, wait.owner())
		if err != nil {
			return err
		}
		return tx.PutLetter(l.opts.Mail.Code(admission.To(a), l.opts.Now(), mail.Code{Code: code, Until: until}))
	})
	return limited(byLetter, err)
}
