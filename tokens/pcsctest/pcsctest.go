//go:build unix

// Package pcsctest gives tests a PC/SC service of their own: a pcscd with two virtual
// readers that nobody else sees. It runs in a network namespace, since the driver of the
// readers listens on fixed ports, and in a mount namespace, since pcscd wants its
// directory in /run; so tests run beside each other and beside the service of the
// machine. It ends with the test, and also when the test dies.
//
// It is for Linux, and for root or who else may make namespaces.
package pcsctest

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"propusk/tokens/internal/pcsclite"
	"propusk/tokens/virtualcard"
)

// Reader0 and Reader1 are the names of the readers.
const (
	Reader0 = "Virtual PCD 00 00"
	Reader1 = "Virtual PCD 00 01"
)

// firstPort is where the driver listens for the card of the first reader; the second one
// is next to it.
const firstPort = 0x8C7B

// wait is how long the service has for anything: much more than it needs.
const wait = time.Minute

// Service is a running pcscd. Its methods are for one goroutine at a time.
type Service struct {
	t      testing.TB
	dir    string // what it has for /run
	room   room
	slots  [2]slot
	daemon *daemon
}

// slot is what is in a reader.
type slot struct {
	conn net.Conn // nil if there is nothing
	done chan error
}

// Start starts a service, and ends it after the test. The test is skipped where
// namespaces are denied, and where pcscd or the driver of the readers is missing.
//
// PCSCLITE_CSOCK_NAME is set for the test and its children; a test that is parallel
// cannot have that, and calls [StartQuiet].
func Start(t *testing.T) *Service {
	t.Helper()
	s := StartQuiet(t)
	t.Setenv(pcsclite.SocketVariable, s.Socket())
	return s
}

// StartQuiet is Start without a change of the environment: clients are told
// [Service.Socket] or run with [Service.Env].
func StartQuiet(t testing.TB) *Service {
	t.Helper()
	// Not t.TempDir: the path of a socket has at most 107 bytes.
	dir, err := os.MkdirTemp("", "pcscd-")
	must(t, err)
	s := &Service{t: t, dir: dir}
	t.Cleanup(func() {
		s.Stop()
		s.room.leave()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	must(t, os.Mkdir(filepath.Join(dir, "pcscd"), 0o755))
	s.room = enter(t, dir)
	s.Resume()
	return s
}

// Socket is the path of the socket that clients reach the service at.
func (s *Service) Socket() string { return filepath.Join(s.dir, "pcscd", "pcscd.comm") }

// Env returns the environment of this process, changed so that a child finds the
// service.
func (s *Service) Env() []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, pcsclite.SocketVariable+"=") })
	return append(env, pcsclite.SocketVariable+"="+s.Socket())
}

// Insert puts a card into the first reader, and returns when the service has seen it.
// What was there is taken out.
func (s *Service) Insert(card *virtualcard.Card) { s.t.Helper(); s.InsertAt(0, card) }

// Remove takes the card out of the first reader, and returns when the service has seen
// that.
func (s *Service) Remove() { s.t.Helper(); s.RemoveAt(0) }

// InsertAt is Insert for a reader, 0 or 1.
func (s *Service) InsertAt(number int, card *virtualcard.Card) {
	s.t.Helper()
	s.RemoveAt(number)
	there := func(r pcsclite.Reader) bool { return r.Present && slices.Equal(r.ATR, card.ATR()) }
	for end := time.Now().Add(wait); ; {
		conn, err := s.room.dial(net.JoinHostPort("127.0.0.1", strconv.Itoa(firstPort+number)))
		must(s.t, err)
		done, out := make(chan error, 1), make(chan struct{})
		go func() { done <- card.Serve(conn); close(out) }()
		s.slots[number] = slot{conn, done}
		if s.until("card in reader", number, out, there) || time.Now().After(end) {
			return
		}
		// The driver was not done with the card before, which did not answer, and has
		// closed the connection to this one for it.
		s.slots[number] = slot{}
		must(s.t, <-done)
	}
}

// RemoveAt is Remove for a reader, 0 or 1. A card that was pulled out before is removed
// too.
func (s *Service) RemoveAt(number int) {
	s.t.Helper()
	in := s.slots[number]
	if in.conn == nil {
		return
	}
	s.slots[number] = slot{}
	_ = in.conn.Close() // it may be out already
	if err := <-in.done; err != nil {
		s.t.Errorf("card in reader %d: %v", number, err)
	}
	s.until("no card in reader", number, nil, func(r pcsclite.Reader) bool { return !r.Present })
}

// until waits for the service to see a state of a reader, or for the card to be out of it:
// then it is false.
func (s *Service) until(what string, number int, out <-chan struct{}, reached func(pcsclite.Reader) bool) bool {
	s.t.Helper()
	if s.daemon == nil {
		return true // nobody sees anything
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	go func() {
		select {
		case <-out:
			cancel()
		case <-ctx.Done():
		}
	}()
	client, err := pcsclite.Dial(ctx, s.Socket())
	if isOut(out) {
		return false
	}
	must(s.t, err)
	defer client.Close() // nothing is lost
	name := [...]string{Reader0, Reader1}[number]
	for {
		readers, err := client.Register()
		if isOut(out) {
			return false
		}
		must(s.t, err)
		i := slices.IndexFunc(readers, func(r pcsclite.Reader) bool { return r.Name == name })
		if i >= 0 && reached(readers[i]) {
			return true
		}
		if err := client.Wait(); err != nil && !isOut(out) {
			s.t.Fatalf("%s %d: %v; readers %+v; pcscd said:\n%s", what, number, err, readers, s.daemon.said())
		}
	}
}

// isOut reports whether the card is out of the reader.
func isOut(out <-chan struct{}) bool {
	select {
	case <-out:
		return true
	default:
		return false
	}
}

// Stop ends the service, with the cards taken out. Readers and cards are gone for the
// clients until [Service.Resume].
func (s *Service) Stop() {
	s.t.Helper()
	if s.daemon == nil {
		return
	}
	s.daemon.stop(s.t)
	s.daemon = nil
	for number := range s.slots {
		s.RemoveAt(number)
	}
}

// Resume starts the service again.
func (s *Service) Resume() {
	s.t.Helper()
	if s.daemon != nil {
		return
	}
	s.daemon = s.room.daemon(s.t, s.dir)
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	for {
		client, err := pcsclite.Dial(ctx, s.Socket())
		if err == nil {
			must(s.t, client.Close())
			break
		}
		select {
		case <-s.daemon.ended:
			s.t.Fatalf("pcscd ended:\n%s", s.daemon.said())
		case <-ctx.Done():
			s.t.Fatalf("pcscd does not answer: %v\n%s", err, s.daemon.said())
		case <-time.After(10 * time.Millisecond):
		}
	}
	for number := range s.slots {
		s.until("reader", number, nil, func(pcsclite.Reader) bool { return true })
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
