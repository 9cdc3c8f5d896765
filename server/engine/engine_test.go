package engine_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/server/config"
	"propusk/server/engine"
	"propusk/tokens"
	"propusk/tokens/faulty"
	"propusk/tokens/soft"
	"propusk/tokens/soft/softtest"
)

func TestMain(m *testing.M) {
	tokens.ServeIfChild()
	os.Exit(m.Run())
}

// signed is a good signature, and one that is not.
type signed struct {
	key         *gost3410.PublicKey
	digest, sig []byte
}

func sign(t testing.TB, curve *gost3410.Curve) signed {
	t.Helper()
	key, err := gost3410.GenerateKey(curve, nil)
	if err != nil {
		t.Fatal(err)
	}
	digest := bytes.Repeat([]byte{7}, curve.Size())
	sig, err := key.Sign(nil, digest, nil)
	if err != nil {
		t.Fatal(err)
	}
	return signed{key.PublicKey(), digest, sig}
}

// spoilt returns the signature for another digest.
func (s signed) spoilt() signed {
	s.digest = bytes.Clone(s.digest)
	s.digest[3] ^= 1
	return s
}

// curves are all that there are.
func curves() []*gost3410.Curve {
	return []*gost3410.Curve{
		gost3410.TC26256A(), gost3410.CryptoProA(), gost3410.CryptoProB(), gost3410.CryptoProC(),
		gost3410.TC26512A(), gost3410.TC26512B(), gost3410.TC26512C(),
	}
}

// TestVerifies: soft tokens, opened in Go and as a library in a process of its own,
// verify on every curve, from many sides at once.
func TestVerifies(t *testing.T) {
	token := softtest.New(t, softtest.Options{NoKey: true, Label: "Токен"})
	for name, path := range map[string]func(t *testing.T) string{
		"soft":    func(*testing.T) string { return tokens.SoftScheme + token.Dir },
		"library": func(t *testing.T) string { t.Setenv(softtest.Environment, token.Dir); return softtest.Module(t) },
	} {
		t.Run(name, func(t *testing.T) {
			m := engine.NewModule(engine.ModuleOptions{Path: path(t), Token: token.Label, Sessions: 3})
			t.Cleanup(func() { m.Close() })
			if a := m.About(); a != (sigalg.EngineInfo{Name: sigalg.EnginePKCS11}) {
				t.Errorf("before it is asked: %+v", a)
			}
			var all sync.WaitGroup
			for _, curve := range curves() {
				all.Go(func() {
					one := sign(t, curve)
					for range 5 {
						for _, c := range []struct {
							signed
							want bool
						}{{one, true}, {one.spoilt(), false}} {
							if good, err := m.Verify(c.key, c.digest, c.sig); good != c.want || err != nil {
								t.Errorf("%s: %t, %v; want %t", curve.Name(), good, err, c.want)
							}
						}
					}
				})
			}
			all.Wait()
			if a := m.About(); a.Module == "" || a.Version == "" {
				t.Errorf("%+v", a)
			}
			if err := m.Close(); err != nil {
				t.Error(err)
			}
			one := sign(t, gost3410.CryptoProA())
			if good, err := m.Verify(one.key, one.digest, one.sig); good || err == nil {
				t.Errorf("closed: %t, %v", good, err)
			}
		})
	}
}

// broken is a library with a fault, and a keeper of it that logs into a buffer.
type broken struct {
	*engine.Keeper
	log  *bytes.Buffer
	once string // the file without which the fault happens once
}

// now is the time of these tests, which nothing waits for.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func breakIt(t *testing.T, f faulty.Fault, once bool, v config.Verification, at *clock) broken {
	t.Helper()
	token := softtest.New(t, softtest.Options{NoKey: true, Label: "Токен"})
	l := faulty.New(t, token.Dir, f, once)
	b := broken{log: new(bytes.Buffer)}
	for _, variable := range l.Environment {
		if path, ok := strings.CutPrefix(variable, "PROPUSK_FAULTY_ONCE="); ok {
			b.once = path
			if err := os.WriteFile(path, nil, 0o600); err != nil { // not yet
				t.Fatal(err)
			}
		}
	}
	v.Module, v.Sessions = l.Path, 2
	if v.Engine == "" {
		v.Engine = "pkcs11"
	}
	if v.WhenLost == "" {
		v.WhenLost = "refuse"
	}
	b.Keeper = engine.New(engine.Options{
		Config: v, Log: slog.New(slog.NewJSONHandler(b.log, nil)), Now: at.now,
		Open: func(path string, o ...tokens.Option) (*tokens.Module, error) {
			o = append(o, tokens.Environment(l.Environment...))
			if f.What == "hang" {
				o = append(o, tokens.Deadlines{Call: time.Second})
			}
			return tokens.Open(path, o...)
		},
	})
	t.Cleanup(func() { b.Close() })
	return b
}

