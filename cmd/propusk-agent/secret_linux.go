package main

import (
	"errors"

	"golang.org/x/sys/unix"
)

// keepSecrets keeps PINs in this process from files of crashes, and from other programs
// of the user, which cannot read its memory then.
func keepSecrets() error {
	return errors.Join(unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}), unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
}
