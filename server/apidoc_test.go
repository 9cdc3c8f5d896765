package server_test

import (
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"propusk/gost/streebog"
	"propusk/pki/cms"
	"propusk/server/apikey"
	"propusk/server/config"
	"propusk/server/testgateway"
)

// TestAPIDocument runs the commands of docs/API.md as they stand. Each must print what
// the comment behind it promises.
func TestAPIDocument(t *testing.T) {
	for _, program := range []string{"bash", "curl", "openssl", "base64"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	key, digest := apikey.New()
	g := testgateway.Start(t, func(g *testgateway.Gateway) {
		g.Config.API.Keys = []config.APIKey{{ID: "docs", SHA256: hex.EncodeToString(digest[:])}}
	})
	text, err := os.ReadFile("../docs/API.md")
	if err != nil {
		t.Fatal(err)
	}
	document := []byte("Договор № 1\n")
	dir := signedFiles(t, g, document)
	sum := streebog.Sum256(document)
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)\n# prints: (.*?)\n```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 10 || len(blocks) != strings.Count(string(text), "```sh\n") {
		t.Fatalf("%d commands with what they print", len(blocks))
	}
	for _, block := range blocks {
		cmd := exec.Command("bash", "-euo", "pipefail", "-c", block[1])
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GATEWAY="+g.Config.Public.URL, "KEY="+key, "STREEBOG="+hex.EncodeToString(sum[:]), "CURL_CA_BUNDLE="+g.Path("tls/ca.pem"))
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), block[2]) {
			t.Errorf("%s\n%v, does not print %q:\n%s", block[1], err, block[2], out)
		}
	}
	if metrics := g.Get(g.Browser(), g.Admin()+"/metrics").Text; !strings.Contains(metrics, `propusk_api_requests_total{key="docs",result="ok"} 1`) ||
		!strings.Contains(metrics, `propusk_api_requests_total{key="",result="api-key-unknown"} 1`) || !strings.Contains(metrics, `propusk_api_bytes_total{key="docs"}`) {
		t.Errorf("the metrics do not tell:\n%s", metrics)
	}
	if strings.Contains(g.Log.String(), key) || strings.Contains(g.Log.String(), "propusk_mistyped") {
		t.Error("a key is in the log")
	}
}

// signedFiles writes the files that the document speaks of, and returns where.
func signedFiles(t *testing.T, g *testgateway.Gateway, document []byte) (dir string) {
	t.Helper()
	p := g.Country.Person("ip")
	by := cms.Signatory{Key: p.Key, Certificate: p.Certificate, Time: g.Clock()}
	detached, err := cms.CreateDetached(nil, strings.NewReader(string(document)), by)
	if err != nil {
		t.Fatal(err)
	}
	attached, err := cms.Create(nil, document, by)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for name, data := range map[string][]byte{"doc.txt": document, "doc.txt.sig": detached, "attached.p7s": attached, "person.cer": p.Certificate.Raw} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
