package soft_test

import (
	"bytes"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/vko"
	"propusk/tokens/soft"
	"propusk/tokens/soft/softtest"
)

const (
	userPIN    = "12345678"
	officerPIN = "87654321"
)

var cryptoProA = asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 1}

// open returns the token of softtest, logged out.
func open(t testing.TB, o softtest.Options) *soft.Token {
	t.Helper()
	token, err := soft.Open(softtest.New(t, o).Path)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func login(t testing.TB, token *soft.Token) {
	t.Helper()
	if err := token.Login(soft.User, []byte(userPIN)); err != nil {
		t.Fatal(err)
	}
}

func expect(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func info(t testing.TB, token *soft.Token) soft.Info {
	t.Helper()
	i, err := token.Info()
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// find returns the only object of a class.
func find(t testing.TB, token *soft.Token, class soft.Class) soft.Object {
	t.Helper()
	objects, err := token.Objects()
	if err != nil {
		t.Fatal(err)
	}
	var found []soft.Object
	for _, o := range objects {
		if o.Class == class {
			found = append(found, o)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d objects of class %d, want 1", len(found), class)
	}
	return found[0]
}

func TestInit(t *testing.T) {
	token, err := soft.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if i := info(t, token); i != (soft.Info{}) {
		t.Errorf("an empty directory is %+v", i)
	}
	expect(t, "Login", token.Login(soft.User, []byte(userPIN)), soft.ErrNotInitialized)
	expect(t, "long label", token.Init(strings.Repeat("я", 17), []byte(officerPIN)), soft.ErrObject)
	expect(t, "short PIN", token.Init("", []byte("123")), soft.ErrPINLength)
	expect(t, "no UTF-8", token.Init("", []byte("\xff\xff\xff\xff")), soft.ErrPINLength)
	if err := token.Init("Токен", []byte(officerPIN)); err != nil {
		t.Fatal(err)
	}
	i := info(t, token)
	if !i.Initialized || i.Label != "Токен" || len(i.Serial) != 16 || i.UserPINSet || i.OfficerTries != soft.MaxTries {
		t.Errorf("after Init: %+v", i)
	}
	expect(t, "Login without a PIN", token.Login(soft.User, []byte(userPIN)), soft.ErrPINNotSet)
}

// Init on a token that is in use asks for the PIN of the officer, counts, and leaves
// nothing of the old one.
func TestInitAgain(t *testing.T) {
	token := open(t, softtest.Options{})
	before := info(t, token)
	expect(t, "wrong PIN", token.Init("New", []byte("00000000")), soft.ErrPIN)
	if i := info(t, token); i.OfficerTries != soft.MaxTries-1 || i.Label != before.Label {
		t.Errorf("after a wrong PIN: %+v", i)
	}
	if err := token.Init("New", []byte(officerPIN)); err != nil {
		t.Fatal(err)
	}
	objects, err := token.Objects()
	if err != nil || len(objects) != 0 {
		t.Errorf("objects left: %v, %v", objects, err)
	}
	if i := info(t, token); i.Label != "New" || i.Serial == before.Serial || i.UserPINSet {
		t.Errorf("after Init: %+v", i)
	}
}

// The officer sets PINs, and sees of the objects what everybody does.
func TestOfficerSeesNoPrivateObjects(t *testing.T) {
	token := open(t, softtest.Options{})
	if err := token.Login(soft.SecurityOfficer, []byte(officerPIN)); err != nil {
		t.Fatal(err)
	}
	objects, err := token.Objects()
	if err != nil || len(objects) == 0 {
		t.Fatalf("%d objects, %v", len(objects), err)
	}
	for _, o := range objects {
		if o.Class == soft.PrivateKey || o.Private {
			t.Errorf("%s %q", o.Name, o.Label)
		}
	}
}

// Whoever is logged in while somebody else makes another token of the directory has no
// login to that: the officer sets no PIN, the user loses no key and signs no more.
func TestInitByAnother(t *testing.T) {
	user := open(t, softtest.Options{})
	at := func() *soft.Token {
		token, err := soft.Open(user.Dir())
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	officer, other := at(), at()
	login(t, user)
	key, err := user.Key(find(t, user, soft.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	if err := officer.Login(soft.SecurityOfficer, []byte(officerPIN)); err != nil {
		t.Fatal(err)
	}
	if err := other.Init("New", []byte(officerPIN)); err != nil {
		t.Fatal(err)
	}
	expect(t, "InitPIN", officer.InitPIN([]byte("11111111"), false), soft.ErrRemoved)
	_, err = key.Sign(nil, make([]byte, 32), nil)
	expect(t, "Sign", err, soft.ErrRemoved)
	_, _, err = user.Generate(nil, soft.KeyTemplate{ParamSet: cryptoProA})
	expect(t, "Generate", err, soft.ErrRemoved)
	expect(t, "Confirm", user.Confirm([]byte(userPIN)), soft.ErrRemoved)
	if i := info(t, other); i.UserPINSet {
		t.Errorf("the new token: %+v", i)
	}
}

// Ten tries, the right PIN gives them back, the eleventh finds the PIN locked even if
// it is right; the officer sets a new one, and the key is still there.
func TestTries(t *testing.T) {
	token := open(t, softtest.Options{})
	wrong := []byte("00000000")
	expect(t, "wrong", token.Login(soft.User, wrong), soft.ErrPIN)
	if left := info(t, token).UserTries; left != soft.MaxTries-1 {
		t.Errorf("%d tries left", left)
	}
	login(t, token)
	token.Logout()
	for left := soft.MaxTries; left > 0; left-- {
		if got := info(t, token).UserTries; got != left {
			t.Fatalf("%d tries left, want %d", got, left)
		}
		expect(t, "wrong", token.Login(soft.User, wrong), soft.ErrPIN)
	}
	expect(t, "the right PIN, too late", token.Login(soft.User, []byte(userPIN)), soft.ErrLocked)
	expect(t, "change", token.SetPIN(soft.User, []byte(userPIN), []byte("1111")), soft.ErrLocked)
	expect(t, "InitPIN of nobody", token.InitPIN([]byte("1111"), false), soft.ErrLogin)

	if err := token.Login(soft.SecurityOfficer, []byte(officerPIN)); err != nil {
		t.Fatal(err)
	}
	expect(t, "short", token.InitPIN([]byte("111"), false), soft.ErrPINLength)
	if err := token.InitPIN([]byte(userPIN), false); err != nil {
		t.Fatal(err)
	}
	token.Logout()
	login(t, token)
	if _, err := token.Key(find(t, token, soft.PrivateKey)); err != nil {
		t.Error(err)
	}
}

// A PIN that must be changed logs in and does nothing, until it is changed.
func TestMustChange(t *testing.T) {
	token := open(t, softtest.Options{MustChange: true})
	if !info(t, token).MustChange {
		t.Error("Info does not say that the PIN must be changed")
	}
	login(t, token)
	key := find(t, token, soft.PrivateKey)
	_, err := token.Key(key)
	expect(t, "Key", err, soft.ErrPINExpired)
	_, _, err = token.Generate(nil, soft.KeyTemplate{ParamSet: cryptoProA})
	expect(t, "Generate", err, soft.ErrPINExpired)
	expect(t, "wrong old PIN", token.SetPIN(soft.User, []byte("00000000"), []byte("новый")), soft.ErrPIN)
	expect(t, "short", token.SetPIN(soft.User, []byte(userPIN), []byte("1")), soft.ErrPINLength)
	if left := info(t, token).UserTries; left != soft.MaxTries-1 {
		t.Errorf("%d tries left: a PIN of a wrong length costs none, a wrong one does", left)
	}
	if err := token.SetPIN(soft.User, []byte(userPIN), []byte("новый")); err != nil {
		t.Fatal(err)
	}
	if i := info(t, token); i.MustChange || i.UserTries != soft.MaxTries {
		t.Errorf("after the change: %+v", i)
	}
	if _, err := token.Key(key); err != nil {
		t.Error(err)
	}
	token.Logout()
	expect(t, "old PIN", token.Login(soft.User, []byte(userPIN)), soft.ErrPIN)
}

// Every parameter set signs, what openssl verifies, and agrees with a key in memory.
func TestParamSets(t *testing.T) {
	token := open(t, softtest.Options{NoKey: true})
	login(t, token)
	for _, set := range []asn1.ObjectIdentifier{
		{1, 2, 643, 2, 2, 35, 1}, {1, 2, 643, 2, 2, 35, 2}, {1, 2, 643, 2, 2, 35, 3},
		{1, 2, 643, 2, 2, 36, 0}, {1, 2, 643, 2, 2, 36, 1},
		{1, 2, 643, 7, 1, 2, 1, 1, 1}, {1, 2, 643, 7, 1, 2, 1, 1, 2}, {1, 2, 643, 7, 1, 2, 1, 1, 3}, {1, 2, 643, 7, 1, 2, 1, 1, 4},
		{1, 2, 643, 7, 1, 2, 1, 2, 1}, {1, 2, 643, 7, 1, 2, 1, 2, 2}, {1, 2, 643, 7, 1, 2, 1, 2, 3},
	} {
		t.Run(set.String(), func(t *testing.T) {
			public, private, err := token.Generate(nil, soft.KeyTemplate{ParamSet: set, Label: "k", ID: []byte{7}})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(public.Value, private.Value) || public.Label != "k" || private.Name == public.Name {
				t.Errorf("generated %+v and %+v", public, private)
			}
			key, err := token.Key(private)
			if err != nil {
				t.Fatal(err)
			}
			size := public.PublicKey().Curve().Size()
			digest := softtest.Digest(size, []byte("data"))
			sig, err := key.Sign(nil, digest, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !public.PublicKey().Verify(digest, sig) {
				t.Error("the signature is none")
			}
			_, err = key.Sign(nil, digest[1:], nil)
			expect(t, "short digest", err, gost3410.ErrDigest)
			agree(t, key)
			if !softtest.OpenSSLVerify(t, set, public.PublicKey(), digest, sig) {
				t.Error("openssl does not verify it")
			}
			digest[0] ^= 1
			if softtest.OpenSSLVerify(t, set, public.PublicKey(), digest, sig) {
				t.Error("openssl verifies the signature of something else")
			}
		})
	}
	_, _, err := token.Generate(nil, soft.KeyTemplate{ParamSet: asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 0}})
	expect(t, "test parameters", err, gost3410.ErrParamSet)
}

// agree makes sure that both sides get the same keys.
func agree(t *testing.T, key *soft.Key) {
	t.Helper()
	public, ok := key.Public().(*gost3410.PublicKey)
	if !ok {
		t.Fatalf("Public is a %T", key.Public())
	}
	other, err := gost3410.GenerateKey(public.Curve(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ukm := []byte{1, 2, 3, 4, 5, 6, 7, 8}
	ours, err := vko.VKO256(key, other.PublicKey(), ukm)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := vko.VKO256(other, public, ukm)
	if err != nil || !bytes.Equal(ours, theirs) {
		t.Errorf("VKO256: %x and %x, %v", ours, theirs, err)
	}
	ours, err = vko.KEG(key, other.PublicKey(), make([]byte, vko.HashSize))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err = vko.KEG(other, public, make([]byte, vko.HashSize))
	if err != nil || !bytes.Equal(ours, theirs) {
		t.Errorf("KEG: %x and %x, %v", ours, theirs, err)
	}
}

// Private keys are for the user, while logged in.
func TestPrivateKeys(t *testing.T) {
	token := open(t, softtest.Options{})
	objects, err := token.Objects()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if o.Class == soft.PrivateKey {
			t.Error("a private key is seen without login")
		}
	}
	login(t, token)
	object := find(t, token, soft.PrivateKey)
	key, err := token.Key(object)
	if err != nil {
		t.Fatal(err)
	}
	_, err = token.Key(find(t, token, soft.PublicKey))
	expect(t, "Key of a public key", err, soft.ErrNoObject)
	expect(t, "second login", token.Login(soft.User, []byte(userPIN)), soft.ErrLogin)

	token.Logout()
	digest := make([]byte, 32)
	_, err = key.Sign(nil, digest, nil)
	expect(t, "Sign after Logout", err, soft.ErrLogin)
	_, err = token.Key(object)
	expect(t, "Key after Logout", err, soft.ErrLogin)
	login(t, token)
	_, err = key.Sign(nil, digest, nil)
	expect(t, "Sign in another login", err, soft.ErrLogin)
	token.Logout()

	if err := token.Login(soft.SecurityOfficer, []byte(officerPIN)); err != nil {
		t.Fatal(err)
	}
	_, err = token.Key(object)
	expect(t, "Key for the officer", err, soft.ErrLogin)
}

func TestUsage(t *testing.T) {
	token := open(t, softtest.Options{NoKey: true})
	login(t, token)
	for usage, allowed := range map[soft.Usage][2]bool{soft.Sign: {true, false}, soft.Derive: {false, true}, 0: {true, true}} {
		_, private, err := token.Generate(nil, soft.KeyTemplate{ParamSet: cryptoProA, Usage: usage})
		if err != nil {
			t.Fatal(err)
		}
		key, err := token.Key(private)
		if err != nil {
			t.Fatal(err)
		}
		_, err = key.Sign(nil, make([]byte, 32), nil)
		if errors.Is(err, soft.ErrUsage) == allowed[0] {
			t.Errorf("usage %d: Sign: %v", usage, err)
		}
		_, err = key.SharedPoint(private.PublicKey(), []byte{1})
		if errors.Is(err, soft.ErrUsage) == allowed[1] {
			t.Errorf("usage %d: SharedPoint: %v", usage, err)
		}
	}
}

func TestImport(t *testing.T) {
	token := open(t, softtest.Options{NoKey: true})
	key, err := gost3410.GenerateKey(gost3410.TC26512C(), nil)
	if err != nil {
		t.Fatal(err)
	}
	template := soft.KeyTemplate{ParamSet: asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 2, 3}}
	_, err = token.Import(key, template)
	expect(t, "without login", err, soft.ErrLogin)
	login(t, token)
	_, err = token.Import(key, soft.KeyTemplate{ParamSet: cryptoProA})
	expect(t, "another curve", err, soft.ErrObject)
	o, err := token.Import(key, template)
	if err != nil {
		t.Fatal(err)
	}
	got, err := token.Key(o)
	if err != nil || !got.Public().(*gost3410.PublicKey).Equal(key.PublicKey()) || o.Generated {
		t.Errorf("imported %+v, %v", o, err)
	}
}

func TestObjects(t *testing.T) {
	token := open(t, softtest.Options{NoKey: true})
	cert := soft.Object{Class: soft.Certificate, Label: "c", ID: []byte{1}, Value: []byte("DER")}
	_, err := token.Add(cert)
	expect(t, "without login", err, soft.ErrLogin)
	login(t, token)
	for what, bad := range map[string]soft.Object{
		"no class":    {Value: []byte{1}},
		"no value":    {Class: soft.Certificate},
		"long value":  {Class: soft.Certificate, Value: make([]byte, soft.MaxCertificate+1)},
		"long label":  {Class: soft.Certificate, Value: []byte{1}, Label: strings.Repeat("l", 256)},
		"long id":     {Class: soft.Certificate, Value: []byte{1}, ID: make([]byte, 256)},
		"no UTF-8":    {Class: soft.Certificate, Value: []byte{1}, Label: "\xff"},
		"usage":       {Class: soft.Certificate, Value: []byte{1}, Usage: soft.Sign},
		"no point":    {Class: soft.PublicKey, Value: make([]byte, 64), ParamSet: cryptoProA},
		"private key": {Class: soft.PrivateKey, Value: make([]byte, 64), ParamSet: cryptoProA},
	} {
		_, err := token.Add(bad)
		expect(t, what, err, soft.ErrObject)
	}
	cert, err = token.Add(cert)
	if err != nil {
		t.Fatal(err)
	}
	cert, err = token.Rename(cert.Name, "новое", []byte{2})
	if err != nil || cert.Label != "новое" {
		t.Fatalf("Rename: %+v, %v", cert, err)
	}
	if got := find(t, token, soft.Certificate); fmt.Sprint(got) != fmt.Sprint(cert) {
		t.Errorf("on the token is %+v, not %+v", got, cert)
	}
	for _, name := range []string{"", "../token", "0123456789ABCDEF", "0123456789abcdef"} {
		expect(t, "Remove "+name, token.Remove(name), soft.ErrNoObject)
		_, err := token.Rename(name, "", nil)
		expect(t, "Rename "+name, err, soft.ErrNoObject)
	}
	if err := token.Remove(cert.Name); err != nil {
		t.Fatal(err)
	}
	if objects, err := token.Objects(); err != nil || len(objects) != 0 {
		t.Errorf("left: %v, %v", objects, err)
	}
}

// A token that is taken out is gone for whoever is logged in; another one in its
// place is another one.
func TestRemoved(t *testing.T) {
	token := open(t, softtest.Options{})
	login(t, token)
	key, err := token.Key(find(t, token, soft.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	// Not removed: the system could give its number to the next directory.
	away := token.Dir() + "-away"
	if err := os.Rename(token.Dir(), away); err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		_, err := key.Sign(nil, make([]byte, 32), nil)
		expect(t, "Sign", err, soft.ErrRemoved)
	}
	check()
	_, err = token.Info()
	expect(t, "Info", err, soft.ErrRemoved)
	_, err = token.Objects()
	expect(t, "Objects", err, soft.ErrRemoved)
	_, err = token.Add(soft.Object{Class: soft.Certificate, Value: []byte{1}})
	expect(t, "Add", err, soft.ErrRemoved)
	expect(t, "Remove", token.Remove("0123456789abcdef"), soft.ErrRemoved)
	_, err = soft.Open(token.Dir())
	expect(t, "Open", err, soft.ErrRemoved)
	if err := os.Mkdir(token.Dir(), 0o700); err != nil {
		t.Fatal(err)
	}
	check()
}

// The private part of one key does not open beside the public part of another, nor
// on another token.
func TestSwappedFiles(t *testing.T) {
	token := open(t, softtest.Options{})
	other := open(t, softtest.Options{})
	login(t, token)
	login(t, other)
	o := find(t, token, soft.PrivateKey)
	data, err := os.ReadFile(filepath.Join(token.Dir(), o.Name+".obj"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(other.Dir(), o.Name+".obj"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = other.Key(o)
	expect(t, "key of another token", err, soft.ErrFormat)

	_, second, err := token.Generate(nil, soft.KeyTemplate{ParamSet: cryptoProA})
	if err != nil {
		t.Fatal(err)
	}
	o.Value = second.Value
	_, err = token.Key(o)
	expect(t, "public part of another key", err, soft.ErrFormat)
}

// However often the secret is printed, it is not there.
func TestPrint(t *testing.T) {
	token := open(t, softtest.Options{NoKey: true})
	login(t, token)
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		t.Fatal(err)
	}
	raw[31] &= 0x3f
	secret, err := gost3410.NewPrivateKey(gost3410.CryptoProA(), raw)
	if err != nil {
		t.Fatal(err)
	}
	o, err := token.Import(secret, soft.KeyTemplate{ParamSet: cryptoProA})
	if err != nil {
		t.Fatal(err)
	}
	key, err := token.Key(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%x", "%s", "%d"} {
		text := fmt.Sprintf(format, key) + fmt.Sprintf(format, token) + fmt.Sprintf(format, o)
		for _, secret := range []string{fmt.Sprintf("%x", raw), fmt.Sprintf("%v", raw), fmt.Sprintf("%#v", raw)} {
			if strings.Contains(text, strings.Trim(secret, "[]")) {
				t.Errorf("%s prints the key", format)
			}
		}
	}
}

// Several of them at once, as processes do: no try is lost, no object either.
func TestConcurrent(t *testing.T) {
	dir := softtest.New(t, softtest.Options{NoKey: true}).Path
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			token, err := soft.Open(dir)
			if err != nil {
				t.Error(err)
				return
			}
			if err := token.Login(soft.User, []byte("00000000")); !errors.Is(err, soft.ErrPIN) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	token, err := soft.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if left := info(t, token).UserTries; left != soft.MaxTries-4 {
		t.Errorf("%d tries left after 4 wrong PINs", left)
	}
	login(t, token)
	for i := range 4 {
		wg.Go(func() {
			_, private, err := token.Generate(nil, soft.KeyTemplate{ParamSet: cryptoProA, ID: []byte{byte(i)}})
			if err != nil {
				t.Error(err)
				return
			}
			key, err := token.Key(private)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := key.Sign(nil, make([]byte, 32), nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if objects, err := token.Objects(); err != nil || len(objects) != 8 {
		t.Errorf("%d objects, %v", len(objects), err)
	}
}
