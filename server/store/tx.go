package store

import (
	"errors"
	"fmt"
	"time"

	"propusk/pki/person"
	"propusk/server/account"
	"propusk/server/journal"
)

// tx is a transaction over the rows of an implementation.
type tx struct {
	*tables
	rows     rows
	readOnly bool
}

var _ Tx = (*tx)(nil)

func (t *tx) Account(id account.ID) (account.Account, error) { return one(t, &t.account, string(id)) }

func (t *tx) AccountByINN(inn person.INN) (account.Account, error) {
	return first(t, &t.account, query{where: is("inn", inn.Reveal())})
}

func (t *tx) PutAccount(a *account.Account) error {
	if a.ID == "" || a.Identity.INN.IsZero() || !a.State.Known() {
		return fmt.Errorf("%w: an account needs an ID, an ИНН and a state", ErrInvalid)
	}
	now, err := t.Account(a.ID)
	switch {
	case err == nil && now.Version != a.Version, errors.Is(err, ErrNotFound) && a.Version != 0:
		return ErrConflict
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	}
	other, err := t.AccountByINN(a.Identity.INN)
	switch {
	case err == nil && other.ID != a.ID:
		return ErrTaken
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	}
	next := *a
	next.Version++
	if err := put(t, &t.account, next); err != nil {
		return err
	}
	a.Version = next.Version
	return nil
}

func (t *tx) DeleteAccount(id account.ID) error {
	for _, forget := range []func() error{
		func() error { return drop(t, &t.account, string(id)) },
		func() error { return dropAll(t, &t.password, of(id)) },
		func() error { return dropAll(t, &t.factor, of(id)) },
		func() error { return dropAll(t, &t.key, of(id)) },
		func() error { return dropAll(t, &t.card, of(id)) },
		func() error { return dropAll(t, &t.visit, of(id)) },
		func() error { return dropAll(t, &t.secret, of(id)) },
	} {
		if err := forget(); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) Accounts(state account.State, after account.ID, limit int) ([]account.Account, error) {
	q := query{order: nameColumn, limit: limit}.and(nameColumn, above, string(after))
	if state != "" {
		q = q.and("state", equal, string(state))
	}
	return find(t, &t.account, q)
}

func (t *tx) OverdueAccounts(now time.Time, limit int) ([]account.Account, error) {
	return find(t, &t.account, due("activate_by", now, limit))
}

// of means what is of an account; of what is nobody's, nothing.
func of(id account.ID) query { return query{where: is(ofColumn, string(id)), limit: MaxPage} }

// in orders what a query means.
func (q query) in(column string, down bool) query {
	q.order, q.down = column, down
	return q
}

// due means rows whose time, if they have one, is not after now, the first one first.
func due(column string, now time.Time, limit int) query {
	return query{order: column, limit: limit}.and(column, above, int64(0)).and(column, atMost, micros(now))
}

func (t *tx) Password(id account.ID) (account.Password, error) {
	return one(t, &t.password, string(id))
}
func (t *tx) PutPassword(p account.Password) error { return put(t, &t.password, p) }
func (t *tx) DeletePassword(id account.ID) error   { return drop(t, &t.password, string(id)) }
func (t *tx) OverduePasswords(now time.Time, limit int) ([]account.Password, error) {
	return find(t, &t.password, due("overdue", now, limit))
}

func (t *tx) Factors(id account.ID) ([]account.Factor, error) {
	return find(t, &t.factor, of(id).in("added", false))
}
func (t *tx) PutFactor(f account.Factor) error { return put(t, &t.factor, f) }
func (t *tx) DeleteFactor(id account.ID, factor string) error {
	return drop(t, &t.factor, join(string(id), factor))
}

func (t *tx) Key(sha256 [32]byte) (account.Key, error) { return one(t, &t.key, hexName(sha256)) }
func (t *tx) Keys(id account.ID) ([]account.Key, error) {
	return find(t, &t.key, of(id).in("bound", true))
}

func (t *tx) PutKey(k account.Key) error {
	there, err := t.Key(k.SHA256)
	if err := free(there.Account, k.Account, err); err != nil {
		return err
	}
	return put(t, &t.key, k)
}

func (t *tx) Card(number string) (account.Card, error) { return one(t, &t.card, number) }
func (t *tx) Cards(id account.ID, limit int) ([]account.Card, error) {
	q := query{}
	if id != "" {
		q = of(id)
	}
	q.limit = limit
	return find(t, &t.card, q.in("issued", true))
}

func (t *tx) PutCard(c account.Card) error {
	there, err := t.Card(c.Number)
	if err := free(there.Account, c.Account, err); err != nil {
		return err
	}
	return put(t, &t.card, c)
}

// free reports whether an account may have what was found as of another one, or not found.
func free(there, wanted account.ID, err error) error {
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err == nil && there != wanted:
		return ErrTaken
	}
	return err
}

