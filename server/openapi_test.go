package server_test

import (
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"propusk/pki/report"
	"propusk/server/api"
	"propusk/server/problem"
	"propusk/server/testgateway"
)

// TestOpenAPIExamples sends every example of a request to a running gateway, and
// compares what comes back, and the examples of answers, with the schemas.
func TestOpenAPIExamples(t *testing.T) {
	g := testgateway.Start(t)
	s := loadSchema(t)
	sent, answers := 0, 0
	for path, item := range s.at(t, "paths") {
		operation, ok := item.(map[string]any)["post"].(map[string]any)
		if !ok || path == "/api/v1/signatures" { // TestOrderExamples sends those
			continue
		}
		for contentType, media := range operation["requestBody"].(map[string]any)["content"].(map[string]any) {
			examples, _ := media.(map[string]any)["examples"].(map[string]any)
			if len(examples) == 0 {
				t.Errorf("%s: no example of %s", path, contentType)
			}
			for name, example := range examples {
				sent++
				s.send(t, g, path, contentType, media.(map[string]any), example.(map[string]any)["value"], name)
			}
		}
		for status, response := range operation["responses"].(map[string]any) {
			for contentType, media := range response.(map[string]any)["content"].(map[string]any) {
				examples, _ := media.(map[string]any)["examples"].(map[string]any)
				for name, example := range examples {
					answers++
					for _, mistake := range s.check(media.(map[string]any)["schema"].(map[string]any), numbers(t, example.(map[string]any)["value"]), "$") {
						t.Errorf("%s %s %s, example %q: %s", path, status, contentType, name, mistake)
					}
				}
			}
		}
	}
	if sent < 18 || answers < 4 {
		t.Errorf("%d requests and %d answers", sent, answers)
	}
}

// numbers decodes a value anew, with numbers as the schemas want them.
func numbers(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// send sends one example. The answer must be a verdict: the examples are right.
func (s schema) send(t *testing.T, g *testgateway.Gateway, path, contentType string, media map[string]any, value any, name string) {
	t.Helper()
	for _, mistake := range s.check(media["schema"].(map[string]any), numbers(t, value), "$") {
		t.Errorf("%s %s, example %q: %s", path, contentType, name, mistake)
	}
	body, sentType := "", contentType
	switch value := value.(type) {
	case string:
		body = value
	case map[string]any:
		if contentType == "multipart/form-data" {
			var b strings.Builder
			w := multipart.NewWriter(&b)
			for field, text := range value {
				w.WriteField(field, text.(string))
			}
			w.Close()
			body, sentType = b.String(), w.FormDataContentType()
		}
	}
	if body == "" {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		body = string(text)
	}
	a := g.Post(g.Browser(), g.Config.Public.URL+path, sentType, body)
	if a.StatusCode != http.StatusOK {
		t.Errorf("%s %s, example %q: %d %s", path, contentType, name, a.StatusCode, a.Text)
		return
	}
	answered, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";")
	if answered != "application/x-ndjson" {
		s.answer(t, "POST", path, 200, answered, a.Text)
		return
	}
	for line := range strings.Lines(a.Text) {
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		for _, mistake := range s.check(s.at(t, "components", "schemas", "BatchResult"), numbers(t, v), "$") {
			t.Errorf("%s, example %q: %s", path, name, mistake)
		}
	}
}

// TestSchemasAreTheTypes: every field of an answer is described under the name that it
// has, those that may be absent are not required, and nothing is described that there
// is not.
func TestSchemasAreTheTypes(t *testing.T) {
	s := loadSchema(t)
	c := &typeChecker{t: t, s: s, done: map[reflect.Type]bool{}}
	c.compare("SignatureVerdict", reflect.TypeFor[report.Document]())
	c.compare("CertificateVerdict", reflect.TypeFor[report.CertificateDocument]())
	c.compare("AccreditedCAs", reflect.TypeFor[api.AccreditedCAs]())
	c.compare("Problem", reflect.TypeFor[problem.Document]())
	c.compare("SignedReport", reflect.TypeFor[report.Signed]())
	if len(c.done) < 12 {
		t.Errorf("only %d types", len(c.done))
	}
}

// typeChecker compares Go types with schemas.
type typeChecker struct {
	t    *testing.T
	s    schema
	done map[reflect.Type]bool
}

func (c *typeChecker) compare(name string, typ reflect.Type) {
	c.t.Helper()
	if c.done[typ] {
		return
	}
	c.done[typ] = true
	node := c.s.at(c.t, "components", "schemas", name)
	properties, _ := node["properties"].(map[string]any)
	required := fmt.Sprint(node["required"])
	fields := map[string]bool{}
	for _, f := range reflect.VisibleFields(typ) {
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag == "" || tag == "-" {
			continue
		}
		fields[tag] = true
		p, ok := properties[tag].(map[string]any)
		if !ok {
			c.t.Errorf("%s.%s is not described", name, tag)
			continue
		}
		if always := !strings.Contains(options, "omitempty"); always != strings.Contains(" "+strings.Trim(required, "[]")+" ", " "+tag+" ") {
			c.t.Errorf("%s.%s: required must be %v", name, tag, always)
		}
		c.field(p, f.Type)
	}
	for tag := range properties {
		if !fields[tag] {
			c.t.Errorf("%s.%s is described, but does not exist", name, tag)
		}
	}
}

// field goes on with the type of a field.
func (c *typeChecker) field(p map[string]any, typ reflect.Type) {
	c.t.Helper()
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		if items, ok := p["items"].(map[string]any); ok && typ.Kind() == reflect.Slice {
			p = items
		}
		typ = typ.Elem()
	}
	if ref, ok := p["$ref"].(string); ok && typ.Kind() == reflect.Struct && typ != reflect.TypeFor[time.Time]() {
		c.compare(strings.TrimPrefix(ref, "#/components/schemas/"), typ)
	}
}
