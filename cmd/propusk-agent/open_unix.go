//go:build !windows

package main

import (
	"os/exec"
	"runtime"
	"syscall"
)

// detached is how a process is started that is not of this terminal.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// leaveConsole is for Windows.
func leaveConsole() {}

// openBrowser opens an address in the browser of the user.
func openBrowser(address string) error {
	opener := "xdg-open"
	if runtime.GOOS == "darwin" {
		opener = "/usr/bin/open"
	}
	return exec.Command(opener, address).Run() //nolint:gosec // an address of our own
}
