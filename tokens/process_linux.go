package tokens

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// executable is what a child runs: this very program, even when its file has been
// replaced since it started.
func executable() (string, error) {
	const self = "/proc/self/exe"
	if _, err := os.Stat(self); err == nil {
		return self, nil
	}
	return os.Executable()
}

// attributesOfChild puts the child into a process group of its own, so that what a
// terminal sends does not reach it, and lets the kernel end it with its parent.
func attributesOfChild() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// secrecy keeps the memory of the child, through which PINs pass, from other processes of
// the same user, and from programs that are given cores over a pipe, which a limit of
// their size does not stop (core(5), prctl(2)).
func secrecy() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }

func redirect(from, to int) error { return unix.Dup3(from, to, 0) }
