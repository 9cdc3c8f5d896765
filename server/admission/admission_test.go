package admission

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/journal"
	"propusk/server/level"
	"propusk/server/mail"
	"propusk/server/oidc"
	"propusk/server/page"
	"propusk/server/store"
	"propusk/server/visit"
)

// The demo people: all invented. Their numbers have right check digits.
const (
	theINN      = "500100732259"
	otherINN    = "526317984689"
	theSNILS    = "11223344595"
	otherSNILS  = "08765430300"
	theOGRNIP   = "304500116000157"
	theFullName = "Примеров Пример Примерович"
)

// world is an Admission with everything around it.
type world struct {
	t     *testing.T
	now   time.Time
	store store.Store
	a     *Admission
	ended enterpriseAnswer

	// What has become of the last sign-in.
	begun, awaited bool
	granted        *oidc.Login
	need           level.Need
	devices        map[string]bool
	page           string
	observed       []string
	cookies        []*http.Cookie
}

type enterpriseAnswer struct {
	at  time.Time
	err error
}

func (w *world) Begin(http.ResponseWriter, *http.Request, oidc.Request, oidc.Login) { w.begun = true }
func (w *world) Await(http.ResponseWriter, *http.Request, oidc.Request, oidc.Login) { w.awaited = true }
func (w *world) Need(oidc.Request, person.Kind) level.Need                          { return w.need }
func (w *world) Known(_ *http.Request, login string) bool                           { return w.devices[login] }
func (w *world) Remember(_ http.ResponseWriter, _ *http.Request, login string) {
	w.devices[login] = true
}

func (w *world) Grant(_ http.ResponseWriter, _ *http.Request, _ oidc.Request, who oidc.Login) {
	w.granted = &who
}

func (w *world) Ended(context.Context, person.Identity) (time.Time, error) {
	return w.ended.at, w.ended.err
}

// newWorld returns a world over a store, or one in memory.
func newWorld(t *testing.T, over ...store.Store) *world {
	t.Helper()
	over = append(over, store.NewMemory())
	t.Cleanup(func() {
		for _, s := range over {
			if err := s.Close(); err != nil && !errors.Is(err, store.ErrClosed) {
				t.Error(err)
			}
		}
	})
	pages, err := page.New(page.Site{PublicURL: "https://id.example"})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), store: over[0], devices: make(map[string]bool),
		need: level.Need{Level: level.Password}, ended: enterpriseAnswer{err: errors.New("nobody knows")},
	}
	clock := func() time.Time { return w.now }
	w.a = New(Options{
		Store: w.store, Provider: w, Newcomers: w, Devices: w, Enterprises: w, EntrepreneurYears: 3, Pages: pages, Now: clock,
		Visits:  visit.New(visit.Options{Store: w.store, Now: clock, Life: 12 * time.Hour, Idle: time.Hour}),
		Mail:    mail.Composer{Gateway: "Пропуск", URL: "https://id.example"},
		Observe: func(conclusion string, why reason.Code) { w.observed = append(w.observed, conclusion+" "+string(why)) },
		Address: func(remote string) person.Private { return journal.Place(remote, journal.AddressFull) },
	})
	return w
}

// someone is the person of the tests, as a certificate of a kind names him.
func someone(t *testing.T, kind person.Kind) person.Identity {
	t.Helper()
	inn, err1 := person.ParseINN(theINN)
	snils, err2 := person.ParseSNILS(theSNILS)
	ogrnip, err3 := person.ParseOGRNIP(theOGRNIP)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	who := person.Identity{Kind: kind, Name: person.NewName(theFullName), INN: inn, SNILS: snils}
	if kind == person.Entrepreneur {
		who.OGRNIP = ogrnip
	}
	return who
}

