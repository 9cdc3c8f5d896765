package tokens

import (
	"crypto"
	"encoding/asn1"
	"io"

	"propusk/gost/gost3410"
	"propusk/pki/reason"
)

// Key is a private key inside a token. It is a crypto.Signer, safe for concurrent use,
// and works as long as its session is open and the token connected.
type Key struct {
	session      *Session
	object       uint
	mechanism    uint
	id           []byte
	label        string
	public       *gost3410.PublicKey
	certificates [][]byte
	always       bool                   // CKA_ALWAYS_AUTHENTICATE
	askPIN       func() ([]byte, error) // of signatures; nil: none
}

// ID is CKA_ID: what ties a key, its public half and its certificate together.
func (k *Key) ID() []byte { return k.id }

// Label is the name of the key; it may be empty.
func (k *Key) Label() string { return k.label }

// Certificates returns the certificates of the key on the token, in DER: usually one,
// more after a renewal, none if it is kept elsewhere.
func (k *Key) Certificates() [][]byte { return k.certificates }

// Public implements crypto.Signer; the key is a *gost3410.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.public }

// Sign implements crypto.Signer with a digest of 32 or 64 bytes in software order; rand
// and opts are not used. The signature is s and r, both big-endian (RFC 9215, Section
// 2), and has been verified: what a token gets wrong is not passed on.
//
// The error is a *reason.Error: reason.TokenRemoved, reason.TokenCancelled,
// reason.TokenSignatureBad, reason.TokenCrashed, reason.TokenTimeout,
// reason.TokenSessionLost, reason.TokenFailed, or one of the reason.TokenPIN… codes and
// that of [Key.SetSignaturePIN] for a key that wants a PIN for each signature.
func (k *Key) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	if size := k.public.Curve().Size(); len(digest) != size {
		return nil, reason.Errorf(reason.TokenFailed, "the digest has %d bytes and the key wants %d", len(digest), size)
	}
	signature, err := k.sign(digest)
	if err != nil {
		return nil, err
	}
	if !k.public.Verify(digest, signature) {
		return nil, reason.Errorf(reason.TokenSignatureBad, "%s", misread(k.public, digest, signature))
	}
	return signature, nil
}

// sign has the digest signed, with a PIN if the key wants one: it is sent once, and not
// while the token has one try left.
func (k *Key) sign(digest []byte) (signature []byte, err error) {
	s, m := k.session, mechanism{kind: k.mechanism}
	if !k.WantsSignaturePIN() {
		err = s.do(func(lib library) (err error) {
			signature, err = lib.sign(s.handle, m, k.object, digest)
			return err
		})
		return signature, err
	}
	pin, err := k.signaturePIN()
	if err != nil {
		return nil, err
	}
	defer clear(pin)
	err = s.do(func(lib library) error {
		now, err := lib.token(s.token.slot)
		switch {
		case err != nil:
			return err
		case !now.same(s.token.info):
			return errGone // another token is in the slot, whose tries must not be spent
		}
		if s.token.model().SignaturePIN {
			// A PIN of its own, of which the token tells nothing.
			signature, err = lib.signPIN(s.handle, m, k.object, digest, pin)
			return err
		}
		if err := mayLogin(now, false); err != nil {
			return err
		}
		if signature, err = lib.signPIN(s.handle, m, k.object, digest, pin); err != nil {
			return s.refused(lib, err)
		}
		return nil
	})
	return signature, err
}

// read fills in what the token says about the key. A key that is not of ours stays
// without public half.
func (k *Key) read(lib library) error {
	s := k.session
	kind, err := lib.attribute(s.handle, k.object, attrKeyType)
	if err != nil {
		return err
	}
	size := 0
	switch numberOf(kind) {
	case keyGOST256:
		k.mechanism, size = signGOST256, 32
	case keyGOST512:
		k.mechanism, size = signGOST512, 64
	default:
		return nil
	}
	if k.id, err = lib.attribute(s.handle, k.object, attrID); err != nil || k.id == nil {
		return err
	}
	label, err := lib.attribute(s.handle, k.object, attrLabel)
	if err != nil {
		return err
	}
	k.label = clean(string(label))
	always, err := lib.attribute(s.handle, k.object, attrAlwaysAsk)
	if err != nil {
		return err
	}
	k.always = len(always) == 1 && always[0] == 1
	public, err := k.publicHalf(lib)
	if err == nil && public != nil && public.Curve().Size() == size {
		k.public = public
	}
	return err
}

// publicHalf is the public key with the identifier of the key: the object, else that of
// a certificate. Certificates of other keys are not kept.
func (k *Key) publicHalf(lib library) (*gost3410.PublicKey, error) {
	public, err := k.session.publicKey(lib, k.id)
	if err != nil {
		return nil, err
	}
	certificates, err := k.session.certificates(lib, k.id)
	if err == nil && public != nil { // data has no identifier to find it by
		certificates, err = k.session.withData(lib, certificates)
	}
	if err != nil {
		return nil, err
	}
	for _, der := range certificates {
		of := keyOfCertificate(der)
		if of == nil || public != nil && !public.Equal(of) {
			continue
		}
		public = of
		k.certificates = append(k.certificates, der)
	}
	return public, nil
}

// curveOf returns the curve of a parameter set, in DER; nil if it is unknown.
func curveOf(params []byte) *gost3410.Curve {
	var oid asn1.ObjectIdentifier
	if rest, err := asn1.Unmarshal(params, &oid); err != nil || len(rest) != 0 {
		return nil
	}
	curve, err := gost3410.CurveByParamSet(oid)
	if err != nil {
		return nil
	}
	return curve
}
