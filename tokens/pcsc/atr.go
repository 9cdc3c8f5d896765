package pcsc

import (
	"bytes"
	"errors"
	"math/bits"
	"slices"
)

// maxATR is the longest answer-to-reset, in bytes (ISO/IEC 7816-3, 8.2.1).
const maxATR = 33

// ErrATR says that bytes are no answer-to-reset.
var ErrATR = errors.New("pcsc: not an answer-to-reset")

// ATR is an answer-to-reset (ISO/IEC 7816-3, 8.2). The zero value is none.
type ATR struct {
	raw        []byte
	historical []byte
	protocols  []int
}

// ParseATR reads an answer-to-reset, all of it: what its first bytes announce must be
// there and nothing else, and the check byte must be right where there is one. The error
// is [ErrATR].
func ParseATR(b []byte) (ATR, error) {
	if len(b) < 2 || len(b) > maxATR || b[0] != 0x3B && b[0] != 0x3F {
		return ATR{}, ErrATR
	}
	a := ATR{raw: slices.Clone(b)}
	rest, offered, check := a.raw[2:], a.raw[1], false
	for offered&0xF0 != 0 {
		n := bits.OnesCount8(offered & 0xF0) // TA, TB, TC and TD of this round
		if len(rest) < n {
			return ATR{}, ErrATR
		}
		more := offered&0x80 != 0
		offered = rest[n-1] // TD, if there is one
		rest = rest[n:]
		if !more {
			break
		}
		protocol := int(offered & 0x0F)
		if protocol != 15 && !slices.Contains(a.protocols, protocol) { // 15 is no protocol
			a.protocols = append(a.protocols, protocol)
		}
		check = check || protocol != 0
	}
	if len(a.protocols) == 0 {
		a.protocols = []int{0}
	}
	n := int(a.raw[1] & 0x0F)
	if len(rest) < n {
		return ATR{}, ErrATR
	}
	a.historical, rest = rest[:n:n], rest[n:]
	if !check {
		if len(rest) != 0 {
			return ATR{}, ErrATR
		}
		return a, nil
	}
	var sum byte
	for _, v := range a.raw[1:] {
		sum ^= v
	}
	if len(rest) != 1 || sum != 0 {
		return ATR{}, ErrATR
	}
	return a, nil
}

// Bytes returns the answer as it came.
func (a ATR) Bytes() []byte { return slices.Clone(a.raw) }

// Protocols returns the transmission protocols that the card offers, T=0 and T=1 by
// their numbers.
func (a ATR) Protocols() []int { return slices.Clone(a.protocols) }

// Historical returns the bytes that a vendor may write what it likes into.
func (a ATR) Historical() []byte { return slices.Clone(a.historical) }

// Text returns the historical bytes as a text, if they are one: "Rutoken DS".
func (a ATR) Text() string {
	text := bytes.TrimSpace(bytes.Trim(a.historical, "\x00"))
	for _, c := range text {
		if c < ' ' || c > '~' {
			return ""
		}
	}
	return string(text)
}
