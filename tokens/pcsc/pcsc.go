// Package pcsc finds smart-card readers and what is in them, through the PC/SC service of
// the system: pcscd on Linux, winscard on Windows.
//
// It needs neither cgo nor libpcsclite: a program that is linked with it starts where
// neither is installed, and says what is missing.
package pcsc

import (
	"context"
	"errors"
)

// Reader is a reader at one moment.
type Reader struct {
	Name    string
	Present bool   // a card is in it
	Mute    bool   // which does not answer: it is turned over, dirty or broken
	ATR     []byte // of the card; nil while there is none
}

// Kind says what an event is.
type Kind uint8

// The kinds of events.
const (
	ReaderAdded Kind = iota + 1
	ReaderGone
	Inserted
	Removed
)

// String returns a word for logs.
func (k Kind) String() string {
	return [...]string{"", "reader-added", "reader-gone", "inserted", "removed"}[k]
}

// Event is a change of the readers or of what is in them.
type Event struct {
	Kind   Kind
	Reader string
	ATR    []byte // of a card that was inserted
}

// List returns the readers.
func List(ctx context.Context) ([]Reader, error) { return nil, errors.ErrUnsupported }

// Watch returns what changes, until the context ends.
func Watch(ctx context.Context) (<-chan Event, error) { return nil, errors.ErrUnsupported }
