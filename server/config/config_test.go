package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"propusk/gost/gosttls"
)

func parsed(t *testing.T, text string) Config {
	t.Helper()
	c, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSampleIsValid(t *testing.T) {
	if err := parsed(t, string(Sample())).Validate(); err != nil {
		t.Error(err)
	}
}

// TestSampleTellsEverything compares the fields of the sample with the fields of
// the struct: none may be missing, and those with a default must show it.
func TestSampleTellsEverything(t *testing.T) {
	var tree map[string]any
	if err := yaml.Unmarshal(sample, &tree); err != nil {
		t.Fatal(err)
	}
	everyField(t, reflect.TypeFor[Config](), tree, "")
	c, d := parsed(t, string(sample)), Default()
	if c.Admin != d.Admin || c.Log != d.Log || c.Limits != d.Limits || !reflect.DeepEqual(c.GOSTTLS, d.GOSTTLS) ||
		c.Trust.Reload != d.Trust.Reload || c.Trust.MaxAge != d.Trust.MaxAge || !sameRefresh(c.Trust.Refresh, d.Trust.Refresh) ||
		!sameRevocation(c.Revocation, d.Revocation) ||
		c.OIDC.CodeLife != d.OIDC.CodeLife || c.OIDC.TokenLife != d.OIDC.TokenLife ||
		c.API.KeyRequired != d.API.KeyRequired || c.API.Page != d.API.Page || c.API.Anonymous != d.API.Anonymous ||
		c.SignIn.TicketLife != d.SignIn.TicketLife || c.SignIn.RequestLife != d.SignIn.RequestLife {
		t.Error("the sample shows another value than the default")
	}
}

func everyField(t *testing.T, typ reflect.Type, node any, path string) {
	t.Helper()
	switch typ.Kind() {
	case reflect.Map:
		tree, ok := node.(map[string]any)
		if !ok || len(tree) == 0 {
			t.Errorf("%s: the sample has none", path)
		}
		for name, child := range tree {
			everyField(t, typ.Elem(), child, path+"."+name)
		}
	case reflect.Slice:
		list, ok := node.([]any)
		if !ok || len(list) == 0 {
			t.Errorf("%s: the sample has none", path)
			return
		}
		everyField(t, typ.Elem(), list[0], path+"[0]")
	case reflect.Struct:
		tree, ok := node.(map[string]any)
		if !ok {
			t.Errorf("%s: not in the sample", path)
			return
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			tag := f.Tag.Get("yaml")
			if tag == ",inline" {
				everyField(t, f.Type, tree, path)
				continue
			}
			child, ok := tree[tag]
			if !ok {
				t.Errorf("%s.%s: not in the sample", path, tag)
				continue
			}
			everyField(t, f.Type, child, path+"."+tag)
		}
	}
}

func TestParseIsStrict(t *testing.T) {
	for name, text := range map[string]string{
		"empty":           "",
		"unknown field":   "publik: {}\n",
		"unknown nested":  "public: {port: 1}\n",
		"repeated field":  "log: {level: info}\nlog: {level: warn}\n",
		"two documents":   "log: {level: info}\n---\nlog: {level: warn}\n",
		"not YAML":        "\tpublic\n",
		"wrong type":      "limits: {body: much}\n",
		"wrong duration":  "trust: {reload: 5 parrots}\n",
		"list of nothing": "- a\n",
		"too long":        "# " + strings.Repeat("x", maxFile) + "\nlog: {level: info}\n",
	} {
		if c, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s: accepted", name)
		} else if !reflect.DeepEqual(c, Config{}) {
			t.Errorf("%s: rejected, yet returned %+v", name, c)
		}
	}
}

func TestValidateNamesEveryMistake(t *testing.T) {
	c := parsed(t, string(sample))
	c.Public.URL = "http://propusk.example.ru"
	c.Public.TLS.GOSTKey = ""
	c.SignIn.URL = "https://gs.example.ru/path"
	c.SignIn.Kinds = []string{"ip", "martian"}
	c.SignIn.TicketLife = time.Hour
	c.Check.Listen = "80"
	c.Admin.Listen = "0.0.0.0:9090"
	c.Trust.Dir = ""
	c.Trust.MaxAge = 0
	c.OIDC.SubjectSecret = ""
	c.OIDC.Clients[0].RedirectURIs = []string{"http://cabinet.example.ru/callback"}
	c.OIDC.Clients = append(c.OIDC.Clients, c.OIDC.Clients[0])
	c.Cabinets["cat"] = Cabinet{Name: "x"}
	c.Support.URL = "javascript:alert(1)"
	c.Log.Level = "loud"
	c.Limits.Body = 0
	c.Limits.Sessions = -1
	c.GOSTTLS = GOSTTLS{Suites: []string{"TLS_AES_128_GCM_SHA256"}, LegacyVersions: true, SessionLife: 25 * time.Hour}
	err := c.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, field := range []string{
		"public.url", "public.tls.gost_key", "signin.url", "signin.kinds", "signin.ticket_life", "check.listen", "admin.listen",
		"trust.dir", "trust.max_age", "oidc.subject_secret", "oidc.clients[0].redirect_uris", "oidc.clients[1].id",
		"cabinets.cat", "support.url", "log.level", "limits.body", "limits.sessions",
		"gost_tls.suites", "gost_tls.legacy_versions", "gost_tls.session_life", "gost_tls.ticket_rotation",
	} {
		if !strings.Contains(err.Error(), "config: "+field+": ") {
			t.Errorf("%s is not named in:\n%v", field, err)
		}
	}
}

