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
	gost28147Four(a)
	return a.String()
}

// gost28147Four writes the function for four blocks with a key each: word i of the
// registers is of block i, and so is word i of every row of the keys. The tables need whole
// registers, the rest is done in quarters.
func gost28147Four(a *asm) {
	a.function("crypt4", "(keys *FourKeys, t *nibbles, blocks *[4]uint64)", 0, 24)
	magmaSetUp(a, "keys", "t", "blocks")
	quarter := func(r reg) string { return fmt.Sprintf("X%d", int(r)) }
	left, right := quarter(magmaLeft), quarter(magmaRight)
	low, high := quarter(magmaLow), quarter(magmaHigh)
	place, nibble := quarter(magmaPlace), quarter(magmaNibble)
	a.op("VMOVDQU", at("DI", 0), low)
	a.op("VMOVDQU", at("DI", 16), high)
	a.op("VSHUFPS", "$0x88", high, low, right)
	a.op("VSHUFPS", "$0xdd", high, low, left)
	a.op("VPRORD", "$11", left, left)
	a.op("VPRORD", "$11", right, right)
	to, from := left, right
	for round := range 32 {
		word := round % 8
		if round >= 24 {
			word = 31 - round
		}
		a.op("VPROLD", "$11", from, low)
		a.op("VPADDD", at("AX", 16*word), low, low)
		a.op("VPSRLD", "$4", low, high)
		a.op("VPTERNLOGD", andOr, place, nibble, low)
		a.op("VPTERNLOGD", andOr, place, nibble, high)
		a.op("VPERMB", magmaTableLow, magmaLow, magmaLow)
		a.op("VPERMB", magmaTableHigh, magmaHigh, magmaHigh)
		a.op("VPTERNLOGD", xorXor, low, high, to)
		to, from = from, to
	}
	a.op("VPROLD", "$11", left, left)
	a.op("VPROLD", "$11", right, right)
	a.op("VPUNPCKLDQ", right, left, low) // the last round does not swap
	a.op("VPUNPCKHDQ", right, left, high)
	a.op("VMOVDQU", low, at("DI", 0))
	a.op("VMOVDQU", high, at("DI", 16))
	a.end()
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
