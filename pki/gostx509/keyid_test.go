package gostx509

import (
	"crypto/sha1"
	"os"
	"path/filepath"
	"testing"

	"propusk/gost/gost3410"
	"propusk/pki/samples"
)

// TestKeyIDMethods counts how the CAs of the real list name their keys: 1,264 by the
// bits, 1,090 by the whole structure, 2 by the point alone, none otherwise.
func TestKeyIDMethods(t *testing.T) {
	all := loadCorpus(t).certs
	counts := map[KeyIDMethod]int{}
	for _, c := range all {
		counts[c.KeyIDMethod()]++
	}
	if counts[KeyIDUnknown] != 0 || counts[KeyIDOfPoint] == 0 || counts[KeyIDOfInfo] == 0 || counts[KeyIDOfBits] == 0 {
		t.Errorf("%v", counts)
	}
	if len(all) == 2356 && (counts[KeyIDOfBits] != 1264 || counts[KeyIDOfInfo] != 1090 || counts[KeyIDOfPoint] != 2) {
		t.Errorf("%v: the list was counted otherwise", counts)
	}
}

// TestMatchesKeyID: a certificate without an identifier answers to each that can be
// computed of its key, and one with an identifier to that one alone.
func TestMatchesKeyID(t *testing.T) {
	for _, curve := range []*gost3410.Curve{gost3410.CryptoProA(), gost3410.TC26512A()} {
		key, err := gost3410.GenerateKey(curve, nil)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := Create(nil, Template{Subject: Name{{Type: OIDCommonName, Text: "Вымышленный"}}, IsCA: true, MaxPathLen: -1}, nil, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		stated := c.SubjectKeyID
		if c.KeyIDMethod() == KeyIDUnknown || !c.MatchesKeyID(stated) {
			t.Error("the identifier that we make is not known to us")
		}
		point := key.PublicKey().Bytes()
		header := []byte{0x04, byte(len(point))}
		if len(point) > 127 {
			header = []byte{0x04, 0x81, byte(len(point))}
		}
		for method, data := range map[KeyIDMethod][]byte{KeyIDOfBits: append(header, point...), KeyIDOfInfo: c.RawSPKI, KeyIDOfPoint: point} {
			sum := sha1.Sum(data)
			c.SubjectKeyID = sum[:]
			if got := c.KeyIDMethod(); got != method {
				t.Errorf("%s: method %d, want %d", curve.Name(), got, method)
			}
			c.SubjectKeyID = nil
			if !c.MatchesKeyID(sum[:]) {
				t.Errorf("%s: method %d does not match a certificate without an identifier", curve.Name(), method)
			}
			c.SubjectKeyID = []byte("another one of 20 by")
			if c.MatchesKeyID(sum[:]) || c.KeyIDMethod() != KeyIDUnknown {
				t.Errorf("%s: method %d matches a certificate with another identifier", curve.Name(), method)
			}
		}
		c.SubjectKeyID = nil
		if c.MatchesKeyID(nil) || c.MatchesKeyID(make([]byte, 20)) {
			t.Error("an empty or foreign identifier matches")
		}
	}
	var zero Certificate
	sum := sha1.Sum(nil)
	if zero.MatchesKeyID(sum[:]) || zero.KeyIDMethod() != KeyIDUnknown {
		t.Error("the zero certificate has a key")
	}
}

// TestCurves: there is a certificate of every curve among the samples, and its key is
// read. Their signatures are verified in package samples.
func TestCurves(t *testing.T) {
	seen := map[*gost3410.Curve]int{}
	all := loadCorpus(t).certs
	for _, pattern := range []string{"ca_certs/other/*.der", "ee_certs/test/*.der"} {
		files, err := filepath.Glob(samples.Path(t, "data", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if c, err := ParseAny(raw); err == nil {
				all = append(all, c)
			}
		}
	}
	for _, c := range all {
		if key, ok := c.PublicKey.(*gost3410.PublicKey); ok {
			seen[key.Curve()]++
		}
	}
	for _, curve := range []*gost3410.Curve{
		gost3410.TC26256A(), gost3410.CryptoProA(), gost3410.CryptoProB(), gost3410.CryptoProC(),
		gost3410.TC26512A(), gost3410.TC26512B(), gost3410.TC26512C(),
	} {
		if seen[curve] == 0 {
			t.Errorf("no certificate with a key on %s", curve.Name())
		}
	}
	t.Logf("%v", seen)
}
