package gost

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// packages returns the directories of the packages that others can import.
func packages(t *testing.T) (dirs []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if d.Name() == "internal" || d.Name() == "testdata" {
			return filepath.SkipDir
		}
		if files, err := filepath.Glob(filepath.Join(path, "*.go")); err != nil || len(files) > 0 {
			dirs = append(dirs, path)
		}
		return nil
	})
	if err != nil || len(dirs) < 15 {
		t.Fatalf("packages %q, %v", dirs, err)
	}
	return dirs
}

// files parses the files of a package.
func files(t *testing.T, fset *token.FileSet, dir string) (sources, tests []*ast.File) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		f, err := parser.ParseFile(fset, filepath.Join(dir, e.Name()), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(e.Name(), "_test.go") {
			tests = append(tests, f)
		} else {
			sources = append(sources, f)
		}
	}
	return sources, tests
}

// TestDocs: every package says what it is and has an example, and every exported name,
// also of a method and of a field, has a comment.
func TestDocs(t *testing.T) {
	for _, dir := range packages(t) {
		fset := token.NewFileSet()
		sources, tests := files(t, fset, dir)
		said := ""
		for _, f := range sources {
			said += f.Doc.Text()
			for _, d := range f.Decls {
				undocumented(fset.File(f.Pos()), d, func(name string) { t.Errorf("%s: %s has no comment", dir, name) })
			}
		}
		if want := "Package " + sources[0].Name.Name + " "; !strings.HasPrefix(said, want) {
			t.Errorf("%s: the comment of the package begins %.30q, not %q", dir, said, want)
		}
		examples := 0
		for _, f := range tests {
			for _, d := range f.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Example") {
					examples++
				}
			}
		}
		if examples == 0 {
			t.Errorf("%s: no example", dir)
		}
	}
}

// undocumented reports the exported names of a declaration that have no comment. One
// comment is enough for a group of constants or variables.
func undocumented(lines *token.File, d ast.Decl, report func(name string)) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc.Text() == "" && exportedReceiver(d) {
			report(d.Name.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.ValueSpec:
				for _, name := range s.Names {
					if name.IsExported() && d.Doc.Text()+s.Doc.Text()+s.Comment.Text() == "" {
						report(name.Name)
					}
				}
			case *ast.TypeSpec:
				if !s.Name.IsExported() {
					continue
				}
				if d.Doc.Text()+s.Doc.Text() == "" {
					report(s.Name.Name)
				}
				undocumentedFields(lines, s, report)
			}
		}
	}
}

// undocumentedFields reports the exported fields of a struct, or methods of an
// interface, that have no comment. A comment above several lines is of all of them.
func undocumentedFields(lines *token.File, s *ast.TypeSpec, report func(name string)) {
	var list *ast.FieldList
	switch x := s.Type.(type) {
	case *ast.StructType:
		list = x.Fields
	case *ast.InterfaceType:
		list = x.Methods
	default:
		return
	}
	end := 0 // the line where the last field ends that has a comment, or belongs to one
	for _, f := range list.List {
		said := f.Doc.Text()+f.Comment.Text() != "" || lines.Line(f.Pos()) == end+1
		if said {
			end = lines.Line(f.End())
		}
		for _, name := range f.Names {
			if name.IsExported() && !said {
				report(s.Name.Name + "." + name.Name)
			}
		}
	}
}

// exportedReceiver reports whether d is a function, or a method of an exported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	x := d.Recv.List[0].Type
	if star, ok := x.(*ast.StarExpr); ok {
		x = star.X
	}
	id, ok := x.(*ast.Ident)
	return !ok || id.IsExported()
}
