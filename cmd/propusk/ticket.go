package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/store"
	"propusk/server/support"
)

// newTicketCommand returns `propusk ticket` with its subcommands.
func newTicketCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ticket",
		Short: "Обращения в поддержку / requests for help",
		Long: "Shows, answers and closes requests of people to the support, while the gateway runs or not: the gateway sends the\n" +
			"letters. Exit code 1: there is no such request, or it is closed.",
	}
	cmd.AddCommand(newTicketListCommand(), newTicketShowCommand(), newTicketAnswerCommand(), newTicketCloseCommand())
	return cmd
}

// ticketAnswer gives errors that are answers the exit code of a "no".
func ticketAnswer(err error) error {
	if code := reason.Of(err); code == reason.TicketUnknown || code == reason.TicketClosed {
		e, _ := reason.Lookup(code)
		return &exitError{Code: exitNo, Err: errors.New(e.RU + " / " + e.EN)}
	}
	return err
}

// ticketLine is a request in a list: nothing of it tells who the person is.
type ticketLine struct {
	Number  string    `json:"number"`
	State   string    `json:"state"`
	Topic   string    `json:"topic"`
	Opened  time.Time `json:"opened"`
	Changed time.Time `json:"changed"`
	// Due is by when the person was told to have an answer; nil once he has one.
	Due *time.Time `json:"due,omitempty"`
}

func ticketLineOf(t account.Ticket) ticketLine {
	l := ticketLine{Number: t.Number, State: t.State, Topic: t.Topic, Opened: t.Opened, Changed: t.Changed}
	if t.State == account.OpenTicket {
		due := support.AnswerBy(t.Opened)
		l.Due = &due
	}
	return l
}

func newTicketListCommand() *cobra.Command {
	var file, state string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Список обращений / list requests",
		Long:  "Lists requests, the last changed first: all of them, or those in a state: open, answered, closed.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch state {
			case "", account.OpenTicket, account.AnsweredTicket, account.ClosedTicket:
			default:
				return fmt.Errorf("--state: нет такого состояния / there is no state %q", state)
			}
			return withAccounts(file, func(a accounts) error {
				return listTickets(cmd.Context(), cmd.OutOrStdout(), a.store, state, asJSON)
			})
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().StringVar(&state, "state", "", "только в этом состоянии / only those in this state")
	addJSONFlag(cmd, &asJSON)
	return cmd
}

// listTickets prints requests. They are read at once: a request that is answered meanwhile
// would move to another page.
func listTickets(ctx context.Context, w io.Writer, s store.Store, state string, asJSON bool) error {
	lines := []ticketLine{}
	err := s.View(ctx, func(tx store.Tx) error {
		for before := ""; ; {
			page, err := tx.Tickets(state, before, store.MaxPage)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, t := range page {
				before = t.Number
				lines = append(lines, ticketLineOf(t))
			}
		}
	})
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(w, lines)
	}
	out := &printer{w: w}
	for _, l := range lines {
		due := ""
		if l.Due != nil {
			due = "ответить до / answer by " + l.Due.Format("2006-01-02 15:04")
		}
		out.line("%-14s %-9s %-13s %s  %s", l.Number, l.State, l.Topic, l.Opened.UTC().Format("2006-01-02 15:04"), due)
	}
	return out.err
}

// ticketDocument is all that operators see of a request.
type ticketDocument struct {
	ticketLine
	Account     account.ID       `json:"account,omitempty"`
	Name        string           `json:"name"`
	INN         string           `json:"inn,omitempty"`
	Email       string           `json:"email"`
	Phone       string           `json:"phone,omitempty"`
	Language    string           `json:"language"`
	Text        string           `json:"text"`
	Check       string           `json:"check,omitempty"`
	Support     string           `json:"support,omitempty"`
	Certificate bool             `json:"certificate"`
	Answers     []answerDocument `json:"answers"`
	Files       []fileDocument   `json:"files"`
}

type answerDocument struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Text string    `json:"text"`
}

type fileDocument struct {
	Number int    `json:"number"`
	Name   string `json:"name"`
	Type   string `json:"type"`
	Size   int    `json:"size"`
}

func newTicketShowCommand() *cobra.Command {
	var file, dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show NUMBER",
		Short: "Показать обращение / show a request",
		Long: "Shows a request with what is personal in it: for the eyes of the operator only. With --files the files of the person\n" +
			"and his certificate are written into a directory, under names of the gateway.",
		Example: "  propusk ticket show 2026-000017 --config propusk.yaml --files /tmp/17",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccounts(file, func(a accounts) error {
				var t account.Ticket
				var files []account.Attachment
				err := a.store.View(cmd.Context(), func(tx store.Tx) (err error) {
					if t, err = support.Find(tx, args[0]); err == nil {
						files, err = tx.Attachments(t.Number)
					}
					return err
				})
				if err != nil {
					return ticketAnswer(err)
				}
				if dir != "" {
					if err := writeTicketFiles(dir, t, files); err != nil {
						return err
					}
				}
				d := ticketDocumentOf(t, files)
				if asJSON {
					return printJSON(cmd.OutOrStdout(), d)
				}
				return d.print(cmd.OutOrStdout())
			})
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().StringVar(&dir, "files", "", "записать файлы в этот каталог / write the files into this directory")
	addJSONFlag(cmd, &asJSON)
	return cmd
}

