package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"propusk/gost/selftest"
)

// newSelftestCommand returns `propusk selftest`.
func newSelftestCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "selftest",
		Short: "Проверить криптографию известными ответами / known-answer tests of the cryptography",
		Long: "Runs known-answer tests of every cryptographic primitive: digests, ciphers, key derivation, signatures, key agreement.\n" +
			"Exit code 0 if all answers are right, 1 if not.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return reportSelftest(cmd.OutOrStdout(), selftest.Run(), asJSON)
		},
	}
	addJSONFlag(cmd, &asJSON)
	return cmd
}

// reportSelftest prints the outcome of the tests, nil for success.
func reportSelftest(w io.Writer, failure error, asJSON bool) error {
	var err error
	switch {
	case asJSON && failure != nil:
		err = printJSON(w, map[string]any{"ok": false, "error": failure.Error()})
	case asJSON:
		err = printJSON(w, map[string]any{"ok": true})
	case failure != nil:
		_, err = fmt.Fprintf(w, "Криптография работает неверно, пользоваться программой нельзя / do not use this program: %v\n", failure)
	default:
		_, err = fmt.Fprintln(w, "Все ответы верны / all answers are right")
	}
	if err != nil || failure == nil {
		return err
	}
	return &exitError{Code: exitNo}
}
