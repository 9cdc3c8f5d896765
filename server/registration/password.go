package registration

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/admission"
	"propusk/server/form"
	"propusk/server/mail"
	"propusk/server/page"
	"propusk/server/session"
	"propusk/server/store"
)

// purposeActivation is the purpose of the links of letters.
const purposeActivation = "activation"

// maxPassword is how many characters of a password are taken.
const maxPassword = 256

// opened returns the registration of a request with its account, whose agreement is signed,
// and otherwise answers.
func (g *Registration) opened(x *gin.Context) (p *progress, a account.Account, password bool, ok bool) {
	p, err := g.current(x.Request)
	if err == nil && p.Account == "" {
		x.Redirect(http.StatusSeeOther, p.path())
		return nil, account.Account{}, false, false
	}
	if err == nil {
		err = g.opts.Store.View(x.Request.Context(), func(tx store.Tx) (err error) {
			if a, err = tx.Account(p.Account); err != nil {
				return err
			}
			password, err = hasPassword(tx, a.ID)
			return err
		})
	}
	if errors.Is(err, store.ErrNotFound) { // it was not activated in time
		err = reason.New(reason.RegistrationExpired, nil)
	}
	if err == nil && !unfinished(a) { // active, or blocked by an operator meanwhile
		err = admission.Check(a)
	}
	if err != nil {
		g.refuse(x.Writer, x.Request, err)
		return nil, account.Account{}, false, false
	}
	return p, a, password, true
}

func hasPassword(tx store.Tx, id account.ID) (bool, error) {
	_, err := tx.Password(id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// unfinished reports whether an account still waits for something of its person.
func unfinished(a account.Account) bool {
	return a.State == account.Awaiting || a.State == account.Pending
}

// password asks for the address once more, and for a password (IP-17).
func (g *Registration) password(x *gin.Context) {
	_, a, has, ok := g.opened(x)
	if !ok {
		return
	}
	if has || !unfinished(a) {
		x.Redirect(http.StatusSeeOther, pathDone)
		return
	}
	g.showPassword(x, a, form.Values{"email": a.Email.Reveal()}, nil)
}

func (g *Registration) showPassword(x *gin.Context, a account.Account, values form.Values, errs form.Errors) {
	g.show(x, "password", page.View{
		Title: page.Text{RU: "Пароль", EN: "Password"},
		Lead: page.Text{
			RU: "Соглашение подписано. Проверьте адрес электронной почты и придумайте пароль: по ИНН и паролю можно войти и без ключа, с ограниченным доступом.",
			EN: "The agreement is signed. Check the address of e-mail and choose a password: with it you can sign in without the key, for limited access.",
		},
		Errors: errs, Values: values.Kept("password", "again"), Here: pathPassword, Data: a.Identity.INN.Reveal(),
	})
}

// setPassword takes the password and writes the letter with the link.
func (g *Registration) setPassword(x *gin.Context) {
	p, a, has, ok := g.opened(x)
	if !ok {
		return
	}
	if has || !unfinished(a) { // sent twice
		x.Redirect(http.StatusSeeOther, pathDone)
		return
	}
	values, err := form.Parse(x.Request, form.Limits{
		"email": {Max: maxEmail}, "login": {Max: 12},
		"password": {Max: maxPassword, Raw: true}, "again": {Max: maxPassword, Raw: true},
	})
	if err != nil {
		g.refuse(x.Writer, x.Request, err)
		return
	}
	a.Email = person.NewEmail(values["email"])
	if errs := g.checkPassword(values, a); len(errs) > 0 {
		g.showPassword(x, a, values, errs)
		return
	}
	hash, err := g.opts.Passwords.Hash(x.Request.Context(), values["password"])
	if err == nil {
		err = g.finish(x.Request, p, a.Email, hash)
	}
	if err != nil {
		g.refuse(x.Writer, x.Request, err)
		return
	}
	x.Redirect(http.StatusSeeOther, pathDone)
}

// checkPassword returns what is wrong with the form.
func (g *Registration) checkPassword(v form.Values, a account.Account) form.Errors {
	var errs form.Errors
	if !mail.Deliverable(v["email"]) {
		errs.Add("email", page.Text{RU: "Введите адрес электронной почты латинскими буквами, например name@example.ru.", EN: "Enter an address of e-mail, such as name@example.com."})
	}
	for _, w := range g.opts.Passwords.Weaknesses(v["password"], a) {
		errs.Add("password", page.Text{RU: w.RU, EN: w.EN})
	}
	if len(errs) == 0 && v["password"] != v["again"] {
		errs.Add("again", page.Text{RU: "Пароли не совпадают. Введите один и тот же пароль дважды.", EN: "The passwords differ. Enter the same one twice."})
	}
	return errs
}

// finish writes the password and the letter.
func (g *Registration) finish(r *http.Request, p *progress, email person.Email, hash string) error {
	now := g.opts.Now()
	return g.opts.Store.Update(r.Context(), func(tx store.Tx) error {
		a, err := tx.Account(p.Account)
		if err != nil {
			return err
		}
		if has, err := hasPassword(tx, a.ID); err != nil || has || !unfinished(a) {
			return err // another tab was faster; its password stands
		}
		if a.Email != email {
			a.Email = email
			if err := tx.PutAccount(&a); err != nil {
				return err
			}
		}
		if err := tx.PutPassword(account.Password{Account: a.ID, Hash: hash, Set: now}); err != nil {
			return err
		}
		return g.letter(tx, p, a, now)
	})
}

// letter writes a link and the letter with it, unless there were too many. Older links for
// the same address stay good: letters come late, and in any order. The progress keeps which
// letter it is.
func (g *Registration) letter(tx store.Tx, p *progress, a account.Account, now time.Time) error {
	written, err := count(tx, "registration letters "+string(a.ID), now)
	if err != nil {
		return err
	}
	if written > g.opts.Letters {
		return reason.New(reason.ActivationTooOften, nil)
	}
	code, until := session.NewKey(), now.Add(g.opts.LinkLife)
	l := g.opts.Mail.Activation(g.to(a), now, mail.Activation{
		Link: g.opts.Issuer + PathActivate + "?" + url.Values{"code": {code}}.Encode(), Until: until,
	})
	p.Letter = l.ID
	return errors.Join(
		tx.PutSecret(account.Secret{
			Digest: sha256.Sum256([]byte(code)), Purpose: purposeActivation, Account: a.ID, Created: now, Expires: until,
			Data: g.opts.Sealer.Seal(purposeActivation, string(a.ID), []byte(a.Email.Reveal())),
		}),
		tx.PutLetter(l), g.put(tx, p),
	)
}

// count adds one to what is counted for 24 hours, and returns how many there are now.
func count(tx store.Tx, what string, now time.Time) (int, error) {
	c, err := tx.Counter(what)
	if err != nil {
		return 0, err
	}
	if c.Until.IsZero() || !now.Before(c.Until) {
		c.Count, c.Since, c.Until = 0, now, now.Add(24*time.Hour)
	}
	c.Count++
	return int(c.Count), tx.PutCounter(c)
}

func (g *Registration) to(a account.Account) mail.To {
	return mail.To{Email: a.Email, Language: a.Language, Account: a.ID}
}
