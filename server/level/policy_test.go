package level

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"propusk/certs/testpki"
	"propusk/pki/person"
	"sync"
	"time"
)

// belarus is the example of BY-03 to BY-07: what services of a tax service want.
const belarus = `
clients:
  cabinet: password
devices: ["«Проба»"]
services:
  - {id: messages, client: cabinet, name: {ru: Переписка, en: Messages}, level: password}
  - {id: declaration, client: cabinet, name: {ru: Декларации, en: Tax returns}, level: qes, kinds: {ip: mobile}}
  - {id: payments, client: cabinet, name: {ru: Платежи, en: Payments}, level: 2fa}
  - {id: eaeu, client: cabinet, name: {ru: Документы ЕАЭС, en: EAEU documents}, level: qes, physical: true}
  - {id: messages, client: other, name: {ru: Переписка, en: Messages}, level: qes}
`

func TestPolicy(t *testing.T) {
	p, err := ParsePolicy([]byte(belarus))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		client, service string
		kind            person.Kind
		want            Need
	}{
		{"cabinet", "", "", Need{Level: Password}},
		{"cabinet", "messages", person.Person, Need{Level: Password}},
		{"cabinet", "declaration", person.Person, Need{Level: QES}},
		{"cabinet", "declaration", person.Entrepreneur, Need{Level: Mobile}}, // BY-05
		{"cabinet", "declaration", "", Need{Level: Mobile}},
		{"cabinet", "payments", person.LegalEntity, Need{Level: TwoFactor}},
		{"cabinet", "eaeu", person.Entrepreneur, Need{Level: QES, Physical: true}}, // BY-06
		{"cabinet", "unknown", person.Person, Need{Level: QES}},
		{"other", "", person.Person, Need{Level: QES}},
		{"other", "messages", person.Person, Need{Level: QES}},
		{"nobody", "messages", person.Person, Need{Level: QES}},
	} {
		if got := p.Required(c.client, c.service, c.kind); got != c.want {
			t.Errorf("%s %s for %q: %+v, want %+v", c.client, c.service, c.kind, got, c.want)
		}
	}
	if got := p.Services("cabinet"); len(got) != 4 || got[0].ID != "messages" || got[1].Name.EN != "Tax returns" {
		t.Errorf("services: %+v", got)
	}
	if len(p.All()) != 5 || len(p.Clients()) != 6 {
		t.Errorf("%v, %v", p.All(), p.Clients())
	}
}

// TestNoPolicy: who knows nothing wants a key.
func TestNoPolicy(t *testing.T) {
	for name, p := range map[string]*Policy{"nil": nil, "zero": new(Policy)} {
		if got := p.Required("a", "b", person.Person); got != (Need{Level: QES}) {
			t.Errorf("%s: %+v", name, got)
		}
		if p.Physical(nil) || p.Services("a") != nil && len(p.Services("a")) > 0 || len(p.All())+len(p.Clients()) > 0 {
			t.Errorf("%s knows something", name)
		}
	}
	if p, err := ParsePolicy(nil); err != nil || p.Required("a", "", "").Level != QES {
		t.Errorf("an empty file: %v", err)
	}
}

// TestPolicyMistakes: whatever could let somebody in by mistake is an error.
func TestPolicyMistakes(t *testing.T) {
	service := func(fields string) string {
		return "services:\n  - {id: a, client: c, name: {ru: А, en: A}, " + fields + "}\n"
	}
	if _, err := ParsePolicy([]byte(service("level: open"))); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"no level":              service("physical: false"),
		"an empty level":        service("level: "),
		"an unknown level":      service("level: strong"),
		"an unknown field":      service("level: qes, levels: x"),
		"an unknown kind":       service("level: qes, kinds: {xx: open}"),
		"a kind without level":  service("level: qes, kinds: {ip: }") + " ",
		"physical by password":  service("level: password, physical: true"),
		"physical but for some": service("level: qes, physical: true, kinds: {ip: mobile}"),
		"twice":                 service("level: qes") + "  - {id: a, client: c, name: {ru: А, en: A}, level: open}\n",
		"no client":             "services:\n  - {id: a, name: {ru: А, en: A}, level: qes}\n",
		"no name":               "services:\n  - {id: a, client: c, level: qes}\n",
		"one language":          "services:\n  - {id: a, client: c, name: {ru: А}, level: qes}\n",
		"an ID with a slash":    "services:\n  - {id: a/b, client: c, name: {ru: А, en: A}, level: qes}\n",
		"a long ID":             "services:\n  - {id: " + strings.Repeat("a", 65) + ", client: c, name: {ru: А, en: A}, level: qes}\n",
		"a client without one":  "clients:\n  cabinet:\n",
		"an empty device":       "devices: [\"\"]\n",
		"two documents":         "clients: {}\n---\nclients: {}\n",
		"no YAML":               "{",
		"too long":              strings.Repeat("#", maxFile+1),
		"too many devices":      "devices: [" + strings.Repeat("a,", maxDevices+1) + "]\n",
		"too many services":     "services: [" + strings.Repeat("{},", maxServices+1) + "]\n",
	} {
		if _, err := ParsePolicy([]byte(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "levels.yaml")
	if _, err := Load(path); err == nil {
		t.Error("a file that is not there was read")
	}
	if err := os.WriteFile(path, []byte(belarus), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("x: y"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("the error does not name the file: %v", err)
	}
}

// TestDocument: the example that operators copy is a policy.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/LEVELS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	example, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("there is no example")
	}
	p, err := ParsePolicy([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Services("cabinet")) != 4 || len(p.devices) != 2 || p.Required("cabinet", "eaeu", "") != (Need{Level: QES, Physical: true}) {
		t.Errorf("%+v", p)
	}
	for _, l := range []Level{Password, TwoFactor, Mobile, QES} {
		if !strings.Contains(string(text), "`"+l.ACR()+"`") {
			t.Errorf("%s is not told", l.ACR())
		}
	}
}

var country = sync.OnceValues(func() (*testpki.Country, error) { return testpki.New(testpki.Options{Now: time.Now()}) })

// TestPhysical: the tool that the CA names decides.
func TestPhysical(t *testing.T) {
	c, err := country()
	if err != nil {
		t.Fatal(err)
	}
	cert := c.Person("ip").Certificate
	tool := cert.SubjectSignTool
	if tool == "" {
		t.Fatal("the certificate names no tool")
	}
	for name, want := range map[string]bool{tool: true, strings.ToUpper(tool): true, "another tool": false} {
		p := &Policy{devices: []string{name}}
		if got := p.Physical(cert.Raw); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if (&Policy{devices: []string{tool}}).Physical([]byte("x")) {
		t.Error("no certificate, and a token all the same")
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(belarus))
	f.Add([]byte("services:\n  - {id: a, client: c, name: {ru: А, en: A}, level: open, kinds: {fl: 2fa}}\n"))
	f.Add([]byte("clients: {a: qes}\ndevices: [x]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParsePolicy(data)
		if err != nil {
			return
		}
		for _, s := range p.All() {
			if s.ID == "" || s.Client == "" || s.Name.RU == "" || s.Level > QES {
				t.Errorf("%+v", s)
			}
			if n := p.Required(s.Client, s.ID, ""); n.Physical && n.Level != QES {
				t.Errorf("%+v wants a token at level %s", s, n.Level)
			}
		}
	})
}
