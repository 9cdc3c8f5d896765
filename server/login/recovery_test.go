package login_test

import (
	"errors"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/server/account"
	"propusk/server/card"
	"propusk/server/journal"
	"propusk/server/login"
	"propusk/server/mail"
	"propusk/server/mail/mailbox"
	"propusk/server/store"
	"propusk/server/testgateway"
)

// issuer issues cards beside the gateway, as the command does.
func (g *gateway) issuer() card.Issuer {
	return card.Issuer{
		Store: g.db, Hasher: g.hasher, Mail: mail.Composer{Gateway: "Пропуск", URL: g.Config.Public.URL}, Now: g.Clock,
	}
}

// card issues a card for a new person.
func (g *gateway) card(delivery string) card.Printed {
	g.t.Helper()
	number, err := person.ParseINN("770000000156")
	if err != nil {
		g.t.Fatal(err)
	}
	p, err := g.issuer().Issue(g.t.Context(), card.Order{
		INN: number, Reason: card.Connect, Delivery: delivery, Kind: person.Person, Name: person.NewName("Вымыслова Анна Ивановна"),
		Email: person.NewEmail("card@people.example"), By: "operator",
	})
	if err != nil {
		g.t.Fatal(err)
	}
	return p
}

// change fills in the form for a new password.
func (g *gateway) change(c *http.Client, form testgateway.Answer, path, link, fresh string) testgateway.Answer {
	g.t.Helper()
	fields := url.Values{"new-password": {fresh}, "repeat-password": {fresh}}
	if link != "" {
		fields.Set("link", link)
	}
	return g.PostForm(c, form, path, fields)
}

// TestFirstPassword: the password of a card is good for one sign-in, which changes it.
func TestFirstPassword(t *testing.T) {
	g := start(t)
	p := g.card(card.InPerson)
	number := p.Login.Reveal()
	c := g.Browser()
	form := g.moved(c, g.password(c, "", number, p.Password), login.PathChange)
	if !strings.Contains(form.Text, `autocomplete="new-password"`) || !strings.Contains(form.Text, `value="`+number+`"`) {
		t.Error(form.Text)
	}
	for _, fresh := range []string{"короткий", p.Password, "Вымыслова-Анна-9", "Password1!"} {
		got := g.change(c, form, login.PathChange, "", fresh)
		if got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.Text, `href="#field-new-password"`) || strings.Contains(got.Text, fresh) {
			t.Errorf("%q: %d\n%s", fresh, got.StatusCode, got.Text)
		}
	}
	got := g.PostForm(c, form, login.PathChange, url.Values{"new-password": {good}, "repeat-password": {good + "x"}})
	if got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.Text, `href="#field-repeat-password"`) {
		t.Errorf("not repeated: %d", got.StatusCode)
	}
	g.entered(g.change(c, form, login.PathChange, "", good))
	g.refused(g.change(c, form, login.PathChange, "", better), http.StatusForbidden, reason.LoginExpired)
	g.refused(g.password(g.Browser(), "", number, p.Password), http.StatusForbidden, reason.LoginWrong)
	g.entered(g.password(g.Browser(), "", number, good))
	if l := g.Mail.Letters("card@people.example"); len(l) > 0 {
		t.Errorf("%d letters to an address that nobody has confirmed", len(l))
	}
}

// TestCardByEmail: who comes with the password of a letter has confirmed the address.
func TestCardByEmail(t *testing.T) {
	g := start(t)
	p := g.card(card.ByEmail)
	g.letter("card@people.example", p.Password)
	c := g.Browser()
	form := g.moved(c, g.password(c, "", p.Login.Reveal(), p.Password), login.PathChange)
	g.entered(g.change(c, form, login.PathChange, "", good))
	g.letter("card@people.example", "ароль")
	g.update(func(tx store.Tx) error {
		a, err := tx.Account(p.Account)
		if err == nil && a.EmailConfirmed.IsZero() {
			t.Error("the address is not confirmed")
		}
		return err
	})
}

// TestCardExpires: after a month the account is blocked, and another card opens it.
func TestCardExpires(t *testing.T) {
	g := start(t)
	p := g.card(card.InPerson)
	g.later(p.Expires.Sub(g.Clock()) + time.Second)
	g.refused(g.password(g.Browser(), "", p.Login.Reveal(), p.Password), http.StatusForbidden, reason.AccountCardExpired)
	g.update(func(tx store.Tx) error {
		a, err := tx.Account(p.Account)
		if err == nil && (a.State != account.Blocked || a.Why != reason.AccountCardExpired) {
			t.Errorf("%s, %s", a.State, a.Why)
		}
		return err
	})
	// Whoever opened the account again, by a key, has given the password no new life; and it
	// does not shut him out once more.
	for range 2 {
		g.update(func(tx store.Tx) error {
			a, err := tx.Account(p.Account)
			a.State, a.Why = account.Active, ""
			return errors.Join(err, tx.PutAccount(&a))
		})
		g.refused(g.password(g.Browser(), "", p.Login.Reveal(), p.Password), http.StatusForbidden, reason.AccountCardExpired)
	}
	g.update(func(tx store.Tx) error {
		a, err := tx.Account(p.Account)
		if a.State != account.Active {
			t.Errorf("the account is %s again", a.State)
		}
		return err
	})
	fresh, err := g.issuer().Issue(t.Context(), card.Order{INN: p.Login, Reason: card.NewPassword, Delivery: card.InPerson, By: "operator"})
	if err != nil {
		t.Fatal(err)
	}
	g.refused(g.password(g.Browser(), "", p.Login.Reveal(), p.Password), http.StatusForbidden, reason.LoginWrong)
	c := g.Browser()
	form := g.moved(c, g.password(c, "", p.Login.Reveal(), fresh.Password), login.PathChange)
	g.entered(g.change(c, form, login.PathChange, "", good))
}

