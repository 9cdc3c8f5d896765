package main

import "fmt"

// Where the numbers are public, an operation ends as soon as the result is right
// almost always: adding a small number to the lowest limb carries once in 2^40 times
// or less, unless somebody wants it to. The rest is after the end of the function, where
// a branch goes that is never taken.

// rarely emits a jump to what fix emits, and back.
func (a *asm) rarely(fix func(*asm)) {
	label := fmt.Sprintf("rare%d", a.rares)
	a.rares++
	a.op("JCS", label)
	a.WriteString("back" + label + ":\n")
	aside := &asm{f: a.f}
	fix(aside)
	fmt.Fprintf(&a.rare, "%s:\n%s\tJMP back%s\n", label, aside, label)
}

// end emits the end of a function.
func (a *asm) end() {
	a.op("RET")
	a.WriteString(a.rare.String())
}

// smallVartime adds or subtracts a small number, and reduces if the result leaves
// [0, 2^N).
func (a *asm) smallVartime(first, others, small string, r []string) {
	a.op(first, small, r[0])
	a.rarely(func(b *asm) {
		b.op(first, "$1", r[1])
		for _, reg := range r[2:] {
			b.op(others, "$0", reg)
		}
		if b.f.shape == below {
			// See foldCarry.
			b.op("SBBQ", "AX", "AX")
			b.op("ANDQ", imm(b.f.c), "AX")
			b.op(first, "AX", r[0])
			return
		}
		// A sum is 2^N + r, and 2^N is worth −2c, or p − 2c = 2^(N−1) − c; a
		// difference is r − 2^N, and −2^N + p is worth 2^(N−1) + c. In both cases the
		// result is in [0, 2^N), so that the top bit is what is left of 2^(N−1).
		opposite, opposites := "SUBQ", "SBBQ"
		if first == "SUBQ" {
			opposite, opposites = "ADDQ", "ADCQ"
		}
		b.op("SBBQ", "AX", "AX")
		b.op("MOVQ", "AX", "DX")
		b.op("ANDQ", imm(b.f.c), "DX")
		b.op("SHLQ", "$63", "AX")
		b.carryChain(opposite, opposites, zeroBut("DX"), r)
		b.op("XORQ", "AX", r[len(r)-1])
	})
}

// foldCarryAbove is foldCarry for a prime above a power of two: 2^N is worth −2c, so
// that a carry is subtracted and a borrow added.
func (a *asm) foldCarryAbove(first, others string, r []string) {
	a.op("SBBQ", "AX", "AX")
	a.op("ANDQ", imm(2*a.f.c), "AX")
	a.smallVartime(first, others, "AX", r)
}

// addOddVartime adds p to r if AX is all ones and nothing if it is 0, and sets the low
// bit of AX to the carry.
func (a *asm) addOddVartime(r []string) {
	a.op("MOVQ", "AX", "BX")
	a.op("ANDQ", imm(a.f.c), "BX")
	first, others := "SUBQ", "SBBQ" // p = 2^N − c
	if a.f.shape == above {
		first, others = "ADDQ", "ADCQ" // p = 2^(N−1) + c
		a.op("SHLQ", "$63", "AX")
		a.op("ADDQ", "AX", r[len(r)-1])
		a.op("SBBQ", "AX", "AX")
	}
	a.op(first, "BX", r[0])
	a.rarely(func(b *asm) {
		b.op(first, "$1", r[1])
		for _, reg := range r[2:] {
			b.op(others, "$0", reg)
		}
		b.op("ADCQ", "$0", "AX")
	})
}

// vartimeOperations emits Add, Sub, Mul and Square for public numbers in Go.
func (f *field) vartimeOperations(w *writer) {
	const why = "for public numbers: it takes variable time"
	if f.shape != below {
		w.p("// AddVartime sets z = x + y, %s.", why)
		w.p("func (z *%s) AddVartime(x, y *%s) { z.Add(x, y) }\n", f.Type, f.Type)
		w.p("// SubVartime sets z = x − y, %s.", why)
		w.p("func (z *%s) SubVartime(x, y *%s) { z.Sub(x, y) }\n", f.Type, f.Type)
		w.p("// MulVartime sets z = x·y, %s.", why)
		w.p("func (z *%s) MulVartime(x, y *%s) { z.Mul(x, y) }\n", f.Type, f.Type)
		w.p("// SquareVartime sets z = x², %s.", why)
		w.p("func (z *%s) SquareVartime(x *%s) { z.Square(x) }\n", f.Type, f.Type)
		return
	}
	w.p("// AddVartime sets z = x + y, %s.", why)
	f.sumBelow(w, "AddVartime", "Add64", "+")
	w.p("// SubVartime sets z = x − y, %s.", why)
	f.sumBelow(w, "SubVartime", "Sub64", "-")
	w.p("// MulVartime sets z = x·y, %s.", why)
	w.p("func (z *%s) MulVartime(x, y *%s) {", f.Type, f.Type)
	product(w, f.Limbs)
	f.reduce(w, true)
	w.p("}\n")
	w.p("// SquareVartime sets z = x², %s.", why)
	w.p("func (z *%s) SquareVartime(x *%s) {", f.Type, f.Type)
	square(w, f.Limbs)
	f.reduce(w, true)
	w.p("}\n")
}

// smallBelow emits name0…name(n−1) ± m, reduced: 2^N = c, so a carry out is worth c. It
// leaves less than m behind, so this cannot carry again. In variable time, nothing is
// done for the carry out of the lowest limb until there is one.
func (f *field) smallBelow(w *writer, name, op, sign string, vartime bool) {
	limb := num(name)
	w.p("%s, c = bits.%s(%s, m, 0)", limb(0), op, limb(0))
	if vartime {
		w.p("if c != 0 { // hardly ever")
	}
	for i := 1; i < f.Limbs; i++ {
		w.p("%s, c = bits.%s(%s, 0, c)", limb(i), op, limb(i))
	}
	w.p("%s %s= -c & %d", limb(0), sign, f.c)
	if vartime {
		w.p("}")
	}
	f.store(w, name)
}
