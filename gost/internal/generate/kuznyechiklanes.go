package main

import "fmt"

// Registers of the lanes of kuznyechik: four chains in each state.
const (
	lanesState  reg = 0  // 0-3
	lanesSum    reg = 4  // 4-7
	lanesOther  reg = 8  // 8-9: turned copies of a state
	lanesKeys   reg = 10 // 10-19
	lanesFactor reg = 20 // 20-21
	lanesBox    reg = 22 // 22-25: the substitution
	lanesLast   reg = 26 // from where on the last of its four tables is
	lanesInto   reg = 27 // the matrix into the field of the processor, and back
	lanesBack   reg = 28
)

// kuznyechikLanes writes the functions for several chains at once, four in a register.
// As in one chain, everything happens in the field of AES. A product of the matrix of L
// and a block is the sum of 16 turned copies of it, each byte times its factor.
func kuznyechikLanes(a *asm) {
	for _, groups := range []int{1, 2, 4} {
		a.function(fmt.Sprintf("chain%d", 4*groups), "(keys *schedule, t *turned, states *vector, from **byte, blocks int)", 0, 40)
		for i, r := range []string{"AX", "BX", "DI", "SI", "CX"} {
			name := []string{"keys", "t", "states", "from", "blocks"}[i]
			a.Printf("\tMOVQ %s+%d(FP), %s\n", name, 8*i, r)
		}
		lanesSetUp(a, groups)
		a.op("XORQ", "DX", "DX")
		a.label("next")
		for g := range reg(groups) {
			lanesInput(a, g)
		}
		for i := range reg(kuznyechikRounds - 1) {
			lanesRound(a, groups, lanesKeys+i+1)
		}
		a.op("ADDQ", "$16", "DX")
		a.op("DECQ", "CX")
		a.op("JNZ", "next")
		for g := range reg(groups) {
			a.op("VGF2P8AFFINEQB", "$0", lanesBack, lanesState+g, lanesState+g)
			a.op("VMOVDQU64", lanesState+g, at("DI", 64*int(g)))
		}
		a.end()
	}
}

// lanesSetUp loads the tables, the keys and the states.
func lanesSetUp(a *asm, groups int) {
	a.Printf("\tVPBROADCASTQ turned_into(BX), %v\n", lanesInto)
	a.Printf("\tVPBROADCASTQ turned_back(BX), %v\n", lanesBack)
	a.Printf("\tVMOVDQU64 turned_last(BX), %v\n", lanesLast)
	for i := range reg(4) {
		a.Printf("\tVMOVDQU64 turned_substitution+%d(BX), %v\n", 64*i, lanesBox+i)
	}
	for i := range reg(kuznyechikRounds) {
		a.op("VBROADCASTI32X4", at("AX", 16*int(i)), lanesKeys+i)
		a.op("VGF2P8AFFINEQB", "$0", lanesInto, lanesKeys+i, lanesKeys+i)
	}
	for g := range reg(groups) {
		a.op("VMOVDQU64", at("DI", 64*int(g)), lanesState+g)
		a.op("VGF2P8AFFINEQB", "$0", lanesInto, lanesState+g, lanesState+g)
	}
}

// lanesInput adds four blocks and the first key to a state. Their pointers are at SI.
func lanesInput(a *asm, g reg) {
	const in = lanesOther
	for i := range 4 {
		a.op("MOVQ", at("SI", 8*(4*int(g)+i)), "R8")
		if i == 0 {
			a.op("VMOVDQU", "(R8)(DX*1)", fmt.Sprintf("X%d", int(in)))
		} else {
			a.op("VINSERTI32X4", fmt.Sprintf("$%d", i), "(R8)(DX*1)", in, in)
		}
	}
	a.op("VGF2P8AFFINEQB", "$0", lanesInto, in, in)
	a.op("VPTERNLOGQ", xorXor, in, lanesKeys, lanesState+g)
}

// lanesRound applies S and L to all states and adds the next key.
func lanesRound(a *asm, groups int, key reg) {
	for g := range reg(groups) {
		// S, as in kuznyechikSubstitute.
		x, copied := lanesState+g, lanesSum+g
		a.op("VPMOVB2M", x, "K1")
		a.op("VPCMPUB", "$5", lanesLast, x, "K2")
		a.op("VMOVDQA64", x, copied)
		a.op("VPERMI2B", lanesBox+1, lanesBox, x)
		a.op("VPERMB", lanesBox+2, copied, "K1", x)
		a.op("VPERMB", lanesBox+3, copied, "K2", x)
	}
	factor := func(turn int, to reg) {
		a.Printf("\tVMOVDQU64 turned_lanes+%d(BX), %v\n", 64*turn, to)
	}
	for turn := 0; turn < 16; turn += 2 {
		factor(turn, lanesFactor)
		factor(turn+1, lanesFactor+1)
		for g := range reg(groups) {
			x, sum, y, z := lanesState+g, lanesSum+g, lanesOther, lanesOther+1
			a.op("VPALIGNR", fmt.Sprintf("$%d", turn+1), x, x, z)
			a.op("VGF2P8MULB", lanesFactor+1, z, z)
			if turn == 0 {
				a.op("VGF2P8MULB", lanesFactor, x, sum)
				a.op("VPTERNLOGQ", xorXor, z, key, sum)
				continue
			}
			a.op("VPALIGNR", fmt.Sprintf("$%d", turn), x, x, y)
			a.op("VGF2P8MULB", lanesFactor, y, y)
			a.op("VPTERNLOGQ", xorXor, y, z, sum)
		}
	}
	for g := range reg(groups) {
		a.op("VMOVDQA64", lanesSum+g, lanesState+g)
	}
}
