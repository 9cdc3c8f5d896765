package admission

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/level"
	"propusk/server/oidc"
	"propusk/server/store"
)

// meddler does something between the decision about a key and the beginning of a visit, as
// another browser may.
type meddler struct {
	*world
	then func()
}

func (m *meddler) Known(r *http.Request, login string) bool {
	if m.then != nil {
		then := m.then
		m.then = nil
		then()
	}
	return m.world.Known(r, login)
}

// TestGivenUpMeanwhile: whoever is on the way in with a key when it is given up does not arrive;
// nor does he when the account is blocked.
func TestGivenUpMeanwhile(t *testing.T) {
	for code, do := range map[reason.Code]func(w *world, tx store.Tx, acc account.Account, key [32]byte) error{
		reason.AccountKeyCompromised: func(w *world, tx store.Tx, acc account.Account, key [32]byte) error {
			_, err := w.a.LoseKey(tx, w.request(), acc, key)
			return err
		},
		reason.AccountKeyRemoved: func(w *world, tx store.Tx, acc account.Account, key [32]byte) error {
			_, err := w.a.RemoveKey(tx, w.request(), acc, key)
			return err
		},
		reason.AccountBlockedBySelf: func(w *world, tx store.Tx, acc account.Account, _ [32]byte) error {
			_, err := w.a.Block(tx, w.request(), acc)
			return err
		},
	} {
		w := newWorld(t)
		acc := w.open()
		login := w.login(someone(t, person.Entrepreneur))
		w.key(login)
		w.entered(level.QES)
		w.leave()
		w.a.opts.Devices = &meddler{w, func() {
			w.update(func(tx store.Tx) error { return do(w, tx, w.account2(tx, acc.ID), login.CertSHA256) })
		}}
		w.key(login)
		w.refused(code)
		w.update(func(tx store.Tx) error {
			visits, err := tx.Visits(acc.ID)
			if len(visits) != 0 {
				t.Errorf("%s: %d visits go on", code, len(visits))
			}
			return err
		})
	}
}

// TestTaxpayerMeanwhile: who turns his visit to an enterprise that has ended while he proves
// another key does not get further as one than by the key of the enterprise.
func TestTaxpayerMeanwhile(t *testing.T) {
	w := newWorld(t)
	himself := account.TaxpayerOf(someone(t, person.Person))
	acc := w.open(func(a *account.Account) {
		a.Closed = w.now.AddDate(0, -1, 0)
		a.Taxpayers = append(a.Taxpayers, himself)
	})
	key := w.login(someone(t, person.Entrepreneur))
	w.key(key)
	w.entered(level.TwoFactor)
	w.update(func(tx store.Tx) error { return turn(tx, acc, himself.ID) })
	w.a.opts.Devices = &meddler{w, func() {
		w.update(func(tx store.Tx) error { return turn(tx, acc, acc.Taxpayers[0].ID) })
	}}
	w.key(w.login(someone(t, person.Person)))
	if got := w.entered(level.QES); got.Taxpayer.Kind != person.Person {
		t.Errorf("acts as %s at level %s", got.Taxpayer.Kind, got.Level)
	}
}

// turn makes another taxpayer active in all visits of an account.
func turn(tx store.Tx, acc account.Account, taxpayer string) error {
	visits, err := tx.Visits(acc.ID)
	for _, v := range visits {
		if err == nil {
			v.Taxpayer = taxpayer
			err = tx.PutVisit(v)
		}
	}
	return err
}

// TestClosedInMidVisit (IP-29): when the register tells of the end of an enterprise, the visits
// end that act for it at a level which it does not reach any more, and those go on that act for
// the person; also the browser that has learnt of it gets no further.
func TestClosedInMidVisit(t *testing.T) {
	w := newWorld(t)
	acc := w.open()
	enterprise, himself := w.login(someone(t, person.Entrepreneur)), w.login(someone(t, person.Person))
	w.key(enterprise) // another browser, as an entrepreneur
	w.entered(level.QES)
	w.leave()
	w.key(himself) // and another, as himself
	kept := w.entered(level.QES)
	w.leave()
	w.key(enterprise)
	w.entered(level.QES)
	var ended []account.Visit
	w.update(func(tx store.Tx) (err error) { ended, err = tx.Visits(acc.ID); return err })
	w.ended = enterpriseAnswer{at: w.now.AddDate(0, -1, 0)}
	w.key(enterprise) // once more in the same browser
	got := w.entered(level.TwoFactor)
	w.update(func(tx store.Tx) error {
		visits, err := tx.Visits(acc.ID)
		if len(ended) != 3 || len(visits) != 2 {
			t.Errorf("%d visits before, %d after", len(ended), len(visits))
		}
		for _, v := range visits {
			if v.SID != kept.SID && v.SID != got.SID || v.SID == got.SID && v.Level != level.TwoFactor {
				t.Errorf("a visit goes on at level %s", v.Level)
			}
		}
		return err
	})
}

