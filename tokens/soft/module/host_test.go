//go:build cgo && unix

package main_test

import (
	"bytes"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/miekg/pkcs11"

	"propusk/gost/gost3410"
	"propusk/gost/vko"
	"propusk/tokens/soft/softtest"
)

// Numbers of TC26 that package pkcs11 does not have.
const (
	vendor        = 0xD4321000
	mechDerive    = vendor + 0x007
	mechHashSign  = vendor + 0x008
	mechDigest    = vendor + 0x012
	mechKEG       = vendor + 0x039
	hostVariable  = "PROPUSK_TEST_HOST" // the library, for the test binary that is the host
	kdfNull       = 1
	uninitialized = "empty"
)

var cryptoProA = []byte{6, 7, 0x2a, 0x85, 3, 2, 2, 0x23, 1} // DER of 1.2.643.2.2.35.1

// A Go program that loads the library, the way our bridge does. It runs in a process
// of its own: two Go runtimes in one are not promised to get along.
func TestHost(t *testing.T) {
	token := softtest.New(t, softtest.Options{})
	if err := os.Mkdir(filepath.Join(token.Dir, uninitialized), 0o700); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestHostProcess$", "-test.v", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), hostVariable+"="+softtest.Module(t), softtest.Environment+"="+token.Dir)
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the host: %v\n%s", err, said)
	}
	if !bytes.Contains(said, []byte("--- PASS: TestHostProcess")) {
		t.Fatalf("the host tested nothing\n%s", said)
	}
}

// host is the process with the library.
type host struct {
	*testing.T
	p       *pkcs11.Ctx
	slot    uint // of the token with a key
	session pkcs11.SessionHandle
}

func TestHostProcess(t *testing.T) {
	module := os.Getenv(hostVariable)
	if module == "" {
		t.Skip("it is a part of TestHost")
	}
	p := pkcs11.New(module)
	if p == nil {
		t.Fatal("the library is not loaded")
	}
	h := &host{T: t, p: p}
	h.is(p.Finalize(), pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED)
	_, err := p.GetSlotList(true)
	h.is(err, pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED)
	h.good(p.Initialize())
	h.is(p.Initialize(), pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED)
	h.slots()
	h.login()
	h.sign()
	h.verify()
	h.derive()
	h.objects()
	h.parallel()
	h.unsupported()
	h.good(p.Logout(h.session))
	h.good(p.CloseSession(h.session))
	h.good(p.CloseAllSessions(h.slot))
	h.good(p.Finalize())
	h.good(p.Initialize()) // again
	h.good(p.Finalize())
	p.Destroy()
}

func (h *host) good(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *host) is(err error, want uint) {
	h.Helper()
	if !errors.Is(err, pkcs11.Error(want)) {
		h.Errorf("%v, want %v", err, pkcs11.Error(want))
	}
}

func (h *host) slots() {
	info, err := h.p.GetInfo()
	h.good(err)
	if info.ManufacturerID != "Propusk" || info.CryptokiVersion != (pkcs11.Version{Major: 2, Minor: 40}) {
		h.Errorf("%+v", info)
	}
	slots, err := h.p.GetSlotList(true)
	h.good(err)
	if len(slots) != 2 {
		h.Fatalf("slots %v", slots)
	}
	for _, slot := range slots {
		_, err := h.p.GetSlotInfo(slot)
		h.good(err)
		token, err := h.p.GetTokenInfo(slot)
		h.good(err)
		if token.Flags&pkcs11.CKF_TOKEN_INITIALIZED != 0 {
			h.slot = slot
			if token.Label != "Soft" || token.Model != "Propusk soft" || len(token.SerialNumber) != 16 {
				h.Errorf("%+v", token)
			}
			continue
		}
		h.good(h.p.InitToken(slot, "87654321", "Новый"))
		token, err = h.p.GetTokenInfo(slot)
		h.good(err)
		if token.Label != "Новый" {
			h.Errorf("label %q", token.Label)
		}
	}
	mechanisms, err := h.p.GetMechanismList(h.slot)
	h.good(err)
	for _, m := range mechanisms {
		_, err := h.p.GetMechanismInfo(h.slot, []*pkcs11.Mechanism{m})
		h.good(err)
	}
	event := h.p.WaitForSlotEvent(0)
	third := filepath.Join(os.Getenv(softtest.Environment), "third")
	h.good(os.Mkdir(third, 0o700))
	if e := <-event; e.SlotID != 2 {
		h.Errorf("event in slot %d", e.SlotID)
	}
}

