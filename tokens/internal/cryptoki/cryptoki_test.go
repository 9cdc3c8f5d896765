package cryptoki

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/vko"
	"propusk/tokens/soft"
	"propusk/tokens/soft/softtest"
)

const (
	userType    = 1
	officerType = 0
	contextType = 2
	rw          = flagSessionRW | flagSessionSerial
	ro          = flagSessionSerial
)

var (
	cryptoProA = asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 1}
	tc26512A   = asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 2, 1}
)

func ok[T any](t testing.TB) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func expect(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// start returns a module over a token.
func start(t testing.TB, o softtest.Options) (*Module, *softtest.Token) {
	t.Helper()
	token := softtest.New(t, o)
	m := ok[*Module](t)(New(token.Dir))
	t.Cleanup(m.Close)
	return m, token
}

// user returns a session in which the user is logged in.
func user(t testing.TB, m *Module, token *softtest.Token) uint {
	t.Helper()
	s := ok[uint](t)(m.OpenSession(0, rw))
	must(t, m.Login(s, userType, []byte(token.PIN)))
	return s
}

func search(t testing.TB, m *Module, s uint, template ...Attribute) []uint {
	t.Helper()
	must(t, m.FindInit(s, template))
	found := ok[[]uint](t)(m.Find(s, 100))
	must(t, m.FindFinal(s))
	return found
}

func class(c uint) Attribute { return Attribute{attrClass, Ulong(c)} }

func one(t testing.TB, m *Module, s, c uint) uint {
	t.Helper()
	found := search(t, m, s, class(c))
	if len(found) != 1 {
		t.Fatalf("%d objects of class %d", len(found), c)
	}
	return found[0]
}

func oid(t testing.TB, o asn1.ObjectIdentifier) []byte {
	t.Helper()
	return ok[[]byte](t)(oidDER(o))
}

func onToken(v bool) Attribute { return Attribute{attrToken, boolean(v)} }

// The states of PKCS#11 and who may be where.
func TestSessions(t *testing.T) {
	m, token := start(t, softtest.Options{})
	_, err := m.OpenSession(0, flagSessionRW)
	expect(t, "parallel", err, SessionParallelUnsupported)
	_, err = m.OpenSession(1, rw)
	expect(t, "no slot", err, SlotIDInvalid)
	a, b := ok[uint](t)(m.OpenSession(0, ro)), ok[uint](t)(m.OpenSession(0, rw))
	state := func(s uint) uint {
		t.Helper()
		return ok[SessionInfo](t)(m.SessionInfo(s)).State
	}
	if state(a) != stateROPublic || state(b) != stateRWPublic {
		t.Errorf("states %d, %d", state(a), state(b))
	}
	expect(t, "officer beside a read-only session", m.Login(a, officerType, []byte(token.SOPIN)), SessionReadOnlyExists)
	expect(t, "user of another kind", m.Login(a, 3, []byte(token.PIN)), UserTypeInvalid)
	expect(t, "a PIN that nothing asks for", m.Login(a, contextType, []byte(token.PIN)), OperationNotInitialized)
	expect(t, "wrong PIN", m.Login(a, userType, []byte("00000000")), PINIncorrect)
	expect(t, "Logout of nobody", m.Logout(a), UserNotLoggedIn)
	must(t, m.Login(a, userType, []byte(token.PIN)))
	if state(a) != stateROUser || state(b) != stateRWUser {
		t.Errorf("states %d, %d", state(a), state(b))
	}
	expect(t, "again", m.Login(b, userType, []byte(token.PIN)), UserAlreadyLoggedIn)
	expect(t, "both", m.Login(b, officerType, []byte(token.SOPIN)), UserAnotherAlreadyLoggedIn)
	expect(t, "InitPIN of the user", m.InitPIN(b, []byte("1111")), UserNotLoggedIn)
	expect(t, "SetPIN, read-only", m.SetPIN(a, []byte(token.PIN), []byte("1111")), SessionReadOnly)
	expect(t, "InitToken", m.InitToken(0, []byte(token.SOPIN), "x"), SessionExists)
	must(t, m.CloseSession(a))
	expect(t, "closed", m.CloseSession(a), SessionHandleInvalid)
	must(t, m.CloseSession(b))

	c := ok[uint](t)(m.OpenSession(0, rw)) // the last session logged out
	if state(c) != stateRWPublic {
		t.Errorf("state %d after all sessions were closed", state(c))
	}
	must(t, m.Login(c, officerType, []byte(token.SOPIN)))
	if state(c) != stateRWSO {
		t.Errorf("state %d of the officer", state(c))
	}
	_, err = m.OpenSession(0, ro)
	expect(t, "read-only beside the officer", err, SessionReadWriteSOExists)
	must(t, m.InitPIN(c, []byte("новый")))
	must(t, m.Logout(c))
	must(t, m.Login(c, userType, []byte("новый")))
	must(t, m.CloseAllSessions(0))
	expect(t, "after CloseAllSessions", m.Logout(c), SessionHandleInvalid)
}

// The flags tell how many tries are left, and no more than PKCS#11 can.
func TestTokenFlags(t *testing.T) {
	m, token := start(t, softtest.Options{})
	s := ok[uint](t)(m.OpenSession(0, rw))
	flags := func() uint {
		t.Helper()
		const all = flagUserPINCountLow | flagUserPINFinalTry | flagUserPINLocked
		return ok[TokenInfo](t)(m.TokenInfo(0)).Flags & all
	}
	for left := soft.MaxTries; left > 0; left-- {
		want := uint(0)
		if left < soft.MaxTries {
			want = flagUserPINCountLow
		}
		if left == 1 {
			want |= flagUserPINFinalTry
		}
		if got := flags(); got != want {
			t.Errorf("%d tries left: flags %#x, want %#x", left, got, want)
		}
		expect(t, "wrong", m.Login(s, userType, []byte("00000000")), PINIncorrect)
	}
	if got := flags(); got != flagUserPINCountLow|flagUserPINLocked {
		t.Errorf("locked: flags %#x", got)
	}
	expect(t, "locked", m.Login(s, userType, []byte(token.PIN)), PINLocked)
	must(t, m.Login(s, officerType, []byte(token.SOPIN)))
	must(t, m.InitPIN(s, []byte(token.PIN)))
	if got := flags(); got != 0 {
		t.Errorf("with a new PIN: flags %#x", got)
	}
}

func TestMustChange(t *testing.T) {
	m, token := start(t, softtest.Options{MustChange: true})
	if ok[TokenInfo](t)(m.TokenInfo(0)).Flags&flagUserPINToChange == 0 {
		t.Error("no flag")
	}
	s := user(t, m, token)
	key := one(t, m, s, classPrivateKey)
	expect(t, "SignInit", m.SignInit(s, Mechanism{Type: mechSign256}, key), PINExpired)
	must(t, m.SetPIN(s, []byte(token.PIN), []byte("другой")))
	must(t, m.SignInit(s, Mechanism{Type: mechSign256}, key))
}

// Raw and with the hash, at once and in parts, on 256 and 512 bits; verified by the
// module, over objects of the session, and by our own code.
func TestSignVerify(t *testing.T) {
	for _, test := range []struct {
		set       asn1.ObjectIdentifier
		raw, hash uint
		size      int
	}{{cryptoProA, mechSign256, mechHashSign256, 32}, {tc26512A, mechSign512, mechHashSign512, 64}} {
		m, token := start(t, softtest.Options{ParamSet: test.set})
		s := user(t, m, token)
		key := one(t, m, s, classPrivateKey)
		public := ok[uint](t)(m.Create(s, []Attribute{
			class(classPublicKey), onToken(false), {attrGOSTR3410Params, oid(t, test.set)}, {attrValue, token.Public.Bytes()},
		}))
		data := []byte("some data to be signed")
		digest := softtest.Digest(test.size, data)
		for _, mech := range []Mechanism{{Type: test.raw}, {Type: test.hash}, {Type: test.hash, Param: oid(t, digestOID(test.size))}} {
			input := digest
			if mech.Type == test.hash {
				input = data
			}
			must(t, m.SignInit(s, mech, key))
			expect(t, "second SignInit", m.SignInit(s, mech, key), OperationActive)
			if n, err := m.Result(s, Sign, nil, nil); err != nil || n != 2*test.size {
				t.Errorf("length %d, %v", n, err)
			}
			must(t, m.Update(s, Sign, input[:5]))
			_, err := m.Result(s, Sign, nil, make([]byte, 2*test.size-1))
			expect(t, "small buffer", err, BufferTooSmall)
			sig := make([]byte, 2*test.size)
			ok[int](t)(m.Result(s, Sign, input[5:], sig))
			_, err = m.Result(s, Sign, input, sig)
			expect(t, "again", err, OperationNotInitialized)
			if !token.Public.Verify(digest, sig) {
				t.Errorf("mechanism %#x: not a signature", mech.Type)
			}
			must(t, m.VerifyInit(s, mech, public))
			must(t, m.Update(s, Verify, input[:1]))
			must(t, m.Check(s, input[1:], sig))
			must(t, m.VerifyInit(s, mech, public))
			sig[0] ^= 1
			expect(t, "bad signature", m.Check(s, input, sig), SignatureInvalid)
			must(t, m.VerifyInit(s, mech, public))
			expect(t, "short signature", m.Check(s, input, sig[1:]), SignatureLenRange)
			expect(t, "no operation", m.Check(s, input, sig), OperationNotInitialized)
		}
		for _, n := range []int{0, test.size - 1, test.size + 1, 1000} {
			must(t, m.SignInit(s, Mechanism{Type: test.raw}, key))
			_, err := m.Result(s, Sign, make([]byte, n), make([]byte, 128))
			expect(t, "length of the digest", err, DataLenRange)
		}
	}
}

func TestSignRefusals(t *testing.T) {
	m, token := start(t, softtest.Options{})
	s := user(t, m, token)
	private, public := one(t, m, s, classPrivateKey), one(t, m, s, classPublicKey)
	expect(t, "mechanism", m.SignInit(s, Mechanism{Type: 1}, private), MechanismInvalid)
	expect(t, "other size", m.SignInit(s, Mechanism{Type: mechSign512}, private), KeyTypeInconsistent)
	expect(t, "parameter", m.SignInit(s, Mechanism{Type: mechSign256, Param: []byte{1}}, private), MechanismParamInvalid)
	expect(t, "other hash", m.SignInit(s, Mechanism{Type: mechHashSign256, Param: oid(t, digestOID(64))}, private), MechanismParamInvalid)
	expect(t, "public key", m.SignInit(s, Mechanism{Type: mechSign256}, public), KeyTypeInconsistent)
	expect(t, "private key", m.VerifyInit(s, Mechanism{Type: mechSign256}, private), KeyTypeInconsistent)
	expect(t, "no key", m.SignInit(s, Mechanism{Type: mechSign256}, 9999), KeyHandleInvalid)
	expect(t, "no session", m.SignInit(9999, Mechanism{Type: mechSign256}, private), SessionHandleInvalid)
	must(t, m.SignInit(s, Mechanism{Type: mechSign256}, private))
	must(t, m.Logout(s))
	_, err := m.Result(s, Sign, make([]byte, 32), make([]byte, 64))
	expect(t, "logged out meanwhile", err, UserNotLoggedIn)
	expect(t, "logged out", m.SignInit(s, Mechanism{Type: mechSign256}, private), UserNotLoggedIn)
	_, _, err = m.Attributes(s, private, []uint{attrLabel})
	expect(t, "attributes after logout", err, ObjectHandleInvalid)
	if found := search(t, m, s, class(classPrivateKey)); len(found) != 0 {
		t.Errorf("private keys without login: %v", found)
	}
}

func TestDigest(t *testing.T) {
	m, _ := start(t, softtest.Options{NoKey: true})
	s := ok[uint](t)(m.OpenSession(0, ro))
	for typ, size := range map[uint]int{mechDigest256: 32, mechDigest512: 64} {
		for _, param := range [][]byte{nil, oid(t, digestOID(size))} {
			must(t, m.DigestInit(s, Mechanism{Type: typ, Param: param}))
			must(t, m.Update(s, Digest, []byte("da")))
			out := make([]byte, 64)
			n := ok[int](t)(m.Result(s, Digest, []byte("ta"), out))
			if !bytes.Equal(out[:n], softtest.Digest(size, []byte("data"))) {
				t.Errorf("digest of %d bytes: %x", size, out[:n])
			}
		}
	}
	expect(t, "mechanism", m.DigestInit(s, Mechanism{Type: mechSign256}), MechanismInvalid)
	expect(t, "no operation", m.Update(s, Digest, nil), OperationNotInitialized)
	must(t, m.Random(s, make([]byte, 8)))
	expect(t, "random without a session", m.Random(9999, make([]byte, 8)), SessionHandleInvalid)
}

// flat is the parameter of CKM_GOSTR3410_12_DERIVE.
func flat(kdf uint, public, ukm []byte) []byte {
	return bytes.Join([][]byte{Ulong(kdf), Ulong(uint(len(public))), public, Ulong(uint(len(ukm))), ukm}, nil)
}

func TestDerive(t *testing.T) {
	for _, set := range []asn1.ObjectIdentifier{cryptoProA, tc26512A} {
		m, token := start(t, softtest.Options{ParamSet: set})
		s := user(t, m, token)
		key := one(t, m, s, classPrivateKey)
		other := ok[*gost3410.PrivateKey](t)(gost3410.GenerateKey(token.Public.Curve(), nil))
		peer := other.PublicKey().Bytes()
		ukm, random := []byte{1, 2, 3, 4, 5, 6, 7, 8}, bytes.Repeat([]byte{9}, 32)
		kek := ok[[]byte](t)(vko.VKO256(other, token.Public, ukm))
		for what, test := range map[string]struct {
			mech    Mechanism
			want    []byte
			keyType uint
		}{
			"VKO": {Mechanism{Type: mechDerive, Param: flat(kdfNull, peer, ukm)}, kek, keyGOST28147},
			"KEG": {
				Mechanism{Type: mechKEG, Agreement: &Agreement{KDF: kdfNull, UKM: random, Public: peer}},
				ok[[]byte](t)(vko.KEG(other, token.Public, random)), keyMagmaTwin,
			},
			// RFC 4357, Section 6.5, after VKO with the first 8 bytes of what KEG28147 gets.
			"VKO and diversification": {Mechanism{Type: mechDerive, Param: flat(kdf4357, peer, random[:8])}, nil, keyGOST28147},
		} {
			h, err := m.Derive(s, test.mech, key, []Attribute{class(classSecretKey), onToken(false), {attrKeyType, Ulong(test.keyType)}})
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			values, errs, err := m.Attributes(s, h, []uint{attrValue, attrKeyType, attrValueLen})
			must(t, errors.Join(append(errs, err)...))
			if test.want != nil && !bytes.Equal(values[0], test.want) {
				t.Errorf("%s: %x, want %x", what, values[0], test.want)
			}
			if test.want == nil && (len(values[0]) != 32 || bytes.Equal(values[0], kek)) {
				t.Errorf("%s: %x", what, values[0])
			}
			if !bytes.Equal(values[1], Ulong(test.keyType)) || !bytes.Equal(values[2], Ulong(uint(len(values[0])))) {
				t.Errorf("%s: type %x, length %x", what, values[1], values[2])
			}
		}
		h := ok[uint](t)(m.Derive(s, Mechanism{Type: mechDerive, Param: flat(kdfNull, peer, ukm)}, key,
			[]Attribute{{attrSensitive, boolean(true)}}))
		_, errs, err := m.Attributes(s, h, []uint{attrValue})
		must(t, err)
		expect(t, "sensitive value", errs[0], AttributeSensitive)
		refuseAgreements(t, m, s, key, peer, ukm)
	}
}

func refuseAgreements(t *testing.T, m *Module, s, key uint, peer, ukm []byte) {
	t.Helper()
	good := flat(kdfNull, peer, ukm)
	for i := range good {
		_, err := m.Derive(s, Mechanism{Type: mechDerive, Param: good[:i]}, key, nil)
		expect(t, "short parameter", err, MechanismParamInvalid)
	}
	for what, param := range map[string][]byte{
		"too long":       append(bytes.Clone(good), 0),
		"no UKM":         flat(kdfNull, peer, nil),
		"zero UKM":       flat(kdfNull, peer, make([]byte, 8)),
		"long UKM":       flat(kdfNull, peer, make([]byte, len(peer)/2+1)),
		"function":       flat(2, peer, ukm),
		"no public key":  flat(kdfNull, nil, ukm),
		"no point":       flat(kdfNull, make([]byte, len(peer)), ukm),
		"diversify 9":    flat(kdf4357, peer, append(bytes.Clone(ukm), 1)),
		"length of 2^63": bytes.Join([][]byte{Ulong(kdfNull), Ulong(1 << 63), peer}, nil),
	} {
		_, err := m.Derive(s, Mechanism{Type: mechDerive, Param: param}, key, nil)
		expect(t, what, err, MechanismParamInvalid)
	}
	for what, a := range map[string]*Agreement{
		"nothing": nil, "hash": {KDF: kdfNull, UKM: ukm, Public: peer}, "function": {UKM: make([]byte, 32), Public: peer},
	} {
		_, err := m.Derive(s, Mechanism{Type: mechKEG, Agreement: a}, key, nil)
		expect(t, "KEG, "+what, err, MechanismParamInvalid)
	}
	_, err := m.Derive(s, Mechanism{Type: mechDerive, Param: good}, key, []Attribute{onToken(true)})
	expect(t, "derived key on the token", err, TemplateInconsistent)
	_, err = m.Derive(s, Mechanism{Type: mechSign256}, key, nil)
	expect(t, "mechanism", err, MechanismInvalid)
}

func TestGenerateKeyPair(t *testing.T) {
	m, token := start(t, softtest.Options{NoKey: true})
	s := user(t, m, token)
	params := Attribute{attrGOSTR3410Params, oid(t, cryptoProA)}
	gen256 := Mechanism{Type: mechKeyPairGen256}
	for _, where := range []bool{true, false} {
		pub, priv, err := m.GenerateKeyPair(s, gen256,
			[]Attribute{params, onToken(where), {attrLabel, []byte("public")}, {attrVerify, boolean(true)}},
			[]Attribute{onToken(where), {attrPrivate, boolean(true)}, {attrSensitive, boolean(true)}, {attrDerive, boolean(false)}})
		must(t, err)
		values, errs, err := m.Attributes(s, priv, []uint{attrToken, attrLocal, attrDerive, attrSign, attrValue, attrKeyType, attrGOSTR3411Params})
		must(t, err)
		expect(t, "private value", errs[4], AttributeSensitive)
		if !bytes.Equal(values[0], boolean(where)) || values[1][0] != 1 || values[2][0] != 0 || values[3][0] != 1 ||
			!bytes.Equal(values[5], Ulong(keyGOST256)) || !bytes.Equal(values[6], oid(t, digestOID(32))) {
			t.Errorf("attributes %x", values)
		}
		values, _, err = m.Attributes(s, pub, []uint{attrValue, attrLabel})
		must(t, err)
		key := ok[*gost3410.PublicKey](t)(gost3410.NewPublicKey(gost3410.CryptoProA(), values[0]))
		digest, sig := make([]byte, 32), make([]byte, 64)
		must(t, m.SignInit(s, Mechanism{Type: mechSign256}, priv))
		ok[int](t)(m.Result(s, Sign, digest, sig))
		if !key.Verify(digest, sig) || string(values[1]) != "public" {
			t.Errorf("the pair is none, or %q is the label", values[1])
		}
		_, err = m.Derive(s, Mechanism{Type: mechDerive, Param: flat(kdfNull, values[0], []byte{1})}, priv, nil)
		expect(t, "a key that is not for agreement", err, KeyFunctionNotPermitted)
	}
	for what, test := range map[string]struct {
		mech      Mechanism
		pub, priv []Attribute
		want      RV
	}{
		"mechanism":       {Mechanism{Type: mechSign256}, nil, nil, MechanismInvalid},
		"parameter":       {Mechanism{Type: mechKeyPairGen256, Param: []byte{1}}, nil, nil, MechanismParamInvalid},
		"no parameters":   {gen256, nil, nil, TemplateIncomplete},
		"size":            {Mechanism{Type: mechKeyPairGen512}, []Attribute{params}, nil, AttributeValueInvalid},
		"two sets":        {gen256, []Attribute{params}, []Attribute{{attrGOSTR3410Params, oid(t, tc26512A)}}, TemplateInconsistent},
		"no DER":          {gen256, []Attribute{{attrGOSTR3410Params, []byte{6}}}, nil, AttributeValueInvalid},
		"twice":           {gen256, []Attribute{params, params}, nil, TemplateInconsistent},
		"both places":     {gen256, []Attribute{params, onToken(true)}, nil, TemplateInconsistent},
		"extractable":     {gen256, []Attribute{params}, []Attribute{{attrExtractable, boolean(true)}}, TemplateInconsistent},
		"not private":     {gen256, []Attribute{params}, []Attribute{{attrPrivate, boolean(false)}}, TemplateInconsistent},
		"other hash":      {gen256, []Attribute{params, {attrGOSTR3411Params, oid(t, digestOID(64))}}, nil, TemplateInconsistent},
		"unknown":         {gen256, []Attribute{params, {0x9999, nil}}, nil, AttributeTypeInvalid},
		"flag of 2 bytes": {gen256, []Attribute{params, {attrVerify, []byte{1, 1}}}, nil, AttributeValueInvalid},
	} {
		_, _, err := m.GenerateKeyPair(s, test.mech, test.pub, test.priv)
		expect(t, what, err, test.want)
	}
	readOnly := ok[uint](t)(m.OpenSession(0, ro))
	_, _, err := m.GenerateKeyPair(readOnly, gen256, []Attribute{params, onToken(true)}, []Attribute{onToken(true)})
	expect(t, "read-only session", err, SessionReadOnly)
	must(t, m.Logout(s))
	_, _, err = m.GenerateKeyPair(s, gen256, []Attribute{params}, nil)
	expect(t, "nobody", err, UserNotLoggedIn)
}

func TestCertificates(t *testing.T) {
	m, token := start(t, softtest.Options{})
	s := ok[uint](t)(m.OpenSession(0, rw))
	cert := one(t, m, s, classCertificate)
	values, errs, err := m.Attributes(s, cert, []uint{attrValue, attrSubject, attrIssuer, attrSerialNumber, attrCertificateType, attrID})
	must(t, errors.Join(append(errs, err)...))
	if !bytes.Equal(values[0], token.Certificate) || !bytes.Equal(values[1], values[2]) ||
		!bytes.Contains(values[1], []byte("Soft Token")) || !bytes.Equal(values[3], []byte{2, 1, 1}) || !bytes.Equal(values[5], token.ID) {
		t.Errorf("attributes %x", values)
	}
	template := func(more ...Attribute) []Attribute {
		return append([]Attribute{
			class(classCertificate), onToken(true), {attrCertificateType, Ulong(0)}, {attrValue, token.Certificate},
			{attrSubject, values[1]}, {attrLabel, []byte("second")},
		}, more...)
	}
	_, err = m.Create(s, template())
	expect(t, "nobody", err, UserNotLoggedIn)
	must(t, m.Login(s, userType, []byte(token.PIN)))
	second := ok[uint](t)(m.Create(s, template(Attribute{attrIssuer, values[1]})))
	_, err = m.Create(s, template(Attribute{attrIssuer, []byte("someone else")}))
	expect(t, "a name that is not in the certificate", err, TemplateInconsistent)
	_, err = m.Create(s, []Attribute{class(classCertificate), {attrValue, []byte("no certificate")}})
	expect(t, "no certificate", err, AttributeValueInvalid)
	_, err = m.Create(s, []Attribute{class(classCertificate)})
	expect(t, "nothing", err, TemplateIncomplete)

	must(t, m.SetAttributes(s, second, []Attribute{{attrLabel, []byte("третий")}, {attrID, []byte{3}}}))
	if found := search(t, m, s, Attribute{attrLabel, []byte("третий")}, Attribute{attrID, []byte{3}}); len(found) != 1 || found[0] != second {
		t.Errorf("found %v, want %d", found, second)
	}
	expect(t, "value", m.SetAttributes(s, second, []Attribute{{attrValue, nil}}), AttributeReadOnly)
	must(t, m.Destroy(s, second))
	expect(t, "again", m.Destroy(s, second), ObjectHandleInvalid)
	if found := search(t, m, s, class(classCertificate)); len(found) != 1 || found[0] != cert {
		t.Errorf("left: %v", found)
	}
}

// What one session made is gone with it; a private key can be brought, for tests.
func TestSessionObjects(t *testing.T) {
	m, token := start(t, softtest.Options{NoKey: true})
	s := user(t, m, token)
	other := ok[uint](t)(m.OpenSession(0, ro))
	key := ok[*gost3410.PrivateKey](t)(gost3410.GenerateKey(gost3410.CryptoProA(), nil))
	for _, where := range []bool{true, false} {
		h := ok[uint](t)(m.Create(other, []Attribute{
			class(classPrivateKey), onToken(false), {attrGOSTR3410Params, oid(t, cryptoProA)}, {attrValue, key.Bytes()}, {attrLabel, []byte("k")},
		}))
		if where {
			h = ok[uint](t)(m.Create(s, []Attribute{
				class(classPrivateKey), onToken(true), {attrGOSTR3410Params, oid(t, cryptoProA)}, {attrValue, key.Bytes()},
			}))
		}
		must(t, m.SignInit(s, Mechanism{Type: mechSign256}, h))
		sig := make([]byte, 64)
		ok[int](t)(m.Result(s, Sign, make([]byte, 32), sig))
		if !key.PublicKey().Verify(make([]byte, 32), sig) {
			t.Error("not a signature")
		}
		must(t, m.SetAttributes(s, h, []Attribute{{attrLabel, []byte("renamed")}}))
	}
	if n := len(search(t, m, s, class(classPrivateKey))); n != 3 {
		t.Errorf("%d private keys, want 3", n)
	}
	must(t, m.CloseSession(other))
	if n := len(search(t, m, s, class(classPrivateKey))); n != 1 {
		t.Errorf("%d private keys after the session, want 1", n)
	}
	for what, value := range map[string][]byte{"zero": make([]byte, 32), "long": make([]byte, 64), "order": bytes.Repeat([]byte{255}, 32)} {
		_, err := m.Create(s, []Attribute{class(classPrivateKey), {attrGOSTR3410Params, oid(t, cryptoProA)}, {attrValue, value}})
		expect(t, what, err, AttributeValueInvalid)
	}
	_, err := m.Create(s, []Attribute{class(classPublicKey), {attrGOSTR3410Params, oid(t, cryptoProA)}, {attrValue, make([]byte, 64)}})
	expect(t, "no point", err, AttributeValueInvalid)
	_, err = m.Create(s, []Attribute{class(99)})
	expect(t, "class", err, AttributeValueInvalid)
	_, err = m.Create(s, nil)
	expect(t, "no class", err, TemplateIncomplete)
}

func TestFind(t *testing.T) {
	m, _ := start(t, softtest.Options{})
	s := ok[uint](t)(m.OpenSession(0, ro))
	_, err := m.Find(s, 1)
	expect(t, "no search", err, OperationNotInitialized)
	expect(t, "no search", m.FindFinal(s), OperationNotInitialized)
	must(t, m.FindInit(s, nil))
	expect(t, "second search", m.FindInit(s, nil), OperationActive)
	for _, want := range []int{1, 1, 0} { // the public key and the certificate
		if found, err := m.Find(s, 1); err != nil || len(found) != want {
			t.Errorf("found %v, %v", found, err)
		}
	}
	must(t, m.FindFinal(s))
	_, errs, err := m.Attributes(s, one(t, m, s, classCertificate), []uint{attrModifiable, attrSign, attrLabel})
	must(t, err)
	expect(t, "attribute of another class", errs[1], AttributeTypeInvalid)
	if errs[0] != nil || errs[2] != nil {
		t.Errorf("%v", errs)
	}
}

// Tokens come and go: events once each, sessions and handles of what is gone are
// gone, the slot stays.
func TestInsertRemove(t *testing.T) {
	m, first := start(t, softtest.Options{})
	_, err := m.WaitForSlotEvent(true)
	expect(t, "nothing happened", err, NoEvent)
	second := softtest.New(t, softtest.Options{Dir: first.Dir, Label: "Second"})
	id := ok[uint](t)(m.WaitForSlotEvent(false))
	if id != 1 {
		t.Errorf("event in slot %d", id)
	}
	_, err = m.WaitForSlotEvent(true)
	expect(t, "told already", err, NoEvent)
	if info := ok[TokenInfo](t)(m.TokenInfo(id)); info.Label != "Second" {
		t.Errorf("in the new slot is %+v", info)
	}
	s := ok[uint](t)(m.OpenSession(id, rw))
	must(t, m.Login(s, userType, []byte(second.PIN)))
	key := one(t, m, s, classPrivateKey)
	must(t, m.SignInit(s, Mechanism{Type: mechSign256}, key))

	away := filepath.Join(t.TempDir(), "away")
	must(t, os.Rename(second.Path, away))
	_, err = m.Result(s, Sign, make([]byte, 32), make([]byte, 64))
	expect(t, "in the middle of a signature", err, DeviceRemoved)
	_, err = m.Result(s, Sign, make([]byte, 32), make([]byte, 64))
	expect(t, "after it", err, SessionHandleInvalid)
	if got := ok[uint](t)(m.WaitForSlotEvent(false)); got != id {
		t.Errorf("event in slot %d", got)
	}
	_, err = m.TokenInfo(id)
	expect(t, "TokenInfo", err, TokenNotPresent)
	if _, flags, err := m.SlotInfo(id); err != nil || flags&flagTokenPresent != 0 {
		t.Errorf("SlotInfo: %#x, %v", flags, err)
	}
	if all, present := ok[[]uint](t)(m.Slots(false)), ok[[]uint](t)(m.Slots(true)); len(all) != 2 || len(present) != 1 {
		t.Errorf("slots %v, with tokens %v", all, present)
	}
	must(t, os.Rename(away, second.Path))
	if got := ok[uint](t)(m.WaitForSlotEvent(false)); got != id {
		t.Errorf("event in slot %d", got)
	}
	s = ok[uint](t)(m.OpenSession(id, rw))
	if found := search(t, m, s, class(classPrivateKey)); len(found) != 0 {
		t.Error("the login outlived the removal")
	}
}

// Close wakes up who waits, and nothing works after it.
func TestClose(t *testing.T) {
	m, _ := start(t, softtest.Options{NoKey: true})
	s := ok[uint](t)(m.OpenSession(0, ro))
	done := make(chan error)
	go func() {
		_, err := m.WaitForSlotEvent(false)
		done <- err
	}()
	m.Close()
	expect(t, "WaitForSlotEvent", <-done, NotInitialized)
	_, err := m.Slots(false)
	expect(t, "Slots", err, NotInitialized)
	_, err = m.SessionInfo(s)
	expect(t, "SessionInfo", err, NotInitialized)
	expect(t, "CloseSession", m.CloseSession(s), NotInitialized)
	m.Close() // is nothing
}

func TestInitToken(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "empty"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	m := ok[*Module](t)(New(dir))
	defer m.Close()
	if info := ok[TokenInfo](t)(m.TokenInfo(0)); info.Flags&flagTokenInitialized != 0 {
		t.Errorf("an empty directory is %+v", info)
	}
	_, err := m.OpenSession(0, rw)
	expect(t, "OpenSession", err, TokenNotRecognized)
	expect(t, "short PIN", m.InitToken(0, []byte("1"), "x"), PINLenRange)
	must(t, m.InitToken(0, []byte("87654321"), "x"))
	s := ok[uint](t)(m.OpenSession(0, rw))
	expect(t, "no PIN", m.Login(s, userType, []byte("12345678")), UserPINNotInitialized)
	must(t, m.CloseSession(s))
	expect(t, "wrong PIN", m.InitToken(0, []byte("00000000"), "y"), PINIncorrect)
	if slots := ok[[]uint](t)(m.Slots(true)); len(slots) != 1 {
		t.Errorf("slots %v: a file is no token", slots)
	}
	empty := ok[*Module](t)(New(filepath.Join(dir, "nothing")))
	if slots := ok[[]uint](t)(empty.Slots(false)); len(slots) != 0 {
		t.Errorf("slots %v of no directory", slots)
	}
}

func TestMechanisms(t *testing.T) {
	m, _ := start(t, softtest.Options{NoKey: true})
	for _, typ := range ok[[]uint](t)(m.Mechanisms(0)) {
		if info := ok[MechanismInfo](t)(m.MechanismInfo(0, typ)); info.Flags == 0 {
			t.Errorf("mechanism %#x does nothing", typ)
		}
	}
	_, err := m.MechanismInfo(0, 1)
	expect(t, "mechanism", err, MechanismInvalid)
}

// Many sessions at once, as a gateway has them, while another one logs out and in.
func TestConcurrent(t *testing.T) {
	m, token := start(t, softtest.Options{})
	s := user(t, m, token)
	key := one(t, m, s, classPrivateKey)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			session, err := m.OpenSession(0, ro)
			if err != nil {
				t.Error(err)
				return
			}
			for range 50 {
				sig := make([]byte, 64)
				err := m.SignInit(session, Mechanism{Type: mechSign256}, key)
				if err == nil {
					_, err = m.Result(session, Sign, make([]byte, 32), sig)
				}
				switch {
				case err == nil && !token.Public.Verify(make([]byte, 32), sig):
					t.Error("not a signature")
				case err != nil && !errors.Is(err, UserNotLoggedIn) && !errors.Is(err, KeyHandleInvalid):
					t.Error(err)
				}
			}
		})
	}
	must(t, m.Logout(s))
	must(t, m.Login(s, userType, []byte(token.PIN)))
	wg.Wait()
}
