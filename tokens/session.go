package tokens

import (
	"bytes"

	"propusk/gost/gost3410"
	"propusk/gost/spki"
)

// Keys returns the private keys of GOST R 34.10-2012 on the token whose public half is
// there too, in a certificate or by itself. Others cannot be used and are left out.
func (s *Session) Keys() ([]*Key, error) {
	return privateKeys(s, func(lib library, object uint) (*Key, bool, error) {
		k := &Key{session: s, object: object}
		err := k.read(lib)
		return k, k.public != nil, err
	})
}

// privateKeys returns what read makes of the private keys on the token, without those
// that it says are of no use.
func privateKeys[K any](s *Session, read func(lib library, object uint) (key K, usable bool, err error)) ([]K, error) {
	var keys []K
	err := s.do(func(lib library) error {
		objects, err := lib.find(s.handle, []attribute{{attrClass, number(classPrivateKey)}})
		if err != nil {
			return err
		}
		for _, object := range objects {
			k, usable, err := read(lib, object)
			if err != nil {
				return err
			}
			if usable {
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
	err := s.do(func(lib library) (err error) {
		if all, err = s.certificates(lib, nil); err != nil {
			return err
		}
		all, err = s.withData(lib, all)
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
