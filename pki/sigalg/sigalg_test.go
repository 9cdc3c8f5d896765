package sigalg

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/gost/gost3410"
	"propusk/pki/der"
)

// keys is one signer of every kind.
func keys(t testing.TB) map[string]crypto.Signer {
	t.Helper()
	all := map[string]crypto.Signer{}
	for name, curve := range map[string]*gost3410.Curve{
		"gost256": gost3410.CryptoProA(), "gost256 cofactor 4": gost3410.TC26256A(), "gost512": gost3410.TC26512A(),
	} {
		key, err := gost3410.GenerateKey(curve, nil)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = key
	}
	for name, curve := range map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = key
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	all["RSA"] = key
	return all
}

var message = []byte("сообщение")

// TestSign signs with every key and verifies under every key: only its own fits.
func TestSign(t *testing.T) {
	all := keys(t)
	for name, key := range all {
		alg, sig, err := Sign(nil, key, message)
		if name == "RSA" || name[0] == 'P' {
			alg, sig, err = Sign(rand.Reader, key, message)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for other, signer := range all {
			err := Verify(alg, signer.Public(), message, sig)
			switch {
			case other == name && err != nil:
				t.Errorf("%s: %v", name, err)
			case other != name && !errors.Is(err, ErrMismatch) && !errors.Is(err, ErrSignature):
				t.Errorf("%s under %s: %v", name, other, err)
			}
		}
		if err := Verify(alg, key.Public(), append(message[:len(message):len(message)], 0), sig); !errors.Is(err, ErrSignature) {
			t.Errorf("%s, another message: %v", name, err)
		}
		spoil(t, name, alg, key.Public(), sig)
	}
}

func spoil(t *testing.T, name string, alg AlgorithmIdentifier, pub crypto.PublicKey, sig []byte) {
	t.Helper()
	for _, bad := range [][]byte{nil, {}, sig[:len(sig)-1], append(bytes.Clone(sig), 0), make([]byte, len(sig)), bytes.Repeat([]byte{0xFF}, len(sig))} {
		if err := Verify(alg, pub, message, bad); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: signature %x: %v", name, bad, err)
		}
	}
	for i := range sig {
		bad := bytes.Clone(sig)
		bad[i] ^= 0x10
		if err := Verify(alg, pub, message, bad); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: byte %d of the signature: %v", name, i, err)
		}
	}
}

// TestPairs tries every signature algorithm with every digest and every key: the
// only combinations that reach the mathematics are the fitting ones.
func TestPairs(t *testing.T) {
	all := keys(t)
	fitting := map[string]int{"gost256": 4, "gost256 cofactor 4": 4, "gost512": 2, "RSA": 6, "P-256": 6, "P-384": 6, "P-521": 6}
	for name, key := range all {
		reached := 0
		for _, a := range algorithms {
			for _, d := range digests {
				alg := AlgorithmIdentifier{Algorithm: a.id}
				err := VerifyDigestWith(alg, d.id, key.Public(), make([]byte, d.size), make([]byte, 64))
				switch {
				case errors.Is(err, ErrSignature):
					reached++
				case !errors.Is(err, ErrMismatch) && !errors.Is(err, ErrParameters):
					t.Errorf("%s, %v, %v: %v", name, a.id, d.id, err)
				}
				if err := VerifyDigest(d.id, key.Public(), make([]byte, d.size-1), nil); !errors.Is(err, ErrMismatch) {
					t.Errorf("%s, short digest %v: %v", name, d.id, err)
				}
			}
		}
		if reached != fitting[name] {
			t.Errorf("%s: %d combinations fit, want %d", name, reached, fitting[name])
		}
	}
}

