package visit

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/level"
	"propusk/server/oidc"
	"propusk/server/store"
)

// house keeps visits of two people, with a clock that the test moves.
type house struct {
	*Keeper
	t     *testing.T
	store store.Store
	mu    sync.Mutex
	at    time.Time
	ended []account.Visit
	// ivan and olga are accounts.
	ivan, olga account.ID
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *house) sleep(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, store: store.NewMemory(), at: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	h.Keeper = New(Options{
		Store: h.store, Now: h.now, Life: 12 * time.Hour, Idle: 30 * time.Minute,
		Ended: func(v account.Visit) { h.ended = append(h.ended, v) },
	})
	h.ivan, h.olga = h.add("500100732259", "Примеров Пример Примерович"), h.add("771234567859", "Образцова Ольга Олеговна")
	return h
}

// add makes an account of a person who acts for himself and for a company.
func (h *house) add(number, name string) account.ID {
	h.t.Helper()
	inn, err := person.ParseINN(number)
	if err != nil {
		h.t.Fatal(err)
	}
	company, err := person.ParseINNLE("7707083893")
	if err != nil {
		h.t.Fatal(err)
	}
	a := account.Account{
		ID: account.NewID(), Identity: person.Identity{Kind: person.Person, INN: inn, Name: person.NewName(name)},
		State: account.Active, Language: "ru", Registered: h.now(), Origin: account.ByDemo,
		Taxpayers: []account.Taxpayer{
			{ID: "self", Kind: person.Person, INN: inn, Name: person.NewName(name)},
			{ID: "company", Kind: person.LegalEntity, INN: inn, INNLE: company, Name: person.NewName("ООО «Пример»")},
		},
	}
	h.update(func(tx store.Tx) error { return tx.PutAccount(&a) })
	return a.ID
}

func (h *house) update(f func(store.Tx) error) {
	h.t.Helper()
	if err := h.store.Update(h.t.Context(), f); err != nil {
		h.t.Fatal(err)
	}
}

// browser keeps the cookie of a visit.
type browser struct {
	h      *house
	cookie *http.Cookie
}

func (b *browser) request() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "192.0.2.7:1234"
	r.Header.Set("User-Agent", "Test/1.0")
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	return r
}

// take keeps what an answer sets.
func (b *browser) take(w *httptest.ResponseRecorder) {
	for _, c := range w.Result().Cookies() {
		if c.Name == Cookie {
			b.cookie = c
			if c.MaxAge < 0 {
				b.cookie = nil
			}
		}
	}
}

func (b *browser) begin(id account.ID, l level.Level) (account.Visit, error) {
	w := httptest.NewRecorder()
	how := How{Account: id, Level: l, AMR: []string{"pwd"}}
	if l == level.QES {
		how.AMR, how.Login = []string{level.Software}, oidc.Login{At: b.h.now(), CertSHA256: [32]byte{1}}
	}
	v, err := b.h.Begin(b.h.t.Context(), w, b.request(), how)
	b.take(w)
	return v, err
}

func (b *browser) mustBegin(id account.ID, l level.Level) account.Visit {
	b.h.t.Helper()
	v, err := b.begin(id, l)
	if err != nil {
		b.h.t.Fatal(err)
	}
	return v
}

func (b *browser) visits() bool {
	_, _, ok := b.h.Of(b.request())
	return ok
}

