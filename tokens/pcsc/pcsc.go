// Package pcsc finds smart-card readers and what is in them, through the PC/SC service of
// the system: pcscd on Linux and other Unix systems, winscard on Windows. It tells when
// one comes or goes, and asks a token who it is without a PIN and without the library of
// its vendor.
//
// It needs neither cgo nor libpcsclite, for a program that is linked with that does not
// start where it is not installed; here its absence is an answer with a reason. The
// packages there are do not serve: ebfe/scard is cgo on Linux, sf1/go-card (MIT) cannot
// wait for events of pcscd, knows one place of its socket and resets cards that it lets
// go of.
//
// Errors are *reason.Error: reason.ReaderServiceAbsent, reason.ReaderUnsupported,
// reason.ReaderAbsent, reason.CardBusy, reason.CardMute, reason.TokenAbsent,
// reason.TokenRemoved, or reason.TokenFailed with what the service said. Everything is
// safe for concurrent use.
package pcsc

import (
	"bytes"
	"context"
	"slices"
	"time"

	"propusk/pki/reason"
)

// Reader is a reader at one moment.
type Reader struct {
	Name    string
	Present bool   // a card is in it
	Mute    bool   // which does not answer: it is turned over, dirty or broken
	InUse   bool   // another program is connected to the card
	ATR     []byte // of the card; nil while there is none, or it is not known yet

	events uint32 // counts insertions and removals
}

// Kind says what an event is.
type Kind uint8

// The kinds of events.
const (
	ReaderAdded Kind = iota + 1
	ReaderGone
	Inserted
	Removed
	ServiceGone // the PC/SC service does not run, or no longer
	ServiceBack // it runs again
)

// String returns a word for logs and JSON.
func (k Kind) String() string {
	return [...]string{"", "reader-added", "reader-gone", "inserted", "removed", "service-gone", "service-back"}[k]
}

// Event is a change of the readers or of what is in them.
type Event struct {
	Kind   Kind
	Reader string // empty where the service is meant
	ATR    []byte // of a card that was inserted; nil if it is mute
	Err    error  // why the service is gone
}

// service is the PC/SC service of the system.
type service interface {
	// readers returns the readers now, and has wait look for what changes from now on.
	readers() ([]Reader, error)
	// wait waits for a change, or for the context that the service was reached with.
	wait() error
	// connect reaches a card and keeps other programs out.
	connect(reader string) (card, error)
	// close ends what waits too.
	close()
}

// card is a card that nobody else reaches until it is closed.
type card interface {
	Transmit(apdu []byte) ([]byte, error)
	Close() error
}

// List returns the readers, in the order of the service.
func List(ctx context.Context) ([]Reader, error) {
	s, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	defer s.close()
	return s.readers()
}

// Pauses of [Watch].
const (
	// redial is how long a service that is gone is left alone.
	redial = time.Second
	// settle is how long a card that was just inserted has between looks at its ATR, and
	// looks is how many there are before it is taken for mute.
	settle = 50 * time.Millisecond
	looks  = 40
)

// Watch reports what comes and goes until the context ends, and then closes the channel.
// It starts with what is there already, as if it had just come. A service that does not
// run, or ends, is waited for: readers and cards are gone until then.
//
// A card that was exchanged for another between two looks is reported as removed and
// inserted. Events wait for who reads the channel; none is lost.
//
// The error is that of a system where there is nothing to watch.
func Watch(ctx context.Context) (<-chan Event, error) {
	if err := supported(); err != nil {
		return nil, err
	}
	w := &watcher{ctx: ctx, events: make(chan Event), up: true}
	go w.run()
	return w.events, nil
}

// watcher is what runs behind [Watch].
type watcher struct {
	ctx    context.Context
	events chan Event
	up     bool // the service runs, as far as was told
	known  []Reader
	looked int // how often there was a card without an ATR
}

// run watches one connection after another.
func (w *watcher) run() {
	defer close(w.events)
	for w.ctx.Err() == nil {
		pause, err := w.session()
		if w.ctx.Err() != nil {
			return
		}
		if err != nil {
			w.update(nil)
			w.state(false, err)
		}
		select {
		case <-time.After(pause):
		case <-w.ctx.Done():
		}
	}
}

// session watches one connection, until it breaks or another look is needed after a
// pause.
func (w *watcher) session() (time.Duration, error) {
	s, err := dial(w.ctx)
	if err != nil {
		return redial, err
	}
	defer s.close()
	for {
		readers, err := s.readers()
		if err != nil {
			return redial, err
		}
		w.state(true, nil)
		if w.unsettled(readers) {
			return settle, nil
		}
		w.update(readers)
		if err := s.wait(); err != nil {
			return redial, err
		}
	}
}

// unsettled reports whether a card has no ATR yet that may still come.
func (w *watcher) unsettled(readers []Reader) bool {
	if !slices.ContainsFunc(readers, func(r Reader) bool { return r.Present && r.ATR == nil && !r.Mute }) {
		w.looked = 0
		return false
	}
	w.looked++
	return w.looked <= looks
}

// state reports that the service has gone or come back.
func (w *watcher) state(up bool, err error) {
	if up == w.up {
		return
	}
	w.up = up
	if up {
		w.send(Event{Kind: ServiceBack})
	} else {
		w.send(Event{Kind: ServiceGone, Err: err})
	}
}

func (w *watcher) send(e Event) {
	select {
	case w.events <- e:
	case <-w.ctx.Done():
	}
}

// update reports how the readers differ from those that are known.
func (w *watcher) update(now []Reader) {
	for _, was := range w.known {
		i := slices.IndexFunc(now, func(r Reader) bool { return r.Name == was.Name })
		if was.Present && (i < 0 || !same(was, now[i])) {
			w.send(Event{Kind: Removed, Reader: was.Name})
		}
		if i < 0 {
			w.send(Event{Kind: ReaderGone, Reader: was.Name})
		}
	}
	for _, r := range now {
		i := slices.IndexFunc(w.known, func(was Reader) bool { return r.Name == was.Name })
		if i < 0 {
			w.send(Event{Kind: ReaderAdded, Reader: r.Name})
		}
		if r.Present && (i < 0 || !same(w.known[i], r)) {
			w.send(Event{Kind: Inserted, Reader: r.Name, ATR: slices.Clone(r.ATR)})
		}
	}
	w.known = now
}

// same reports whether it is still the same card.
func same(was, now Reader) bool {
	return was.Present && now.Present && was.events == now.events && bytes.Equal(was.ATR, now.ATR)
}

// connect reaches the card in a reader; an empty name is the only reader with a card.
func connect(s service, name string) (Reader, card, error) {
	readers, err := s.readers()
	if err != nil {
		return Reader{}, nil, err
	}
	found := slices.DeleteFunc(readers, func(r Reader) bool { return name == "" && !r.Present || name != "" && r.Name != name })
	switch {
	case len(found) == 0 && name != "":
		return Reader{}, nil, reason.Errorf(reason.ReaderAbsent, "there is no reader %q", name)
	case len(found) == 0 || !found[0].Present:
		return Reader{}, nil, reason.New(reason.TokenAbsent, nil)
	case len(found) > 1:
		return Reader{}, nil, reason.Errorf(reason.TokenAmbiguous, "%d readers have cards", len(found))
	case found[0].Mute:
		return found[0], nil, reason.New(reason.CardMute, nil)
	}
	k, err := s.connect(found[0].Name)
	return found[0], k, err
}
