package tokens

import (
	"propusk/gost/gost3410"
	"propusk/pki/reason"
)

// Mechanisms of key agreement, and what they give.
const (
	deriveVKO = tc26 | 0x007 // CKM_GOSTR3410_12_DERIVE
	deriveKEG = tc26 | 0x039 // CKM_GOST_KEG

	kdfNull = 1 // CKD_NULL

	keyGeneric   = 0x10
	keyMagmaTwin = tc26 | 0x007

	vkoSize = 32 // bytes
	kegSize = 64
	kegHash = 32

	maxUKM = 64 // bytes
)

// VKO256 agrees inside the token on a key of 32 bytes with the public key of a peer, of
// the same curve, by VKO_GOSTR3410_2012_256 (RFC 7836, Section 4.3.1) with a UKM of 1 to
// 64 bytes, little-endian. The caller wipes the result.
//
// The error is a *reason.Error: reason.TokenUnsupported if the token does not do it, or
// as for [Key.Sign].
func (k *Key) VKO256(peer *gost3410.PublicKey, ukm []byte) ([]byte, error) {
	if err := k.agreesWith(peer); err != nil {
		return nil, err
	}
	if len(ukm) == 0 || len(ukm) > maxUKM {
		return nil, reason.Errorf(reason.TokenUnsupported, "%d bytes of UKM", len(ukm))
	}
	// AgreementFlat. The other form, CKM_GOSTR3410_DERIVE, has pointers in its parameter
	// and cannot be checked against a library that we can run.
	if form := k.session.token.model().Agreement; form == AgreementPointers {
		return nil, reason.Errorf(reason.TokenUnsupported, "the token wants the parameter of VKO in the form %s", form)
	}
	raw := peer.Bytes()
	parameter := append(number(kdfNull), number(uint(len(raw)))...)
	parameter = append(parameter, raw...)
	parameter = append(parameter, number(uint(len(ukm)))...)
	parameter = append(parameter, ukm...)
	return k.derive(mechanism{kind: deriveVKO, parameter: parameter}, keyGeneric, vkoSize)
}

// KEG agrees inside the token on the 64 bytes of keys that RFC 9189, Section 8.3.1,
// makes of the public key of a peer and a hash of 32 bytes. The caller wipes the result.
// The errors are those of [Key.VKO256].
func (k *Key) KEG(peer *gost3410.PublicKey, h []byte) ([]byte, error) {
	if err := k.agreesWith(peer); err != nil {
		return nil, err
	}
	if len(h) != kegHash {
		return nil, reason.Errorf(reason.TokenUnsupported, "%d bytes of hash", len(h))
	}
	m := mechanism{kind: deriveKEG, agreement: &agreement{kdf: kdfNull, shared: h, public: peer.Bytes()}}
	return k.derive(m, keyMagmaTwin, kegSize)
}

func (k *Key) agreesWith(peer *gost3410.PublicKey) error {
	if about := k.session.token.model(); about.SignsOnly {
		return reason.Errorf(reason.TokenUnsupported, "%s only signs", about.EN)
	}
	if peer.Curve() != k.public.Curve() {
		return reason.Errorf(reason.TokenUnsupported, "keys of different curves, %s and %s", k.public.Curve().Name(), peer.Curve().Name())
	}
	return nil
}

// derive makes a key of the session, reads it, and destroys it.
func (k *Key) derive(m mechanism, keyType uint, size int) ([]byte, error) {
	var secret []byte
	handle := k.session.handle
	err := k.session.do(func(lib library) (err error) {
		object, err := lib.derive(handle, m, k.object, []attribute{
			{attrClass, number(classSecretKey)},
			{attrKeyType, number(keyType)},
			{attrToken, []byte{0}},
			{attrSensitive, []byte{0}},
			{attrExtract, []byte{1}},
		})
		if err != nil {
			return err
		}
		secret, err = lib.attribute(handle, object, attrValue)
		if errDestroy := lib.destroy(handle, object); err == nil {
			err = errDestroy
		}
		return err
	})
	if err == nil && len(secret) != size {
		err = reason.Errorf(reason.TokenFailed, "the token gives %d bytes of the key that it agreed on", len(secret))
	}
	if err != nil {
		clear(secret)
		return nil, err
	}
	return secret, nil
}

// SetSignaturePIN says how the PIN of signatures is asked for, which is once for each:
// a key has one of its own if it says so (CKA_ALWAYS_AUTHENTICATE) or if the model of
// the token has (the ГОСТ applet of JaCarta-2). What ask returns is wiped after use;
// where the PIN is entered on a pad, it is not called. It must be set before the key is
// used by several goroutines.
func (k *Key) SetSignaturePIN(ask func() ([]byte, error)) { k.askPIN = ask }

// WantsSignaturePIN reports whether each signature of the key needs a PIN: see
// [Key.SetSignaturePIN].
func (k *Key) WantsSignaturePIN() bool { return k.always || k.session.token.model().SignaturePIN }

// signaturePIN asks for the PIN of a signature; nil is the pad.
func (k *Key) signaturePIN() ([]byte, error) {
	if k.session.token.HasPINPad() {
		return nil, nil
	}
	if k.askPIN == nil {
		return nil, reason.Errorf(reason.TokenPINWrong, "the key wants a PIN for each signature, and there is none")
	}
	pin, err := k.askPIN()
	if err == nil && len(pin) == 0 {
		err = reason.Errorf(reason.TokenPINWrong, "there is no PIN; it was not sent")
	}
	return pin, err
}
