package ocsp

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/internal/openssl"
)

// peer is a CA with holders and responders whose certificates are valid in any year,
// because the openssl command judges by the clock; their files are in dir.
type peer struct {
	*country.Country
	dir                     string
	ca                      *country.Authority
	good, revoked, delegate country.Holder
}

func newPeer(t *testing.T, curve *gost3410.Curve) *peer {
	openssl.Require(t)
	p := &peer{Country: country.New(t), dir: t.TempDir()}
	from, to := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2049, 1, 1, 0, 0, 0, 0, time.UTC)
	name := func(text string) gostx509.Name {
		return gostx509.Name{{Type: gostx509.OIDCommonName, Text: text}}
	}
	key, err := gost3410.GenerateKey(curve, nil)
	if err != nil {
		t.Fatal(err)
	}
	root := p.Issue(t, gostx509.Template{
		Subject: name("УЦ Вымышленный"), NotBefore: from, NotAfter: to, IsCA: true, MaxPathLen: -1,
		KeyUsage: gostx509.KeyUsageCertSign | gostx509.KeyUsageCRLSign,
	}, nil, key)
	p.ca = &country.Authority{Cert: root, Key: key}
	person := gostx509.Template{Subject: name("Иванов Иван Вымышленный"), NotBefore: from, NotAfter: to, MaxPathLen: -1}
	p.good, p.revoked = p.Person(t, p.ca, curve, person), p.Person(t, p.ca, curve, person)
	person.ExtKeyUsage = []asn1.ObjectIdentifier{gostx509.OIDOCSPSigning}
	person.Subject = name("Служба статусов Вымышленная")
	p.delegate = p.Person(t, p.ca, curve, person)
	for file, h := range map[string]country.Holder{
		"ca": {Cert: root, Key: key}, "good": p.good, "revoked": p.revoked, "delegate": p.delegate,
	} {
		openssl.Write(t, p.dir, file+".crt", country.CertPEM(h.Cert))
		openssl.Write(t, p.dir, file+".key", country.KeyPEM(t, h.Key))
	}
	return p
}

// index writes the database of openssl ca, in which one certificate is revoked.
func (p *peer) index(t *testing.T, since time.Time) {
	var b strings.Builder
	line := func(status, revoked string, c *gostx509.Certificate) {
		serial := fmt.Sprintf("%X", new(big.Int).SetBytes(c.Serial))
		if len(serial)%2 == 1 {
			serial = "0" + serial
		}
		fmt.Fprintf(&b, "%s\t490101000000Z\t%s\t%s\tunknown\t/CN=x\n", status, revoked, serial)
	}
	line("V", "", p.good.Cert)
	line("R", since.Format("060102150405Z")+",keyTime,"+since.Format("20060102150405Z"), p.revoked.Cert)
	openssl.Write(t, p.dir, "index.txt", []byte(b.String()))
}

// TestOpenSSLResponder: openssl ocsp answers requests, ours and its own, directly and
// as a responder, with all digests; we judge.
func TestOpenSSLResponder(t *testing.T) {
	p := newPeer(t, gost3410.TC26256A())
	since := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	p.index(t, since)
	for _, digest := range digests() {
		for _, signer := range []string{"ca", "delegate"} {
			t.Run(digest.String()+" "+signer, func(t *testing.T) {
				nonce := bytes.Repeat([]byte{0xA5}, NonceSize)
				unknown := p.Person(t, p.ca, gost3410.TC26256A(), gostx509.Template{
					Subject: p.good.Cert.Subject, NotBefore: p.good.Cert.NotBefore, NotAfter: p.good.Cert.NotAfter, MaxPathLen: -1,
				})
				request, err := CreateRequest(nonce,
					mustID(t, digest, p.good.Cert, p.ca.Cert), mustID(t, digest, p.revoked.Cert, p.ca.Cert), mustID(t, digest, unknown.Cert, p.ca.Cert))
				if err != nil {
					t.Fatal(err)
				}
				openssl.Write(t, p.dir, "request", request)
				openssl.Run(t, p.dir, "ocsp", "-index", "index.txt", "-CA", "ca.crt", "-rsigner", signer+".crt", "-rkey", signer+".key",
					"-reqin", "request", "-respout", "response", "-nmin", "60", "-rmd", "md_gost12_256")
				r, err := Parse(openssl.Read(t, p.dir, "response"))
				if err != nil {
					t.Fatal(err)
				}
				who, err := r.Signer(p.ca.Cert, r.ProducedAt)
				if err != nil || who.Delegated != (signer == "delegate") || !bytes.Equal(r.Nonce, nonce) {
					t.Fatalf("%+v, %v", who, err)
				}
				if s, ok := r.Lookup(p.good.Cert, p.ca.Cert); !ok || s.Status != Good || !s.NextUpdate.After(s.ThisUpdate) {
					t.Errorf("good: %+v, %v", s, ok)
				}
				s, ok := r.Lookup(p.revoked.Cert, p.ca.Cert)
				if !ok || s.Status != Revoked || !s.RevokedAt.Equal(since) || s.Reason != crl.KeyCompromise || !s.InvalidSince.Equal(since) {
					t.Errorf("revoked: %+v, %v", s, ok)
				}
				if s, ok := r.Lookup(unknown.Cert, p.ca.Cert); !ok || s.Status != Unknown {
					t.Errorf("unknown: %+v, %v", s, ok)
				}
			})
		}
	}
	// A request of openssl is read.
	openssl.Run(t, p.dir, "ocsp", "-issuer", "ca.crt", "-md_gost12_512", "-cert", "good.crt", "-sha256", "-cert", "revoked.crt", "-reqout", "theirs")
	request, err := ParseRequest(openssl.Read(t, p.dir, "theirs"))
	if err != nil || len(request.IDs) != 2 || !request.IDs[0].Matches(p.good.Cert, p.ca.Cert) || !request.IDs[1].Matches(p.revoked.Cert, p.ca.Cert) {
		t.Fatalf("%+v, %v", request, err)
	}
	if len(request.Nonce) == 0 {
		t.Error("no nonce")
	}
	// A signed one is too.
	openssl.Run(t, p.dir, "ocsp", "-issuer", "ca.crt", "-cert", "good.crt", "-signer", "good.crt", "-signkey", "good.key", "-reqout", "theirs")
	if request, err := ParseRequest(openssl.Read(t, p.dir, "theirs")); err != nil || !request.Signed {
		t.Errorf("%+v, %v", request, err)
	}
}

