package main

import (
	"fmt"
	"strings"
)

// A place is where a field element is in memory.
type place struct {
	text   string // how an operand ends: "(SP)", "(SI)", "·name(SB)"
	offset int    // bytes
}

// limb is the operand for the i-th limb.
func (p place) limb(i int) string {
	at := p.offset + 8*i
	if symbol, ok := strings.CutSuffix(p.text, "(SB)"); ok {
		return fmt.Sprintf("%s+%d(SB)", symbol, at)
	}
	return fmt.Sprintf("%d%s", at, p.text)
}

// asm is a file of Go assembly that grows line by line. The arithmetic keeps sums
// in the registers of acc and uses AX, BX and DX for what passes; SI, DI and CX
// are for addresses.
type asm struct {
	strings.Builder
	f       *field
	held    place // what the first registers of acc hold, when the next operation begins
	vartime bool  // whether it may branch on what hardly ever happens
	rare    strings.Builder
	rares   int
}

var acc = [8]string{"R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15"}

// op writes an instruction; the last operand is where the result goes.
func (a *asm) op(name string, operands ...string) {
	a.WriteString(strings.TrimRight("\t"+name+" "+strings.Join(operands, ", "), " ") + "\n")
}

func (a *asm) comment(format string, args ...any) {
	fmt.Fprintf(a, "\t// "+format+"\n", args...)
}

// imm is an immediate operand.
func imm(x uint64) string { return fmt.Sprintf("$%#x", x) }

// clearFlags zeroes the register and both carry flags.
func (a *asm) clearFlags(reg string) { a.op("XORQ", reg, reg) }

// twoCarries adds zero to reg with both carry flags; it takes a register for the
// zero. MOVQ leaves the flags alone.
func (a *asm) twoCarries(reg, zero string) {
	a.op("MOVQ", "$0", zero)
	a.op("ADCXQ", zero, reg)
	a.op("ADOXQ", zero, reg)
}

// load puts x into the registers, unless it is there already.
func (a *asm) load(x place, r []string) {
	if x == a.held && r[0] == acc[0] {
		return
	}
	for i := range a.f.Limbs {
		a.op("MOVQ", x.limb(i), r[i])
	}
}

// store puts the registers into z.
func (a *asm) store(z place, r []string) {
	a.held = place{}
	if a.f.Limbs == 4 && r[0] == acc[0] {
		a.held = z
	}
	for i := range a.f.Limbs {
		a.op("MOVQ", r[i], z.limb(i))
	}
}

// carryChain applies the first instruction to limb 0 and the second to the others.
func (a *asm) carryChain(first, others string, source func(int) string, r []string) {
	name := first
	for i := range a.f.Limbs {
		a.op(name, source(i), r[i])
		name = others
	}
}

// zeroBut returns operands: x for limb 0 and zero for the others.
func zeroBut(x string) func(int) string { return first(x, "$0") }

// foldCarry adds c, or subtracts it, if the carry flag is set: that is what the lost
// 2^N is worth. AX must be zero.
func (a *asm) foldCarry(first, others string, r []string) {
	a.op("MOVQ", imm(a.f.c), "DX")
	a.op("CMOVQCS", "DX", "AX")
	a.addSmall(first, others, "AX", r)
}

// addSmall adds or subtracts a small number. It may carry once more, but then leaves a
// small number, so that c can be added to the lowest limb alone.
func (a *asm) addSmall(first, others, small string, r []string) {
	if a.vartime {
		a.smallVartime(first, others, small, r)
		return
	}
	c := int64(a.f.c)
	if first == "SUBQ" {
		c = -c
	}
	a.op(first, small, r[0])
	a.op("LEAQ", fmt.Sprintf("%d(%s)", c, r[0]), "AX")
	for _, reg := range r[1:] {
		a.op(others, "$0", reg)
	}
	a.op("CMOVQCS", "AX", r[0])
}

