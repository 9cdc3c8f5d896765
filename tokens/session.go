package tokens

import (
	"bytes"
	"errors"

	"propusk/gost/gost3410"
	"propusk/gost/spki"
	"propusk/pki/reason"
)

// Login enters the PIN of the user and returns a session, which must be closed. For a
// token with a PIN pad the PIN is nil and the call waits for the person. The PIN is
// sent once, whatever the answer; the caller wipes it.
//
// A token that says that its PIN is locked, unset or to be changed is not asked, and
// with one try left only if lastTry is set. The error is a *reason.Error with one of
// the reason.TokenPIN… codes, reason.TokenCancelled, or reason.TokenRemoved.
func (t *Token) Login(pin []byte, lastTry bool) (*Session, error) {
	s := &Session{token: t}
	err := t.module.do(func(lib library) error {
		info, err := lib.token(t.slot) // as it stands now
		if err != nil {
			return err
		}
		if info.serial != t.info.serial || info.label != t.info.label {
			return errGone // another token is in the slot, whose tries must not be spent
		}
		if err := mayLogin(info.pin(), lastTry); err != nil {
			return err
		}
		if s.handle, err = lib.open(t.slot, false); err != nil {
			return err
		}
		if err := lib.login(s.handle, userOrdinary, pin); err != nil && !errors.Is(err, rvAlreadyIn) {
			return errors.Join(err, lib.shut(s.handle))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// mayLogin says why a PIN must not be sent.
func mayLogin(state PINState, lastTry bool) error {
	switch state {
	case PINLocked:
		return reason.New(reason.TokenPINLocked, nil)
	case PINUnset:
		return reason.New(reason.TokenPINUnset, nil)
	case PINMustChange:
		return reason.New(reason.TokenPINChange, nil)
	case PINFinalTry:
		if !lastTry {
			return reason.New(reason.TokenPINLastTry, nil)
		}
	}
	return nil
}

// Session is a token whose PIN was entered. It is safe for concurrent use; the token
// does one thing at a time.
type Session struct {
	token  *Token
	handle uint
}

// Close ends the session. Its keys sign no more.
func (s *Session) Close() error {
	return s.token.module.do(func(lib library) error {
		err := lib.logout(s.handle)
		return errors.Join(err, lib.shut(s.handle))
	})
}

// Keys returns the private keys of GOST R 34.10-2012 on the token whose public half is
// there too, in a certificate or by itself. Others cannot be used and are left out.
func (s *Session) Keys() ([]*Key, error) {
	var keys []*Key
	err := s.token.module.do(func(lib library) error {
		objects, err := lib.find(s.handle, []attribute{{attrClass, number(classPrivateKey)}})
		if err != nil {
			return err
		}
		for _, object := range objects {
			k := &Key{session: s, object: object}
			if err := k.read(lib); err != nil {
				return err
			}
			if k.public != nil {
				keys = append(keys, k)
			}
		}
		return nil
	})
	return keys, err
}

// Certificates returns the X.509 certificates on the token, in DER; nobody has looked
// at them.
func (s *Session) Certificates() ([][]byte, error) {
	var all [][]byte
	err := s.token.module.do(func(lib library) (err error) {
		all, err = s.certificates(lib, nil)
		return err
	})
	return all, err
}

// certificates returns those with the given CKA_ID; nil means all.
func (s *Session) certificates(lib library, id []byte) ([][]byte, error) {
	template := []attribute{{attrClass, number(classCertificate)}}
	if id != nil {
		template = append(template, attribute{attrID, id})
	}
	objects, err := lib.find(s.handle, template)
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for _, object := range objects {
		der, err := lib.attribute(s.handle, object, attrValue)
		if err != nil {
			return nil, err
		}
		if len(der) != 0 && len(der) <= maxCertificate {
			all = append(all, der)
		}
	}
	return all, nil
}

// publicKey returns the public key object with the given CKA_ID; nil if there is none
// that can be used.
func (s *Session) publicKey(lib library, id []byte) (*gost3410.PublicKey, error) {
	objects, err := lib.find(s.handle, []attribute{{attrClass, number(classPublicKey)}, {attrID, id}})
	if err != nil {
		return nil, err
	}
	for _, object := range objects {
		value, err := lib.attribute(s.handle, object, attrValue)
		if err != nil {
			return nil, err
		}
		params, err := parameters(lib, s.handle, object)
		if err != nil {
			return nil, err
		}
		if key := point(params, value); key != nil {
			return key, nil
		}
	}
	return nil, nil
}

// parameters returns the DER of the identifier of the parameter set.
func parameters(lib library, session, object uint) ([]byte, error) {
	params, err := lib.attribute(session, object, attrGOSTParams)
	if err == nil && params == nil {
		params, err = lib.attribute(session, object, attrGOSTParams512)
	}
	return params, err
}

// point reads a public key; nil if it is none.
func point(params, value []byte) *gost3410.PublicKey {
	curve := curveOf(params)
	if curve == nil {
		return nil
	}
	// OpenSC gives the OCTET STRING of SubjectPublicKeyInfo where the standard wants
	// its content.
	for _, header := range [][]byte{{0x04, 0x40}, {0x04, 0x81, 0x80}} {
		if len(value) == len(header)+2*curve.Size() && bytes.HasPrefix(value, header) {
			value = value[len(header):]
		}
	}
	key, err := gost3410.NewPublicKey(curve, value)
	if err != nil {
		return nil
	}
	return key
}

// keyOfCertificate returns the key of a certificate; nil if it is not of GOST R 34.10.
func keyOfCertificate(der []byte) *gost3410.PublicKey {
	info, err := spki.FromCertificate(der)
	if err != nil {
		return nil
	}
	return info.Key
}
