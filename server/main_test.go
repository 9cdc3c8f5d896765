package server_test

import (
	"os"
	"testing"

	"propusk/server/testgateway"
	"propusk/tokens"
)

// TestMain lets the test binary be the process of a PKCS#11 library, and a gateway that can be
// killed, too.
func TestMain(m *testing.M) {
	tokens.ServeIfChild()
	testgateway.ServeIfChild()
	os.Exit(m.Run())
}
