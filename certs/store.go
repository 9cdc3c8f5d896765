package certs

import (
	"context"
	"sync/atomic"
	"time"
)

// A Store holds the Snapshot in force. Current costs one atomic load and may be
// called by any number of goroutines while Reload swaps; whoever took a Snapshot
// keeps working with it.
type Store struct {
	src     Source
	now     func() time.Time
	current atomic.Pointer[Snapshot]
}

// NewStore returns a Store that reads src and asks now for the time. Nothing is
// read until Reload; until then Current returns a Snapshot that trusts nobody.
func NewStore(src Source, now func() time.Time) *Store {
	return &Store{src: src, now: now}
}

// Current returns the Snapshot in force. It is never nil; before the first
// successful Reload it trusts nobody and its ID is empty.
func (s *Store) Current() *Snapshot {
	panic("TODO")
}

// Reload reads the files again and puts the new Snapshot in force. On any error
// the previous one stays; the error carries a reason code ([reason.Of]).
func (s *Store) Reload(ctx context.Context) error {
	panic("TODO")
}

// Watch reloads whenever a file has changed, looking every interval, until ctx is
// done, and returns the error of ctx. After each attempt it calls report with
// what Reload said, nil for success; an unchanged failure is reported once.
func (s *Store) Watch(ctx context.Context, interval time.Duration, report func(error)) error {
	panic("TODO")
}
