package server_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"propusk/server/account"
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
