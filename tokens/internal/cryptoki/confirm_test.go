package cryptoki

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"propusk/tokens/soft/softtest"
)

// tries returns how many are left.
func tries(t testing.TB, m *Module) int {
	t.Helper()
	return ok[TokenInfo](t)(m.TokenInfo(0)).UserTries
}

// A key with CKA_ALWAYS_AUTHENTICATE wants the PIN at each signature, between
// C_SignInit and C_Sign.
func TestConfirm(t *testing.T) {
	m, token := start(t, softtest.Options{Confirm: true})
	s := user(t, m, token)
	key, public := one(t, m, s, classPrivateKey), one(t, m, s, classPublicKey)
	value, errs, err := m.Attributes(s, key, []uint{attrAlwaysAuth})
	if err != nil || errs[0] != nil || !bytes.Equal(value[0], []byte{1}) {
		t.Fatalf("%v %v %v", value, errs, err)
	}
	digest, out := softtest.Digest(32, []byte("data")), make([]byte, 64)
	mechanism := Mechanism{Type: mechSign256}
	for range 2 {
		must(t, m.SignInit(s, mechanism, key))
		if n := ok[int](t)(m.Result(s, Sign, digest, nil)); n != 64 { // its length is no secret
			t.Errorf("%d bytes", n)
		}
		_, err = m.Result(s, Sign, digest, out)
		expect(t, "no PIN", err, UserNotLoggedIn)
		expect(t, "a PIN too late", m.Login(s, contextType, []byte(token.PIN)), OperationNotInitialized)

		must(t, m.SignInit(s, mechanism, key))
		expect(t, "wrong PIN", m.Login(s, contextType, []byte("00000000")), PINIncorrect)
		if left := tries(t, m); left != 9 {
			t.Errorf("%d tries are left", left)
		}
		must(t, m.Login(s, contextType, []byte(token.PIN)))
		if left := tries(t, m); left != 10 {
			t.Errorf("%d tries are left", left)
		}
		_, err = m.Result(s, Sign, digest, out)
		must(t, err)
		must(t, m.VerifyInit(s, mechanism, public))
		must(t, m.Check(s, digest, out))
	}
	// The PIN of one session is not that of another.
	other := ok[uint](t)(m.OpenSession(0, ro))
	must(t, m.SignInit(s, mechanism, key))
	must(t, m.SignInit(other, mechanism, key))
	must(t, m.Login(s, contextType, []byte(token.PIN)))
	_, err = m.Result(other, Sign, digest, out)
	expect(t, "the PIN of another session", err, UserNotLoggedIn)
}

func TestConfirmTemplate(t *testing.T) {
	m, token := start(t, softtest.Options{NoKey: true})
	s := user(t, m, token)
	set := Attribute{attrGOSTR3410Params, oid(t, cryptoProA)}
	_, key, err := m.GenerateKeyPair(s, Mechanism{Type: mechKeyPairGen256},
		[]Attribute{onToken(true), set}, []Attribute{onToken(true), {attrAlwaysAuth, boolean(true)}})
	must(t, err)
	must(t, m.SignInit(s, Mechanism{Type: mechSign256}, key))
	_, err = m.Result(s, Sign, make([]byte, 32), make([]byte, 64))
	expect(t, "no PIN", err, UserNotLoggedIn)
}

// Data: public for all, private for the user, who alone reads it from the files.
func TestData(t *testing.T) {
	m, token := start(t, softtest.Options{NoKey: true})
	s := user(t, m, token)
	secret := []byte("a secret of a client")
	create := func(label string, value []byte, more ...Attribute) uint {
		t.Helper()
		return ok[uint](t)(m.Create(s, append([]Attribute{
			class(classData), {attrLabel, []byte(label)}, {attrApplication, []byte("test")}, {attrValue, value},
		}, more...)))
	}
	private := Attribute{attrPrivate, boolean(true)}
	create("public", []byte("for all"), onToken(true))
	hidden := create("private", secret, onToken(true), private)
	own := create("of the session", secret, private)
	value := func(h uint) []byte {
		t.Helper()
		values, errs, err := m.Attributes(s, h, []uint{attrValue})
		if err != nil || errs[0] != nil {
			t.Fatalf("%v %v", errs, err)
		}
		return values[0]
	}
	if !bytes.Equal(value(hidden), secret) || !bytes.Equal(value(own), secret) {
		t.Error("the secret came back as another")
	}
	if found := search(t, m, s, class(classData), private); len(found) != 2 {
		t.Errorf("%d private objects", len(found))
	}
	if found := search(t, m, s, class(classData), Attribute{attrLabel, []byte("public")}); len(found) != 1 || string(value(found[0])) != "for all" {
		t.Errorf("public data: %v", found)
	}
	must(t, m.SetAttributes(s, hidden, []Attribute{{attrLabel, []byte("renamed")}}))
	if !bytes.Equal(value(hidden), secret) {
		t.Error("a name spoilt the secret")
	}
	must(t, m.Logout(s))
	if found := search(t, m, s, class(classData)); len(found) != 1 {
		t.Errorf("nobody is logged in, and sees %d objects", len(found))
	}
	_, _, err := m.Attributes(s, hidden, []uint{attrValue})
	expect(t, "private data, logged out", err, ObjectHandleInvalid)
	files := ok[[]string](t)(filepath.Glob(filepath.Join(token.Path, "*")))
	for _, f := range files {
		if bytes.Contains(ok[[]byte](t)(os.ReadFile(f)), secret) {
			t.Errorf("the secret is in %s", f)
		}
	}
	_, err = m.Create(s, []Attribute{class(classData), private, {attrValue, secret}})
	expect(t, "private data of nobody", err, UserNotLoggedIn)
	must(t, m.Login(s, userType, []byte(token.PIN)))
	if found := search(t, m, s, class(classData), Attribute{attrLabel, []byte("renamed")}); len(found) != 1 || !bytes.Equal(value(found[0]), secret) {
		t.Error("the secret is not there after another login")
	}
	_, err = m.Create(s, []Attribute{class(classData), {attrValue, bytes.Repeat([]byte{1}, 1<<17)}})
	expect(t, "too long", err, AttributeValueInvalid)
}
