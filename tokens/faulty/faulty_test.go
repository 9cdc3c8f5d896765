//go:build cgo && unix

package faulty_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/reason"
	"propusk/tokens"
	"propusk/tokens/faulty"
	"propusk/tokens/soft/softtest"
)

func TestMain(m *testing.M) {
	tokens.ServeIfChild()
	flag.Parse()
	// Most of them wait for a library that hangs, and need no processor for that.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// steps are what a person with a token does, in this order.
const (
	opening      = "open"
	looking      = "find the token"
	entering     = "log in"
	listing      = "list the keys"
	certificates = "list the certificates"
	signing      = "sign"
	verifying    = "verify"
	agreeing     = "agree"
	leaving      = "close the session"
	closing      = "close the library"
)

// person goes through the steps with a library.
type person struct {
	t      *testing.T
	token  *softtest.Token
	module *tokens.Module
	logins int // that were asked for
}

// failure is the step that failed, and why.
type failure struct {
	step string
	code reason.Code
}

// work does everything once, and returns what failed first. Whatever is accepted must be
// right.
func (p *person) work() failure {
	p.t.Helper()
	token, err := p.module.Find("")
	if err != nil {
		return failure{looking, reason.Of(err)}
	}
	p.logins++
	s, err := token.Login([]byte(p.token.PIN), false)
	if err != nil {
		return failure{entering, reason.Of(err)}
	}
	found := p.use(s)
	if err := s.Close(); err != nil && found == (failure{}) {
		found = failure{leaving, reason.Of(err)}
	}
	return found
}

// use does everything that a session is for.
func (p *person) use(s *tokens.Session) failure {
	p.t.Helper()
	all, err := s.Certificates()
	if err != nil {
		return failure{certificates, reason.Of(err)}
	}
	for _, der := range all {
		if !bytes.Equal(der, p.token.Certificate) {
			return failure{certificates, "another"}
		}
	}
	keys, err := s.Keys()
	if err != nil {
		return failure{listing, reason.Of(err)}
	}
	if len(keys) != 1 {
		return failure{listing, "none"} // those that cannot be used are left out
	}
	k := keys[0]
	if !p.token.Public.Equal(k.Public()) {
		p.t.Errorf("another public key")
	}
	for _, der := range k.Certificates() {
		if !bytes.Equal(der, p.token.Certificate) {
			p.t.Errorf("a certificate of another key")
		}
	}
	digest := softtest.Digest(32, []byte("data"))
	signature, err := k.Sign(nil, digest, nil)
	if err != nil {
		if signature != nil {
			p.t.Error("a signature and an error")
		}
		return failure{signing, reason.Of(err)}
	}
	if !p.token.Public.Verify(digest, signature) {
		p.t.Error("a wrong signature was passed on")
	}
	if good, err := s.Verify(p.token.Public, digest, signature); err != nil || !good {
		return failure{verifying, reason.Of(err)}
	}
	return p.agree(k)
}

func (p *person) agree(k *tokens.Key) failure {
	p.t.Helper()
	peer, err := gost3410.GenerateKey(p.token.Public.Curve(), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := k.VKO256(peer.PublicKey(), []byte("12345678")); err != nil {
		return failure{agreeing, reason.Of(err)}
	}
	return failure{}
}

// start opens a library with a fault; a failure of that is returned.
func start(t *testing.T, f faulty.Fault, once bool) (*person, faulty.Library, failure) {
	t.Helper()
	token := softtest.New(t, softtest.Options{})
	l := faulty.New(t, token.Dir, f, once)
	open := func() (*tokens.Module, error) {
		var d tokens.Deadlines // the usual ones, unless they are waited for
		if f.What == "hang" {
			d = tokens.Deadlines{Start: deadline, Call: deadline, Person: deadline}
		}
		return tokens.Open(l.Path, tokens.Environment(l.Environment...), d)
	}
	var first failure
	module, err := open()
	if err != nil {
		first = failure{opening, reason.Of(err)}
		if module, err = open(); err != nil { // what happens always
			return nil, l, first
		}
	}
	t.Cleanup(func() { _ = module.Close() }) // some libraries fail here too
	return &person{t: t, token: token, module: module}, l, first
}

// deadline is what the libraries that hang are waited for. What does not hang in them
// needs less than a hundredth of it.
const deadline = 10 * time.Second

// logins is how often C_Login was called.
func logins(t *testing.T, l faulty.Library) int {
	t.Helper()
	log, err := os.ReadFile(l.Log)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Count(string(log), "\n")
}

// Without a fault all is well: what fails below is the fault.
func TestNoFault(t *testing.T) {
	p, l, first := start(t, faulty.Fault{}, false)
	if first != (failure{}) {
		t.Fatal(first)
	}
	for range 3 {
		if f := p.work(); f != (failure{}) {
			t.Errorf("%+v", f)
		}
	}
	if got := logins(t, l); got != 3 {
		t.Errorf("%d logins", got)
	}
}

// hanging are the functions that are tried with a hang, each of which waits for the
// deadline, and with a sudden end.
var hanging = []string{"C_Initialize", "C_GetTokenInfo", "C_Login", "C_FindObjects", "C_Sign", "C_Verify", "C_DeriveKey", "C_CloseSession"}

// A crash, a sudden end or a hang costs one operation: everything works when it is done
// again, through the same Module; and the PIN is entered only when it was asked for.
func TestOneOperation(t *testing.T) {
	for function, step := range map[string]string{
		"C_Initialize": opening, "C_GetSlotList": looking, "C_GetTokenInfo": looking, "C_OpenSession": entering, "C_Login": entering,
		"C_FindObjectsInit": certificates, "C_FindObjects": certificates, "C_FindObjectsFinal": certificates, "C_GetAttributeValue": certificates,
		"C_SignInit": signing, "C_Sign": signing, "C_VerifyInit": verifying, "C_Verify": verifying, "C_DeriveKey": agreeing,
		"C_Logout": "", "C_CloseSession": "", // the session has ended, which is what was wanted
	} {
		for what, code := range map[string]reason.Code{
			"crash": reason.TokenCrashed, "exit": reason.TokenCrashed, "hang": reason.TokenTimeout,
		} {
			if what != "crash" && !slices.Contains(hanging, function) {
				continue
			}
			t.Run(function+"/"+what, func(t *testing.T) {
				t.Parallel()
				p, l, first := start(t, faulty.Fault{Function: function, What: what}, true)
				if p == nil {
					t.Fatal(first)
				}
				if first == (failure{}) {
					first = p.work()
				}
				if step == "" {
					code = ""
				}
				if first != (failure{step, code}) {
					t.Errorf("%+v, want %s: %s", first, step, code)
				}
				if again := p.work(); again != (failure{}) {
					t.Errorf("again: %+v", again)
				}
				if got := logins(t, l); got > p.logins || got == 0 {
					t.Errorf("the PIN was sent %d times, and asked for %d times", got, p.logins)
				}
				p.full(10)
			})
		}
	}
}

// full makes sure that no try was lost.
func (p *person) full(want int) {
	p.t.Helper()
	if got := p.token.Tries(p.t); got != want {
		p.t.Errorf("%d tries are left, want %d", got, want)
	}
}

// What a library answers in the middle of an operation has the right reason.
func TestReturnValues(t *testing.T) {
	for name, c := range map[string]struct {
		fault faulty.Fault
		want  failure
	}{
		"expired PIN":        {faulty.Fault{Function: "C_Login", What: "rv", Value: "0xA3"}, failure{entering, reason.TokenPINChange}},
		"cancelled":          {faulty.Fault{Function: "C_Login", What: "rv", Value: "0x50"}, failure{entering, reason.TokenCancelled}},
		"wrong PIN":          {faulty.Fault{Function: "C_Login", What: "rv", Value: "0xA0"}, failure{entering, reason.TokenPINWrong}},
		"locked PIN":         {faulty.Fault{Function: "C_Login", What: "rv", Value: "0xA4"}, failure{entering, reason.TokenPINLocked}},
		"no PIN":             {faulty.Fault{Function: "C_Login", What: "rv", Value: "0x102"}, failure{entering, reason.TokenPINUnset}},
		"removed at login":   {faulty.Fault{Function: "C_Login", What: "rv", Value: "0x32"}, failure{entering, reason.TokenRemoved}},
		"removed, listing":   {faulty.Fault{Function: "C_FindObjects", What: "rv", Value: "0x32"}, failure{certificates, reason.TokenRemoved}},
		"removed, reading":   {faulty.Fault{Function: "C_GetAttributeValue", What: "rv", Value: "0x32"}, failure{certificates, reason.TokenRemoved}},
		"removed, signing":   {faulty.Fault{Function: "C_Sign", What: "rv", Value: "0x32"}, failure{signing, reason.TokenRemoved}},
		"signed and removed": {faulty.Fault{Function: "C_Sign", What: "after", Value: "0x32"}, failure{signing, reason.TokenRemoved}},
		"cancelled, signing": {faulty.Fault{Function: "C_Sign", What: "rv", Value: "0x50"}, failure{signing, reason.TokenCancelled}},
		"any error, signing": {faulty.Fault{Function: "C_Sign", What: "rv", Value: "0x5"}, failure{signing, reason.TokenFailed}},
		"a vendor's error":   {faulty.Fault{Function: "C_Sign", What: "rv", Value: "0x80000008"}, failure{signing, reason.TokenFailed}},
		"removed, verifying": {faulty.Fault{Function: "C_Verify", What: "rv", Value: "0x32"}, failure{verifying, reason.TokenRemoved}},
		"not a signature":    {faulty.Fault{Function: "C_Verify", What: "rv", Value: "0xC0"}, failure{verifying, ""}},
		"cannot start":       {faulty.Fault{Function: "C_Initialize", What: "rv", Value: "0x30"}, failure{opening, reason.TokenModuleBad}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, l, first := start(t, c.fault, false)
			if p != nil {
				first = p.work()
			}
			if first != c.want {
				t.Errorf("%+v, want %+v", first, c.want)
			}
			if p != nil {
				if got := logins(t, l); got != p.logins {
					t.Errorf("the PIN was sent %d times, and asked for %d times", got, p.logins)
				}
			}
		})
	}
}

// Lies are found out, or do no harm: nothing wrong is accepted, and one who lies about
// one thing is told so.
func TestLies(t *testing.T) {
	other := filepath.Join(t.TempDir(), "other.der")
	if err := os.WriteFile(other, softtest.New(t, softtest.Options{}).Certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	bad, none := reason.TokenSignatureBad, failure{}
	failed := func(step string) []failure { return []failure{{step, reason.TokenFailed}} }
	for name, c := range map[string]struct {
		function, what, value string
		want                  []failure // one of them
	}{
		"a bit of the signature":      {"C_Sign", "flip", "", []failure{{signing, bad}}},
		"r before s":                  {"C_Sign", "swap", "", []failure{{signing, bad}}},
		"a signature of zeros":        {"C_Sign", "zeros", "", []failure{{signing, bad}}},
		"a short signature":           {"C_Sign", "short", "", []failure{{signing, bad}}},
		"no signature":                {"C_Sign", "empty", "", []failure{{signing, bad}}},
		"a signature of terabytes":    {"C_Sign", "huge", "", []failure{{signing, bad}, {signing, reason.TokenFailed}, {signing, reason.TokenCrashed}}},
		"slots without number":        {"C_GetSlotList", "huge", "", []failure{{looking, reason.TokenFailed}, {looking, reason.TokenCrashed}, none}},
		"mechanisms without number":   {"C_GetMechanismList", "huge", "", []failure{none, {agreeing, reason.TokenFailed}, {agreeing, reason.TokenCrashed}}},
		"objects without number":      {"C_FindObjects", "huge", "", []failure{{certificates, reason.TokenFailed}, {certificates, reason.TokenCrashed}}},
		"objects without end":         {"C_FindObjects", "endless", "", []failure{{certificates, reason.TokenFailed}, {certificates, "another"}, {listing, "none"}}},
		"objects of handle 0":         {"C_FindObjects", "zero", "", failed(certificates)},
		"a session of handle 0":       {"C_OpenSession", "zero-one", "", []failure{{entering, reason.TokenFailed}, {entering, reason.TokenRemoved}}},
		"a public key of handle 0":    {"C_CreateObject", "zero-one", "", failed(verifying)},
		"an agreed key of handle 0":   {"C_DeriveKey", "zero-one", "", failed(agreeing)},
		"a value of terabytes":        {"C_GetAttributeValue", "huge", "0x11", []failure{{certificates, reason.TokenFailed}, {certificates, reason.TokenCrashed}, {listing, "none"}}},
		"a value of no length":        {"C_GetAttributeValue", "minus-one", "0x11", []failure{{certificates, reason.TokenFailed}, {listing, "none"}, {listing, reason.TokenFailed}}},
		"values that are empty":       {"C_GetAttributeValue", "empty", "0x11", []failure{{listing, "none"}}},
		"values that are garbage":     {"C_GetAttributeValue", "garbage", "0x11", []failure{{certificates, "another"}}},
		"a garbage key type":          {"C_GetAttributeValue", "garbage", "0x100", []failure{{listing, "none"}}},
		"garbage parameters":          {"C_GetAttributeValue", "garbage", "0x250", []failure{none}}, // the certificate has them
		"an identifier of terabytes":  {"C_GetAttributeValue", "huge", "0x102", []failure{{listing, reason.TokenFailed}, {listing, reason.TokenCrashed}, {listing, "none"}}},
		"a garbage identifier":        {"C_GetAttributeValue", "garbage", "0x102", []failure{{listing, "none"}}},
		"no identifier":               {"C_GetAttributeValue", "empty", "0x102", []failure{{listing, "none"}}},
		"another's certificate":       {"C_GetAttributeValue", "other", "0x11/" + other, []failure{{certificates, "another"}}},
		"texts without padding":       {"C_GetTokenInfo", "unpadded", "", []failure{none}},
		"texts of zeros":              {"C_GetTokenInfo", "zeros", "", []failure{none}},
		"texts that are garbage":      {"C_GetTokenInfo", "garbage", "", []failure{none}},
		"counts that are garbage":     {"C_GetTokenInfo", "counts", "", []failure{none}},
		"a locked PIN that is not":    {"C_GetTokenInfo", "set-flags", "0x40000", []failure{{entering, reason.TokenPINLocked}}},
		"a last try that is not":      {"C_GetTokenInfo", "set-flags", "0x20000", []failure{{entering, reason.TokenPINLastTry}}},
		"a PIN to be changed":         {"C_GetTokenInfo", "set-flags", "0x80000", []failure{{entering, reason.TokenPINChange}}},
		"no PIN although there is":    {"C_GetTokenInfo", "clear-flags", "0x8", []failure{{entering, reason.TokenPINUnset}}},
		"a library of garbage texts":  {"C_GetInfo", "garbage", "", []failure{none}},
		"a library that prints":       {"C_Sign", "print", "", []failure{none}},
		"a library that prints first": {"C_Initialize", "print", "", []failure{none}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, l, first := start(t, faulty.Fault{Function: c.function, What: c.what, Value: c.value}, false)
			if p == nil {
				t.Fatal(first)
			}
			if first = p.work(); !slices.Contains(c.want, first) {
				t.Errorf("%+v, want one of %+v", first, c.want)
			}
			p.readable()
			if got := logins(t, l); got > p.logins {
				t.Errorf("the PIN was sent %d times, and asked for %d times", got, p.logins)
			}
			p.full(10)
		})
	}
}

// readable makes sure that nothing in the texts of tokens would be obeyed by a terminal.
func (p *person) readable() {
	p.t.Helper()
	all, err := p.module.Tokens()
	if err != nil {
		return // a lie that was found out
	}
	for _, token := range all {
		for _, text := range []string{token.Label(), token.Model(), token.Manufacturer(), token.Serial()} {
			if strings.ContainsAny(text, "\x1b\r\n\x00\u202e") || strings.ToValidUTF8(text, "?") != text || len(text) > 64*3 {
				p.t.Errorf("%q", text)
			}
		}
	}
}

// A library that says yes to every signature is one that only another engine can find
// out; it says yes to ours, and so does this test to the reason why `both` is there.
func TestYes(t *testing.T) {
	p, _, first := start(t, faulty.Fault{Function: "C_Verify", What: "yes"}, false)
	if p == nil {
		t.Fatal(first)
	}
	token, err := p.module.Find("")
	if err != nil {
		t.Fatal(err)
	}
	s, err := token.Public()
	if err != nil {
		t.Fatal(err)
	}
	if good, err := s.Verify(p.token.Public, make([]byte, 32), make([]byte, 64)); !good || err != nil {
		t.Errorf("%v, %v", good, err)
	}
}

// A wrong PIN costs one try, whatever the library does afterwards.
func TestOneTry(t *testing.T) {
	for what, code := range map[string]reason.Code{"after": reason.TokenFailed, "": reason.TokenPINWrong} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			f := faulty.Fault{}
			if what != "" {
				f = faulty.Fault{Function: "C_Login", What: what, Value: "0x5"}
			}
			p, l, first := start(t, f, false)
			if p == nil {
				t.Fatal(first)
			}
			token, err := p.module.Find("")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := token.Login([]byte("00000000"), false); reason.Of(err) != code {
				t.Errorf("%v, want %s", err, code)
			}
			p.full(9)
			if got := logins(t, l); got != 1 {
				t.Errorf("the PIN was sent %d times", got)
			}
		})
	}
}
