package cryptoki

import (
	"bytes"
	"hash"

	"propusk/gost/gost28147"
	"propusk/gost/gost3410"
	"propusk/gost/streebog"
	"propusk/gost/vko"
	"propusk/tokens/soft"
)

// Mechanism is CK_MECHANISM. Param is the parameter as it is in memory; where that
// has pointers, whoever has followed them gives Agreement instead: for [KEG].
type Mechanism struct {
	Type      uint
	Param     []byte
	Agreement *Agreement
}

// Agreement is the parameter of a key agreement.
type Agreement struct {
	KDF    uint
	UKM    []byte
	Public []byte // LE(x)|LE(y) of the other key
}

// MechanismInfo is CK_MECHANISM_INFO; sizes of keys are in bits.
type MechanismInfo struct{ Min, Max, Flags uint }

// mechanisms says what the module can do, in the order in which it tells.
var mechanisms = []struct {
	typ  uint
	info MechanismInfo
}{
	{mechKeyPairGen256, MechanismInfo{256, 256, flagGenerate}},
	{mechSign256, MechanismInfo{256, 256, flagSign | flagVerify}},
	{mechHashSign256, MechanismInfo{256, 256, flagSign | flagVerify}},
	{mechKeyPairGen512, MechanismInfo{512, 512, flagGenerate}},
	{mechSign512, MechanismInfo{512, 512, flagSign | flagVerify}},
	{mechHashSign512, MechanismInfo{512, 512, flagSign | flagVerify}},
	{mechDerive, MechanismInfo{256, 512, flagDerive}},
	{mechKEG, MechanismInfo{256, 512, flagDerive}},
	{mechDigest256, MechanismInfo{0, 0, flagDigest}},
	{mechDigest512, MechanismInfo{0, 0, flagDigest}},
}

// Mechanisms returns the numbers of all mechanisms.
func (m *Module) Mechanisms(id uint) ([]uint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.slot(id); err != nil {
		return nil, err
	}
	var types []uint
	for _, mech := range mechanisms {
		types = append(types, mech.typ)
	}
	return types, nil
}

// MechanismInfo returns what is to be known of a mechanism.
func (m *Module) MechanismInfo(id, typ uint) (MechanismInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.slot(id); err != nil {
		return MechanismInfo{}, err
	}
	for _, mech := range mechanisms {
		if mech.typ == typ {
			return mech.info, nil
		}
	}
	return MechanismInfo{}, MechanismInvalid
}

// operation is a digest, a signature or a verification that goes on.
type operation struct {
	hash   hash.Hash // nil for raw signatures, whose data is the digest
	data   []byte    // the digest so far, at most size and one byte
	size   int       // of the digest, in bytes
	token  *soft.Token
	signer signer
	public *gost3410.PublicKey

	confirm bool // the PIN is wanted once more, before the signature
}

func (o *operation) write(data []byte) {
	if o.hash != nil {
		o.hash.Write(data) // never fails
		return
	}
	o.data = append(o.data, data[:min(len(data), o.size+1-len(o.data))]...)
}

// sum returns the digest; the error is DataLenRange.
func (o *operation) sum() ([]byte, error) {
	if o.hash != nil {
		return o.hash.Sum(nil), nil
	}
	if len(o.data) != o.size {
		return nil, DataLenRange
	}
	return o.data, nil
}

// newHash returns the hash of a size. The parameter is empty, or the DER of the
// identifier of the hash, as software of Aktiv has it.
func newHash(size int, param []byte) (hash.Hash, error) {
	if len(param) != 0 {
		if want, err := oidDER(digestOID(size)); err != nil || !bytes.Equal(param, want) {
			return nil, MechanismParamInvalid
		}
	}
	if size == streebog.Size512 {
		return streebog.New512(), nil
	}
	return streebog.New256(), nil
}

// DigestInit starts a digest.
func (m *Module) DigestInit(handle uint, mechanism Mechanism) error {
	s, _, err := m.session(handle)
	if err != nil {
		return err
	}
	size := 0
	switch mechanism.Type {
	case mechDigest256:
		size = streebog.Size256
	case mechDigest512:
		size = streebog.Size512
	default:
		return MechanismInvalid
	}
	h, err := newHash(size, mechanism.Param)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.digest != nil {
		return OperationActive
	}
	s.digest = &operation{hash: h, size: size}
	return nil
}

