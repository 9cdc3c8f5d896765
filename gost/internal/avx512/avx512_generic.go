//go:build !amd64 || purego

package avx512

func available() bool { return false }
