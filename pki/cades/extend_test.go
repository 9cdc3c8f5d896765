package cades_test

import (
	"bytes"
	"context"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/cades"
	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/internal/openssl"
	"propusk/pki/internal/tsa"
	"propusk/pki/ocsp"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/tsp"
)

var extended = []byte("Договор вымышленной поставки\n")

// workshop is where signatures are made and extended.
type workshop struct {
	*country.Country
	tsa *tsa.TSA
}

func newWorkshop(t testing.TB) *workshop {
	t.Helper()
	c := country.New(t)
	return &workshop{c, tsa.New(t, c, c.FNS)}
}

// material returns everything a signature needs whose signer and TSA are clients of
// the CA of the tax service.
func (w *workshop) material() cades.Material {
	return cades.Material{
		Certificates: []*gostx509.Certificate{w.FNS.Cert, w.Root.Cert},
		CRLs:         [][]byte{w.FNS.RawCRL, w.Root.RawCRL},
	}
}

// sign makes a BES signature of an entrepreneur with a key on a curve.
func (w *workshop) sign(t testing.TB, curve *gost3410.Curve, detached bool) ([]byte, country.Holder) {
	t.Helper()
	h := w.Person(t, w.FNS, curve, country.Entrepreneur())
	by := cms.Signatory{Key: h.Key, Certificate: h.Cert, Time: country.Now}
	file, err := cms.Create(nil, extended, by)
	if detached {
		file, err = cms.CreateDetached(nil, bytes.NewReader(extended), by)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file, h
}

// extend makes all the levels one after another, and calls with each.
func (w *workshop) extend(t testing.TB, file []byte, content cms.Content, each func(level cms.Level, file []byte)) {
	t.Helper()
	ctx := t.Context()
	for _, step := range []struct {
		level  cms.Level
		extend func(file []byte) ([]byte, error)
	}{
		{cms.T, func(file []byte) ([]byte, error) { return cades.ExtendT(ctx, file, 0, w.tsa) }},
		{cms.XLongType1, func(file []byte) ([]byte, error) {
			return cades.ExtendXLongType1(ctx, file, 0, w.tsa, w.material())
		}},
		{cms.LTA, func(file []byte) ([]byte, error) {
			return cades.ExtendArchive(ctx, file, content, 0, w.tsa, w.material())
		}},
		{cms.LTA, func(file []byte) ([]byte, error) { // and once more, years later
			return cades.ExtendArchive(ctx, file, content, 0, w.tsa, w.material())
		}},
	} {
		w.tsa.At = w.tsa.At.Add(time.Second)
		next, err := step.extend(file)
		if err != nil {
			t.Fatalf("%s: %v", step.level, err)
		}
		each(step.level, next)
		file = next
	}
}

// read returns the first signature of a file and what was added to it.
func read(t testing.TB, file []byte) (*cms.Signer, cades.Attributes) {
	t.Helper()
	sd, err := cms.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	a, err := cades.Of(&sd.Signers[0], sd)
	if err != nil {
		t.Fatal(err)
	}
	return &sd.Signers[0], a
}

// given returns the document that must be given beside a signature.
func given(detached bool) cms.Content {
	if detached {
		return cms.Document(extended)
	}
	return cms.Content{}
}

func curves() []*gost3410.Curve {
	return []*gost3410.Curve{
		gost3410.TC26256A(), gost3410.CryptoProA(), gost3410.CryptoProB(), gost3410.CryptoProC(),
		gost3410.TC26512A(), gost3410.TC26512B(), gost3410.TC26512C(),
	}
}

// TestExtend extends signatures on every curve to every level: each is what it shall
// be, every time-stamp is of what it shall be of, and what was signed stays.
func TestExtend(t *testing.T) {
	w := newWorkshop(t)
	for _, curve := range curves() {
		for _, detached := range []bool{false, true} {
			file, _ := w.sign(t, curve, detached)
			before, _ := read(t, file)
			w.extend(t, file, given(detached), func(level cms.Level, file []byte) {
				s, a := read(t, file)
				if got := a.Level(); got != level {
					t.Errorf("%s: level %s, want %s", curve.Name(), got, level)
				}
				if !bytes.Equal(s.RawSignedAttrs, before.RawSignedAttrs) || !bytes.Equal(s.Signature, before.Signature) {
					t.Errorf("%s, %s: what was signed is another", curve.Name(), level)
				}
				for _, ts := range a.TimeStamps {
					if err := a.CheckImprint(ts, given(detached)); err != nil {
						t.Errorf("%s, %s: %s: %v", curve.Name(), level, ts.Kind, err)
					}
				}
			})
		}
	}
}

// TestExtendOCSP puts OCSP responses into a signature in the place of a list.
func TestExtendOCSP(t *testing.T) {
	w := newWorkshop(t)
	file, h := w.sign(t, gost3410.TC26256A(), false)
	var basics [][]byte
	for _, cert := range []*gostx509.Certificate{h.Cert, w.tsa.Certificate} {
		id, err := ocsp.NewID(sigalg.OIDStreebog256, cert, w.FNS.Cert)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := ocsp.CreateResponse(nil, ocsp.Template{
			ProducedAt: country.Now, ByName: len(basics) > 0,
			Singles: []ocsp.Single{{ID: id, Status: ocsp.Good, ThisUpdate: country.Now, NextUpdate: country.Now.Add(time.Hour)}},
		}, w.FNS.Cert, w.FNS.Key)
		if err != nil {
			t.Fatal(err)
		}
		response, err := ocsp.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		basics = append(basics, response.RawBasic)
	}
	material := cades.Material{Certificates: w.material().Certificates, CRLs: [][]byte{w.Root.RawCRL}, OCSPs: basics}
	stamped, err := cades.ExtendT(t.Context(), file, 0, w.tsa)
	if err != nil {
		t.Fatal(err)
	}
	long, err := cades.ExtendXLongType1(t.Context(), stamped, 0, w.tsa, material)
	if err != nil {
		t.Fatal(err)
	}
	if _, a := read(t, long); a.Level() != cms.XLongType1 || len(a.Responses) != 2 || len(a.CRLs) != 1 || len(a.RevocationRefs) != 3 {
		t.Errorf("%s with %d responses, %d lists, %d references", a.Level(), len(a.Responses), len(a.CRLs), len(a.RevocationRefs))
	}
	// Of a T, the archive form puts everything beside the certificates of the file.
	archive, err := cades.ExtendArchive(t.Context(), stamped, cms.Content{}, 0, w.tsa, material)
	if err != nil {
		t.Fatal(err)
	}
	sd, err := cms.Parse(archive)
	if err != nil {
		t.Fatal(err)
	}
	if _, a := read(t, archive); a.Level() != cms.LTA || len(sd.OCSPResponses) != 2 || len(sd.CRLs) != 1 || sd.Version != 5 {
		t.Errorf("%s of version %d with %d responses, %d lists", a.Level(), sd.Version, len(sd.OCSPResponses), len(sd.CRLs))
	}
	// Nothing is there twice, neither now nor when it is done again.
	again, err := cades.ExtendArchive(t.Context(), archive, cms.Content{}, 0, w.tsa, material)
	if err != nil {
		t.Fatal(err)
	}
	if sd, err = cms.Parse(again); err != nil || len(sd.OCSPResponses) != 2 || len(sd.CRLs) != 1 || len(sd.Certificates) != 3 {
		t.Errorf("%d responses, %d lists, %d certificates: %v", len(sd.OCSPResponses), len(sd.CRLs), len(sd.Certificates), err)
	}
}

// TestExtendOpenSSL lets openssl verify what was made: the signature as a whole, and
// every time-stamp by itself.
func TestExtendOpenSSL(t *testing.T) {
	openssl.Require(t)
	w := newWorkshop(t)
	for _, curve := range curves() {
		dir := t.TempDir()
		openssl.Write(t, dir, "document", extended)
		openssl.Write(t, dir, "ca", append(country.CertPEM(w.Root.Cert), country.CertPEM(w.FNS.Cert)...))
		file, _ := w.sign(t, curve, true)
		w.extend(t, file, given(true), func(level cms.Level, file []byte) {
			openssl.Write(t, dir, "signature", file)
			openssl.Run(t, dir, "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "signature", "-content", "document",
				"-CAfile", "ca", "-purpose", "any", "-attime", fmt.Sprint(country.Now.Unix()), "-out", "out")
			_, a := read(t, file)
			for _, ts := range a.TimeStamps {
				openssl.Write(t, dir, "token", ts.Raw)
				openssl.Run(t, dir, "ts", "-verify", "-digest", hex.EncodeToString(ts.Token.Digest.Hash), "-token_in", "-in", "token",
					"-CAfile", "ca", "-attime", fmt.Sprint(country.Now.Unix()))
			}
		})
	}
}

// TestExtendRefused refuses to build upon what does not bear it.
func TestExtendRefused(t *testing.T) {
	w := newWorkshop(t)
	ctx := t.Context()
	file, _ := w.sign(t, gost3410.TC26256A(), false)
	levels := map[cms.Level][]byte{cms.BES: file}
	w.extend(t, file, cms.Content{}, func(level cms.Level, file []byte) { levels[level] = file })
	detached, _ := w.sign(t, gost3410.TC26256A(), true)
	detachedT, err := cades.ExtendT(ctx, detached, 0, w.tsa)
	if err != nil {
		t.Fatal(err)
	}
	broken := bytes.Replace(bytes.Clone(file), extended, bytes.ToUpper(extended), 1)
	without := func(change func(*cades.Material)) cades.Material {
		m := w.material()
		change(&m)
		return m
	}
	asked := w.tsa.Stamps
	for name, c := range map[string]struct {
		extend func() ([]byte, error)
		want   reason.Code
	}{
		"broken":           {func() ([]byte, error) { return cades.ExtendT(ctx, broken, 0, w.tsa) }, reason.ContentChanged},
		"no signature":     {func() ([]byte, error) { return cades.ExtendT(ctx, []byte("hello"), 0, w.tsa) }, reason.SignatureMalformed},
		"no such signer":   {func() ([]byte, error) { return cades.ExtendT(ctx, file, 1, w.tsa) }, reason.InternalError},
		"negative signer":  {func() ([]byte, error) { return cades.ExtendT(ctx, file, -1, w.tsa) }, reason.InternalError},
		"T of a long form": {func() ([]byte, error) { return cades.ExtendT(ctx, levels[cms.XLongType1], 0, w.tsa) }, reason.SignatureSealed},
		"long form of BES": {func() ([]byte, error) { return cades.ExtendXLongType1(ctx, file, 0, w.tsa, w.material()) }, reason.NoTimeStamp},
		"long form twice": {func() ([]byte, error) {
			return cades.ExtendXLongType1(ctx, levels[cms.XLongType1], 0, w.tsa, w.material())
		}, reason.SignatureSealed},
		"long form of LTA": {func() ([]byte, error) { return cades.ExtendXLongType1(ctx, levels[cms.LTA], 0, w.tsa, w.material()) }, reason.SignatureSealed},
		"archive of BES":   {func() ([]byte, error) { return cades.ExtendArchive(ctx, file, cms.Content{}, 0, w.tsa, w.material()) }, reason.NoTimeStamp},
		"archive of nothing": {func() ([]byte, error) {
			return cades.ExtendArchive(ctx, levels[cms.T], cms.Content{}, 0, w.tsa, cades.Material{})
		}, reason.MaterialMissing},
		"archive half made": {func() ([]byte, error) {
			return cades.ExtendArchive(ctx, levels[cms.T], cms.Content{}, 0, w.tsa, without(func(m *cades.Material) { m.CRLs = m.CRLs[:1] }))
		}, reason.MaterialMissing},
		"without document": {func() ([]byte, error) {
			return cades.ExtendArchive(ctx, detachedT, cms.Content{}, 0, w.tsa, w.material())
		}, reason.ContentMissing},
		"without the root": {func() ([]byte, error) {
			return long(w, levels, without(func(m *cades.Material) { m.Certificates = m.Certificates[:1] }))
		}, reason.MaterialMissing},
		"without a list": {func() ([]byte, error) {
			return long(w, levels, without(func(m *cades.Material) { m.CRLs = m.CRLs[1:] }))
		}, reason.MaterialMissing},
		"a list of nothing": {func() ([]byte, error) {
			return long(w, levels, without(func(m *cades.Material) { m.CRLs = [][]byte{{0x30, 0}} }))
		}, reason.CRLMalformed},
	} {
		if file, err := c.extend(); file != nil || reason.Of(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if w.tsa.Stamps != asked {
		t.Errorf("%d time-stamps were asked for in vain", w.tsa.Stamps-asked)
	}
}

func long(w *workshop, levels map[cms.Level][]byte, m cades.Material) ([]byte, error) {
	return cades.ExtendXLongType1(context.Background(), levels[cms.T], 0, w.tsa, m)
}

// stamperFunc is a Stamper that is a function.
type stamperFunc func(digestOID asn1.ObjectIdentifier, digest []byte) (*tsp.Token, error)

func (f stamperFunc) Stamp(_ context.Context, digestOID asn1.ObjectIdentifier, digest []byte) (*tsp.Token, error) {
	return f(digestOID, digest)
}

// TestExtendStamper returns nothing when the TSA fails, at every stamp of the way, or
// gives a time-stamp of something else.
func TestExtendStamper(t *testing.T) {
	w := newWorkshop(t)
	file, _ := w.sign(t, gost3410.TC26256A(), false)
	down := errors.New("the line is dead")
	failing := stamperFunc(func(asn1.ObjectIdentifier, []byte) (*tsp.Token, error) { return nil, down })
	foreign := stamperFunc(func(id asn1.ObjectIdentifier, digest []byte) (*tsp.Token, error) {
		other := bytes.Clone(digest)
		other[0] ^= 1
		return w.tsa.Stamp(t.Context(), id, other)
	})
	stamped, err := cades.ExtendT(t.Context(), file, 0, w.tsa)
	if err != nil {
		t.Fatal(err)
	}
	for want, stamper := range map[error]cades.Stamper{down: failing, reason.TimeStampForeign: foreign} {
		for name, extend := range map[string]func() ([]byte, error){
			"T":    func() ([]byte, error) { return cades.ExtendT(t.Context(), file, 0, stamper) },
			"long": func() ([]byte, error) { return cades.ExtendXLongType1(t.Context(), stamped, 0, stamper, w.material()) },
			"archive": func() ([]byte, error) {
				return cades.ExtendArchive(t.Context(), stamped, cms.Content{}, 0, stamper, w.material())
			},
		} {
			if file, err := extend(); file != nil || !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		}
	}
}

// TestExtendSecond extends the second of two signatures, and leaves the first as it
// is.
func TestExtendSecond(t *testing.T) {
	w := newWorkshop(t)
	file, _ := w.sign(t, gost3410.TC26256A(), false)
	sd, err := cms.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	other := w.Person(t, w.FNS, gost3410.TC26512A(), country.Entrepreneur())
	both, err := sd.Add(nil, nil, cms.Signatory{Key: other.Key, Certificate: other.Cert})
	if err != nil {
		t.Fatal(err)
	}
	for number := range 2 { // whichever comes first, it grows and goes behind the other
		ours, err := cms.Parse(both)
		if err != nil {
			t.Fatal(err)
		}
		value := ours.Signers[number].Signature
		find := func(file []byte) int { return levelsAre(t, file, value) }
		stamped, err := cades.ExtendT(t.Context(), both, number, w.tsa)
		if err != nil {
			t.Fatal(err)
		}
		long, err := cades.ExtendXLongType1(t.Context(), stamped, find(stamped), w.tsa, w.material())
		if err != nil {
			t.Fatal(err)
		}
		archive, err := cades.ExtendArchive(t.Context(), long, cms.Content{}, find(long), w.tsa, w.material())
		if err != nil {
			t.Fatal(err)
		}
		find(archive)
	}
}

// levelsAre checks that of two signatures the one with the given value was extended,
// and the other was not. It returns the number of the first.
func levelsAre(t *testing.T, file, value []byte) (number int) {
	t.Helper()
	sd, err := cms.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	number = -1
	for i := range sd.Signers {
		if err := sd.Unbroken(i); err != nil {
			t.Error(err)
		}
		a, err := cades.Of(&sd.Signers[i], sd)
		if err != nil {
			t.Fatal(err)
		}
		ours := bytes.Equal(sd.Signers[i].Signature, value)
		if ours {
			number = i
		}
		if ours == (a.Level() == cms.BES) {
			t.Errorf("signature %d of the file: %s", i, a.Level())
		}
		for _, ts := range a.TimeStamps {
			if err := a.CheckImprint(ts, cms.Content{}); err != nil {
				t.Errorf("signature %d of the file: %v", i, err)
			}
		}
	}
	return number
}
