package main

import (
	"encoding/hex"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"propusk/server/apikey"
	"propusk/server/config"
)

// newAPIKeyCommand returns `propusk apikey` with its subcommands.
func newAPIKeyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apikey",
		Short: "Ключи доступа к API проверки / keys of the verify API",
	}
	cmd.AddCommand(newAPIKeyNewCommand())
	return cmd
}

// newAPIKeyNewCommand returns `propusk apikey new ID`.
func newAPIKeyNewCommand() *cobra.Command {
	var asJSON bool
	quota := config.Quota{RequestsPerMinute: 600, BytesPerMinute: 1 << 30, Concurrent: 16}
	cmd := &cobra.Command{
		Use:   "new ID",
		Short: "Выдать новый ключ / print a fresh key and its entry in the configuration",
		Long: "Prints a fresh key for the service ID, and the entry for api.keys of the configuration. The key is shown once and is\n" +
			"stored nowhere: the configuration has its SHA-256 only. Give it to the service over a channel that nobody reads along.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return apiKeyNew(cmd.OutOrStdout(), args[0], quota, asJSON)
		},
	}
	cmd.Flags().IntVar(&quota.RequestsPerMinute, "requests", quota.RequestsPerMinute, "запросов в минуту, 0 без ограничения / requests a minute, 0 is no limit")
	cmd.Flags().Int64Var(&quota.BytesPerMinute, "bytes", quota.BytesPerMinute, "байт в минуту, 0 без ограничения / bytes a minute, 0 is no limit")
	cmd.Flags().IntVar(&quota.Concurrent, "concurrent", quota.Concurrent, "запросов одновременно, 0 без ограничения / requests at once, 0 is no limit")
	addJSONFlag(cmd, &asJSON)
	return cmd
}

// apiKeyNew prints a fresh key and its entry.
func apiKeyNew(w io.Writer, id string, quota config.Quota, asJSON bool) error {
	key, digest := apikey.New()
	entry := config.APIKey{ID: id, SHA256: hex.EncodeToString(digest[:]), Quota: quota}
	if err := (config.API{Keys: []config.APIKey{entry}}).Validate(); err != nil {
		return errors.New("the entry would not be valid: " + err.Error())
	}
	if asJSON {
		return printJSON(w, map[string]any{
			"key": key, "id": entry.ID, "sha256": entry.SHA256, "requests_per_minute": quota.RequestsPerMinute,
			"bytes_per_minute": quota.BytesPerMinute, "concurrent": quota.Concurrent,
		})
	}
	out := &printer{w: w}
	out.line("# Ключ показан один раз / the key is shown once: %s", key)
	out.line("api:")
	out.line("  keys:")
	out.line("    - id: %s", entry.ID)
	out.line("      sha256: %s", entry.SHA256)
	out.line("      requests_per_minute: %d", quota.RequestsPerMinute)
	out.line("      bytes_per_minute: %d", quota.BytesPerMinute)
	out.line("      concurrent: %d", quota.Concurrent)
	return out.err
}
