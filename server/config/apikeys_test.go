package config

import (
	"crypto/sha256"
	"strings"
	"testing"
)

func TestAPIKeys(t *testing.T) {
	const digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	good := APIKey{ID: "one", SHA256: digest}
	if good.Digest() != sha256.Sum256([]byte("hello")) {
		t.Error("the digest is another one")
	}
	for name, c := range map[string]struct {
		change func(*API)
		field  string
	}{
		"good":                  {func(*API) {}, ""},
		"no id":                 {func(a *API) { a.Keys[0].ID = "" }, "api.keys[0].id"},
		"id of two words":       {func(a *API) { a.Keys[0].ID = "a b" }, "api.keys[0].id"},
		"id with a new line":    {func(a *API) { a.Keys[0].ID = "a\n" }, "api.keys[0].id"},
		"anonymous":             {func(a *API) { a.Keys[0].ID = "anonymous" }, "api.keys[0].id"},
		"the same id":           {func(a *API) { a.Keys = append(a.Keys, APIKey{ID: "one", SHA256: strings.Repeat("a", 64)}) }, "api.keys[1].id"},
		"the same key":          {func(a *API) { a.Keys = append(a.Keys, APIKey{ID: "two", SHA256: digest}) }, "api.keys[1].sha256"},
		"no digest":             {func(a *API) { a.Keys[0].SHA256 = "" }, "api.keys[0].sha256"},
		"digest of zeros":       {func(a *API) { a.Keys[0].SHA256 = strings.Repeat("0", 64) }, "api.keys[0].sha256"},
		"short digest":          {func(a *API) { a.Keys[0].SHA256 = digest[2:] }, "api.keys[0].sha256"},
		"upper case":            {func(a *API) { a.Keys[0].SHA256 = strings.ToUpper(digest) }, "api.keys[0].sha256"},
		"the key itself":        {func(a *API) { a.Keys[0].SHA256 = "propusk_AAAA" }, "api.keys[0].sha256"},
		"negative":              {func(a *API) { a.Keys[0].RequestsPerMinute = -1 }, "api.keys[0].requests_per_minute"},
		"negative bytes":        {func(a *API) { a.Anonymous.BytesPerMinute = -1 }, "api.anonymous.bytes_per_minute"},
		"too many at once":      {func(a *API) { a.Anonymous.Concurrent = 1 << 30 }, "api.anonymous.concurrent"},
		"no keys, no anonymous": {func(a *API) { a.Keys, a.KeyRequired = nil, true }, ""},
	} {
		config := parsed(t, string(Sample()))
		config.API.Keys = []APIKey{good}
		c.change(&config.API)
		err := config.Validate()
		if (err == nil) != (c.field == "") || err != nil && !strings.Contains(err.Error(), c.field+":") {
			t.Errorf("%s: %v, want %q", name, err, c.field)
		}
	}
}
