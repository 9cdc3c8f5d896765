package main

import "fmt"

// Registers of kuznyechik. 0-15 are the bytes of the blocks: register j has byte j of
// 64 blocks. Byte 16*l+k of a register belongs to block 4*k+l, because this is
// where the transposition of quarters of registers takes it from.
const (
	kuznyechikBox      reg = 16 // 16-19: the substitution
	kuznyechikMatrices reg = 20 // 20-25: the matrices
	kuznyechikScratch  reg = 26 // 26-31

	kuznyechikRounds = 10
	kuznyechikKeys   = 64 * kuznyechikRounds // bytes of the stack: round keys, every byte four times
	kuznyechikFirst  = kuznyechikKeys        // where what the counters have in common is, in the same way
	kuznyechikFrame  = kuznyechikFirst + 2*64
)

// bytesOf are the registers of the bytes of the blocks.
type bytesOf [16]reg

// kuznyechik returns the assembly of package kuznyechik: 64 blocks at a time. With
// one byte of all blocks in a register, multiplication by a constant is one GFNI
// instruction, and nothing moves inside registers.
//
// The processor has two ports for such instructions, and a batch takes half as many
// cycles as it has instructions; what they wait for hardly counts. So there are as few
// of them as possible.
func kuznyechik() string {
	a := newFile()
	x := firstBytes()
	a.function("encrypt64", "(keys *schedule, t *sliced, dst, src *byte, batches int)", kuznyechikFrame, 40)
	kuznyechikSetUp(a)
	a.label("batch")
	for k := range x {
		a.op("VMOVDQU64", at("SI", 64*k), x[k])
	}
	y, spare := x, kuznyechikScratch
	spare = y.transpose(a, spare)
	y.move(a, &x, spare)
	for j, r := range x {
		a.op("VPXORD.BCST", at("SP", 4*j), r, r)
	}
	a.op("XORQ", "DX", "DX")
	kuznyechikEncrypt(a, x, false)
	a.end()

	a.function("counter64", "(keys *schedule, t *sliced, dst, src *byte, batches int, common *[2]vector, low uint64)", kuznyechikFrame, 56)
	kuznyechikSetUp(a)
	a.op("MOVQ", "common+40(FP)", "R8")
	a.op("MOVQ", "low+48(FP)", "R9")
	a.op("MOVQ", "R9", "R10")
	for i := range 2 {
		kuznyechikSpread(a, at("R8", 16*i), kuznyechikFirst+64*i)
	}
	a.label("batch")
	kuznyechikCount(a, x)
	a.op("MOVQ", "$64", "DX")
	kuznyechikEncrypt(a, x, true)
	a.end()

	kuznyechikChain(a)
	kuznyechikExpand(a)
	kuznyechikCommon(a)
	kuznyechikLanes(a)
	return a.String()
}

func firstBytes() (x bytesOf) {
	for j := range x {
		x[j] = reg(j)
	}
	return x
}

// kuznyechikSetUp loads the arguments and the tables, and spreads the round keys:
// instructions can take the same four bytes from memory for all of a register.
func kuznyechikSetUp(a *asm) {
	for i, r := range []string{"AX", "BX", "DI", "SI", "CX"} {
		name := []string{"keys", "t", "dst", "src", "batches"}[i]
		a.Printf("\tMOVQ %s+%d(FP), %s\n", name, 8*i, r)
	}
	for i := range reg(4) {
		a.Printf("\tVMOVDQU64 sliced_substitution+%d(BX), %v\n", 64*i, kuznyechikBox+i)
	}
	for i := range reg(6) {
		a.Printf("\tVPBROADCASTQ sliced_matrices+%d(BX), %v\n", 8*i, kuznyechikMatrices+i)
	}
	a.op("VMOVDQU64", "sliced_fourfold(BX)", kuznyechikScratch)
	kuznyechikSpread(a, at("AX", 0), 0)
	for i := 1; i < kuznyechikRounds; i++ {
		kuznyechikSpread(a, fmt.Sprintf("schedule_fed+%d(AX)", 16*i), 64*i)
	}
}

// kuznyechikSpread stores every byte of a block four times. The order of bytes is in
// the first register of scratch.
func kuznyechikSpread(a *asm, from string, to int) {
	a.op("VPMOVZXBD", from, kuznyechikScratch+1)
	a.op("VPSHUFB", kuznyechikScratch, kuznyechikScratch+1, kuznyechikScratch+1)
	a.op("VMOVDQU64", kuznyechikScratch+1, at("SP", to))
}

// kuznyechikCount loads x with counters after the first round. Only the last byte differs
// from block to block, so that the round is one substitution and sixteen products, which
// are added to what the other bytes make. Blocks whose last byte has passed 255 have
// other bytes in common: common holds those of the first block, and the sum of both.
func kuznyechikCount(a *asm, x bytesOf) {
	const last, kept, wrapped = kuznyechikScratch, kuznyechikScratch + 1, kuznyechikScratch + 2
	a.op("VPBROADCASTB", "R10", last)
	a.op("VPADDB", "sliced_steps(BX)", last, last)
	a.op("VPBROADCASTB", "R9", kept)
	a.op("VPCMPUB", "$1", kept, last, "K3")
	a.op("VPXORD.BCST", at("SP", 4*15), last, last)
	kuznyechikSubstitute(a, last, kept)
	for j, r := range x {
		a.Printf("\tVGF2P8AFFINEQB.BCST $0, sliced_column+%d(BX), %v, %v\n", 8*j, last, r)
		a.op("VPXORD.BCST", at("SP", kuznyechikFirst+4*j), r, r)
	}
	a.op("VPMOVM2B", "K3", wrapped) // not behind a branch: the counters of MGM are secret
	for j, r := range x {
		a.op("VPTERNLOGD.BCST", xorAnd, at("SP", kuznyechikFirst+64+4*j), wrapped, r)
	}
	a.op("ADDQ", "$64", "R10")
}

