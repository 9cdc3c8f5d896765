//go:build !windows

package main

import (
	"os/exec"
	"syscall"
	"testing"
)

// other makes a command run as somebody else.
func other(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
}

// TestKeepSecrets leaves no file of the memory when the program crashes.
func TestKeepSecrets(t *testing.T) {
	must(t, keepSecrets())
	var limit syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_CORE, &limit))
	if limit.Cur != 0 || limit.Max != 0 {
		t.Errorf("%+v", limit)
	}
}
