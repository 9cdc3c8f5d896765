//go:build cgo && unix

package conformance_test

import (
	"testing"

	"propusk/tokens"
	"propusk/tokens/conformance"
	"propusk/tokens/soft/softtest"
)

// Their PKCS#11 library, in a process of its own.
func TestSoftLibrary(t *testing.T) {
	library := softtest.Module(t)
	conformance.Run(t, softTokens(t, "library", func(dir string) (*tokens.Module, error) {
		return tokens.Open(library, tokens.Environment(softtest.Environment+"="+dir))
	}))
}
