//go:build !cgo

package softtest

// Cgo is whether this program can load libraries.
const Cgo = false
