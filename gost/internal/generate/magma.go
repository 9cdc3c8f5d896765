package main

import "fmt"

// Registers of magma.
const (
	magmaLeft  reg = 0  // 0-3: left halves of the groups, a half a word
	magmaRight reg = 4  // 4-7: right halves
	magmaLow   reg = 8  // 8-11: what the low nibbles become
	magmaHigh  reg = 12 // 12-15: what the high nibbles become
	magmaKey   reg = 16 // the key of the round in every word

	magmaTableLow  reg = 17
	magmaTableHigh reg = 18
	magmaNibble    reg = 19 // 0f in every byte
	magmaPlace     reg = 20 // 00, 10, 20, 30 in the bytes of a word
	magmaSwap      reg = 21 // the order of bytes that turns words around

	magmaCounterLeft  reg = 22 // halves of the counters of the next group
	magmaCounterRight reg = 23
	magmaSixteen      reg = 24 // 16 in every word
	magmaOnes         reg = 25 // ff in every byte, -1 in every word
)

// magma returns the assembly of package magma. A group is 16 left halves of blocks in
// one register and 16 right halves in another. Four groups go through the rounds
// together, so that no round waits for the one before; one group alone waits, but is
// quicker when there are no more than 16 blocks.
//
// All halves are kept rotated to the right by 11 bits, so that the rotation of the
// round function does not stand between its look-ups and the sum with the other
// half.
func magma() string {
	a := newFile()
	for _, groups := range []int{4, 1} {
		a.function(fmt.Sprintf("encrypt%d", 16*groups), "(key *block, t *nibbles, dst, src *byte, batches int)", 0, 40)
		magmaSetUp(a, "key", "t", "dst", "src", "batches")
		a.label("batch")
		for g := range groups {
			magmaLoad(a, g)
		}
		magmaEncrypt(a, groups, false)

		a.function(fmt.Sprintf("counter%d", 16*groups), "(key *block, t *nibbles, dst, src *byte, batches int, counter uint64)", 0, 48)
		magmaSetUp(a, "key", "t", "dst", "src", "batches")
		magmaSetUpCounter(a)
		a.label("batch")
		for g := range groups {
			magmaCount(a, g)
		}
		magmaEncrypt(a, groups, true)
	}
	magmaChain(a, "chainBlocks", 32)
	magmaLanes(a)
	return a.String()
}

// magmaSetUp loads the arguments, whose names are given, and the tables.
func magmaSetUp(a *asm, arguments ...string) {
	for i, r := range []string{"AX", "BX", "DI", "SI", "CX"}[:len(arguments)] {
		a.Printf("\tMOVQ %s+%d(FP), %s\n", arguments[i], 8*i, r)
	}
	a.op("VMOVDQU64", "nibbles_low(BX)", magmaTableLow)
	a.op("VMOVDQU64", "nibbles_high(BX)", magmaTableHigh)
	a.op("VMOVDQU64", "nibbles_swap(BX)", magmaSwap)
	a.op("MOVL", "$0x0f0f0f0f", "DX")
	a.op("VPBROADCASTD", "DX", magmaNibble)
	a.op("MOVL", "$0x30201000", "DX")
	a.op("VPBROADCASTD", "DX", magmaPlace)
}

// magmaSetUpCounter makes the counters of the first group. The word i of the
// registers is not block i, but the one that magmaStore puts there.
func magmaSetUpCounter(a *asm) {
	a.op("MOVL", "$16", "DX")
	a.op("VPBROADCASTD", "DX", magmaSixteen)
	a.op("VPTERNLOGD", "$0xff", magmaOnes, magmaOnes, magmaOnes)
	a.op("MOVQ", "counter+40(FP)", "DX")
	a.op("VPBROADCASTD", "DX", magmaLow)
	a.op("SHRQ", "$32", "DX")
	a.op("VPBROADCASTD", "DX", magmaCounterLeft)
	a.op("VPADDD", "nibbles_steps(BX)", magmaLow, magmaCounterRight)
	magmaCarry(a, magmaLow)
}

// magmaCarry adds one to the left halves of the counters whose right half has
// become less than it was before.
func magmaCarry(a *asm, before reg) {
	a.op("VPCMPUD", "$1", before, magmaCounterRight, "K1")
	a.op("VPSUBD", magmaOnes, magmaCounterLeft, "K1", magmaCounterLeft)
}

