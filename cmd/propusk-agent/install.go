package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// entry is the name of the files of the desktop.
const entry = "propusk-agent.desktop"

func (a *app) installCommand() *cobra.Command {
	return &cobra.Command{
		Use: "install", Short: "Запускать с сеансом и по ссылкам propusk-agent:// / start with the session and for links", Args: cobra.NoArgs,
		Long: "Registers this program for this user: to start with the session, and for links of the scheme propusk-agent. Nothing is copied.\n" +
			"On macOS links need an application bundle, which this program is not: there it starts with the session only.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			self, err := os.Executable()
			if err == nil {
				self, err = filepath.EvalSymlinks(self)
			}
			if err != nil {
				return err
			}
			done, err := install(self)
			for _, what := range done {
				fmt.Fprintln(cmd.OutOrStdout(), what)
			}
			return err
		},
	}
}

func (a *app) uninstallCommand() *cobra.Command {
	return &cobra.Command{
		Use: "uninstall", Short: "Отменить install / undo install", Args: cobra.NoArgs,
		Long: "Takes away what install registered. The settings stay.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			done, err := uninstall()
			for _, what := range done {
				fmt.Fprintln(cmd.OutOrStdout(), what)
			}
			return err
		},
	}
}

// desktopEntry is a file of the Desktop Entry Specification: for the beginning of a
// session, or for links.
func desktopEntry(self string, links bool) string {
	lines := []string{
		"[Desktop Entry]", "Type=Application", "Version=1.5",
		"Name=Propusk agent", "Name[ru]=Агент «Пропуск»",
		"Comment=Signs with tokens for gateways that you enrolled", "Comment[ru]=Подписывает токеном для шлюзов, которые вы подключили",
		"Terminal=false",
	}
	if links {
		lines = append(lines, "Exec="+desktopQuote(self)+" open -- %u", "MimeType=x-scheme-handler/"+program+";", "NoDisplay=true")
	} else {
		lines = append(lines, "Exec="+desktopQuote(self)+" run", "X-GNOME-Autostart-enabled=true")
	}
	return strings.Join(lines, "\n") + "\n"
}

// desktopQuote makes one argument of Exec out of a path: quoted, then escaped as a
// string of the file (Desktop Entry Specification, "The Exec key").
func desktopQuote(path string) string {
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`).Replace(path)
	return `"` + strings.NewReplacer(`\`, `\\`, `%`, `%%`, "\n", `\n`).Replace(quoted) + `"`
}

// handlerLine is what mimeapps.list says of our links.
const handlerLine = "x-scheme-handler/" + program + "=" + entry

// withHandler returns mimeapps.list with us as the handler of our links, or without.
// Everything else stays as it is.
func withHandler(list string, ours bool) string {
	const group = "[Default Applications]"
	var lines []string
	if list != "" {
		lines = strings.Split(strings.TrimSuffix(list, "\n"), "\n")
	}
	key := strings.SplitAfter(handlerLine, "=")[0]
	current := ""
	lines = slices.DeleteFunc(lines, func(line string) bool {
		if strings.HasPrefix(line, "[") {
			current = strings.TrimSpace(line)
		}
		return current == group && strings.HasPrefix(line, key)
	})
	if ours {
		at := slices.Index(lines, group)
		if at < 0 {
			lines = append(lines, group)
			at = len(lines) - 1
		}
		lines = slices.Insert(lines, at+1, handlerLine)
	}
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

// launchAgent is a file of launchd that starts the agent with the session.
func launchAgent(self string) (string, error) {
	var path strings.Builder
	if err := xml.EscapeText(&path, []byte(self)); err != nil {
		return "", err
	}
	return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>ru.propusk.agent</string>
	<key>ProgramArguments</key>
	<array>
		<string>` + path.String() + `</string>
		<string>run</string>
	</array>
	<key>RunAtLoad</key>
	<true/>
	<key>ProcessType</key>
	<string>Interactive</string>
</dict>
</plist>
`, nil
}

// writeFile writes a file of the user, with its directory, at once.
func writeFile(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return replaceFile(path, []byte(text), 0o644)
}

// removeFile removes a file if it is there, and reports whether it was.
func removeFile(path string) (bool, error) {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
