//go:build !purego

package ifma

import "golang.org/x/sys/cpu"

func available() bool {
	x := &cpu.X86
	return x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512IFMA && x.HasAVX512VBMI2
}

//go:noescape
func gather(point, table *lanes, scalars *byte, shift uint64, l *layout)

//go:noescape
func scan8(point, table *lanes, scalars *byte, shift uint64, l *layout)

//go:noescape
func scan16(point, table *lanes, scalars *byte, shift uint64, l *layout)

//go:noescape
func permute(z, x *lanes, count int, index *lanes)

// kernels256A are the routines of the prime 2²⁵⁶ − 617.
var kernels256A = kernels{
	mul: mul256A, squareTimes: squareTimes256A, double: double256A, add: add256A, addAffine: addAffine256A,
	addCommon: addCommon256A, start: start256A, chain: chain256A, scale: scale256A, setAffine: setAffine256A,
}

//go:noescape
func mul256A(z, x, y *lanes)

//go:noescape
func squareTimes256A(x *lanes, times int)

//go:noescape
func double256A(a *lanes, times int)

//go:noescape
func add256A(a, b *lanes)

//go:noescape
func addAffine256A(a, b, negative *lanes)

//go:noescape
func addCommon256A(a, b, z, negative *lanes)

//go:noescape
func start256A(twice, table, factor, a *lanes)

//go:noescape
func chain256A(sum, d, factor, t *lanes)

//go:noescape
func scale256A(t, z, factor *lanes)

//go:noescape
func setAffine256A(a, b, negative *lanes)

// kernels512A are the routines of the prime 2⁵¹² − 569.
var kernels512A = kernels{
	mul: mul512A, squareTimes: squareTimes512A, double: double512A, add: add512A, addAffine: addAffine512A,
	addCommon: addCommon512A, start: start512A, chain: chain512A, scale: scale512A, setAffine: setAffine512A,
}

//go:noescape
func mul512A(z, x, y *lanes)

//go:noescape
func squareTimes512A(x *lanes, times int)

//go:noescape
func double512A(a *lanes, times int)

//go:noescape
func add512A(a, b *lanes)

//go:noescape
func addAffine512A(a, b, negative *lanes)

//go:noescape
func addCommon512A(a, b, z, negative *lanes)

//go:noescape
func start512A(twice, table, factor, a *lanes)

//go:noescape
func chain512A(sum, d, factor, t *lanes)

//go:noescape
func scale512A(t, z, factor *lanes)

//go:noescape
func setAffine512A(a, b, negative *lanes)
