package registration

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"text/template"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/challenge"
	"propusk/server/form"
	"propusk/server/journal"
	"propusk/server/page"
	"propusk/server/register"
	"propusk/server/request"
	"propusk/server/signrequest"
	"propusk/server/store"
	"propusk/server/visit"
)

// evidenceAgreement is the kind of the evidence of an agreement.
const evidenceAgreement = "agreement"

//go:embed agreement.ru.txt
var defaultAgreement string

// Agreement is the template of the text that people sign (IP-14). The zero value is the
// default text. Make another one with NewAgreement.
type Agreement struct{ template *template.Template }

// Party is what the template of an agreement can use, as {{.Name}} and so on: texts. Those
// that a person does not have are empty.
type Party struct {
	// Number and Date are of the agreement; Date is a day in Moscow.
	Number, Date string
	// Gateway and URL are of the operator.
	Gateway, URL string
	// Name and Organization are as the certificate has them.
	Name, Organization       string
	INN, OGRNIP, OGRN, Email string
}

// NewAgreement reads the operator's own text. The error says what is wrong with it: it is not
// a template of package text/template, uses what [Party] does not have, does not name the
// person and the number, or comes out as nothing that may be given to people to sign.
func NewAgreement(text string) (Agreement, error) {
	if len(text) > signrequest.MaxText {
		return Agreement{}, fmt.Errorf("registration: the agreement is longer than %d bytes", signrequest.MaxText)
	}
	t, err := template.New("agreement").Option("missingkey=error").Parse(text)
	if err != nil {
		return Agreement{}, fmt.Errorf("registration: agreement: %w", err)
	}
	a := Agreement{t}
	sample := Party{
		Number: "7K3F-9QX2-M4TD", Date: "01.02.2026", Gateway: "Пропуск", URL: "https://example.ru", Name: "Образцов Образец Образцович",
		INN: "500100732259", OGRNIP: "304500116000157", Email: "name@example.ru",
	}
	filled, err := a.fill(sample)
	if err != nil {
		return Agreement{}, err
	}
	// Without its number a signature could be passed off as that of another agreement.
	if !strings.Contains(filled, sample.Name) || !strings.Contains(filled, sample.Number) {
		return Agreement{}, errors.New("registration: the agreement must have {{.Name}} and {{.Number}}")
	}
	return a, nil
}

// fill writes the text for a person.
func (a Agreement) fill(p Party) (string, error) {
	if a.template == nil {
		own, err := NewAgreement(defaultAgreement)
		if err != nil {
			return "", err
		}
		a = own
	}
	var b strings.Builder
	if err := a.template.Execute(&b, p); err != nil {
		return "", fmt.Errorf("registration: agreement: %w", err)
	}
	text := strings.ReplaceAll(strings.TrimSpace(b.String()), "\r\n", "\n") + "\n"
	if err := signrequest.CheckText(text); err != nil {
		return "", fmt.Errorf("registration: agreement: %w", err)
	}
	return text, nil
}

// text is the agreement of a person who registers.
func (a Agreement) text(p *progress, o Options) (string, error) {
	who := p.identity()
	return a.fill(Party{
		Number: p.Number, Date: page.Date(o.Now()), Gateway: o.Gateway, URL: o.Issuer,
		Name: who.Name.Reveal(), Organization: who.Organization.Reveal(),
		INN: who.INN.Reveal(), OGRNIP: p.ogrnip().Reveal(), OGRN: who.OGRN.Reveal(), Email: p.Email,
	})
}

// agreementPage is what the template of the page sees.
type agreementPage struct {
	Text    string
	Number  string
	Methods []page.Method
	// Doubt is what is said if a person will compare the data first; empty if nobody has to.
	Doubt page.Text
}

// agreement shows the text.
func (g *Registration) agreement(x *gin.Context) {
	p, ok := g.at(x, atAgreement)
	if !ok {
		return
	}
	d := agreementPage{Text: p.Text, Number: p.Number, Methods: g.opts.Signer.Methods()}
	if p.Doubt != "" {
		d.Doubt = g.wait(page.Text{
			RU: "Найти вас в реестре не удалось, поэтому данные проверит сотрудник. Доступ откроется после проверки, о ней придёт письмо.",
			EN: "You were not found in the register, so a person will check the data. Access is given after that, and a letter will tell.",
		})
	}
	g.show(x, "agreement", page.View{
		Title: page.Text{RU: "Соглашение", EN: "Agreement"},
		Lead: page.Text{
			RU: "Прочитайте соглашение и подпишите его своей электронной подписью.",
			EN: "Read the agreement and sign it with your key. Its text is in Russian: that is what you sign.",
		},
		Data: d,
	})
}

// wait adds to a text how long a check by hand takes (IP-07).
func (g *Registration) wait(t page.Text) page.Text {
	n, days, ru, en := g.opts.CheckDays, "дней", "", ""
	one := n%10 == 1 && n%100 != 11
	if one {
		days = "дня"
	}
	day := "days"
	if n == 1 {
		day = "day"
	}
	if g.opts.WorkingDays {
		ru, en = "рабочих ", "working "
		if one {
			ru = "рабочего "
		}
	}
	t.RU += fmt.Sprintf(" Проверка занимает до %d %s%s.", n, ru, days)
	t.EN += fmt.Sprintf(" The check takes up to %d %s%s.", n, en, day)
	return t
}

