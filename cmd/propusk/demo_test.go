package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"propusk/pki/reason"
	"propusk/server/testgateway"
	"propusk/tokens"
)

// demoRunning is a demo that a test has started.
type demoRunning struct {
	dir  string
	base int
	doc  map[string]any // demo.json, read without our types
	out  *lockedBuffer
	stop func() int // ends it and returns the exit code
}

// lockedBuffer is a buffer that a command and a test share.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// freePorts returns the first of ten ports in a row that nobody listens on.
func freePorts(t *testing.T) int {
	t.Helper()
	for base := 20000 + os.Getpid()%20000; base < 60000; base += 10 {
		free := true
		for port := base; port < base+10 && free; port++ {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if free = err == nil; free {
				l.Close()
			}
		}
		if free {
			return base
		}
	}
	t.Fatal("no free ports")
	return 0
}

// startDemo runs the demo in this process and waits for demo.json.
func startDemo(t *testing.T, dir string, base int) *demoRunning {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d := &demoRunning{dir: dir, base: base, out: new(lockedBuffer)}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"demo", "--dir", dir, "--port-base", fmt.Sprint(base), "-v"}, strings.NewReader(""), d.out, d.out)
	}()
	d.stop = sync.OnceValue(func() int {
		cancel()
		select {
		case code := <-ended:
			return code
		case <-time.After(30 * time.Second):
			t.Error("the demo does not end")
			return -1
		}
	})
	t.Cleanup(func() { d.stop() })
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		text, err := os.ReadFile(filepath.Join(dir, "demo.json"))
		if err == nil {
			if err := json.Unmarshal(text, &d.doc); err != nil {
				t.Fatal(err)
			}
			return d
		}
		select {
		case code := <-ended:
			t.Fatalf("the demo ended with %d:\n%s", code, d.out)
		default:
		}
	}
	t.Fatalf("no demo.json:\n%s", d.out)
	return nil
}

// get returns what a path of nested objects leads to in demo.json.
func (d *demoRunning) get(t *testing.T, path ...string) any {
	t.Helper()
	var v any = d.doc
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok || m[name] == nil {
			t.Fatalf("demo.json has no %v", path)
		}
		v = m[name]
	}
	return v
}

func (d *demoRunning) text(t *testing.T, path ...string) string {
	t.Helper()
	s, ok := d.get(t, path...).(string)
	if !ok {
		t.Fatalf("%v is not a string", path)
	}
	return s
}

// person returns one person of demo.json.
func (d *demoRunning) person(t *testing.T, id string) map[string]string {
	t.Helper()
	people, ok := d.get(t, "people").([]any)
	if !ok {
		t.Fatal("people is not a list")
	}
	for _, one := range people {
		fields := map[string]string{}
		object, ok := one.(map[string]any)
		if !ok {
			t.Fatalf("a person is %v", one)
		}
		for name, value := range object {
			fields[name] = fmt.Sprint(value)
		}
		if fields["id"] == id {
			return fields
		}
	}
	t.Fatalf("demo.json has no person %s", id)
	return nil
}