// TestRecovery: a link is good once, whoever opened it before, and ends what was.
func TestRecovery(t *testing.T) {
	g := start(t)
	a := g.person("ip")
	old := g.Browser()
	g.entered(g.password(old, "", inn(a), good))
	c := g.Browser()
	form := g.Get(c, g.Config.Public.URL+login.PathRecovery)
	ask := url.Values{"login": {inn(a)}, "email": {"IP@people.example"}, "code-word": {"Синяя птица"}}
	if got := g.PostForm(c, form, login.PathRecovery, ask); got.StatusCode != http.StatusOK {
		t.Fatalf("%d\n%s", got.StatusCode, got.Text)
	}
	link, ok := g.letter("ip@people.example", login.PathReset).Link(g.Config.Public.URL + login.PathReset)
	if !ok {
		t.Fatal("the letter has no link")
	}
	g.Get(g.Browser(), link) // a program that looks into letters
	elsewhere := g.Browser()
	page := g.Get(elsewhere, link)
	if page.StatusCode != http.StatusOK || strings.Contains(page.Text, inn(a)) {
		t.Fatalf("%d\n%s", page.StatusCode, page.Text)
	}
	to, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	code := to.Query().Get("link")
	if got := g.change(elsewhere, page, login.PathReset, code, "слабый"); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a weak password: %d", got.StatusCode)
	}
	if got := g.change(elsewhere, page, login.PathReset, code, better); got.StatusCode != http.StatusOK || !strings.Contains(got.Text, "Пароль изменён") {
		t.Fatalf("%d\n%s", got.StatusCode, got.Text)
	}
	g.refused(g.change(elsewhere, page, login.PathReset, code, good), http.StatusForbidden, reason.LoginRecoveryLink)
	g.refused(g.Get(elsewhere, link), http.StatusForbidden, reason.LoginRecoveryLink)
	if got := g.Get(old, g.authorize("")); !strings.Contains(got.Location(), "/signin?request=") {
		t.Errorf("the visit of before goes on: %s", got.Location())
	}
	g.refused(g.password(g.Browser(), "", inn(a), good), http.StatusForbidden, reason.LoginWrong)
	g.entered(g.password(elsewhere, "", inn(a), better))
	if strings.Contains(g.Log.String(), code) || strings.Contains(g.Log.String(), "птица") {
		t.Error("the log has a secret")
	}
}

