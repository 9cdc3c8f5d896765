//go:build !cgo

package tokens

import "propusk/pki/reason"

func load(string) (library, error) { return nil, reason.New(reason.TokenSupportMissing, nil) }

func number(uint) []byte { return nil }

func numberOf([]byte) uint { return 0 }
