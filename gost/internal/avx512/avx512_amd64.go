//go:build !purego

package avx512

import "golang.org/x/sys/cpu"

func available() bool {
	x := &cpu.X86
	return x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX512VBMI && x.HasAVX512GFNI
}
