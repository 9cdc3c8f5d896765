package sigalg

import (
	"crypto"
	"errors"
	"sync"
	"time"
	"unique"

	"propusk/gost/gost3410"
	"propusk/pki/reason"
)

// Names of engines. They appear in verdict documents and in configurations, and stay
// as they are.
const (
	// EngineGo is the code of this repository.
	EngineGo = "go"
	// EnginePKCS11 is a module of PKCS#11: a token or an HSM.
	EnginePKCS11 = "pkcs11"
	// EngineBoth is the two of them, which must agree.
	EngineBoth = "both"
)

// EngineInfo names what computes signatures of GOST R 34.10.
type EngineInfo struct {
	Name string // EngineGo, EnginePKCS11 or EngineBoth
	// Module and Version are what a module says about itself: its vendor with the
	// description, and its version. They are empty for EngineGo, and for a module
	// that never answered.
	Module, Version string
}

// Engine verifies signatures of GOST R 34.10 outside of this program. It must be safe
// for concurrent use.
type Engine interface {
	// Verify reports whether signature is that of pub under digest. The digest has the
	// length of the curve in software order, the signature twice that in the order of
	// RFC 9215. An error means that there is no answer: the module is lost, or knows
	// nothing of the curve. One with reason.EngineDisagreement means that it was caught
	// lying: it counts as a disagreement about this signature too.
	Verify(pub *gost3410.PublicKey, digest, signature []byte) (bool, error)
	// About names the engine. It must be quick: it is asked for every verdict.
	About() EngineInfo
}

// Choice says who computes signatures of GOST R 34.10. Nil is this program alone. RSA
// and ECDSA are always computed by this program: no module has to know them, and no
// qualified signature is made with them. A Choice is safe for concurrent use; its
// fields do not change once it is used.
type Choice struct {
	// Engine must be set.
	Engine Engine
	// Both has this program compute them as well. A signature is good only if both
	// say so; if one says yes and the other no, there is no verdict that passes.
	Both bool
	// Fallback lets this program answer alone while the engine does not. The verdict
	// says so. Without it there is no answer then.
	Fallback bool
	// Observe is told of each signature; nil means nobody is. It must be quick and
	// safe for concurrent use.
	Observe func(Computed)
}

// Computed is what came of one signature.
type Computed struct {
	Outcome Outcome
	Err     error         // why the engine gave no answer
	Took    time.Duration // of the engine alone
}

// Outcome is what came of one signature.
type Outcome uint8

// The outcomes.
const (
	// Lost means that the engine gave no answer, and that nobody else was asked. It is
	// the zero value.
	Lost Outcome = iota
	// Good and Bad are answers of all who were to compute.
	Good
	Bad
	// FellBack means that this program answered alone, because the engine did not.
	FellBack
	// Disagreement means that one said yes and the other no.
	Disagreement
)

// String returns "lost", "good", "bad", "fallback" or "disagreement".
func (o Outcome) String() string {
	switch o {
	case Good:
		return "good"
	case Bad:
		return "bad"
	case FellBack:
		return "fallback"
	case Disagreement:
		return "disagreement"
	default:
		return "lost"
	}
}

// Use is what computed the signatures of one verdict.
type Use struct {
	EngineInfo
	// Fallback reports that this program answered alone for the engine, at least once.
	Fallback bool
}

// String names the engine for logs: "go", "both", "pkcs11 (fallback)".
func (u Use) String() string {
	if u.Fallback {
		return u.Name + " (fallback)"
	}
	return u.Name
}

// Begin returns the Run of one verdict; nil for a nil Choice.
func (c *Choice) Begin() *Run {
	if c == nil {
		return nil
	}
	r := &Run{choice: c, about: c.Engine.About()}
	r.id = unique.Make(c.named(r.about))
	return r
}

// named names who computes together with an engine.
func (c *Choice) named(about EngineInfo) EngineInfo {
	if c.Both {
		about.Name = EngineBoth
	}
	return about
}

// Run computes the signatures of one verdict, and knows who did. A nil Run is this
// program alone. It is safe for concurrent use.
type Run struct {
	choice *Choice
	about  EngineInfo // at the beginning
	id     unique.Handle[EngineInfo]

	mu       sync.Mutex
	fellBack bool
	failure  error
	waited   time.Duration // for answers that did not come
}

// patience is how long one verdict waits for answers that do not come: a file with a
// thousand signatures must not wait a thousand times for a module that hangs.
const patience = 15 * time.Second

// errPatience is why the engine is not asked any more.
var errPatience = errors.New("sigalg: the engine kept this verdict waiting for too long, and is not asked any more")

// ID is what facts that the run computes are remembered under: those of another engine,
// or of another version of it, are of no use to it. It is zero for this program alone.
func (r *Run) ID() unique.Handle[EngineInfo] {
	if r == nil {
		return unique.Handle[EngineInfo]{}
	}
	return r.id
}

