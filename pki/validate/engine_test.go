package validate

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/cms"
	"propusk/pki/crl"
	"propusk/pki/facts"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/internal/longterm"
	"propusk/pki/reason"
	"propusk/pki/revocation"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

// wanting is an engine that is wanting at some of the signatures that it is asked about.
type wanting struct {
	mu    sync.Mutex
	asked []*gost3410.PublicKey
	// wrong and lost tell, by the number of the question, whether the answer is the
	// opposite of what is right, or none; nil is never.
	wrong, lost func(n int) bool
	version     string
}

func (w *wanting) Verify(pub *gost3410.PublicKey, digest, signature []byte) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.asked)
	w.asked = append(w.asked, pub)
	good := pub.Verify(digest, signature)
	switch {
	case w.lost != nil && w.lost(n):
		return true, reason.New(reason.TokenCrashed, errors.New("a test"))
	case w.wrong != nil && w.wrong(n):
		return !good, nil
	}
	return good, nil
}

func (w *wanting) About() sigalg.EngineInfo {
	return sigalg.EngineInfo{Name: sigalg.EnginePKCS11, Module: "Модуль Вымышленный", Version: w.version}
}

// only is the n-th.
func only(n int) func(int) bool { return func(i int) bool { return i == n } }

func every(int) bool { return true }

// by is v with another engine.
func by(v Validator, c sigalg.Choice) Validator {
	v.Trust.Engine = &c
	return v
}

// everything is a signature with time-stamps one over the other, lists inside and a
// counter-signature, a validator who has an OCSP answer about the signer besides, and
// the keys of all whose signatures the verdict rests on.
func everything(t *testing.T) (v Validator, file []byte, keys map[string]*gost3410.PublicKey) {
	t.Helper()
	w := newWorld(t)
	m := w.material(t)
	notary := w.Person(t, w.FNS, gost3410.TC26256A(), country.Entrepreneur())
	file = w.bes(t, false)
	file = longterm.Add(t, file, longterm.CounterSignature, counter(t, notary, longterm.Parse(t, file).Signers[0].Signature))
	m.Certs = append(m.Certs, notary.Cert)
	file = longterm.Values(t, longterm.C(t, longterm.T(t, file, w.tsa), m), m)
	file = longterm.Indexed(t, file, document, longterm.IndexV3, w.tsa)
	v = w.v
	response := w.delegated(t, now.Add(-time.Minute))
	v.Trust.OCSP = append(v.Trust.OCSP, response)
	v.Policy.Revocation.Order = revocation.OCSPFirst
	v.Evidence.Responses = nil
	keys = map[string]*gost3410.PublicKey{"the signer": w.h.Key.PublicKey(), "the counter-signer": notary.Key.PublicKey(), "the TSA": w.tsa.Holder.Key.PublicKey()}
	for name, cert := range map[string]*gostx509.Certificate{"the CA": w.FNS.Cert, "the root": w.Root.Cert, "the responder": response.Certificates[0], "the list of CAs": v.Trust.Accredited.Signer()} {
		key, ok := cert.PublicKey.(*gost3410.PublicKey)
		if !ok {
			t.Fatal(name)
		}
		keys[name] = key
	}
	return v, file, keys
}

// judged is the verdict on a file with everything.
func judged(v Validator, file []byte) Report { return v.Signature(file, cms.Content{}, now) }

