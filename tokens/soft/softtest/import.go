package softtest

import (
	"encoding/asn1"
	"testing"

	"propusk/gost/gost3410"
	"propusk/tokens/soft"
)

// Import puts a key that is known elsewhere on the token, both halves of it, for signatures
// and key agreement, or for what usage says if it is not zero.
func (k *Token) Import(t testing.TB, key *gost3410.PrivateKey, paramSet asn1.ObjectIdentifier, label string, id byte, usage soft.Usage) {
	t.Helper()
	token, err := soft.Open(k.Path)
	must(t, err)
	must(t, token.Login(soft.User, []byte(k.PIN)))
	defer token.Logout()
	if usage == 0 {
		usage = soft.Sign | soft.Derive
	}
	half := func(class soft.Class) soft.Object {
		return soft.Object{Class: class, Label: label, ID: []byte{id}, Value: key.PublicKey().Bytes(), ParamSet: paramSet, Usage: usage}
	}
	_, err = token.AddPair(key, half(soft.PublicKey), half(soft.PrivateKey))
	must(t, err)
}
