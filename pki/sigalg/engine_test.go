package sigalg

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/streebog"
	"propusk/pki/reason"
)

// stub is an engine that answers as a test wants.
type stub struct {
	mu    sync.Mutex
	about EngineInfo
	asked int
	says  func(right bool) (bool, error)
}

func (s *stub) Verify(pub *gost3410.PublicKey, digest, signature []byte) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.says(pub.Verify(digest, signature))
}

func (s *stub) About() EngineInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.about
}

// Engines of all sorts.
func honest(right bool) (bool, error) { return right, nil }
func always(bool) (bool, error)       { return true, nil }
func never(bool) (bool, error)        { return false, nil }
func absent(bool) (bool, error)       { return true, reason.New(reason.TokenRemoved, nil) }
func caught(bool) (bool, error)       { return true, reason.New(reason.EngineDisagreement, nil) }

// TestEngines goes through all that an engine may answer. What passes is what the rules
// of each choice say, and nothing else.
func TestEngines(t *testing.T) {
	type want struct {
		err     error // of Verify; nil passes
		outcome Outcome
		failure reason.Code
	}
	good, bad := want{nil, Good, ""}, want{ErrSignature, Bad, ""}
	lost, apart := want{reason.EngineLost, Lost, reason.EngineLost}, want{reason.EngineDisagreement, Disagreement, reason.EngineDisagreement}
	fell := func(err error) want { return want{err, FellBack, ""} }
	for name, c := range map[string]struct {
		says                                  func(bool) (bool, error)
		moduleGood, moduleBad                 want // a right and a wrong signature, the module alone
		bothGood, bothBad                     want
		fallbackGood, fallbackBad             want // the module alone, with fallback
		bothAndFallbackGood, bothAndFallbkBad want
	}{
		"honest":     {honest, good, bad, good, bad, good, bad, good, bad},
		"always yes": {always, good, good, good, apart, good, good, good, apart},
		"always no":  {never, bad, bad, apart, bad, bad, bad, apart, bad},
		"lost":       {absent, lost, lost, lost, lost, fell(nil), fell(ErrSignature), fell(nil), fell(ErrSignature)},
		// Nobody falls back quietly on a module that was caught lying.
		"caught lying": {caught, apart, apart, apart, apart, apart, apart, apart, apart},
	} {
		for _, size := range []*gost3410.Curve{gost3410.CryptoProA(), gost3410.TC26512A()} {
			alg, key, message, sig := signed(t, size)
			wrong := append([]byte(nil), message...)
			wrong[0] ^= 1
			for _, one := range []struct {
				both, fallback bool
				message        []byte
				want           want
			}{
				{false, false, message, c.moduleGood},
				{false, false, wrong, c.moduleBad},
				{true, false, message, c.bothGood},
				{true, false, wrong, c.bothBad},
				{false, true, message, c.fallbackGood},
				{false, true, wrong, c.fallbackBad},
				{true, true, message, c.bothAndFallbackGood},
				{true, true, wrong, c.bothAndFallbkBad},
			} {
				var seen []Computed
				choice := &Choice{
					Engine: &stub{says: c.says, about: EngineInfo{EnginePKCS11, "Пример", "1"}}, Both: one.both, Fallback: one.fallback,
					Observe: func(c Computed) { seen = append(seen, c) },
				}
				run := choice.Begin()
				err := Verifier{Run: run}.Verify(alg, key.Public(), one.message, sig)
				if one.want.err == nil && err != nil || one.want.err != nil && !errors.Is(err, one.want.err) {
					t.Errorf("%s, both %t, fallback %t: %v, want %v", name, one.both, one.fallback, err, one.want.err)
				}
				if len(seen) != 1 || seen[0].Outcome != one.want.outcome {
					t.Errorf("%s, both %t, fallback %t: told of %+v, want %v", name, one.both, one.fallback, seen, one.want.outcome)
				}
				if got := reason.Of(run.Failure()); got != one.want.failure || EngineFailed(err) != (got != "") || reason.Of(EngineFailure(err)) != got {
					t.Errorf("%s, both %t, fallback %t: failure %q, want %q", name, one.both, one.fallback, got, one.want.failure)
				}
				use := run.Use()
				if use.Fallback != (one.want.outcome == FellBack) || use.Module != "Пример" || (use.Name == EngineBoth) != one.both {
					t.Errorf("%s, both %t, fallback %t: %+v", name, one.both, one.fallback, use)
				}
				if keeps := run.Keeps(); keeps != (one.want.outcome == Good || one.want.outcome == Bad) {
					t.Errorf("%s, both %t, fallback %t: keeps %t", name, one.both, one.fallback, keeps)
				}
			}
		}
	}
}