// TestEveryQuestionCounts: the engine is asked about every signature that a verdict rests
// on. At each of them in turn it gives no answer, or the wrong one: nothing passes, and
// the reason is that of the engine.
func TestEveryQuestionCounts(t *testing.T) {
	v, file, keys := everything(t)
	v.Trust.Facts = nil
	engine := &wanting{version: "1"}
	r := judged(by(v, sigalg.Choice{Engine: engine, Both: true}), file)
	if r.Verdict().Status() != verdict.Passed || r.Engine.Name != sigalg.EngineBoth || r.Engine.Fallback || r.Engine.Version != "1" {
		t.Fatalf("%v %q by %+v: %+v", r.Verdict().Status(), r.Verdict().Why(), r.Engine, r.Verdict().Checks())
	}
	s := r.Signatures[0]
	if len(s.CounterSignatures) != 1 || s.CounterSignatures[0].Verdict.Status() != verdict.Passed || len(s.TimeStamps) < 2 || s.ProofOfExistence.IsZero() {
		t.Fatalf("the test does not reach everything: %+v", s.CounterSignatures)
	}
	for who, key := range keys {
		found := false
		for _, asked := range engine.asked {
			found = found || asked.Equal(key)
		}
		if !found {
			t.Errorf("a signature of %s was never asked about", who)
		}
	}
	questions := len(engine.asked)
	t.Logf("%d signatures", questions)
	for n := range questions {
		for name, c := range map[string]struct {
			choice sigalg.Choice
			code   reason.Code
		}{
			"lost":            {sigalg.Choice{Engine: &wanting{lost: only(n)}}, reason.EngineLost},
			"lost, of both":   {sigalg.Choice{Engine: &wanting{lost: only(n)}, Both: true}, reason.EngineLost},
			"wrong":           {sigalg.Choice{Engine: &wanting{wrong: only(n)}, Both: true}, reason.EngineDisagreement},
			"wrong, fallback": {sigalg.Choice{Engine: &wanting{wrong: only(n)}, Both: true, Fallback: true}, reason.EngineDisagreement},
		} {
			v.Trust.CRLs = crl.NewSet(v.Trust.CRLs.Lists()...) // remembers nothing
			if engine, ok := c.choice.Engine.(*wanting); ok {
				engine.version = fmt.Sprint(name, n) // nobody has confirmed the list of CAs
			}
			r := judged(by(v, c.choice), file)
			total := r.Verdict()
			if total.Status() != verdict.Indeterminate || total.Why() != c.code {
				t.Errorf("%s at %d: %v %q: %+v", name, n, total.Status(), total.Why(), total.Checks())
			}
			if _, ok := total.Identity(); ok {
				t.Errorf("%s at %d: an identity", name, n)
			}
		}
		engine := &wanting{lost: only(n), version: fmt.Sprint("fallback", n)}
		v.Trust.CRLs = crl.NewSet(v.Trust.CRLs.Lists()...)
		r := judged(by(v, sigalg.Choice{Engine: engine, Fallback: true}), file)
		if r.Verdict().Status() != verdict.Passed || !r.Engine.Fallback || r.Engine.Name != sigalg.EnginePKCS11 {
			t.Errorf("fallback at %d: %v %q by %+v", n, r.Verdict().Status(), r.Verdict().Why(), r.Engine)
		}
	}
}

// TestEveryQuestionOfCertificates: the same for a certificate alone, about which a
// responder and lists say the same: one of them is not enough if the engine did not decide
// about the other.
func TestEveryQuestionOfCertificates(t *testing.T) {
	w := newWorld(t)
	v := w.v
	v.Trust.Facts = nil
	v.Trust.OCSP = append(v.Trust.OCSP, w.delegated(t, now.Add(-time.Minute)))
	v.Policy.Revocation.Order = revocation.OCSPFirst
	for n := 0; ; n++ {
		engine := &wanting{lost: only(n), version: fmt.Sprint("certificate", n)}
		v.Trust.CRLs = crl.NewSet(v.Trust.CRLs.Lists()...) // remembers nothing
		got := by(v, sigalg.Choice{Engine: engine}).ParsedCertificate(w.h.Cert, nil, now).Verdict
		if len(engine.asked) <= n {
			if got.Status() != verdict.Passed || n < 6 {
				t.Errorf("after %d signatures: %v %q", n, got.Status(), got.Why())
			}
			return
		}
		if got.Status() != verdict.Indeterminate || got.Why() != reason.EngineLost {
			t.Errorf("lost at %d: %v %q", n, got.Status(), got.Why())
		}
	}
}

// TestListIsConfirmed: a verdict asks the engine about the signature of the list of
// accredited CAs, unless the same engine has confirmed it before.
func TestListIsConfirmed(t *testing.T) {
	w := newWorld(t)
	v := w.v
	v.Trust.Facts = nil
	questions := func(version string, confirmed bool) int {
		t.Helper()
		engine := &wanting{version: version}
		choice := sigalg.Choice{Engine: engine}
		if confirmed {
			if err := v.Trust.Accredited.ConfirmBy(choice.Begin()); err != nil || len(engine.asked) != 1 {
				t.Fatalf("%v, asked %d times", err, len(engine.asked))
			}
			engine.asked = nil
		}
		v.Trust.CRLs = crl.NewSet(v.Trust.CRLs.Lists()...) // remembers nothing
		if got := by(v, choice).ParsedCertificate(w.h.Cert, nil, now).Verdict; got.Status() != verdict.Passed {
			t.Errorf("%v %q", got.Status(), got.Why())
		}
		return len(engine.asked)
	}
	anew, known := questions("list 1", false), questions("list 2", true)
	if anew != known+1 {
		t.Errorf("%d questions of an engine that does not know the list, %d of one that does", anew, known)
	}
	if again := questions("list 1", false); again != known {
		t.Errorf("%d questions of an engine that confirmed the list for a verdict, not %d", again, known)
	}
}

