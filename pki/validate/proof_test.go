package validate

import (
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/cades"
	"propusk/pki/cms"
	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/internal/longterm"
	"propusk/pki/ocsp"
	"propusk/pki/path"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/revocation"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

// later is eight months after now: the signer's certificate is in force for one more.
var later = now.AddDate(0, 8, 0)

// TestRevokedLater: a signature made before the certificate was revoked stays good if
// a time-stamp proves it, and one made after does not become good.
func TestRevokedLater(t *testing.T) {
	w := newWorld(t)
	bes := w.bes(t, false)
	stampT := longterm.T(t, bes, w.tsa)
	for _, c := range []struct {
		name    string
		revoked time.Time
		status  verdict.Status
	}{
		{"after the time-stamp", stamped.Add(time.Minute), verdict.Passed},
		{"before the time-stamp", stamped.Add(-time.Minute), verdict.Failed},
	} {
		v := w.at(t, later, revoked(w.h.Cert, c.revoked))
		s := one(t, v, stampT, later)
		code := reason.CertRevoked
		if c.status == verdict.Passed {
			code = ""
		}
		wantSignature(t, s, c.status, code, cms.T, stamped)
		wantSignature(t, one(t, v, bes, later), verdict.Failed, reason.CertRevoked, cms.BES, time.Time{})
	}
}

// TestExpired: after the certificate has expired the values inside the signature show
// that it was good at the moment of the time-stamp.
func TestExpired(t *testing.T) {
	w := newWorld(t)
	year := now.AddDate(1, 0, 0)
	v := w.at(t, year)
	bes := w.bes(t, false)
	wantSignature(t, one(t, v, bes, year), verdict.Failed, reason.CertExpired, cms.BES, time.Time{})

	// A list issued after the certificate expired says nothing about it, and there is
	// no other one.
	s := one(t, v, longterm.T(t, bes, w.tsa), year)
	wantSignature(t, s, verdict.Indeterminate, reason.RevocationUnknown, cms.T, stamped)

	long := longterm.LongType1(t, bes, w.material(t), w.tsa)
	wantSignature(t, one(t, v, long, year), verdict.Passed, "", cms.XLongType1, stamped)

	// A stamp made when the certificate had expired proves too late a moment.
	w.tsa.Time = now.AddDate(0, 10, 0)
	s = one(t, v, longterm.T(t, bes, w.tsa), year)
	wantSignature(t, s, verdict.Failed, reason.CertExpired, cms.T, w.tsa.Time)
	// And one made before it began, too early a one.
	w.tsa.Time = now.AddDate(0, -7, 0)
	s = one(t, v, longterm.T(t, longterm.Sign(t, document, false, w.h, time.Time{}), w.tsa), year)
	wantSignature(t, s, verdict.Failed, reason.CertNotYetValid, cms.T, w.tsa.Time)
}

// TestOffline: what is inside the signature is enough to judge it while the lists in
// it are fresh; later something must be known about the TSA, unless the policy says
// otherwise.
func TestOffline(t *testing.T) {
	w := newWorld(t)
	long := longterm.LongType1(t, w.bes(t, true), w.material(t), w.tsa)
	v := w.offline()
	wantSignature(t, one(t, v, long, now), verdict.Passed, "", cms.XLongType1, stamped)

	year := now.AddDate(1, 0, 0)
	wantSignature(t, one(t, v, long, year), verdict.Failed, reason.CertExpired, cms.XLongType1, time.Time{})
	for _, ts := range one(t, v, long, year).TimeStamps {
		if ts.Verdict.Status() != verdict.Indeterminate || ts.Verdict.Why() != reason.RevocationStale {
			t.Errorf("%s: %v %q", ts.Kind, ts.Verdict.Status(), ts.Verdict.Why())
		}
	}
	v.Policy.AcceptStaleTimeStamps = true
	wantSignature(t, one(t, v, long, year), verdict.Passed, "", cms.XLongType1, stamped)
	// Not beyond the certificate of the TSA, and not if it is known to be revoked.
	decade := now.AddDate(7, 0, 0)
	wantSignature(t, one(t, v, long, decade), verdict.Failed, reason.CertExpired, cms.XLongType1, time.Time{})
	v.Trust.CRLs = setOf(t, w.list(t, w.Root, year.Add(-time.Minute)), w.list(t, w.FNS, year.Add(-time.Minute), revoked(w.tsa.Holder.Cert, now)))
	wantSignature(t, one(t, v, long, year), verdict.Failed, reason.CertExpired, cms.XLongType1, time.Time{})
}

// archived makes a signature whose TSA expires in three months, archived in two by a
// TSA that goes on, with lists of that time inside.
func archived(t *testing.T, w *world, archive func(file []byte, tsa *longterm.TSA) []byte) (file []byte, at time.Time) {
	t.Helper()
	short := country.TimeStamping()
	short.NotAfter = now.AddDate(0, 3, 0)
	w.tsa = longterm.NewTSA(t, w.Country, w.FNS, short, stamped)
	at = now.AddDate(0, 2, 0)
	m := w.material(t)
	m.Lists = append(m.Lists, w.list(t, w.FNS, at.Add(-time.Minute)), w.list(t, w.Root, at.Add(-time.Minute)))
	file = longterm.Values(t, longterm.C(t, longterm.T(t, w.bes(t, false), w.tsa), m), m)
	return archive(file, longterm.NewTSA(t, w.Country, w.FNS, country.TimeStamping(), at)), at
}

// TestPastTimeStamp: a TSA that has expired is judged at the moment of the archive
// time-stamp over its stamp, with the lists that this stamp proves to be of then.
func TestPastTimeStamp(t *testing.T) {
	year := now.AddDate(1, 0, 0)
	archives := map[string]struct {
		level cms.Level
		add   func(file []byte, tsa *longterm.TSA) []byte
	}{
		"none": {cms.XLong, func(file []byte, _ *longterm.TSA) []byte { return file }},
		"v1":   {cms.A, func(f []byte, a *longterm.TSA) []byte { return longterm.Archive(t, f, document, longterm.ArchiveV1, a) }},
		"v2":   {cms.A, func(f []byte, a *longterm.TSA) []byte { return longterm.Archive(t, f, document, longterm.ArchiveV2, a) }},
		"v3":   {cms.LTA, func(f []byte, a *longterm.TSA) []byte { return longterm.Indexed(t, f, document, longterm.IndexV3, a) }},
		"v3, index 2": {cms.LTA, func(f []byte, a *longterm.TSA) []byte {
			return longterm.Indexed(t, f, document, longterm.IndexV2, a)
		}},
		"v3, index 1": {cms.LTA, func(f []byte, a *longterm.TSA) []byte {
			return longterm.Indexed(t, f, document, longterm.Index, a)
		}},
	}
	for name, c := range archives {
		w := newWorld(t)
		file, at := archived(t, w, c.add)
		v := w.at(t, year)
		s := one(t, v, file, year)
		if name == "none" {
			wantSignature(t, s, verdict.Failed, reason.CertExpired, c.level, time.Time{})
			continue
		}
		wantSignature(t, s, verdict.Passed, "", c.level, stamped)
		for _, ts := range s.TimeStamps {
			want := year
			if ts.Kind == cades.SignatureTimeStamp {
				want = at
			}
			if !ts.Certificate.At.Equal(want) {
				t.Errorf("%s: %s judged at %v, want %v", name, ts.Kind, ts.Certificate.At, want)
			}
		}
		// A TSA that was revoked before the archive time-stamp is not saved by it, so
		// that only the latter proves anything; one that was revoked after is.
		for _, r := range []struct{ revoked, proven time.Time }{{at.Add(-time.Hour), at}, {at.Add(time.Hour), stamped}} {
			v.Trust.CRLs = setOf(t, w.list(t, w.Root, year.Add(-time.Minute)), w.list(t, w.FNS, year.Add(-time.Minute)),
				w.list(t, w.FNS, now.AddDate(0, 2, 5), revoked(w.tsa.Holder.Cert, r.revoked)))
			wantSignature(t, one(t, v, file, year), verdict.Passed, "", c.level, r.proven)
		}
	}
}

// TestIndexCoversLess: what the index of an archive time-stamp leaves out is not
// proven by it; what it names and is not there spoils it.
func TestIndexCoversLess(t *testing.T) {
	year := now.AddDate(1, 0, 0)
	w := newWorld(t)
	partly := func(oid string) func(file []byte, tsa *longterm.TSA) []byte {
		return func(file []byte, tsa *longterm.TSA) []byte {
			left := longterm.Attribute(t, file, oid)
			index := longterm.IndexOf(t, file, longterm.IndexV2, func(raw []byte) bool {
				return string(raw) != string(longterm.Element(0x30, left))
			})
			token := tsa.Token(t, longterm.IndexedImprint(t, file, document, index))
			return longterm.Add(t, file, longterm.ArchiveV3, longterm.WithIndex(t, token, longterm.IndexV2, index))
		}
	}
	// The stamp of the TSA that has expired is not covered: it proves nothing, but
	// the archive time-stamp itself proves the signature, at its own time.
	file, at := archived(t, w, partly(longterm.SignatureTimeStamp))
	s := one(t, w.at(t, year), file, year)
	wantSignature(t, s, verdict.Passed, "", cms.XLong, at)

	// Attributes that were added afterwards are not covered, and harmless.
	file, _ = archived(t, w, func(f []byte, a *longterm.TSA) []byte {
		return longterm.Add(t, longterm.Indexed(t, f, document, longterm.IndexV3, a), longterm.LongTerm, []byte{0x05, 0})
	})
	wantSignature(t, one(t, w.at(t, year), file, year), verdict.Passed, "", cms.LTA, stamped)

	// Version 2 is over all attributes: one more, and it is a stamp of something else.
	file, _ = archived(t, w, func(f []byte, a *longterm.TSA) []byte {
		return longterm.Add(t, longterm.Archive(t, f, document, longterm.ArchiveV2, a), longterm.LongTerm, []byte{0x05, 0})
	})
	s = one(t, w.at(t, year), file, year)
	wantSignature(t, s, verdict.Failed, reason.CertExpired, cms.XLong, time.Time{})
	wantStamp(t, s, cades.ArchiveV2, verdict.Failed, reason.TimeStampImprint)

	// Something that the index names was taken away.
	file, _ = archived(t, w, func(f []byte, a *longterm.TSA) []byte {
		more := longterm.Add(t, f, longterm.LongTerm, []byte{0x05, 0})
		index := longterm.IndexOf(t, more, longterm.IndexV3, nil)
		token := a.Token(t, longterm.IndexedImprint(t, more, document, index))
		return longterm.Add(t, f, longterm.ArchiveV3, longterm.WithIndex(t, token, longterm.IndexV3, index))
	})
	s = one(t, w.at(t, year), file, year)
	wantSignature(t, s, verdict.Failed, reason.CertExpired, cms.XLong, time.Time{})
	wantStamp(t, s, cades.ArchiveV3, verdict.Failed, reason.TimeStampIndex)
}

// wantStamp checks the first time-stamp of a kind.
func wantStamp(t *testing.T, s Signature, kind cades.Kind, status verdict.Status, code reason.Code) {
	t.Helper()
	for _, ts := range s.TimeStamps {
		if ts.Kind == kind {
			if ts.Verdict.Status() != status || ts.Verdict.Why() != code {
				t.Errorf("%s: %v %q, want %v %q: %+v", kind, ts.Verdict.Status(), ts.Verdict.Why(), status, code, ts.Verdict.Checks())
			}
			return
		}
	}
	t.Errorf("no %s", kind)
}

// TestUselessStamps: a time-stamp that is wrong in any way proves nothing, says what
// is wrong with it, and leaves a good BES good, judged now.
func TestUselessStamps(t *testing.T) {
	w := newWorld(t)
	bes := w.bes(t, false)
	signature := longterm.Parse(t, bes).Signers[0].Signature
	tsaOf := func(change func(*gostx509.Template)) *longterm.TSA {
		template := country.TimeStamping()
		change(&template)
		return longterm.NewTSA(t, w.Country, w.FNS, template, stamped)
	}
	revokedTSA := tsaOf(func(*gostx509.Template) {})
	w.v = w.at(t, now, revoked(revokedTSA.Holder.Cert, now.Add(-10*time.Minute)))
	future := tsaOf(func(*gostx509.Template) {})
	future.Time = now.Add(time.Hour)
	early := tsaOf(func(c *gostx509.Template) { c.NotBefore = stamped.Add(time.Minute) })
	stranger := longterm.NewTSA(t, w.Country, nil, country.TimeStamping(), stamped)
	unlisted := longterm.NewTSA(t, w.Country, w.Stranger, country.TimeStamping(), stamped)
	other := longterm.Parse(t, longterm.Sign(t, document, false, w.h, signed)).Signers[0].Signature
	good := w.tsa.Token(t, signature)

	for name, c := range map[string]struct {
		token  []byte
		status verdict.Status
		code   reason.Code
		level  cms.Level
	}{
		"of another signature":       {w.tsa.Token(t, other), verdict.Failed, reason.TimeStampImprint, cms.BES},
		"of the document":            {w.tsa.Token(t, document), verdict.Failed, reason.TimeStampImprint, cms.BES},
		"no time-stamp":              {[]byte{0x30, 0}, verdict.Failed, reason.TimeStampMalformed, cms.BES},
		"cut":                        {longterm.Element(0x30, good[4:len(good)-40]), verdict.Failed, reason.TimeStampMalformed, cms.BES},
		"TSA without EKU":            {tsaOf(func(c *gostx509.Template) { c.ExtKeyUsage, c.Critical = nil, nil }).Token(t, signature), verdict.Failed, reason.TimeStampSigner, cms.BES},
		"EKU not critical":           {tsaOf(func(c *gostx509.Template) { c.Critical = nil }).Token(t, signature), verdict.Failed, reason.TimeStampSigner, cms.BES},
		"EKU with another":           {tsaOf(func(c *gostx509.Template) { c.ExtKeyUsage = append(c.ExtKeyUsage, gostx509.OIDClientAuth) }).Token(t, signature), verdict.Failed, reason.TimeStampSigner, cms.BES},
		"expired TSA":                {tsaOf(func(c *gostx509.Template) { c.NotAfter = now.Add(-time.Minute) }).Token(t, signature), verdict.Failed, reason.CertExpired, cms.T},
		"revoked TSA":                {revokedTSA.Token(t, signature), verdict.Failed, reason.CertRevoked, cms.T},
		"stamped in the future":      {future.Token(t, signature), verdict.Indeterminate, reason.TimeStampFuture, cms.T},
		"before the TSA":             {early.Token(t, signature), verdict.Failed, reason.CertNotYetValid, cms.T},
		"TSA of nobody":              {stranger.Token(t, signature), verdict.Failed, reason.UnknownCA, cms.T},
		"TSA of a CA not accredited": {unlisted.Token(t, signature), verdict.Failed, reason.CANotListed, cms.T},
	} {
		t.Run(name, func(t *testing.T) {
			s := one(t, w.v, longterm.Add(t, bes, longterm.SignatureTimeStamp, c.token), now)
			wantSignature(t, s, verdict.Passed, "", c.level, time.Time{})
			wantStamp(t, s, cades.SignatureTimeStamp, c.status, c.code)
			if !s.Certificate.At.Equal(now) {
				t.Errorf("judged at %v", s.Certificate.At)
			}
		})
	}
}

// TestSeveralStamps: the earliest that passed counts, in whatever order they stand,
// in one attribute or in several.
func TestSeveralStamps(t *testing.T) {
	w := newWorld(t)
	bes := w.bes(t, false)
	signature := longterm.Parse(t, bes).Signers[0].Signature
	second := longterm.NewTSA(t, w.Country, w.FNS, country.TimeStamping(), stamped.Add(10*time.Minute))
	useless := longterm.NewTSA(t, w.Country, nil, country.TimeStamping(), stamped.Add(-time.Hour))
	tokens := [][]byte{second.Token(t, signature), w.tsa.Token(t, signature), useless.Token(t, signature)}
	separate := bes
	for _, token := range tokens {
		separate = longterm.Add(t, separate, longterm.SignatureTimeStamp, token)
	}
	for _, file := range [][]byte{separate, longterm.Add(t, bes, longterm.SignatureTimeStamp, tokens...)} {
		s := one(t, w.v, file, now)
		wantSignature(t, s, verdict.Passed, "", cms.T, stamped)
		if len(s.TimeStamps) != 3 {
			t.Errorf("%d time-stamps", len(s.TimeStamps))
		}
	}
}

// TestMoment: a moment that the caller asks about is never moved later; a time-stamp
// made after it still proves what it proves.
func TestMoment(t *testing.T) {
	w := newWorld(t)
	file := longterm.T(t, w.bes(t, false), w.tsa)
	v := w.v
	v.Now = now
	asked := stamped.Add(-30 * time.Minute)
	s := one(t, v, file, asked)
	wantSignature(t, s, verdict.Passed, "", cms.T, stamped)
	if !s.Certificate.At.Equal(asked) {
		t.Errorf("judged at %v, asked about %v", s.Certificate.At, asked)
	}
	// A question about the future is judged then, the TSA too.
	s = one(t, v, file, later)
	wantSignature(t, s, verdict.Indeterminate, reason.RevocationStale, cms.T, time.Time{})
	wantStamp(t, s, cades.SignatureTimeStamp, verdict.Indeterminate, reason.RevocationStale)
	// Without Now the moment asked about is the present, and the stamp is of the future.
	s = one(t, w.at(t, asked), file, asked)
	wantSignature(t, s, verdict.Passed, "", cms.T, time.Time{})
	wantStamp(t, s, cades.SignatureTimeStamp, verdict.Indeterminate, reason.TimeStampFuture)
}

// TestTimeOrder: times that contradict each other leave the signature undecided.
func TestTimeOrder(t *testing.T) {
	w := newWorld(t)
	sign := func(claimed time.Time, contentStamp time.Time) []byte {
		by := cms.Signatory{Key: w.h.Key, Certificate: w.h.Cert, Time: claimed}
		file, err := cms.Create(nil, document, by)
		if err != nil {
			t.Fatal(err)
		}
		if contentStamp.IsZero() {
			return file
		}
		tsa := longterm.NewTSA(t, w.Country, w.FNS, country.TimeStamping(), contentStamp)
		return longterm.SignWith(t, document, w.h, claimed, longterm.ContentTimeStamp, tsa.Token(t, document))
	}
	for name, c := range map[string]struct {
		file   []byte
		stamp  bool
		status verdict.Status
		proven time.Time
	}{
		"claimed after the stamp":          {sign(stamped.Add(time.Hour/2), time.Time{}), true, verdict.Indeterminate, stamped},
		"claimed a little after the stamp": {sign(stamped.Add(time.Minute), time.Time{}), true, verdict.Passed, stamped},
		"nothing claimed":                  {sign(time.Time{}, time.Time{}), true, verdict.Passed, stamped},
		"claimed tomorrow, no stamp":       {sign(now.AddDate(0, 0, 1), time.Time{}), false, verdict.Passed, time.Time{}},
		"content stamped before":           {sign(signed, signed.Add(-time.Hour)), true, verdict.Passed, stamped},
		"content stamped after":            {sign(time.Time{}, stamped.Add(time.Hour/2)), true, verdict.Indeterminate, stamped},
		"claimed before the content stamp": {sign(signed, signed.Add(time.Hour/2)), false, verdict.Indeterminate, time.Time{}},
		"content stamp alone":              {sign(signed, signed.Add(-time.Hour)), false, verdict.Passed, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			file, level := c.file, cms.BES
			if c.stamp {
				file, level = longterm.T(t, file, w.tsa), cms.T
			}
			code := reason.Code("")
			if c.status != verdict.Passed {
				code = reason.TimeOrder
			}
			wantSignature(t, one(t, w.v, file, now), c.status, code, level, c.proven)
		})
	}
}

