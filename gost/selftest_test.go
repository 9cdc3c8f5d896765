package gost

import "testing"

func TestSelfTest(t *testing.T) {
	if err := SelfTest(); err != nil {
		t.Fatal(err)
	}
	// The tests allocate; what they said is only read.
	if n := testing.AllocsPerRun(10, func() { _ = SelfTest() }); n != 0 {
		t.Errorf("the second time: %v allocations", n)
	}
}
