package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"propusk/pki/reason"
	"propusk/server/signrequest"
	"propusk/tokens"
)

func TestMain(m *testing.M) {
	tokens.ServeIfChild()
	os.Exit(m.Run())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// output collects what a command says. It is safe for concurrent use.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// agentCommand runs a command with settings in a directory.
func agentCommand(t testing.TB, dir, stdin string, args ...string) (string, error) {
	t.Helper()
	var out output
	root := newRoot()
	root.SetArgs(append([]string{"--config", filepath.Join(dir, "config.yaml")}, args...))
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(&out)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

// gateway publishes a card, with a key that can be changed.
type gateway struct {
	*httptest.Server
	ca   string // file
	key  signrequest.Key
	more []signrequest.Key // that it publishes too
}

func newGateway(t *testing.T) *gateway {
	t.Helper()
	g := &gateway{}
	g.newKey(t)
	g.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != signrequest.WellKnown {
			http.Redirect(w, r, signrequest.WellKnown, http.StatusFound)
			return
		}
		card := signrequest.Card{Gateway: signrequest.Gateway{URL: g.URL, Name: "Шлюз испытаний", Keys: append([]signrequest.Key{g.key}, g.more...)}, AgentPorts: []int{17446}}
		body, err := card.Marshal()
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(g.Close)
	g.ca = filepath.Join(t.TempDir(), "ca.pem")
	must(t, os.WriteFile(g.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: g.Certificate().Raw}), 0o600))
	return g
}

func (g *gateway) newKey(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	g.key, err = signrequest.NewKey(&key.PublicKey)
	must(t, err)
}

