package registration

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"time"
	"unicode"

	"github.com/gin-gonic/gin"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/captcha"
	"propusk/server/form"
	"propusk/server/mail"
	"propusk/server/page"
	"propusk/server/problem"
	"propusk/server/register"
	"propusk/server/request"
	"propusk/server/store"
)

// How often the register may be asked: whoever guesses what it holds about somebody else is
// stopped soon.
const (
	maxChecks    = 10 // by one registration
	maxDayChecks = 30 // by one certificate in 24 hours, however often it begins anew
)

// maxEmail is how long an address may be, in bytes. RFC 5321, Section 4.5.3.1.3.
const maxEmail = 254

// entryLimits are the fields of the form.
func entryLimits() form.Limits {
	return form.Limits{
		"inn": {Max: 12}, "ogrnip": {Max: 15}, "email": {Max: maxEmail},
		captcha.FieldAnswer: {Max: 32}, captcha.FieldID: {Max: 128},
	}
}

// entryPage is what the template of the form sees.
type entryPage struct {
	// Facts are what the certificate says.
	Facts []page.Fact
	// AskINN and AskOGRNIP tell what it lacks; the latter may be left empty unless
	// NeedOGRNIP.
	AskINN, AskOGRNIP, NeedOGRNIP bool
	// Captcha is nil for who has answered one already.
	Captcha *page.Captcha
}

// form shows the form (IP-03, IP-13). From the agreement one may come back to it.
func (g *Registration) form(x *gin.Context) {
	steps := []step{atForm}
	if x.Query("edit") != "" {
		steps = []step{atForm, atDetails, atAgreement}
	}
	p, ok := g.at(x, steps...)
	if !ok {
		return
	}
	values := form.Values{"inn": p.INN, "ogrnip": p.OGRNIP, "email": p.Email}
	if p.Email == "" {
		values["email"] = p.who.Email.Reveal() // IP-05
	}
	g.showForm(x, p, values, nil, g.opts.Captcha.Known(x.Request), 0)
}

func (g *Registration) showForm(x *gin.Context, p *progress, values form.Values, errs form.Errors, answered bool, status int) {
	d := entryPage{
		Facts: certificateFacts(p), AskINN: p.who.INN.IsZero(),
		AskOGRNIP:  p.who.OGRNIP.IsZero() && p.who.Kind != person.LegalEntity,
		NeedOGRNIP: p.who.Kind == person.Entrepreneur,
	}
	if !answered {
		c := g.opts.Captcha.Issue()
		c.Again = PathBegin + "?edit=1"
		d.Captcha = &c
	}
	g.show(x, "form", page.View{
		Status: status, Title: page.Text{RU: "Регистрация", EN: "Registration"},
		Lead: page.Text{
			RU: "Сведения взяты из вашего сертификата. Проверьте их и добавьте то, чего в нём нет.",
			EN: "These data are from your certificate. Check them and add what it lacks.",
		},
		Errors: errs, Values: values.Kept(captcha.FieldAnswer, captcha.FieldID), Here: PathBegin + "?edit=1", Data: d,
	})
}

// certificateFacts tells what cannot be changed.
func certificateFacts(p *progress) []page.Fact {
	var facts []page.Fact
	add := func(ru, en, value string) {
		if value != "" {
			facts = append(facts, page.Fact{Label: page.Text{RU: ru, EN: en}, Value: value})
		}
	}
	add("Фамилия, имя, отчество", "Name", p.who.Name.Reveal())
	add("Организация", "Organization", p.who.Organization.Reveal())
	add("ИНН", "Taxpayer number (ИНН)", p.who.INN.Reveal())
	add("ОГРНИП", "Number of the entrepreneur (ОГРНИП)", p.who.OGRNIP.Reveal())
	add("ОГРН", "Number of the organization (ОГРН)", p.who.OGRN.Reveal())
	return facts
}

// enter takes the form.
func (g *Registration) enter(x *gin.Context) {
	p, ok := g.at(x, atForm, atDetails, atAgreement)
	if !ok {
		return
	}
	values, err := form.Parse(x.Request, entryLimits())
	if err != nil {
		g.refuse(x.Writer, x.Request, err)
		return
	}
	errs, answered := g.human(x, values)
	errs = append(p.check(values), errs...)
	if len(errs) > 0 {
		g.showForm(x, p, values, errs, answered, 0)
		return
	}
	p, err = g.change(x.Request, p.digest, func(tx store.Tx, p *progress) error {
		p.INN, p.OGRNIP, p.Email = values["inn"], values["ogrnip"], values["email"]
		p.Born, p.Document, p.Language, p.Step = "", "", page.Language(x.Request), atForm
		return g.countCheck(tx, p)
	})
	if err == nil {
		p, err = g.consult(x.Request, p)
	}
	if errors.Is(err, reason.RegisterUnavailable) {
		noteFailure(x, reason.RegisterUnavailable, err)
		g.showForm(x, p, values, form.Errors{{Text: entryText(reason.RegisterUnavailable)}}, answered, problem.Status(reason.RegisterUnavailable))
		return
	}
	if err != nil {
		g.refuse(x.Writer, x.Request, err)
		return
	}
	x.Redirect(http.StatusSeeOther, p.path())
}

