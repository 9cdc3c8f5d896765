package main

import (
	"bytes"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// TestRun: each kind of sign-in arrives, and each page is timed.
func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run(&out, time.Second, 3); err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{"/signin", "/account", "key, GOST TLS, whole way", "password, whole way"} {
		m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(row) + ` +([0-9.]+) +([0-9.]+)`).FindSubmatch(out.Bytes())
		if m == nil {
			t.Fatalf("no row %q:\n%s", row, &out)
		}
		if last, err := strconv.ParseFloat(string(m[2]), 64); err != nil || last <= 0 {
			t.Errorf("%s: %s", row, m[0])
		}
	}
}
