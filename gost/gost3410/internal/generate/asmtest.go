package main

import (
	"fmt"
	"go/ast"
	"strings"
)

// asmTest returns a test that compares the assembly of the formulas with the Go that
// it was compiled from.
func (u *unit) asmTest() string {
	w := new(writer)
	w.p("%spackage ec\n\nimport \"testing\"\n", amd64)
	w.p("func TestAssembly%s(t *testing.T) {", strings.ToUpper(u.prefix[:1])+u.prefix[1:])
	w.p("requireADX(t)")
	w.p("numbers := newNumbers(%v)", u.f.shape == montgome)
	for _, d := range u.order {
		u.formulaTest(w, d)
	}
	for _, p := range u.picks {
		u.pickTest(w, p)
	}
	w.p("}\n")
	return w.String()
}

// formulaTest emits the test of one formula, also with the result in place of the
// first argument.
func (u *unit) formulaTest(w *writer, d *ast.FuncDecl) {
	names, types := params(d)
	w.p("t.Run(%q, func(t *testing.T) {", u.asmName(d))
	w.p("for range rounds {")
	var got, want []string
	for i, name := range names {
		if types[i] == "int" {
			w.p("const %s = 3", name)
			got, want = append(got, name), append(want, name)
			continue
		}
		w.p("var %s %s", name, types[i])
		for _, member := range u.members(types[i]) {
			w.p("numbers.fill(%s.%s[:])", name, member)
		}
		w.p("%s2 := %s", name, name)
		got, want = append(got, "&"+name), append(want, "&"+name+"2")
	}
	w.p("%s(%s)", u.asmName(d), strings.Join(got, ", "))
	w.p("%s2.%s(%s)", names[0], d.Name.Name, strings.Join(want[1:], ", "))
	for i, name := range names {
		if types[i] == "int" {
			continue
		}
		w.p("if %s { t.Fatalf(\"%s: %%x, want %%x\", %s, %s2) }", u.differ(d, name, types[i]), name, name, name)
	}
	if len(types) > 1 && types[0] == types[1] {
		w.p("// The result in place of the first argument.")
		got[0], want[0] = got[1], want[1]
		w.p("%s(%s)", u.asmName(d), strings.Join(got, ", "))
		w.p("%s2.%s(%s)", names[1], d.Name.Name, strings.Join(want[1:], ", "))
		w.p("if %s { t.Fatalf(\"in place: %%x, want %%x\", %s, %s2) }", u.differ(d, names[1], types[1]), names[1], names[1])
	}
	w.p("}\n})")
}

// differ returns the condition that name and name2 are different: limb by limb, or as
// elements of the field if the formula may choose another representative.
func (u *unit) differ(d *ast.FuncDecl, name, typ string) string {
	if !vartime(d) {
		return fmt.Sprintf("%s != %s2", name, name)
	}
	var conditions []string
	for _, m := range u.members(typ) {
		conditions = append(conditions, fmt.Sprintf("%s.%s.Equal(&%s2.%s) == 0", name, m, name, m))
	}
	return strings.Join(conditions, " || ")
}

// pickTest emits the test of a choice from a table.
func (u *unit) pickTest(w *writer, p pick) {
	typ := p.typ
	w.p("t.Run(\"%s pick\", func(t *testing.T) {", typ)
	w.p("var table [%s]%s", p.count, typ)
	w.p("for i := range table {")
	for _, member := range u.members(typ) {
		w.p("numbers.fill(table[i].%s[:])", member)
	}
	w.p("}\nfor digit := range uint64(len(table)+1) {")
	w.p("want, got := %s{}, table[7]", typ)
	w.p("if digit > 0 { want = table[digit-1] }")
	w.p("got2 := got")
	w.p("if %sPickADX(&got, &table, digit); got != want { t.Fatalf(\"%%d: %%x, want %%x\", digit, got, want) }", typ)
	w.p("if got2.pickPortable(&table, digit); got2 != want { t.Fatalf(\"portable: %%d: %%x, want %%x\", digit, got2, want) }")
	w.p("}\n})")
}

// members returns the paths of all field elements of a type.
func (u *unit) members(typ string) (paths []string) {
	for _, f := range u.types[typ].Fields.List {
		if len(f.Names) == 0 {
			for _, inner := range u.members(typeName(f.Type)) {
				paths = append(paths, typeName(f.Type)+"."+inner)
			}
		}
		for _, name := range f.Names {
			paths = append(paths, name.Name)
		}
	}
	return paths
}