// TestTwoSignersStamped: each of two who signed one document has a time-stamp of the same
// TSA; exchanged, they prove nothing.
func TestTwoSignersStamped(t *testing.T) {
	w := newWorld(t)
	second := w.Person(t, w.FNS, gost3410.TC26512A(), country.Entrepreneur())
	file, err := cms.Create(nil, document,
		cms.Signatory{Key: w.h.Key, Certificate: w.h.Cert, Time: signed},
		cms.Signatory{Key: second.Key, Certificate: second.Cert, Time: signed})
	if err != nil {
		t.Fatal(err)
	}
	sd := longterm.Parse(t, file)
	values := [][]byte{sd.Signers[0].Signature, sd.Signers[1].Signature}
	for _, c := range []struct {
		of     [2]int
		level  cms.Level
		proven time.Time
	}{{[2]int{0, 1}, cms.T, stamped}, {[2]int{1, 0}, cms.BES, time.Time{}}} {
		both := file
		for i, of := range c.of {
			number := 0
			for j := range longterm.Parse(t, both).Signers {
				if string(longterm.Parse(t, both).Signers[j].Signature) == string(values[i]) {
					number = j
				}
			}
			both = longterm.AddTo(t, both, number, longterm.SignatureTimeStamp, w.tsa.Token(t, values[of]))
		}
		r := w.v.Signature(both, cms.Content{}, now)
		if len(r.Signatures) != 2 || r.Verdict().Status() != verdict.Passed {
			t.Fatalf("%d signatures: %+v", len(r.Signatures), r.Verdict().Checks())
		}
		for _, s := range r.Signatures {
			wantSignature(t, s, verdict.Passed, "", c.level, c.proven)
		}
	}
}

