package server_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"propusk/certs"
	"propusk/pki/reason"
	"propusk/server"
	"propusk/server/account"
	"propusk/server/config"
	"propusk/server/journal"
	"propusk/server/mail"
	"propusk/server/office"
	"propusk/server/store"
	"propusk/server/testgateway"
)

const killedPassword = "Дуб-над-рекой-7"

var sealedRequest = regexp.MustCompile(`name="request" value="([^"]+)"`)

// enterByPassword signs in to the page of the account, in a new browser.
func enterByPassword(t *testing.T, g *testgateway.Gateway, a account.Account) *http.Client {
	t.Helper()
	c := g.Browser()
	to := g.Get(c, g.Config.Public.URL+"/account").Location()
	page := g.Get(c, to)
	sealed := sealedRequest.FindStringSubmatch(page.Text)
	if sealed == nil {
		t.Fatalf("%d without a form:\n%s", page.StatusCode, page.Text)
	}
	answer := g.PostForm(c, page, "/signin/password", url.Values{
		"request": {sealed[1]}, "login": {a.Identity.INN.Reveal()}, "password": {killedPassword},
	})
	wantStatus(t, answer, http.StatusOK) // a page that goes on by itself
	wantStatus(t, g.Get(c, g.Config.Public.URL+"/account"), http.StatusOK)
	return c
}

// TestVisitsKilled kills the gateway right behind sign-ins, with no chance to end anything:
// whoever was let in is still in, and every sign-in is in the journal, once.
func TestVisitsKilled(t *testing.T) {
	g := testgateway.StartProcess(t, testgateway.WithAccounts)
	db := g.Accounts()
	a := g.AddAccount(db, "ip")
	g.GivePassword(db, a, killedPassword)
	const rounds, each = 4, 3
	var browsers []*http.Client
	for range rounds {
		for range each {
			browsers = append(browsers, enterByPassword(t, g.Gateway, a))
		}
		g.Kill()
		for i, c := range browsers {
			if page := g.Get(c, g.Config.Public.URL+"/account"); page.StatusCode != http.StatusOK {
				t.Errorf("browser %d is signed out: %d to %q", i, page.StatusCode, page.Location())
			}
		}
	}
	signIns := func() (n int) {
		for _, r := range journalled(t, g.Gateway) {
			if r.Kind == journal.SignIn && r.Action == "password" {
				n++
			}
		}
		return n
	}
	waitUntil(t, func() bool { return drained(t, db) })
	if n := signIns(); n != rounds*each {
		t.Errorf("%d sign-ins are in the journal, want %d", n, rounds*each)
	}
}

// drained reports whether all that was noted is in the journal.
func drained(t *testing.T, db store.Store) (empty bool) {
	t.Helper()
	if err := db.View(t.Context(), func(tx store.Tx) error {
		notes, err := tx.Notes(1)
		empty = len(notes) == 0
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return empty
}

// TestOperatorBesideGateway: what an operator does beside a gateway that runs counts at once:
// the person is out, does not come in again, gets a letter, and the journal has it.
func TestOperatorBesideGateway(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithAccounts, func(g *testgateway.Gateway) { g.Config.Mail.Poll = 100 * time.Millisecond })
	db := g.Accounts()
	a := g.AddAccount(db, "ip")
	g.GivePassword(db, a, killedPassword)
	c := enterByPassword(t, g, a)
	desk := office.Office{Store: db, Mail: mail.Composer{Gateway: "Пропуск", URL: g.Config.Public.URL}, By: "operator", Now: time.Now}
	if _, err := desk.Block(t.Context(), string(a.ID)); err != nil {
		t.Fatal(err)
	}
	if page := g.Get(c, g.Config.Public.URL+"/account"); page.StatusCode == http.StatusOK {
		t.Error("the visit goes on")
	}
	person := accountWorld{Gateway: g, t: t}
	wantCode(t, person.enter(g.GOSTBrowser("ip"), "/account"), http.StatusForbidden, reason.AccountBlocked)
	waitUntil(t, func() bool { return drained(t, db) })
	found := false
	for _, r := range journalled(t, g) {
		found = found || r.Kind == journal.Account && r.Action == "account-blocked" && r.Detail == "by=operator" && r.Subject != ""
	}
	if !found {
		t.Error("the journal does not have the block")
	}
	waitUntil(t, func() bool { return len(g.Mail.Letters("ip@people.example")) > 0 })
	wantText(t, g.Get(g.Browser(), g.Admin()+"/metrics"), "propusk_accounts_events_waiting 0", `propusk_journal_events_total{kind="account",result="failed"} 0`)
	if _, err := desk.Unblock(t.Context(), string(a.ID)); err != nil {
		t.Fatal(err)
	}
	enterByPassword(t, g, a)
}

// TestAccountsOpen: a gateway whose accounts cannot be opened does not start, and names the
// field.
func TestAccountsOpen(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithAccounts)
	g.WriteFile("short", "00ff")
	g.WriteFile("foreign", strings.Repeat("не база\n", 1000))
	for field, spoil := range map[string]func(*config.Config){
		"accounts.secret":    func(c *config.Config) { c.Accounts.Secret = g.Path("short") },
		"accounts.path":      func(c *config.Config) { c.Accounts.Path = g.Path("foreign") },
		"mail.ca":            func(c *config.Config) { c.Mail.CA = g.Path("short") },
		"mail.password_file": func(c *config.Config) { c.Mail.Login, c.Mail.PasswordFile = "x", g.Path("nowhere") },
	} {
		c := g.Config
		spoil(&c)
		s, err := server.New(server.Options{Config: c, Trust: certs.NewStore(server.TrustSource(c.Trust), time.Now)})
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
		if s != nil {
			t.Error(s.Close())
		}
	}
}

// TestSecondGateway: a second gateway on the same accounts, which would deliver what waits a
// second time, does not start, though it has ports and a journal of its own. Its configuration
// can be checked all the same.
func TestSecondGateway(t *testing.T) {
	g := testgateway.Start(t, testgateway.WithAccounts)
	c := g.Config
	c.Journal.Path = g.Path("another.journal")
	c.Public.Listen, c.SignIn.Listen, c.Admin.Listen, c.Check.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	s, err := server.New(server.Options{Config: c, Trust: certs.NewStore(server.TrustSource(c.Trust), time.Now)})
	if err != nil {
		t.Fatalf("the configuration: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Run(ctx); !errors.Is(err, store.ErrServed) {
		t.Errorf("a second gateway: %v", err)
	}
	if _, err := os.Stat(c.Journal.Path); !errors.Is(err, os.ErrNotExist) {
		t.Error("it has a journal")
	}
}
