package registration

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/form"
	"propusk/server/mail"
	"propusk/server/page"
	"propusk/server/store"
)

// TestTwoSteps: when name and numbers do not decide, birthday and document do (IP-04).
func TestTwoSteps(t *testing.T) {
	g := newGateway(t)
	e := g.knows("ip")
	g.register.entry.Name = person.NewName("Прежнефамильев Пример Примерович")
	b := g.browser()
	b.get("/begin?person=ip")
	b.is(b.post(PathBegin, "email", "name@example.ru"), pathDetails, http.StatusOK, "Дополнительные сведения", e.INN.Reveal())
	if strings.Contains(b.page, "Прежнефамильев") {
		t.Error("the page tells what the register has")
	}
	b.is(b.post(pathDetails, "born", "30.02.1980", "document", "12"), pathDetails, http.StatusUnprocessableEntity,
		`href="#field-born"`, `href="#field-document"`, `value="30.02.1980"`)
	b.is(b.post(pathDetails, "born", "28.02.1980", "document", "45 01 123456"), pathAgreement, http.StatusOK)
	if strings.Contains(b.page, "сотрудник") {
		t.Error("a person checks what is the same")
	}
	if err := b.signs(b.asks(), "ip"); err != nil {
		t.Fatal(err)
	}
	if a := g.account("ip"); a.State != account.Awaiting || a.Why != "" {
		t.Errorf("the account is %+v", a)
	}
}

// TestPending: what cannot be decided a person decides; the address is confirmed meanwhile
// (IP-07).
func TestPending(t *testing.T) {
	for name, test := range map[string]struct {
		change func(g *gateway)
		code   reason.Code
	}{
		"not there":       {func(g *gateway) { g.register.entry.INN = person.INN{} }, reason.RegisterNotFound},
		"another ОГРНИП":  {func(g *gateway) { g.register.entry.OGRNIP = person.OGRNIP{} }, reason.RegisterNotFound},
		"another history": {func(g *gateway) { g.register.entry.Name = person.NewName("Совсем Другой") }, reason.RegisterMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t)
			g.knows("ip")
			test.change(g)
			b := g.browser()
			b.get("/begin?person=ip")
			// The same page whatever the register has said.
			b.is(b.post(PathBegin, "email", "name@example.ru"), pathDetails, http.StatusOK)
			b.is(b.post(pathDetails, "born", "01.01.1990", "document", "4501 654321"), pathAgreement, http.StatusOK, "данные проверит сотрудник", "до 15 рабочих дней")
			if err := b.signs(b.asks(), "ip"); err != nil {
				t.Fatal(err)
			}
			b.is(b.get(PathBegin), pathPassword, http.StatusOK)
			b.is(b.post(pathPassword, "email", "name@example.ru", "password", "correct horse", "again", "correct horse"), pathDone, http.StatusOK, "проверит сотрудник")
			if a := g.account("ip"); a.State != account.Pending || a.Why != test.code || !a.ActivateBy.IsZero() {
				t.Errorf("the account is %+v", a)
			}
			other := g.browser()
			other.is(other.activate(g.linkOf(g.letters(mail.KindActivation)[0])), PathActivate, http.StatusOK, "Адрес подтверждён", "До её окончания войти нельзя")
			if a := g.account("ip"); a.State != account.Pending || a.EmailConfirmed.IsZero() {
				t.Errorf("the account is %+v", a)
			}
			if len(g.letters(mail.KindPendingCheck)) != 1 || len(g.letters(mail.KindRegistered)) != 0 {
				t.Error("the letters do not tell of the check")
			}
			b.is(b.get(pathDone), pathDone, http.StatusOK, "Данные проверяет сотрудник")
			if strings.Contains(b.page, `action="`+pathContinue) {
				t.Error("a button that leads nowhere")
			}
		})
	}
}

// TestRegisterAway: nothing is lost while the register does not answer.
func TestRegisterAway(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	g.register.err = reason.Errorf(reason.RegisterUnavailable, "away")
	b := g.browser()
	b.get("/begin?person=ip")
	b.is(b.post(PathBegin, "email", "name@example.ru"), PathBegin, http.StatusServiceUnavailable, "Реестр предпринимателей сейчас не отвечает", `value="name@example.ru"`)
	g.register.err = nil
	g.register.entry.Name = person.NewName("Совсем Другой")
	b.is(b.post(PathBegin, "email", "name@example.ru"), pathDetails, http.StatusOK)
	g.register.err = reason.Errorf(reason.RegisterUnavailable, "away")
	b.is(b.post(pathDetails, "born", "28.02.1980", "document", "4501 123456"), pathDetails, http.StatusServiceUnavailable, `value="4501 123456"`)
	g.register.err = nil
	b.is(b.post(pathDetails, "born", "28.02.1980", "document", "4501 123456"), pathAgreement, http.StatusOK)
}

