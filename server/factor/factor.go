// Package factor keeps second factors (GU-01, GU-02): codes of an application (TOTP, RFC
// 6238), recovery codes on paper, and codes by e-mail. Each code is good once.
//
// Methods work within a transaction of the caller, who counts attempts (package throttle)
// and decides what a right code is good for. A wrong code is a result and not an error: the
// transaction must be committed, because it has counted. Nothing here writes letters or the
// journal.
package factor

import (
	"slices"
	"time"

	"propusk/server/account"
	"propusk/server/store"
)

// Options is what a Keeper needs.
type Options struct {
	// Sealer seals secrets and keys the digests of codes.
	Sealer *account.Sealer
	// Issuer is what applications call the gateway, such as "Propusk".
	Issuer string
	// Now returns the time.
	Now func() time.Time
	// CodeLife is how long a code by e-mail is good; zero is 10 minutes.
	CodeLife time.Duration
}

// Keeper keeps factors. It is safe for concurrent use. Make it with New.
type Keeper struct{ opts Options }

// New returns a Keeper.
func New(o Options) *Keeper {
	if o.CodeLife <= 0 {
		o.CodeLife = 10 * time.Minute
	}
	return &Keeper{o}
}

// Set is what an account has.
type Set struct {
	// TOTP is whether there is an application, Email whether codes by e-mail were asked for.
	TOTP, Email bool
	// Recovery is how many recovery codes are left.
	Recovery int
}

// Any reports whether a sign-in by password needs a second factor.
func (s Set) Any() bool { return s.TOTP || s.Email }

// Of returns what an account has.
func (k *Keeper) Of(tx store.Tx, id account.ID) (Set, error) {
	all, err := tx.Factors(id)
	if err != nil {
		return Set{}, err
	}
	var s Set
	for _, f := range all {
		switch {
		case f.Confirmed.IsZero():
		case f.Kind == account.TOTP:
			s.TOTP = true
		case f.Kind == account.EmailCode:
			s.Email = true
		case f.Kind == account.Recovery:
			s.Recovery = len(f.Sealed) / digestSize
		}
	}
	return s, nil
}

// SetEmail says whether sign-ins by password need a code by e-mail when there is no
// application.
func (k *Keeper) SetEmail(tx store.Tx, id account.ID, on bool) error {
	if err := k.remove(tx, id, account.EmailCode); err != nil || !on {
		return err
	}
	now := k.opts.Now()
	return tx.PutFactor(account.Factor{Account: id, ID: account.NewName(), Kind: account.EmailCode, Added: now, Confirmed: now})
}

// remove forgets all factors of some kinds.
func (k *Keeper) remove(tx store.Tx, id account.ID, kinds ...string) error {
	return k.forget(tx, id, func(f account.Factor) bool { return slices.Contains(kinds, f.Kind) })
}

// forget forgets the factors that match.
func (k *Keeper) forget(tx store.Tx, id account.ID, match func(account.Factor) bool) error {
	all, err := tx.Factors(id)
	if err != nil {
		return err
	}
	for _, f := range all {
		if !match(f) {
			continue
		}
		if err := tx.DeleteFactor(id, f.ID); err != nil {
			return err
		}
	}
	return nil
}

// find returns the confirmed factor of a kind, and false if there is none.
func (k *Keeper) find(tx store.Tx, id account.ID, kind string) (account.Factor, bool, error) {
	all, err := tx.Factors(id)
	if err != nil {
		return account.Factor{}, false, err
	}
	for _, f := range all {
		if f.Kind == kind && !f.Confirmed.IsZero() {
			return f, true, nil
		}
	}
	return account.Factor{}, false, nil
}
