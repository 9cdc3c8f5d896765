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
func scan10(point, table *lanes, scalars *byte, shift uint64, l *layout)

//go:noescape
func scan20(point, table *lanes, scalars *byte, shift uint64, l *layout)

//go:noescape
func scan16(point, table *lanes, scalars *byte, shift uint64, l *layout)

//go:noescape
func permute(z, x *lanes, count int, index *lanes)