func ticketDocumentOf(t account.Ticket, files []account.Attachment) ticketDocument {
	d := ticketDocument{
		ticketLine: ticketLineOf(t), Account: t.Account, Name: t.Name.Reveal(), INN: t.INN.Reveal(), Email: t.Email.Reveal(), Phone: t.Phone.Reveal(),
		Language: t.Language, Text: t.Text.Reveal(), Check: t.Check, Support: t.Support, Certificate: len(t.Certificate) > 0,
		Answers: []answerDocument{}, Files: []fileDocument{},
	}
	for _, a := range t.Answers {
		d.Answers = append(d.Answers, answerDocument{a.At, a.By, a.Text.Reveal()})
	}
	for _, f := range files {
		d.Files = append(d.Files, fileDocument{f.Number, f.Name.Reveal(), f.Type, len(f.Data)})
	}
	return d
}

func (d ticketDocument) print(w io.Writer) error {
	out := &printer{w: w}
	out.line("%s  %s", d.Number, d.State)
	for _, f := range [][2]string{
		{"topic", d.Topic}, {"opened", d.Opened.UTC().Format(time.RFC3339)}, {"name", d.Name}, {"inn", d.INN}, {"email", d.Email}, {"phone", d.Phone},
		{"language", d.Language}, {"account", string(d.Account)}, {"check", d.Check}, {"support code", d.Support},
	} {
		if f[1] != "" {
			out.fact(f[0], printable(f[1]))
		}
	}
	if d.Certificate {
		out.fact("certificate", "--files")
	}
	for _, f := range d.Files {
		out.fact(fmt.Sprintf("file %d", f.Number), fmt.Sprintf("%s, %s, %d", printable(f.Name), f.Type, f.Size))
	}
	out.line("")
	out.line("%s", printable(d.Text))
	for _, a := range d.Answers {
		out.line("")
		out.line("%s, %s:", a.At.UTC().Format(time.RFC3339), a.By)
		out.line("%s", printable(a.Text))
	}
	return out.err
}

// printable takes out of a text what would give orders to the terminal of the operator.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

// writeTicketFiles writes the files of a request under names of our own: those that people gave
// are not for the disk of the operator.
func writeTicketFiles(dir string, t account.Ticket, files []account.Attachment) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	endings := map[string]string{"image/png": ".png", "image/jpeg": ".jpg", "application/pkix-cert": ".cer"}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d%s", t.Number, f.Number, endings[f.Type])), f.Data, 0o600); err != nil {
			return err
		}
	}
	if len(t.Certificate) == 0 {
		return nil
	}
	return os.WriteFile(filepath.Join(dir, t.Number+".cer"), t.Certificate, 0o600)
}

func newTicketAnswerCommand() *cobra.Command {
	var file, text string
	var closed bool
	cmd := &cobra.Command{
		Use:     "answer NUMBER",
		Short:   "Ответить письмом / answer by a letter",
		Long:    "Writes the answer to a request and the letter with it. The text is that of --text, or of standard input.",
		Example: "  propusk ticket answer 2026-000017 --config propusk.yaml --close < answer.txt",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if text == "" {
				typed, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), 4*support.MaxAnswer+1))
				if err != nil {
					return err
				}
				text = string(typed)
			}
			if text = strings.TrimSpace(text); text == "" || !utf8.ValidString(text) || utf8.RuneCountInString(text) > support.MaxAnswer {
				return fmt.Errorf("ответ: от 1 до %[1]d знаков в UTF-8 / the answer: 1 to %[1]d characters in UTF-8", support.MaxAnswer)
			}
			return withAccounts(file, func(a accounts) error {
				err := a.store.Update(cmd.Context(), func(tx store.Tx) error {
					return support.Answer(tx, a.composer(), args[0], text, operator(), closed, time.Now())
				})
				if err != nil {
					return ticketAnswer(err)
				}
				out := &printer{w: cmd.OutOrStdout()}
				out.line("Ответ записан, шлюз отправит письмо / the answer is written, the gateway sends the letter")
				return out.err
			})
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().StringVar(&text, "text", "", "текст ответа / the text of the answer")
	cmd.Flags().BoolVar(&closed, "close", false, "закрыть обращение / close the request with it")
	return cmd
}

func newTicketCloseCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "close NUMBER",
		Short: "Закрыть без письма / close without a letter",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccounts(file, func(a accounts) error {
				err := a.store.Update(cmd.Context(), func(tx store.Tx) error { return support.Close(tx, args[0], time.Now()) })
				if err != nil {
					return ticketAnswer(err)
				}
				out := &printer{w: cmd.OutOrStdout()}
				out.line("Обращение закрыто / the request is closed")
				return out.err
			})
		},
	}
	configFlag(cmd, &file)
	return cmd
}