// fault lets the fault happen at the next call.
func (b broken) fault(t *testing.T) {
	t.Helper()
	if err := os.Remove(b.once); err != nil {
		t.Fatal(err)
	}
}

// verify asks about one signature as a verdict does.
func (b broken) verify(s signed) (sigalg.Use, error) {
	run := b.Choice().Begin()
	id := sigalg.OIDStreebog256
	if len(s.digest) == 64 {
		id = sigalg.OIDStreebog512
	}
	err := sigalg.Verifier{Run: run}.VerifyDigest(id, s.key, s.digest, s.sig)
	return run.Use(), err
}

// yes and no are libraries that say it to every signature.
func yes() faulty.Fault { return faulty.Fault{Function: "C_Verify", What: "yes"} }
func no() faulty.Fault  { return faulty.Fault{Function: "C_Verify", What: "rv", Value: "0xC0"} }

// TestLiesFromTheBeginning: a module that says yes to everything, or no, is not believed
// at all: it does not pass its examination. That is an alarm, and nobody answers in its
// place.
func TestLiesFromTheBeginning(t *testing.T) {
	t.Parallel()
	for _, lie := range []faulty.Fault{yes(), no()} {
		for _, v := range []config.Verification{{}, {Engine: "both"}, {WhenLost: "fallback"}, {Engine: "both", WhenLost: "fallback"}} {
			b := breakIt(t, lie, false, v, &clock{t: time.Now()})
			for _, one := range []signed{sign(t, gost3410.CryptoProA()), sign(t, gost3410.CryptoProA()).spoilt()} {
				if use, err := b.verify(one); reason.Of(err) != reason.EngineDisagreement || use.Fallback {
					t.Errorf("%v, %+v: %v, %+v", lie, v, err, use)
				}
			}
			s := b.Status()
			if s.Code != reason.EngineDisagreement || s.Since == nil || s.LastDisagreement == nil || s.Signatures["disagreement"] != 2 {
				t.Errorf("%v, %+v: %+v", lie, v, s)
			}
			if ready := b.Ready(); (ready == nil) != (v.WhenLost == "fallback") {
				t.Errorf("%v, %+v: %v", lie, v, ready)
			}
			if !strings.Contains(b.log.String(), "ALARM") || strings.Count(b.log.String(), "is lost") != 1 {
				t.Errorf("%v, %+v:\n%s", lie, v, b.log)
			}
			if err := b.Check(); !errors.Is(err, reason.EngineDisagreement) {
				t.Errorf("%v, %+v: %v", lie, v, err)
			}
		}
	}
}

// TestLiesUnasked: the alarm is raised when the module is connected, before anybody needs
// it.
func TestLiesUnasked(t *testing.T) {
	t.Parallel()
	b := breakIt(t, no(), false, config.Verification{WhenLost: "fallback"}, &clock{t: time.Now()})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b.Run(ctx)
	if s := b.Status(); s.LastDisagreement == nil || s.Signatures["disagreement"] != 1 || !strings.Contains(b.log.String(), "ALARM") {
		t.Errorf("%+v\n%s", s, b.log)
	}
}

// TestReady: nobody is let in before the module was connected once.
func TestReady(t *testing.T) {
	t.Parallel()
	token := softtest.New(t, softtest.Options{NoKey: true})
	for whenLost, before := range map[string]reason.Code{"refuse": reason.EngineLost, "fallback": ""} {
		k := engine.New(engine.Options{Config: config.Verification{Engine: "pkcs11", Module: tokens.SoftScheme + token.Dir, Sessions: 1, WhenLost: whenLost}})
		t.Cleanup(func() { k.Close() })
		if err := k.Ready(); reason.Of(err) != before && before != "" || before == "" && err != nil {
			t.Errorf("%s: %v", whenLost, err)
		}
		if err := k.Check(); err != nil || k.Ready() != nil {
			t.Errorf("%s: %v, %v", whenLost, err, k.Ready())
		}
	}
}

