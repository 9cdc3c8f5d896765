// Package conformance is one suite of tests for every library that package tokens
// drives: soft tokens, their PKCS#11 library, OpenSC with a card, SoftHSM.
package conformance

import (
	"testing"

	"propusk/tokens"
)

// Backend is a library with a token, and what it is to be able to do.
type Backend struct {
	Name   string
	Module *tokens.Module
	Token  string // label
	PIN    string
}

// Run tests a back end.
func Run(t *testing.T, b Backend) {
	t.Helper()
	if _, err := b.Module.Find(b.Token); err != nil {
		t.Fatal(err)
	}
}
