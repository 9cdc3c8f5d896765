//go:build !amd64 || purego

package vector

func available() bool { return false }
