package soft

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"io"

	"propusk/gost/gost3410"
)

// KeyTemplate says what a new pair of keys is to be.
type KeyTemplate struct {
	ParamSet asn1.ObjectIdentifier // one of the 12 of [gost3410.CurveByParamSet]
	Label    string                // of both objects
	ID       []byte                // of both objects
	Usage    Usage                 // zero: Sign and Derive
}

func (k KeyTemplate) object(class Class, key *gost3410.PrivateKey) Object {
	usage := k.Usage
	if usage == 0 {
		usage = defaultUsage
	}
	if class == PublicKey {
		usage &^= Confirm
	}
	return Object{
		Class: class, Label: k.Label, ID: bytes.Clone(k.ID), Value: key.PublicKey().Bytes(),
		ParamSet: k.ParamSet, Usage: usage,
	}
}

// Generate makes a pair of keys on the token and returns both objects. The user must
// be logged in. rand nil means crypto/rand.Reader.
//
// The error is gost3410.ErrParamSet, one of [Token.Add], or that of rand.
func (t *Token) Generate(rand io.Reader, template KeyTemplate) (public, private Object, err error) {
	curve, err := gost3410.CurveByParamSet(template.ParamSet)
	if err != nil {
		return Object{}, Object{}, err
	}
	key, err := gost3410.GenerateKey(curve, rand)
	if err != nil {
		return Object{}, Object{}, err
	}
	pub, priv := template.object(PublicKey, key), template.object(PrivateKey, key)
	pub.Generated, priv.Generated = true, true
	if err := t.sealKey(&priv, key); err != nil {
		return Object{}, Object{}, err
	}
	added, err := t.add(pub, priv)
	if err != nil {
		return Object{}, Object{}, err
	}
	return added[0], added[1], nil
}

// Import puts a private key that came from elsewhere on the token: for tests and
// demonstrations, since a key that has been elsewhere is not one of the token alone.
// Only the private key is put there; the public one can be put by [Token.Add]. The
// errors are those of [Token.Generate].
func (t *Token) Import(key *gost3410.PrivateKey, template KeyTemplate) (Object, error) {
	curve, err := gost3410.CurveByParamSet(template.ParamSet)
	if err != nil {
		return Object{}, err
	}
	if key.PublicKey() == nil || key.PublicKey().Curve() != curve {
		return Object{}, ErrObject
	}
	o := template.object(PrivateKey, key)
	if err := t.sealKey(&o, key); err != nil {
		return Object{}, err
	}
	added, err := t.add(o)
	if err != nil {
		return Object{}, err
	}
	return added[0], nil
}

func (t *Token) sealKey(o *Object, key *gost3410.PrivateKey) error {
	aad, err := keyAAD(o.ParamSet, o.Value)
	if err != nil {
		return ErrObject
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if err := t.user(); err != nil {
		return err
	}
	raw := key.Bytes()
	defer clear(raw)
	o.sealed, err = seal(t.key[:], raw, aad)
	return err
}

// Key is a private key of a token. It can be used while the user is logged in. It is
// a crypto.Signer over a digest and a vko.Agreement, prints without its secret, and
// is safe for concurrent use.
type Key struct {
	token *Token
	usage Usage
	key   *gost3410.PrivateKey
	login *[keySize]byte // where the key of the token is in the login this was made in
}

// Key opens a private key. The user must be logged in; the Key ends with the login.
//
// The error is [ErrNoObject] if o is not the object of a private key, [ErrFormat] if
// its file was tampered with, [ErrLogin], [ErrPINExpired] or [ErrRemoved].
func (t *Token) Key(o Object) (*Key, error) {
	if o.Class != PrivateKey {
		return nil, ErrNoObject
	}
	curve, err := gost3410.CurveByParamSet(o.ParamSet)
	if err != nil {
		return nil, ErrFormat
	}
	aad, err := keyAAD(o.ParamSet, o.Value)
	if err != nil {
		return nil, ErrFormat
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if err := t.user(); err != nil {
		return nil, err
	}
	raw, err := unseal(t.key[:], o.sealed, aad)
	if err != nil {
		return nil, ErrFormat
	}
	defer clear(raw)
	key, err := gost3410.NewPrivateKey(curve, raw)
	if err != nil || !bytes.Equal(key.PublicKey().Bytes(), o.Value) {
		return nil, ErrFormat
	}
	return &Key{token: t, usage: o.Usage, key: key, login: t.key}, nil
}

// Public returns the public key, a *gost3410.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.key.Public() }

// Sign returns the signature BE(s)|BE(r) of a digest of 32 or 64 bytes. See
// [gost3410.PrivateKey.Sign] for the parameters.
//
// The error is gost3410.ErrDigest, [ErrUsage], [ErrLogin], [ErrPINExpired] or
// [ErrRemoved].
func (k *Key) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if err := k.usable(Sign); err != nil {
		return nil, err
	}
	return k.key.Sign(rand, digest, opts)
}

// SharedPoint implements vko.Agreement: see [gost3410.PrivateKey.SharedPoint]. The
// error is gost3410.ErrAgreement, [ErrUsage], [ErrLogin], [ErrPINExpired] or
// [ErrRemoved].
func (k *Key) SharedPoint(peer *gost3410.PublicKey, ukm []byte) ([]byte, error) {
	if err := k.usable(Derive); err != nil {
		return nil, err
	}
	return k.key.SharedPoint(peer, ukm)
}

func (k *Key) usable(u Usage) error {
	k.token.mu.RLock()
	defer k.token.mu.RUnlock()
	if err := k.token.user(); err != nil {
		return err
	}
	// Another login has another array for the key of the token.
	if k.login != k.token.key {
		return ErrLogin
	}
	if k.usage&u == 0 {
		return ErrUsage
	}
	return nil
}

// AddPair puts a new pair of keys on the token, both of key, and returns the public
// and the private object. For those who need more than [Token.Generate] says: other
// labels, say. What Class, Value and ParamSet must be follows from the key. The errors
// are those of [Token.Generate].
func (t *Token) AddPair(key *gost3410.PrivateKey, public, private Object) ([2]Object, error) {
	var none [2]Object
	if public.Class != PublicKey || private.Class != PrivateKey || !private.holds(key) || !public.holds(key) {
		return none, ErrObject
	}
	if err := t.sealKey(&private, key); err != nil {
		return none, err
	}
	added, err := t.add(public, private)
	if err != nil {
		return none, err
	}
	return [2]Object(added), nil
}

// holds reports whether an object is of a key.
func (o *Object) holds(key *gost3410.PrivateKey) bool {
	curve, err := gost3410.CurveByParamSet(o.ParamSet)
	return err == nil && key.PublicKey() != nil && key.PublicKey().Curve() == curve && bytes.Equal(o.Value, key.PublicKey().Bytes())
}
