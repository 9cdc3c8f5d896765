// Package adx says whether the assembly of gost3410 can run: it multiplies with the
// instructions MULX, ADCX and ADOX, which Intel has since Broadwell and AMD since
// Zen, and reads tables with AVX2. The build tag purego leaves all assembly out.
package adx

// Available reports whether the processor has what the assembly needs. It is always
// false where there is no assembly.
func Available() bool { return available() }

// Enabled decides which path is taken. It is a variable only so that tests can force
// the other path; nothing else may write to it.
var Enabled = Available()
