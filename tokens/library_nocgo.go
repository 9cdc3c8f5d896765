//go:build !cgo

package tokens

import "propusk/pki/reason"

// cgo is whether libraries can be loaded.
const cgo = false

func load(string) (library, error) { return nil, reason.New(reason.TokenSupportMissing, nil) }
