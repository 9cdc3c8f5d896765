package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"propusk/cmd/internal/agent"
	"propusk/pki/reason"
	"propusk/server/signrequest"
)

// TestFingerprintPinsOne pins the key that was named, and not what else the gateway, or
// who stands between, shows beside it.
func TestFingerprintPinsOne(t *testing.T) {
	g, dir := newGateway(t), t.TempDir()
	genuine := g.key
	g.newKey(t)
	g.more = []signrequest.Key{genuine}
	enrol := func(stdin string, more ...string) (string, error) {
		return agentCommand(t, dir, stdin, append([]string{"enroll", g.URL, "--ca", g.ca}, more...)...)
	}
	out, err := enrol("", "--fingerprint", genuine.ID, "--json")
	var about enrolment
	if err != nil || json.Unmarshal([]byte(out), &about) != nil || len(about.Fingerprints) != 1 || about.Fingerprints[0] != genuine.ID {
		t.Errorf("%v\n%s", err, out)
	}
	s, err := readSettings(filepath.Join(dir, "config.yaml"))
	must(t, err)
	all, err := s.gateways()
	must(t, err)
	if len(all) != 1 || len(all[0].Keys) != 1 || all[0].Keys[0].ID != genuine.ID {
		t.Fatalf("%+v", all)
	}
	if _, err := enrol("да\n"); reason.Of(err) != reason.AgentGatewayKnown {
		t.Errorf("another key beside the known one: %v", err)
	}
	if _, err := enrol("", "--fingerprint", genuine.ID+",another"); !errors.Is(err, errNo) {
		t.Errorf("one of two: %v", err)
	}
	if _, err := enrol("", "--fingerprint", genuine.ID, "--fingerprint", g.key.ID); err != nil {
		t.Errorf("both: %v", err)
	}
	// A key has one gateway: requests are known by it.
	other := newGateway(t)
	other.key, other.more = genuine, nil
	if _, err := agentCommand(t, dir, "да\n", "enroll", other.URL, "--ca", other.ca); !errors.Is(err, errNo) || !strings.Contains(err.Error(), g.URL) {
		t.Errorf("the key of another gateway: %v", err)
	}
}

// TestGatewayAddress asks nobody over http but on this machine, and takes an address as
// people write it.
func TestGatewayAddress(t *testing.T) {
	for address, want := range map[string]string{
		"https://a.example": "https://a.example", "https://A.Example/": "https://a.example", "a.example": "https://a.example", "a.example:8443": "https://a.example:8443",
		"http://127.0.0.1:1": "http://127.0.0.1:1", "http://localhost:1": "http://localhost:1",
		"http://a.example": "", "http://127.0.0.1.a.example": "", "ftp://a.example": "", "file:///etc/passwd": "", "https://": "", "": "",
		"https://user@a.example": "", "https://a.example/path": "", "https://a.example?x": "", "https://a.example#x": "",
	} {
		if got, err := gatewayOrigin(address); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", address, got, err, want)
		}
	}
	for command, hint := range map[string]string{"enroll": "https://propusk", "forget": "https://propusk"} {
		if _, err := agentCommand(t, t.TempDir(), "", command, "http://a.example"); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%s: %v", command, err)
		}
	}
	g := newGateway(t)
	if _, err := agentCommand(t, t.TempDir(), "да\n", "enroll", g.URL); err == nil || !strings.Contains(err.Error(), "--ca") {
		t.Errorf("an unknown CA: %v", err)
	}
	g.Close()
	if _, err := agentCommand(t, t.TempDir(), "да\n", "enroll", g.URL, "--ca", g.ca); err == nil || !strings.Contains(err.Error(), "проверьте адрес") {
		t.Errorf("nobody there: %v", err)
	}
}