func TestVisit(t *testing.T) {
	h := open(t)
	b := &browser{h: h}
	if b.visits() {
		t.Fatal("a visit of nobody")
	}
	b.mustBegin(h.ivan, level.Password)
	if c := b.cookie; !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 0 || !strings.HasPrefix(c.Name, "__Host-") {
		t.Errorf("cookie %v", c)
	}
	v, a, ok := h.Of(b.request())
	if !ok || a.ID != h.ivan || v.Level != level.Password || v.Taxpayer != "self" || v.Address.Reveal() != "192.0.2.7" || v.Device.Reveal() != "Test/1.0" {
		t.Fatalf("%+v, %v", v, ok)
	}
	if !a.LastVisit.Equal(h.now()) {
		t.Errorf("the last visit was at %s", a.LastVisit)
	}
	if v.Key != sha256.Sum256([]byte(b.cookie.Value)) || strings.Contains(fmt.Sprintf("%+v", v), b.cookie.Value) {
		t.Error("the store has the cookie")
	}
	for name, cookies := range map[string][]*http.Cookie{
		"another value": {{Name: Cookie, Value: strings.Repeat("A", 43)}}, "two": {b.cookie, b.cookie}, "empty": {{Name: Cookie}}, "long": {{Name: Cookie, Value: b.cookie.Value + "A"}},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		if _, _, ok := h.Of(r); ok {
			t.Errorf("a visit by a cookie that is %s", name)
		}
	}
}

// TestRegistrationEnds: a registration that was left open in some browser lets nobody in once
// its person has signed in, here or anywhere.
func TestRegistrationEnds(t *testing.T) {
	h := open(t)
	left := func(of account.ID) account.Secret {
		return account.Secret{
			Digest: sha256.Sum256([]byte(of)), Purpose: account.ForRegistration, Account: of, Created: h.now(), Expires: h.now().Add(time.Hour),
		}
	}
	h.update(func(tx store.Tx) error { return errors.Join(tx.PutSecret(left(h.ivan)), tx.PutSecret(left(h.olga))) })
	(&browser{h: h}).mustBegin(h.ivan, level.Password)
	h.update(func(tx store.Tx) error {
		if _, err := tx.Secret(account.ForRegistration, left(h.ivan).Digest, h.now()); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the registration is still open: %v", err)
		}
		_, err := tx.Secret(account.ForRegistration, left(h.olga).Digest, h.now())
		return err
	})
}

// TestRaise: a proof changes the cookie and not the visit.
func TestRaise(t *testing.T) {
	h := open(t)
	b := &browser{h: h}
	low := b.mustBegin(h.ivan, level.Password)
	before := *b
	h.sleep(5 * time.Minute)
	high := b.mustBegin(h.ivan, level.QES)
	if before.visits() || !b.visits() || before.cookie.Value == b.cookie.Value {
		t.Error("the old cookie still opens the visit")
	}
	if high.SID != low.SID || high.Public != low.Public || high.Level != level.QES || !high.AuthTime.Equal(h.now()) || !high.KeyAt.Equal(h.now()) || high.CertSHA256 != [32]byte{1} {
		t.Errorf("%+v", high)
	}
	h.sleep(time.Minute)
	again := b.mustBegin(h.ivan, level.Password)
	if again.Level != level.QES || !again.AuthTime.Equal(high.AuthTime) || !again.PasswordAt.Equal(h.now()) {
		t.Errorf("a password lowers the visit: %+v", again)
	}
	fresh := level.Need{Level: level.Password, Since: h.now()}
	if p, ok := fresh.Best(again.Proofs); !ok || p.Level != level.Password {
		t.Errorf("the fresh password is lost: %+v", again.Proofs)
	}
	if len(h.visitsOf(h.ivan)) != 1 {
		t.Error("more than one visit")
	}
}

func (h *house) visitsOf(id account.ID) (all []account.Visit) {
	h.t.Helper()
	if err := h.store.View(h.t.Context(), func(tx store.Tx) (err error) { all, err = tx.Visits(id); return err }); err != nil {
		h.t.Fatal(err)
	}
	return all
}

// TestFixation: a cookie that somebody put into the browser is worth nothing after a sign-in.
func TestFixation(t *testing.T) {
	h := open(t)
	planted := &http.Cookie{Name: Cookie, Value: strings.Repeat("B", 43)}
	victim := &browser{h: h, cookie: planted}
	victim.mustBegin(h.ivan, level.QES)
	if (&browser{h: h, cookie: planted}).visits() {
		t.Error("who planted the cookie visits")
	}
	if !victim.visits() {
		t.Error("the victim does not")
	}
}

