package profile

import (
	"errors"
	"time"

	"propusk/server/account"
	"propusk/server/form"
	"propusk/server/level"
	"propusk/server/page"
	"propusk/server/store"
	"propusk/server/visit"
)

// visitRow is one visit of an account, for the page.
type visitRow struct {
	ID              string
	Began, Seen     time.Time
	Address, Device string
	Key             bool
	Second          bool
	Services        int
	Current         bool
}

// visitsPage is what the page of visits sees.
type visitsPage struct {
	Visits []visitRow
	Others bool
	Done   string
}

// visits lists where the account is signed in.
func (p *Profile) visits(c call) {
	data := visitsPage{Done: c.r.URL.Query().Get("done")}
	err := p.opts.Store.View(c.r.Context(), func(tx store.Tx) error {
		all, err := tx.Visits(c.acc.ID)
		for _, v := range all {
			if !p.opts.Now().Before(v.Until) {
				continue
			}
			row := visitRow{
				ID: v.Public, Began: v.Began, Seen: v.Seen, Address: v.Address.Reveal(), Device: deviceName(v.Device.Reveal()),
				Key: !v.KeyAt.IsZero(), Second: v.Level == level.TwoFactor, Services: len(v.Clients), Current: v.Public == c.visit.Public,
			}
			data.Others = data.Others || !row.Current
			data.Visits = append(data.Visits, row)
		}
		return err
	})
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	p.show(c, "visits", page.View{
		Title: page.Text{RU: "Где выполнен вход", EN: "Where you are signed in"},
		Lead: page.Text{
			RU: "Если вы не узнаёте устройство, завершите его сеанс и смените пароль.",
			EN: "If you do not know one of these, end it and change the password.",
		},
		Data: data,
	})
}

// endVisit ends one from afar (GU-05).
func (p *Profile) endVisit(c call) {
	v, ok := p.parse(c, form.Limits{"visit": {Max: 64}})
	if ok {
		p.end(c, func(one account.Visit) bool { return one.Public == v["visit"] })
	}
}

// endOthers ends all but this one.
func (p *Profile) endOthers(c call) {
	if _, ok := p.parse(c, nil); ok {
		p.end(c, func(one account.Visit) bool { return one.Public != c.visit.Public })
	}
}

// end ends the visits of the account that match.
func (p *Profile) end(c call, match func(account.Visit) bool) {
	var ended []account.Visit
	err := p.update(c, func(tx store.Tx, acc account.Account) error {
		ended = nil
		all, err := tx.Visits(acc.ID)
		for _, v := range all {
			if err == nil && match(v) {
				ended, err = append(ended, v), visit.EndIn(tx, v, p.opts.Now())
			}
		}
		if err != nil || len(ended) == 0 {
			return err
		}
		// Whoever was there may have asked for a link to an address of his own.
		return errors.Join(tx.DeleteSecrets(acc.ID, purposeEmail), tx.Note(p.opts.Admission.Event(c.r, "visits-ended"), acc.Identity))
	})
	if err != nil {
		p.fail(c.w, c.r, err)
		return
	}
	p.over(ended)
	p.done(c, pathVisits, "ended")
}
