package registration

import (
	"errors"
	"html"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/mail"
	"propusk/server/store"
)

// TestForm: what is wrong is said at the field, what was entered stays, answers to pictures
// do not.
func TestForm(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	b := g.browser()
	b.get("/begin?person=ip")
	b.is(b.post(PathBegin, "email", "name@nowhere", "captcha", "00000", "captcha-id", "x"), PathBegin, http.StatusUnprocessableEntity,
		`href="#field-email"`, `href="#field-captcha"`, `value="name@nowhere"`, "Картинка с кодом устарела")
	if strings.Contains(b.page, `value="00000"`) {
		t.Error("the answer is written back")
	}
	id := strings.Split(strings.Split(b.page, `name="captcha-id" value="`)[1], `"`)[0]
	b.is(b.post(PathBegin, "email", "name@example.ru", "captcha", "00000", "captcha-id", id), PathBegin, http.StatusUnprocessableEntity, "введён неверно")
	// A right answer counts even if the rest is wrong, and is not asked for again.
	b.is(b.post(PathBegin, "email", "name"), PathBegin, http.StatusUnprocessableEntity, `href="#field-email"`)
	if strings.Contains(b.page, "captcha") {
		t.Error("a person is asked twice")
	}
	b.is(b.post(PathBegin, "email", "name@example.ru"), pathAgreement, http.StatusOK)
	b.is(b.get(PathBegin+"?edit=1"), PathBegin+"?edit=1", http.StatusOK, `value="name@example.ru"`)
	first := g.progress(b).Number
	b.is(b.post(PathBegin, "email", "new@example.ru"), pathAgreement, http.StatusOK, "new@example.ru")
	if g.progress(b).Number == first {
		t.Error("another agreement has the same number")
	}
}

// TestEnglish: every page has one language.
func TestEnglish(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	b := g.browser()
	b.get("/begin?person=ip")
	b.is(b.get(PathBegin+"?lang=en"), PathBegin+"?lang=en", http.StatusOK, "Registration", "From your certificate")
	b.is(b.post(PathBegin, "email", "x"), PathBegin, http.StatusUnprocessableEntity, "Enter an address of e-mail")
	b.is(b.post(PathBegin, "email", "name@example.ru"), pathAgreement, http.StatusOK, "Agreement", "Sign with propusk-agent")
	if err := b.signs(b.asks(), "ip"); err != nil {
		t.Fatal(err)
	}
	b.is(b.get(PathBegin), pathPassword, http.StatusOK, "The agreement is signed")
	b.is(b.post(pathPassword, "email", "name@example.ru", "password", "short", "again", "short"), pathPassword, http.StatusUnprocessableEntity, "too short")
	b.is(b.post(pathPassword, "email", "name@example.ru", "password", "correct horse", "again", "correct horse"), pathDone, http.StatusOK, "One step is left", "two hours")
	if a := g.account("ip"); a.Language != "en" {
		t.Errorf("letters are in %q", a.Language)
	}
	// In the browser that registers it goes on at once.
	b.is(b.activate(g.linkOf(g.letters(mail.KindActivation)[0])), pathDone, http.StatusOK, "You are registered", `action="`+pathContinue)
}

// progress is that of a browser.
func (g *gateway) progress(b *browser) *progress {
	g.t.Helper()
	r, err := http.NewRequest(http.MethodGet, "/", nil)
	if err != nil {
		g.t.Fatal(err)
	}
	r.AddCookie(b.cookies[cookieName])
	p, err := New(g.options).current(r)
	if err != nil {
		g.t.Fatal(err)
	}
	return p
}

// TestOtherSigner: nobody signs for another, and what was refused changes nothing.
func TestOtherSigner(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	b := g.browser()
	b.toAgreement("ip")
	l := b.asks()
	for _, other := range []string{"ip512", "fl", "ul"} {
		if err := b.signs(l, other); !errors.Is(err, reason.RegistrationPerson) {
			t.Errorf("signed by %s: %v", other, err)
		}
	}
	g.nobody("ip")
	b.is(b.get(PathBegin), pathAgreement, http.StatusOK)
}