// SignInit starts a signature by a private key.
func (m *Module) SignInit(handle uint, mechanism Mechanism, key uint) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, slot, err := m.lockedSession(handle)
	if err != nil {
		return err
	}
	o, err := slot.object(key)
	switch {
	case err != nil && slot.token.Role() != soft.User:
		return UserNotLoggedIn
	case err != nil:
		return KeyHandleInvalid
	case !o.privateKey():
		return KeyTypeInconsistent
	}
	op, err := newOperation(mechanism, o)
	if err != nil {
		return err
	}
	if op.signer, err = slot.signer(o); err != nil {
		return err
	}
	op.token, op.confirm = slot.token, o.Usage&soft.Confirm != 0
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sign != nil {
		return OperationActive
	}
	s.sign = op
	return nil
}

// signer returns the private key of an object, and keeps it.
func (s *slot) signer(o *object) (signer, error) {
	if o.key == nil {
		key, err := s.token.Key(o.Object)
		if err != nil {
			return nil, rv(err)
		}
		o.key = key
	}
	return o.key, nil
}

// VerifyInit starts a verification by a public key.
func (m *Module) VerifyInit(handle uint, mechanism Mechanism, key uint) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, slot, err := m.lockedSession(handle)
	if err != nil {
		return err
	}
	o, err := slot.object(key)
	switch {
	case err != nil:
		return KeyHandleInvalid
	case o.Class != soft.PublicKey:
		return KeyTypeInconsistent
	}
	op, err := newOperation(mechanism, o)
	if err != nil {
		return err
	}
	if o.public == nil {
		if o.public = o.PublicKey(); o.public == nil {
			return KeyHandleInvalid
		}
	}
	op.public = o.public
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.verify != nil {
		return OperationActive
	}
	s.verify = op
	return nil
}

// newOperation makes sure that the mechanism is one of signatures, and that the key
// is for it.
func newOperation(mechanism Mechanism, o *object) (*operation, error) {
	size, withHash := 0, false
	switch mechanism.Type {
	case mechSign256:
		size = 32
	case mechSign512:
		size = 64
	case mechHashSign256:
		size, withHash = 32, true
	case mechHashSign512:
		size, withHash = 64, true
	default:
		return nil, MechanismInvalid
	}
	if o.size() != size {
		return nil, KeyTypeInconsistent
	}
	if o.Usage&soft.Sign == 0 {
		return nil, KeyFunctionNotPermitted
	}
	op := &operation{size: size}
	if withHash {
		var err error
		if op.hash, err = newHash(size, mechanism.Param); err != nil {
			return nil, err
		}
	} else if len(mechanism.Param) != 0 {
		return nil, MechanismParamInvalid
	}
	return op, nil
}

// Kind is one of the operations that a session can have at once.
type Kind int

// The kinds.
const (
	Digest Kind = iota
	Sign
	Verify
)

func (s *session) operation(kind Kind) **operation {
	switch kind {
	case Sign:
		return &s.sign
	case Verify:
		return &s.verify
	}
	return &s.digest
}

// Update gives data to an operation.
func (m *Module) Update(handle uint, kind Kind, data []byte) error {
	s, _, err := m.session(handle)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	op := *s.operation(kind)
	if op == nil {
		return OperationNotInitialized
	}
	op.write(data)
	return nil
}

// Result ends a digest or a signature with the last data and writes the result to
// out, whose length it returns. With BufferTooSmall, or when out is nil, the
// operation goes on as if nothing had happened.
func (m *Module) Result(handle uint, kind Kind, data, out []byte) (int, error) {
	s, _, err := m.session(handle)
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	place := s.operation(kind)
	op := *place
	if op == nil {
		return 0, OperationNotInitialized
	}
	length := op.size
	if kind == Sign {
		length *= 2
	}
	if out == nil {
		return length, nil
	}
	if len(out) < length {
		return length, BufferTooSmall
	}
	*place = nil
	op.write(data)
	digest, err := op.sum()
	if err != nil {
		return 0, err
	}
	if kind == Digest {
		return copy(out, digest), nil
	}
	// A key of the session knows nothing of logins and cards.
	if op.token.Role() != soft.User || op.confirm {
		return 0, UserNotLoggedIn
	}
	sig, err := op.signer.Sign(nil, digest, nil)
	if err != nil {
		return 0, rv(err)
	}
	return copy(out, sig), nil
}

// Check ends a verification with the last data; the error is SignatureInvalid for a
// signature that is none.
func (m *Module) Check(handle uint, data, sig []byte) error {
	s, _, err := m.session(handle)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	op := s.verify
	if op == nil {
		return OperationNotInitialized
	}
	s.verify = nil
	op.write(data)
	digest, err := op.sum()
	switch {
	case err != nil:
		return err
	case len(sig) != 2*op.size:
		return SignatureLenRange
	case !op.public.Verify(digest, sig):
		return SignatureInvalid
	}
	return nil
}

