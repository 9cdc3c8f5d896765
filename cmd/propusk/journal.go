package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"propusk/server/journal"
)

// newJournalCommand returns `propusk journal` with its subcommands.
func newJournalCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "journal",
		Short: "Журнал входов и подписей / the journal of sign-ins and signatures",
	}
	cmd.AddCommand(newJournalVerifyCommand(), newJournalExportCommand())
	return cmd
}

// journalSource says which journal a command is about.
type journalSource struct{ config string }

func (s *journalSource) flag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.config, "config", "", "файл настроек, в котором назван журнал / the configuration that names the journal")
}

// path returns the file of the journal.
func (s *journalSource) path(args []string) (string, error) {
	if (s.config == "") == (len(args) == 0) {
		return "", errors.New("нужен либо PATH, либо --config / give either PATH or --config")
	}
	if s.config == "" {
		return args[0], nil
	}
	c, err := loadConfig(s.config)
	if err == nil && c.Journal.Path == "" {
		err = errors.New("journal.path: в настройках нет журнала / the configuration has no journal")
	}
	return c.Journal.Path, err
}

func newJournalVerifyCommand() *cobra.Command {
	var source journalSource
	var heads []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify [PATH]",
		Short: "Проверить цепочку журнала / verify the chain of a journal",
		Long: "Verifies every record of a journal, or of an export (a file of JSON lines, - is standard input), while the gateway may go on\n" +
			"writing. Names the first record that was changed, moved or taken out. The end of a journal is the only place where\n" +
			"something can be missing unnoticed: keep the head that this command prints, or those in the log of the gateway,\n" +
			"elsewhere, and give them with --head.\n\nExit code 0 if the chain is whole, 1 if it is not, 3 if it cannot be read.",
		Example: "  propusk journal verify --config propusk.yaml\n  propusk journal export journal.db | propusk journal verify -",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := source.path(args)
			if err != nil {
				return err
			}
			var noted []journal.Head
			for _, s := range heads {
				h, err := journal.ParseHead(s)
				if err != nil {
					return fmt.Errorf("--head: %w", err)
				}
				noted = append(noted, h)
			}
			head, err := verifyJournal(cmd.Context(), path, cmd.InOrStdin(), noted)
			return printChain(cmd.OutOrStdout(), head, err, asJSON)
		},
	}
	source.flag(cmd)
	cmd.Flags().StringArrayVar(&heads, "head", nil, "конец цепочки, записанный раньше, NUMBER:HASH; можно несколько / a head that was noted earlier; may be repeated")
	addJSONFlag(cmd, &asJSON)
	return cmd
}

// sqliteMagic begins the file of a journal, and no export.
const sqliteMagic = "SQLite format 3\x00"

// verifyJournal verifies a journal or an export.
func verifyJournal(ctx context.Context, path string, stdin io.Reader, heads []journal.Head) (head journal.Head, err error) {
	if path == "-" {
		return journal.VerifyLines(stdin, heads...)
	}
	f, err := os.Open(path)
	if err != nil {
		return journal.Head{}, err
	}
	lines := bufio.NewReader(f)
	start, err := lines.Peek(len(sqliteMagic))
	if err != nil && !errors.Is(err, io.EOF) {
		return journal.Head{}, errors.Join(err, f.Close())
	}
	if string(start) != sqliteMagic {
		head, err = journal.VerifyLines(lines, heads...)
		return head, errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil { // before SQLite opens it: closing would drop its locks
		return journal.Head{}, err
	}
	j, err := journal.OpenReadOnly(path)
	if err != nil {
		return journal.Head{}, err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	return journal.Verify(ctx, j, heads...)
}

// chainDocument is the answer in JSON.
type chainDocument struct {
	Whole   bool   `json:"whole"`
	Records uint64 `json:"records"`
	Head    string `json:"head"`
	// Broken is the number of the first record that is not right; Why says what is wrong,
	// with the record or with the file.
	Broken uint64 `json:"broken,omitempty"`
	Why    string `json:"why,omitempty"`
}

// printChain prints what was found. An error that is about reading is returned.
func printChain(w io.Writer, head journal.Head, err error, asJSON bool) error {
	d := chainDocument{Whole: err == nil, Records: head.Number, Head: head.String()}
	broken, ok := errors.AsType[*journal.Broken](err)
	switch {
	case ok:
		d.Broken, d.Why = broken.Number, broken.Why
	case errors.Is(err, journal.ErrDamaged):
		d.Why = err.Error()
	case err != nil:
		return err
	}
	if asJSON {
		err = printJSON(w, d)
	} else {
		out := &printer{w: w}
		switch {
		case d.Whole:
			out.line("Цепочка цела, записей: %d / the chain is whole, records: %d", d.Records, d.Records)
			out.line("Конец цепочки / head: %s", d.Head)
		case ok:
			out.line("Запись %d нарушена: %s / record %d is broken: %s", d.Broken, d.Why, d.Broken, d.Why)
			out.line("Записи до неё целы, проверьте их по резервной копии / the records before it are whole; compare with a backup")
		default:
			out.line("Файл повреждён / %s", d.Why)
		}
		err = out.err
	}
	if err == nil && !d.Whole {
		return &exitError{Code: exitNo}
	}
	return err
}

func newJournalExportCommand() *cobra.Command {
	var source journalSource
	cmd := &cobra.Command{
		Use:   "export [PATH]",
		Short: "Выгрузить журнал строками JSON / print a journal as JSON lines",
		Long: "Prints every record, one JSON document a line, in the form of docs/JOURNAL.md, which anybody can verify without this\n" +
			"program. The lines hold people's addresses and the names of their documents: keep them as you keep the journal.\n\n" +
			"Nothing is verified. Exit code 1 if a record cannot be printed, 3 if the journal cannot be read.",
		Example: "  propusk journal export --config propusk.yaml > journal.jsonl",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := source.path(args)
			if err != nil {
				return err
			}
			j, err := journal.OpenReadOnly(path)
			if err != nil {
				return err
			}
			err = errors.Join(journal.Export(cmd.Context(), j, cmd.OutOrStdout()), j.Close())
			if errors.As(err, new(*journal.Broken)) {
				return &exitError{Code: exitNo, Err: err}
			}
			return err
		},
	}
	source.flag(cmd)
	return cmd
}