func TestSamePerson(t *testing.T) {
	who, err := theCountry(t).Person("ip").Certificate.Identity()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(registers, signs *person.Identity)
		same   bool
	}{
		"the same":                {func(_, _ *person.Identity) {}, true},
		"as another kind":         {func(_, s *person.Identity) { s.Kind, s.OGRNIP = person.Person, person.OGRNIP{} }, true},
		"without СНИЛС":           {func(_, s *person.Identity) { s.SNILS = person.SNILS{} }, true},
		"ИНН in neither":          {func(r, s *person.Identity) { r.INN, s.INN = person.INN{}, person.INN{} }, true},
		"no number":               {func(r, s *person.Identity) { r.INN, s.SNILS = person.INN{}, person.SNILS{} }, false},
		"another name":            {func(_, s *person.Identity) { s.Name = person.NewName("Другой Человек") }, false},
		"no name":                 {func(r, s *person.Identity) { r.Name, s.Name = person.Name{}, person.Name{} }, false},
		"another ИНН, same СНИЛС": {func(_, s *person.Identity) { s.INN = person.INN{}; s.INN, _ = person.ParseINN("500100732259") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			registers, signs := who, who
			test.change(&registers, &signs)
			p := progress{who: registers}
			if err := p.samePerson(signs); (err == nil) != test.same {
				t.Error(err)
			}
		})
	}
	// The ИНН was entered: a newer certificate that states it must state that one.
	old := who
	old.INN = person.INN{}
	if err := (&progress{who: old, INN: who.INN.Reveal()}).samePerson(who); err != nil {
		t.Errorf("the ИНН that was entered: %v", err)
	}
	if err := (&progress{who: old, INN: "500100732259"}).samePerson(who); !errors.Is(err, reason.RegistrationPerson) {
		t.Errorf("another ИНН than was entered: %v", err)
	}
}

// nobody checks that a person has no account, no key and no evidence.
func (g *gateway) nobody(id string) {
	g.t.Helper()
	p := theCountry(g.t).Person(id)
	who, err := p.Certificate.Identity()
	if err != nil {
		g.t.Fatal(err)
	}
	g.view(func(tx store.Tx) error {
		if _, err := tx.AccountByINN(who.INN); !errors.Is(err, store.ErrNotFound) {
			g.t.Errorf("there is an account: %v", err)
		}
		if _, err := tx.Key(p.Certificate.SHA256()); !errors.Is(err, store.ErrNotFound) {
			g.t.Errorf("there is a key: %v", err)
		}
		return nil
	})
}

// TestSignedOnce: however many signatures come, of however many tabs, there is one account.
func TestSignedOnce(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	one, two := g.browser(), g.browser()
	one.toAgreement("ip")
	two.toAgreement("ip")
	orders := []func() error{}
	for _, b := range []*browser{one, one, two} {
		b.get(pathAgreement)
		l := b.asks()
		orders = append(orders, func() error { return b.signs(l, "ip") })
	}
	var group sync.WaitGroup
	failed := make([]error, len(orders))
	for i, sign := range orders {
		group.Go(func() { failed[i] = sign() })
	}
	group.Wait()
	good := 0
	for _, err := range failed {
		switch {
		case err == nil:
			good++
		case !errors.Is(err, reason.RegistrationStep) && !errors.Is(err, reason.RegistrationKnown):
			t.Error(err)
		}
	}
	if good != 1 {
		t.Errorf("%d signatures were taken", good)
	}
	g.view(func(tx store.Tx) error {
		all, err := tx.EvidenceOf(g.account("ip").ID)
		if len(all) != 1 {
			t.Errorf("%d agreements", len(all))
		}
		return err
	})
}

// TestChangedAgreement: a signature of a text that has changed since counts for nothing.
func TestChangedAgreement(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	b := g.browser()
	b.toAgreement("ip")
	old, page := b.asks(), ""
	b.get(pathAgreement)
	page = b.page
	b.get(PathBegin + "?edit=1")
	b.is(b.post(PathBegin, "email", "new@example.ru"), pathAgreement, http.StatusOK)
	if err := b.signs(old, "ip"); !errors.Is(err, reason.RegistrationStep) {
		t.Errorf("the old text: %v", err)
	}
	b.page = page // of another tab
	b.post(pathAgreement, "method", "agent", "number", numberField.FindStringSubmatch(page)[1])
	b.refused(http.StatusConflict, reason.RegistrationStep)
	g.nobody("ip")
}

