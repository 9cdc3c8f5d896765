//go:build cgo && unix

// Command module is a PKCS#11 library of soft tokens, libpropusksoft.so:
//
//	go build -buildmode=c-shared -o libpropusksoft.so propusk/tokens/soft/module
//
// The environment variable PROPUSK_SOFT_TOKENS names a directory; each directory in
// it is a token in a slot, an empty one a token to be initialised. A directory that
// comes or goes while the library is in use is a token that is plugged in or out.
//
// Keys are of GOST R 34.10-2012, with the numbers of PKCS#11 and of TC26. Functions
// for anything else return CKR_FUNCTION_NOT_SUPPORTED.
//
// Here are the conversions between C and Go only: see package cryptoki.
package main

// #include "cryptoki.h"
import "C"

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"propusk/tokens/internal/cryptoki"
	"propusk/tokens/soft"
)

func main() {
	fmt.Fprintln(os.Stderr, "libpropusksoft is a PKCS#11 library: build it with go build -buildmode=c-shared")
	os.Exit(3)
}

// current is the library between C_Initialize and C_Finalize. The interface in C has
// no other place for it.
var current atomic.Pointer[cryptoki.Module]

// Limits of what an application may pass. More is a mistake of its own, with which we
// would read memory that is not there.
const (
	maxTemplate = 256
	maxValue    = 1 << 20
)

// with calls f with the library, if it is initialised.
func with(f func(m *cryptoki.Module) error) C.CK_RV {
	m := current.Load()
	if m == nil {
		return C.CK_RV(cryptoki.NotInitialized)
	}
	return rv(f(m))
}

func rv(err error) C.CK_RV {
	var code cryptoki.RV
	switch {
	case err == nil:
		return C.CK_RV(cryptoki.OK)
	case errors.As(err, &code):
		return C.CK_RV(code)
	}
	return C.CK_RV(cryptoki.GeneralError)
}

// in returns memory of the application as a slice; it is not copied.
func in(p *C.CK_BYTE, length C.CK_ULONG) ([]byte, error) {
	return memory(unsafe.Pointer(p), length)
}

func memory(p unsafe.Pointer, length C.CK_ULONG) ([]byte, error) {
	switch {
	case length == 0:
		return nil, nil
	case p == nil || uint64(length) > 1<<40:
		return nil, cryptoki.ArgumentsBad
	}
	return unsafe.Slice((*byte)(p), int(length)), nil
}

// attributes copies a template.
func attributes(p *C.CK_ATTRIBUTE, count C.CK_ULONG) ([]cryptoki.Attribute, error) {
	list, err := raw(p, count)
	if err != nil {
		return nil, err
	}
	out := make([]cryptoki.Attribute, len(list))
	for i, a := range list {
		if uint64(a.length) > maxValue {
			return nil, cryptoki.AttributeValueInvalid
		}
		value, err := memory(a.value, a.length)
		if err != nil {
			return nil, err
		}
		out[i] = cryptoki.Attribute{Type: uint(a._type), Value: append([]byte{}, value...)}
	}
	return out, nil
}

func raw(p *C.CK_ATTRIBUTE, count C.CK_ULONG) ([]C.CK_ATTRIBUTE, error) {
	switch {
	case count == 0:
		return nil, nil
	case p == nil || count > maxTemplate:
		return nil, cryptoki.ArgumentsBad
	}
	return unsafe.Slice(p, int(count)), nil
}

