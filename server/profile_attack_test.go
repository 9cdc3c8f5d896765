package server_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"propusk/server/account"
	"propusk/server/store"
)

// TestAccountPasswordThief: who has the password of somebody and nothing else changes nothing of
// his account (GU-12), also not after he has given up the keys by which the person would prove
// himself, which takes no other sign-in.
func TestAccountPasswordThief(t *testing.T) {
	for name, change := range map[string]func(*account.Account){
		"with an address":    func(*account.Account) {},
		"without an address": func(a *account.Account) { a.EmailConfirmed = time.Time{} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newAccountWorld(t, change)
			w.withPassword()
			p := w.Country.Person("ip")
			w.enter(w.GOSTBrowser("ip"), "/account") // binds the key
			thief := w.Browser()
			w.tryPassword(thief, p.INN, attackSecret)
			page := w.Get(thief, w.Config.Public.URL+"/account/visits")
			wantStatus(t, page, http.StatusOK)
			fingerprint := sha256.Sum256(p.Certificate.Raw)
			try := func() {
				t.Helper()
				for _, path := range []string{
					"/account/email", "/account/security/password", "/account/security/word", "/account/security/application",
					"/account/security/code-by-email", "/account/security/recovery", "/account/certificates/remove",
				} {
					a := w.PostForm(thief, page, path, posts(w)[path])
					wantStatus(t, a, http.StatusForbidden)
					wantText(t, a, "Подтвердите, что это вы")
				}
			}
			try()
			lost := w.PostForm(thief, page, "/account/certificates/lost", url.Values{"sha256": {hex.EncodeToString(fingerprint[:])}})
			wantStatus(t, lost, http.StatusOK)
			if strings.Contains(lost.Text, `data-code=`) {
				t.Fatalf("the key is not given up:\n%s", lost.Text)
			}
			try()
		})
	}
}

// TestAccountWithPasswordOnly: whose account has nothing but a password changes it by that; once
// its address is confirmed a code goes there (GU-12: another channel).
func TestAccountWithPasswordOnly(t *testing.T) {
	w := newAccountWorld(t, func(a *account.Account) { a.EmailConfirmed = time.Time{} })
	w.withPassword()
	c := w.Browser()
	w.tryPassword(c, w.Country.Person("ip").INN, attackSecret)
	wantStatus(t, w.Get(c, w.Config.Public.URL+"/account/email"), http.StatusOK)

	w = newAccountWorld(t)
	w.withPassword()
	c = w.Browser()
	w.tryPassword(c, w.Country.Person("ip").INN, attackSecret)
	a := w.Get(c, w.Config.Public.URL+"/account/email")
	wantStatus(t, a, http.StatusForbidden)
	wantText(t, a, "по паролю с кодом")
}

// TestAccountEmailHijack: whoever was in an account and has asked for a link to an address of his
// own does not get the account by it, once the person has ended his visit, given up the key or
// blocked the account; and what went to the old address ends when there is another one.
func TestAccountEmailHijack(t *testing.T) {
	w := newAccountWorld(t)
	c, thief := w.GOSTBrowser("ip"), w.GOSTBrowser("ip")
	page := w.enter(c, "/account/visits")
	fingerprint := sha256.Sum256(w.Country.Person("ip").Certificate.Raw)
	asked := w.enter(thief, "/account/email")
	for i, defence := range []struct {
		path   string
		fields url.Values
	}{
		{"/account/visits/end-others", nil},
		{"/account/certificates/lost", url.Values{"sha256": {hex.EncodeToString(fingerprint[:])}}},
	} {
		address := string(rune('a'+i)) + "-thief@people.example"
		wantStatus(t, w.PostForm(thief, asked, "/account/email", url.Values{"email": {address}}), http.StatusOK)
		link, ok := w.letter(address, "confirm?code=").Link(w.Config.Public.URL)
		if !ok {
			t.Fatal("no link")
		}
		wantStatus(t, w.Get(thief, link), http.StatusOK)
		w.PostForm(c, page, defence.path, defence.fields)
		wantText(t, w.Get(thief, link), `data-code="account-email-link"`)
		asked = w.enter(thief, "/account/email")
	}
	if got := w.account().Email.Reveal(); got != "ip@people.example" {
		t.Errorf("the address is %s", got)
	}

	w = newAccountWorld(t)
	c = w.GOSTBrowser("ip")
	page = w.enter(c, "/account/email")
	waiting := sha256.Sum256([]byte("a link to the old address"))
	err := w.db.Update(t.Context(), func(tx store.Tx) error {
		for _, purpose := range []string{account.ForRecovery, account.ForSignIn} {
			s := account.Secret{Digest: waiting, Purpose: purpose, Account: w.acc.ID, Created: w.Clock(), Expires: w.Clock().Add(time.Hour)}
			waiting[0]++
			if err := tx.PutSecret(s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.PostForm(c, page, "/account/email", url.Values{"email": {"new@people.example"}})
	link, _ := w.letter("new@people.example", "confirm?code=").Link(w.Config.Public.URL)
	code := strings.SplitN(link, "code=", 2)[1]
	wantText(t, w.PostForm(c, w.Get(c, link), "/account/email/confirm", url.Values{"code": {code}}), "Адрес изменён")
	err = w.db.View(t.Context(), func(tx store.Tx) error {
		for _, purpose := range []string{account.ForSignIn, account.ForRecovery} {
			waiting[0]--
			if _, err := tx.Secret(purpose, waiting, w.Clock()); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s is good still: %v", purpose, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
