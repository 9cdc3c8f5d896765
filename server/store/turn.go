package store

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// How long a process waits for its turn to write, and how often it looks.
const (
	turnWait = 15 * time.Second
	turnLook = time.Millisecond
)

// ErrBusy means that another process did not let the file go for 15 seconds.
var ErrBusy = errors.New("store: another process keeps the file locked")

// turnstile lets processes write one after the other. SQLite alone is not fair: who looks
// for its lock now and then hardly ever gets it from who takes it again at once.
//
// There are two locks. Who writes holds the desk. Who waits holds the door meanwhile, so that
// nobody who comes later, not even who leaves the desk just now, gets there first.
type turnstile struct{ door, desk *os.File }

func openTurnstile(path string) (*turnstile, error) {
	door, err := os.OpenFile(path+".turn", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	desk, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, errors.Join(err, door.Close())
	}
	return &turnstile{door, desk}, nil
}

// enter waits for the desk. The error is ErrBusy, or that of the file system.
func (t *turnstile) enter() error {
	deadline := time.Now().Add(turnWait)
	if err := take(t.door, deadline); err != nil {
		return err
	}
	return errors.Join(take(t.desk, deadline), release(t.door))
}

// leave lets the next one have the desk.
func (t *turnstile) leave() error { return release(t.desk) }

// close lets everything go.
func (t *turnstile) close() error { return errors.Join(t.door.Close(), t.desk.Close()) }

// take locks a file. It looks again and again, because a process that was stopped must not
// stop the others for ever.
func take(f *os.File, deadline time.Time) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			return err
		case time.Now().After(deadline):
			return ErrBusy
		}
		time.Sleep(turnLook)
	}
}

func release(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
