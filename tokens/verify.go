package tokens

import (
	"encoding/asn1"
	"errors"
	"slices"
	"sync"

	"golang.org/x/crypto/cryptobyte"

	"propusk/gost/gost3410"
	"propusk/gost/spki"
	"propusk/pki/reason"
)

// maxVerifyKeys is how many public keys of others a session keeps in the token, so that
// the next signature by one of them costs no more than itself. CAs sign often.
const maxVerifyKeys = 16

// verifyKeys are public keys of others in a session, the last used one last.
type verifyKeys struct {
	mu   sync.Mutex
	kept []verifyKey
}

// The hashes that keys are for (RFC 9215, Section 4.2).
var (
	streebog256 = asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 2, 2}
	streebog512 = asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 2, 3}
)

type verifyKey struct {
	key    *gost3410.PublicKey
	object uint
}

// Verify reports whether a signature, s and r, both big-endian, of a digest in software
// order is that of a public key, as the token computes it: the key is put into the
// session and C_Verify called (63-ФЗ, ст. 11: a certified tool, if the token is one). A
// digest or signature of another length is none.
//
// The error, with which the result means nothing, is a *reason.Error:
// reason.TokenUnsupported, reason.TokenRemoved, reason.TokenCrashed,
// reason.TokenTimeout, reason.TokenSessionLost or reason.TokenFailed.
func (s *Session) Verify(pub *gost3410.PublicKey, digest, signature []byte) (bool, error) {
	m := mechanism{kind: signGOST256}
	if pub.Curve().Size() == 64 {
		m.kind = signGOST512
	}
	if size := pub.Curve().Size(); len(digest) != size || len(signature) != 2*size {
		return false, nil
	}
	if about := s.token.model(); about.SignsOnly {
		return false, reason.Errorf(reason.TokenUnsupported, "%s only signs", about.EN)
	}
	// Objects and operations are of the session: one thing at a time.
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	good := false
	err := s.do(func(lib library) error {
		object, err := s.publicObject(lib, pub)
		if err != nil {
			return err
		}
		err = lib.verify(s.handle, m, object, digest, signature)
		good = err == nil
		if errors.Is(err, rvSignature) || errors.Is(err, rvSignatureSize) {
			return nil
		}
		return err
	})
	return good && err == nil, err
}

// publicObject returns the object of a key of somebody else.
func (s *Session) publicObject(lib library, pub *gost3410.PublicKey) (uint, error) {
	kept := s.keys.kept
	if i := slices.IndexFunc(kept, func(k verifyKey) bool { return k.key.Equal(pub) }); i >= 0 {
		k := kept[i]
		s.keys.kept = append(slices.Delete(kept, i, i+1), k)
		return k.object, nil
	}
	if len(kept) == maxVerifyKeys {
		oldest := kept[0].object
		s.keys.kept = slices.Delete(kept, 0, 1)
		if err := lib.destroy(s.handle, oldest); err != nil {
			return 0, err
		}
	}
	template, err := publicTemplate(pub, s.token.params512())
	if err != nil {
		return 0, err
	}
	object, err := lib.create(s.handle, template)
	if err != nil {
		return 0, err
	}
	s.keys.kept = append(s.keys.kept, verifyKey{pub, object})
	return object, nil
}

// publicTemplate describes a public key as an object of the session.
func publicTemplate(pub *gost3410.PublicKey, params512 uint) ([]attribute, error) {
	algorithm := spki.DefaultAlgorithm(pub.Curve())
	params, err := oid(algorithm.ParamSet)
	if err != nil {
		return nil, err
	}
	keyType, attrParams, hash := uint(keyGOST256), uint(attrGOSTParams), streebog256
	if pub.Curve().Size() == 64 {
		keyType, attrParams, hash = keyGOST512, params512, streebog512
	}
	digest, err := oid(hash)
	if err != nil {
		return nil, err
	}
	return []attribute{
		{attrClass, number(classPublicKey)},
		{attrKeyType, number(keyType)},
		{attrToken, []byte{0}},
		{attrVerify, []byte{1}},
		{attrParams, params},
		{attrGOSTDigest, digest},
		{attrValue, pub.Bytes()},
	}, nil
}

// params512 is the attribute with the parameter set of keys of 512 bits.
func (t *Token) params512() uint {
	if a := t.model().Params512; a != 0 {
		return a
	}
	return attrGOSTParams
}

// oid is the DER of an identifier.
func oid(id []int) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1ObjectIdentifier(id)
	der, err := b.Bytes()
	if err != nil {
		return nil, reason.New(reason.TokenFailed, err)
	}
	return der, nil
}
