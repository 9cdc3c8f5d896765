// Package tokens reaches keys in hardware tokens through the PKCS#11 library of their
// vendor.
//
// A [Module] is such a library, a [Token] what is connected, a [Session] a token with
// the PIN entered, and a [Key] a private key inside, which signs as a crypto.Signer and
// never leaves the token. Keys are of GOST R 34.10-2012, 256 and 512 bits.
//
// A PIN is sent to a token once for each call of [Token.Login] and never again by
// itself: ten wrong ones lock a token for good. A token with one try left is not asked
// unless the caller insists.
//
// Libraries are native code and run inside this process: what crashes them crashes it.
// Support for them needs cgo; a program that was built without it says so in [Open],
// with reason.TokenSupportMissing.
package tokens

import (
	"errors"
	"strings"
	"sync"

	"propusk/pki/reason"
)

// Limits on what a library may answer. A token holds some dozens of objects.
const (
	maxTokens      = 64
	maxObjects     = 256
	maxCertificate = 64 << 10 // bytes
	maxMechanisms  = 512
)

// A Module is a loaded PKCS#11 library. It is safe for concurrent use.
type Module struct {
	path string
	mu   sync.Mutex // libraries are not to be trusted with two threads
	lib  library
}

// Open loads and starts the library at a path. It must be closed.
//
// The error is a *reason.Error with reason.TokenModuleBad or
// reason.TokenSupportMissing.
func Open(path string, o ...Option) (*Module, error) {
	var all options
	for _, option := range o {
		option.apply(&all)
	}
	lib, err := load(path)
	if err != nil {
		return nil, err
	}
	return &Module{path: path, lib: lib}, nil
}

// Close stops the library and unloads it; everything that came from the module is of no
// use afterwards.
func (m *Module) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lib == nil {
		return nil
	}
	err := m.lib.close()
	m.lib = nil
	return refused(err)
}

// Path is the path of the library.
func (m *Module) Path() string { return m.path }

// do calls the library, when nobody else does.
func (m *Module) do(f func(library) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lib == nil {
		return reason.Errorf(reason.TokenFailed, "the library has been closed")
	}
	return refused(f(m.lib))
}

// Tokens returns the tokens that are connected now. One that has no name yet, or that
// cannot say who it is, is among them if its slot is.
func (m *Module) Tokens() ([]*Token, error) {
	var all []*Token
	err := m.do(func(lib library) error {
		slots, err := lib.slots()
		if err != nil {
			return err
		}
		for _, slot := range slots[:min(len(slots), maxTokens)] {
			info, err := lib.token(slot)
			if errors.Is(err, errGone) {
				continue // it was taken out between the two calls
			}
			if err != nil {
				return err
			}
			all = append(all, &Token{module: m, slot: slot, info: info})
		}
		return nil
	})
	return all, err
}

// Find returns the one token with the given label or serial number. With an empty name
// it is the only one that is connected.
//
// The error is a *reason.Error: reason.TokenAbsent, reason.TokenAmbiguous, or what the
// library said.
func (m *Module) Find(name string) (*Token, error) {
	all, err := m.Tokens()
	if err != nil {
		return nil, err
	}
	var found *Token
	for _, t := range all {
		if name != "" && t.info.label != name && t.info.serial != name {
			continue
		}
		if found != nil {
			return nil, reason.Errorf(reason.TokenAmbiguous, "%d tokens are connected", len(all))
		}
		found = t
	}
	if found == nil {
		return nil, reason.Errorf(reason.TokenAbsent, "%d tokens are connected", len(all))
	}
	return found, nil
}

// A Token is one that was connected when it was looked for. It is safe for concurrent
// use.
type Token struct {
	module *Module
	slot   uint
	info   tokenInfo
}

// Label is the name that its owner gave it; it may be empty.
func (t *Token) Label() string { return t.info.label }

// Manufacturer is who made it, as it says itself.
func (t *Token) Manufacturer() string { return t.info.manufacturer }

// Model is what the token says it is: "Rutoken ECP", "JaCarta GOST 2.0".
func (t *Token) Model() string { return t.info.model }

// Serial is its serial number.
func (t *Token) Serial() string { return t.info.serial }

// PIN says how the PIN of the user stands, as of the moment when the token was looked
// for.
func (t *Token) PIN() PINState { return t.info.pin() }

// HasPINPad reports whether the PIN is entered on the token or its reader: then
// [Token.Login] takes none.
func (t *Token) HasPINPad() bool { return t.info.flags&flagPINPad != 0 }

// PINState says how the PIN of a token stands.
type PINState uint8

// The states, from good to bad.
const (
	PINReady      PINState = iota // all is well, as far as the token says
	PINCountLow                   // a wrong PIN was entered since the last right one
	PINFinalTry                   // one more wrong PIN locks the token
	PINMustChange                 // the token wants another PIN first
	PINUnset                      // there is none yet
	PINLocked                     // too many were wrong
)

// String returns a word for logs.
func (s PINState) String() string {
	return [...]string{"ready", "count-low", "final-try", "must-change", "unset", "locked"}[s]
}

// Flags of CK_TOKEN_INFO (PKCS #11 v3.0, 3.2).
const (
	flagPINSet        = 0x00000008
	flagPINPad        = 0x00000100
	flagPINCountLow   = 0x00010000
	flagPINFinalTry   = 0x00020000
	flagPINLocked     = 0x00040000
	flagPINMustChange = 0x00080000
)

// tokenInfo is what a token says about itself.
type tokenInfo struct {
	label, manufacturer, model, serial string
	flags                              uint

	maxSessions    uint // zero: any number, all ones: not told
	minPIN, maxPIN uint // bytes

	tries      int // left, if the library tells
	triesKnown bool
}

func (i tokenInfo) pin() PINState {
	switch {
	case i.flags&flagPINLocked != 0:
		return PINLocked
	case i.flags&flagPINSet == 0:
		return PINUnset
	case i.flags&flagPINMustChange != 0:
		return PINMustChange
	case i.flags&flagPINFinalTry != 0:
		return PINFinalTry
	case i.flags&flagPINCountLow != 0:
		return PINCountLow
	default:
		return PINReady
	}
}

// clean returns a text of a token without the padding of PKCS #11 and without what a
// terminal might obey.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.TrimRight(s, " \x00"))
}
