package profile

import (
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/form"
	"propusk/server/page"
	"propusk/server/store"
)

// taxpayerPage is what the page sees on which a person chooses for whom he acts.
type taxpayerPage struct {
	Options []page.Option
	// Closed are those for whom he cannot act in this visit, with the reason.
	Closed []page.Fact
	Done   string
}

// taxpayers asks for whom a person acts (BY-09).
func (p *Profile) taxpayers(c call) {
	data := taxpayerPage{Done: c.r.URL.Query().Get("done")}
	for _, t := range c.acc.Taxpayers {
		if code := p.mayAct(c, c.acc, t); code != "" {
			known, _ := reason.Lookup(code)
			data.Closed = append(data.Closed, page.Fact{
				Label: page.Text{RU: taxpayerName(t), EN: taxpayerName(t)}, Value: page.Text{RU: known.RU, EN: known.EN}.In(page.Language(c.r)),
			})
			continue
		}
		name := taxpayerName(t)
		data.Options = append(data.Options, page.Option{Value: t.ID, Label: page.Text{RU: name, EN: name}, Hint: taxpayerHint(t)})
	}
	p.show(c, "taxpayer", page.View{
		Title: page.Text{RU: "За кого вы действуете", EN: "For whom you act"},
		Lead: page.Text{
			RU: "Выбор действует до конца сеанса во всех сервисах. Новый налогоплательщик появится здесь после входа с его сертификатом.",
			EN: "The choice holds for this visit, in all services. Another taxpayer appears here after a sign-in with his certificate.",
		},
		Values: map[string]string{"taxpayer": c.visit.Taxpayer}, Data: data,
	})
}

// taxpayerHint is the kind and the number of a taxpayer.
func taxpayerHint(t account.Taxpayer) page.Text {
	k := kindName(t.Kind)
	switch t.Kind {
	case person.Entrepreneur:
		return page.Text{RU: k.RU + ", ОГРНИП " + t.OGRNIP.Reveal(), EN: k.EN + ", OGRNIP " + t.OGRNIP.Reveal()}
	case person.LegalEntity:
		return page.Text{RU: k.RU + ", ОГРН " + t.OGRN.Reveal(), EN: k.EN + ", OGRN " + t.OGRN.Reveal()}
	}
	return page.Text{RU: k.RU + ", ИНН " + t.INN.Reveal(), EN: k.EN + ", INN " + t.INN.Reveal()}
}

// mayAct returns why a visit cannot act for a taxpayer: who is no entrepreneur any more gets
// no further by another key than by his own (IP-29). Empty if it can.
func (p *Profile) mayAct(c call, acc account.Account, t account.Taxpayer) reason.Code {
	reach, err := p.opts.Admission.Reach(acc, t.Kind, p.opts.Now())
	if err != nil {
		return reason.Of(err)
	}
	if c.visit.Level > reach {
		return reason.AccountLimited
	}
	return ""
}

// setTaxpayer makes another one active.
func (p *Profile) setTaxpayer(c call) {
	v, ok := p.parse(c, form.Limits{"taxpayer": {Max: 64}})
	if !ok {
		return
	}
	t, ok := c.acc.Taxpayer(v["taxpayer"])
	if !ok {
		p.fail(c.w, c.r, reason.PageNotFound)
		return
	}
	if code := p.mayAct(c, c.acc, t); code != "" {
		p.fail(c.w, c.r, code)
		return
	}
	err := p.opts.Visits.SetTaxpayer(c.r, t.ID)
	if err == nil {
		err = p.update(c, func(tx store.Tx, acc account.Account) error {
			return tx.Note(p.opts.Admission.Event(c.r, "taxpayer"), acc.Identity)
		})
	}
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	p.done(c, pathTaxpayer, "chosen")
}