// TestLostAllOnceMore (IP-31): what counts is when the person said last that all is lost, also
// if all keys that the gateway knows were given up long before.
func TestLostAllOnceMore(t *testing.T) {
	w := newWorld(t)
	acc := w.open()
	login := w.login(someone(t, person.Entrepreneur))
	w.key(login)
	w.update(func(tx store.Tx) error {
		_, err := w.a.LoseKey(tx, w.request(), w.account2(tx, acc.ID), login.CertSHA256)
		return err
	})
	stolen := w.certify(someone(t, person.Entrepreneur), newKeyPair(t), w.now.Add(24*time.Hour)) // got since, and not used yet
	w.now = w.now.Add(48 * time.Hour)
	w.update(func(tx store.Tx) error {
		_, err := w.a.LoseAll(tx, w.request(), w.account2(tx, acc.ID))
		return err
	})
	w.leave()
	w.key(stolen)
	w.refused(reason.AccountKeyOld)
	w.now = w.now.Add(time.Hour)
	w.key(w.certify(someone(t, person.Entrepreneur), newKeyPair(t), w.now))
	w.entered(level.QES)
}

// TestRenewedName (IP-24): somebody who is called otherwise since is so in his account, and the
// certificate with the old name, which may be used still, changes that no more. sub stays.
func TestRenewedName(t *testing.T) {
	w := newWorld(t)
	acc := w.open()
	old := w.login(someone(t, person.Entrepreneur))
	w.key(old)
	who := someone(t, person.Entrepreneur)
	who.Name = person.NewName("Новая Пример Примерович")
	renewed := w.certify(who, newKeyPair(t), w.now)
	w.key(renewed)
	older := w.certify(someone(t, person.Entrepreneur), newKeyPair(t), w.now.AddDate(0, -1, 0))
	for _, login := range []oidc.Login{old, older, renewed} {
		w.leave()
		w.key(login)
		got := w.entered(level.QES)
		if got.Identity.Name != who.Name || got.Taxpayer.Name != who.Name {
			t.Errorf("called %s, taxpayer %s", got.Identity.Name.Reveal(), got.Taxpayer.Name.Reveal())
		}
		if got.Identity.INN != acc.Identity.INN || got.Identity.Kind != acc.Identity.Kind {
			t.Errorf("identity %+v", got.Identity)
		}
	}
}

// TestRestoreKey: a certificate that was taken out signs in again when it is put back; one that
// is good is not put back, nor that of another account, nor one for a key that others have.
func TestRestoreKey(t *testing.T) {
	w := newWorld(t)
	acc := w.open()
	pair := newKeyPair(t)
	removed := w.certify(someone(t, person.Entrepreneur), pair, w.now.Add(-time.Hour))
	other := w.certify(someone(t, person.Entrepreneur), pair, w.now.Add(-2*time.Hour)) // for the same key
	w.key(removed)
	w.key(other)
	w.entered(level.QES)
	restore := func(acc account.Account) error {
		return w.store.Update(t.Context(), func(tx store.Tx) error { return w.a.RestoreKey(tx, w.request(), acc, removed.CertSHA256) })
	}
	if err := restore(acc); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a good certificate: %v", err)
	}
	w.update(func(tx store.Tx) error {
		_, err := w.a.RemoveKey(tx, w.request(), w.account2(tx, acc.ID), removed.CertSHA256)
		return err
	})
	if err := restore(account.Account{ID: account.NewID()}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("that of another: %v", err)
	}
	w.leave()
	w.key(removed)
	w.refused(reason.AccountKeyRemoved)
	w.notes()
	if err := restore(acc); err != nil {
		t.Fatal(err)
	}
	w.wantNote("key-restored", "")
	w.key(removed)
	w.entered(level.QES)
	w.update(func(tx store.Tx) error {
		now := w.account2(tx, acc.ID)
		if _, err := w.a.RemoveKey(tx, w.request(), now, removed.CertSHA256); err != nil {
			return err
		}
		key, err := tx.Key(other.CertSHA256)
		key.State = account.CompromisedKey
		return errors.Join(err, tx.PutKey(key))
	})
	if err := restore(acc); !errors.Is(err, reason.AccountKeyReused) {
		t.Errorf("a key that others have: %v", err)
	}
}
