package testgateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"propusk/certs"
	"propusk/server"
	"propusk/server/config"
)

// childConfig names, in the environment, the configuration of the gateway that a test binary
// is to be.
const childConfig = "PROPUSK_TEST_GATEWAY"

// ServeIfChild makes the process of a test the gateway of [StartProcess], if it is to be that
// one; it does not return then. TestMain calls it first.
func ServeIfChild() {
	if path := os.Getenv(childConfig); path != "" {
		fmt.Fprintln(os.Stderr, serve(path))
		os.Exit(1)
	}
}

// serve serves on the ports that the parent has opened.
func serve(path string) error {
	c, err := config.Load(path)
	if err != nil {
		return err
	}
	var l server.Listeners
	for i, to := range []*net.Listener{&l.Public, &l.SignIn, &l.Check, &l.Admin} {
		if *to, err = net.FileListener(os.NewFile(uintptr(3+i), "listener")); err != nil {
			return err
		}
	}
	s, err := server.New(server.Options{
		Config: c, Trust: certs.NewStore(server.TrustSource(c.Trust), time.Now), Now: time.Now, Version: "test",
		Log: slog.New(slog.NewJSONHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	return s.Serve(context.Background(), &l)
}

// Process is a gateway in a process of its own, which can be killed. Its ports stay open all
// the time: who comes while there is no process waits for the next one. Store and Clock of
// its Gateway are not those of the process.
type Process struct {
	*Gateway
	ports []*os.File
	cmd   *exec.Cmd
}

// StartProcess is [Start] with a process of its own. The TestMain of the test must call
// [ServeIfChild].
func StartProcess(t testing.TB, change ...func(*Gateway)) *Process {
	t.Helper()
	p := &Process{Gateway: prepare(t, change...)}
	l := p.listen(t.Context())
	for _, port := range []net.Listener{l.Public, l.SignIn, l.Check, l.Admin} {
		tcp, ok := port.(*net.TCPListener)
		if !ok {
			t.Fatalf("a port is a %T", port)
		}
		f, err := tcp.File()
		if err != nil {
			t.Fatal(err)
		}
		p.ports = append(p.ports, f)
	}
	raw, err := yaml.Marshal(p.Config)
	if err != nil {
		t.Fatal(err)
	}
	p.WriteFile("child.yaml", string(raw))
	t.Cleanup(func() {
		p.kill()
		errs := []error{l.Close()}
		for _, f := range p.ports {
			errs = append(errs, f.Close())
		}
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
	})
	p.start()
	return p
}

// Kill ends the process without letting it end anything (SIGKILL), and starts another one.
func (p *Process) Kill() {
	p.t.Helper()
	p.kill()
	p.start()
}

func (p *Process) kill() {
	if p.cmd == nil {
		return
	}
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Error(err)
	}
	_ = p.cmd.Wait() // it was killed, which is an error
	p.cmd = nil
}

func (p *Process) start() {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0]) //nolint:gosec // the test itself
	p.cmd.Env = append(os.Environ(), childConfig+"="+p.Path("child.yaml"))
	p.cmd.Stderr, p.cmd.ExtraFiles = p.Log, p.ports
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	client := &http.Client{Timeout: time.Minute}
	for range 1000 {
		res, err := client.Get(p.Admin() + "/readyz")
		if err != nil {
			p.t.Fatalf("%v\n%s", err, p.Log)
		}
		res.Body.Close()
		if res.StatusCode == http.StatusOK {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.t.Fatalf("it does not become ready:\n%s", p.Log)
}
