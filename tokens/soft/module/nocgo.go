//go:build !cgo || !unix

// Command module is a PKCS#11 library of soft tokens; without cgo, or on Windows,
// there is none.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "libpropusksoft is a PKCS#11 library for Unix systems and needs cgo: build it with CGO_ENABLED=1 go build -buildmode=c-shared")
	os.Exit(3)
}