// TestDemoContract compares demo.json with the contract that others rely on, then
// stops the demo and starts it again on the same country.
func TestDemoContract(t *testing.T) {
	dir, base := t.TempDir(), freePorts(t)
	d := startDemo(t, dir, base)

	for name, want := range map[string]string{
		"check":   fmt.Sprintf("http://127.0.0.1:%d", base),
		"public":  fmt.Sprintf("https://127.0.0.1:%d", base+3),
		"signin":  fmt.Sprintf("https://127.0.0.1:%d", base+4),
		"cabinet": fmt.Sprintf("http://127.0.0.1:%d", base+5),
		"agent":   fmt.Sprintf("http://127.0.0.1:%d", base+6),
		"admin":   fmt.Sprintf("http://127.0.0.1:%d", base+9),
	} {
		if got := d.text(t, "urls", name); got != want {
			t.Errorf("urls.%s is %s, want %s", name, got, want)
		}
	}
	checkDemoPeople(t, d)
	files := []any{d.get(t, "trust", "dir"), d.get(t, "trust", "tsl"), d.get(t, "tls", "gost_ca"), d.get(t, "tls", "ca")}
	for _, list := range []string{"roots", "crls"} {
		all, ok := d.get(t, "trust", list).([]any)
		if !ok || len(all) == 0 {
			t.Errorf("trust.%s is %v", list, all)
		}
		files = append(files, all...)
	}
	for _, f := range files {
		if path := fmt.Sprint(f); !filepath.IsAbs(path) {
			t.Errorf("%s is not absolute", path)
		} else if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	if len(d.doc) != 4 {
		t.Errorf("demo.json has %d parts, the contract has 4", len(d.doc))
	}
	for _, want := range []string{"curl", "openssl s_client", "Примеров", d.text(t, "urls", "cabinet")} {
		if !strings.Contains(d.out.String(), want) {
			t.Errorf("the text does not have %q:\n%s", want, d.out)
		}
	}
	for _, port := range []int{0, 3, 4, 5, 9} {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", base+port))
		if err != nil {
			t.Error(err)
			continue
		}
		conn.Close()
	}
	if status, body := fetch(t, d.text(t, "urls", "admin")+"/readyz"); status != http.StatusOK {
		t.Errorf("not ready: %d %s", status, body)
	}
	if status, body := fetch(t, d.text(t, "urls", "cabinet")+"/"); status != http.StatusOK || !strings.Contains(body, "абинет") {
		t.Errorf("cabinet: %d %s", status, body)
	}

	if code := d.stop(); code != exitYes {
		t.Errorf("exit code %d:\n%s", code, d.out)
	}
	again := startDemo(t, dir, base)
	for _, id := range []string{"ip", "revoked"} {
		if got, want := again.person(t, id), d.person(t, id); got["inn"] != want["inn"] {
			t.Errorf("%s is another person after a restart", id)
		}
	}
	if code := again.stop(); code != exitYes {
		t.Errorf("exit code %d:\n%s", code, again.out)
	}
}

// checkDemoPeople compares the people with the contract.
func checkDemoPeople(t *testing.T, d *demoRunning) {
	t.Helper()
	expect := map[string]string{
		"ip": "ok", "ip512": "ok",
		"expired": "certificate-expired", "notyet": "certificate-not-yet-valid", "unknown-ca": "unknown-ca",
		"terminated-ca": "ca-not-accredited", "revoked": "certificate-revoked", "unqualified": "not-qualified",
		"ul": "wrong-holder-kind", "fl": "wrong-holder-kind",
	}
	for id, want := range expect {
		p := d.person(t, id)
		for _, field := range []string{"id", "kind", "name", "inn", "ogrnip", "snils", "cert", "key", "pin", "expect"} {
			if _, ok := p[field]; !ok {
				t.Errorf("%s has no %s", id, field)
			}
		}
		if p["expect"] != want {
			t.Errorf("%s expects %q, want %q", id, p["expect"], want)
		}
		if _, ok := reason.Lookup(reason.Code(want)); !ok && want != "ok" {
			t.Errorf("%q is not in the catalogue", want)
		}
		for _, file := range []string{"cert", "key"} {
			text, err := os.ReadFile(p[file])
			if err != nil || !bytes.HasPrefix(text, []byte("-----BEGIN ")) {
				t.Errorf("%s: %s: %v", id, p[file], err)
			}
		}
	}
}

// fetch gets an address over plain HTTP.
func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	client := &http.Client{Timeout: 30 * time.Second}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// TestDemoSignIn does what the demo tells people to do: the curl command that it
// prints reaches the greeting of the cabinet, and the openssl command is answered.
func TestDemoSignIn(t *testing.T) {
	testgateway.NewOpenSSL(t) // or skip
	// The commands must survive a path that the shell would take apart.
	dir := filepath.Join(t.TempDir(), "it's a demo")
	d := startDemo(t, dir, freePorts(t))
	ip := d.person(t, "ip")
	for _, command := range printedCommands(t, d.out.String()) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		out, err := exec.CommandContext(ctx, "sh", "-c", command).CombinedOutput()
		cancel()
		if err != nil {
			t.Errorf("%s: %v\n%s", command, err, out)
		}
		for _, want := range []string{ip["name"], ip["inn"], ip["ogrnip"]} {
			if strings.Contains(command, "curl") && !strings.Contains(string(out), want) {
				t.Errorf("%s\nno %q in\n%s", command, want, out)
			}
		}
		if strings.Contains(command, "s_client") && !strings.Contains(string(out), "TOTAL-PASSED") {
			t.Errorf("%s\nno verdict in\n%s", command, out)
		}
	}
	if strings.Contains(d.out.String(), `"`+ip["inn"]) {
		t.Error("a person is in the log")
	}
}

// printedCommands returns the commands of the text that the demo prints.
func printedCommands(t *testing.T, text string) []string {
	t.Helper()
	var commands []string
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		if !strings.HasPrefix(lines[i], "OPENSSL_CONF=") && !strings.HasPrefix(lines[i], "printf ") {
			continue
		}
		command := lines[i]
		for strings.HasSuffix(command, "\\") && i+1 < len(lines) {
			i++
			command += "\n" + lines[i]
		}
		commands = append(commands, command)
	}
	if len(commands) != 2 {
		t.Fatalf("%d commands in\n%s", len(commands), text)
	}
	return commands
}