func signed(t *testing.T, curve *gost3410.Curve) (AlgorithmIdentifier, *gost3410.PrivateKey, []byte, []byte) {
	t.Helper()
	key, err := gost3410.GenerateKey(curve, nil)
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("вымышленный документ")
	alg, sig, err := Sign(nil, key, message)
	if err != nil {
		t.Fatal(err)
	}
	return alg, key, message, sig
}

// TestFailureStays: one signature that nobody decided about spoils the whole verdict,
// whatever comes after it; a disagreement says so before a loss does.
func TestFailureStays(t *testing.T) {
	alg, key, message, sig := signed(t, gost3410.CryptoProA())
	engine := &stub{says: absent}
	choice := &Choice{Engine: engine, Both: true}
	run := choice.Begin()
	v := Verifier{Run: run}
	for _, step := range []struct {
		says func(bool) (bool, error)
		want reason.Code
	}{{honest, ""}, {absent, reason.EngineLost}, {honest, reason.EngineLost}, {never, reason.EngineDisagreement}, {absent, reason.EngineDisagreement}, {honest, reason.EngineDisagreement}} {
		engine.says = step.says
		_ = v.Verify(alg, key.Public(), message, sig)
		if got := reason.Of(run.Failure()); got != step.want || run.Keeps() != (got == "") {
			t.Errorf("%q, want %q", got, step.want)
		}
	}
	if err := choice.Begin().Failure(); err != nil {
		t.Errorf("another verdict: %v", err)
	}
}

// TestOnlyGOSTIsAsked: no module has to know RSA, and none is asked about what is no
// signature by its length.
func TestOnlyGOSTIsAsked(t *testing.T) {
	engine := &stub{says: always}
	v := Verifier{Run: (&Choice{Engine: engine}).Begin()}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("a")
	alg, sig, err := Sign(rand.Reader, key, message)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Verify(alg, key.Public(), message, sig); err != nil {
		t.Error(err)
	}
	if err := v.Verify(alg, key.Public(), []byte("b"), sig); !errors.Is(err, ErrSignature) {
		t.Error(err)
	}
	galg, gkey, message, gsig := signed(t, gost3410.CryptoProA())
	for _, short := range [][]byte{nil, gsig[:63], append(gsig, 0)} {
		if err := v.Verify(galg, gkey.Public(), message, short); !errors.Is(err, ErrSignature) {
			t.Errorf("%d bytes: %v", len(short), err)
		}
	}
	if engine.asked != 0 {
		t.Errorf("asked %d times", engine.asked)
	}
}

