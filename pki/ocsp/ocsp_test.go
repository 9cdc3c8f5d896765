package ocsp

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/crl"
	"propusk/pki/der"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

var now = country.Now

// digests are those that a CertID may use.
func digests() []asn1.ObjectIdentifier {
	return []asn1.ObjectIdentifier{
		OIDSHA1, sigalg.OIDSHA256, sigalg.OIDSHA384, sigalg.OIDSHA512, sigalg.OIDStreebog256, sigalg.OIDStreebog512, sigalg.OIDGOST94,
	}
}

// world is a CA with a holder and responders.
type world struct {
	*country.Country
	holder, other country.Holder
}

func newWorld(t testing.TB) *world {
	c := country.New(t)
	return &world{
		Country: c,
		holder:  c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur()),
		other:   c.Person(t, c.FNS, gost3410.TC26256A(), country.Entrepreneur()),
	}
}

// responder is the template of a responder's certificate.
func responder() gostx509.Template {
	return gostx509.Template{
		Subject:   gostx509.Name{{Type: gostx509.OIDCommonName, Text: "Служба статусов Вымышленная"}},
		NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 1, 0), MaxPathLen: -1,
		KeyUsage:    gostx509.KeyUsageDigitalSignature,
		ExtKeyUsage: []asn1.ObjectIdentifier{gostx509.OIDOCSPSigning},
		Extra:       []gostx509.Extension{{ID: OIDNoCheck, Value: []byte{5, 0}}},
	}
}

func mustID(t testing.TB, digest asn1.ObjectIdentifier, cert, issuer *gostx509.Certificate) ID {
	t.Helper()
	id, err := NewID(digest, cert, issuer)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// good is the template of a response that says good about the holder.
func (w *world) good(t testing.TB) Template {
	return Template{ProducedAt: now, Singles: []Single{{
		ID: mustID(t, OIDSHA1, w.holder.Cert, w.FNS.Cert), Status: Good, ThisUpdate: now, NextUpdate: now.Add(time.Hour),
	}}}
}

func (w *world) respond(t testing.TB, template Template, signer *gostx509.Certificate, key *gost3410.PrivateKey) *Response {
	t.Helper()
	raw, err := CreateResponse(nil, template, signer, key)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRequest(t *testing.T) {
	w := newWorld(t)
	nonce := bytes.Repeat([]byte{7}, NonceSize)
	for _, digest := range digests() {
		id := mustID(t, digest, w.holder.Cert, w.FNS.Cert)
		second := mustID(t, digest, w.other.Cert, w.FNS.Cert)
		raw, err := CreateRequest(nonce, id, second)
		if err != nil {
			t.Fatal(err)
		}
		r, err := ParseRequest(raw)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.IDs) != 2 || !bytes.Equal(r.Nonce, nonce) || r.Signed || r.Unusable != nil {
			t.Fatalf("%v: %+v", digest, r)
		}
		if !r.IDs[0].Matches(w.holder.Cert, w.FNS.Cert) || !r.IDs[1].Matches(w.other.Cert, w.FNS.Cert) {
			t.Errorf("%v: the certificates are not found again", digest)
		}
		for what, wrong := range map[string]bool{
			"another number":   r.IDs[0].Matches(w.other.Cert, w.FNS.Cert),
			"another issuer":   r.IDs[0].Matches(w.holder.Cert, w.Lost.Cert),
			"another key":      r.IDs[0].Matches(w.holder.Cert, w.twin(t).Cert),
			"no certificate":   r.IDs[0].Matches(nil, w.FNS.Cert),
			"nothing":          ID{}.Matches(w.holder.Cert, w.FNS.Cert),
			"unknown digest":   ID{Digest: sigalg.OIDKeyRSA, NameHash: id.NameHash, KeyHash: id.KeyHash, Serial: id.Serial}.Matches(w.holder.Cert, w.FNS.Cert),
			"two empty hashes": ID{Digest: digest, Serial: id.Serial}.Matches(w.holder.Cert, w.FNS.Cert),
		} {
			if wrong {
				t.Errorf("%v: %s matches", digest, what)
			}
		}
		// What was read is written back as it was.
		back, err := CreateRequest(r.Nonce, r.IDs...)
		if err != nil || !bytes.Equal(back, raw) {
			t.Errorf("%v: %x, %v; want %x", digest, back, err, raw)
		}
	}
}

// twin is an authority with the name of FNS and another key.
func (w *world) twin(t testing.TB) *country.Authority {
	return w.Authority(t, w.Root, "УЦ налоговой службы Вымышленный", "1047707030513", "7707329152")
}

// TestNonce: the extension of RFC 9654, Section 2.1, and the limits there.
func TestNonce(t *testing.T) {
	w := newWorld(t)
	// Source: RFC 9654, Section 2.1.
	want, err := hex.DecodeString("302f06092b0601050507300102042204" + "20dd49d4072c449da1c317bd1c1bdffedbe150312ec4cd0add18e5bd6f84bf14c8")
	if err != nil {
		t.Fatal(err)
	}
	id := mustID(t, OIDSHA1, w.holder.Cert, w.FNS.Cert)
	raw, err := CreateRequest(want[17:], id)
	if err != nil || !bytes.Contains(raw, want) {
		t.Errorf("%x, %v does not contain %x", raw, err, want)
	}
	for _, n := range [][]byte{{}, make([]byte, 129)} {
		if _, err := CreateRequest(n, id); reason.Of(err) != reason.OCSPMalformed {
			t.Errorf("nonce of %d bytes: %v", len(n), err)
		}
		template := w.good(t)
		template.Nonce = n
		if _, err := CreateResponse(nil, template, w.FNS.Cert, w.FNS.Key); reason.Of(err) != reason.OCSPMalformed {
			t.Errorf("nonce of %d bytes: %v", len(n), err)
		}
	}
	if _, err := CreateRequest(nil); reason.Of(err) != reason.OCSPMalformed {
		t.Error("a request about nothing")
	}
	// Before RFC 6960 the value was not wrapped.
	template := w.good(t)
	template.Extra = []gostx509.Extension{{ID: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}, Value: []byte("old style")}}
	if r := w.respond(t, template, w.FNS.Cert, w.FNS.Key); string(r.Nonce) != "old style" {
		t.Errorf("%q", r.Nonce)
	}
}

