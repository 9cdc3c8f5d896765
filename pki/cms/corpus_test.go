package cms

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/samples"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

// TestCorpus holds the verifier to the recorded verdicts of real signatures.
func TestCorpus(t *testing.T) {
	for _, line := range corpus(t, "cms_signed/", ".p7m", ".p7s") {
		t.Run(line.name, func(t *testing.T) {
			data, err := os.ReadFile(line.path)
			if err != nil {
				t.Fatal(err)
			}
			sd, err := Parse(data)
			if err != nil {
				t.Fatal(err)
			}
			if len(sd.Signers) != 1 {
				t.Fatalf("%d signers, want 1", len(sd.Signers))
			}
			content := Content{}
			if document, err := os.ReadFile(strings.TrimSuffix(line.path, ".p7s") + ".content"); err == nil {
				content = Document(document)
			}
			certs, unreadable := sd.X509()
			if unreadable > 0 {
				t.Errorf("%d certificates could not be read", unreadable)
			}
			checkRecorded(t, line, sd, sd.Verify(content, append(certs, beside(t, line)...))[0])
		})
	}
}

// checkRecorded compares one result with a line of the index.
func checkRecorded(t *testing.T, line indexed, sd *SignedData, r Result) {
	t.Helper()
	detached := strings.Contains(line.what, "detached")
	if sd.Detached != detached {
		t.Errorf("detached = %v, want %v", sd.Detached, detached)
	}
	wantLevel := Plain
	if strings.Contains(line.what, "signingCertV2") {
		wantLevel = BES
	}
	if r.Level != wantLevel {
		t.Errorf("level = %s, want %s", r.Level, wantLevel)
	}
	switch {
	case strings.HasPrefix(line.expected, "VALID with the key"): // checked in TestCorpusByKey
	case strings.HasPrefix(line.expected, "VALID"):
		if !allPassed(r.Math) {
			t.Errorf("%s, yet %+v", line.expected, r.Math)
		}
	case strings.HasPrefix(line.expected, "CRYPTO VALID"):
		wantCheck(t, r.Math, CheckSignature, verdict.Passed, "")
		wantCheck(t, r.Math, CheckContent, verdict.Indeterminate, reason.ContentMissing)
	case strings.HasPrefix(line.expected, "content not available"):
		wantCheck(t, r.Math, CheckContent, verdict.Indeterminate, reason.ContentMissing)
		if statusOf(r.Math, CheckSignature) != nil {
			t.Error("the signature was judged without the document")
		}
	default:
		t.Errorf("unknown expectation %q", line.expected)
	}
}

// statusOf returns the check of a name, one that did not pass if there is one, nil
// if none ran.
func statusOf(checks []verdict.Check, name string) *verdict.Check {
	var found *verdict.Check
	for i := range checks {
		if checks[i].Name == name && (found == nil || found.Status == verdict.Passed) {
			found = &checks[i]
		}
	}
	return found
}

func wantCheck(t *testing.T, checks []verdict.Check, name string, status verdict.Status, code reason.Code) {
	t.Helper()
	c := statusOf(checks, name)
	if c == nil {
		t.Errorf("check %s did not run: %+v", name, checks)
		return
	}
	if c.Status != status || c.Reason != code {
		t.Errorf("check %s: %s %s, want %s %s", name, c.Status, c.Reason, status, code)
	}
}

// beside returns the certificate that belongs to a signature of RFC 4490, which
// carries none.
func beside(t *testing.T, line indexed) []*gostx509.Certificate {
	t.Helper()
	if !strings.Contains(line.name, "7432808a5fb5f965") {
		return nil
	}
	data, err := os.ReadFile(samples.Path(t, "data", "ee_certs", "test", "rfc4491-cert-v1-066ff479f7f019ed.der"))
	if err != nil {
		t.Fatal(err)
	}
	cert, err := gostx509.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return []*gostx509.Certificate{cert}
}

// TestCorpusByKey verifies the examples of ТК 26 that come with a private key
// instead of a certificate.
func TestCorpusByKey(t *testing.T) {
	for _, v := range []struct {
		file, key string
		curve     *gost3410.Curve
	}{
		{
			"gnutls-cms-signed-d52e3e73b1aab318.p7m",
			"BFCF1D623E5CDD3032A7C6EABB4A923C46E43D640FFEAAF2C3ED39A8FA399924",
			gost3410.CryptoProA(),
		},
		{
			"gnutls-cms-signed-53140489225b4353.p7m",
			"3FC01CDCD4EC5F972EB482774C41E66DB7F380528DFE9E67992BA05AEE462435" +
				"757530E641077CE587B976C8EEB48C48FD33FD175F0C7DE6A44E014E6BCB074B",
			gost3410.TC26512B(),
		},
	} {
		data, err := os.ReadFile(samples.Path(t, "data", "cms_signed", "attached", v.file))
		if err != nil {
			t.Fatal(err)
		}
		sd, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := hex.DecodeString(v.key)
		if err != nil {
			t.Fatal(err)
		}
		for i, j := 0, len(raw)-1; i < j; i, j = i+1, j-1 {
			raw[i], raw[j] = raw[j], raw[i]
		}
		key, err := gost3410.NewPrivateKey(v.curve, raw)
		if err != nil {
			t.Fatal(err)
		}
		s := &sd.Signers[0]
		d := digester{sd: sd}
		digest, code := d.digest(s.DigestAlgorithm.Algorithm)
		if code != "" {
			t.Fatal(code)
		}
		if err := sigalg.VerifyDigest(s.DigestAlgorithm.Algorithm, key.Public(), digest, s.Signature); err != nil {
			t.Errorf("%s: %v", v.file, err)
		}
	}
}

// TestForeign checks that signatures of Kazakhstan parse and are called
// unsupported, neither valid nor invalid.
func TestForeign(t *testing.T) {
	for _, line := range corpus(t, "foreign/kz/", ".p7m", ".p7s") {
		data, err := os.ReadFile(line.path)
		if err != nil {
			t.Fatal(err)
		}
		sd, err := Parse(data)
		if err != nil {
			t.Errorf("%s: %v", line.name, err)
			continue
		}
		certs, _ := sd.X509()
		results := sd.Verify(Content{}, certs)
		for i, r := range results {
			if sd.Signers[i].DigestAlgorithm.Algorithm.String()[:7] != "1.2.398" {
				continue
			}
			wantCheck(t, r.Math, CheckContent, verdict.Indeterminate, reason.SignatureAlgorithmUnsupported)
			wantCheck(t, r.Math, CheckAlgorithm, verdict.Indeterminate, reason.SignatureAlgorithmUnsupported)
			for _, c := range r.Math {
				if c.Status == verdict.Failed {
					t.Errorf("%s: %+v", line.name, c)
				}
			}
		}
	}
}

// TestOtherMessages checks that encrypted messages are named as what they are.
func TestOtherMessages(t *testing.T) {
	for _, line := range corpus(t, "cms_other/", ".p7m") {
		data, err := os.ReadFile(line.path)
		if err != nil {
			t.Fatal(err)
		}
		if sd, err := Parse(data); sd != nil || reason.Of(err) != reason.SignatureTypeUnsupported {
			t.Errorf("%s: %v, want %s", line.name, err, reason.SignatureTypeUnsupported)
		}
	}
}
