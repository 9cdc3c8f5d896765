package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"

	"propusk/gost"
)

// Exit codes, one meaning each for every command.
const (
	exitYes           = 0 // yes, valid, done
	exitNo            = 1 // no, invalid
	exitIndeterminate = 2 // the question could not be answered
	exitUsage         = 3 // wrong command line, or a file or socket failed
)

// version is set at build time with -ldflags "-X main.version=v1.2.3".
var version string

// exitError ends the program with a code other than zero. Err is printed to
// standard error unless it is nil: a command that has already printed its answer
// returns only the code.
type exitError struct {
	Code int
	Err  error
}

// Error implements error.
func (e *exitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap makes the cause visible to errors.Is and errors.As.
func (e *exitError) Unwrap() error { return e.Err }

// run executes one command line and returns its exit code. It is main without
// the process, so that tests can call it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRootCommand(gost.SelfTest)
	started := false // the command line is understood
	beforeRun(root, func() error { started = true; return nil })
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)

	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitYes
	}
	// Any error that does not choose its code is a usage or I/O error.
	exit := &exitError{Code: exitUsage, Err: err}
	errors.As(err, &exit)
	if exit.Err != nil {
		fmt.Fprintf(stderr, "propusk: %v\n", err)
	}
	if !started {
		fmt.Fprintf(stderr, "Формат / usage: %s\nСправка / help: %s --help\n", cmd.UseLine(), cmd.CommandPath())
	}
	return exit.Code
}

// beforeRun makes cmd and all commands below it call f when they run, and stop at its
// error. The hooks of cobra come too early: flags that are required may still be
// missing.
func beforeRun(cmd *cobra.Command, f func() error) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if err := f(); err != nil {
				return err
			}
			return run(cmd, args)
		}
	}
	for _, c := range cmd.Commands() {
		beforeRun(c, f)
	}
}

// newRootCommand returns the whole command tree. Commands that use cryptography run
// selfTest first, and do nothing when it fails.
func newRootCommand(selfTest func() error) *cobra.Command {
	root := &cobra.Command{
		Use:   "propusk",
		Short: "Пропуск: вход по квалифицированной подписи / sign-in with a Russian qualified certificate",
		Long: "Пропуск проверяет квалифицированные сертификаты и подписи и пускает людей в личный кабинет по ГОСТ TLS.\n\n" +
			"Propusk verifies Russian qualified certificates and signatures and signs people in over GOST TLS.\n\n" +
			"Exit codes of every command: 0 yes or valid, 1 no or invalid, 2 indeterminate, 3 usage or I/O error.",
		Version:       buildVersion(),
		Args:          cobra.NoArgs,
		SilenceErrors: true, // run prints them, once
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	guarded := []*cobra.Command{
		newDemoCommand(),
		newServeCommand(),
		newConfigCommand(),
		newPKICommand(),
		newVerifyCommand(),
		newCertCommand(),
		newTSLCommand(),
		newTrustCommand(),
		newSignCommand(),
		newTokenCommand(),
		newAPIKeyCommand(),
		newJournalCommand(),
		newAccountCommand(),
		newCardCommand(),
		newTicketCommand(),
	}
	for _, c := range guarded {
		beforeRun(c, func() error { return brokenMachine(selfTest()) })
	}
	root.AddCommand(guarded...)
	root.AddCommand(newSelftestCommand(), newVersionCommand())
	return root
}

// brokenMachine is the error of a command whose self-test failed: it has no answer.
func brokenMachine(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{Code: exitIndeterminate, Err: fmt.Errorf(
		"криптография работает неверно, пользоваться программой нельзя / the cryptography fails its self-test, do not use this program: %w", err)}
}

// newVersionCommand returns `propusk version`.
func newVersionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Версия программы / print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				return printJSON(cmd.OutOrStdout(), map[string]string{"version": buildVersion()})
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "propusk %s\n", buildVersion())
			return err
		},
	}
	addJSONFlag(cmd, &asJSON)
	return cmd
}

// addJSONFlag gives a command that prints data its --json flag.
func addJSONFlag(cmd *cobra.Command, p *bool) {
	cmd.Flags().BoolVar(p, "json", false, "машиночитаемый вывод / print JSON")
}

// printJSON writes v as one indented JSON document and a newline, with
// Cyrillic and angle brackets as they are.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// buildVersion returns the version given at build time, or what the Go toolchain
// recorded about the module and its revision.
func buildVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}
