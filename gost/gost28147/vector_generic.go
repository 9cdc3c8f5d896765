//go:build !amd64 || purego

package gost28147

// These do nothing, or are never called: there is no assembly here.

type nibbles struct{}

func (*nibbles) fill(*SBox) {}

func (s *SBox) cryptVector(*order, uint64) uint64 { panic("gost28147: no assembly") }

func (s *SBox) encryptFourVector(*FourKeys, *[4]uint64) { panic("gost28147: no assembly") }

func (s *SBox) meshVector(*Key) { panic("gost28147: no assembly") }

func (c *cnt) directVector(_, _ []byte) int { return 0 }

func (c *cnt) refillVector() { panic("gost28147: no assembly") }

func (h *imit) mixVector([]byte) { panic("gost28147: no assembly") }
