// Package store keeps accounts and everything that hangs on them (package account), behind one
// interface: SQLite, the embedded default, and memory, for tests.
//
// All work is done in transactions. What a transaction of [Store.Update] has done is there
// for ever when Update returns nil, and none of it is when it returns anything else; letters,
// tasks and events for the journal are part of it, and are delivered afterwards. Package
// storetest holds every implementation to that.
package store

import (
	"context"
	"errors"
	"time"

	"propusk/pki/person"
	"propusk/server/account"
	"propusk/server/journal"
)

// Errors of transactions. They hold nothing about people.
var (
	// ErrNotFound means that there is no such thing, or that it has expired or was used up.
	ErrNotFound = errors.New("store: not found")
	// ErrConflict means that somebody else has changed the account since it was read.
	ErrConflict = errors.New("store: changed by somebody else meanwhile")
	// ErrTaken means that another one has what must be unique: the ИНН of an account, the
	// name of a thing that is written only once.
	ErrTaken = errors.New("store: taken")
	// ErrReadOnly means that a View tried to write.
	ErrReadOnly = errors.New("store: a view does not write")
	// ErrInvalid means that a value lacks what it must have, or breaks a limit.
	ErrInvalid = errors.New("store: invalid value")
	// ErrClosed means that the store was closed.
	ErrClosed = errors.New("store: closed")
)

// MaxPage is how many values a list returns at most, whatever its limit.
const MaxPage = 1000

// Store keeps accounts. Implementations are safe for concurrent use, and SQLite is for
// several processes at once.
type Store interface {
	// View runs f with a consistent state of the store. Writing fails with ErrReadOnly. The
	// error is that of f, of ctx, ErrClosed, or of the storage.
	View(ctx context.Context, f func(Tx) error) error

	// Update runs f with the store to itself, and makes durable what f did if it returns nil;
	// otherwise nothing was done: the error is that of f, of ctx before f began, ErrClosed, or
	// of the storage. f runs at most once, and must do nothing but use its Tx: it is not the
	// place for requests or for hashing passwords, because everybody else waits. It must not
	// call the Store.
	Update(ctx context.Context, f func(Tx) error) error

	// Close ends the store; transactions under way end first.
	Close() error
}

// Tx is a transaction. It must not be used after its function has returned, nor by several
// goroutines. Values that go in and out are copies. Lists are in the order that is told, at
// most limit and MaxPage long, and empty without an error. Unless told otherwise, what Put
// puts replaces what has the same name, Delete of what is not there is no error, and getting
// it is ErrNotFound.
type Tx interface {
	accounts
	credentials
	visits
	secrets
	outbox
	support
}

type accounts interface {
	// Account returns the account with the ID.
	Account(id account.ID) (account.Account, error)
	// AccountByINN returns the account of the person with the ИНН.
	AccountByINN(inn person.INN) (account.Account, error)
	// PutAccount writes an account and counts up its Version, in *a too. With Version 0 it is
	// new; otherwise what is there must have the same Version, or the error is ErrConflict.
	// ErrTaken means that another account has the ИНН.
	PutAccount(a *account.Account) error
	// DeleteAccount forgets an account with all that belongs to it, except evidence, letters
	// and tickets. The journal keeps what it has.
	DeleteAccount(id account.ID) error
	// Accounts returns accounts in the order of their IDs, those behind after. State "" is
	// all.
	Accounts(state account.State, after account.ID, limit int) ([]account.Account, error)
	// OverdueAccounts returns accounts whose ActivateBy is not zero and not after now, the
	// longest overdue first.
	OverdueAccounts(now time.Time, limit int) ([]account.Account, error)
}

type credentials interface {
	// Password returns the password of an account.
	Password(id account.ID) (account.Password, error)
	PutPassword(p account.Password) error
	DeletePassword(id account.ID) error
	// OverduePasswords returns initial passwords that are not Spent and whose Expires is not
	// after now, the longest overdue first: their accounts are to be blocked (PW-02).
	OverduePasswords(now time.Time, limit int) ([]account.Password, error)

	// Factors returns the factors of an account, the oldest first.
	Factors(id account.ID) ([]account.Factor, error)
	// PutFactor writes a factor, by Account and ID.
	PutFactor(f account.Factor) error
	DeleteFactor(id account.ID, factor string) error

	// Key returns a certificate by its SHA-256.
	Key(sha256 [32]byte) (account.Key, error)
	// Keys returns the certificates of an account, the last bound first.
	Keys(id account.ID) ([]account.Key, error)
	// PutKey writes a certificate. ErrTaken means that it is another account's.
	PutKey(k account.Key) error

	// Card returns a registration card by its number.
	Card(number string) (account.Card, error)
	// Cards returns the cards of an account, or with "" of all, the last issued first.
	Cards(id account.ID, limit int) ([]account.Card, error)
	// PutCard writes a card. ErrTaken means that the number is another account's.
	PutCard(c account.Card) error

	// Evidence returns evidence by its ID.
	Evidence(id string) (account.Evidence, error)
	// EvidenceOf returns the evidence of an account, the oldest first.
	EvidenceOf(id account.ID) ([]account.Evidence, error)
	// AddEvidence writes evidence, which is never changed. ErrTaken means that the ID is taken.
	AddEvidence(e account.Evidence) error
	// DeleteEvidence forgets the evidence of an account, which need not be there any more: when
	// nothing obliges anybody to keep it.
	DeleteEvidence(id account.ID) error
}

