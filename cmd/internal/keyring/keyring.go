// Package keyring puts the keys of people of the demo country on soft tokens: what a
// person has in his hand, for the demo and for tests.
package keyring

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"propusk/gost/gost3410"
	"propusk/gost/pkcs8"
	"propusk/gost/spki"
	"propusk/pki/der"
	"propusk/tokens/soft"
)

// Person is whose token it is.
type Person struct {
	ID   string // the directory of the token
	Name string // its label, at most [soft.MaxTokenLabel] bytes
	PIN  string
	// Cert and Key are PEM or DER files: a certificate, and its key in PKCS#8.
	Cert, Key string
}

// Fill makes a soft token for everybody in DIR/ID. A token that has the certificate of
// its person already is left as it is, with its counters and what was put on it; any
// other is made anew.
func Fill(dir string, people []Person) error {
	for _, p := range people {
		cert, err := readDER(p.Cert, "CERTIFICATE")
		if err != nil {
			return err
		}
		raw, err := readDER(p.Key, "PRIVATE KEY")
		if err != nil {
			return err
		}
		key, _, err := pkcs8.Parse(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Key, err)
		}
		at := filepath.Join(dir, p.ID)
		if has(at, cert) {
			continue
		}
		if err := os.RemoveAll(at); err != nil {
			return err
		}
		if err := Make(at, p.Name, p.PIN, cert, key); err != nil {
			return fmt.Errorf("token of %s: %w", p.ID, err)
		}
	}
	return nil
}

func readDER(path, label string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	out, err := der.Decode(data, label)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

// has reports whether the token in a directory has a certificate.
func has(dir string, cert []byte) bool {
	token, err := soft.Open(dir)
	if err != nil {
		return false
	}
	objects, err := token.Objects()
	if err != nil {
		return false
	}
	for _, o := range objects {
		if o.Class == soft.Certificate && bytes.Equal(o.Value, cert) {
			return true
		}
	}
	return false
}

// Make makes a soft token in a directory, which must not be there: with a label, the PIN
// of its user, and a certificate. Without a key it is a token that somebody forgot to put
// the key on. Nobody knows the PIN of its officer.
func Make(dir, label, pin string, cert []byte, key *gost3410.PrivateKey) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	// A token appears whole: agents may be looking. One of which the rename fails stays
	// hidden, and is made anew the next time.
	temporary, err := os.MkdirTemp(filepath.Dir(filepath.Dir(dir)), ".token-")
	if err != nil {
		return err
	}
	token, err := soft.Open(temporary)
	if err == nil {
		err = fill(token, label, pin, cert, key)
	}
	if err == nil {
		err = os.Rename(temporary, dir)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(temporary))
	}
	return nil
}

func fill(token *soft.Token, label, pin string, cert []byte, key *gost3410.PrivateKey) error {
	officer := []byte(rand.Text())
	defer clear(officer)
	info, err := spki.FromCertificate(cert)
	if err != nil {
		return err
	}
	id := []byte{1}
	if err := token.Init(label, officer); err != nil {
		return err
	}
	if err := token.Login(soft.SecurityOfficer, officer); err != nil {
		return err
	}
	err = token.InitPIN([]byte(pin), false)
	token.Logout()
	if err != nil {
		return err
	}
	if err := token.Login(soft.User, []byte(pin)); err != nil {
		return err
	}
	defer token.Logout()
	if key != nil {
		template := soft.KeyTemplate{ParamSet: info.Algorithm.ParamSet, Label: "key", ID: id}
		if _, err := token.Import(key, template); err != nil {
			return err
		}
		public := soft.Object{
			Class: soft.PublicKey, Label: "key", ID: id, Value: key.PublicKey().Bytes(),
			ParamSet: template.ParamSet, Usage: soft.Sign | soft.Derive,
		}
		if _, err := token.Add(public); err != nil {
			return err
		}
	}
	_, err = token.Add(soft.Object{Class: soft.Certificate, Label: "key", ID: id, Value: cert})
	return err
}