// magmaCount loads group g with counters.
func magmaCount(a *asm, g int) {
	left, right := magmaLeft+reg(g), magmaRight+reg(g)
	a.op("VMOVDQA64", magmaCounterRight, magmaLow)
	a.op("VPRORD", "$11", magmaCounterLeft, left)
	a.op("VPRORD", "$11", magmaCounterRight, right)
	a.op("VPADDD", magmaSixteen, magmaCounterRight, magmaCounterRight)
	magmaCarry(a, magmaLow)
}

// magmaLoad loads group g with blocks: in every quarter of a register two halves of
// the first 8 blocks, then two of the last 8.
func magmaLoad(a *asm, g int) {
	left, right := magmaLeft+reg(g), magmaRight+reg(g)
	a.op("VMOVDQU64", at("SI", 128*g), magmaLow)
	a.op("VMOVDQU64", at("SI", 128*g+64), magmaHigh)
	a.op("VPSHUFB", magmaSwap, magmaLow, magmaLow)
	a.op("VPSHUFB", magmaSwap, magmaHigh, magmaHigh)
	magmaHalves(a, magmaLow, magmaHigh, left, right)
}

// magmaHalves takes blocks, with their bytes turned around, apart.
func magmaHalves(a *asm, first, second, left, right reg) {
	a.op("VSHUFPS", "$0x88", second, first, left)
	a.op("VSHUFPS", "$0xdd", second, first, right)
	a.op("VPRORD", "$11", left, left)
	a.op("VPRORD", "$11", right, right)
}

// magmaStore writes group g; with xor, added to src.
func magmaStore(a *asm, g int, xor bool) {
	left, right := magmaLeft+reg(g), magmaRight+reg(g)
	a.op("VPROLD", "$11", left, left)
	a.op("VPROLD", "$11", right, right)
	a.op("VPUNPCKLDQ", left, right, magmaLow) // the last round does not swap
	a.op("VPUNPCKHDQ", left, right, magmaHigh)
	for i, r := range []reg{magmaLow, magmaHigh} {
		a.op("VPSHUFB", magmaSwap, r, r)
		if xor {
			a.op("VPXORD", at("SI", 128*g+64*i), r, r)
		}
		a.op("VMOVDQU64", r, at("DI", 128*g+64*i))
	}
}

// magmaChain writes the function for one block after the other: OMAC, and single blocks.
// With 16 rounds instead of 32 there is no last round that does not swap. The halves are
// the first words of the registers; nobody looks at the other words.
func magmaChain(a *asm, name string, rounds int) {
	a.function(name, "(key *block, t *nibbles, state, p *byte, blocks int)", 0, 40)
	magmaSetUp(a, "key", "t", "state", "p", "blocks")
	take := func(from string, left, right reg) {
		a.op("VPBROADCASTQ", from, left)
		a.op("VPSHUFB", magmaSwap, left, left)
		a.op("VPSRLQ", "$32", left, right)
		a.op("VPRORD", "$11", left, left)
		a.op("VPRORD", "$11", right, right)
	}
	const nextLeft, nextRight = magmaCounterLeft, magmaCounterRight
	left, right := magmaRight, magmaLeft // as it comes from the last round
	if rounds == 16 {
		left, right = magmaLeft, magmaRight
	}
	take(at("DI", 0), left, right)
	a.label("next")
	take(at("SI", 0), nextLeft, nextRight)
	a.op("VPXORD", left, nextLeft, nextLeft)
	a.op("VPXORD", right, nextRight, magmaRight)
	a.op("VMOVDQA64", nextLeft, magmaLeft)
	magmaRounds(a, 1, rounds)
	a.op("ADDQ", "$8", "SI")
	a.op("DECQ", "CX")
	a.op("JNZ", "next")
	a.op("VPROLD", "$11", magmaLeft, magmaLeft)
	a.op("VPROLD", "$11", magmaRight, magmaRight)
	a.op("VPUNPCKLDQ", right, left, magmaLow)
	a.op("VPSHUFB", magmaSwap, magmaLow, magmaLow)
	a.op("VMOVQ", fmt.Sprintf("X%d", int(magmaLow)), at("DI", 0))
	a.end()
}

