package validate

import (
	"bytes"
	"crypto/rand"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/cades"
	"propusk/pki/cms"
	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/internal/longterm"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

// world is a country with a signer and a time-stamping authority.
type world struct {
	*country.Country
	h   country.Holder
	tsa *longterm.TSA
	v   Validator
}

// stamped is the moment of the time-stamps of the tests, an hour before now, and
// signed the moment that signers claim.
var (
	stamped = now.Add(-time.Hour)
	signed  = now.Add(-2 * time.Hour)
)

func newWorld(t testing.TB) *world {
	t.Helper()
	c := country.New(t)
	return &world{
		Country: c,
		h:       c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur()),
		tsa:     longterm.NewTSA(t, c, c.FNS, country.TimeStamping(), stamped),
		v:       validator(c, QES()),
	}
}

// revoked is an entry of a list.
func revoked(cert *gostx509.Certificate, at time.Time) crl.Entry {
	return crl.Entry{Serial: cert.Serial, RevokedAt: at, Reason: crl.KeyCompromise}
}

// list makes a revocation list of an authority, in force for a day.
func (w *world) list(t testing.TB, a *country.Authority, at time.Time, entries ...crl.Entry) []byte {
	t.Helper()
	raw, err := crl.Create(rand.Reader, crl.Template{
		Number: at.Unix(), ThisUpdate: at, NextUpdate: at.Add(24 * time.Hour), Entries: entries,
	}, a.Cert, a.Key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// setOf makes a set of lists.
func setOf(t testing.TB, raw ...[]byte) *crl.Set {
	t.Helper()
	var all []*crl.List
	for _, one := range raw {
		l, err := crl.Parse(one)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return crl.NewSet(all...)
}

// at returns a validator who knows the lists of a moment, with entries of the tax
// service's list.
func (w *world) at(t testing.TB, moment time.Time, entries ...crl.Entry) Validator {
	t.Helper()
	v := w.v
	v.Trust.CRLs = setOf(t, w.list(t, w.Root, moment.Add(-time.Minute)), w.list(t, w.FNS, moment.Add(-time.Minute), entries...))
	return v
}

// offline returns a validator who knows no lists.
func (w *world) offline() Validator {
	v := w.v
	v.Trust.CRLs = nil
	return v
}

// material is what a signature of the world needs inside: lists made right after the
// time-stamp.
func (w *world) material(t testing.TB) longterm.Material {
	t.Helper()
	return longterm.Material{
		Certs: []*gostx509.Certificate{w.FNS.Cert, w.Root.Cert},
		Lists: [][]byte{w.list(t, w.FNS, stamped.Add(time.Minute)), w.list(t, w.Root, stamped.Add(time.Minute))},
	}
}

// bes makes a BES of the signer.
func (w *world) bes(t testing.TB, detached bool) []byte {
	t.Helper()
	return longterm.Sign(t, document, detached, w.h, signed)
}

// one judges a file with one signature, which may be detached.
func one(t testing.TB, v Validator, file []byte, at time.Time) Signature {
	t.Helper()
	content := cms.Content{}
	if longterm.Parse(t, file).Detached {
		content = cms.Document(document)
	}
	r := v.Signature(file, content, at)
	if len(r.Signatures) != 1 {
		t.Fatalf("%d signatures: %+v", len(r.Signatures), r.Checks)
	}
	return r.Signatures[0]
}

// wantSignature checks status, reason, level and proof of a signature.
func wantSignature(t testing.TB, s Signature, status verdict.Status, code reason.Code, level cms.Level, proven time.Time) {
	t.Helper()
	if s.Verdict.Status() != status || s.Verdict.Why() != code {
		t.Errorf("%v %q, want %v %q: %+v", s.Verdict.Status(), s.Verdict.Why(), status, code, s.Verdict.Checks())
	}
	if s.Level != level || !s.ProofOfExistence.Equal(proven) {
		t.Errorf("%s, proven %v, want %s, %v", s.Level, s.ProofOfExistence, level, proven)
		for _, ts := range s.TimeStamps {
			t.Logf("%s: %v %q %+v", ts.Kind, ts.Verdict.Status(), ts.Verdict.Why(), ts.Verdict.Checks())
		}
		t.Logf("additions: %+v", s.Additions.Checks())
	}
	if _, ok := s.Verdict.Identity(); ok != (status == verdict.Passed) {
		t.Errorf("identity: %v", ok)
	}
	for _, ts := range s.TimeStamps {
		if _, ok := ts.Verdict.Identity(); ok {
			t.Error("a time-stamp has an identity")
		}
		if _, ok := ts.Certificate.Verdict.Identity(); ok {
			t.Error("a TSA has an identity")
		}
	}
}

// levels makes a signature of every level out of a BES.
func (w *world) levels(t testing.TB, bes []byte) map[cms.Level][]byte {
	m := w.material(t)
	stampT := longterm.T(t, bes, w.tsa)
	c := longterm.C(t, stampT, m)
	long := longterm.Values(t, c, m)
	return map[cms.Level][]byte{
		cms.BES:        bes,
		cms.T:          stampT,
		cms.C:          c,
		cms.XType1:     longterm.Type1(t, c, w.tsa),
		cms.XType2:     longterm.Type2(t, c, w.tsa),
		cms.XLong:      long,
		cms.XLongType1: longterm.Type1(t, long, w.tsa),
		cms.XLongType2: longterm.Type2(t, long, w.tsa),
		cms.A:          longterm.Archive(t, long, document, longterm.ArchiveV2, w.tsa),
		cms.LTA:        longterm.Indexed(t, long, document, longterm.IndexV3, w.tsa),
	}
}

// TestLevels judges a good signature of every level, attached and detached: the
// certificate is judged at the moment of the time-stamp.
func TestLevels(t *testing.T) {
	w := newWorld(t)
	for _, detached := range []bool{false, true} {
		for level, file := range w.levels(t, w.bes(t, detached)) {
			s := one(t, w.v, file, now)
			proven, moment := stamped, stamped
			if level == cms.BES {
				proven, moment = time.Time{}, now
			}
			wantSignature(t, s, verdict.Passed, "", level, proven)
			if !s.Certificate.At.Equal(moment) {
				t.Errorf("%s: judged at %v, want %v", level, s.Certificate.At, moment)
			}
			for _, ts := range s.TimeStamps {
				if ts.Verdict.Status() != verdict.Passed || !ts.Time.Equal(stamped) {
					t.Errorf("%s: %s: %v %q", level, ts.Kind, ts.Verdict.Status(), ts.Verdict.Why())
				}
			}
			if want := level != cms.BES; (s.Additions.Status() == verdict.Passed) != want {
				t.Errorf("%s: additions %v: %+v", level, s.Additions.Status(), s.Additions.Checks())
			}
		}
	}
}

// TestStreamedLevels: files whose document was never held give the same answers, but
// for archive time-stamps of the old forms, which are over the document itself.
func TestStreamedLevels(t *testing.T) {
	w := newWorld(t)
	for _, detached := range []bool{false, true} {
		for level, file := range w.levels(t, w.bes(t, detached)) {
			sd, content, err := cms.ParseStream(bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			if detached {
				if content, err = cms.Stream(bytes.NewReader(document)); err != nil {
					t.Fatal(err)
				}
			}
			r := w.v.SignedData(sd, content, now)
			if len(r.Signatures) != 1 {
				t.Fatalf("%s: %+v", level, r.Checks)
			}
			s := r.Signatures[0]
			if level != cms.A {
				if s.Level != level || s.Verdict.Status() != verdict.Passed {
					t.Errorf("%s, detached %v: %s, %q", level, detached, s.Level, s.Verdict.Why())
				}
				continue
			}
			wantSignature(t, s, verdict.Passed, "", cms.XLong, stamped)
			wantStamp(t, s, cades.ArchiveV2, verdict.Indeterminate, reason.ContentMissing)
		}
	}
}

// TestStreamedDigests: a document that streams past is hashed with the algorithms of the
// time-stamps over it too, which need not be that of the signature.
func TestStreamedDigests(t *testing.T) {
	w := newWorld(t)
	w.h = w.Person(t, w.FNS, gost3410.TC26512A(), country.Entrepreneur())
	file := longterm.Values(t, longterm.T(t, w.bes(t, true), w.tsa), w.material(t))
	file = longterm.Indexed(t, file, document, longterm.IndexV3, w.tsa)
	sd := longterm.Parse(t, file)
	digests := cades.Digests(sd)
	if len(digests) != 2 || !digests[0].Equal(sigalg.OIDStreebog512) || !digests[1].Equal(sigalg.OIDStreebog256) {
		t.Fatalf("%v", digests)
	}
	content, err := cms.Stream(bytes.NewReader(document), digests...)
	if err != nil {
		t.Fatal(err)
	}
	wantSignature(t, w.v.SignedData(sd, content, now).Signatures[0], verdict.Passed, "", cms.LTA, stamped)
}

// TestBadAdditions: references of others and values that are cut give no level, are
// reported, and leave what the signer made good.
func TestBadAdditions(t *testing.T) {
	w := newWorld(t)
	stampT, m := longterm.T(t, w.bes(t, false), w.tsa), w.material(t)
	other := w.material(t)
	other.Lists = [][]byte{w.list(t, w.FNS, stamped.Add(time.Hour/2)), m.Lists[1]}
	values := longterm.RevocationValuesOf(m.Lists, nil)
	cut := longterm.Element(0x30, longterm.Content(values)[:len(values)/2])
	for name, c := range map[string]struct {
		file []byte
		code reason.Code
	}{
		"references of others": {longterm.Type1(t, longterm.Values(t, longterm.C(t, stampT, m), other), w.tsa), reason.ReferenceMismatch},
		"values cut":           {longterm.Add(t, stampT, longterm.RevocationValues, cut), reason.AttributeUnreadable},
	} {
		s := one(t, w.v, c.file, now)
		wantSignature(t, s, verdict.Passed, "", cms.T, stamped)
		if s.Additions.Status() != verdict.Failed || s.Additions.Why() != c.code {
			t.Errorf("%s: %v %q", name, s.Additions.Status(), s.Additions.Why())
		}
	}
}
