package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"propusk/certs/testpki"
	"propusk/certs/testpki/responder"
	"propusk/pki/cades"
	"propusk/pki/cms"
	"propusk/pki/tsp"
	"propusk/server/testgateway"
)

// stampPlace is signPlace with a country whose services answer, and its address.
func stampPlace(t *testing.T) string {
	t.Helper()
	t.Chdir(t.TempDir())
	var services http.Handler // made after the certificates, which name the address
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { services.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	country, err := testpki.New(testpki.Options{Now: time.Now(), BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	if err := country.WriteTo("country"); err != nil {
		t.Fatal(err)
	}
	m, err := testpki.ReadManifest("country")
	if err != nil {
		t.Fatal(err)
	}
	if services, err = responder.Open(m.In("country"), time.Now); err != nil {
		t.Fatal(err)
	}
	writeFile(t, "contract.txt", []byte("Договор вымышленный.\n"))
	return server.URL
}

// offline are the flags of verify with roots and the list, and no revocation data.
func offline() []string {
	trust := filepath.Join("country", "trust")
	return []string{
		"--tsl", filepath.Join(trust, "tsl.xml"), "--tsl-signer", filepath.Join(trust, "tsl-signers", "head-256.pem"),
		"--root", filepath.Join(trust, "roots", "head-256.pem"), "--root", filepath.Join(trust, "roots", "head-512.pem"),
	}
}

// verifies runs verify over a detached signature and looks for a level.
func verifies(t *testing.T, want int, level cms.Level, name string, flags ...string) {
	t.Helper()
	args := append(append([]string{"verify"}, flags...), "--content", "contract.txt", name)
	code, out, errs := propusk(nil, args...)
	if code != want || !strings.Contains(out, string(level)) {
		t.Errorf("%s: verify: exit code %d, want %d and %s: %s %s", name, code, want, level, out, errs)
	}
}

// TestSignStamp makes every level of files with the services of the country; verify
// and openssl agree that it is well done, and the long-term ones need no revocation
// data from elsewhere.
func TestSignStamp(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	url := stampPlace(t)
	trust := []string{"--trust", "country/trust"}
	online := append([]string{"--online", "--allow-private"}, trust...)
	for _, id := range []string{"ip", "ip512"} {
		for i, c := range []struct {
			level cms.Level
			flags []string
		}{
			{cms.BES, nil},
			{cms.T, []string{"-T", url + "/tsp"}},
			{cms.T, []string{"--tsa", url + "/tsp", "--level", "T"}},
			{cms.XLongType1, append([]string{"-T", url + "/tsp", "--level", "xlt1"}, trust...)},
			{cms.XLongType1, append([]string{"-T", url + "/tsp", "--level", "xlt1"}, online...)},
			{cms.LTA, append([]string{"-T", url + "/tsp", "--level", "lta"}, trust...)},
			{cms.LTA, append([]string{"-T", url + "/tsp", "--level", "lta"}, online...)},
		} {
			name := fmt.Sprintf("%s-%d.sig", id, i)
			code, out, errs := signAs(id, append(c.flags, "--out", name, "contract.txt")...)
			if code != exitYes || out != "" {
				t.Fatalf("%s: exit code %d: %s %s", name, code, out, errs)
			}
			verifies(t, exitYes, c.level, name, trust...)
			verifyByPeer(peer, id, name, "der")
			timeStampsByPeer(t, peer, name)
			without := exitIndeterminate // nothing says that the certificate was not revoked
			if c.level == cms.XLongType1 || c.level == cms.LTA {
				without = exitYes
			}
			verifies(t, without, c.level, name, offline()...)
		}
	}
}

// timeStampsByPeer fails the test if openssl does not accept a time-stamp of a
// signature.
func timeStampsByPeer(t *testing.T, peer *testgateway.OpenSSL, name string) {
	t.Helper()
	sd, err := cms.Parse(read(t, name))
	if err != nil {
		t.Fatal(err)
	}
	a, err := cades.Of(&sd.Signers[0], sd)
	if err != nil {
		t.Fatal(err)
	}
	for _, ts := range a.TimeStamps {
		writeFile(t, "token", ts.Raw)
		peer.Run(nil, "openssl", "ts", "-verify", "-digest", hex.EncodeToString(ts.Token.Digest.Hash), "-token_in", "-in", "token",
			"-CAfile", filepath.Join("country", "authorities", "head-256.pem"))
	}
}

// TestSignStampAdd adds a signature with a time-stamp to one without, in the encoding
// of the file.
func TestSignStampAdd(t *testing.T) {
	url := stampPlace(t)
	if code, _, errs := signAs("ip", "--base64", "contract.txt"); code != exitYes {
		t.Fatal(errs)
	}
	for id, level := range map[string]string{"ip512": "t", "fl": "xlt1", "ul": "lta"} {
		flags := []string{"-T", url + "/tsp", "--level", level, "--add-to", "contract.txt.sig", "contract.txt"}
		if level != "t" {
			flags = append([]string{"--trust", "country/trust"}, flags...)
		}
		if code, _, errs := signAs(id, flags...); code != exitYes {
			t.Fatalf("%s: %s", id, errs)
		}
	}
	sd, err := cms.Parse(read(t, "contract.txt.sig"))
	if err != nil {
		t.Fatal(err)
	}
	levels := make(map[cms.Level]int)
	for i := range sd.Signers {
		a, err := cades.Of(&sd.Signers[i], sd)
		if err != nil {
			t.Fatal(err)
		}
		levels[a.Level()]++
	}
	if len(levels) != 4 || levels[cms.BES] != 1 || levels[cms.T] != 1 || levels[cms.XLongType1] != 1 || levels[cms.LTA] != 1 {
		t.Errorf("levels %v", levels)
	}
	verifies(t, exitYes, cms.LTA, "contract.txt.sig", "--trust", "country/trust")
}

// TestSignStampRefused leaves no file behind when anything on the way fails.
func TestSignStampRefused(t *testing.T) {
	url := stampPlace(t)
	down := httptest.NewServer(nil)
	down.Close()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }))
	t.Cleanup(page.Close)
	away := httptest.NewServer(http.RedirectHandler(url+"/tsp", http.StatusTemporaryRedirect))
	t.Cleanup(away.Close)
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", tsp.ReplyType)
		_, _ = w.Write([]byte{0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02}) // status rejection, no reason
	}))
	t.Cleanup(refusing.Close)
	before := len(mustReadDir(t))
	for name, c := range map[string]struct {
		id    string
		flags []string
		code  int
		say   string
	}{
		"nobody there":         {"ip", []string{"-T", down.URL}, exitUsage, "time-stamp-unavailable"},
		"a page":               {"ip", []string{"-T", page.URL}, exitUsage, "time-stamp-unavailable"},
		"redirected":           {"ip", []string{"-T", away.URL}, exitUsage, "time-stamp-unavailable"},
		"refused":              {"ip", []string{"-T", refusing.URL}, exitNo, "time-stamp-refused"},
		"no address":           {"ip", []string{"-T", "tsa.example.test"}, exitUsage, "time-stamp-unavailable"},
		"revoked":              {"revoked", []string{"-T", url + "/tsp", "--level", "xlt1", "--trust", "country/trust"}, exitNo, "certificate-revoked"},
		"of an unknown CA":     {"unknown-ca", []string{"-T", url + "/tsp", "--level", "lta", "--trust", "country/trust"}, exitNo, "unknown-ca"},
		"no TSA":               {"ip", []string{"--level", "t"}, exitUsage, "--tsa is needed"},
		"TSA for nothing":      {"ip", []string{"--level", "bes", "-T", url + "/tsp"}, exitUsage, "leave --tsa out"},
		"unknown level":        {"ip", []string{"--level", "best", "-T", url + "/tsp"}, exitUsage, "none of bes"},
		"no trust":             {"ip", []string{"--level", "lta", "-T", url + "/tsp"}, exitUsage, "--trust is needed"},
		"trust for nothing":    {"ip", []string{"--trust", "country/trust"}, exitUsage, "xlt1 and lta only"},
		"trust that is absent": {"ip", []string{"--level", "lta", "-T", url + "/tsp", "--trust", "absent"}, exitUsage, "absent"},
	} {
		code, out, errs := signAs(c.id, append(c.flags, "contract.txt")...)
		if code != c.code || out != "" || !strings.Contains(errs, c.say) || strings.Contains(errs, "signed:") {
			t.Errorf("%s: exit code %d, want %d and %q: %s", name, code, c.code, c.say, errs)
		}
	}
	if after := mustReadDir(t); len(after) != before {
		t.Errorf("files were left: %v", after)
	}
}