func TestResponse(t *testing.T) {
	w := newWorld(t)
	delegate := w.Person(t, w.FNS, gost3410.TC26512A(), responder())
	id := func(digest asn1.ObjectIdentifier, h country.Holder) ID { return mustID(t, digest, h.Cert, w.FNS.Cert) }
	since := now.Add(-48 * time.Hour)
	template := Template{
		ProducedAt: now, Nonce: []byte("nonce of some length"), Certificates: []*gostx509.Certificate{delegate.Cert},
		Singles: []Single{
			{ID: id(sigalg.OIDStreebog256, w.other), Status: Revoked, RevokedAt: since, Reason: crl.KeyCompromise, InvalidSince: since.Add(-time.Hour), ThisUpdate: now},
			{ID: id(sigalg.OIDSHA256, w.holder), Status: Good, ThisUpdate: now, NextUpdate: now.Add(time.Hour), ArchiveCutoff: since},
		},
	}
	for _, byName := range []bool{false, true} {
		template.ByName = byName
		r := w.respond(t, template, delegate.Cert, delegate.Key)
		signer, err := r.Signer(w.FNS.Cert, now)
		if err != nil || !signer.Delegated || !signer.NoCheck || !signer.Certificate.Equal(delegate.Cert) {
			t.Fatalf("by name %v: %+v, %v", byName, signer, err)
		}
		if string(r.Nonce) != "nonce of some length" || !r.ProducedAt.Equal(now) {
			t.Errorf("%q, %v", r.Nonce, r.ProducedAt)
		}
		s, ok := r.Lookup(w.holder.Cert, w.FNS.Cert)
		if !ok || s.Status != Good || !s.ThisUpdate.Equal(now) || !s.NextUpdate.Equal(now.Add(time.Hour)) || !s.ArchiveCutoff.Equal(since) {
			t.Errorf("%+v", s)
		}
		s, ok = r.Lookup(w.other.Cert, w.FNS.Cert)
		if !ok || s.Status != Revoked || !s.RevokedAt.Equal(since) || s.Reason != crl.KeyCompromise || !s.InvalidSince.Equal(since.Add(-time.Hour)) {
			t.Errorf("%+v", s)
		}
		if s, ok := r.Lookup(delegate.Cert, w.FNS.Cert); ok {
			t.Errorf("an answer about another certificate: %+v", s)
		}
		basic, err := ParseBasic(r.RawBasic)
		if err != nil || basic.CheckSignature(w.FNS.Cert, now) != nil || basic.SHA256() != r.SHA256() {
			t.Errorf("bare: %v", err)
		}
		if again, err := Parse(r.RawBasic); err != nil || again.SHA256() != r.SHA256() {
			t.Errorf("bare, found out: %v", err)
		}
		if whole, err := Wrap(r.RawBasic); err != nil || !bytes.Equal(whole, r.Raw) {
			t.Errorf("wrapped: %x, %v", whole, err)
		}
		if _, err := ParseBasic(r.Raw); reason.Of(err) != reason.OCSPMalformed {
			t.Errorf("a whole response as a bare one: %v", err)
		}
	}
}

