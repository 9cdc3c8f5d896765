// Package keyring gives a service the keys and secrets that its configuration names by
// PKCS #11 URIs (RFC 7512).
//
// A [Ring] opens every library once, in a process of its own, and logs in to every token
// once, whatever the number of keys on it. A token that was lost, by being pulled out or
// with the process of its library, is found again at the next operation, without the help
// of its keys' owners; a PIN that was refused is not sent again.
package keyring

import (
	"bytes"
	"cmp"
	"crypto"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"propusk/gost/gost3410"
	"propusk/gost/vko"
	"propusk/pki/reason"
	"propusk/tokens"
	"propusk/tokens/uri"
)

// Options say how a Ring works. The zero value works.
type Options struct {
	// Sessions is how many operations of one token run at once; zero means one.
	Sessions int

	// Changed, if set, is told when a token or a key in it is lost, and with a nil error
	// when it is there again. It is called by whoever notices, perhaps several at once.
	Changed func(what string, err error)
}

// Ring holds libraries and logins. It is safe for concurrent use, and must be closed.
type Ring struct {
	o Options

	mu        sync.Mutex
	libraries map[string]*tokens.Module // by path
	holders   map[place]*holder
	closed    bool
}

// place is a token in a library.
type place struct{ library, serial, label string }

// New returns a ring without keys.
func New(o Options) *Ring {
	o.Sessions = max(o.Sessions, 1)
	return &Ring{o: o, libraries: map[string]*tokens.Module{}, holders: map[place]*holder{}}
}

// Close logs out of all tokens and ends the libraries. Keys are of no use afterwards.
func (r *Ring) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, h := range r.holders {
		errs = append(errs, h.pool.Close())
	}
	for _, m := range r.libraries {
		errs = append(errs, m.Close())
	}
	r.closed = true
	r.holders, r.libraries = nil, nil
	return errors.Join(errs...)
}

// Lost names the tokens and keys that could not be reached when they were last needed,
// sorted: "HSM", or "HSM: key" if only the key is not there.
func (r *Ring) Lost() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, h := range r.holders {
		h.mu.Lock()
		all = slices.AppendSeq(all, maps.Keys(h.gone))
		h.mu.Unlock()
	}
	slices.Sort(all)
	return all
}

// Key opens the one private key of GOST R 34.10-2012 that a URI names, and has it sign and
// agree on keys once, to see that it does and what it does.
//
// The error is a *reason.Error: reason.TokenKeyAbsent, reason.TokenAmbiguous, or that of
// the library, of the token, of the PIN or of its file.
func (r *Ring) Key(u uri.URI) (*Key, error) {
	h, err := r.holder(u)
	if err != nil {
		return nil, err
	}
	k := &Key{held: held[*tokens.Key]{holder: h, list: (*tokens.Session).Keys, uri: u, absent: reason.TokenKeyAbsent}}
	err = k.with(func(key *tokens.Key) error {
		public, ok := key.Public().(*gost3410.PublicKey)
		if !ok {
			return reason.Errorf(reason.TokenKeyAbsent, "the key belongs to a %T", key.Public())
		}
		k.public, k.id = public, key.ID()
		return nil
	})
	if err == nil {
		err = k.try()
	}
	if err != nil {
		return nil, err
	}
	return k, nil
}

// Signer opens the one private key of ECDSA or RSA that a URI names. The error is that of
// [Ring.Key], with reason.TokenObjectAbsent.
func (r *Ring) Signer(u uri.URI) (*Signer, error) {
	h, err := r.holder(u)
	if err != nil {
		return nil, err
	}
	k := &Signer{held: held[*tokens.Signer]{holder: h, list: (*tokens.Session).Signers, uri: u, absent: reason.TokenObjectAbsent}}
	err = k.with(func(key *tokens.Signer) error {
		k.public, k.id = key.Public(), key.ID()
		return nil
	})
	if err == nil {
		_, err = k.Sign(nil, make([]byte, crypto.SHA256.Size()), crypto.SHA256)
	}
	if err != nil {
		return nil, err
	}
	return k, nil
}

// Data returns the content of the private data object that a URI names by its label. The
// error is that of [tokens.Session.Data], or of the library, token and PIN.
func (r *Ring) Data(u uri.URI) ([]byte, error) {
	h, err := r.holder(u)
	if err != nil {
		return nil, err
	}
	var content []byte
	err = h.use(func(s *tokens.Session) (err error) {
		content, err = s.Data(u.Object)
		return err
	}, false, reason.TokenObjectAbsent)
	return content, err
}

