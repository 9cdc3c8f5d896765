package selftest_test

import (
	"fmt"

	"propusk/gost/selftest"
)

// Before the first use of gost in a program.
func ExampleRun() {
	if err := selftest.Run(); err != nil {
		panic(err)
	}
	fmt.Println("every primitive gives its known answer")
	// Output:
	// every primitive gives its known answer
}
