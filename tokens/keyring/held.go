package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"

	"propusk/pki/reason"
	"propusk/tokens"
	"propusk/tokens/uri"
)

// holder is one login to one token.
type holder struct {
	name    string // of the token, for people
	pinFile string
	pool    *tokens.Pool
	changed func(token string, err error)

	mu   sync.Mutex
	lost bool
}

// use does something with the token, which is connected and logged in to if it is not.
func (h *holder) use(f func(*tokens.Session) error) error {
	err := h.pool.Do(f)
	lost := isLost(err)
	h.mu.Lock()
	news := h.lost != lost
	h.lost = lost
	h.mu.Unlock()
	if news && h.changed != nil {
		h.changed(h.name, err)
	}
	if err != nil {
		return fmt.Errorf("token %q: %w", h.name, err)
	}
	return nil
}

// isLost tells a token that cannot be reached from one that cannot do something.
func isLost(err error) bool {
	switch code, _ := errors.AsType[reason.Code](err); code {
	case reason.TokenUnsupported, reason.TokenKeyAbsent, reason.TokenObjectAbsent, reason.TokenDataPublic, reason.TokenAmbiguous:
		return false
	}
	return err != nil
}

// maxPIN limits a file with a PIN, in bytes; the longest PIN of a token has 249.
const maxPIN = 1 << 10

// pin reads the file with the PIN.
func (h *holder) pin() ([]byte, error) { return ReadPIN(h.pinFile) }

// ReadPIN reads a file with a PIN, without the end of its line. It is an error if others
// on the machine can read or write the file. The caller wipes the PIN.
func ReadPIN(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("PIN: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("PIN: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("PIN: %s is no file", path)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("PIN: others can read %s, so it is not used: chmod 600 %s", path, path)
	}
	data := make([]byte, maxPIN+1) // not grown, which would leave copies
	n, err := io.ReadFull(f, data)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		clear(data)
		return nil, fmt.Errorf("PIN: %w", err)
	}
	pin := bytes.TrimRight(data[:n], "\r\n")
	if len(pin) == 0 || len(pin) > maxPIN {
		clear(data)
		return nil, fmt.Errorf("PIN: %s is empty or longer than %d bytes", path, maxPIN)
	}
	return pin, nil
}

// object is what both kinds of keys in tokens have.
type object interface {
	ID() []byte
	Label() string
}

// held is a key that is looked for again after a new login, whose objects have other
// numbers.
type held[K object] struct {
	holder *holder
	list   func(*tokens.Session) ([]K, error)
	uri    uri.URI
	absent reason.Code

	mu    sync.Mutex
	found map[*tokens.Session]K
}

// with does something with the key.
func (k *held[K]) with(f func(K) error) error {
	return k.holder.use(func(s *tokens.Session) error {
		key, err := k.in(s)
		if err == nil {
			err = f(key)
		}
		if err != nil {
			k.forget(s)
		}
		return err
	})
}

// maxFound is how many sessions a key remembers: those that are over are not told of.
const maxFound = 128

// in finds the key in a session.
func (k *held[K]) in(s *tokens.Session) (key K, err error) {
	k.mu.Lock()
	key, ok := k.found[s]
	k.mu.Unlock()
	if ok {
		return key, nil
	}
	all, err := k.list(s)
	if err != nil {
		return key, err
	}
	fit := 0
	for _, candidate := range all {
		if Fits(k.uri, candidate.Label(), candidate.ID()) {
			key = candidate
			fit++
		}
	}
	switch {
	case fit == 0:
		return key, reason.Errorf(k.absent, "of %d keys none is %s", len(all), k.uri.Name())
	case fit > 1:
		return key, reason.Errorf(reason.TokenAmbiguous, "%d keys are %s; name one with id=", fit, k.uri.Name())
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.found) >= maxFound {
		clear(k.found)
	}
	if k.found == nil {
		k.found = map[*tokens.Session]K{}
	}
	k.found[s] = key
	return key, nil
}

// forget makes the key be looked for again.
func (k *held[K]) forget(s *tokens.Session) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.found, s)
}
