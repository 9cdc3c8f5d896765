package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"propusk/certs"
	"propusk/certs/refresh"
	"propusk/pki/reason"
	"propusk/server"
	"propusk/server/config"
)

// newTrustCommand returns `propusk trust` with its subcommands.
func newTrustCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "Доверенные данные: перечень УЦ и списки отзыва / trust data: the list of CAs and revocation lists",
	}
	cmd.AddCommand(newTrustRefreshCommand())
	return cmd
}

// trustRefreshOptions are the flags of `propusk trust refresh`.
type trustRefreshOptions struct {
	config string
	dryRun bool
	json   bool
}

// newTrustRefreshCommand returns `propusk trust refresh`.
func newTrustRefreshCommand() *cobra.Command {
	var o trustRefreshOptions
	cmd := &cobra.Command{
		Use:   "refresh --config FILE",
		Short: "Получить перечень и списки отзыва сейчас / fetch the list and revocation lists now",
		Long: "Fetches what trust.refresh of the configuration says, verifies it and keeps what is good in trust.state_dir, where a\n" +
			"running gateway finds it at its next look. With --dry-run nothing is kept.\n\n" +
			"Exit code 0 if every list was had, 1 if some were not, 2 if the trust data do not load.",
		Example: "  propusk trust refresh --config propusk.yaml --dry-run",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return trustRefresh(cmd.Context(), cmd.OutOrStdout(), o)
		},
	}
	cmd.Flags().StringVar(&o.config, "config", "", "файл настроек / the configuration file")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "только показать, ничего не сохранять / show what would change and keep nothing")
	addJSONFlag(cmd, &o.json)
	if err := cmd.MarkFlagRequired("config"); err != nil {
		panic("propusk: " + err.Error())
	}
	return cmd
}

// trustRefresh makes one pass and says what came of it.
func trustRefresh(ctx context.Context, w io.Writer, o trustRefreshOptions) error {
	c, err := loadConfig(o.config)
	if err != nil {
		return err
	}
	if c.Trust.StateDir == "" {
		return reason.Errorf(reason.TrustNotFetched, "%s: trust.state_dir is not set", o.config)
	}
	if o.dryRun {
		forget, err := useCopy(&c.Trust)
		if err != nil {
			return err
		}
		defer forget()
	}
	store := certs.NewStore(server.TrustSource(c.Trust), time.Now)
	r, err := server.NewRefresher(c.Trust, refresh.Options{Store: store}, buildVersion())
	if err != nil {
		return err
	}
	// What does not load now may load once a newer list is there.
	if err := store.Reload(ctx); err != nil && ctx.Err() != nil {
		return err
	}
	before, _ := store.Current().TSLVersion()
	sum, err := r.Refresh(ctx)
	if err == nil && store.Current().ID() == "" {
		err = store.Reload(ctx)
	}
	if err != nil {
		return &exitError{Code: exitIndeterminate, Err: err}
	}
	after, _ := store.Current().TSLVersion()
	if err := printRefresh(w, o.json, refreshed{DryRun: o.dryRun, Before: before, After: after, Summary: sum, Status: r.Status()}); err != nil {
		return err
	}
	if sum.Failed > 0 {
		return &exitError{Code: exitNo}
	}
	return nil
}

// useCopy makes a configuration work on a copy of its state directory.
func useCopy(t *config.Trust) (forget func(), err error) {
	dir, err := os.MkdirTemp("", "propusk-state-")
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(t.StateDir); err == nil {
		if err := os.CopyFS(dir, os.DirFS(t.StateDir)); err != nil {
			return nil, fmt.Errorf("copy %s: %w", t.StateDir, err)
		}
	}
	t.StateDir = dir
	return func() { _ = os.RemoveAll(dir) }, nil
}

// refreshed is what `propusk trust refresh` prints.
type refreshed struct {
	DryRun  bool            `json:"dry_run"`
	Before  int             `json:"list_version_before,omitempty"`
	After   int             `json:"list_version,omitempty"`
	Summary refresh.Summary `json:"summary"`
	Status  refresh.Status  `json:"status"`
}

// printRefresh tells it to people or programs.
func printRefresh(w io.Writer, asJSON bool, r refreshed) error {
	if asJSON {
		return printJSON(w, r)
	}
	out := &printer{w: w}
	out.line("Перечень / list: версия / version %d → %d", r.Before, r.After)
	out.line("Списков / lists: %d; новых / newer: %d; без изменений / unchanged: %d; не получено / not had: %d",
		r.Summary.Asked, r.Summary.Changed, r.Summary.Unchanged, r.Summary.Failed)
	for _, one := range r.Status.Refused {
		out.line("%s: %s: %s", one.Code, one.URL, one.Cause)
	}
	if r.DryRun {
		out.line("Ничего не сохранено / nothing was kept (--dry-run)")
	}
	return out.err
}
