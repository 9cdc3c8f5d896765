//go:build unix

package tokens

import (
	"os"

	"golang.org/x/sys/unix"
)

// childPipes returns the pipes of requests and answers, and puts them out of the way of
// the library: what it prints goes where errors go, and it reads nothing.
func childPipes() (requests, answers *os.File, err error) {
	in, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 10)
	if err != nil {
		return nil, nil, err
	}
	out, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 10)
	if err != nil {
		return nil, nil, err
	}
	null, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	if err := redirect(null, 0); err != nil {
		return nil, nil, err
	}
	if err := redirect(2, 1); err != nil {
		return nil, nil, err
	}
	// PINs pass through this memory: it is not to be written to a disk.
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return nil, nil, err
	}
	if err := secrecy(); err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(in), "requests"), os.NewFile(uintptr(out), "answers"), unix.Close(null)
}