// TestKeyAlone: where nothing but the key names the algorithm, the digest must still
// be one that it may sign.
func TestKeyAlone(t *testing.T) {
	fitting := map[string]int{"gost256": 2, "gost256 cofactor 4": 2, "gost512": 1, "RSA": 3, "P-256": 3, "P-384": 3, "P-521": 3}
	for name, key := range keys(t) {
		reached := 0
		for _, d := range digests {
			err := VerifyDigest(d.id, key.Public(), make([]byte, d.size), make([]byte, 64))
			if errors.Is(err, ErrSignature) {
				reached++
			} else if !errors.Is(err, ErrMismatch) {
				t.Errorf("%s, %v: %v", name, d.id, err)
			}
		}
		if reached != fitting[name] {
			t.Errorf("%s: %d digests fit, want %d", name, reached, fitting[name])
		}
	}
}

// TestRefused: broken and unknown algorithms, whatever the key.
func TestRefused(t *testing.T) {
	for _, id := range forbidden() {
		if err := Verify(AlgorithmIdentifier{Algorithm: id}, nil, nil, nil); !errors.Is(err, ErrForbidden) {
			t.Errorf("%v: %v", id, err)
		}
		if _, err := NewHash(id); !errors.Is(err, ErrForbidden) {
			t.Errorf("%v: %v", id, err)
		}
		if err := VerifyDigest(id, nil, nil, nil); !errors.Is(err, ErrForbidden) {
			t.Errorf("%v: %v", id, err)
		}
	}
	unknown := asn1.ObjectIdentifier{1, 2, 3}
	if err := Verify(AlgorithmIdentifier{Algorithm: unknown}, nil, nil, nil); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if err := Verify(AlgorithmIdentifier{}, nil, nil, nil); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if _, err := NewHash(nil); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	for _, id := range []asn1.ObjectIdentifier{OIDKeyRSA, OIDKeyECDSA} {
		if err := Verify(AlgorithmIdentifier{Algorithm: id}, nil, nil, nil); !errors.Is(err, ErrUnknown) {
			t.Errorf("%v names no digest: %v", id, err)
		}
		if digest, err := DigestOf(AlgorithmIdentifier{Algorithm: id}); digest != nil || err != nil {
			t.Errorf("%v: %v, %v", id, digest, err)
		}
	}
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []crypto.PublicKey{nil, pub, (*gost3410.PublicKey)(nil), "text"} {
		for _, a := range algorithms {
			if err := VerifyDigestWith(AlgorithmIdentifier{Algorithm: a.id}, OIDStreebog256, key, make([]byte, 32), nil); !errors.Is(err, ErrMismatch) {
				t.Errorf("%v, key %T: %v", a.id, key, err)
			}
		}
		if err := VerifyDigest(OIDStreebog256, key, make([]byte, 32), nil); !errors.Is(err, ErrMismatch) {
			t.Errorf("key %T: %v", key, err)
		}
		if _, err := Suits(key); !errors.Is(err, ErrUnknown) {
			t.Errorf("key %T: %v", key, err)
		}
	}
}

// TestSHA1 shows that a right signature with SHA-1 does not pass.
func TestSHA1(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha1.Sum(message)
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA1, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	alg := AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}, Parameters: []byte{5, 0}}
	if err := Verify(alg, key.Public(), message, sig); !errors.Is(err, ErrForbidden) {
		t.Error(err)
	}
}

// TestShortRSA shows that a right signature of a short key does not pass.
func TestShortRSA(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	alg, sig, err := Sign(rand.Reader, key, message)
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(alg, key.Public(), message, sig); !errors.Is(err, ErrForbidden) {
		t.Error(err)
	}
}

// TestLongRSA shows that nobody can make us count for a minute: one check with a
// modulus that fills a certificate of 64 KiB would take that long.
func TestLongRSA(t *testing.T) {
	n := new(big.Int).SetBytes(bytes.Repeat([]byte{0xFF}, 50_000))
	key := &rsa.PublicKey{N: n, E: 1<<31 - 1}
	sig := append([]byte{0}, bytes.Repeat([]byte{0xFE}, 49_999)...)
	for _, alg := range []AlgorithmIdentifier{
		{Algorithm: OIDRSAWithSHA256, Parameters: []byte{5, 0}},
		{Algorithm: OIDRSAPSS, Parameters: pss(OIDSHA256, OIDSHA256, 32)},
	} {
		done := make(chan error, 1)
		go func() { done <- Verify(alg, key, message, sig) }()
		select {
		case err := <-done:
			if !errors.Is(err, ErrForbidden) {
				t.Errorf("%v: %v", alg.Algorithm, err)
			}
		case <-time.After(20 * time.Second): // a busy machine may stop the test for some time
			t.Fatalf("%v: the check takes too long", alg.Algorithm)
		}
	}
}

