package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"propusk/certs/testpki"
	"propusk/cmd/internal/keyring"
	"propusk/server/signrequest"
)

// Goals of the agent.
const (
	startGoal  = 150 * time.Millisecond
	memoryGoal = 30 << 20 // bytes
	// startLimit is how long an agent may take before the measurement is given up.
	startLimit = time.Minute
)

// agentMachine is a machine with an agent to be started.
type agentMachine struct {
	binary, config, tokens string
	url                    string
	gateway                string
	key                    *ecdsa.PrivateKey
}

// agentRows measures how long the agent takes from its start to its first answer, and how
// much memory it has after it has signed, with a library in a process of its own.
func agentRows(o options, dir string, progress io.Writer) ([]row, error) {
	if _, err := exec.LookPath("gcc"); err != nil {
		fmt.Fprintln(progress, "the agent is left out: no gcc to build the PKCS#11 library with")
		return nil, nil
	}
	m, err := newAgentMachine(dir)
	if err != nil {
		return nil, err
	}
	starts := 21
	if o.short {
		starts = 3
	}
	var took []time.Duration
	for range starts {
		process, after, err := m.start()
		if err != nil {
			return nil, err
		}
		took = append(took, after)
		if err := stop(process); err != nil {
			return nil, err
		}
	}
	process, _, err := m.start()
	if err != nil {
		return nil, err
	}
	own, children, err := m.memory(process.Process.Pid)
	if err := errors.Join(err, stop(process)); err != nil {
		return nil, err
	}
	start := median(took)
	return []row{
		{name: "agent: start to the first answer", value: milli(start), goal: "≤ 150 ms", met: start <= startGoal},
		{name: "agent: memory after a signature", value: mega(own), goal: "≤ 30 MB", met: own <= memoryGoal},
		{name: "agent: memory of the library's process", value: mega(children)},
	}, nil
}

func newAgentMachine(dir string) (*agentMachine, error) {
	library := filepath.Join(dir, "libpropusksoft.so")
	m := &agentMachine{
		binary: filepath.Join(dir, "propusk-agent"), config: filepath.Join(dir, "config.yaml"), tokens: filepath.Join(dir, "tokens"),
		gateway: "https://127.0.0.1:1", // nobody is there: accreditation is not judged
	}
	for _, args := range [][]string{
		{"build", "-trimpath", "-ldflags=-s -w", "-o", m.binary, "propusk/cmd/propusk-agent"},
		{"build", "-buildmode=c-shared", "-o", library, "propusk/tokens/soft/module"},
	} {
		build := exec.Command("go", args...)
		build.Env = append(os.Environ(), "CGO_ENABLED=1")
		if said, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w\n%s", err, said)
		}
	}
	country, err := testpki.New(testpki.Options{Now: time.Now()})
	if err != nil {
		return nil, err
	}
	p := country.Person("ip")
	if err := keyring.Make(filepath.Join(m.tokens, "ip"), "ip", benchPIN, p.Certificate.Raw, p.Key); err != nil {
		return nil, err
	}
	if m.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	point, err := m.key.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	m.url = "http://127.0.0.1:" + strconv.Itoa(port)
	config := fmt.Sprintf("gateways: [{url: %q, name: Bench, keys: [%s]}]\nmodules: [%q]\nskip_installed: true\nports: [%d]\n",
		m.gateway, base64.RawURLEncoding.EncodeToString(point), library, port)
	return m, os.WriteFile(m.config, []byte(config), 0o600)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err := errors.Join(err, l.Close()); err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}

// start starts the agent and waits until it answers.
func (m *agentMachine) start() (*exec.Cmd, time.Duration, error) {
	var said bytes.Buffer
	cmd := exec.Command(m.binary, "--config", m.config) //nolint:gosec // built above
	cmd.Stderr = &said
	cmd.Env = append(os.Environ(), "PROPUSK_SOFT_TOKENS="+m.tokens)
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, 0, err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: startLimit}
	for time.Since(begin) < startLimit {
		answer, err := client.Get(m.url + "/status")
		if err != nil {
			time.Sleep(time.Millisecond)
			continue
		}
		took := time.Since(begin)
		if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
			return nil, 0, errors.Join(fmt.Errorf("the agent answers %s", answer.Status), err, stop(cmd))
		}
		return cmd, took, nil
	}
	return nil, 0, errors.Join(fmt.Errorf("the agent does not answer: %s", &said), stop(cmd))
}

// stop ends an agent that was started, and waits.
func stop(cmd *exec.Cmd) error {
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	return cmd.Wait()
}

// memory signs once and returns the resident memory, in bytes, of the agent and of its
// children.
func (m *agentMachine) memory(pid int) (own, children int64, err error) {
	if err := m.sign(); err != nil {
		return 0, 0, err
	}
	if own, err = resident(pid); err != nil {
		return 0, 0, err
	}
	path := fmt.Sprintf("/proc/%d/task", pid)
	threads, err := os.ReadDir(path)
	if err != nil {
		return 0, 0, err
	}
	for _, thread := range threads {
		list, err := os.ReadFile(filepath.Join(path, thread.Name(), "children"))
		if err != nil {
			return 0, 0, err
		}
		for child := range strings.FieldsSeq(string(list)) {
			id, err := strconv.Atoi(child)
			if err != nil {
				return 0, 0, err
			}
			size, err := resident(id)
			if err != nil {
				return 0, 0, err
			}
			children += size
		}
	}
	return own, children, nil
}

// resident returns VmRSS of a process, in bytes.
func resident(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	found := regexp.MustCompile(`VmRSS:\s*(\d+) kB`).FindSubmatch(status)
	if found == nil {
		return 0, fmt.Errorf("process %d tells no VmRSS", pid)
	}
	kilobytes, err := strconv.ParseInt(string(found[1]), 10, 64)
	return kilobytes << 10, err
}

// sign goes the way of a person who signs in.
func (m *agentMachine) sign() error {
	now := time.Now().Truncate(time.Second)
	request, err := signrequest.Sign(signrequest.Request{
		ID: "bench", Issuer: m.gateway, ReturnTo: m.gateway + "/signed", State: rand.Text() + rand.Text(), Nonce: rand.Text() + rand.Text(),
		IssuedAt: now, Expires: now.Add(signrequest.Life), Purpose: signrequest.SignIn, Service: "Bench",
	}, m.key)
	if err != nil {
		return err
	}
	choice, err := m.page("/sign?request="+request, nil)
	if err != nil {
		return err
	}
	link := regexp.MustCompile(`href="(/visit/[^"]*/pin\?certificate=[^"]*)"`).FindStringSubmatch(choice)
	if link == nil {
		return errors.New("no certificate to choose")
	}
	asked, err := m.page(html.UnescapeString(link[1]), nil)
	if err != nil {
		return err
	}
	form := url.Values{"pin": {benchPIN}}
	for _, field := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(asked, -1) {
		form.Set(field[1], field[2])
	}
	path, _, _ := strings.Cut(html.UnescapeString(link[1]), "?")
	done, err := m.page(path, form)
	if err == nil && !strings.Contains(done, `name="signature"`) {
		err = errors.New("nothing was signed")
	}
	return err
}

// page asks the agent as a browser does.
func (m *agentMachine) page(path string, form url.Values) (string, error) {
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	request, err := http.NewRequest(method, m.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	for name, value := range map[string]string{
		"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "same-origin", "Origin": m.url,
		"Content-Type": "application/x-www-form-urlencoded",
	} {
		request.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return "", err
	}
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the agent answers %s", answer.Status)
	}
	return string(text), nil
}

// mega prints a number of bytes.
func mega(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }
