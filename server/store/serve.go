package store

import (
	"errors"
	"os"
	"syscall"
)

// ErrServed means that another process serves the store.
var ErrServed = errors.New("store: another gateway serves these accounts")

// Serve makes this process the one that delivers what waits in the store, until Close or its
// end: two of them would send every letter twice, and write events to two journals. Those who
// only read and write need it not. The error is ErrServed, or that of the file system.
func (s *SQLite) Serve() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if s.served != nil {
		return nil
	}
	f, err := os.OpenFile(s.path+".serve", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrServed
		}
		return errors.Join(err, f.Close())
	}
	s.served = f
	return nil
}
