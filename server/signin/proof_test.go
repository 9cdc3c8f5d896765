package signin

import (
	"errors"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

// moody is an engine that verifies what it is asked about while trust data are judged,
// and says about the signature of the handshake what a test wants.
type moody struct {
	digest string // of the handshake
	says   func(right bool) (bool, error)
}

func (m moody) Verify(pub *gost3410.PublicKey, digest, signature []byte) (bool, error) {
	right := pub.Verify(digest, signature)
	if string(digest) == m.digest {
		return m.says(right)
	}
	return right, nil
}

func (m moody) About() sigalg.EngineInfo {
	return sigalg.EngineInfo{Name: sigalg.EnginePKCS11, Module: "Модуль Вымышленный", Version: "1"}
}

// TestProof: nobody is let in by a handshake whose signature the engine has not found
// good too. What it says of a signature that TLS found good is an alarm, even if it is
// the only one that was to compute.
func TestProof(t *testing.T) {
	j, country := newJudge(t)
	p := country.Person("ip")
	digest := make([]byte, p.Key.PublicKey().Curve().Size())
	digest[0] = 77
	signature, err := p.Key.Sign(nil, digest, nil)
	if err != nil {
		t.Fatal(err)
	}
	lost := func(bool) (bool, error) { return true, errors.New("a test") }
	for name, c := range map[string]struct {
		says      func(bool) (bool, error)
		signature []byte
		fallback  bool
		code      reason.Code
		outcome   sigalg.Outcome
	}{
		"good":             {func(right bool) (bool, error) { return right, nil }, signature, false, "", sigalg.Good},
		"contradicted":     {func(bool) (bool, error) { return false, nil }, signature, false, reason.EngineDisagreement, sigalg.Disagreement},
		"lost":             {lost, signature, false, reason.EngineLost, sigalg.Lost},
		"lost, fallback":   {lost, signature, true, "", sigalg.FellBack},
		"no signature":     {lost, nil, true, reason.EngineLost, sigalg.Lost},
		"denied, fallback": {func(bool) (bool, error) { return false, nil }, signature, true, reason.EngineDisagreement, sigalg.Disagreement},
	} {
		var last sigalg.Computed
		j.trust.Engine = &sigalg.Choice{
			Engine: moody{string(digest), c.says}, Fallback: c.fallback, Observe: func(c sigalg.Computed) { last = c },
		}
		o := j.certificates(t.Context(), [][]byte{p.Certificate.Raw}, time.Now())
		if o.code != "" || o.cert.Engine.Fallback {
			t.Fatalf("%s: %q, %v", name, o.code, o.err)
		}
		j.proof(&o, gosttls.Proof{Digest: digest, Signature: c.signature})
		passes := c.code == ""
		if o.code != c.code || (o.who == person.Identity{}) == passes || (o.conclusion() == report.TotalPassed) != passes ||
			(o.cert.Verdict.Status() == verdict.Passed) != passes {
			t.Errorf("%s: %q, %v, %s", name, o.code, o.cert.Verdict.Status(), o.conclusion())
		}
		if last.Outcome != c.outcome || o.cert.Engine.Fallback != (c.outcome == sigalg.FellBack) {
			t.Errorf("%s: %v by %+v", name, last.Outcome, o.cert.Engine)
		}
	}
}
