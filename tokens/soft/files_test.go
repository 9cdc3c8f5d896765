package soft

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// samples returns the file "token" and an object of each class.
func samples(t testing.TB) (token []byte, objects [][]byte) {
	t.Helper()
	dir := t.TempDir()
	tok, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []func() error{
		func() error { return tok.Init("Образец", []byte("87654321")) },
		func() error { return tok.Login(SecurityOfficer, []byte("87654321")) },
		func() error { return tok.InitPIN([]byte("12345678"), false) },
		func() error { tok.Logout(); return tok.Login(User, []byte("12345678")) },
		func() error {
			_, _, err := tok.Generate(nil, KeyTemplate{ParamSet: asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 1}, Label: "k", ID: []byte{1}})
			return err
		},
		func() error {
			_, err := tok.Add(Object{Class: Certificate, Label: "c", ID: []byte{1}, Value: []byte("DER")})
			return err
		},
		func() error {
			_, err := tok.Add(Object{Class: Data, Label: "d", Application: "a", Value: []byte("public")})
			return err
		},
		func() error {
			_, err := tok.Add(Object{Class: Data, Label: "p", Private: true, Value: []byte("private")})
			return err
		},
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	names, err := tok.names()
	if err != nil || len(names) != 5 {
		t.Fatalf("%d objects, %v", len(names), err)
	}
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for _, name := range names {
		objects = append(objects, read(name+objectExt))
	}
	return read(tokenFile), objects
}

// What is accepted is marshalled to the same bytes; what is not, gives nothing.
func checkHeader(t *testing.T, data []byte) {
	h, err := parseHeader(data)
	if err != nil {
		if h != nil || !errors.Is(err, ErrFormat) {
			t.Fatalf("%x: %v, %v", data, h, err)
		}
		return
	}
	if back, err := h.marshal(); err != nil || !bytes.Equal(back, data) {
		t.Fatalf("%x: accepted, but written as %x, %v", data, back, err)
	}
}

func checkObject(t *testing.T, data []byte) {
	o, err := parseObject(data)
	if err != nil {
		if o != nil || !errors.Is(err, ErrFormat) {
			t.Fatalf("%x: %v, %v", data, o, err)
		}
		return
	}
	if err := o.check(); err != nil {
		t.Fatalf("%x: accepted, but %v", data, err)
	}
	if back, err := o.marshal(); err != nil || !bytes.Equal(back, data) {
		t.Fatalf("%x: accepted, but written as %x, %v", data, back, err)
	}
}

func FuzzHeader(f *testing.F) {
	token, _ := samples(f)
	f.Add(token)
	f.Add([]byte{0x30, 0})
	f.Fuzz(checkHeader)
}

func FuzzObject(f *testing.F) {
	_, objects := samples(f)
	for _, o := range objects {
		f.Add(o)
	}
	f.Fuzz(checkObject)
}

// No changed byte, and no missing or added one, makes the PIN open a token or a key
// of it be taken for another: it is refused, or something else than the secrets is
// changed.
func TestMutations(t *testing.T) {
	token, objects := samples(t)
	for _, file := range append(objects, token) {
		check := checkObject
		if bytes.Equal(file, token) {
			check = checkHeader
		}
		for i := range file {
			for _, bit := range []byte{0x01, 0x80} {
				changed := bytes.Clone(file)
				changed[i] ^= bit
				check(t, changed)
			}
			check(t, file[:i])
		}
		check(t, append(bytes.Clone(file), 0))
	}
	for _, data := range [][]byte{token[:len(token)-1], append(bytes.Clone(token), 0)} {
		if _, err := parseHeader(data); err == nil {
			t.Error("a token of another length is accepted")
		}
	}
}

// Not one changed byte of a sealed secret lets the PIN through.
func TestMutatedSecret(t *testing.T) {
	key := bytes.Repeat([]byte{7}, keySize)
	aad := []byte("aad")
	sealed, err := seal(key, []byte("the secret"), aad)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := unseal(key, changed, aad); err == nil {
			t.Errorf("byte %d changed, and it opens", i)
		}
		if _, err := unseal(key, sealed[:i], aad); err == nil {
			t.Errorf("%d bytes of %d open", i, len(sealed))
		}
	}
	if _, err := unseal(key, sealed, []byte("other")); err == nil {
		t.Error("it opens with other associated data")
	}
}

// The secret of one role, or of one token, is not that of another.
func TestSecretIsBound(t *testing.T) {
	key, serial, pin := bytes.Repeat([]byte{7}, keySize), []byte("serial 1"), []byte("12345678")
	s, err := newSecret(User, serial, pin, key)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.open(User, serial, pin); err != nil || !bytes.Equal(got, key) {
		t.Errorf("%x, %v", got, err)
	}
	for what, open := range map[string]func() ([]byte, error){
		"role":  func() ([]byte, error) { return s.open(SecurityOfficer, serial, pin) },
		"token": func() ([]byte, error) { return s.open(User, []byte("serial 2"), pin) },
		"PIN":   func() ([]byte, error) { return s.open(User, serial, []byte("12345679")) },
		"long":  func() ([]byte, error) { return s.open(User, serial, make([]byte, MaxPIN+1)) },
	} {
		if _, err := open(); !errors.Is(err, ErrPIN) {
			t.Errorf("another %s: %v", what, err)
		}
	}
}

// A broken file hides neither the others nor the token; a huge one is not read.
func TestBrokenFiles(t *testing.T) {
	dir := t.TempDir()
	tok, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := tok.Init("", []byte("87654321")); err != nil {
		t.Fatal(err)
	}
	good := Object{Class: Certificate, Value: []byte("DER")}
	der, err := good.marshal()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"00000000000000aa.obj": der, "00000000000000bb.obj": der[1:], "00000000000000cc.obj": make([]byte, maxFile+1),
		"other.obj": der, ".new-1": der,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	objects, err := tok.Objects()
	if err != nil || len(objects) != 1 || objects[0].Name != "00000000000000aa" {
		t.Errorf("%+v, %v", objects, err)
	}
	if err := os.WriteFile(filepath.Join(dir, tokenFile), make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tok.Info(); !errors.Is(err, ErrFormat) {
		t.Errorf("a huge token: %v", err)
	}
	if err := tok.Init("", []byte("87654321")); !errors.Is(err, ErrFormat) {
		t.Errorf("Init over a broken token: %v", err) // it might be somebody's
	}
}

// A token that is full takes nothing more.
func TestFull(t *testing.T) {
	dir := t.TempDir()
	tok, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		tok.Init("", []byte("87654321")), tok.Login(SecurityOfficer, []byte("87654321")), tok.InitPIN([]byte("12345678"), false),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	tok.Logout()
	if err := tok.Login(User, []byte("12345678")); err != nil {
		t.Fatal(err)
	}
	for i := range maxObjects - 1 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%016x%s", i, objectExt)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tok.Add(Object{Class: Certificate, Value: []byte("DER")}); err != nil {
		t.Errorf("the last one: %v", err)
	}
	if _, err := tok.Add(Object{Class: Certificate, Value: []byte("DER")}); !errors.Is(err, ErrFull) {
		t.Errorf("one more: %v", err)
	}
}
