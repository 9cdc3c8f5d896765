package validate

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"propusk/pki/cades"
	"propusk/pki/cms"
	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/internal/longterm"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/revocation"
	"propusk/pki/tsp"
	"propusk/pki/verdict"
)

// TestStampOfHolder: a holder whose certificate was revoked stamps his signature himself,
// with his own key, and with that of a TSA that he has given a certificate.
func TestStampOfHolder(t *testing.T) {
	w := newWorld(t)
	w.v = w.at(t, now, revoked(w.h.Cert, now.Add(-10*time.Minute)))
	bes := w.bes(t, false)
	himself := longterm.NewTSA(t, w.Country, w.FNS, country.TimeStamping(), stamped)
	himself.Holder = w.h
	s := one(t, w.v, longterm.T(t, bes, himself), now)
	wantSignature(t, s, verdict.Failed, reason.CertRevoked, cms.BES, time.Time{})
	wantStamp(t, s, cades.SignatureTimeStamp, verdict.Failed, reason.TimeStampSigner)

	tsa := longterm.NewTSA(t, w.Country, &country.Authority{Cert: w.h.Cert, Key: w.h.Key}, country.TimeStamping(), stamped)
	for _, file := range [][]byte{
		longterm.T(t, bes, tsa),
		longterm.Indexed(t, longterm.T(t, bes, tsa), document, longterm.IndexV3, tsa),
	} {
		for _, beside := range [][]*gostx509.Certificate{nil, {w.h.Cert, w.FNS.Cert, w.Root.Cert}} {
			s := w.v.Signature(file, cms.Content{}, now, beside...).Signatures[0]
			wantSignature(t, s, verdict.Failed, reason.CertRevoked, cms.T, time.Time{})
			for _, ts := range s.TimeStamps {
				if ts.Verdict.Status() != verdict.Failed {
					t.Errorf("%s: %v", ts.Kind, ts.Verdict.Status())
				}
			}
		}
	}
}

// TestOldListInside: a list inside the file is from before the revocation, and its time
// is not over; the one at hand is newer.
func TestOldListInside(t *testing.T) {
	w := newWorld(t)
	m := w.material(t)
	m.Lists = [][]byte{w.list(t, w.FNS, signed), w.list(t, w.Root, signed)}
	file := longterm.LongType1(t, w.bes(t, false), m, w.tsa)
	wantSignature(t, one(t, w.offline(), file, now), verdict.Passed, "", cms.XLongType1, stamped)
	v := w.at(t, now, revoked(w.h.Cert, stamped.Add(-time.Minute)))
	wantSignature(t, one(t, v, file, now), verdict.Failed, reason.CertRevoked, cms.XLongType1, stamped)
}

// TestTooManySigned: what the signer himself signed cannot be left out because there is
// too much of it, as additions of others can.
func TestTooManySigned(t *testing.T) {
	w := newWorld(t)
	w.tsa.Time = signed
	token := w.tsa.Token(t, document)
	many := slices.Repeat([][]byte{token}, cades.MaxTimeStamps+1)
	file := longterm.SignWith(t, document, w.h, signed, longterm.ContentTimeStamp, many...)
	wantSignature(t, one(t, w.v, file, now), verdict.Failed, reason.SignatureAttributesBad, cms.BES, time.Time{})
	file = longterm.SignWith(t, document, w.h, signed, longterm.ContentTimeStamp, many[1:]...)
	wantSignature(t, one(t, w.v, file, now), verdict.Passed, "", cms.BES, time.Time{})
}

// TestForeignContentStamp: a time-stamp of the document by a TSA that nobody trusts says
// nothing about the order of things, whatever time it names.
func TestForeignContentStamp(t *testing.T) {
	w := newWorld(t)
	stranger := longterm.NewTSA(t, w.Country, nil, country.TimeStamping(), stamped.Add(30*time.Minute))
	file := longterm.SignWith(t, document, w.h, signed, longterm.ContentTimeStamp, stranger.Token(t, document))
	wantSignature(t, one(t, w.v, file, now), verdict.Passed, "", cms.BES, time.Time{})
	wantSignature(t, one(t, w.v, longterm.T(t, file, w.tsa), now), verdict.Passed, "", cms.T, stamped)
}

// TestEarliestCover: of two time-stamps over a third, the earlier one says since when that
// one exists, in whatever order they are judged.
func TestEarliestCover(t *testing.T) {
	w := newWorld(t)
	first, second := stamped.Add(10*time.Minute), stamped.Add(20*time.Minute)
	m := w.material(t)
	file := longterm.Indexed(t, longterm.C(t, longterm.T(t, w.bes(t, false), w.tsa), m), document, longterm.IndexV3,
		longterm.NewTSA(t, w.Country, w.FNS, country.TimeStamping(), first))
	file = longterm.Type1(t, file, longterm.NewTSA(t, w.Country, w.FNS, country.TimeStamping(), second))
	s := one(t, w.v, file, now)
	for _, ts := range s.TimeStamps {
		if ts.Verdict.Status() != verdict.Passed {
			t.Errorf("%s: %q", ts.Kind, ts.Verdict.Why())
		}
		if ts.Kind == cades.SignatureTimeStamp && !ts.Certificate.At.Equal(first) {
			t.Errorf("judged at %v, want %v", ts.Certificate.At, first)
		}
	}
}

