package pkcs8

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/internal/corpus"
	"propusk/gost/internal/engine"
	"propusk/gost/internal/vectors"
	"propusk/gost/spki"
)

// TestGostEngine: every key that gost-engine makes parses, has the public key that
// openssl computes, and writes back.
func TestGostEngine(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/gostengine.txt") {
		der := v.Hex(t, "pkcs8")
		key, alg, err := Parse(der)
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		if public, err := spki.Marshal(alg, key.PublicKey()); err != nil || !bytes.Equal(public, v.Hex(t, "spki")) {
			t.Errorf("%s: public key %x, %v", v.Name, public, err)
		}
		if back, err := Marshal(key, alg); err != nil || !bytes.Equal(back, der) {
			t.Errorf("%s: writes back as %x, %v", v.Name, back, err)
		}
	}
}

// sample returns a key with its PrivateKeyInfo up to the privateKey field.
func sample(t *testing.T, c *gost3410.Curve) (key *gost3410.PrivateKey, head string) {
	t.Helper()
	key, err := gost3410.NewPrivateKey(c, append(bytes.Repeat([]byte{0x17}, c.Size()-1), 3))
	if err != nil {
		t.Fatal(err)
	}
	return key, "020100" + hex.EncodeToString(spki.DefaultAlgorithm(c).Raw)
}

