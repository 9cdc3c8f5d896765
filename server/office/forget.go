package office

import (
	"context"
	"errors"
	"strings"

	"propusk/server/account"
	"propusk/server/journal"
	"propusk/server/store"
	"propusk/server/visit"
)

// ErrCompromised means that an account has a certificate that its person has lost to somebody
// else and that has not expired: without the account it would register anew.
var ErrCompromised = errors.New("office: a compromised certificate of the account has not expired")

// Forgotten is what was destroyed, by number, for the act on that which the law asks for.
type Forgotten struct {
	// Account is empty if it was forgotten before.
	Account account.ID
	// Keys, Cards, Letters and Tickets are gone with all that belongs to them.
	Keys, Cards, Letters, Tickets int
	// Evidence is what the person had signed: destroyed, or kept.
	Evidence, Kept int
}

// Forget destroys what the store has about a person (GU-13; 152-ФЗ, articles 9 and 21), who
// may register anew then. The account must be closed, or rejected: the error is ErrState
// otherwise, and ErrCompromised while a compromised certificate is good elsewhere. What the
// person has signed is the evidence of a contract: it stays under the ID of the account, until
// Forget is called with evidence, for which the ID of an account that is forgotten already will
// do. The journal has a pseudonym, and stays as it is.
func (o Office) Forget(ctx context.Context, name string, evidence bool) (Forgotten, error) {
	a, err := o.Find(ctx, name)
	if errors.Is(err, ErrUnknown) && evidence {
		return o.forgetEvidence(ctx, account.ID(name))
	}
	if err != nil {
		return Forgotten{}, err
	}
	letters, tickets, err := o.written(ctx, a)
	if err != nil {
		return Forgotten{}, err
	}
	var f Forgotten
	err = o.Store.Update(ctx, func(tx store.Tx) error {
		now, err := tx.Account(a.ID)
		if err != nil {
			return err
		}
		if now.Version != a.Version {
			return store.ErrConflict
		}
		if f, err = o.forgettable(tx, a); err != nil {
			return err
		}
		f.Letters, f.Tickets = len(letters), len(tickets)
		for _, id := range letters {
			err = errors.Join(err, tx.DeleteLetter(id))
		}
		for _, number := range tickets {
			err = errors.Join(err, tx.DeleteTicket(number))
		}
		_, ended := visit.EndAllIn(tx, a.ID, "", o.Now()) // the gateway tells the services
		if err := errors.Join(err, ended, tx.DeleteAccount(a.ID)); err != nil {
			return err
		}
		detail := "by=" + o.By + " evidence=kept"
		if evidence {
			f.Evidence, f.Kept, detail = f.Kept, 0, "by="+o.By+" evidence=destroyed"
			if err := tx.DeleteEvidence(a.ID); err != nil {
				return err
			}
		}
		return tx.Note(journal.Event{At: o.Now(), Kind: journal.Account, Action: "account-forgotten", Detail: journal.Clean(detail)}, a.Identity)
	})
	if err != nil {
		return Forgotten{}, err
	}
	return f, nil
}

// forgettable counts what belongs to an account that may be forgotten.
func (o Office) forgettable(tx store.Tx, a account.Account) (Forgotten, error) {
	if a.State != account.Closed && a.State != account.Rejected {
		return Forgotten{}, ErrState
	}
	keys, errKeys := tx.Keys(a.ID)
	cards, errCards := tx.Cards(a.ID, store.MaxPage)
	evidence, errEvidence := tx.EvidenceOf(a.ID)
	for _, k := range keys {
		if k.State == account.CompromisedKey && o.Now().Before(k.NotAfter) {
			return Forgotten{}, ErrCompromised
		}
	}
	return Forgotten{Account: a.ID, Keys: len(keys), Cards: len(cards), Kept: len(evidence)}, errors.Join(errKeys, errCards, errEvidence)
}

// written finds the letters and tickets of a person. Those have no place of their own under
// his account, so all are looked through, while others write.
func (o Office) written(ctx context.Context, a account.Account) (letters, tickets []string, err error) {
	own := !a.EmailConfirmed.IsZero() // anybody may write an address that is not his
	err = o.Store.View(ctx, func(tx store.Tx) error {
		for before := ""; ; {
			page, err := tx.Letters(before, store.MaxPage)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			for _, l := range page {
				before = l.ID
				if l.Account == a.ID || own && l.Account == "" && strings.EqualFold(l.To.Reveal(), a.Email.Reveal()) {
					letters = append(letters, l.ID)
				}
			}
		}
		for before := ""; ; {
			page, err := tx.Tickets("", before, store.MaxPage)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				return nil
			}
			for _, t := range page {
				before = t.Number
				if t.Account == a.ID || own && t.Account == "" && strings.EqualFold(t.Email.Reveal(), a.Email.Reveal()) || t.Account == "" && t.INN == a.Identity.INN {
					tickets = append(tickets, t.Number)
				}
			}
		}
	})
	return letters, tickets, err
}

// forgetEvidence destroys what a person has signed whose account is forgotten.
func (o Office) forgetEvidence(ctx context.Context, id account.ID) (Forgotten, error) {
	var f Forgotten
	err := o.Store.Update(ctx, func(tx store.Tx) error {
		evidence, err := tx.EvidenceOf(id)
		if err != nil {
			return err
		}
		if len(evidence) == 0 {
			return ErrUnknown
		}
		f.Evidence = len(evidence)
		return tx.DeleteEvidence(id)
	})
	if err != nil {
		return Forgotten{}, err
	}
	return f, nil
}

// Evidence returns what a person has signed: by his ИНН, or by the ID of his account, which may
// be forgotten. The error is ErrUnknown, or that of the store.
func (o Office) Evidence(ctx context.Context, name string) ([]account.Evidence, error) {
	id := account.ID(name)
	a, err := o.Find(ctx, name)
	unknown := errors.Is(err, ErrUnknown)
	switch {
	case err == nil:
		id = a.ID
	case !unknown:
		return nil, err
	}
	var all []account.Evidence
	if err := o.Store.View(ctx, func(tx store.Tx) (err error) { all, err = tx.EvidenceOf(id); return err }); err != nil {
		return nil, err
	}
	if unknown && len(all) == 0 {
		return nil, ErrUnknown
	}
	return all, nil
}
