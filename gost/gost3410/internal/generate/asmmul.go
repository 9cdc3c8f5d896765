package main

import "fmt"

// mul emits z = x·y.
func (a *asm) mul(z, x, y place) {
	switch {
	case a.f.shape == montgome:
		a.mulMontgomery(z, x, y)
	case a.f.Limbs == 4:
		a.op("MOVQ", x.limb(0), "DX")
		a.productRow(y, acc[:5])
		for i := 1; i < 4; i++ {
			a.clearFlags("AX")
			a.op("MOVQ", x.limb(i), "DX")
			a.addRow(y.limb, acc[i:i+4], acc[i+4])
		}
		a.fold256(z)
	default:
		a.mul512(z, x, y)
	}
}

// square emits z = x².
func (a *asm) square(z, x place) {
	switch {
	case a.f.shape == montgome:
		a.mulMontgomery(z, x, x)
	case a.f.Limbs == 4:
		a.square256(x)
		a.fold256(z)
	default:
		a.square512(z, x)
	}
}

// square256 emits acc = x²: the products of different limbs, twice, and the
// squares.
func (a *asm) square256(x place) {
	t := acc
	a.op("MOVQ", x.limb(0), "DX")
	a.op("MULXQ", x.limb(1), t[1], t[2])
	a.op("MULXQ", x.limb(2), "AX", t[3])
	a.op("ADDQ", "AX", t[2])
	a.op("MULXQ", x.limb(3), "AX", t[4])
	a.op("ADCQ", "AX", t[3])
	a.op("ADCQ", "$0", t[4])
	a.clearFlags("AX")
	a.op("MOVQ", x.limb(1), "DX")
	a.addRow(func(i int) string { return x.limb(2 + i) }, t[3:5], t[5])
	a.op("MOVQ", x.limb(2), "DX")
	a.op("MULXQ", x.limb(3), "AX", t[6])
	a.op("ADDQ", "AX", t[5])
	a.op("ADCQ", "$0", t[6])
	a.clearFlags(t[7])
	for i := range 4 {
		a.op("MOVQ", x.limb(i), "DX")
		if i == 0 {
			a.op("MULXQ", "DX", t[0], "BX")
		} else {
			a.op("MULXQ", "DX", "AX", "BX")
			a.op("ADCXQ", t[2*i], t[2*i])
			a.op("ADOXQ", "AX", t[2*i])
		}
		a.op("ADCXQ", t[2*i+1], t[2*i+1])
		a.op("ADOXQ", "BX", t[2*i+1])
	}
}

// stack is the i-th word of the frame of the subroutines of 512 bits: their low
// half.
func stack(i int) string { return fmt.Sprintf("%d(SP)", 8*i) }

// mul512 emits z = x·y row by row: the lowest limb of every row is done and goes to
// the stack, which makes room for the highest of the next.
func (a *asm) mul512(z, x, y place) {
	w := append([]string{}, acc[:]...)
	a.op("MOVQ", x.limb(0), "DX")
	a.op("MULXQ", y.limb(0), "AX", w[0])
	a.op("MOVQ", "AX", stack(0))
	name := "ADDQ"
	for j := 1; j < 8; j++ {
		a.op("MULXQ", y.limb(j), "AX", w[j])
		a.op(name, "AX", w[j-1])
		name = "ADCQ"
	}
	a.op("ADCQ", "$0", w[7])
	for i := 1; i < 8; i++ {
		a.clearFlags("AX")
		a.op("MOVQ", x.limb(i), "DX")
		a.op("MULXQ", y.limb(0), "AX", "BX")
		a.op("ADCXQ", "AX", w[0])
		a.op("ADOXQ", "BX", w[1])
		a.op("MOVQ", w[0], stack(i))
		a.addRow(func(j int) string { return y.limb(j + 1) }, w[1:], w[0])
		w = append(w[1:], w[0])
	}
	a.fold512(z, w)
}

// fold512 reduces the low half on the stack and the high half in registers, and
// stores it.
func (a *asm) fold512(z place, high []string) {
	if a.f.shape == above {
		a.foldAbove(z, stack, high)
		return
	}
	a.op("MOVQ", imm(a.f.c), "DX")
	a.clearFlags("AX")
	a.op("MULXQ", high[0], "BX", high[0])
	a.op("ADCXQ", stack(0), "BX")
	for j := 1; j < 8; j++ {
		a.op("MULXQ", high[j], "AX", high[j])
		a.op("ADOXQ", "AX", high[j-1])
		a.op("ADCXQ", stack(j), high[j-1])
	}
	a.twoCarries(high[7], "AX")
	r := append([]string{"BX"}, high[:7]...)
	a.foldTop(r, high[7])
	a.store(z, r)
}

