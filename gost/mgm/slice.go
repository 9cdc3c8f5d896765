package mgm

import "unsafe"

// extend returns dst with n bytes more, and these bytes.
func extend(dst []byte, n int) (whole, tail []byte) {
	total := len(dst) + n
	if cap(dst) >= total {
		whole = dst[:total]
	} else {
		whole = make([]byte, total)
		copy(whole, dst)
	}
	return whole, whole[len(dst):]
}

// checkOverlap panics unless out is where in is, or shares no memory with it, and
// shares none with the associated data, which is read after out was written.
func checkOverlap(out, in, additionalData []byte) {
	if overlap(out, in) && &out[0] != &in[0] {
		panic("mgm: invalid buffer overlap of output and input")
	}
	if overlap(out, additionalData) {
		panic("mgm: invalid buffer overlap of output and additional data")
	}
}

// overlap reports whether x and y share memory.
func overlap(x, y []byte) bool {
	if len(x) == 0 || len(y) == 0 {
		return false
	}
	firstX, firstY := uintptr(unsafe.Pointer(&x[0])), uintptr(unsafe.Pointer(&y[0]))
	return firstX < firstY+uintptr(len(y)) && firstY < firstX+uintptr(len(x))
}
