package tokens

import (
	"errors"
	"fmt"

	"propusk/pki/reason"
)

// library is the part of PKCS #11 that we use: as it is in this process, in a child, or
// soft tokens. What is not sure about threads is called by one goroutine at a time,
// which [Module] sees to.
type library interface {
	info() (Info, error)
	slots() ([]uint, error) // with a token inside
	token(slot uint) (tokenInfo, error)
	mechanisms(slot uint) ([]Mechanism, error)
	open(slot uint, writable bool) (session uint, err error)
	state(session uint) (uint, error)               // CK_STATE
	login(session uint, who user, pin []byte) error // nil: on the PIN pad
	logout(session uint) error
	shut(session uint) error // ends the session
	find(session uint, template []attribute) (objects []uint, err error)
	attribute(session, object, kind uint) ([]byte, error) // nil, nil if the object has none
	sign(session uint, m mechanism, key uint, data []byte) ([]byte, error)
	// signPIN enters the PIN of signatures, nil: on the PIN pad, between C_SignInit and
	// C_Sign.
	signPIN(session uint, m mechanism, key uint, data, pin []byte) ([]byte, error)
	// verify returns rvSignature or rvSignatureSize for one that is wrong.
	verify(session uint, m mechanism, key uint, data, signature []byte) error
	create(session uint, template []attribute) (object uint, err error)
	destroy(session, object uint) error
	derive(session uint, m mechanism, key uint, template []attribute) (object uint, err error)
	generate(session uint, m mechanism, public, private []attribute) (publicKey, privateKey uint, err error)
	close() error
}

// user is a CK_USER_TYPE.
type user uint

// The users whose PINs we enter.
const (
	userOrdinary user = 1
	userContext  user = 2 // CKU_CONTEXT_SPECIFIC: for the next signature
)

// States of a session in which the user is logged in.
const (
	stateUserReading uint = 1
	stateUserWriting uint = 3
)

// mechanism is a CK_MECHANISM.
type mechanism struct {
	kind      uint
	parameter []byte // as it is in memory, without pointers
	// agreement is the parameter instead where that is a CK_ECDH1_DERIVE_PARAMS, which
	// has pointers; nil elsewhere.
	agreement *agreement
}

// agreement is CK_ECDH1_DERIVE_PARAMS.
type agreement struct {
	kdf            uint
	shared, public []byte
}

// attribute is one CK_ATTRIBUTE to look for.
type attribute struct {
	kind  uint
	value []byte
}

// Numbers of PKCS #11 v2.40 and of the block of TC26, which miekg/pkcs11 lacks. Public
// headers of the vendors agree about the latter.
const (
	classCertificate = 1
	classPublicKey   = 2
	classPrivateKey  = 3
	classSecretKey   = 4

	attrClass      = 0x000
	attrToken      = 0x001
	attrLabel      = 0x003
	attrValue      = 0x011
	attrKeyType    = 0x100
	attrID         = 0x102
	attrSensitive  = 0x103
	attrVerify     = 0x10A
	attrExtract    = 0x162
	attrAlwaysAsk  = 0x202
	attrGOSTParams = 0x250
	attrGOSTDigest = 0x251
	// attrGOSTParams512 is what JaCarta has for keys of 512 bits, where others have
	// attrGOSTParams.
	attrGOSTParams512 = tc26 | 0x004

	tc26       = 0xD4321000
	keyGOST256 = 0x030
	keyGOST512 = tc26 | 0x003

	// The mechanisms that sign a digest, computed by us: those that hash as well do not
	// agree about their parameters, and a card hashes slowly.
	signGOST256 = 0x1201
	signGOST512 = tc26 | 0x006
)

// rv is a return value of PKCS #11 other than CKR_OK.
type rv uint

// Error implements error.
func (r rv) Error() string { return fmt.Sprintf("PKCS#11 returned 0x%08X", uint(r)) }

// Return values that have a meaning of their own for people (PKCS #11 v3.0, 5.1).
const (
	rvSlotInvalid    rv = 0x003
	rvUnsupported    rv = 0x054
	rvDeviceRemoved  rv = 0x032
	rvFuncCancelled  rv = 0x050
	rvKeyHandle      rv = 0x060
	rvKeyKind        rv = 0x063
	rvNotPermitted   rv = 0x068
	rvMechanism      rv = 0x070
	rvObjectHandle   rv = 0x082
	rvPINIncorrect   rv = 0x0A0
	rvPINInvalid     rv = 0x0A1
	rvPINLenRange    rv = 0x0A2
	rvPINExpired     rv = 0x0A3
	rvPINLocked      rv = 0x0A4
	rvSessionClosed  rv = 0x0B0
	rvSessionCount   rv = 0x0B1
	rvSessionInvalid rv = 0x0B3
	rvSignature      rv = 0x0C0
	rvSignatureSize  rv = 0x0C1
	rvTokenAbsent    rv = 0x0E0
	rvTokenUnknown   rv = 0x0E1
	rvAlreadyIn      rv = 0x100
	rvNotIn          rv = 0x101
	rvPINUnset       rv = 0x102
	rvCancelled      rv = 0x200
)

// errGone is a token that is no longer there.
var errGone = reason.New(reason.TokenRemoved, nil)

// Is makes the return values of a missing token equal to errGone.
func (r rv) Is(target error) bool { return target == error(errGone) && r.code() == reason.TokenRemoved }

// code is what a return value means.
func (r rv) code() reason.Code {
	switch r {
	case rvPINIncorrect, rvPINInvalid, rvPINLenRange:
		return reason.TokenPINWrong
	case rvPINLocked:
		return reason.TokenPINLocked
	case rvPINExpired:
		return reason.TokenPINChange
	case rvPINUnset:
		return reason.TokenPINUnset
	case rvFuncCancelled, rvCancelled:
		return reason.TokenCancelled
	case rvSlotInvalid, rvDeviceRemoved, rvSessionClosed, rvSessionInvalid, rvTokenAbsent, rvTokenUnknown:
		return reason.TokenRemoved
	case rvNotIn:
		return reason.TokenSessionLost
	case rvUnsupported, rvMechanism, rvKeyKind, rvNotPermitted:
		return reason.TokenUnsupported
	default:
		return reason.TokenFailed
	}
}

// refused gives an error of the library its reason, unless it has one.
func refused(err error) error {
	if _, ok := errors.AsType[*reason.Error](err); ok {
		return err
	}
	if r, ok := errors.AsType[rv](err); ok {
		return reason.New(r.code(), r)
	}
	return err
}
