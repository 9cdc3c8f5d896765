package main

// Registers of mgm.
const (
	mgmLow     reg = 0 // the sum
	mgmMiddle  reg = 1
	mgmHigh    reg = 2
	mgmOrder   reg = 3
	mgmFactor  reg = 4 // 4 and 5: blocks to multiply
	mgmProduct reg = 6 // 6-9
)

// mgm returns the assembly of package mgm: sums of products of polynomials, blocks of
// h by blocks of x, 64 bytes of them at a time.
func mgm() string {
	a := newFile()
	mgmFunction(a, "addWide", 16)
	mgmFunction(a, "addNarrow", 8)
	return a.String()
}

// mgmFunction writes the function for blocks of size bytes.
func mgmFunction(a *asm, name string, size int) {
	a.function(name, "(s *sum, order *[64]byte, h, x *byte, blocks int)", 0, 40)
	for i, r := range []string{"AX", "BX", "SI", "DX", "CX"} {
		argument := []string{"s", "order", "h", "x", "blocks"}[i]
		a.Printf("\tMOVQ %s+%d(FP), %s\n", argument, 8*i, r)
	}
	fields := []string{"sum_low(AX)", "sum_middle(AX)", "sum_high(AX)"}
	for i, field := range fields {
		a.op("VMOVDQU64", field, mgmLow+reg(i))
	}
	a.op("VMOVDQU64", "(BX)", mgmOrder)

	a.label("batch")
	a.Printf("\tSUBQ $%d, CX\n", 64/size)
	a.op("JLT", "rest")
	a.op("VMOVDQU64", "(SI)", mgmFactor)
	a.op("VMOVDQU64", "(DX)", mgmFactor+1)
	mgmMultiply(a, size)
	a.op("ADDQ", "$64", "SI")
	a.op("ADDQ", "$64", "DX")
	a.op("JMP", "batch")

	a.label("rest")
	a.comment("The blocks that do not fill a register; a word for each bit of the mask.")
	a.Printf("\tADDQ $%d, CX\n", 64/size)
	a.op("JEQ", "done")
	if size == 16 {
		a.op("ADDQ", "CX", "CX")
	}
	a.op("MOVL", "$1", "BX")
	a.op("SHLL", "CX", "BX")
	a.op("DECL", "BX")
	a.op("KMOVW", "BX", "K1")
	a.op("VMOVDQU64.Z", "(SI)", "K1", mgmFactor)
	a.op("VMOVDQU64.Z", "(DX)", "K1", mgmFactor+1)
	mgmMultiply(a, size)

	a.label("done")
	for i, field := range fields {
		a.op("VMOVDQU64", mgmLow+reg(i), field)
	}
	a.end()
}

// mgmMultiply adds the products of the blocks in the two registers of factors. The
// instruction takes one word of each pair, as its immediate says.
func mgmMultiply(a *asm, size int) {
	a.op("VPSHUFB", mgmOrder, mgmFactor, mgmFactor)
	a.op("VPSHUFB", mgmOrder, mgmFactor+1, mgmFactor+1)
	product := func(immediate string, to reg) {
		a.op("VPCLMULQDQ", immediate, mgmFactor, mgmFactor+1, to)
	}
	product("$0x00", mgmProduct)
	product("$0x11", mgmProduct+1)
	if size == 16 {
		product("$0x01", mgmProduct+2)
		product("$0x10", mgmProduct+3)
		a.op("VPTERNLOGD", xorXor, mgmProduct+2, mgmProduct+3, mgmMiddle)
	}
	a.op("VPXORQ", mgmProduct, mgmLow, mgmLow)
	a.op("VPXORQ", mgmProduct+1, mgmHigh, mgmHigh)
}
