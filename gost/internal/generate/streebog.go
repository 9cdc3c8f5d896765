package main

import "fmt"

// Registers of streebog.
const (
	streebogScratch  reg = 8  // 8-13
	streebogBox      reg = 16 // 16-19: the substitution
	streebogSpread   reg = 20 // 20-23: the order of bytes of each turn
	streebogMatrices reg = 24 // 24-31: the matrices of each turn, for both halves of the sum
)

// A streebogLane is a message and its registers. All blocks are kept transposed, as 8x8
// bytes, because that is how the linear transformation leaves them; see
// streebogTransform.
type streebogLane struct {
	job, p                    string // registers that point to the job and to its next block
	hash, message, key, state reg
}

// streebog returns the assembly of package streebog, for one message, for two and for four
// at once. The keys and the state of the compression function depend on each other only
// in one direction, so that the processor works on a round of both at once; a second
// message fills the time that is left; and four can be taken apart in a better way.
func streebog() string {
	a := newFile()
	lanes := []streebogLane{{"AX", "SI", 0, 1, 2, 3}, {"BX", "DI", 4, 5, 6, 7}}
	streebogOne(a, lanes[0])
	streebogTwo(a, lanes)
	streebogFour(a)
	return a.String()
}

// streebogConstant is the iteration constant with a number, from 0 on.
func streebogConstant(i int) string { return fmt.Sprintf("transposed_constants+%d(DX)", 64*i) }

// streebogOne writes the function for one message: it does several jobs, one after the
// other, and takes the keys of the first block from a table if there is one.
func streebogOne(a *asm, l streebogLane) {
	a.function("compress1", "(dst *block, jobs *job, t *transposed, count int, first *keySchedule)", 0, 40)
	a.Printf("\tMOVQ dst+0(FP), R15\n\tMOVQ jobs+8(FP), %s\n\tMOVQ t+16(FP), DX\n", l.job)
	a.Printf("\tMOVQ count+24(FP), R13\n\tMOVQ first+32(FP), R14\n")
	a.Printf("\tMOVQ job_h(%s), R8\n", l.job)
	streebogTranspose(a, "0(R8)", l.hash)
	streebogTables(a)
	a.label("job")
	a.Printf("\tMOVQ job_p(%s), %s\n\tMOVQ job_blocks(%s), CX\n", l.job, l.p, l.job)
	a.op("TESTQ", "R14", "R14")
	a.op("JZ", "next")

	l.load(a, "uncounted1")
	a.op("VPXORQ", "0(R14)", l.message, l.state)
	a.op("MOVQ", "$12", "R11")
	a.label("known")
	a.op("ADDQ", "$64", "R14")
	streebogTransform(a, l.state, "0(R14)")
	a.op("DECQ", "R11")
	a.op("JNZ", "known")
	a.op("XORQ", "R14", "R14")
	a.op("JMP", "done")

	a.label("next")
	l.load(a, "uncounted2")
	streebogCompress(a, []streebogLane{l})
	a.label("done")
	a.op("VPTERNLOGQ", xorXor, l.state, l.message, l.hash)
	a.op("DECQ", "CX")
	a.op("JNZ", "next")
	a.Printf("\tADDQ $job__size, %s\n", l.job)
	a.op("DECQ", "R13")
	a.op("JNZ", "job")
	streebogTranspose(a, l.hash, l.hash)
	a.op("VMOVDQU64", l.hash, "0(R15)")
	a.end()
}

// streebogTwo writes the function for count blocks of two messages.
func streebogTwo(a *asm, lanes []streebogLane) {
	a.function("compress2", "(a, b *job, t *transposed, count int)", 0, 32)
	for i, l := range lanes {
		a.Printf("\tMOVQ %c+%d(FP), %s\n", 'a'+i, 8*i, l.job)
	}
	a.Printf("\tMOVQ t+16(FP), DX\n\tMOVQ count+24(FP), CX\n")
	streebogTables(a)
	for _, l := range lanes {
		a.Printf("\tMOVQ job_p(%s), %s\n\tMOVQ job_h(%s), R8\n", l.job, l.p, l.job)
		streebogTranspose(a, at("R8", 0), l.hash)
	}
	a.label("next")
	for _, l := range lanes {
		l.load(a, "uncounted"+l.job)
	}
	streebogCompress(a, lanes)
	for _, l := range lanes {
		a.op("VPTERNLOGQ", xorXor, l.state, l.message, l.hash)
	}
	a.op("DECQ", "CX")
	a.op("JNZ", "next")
	for _, l := range lanes {
		a.Printf("\tMOVQ job_h(%s), R8\n", l.job)
		streebogTranspose(a, l.hash, l.hash)
		a.op("VMOVDQU64", l.hash, at("R8", 0))
	}
	a.end()
}

// streebogTables loads the tables.
func streebogTables(a *asm) {
	for i := range reg(4) {
		a.Printf("\tVMOVDQU64 transposed_substitution+%d(DX), %v\n", 64*i, streebogBox+i)
		a.Printf("\tVMOVDQU64 transposed_spread+%d(DX), %v\n", 64*i, streebogSpread+i)
	}
	for i := range reg(8) {
		a.Printf("\tVMOVDQU64 transposed_matrices+%d(DX), %v\n", 64*i, streebogMatrices+i)
	}
}

