//go:build unix && !linux

package tokens

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// executable is what a child runs: this program.
func executable() (string, error) { return os.Executable() }

// attributesOfChild puts the child into a process group of its own, so that what a
// terminal sends does not reach it. It ends when its requests do.
func attributesOfChild() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func secrecy() error { return nil }

func redirect(from, to int) error { return unix.Dup2(from, to) }
