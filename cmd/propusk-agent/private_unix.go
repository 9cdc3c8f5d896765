//go:build !windows

package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// checkPrivate returns an error if others can write the settings: they could enrol a
// gateway, or name a library, which runs as this user.
func checkPrivate(f *os.File) error {
	file, err := f.Stat()
	if err != nil {
		return err
	}
	dir, err := os.Stat(filepath.Dir(f.Name()))
	if err != nil {
		return err
	}
	for name, st := range map[string]fs.FileInfo{f.Name(): file, filepath.Dir(f.Name()): dir} {
		owner, ok := st.Sys().(*syscall.Stat_t)
		others := st.Mode().Perm()&0o022 != 0 && st.Mode()&fs.ModeSticky == 0
		if !ok || others || owner.Uid != 0 && int64(owner.Uid) != int64(os.Getuid()) {
			return fmt.Errorf("%s: настройки могут изменить другие; сделайте себя владельцем и запретите запись: chmod go-w / "+
				"others can change the settings; own it and take their right to write away", name)
		}
	}
	return nil
}
