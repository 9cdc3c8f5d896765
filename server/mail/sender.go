package mail

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/wneessen/go-mail"

	"propusk/pki/person"
	"propusk/server/account"
	"propusk/server/store"
)

// Limits of the sender.
const (
	// batch is how many letters go over one connection.
	batch = 50
	// firstWait and lastWait are how long it is waited after the first and after a later
	// failure, of a letter and of the whole server.
	firstWait, lastWait = 10 * time.Second, 15 * time.Minute
	// cleanEvery is how often old letters are forgotten.
	cleanEvery = time.Hour
)

// What became of a letter: what Options.Observe is told.
const (
	Sent    = "sent"
	Retried = "retried"
	Failed  = "failed"
)

// Options is what a Sender needs.
type Options struct {
	// Store has the letters.
	Store store.Store
	// Server is the mail server.
	Server Server
	// Poll is how often letters are looked for that nobody has announced by Wake.
	Poll time.Duration
	// GiveUp is how long a letter is tried, Keep how long it is known that it was.
	GiveUp, Keep time.Duration
	// Now returns the time; nil means time.Now.
	Now func() time.Time
	// Log receives what happens to letters, without anything about people. Nil means nobody
	// listens.
	Log *slog.Logger
	// Observe is told what became of each try of a letter: Sent, Retried or Failed. Nil means
	// nobody is told.
	Observe func(result string)
}

// Sender delivers the letters of a store. Make it with NewSender and call Run once; the other
// methods are safe for concurrent use.
type Sender struct {
	opts Options
	wake chan struct{}

	mu      sync.Mutex
	state   State
	cleaned time.Time
}

// State is how delivery goes.
type State struct {
	// FailingSince is when the mail server was first found not to take letters, and is not
	// zero as long as it does not (DOMAIN 7.4, row 37).
	FailingSince time.Time
	// Failures counts tries to reach it since then.
	Failures int
	// Waiting is how many letters were due when they were last looked for; at most
	// [store.MaxPage] are counted.
	Waiting int
}

// NewSender returns a Sender. The error is that the settings of the server do not fit.
func NewSender(o Options) (*Sender, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Observe == nil {
		o.Observe = func(string) {}
	}
	if err := o.Server.check(); err != nil {
		return nil, err
	}
	return &Sender{opts: o, wake: make(chan struct{}, 1)}, nil
}

// Wake says that there is a new letter. It does not wait.
func (s *Sender) Wake() {
	select {
	case s.wake <- struct{}{}:
	default: // it is awake
	}
}

// State returns how delivery goes.
func (s *Sender) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Run delivers letters until ctx ends. A letter that is under way then may be sent again by
// the next run.
func (s *Sender) Run(ctx context.Context) {
	for ctx.Err() == nil {
		more, err := s.Deliver(ctx)
		if err != nil && ctx.Err() == nil {
			s.opts.Log.LogAttrs(ctx, slog.LevelError, "letters not delivered; trying again", slog.String("err", err.Error()))
		}
		if more {
			continue
		}
		wait := time.NewTimer(s.pause())
		wake := s.wake
		if err != nil {
			wake = nil // new letters do not make a server well
		}
		select {
		case <-ctx.Done():
		case <-wait.C:
		case <-wake:
		}
		wait.Stop()
	}
}

// pause is how long to wait for the next look.
func (s *Sender) pause() time.Duration {
	if failures := s.State().Failures; failures > 0 {
		return backoff(failures)
	}
	return s.opts.Poll
}

// backoff is how long to wait after so many failures in a row.
func backoff(failures int) time.Duration {
	wait := firstWait
	for range failures - 1 {
		if wait *= 2; wait >= lastWait {
			return lastWait
		}
	}
	return wait
}

// Deliver looks for letters that are due and hands them to the server, at most as many as one
// connection takes, and reports whether there may be more at once. The error is that the server
// does not take letters now, or that of the store; what a server thinks of one letter is none.
func (s *Sender) Deliver(ctx context.Context) (more bool, err error) {
	if err := s.clean(ctx); err != nil {
		return false, err
	}
	due, err := s.due(ctx)
	if err != nil || len(due) == 0 {
		return false, err
	}
	connection, err := s.opts.Server.open(ctx)
	if err != nil {
		s.unreachable()
		return false, err
	}
	defer connection.close()
	for i, letter := range due {
		if i == batch || ctx.Err() != nil {
			return ctx.Err() == nil, nil
		}
		err := connection.send(letter)
		// What happened has happened, whoever wants to end meanwhile.
		if storeErr := s.note(context.WithoutCancel(ctx), letter, err); storeErr != nil {
			return false, storeErr
		}
		if serverFault(err) && i > 0 {
			return true, nil // servers take only so many letters over one connection
		}
		if serverFault(err) {
			s.unreachable()
			return false, err
		}
	}
	s.reachable()
	return false, nil
}

