package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/config"
	"propusk/server/mail"
	"propusk/server/office"
	"propusk/server/store"
	"propusk/server/support"
)

// newAccountCommand returns `propusk account` with its subcommands.
func newAccountCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "account",
		Short: "Учётные записи / accounts of people",
		Long: "Shows and changes accounts, while the gateway runs or not. Whatever is changed is in the journal, the person gets a letter\n" +
			"where there is a confirmed address, and his visits end at once.\n\n" +
			"ACCOUNT is the ID of an account or the ИНН of its person. Exit code 1: there is no such account, or it is not in a state\n" +
			"for that.",
	}
	cmd.AddCommand(newAccountListCommand(), newAccountShowCommand(), newAccountEvidenceCommand(), newAccountBackupCommand(), newAccountForgetCommand())
	for _, c := range []struct {
		use, short, done string
		do               func(office.Office, context.Context, string) (account.Account, error)
	}{
		{"block", "Заблокировать / let nobody in", "Учётная запись заблокирована / the account is blocked", office.Office.Block},
		{"unblock", "Разблокировать / let the person in again", "Учётная запись разблокирована / the account is open again", office.Office.Unblock},
		{"close", "Прекратить обслуживание / give the account up for ever", "Учётная запись закрыта / the account is closed", office.Office.Close},
		{"approve", "Подтвердить данные после ручной проверки / approve a registration", "Данные подтверждены / the registration is approved", office.Office.Approve},
		{"reject", "Отказать после ручной проверки / reject a registration", "В регистрации отказано / the registration is rejected", office.Office.Reject},
	} {
		cmd.AddCommand(newAccountActionCommand(c.use, c.short, c.done, c.do))
	}
	return cmd
}

// errNoAccounts is that of a configuration without accounts.
var errNoAccounts = errors.New("accounts.path: в настройках нет учётных записей / the configuration has no accounts")

// accounts is the store of a configuration, opened beside a gateway that may be running.
type accounts struct {
	config config.Config
	store  *store.SQLite
}

// openAccounts opens the store that a configuration names. The file must be there: the
// gateway makes it.
func openAccounts(file string) (accounts, error) {
	c, err := loadConfig(file)
	if err != nil {
		return accounts{}, err
	}
	if !c.Accounts.Kept() {
		return accounts{}, errNoAccounts
	}
	if _, err := os.Stat(c.Accounts.Path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w; файл создаёт шлюз при запуске / the gateway makes the file when it starts", err)
		}
		return accounts{}, err
	}
	s, err := store.Open(c.Accounts.Path)
	return accounts{c, s}, err
}

// withAccounts opens the store, runs f, and closes it.
func withAccounts(file string, f func(accounts) error) error {
	a, err := openAccounts(file)
	if err != nil {
		return err
	}
	return errors.Join(f(a), a.store.Close())
}

// composer writes letters as the gateway does.
func (a accounts) composer() mail.Composer {
	help := a.config.Support.URL
	if help == "" {
		help = a.config.Public.URL + support.Path
	}
	return mail.Composer{Gateway: a.config.Challenge.Name, URL: a.config.Public.URL, Support: help}
}

func (a accounts) office() office.Office {
	return office.Office{
		Store: a.store, Mail: a.composer(), ActivateWithin: a.config.Registration.ActivateWithin, By: operator(), Now: time.Now,
	}
}

// operator is who runs the command, as the operating system calls him.
func operator() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}

// configFlag is the flag that every command with a store needs.
func configFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "config", "", "файл настроек шлюза / the configuration of the gateway")
	if err := cmd.MarkFlagRequired("config"); err != nil {
		panic("account: " + err.Error()) // the flag is there
	}
}

// answer gives errors that are answers the exit code of a "no".
func answer(err error) error {
	for no, text := range map[error]string{
		office.ErrUnknown: "нет такой учётной записи / there is no such account",
		office.ErrState:   "учётная запись не в том состоянии, см. propusk account show / the account is not in a state for that, see propusk account show",
		office.ErrCompromised: "скомпрометированный сертификат ещё действует: без учётной записи им зарегистрируется чужой; подождите конца срока / " +
			"a compromised certificate has not expired: without the account a stranger could register with it; wait until then",
		office.ErrCard: "истёк срок первичного пароля: нужна новая регистрационная карта / the first password has run out: issue a new card",
	} {
		if errors.Is(err, no) {
			return &exitError{Code: exitNo, Err: errors.New(text)}
		}
	}
	return err
}