// TestNoStepIsSkipped: every page and form leads to the step where the registration is.
func TestNoStepIsSkipped(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	stranger := g.browser()
	for _, path := range []string{PathBegin, pathDetails, pathAgreement, pathPassword, pathDone} {
		stranger.get(path)
		stranger.refused(http.StatusForbidden, reason.RegistrationExpired)
	}
	b := g.browser()
	everywhere := func(want string) {
		t.Helper()
		for _, path := range []string{PathBegin, pathDetails, pathAgreement, pathPassword, pathDone} {
			b.is(b.get(path), want, http.StatusOK)
		}
		b.is(b.post(pathContinue), map[bool]string{true: pathDone + "?early=1", false: want}[want == pathDone], http.StatusOK)
	}
	b.get("/begin?person=ip")
	everywhere(PathBegin)
	b.is(b.post(pathPassword, "email", "a@b.ru", "password", "correct horse", "again", "correct horse"), PathBegin, http.StatusOK)
	b.is(b.post(pathAgreement, "method", "agent", "number", ""), PathBegin, http.StatusOK)
	if len(g.desk.asked) > 0 {
		t.Error("nothing was to be signed yet")
	}
	b.is(b.post(PathBegin, "email", "name@example.ru"), pathAgreement, http.StatusOK)
	everywhere(pathAgreement)
	if err := b.signs(b.asks(), "ip"); err != nil {
		t.Fatal(err)
	}
	everywhere(pathPassword)
	b.is(b.post(pathResend, "email", "other@example.ru"), pathPassword, http.StatusOK)
	if g.account("ip").Email.Reveal() != "name@example.ru" || len(g.letters(mail.KindActivation)) > 0 {
		t.Error("a letter without a password")
	}
	b.is(b.post(pathPassword, "email", "name@example.ru", "password", "correct horse", "again", "correct horse"), pathDone, http.StatusOK)
	everywhere(pathDone)
	b.get(pathDone)
	b.is(b.post(pathPassword, "email", "x@example.ru", "password", "another horse", "again", "another horse"), pathDone, http.StatusOK)
	g.view(func(tx store.Tx) error {
		p, err := tx.Password(g.account("ip").ID)
		if p.Hash != "hash of correct horse" || p.Initial || !p.Expires.IsZero() {
			t.Errorf("the password is %+v", p)
		}
		return err
	})
	if len(g.letters(mail.KindActivation)) != 1 {
		t.Error("a letter for every try")
	}
}

// TestForeignForms: no other site sends our forms.
func TestForeignForms(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	b := g.browser()
	b.toDone("ip")
	for _, path := range []string{PathBegin, pathDetails, pathAgreement, pathPassword, pathResend, pathContinue, PathActivate} {
		b.page = "" // without the token
		b.post(path, "email", "evil@example.ru")
		b.refused(http.StatusForbidden, reason.FormExpired)
	}
	if g.account("ip").Email.Reveal() != "name@example.ru" {
		t.Error("another site has changed the address")
	}
}

