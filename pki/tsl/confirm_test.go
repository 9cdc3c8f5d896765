package tsl

import (
	"errors"
	"testing"

	"propusk/gost/gost3410"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// second is an engine: as a test wants, it answers rightly, says no, or does not answer.
type second struct {
	asked   int
	version string
	says    func(right bool) (bool, error)
}

func (s *second) Verify(pub *gost3410.PublicKey, digest, signature []byte) (bool, error) {
	s.asked++
	return s.says(pub.Verify(digest, signature))
}

func (s *second) About() sigalg.EngineInfo {
	return sigalg.EngineInfo{Name: sigalg.EnginePKCS11, Module: "Модуль Вымышленный", Version: s.version}
}

// TestConfirmBy: the signature of the list itself goes to the engine, once for each of its
// versions, and only a yes is remembered.
func TestConfirmBy(t *testing.T) {
	p := newPublisher(t)
	doc, err := Sign(sample(p.cert), p.key, p.cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Verify(doc, p.cert)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.ConfirmBy(nil); err != nil {
		t.Errorf("this program: %v", err)
	}
	honest := func(right bool) (bool, error) { return right, nil }
	engine := &second{says: honest}
	confirm := func(fallback bool) reason.Code {
		run := (&sigalg.Choice{Engine: engine, Fallback: fallback}).Begin()
		err := l.ConfirmBy(run)
		if (err == nil) != (run.Failure() == nil) {
			t.Errorf("%v, and the verdict: %v", err, run.Failure())
		}
		return reason.Of(sigalg.EngineFailure(err))
	}
	for i, step := range []struct {
		says     func(bool) (bool, error)
		version  string
		fallback bool
		want     reason.Code
		asked    int
	}{
		{func(bool) (bool, error) { return true, errors.New("lost") }, "1", false, reason.EngineLost, 1},
		{func(bool) (bool, error) { return false, nil }, "1", true, reason.EngineDisagreement, 2},
		{func(bool) (bool, error) { return true, errors.New("lost") }, "1", true, "", 3},
		{honest, "1", false, "", 4}, // what fell back is not remembered
		{func(bool) (bool, error) { return false, nil }, "1", false, "", 4},
		{func(bool) (bool, error) { return false, nil }, "2", false, reason.EngineDisagreement, 5},
		{honest, "2", false, "", 6},
	} {
		engine.says, engine.version = step.says, step.version
		if got := confirm(step.fallback); got != step.want || engine.asked != step.asked {
			t.Errorf("step %d: %q, asked %d times; want %q, %d", i, got, engine.asked, step.want, step.asked)
		}
	}
	if err := new(List).ConfirmBy((&sigalg.Choice{Engine: engine}).Begin()); err != nil {
		t.Errorf("the zero List: %v", err)
	}
}
