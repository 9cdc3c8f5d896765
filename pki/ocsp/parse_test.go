package ocsp

import (
	"bytes"
	"encoding/asn1"
	"os"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/gost/gost3410"
	"propusk/pki/crl"
	"propusk/pki/der"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/samples"
	"propusk/pki/sigalg"
)

// full is a response with everything in it, and the world that it is about.
func full(t testing.TB) (*world, []byte) {
	w := newWorld(t)
	delegate := w.Person(t, w.FNS, gost3410.TC26256A(), responder())
	raw, err := CreateResponse(nil, Template{
		ProducedAt: now, Nonce: bytes.Repeat([]byte{1}, NonceSize), ByName: true,
		Certificates: []*gostx509.Certificate{delegate.Cert},
		Extra:        []gostx509.Extension{{ID: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 9}, Value: []byte{5, 0}}},
		Singles: []Single{
			{ID: mustID(t, OIDSHA1, w.holder.Cert, w.FNS.Cert), Status: Good, ThisUpdate: now, NextUpdate: now.Add(time.Hour), ArchiveCutoff: now.AddDate(-1, 0, 0)},
			{
				ID: mustID(t, sigalg.OIDStreebog512, w.other.Cert, w.FNS.Cert), Status: Revoked, ThisUpdate: now,
				RevokedAt: now, Reason: crl.CertificateHold, InvalidSince: now,
			},
		},
	}, delegate.Cert, delegate.Key)
	if err != nil {
		t.Fatal(err)
	}
	return w, raw
}

// TestMutation changes every byte of a response in several ways. Either it is refused,
// or it still says exactly what was signed.
func TestMutation(t *testing.T) {
	w, raw := full(t)
	whole, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := whole.CheckSignature(w.FNS.Cert, now); err != nil {
		t.Fatal(err)
	}
	for at := range raw {
		for _, x := range []byte{1, 0x20, 0x80, 0xFF} {
			changed := bytes.Clone(raw)
			changed[at] ^= x
			r, err := Parse(changed)
			if err != nil {
				if r != nil {
					t.Fatalf("byte %d: refused, yet returned", at)
				}
				continue
			}
			if r.CheckSignature(w.FNS.Cert, now) == nil {
				t.Errorf("byte %d of %d xor %#x: the signature verifies", at, len(raw), x)
			}
		}
	}
	for n := range raw {
		if _, err := Parse(raw[:n]); err == nil {
			t.Errorf("%d of %d bytes are enough", n, len(raw))
		}
	}
	if _, err := Parse(append(bytes.Clone(raw), 0)); reason.Of(err) != reason.OCSPMalformed {
		t.Errorf("a byte too many: %v", err)
	}
}

