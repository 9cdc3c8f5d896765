package admission

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/journal"
	"propusk/server/mail"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/request"
	"propusk/server/store"
	"propusk/server/visit"
)

// The ways on for who has proven a key.
const (
	refusing  = iota // the zero value lets nobody in
	beginning        // to registration
	awaiting         // to the page of an account that waits
	entering
)

// decision is what becomes of a sign-in by key.
type decision struct {
	next    int
	refused reason.Code
	facts   []page.Fact
	account account.Account
	// taxpayer is the one of the account that the certificate names.
	taxpayer string
	// ended are visits that go on no longer.
	ended []account.Visit
}

// attempt is a sign-in by key.
type attempt struct {
	who  oidc.Login
	cert *gostx509.Certificate
	seen enterprise
	at   time.Time
}

// decide tells the way of a sign-in by key within a transaction. A refusal is no error: what
// is to be known about it is written.
func (a *Admission) decide(tx store.Tx, r *http.Request, t attempt) (decision, error) {
	acc, key, err := find(tx, t.who)
	if errors.Is(err, store.ErrNotFound) {
		return decision{next: beginning}, nil
	}
	if err != nil {
		return decision{}, err
	}
	keys, err := tx.Keys(acc.ID)
	if err != nil {
		return decision{}, err
	}
	code := reason.Code("")
	if key == nil {
		code = newKey(acc, keys, t)
	} else {
		code = knownKey(*key)
	}
	if code != "" {
		return a.refused(tx, r, acc, t, code)
	}
	if acc.State == account.Awaiting || acc.State == account.Pending {
		// The key is bound when the account is opened, or at the first sign-in behind that.
		return decision{next: awaiting, account: acc}, nil
	}
	opened, err := open(tx, &acc, key)
	if err != nil {
		return decision{}, err
	}
	if code := Check(acc); code != nil {
		return a.refused(tx, r, acc, t, Code(code))
	}
	d := decision{next: entering}
	closed := acc.Closed
	if d.taxpayer, err = a.bind(tx, r, &acc, key, keys, t, opened); err != nil {
		return decision{}, err
	}
	if !acc.Closed.Equal(closed) {
		d.ended, err = a.endBeyond(tx, acc)
	}
	d.account = acc
	return d, err
}

// endBeyond ends the visits that have come further than their taxpayer reaches now (IP-29), and
// returns them.
func (a *Admission) endBeyond(tx store.Tx, acc account.Account) ([]account.Visit, error) {
	return a.endThose(tx, acc, func(v account.Visit) bool {
		t, _ := acc.Taxpayer(v.Taxpayer)
		reach, err := a.Reach(acc, t.Kind, a.opts.Now())
		return err != nil || v.Level > reach
	})
}

// find returns the account of a person with the key that he has proven, which is nil if it is
// not bound. A key belongs to one account for ever, whatever else its certificate says.
func find(tx store.Tx, who oidc.Login) (account.Account, *account.Key, error) {
	key, err := tx.Key(who.CertSHA256)
	if err == nil {
		acc, err := tx.Account(key.Account)
		return acc, &key, err
	}
	if !errors.Is(err, store.ErrNotFound) {
		return account.Account{}, nil, err
	}
	if who.Identity.INN.IsZero() { // registration asks for it
		return account.Account{}, nil, store.ErrNotFound
	}
	acc, err := tx.AccountByINN(who.Identity.INN)
	return acc, nil, err
}

// knownKey returns why a key that is bound does not sign in; empty if it does.
func knownKey(k account.Key) reason.Code {
	switch k.State {
	case account.GoodKey:
		return ""
	case account.RemovedKey:
		return reason.AccountKeyRemoved
	}
	return reason.AccountKeyCompromised
}

// newKey returns why a key that is not bound must not be bound to an account; empty if it may.
func newKey(acc account.Account, keys []account.Key, t attempt) reason.Code {
	if !same(acc.Identity, t.who.Identity) {
		return reason.AccountIdentity
	}
	for _, k := range keys {
		if k.State == account.CompromisedKey && sameKey(k.DER, t.cert) {
			return reason.AccountKeyReused
		}
	}
	// Who has taken all keys may have taken one that we have not seen, and may wait with it until
	// the account is open again. The certificate of a key that is got now is newer than that.
	if !acc.KeysLost.IsZero() && !t.cert.NotBefore.After(acc.KeysLost) {
		return reason.AccountKeyOld
	}
	return ""
}

// sameKey reports whether two certificates are for the same key.
func sameKey(der []byte, cert *gostx509.Certificate) bool {
	other, err := gostx509.Parse(der)
	if err != nil {
		return true // bound once, not to be read now: nothing can be said for the new one
	}
	type equaler interface{ Equal(crypto.PublicKey) bool }
	key, ok := cert.PublicKey.(equaler)
	return bytes.Equal(other.RawSPKI, cert.RawSPKI) || ok && key.Equal(other.PublicKey)
}

// open makes an account active again that a key opens: one whose first password was not
// changed in time (DOMAIN 7.4, row 39), and one that has lost all its keys, for a new one
// that newKey lets through. It reports whether it did. The first password stays void.
func open(tx store.Tx, acc *account.Account, key *account.Key) (bool, error) {
	card := acc.State == account.Blocked && acc.Why == reason.AccountCardExpired
	renewed := acc.State == account.Compromised && key == nil
	if !card && !renewed {
		return false, nil
	}
	if card {
		if err := tx.DeletePassword(acc.ID); err != nil {
			return false, err
		}
	}
	acc.State, acc.Why = account.Active, ""
	return true, nil
}

