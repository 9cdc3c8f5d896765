package validate

import (
	"encoding/asn1"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/spki"
	"propusk/pki/cades"
	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/internal/longterm"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

// old makes a holder with a key of GOST R 34.10-2001.
func (w *world) old(t *testing.T, template gostx509.Template) country.Holder {
	t.Helper()
	template.PublicKeyAlgorithm = spki.AlgorithmIdentifier{
		Algorithm: sigalg.OIDKeyGOST2001,
		ParamSet:  asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 1},
		Digest:    asn1.ObjectIdentifier{1, 2, 643, 2, 2, 30, 1},
	}
	return w.Person(t, w.FNS, gost3410.CryptoProA(), template)
}

// TestWithdrawn judges signatures of GOST R 34.10-2001: good if they are proven to be
// of before 2020, or the moment asked about is; undecided otherwise, whatever the
// signer's clock said.
func TestWithdrawn(t *testing.T) {
	last := time.Date(2019, 12, 31, 20, 59, 59, 0, time.UTC) // 23:59:59 in Moscow
	w := newWorld(t)
	w.v.Now = now
	// The CAs of the tests are younger than that.
	w.v.Policy = Policy{AllowUnqualified: true, AllowUnaccredited: true, InsecureSkipValidity: true}
	old := w.old(t, country.Entrepreneur())
	bes := longterm.OldSignature(t, document, old)
	for _, s := range []struct {
		name    string
		stamped time.Time // zero for none
		asked   time.Time
		status  verdict.Status
	}{
		{"stamped before", last, now, verdict.Passed},
		{"stamped after", last.Add(time.Second), now, verdict.Indeterminate},
		{"not stamped", time.Time{}, now, verdict.Indeterminate},
		{"asked about then", time.Time{}, last, verdict.Passed},
		{"asked about the day after", time.Time{}, last.Add(time.Second), verdict.Indeterminate},
	} {
		file, proven := bes, time.Time{}
		if !s.stamped.IsZero() {
			tsa := country.TimeStamping()
			tsa.NotBefore = last.AddDate(-1, 0, 0)
			file, proven = longterm.T(t, bes, longterm.NewTSA(t, w.Country, w.FNS, tsa, s.stamped)), s.stamped
		}
		code := reason.AlgorithmWithdrawn
		if s.status == verdict.Passed {
			code = ""
		}
		t.Run(s.name, func(t *testing.T) {
			got := one(t, w.v, file, s.asked)
			wantSignature(t, got, s.status, code, cms.Plain, proven)
			marked := false
			for _, check := range got.Verdict.Checks() {
				marked = marked || check.Name == CheckWithdrawn && check.Detail != ""
			}
			if !marked {
				t.Error("no mark")
			}
		})
	}
	if checks := inForce(&cms.Signer{DigestAlgorithm: sigalg.AlgorithmIdentifier{Algorithm: sigalg.OIDStreebog256}}, now); checks != nil {
		t.Errorf("an algorithm of today: %+v", checks)
	}
}

// TestWithdrawnStamp: a TSA may no longer stamp with GOST R 34.10-2001, and what it
// stamped before counts only if something shows that it was before.
func TestWithdrawnStamp(t *testing.T) {
	w := newWorld(t)
	bes := w.bes(t, false)
	tsa := w.old(t, country.TimeStamping())
	token := longterm.OldToken(t, w.tsa.Token(t, longterm.Parse(t, bes).Signers[0].Signature), tsa)
	s := one(t, w.v, longterm.Add(t, bes, longterm.SignatureTimeStamp, token), now)
	wantSignature(t, s, verdict.Passed, "", cms.T, time.Time{})
	wantStamp(t, s, cades.SignatureTimeStamp, verdict.Indeterminate, reason.AlgorithmWithdrawn)
}
