package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/pkcs8"
	"propusk/gost/spki"
	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/server/testgateway"
)

// signPlace is a directory with a demo country and documents, where the test is.
func signPlace(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	if code, out, errs := propusk(nil, "pki", "init", "country"); code != exitYes {
		t.Fatal(out, errs)
	}
	writeFile(t, "contract.txt", []byte("Договор вымышленный.\n"))
	writeFile(t, "other.txt", []byte("Другой договор.\n"))
}

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// signAs signs as a person of the country and returns the exit code and what was
// printed.
func signAs(id string, args ...string) (code int, stdout, stderr string) {
	person := filepath.Join("country", "people", id)
	return propusk(nil, append([]string{
		"sign", "--key", filepath.Join(person, "key.pem"), "--cert", filepath.Join(person, "cert.pem"),
	}, args...)...)
}

// mustVerify checks a file with our own verify.
func mustVerify(t *testing.T, want int, args ...string) {
	t.Helper()
	code, out, errs := propusk(nil, append([]string{"verify", "--trust", "country/trust"}, args...)...)
	if code != want || want == exitYes && !strings.Contains(out, "CAdES-BES") {
		t.Errorf("verify %q: exit code %d, want %d: %s %s", args, code, want, out, errs)
	}
}

// TestSign signs in every form; verify and openssl agree that it is well done.
func TestSign(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	signPlace(t)
	for _, id := range []string{"ip", "ip512", "ul"} {
		for _, form := range []string{"der", "pem", "base64"} {
			for _, place := range []string{"attach", "detached"} {
				name := id + "-" + place + "." + form
				code, out, errs := signAs(id, "--"+form, "--"+place, "--out", name, "contract.txt")
				if code != exitYes || out != "" || !strings.Contains(errs, "signed: "+name) || strings.Contains(errs, "Warning") {
					t.Fatalf("%s: exit code %d: %s %s", name, code, out, errs)
				}
				args, wrong := []string{name}, []string{"--content", "other.txt", name}
				if place == "detached" {
					args = []string{"--content", "contract.txt", name}
				}
				mustVerify(t, exitYes, args...)
				mustVerify(t, exitNo, wrong...)
				if form != "base64" {
					verifyByPeer(peer, id, name, form)
				}
			}
		}
	}
}

// verifyByPeer fails the test if openssl does not accept a signature.
func verifyByPeer(peer *testgateway.OpenSSL, id, name, form string) {
	peer.Run(nil, "openssl", "cms", "-verify", "-cades", "-binary", "-in", name, "-inform", strings.ToUpper(form),
		"-content", "contract.txt", "-out", os.DevNull, "-purpose", "any", "-partial_chain",
		"-CAfile", filepath.Join("country", "people", id, "cert.pem"))
}

// TestSignNames: where the signature goes, and how it is encoded.
func TestSignNames(t *testing.T) {
	signPlace(t)
	if code, _, errs := signAs("ip", "contract.txt"); code != exitYes {
		t.Fatal(errs)
	}
	first := read(t, "contract.txt.sig")
	mustVerify(t, exitYes, "--content", "contract.txt", "contract.txt.sig")
	if code, _, errs := signAs("ip", "contract.txt"); code != exitUsage || !strings.Contains(errs, "the file exists") {
		t.Errorf("exit code %d: %s", code, errs)
	}
	if !bytes.Equal(read(t, "contract.txt.sig"), first) {
		t.Error("a signature was overwritten")
	}
	code, out, errs := signAs("ip", "--pem", "--out", "-", "contract.txt")
	if code != exitYes || errs != "" {
		t.Fatal(code, errs)
	}
	if block, rest := pem.Decode([]byte(out)); block == nil || block.Type != "CMS" || len(rest) != 0 {
		t.Errorf("no PEM: %q", out)
	}
	code, out, errs = signAs("ip", "--base64", "--out", "-", "contract.txt")
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(out, "\n"))
	if _, bad := cms.Parse(raw); code != exitYes || err != nil || bad != nil {
		t.Errorf("no base64: %v %v %s", err, bad, errs)
	}
	if code, _, _ := signAs("ip", "--out", "absent/contract.sig", "contract.txt"); code != exitUsage {
		t.Errorf("a directory that is not there: exit code %d", code)
	}
	if code, _, _ := signAs("ip", "absent.txt"); code != exitUsage {
		t.Errorf("no document: exit code %d", code)
	}
	if code, _, _ := signAs("ip", "country"); code != exitUsage {
		t.Errorf("the document is a directory: exit code %d", code)
	}
	noLitter(t, "contract.txt", "contract.txt.sig", "country", "other.txt")
}

// noLitter checks that the place has these files and no others.
func noLitter(t *testing.T, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		have = append(have, e.Name())
	}
	if strings.Join(have, " ") != strings.Join(want, " ") {
		t.Errorf("files %q, want %q", have, want)
	}
}

