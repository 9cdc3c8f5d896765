package gostx509

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"propusk/gost/gost3410"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/samples"
	"propusk/pki/sigalg"
)

// corpus is the certificates of all accredited CAs, with the line of
// accredited.tsv of each.
type corpus struct {
	certs []*Certificate
	rows  []map[string]string
}

func loadCorpus(t testing.TB) corpus {
	t.Helper()
	dir := samples.Path(t, "data", "ca_certs")
	f, err := os.Open(filepath.Join(dir, "accredited.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, -1
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var all corpus
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			if i < len(line) {
				row[name] = line[i]
			}
		}
		raw, err := os.ReadFile(filepath.Join(dir, row["file"]))
		if err != nil {
			t.Fatal(err)
		}
		c, err := Parse(raw)
		if err != nil {
			t.Fatalf("%s: %v", row["file"], err)
		}
		if !bytes.Equal(c.Raw, raw) {
			t.Fatalf("%s: Raw differs from the input", row["file"])
		}
		all.certs, all.rows = append(all.certs, c), append(all.rows, row)
	}
	return all
}

// TestCorpus compares every certificate of the accredited CAs with what OpenSSL
// says about it.
func TestCorpus(t *testing.T) {
	all := loadCorpus(t)
	if len(all.certs) < 2000 {
		t.Errorf("%d certificates", len(all.certs))
	}
	curves := map[string]*gost3410.Curve{
		"CryptoPro-A": gost3410.CryptoProA(), "CryptoPro-B": gost3410.CryptoProB(), "CryptoPro-C": gost3410.CryptoProC(),
		"CryptoPro-XchA": gost3410.CryptoProA(), "CryptoPro-XchB": gost3410.CryptoProC(),
		"tc26-256-A": gost3410.TC26256A(), "tc26-512-A": gost3410.TC26512A(),
	}
	algorithms := map[string]string{
		"key-gost2001": sigalg.OIDKeyGOST2001.String(), "key-gost2012-256": sigalg.OIDKeyGOST256.String(), "key-gost2012-512": sigalg.OIDKeyGOST512.String(),
	}
	signatures := map[string]string{
		"gost2001+gost94hash": "1.2.643.2.2.3", "gost2012-256": "1.2.643.7.1.1.3.2", "gost2012-512": "1.2.643.7.1.1.3.3",
	}
	counts := map[string]int{}
	for i, c := range all.certs {
		row := all.rows[i]
		key, _ := c.PublicKey.(*gost3410.PublicKey)
		var critical []string
		for _, e := range c.Extensions {
			if e.Critical {
				critical = append(critical, e.ID.String())
			}
		}
		for what, pair := range map[string][2]string{
			"serial":     {strings.TrimLeft(hex.EncodeToString(c.Serial), "0"), strings.TrimLeft(row["serial"], "0")},
			"ski":        {hex.EncodeToString(c.SubjectKeyID), row["ski"]},
			"aki":        {hex.EncodeToString(c.AuthorityKeyID.KeyID), row["aki"]},
			"sigalg":     {c.SignatureAlgorithm.Algorithm.String(), signatures[row["sigalg"]]},
			"keyalg":     {c.PublicKeyAlgorithm.Algorithm.String(), algorithms[row["keyalg"]]},
			"not_before": {c.NotBefore.Format("2006-01-02"), row["not_before"]},
			"not_after":  {c.NotAfter.Format("2006-01-02"), row["not_after"]},
			"critical":   {strings.Join(critical, ","), row["critical_ext"]},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%s: %s is %q, want %q", row["sha1"], what, pair[0], pair[1])
			}
		}
		if key == nil || curves[row["curve"]] == nil || key.Curve() != curves[row["curve"]] {
			t.Errorf("%s: key %v on %s, %v", row["sha1"], key, row["curve"], c.KeyError)
		}
		if !c.IsCA || len(c.UnhandledCritical) != 0 || c.KeyUsage&KeyUsageCertSign == 0 {
			t.Errorf("%s: not a CA, or extensions %v are unknown", row["sha1"], c.UnhandledCritical)
		}
		count(t, counts, c)
	}
	checkCounts(t, counts, len(all.certs))
}

// count collects what DOMAIN 2.2 and odd.tsv count.
func count(t *testing.T, n map[string]int, c *Certificate) {
	t.Helper()
	who, err := c.Identity()
	if err != nil || who.Kind != person.Authority {
		t.Errorf("%x: kind %q, %v", c.SHA256(), who.Kind, err)
	}
	add := func(what string, yes bool) {
		if yes {
			n[what]++
		}
	}
	add("ogrn", !who.OGRN.IsZero())
	add("innle", !who.INNLE.IsZero())
	add("old inn", strings.HasPrefix(c.Subject.Get(OIDINN), "00"))
	add("innle attribute", c.Subject.Get(OIDINNLE) != "")
	add("kpp", len(c.Subject.Get(OIDINNLE)) == 9)
	add("kc1", len(c.Policies) > 0 && containsOID(c, "1.2.643.100.113.1"))
	add("sign tools", c.SubjectSignTool != "" && c.IssuerSignTool != nil)
	add("identification", c.IdentificationKind != nil)
	add("period", !c.PrivateKeyUsage.IsZero())
	add("cdp", len(c.CRLDistributionPoints) > 0)
	add("ocsp", len(c.OCSPServers) > 0)
	add("aki issuer and serial", c.AuthorityKeyID.RawIssuer != nil && c.AuthorityKeyID.Serial != nil)
	add("postal address", c.Subject.Get(OIDPostalAddress) != "")
	add("path length 0", c.MaxPathLen == 0)
	add("no path length", c.MaxPathLen < 0)
}

