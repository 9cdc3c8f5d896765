package profile

import (
	"time"

	"propusk/pki/person"
	"propusk/pki/report"
	"propusk/server/account"
	"propusk/server/journal"
	"propusk/server/level"
	"propusk/server/page"
	"propusk/server/store"
)

// homePage is what the page of an account sees.
type homePage struct {
	Name, INN string
	Acting    string
	Began     time.Time
	// Previous is the sign-in before this visit, and PreviousFrom its address; zero if the
	// journal knows none (FL-15).
	Previous     time.Time
	PreviousFrom string
	Email        string
	Confirmed    bool
	// Key is whether this visit is by a key, Limited whether more could be done with one.
	Key, Limited bool
	// Closed is since when the person is no entrepreneur; zero if he is one, or never was.
	Closed time.Time
	// Until is until when he may still come in as one.
	Until time.Time
	// Second is whether sign-ins by password need a second factor.
	Second   bool
	Password bool
	Keys     int
}

// home is the overview.
func (p *Profile) home(c call) {
	h := homePage{
		Name: c.acc.Identity.Name.Reveal(), INN: c.acc.Identity.INN.Reveal(), Began: c.visit.Began,
		Email: c.acc.Email.Reveal(), Confirmed: !c.acc.EmailConfirmed.IsZero(),
		Key: !c.visit.KeyAt.IsZero(), Limited: c.visit.Level < level.QES,
	}
	h.Previous, h.PreviousFrom = p.previous(c)
	if t, ok := c.acc.Taxpayer(c.visit.Taxpayer); ok {
		h.Acting = taxpayerName(t)
	}
	if ended := c.acc.Closed; !ended.IsZero() && !p.opts.Now().Before(ended) {
		h.Closed, h.Until = ended, p.opts.Admission.Until(c.acc)
	}
	err := p.opts.Store.View(c.r.Context(), func(tx store.Tx) error {
		set, err := p.opts.Factors.Of(tx, c.acc.ID)
		if err != nil {
			return err
		}
		h.Second = set.Any()
		keys, err := tx.Keys(c.acc.ID)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if k.State == account.GoodKey {
				h.Keys++
			}
		}
		h.Password, err = hasPassword(tx, c.acc.ID)
		return err
	})
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	p.show(c, "home", page.View{Title: page.Text{RU: "Учётная запись", EN: "Account"}, Data: h})
}

// ticketTime is by how much the event of a sign-in can be older than the visit that it began.
const ticketTime = 2 * time.Minute

// previous returns when and from where the person signed in before this visit. A journal that
// cannot be read is no reason to show nothing else.
func (p *Profile) previous(c call) (time.Time, string) {
	records, err := p.opts.Histories.Of(c.r.Context(), people(c.acc), 0, journalPage)
	if err != nil {
		return time.Time{}, ""
	}
	for _, r := range records {
		if r.Kind == journal.SignIn && r.Conclusion == report.TotalPassed && r.At.Before(c.visit.Began.Add(-ticketTime)) {
			return r.At, r.Address.Reveal()
		}
	}
	return time.Time{}, ""
}

// taxpayerName is what a taxpayer is called in one line.
func taxpayerName(t account.Taxpayer) string {
	name := t.Name.Reveal()
	if t.Kind == person.Entrepreneur {
		return "ИП " + name
	}
	return name
}

// kindName is what sort a holder is.
func kindName(k person.Kind) page.Text {
	ru, en := k.Text()
	return page.Text{RU: ru, EN: en}
}
