// Package journal is the append-only journal of what the gateway did for people and what was
// done to it: sign-ins, signatures and actions of operators (63-ФЗ, ст. 10; приказ ФСТЭК
// России № 21, РСБ). Every record holds the hash of the one before it, so a record that is
// changed, taken out, put in or moved breaks the chain from there on; a head that was noted
// elsewhere shows a tail that was cut off, or a chain that was computed anew.
//
// There is no way to take a record back: no interface of this package deletes or changes
// one. The form of records and of the chain is in docs/JOURNAL.md, so that a stranger can
// verify an export without this program.
//
// Addresses and names of documents are of a type that prints masked. They leave the package
// only through Line and Reveal.
package journal

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Errors of journals.
var (
	// ErrClosed means that the journal is not open.
	ErrClosed = errors.New("journal: not open")
	// ErrBusy means that the queue stayed full for as long as the caller could wait.
	ErrBusy = errors.New("journal: too many events wait to be written")
	// ErrLocked means that another process writes the journal.
	ErrLocked = errors.New("journal: another process has it open for writing")
	// ErrForeign means that somebody else has written to the journal, past the lock.
	ErrForeign = errors.New("journal: somebody else has written to it")
	// ErrEvent means that an event breaks a limit, and is in no journal.
	ErrEvent = errors.New("journal: not an event")
	// ErrFormat means that a file is not a journal of this version.
	ErrFormat = errors.New("journal: not a journal")
)

// Journal keeps records. Implementations are safe for concurrent use.
type Journal interface {
	// Append writes an event and returns its record when it is durable: what was returned
	// survives a crash of the program and of the machine. When ctx ends earlier the event may
	// be written or not. An error other than that of ctx is [ErrClosed], [ErrBusy],
	// [ErrEvent], [ErrForeign], or that of the storage, after which later events may
	// succeed.
	Append(ctx context.Context, e Event) (Record, error)

	// Head returns the last record's place; the zero Head if there is none.
	Head(ctx context.Context) (Head, error)

	// Read returns records in their order, from the number given; 1 is the first. There are
	// at most limit of them, and none past the end.
	Read(ctx context.Context, from uint64, limit int) ([]Record, error)

	// Of returns the records about a subject, the newest first: those whose number is less
	// than before, and at most limit of them. Before 0 begins with the newest of all; the
	// number of the last one returned is where the next page begins. An empty subject has
	// no records.
	Of(ctx context.Context, subject string, before uint64, limit int) ([]Record, error)

	// Close ends the journal; what waits is written first.
	Close() error
}

// maxPage is how many records Read and Of return at most, whatever the limit.
const maxPage = 1000

// Head is the end of a chain. Noted elsewhere, it proves later that nothing up to it was
// changed.
type Head struct {
	// Number is that of the last record, or of how many there are.
	Number uint64
	// Hash is that of the last record.
	Hash [HashSize]byte
}

// String returns "NUMBER:HASH", as [ParseHead] reads it.
func (h Head) String() string { return fmt.Sprintf("%d:%x", h.Number, h.Hash) }

// next returns the record of an event that follows h. The first record of a journal follows
// 32 random bytes instead of a hash, by which it differs from every other journal.
func (h Head) next(e Event, id [HashSize]byte) Record {
	r := Record{Number: h.Number + 1, Previous: h.Hash, Event: e}
	if h.Number == 0 {
		r.Previous = id
	}
	r.At = r.At.UTC().Truncate(time.Microsecond)
	r.Hash = r.Sum()
	return r
}

func (r Record) head() Head { return Head{r.Number, r.Hash} }
