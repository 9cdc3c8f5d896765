package soft

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Token is one token: the directory, and who is logged in through this Token. Others,
// in this process or another, have a Token and a login of their own. A Token is safe
// for concurrent use; the only way to a useful one is [Open].
type Token struct {
	dir string
	at  os.FileInfo // the directory itself, so that another one of that name is not taken for it

	mu   sync.RWMutex
	role Role // who is logged in; zero is nobody
	// key is that of the token while somebody is logged in. It is behind a pointer of
	// which fmt prints the address only.
	key        *[keySize]byte
	serial     [serialSize]byte // of the token that key is of
	mustChange bool
}

// Info is what a token tells everybody. The zero value is a token that is not
// initialised.
type Info struct {
	Initialized bool
	Label       string
	Serial      string // 16 hexadecimal digits

	UserPINSet   bool
	UserTries    int  // left; zero is a locked PIN
	OfficerTries int  // left
	MustChange   bool // the user must change the PIN before the keys can be used
}

// Open returns the token in a directory, which must exist; it may be empty. The error
// is [ErrRemoved], or that of the system.
func Open(dir string) (*Token, error) {
	st, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ErrRemoved
	case err != nil:
		return nil, err
	case !st.IsDir():
		return nil, &fs.PathError{Op: "open token", Path: dir, Err: fs.ErrInvalid}
	}
	return &Token{dir: dir, at: st}, nil
}

// Dir returns the directory.
func (t *Token) Dir() string { return t.dir }

// Present reports whether the directory is still there, the same one.
func (t *Token) Present() bool {
	st, err := os.Stat(t.dir)
	return err == nil && os.SameFile(t.at, st)
}

// Info reads the label and the counters, as they are now. The error is [ErrRemoved]
// or [ErrFormat].
func (t *Token) Info() (Info, error) {
	h, err := t.header()
	if errors.Is(err, ErrNotInitialized) {
		return Info{}, nil
	}
	if err != nil {
		return Info{}, err
	}
	info := Info{
		Initialized: true, Label: h.label, Serial: hex.EncodeToString(h.serial[:]),
		OfficerTries: int(h.officer.tries),
	}
	if h.user != nil {
		info.UserPINSet, info.UserTries, info.MustChange = true, int(h.user.tries), h.user.mustChange
	}
	return info, nil
}

