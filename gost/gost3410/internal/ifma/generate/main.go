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
	"log"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("generate: ")
	dir := flag.String("dir", ".", "the directory ifma")
	flag.Parse()
	for name, text := range render() {
		if err := os.WriteFile(filepath.Join(*dir, name), []byte(text), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// render returns the generated files by their name.
func render() map[string]string {
	files := map[string]string{"lookup_amd64.s": lookups()}
	for _, c := range []struct {
		name string
		p    prime
	}{
		{"256A", prime{256, 617}},
		{"512A", prime{512, 569}},
	} {
		for name, text := range weierstrass(c.name, c.p) {
			files[fmt.Sprintf("p%s_%s_amd64.s", strings.ToLower(c.name), strings.ToLower(name))] = text
		}
	}
	return files
}
