//go:build unix

package browsertest

import "testing"

// TestStepUp goes through the cabinet and its services in both languages: in by password, to a
// service that wants a key, which really signs, and out, here and from afar.
func TestStepUp(t *testing.T) {
	t.Parallel()
	_, in := newPeople(t, "ip", "ip512")
	Run(t, "stepup", in)
}