func (t *tx) Evidence(id string) (account.Evidence, error) { return one(t, &t.evidence, id) }
func (t *tx) EvidenceOf(id account.ID) ([]account.Evidence, error) {
	return find(t, &t.evidence, of(id).in("at", false))
}
func (t *tx) AddEvidence(e account.Evidence) error { return add(t, &t.evidence, e) }
func (t *tx) DeleteEvidence(id account.ID) error   { return dropAll(t, &t.evidence, of(id)) }

func (t *tx) Visit(key [32]byte) (account.Visit, error) { return one(t, &t.visit, hexName(key)) }
func (t *tx) Visits(id account.ID) ([]account.Visit, error) {
	return find(t, &t.visit, of(id).in("seen", true))
}
func (t *tx) PutVisit(v account.Visit) error { return put(t, &t.visit, v) }
func (t *tx) DeleteVisit(key [32]byte) error { return drop(t, &t.visit, hexName(key)) }
func (t *tx) EndedVisits(now time.Time, limit int) ([]account.Visit, error) {
	return find(t, &t.visit, due("until", now, limit))
}

func (t *tx) Secret(purpose string, digest [32]byte, now time.Time) (account.Secret, error) {
	s, err := one(t, &t.secret, secretName(purpose, digest))
	if err == nil && !now.Before(s.Expires) {
		return account.Secret{}, ErrNotFound
	}
	return s, err
}

func (t *tx) TakeSecret(purpose string, digest [32]byte, now time.Time) (account.Secret, error) {
	s, err := t.Secret(purpose, digest, now)
	if err != nil {
		return account.Secret{}, err
	}
	if err := drop(t, &t.secret, secretName(purpose, digest)); err != nil {
		return account.Secret{}, err
	}
	return s, nil
}

func (t *tx) Secrets(id account.ID, purpose string) ([]account.Secret, error) {
	return find(t, &t.secret, of(id).and("purpose", equal, purpose).in("created", true))
}
func (t *tx) PutSecret(s account.Secret) error { return put(t, &t.secret, s) }
func (t *tx) DeleteSecrets(id account.ID, purpose string) error {
	return dropAll(t, &t.secret, of(id).and("purpose", equal, purpose))
}

func (t *tx) Counter(key string) (account.Counter, error) {
	n, err := one(t, &t.counter, key)
	if errors.Is(err, ErrNotFound) {
		return account.Counter{Key: key}, nil
	}
	return n, err
}
func (t *tx) PutCounter(n account.Counter) error { return put(t, &t.counter, n) }
func (t *tx) DeleteCounter(key string) error     { return drop(t, &t.counter, key) }

func (t *tx) CheckRun(code string, now time.Time) (account.CheckRun, error) {
	r, err := one(t, &t.checkRun, code)
	if err == nil && !now.Before(r.Expires) {
		return account.CheckRun{}, ErrNotFound
	}
	return r, err
}
func (t *tx) AddCheckRun(r account.CheckRun) error { return add(t, &t.checkRun, r) }