// magmaLanes writes the function for 16 chains at once, which take as long as one. The
// blocks of those that K2 and K3 have, 8 bits each, are gathered from addresses.
func magmaLanes(a *asm) {
	a.function("chain16", "(key *block, t *nibbles, states *byte, from **byte, blocks int, lanes uint64)", 0, 48)
	magmaSetUp(a, "key", "t", "states", "from", "blocks")
	const from, left, right = magmaCounterLeft, magmaLeft + 1, magmaRight + 1
	a.op("MOVQ", "lanes+40(FP)", "DX")
	a.op("KMOVW", "DX", "K2")
	a.op("SHRQ", "$8", "DX")
	a.op("KMOVW", "DX", "K3")
	a.op("VMOVDQU64", at("SI", 0), from)
	a.op("VMOVDQU64", at("SI", 64), from+1)
	a.op("MOVQ", "DI", "SI")
	magmaLoad(a, 0)
	a.op("XORQ", "R8", "R8")
	a.label("next")
	for i := range reg(2) {
		a.op("KMOVQ", fmt.Sprintf("K%d", 2+i), "K1")
		a.op("VPXORQ", magmaLow+i, magmaLow+i, magmaLow+i)
		a.Printf("\tVPGATHERQQ (R8)(%v*1), K1, %v\n", from+i, magmaLow+i)
	}
	a.op("VPSHUFB", magmaSwap, magmaLow, magmaLow)
	a.op("VPSHUFB", magmaSwap, magmaLow+1, magmaLow+1)
	magmaHalves(a, magmaLow, magmaLow+1, left, right)
	a.op("VPXORD", left, magmaLeft, magmaLeft)
	a.op("VPXORD", right, magmaRight, magmaRight)
	magmaRounds(a, 1, 32)
	// The last round does not swap.
	a.op("VMOVDQA64", magmaLeft, left)
	a.op("VMOVDQA64", magmaRight, magmaLeft)
	a.op("VMOVDQA64", left, magmaRight)
	a.op("ADDQ", "$8", "R8")
	a.op("DECQ", "CX")
	a.op("JNZ", "next")
	a.op("VMOVDQA64", magmaLeft, magmaRight) // as after the rounds: magmaStore swaps
	a.op("VMOVDQA64", left, magmaLeft)
	magmaStore(a, 0, false)
	a.end()
}

// magmaRounds writes a loop of the rounds, two each time.
func magmaRounds(a *asm, groups, rounds int) {
	a.op("XORQ", "DX", "DX")
	a.label("round")
	magmaRound(a, groups, 0, magmaLeft, magmaRight)
	magmaRound(a, groups, 4, magmaRight, magmaLeft)
	a.op("ADDQ", "$8", "DX")
	a.op("CMPQ", "DX", fmt.Sprintf("$%d", 4*rounds))
	a.op("JNE", "round")
}

// magmaEncrypt sends the groups through the rounds, writes them to dst, with xor added
// to src, and goes on to the next batch.
func magmaEncrypt(a *asm, groups int, xor bool) {
	magmaRounds(a, groups, 32)
	for g := range groups {
		magmaStore(a, g, xor)
	}
	a.op("ADDQ", fmt.Sprintf("$%d", 128*groups), "SI")
	a.op("ADDQ", fmt.Sprintf("$%d", 128*groups), "DI")
	a.op("DECQ", "CX")
	a.op("JNZ", "batch")
	a.end()
}

// magmaRound writes one round of all groups: to += g(from + key). VPERMB looks up 64
// bytes at once, by 6 bits: a nibble and its place in the word.
func magmaRound(a *asm, groups, key int, to, from reg) {
	a.Printf("\tVPBROADCASTD %d(AX)(DX*1), %s\n", key, magmaKey)
	for g := range reg(groups) {
		low, high, to, from := magmaLow+g, magmaHigh+g, to+g, from+g
		a.op("VPROLD", "$11", from, low)
		a.op("VPADDD", magmaKey, low, low)
		a.op("VPSRLD", "$4", low, high)
		a.op("VPTERNLOGD", andOr, magmaPlace, magmaNibble, low)
		a.op("VPTERNLOGD", andOr, magmaPlace, magmaNibble, high)
		a.op("VPERMB", magmaTableLow, low, low)
		a.op("VPERMB", magmaTableHigh, high, high)
		a.op("VPTERNLOGD", xorXor, low, high, to)
	}
}
