// Package cryptoki is PKCS#11 v2.40 over soft tokens, without C: slots, sessions,
// objects, attributes, operations. Package tokens/soft/module gives it the C face.
//
// The numbers of GOST R 34.10-2012 are those of TC26 and of the standard; keys are
// LE(x)|LE(y), signatures BE(s)|BE(r), as all vendors have them.
package cryptoki

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"propusk/gost/gost3410"
	"propusk/tokens/soft"
)

// maxSessions limits the sessions of a module: an application that forgets to close
// them would fill the memory.
const maxSessions = 4096

// pollInterval is how often a waiting [Module.WaitForSlotEvent] looks at the
// directory. There is nothing that tells of a change on every system.
const pollInterval = 200 * time.Millisecond

// Module is what an application gets from C_Initialize. It is safe for concurrent
// use, and so are all of its methods. Errors are of type [RV].
type Module struct {
	dir  string
	done chan struct{}

	mu       sync.Mutex
	closed   bool
	slots    []*slot // the index is the identifier
	sessions map[uint]*session
	next     uint // handle that was given last, to sessions and objects
}

// slot is a directory below the directory of tokens, or one that was there once.
type slot struct {
	name    string
	token   *soft.Token // nil while there is none
	told    bool        // whether the application knows that there is one, or none
	objects map[uint]*object
	handles map[string]uint // of the objects on the token, by name
}

// New returns the module for a directory, each of whose subdirectories is a token, in
// the order of their names. An empty subdirectory is a token to be initialised. A
// directory that is not there has no tokens.
func New(dir string) (*Module, error) {
	m := &Module{dir: dir, done: make(chan struct{}), sessions: make(map[uint]*session)}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.scan(); err != nil {
		return nil, err
	}
	for _, s := range m.slots {
		s.told = true
	}
	return m, nil
}

// Close ends everything, and wakes up who waits for an event.
func (m *Module) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	m.closed = true
	close(m.done)
	for _, s := range m.slots {
		s.empty()
	}
	clear(m.sessions)
}

// scan looks which tokens are there. A slot stays when its token goes, so that
// identifiers keep their meaning.
func (m *Module) scan() error {
	entries, err := os.ReadDir(m.dir)
	if err != nil && (m.dir != "" && !errors.Is(err, fs.ErrNotExist)) {
		return FunctionFailed
	}
	seen := make(map[string]bool)
	for _, e := range entries {
		path := filepath.Join(m.dir, e.Name())
		if st, err := os.Stat(path); err != nil || !st.IsDir() || e.Name()[0] == '.' {
			continue
		}
		seen[e.Name()] = true
		i := slices.IndexFunc(m.slots, func(s *slot) bool { return s.name == e.Name() })
		if i < 0 {
			i = len(m.slots)
			m.slots = append(m.slots, &slot{name: e.Name()})
		}
		s := m.slots[i]
		if s.token != nil && !s.token.Present() { // another token in the same place
			m.closeSlot(uint(i))
			s.empty()
		}
		if s.token == nil {
			token, err := soft.Open(path)
			if err != nil {
				continue // it went this moment
			}
			s.token, s.told = token, false
			s.objects, s.handles = make(map[uint]*object), make(map[string]uint)
		}
	}
	for i, s := range m.slots {
		if s.token != nil && !seen[s.name] {
			m.closeSlot(uint(i))
			s.empty()
			s.told = false
		}
	}
	return nil
}

// empty forgets the token.
func (s *slot) empty() {
	if s.token != nil {
		s.token.Logout()
	}
	s.token, s.objects, s.handles = nil, nil, nil
}

// Slots returns the identifiers of the slots, or of those with a token.
func (m *Module) Slots(withToken bool) ([]uint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, NotInitialized
	}
	if err := m.scan(); err != nil {
		return nil, err
	}
	var ids []uint
	for i, s := range m.slots {
		if s.token != nil || !withToken {
			ids = append(ids, uint(i))
		}
	}
	return ids, nil
}

// slot returns a slot, and whether it is one with a token, as an error. m.mu is held.
func (m *Module) slot(id uint) (*slot, error) {
	if m.closed {
		return nil, NotInitialized
	}
	if id >= uint(len(m.slots)) {
		return nil, SlotIDInvalid
	}
	s := m.slots[id]
	if s.token != nil && !s.token.Present() {
		m.closeSlot(id)
		s.empty()
		s.told = false
	}
	if s.token == nil {
		return s, TokenNotPresent
	}
	return s, nil
}

// SlotInfo returns the name of a slot and its flags.
func (m *Module) SlotInfo(id uint) (description string, flags uint, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.slot(id)
	switch {
	case err == nil:
		flags = flagTokenPresent
	case !errors.Is(err, TokenNotPresent):
		return "", 0, err
	}
	return "Propusk soft token " + s.name, flags | flagRemovable, nil
}

