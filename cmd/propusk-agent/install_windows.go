package main

import (
	"errors"

	"golang.org/x/sys/windows/registry"
)

// Places in the registry of the user.
const (
	runKey   = `Software\Microsoft\Windows\CurrentVersion\Run`
	runValue = "PropuskAgent"
	linkKey  = `Software\Classes\` + program
)

// install registers the program, and returns the places that it wrote.
func install(self string) ([]string, error) {
	var done []string
	// Windows puts a link where %1 is as it is: with "--", quotes in it make no flags.
	for _, v := range []struct{ key, name, value string }{
		{runKey, runValue, `"` + self + `" run`},
		{linkKey, "", "URL:Propusk agent"},
		{linkKey, "URL Protocol", ""},
		{linkKey + `\shell\open\command`, "", `"` + self + `" open -- "%1"`},
	} {
		if err := setValue(v.key, v.name, v.value); err != nil {
			return done, err
		}
		done = append(done, `HKEY_CURRENT_USER\`+v.key+`\`+v.name)
	}
	return done, nil
}

func setValue(path, name, value string) (err error) {
	key, _, err := registry.CreateKey(registry.CURRENT_USER, path, registry.SET_VALUE)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, key.Close()) }()
	return key.SetStringValue(name, value)
}

// uninstall takes away what install wrote, and returns which places.
func uninstall() ([]string, error) {
	var done []string
	for _, path := range []string{linkKey + `\shell\open\command`, linkKey + `\shell\open`, linkKey + `\shell`, linkKey} {
		err := registry.DeleteKey(registry.CURRENT_USER, path)
		if errors.Is(err, registry.ErrNotExist) {
			continue
		}
		if err != nil {
			return done, err
		}
		done = append(done, `HKEY_CURRENT_USER\`+path)
	}
	key, err := registry.OpenKey(registry.CURRENT_USER, runKey, registry.SET_VALUE)
	if errors.Is(err, registry.ErrNotExist) {
		return done, nil
	}
	if err != nil {
		return done, err
	}
	defer key.Close() //nolint:errcheck // the value is gone already
	if err := key.DeleteValue(runValue); err != nil && !errors.Is(err, registry.ErrNotExist) {
		return done, err
	}
	return append(done, `HKEY_CURRENT_USER\`+runKey+`\`+runValue), nil
}