// TestOneFailure: a signature at which the module fails costs nobody else anything: not
// the sessions, and not another login.
func TestOneFailure(t *testing.T) {
	t.Parallel()
	token := softtest.New(t, softtest.Options{NoKey: true})
	l := faulty.New(t, token.Dir, faulty.Fault{Function: "C_Verify", What: "after", Value: "0x5"}, true)
	once := ""
	for _, variable := range l.Environment {
		if path, ok := strings.CutPrefix(variable, "PROPUSK_FAULTY_ONCE="); ok {
			once = path
		}
	}
	if err := os.WriteFile(once, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m := engine.NewModule(engine.ModuleOptions{
		Path: l.Path, Sessions: 1, PIN: func() ([]byte, error) { return []byte(token.PIN), nil },
		Open: func(path string, o ...tokens.Option) (*tokens.Module, error) {
			return tokens.Open(path, append(o, tokens.Environment(l.Environment...))...)
		},
	})
	t.Cleanup(func() { m.Close() })
	one := sign(t, gost3410.CryptoProA())
	if good, err := m.Verify(one.key, one.digest, one.sig); !good || err != nil {
		t.Fatalf("%t, %v", good, err)
	}
	if err := os.Remove(once); err != nil {
		t.Fatal(err)
	}
	if good, err := m.Verify(one.key, one.digest, one.sig); good || reason.Of(err) != reason.TokenFailed {
		t.Fatalf("%t, %v", good, err)
	}
	if _, err := m.Lost(); err != nil {
		t.Error(err)
	}
	if good, err := m.Verify(one.key, one.digest, one.sig); !good || err != nil {
		t.Errorf("%t, %v", good, err)
	}
	if logins, err := os.ReadFile(l.Log); err != nil || bytes.Count(logins, []byte("\n")) != 1 {
		t.Errorf("%v: %q", err, logins)
	}
}

// TestLiesLater: a module that begins to lie after its examination makes nothing pass
// where this program computes too, and there is an alarm; alone it is believed.
func TestLiesLater(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lie     faulty.Fault
		spoilt  bool
		engine  string
		want    reason.Code
		passing bool
	}{
		{yes(), true, "both", reason.EngineDisagreement, false},
		{no(), false, "both", reason.EngineDisagreement, false},
		{no(), true, "both", reason.InternalError, false}, // bad, and both say so
		{no(), false, "pkcs11", reason.InternalError, false},
	} {
		for _, whenLost := range []string{"refuse", "fallback"} {
			b := breakIt(t, c.lie, true, config.Verification{Engine: c.engine, WhenLost: whenLost}, &clock{t: time.Now()})
			one := sign(t, gost3410.CryptoProA())
			if use, err := b.verify(one); err != nil || use.Fallback || use.Name != c.engine {
				t.Fatalf("%+v: %v, %+v:\n%s", c, err, use, b.log)
			}
			if c.spoilt {
				one = one.spoilt()
			}
			b.fault(t)
			use, err := b.verify(one)
			if err == nil || reason.Of(err) != c.want || use.Fallback {
				t.Errorf("%+v, %s: %v, %+v", c, whenLost, err, use)
			}
			s := b.Status()
			alarm := c.want == reason.EngineDisagreement
			if (s.LastDisagreement != nil) != alarm || (s.Signatures["disagreement"] == 1) != alarm {
				t.Errorf("%+v: %+v", c, s)
			}
			if logged := strings.Contains(b.log.String(), `"level":"ERROR"`) && strings.Contains(b.log.String(), "ALARM"); logged != alarm {
				t.Errorf("%+v: alarm %t:\n%s", c, logged, b.log)
			}
		}
	}
}

// TestCrash: a crash costs the one signature; by policy it is refused, or this program
// answers, and the next one is the module's again.
func TestCrash(t *testing.T) {
	t.Parallel()
	for whenLost, fallback := range map[string]bool{"refuse": false, "fallback": true} {
		b := breakIt(t, faulty.Fault{Function: "C_Verify", What: "crash"}, true, config.Verification{WhenLost: whenLost}, &clock{t: time.Now()})
		one := sign(t, gost3410.TC26512A())
		if _, err := b.verify(one); err != nil {
			t.Fatalf("before: %v", err)
		}
		b.fault(t)
		use, err := b.verify(one)
		if fallback && err != nil || !fallback && reason.Of(err) != reason.EngineLost || use.Fallback != fallback {
			t.Errorf("%s: %v, %+v", whenLost, err, use)
		}
		if s := b.Status(); s.Code != reason.TokenCrashed || (b.Ready() == nil) != fallback {
			t.Errorf("%s: %+v, %v", whenLost, s, b.Ready())
		}
		if use, err := b.verify(one); err != nil || use.Fallback {
			t.Errorf("%s: after it: %v, %+v:\n%s", whenLost, err, use, b.log)
		}
		if s := b.Status(); s.Code != "" || b.Ready() != nil {
			t.Errorf("%s: after it: %+v", whenLost, s)
		}
		if n := strings.Count(b.log.String(), "is lost"); n != 1 || strings.Count(b.log.String(), "is back") != 1 {
			t.Errorf("%s: %d losses in the log:\n%s", whenLost, n, b.log)
		}
	}
}

