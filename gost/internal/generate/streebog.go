package main

import "fmt"

// Registers of streebog. All blocks are kept transposed, as 8x8 bytes, because that is
// how the linear transformation leaves them; see streebogTransform.
const (
	streebogHash    reg = 0
	streebogMessage reg = 1
	streebogKey     reg = 2
	streebogState   reg = 3
	streebogScratch reg = 4 // 4-7, and 8-11 for the other transformation of a round

	streebogBox      reg = 12 // 12-15: the substitution
	streebogSpread   reg = 16 // 16-23: the order of bytes that repeats word j of the message
	streebogMatrices reg = 24 // 24-31: bytes j of the rows of the matrix
)

// streebog returns the assembly of package streebog: one message, block by block. The
// keys and the state of the compression function depend on each other only in one
// direction, so that the processor works on a round of both at once.
func streebog() string {
	a := newFile()
	a.function("compressBlocks", "(h, n, sigma *block, bits uint64, t *transposed, p *byte, count int)", 0, 56)
	for i, r := range []string{"AX", "BX", "CX", "R8", "DX", "SI", "DI"} {
		name := []string{"h", "n", "sigma", "bits", "t", "p", "count"}[i]
		a.Printf("\tMOVQ %s+%d(FP), %s\n", name, 8*i, r)
	}
	for i := range reg(4) {
		a.Printf("\tVMOVDQU64 transposed_substitution+%d(DX), %v\n", 64*i, streebogBox+i)
	}
	for i := range reg(8) {
		a.Printf("\tVMOVDQU64 transposed_spread+%d(DX), %v\n", 64*i, streebogSpread+i)
		a.Printf("\tVMOVDQU64 transposed_matrices+%d(DX), %v\n", 64*i, streebogMatrices+i)
	}
	streebogTranspose(a, at("AX", 0), streebogHash)

	a.label("next")
	streebogTranspose(a, at("BX", 0), streebogKey)
	streebogTranspose(a, at("SI", 0), streebogMessage)
	streebogAdd(a)
	a.op("VPXORQ", streebogHash, streebogKey, streebogKey)
	streebogTransform(a, streebogKey, streebogScratch, "")
	// From here on the state has the key in it.
	a.op("VPXORQ", streebogKey, streebogMessage, streebogState)
	for i := range 12 {
		constant := fmt.Sprintf("transposed_constants+%d(DX)", 64*i)
		a.op("VPXORQ", constant, streebogKey, streebogKey)
		streebogTransform(a, streebogKey, streebogScratch, "")
		streebogTransform(a, streebogState, streebogScratch+4, streebogKey.String())
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

// streebogTransform replaces x with L(P(S(x))), and adds a register unless plus is
// empty. Word i of the result takes byte i of every word, so P gives to L bytes j of
// all words as the word j of the transposed block. VPERMB repeats it eight times, once
// for each byte that it contributes to, and VGF2P8AFFINEQB multiplies each by its own
// 8x8 bits of the matrix. The sum is a block of which word o has bytes o of the
// result: transposed again.
func streebogTransform(a *asm, x, scratch reg, plus string) {
	t := [4]reg{scratch, scratch + 1, scratch + 2, scratch + 3}
	// S: two look-ups in 128 entries by seven bits; the eighth selects.
	a.op("VPMOVB2M", x, "K1")
	a.op("VMOVDQA64", x, t[0])
	a.op("VPERMI2B", streebogBox+1, streebogBox, t[0])
	a.op("VPERMI2B", streebogBox+3, streebogBox+2, x)
	a.op("VPBLENDMB", x, t[0], "K1", t[0])
	word := func(j reg, to reg) {
		a.op("VPERMB", t[0], streebogSpread+j, to)
		a.op("VGF2P8AFFINEQB", "$0", streebogMatrices+j, to, to)
	}
	word(0, x)
	word(1, t[1])
	word(2, t[2])
	a.op("VPTERNLOGQ", xorXor, t[1], t[2], x)
	word(3, t[1])
	word(4, t[2])
	word(5, t[3])
	a.op("VPTERNLOGQ", xorXor, t[2], t[3], t[1])
	word(6, t[2])
	word(7, t[3])
	if plus == "" {
		a.op("VPTERNLOGQ", xorXor, t[1], t[2], x)
		a.op("VPXORQ", t[3], x, x)
		return
	}
	a.op("VPTERNLOGQ", xorXor, t[2], t[1], x)
	a.op("VPTERNLOGQ", xorXor, t[3], plus, x)
}
