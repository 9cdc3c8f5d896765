package main

import (
	"os"
	"path/filepath"
)

func launchAgentFile() (string, error) {
	home, err := os.UserHomeDir()
	return filepath.Join(home, "Library", "LaunchAgents", "ru.propusk.agent.plist"), err
}

// install makes the agent start with the session, and returns the file that it wrote.
// A handler of links must be an application bundle that takes the Apple event
// kAEGetURL; a program alone cannot be one.
func install(self string) ([]string, error) {
	path, err := launchAgentFile()
	if err != nil {
		return nil, err
	}
	text, err := launchAgent(self)
	if err != nil {
		return nil, err
	}
	return []string{path}, writeFile(path, text)
}

// uninstall takes away what install wrote, and returns which files.
func uninstall() ([]string, error) {
	path, err := launchAgentFile()
	if err != nil {
		return nil, err
	}
	removed, err := removeFile(path)
	if !removed {
		return nil, err
	}
	return []string{path}, err
}