// TestGuessing: the register is not asked without end, and what it says is not told apart.
func TestGuessing(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	g.register.entry.Name = person.NewName("Совсем Другой")
	b := g.browser()
	b.get("/begin?person=ip")
	for range maxChecks {
		b.get(PathBegin + "?edit=1")
		b.is(b.post(PathBegin, "email", "name@example.ru"), pathDetails, http.StatusOK)
	}
	b.post(pathDetails, "born", "28.02.1980", "document", "4501 123456")
	b.refused(http.StatusTooManyRequests, reason.RegistrationAttempts)
	if g.register.asked != maxChecks {
		t.Errorf("asked %d times", g.register.asked)
	}
}

// TestOtherTab: what the register says of some data is not believed of others, which another
// tab has sent while the register was looking.
func TestOtherTab(t *testing.T) {
	g := newGateway(t)
	g.knows("fl")
	own, foreign := theCountry(t).Person("ip").OGRNIP, theCountry(t).Person("ip512").OGRNIP
	var err error
	if g.register.entry.OGRNIP, err = person.ParseOGRNIP(own); err != nil {
		t.Fatal(err)
	}
	b := g.browser()
	b.get("/begin?person=fl")
	b.is(b.post(PathBegin, "email", "name@example.ru", "ogrnip", own), pathDetails, http.StatusOK)
	details := b.page
	g.register.during = func() { // the register has the question about one's own number
		g.register.err = reason.Errorf(reason.RegisterUnavailable, "away")
		b.get(PathBegin + "?edit=1")
		b.is(b.post(PathBegin, "email", "name@example.ru", "ogrnip", foreign), PathBegin, http.StatusServiceUnavailable)
		g.register.err = nil
	}
	b.page = details
	b.post(pathDetails, "born", "1980-02-28", "document", "4501123456")
	b.refused(http.StatusConflict, reason.RegistrationStep)
	b.is(b.get(pathAgreement), PathBegin, http.StatusOK)
	if p := g.progress(b); p.Step != atForm || p.Registered {
		t.Errorf("the foreign number is believed: step %d, registered %v", p.Step, p.Registered)
	}
}

// TestGuessingAnew: who begins again and again by one certificate gets no more questions.
func TestGuessingAnew(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	g.register.entry.Name = person.NewName("Совсем Другой")
	for i := range maxDayChecks {
		b := g.browser()
		b.get("/begin?person=ip")
		if got := b.post(PathBegin, "email", "name@example.ru"); got != pathDetails {
			t.Fatalf("question %d: at %s with %d", i, got, b.status)
		}
	}
	b := g.browser()
	b.get("/begin?person=ip")
	b.post(PathBegin, "email", "name@example.ru")
	b.refused(http.StatusTooManyRequests, reason.RegistrationAttempts)
	if g.register.asked != maxDayChecks {
		t.Errorf("asked %d times", g.register.asked)
	}
	g.now = g.now.Add(24 * time.Hour)
	b = g.browser()
	b.get("/begin?person=ip")
	b.is(b.post(PathBegin, "email", "name@example.ru"), pathDetails, http.StatusOK)
}

// TestPersonWithoutNumber: who is an entrepreneur by the register and not by the certificate
// acts as both (IP-13, BY-09); who is none is not asked about.
func TestPersonWithoutNumber(t *testing.T) {
	g := newGateway(t)
	g.knows("fl")
	ip := theCountry(t).Person("ip")
	var err error
	if g.register.entry.OGRNIP, err = person.ParseOGRNIP(ip.OGRNIP); err != nil {
		t.Fatal(err)
	}
	g.register.entry.Closed = time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	b := g.browser()
	b.is(b.get("/begin?person=fl"), PathBegin, http.StatusOK, `name="ogrnip"`)
	b.is(b.post(PathBegin, "email", "name@example.ru", "ogrnip", "123"), PathBegin, http.StatusUnprocessableEntity, `href="#field-ogrnip"`, `value="123"`)
	// Nothing but the register vouches for what was entered: name and numbers are not enough.
	b.is(b.post(PathBegin, "email", "name@example.ru", "ogrnip", ip.OGRNIP), pathDetails, http.StatusOK, ip.OGRNIP)
	b.is(b.post(pathDetails, "born", "1980-02-28", "document", "4501123456"), pathAgreement, http.StatusOK, ip.OGRNIP)
	if err := b.signs(b.asks(), "fl"); err != nil {
		t.Fatal(err)
	}
	a := g.account("fl")
	if len(a.Taxpayers) != 2 || a.Taxpayers[0].Kind != person.Person || a.Taxpayers[1].Kind != person.Entrepreneur ||
		a.Taxpayers[1].OGRNIP.Reveal() != ip.OGRNIP || !a.Closed.Equal(g.register.entry.Closed) || a.Identity.Kind != person.Person {
		t.Errorf("the account is %+v", a)
	}

	for _, id := range []string{"fl", "ul"} {
		g := newGateway(t)
		g.browser().toAgreement(id)
		if g.register.asked != 0 {
			t.Errorf("%s: the register of entrepreneurs is asked about who is none", id)
		}
	}
	g = newGateway(t, func(o *Options) { o.Register = nil })
	g.browser().toAgreement("ip") // the certificate is believed
	b = g.browser()
	b.get("/begin?person=fl")
	b.is(b.post(PathBegin, "email", "name@example.ru", "ogrnip", ip.OGRNIP), pathDetails, http.StatusOK) // what was entered is not
}