// Init makes a token of the directory, with a label of at most [MaxTokenLabel] bytes
// and the PIN of its security officer. A token that is there already is emptied, if the PIN is
// that of its officer; the tries are counted. Whoever is logged in is logged out.
//
// The error is [ErrPIN], [ErrLocked], [ErrPINLength], [ErrObject] for a label, or
// [ErrRemoved].
func (t *Token) Init(label string, officerPIN []byte) error {
	if len(label) > MaxTokenLabel || !utf8.ValidString(label) {
		return ErrObject
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.locked(func() error {
		switch h, err := t.header(); {
		case errors.Is(err, ErrNotInitialized):
		case err != nil:
			return err
		default:
			key, err := t.try(h, SecurityOfficer, officerPIN)
			if err != nil {
				return err
			}
			clear(key)
		}
		h := &header{label: label}
		key := make([]byte, keySize)
		defer clear(key)
		if _, err := rand.Read(h.serial[:]); err != nil {
			return err
		}
		if _, err := rand.Read(key); err != nil {
			return err
		}
		officer, err := newSecret(SecurityOfficer, h.serial[:], officerPIN, key)
		if err != nil {
			return err
		}
		h.officer = *officer
		t.logout()
		// The old objects go last: under the new key nobody can read them, and a
		// crash between must not leave a token without objects under the old one.
		if err := t.write(h); err != nil {
			return err
		}
		return t.clean()
	})
}

// clean removes the objects, and what an interrupted write left.
func (t *Token) clean() error {
	entries, err := os.ReadDir(t.dir)
	if err != nil {
		return gone(t.dir, err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), objectExt) || strings.HasPrefix(e.Name(), ".new-") {
			if err := os.Remove(filepath.Join(t.dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return syncDir(t.dir)
}

// Login logs a role in; nobody may be logged in. A try is gone before the PIN is
// looked at, so that an interruption cannot win one back, and a right PIN gives all
// of them back.
//
// The error is [ErrPIN], [ErrLocked], [ErrPINNotSet], [ErrLogin] if somebody is
// logged in, [ErrNotInitialized] or [ErrRemoved].
func (t *Token) Login(role Role, pin []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.role != 0 {
		return ErrLogin
	}
	return t.locked(func() error {
		h, err := t.header()
		if err != nil {
			return err
		}
		key, err := t.try(h, role, pin)
		if err != nil {
			return err
		}
		t.role, t.key, t.serial, t.mustChange = role, (*[keySize]byte)(key), h.serial, role == User && h.user.mustChange
		return nil
	})
}

// try returns the key of the token for a right PIN, and counts.
func (t *Token) try(h *header, role Role, pin []byte) ([]byte, error) {
	s := h.secret(role)
	if s == nil {
		return nil, ErrPINNotSet
	}
	if s.tries == 0 {
		return nil, ErrLocked
	}
	s.tries--
	if err := t.write(h); err != nil {
		return nil, err
	}
	key, err := s.open(role, h.serial[:], pin)
	if err != nil {
		return nil, err
	}
	s.tries = MaxTries
	if err := t.write(h); err != nil {
		clear(key)
		return nil, err
	}
	return key, nil
}

// Logout logs out whoever is logged in. Keys of [Token.Key] cannot be used any more.
func (t *Token) Logout() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.logout()
}

func (t *Token) logout() {
	if t.key != nil {
		clear(t.key[:])
	}
	t.role, t.key, t.mustChange = 0, nil, false
}

// Role returns who is logged in; zero is nobody.
func (t *Token) Role() Role {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.role
}

// InitPIN sets the PIN of the user, with all tries; the security officer must be
// logged in. With mustChange the user can do nothing with it but to change it.
//
// The error is [ErrLogin], [ErrPINLength] or [ErrRemoved].
func (t *Token) InitPIN(pin []byte, mustChange bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.role != SecurityOfficer {
		return ErrLogin
	}
	return t.locked(func() error {
		h, err := t.header()
		if err != nil {
			return err
		}
		if h.serial != t.serial {
			return ErrRemoved
		}
		if h.user, err = newSecret(User, h.serial[:], pin, t.key[:]); err != nil {
			return err
		}
		h.user.mustChange = mustChange
		return t.write(h)
	})
}

// SetPIN changes the PIN of a role, which need not be logged in. A wrong old PIN
// costs a try, as with [Token.Login], whose errors it has; ErrPINLength costs none.
func (t *Token) SetPIN(role Role, old, pin []byte) error {
	if len(pin) < MinPIN || len(pin) > MaxPIN || !utf8.Valid(pin) {
		return ErrPINLength
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.locked(func() error {
		h, err := t.header()
		if err != nil {
			return err
		}
		key, err := t.try(h, role, old)
		if err != nil {
			return err
		}
		defer clear(key)
		s, err := newSecret(role, h.serial[:], pin, key)
		if err != nil {
			return err
		}
		*h.secret(role) = *s
		if err := t.write(h); err != nil {
			return err
		}
		if role == t.role {
			t.mustChange = false
		}
		return nil
	})
}

func (h *header) secret(role Role) *secret {
	switch role {
	case SecurityOfficer:
		return &h.officer
	case User:
		return h.user
	}
	return nil
}

// Confirm looks whether a PIN is that of the user, who must be logged in, for a key with
// [Confirm]. It costs a try as [Token.Login] does, whose errors it has.
func (t *Token) Confirm(pin []byte) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.user(); err != nil {
		return err
	}
	return t.locked(func() error {
		h, err := t.header()
		if err != nil {
			return err
		}
		key, err := t.try(h, User, pin)
		clear(key)
		return err
	})
}

// Objects returns what is on the token, sorted by name: private keys and private data
// only if the user is logged in. A file that is no object is left out: one broken file must not hide the rest. The
// error is [ErrRemoved], [ErrNotInitialized] or that of the system.
func (t *Token) Objects() ([]Object, error) {
	if _, err := t.header(); err != nil {
		return nil, err
	}
	names, err := t.names()
	if err != nil {
		return nil, err
	}
	private := t.Role() == User
	var objects []Object
	for _, name := range names {
		o, err := t.object(name)
		switch {
		case errors.Is(err, ErrNoObject), errors.Is(err, ErrFormat):
			continue
		case err != nil:
			return nil, err
		}
		if o.Class != PrivateKey && !o.Private || private {
			objects = append(objects, *o)
		}
	}
	return objects, nil
}

// names returns the names of the objects, sorted, at most maxObjects.
func (t *Token) names() ([]string, error) {
	entries, err := os.ReadDir(t.dir) // sorted
	if err != nil {
		return nil, gone(t.dir, err)
	}
	var names []string
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), objectExt)
		if ok && validName(name) && len(names) < maxObjects {
			names = append(names, name)
		}
	}
	return names, nil
}

// validName reports whether a name is one that this package gives: 16 hexadecimal
// digits, and so no path.
func validName(name string) bool {
	b, err := hex.DecodeString(name)
	return err == nil && len(b) == serialSize && name == strings.ToLower(name)
}

// object reads one object; the error is ErrNoObject or ErrFormat.
func (t *Token) object(name string) (*Object, error) {
	if !validName(name) {
		return nil, ErrNoObject
	}
	data, err := readFile(filepath.Join(t.dir, name+objectExt))
	if errors.Is(err, fs.ErrNotExist) {
		if !t.Present() {
			return nil, ErrRemoved
		}
		return nil, ErrNoObject
	}
	if err != nil {
		return nil, err
	}
	o, err := parseObject(data)
	if err != nil {
		return nil, err
	}
	o.Name = name
	return o, nil
}

