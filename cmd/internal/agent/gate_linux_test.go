package agent

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"propusk/pki/reason"
)

// TestForeignUser lets nobody in but the user that the agent runs as: another one asks
// with curl.
func TestForeignUser(t *testing.T) {
	t.Run("asked", func(t *testing.T) {
		for name, answer := range map[string]error{"another user": nil, "nobody knows": errors.New("no table")} {
			asked := make(chan [2]netip.AddrPort, 1)
			w := newWorldOf(t, nil, func(a *Agent) {
				a.sameUser = func(client, server netip.AddrPort) (bool, error) {
					asked <- [2]netip.AddrPort{client, server}
					return false, answer
				}
			})
			if p := w.get(w.url + "/"); p.status != 403 || p.code() != reason.AgentForeignUser {
				t.Errorf("%s: status %d, %q", name, p.status, p.code())
			}
			if ends := <-asked; ends[0].Addr() != loopback || "http://"+ends[1].String() != w.url {
				t.Errorf("%s: asked about %v", name, ends)
			}
		}
	})
	t.Run("curl", func(t *testing.T) {
		if _, err := exec.LookPath("curl"); err != nil || os.Getuid() != 0 {
			t.Skip("needs curl, and root to be somebody else")
		}
		w := newWorld(t, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for uid, want := range map[uint32]string{0: "200", 65534: "403"} {
			cmd := exec.CommandContext(ctx, "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", w.url+"/status")
			cmd.Dir = "/"
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
			if out, err := cmd.Output(); err != nil || string(out) != want {
				t.Errorf("user %d: %s, %v, want %s", uid, out, err, want)
			}
		}
	})
}

// TestDualStack knows a connection to 127.0.0.1 from a socket of IPv6, as some programs
// open it.
func TestDualStack(t *testing.T) {
	w := newWorld(t, nil)
	at := netip.MustParseAddrPort(strings.TrimPrefix(w.url, "http://"))
	fd, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Skipf("no IPv6: %v", err)
	}
	if err := syscall.Connect(fd, &syscall.SockaddrInet6{Port: int(at.Port()), Addr: netip.MustParseAddr("::ffff:127.0.0.1").As16()}); err != nil {
		must(t, errors.Join(err, syscall.Close(fd)))
	}
	f := os.NewFile(uintptr(fd), "socket")
	defer f.Close()
	_, err = io.WriteString(f, "GET /status HTTP/1.0\r\nHost: "+at.String()+"\r\n\r\n")
	must(t, err)
	var answer [64]byte
	n, err := f.Read(answer[:])
	if err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.0 200") {
		t.Errorf("%v, %q", err, answer[:n])
	}
}