// TestLink: it is good once, for a while, for the address that it was sent to, and opening it
// does nothing.
func TestLink(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	b := g.browser()
	b.toDone("ip")
	path := g.linkOf(g.letters(mail.KindActivation)[0])
	scanner := g.browser()
	for range 3 {
		scanner.is(scanner.get(path), path, http.StatusOK, "Подтвердить адрес")
	}
	if g.account("ip").State != account.Awaiting {
		t.Fatal("a program that looked through the letter has activated the account")
	}
	for _, bad := range []string{"", "?code=", "?code=x", "?code=" + strings.Repeat("x", 100), "?code=a&code=b"} {
		scanner.get(PathActivate + bad)
		scanner.refused(http.StatusForbidden, reason.ActivationInvalid)
	}

	// Another address voids it.
	b.get(pathDone)
	g.now = g.now.Add(time.Second)
	b.is(b.post(pathResend, "email", "right@example.ru"), pathDone+"?sent=1", http.StatusOK, "ещё раз", "right@example.ru")
	scanner.get(path)
	scanner.refused(http.StatusForbidden, reason.ActivationInvalid)
	// Another letter to the same address does not: letters come late.
	g.now = g.now.Add(time.Second)
	path = g.linkOf(g.letters(mail.KindActivation)[0])
	b.is(b.post(pathResend, "email", "right@example.ru"), pathDone+"?sent=1", http.StatusOK)

	form := g.browser()
	form.get(path)
	before := form.page
	form.activate(path)
	if a := g.account("ip"); a.State != account.Active || a.Email.Reveal() != "right@example.ru" {
		t.Fatalf("the account is %+v", a)
	}
	form.page = before
	form.post(PathActivate, "code", strings.TrimPrefix(path, PathActivate+"?code="))
	form.refused(http.StatusForbidden, reason.ActivationInvalid)
	for _, l := range g.letters(mail.KindActivation) {
		form.get(g.linkOf(l))
		form.refused(http.StatusForbidden, reason.ActivationInvalid)
	}
	// When it is active, nobody changes the address here.
	b.get(pathDone)
	b.is(b.post(pathResend, "email", "evil@example.ru"), pathDone, http.StatusOK)
	if g.account("ip").Email.Reveal() != "right@example.ru" {
		t.Error("the address of an active account has changed")
	}
}

func TestOldLink(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	g.browser().toDone("ip")
	path := g.linkOf(g.letters(mail.KindActivation)[0])
	b := g.browser()
	b.get(path)
	g.now = g.now.Add(72 * time.Hour)
	b.post(PathActivate, "code", strings.TrimPrefix(path, PathActivate+"?code="))
	b.refused(http.StatusForbidden, reason.ActivationInvalid)
	// The person comes again by his key, in another browser, and has it sent again.
	b.is(b.get("/await?person=ip"), pathDone, http.StatusOK)
	b.is(b.post(pathResend, "email", "name@example.ru"), pathDone+"?sent=1", http.StatusOK)
	b.activate(g.linkOf(g.letters(mail.KindActivation)[0]))
	if g.account("ip").State != account.Active {
		t.Error("not active")
	}
}

// TestLettersAreBounded: nobody has anybody flooded with letters.
func TestLettersAreBounded(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	b := g.browser()
	b.toDone("ip")
	for i := range 4 {
		b.is(b.post(pathResend, "email", string(rune('a'+i))+"@example.ru"), pathDone+"?sent=1", http.StatusOK)
	}
	b.is(b.post(pathResend, "email", "last@example.ru"), pathResend, http.StatusTooManyRequests, "слишком часто")
	if a := g.account("ip"); len(g.letters(mail.KindActivation)) != 5 || a.Email.Reveal() != "d@example.ru" {
		t.Errorf("%d letters, the last address is %q", len(g.letters(mail.KindActivation)), a.Email.Reveal())
	}
	g.now = g.now.Add(24 * time.Hour)
	b.is(b.get("/await?person=ip"), pathDone, http.StatusOK)
	b.is(b.post(pathResend, "email", "last@example.ru"), pathDone+"?sent=1", http.StatusOK)
}

// TestLetterOnItsWay: the page tells whether the letter went out (DOMAIN 7.4, row 37).
func TestLetterOnItsWay(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	b := g.browser()
	b.toDone("ip")
	post := func(change func(l *account.Letter)) {
		t.Helper()
		l := g.letters(mail.KindActivation)[0]
		change(&l)
		if err := g.store.Update(t.Context(), func(tx store.Tx) error { return tx.PutLetter(l) }); err != nil {
			t.Fatal(err)
		}
	}
	b.is(b.get(pathDone), pathDone, http.StatusOK, "Письмо отправляется")
	post(func(l *account.Letter) { l.Tries = 1 })
	b.is(b.get(pathDone), pathDone, http.StatusOK, "ещё не ушло")
	post(func(l *account.Letter) { l.Failed = g.now })
	b.is(b.get(pathDone), pathDone, http.StatusOK, "Отправить письмо не удалось")
	g.now = g.now.Add(time.Second)
	b.is(b.post(pathResend, "email", "right@example.ru"), pathDone+"?sent=1", http.StatusOK, "Письмо отправляется")
	post(func(l *account.Letter) { l.Sent = g.now })
	b.is(b.get(pathDone), pathDone, http.StatusOK, "Почтовый сервер принял письмо")

	// In another browser the letter is not known, and nothing is said of it.
	again := g.browser()
	again.is(again.get("/await?person=ip"), pathDone, http.StatusOK)
	if strings.Contains(again.page, "принял письмо") || strings.Contains(again.page, "отправляется") {
		t.Error("a letter of another browser is known")
	}
}

