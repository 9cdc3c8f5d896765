package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
)

// The formulas of the points are written once, in Go, in the templates. Those that
// have no branch are methods with names that end with Generic; here they are
// compiled to assembly. Every operation of the field is in place for four limbs, unless
// that makes the formula too long for a file. It is a call otherwise, and for eight.

const genericSuffix = "Generic"

// vartime reports whether a formula is for public numbers only.
func vartime(d *ast.FuncDecl) bool {
	return strings.HasSuffix(d.Name.Name, "Vartime"+genericSuffix)
}

// maxLines is how many lines a generated file has at most; inPlaceLines leaves room
// for the head of the file.
const (
	maxLines     = 2000
	inPlaceLines = maxLines - 50
)

// amd64 is the build constraint of assembly and of the Go that calls it; portable is
// the opposite.
const (
	amd64    = "//go:build amd64 && !purego\n\n"
	portable = "//go:build !amd64 || purego\n\n"
)

// unit is one Go file that is compiled.
type unit struct {
	f      *field
	prefix string                      // of the names of the curve
	types  map[string]*ast.StructType  // by name
	funcs  map[string]*ast.FuncDecl    // methods, by "type.name"
	order  []*ast.FuncDecl             // those that are compiled
	picks  []pick                      // types of points that are picked from tables
	size   map[string]int              // of a type, in bytes
	fields map[string]map[string]value // of a type: place and type of a member
}

// value is a variable: its place and its type.
type value struct {
	place
	typ   string
	param string // the parameter it is reached through, if any
}

// element is the name of the type of a field element.
const element = "element"

// parse reads what the template gave.
func (c *curve) parse(source string) (*unit, error) {
	file, err := parser.ParseFile(token.NewFileSet(), c.File, source, 0)
	if err != nil {
		return nil, err
	}
	u := &unit{f: c.Field, prefix: c.Private(), types: map[string]*ast.StructType{}, funcs: map[string]*ast.FuncDecl{},
		size: map[string]int{element: 8 * c.Limbs()}, fields: map[string]map[string]value{}}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if t, ok := s.(*ast.TypeSpec); ok {
					if st, ok := t.Type.(*ast.StructType); ok {
						u.types[t.Name.Name] = st
					}
				}
			}
		case *ast.FuncDecl:
			if d.Recv == nil {
				continue
			}
			u.funcs[typeName(d.Recv.List[0].Type)+"."+d.Name.Name] = d
			if strings.HasSuffix(d.Name.Name, genericSuffix) {
				u.order = append(u.order, d)
			}
			if d.Name.Name == "pickPortable" {
				u.picks = append(u.picks, pick{typeName(d.Recv.List[0].Type), show(arrayLen(d))})
			}
		}
	}
	return u, nil
}

// pick is a type of points that are picked from a table of so many.
type pick struct{ typ, count string }

// arrayLen returns the length of the array that the first parameter points to.
func arrayLen(d *ast.FuncDecl) ast.Expr {
	return d.Type.Params.List[0].Type.(*ast.StarExpr).X.(*ast.ArrayType).Len
}

// typeName returns the name of a type or of what it points to.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.SelectorExpr: // field.P256A
		return element
	case *ast.Ident:
		return e.Name
	}
	panic(fmt.Sprintf("generate: type %T in a formula", e))
}

// sizeOf returns the size of a type and fills in the places of its members.
func (u *unit) sizeOf(typ string) int {
	if n, ok := u.size[typ]; ok {
		return n
	}
	st := u.types[typ]
	if st == nil {
		panic("generate: unknown type " + typ)
	}
	members, at := map[string]value{}, 0
	for _, f := range st.Fields.List {
		t := typeName(f.Type)
		if len(f.Names) == 0 { // embedded
			u.sizeOf(t)
			for name, m := range u.fields[t] {
				members[name] = value{place{offset: at + m.offset}, m.typ, ""}
			}
			members[t] = value{place{offset: at}, t, ""}
			at += u.sizeOf(t)
		}
		for _, name := range f.Names {
			members[name.Name] = value{place{offset: at}, t, ""}
			at += u.sizeOf(t)
		}
	}
	u.size[typ], u.fields[typ] = at, members
	return at
}

// scope is one formula that is being compiled.
type scope struct {
	*unit
	a      *asm
	vars   map[string]value
	calls  bool // whether operations are calls and not in place
	frame  *int
	offset map[string]int // of a parameter among the arguments
}

// pointers are the registers for the addresses of the parameters, where operations
// are in place.
var pointers = []string{"CX", "SI", "DI"}

// params returns the names and types of receiver and parameters.
func params(d *ast.FuncDecl) (names, types []string) {
	for _, list := range []*ast.FieldList{d.Recv, d.Type.Params} {
		for _, f := range list.List {
			for _, n := range f.Names {
				names, types = append(names, n.Name), append(types, typeName(f.Type))
			}
		}
	}
	return names, types
}

