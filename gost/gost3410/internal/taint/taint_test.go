//go:build amd64

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// declassified are the functions that may branch on secrets, and what they find out.
var declassified = map[string]string{
	"propusk/gost/gost3410.NewPrivateKey":             "whether the number is in range: otherwise there is no key",
	"propusk/gost/gost3410.newPrivateKey":             "that a public key is not infinity: it never is",
	"propusk/gost/gost3410.(*nonceSource).next":       "whether a nonce is in range: otherwise it is thrown away",
	"propusk/gost/gost3410.(*Curve).sign":             "that k·G is not infinity, and r and s not zero: they never are",
	"propusk/gost/gost3410.(*PrivateKey).SharedPoint": "that the point is not infinity: it is only for a UKM of zero",
}

// tables are packages that look secrets up in tables where valgrind runs, which knows
// no AVX-512; package gost tells.
var tables = []string{"propusk/gost/streebog."}

// TestTaint: nothing but what is declassified branches on a secret or uses one in an
// address, in portable Go and in assembly.
func TestTaint(t *testing.T) {
	valgrind, err := exec.LookPath("valgrind")
	switch {
	case err == nil:
	case os.Getenv("PROPUSK_REQUIRE_INTEROP") == "1":
		t.Fatal("valgrind is not installed, and PROPUSK_REQUIRE_INTEROP=1")
	default:
		t.Skip("valgrind is not installed")
	}
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	for name, tags := range map[string]string{"portable": "valgrind,purego", "adx": "valgrind"} {
		t.Run(name, func(t *testing.T) {
			program := filepath.Join(t.TempDir(), "taint")
			if out, err := exec.Command("go", "build", "-tags", tags, "-o", program, ".").CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var report, said bytes.Buffer
			// Go's heap is not one that a search for leaks understands, and with a
			// collector there would be reports of its own work.
			cmd := exec.Command(valgrind, "--leak-check=no", "--error-limit=no", "--num-callers=12", program, name)
			cmd.Env = append(os.Environ(), "GOGC=off")
			cmd.Stdout, cmd.Stderr = &said, &report
			if err := cmd.Run(); err != nil || !strings.Contains(said.String(), "done") {
				t.Fatalf("%v\n%s", err, report.Bytes()[max(0, report.Len()-4096):])
			}
			readReport(t, report.String())
		})
	}
}

// complaint is an error of memcheck; the function where it happened is on its second
// line.
var complaint = regexp.MustCompile(`(?m)^==\d+== (Conditional jump[^\n]*|Use of uninit[^\n]*)\n==\d+==    at 0x[0-9A-F]+: (\S+) (\([^)]*\))`)

// ours reports whether the function is of this module. The subroutines of assembly
// have no package in their names; those of the runtime are in asm_amd64.s.
func ours(function, where string) bool {
	return strings.HasPrefix(function, "propusk/") || !strings.Contains(function, ".") && !strings.HasPrefix(where, "(asm_amd64.s:")
}

func readReport(t *testing.T, report string) {
	leakSeen, seen := false, map[string]bool{}
	for _, m := range complaint.FindAllStringSubmatch(report, -1) {
		what, function, where := m[1], m[2], m[3]
		switch {
		case function == "main.leak":
			leakSeen = true
		case !ours(function, where):
			// The Go runtime does things of its own with memory that nobody wrote.
		case slices.ContainsFunc(tables, func(prefix string) bool { return strings.HasPrefix(function, prefix) }):
		case declassified[function] != "":
			seen[function] = true
		default:
			t.Errorf("%s: %s %s", what, function, where)
		}
	}
	for function := range declassified {
		if !seen[function] {
			t.Errorf("%s was not reported: its name has changed, or it need not be in the list", function)
		}
	}
	if !leakSeen {
		t.Errorf("the leak on purpose was not reported:\n%s", report)
	}
}
