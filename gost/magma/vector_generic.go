//go:build !amd64 || purego

package magma

// These do nothing, or are never called: there is no assembly here.

func (b *block) encryptVector([]byte, []byte) int { return 0 }

func (b *block) counterVector([]byte, []byte, uint64) int { return 0 }

func (b *block) chainVector([]byte, []byte) { panic("magma: no assembly") }

func (b *block) chainsVector([]byte, [][]byte) { panic("magma: no assembly") }
