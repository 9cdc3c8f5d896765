//go:build !amd64 || purego

package adx

func available() bool { return false }
