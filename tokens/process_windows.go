package tokens

import (
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// executable is what a child runs: this program.
func executable() (string, error) { return os.Executable() }

// attributesOfChild keeps the child without a window and out of reach of Ctrl-C. It
// ends when its requests do.
func attributesOfChild() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{HideWindow: true, CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.CREATE_NO_WINDOW}
}

// childPipes returns the pipes of requests and answers, and puts them out of the way of
// the library: what it prints goes where errors go, and it reads nothing.
func childPipes() (requests, answers *os.File, err error) {
	requests, answers = os.Stdin, os.Stdout
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, nil, err
	}
	if err := windows.SetStdHandle(windows.STD_INPUT_HANDLE, windows.Handle(null.Fd())); err != nil {
		return nil, nil, err
	}
	if err := windows.SetStdHandle(windows.STD_OUTPUT_HANDLE, windows.Handle(os.Stderr.Fd())); err != nil {
		return nil, nil, err
	}
	os.Stdin, os.Stdout = null, os.Stderr
	return requests, answers, nil
}
