package selftest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mutantMain is a program that prints the names of the checks that fail.
const mutantMain = `package main

import (
	"fmt"
	"strings"

	"propusk/gost"
)

func main() {
	if err := gost.SelfTest(); err != nil {
		for line := range strings.Lines(err.Error()) {
			name, _, _ := strings.Cut(line, ": ")
			fmt.Println(name)
		}
	}
}
`

// mutation is a mistake in a source file below gost: old, which must be there once, is
// replaced by new.
type mutation struct{ file, old, new string }

// TestMutants builds programs with mistakes in primitives, and wants gost.SelfTest to
// name exactly the ones that are wrong.
func TestMutants(t *testing.T) {
	if testing.Short() {
		t.Skip("building takes seconds")
	}
	for _, mutant := range []struct {
		name      string
		mutations []mutation
		want      []string
	}{
		{"none", nil, nil},
		{"ciphers of 64 bits, keys", []mutation{
			{"magma/magma.go", "{12, 4, 6, 2,", "{4, 12, 6, 2,"},
			{"gost28147/meshing.go", `"\x69\x00\x72\x22`, `"\x69\x00\x72\x23`},
			{"gostr341194/gostr341194.go", "0xff0000ff00ffff00", "0xff0000ff00ffff01"},
			{"kdf/tlstree.go", `"level1", "level2"`, `"level2", "level1"`},
		}, []string{
			"GOST R 34.11-94", "Magma", "Magma CTR", "Magma OMAC", "Magma CTR-ACPKM", "Magma MGM", "Magma OMAC-ACPKM", "GOST 28147-89 CNT",
			"GOST 28147-89 IMIT", "TLSTREE, Kuznyechik in TLS 1.3", "TLSTREE, Magma in TLS 1.3", "TLSTREE, Kuznyechik", "TLSTREE, Magma",
			"KExp15, Magma", "Magma MGM, long message",
		}},
		{"modes", []mutation{
			{"modes/ctr.go", "key[i] = byte(0x80 + i)", "key[i] = byte(0x81 + i)"},
			{"keywrap/keywrap.go", "subtle.ConstantTimeCompare(tag, k.appendTag(nil, secret)) != 1", "subtle.ConstantTimeCompare(tag, k.appendTag(nil, secret)) > 1"},
			{"gost3410/public.go", "return n, inRange(q, n.s) && inRange(q, n.r)", "n.e = scalar.Nat{1}; return n, inRange(q, n.s) && inRange(q, n.r)"},
		}, []string{
			"Kuznyechik CTR-ACPKM", "Magma CTR-ACPKM", "Kuznyechik OMAC-ACPKM", "Magma OMAC-ACPKM", "KExp15, Kuznyechik", "KExp15, Magma",
			"GOST R 34.10-2012, CryptoPro-A", "GOST R 34.10-2012, CryptoPro-B", "GOST R 34.10-2012, CryptoPro-C",
			"GOST R 34.10-2012, tc26-256-A", "GOST R 34.10-2012, tc26-512-A", "GOST R 34.10-2012, tc26-512-B", "GOST R 34.10-2012, tc26-512-C",
			"GOST R 34.10-2012, many signatures, CryptoPro-A", "GOST R 34.10-2012, many signatures, CryptoPro-B",
			"GOST R 34.10-2012, many signatures, tc26-512-A", "GOST R 34.10-2012, many signatures, tc26-512-B",
			"GOST R 34.10-2012, a key that comes back, CryptoPro-A", "GOST R 34.10-2012, a key that comes back, tc26-256-A",
		}},
		{"Streebog", []mutation{{"streebog/constants.go", "0x8e20faa72ba0b470", "0x8e20faa72ba0b471"}}, []string{
			"Streebog-256", "Streebog-512", "Streebog, several messages", "KDF", "KDF_TREE", "PRF", "TLSTREE, Kuznyechik in TLS 1.3",
			"TLSTREE, Magma in TLS 1.3", "TLSTREE, Kuznyechik", "TLSTREE, Magma", "VKO-256", "VKO-512", "KEG-256", "KEG-512",
			"GOST R 34.10-2012, CryptoPro-A", "GOST R 34.10-2012, CryptoPro-B", "GOST R 34.10-2012, CryptoPro-C",
			"GOST R 34.10-2012, tc26-256-A", "GOST R 34.10-2012, tc26-512-A", "GOST R 34.10-2012, tc26-512-B", "GOST R 34.10-2012, tc26-512-C",
			"GOST R 34.10-2012, many signatures, CryptoPro-A", "GOST R 34.10-2012, many signatures, CryptoPro-B",
			"GOST R 34.10-2012, many signatures, tc26-512-A", "GOST R 34.10-2012, many signatures, tc26-512-B",
			"GOST R 34.10-2012, a key that comes back, CryptoPro-A", "GOST R 34.10-2012, a key that comes back, tc26-256-A",
		}},
	} {
		t.Run(mutant.name, func(t *testing.T) {
			got := slices.Collect(strings.SplitSeq(runMutant(t, mutant.mutations), "\n"))
			got = got[:len(got)-1] // a line ends with a newline
			slices.Sort(got)
			slices.Sort(mutant.want)
			if !slices.Equal(got, mutant.want) {
				t.Errorf("SelfTest names\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(mutant.want, "\n"))
			}
		})
	}
}

// runMutant builds and runs a program with the mistakes in it, without assembly, whose
// constants are elsewhere.
func runMutant(t *testing.T, mutations []mutation) string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	replace := map[string]string{}
	put := func(path, text string) {
		replace[path] = filepath.Join(dir, fmt.Sprintf("%d.go", len(replace)))
		if err := os.WriteFile(replace[path], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(filepath.Join(root, "internal", "mutant", "main.go"), mutantMain)
	for _, m := range mutations {
		path := filepath.Join(root, filepath.FromSlash(m.file))
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), m.old); n != 1 {
			t.Fatalf("%s has %q %d times", m.file, m.old, n)
		}
		put(path, strings.Replace(string(text), m.old, m.new, 1))
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file, program := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "mutant")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-tags", "purego", "-overlay", file, "-o", program, "./internal/mutant")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	out, err := exec.Command(program).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
