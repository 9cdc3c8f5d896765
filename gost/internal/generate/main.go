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
	"strings"
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

// render returns the generated files by their path. Every function has a file of its
// own: together they would be too long to look at.
func render() map[string]string {
	files := map[string]string{}
	for pkg, text := range map[string]string{
		"gost28147":  gost28147(),
		"mgm":        mgm(),
		"magma":      magma(),
		"kuznyechik": kuznyechik(),
		"streebog":   streebog(),
	} {
		head, functions := split(text)
		for name, function := range functions {
			files[pkg+"/"+pkg+"_"+strings.ToLower(name)+"_amd64.s"] = head + function
		}
	}
	return files
}

// functionMark is what every function begins with.
const functionMark = "\n// func "

// split returns the head of a file and its functions by their names.
func split(text string) (head string, functions map[string]string) {
	parts := strings.Split(text, functionMark)
	functions = map[string]string{}
	for _, body := range parts[1:] {
		name, _, _ := strings.Cut(body, "(")
		functions[name] = functionMark + body
	}
	return parts[0], functions
}