// TestDirect: the issuer signs itself, and every digest may name it.
func TestDirect(t *testing.T) {
	w := newWorld(t)
	for _, digest := range digests() {
		template := w.good(t)
		template.Singles[0].ID = mustID(t, digest, w.holder.Cert, w.FNS.Cert)
		r := w.respond(t, template, w.FNS.Cert, w.FNS.Key)
		signer, err := r.Signer(w.FNS.Cert, now.AddDate(50, 0, 0)) // whether the issuer is valid is for the path
		if err != nil || signer.Delegated || !signer.Certificate.Equal(w.FNS.Cert) {
			t.Errorf("%v: %+v, %v", digest, signer, err)
		}
		if s, ok := r.Lookup(w.holder.Cert, w.FNS.Cert); !ok || s.Status != Good {
			t.Errorf("%v: %+v", digest, s)
		}
		if twin := w.twin(t); reason.Of(r.CheckSignature(twin.Cert, now)) == "" {
			t.Errorf("%v: taken for a CA of the same name", digest)
		}
	}
}

// TestContradiction: the answer that grants least counts, wherever it stands.
func TestContradiction(t *testing.T) {
	w := newWorld(t)
	answers := []Single{
		{ID: mustID(t, OIDSHA1, w.holder.Cert, w.FNS.Cert), Status: Good, ThisUpdate: now},
		{ID: mustID(t, sigalg.OIDSHA256, w.holder.Cert, w.FNS.Cert), Status: Unknown, ThisUpdate: now},
		{ID: mustID(t, sigalg.OIDStreebog256, w.holder.Cert, w.FNS.Cert), Status: Revoked, RevokedAt: now, ThisUpdate: now},
	}
	for i := range answers {
		for j := range answers {
			r := w.respond(t, Template{ProducedAt: now, Singles: []Single{answers[i], answers[j]}}, w.FNS.Cert, w.FNS.Key)
			s, ok := r.Lookup(w.holder.Cert, w.FNS.Cert)
			if want := answers[max(i, j)].Status; !ok || s.Status != want {
				t.Errorf("%v and %v: %v", answers[i].Status, answers[j].Status, s.Status)
			}
		}
	}
	// From the revocation that grants most to the one that grants least.
	id, second := answers[0].ID, time.Second
	revocations := []Single{
		{ID: id, Status: Revoked, Reason: crl.CertificateHold, RevokedAt: now.Add(-second), ThisUpdate: now},
		{ID: id, Status: Revoked, Reason: crl.KeyCompromise, RevokedAt: now.Add(second), ThisUpdate: now},
		{ID: id, Status: Revoked, Reason: crl.Superseded, RevokedAt: now, InvalidSince: now.Add(second), ThisUpdate: now},
		{ID: id, Status: Revoked, Reason: crl.KeyCompromise, RevokedAt: now.Add(second), InvalidSince: now.Add(-second), ThisUpdate: now},
	}
	for i := range revocations {
		for j := range revocations {
			r := w.respond(t, Template{ProducedAt: now, Singles: []Single{revocations[i], revocations[j]}}, w.FNS.Cert, w.FNS.Key)
			s, _ := r.Lookup(w.holder.Cert, w.FNS.Cert)
			if want := revocations[max(i, j)]; s.Reason != want.Reason || !s.RevokedAt.Equal(want.RevokedAt) || !s.InvalidSince.Equal(want.InvalidSince) {
				t.Errorf("%d and %d: %+v", i, j, s)
			}
		}
	}
}

