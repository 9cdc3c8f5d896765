//go:build !amd64 || purego

package kuznyechik

// These do nothing, or are never called: there is no assembly here.

func (b *block) encryptVector([]byte, []byte) int { return 0 }

func (b *block) counterVector([]byte, []byte, uint64, uint64) int { return 0 }

func (b *block) chainVector([]byte, []byte) { panic("kuznyechik: no assembly") }

func (b *block) expandVector(vector, vector) { panic("kuznyechik: no assembly") }

func (b *block) feed() {}

func (b *block) chainsVector([]byte, [][]byte) { panic("kuznyechik: no assembly") }
