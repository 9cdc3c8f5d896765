package tokens_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"testing"
	"time"

	"propusk/pki/reason"
	"propusk/tokens"
	"propusk/tokens/softhsmtest"
)

// hsmSession opens the token of SoftHSM, in a child process.
func hsmSession(t *testing.T) *tokens.Session {
	t.Helper()
	module, err := tokens.Open(softhsmtest.Library)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := module.Close(); err != nil {
			t.Error(err)
		}
	})
	token, err := module.Find(softhsmtest.Label)
	if err != nil {
		t.Fatal(err)
	}
	session, err := token.Login([]byte(softhsmtest.PIN), false)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// ordinaryKeys are the kinds of keys that we use, and one that is too short.
func ordinaryKeys(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	p256, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, err2 := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	p521, err3 := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	big, err4 := rsa.GenerateKey(rand.Reader, 2048)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.Signer{"p256": p256, "p384": p384, "p521": p521, "rsa": big}
}

// Keys of another program's token sign what crypto/ecdsa and crypto/rsa verify, with the
// public halves that the token gives.
func TestSigners(t *testing.T) {
	hsm := softhsmtest.New(t)
	keys := ordinaryKeys(t)
	id := byte(0)
	for label, key := range keys {
		id++
		hsm.Import(label, id, key)
	}
	session := hsmSession(t)
	signers, err := session.Signers()
	if err != nil || len(signers) != 3 {
		t.Fatalf("%d keys, %v; P-521 is none of ours", len(signers), err)
	}
	d256, d384, d512 := sha256.Sum256([]byte("text")), sha512.Sum384([]byte("text")), sha512.Sum512([]byte("text"))
	for _, k := range signers {
		want := keys[k.Label()].Public()
		if len(k.ID()) != 1 || !want.(interface{ Equal(crypto.PublicKey) bool }).Equal(k.Public()) {
			t.Errorf("%s: %x, %v", k.Label(), k.ID(), k.Public())
		}
		for hash, digest := range map[crypto.Hash][]byte{crypto.SHA256: d256[:], crypto.SHA384: d384[:], crypto.SHA512: d512[:]} {
			signature, err := k.Sign(nil, digest, hash)
			if err != nil {
				t.Errorf("%s, %v: %v", k.Label(), hash, err)
				continue
			}
			switch public := k.Public().(type) {
			case *ecdsa.PublicKey:
				if !ecdsa.VerifyASN1(public, digest, signature) {
					t.Errorf("%s, %v: %x", k.Label(), hash, signature)
				}
			case *rsa.PublicKey:
				if err := rsa.VerifyPKCS1v15(public, hash, digest, signature); err != nil {
					t.Errorf("%v: %v", hash, err)
				}
				for _, salt := range []int{rsa.PSSSaltLengthEqualsHash, rsa.PSSSaltLengthAuto, 20, 0} {
					opts := &rsa.PSSOptions{SaltLength: salt, Hash: hash}
					if salt == 0 {
						opts.SaltLength = 1 // 0 is Auto
					}
					signature, err := k.Sign(nil, digest, opts)
					if err == nil {
						err = rsa.VerifyPSS(public, hash, digest, signature, opts)
					}
					if err != nil {
						t.Errorf("PSS, %v, salt %d: %v", hash, salt, err)
					}
				}
			}
		}
		for name, opts := range map[string]crypto.SignerOpts{
			"no hash": crypto.Hash(0), "SHA-1": crypto.SHA1, "another length": crypto.SHA512, "nothing": nil,
			"PSS by SHA-1": &rsa.PSSOptions{Hash: crypto.SHA1}, "a salt that is too long": &rsa.PSSOptions{Hash: crypto.SHA256, SaltLength: -2},
		} {
			if _, ok := k.Public().(*ecdsa.PublicKey); ok && name == "a salt that is too long" {
				continue // which is none of ECDSA
			}
			if signature, err := k.Sign(nil, d256[:], opts); signature != nil || reason.Of(err) != reason.TokenUnsupported {
				t.Errorf("%s, %s: %x, %v", k.Label(), name, signature, err)
			}
		}
	}
	if err := session.Close(); err != nil {
		t.Fatal(err)
	}
	if signature, err := signers[0].Sign(nil, d256[:], crypto.SHA256); signature != nil || err == nil {
		t.Errorf("after the session: %x, %v", signature, err)
	}
}

// A certificate on the token belongs to the key that it is of, whatever its identifier
// says.
func TestSignerCertificates(t *testing.T) {
	hsm := softhsmtest.New(t)
	keys := ordinaryKeys(t)
	hsm.Import("p256", 1, keys["p256"])
	hsm.Import("rsa", 2, keys["rsa"])
	own, foreign := selfSigned(t, keys["p256"]), selfSigned(t, keys["p384"])
	hsm.Certificate("own", 1, own)
	hsm.Certificate("foreign", 1, foreign)
	hsm.Certificate("of another kind", 2, own)
	signers, err := hsmSession(t).Signers()
	if err != nil || len(signers) != 2 {
		t.Fatalf("%d, %v", len(signers), err)
	}
	for _, k := range signers {
		got := k.Certificates()
		if k.Label() == "rsa" && len(got) != 0 || k.Label() == "p256" && (len(got) != 1 || !bytes.Equal(got[0], own)) {
			t.Errorf("%s: %d certificates", k.Label(), len(got))
		}
	}
}

func selfSigned(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "HSM"}, DNSNames: []string{"localhost"},
		NotBefore: time.Unix(1_700_000_000, 0), NotAfter: time.Unix(4_000_000_000, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// A secret is one that only the PIN opens.
func TestData(t *testing.T) {
	hsm := softhsmtest.New(t)
	secret := []byte("a secret of another system, long enough")
	hsm.Data("secret", secret, true)
	hsm.Data("open", secret, false)
	hsm.Data("twice", secret, true)
	hsm.Data("twice", secret, true)
	session := hsmSession(t)
	if got, err := session.Data("secret"); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("%q, %v", got, err)
	}
	for label, want := range map[string]reason.Code{
		"open": reason.TokenDataPublic, "twice": reason.TokenAmbiguous, "none": reason.TokenObjectAbsent, "": reason.TokenObjectAbsent,
	} {
		if got, err := session.Data(label); got != nil || reason.Of(err) != want {
			t.Errorf("%q: %q, %v", label, got, err)
		}
	}
}
