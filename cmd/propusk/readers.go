package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"propusk/pki/reason"
	"propusk/tokens"
	"propusk/tokens/pcsc"
)

// newTokenReadersCommand returns `propusk token readers`.
func newTokenReadersCommand() *cobra.Command {
	var asJSON, watch bool
	cmd := &cobra.Command{
		Use:   "readers",
		Short: "Какие считыватели и карты подключены и что для них установить / readers, what is in them, and what to install",
		Long: "Lists the readers of the PC/SC service and what is in them: the family, the model, the serial number, how the PIN stands, and which\n" +
			"library of the vendor it needs. No library and no PIN is needed for that, and no try of a PIN is used.\n" +
			"With --watch it goes on and tells what is inserted and removed, until it is interrupted.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if watch {
				return refusal(watchReaders(cmd.Context(), cmd.OutOrStdout(), asJSON))
			}
			return refusal(listReaders(cmd.Context(), cmd.OutOrStdout(), asJSON))
		},
	}
	cmd.Flags().BoolVar(&watch, "watch", false, "следить, что вставляют и вынимают / go on and tell what is inserted and removed")
	addJSONFlag(cmd, &asJSON)
	return cmd
}

// identifyTimeout limits how long one card may think about who it is.
const identifyTimeout = 15 * time.Second

// readerLine is a reader in the answer of `propusk token readers`.
type readerLine struct {
	Reader  string       `json:"reader"`
	Present bool         `json:"present"` // a card is in it
	ATR     string       `json:"atr,omitempty"`
	Card    *cardLine    `json:"card,omitempty"`
	Problem *problemLine `json:"problem,omitempty"`
}

// cardLine is who a card says it is.
type cardLine struct {
	Family     string   `json:"family,omitempty"` // empty: not known
	NameRU     string   `json:"name_ru,omitempty"`
	NameEN     string   `json:"name_en,omitempty"`
	Model      string   `json:"model,omitempty"`
	Serial     string   `json:"serial,omitempty"`
	FreeMemory int      `json:"free_memory,omitempty"` // bytes
	GOST       bool     `json:"gost"`                  // it signs by itself with GOST R 34.10
	Unasked    bool     `json:"unasked,omitempty"`     // another program uses it: gost is not known
	PIN        *pinLine `json:"pin,omitempty"`
	Library    string   `json:"library,omitempty"` // of PKCS #11, if it is installed
	HelpRU     string   `json:"help_ru,omitempty"`
	HelpEN     string   `json:"help_en,omitempty"`
}

// pinLine is how the PIN of the user stands.
type pinLine struct {
	Factory    bool `json:"factory"` // nobody has changed it yet
	MinLength  int  `json:"min_length"`
	Tries      int  `json:"tries"`
	TriesLeft  int  `json:"tries_left"`
	MustChange bool `json:"must_change"`
}

// problemLine says why nothing is known of a card, or why it cannot be used.
type problemLine struct {
	Code reason.Code `json:"code"`
	RU   string      `json:"ru"`
	EN   string      `json:"en"`
}

// listReaders prints the readers; none is the answer no.
func listReaders(ctx context.Context, w io.Writer, asJSON bool) error {
	readers, err := pcsc.List(ctx)
	if err != nil {
		return err
	}
	libraries := tokens.InstalledLibraries()
	lines := make([]readerLine, 0, len(readers))
	for _, r := range readers {
		lines = append(lines, describe(ctx, r.Name, r.Present, r.ATR, libraries))
	}
	if asJSON {
		return printJSON(w, lines)
	}
	if len(lines) == 0 {
		return reason.New(reason.ReaderAbsent, nil)
	}
	out := &printer{w: w}
	for _, l := range lines {
		l.print(out)
	}
	return out.err
}

// describe asks what is in a reader.
func describe(ctx context.Context, reader string, present bool, atr []byte, libraries []tokens.Library) readerLine {
	line := readerLine{Reader: reader, Present: present, ATR: hex.EncodeToString(atr)}
	if !present {
		return line
	}
	ctx, cancel := context.WithTimeout(ctx, identifyTimeout)
	defer cancel()
	id, err := pcsc.Identify(ctx, reader)
	if err != nil {
		line.Problem = problem(err)
		// The ATR tells the family still.
		id = pcsc.Identity{}
		id.Family, _ = pcsc.FamilyOf(atr)
	}
	if id.Family == pcsc.UEC {
		line.Problem = problem(reason.CardUEC)
	}
	about := id.Family.About()
	card := &cardLine{
		Family: string(id.Family), NameRU: about.RU, NameEN: about.EN, Model: id.Model, Serial: id.Serial, FreeMemory: id.FreeMemory,
		GOST: id.GOST, Unasked: id.Unasked, HelpRU: about.HelpRU, HelpEN: about.HelpEN,
	}
	if p := id.User; p.Known {
		card.PIN = &pinLine{Factory: p.Factory, MinLength: p.MinLength, Tries: p.Tries, TriesLeft: p.Left, MustChange: id.MustChange}
	}
	for _, l := range libraries {
		if about.Vendor != "" && l.Vendor == about.Vendor {
			card.Library, card.HelpRU, card.HelpEN = l.Paths[0], "", ""
		}
	}
	line.Card = card
	return line
}

