// Package avx512 says whether the assembly of gost can run: AVX-512 with the byte
// permutations of VBMI and the bit matrices of GFNI, which Intel has since Ice Lake
// and AMD since Zen 4. The build tag purego leaves all assembly out.
package avx512

// Available reports whether the processor and the operating system have what the
// assembly needs. It is always false where there is no assembly.
func Available() bool { return available() }

// Enabled decides which path is taken. It is a variable only so that tests can force
// the other path; nothing else may write to it.
var Enabled = Available()
