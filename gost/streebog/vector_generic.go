//go:build !amd64 || purego

package streebog

// These are never called: there is no assembly here.

func (d *digest) vectorBlocks([]byte) { panic("streebog: no assembly") }

func (d *digest) vectorFinish(*block, []byte, *block, int) { panic("streebog: no assembly") }

func vectorSums([][]byte, int, func(number int, h *block)) {
	panic("streebog: no assembly")
}
