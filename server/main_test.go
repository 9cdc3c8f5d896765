package server_test

import (
	"os"
	"testing"

	"propusk/tokens"
)

// TestMain lets the test binary be the process of a PKCS#11 library too.
func TestMain(m *testing.M) {
	tokens.ServeIfChild()
	os.Exit(m.Run())
}
