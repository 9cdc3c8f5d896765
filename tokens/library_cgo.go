//go:build cgo

package tokens

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/miekg/pkcs11"

	"propusk/pki/reason"
)

// cryptoki is a library loaded with miekg/pkcs11.
type cryptoki struct{ ctx *pkcs11.Ctx }

// load loads and starts a library.
func load(path string) (library, error) {
	ctx := pkcs11.New(path)
	if ctx == nil {
		return nil, reason.Errorf(reason.TokenModuleBad, "%s is no library of this system, or lacks what it needs", path)
	}
	if err := ctx.Initialize(); err != nil {
		ctx.Destroy()
		return nil, reason.New(reason.TokenModuleBad, returned(err))
	}
	return cryptoki{ctx}, nil
}

// returned gives the return values of PKCS #11 our type.
func returned(err error) error {
	if code, ok := errors.AsType[pkcs11.Error](err); ok {
		return rv(code)
	}
	return err
}

func (c cryptoki) close() error {
	err := c.ctx.Finalize()
	c.ctx.Destroy()
	return returned(err)
}

func (c cryptoki) slots() ([]uint, error) {
	slots, err := c.ctx.GetSlotList(true)
	return slots, returned(err)
}

func (c cryptoki) token(slot uint) (tokenInfo, error) {
	info, err := c.ctx.GetTokenInfo(slot)
	if err != nil {
		return tokenInfo{}, returned(err)
	}
	return tokenInfo{clean(info.Label), clean(info.ManufacturerID), clean(info.Model), clean(info.SerialNumber), info.Flags}, nil
}

func (c cryptoki) open(slot uint) (uint, error) {
	session, err := c.ctx.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION)
	return uint(session), returned(err)
}

func (c cryptoki) login(session uint, pin []byte) error {
	return returned(c.ctx.Login(pkcs11.SessionHandle(session), pkcs11.CKU_USER, string(pin)))
}

func (c cryptoki) logout(session uint) error {
	return returned(c.ctx.Logout(pkcs11.SessionHandle(session)))
}

func (c cryptoki) shut(session uint) error {
	return returned(c.ctx.CloseSession(pkcs11.SessionHandle(session)))
}

func (c cryptoki) find(session uint, template []attribute) ([]uint, error) {
	sh := pkcs11.SessionHandle(session)
	wanted := make([]*pkcs11.Attribute, 0, len(template))
	for _, a := range template {
		wanted = append(wanted, &pkcs11.Attribute{Type: a.kind, Value: a.value})
	}
	if err := c.ctx.FindObjectsInit(sh, wanted); err != nil {
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

func (c cryptoki) attribute(session, object, kind uint) ([]byte, error) {
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

func (c cryptoki) sign(session, mechanism, key uint, digest []byte) ([]byte, error) {
	sh := pkcs11.SessionHandle(session)
	if err := c.ctx.SignInit(sh, []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanism, nil)}, pkcs11.ObjectHandle(key)); err != nil {
		return nil, returned(err)
	}
	signature, err := c.ctx.Sign(sh, digest)
	return signature, returned(err)
}

// number writes a CK_ULONG as the library has it in memory.
func number(n uint) []byte {
	return pkcs11.NewAttribute(attrClass, n).Value
}

// numberOf reads a CK_ULONG: 4 bytes on Windows, 8 elsewhere.
func numberOf(value []byte) uint {
	switch len(value) {
	case 4:
		return uint(binary.NativeEndian.Uint32(value))
	case 8:
		if n := binary.NativeEndian.Uint64(value); n <= math.MaxUint {
			return uint(n)
		}
	}
	return math.MaxUint // no number that means anything
}
