//go:build !windows && !darwin

package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// places are the files of the desktop, of this user: XDG Base Directory, Desktop
// Application Autostart and MIME Applications Associations specifications.
type places struct{ autostart, handler, defaults string }

func placesOf() (places, error) {
	config, err := os.UserConfigDir()
	if err != nil {
		return places{}, err
	}
	data := os.Getenv("XDG_DATA_HOME")
	if !filepath.IsAbs(data) {
		home, err := os.UserHomeDir()
		if err != nil {
			return places{}, err
		}
		data = filepath.Join(home, ".local", "share")
	}
	return places{
		filepath.Join(config, "autostart", entry), filepath.Join(data, "applications", entry), filepath.Join(config, "mimeapps.list"),
	}, nil
}

// install registers the program, and returns the files that it wrote.
func install(self string) ([]string, error) {
	at, err := placesOf()
	if err != nil {
		return nil, err
	}
	var done []string
	for _, f := range []struct {
		path, text string
	}{{at.autostart, desktopEntry(self, false)}, {at.handler, desktopEntry(self, true)}} {
		if err := writeFile(f.path, f.text); err != nil {
			return done, err
		}
		done = append(done, f.path)
	}
	changed, err := setHandler(at.defaults, true)
	if changed {
		done = append(done, at.defaults)
	}
	return done, err
}

// setHandler makes us the handler of our links, or no longer.
func setHandler(path string, ours bool) (bool, error) {
	list, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	now := withHandler(string(list), ours)
	if now == string(list) {
		return false, nil
	}
	return true, writeFile(path, now)
}

// uninstall takes away what install wrote, and returns which files.
func uninstall() ([]string, error) {
	at, err := placesOf()
	if err != nil {
		return nil, err
	}
	var done []string
	for _, path := range []string{at.autostart, at.handler} {
		removed, err := removeFile(path)
		if err != nil {
			return done, err
		}
		if removed {
			done = append(done, path)
		}
	}
	changed, err := setHandler(at.defaults, false)
	if changed {
		done = append(done, at.defaults)
	}
	return done, err
}