// TestStaleEvidence: revocation data inside a signature count only if whoever made
// them was in force when they are proven to have existed.
func TestStaleEvidence(t *testing.T) {
	w := newWorld(t)
	m := w.material(t)
	long := longterm.Values(t, longterm.C(t, longterm.T(t, w.bes(t, false), w.tsa), m), m)
	v := w.offline()
	s := one(t, v, long, now)
	wantSignature(t, s, verdict.Passed, "", cms.XLong, stamped)
	f := v.inspect(longterm.Parse(t, long), cms.Content{}, now, nil)
	f.now = w.FNS.Cert.NotAfter.Add(time.Hour)
	a, err := cades.Of(&f.file.Signers[0], f.file)
	if err != nil {
		t.Fatal(err)
	}
	own := f.carry(a)
	checks := f.checkEvidence(s.Certificate, proofs{}, own)
	if len(checks) == 0 || checks[0].Reason != reason.EvidenceNotProven {
		t.Errorf("lists of a CA that has expired: %+v", checks)
	}
	known := proofs{}
	for _, list := range m.Lists {
		known.add(list, stamped)
	}
	for _, c := range f.checkEvidence(s.Certificate, known, own) {
		if c.Status != verdict.Passed {
			t.Errorf("lists that are proven: %+v", c)
		}
	}
}

