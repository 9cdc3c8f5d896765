package cades

import (
	"bytes"
	"testing"

	"propusk/pki/cms"
	"propusk/pki/internal/longterm"
)

// FuzzOf reads attributes of whatever parses as a signature: nothing panics, what is
// read lies within the file, and a time-stamp that fits covers only what is there.
func FuzzOf(f *testing.F) {
	k := newKit(f)
	bes := k.bes(f)
	long := longterm.LongType1(f, bes, k.m, k.tsa)
	for _, seed := range [][]byte{
		bes, longterm.T(f, bes, k.tsa), long,
		longterm.Archive(f, long, document, longterm.ArchiveV2, k.tsa),
		longterm.Indexed(f, long, document, longterm.IndexV3, k.tsa),
		longterm.Indexed(f, long, document, longterm.Index, k.tsa),
		longterm.Add(f, bes, longterm.CounterSignature, longterm.Parse(f, bes).Signers[0].Raw),
		longterm.SignWith(f, document, k.h, stamped, longterm.SignaturePolicy, []byte{5, 0}),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sd, err := cms.Parse(data)
		if err != nil {
			return
		}
		for i := range sd.Signers {
			a, err := Of(&sd.Signers[i], sd)
			if err != nil && a.any() && a.Policy == nil && len(a.TimeStamps) == 0 {
				t.Error("read beyond a limit")
			}
			a.Level()
			a.Checks()
			for _, ts := range a.TimeStamps {
				if err := a.CheckImprint(ts, cms.Document(document)); err != nil {
					continue
				}
				for _, raw := range a.Covers(ts) {
					if !bytes.Contains(sd.Raw, raw) {
						t.Errorf("%s covers what is not in the file", ts.Kind)
					}
				}
			}
			for _, c := range a.CounterSignatures {
				if !bytes.Contains(sd.Raw, c.Raw) {
					t.Error("a counter-signature from elsewhere")
				}
			}
		}
	})
}

// FuzzReferences reads the values of attributes by themselves: what cannot be read
// gives nothing.
func FuzzReferences(f *testing.F) {
	k := newKit(f)
	f.Add(longterm.CertificateRefsOf(k.m.Certs...))
	f.Add(longterm.RevocationRefsOf(k.m.Lists, k.withOCSP(f, func(basic, _ []byte) []byte { return basic }).Refs...))
	f.Add(longterm.CertificateValuesOf(k.m.Certs...))
	f.Add(longterm.RevocationValuesOf(k.m.Lists, nil))
	f.Add(longterm.IndexOf(f, k.bes(f), longterm.IndexV3, nil))
	f.Fuzz(func(t *testing.T, value []byte) {
		if refs, err := readAll(value, readCertificateRefs); (err == nil) != (refs != nil) {
			t.Errorf("%d certificates and %v", len(refs), err)
		}
		if refs, err := readAll(value, readRevocationRefs); (err == nil) != (refs != nil) {
			t.Errorf("%d lists and %v", len(refs), err)
		}
		var p reader
		if err := p.certificateValues(value); (err == nil) != p.a.HasCertificateValues {
			t.Errorf("values and %v", err)
		}
		if err := p.revocationValues(value); (err == nil) != p.a.HasRevocationValues {
			t.Errorf("values and %v", err)
		}
		if policy, err := readPolicy(value); (err == nil) != (policy != nil) {
			t.Errorf("a policy and %v", err)
		}
		for _, version := range []string{oidHashIndex, oidHashIndexV2, oidHashIndexV3} {
			if x, err := readIndex(cms.Attribute{Type: []byte(version), Values: value}); (err == nil) != (x != nil) {
				t.Errorf("an index and %v", err)
			}
		}
	})
}
