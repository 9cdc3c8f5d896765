package soft

import (
	"encoding/asn1"
	"unicode/utf8"

	"propusk/gost/gost3410"
	"propusk/gost/spki"
)

// Class is the kind of an object. The values are those of the files, and must not
// change.
type Class int

// The classes. The zero value is none of them.
const (
	Certificate Class = iota + 1
	PublicKey
	PrivateKey
	Data
)

// Usage is what a key is for: a set of bits.
type Usage int

// The uses of keys. A public key that can verify belongs to a private key that can
// sign.
const (
	Sign   Usage = 1 << iota // or verify
	Derive                   // key agreement: VKO, KEG
	// Confirm is of private keys: the PIN is entered once more for each signature
	// (CKA_ALWAYS_AUTHENTICATE). Package cryptoki asks for it, with [Token.Confirm]; a
	// [Key] of this package does not.
	Confirm

	defaultUsage = Sign | Derive
	allUsage     = defaultUsage | Confirm
)

// Object is something that a token keeps. It is a copy: nothing changes in the token
// when it does.
type Object struct {
	// Name tells the objects of a token apart, and lives as long as they do. The
	// token gives it; it is empty for an object that no token keeps.
	Name string

	Class Class
	Label string // UTF-8, at most 255 bytes
	ID    []byte // CKA_ID, at most 255 bytes: the same for a key and its certificate

	// Value is the DER of a certificate, LE(x)|LE(y) of a key, of a private one too,
	// or data, unless it is private: see [Token.Data].
	Value []byte

	Private     bool   // of data: only the user may read it, and the files do not tell it
	Application string // of data: what it belongs to; UTF-8, at most 255 bytes

	// The rest is of keys only.
	ParamSet  asn1.ObjectIdentifier // one of the 12 of [gost3410.CurveByParamSet]
	Usage     Usage
	Generated bool // on the token, so that nobody else has the private key

	sealed []byte // of private keys: LE(d) under the key of the token; of private data: the data
}

// PublicKey returns the key in Value; nil, if it is none.
func (o *Object) PublicKey() *gost3410.PublicKey {
	curve, err := gost3410.CurveByParamSet(o.ParamSet)
	if err != nil {
		return nil
	}
	key, err := gost3410.NewPublicKey(curve, o.Value)
	if err != nil {
		return nil
	}
	return key
}

// check is the one place that knows what a valid object is; the error is ErrObject.
func (o *Object) check() error {
	ok := utf8.ValidString(o.Label) && len(o.Label) <= maxLabel && len(o.ID) <= maxID
	if o.Class != Data {
		ok = ok && !o.Private && o.Application == ""
	}
	switch o.Class {
	case Certificate:
		ok = ok && len(o.Value) > 0 && len(o.Value) <= MaxCertificate && o.ParamSet == nil && o.Usage == 0 && !o.Generated
	case PublicKey, PrivateKey:
		// RFC 9215 has the parameter sets of 2012; the names of 2001 are those of
		// the same curves. Nothing else is left of GOST R 34.10-2001.
		_, err := spki.AlgorithmFor(o.ParamSet)
		uses := allUsage
		if o.Class == PublicKey {
			uses = defaultUsage
		}
		ok = ok && err == nil && o.Usage&^uses == 0 && o.PublicKey() != nil
	case Data:
		ok = ok && utf8.ValidString(o.Application) && len(o.Application) <= maxLabel && o.dataFits() &&
			o.ID == nil && o.ParamSet == nil && o.Usage == 0 && !o.Generated
	default:
		ok = false
	}
	if !ok {
		return ErrObject
	}
	return nil
}

// dataFits reports whether the data is where it belongs, and not too long.
func (o *Object) dataFits() bool {
	if o.Private {
		return o.Value == nil && len(o.sealed) >= sealOverhead && len(o.sealed) <= MaxData+sealOverhead
	}
	return o.sealed == nil && len(o.Value) <= MaxData
}