func newKeyPair(t *testing.T) *gost3410.PrivateKey {
	t.Helper()
	key, err := gost3410.GenerateKey(gost3410.CryptoProA(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// certify makes a sign-in by a fresh certificate for a key: package admission is handed only
// what was judged, so nobody has issued it.
func (w *world) certify(who person.Identity, key *gost3410.PrivateKey, from time.Time) oidc.Login {
	w.t.Helper()
	der, err := gostx509.Create(nil, gostx509.Template{
		Subject:   gostx509.Name{{Type: gostx509.OIDCommonName, Text: who.Name.Reveal()}},
		NotBefore: from, NotAfter: from.AddDate(1, 0, 0), MaxPathLen: -1,
	}, nil, key.Public(), key)
	if err != nil {
		w.t.Fatal(err)
	}
	return oidc.Login{
		Identity: who, Certificate: der, CertSHA256: sha256.Sum256(der), At: w.now, Method: "gost-tls",
		Level: level.QES, AMR: []string{level.Software},
	}
}

// login is a sign-in by a fresh certificate for a fresh key.
func (w *world) login(who person.Identity) oidc.Login {
	w.t.Helper()
	return w.certify(who, newKeyPair(w.t), w.now.Add(-time.Hour))
}

// open writes the account of the person of the tests.
func (w *world) open(change ...func(*account.Account)) account.Account {
	w.t.Helper()
	who := someone(w.t, person.Entrepreneur)
	acc := account.Account{
		ID: account.NewID(), Identity: who, Taxpayers: []account.Taxpayer{account.TaxpayerOf(who)}, State: account.Active,
		Email: person.NewEmail("somebody@people.example"), EmailConfirmed: w.now.Add(-time.Hour), Language: "ru",
		Registered: w.now.Add(-time.Hour), LastVisit: w.now.Add(-time.Hour), Origin: account.ByCertificate,
	}
	for _, f := range change {
		f(&acc)
	}
	w.update(func(tx store.Tx) error { return tx.PutAccount(&acc) })
	return acc
}

func (w *world) update(f func(store.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(context.Background(), f); err != nil {
		w.t.Fatal(err)
	}
}

// key brings a sign-in by key, in the browser that has come before.
func (w *world) key(who oidc.Login) {
	w.t.Helper()
	w.begun, w.awaited, w.granted, w.page = false, false, nil, ""
	r := w.request()
	rec := httptest.NewRecorder()
	w.a.Key(rec, r, oidc.Request{ClientID: "test"}, who)
	w.keep(rec)
}

func (w *world) request() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "https://id.example/signin/return", nil)
	r.RemoteAddr, r.Host = "192.0.2.7:4711", "id.example"
	r.Header.Set("User-Agent", "Test/1.0")
	for _, c := range w.cookies {
		r.AddCookie(c)
	}
	return r
}

func (w *world) keep(rec *httptest.ResponseRecorder) {
	w.page = rec.Body.String()
	if set := rec.Result().Cookies(); len(set) > 0 {
		w.cookies = set
	}
}

// leave lets the browser forget everything.
func (w *world) leave() { w.cookies = nil }

// refused wants that the last sign-in ended on the page of a reason, and not otherwise.
func (w *world) refused(code reason.Code) {
	w.t.Helper()
	if w.granted != nil || w.begun || w.awaited || !strings.Contains(w.page, `data-code="`+string(code)+`"`) {
		w.t.Errorf("want the page of %s, got granted %v, begun %v, awaited %v:\n%s", code, w.granted != nil, w.begun, w.awaited, w.page)
	}
}

// entered wants that the last sign-in came through, at a level.
func (w *world) entered(l level.Level) oidc.Login {
	w.t.Helper()
	if w.granted == nil {
		w.t.Fatalf("nobody was let in:\n%s", w.page)
	}
	if w.granted.Level != l {
		w.t.Errorf("level %s, want %s", w.granted.Level, l)
	}
	return *w.granted
}

func (w *world) account(id account.ID) account.Account {
	w.t.Helper()
	var acc account.Account
	w.update(func(tx store.Tx) (err error) { acc, err = tx.Account(id); return err })
	return acc
}

func (w *world) keys(id account.ID) []account.Key {
	w.t.Helper()
	var keys []account.Key
	w.update(func(tx store.Tx) (err error) { keys, err = tx.Keys(id); return err })
	return keys
}

// letters and notes since the last call, by kind and action.
func (w *world) letters() []string {
	w.t.Helper()
	var kinds []string
	w.update(func(tx store.Tx) error {
		due, err := tx.DueLetters(w.now, 100)
		for _, l := range due {
			kinds = append(kinds, l.Kind)
			err = errors.Join(err, tx.DeleteLetter(l.ID))
		}
		return err
	})
	return kinds
}

func (w *world) notes() []account.Note {
	w.t.Helper()
	var notes []account.Note
	w.update(func(tx store.Tx) (err error) {
		notes, err = tx.Notes(100)
		for _, n := range notes {
			err = errors.Join(err, tx.DeleteNote(n.ID))
		}
		return err
	})
	return notes
}

func (w *world) wantNote(action string, why reason.Code) {
	w.t.Helper()
	notes := w.notes()
	for _, n := range notes {
		if n.Event.Action == action && n.Event.Reason == why && n.Who.INN.Reveal() == theINN {
			return
		}
	}
	w.t.Errorf("no note %s %s in %v", action, why, notes)
}

// TestNewcomer: who has no account begins to register; nothing is written about him.
func TestNewcomer(t *testing.T) {
	w := newWorld(t)
	w.key(w.login(someone(t, person.Entrepreneur)))
	if !w.begun {
		t.Errorf("not at the registration:\n%s", w.page)
	}
	if n := w.notes(); len(n) != 0 {
		t.Errorf("notes %v", n)
	}
	w.a.opts.Newcomers = nil
	w.key(w.login(someone(t, person.Entrepreneur)))
	w.refused(reason.AccountUnknown)
}

// TestRenewal (IP-24): a certificate that was never seen, of the same person, enters at once
// and is bound; the person and the journal are told, the old one goes on.
func TestRenewal(t *testing.T) {
	w := newWorld(t)
	acc := w.open()
	w.devices[theINN] = true
	first := w.login(someone(t, person.Entrepreneur))
	w.key(first)
	w.entered(level.QES)
	if got := w.letters(); len(got) != 1 || got[0] != mail.KindNewKey {
		t.Errorf("letters %v", got)
	}
	w.notes()
	second := w.login(someone(t, person.Entrepreneur))
	w.key(second)
	w.entered(level.QES)
	notes := w.notes()
	if len(notes) != 1 || notes[0].Event.Action != "key-bound" || notes[0].Event.Certificate != second.CertSHA256 ||
		!strings.Contains(notes[0].Event.Detail, "previous="+hexOf(first.CertSHA256)) {
		t.Errorf("notes %+v", notes)
	}
	if got := w.letters(); len(got) != 1 || got[0] != mail.KindNewKey {
		t.Errorf("letters %v", got)
	}
	if keys := w.keys(acc.ID); len(keys) != 2 || keys[0].State != account.GoodKey || keys[0].Account != acc.ID {
		t.Errorf("keys %+v", keys)
	}
	w.key(first)
	w.entered(level.QES)
	if got := append(w.letters(), make([]string, len(w.notes()))...); len(got) != 0 {
		t.Errorf("a known key was told of: %v", got)
	}
	if got := w.account(acc.ID); len(got.Taxpayers) != 1 {
		t.Errorf("taxpayers %v", got.Taxpayers)
	}
}

func hexOf(digest [32]byte) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for _, c := range digest {
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}

// TestCollision: the ИНН of an account does not open it for a certificate that names another
// person, or no person. Nothing is bound; the person of the account can see who tried.
func TestCollision(t *testing.T) {
	snils, err := person.ParseSNILS(otherSNILS)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*person.Identity){
		"another СНИЛС": func(p *person.Identity) { p.SNILS = snils },
		"another СНИЛС and name": func(p *person.Identity) {
			p.SNILS, p.Name = snils, person.NewName("Чужой Человек Чужович")
		},
		"another given name, same СНИЛС": func(p *person.Identity) { p.Name = person.NewName("Примеров Иной Иванович") },
		"another name without СНИЛС": func(p *person.Identity) {
			p.SNILS, p.Name = person.SNILS{}, person.NewName("Чужой Человек Чужович")
		},
		"another surname without СНИЛС": func(p *person.Identity) {
			p.SNILS, p.Name = person.SNILS{}, person.NewName("Чужой Пример Примерович")
		},
		"no name and no СНИЛС":        func(p *person.Identity) { p.SNILS, p.Name = person.SNILS{}, person.Name{} },
		"one word, the same СНИЛС":    func(p *person.Identity) { p.Name = person.NewName("Пример") },
		"a machine of a legal entity": func(p *person.Identity) { p.Kind = person.LegalEntityAuto },
		"a certification authority":   func(p *person.Identity) { p.Kind = person.Authority },
		"a holder of unknown kind":    func(p *person.Identity) { p.Kind = person.Other },
		"no kind at all":              func(p *person.Identity) { p.Kind = "" },
		"a name that only begins like theirs": func(p *person.Identity) {
			p.SNILS, p.Name = person.SNILS{}, person.NewName("Примеров Пример")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			acc := w.open()
			who := someone(t, person.Entrepreneur)
			change(&who)
			w.key(w.login(who))
			w.refused(reason.AccountIdentity)
			w.wantNote("key-refused", reason.AccountIdentity)
			if keys := w.keys(acc.ID); len(keys) != 0 {
				t.Errorf("bound: %v", keys)
			}
			if got := w.account(acc.ID); len(got.Taxpayers) != 1 || got.Version != acc.Version {
				t.Errorf("the account was changed: %+v", got)
			}
			if len(w.letters()) != 0 {
				t.Error("a letter was written")
			}
			if strings.Contains(w.page, theFullName) && who.Name.Reveal() != theFullName {
				t.Errorf("the page tells whose account it is:\n%s", w.page)
			}
		})
	}
}

