package main

import "fmt"

// Registers of streebog. All blocks are kept transposed, as 8x8 bytes, because that is
// how the linear transformation leaves them; see streebogTransform.
const (
	streebogHash    reg = 0
	streebogMessage reg = 1
	streebogKey     reg = 2
	streebogState   reg = 3
	streebogScratch reg = 4 // 4-9, and 10-15 for the other transformation of a round

	streebogBox      reg = 16 // 16-19: the substitution
	streebogSpread   reg = 20 // 20-23: the order of bytes of each turn
	streebogMatrices reg = 24 // 24-31: the matrices of each turn, for both halves of the sum
)

// streebog returns the assembly of package streebog: one message, block by block. The
// keys and the state of the compression function depend on each other only in one
// direction, so that the processor works on a round of both at once.
func streebog() string {
	constant := func(i int) string { return fmt.Sprintf("transposed_constants+%d(DX)", 64*i) }
	a := newFile()
	a.function("compressBlocks", "(h, n, sigma *block, bits uint64, t *transposed, p *byte, count int)", 0, 56)
	for i, r := range []string{"AX", "BX", "CX", "R8", "DX", "SI", "DI"} {
		name := []string{"h", "n", "sigma", "bits", "t", "p", "count"}[i]
		a.Printf("\tMOVQ %s+%d(FP), %s\n", name, 8*i, r)
	}
	for i := range reg(4) {
		a.Printf("\tVMOVDQU64 transposed_substitution+%d(DX), %v\n", 64*i, streebogBox+i)
	}
	for i := range reg(4) {
		a.Printf("\tVMOVDQU64 transposed_spread+%d(DX), %v\n", 64*i, streebogSpread+i)
	}
	for i := range reg(8) {
		a.Printf("\tVMOVDQU64 transposed_matrices+%d(DX), %v\n", 64*i, streebogMatrices+i)
	}
	streebogTranspose(a, at("AX", 0), streebogHash)

	a.label("next")
	streebogTranspose(a, at("BX", 0), streebogKey)
	streebogTranspose(a, at("SI", 0), streebogMessage)
	streebogAdd(a)
	a.op("VPXORQ", streebogHash, streebogKey, streebogKey)
	// The key has the constant of the next round in it, and the state has the key.
	streebogTransform(a, streebogKey, streebogScratch, constant(0))
	a.op("VPXORQ", streebogKey, streebogMessage, streebogState)
	a.op("VPXORQ", constant(0), streebogState, streebogState)
	for i := range 12 {
		next := constant(i + 1)
		streebogTransform(a, streebogKey, streebogScratch, next)
		streebogTransform(a, streebogState, streebogScratch+6, next, streebogKey)
	}
	a.op("VPTERNLOGQ", xorXor, streebogState, streebogMessage, streebogHash)
	a.op("ADDQ", "$64", "SI")
	a.op("DECQ", "DI")
	a.op("JNZ", "next")
	a.op("VMOVDQU64", "transposed_transpose(DX)", streebogScratch)
	a.op("VPERMB", streebogHash, streebogScratch, streebogHash)
	a.op("VMOVDQU64", streebogHash, at("AX", 0))
	a.end()
	return a.String()
}

// streebogTranspose loads a block.
func streebogTranspose(a *asm, from string, to reg) {
	a.op("VMOVDQU64", "transposed_transpose(DX)", streebogScratch)
	a.op("VPERMB", from, streebogScratch, to)
}

// streebogAdd adds the message block to sigma and bits to n, while the vector unit is
// at work. Nothing waits for the sums before the next block.
func streebogAdd(a *asm) {
	for i := range 8 {
		add := "ADCQ"
		if i == 0 {
			add = "ADDQ"
		}
		a.op("MOVQ", at("SI", 8*i), "R9")
		a.op(add, "R9", at("CX", 8*i))
	}
	a.op("ADDQ", "R8", at("BX", 0))
	for i := 1; i < 8; i++ {
		a.op("ADCQ", "$0", at("BX", 8*i))
	}
}

// streebogTransform replaces x with L(P(S(x))), and adds plus. Word i of the result takes byte i of every word, so P gives to L bytes j of
// all words as the word j of the transposed block. Byte o of the results is the sum of
// eight such words, each times its own 8x8 bits of the matrix, which VGF2P8AFFINEQB
// multiplies by: the words o to o+3, turned to the place o by VPERMB, and the words o+4
// to o+7, added at the place o+4 and turned as a sum. All results make a block of
// which word o has bytes o of every word: transposed again.
func streebogTransform(a *asm, x, scratch reg, plus ...any) {
	sum, y, z := scratch, scratch+1, scratch+2
	turn := [4]reg{x, scratch + 3, scratch + 4, scratch + 5}
	// S: two look-ups in 128 entries by seven bits; the eighth selects.
	a.op("VPMOVB2M", x, "K1")
	a.op("VMOVDQA64", x, sum)
	a.op("VPERMI2B", streebogBox+1, streebogBox, sum)
	a.op("VPERMI2B", streebogBox+3, streebogBox+2, x)
	a.op("VPBLENDMB", x, sum, "K1", sum)
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