// transpose exchanges the bytes of the blocks and the numbers of the blocks, in
// every quarter of the registers: the number of a byte is eight bits, four for the
// register and four for the place in it, and each of four steps turns it by one bit.
// It returns the register that is left over.
func (x *bytesOf) transpose(a *asm, spare reg) reg {
	for range 4 {
		var y bytesOf
		for i := range 8 {
			low, high := x[i], x[i+8]
			a.op("VPUNPCKLBW", high, low, spare)
			a.op("VPUNPCKHBW", high, low, high)
			y[2*i], y[2*i+1], spare = spare, high, low
		}
		*x = y
	}
	return spare
}

// move renames the registers of x to those of to; spare is free. Moves between registers
// are free.
func (x *bytesOf) move(a *asm, to *bytesOf, spare reg) {
	for j := range x {
		if x[j] == to[j] {
			continue
		}
		for k := range x { // who is there now makes room
			if k != j && x[k] == to[j] {
				a.op("VMOVDQA64", to[j], spare)
				x[k] = spare
			}
		}
		a.op("VMOVDQA64", x[j], to[j])
		x[j], spare = to[j], x[j]
	}
}

// kuznyechikEncrypt sends x through the rounds from the one whose key, already added, is
// at offset DX, writes it to dst, with xor added to src, and goes on to the next batch.
func kuznyechikEncrypt(a *asm, x bytesOf, xor bool) {
	a.label("round")
	for j := 15; j >= 0; j-- { // in the order in which the round before made them
		// The second way is one instruction more, and leaves one port alone. Half of
		// both is best.
		if scratch := kuznyechikScratch + reg(j%6); j >= 8 {
			kuznyechikSubstitute(a, x[j], scratch)
		} else {
			kuznyechikSelect(a, x[j], scratch)
		}
	}
	for j := 15; j >= 0; j-- {
		x.shift(a, at("SP", 64+4*j)+"(DX*1)")
	}
	a.op("ADDQ", "$64", "DX")
	a.op("CMPQ", "DX", fmt.Sprintf("$%d", kuznyechikKeys-64))
	a.op("JNE", "round")

	x.transpose(a, kuznyechikScratch)
	for k := range x {
		if xor {
			a.op("VPXORD", at("SI", 64*k), x[k], x[k])
		}
		a.op("VMOVDQU64", x[k], at("DI", 64*k))
	}
	a.op("ADDQ", "$1024", "SI")
	a.op("ADDQ", "$1024", "DI")
	a.op("DECQ", "CX")
	a.op("JNZ", "batch")
}

// kuznyechikSubstitute is S: a look-up in the first 128 entries by seven bits, and two in
// 64 by six, of bytes that have the eighth bit and of those that have the seventh as well.
func kuznyechikSubstitute(a *asm, x, scratch reg) {
	a.op("VPMOVB2M", x, "K1")
	a.op("VPCMPUB", "$5", "sliced_last(BX)", x, "K2")
	a.op("VMOVDQA64", x, scratch)
	a.op("VPERMI2B", kuznyechikBox+1, kuznyechikBox, x)
	a.op("VPERMB", kuznyechikBox+2, scratch, "K1", x)
	a.op("VPERMB", kuznyechikBox+3, scratch, "K2", x)
}

// kuznyechikSelect is S: two look-ups in 128 entries by seven bits; the eighth selects.
func kuznyechikSelect(a *asm, x, scratch reg) {
	a.op("VPMOVB2M", x, "K1")
	a.op("VMOVDQA64", x, scratch)
	a.op("VPERMI2B", kuznyechikBox+1, kuznyechikBox, scratch)
	a.op("VPERMI2B", kuznyechikBox+3, kuznyechikBox+2, x)
	a.op("VPBLENDMB", x, scratch, "K1", x)
}

// shift is the transformation R of RFC 7801, Section 4.2: all bytes move by one place
// and the one that falls out becomes the sum l; and it adds a byte of a round key that
// was made for that, since later shifts take the sum with it.
//
// The factors of l are the same from both ends, so bytes are added in pairs before they
// are multiplied; and 16 is the sum of 148, 133 and 1, so its bytes are added to
// theirs. The bytes that the shifts before have made come last, so as not to wait for them.
func (x *bytesOf) shift(a *asm, key string) {
	const quarter, y, z = kuznyechikScratch, kuznyechikScratch + 1, kuznyechikScratch + 3
	sum := x[15]
	add := func(y, z any) { a.op("VPTERNLOGD", xorXor, y, z, sum) }
	multiply := func(i reg, from, to reg) {
		a.op("VGF2P8AFFINEQB", "$0", kuznyechikMatrices+i, from, to)
	}
	product := func(i reg, to reg) reg {
		a.op("VPXORD", x[14-i], x[i], to)
		multiply(i, to, to)
		return to
	}
	withQuarter := func(i reg, to reg) reg { // of 16 as well
		a.op("VMOVDQA64", quarter, to)
		a.op("VPTERNLOGD", xorXor, x[14-i], x[i], to)
		multiply(i, to, to)
		return to
	}
	add(x[6], x[8])
	a.op("VPXORD", x[11], x[3], quarter)
	a.op("VPTERNLOGD.BCST", xorXor, key, quarter, sum)
	multiply(3, x[7], y)
	add(y, product(5, z))
	add(product(4, y+1), withQuarter(2, z+1))
	p1, p0 := product(1, z+2), withQuarter(0, y)
	add(p1, p0)
	copy(x[1:], x[:15])
	x[0] = sum
}
