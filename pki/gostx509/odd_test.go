package gostx509

import (
	"bytes"
	"encoding/asn1"
	"os"
	"strconv"
	"strings"
	"testing"

	"propusk/gost/gost3410"
	"propusk/pki/der"
	"propusk/pki/samples"
)

// one turns a question into a count.
func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// withExtension counts an extension; critical narrows it down.
func withExtension(id asn1.ObjectIdentifier, critical func(bool) bool) func(*Certificate) int {
	return func(c *Certificate) int {
		e, ok := c.Extension(id)
		return one(ok && critical(e.Critical))
	}
}

func anyway(bool) bool          { return true }
func itself(critical bool) bool { return critical }
func not(critical bool) bool    { return !critical }

func withAttribute(id asn1.ObjectIdentifier) func(*Certificate) int {
	return func(c *Certificate) int { return one(len(c.Subject.All(id)) > 0) }
}

// oddities answers every line of odd.tsv.
func oddities() map[string]func(*Certificate) int {
	all := map[string]func(*Certificate) int{
		"unstructuredName in CA subject":     withAttribute(OIDUnstructuredName),
		"title in CA subject":                withAttribute(OIDTitle),
		"no countryName in subject":          func(c *Certificate) int { return one(c.Subject.Get(OIDCountry) == "") },
		"repeated attribute type in subject": repeated,
		"BMPString in subject":               bmpStrings,
		"extendedKeyUsage in CA cert":        withExtension(OIDExtKeyUsage, anyway),
		"critical certificatePolicies":       withExtension(OIDPolicies, itself),
		"non-critical keyUsage in CA cert":   withExtension(OIDKeyUsage, not),
		"subjectAltName in CA cert":          withExtension(OIDSubjectAltName, anyway),
		"MS cert template ext":               withExtension(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 21, 7}, anyway),
		"MS cA version ext":                  withExtension(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 21, 1}, anyway),
		"no AKI":                             func(c *Certificate) int { return one(c.AuthorityKeyID.KeyID == nil) },
		"no CDP":                             func(c *Certificate) int { return one(len(c.CRLDistributionPoints) == 0) },
		"no AIA":                             func(c *Certificate) int { return one(len(c.OCSPServers)+len(c.CAIssuers) == 0) },
		"privateKeyUsagePeriod present":      func(c *Certificate) int { return one(!c.PrivateKeyUsage.IsZero()) },
		"AKI form keyid+issuer+serial": func(c *Certificate) int {
			return one(c.AuthorityKeyID.KeyID != nil && c.AuthorityKeyID.RawIssuer != nil && c.AuthorityKeyID.Serial != nil)
		},
		"SPKI parameters: 3 OIDs": func(c *Certificate) int { return one(c.PublicKeyAlgorithm.Encryption != nil) },
		"SPKI parameters: 2 OIDs": func(c *Certificate) int {
			return one(c.PublicKeyAlgorithm.Digest != nil && c.PublicKeyAlgorithm.Encryption == nil)
		},
		"subjectSignTool string type UTF8": func(c *Certificate) int { return one(c.SubjectSignTool != "") },
		"pathLen=none":                     func(c *Certificate) int { return one(c.MaxPathLen < 0) },
		"pathLen=0":                        func(c *Certificate) int { return one(c.MaxPathLen == 0) },
		"pathLen=1":                        func(c *Certificate) int { return one(c.MaxPathLen == 1) },
		"identificationKind (1.2.643.100.114) present":       func(c *Certificate) int { return one(c.IdentificationKind != nil) },
		"INNLE (1.2.643.100.4) in subject (since 2021)":      withAttribute(OIDINNLE),
		"postalAddress (2.5.4.16) SEQUENCE value in subject": withAttribute(OIDPostalAddress),
		"critical subjectSignTool/issuerSignTool": func(c *Certificate) int {
			return withExtension(OIDSubjectSignTool, itself)(c) + withExtension(OIDIssuerSignTool, itself)(c)
		},
		"explicit critical=FALSE (DER violation)":                     func(c *Certificate) int { return bytes.Count(c.RawTBS, []byte{1, 1, 0, 4}) },
		"GeneralizedTime for a date before 2050 (RFC 5280 violation)": generalizedTimes,
	}
	for _, size := range []int{64, 128} {
		all["public key OCTET STRING "+strconv.Itoa(size)+" bytes"] = func(c *Certificate) int {
			key, ok := c.PublicKey.(*gost3410.PublicKey)
			return one(ok && len(key.Bytes()) == size)
		}
	}
	for size := 1; size <= MaxSerial; size++ {
		all["serial "+strconv.Itoa(size)+" bytes"] = func(c *Certificate) int { return one(len(c.Serial) == size) }
	}
	return all
}

func repeated(c *Certificate) int {
	for _, a := range c.Subject {
		if len(c.Subject.All(a.Type)) > 1 {
			return 1
		}
	}
	return 0
}

func bmpStrings(c *Certificate) int {
	n := 0
	for _, a := range c.Subject {
		n += one(a.Tag == int(der.TagBMPString))
	}
	return n
}

// generalizedTimes counts dates before 2050 that are not UTCTime.
func generalizedTimes(c *Certificate) int {
	n := 0
	for _, at := range []string{c.NotBefore.Format("20060102150405Z"), c.NotAfter.Format("20060102150405Z")} {
		n += one(at < "2050" && bytes.Contains(c.RawTBS, []byte("\x18\x0f"+at)))
	}
	return n
}

// TestOddities counts in the corpus what another program counted: odd.tsv.
func TestOddities(t *testing.T) {
	text, err := os.ReadFile(samples.Path(t, "data", "ca_certs", "odd.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	all, known := loadCorpus(t), oddities()
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, line := range lines[1:] {
		fields := strings.Split(line, "\t")
		if len(fields) < 2 {
			t.Fatalf("%q: not a line of the table", line)
		}
		want, err := strconv.Atoi(fields[1])
		if err != nil {
			t.Fatal(err)
		}
		question, ok := known[fields[0]]
		if !ok {
			t.Errorf("%s: no test for it", fields[0])
			continue
		}
		got := 0
		for _, c := range all.certs {
			got += question(c)
		}
		if got != want {
			t.Errorf("%s: %d, want %d", fields[0], got, want)
		}
	}
}
