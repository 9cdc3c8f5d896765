package tokens

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"slices"
	"testing"

	"propusk/gost/gost3410"
	"propusk/pki/reason"
)

// faulty is a library that answers as a test wants, which no real one does when asked.
type faulty struct {
	tokens  []tokenInfo // one a slot
	answer  error
	logins  int // PINs that were sent
	in      bool
	opened  int
	objects []object
	spoil   func([]byte) []byte // of signatures; nil leaves them right
}

// object is one in a token.
type object struct {
	attributes map[uint][]byte
	key        *gost3410.PrivateKey
}

func (f *faulty) slots() ([]uint, error) {
	all := make([]uint, 0, len(f.tokens))
	for i := range f.tokens {
		all = append(all, uint(i))
	}
	return all, nil
}

func (f *faulty) token(slot uint) (tokenInfo, error) {
	if i := f.tokens[slot]; i != (tokenInfo{}) {
		return i, nil
	}
	return tokenInfo{}, rvTokenAbsent
}

func (f *faulty) info() (Info, error)                  { return Info{}, nil }
func (f *faulty) mechanisms(uint) ([]Mechanism, error) { return nil, nil }
func (f *faulty) state(uint) (uint, error) {
	if f.in {
		return stateUserReading, nil
	}
	return 0, nil
}
func (f *faulty) signPIN(uint, mechanism, uint, []byte, []byte) ([]byte, error) { return nil, rv(0x54) }
func (f *faulty) verify(uint, mechanism, uint, []byte, []byte) error            { return rv(0x54) }
func (f *faulty) create(uint, []attribute) (uint, error)                        { return 0, rv(0x54) }
func (f *faulty) destroy(uint, uint) error                                      { return rv(0x54) }
func (f *faulty) derive(uint, mechanism, uint, []attribute) (uint, error)       { return 0, rv(0x54) }
func (f *faulty) generate(uint, mechanism, []attribute, []attribute) (uint, uint, error) {
	return 0, 0, rv(0x54)
}
func (f *faulty) open(uint, bool) (uint, error) {
	f.opened++
	return 1, nil
}
func (f *faulty) login(uint, user, []byte) error {
	f.logins++
	f.in = f.answer == nil
	return f.answer
}
func (f *faulty) logout(uint) error {
	f.in = false
	return nil
}
func (f *faulty) shut(uint) error { return nil }
func (f *faulty) close() error    { return nil }

func (f *faulty) find(_ uint, template []attribute) ([]uint, error) {
	var found []uint
	for i, o := range f.objects {
		if !slices.ContainsFunc(template, func(a attribute) bool { return !bytes.Equal(o.attributes[a.kind], a.value) }) {
			found = append(found, uint(i))
		}
	}
	return found, nil
}

func (f *faulty) attribute(_, object, kind uint) ([]byte, error) {
	return f.objects[object].attributes[kind], nil
}

func (f *faulty) sign(_ uint, _ mechanism, key uint, digest []byte) ([]byte, error) {
	signature, err := f.objects[key].key.Sign(nil, digest, nil)
	if f.spoil != nil {
		signature = f.spoil(signature)
	}
	return signature, err
}

// one is a token in good order.
func one(flags uint) tokenInfo {
	return tokenInfo{label: "Ключ", serial: "0001", flags: flagPINSet | flags}
}

func TestPINIsSentOnlyWhenItMay(t *testing.T) {
	for name, c := range map[string]struct {
		now     tokenInfo // of the slot when Login is called
		lastTry bool
		answer  error
		want    reason.Code
		logins  int
	}{
		"ready":                    {now: one(0), logins: 1},
		"few tries":                {now: one(flagPINCountLow), logins: 1},
		"one try":                  {now: one(flagPINFinalTry), want: reason.TokenPINLastTry},
		"one try, allowed":         {now: one(flagPINFinalTry), lastTry: true, logins: 1},
		"locked":                   {now: one(flagPINLocked | flagPINFinalTry), lastTry: true, want: reason.TokenPINLocked},
		"to be changed":            {now: one(flagPINMustChange), lastTry: true, want: reason.TokenPINChange},
		"none yet":                 {now: tokenInfo{label: "Ключ", serial: "0001"}, want: reason.TokenPINUnset},
		"another token":            {now: tokenInfo{label: "Ключ", serial: "0002", flags: flagPINSet}, want: reason.TokenRemoved},
		"no token":                 {now: tokenInfo{}, want: reason.TokenRemoved},
		"wrong":                    {now: one(0), answer: rvPINIncorrect, want: reason.TokenPINWrong, logins: 1},
		"wrong and locked by that": {now: one(0), answer: rvPINLocked, want: reason.TokenPINLocked, logins: 1},
		"cancelled on the pad":     {now: one(0), answer: rvFuncCancelled, want: reason.TokenCancelled, logins: 1},
		"taken out":                {now: one(0), answer: rvDeviceRemoved, want: reason.TokenRemoved, logins: 1},
		"anything else":            {now: one(0), answer: rv(0x05), want: reason.TokenFailed, logins: 1},
		"in, and not by us":        {now: one(0), answer: rvAlreadyIn, want: reason.TokenFailed, logins: 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := &faulty{tokens: []tokenInfo{one(0)}, answer: c.answer}
			token, err := (&Module{lib: f}).Find("")
			if err != nil {
				t.Fatal(err)
			}
			f.tokens[0] = c.now
			s, err := token.Login([]byte("0000"), c.lastTry)
			if reason.Of(err) != c.want || (s != nil) != (c.want == "") {
				t.Errorf("session %v, error %v, want %q", s, err, c.want)
			}
			if f.logins != c.logins {
				t.Errorf("the PIN was sent %d times, want %d", f.logins, c.logins)
			}
		})
	}
}

