// Package visit keeps the visits of people: the session of one browser on the public host,
// with the level that was proven in it (requirements IP-08, BY-03 to BY-10).
//
// A visit is kept in the store under the SHA-256 of a cookie, which changes whenever the
// person proves something. Services know the visit by its SID, and are told when it is ended
// (OpenID Connect Back-Channel Logout 1.0).
package visit

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/level"
	"propusk/server/oidc"
	"propusk/server/session"
	"propusk/server/store"
)

// Cookie is the name of the cookie of a visit. Browsers take it from this very host only,
// over TLS; it ends with the browser (RFC 6265bis, Section 4.1.3.2).
const Cookie = "__Host-propusk-visit"

// Bounds of what is kept.
const (
	maxVisits  = 50  // of an account; the one that was not seen for longest ends
	maxClients = 64  // of a visit
	maxDevice  = 300 // bytes of what a browser calls itself
	// seenStep is how often it is written down that a visit was seen.
	seenStep = time.Minute
)

// Options is what a Keeper is made of. Only Ended may be left out.
type Options struct {
	// Store keeps the visits.
	Store store.Store
	// Now returns the time.
	Now func() time.Time
	// Life is how long a visit lasts at most, and Idle how long without a request.
	Life, Idle time.Duration
	// Ended is told of every visit that this Keeper has ended.
	Ended func(account.Visit)
}

// Keeper keeps visits. It is safe for concurrent use. Make it with New.
type Keeper struct {
	opts Options
	wake chan struct{} // a service is to be told
}

// New returns a Keeper.
func New(o Options) *Keeper { return &Keeper{opts: o, wake: make(chan struct{}, 1)} }

// How is how a person has proven who he is.
type How struct {
	// Account is whose visit it is.
	Account account.ID
	// Level and AMR (RFC 8176) are what was proven just now.
	Level level.Level
	AMR   []string
	// Login is the sign-in by a key, whose moment and certificate are kept. With a password
	// it is zero, and the moment is now.
	Login oidc.Login
	// Taxpayer becomes the active one; "" leaves the one that is.
	Taxpayer string
	// Still is asked in the transaction that begins the visit whether all this holds still, and
	// why not; nil is not asked.
	Still func(store.Tx, account.Account) error
}

// errNoVisit means that the browser has no visit that goes on.
var errNoVisit = errors.New("visit: there is none")

// digestOf returns the key of the visit of a browser.
func digestOf(r *http.Request) ([32]byte, bool) {
	cookies := r.CookiesNamed(Cookie)
	if len(cookies) != 1 { // two are somebody's trick
		return [32]byte{}, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cookies[0].Value)
	return sha256.Sum256([]byte(cookies[0].Value)), err == nil && len(raw) == sha256.Size
}

// kept returns the visit of a browser, and errNoVisit if there is none. It may rest: opens
// nothing because nobody was seen for long, but services know it still.
func (k *Keeper) kept(tx store.Tx, r *http.Request) (account.Visit, error) {
	key, ok := digestOf(r)
	if !ok {
		return account.Visit{}, errNoVisit
	}
	v, err := tx.Visit(key)
	if errors.Is(err, store.ErrNotFound) || err == nil && !k.opts.Now().Before(v.Until) {
		return account.Visit{}, errNoVisit
	}
	return v, err
}

// rests reports whether a visit opens nothing because nobody was seen for too long.
func (k *Keeper) rests(v account.Visit) bool { return k.opts.Now().Sub(v.Seen) >= k.opts.Idle }

// Kept returns the visit of a browser whether it opens anything or not, the zero one if there
// is none. The error is that of the store.
func (k *Keeper) Kept(r *http.Request) (v account.Visit, err error) {
	err = k.opts.Store.View(r.Context(), func(tx store.Tx) (err error) {
		v, err = k.kept(tx, r)
		return err
	})
	if errors.Is(err, errNoVisit) {
		return account.Visit{}, nil
	}
	return v, err
}

// of returns the visit of a browser with its account, and errNoVisit if there is none that
// goes on.
func (k *Keeper) of(tx store.Tx, r *http.Request) (account.Visit, account.Account, error) {
	v, err := k.kept(tx, r)
	if err != nil {
		return account.Visit{}, account.Account{}, err
	}
	a, err := tx.Account(v.Account)
	if err != nil {
		return account.Visit{}, account.Account{}, err
	}
	if k.rests(v) || a.State != account.Active {
		return account.Visit{}, account.Account{}, errNoVisit
	}
	return v, a, nil
}

