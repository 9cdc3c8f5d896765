package gost

import (
	"go/ast"
	"go/token"
	"path/filepath"
	"testing"
)

// TestComparisons: where authentication codes are compared, nothing compares slices but
// crypto/subtle.
func TestComparisons(t *testing.T) {
	for _, dir := range []string{"keywrap", "mgm", "gosttls/internal/record", "gosttls/internal/schedule"} {
		sources, _ := files(t, token.NewFileSet(), filepath.FromSlash(dir))
		subtle := false
		for _, f := range sources {
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				pkg, ok := call.X.(*ast.Ident)
				if !ok {
					return true
				}
				switch name := pkg.Name + "." + call.Sel.Name; name {
				case "subtle.ConstantTimeCompare":
					subtle = true
				case "bytes.Equal", "bytes.Compare", "bytes.HasPrefix", "slices.Equal", "slices.Compare", "reflect.DeepEqual":
					t.Errorf("%s: %s takes as long as the slices are equal", dir, name)
				}
				return true
			})
		}
		if !subtle {
			t.Errorf("%s: nothing is compared in constant time", dir)
		}
	}
}