// TestSamePerson: what does not make another person of somebody.
func TestSamePerson(t *testing.T) {
	for name, change := range map[string]func(known, shown *person.Identity){
		"letter case and ё": func(k, s *person.Identity) {
			k.Name, s.Name = person.NewName("Алёнов Пётр  Семёнович"), person.NewName("АЛЕНОВ ПЕТР СЕМЕНОВИЧ")
		},
		"another hyphen": func(k, s *person.Identity) {
			k.Name, s.Name = person.NewName("Один-Два Пример"), person.NewName("Один‑Два Пример")
		},
		"a new surname, the same СНИЛС": func(_, s *person.Identity) {
			s.Name = person.NewName("Замужняя Пример Примерович")
		},
		"no СНИЛС in the certificate": func(_, s *person.Identity) { s.SNILS = person.SNILS{} },
		"no СНИЛС in the account":     func(k, _ *person.Identity) { k.SNILS = person.SNILS{} },
		"no name in the account":      func(k, _ *person.Identity) { k.Name = person.Name{} },
		"as himself":                  func(_, s *person.Identity) { s.Kind, s.OGRNIP = person.Person, person.OGRNIP{} },
		"as the head of a firm":       func(_, s *person.Identity) { s.Kind, s.OGRNIP = person.LegalEntity, person.OGRNIP{} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			who := someone(t, person.Entrepreneur)
			acc := w.open(func(a *account.Account) { change(&a.Identity, &who) })
			w.key(w.login(who))
			got := w.entered(level.QES)
			if got.Identity.Kind != acc.Identity.Kind {
				t.Errorf("the first identity became %s", got.Identity.Kind)
			}
			after := w.account(acc.ID)
			if after.Identity.SNILS.IsZero() || after.Identity.Name.IsZero() {
				t.Error("what the certificate says beyond what was known was not learnt")
			}
		})
	}
}

