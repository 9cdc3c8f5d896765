package registration

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/form"
	"propusk/server/mail"
	"propusk/server/page"
	"propusk/server/store"
)

// donePage is what the template sees.
type donePage struct {
	Facts []page.Fact
	// Active, Pending and Confirmed tell how far the account is.
	Active, Pending, Confirmed bool
	// Sent tells that another letter was written just now, Early that the account is not
	// active yet though the person has asked to go on.
	Sent, Early bool
	// Notice is what is said of a check by hand.
	Notice page.Text
	// Post is how far the letter has come, nothing if that is not known. Stuck tells that it
	// did not go out (DOMAIN 7.4, row 37).
	Post  page.Text
	Stuck bool
}

// done repeats what was entered (IP-18), and waits for the link.
func (g *Registration) done(x *gin.Context) {
	p, a, has, ok := g.opened(x)
	if !ok {
		return
	}
	if !has && unfinished(a) {
		x.Redirect(http.StatusSeeOther, pathPassword)
		return
	}
	g.showDone(x, p, a, nil, nil, 0)
}

func (g *Registration) showDone(x *gin.Context, p *progress, a account.Account, values form.Values, errs form.Errors, status int) {
	d := donePage{
		Facts: accountFacts(a), Active: a.State == account.Active, Pending: a.State == account.Pending,
		Confirmed: !a.EmailConfirmed.IsZero(), Sent: x.Query("sent") != "", Early: x.Query("early") != "",
	}
	if !d.Active && !d.Confirmed {
		d.Post, d.Stuck = g.posted(x.Request, p)
	}
	if d.Pending {
		d.Notice = g.wait(page.Text{
			RU: "Данные проверит сотрудник. Доступ откроется после проверки, о ней придёт письмо.",
			EN: "A person will check the data. Access is given after that, and a letter will tell.",
		})
	}
	v := page.View{
		Status: status, Title: page.Text{RU: "Осталось подтвердить адрес", EN: "One step is left: confirm the address"},
		Lead: page.Text{
			RU: "Мы отправили письмо со ссылкой. Откройте её в любом браузере и нажмите кнопку на странице.",
			EN: "A letter with a link is on its way. Open the link in any browser and press the button on its page.",
		},
		Errors: errs, Values: values, Here: pathDone, Data: d,
	}
	if v.Values == nil {
		v.Values = form.Values{"email": a.Email.Reveal()}
	}
	switch {
	case d.Active:
		v.Tone, v.Title = "good", page.Text{RU: "Регистрация завершена", EN: "You are registered"}
		v.Lead = page.Text{RU: "Учётная запись активна.", EN: "The account is active."}
	case d.Pending && d.Confirmed:
		v.Title = page.Text{RU: "Данные проверяет сотрудник", EN: "A person checks the data"}
		v.Lead = page.Text{RU: "Адрес подтверждён. О результате проверки мы сообщим письмом.", EN: "The address is confirmed. A letter will tell the result of the check."}
	}
	g.show(x, "done", v)
}

// posted says how far the letter has come that was asked for here last.
func (g *Registration) posted(r *http.Request, p *progress) (said page.Text, stuck bool) {
	var l account.Letter
	err := g.opts.Store.View(r.Context(), func(tx store.Tx) (err error) {
		l, err = tx.Letter(p.Letter)
		return err
	})
	switch {
	case err != nil: // asked for in another browser, or forgotten by now
		return page.Text{}, false
	case !l.Sent.IsZero():
		at := page.Moment(l.Sent)
		return page.Text{RU: "Почтовый сервер принял письмо: " + at.RU + ".", EN: "The mail server took the letter: " + at.EN + "."}, false
	case !l.Failed.IsZero():
		return page.Text{
			RU: "Отправить письмо не удалось. Проверьте адрес и отправьте письмо ещё раз.",
			EN: "The letter could not be sent. Look at the address, and send the letter again.",
		}, true
	case l.Tries > 0:
		return page.Text{
			RU: "Письмо ещё не ушло: почтовый сервер пока его не принял. Мы пробуем снова, делать ничего не нужно.",
			EN: "The letter has not gone out yet: the mail server has not taken it. We try again, you need do nothing.",
		}, true
	}
	return page.Text{RU: "Письмо отправляется.", EN: "The letter is being sent."}, false
}

