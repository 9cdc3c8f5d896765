package spki

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/internal/corpus"
	"propusk/gost/internal/vectors"
)

// TestGostEngine: every key that gost-engine makes parses and writes back.
func TestGostEngine(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/gostengine.txt") {
		roundTrip(t, v.Name, v.Hex(t, "spki"))
	}
}

// roundTrip parses der and marshals it again.
func roundTrip(t *testing.T, name string, der []byte) {
	t.Helper()
	info, err := Parse(der)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	back, err := Marshal(info.Algorithm, info.Key)
	if err != nil || !bytes.Equal(back, der) {
		t.Errorf("%s: %x, %v, want %x", name, back, err, der)
	}
	if !bytes.Equal(info.Raw, der) || !bytes.Contains(der, info.Algorithm.Raw) || len(info.Algorithm.Raw) == 0 {
		t.Errorf("%s: Raw is not the input", name)
	}
}

// TestCertificates: the examples of RFC 9215; two of them have test parameter
// sets, which nobody may accept.
func TestCertificates(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/rfc9215.txt") {
		cert := v.Hex(t, "certificate")
		info, err := FromCertificate(cert)
		if v.String(t, "allowed") == "no" {
			if !errors.Is(err, gost3410.ErrParamSet) || info.Key != nil {
				t.Errorf("%s: %v", v.Name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		if info.Key.Curve() != gost3410.TC26256A() {
			t.Errorf("%s: curve %v", v.Name, info.Key.Curve())
		}
		roundTrip(t, v.Name, info.Raw)
		for n := range cert {
			if info, err := FromCertificate(cert[:n]); err == nil || info.Key != nil {
				t.Errorf("%s: accepted when cut to %d bytes", v.Name, n)
			}
		}
		if _, err := FromCertificate(append(bytes.Clone(cert), 0)); !errors.Is(err, ErrSyntax) {
			t.Errorf("%s: accepted with a byte after it", v.Name)
		}
	}
}

func TestDefaultAlgorithm(t *testing.T) {
	for c, want := range map[*gost3410.Curve]string{
		gost3410.TC26256A():   "301706082a85030701010101300b06092a850307010201" + "0101",
		gost3410.CryptoProA(): "301706082a85030701010101300b06092a850307010201" + "0102",
		gost3410.CryptoProB(): "301706082a85030701010101300b06092a850307010201" + "0103",
		gost3410.CryptoProC(): "301706082a85030701010101300b06092a850307010201" + "0104",
		gost3410.TC26512A():   "301706082a85030701010102300b06092a850307010201" + "0201",
		gost3410.TC26512B():   "301706082a85030701010102300b06092a850307010201" + "0202",
		gost3410.TC26512C():   "301706082a85030701010102300b06092a850307010201" + "0203",
	} {
		alg := DefaultAlgorithm(c)
		der, err := alg.Marshal()
		if err != nil || hex.EncodeToString(der) != want || !bytes.Equal(alg.Raw, der) {
			t.Errorf("%s: %x, %v, want %s", c, der, err, want)
		}
		if got, err := alg.Curve(); got != c || err != nil {
			t.Errorf("%s: %v, %v", c, got, err)
		}
	}
	if alg := DefaultAlgorithm(nil); alg.Algorithm != nil || alg.Raw != nil {
		t.Errorf("no curve: %+v", alg)
	}
}

func TestAlgorithmFor(t *testing.T) {
	xchA := asn1.ObjectIdentifier{1, 2, 643, 2, 2, 36, 0}
	alg, err := AlgorithmFor(xchA)
	if err != nil || !alg.Algorithm.Equal(OID256) || !alg.ParamSet.Equal(xchA) || !alg.Digest.Equal(oidStreebog256) {
		t.Errorf("XchA: %+v, %v", alg, err)
	}
	xchA[6] = 9 // ours to change
	if _, err := alg.Marshal(); err != nil {
		t.Errorf("the result is not a copy: %v", err)
	}
	for _, oid := range []asn1.ObjectIdentifier{nil, {1}, {1, 2, 643, 2, 2, 35, 0}, {1, 2, 643, 7, 1, 2, 1, 2, 0}} {
		if alg, err := AlgorithmFor(oid); !errors.Is(err, gost3410.ErrParamSet) || alg.Algorithm != nil {
			t.Errorf("%v: %+v, %v", oid, alg, err)
		}
	}
}

func TestMarshalRefuses(t *testing.T) {
	key, err := gost3410.GenerateKey(gost3410.CryptoProA(), nil)
	if err != nil {
		t.Fatal(err)
	}
	good := DefaultAlgorithm(gost3410.CryptoProA())
	mixed := good
	mixed.Algorithm = OID512
	gap := good
	gap.Encryption = oidStreebog256
	for name, c := range map[string]struct {
		alg  AlgorithmIdentifier
		key  *gost3410.PublicKey
		want error
	}{
		"another curve":            {DefaultAlgorithm(gost3410.CryptoProB()), key.PublicKey(), ErrAlgorithm},
		"no key":                   {good, nil, ErrAlgorithm},
		"an empty key":             {good, new(gost3410.PublicKey), ErrAlgorithm},
		"no algorithm":             {AlgorithmIdentifier{}, key.PublicKey(), ErrAlgorithm},
		"512 with 256":             {mixed, key.PublicKey(), ErrAlgorithm},
		"encryption and no digest": {gap, key.PublicKey(), ErrSyntax},
	} {
		if der, err := Marshal(c.alg, c.key); der != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %x, %v", name, der, err)
		}
	}
}

// TestParseRefuses changes one thing at a time in a good key.
func TestParseRefuses(t *testing.T) {
	key, err := gost3410.GenerateKey(gost3410.CryptoProA(), nil)
	if err != nil {
		t.Fatal(err)
	}
	alg, err := AlgorithmFor(asn1.ObjectIdentifier{1, 2, 643, 2, 2, 36, 0})
	if err != nil {
		t.Fatal(err)
	}
	der, err := Marshal(alg, key.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	good := hex.EncodeToString(der)
	point := hex.EncodeToString(key.PublicKey().Bytes())
	replace := func(old, by string) string {
		if strings.Count(good, old) != 1 {
			t.Fatalf("%s is not once in %s", old, good)
		}
		return strings.Replace(good, old, by, 1)
	}
	const oid = "06082a85030701010101"
	for name, c := range map[string]struct {
		hex  string
		want error
	}{
		"empty":                  {"", ErrSyntax},
		"trailing byte":          {good + "00", ErrSyntax},
		"BER length":             {"308166" + good[4:], ErrSyntax},
		"algorithm of 2001, DH":  {replace(oid, "06082a85030701010601"), ErrAlgorithm},
		"RSA":                    {replace(oid, "06082a864886f70d0101"), ErrAlgorithm},
		"512":                    {replace(oid, "06082a85030701010102"), ErrAlgorithm},
		"test parameter set":     {replace("06072a850302022400", "06072a850302022300"), gost3410.ErrParamSet},
		"unknown parameter set":  {replace("06072a850302022400", "06072a850302022405"), gost3410.ErrParamSet},
		"padded arc":             {replace("06072a850302022400", "06072a850302028024"), ErrSyntax},
		"parameters not OIDs":    {replace("06072a850302022400", "04072a850302022400"), ErrSyntax},
		"digest not an OID":      {replace("06082a85030701010202", "04082a85030701010202"), ErrSyntax},
		"unused bits":            {replace("0343000440", "0343010440"), ErrSyntax},
		"no octet string":        {replace("0343000440", "0343000540"), ErrSyntax},
		"octet string too short": {replace("0343000440"+point[:2], "034300043f"+point[:2]), ErrSyntax},
		"zero point":             {replace(point, strings.Repeat("00", 64)), gost3410.ErrPublicKey},
		"off the curve":          {replace(point, strings.Repeat("01", 64)), gost3410.ErrPublicKey},
	} {
		raw, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(name, err)
		}
		info, err := Parse(raw)
		if !errors.Is(err, c.want) || info.Key != nil || info.Raw != nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for n := range der {
		if info, err := Parse(der[:n]); err == nil || info.Key != nil {
			t.Errorf("accepted when cut to %d bytes", n)
		}
	}
	if _, err := Parse(make([]byte, maxSize+1)); !errors.Is(err, ErrSyntax) {
		t.Errorf("too long: %v", err)
	}
}

// TestAbsentParameters: parameters that a certificate would have to inherit are
// refused, as are NULL ones.
func TestAbsentParameters(t *testing.T) {
	for _, text := range []string{"300806062a8503020213", "300a06062a85030202130500", "300a06082a85030701010101"} {
		der, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if alg, err := ParseAlgorithm(der); !errors.Is(err, ErrSyntax) || alg.Algorithm != nil {
			t.Errorf("%s: %+v, %v", text, alg, err)
		}
	}
}

// TestCorpus: of the public keys collected from other projects, those that openssl
// reads parse, and the others are refused for a reason.
func TestCorpus(t *testing.T) {
	refused := map[string]error{
		"bcgit-spki-85c44274ce8396b6.der":   ErrAlgorithm,         // GOST R 34.10-94
		"libecc-spki-6a3e78191d3b9ab3.der":  ErrAlgorithm,         // GOST R 34.10-94
		"mitwork-spki-4740dd407d25c847.der": ErrAlgorithm,         // Kazakhstan
		"libecc-spki-61e2aed68b7c14d7.der":  gost3410.ErrParamSet, // a test set
		"libecc-spki-0f8fa6774d660ef4.der":  gost3410.ErrParamSet, // a test set
		// On the curve, but with a component of order 4: gost-engine keeps them to
		// test its own multiplication.
		"gost-engine-spki-182412a22360d343.der": gost3410.ErrPublicKey,
		"gost-engine-spki-6f96f15a9da10b3f.der": gost3410.ErrPublicKey,
	}
	seen := 0
	for line := range strings.Lines(string(corpus.Read(t, "data/INDEX.tsv"))) {
		path, _, _ := strings.Cut(line, "\t")
		name, ok := strings.CutPrefix(path, "keys/")
		if !ok || !strings.Contains(name, "-spki-") {
			continue
		}
		seen++
		der := corpus.Read(t, "data/"+path)
		if want := refused[name]; want != nil {
			if _, err := Parse(der); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
			continue
		}
		roundTrip(t, name, der)
	}
	if seen < 25 {
		t.Errorf("only %d keys in the index", seen)
	}
}

// TestCertificateCorpus: the key of every accredited CA of Russia parses and writes
// back.
func TestCertificateCorpus(t *testing.T) {
	curves := map[string]int{}
	lines := strings.Split(strings.TrimSpace(string(corpus.Read(t, "data/ca_certs/accredited.tsv"))), "\n")
	for _, line := range lines[1:] {
		file := strings.Split(line, "\t")[1]
		info, err := FromCertificate(corpus.Read(t, "data/ca_certs/"+file))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		curves[info.Key.Curve().Name()]++
		roundTrip(t, file, info.Raw)
	}
	if len(curves) < 5 {
		t.Errorf("curves: %v", curves)
	}
}

// FuzzParse: what is accepted writes back as the same bytes, what is refused gives
// nothing.
func FuzzParse(f *testing.F) {
	for _, v := range vectors.Load(f, "testdata/gostengine.txt") {
		f.Add(v.Hex(f, "spki"))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		info, err := Parse(der)
		if err != nil {
			if info.Key != nil || info.Raw != nil || info.Algorithm.Algorithm != nil {
				t.Fatalf("%x: refused, yet returned %+v", der, info)
			}
			return
		}
		back, err := Marshal(info.Algorithm, info.Key)
		if err != nil || !bytes.Equal(back, der) {
			t.Fatalf("%x: accepted, but encodes as %x, %v", der, back, err)
		}
	})
}

// FuzzFromCertificate must not panic, and gives a key only with the bytes it is
// from.
func FuzzFromCertificate(f *testing.F) {
	for _, v := range vectors.Load(f, "testdata/rfc9215.txt") {
		f.Add(v.Hex(f, "certificate"))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		info, err := FromCertificate(der)
		if (err == nil) != (info.Key != nil) {
			t.Fatalf("%x: %v, key %v", der, err, info.Key)
		}
		if err == nil && !bytes.Contains(der, info.Raw) {
			t.Fatalf("%x: the key is from elsewhere: %x", der, info.Raw)
		}
	})
}
