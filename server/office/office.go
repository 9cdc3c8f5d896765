// Package office is what operators do with accounts, from outside of the gateway and while it
// runs: block and unblock, close, and decide about registrations that a person has to look at
// (requirements IP-07, PW-05, PW-08).
//
// Each is one transaction, with the event for the journal, the letter to the person, and the
// end of his visits: the gateway finds those in the store and delivers them.
package office

import (
	"context"
	"errors"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/admission"
	"propusk/server/journal"
	"propusk/server/mail"
	"propusk/server/store"
	"propusk/server/visit"
)

// Errors of an Office. They tell nothing about people.
var (
	// ErrUnknown means that there is no such account.
	ErrUnknown = errors.New("office: there is no such account")
	// ErrState means that an account in its state cannot become what was asked for.
	ErrState = errors.New("office: not in this state of the account")
	// ErrCard means that only a new registration card opens the account again (PW-05).
	ErrCard = errors.New("office: the first password has run out; issue a new card")
)

// Office acts on accounts. It is a plain value, safe for concurrent use.
type Office struct {
	Store store.Store
	// Mail writes letters.
	Mail mail.Composer
	// ActivateWithin is how long an approved registration waits for its link.
	ActivateWithin time.Duration
	// By is the operator, as the operating system calls him.
	By string
	// Now returns the time.
	Now func() time.Time
}

// Find returns the account with an ID, or of the person with an ИНН. The error is ErrUnknown,
// or that of the store.
func (o Office) Find(ctx context.Context, name string) (account.Account, error) {
	var a account.Account
	err := o.Store.View(ctx, func(tx store.Tx) (err error) {
		a, err = find(tx, name)
		return err
	})
	return a, err
}

func find(tx store.Tx, name string) (account.Account, error) {
	a, err := tx.Account(account.ID(name))
	if inn, bad := person.ParseINN(name); bad == nil {
		a, err = tx.AccountByINN(inn)
	}
	if errors.Is(err, store.ErrNotFound) {
		err = ErrUnknown
	}
	return a, err
}

// Block lets nobody into an account until Unblock. All its visits end.
func (o Office) Block(ctx context.Context, name string) (account.Account, error) {
	return o.change(ctx, name, "account-blocked", func(tx store.Tx, a *account.Account) error {
		if a.State != account.Active && a.State != account.Compromised && a.State != account.Blocked || a.Why == reason.AccountBlocked {
			return ErrState
		}
		a.State, a.Why = account.Blocked, reason.AccountBlocked
		if a.EmailConfirmed.IsZero() {
			return nil
		}
		return tx.PutLetter(o.Mail.Blocked(admission.To(*a), o.Now(), mail.Blocked{At: o.Now()}))
	})
}

// Unblock opens an account again that was blocked, or that has lost its keys. The error is
// ErrCard if it was blocked because its first password was not changed in time.
func (o Office) Unblock(ctx context.Context, name string) (account.Account, error) {
	return o.change(ctx, name, "account-unblocked", func(_ store.Tx, a *account.Account) error {
		switch {
		case a.State == account.Blocked && a.Why == reason.AccountCardExpired:
			return ErrCard
		case a.State != account.Blocked && a.State != account.Compromised:
			return ErrState
		}
		a.State, a.Why = account.Active, ""
		return nil
	})
}

// Close gives an account up for ever: password and second factors are forgotten, its visits
// end. The ИНН stays taken, so that nobody opens the account anew without an operator.
func (o Office) Close(ctx context.Context, name string) (account.Account, error) {
	return o.change(ctx, name, "account-closed", func(tx store.Tx, a *account.Account) error {
		if a.State == account.Closed {
			return ErrState
		}
		a.State, a.Why, a.ActivateBy = account.Closed, "", time.Time{}
		factors, err := tx.Factors(a.ID)
		if err != nil {
			return err
		}
		for _, f := range factors {
			if err := tx.DeleteFactor(a.ID, f.ID); err != nil {
				return err
			}
		}
		return tx.DeletePassword(a.ID)
	})
}

// Approve ends the check of a registration by hand: the account is active, or waits for the
// link of its letter. One that was rejected may be approved after all.
func (o Office) Approve(ctx context.Context, name string) (account.Account, error) {
	return o.change(ctx, name, "check-approved", func(tx store.Tx, a *account.Account) error {
		if a.State != account.Pending && a.State != account.Rejected {
			return ErrState
		}
		if a.EmailConfirmed.IsZero() {
			a.State, a.Why, a.ActivateBy = account.Awaiting, "", o.Now().Add(o.ActivateWithin)
			return nil
		}
		a.State, a.Why, a.ActivateBy = account.Active, "", time.Time{}
		return o.result(tx, *a, true)
	})
}

// Reject ends the check of a registration by hand: the account lets nobody in.
func (o Office) Reject(ctx context.Context, name string) (account.Account, error) {
	return o.change(ctx, name, "check-rejected", func(tx store.Tx, a *account.Account) error {
		if a.State != account.Pending {
			return ErrState
		}
		a.State, a.Why, a.ActivateBy = account.Rejected, reason.AccountRejected, time.Time{}
		if a.EmailConfirmed.IsZero() {
			return nil
		}
		return o.result(tx, *a, false)
	})
}

// result tells a person how the check has ended.
func (o Office) result(tx store.Tx, a account.Account, approved bool) error {
	return tx.PutLetter(o.Mail.CheckResult(admission.To(a), o.Now(), mail.CheckResult{Approved: approved}))
}

// change does something with an account, writes it down, and ends its visits if it lets nobody
// in any more.
func (o Office) change(ctx context.Context, name, action string, do func(store.Tx, *account.Account) error) (account.Account, error) {
	var a account.Account
	err := o.Store.Update(ctx, func(tx store.Tx) (err error) {
		if a, err = find(tx, name); err != nil {
			return err
		}
		if err := do(tx, &a); err != nil {
			return err
		}
		if a.State != account.Active {
			if _, err := visit.EndAllIn(tx, a.ID, "", o.Now()); err != nil { // the gateway tells the services
				return err
			}
		}
		e := journal.Event{At: o.Now(), Kind: journal.Account, Action: action, Reason: a.Why, Detail: journal.Clean("by=" + o.By)}
		return errors.Join(tx.PutAccount(&a), tx.Note(e, a.Identity))
	})
	if err != nil {
		return account.Account{}, err
	}
	return a, nil
}
