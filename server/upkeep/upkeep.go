// Package upkeep does what accounts need while nobody asks: events that transactions have
// noted go to the journal, and what has run out of time ends.
package upkeep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/admission"
	"propusk/server/journal"
	"propusk/server/mail"
	"propusk/server/store"
	"propusk/server/visit"
)

// How much is done at once, and how often.
const (
	batch      = 256
	noteEvery  = 2 * time.Second // other processes note, too
	sweepEvery = 30 * time.Second
	// waitingTimeout is how long a scrape of metrics waits for its turn in the store.
	waitingTimeout = 5 * time.Second
)

// Journal takes events: a [journal.Recorder].
type Journal interface {
	// Head returns the last record's place.
	Head(ctx context.Context) (journal.Head, error)
	// Late writes events that were noted when they happened, all or some.
	Late(ctx context.Context, notes []journal.Noted) error
}

// Options is what a Keeper needs.
type Options struct {
	Store   store.Store
	Journal Journal
	// Mail writes letters.
	Mail mail.Composer
	// Ended is told of visits that have ended.
	Ended func([]account.Visit)
	// Now returns the time.
	Now func() time.Time
	// Log receives failures.
	Log *slog.Logger
}

// Keeper keeps accounts in order. It is safe for concurrent use; make it with New.
type Keeper struct {
	opts     Options
	wake     chan struct{}
	draining sync.Mutex // events stay in their order
	failing  bool       // the last drain was in vain, which was logged
}

// New returns a Keeper.
func New(o Options) *Keeper { return &Keeper{opts: o, wake: make(chan struct{}, 1)} }

// Wake says that an event was noted. It does not wait.
func (k *Keeper) Wake() {
	select {
	case k.wake <- struct{}{}:
	default: // it is awake
	}
}

// Run drains and sweeps until ctx ends, and drains once more. What is left then stays in the
// store, for the next time.
func (k *Keeper) Run(ctx context.Context) {
	note, sweep := time.NewTicker(noteEvery), time.NewTicker(sweepEvery)
	defer note.Stop()
	defer sweep.Stop()
	k.sweep(ctx)
	for {
		k.drain(ctx)
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), sweepEvery)
			defer cancel()
			k.drain(last)
			return
		case <-k.wake:
		case <-note.C:
		case <-sweep.C:
			k.sweep(ctx)
		}
	}
}

// drain empties the outbox of the journal, and logs when that begins to fail and when it ends.
func (k *Keeper) drain(ctx context.Context) {
	err := k.Drain(ctx)
	if ctx.Err() != nil {
		return
	}
	switch {
	case err != nil && !k.failing:
		k.opts.Log.LogAttrs(ctx, slog.LevelError, "events of accounts wait for the journal", slog.String("err", err.Error()))
	case err == nil && k.failing:
		k.opts.Log.LogAttrs(ctx, slog.LevelInfo, "events of accounts are in the journal again")
	}
	k.failing = err != nil
}

func (k *Keeper) sweep(ctx context.Context) {
	if err := k.Sweep(ctx); err != nil && ctx.Err() == nil {
		k.opts.Log.LogAttrs(ctx, slog.LevelError, "what has run out of time cannot be ended", slog.String("err", err.Error()))
	}
}

// Drain writes to the journal what was noted before the call, every event once, even if the
// program was killed in the middle of the last time. Whoever shows people their journal calls
// it first. The error is that of the store or of the journal; what was not written stays.
func (k *Keeper) Drain(ctx context.Context) error {
	k.draining.Lock()
	defer k.draining.Unlock()
	for {
		n, err := k.drainSome(ctx)
		if n < batch || err != nil {
			return err
		}
	}
}

// Waiting returns how many events are not in the journal yet; at most [store.MaxPage] are
// counted. It is -1 if the store cannot be read.
func (k *Keeper) Waiting() int {
	ctx, cancel := context.WithTimeout(context.Background(), waitingTimeout)
	defer cancel()
	n := -1
	if err := k.opts.Store.View(ctx, func(tx store.Tx) error {
		notes, err := tx.Notes(store.MaxPage)
		if err == nil {
			n = len(notes)
		}
		return err
	}); err != nil {
		return -1
	}
	return n
}

