//go:build !amd64 || purego

package streebog

// vectorBlocks is never called: there is no assembly here.
func vectorBlocks(_, _, _ *block, _ uint64, _ []byte) {
	panic("streebog: no assembly")
}