// TestSignTime claims the time that it is told, or none.
func TestSignTime(t *testing.T) {
	signPlace(t)
	claimed := func(args ...string) (time.Time, bool) {
		t.Helper()
		code, out, errs := signAs("ip", append(args, "--attach", "--out", "-", "contract.txt")...)
		if code != exitYes {
			t.Fatal(errs)
		}
		sd, err := cms.Parse([]byte(out))
		if err != nil {
			t.Fatal(err)
		}
		return sd.Signers[0].SigningTime()
	}
	before := time.Now().Truncate(time.Second)
	if at, ok := claimed(); !ok || at.Before(before) || at.After(time.Now()) {
		t.Errorf("now is claimed to be %v", at)
	}
	if at, ok := claimed("--no-time"); ok {
		t.Errorf("%v is claimed", at)
	}
	want := before.Add(-time.Hour).In(time.FixedZone("MSK", 3*60*60))
	if at, ok := claimed("--time", want.Format(time.RFC3339)); !ok || !at.Equal(want) {
		t.Errorf("%v is claimed, want %v", at, want)
	}
	code, _, errs := signAs("ip", "--time", "1999-12-31T23:59:59Z", "contract.txt")
	if code != exitNo || !strings.Contains(errs, "certificate-not-yet-valid") {
		t.Errorf("a time before the certificate: exit code %d: %s", code, errs)
	}
}

// TestSignRefuses: who may not sign gets a reason and no file.
func TestSignRefuses(t *testing.T) {
	signPlace(t)
	for id, reason := range map[string]string{"expired": "certificate-expired", "notyet": "certificate-not-yet-valid"} {
		code, out, errs := signAs(id, "contract.txt")
		if code != exitNo || out != "" || !strings.Contains(errs, reason) {
			t.Errorf("%s: exit code %d: %s", id, code, errs)
		}
	}
	now := time.Now()
	for name, v := range map[string]struct {
		change func(*gostx509.Template)
		reason string
	}{
		"agreement": {func(c *gostx509.Template) { c.KeyUsage = gostx509.KeyUsageKeyAgreement }, "key-usage-unsuitable"},
		"period over": {func(c *gostx509.Template) {
			c.PrivateKeyUsage = gostx509.PrivateKeyUsage{NotBefore: now.Add(-2 * time.Hour), NotAfter: now.Add(-time.Hour)}
		}, "key-period-over"},
		"period to come": {func(c *gostx509.Template) {
			c.PrivateKeyUsage = gostx509.PrivateKeyUsage{NotBefore: now.Add(time.Hour), NotAfter: now.Add(2 * time.Hour)}
		}, "key-period-not-started"},
	} {
		writeSigner(t, now, v.change)
		code, out, errs := propusk(nil, "sign", "--key", "key.pem", "--cert", "cert.pem", "contract.txt")
		if code != exitNo || out != "" || !strings.Contains(errs, v.reason) || !strings.Contains(strings.ToLower(errs), "ключ") {
			t.Errorf("%s: exit code %d: %s", name, code, errs)
		}
	}
	noLitter(t, "cert.pem", "contract.txt", "country", "key.pem", "other.txt")
}

