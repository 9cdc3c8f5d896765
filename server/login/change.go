package login

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/card"
	"propusk/server/form"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/store"
)

// Fields of the forms that set a password.
const (
	fieldNew    = "new-password"
	fieldRepeat = "repeat-password"
	fieldLink   = "link"
)

// changeData is what the pages show that set a password.
type changeData struct {
	// Action is where the form posts to.
	Action string
	// Link is that of recovery, or empty.
	Link string
	// Login is for password managers. It is empty for who has nothing but a link: the letter
	// may be in the hands of somebody else, who must not learn the ИНН.
	Login string
	// Least is how many characters there must be.
	Least int
	// Until is when a first password ends, or zero.
	Until time.Time
}

func (l *Login) changeView(action, link string, a account.Account) page.View {
	return passwordPage(changeData{Action: action, Link: link, Login: a.Identity.INN.Reveal(), Least: l.opts.Policy.Length()})
}

// passwordPage is the page "change".
func passwordPage(d changeData) page.View {
	here := d.Action
	if d.Link != "" {
		d.Login = ""
		here += "?" + url.Values{fieldLink: {d.Link}}.Encode()
	}
	return page.View{Title: page.Text{RU: "Новый пароль", EN: "A new password"}, Here: here, Data: d}
}

// askChange shows the form for the end of a first password (PW-03).
func (l *Login) askChange(c *gin.Context) {
	if _, a, _, p, ok := l.changeOf(c); ok {
		l.show(c, "change", l.firstView(a, p))
	}
}

func (l *Login) firstView(a account.Account, p account.Password) page.View {
	return passwordPage(changeData{Action: PathChange, Login: a.Identity.INN.Reveal(), Least: l.opts.Policy.Length(), Until: p.Expires})
}

// changeOf returns the sign-in that waits for a new password, and answers the request if
// there is none.
func (l *Login) changeOf(c *gin.Context) (waiting, account.Account, oidc.Request, account.Password, bool) {
	wait, a, req, ok := l.waitingOf(c)
	if !ok {
		return wait, a, req, account.Password{}, false
	}
	var p account.Password
	err := l.opts.Store.View(c.Request.Context(), func(tx store.Tx) (err error) {
		p, err = tx.Password(a.ID)
		return err
	})
	if err == nil && (!wait.Change || wait.Second && !wait.Passed) {
		err = reason.LoginExpired
	}
	if err == nil {
		err = l.standing(c.Request, a, p) // its time may have ended since
	}
	if err != nil {
		l.refuse(c, err)
	}
	return wait, a, req, p, err == nil
}

// change ends a first password, and the sign-in goes on.
func (l *Login) change(c *gin.Context) {
	values, ok := l.parse(c, changeLimits())
	if !ok {
		return
	}
	wait, a, req, p, ok := l.changeOf(c)
	if !ok {
		return
	}
	view := l.firstView(a, p)
	hash, ok := l.chosen(c, "change", view, values, a, p)
	if !ok {
		return
	}
	err := l.opts.Store.Update(c.Request.Context(), func(tx store.Tx) error {
		if err := l.end(tx, wait); err != nil {
			return err
		}
		if err := l.confirmAddress(tx, a.ID); err != nil {
			return err
		}
		now, err := tx.Account(a.ID)
		if err != nil {
			return err
		}
		return l.SetPassword(tx, c.Request, now, hash)
	})
	if err != nil {
		l.refuse(c, err)
		return
	}
	setCookie(c.Writer, "", -1)
	l.enter(c, req, a, wait)
}

// confirmAddress confirms the address that the card of an account was sent to: who has come
// with its password has read the letter (PW-08).
func (l *Login) confirmAddress(tx store.Tx, id account.ID) error {
	a, err := tx.Account(id)
	if err != nil {
		return err
	}
	cards, err := tx.Cards(id, 1)
	if err != nil || len(cards) == 0 || cards[0].Delivery != card.ByEmail || !a.EmailConfirmed.IsZero() {
		return err
	}
	a.EmailConfirmed = l.opts.Now()
	return tx.PutAccount(&a)
}

// changeLimits are the fields of a form that sets a password; the login is there for password
// managers, and not read.
func changeLimits() form.Limits {
	return form.Limits{FieldLogin: {Max: maxLogin}, fieldNew: {Max: maxPassword, Raw: true}, fieldRepeat: {Max: maxPassword, Raw: true}, fieldLink: {Max: maxLink}}
}

// chosen returns the hash of the password that a form has chosen, and shows the page again if
// it is not good: by the rules, because it was not repeated, or because it is the old one.
func (l *Login) chosen(c *gin.Context, name string, view page.View, values form.Values, a account.Account, old account.Password) (string, bool) {
	ctx, fresh := c.Request.Context(), values[fieldNew]
	for _, w := range l.Weaknesses(fresh, a) {
		view.Errors.Add(fieldNew, page.Text{RU: w.RU, EN: w.EN})
	}
	if values[fieldRepeat] != fresh {
		view.Errors.Add(fieldRepeat, page.Text{RU: "Пароли не совпадают.", EN: "The passwords are not the same."})
	}
	if len(view.Errors) > 0 {
		l.show(c, name, view)
		return "", false
	}
	same, _, err := l.opts.Hasher.Verify(ctx, old.Hash, fresh)
	if same {
		view.Errors.Add(fieldNew, page.Text{RU: "Этот пароль уже действует; придумайте другой.", EN: "This is the present password; choose another one."})
		l.show(c, name, view)
		return "", false
	}
	hash := ""
	if !errors.Is(err, reason.ServerBusy) { // an old hash that cannot be read is replaced now
		hash, err = l.opts.Hasher.Hash(ctx, fresh)
	}
	if err != nil {
		l.again(c, name, "", err, view)
		return "", false
	}
	return hash, true
}

// done shows that a password was set, when nothing waited for it.
func (l *Login) done(c *gin.Context) {
	page.Written(c.Writer, c.Request, l.opts.Pages.Show(c.Writer, c.Request, "login/done", page.View{
		Status: http.StatusOK, Tone: "good", Title: page.Text{RU: "Пароль изменён", EN: "The password is changed"}, Here: PathRecovery,
		Lead: page.Text{
			RU: "Новый пароль уже действует. Сеансы на других устройствах завершены.",
			EN: "The new password is in force. Visits from other devices have ended.",
		},
	}))
}