// mechanism copies a mechanism, and follows the pointers in its parameter.
func mechanism(p *C.CK_MECHANISM) (cryptoki.Mechanism, error) {
	if p == nil || uint64(p.length) > maxValue {
		return cryptoki.Mechanism{}, cryptoki.ArgumentsBad
	}
	m := cryptoki.Mechanism{Type: uint(p._type)}
	param, err := memory(p.param, p.length)
	if err != nil {
		return cryptoki.Mechanism{}, cryptoki.MechanismParamInvalid
	}
	if m.Type != cryptoki.KEG {
		m.Param = append([]byte(nil), param...)
		return m, nil
	}
	if uintptr(len(param)) != unsafe.Sizeof(C.CK_AGREEMENT{}) {
		return cryptoki.Mechanism{}, cryptoki.MechanismParamInvalid
	}
	a := (*C.CK_AGREEMENT)(p.param)
	ukm, err := in(a.shared, a.sharedLength)
	if err != nil || len(ukm) > maxValue {
		return cryptoki.Mechanism{}, cryptoki.MechanismParamInvalid
	}
	public, err := in(a.public, a.publicLength)
	if err != nil || len(public) > maxValue {
		return cryptoki.Mechanism{}, cryptoki.MechanismParamInvalid
	}
	m.Agreement = &cryptoki.Agreement{
		KDF: uint(a.kdf), UKM: append([]byte(nil), ukm...), Public: append([]byte(nil), public...),
	}
	return m, nil
}

// list writes numbers in the manner of PKCS#11: without a place for them, how many
// there are.
func list(numbers []uint, out, count *C.CK_ULONG) error {
	if count == nil {
		return cryptoki.ArgumentsBad
	}
	room := *count
	*count = C.CK_ULONG(len(numbers))
	if out == nil {
		return nil
	}
	if uint64(room) < uint64(len(numbers)) {
		return cryptoki.BufferTooSmall
	}
	for i, n := range numbers {
		unsafe.Slice(out, len(numbers))[i] = C.CK_ULONG(n)
	}
	return nil
}

// pad fills a text with blanks.
func pad(out []C.CK_BYTE, text string) {
	for i := range out {
		out[i] = ' '
		if i < len(text) {
			out[i] = C.CK_BYTE(text[i])
		}
	}
}

const manufacturer = "Propusk"

var (
	libraryVersion  = C.CK_VERSION{1, 0}
	cryptokiVersion = C.CK_VERSION{2, 40}
)

// C_GetFunctionList is where an application starts.
//
//export C_GetFunctionList
func C_GetFunctionList(out **C.CK_FUNCTION_LIST) C.CK_RV {
	if out == nil {
		return rv(cryptoki.ArgumentsBad)
	}
	*out = C.propusk_functions()
	return rv(nil)
}

// C_Initialize reads PROPUSK_SOFT_TOKENS.
//
//export C_Initialize
func C_Initialize(args unsafe.Pointer) C.CK_RV {
	if a := (*C.CK_INITIALIZE_ARGS)(args); a != nil {
		some := a.createMutex != nil || a.destroyMutex != nil || a.lockMutex != nil || a.unlockMutex != nil
		all := a.createMutex != nil && a.destroyMutex != nil && a.lockMutex != nil && a.unlockMutex != nil
		const osLockingOK = 2
		switch {
		case a.reserved != nil, some && !all:
			return rv(cryptoki.ArgumentsBad)
		case all && a.flags&osLockingOK == 0: // only locks of the application, which we cannot use
			return rv(cryptoki.CantLock)
		}
	}
	if current.Load() != nil {
		return rv(cryptoki.AlreadyInitialized)
	}
	m, err := cryptoki.New(C.GoString(C.propusk_directory()))
	if err != nil {
		return rv(err)
	}
	if !current.CompareAndSwap(nil, m) {
		m.Close()
		return rv(cryptoki.AlreadyInitialized)
	}
	return rv(nil)
}

// C_Finalize ends everything.
//
//export C_Finalize
func C_Finalize(reserved unsafe.Pointer) C.CK_RV {
	if reserved != nil {
		return rv(cryptoki.ArgumentsBad)
	}
	m := current.Swap(nil)
	if m == nil {
		return rv(cryptoki.NotInitialized)
	}
	m.Close()
	return rv(nil)
}

