package virtualcard

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"propusk/gost/gost3410"
)

// Options says what a Rutoken is to be. The zero value is one with a new key of the
// parameter set CryptoPro-A, no certificate, the user's PIN 12345678 and the officer's
// 87654321.
type Options struct {
	// Label is the name of the token: "Virtual Rutoken".
	Label string

	// Key is the key on it, of the parameter sets CryptoPro-A, B or C: OpenSC knows no
	// others. Nil makes a new one.
	Key *gost3410.PrivateKey

	// Certificate is of the key, in DER; nil is none.
	Certificate []byte

	// ID is the identifier of the key and the certificate, CKA_ID: 45.
	ID []byte

	// KeyLabel is the name of both: "key".
	KeyLabel string

	// PIN is that of the user, 6 to 32 bytes, and SOPIN that of the security officer,
	// 8 to 32.
	PIN, SOPIN []byte

	// Tries is how many wrong PINs of the user in a row lock the token, at most 15: 10.
	Tries int

	// Serial is the serial number: 1.
	Serial uint32

	// Model is the name of the model: "Рутокен ЭЦП 2.0".
	Model string

	// Blank leaves the token as it is before pkcs15-init gives it files, PINs and keys.
	Blank bool
}

// defaults fills in what is not there.
func (o Options) defaults() (Options, error) {
	set := func(s *string, to string) {
		if *s == "" {
			*s = to
		}
	}
	bytes := func(b *[]byte, to string) {
		if len(*b) == 0 {
			*b = []byte(to)
		}
	}
	set(&o.Label, "Virtual Rutoken")
	set(&o.KeyLabel, "key")
	set(&o.Model, "Рутокен ЭЦП 2.0")
	bytes(&o.ID, "\x45")
	bytes(&o.PIN, "12345678")
	bytes(&o.SOPIN, "87654321")
	if o.Tries == 0 {
		o.Tries = 10
	}
	if o.Serial == 0 {
		o.Serial = 1
	}
	if o.Key == nil {
		key, err := gost3410.GenerateKey(gost3410.CryptoProA(), rand.Reader)
		if err != nil {
			return o, err
		}
		o.Key = key
	}
	switch {
	case o.Tries < 1 || o.Tries > 15:
		return o, errors.New("virtualcard: a PIN has 1 to 15 tries")
	case len(o.PIN) < 6 || len(o.PIN) > 32 || len(o.SOPIN) < 8 || len(o.SOPIN) > 32:
		return o, errors.New("virtualcard: a PIN has 6 to 32 bytes, that of the officer 8")
	case curveNumber(o.Key.PublicKey().Curve()) == 0:
		return o, fmt.Errorf("virtualcard: OpenSC has no keys of %s", o.Key.PublicKey().Curve().Name())
	}
	return o, nil
}

// New returns a Rutoken ЭЦП.
func New(o Options) (*Card, error) {
	o, err := o.defaults()
	if err != nil {
		return nil, err
	}
	r := &rutoken{pins: map[byte]*file{}, open: true, serial: o.Serial, model: o.Model}
	if !o.Blank {
		if err := r.personalise(o); err != nil {
			return nil, err
		}
	}
	r.reset()
	return &Card{atr: []byte(ATRRutoken), program: r}, nil
}

// rutoken returns the program of a Rutoken; nil if the card is another one.
func (c *Card) rutoken() *rutoken {
	r, _ := c.program.(*rutoken) // nil is the answer
	return r
}

// TriesLeft is how many tries are left of the user's PIN, 0 if it is locked or there is
// none.
func (c *Card) TriesLeft() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.rutoken(); r != nil && r.pins[pinUser] != nil {
		return r.pins[pinUser].pin.left
	}
	return 0
}

// Unlock gives the user's PIN all its tries back, as the officer would.
func (c *Card) Unlock() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.rutoken(); r != nil && r.pins[pinUser] != nil {
		r.pins[pinUser].pin.left = r.pins[pinUser].pin.most
	}
}

// Presented is how many times somebody has entered a PIN of the user, right or wrong.
func (c *Card) Presented() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.rutoken(); r != nil && r.pins[pinUser] != nil {
		return r.pins[pinUser].pin.presented
	}
	return 0
}

// PublicKeys returns the public halves of the keys on a Rutoken.
func (c *Card) PublicKeys() []*gost3410.PublicKey {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rutoken()
	if r == nil || r.mf == nil {
		return nil
	}
	directory := r.mf.walk(idSystem, idSystem, idPrivate)
	if directory == nil {
		return nil
	}
	var all []*gost3410.PublicKey
	for _, f := range directory.children {
		if f.key != nil {
			all = append(all, f.key.PublicKey())
		}
	}
	return slices.Clip(all)
}

// curveNumber is the reverse of curveOf; 0 is none.
func curveNumber(c *gost3410.Curve) byte {
	for n := byte(2); n <= 4; n++ {
		if curveOf(n) == c {
			return n
		}
	}
	return 0
}
