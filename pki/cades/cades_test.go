package cades

import (
	"bytes"
	"crypto/sha1"
	"slices"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/cms"
	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/internal/longterm"
	"propusk/pki/ocsp"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

var document = []byte("Заявление вымышленного предпринимателя.\n")

// stamped is the moment of the time-stamps.
var stamped = country.Now.Add(-time.Hour)

// kit is what signatures of the tests are made with.
type kit struct {
	*country.Country
	h   country.Holder
	tsa *longterm.TSA
	m   longterm.Material
}

func newKit(t testing.TB) *kit {
	t.Helper()
	c := country.New(t)
	k := &kit{
		Country: c, h: c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur()),
		tsa: longterm.NewTSA(t, c, c.FNS, country.TimeStamping(), stamped),
	}
	k.m = longterm.Material{
		Certs: []*gostx509.Certificate{c.FNS.Cert, c.Root.Cert},
		Lists: [][]byte{list(t, c.FNS, 1), list(t, c.Root, 2)},
	}
	return k
}

func list(t testing.TB, a *country.Authority, number int64) []byte {
	t.Helper()
	raw, err := crl.Create(nil, crl.Template{Number: number, ThisUpdate: stamped, NextUpdate: stamped.AddDate(0, 0, 1)}, a.Cert, a.Key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// withOCSP adds an OCSP response of the CA about the signer to the material. What
// is hashed by the reference is chosen by the caller: nothing for nil.
func (k *kit) withOCSP(t testing.TB, hashed func(basic, whole []byte) []byte) longterm.Material {
	t.Helper()
	id, err := ocsp.NewID(sigalg.OIDStreebog256, k.h.Cert, k.FNS.Cert)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := ocsp.CreateResponse(nil, ocsp.Template{
		ProducedAt: stamped, ByName: true,
		Singles: []ocsp.Single{{ID: id, Status: ocsp.Good, ThisUpdate: stamped}},
	}, k.FNS.Cert, k.FNS.Key)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ocsp.Parse(whole)
	if err != nil {
		t.Fatal(err)
	}
	m := k.m
	m.OCSPs = [][]byte{r.RawBasic}
	m.Refs = []longterm.OCSP{{
		Responder: longterm.Element(0xa1, r.ResponderName), ProducedAt: r.ProducedAt, Hashed: hashed(r.RawBasic, whole),
	}}
	return m
}

func (k *kit) bes(t testing.TB) []byte {
	t.Helper()
	return longterm.Sign(t, document, false, k.h, stamped)
}

// firstOf reads the attributes of the first signature of a file.
func firstOf(t testing.TB, file []byte) Attributes {
	t.Helper()
	sd := longterm.Parse(t, file)
	a, err := Of(&sd.Signers[0], sd)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestRead reads everything that a signature may carry.
func TestRead(t *testing.T) {
	k := newKit(t)
	m := k.withOCSP(t, func(basic, _ []byte) []byte { return basic })
	a := firstOf(t, longterm.Indexed(t, longterm.LongType1(t, k.bes(t), m, k.tsa), document, longterm.IndexV3, k.tsa))
	kinds := []Kind{SignatureTimeStamp, ESCTimeStamp, ArchiveV3}
	if len(a.TimeStamps) != len(kinds) || len(a.Unreadable) != 0 {
		t.Fatalf("%d time-stamps, unreadable: %v", len(a.TimeStamps), a.Unreadable)
	}
	for i, ts := range a.TimeStamps {
		if ts.Kind != kinds[i] || ts.Token == nil || !ts.Token.GenTime.Equal(stamped) {
			t.Errorf("%d: %s", i, ts.Kind)
		}
		if err := a.CheckImprint(ts, cms.Content{}); err != nil {
			t.Errorf("%s: %v", ts.Kind, err)
		}
	}
	if len(a.CertificateRefs) != 2 || len(a.RevocationRefs) != 3 || len(a.Certificates) != 2 || len(a.CRLs) != 2 || len(a.Responses) != 1 {
		t.Errorf("%d %d %d %d %d", len(a.CertificateRefs), len(a.RevocationRefs), len(a.Certificates), len(a.CRLs), len(a.Responses))
	}
	if a.Level() != cms.LTA || a.Policy != nil {
		t.Errorf("level %s", a.Level())
	}
	if len(a.Covers(a.TimeStamps[0])) != 0 || len(a.Covers(a.TimeStamps[1])) != 6 || len(a.Covers(a.TimeStamps[2])) < 8 {
		t.Errorf("covers %d, %d, %d", len(a.Covers(a.TimeStamps[0])), len(a.Covers(a.TimeStamps[1])), len(a.Covers(a.TimeStamps[2])))
	}
}

// TestImprints: what this package says a new time-stamp must be over is what one
// made by the letter of the standard is over, and nothing else is.
func TestImprints(t *testing.T) {
	k := newKit(t)
	for _, detached := range []bool{false, true} {
		content := cms.Content{}
		file := longterm.Sign(t, document, detached, k.h, stamped)
		if detached {
			content = cms.Document(document)
		}
		long := longterm.Values(t, longterm.C(t, longterm.T(t, file, k.tsa), k.m), k.m)
		for kind, file := range map[Kind][]byte{
			SignatureTimeStamp:  longterm.T(t, file, k.tsa),
			ESCTimeStamp:        longterm.Type1(t, long, k.tsa),
			ReferencesTimeStamp: longterm.Type2(t, long, k.tsa),
			ArchiveV1:           longterm.Archive(t, long, document, longterm.ArchiveV1, k.tsa),
			ArchiveV2:           longterm.Archive(t, long, document, longterm.ArchiveV2, k.tsa),
			ArchiveV3:           longterm.Indexed(t, long, document, longterm.IndexV3, k.tsa),
			ContentTimeStamp:    longterm.SignWith(t, document, k.h, stamped, longterm.ContentTimeStamp, k.tsa.Token(t, document)),
		} {
			a := firstOf(t, file)
			last := a.TimeStamps[len(a.TimeStamps)-1]
			if last.Kind != kind {
				t.Fatalf("%s, want %s", last.Kind, kind)
			}
			if err := a.CheckImprint(last, content); err != nil {
				t.Errorf("%s, detached %v: %v", kind, detached, err)
			}
			if kind == ContentTimeStamp || kind == ArchiveV1 || kind == ArchiveV2 || kind == ArchiveV3 {
				other := a.CheckImprint(last, cms.Document(document[1:]))
				if detached && kind != ContentTimeStamp && reason.Of(other) != reason.TimeStampImprint {
					t.Errorf("%s of another document: %v", kind, other)
				}
				missing := a.CheckImprint(last, cms.Content{})
				if detached && kind != ContentTimeStamp && reason.Of(missing) != reason.ContentMissing {
					t.Errorf("%s without the document: %v", kind, missing)
				}
			}
			wantForeign(t, k, file, kind, content)
		}
	}
}

// wantForeign puts a time-stamp of a kind onto another signature.
func wantForeign(t *testing.T, k *kit, file []byte, kind Kind, content cms.Content) {
	t.Helper()
	sd := longterm.Parse(t, file)
	a := firstOf(t, file)
	stamps := a.TimeStamps
	stranger := longterm.Sign(t, document, sd.Detached, k.h, stamped.Add(time.Second))
	other := firstOf(t, longterm.Values(t, longterm.C(t, longterm.T(t, stranger, k.tsa), k.m), k.m))
	err := other.CheckImprint(stamps[len(stamps)-1], content)
	code := reason.Of(err)
	switch kind {
	case ContentTimeStamp, ReferencesTimeStamp: // over what both have
		if err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	case ArchiveV3:
		if code != reason.TimeStampIndex {
			t.Errorf("%s on another signature: %v", kind, err)
		}
	default:
		if code != reason.TimeStampImprint {
			t.Errorf("%s on another signature: %v", kind, err)
		}
	}
}

// TestImprintWithoutHeader: an archive time-stamp of version 2 made after the older
// edition of the standard is taken too.
func TestImprintWithoutHeader(t *testing.T) {
	k := newKit(t)
	file := longterm.T(t, k.bes(t), k.tsa)
	token := k.tsa.Token(t, longterm.FileImprint(t, file, document, 0, false))
	a := firstOf(t, longterm.Add(t, file, longterm.ArchiveV2, token))
	if err := a.CheckImprint(a.TimeStamps[1], cms.Content{}); err != nil {
		t.Error(err)
	}
}

// TestSecondArchive: an archive time-stamp of version 2 is over the earlier ones, and
// not over later ones, wherever they stand.
func TestSecondArchive(t *testing.T) {
	k := newKit(t)
	file := longterm.T(t, k.bes(t), k.tsa)
	for range 3 {
		k.tsa.Time = k.tsa.Time.Add(time.Minute)
		file = longterm.Archive(t, file, document, longterm.ArchiveV2, k.tsa)
	}
	a := firstOf(t, file)
	for i, ts := range a.TimeStamps {
		if err := a.CheckImprint(ts, cms.Content{}); err != nil {
			t.Errorf("%d %s: %v", i, ts.Kind, err)
		}
	}
	covers := func(i, j int) bool { return holds(a.Covers(a.TimeStamps[i]), a.TimeStamps[j].Raw) }
	if !covers(2, 1) || !covers(3, 1) || !covers(3, 2) || covers(1, 2) || covers(2, 3) || covers(1, 1) || !covers(1, 0) {
		t.Error("an archive time-stamp covers later ones, or not the earlier ones")
	}
}

// TestNewStamp: Imprint and HashIndex say what a new time-stamp must be over.
func TestNewStamp(t *testing.T) {
	k := newKit(t)
	file := longterm.Values(t, longterm.C(t, longterm.T(t, k.bes(t), k.tsa), k.m), k.m)
	a := firstOf(t, file)
	algorithm := a.TimeStamps[0].Token.DigestAlgorithm()
	for kind, stamped := range map[Kind][]byte{
		SignatureTimeStamp: longterm.T(t, k.bes(t), k.tsa),
		ArchiveV2:          longterm.Archive(t, file, document, longterm.ArchiveV2, k.tsa),
	} {
		b := a
		if kind == SignatureTimeStamp {
			b = firstOf(t, stamped)
		}
		sum, err := b.Imprint(kind, algorithm, cms.Content{}, nil)
		all := firstOf(t, stamped).TimeStamps
		if err != nil || !bytes.Equal(sum, all[len(all)-1].Token.Digest.Hash) {
			t.Errorf("%s: %x, %v", kind, sum, err)
		}
	}
	index, err := a.HashIndex(sigalg.OIDSHA256)
	if err != nil || !bytes.Equal(index, longterm.IndexOf(t, file, longterm.IndexV3, nil)) {
		t.Errorf("%x: %v", index, err)
	}
	if _, err := a.Imprint(ArchiveV3, algorithm, cms.Content{}, nil); err == nil {
		t.Error("an archive time-stamp without an index")
	}
	if _, err := firstOf(t, k.bes(t)).Imprint(ESCTimeStamp, algorithm, cms.Content{}, nil); err == nil {
		t.Error("a time-stamp over references that are not there")
	}
}

// TestLevels takes away pieces of a signature of a level.
func TestLevels(t *testing.T) {
	k := newKit(t)
	bes := k.bes(t)
	stampT := longterm.T(t, bes, k.tsa)
	c := longterm.C(t, stampT, k.m)
	other := k.m
	other.Lists = [][]byte{list(t, k.FNS, 3), k.m.Lists[1]}
	fewer := k.m
	fewer.Certs = k.m.Certs[:1]
	plain := longterm.Values(t, longterm.C(t, bes, k.m), k.m)
	for name, one := range map[string]struct {
		file  []byte
		level cms.Level
		fits  bool
	}{
		"BES":                       {bes, cms.BES, true},
		"references without T":      {plain, cms.BES, true},
		"T":                         {stampT, cms.T, true},
		"references to one sort":    {longterm.Add(t, stampT, longterm.CertificateRefs, longterm.CertificateRefsOf(k.m.Certs...)), cms.T, true},
		"C":                         {c, cms.C, true},
		"values of one sort":        {longterm.Add(t, c, longterm.CertificateValues, longterm.CertificateValuesOf(k.m.Certs...)), cms.C, true},
		"X Long":                    {longterm.Values(t, c, k.m), cms.XLong, true},
		"values, no references":     {longterm.Values(t, stampT, k.m), cms.T, true},
		"references of others":      {longterm.Values(t, longterm.C(t, stampT, other), k.m), cms.T, false},
		"values missing":            {longterm.Values(t, c, fewer), cms.T, false},
		"the same, with a stamp":    {longterm.Type1(t, longterm.Values(t, c, fewer), k.tsa), cms.T, false},
		"the same, archived":        {longterm.Archive(t, longterm.Values(t, c, fewer), document, longterm.ArchiveV2, k.tsa), cms.T, false},
		"archived without values":   {longterm.Archive(t, c, document, longterm.ArchiveV2, k.tsa), cms.C, true},
		"references twice":          {longterm.C(t, c, k.m), cms.T, true},
		"references three times":    {longterm.C(t, longterm.C(t, c, k.m), k.m), cms.T, true},
		"X Type 1":                  {longterm.Type1(t, c, k.tsa), cms.XType1, true},
		"X Type 2":                  {longterm.Type2(t, c, k.tsa), cms.XType2, true},
		"both":                      {longterm.Type2(t, longterm.Type1(t, c, k.tsa), k.tsa), cms.XType1, true},
		"OCSP by its digest":        {longTermOCSP(t, k, func(basic, _ []byte) []byte { return basic }), cms.XLong, true},
		"OCSP by that of the whole": {longTermOCSP(t, k, func(_, whole []byte) []byte { return whole }), cms.XLong, true},
		"OCSP by name and time":     {longTermOCSP(t, k, nil), cms.XLong, true},
		"OCSP of others":            {longTermOCSP(t, k, func(basic, _ []byte) []byte { return basic[1:] }), cms.T, false},
		"OCSP by another name":      {longTermOCSP(t, k, nil, func(o *longterm.OCSP) { o.Responder = longterm.Element(0xa1, k.Root.Cert.RawSubject) }), cms.T, false},
		"OCSP by a key":             {longTermOCSP(t, k, nil, func(o *longterm.OCSP) { o.Responder = longterm.Element(0xa2, longterm.Element(0x04, make([]byte, 20))) }), cms.T, false},
		"OCSP by another time":      {longTermOCSP(t, k, nil, func(o *longterm.OCSP) { o.ProducedAt = o.ProducedAt.Add(time.Second) }), cms.T, false},
	} {
		a := firstOf(t, one.file)
		if a.Level() != one.level {
			t.Errorf("%s: %s, want %s", name, a.Level(), one.level)
		}
		mismatch := false
		for _, c := range a.Checks() {
			mismatch = mismatch || c.Reason == reason.ReferenceMismatch
		}
		if mismatch == one.fits {
			t.Errorf("%s: %+v", name, a.Checks())
		}
	}
	none := firstOf(t, stampT).LevelWith(func(int) bool { return false })
	if none != cms.BES {
		t.Errorf("no good time-stamp: %s", none)
	}
}

// longTermOCSP makes an X Long with an OCSP response, and changes the reference to it.
func longTermOCSP(t *testing.T, k *kit, hashed func(basic, whole []byte) []byte, changes ...func(*longterm.OCSP)) []byte {
	t.Helper()
	if hashed == nil {
		hashed = func(_, _ []byte) []byte { return nil }
	}
	m := k.withOCSP(t, hashed)
	for _, change := range changes {
		change(&m.Refs[0])
	}
	return longterm.Values(t, longterm.C(t, longterm.T(t, k.bes(t), k.tsa), m), m)
}

// TestUnreadable: an attribute that cannot be read is named, counts as absent and
// hinders no other.
func TestUnreadable(t *testing.T) {
	k := newKit(t)
	file := longterm.T(t, k.bes(t), k.tsa)
	null := []byte{5, 0}
	for _, oid := range []string{
		longterm.CertificateRefs, longterm.RevocationRefs, longterm.CertificateValues, longterm.RevocationValues, longterm.CounterSignature,
	} {
		for name, values := range map[string][][]byte{
			"null": {null}, "two": {longterm.Element(0x30), longterm.Element(0x30)}, "rest": {longterm.Element(0x30, longterm.Element(0x30, null), null)},
		} {
			a := firstOf(t, longterm.Add(t, file, oid, values...))
			if len(a.Unreadable) != 1 || a.Level() != cms.T || a.Unreadable[0].Signed {
				t.Errorf("%s %s: %v, %s", oid, name, a.Unreadable, a.Level())
				continue
			}
			if checks := a.Checks(); len(checks) != 1 || checks[0].Status != verdict.Failed || checks[0].Reason != reason.AttributeUnreadable {
				t.Errorf("%s %s: %+v", oid, name, checks)
			}
		}
	}
	a := firstOf(t, longterm.Add(t, k.bes(t), longterm.SignatureTimeStamp, null))
	if len(a.TimeStamps) != 1 || a.TimeStamps[0].Token != nil || a.Level() != cms.BES {
		t.Errorf("a time-stamp that is none: %+v", a)
	}
	if err := a.CheckImprint(a.TimeStamps[0], cms.Content{}); reason.Of(err) != reason.TimeStampMalformed {
		t.Error(err)
	}
}

// TestLimits: more than is looked at is an error.
func TestLimits(t *testing.T) {
	k := newKit(t)
	many := func(n int, one []byte) [][]byte {
		all := make([][]byte, n)
		for i := range all {
			all[i] = one
		}
		return all
	}
	ref := longterm.Element(0x30, longterm.OtherHash(nil))
	for name, c := range map[string]struct {
		oid    string
		values func(n int) [][]byte
		limit  int
	}{
		"time-stamps":        {longterm.SignatureTimeStamp, func(n int) [][]byte { return many(n, []byte{5, 0}) }, MaxTimeStamps},
		"counter-signatures": {longterm.CounterSignature, func(n int) [][]byte { return many(n, longterm.Parse(t, k.bes(t)).Signers[0].Raw) }, MaxCounterSignatures},
		"references":         {longterm.CertificateRefs, func(n int) [][]byte { return [][]byte{longterm.Element(0x30, many(n, ref)...)} }, MaxReferences},
		"revocation":         {longterm.RevocationRefs, func(n int) [][]byte { return [][]byte{longterm.RevocationRefsOf(many(n, ref))} }, MaxReferences},
		"certificates":       {longterm.CertificateValues, func(n int) [][]byte { return [][]byte{longterm.Element(0x30, many(n, k.h.Cert.Raw)...)} }, MaxValues},
		"lists":              {longterm.RevocationValues, func(n int) [][]byte { return [][]byte{longterm.RevocationValuesOf(many(n, k.m.Lists[0]), nil)} }, MaxValues},
	} {
		for n, ok := range map[int]bool{c.limit: true, c.limit + 1: false} {
			sd := longterm.Parse(t, longterm.Add(t, k.bes(t), c.oid, c.values(n)...))
			a, err := Of(&sd.Signers[0], sd)
			if (err == nil) != ok || err != nil && (reason.Of(err) != reason.SignatureTooLarge || len(a.TimeStamps) > 0 || a.any()) {
				t.Errorf("%s, %d: %v", name, n, err)
			}
		}
	}
}

// TestLimitsTogether: limits hold for attributes together, and beyond them nothing that
// was added counts, not even what was read before.
func TestLimitsTogether(t *testing.T) {
	k := newKit(t)
	stampT := longterm.T(t, k.bes(t), k.tsa)
	stamp := longterm.Parse(t, stampT).Signers[0].UnsignedAttrs[0].Values
	counter := longterm.Parse(t, k.bes(t)).Signers[0].Raw
	for name, c := range map[string]struct {
		oid   string
		one   []byte
		limit int
	}{
		"time-stamps":        {longterm.SignatureTimeStamp, stamp, MaxTimeStamps - 1},
		"counter-signatures": {longterm.CounterSignature, counter, MaxCounterSignatures},
	} {
		file := longterm.Add(t, stampT, c.oid, slices.Repeat([][]byte{c.one}, c.limit)...)
		if a := firstOf(t, file); a.Level() != cms.T {
			t.Errorf("%s: %s", name, a.Level())
		}
		sd := longterm.Parse(t, longterm.Add(t, file, c.oid, c.one))
		a, err := Of(&sd.Signers[0], sd)
		if reason.Of(err) != reason.SignatureTooLarge || a.any() || a.Level() != cms.BES {
			t.Errorf("%s, one more: %v, %s", name, err, a.Level())
		}
	}
}

// TestReferenceSerial: a reference with the digest of one certificate and the number of
// another is to neither.
func TestReferenceSerial(t *testing.T) {
	k := newKit(t)
	for _, other := range []bool{false, true} {
		var refs [][]byte
		for _, cert := range k.m.Certs {
			serial := cert.Serial
			if other {
				serial = k.h.Cert.Serial
			}
			refs = append(refs, longterm.Element(0x30, longterm.OtherHash(cert.Raw),
				longterm.Element(0x30, longterm.Element(0x30), longterm.Element(0x02, serial))))
		}
		file := longterm.Add(t, longterm.T(t, k.bes(t), k.tsa), longterm.CertificateRefs, longterm.Element(0x30, refs...))
		file = longterm.Add(t, file, longterm.RevocationRefs, longterm.RevocationRefsOf(k.m.Lists))
		a := firstOf(t, longterm.Type1(t, longterm.Values(t, file, k.m), k.tsa))
		if (a.Level() == cms.T) != other || holds(a.Covers(a.TimeStamps[1]), k.m.Certs[0].Raw) == other {
			t.Errorf("the number of another %v: %s", other, a.Level())
		}
	}
}

// TestLevelOfGoodIndex: an archive time-stamp that is not good gives no level to one that
// is, and covers less.
func TestLevelOfGoodIndex(t *testing.T) {
	k := newKit(t)
	file := longterm.Indexed(t, longterm.LongType1(t, k.bes(t), k.m, k.tsa), document, longterm.IndexV3, k.tsa)
	a := k.indexed(t, file, longterm.IndexV3, func([]byte) bool { return false })
	whole := a.LevelWith(func(i int) bool { return i < 3 })
	less := a.LevelWith(func(i int) bool { return i != 2 })
	if whole != cms.LTA || less != cms.XLongType1 {
		t.Errorf("%s, %s", whole, less)
	}
}

// TestStrong: a digest is as strong as its algorithm, if that is named without parameters
// that nobody looks at.
func TestStrong(t *testing.T) {
	id := sigalg.AlgorithmIdentifier{Algorithm: sigalg.OIDSHA256, Parameters: []byte{5, 0}}
	if !(Digest{Algorithm: id}).Strong() || (Digest{}).Strong() {
		t.Error("SHA-256 is weak, or SHA-1 strong")
	}
	id.Parameters = []byte{4, 0}
	if (Digest{Algorithm: id}).Strong() {
		t.Error("parameters make no difference")
	}
}

// TestPolicy reads signature policies and compares them with documents.
func TestPolicy(t *testing.T) {
	k := newKit(t)
	policyDocument := longterm.Element(0x30, []byte("policy"))
	hash := longterm.OtherHash
	id := longterm.Element(0x06, longterm.OID(t, "1.2.643.100.113.99"))
	uri := longterm.Element(0x30, longterm.Element(0x30,
		longterm.Element(0x06, longterm.OID(t, "1.2.840.113549.1.9.16.5.1")), longterm.Element(0x16, []byte("http://policy.test/p"))))
	zero := longterm.Element(0x30, longterm.AlgorithmSHA256(), longterm.Element(0x04, make([]byte, 32)))
	for name, c := range map[string]struct {
		value []byte
		known bool
		code  reason.Code
		uri   string
	}{
		"whole":   {longterm.Element(0x30, id, hash(policyDocument), uri), true, "", "http://policy.test/p"},
		"content": {longterm.Element(0x30, id, hash([]byte("policy"))), true, "", ""},
		"other":   {longterm.Element(0x30, id, hash([]byte("other"))), true, reason.PolicyMismatch, ""},
		"zero":    {longterm.Element(0x30, id, zero), false, reason.PolicyMismatch, ""},
		"implied": {[]byte{5, 0}, false, reason.SignatureAlgorithmUnsupported, ""},
	} {
		a := firstOf(t, longterm.SignWith(t, document, k.h, stamped, longterm.SignaturePolicy, c.value))
		if a.Policy == nil || a.Level() != cms.EPES {
			t.Fatalf("%s: %v, %s", name, a.Unreadable, a.Level())
		}
		if a.Policy.Known() != c.known || a.Policy.URI != c.uri || a.Policy.Implied != (name == "implied") {
			t.Errorf("%s: %+v", name, a.Policy)
		}
		if code := reason.Of(a.Policy.Check(policyDocument)); code != c.code {
			t.Errorf("%s: %q, want %q", name, code, c.code)
		}
	}
	a := firstOf(t, longterm.SignWith(t, document, k.h, stamped, longterm.SignaturePolicy, longterm.Element(0x30)))
	if a.Policy != nil || len(a.Unreadable) != 1 || !a.Unreadable[0].Signed || a.Level() != cms.BES {
		t.Errorf("malformed: %+v, %s", a.Unreadable, a.Level())
	}
}

// TestTokenInBER reads a token with an indefinite length, and proves it by an archive
// time-stamp.
func TestTokenInBER(t *testing.T) {
	k := newKit(t)
	bes := k.bes(t)
	token := k.tsa.Token(t, longterm.Parse(t, bes).Signers[0].Signature)
	ber := append(append([]byte{0x30, 0x80}, longterm.Content(token)...), 0, 0)
	file := longterm.Add(t, bes, longterm.SignatureTimeStamp, ber)
	a := firstOf(t, longterm.Archive(t, file, document, longterm.ArchiveV2, k.tsa))
	if len(a.TimeStamps) != 2 || len(a.Unreadable) > 0 || a.Level() != cms.T {
		t.Fatalf("%d time-stamps, %v, %s", len(a.TimeStamps), a.Unreadable, a.Level())
	}
	for _, ts := range a.TimeStamps {
		if err := a.CheckImprint(ts, cms.Content{}); err != nil {
			t.Errorf("%s: %v", ts.Kind, err)
		}
	}
	if !holds(a.Covers(a.TimeStamps[1]), ber) {
		t.Error("the token is not covered")
	}
	if two := firstOf(t, longterm.Add(t, bes, longterm.SignatureTimeStamp, ber, ber)); two.TimeStamps[0].Token != nil {
		t.Error("two tokens in BER were read as one")
	}
}

// TestWeakReferences: references with SHA-1 give a level, but a time-stamp over them
// proves no value.
func TestWeakReferences(t *testing.T) {
	k := newKit(t)
	var refs [][]byte
	for _, cert := range k.m.Certs {
		sum := sha1.Sum(cert.Raw)
		refs = append(refs, longterm.Element(0x30, longterm.Element(0x04, sum[:])))
	}
	file := longterm.Add(t, longterm.T(t, k.bes(t), k.tsa), longterm.CertificateRefs, longterm.Element(0x30, refs...))
	file = longterm.Add(t, file, longterm.RevocationRefs, longterm.RevocationRefsOf(k.m.Lists))
	a := firstOf(t, longterm.Type1(t, longterm.Values(t, file, k.m), k.tsa))
	covered := a.Covers(a.TimeStamps[1])
	if a.Level() != cms.XLongType1 || holds(covered, k.m.Certs[0].Raw) || !holds(covered, k.m.Lists[0]) {
		t.Errorf("%s, covers %d", a.Level(), len(covered))
	}

	// The same algorithm in the form of others is not ours: nothing fits.
	sum := sha1.Sum(k.Root.Cert.Raw)
	named := longterm.Element(0x30, longterm.Element(0x30, longterm.Element(0x06, longterm.OID(t, "1.3.14.3.2.26"))), longterm.Element(0x04, sum[:]))
	file = longterm.Add(t, longterm.T(t, k.bes(t), k.tsa), longterm.CertificateRefs, longterm.Element(0x30, longterm.Element(0x30, named)))
	file = longterm.Add(t, file, longterm.RevocationRefs, longterm.RevocationRefsOf(k.m.Lists))
	a = firstOf(t, longterm.Type1(t, longterm.Values(t, file, k.m), k.tsa))
	if a.Level() != cms.T || holds(a.Covers(a.TimeStamps[1]), k.Root.Cert.Raw) {
		t.Error(a.Level())
	}
}

// indexed adds an archive time-stamp of version 3 whose index has what keep keeps.
func (k *kit) indexed(t *testing.T, file []byte, version string, keep func(raw []byte) bool) Attributes {
	t.Helper()
	index := longterm.IndexOf(t, file, version, keep)
	token := longterm.WithIndex(t, k.tsa.Token(t, longterm.IndexedImprint(t, file, document, index)), version, index)
	a := firstOf(t, longterm.Add(t, file, longterm.ArchiveV3, token))
	if err := a.CheckImprint(a.TimeStamps[len(a.TimeStamps)-1], cms.Content{}); err != nil {
		t.Fatal(err)
	}
	return a
}

// TestIndexLeavesOut: whatever one element an index leaves out is not covered, wherever
// it stands, and all others are.
func TestIndexLeavesOut(t *testing.T) {
	k := newKit(t)
	var response []byte
	m := k.withOCSP(t, func(basic, whole []byte) []byte { response = whole; return basic })
	third, fourth := list(t, k.FNS, 3), list(t, k.Root, 4)
	file, err := longterm.Parse(t, longterm.LongType1(t, k.bes(t), m, k.tsa)).Extend(0, cms.Addition{
		CRLs: [][]byte{third, fourth}, OCSPs: [][]byte{response},
	})
	if err != nil {
		t.Fatal(err)
	}
	a := firstOf(t, file)
	for _, version := range []string{longterm.Index, longterm.IndexV2, longterm.IndexV3} {
		pieces := [][]byte{k.h.Cert.Raw, third, fourth, response, a.TimeStamps[0].Raw, a.TimeStamps[1].Raw}
		for _, piece := range pieces {
			left := k.indexed(t, file, version, func(raw []byte) bool { return !bytes.Contains(raw, piece) })
			covered := left.Covers(left.TimeStamps[2])
			if holds(covered, piece) {
				t.Errorf("index %s: %.20x is covered", version, piece)
			}
			for _, other := range pieces {
				if !bytes.Equal(piece, other) && !holds(covered, other) {
					t.Errorf("index %s without %.20x: %.20x is not covered", version, piece, other)
				}
			}
		}
	}
}

// TestIndexOfReferences: an index that names references covers the values that they name,
// and no others beside them.
func TestIndexOfReferences(t *testing.T) {
	k := newKit(t)
	values := k.m
	values.Lists = append(slices.Clip(values.Lists), list(t, k.FNS, 3))
	values.Certs = append(slices.Clip(values.Certs), k.tsa.Holder.Cert)
	file := longterm.Values(t, longterm.C(t, longterm.T(t, k.bes(t), k.tsa), k.m), values)
	a := k.indexed(t, file, longterm.IndexV3, func(raw []byte) bool {
		return bytes.HasPrefix(raw, longterm.Element(0x06, longterm.OID(t, longterm.CertificateRefs))) ||
			bytes.HasPrefix(raw, longterm.Element(0x06, longterm.OID(t, longterm.RevocationRefs)))
	})
	covered := a.Covers(a.TimeStamps[1])
	if !holds(covered, k.m.Lists[0]) || !holds(covered, k.m.Lists[1]) || !holds(covered, k.Root.Cert.Raw) {
		t.Error("what is referred to is not covered")
	}
	if holds(covered, values.Lists[2]) || holds(covered, k.tsa.Holder.Cert.Raw) {
		t.Error("what nobody refers to is covered")
	}
}

// TestTwoIndexes: a token with two indexes covers what either reader takes, so nothing.
func TestTwoIndexes(t *testing.T) {
	k := newKit(t)
	file := longterm.T(t, k.bes(t), k.tsa)
	index := longterm.IndexOf(t, file, longterm.IndexV3, nil)
	token := longterm.WithIndex(t, k.tsa.Token(t, longterm.IndexedImprint(t, file, document, index)), longterm.IndexV3, index)
	token = longterm.WithIndex(t, token, longterm.IndexV2, longterm.IndexOf(t, file, longterm.IndexV2, nil))
	a := firstOf(t, longterm.Add(t, file, longterm.ArchiveV3, token))
	if err := a.CheckImprint(a.TimeStamps[1], cms.Content{}); reason.Of(err) != reason.TimeStampIndex {
		t.Errorf("%v", err)
	}
	if len(a.Covers(a.TimeStamps[1])) > 0 {
		t.Error("it covers something")
	}
}

// TestUnreadableArchive: an archive time-stamp that nobody can read was added later than
// the one that can be read, for all that is known, and takes nothing from it.
func TestUnreadableArchive(t *testing.T) {
	k := newKit(t)
	file := longterm.Archive(t, longterm.T(t, k.bes(t), k.tsa), document, longterm.ArchiveV2, k.tsa)
	a := firstOf(t, longterm.Add(t, file, longterm.ArchiveV1, []byte{0x30, 0}))
	if err := a.CheckImprint(a.TimeStamps[1], cms.Content{}); err != nil || a.TimeStamps[2].Token != nil {
		t.Error(err)
	}
	if !holds(a.Covers(a.TimeStamps[1]), a.TimeStamps[0].Raw) || holds(a.Covers(a.TimeStamps[1]), a.TimeStamps[2].Raw) {
		t.Error("it covers the wrong things")
	}
}

// TestIncompleteESC: there is no time-stamp over a CAdES-C that is none.
func TestIncompleteESC(t *testing.T) {
	k := newKit(t)
	for name, file := range map[string][]byte{
		"no time-stamp":  longterm.C(t, k.bes(t), k.m),
		"no references":  longterm.T(t, k.bes(t), k.tsa),
		"no revocation":  longterm.Add(t, longterm.T(t, k.bes(t), k.tsa), longterm.CertificateRefs, longterm.CertificateRefsOf(k.m.Certs...)),
		"no certificate": longterm.Add(t, longterm.T(t, k.bes(t), k.tsa), longterm.RevocationRefs, longterm.RevocationRefsOf(k.m.Lists)),
	} {
		pieces := [][]byte{longterm.Parse(t, file).Signers[0].Signature}
		for _, oid := range []string{longterm.SignatureTimeStamp, longterm.CertificateRefs, longterm.RevocationRefs} {
			pieces = append(pieces, longterm.Attribute(t, file, oid))
		}
		for kind, token := range map[string][]byte{
			longterm.ESCTimeStamp:        k.tsa.Token(t, pieces...),
			longterm.ReferencesTimeStamp: k.tsa.Token(t, pieces[2:]...),
		} {
			if name == "no time-stamp" && kind == longterm.ReferencesTimeStamp {
				continue
			}
			a := firstOf(t, longterm.Add(t, file, kind, token))
			last := a.TimeStamps[len(a.TimeStamps)-1]
			if err := a.CheckImprint(last, cms.Content{}); reason.Of(err) != reason.TimeStampImprint {
				t.Errorf("%s, %s: %v", name, last.Kind, err)
			}
		}
	}
}

// TestCoversNothing: an archive time-stamp whose index names what is not there covers
// nothing at all.
func TestCoversNothing(t *testing.T) {
	k := newKit(t)
	file := longterm.T(t, k.bes(t), k.tsa)
	more := longterm.Add(t, file, longterm.LongTerm, []byte{5, 0})
	index := longterm.IndexOf(t, more, longterm.IndexV3, nil)
	token := longterm.WithIndex(t, k.tsa.Token(t, longterm.IndexedImprint(t, more, document, index)), longterm.IndexV3, index)
	for _, c := range []struct {
		file  []byte
		whole bool
	}{{more, true}, {file, false}} {
		a := firstOf(t, longterm.Add(t, c.file, longterm.ArchiveV3, token))
		archive := a.TimeStamps[1]
		if covered := a.Covers(archive); (len(covered) > 0) != c.whole || (a.CheckImprint(archive, cms.Content{}) == nil) != c.whole {
			t.Errorf("whole %v: covers %d", c.whole, len(covered))
		}
	}
}