// asmName is the name of the assembly of a formula.
func (u *unit) asmName(d *ast.FuncDecl) string {
	receiver := strings.TrimPrefix(typeName(d.Recv.List[0].Type), u.prefix)
	name := strings.TrimSuffix(d.Name.Name, genericSuffix)
	return u.prefix + receiver + strings.ToUpper(name[:1]) + name[1:] + "ADX"
}

// fileSuffix names a formula in the name of a file.
func (u *unit) fileSuffix(d *ast.FuncDecl) string {
	return strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(u.asmName(d), u.prefix), "ADX"))
}

// compile returns the assembly of one formula, and whether its operations are in
// place.
func (u *unit) compile(d *ast.FuncDecl) (text string, inPlace bool) {
	if u.f.Limbs == 4 {
		text = u.compileAs(d, false)
		if strings.Count(text, "\n") <= inPlaceLines {
			return text, true
		}
	}
	return u.compileAs(d, true), false
}

// compileAs compiles a formula with calls or in place.
func (u *unit) compileAs(d *ast.FuncDecl, calls bool) string {
	names, types := params(d)
	if len(names) > len(pointers) {
		panic("generate: too many parameters of " + d.Name.Name)
	}
	s := &scope{unit: u, a: &asm{f: u.f, vartime: vartime(d)}, vars: map[string]value{}, calls: calls, frame: new(int), offset: map[string]int{}}
	for i, name := range names {
		s.offset[name] = 8 * i
		if types[i] == "int" {
			continue
		}
		s.vars[name] = value{place{text: "(" + pointers[i] + ")"}, types[i], name}
		if !calls {
			s.a.op("MOVQ", fmt.Sprintf("%s+%d(FP)", name, 8*i), pointers[i])
		}
	}
	s.block(d.Body)
	flags := "0"
	if !calls {
		flags = "NOSPLIT" // the frame is small, and nothing is called
	}
	s.a.end()
	return fmt.Sprintf("\n// func %s(%s)\nTEXT ·%s(SB), %s, $%d-%d\n\tNO_LOCAL_POINTERS\n%s",
		u.asmName(d), u.signature(d), u.asmName(d), flags, *s.frame, 8*len(names), s.a)
}

// signature returns the parameters of the assembly of a formula.
func (u *unit) signature(d *ast.FuncDecl) string {
	names, types := params(d)
	for i := range names {
		names[i] += " " + pointer(types[i])
	}
	return strings.Join(names, ", ")
}

// pointer returns the type of a parameter: formulas take points by reference, and
// numbers of times as they are.
func pointer(typ string) string {
	if typ == "int" {
		return typ
	}
	return "*" + typ
}

func (s *scope) block(b *ast.BlockStmt) {
	for _, st := range b.List {
		switch st := st.(type) {
		case *ast.DeclStmt:
			s.declare(st.Decl.(*ast.GenDecl))
		case *ast.ExprStmt:
			s.call(st.X.(*ast.CallExpr))
		case *ast.AssignStmt:
			s.assign(st)
		case *ast.RangeStmt:
			s.loop(st)
		default:
			panic(fmt.Sprintf("generate: %T in a formula", st))
		}
	}
}

// loop compiles "for range n", where n is a parameter that is not 0.
func (s *scope) loop(st *ast.RangeStmt) {
	n, ok := st.X.(*ast.Ident)
	if !ok || st.Key != nil {
		panic("generate: only a parameter can be ranged over")
	}
	s.a.held = place{}
	s.a.WriteString("loop:\n")
	s.block(st.Body)
	s.a.op("DECQ", fmt.Sprintf("%s+%d(FP)", n.Name, s.offset[n.Name]))
	s.a.op("JNZ", "loop")
}

// local makes a variable on the stack.
func (s *scope) local(name, typ string) value {
	v := value{place{text: "(SP)", offset: *s.frame}, typ, ""}
	*s.frame += s.sizeOf(typ)
	s.vars[name] = v
	return v
}

func (s *scope) declare(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		for _, name := range v.Names {
			s.local(name.Name, typeName(v.Type))
		}
	}
}

// eval returns the variable that an expression names; taking addresses and
// following pointers makes no difference.
func (s *scope) eval(e ast.Expr) value {
	switch e := e.(type) {
	case *ast.Ident:
		if v, ok := s.vars[e.Name]; ok {
			return v
		}
		return value{place{text: "·" + e.Name + "(SB)"}, element, ""} // of the package
	case *ast.UnaryExpr:
		return s.eval(e.X)
	case *ast.StarExpr:
		return s.eval(e.X)
	case *ast.SelectorExpr:
		v := s.eval(e.X)
		s.sizeOf(v.typ)
		m, ok := s.fields[v.typ][e.Sel.Name]
		if !ok {
			panic("generate: no member " + e.Sel.Name + " in " + v.typ)
		}
		v.offset, v.typ = v.offset+m.offset, m.typ
		return v
	}
	panic(fmt.Sprintf("generate: %T in a formula", e))
}