// TestGone: a module that crashes whenever it is asked, hangs, or is not there is left
// alone for a while, is asked again then, and makes nobody wait meanwhile.
func TestGone(t *testing.T) {
	t.Parallel()
	for _, f := range []faulty.Fault{
		{Function: "C_Verify", What: "crash"}, {Function: "C_Verify", What: "hang"}, {Function: "C_Initialize", What: "rv", Value: "0x5"},
	} {
		for whenLost, fallback := range map[string]bool{"refuse": false, "fallback": true} {
			t.Run(f.String()+" "+whenLost, func(t *testing.T) {
				t.Parallel()
				goneForGood(t, f, whenLost, fallback)
			})
		}
	}
}

func goneForGood(t *testing.T, f faulty.Fault, whenLost string, fallback bool) {
	t.Helper()
	one := sign(t, gost3410.CryptoProA())
	at := &clock{t: time.Now()}
	b := breakIt(t, f, false, config.Verification{WhenLost: whenLost, Engine: "both"}, at)
	for range 4 {
		use, err := b.verify(one)
		if fallback && (err != nil || !use.Fallback) || !fallback && reason.Of(err) != reason.EngineLost {
			t.Errorf("%v, %+v", err, use)
		}
		if _, err := b.verify(one.spoilt()); err == nil {
			t.Error("a bad signature passes")
		}
	}
	before := b.Status()
	if before.Code == "" || before.Since == nil {
		t.Errorf("%+v", before)
	}
	at.advance(time.Hour)
	if _, err := b.verify(one); (err == nil) != fallback {
		t.Errorf("an hour later: %v", err)
	}
}

// TestComesBack: Run finds a token that was plugged in again, without anybody asking.
func TestComesBack(t *testing.T) {
	t.Parallel()
	token := softtest.New(t, softtest.Options{NoKey: true, Label: "Токен"})
	token.Remove(t)
	at := &clock{t: time.Now()}
	k := engine.New(engine.Options{
		Config: config.Verification{Engine: "pkcs11", Module: tokens.SoftScheme + token.Dir, Sessions: 1, WhenLost: "refuse"}, Now: at.now,
	})
	one := sign(t, gost3410.CryptoProA())
	b := broken{Keeper: k}
	if _, err := b.verify(one); reason.Of(err) != reason.EngineLost {
		t.Fatalf("no token: %v", err)
	}
	token.Insert(t)
	at.advance(time.Hour)
	if use, err := b.verify(one); err != nil || use.Module == "" {
		t.Errorf("it is there again: %v, %+v", err, use)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); k.Run(ctx) }()
	cancel()
	<-done
	if _, err := b.verify(one); err == nil {
		t.Error("Run has ended, and the module is still there")
	}
}