// TestManyCandidates: a response that names certificate after certificate does not get
// all of them tried.
func TestManyCandidates(t *testing.T) {
	w := newWorld(t)
	delegate := w.Person(t, w.FNS, gost3410.TC26256A(), responder())
	for _, c := range []struct {
		others int
		want   reason.Code
	}{{maxCandidates - 1, ""}, {maxCandidates, reason.OCSPSignerUnauthorized}} {
		template := w.good(t)
		template.ByName = true
		for range c.others {
			template.Certificates = append(template.Certificates, w.Person(t, w.Lost, gost3410.TC26256A(), responder()).Cert)
		}
		template.Certificates = append(template.Certificates, w.other.Cert, delegate.Cert)
		r := w.respond(t, template, delegate.Cert, delegate.Key)
		if got := reason.Of(r.CheckSignature(w.FNS.Cert, now)); got != c.want {
			t.Errorf("%d others: %q, want %q", c.others, got, c.want)
		}
	}
}

// renamed is the CA with its key under the name of the root.
func (w *world) renamed() *country.Authority {
	cert := *w.FNS.Cert
	cert.RawSubject = w.Root.Cert.RawSubject
	return &country.Authority{Cert: &cert, Key: w.FNS.Key}
}

// TestSigners: nobody but the issuer and whom it empowered signs.
func TestSigners(t *testing.T) {
	w := newWorld(t)
	anyUsage := asn1.ObjectIdentifier{2, 5, 29, 37, 0}
	critical := gostx509.Extension{ID: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}
	for _, c := range []struct {
		name   string
		issuer *country.Authority
		change func(*gostx509.Template)
		want   reason.Code
	}{
		{"empowered", w.FNS, func(*gostx509.Template) {}, ""},
		{"no-check is critical", w.FNS, func(t *gostx509.Template) { t.Extra[0].Critical = true }, ""},
		{"without key usage", w.FNS, func(t *gostx509.Template) { t.KeyUsage = 0 }, ""},
		{"empowered by another CA", w.Lost, func(*gostx509.Template) {}, reason.OCSPSignerUnauthorized},
		{"empowered by the root", w.Root, func(*gostx509.Template) {}, reason.OCSPSignerUnauthorized},
		{"empowered by a CA of the same name", w.twin(t), func(*gostx509.Template) {}, reason.OCSPSignerUnauthorized},
		{"empowered by the very key under another name", w.renamed(), func(*gostx509.Template) {}, reason.OCSPSignerUnauthorized},
		{"any usage", w.FNS, func(t *gostx509.Template) { t.ExtKeyUsage = []asn1.ObjectIdentifier{anyUsage} }, reason.OCSPSignerUnauthorized},
		{"another usage", w.FNS, func(t *gostx509.Template) { t.ExtKeyUsage = []asn1.ObjectIdentifier{gostx509.OIDClientAuth} }, reason.OCSPSignerUnauthorized},
		{"no usage", w.FNS, func(t *gostx509.Template) { t.ExtKeyUsage = nil }, reason.OCSPSignerUnauthorized},
		{"a CA below", w.FNS, func(t *gostx509.Template) {
			t.IsCA, t.ExtKeyUsage, t.KeyUsage = true, nil, gostx509.KeyUsageCertSign|gostx509.KeyUsageCRLSign
		}, reason.OCSPSignerUnauthorized},
		{"key for encryption", w.FNS, func(t *gostx509.Template) { t.KeyUsage = gostx509.KeyUsageKeyAgreement }, reason.OCSPSignerUnauthorized},
		{"out of date", w.FNS, func(t *gostx509.Template) { t.NotAfter = now.Add(-time.Second) }, reason.OCSPSignerInvalid},
		{"not yet valid", w.FNS, func(t *gostx509.Template) { t.NotBefore = now.Add(time.Second) }, reason.OCSPSignerInvalid},
		{"out of date when it is looked at", w.FNS, func(t *gostx509.Template) { t.NotAfter = now.Add(time.Second) }, reason.OCSPSignerInvalid},
		{"unknown critical extension", w.FNS, func(t *gostx509.Template) { t.Extra = append(t.Extra, critical) }, reason.OCSPSignerInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := responder()
			c.change(&r)
			holder := w.Person(t, c.issuer, gost3410.TC26256A(), r)
			template := w.good(t)
			template.Certificates = []*gostx509.Certificate{w.other.Cert, holder.Cert}
			response := w.respond(t, template, holder.Cert, holder.Key)
			if got := reason.Of(response.CheckSignature(w.FNS.Cert, now.Add(time.Minute))); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestImpostors: the name of the responder, the certificates and the signature must
// belong together.
func TestImpostors(t *testing.T) {
	w := newWorld(t)
	delegate := w.Person(t, w.FNS, gost3410.TC26256A(), responder())
	template := w.good(t)
	for _, c := range []struct {
		name  string
		certs []*gostx509.Certificate
		named *gostx509.Certificate
		key   *gost3410.PrivateKey
		want  reason.Code
	}{
		{"no certificate", nil, delegate.Cert, delegate.Key, reason.OCSPSignerUnauthorized},
		{"named after another", []*gostx509.Certificate{delegate.Cert}, w.other.Cert, delegate.Key, reason.OCSPSignerUnauthorized},
		{"signed by another", []*gostx509.Certificate{delegate.Cert}, delegate.Cert, w.other.Key, reason.OCSPSignatureBad},
		{"signed by a holder for the issuer", []*gostx509.Certificate{w.other.Cert}, w.FNS.Cert, w.other.Key, reason.OCSPSignatureBad},
		{"signed by a holder", []*gostx509.Certificate{w.other.Cert}, w.other.Cert, w.other.Key, reason.OCSPSignerUnauthorized},
		{"signed by the root", []*gostx509.Certificate{w.Root.Cert}, w.Root.Cert, w.Root.Key, reason.OCSPSignerUnauthorized},
		{"signed by the issuer's issuer, without a certificate", nil, w.Root.Cert, w.Root.Key, reason.OCSPSignerUnauthorized},
	} {
		for _, byName := range []bool{false, true} {
			template.Certificates, template.ByName = c.certs, byName
			r := w.respond(t, template, c.named, c.key)
			if got := reason.Of(r.CheckSignature(w.FNS.Cert, now)); got != c.want {
				t.Errorf("%s, by name %v: %q, want %q", c.name, byName, got, c.want)
			}
		}
	}
	if got := reason.Of(w.respond(t, template, w.FNS.Cert, w.FNS.Key).CheckSignature(nil, now)); got != reason.OCSPSignerUnauthorized {
		t.Errorf("no issuer: %q", got)
	}
	// 256-bit keys of 2001 belong to 34.11-94, those of 2012 do not: no other digest.
	r := w.respond(t, template, w.FNS.Cert, w.FNS.Key)
	r.SignatureAlgorithm.Algorithm = sigalg.OIDGOST2001WithGOST94
	if got := reason.Of(r.CheckSignature(w.FNS.Cert, now)); got != reason.OCSPUnsupported {
		t.Errorf("withdrawn digest: %q", got)
	}
}

// TestCriticalExtensions: what is not understood and is critical spoils the answer.
func TestCriticalExtensions(t *testing.T) {
	w := newWorld(t)
	unknown := gostx509.Extension{ID: asn1.ObjectIdentifier{1, 2, 3, 4}, Value: []byte{5, 0}}
	template := w.good(t)
	template.Extra = []gostx509.Extension{unknown}
	r := w.respond(t, template, w.FNS.Cert, w.FNS.Key)
	if err := r.CheckSignature(w.FNS.Cert, now); err != nil {
		t.Error(err)
	}
	template.Extra[0].Critical = true
	r = w.respond(t, template, w.FNS.Cert, w.FNS.Key)
	if err := r.CheckSignature(w.FNS.Cert, now); reason.Of(err) != reason.OCSPUnsupported {
		t.Error(err)
	}
}

func TestRefusals(t *testing.T) {
	for _, status := range []ResponseStatus{MalformedRequest, InternalError, TryLater, SigRequired, Unauthorized, 77} {
		r, err := Parse(CreateRefusal(status))
		if r != nil || reason.Of(err) != reason.OCSPRefused || !errors.Is(err, status) || status.Error() == "" {
			t.Errorf("%v: %v, %v", status, r, err)
		}
	}
	w := newWorld(t)
	whole, err := CreateResponse(nil, w.good(t), w.FNS.Cert, w.FNS.Key)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(whole, []byte{0x0A, 1, 0})
	whole[at+2] = byte(TryLater)
	for name, raw := range map[string][]byte{
		"an error status with an answer": whole,
		"successful without an answer":   {0x30, 3, 0x0A, 1, 0},
		"nothing":                        {},
		"an empty sequence":              {0x30, 0},
	} {
		if r, err := Parse(raw); r != nil || reason.Of(err) != reason.OCSPMalformed {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
	if _, err := Parse(make([]byte, MaxSize+1)); reason.Of(err) != reason.OCSPTooLarge {
		t.Error(err)
	}
	if _, err := ParseRequest(make([]byte, MaxSize+1)); reason.Of(err) != reason.OCSPTooLarge {
		t.Error(err)
	}
}

// TestIdentifiersBelongTogether: name, key and number must each be those of the
// certificate and its issuer; two of them are not enough.
func TestIdentifiersBelongTogether(t *testing.T) {
	w := newWorld(t)
	id := mustID(t, OIDSHA1, w.holder.Cert, w.FNS.Cert)
	if !id.Matches(w.holder.Cert, w.FNS.Cert) {
		t.Fatal("does not match")
	}
	for name, change := range map[string]func(*ID){
		"name":   func(i *ID) { i.NameHash = mustID(t, OIDSHA1, w.FNS.Cert, w.Root.Cert).NameHash },
		"key":    func(i *ID) { i.KeyHash = mustID(t, OIDSHA1, w.FNS.Cert, w.Root.Cert).KeyHash },
		"number": func(i *ID) { i.Serial = w.other.Cert.Serial },
		"digest": func(i *ID) { i.Digest = sigalg.OIDSHA256 },
	} {
		wrong := id
		if change(&wrong); wrong.Matches(w.holder.Cert, w.FNS.Cert) {
			t.Errorf("matches with another %s", name)
		}
	}
	if id.Matches(w.holder.Cert, w.renamed().Cert) {
		t.Error("matches an issuer that the certificate does not name")
	}
}

// TestDatesInOrder: the next answer does not precede this one.
func TestDatesInOrder(t *testing.T) {
	w := newWorld(t)
	for next, good := range map[time.Time]bool{now: true, now.Add(-time.Second): false} {
		template := w.good(t)
		template.Singles[0].NextUpdate = next
		raw, err := CreateResponse(nil, template, w.FNS.Cert, w.FNS.Key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(raw); (err == nil) != good {
			t.Errorf("next update %v: %v", next, err)
		}
	}
}

// TestCertificateLimit: a response does not choose how many certificates are parsed.
func TestCertificateLimit(t *testing.T) {
	for _, n := range []int{maxCertificates, maxCertificates + 1} {
		var d der.Decoder
		new(Response).readCertificates(d.Open(bytes.Repeat([]byte{byte(der.TagSequence), 0}, n), limits()))
		if (d.Err() == nil) != (n == maxCertificates) {
			t.Errorf("%d certificates: %v", n, d.Err())
		}
	}
}
