package server_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestSignInPages shows every person of the demo country what he has to see.
func TestSignInPages(t *testing.T) {
	g := start(t)
	g.waitTrust()
	seen := make(map[string]string) // heading by reason
	for _, p := range g.country.People() {
		t.Run(p.ID, func(t *testing.T) {
			a := g.get(g.browser(p.ID), g.config.SignIn.URL+"/")
			if p.Expect == "" {
				wantStatus(t, a, http.StatusOK)
				wantText(t, a, "Сертификат подходит", p.Name, p.INN, p.OGRNIP)
				return
			}
			wantStatus(t, a, http.StatusForbidden)
			wantText(t, a, `data-code="`+string(p.Expect)+`"`, "Что делать", "Техническая поддержка", "Код обращения", p.Name)
			h := heading(a)
			if other, taken := seen[h]; taken && other != string(p.Expect) {
				t.Errorf("the pages of %s and %s have the same heading %q", p.Expect, other, h)
			}
			seen[h] = string(p.Expect)
		})
	}
	t.Run("nobody", func(t *testing.T) {
		a := g.get(g.browser(""), g.config.SignIn.URL+"/")
		wantStatus(t, a, http.StatusUnauthorized)
		wantText(t, a, `data-code="no-certificate"`, "Сертификат не предъявлен", "Подключите носитель")
	})
	t.Run("ordinary TLS", func(t *testing.T) {
		a := g.get(g.browser(), g.config.SignIn.URL+"/signin?request=x")
		wantStatus(t, a, http.StatusForbidden)
		wantText(t, a, `data-code="gost-tls-required"`, "Нужен браузер с поддержкой ГОСТ TLS")
	})
}

func wantStatus(t *testing.T, a answer, status int) {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d\n%s", a.Request.Method, a.Request.URL, a.StatusCode, status, a.body)
	}
}

func wantText(t *testing.T, a answer, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("%s %s: the body lacks %q:\n%s", a.Request.Method, a.Request.URL, text, a.body)
		}
	}
}

// heading returns the text between <h1> and the next tag.
func heading(a answer) string {
	_, rest, _ := strings.Cut(a.body, "<h1>")
	h, _, _ := strings.Cut(rest, "<")
	return strings.TrimSpace(h)
}