// Derive agrees on a key with another public key, and returns the handle of the
// result: a secret key of the session.
func (m *Module) Derive(handle uint, mechanism Mechanism, base uint, attributes []Attribute) (uint, error) {
	if mechanism.Type != mechDerive && mechanism.Type != mechKEG {
		return 0, MechanismInvalid
	}
	t, err := newTemplate(attributes)
	if err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, slot, err := m.lockedSession(handle)
	if err != nil {
		return 0, err
	}
	o, err := slot.object(base)
	switch {
	case err != nil && slot.token.Role() != soft.User:
		return 0, UserNotLoggedIn
	case err != nil:
		return 0, KeyHandleInvalid
	case !o.privateKey():
		return 0, KeyTypeInconsistent
	case o.Usage&soft.Derive == 0:
		return 0, KeyFunctionNotPermitted
	}
	key, err := slot.signer(o)
	if err != nil {
		return 0, err
	}
	secret, err := agree(mechanism, o, key)
	if err != nil {
		return 0, err
	}
	derived := &object{session: handle, secret: secret}
	if err := t.secretKey(derived); err != nil {
		derived.wipe()
		return 0, err
	}
	return m.put(s, slot, derived)
}

// agree computes what a mechanism of key agreement gives.
func agree(mechanism Mechanism, o *object, key signer) (*secretKey, error) {
	a := mechanism.Agreement
	if mechanism.Type == mechDerive {
		a = parseAgreement(mechanism.Param)
	}
	if a == nil {
		return nil, MechanismParamInvalid
	}
	curve, err := gost3410.CurveByParamSet(o.ParamSet)
	if err != nil {
		return nil, KeyHandleInvalid
	}
	peer, err := gost3410.NewPublicKey(curve, a.Public)
	if err != nil {
		return nil, MechanismParamInvalid
	}
	secret := &secretKey{mechanism: mechanism.Type, keyType: keyGOST28147, extractable: true}
	switch {
	case mechanism.Type == mechKEG && a.KDF == kdfNull && len(a.UKM) == vko.HashSize:
		secret.keyType = keyMagmaTwin
		secret.value, err = vko.KEG(key, peer, a.UKM)
	case mechanism.Type == mechDerive && a.KDF == kdfNull:
		secret.value, err = vko.VKO256(key, peer, a.UKM)
	case mechanism.Type == mechDerive && a.KDF == kdf4357 && len(a.UKM) == 8:
		var kek []byte
		if kek, err = vko.VKO256(key, peer, a.UKM); err == nil {
			diversified := gost28147.Diversify(gost28147.TC26Z(), kek, a.UKM)
			clear(kek)
			secret.value = diversified[:]
		}
	default:
		return nil, MechanismParamInvalid
	}
	if err != nil {
		return nil, rv(err)
	}
	return secret, nil
}

// parseAgreement reads the flat parameter of CKM_GOSTR3410_12_DERIVE: the function,
// the length of the public key, the public key, the length of the UKM, the UKM. It
// returns nil for any other.
func parseAgreement(param []byte) *Agreement {
	ulong := func() (uint, bool) {
		if len(param) < ulongSize {
			return 0, false
		}
		n, ok := readUlong(param[:ulongSize])
		param = param[ulongSize:]
		return n, ok
	}
	var a Agreement
	var n uint
	var ok bool
	if a.KDF, ok = ulong(); !ok {
		return nil
	}
	if n, ok = ulong(); !ok || n > uint(len(param)) {
		return nil
	}
	a.Public, param = param[:n], param[n:]
	if n, ok = ulong(); !ok || n != uint(len(param)) || n == 0 {
		return nil
	}
	a.UKM = param
	return &a
}

// secretKey fills in what a template says of a derived key.
func (t template) secretKey(o *object) error {
	o.Label, o.ID = string(t.take(attrLabel)), t.take(attrID)
	var err error
	if o.secret.sensitive, err = t.flag(attrSensitive, false); err != nil {
		return err
	}
	if o.secret.extractable, err = t.flag(attrExtractable, true); err != nil {
		return err
	}
	if o.secret.keyType, err = t.ulong(attrKeyType, o.secret.keyType); err != nil {
		return err
	}
	switch o.secret.keyType {
	case keyGeneric, keyMagmaTwin, keyMagmaTwin - 1: // Kuznyechik twin
	case keyGOST28147:
		if len(o.secret.value) != 32 {
			return TemplateInconsistent
		}
	default:
		return TemplateInconsistent
	}
	// What a key of this module is for, is to be read: it does no encryption.
	for _, typ := range []uint{attrEncrypt, attrDecrypt, attrWrap, attrUnwrap, attrDerive, attrSign, attrVerify, attrGOST28147Params} {
		t.take(typ)
	}
	return t.fits(o)
}