// problem gives an error its sentences.
func problem(err error) *problemLine {
	code := reason.Of(err)
	if errors.Is(err, context.DeadlineExceeded) {
		code = reason.CardMute
	}
	entry, _ := reason.Lookup(code)
	return &problemLine{code, entry.RU, entry.EN}
}

// print writes a reader for people.
func (l readerLine) print(out *printer) {
	out.line("%s", l.Reader)
	if !l.Present {
		out.line("  пусто / empty")
		return
	}
	if c := l.Card; c != nil {
		c.print(out, l.ATR)
	}
	if p := l.Problem; p != nil {
		out.line("  %s", p.RU)
		out.line("  %s", p.EN)
	}
}

func (c *cardLine) print(out *printer, atr string) {
	switch {
	case c.Family == "":
		out.line("  неизвестная карта / unknown card, ATR %s", atr)
		return
	case c.Model != "":
		out.line("  %s, № %s", c.Model, c.Serial)
	default:
		out.line("  %s / %s", c.NameRU, c.NameEN)
	}
	if c.Unasked {
		out.line("  занят другой программой, поэтому не опрошен / in use by another program and not asked")
	} else if c.GOST {
		out.line("  подписывает сам по ГОСТ Р 34.10 / signs by itself with GOST R 34.10")
	}
	if p := c.PIN; p != nil {
		out.line("  PIN: осталось попыток / tries left: %d из / of %d%s", p.TriesLeft, p.Tries, p.remarks())
	}
	if c.Library != "" {
		out.line("  библиотека / library: %s", c.Library)
		return
	}
	if c.Family != string(pcsc.UEC) { // its problem says the same
		out.line("  %s", c.HelpRU)
		out.line("  %s", c.HelpEN)
	}
}

// remarks is what else there is to say of a PIN.
func (p *pinLine) remarks() string {
	switch {
	case p.TriesLeft == 0:
		return " — заблокирован / locked"
	case p.MustChange:
		return " — его нужно сменить / must be changed"
	case p.Factory:
		return " — заводской, смените его / that of the factory: change it"
	default:
		return ""
	}
}

// readerEvent is a line of `propusk token readers --watch --json`.
type readerEvent struct {
	Event   string       `json:"event"` // "inserted", "removed", "reader-added", "reader-gone", "service-gone", "service-back"
	Reader  *readerLine  `json:"reader,omitempty"`
	Problem *problemLine `json:"problem,omitempty"`
}

// watchReaders prints what happens until the context ends.
func watchReaders(ctx context.Context, w io.Writer, asJSON bool) error {
	events, err := pcsc.Watch(ctx)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	libraries := tokens.InstalledLibraries()
	for e := range events {
		line := readerEvent{Event: e.Kind.String()}
		if e.Reader != "" {
			r := describe(ctx, e.Reader, e.Kind == pcsc.Inserted, e.ATR, libraries)
			line.Reader = &r
		}
		if e.Err != nil {
			line.Problem = problem(e.Err)
		}
		if asJSON {
			err = encoder.Encode(line)
		} else {
			err = line.print(w, e.Kind)
		}
		if err != nil {
			return fmt.Errorf("print an event: %w", err)
		}
	}
	return nil
}

// print writes an event for people.
func (e readerEvent) print(w io.Writer, kind pcsc.Kind) error {
	out := &printer{w: w}
	switch kind {
	case pcsc.Inserted:
		e.Reader.print(out)
	case pcsc.Removed:
		out.line("%s\n  вынули / removed", e.Reader.Reader)
	case pcsc.ReaderAdded:
		out.line("%s\n  подключили считыватель / reader connected", e.Reader.Reader)
	case pcsc.ReaderGone:
		out.line("%s\n  отключили считыватель / reader disconnected", e.Reader.Reader)
	case pcsc.ServiceGone:
		out.line("%s\n%s", e.Problem.RU, e.Problem.EN)
	case pcsc.ServiceBack:
		out.line("служба смарт-карт снова работает / the smart-card service runs again")
	}
	return out.err
}