// add emits z = x + y.
func (a *asm) add(z, x, y place) {
	r := acc[:a.f.Limbs]
	if y == a.held {
		x, y = y, x
	}
	a.load(x, r)
	a.clearFlags("AX")
	a.carryChain("ADDQ", "ADCQ", y.limb, r)
	switch {
	case a.f.shape == below:
		a.foldCarry("ADDQ", "ADCQ", r)
	case a.f.shape == above && a.vartime:
		a.foldCarryAbove("SUBQ", "SBBQ", r)
	case a.f.shape == above:
		a.foldSumAbove(r)
	case a.f.shape == montgome:
		a.op("MOVQ", "$0", "R12")
		a.op("ADCQ", "R12", "R12")
		r = a.subtractPrime(r, "R12")
	}
	a.store(z, r)
}

// foldSumAbove: see addAbove.
func (a *asm) foldSumAbove(r []string) {
	top := r[len(r)-1]
	a.op("SBBQ", "AX", "AX") // minus the carry
	a.op("MOVQ", top, "BX")
	a.op("SHRQ", "$63", "BX")
	a.op("SUBQ", "AX", "BX")
	a.op("SUBQ", "AX", "BX")
	a.comment("BX is how many times 2^%d fits, DX whether it does", 64*a.f.Limbs-1)
	a.op("MOVQ", "BX", "DX")
	a.op("SHRQ", "$1", "DX")
	a.op("ORQ", "BX", "DX")
	a.op("ANDQ", "$1", "DX")
	a.op("SUBQ", "DX", "BX")
	a.op("IMUL3Q", imm(a.f.c), "BX", "BX")
	a.op("SHLQ", "$1", top)
	a.op("SHRQ", "$1", top)
	a.op("SHLQ", "$63", "DX")
	a.op("ORQ", "DX", top)
	a.carryChain("SUBQ", "SBBQ", zeroBut("BX"), r)
}

// subtractPrime subtracts p from high·2^N + r if it is not less, for four limbs.
// It returns the registers with the result.
func (a *asm) subtractPrime(r []string, high string) []string {
	s := []string{"AX", "BX", "DX", "R15"}
	for i := range s {
		a.op("MOVQ", r[i], s[i])
	}
	a.carryChain("SUBQ", "SBBQ", a.primeOperand, s)
	a.op("SBBQ", "$0", high)
	for i := range s {
		a.op("CMOVQCS", r[i], s[i])
	}
	return s
}

// primeOperand is the i-th limb of p in memory.
func (a *asm) primeOperand(i int) string { return fmt.Sprintf("prime<>+%d(SB)", 8*i) }

// sub emits z = x − y, or −y without x.
func (a *asm) sub(z place, x *place, y place) {
	r := acc[:a.f.Limbs]
	if x != nil {
		a.load(*x, r)
	} else {
		for _, reg := range r {
			a.op("XORQ", reg, reg)
		}
	}
	a.clearFlags("AX")
	a.carryChain("SUBQ", "SBBQ", y.limb, r)
	switch {
	case a.f.shape == below:
		a.foldCarry("SUBQ", "SBBQ", r)
	case a.f.shape == above && a.vartime:
		a.foldCarryAbove("ADDQ", "ADCQ", r)
	case a.f.shape == above:
		a.foldDifferenceAbove(r)
	case a.f.shape == montgome:
		a.op("SBBQ", "AX", "AX")
		masked := []string{"BX", "DX", "R12", "R13"}
		for i, reg := range masked {
			a.op("MOVQ", a.primeOperand(i), reg)
			a.op("ANDQ", "AX", reg)
		}
		a.carryChain("ADDQ", "ADCQ", func(i int) string { return masked[i] }, r)
	}
	a.store(z, r)
}

// foldDifferenceAbove: see addAbove.
func (a *asm) foldDifferenceAbove(r []string) {
	top := r[len(r)-1]
	a.op("SBBQ", "AX", "AX")
	a.op("MOVQ", top, "BX")
	a.op("SHRQ", "$63", "BX")
	a.op("NEGQ", "BX")
	a.op("ADDQ", "$2", "BX")
	a.op("IMUL3Q", imm(a.f.c), "BX", "BX")
	a.op("ANDQ", "AX", "BX")
	a.clearTopBit(top, "AX")
	a.carryChain("ADDQ", "ADCQ", zeroBut("BX"), r)
}