// response makes an OCSP answer of the tax service about certificates, good at a
// moment.
func (w *world) response(t *testing.T, at time.Time, certs ...*gostx509.Certificate) *ocsp.Response {
	t.Helper()
	template := ocsp.Template{ProducedAt: at, ByName: true}
	for _, cert := range certs {
		id, err := ocsp.NewID(sigalg.OIDStreebog256, cert, w.FNS.Cert)
		if err != nil {
			t.Fatal(err)
		}
		template.Singles = append(template.Singles, ocsp.Single{
			ID: id, Status: ocsp.Good, ThisUpdate: at, NextUpdate: at.Add(24 * time.Hour),
		})
	}
	raw, err := ocsp.CreateResponse(nil, template, w.FNS.Cert, w.FNS.Key)
	if err != nil {
		t.Fatal(err)
	}
	response, err := ocsp.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// TestOfflineOCSP: OCSP answers inside the signature are as good as lists, in the
// attribute and beside the certificates.
func TestOfflineOCSP(t *testing.T) {
	w := newWorld(t)
	response := w.response(t, stamped.Add(time.Minute), w.h.Cert, w.tsa.Holder.Cert)
	m := longterm.Material{
		Certs: []*gostx509.Certificate{w.FNS.Cert, w.Root.Cert},
		Lists: [][]byte{w.list(t, w.Root, stamped.Add(time.Minute))},
		OCSPs: [][]byte{response.RawBasic},
		Refs: []longterm.OCSP{{
			Responder: longterm.Element(0xa1, response.ResponderName), ProducedAt: response.ProducedAt, Hashed: response.RawBasic,
		}},
	}
	stampT := longterm.T(t, w.bes(t, false), w.tsa)
	beside, err := longterm.Parse(t, stampT).Extend(0, cms.Addition{CRLs: m.Lists, OCSPs: [][]byte{response.Raw}})
	if err != nil {
		t.Fatal(err)
	}
	v := w.offline()
	wantSignature(t, one(t, v, stampT, now), verdict.Indeterminate, reason.RevocationUnknown, cms.T, time.Time{})
	for level, file := range map[cms.Level][]byte{
		cms.XLongType1: longterm.Type1(t, longterm.Values(t, longterm.C(t, stampT, m), m), w.tsa),
		cms.T:          beside,
		cms.LTA:        longterm.Indexed(t, beside, document, longterm.IndexV3, w.tsa),
	} {
		s := one(t, v, file, now)
		wantSignature(t, s, verdict.Passed, "", level, stamped)
		inside := false
		for _, used := range s.Certificate.Evidence {
			inside = inside || used.SHA256 == response.SHA256()
		}
		if !inside {
			t.Errorf("%s: the answer inside was not used: %+v", level, s.Certificate.Evidence)
		}
	}
	// An archive time-stamp keeps it so when everybody below has expired.
	year := now.AddDate(1, 0, 0)
	lta := longterm.Indexed(t, beside, document, longterm.IndexV3, w.tsa)
	wantSignature(t, one(t, w.at(t, year), lta, year), verdict.Passed, "", cms.LTA, stamped)
}

// TestEvidenceInsideToken: lists that the TSA, or whoever asked it, put into the
// attributes of the token are used like those of the signature.
func TestEvidenceInsideToken(t *testing.T) {
	w := newWorld(t)
	bes, m := w.bes(t, false), w.material(t)
	token := w.tsa.Token(t, longterm.Parse(t, bes).Signers[0].Signature)
	token = longterm.Add(t, token, longterm.RevocationValues, longterm.RevocationValuesOf(m.Lists, nil))
	token = longterm.Add(t, token, longterm.CertificateValues, longterm.CertificateValuesOf(m.Certs...))
	wantSignature(t, one(t, w.offline(), longterm.Add(t, bes, longterm.SignatureTimeStamp, token), now), verdict.Passed, "", cms.T, stamped)
}

// TestEvidenceOfCaller: what the file carries does not take the place of what the caller
// has found out, in lists and in answers.
func TestEvidenceOfCaller(t *testing.T) {
	w := newWorld(t)
	at := stamped.Add(time.Minute)
	bes := w.bes(t, false)
	lists := longterm.Values(t, bes, w.material(t))
	answers, err := longterm.Parse(t, bes).Extend(0, cms.Addition{OCSPs: [][]byte{w.response(t, at, w.h.Cert).Raw}})
	if err != nil {
		t.Fatal(err)
	}
	response := ocsp.Template{ProducedAt: now, ByName: true, Singles: []ocsp.Single{{
		Status: ocsp.Revoked, RevokedAt: at, Reason: crl.KeyCompromise, ThisUpdate: now, NextUpdate: now.Add(time.Hour),
	}}}
	if response.Singles[0].ID, err = ocsp.NewID(sigalg.OIDStreebog256, w.h.Cert, w.FNS.Cert); err != nil {
		t.Fatal(err)
	}
	raw, err := ocsp.CreateResponse(nil, response, w.FNS.Cert, w.FNS.Key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ocsp.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file     []byte
		evidence revocation.Evidence
	}{
		"lists":   {lists, revocation.Evidence{CRLs: setOf(t, w.list(t, w.FNS, now, revoked(w.h.Cert, at)))}},
		"answers": {answers, revocation.Evidence{Responses: []*ocsp.Response{parsed}}},
	} {
		v := w.at(t, now)
		if s := one(t, v, c.file, now); s.Verdict.Status() != verdict.Passed {
			t.Errorf("%s: %q", name, s.Verdict.Why())
		}
		v.Evidence = c.evidence
		if s := one(t, v, c.file, now); s.Verdict.Why() != reason.CertRevoked {
			t.Errorf("%s: %q", name, s.Verdict.Why())
		}
	}
}

// TestContentStampOfOldTSA: a time-stamp of the document is signed with it, so that
// one of the signature proves when it existed.
func TestContentStampOfOldTSA(t *testing.T) {
	w := newWorld(t)
	short := country.TimeStamping()
	short.NotAfter = now.Add(-10 * time.Minute)
	content := longterm.NewTSA(t, w.Country, w.FNS, short, signed)
	bes := longterm.SignWith(t, document, w.h, signed.Add(time.Minute), longterm.ContentTimeStamp, content.Token(t, document))
	s := one(t, w.v, bes, now)
	wantStamp(t, s, cades.ContentTimeStamp, verdict.Failed, reason.CertExpired)
	s = one(t, w.v, longterm.T(t, bes, w.tsa), now)
	wantSignature(t, s, verdict.Passed, "", cms.T, stamped)
	wantStamp(t, s, cades.ContentTimeStamp, verdict.Passed, "")
}

// TestArchiveChain: each archive time-stamp is judged at the moment of the next one,
// and one of a TSA that nobody trusts carries nothing on.
func TestArchiveChain(t *testing.T) {
	w := newWorld(t)
	year := now.AddDate(1, 0, 0)
	first, second := now.AddDate(0, 2, 0), now.AddDate(0, 4, 0)
	tsaUntil := func(issuer *country.Authority, at, until time.Time) *longterm.TSA {
		template := country.TimeStamping()
		template.NotAfter = until
		return longterm.NewTSA(t, w.Country, issuer, template, at)
	}
	file := longterm.T(t, w.bes(t, false), tsaUntil(w.FNS, stamped, now.AddDate(0, 3, 0)))
	renew := func(file []byte, tsa *longterm.TSA) []byte {
		extended, err := longterm.Parse(t, file).Extend(0, cms.Addition{CRLs: [][]byte{
			w.list(t, w.FNS, tsa.Time.Add(-time.Minute)), w.list(t, w.Root, tsa.Time.Add(-time.Minute)),
		}})
		if err != nil {
			t.Fatal(err)
		}
		return longterm.Indexed(t, extended, document, longterm.IndexV3, tsa)
	}
	once := renew(file, tsaUntil(w.FNS, first, now.AddDate(0, 5, 0)))
	v := w.at(t, year)
	// Its archive time-stamp is of a TSA that has expired as well.
	wantSignature(t, one(t, v, once, year), verdict.Failed, reason.CertExpired, cms.LTA, time.Time{})
	twice := renew(once, tsaUntil(w.FNS, second, now.AddDate(5, 0, 0)))
	s := one(t, v, twice, year)
	wantSignature(t, s, verdict.Passed, "", cms.LTA, stamped)
	for i, at := range []time.Time{first, second, year} {
		if !s.TimeStamps[i].Certificate.At.Equal(at) {
			t.Errorf("%s of %v: judged at %v, want %v", s.TimeStamps[i].Kind, s.TimeStamps[i].Time, s.TimeStamps[i].Certificate.At, at)
		}
	}
	for name, issuer := range map[string]*country.Authority{"self-signed": nil, "not accredited": w.Stranger} {
		wrong := renew(once, tsaUntil(issuer, second, now.AddDate(5, 0, 0)))
		s := one(t, v, wrong, year)
		if s.Verdict.Status() != verdict.Failed || !s.ProofOfExistence.IsZero() {
			t.Errorf("%s: %v, proven %v", name, s.Verdict.Status(), s.ProofOfExistence)
		}
	}
}

// TestReferencesProveNoSignature: a time-stamp over references alone says nothing
// about when the signature existed.
func TestReferencesProveNoSignature(t *testing.T) {
	w := newWorld(t)
	m := w.material(t)
	c := longterm.C(t, longterm.T(t, w.bes(t, false), w.tsa), m)
	early := longterm.NewTSA(t, w.Country, w.FNS, country.TimeStamping(), signed)
	s := one(t, w.v, longterm.Type2(t, c, early), now)
	wantSignature(t, s, verdict.Passed, "", cms.XType2, stamped)
	wantStamp(t, s, cades.ReferencesTimeStamp, verdict.Passed, "")
}

// TestStampUnderNarrowPolicy: what a policy asks of holders is not asked of a TSA.
func TestStampUnderNarrowPolicy(t *testing.T) {
	w := newWorld(t)
	w.v.Policy = SignIn(person.Entrepreneur)
	wantSignature(t, one(t, w.v, longterm.T(t, w.bes(t, false), w.tsa), now), verdict.Passed, "", cms.T, stamped)
}

// TestInnerAfterOuter: a time-stamp later than one over it claims the impossible.
func TestInnerAfterOuter(t *testing.T) {
	w := newWorld(t)
	late := longterm.NewTSA(t, w.Country, w.FNS, country.TimeStamping(), stamped.Add(time.Hour/2))
	s := one(t, w.v, longterm.Type1(t, longterm.C(t, longterm.T(t, w.bes(t, false), late), w.material(t)), w.tsa), now)
	wantSignature(t, s, verdict.Passed, "", cms.XType1, stamped)
	wantStamp(t, s, cades.SignatureTimeStamp, verdict.Indeterminate, reason.TimeOrder)
}

// TestEvidenceOfOldCA: lists inside a signature are of a CA that has expired since.
// They count only under a time-stamp that proves them to be older, for the signer
// and for a TSA.
func TestEvidenceOfOldCA(t *testing.T) {
	w := newWorld(t)
	at := now.AddDate(11, 0, 0) // the CAs of the country expire after ten
	key := w.Person(t, nil, gost3410.TC26256A(), country.Entrepreneur()).Key
	root := &country.Authority{Key: key, Cert: w.Issue(t, gostx509.Template{
		Subject:   gostx509.Name{{Type: gostx509.OIDCommonName, Text: "Долгий УЦ Вымышленный"}},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(30, 0, 0), IsCA: true, MaxPathLen: -1,
		KeyUsage: gostx509.KeyUsageCertSign | gostx509.KeyUsageCRLSign,
	}, nil, key)}
	template := country.TimeStamping()
	template.NotAfter = now.AddDate(20, 0, 0)
	long := longterm.NewTSA(t, w.Country, root, template, stamped)
	v := Validator{Policy: Policy{AllowUnqualified: true, AllowUnaccredited: true}}
	v.Trust.Roots = path.NewPool(w.Root.Cert, root.Cert)
	v.Trust.CRLs = setOf(t, w.list(t, root, at.Add(-time.Minute)))
	m := w.material(t)

	alone := longterm.Values(t, longterm.C(t, longterm.T(t, w.bes(t, false), long), m), m)
	wantSignature(t, one(t, v, alone, at), verdict.Indeterminate, reason.EvidenceNotProven, cms.XLong, stamped)
	wantSignature(t, one(t, v, longterm.Type1(t, alone, long), at), verdict.Passed, "", cms.XLongType1, stamped)

	// The TSA is of the old CA; an archive time-stamp is over everything, or over all
	// but the values.
	both := longterm.Values(t, longterm.C(t, longterm.T(t, w.bes(t, false), w.tsa), m), m)
	long.Time = stamped.Add(2 * time.Minute)
	s := one(t, v, longterm.Indexed(t, both, document, longterm.IndexV2, long), at)
	wantSignature(t, s, verdict.Passed, "", cms.LTA, stamped)
	values := longterm.Element(0x30, longterm.Attribute(t, both, longterm.RevocationValues))
	refs := longterm.Element(0x30, longterm.Attribute(t, both, longterm.RevocationRefs))
	index := longterm.IndexOf(t, both, longterm.IndexV2, func(raw []byte) bool {
		return string(raw) != string(values) && string(raw) != string(refs)
	})
	token := long.Token(t, longterm.IndexedImprint(t, both, document, index))
	s = one(t, v, longterm.Add(t, both, longterm.ArchiveV3, longterm.WithIndex(t, token, longterm.IndexV2, index)), at)
	wantStamp(t, s, cades.SignatureTimeStamp, verdict.Indeterminate, reason.EvidenceNotProven)
	wantSignature(t, s, verdict.Indeterminate, reason.EvidenceNotProven, cms.XLong, long.Time)
}
