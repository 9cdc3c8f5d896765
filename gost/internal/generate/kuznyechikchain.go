package main

import "fmt"

// Registers of the chain of kuznyechik. All hold the same 16 bytes four times over, or
// something for each of them.
const (
	chainState reg = 0
	chainTurn  reg = 1 // 1-4: turned copies of the state
	chainOther reg = 5
	chainInput reg = 6

	chainKeys    reg = 7  // 7-16
	chainBox     reg = 17 // 17-20: the substitution
	chainTurns   reg = 21 // 21-24: the order of bytes of each turn
	chainFactors reg = 25 // 25-28: what each byte of a turned copy is multiplied by
	chainInto    reg = 29 // the matrix into the field of the processor, and back
	chainBack    reg = 30
)

// kuznyechikChain writes the function for one block after the other: OMAC, and single
// blocks. Everything happens in the field of AES, whose multiplication is an instruction;
// the two fields of 256 elements differ only in the names of the elements. L is a
// product of a matrix and the state: 16 sums of 16 products, 64 of them at a time.
func kuznyechikChain(a *asm) {
	a.function("chainBlocks", "(keys *schedule, t *turned, state, p *byte, blocks int)", 0, 40)
	for i, r := range []string{"AX", "BX", "DI", "SI", "CX"} {
		name := []string{"keys", "t", "state", "p", "blocks"}[i]
		a.Printf("\tMOVQ %s+%d(FP), %s\n", name, 8*i, r)
	}
	chainTables(a)
	for i := range kuznyechikRounds {
		chainTake(a, at("AX", 16*i), chainKeys+reg(i))
	}
	chainTake(a, at("DI", 0), chainState)

	a.label("next")
	chainTake(a, at("SI", 0), chainInput)
	a.op("VPTERNLOGQ", xorXor, chainInput, chainKeys, chainState)
	for i := range reg(kuznyechikRounds - 1) {
		chainRound(a, chainKeys+i+1)
	}
	a.op("ADDQ", "$16", "SI")
	a.op("DECQ", "CX")
	a.op("JNZ", "next")
	a.op("VGF2P8AFFINEQB", "$0", chainBack, chainState, chainState)
	a.op("VMOVDQU", "X0", at("DI", 0))
	a.end()
}

// kuznyechikExpand writes the key schedule of RFC 7801, Section 4.4, which has rounds of
// the same form: eight of them between two pairs of keys.
func kuznyechikExpand(a *asm) {
	const first, second, keep = chainKeys, chainKeys + 1, chainKeys + 2
	a.function("expandKey", "(keys *schedule, t *turned)", 0, 16)
	a.Printf("\tMOVQ keys+0(FP), AX\n\tMOVQ t+8(FP), BX\n")
	chainTables(a)
	chainTake(a, at("AX", 0), first)
	chainTake(a, at("AX", 16), second)
	chainFeed(a, second)
	a.op("VGF2P8AFFINEQB", "$0", chainBack, chainState, chainInput)
	a.op("VMOVDQU", fmt.Sprintf("X%d", int(chainInput)), "schedule_fed+16(AX)")
	a.op("LEAQ", "turned_constants(BX)", "SI")
	a.op("MOVQ", "$4", "CX")
	a.label("pair")
	a.op("MOVQ", "$8", "DX")
	a.label("round")
	a.op("VMOVDQA64", first, keep)
	a.op("VBROADCASTI32X4", at("SI", 0), chainState)
	a.op("VPXORQ", first, chainState, chainState)
	chainRound(a, second)
	a.op("VMOVDQA64", chainState, first)
	a.op("VMOVDQA64", keep, second)
	a.op("ADDQ", "$16", "SI")
	a.op("DECQ", "DX")
	a.op("JNZ", "round")
	a.op("ADDQ", "$32", "AX")
	for i, key := range []reg{first, second} {
		store := func(from reg, to string) {
			a.op("VGF2P8AFFINEQB", "$0", chainBack, from, chainInput)
			a.op("VMOVDQU", fmt.Sprintf("X%d", int(chainInput)), to)
		}
		store(key, at("AX", 16*i))
		chainFeed(a, key)
		store(chainState, fmt.Sprintf("schedule_fed+%d(AX)", 16*i))
	}
	a.op("DECQ", "CX")
	a.op("JNZ", "pair")
	a.end()
}

