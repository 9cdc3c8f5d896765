package tokens

import (
	"bytes"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/reason"
	"propusk/tokens/soft/softtest"
)

// strict is a library that minds what it is asked: which sessions there are, who logs in
// in them, and whether two calls are in one of them at once.
type strict struct {
	faulty
	mute  bool // says nothing of the state of sessions
	mu    sync.Mutex
	live  map[uint]bool
	last  uint
	pins  [][]byte // of signatures, as they were passed
	busy  atomic.Int32
	clash atomic.Bool

	created uint          // objects
	kept    map[uint]bool // objects of sessions
	verdict error         // of signatures
	secret  int           // bytes of keys that are agreed on
}

func (l *strict) open(uint, bool) (uint, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.live == nil {
		l.live = make(map[uint]bool)
	}
	l.last++
	l.live[l.last] = true
	return l.last, nil
}

func (l *strict) shut(session uint) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.live, session)
	return nil
}

func (l *strict) login(_ uint, who user, pin []byte) error {
	if l.in {
		return rvAlreadyIn
	}
	return l.faulty.login(0, who, pin)
}

func (l *strict) state(uint) (uint, error) {
	if l.mute {
		return 0, rvUnsupported
	}
	return l.faulty.state(0)
}

func (l *strict) find(session uint, template []attribute) ([]uint, error) {
	if l.busy.Add(1) > 1 {
		l.clash.Store(true)
	}
	defer l.busy.Add(-1)
	time.Sleep(time.Millisecond) // long enough to be met in
	return l.faulty.find(session, template)
}

func (l *strict) signPIN(_ uint, _ mechanism, key uint, digest, pin []byte) ([]byte, error) {
	l.pins = append(l.pins, pin)
	if bytes.Equal(pin, []byte("wrong")) {
		return nil, rvPINIncorrect
	}
	return l.objects[key].key.Sign(nil, digest, nil)
}

func (l *strict) create(uint, []attribute) (uint, error) {
	l.created++
	if l.kept == nil {
		l.kept = make(map[uint]bool)
	}
	l.kept[l.created] = true
	return l.created, nil
}

func (l *strict) derive(session uint, _ mechanism, _ uint, template []attribute) (uint, error) {
	return l.create(session, template)
}

func (l *strict) destroy(_, object uint) error {
	if !l.kept[object] {
		return rvKeyKind
	}
	delete(l.kept, object)
	return nil
}

func (l *strict) verify(_ uint, _ mechanism, object uint, _, _ []byte) error {
	if !l.kept[object] {
		return rvKeyKind
	}
	return l.verdict
}

func (l *strict) attribute(session, object, kind uint) ([]byte, error) {
	if l.kept[object] {
		return make([]byte, l.secret), nil
	}
	return l.faulty.attribute(session, object, kind)
}