// TestEnroll pins what a person agreed to, and takes other keys only with a fingerprint.
func TestEnroll(t *testing.T) {
	g, dir := newGateway(t), t.TempDir()
	enrol := func(stdin string, more ...string) (string, error) {
		return agentCommand(t, dir, stdin, append([]string{"enroll", g.URL + "/", "--ca", g.ca}, more...)...)
	}
	if _, err := agentCommand(t, dir, "y\n", "enroll", g.URL); err == nil {
		t.Error("a gateway with a certificate of an unknown CA was enrolled")
	}
	if out, err := enrol("n\n"); !errors.Is(err, errNo) || !strings.Contains(out, g.key.ID) {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := enrol("", "--fingerprint", "another"); !errors.Is(err, errNo) {
		t.Errorf("%v", err)
	}
	if s, err := readSettings(filepath.Join(dir, "config.yaml")); err != nil || len(s.Gateways) != 0 {
		t.Fatalf("%v, %d gateways", err, len(s.Gateways))
	}
	if out, err := enrol("да\n"); err != nil || !strings.Contains(out, "Шлюз подключён") {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := enrol(""); err != nil {
		t.Errorf("the same keys again: %v", err)
	}
	first := g.key.ID
	g.newKey(t)
	if _, err := enrol("y\n"); reason.Of(err) != reason.AgentGatewayKnown {
		t.Errorf("other keys: %v", err)
	}
	pinned := func() string {
		s, err := readSettings(filepath.Join(dir, "config.yaml"))
		must(t, err)
		all, err := s.gateways()
		must(t, err)
		if len(all) != 1 || all[0].URL != g.URL || len(all[0].Keys) != 1 || len(all[0].CA) == 0 {
			t.Fatalf("%+v", all)
		}
		return all[0].Keys[0].ID
	}
	if pinned() != first {
		t.Error("another key was pinned")
	}
	out, err := enrol("", "--fingerprint", g.key.ID, "--json")
	var about enrolment
	if err != nil || json.Unmarshal([]byte(out), &about) != nil || !reflect.DeepEqual(about.Fingerprints, []string{g.key.ID}) {
		t.Errorf("%v\n%s", err, out)
	}
	if pinned() != g.key.ID {
		t.Error("the new key was not pinned")
	}
	if _, err := agentCommand(t, dir, "", "forget", g.URL); err != nil {
		t.Error(err)
	}
	if _, err := agentCommand(t, dir, "", "forget", g.URL); !errors.Is(err, errNo) {
		t.Errorf("%v", err)
	}
}

// TestSettings are for this user alone, and refused when they are spoilt.
func TestSettings(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	path := filepath.Join(dir, "config.yaml")
	if out, err := agentCommand(t, dir, "Зелёный слон\n", "phrase"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	st, err := os.Stat(path)
	must(t, err)
	if runtime.GOOS != "windows" && st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", st.Mode())
	}
	s, err := readSettings(path)
	if err != nil || s.Phrase != "Зелёный слон" || !slices.Equal(s.Ports, defaultPorts()) {
		t.Errorf("%v, %+v", err, s)
	}
	for _, phrase := range []string{strings.Repeat("а", maxPhrase), "a\u202eb"} {
		if _, err := agentCommand(t, dir, phrase+"\n", "phrase"); err == nil {
			t.Errorf("%q was taken", phrase)
		}
	}
	for _, bad := range []string{"unknown: 1\n", "ports: [0]\n", "ports: []\n", "gateways: [{url: https://a.example, name: a, keys: [AA]}]\n", "gateways: [{url: https://a.example/, name: a}]\n", ":\n", "phrase: \"a\\nb\"\n", strings.Repeat("#", maxSettings+1)} {
		must(t, os.WriteFile(path, []byte(bad), 0o600))
		if _, err := readSettings(path); err == nil {
			t.Errorf("%.40q was taken", bad)
		}
	}
	must(t, os.WriteFile(path, nil, 0o600))
	if _, err := readSettings(path); err != nil {
		t.Errorf("an empty file: %v", err)
	}
}

// TestModules puts OpenSC last: a vendor's library knows more of its tokens.
func TestModules(t *testing.T) {
	all := settings{Modules: []string{"soft:/tokens"}}.modules()
	if all[0] != "soft:/tokens" {
		t.Errorf("%v", all)
	}
	for i, path := range all {
		if strings.Contains(path, "opensc") && i != len(all)-1 {
			t.Errorf("%v", all)
		}
	}
	if all := (settings{Modules: []string{"a"}, SkipInstalled: true}).modules(); !slices.Equal(all, []string{"a"}) {
		t.Errorf("%v", all)
	}
}

// TestLinks takes from a link, which any page can have, a request and nothing else.
func TestLinks(t *testing.T) {
	for link, want := range map[string]string{
		"propusk-agent://start": "/", "propusk-agent:start": "/", "propusk-agent://": "/",
		"propusk-agent://sign?request=a-b_c.d.e":                       "/sign?request=a-b_c.d.e",
		"propusk-agent://sign/?request=a.b.c":                          "/sign?request=a.b.c",
		"propusk-agent:sign?request=a.b.c":                             "/sign?request=a.b.c",
		"propusk-agent://sign":                                         "",
		"propusk-agent://sign?request=":                                "",
		"propusk-agent://sign?request=a&request=b":                     "",
		"propusk-agent://sign?request=a%26x=1":                         "",
		"propusk-agent://sign?request=a%0d%0ab":                        "",
		"propusk-agent://sign?request=" + strings.Repeat("a", 200<<10): "",
		"propusk-agent://other?request=a":                              "",
		"https://sign?request=a":                                       "",
		"--config=/etc/passwd":                                         "",
		"propusk-agent://sign/../status?request=a":                     "",
	} {
		if got, err := pageOf(link); got != want || (err == nil) != (want != "") {
			t.Errorf("%.60q: %.60q, %v; want %q", link, got, err, want)
		}
	}
}

// freePort returns a port that was free a moment ago.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	at, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal(l.Addr())
	}
	return at.Port
}

