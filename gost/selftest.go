package gost

import (
	"sync"

	"propusk/gost/selftest"
)

// once runs the tests at the first call and remembers the outcome.
var once = sync.OnceValue(selftest.Run)

// SelfTest checks every primitive of gost against a known answer, once in the life of
// the process, which takes some 20 ms, and returns the same outcome ever after. A
// program calls it before it uses anything else of gost, and does not go on when there
// is an error: the processor, the memory or the build is broken, and the error names
// the primitives. It is safe for concurrent use. To test again, see [selftest.Run].
func SelfTest() error { return once() }
