package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"propusk/pki/person"
	"propusk/server"
	"propusk/server/account"
	"propusk/server/card"
	"propusk/server/mail"
	"propusk/server/page"
	"propusk/server/password"
	"propusk/server/store"
)

// newCardCommand returns `propusk card` with its subcommands.
func newCardCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "card",
		Short: "Регистрационные карты / registration cards",
	}
	cmd.AddCommand(newCardIssueCommand(), newCardListCommand())
	return cmd
}

// cardFlags are what an operator says about a card.
type cardFlags struct {
	config, inn, name, ogrnip, email string
	reason, delivery, language       string
	asJSON                           bool
}

func newCardIssueCommand() *cobra.Command {
	var f cardFlags
	cmd := &cobra.Command{
		Use:   "issue",
		Short: "Выдать карту: логин и первичный пароль / issue a card: login and first password",
		Long: "Opens an account, or replaces the password of one, and prints the card. The password is shown once and stored nowhere.\n" +
			"It is good until the end of one calendar month, for one sign-in that changes it; after that the account is blocked.\n\n" +
			"The gateway may run meanwhile. A card that is handed over in person also takes the second factors of the account away;\n" +
			"make sure of who the person is. To give an account up: propusk account close. Exit code 1: the account is not in a\n" +
			"state for that.",
		Example: "  propusk card issue --config propusk.yaml --inn 500100732259 --name 'Вымыслов Пётр Ильич' --ogrnip 304500116000157\n" +
			"  propusk card issue --config propusk.yaml --inn 500100732259 --reason new-password",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAccounts(f.config, func(a accounts) error { return f.issue(cmd.Context(), cmd.OutOrStdout(), a) })
		},
	}
	flags := cmd.Flags()
	configFlag(cmd, &f.config)
	flags.StringVar(&f.inn, "inn", "", "ИНН, он же логин / the INN, which is the login")
	flags.StringVar(&f.name, "name", "", "фамилия, имя, отчество / the name, for a new account")
	flags.StringVar(&f.ogrnip, "ogrnip", "", "ОГРНИП предпринимателя / the OGRNIP of an entrepreneur, for a new account")
	flags.StringVar(&f.email, "email", "", "адрес электронной почты / the address of e-mail")
	flags.StringVar(&f.reason, "reason", card.Connect, "connect — подключить, new-password — новый пароль / why")
	flags.StringVar(&f.delivery, "delivery", card.InPerson, "personal — лично, email — на адрес почты / how it is handed over")
	flags.StringVar(&f.language, "language", "ru", "язык писем: ru, en / the language of letters")
	addJSONFlag(cmd, &f.asJSON)
	if err := cmd.MarkFlagRequired("inn"); err != nil {
		panic("card: " + err.Error()) // the flag is there
	}
	return cmd
}

// order reads the flags.
func (f cardFlags) order() (card.Order, error) {
	o := card.Order{
		Reason: f.reason, Delivery: f.delivery, Language: f.language, By: operator(), Kind: person.Person,
		Name: person.NewName(f.name), Email: person.NewEmail(f.email),
	}
	var err error
	if o.INN, err = person.ParseINN(f.inn); err != nil {
		return o, fmt.Errorf("--inn: ИНН из 12 цифр с верными контрольными / 12 digits with their check: %w", err)
	}
	if f.ogrnip != "" {
		o.Kind = person.Entrepreneur
		if o.OGRNIP, err = person.ParseOGRNIP(f.ogrnip); err != nil {
			return o, fmt.Errorf("--ogrnip: ОГРНИП из 15 цифр / 15 digits with their check: %w", err)
		}
	}
	if f.language != "ru" && f.language != "en" {
		return o, errors.New("--language: ru или en / ru or en")
	}
	if f.email != "" && !mail.Deliverable(f.email) {
		return o, errors.New("--email: нужен адрес вида name@example.ru / an address such as name@example.ru is wanted")
	}
	return o, nil
}