func TestGOSTTLS(t *testing.T) {
	valid := parsed(t, string(sample)).GOSTTLS
	for name, test := range map[string]struct {
		change func(g *GOSTTLS)
		field  string // of the mistake; empty if there is none
	}{
		"sample":              {func(*GOSTTLS) {}, ""},
		"no sessions":         {func(g *GOSTTLS) { g.SessionLife = 0 }, ""},
		"too short":           {func(g *GOSTTLS) { g.SessionLife = time.Millisecond }, "gost_tls.session_life"},
		"negative":            {func(g *GOSTTLS) { g.SessionLife = -time.Hour }, "gost_tls.session_life"},
		"no suite":            {func(g *GOSTTLS) { g.Suites = nil }, "gost_tls.suites"},
		"the old suite alone": {func(g *GOSTTLS) { g.Suites, g.LegacySuite = nil, true }, ""},
		"a suite twice":       {func(g *GOSTTLS) { g.Suites = append(g.Suites, g.Suites[0]) }, "gost_tls.suites"},
		"the old suite named": {func(g *GOSTTLS) { g.Suites = []string{gosttls.CipherSuiteName(gosttls.LegacyCNTIMIT)} }, "gost_tls.suites"},
		"old versions":        {func(g *GOSTTLS) { g.LegacyVersions = true }, "gost_tls.legacy_versions"},
		"old all":             {func(g *GOSTTLS) { g.LegacyVersions, g.LegacySuite = true, true }, ""},
		"rotation":            {func(g *GOSTTLS) { g.TicketRotation = 0 }, "gost_tls.ticket_rotation"},
	} {
		var k checker
		g := valid
		g.Suites = slices.Clone(g.Suites)
		test.change(&g)
		k.gostTLS(g)
		err := errors.Join(k.errs...)
		if (err == nil) != (test.field == "") || err != nil && !strings.Contains(err.Error(), test.field) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, want := valid.SuiteIDs(), suites(); !slices.Equal(got, want) {
		t.Errorf("suites %#x, want %#x", got, want)
	}
	valid.LegacySuite = true
	if got := valid.SuiteIDs(); got[len(got)-1] != gosttls.LegacyCNTIMIT || len(got) != len(suites())+1 {
		t.Errorf("suites with the old one: %#x", got)
	}
}

func TestDefaultIsNotValid(t *testing.T) {
	if Default().Validate() == nil {
		t.Error("a configuration without hosts and keys is accepted")
	}
}

func TestRedirectAddresses(t *testing.T) {
	for s, want := range map[string]bool{
		"https://a.example/cb": true, "http://127.0.0.1:8445/cb": true, "http://[::1]/cb": true, "http://localhost/cb": true,
		"http://a.example/cb": false, "https://a.example/cb#f": false, "https://u@a.example/": false, "myapp://cb": false,
		"http://127.0.0.1.example/": false, "": false, "https:///cb": false,
	} {
		if got := redirect(s); got != want {
			t.Errorf("redirect(%q) = %v, want %v", s, got, want)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "propusk.yaml")
	if err := os.WriteFile(file, Sample(), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{c.Trust.Dir, c.Public.TLS.Certificate, c.SignIn.TLS.GOSTKey, c.OIDC.Key, c.OIDC.Clients[0].SecretFile} {
		if !strings.HasPrefix(p, dir+string(filepath.Separator)) {
			t.Errorf("the path %q is not taken from the directory of the file", p)
		}
	}
	if _, err := Load(filepath.Join(dir, "absent.yaml")); err == nil {
		t.Error("an absent file is accepted")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Add([]byte("public: {url: https://a}\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data)
		if err != nil {
			if !reflect.DeepEqual(c, Config{}) {
				t.Fatalf("rejected, yet returned %+v", c)
			}
			return
		}
		if c.Validate() == nil && c.Trust.Dir == "" {
			t.Fatal("valid without trust data")
		}
	})
}
