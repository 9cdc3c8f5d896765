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

func redirect(from, to int) error { return unix.Dup3(from, to, 0) }