// bind notes that a key is used, and binds it before if it is a new one (IP-24): the agreement
// stays in force, the person is told. It returns the taxpayer of the account that the
// certificate names.
func (a *Admission) bind(tx store.Tx, r *http.Request, acc *account.Account, key *account.Key, keys []account.Key, t attempt, opened bool) (string, error) {
	bound := key == nil
	if bound {
		key = &account.Key{
			SHA256: t.who.CertSHA256, Account: acc.ID, DER: t.who.Certificate, NotAfter: t.cert.NotAfter,
			Bound: t.at, State: account.GoodKey, Kind: t.who.Identity.Kind,
		}
	}
	key.LastUsed = t.at
	if err := tx.PutKey(*key); err != nil {
		return "", err
	}
	taxpayer, changed := learn(acc, t, bound && newest(t.cert, keys))
	if changed || opened {
		if err := tx.PutAccount(acc); err != nil {
			return "", err
		}
	}
	if opened {
		if err := tx.Note(a.event(r, "account-opened", t), acc.Identity); err != nil {
			return "", err
		}
	}
	if bound {
		return taxpayer, a.tellBound(tx, r, *acc, keys, t)
	}
	return taxpayer, nil
}

// newest reports whether a certificate is no older than any of an account.
func newest(cert *gostx509.Certificate, keys []account.Key) bool {
	return !slices.ContainsFunc(keys, func(k account.Key) bool {
		other, err := gostx509.Parse(k.DER)
		return err == nil && other.NotBefore.After(cert.NotBefore)
	})
}

// learn adds to an account what the certificate of its person says beyond what is known, and
// returns the taxpayer that the certificate names. A renewed certificate tells what somebody
// is called now; the older ones, which may be used for months yet, do not.
func learn(acc *account.Account, t attempt, renewed bool) (taxpayer string, changed bool) {
	who := t.who.Identity
	if acc.Identity.SNILS.IsZero() && !who.SNILS.IsZero() {
		acc.Identity.SNILS, changed = who.SNILS, true
	}
	if !who.Name.IsZero() && who.Name != acc.Identity.Name && (renewed || acc.Identity.Name.IsZero()) {
		acc.Identity.Name, changed = who.Name, true
	}
	if t.seen.known && !t.seen.ended.Equal(acc.Closed) {
		acc.Closed, changed = t.seen.ended, true
	}
	who.INN = acc.Identity.INN // a certificate from before 2015 may lack it (IP-12)
	named := account.TaxpayerOf(who)
	i := slices.IndexFunc(acc.Taxpayers, named.Same)
	if i < 0 {
		acc.Taxpayers = append(acc.Taxpayers, named)
		return named.ID, true
	}
	if !named.Name.IsZero() && named.Name != acc.Taxpayers[i].Name && (renewed || acc.Taxpayers[i].Name.IsZero()) {
		acc.Taxpayers[i].Name, changed = named.Name, true
	}
	return acc.Taxpayers[i].ID, changed
}

// tellBound tells the person and the journal of a key that was bound.
func (a *Admission) tellBound(tx store.Tx, r *http.Request, acc account.Account, keys []account.Key, t attempt) error {
	e := a.event(r, "key-bound", t)
	for _, k := range keys { // the last bound first
		if k.State == account.GoodKey && k.Kind == t.who.Identity.Kind {
			e.Detail = "previous=" + hex.EncodeToString(k.SHA256[:])
			break
		}
	}
	if err := tx.Note(e, acc.Identity); err != nil {
		return err
	}
	if acc.EmailConfirmed.IsZero() {
		return nil
	}
	return tx.PutLetter(a.opts.Mail.NewKey(To(acc), t.at, mail.NewKey{
		Device: a.Device(r), SHA256: t.who.CertSHA256, NotAfter: t.cert.NotAfter,
	}))
}

// refused notes in the history of the account that somebody with a good certificate was not
// let in: the person is to see who tried.
func (a *Admission) refused(tx store.Tx, r *http.Request, acc account.Account, t attempt, code reason.Code) (decision, error) {
	e := a.event(r, "key-refused", t)
	e.Reason = code
	return decision{refused: code, facts: facts(t)}, tx.Note(e, acc.Identity)
}

// event is an event about an account for the journal.
func (a *Admission) event(r *http.Request, action string, t attempt) journal.Event {
	e := a.Event(r, action)
	e.Certificate = t.who.CertSHA256
	return e
}

// Event returns an event about an account for the journal, with what the request tells.
func (a *Admission) Event(r *http.Request, action string) journal.Event {
	return journal.Event{
		At: a.opts.Now(), Kind: journal.Account, Action: action, Support: request.From(r.Context()).ID,
		Address: a.opts.Address(r.RemoteAddr), Device: person.NewPrivate(journal.Clean(visit.DeviceOf(r).Reveal())),
	}
}

// facts are what a page says about the certificate that was refused; nobody but its holder
// sees it. Of the account they tell nothing.
func facts(t attempt) []page.Fact {
	return []page.Fact{
		{Label: page.Text{RU: "Владелец сертификата", EN: "Holder of the certificate"}, Value: t.who.Identity.Name.Reveal()},
		{Label: page.Text{RU: "Отпечаток сертификата (SHA-256)", EN: "Fingerprint of the certificate (SHA-256)"}, Value: hex.EncodeToString(t.who.CertSHA256[:])},
		{Label: page.Text{RU: "Действует по", EN: "Valid until"}, Value: page.Time(t.cert.NotAfter)},
	}
}
