package page

import (
	"net/http"
	"strings"
	"testing"

	"propusk/pki/reason"
)

// ofAccounts tells the reasons about accounts, which nobody meets who signs for a service.
func ofAccounts(code reason.Code) bool {
	for _, area := range []string{
		"account-", "activation-", "admission-", "captcha-", "email-", "factor-", "level-", "login-", "mail-", "password-", "recovery-", "registration-", "support-", "throttle-", "visit-",
	} {
		if strings.HasPrefix(string(code), area) {
			return true
		}
	}
	return false
}

// TestSigningSpeaksOfSigning: whoever came to sign a document is not told of a sign-in that
// he never began, whatever goes wrong, and always has a next step.
func TestSigningSpeaksOfSigning(t *testing.T) {
	onlyAtSignIn := map[reason.Code]bool{
		reason.NoCertificate: true, reason.SignInExpired: true, reason.SignInTicketInvalid: true, reason.SignInOtherBrowser: true,
		reason.AuthorizationInvalid: true, reason.RedirectMismatch: true,
		reason.FetchURLNotAllowed: true, // "входит в список"
		reason.SignRequestExpired: true, // of the agent
	}
	for _, e := range reason.All() {
		a := adviceForSigning(e.Code)
		texts := append([]Text{a.Title, a.Cause}, a.Steps...)
		if len(a.Steps) == 0 {
			t.Errorf("%s: no next step", e.Code)
		}
		for _, text := range texts {
			ru, en := strings.ToLower(text.RU), strings.ToLower(text.EN)
			if ru == "" || en == "" || text == stepBack() {
				t.Errorf("%s: %+v", e.Code, text)
			}
			if onlyAtSignIn[e.Code] || ofAccounts(e.Code) {
				continue
			}
			for _, word := range []string{"вход", "войти", "войдите"} {
				if strings.Contains(ru, word) {
					t.Errorf("%s speaks of a sign-in: %s", e.Code, text.RU)
				}
			}
			if strings.Contains(en, "sign-in") || strings.Contains(en, "sign in") {
				t.Errorf("%s speaks of a sign-in: %s", e.Code, text.EN)
			}
		}
	}
	b := newBook(t, testSite())
	w := render(t, func(w http.ResponseWriter, r *http.Request) error {
		return b.Failure(w, r, Failure{Code: reason.ChallengeOrigin, Signing: true})
	})
	if body := w.Body.String(); !strings.Contains(body, stepService().RU) || strings.Contains(body, "вход заново") {
		t.Errorf("the page:\n%s", body)
	}
}
