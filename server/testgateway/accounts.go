package testgateway

import (
	"bytes"
	"context"
	"encoding/hex"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"propusk/pki/person"
	"propusk/server/account"
	"propusk/server/config"
	"propusk/server/mail/mailbox"
	"propusk/server/store"
)

// AccountsFile is where WithAccounts keeps accounts, under Dir.
const AccountsFile = "accounts.db"

// WithAccounts is a change that keeps accounts, with all ways to sign in, a journal, and a
// real mail server on loopback, whose letters are in Mail.
func WithAccounts(g *Gateway) {
	g.t.Helper()
	WithChallenge(g)
	g.WriteFile("accounts.secret", hex.EncodeToString(bytes.Repeat([]byte{9}, 32)))
	g.Config.Accounts.Path, g.Config.Accounts.Secret = g.Path(AccountsFile), g.Path("accounts.secret")
	g.Config.Journal.Path = g.Path("journal")
	g.Config.Login.HashMemory, g.Config.Login.HashPasses = 8<<10, 1 // the least: tests wait for them
	g.Config.SignIn.Kinds = []string{"ip", "ul", "fl"}
	l, err := new(net.ListenConfig).Listen(g.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		g.t.Fatal(err)
	}
	g.Mail = mailbox.New(mailbox.Options{})
	g.Config.Mail.Server, g.Config.Mail.Security, g.Config.Mail.From = l.Addr().String(), config.MailPlain, "no-reply@propusk.example"
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- g.Mail.Serve(ctx, l) }()
	g.t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			g.t.Error(err)
		}
	})
}

// AddAccount opens an account for a person of the country, as registration leaves it: active,
// with a confirmed address. A change may alter it before it is written.
func (g *Gateway) AddAccount(db store.Store, who string, change ...func(*account.Account)) account.Account {
	g.t.Helper()
	identity, err := g.Country.Person(who).Certificate.Identity()
	if err != nil {
		g.t.Fatal(err)
	}
	now := g.Clock()
	a := account.Account{
		ID: account.NewID(), Identity: identity, Taxpayers: []account.Taxpayer{account.TaxpayerOf(identity)}, State: account.Active,
		Email: person.NewEmail(who + "@people.example"), EmailConfirmed: now, Language: "ru", Registered: now,
		Origin: account.ByDemo, LastVisit: now.Add(-time.Hour),
	}
	for _, f := range change {
		f(&a)
	}
	if err := db.Update(g.t.Context(), func(tx store.Tx) error { return tx.PutAccount(&a) }); err != nil {
		g.t.Fatal(err)
	}
	return a
}

// Accounts opens the store of a gateway with accounts, beside the gateway itself.
func (g *Gateway) Accounts() store.Store {
	g.t.Helper()
	db, err := store.Open(g.Path(AccountsFile))
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() {
		if err := db.Close(); err != nil {
			g.t.Error(err)
		}
	})
	return db
}

// formToken is the hidden field of every form.
var formToken = regexp.MustCompile(`name="form-token" value="([^"]+)"`)

// PostForm fills in a form of a page that was got before, as a browser sends it: with the
// token of the page and the header that tells where it was filled in.
func (g *Gateway) PostForm(c *http.Client, page Answer, path string, fields url.Values) Answer {
	g.t.Helper()
	token := formToken.FindStringSubmatch(page.Text)
	if token == nil {
		g.t.Fatalf("the page has no form:\n%s", page.Text)
	}
	if fields == nil {
		fields = url.Values{}
	}
	fields.Set("form-token", token[1])
	r, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, g.Config.Public.URL+path, strings.NewReader(fields.Encode()))
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return g.Do(c, r)
}
