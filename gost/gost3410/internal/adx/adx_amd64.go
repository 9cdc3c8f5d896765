//go:build !purego

package adx

import "golang.org/x/sys/cpu"

func available() bool { return cpu.X86.HasBMI2 && cpu.X86.HasADX && cpu.X86.HasAVX2 }