// TestOtherAccount: in mid-session nobody becomes somebody else.
func TestOtherAccount(t *testing.T) {
	h := open(t)
	b := &browser{h: h}
	b.mustBegin(h.ivan, level.Password)
	cookie := b.cookie
	if _, err := b.begin(h.olga, level.QES); reason.Of(err) != reason.VisitOtherAccount {
		t.Errorf("another account: %v", err)
	}
	v, a, ok := h.Of(b.request())
	if b.cookie != cookie || !ok || a.ID != h.ivan || v.Level != level.Password || len(h.visitsOf(h.olga)) != 0 {
		t.Errorf("the visit was touched: %+v", v)
	}
	if err := h.End(httptest.NewRecorder(), b.request()); err != nil {
		t.Fatal(err)
	}
	b.mustBegin(h.olga, level.QES)
}

// TestOver: visits end by themselves, and those of accounts that may not be used at once.
func TestOver(t *testing.T) {
	h := open(t)
	b := &browser{h: h}
	b.mustBegin(h.ivan, level.QES)
	for range 30 { // seen in time, each time
		h.sleep(29 * time.Minute)
		if now := h.now().Sub(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)); b.visits() != (now < 12*time.Hour) {
			t.Fatalf("after %s: %v", now, b.visits())
		}
	}
	b = &browser{h: h}
	b.mustBegin(h.ivan, level.QES)
	h.sleep(30 * time.Minute)
	if b.visits() {
		t.Error("nobody was there for half an hour")
	}
	for _, state := range []account.State{account.Awaiting, account.Pending, account.Rejected, account.Blocked, account.Compromised, account.Closed, ""} {
		set := func(s account.State) {
			h.update(func(tx store.Tx) error {
				a, err := tx.Account(h.ivan)
				if err != nil {
					return err
				}
				a.State = s
				return tx.PutAccount(&a)
			})
		}
		if state == "" {
			continue // no store keeps it
		}
		set(account.Active)
		b := &browser{h: h}
		b.mustBegin(h.ivan, level.QES)
		set(state)
		if b.visits() {
			t.Errorf("a visit to an account that is %s", state)
		}
		if _, err := b.begin(h.ivan, level.QES); err == nil {
			t.Errorf("a visit was begun to an account that is %s", state)
		}
		set(account.Active)
	}
}

// TestRests: a visit that nobody was seen in opens nothing, and is kept for those whom services
// have signed in by it: they are told when it is ended, or when its life is over.
func TestRests(t *testing.T) {
	h := open(t)
	rest := func() (*browser, account.Visit) {
		t.Helper()
		b := &browser{h: h}
		v := b.mustBegin(h.ivan, level.QES)
		if err := h.Granted(t.Context(), h.Login(v, account.Account{ID: h.ivan}), "cabinet"); err != nil {
			t.Fatal(err)
		}
		h.sleep(30 * time.Minute)
		if kept, err := h.Kept(b.request()); b.visits() || err != nil || kept.SID != v.SID || !kept.Until.Equal(v.Began.Add(12*time.Hour)) {
			t.Fatalf("%+v, %v", kept, err)
		}
		return b, v
	}
	tasks := func() (n int) {
		t.Helper()
		h.update(func(tx store.Tx) error {
			due, err := tx.DueTasks(LogoutTask, h.now(), 10)
			for _, d := range due {
				n++
				err = errors.Join(err, tx.DeleteTask(d.ID))
			}
			return err
		})
		return n
	}

	b, old := rest()
	v := b.mustBegin(h.ivan, level.Password)
	if v.SID != old.SID || v.Public != old.Public || !slices.Equal(v.Clients, []string{"cabinet"}) || !v.Began.Equal(h.now()) {
		t.Errorf("the same person: %+v", v)
	}
	if v.Level != level.Password || len(v.Proofs) != 1 || v.CertSHA256 != [32]byte{} || len(h.visitsOf(h.ivan)) != 1 || tasks() != 0 {
		t.Errorf("what was proven counts still: %+v", v)
	}
	if n, err := h.EndAll(t.Context(), h.ivan, ""); n != 1 || err != nil || tasks() != 1 {
		t.Errorf("ended: %d, %v", n, err)
	}

	h.ended = nil
	b, old = rest()
	if v := b.mustBegin(h.olga, level.Password); v.SID == old.SID || len(v.Clients) != 0 {
		t.Errorf("another person: %+v", v)
	}
	if len(h.visitsOf(h.ivan)) != 0 || len(h.ended) != 1 || tasks() != 1 {
		t.Errorf("the services of the one before are not told; %d ended", len(h.ended))
	}

	b, _ = rest()
	if n, err := h.EndAll(t.Context(), h.ivan, ""); n != 1 || err != nil || tasks() != 1 {
		t.Errorf("from afar: %d, %v", n, err)
	}
	if kept, err := h.Kept(b.request()); err != nil || kept.SID != "" {
		t.Errorf("%+v, %v", kept, err)
	}
}

