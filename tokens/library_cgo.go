//go:build cgo

package tokens

import (
	"errors"
	"fmt"

	"github.com/miekg/pkcs11"

	"propusk/pki/reason"
)

// cgo is whether libraries can be loaded.
const cgo = true

// vendor is a library loaded with miekg/pkcs11.
type vendor struct {
	ctx    *pkcs11.Ctx
	native native
}

// load loads and starts a library.
func load(path string) (library, error) {
	ctx := pkcs11.New(path)
	if ctx == nil {
		return nil, reason.Errorf(reason.TokenModuleBad, "%s is no library of this system, or lacks what it needs", path)
	}
	n, err := loadNative(path)
	if err != nil {
		ctx.Destroy()
		return nil, err
	}
	if err := ctx.Initialize(); err != nil {
		n.close()
		ctx.Destroy()
		return nil, reason.New(reason.TokenModuleBad, returned(err))
	}
	return vendor{ctx, n}, nil
}

// returned gives the return values of PKCS #11 our type.
func returned(err error) error {
	if code, ok := errors.AsType[pkcs11.Error](err); ok {
		return rv(code)
	}
	return err
}

func (c vendor) close() error {
	err := c.ctx.Finalize()
	c.native.close()
	c.ctx.Destroy()
	return returned(err)
}

func (c vendor) slots() ([]uint, error) {
	slots, err := c.ctx.GetSlotList(true)
	return slots, returned(err)
}

func (c vendor) token(slot uint) (tokenInfo, error) {
	info, err := c.ctx.GetTokenInfo(slot)
	if err != nil {
		return tokenInfo{}, returned(err)
	}
	return tokenInfo{
		label: clean(info.Label), manufacturer: clean(info.ManufacturerID), model: clean(info.Model), serial: clean(info.SerialNumber),
		flags: info.Flags, maxSessions: info.MaxSessionCount, maxPIN: info.MaxPinLen, minPIN: info.MinPinLen,
	}, nil
}

func (c vendor) info() (Info, error) {
	info, err := c.ctx.GetInfo()
	if err != nil {
		return Info{}, returned(err)
	}
	return Info{
		Manufacturer: clean(info.ManufacturerID), Description: clean(info.LibraryDescription),
		Version: fmt.Sprintf("%d.%d", info.LibraryVersion.Major, info.LibraryVersion.Minor),
	}, nil
}

func (c vendor) mechanisms(slot uint) ([]Mechanism, error) {
	list, err := c.ctx.GetMechanismList(slot)
	if err != nil {
		return nil, returned(err)
	}
	var all []Mechanism
	for _, m := range list[:min(len(list), maxMechanisms)] {
		info, err := c.ctx.GetMechanismInfo(slot, []*pkcs11.Mechanism{m})
		if err != nil {
			return nil, returned(err)
		}
		all = append(all, Mechanism{Type: m.Mechanism, MinKey: info.MinKeySize, MaxKey: info.MaxKeySize, Flags: info.Flags})
	}
	return all, nil
}

func (c vendor) open(slot uint, writable bool) (uint, error) {
	flags := uint(pkcs11.CKF_SERIAL_SESSION)
	if writable {
		flags |= pkcs11.CKF_RW_SESSION
	}
	session, err := c.ctx.OpenSession(slot, flags)
	return uint(session), returned(err)
}

func (c vendor) state(session uint) (uint, error) {
	info, err := c.ctx.GetSessionInfo(pkcs11.SessionHandle(session))
	return info.State, returned(err)
}

func (c vendor) login(session uint, who user, pin []byte) error {
	return c.native.login(session, who, pin)
}

func (c vendor) logout(session uint) error {
	return returned(c.ctx.Logout(pkcs11.SessionHandle(session)))
}

func (c vendor) shut(session uint) error {
	return returned(c.ctx.CloseSession(pkcs11.SessionHandle(session)))
}

func (c vendor) find(session uint, template []attribute) ([]uint, error) {
	sh := pkcs11.SessionHandle(session)
	if err := c.ctx.FindObjectsInit(sh, attributes(template)); err != nil {
		return nil, returned(err)
	}
	var found []uint
	for len(found) < maxObjects {
		some, _, err := c.ctx.FindObjects(sh, maxObjects)
		if err != nil {
			return nil, errors.Join(returned(err), returned(c.ctx.FindObjectsFinal(sh)))
		}
		if len(some) == 0 {
			break
		}
		for _, object := range some {
			found = append(found, uint(object))
		}
	}
	return found, returned(c.ctx.FindObjectsFinal(sh))
}

