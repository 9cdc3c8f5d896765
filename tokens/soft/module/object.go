//go:build cgo && unix

package main

// #include "cryptoki.h"
import "C"

import (
	"errors"
	"unsafe"

	"propusk/tokens/internal/cryptoki"
)

// C_CreateObject makes an object.
//
//export C_CreateObject
func C_CreateObject(session C.CK_ULONG, template *C.CK_ATTRIBUTE, count C.CK_ULONG, object *C.CK_ULONG) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		if object == nil {
			return cryptoki.ArgumentsBad
		}
		list, err := attributes(template, count)
		if err != nil {
			return err
		}
		handle, err := m.Create(uint(session), list)
		if err == nil {
			*object = C.CK_ULONG(handle)
		}
		return err
	})
}

// C_DestroyObject removes an object.
//
//export C_DestroyObject
func C_DestroyObject(session, object C.CK_ULONG) C.CK_RV {
	return with(func(m *cryptoki.Module) error { return m.Destroy(uint(session), uint(object)) })
}

// C_GetAttributeValue reads attributes. Those that cannot be read, or have no room,
// do not keep it from reading the others.
//
//export C_GetAttributeValue
func C_GetAttributeValue(session, object C.CK_ULONG, template *C.CK_ATTRIBUTE, count C.CK_ULONG) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		list, err := raw(template, count)
		if err != nil {
			return err
		}
		types := make([]uint, len(list))
		for i, a := range list {
			types[i] = uint(a._type)
		}
		values, errs, err := m.Attributes(uint(session), uint(object), types)
		if err != nil {
			return err
		}
		var first error
		for i := range list {
			err := errs[i]
			if err == nil {
				err = give(&list[i], values[i])
			} else {
				list[i].length = ^C.CK_ULONG(0)
			}
			if first == nil {
				first = err
			}
		}
		return first
	})
}

// give writes a value, or its length where there is no place for it.
func give(a *C.CK_ATTRIBUTE, value []byte) error {
	if a.value != nil {
		if uint64(a.length) < uint64(len(value)) {
			a.length = ^C.CK_ULONG(0)
			return cryptoki.BufferTooSmall
		}
		copy(unsafe.Slice((*byte)(a.value), len(value)), value)
	}
	a.length = C.CK_ULONG(len(value))
	return nil
}

// C_SetAttributeValue changes attributes.
//
//export C_SetAttributeValue
func C_SetAttributeValue(session, object C.CK_ULONG, template *C.CK_ATTRIBUTE, count C.CK_ULONG) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		list, err := attributes(template, count)
		if err != nil {
			return err
		}
		return m.SetAttributes(uint(session), uint(object), list)
	})
}

// C_FindObjectsInit starts a search.
//
//export C_FindObjectsInit
func C_FindObjectsInit(session C.CK_ULONG, template *C.CK_ATTRIBUTE, count C.CK_ULONG) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		list, err := attributes(template, count)
		if err != nil {
			return err
		}
		return m.FindInit(uint(session), list)
	})
}

// C_FindObjects goes on with a search.
//
//export C_FindObjects
func C_FindObjects(session C.CK_ULONG, out *C.CK_ULONG, limit C.CK_ULONG, count *C.CK_ULONG) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		if count == nil || out == nil && limit > 0 {
			return cryptoki.ArgumentsBad
		}
		handles, err := m.Find(uint(session), uint(limit))
		if err != nil {
			return err
		}
		*count = limit
		return list(handles, out, count)
	})
}

// C_FindObjectsFinal ends a search.
//
//export C_FindObjectsFinal
func C_FindObjectsFinal(session C.CK_ULONG) C.CK_RV {
	return with(func(m *cryptoki.Module) error { return m.FindFinal(uint(session)) })
}

// C_GenerateKeyPair makes a pair of keys.
//
//export C_GenerateKeyPair
func C_GenerateKeyPair(session C.CK_ULONG, mech *C.CK_MECHANISM, public *C.CK_ATTRIBUTE, publicCount C.CK_ULONG,
	private *C.CK_ATTRIBUTE, privateCount C.CK_ULONG, publicKey, privateKey *C.CK_ULONG,
) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		if publicKey == nil || privateKey == nil {
			return cryptoki.ArgumentsBad
		}
		mechanism, err := mechanism(mech)
		if err != nil {
			return err
		}
		pub, err := attributes(public, publicCount)
		if err != nil {
			return err
		}
		priv, err := attributes(private, privateCount)
		if err != nil {
			return err
		}
		a, b, err := m.GenerateKeyPair(uint(session), mechanism, pub, priv)
		if err == nil {
			*publicKey, *privateKey = C.CK_ULONG(a), C.CK_ULONG(b)
		}
		return err
	})
}

// C_DeriveKey agrees on a key.
//
//export C_DeriveKey
func C_DeriveKey(session C.CK_ULONG, mech *C.CK_MECHANISM, base C.CK_ULONG, template *C.CK_ATTRIBUTE,
	count C.CK_ULONG, key *C.CK_ULONG,
) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		if key == nil {
			return cryptoki.ArgumentsBad
		}
		mechanism, err := mechanism(mech)
		if err != nil {
			return err
		}
		list, err := attributes(template, count)
		if err != nil {
			return err
		}
		handle, err := m.Derive(uint(session), mechanism, uint(base), list)
		if err == nil {
			*key = C.CK_ULONG(handle)
		}
		return err
	})
}

