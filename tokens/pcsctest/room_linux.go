package pcsctest

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"propusk/tokens/soft/softtest"
)

// driver is the reader driver of Debian's vsmartcard-vpcd.
const driver = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"

// room is a thread in namespaces of its own, which does what it is sent. What it starts
// is in them too.
type room struct{ work chan func() }

// enter makes a room where a directory is /run.
func enter(t testing.TB, run string) room {
	t.Helper()
	if _, err := exec.LookPath("pcscd"); err != nil {
		softtest.Missing(t, "pcscd is not installed")
	}
	if _, err := os.Stat(driver); err != nil {
		softtest.Missing(t, "vsmartcard-vpcd is not installed")
	}
	r := room{work: make(chan func())}
	entered := make(chan error)
	go func() {
		// Never unlocked: the thread is of no use to others and ends with the goroutine.
		runtime.LockOSThread()
		if err := namespaces(run); err != nil {
			entered <- err
			return
		}
		entered <- nil
		for f := range r.work {
			f()
		}
	}()
	if err := <-entered; err != nil {
		t.Skipf("namespaces are denied here: %v", err)
	}
	return r
}

// namespaces moves this thread to a network where only lo is, and to a place where a
// directory is /run.
func namespaces(run string) error {
	if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return os.NewSyscallError("mount", err)
	}
	if err := unix.Mount(run, "/run", "", unix.MS_BIND, ""); err != nil {
		return os.NewSyscallError("mount", err)
	}
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(socket) // nothing is written
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return os.NewSyscallError("ioctl", unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, lo))
}

// do runs f on the thread.
func (r room) do(f func()) {
	done := make(chan struct{})
	r.work <- func() { defer close(done); f() }
	<-done
}

// leave ends the thread, and with it what it started.
func (r room) leave() {
	if r.work != nil {
		close(r.work)
	}
}

// dial connects to an address inside: a socket belongs to the namespace of the thread
// that makes it.
func (r room) dial(address string) (conn net.Conn, err error) {
	to, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, err
	}
	r.do(func() { conn, err = net.DialTCP("tcp", nil, to) })
	return conn, err
}

// daemon is a process of pcscd.
type daemon struct {
	process *os.Process
	ended   chan struct{}
	mu      sync.Mutex
	output  bytes.Buffer
}

// Write keeps what pcscd says.
func (d *daemon) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.output.Write(p)
}

func (d *daemon) said() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.output.String()
}

// daemon starts pcscd with the virtual readers alone.
func (r room) daemon(t testing.TB, run string) *daemon {
	t.Helper()
	readers := filepath.Join(run, "readers")
	must(t, os.MkdirAll(readers, 0o755))
	must(t, os.WriteFile(filepath.Join(readers, "vpcd"), []byte(
		"FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME /dev/null:0x8C7B\nLIBPATH "+driver+"\nCHANNELID 0x8C7B\n"), 0o600))
	d := &daemon{ended: make(chan struct{})}
	// The directory is /run in there.
	cmd := exec.Command("pcscd", "--foreground", "--config", "/run/readers")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = d, d
	// It ends with the thread that started it, so with the test, however that ends.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var err error
	r.do(func() { err = cmd.Start() })
	must(t, err)
	d.process = cmd.Process
	go func() {
		_ = cmd.Wait() // it is told to end
		close(d.ended)
	}()
	return d
}

// stop ends the process.
func (d *daemon) stop(t testing.TB) {
	_ = d.process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-d.ended:
	case <-time.After(wait):
		_ = d.process.Kill() // it may have ended
		<-d.ended
		t.Errorf("pcscd did not end when it was told to:\n%s", d.said())
	}
}
