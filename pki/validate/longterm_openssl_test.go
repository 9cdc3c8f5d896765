package validate

import (
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/cades"
	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/internal/longterm"
	"propusk/pki/internal/openssl"
	"propusk/pki/internal/tsa"
	"propusk/pki/verdict"
)

// tsaConfig makes the openssl command a TSA.
const tsaConfig = `[tsa]
default_policy = 1.2.643.100.99
digests = md_gost12_256
serial = serial
accuracy = secs:1
ess_cert_id_alg = sha256
`

// opensslTSA makes the openssl command stamp.
func opensslTSA(t *testing.T, h country.Holder) func(data []byte) []byte {
	return func(data []byte) []byte {
		t.Helper()
		dir := t.TempDir()
		openssl.Write(t, dir, "data", data)
		openssl.Write(t, dir, "crt", country.CertPEM(h.Cert))
		openssl.Write(t, dir, "key", country.KeyPEM(t, h.Key))
		openssl.Write(t, dir, "tsa.cnf", []byte(tsaConfig))
		openssl.Write(t, dir, "serial", []byte("81\n"))
		openssl.Run(t, dir, "ts", "-query", "-data", "data", "-md_gost12_256", "-cert", "-out", "query")
		openssl.Run(t, dir, "ts", "-reply", "-queryfile", "query", "-config", "tsa.cnf", "-section", "tsa",
			"-signer", "crt", "-inkey", "key", "-md_gost12_256", "-token_out", "-out", "token")
		return openssl.Read(t, dir, "token")
	}
}

// TestOpenSSLLevels: OpenSSL signs, and OpenSSL makes every time-stamp of every
// level.
func TestOpenSSLLevels(t *testing.T) {
	openssl.Require(t)
	w := newWorld(t)
	wall := time.Now() // of the clock of openssl
	template := country.Entrepreneur()
	template.NotBefore, template.NotAfter = wall.AddDate(0, -1, 0), wall.AddDate(0, 1, 0)
	template.PrivateKeyUsage = gostx509.PrivateKeyUsage{NotBefore: template.NotBefore, NotAfter: template.NotAfter}
	w.h = w.Person(t, w.FNS, gost3410.TC26256A(), template)
	authority := country.TimeStamping()
	authority.NotBefore, authority.NotAfter = wall.AddDate(0, -1, 0), wall.AddDate(1, 0, 0)
	w.tsa = longterm.NewTSA(t, w.Country, w.FNS, authority, wall)
	w.tsa.Make = opensslTSA(t, w.tsa.Holder)
	at := wall.Add(time.Hour)
	v := w.at(t, at)
	for level, file := range w.levels(t, w.h.Sign(t, document, "-nodetach", "-cades", "-outform", "DER")) {
		s := one(t, v, file, at)
		if s.Verdict.Status() != verdict.Passed || s.Level != level || s.ProofOfExistence.IsZero() != (level == cms.BES) {
			t.Errorf("%s: %v %q, level %s, proven %v", level, s.Verdict.Status(), s.Verdict.Why(), s.Level, s.ProofOfExistence)
		}
		for _, ts := range s.TimeStamps {
			if ts.Verdict.Status() != verdict.Passed {
				t.Errorf("%s: %s: %q %+v", level, ts.Kind, ts.Verdict.Why(), ts.Verdict.Checks())
			}
		}
	}
}

// TestExtended judges what package cades makes.
func TestExtended(t *testing.T) {
	w := newWorld(t)
	stamper := tsa.New(t, w.Country, w.FNS)
	material := cades.Material{
		Certificates: []*gostx509.Certificate{w.FNS.Cert, w.Root.Cert},
		CRLs:         [][]byte{w.FNS.RawCRL, w.Root.RawCRL},
	}
	for _, detached := range []bool{false, true} {
		file, content := w.bes(t, detached), cms.Content{}
		if detached {
			content = cms.Document(document)
		}
		stamper.At = stamped
		for _, step := range []struct {
			level  cms.Level
			extend func() ([]byte, error)
		}{
			{cms.T, func() ([]byte, error) { return cades.ExtendT(t.Context(), file, 0, stamper) }},
			{cms.XLongType1, func() ([]byte, error) { return cades.ExtendXLongType1(t.Context(), file, 0, stamper, material) }},
			{cms.LTA, func() ([]byte, error) { return cades.ExtendArchive(t.Context(), file, content, 0, stamper, material) }},
			{cms.LTA, func() ([]byte, error) { return cades.ExtendArchive(t.Context(), file, content, 0, stamper, material) }},
		} {
			next, err := step.extend()
			if err != nil {
				t.Fatalf("%s: %v", step.level, err)
			}
			file, stamper.At = next, stamper.At.Add(time.Minute)
			s := one(t, w.v, file, now)
			wantSignature(t, s, verdict.Passed, "", step.level, stamped)
			for _, ts := range s.TimeStamps {
				if ts.Verdict.Status() != verdict.Passed {
					t.Errorf("%s: %s: %q", step.level, ts.Kind, ts.Verdict.Why())
				}
			}
		}
		if offline := one(t, w.offline(), file, now); offline.Verdict.Status() != verdict.Passed {
			t.Errorf("offline: %q", offline.Verdict.Why())
		}
	}
}
