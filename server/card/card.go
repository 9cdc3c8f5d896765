// Package card issues registration cards: login and first password, given out by an operator
// who has seen the person's papers (PW-01 to PW-08).
//
// The first password is good until the end of one calendar month (PW-02) and for one sign-in,
// which changes it (PW-03). It is on the card only; the store has its hash. Login and password
// are active at once (PW-04 allows an hour).
package card

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"propusk/pki/person"
	"propusk/server/account"
	"propusk/server/admission"
	"propusk/server/journal"
	"propusk/server/mail"
	"propusk/server/password"
	"propusk/server/store"
	"propusk/server/visit"
)

// Reasons why a card is issued (PW-08): Card.Reason of package account. The third one of the
// form, to give the account up, needs no card: see package office.
const (
	// Connect opens an account.
	Connect = "connect"
	// NewPassword replaces a password, and opens an account that was blocked (PW-05). Handed
	// over in person it takes the second factors away too.
	NewPassword = "new-password"
)

// Ways to hand a card over (PW-08): Card.Delivery of package account.
const (
	InPerson = "personal"
	ByEmail  = "email"
)

// Errors of orders. They hold nothing about people.
var (
	// ErrKnown means that the person has an account: he needs a new password, and no account.
	ErrKnown = errors.New("card: there is an account with this ИНН already")
	// ErrUnknown means that the person has no account.
	ErrUnknown = errors.New("card: there is no account with this ИНН")
	// ErrState means that the account waits for the check of its data, was refused, or was
	// closed: a card does not change that.
	ErrState = errors.New("card: the state of the account does not allow a card")
	// ErrOrder means that an order lacks something or contradicts itself.
	ErrOrder = errors.New("card: not an order")
)

// Order is what an operator wants.
type Order struct {
	// INN is the login (PW-07).
	INN person.INN
	// Reason is Connect or NewPassword; Delivery is InPerson or ByEmail.
	Reason, Delivery string
	// Kind, Name and OGRNIP are for Connect: [person.Person], or [person.Entrepreneur], who
	// has an ОГРНИП.
	Kind   person.Kind
	Name   person.Name
	OGRNIP person.OGRNIP
	// Email is where a card goes ByEmail, and where letters go when the person has come with
	// its password. It may be empty otherwise.
	Email person.Email
	// Language is "ru" or "en": that of letters of a new account.
	Language string
	// By is the operator, as the operating system calls him.
	By string
}

// check reports what an order lacks.
func (o Order) check() error {
	switch {
	case o.INN.IsZero():
		return fmt.Errorf("%w: without an ИНН", ErrOrder)
	case o.Reason != Connect && o.Reason != NewPassword:
		return fmt.Errorf("%w: no such reason", ErrOrder)
	case o.Delivery != InPerson && o.Delivery != ByEmail:
		return fmt.Errorf("%w: no such delivery", ErrOrder)
	case o.Delivery == ByEmail && o.Email.IsZero() && o.Reason == Connect:
		return fmt.Errorf("%w: without an address of e-mail", ErrOrder)
	case o.Reason != Connect:
		return nil
	case o.Name.IsZero():
		return fmt.Errorf("%w: without a name", ErrOrder)
	case o.Kind != person.Person && o.Kind != person.Entrepreneur:
		return fmt.Errorf("%w: cards are for natural persons and entrepreneurs", ErrOrder)
	case (o.Kind == person.Entrepreneur) == o.OGRNIP.IsZero():
		return fmt.Errorf("%w: an ОГРНИП is for entrepreneurs, who all have one", ErrOrder)
	}
	return nil
}

// Printed is what the card says. The password is nowhere else.
type Printed struct {
	account.Card
	Login    person.INN
	Password string
}

// Issuer issues cards. It is safe for concurrent use, and beside a gateway that runs.
type Issuer struct {
	Store  store.Store
	Hasher *password.Hasher
	// Policy is that of passwords: the first one keeps it too.
	Policy password.Policy
	Mail   mail.Composer
	Now    func() time.Time
}

// Issue carries an order out. The error is [ErrKnown], [ErrUnknown], [ErrState] or [ErrOrder],
// and nothing was done then, or that of the store.
func (i Issuer) Issue(ctx context.Context, o Order) (Printed, error) {
	if err := o.check(); err != nil {
		return Printed{}, err
	}
	fresh := newPassword()
	for len(i.Policy.Check(fresh, password.About{Login: o.INN.Reveal()})) > 0 {
		fresh = newPassword()
	}
	hash, err := i.Hasher.Hash(ctx, fresh)
	if err != nil {
		return Printed{}, err
	}
	var p Printed
	err = i.Store.Update(ctx, func(tx store.Tx) error {
		a, before, err := i.account(tx, o)
		if err != nil {
			return err
		}
		if o.Delivery == ByEmail && o.Reason == NewPassword && o.Email.IsZero() {
			if o.Email = a.Email; o.Email.IsZero() {
				return fmt.Errorf("%w: the account has no address of e-mail", ErrOrder)
			}
		}
		p = Printed{Login: o.INN, Password: fresh}
		if p.Card, err = i.write(tx, a, o, hash); err != nil {
			return err
		}
		return i.tell(tx, a, before, o, p)
	})
	if err != nil {
		return Printed{}, err
	}
	return p, nil
}