// accountFacts repeats what was entered.
func accountFacts(a account.Account) []page.Fact {
	facts := []page.Fact{
		{Label: page.Text{RU: "Фамилия, имя, отчество", EN: "Name"}, Value: a.Identity.Name.Reveal()},
		{Label: page.Text{RU: "Логин (ИНН)", EN: "Login (INN)"}, Value: a.Identity.INN.Reveal()},
	}
	for _, t := range a.Taxpayers {
		if !t.OGRNIP.IsZero() {
			facts = append(facts, page.Fact{Label: page.Text{RU: "ОГРНИП", EN: "Number of the entrepreneur (ОГРНИП)"}, Value: t.OGRNIP.Reveal()})
		}
	}
	return append(facts,
		page.Fact{Label: page.Text{RU: "Адрес электронной почты", EN: "E-mail address"}, Value: a.Email.Reveal()},
		page.Fact{Label: page.Text{RU: "Дата регистрации", EN: "Registered"}, Value: page.Time(a.Registered)})
}

// resend writes the letter once more, to another address if the first was mistyped.
func (g *Registration) resend(x *gin.Context) {
	p, a, has, ok := g.opened(x)
	if !ok {
		return
	}
	values, err := form.Parse(x.Request, form.Limits{"email": {Max: maxEmail}})
	if err != nil {
		g.refuse(x.Writer, x.Request, err)
		return
	}
	if !has || !unfinished(a) || !a.EmailConfirmed.IsZero() {
		x.Redirect(http.StatusSeeOther, pathDone)
		return
	}
	if !mail.Deliverable(values["email"]) {
		g.showDone(x, p, a, values, form.Errors{{Field: "email", Text: page.Text{RU: "Введите адрес электронной почты латинскими буквами, например name@example.ru.", EN: "Enter an address of e-mail, such as name@example.com."}}}, 0)
		return
	}
	err = g.again(x.Request, p, person.NewEmail(values["email"]))
	if errors.Is(err, reason.ActivationTooOften) {
		noteFailure(x, reason.ActivationTooOften, err)
		g.showDone(x, p, a, values, form.Errors{{Text: entryText(reason.ActivationTooOften)}}, http.StatusTooManyRequests)
		return
	}
	if err != nil {
		g.refuse(x.Writer, x.Request, err)
		return
	}
	x.Redirect(http.StatusSeeOther, pathDone+"?sent=1")
}

// again writes another letter.
func (g *Registration) again(r *http.Request, p *progress, email person.Email) error {
	return g.opts.Store.Update(r.Context(), func(tx store.Tx) error {
		a, err := tx.Account(p.Account)
		if err != nil {
			return err
		}
		if !unfinished(a) || !a.EmailConfirmed.IsZero() {
			return nil // confirmed meanwhile
		}
		if a.Email != email { // links to the other address confirm nothing any more
			a.Email = email
			if err := errors.Join(tx.PutAccount(&a), tx.DeleteSecrets(a.ID, purposeActivation)); err != nil {
				return err
			}
		}
		return g.letter(tx, p, a, g.opts.Now())
	})
}

// goOn goes back to the service that the person came from, if the account is active by now.
func (g *Registration) goOn(x *gin.Context) {
	p, a, _, ok := g.opened(x)
	if !ok {
		return
	}
	if a.State != account.Active {
		x.Redirect(http.StatusSeeOther, pathDone+"?early=1")
		return
	}
	if err := g.opts.Judge([][]byte{p.Certificate}); err != nil {
		g.refuse(x.Writer, x.Request, err)
		return
	}
	err := g.opts.Store.Update(x.Request.Context(), func(tx store.Tx) error {
		_, err := tx.TakeSecret(purposeProgress, p.digest, g.opts.Now())
		return err
	})
	if errors.Is(err, store.ErrNotFound) { // pressed twice
		err = reason.New(reason.RegistrationExpired, nil)
	}
	if err != nil {
		g.refuse(x.Writer, x.Request, err)
		return
	}
	setCookie(x.Writer, "", 0)
	g.opts.Admit(x.Writer, x.Request, p.Request, p.login())
}
