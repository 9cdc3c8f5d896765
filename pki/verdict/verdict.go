// Package verdict holds the outcome of a verification: the steps that ran, what
// each found, and, only if all passed, who the signer is.
//
// A bad signature is a result, not an error; an error means that nobody looked.
// The zero Verdict is indeterminate and grants nothing. Conclusions are named
// as in ETSI EN 319 102-1, Section 5.1.3.
package verdict

import (
	"iter"
	"slices"

	"propusk/pki/person"
	"propusk/pki/reason"
)

// Status is the outcome of one step, or of all of them.
type Status uint8

// The outcomes.
const (
	Indeterminate Status = iota // the zero value: nothing is known, nothing is granted
	Passed
	Failed
	// NotApplicable says that the step does not concern what is judged: a rule for
	// other holders, or one that was not in force on the day of issue. It is
	// neutral: it never makes a verdict pass, and never keeps one from passing.
	// Only a step has it, never a total.
	NotApplicable
)

// String returns "indeterminate", "passed", "failed" or "not-applicable".
func (s Status) String() string {
	switch s {
	case Passed:
		return "passed"
	case Failed:
		return "failed"
	case NotApplicable:
		return "not-applicable"
	default:
		return "indeterminate"
	}
}

// MarshalText implements encoding.TextMarshaler with the words of String.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Check is one step of the verification and what it found. Steps that did not
// run are absent; steps that passed are kept, as the evidence. A rule that was
// looked at and does not apply is a step of its own, with the reason why.
type Check struct {
	Name   string      // "signature", "chain", "revocation", "profile.inn"
	Status Status      // Indeterminate when the step lacked data
	Reason reason.Code // empty if and only if Status is Passed
	Cite   string      // "RFC 5280, 6.1.3 (a)(2)"
	Detail string      // a fact without personal data, such as a date; may be empty
}

// Pass returns a step that passed.
func Pass(name, cite string) Check {
	return Check{Name: name, Status: Passed, Cite: cite}
}

// Fail returns a step that failed for the given reason. The detail is a fact
// without personal data; it may be empty.
func Fail(name string, code reason.Code, cite, detail string) Check {
	return Check{Name: name, Status: Failed, Reason: code, Cite: cite, Detail: detail}
}

// Unknown returns a step that could not be decided for lack of data.
func Unknown(name string, code reason.Code, cite, detail string) Check {
	return Check{Name: name, Status: Indeterminate, Reason: code, Cite: cite, Detail: detail}
}

// Skip returns a step that does not concern what is judged; the reason says why.
func Skip(name string, code reason.Code, cite string) Check {
	return Check{Name: name, Status: NotApplicable, Reason: code, Cite: cite}
}

// Verdict is the outcome of a verification. It is made by a Builder and does not
// change afterwards, so it may be shared between goroutines.
type Verdict struct {
	status   Status
	checks   [][]Check // one after the other; parts are shared between verdicts
	who      person.Identity
	withheld bool
}

// Status returns the total: Passed only if at least one step passed and every
// other one passed too or was not applicable; Failed if any step failed;
// Indeterminate otherwise.
func (v Verdict) Status() Status { return v.status }

// Checks returns a copy of the steps, in the order in which they ran.
func (v Verdict) Checks() []Check { return slices.Concat(v.checks...) }

// Len returns how many steps ran.
func (v Verdict) Len() int {
	n := 0
	for _, part := range v.checks {
		n += len(part)
	}
	return n
}

// All returns the steps in the order in which they ran, without copying them.
func (v Verdict) All() iter.Seq[Check] {
	return func(yield func(Check) bool) {
		for _, part := range v.checks {
			for i := range part {
				if !yield(part[i]) {
					return
				}
			}
		}
	}
}