// TestSquatter takes a program of another user at our port for no agent, whatever it says.
func TestSquatter(t *testing.T) {
	squatter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/status" {
			_, _ = w.Write([]byte(`{"program":"propusk-agent"}`))
		}
	}))
	t.Cleanup(squatter.Close)
	at, ok := squatter.Listener.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal(squatter.Listener.Addr())
	}
	for name, answer := range map[string]error{"another user": nil, "nobody knows": errors.New("no table")} {
		asked := 0
		_, err := askOwned(t.Context(), at.Port, func(end, other netip.AddrPort) (bool, error) {
			asked++
			if end.String() != at.String() || other.Port() == 0 || other == end {
				t.Errorf("asked about %v, %v", end, other)
			}
			return false, answer
		})
		if err == nil || asked != 1 {
			t.Errorf("%s: %v, asked %d times", name, err, asked)
		}
	}
	if _, err := ask(t.Context(), at.Port); err != nil {
		t.Errorf("our own: %v", err)
	}
	if _, err := askOwned(t.Context(), at.Port, func(end, other netip.AddrPort) (bool, error) { return agent.SameUser(other, other) }); err == nil {
		t.Error("an end that is nobody's is ours")
	}
	t.Run("really", func(t *testing.T) {
		const python = "/usr/bin/python3" // one that everybody may start
		if _, err := os.Stat(python); err != nil || os.Getuid() != 0 || runtime.GOOS != "linux" {
			t.Skip("needs python3, and root to be somebody else")
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		cmd := exec.CommandContext(ctx, python, "-c", "import http.server,sys\n"+
			"class H(http.server.BaseHTTPRequestHandler):\n"+
			"  protocol_version='HTTP/1.1'\n"+
			"  def do_GET(self):\n"+
			"    b=b'{\"program\":\"propusk-agent\"}'\n"+
			"    self.send_response(200);self.send_header('Content-Length',str(len(b)));self.end_headers();self.wfile.write(b)\n"+
			"  def log_message(self,*a): pass\n"+
			"s=http.server.ThreadingHTTPServer(('127.0.0.1',0),H);print(s.server_port,flush=True);s.serve_forever()\n")
		cmd.Dir = "/"
		other(cmd)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		var port int
		_, err = fmt.Fscan(out, &port)
		must(t, err)
		if _, err := ask(t.Context(), port); err == nil {
			t.Error("it was taken for an agent of this user")
		}
		cancel()
		_ = cmd.Wait() // it was killed
	})
}

// TestLinkArguments: what follows "--" makes no flags, however a link was quoted.
func TestLinkArguments(t *testing.T) {
	dir := t.TempDir()
	evil := filepath.Join(dir, "evil.yaml")
	for _, args := range [][]string{
		{"open", "--", "propusk-agent://x", "--config", evil}, {"open", "--", "--config=" + evil}, {"open", "--", "-h"},
	} {
		if out, err := agentCommand(t, dir, "", args...); err == nil {
			t.Errorf("%q: %s", args, out)
		}
	}
	if text := desktopEntry("/a", true); !strings.Contains(text, " open -- %u\n") {
		t.Error(text)
	}
}

