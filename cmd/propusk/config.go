package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"propusk/certs"
	"propusk/pki/reason"
	"propusk/server"
	"propusk/server/config"
	"propusk/server/engine"
)

// newConfigCommand returns `propusk config` with its subcommands.
func newConfigCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Файл настроек / the configuration file",
	}
	cmd.AddCommand(newConfigSampleCommand(), newConfigCheckCommand())
	return cmd
}

// newConfigSampleCommand returns `propusk config sample`.
func newConfigSampleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "sample",
		Short: "Образец с описанием каждого поля / print a sample with every field described",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(config.Sample())
			return err
		},
	}
}

// newConfigCheckCommand returns `propusk config check FILE`.
func newConfigCheckCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Проверить настройки и файлы, на которые они указывают / check a configuration and the files it names",
		Long: "Reads FILE, reports every mistake in it at once, then loads the keys and the trust data that it names,\n" +
			"connects the tokens with keys and the module that verifies signatures, and tries both.\n" +
			"Nothing is started. Exit code 0 if all is well, 1 if something must be corrected, 3 if FILE cannot be read.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return configCheck(cmd.Context(), cmd.OutOrStdout(), args[0], asJSON)
		},
	}
	addJSONFlag(cmd, &asJSON)
	return cmd
}

// mistake is one thing that is wrong, for people and for programs.
type mistake struct {
	Code    reason.Code `json:"code"`
	Message string      `json:"message"`
}

// configCheck reports what is wrong with a configuration file.
func configCheck(ctx context.Context, w io.Writer, path string, asJSON bool) error {
	mistakes, warnings, err := configMistakes(ctx, path)
	if err != nil {
		return err
	}
	if asJSON {
		err = printJSON(w, map[string]any{"valid": len(mistakes) == 0, "mistakes": mistakes, "warnings": warnings})
	} else {
		err = printMistakes(w, path, mistakes, warnings)
	}
	if err != nil {
		return err
	}
	if len(mistakes) > 0 {
		return &exitError{Code: exitNo}
	}
	return nil
}

func printMistakes(w io.Writer, path string, mistakes []mistake, warnings []string) error {
	out := &printer{w: w}
	if len(mistakes) == 0 {
		out.line("%s: настройки верны / the configuration is good", path)
	}
	for _, m := range mistakes {
		out.line("%s: %s", m.Code, m.Message)
	}
	for _, text := range warnings {
		out.line("Внимание / warning: %s", text)
	}
	return out.err
}

// configMistakes collects all mistakes, and what is dangerous without being one; the
// error means that the file itself cannot be read.
func configMistakes(ctx context.Context, path string) (mistakes []mistake, warnings []string, err error) {
	c, err := config.Load(path)
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, nil, reason.New(reason.ConfigUnreadable, pathErr)
	}
	mistakes, warnings = []mistake{}, []string{}
	if err != nil {
		return perLine(mistakes, reason.ConfigInvalid, err), warnings, nil
	}
	for _, secret := range c.Secrets() {
		if open, err := othersRead(secret.Path); err == nil && open {
			warnings = append(warnings, fmt.Sprintf("%s: файл могут читать другие / others can read the file: chmod 600 %s", secret.Field, secret.Path))
		}
	}
	s, err := newServer(c, certs.NewStore(server.TrustSource(c.Trust), time.Now), io.Discard)
	if err == nil {
		err = s.Close() // the tokens that it opened
	}
	if err != nil {
		mistakes = perLine(mistakes, reason.ConfigUnreadable, err)
	}
	mistakes = append(mistakes, engineMistakes(c.Verification)...)
	snapshot, err := certs.Load(ctx, server.TrustSource(c.Trust), time.Now())
	if err != nil {
		mistakes = append(mistakes, mistake{reason.Of(err), "trust: " + cause(err)})
	}
	for _, q := range snapshot.Quarantined() {
		mistakes = append(mistakes, mistake{q.Code, "trust: " + cause(q.Err)})
	}
	return mistakes, warnings, nil
}

// engineMistakes connects the module that is to verify signatures, and has it tell good
// ones from bad ones.
func engineMistakes(v config.Verification) []mistake {
	k := engine.New(engine.Options{Config: v})
	err := errors.Join(k.Check(), k.Close())
	if err == nil {
		return nil
	}
	code := reason.Of(err)
	if _, ok := errors.AsType[reason.Code](err); !ok {
		code = reason.ConfigUnreadable // a file of the configuration: that with the PIN
	}
	return []mistake{{code, "verification: " + moduleTrouble(v.Module, err)}}
}

// perLine adds the mistakes that an error tells, one in each line, and leaves out
// the heading that package yaml puts above them.
func perLine(mistakes []mistake, code reason.Code, err error) []mistake {
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); !strings.HasSuffix(line, "unmarshal errors:") {
			mistakes = append(mistakes, mistake{code, line})
		}
	}
	return mistakes
}

// cause is the text of an error without its code, which a mistake has already.
func cause(err error) string {
	if coded, ok := errors.AsType[*reason.Error](err); ok && coded.Err != nil {
		return coded.Err.Error()
	}
	return err.Error()
}