func (f cardFlags) issue(ctx context.Context, w io.Writer, a accounts) error {
	o, err := f.order()
	if err != nil {
		return err
	}
	issuer, err := a.issuer()
	if err != nil {
		return err
	}
	printed, err := issuer.Issue(ctx, o)
	for no, text := range map[error]string{
		card.ErrKnown:   "учётная запись с этим ИНН уже есть: --reason new-password / there is an account with this INN: --reason new-password",
		card.ErrUnknown: "учётной записи с этим ИНН нет: --reason connect / there is no account with this INN: --reason connect",
		card.ErrState:   "учётная запись не в том состоянии, см. propusk account show / the account is not in a state for that, see propusk account show",
	} {
		if errors.Is(err, no) {
			return &exitError{Code: exitNo, Err: errors.New(text)}
		}
	}
	if err != nil {
		return err
	}
	if f.asJSON {
		return printJSON(w, cardPrinted{issuedOf(printed.Card), printed.Login.Reveal(), printed.Password})
	}
	return printCard(w, printed, a.config.Public.URL)
}

// issuer issues cards as the gateway would.
func (a accounts) issuer() (card.Issuer, error) {
	secret, err := server.AccountsSecret(a.config, slog.New(slog.DiscardHandler))
	if err != nil {
		return card.Issuer{}, err
	}
	sealer, err := account.NewSealer(secret)
	if err != nil {
		return card.Issuer{}, fmt.Errorf("accounts.secret: %w", err)
	}
	l := a.config.Login
	hasher, err := password.New(password.Options{
		Params: password.Params{Memory: uint32(l.HashMemory), Time: uint32(l.HashPasses)}, Pepper: password.Pepper(sealer), //nolint:gosec // checked by Validate
	})
	return card.Issuer{
		Store: a.store, Hasher: hasher, Policy: password.Policy{MinLength: l.MinLength}, Mail: a.composer(), Now: time.Now,
	}, err
}

// printCard prints what is given to the person.
func printCard(w io.Writer, p card.Printed, address string) error {
	out := &printer{w: w}
	out.line("РЕГИСТРАЦИОННАЯ КАРТА / REGISTRATION CARD № %s", p.Number)
	out.fact("адрес / address", address)
	out.fact("логин / login", p.Login.Reveal())
	out.fact("первичный пароль / first password", p.Password)
	out.fact("действует до / good until", page.Time(p.Expires))
	out.line("При первом входе смените первичный пароль. Если не сменить его до указанного срока, учётная запись будет")
	out.line("заблокирована, и понадобится новая карта. Никому не сообщайте пароль.")
	out.line("Change the first password at the first sign-in. Otherwise the account will be blocked at the time above, and a new card")
	out.line("is needed. Tell the password to nobody.")
	return out.err
}

// issuedCard is a card in a list: nothing of it tells who the person is.
type issuedCard struct {
	Number   string     `json:"number"`
	Account  account.ID `json:"account"`
	Issued   time.Time  `json:"issued"`
	Expires  time.Time  `json:"expires"`
	Reason   string     `json:"reason"`
	Delivery string     `json:"delivery"`
	By       string     `json:"by"`
}

func issuedOf(c account.Card) issuedCard {
	return issuedCard{c.Number, c.Account, c.Issued, c.Expires, c.Reason, c.Delivery, c.By}
}

// cardPrinted is a card as it is printed, once.
type cardPrinted struct {
	issuedCard
	Login    string `json:"login"`
	Password string `json:"password"`
}

func newCardListCommand() *cobra.Command {
	var file, of string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Список выданных карт / list the cards that were issued",
		Long:  "Lists cards, the last issued first and 1000 at most: of all people, or of one. They do not have passwords.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAccounts(file, func(a accounts) error { return listCards(cmd.Context(), cmd.OutOrStdout(), a, of, asJSON) })
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().StringVar(&of, "account", "", "ID учётной записи или ИНН / the ID of an account, or the INN")
	addJSONFlag(cmd, &asJSON)
	return cmd
}

func listCards(ctx context.Context, w io.Writer, a accounts, of string, asJSON bool) error {
	var id account.ID
	if of != "" {
		found, err := a.office().Find(ctx, of)
		if err != nil {
			return answer(err)
		}
		id = found.ID
	}
	var cards []account.Card
	if err := a.store.View(ctx, func(tx store.Tx) (err error) { cards, err = tx.Cards(id, store.MaxPage); return err }); err != nil {
		return err
	}
	lines := make([]issuedCard, 0, len(cards))
	out := &printer{w: w}
	for _, c := range cards {
		l := issuedOf(c)
		lines = append(lines, l)
		if !asJSON {
			out.line("%s  %s  %s  %s  %-12s %-8s %s", l.Number, l.Account, l.Issued.Format(time.DateOnly), l.Expires.Format(time.DateOnly), l.Reason, l.Delivery, l.By)
		}
	}
	if asJSON {
		return printJSON(w, lines)
	}
	return out.err
}