// Keeps reports whether what was computed so far was computed by the engine that ID
// stands for, and by no other.
func (r *Run) Keeps() bool {
	if r == nil {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.fellBack && r.failure == nil && r.choice.Engine.About() == r.about
}

// Use says who computed the signatures of the verdict.
func (r *Run) Use() Use {
	if r == nil {
		return Use{EngineInfo: EngineInfo{Name: EngineGo}}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return Use{EngineInfo: r.choice.named(r.choice.Engine.About()), Fallback: r.fellBack}
}

// Failure returns why the verdict must not pass, whatever else was found: an error with
// reason.EngineDisagreement or reason.EngineLost, or nil.
func (r *Run) Failure() error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failure
}

// EngineFailed reports whether err means that the engine did not decide about a
// signature: nobody knows whether it is good. Its reason is reason.EngineLost or
// reason.EngineDisagreement.
func EngineFailed(err error) bool {
	return errors.Is(err, reason.EngineLost) || errors.Is(err, reason.EngineDisagreement)
}

// EngineFailure returns the error of EngineFailed with nothing around it, so that its
// reason is that of the engine, and nil for any other error.
func EngineFailure(err error) error {
	for _, code := range []reason.Code{reason.EngineDisagreement, reason.EngineLost} {
		if errors.Is(err, code) {
			return reason.New(code, err)
		}
	}
	return nil
}

// verify is the mathematics of one signature with a GOST key. The error is one of
// EngineFailed.
func (r *Run) verify(keys *gost3410.KeyCache, pub *gost3410.PublicKey, digest, sig []byte) (bool, error) {
	switch {
	case r == nil:
		return keys.Verify(pub, digest, sig), nil
	case !whole(pub, digest, sig):
		return false, nil // no signature at all, and nothing that modules would agree about
	}
	return r.decide(pub, digest, sig, r.choice.Both, func() bool { return keys.Verify(pub, digest, sig) })
}

// decide asks the engine, and this program if both have to agree or nobody else answers.
func (r *Run) decide(pub *gost3410.PublicKey, digest, sig []byte, both bool, compute func() bool) (bool, error) {
	theirs, took, lost := r.ask(pub, digest, sig)
	switch {
	case errors.Is(lost, reason.EngineDisagreement):
		// Not one of this signature, but worse: nobody falls back on that quietly.
		return false, r.fail(Computed{Disagreement, lost, took}, reason.New(reason.EngineDisagreement, lost))
	case lost != nil && !r.choice.Fallback:
		return false, r.fail(Computed{Lost, lost, took}, reason.New(reason.EngineLost, lost))
	case lost == nil && !both:
		r.observe(answered(theirs, took))
		return theirs, nil
	}
	ours := compute()
	switch {
	case lost != nil:
		r.mu.Lock()
		r.fellBack = true
		r.mu.Unlock()
		r.observe(Computed{FellBack, lost, took})
		return ours, nil
	case ours != theirs:
		err := reason.Errorf(reason.EngineDisagreement, "sigalg: a signature on %s: the module says %t, this program %t", pub.Curve().Name(), theirs, ours)
		return false, r.fail(Computed{Disagreement, err, took}, err)
	}
	r.observe(answered(ours, took))
	return ours && theirs, nil
}

// Confirm has a signature that this program has found good already verified by the
// engine. With a key of another family, and with a nil Run, there is nothing to confirm.
// The error is one of EngineFailed: an engine that says no contradicts this program,
// whether or not it was to compute as well.
func (r *Run) Confirm(pub crypto.PublicKey, digest, sig []byte) error {
	key, ok := pub.(*gost3410.PublicKey)
	if r == nil || !ok {
		return nil
	}
	if !whole(key, digest, sig) { // one that did not come along
		err := reason.Errorf(reason.TokenUnsupported, "sigalg: there is no signature to confirm")
		return r.fail(Computed{Outcome: Lost, Err: err}, reason.New(reason.EngineLost, err))
	}
	_, err := r.decide(key, digest, sig, true, func() bool { return true })
	return err
}

// whole reports whether a digest and a signature have the lengths of a key.
func whole(pub *gost3410.PublicKey, digest, sig []byte) bool {
	size := pub.Curve().Size()
	return len(digest) == size && len(sig) == 2*size
}

// ask asks the engine, unless it has kept the verdict waiting for too long.
func (r *Run) ask(pub *gost3410.PublicKey, digest, sig []byte) (good bool, took time.Duration, err error) {
	r.mu.Lock()
	over := r.waited >= patience
	r.mu.Unlock()
	if over {
		return false, 0, reason.New(reason.TokenTimeout, errPatience)
	}
	start := time.Now()
	good, err = r.choice.Engine.Verify(pub, digest, sig)
	took = time.Since(start)
	if err != nil {
		r.mu.Lock()
		r.waited += took
		r.mu.Unlock()
	}
	return good && err == nil, took, err
}

func answered(good bool, took time.Duration) Computed {
	if good {
		return Computed{Outcome: Good, Took: took}
	}
	return Computed{Outcome: Bad, Took: took}
}

// fail remembers why the verdict must not pass: a disagreement before a loss.
func (r *Run) fail(c Computed, err error) error {
	r.mu.Lock()
	if r.failure == nil || c.Outcome == Disagreement {
		r.failure = err
	}
	r.mu.Unlock()
	r.observe(c)
	return err
}

func (r *Run) observe(c Computed) {
	if r.choice.Observe != nil {
		r.choice.Observe(c)
	}
}
