package main

import (
	"fmt"
	"go/ast"
	"strconv"
	"strings"
)

// asmHeader begins a file of assembly.
func (f *field) asmHeader() string {
	text := header + amd64 + "#include \"textflag.h\"\n#include \"funcdata.h\"\n"
	if f.shape == montgome {
		text += "\n// The prime.\n"
		for i := range f.Limbs {
			text += fmt.Sprintf("DATA prime<>+%d(SB)/8, $%s\n", 8*i, f.primeLimb(i))
		}
		text += fmt.Sprintf("GLOBL prime<>(SB), NOPTR|RODATA, $%d\n", 8*f.Limbs)
	}
	return text
}

// scratch is the frame that an operation of the field needs.
func (f *field) scratch() int {
	if f.Limbs == 8 {
		return 64
	}
	return 0
}

// the operands of subroutines.
var (
	operandZ = place{text: "(CX)"}
	operandX = place{text: "(SI)"}
	operandY = place{text: "(DI)"}
)

// asmSource returns the assembly of the multiplications of the field.
func (f *field) asmSource() string {
	var out strings.Builder
	out.WriteString(f.asmHeader())
	a := &asm{f: f}
	a.op("MOVQ", "z+0(FP)", "CX")
	a.op("MOVQ", "x+8(FP)", "SI")
	a.op("MOVQ", "y+16(FP)", "DI")
	a.mul(operandZ, operandX, operandY)
	fmt.Fprintf(&out, "\n// func %sMulADX(z, x, y *%s)\nTEXT ·%sMulADX(SB), NOSPLIT, $%d-24\n%s\tRET\n",
		f.prime(), f.Type, f.prime(), f.scratch(), a)
	a = &asm{f: f}
	a.op("MOVQ", "z+0(FP)", "CX")
	a.op("MOVQ", "x+8(FP)", "SI")
	a.WriteString("loop:\n")
	a.square(operandZ, operandX)
	a.op("MOVQ", "CX", "SI")
	a.op("DECQ", "k+16(FP)")
	a.op("JNZ", "loop")
	fmt.Fprintf(&out, "\n// func %sSquareTimesADX(z, x *%s, k int)\nTEXT ·%sSquareTimesADX(SB), NOSPLIT, $%d-24\n%s\tRET\n",
		f.prime(), f.Type, f.prime(), f.scratch(), a)
	return out.String()
}

// fieldGlue returns the Go that chooses between the assembly and the portable code,
// and the Go where there is no choice.
func fieldGlue() (choose, none string) {
	w, v := new(writer), new(writer)
	w.p("%spackage field\n\nimport \"propusk/gost/gost3410/internal/adx\"\n", amd64)
	v.p("%spackage field\n", portable)
	for _, f := range fields {
		for _, out := range []struct {
			w        *writer
			assembly bool
		}{{w, true}, {v, false}} {
			glue := func(doc, name, signature, args, asm, asmArgs, generic string) {
				out.w.p("%s", doc)
				out.w.p("func (z *%s) %s(%s) {", f.Type, name, signature)
				if out.assembly {
					out.w.p("if adx.Enabled { %s%sADX(z, %s); return }", f.prime(), asm, asmArgs)
				}
				out.w.p("z.%s(%s)\n}\n", generic, args)
			}
			glue("// Mul sets z = x·y.", "Mul", "x, y *"+f.Type, "x, y", "Mul", "x, y", "mulGeneric")
			glue("// Square sets z = x².", "Square", "x *"+f.Type, "x", "SquareTimes", "x, 1", "squareGeneric")
			glue("// squareTimes sets z = x^(2^k), k > 0.", "squareTimes", "x *"+f.Type+", k int", "x, k",
				"SquareTimes", "x, k", "squareTimesGeneric")
		}
		w.p("//go:noescape\nfunc %sMulADX(z, x, y *%s)\n", f.prime(), f.Type)
		w.p("//go:noescape\nfunc %sSquareTimesADX(z, x *%s, k int)\n", f.prime(), f.Type)
	}
	return w.String(), v.String()
}

// asmSources returns the assembly of the formulas by the suffix of the file: one file
// for every formula that is in place, and two for those that call, with their
// subroutines: one without a suffix, which has the choice from tables too, and one for
// public numbers.
func (u *unit) asmSources() map[string]string {
	files := map[string]string{}
	var secret, public strings.Builder
	for _, d := range u.order {
		text, inPlace := u.compile(d)
		switch {
		case inPlace:
			files["_"+u.fileSuffix(d)] = u.f.asmHeader() + text
		case vartime(d):
			public.WriteString(text)
		default:
			secret.WriteString(text)
		}
	}
	if public.Len() > 0 {
		files["_vartime"] = u.f.asmHeader() + u.subroutines(true, public.String()) + public.String()
	}
	for _, p := range u.picks {
		secret.WriteString(u.pick(p))
	}
	files[""] = u.f.asmHeader() + u.subroutines(false, secret.String()) + secret.String()
	return files
}

