package testgateway

import (
	"bytes"
	"encoding/hex"
	"net/url"
	"regexp"
	"strings"

	"net/http"

	"propusk/server/store"
)

// AccountsFile is where WithAccounts keeps accounts, under Dir.
const AccountsFile = "accounts.db"

// WithAccounts is a change that keeps accounts, with all ways to sign in, a journal and no
// mail server: letters wait in the store.
func WithAccounts(g *Gateway) {
	g.t.Helper()
	WithChallenge(g)
	g.WriteFile("accounts.secret", hex.EncodeToString(bytes.Repeat([]byte{9}, 32)))
	g.Config.Accounts.Path, g.Config.Accounts.Secret = g.Path(AccountsFile), g.Path("accounts.secret")
	g.Config.Journal.Path = g.Path("journal")
	g.Config.Login.HashMemory, g.Config.Login.HashPasses = 8<<10, 1 // the least: tests wait for them
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
