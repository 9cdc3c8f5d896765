//go:build cgo && unix

package main

// #include "cryptoki.h"
import "C"

import (
	"strings"
	"unicode/utf8"
	"unsafe"

	"propusk/tokens/internal/cryptoki"
	"propusk/tokens/soft"
)

// pinOf returns a PIN of the application. There is no keyboard of our own to take one
// from, so that there must be one.
func pinOf(p *C.CK_BYTE, length C.CK_ULONG) ([]byte, error) {
	if p == nil || length > 1024 {
		return nil, cryptoki.ArgumentsBad
	}
	return in(p, length)
}

// C_InitToken initialises a token.
//
//export C_InitToken
func C_InitToken(id C.CK_ULONG, pin *C.CK_BYTE, pinLength C.CK_ULONG, label *C.CK_BYTE) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		if label == nil {
			return cryptoki.ArgumentsBad
		}
		p, err := pinOf(pin, pinLength)
		if err != nil {
			return err
		}
		l, err := in(label, soft.MaxTokenLabel)
		if err != nil {
			return err
		}
		if !utf8.Valid(l) {
			return cryptoki.ArgumentsBad
		}
		return m.InitToken(uint(id), p, strings.TrimRight(string(l), " "))
	})
}

// C_InitPIN sets the PIN of the user.
//
//export C_InitPIN
func C_InitPIN(session C.CK_ULONG, pin *C.CK_BYTE, pinLength C.CK_ULONG) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		p, err := pinOf(pin, pinLength)
		if err != nil {
			return err
		}
		return m.InitPIN(uint(session), p)
	})
}

// C_SetPIN changes a PIN.
//
//export C_SetPIN
func C_SetPIN(session C.CK_ULONG, old *C.CK_BYTE, oldLength C.CK_ULONG, pin *C.CK_BYTE, pinLength C.CK_ULONG) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		o, err := pinOf(old, oldLength)
		if err != nil {
			return err
		}
		p, err := pinOf(pin, pinLength)
		if err != nil {
			return err
		}
		return m.SetPIN(uint(session), o, p)
	})
}

// C_OpenSession opens a session. There are no notifications to call the application
// back with.
//
//export C_OpenSession
func C_OpenSession(slot, flags C.CK_ULONG, application, notify unsafe.Pointer, session *C.CK_ULONG) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		if session == nil {
			return cryptoki.ArgumentsBad
		}
		handle, err := m.OpenSession(uint(slot), uint(flags))
		if err == nil {
			*session = C.CK_ULONG(handle)
		}
		return err
	})
}

// C_CloseSession closes a session.
//
//export C_CloseSession
func C_CloseSession(session C.CK_ULONG) C.CK_RV {
	return with(func(m *cryptoki.Module) error { return m.CloseSession(uint(session)) })
}

// C_CloseAllSessions closes the sessions with a token.
//
//export C_CloseAllSessions
func C_CloseAllSessions(slot C.CK_ULONG) C.CK_RV {
	return with(func(m *cryptoki.Module) error { return m.CloseAllSessions(uint(slot)) })
}

// C_GetSessionInfo tells about a session.
//
//export C_GetSessionInfo
func C_GetSessionInfo(session C.CK_ULONG, out *C.CK_SESSION_INFO) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		if out == nil {
			return cryptoki.ArgumentsBad
		}
		info, err := m.SessionInfo(uint(session))
		if err == nil {
			*out = C.CK_SESSION_INFO{slot: C.CK_ULONG(info.Slot), state: C.CK_ULONG(info.State), flags: C.CK_ULONG(info.Flags)}
		}
		return err
	})
}

// C_Login logs in.
//
//export C_Login
func C_Login(session, user C.CK_ULONG, pin *C.CK_BYTE, pinLength C.CK_ULONG) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		p, err := pinOf(pin, pinLength)
		if err != nil {
			return err
		}
		return m.Login(uint(session), uint(user), p)
	})
}

// C_Logout logs out.
//
//export C_Logout
func C_Logout(session C.CK_ULONG) C.CK_RV {
	return with(func(m *cryptoki.Module) error { return m.Logout(uint(session)) })
}

// C_GenerateRandom fills memory of the application.
//
//export C_GenerateRandom
func C_GenerateRandom(session C.CK_ULONG, out *C.CK_BYTE, length C.CK_ULONG) C.CK_RV {
	return with(func(m *cryptoki.Module) error {
		buffer, err := in(out, length)
		if err != nil {
			return err
		}
		return m.Random(uint(session), buffer)
	})
}
