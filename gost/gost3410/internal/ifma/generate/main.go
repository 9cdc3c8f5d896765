// Command generate writes the assembly of ifma. It is committed; a test runs the
// generator again and compares.
//
// Formulas are told in terms of field elements (point.go), which become instructions
// on limbs (field.go): every one of them is checked to overflow in no case, by the
// least and greatest number that every limb can be. The instructions are put into an
// order that keeps the processor busy (block.go), and then get registers (registers.go).
// There are no branches but the loop that counts, and no addresses but fixed ones.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	dir := flag.String("dir", ".", "the directory ifma")
	flag.Parse()
	for name, text := range render() {
		if err := os.WriteFile(filepath.Join(*dir, name), []byte(text), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "generate:", err)
			os.Exit(1)
		}
	}
}

// primes are those that there are routines for.
var primes = []struct {
	name, text string
	prime
}{
	{"256A", "2²⁵⁶ − 617", prime{256, 617}},
	{"256B", "2²⁵⁵ + 3225", prime{255, -3225}},
	{"512A", "2⁵¹² − 569", prime{512, 569}},
	{"512B", "2⁵¹¹ + 111", prime{511, -111}},
}

// render returns the generated files by their name.
func render() map[string]string {
	files := map[string]string{"lookup_amd64.s": lookups()}
	var all []glued
	for _, p := range primes {
		w := weierstrass(p.name, p.prime)
		for _, r := range w {
			files[fmt.Sprintf("p%s_%s_amd64.s", strings.ToLower(p.name), strings.ToLower(r.name))] = r.text
		}
		all = append(all, glued{p.name, p.text, w})
	}
	files["kernels_amd64.go"], files["kernels_generic.go"] = glue(all)
	return files
}
