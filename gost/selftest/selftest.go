// Package selftest checks every primitive of gost against a known answer: of the
// standards where they have one, else of gost-engine. It tells a sound build on
// a sound machine from a broken one; it is no proof of correctness, which is what
// the tests of the packages are for.
//
// What is tried is what the program would use: assembly where the processor and the
// build have it, and what runs beside it. On every curve a key is generated, signs, and
// verifies what it signed, the pairwise consistency test that others require for new
// keys. Signatures and tags that were changed must be refused.
package selftest

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
)

// check is one primitive and how to try it.
type check struct {
	name string
	run  func() error
}

// Run tries every primitive, in some 20 ms at first, when tables are made, and in some
// 8 ms later, and returns nil when all of them give their known answers. Otherwise the
// error names each primitive that does not; the program must not be used then. Run
// keeps no state and can be called at any time, by several goroutines too.
func Run() error {
	return run(symmetric, advanced, derivation, signatures, agreement, many)
}

func run(groups ...[]check) error {
	var errs []error
	for _, group := range groups {
		for _, c := range group {
			if err := c.run(); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", c.name, err))
			}
		}
	}
	return errors.Join(errs...)
}

// equal compares a result with the known answer in hexadecimal.
func equal(got []byte, want string) error {
	if !bytes.Equal(got, unhex(want)) {
		return fmt.Errorf("got %x, want %s", got, want)
	}
	return nil
}

// unhex decodes a constant of this package.
func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic("selftest: constant is not hexadecimal: " + s)
	}
	return b
}