// clearTopBit clears the top bit of reg if the mask is all ones; it changes the
// mask.
func (a *asm) clearTopBit(reg, mask string) {
	a.op("SHLQ", "$63", mask)
	a.op("NOTQ", mask)
	a.op("ANDQ", mask, reg)
}

// half emits z = x/2: p is odd, so an odd x becomes even by adding p.
func (a *asm) half(z, x place) {
	r := acc[:a.f.Limbs]
	a.load(x, r)
	a.op("MOVQ", r[0], "AX")
	a.op("ANDQ", "$1", "AX")
	a.op("NEGQ", "AX")
	if a.vartime && a.f.shape != montgome {
		a.addOddVartime(r)
		a.shiftRight(r)
		a.store(z, r)
		return
	}
	switch a.f.shape {
	case below:
		a.op("MOVQ", fmt.Sprintf("$-%d", a.f.c), "BX")
		a.op("ANDQ", "AX", "BX")
		a.carryChain("ADDQ", "ADCQ", first("BX", "AX"), r)
	case above:
		a.op("MOVQ", "AX", "DX")
		a.op("SHLQ", "$63", "DX")
		a.op("MOVQ", "AX", "BX")
		a.op("ANDQ", imm(a.f.c), "BX")
		a.carryChain("ADDQ", "ADCQ", func(i int) string {
			switch i {
			case 0:
				return "BX"
			case a.f.Limbs - 1:
				return "DX"
			}
			return "$0"
		}, r)
	case montgome:
		masked := []string{"BX", "DX", "R12", "R13"}
		for i, reg := range masked {
			a.op("MOVQ", a.primeOperand(i), reg)
			a.op("ANDQ", "AX", reg)
		}
		a.carryChain("ADDQ", "ADCQ", func(i int) string { return masked[i] }, r)
	}
	a.op("SBBQ", "AX", "AX")
	a.shiftRight(r)
	a.store(z, r)
}

// shiftRight shifts r by one bit; the low bit of AX is shifted in.
func (a *asm) shiftRight(r []string) {
	for i := range r {
		above := "AX"
		if i+1 < len(r) {
			above = r[i+1]
		}
		a.op("SHRQ", "$1", above, r[i])
	}
}

// mulSmall emits z = x·k for a field below 2^256.
func (a *asm) mulSmall(z, x place, k uint64) {
	r := acc[:5]
	a.op("MOVQ", imm(k), "DX")
	a.productRow(x, r)
	a.foldTop(r[:4], r[4])
	a.store(z, r)
}

// productRow emits r = DX·y, one register more than limbs.
func (a *asm) productRow(y place, r []string) {
	a.op("MULXQ", y.limb(0), r[0], r[1])
	name := "ADDQ"
	for j := 1; j < a.f.Limbs; j++ {
		a.op("MULXQ", y.limb(j), "AX", r[j+1])
		a.op(name, "AX", r[j])
		name = "ADCQ"
	}
	a.op("ADCQ", "$0", r[a.f.Limbs])
}

// foldTop adds top·2^N to r, for a small top.
func (a *asm) foldTop(r []string, top string) {
	a.op("IMUL3Q", imm(a.f.c), top, top)
	a.addSmall("ADDQ", "ADCQ", top, r)
}

// addRow emits w += DX·y with two carry chains, where w has one register less than
// needed: the product's top goes to the register top.
func (a *asm) addRow(y func(int) string, w []string, top string) {
	n := len(w)
	for j := range n {
		high := "BX"
		if j == n-1 {
			high = top
		}
		a.op("MULXQ", y(j), "AX", high)
		a.op("ADCXQ", "AX", w[j])
		if j < n-1 {
			a.op("ADOXQ", high, w[j+1])
		}
	}
	a.twoCarries(top, "AX")
}

// fold256 reduces the eight registers of acc to four and stores them.
func (a *asm) fold256(z place) {
	low, high := acc[:4], acc[4:]
	if a.f.shape == above {
		a.foldAbove(z, func(int) string { return "" }, high)
		return
	}
	a.op("MOVQ", imm(a.f.c), "DX")
	a.clearFlags("AX")
	a.addRow(func(i int) string { return high[i] }, low, high[0])
	a.foldTop(low, high[0])
	a.store(z, low)
}