func (s *scope) assign(st *ast.AssignStmt) {
	for i, left := range st.Lhs {
		from := s.eval(st.Rhs[i])
		var to value
		if st.Tok == token.DEFINE {
			to = s.local(left.(*ast.Ident).Name, from.typ)
		} else {
			to = s.eval(left)
		}
		for _, later := range st.Rhs[i+1:] {
			if v := s.eval(later); v.place == to.place {
				panic("generate: assignments that depend on each other")
			}
		}
		for at := 0; at < s.sizeOf(from.typ); at += s.size[element] {
			src, dst := from, to
			src.offset, dst.offset = src.offset+at, dst.offset+at
			s.copy(dst, src)
		}
	}
}

// copy copies one element.
func (s *scope) copy(to, from value) {
	if s.calls {
		s.address("SI", from)
		s.address("CX", to)
		from.place, to.place = place{text: "(SI)"}, place{text: "(CX)"}
	}
	r := acc[:s.f.Limbs]
	s.a.load(from.place, r)
	s.a.store(to.place, r)
}

// call compiles an operation of the field, or inserts another formula.
func (s *scope) call(c *ast.CallExpr) {
	fun := c.Fun.(*ast.SelectorExpr)
	receiver := s.eval(fun.X)
	if receiver.typ != element {
		s.insert(s.funcs[receiver.typ+"."+fun.Sel.Name], append([]ast.Expr{fun.X}, c.Args...))
		return
	}
	// In assembly it is the formula that is for public numbers, or not.
	name := strings.TrimSuffix(fun.Sel.Name, "Vartime")
	s.a.comment("%s", strings.Replace(show(c), "Vartime(", "(", 1))
	if name == "MulSmall" {
		if s.calls {
			panic("generate: no subroutine for MulSmall")
		}
		k, err := strconv.ParseUint(c.Args[1].(*ast.BasicLit).Value, 10, 32)
		if err != nil {
			panic(err)
		}
		s.a.mulSmall(receiver.place, s.eval(c.Args[0]).place, k)
		return
	}
	args := []value{receiver}
	for _, arg := range c.Args {
		args = append(args, s.eval(arg))
	}
	if !s.calls {
		s.a.operation(name, args[0].place, args[1:])
		return
	}
	for i, v := range args {
		s.address(pointers[i], v)
	}
	s.a.op("CALL", strings.ToLower(name)+"<>(SB)")
}

// address puts the address of a variable into a register.
func (s *scope) address(reg string, v value) {
	switch {
	case v.param != "":
		s.a.op("MOVQ", fmt.Sprintf("%s+%d(FP)", v.param, s.offset[v.param]), reg)
		if v.offset != 0 {
			s.a.op("ADDQ", fmt.Sprintf("$%d", v.offset), reg)
		}
	default:
		s.a.op("LEAQ", v.limb(0), reg)
	}
}

// insert compiles another formula in place, with its parameters bound.
func (s *scope) insert(d *ast.FuncDecl, args []ast.Expr) {
	if d == nil {
		panic("generate: a formula calls what is no formula")
	}
	inner := &scope{unit: s.unit, a: s.a, vars: map[string]value{}, calls: s.calls, frame: s.frame, offset: s.offset}
	names, _ := params(d)
	for i, name := range names {
		inner.vars[name] = s.eval(args[i])
	}
	inner.block(d.Body)
}

// operation emits one operation of the field.
func (a *asm) operation(name string, z place, args []value) {
	switch name {
	case "Mul":
		a.mul(z, args[0].place, args[1].place)
	case "Square":
		a.square(z, args[0].place)
	case "Add":
		a.add(z, args[0].place, args[1].place)
	case "Sub":
		a.sub(z, &args[0].place, args[1].place)
	case "Neg":
		a.sub(z, nil, args[0].place)
	case "Half":
		a.half(z, args[0].place)
	default:
		panic("generate: no assembly for " + name)
	}
}

// show prints a call for a comment.
func show(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.CallExpr:
		var args []string
		for _, a := range e.Args {
			args = append(args, show(a))
		}
		return show(e.Fun) + "(" + strings.Join(args, ", ") + ")"
	case *ast.SelectorExpr:
		return show(e.X) + "." + e.Sel.Name
	case *ast.UnaryExpr:
		return show(e.X)
	case *ast.StarExpr:
		return show(e.X)
	case *ast.BasicLit:
		return e.Value
	case *ast.Ident:
		return e.Name
	case *ast.BinaryExpr:
		return show(e.X) + e.Op.String() + show(e.Y)
	case *ast.ParenExpr:
		return "(" + show(e.X) + ")"
	}
	panic(fmt.Sprintf("generate: %T in a formula", e))
}
