package card_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/card"
	"propusk/server/mail"
	"propusk/server/password"
	"propusk/server/store"
)

// TestMonth: a calendar month ends with the day of the same number, or with the last day.
func TestMonth(t *testing.T) {
	for from, want := range map[string]string{
		"2026-01-15T10:00:00+03:00": "2026-02-16T00:00:00+03:00",
		"2026-01-31T10:00:00+03:00": "2026-03-01T00:00:00+03:00",
		"2028-01-31T10:00:00+03:00": "2028-03-01T00:00:00+03:00",
		"2026-12-31T23:59:59+03:00": "2027-02-01T00:00:00+03:00",
		"2026-12-31T22:00:00Z":      "2027-02-02T00:00:00+03:00", // it is January in Moscow
		"2026-02-28T10:00:00+03:00": "2026-03-29T00:00:00+03:00",
	} {
		at, err := time.Parse(time.RFC3339, from)
		if err != nil {
			t.Fatal(err)
		}
		if got := card.Month(at).Format(time.RFC3339); got != want {
			t.Errorf("a month from %s ends at %s, want %s", from, got, want)
		}
	}
}

// desk is where cards are issued.
type desk struct {
	t     *testing.T
	store store.Store
	inn   person.INN
	card.Issuer
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	h, err := password.New(password.Options{Params: password.Params{Memory: 8 << 10, Time: 1}})
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, store: store.NewMemory()}
	if d.inn, err = person.ParseINN("500100732259"); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	d.Issuer = card.Issuer{Store: d.store, Hasher: h, Mail: mail.Composer{Gateway: "Пропуск", URL: "https://gateway.example"}, Now: func() time.Time { return at }}
	return d
}

func (d *desk) order() card.Order {
	return card.Order{
		INN: d.inn, Reason: card.Connect, Delivery: card.InPerson, Kind: person.Person, Name: person.NewName("Вымыслов Пётр Ильич"), By: "operator",
	}
}

// TestOrders: an order that lacks something does nothing.
func TestOrders(t *testing.T) {
	d := newDesk(t)
	ogrnip, err := person.ParseOGRNIP("304500116000157")
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*card.Order){
		"no ИНН":                       func(o *card.Order) { o.INN = person.INN{} },
		"no reason":                    func(o *card.Order) { o.Reason = "" },
		"no delivery":                  func(o *card.Order) { o.Delivery = "post" },
		"no name":                      func(o *card.Order) { o.Name = person.Name{} },
		"no address":                   func(o *card.Order) { o.Delivery = card.ByEmail },
		"a legal entity":               func(o *card.Order) { o.Kind = person.LegalEntity },
		"an entrepreneur of nothing":   func(o *card.Order) { o.Kind = person.Entrepreneur },
		"an ОГРНИП of a person":        func(o *card.Order) { o.OGRNIP = ogrnip },
		"a new password for nobody":    func(o *card.Order) { o.Reason = card.NewPassword },
		"a new password to no address": func(o *card.Order) { o.Reason, o.Delivery = card.NewPassword, card.ByEmail },
	} {
		o := d.order()
		spoil(&o)
		if _, err := d.Issue(t.Context(), o); !errors.Is(err, card.ErrOrder) && !errors.Is(err, card.ErrUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	d.view(func(tx store.Tx) error {
		if all, err := tx.Cards("", 10); err != nil || len(all) != 0 {
			t.Errorf("%d cards, %v", len(all), err)
		}
		return nil
	})
}

func (d *desk) view(f func(store.Tx) error) {
	d.t.Helper()
	if err := d.store.View(d.t.Context(), f); err != nil {
		d.t.Fatal(err)
	}
}

// TestIssue: an account, an initial password, a card, an event; and another card for whoever
// was blocked, but not for whom others decide about.
func TestIssue(t *testing.T) {
	d := newDesk(t)
	first, err := d.Issue(t.Context(), d.order())
	if err != nil {
		t.Fatal(err)
	}
	if found := (password.Policy{}).Check(first.Password, password.About{Login: d.inn.Reveal()}); len(found) > 0 || len(first.Password) != 24 {
		t.Errorf("%s: %v", first.Password, found)
	}
	d.view(func(tx store.Tx) error {
		a, err := tx.AccountByINN(d.inn)
		if err != nil || a.State != account.Active || a.Origin != account.ByCard || len(a.Taxpayers) != 1 || a.Identity.Kind != person.Person {
			t.Errorf("%+v, %v", a, err)
		}
		p, err := tx.Password(a.ID)
		if err != nil || !p.Initial || !p.Expires.Equal(card.Month(d.Now())) || strings.Contains(p.Hash, first.Password) {
			t.Errorf("%+v, %v", p, err)
		}
		notes, err := tx.Notes(10)
		if err != nil || len(notes) != 1 || notes[0].Event.Action != "card-issued" {
			t.Errorf("%+v, %v", notes, err)
		}
		if letters, err := tx.Letters("", 10); err != nil || len(letters) != 0 {
			t.Errorf("%d letters, %v", len(letters), err)
		}
		return nil
	})
	again := d.order()
	again.Reason = card.NewPassword
	for state, want := range map[account.State]error{
		account.Active: nil, account.Blocked: nil, account.Compromised: nil, account.Awaiting: nil,
		account.Pending: card.ErrState, account.Rejected: card.ErrState, account.Closed: card.ErrState,
	} {
		err := d.store.Update(t.Context(), func(tx store.Tx) error {
			a, err := tx.Account(first.Account)
			if err != nil {
				return err
			}
			a.State, a.Why = state, reason.AccountBlocked
			factor := account.Factor{Account: a.ID, ID: account.NewName(), Kind: account.TOTP, Added: d.Now(), Confirmed: d.Now()}
			return errors.Join(tx.PutAccount(&a), tx.PutFactor(factor))
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Issue(t.Context(), again); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s: %v", state, err)
		}
		d.view(func(tx store.Tx) error {
			a, err := tx.Account(first.Account)
			factors, errFactors := tx.Factors(a.ID)
			if want == nil && (a.State != account.Active || a.Why != "" || len(factors) > 0) || want != nil && a.State != state {
				t.Errorf("%s has become %s %s with %d factors", state, a.State, a.Why, len(factors))
			}
			return errors.Join(err, errFactors)
		})
	}
}