// sign begins the signing of the text that was shown.
func (g *Registration) sign(x *gin.Context) {
	p, ok := g.at(x, atAgreement)
	if !ok {
		return
	}
	values, err := form.Parse(x.Request, form.Limits{"method": {Max: 16}, "number": {Max: 32}})
	if err == nil && values["number"] != p.Number { // the data were changed in another tab
		err = reason.Errorf(reason.RegistrationStep, "the page shows another agreement")
	}
	if err != nil {
		g.refuse(x.Writer, x.Request, err)
		return
	}
	digest, text := p.digest, p.Text
	g.opts.Signer.Ask(x, page.Method(values["method"]), challenge.Local{
		Service: g.opts.Gateway, Text: text, Kinds: g.opts.Kinds, Person: p.samePerson, Back: pathAgreement,
		Signed: func(r *http.Request, s challenge.Signed) (string, error) { return g.signed(r, digest, text, s) },
	})
}

// samePerson refuses a signer who is not the one who registers: the ИНН, the СНИЛС and the
// name must be the same, as far as both certificates have them, and one number must be.
// Another certificate of the same person will do, but none with another ИНН than was
// entered. 63-ФЗ, ст. 11, п. 4.
func (p *progress) samePerson(signer person.Identity) error {
	who, vouched := p.who, false
	if entered := p.identity().INN; !signer.INN.IsZero() && entered != signer.INN {
		return reason.Errorf(reason.RegistrationPerson, "the ИНН that was entered is not that of the signer")
	}
	for _, pair := range [][2]string{{who.INN.Reveal(), signer.INN.Reveal()}, {who.SNILS.Reveal(), signer.SNILS.Reveal()}} {
		if pair[0] == "" || pair[1] == "" {
			continue
		}
		if pair[0] != pair[1] {
			return reason.Errorf(reason.RegistrationPerson, "a number of the person is another one")
		}
		vouched = true
	}
	if !vouched || !register.SameName(who.Name, signer.Name) {
		return reason.Errorf(reason.RegistrationPerson, "the name is another one, or no number is the same")
	}
	return nil
}

// signed opens the account: account, key, evidence and the event for the journal are written
// in one transaction, or nothing is (IP-14, IP-28).
func (g *Registration) signed(r *http.Request, digest [32]byte, text string, s challenge.Signed) (string, error) {
	verdict, err := json.Marshal(s.Verdict)
	if err != nil {
		return "", err
	}
	now := g.opts.Now()
	p, err := g.change(r, digest, func(tx store.Tx, p *progress) error {
		if p.Account != "" || p.Step != atAgreement || p.Text != text {
			return reason.Errorf(reason.RegistrationStep, "the agreement is signed already, or has changed")
		}
		a := g.newAccount(p, now)
		key := account.Key{
			SHA256: p.cert.SHA256(), Account: a.ID, DER: p.Certificate, NotAfter: p.cert.NotAfter,
			Bound: now, LastUsed: now, State: account.GoodKey, Kind: p.who.Kind,
		}
		if err := errors.Join(tx.PutAccount(&a), tx.PutKey(key)); err != nil {
			if errors.Is(err, store.ErrTaken) {
				return reason.New(reason.RegistrationKnown, nil)
			}
			return err
		}
		p.Account = a.ID
		e := g.event(r, "registered", p)
		e.Order = p.Number
		return errors.Join(tx.AddEvidence(account.Evidence{
			ID: p.Number, Account: a.ID, Kind: evidenceAgreement, Text: []byte(text),
			Signature: s.Signature, Certificate: s.Certificate, Verdict: verdict, At: s.At,
		}), tx.Note(e, a.Identity))
	})
	if err != nil {
		return "", err
	}
	return p.path(), nil
}

// newAccount is the account of a person who has signed.
func (g *Registration) newAccount(p *progress, now time.Time) account.Account {
	who := p.identity()
	a := account.Account{
		ID: account.NewID(), Identity: who, Taxpayers: []account.Taxpayer{account.TaxpayerOf(who)},
		State: account.Awaiting, Email: person.NewEmail(p.Email), Language: p.Language, Registered: now,
		Origin: account.ByCertificate, ActivateBy: now.Add(g.opts.ActivateWithin), Closed: p.Closed,
	}
	if p.Registered && who.OGRNIP.IsZero() { // the register vouches for what the certificate lacks
		of := who
		of.Kind, of.OGRNIP = person.Entrepreneur, p.ogrnip()
		a.Taxpayers = append(a.Taxpayers, account.TaxpayerOf(of))
	}
	if p.Doubt != "" {
		a.State, a.Why, a.ActivateBy = account.Pending, p.Doubt, time.Time{}
	}
	return a
}

// event is an event about the account of a registration.
func (g *Registration) event(r *http.Request, action string, p *progress) journal.Event {
	e := g.plainEvent(r, action)
	e.Certificate, e.Client = p.cert.SHA256(), p.Request.ClientID
	return e
}

func (g *Registration) plainEvent(r *http.Request, action string) journal.Event {
	return journal.Event{
		At: g.opts.Now(), Kind: journal.Account, Action: action, Support: request.From(r.Context()).ID,
		Address: g.opts.Address(r.RemoteAddr), Device: person.NewPrivate(journal.Clean(visit.DeviceOf(r).Reveal())),
	}
}
