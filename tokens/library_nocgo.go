//go:build !cgo

package tokens

import "propusk/pki/reason"

func load(string) (library, error) { return nil, reason.New(reason.TokenSupportMissing, nil) }
