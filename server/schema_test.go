package server_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// schema checks JSON against the schemas of the OpenAPI document, as far as that
// document uses JSON Schema. A keyword that it does not know is a failure, so the
// document cannot promise what nobody checks.
type schema struct {
	doc map[string]any
}

func loadSchema(t *testing.T) schema {
	t.Helper()
	raw, err := os.ReadFile("api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	s := schema{}
	if err := json.Unmarshal(raw, &s.doc); err != nil {
		t.Fatal(err)
	}
	return s
}

// answer checks a response body against the schema of an operation and status.
func (s schema) answer(t *testing.T, method, path string, status int, contentType, body string) {
	t.Helper()
	node := s.at(t, "paths", path, strings.ToLower(method), "responses", fmt.Sprint(status), "content", contentType, "schema")
	d := json.NewDecoder(strings.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Errorf("%s %s %d: %v:\n%s", method, path, status, err, body)
		return
	}
	for _, mistake := range s.check(node, v, "$") {
		t.Errorf("%s %s %d: %s", method, path, status, mistake)
	}
}

func (s schema) at(t *testing.T, keys ...string) map[string]any {
	t.Helper()
	node := s.doc
	for i, k := range keys {
		next, ok := node[k].(map[string]any)
		if !ok {
			t.Fatalf("the document does not describe %s", strings.Join(keys[:i+1], " → "))
		}
		node = next
	}
	return node
}

func (s schema) check(node map[string]any, v any, where string) []string {
	if ref, ok := node["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/components/schemas/")
		target, ok := s.doc["components"].(map[string]any)["schemas"].(map[string]any)[name].(map[string]any)
		if !ok {
			return []string{where + ": no schema " + ref}
		}
		return s.check(target, v, where)
	}
	var mistakes []string
	for keyword := range node {
		switch keyword {
		case "type", "properties", "required", "additionalProperties", "items", "enum", "pattern", "format", "description", "contentEncoding", "contentMediaType":
		default:
			mistakes = append(mistakes, where+": the test does not know the keyword "+keyword)
		}
	}
	switch node["type"] {
	case "object":
		return append(mistakes, s.object(node, v, where)...)
	case "array":
		list, ok := v.([]any)
		if !ok {
			return append(mistakes, where+": not an array")
		}
		for i, item := range list {
			mistakes = append(mistakes, s.check(node["items"].(map[string]any), item, fmt.Sprintf("%s[%d]", where, i))...)
		}
		return mistakes
	case "string":
		return append(mistakes, text(node, v, where)...)
	case "boolean":
		if _, ok := v.(bool); !ok {
			mistakes = append(mistakes, where+": not a boolean")
		}
		return mistakes
	case "integer":
		n, ok := v.(json.Number)
		if _, err := n.Int64(); !ok || err != nil {
			mistakes = append(mistakes, where+": not an integer")
		}
		return mistakes
	}
	return append(mistakes, fmt.Sprintf("%s: the test does not know the type %v", where, node["type"]))
}

func (s schema) object(node map[string]any, v any, where string) []string {
	m, ok := v.(map[string]any)
	if !ok {
		return []string{where + ": not an object"}
	}
	var mistakes []string
	properties, _ := node["properties"].(map[string]any)
	for name, value := range m {
		p, described := properties[name].(map[string]any)
		if !described {
			if node["additionalProperties"] == false {
				mistakes = append(mistakes, where+"."+name+": is not described")
			}
			continue
		}
		mistakes = append(mistakes, s.check(p, value, where+"."+name)...)
	}
	required, _ := node["required"].([]any)
	for _, name := range required {
		if _, ok := m[name.(string)]; !ok {
			mistakes = append(mistakes, where+"."+name.(string)+": is missing")
		}
	}
	return mistakes
}

func text(node map[string]any, v any, where string) []string {
	s, ok := v.(string)
	if !ok {
		return []string{where + ": not a string"}
	}
	var mistakes []string
	if enum, ok := node["enum"].([]any); ok && !slices.Contains(enum, any(s)) {
		mistakes = append(mistakes, where+": "+s+" is not one of the described values")
	}
	if p, ok := node["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(s) {
		mistakes = append(mistakes, where+": "+s+" does not match "+p)
	}
	if node["contentEncoding"] == "base64" {
		if _, err := base64.StdEncoding.Strict().DecodeString(s); err != nil {
			mistakes = append(mistakes, where+": "+err.Error())
		}
	}
	if node["format"] == "date-time" {
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			mistakes = append(mistakes, where+": "+err.Error())
		}
	}
	return mistakes
}