func (t *tx) Sweep(now time.Time, limit int) (int, error) {
	expired := query{order: expiresColumn, limit: limit}.and(expiresColumn, atMost, micros(now))
	total := 0
	for _, sweep := range []func() (int, error){
		func() (int, error) { return dropSome(t, &t.secret, expired) },
		func() (int, error) { return dropSome(t, &t.counter, expired) },
		func() (int, error) { return dropSome(t, &t.checkRun, expired) },
	} {
		n, err := sweep()
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

func (t *tx) Letter(id string) (account.Letter, error) { return one(t, &t.letter, id) }
func (t *tx) PutLetter(l account.Letter) error         { return put(t, &t.letter, l) }
func (t *tx) DeleteLetter(id string) error             { return drop(t, &t.letter, id) }
func (t *tx) DueLetters(now time.Time, limit int) ([]account.Letter, error) {
	return find(t, &t.letter, query{where: is("waiting", int64(1)), order: "not_before", limit: limit}.and("not_before", atMost, micros(now)))
}

func (t *tx) Letters(before string, limit int) ([]account.Letter, error) {
	q := query{order: placeColumn, down: true, limit: limit}
	if before != "" {
		l, err := t.Letter(before)
		if err != nil {
			return nil, err
		}
		q = q.and(placeColumn, below, place(micros(l.Created), l.ID))
	}
	return find(t, &t.letter, q)
}

func (t *tx) PutTask(k account.Task) error { return put(t, &t.task, k) }
func (t *tx) DeleteTask(id string) error   { return drop(t, &t.task, id) }
func (t *tx) DueTasks(kind string, now time.Time, limit int) ([]account.Task, error) {
	return find(t, &t.task, query{where: is("kind", kind), order: "due", limit: limit}.and("due", atMost, micros(now)))
}

func (t *tx) Note(e journal.Event, who person.Identity) error {
	if err := e.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	id, err := t.Next("note")
	if err != nil {
		return err
	}
	return put(t, &t.note, account.Note{ID: id, Event: e, Who: who})
}

func (t *tx) Notes(limit int) ([]account.Note, error) {
	return find(t, &t.note, query{order: nameColumn, limit: limit})
}

func (t *tx) MarkNote(id int64, from uint64) error {
	n, err := one(t, &t.note, noteName(id))
	if err != nil {
		return err
	}
	n.From = from
	return put(t, &t.note, n)
}
func (t *tx) DeleteNote(id int64) error { return drop(t, &t.note, noteName(id)) }

func (t *tx) Next(name string) (int64, error) {
	s, err := one(t, &t.sequence, name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return 0, err
	}
	s.name, s.last = name, s.last+1
	if err := put(t, &t.sequence, s); err != nil {
		return 0, err
	}
	return s.last, nil
}

func (t *tx) Ticket(number string) (account.Ticket, error) { return one(t, &t.ticket, number) }
func (t *tx) PutTicket(k account.Ticket) error             { return put(t, &t.ticket, k) }
func (t *tx) DeleteTicket(number string) error {
	if err := dropAll(t, &t.attachment, query{where: is("ticket", number)}); err != nil {
		return err
	}
	return drop(t, &t.ticket, number)
}

func (t *tx) Tickets(state, before string, limit int) ([]account.Ticket, error) {
	q := query{order: placeColumn, down: true, limit: limit}
	if state != "" {
		q = q.and("state", equal, state)
	}
	if before != "" {
		k, err := t.Ticket(before)
		if err != nil {
			return nil, err
		}
		q = q.and(placeColumn, below, place(micros(k.Changed), k.Number))
	}
	return find(t, &t.ticket, q)
}

func (t *tx) Attachments(ticket string) ([]account.Attachment, error) {
	return find(t, &t.attachment, query{where: is("ticket", ticket), order: nameColumn, limit: MaxPage})
}
func (t *tx) PutAttachment(a account.Attachment) error { return put(t, &t.attachment, a) }