// start begins an operation with a mechanism.
func start(mech *C.CK_MECHANISM, f func(*cryptoki.Module, cryptoki.Mechanism) error) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		mechanism, err := mechanism(mech)
		if err != nil {
			return err
		}
		return f(m, mechanism)
	})
}

// update gives an operation more data.
func update(session C.CK_ULONG, kind cryptoki.Kind, data *C.CK_BYTE, length C.CK_ULONG) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		d, err := in(data, length)
		if err != nil {
			return err
		}
		return m.Update(uint(session), kind, d)
	})
}

// result ends an operation.
func result(session C.CK_ULONG, kind cryptoki.Kind, data *C.CK_BYTE, length C.CK_ULONG, out *C.CK_BYTE, outLength *C.CK_ULONG) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		if outLength == nil {
			return cryptoki.ArgumentsBad
		}
		d, err := in(data, length)
		if err != nil {
			return err
		}
		var buffer []byte
		if out != nil {
			// More than the longest result need not be looked at.
			buffer = unsafe.Slice((*byte)(unsafe.Pointer(out)), int(min(*outLength, 256)))
		}
		n, err := m.Result(uint(session), kind, d, buffer)
		if err == nil || errors.Is(err, cryptoki.BufferTooSmall) {
			*outLength = C.CK_ULONG(n)
		}
		return err
	})
}

// check ends a verification.
func check(session C.CK_ULONG, data *C.CK_BYTE, length C.CK_ULONG, signature *C.CK_BYTE, signatureLength C.CK_ULONG) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		d, err := in(data, length)
		if err != nil {
			return err
		}
		sig, err := in(signature, signatureLength)
		if err != nil {
			return err
		}
		return m.Check(uint(session), d, sig)
	})
}

// C_DigestInit starts a digest.
//
//export C_DigestInit
func C_DigestInit(session C.CK_ULONG, mech *C.CK_MECHANISM) C.CK_RV {
	return start(mech, func(m *cryptoki.Module, mechanism cryptoki.Mechanism) error {
		return m.DigestInit(uint(session), mechanism)
	})
}

// C_Digest computes a digest of one piece of data.
//
//export C_Digest
func C_Digest(session C.CK_ULONG, data *C.CK_BYTE, length C.CK_ULONG, out *C.CK_BYTE, outLength *C.CK_ULONG) C.CK_RV {
	return result(session, cryptoki.Digest, data, length, out, outLength)
}

// C_DigestUpdate gives a digest more data.
//
//export C_DigestUpdate
func C_DigestUpdate(session C.CK_ULONG, data *C.CK_BYTE, length C.CK_ULONG) C.CK_RV {
	return update(session, cryptoki.Digest, data, length)
}

// C_DigestFinal ends a digest.
//
//export C_DigestFinal
func C_DigestFinal(session C.CK_ULONG, out *C.CK_BYTE, outLength *C.CK_ULONG) C.CK_RV {
	return result(session, cryptoki.Digest, nil, 0, out, outLength)
}

// C_SignInit starts a signature.
//
//export C_SignInit
func C_SignInit(session C.CK_ULONG, mech *C.CK_MECHANISM, key C.CK_ULONG) C.CK_RV {
	return start(mech, func(m *cryptoki.Module, mechanism cryptoki.Mechanism) error {
		return m.SignInit(uint(session), mechanism, uint(key))
	})
}

// C_Sign signs one piece of data.
//
//export C_Sign
func C_Sign(session C.CK_ULONG, data *C.CK_BYTE, length C.CK_ULONG, out *C.CK_BYTE, outLength *C.CK_ULONG) C.CK_RV {
	return result(session, cryptoki.Sign, data, length, out, outLength)
}

// C_SignUpdate gives a signature more data.
//
//export C_SignUpdate
func C_SignUpdate(session C.CK_ULONG, data *C.CK_BYTE, length C.CK_ULONG) C.CK_RV {
	return update(session, cryptoki.Sign, data, length)
}

// C_SignFinal ends a signature.
//
//export C_SignFinal
func C_SignFinal(session C.CK_ULONG, out *C.CK_BYTE, outLength *C.CK_ULONG) C.CK_RV {
	return result(session, cryptoki.Sign, nil, 0, out, outLength)
}

// C_VerifyInit starts a verification.
//
//export C_VerifyInit
func C_VerifyInit(session C.CK_ULONG, mech *C.CK_MECHANISM, key C.CK_ULONG) C.CK_RV {
	return start(mech, func(m *cryptoki.Module, mechanism cryptoki.Mechanism) error {
		return m.VerifyInit(uint(session), mechanism, uint(key))
	})
}

// C_Verify verifies the signature of one piece of data.
//
//export C_Verify
func C_Verify(session C.CK_ULONG, data *C.CK_BYTE, length C.CK_ULONG, signature *C.CK_BYTE, signatureLength C.CK_ULONG) C.CK_RV {
	return check(session, data, length, signature, signatureLength)
}

// C_VerifyUpdate gives a verification more data.
//
//export C_VerifyUpdate
func C_VerifyUpdate(session C.CK_ULONG, data *C.CK_BYTE, length C.CK_ULONG) C.CK_RV {
	return update(session, cryptoki.Verify, data, length)
}

// C_VerifyFinal ends a verification.
//
//export C_VerifyFinal
func C_VerifyFinal(session C.CK_ULONG, signature *C.CK_BYTE, signatureLength C.CK_ULONG) C.CK_RV {
	return check(session, nil, 0, signature, signatureLength)
}