// foldAbove is the reduction of a field whose prime is above a power of two; see
// reduce. The low half is in memory, or in acc if the field has four limbs.
func (a *asm) foldAbove(z place, low func(int) string, high []string) {
	n := len(high)
	a.op("MOVQ", imm(2*a.f.c), "DX")
	a.op("MULXQ", high[0], "BX", high[0])
	name := "ADDQ"
	for j := 1; j < n; j++ {
		a.op("MULXQ", high[j], "AX", high[j])
		a.op(name, "AX", high[j-1])
		name = "ADCQ"
	}
	over := high[n-1]
	a.op("ADCQ", "$0", over)
	product := append([]string{"BX"}, high[:n-1]...)
	r := product
	name = "SUBQ"
	for j := range n {
		if n == 4 {
			r = acc[:4]
			a.op(name, product[j], r[j])
		} else {
			a.op("MOVQ", low(j), "AX")
			a.op(name, product[j], "AX")
			a.op("MOVQ", "AX", product[j])
		}
		name = "SBBQ"
	}
	a.op("ADCQ", "$0", over)
	if a.vartime {
		// What is left is r − over·2^N, and −2^N is worth 2c.
		a.op("IMUL3Q", imm(2*a.f.c), over, over)
		a.smallVartime("ADDQ", "ADCQ", over, r)
		a.store(z, r)
		return
	}
	top := r[n-1]
	a.op("MOVQ", over, "AX")
	a.op("NEGQ", "AX")
	a.op("SBBQ", "AX", "AX") // all ones if over is not 0
	a.op("MOVQ", top, "DX")
	a.op("SHRQ", "$63", "DX")
	a.op("ADDQ", over, over)
	a.op("SUBQ", "DX", over)
	a.op("IMUL3Q", imm(a.f.c), over, over)
	a.op("ANDQ", "AX", over)
	a.clearTopBit(top, "AX")
	a.carryChain("ADDQ", "ADCQ", zeroBut(over), r)
	a.store(z, r)
}

// square512 emits z = x². What is done of the products of different limbs goes to
// the stack up to limb 7, the rest stays in registers.
func (a *asm) square512(z, x place) {
	reg := map[int]string{} // limb of the product to register
	free := append([]string{}, acc[:]...)
	take := func(limb int) string {
		reg[limb], free = free[0], free[1:]
		return reg[limb]
	}
	done := func(limb int) {
		if limb < 8 {
			a.op("MOVQ", reg[limb], stack(limb))
			free = append(free, reg[limb])
			delete(reg, limb)
		}
	}
	a.op("MOVQ", x.limb(0), "DX")
	a.op("MULXQ", x.limb(1), take(1), take(2))
	name := "ADDQ"
	for j := 2; j < 8; j++ {
		a.op("MULXQ", x.limb(j), "AX", take(j+1))
		a.op(name, "AX", reg[j])
		name = "ADCQ"
	}
	a.op("ADCQ", "$0", reg[8])
	done(1)
	done(2)
	for i := 1; i < 7; i++ {
		var w []string
		for limb := 2*i + 1; limb < i+8; limb++ {
			w = append(w, reg[limb])
		}
		a.clearFlags("AX")
		a.op("MOVQ", x.limb(i), "DX")
		a.addRow(func(j int) string { return x.limb(i + 1 + j) }, w, take(i+8))
		done(2*i + 1)
		done(2*i + 2)
	}
	a.clearFlags(take(15))
	a.doubleAndSquares(x, reg)
	var high []string
	for limb := 8; limb < 16; limb++ {
		high = append(high, reg[limb])
	}
	a.fold512(z, high)
}

// doubleAndSquares doubles the products and adds the squares of the limbs.
func (a *asm) doubleAndSquares(x place, reg map[int]string) {
	addTo := func(limb int, what string) {
		r, spilled := reg[limb], reg[limb] == ""
		if spilled {
			r = "AX"
			a.op("MOVQ", stack(limb), r)
		}
		a.op("ADCXQ", r, r)
		a.op("ADOXQ", what, r)
		if spilled {
			a.op("MOVQ", r, stack(limb))
		}
	}
	for i := range 8 {
		a.op("MOVQ", x.limb(i), "DX")
		a.op("MULXQ", "DX", "DX", "BX")
		if i == 0 {
			a.op("MOVQ", "DX", stack(0))
		} else {
			addTo(2*i, "DX")
		}
		addTo(2*i+1, "BX")
	}
}

// mulMontgomery emits z = x·y / 2^256: the rows of the product and of the reduction
// alternate, and the sum stays below 2p after every pair.
func (a *asm) mulMontgomery(z, x, y place) {
	w, next := append([]string{}, acc[:5]...), acc[5]
	a.op("MOVQ", x.limb(0), "DX")
	a.productRow(y, w)
	for i := range 4 {
		if i > 0 {
			a.clearFlags("AX")
			a.op("MOVQ", x.limb(i), "DX")
			for j := range 4 {
				a.op("MULXQ", y.limb(j), "AX", "BX")
				a.op("ADCXQ", "AX", w[j])
				a.op("ADOXQ", "BX", w[j+1])
			}
			a.op("MOVQ", "$0", "AX")
			a.op("ADCXQ", "AX", w[4])
		}
		a.op("MOVQ", imm(a.f.negInverse()), "DX")
		a.op("IMULQ", w[0], "DX")
		a.clearFlags(next)
		for j := range 4 {
			a.op("MULXQ", a.primeOperand(j), "AX", "BX")
			a.op("ADCXQ", "AX", w[j])
			a.op("ADOXQ", "BX", w[j+1])
		}
		a.op("MOVQ", "$0", "AX")
		a.op("ADCXQ", "AX", w[4])
		a.op("ADCXQ", "AX", next)
		a.op("ADOXQ", "AX", next)
		w, next = append(w[1:], next), w[0]
	}
	a.store(z, a.subtractPrime(w[:4], w[4]))
}