// TestTaxpayers (BY-09): a certificate of another kind adds a taxpayer, who is active in the
// visit that it begins; the same certificate adds him once.
func TestTaxpayers(t *testing.T) {
	w := newWorld(t)
	acc := w.open()
	login := w.login(someone(t, person.Person))
	for range 2 {
		w.leave()
		w.key(login)
		got := w.entered(level.QES)
		if got.Taxpayer == nil || got.Taxpayer.Kind != person.Person {
			t.Errorf("active taxpayer %+v", got.Taxpayer)
		}
	}
	if got := w.account(acc.ID).Taxpayers; len(got) != 2 || got[1].Kind != person.Person {
		t.Errorf("taxpayers %+v", got)
	}
	// In mid-visit a key of another kind changes nothing of for whom one acts.
	w.key(w.login(someone(t, person.Entrepreneur)))
	if got := w.entered(level.QES); got.Taxpayer.Kind != person.Person {
		t.Errorf("active taxpayer %+v", got.Taxpayer)
	}
}

// TestStates: who is not let in by a key that belongs to the account, and by which page.
func TestStates(t *testing.T) {
	for _, one := range []struct {
		state account.State
		why   reason.Code
		want  reason.Code
	}{
		{account.Blocked, reason.AccountBlocked, reason.AccountBlocked},
		{account.Blocked, reason.AccountBlockedBySelf, reason.AccountBlockedBySelf},
		{account.Blocked, "", reason.AccountBlocked},
		{account.Blocked, "something-else", reason.AccountBlocked},
		{account.Rejected, "", reason.AccountRejected},
		{account.Closed, "", reason.AccountClosed},
	} {
		w := newWorld(t)
		acc := w.open(func(a *account.Account) { a.State, a.Why = one.state, one.why })
		w.key(w.login(someone(t, person.Entrepreneur)))
		w.refused(one.want)
		w.wantNote("key-refused", one.want)
		if len(w.keys(acc.ID)) != 0 {
			t.Errorf("%s: a key was bound", one.state)
		}
	}
	for _, state := range []account.State{account.Awaiting, account.Pending} {
		w := newWorld(t)
		acc := w.open(func(a *account.Account) { a.State = state })
		w.key(w.login(someone(t, person.Entrepreneur)))
		if !w.awaited || w.granted != nil {
			t.Errorf("%s: not at the page of accounts that wait", state)
		}
		if len(w.keys(acc.ID)) != 0 {
			t.Errorf("%s: a key was bound", state)
		}
		who := someone(t, person.Entrepreneur)
		who.Name, who.SNILS = person.NewName("Чужой Человек Чужович"), person.SNILS{}
		w.key(w.login(who))
		w.refused(reason.AccountIdentity)
		w.a.opts.Newcomers = nil
		w.key(w.login(someone(t, person.Entrepreneur)))
		w.refused(reason.AccountUnknown)
	}
}