// TestTime: who takes too long begins again, by his key.
func TestTime(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	b := g.browser()
	b.toAgreement("ip")
	l := b.asks()
	g.now = g.now.Add(time.Hour)
	if err := b.signs(l, "ip"); !errors.Is(err, reason.RegistrationExpired) {
		t.Errorf("an agreement of a registration that is over: %v", err)
	}
	b.get(pathAgreement)
	b.refused(http.StatusForbidden, reason.RegistrationExpired)
	g.nobody("ip")
}

// TestAgainByKey: who comes again by his key goes on where he was: in this browser before the
// account, in any browser behind it.
func TestAgainByKey(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	b := g.browser()
	b.toAgreement("ip")
	old := b.cookies[cookieName].Value
	b.is(b.get("/begin?person=ip"), pathAgreement, http.StatusOK)
	if b.cookies[cookieName].Value == old {
		t.Error("the cookie outlives a sign-in")
	}
	thief := g.browser()
	thief.cookies[cookieName] = &http.Cookie{Name: cookieName, Value: old}
	thief.get(pathAgreement)
	thief.refused(http.StatusForbidden, reason.RegistrationExpired)
	// Another person in the same browser sees nothing of it.
	b.is(b.get("/begin?person=ip512"), PathBegin, http.StatusOK, theCountry(t).Person("ip512").INN)
	b.is(b.get("/begin?person=ip"), PathBegin, http.StatusOK)
	b.is(b.post(PathBegin, "email", "name@example.ru"), pathAgreement, http.StatusOK)
	if err := b.signs(b.asks(), "ip"); err != nil {
		t.Fatal(err)
	}
	other := g.browser()
	other.is(other.get("/await?person=ip"), pathPassword, http.StatusOK)
	other.is(other.post(pathPassword, "email", "name@example.ru", "password", "correct horse", "again", "correct horse"), pathDone, http.StatusOK)
	// Who had begun before the account was there does not get a second one.
	late := g.browser()
	late.toAgreement("ip")
	if err := late.signs(late.asks(), "ip"); !errors.Is(err, reason.RegistrationKnown) {
		t.Error(err)
	}
}

// TestBlockedMeanwhile: what an operator has ended does not go on.
func TestBlockedMeanwhile(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	b := g.browser()
	b.toDone("ip")
	link := g.linkOf(g.letters(mail.KindActivation)[0])
	reject := g.browser()
	reject.get(link)
	id := g.account("ip").ID
	if err := g.store.Update(t.Context(), func(tx store.Tx) error {
		a, err := tx.Account(id)
		if err != nil {
			return err
		}
		a.State, a.Why = account.Rejected, reason.AccountRejected
		return tx.PutAccount(&a)
	}); err != nil {
		t.Fatal(err)
	}
	b.get(pathDone)
	b.refused(http.StatusForbidden, reason.AccountRejected)
	reject.post(PathActivate, "code", strings.TrimPrefix(link, PathActivate+"?code="))
	reject.refused(http.StatusForbidden, reason.ActivationInvalid)
}