// TestProofOfInside: what is inside a token is as old as the time-stamp over that token
// says, not as any other time-stamp.
func TestProofOfInside(t *testing.T) {
	w := newWorld(t)
	sd := longterm.Parse(t, longterm.T(t, w.bes(t, false), w.tsa))
	a, err := cades.Of(&sd.Signers[0], sd)
	if err != nil {
		t.Fatal(err)
	}
	inside := a.TimeStamps[0].Token.Signed.Certificates[0]
	known := proofs{}
	known.add(a.TimeStamps[0].Raw, now)
	known.addAll([][]byte{document}, a.TimeStamps, stamped)
	if since, found := known.since(inside); found {
		t.Errorf("proven at %v by a time-stamp of something else", since)
	}
	known.addAll([][]byte{a.TimeStamps[0].Raw}, a.TimeStamps, stamped)
	if since, _ := known.since(inside); !since.Equal(stamped) {
		t.Errorf("proven at %v", since)
	}
}

// TestLacksRevocation: a certificate lacks nothing but revocation data only if there is
// no other doubt about it.
func TestLacksRevocation(t *testing.T) {
	for _, c := range []struct {
		codes []reason.Code
		want  bool
	}{
		{nil, false},
		{[]reason.Code{reason.RevocationStale}, true},
		{[]reason.Code{reason.RevocationUnknown, reason.RevocationUnreachable}, true},
		{[]reason.Code{reason.RevocationStale, reason.AccreditationUnknown}, false},
		{[]reason.Code{reason.RevocationUnusable}, false},
	} {
		var b verdict.Builder
		b.Pass(CheckHolder, "")
		for _, code := range c.codes {
			b.Unknown(CheckChain, code, "")
		}
		if got := lacksRevocation(Certificate{Verdict: b.Done(person.Identity{})}); got != c.want {
			t.Errorf("%v: %v", c.codes, got)
		}
	}
}

// TestExpiredMaker: revocation data count only if both the CA and whoever signed for it
// were in force when the data are proven to have existed.
func TestExpiredMaker(t *testing.T) {
	w := newWorld(t)
	raw := w.list(t, w.FNS, signed)
	list := setOf(t, raw).Lists()[0]
	lasting, old := &gostx509.Certificate{NotAfter: now.Add(time.Hour)}, &gostx509.Certificate{NotAfter: now.Add(-time.Minute)}
	f := inspection{now: now}
	for _, c := range []struct {
		signer, issuer *gostx509.Certificate
		proven         time.Time
		status         verdict.Status
	}{
		{lasting, lasting, time.Time{}, verdict.Passed},
		{nil, lasting, time.Time{}, verdict.Passed},
		{old, lasting, time.Time{}, verdict.Indeterminate},
		{lasting, old, time.Time{}, verdict.Indeterminate},
		{old, old, now.Add(-time.Hour), verdict.Passed},
		{old, old, now.Add(-time.Second), verdict.Indeterminate},
	} {
		known := proofs{}
		if !c.proven.IsZero() {
			known.add(raw, c.proven)
		}
		used := revocation.Used{SHA256: list.SHA256(), Signer: c.signer, Issuer: c.issuer}
		checks := f.checkEvidence(Certificate{Evidence: []revocation.Used{used}}, known, carried{lists: []*crl.List{list}})
		if len(checks) != 1 || checks[0].Status != c.status {
			t.Errorf("%+v: %+v", c, checks)
		}
	}
}

// TestStampChecks: the verdict of a time-stamp tells all that was looked at.
func TestStampChecks(t *testing.T) {
	w := newWorld(t)
	s := one(t, w.v, longterm.T(t, w.bes(t, false), w.tsa), now)
	found := make(map[string]bool)
	for _, check := range s.TimeStamps[0].Verdict.Checks() {
		found[check.Name] = true
	}
	for _, name := range []string{
		CheckTimeStampImprint, cms.CheckContent, cms.CheckAttributes, cms.CheckSignature, cms.CheckSigningCertificate,
		tsp.CheckForm, tsp.CheckPurpose, tsp.CheckName, cms.CheckFormat, CheckTimeStampTime,
	} {
		if !found[name] {
			t.Errorf("nothing is told about %q", name)
		}
	}
}

// TestStreamedMutants spoils bytes of signatures of every level and reads them both ways:
// what is held makes no difference to the verdict.
func TestStreamedMutants(t *testing.T) {
	w := newWorld(t)
	for level, file := range w.levels(t, w.bes(t, false)) {
		for i := 0; i < len(file); i += 61 {
			mutant := bytes.Clone(file)
			mutant[i] ^= 0x04
			sameStreamed(t, w.v, mutant, level == cms.A)
		}
	}
}

// sameStreamed compares the judgement of a file with that of the same file as a stream,
// without the old archive time-stamps, which need the document.
func sameStreamed(t *testing.T, v Validator, file []byte, archived bool) {
	t.Helper()
	whole := v.Signature(file, cms.Content{}, now)
	sd, content, err := cms.ParseStream(bytes.NewReader(file))
	if err != nil {
		if whole.File != nil || whole.Verdict().Why() != reason.Of(err) {
			t.Errorf("%q as a stream: %v", whole.Verdict().Why(), err)
		}
		return
	}
	streamed := v.SignedData(sd, content, now)
	if a, b := whole.Verdict(), streamed.Verdict(); a.Status() != b.Status() || a.Why() != b.Why() {
		t.Errorf("%v %q, as a stream %v %q", a.Status(), a.Why(), b.Status(), b.Why())
	}
	for i, a := range whole.Signatures {
		if a.Verdict.Status() != verdict.Passed { // the digest may not have been announced
			continue
		}
		if b := streamed.Signatures[i]; !archived && (a.Level != b.Level || !a.ProofOfExistence.Equal(b.ProofOfExistence)) {
			t.Errorf("%s, proven %v, as a stream %s, %v", a.Level, a.ProofOfExistence, b.Level, b.ProofOfExistence)
		}
	}
}