// TestCheck: every state has its code, and what nobody knows lets nobody in.
func TestCheck(t *testing.T) {
	for state, want := range map[account.State]error{
		account.Active: nil, account.Awaiting: reason.AccountAwaiting, account.Pending: reason.AccountPending,
		account.Rejected: reason.AccountRejected, account.Compromised: reason.AccountKeysCompromised, account.Closed: reason.AccountClosed,
		account.Blocked: reason.AccountBlocked, "": reason.AccountBlocked, "other": reason.AccountBlocked,
	} {
		if got := Check(account.Account{State: state}); !errors.Is(got, want) {
			t.Errorf("%q: %v, want %v", state, got, want)
		}
	}
	if got := Check(account.Account{State: account.Blocked, Why: reason.AccountCardExpired}); !errors.Is(got, reason.AccountCardExpired) {
		t.Error(got)
	}
}

// TestCardExpired (DOMAIN 7.4, row 39): a key opens an account whose first password was not
// changed in time; the password stays void.
func TestCardExpired(t *testing.T) {
	w := newWorld(t)
	acc := w.open(func(a *account.Account) { a.State, a.Why = account.Blocked, reason.AccountCardExpired })
	w.update(func(tx store.Tx) error {
		return tx.PutPassword(account.Password{Account: acc.ID, Hash: "$argon2id$v=19$m=8192,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$dGFn", Set: w.now, Initial: true})
	})
	w.key(w.login(someone(t, person.Entrepreneur)))
	w.entered(level.QES)
	w.wantNote("account-opened", "")
	if got := w.account(acc.ID); got.State != account.Active || got.Why != "" {
		t.Errorf("%s %s", got.State, got.Why)
	}
	w.update(func(tx store.Tx) error {
		if _, err := tx.Password(acc.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the first password is there still: %v", err)
		}
		return nil
	})
}

// TestLostKey (IP-31): a key that was given up never signs in again, by this certificate nor by
// another one for it; a new key does. Visits that began by it are over.
func TestLostKey(t *testing.T) {
	w := newWorld(t)
	acc := w.open()
	pair := newKeyPair(t)
	login := w.certify(someone(t, person.Entrepreneur), pair, w.now.Add(-time.Hour))
	twin := w.certify(someone(t, person.Person), pair, w.now.Add(-time.Hour))
	for _, l := range []oidc.Login{login, twin} {
		w.key(l)
		w.entered(level.QES)
	}
	w.letters()
	w.notes()
	w.now = w.now.Add(time.Minute)
	w.update(func(tx store.Tx) error {
		ended, err := w.a.LoseKey(tx, w.request(), w.account2(tx, acc.ID), login.CertSHA256)
		if len(ended) != 1 {
			t.Errorf("%d visits ended", len(ended))
		}
		return err
	})
	if got := w.letters(); len(got) != 2 || got[0] != mail.KindKeyCompromised {
		t.Errorf("letters %v", got)
	}
	if got := w.notes(); len(got) != 2 || got[0].Event.Action != "key-compromised" {
		t.Errorf("notes %v", got)
	}
	if _, _, ok := w.a.opts.Visits.Of(w.request()); ok {
		t.Error("the visit goes on")
	}
	for _, l := range []oidc.Login{login, twin} {
		w.key(l)
		w.refused(reason.AccountKeyCompromised)
	}
	w.key(w.certify(someone(t, person.Entrepreneur), pair, w.now))
	w.refused(reason.AccountKeyReused)
	w.wantNote("key-refused", reason.AccountKeyReused)
	w.key(w.login(someone(t, person.Entrepreneur)))
	w.entered(level.QES)
	w.update(func(tx store.Tx) error { // it is lost already
		if _, err := w.a.LoseKey(tx, w.request(), w.account2(tx, acc.ID), login.CertSHA256); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("given up twice: %v", err)
		}
		return nil
	})
}