// TestRun runs an agent, finds it, opens its page from a link, sees settings that change,
// and ends cleanly.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	port := freePort(t)
	must(t, settings{Ports: []int{port}, SkipInstalled: true, Modules: []string{"soft:" + dir}}.write(config))
	if out, err := agentCommand(t, dir, "", "status", "--json"); !errors.Is(err, errNo) || !strings.Contains(out, `"running": false`) {
		t.Errorf("%v\n%s", err, out)
	}

	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	var opened []string
	a := &app{config: config, browser: func(address string) error { opened = append(opened, address); return nil }}
	started := 0
	a.start = func() error {
		started++
		root := newRoot()
		root.SetArgs([]string{"--config", config, "run"})
		root.SetOut(new(output))
		root.SetErr(new(output))
		go func() { ended <- root.ExecuteContext(ctx) }()
		return nil
	}
	for _, link := range []string{"propusk-agent://sign?request=a.b.c", "propusk-agent://start"} {
		must(t, a.open(t.Context(), link))
	}
	base := fmt.Sprintf("http://127.0.0.1:%d/", port)
	if started != 1 || !slices.Equal(opened, []string{base + "sign?request=a.b.c", base}) {
		t.Errorf("started %d times, opened %q", started, opened)
	}
	if out, err := agentCommand(t, dir, "", "run"); err != nil || !strings.Contains(out, "уже работает") {
		t.Errorf("a second one: %v\n%s", err, out)
	}

	if _, err := agentCommand(t, dir, "Слон\n", "phrase"); err != nil {
		t.Fatal(err)
	}
	seen := false
	for deadline := time.Now().Add(time.Minute); !seen && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		s, err := ask(t.Context(), port)
		seen = err == nil && s.Phrase
	}
	if !seen {
		t.Error("the settings that changed were not seen")
	}
	out, err := agentCommand(t, dir, "", "status", "--json")
	var line statusLine
	if err != nil || json.Unmarshal([]byte(out), &line) != nil || !line.Running || line.URL != base || line.Agent.Modules[0] != "soft:"+dir {
		t.Errorf("%v\n%s", err, out)
	}
	cancel()
	must(t, <-ended)
	if _, running := find(t.Context(), []int{port}); running {
		t.Error("it still answers")
	}
}

// TestPorts takes the next port when one is taken.
func TestPorts(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	defer taken.Close()
	at, ok := taken.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal(taken.Addr())
	}
	l, err := listen(t.Context(), []int{at.Port, 0})
	must(t, err)
	must(t, l.Close())
	if _, err := listen(t.Context(), []int{at.Port}); err == nil {
		t.Error("a port was taken twice")
	}
}

// TestDesktopFiles writes what desktops read, and takes back what it wrote.
func TestDesktopFiles(t *testing.T) {
	links := desktopEntry(`/opt/it's "50%" $HOME\x`, true)
	for _, want := range []string{
		"[Desktop Entry]\n", `Exec="/opt/it's \\"50%%\\" \\$HOME\\\\x" open -- %u` + "\n", "MimeType=x-scheme-handler/propusk-agent;\n",
	} {
		if !strings.Contains(links, want) {
			t.Errorf("%s is not in\n%s", want, links)
		}
	}
	if start := desktopEntry("/a", false); !strings.Contains(start, "Exec=\"/a\" run\n") || strings.Contains(start, "MimeType") {
		t.Error(start)
	}
	plist, err := launchAgent(`/Applications/A & B/<x>`)
	if err != nil || !strings.Contains(plist, "<string>/Applications/A &amp; B/&lt;x&gt;</string>") {
		t.Errorf("%v\n%s", err, plist)
	}
	for before, want := range map[string]string{
		"":                            "[Default Applications]\n" + handlerLine + "\n",
		"[Added Associations]\na=b\n": "[Added Associations]\na=b\n[Default Applications]\n" + handlerLine + "\n",
		"[Default Applications]\na=b\nx-scheme-handler/propusk-agent=old.desktop\n[X]\nc=d\n": "[Default Applications]\n" + handlerLine + "\na=b\n[X]\nc=d\n",
	} {
		got := withHandler(before, true)
		if got != want {
			t.Errorf("%q: %q, want %q", before, got, want)
		}
		if withHandler(got, true) != got || strings.Contains(withHandler(got, false), program) {
			t.Errorf("%q: not the same again, or not taken back", before)
		}
	}
}

// TestInstall registers the program, as the desktop's own tools see it.
func TestInstall(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the files of other systems are compared in TestDesktopFiles")
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
	t.Setenv("XDG_DATA_HOME", filepath.Join(home, "data"))
	out, err := agentCommand(t, home, "", "install")
	must(t, err)
	files := strings.Fields(out)
	if len(files) != 3 {
		t.Fatalf("%q", files)
	}
	if path, err := exec.LookPath("desktop-file-validate"); err == nil {
		for _, f := range files[:2] {
			if said, err := exec.CommandContext(t.Context(), path, f).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", f, err, said)
			}
		}
	}
	if again, err := agentCommand(t, home, "", "install"); err != nil || len(strings.Fields(again)) != 2 {
		t.Errorf("again: %v\n%s", err, again)
	}
	if out, err = agentCommand(t, home, "", "uninstall"); err != nil || len(strings.Fields(out)) != 3 {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err = agentCommand(t, home, "", "uninstall"); err != nil || out != "" {
		t.Errorf("again: %v\n%s", err, out)
	}
}
