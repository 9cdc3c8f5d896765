package validate

import (
	"crypto"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/streebog"
	"propusk/pki/cades"
	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/internal/longterm"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// counter makes a counter-signature, SignerInfo in DER, of a holder over a value, with
// more attributes under it.
func counter(t *testing.T, h country.Holder, value []byte, more ...[]byte) []byte {
	t.Helper()
	file := longterm.Sign(t, document, true, h, signed)
	s := longterm.Parse(t, file).Signers[0]
	sum := streebog.Sum256(value)
	contentType, messageDigest := longterm.OID(t, "1.2.840.113549.1.9.3"), longterm.OID(t, "1.2.840.113549.1.9.4")
	attributes := more
	for _, raw := range longterm.Elements(longterm.Content(s.RawSignedAttrs)) {
		switch oid := longterm.Content(longterm.Content(raw)); {
		case string(oid) == string(contentType):
			continue
		case string(oid) == string(messageDigest):
			raw = longterm.Element(0x30, longterm.Element(0x06, oid), longterm.Element(0x31, longterm.Element(0x04, sum[:])))
		}
		attributes = append(attributes, raw)
	}
	digest := streebog.Sum256(longterm.Element(0x31, attributes...))
	signature, err := h.Key.Sign(nil, digest[:], crypto.Hash(0))
	if err != nil {
		t.Fatal(err)
	}
	var fields [][]byte
	for _, raw := range longterm.Elements(longterm.Content(s.Raw)) {
		switch raw[0] {
		case 0xa0:
			raw = longterm.Element(0xa0, attributes...)
		case 0x04:
			raw = longterm.Element(0x04, signature)
		}
		fields = append(fields, raw)
	}
	return longterm.Element(0x30, fields...)
}

// attribute writes an attribute of one value.
func attribute(t *testing.T, oid string, value []byte) []byte {
	t.Helper()
	return longterm.Element(0x30, longterm.Element(0x06, longterm.OID(t, oid)), longterm.Element(0x31, value))
}

// signatureOf returns the value of a SignerInfo.
func signatureOf(t *testing.T, info []byte) []byte {
	t.Helper()
	s, err := cms.ParseSigner(info)
	if err != nil {
		t.Fatal(err)
	}
	return s.Signature
}

// TestCounterSignatures judges signatures over signatures, each by itself.
func TestCounterSignatures(t *testing.T) {
	w := newWorld(t)
	notary := w.Person(t, w.FNS, gost3410.TC26256A(), country.Entrepreneur())
	bad := w.Person(t, w.Stranger, gost3410.TC26256A(), country.Entrepreneur())
	bes := w.bes(t, false)
	value := longterm.Parse(t, bes).Signers[0].Signature
	inner := counter(t, notary, value)

	for name, c := range map[string]struct {
		info   []byte
		status verdict.Status
		code   reason.Code
	}{
		"good":                   {inner, verdict.Passed, ""},
		"over something else":    {counter(t, notary, value[1:]), verdict.Failed, reason.ContentChanged},
		"over the document":      {counter(t, notary, document), verdict.Failed, reason.ContentChanged},
		"of a CA not accredited": {counter(t, bad, value), verdict.Failed, reason.CANotListed},
		"an ordinary signature":  {longterm.Parse(t, longterm.Sign(t, value, true, notary, signed)).Signers[0].Raw, verdict.Failed, reason.SignatureAttributesBad},
	} {
		t.Run(name, func(t *testing.T) {
			file := longterm.Add(t, bes, longterm.CounterSignature, c.info)
			r := w.v.Signature(file, cms.Content{}, now, notary.Cert, bad.Cert)
			if r.Verdict().Status() != verdict.Passed || len(r.Signatures) != 1 {
				t.Fatalf("the signature itself: %v %q", r.Verdict().Status(), r.Verdict().Why())
			}
			all := r.Signatures[0].CounterSignatures
			if len(all) != 1 {
				t.Fatalf("%d counter-signatures", len(all))
			}
			wantSignature(t, all[0], c.status, c.code, cms.BES, time.Time{})
		})
	}
}

// TestNestedCounterSignatures: counter-signatures of counter-signatures, down to a
// depth; and one over another signature than it stands under.
func TestNestedCounterSignatures(t *testing.T) {
	w := newWorld(t)
	bes := w.bes(t, false)
	value := longterm.Parse(t, bes).Signers[0].Signature

	// chain returns a counter-signature over a value with n more, one over another.
	var chain func(value []byte, n int) []byte
	chain = func(value []byte, n int) []byte {
		plain := counter(t, w.h, value)
		if n == 0 {
			return plain
		}
		s, err := cms.ParseSigner(plain)
		if err != nil {
			t.Fatal(err)
		}
		return longterm.Element(0x30, longterm.Content(plain),
			longterm.Element(0xa1, attribute(t, longterm.CounterSignature, chain(s.Signature, n-1))))
	}
	file := longterm.Add(t, bes, longterm.CounterSignature, chain(value, maxCounterDepth+1))
	s := one(t, w.v, file, now)
	wantSignature(t, s, verdict.Passed, "", cms.BES, time.Time{})
	depth := 0
	for ; len(s.CounterSignatures) == 1; depth++ {
		s = s.CounterSignatures[0]
		status, code, level := verdict.Passed, reason.Code(""), cms.BES
		if depth >= maxCounterDepth {
			status, code, level = verdict.Indeterminate, reason.SignatureTooLarge, ""
		}
		wantSignature(t, s, status, code, level, time.Time{})
	}
	if depth != maxCounterDepth+1 {
		t.Errorf("%d deep", depth)
	}

	// The inner one is over the value of the file's signature, not over its parent.
	outer := counter(t, w.h, value)
	wrong := longterm.Element(0x30, longterm.Content(outer),
		longterm.Element(0xa1, attribute(t, longterm.CounterSignature, counter(t, w.h, value))))
	s = one(t, w.v, longterm.Add(t, bes, longterm.CounterSignature, wrong), now)
	wantSignature(t, s.CounterSignatures[0], verdict.Passed, "", cms.BES, time.Time{})
	wantSignature(t, s.CounterSignatures[0].CounterSignatures[0], verdict.Failed, reason.ContentChanged, cms.BES, time.Time{})
}

// TestStampedCounterSignature: a time-stamp of a counter-signature proves that one,
// and not the signature below it; an archive time-stamp over the file proves both.
func TestStampedCounterSignature(t *testing.T) {
	w := newWorld(t)
	bes := w.bes(t, false)
	value := longterm.Parse(t, bes).Signers[0].Signature
	plain := counter(t, w.h, value)
	withStamp := longterm.Element(0x30, longterm.Content(plain),
		longterm.Element(0xa1, attribute(t, longterm.SignatureTimeStamp, w.tsa.Token(t, signatureOf(t, plain)))))
	s := one(t, w.v, longterm.Add(t, bes, longterm.CounterSignature, withStamp), now)
	wantSignature(t, s, verdict.Passed, "", cms.BES, time.Time{})
	wantSignature(t, s.CounterSignatures[0], verdict.Passed, "", cms.T, stamped)

	for name, file := range map[string][]byte{
		"v2": longterm.Archive(t, longterm.Add(t, longterm.T(t, bes, w.tsa), longterm.CounterSignature, plain), document, longterm.ArchiveV2, w.tsa),
		"v3": longterm.Indexed(t, longterm.Add(t, longterm.T(t, bes, w.tsa), longterm.CounterSignature, plain), document, longterm.IndexV3, w.tsa),
	} {
		s = one(t, w.v, file, now)
		if s.Verdict.Status() != verdict.Passed || !s.CounterSignatures[0].ProofOfExistence.Equal(stamped) {
			t.Errorf("%s: %v, counter-signature proven %v", name, s.Verdict.Status(), s.CounterSignatures[0].ProofOfExistence)
		}
	}
}

// TestCertificateOfCounterSigner: it may stand among the certificate-values.
func TestCertificateOfCounterSigner(t *testing.T) {
	w := newWorld(t)
	notary := w.Person(t, w.FNS, gost3410.TC26256A(), country.Entrepreneur())
	bes := w.bes(t, false)
	file := longterm.Add(t, bes, longterm.CounterSignature, counter(t, notary, longterm.Parse(t, bes).Signers[0].Signature))
	for _, c := range []struct {
		file   []byte
		status verdict.Status
		code   reason.Code
	}{
		{file, verdict.Indeterminate, reason.SignerCertMissing},
		{longterm.Add(t, file, longterm.CertificateValues, longterm.CertificateValuesOf(notary.Cert)), verdict.Passed, ""},
	} {
		s := one(t, w.v, c.file, now)
		wantSignature(t, s, verdict.Passed, "", cms.BES, time.Time{})
		wantSignature(t, s.CounterSignatures[0], c.status, c.code, cms.BES, time.Time{})
	}

	// What one counter-signature brings along does not get into the way of the next,
	// however many certificates there are.
	value := longterm.Parse(t, bes).Signers[0].Signature
	first := longterm.Element(0x30, longterm.Content(counter(t, w.h, value)),
		longterm.Element(0xa1, attribute(t, longterm.CertificateValues, longterm.CertificateValuesOf(w.FNS.Cert, w.Root.Cert))))
	file = longterm.Add(t, bes, longterm.CounterSignature, first, counter(t, notary, value))
	file = longterm.Add(t, file, longterm.CertificateValues, longterm.CertificateValuesOf(notary.Cert))
	var beside []*gostx509.Certificate
	for range 9 {
		beside = append(beside, w.Root.Cert)
		s := w.v.Signature(file, cms.Content{}, now, beside...).Signatures[0]
		for _, c := range s.CounterSignatures {
			wantSignature(t, c, verdict.Passed, "", cms.BES, time.Time{})
		}
	}
}

// TestContentOfCounterSignature: what a time-stamp under a counter-signature must be over
// is the value below it, not the document of the file.
func TestContentOfCounterSignature(t *testing.T) {
	w := newWorld(t)
	bes := w.bes(t, false)
	value := longterm.Parse(t, bes).Signers[0].Signature
	w.tsa.Time = signed
	for _, c := range []struct {
		over   []byte
		status verdict.Status
		code   reason.Code
	}{{value, verdict.Passed, ""}, {document, verdict.Failed, reason.TimeStampImprint}} {
		info := counter(t, w.h, value, attribute(t, longterm.ContentTimeStamp, w.tsa.Token(t, c.over)))
		s := one(t, w.v, longterm.Add(t, bes, longterm.CounterSignature, info), now)
		if len(s.CounterSignatures) != 1 {
			t.Fatalf("%d counter-signatures", len(s.CounterSignatures))
		}
		wantSignature(t, s.CounterSignatures[0], verdict.Passed, "", cms.BES, time.Time{})
		wantStamp(t, s.CounterSignatures[0], cades.ContentTimeStamp, c.status, c.code)
	}
}

// TestTooMuch: what exceeds a limit is reported, and leaves a good BES good.
func TestTooMuch(t *testing.T) {
	w := newWorld(t)
	bes := w.bes(t, false)
	value := longterm.Parse(t, bes).Signers[0].Signature
	token := w.tsa.Token(t, value)
	var tokens, counters [][]byte
	for range 33 {
		tokens = append(tokens, token)
	}
	file := longterm.Add(t, bes, longterm.SignatureTimeStamp, tokens...)
	s := one(t, w.v, file, now)
	wantSignature(t, s, verdict.Passed, "", cms.BES, time.Time{})
	if s.Additions.Why() != reason.SignatureTooLarge || s.Additions.Status() != verdict.Indeterminate {
		t.Errorf("additions: %v %q", s.Additions.Status(), s.Additions.Why())
	}
	plain := counter(t, w.h, value)
	for range 17 {
		counters = append(counters, plain)
	}
	s = one(t, w.v, longterm.Add(t, bes, longterm.CounterSignature, counters...), now)
	wantSignature(t, s, verdict.Passed, "", cms.BES, time.Time{})

	// Of many stamps of one file only so many are judged, and so much is hashed.
	sd := longterm.Parse(t, longterm.Add(t, bes, longterm.SignatureTimeStamp, token, token))
	certs, _ := sd.X509()
	for name, limit := range map[string]func(*inspection){
		"stamps": func(f *inspection) { f.stamps = 1 },
		"hashed": func(f *inspection) { f.hashed = len(value) + 1 },
	} {
		f := w.v.inspect(sd, cms.Content{}, now, certs)
		limit(f)
		got := f.signature(&sd.Signers[0], sd.Verify(cms.Content{}, certs)[0], parent{})
		codes := []reason.Code{got.TimeStamps[0].Verdict.Why(), got.TimeStamps[1].Verdict.Why()}
		if codes[0] != "" || codes[1] != reason.TimeStampTooMany {
			t.Errorf("%s: %q", name, codes)
		}
	}
}
