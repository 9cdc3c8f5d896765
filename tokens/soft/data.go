package soft

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
)

// dataAAD is what sealed data is bound to: that it is data, and of which application.
// A label may change.
func (o *Object) dataAAD() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1Enum(int64(Data))
	addUTF8(&b, o.Application)
	return b.Bytes()
}

// sealData puts private data where nobody but the user can read it.
func (t *Token) sealData(o *Object) error {
	if o.Class != Data || len(o.Value) > MaxData {
		return ErrObject
	}
	aad, err := o.dataAAD()
	if err != nil {
		return ErrObject
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if err := t.user(); err != nil {
		return err
	}
	o.sealed, err = seal(t.key[:], o.Value, aad)
	o.Value = nil
	return err
}

// Data returns the data of an object; for private data the user must be logged in. The
// caller may change it.
//
// The error is [ErrNoObject] if o is not the object of data, [ErrFormat] if its file was
// tampered with, [ErrLogin], [ErrPINExpired] or [ErrRemoved].
func (t *Token) Data(o Object) ([]byte, error) {
	if o.Class != Data {
		return nil, ErrNoObject
	}
	if !o.Private {
		return bytes.Clone(o.Value), nil
	}
	aad, err := o.dataAAD()
	if err != nil {
		return nil, ErrFormat
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if err := t.user(); err != nil {
		return nil, err
	}
	plain, err := unseal(t.key[:], o.sealed, aad)
	if err != nil {
		return nil, ErrFormat
	}
	return plain, nil
}
