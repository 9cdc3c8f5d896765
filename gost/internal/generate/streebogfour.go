package main

import "fmt"

// Registers of four messages: each has a key and a state. What it has besides is on the
// stack.
const (
	fourKey   reg = 0  // 0-3
	fourState reg = 4  // 4-7
	fourLast  reg = 14 // from where on the last of four tables of the substitution is

	fourHash    = 0
	fourMessage = 4 * 64
	fourFrame   = 2 * fourMessage
)

// streebogFour writes the function for count blocks of four messages. There is always
// enough to do, so that what counts is how few instructions there are.
func streebogFour(a *asm) {
	a.function("compress4", "(jobs *[4]*job, t *transposed, count int)", fourFrame, 24)
	a.Printf("\tMOVQ jobs+0(FP), AX\n\tMOVQ t+8(FP), DX\n\tMOVQ count+16(FP), CX\n")
	streebogTables(a)
	a.Printf("\tVMOVDQU64 transposed_last(DX), %v\n", fourLast)
	for i := range 4 {
		fourJob(a, i)
		a.op("MOVQ", "job_h(R12)", "R8")
		streebogTranspose(a, at("R8", 0), fourKey)
		a.op("VMOVDQU64", fourKey, at("SP", fourHash+64*i))
	}
	a.op("XORQ", "SI", "SI")
	a.label("next")
	for i := range 4 {
		fourBegin(a, i)
	}
	a.op("XORQ", "DI", "DI") // of a constant
	a.label("round")
	constant := "transposed_constants+64(DX)(DI*1)"
	for i := range reg(4) {
		fourTransform(a, fourKey+i, constant)
		fourTransform(a, fourState+i, constant, fourKey+i)
	}
	a.op("ADDQ", "$64", "DI")
	a.op("CMPQ", "DI", "$768")
	a.op("JNE", "round")
	for i := range reg(4) {
		hash := at("SP", fourHash+64*int(i))
		a.op("VMOVDQU64", hash, fourKey)
		a.op("VPTERNLOGQ", xorXor, at("SP", fourMessage+64*int(i)), fourState+i, fourKey)
		a.op("VMOVDQU64", fourKey, hash)
	}
	a.op("ADDQ", "$64", "SI")
	a.op("DECQ", "CX")
	a.op("JNZ", "next")
	for i := range 4 {
		fourJob(a, i)
		a.op("MOVQ", "job_h(R12)", "R8")
		streebogTranspose(a, at("SP", fourHash+64*i), fourKey)
		a.op("VMOVDQU64", fourKey, at("R8", 0))
	}
	a.end()
}

// fourJob loads the pointer to job i.
func fourJob(a *asm, i int) { a.op("MOVQ", at("AX", 8*i), "R12") }

// fourBegin makes the first key and the first state of message i, and counts.
func fourBegin(a *asm, i int) {
	key, state := fourKey+reg(i), fourState+reg(i)
	fourJob(a, i)
	a.op("MOVQ", "job_p(R12)", "BX")
	a.op("ADDQ", "SI", "BX")
	streebogJob(a, "R12")
	streebogTranspose(a, at("R8", 0), key)
	streebogTranspose(a, at("BX", 0), state)
	streebogCount(a, "BX", fmt.Sprintf("uncounted%d", i))
	a.op("VMOVDQU64", state, at("SP", fourMessage+64*i))
	a.op("VPXORQ", at("SP", fourHash+64*i), key, key)
	fourTransform(a, key, streebogConstant(0))
	a.op("VPTERNLOGQ", xorXor, streebogConstant(0), key, state)
}

// fourTransform is streebogTransform with the substitution of kuznyechikSubstitute, which
// takes longer, but is one instruction less.
func fourTransform(a *asm, x reg, plus ...any) {
	const copied = streebogScratch
	a.op("VPMOVB2M", x, "K1")
	a.op("VPCMPUB", "$5", fourLast, x, "K2")
	a.op("VMOVDQA64", x, copied)
	a.op("VPERMI2B", streebogBox+1, streebogBox, copied)
	a.op("VPERMB", streebogBox+2, x, "K1", copied)
	a.op("VPERMB", streebogBox+3, x, "K2", copied)
	streebogLinear(a, x, plus...)
}