func (h *host) login() {
	var err error
	h.session, err = h.p.OpenSession(h.slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	h.good(err)
	h.is(h.p.Login(h.session, pkcs11.CKU_USER, "00000000"), pkcs11.CKR_PIN_INCORRECT)
	info, err := h.p.GetTokenInfo(h.slot)
	h.good(err)
	if info.Flags&pkcs11.CKF_USER_PIN_COUNT_LOW == 0 {
		h.Error("a try is gone, and nobody says so")
	}
	h.good(h.p.Login(h.session, pkcs11.CKU_USER, "12345678"))
	h.good(h.p.SetPIN(h.session, "12345678", "12345679"))
	state, err := h.p.GetSessionInfo(h.session)
	h.good(err)
	if state.State != pkcs11.CKS_RW_USER_FUNCTIONS || state.SlotID != h.slot {
		h.Errorf("%+v", state)
	}
	_, err = h.p.GenerateRandom(h.session, 32)
	h.good(err)
}

func (h *host) find(class uint) pkcs11.ObjectHandle {
	h.Helper()
	h.good(h.p.FindObjectsInit(h.session, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, class)}))
	found, _, err := h.p.FindObjects(h.session, 10)
	h.good(err)
	h.good(h.p.FindObjectsFinal(h.session))
	if len(found) != 1 {
		h.Fatalf("%d objects of class %d", len(found), class)
	}
	return found[0]
}

// value reads one attribute.
func (h *host) value(o pkcs11.ObjectHandle, typ uint) []byte {
	h.Helper()
	a, err := h.p.GetAttributeValue(h.session, o, []*pkcs11.Attribute{pkcs11.NewAttribute(typ, nil)})
	h.good(err)
	return a[0].Value
}

// public reads the public key: CKA_VALUE as it is.
func (h *host) public() *gost3410.PublicKey {
	h.Helper()
	key, err := gost3410.NewPublicKey(gost3410.CryptoProA(), h.value(h.find(pkcs11.CKO_PUBLIC_KEY), pkcs11.CKA_VALUE))
	h.good(err)
	return key
}

func mechanism(typ uint, param any) []*pkcs11.Mechanism {
	return []*pkcs11.Mechanism{pkcs11.NewMechanism(typ, param)}
}

func (h *host) sign() {
	private, public := h.find(pkcs11.CKO_PRIVATE_KEY), h.public()
	if params := h.value(private, pkcs11.CKA_GOSTR3410_PARAMS); !bytes.Equal(params, cryptoProA) {
		h.Errorf("parameters %x", params)
	}
	_, err := h.p.GetAttributeValue(h.session, private, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil)})
	h.is(err, pkcs11.CKR_ATTRIBUTE_SENSITIVE)
	data := []byte("data")
	digest := softtest.Digest(32, data)

	h.good(h.p.SignInit(h.session, mechanism(pkcs11.CKM_GOSTR3410, nil), private))
	sig, err := h.p.Sign(h.session, digest)
	h.good(err)
	if !public.Verify(digest, sig) {
		h.Error("not a signature")
	}
	if !softtest.OpenSSLVerify(h, asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 1}, public, digest, sig) {
		h.Error("openssl does not verify it")
	}
	h.good(h.p.SignInit(h.session, mechanism(mechHashSign, nil), private))
	h.good(h.p.SignUpdate(h.session, data[:2]))
	h.good(h.p.SignUpdate(h.session, data[2:]))
	sig, err = h.p.SignFinal(h.session)
	h.good(err)
	if !public.Verify(digest, sig) {
		h.Error("not a signature, with the hash")
	}
	h.good(h.p.DigestInit(h.session, mechanism(mechDigest, []byte{6, 8, 0x2a, 0x85, 3, 7, 1, 1, 2, 2})))
	sum, err := h.p.Digest(h.session, data)
	h.good(err)
	h.good(h.p.DigestInit(h.session, mechanism(mechDigest, nil)))
	h.good(h.p.DigestUpdate(h.session, data))
	again, err := h.p.DigestFinal(h.session)
	h.good(err)
	if !bytes.Equal(sum, digest) || !bytes.Equal(again, digest) {
		h.Errorf("digests %x and %x", sum, again)
	}
}

