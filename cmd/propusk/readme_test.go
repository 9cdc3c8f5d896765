package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"propusk/pki/cms"
	"propusk/server/testgateway"
)

// tour returns the shell commands of "A two-minute tour" in README.md.
func tour(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)### A two-minute tour.*?```sh\n(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatal("README.md has no tour")
	}
	return string(block[1])
}

// TestTour runs the commands of README.md as they stand, with other ports and
// places, and looks for what they promise.
func TestTour(t *testing.T) {
	testgateway.NewOpenSSL(t) // or skip
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin", "propusk")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	d := startDemo(t, filepath.Join(dir, "var", "demo"), freePorts(t))

	script := regexp.MustCompile(`127\.0\.0\.1:844(\d)`).ReplaceAllStringFunc(tour(t), func(s string) string {
		return fmt.Sprintf("127.0.0.1:%d", d.base+int(s[len(s)-1]-'0'))
	})
	script = strings.ReplaceAll(script, "/tmp/", dir+"/")
	// A curl that cannot connect must say so; propusk says no to one certificate.
	script = strings.ReplaceAll(script, "curl -s", "curl -sS")
	script = strings.ReplaceAll(script, "terminated-ca/cert.pem\n", "terminated-ca/cert.pem || [ $? = 1 ]\n")
	cmd := exec.Command("bash", "-euc", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"Здравствуйте, Примеров Пример Примерович!",
		"certificate-revoked",
		"Подпись действительна.",
		`"conclusion":"TOTAL-PASSED"`,
		"ca-not-accredited",
		"подписан / signed by",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the tour does not show %q", want)
		}
	}
	signed, err := os.ReadFile(filepath.Join(dir, "doc.p7s"))
	if err != nil {
		t.Fatal(err)
	}
	if file, err := cms.Parse(signed); err != nil || len(file.Signers) != 2 {
		t.Errorf("the tour ends with a file that has not two signers: %v", err)
	}
	if t.Failed() {
		t.Logf("%s", out)
	}
}