// account2 reads an account within a transaction.
func (w *world) account2(tx store.Tx, id account.ID) account.Account {
	w.t.Helper()
	acc, err := tx.Account(id)
	if err != nil {
		w.t.Fatal(err)
	}
	return acc
}

// TestLostAll: when all keys are lost nothing opens the account but a certificate that is newer
// than that, for a new key. Then it is active as before.
func TestLostAll(t *testing.T) {
	db, err := store.Open(t.TempDir() + "/accounts.db")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, db)
	acc := w.open()
	bound := w.login(someone(t, person.Entrepreneur))
	unseen := w.login(someone(t, person.Person)) // on the same stolen token
	w.key(bound)
	w.now = w.now.Add(time.Minute)
	w.update(func(tx store.Tx) error {
		_, err := w.a.LoseAll(tx, w.request(), w.account2(tx, acc.ID))
		return err
	})
	if got := w.account(acc.ID); got.State != account.Compromised {
		t.Fatalf("state %s", got.State)
	}
	w.key(bound)
	w.refused(reason.AccountKeyCompromised)
	w.key(unseen)
	w.refused(reason.AccountKeyOld)
	who := someone(t, person.Entrepreneur)
	who.Name, who.SNILS = person.NewName("Чужой Человек Чужович"), person.SNILS{}
	w.now = w.now.Add(time.Hour)
	w.key(w.certify(who, newKeyPair(t), w.now))
	w.refused(reason.AccountIdentity)
	w.key(w.certify(someone(t, person.Entrepreneur), newKeyPair(t), w.now))
	w.entered(level.QES)
	if got := w.account(acc.ID); got.State != account.Active || got.Why != "" {
		t.Errorf("%s %s", got.State, got.Why)
	}
	w.key(bound)
	w.refused(reason.AccountKeyCompromised)
	w.key(unseen) // kept until the account is open again
	w.refused(reason.AccountKeyOld)
}

// TestRemovedKey: a certificate that was taken out does not come back by itself, and only its
// account can take it out.
func TestRemovedKey(t *testing.T) {
	w := newWorld(t)
	acc := w.open()
	login := w.login(someone(t, person.Entrepreneur))
	w.key(login)
	w.update(func(tx store.Tx) error {
		other := w.account2(tx, acc.ID)
		other.ID = account.NewID()
		if _, err := w.a.RemoveKey(tx, w.request(), other, login.CertSHA256); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another account has taken it out: %v", err)
		}
		ended, err := w.a.RemoveKey(tx, w.request(), w.account2(tx, acc.ID), login.CertSHA256)
		if len(ended) != 1 {
			t.Errorf("%d visits ended", len(ended))
		}
		return err
	})
	w.key(login)
	w.refused(reason.AccountKeyRemoved)
}

// TestKeyBelongsForEver: a bound key opens its account whatever the ИНН of its certificate
// is said to be now.
func TestKeyBelongsForEver(t *testing.T) {
	w := newWorld(t)
	acc := w.open()
	login := w.login(someone(t, person.Entrepreneur))
	w.key(login)
	inn, err := person.ParseINN(otherINN)
	if err != nil {
		t.Fatal(err)
	}
	w.leave()
	login.Identity.INN = inn
	w.key(login)
	if got := w.entered(level.QES); got.Account != string(acc.ID) || got.Identity.INN.Reveal() != theINN {
		t.Errorf("account %s", got.Account)
	}
}

// TestBlock (IP-30): the person blocks his account; every visit ends, nothing opens it.
func TestBlock(t *testing.T) {
	w := newWorld(t)
	acc := w.open()
	login := w.login(someone(t, person.Entrepreneur))
	w.key(login)
	w.letters()
	w.notes()
	w.update(func(tx store.Tx) error {
		ended, err := w.a.Block(tx, w.request(), w.account2(tx, acc.ID))
		if len(ended) != 1 {
			t.Errorf("%d visits ended", len(ended))
		}
		return err
	})
	w.wantNote("blocked", "")
	if got := w.letters(); len(got) != 1 || got[0] != mail.KindBlocked {
		t.Errorf("letters %v", got)
	}
	w.key(login)
	w.refused(reason.AccountBlockedBySelf)
	if want := []string{"TOTAL-PASSED ", "TOTAL-FAILED account-blocked-by-person"}; !slices.Equal(w.observed, want) {
		t.Errorf("observed %q, want %q", w.observed, want)
	}
}

