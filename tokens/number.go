package tokens

import (
	"encoding/binary"
	"math"
	"runtime"
	"strconv"
)

// ulongSize is the size of CK_ULONG in bytes: 4 on Windows and on systems of 32 bits.
func ulongSize() int {
	if runtime.GOOS == "windows" {
		return 4
	}
	return strconv.IntSize / 8
}

// number writes a CK_ULONG as libraries have it in memory.
func number(n uint) []byte {
	if ulongSize() == 4 {
		return binary.NativeEndian.AppendUint32(nil, uint32(n))
	}
	return binary.NativeEndian.AppendUint64(nil, uint64(n))
}

// numberOf reads a CK_ULONG: 4 bytes on Windows, 8 elsewhere.
func numberOf(value []byte) uint {
	switch len(value) {
	case 4:
		return uint(binary.NativeEndian.Uint32(value))
	case 8:
		if n := binary.NativeEndian.Uint64(value); n <= math.MaxUint {
			return uint(n)
		}
	}
	return math.MaxUint // no number that means anything
}
