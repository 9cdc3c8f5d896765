package login

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"

	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/session"
	"propusk/server/store"
)

// waitCookie is the cookie of a sign-in that waits for its next step.
const waitCookie = "__Host-propusk-signin"

// purposeWait is that of the secrets that are waiting sign-ins.
const purposeWait = account.ForSignIn

// maxWrong is how many codes one sign-in may get wrong.
const maxWrong = 5

// maxWaiting is how many sign-ins of an account wait at a time: whoever has its password cannot
// fill the store with them.
const maxWaiting = 20

// waiting is a sign-in whose password was right.
type waiting struct {
	// Request is the sealed request that it is for.
	Request string `json:"request"`
	// Change tells that a first password has to be changed.
	Change bool `json:"change,omitempty"`
	// Second tells that a second factor is wanted, and Passed that it was there.
	Second bool `json:"second,omitempty"`
	Passed bool `json:"passed,omitempty"`
	// Raise tells that the password was proven earlier, in the visit of the browser, which must
	// go on.
	Raise bool `json:"raise,omitempty"`
	// Sent tells that a code went out by e-mail.
	Sent bool `json:"sent,omitempty"`

	secret account.Secret
}

// digest names a waiting sign-in in the store.
func digest(cookie string) [32]byte { return sha256.Sum256([]byte(cookie)) }

// fresh returns a sign-in of an account that will wait, and the cookie of its browser.
func (l *Login) fresh(id account.ID, wait waiting) (waiting, string) {
	cookie := session.NewKey()
	now := l.opts.Now()
	wait.secret = account.Secret{Digest: digest(cookie), Purpose: purposeWait, Account: id, Created: now, Expires: now.Add(l.opts.WaitLife)}
	return wait, cookie
}

// begin writes a sign-in that begins to wait. Of one account not many do: if there are more, the
// oldest end.
func (l *Login) begin(tx store.Tx, wait waiting) error {
	all, err := tx.Secrets(wait.secret.Account, purposeWait)
	if err != nil {
		return err
	}
	for i := maxWaiting - 1; i < len(all); i++ { // the last created first
		if _, err := tx.TakeSecret(purposeWait, all[i].Digest, all[i].Created); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return l.keep(tx, wait)
}

// keep writes a waiting sign-in.
func (l *Login) keep(tx store.Tx, wait waiting) error {
	data, err := json.Marshal(wait)
	if err != nil {
		panic("login: a waiting sign-in does not encode: " + err.Error())
	}
	wait.secret.Data = data
	return tx.PutSecret(wait.secret)
}

// waits returns the sign-in of a browser and its account. The error has the reason
// [reason.LoginExpired] if there is none.
func (l *Login) waits(tx store.Tx, r *http.Request) (waiting, account.Account, error) {
	cookies := r.CookiesNamed(waitCookie)
	if len(cookies) != 1 {
		return waiting{}, account.Account{}, reason.LoginExpired
	}
	wait, err := l.kept(tx, digest(cookies[0].Value))
	if err != nil {
		return waiting{}, account.Account{}, err
	}
	a, err := tx.Account(wait.secret.Account)
	return wait, a, err
}

// kept returns a sign-in as it is in the store. The error has the reason [reason.LoginExpired] if
// it is not there.
func (l *Login) kept(tx store.Tx, digest [32]byte) (waiting, error) {
	s, err := tx.Secret(purposeWait, digest, l.opts.Now())
	if errors.Is(err, store.ErrNotFound) {
		err = reason.LoginExpired
	}
	if err != nil {
		return waiting{}, err
	}
	wait := waiting{secret: s}
	if err := json.Unmarshal(s.Data, &wait); err != nil {
		return waiting{}, reason.New(reason.LoginExpired, err)
	}
	return wait, nil
}

// end uses a sign-in up. The error has the reason [reason.LoginExpired] if somebody else has.
func (l *Login) end(tx store.Tx, wait waiting) error {
	_, err := tx.TakeSecret(purposeWait, wait.secret.Digest, l.opts.Now())
	if errors.Is(err, store.ErrNotFound) {
		return reason.LoginExpired
	}
	return err
}

// setCookie sets the cookie of a waiting sign-in, or removes it when maxAge is negative.
func setCookie(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: waitCookie, Value: value, Path: "/", MaxAge: maxAge, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