// TestDemoPortsTaken sees that a second demo says which port is taken and leaves
// the files of the first alone.
func TestDemoPortsTaken(t *testing.T) {
	dir, base := t.TempDir(), freePorts(t)
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", base+4))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.WriteFile(filepath.Join(dir, demoFile), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"demo", "--dir", dir, "--port-base", fmt.Sprint(base)}, strings.NewReader(""), &out, &errs)
	if code != exitUsage || !strings.Contains(errs.String(), fmt.Sprint(base+4)) || !strings.Contains(errs.String(), "name other ports with --port-base") {
		t.Errorf("exit code %d: %s", code, &errs)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
	if conn, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", base+3)); err != nil {
		t.Error("a port was left open:", err)
	} else {
		conn.Close()
	}
}

// TestDemoFlags sees that impossible ports are refused.
func TestDemoFlags(t *testing.T) {
	for _, base := range []string{"0", "-1", "65530", "x"} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"demo", "--dir", t.TempDir(), "--port-base", base}, strings.NewReader(""), &out, &errs); code != exitUsage {
			t.Errorf("--port-base %s: exit code %d", base, code)
		}
	}
}

// TestDemoRepairs sees that a country with a file missing is made anew.
func TestDemoRepairs(t *testing.T) {
	dir, base := t.TempDir(), freePorts(t)
	d := startDemo(t, dir, base)
	before := read(t, d.person(t, "ip")["cert"])
	d.stop()
	if err := os.Remove(d.person(t, "ul")["key"]); err != nil {
		t.Fatal(err)
	}
	d = startDemo(t, dir, base)
	if bytes.Equal(before, read(t, d.person(t, "ip")["cert"])) {
		t.Error("the broken country was used")
	}
	if info, err := os.Stat(d.person(t, "ul")["key"]); err != nil || info.Mode().Perm() != fs.FileMode(0o600) {
		t.Errorf("%v, %v", info, err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestMain is propusk itself when a test starts this binary again with
// PROPUSK_TEST_ARGS: signals need a process.
func TestMain(m *testing.M) {
	tokens.ServeIfChild()
	if args := os.Getenv("PROPUSK_TEST_ARGS"); args != "" {
		os.Args = append(os.Args[:1], strings.Split(args, "\n")...)
		main()
	}
	os.Exit(m.Run())
}

// TestDemoSignals ends the demo as a supervisor and as a person do, when it is up
// and before.
func TestDemoSignals(t *testing.T) {
	for _, test := range []struct {
		name   string
		signal os.Signal
		early  bool
	}{
		{"SIGTERM", syscall.SIGTERM, false},
		{"SIGINT", os.Interrupt, false},
		{"SIGTERM before it is up", syscall.SIGTERM, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			demoJSON := filepath.Join(dir, "demo.json")
			cmd := exec.Command(os.Args[0])
			args := []string{"demo", "--dir", dir, "--port-base", fmt.Sprint(freePorts(t))}
			cmd.Env = append(os.Environ(), "PROPUSK_TEST_ARGS="+strings.Join(args, "\n"))
			out := new(lockedBuffer)
			cmd.Stdout, cmd.Stderr = out, out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			// The empty manifest is the first file that is written.
			wait := demoJSON
			if test.early {
				wait = filepath.Join(dir, "country.json")
			}
			for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
				if _, err := os.Stat(wait); err == nil {
					break
				}
				if time.Now().After(end) {
					t.Fatalf("no %s:\n%s", wait, out)
				}
			}
			if err := cmd.Process.Signal(test.signal); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("%v:\n%s", err, out)
			}
			if _, err := os.Stat(demoJSON); !os.IsNotExist(err) {
				t.Errorf("demo.json was left behind: %v", err)
			}
		})
	}
}

// TestDemoPlaces looks at the addresses for hosts of other sorts.
func TestDemoPlaces(t *testing.T) {
	for _, test := range []struct{ host, public, admin, name string }{
		{"127.0.0.1", "https://127.0.0.1:8443", "http://127.0.0.1:8449", "127.0.0.1"},
		{"0.0.0.0", "https://localhost:8443", "http://127.0.0.1:8449", "localhost"},
		{"propusk.example.ru", "https://propusk.example.ru:8443", "http://127.0.0.1:8449", "propusk.example.ru"},
		{"::1", "https://[::1]:8443", "http://[::1]:8449", "::1"},
	} {
		o := demoOptions{dir: "/demo", host: test.host, portBase: 8440}
		if u := o.urls(); u.Public != test.public || u.Admin != test.admin {
			t.Errorf("%s: %+v", test.host, u)
		}
		if want := map[bool]string{true: "http", false: "https"}[test.name != "propusk.example.ru"]; o.cabinetScheme() != want {
			t.Errorf("%s: the cabinet is on %s", test.host, o.urls().Cabinet)
		}
		if hosts := o.certificateHosts(); !slices.Contains(hosts, test.name) {
			t.Errorf("%s: %v", test.host, hosts)
		}
		if err := o.config().Validate(); err != nil {
			t.Errorf("%s: %v", test.host, err)
		}
	}
}