func mustReadDir(t *testing.T) []os.DirEntry {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// TestServicesOpenSSL has openssl ask the services of the country: about revocation,
// and for a time-stamp.
func TestServicesOpenSSL(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	url := stampPlace(t)
	ca, root := filepath.Join("country", "authorities", "fns.pem"), filepath.Join("country", "authorities", "head-256.pem")
	for id, want := range map[string]string{"ip": "good", "revoked": "revoked"} {
		cert := filepath.Join("country", "people", id, "cert.pem")
		for _, digest := range []string{"-sha1", "-sha256", "-md_gost12_256"} {
			// That the signature is right, it says on standard error.
			out := peer.Run(nil, "sh", "-c", strings.Join([]string{
				"openssl ocsp", digest, "-issuer", ca, "-cert", cert, "-url", url + "/ocsp", "-CAfile", root, "-verify_other", ca, "2>&1",
			}, " "))
			if !strings.Contains(out, cert+": "+want) || !strings.Contains(out, "Response verify OK") {
				t.Errorf("%s, %s: %s", id, digest, out)
			}
		}
	}
	peer.Run(nil, "openssl", "ts", "-query", "-data", "contract.txt", "-md_gost12_256", "-cert", "-out", "query")
	query, err := os.Open("query")
	if err != nil {
		t.Fatal(err)
	}
	defer query.Close()
	response, err := http.Post(url+"/tsp", tsp.QueryType, query) //nolint:noctx // it ends with the server
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	reply, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, "reply", reply)
	peer.Run(nil, "openssl", "ts", "-verify", "-queryfile", "query", "-in", "reply", "-CAfile", root)
}