// signs are those of first passwords: none that is taken for another one on paper.
const (
	smallSigns   = "abcdefghijkmnpqrstuvwxyz"
	capitalSigns = "ABCDEFGHJKLMNPQRSTUVWXYZ"
	digitSigns   = "23456789"
)

// newPassword returns five groups of a capital, two small letters and a digit, over 80 bits:
// "Kxm7-Ptq4-Wzd9-Hru2-Bna5".
func newPassword() string {
	var text []byte
	for group := range 5 {
		if group > 0 {
			text = append(text, '-')
		}
		text = append(text, pick(capitalSigns), pick(smallSigns), pick(smallSigns), pick(digitSigns))
	}
	return string(text)
}

// pick returns one sign of a set of at most 256; each as likely as the others.
func pick(signs string) byte {
	limit := 256 - 256%len(signs)
	var b [1]byte
	for {
		rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
		if int(b[0]) < limit {
			return signs[int(b[0])%len(signs)]
		}
	}
}

// account returns the account of an order as it will be, without having written it, and as it
// was.
func (i Issuer) account(tx store.Tx, o Order) (will, was account.Account, err error) {
	a, err := tx.AccountByINN(o.INN)
	was = a
	switch {
	case errors.Is(err, store.ErrNotFound) && o.Reason == Connect:
		who := person.Identity{Kind: o.Kind, INN: o.INN, Name: o.Name, OGRNIP: o.OGRNIP}
		return account.Account{
			ID: account.NewID(), Identity: who, Taxpayers: []account.Taxpayer{account.TaxpayerOf(who)}, State: account.Active,
			Email: o.Email, Language: language(o.Language), Registered: i.Now(), Origin: account.ByCard,
		}, was, nil
	case errors.Is(err, store.ErrNotFound):
		return a, was, ErrUnknown
	case err != nil:
		return a, was, err
	case o.Reason == Connect:
		return a, was, ErrKnown
	case a.State == account.Closed || a.State == account.Pending || a.State == account.Rejected:
		return a, was, ErrState
	}
	a.State, a.Why, a.ActivateBy = account.Active, "", time.Time{}
	if !o.Email.IsZero() && o.Email != a.Email {
		a.Email, a.EmailConfirmed = o.Email, time.Time{}
	}
	return a, was, nil
}

func language(l string) string {
	if l == "en" {
		return l
	}
	return "ru"
}

// write writes the account, its password and the card. Whoever was there is no more.
func (i Issuer) write(tx store.Tx, a account.Account, o Order, hash string) (account.Card, error) {
	now := i.Now()
	number, err := tx.Next("card")
	if err != nil {
		return account.Card{}, err
	}
	c := account.Card{
		Number: fmt.Sprintf("%d-%06d", now.Year(), number), Account: a.ID, Issued: now, Expires: Month(now),
		Reason: o.Reason, Delivery: o.Delivery, By: o.By,
	}
	if err := tx.PutAccount(&a); err != nil {
		return account.Card{}, err
	}
	err = tx.PutPassword(account.Password{Account: a.ID, Hash: hash, Set: now, Expires: c.Expires, Initial: true})
	if err != nil {
		return account.Card{}, err
	}
	if o.Delivery == InPerson { // who has shown his papers may have lost everything else
		factors, err := tx.Factors(a.ID)
		if err != nil {
			return account.Card{}, err
		}
		for _, f := range factors {
			if err := tx.DeleteFactor(a.ID, f.ID); err != nil {
				return account.Card{}, err
			}
		}
	}
	// Services hear of the end from the gateway, which finds it in the store.
	if _, err := visit.EndAllIn(tx, a.ID, "", now); err != nil {
		return account.Card{}, err
	}
	return c, tx.PutCard(c)
}

// tell writes the event, and the letters: the card itself, or that there is one. An address
// that the account has no more hears of it too: the order may not be the person's.
func (i Issuer) tell(tx store.Tx, a, before account.Account, o Order, p Printed) error {
	if err := tx.Note(journal.Event{At: i.Now(), Kind: journal.Account, Action: "card-issued"}, a.Identity); err != nil {
		return err
	}
	letter, to := mail.CardIssued{Login: o.INN, From: i.Now(), Until: p.Expires}, admission.To(a)
	if !before.EmailConfirmed.IsZero() && before.Email != a.Email {
		elsewhere := letter
		elsewhere.Elsewhere = true
		if err := tx.PutLetter(i.Mail.CardIssued(admission.To(before), i.Now(), elsewhere)); err != nil {
			return err
		}
	}
	switch {
	case o.Delivery == ByEmail:
		letter.Password, to.Email = p.Password, o.Email
	case a.EmailConfirmed.IsZero():
		return nil
	}
	return tx.PutLetter(i.Mail.CardIssued(to, i.Now(), letter))
}

// Month returns when a month has ended that began at a moment: at the end of the day, in
// Moscow, that has the same number in the next month, or of its last day (ГК РФ, ст. 192,
// п. 3, ст. 194).
func Month(from time.Time) time.Time {
	moscow := time.FixedZone("МСК", 3*60*60)
	year, month, day := from.In(moscow).Date()
	last := time.Date(year, month+2, 0, 0, 0, 0, 0, moscow).Day()
	return time.Date(year, month+1, min(day, last)+1, 0, 0, 0, 0, moscow)
}