type visits interface {
	// Visit returns a visit by its key, whether it has ended or not.
	Visit(key [32]byte) (account.Visit, error)
	// Visits returns the visits of an account, the last seen first.
	Visits(id account.ID) ([]account.Visit, error)
	PutVisit(v account.Visit) error
	DeleteVisit(key [32]byte) error
	// EndedVisits returns visits whose Until is not after now, the first to end first.
	EndedVisits(now time.Time, limit int) ([]account.Visit, error)
}

type secrets interface {
	// Secret returns a secret that is good at now, and leaves it there.
	Secret(purpose string, digest [32]byte, now time.Time) (account.Secret, error)
	// TakeSecret returns a secret that is good at now, and forgets it: nobody else gets it.
	TakeSecret(purpose string, digest [32]byte, now time.Time) (account.Secret, error)
	// Secrets returns the secrets of an account for a purpose, the last created first, those
	// that have expired included.
	Secrets(id account.ID, purpose string) ([]account.Secret, error)
	PutSecret(s account.Secret) error
	// DeleteSecrets forgets all secrets of an account for a purpose, as when a new link makes
	// the old ones void.
	DeleteSecrets(id account.ID, purpose string) error

	// Counter returns a counter. One that is not there is zero but for its Key.
	Counter(key string) (account.Counter, error)
	PutCounter(c account.Counter) error
	DeleteCounter(key string) error

	// CheckRun returns a result of the check page that has not expired at now.
	CheckRun(code string, now time.Time) (account.CheckRun, error)
	// AddCheckRun writes a result. ErrTaken means that the code is taken.
	AddCheckRun(r account.CheckRun) error

	// Sweep forgets secrets, counters and results of the check page that have expired at now,
	// at most limit of each, and returns how many those were.
	Sweep(now time.Time, limit int) (int, error)
}

type outbox interface {
	// Letter returns a letter by its ID.
	Letter(id string) (account.Letter, error)
	PutLetter(l account.Letter) error
	DeleteLetter(id string) error
	// DueLetters returns letters that wait and whose NotBefore is not after now, the first due
	// first.
	DueLetters(now time.Time, limit int) ([]account.Letter, error)
	// Letters returns letters, the newest first: those behind the letter whose ID is before,
	// or with "" from the newest on.
	Letters(before string, limit int) ([]account.Letter, error)

	PutTask(t account.Task) error
	DeleteTask(id string) error
	// DueTasks returns tasks of a kind whose Due is not after now, the first due first.
	DueTasks(kind string, now time.Time, limit int) ([]account.Task, error)

	// Note adds an event for the journal about a person; e.At must be set. ErrInvalid means
	// that the journal would not take it.
	Note(e journal.Event, who person.Identity) error
	// Notes returns events that are not in the journal yet, the oldest first.
	Notes(limit int) ([]account.Note, error)
	// MarkNote sets From of a note.
	MarkNote(id int64, from uint64) error
	DeleteNote(id int64) error
}

type support interface {
	// Next counts up the sequence with the name and returns its next number; 1 is the first.
	Next(sequence string) (int64, error)
	// Ticket returns a ticket by its number.
	Ticket(number string) (account.Ticket, error)
	PutTicket(t account.Ticket) error
	// DeleteTicket forgets a ticket and its files.
	DeleteTicket(number string) error
	// Tickets returns tickets in a state, "" being all, the last changed first: those behind
	// the ticket whose number is before, or with "" from the last changed on.
	Tickets(state, before string, limit int) ([]account.Ticket, error)
	// Attachments returns the files of a ticket, in their order.
	Attachments(ticket string) ([]account.Attachment, error)
	PutAttachment(a account.Attachment) error
}