// Of returns the visit of the browser of a request and its account, and false if there is
// none, it is over, its account may not be used, or the store does not answer.
func (k *Keeper) Of(r *http.Request) (account.Visit, account.Account, bool) {
	var v account.Visit
	var a account.Account
	err := k.opts.Store.View(r.Context(), func(tx store.Tx) (err error) {
		v, a, err = k.of(tx, r)
		return err
	})
	if err != nil {
		return account.Visit{}, account.Account{}, false
	}
	if k.opts.Now().Sub(v.Seen) < seenStep {
		return v, a, true
	}
	err = k.opts.Store.Update(r.Context(), func(tx store.Tx) (err error) {
		if v, a, err = k.of(tx, r); err != nil { // it may have been ended meanwhile
			return err
		}
		k.see(&v)
		return tx.PutVisit(v)
	})
	return v, a, err == nil
}

// see notes that a visit was seen. It is kept for its whole life, whoever is seen: services
// that know it are told when that is over, or when it is ended before.
func (k *Keeper) see(v *account.Visit) {
	v.Seen, v.Until = k.opts.Now(), v.Began.Add(k.opts.Life)
}

// Begin begins a visit in the browser of a request, or raises the one that it has: in either
// case under a new cookie, so that a cookie which somebody has put there, or has seen before,
// opens nothing. The visit of another account is left alone, and the error is
// [reason.VisitOtherAccount]: in mid-session nobody becomes somebody else. Other errors are
// those of the store, or say that the account is not [account.Active].
func (k *Keeper) Begin(ctx context.Context, w http.ResponseWriter, r *http.Request, how How) (account.Visit, error) {
	cookie := session.NewKey()
	var v account.Visit
	var dropped []account.Visit
	err := k.opts.Store.Update(ctx, func(tx store.Tx) (err error) {
		a, err := tx.Account(how.Account)
		if err != nil {
			return err
		}
		if how.Still != nil {
			if err := how.Still(tx, a); err != nil {
				return err
			}
		}
		if a.State != account.Active {
			return errNotActive
		}
		old, _, err := k.of(tx, r)
		switch {
		case errors.Is(err, errNoVisit):
			v, dropped, err = k.instead(tx, r, a)
		case err == nil && old.Account != how.Account:
			err = reason.Errorf(reason.VisitOtherAccount, "the browser has the visit of another account")
		case err == nil:
			v, err = old, tx.DeleteVisit(old.Key)
		}
		if err != nil {
			return err
		}
		v.Key = sha256.Sum256([]byte(cookie))
		if how.Taxpayer != "" {
			v.Taxpayer = how.Taxpayer
		}
		k.prove(&v, how)
		a.LastVisit = v.Seen
		// A registration that was left open on some computer opens nothing after this.
		return errors.Join(tx.PutAccount(&a), tx.DeleteSecrets(a.ID, account.ForRegistration), tx.PutVisit(v))
	})
	if err != nil {
		return account.Visit{}, err
	}
	k.tell(dropped)
	setCookie(w, cookie, 0)
	return v, nil
}

// instead returns a new visit in place of the one that rests in the browser, if one does. Of
// the same account it goes on under its names, because services know it by them; that of
// another account ends, because whoever sits there now is not to find the services of others.
func (k *Keeper) instead(tx store.Tx, r *http.Request, a account.Account) (account.Visit, []account.Visit, error) {
	old, err := k.kept(tx, r)
	switch {
	case errors.Is(err, errNoVisit):
		return k.fresh(tx, r, a)
	case err != nil:
		return account.Visit{}, nil, err
	case old.Account != a.ID:
		v, dropped, errFresh := k.fresh(tx, r, a)
		return v, append(dropped, old), errors.Join(EndIn(tx, old, k.opts.Now()), errFresh)
	}
	if err := tx.DeleteVisit(old.Key); err != nil {
		return account.Visit{}, nil, err
	}
	v, dropped, err := k.fresh(tx, r, a)
	v.Public, v.SID, v.Clients = old.Public, old.SID, old.Clients
	return v, dropped, err
}

// errNotActive is a mistake of the caller: who asks for a visit looks at the account before.
var errNotActive = errors.New("visit: the account may not be used")

// fresh returns a new visit, and ends the one that was not seen for longest if there are too
// many.
func (k *Keeper) fresh(tx store.Tx, r *http.Request, a account.Account) (account.Visit, []account.Visit, error) {
	now := k.opts.Now()
	var dropped []account.Visit
	others, err := tx.Visits(a.ID)
	for len(others) >= maxVisits && err == nil {
		last := others[len(others)-1]
		others, dropped = others[:len(others)-1], append(dropped, last)
		err = EndIn(tx, last, now)
	}
	v := account.Visit{
		Public: account.NewName(), SID: account.NewName(), Account: a.ID, Began: now,
		Address: addressOf(r), Device: DeviceOf(r),
	}
	if len(a.Taxpayers) > 0 {
		v.Taxpayer = a.Taxpayers[0].ID
	}
	return v, dropped, err
}