// subroutines returns those operations of the field that the formulas call.
func (u *unit) subroutines(vartime bool, formulas string) string {
	var out strings.Builder
	for _, r := range []struct {
		name string
		emit func(*asm)
	}{
		{"mul", func(a *asm) { a.mul(operandZ, operandX, operandY) }},
		{"square", func(a *asm) { a.square(operandZ, operandX) }},
		{"add", func(a *asm) { a.add(operandZ, operandX, operandY) }},
		{"sub", func(a *asm) { a.sub(operandZ, &operandX, operandY) }},
		{"half", func(a *asm) { a.half(operandZ, operandX) }},
	} {
		if !strings.Contains(formulas, "\tCALL "+r.name+"<>(SB)\n") {
			continue
		}
		a := &asm{f: u.f, vartime: vartime}
		r.emit(a)
		a.end()
		fmt.Fprintf(&out, "\nTEXT %s<>(SB), NOSPLIT, $%d-0\n%s", r.name, u.f.scratch(), a)
	}
	return out.String()
}

// pick returns the assembly that reads a whole table of points and keeps one of them.
// A point is taken in vectors of 32 bytes, at most 12 of them at once.
func (u *unit) pick(p pick) string {
	a, typ := &asm{f: u.f}, p.typ
	a.op("MOVQ", "r+0(FP)", "DI")
	a.op("MOVQ", "table+8(FP)", "SI")
	a.op("VPBROADCASTQ", "digit+16(FP)", "Y15")
	a.op("MOVQ", "$1", "AX")
	a.op("VMOVQ", "AX", "X14")
	a.op("VPBROADCASTQ", "X14", "Y14")
	size := u.sizeOf(typ)
	const most = 12 * 32
	for from := 0; from < size; from += most {
		vectors := min(size-from, most) / 32
		a.op("VMOVDQA", "Y14", "Y13") // counts from 1
		for v := range vectors {
			a.op("VPXOR", fmt.Sprintf("Y%d", v), fmt.Sprintf("Y%d", v), fmt.Sprintf("Y%d", v))
		}
		fmt.Fprintf(a, "\tLEAQ %d(SI), BX\n\tMOVQ $%s, CX\nloop%d:\n", from, p.constant(), from)
		a.op("VPCMPEQQ", "Y13", "Y15", "Y12")
		a.op("VPADDQ", "Y14", "Y13", "Y13")
		for v := range vectors {
			a.op("VPBLENDVB", "Y12", fmt.Sprintf("%d(BX)", 32*v), fmt.Sprintf("Y%d", v), fmt.Sprintf("Y%d", v))
		}
		fmt.Fprintf(a, "\tADDQ $%d, BX\n\tDECQ CX\n\tJNZ loop%d\n", size, from)
		for v := range vectors {
			a.op("VMOVDQU", fmt.Sprintf("Y%d", v), fmt.Sprintf("%d(DI)", from+32*v))
		}
	}
	a.op("VZEROUPPER")
	return fmt.Sprintf("\n// func %s\nTEXT ·%sPickADX(SB), NOSPLIT, $0-24\n%s\tRET\n", p.signature(), typ, a)
}

// constant is the length of the table as the assembler knows it.
func (p pick) constant() string {
	if strings.Contains(p.count, "combWidth") {
		return strconv.Itoa(1 << (combWidth - 1))
	}
	return strconv.Itoa(1 << (multWidth - 1))
}

func (p pick) signature() string {
	return fmt.Sprintf("%sPickADX(r *%s, table *[%s]%s, digit uint64)", p.typ, p.typ, p.count, p.typ)
}

// glue is fieldGlue for the formulas of one curve.
func (u *unit) glue() (choose, none string) {
	w, v := new(writer), new(writer)
	w.p("%spackage ec\n\nimport \"propusk/gost/gost3410/internal/adx\"\n", amd64)
	v.p("%spackage ec\n", portable)
	for _, d := range u.order {
		receiver, declared, passed := u.method(d)
		name := strings.TrimSuffix(d.Name.Name, genericSuffix)
		generic := fmt.Sprintf("%s.%s(%s)", receiver, d.Name.Name, passed)
		head := fmt.Sprintf("// %s is %s, by assembly if there is any.\nfunc (%s *%s) %s(%s) {", name, d.Name.Name,
			receiver, typeName(d.Recv.List[0].Type), name, declared)
		all := receiver
		if passed != "" {
			all += ", " + passed
		}
		w.p("%s\nif adx.Enabled { %s(%s); return }\n%s\n}\n", head, u.asmName(d), all, generic)
		w.p("//go:noescape\nfunc %s(%s)\n", u.asmName(d), u.signature(d))
		v.p("%s\n%s\n}\n", head, generic)
	}
	for _, p := range u.picks {
		typ := p.typ
		head := fmt.Sprintf("// pick is pickPortable, by assembly if there is any.\nfunc (r *%s) pick(table *[%s]%s, digit uint64) {",
			typ, p.count, typ)
		w.p("%s\nif adx.Enabled { %sPickADX(r, table, digit); return }\nr.pickPortable(table, digit)\n}\n", head, typ)
		w.p("//go:noescape\nfunc %s\n", p.signature())
		v.p("%s\nr.pickPortable(table, digit)\n}\n", head)
	}
	return w.String(), v.String()
}

// method returns the name of the receiver, and the parameters with and without
// types.
func (u *unit) method(d *ast.FuncDecl) (receiver, declared, passed string) {
	names, types := params(d)
	with := make([]string, len(names))
	for i := range names {
		with[i] = names[i] + " " + pointer(types[i])
	}
	return names[0], strings.Join(with[1:], ", "), strings.Join(names[1:], ", ")
}
