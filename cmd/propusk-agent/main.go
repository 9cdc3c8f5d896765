// Command propusk-agent signs with the token of a person for gateways that the person
// enrolled: see package agent.
//
// Without a command it runs. `propusk-agent install` makes it start with the session and
// answer to links of the scheme propusk-agent.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"propusk/pki/reason"
	"propusk/tokens"
)

// Exit codes, as those of propusk.
const (
	exitNo    = 1 // no: no agent runs, the person refused
	exitUsage = 3 // usage or I/O
)

func main() {
	tokens.ServeIfChild()
	os.Exit(execute())
}

// execute runs the command and returns the exit code.
func execute() int {
	// Started from the desktop on Windows, cobra would show a lesson about consoles.
	cobra.MousetrapHelpText = ""
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := newRoot().ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errNo):
		explain(os.Stderr, err)
		return exitNo
	}
	explain(os.Stderr, err)
	return exitUsage
}

// errNo is the answer no of a command.
var errNo = errors.New("нет / no")

// explain prints an error: with the words of its reason, if it has one.
func explain(w io.Writer, err error) {
	if code, ok := errors.AsType[reason.Code](err); ok {
		if e, known := reason.Lookup(code); known {
			fmt.Fprintf(w, "%s\n%s\n", e.RU, e.EN)
		}
	}
	fmt.Fprintf(w, "propusk-agent: %v\n", err)
}

// app is what the commands share.
type app struct {
	config  string             // the file of settings
	browser func(string) error // opens an address
	start   func() error       // starts an agent that outlives this process
	asJSON  bool
}

// newRoot returns the command with its subcommands.
func newRoot() *cobra.Command {
	a := &app{browser: openBrowser}
	a.start = a.startDetached
	root := &cobra.Command{
		Use:   program,
		Short: "Агент токенов «Пропуск» / the token agent of Propusk",
		Long: "Подписывает токеном для шлюзов, которые вы подключили. Без команды запускается, только на 127.0.0.1.\n" +
			"Сначала: enroll (подключить шлюз), phrase (выбрать фразу), install (запускать с сеансом).\n\n" +
			"Signs with tokens for gateways that were enrolled. Without a command it runs, on 127.0.0.1 only.\n" +
			"First: enroll a gateway, choose a phrase, install.",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return a.run(cmd, runFlags{}) },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentFlags().StringVar(&a.config, "config", "", "файл настроек / file of settings (default: in the directory of the user)")
	root.PersistentPreRunE = func(*cobra.Command, []string) (err error) {
		if a.config == "" {
			a.config, err = settingsFile()
		}
		return err
	}
	root.AddCommand(a.runCommand(), a.openCommand(), a.enrollCommand(), a.forgetCommand(), a.phraseCommand(),
		a.installCommand(), a.uninstallCommand(), a.statusCommand(), a.versionCommand())
	return root
}

// program is the name of the command, and the scheme of its links.
const program = "propusk-agent"

// printJSON prints a document.
func printJSON(w io.Writer, v any) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(v)
}

func (a *app) jsonFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&a.asJSON, "json", false, "вывод в JSON / print JSON")
}

func (a *app) versionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "version", Short: "Версия / the version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.asJSON {
				return printJSON(cmd.OutOrStdout(), map[string]string{"program": program, "version": version()})
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), program, version())
			return err
		},
	}
	a.jsonFlag(cmd)
	return cmd
}

// version is what the build says of itself.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
