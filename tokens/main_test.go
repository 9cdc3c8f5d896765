package tokens

import (
	"os"
	"testing"
)

// TestMain lets the test binary be the process of a library too.
func TestMain(m *testing.M) {
	ServeIfChild()
	os.Exit(m.Run())
}
