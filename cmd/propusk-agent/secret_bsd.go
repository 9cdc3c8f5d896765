//go:build !windows && !linux

package main

import "golang.org/x/sys/unix"

// keepSecrets keeps PINs in this process from files of crashes.
func keepSecrets() error { return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) }