// streebogCompress is the transformation E of RFC 6986, Section 8, with the key schedule.
func streebogCompress(a *asm, lanes []streebogLane) {
	for _, l := range lanes {
		a.op("VPXORQ", l.hash, l.key, l.key)
		// The key has the constant of the next round in it, and the state has the key.
		streebogTransform(a, l.key, streebogConstant(0))
		a.op("VPXORQ", l.key, l.message, l.state)
		a.op("VPXORQ", streebogConstant(0), l.state, l.state)
	}
	for i := range 12 {
		for _, l := range lanes {
			streebogTransform(a, l.key, streebogConstant(i+1))
		}
		for _, l := range lanes {
			streebogTransform(a, l.state, streebogConstant(i+1), l.key)
		}
	}
}

// streebogTranspose transposes a block.
func streebogTranspose(a *asm, from any, to reg) {
	a.op("VMOVDQU64", "transposed_transpose(DX)", streebogScratch)
	a.op("VPERMB", from, streebogScratch, to)
}

// load takes n and a block of the message, and adds the block to sigma and the length to
// n while the vector unit is at work, unless there is no sigma. Nothing waits for the sums
// before the next block.
func (l streebogLane) load(a *asm, label string) {
	streebogJob(a, l.job)
	streebogTranspose(a, at("R8", 0), l.key)
	streebogTranspose(a, at(l.p, 0), l.message)
	streebogCount(a, l.p, label)
	a.op("ADDQ", "$64", l.p)
}

// streebogJob loads the pointers of a job.
func streebogJob(a *asm, job string) {
	for _, p := range [][2]string{{"n", "R8"}, {"sigma", "R9"}, {"length", "R10"}} {
		a.Printf("\tMOVQ job_%s(%s), %s\n", p[0], job, p[1])
	}
}

// streebogCount adds the block at p to sigma and the length to n, if there is a sigma.
func streebogCount(a *asm, p, label string) {
	a.op("TESTQ", "R9", "R9")
	a.op("JZ", label)
	for i := range 8 {
		add := "ADCQ"
		if i == 0 {
			add = "ADDQ"
		}
		a.op("MOVQ", at(p, 8*i), "R11")
		a.op(add, "R11", at("R9", 8*i))
	}
	a.op("ADDQ", "R10", at("R8", 0))
	for i := 1; i < 8; i++ {
		a.op("ADCQ", "$0", at("R8", 8*i))
	}
	a.label(label)
}

// streebogTransform replaces x with L(P(S(x))), and adds plus. Word i of the result takes
// byte i of every word, so P gives to L bytes j of all words as the word j of the
// transposed block. Byte o of the results is the sum of eight such words, each times its
// own 8x8 bits of the matrix, which VGF2P8AFFINEQB multiplies by: the words o to o+3,
// turned to the place o by VPERMB, and the words o+4 to o+7, added at the place o+4 and
// turned as a sum. All results make a block of which word o has bytes o of every word:
// transposed again.
func streebogTransform(a *asm, x reg, plus ...any) {
	const sum = streebogScratch
	// S: two look-ups in 128 entries by seven bits; the eighth selects.
	a.op("VPMOVB2M", x, "K1")
	a.op("VMOVDQA64", x, sum)
	a.op("VPERMI2B", streebogBox+1, streebogBox, sum)
	a.op("VPERMI2B", streebogBox+3, streebogBox+2, x)
	a.op("VPBLENDMB", x, sum, "K1", sum)
	streebogLinear(a, x, plus...)
}

// streebogLinear sets x to L(P(y)), where y is in the first register of scratch, and adds
// plus.
func streebogLinear(a *asm, x reg, plus ...any) {
	const sum, y, z = streebogScratch, streebogScratch + 1, streebogScratch + 2
	turn := [4]reg{x, z + 1, z + 2, z + 3}
	for d, r := range turn {
		a.op("VPERMB", sum, streebogSpread+reg(d), r)
	}
	multiply := func(m reg, from, to reg) { a.op("VGF2P8AFFINEQB", "$0", streebogMatrices+m, from, to) }
	multiply(4, turn[0], sum)
	multiply(5, turn[1], y)
	multiply(6, turn[2], z)
	a.op("VPTERNLOGQ", xorXor, y, z, sum)
	multiply(7, turn[3], y)
	a.op("VPXORQ", y, sum, sum)
	a.op("VSHUFI64X2", "$0x4e", sum, sum, sum)
	for d, r := range turn {
		multiply(reg(d), r, r)
	}
	a.op("VPTERNLOGQ", xorXor, turn[1], turn[2], x)
	switch len(plus) {
	case 1:
		a.op("VPXORQ", plus[0], turn[3], turn[3])
	case 2:
		a.op("VPTERNLOGQ", xorXor, plus[0], plus[1], turn[3])
	}
	a.op("VPTERNLOGQ", xorXor, turn[3], sum, x)
}