// due returns the letters that are to be sent now. Those that are of no use any more, or were
// tried long enough, are given up.
func (s *Sender) due(ctx context.Context) ([]account.Letter, error) {
	now := s.opts.Now()
	var found []account.Letter
	err := s.opts.Store.View(ctx, func(tx store.Tx) (err error) {
		found, err = tx.DueLetters(now, store.MaxPage)
		return err
	})
	if err != nil {
		return nil, err
	}
	var due []account.Letter
	for _, l := range found {
		late := !l.Expires.IsZero() && !now.Before(l.Expires)
		if !late && now.Sub(l.Created) < s.opts.GiveUp {
			due = append(due, l)
			continue
		}
		if l.Trouble == "" {
			l.Trouble = "not sent in time"
		}
		if err := s.end(ctx, l, Failed); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	s.state.Waiting = len(due)
	s.mu.Unlock()
	return due, nil
}

// note writes down what became of a try.
func (s *Sender) note(ctx context.Context, l account.Letter, err error) error {
	switch {
	case err == nil:
		s.reachable()
		l.Trouble = ""
		return s.end(ctx, l, Sent)
	case serverFault(err) && !lost(err): // the letter can wait
		return nil
	case !permanent(err):
		s.opts.Observe(Retried)
		l.Tries++
		l.Trouble, l.NotBefore = trouble(err), s.opts.Now().Add(backoff(l.Tries))
		return s.put(ctx, l)
	}
	l.Tries++
	l.Trouble = trouble(err)
	return s.end(ctx, l, Failed)
}

// end writes that a letter was sent or given up, and forgets what it said: it may open
// something.
func (s *Sender) end(ctx context.Context, l account.Letter, result string) error {
	if result == Sent {
		l.Sent = s.opts.Now()
	} else {
		l.Failed = s.opts.Now()
	}
	l.Text, l.HTML = person.Private{}, person.Private{}
	if err := s.put(ctx, l); err != nil {
		return err
	}
	s.opts.Observe(result)
	level := slog.LevelInfo
	if result != Sent {
		level = slog.LevelWarn
	}
	s.opts.Log.LogAttrs(ctx, level, "letter "+result, slog.String("letter", l.ID), slog.String("kind", l.Kind),
		slog.Int("tries", l.Tries), slog.String("trouble", l.Trouble))
	return nil
}

func (s *Sender) put(ctx context.Context, l account.Letter) error {
	return s.opts.Store.Update(ctx, func(tx store.Tx) error { return tx.PutLetter(l) })
}

// clean forgets letters that are over since long.
func (s *Sender) clean(ctx context.Context) error {
	now := s.opts.Now()
	s.mu.Lock()
	waiting := now.Sub(s.cleaned) < cleanEvery
	s.mu.Unlock()
	if waiting {
		return nil
	}
	old, err := s.over(ctx, now.Add(-s.opts.Keep))
	if err != nil {
		return err
	}
	for ids := range slices.Chunk(old, batch) {
		err := s.opts.Store.Update(ctx, func(tx store.Tx) error {
			for _, id := range ids {
				if err := tx.DeleteLetter(id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.cleaned = now
	s.mu.Unlock()
	return nil
}

// over returns the IDs of letters that were written before a time and do not wait.
func (s *Sender) over(ctx context.Context, before time.Time) ([]string, error) {
	var ids []string
	err := s.opts.Store.View(ctx, func(tx store.Tx) error {
		for last, full := "", true; full; {
			page, err := tx.Letters(last, store.MaxPage)
			if err != nil {
				return err
			}
			for _, l := range page {
				last = l.ID
				if l.Created.Before(before) && !l.Waiting() {
					ids = append(ids, l.ID)
				}
			}
			full = len(page) == store.MaxPage
		}
		return nil
	})
	return ids, err
}

func (s *Sender) unreachable() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Failures++; s.state.FailingSince.IsZero() {
		s.state.FailingSince = s.opts.Now()
	}
}

func (s *Sender) reachable() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.FailingSince, s.state.Failures = time.Time{}, 0
}

// serverFault reports whether an error of send says nothing about the letter: the connection
// broke, or the server does not want the gateway as a sender.
func serverFault(err error) bool {
	if err == nil {
		return false
	}
	var sent *mail.SendError
	if !errors.As(err, &sent) {
		return !errors.Is(err, errUnsendable)
	}
	switch sent.Reason {
	case mail.ErrConnCheck, mail.ErrSMTPMailFrom:
		return true
	default:
		// No answer at all, or 421, "closing transmission channel".
		return sent.ErrorCode() == 0 || sent.ErrorCode() == 421
	}
}

// lost reports whether the connection broke over a letter. It may be the letter that breaks
// it, so it goes to the end of the queue instead of standing before all others for ever.
func lost(err error) bool {
	var sent *mail.SendError
	return errors.As(err, &sent) && sent.ErrorCode() == 0 && sent.Reason != mail.ErrConnCheck && sent.Reason != mail.ErrSMTPMailFrom
}

// permanent reports whether a letter will not be taken the next time either. A refusal for
// reasons of policy (RFC 3463, X.7.X) is more often a mistake in the settings of the server,
// so it is tried again.
func permanent(err error) bool {
	var sent *mail.SendError
	if !errors.As(err, &sent) {
		return errors.Is(err, errUnsendable)
	}
	status := sent.EnhancedStatusCode()
	return sent.ErrorCode() >= 500 && (len(status) < 4 || status[:4] != "5.7.")
}

// trouble tells an error without the address that a server may have put into its words.
func trouble(err error) string {
	var sent *mail.SendError
	if !errors.As(err, &sent) {
		return "not a letter that can be sent"
	}
	if sent.ErrorCode() == 0 {
		return "the connection broke"
	}
	text := "SMTP " + strconv.Itoa(sent.ErrorCode())
	if status := sent.EnhancedStatusCode(); status != "" {
		text += " " + status
	}
	return text
}
