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
// Libraries are native code of many vendors, so each runs in a process of its own:
// this program again, which [ServeIfChild] makes a server of one library, with nothing
// of our environment that is not its business. What crashes or hangs there costs one
// operation; the next one starts the library again, without the PIN, which is kept
// nowhere: it passes over a pipe, and is wiped on both sides; what the library does with
// it is its own affair. What is kept of it while the token is logged in is a salted hash,
// for the next [Token.Login] to be compared with. A library that prints does so into
// nothing from the first PIN on.
//
// Support for libraries needs cgo; a program that was built without it says so in
// [Open], with reason.TokenSupportMissing. Soft tokens, "soft:DIR", need none.
package tokens

import (
	"errors"
	"strings"
	"sync"
	"unicode"

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
	path  string
	calls calls
	lib   library

	closing sync.Mutex // one Close at a time
	mu      sync.Mutex
	closed  bool
	about   Info // what the library said about itself

	entering sync.Mutex // one login or logout at a time
	logins   map[loginKey]*login
}

// SoftScheme begins the path of a directory of soft tokens instead of that of a
// library: "soft:DIR". Each directory in DIR is a token of package tokens/soft. They
// need neither cgo nor a process of their own, and otherwise are what the library of
// them is.
const SoftScheme = "soft:"

// Open loads and starts the library at a path, in a process of its own unless
// [InProcess] says otherwise. It must be closed. The program must call
// [ServeIfChild] first.
//
// The error is a *reason.Error with reason.TokenModuleBad,
// reason.TokenSupportMissing, reason.TokenCrashed or reason.TokenTimeout.
func Open(path string, o ...Option) (*Module, error) {
	all := &options{parallel: 1}
	for _, option := range o {
		option.apply(all)
	}
	all.deadlines = all.deadlines.defaults()
	lib, err := loadWith(path, all)
	if err != nil {
		return nil, err
	}
	m := &Module{path: path, lib: lib, calls: calls{n: all.parallel}}
	// It tells libraries apart whose tokens say the same; one that does not say is none
	// that we know.
	if info, err := lib.info(); err == nil {
		m.about = info
	}
	return m, nil
}

// model is what is known of tokens of this kind.
func (t *Token) model() Model {
	return ModelOf(t.module.about.Manufacturer, t.info.manufacturer, t.info.model)
}

// loadWith loads what a path names.
func loadWith(path string, o *options) (library, error) {
	if dir, ok := strings.CutPrefix(path, SoftScheme); ok {
		return loadSoft(dir)
	}
	if o.inProcess || !cgo {
		return load(path)
	}
	return loadRemote(path, o)
}

// Close stops the library and unloads it; everything that came from the module is of no
// use afterwards.
func (m *Module) Close() error {
	m.closing.Lock()
	defer m.closing.Unlock()
	m.calls.all()
	defer m.calls.none()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	return refused(m.lib.close())
}

// Restart ends the process of the library, when nobody is in a call, and reports whether
// it has one; the next call starts another. All sessions are lost, and with them the
// logins. It is for libraries that do not see a token that came back: SoftHSM looks for
// tokens only when it starts.
func (m *Module) Restart() bool {
	lib, ok := m.lib.(interface{ restart() })
	if !ok {
		return false
	}
	m.closing.Lock()
	defer m.closing.Unlock()
	m.calls.all()
	defer m.calls.none()
	lib.restart()
	return true
}

// Path is the path of the library, as [Open] was given it.
func (m *Module) Path() string { return m.path }

// do calls the library, when not too many others do.
func (m *Module) do(f func(library) error) error {
	m.calls.begin()
	defer m.calls.end()
	m.mu.Lock()
	closed := m.closed
	m.mu.Unlock()
	if closed {
		return reason.Errorf(reason.TokenFailed, "the library has been closed")
	}
	return refused(f(m.lib))
}

// calls limits those that are in a library at once. The zero value lets one in.
type calls struct {
	n     int
	once  sync.Once
	slots chan struct{}
}

func (c *calls) begin() {
	c.once.Do(func() { c.slots = make(chan struct{}, max(c.n, 1)) })
	c.slots <- struct{}{}
}

func (c *calls) end() { <-c.slots }

// all lets nobody else in.
func (c *calls) all() {
	for range max(c.n, 1) {
		c.begin()
	}
}

// none ends all.
func (c *calls) none() {
	for range max(c.n, 1) {
		c.end()
	}
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

// Slot is the number that the library gave its slot; it need not stay.
func (t *Token) Slot() uint { return t.slot }

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

// same reports whether it is the same token, as far as tokens say.
func (i tokenInfo) same(other tokenInfo) bool {
	return i.serial == other.serial && i.label == other.label && i.manufacturer == other.manufacturer && i.model == other.model
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

// clean returns a text of a token without the padding of PKCS #11, without what a
// terminal might obey, and as UTF-8.
func clean(s string) string {
	return strings.TrimRight(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")), " ")
}