func newAccountActionCommand(use, short, done string, do func(office.Office, context.Context, string) (account.Account, error)) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: use + " ACCOUNT", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccounts(file, func(a accounts) error {
				changed, err := do(a.office(), cmd.Context(), args[0])
				if err != nil {
					return answer(err)
				}
				out := &printer{w: cmd.OutOrStdout()}
				out.line("%s", done)
				out.fact("account", string(changed.ID))
				out.fact("state", string(changed.State))
				return out.err
			})
		},
	}
	configFlag(cmd, &file)
	return cmd
}

// accountLine is an account in a list: nothing of it tells who the person is.
type accountLine struct {
	ID         account.ID    `json:"id"`
	State      account.State `json:"state"`
	Why        reason.Code   `json:"why,omitempty"`
	Origin     string        `json:"origin"`
	INN        string        `json:"inn"`
	Registered time.Time     `json:"registered"`
	LastVisit  *time.Time    `json:"last_visit,omitempty"`
}

func newAccountListCommand() *cobra.Command {
	var file, state string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Список учётных записей / list accounts",
		Long: "Lists accounts, all or those in a state: active, awaiting-activation, pending-check, rejected, blocked,\n" +
			"compromised-all, closed. Numbers of people are masked; `propusk account show` has them.",
		Example: "  propusk account list --config propusk.yaml --state pending-check",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if state != "" && !account.State(state).Known() {
				return fmt.Errorf("--state: нет такого состояния / there is no state %q", state)
			}
			return withAccounts(file, func(a accounts) error {
				return listAccounts(cmd.Context(), cmd.OutOrStdout(), a.store, account.State(state), asJSON)
			})
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().StringVar(&state, "state", "", "только в этом состоянии / only those in this state")
	addJSONFlag(cmd, &asJSON)
	return cmd
}

// listAccounts prints accounts page by page: views do not stay open while a pager waits.
func listAccounts(ctx context.Context, w io.Writer, s store.Store, state account.State, asJSON bool) error {
	lines := []accountLine{}
	out := &printer{w: w}
	for after := account.ID(""); ; {
		var page []account.Account
		if err := s.View(ctx, func(tx store.Tx) (err error) { page, err = tx.Accounts(state, after, store.MaxPage); return err }); err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		for _, a := range page {
			after = a.ID
			l := accountLine{a.ID, a.State, a.Why, a.Origin, a.Identity.INN.String(), a.Registered, optional(a.LastVisit)}
			if asJSON {
				lines = append(lines, l)
				continue
			}
			out.line("%s  %-20s %-12s %s  %s", l.ID, l.State, l.INN, l.Registered.Format(time.DateOnly), l.Why)
		}
	}
	if asJSON {
		return printJSON(w, lines)
	}
	return out.err
}

func optional(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// accountDocument is all that operators see of an account.
type accountDocument struct {
	accountLine
	INN        string             `json:"inn"` // in full
	Name       string             `json:"name"`
	Email      string             `json:"email,omitempty"`
	Confirmed  *time.Time         `json:"email_confirmed,omitempty"`
	Phone      string             `json:"phone,omitempty"`
	Language   string             `json:"language"`
	ActivateBy *time.Time         `json:"activate_by,omitempty"`
	Ended      *time.Time         `json:"enterprise_ended,omitempty"`
	Taxpayers  []taxpayerDocument `json:"taxpayers"`
	Keys       []keyDocument      `json:"keys"`
	Password   *passwordDocument  `json:"password,omitempty"`
	Factors    []string           `json:"factors"`
	Cards      []cardDocument     `json:"cards"`
	Evidence   []string           `json:"evidence"`
	Visits     int                `json:"visits"`
}

type taxpayerDocument struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	INN    string `json:"inn,omitempty"`
	OGRNIP string `json:"ogrnip,omitempty"`
	INNLE  string `json:"innle,omitempty"`
	OGRN   string `json:"ogrn,omitempty"`
}

type keyDocument struct {
	SHA256   string    `json:"sha256"`
	State    string    `json:"state"`
	NotAfter time.Time `json:"not_after"`
}

type passwordDocument struct {
	Set     time.Time  `json:"set"`
	Initial bool       `json:"initial"`
	Expires *time.Time `json:"expires,omitempty"`
}

type cardDocument struct {
	Number string    `json:"number"`
	Issued time.Time `json:"issued"`
	By     string    `json:"by"`
}

