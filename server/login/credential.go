package login

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"unicode"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/server/account"
	"propusk/server/admission"
	"propusk/server/journal"
	"propusk/server/mail"
	"propusk/server/password"
	"propusk/server/request"
	"propusk/server/store"
)

// Weaknesses returns what is wrong with a new password of a person; nothing if it is good
// (PW-06).
func (l *Login) Weaknesses(fresh string, a account.Account) []password.Weakness {
	return l.opts.Policy.Check(fresh, about(a))
}

// about returns what must not be in the password of an account.
func about(a account.Account) password.About {
	local, _, _ := strings.Cut(a.Email.Reveal(), "@")
	known := password.About{Login: a.Identity.INN.Reveal(), Words: []string{local}}
	names := []string{a.Identity.Name.Reveal()}
	for _, t := range a.Taxpayers {
		names = append(names, t.Name.Reveal())
	}
	for _, name := range names {
		known.Words = append(known.Words, strings.FieldsFunc(name, func(c rune) bool { return !unicode.IsLetter(c) })...)
	}
	return known
}

// Hash returns the hash of a password for SetPassword. Call it outside of transactions. The
// error is [reason.ServerBusy] when too many wait.
func (l *Login) Hash(ctx context.Context, fresh string) (string, error) {
	return l.opts.Hasher.Hash(ctx, fresh)
}

// HashCodeWord returns the hash of a code word, for [account.Account.CodeWord], by which the
// person recovers a password (FL-04). Capital letters and spaces around and between words do
// not count. The error is that of Hash.
func (l *Login) HashCodeWord(ctx context.Context, word string) (string, error) {
	return l.opts.Hasher.Hash(ctx, codeWord(word))
}

// codeWord returns the one form of a code word.
func codeWord(word string) string { return strings.ToLower(strings.Join(strings.Fields(word), " ")) }

// SetPassword writes a password that the person has chosen, with the letter and the event
// that tell about it (FL-06); links of letters and sign-ins that wait are void. The caller
// ends the visits that should not go on.
func (l *Login) SetPassword(tx store.Tx, r *http.Request, a account.Account, hash string) error {
	if err := tx.PutPassword(account.Password{Account: a.ID, Hash: hash, Set: l.opts.Now()}); err != nil {
		return err
	}
	for _, purpose := range account.Open() {
		if err := tx.DeleteSecrets(a.ID, purpose); err != nil {
			return err
		}
	}
	if err := tx.Note(l.opts.Admission.Event(r, "password-changed"), a.Identity); err != nil {
		return err
	}
	if a.EmailConfirmed.IsZero() {
		return nil
	}
	return tx.PutLetter(l.opts.Mail.PasswordChanged(admission.To(a), l.opts.Now(), mail.PasswordChanged{Device: l.opts.Admission.Device(r)}))
}

// check compares a login and a password, whatever the state of the account. The error has the
// reason [reason.LoginWrong] if they do not belong together or there is no such login;
// [reason.LoginThrottled] or [reason.LoginStrangers] if nobody looked; [reason.ServerBusy]; or
// is that of the store.
func (l *Login) check(r *http.Request, login, typed string) (account.Account, account.Password, error) {
	ctx := r.Context()
	attempt := l.opts.Throttle.Attempt(r, byPassword, login, rules(byPassword))
	err := l.opts.Store.Update(ctx, func(tx store.Tx) error { return l.opts.Throttle.Begin(tx, attempt) })
	if err != nil {
		return account.Account{}, account.Password{}, limited(byPassword, err)
	}
	a, p, err := l.find(ctx, login)
	if err != nil {
		return account.Account{}, account.Password{}, err
	}
	turn := ctx
	if l.opts.Throttle.Known(r, login) {
		turn = password.Prefer(ctx)
	}
	ok, again, err := l.opts.Hasher.Verify(turn, p.Hash, typed)
	if errors.Is(err, reason.ServerBusy) {
		if err := l.opts.Store.Update(context.WithoutCancel(ctx), func(tx store.Tx) error { return l.opts.Throttle.Passed(tx, attempt) }); err != nil {
			return account.Account{}, account.Password{}, err
		}
		return account.Account{}, account.Password{}, err
	}
	if !ok {
		wrong := reason.New(reason.LoginWrong, err) // a hash of another pepper is for the log
		err = l.opts.Store.Update(ctx, func(tx store.Tx) error {
			if err := l.opts.Throttle.Failed(tx, attempt); err != nil || a.ID == "" {
				return err
			}
			return tx.Note(l.event(r, reason.LoginWrong), a.Identity)
		})
		return account.Account{}, account.Password{}, errors.Join(err, wrong)
	}
	fresh := ""
	if again { // if nobody has the time now, the next sign-in does it
		fresh, _ = l.opts.Hasher.Hash(ctx, typed)
	}
	err = l.opts.Store.Update(ctx, func(tx store.Tx) error {
		if err := l.opts.Throttle.Passed(tx, attempt); err != nil || fresh == "" {
			return err
		}
		if now, err := tx.Password(a.ID); err != nil || now.Hash != p.Hash {
			return err // it was changed meanwhile
		}
		p.Hash = fresh
		return tx.PutPassword(p)
	})
	return a, p, err
}

// find returns the account of a login with its password, and zero values if there is none:
// that is no error.
func (l *Login) find(ctx context.Context, login string) (account.Account, account.Password, error) {
	var a account.Account
	var p account.Password
	err := l.opts.Store.View(ctx, func(tx store.Tx) (err error) {
		if a, err = l.account(tx, login); err == nil {
			p, err = tx.Password(a.ID)
		}
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return a, p, err
}

// account returns the account of a login, and [store.ErrNotFound] if there is none. DemoINN
// is the login of the demo account, and of nobody where there is no demo.
func (l *Login) account(tx store.Tx, login string) (account.Account, error) {
	inn := l.opts.Demo
	if login != DemoINN {
		var err error
		if inn, err = person.ParseINN(login); err != nil {
			return account.Account{}, store.ErrNotFound
		}
	}
	if inn.IsZero() {
		return account.Account{}, store.ErrNotFound
	}
	a, err := tx.AccountByINN(inn)
	if err == nil && login == DemoINN && a.Origin != account.ByDemo {
		return account.Account{}, store.ErrNotFound
	}
	return a, err
}

// event is an attempt to sign in by a password, for the history of the person (GU-05); it
// passed if there is no reason.
func (l *Login) event(r *http.Request, why reason.Code) journal.Event {
	e := l.opts.Admission.Event(r, byPassword)
	e.Kind, e.Conclusion, e.Reason = journal.SignIn, report.TotalPassed, why
	if why != "" {
		e.Conclusion = report.TotalFailed
	}
	e.Client = request.From(r.Context()).Client
	return e
}