// TestNoBrowser says which page to open when there is nothing to open it with.
func TestNoBrowser(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"program":"propusk-agent"}`)) }))
	defer server.Close()
	at, ok := server.Listener.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal(server.Listener.Addr())
	}
	config := filepath.Join(t.TempDir(), "config.yaml")
	must(t, settings{Ports: []int{at.Port}}.write(config))
	a := &app{config: config, browser: func(string) error { return errors.New("no browser") }}
	if err := a.open(t.Context(), "propusk-agent://start"); err == nil || !strings.Contains(err.Error(), server.URL+"/") {
		t.Errorf("%v", err)
	}
}

// TestSettingsOfOthers are not read: who can write them can have libraries loaded.
func TestSettingsOfOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	dir := filepath.Join(t.TempDir(), "agent")
	path := filepath.Join(dir, "config.yaml")
	must(t, settings{Ports: defaultPorts()}.write(path))
	for _, one := range []struct {
		path string
		mode os.FileMode
		good bool
	}{
		{path, 0o600, true}, {path, 0o644, true}, {path, 0o620, false}, {path, 0o602, false}, {path, 0o600, true},
		{dir, 0o770, false}, {dir, 0o707, false}, {dir, 0o755, true}, {dir, 0o777 | os.ModeSticky, true},
	} {
		must(t, os.Chmod(one.path, one.mode))
		if _, err := readSettings(path); (err == nil) != one.good {
			t.Errorf("%s, mode %v: %v", filepath.Base(one.path), one.mode, err)
		}
	}
	if os.Getuid() == 0 {
		must(t, os.Chown(path, 65534, 65534))
		if _, err := readSettings(path); err == nil {
			t.Error("settings of another user were read")
		}
	}
}

// TestReplaceFile writes through a link of the user, to no file that lies in wait, and
// leaves nothing behind.
func TestReplaceFile(t *testing.T) {
	dir := t.TempDir()
	victim, path, target := filepath.Join(dir, "victim"), filepath.Join(dir, "config.yaml"), filepath.Join(dir, "real.yaml")
	must(t, os.WriteFile(victim, []byte("victim"), 0o600))
	must(t, os.WriteFile(target, nil, 0o600))
	if err := os.Symlink(victim, path+".tmp"); err != nil {
		t.Skip(err) // a file system without links
	}
	must(t, os.Symlink(target, path))
	must(t, settings{Ports: []int{1}}.write(path))
	if raw, err := os.ReadFile(victim); err != nil || string(raw) != "victim" {
		t.Errorf("%q, %v", raw, err)
	}
	if st, err := os.Lstat(path); err != nil || st.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
	if raw, err := os.ReadFile(target); err != nil || !bytes.Contains(raw, []byte("ports:")) {
		t.Errorf("%q, %v", raw, err)
	}
	if err := replaceFile(filepath.Join(dir, "absent", "x"), nil, 0o600); err == nil {
		t.Error("written nowhere")
	}
	if err := replaceFile(dir, nil, 0o600); err == nil { // a directory is not replaced
		t.Error("a directory was replaced")
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "*.*.tmp"))
	if err != nil || len(left) != 0 {
		t.Errorf("%v, %v", left, err)
	}
}

// TestWords says what was done, and what is missing, in words.
func TestWords(t *testing.T) {
	dir := t.TempDir()
	for _, one := range []struct{ stdin, said, command string }{
		{"Слон\n", "сохранена", "phrase"}, {"\n", "больше нет", "phrase"}, {"", "enroll (подключить шлюз)", "help"},
	} {
		if out, err := agentCommand(t, dir, one.stdin, one.command); err != nil || !strings.Contains(out, one.said) {
			t.Errorf("%s: %v\n%s", one.command, err, out)
		}
	}
	for _, command := range []string{"enroll", "forget"} {
		if _, err := agentCommand(t, dir, "", command); err == nil || !strings.Contains(err.Error(), "укажите один адрес") {
			t.Errorf("%s: %v", command, err)
		}
	}
}

// TestNextPort says so when the port where gateways look first is somebody else's, and
// that no gateway is enrolled.
func TestNextPort(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	defer taken.Close()
	at, ok := taken.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal(taken.Addr())
	}
	ctx, cancel := context.WithCancel(t.Context())
	var out output
	a, cmd := &app{config: filepath.Join(t.TempDir(), "config.yaml")}, newRoot()
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	ended := make(chan error, 1)
	go func() {
		_, err := a.serve(ctx, cmd, settings{Ports: []int{at.Port, 0}, SkipInstalled: true}, false, fileStamp{}, false)
		ended <- err
	}()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(out.String(), "Шлюзов пока нет") && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if len(ended) > 0 {
			break
		}
	}
	cancel()
	must(t, <-ended)
	if !strings.Contains(out.String(), fmt.Sprintf("порт %d занят", at.Port)) || !strings.Contains(out.String(), "Шлюзов пока нет") {
		t.Error(out.String())
	}
}
