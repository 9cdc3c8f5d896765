package profile

import (
	"crypto/sha256"
	"errors"
	"net/url"
	"strings"
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

const (
	// purposeEmail is that of the link for a new address.
	purposeEmail = account.ForEmail
	// maxEmail is how long an address may be, in characters. RFC 5321, Section 4.5.3.1.3.
	maxEmail = 254
	// emailLetters is how many letters to new addresses an account may cause in emailSpan:
	// they go to people who did not ask.
	emailLetters = 5
	emailSpan    = 24 * time.Hour
)

// emailPage is what the page of the address sees.
type emailPage struct {
	Current   string
	Confirmed bool
	// Sent says that a letter went to the new address, which is good until Until.
	Sent  bool
	Until time.Time
}

// email shows the address and asks for another one (IP-36).
func (p *Profile) email(c call) { p.showEmail(c, page.View{}, emailPage{}) }

func (p *Profile) showEmail(c call, v page.View, data emailPage) {
	data.Current, data.Confirmed = c.acc.Email.Reveal(), !c.acc.EmailConfirmed.IsZero()
	v.Title, v.Here, v.Data = page.Text{RU: "Электронная почта", EN: "E-mail"}, pathEmail, data
	p.show(c, "email", v)
}

// changeEmail sends a link to the new address. Until it is opened nothing changes (IP-06).
func (p *Profile) changeEmail(c call) {
	v, ok := p.parse(c, form.Limits{"email": {Max: maxEmail}})
	if !ok {
		return
	}
	var wrong form.Errors
	switch {
	case !mail.Deliverable(v["email"]):
		wrong.Add("email", page.Text{RU: "Введите адрес вида name@example.ru", EN: "Enter an address such as name@example.ru"})
	case strings.EqualFold(v["email"], c.acc.Email.Reveal()) && !c.acc.EmailConfirmed.IsZero():
		wrong.Add("email", page.Text{RU: "Это и есть ваш адрес", EN: "This is your address already"})
	}
	until := p.opts.Now().Add(p.opts.LinkLife)
	if len(wrong) == 0 {
		err := p.update(c, func(tx store.Tx, acc account.Account) error { return p.sendLink(tx, c, acc, v["email"], until) })
		if reason.Of(err) == reason.ActivationTooOften {
			wrong.Add("email", page.Text{RU: "Слишком много писем за сутки. Повторите завтра.", EN: "Too many letters in a day. Try again tomorrow."})
		} else if err != nil {
			p.fail(c.w, c.r, err)
			return
		}
	}
	if len(wrong) > 0 {
		p.showEmail(c, page.View{Errors: wrong, Values: v}, emailPage{})
		return
	}
	p.showEmail(c, page.View{}, emailPage{Sent: true, Until: until})
}

// sendLink makes the link, which makes the older ones void. The error is
// [reason.ActivationTooOften] when too many letters were sent.
func (p *Profile) sendLink(tx store.Tx, c call, acc account.Account, fresh string, until time.Time) error {
	now := p.opts.Now()
	sent, err := tx.Counter("email-change:" + string(acc.ID))
	if err != nil {
		return err
	}
	if !now.Before(sent.Until) {
		sent.Count, sent.Since, sent.Until = 0, now, now.Add(emailSpan)
	}
	if sent.Count >= emailLetters {
		return reason.ActivationTooOften
	}
	sent.Count++
	code := session.NewKey()
	link := p.opts.PublicURL + pathEmail + "/confirm?code=" + url.QueryEscape(code)
	to := mail.To{Email: person.NewEmail(fresh), Language: acc.Language, Account: acc.ID}
	for _, err := range []error{
		tx.PutCounter(sent),
		tx.DeleteSecrets(acc.ID, purposeEmail),
		tx.PutSecret(account.Secret{
			Digest: sha256.Sum256([]byte(code)), Purpose: purposeEmail, Account: acc.ID, Data: []byte(fresh), Created: now, Expires: until,
		}),
		tx.PutLetter(p.opts.Mail.EmailChange(to, now, mail.EmailChange{Link: link, Until: until})),
		tx.Note(p.opts.Admission.Event(c.r, "email-asked"), acc.Identity),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// emailLinkPage is what the page of the link sees.
type emailLinkPage struct {
	Code, Email string
	Done        bool
}

// askEmail is where the link leads: to a button, because programs that look at letters open
// links too. It works in any browser (IP-21).
func (p *Profile) askEmail(c *gin.Context) {
	code := c.Query("code")
	var s account.Secret
	err := p.opts.Store.View(c.Request.Context(), func(tx store.Tx) (err error) {
		s, err = tx.Secret(purposeEmail, sha256.Sum256([]byte(code)), p.opts.Now())
		return err
	})
	if err != nil {
		p.failLink(c, err)
		return
	}
	page.Written(c.Writer, c.Request, p.opts.Pages.Show(c.Writer, c.Request, "profile/email-link", page.View{
		Title: page.Text{RU: "Подтвердите адрес", EN: "Confirm the address"}, Token: form.Token(c.Writer, c.Request),
		Data: emailLinkPage{Code: code, Email: string(s.Data)},
	}))
}

func (p *Profile) failLink(c *gin.Context, err error) {
	if errors.Is(err, store.ErrNotFound) {
		err = reason.AccountEmailLink
	}
	admission.Refuse(p.opts.Pages, c.Writer, c.Request, err, nil)
}

// confirmEmail uses the link up, and tells the old address.
func (p *Profile) confirmEmail(c *gin.Context) {
	v, err := form.Parse(c.Request, form.Limits{"code": {Max: 64}})
	if err != nil {
		p.fail(c.Writer, c.Request, err)
		return
	}
	var s account.Secret
	err = p.opts.Store.Update(c.Request.Context(), func(tx store.Tx) (err error) {
		if s, err = tx.TakeSecret(purposeEmail, sha256.Sum256([]byte(v["code"])), p.opts.Now()); err != nil {
			return err
		}
		return p.putEmail(tx, c, s)
	})
	if err != nil {
		p.failLink(c, err)
		return
	}
	page.Written(c.Writer, c.Request, p.opts.Pages.Show(c.Writer, c.Request, "profile/email-link", page.View{
		Title: page.Text{RU: "Адрес изменён", EN: "The address was changed"}, Tone: "good", Here: Path,
		Data: emailLinkPage{Email: string(s.Data), Done: true},
	}))
}

// putEmail makes a new address the account's.
func (p *Profile) putEmail(tx store.Tx, c *gin.Context, s account.Secret) error {
	acc, err := tx.Account(s.Account)
	if err == nil {
		err = admission.Check(acc)
	}
	if err != nil {
		return err
	}
	now := p.opts.Now()
	if !acc.EmailConfirmed.IsZero() {
		letter := p.opts.Mail.EmailChanged(admission.To(acc), now, mail.EmailChanged{Device: p.opts.Admission.Device(c.Request)})
		if err := tx.PutLetter(letter); err != nil {
			return err
		}
	}
	acc.Email, acc.EmailConfirmed = person.NewEmail(string(s.Data)), now
	// Links and codes that went to the old address open nothing any more.
	if err := errors.Join(tx.PutAccount(&acc), tx.DeleteSecrets(acc.ID, account.ForRecovery), tx.DeleteSecrets(acc.ID, account.ForSignIn)); err != nil {
		return err
	}
	return tx.Note(p.opts.Admission.Event(c.Request, "email-changed"), acc.Identity)
}