// prove notes what was proven just now.
func (k *Keeper) prove(v *account.Visit, how How) {
	k.see(v)
	at := how.Login.At
	if at.IsZero() {
		at = v.Seen
	}
	v.Proofs = level.Add(v.Proofs, level.Proof{Level: how.Level, AMR: slices.Clone(how.AMR), At: at})
	if how.Login.CertSHA256 != ([32]byte{}) {
		v.KeyAt, v.CertSHA256 = at, how.Login.CertSHA256
	} else {
		v.PasswordAt = at
	}
	if best, ok := (level.Need{}).Best(v.Proofs); ok {
		v.Level, v.AMR, v.AuthTime = best.Level, best.AMR, best.At
	}
}

// SetTaxpayer makes one of the account's taxpayers the active one of the browser's visit
// (BY-09). The error is [reason.VisitOver] if there is no visit or no such taxpayer.
func (k *Keeper) SetTaxpayer(r *http.Request, taxpayer string) error {
	return k.opts.Store.Update(r.Context(), func(tx store.Tx) error {
		v, a, err := k.of(tx, r)
		if err == nil {
			if _, ok := a.Taxpayer(taxpayer); !ok {
				err = errNoVisit
			}
		}
		if errors.Is(err, errNoVisit) {
			return reason.New(reason.VisitOver, err)
		}
		if err != nil {
			return err
		}
		v.Taxpayer = taxpayer
		return tx.PutVisit(v)
	})
}

// Login returns a visit as package oidc knows it: what [oidc.Provider.Grant] is called with
// after Begin.
func (k *Keeper) Login(v account.Visit, a account.Account) oidc.Login {
	who := oidc.Login{
		Identity: a.Identity, CertSHA256: v.CertSHA256, At: v.AuthTime, Level: v.Level, AMR: v.AMR, Proofs: v.Proofs,
		Account: string(a.ID), SID: v.SID,
	}
	if !a.EmailConfirmed.IsZero() {
		who.Identity.Email, who.EmailVerified = a.Email, true
	}
	if t, ok := a.Taxpayer(v.Taxpayer); ok {
		who.Taxpayer = &oidc.Taxpayer{Kind: t.Kind, INN: t.INN, INNLE: t.INNLE, OGRN: t.OGRN, OGRNIP: t.OGRNIP, Name: t.Name}
	}
	return who
}

// Who returns who visits by the browser of a request: what package oidc asks.
func (k *Keeper) Who(r *http.Request) (oidc.Login, bool) {
	v, a, ok := k.Of(r)
	if !ok {
		return oidc.Login{}, false
	}
	return k.Login(v, a), true
}

// Granted notes that a service learns of a visit, to be told of its end. The error is
// [reason.VisitOver] if the visit has ended meanwhile.
func (k *Keeper) Granted(ctx context.Context, who oidc.Login, clientID string) error {
	note := func(tx store.Tx) error {
		v, err := k.named(tx, who)
		if err != nil || slices.Contains(v.Clients, clientID) {
			return err
		}
		if len(v.Clients) >= maxClients {
			return reason.Errorf(reason.ServerBusy, "a visit to more than %d services", maxClients)
		}
		v.Clients = append(v.Clients, clientID)
		return tx.PutVisit(v)
	}
	// Mostly it is noted already, and nothing need be written.
	if err := k.opts.Store.View(ctx, note); !errors.Is(err, store.ErrReadOnly) {
		return err
	}
	return k.opts.Store.Update(ctx, note)
}

// named returns the visit that somebody has come by, if it goes on.
func (k *Keeper) named(tx store.Tx, who oidc.Login) (account.Visit, error) {
	a, err := tx.Account(account.ID(who.Account))
	if errors.Is(err, store.ErrNotFound) || err == nil && a.State != account.Active {
		return account.Visit{}, reason.Errorf(reason.VisitOver, "the account may not be used")
	}
	if err != nil {
		return account.Visit{}, err
	}
	visits, err := tx.Visits(a.ID)
	if err != nil {
		return account.Visit{}, err
	}
	i := slices.IndexFunc(visits, func(v account.Visit) bool { return v.SID == who.SID })
	if i < 0 || !k.opts.Now().Before(visits[i].Until) {
		return account.Visit{}, reason.Errorf(reason.VisitOver, "the visit has ended")
	}
	return visits[i], nil
}

// addressOf returns where a request comes from, as the person is to recognise it.
func addressOf(r *http.Request) person.Private {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return person.NewPrivate("")
	}
	return person.NewPrivate(host)
}

// DeviceOf returns what the browser calls itself, cut and cleaned of what is not text.
func DeviceOf(r *http.Request) person.Private {
	name := r.UserAgent()
	for len(name) > maxDevice {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	clean := make([]rune, 0, len(name))
	for _, c := range name {
		if c >= ' ' && c != 0x7f && c != utf8.RuneError {
			clean = append(clean, c)
		}
	}
	return person.NewPrivate(string(clean))
}

// setCookie sets the cookie, or removes it when maxAge is negative.
func setCookie(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: Cookie, Value: value, Path: "/", MaxAge: maxAge, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