func TestParameters(t *testing.T) {
	key := keys(t)["gost256"]
	_, sig, err := Sign(nil, key, message)
	if err != nil {
		t.Fatal(err)
	}
	params := []byte{0x30, 0x09, 0x06, 0x07, 0x2A, 0x85, 0x03, 0x02, 0x02, 0x24, 0x00}
	for _, c := range []struct {
		id     asn1.ObjectIdentifier
		params []byte
		want   error
	}{
		{OIDGOST256WithStreebog, nil, nil},
		{OIDGOST256WithStreebog, []byte{5, 0}, nil},
		{OIDGOST256WithStreebog, params, ErrParameters},
		{OIDKeyGOST256, nil, nil},
		{OIDKeyGOST256, []byte{5, 0}, nil},
		{OIDKeyGOST256, params, nil},
	} {
		alg := AlgorithmIdentifier{Algorithm: c.id, Parameters: c.params}
		if err := Verify(alg, key.Public(), message, sig); !errors.Is(err, c.want) {
			t.Errorf("%v with %x: %v, want %v", c.id, c.params, err, c.want)
		}
	}
}

// TestMarshal writes and reads AlgorithmIdentifier.
func TestMarshal(t *testing.T) {
	for _, alg := range []AlgorithmIdentifier{
		{Algorithm: OIDGOST256WithStreebog}, {Algorithm: OIDRSAWithSHA256, Parameters: []byte{5, 0}},
	} {
		raw, err := alg.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		var d der.Decoder
		input := d.Open(raw, der.Limits{})
		got := Read(&input)
		input.End()
		if d.Err() != nil || !got.Algorithm.Equal(alg.Algorithm) || !bytes.Equal(got.Parameters, alg.Parameters) {
			t.Errorf("%v read as %v, %v", alg, got, d.Err())
		}
	}
	if raw, err := (AlgorithmIdentifier{}).Marshal(); err == nil {
		t.Errorf("no algorithm was written as %x", raw)
	}
}

// TestRead reads every identifier of the tables back as it was written.
func TestRead(t *testing.T) {
	var ids []asn1.ObjectIdentifier
	for _, a := range algorithms {
		ids = append(ids, a.id)
	}
	for _, d := range digests {
		ids = append(ids, d.id)
	}
	for _, id := range append(ids, forbidden()...) {
		want := AlgorithmIdentifier{Algorithm: id, Parameters: []byte{5, 0}}
		raw, err := want.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		var d der.Decoder
		r := d.Open(raw, der.Limits{})
		if got := Read(&r); d.Err() != nil || !got.Algorithm.Equal(id) || !bytes.Equal(got.Parameters, want.Parameters) {
			t.Errorf("%v is read as %v, %v", id, got, d.Err())
		}
	}
}

func TestSignWithRefuses(t *testing.T) {
	all := keys(t)
	for name, alg := range map[string]AlgorithmIdentifier{
		"gost256": {Algorithm: OIDGOST512WithStreebog},
		"gost512": {Algorithm: OIDGOST2001WithGOST94},
		"RSA":     {Algorithm: OIDRSAPSS},
		"P-256":   {Algorithm: OIDKeyECDSA},
	} {
		if sig, err := SignWith(rand.Reader, alg, all[name], message); sig != nil || !errors.Is(err, ErrMismatch) {
			t.Errorf("%s with %v: %v", name, alg.Algorithm, err)
		}
	}
}