// TestRecoveryEnds: links do not live long, and the last one makes the others void.
func TestRecoveryEnds(t *testing.T) {
	g := start(t)
	a := g.person("ip")
	c := g.Browser()
	form := g.Get(c, g.Config.Public.URL+login.PathRecovery)
	var links []string
	for range 2 {
		g.PostForm(c, form, login.PathRecovery, url.Values{"login": {inn(a)}, "email": {"ip@people.example"}, "code-word": {"синяя птица"}})
		_, err := g.Mail.Wait(t.Context(), "ip@people.example", func(l mailbox.Letter) bool {
			link, ok := l.Link(g.Config.Public.URL + login.PathReset)
			if ok = ok && !slices.Contains(links, link); ok {
				links = append(links, link)
			}
			return ok
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	g.refused(g.Get(c, links[0]), http.StatusForbidden, reason.LoginRecoveryLink)
	if got := g.Get(c, links[1]); got.StatusCode != http.StatusOK {
		t.Errorf("%d\n%s", got.StatusCode, got.Text)
	}
	g.later(time.Hour)
	g.refused(g.Get(c, links[1]), http.StatusForbidden, reason.LoginRecoveryLink)
	g.refused(g.Get(c, g.Config.Public.URL+login.PathReset), http.StatusForbidden, reason.LoginRecoveryLink)
}

// TestRecoveryAttempts: code words are not guessed for long.
func TestRecoveryAttempts(t *testing.T) {
	g := start(t)
	a := g.person("ip")
	c := g.Browser()
	form := g.Get(c, g.Config.Public.URL+login.PathRecovery)
	var got testgateway.Answer
	for range 6 {
		got = g.PostForm(c, form, login.PathRecovery, url.Values{"login": {inn(a)}, "email": {"ip@people.example"}, "code-word": {"другое слово"}})
	}
	g.refused(got, http.StatusTooManyRequests, reason.LoginRecoveryAttempts)
}

// TestRecoveryByKey: a key that was shown just now sets a password, and none is needed before.
func TestRecoveryByKey(t *testing.T) {
	g := start(t)
	a := g.AddAccount(g.db, "ip")
	c := g.GOSTBrowser("ip")
	to := g.Get(c, g.Config.Public.URL+login.PathByKey)
	for range 10 {
		if to.Location() == "" || strings.HasPrefix(to.Location(), testgateway.Callback) {
			break
		}
		next, err := to.Request.URL.Parse(to.Location())
		if err != nil {
			t.Fatal(err)
		}
		if next.Path == "/signin" && next.Host == hostOf(t, g.Config.Public.URL) {
			next, _ = url.Parse(g.Config.SignIn.URL + "/signin?" + next.RawQuery)
		}
		to = g.Get(c, next.String())
	}
	if to.StatusCode != http.StatusOK || to.Request.URL.Path != login.PathByKey {
		t.Fatalf("%d at %s\n%s", to.StatusCode, to.Request.URL, to.Text)
	}
	if got := g.change(c, to, login.PathByKey, "", good); got.StatusCode != http.StatusOK || !strings.Contains(got.Text, "Пароль изменён") {
		t.Fatalf("%d\n%s", got.StatusCode, got.Text)
	}
	g.entered(g.password(g.Browser(), "", inn(a), good))
	// A password is no key: with it nobody sets another one here.
	low := g.Browser()
	g.entered(g.password(low, "", inn(a), good))
	if got := g.Get(low, g.Config.Public.URL+login.PathByKey); !strings.Contains(got.Location(), "/signin?request=") {
		t.Errorf("%d to %s", got.StatusCode, got.Location())
	}
	if got := g.change(low, to, login.PathByKey, "", better); got.StatusCode == http.StatusOK && strings.Contains(got.Text, "Пароль изменён") {
		t.Error("a password sets another one")
	}
}

func hostOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// TestJournal: the person sees who came and who tried, and nothing secret is kept.
func TestJournal(t *testing.T) {
	g := start(t)
	a := g.person("ip")
	g.refused(g.password(g.Browser(), "", inn(a), "Неверный-пароль-1"), http.StatusForbidden, reason.LoginWrong)
	g.entered(g.password(g.Browser(), "", inn(a), good))
	g.Stop()
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	file, err := journal.Open(g.Config.Journal.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := file.Read(t.Context(), 1, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, r := range records {
		if r.Kind == journal.SignIn {
			found = append(found, r.Action+" "+r.Conclusion+" "+string(r.Reason))
			if r.Subject == "" || r.Client != testgateway.ClientID || r.Support == "" {
				t.Errorf("%+v", r)
			}
		}
		if line := string(r.Line()); strings.Contains(line, inn(a)) || strings.Contains(line, good) {
			t.Errorf("the journal has %s", line)
		}
	}
	want := []string{"password " + report.TotalFailed + " " + string(reason.LoginWrong), "password " + report.TotalPassed + " "}
	if !slices.Equal(found, want) {
		t.Errorf("%q, want %q", found, want)
	}
}

// TestCards: what a card does to accounts that are there, and what it does not.
func TestCards(t *testing.T) {
	g := start(t)
	a := g.person("ip")
	c := g.Browser()
	g.entered(g.password(c, "", inn(a), good))
	issue := func(reason string) (card.Printed, error) {
		return g.issuer().Issue(t.Context(), card.Order{
			INN: a.Identity.INN, Reason: reason, Delivery: card.InPerson, Kind: person.Person, Name: a.Identity.Name, By: "operator",
		})
	}
	if _, err := issue(card.Connect); !errors.Is(err, card.ErrKnown) {
		t.Error(err)
	}
	p, err := issue(card.NewPassword)
	if err != nil {
		t.Fatal(err)
	}
	g.letter("ip@people.example", "арт")
	for _, l := range g.Mail.Letters("ip@people.example") {
		if strings.Contains(html.UnescapeString(l.Text), p.Password) {
			t.Error("the password of a card that was handed over is in a letter")
		}
	}
	if got := g.Get(c, g.authorize("")); !strings.Contains(got.Location(), "/signin?request=") {
		t.Error("a visit of before the card goes on")
	}
	g.update(func(tx store.Tx) error {
		now, err := tx.Account(a.ID)
		now.State = account.Closed
		return errors.Join(err, tx.PutAccount(&now))
	})
	g.refused(g.password(g.Browser(), "", inn(a), p.Password), http.StatusForbidden, reason.AccountClosed)
	if _, err := issue(card.NewPassword); !errors.Is(err, card.ErrState) {
		t.Error("a closed account is opened:", err)
	}
}
