package main

import "fmt"

// Registers of kuznyechik. 0-15 are the bytes of the blocks: register j has byte j of
// 64 blocks. Byte 16*l+k of a register belongs to block 4*k+l, because this is
// where the transposition of quarters of registers takes it from.
const (
	kuznyechikBox      reg = 16 // 16-19: the substitution
	kuznyechikMatrices reg = 20 // 20-26: the matrices
	kuznyechikScratch  reg = 27 // 27-31

	kuznyechikRounds = 10
	kuznyechikKeys   = 64 * kuznyechikRounds // bytes of the stack: round keys, every byte four times
)

// bytesOf are the registers of the bytes of the blocks.
type bytesOf [16]reg

// kuznyechik returns the assembly of package kuznyechik: 64 blocks at a time. With
// one byte of all blocks in a register, multiplication by a constant is one GFNI
// instruction, and nothing moves inside registers.
func kuznyechik() string {
	a := newFile()
	a.function("encrypt64", "(keys *[rounds]vector, t *sliced, dst, src *byte, batches int)", kuznyechikKeys, 40)
	kuznyechikSetUp(a)
	a.label("batch")
	x, spare := firstBytes(), kuznyechikScratch
	for k := range x {
		a.op("VMOVDQU64", at("SI", 64*k), x[k])
	}
	spare = x.transpose(a, spare)
	kuznyechikEncrypt(a, x, spare, false)
	a.end()

	a.function("counter64", "(keys *[rounds]vector, t *sliced, dst, src *byte, batches int, hi, lo uint64)", kuznyechikKeys+32, 56)
	kuznyechikSetUp(a)
	a.op("MOVQ", "hi+40(FP)", "R9")
	a.op("MOVQ", "lo+48(FP)", "R10")
	a.label("batch")
	x = firstBytes()
	kuznyechikCount(a, x)
	kuznyechikEncrypt(a, x, kuznyechikScratch, true)
	a.end()

	kuznyechikChain(a)
	kuznyechikExpand(a)
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
	for i := range reg(7) {
		a.Printf("\tVPBROADCASTQ sliced_matrices+%d(BX), %v\n", 8*i, kuznyechikMatrices+i)
	}
	a.op("VMOVDQU64", "sliced_fourfold(BX)", kuznyechikScratch)
	for i := range kuznyechikRounds {
		a.op("VPMOVZXBD", at("AX", 16*i), kuznyechikScratch+1)
		a.op("VPSHUFB", kuznyechikScratch, kuznyechikScratch+1, kuznyechikScratch+1)
		a.op("VMOVDQU64", kuznyechikScratch+1, at("SP", 64*i))
	}
}

// kuznyechikCount loads x with counters. Only the last byte differs from block to
// block, except that blocks where it has passed 255 take the other bytes from the
// counter that has 0 there.
func kuznyechikCount(a *asm, x bytesOf) {
	now, wrapped, low, steps := kuznyechikKeys, kuznyechikKeys+16, kuznyechikScratch, kuznyechikScratch+1
	a.op("VPBROADCASTB", "R10", low)
	a.op("VMOVDQU64", "sliced_steps(BX)", steps)
	a.op("VPADDB", steps, low, x[15])
	a.op("VPCMPUB", "$1", low, x[15], "K1")
	a.op("MOVQ", "R9", "R11")
	a.op("MOVQ", "R10", "R12")
	a.op("ORQ", "$255", "R12")
	a.op("ADDQ", "$1", "R12")
	a.op("ADCQ", "$0", "R11")
	for i, r := range []string{"R9", "R10", "R11", "R12"} {
		a.op("MOVQ", r, "DX")
		a.op("BSWAPQ", "DX")
		a.op("MOVQ", "DX", at("SP", now+8*i))
	}
	for j := range 15 {
		a.op("VPBROADCASTB", at("SP", now+j), x[j])
		a.op("VPBROADCASTB", at("SP", wrapped+j), "K1", x[j])
	}
	a.op("ADDQ", "$64", "R10")
	a.op("ADCQ", "$0", "R9")
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

// kuznyechikEncrypt encrypts x, writes it to dst, with xor added to src, and goes on
// to the next batch. The spare register is the one below 28 that has no byte.
func kuznyechikEncrypt(a *asm, x bytesOf, spare reg, xor bool) {
	scratch := [5]reg{spare, 28, 29, 30, 31}
	a.op("XORQ", "DX", "DX")
	a.label("round")
	for j := 15; j >= 0; j-- { // in the order in which the round before made them
		kuznyechikAddKey(a, j, x[j])
		// S: two look-ups in 128 entries by seven bits; the eighth selects.
		low := scratch[j%len(scratch)]
		a.op("VPMOVB2M", x[j], "K1")
		a.op("VMOVDQA64", x[j], low)
		a.op("VPERMI2B", kuznyechikBox+1, kuznyechikBox, low)
		a.op("VPERMI2B", kuznyechikBox+3, kuznyechikBox+2, x[j])
		a.op("VPBLENDMB", x[j], low, "K1", x[j])
	}
	for range 16 {
		x.shift(a, scratch)
	}
	a.op("ADDQ", "$64", "DX")
	a.op("CMPQ", "DX", fmt.Sprintf("$%d", kuznyechikKeys-64))
	a.op("JNE", "round")
	for j, r := range x {
		kuznyechikAddKey(a, j, r)
	}

	x.transpose(a, spare)
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

// kuznyechikAddKey adds byte j of the round key at offset DX to a register.
func kuznyechikAddKey(a *asm, j int, r reg) {
	a.op("VPXORD.BCST", at("SP", 4*j)+"(DX*1)", r, r)
}

// shift is the transformation R of RFC 7801, Section 4.2: all bytes move by one place
// and the one that falls out becomes the sum l. The factors of l are the same from
// both ends, so bytes are added in pairs before they are multiplied. The bytes
// that the shifts before have made come last, so as not to wait for them.
func (x *bytesOf) shift(a *asm, scratch [5]reg) {
	sum := x[15]
	product := func(i int, to reg) reg {
		a.op("VPXORD", x[14-i], x[i], to)
		a.op("VGF2P8AFFINEQB", "$0", kuznyechikMatrices+reg(i), to, to)
		return to
	}
	add := func(y, z reg) { a.op("VPTERNLOGD", xorXor, y, z, sum) }
	add(x[6], x[8])
	a.op("VGF2P8AFFINEQB", "$0", kuznyechikMatrices+6, x[7], scratch[0])
	add(scratch[0], product(5, scratch[1]))
	add(product(4, scratch[2]), product(3, scratch[3]))
	add(product(2, scratch[4]), product(1, scratch[0]))
	a.op("VPXORD", product(0, scratch[1]), sum, sum)
	copy(x[1:], x[:15])
	x[0] = sum
}