func (c vendor) attribute(session, object, kind uint) ([]byte, error) {
	got, err := c.ctx.GetAttributeValue(pkcs11.SessionHandle(session), pkcs11.ObjectHandle(object),
		[]*pkcs11.Attribute{{Type: kind}})
	switch code, _ := errors.AsType[pkcs11.Error](err); uint(code) {
	case pkcs11.CKR_ATTRIBUTE_TYPE_INVALID, pkcs11.CKR_ATTRIBUTE_SENSITIVE:
		return nil, nil
	}
	if err != nil {
		return nil, returned(err)
	}
	if len(got) != 1 || len(got[0].Value) == 0 {
		return nil, nil
	}
	return got[0].Value, nil
}

// attributes is a template as miekg/pkcs11 has it.
func attributes(template []attribute) []*pkcs11.Attribute {
	all := make([]*pkcs11.Attribute, 0, len(template))
	for _, a := range template {
		all = append(all, &pkcs11.Attribute{Type: a.kind, Value: a.value})
	}
	return all
}

// theirs is a mechanism as miekg/pkcs11 has it.
func (m mechanism) theirs() []*pkcs11.Mechanism {
	if a := m.agreement; a != nil {
		return []*pkcs11.Mechanism{pkcs11.NewMechanism(m.kind, pkcs11.NewECDH1DeriveParams(a.kdf, a.shared, a.public))}
	}
	return []*pkcs11.Mechanism{pkcs11.NewMechanism(m.kind, m.parameter)}
}

func (c vendor) sign(session uint, m mechanism, key uint, data []byte) ([]byte, error) {
	sh := pkcs11.SessionHandle(session)
	if err := c.ctx.SignInit(sh, m.theirs(), pkcs11.ObjectHandle(key)); err != nil {
		return nil, returned(err)
	}
	signature, err := c.ctx.Sign(sh, data)
	return signature, returned(err)
}

func (c vendor) signPIN(session uint, m mechanism, key uint, data, pin []byte) ([]byte, error) {
	sh := pkcs11.SessionHandle(session)
	if err := c.ctx.SignInit(sh, m.theirs(), pkcs11.ObjectHandle(key)); err != nil {
		return nil, returned(err)
	}
	if err := c.login(session, userContext, pin); err != nil {
		// The signature that was begun must end, and without the PIN it ends in an
		// error, which is not the one to tell.
		_, _ = c.ctx.Sign(sh, data)
		return nil, err
	}
	signature, err := c.ctx.Sign(sh, data)
	return signature, returned(err)
}

func (c vendor) verify(session uint, m mechanism, key uint, data, signature []byte) error {
	sh := pkcs11.SessionHandle(session)
	if err := c.ctx.VerifyInit(sh, m.theirs(), pkcs11.ObjectHandle(key)); err != nil {
		return returned(err)
	}
	return returned(c.ctx.Verify(sh, data, signature))
}

func (c vendor) create(session uint, template []attribute) (uint, error) {
	object, err := c.ctx.CreateObject(pkcs11.SessionHandle(session), attributes(template))
	return uint(object), returned(err)
}

func (c vendor) destroy(session, object uint) error {
	return returned(c.ctx.DestroyObject(pkcs11.SessionHandle(session), pkcs11.ObjectHandle(object)))
}

func (c vendor) derive(session uint, m mechanism, key uint, template []attribute) (uint, error) {
	object, err := c.ctx.DeriveKey(pkcs11.SessionHandle(session), m.theirs(), pkcs11.ObjectHandle(key), attributes(template))
	return uint(object), returned(err)
}

func (c vendor) generate(session uint, m mechanism, public, private []attribute) (publicKey, privateKey uint, err error) {
	pub, priv, err := c.ctx.GenerateKeyPair(pkcs11.SessionHandle(session), m.theirs(), attributes(public), attributes(private))
	return uint(pub), uint(priv), returned(err)
}