// TestClosedEntrepreneur (IP-29): for three years who is no entrepreneur any more comes in as
// far as a password reaches, and then not as one; as himself he does all the time.
func TestClosedEntrepreneur(t *testing.T) {
	w := newWorld(t)
	closed := w.now.AddDate(0, -1, 0)
	acc := w.open(func(a *account.Account) { a.Closed = closed })
	login := w.login(someone(t, person.Entrepreneur))
	w.key(login)
	if got := w.entered(level.TwoFactor); got.AMR[0] != level.Software {
		t.Errorf("amr %v", got.AMR)
	}
	w.need.Level = level.QES
	w.leave()
	w.key(login)
	w.refused(reason.AccountLimited)
	himself := w.login(someone(t, person.Person))
	w.key(himself)
	if got := w.entered(level.QES); got.Taxpayer.Kind != person.Person {
		t.Errorf("acts as %s", got.Taxpayer.Kind)
	}

	w.need.Level = level.Password
	w.leave()
	w.now = closed.AddDate(3, 0, 0).Add(-time.Second)
	w.key(login)
	w.entered(level.TwoFactor)
	// Raised by another key, the visit acts for whom that key proves.
	w.key(himself)
	if got := w.entered(level.QES); got.Taxpayer.Kind != person.Person {
		t.Errorf("acts as %s", got.Taxpayer.Kind)
	}
	w.leave()
	w.now = w.now.Add(time.Second)
	w.key(login)
	w.refused(reason.AccountShut)
	w.key(himself)
	w.entered(level.QES)
	if got := w.account(acc.ID); !got.Closed.Equal(closed) {
		t.Errorf("closed %s", got.Closed)
	}
}

// TestClosedByPassword: with a password somebody whose years are over acts for himself, and
// not at all if he was nothing but an entrepreneur.
func TestClosedByPassword(t *testing.T) {
	w := newWorld(t)
	acc := w.open(func(a *account.Account) { a.Closed = w.now.AddDate(-4, 0, 0) })
	enter := func() {
		w.granted, w.page = nil, ""
		rec := httptest.NewRecorder()
		w.a.Enter(rec, w.request(), oidc.Request{}, visit.How{Account: acc.ID, Level: level.Password, AMR: []string{"pwd"}})
		w.keep(rec)
	}
	enter()
	w.refused(reason.AccountShut)
	w.update(func(tx store.Tx) error {
		a := w.account2(tx, acc.ID)
		a.Taxpayers = append(a.Taxpayers, account.TaxpayerOf(someone(t, person.Person)))
		return tx.PutAccount(&a)
	})
	enter()
	if got := w.entered(level.Password); got.Taxpayer.Kind != person.Person {
		t.Errorf("acts as %s", got.Taxpayer.Kind)
	}
}

// TestRegisterTells: that an enterprise has ended is learnt from the register at the sign-in,
// and that there is a new one too; a register that does not answer changes nothing.
func TestRegisterTells(t *testing.T) {
	w := newWorld(t)
	acc := w.open()
	login := w.login(someone(t, person.Entrepreneur))
	w.ended = enterpriseAnswer{at: w.now.AddDate(0, -1, 0)}
	w.key(login)
	w.entered(level.TwoFactor)
	w.ended = enterpriseAnswer{err: errors.New("no answer")}
	w.leave()
	w.key(login)
	w.entered(level.TwoFactor)
	w.ended = enterpriseAnswer{}
	w.leave()
	w.key(login)
	w.entered(level.QES)
	if got := w.account(acc.ID); !got.Closed.IsZero() {
		t.Errorf("closed %s", got.Closed)
	}
}