// pss writes RSASSA-PSS-params; a zero salt leaves the field out.
func pss(hash, mask asn1.ObjectIdentifier, salt int64) []byte {
	var b cryptobyte.Builder
	field := func(b *cryptobyte.Builder, tag uint8, write func(*cryptobyte.Builder)) {
		b.AddASN1(cbasn1.Tag(tag).ContextSpecific().Constructed(), write)
	}
	algorithm := func(b *cryptobyte.Builder, id asn1.ObjectIdentifier, params func(*cryptobyte.Builder)) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(id)
			params(b)
		})
	}
	null := func(b *cryptobyte.Builder) { b.AddASN1NULL() }
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		field(b, 0, func(b *cryptobyte.Builder) { algorithm(b, hash, null) })
		field(b, 1, func(b *cryptobyte.Builder) {
			algorithm(b, oidMGF1, func(b *cryptobyte.Builder) { algorithm(b, mask, null) })
		})
		if salt != 0 {
			field(b, 2, func(b *cryptobyte.Builder) { b.AddASN1Int64(salt) })
		}
	})
	return b.BytesOrPanic()
}

func TestPSS(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(message)
	sig, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	oidSHA1 := asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	good := pss(OIDSHA256, OIDSHA256, 32)
	for name, c := range map[string]struct {
		params []byte
		want   error
	}{
		"good":                   {good, nil},
		"another salt":           {pss(OIDSHA256, OIDSHA256, 31), ErrSignature},
		"default salt":           {pss(OIDSHA256, OIDSHA256, 0), ErrSignature},
		"another mask":           {pss(OIDSHA256, OIDSHA512, 32), ErrParameters},
		"SHA-1":                  {pss(oidSHA1, oidSHA1, 20), ErrForbidden},
		"Streebog":               {pss(OIDStreebog256, OIDStreebog256, 32), ErrMismatch},
		"absent, which is SHA-1": {nil, ErrParameters},
		"empty, which is SHA-1":  {[]byte{0x30, 0}, ErrParameters},
		"NULL":                   {[]byte{5, 0}, ErrParameters},
		"trailing":               {append(bytes.Clone(good), 0), ErrParameters},
	} {
		alg := AlgorithmIdentifier{Algorithm: OIDRSAPSS, Parameters: c.params}
		if err := Verify(alg, key.Public(), message, sig); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	alg := AlgorithmIdentifier{Algorithm: OIDRSAPSS, Parameters: good}
	if err := VerifyDigestWith(alg, OIDSHA512, key.Public(), make([]byte, 64), sig); !errors.Is(err, ErrMismatch) {
		t.Errorf("digest apart from the parameters: %v", err)
	}
}

// FuzzPSS: no parameters panic, and those accepted name a digest that is allowed.
func FuzzPSS(f *testing.F) {
	f.Add(pss(OIDSHA256, OIDSHA256, 32))
	f.Add([]byte{0x30, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := readPSS(in)
		if err != nil {
			if p.digest != nil {
				t.Fatal("refused, yet something was returned")
			}
			return
		}
		if _, err := NewHash(p.digest); err != nil || p.salt < 0 {
			t.Fatalf("%x read as %+v", in, p)
		}
	})
}

// TestSum compares digests of messages at hand with those of messages in pieces.
func TestSum(t *testing.T) {
	for _, d := range digests {
		for _, n := range []int{0, 1, 63, 64, 65, 1000} {
			message := bytes.Repeat([]byte{0xA5}, n)
			h, err := NewHash(d.id)
			if err != nil {
				t.Fatal(err)
			}
			h.Write(message)
			if sum, err := Sum(d.id, message); err != nil || !bytes.Equal(sum, h.Sum(nil)) || len(sum) != d.size {
				t.Errorf("%v of %d bytes: %x, %v", d.id, n, sum, err)
			}
		}
	}
	for _, bad := range []struct {
		id   asn1.ObjectIdentifier
		want error
	}{{asn1.ObjectIdentifier{1, 2, 3}, ErrUnknown}, {asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}, ErrForbidden}} {
		if sum, err := Sum(bad.id, nil); sum != nil || !errors.Is(err, bad.want) {
			t.Errorf("%v: %x, %v, want %v", bad.id, sum, err, bad.want)
		}
	}
}