func newAccountShowCommand() *cobra.Command {
	var file string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show ACCOUNT",
		Short: "Показать учётную запись / show an account",
		Long:  "Shows an account with what is personal in it: for the eyes of the operator only.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccounts(file, func(a accounts) error {
				found, err := a.office().Find(cmd.Context(), args[0])
				if err != nil {
					return answer(err)
				}
				var d accountDocument
				if err := a.store.View(cmd.Context(), func(tx store.Tx) (err error) { d, err = documentOf(tx, found); return err }); err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), d)
				}
				return d.print(cmd.OutOrStdout())
			})
		},
	}
	configFlag(cmd, &file)
	addJSONFlag(cmd, &asJSON)
	return cmd
}

// documentOf puts together what the store has of an account.
func documentOf(tx store.Tx, a account.Account) (accountDocument, error) {
	d := accountDocument{
		accountLine: accountLine{ID: a.ID, State: a.State, Why: a.Why, Origin: a.Origin, Registered: a.Registered, LastVisit: optional(a.LastVisit)},
		INN:         a.Identity.INN.Reveal(), Name: a.Identity.Name.Reveal(), Email: a.Email.Reveal(), Confirmed: optional(a.EmailConfirmed),
		Phone: a.Phone.Reveal(), Language: a.Language, ActivateBy: optional(a.ActivateBy), Ended: optional(a.Closed),
		Taxpayers: []taxpayerDocument{}, Keys: []keyDocument{}, Factors: []string{}, Cards: []cardDocument{}, Evidence: []string{},
	}
	for _, t := range a.Taxpayers {
		d.Taxpayers = append(d.Taxpayers, taxpayerDocument{string(t.Kind), t.Name.Reveal(), t.INN.Reveal(), t.OGRNIP.Reveal(), t.INNLE.Reveal(), t.OGRN.Reveal()})
	}
	keys, errKeys := tx.Keys(a.ID)
	for _, k := range keys {
		d.Keys = append(d.Keys, keyDocument{hex.EncodeToString(k.SHA256[:]), k.State, k.NotAfter})
	}
	p, errPassword := tx.Password(a.ID)
	if errPassword == nil {
		d.Password = &passwordDocument{p.Set, p.Initial, optional(p.Expires)}
	}
	if errors.Is(errPassword, store.ErrNotFound) {
		errPassword = nil
	}
	factors, errFactors := tx.Factors(a.ID)
	for _, f := range factors {
		if !f.Confirmed.IsZero() {
			d.Factors = append(d.Factors, f.Kind)
		}
	}
	cards, errCards := tx.Cards(a.ID, store.MaxPage)
	for _, c := range cards {
		d.Cards = append(d.Cards, cardDocument{c.Number, c.Issued, c.By})
	}
	evidence, errEvidence := tx.EvidenceOf(a.ID)
	for _, e := range evidence {
		d.Evidence = append(d.Evidence, e.ID)
	}
	visits, errVisits := tx.Visits(a.ID)
	d.Visits = len(visits)
	return d, errors.Join(errKeys, errPassword, errFactors, errCards, errEvidence, errVisits)
}

// print writes the document for a person.
func (d accountDocument) print(w io.Writer) error {
	out := &printer{w: w}
	out.fact("account", string(d.ID))
	out.fact("состояние / state", string(d.State))
	if e, ok := reason.Lookup(d.Why); ok {
		out.fact("причина / why", e.RU)
	}
	out.fact("ИНН", d.INN)
	out.fact("имя / name", d.Name)
	out.fact("e-mail", d.Email+map[bool]string{true: "", false: " (не подтверждён / not confirmed)"}[d.Confirmed != nil || d.Email == ""])
	for _, t := range d.Taxpayers {
		out.fact("налогоплательщик / taxpayer", t.Kind+" "+t.Name+" "+t.INNLE+t.OGRNIP)
	}
	for _, k := range d.Keys {
		out.fact("сертификат / certificate", k.SHA256+" "+k.State+" "+k.NotAfter.Format(time.DateOnly))
	}
	if p := d.Password; p != nil {
		out.fact("пароль / password", p.Set.Format(time.DateOnly)+map[bool]string{true: " первичный / initial", false: ""}[p.Initial])
	}
	for _, f := range d.Factors {
		out.fact("второй фактор / factor", f)
	}
	for _, c := range d.Cards {
		out.fact("карта / card", c.Number+" "+c.Issued.Format(time.DateOnly)+" "+c.By)
	}
	for _, e := range d.Evidence {
		out.fact("подписано / signed", e)
	}
	out.fact("сеансы / visits", fmt.Sprint(d.Visits))
	return out.err
}