// Add puts a certificate, a public key or data on the token and returns it with its
// Name; private data without Value. The user must be logged in. For private keys there
// are [Token.Generate] and [Token.Import].
//
// The error is [ErrObject], [ErrLogin], [ErrPINExpired], [ErrFull] or [ErrRemoved].
func (t *Token) Add(o Object) (Object, error) {
	if o.Class == PrivateKey {
		return Object{}, ErrObject
	}
	if o.Private {
		if err := t.sealData(&o); err != nil {
			return Object{}, err
		}
	}
	added, err := t.add(o)
	if err != nil {
		return Object{}, err
	}
	return added[0], nil
}

// add writes objects, all of them or none.
func (t *Token) add(objects ...Object) ([]Object, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if err := t.user(); err != nil {
		return nil, err
	}
	added := slices.Clone(objects)
	err := t.locked(func() error {
		if _, err := t.header(); err != nil {
			return err
		}
		names, err := t.names()
		if err != nil {
			return err
		}
		if len(names)+len(objects) > maxObjects {
			return ErrFull
		}
		for i := range added {
			if err := t.create(&added[i]); err != nil {
				for _, o := range added[:i] {
					// The first error is the one to tell.
					_ = os.Remove(filepath.Join(t.dir, o.Name+objectExt))
				}
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return added, nil
}

// create gives an object a name and writes it.
func (t *Token) create(o *Object) error {
	if err := o.check(); err != nil {
		return err
	}
	der, err := o.marshal()
	if err != nil {
		return err
	}
	name := make([]byte, serialSize)
	if _, err := rand.Read(name); err != nil {
		return err
	}
	o.Name, o.ID, o.Value = hex.EncodeToString(name), bytes.Clone(o.ID), bytes.Clone(o.Value)
	return writeFile(t.dir, o.Name+objectExt, der)
}

// Rename changes the label and the identifier of an object and returns it as it is
// now. The user must be logged in. The error is [ErrNoObject], or one of [Token.Add].
func (t *Token) Rename(name, label string, id []byte) (Object, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if err := t.user(); err != nil {
		return Object{}, err
	}
	var renamed Object
	err := t.locked(func() error {
		o, err := t.object(name)
		if err != nil {
			return err
		}
		o.Label, o.ID = label, bytes.Clone(id)
		if err := o.check(); err != nil {
			return err
		}
		der, err := o.marshal()
		if err != nil {
			return err
		}
		renamed = *o
		return writeFile(t.dir, name+objectExt, der)
	})
	if err != nil {
		return Object{}, err
	}
	return renamed, nil
}

// Remove takes an object off the token. The user must be logged in. The error is
// [ErrNoObject], [ErrLogin], [ErrPINExpired] or [ErrRemoved].
func (t *Token) Remove(name string) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if err := t.user(); err != nil {
		return err
	}
	return t.locked(func() error {
		if !validName(name) {
			return ErrNoObject
		}
		err := os.Remove(filepath.Join(t.dir, name+objectExt))
		switch {
		case errors.Is(err, fs.ErrNotExist) && t.Present():
			return ErrNoObject
		case err != nil:
			return gone(t.dir, err)
		}
		return syncDir(t.dir)
	})
}

// user returns nil if the user is logged in and may do something; t.mu is held. A token
// that somebody has initialised anew is another one, which the login is not for: what was
// sealed under the key of the old one could never be opened.
func (t *Token) user() error {
	switch {
	case t.role != User:
		return ErrLogin
	case t.mustChange:
		return ErrPINExpired
	}
	h, err := t.header()
	switch {
	case err != nil:
		return err
	case h.serial != t.serial || !t.Present():
		return ErrRemoved
	}
	return nil
}

// header reads the file "token".
func (t *Token) header() (*header, error) {
	data, err := readFile(filepath.Join(t.dir, tokenFile))
	if errors.Is(err, fs.ErrNotExist) {
		if !t.Present() {
			return nil, ErrRemoved
		}
		return nil, ErrNotInitialized
	}
	if err != nil {
		return nil, err
	}
	return parseHeader(data)
}

func (t *Token) write(h *header) error {
	der, err := h.marshal()
	if err != nil {
		return err
	}
	return writeFile(t.dir, tokenFile, der)
}

// locked calls f while no other Token, of this process or another, changes the
// directory.
func (t *Token) locked(f func() error) error {
	lock, err := os.OpenFile(filepath.Join(t.dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return gone(t.dir, err)
	}
	if err := lockFile(lock); err != nil {
		_ = lock.Close() // the first error says more
		return err
	}
	err = f()
	if cerr := lock.Close(); err == nil {
		err = cerr
	}
	return err
}
