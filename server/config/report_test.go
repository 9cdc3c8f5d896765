package config

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestReport: a certificate needs its key and the other way round; neither means
// that nothing is signed.
func TestReport(t *testing.T) {
	good := parsed(t, string(Sample()))
	if !good.Report.Configured() || (Report{}).Configured() {
		t.Error("Configured is wrong")
	}
	for want, r := range map[string]Report{
		"":                   {},
		"report.key":         {Certificate: "a"},
		"report.certificate": {Key: "a"},
	} {
		c := good
		c.Report = r
		err := c.Validate()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want+":") {
			t.Errorf("%+v: %v", r, err)
		}
	}
	moved := good
	moved.resolve("/etc/propusk")
	if moved.Report.Key != filepath.Join("/etc/propusk", good.Report.Key) || !filepath.IsAbs(moved.Report.Certificate) {
		t.Errorf("%+v", moved.Report)
	}
}

// TestSecrets: every field whose name says that it is a key or a secret is known as
// one.
func TestSecrets(t *testing.T) {
	c := parsed(t, string(Sample()))
	var fields []string
	for _, s := range c.Secrets() {
		if s.Path == "" {
			t.Errorf("%s: no file", s.Field)
		}
		fields = append(fields, s.Field)
	}
	for _, want := range secretFields(reflect.TypeFor[Config](), "") {
		if !slices.Contains(fields, want) {
			t.Errorf("%s is a secret that nobody looks after; known are %q", want, fields)
		}
	}
	if n := len((Config{}).Secrets()); n != 0 {
		t.Errorf("%d files of nothing", n)
	}
}

// secretFields finds the string fields that name a file with a secret.
func secretFields(typ reflect.Type, path string) []string {
	var found []string
	for i := range typ.NumField() {
		f := typ.Field(i)
		name := strings.TrimPrefix(path+"."+f.Tag.Get("yaml"), ".")
		if f.Tag.Get("yaml") == ",inline" {
			name = path
		}
		elem := f.Type
		if elem.Kind() == reflect.Slice {
			elem, name = elem.Elem(), name+"[0]"
		}
		last := name[strings.LastIndexAny(name, ".")+1:]
		switch {
		case elem.Kind() == reflect.Struct:
			found = append(found, secretFields(elem, name)...)
		case elem.Kind() == reflect.String && (strings.HasSuffix(last, "key") || strings.Contains(last, "secret")):
			found = append(found, name)
		}
	}
	return found
}
