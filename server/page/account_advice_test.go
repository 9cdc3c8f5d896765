package page

import (
	"strings"
	"testing"

	"propusk/pki/reason"
)

// TestAccountAdvice: whoever is not let in by his account reads what happened and what to do,
// on a page of its own, in both languages.
func TestAccountAdvice(t *testing.T) {
	titles := map[string]reason.Code{}
	for _, e := range reason.All() {
		if !strings.HasPrefix(string(e.Code), "account-") {
			continue
		}
		a, ok := accountAdvice(e.Code)
		if !ok || a.Title.RU == "" || a.Title.EN == "" || a.Cause.RU != e.RU || len(a.Steps) == 0 {
			t.Errorf("%s: %+v", e.Code, a)
		}
		for _, step := range a.Steps {
			if step.RU == "" || step.EN == "" {
				t.Errorf("%s: a step lacks a language: %+v", e.Code, step)
			}
		}
		titles[a.Title.RU] = e.Code
	}
	if len(titles) < 15 {
		t.Errorf("only %d pages", len(titles))
	}
}