// chainFeed sets the state to a key in the form in which shifts add it.
func chainFeed(a *asm, key reg) {
	chainMultiply(a, key, "turned_feed")
	a.op("VPXORQ", chainOther, chainState, chainState)
}

// kuznyechikCommon writes the function for the first round of counters that differ in
// the last byte: the sum of a key and of what the other bytes make, of two counters, for
// the second one added to the first.
func kuznyechikCommon(a *asm) {
	a.function("firstRound", "(keys *schedule, t *turned, counters, common *[2]vector)", 0, 32)
	a.Printf("\tMOVQ keys+0(FP), AX\n\tMOVQ t+8(FP), BX\n\tMOVQ counters+16(FP), SI\n\tMOVQ common+24(FP), DI\n")
	chainTables(a)
	const first, key, next = chainKeys, chainKeys + 1, chainKeys + 2
	chainTake(a, at("AX", 0), key)
	chainTake(a, at("AX", 16), next)
	for i := range 2 {
		chainTake(a, at("SI", 16*i), chainState)
		a.op("VPXORQ", key, chainState, chainState)
		chainSubstitute(a)
		a.op("VPANDQ", "turned_others(BX)", chainState, chainState)
		chainMultiply(a, chainState, chainFactors)
		a.op("VPTERNLOGQ", xorXor, chainOther, next, chainState)
		if i == 0 {
			a.op("VMOVDQA64", chainState, first)
		} else {
			a.op("VPXORQ", first, chainState, chainState)
		}
		a.op("VGF2P8AFFINEQB", "$0", chainBack, chainState, chainState)
		a.op("VMOVDQU", "X0", at("DI", 16*i))
	}
	a.end()
}

// chainTables loads the tables.
func chainTables(a *asm) {
	a.Printf("\tVPBROADCASTQ turned_into(BX), %v\n", chainInto)
	a.Printf("\tVPBROADCASTQ turned_back(BX), %v\n", chainBack)
	for i := range reg(4) {
		a.Printf("\tVMOVDQU64 turned_substitution+%d(BX), %v\n", 64*i, chainBox+i)
		a.Printf("\tVMOVDQU64 turned_turns+%d(BX), %v\n", 64*i, chainTurns+i)
		a.Printf("\tVMOVDQU64 turned_factors+%d(BX), %v\n", 64*i, chainFactors+i)
	}
}

// chainTake loads a block.
func chainTake(a *asm, from string, to reg) {
	a.op("VBROADCASTI32X4", from, to)
	a.op("VGF2P8AFFINEQB", "$0", chainInto, to, to)
}

// chainRound applies S and L and adds the next key.
func chainRound(a *asm, key reg) {
	chainSubstitute(a)
	chainMultiply(a, chainState, chainFactors)
	a.op("VPTERNLOGQ", xorXor, chainOther, key, chainState)
}

// chainSubstitute applies S.
func chainSubstitute(a *asm) {
	// S: two look-ups in 128 entries by seven bits; the eighth selects.
	a.op("VPMOVB2M", chainState, "K1")
	a.op("VMOVDQA64", chainState, chainOther)
	a.op("VPERMI2B", chainBox+1, chainBox, chainOther)
	a.op("VPERMI2B", chainBox+3, chainBox+2, chainState)
	a.op("VPBLENDMB", chainState, chainOther, "K1", chainState)
}

// chainMultiply multiplies a block by the matrix that factors are made of; the product is
// the sum of the state and other.
func chainMultiply(a *asm, from reg, factors any) {
	for i := range reg(4) {
		factor := any(chainFactors + i)
		if name, ok := factors.(string); ok {
			factor = fmt.Sprintf("%s+%d(BX)", name, 64*i)
		}
		a.op("VPSHUFB", chainTurns+i, from, chainTurn+i)
		a.op("VGF2P8MULB", factor, chainTurn+i, chainTurn+i)
	}
	a.op("VPTERNLOGQ", xorXor, chainTurn+1, chainTurn+2, chainTurn)
	a.op("VPXORQ", chainTurn+3, chainTurn, chainTurn)
	// The sum of the four quarters, in all of them.
	a.op("VSHUFI64X2", "$0x4e", chainTurn, chainTurn, chainState)
	a.op("VPXORQ", chainTurn, chainState, chainState)
	a.op("VSHUFI64X2", "$0xb1", chainState, chainState, chainOther)
}