// verify checks signatures of somebody else, by a key that the session is given.
func (h *host) verify() {
	signer, err := gost3410.GenerateKey(gost3410.CryptoProA(), nil)
	h.good(err)
	key, err := h.p.CreateObject(h.session, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GOSTR3410),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, false),
		pkcs11.NewAttribute(pkcs11.CKA_VERIFY, true),
		pkcs11.NewAttribute(pkcs11.CKA_GOSTR3410_PARAMS, cryptoProA),
		pkcs11.NewAttribute(pkcs11.CKA_VALUE, signer.PublicKey().Bytes()),
	})
	h.good(err)
	digest := softtest.Digest(32, []byte("data"))
	sig, err := signer.Sign(nil, digest, nil)
	h.good(err)
	check := func(digest, sig []byte) error {
		h.Helper()
		h.good(h.p.VerifyInit(h.session, mechanism(pkcs11.CKM_GOSTR3410, nil), key))
		return h.p.Verify(h.session, digest, sig)
	}
	h.good(check(digest, sig))
	h.is(check(softtest.Digest(32, nil), sig), pkcs11.CKR_SIGNATURE_INVALID)
	h.is(check(digest, sig[1:]), pkcs11.CKR_SIGNATURE_LEN_RANGE)
	h.is(check(digest[1:], sig), pkcs11.CKR_DATA_LEN_RANGE)
	h.good(h.p.VerifyInit(h.session, mechanism(mechHashSign, nil), key))
	h.good(h.p.VerifyUpdate(h.session, []byte("data")))
	h.good(h.p.VerifyFinal(h.session, sig))
	h.good(h.p.DestroyObject(h.session, key))
}

func (h *host) derive() {
	private, public := h.find(pkcs11.CKO_PRIVATE_KEY), h.public()
	other, err := gost3410.GenerateKey(gost3410.CryptoProA(), nil)
	h.good(err)
	peer, ukm, random := other.PublicKey().Bytes(), []byte{1, 2, 3, 4, 5, 6, 7, 8}, bytes.Repeat([]byte{7}, 32)
	ulong := func(v int) []byte { return binary.NativeEndian.AppendUint64(nil, uint64(v)) }
	flat := bytes.Join([][]byte{ulong(kdfNull), ulong(len(peer)), peer, ulong(len(ukm)), ukm}, nil)

	key, err := h.p.DeriveKey(h.session, mechanism(mechDerive, flat), private, nil)
	h.good(err)
	want, err := vko.VKO256(other, public, ukm)
	h.good(err)
	if got := h.value(key, pkcs11.CKA_VALUE); !bytes.Equal(got, want) {
		h.Errorf("VKO: %x, want %x", got, want)
	}
	key, err = h.p.DeriveKey(h.session, mechanism(mechKEG, pkcs11.NewECDH1DeriveParams(kdfNull, random, peer)), private,
		[]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true)})
	h.good(err)
	want, err = vko.KEG(other, public, random)
	h.good(err)
	if got := h.value(key, pkcs11.CKA_VALUE); !bytes.Equal(got, want) {
		h.Errorf("KEG: %x, want %x", got, want)
	}
	_, err = h.p.DeriveKey(h.session, mechanism(mechKEG, flat[:8]), private, nil)
	h.is(err, pkcs11.CKR_MECHANISM_PARAM_INVALID)
}

func (h *host) objects() {
	public, private, err := h.p.GenerateKeyPair(h.session, mechanism(pkcs11.CKM_GOSTR3410_KEY_PAIR_GEN, nil),
		[]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_GOSTR3410_PARAMS, cryptoProA), pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true)},
		[]*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_ID, []byte{2})})
	h.good(err)
	h.good(h.p.SetAttributeValue(h.session, public, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_LABEL, "новый")}))
	if label := h.value(public, pkcs11.CKA_LABEL); string(label) != "новый" {
		h.Errorf("label %q", label)
	}
	h.is(h.p.SetAttributeValue(h.session, private, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VALUE, []byte{1})}),
		pkcs11.CKR_ATTRIBUTE_READ_ONLY)
	h.good(h.p.DestroyObject(h.session, public))
	h.good(h.p.DestroyObject(h.session, private))
	h.is(h.p.DestroyObject(h.session, private), pkcs11.CKR_OBJECT_HANDLE_INVALID)
}

