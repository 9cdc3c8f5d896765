package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"time"

	"propusk/pki/reason"
	"propusk/tokens"
	"propusk/tokens/uri"
)

// holder is one login to one token.
type holder struct {
	name    string // of the token, for people
	pinFile string
	module  *tokens.Module
	pool    *tokens.Pool
	changed func(what string, err error)

	mu       sync.Mutex
	gone     map[string]bool // what is lost: the token, or keys of it, by name
	restarts int             // of the library, one after the other without success
	rest     time.Time       // until the next one
}

// How long a library is left alone between two restarts that do not bring a token or a
// key back: other tokens of it are logged out each time. The first one is at once.
const (
	firstRest = time.Second
	maxRest   = 30 * time.Second
)

// use does something with the token, which is connected and logged in to if it is not.
// What fails because the sessions are over, or because the library has forgotten an
// object, is done once more, which looks for the token and the object again. If they were
// there before, as known says, absent being the reason of an object that is not, and the
// library does not find them, it is started again. A PIN that was refused is not sent
// again: see [tokens.Pool].
func (h *holder) use(f func(*tokens.Session) error, known bool, absent reason.Code) error {
	err := h.again(f)
	if known && isMissing(err, absent) && h.restart() {
		err = h.again(f)
	}
	if err == nil {
		h.mu.Lock()
		h.restarts, h.rest = 0, time.Time{}
		h.mu.Unlock()
	}
	h.note(h.name, isLost(err), err)
	if err != nil {
		return fmt.Errorf("token %q: %w", h.name, err)
	}
	return nil
}

// again does something, and once more if that is of use.
func (h *holder) again(f func(*tokens.Session) error) error {
	err := h.pool.Do(f)
	switch code := reason.Of(err); {
	case code == reason.TokenRemoved, code == reason.TokenSessionLost, tokens.ObjectGone(err):
		err = h.pool.Do(f)
	}
	return err
}

// isMissing reports whether an error says that a token or an object is not there.
func isMissing(err error, absent reason.Code) bool {
	switch reason.Of(err) {
	case reason.TokenRemoved, reason.TokenAbsent, absent:
		return err != nil
	}
	return tokens.ObjectGone(err)
}

// restart starts the library again, if it was left alone long enough.
func (h *holder) restart() bool {
	h.mu.Lock()
	if time.Now().Before(h.rest) {
		h.mu.Unlock()
		return false
	}
	h.rest = time.Now().Add(min(firstRest<<min(h.restarts, 10), maxRest))
	h.restarts++
	h.mu.Unlock()
	return h.module.Restart()
}

// note takes note of whether something is lost, and tells of it if that is news.
func (h *holder) note(what string, lost bool, err error) {
	h.mu.Lock()
	news := h.gone[what] != lost
	if lost {
		h.gone[what] = true
	} else {
		delete(h.gone, what)
	}
	h.mu.Unlock()
	if news && h.changed != nil {
		if !lost {
			err = nil
		}
		h.changed(what, err)
	}
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
		return nil, PINFileError(path, err)
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

// PINFileError tells people why a file with a PIN cannot be opened, and what to do.
func PINFileError(path string, err error) error {
	cause := err
	if system, ok := errors.AsType[*fs.PathError](err); ok {
		cause = system.Err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("PIN: файла с PIN-кодом %s нет: создайте его с PIN-кодом в первой строке и закройте от других (chmod 600) или исправьте путь в --pin-file, pin_file или pin-source / "+
			"there is no file %s with the PIN: make it, with the PIN in its first line, and keep others out (chmod 600), or mend the path in --pin-file, pin_file or pin-source: %w", path, path, cause)
	}
	return fmt.Errorf("PIN: файл с PIN-кодом %s не открывается: пусть программа может его читать, а другие нет (владелец, chmod 600) / "+
		"the file %s with the PIN cannot be opened: let this program read it, and nobody else (owner, chmod 600): %w", path, path, cause)
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
	known bool // it was found at least once
	found map[*tokens.Session]K
}

// with does something with the key.
func (k *held[K]) with(f func(K) error) error {
	k.mu.Lock()
	known := k.known
	k.mu.Unlock()
	err := k.holder.use(func(s *tokens.Session) error {
		key, err := k.in(s)
		if err == nil {
			err = f(key)
		}
		if err != nil {
			k.forget(s)
		}
		return err
	}, known, k.absent)
	if code := reason.Of(err); known && (err == nil || code == k.absent) {
		k.holder.note(k.holder.name+": "+k.uri.Name(), err != nil, err)
	}
	return err
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
	k.found[s], k.known = key, true
	return key, nil
}

// forget makes the key be looked for again.
func (k *held[K]) forget(s *tokens.Session) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.found, s)
}