func TestFindNamesOneToken(t *testing.T) {
	m := &Module{lib: &faulty{tokens: []tokenInfo{
		{label: "Первый", serial: "1"}, {}, {label: "Второй", serial: "2"}, {label: "Второй", serial: "3"},
	}}}
	for name, want := range map[string]reason.Code{
		"": reason.TokenAmbiguous, "Второй": reason.TokenAmbiguous, "Третий": reason.TokenAbsent, "Первый": "", "3": "",
	} {
		if token, err := m.Find(name); reason.Of(err) != want || (token != nil) != (want == "") {
			t.Errorf("%q: %v, %v; want %q", name, token, err, want)
		}
	}
	if _, err := (&Module{lib: new(faulty)}).Find(""); reason.Of(err) != reason.TokenAbsent {
		t.Errorf("no token at all: %v", err)
	}
}

// keyed is a token with one key whose signatures are spoilt.
func keyed(t *testing.T, spoil func([]byte) []byte) *Key {
	t.Helper()
	key, err := gost3410.GenerateKey(gost3410.CryptoProA(), nil)
	if err != nil {
		t.Fatal(err)
	}
	params, err := asn1.Marshal(asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 1})
	if err != nil {
		t.Fatal(err)
	}
	pair := func(class uint, value []byte) map[uint][]byte {
		return map[uint][]byte{
			attrClass: number(class), attrKeyType: number(keyGOST256), attrID: []byte("a"), attrGOSTParams: params, attrValue: value,
		}
	}
	f := &faulty{tokens: []tokenInfo{one(0)}, spoil: spoil, objects: []object{
		{attributes: pair(classPublicKey, key.PublicKey().Bytes())},
		{attributes: pair(classPrivateKey, nil), key: key},
		{attributes: map[uint][]byte{attrClass: number(classPrivateKey), attrKeyType: number(0)}}, // RSA
	}}
	token, err := (&Module{lib: f}).Find("")
	if err != nil {
		t.Fatal(err)
	}
	s, err := token.Login([]byte("1"), false)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := s.Keys()
	if err != nil || len(keys) != 1 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	return keys[0]
}

func TestWrongSignaturesAreNotPassedOn(t *testing.T) {
	digest := make([]byte, 32)
	for name, spoil := range map[string]func([]byte) []byte{
		"a bit":      func(s []byte) []byte { s[5] ^= 1; return s },
		"r before s": func(s []byte) []byte { return slices.Concat(s[32:], s[:32]) },
		"reversed":   func(s []byte) []byte { slices.Reverse(s); return s },
		"short":      func(s []byte) []byte { return s[:63] },
		"none":       func([]byte) []byte { return nil },
	} {
		if signature, err := keyed(t, spoil).Sign(nil, digest, nil); signature != nil || reason.Of(err) != reason.TokenSignatureBad {
			t.Errorf("%s: %x, %v", name, signature, err)
		}
	}
	right := keyed(t, nil)
	if _, err := right.Sign(nil, digest, nil); err != nil {
		t.Error(err)
	}
	if _, err := right.Sign(nil, digest[:31], nil); reason.Of(err) != reason.TokenFailed {
		t.Errorf("a short digest: %v", err)
	}
}

func TestPublicKeysAsOpenSCGivesThem(t *testing.T) {
	for _, c := range []struct {
		curve  *gost3410.Curve
		params asn1.ObjectIdentifier
		header []byte
	}{
		{gost3410.CryptoProA(), asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 1}, []byte{4, 64}},
		{gost3410.TC26512A(), asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 2, 1}, []byte{4, 0x81, 128}},
	} {
		key, err := gost3410.GenerateKey(c.curve, nil)
		if err != nil {
			t.Fatal(err)
		}
		params, err := asn1.Marshal(c.params)
		if err != nil {
			t.Fatal(err)
		}
		raw := key.PublicKey().Bytes()
		for _, value := range [][]byte{raw, append(c.header, raw...)} {
			if got := point(params, value); !key.PublicKey().Equal(got) {
				t.Errorf("%s, %d bytes: not read", c.curve.Name(), len(value))
			}
		}
		for _, value := range [][]byte{nil, raw[1:], append(raw, 0), make([]byte, len(raw)), append([]byte{4, 63}, raw...)} {
			if got := point(params, value); got != nil {
				t.Errorf("%s, %d bytes: read", c.curve.Name(), len(value))
			}
		}
	}
}

func TestOpenSaysWhy(t *testing.T) {
	want := reason.TokenModuleBad
	if !cgo {
		want = reason.TokenSupportMissing
	}
	if _, err := Open("/nonexistent/library.so"); reason.Of(err) != want {
		t.Errorf("%v", err)
	}
	m := &Module{lib: new(faulty)}
	if err := errors.Join(m.Close(), m.Close()); err != nil {
		t.Error(err)
	}
	if _, err := m.Tokens(); reason.Of(err) != reason.TokenFailed {
		t.Errorf("a closed module: %v", err)
	}
}