// TestGrantedToNobody: no service learns of the visit of an account that may not be used.
func TestGrantedToNobody(t *testing.T) {
	h := open(t)
	v := (&browser{h: h}).mustBegin(h.ivan, level.QES)
	who := h.Login(v, account.Account{ID: h.ivan})
	for _, state := range []account.State{account.Active, account.Blocked} {
		h.update(func(tx store.Tx) error {
			a, err := tx.Account(h.ivan)
			if err != nil {
				return err
			}
			a.State = state
			return tx.PutAccount(&a)
		})
		if err := h.Granted(t.Context(), who, "cabinet"); (err == nil) != (state == account.Active) || err != nil && reason.Of(err) != reason.VisitOver {
			t.Errorf("%s: %v", state, err)
		}
	}
	h.update(func(tx store.Tx) error { return tx.DeleteAccount(h.ivan) })
	if err := h.Granted(t.Context(), who, "cabinet"); reason.Of(err) != reason.VisitOver {
		t.Errorf("removed: %v", err)
	}
}

func TestTaxpayer(t *testing.T) {
	h := open(t)
	b := &browser{h: h}
	if err := h.SetTaxpayer(b.request(), "company"); reason.Of(err) != reason.VisitOver {
		t.Errorf("without a visit: %v", err)
	}
	b.mustBegin(h.ivan, level.Password)
	if err := h.SetTaxpayer(b.request(), "another"); reason.Of(err) != reason.VisitOver {
		t.Errorf("somebody else's: %v", err)
	}
	if err := h.SetTaxpayer(b.request(), "company"); err != nil {
		t.Fatal(err)
	}
	who, ok := h.Who(b.request())
	if !ok || who.Taxpayer == nil || who.Taxpayer.INNLE.Reveal() != "7707083893" || who.Kind() != person.LegalEntity || who.Identity.Kind != person.Person {
		t.Errorf("%+v", who)
	}
	v, a, _ := h.Of(b.request())
	if head := Header(v, a); head.Taxpayer != "ООО «Пример», ИНН 7707083893" || head.Switch == "" || head.SignOut != PathLogout {
		t.Errorf("%+v", head)
	}
}

func TestLoginOfVisit(t *testing.T) {
	h := open(t)
	b := &browser{h: h}
	b.mustBegin(h.ivan, level.QES)
	v, a, _ := h.Of(b.request())
	if who := h.Login(v, a); who.EmailVerified || who.SID != v.SID || who.Account != string(h.ivan) || who.Level != level.QES || len(who.Proofs) != 1 {
		t.Errorf("%+v", who)
	}
	a.Email, a.EmailConfirmed = person.NewEmail("a@example.ru"), h.now()
	if who := h.Login(v, a); !who.EmailVerified || who.Identity.Email.Reveal() != "a@example.ru" {
		t.Errorf("%+v", who)
	}
}