// connected is the token in a library.
func connected(t *testing.T, lib library) *Token {
	t.Helper()
	token, err := (&Module{lib: lib, calls: calls{n: 8}}).Find("")
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// A PIN cannot be guessed at a login that is there, where the token does not count.
func TestPINIsNotGuessedAtALogin(t *testing.T) {
	f := &faulty{tokens: []tokenInfo{one(0)}}
	token := connected(t, f)
	first, err := token.Login([]byte("12345678"), false)
	if err != nil {
		t.Fatal(err)
	}
	for range maxWrong - 1 {
		if _, err := token.Login([]byte("00000000"), false); reason.Of(err) != reason.TokenPINWrong {
			t.Errorf("a wrong one: %v", err)
		}
	}
	second, err := token.Login([]byte("12345678"), false)
	if err != nil {
		t.Fatalf("the right one, before the last wrong one: %v", err)
	}
	for _, pin := range []string{"00000000", "12345678"} {
		if s, err := token.Login([]byte(pin), false); s != nil || reason.Of(err) != reason.TokenPINWrong {
			t.Errorf("%s, after too many: %v, %v", pin, s, err)
		}
	}
	if err := errors.Join(first.Close(), second.Close()); err != nil || f.logins != 1 {
		t.Errorf("%v; %d logins", err, f.logins)
	}
	s, err := token.Login([]byte("12345678"), false)
	if err != nil || f.logins != 2 {
		t.Fatalf("after the logout: %v; %d logins", err, f.logins)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// What is left of a login that was lost does not end the one after it, and a login that
// nobody has any more is ended before the next.
func TestLoginsDoNotMix(t *testing.T) {
	f := new(strict)
	f.tokens = []tokenInfo{one(0)}
	token := connected(t, f)
	login := func() *Session {
		s, err := token.Login([]byte("12345678"), false)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	old := login()
	f.in = false // the token was reset
	fresh := login()
	if s, err := token.join(old.login); s != nil || reason.Of(err) != reason.TokenSessionLost {
		t.Errorf("joined the login that is over: %v", err)
	}
	if err := old.Close(); err != nil || !f.in {
		t.Errorf("the old one is closed: %v, logged in: %t", err, f.in)
	}
	f.in = false
	if s, err := token.join(fresh.login); s != nil || reason.Of(err) != reason.TokenSessionLost {
		t.Errorf("joined though the token is logged out: %v", err)
	}
	f.in = true // and the library still says so when the session has been lost
	if err := fresh.do(func(library) error { return rvSessionInvalid }); reason.Of(err) != reason.TokenRemoved {
		t.Error(err)
	}
	if s, err := token.join(fresh.login); s != nil || reason.Of(err) != reason.TokenSessionLost {
		t.Errorf("joined the login that was lost: %v", err)
	}
	before := f.logins
	last := login()
	if f.logins != before+1 {
		t.Errorf("%d logins: the PIN was not asked about", f.logins)
	}
	if err := errors.Join(fresh.Close(), last.Close()); err != nil || f.in || len(f.live) != 0 {
		t.Errorf("%v; logged in: %t; %d sessions are left", err, f.in, len(f.live))
	}
}

// A library that does not tell who is logged in is one that login and join work with.
func TestLoginOfAMuteLibrary(t *testing.T) {
	f := &strict{mute: true}
	f.tokens = []tokenInfo{one(0)}
	token := connected(t, f)
	s, err := token.Login([]byte("12345678"), false)
	if err != nil {
		t.Fatal(err)
	}
	joined, err := token.join(s.login)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), joined.Close()); err != nil || f.in || f.logins != 1 {
		t.Errorf("%v; logged in: %t, %d logins", err, f.in, f.logins)
	}
}

// Sessions of attempts that failed are not left open: a token has few.
func TestRefusedLoginsLeaveNoSession(t *testing.T) {
	f := new(strict)
	f.tokens, f.answer = []tokenInfo{one(0)}, rvPINIncorrect
	token := connected(t, f)
	for _, info := range []tokenInfo{one(0), one(flagPINLocked), {label: "Другой", serial: "2", flags: flagPINSet}} {
		f.tokens[0] = info
		if _, err := token.Login([]byte("1"), false); err == nil || len(f.live) != 0 {
			t.Errorf("%v; %d sessions are left", err, len(f.live))
		}
	}
}

// At a pad the person shows that the PIN is known, to the token: a session that joins has
// none to compare, and sends none.
func TestLoginAtThePadIsShared(t *testing.T) {
	f := &faulty{tokens: []tokenInfo{one(flagPINPad)}}
	token := connected(t, f)
	first, err := token.Login(nil, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, pin := range [][]byte{nil, []byte("1234")} {
		s, err := token.Login(pin, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := first.Close(); err != nil || f.logins != 1 || f.in {
		t.Errorf("%v; %d logins, logged in: %t", err, f.logins, f.in)
	}
}

// The PIN of a signature goes to the token that the key is on and to no other, once, not as
// the last try, and is wiped.
func TestSignaturePIN(t *testing.T) {
	for name, model := range map[string]string{"the PIN of the user": "", "one of its own": "JaCarta GOST 2.0"} {
		t.Run(name, func(t *testing.T) {
			template := keyed(t, nil)
			f := new(strict)
			info := one(0)
			if model != "" {
				info.manufacturer, info.model = "Aladdin R.D.", model
			}
			f.tokens, f.objects = []tokenInfo{info}, template.session.token.module.lib.(*faulty).objects
			s, err := connected(t, f).Login([]byte("1"), false)
			if err != nil {
				t.Fatal(err)
			}
			keys, err := s.Keys()
			if err != nil || len(keys) != 1 {
				t.Fatalf("%d keys, %v", len(keys), err)
			}
			k := keys[0]
			k.always = model == ""
			if !k.WantsSignaturePIN() {
				t.Fatal("the key wants no PIN")
			}
			if _, err := k.Sign(nil, make([]byte, 32), nil); reason.Of(err) != reason.TokenPINWrong || len(f.pins) != 0 {
				t.Errorf("nobody to ask: %v", err)
			}
			asked, right := [][]byte(nil), "12345678"
			k.SetSignaturePIN(func() ([]byte, error) {
				asked = append(asked, []byte(right))
				return asked[len(asked)-1], nil
			})
			sign := func(now tokenInfo, want reason.Code, sent int) {
				t.Helper()
				f.tokens[0] = now
				_, err := k.Sign(nil, make([]byte, 32), nil)
				if reason.Of(err) != want || len(f.pins) != sent {
					t.Errorf("%v, want %q; the PIN was sent %d times", err, want, len(f.pins))
				}
			}
			sign(info, "", 1)
			other := info
			other.serial = "0002"
			sign(other, reason.TokenRemoved, 1)
			if model == "" { // the flags are of the PIN of the user
				final := info
				final.flags |= flagPINFinalTry
				sign(final, reason.TokenPINLastTry, 1)
			}
			right = "wrong"
			sign(info, reason.TokenPINWrong, 2)
			for _, pin := range asked {
				if !bytes.Equal(pin, make([]byte, len(pin))) {
					t.Errorf("%q is still in memory", pin)
				}
			}
		})
	}
}

// One session does one thing at a time, whatever the library allows.
func TestSessionDoesOneThingAtATime(t *testing.T) {
	f := new(strict)
	f.tokens = []tokenInfo{one(0)}
	s, err := connected(t, f).Login([]byte("1"), false)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, err1 := s.Keys()
			_, err2 := s.Signers()
			if err := errors.Join(err1, err2); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if f.clash.Load() {
		t.Error("two searches in one session")
	}
}

// A key that is not for the mechanism of its type is none, and neither is a certificate of
// another key one of this key.
func TestKeysFitTheirCurve(t *testing.T) {
	k := keyed(t, nil)
	private := k.session.token.module.lib.(*faulty).objects[1]
	private.attributes[attrKeyType] = number(keyGOST512)
	if keys, err := k.session.Keys(); err != nil || len(keys) != 0 {
		t.Errorf("a key of 512 bits with a public half of 256: %d keys, %v", len(keys), err)
	}
	for _, peer := range []*gost3410.Curve{gost3410.TC26256A(), gost3410.TC26512A()} {
		other, err := gost3410.GenerateKey(peer, nil)
		if err != nil {
			t.Fatal(err)
		}
		if secret, err := k.VKO256(other.PublicKey(), []byte{1}); secret != nil || reason.Of(err) != reason.TokenUnsupported {
			t.Errorf("agreed with a key of %s: %v", peer.Name(), err)
		}
	}
}

// Public keys of others stay in the session while they are used, not more than there is
// room for; what the token says of a signature is told, and what it does not say is none.
func TestVerifyKeepsSomeKeys(t *testing.T) {
	f := new(strict)
	f.tokens = []tokenInfo{one(0)}
	s, err := connected(t, f).Public()
	if err != nil {
		t.Fatal(err)
	}
	var keys []*gost3410.PublicKey
	for range maxVerifyKeys + 4 {
		key, err := gost3410.GenerateKey(gost3410.CryptoProA(), nil)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key.PublicKey())
	}
	digest, signature := make([]byte, 32), make([]byte, 64)
	for _, key := range append(keys, keys[len(keys)-maxVerifyKeys:]...) {
		if good, err := s.Verify(key, digest, signature); err != nil || !good {
			t.Fatalf("%t, %v", good, err)
		}
		if len(f.kept) > maxVerifyKeys {
			t.Fatalf("%d objects are in the session", len(f.kept))
		}
	}
	if f.created != uint(len(keys)) {
		t.Errorf("%d objects were made for %d keys", f.created, len(keys))
	}
	for verdict, want := range map[error]reason.Code{rvSignature: "", rvSignatureSize: "", rv(0x05): reason.TokenFailed, rvMechanism: reason.TokenUnsupported} {
		f.verdict = verdict
		if good, err := s.Verify(keys[len(keys)-1], digest, signature); good || reason.Of(err) != want {
			t.Errorf("%v: %t, %v", verdict, good, err)
		}
	}
}

// A key that was agreed on does not stay in the token, even one that is not what it should be.
func TestAgreedKeysDoNotStay(t *testing.T) {
	template := keyed(t, nil)
	f := new(strict)
	f.tokens, f.objects = []tokenInfo{one(0)}, template.session.token.module.lib.(*faulty).objects
	f.created = 100 // no number of the objects of the token
	s, err := connected(t, f).Login([]byte("1"), false)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := s.Keys()
	if err != nil || len(keys) != 1 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	for size, want := range map[int]reason.Code{vkoSize: "", vkoSize - 1: reason.TokenFailed, 0: reason.TokenFailed} {
		f.secret = size
		if secret, err := keys[0].VKO256(template.public, []byte{1}); reason.Of(err) != want || (secret != nil) != (want == "") {
			t.Errorf("%d bytes: %v", size, err)
		}
		if len(f.kept) != 0 {
			t.Errorf("%d bytes: the key is still in the token", size)
		}
	}
}

// Certificates are of a key if they are of its public half, whatever their identifier says:
// of the object, or else of the first certificate.
func TestCertificatesAreOfTheirKey(t *testing.T) {
	k := keyed(t, nil)
	f := k.session.token.module.lib.(*faulty)
	own := f.objects[1].key
	other, err := gost3410.GenerateKey(gost3410.CryptoProA(), nil)
	if err != nil {
		t.Fatal(err)
	}
	set := []int{1, 2, 643, 2, 2, 35, 1}
	for _, key := range []*gost3410.PrivateKey{other, own} {
		f.objects = append(f.objects, object{attributes: map[uint][]byte{
			attrClass: number(classCertificate), attrID: []byte("a"), attrValue: softtest.Certificate(t, key, set, "N"),
		}})
	}
	for what, want := range map[string]*gost3410.PrivateKey{"a public half": own, "none": other} {
		if what == "none" {
			f.objects[0].attributes[attrClass] = number(classData)
		}
		keys, err := k.session.Keys()
		if err != nil || len(keys) != 1 {
			t.Fatalf("%s: %d keys, %v", what, len(keys), err)
		}
		if got := keys[0].Certificates(); !want.PublicKey().Equal(keys[0].Public()) || len(got) != 1 || !want.PublicKey().Equal(keyOfCertificate(got[0])) {
			t.Errorf("%s: %d certificates", what, len(got))
		}
		if what == "none" {
			if signature, err := keys[0].Sign(nil, make([]byte, 32), nil); signature != nil || reason.Of(err) != reason.TokenSignatureBad {
				t.Errorf("a signature of another key: %v", err)
			}
		}
		f.objects[0].attributes[attrClass] = number(classPublicKey)
	}
}
