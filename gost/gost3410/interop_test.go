package gost3410_test

import (
	"bytes"
	"encoding/asn1"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/internal/engine"
	"propusk/gost/internal/vectors"
	"propusk/gost/pkcs8"
	"propusk/gost/spki"
	"propusk/gost/streebog"
)

// TestEngine makes a key with gost-engine for every name of a parameter set that
// it knows, signs with one side and verifies with the other.
func TestEngine(t *testing.T) {
	engine.Require(t)
	for _, set := range []struct {
		algorithm, paramSet string
		oid                 asn1.ObjectIdentifier
	}{
		{"gost2012_256", "A", asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 1}},
		{"gost2012_256", "B", asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 2}},
		{"gost2012_256", "C", asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 3}},
		{"gost2012_256", "XA", asn1.ObjectIdentifier{1, 2, 643, 2, 2, 36, 0}},
		{"gost2012_256", "XB", asn1.ObjectIdentifier{1, 2, 643, 2, 2, 36, 1}},
		{"gost2012_256", "TCA", asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 1, 1}},
		{"gost2012_256", "TCB", asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 1, 2}},
		{"gost2012_256", "TCC", asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 1, 3}},
		{"gost2012_256", "TCD", asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 1, 4}},
		{"gost2012_512", "A", asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 2, 1}},
		{"gost2012_512", "B", asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 2, 2}},
		{"gost2012_512", "C", asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 2, 3}},
	} {
		t.Run(set.algorithm+" "+set.paramSet, func(t *testing.T) {
			theirs := engine.Run(t, nil, "genpkey", "-algorithm", set.algorithm, "-pkeyopt", "paramset:"+set.paramSet, "-outform", "DER")
			key, alg, err := pkcs8.Parse(theirs)
			if err != nil {
				t.Fatal(err)
			}
			if !alg.ParamSet.Equal(set.oid) {
				t.Errorf("parameter set %v, want %v", alg.ParamSet, set.oid)
			}
			signBothWays(t, key, alg)
			ours, err := gost3410.GenerateKey(key.PublicKey().Curve(), nil)
			if err != nil {
				t.Fatal(err)
			}
			signBothWays(t, ours, alg)
		})
	}
}

// signBothWays signs with us and with openssl, and lets the other verify.
func signBothWays(t *testing.T, key *gost3410.PrivateKey, alg spki.AlgorithmIdentifier) {
	t.Helper()
	private, err := pkcs8.Marshal(key, alg)
	if err != nil {
		t.Fatal(err)
	}
	public, err := spki.Marshal(alg, key.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	privateFile := file("private.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	publicFile := file("public.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	if got := engine.Run(t, private, "pkey", "-inform", "DER", "-pubout", "-outform", "DER"); !bytes.Equal(got, public) {
		t.Errorf("openssl says the public key is %x, we say %x", got, public)
	}
	message := []byte("кабинет предпринимателя")
	hash, digest := "-md_gost12_256", sum256(message)
	if key.PublicKey().Curve().Size() == streebog.Size512 {
		hash, digest = "-md_gost12_512", sum512(message)
	}
	sig := engine.Run(t, message, "dgst", hash, "-sign", privateFile)
	if !key.PublicKey().Verify(digest, sig) {
		t.Errorf("we refuse the signature %x of openssl", sig)
	}
	if sig, err = key.Sign(nil, digest, nil); err != nil {
		t.Fatal(err)
	}
	said := engine.Run(t, message, "dgst", hash, "-verify", publicFile, "-signature", file("dgst.sig", sig))
	if strings.TrimSpace(string(said)) != "Verified OK" {
		t.Errorf("openssl dgst: %s", said)
	}
	said = engine.Run(t, nil, "pkeyutl", "-verify", "-pubin", "-inkey", publicFile,
		"-in", file("digest", digest), "-sigfile", file("pkeyutl.sig", sig))
	if strings.TrimSpace(string(said)) != "Signature Verified Successfully" {
		t.Errorf("openssl pkeyutl: %s", said)
	}
}

// TestEdgeVectorsEngine: gost-engine gives the answers of the edge vectors.
func TestEdgeVectorsEngine(t *testing.T) {
	engine.Require(t)
	if testing.Short() {
		t.Skip("hundreds of openssl commands take seconds")
	}
	files, err := filepath.Glob("testdata/edge/*.txt")
	if err != nil || len(files) != 7 {
		t.Fatalf("%d files for seven curves, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			curve := curveNamed(t, name)
			for _, v := range vectors.Load(t, file) {
				key, err := gost3410.NewPublicKey(curve, v.Hex(t, "public"))
				if err != nil {
					t.Fatal(err)
				}
				valid := v.String(t, "valid") == "yes"
				if got := engineVerifies(t, key, v.Hex(t, "digest"), v.Hex(t, "signature")); got != valid {
					t.Errorf("%s: gost-engine says %v", v.Name, got)
				}
			}
		})
	}
}

// engineVerifies asks openssl about a signature.
func engineVerifies(t *testing.T, key *gost3410.PublicKey, digest, sig []byte) bool {
	t.Helper()
	public, err := spki.Marshal(spki.DefaultAlgorithm(key.Curve()), key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	said := strings.TrimSpace(string(engine.Try(t, nil, "pkeyutl", "-verify", "-pubin", "-keyform", "DER",
		"-inkey", file("key", public), "-in", file("digest", digest), "-sigfile", file("sig", sig))))
	switch said {
	case "Signature Verified Successfully":
		return true
	case "Signature Verification Failure":
		return false
	}
	t.Fatalf("openssl says %q", said)
	return false
}

func curveNamed(t *testing.T, name string) *gost3410.Curve {
	t.Helper()
	for _, c := range []*gost3410.Curve{
		gost3410.TC26256A(), gost3410.CryptoProA(), gost3410.CryptoProB(), gost3410.CryptoProC(),
		gost3410.TC26512A(), gost3410.TC26512B(), gost3410.TC26512C(),
	} {
		if c.Name() == name {
			return c
		}
	}
	t.Fatalf("no curve %q", name)
	return nil
}

func sum256(b []byte) []byte {
	h := streebog.Sum256(b)
	return h[:]
}

func sum512(b []byte) []byte {
	h := streebog.Sum512(b)
	return h[:]
}