// TestForms: what a message may not look like.
func TestForms(t *testing.T) {
	_, raw := full(t)
	for _, c := range []struct {
		name     string
		old, new []byte
	}{
		{"status 7 of a revocation", []byte{0xA0, 3, 0x0A, 1, 6}, []byte{0xA0, 3, 0x0A, 1, 7}},
		{"status of an unknown kind", []byte{0x80, 0}, []byte{0x83, 0}},
		{"another type of response", []byte(idBasic), []byte("\x2b\x06\x01\x05\x05\x07\x30\x01\x7F")},
		{"an extension twice", []byte(idExtendedRevoke), []byte(idNonce)},
		{"a local time", []byte("20260615120000Z"), []byte("20260615120000+")},
	} {
		if !bytes.Contains(raw, c.old) {
			t.Errorf("%s: the sample has none", c.name)
			continue
		}
		r, err := Parse(bytes.Replace(raw, c.old, c.new, 1))
		if r != nil || err == nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestForeign: a response of the responder of Kazakhstan is read; its algorithm is not
// one of ours.
func TestForeign(t *testing.T) {
	raw, err := os.ReadFile(samples.Path(t, "data", "foreign", "kz", "Falseclock-SignerInfoTest-ocsp-resp-b69905e50ffb649b.der"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Singles) != 1 || r.Singles[0].Status != Good || len(r.Nonce) != 16 || len(r.Certificates) != 1 || r.ResponderName == nil {
		t.Errorf("%+v", r)
	}
	if want := time.Date(2020, 7, 5, 16, 7, 38, 0, time.UTC); !r.ProducedAt.Equal(want) || !r.Singles[0].ThisUpdate.Equal(want) {
		t.Errorf("%v, %v", r.ProducedAt, r.Singles[0].ThisUpdate)
	}
	if !r.names(r.Certificates[0]) {
		t.Error("the responder is not the one of the certificate")
	}
	if got := reason.Of(r.CheckSignature(r.Certificates[0], r.ProducedAt)); got != reason.OCSPUnsupported {
		t.Errorf("%q", got)
	}
}

// TestDummy: a file that only looks like a response.
func TestDummy(t *testing.T) {
	raw, err := os.ReadFile(samples.Path(t, "data", "ocsp", "rssys-dummy.der"))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := Parse(raw); r != nil || reason.Of(err) != reason.OCSPMalformed {
		t.Errorf("%v, %v", r, err)
	}
}

// FuzzParse: no input makes the parser panic, return half a response, or find an
// answer good that nobody signed.
func FuzzParse(f *testing.F) {
	w, raw := full(f)
	f.Add(raw)
	r, err := Parse(raw)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(r.RawBasic)
	f.Add(CreateRefusal(TryLater))
	want := r.rawData
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse(data)
		if err != nil {
			if r != nil {
				t.Fatal("refused, yet returned")
			}
			return
		}
		if len(r.Singles) == 0 || (r.ResponderName == nil) == (r.ResponderKeyHash == nil) {
			t.Fatalf("%+v", r)
		}
		if !bytes.Equal(r.rawData, want) && r.CheckSignature(w.FNS.Cert, now) == nil {
			t.Fatalf("%x: nobody signed this", data)
		}
		r.Lookup(w.holder.Cert, w.FNS.Cert)
		if again, err := ParseBasic(r.RawBasic); err != nil || again.SHA256() != r.SHA256() {
			t.Fatalf("the inner part alone: %v", err)
		}
	})
}

// FuzzParseRequest: what is accepted can be asked again.
func FuzzParseRequest(f *testing.F) {
	w := newWorld(f)
	for _, digest := range digests() {
		raw, err := CreateRequest(bytes.Repeat([]byte{9}, NonceSize), mustID(f, digest, w.holder.Cert, w.FNS.Cert))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseRequest(data)
		if err != nil {
			if r != nil {
				t.Fatal("refused, yet returned")
			}
			return
		}
		raw, err := CreateRequest(r.Nonce, r.IDs...)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseRequest(raw)
		if err != nil || len(again.IDs) != len(r.IDs) || !bytes.Equal(again.Nonce, r.Nonce) {
			t.Fatalf("%+v became %+v: %v", r, again, err)
		}
	})
}

