package validate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"testing"
	"time"

	"propusk/gost/streebog"
	"propusk/pki/cades"
	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/internal/longterm"
	"propusk/pki/internal/openssl"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/tsp"
	"propusk/pki/verdict"
)

// foreign issues a certificate of the tax service for a key of RSA or ECDSA.
func (w *world) foreign(t *testing.T, template gostx509.Template, key crypto.Signer) *gostx509.Certificate {
	t.Helper()
	raw, err := gostx509.Create(rand.Reader, template, w.FNS.Cert, key.Public(), w.FNS.Key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := gostx509.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// TestForeignKeys: signers and TSAs with keys of RSA and ECDSA are judged by the same
// rules, time-stamps too. Qualified they are not.
func TestForeignKeys(t *testing.T) {
	openssl.Require(t)
	w := newWorld(t)
	wall := time.Now() // openssl writes it into the signature
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecdsaKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	holder := country.Entrepreneur()
	holder.NotBefore, holder.NotAfter = wall.AddDate(0, -1, 0), wall.AddDate(0, 1, 0)
	authority := country.TimeStamping()
	authority.NotBefore, authority.NotAfter = wall.AddDate(0, -1, 0), wall.AddDate(1, 0, 0)
	at := wall.Add(time.Hour)
	for name, key := range map[string]crypto.Signer{"RSA": rsaKey, "ECDSA": ecdsaKey} {
		t.Run(name, func(t *testing.T) {
			cert, tsa := w.foreign(t, holder, key), w.foreign(t, authority, key)
			private, err := x509.MarshalPKCS8PrivateKey(key)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			openssl.Write(t, dir, "document", document)
			openssl.Write(t, dir, "crt", country.CertPEM(cert))
			openssl.Write(t, dir, "key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
			openssl.Run(t, dir, "cms", "-sign", "-binary", "-cades", "-nodetach", "-md", "sha256", "-in", "document",
				"-signer", "crt", "-inkey", "key", "-outform", "DER", "-out", "signature")
			file := openssl.Read(t, dir, "signature")
			sum := streebog.Sum256(longterm.Parse(t, file).Signers[0].Signature)
			stamp := wall.Add(time.Minute).Truncate(time.Second)
			token, err := tsp.Create(nil, tsp.Template{
				Policy:       asn1.ObjectIdentifier{1, 2, 643, 100, 99},
				Digest:       tsp.Imprint{Algorithm: sigalg.AlgorithmIdentifier{Algorithm: sigalg.OIDStreebog256}, Hash: sum[:]},
				GenTime:      stamp,
				Certificates: []*gostx509.Certificate{tsa},
			}, tsa, key)
			if err != nil {
				t.Fatal(err)
			}
			file = longterm.Add(t, file, longterm.SignatureTimeStamp, token)

			v := w.at(t, at)
			s := one(t, v, file, at)
			if s.Verdict.Status() != verdict.Failed || s.Certificate.Qualified.Status() != verdict.Failed {
				t.Errorf("qualified: %v %q", s.Certificate.Qualified.Status(), s.Verdict.Why())
			}
			v.Policy.AllowUnqualified = true
			wantSignature(t, one(t, v, file, at), verdict.Passed, "", cms.T, stamp)
			revokedBoth := w.at(t, at, revoked(cert, wall), revoked(tsa, wall))
			revokedBoth.Policy = v.Policy
			s = one(t, revokedBoth, file, at)
			wantSignature(t, s, verdict.Failed, reason.CertRevoked, cms.T, time.Time{})
			wantStamp(t, s, cades.SignatureTimeStamp, verdict.Failed, reason.CertRevoked)
		})
	}
}
