package main

import (
	"bytes"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls"
	"propusk/gost/internal/engine"
	"propusk/gost/spki"
)

func TestRows(t *testing.T) {
	names := map[string]bool{}
	for _, r := range allRows() {
		if names[r.name()] {
			t.Errorf("two rows %q", r.name())
		}
		names[r.name()] = true
		if !r.suite.isGOST() {
			continue
		}
		id, err := r.suite.id()
		if err != nil || !strings.HasPrefix(gosttls.CipherSuiteName(id), "TLS_GOSTR341112_256_WITH_") {
			t.Errorf("%q: suite %#04x, %v", r.name(), id, err)
		}
		if r.suite.isTLS13() == (r.suite.engineName() != "") {
			t.Errorf("%q: for nginx it is %q", r.name(), r.suite.engineName())
		}
	}
}

func TestTable(t *testing.T) {
	rows := []*row{
		{kind: full, suite: "C100", key: "256-A", ours: []float64{500, 400, 600}, nginx: []float64{100, 100, 100}, ratios: []float64{5, 4, 6}},
		{kind: bulk, suite: "C105", key: "256-A", ours: []float64{2e8}},
		{kind: full, suite: aes13, key: "P-256", nginx: []float64{1500}},
	}
	var out bytes.Buffer
	if err := printTable(&out, rows); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"KUZNYECHIK_CTR_OMAC, 256-A  500", "5.00x (4.00-6.00)", "KUZNYECHIK_MGM_S, 256-A", "200.0", "TLS 1.3 with P-256, P-256", "1500",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}

// The server checks the client against its CA: signature and time.
func TestCheckLeaf(t *testing.T) {
	engine.Require(t)
	dir := t.TempDir()
	if err := makeCertificates(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	der := func(side, name string) []byte {
		data, err := os.ReadFile(certFile(dir, side, name))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(data)
		return block.Bytes
	}
	cache := gost3410.NewKeyCache(16)
	for _, k := range keyKinds() {
		if k.name == "P-256" {
			continue
		}
		ca, err := spki.FromCertificate(der("ca", k.ca))
		if err != nil {
			t.Fatal(err)
		}
		leaf, now := der("client", k.name), time.Now()
		if err := checkLeaf(leaf, ca.Key, cache, now); err != nil {
			t.Errorf("%s: %v", k.name, err)
		}
		if checkLeaf(leaf, ca.Key, cache, now.AddDate(0, 2, 0)) == nil || checkLeaf(leaf, ca.Key, cache, now.AddDate(0, -1, 0)) == nil {
			t.Errorf("%s: valid at any time", k.name)
		}
		bad := bytes.Clone(leaf)
		bad[len(bad)-1] ^= 1
		if checkLeaf(bad, ca.Key, cache, now) == nil {
			t.Errorf("%s: a changed signature is valid", k.name)
		}
		for n := range leaf {
			if checkLeaf(leaf[:n], ca.Key, cache, now) == nil {
				t.Fatalf("%s: %d of %d bytes are valid", k.name, n, len(leaf))
			}
		}
	}
}

// The whole command, for a moment: it prints a figure of each server in every row. Not
// without being asked: what it measures depends on the machine.
func TestCommand(t *testing.T) {
	if os.Getenv("PROPUSK_TIMING") != "1" {
		t.Skip("PROPUSK_TIMING=1 runs the benchmark for a moment")
	}
	engine.Require(t)
	if _, err := exec.LookPath("nginx"); err != nil {
		if _, err := exec.LookPath("/usr/sbin/nginx"); err != nil {
			t.Skip("no nginx (Debian: nginx-light)")
		}
	}
	if _, err := processorTime(os.Getpid()); err != nil {
		t.Skip(err)
	}
	program := filepath.Join(t.TempDir(), "tlsbench")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), program, "-rounds", "1", "-time", "50ms", "-connections", "2",
		"-match", "(full|again|resumed) C100 256-A|bulk C102 256-A").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := strings.Count(string(out), "x ("); n != 4 {
		t.Errorf("%d ratios, want 4:\n%s", n, out)
	}
}