// human checks the answer to the captcha, unless the browser has given one already (IP-16).
func (g *Registration) human(x *gin.Context, values form.Values) (errs form.Errors, answered bool) {
	if g.opts.Captcha.Use(x.Request) {
		return nil, true
	}
	err := g.opts.Captcha.Check(values[captcha.FieldID], values[captcha.FieldAnswer])
	if err != nil {
		errs.Add(captcha.FieldAnswer, entryText(reason.Of(err)))
		return errs, false
	}
	g.opts.Captcha.Know(x.Writer)
	return nil, true
}

// check returns what is wrong with the form. What the certificate says cannot be entered.
func (p *progress) check(v form.Values) form.Errors {
	var errs form.Errors
	if !p.who.INN.IsZero() {
		delete(v, "inn")
	} else if _, err := person.ParseINN(v["inn"]); err != nil {
		errs.Add("inn", page.Text{RU: "Введите ИНН физического лица: 12 цифр без пробелов. Проверьте, нет ли опечатки.", EN: "Enter the INN of a person: 12 digits without spaces. Check it for typing errors."})
	}
	switch {
	case !p.who.OGRNIP.IsZero() || p.who.Kind == person.LegalEntity:
		delete(v, "ogrnip")
	case v["ogrnip"] == "" && p.who.Kind != person.Entrepreneur:
	default:
		if _, err := person.ParseOGRNIP(v["ogrnip"]); err != nil {
			errs.Add("ogrnip", page.Text{RU: "Введите ОГРНИП: 15 цифр без пробелов. Проверьте, нет ли опечатки.", EN: "Enter the number of the entrepreneur: 15 digits without spaces. Look for a slip."})
		}
	}
	if !mail.Deliverable(v["email"]) {
		errs.Add("email", page.Text{RU: "Введите адрес электронной почты латинскими буквами, например name@example.ru.", EN: "Enter an address of e-mail, such as name@example.com."})
	}
	return errs
}

// countCheck counts a question to the register.
func (g *Registration) countCheck(tx store.Tx, p *progress) error {
	if p.Account != "" {
		return reason.New(reason.RegistrationStep, nil)
	}
	digest := p.cert.SHA256()
	day, err := count(tx, "registration checks "+hex.EncodeToString(digest[:]), g.opts.Now())
	if err != nil {
		return err
	}
	if p.Checks++; p.Checks > maxChecks || day > maxDayChecks {
		return reason.New(reason.RegistrationAttempts, nil)
	}
	return nil
}

// consult asks the register and goes to the next step: the agreement, or the details, or with
// details that do not help the agreement all the same, for a person to compare (IP-04, IP-07).
// If the register is unavailable nothing has changed.
func (g *Registration) consult(r *http.Request, p *progress) (*progress, error) {
	match, doubt, entry, err := g.match(r.Context(), p)
	if err != nil {
		return p, err
	}
	withDetails, asked := p.Born != "", p.Checks
	return g.change(r, p.digest, func(_ store.Tx, p *progress) error {
		// What the register has said is about the data it was asked about, and about no
		// others that came from another tab meanwhile.
		if p.Account != "" || p.Checks != asked {
			return reason.Errorf(reason.RegistrationStep, "the data were changed meanwhile, in another tab")
		}
		p.Doubt, p.Registered, p.Closed = doubt, false, time.Time{}
		if match == register.Same {
			p.Doubt, p.Registered, p.Closed = "", !entry.OGRNIP.IsZero(), entry.Closed
			if p.Registered && p.who.OGRNIP.IsZero() {
				p.OGRNIP = entry.OGRNIP.Reveal()
			}
		}
		if match != register.Same && !withDetails {
			p.Step = atDetails
			return nil
		}
		p.Step, p.Number = atAgreement, request.NewID()
		var err error
		p.Text, err = g.opts.Agreement.text(p, g.opts)
		return err
	})
}