// wrap returns the DER of a constructed or primitive element in hex.
func wrap(tag, body string) string {
	n := len(body) / 2
	switch {
	case n < 0x80:
		return tag + hex.EncodeToString([]byte{byte(n)}) + body
	case n < 0x100:
		return tag + "81" + hex.EncodeToString([]byte{byte(n)}) + body
	}
	return tag + "82" + hex.EncodeToString([]byte{byte(n >> 8), byte(n)}) + body
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestForms writes one key in every form that is known.
func TestForms(t *testing.T) {
	for _, c := range []*gost3410.Curve{gost3410.CryptoProA(), gost3410.TC26512A()} {
		key, head := sample(t, c)
		raw := hex.EncodeToString(key.Bytes())
		big := key.Bytes()
		slices.Reverse(big)
		one := "01" + strings.Repeat("00", c.Size()-1)
		two := "02" + strings.Repeat("00", c.Size()-1)
		attributes := "a0020500"
		for name, body := range map[string]string{
			"raw":                    wrap("04", raw),
			"raw, attributes":        wrap("04", raw) + attributes,
			"octet string":           wrap("04", wrap("04", raw)),
			"integer":                wrap("04", wrap("02", hex.EncodeToString(big))),
			"masked with 1":          wrap("04", raw+one),
			"masked, octet string":   wrap("04", wrap("04", raw+one)),
			"masked with 1 thrice":   wrap("04", one+raw+one+one),
			"masked, the mask first": wrap("04", one+raw),
		} {
			got, alg, err := Parse(unhex(t, wrap("30", head+body)))
			if err != nil || !got.Equal(key) || !alg.Algorithm.Equal(spki.DefaultAlgorithm(c).Algorithm) {
				t.Errorf("%s, %s: %v", c, name, err)
			}
		}
		doubled, _, err := Parse(unhex(t, wrap("30", head+wrap("04", raw+two))))
		if err != nil || doubled.Equal(key) {
			t.Errorf("%s: the mask 2 does nothing: %v", c, err)
		}
		small, _, err := Parse(unhex(t, wrap("30", head+wrap("04", wrap("02", "05")))))
		if err != nil || small.Bytes()[0] != 5 {
			t.Errorf("%s: a short integer: %v", c, err)
		}
	}
}

func TestRefused(t *testing.T) {
	c := gost3410.CryptoProA()
	key, head := sample(t, c)
	raw := hex.EncodeToString(key.Bytes())
	field := wrap("04", raw)
	zero, ones := strings.Repeat("00", 32), strings.Repeat("ff", 32)
	other := hex.EncodeToString(spki.DefaultAlgorithm(gost3410.TC26512A()).Raw)
	for name, v := range map[string]struct {
		hex  string
		want error
	}{
		"empty":             {"", ErrSyntax},
		"trailing byte":     {wrap("30", head+field) + "00", ErrSyntax},
		"version 1":         {wrap("30", "020101"+head[6:]+field), ErrSyntax},
		"public key added":  {wrap("30", head+field+"8100"), ErrSyntax},
		"no field":          {wrap("30", head), ErrSyntax},
		"empty field":       {wrap("30", head+"0400"), ErrForm},
		"31 bytes":          {wrap("30", head+wrap("04", raw[2:])), ErrForm},
		"sequence":          {wrap("30", head+wrap("04", wrap("30", wrap("02", raw)))), ErrForm},
		"too many masks":    {wrap("30", head+wrap("04", strings.Repeat(raw, 6))), ErrForm},
		"empty octets":      {wrap("30", head+wrap("04", "0400")), gost3410.ErrPrivateKey},
		"33 octets":         {wrap("30", head+wrap("04", wrap("04", raw+"00"))), gost3410.ErrPrivateKey},
		"octets and more":   {wrap("30", head+wrap("04", wrap("04", raw)+"00")), ErrSyntax},
		"negative integer":  {wrap("30", head+wrap("04", wrap("02", "ff"))), ErrSyntax},
		"padded integer":    {wrap("30", head+wrap("04", wrap("02", "0005"))), ErrSyntax},
		"long integer":      {wrap("30", head+wrap("04", wrap("02", "01"+zero))), ErrSyntax},
		"integer 0":         {wrap("30", head+wrap("04", "020100")), gost3410.ErrPrivateKey},
		"zero":              {wrap("30", head+wrap("04", zero)), gost3410.ErrPrivateKey},
		"not below q":       {wrap("30", head+wrap("04", ones)), gost3410.ErrPrivateKey},
		"masked with zero":  {wrap("30", head+wrap("04", raw+zero)), gost3410.ErrPrivateKey},
		"key of 256 as 512": {wrap("30", "020100"+other+field), ErrForm},
		"GOST 94":           {wrap("30", "020100"+"301206062a8503020214"+"300806062a8503020214"+field), spki.ErrAlgorithm},
	} {
		got, alg, err := Parse(unhex(t, v.hex))
		if !errors.Is(err, v.want) || got != nil || alg.Algorithm != nil {
			t.Errorf("%s: %v, want %v", name, err, v.want)
		}
	}
	whole := unhex(t, wrap("30", head+field))
	for n := range whole {
		if got, _, err := Parse(whole[:n]); err == nil || got != nil {
			t.Errorf("accepted when cut to %d bytes", n)
		}
	}
	if _, _, err := Parse(make([]byte, maxSize+1)); !errors.Is(err, ErrSyntax) {
		t.Errorf("too long: %v", err)
	}
}

func TestMarshalRefuses(t *testing.T) {
	key, _ := sample(t, gost3410.CryptoProA())
	if der, err := Marshal(key, spki.DefaultAlgorithm(gost3410.CryptoProB())); der != nil || !errors.Is(err, ErrMismatch) {
		t.Errorf("another curve: %x, %v", der, err)
	}
	if der, err := Marshal(nil, spki.DefaultAlgorithm(gost3410.CryptoProB())); der != nil || !errors.Is(err, ErrMismatch) {
		t.Errorf("no key: %x, %v", der, err)
	}
	if der, err := Marshal(key, spki.AlgorithmIdentifier{}); der != nil || !errors.Is(err, spki.ErrAlgorithm) {
		t.Errorf("no algorithm: %x, %v", der, err)
	}
}

// TestNoSecretInErrors: an error of a wrong key must not show it.
func TestNoSecretInErrors(t *testing.T) {
	_, head := sample(t, gost3410.CryptoProC()) // its order starts with 9b
	for _, field := range []string{strings.Repeat("fe", 32), strings.Repeat("fe", 33), wrap("04", strings.Repeat("fe", 33))} {
		_, _, err := Parse(unhex(t, wrap("30", head+wrap("04", field))))
		if err == nil || strings.Contains(err.Error(), "fefe") || strings.Contains(err.Error(), "254") {
			t.Errorf("%v", err)
		}
	}
}

// refusedInCorpus says which keys of other projects are not for us, and why.
var refusedInCorpus = map[string]error{
	"bcgit-pkcs8-2a8f495ba4b12ec3.der":       spki.ErrAlgorithm,    // GOST R 34.10-94
	"garex-pkcs8-49658fd01a061075.der":       ErrForm,              // a vendor's SEQUENCE of two numbers
	"garex-pkcs8-ffbe4091f9ea5585.der":       ErrForm,              // the same
	"gost-engine-pkcs8-0909b5505c3dbbf1.der": gost3410.ErrParamSet, // a test set
	"gost-engine-pkcs8-96d70667bfeae2b5.der": gost3410.ErrParamSet, // a test set
}

// corpusKeys returns the private keys of other projects by name, DER.
func corpusKeys(t *testing.T) map[string][]byte {
	keys := map[string][]byte{}
	for line := range strings.Lines(string(corpus.Read(t, "data/INDEX.tsv"))) {
		path, _, _ := strings.Cut(line, "\t")
		name, ok := strings.CutPrefix(path, "keys/")
		switch {
		case !ok:
		case strings.Contains(name, "-pkcs8-"):
			keys[name] = corpus.Read(t, "data/"+path)
		case strings.HasSuffix(name, ".p8"):
			block, _ := pem.Decode(corpus.Read(t, "data/"+path))
			if block != nil && block.Type == "PRIVATE KEY" { // not an encrypted one
				keys[name] = block.Bytes
			}
		}
	}
	if len(keys) < 100 {
		t.Errorf("only %d keys in the index", len(keys))
	}
	return keys
}

// TestCorpus: of the private keys collected from other projects, those of the
// signature algorithms parse; the others are refused for a reason.
func TestCorpus(t *testing.T) {
	for name, der := range corpusKeys(t) {
		key, alg, err := Parse(der)
		if want := refusedInCorpus[name]; want != nil {
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
			continue
		}
		if isAgreement(der) {
			if !errors.Is(err, spki.ErrAlgorithm) {
				t.Errorf("%s: a key of key agreement alone: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		back, err := Marshal(key, alg)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if again, _, err := Parse(back); err != nil || !again.Equal(key) {
			t.Errorf("%s: lost when written: %v", name, err)
		}
	}
}

// isAgreement reports whether the key has an algorithm of key agreement: 2001 DH,
// or tc26 agreement with 256 or 512 bits.
func isAgreement(der []byte) bool {
	for _, oid := range []asn1.ObjectIdentifier{{1, 2, 643, 2, 2, 98}, {1, 2, 643, 7, 1, 1, 6, 1}, {1, 2, 643, 7, 1, 1, 6, 2}} {
		encoded, err := asn1.Marshal(oid)
		if err == nil && bytes.Contains(der, encoded) {
			return true
		}
	}
	return false
}

// TestEngineCorpus: we and gost-engine find the same public key in every private
// key that both read, and the engine reads what we write.
func TestEngineCorpus(t *testing.T) {
	engine.Require(t)
	for name, der := range corpusKeys(t) {
		key, alg, err := Parse(der)
		if err != nil {
			continue // TestCorpus looks after these
		}
		want, err := spki.Marshal(alg, key.PublicKey())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		ours, err := Marshal(key, alg)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for form, in := range map[string][]byte{"as it is": der, "as we write it": ours} {
			got := engine.Run(t, in, "pkey", "-inform", "DER", "-pubout", "-outform", "DER")
			info, err := spki.Parse(got)
			if err != nil || !info.Key.Equal(key.PublicKey()) {
				t.Errorf("%s, %s: %v, openssl has the public key %x, we have %x", name, form, err, got, want)
			}
		}
	}
}

// FuzzParse: what is accepted survives being written, what is refused gives
// nothing.
func FuzzParse(f *testing.F) {
	for _, v := range vectors.Load(f, "testdata/gostengine.txt") {
		f.Add(v.Hex(f, "pkcs8"))
	}
	f.Add([]byte("\x30\x3f\x02\x01\x00\x30\x17\x06\x08\x2a\x85\x03\x07\x01\x01\x01\x01\x30\x0b\x06\x09\x2a\x85\x03\x07\x01\x02\x01\x01\x01\x04\x03\x02\x01\x05"))
	f.Fuzz(func(t *testing.T, der []byte) {
		key, alg, err := Parse(der)
		if err != nil {
			if key != nil || alg.Algorithm != nil {
				t.Fatalf("%x: refused, yet returned something", der)
			}
			return
		}
		back, err := Marshal(key, alg)
		if err != nil {
			t.Fatalf("%x: accepted, but Marshal says %v", der, err)
		}
		again, _, err := Parse(back)
		if err != nil || !again.Equal(key) {
			t.Fatalf("%x: accepted, but %x is another key: %v", der, back, err)
		}
	})
}