// TestPINIsSentOnce: a wrong PIN costs one try, however often the module is needed, and
// the right one is entered again when the token was away.
func TestPINIsSentOnce(t *testing.T) {
	t.Parallel()
	token := softtest.New(t, softtest.Options{NoKey: true, Label: "Токен"})
	all := token.Tries(t)
	pin := filepath.Join(t.TempDir(), "pin")
	one := sign(t, gost3410.CryptoProA())
	keeper := func(at *clock) broken {
		k := engine.New(engine.Options{Now: at.now, Config: config.Verification{
			Engine: "pkcs11", Module: tokens.SoftScheme + token.Dir, PINFile: pin, Sessions: 2, WhenLost: "refuse",
		}})
		t.Cleanup(func() { k.Close() })
		return broken{Keeper: k}
	}
	if err := os.WriteFile(pin, []byte("87650000"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := &clock{t: time.Now()}
	b := keeper(at)
	for range 20 {
		if _, err := b.verify(one); reason.Of(err) != reason.EngineLost {
			t.Fatalf("a wrong PIN: %v", err)
		}
		at.advance(time.Hour)
	}
	if left := token.Tries(t); left != all-1 {
		t.Errorf("%d tries are left of %d", left, all)
	}
	if s := b.Status(); s.Code != reason.TokenPINWrong {
		t.Errorf("%+v", s)
	}
	if err := os.WriteFile(pin, []byte(token.PIN+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	enterPIN(t, token) // nobody sends one to a token that warns
	b = keeper(at)
	for range 3 {
		if _, err := b.verify(one); err != nil {
			t.Fatal(err)
		}
		token.Remove(t)
		for range 3 {
			if _, err := b.verify(one); reason.Of(err) != reason.EngineLost {
				t.Errorf("no token: %v", err)
			}
		}
		token.Insert(t)
		at.advance(time.Hour)
	}
	if left := token.Tries(t); left != all {
		t.Errorf("%d tries are left of %d", left, all)
	}
}

// enterPIN has a person enter the right PIN, which gives all tries back.
func enterPIN(t *testing.T, token *softtest.Token) {
	t.Helper()
	open, err := soft.Open(token.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := open.Login(soft.User, []byte(token.PIN)); err != nil {
		t.Fatal(err)
	}
}

// TestPINChanged: a PIN that was changed while Propusk runs is sent once more, and not
// once for each time that the module is connected.
func TestPINChanged(t *testing.T) {
	t.Parallel()
	token := softtest.New(t, softtest.Options{NoKey: true})
	all := token.Tries(t)
	at := &clock{t: time.Now()}
	right := token.PIN
	var sent atomic.Int32
	m := engine.NewModule(engine.ModuleOptions{
		Path: tokens.SoftScheme + token.Dir, Sessions: 2, Now: at.now,
		PIN: func() ([]byte, error) {
			sent.Add(1)
			return []byte(right), nil
		},
	})
	t.Cleanup(func() { m.Close() })
	one := sign(t, gost3410.CryptoProA())
	if good, err := m.Verify(one.key, one.digest, one.sig); !good || err != nil {
		t.Fatalf("%t, %v", good, err)
	}
	token.Remove(t)
	if _, err := m.Verify(one.key, one.digest, one.sig); err == nil {
		t.Fatal("no token")
	}
	token.Insert(t)
	right = "00000000" // what the file has is not the PIN any more
	for range 10 {
		at.advance(time.Hour)
		if good, err := m.Verify(one.key, one.digest, one.sig); good || reason.Of(err) != reason.TokenPINWrong {
			t.Errorf("%t, %v", good, err)
		}
	}
	if left := token.Tries(t); left != all-1 || sent.Load() != 2 {
		t.Errorf("%d tries are left of %d; sent %d times", left, all, sent.Load())
	}
}

// TestPINFile reads PINs as people write them into files.
func TestPINFile(t *testing.T) {
	if engine.PINFile("") != nil {
		t.Error("no file is no login")
	}
	path := filepath.Join(t.TempDir(), "pin")
	for content, want := range map[string]string{"12345678": "12345678", "1234\n": "1234", "пин\r\n": "пин", "": "", strings.Repeat("1", 1<<10+1): ""} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		pin, err := engine.PINFile(path)()
		if string(pin) != want || (err == nil) != (want != "") {
			t.Errorf("%d bytes: %q, %v", len(content), pin, err)
		}
	}
	if err := os.WriteFile(path, []byte("12345678"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if pin, err := engine.PINFile(path)(); err == nil || strings.Contains(err.Error(), "12345678") {
		t.Errorf("others can read it: %q, %v", pin, err)
	}
	if _, err := engine.PINFile(path + "x")(); err == nil {
		t.Error("a file that is not there")
	}
}

// TestNoModule: nil is this program.
func TestNoModule(t *testing.T) {
	k := engine.New(engine.Options{Config: config.Default().Verification})
	if k != nil || k.Choice() != nil || k.Ready() != nil || k.Close() != nil {
		t.Error("a module without a configuration")
	}
	k.Run(t.Context())
	if s := k.Status(); s.Engine != "go" || s.Code != "" {
		t.Errorf("%+v", s)
	}
	if names := []string{sigalg.EngineGo, sigalg.EnginePKCS11, sigalg.EngineBoth}; !slices.Equal(names, []string{"go", "pkcs11", "both"}) {
		t.Errorf("names that are in documents changed: %q", names)
	}
}