// TestNoEngine: nil is this program, and costs nothing.
func TestNoEngine(t *testing.T) {
	var choice *Choice
	run := choice.Begin()
	if run != nil || !run.Keeps() || run.Failure() != nil || run.Use() != (Use{EngineInfo: EngineInfo{Name: EngineGo}}) {
		t.Error("nil does not stand for this program")
	}
	_, key, _, _ := signed(t, gost3410.CryptoProA())
	digest := streebog.Sum256([]byte("a"))
	sig, err := key.Sign(nil, digest[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	plain := testing.AllocsPerRun(20, func() { key.PublicKey().Verify(digest[:], sig) })
	ours := testing.AllocsPerRun(20, func() {
		if (Verifier{Run: run}).VerifyDigest(OIDStreebog256, key.PublicKey(), digest[:], sig) != nil {
			t.Fatal("not verified")
		}
	})
	if ours > plain {
		t.Errorf("%v allocations, %v without", ours, plain)
	}
}

// TestIDTellsEnginesApart: so that facts of one are not taken for those of another. A
// module that says another version meanwhile is another one.
func TestIDTellsEnginesApart(t *testing.T) {
	about := func(m, v string) *stub {
		return &stub{says: honest, about: EngineInfo{EnginePKCS11, m, v}}
	}
	first, changed := about("a", "1"), about("a", "1")
	run := (&Choice{Engine: changed}).Begin()
	if run.ID() != (&Choice{Engine: first}).Begin().ID() || !run.Keeps() {
		t.Error("the same module is not the same")
	}
	changed.mu.Lock()
	changed.about.Version = "2"
	changed.mu.Unlock()
	if run.Keeps() || run.Use().Version != "2" {
		t.Error("a module that changed on the way is still the one that ID names")
	}
	var nobody *Run
	for _, other := range []*Run{nobody, (&Choice{Engine: about("b", "1")}).Begin(), (&Choice{Engine: about("a", "2")}).Begin()} {
		if run.ID() == other.ID() {
			t.Errorf("%+v is the same", other.Use())
		}
	}
}

// TestConfirm: what this program has found good already is good only if the engine says
// so too, whatever the choice; an engine that says no is an alarm, even if it is alone.
func TestConfirm(t *testing.T) {
	_, key, _, _ := signed(t, gost3410.CryptoProA())
	digest := streebog.Sum256([]byte("a"))
	sig, err := key.Sign(nil, digest[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	var nobody *Run
	if err := nobody.Confirm(key.Public(), digest[:], nil); err != nil {
		t.Errorf("this program: %v", err)
	}
	for name, c := range map[string]struct {
		says     func(bool) (bool, error)
		sig      []byte
		code     reason.Code
		outcome  Outcome
		fallback Outcome
	}{
		"yes":          {honest, sig, "", Good, Good},
		"no":           {never, sig, reason.EngineDisagreement, Disagreement, Disagreement},
		"lost":         {absent, sig, reason.EngineLost, Lost, FellBack},
		"no signature": {always, nil, reason.EngineLost, Lost, Lost},
	} {
		for _, fallback := range []bool{false, true} {
			for _, both := range []bool{false, true} {
				var seen []Computed
				run := (&Choice{Engine: &stub{says: c.says}, Both: both, Fallback: fallback, Observe: func(c Computed) { seen = append(seen, c) }}).Begin()
				err := run.Confirm(key.Public(), digest[:], c.sig)
				outcome, code := c.outcome, c.code
				if fallback {
					outcome = c.fallback
				}
				if outcome == FellBack {
					code = ""
				}
				if reason.Of(EngineFailure(err)) != code || (err == nil) != (code == "") || reason.Of(run.Failure()) != code {
					t.Errorf("%s, both %t, fallback %t: %v, failure %v; want %q", name, both, fallback, err, run.Failure(), code)
				}
				if len(seen) != 1 || seen[0].Outcome != outcome || run.Use().Fallback != (outcome == FellBack) {
					t.Errorf("%s, both %t, fallback %t: told of %+v, want %v", name, both, fallback, seen, outcome)
				}
			}
		}
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	if err := (&Choice{Engine: &stub{says: absent}}).Begin().Confirm(rsaKey.Public(), digest[:], sig); err != nil {
		t.Errorf("RSA: %v", err)
	}
}

// TestPatience: a verdict waits for an engine that does not answer, and not for ever; for
// one that answers slowly it does.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alg, key, message, sig := signed(t, gost3410.CryptoProA())
		for _, fallback := range []bool{false, true} {
			for name, c := range map[string]struct {
				says func(bool) (bool, error)
				want int
			}{"hangs": {absent, 3}, "slow": {honest, 100}} {
				engine := &stub{says: func(right bool) (bool, error) {
					time.Sleep(5 * time.Second)
					return c.says(right)
				}}
				choice := &Choice{Engine: engine, Fallback: fallback}
				run := choice.Begin()
				for i := range 100 {
					err := Verifier{Run: run}.Verify(alg, key.Public(), message, sig)
					if fine := name == "slow" || fallback; fine != (err == nil) || !fine && reason.Of(run.Failure()) != reason.EngineLost {
						t.Errorf("%s, fallback %t, signature %d: %v", name, fallback, i, err)
					}
				}
				if use := run.Use(); engine.asked != c.want || use.Fallback != (fallback && name == "hangs") {
					t.Errorf("%s, fallback %t: asked %d times, want %d; %+v", name, fallback, engine.asked, c.want, use)
				}
				if err := (Verifier{Run: choice.Begin()}).Verify(alg, key.Public(), message, sig); engine.asked != c.want+1 {
					t.Errorf("%s: the next verdict: not asked, %v", name, err)
				}
			}
		}
	})
}