// holder returns the login to the token of a URI.
func (r *Ring) holder(u uri.URI) (*holder, error) {
	path, err := Library(u)
	if err != nil {
		return nil, err
	}
	if u.PINFile == "" {
		return nil, errors.New("no file with the PIN: pin-source=file:… is missing")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, reason.Errorf(reason.TokenFailed, "the keys have been closed")
	}
	module := r.libraries[path]
	if module == nil {
		if module, err = tokens.Open(path, tokens.Parallel(r.o.Sessions)); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		r.libraries[path] = module
	}
	token, err := Find(module, u)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	at := place{path, token.Serial(), token.Label()}
	h := r.holders[at]
	if h == nil {
		h = &holder{name: cmp.Or(token.Label(), token.Serial()), pinFile: filepath.Clean(u.PINFile), module: module,
			changed: r.o.Changed, gone: map[string]bool{}}
		h.pool = tokens.NewPool(module, tokens.PoolOptions{
			Token: cmp.Or(token.Serial(), token.Label()), PIN: h.pin, Size: r.o.Sessions,
		})
		r.holders[at] = h
	}
	if file := filepath.Clean(u.PINFile); file != h.pinFile {
		return nil, fmt.Errorf("the token %q has two files with its PIN, %s and %s: one of them is wrong, and wrong PINs lock tokens", h.name, h.pinFile, file)
	}
	return h, nil
}

// Library returns the path of the library that a URI names. A name without a path is that
// of a library that is installed where its vendor puts it. Files are not looked for in the
// directories of the system's loader.
func Library(u uri.URI) (string, error) {
	if u.ModuleName != "" {
		for _, l := range tokens.InstalledLibraries() {
			for _, path := range l.Paths {
				base := filepath.Base(path)
				if strings.TrimPrefix(strings.TrimSuffix(base, filepath.Ext(base)), "lib") == u.ModuleName {
					return path, nil
				}
			}
		}
		return "", reason.Errorf(reason.TokenModuleBad, "no library %q is installed; name its path with module-path=", u.ModuleName)
	}
	if u.ModulePath == "" {
		return "", reason.Errorf(reason.TokenModuleBad, "no library: module-path= is missing")
	}
	if strings.HasPrefix(u.ModulePath, "soft:") {
		return u.ModulePath, nil
	}
	path, err := filepath.Abs(u.ModulePath)
	if err != nil {
		return "", reason.New(reason.TokenModuleBad, err)
	}
	return path, nil
}

// Find returns the one token that a URI names. The error is a *reason.Error:
// reason.TokenAbsent, reason.TokenAmbiguous, or what the library said.
func Find(m *tokens.Module, u uri.URI) (*tokens.Token, error) {
	if err := ofLibrary(m, u); err != nil {
		return nil, err
	}
	all, err := m.Tokens()
	if err != nil {
		return nil, err
	}
	var found *tokens.Token
	for _, t := range all {
		if t.Label() == "" && t.PIN() == tokens.PINUnset {
			continue // not initialised: SoftHSM always has one of these
		}
		fits := same(u.Token, t.Label()) && same(u.Serial, t.Serial()) && same(u.Manufacturer, t.Manufacturer()) &&
			same(u.Model, t.Model()) && (!u.HasSlot || u.Slot == uint64(t.Slot()))
		if !fits {
			continue
		}
		if found != nil {
			return nil, reason.Errorf(reason.TokenAmbiguous, "tokens %q and %q fit; name one with serial=", found.Serial(), t.Serial())
		}
		found = t
	}
	if found == nil {
		return nil, reason.Errorf(reason.TokenAbsent, "of %d tokens none fits", len(all))
	}
	return found, nil
}

// ofLibrary makes sure that a library is the one that a URI describes.
func ofLibrary(m *tokens.Module, u uri.URI) error {
	if u.LibraryManufacturer == "" && u.LibraryDescription == "" && u.LibraryVersion == "" {
		return nil
	}
	info, err := m.Info()
	if err != nil {
		return err
	}
	if !same(u.LibraryManufacturer, info.Manufacturer) || !same(u.LibraryDescription, info.Description) || !same(u.LibraryVersion, info.Version) {
		return reason.Errorf(reason.TokenModuleBad, "the library is %q, %q, %q", info.Manufacturer, info.Description, info.Version)
	}
	return nil
}

// same compares what a URI says, which may be nothing, with what is so.
func same(wanted, is string) bool { return wanted == "" || wanted == is }

// Fits reports whether an object has the label and the identifier that a URI names.
func Fits(u uri.URI, label string, id []byte) bool {
	return same(u.Object, label) && (u.ID == nil || bytes.Equal(u.ID, id))
}

var (
	_ crypto.Signer = (*Key)(nil)
	_ vko.Deriver   = (*Key)(nil)
	_ crypto.Signer = (*Signer)(nil)
)
