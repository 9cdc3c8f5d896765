package server_test

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"propusk/pki/reason"
	"propusk/server/testgateway"
)

// TestChallengeDocument: the tests and the reasons that docs/CHALLENGE.md names exist, and
// its commands print what they promise.
func TestChallengeDocument(t *testing.T) {
	raw, err := os.ReadFile("../docs/CHALLENGE.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	var tests strings.Builder
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "signrequest/signrequest_test.go", "signrequest/text_test.go", "challenge/state_test.go", "challenge/order_test.go") {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(source)
	}
	named := regexp.MustCompile(`Test[A-Z]\w+`).FindAllString(text, -1)
	for _, name := range named {
		if !strings.Contains(tests.String(), "func "+name+"(t *testing.T)") {
			t.Errorf("there is no %s", name)
		}
	}
	codes := regexp.MustCompile("`((?:challenge|sign-request|signing-order|signin|signature|signer)-[a-z-]+)`").FindAllStringSubmatch(text, -1)
	for _, code := range codes {
		if _, ok := reason.Lookup(reason.Code(code[1])); !ok {
			t.Errorf("there is no reason %s", code[1])
		}
	}
	if len(named) < 20 || len(codes) < 20 {
		t.Errorf("%d tests and %d reasons", len(named), len(codes))
	}
	for _, program := range []string{"bash", "curl", "sed", "tee"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	g := testgateway.Start(t, testgateway.WithChallenge)
	dir := t.TempDir()
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)\n# prints: (.*?)\n```").FindAllStringSubmatch(text, -1)
	if len(blocks) != 2 || len(blocks) != strings.Count(text, "```sh\n") {
		t.Fatalf("%d commands with what they print", len(blocks))
	}
	for _, block := range blocks {
		cmd := exec.Command("bash", "-euo", "pipefail", "-c", block[1])
		cmd.Dir = dir
		cmd.Env = append(slices.Clone(os.Environ()), "GATEWAY="+g.Config.Public.URL, "REDIRECT="+testgateway.Callback,
			"CLIENT="+testgateway.ClientID+":"+url.QueryEscape(testgateway.ClientSecret), "CURL_CA_BUNDLE="+g.Path("tls/ca.pem"))
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), block[2]) {
			t.Errorf("%s\n%v, does not print %q:\n%s", block[1], err, block[2], out)
		}
	}
}
