package validate

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// signatory is a holder who signs at the moment of the tests.
func signatory(c *country.Country, h country.Holder) cms.Signatory {
	return cms.Signatory{Key: h.Key, Certificate: h.Cert, Chain: []*gostx509.Certificate{c.FNS.Cert}, Time: now}
}

// TestCreate judges what package cms signs, by itself and after another holder has
// added a signature.
func TestCreate(t *testing.T) {
	c := country.New(t)
	v := validator(c, QES())
	second := c.Person(t, c.FNS, gost3410.TC26512A(), country.Entrepreneur())
	for _, curve := range []*gost3410.Curve{gost3410.TC26256A(), gost3410.CryptoProA(), gost3410.TC26512C()} {
		first := c.Person(t, c.FNS, curve, country.Entrepreneur())
		for _, detached := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s detached %v", curve.Name(), detached), func(t *testing.T) {
				file, err := cms.Create(nil, document, signatory(c, first))
				content := cms.Content{}
				if detached {
					content = cms.Document(document)
					file, err = cms.CreateDetached(nil, bytes.NewReader(document), signatory(c, first))
				}
				if err != nil {
					t.Fatal(err)
				}
				wantPassed(t, v.Signature(file, content, now), cms.BES, first)
				refuses(t, "another document", v.Signature(file, cms.Document(document[1:]), now), verdict.Failed, wrongDocument(detached))
				both := add(t, file, detached, signatory(c, second))
				wantBoth(t, v.Signature(both, content, now), first, second)
			})
		}
	}
}

func wrongDocument(detached bool) reason.Code {
	if detached {
		return reason.ContentChanged
	}
	return reason.ContentMismatch
}

// add adds a signature to a file over the document of the tests.
func add(t *testing.T, file []byte, detached bool, by cms.Signatory) []byte {
	t.Helper()
	sd, err := cms.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	if detached {
		file, err = sd.Add(nil, bytes.NewReader(document), by)
	} else {
		file, err = sd.Add(nil, nil, by)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// wantBoth checks a report about good signatures of two holders, in any order.
func wantBoth(t *testing.T, r Report, holders ...country.Holder) {
	t.Helper()
	if r.Verdict().Status() != verdict.Passed || len(r.Signatures) != len(holders) {
		t.Fatalf("%v, %d signatures: %+v", r.Verdict().Status(), len(r.Signatures), r.Verdict().Checks())
	}
	for _, h := range holders {
		found := false
		for _, s := range r.Signatures {
			_, passed := s.Verdict.Identity()
			found = found || passed && s.Level == cms.BES && s.Claimed.Equal(h.Cert)
		}
		if !found {
			t.Errorf("no good signature of %v", h.Cert)
		}
	}
}

// TestSuitableAgrees: at every edge of the periods, who is let sign is let pass.
func TestSuitableAgrees(t *testing.T) {
	c := country.New(t)
	template := country.Entrepreneur()
	template.PrivateKeyUsage.NotBefore = now.Add(-time.Hour)
	template.PrivateKeyUsage.NotAfter = now.Add(time.Hour)
	h := c.Person(t, c.FNS, gost3410.TC26256A(), template)
	v := validator(c, QES())
	v.Policy.InsecureSkipRevocation = true // lists are of one day
	for _, edge := range []time.Time{h.Cert.NotBefore, h.Cert.NotAfter, h.Cert.PrivateKeyUsage.NotBefore, h.Cert.PrivateKeyUsage.NotAfter} {
		for _, at := range []time.Time{edge.Add(-time.Nanosecond), edge, edge.Add(time.Nanosecond)} {
			got := v.ParsedCertificate(h.Cert, nil, at).Verdict
			if err := cms.Suitable(h.Cert, at); reason.Of(err) != got.Why() {
				t.Errorf("%v: %v, and the verdict says %q", at, err, got.Why())
			}
		}
	}
}
