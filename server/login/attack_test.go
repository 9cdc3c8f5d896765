package login_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/card"
	"propusk/server/login"
	"propusk/server/mail"
	"propusk/server/store"
	"propusk/server/testgateway"
)

// newCard issues a card for an account that is there.
func (g *gateway) newCard(a account.Account, delivery, email string) card.Printed {
	g.t.Helper()
	p, err := g.issuer().Issue(g.t.Context(), card.Order{
		INN: a.Identity.INN, Reason: card.NewPassword, Delivery: delivery, Email: person.NewEmail(email), By: "operator",
	})
	if err != nil {
		g.t.Fatal(err)
	}
	return p
}

// askLink asks for a link of recovery, and returns the one that came.
func (g *gateway) askLink(a account.Account) string {
	g.t.Helper()
	c := g.Browser()
	form := g.Get(c, g.Config.Public.URL+login.PathRecovery)
	g.PostForm(c, form, login.PathRecovery, url.Values{"login": {inn(a)}, "email": {"ip@people.example"}, "code-word": {"синяя птица"}})
	link, ok := g.letter("ip@people.example", login.PathReset).Link(g.Config.Public.URL + login.PathReset)
	if !ok {
		g.t.Fatal("the letter has no link")
	}
	return link
}

// TestCardEndsWhatWaits: a card is for who has shown his papers; whoever was on the way in
// with what was good before does not arrive, and least of all sets the password of the card.
func TestCardEndsWhatWaits(t *testing.T) {
	g := start(t)
	a := g.person("ip")
	first := g.newCard(a, card.InPerson, "")
	thief := g.Browser() // has found the first card
	form := g.moved(thief, g.password(thief, "", inn(a), first.Password), login.PathChange)
	link := g.askLink(a) // or has the mailbox
	second := g.newCard(a, card.InPerson, "")
	g.refused(g.change(thief, form, login.PathChange, "", better), http.StatusForbidden, reason.LoginExpired)
	g.refused(g.Get(thief, link), http.StatusForbidden, reason.LoginRecoveryLink)
	c := g.Browser()
	g.moved(c, g.password(c, "", inn(a), second.Password), login.PathChange)
}

// TestPasswordEndsWhatWaits: a link that was asked for before a password was changed does
// nothing behind that, be it for another password or for another address.
func TestPasswordEndsWhatWaits(t *testing.T) {
	g := start(t)
	a := g.person("ip")
	link := g.askLink(a)
	g.update(func(tx store.Tx) error {
		return tx.PutSecret(account.Secret{
			Digest: [32]byte{1}, Purpose: account.ForEmail, Account: a.ID, Data: []byte("thief@evil.example"), Created: g.Clock(), Expires: g.Clock().Add(time.Hour),
		})
	})
	to, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	c := g.Browser()
	if got := g.change(c, g.Get(c, link), login.PathReset, to.Query().Get("link"), better); got.StatusCode != http.StatusOK {
		t.Fatalf("%d\n%s", got.StatusCode, got.Text)
	}
	g.update(func(tx store.Tx) error {
		left, err := tx.Secrets(a.ID, account.ForEmail)
		if len(left) > 0 {
			t.Error("the link for another address is good still")
		}
		return err
	})
}

// TestCardTellsTheOldAddress: when a card changes the address of an account, the one of before
// hears of it, and does not get the password.
func TestCardTellsTheOldAddress(t *testing.T) {
	g := start(t)
	a := g.person("ip")
	p := g.newCard(a, card.ByEmail, "new@people.example")
	g.letter("new@people.example", p.Password)
	for _, l := range []string{g.letter("ip@people.example", "арт").Text} {
		if strings.Contains(l, p.Password) {
			t.Error("the address of before got the password")
		}
	}
}

// TestRaiseEnds: a code does not bring back a visit that was ended meanwhile, from afar too.
func TestRaiseEnds(t *testing.T) {
	g := start(t)
	a := g.person("ip")
	c := g.Browser()
	g.entered(g.password(c, "messages", inn(a), good))
	secret, _ := g.totp(a)
	g.later(time.Minute)
	to, err := url.Parse(g.Get(c, g.authorize("payments")).Location())
	if err != nil {
		t.Fatal(err)
	}
	form := g.moved(c, g.Get(c, g.Config.Public.URL+login.PathSecond+"?"+to.RawQuery), login.PathSecond)
	g.update(func(tx store.Tx) error {
		visits, err := tx.Visits(a.ID)
		for _, v := range visits {
			if err == nil {
				err = tx.DeleteVisit(v.Key)
			}
		}
		return err
	})
	g.refused(g.PostForm(c, form, login.PathSecond, url.Values{"method": {account.TOTP}, "code": {g.code(secret)}}), http.StatusForbidden, reason.LoginExpired)
}

