package profile

import (
	"errors"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/factor"
	"propusk/server/form"
	"propusk/server/mail"
	"propusk/server/page"
	"propusk/server/password"
	"propusk/server/store"
	"propusk/server/visit"
)

// securityPage is what the page of passwords and second factors sees.
type securityPage struct {
	Password bool
	Set      time.Time
	Expires  time.Time
	Factors  factor.Set
	Word     bool
	// Mail is whether codes can be sent by e-mail.
	Mail bool
	Done string
}

func hasPassword(tx store.Tx, id account.ID) (bool, error) {
	_, err := tx.Password(id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// security shows what there is.
func (p *Profile) security(c call) {
	data := securityPage{Word: c.acc.CodeWord != "", Mail: !c.acc.EmailConfirmed.IsZero(), Done: c.r.URL.Query().Get("done")}
	err := p.opts.Store.View(c.r.Context(), func(tx store.Tx) (err error) {
		if data.Factors, err = p.opts.Factors.Of(tx, c.acc.ID); err != nil {
			return err
		}
		known, err := tx.Password(c.acc.ID)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		data.Password, data.Set, data.Expires = err == nil, known.Set, known.Expires
		return err
	})
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	p.show(c, "security", page.View{Title: page.Text{RU: "Пароль и второй фактор", EN: "Password and second factor"}, Data: data})
}

// password asks for a new password.
func (p *Profile) password(c call) { p.showPassword(c, nil) }

func (p *Profile) showPassword(c call, wrong form.Errors) {
	p.show(c, "password", page.View{
		Title: page.Text{RU: "Новый пароль", EN: "A new password"}, Errors: wrong, Here: pathSecurity + "/password",
		Lead: page.Text{
			RU: "Не короче 8 знаков: строчные и прописные буквы, цифры и знаки, без ваших имени и ИНН.",
			EN: "At least 8 characters: small and capital letters, digits and signs, without your name and number.",
		},
	})
}

// setPassword sets it (PW-06) and ends all other visits.
func (p *Profile) setPassword(c call) {
	v, ok := p.parse(c, form.Limits{"fresh": {Max: password.MaxLength, Raw: true}, "again": {Max: password.MaxLength, Raw: true}})
	if !ok {
		return
	}
	var wrong form.Errors
	for _, weak := range p.opts.Passwords.Weaknesses(v["fresh"], c.acc) {
		wrong.Add("fresh", page.Text{RU: weak.RU, EN: weak.EN})
	}
	if v["again"] != v["fresh"] {
		wrong.Add("again", page.Text{RU: "Пароли не совпадают", EN: "The passwords differ"})
	}
	if len(wrong) > 0 {
		p.showPassword(c, wrong)
		return
	}
	hash, err := p.opts.Passwords.Hash(c.r.Context(), v["fresh"])
	var ended []account.Visit
	if err == nil {
		err = p.update(c, func(tx store.Tx, acc account.Account) (err error) {
			if err := p.opts.Passwords.SetPassword(tx, c.r, acc, hash); err != nil {
				return err
			}
			ended, err = visit.EndAllIn(tx, acc.ID, c.visit.Public, p.opts.Now())
			return err
		})
	}
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	p.over(ended)
	p.done(c, pathSecurity, "password")
}

// applicationPage is what the page sees that teaches an application the secret.
type applicationPage struct{ Secret, URI string }

// label is what an application shows under the name of the gateway: enough to tell two
// accounts apart, and not whose they are.
func label(acc account.Account) string { return acc.Identity.INN.String() }

// proposeApplication makes a secret for an application (GU-02).
func (p *Profile) proposeApplication(c call) {
	if _, ok := p.parse(c, nil); !ok {
		return
	}
	err := p.update(c, func(tx store.Tx, acc account.Account) error {
		_, err := p.opts.Factors.Propose(tx, acc.ID, label(acc))
		return err
	})
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	http.Redirect(c.w, c.r, pathSecurity+"/application", http.StatusSeeOther)
}

// proposed returns the secret that waits for its first code.
func (p *Profile) proposed(c call) (factor.Enrolment, error) {
	var e factor.Enrolment
	err := p.opts.Store.View(c.r.Context(), func(tx store.Tx) (err error) {
		e, err = p.opts.Factors.Proposed(tx, c.acc.ID, label(c.acc))
		return err
	})
	return e, err
}

// application shows the secret and asks for the first code.
func (p *Profile) application(c call) { p.showApplication(c, nil) }

func (p *Profile) showApplication(c call, wrong form.Errors) {
	e, err := p.proposed(c)
	if errors.Is(err, store.ErrNotFound) {
		http.Redirect(c.w, c.r, pathSecurity, http.StatusSeeOther)
		return
	}
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	p.show(c, "application", page.View{
		Title: page.Text{RU: "Приложение с кодами", EN: "An application with codes"}, Errors: wrong,
		Here: pathSecurity + "/application", Data: applicationPage{e.Secret, e.URI},
	})
}

// applicationPicture is the QR code.
func (p *Profile) applicationPicture(c call) {
	e, err := p.proposed(c)
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	h := c.w.Header()
	h.Set("Content-Type", "image/png")
	h.Set("Cache-Control", "no-store")
	c.w.WriteHeader(http.StatusOK)
	c.w.Write(e.PNG) //nolint:errcheck // the client went away
}

// recoveryPage is what the page sees that shows recovery codes this once.
type recoveryPage struct{ Codes []string }

// confirmApplication takes the first code of the application.
func (p *Profile) confirmApplication(c call) {
	v, ok := p.parse(c, form.Limits{"code": {Max: 16}})
	if !ok {
		return
	}
	var codes []string
	right := false
	err := p.update(c, func(tx store.Tx, acc account.Account) (err error) {
		if codes, right, err = p.opts.Factors.Confirm(tx, acc.ID, v["code"]); err != nil || !right {
			return err
		}
		return p.tell(tx, c, acc, "second-on", mail.ApplicationOn)
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		http.Redirect(c.w, c.r, pathSecurity, http.StatusSeeOther)
	case err != nil:
		p.fail(c.w, c.r, err)
	case !right:
		p.showApplication(c, form.Errors{{Field: "code", Text: page.Text{
			RU: "Код не подходит. Проверьте, что время на телефоне верное, и введите следующий код.",
			EN: "The code is wrong. See that the clock of the telephone is right, and enter the next code.",
		}}})
	default:
		p.showRecovery(c, codes)
	}
}

func (p *Profile) showRecovery(c call, codes []string) {
	p.show(c, "recovery", page.View{
		Title: page.Text{RU: "Резервные коды", EN: "Recovery codes"}, Tone: "good", Here: pathSecurity, Data: recoveryPage{codes},
		Lead: page.Text{
			RU: "Сохраните коды сейчас: больше они показаны не будут. Каждый заменяет код приложения один раз.",
			EN: "Keep these codes now: they are shown this once. Each stands for a code of the application once.",
		},
	})
}

// removeApplication takes the application away, and the recovery codes with it.
func (p *Profile) removeApplication(c call) {
	if _, ok := p.parse(c, nil); !ok {
		return
	}
	err := p.update(c, func(tx store.Tx, acc account.Account) error {
		set, err := p.opts.Factors.Of(tx, acc.ID)
		if err != nil || !set.TOTP { // nobody is told of what does not change
			return err
		}
		if err := p.opts.Factors.RemoveTOTP(tx, acc.ID); err != nil {
			return err
		}
		return p.tell(tx, c, acc, "second-off", mail.ApplicationOff)
	})
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	p.done(c, pathSecurity, "application-off")
}

// newRecovery gives out fresh recovery codes; the old ones are void.
func (p *Profile) newRecovery(c call) {
	if _, ok := p.parse(c, nil); !ok {
		return
	}
	var codes []string
	err := p.update(c, func(tx store.Tx, acc account.Account) error {
		set, err := p.opts.Factors.Of(tx, acc.ID)
		if err != nil {
			return err
		}
		if !set.Any() {
			return store.ErrNotFound
		}
		if codes, err = p.opts.Factors.NewRecovery(tx, acc.ID); err != nil {
			return err
		}
		return p.tell(tx, c, acc, "recovery-new", mail.RecoveryCodesNew)
	})
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	p.showRecovery(c, codes)
}

// codeByEmail switches codes by e-mail on and off.
func (p *Profile) codeByEmail(c call) {
	v, ok := p.parse(c, form.Limits{"on": {Max: 3}})
	if !ok {
		return
	}
	on := v["on"] == "yes"
	action, what := "email-code-off", mail.EmailCodesOff
	if on {
		action, what = "email-code-on", mail.EmailCodesOn
	}
	err := p.update(c, func(tx store.Tx, acc account.Account) error {
		if on && acc.EmailConfirmed.IsZero() {
			return reason.PageNotFound // the button is not there
		}
		set, err := p.opts.Factors.Of(tx, acc.ID)
		if err != nil || set.Email == on {
			return err
		}
		if err := p.opts.Factors.SetEmail(tx, acc.ID, on); err != nil {
			return err
		}
		return p.tell(tx, c, acc, action, what)
	})
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	p.done(c, pathSecurity, action)
}

// Bounds of the code word, in characters: it is asked for together with the ИНН and a link by
// e-mail, never alone (FL-04).
const (
	minWord = 6
	maxWord = 64
)

// word asks for the code word of recovery.
func (p *Profile) word(c call) { p.showWord(c, nil) }

func (p *Profile) showWord(c call, wrong form.Errors) {
	p.show(c, "word", page.View{
		Title: page.Text{RU: "Кодовое слово", EN: "Code word"}, Errors: wrong, Here: pathSecurity + "/word",
		Lead: page.Text{
			RU: "Его спросят вместе с ИНН и адресом почты, если вы забудете пароль.",
			EN: "It is asked for, with your number and address, when you have forgotten the password.",
		},
	})
}

// setWord sets it.
func (p *Profile) setWord(c call) {
	v, ok := p.parse(c, form.Limits{"word": {Max: maxWord}, "again": {Max: maxWord}})
	if !ok {
		return
	}
	var wrong form.Errors
	if utf8.RuneCountInString(v["word"]) < minWord || slices.Contains([]string{c.acc.Identity.INN.Reveal(), c.acc.Email.Reveal()}, v["word"]) {
		wrong.Add("word", page.Text{RU: "Не короче 6 знаков, и не ИНН и не адрес почты", EN: "At least 6 characters, and neither your number nor your address"})
	}
	if v["again"] != v["word"] {
		wrong.Add("again", page.Text{RU: "Слова не совпадают", EN: "The words differ"})
	}
	if len(wrong) > 0 {
		p.showWord(c, wrong)
		return
	}
	hash, err := p.opts.Passwords.HashCodeWord(c.r.Context(), v["word"])
	if err == nil {
		err = p.update(c, func(tx store.Tx, acc account.Account) error {
			what := mail.CodeWordSet
			if acc.CodeWord != "" {
				what = mail.CodeWordChanged
			}
			acc.CodeWord = hash
			if err := tx.PutAccount(&acc); err != nil {
				return err
			}
			return p.tell(tx, c, acc, "code-word", what)
		})
	}
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	p.done(c, pathSecurity, "word")
}
