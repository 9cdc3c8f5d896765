package login

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/admission"
	"propusk/server/factor"
	"propusk/server/form"
	"propusk/server/level"
	"propusk/server/mail"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/session"
	"propusk/server/store"
)

// purposeLink is that of the secrets that are links of recovery.
const purposeLink = account.ForRecovery

// Fields of the form of recovery.
const (
	fieldEmail = "email"
	fieldWord  = "code-word"
)

// askRecovery shows the ways to a new password: by a key, or by e-mail and code word.
func (l *Login) askRecovery(c *gin.Context) { l.show(c, "recovery", recoveryView(nil)) }

func recoveryView(values form.Values) page.View {
	return page.View{
		Title: page.Text{RU: "Восстановление пароля", EN: "Recover the password"}, Here: PathRecovery,
		Values: values.Kept(fieldWord), Data: PathByKey,
	}
}

// recover writes a letter with a link if ИНН, confirmed address and code word belong together
// (FL-04). The answer is the same in either case, and so is the work.
func (l *Login) recover(c *gin.Context) {
	values, ok := l.parse(c, form.Limits{FieldLogin: {Max: maxLogin}, fieldEmail: {Max: maxEmail}, fieldWord: {Max: maxWord}})
	if !ok {
		return
	}
	view := recoveryView(values)
	login := factor.Digits(values[FieldLogin])
	checkLogin(&view.Errors, login)
	if at := strings.IndexByte(values[fieldEmail], '@'); at < 1 || at == len(values[fieldEmail])-1 {
		view.Errors.Add(fieldEmail, page.Text{RU: "Введите адрес почты, например name@example.ru.", EN: "Enter the e-mail address, such as name@example.ru."})
	}
	if codeWord(values[fieldWord]) == "" {
		view.Errors.Add(fieldWord, page.Text{RU: "Введите кодовое слово.", EN: "Enter the code word."})
	}
	if len(view.Errors) > 0 {
		l.show(c, "recovery", view)
		return
	}
	if err := l.sendLink(c, login, values[fieldEmail], values[fieldWord]); err != nil {
		l.again(c, "recovery", "", err, view)
		return
	}
	page.Written(c.Writer, c.Request, l.opts.Pages.Show(c.Writer, c.Request, "login/sent", page.View{
		Title: page.Text{RU: "Проверьте почту", EN: "Look into your mail"}, Here: PathRecovery,
	}))
}

