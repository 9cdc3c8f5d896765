package api

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
)

// TestEveryRouteIsDescribed compares the routes with the paths of the document.
// whoami is a route of the sign-in host, and signatures are of package challenge.
func TestEveryRouteIsDescribed(t *testing.T) {
	var doc struct {
		OpenAPI string                                `json:"openapi"`
		Paths   map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(openAPI, &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		t.Errorf("openapi %q", doc.OpenAPI)
	}
	var described []string
	for path, operations := range doc.Paths {
		for method := range operations {
			if method != "servers" {
				described = append(described, strings.ToUpper(method)+" "+path)
			}
		}
	}
	e := gin.New()
	New(Options{Verifications: 1}).Routes(e)
	served := []string{"GET /api/v1/whoami", "POST /api/v1/signatures", "GET /api/v1/signatures/{id}"}
	for _, r := range e.Routes() {
		if r.Method != "HEAD" {
			served = append(served, r.Method+" "+r.Path)
		}
	}
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("described\n%s\nserved\n%s", strings.Join(described, "\n"), strings.Join(served, "\n"))
	}
}
