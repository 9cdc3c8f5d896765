package gost_test

import (
	"fmt"
	"os"

	"propusk/gost"
)

// The first thing that a program does.
func ExampleSelfTest() {
	if err := gost.SelfTest(); err != nil {
		fmt.Fprintln(os.Stderr, "do not use this program:", err)
		os.Exit(1)
	}
	fmt.Println("every primitive gives its known answer")
	// Output:
	// every primitive gives its known answer
}
