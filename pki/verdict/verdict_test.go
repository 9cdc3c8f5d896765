package verdict

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"propusk/pki/person"
	"propusk/pki/reason"
)

var signer = person.Identity{Kind: person.Entrepreneur, Name: person.NewName("Образцова Проба Тестовна")}

// TestTotal runs through every combination of up to three steps.
func TestTotal(t *testing.T) {
	steps := []Check{
		{Name: "a", Status: Passed},
		{Name: "b", Status: Failed, Reason: reason.CertExpired},
		{Name: "c", Status: Indeterminate, Reason: reason.UnknownCA},
		{Name: "d", Status: NotApplicable, Reason: reason.NotQualified},
	}
	var walk func(ran []Check)
	walk = func(ran []Check) {
		var b Builder
		b.Add(ran...)
		check(t, ran, b.Done(signer))
		if len(ran) < 3 {
			for _, s := range steps {
				walk(append(ran[:len(ran):len(ran)], s))
			}
		}
	}
	walk(nil)
}

func check(t *testing.T, ran []Check, v Verdict) {
	t.Helper()
	want, why := Passed, reason.Code("")
	if !slices.ContainsFunc(ran, func(c Check) bool { return c.Status == Passed }) {
		want = Indeterminate
	}
	for _, c := range ran {
		switch {
		case c.Status == Failed && want != Failed:
			want, why = Failed, c.Reason
		case c.Status == Indeterminate && want != Failed && why == "":
			want, why = Indeterminate, c.Reason
		}
	}
	who, ok := v.Identity()
	if v.Status() != want || v.Why() != why {
		t.Errorf("%v: %v because of %q, want %v because of %q", ran, v.Status(), v.Why(), want, why)
	}
	if ok != (want == Passed) || ok && who != signer || !ok && who != (person.Identity{}) {
		t.Errorf("%v: identity %v, %v", ran, who.Kind, ok)
	}
	if !slices.Equal(v.Checks(), ran) || !slices.Equal(slices.Collect(v.All()), ran) || v.Len() != len(ran) {
		t.Errorf("%v: %d steps were kept: %v", ran, v.Len(), v.Checks())
	}
}

func TestZero(t *testing.T) {
	var v Verdict
	if _, ok := v.Identity(); ok || v.Status() != Indeterminate || v.Why() != "" {
		t.Error("the zero verdict says something")
	}
}

// TestContradiction: a step that contradicts itself never grants anything.
func TestContradiction(t *testing.T) {
	for _, c := range []Check{
		{Name: "passed with a reason", Status: Passed, Reason: reason.CertExpired},
		{Name: "failed without one", Status: Failed},
		{Name: "indeterminate without one"},
		{Name: "not applicable without one", Status: NotApplicable},
		{Name: "no such status", Status: NotApplicable + 1, Reason: reason.CertExpired},
	} {
		var b Builder
		b.Pass("other", "")
		b.Add(c)
		if v := b.Done(signer); v.Status() != Failed || v.Why() != reason.InternalError {
			t.Errorf("%s: %v, %q", c.Name, v.Status(), v.Why())
		}
	}
}

// TestFrozen: what the caller does later does not change a verdict.
func TestFrozen(t *testing.T) {
	var b Builder
	b.Pass("signature", "63-ФЗ, ст. 11, п. 3")
	passed := b.Done(signer)
	b.Unknown("revocation", reason.CertRevoked, "")
	pending := b.Done(signer)
	b.Fail("dates", reason.CertExpired, "")
	if !b.Failed() {
		t.Error("the builder does not know that a step failed")
	}
	passed.Checks()[0].Status = Failed
	for want, v := range map[Status]Verdict{Passed: passed, Indeterminate: pending, Failed: b.Done(signer)} {
		if v.Status() != want || v.Checks()[0].Status != Passed {
			t.Errorf("%v, want %v", v.Status(), want)
		}
	}
}

func TestWords(t *testing.T) {
	out, err := json.Marshal([]Status{Indeterminate, Passed, Failed, NotApplicable, 77})
	if err != nil || string(out) != `["indeterminate","passed","failed","not-applicable","indeterminate"]` {
		t.Errorf("%s, %v", out, err)
	}
}

// TestWithhold: the identity goes, everything else stays, also in the original.
func TestWithhold(t *testing.T) {
	var b Builder
	b.Pass("a", "")
	v := b.Done(signer)
	w := v.Withhold()
	if who, ok := w.Identity(); ok || who != (person.Identity{}) || w.who != (person.Identity{}) {
		t.Error("an identity was withheld, and is there")
	}
	if w.Status() != Passed || len(w.Checks()) != 1 || w.Why() != "" {
		t.Errorf("%+v", w)
	}
	if who, ok := v.Identity(); !ok || who != signer {
		t.Error("the original verdict changed")
	}
}

// TestShared makes sure that verdicts which share steps do not write into each other,
// however builders go on.
func TestShared(t *testing.T) {
	many := []Check{Pass("a", ""), Pass("b", ""), Pass("c", "")}
	var one, two, whole Builder
	one.Pass("first", "")
	one.Keep(many)
	one.Pass("one", "")
	two.Keep(many[:2])
	two.Pass("two", "")
	early := one.Done(signer)
	one.Pass("later", "")
	whole.AddAll(early)
	whole.Fail("whole", reason.CertExpired, "")
	late := one.Done(signer)
	one.Pass("last", "")
	for _, c := range []struct {
		v    Verdict
		want string
	}{
		{early, "first a b c one"}, {late, "first a b c one later"}, {two.Done(signer), "a b two"},
		{whole.Done(signer), "first a b c one whole"},
	} {
		var names []string
		for _, check := range c.v.Checks() {
			names = append(names, check.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if many[2] != Pass("c", "") || whole.Done(signer).Why() != reason.CertExpired {
		t.Error("steps were changed")
	}
	var b Builder
	b.Keep([]Check{{Name: "bad", Status: Passed, Reason: reason.CertExpired}})
	if v := b.Done(signer); v.Status() != Failed || v.Why() != reason.InternalError {
		t.Errorf("a contradiction is %v because of %q", v.Status(), v.Why())
	}
}
