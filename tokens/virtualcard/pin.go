package virtualcard

import (
	"slices"

	"propusk/gost/gost3410"
	"propusk/tokens/internal/iso7816"
)

// maxPIN is the longest PIN of a token, in bytes.
const maxPIN = 249

// verify checks a PIN, or without one says how many tries are left, which costs none
// (ISO/IEC 7816-4, 11.5.6).
func (r *rutoken) verify(c Command) iso7816.Status {
	f := r.pins[c.P2]
	switch {
	case f == nil:
		return iso7816.NoReference
	case f.pin.left == 0:
		return iso7816.Blocked
	case len(c.Data) == 0:
		return iso7816.Status(0x63C0 | f.pin.left)
	case r.entered != 0:
		return wantsLogout
	}
	f.pin.presented++
	if f.pin.value == nil || !slices.Equal(f.pin.value, c.Data) {
		f.pin.left--
		return iso7816.VerificationFailed
	}
	f.pin.left, r.entered = f.pin.most, c.P2
	return iso7816.OK
}

// change gives a PIN or a private key another value: the parts of it under tags A5, one
// after another, each with one byte of length, whatever it is.
func (r *rutoken) change(c Command) iso7816.Status {
	value, ok := parts(c.Data)
	if !ok {
		return iso7816.WrongData
	}
	if c.P2 == 0 {
		return r.importKey(value)
	}
	f := r.pins[c.P2]
	switch {
	case f == nil:
		return iso7816.NoReference
	case !r.may(f, opUpdate):
		return iso7816.SecurityStatus
	case len(value) < f.pin.least || len(value) > maxPIN:
		return iso7816.WrongData
	}
	f.pin.value, f.pin.left = value, f.pin.most
	f.pin.flags &^= pinOfFactory
	return iso7816.OK
}

// parts puts the value of a PIN or a key together.
func parts(b []byte) ([]byte, bool) {
	var value []byte
	for len(b) != 0 {
		if len(b) < 2 || len(b) < 2+int(b[1]) || b[0] != 0x80 && b[0] != 0xA5 {
			return nil, false
		}
		n := 2 + int(b[1])
		if b[0] == 0xA5 {
			value = append(value, b[2:n]...)
		}
		b = b[n:]
	}
	return value, value != nil
}

// importKey gives the private key whose file is selected its number, little-endian.
func (r *rutoken) importKey(value []byte) iso7816.Status {
	f := r.current
	switch {
	case f == nil || f.curve == nil || f.parent.id != idPrivate:
		return iso7816.NoCurrentFile
	case !r.may(f, opUpdate):
		return iso7816.SecurityStatus
	}
	key, err := gost3410.NewPrivateKey(f.curve, value)
	if err != nil {
		return iso7816.WrongData
	}
	f.key = key
	return iso7816.OK
}

// unblock gives a PIN all its tries back.
func (r *rutoken) unblock(c Command) iso7816.Status {
	f := r.pins[c.P2]
	switch {
	case f == nil:
		return iso7816.NoReference
	case !r.may(f, opRead):
		return iso7816.SecurityStatus
	}
	f.pin.left = f.pin.most
	return iso7816.OK
}
