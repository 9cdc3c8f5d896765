package soft

import (
	"os"

	"golang.org/x/sys/windows"
)

// lockFile waits until no other process has the file locked. Closing it unlocks.
func lockFile(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, new(windows.Overlapped))
}

// syncDir does nothing: on Windows a directory cannot be flushed.
func syncDir(string) error { return nil }