// drainSome marks events with the place from which on they may be in the journal, writes them
// there, and forgets them.
func (k *Keeper) drainSome(ctx context.Context) (int, error) {
	var notes []account.Note
	err := k.opts.Store.View(ctx, func(tx store.Tx) (err error) {
		notes, err = tx.Notes(batch)
		return err
	})
	if err != nil || len(notes) == 0 {
		return 0, err
	}
	late := make([]journal.Noted, len(notes))
	fresh := false
	for i, n := range notes {
		late[i] = journal.Noted{Event: n.Event, Who: n.Who, From: n.From}
		fresh = fresh || n.From == 0
	}
	if fresh {
		if err := k.mark(ctx, notes); err != nil {
			return 0, err
		}
	}
	if err := k.opts.Journal.Late(ctx, late); err != nil {
		return 0, fmt.Errorf("upkeep: journal: %w", err)
	}
	// They are in the journal: they are forgotten even if the caller leaves just now.
	return len(notes), k.opts.Store.Update(context.WithoutCancel(ctx), func(tx store.Tx) error {
		for _, n := range notes {
			if err := tx.DeleteNote(n.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// mark notes where the journal ended before fresh events were first tried.
func (k *Keeper) mark(ctx context.Context, notes []account.Note) error {
	head, err := k.opts.Journal.Head(ctx)
	if err != nil {
		return fmt.Errorf("upkeep: journal: %w", err)
	}
	return k.opts.Store.Update(ctx, func(tx store.Tx) error {
		for _, n := range notes {
			if n.From != 0 {
				continue
			}
			if err := tx.MarkNote(n.ID, head.Number+1); err != nil {
				return err
			}
		}
		return nil
	})
}

// Sweep ends what has run out of time: registrations whose letter nobody has answered are
// forgotten (IP-19), accounts whose first password was not changed in time are blocked
// (PW-02), visits end, and used up secrets and counters are forgotten. The error joins those
// of the store.
func (k *Keeper) Sweep(ctx context.Context) error {
	var errs []error
	for _, some := range []func(context.Context) (int, error){k.forget, k.block, k.end, k.clear} {
		for {
			n, err := some(ctx)
			errs = append(errs, err)
			if n == 0 || err != nil {
				break
			}
		}
	}
	return errors.Join(errs...)
}

// forget forgets accounts that were not activated.
func (k *Keeper) forget(ctx context.Context) (n int, err error) {
	var ended []account.Visit
	err = k.opts.Store.Update(ctx, func(tx store.Tx) error {
		n, ended = 0, nil
		overdue, err := tx.OverdueAccounts(k.opts.Now(), batch)
		if err != nil {
			return err
		}
		n = len(overdue)
		for _, a := range overdue {
			if a.State != account.Awaiting { // it has found another end
				a.ActivateBy = time.Time{}
				if err := tx.PutAccount(&a); err != nil {
					return err
				}
				continue
			}
			visits, err := visit.EndAllIn(tx, a.ID, "", k.opts.Now())
			if err != nil {
				return err
			}
			ended = append(ended, visits...)
			if err := errors.Join(tx.DeleteAccount(a.ID), tx.Note(k.event("registration-expired", reason.AccountAwaiting), a.Identity)); err != nil {
				return err
			}
		}
		return nil
	})
	return k.told(n, ended, err)
}

// block blocks accounts whose first password was not changed in time.
func (k *Keeper) block(ctx context.Context) (n int, err error) {
	var ended []account.Visit
	err = k.opts.Store.Update(ctx, func(tx store.Tx) error {
		n, ended = 0, nil
		overdue, err := tx.OverduePasswords(k.opts.Now(), batch)
		if err != nil {
			return err
		}
		n = len(overdue)
		for _, p := range overdue {
			visits, err := k.blockOne(tx, p)
			if err != nil {
				return err
			}
			ended = append(ended, visits...)
		}
		return nil
	})
	return k.told(n, ended, err)
}

func (k *Keeper) blockOne(tx store.Tx, p account.Password) ([]account.Visit, error) {
	p.Spent = true
	if err := tx.PutPassword(p); err != nil {
		return nil, err
	}
	a, err := tx.Account(p.Account)
	if errors.Is(err, store.ErrNotFound) || err == nil && a.State != account.Active {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a.State, a.Why = account.Blocked, reason.AccountCardExpired
	if err := errors.Join(tx.PutAccount(&a), tx.Note(k.event("account-blocked", a.Why), a.Identity)); err != nil {
		return nil, err
	}
	if !a.EmailConfirmed.IsZero() {
		if err := tx.PutLetter(k.opts.Mail.Blocked(admission.To(a), k.opts.Now(), mail.Blocked{At: k.opts.Now(), Card: true})); err != nil {
			return nil, err
		}
	}
	return visit.EndAllIn(tx, a.ID, "", k.opts.Now())
}

// end ends visits.
func (k *Keeper) end(ctx context.Context) (n int, err error) {
	var ended []account.Visit
	err = k.opts.Store.Update(ctx, func(tx store.Tx) (err error) {
		ended, err = tx.EndedVisits(k.opts.Now(), batch)
		for _, v := range ended {
			if err == nil {
				err = visit.EndIn(tx, v, k.opts.Now())
			}
		}
		return err
	})
	return k.told(len(ended), ended, err)
}

// clear forgets secrets, counters and results of checks.
func (k *Keeper) clear(ctx context.Context) (n int, err error) {
	err = k.opts.Store.Update(ctx, func(tx store.Tx) (err error) {
		n, err = tx.Sweep(k.opts.Now(), batch)
		return err
	})
	return n, err
}

// told reports visits that have ended, unless nothing was done.
func (k *Keeper) told(n int, ended []account.Visit, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	if len(ended) > 0 {
		k.opts.Ended(ended)
	}
	return n, nil
}

// event is an event of an account that nobody has asked for.
func (k *Keeper) event(action string, why reason.Code) journal.Event {
	return journal.Event{At: k.opts.Now(), Kind: journal.Account, Action: action, Reason: why}
}
