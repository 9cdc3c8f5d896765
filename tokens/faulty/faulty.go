// Package faulty gives tests a PKCS#11 library that crashes, hangs or lies: a small C
// library of our own, which does what another one does but for one fault.
package faulty

import (
	"crypto/sha256"
	_ "embed" // the source of the library
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"propusk/tokens/soft/softtest"
)

//go:embed testdata/faulty.c
var source []byte

// Fault is what a library is to do wrong: in which function (C_Sign), what, and with
// what. The zero value is no fault.
//
// Of every function: "crash", "exit", "hang", "print", "daemon" (leaves a process behind); "rv" with a CK_RV that it returns
// without doing anything, and "after" with one that it returns when it has done it. Of
// some: lies, see testdata/faulty.c.
type Fault struct{ Function, What, Value string }

func (f Fault) String() string {
	s := f.Function + ":" + f.What
	if f.Value != "" {
		s += ":" + f.Value
	}
	return s
}

// Library is the library with a fault.
type Library struct {
	Path        string   // for tokens.Open
	Environment []string // for tokens.Environment
	Log         string   // a file with a line for each C_Login
}

// New builds the library, over the one of soft tokens with a directory of them. With
// once the fault happens once, in whatever process; otherwise always. The test is
// skipped without a C compiler, unless PROPUSK_REQUIRE_INTEROP is 1.
func New(t testing.TB, tokens string, f Fault, once bool) Library {
	t.Helper()
	inner := softtest.Module(t)
	dir := t.TempDir()
	l := Library{Path: build(t), Log: filepath.Join(dir, "log")}
	l.Environment = []string{
		softtest.Environment + "=" + tokens,
		"PROPUSK_FAULTY_MODULE=" + inner,
		"PROPUSK_FAULTY_LOG=" + l.Log,
	}
	if f != (Fault{}) {
		l.Environment = append(l.Environment, "PROPUSK_FAULTY="+f.String())
	}
	if once {
		l.Environment = append(l.Environment, "PROPUSK_FAULTY_ONCE="+filepath.Join(dir, "once"))
	}
	return l
}

// build compiles the library, once for each version of its source, beside the library
// of soft tokens. Whoever is second puts the same in its place.
func build(t testing.TB) string {
	t.Helper()
	sum := sha256.Sum256(source)
	out := filepath.Join(filepath.Dir(softtest.Module(t)), "faulty-"+hex.EncodeToString(sum[:8])+".so")
	if _, err := os.Stat(out); err == nil {
		return out
	}
	dir := t.TempDir()
	c := filepath.Join(dir, "faulty.c")
	if err := os.WriteFile(c, source, 0o600); err != nil {
		t.Fatal(err)
	}
	// Beside the place where it belongs: a name changes within a file system only.
	fresh, err := os.CreateTemp(filepath.Dir(out), "faulty-")
	if err != nil {
		t.Fatal(err)
	}
	if err := fresh.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), softtest.Compiler(), "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-o", fresh.Name(), c, "-ldl")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the faulty library: %v\n%s", err, said)
	}
	if err := os.Rename(fresh.Name(), out); err != nil {
		t.Fatal(err)
	}
	return out
}
