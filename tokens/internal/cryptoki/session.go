package cryptoki

import (
	"sync"

	"propusk/tokens/soft"
)

// session is one of an application with a token. Its own lock keeps operations in
// it one after the other. The lock of the module is never taken under it.
type session struct {
	handle uint
	slot   uint
	rw     bool

	mu     sync.Mutex
	found  []uint // what FindObjects is to return, nil if there is no search
	digest *operation
	sign   *operation
	verify *operation
}

// SessionInfo is CK_SESSION_INFO.
type SessionInfo struct{ Slot, State, Flags uint }

// OpenSession returns the handle of a new session.
func (m *Module) OpenSession(id, flags uint) (uint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.slot(id)
	if err != nil {
		return 0, err
	}
	rw := flags&flagSessionRW != 0
	switch {
	case flags&flagSessionSerial == 0:
		return 0, SessionParallelUnsupported
	case !rw && s.token.Role() == soft.SecurityOfficer:
		return 0, SessionReadWriteSOExists
	case len(m.sessions) >= maxSessions:
		return 0, SessionCount
	}
	if info, err := s.token.Info(); err != nil {
		return 0, rv(err)
	} else if !info.Initialized {
		return 0, TokenNotRecognized
	}
	m.next++
	m.sessions[m.next] = &session{handle: m.next, slot: id, rw: rw}
	return m.next, nil
}

// CloseSession ends a session, with its objects; the last one of a token logs out.
func (m *Module) CloseSession(handle uint) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return NotInitialized
	}
	s, ok := m.sessions[handle]
	if !ok {
		return SessionHandleInvalid
	}
	m.drop(s)
	return nil
}

// CloseAllSessions ends the sessions with a token.
func (m *Module) CloseAllSessions(id uint) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.slot(id); err != nil {
		return err
	}
	m.closeSlot(id)
	return nil
}

func (m *Module) closeSlot(id uint) {
	for _, s := range m.sessions {
		if s.slot == id {
			m.drop(s)
		}
	}
}

func (m *Module) drop(s *session) {
	delete(m.sessions, s.handle)
	slot := m.slots[s.slot]
	for h, o := range slot.objects {
		if o.session == s.handle {
			o.wipe()
			delete(slot.objects, h)
		}
	}
	for _, other := range m.sessions {
		if other.slot == s.slot {
			return
		}
	}
	slot.logout()
}

// logout logs out, and forgets the handles of private objects.
func (s *slot) logout() {
	if s.token != nil {
		s.token.Logout()
	}
	for h, o := range s.objects {
		if o.private() {
			o.wipe()
			delete(s.objects, h)
			delete(s.handles, o.Name)
		}
	}
}

// session returns a session and the token it is with.
func (m *Module) session(handle uint) (*session, *soft.Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, slot, err := m.lockedSession(handle)
	if err != nil {
		return nil, nil, err
	}
	return s, slot.token, nil
}

// lockedSession returns a session and its slot, in which there is a token; m.mu is
// held.
func (m *Module) lockedSession(handle uint) (*session, *slot, error) {
	if m.closed {
		return nil, nil, NotInitialized
	}
	s, ok := m.sessions[handle]
	if !ok {
		return nil, nil, SessionHandleInvalid
	}
	slot, err := m.slot(s.slot)
	if err != nil {
		return nil, nil, DeviceRemoved
	}
	return s, slot, nil
}

// SessionInfo returns the state of a session.
func (m *Module) SessionInfo(handle uint) (SessionInfo, error) {
	s, token, err := m.session(handle)
	if err != nil {
		return SessionInfo{}, err
	}
	info := SessionInfo{Slot: s.slot, Flags: flagSessionSerial}
	if s.rw {
		info.Flags |= flagSessionRW
		info.State = stateRWPublic
	}
	switch token.Role() {
	case soft.User:
		info.State++ // from public to user, with and without writing
	case soft.SecurityOfficer:
		info.State = stateRWSO
	}
	return info, nil
}

// Login logs the user (1) or the security officer (0) in, for all sessions with the
// token. The context-specific user (2) is the user once more, for the signature that was
// started in the session by a key with CKA_ALWAYS_AUTHENTICATE.
func (m *Module) Login(handle, userType uint, pin []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, slot, err := m.lockedSession(handle)
	if err != nil {
		return err
	}
	role := soft.User
	switch userType {
	case 0:
		role = soft.SecurityOfficer
	case 1:
	case 2:
		return s.confirm(slot, pin)
	default:
		return UserTypeInvalid
	}
	switch slot.token.Role() {
	case 0:
	case role:
		return UserAlreadyLoggedIn
	default:
		return UserAnotherAlreadyLoggedIn
	}
	if role == soft.SecurityOfficer {
		for _, other := range m.sessions {
			if other.slot == s.slot && !other.rw {
				return SessionReadOnlyExists
			}
		}
	}
	if err := slot.token.Login(role, pin); err != nil {
		return rv(err)
	}
	return nil
}

// confirm takes the PIN for a signature that waits for it; the lock of the module is
// held.
func (s *session) confirm(slot *slot, pin []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sign == nil || !s.sign.confirm {
		return OperationNotInitialized
	}
	if err := slot.token.Confirm(pin); err != nil {
		return rv(err)
	}
	s.sign.confirm = false
	return nil
}

// Logout logs out, in all sessions with the token.
func (m *Module) Logout(handle uint) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, slot, err := m.lockedSession(handle)
	if err != nil {
		return err
	}
	if slot.token.Role() == 0 {
		return UserNotLoggedIn
	}
	slot.logout()
	return nil
}

// InitPIN sets the PIN of the user.
func (m *Module) InitPIN(handle uint, pin []byte) error {
	_, token, err := m.session(handle)
	if err != nil {
		return err
	}
	if err := token.InitPIN(pin, false); err != nil {
		return rv(err)
	}
	return nil
}

// SetPIN changes the PIN of who is logged in, or of the user.
func (m *Module) SetPIN(handle uint, old, pin []byte) error {
	s, token, err := m.session(handle)
	if err != nil {
		return err
	}
	if !s.rw {
		return SessionReadOnly
	}
	role := token.Role()
	if role == 0 {
		role = soft.User
	}
	if err := token.SetPIN(role, old, pin); err != nil {
		return rv(err)
	}
	return nil
}