// TestSingleExtensions: what extensions of one answer do (RFC 6960, Sections 4.4.2 to
// 4.4.5).
func TestSingleExtensions(t *testing.T) {
	w := newWorld(t)
	id := mustID(t, OIDSHA1, w.holder.Cert, w.FNS.Cert)
	since := []byte("\x18\x0f20260101000000Z")
	read := func(status CertStatus, extensions ...gostx509.Extension) (Single, error) {
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			(&Single{ID: id, Status: status, RevokedAt: now, ThisUpdate: now}).add(b)
			tagged(b, 1, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					for _, e := range extensions {
						b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
							b.AddASN1ObjectIdentifier(e.ID)
							b.AddASN1Boolean(e.Critical)
							b.AddASN1OctetString(e.Value)
						})
					}
				})
			})
		})
		raw, err := b.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		var d der.Decoder
		r := d.Open(raw, limits())
		s := readSingle(r.Sequence())
		r.End()
		return s, d.Err()
	}
	reasonCode := func(n byte) gostx509.Extension {
		return gostx509.Extension{ID: asn1.ObjectIdentifier{2, 5, 29, 21}, Value: []byte{0x0A, 1, n}}
	}
	unknown := gostx509.Extension{ID: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte{5, 0}}
	critical := unknown
	critical.Critical = true
	reference := gostx509.Extension{ID: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 3}, Critical: true, Value: []byte{0x30, 0}}

	if s, err := read(Revoked, reasonCode(1), gostx509.Extension{ID: asn1.ObjectIdentifier{2, 5, 29, 24}, Value: since}); err != nil ||
		s.Reason != crl.KeyCompromise || s.InvalidSince.Year() != 2026 || s.Unusable != nil {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := read(Good, reasonCode(1), reference, unknown); err != nil || s.Reason != crl.Unspecified || s.Unusable != nil {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := read(Good, critical); err != nil || reason.Of(s.Unusable) != reason.OCSPUnsupported {
		t.Errorf("%+v, %v", s, err)
	}
	for name, wrong := range map[string][]gostx509.Extension{
		"reason 7":           {reasonCode(7)},
		"reason 11":          {reasonCode(11)},
		"more than a reason": {{ID: asn1.ObjectIdentifier{2, 5, 29, 21}, Value: []byte{0x0A, 1, 1, 5, 0}}},
		"twice":              {unknown, unknown},
		"none":               {},
		"too many":           make([]gostx509.Extension, maxExtensions+1),
	} {
		for i := range wrong {
			if wrong[i].ID == nil {
				wrong[i] = gostx509.Extension{ID: asn1.ObjectIdentifier{1, 2, 3, i}, Value: []byte{5, 0}}
			}
		}
		if _, err := read(Revoked, wrong...); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	// One that cannot be used grants less than any but revocation.
	r := Response{Singles: []Single{{ID: id, Status: Unknown}, {ID: id, Status: Good, Unusable: reason.OCSPUnsupported}, {ID: id, Status: Good}}}
	if s, ok := r.Lookup(w.holder.Cert, w.FNS.Cert); !ok || s.Unusable == nil {
		t.Errorf("%+v", s)
	}
}

// TestRequestForms: what a request may hold, and how much.
func TestRequestForms(t *testing.T) {
	w := newWorld(t)
	id := mustID(t, OIDSHA1, w.holder.Cert, w.FNS.Cert)
	write := func(count int, version byte, one, all *gostx509.Extension) []byte {
		extension := func(b *cryptobyte.Builder, tag uint8, e *gostx509.Extension) {
			if e == nil {
				return
			}
			tagged(b, tag, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(e.ID)
						b.AddASN1Boolean(e.Critical)
						b.AddASN1OctetString(e.Value)
					})
				})
			})
		}
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				tagged(b, 0, func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(version)) })
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					for range count {
						b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
							id.add(b)
							extension(b, 0, one)
						})
					}
				})
				extension(b, 2, all)
			})
		})
		raw, err := b.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	types := &gostx509.Extension{ID: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 4}, Critical: true, Value: []byte{0x30, 0}}
	locator := &gostx509.Extension{ID: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 7}, Value: []byte{0x30, 0}}
	strict := *locator
	strict.Critical = true
	empty := &gostx509.Extension{ID: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}, Value: []byte{4, 0}}
	for _, c := range []struct {
		name     string
		raw      []byte
		bad      bool
		unusable bool
	}{
		{"types of response", write(1, 0, nil, types), false, false},
		{"where else to ask", write(1, 0, locator, nil), false, false},
		{"critical, of one question", write(1, 0, &strict, nil), false, true},
		{"critical, of the request", write(1, 0, nil, &strict), false, true},
		{"most questions", write(maxSingles, 0, nil, nil), false, false},
		{"too many questions", write(maxSingles+1, 0, nil, nil), true, false},
		{"no question", write(0, 0, nil, nil), true, false},
		{"version 2", write(1, 1, nil, nil), true, false},
		{"empty nonce", write(1, 0, nil, empty), true, false},
	} {
		r, err := ParseRequest(c.raw)
		if (err != nil) != c.bad || (r == nil) != c.bad || !c.bad && (r.Unusable != nil) != c.unusable {
			t.Errorf("%s: %+v, %v", c.name, r, err)
		}
	}
	w.tooMuch(t)
}

// tooMuch: a response with more answers or certificates than anybody needs is neither
// made nor read.
func (w *world) tooMuch(t *testing.T) {
	t.Helper()
	template := w.good(t)
	for range maxSingles - 1 {
		template.Singles = append(template.Singles, template.Singles[0])
	}
	w.respond(t, template, w.FNS.Cert, w.FNS.Key)
	template.Singles = append(template.Singles, template.Singles[0])
	if _, err := CreateResponse(nil, template, w.FNS.Cert, w.FNS.Key); reason.Of(err) != reason.OCSPMalformed {
		t.Error(err)
	}
	template = w.good(t)
	for range maxCertificates + 1 {
		template.Certificates = append(template.Certificates, w.FNS.Cert)
	}
	if _, err := CreateResponse(nil, template, w.FNS.Cert, w.FNS.Key); reason.Of(err) != reason.OCSPMalformed {
		t.Error(err)
	}
}