// TestEnd: by the person, from afar, all but this one; each is told of.
func TestEnd(t *testing.T) {
	h := open(t)
	first, second, other := &browser{h: h}, &browser{h: h}, &browser{h: h}
	v := first.mustBegin(h.ivan, level.QES)
	second.mustBegin(h.ivan, level.Password)
	other.mustBegin(h.olga, level.Password)
	if err := h.EndOne(t.Context(), h.olga, v.Public); err != nil || !first.visits() {
		t.Errorf("somebody else has ended the visit: %v", err)
	}
	w := httptest.NewRecorder()
	if err := h.End(w, second.request()); err != nil {
		t.Fatal(err)
	}
	second.take(w)
	if second.cookie != nil || second.visits() || !first.visits() {
		t.Error("sign-out")
	}
	if err := h.EndOne(t.Context(), h.ivan, v.Public); err != nil || first.visits() {
		t.Errorf("from afar: %v", err)
	}
	if !other.visits() || len(h.ended) != 2 {
		t.Errorf("%d ended", len(h.ended))
	}
	var mine account.Visit
	all := make([]*browser, 5)
	for i := range all {
		all[i] = &browser{h: h}
		mine = all[i].mustBegin(h.ivan, level.Password)
	}
	if n, err := h.EndAll(t.Context(), h.ivan, mine.Public); n != 4 || err != nil || !all[4].visits() || all[0].visits() {
		t.Errorf("all others: %d, %v", n, err)
	}
	if n, err := h.EndAll(t.Context(), h.ivan, ""); n != 1 || err != nil || all[4].visits() || !other.visits() {
		t.Errorf("all: %d, %v", n, err)
	}
	if err := h.End(httptest.NewRecorder(), (&browser{h: h}).request()); err != nil {
		t.Errorf("without a visit: %v", err)
	}
}

// TestFarewell: the services that know a visit are told, and tried again until they take it.
func TestFarewell(t *testing.T) {
	h := open(t)
	b := &browser{h: h}
	b.mustBegin(h.ivan, level.QES)
	who, _ := h.Who(b.request())
	for _, client := range []string{"one", "two", "one"} {
		if err := h.Granted(t.Context(), who, client); err != nil {
			t.Fatal(err)
		}
	}
	if v, _, _ := h.Of(b.request()); !slices.Equal(v.Clients, []string{"one", "two"}) {
		t.Errorf("clients %v", v.Clients)
	}
	if err := h.End(httptest.NewRecorder(), b.request()); err != nil {
		t.Fatal(err)
	}
	if err := h.Granted(t.Context(), who, "three"); reason.Of(err) != reason.VisitOver {
		t.Errorf("a service learns of a visit that is over: %v", err)
	}
	var mu sync.Mutex
	told := map[string]int{}
	tell := func(_ context.Context, client, sid string) error {
		mu.Lock()
		defer mu.Unlock()
		if sid != who.SID {
			t.Errorf("of the visit %q", sid)
		}
		told[client]++
		if client == "two" && told[client] < 3 {
			return errors.New("not now")
		}
		return nil
	}
	deliver := func(want int) {
		t.Helper()
		if n, err := h.Deliver(t.Context(), tell); n != want || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	deliver(2)
	deliver(0) // not so soon
	h.sleep(firstWait)
	deliver(1)
	h.sleep(firstWait)
	deliver(0) // later and later
	h.sleep(firstWait)
	deliver(1)
	h.sleep(logoutLife)
	deliver(0)
	if told["one"] != 1 || told["two"] != 3 {
		t.Errorf("%v", told)
	}
}

// TestFarewellEnds: a service that never answers is given up after a day.
func TestFarewellEnds(t *testing.T) {
	h := open(t)
	b := &browser{h: h}
	b.mustBegin(h.ivan, level.QES)
	who, _ := h.Who(b.request())
	if err := h.Granted(t.Context(), who, "dead"); err != nil {
		t.Fatal(err)
	}
	if n, err := h.EndAll(t.Context(), h.ivan, ""); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	tries, began := 0, h.now()
	for range 1000 {
		n, err := h.Deliver(t.Context(), func(context.Context, string, string) error { return errors.New("dead") })
		if err != nil {
			t.Fatal(err)
		}
		tries += n
		h.sleep(time.Minute * 5)
	}
	if tries < 20 || tries > 60 {
		t.Errorf("tried %d times since %s", tries, began)
	}
}

// TestFarewellSurvives: what a gateway had no time to tell, the next one tells; and visits go
// on.
func TestFarewellSurvives(t *testing.T) {
	path := filepath.Join(t.TempDir(), "accounts.db")
	reopen := func(h *house) {
		t.Helper()
		db, err := store.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil && !errors.Is(err, store.ErrClosed) {
				t.Error(err)
			}
		})
		h.store, h.Keeper = db, New(Options{Store: db, Now: h.now, Life: 12 * time.Hour, Idle: 30 * time.Minute})
	}
	h := &house{t: t, at: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	reopen(h)
	h.ivan = h.add("500100732259", "Примеров Пример Примерович")
	stays, leaves := &browser{h: h}, &browser{h: h}
	stays.mustBegin(h.ivan, level.QES)
	leaves.mustBegin(h.ivan, level.QES)
	who, _ := h.Who(leaves.request())
	if err := h.Granted(t.Context(), who, "service"); err != nil {
		t.Fatal(err)
	}
	if err := h.End(httptest.NewRecorder(), leaves.request()); err != nil {
		t.Fatal(err)
	}
	if err := h.store.Close(); err != nil {
		t.Fatal(err)
	}
	reopen(h)
	if v, _, ok := h.Of(stays.request()); !ok || v.Level != level.QES || len(v.Proofs) != 1 || leaves.visits() {
		t.Errorf("%+v, %v", v, ok)
	}
	told := ""
	n, err := h.Deliver(t.Context(), func(_ context.Context, client, sid string) error { told = client + " " + sid; return nil })
	if n != 1 || err != nil || told != "service "+who.SID {
		t.Errorf("%d, %q, %v", n, told, err)
	}
}

