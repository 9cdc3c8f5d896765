package admission

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/mail"
	"propusk/server/store"
	"propusk/server/visit"
)

// Keys of an account are changed by the following, each within a transaction of the caller,
// who has made sure that the person wants it. Errors are those of the store, ErrNotFound
// meaning that the account has no such key.

// RemoveKey takes a certificate out of an account: it signs in no more, until RestoreKey. Visits that began by it end; those are returned.
func (a *Admission) RemoveKey(tx store.Tx, r *http.Request, acc account.Account, sha256 [32]byte) ([]account.Visit, error) {
	key, err := ownKey(tx, acc, sha256)
	if err != nil {
		return nil, err
	}
	key.State, key.Changed = account.RemovedKey, a.opts.Now()
	if err := tx.PutKey(key); err != nil {
		return nil, err
	}
	e := a.Event(r, "key-removed")
	e.Certificate = sha256
	if err := tx.Note(e, acc.Identity); err != nil {
		return nil, err
	}
	return a.endBy(tx, acc, [][32]byte{sha256})
}

// RestoreKey lets a certificate sign in again that RemoveKey took out. The error is
// [reason.AccountKeyReused] if the key was given up since, with another certificate.
func (a *Admission) RestoreKey(tx store.Tx, r *http.Request, acc account.Account, sha256 [32]byte) error {
	key, err := tx.Key(sha256)
	if err == nil && (key.Account != acc.ID || key.State != account.RemovedKey) {
		err = store.ErrNotFound
	}
	if err != nil {
		return err
	}
	cert, err := gostx509.Parse(key.DER)
	if err != nil {
		return err
	}
	keys, err := tx.Keys(acc.ID)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.State == account.CompromisedKey && sameKey(k.DER, cert) {
			return reason.AccountKeyReused
		}
	}
	key.State, key.Changed = account.GoodKey, time.Time{}
	e := a.Event(r, "key-restored")
	e.Certificate = sha256
	return errors.Join(tx.PutKey(key), tx.Note(e, acc.Identity))
}

// ownKey returns a key of an account that signs in.
func ownKey(tx store.Tx, acc account.Account, sha256 [32]byte) (account.Key, error) {
	key, err := tx.Key(sha256)
	if err == nil && (key.Account != acc.ID || key.State != account.GoodKey) {
		err = store.ErrNotFound
	}
	return key, err
}

// LoseKey notes that others have got a key (IP-31): from now on it opens nothing, nor does any
// other certificate for it. Visits that began by it end; those are returned.
func (a *Admission) LoseKey(tx store.Tx, r *http.Request, acc account.Account, sha256 [32]byte) ([]account.Visit, error) {
	key, err := ownKey(tx, acc, sha256)
	if err != nil {
		return nil, err
	}
	cert, err := gostx509.Parse(key.DER)
	if err != nil {
		return nil, err
	}
	keys, err := tx.Keys(acc.ID)
	if err != nil {
		return nil, err
	}
	return a.lose(tx, r, acc, slices.DeleteFunc(keys, func(k account.Key) bool { return !sameKey(k.DER, cert) }))
}

// LoseAll notes that others have got all keys of an account. The account lets nobody in until
// the person comes with a certificate that is newer than this moment, for a new key, or until
// an operator opens it. All visits end; those are returned.
func (a *Admission) LoseAll(tx store.Tx, r *http.Request, acc account.Account) ([]account.Visit, error) {
	keys, err := tx.Keys(acc.ID)
	if err != nil {
		return nil, err
	}
	ended, err := a.lose(tx, r, acc, keys)
	if err != nil {
		return nil, err
	}
	acc.State, acc.Why, acc.KeysLost = account.Compromised, reason.AccountKeysCompromised, a.opts.Now()
	if err := tx.PutAccount(&acc); err != nil {
		return nil, err
	}
	others, err := visit.EndAllIn(tx, acc.ID, "", a.opts.Now())
	return append(ended, others...), err
}

// lose gives keys up, those that were removed before included.
func (a *Admission) lose(tx store.Tx, r *http.Request, acc account.Account, keys []account.Key) ([]account.Visit, error) {
	// Whoever has the key may have asked for a link to an address of his own.
	if err := tx.DeleteSecrets(acc.ID, account.ForEmail); err != nil {
		return nil, err
	}
	var lost [][32]byte
	for _, k := range keys {
		if k.State == account.CompromisedKey {
			continue
		}
		k.State, k.Changed = account.CompromisedKey, a.opts.Now()
		lost = append(lost, k.SHA256)
		if err := tx.PutKey(k); err != nil {
			return nil, err
		}
		e := a.Event(r, "key-compromised")
		e.Certificate = k.SHA256
		if err := tx.Note(e, acc.Identity); err != nil {
			return nil, err
		}
		if acc.EmailConfirmed.IsZero() {
			continue
		}
		letter := a.opts.Mail.KeyCompromised(To(acc), a.opts.Now(), mail.KeyCompromised{Device: a.Device(r), SHA256: k.SHA256})
		if err := tx.PutLetter(letter); err != nil {
			return nil, err
		}
	}
	return a.endBy(tx, acc, lost)
}

// endBy ends the visits that began by one of the certificates.
func (a *Admission) endBy(tx store.Tx, acc account.Account, certificates [][32]byte) ([]account.Visit, error) {
	return a.endThose(tx, acc, func(v account.Visit) bool { return slices.Contains(certificates, v.CertSHA256) })
}

// endThose ends the visits of an account that match, and returns them.
func (a *Admission) endThose(tx store.Tx, acc account.Account, match func(account.Visit) bool) ([]account.Visit, error) {
	visits, err := tx.Visits(acc.ID)
	if err != nil {
		return nil, err
	}
	var ended []account.Visit
	for _, v := range visits {
		if !match(v) {
			continue
		}
		if err := visit.EndIn(tx, v, a.opts.Now()); err != nil {
			return nil, err
		}
		ended = append(ended, v)
	}
	return ended, nil
}

// Block blocks an account at the wish of its person (IP-30); only an operator opens it again.
// All visits end; those are returned.
func (a *Admission) Block(tx store.Tx, r *http.Request, acc account.Account) ([]account.Visit, error) {
	acc.State, acc.Why = account.Blocked, reason.AccountBlockedBySelf
	if err := tx.PutAccount(&acc); err != nil {
		return nil, err
	}
	if err := tx.Note(a.Event(r, "blocked"), acc.Identity); err != nil {
		return nil, err
	}
	if !acc.EmailConfirmed.IsZero() {
		if err := tx.PutLetter(a.opts.Mail.Blocked(To(acc), a.opts.Now(), mail.Blocked{At: a.opts.Now(), BySelf: true})); err != nil {
			return nil, err
		}
	}
	return visit.EndAllIn(tx, acc.ID, "", a.opts.Now())
}