// TestNumbersOfCertificate: what the certificate says cannot be entered otherwise.
func TestNumbersOfCertificate(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	other := theCountry(t).Person("ip512")
	b := g.browser()
	b.get("/begin?person=ip")
	b.is(b.post(PathBegin, "email", "name@example.ru", "inn", other.INN, "ogrnip", other.OGRNIP), pathAgreement, http.StatusOK, theCountry(t).Person("ip").INN)
	if strings.Contains(b.page, other.INN) || strings.Contains(b.page, other.OGRNIP) {
		t.Error("the numbers of another person are in the agreement")
	}
}

// TestAskINN: an old certificate without ИНН: it is asked for, and nobody but the register
// vouches for it.
func TestAskINN(t *testing.T) {
	who, err := theCountry(t).Person("ip").Certificate.Identity()
	if err != nil {
		t.Fatal(err)
	}
	inn := who.INN
	who.INN = person.INN{}
	p := &progress{who: who}
	for _, bad := range []string{"", "1", "500100732258", "000000000000"} {
		if errs := p.check(form.Values{"inn": bad, "email": "a@b.ru"}); len(errs) != 1 || errs[0].Field != "inn" {
			t.Errorf("%q: %v", bad, errs)
		}
	}
	if errs := p.check(form.Values{"inn": inn.Reveal(), "email": "a@b.ru"}); len(errs) != 0 {
		t.Errorf("%v", errs)
	}
	p.INN = inn.Reveal()
	g := newGateway(t)
	g.knows("ip")
	r := New(g.options)
	match, _, _, err := r.match(t.Context(), p)
	if err != nil || match != 1 { // register.More
		t.Errorf("by name and numbers: %d, %v", match, err)
	}
	p.Born, p.Document = "1980-02-28", "4501123456"
	if match, _, _, err = r.match(t.Context(), p); err != nil || match != 2 { // register.Same
		t.Errorf("with details: %d, %v", match, err)
	}
	g.register.entry.Name = person.NewName("Совсем Другой")
	if match, _, _, err = r.match(t.Context(), p); err != nil || match != 0 { // register.Mismatch
		t.Errorf("the ИНН, birthday and document of somebody else: %d, %v", match, err)
	}
	a := r.newAccount(p, g.now)
	if a.Identity.INN != inn || a.Taxpayers[0].INN != inn {
		t.Errorf("the account is %+v", a)
	}
}

// TestTaken: who has got an account meanwhile, by a card, does not get another one.
func TestTaken(t *testing.T) {
	g := newGateway(t)
	g.knows("ip")
	b := g.browser()
	b.toAgreement("ip")
	l := b.asks()
	who, err := theCountry(t).Person("ip").Certificate.Identity()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.store.Update(t.Context(), func(tx store.Tx) error {
		return tx.PutAccount(&account.Account{ID: account.NewID(), Identity: who, State: account.Active, Registered: g.now, Language: "ru", Origin: account.ByCard})
	}); err != nil {
		t.Fatal(err)
	}
	if err := b.signs(l, "ip"); !errors.Is(err, reason.RegistrationKnown) {
		t.Errorf("%v", err)
	}
	b.is(b.get(PathBegin), pathAgreement, http.StatusOK)
}

// TestWait: the days are counted as people do.
func TestWait(t *testing.T) {
	for _, test := range []struct {
		days    int
		working bool
		ru, en  string
	}{
		{15, true, " Проверка занимает до 15 рабочих дней.", " The check takes up to 15 working days."},
		{15, false, " Проверка занимает до 15 дней.", " The check takes up to 15 days."},
		{21, true, " Проверка занимает до 21 рабочего дня.", " The check takes up to 21 working days."},
		{11, false, " Проверка занимает до 11 дней.", " The check takes up to 11 days."},
		{1, false, " Проверка занимает до 1 дня.", " The check takes up to 1 day."},
	} {
		g := New(Options{CheckDays: test.days, WorkingDays: test.working})
		if got := g.wait(page.Text{}); got.RU != test.ru || got.EN != test.en {
			t.Errorf("%d: %q", test.days, got)
		}
	}
}