// TokenInfo is what CK_TOKEN_INFO tells, without what is the same for all.
type TokenInfo struct {
	Label, Serial        string
	Flags                uint
	Sessions, RWSessions uint
	UserTries            int // left; zero is a locked PIN, or none
}

// TokenInfo returns what a token tells.
func (m *Module) TokenInfo(id uint) (TokenInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.slot(id)
	if err != nil {
		return TokenInfo{}, err
	}
	info, err := s.token.Info()
	if err != nil {
		return TokenInfo{}, rv(err)
	}
	out := TokenInfo{Label: info.Label, Serial: info.Serial, Flags: flagRNG | flagLoginRequired, UserTries: info.UserTries}
	set := func(flag uint, when bool) {
		if when {
			out.Flags |= flag
		}
	}
	out.UserTries = info.UserTries
	if info.Initialized {
		set(flagTokenInitialized, true)
		set(flagUserPINSet, info.UserPINSet)
		set(flagUserPINToChange, info.UserPINSet && info.MustChange)
		set(flagUserPINCountLow, info.UserPINSet && info.UserTries < soft.MaxTries)
		set(flagUserPINFinalTry, info.UserPINSet && info.UserTries == 1)
		set(flagUserPINLocked, info.UserPINSet && info.UserTries == 0)
		set(flagSOPINCountLow, info.OfficerTries < soft.MaxTries)
		set(flagSOPINFinalTry, info.OfficerTries == 1)
		set(flagSOPINLocked, info.OfficerTries == 0)
	}
	for _, session := range m.sessions {
		if session.slot == id {
			out.Sessions++
			if session.rw {
				out.RWSessions++
			}
		}
	}
	return out, nil
}

// InitToken initialises the token in a slot, or empties it.
func (m *Module) InitToken(id uint, pin []byte, label string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.slot(id)
	if err != nil {
		return err
	}
	for _, session := range m.sessions {
		if session.slot == id {
			return SessionExists
		}
	}
	if err := s.token.Init(label, pin); err != nil {
		return rv(err)
	}
	clear(s.objects)
	clear(s.handles)
	return nil
}

// Random fills a buffer; the session must be there.
func (m *Module) Random(handle uint, out []byte) error {
	if _, _, err := m.session(handle); err != nil {
		return err
	}
	if _, err := rand.Read(out); err != nil {
		return FunctionFailed
	}
	return nil
}

// WaitForSlotEvent returns the identifier of a slot whose token came or went, and
// that was not told before. Without dontBlock it waits for one, until [Module.Close].
func (m *Module) WaitForSlotEvent(dontBlock bool) (uint, error) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		if id, err := m.event(); !errors.Is(err, NoEvent) || dontBlock {
			return id, err
		}
		select {
		case <-m.done:
			return 0, NotInitialized
		case <-tick.C:
		}
	}
}

func (m *Module) event() (uint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return 0, NotInitialized
	}
	if err := m.scan(); err != nil {
		return 0, err
	}
	for i, s := range m.slots {
		if !s.told {
			s.told = true
			return uint(i), nil
		}
	}
	return 0, NoEvent
}

// rv translates errors of the packages below.
func rv(err error) error {
	var code RV
	if errors.As(err, &code) {
		return code
	}
	for _, e := range []struct {
		err error
		rv  RV
	}{
		{soft.ErrRemoved, DeviceRemoved},
		{soft.ErrNotInitialized, TokenNotRecognized},
		{soft.ErrFormat, TokenNotRecognized},
		{soft.ErrPIN, PINIncorrect},
		{soft.ErrLocked, PINLocked},
		{soft.ErrPINNotSet, UserPINNotInitialized},
		{soft.ErrPINLength, PINLenRange},
		{soft.ErrPINExpired, PINExpired},
		{soft.ErrLogin, UserNotLoggedIn},
		{soft.ErrNoObject, ObjectHandleInvalid},
		{soft.ErrObject, AttributeValueInvalid},
		{soft.ErrFull, DeviceMemory},
		{soft.ErrUsage, KeyFunctionNotPermitted},
		{gost3410.ErrDigest, DataLenRange},
		{gost3410.ErrParamSet, AttributeValueInvalid},
		{gost3410.ErrPublicKey, AttributeValueInvalid},
		{gost3410.ErrPrivateKey, AttributeValueInvalid},
		{gost3410.ErrAgreement, MechanismParamInvalid},
	} {
		if errors.Is(err, e.err) {
			return e.rv
		}
	}
	return FunctionFailed
}