// C_GetInfo tells what the library is.
//
//export C_GetInfo
func C_GetInfo(out *C.CK_INFO) C.CK_RV {
	return with(func(*cryptoki.Module) error {
		if out == nil {
			return cryptoki.ArgumentsBad
		}
		*out = C.CK_INFO{cryptokiVersion: cryptokiVersion, libraryVersion: libraryVersion}
		pad(out.manufacturer[:], manufacturer)
		pad(out.description[:], "Propusk soft tokens")
		return nil
	})
}

// C_GetSlotList lists slots.
//
//export C_GetSlotList
func C_GetSlotList(tokenPresent C.CK_BYTE, out, count *C.CK_ULONG) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		ids, err := m.Slots(tokenPresent != 0)
		if err != nil {
			return err
		}
		return list(ids, out, count)
	})
}

// C_GetSlotInfo tells about a slot.
//
//export C_GetSlotInfo
func C_GetSlotInfo(id C.CK_ULONG, out *C.CK_SLOT_INFO) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		if out == nil {
			return cryptoki.ArgumentsBad
		}
		description, flags, err := m.SlotInfo(uint(id))
		if err != nil {
			return err
		}
		*out = C.CK_SLOT_INFO{flags: C.CK_ULONG(flags), hardwareVersion: libraryVersion, firmwareVersion: libraryVersion}
		pad(out.description[:], description)
		pad(out.manufacturer[:], manufacturer)
		return nil
	})
}

// C_GetTokenInfo tells about a token.
//
//export C_GetTokenInfo
func C_GetTokenInfo(id C.CK_ULONG, out *C.CK_TOKEN_INFO) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		if out == nil {
			return cryptoki.ArgumentsBad
		}
		info, err := m.TokenInfo(uint(id))
		if err != nil {
			return err
		}
		const unavailable = ^C.CK_ULONG(0)
		*out = C.CK_TOKEN_INFO{
			flags:    C.CK_ULONG(info.Flags),
			sessions: C.CK_ULONG(info.Sessions), rwSessions: C.CK_ULONG(info.RWSessions), // of any number
			maxPIN: soft.MaxPIN, minPIN: soft.MinPIN,
			totalPublic: unavailable, freePublic: unavailable, totalPrivate: unavailable, freePrivate: unavailable,
			hardwareVersion: libraryVersion, firmwareVersion: libraryVersion,
		}
		pad(out.label[:], info.Label)
		pad(out.manufacturer[:], manufacturer)
		pad(out.model[:], "Propusk soft")
		pad(out.serial[:], info.Serial)
		pad(out.utcTime[:], "") // there is no clock
		return nil
	})
}

// C_GetMechanismList lists mechanisms.
//
//export C_GetMechanismList
func C_GetMechanismList(id C.CK_ULONG, out, count *C.CK_ULONG) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		types, err := m.Mechanisms(uint(id))
		if err != nil {
			return err
		}
		return list(types, out, count)
	})
}

// C_GetMechanismInfo tells about a mechanism.
//
//export C_GetMechanismInfo
func C_GetMechanismInfo(id, typ C.CK_ULONG, out *C.CK_MECHANISM_INFO) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		if out == nil {
			return cryptoki.ArgumentsBad
		}
		info, err := m.MechanismInfo(uint(id), uint(typ))
		if err != nil {
			return err
		}
		*out = C.CK_MECHANISM_INFO{
			minKeySize: C.CK_ULONG(info.Min), maxKeySize: C.CK_ULONG(info.Max), flags: C.CK_ULONG(info.Flags),
		}
		return nil
	})
}

// C_WaitForSlotEvent waits for a token to come or go.
//
//export C_WaitForSlotEvent
func C_WaitForSlotEvent(flags C.CK_ULONG, slot *C.CK_ULONG, reserved unsafe.Pointer) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		if slot == nil || reserved != nil {
			return cryptoki.ArgumentsBad
		}
		id, err := m.WaitForSlotEvent(flags&cryptoki.DontBlock != 0)
		if err == nil {
			*slot = C.CK_ULONG(id)
		}
		return err
	})
}
