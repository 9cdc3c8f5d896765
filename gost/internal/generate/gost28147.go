package main

import "fmt"

// gost28147 returns the assembly of package gost28147, whose cipher is that of magma with
// other tables: of the substitutions, and of the order of bytes, which exchanges the
// halves of a block instead of turning their bytes around. Only its counters are
// different.
func gost28147() string {
	a := newFile()
	a.function("crypt16", "(key *order, t *nibbles, dst, src *byte, batches int)", 0, 40)
	magmaSetUp(a, "key", "t", "dst", "src", "batches")
	a.label("batch")
	magmaLoad(a, 0)
	magmaEncrypt(a, 1, false)

	for _, groups := range []int{4, 1} {
		a.function(fmt.Sprintf("counter%d", 16*groups), "(key *order, t *nibbles, dst, src *byte, batches int, counter uint64)", 0, 48)
		magmaSetUp(a, "key", "t", "dst", "src", "batches")
		gost28147SetUpCounter(a)
		a.label("batch")
		for g := range groups {
			gost28147Count(a, g)
		}
		magmaEncrypt(a, groups, true)
	}
	magmaChain(a, "chain32", 32)
	magmaChain(a, "chain16", 16)
	return a.String()
}

// What the counters of one group are more than those of the group before: 16 times the
// constants of the standard.
const (
	gost28147Low  = magmaSixteen
	gost28147High = magmaOnes + 1
)

// gost28147SetUpCounter makes the counters of the first group.
func gost28147SetUpCounter(a *asm) {
	a.op("VPTERNLOGD", "$0xff", magmaOnes, magmaOnes, magmaOnes)
	a.op("VPBROADCASTD", "nibbles_sixteen+0(BX)", gost28147Low)
	a.op("VPBROADCASTD", "nibbles_sixteen+4(BX)", gost28147High)
	a.op("MOVQ", "counter+40(FP)", "DX")
	a.op("VPBROADCASTD", "DX", magmaCounterRight)
	a.op("SHRQ", "$32", "DX")
	a.op("VPBROADCASTD", "DX", magmaCounterLeft)
	a.op("VPADDD", "nibbles_low3(BX)", magmaCounterRight, magmaCounterRight)
	a.op("VMOVDQU64", "nibbles_high4(BX)", magmaLow)
	gost28147Add(a, magmaLow)
}

// gost28147Add adds to the upper halves modulo 2^32-1: the carry comes back at the other
// end.
func gost28147Add(a *asm, what reg) {
	a.op("VPADDD", what, magmaCounterLeft, magmaCounterLeft)
	a.op("VPCMPUD", "$1", what, magmaCounterLeft, "K1")
	a.op("VPSUBD", magmaOnes, magmaCounterLeft, "K1", magmaCounterLeft)
}

// gost28147Count loads group g with counters.
func gost28147Count(a *asm, g int) {
	a.op("VPRORD", "$11", magmaCounterLeft, magmaLeft+reg(g))
	a.op("VPRORD", "$11", magmaCounterRight, magmaRight+reg(g))
	a.op("VPADDD", gost28147Low, magmaCounterRight, magmaCounterRight)
	gost28147Add(a, gost28147High)
}
