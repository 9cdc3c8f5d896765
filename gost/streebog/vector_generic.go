//go:build !amd64 || purego

package streebog

// vectorBlocks and vectorSums are never called: there is no assembly here.

func vectorBlocks(_, _, _ *block, _ uint64, _ []byte) {
	panic("streebog: no assembly")
}

func vectorSums([][]byte, int, func(number int, h *block)) {
	panic("streebog: no assembly")
}
