package validate

import (
	"bytes"
	"testing"
	"time"

	"propusk/pki/cades"
	"propusk/pki/cms"
	"propusk/pki/facts"
	"propusk/pki/internal/longterm"
	"propusk/pki/verdict"
)

// TestFlipLongTerm spoils every byte of a CAdES-X Long Type 1 and of a CAdES-LTA at a
// moment when the signer's certificate has expired, so that nothing but a proof of
// existence makes the file pass. Attributes that anybody may add can be spoiled and
// leave enough to pass. What may never happen:
//
//   - a pass with another document, other signed attributes or another signature;
//   - a pass without a proof, or with another time than that of the time-stamps;
//   - a time-stamp that passes though a byte of what its TSA signed has changed;
//   - an archive time-stamp that passes and covers something that was not there.
func TestFlipLongTerm(t *testing.T) {
	w := newWorld(t)
	year := now.AddDate(1, 0, 0)
	long := longterm.LongType1(t, w.bes(t, false), w.material(t), w.tsa)
	lta, _ := archived(t, w, func(f []byte, a *longterm.TSA) []byte {
		return longterm.Indexed(t, f, document, longterm.IndexV3, a)
	})
	v := w.at(t, year)
	v.Trust.Facts = facts.New()
	for name, file := range map[string][]byte{"XLT1": long, "LTA": lta} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := one(t, v, file, year)
			if s.Verdict.Status() != verdict.Passed {
				t.Fatalf("%q: %+v", s.Verdict.Why(), s.Verdict.Checks())
			}
			f := flipped{t: t, v: v, at: year, whole: s, covered: coveredBy(t, file)}
			spoiled := bytes.Clone(file)
			for i := range spoiled {
				spoiled[i] ^= 1 << (i % 8)
				f.judge(spoiled, i)
				spoiled[i] = file[i]
			}
			// All of the LTA is under its archive time-stamp; the XLT1 passes without
			// its second time-stamp, or whatever only that one needs.
			if (f.passed > 0) != (name == "XLT1") {
				t.Errorf("%d of %d spoiled files pass", f.passed, len(file))
			}
		})
	}
}

// flipped judges spoiled files against the whole one.
type flipped struct {
	t       *testing.T
	v       Validator
	at      time.Time
	whole   Signature
	covered [][]byte
	passed  int
}

// coveredBy returns what the archive time-stamp of a file covers.
func coveredBy(t *testing.T, file []byte) [][]byte {
	t.Helper()
	sd := longterm.Parse(t, file)
	a, err := cades.Of(&sd.Signers[0], sd)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for _, ts := range a.TimeStamps {
		all = append(all, a.Covers(ts)...)
	}
	return all
}

func (f *flipped) judge(file []byte, i int) {
	r := f.v.Signature(file, cms.Content{}, f.at)
	if r.File != nil {
		for _, s := range r.Signatures {
			for _, ts := range s.TimeStamps {
				f.stamp(r.File, s, ts, i)
			}
		}
	}
	if r.Verdict().Status() != verdict.Passed {
		return
	}
	f.passed++
	s := r.Signatures[0]
	switch {
	case len(r.Signatures) != 1 || !bytes.Equal(r.File.Content, document):
		f.t.Errorf("byte %d: passed with another document", i)
	case !bytes.Equal(s.Signer.RawSignedAttrs, f.whole.Signer.RawSignedAttrs), !bytes.Equal(s.Signer.Signature, f.whole.Signer.Signature):
		f.t.Errorf("byte %d: passed with another signature", i)
	case !f.isProven(s.ProofOfExistence):
		f.t.Errorf("byte %d: passed, proven at %v", i, s.ProofOfExistence)
	}
}

// isProven reports whether a time is that of a time-stamp of the whole file.
func (f *flipped) isProven(at time.Time) bool {
	for _, ts := range f.whole.TimeStamps {
		if ts.Time.Equal(at) {
			return true
		}
	}
	return false
}

// stamp checks a time-stamp of a spoiled file, if it passed.
func (f *flipped) stamp(file *cms.SignedData, s Signature, ts TimeStamp, i int) {
	if ts.Verdict.Status() != verdict.Passed {
		return
	}
	same := false
	for _, known := range f.whole.TimeStamps {
		a, b := ts.Token.Signed, known.Token.Signed
		same = same || bytes.Equal(a.Content, b.Content) &&
			bytes.Equal(a.Signers[0].RawSignedAttrs, b.Signers[0].RawSignedAttrs) &&
			bytes.Equal(a.Signers[0].Signature, b.Signers[0].Signature)
	}
	if !same {
		f.t.Errorf("byte %d: a time-stamp that nobody made passed: %s", i, ts.Kind)
	}
	a, err := cades.Of(s.Signer, file)
	if err != nil {
		f.t.Errorf("byte %d: %v", i, err)
		return
	}
	for _, one := range a.TimeStamps {
		if !bytes.Equal(one.Raw, ts.Raw) {
			continue
		}
		for _, raw := range a.Covers(one) {
			if !contains(f.covered, raw) {
				f.t.Errorf("byte %d: %s covers what was not there", i, ts.Kind)
			}
		}
	}
}

func contains(list [][]byte, one []byte) bool {
	for _, have := range list {
		if bytes.Equal(have, one) {
			return true
		}
	}
	return false
}

// FuzzLongTerm judges what becomes of signatures of every level: whatever passes is
// over the document, with the signature of the signer, at a proven time of ours.
func FuzzLongTerm(f *testing.F) {
	w := newWorld(f)
	bes := w.bes(f, false)
	for _, file := range w.levels(f, bes) {
		f.Add(file)
	}
	whole := longterm.Parse(f, bes).Signers[0]
	f.Fuzz(func(t *testing.T, file []byte) {
		r := w.v.Signature(file, cms.Content{}, now)
		if r.Verdict().Status() != verdict.Passed {
			return
		}
		for _, s := range r.Signatures {
			if !bytes.Equal(r.File.Content, document) || !bytes.Equal(s.Signer.RawSignedAttrs, whole.RawSignedAttrs) {
				t.Error("another document or signature passed")
			}
			if !s.ProofOfExistence.IsZero() && !s.ProofOfExistence.Equal(stamped) {
				t.Errorf("proven at %v", s.ProofOfExistence)
			}
		}
	})
}