// parallel signs in several sessions at once.
func (h *host) parallel() {
	private, public := h.find(pkcs11.CKO_PRIVATE_KEY), h.public()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			session, err := h.p.OpenSession(h.slot, pkcs11.CKF_SERIAL_SESSION)
			if err != nil {
				h.Error(err)
				return
			}
			for j := range 100 {
				digest := softtest.Digest(32, []byte{byte(i), byte(j)})
				if err := h.p.SignInit(session, mechanism(pkcs11.CKM_GOSTR3410, nil), private); err != nil {
					h.Error(err)
					return
				}
				sig, err := h.p.Sign(session, digest)
				if err != nil || !public.Verify(digest, sig) {
					h.Errorf("%x, %v", sig, err)
					return
				}
			}
			if err := h.p.CloseSession(session); err != nil {
				h.Error(err)
			}
		})
	}
	wg.Wait()
}

// unsupported calls what the library does not have: it says so, in every place of the
// table of functions.
func (h *host) unsupported() {
	var m = mechanism(pkcs11.CKM_GOST28147, nil)
	s, key := h.session, h.find(pkcs11.CKO_PRIVATE_KEY)
	for name, call := range map[string]func() error{
		"GetOperationState":   func() error { _, err := h.p.GetOperationState(s); return err },
		"SetOperationState":   func() error { return h.p.SetOperationState(s, []byte{1}, key, key) },
		"CopyObject":          func() error { _, err := h.p.CopyObject(s, key, nil); return err },
		"GetObjectSize":       func() error { _, err := h.p.GetObjectSize(s, key); return err },
		"EncryptInit":         func() error { return h.p.EncryptInit(s, m, key) },
		"Encrypt":             func() error { _, err := h.p.Encrypt(s, []byte{1}); return err },
		"EncryptUpdate":       func() error { _, err := h.p.EncryptUpdate(s, []byte{1}); return err },
		"EncryptFinal":        func() error { _, err := h.p.EncryptFinal(s); return err },
		"DecryptInit":         func() error { return h.p.DecryptInit(s, m, key) },
		"Decrypt":             func() error { _, err := h.p.Decrypt(s, []byte{1}); return err },
		"DecryptUpdate":       func() error { _, err := h.p.DecryptUpdate(s, []byte{1}); return err },
		"DecryptFinal":        func() error { _, err := h.p.DecryptFinal(s); return err },
		"DigestKey":           func() error { return h.p.DigestKey(s, key) },
		"SignRecoverInit":     func() error { return h.p.SignRecoverInit(s, m, key) },
		"SignRecover":         func() error { _, err := h.p.SignRecover(s, []byte{1}); return err },
		"VerifyRecoverInit":   func() error { return h.p.VerifyRecoverInit(s, m, key) },
		"VerifyRecover":       func() error { _, err := h.p.VerifyRecover(s, []byte{1}); return err },
		"DigestEncryptUpdate": func() error { _, err := h.p.DigestEncryptUpdate(s, []byte{1}); return err },
		"DecryptDigestUpdate": func() error { _, err := h.p.DecryptDigestUpdate(s, []byte{1}); return err },
		"SignEncryptUpdate":   func() error { _, err := h.p.SignEncryptUpdate(s, []byte{1}); return err },
		"DecryptVerifyUpdate": func() error { _, err := h.p.DecryptVerifyUpdate(s, []byte{1}); return err },
		"GenerateKey":         func() error { _, err := h.p.GenerateKey(s, m, nil); return err },
		"WrapKey":             func() error { _, err := h.p.WrapKey(s, m, key, key); return err },
		"UnwrapKey":           func() error { _, err := h.p.UnwrapKey(s, m, key, []byte{1}, nil); return err },
		"SeedRandom":          func() error { return h.p.SeedRandom(s, []byte{1}) },
	} {
		if err := call(); !errors.Is(err, pkcs11.Error(pkcs11.CKR_FUNCTION_NOT_SUPPORTED)) {
			h.Errorf("%s: %v", name, err)
		}
	}
}