// TestNewDevice (GU-04): the first sign-in from a browser is told of by letter; that of a
// browser that is known is not, nor the very first one of the account.
func TestNewDevice(t *testing.T) {
	w := newWorld(t)
	acc := w.open(func(a *account.Account) { a.LastVisit = time.Time{} })
	login := w.login(someone(t, person.Entrepreneur))
	w.key(login)
	if got := w.letters(); len(got) != 1 || got[0] != mail.KindNewKey {
		t.Errorf("letters %v", got)
	}
	w.key(login)
	if got := w.letters(); len(got) != 0 {
		t.Errorf("letters about a known browser: %v", got)
	}
	w.leave()
	clear(w.devices)
	w.key(login)
	if got := w.letters(); len(got) != 1 || got[0] != mail.KindNewDevice {
		t.Errorf("letters %v", got)
	}
	clear(w.devices)
	rec := httptest.NewRecorder()
	w.a.Enter(rec, w.request(), oidc.Request{}, visit.How{Account: acc.ID, Level: level.Password, AMR: []string{"pwd"}})
	if got := w.letters(); len(got) != 1 || got[0] != mail.KindNewDevice {
		t.Errorf("letters %v", got)
	}
}

// TestEnterLooksAgain: what changed between the password and the last code counts.
func TestEnterLooksAgain(t *testing.T) {
	w := newWorld(t)
	acc := w.open(func(a *account.Account) { a.State, a.Why = account.Blocked, reason.AccountBlockedBySelf })
	rec := httptest.NewRecorder()
	w.a.Enter(rec, w.request(), oidc.Request{}, visit.How{Account: acc.ID, Level: level.Password})
	w.page = rec.Body.String()
	w.refused(reason.AccountBlockedBySelf)
	rec = httptest.NewRecorder()
	w.a.Enter(rec, w.request(), oidc.Request{}, visit.How{Account: account.NewID(), Level: level.Password})
	w.page = rec.Body.String()
	w.refused(reason.AccountLost)
}

// TestOtherVisit: in mid-visit nobody becomes somebody else.
func TestOtherVisit(t *testing.T) {
	w := newWorld(t)
	w.open()
	inn, err := person.ParseINN(otherINN)
	if err != nil {
		t.Fatal(err)
	}
	w.open(func(a *account.Account) {
		a.Identity.INN, a.Identity.Name, a.Identity.SNILS = inn, person.NewName("Другая Проба Тестовна"), person.SNILS{}
	})
	w.key(w.login(someone(t, person.Entrepreneur)))
	w.entered(level.QES)
	who := someone(t, person.Entrepreneur)
	who.INN, who.Name, who.SNILS = inn, person.NewName("Другая Проба Тестовна"), person.SNILS{}
	w.key(w.login(who))
	w.refused(reason.VisitOtherAccount)
}

// TestStoreLost: when the store does not answer nobody gets in, and the page says so.
func TestStoreLost(t *testing.T) {
	w := newWorld(t)
	w.open()
	login := w.login(someone(t, person.Entrepreneur))
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	w.key(login)
	w.refused(reason.AccountLost)
}

// TestNoCertificate: a login without its certificate gets nowhere.
func TestNoCertificate(t *testing.T) {
	w := newWorld(t)
	w.open()
	login := w.login(someone(t, person.Entrepreneur))
	login.Certificate = bytes.Repeat([]byte{0x30}, 10)
	w.key(login)
	w.refused(reason.CertMalformed)
}

// FuzzSame: nobody is another person than himself, and whoever has another СНИЛС is, whatever
// the names.
func FuzzSame(f *testing.F) {
	for _, seed := range [][2]string{
		{theFullName, theFullName}, {"", ""}, {"А", "а"}, {"Алёнов Пётр", "АЛЕНОВ ПЕТР"}, {"Один-Два Три", "Один—Два Три"}, {"\xff", " "},
	} {
		f.Add(seed[0], seed[1])
	}
	inn, err1 := person.ParseINN(theINN)
	one, err2 := person.ParseSNILS(theSNILS)
	two, err3 := person.ParseSNILS(otherSNILS)
	if err := errors.Join(err1, err2, err3); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, known, shown string) {
		a := person.Identity{Kind: person.Person, INN: inn, Name: person.NewName(known)}
		b := person.Identity{Kind: person.Person, INN: inn, Name: person.NewName(shown)}
		if same(a, b) != same(b, a) {
			t.Errorf("%q and %q: it depends on who comes first", known, shown)
		}
		if len(words(a.Name)) > 0 && !same(a, a) {
			t.Errorf("%q is another person than himself", known)
		}
		a.SNILS, b.SNILS = one, two
		if same(a, b) || same(b, a) {
			t.Errorf("%q and %q: two СНИЛС, one person", known, shown)
		}
	})
}