// TestPending: however often somebody begins, few sign-ins wait.
func TestPending(t *testing.T) {
	g := start(t)
	a := g.person("ip")
	c := g.Browser()
	g.entered(g.password(c, "messages", inn(a), good))
	g.totp(a)
	to, err := url.Parse(g.Get(c, g.authorize("payments")).Location())
	if err != nil {
		t.Fatal(err)
	}
	var last testgateway.Answer
	for range 30 {
		last = g.Get(c, g.Config.Public.URL+login.PathSecond+"?"+to.RawQuery)
	}
	g.moved(c, last, login.PathSecond) // the last one goes on
	g.update(func(tx store.Tx) error {
		left, err := tx.Secrets(a.ID, account.ForSignIn)
		if len(left) > 20 {
			t.Errorf("%d sign-ins wait", len(left))
		}
		return err
	})
}

// TestSecondPage: the page says where the letter goes, so that the person knows the address
// again; before a letter was asked for it does not ask for the code of it; and one that is
// loaded again sends nothing.
func TestSecondPage(t *testing.T) {
	g := start(t)
	a := g.person("ip")
	c := g.Browser()
	g.entered(g.password(c, "messages", inn(a), good))
	to, err := url.Parse(g.Get(c, g.authorize("payments")).Location())
	if err != nil {
		t.Fatal(err)
	}
	first := g.moved(c, g.Get(c, g.Config.Public.URL+login.PathSecond+"?"+to.RawQuery), login.PathSecond)
	const field, again = `name="code"`, "Отправить новый код"
	if !strings.Contains(first.Text, "i***@p***.example") || strings.Contains(first.Text, field) || strings.Contains(first.Text, again) {
		t.Errorf("before the letter:\n%s", first.Text)
	}
	sent := g.moved(c, g.PostForm(c, first, login.PathSecond, url.Values{"action": {"send"}}), login.PathSecond)
	if !strings.Contains(sent.Text, "отправлено на адрес i***@p***.example") || !strings.Contains(sent.Text, field) || !strings.Contains(sent.Text, again) {
		t.Errorf("behind the letter:\n%s", sent.Text)
	}
	english := g.Get(c, g.Config.Public.URL+login.PathSecond+"?lang=en")
	if !strings.Contains(english.Text, "went to i***@p***.example") || !strings.Contains(english.Text, "Send a new code") {
		t.Errorf("in English:\n%s", english.Text)
	}
	wrong := g.PostForm(c, english, login.PathSecond, url.Values{"method": {account.EmailCode}, "code": {"00000"}})
	g.refused(wrong, http.StatusForbidden, reason.LoginCodeWrong)
	if strings.Contains(wrong.Text, "went to") || !strings.Contains(wrong.Text, "Send a new code") {
		t.Errorf("behind a wrong code:\n%s", wrong.Text)
	}
	g.update(func(tx store.Tx) error {
		letters, err := tx.Letters("", 10)
		codes := 0
		for _, l := range letters {
			if l.Kind == mail.KindCode {
				codes++
			}
		}
		if codes != 1 {
			t.Errorf("%d letters with codes", codes)
		}
		return err
	})
}

// TestSendKeepsTries: another letter neither forgives wrong codes nor brings a sign-in back.
func TestSendKeepsTries(t *testing.T) {
	g := start(t)
	a := g.person("ip")
	c := g.Browser()
	form := g.moved(c, g.password(c, "payments", inn(a), good), login.PathSecond)
	var last testgateway.Answer
	for i := range 5 {
		if i == 3 {
			g.moved(c, g.PostForm(c, form, login.PathSecond, url.Values{"action": {"send"}}), login.PathSecond)
		}
		last = g.PostForm(c, form, login.PathSecond, url.Values{"method": {account.EmailCode}, "code": {"0000"}})
	}
	g.refused(last, http.StatusTooManyRequests, reason.LoginCodeAttempts)
	g.refused(g.PostForm(c, form, login.PathSecond, url.Values{"action": {"send"}}), http.StatusForbidden, reason.LoginExpired)
}