// match compares the person with the register. What nobody vouches for is in doubt.
func (g *Registration) match(ctx context.Context, p *progress) (register.Match, reason.Code, register.Entry, error) {
	who, ogrnip := p.identity(), p.ogrnip()
	entered := p.INN != "" || p.OGRNIP != ""
	switch {
	case ogrnip.IsZero() && !entered:
		return register.Same, "", register.Entry{}, nil // not an entrepreneur
	case g.opts.Register == nil && !entered:
		return register.Same, "", register.Entry{}, nil
	case g.opts.Register == nil:
		return register.Mismatch, reason.RegisterNotFound, register.Entry{}, nil
	}
	entry, err := g.opts.Register.Find(ctx, register.Query{INN: who.INN, OGRNIP: ogrnip})
	if errors.Is(err, register.ErrNotFound) {
		return register.Mismatch, reason.RegisterNotFound, register.Entry{}, nil
	}
	if err != nil {
		return register.Mismatch, "", register.Entry{}, err
	}
	match := entry.Compare(register.Claim{
		INN: who.INN, OGRNIP: ogrnip, Name: who.Name, Entered: entered, EnteredINN: p.INN != "",
		Born: person.NewPrivate(p.Born), Document: person.NewPrivate(p.Document),
	})
	return match, reason.RegisterMismatch, entry, nil
}

// details shows the second step (IP-04). It looks the same whatever the register has said.
func (g *Registration) details(x *gin.Context) {
	p, ok := g.at(x, atDetails)
	if !ok {
		return
	}
	g.showDetails(x, p, nil, nil, 0)
}

func (g *Registration) showDetails(x *gin.Context, p *progress, values form.Values, errs form.Errors, status int) {
	g.show(x, "details", page.View{
		Status: status, Title: page.Text{RU: "Дополнительные сведения", EN: "Further data"},
		Lead: page.Text{
			RU: "Введённых сведений недостаточно, чтобы найти вас в реестре. Проверьте их и добавьте дату рождения и документ.",
			EN: "These data are not enough to find you in the register. Check them, and add your date of birth and document.",
		},
		Errors: errs, Values: values, Here: pathDetails,
		Data: append(certificateFacts(p), enteredFacts(p)...),
	})
}

// enteredFacts are what was entered in the first step.
func enteredFacts(p *progress) []page.Fact {
	var facts []page.Fact
	for _, f := range []page.Fact{
		{Label: page.Text{RU: "ИНН (введён вами)", EN: "Taxpayer number (entered)"}, Value: p.INN},
		{Label: page.Text{RU: "ОГРНИП (введён вами)", EN: "Number of the entrepreneur (entered)"}, Value: p.OGRNIP},
	} {
		if f.Value != "" {
			facts = append(facts, f)
		}
	}
	return facts
}

// enterDetails takes the second step.
func (g *Registration) enterDetails(x *gin.Context) {
	p, ok := g.at(x, atDetails)
	if !ok {
		return
	}
	values, err := form.Parse(x.Request, form.Limits{"born": {Max: 10}, "document": {Max: 40}})
	if err != nil {
		g.refuse(x.Writer, x.Request, err)
		return
	}
	born, errs := checkDetails(values, g.opts.Now())
	if len(errs) > 0 {
		g.showDetails(x, p, values, errs, 0)
		return
	}
	p, err = g.change(x.Request, p.digest, func(tx store.Tx, p *progress) error {
		p.Born, p.Document = born, values["document"]
		return g.countCheck(tx, p)
	})
	if err == nil {
		p, err = g.consult(x.Request, p)
	}
	if errors.Is(err, reason.RegisterUnavailable) {
		noteFailure(x, reason.RegisterUnavailable, err)
		g.showDetails(x, p, values, form.Errors{{Text: entryText(reason.RegisterUnavailable)}}, problem.Status(reason.RegisterUnavailable))
		return
	}
	if err != nil {
		g.refuse(x.Writer, x.Request, err)
		return
	}
	x.Redirect(http.StatusSeeOther, p.path())
}

// checkDetails returns the date of birth as the register has it, and what is wrong. Dates are
// taken as browsers send them, and as people write them.
func checkDetails(v form.Values, now time.Time) (born string, errs form.Errors) {
	for _, layout := range []string{time.DateOnly, "02.01.2006"} {
		at, err := time.Parse(layout, v["born"])
		if err == nil && at.Year() >= 1900 && at.AddDate(14, 0, 0).Before(now) {
			born = at.Format(time.DateOnly)
		}
	}
	if born == "" {
		errs.Add("born", page.Text{RU: "Введите дату рождения, например 28.02.1980.", EN: "Enter the date of birth, such as 28.02.1980."})
	}
	marks := 0
	for _, c := range v["document"] {
		if unicode.IsDigit(c) || unicode.IsLetter(c) {
			marks++
		}
	}
	if marks < 4 {
		errs.Add("document", page.Text{RU: "Введите серию и номер документа, удостоверяющего личность.", EN: "Enter the series and number of the document."})
	}
	return born, errs
}

// noteFailure notes for the log why a page shows an error.
func noteFailure(x *gin.Context, code reason.Code, err error) {
	e := request.From(x.Request.Context())
	e.Code, e.Err = code, err
}

// entryText is the sentence of the catalogue about a reason.
func entryText(code reason.Code) page.Text {
	e, _ := reason.Lookup(code)
	return page.Text{RU: e.RU, EN: e.EN}
}