// TestOpenSSLClient: openssl verifies our responses to its requests, with keys of
// both sizes, signed directly and by a responder.
func TestOpenSSLClient(t *testing.T) {
	for _, curve := range []*gost3410.Curve{gost3410.CryptoProA(), gost3410.TC26512A()} {
		p := newPeer(t, curve)
		now := time.Now().Truncate(time.Second)
		openssl.Run(t, p.dir, "ocsp", "-issuer", "ca.crt", "-cert", "good.crt", "-cert", "revoked.crt", "-reqout", "request")
		request, err := ParseRequest(openssl.Read(t, p.dir, "request"))
		if err != nil || len(request.IDs) != 2 {
			t.Fatalf("%+v, %v", request, err)
		}
		template := Template{
			ProducedAt: now, Nonce: request.Nonce,
			Singles: []Single{
				{ID: request.IDs[0], Status: Good, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(24 * time.Hour)},
				{
					ID: request.IDs[1], Status: Revoked, RevokedAt: now.Add(-2 * time.Hour), Reason: crl.CertificateHold,
					ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(24 * time.Hour),
				},
			},
		}
		for _, signer := range []country.Holder{{Cert: p.ca.Cert, Key: p.ca.Key}, p.delegate} {
			for _, byName := range []bool{false, true} {
				template.ByName, template.Certificates = byName, []*gostx509.Certificate{signer.Cert}
				response, err := CreateResponse(nil, template, signer.Cert, signer.Key)
				if err != nil {
					t.Fatal(err)
				}
				openssl.Write(t, p.dir, "response", response)
				out := openssl.Run(t, p.dir, "ocsp", "-issuer", "ca.crt", "-cert", "good.crt", "-cert", "revoked.crt",
					"-CAfile", "ca.crt", "-no_nonce", "-reqin", "request", "-respin", "response")
				for _, want := range []string{"good.crt: good", "revoked.crt: revoked", "Reason: certificateHold"} {
					if !bytes.Contains(out, []byte(want)) {
						t.Errorf("%s, by name %v: no %q in\n%s", curve.Name(), byName, want, out)
					}
				}
			}
		}
	}
}

// TestOpenSSLText: openssl prints what we wrote, field by field.
func TestOpenSSLText(t *testing.T) {
	p := newPeer(t, gost3410.TC26256A())
	cutoff := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	response, err := CreateResponse(nil, Template{
		ProducedAt: now, Nonce: []byte("0123456789abcdef"),
		Singles: []Single{{ID: mustID(t, OIDSHA1, p.good.Cert, p.ca.Cert), Status: Good, ThisUpdate: now, ArchiveCutoff: cutoff}},
	}, p.ca.Cert, p.ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	openssl.Write(t, p.dir, "response", response)
	out := string(openssl.Run(t, p.dir, "ocsp", "-respin", "response", "-resp_text", "-noverify"))
	serial := strings.ToUpper(hex.EncodeToString(bytes.TrimLeft(p.good.Cert.Serial, "\x00")))
	for _, want := range []string{
		"OCSP Response Status: successful (0x0)", "Cert Status: good", "Jan  2 03:04:05 2020 GMT", "OCSP Archive Cutoff",
		"Produced At: Jun 15 12:00:00 2026 GMT", "Serial Number: " + serial, "30313233343536373839616263646566",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	for _, status := range []ResponseStatus{TryLater, Unauthorized} {
		openssl.Write(t, p.dir, "refusal", CreateRefusal(status))
		out := string(openssl.Run(t, p.dir, "asn1parse", "-inform", "DER", "-in", "refusal"))
		if !strings.Contains(out, fmt.Sprintf("ENUMERATED        :%02X", uint8(status))) {
			t.Errorf("%v:\n%s", status, out)
		}
	}
}