// TestForgotten: an account that nobody has activated in time is gone, and its person may begin
// again; what he has signed stays.
func TestForgotten(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	b := g.browser()
	b.toDone("ip")
	id := g.account("ip").ID
	if err := g.store.Update(t.Context(), func(tx store.Tx) error { return tx.DeleteAccount(id) }); err != nil {
		t.Fatal(err)
	}
	b.get(pathDone)
	b.refused(http.StatusForbidden, reason.RegistrationExpired)
	g.browser().toDone("ip")
	g.view(func(tx store.Tx) error {
		old, err := tx.EvidenceOf(id)
		if len(old) != 1 {
			t.Errorf("%d agreements of the account that is gone", len(old))
		}
		return err
	})
}

// TestRevokedMeanwhile: a key that was proven an hour ago lets nobody in who would not get in
// by it now.
func TestRevokedMeanwhile(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	b := g.browser()
	b.toDone("ip")
	b.activate(g.linkOf(g.letters(mail.KindActivation)[0]))
	page := b.page
	g.judged = reason.CertRevoked
	b.post(pathContinue)
	b.refused(http.StatusForbidden, reason.CertRevoked)
	g.judged, b.page = nil, page
	if b.post(pathContinue); b.status != http.StatusNoContent || len(g.admitted) != 1 {
		t.Errorf("%d, admitted %d", b.status, len(g.admitted))
	}
}

// TestNotOpen: no account is opened by a certificate of another kind.
func TestNotOpen(t *testing.T) {
	g := newGateway(t, func(o *Options) { o.Kinds = []person.Kind{person.Entrepreneur} })
	b := g.browser()
	b.get("/begin?person=fl")
	b.refused(http.StatusForbidden, reason.RegistrationNotOpen)
}

// TestRestart: the program ends at every step, and the person notices nothing but a picture.
func TestRestart(t *testing.T) {
	g := newGateway(t)
	path := filepath.Join(t.TempDir(), "accounts.db")
	restart := func() {
		t.Helper()
		if err := g.store.Close(); err != nil {
			t.Fatal(err)
		}
		var err error
		if g.store, err = store.Open(path); err != nil {
			t.Fatal(err)
		}
		g.start()
	}
	restart()
	g.knows("ip")
	b := g.browser()
	b.is(b.get("/begin?person=ip"), PathBegin, http.StatusOK)
	restart()
	b.is(b.post(PathBegin, "email", "name@example.ru"), PathBegin, http.StatusUnprocessableEntity, `value="name@example.ru"`, "Картинка")
	b.is(b.post(PathBegin, "email", "name@example.ru"), pathAgreement, http.StatusOK)
	text := b.page
	restart()
	b.is(b.get(PathBegin), pathAgreement, http.StatusOK)
	if html.UnescapeString(numberField.FindString(b.page)) != html.UnescapeString(numberField.FindString(text)) {
		t.Error("the agreement is another one")
	}
	if err := b.signs(b.asks(), "ip"); err != nil {
		t.Fatal(err)
	}
	restart()
	b.is(b.get(PathBegin), pathPassword, http.StatusOK)
	b.is(b.post(pathPassword, "email", "name@example.ru", "password", "correct horse", "again", "correct horse"), pathDone, http.StatusOK)
	restart()
	other := g.browser()
	link := g.linkOf(g.letters(mail.KindActivation)[0])
	other.get(link)
	restart()
	other.post(PathActivate, "code", strings.TrimPrefix(link, PathActivate+"?code="))
	other.is(PathActivate, PathActivate, http.StatusOK)
	restart()
	b.is(b.get(PathBegin), pathDone, http.StatusOK)
	b.post(pathContinue)
	if b.status != http.StatusNoContent {
		t.Errorf("%d\n%s", b.status, b.page)
	}
}

// TestSealed: a copy of the store does not give away what was entered, nor links.
func TestSealed(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	b := g.browser()
	b.toAgreement("ip")
	p := g.progress(b)
	g.view(func(tx store.Tx) error {
		s, err := tx.Secret(purposeProgress, p.digest, g.now)
		if strings.Contains(string(s.Data), "name@example.ru") || strings.Contains(string(s.Data), "СОГЛАШЕНИЕ") {
			t.Error("the progress is not sealed")
		}
		return err
	})
	if strings.Contains(string(p.digest[:]), b.cookies[cookieName].Value) {
		t.Error("the cookie is kept")
	}
}