// writeSigner writes a key and a certificate that is good but for a change.
func writeSigner(t *testing.T, now time.Time, change func(*gostx509.Template)) {
	t.Helper()
	key, err := gost3410.GenerateKey(gost3410.TC26256A(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := gostx509.Template{
		Subject:   gostx509.Name{{Type: gostx509.OIDCommonName, Text: "Подписант Вымышленный"}},
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0), MaxPathLen: -1,
	}
	change(&template)
	cert, err := gostx509.Create(nil, template, nil, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := pkcs8.Marshal(key, spki.DefaultAlgorithm(gost3410.TC26256A()))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
	writeFile(t, "cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
}

// TestSignAdd lets a second person sign what the first one signed, in every form.
func TestSignAdd(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	signPlace(t)
	for _, form := range []string{"der", "pem", "base64"} {
		for _, place := range []string{"attach", "detached"} {
			name := place + "." + form
			if code, _, errs := signAs("ip", "--"+form, "--"+place, "--out", name, "contract.txt"); code != exitYes {
				t.Fatal(errs)
			}
			if err := os.Chmod(name, 0o640); err != nil {
				t.Fatal(err)
			}
			first := read(t, name)
			wrong := map[string]string{"attach": "content-mismatch", "detached": "content-changed"}[place]
			if code, _, errs := signAs("ul", "--add-to", name, "other.txt"); code != exitNo || !strings.Contains(errs, wrong) {
				t.Errorf("%s, another document: exit code %d: %s", name, code, errs)
			}
			if code, _, errs := signAs("ul", "--add-to", "other.txt", "other.txt"); code != exitUsage || !strings.Contains(errs, "signature-malformed") {
				t.Errorf("no signature: exit code %d: %s", code, errs)
			}
			args := []string{"--add-to", name}
			if place == "detached" {
				if code, _, errs := signAs("ul", args...); code != exitUsage {
					t.Errorf("no document: exit code %d: %s", code, errs)
				}
				args = append(args, "contract.txt")
			}
			if code, _, errs := signAs("ip", args...); code != exitNo || !strings.Contains(errs, "signed-already") {
				t.Errorf("the same person: exit code %d: %s", code, errs)
			}
			if !bytes.Equal(read(t, name), first) {
				t.Error("what was refused changed the file")
			}
			if code, _, errs := signAs("ul", args...); code != exitYes {
				t.Fatalf("exit code %d: %s", code, errs)
			}
			checkBoth(t, peer, name, form, place)
		}
	}
}

// checkBoth checks a file that two people signed.
func checkBoth(t *testing.T, peer *testgateway.OpenSSL, name, form, place string) {
	t.Helper()
	file := read(t, name)
	if encodingOf(file) != map[string]encoding{"der": asDER, "pem": asPEM, "base64": asBase64}[form] {
		t.Errorf("%s: in another encoding", name)
	}
	sd, err := cms.Parse(file)
	if err != nil || len(sd.Signers) != 2 || sd.Detached != (place == "detached") {
		t.Fatalf("%s: %v", name, err)
	}
	if info, err := os.Stat(name); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o640 {
		t.Errorf("%s: mode %v", name, info.Mode())
	}
	if place == "detached" {
		mustVerify(t, exitYes, "--content", "contract.txt", name)
	} else {
		mustVerify(t, exitYes, name)
	}
	if form == "base64" {
		return
	}
	people := filepath.Join("country", "people")
	writeFile(t, "both.pem", append(read(t, filepath.Join(people, "ip", "cert.pem")), read(t, filepath.Join(people, "ul", "cert.pem"))...))
	peer.Run(nil, "openssl", "cms", "-verify", "-cades", "-binary", "-in", name, "-inform", strings.ToUpper(form),
		"-content", "contract.txt", "-out", os.DevNull, "-purpose", "any", "-partial_chain", "-CAfile", "both.pem")
}

// TestSignInputs: standard input for the document, the key or the signature; keys
// in other encodings; certificates of CAs.
func TestSignInputs(t *testing.T) {
	signPlace(t)
	person := filepath.Join("country", "people", "ip")
	key, cert := filepath.Join(person, "key.pem"), filepath.Join(person, "cert.pem")
	code, _, errs := propusk(read(t, "contract.txt"), "sign", "--key", key, "--cert", cert, "--out", "one.sig", "-")
	if code != exitYes {
		t.Fatal(errs)
	}
	mustVerify(t, exitYes, "--content", "contract.txt", "one.sig")
	if code, _, errs := propusk(read(t, key), "sign", "--key", "-", "--cert", cert, "--out", "two.sig", "contract.txt"); code != exitYes {
		t.Fatal(errs)
	}
	mustVerify(t, exitYes, "--content", "contract.txt", "two.sig")

	block, _ := pem.Decode(read(t, key))
	writeFile(t, "key.der", bytes.Clone(block.Bytes))
	writeFile(t, "key.txt", []byte(base64.StdEncoding.EncodeToString(block.Bytes)))
	for _, name := range []string{"key.der", "key.txt"} {
		if code, _, errs := propusk(nil, "sign", "--key", name, "--cert", cert, "--out", name+".sig", "contract.txt"); code != exitYes {
			t.Errorf("%s: %s", name, errs)
		}
	}
	code, out, errs := propusk(nil, "sign", "--key", key, "--cert", cert, "--chain", cert, "--chain", "country/people/ul/cert.pem", "--out", "-", "contract.txt")
	sd, err := cms.Parse([]byte(out))
	if code != exitYes || err != nil || len(sd.Certificates) != 2 {
		t.Errorf("with certificates: %v %s", err, errs)
	}
}

// TestSignLarge: what verify would not read is not written, in whatever encoding.
func TestSignLarge(t *testing.T) {
	signPlace(t)
	large, err := os.Create("large")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(large.Truncate(cms.MaxSize*4/5), large.Close()); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := signAs("ip", "--attach", "--base64", "large"); code != exitUsage || !strings.Contains(errs, "signature-too-large") {
		t.Errorf("base64: exit code %d: %s", code, errs)
	}
	noLitter(t, "contract.txt", "country", "large", "other.txt")
	if code, _, errs := signAs("ip", "--attach", "large"); code != exitYes {
		t.Errorf("DER: exit code %d: %s", code, errs)
	}
}

// TestSignKeyMode warns of a key that others can read, and signs.
func TestSignKeyMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes of files mean nothing here")
	}
	signPlace(t)
	if err := os.Chmod("country/people/ip/key.pem", 0o640); err != nil {
		t.Fatal(err)
	}
	code, _, errs := signAs("ip", "contract.txt")
	if code != exitYes || !strings.Contains(errs, "chmod 600 country/people/ip/key.pem") || !strings.Contains(errs, "Внимание") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// TestSignTorn: a document that cannot be read to its end leaves no file.
func TestSignTorn(t *testing.T) {
	signPlace(t)
	torn := errors.New("torn")
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{
		"sign", "--key", "country/people/ip/key.pem", "--cert", "country/people/ip/cert.pem", "--out", "torn.sig", "-",
	}, iotest.ErrReader(torn), &out, &errs)
	if code != exitUsage || !strings.Contains(errs.String(), "torn") {
		t.Errorf("exit code %d: %s", code, &errs)
	}
	noLitter(t, "contract.txt", "country", "other.txt")
}