// sendLink compares the three things, and writes the letter. The error tells nothing about
// whether they belong together.
func (l *Login) sendLink(c *gin.Context, login, email, word string) error {
	ctx := c.Request.Context()
	attempt := l.opts.Throttle.Attempt(c.Request, byRecovery, login, rules(byRecovery))
	err := l.opts.Store.Update(ctx, func(tx store.Tx) error { return l.opts.Throttle.Begin(tx, attempt) })
	if err != nil {
		return limited(byRecovery, err)
	}
	var a account.Account
	err = l.opts.Store.View(ctx, func(tx store.Tx) (err error) {
		a, err = l.account(tx, login)
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	right, _, err := l.opts.Hasher.Verify(ctx, a.CodeWord, codeWord(word))
	if errors.Is(err, reason.ServerBusy) { // nobody looked
		return errors.Join(l.opts.Store.Update(context.WithoutCancel(ctx), func(tx store.Tx) error { return l.opts.Throttle.Passed(tx, attempt) }), err)
	}
	same := subtle.ConstantTimeCompare([]byte(strings.ToLower(email)), []byte(strings.ToLower(a.Email.Reveal()))) == 1
	right = right && same && !a.EmailConfirmed.IsZero() && admission.Check(a) == nil
	code := session.NewKey()
	return l.opts.Store.Update(ctx, func(tx store.Tx) error {
		if err := l.opts.Throttle.Failed(tx, attempt); err != nil || !right {
			return err
		}
		return l.putLink(tx, c, a, code)
	})
}

// putLink keeps a link, with the letter and the event that tell of it. Older ones are void.
func (l *Login) putLink(tx store.Tx, c *gin.Context, a account.Account, code string) error {
	now := l.opts.Now()
	until := now.Add(l.opts.LinkLife)
	if err := tx.DeleteSecrets(a.ID, purposeLink); err != nil {
		return err
	}
	err := tx.PutSecret(account.Secret{Digest: sha256.Sum256([]byte(code)), Purpose: purposeLink, Account: a.ID, Created: now, Expires: until})
	if err != nil {
		return err
	}
	if err := tx.Note(l.opts.Admission.Event(c.Request, "recovery-asked"), a.Identity); err != nil {
		return err
	}
	link := l.opts.Mail.URL + PathReset + "?" + url.Values{fieldLink: {code}}.Encode()
	return tx.PutLetter(l.opts.Mail.Recovery(admission.To(a), now, mail.Recovery{Link: link, Until: until}))
}

// linked returns the account of a link that is good, and answers the request if there is none.
// The link is not used up: programs that look into letters open it too.
func (l *Login) linked(c *gin.Context, code string) (a account.Account, p account.Password, ok bool) {
	err := l.opts.Store.View(c.Request.Context(), func(tx store.Tx) error {
		s, err := tx.Secret(purposeLink, sha256.Sum256([]byte(code)), l.opts.Now())
		if errors.Is(err, store.ErrNotFound) {
			return reason.LoginRecoveryLink
		}
		if err == nil {
			a, p, err = withPassword(tx, s.Account)
		}
		return err
	})
	if err == nil {
		err = admission.Check(a)
	}
	if err != nil {
		l.refuse(c, err, page.Link{Label: page.Text{RU: "Восстановить пароль", EN: "Recover the password"}, URL: PathRecovery})
	}
	return a, p, err == nil
}

// withPassword returns an account, and its password if it has one.
func withPassword(tx store.Tx, id account.ID) (a account.Account, p account.Password, err error) {
	if a, err = tx.Account(id); err != nil {
		return a, p, err
	}
	if p, err = tx.Password(id); errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return a, p, err
}

// askReset shows the form for a new password to who has a link.
func (l *Login) askReset(c *gin.Context) {
	code := c.Query(fieldLink)
	if a, _, ok := l.linked(c, code); ok {
		l.show(c, "change", l.changeView(PathReset, code, a))
	}
}

// reset sets a new password, and uses the link up.
func (l *Login) reset(c *gin.Context) {
	values, ok := l.parse(c, changeLimits())
	if !ok {
		return
	}
	code := values[fieldLink]
	a, p, ok := l.linked(c, code)
	if !ok {
		return
	}
	hash, ok := l.chosen(c, "change", l.changeView(PathReset, code, a), values, a, p)
	if !ok {
		return
	}
	err := l.opts.Store.Update(c.Request.Context(), func(tx store.Tx) error {
		_, err := tx.TakeSecret(purposeLink, sha256.Sum256([]byte(code)), l.opts.Now())
		if errors.Is(err, store.ErrNotFound) {
			return reason.LoginRecoveryLink
		}
		if err != nil {
			return err
		}
		return l.SetPassword(tx, c.Request, a, hash)
	})
	if err == nil {
		_, err = l.opts.Visits.EndAll(context.WithoutCancel(c.Request.Context()), a.ID, "")
	}
	if err != nil {
		l.refuse(c, err)
		return
	}
	// Whoever has shut others out of this login has not shut out its person.
	l.opts.Throttle.Remember(c.Writer, c.Request, a.Identity.INN.Reveal())
	l.done(c)
}

// keyNeed is what sets a password without the old one: a key, shown just now.
func keyNeed() oidc.Need { return oidc.Need{Level: level.QES, MaxAge: 15 * time.Minute} }

// byKeyOf returns the visit of who has just shown his key, and sends everybody else to do so.
func (l *Login) byKeyOf(c *gin.Context) (v account.Visit, a account.Account, p account.Password, ok bool) {
	v, a, ok = l.opts.Visits.Of(c.Request)
	if !ok || !l.opts.Provider.Enough(l.opts.Visits.Login(v, a), keyNeed()) {
		l.opts.Provider.Own(c.Writer, c.Request, PathByKey, keyNeed())
		return v, a, p, false
	}
	err := l.opts.Store.View(c.Request.Context(), func(tx store.Tx) (err error) {
		a, p, err = withPassword(tx, a.ID)
		return err
	})
	if err != nil {
		l.refuse(c, err)
	}
	return v, a, p, err == nil
}

// askByKey shows the form for a new password to who has shown his key (GU-11).
func (l *Login) askByKey(c *gin.Context) {
	if _, a, _, ok := l.byKeyOf(c); ok {
		l.show(c, "change", l.changeView(PathByKey, "", a))
	}
}

// byKey sets a new password.
func (l *Login) byKey(c *gin.Context) {
	values, ok := l.parse(c, changeLimits())
	if !ok {
		return
	}
	v, a, p, ok := l.byKeyOf(c)
	if !ok {
		return
	}
	hash, ok := l.chosen(c, "change", l.changeView(PathByKey, "", a), values, a, p)
	if !ok {
		return
	}
	err := l.opts.Store.Update(c.Request.Context(), func(tx store.Tx) error { return l.SetPassword(tx, c.Request, a, hash) })
	if err == nil {
		_, err = l.opts.Visits.EndAll(context.WithoutCancel(c.Request.Context()), a.ID, v.Public)
	}
	if err != nil {
		l.refuse(c, err)
		return
	}
	l.opts.Throttle.Remember(c.Writer, c.Request, a.Identity.INN.Reveal())
	l.done(c)
}
