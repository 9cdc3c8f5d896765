package check_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"propusk/server/check"
)

// TestDocument: docs/CHECK.md tells of each row that facts lead to how it is made to happen,
// and of no other.
func TestDocument(t *testing.T) {
	raw, err := os.ReadFile("../../docs/CHECK.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(raw), "| Detected by facts |")
	if !ok {
		t.Fatal("docs/CHECK.md has no table of rows")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	var told []string
	for line := range strings.Lines(table) {
		if m := regexp.MustCompile(`^\| ([0-9A, ]+) \|`).FindStringSubmatch(line); m != nil {
			told = append(told, strings.Split(m[1], ", ")...)
		}
	}
	rows, err := check.Rows()
	if err != nil {
		t.Fatal(err)
	}
	// What the server does so that they do not happen at all.
	never := []string{"6", "8", "25"}
	for _, r := range rows {
		if want := r.Detected != nil || slices.Contains(never, r.ID); want != slices.Contains(told, r.ID) {
			t.Errorf("row %s is detected, or kept from happening: %v; it is told: %v", r.ID, want, !want)
		}
	}
}
