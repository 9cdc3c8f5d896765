// Command generate writes the assembly of gost for amd64 with AVX-512, VBMI and
// GFNI. The files it writes are committed; a test runs it again and compares.
//
// The assembly holds no tables: those are computed in Go, in the packages, and
// handed over. It has no branch and no address that depends on data or keys: look-ups
// are permutations of bytes inside registers, so it runs in constant time.
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"
)

//go:generate go run . -dir ../..

func main() {
	log.SetFlags(0)
	log.SetPrefix("generate: ")
	dir := flag.String("dir", ".", "the directory gost")
	flag.Parse()
	for name, text := range render() {
		if err := os.WriteFile(filepath.Join(*dir, name), []byte(text), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// render returns the generated files by their path.
func render() map[string]string {
	return map[string]string{
		"gost28147/gost28147_amd64.s":   gost28147(),
		"mgm/mgm_amd64.s":               mgm(),
		"magma/magma_amd64.s":           magma(),
		"kuznyechik/kuznyechik_amd64.s": kuznyechik(),
		"streebog/streebog_amd64.s":     streebog(),
	}
}