func newAccountEvidenceCommand() *cobra.Command {
	var file, dir string
	cmd := &cobra.Command{
		Use:   "evidence ACCOUNT",
		Short: "Выгрузить подписанное при регистрации / save what a person has signed",
		Long: "Saves what a person has signed for the gateway, such as the agreement: ID.txt, the text; ID.sig, the detached signature;\n" +
			"ID.cer, the certificate; ID.json, the verdict of that day. `propusk verify` judges them anew. Files that are there stay.\n" +
			"The ID of an account that was forgotten will do.",
		Example: "  propusk account evidence 500100732259 --config propusk.yaml --out .\n  propusk verify --trust trust --content ID.txt ID.sig",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccounts(file, func(a accounts) error {
				all, err := a.office().Evidence(cmd.Context(), args[0])
				if err != nil {
					return answer(err)
				}
				return saveEvidence(cmd.OutOrStdout(), dir, all)
			})
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().StringVar(&dir, "out", ".", "каталог / the directory")
	return cmd
}

// saveEvidence writes files that nobody else may read, and overwrites none.
func saveEvidence(w io.Writer, dir string, all []account.Evidence) error {
	out := &printer{w: w}
	for _, e := range all {
		for suffix, data := range map[string][]byte{".txt": e.Text, ".sig": e.Signature, ".cer": e.Certificate, ".json": e.Verdict} {
			f, err := os.OpenFile(filepath.Join(dir, e.ID+suffix), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return err
			}
			if _, err := f.Write(data); err != nil {
				return errors.Join(err, f.Close())
			}
			if err := f.Close(); err != nil {
				return err
			}
		}
		out.line("%s", filepath.Join(dir, e.ID))
	}
	return out.err
}

func newAccountForgetCommand() *cobra.Command {
	var file string
	var evidence, asJSON bool
	cmd := &cobra.Command{
		Use:   "forget ACCOUNT",
		Short: "Уничтожить персональные данные / destroy what is kept about a person",
		Long: "Destroys what the gateway keeps about a person who has withdrawn his consent (152-ФЗ, articles 9 and 21; GU-13): account, keys,\n" +
			"cards, sessions, letters and requests for help. The account must be closed or rejected. What he has signed, the evidence\n" +
			"of the contract, stays under the ID of the account; --evidence destroys it, too, once nothing obliges you to keep it, and\n" +
			"may come later, with the ID. The journal has a pseudonym and stays. Copies of the store are yours to destroy.\n" +
			"What was destroyed is printed, for the act.",
		Example: "  propusk account close 500100732259 --config propusk.yaml\n  propusk account forget 500100732259 --config propusk.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccounts(file, func(a accounts) error {
				f, err := a.office().Forget(cmd.Context(), args[0], evidence)
				if err != nil {
					return answer(err)
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), forgottenDocument(f))
				}
				out := &printer{w: cmd.OutOrStdout()}
				out.line("Персональные данные уничтожены / what was kept about the person is destroyed")
				if f.Account != "" {
					out.fact("account", string(f.Account))
				}
				for _, fact := range []struct {
					name string
					n    int
				}{
					{"сертификаты / certificates", f.Keys}, {"карты / cards", f.Cards}, {"письма / letters", f.Letters}, {"обращения / requests", f.Tickets},
					{"подписанное уничтожено / signed, destroyed", f.Evidence}, {"подписанное осталось / signed, kept", f.Kept},
				} {
					out.fact(fact.name, fmt.Sprint(fact.n))
				}
				return out.err
			})
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().BoolVar(&evidence, "evidence", false, "и подписанное / what the person has signed, too")
	addJSONFlag(cmd, &asJSON)
	return cmd
}

// forgottenDocument is what was destroyed.
type forgottenDocument struct {
	Account  account.ID `json:"account,omitempty"`
	Keys     int        `json:"certificates"`
	Cards    int        `json:"cards"`
	Letters  int        `json:"letters"`
	Tickets  int        `json:"tickets"`
	Evidence int        `json:"evidence"`
	Kept     int        `json:"evidence_kept"`
}

func newAccountBackupCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Резервная копия учётных записей / copy the accounts into a new file",
		Long: "Copies the accounts as they are at one moment, while the gateway goes on. FILE must not be there. accounts.secret is not\n" +
			"in it: keep a copy of that elsewhere. To restore, stop the gateway, and put FILE in place of accounts.path, with no -wal\n" +
			"and -shm of the old one beside it.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loadConfig(file)
			if err != nil {
				return err
			}
			if !c.Accounts.Kept() {
				return errNoAccounts
			}
			if err := store.Backup(cmd.Context(), c.Accounts.Path, args[0]); err != nil {
				return err
			}
			out := &printer{w: cmd.OutOrStdout()}
			out.line("Копия готова / the copy is complete: %s", args[0])
			return out.err
		},
	}
	configFlag(cmd, &file)
	return cmd
}
