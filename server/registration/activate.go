package registration

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/form"
	"propusk/server/mail"
	"propusk/server/page"
	"propusk/server/store"
)

// maxCode is the longest code of a link, in bytes.
const maxCode = 64

// activation is where the link of the letter leads, in any browser (IP-21). It changes
// nothing: programs that look through letters open links too. The page has the button.
func (g *Registration) activation(x *gin.Context) {
	codes := x.Request.URL.Query()["code"]
	if len(codes) != 1 || codes[0] == "" || len(codes[0]) > maxCode {
		g.refuse(x.Writer, x.Request, reason.New(reason.ActivationInvalid, nil))
		return
	}
	err := g.opts.Store.View(x.Request.Context(), func(tx store.Tx) error {
		_, err := tx.Secret(purposeActivation, sha256.Sum256([]byte(codes[0])), g.opts.Now())
		return err
	})
	if err != nil {
		g.refuse(x.Writer, x.Request, linkError(err))
		return
	}
	g.show(x, "activate", page.View{
		Title: page.Text{RU: "Подтверждение адреса", EN: "Confirm the address"},
		Lead: page.Text{
			RU: "Нажмите кнопку, чтобы подтвердить адрес электронной почты и завершить регистрацию.",
			EN: "Press the button to confirm the address of e-mail and finish the registration.",
		},
		Data: codes[0],
	})
}

// linkError is what is said of a link that is not there.
func linkError(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return reason.New(reason.ActivationInvalid, nil)
	}
	return err
}

// activate uses the link up (IP-19, IP-28).
func (g *Registration) activate(x *gin.Context) {
	values, err := form.Parse(x.Request, form.Limits{"code": {Max: maxCode}})
	var a account.Account
	if err == nil {
		err = g.opts.Store.Update(x.Request.Context(), func(tx store.Tx) (err error) {
			a, err = g.confirm(tx, x.Request, values["code"])
			return linkError(err)
		})
	}
	if err != nil {
		g.refuse(x.Writer, x.Request, err)
		return
	}
	if p, err := g.current(x.Request); err == nil && p.Account == a.ID { // here it goes on
		x.Redirect(http.StatusSeeOther, pathDone)
		return
	}
	v := page.View{
		Tone: "good", Title: page.Text{RU: "Учётная запись активирована", EN: "The account is active"},
		Lead: page.Text{
			RU: "Адрес подтверждён, соглашение действует. Наполнение кабинета сведениями может занять до трёх рабочих дней.",
			EN: "The address is confirmed and the agreement in force. It may take three working days until the services have your data.",
		},
		Here: "/account", Data: donePage{Active: a.State == account.Active},
	}
	if a.State == account.Pending {
		v.Title = page.Text{RU: "Адрес подтверждён", EN: "The address is confirmed"}
		v.Lead = g.wait(page.Text{RU: "Теперь данные проверит сотрудник. О результате мы сообщим письмом.", EN: "A person will check the data now. A letter will tell the result."})
	}
	g.show(x, "activated", v)
}

// confirm takes a link, and does what it is good for.
func (g *Registration) confirm(tx store.Tx, r *http.Request, code string) (account.Account, error) {
	now := g.opts.Now()
	s, err := tx.TakeSecret(purposeActivation, sha256.Sum256([]byte(code)), now)
	if err != nil {
		return account.Account{}, err
	}
	a, err := tx.Account(s.Account)
	if err != nil {
		return account.Account{}, err
	}
	email, err := g.opts.Sealer.Open(purposeActivation, string(a.ID), s.Data)
	if err != nil || string(email) != a.Email.Reveal() || !unfinished(a) || !a.EmailConfirmed.IsZero() {
		return account.Account{}, reason.New(reason.ActivationInvalid, err)
	}
	a.EmailConfirmed = now
	letter := g.opts.Mail.PendingCheck(g.to(a), now, mail.PendingCheck{})
	if a.State == account.Awaiting {
		a.State, a.Why, a.ActivateBy = account.Active, "", time.Time{}
		number, err := agreementOf(tx, a.ID)
		if err != nil {
			return account.Account{}, err
		}
		letter = g.opts.Mail.Registered(g.to(a), now, mail.Registered{At: now, Agreement: number})
	}
	return a, errors.Join(
		tx.PutAccount(&a), tx.DeleteSecrets(a.ID, purposeActivation), tx.PutLetter(letter),
		tx.Note(g.plainEvent(r, "activated"), a.Identity),
	)
}

// agreementOf is the number of the agreement of an account; empty if there is none.
func agreementOf(tx store.Tx, id account.ID) (string, error) {
	all, err := tx.EvidenceOf(id)
	if err != nil {
		return "", err
	}
	number := ""
	for _, e := range all {
		if e.Kind == evidenceAgreement {
			number = e.ID
		}
	}
	return number, nil
}