// TestRun: who ends a visit need not wait for the clock.
func TestRun(t *testing.T) {
	h := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan string)
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.Run(ctx, func(ctx context.Context, client, _ string) error {
			select {
			case told <- client:
			case <-ctx.Done():
			}
			return nil
		})
	}()
	for _, client := range []string{"one", "two"} {
		b := &browser{h: h}
		b.mustBegin(h.ivan, level.QES)
		who, _ := h.Who(b.request())
		if err := h.Granted(t.Context(), who, client); err != nil {
			t.Fatal(err)
		}
		if err := h.End(httptest.NewRecorder(), b.request()); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-told:
			if got != client {
				t.Errorf("told %s", got)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("nobody was told")
		}
	}
	cancel()
	<-done
}

// TestMany: an account has no more visits than a person has devices.
func TestMany(t *testing.T) {
	h := open(t)
	all := make([]*browser, maxVisits+2)
	for i := range all {
		all[i] = &browser{h: h}
		all[i].mustBegin(h.ivan, level.Password)
		h.sleep(time.Second)
	}
	if all[0].visits() || all[1].visits() || !all[2].visits() || !all[maxVisits+1].visits() {
		t.Error("the oldest visits go on, or others have ended")
	}
	if len(h.ended) != 2 {
		t.Errorf("%d ended", len(h.ended))
	}
}

// TestRaces: of several proofs at once with one cookie none is lost half way.
func TestRaces(t *testing.T) {
	h := open(t)
	b := &browser{h: h}
	b.mustBegin(h.ivan, level.Password)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			mine := &browser{h: h, cookie: b.cookie}
			if _, err := mine.begin(h.ivan, level.QES); err != nil || !mine.visits() {
				t.Errorf("a sign-in is lost: %v", err)
			}
		})
	}
	wait.Wait()
	if b.visits() {
		t.Error("the old cookie is still good")
	}
}

func FuzzDevice(f *testing.F) {
	f.Add("Mozilla/5.0 (X11; Linux x86_64)")
	f.Add("<script>\r\n\x00\xff")
	f.Add(strings.Repeat("я", 400))
	f.Fuzz(func(t *testing.T, agent string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["User-Agent"] = []string{agent}
		got := DeviceOf(r).Reveal()
		if len(got) > maxDevice || strings.ContainsAny(got, "\r\n\x00\x7f") {
			t.Errorf("%q", got)
		}
	})
}