// TestEngineDoesNotMakeBadGood: what is bad stays bad whatever the engine, as long as it
// is right; and an engine that is wrong about everything lets nothing pass where this
// program computes too.
func TestEngineDoesNotMakeBadGood(t *testing.T) {
	v, file, _ := everything(t)
	bad := append([]byte(nil), file...)
	at := bytes.Index(bad, longterm.Parse(t, file).Signers[0].Signature)
	bad[at+5] ^= 1
	for name, c := range map[string]struct {
		choice sigalg.Choice
		file   []byte
		status verdict.Status
		code   reason.Code
	}{
		"bad, honest":              {sigalg.Choice{Engine: &wanting{}}, bad, verdict.Failed, reason.SignatureBad},
		"bad, both":                {sigalg.Choice{Engine: &wanting{}, Both: true}, bad, verdict.Failed, reason.SignatureBad},
		"bad, fallback":            {sigalg.Choice{Engine: &wanting{lost: every}, Fallback: true}, bad, verdict.Failed, reason.SignatureBad},
		"bad, the module says yes": {sigalg.Choice{Engine: &wanting{wrong: every}, Both: true}, bad, verdict.Indeterminate, reason.EngineDisagreement},
		"good, the module says no": {sigalg.Choice{Engine: &wanting{wrong: every}, Both: true}, file, verdict.Indeterminate, reason.EngineDisagreement},
		"good, no alone":           {sigalg.Choice{Engine: &wanting{wrong: every}}, file, verdict.Failed, reason.SignatureBad},
	} {
		r := judged(by(v, c.choice), c.file)
		if got := r.Verdict(); got.Status() != c.status || got.Why() != c.code {
			t.Errorf("%s: %v %q, want %v %q", name, got.Status(), got.Why(), c.status, c.code)
		}
	}
}

// TestFactsOfAnotherEngine: what this program found out about certificates and lists is
// not taken for something that the module found out, nor what an older version of it
// did; what fell back is not remembered as its own.
func TestFactsOfAnotherEngine(t *testing.T) {
	w := newWorld(t)
	v := w.v
	v.Trust.Facts = facts.New()
	certificate := func(c *sigalg.Choice) (Certificate, int) {
		v := v
		v.Trust.Engine = c
		before := 0
		if c != nil {
			before = len(c.Engine.(*wanting).asked)
		}
		r := v.ParsedCertificate(w.h.Cert, nil, now)
		if c != nil {
			return r, len(c.Engine.(*wanting).asked) - before
		}
		return r, 0
	}
	want := func(what string, r Certificate, status verdict.Status, code reason.Code) {
		t.Helper()
		if r.Verdict.Status() != status || r.Verdict.Why() != code {
			t.Errorf("%s: %v %q, want %v %q", what, r.Verdict.Status(), r.Verdict.Why(), status, code)
		}
	}
	for range 4 {
		r, _ := certificate(nil)
		want("this program", r, verdict.Passed, "")
	}
	gone := &wanting{version: "1", lost: every}
	r, asked := certificate(&sigalg.Choice{Engine: gone})
	want("lost, with facts of this program", r, verdict.Indeterminate, reason.EngineLost)
	r, _ = certificate(&sigalg.Choice{Engine: gone, Fallback: true})
	if want("fallback", r, verdict.Passed, ""); asked == 0 || !r.Engine.Fallback {
		t.Errorf("asked %d times, %+v", asked, r.Engine)
	}
	r, _ = certificate(&sigalg.Choice{Engine: gone})
	want("lost, after a fallback", r, verdict.Indeterminate, reason.EngineLost)

	first := &wanting{version: "1"}
	r, asked = certificate(&sigalg.Choice{Engine: first})
	if want("the module", r, verdict.Passed, ""); asked < 4 { // two certificates, two lists
		t.Errorf("the module was asked about %d signatures only", asked)
	}
	r, asked = certificate(&sigalg.Choice{Engine: first})
	if want("again", r, verdict.Passed, ""); asked != 0 {
		t.Errorf("the module was asked again about %d signatures that it knows", asked)
	}
	if _, asked = certificate(&sigalg.Choice{Engine: &wanting{version: "2"}}); asked < 4 {
		t.Errorf("another version believes the first one: asked %d times", asked)
	}
	if _, asked = certificate(&sigalg.Choice{Engine: first, Both: true}); asked < 4 {
		t.Errorf("what the module found out alone counts as found out by both: asked %d times", asked)
	}
}
