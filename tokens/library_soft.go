package tokens

import (
	"errors"

	"propusk/pki/reason"
	"propusk/tokens/internal/cryptoki"
	"propusk/tokens/soft"
)

// Flags of C_OpenSession, and how long a signature of a soft token can be in bytes.
const (
	sessionWritable  = 0x2
	sessionSerial    = 0x4
	maxSoftSignature = 128
)

// softLibrary is soft tokens without their library: what they do is the same, because
// it is the same code, but nothing of it is in C.
type softLibrary struct{ m *cryptoki.Module }

// loadSoft opens the soft tokens in a directory.
func loadSoft(dir string) (library, error) {
	if dir == "" {
		return nil, reason.Errorf(reason.TokenModuleBad, "%s names no directory", SoftScheme)
	}
	m, err := cryptoki.New(dir)
	if err != nil {
		return nil, reason.New(reason.TokenModuleBad, err)
	}
	return softLibrary{m}, nil
}

// code gives the return values of soft tokens our type.
func code(err error) error {
	if c, ok := errors.AsType[cryptoki.RV](err); ok {
		return rv(c)
	}
	return err
}

// softAttributes is a template as soft tokens have it.
func softAttributes(template []attribute) []cryptoki.Attribute {
	all := make([]cryptoki.Attribute, 0, len(template))
	for _, a := range template {
		all = append(all, cryptoki.Attribute{Type: a.kind, Value: a.value})
	}
	return all
}

// soft is a mechanism as soft tokens have it.
func (m mechanism) soft() cryptoki.Mechanism {
	out := cryptoki.Mechanism{Type: m.kind, Param: m.parameter}
	if a := m.agreement; a != nil {
		out.Agreement = &cryptoki.Agreement{KDF: a.kdf, UKM: a.shared, Public: a.public}
	}
	return out
}

func (l softLibrary) close() error { l.m.Close(); return nil }

func (l softLibrary) info() (Info, error) {
	return Info{Manufacturer: "Propusk", Description: "Propusk soft tokens", Version: "1.0"}, nil
}

func (l softLibrary) slots() ([]uint, error) {
	slots, err := l.m.Slots(true)
	return slots, code(err)
}

func (l softLibrary) token(slot uint) (tokenInfo, error) {
	info, err := l.m.TokenInfo(slot)
	if err != nil {
		return tokenInfo{}, code(err)
	}
	return tokenInfo{
		label: clean(info.Label), manufacturer: "Propusk", model: "Propusk soft", serial: clean(info.Serial), flags: info.Flags,
		minPIN: soft.MinPIN, maxPIN: soft.MaxPIN, tries: info.UserTries, triesKnown: info.Flags&flagPINSet != 0,
	}, nil
}

func (l softLibrary) mechanisms(slot uint) ([]Mechanism, error) {
	types, err := l.m.Mechanisms(slot)
	if err != nil {
		return nil, code(err)
	}
	all := make([]Mechanism, 0, len(types))
	for _, kind := range types {
		info, err := l.m.MechanismInfo(slot, kind)
		if err != nil {
			return nil, code(err)
		}
		all = append(all, Mechanism{Type: kind, MinKey: info.Min, MaxKey: info.Max, Flags: info.Flags})
	}
	return all, nil
}

func (l softLibrary) open(slot uint, writable bool) (uint, error) {
	flags := uint(sessionSerial)
	if writable {
		flags |= sessionWritable
	}
	session, err := l.m.OpenSession(slot, flags)
	return session, code(err)
}

func (l softLibrary) state(session uint) (uint, error) {
	info, err := l.m.SessionInfo(session)
	return info.State, code(err)
}

func (l softLibrary) login(session uint, who user, pin []byte) error {
	return code(l.m.Login(session, uint(who), pin))
}

func (l softLibrary) logout(session uint) error { return code(l.m.Logout(session)) }

func (l softLibrary) shut(session uint) error { return code(l.m.CloseSession(session)) }

func (l softLibrary) find(session uint, template []attribute) ([]uint, error) {
	if err := l.m.FindInit(session, softAttributes(template)); err != nil {
		return nil, code(err)
	}
	found, err := l.m.Find(session, maxObjects)
	return found, code(errors.Join(err, l.m.FindFinal(session)))
}

func (l softLibrary) attribute(session, object, kind uint) ([]byte, error) {
	values, errs, err := l.m.Attributes(session, object, []uint{kind})
	if err != nil {
		return nil, code(err)
	}
	if errs[0] != nil || len(values[0]) == 0 {
		return nil, nil // it has none, or does not tell
	}
	return values[0], nil
}

func (l softLibrary) sign(session uint, m mechanism, key uint, data []byte) ([]byte, error) {
	if err := l.m.SignInit(session, m.soft(), key); err != nil {
		return nil, code(err)
	}
	return l.result(session, data)
}

func (l softLibrary) result(session uint, data []byte) ([]byte, error) {
	signature := make([]byte, maxSoftSignature)
	n, err := l.m.Result(session, cryptoki.Sign, data, signature)
	return signature[:n], code(err)
}

func (l softLibrary) signPIN(session uint, m mechanism, key uint, data, pin []byte) ([]byte, error) {
	if err := l.m.SignInit(session, m.soft(), key); err != nil {
		return nil, code(err)
	}
	if err := l.login(session, userContext, pin); err != nil {
		// The signature that was begun must end, and without the PIN it ends in an
		// error, which is not the one to tell.
		_, _ = l.result(session, data)
		return nil, err
	}
	return l.result(session, data)
}

func (l softLibrary) verify(session uint, m mechanism, key uint, data, signature []byte) error {
	if err := l.m.VerifyInit(session, m.soft(), key); err != nil {
		return code(err)
	}
	return code(l.m.Check(session, data, signature))
}

func (l softLibrary) create(session uint, template []attribute) (uint, error) {
	object, err := l.m.Create(session, softAttributes(template))
	return object, code(err)
}

func (l softLibrary) destroy(session, object uint) error { return code(l.m.Destroy(session, object)) }

func (l softLibrary) derive(session uint, m mechanism, key uint, template []attribute) (uint, error) {
	object, err := l.m.Derive(session, m.soft(), key, softAttributes(template))
	return object, code(err)
}

func (l softLibrary) generate(session uint, m mechanism, public, private []attribute) (publicKey, privateKey uint, err error) {
	publicKey, privateKey, err = l.m.GenerateKeyPair(session, m.soft(), softAttributes(public), softAttributes(private))
	return publicKey, privateKey, code(err)
}