// Why returns the reason of the first failed step, else of the first
// indeterminate one. It is empty for a passed verdict, and also for the zero
// Verdict, in which nothing ran.
func (v Verdict) Why() reason.Code {
	for _, status := range []Status{Failed, Indeterminate} {
		for _, part := range v.checks {
			for i := range part {
				if part[i].Status == status {
					return part[i].Reason
				}
			}
		}
	}
	return ""
}

// Identity returns the signer, and true only if the verdict is Passed and was not
// withheld. There is no other way to get the signer out of a Verdict.
func (v Verdict) Identity() (person.Identity, bool) {
	if v.status != Passed || v.withheld {
		return person.Identity{}, false
	}
	return v.who, true
}

// Withhold returns the same verdict without the identity. It is for a part of a
// greater whole that did not pass: a good certificate beside a signature that
// nobody verified is no signer.
func (v Verdict) Withhold() Verdict {
	v.who, v.withheld = person.Identity{}, true
	return v
}

// Builder collects steps into a Verdict. The zero value is ready to use. It is
// not safe for concurrent use.
type Builder struct {
	v       Verdict
	open    bool // the last part of v.checks is only known here and may grow
	pending bool // some step was indeterminate
	passed  bool // some step passed
}

// Pass records a step that passed.
func (b *Builder) Pass(name, cite string) {
	b.Add(Pass(name, cite))
}

// Fail records a step that failed for the given reason.
func (b *Builder) Fail(name string, code reason.Code, cite string) {
	b.Add(Fail(name, code, cite, ""))
}

// Unknown records a step that could not be decided for lack of data.
func (b *Builder) Unknown(name string, code reason.Code, cite string) {
	b.Add(Unknown(name, code, cite, ""))
}

// Add records steps as they are. A contradictory step — passed with a reason,
// or not passed without one — is our own mistake and counts as failed.
func (b *Builder) Add(checks ...Check) {
	for i := range checks {
		c := checks[i]
		if c.contradicts() {
			c.Status, c.Reason = Failed, reason.InternalError
		}
		b.count(c.Status)
		b.last(len(checks) - i)
		last := &b.v.checks[len(b.v.checks)-1]
		*last = append(*last, c)
	}
}

// few is how many steps there is room for beyond those that are added.
const few = 4

// last makes sure that there is a part that may grow.
func (b *Builder) last(n int) {
	if !b.open {
		b.v.checks, b.open = append(b.v.checks, make([]Check, 0, n+few)), true
	}
}

// AddAll records all steps of a verdict.
func (b *Builder) AddAll(v Verdict) {
	for _, part := range v.checks {
		b.Keep(part)
	}
}

// Keep is Add of steps that will never change, nor what is behind them: they are not
// copied. It is for many steps that belong into several verdicts.
func (b *Builder) Keep(checks []Check) {
	if slices.ContainsFunc(checks, Check.contradicts) {
		b.Add(checks...)
		return
	}
	for i := range checks {
		b.count(checks[i].Status)
	}
	b.v.checks, b.open = append(b.v.checks, slices.Clip(checks)), false
}

// count takes a step into account.
func (b *Builder) count(s Status) {
	switch s {
	case Failed:
		b.v.status = Failed
	case Indeterminate:
		b.pending = true
	case Passed:
		b.passed = true
	}
}

// contradicts reports whether status and reason contradict each other.
func (c Check) contradicts() bool {
	return c.Status > NotApplicable || (c.Status == Passed) != (c.Reason == "")
}

// Failed reports whether a step has failed so far, so that the caller may skip
// steps that would tell nothing new.
func (b *Builder) Failed() bool { return b.v.status == Failed }

// Done returns the verdict, as [Verdict.Status] says. The identity is kept only in a passed verdict. The Builder may go on;
// verdicts already returned do not change.
func (b *Builder) Done(who person.Identity) Verdict {
	// What is added later goes into another part, beyond the end of this slice.
	b.open = false
	v := Verdict{status: b.v.status, checks: slices.Clip(b.v.checks)}
	if v.status != Failed && !b.pending && b.passed {
		v.status, v.who = Passed, who
	}
	return v
}