func containsOID(c *Certificate, id string) bool {
	for _, p := range c.Policies {
		if p.String() == id {
			return true
		}
	}
	return false
}

// checkCounts: the numbers of odd.tsv, which another program counted.
func checkCounts(t *testing.T, n map[string]int, total int) {
	t.Helper()
	if total != 2356 {
		t.Logf("the corpus has %d certificates, not the 2,356 that were counted", total)
		return
	}
	for what, want := range map[string]int{
		"ogrn": total, "innle": total, "innle attribute": 218, "kpp": 5, "old inn": 2143, "sign tools": total, "kc1": total,
		"identification": 213, "period": 767, "cdp": total - 7, "ocsp": 0, "aki issuer and serial": 2349,
		"postal address": 8, "path length 0": 2341, "no path length": 11,
	} {
		if n[what] != want {
			t.Errorf("%s: %d, want %d", what, n[what], want)
		}
	}
}

// TestCorpusSignatures verifies every certificate whose issuer is in the corpus,
// and sees that a flipped bit never verifies.
func TestCorpusSignatures(t *testing.T) {
	all := loadCorpus(t)
	byName := map[string][]*Certificate{}
	for _, c := range all.certs {
		byName[string(c.RawSubject)] = append(byName[string(c.RawSubject)], c)
	}
	verified, orphans := 0, 0
	for i, c := range all.certs {
		issuer := issuerOf(c, byName[string(c.RawIssuer)])
		expected := strings.HasPrefix(all.rows[i]["expected"], "VALID")
		switch {
		case issuer != nil:
			verified++
		case expected:
			t.Errorf("%s: no issuer verifies it, yet it is expected to be valid", all.rows[i]["sha1"])
		default:
			orphans++
		}
		if issuer != nil && i%50 == 0 {
			flip(t, c, issuer)
		}
	}
	t.Logf("%d signatures verified, %d certificates without an issuer", verified, orphans)
}

func issuerOf(c *Certificate, candidates []*Certificate) *Certificate {
	for _, issuer := range candidates {
		id := c.AuthorityKeyID.KeyID
		if id != nil && !bytes.Equal(id, issuer.SubjectKeyID) {
			continue
		}
		if c.CheckSignature(issuer.PublicKey) == nil {
			return issuer
		}
	}
	return nil
}

func flip(t *testing.T, c, issuer *Certificate) {
	t.Helper()
	spoiled := *c
	spoiled.Signature = bytes.Clone(c.Signature)
	spoiled.Signature[len(spoiled.Signature)/3] ^= 4
	if err := spoiled.CheckSignature(issuer.PublicKey); reason.Of(err) != reason.CertSignatureBad {
		t.Errorf("a flipped bit of the signature: %v", err)
	}
	spoiled.Signature, spoiled.RawTBS = c.Signature, bytes.Clone(c.RawTBS)
	spoiled.RawTBS[len(spoiled.RawTBS)/2] ^= 1
	if err := spoiled.CheckSignature(issuer.PublicKey); reason.Of(err) != reason.CertSignatureBad {
		t.Errorf("a flipped bit of the contents: %v", err)
	}
}

// TestOtherCertificates reads everything else that was collected: test
// certificates of other software, of version 1, with RSA, with test curves.
func TestOtherCertificates(t *testing.T) {
	files := 0
	for _, dir := range []string{"ca_certs/other", "ee_certs"} {
		err := filepath.WalkDir(samples.Path(t, "data", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files++
			c, err := ParseAny(raw)
			if err != nil {
				t.Errorf("%s: %v", path, err)
				return nil
			}
			if (c.PublicKey == nil) != (c.KeyError != nil) {
				t.Errorf("%s: key %v, error %v", path, c.PublicKey, c.KeyError)
			}
			if c.KeyError != nil {
				t.Logf("%s: %v", filepath.Base(path), c.KeyError)
			}
			if bytes.Equal(c.RawSubject, c.RawIssuer) && c.PublicKey != nil && strings.Contains(indexOf(t, path), "VALID self-signature") {
				if err := c.CheckSignature(c.PublicKey); err != nil {
					t.Errorf("%s: %v", path, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 100 {
		t.Errorf("only %d files", files)
	}
}

// indexOf returns the line of INDEX.tsv about a file.
func indexOf(t *testing.T, path string) string {
	t.Helper()
	index, err := os.ReadFile(samples.Path(t, "data", "INDEX.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(path)
	for line := range strings.Lines(string(index)) {
		if strings.Contains(line, name) {
			return line
		}
	}
	return ""
}
