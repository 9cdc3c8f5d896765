package cryptoki

import "fmt"

// RV is a return value of PKCS#11 (CK_RV). As an error it says its name; OK is never
// returned as an error.
type RV uint

// Return values of PKCS#11 v2.40, Section 5.1.
const (
	OK                         RV = 0x000
	HostMemory                 RV = 0x002
	SlotIDInvalid              RV = 0x003
	GeneralError               RV = 0x005
	FunctionFailed             RV = 0x006
	ArgumentsBad               RV = 0x007
	NoEvent                    RV = 0x008
	CantLock                   RV = 0x00A
	AttributeReadOnly          RV = 0x010
	AttributeSensitive         RV = 0x011
	AttributeTypeInvalid       RV = 0x012
	AttributeValueInvalid      RV = 0x013
	DataInvalid                RV = 0x020
	DataLenRange               RV = 0x021
	DeviceMemory               RV = 0x031
	DeviceRemoved              RV = 0x032
	FunctionCanceled           RV = 0x050
	FunctionNotParallel        RV = 0x051
	FunctionNotSupported       RV = 0x054
	KeyHandleInvalid           RV = 0x060
	KeySizeRange               RV = 0x062
	KeyTypeInconsistent        RV = 0x063
	KeyFunctionNotPermitted    RV = 0x068
	MechanismInvalid           RV = 0x070
	MechanismParamInvalid      RV = 0x071
	ObjectHandleInvalid        RV = 0x082
	OperationActive            RV = 0x090
	OperationNotInitialized    RV = 0x091
	PINIncorrect               RV = 0x0A0
	PINInvalid                 RV = 0x0A1
	PINLenRange                RV = 0x0A2
	PINExpired                 RV = 0x0A3
	PINLocked                  RV = 0x0A4
	SessionClosed              RV = 0x0B0
	SessionCount               RV = 0x0B1
	SessionHandleInvalid       RV = 0x0B3
	SessionParallelUnsupported RV = 0x0B4
	SessionReadOnly            RV = 0x0B5
	SessionExists              RV = 0x0B6
	SessionReadOnlyExists      RV = 0x0B7
	SessionReadWriteSOExists   RV = 0x0B8
	SignatureInvalid           RV = 0x0C0
	SignatureLenRange          RV = 0x0C1
	TemplateIncomplete         RV = 0x0D0
	TemplateInconsistent       RV = 0x0D1
	TokenNotPresent            RV = 0x0E0
	TokenNotRecognized         RV = 0x0E1
	UserAlreadyLoggedIn        RV = 0x100
	UserNotLoggedIn            RV = 0x101
	UserPINNotInitialized      RV = 0x102
	UserTypeInvalid            RV = 0x103
	UserAnotherAlreadyLoggedIn RV = 0x104
	RandomSeedNotSupported     RV = 0x120
	BufferTooSmall             RV = 0x150
	NotInitialized             RV = 0x190
	AlreadyInitialized         RV = 0x191
)

// Error implements error.
func (r RV) Error() string { return fmt.Sprintf("cryptoki: CKR 0x%03x", uint(r)) }

// unavailable is CK_UNAVAILABLE_INFORMATION, in every size of CK_ULONG.
const unavailable = ^uint(0)

// Classes of objects (CKO).
const (
	classData        = 0
	classCertificate = 1
	classPublicKey   = 2
	classPrivateKey  = 3
	classSecretKey   = 4
)

// vendor is the base of the numbers of TC26: CKK, CKM and CKA each count from it.
const vendor = 0xD4321000

// Key types (CKK).
const (
	keyGeneric   = 0x10
	keyGOST256   = 0x30
	keyGOST512   = vendor + 0x003
	keyGOST28147 = 0x32
	keyMagmaTwin = vendor + 0x007
)

// Mechanisms (CKM).
const (
	mechKeyPairGen256 = 0x1200
	mechSign256       = 0x1201
	mechKeyPairGen512 = vendor + 0x005
	mechSign512       = vendor + 0x006
	mechDerive        = vendor + 0x007
	mechHashSign256   = vendor + 0x008
	mechHashSign512   = vendor + 0x009
	mechDigest256     = vendor + 0x012
	mechDigest512     = vendor + 0x013
	mechKEG           = vendor + 0x039

	// KEG is CKM_GOST_KEG, whose parameter has pointers in it: see [Mechanism].
	KEG = mechKEG
)

// Key derivation functions (CKD).
const (
	kdfNull = 1
	kdf4357 = vendor + 0x025
)

// Attributes (CKA).
const (
	attrClass             = 0x000
	attrToken             = 0x001
	attrPrivate           = 0x002
	attrLabel             = 0x003
	attrApplication       = 0x010
	attrValue             = 0x011
	attrObjectID          = 0x012
	attrCertificateType   = 0x080
	attrIssuer            = 0x081
	attrSerialNumber      = 0x082
	attrTrusted           = 0x086
	attrCategory          = 0x087
	attrKeyType           = 0x100
	attrSubject           = 0x101
	attrID                = 0x102
	attrSensitive         = 0x103
	attrEncrypt           = 0x104
	attrDecrypt           = 0x105
	attrWrap              = 0x106
	attrUnwrap            = 0x107
	attrSign              = 0x108
	attrSignRecover       = 0x109
	attrVerify            = 0x10A
	attrVerifyRecover     = 0x10B
	attrDerive            = 0x10C
	attrStartDate         = 0x110
	attrEndDate           = 0x111
	attrValueLen          = 0x161
	attrExtractable       = 0x162
	attrLocal             = 0x163
	attrNeverExtractable  = 0x164
	attrAlwaysSensitive   = 0x165
	attrKeyGenMechanism   = 0x166
	attrModifiable        = 0x170
	attrCopyable          = 0x171
	attrDestroyable       = 0x172
	attrAlwaysAuth        = 0x202
	attrWrapWithTrusted   = 0x210
	attrGOSTR3410Params   = 0x250
	attrGOSTR3411Params   = 0x251
	attrGOST28147Params   = 0x252
	attrGOSTR3410Params12 = vendor + 0x004 // CKA_GOSTR3410_512PARAMS of JaCarta
)

// Flags of slots, tokens, sessions and mechanisms (CKF).
const (
	flagTokenPresent = 0x01
	flagRemovable    = 0x02

	flagRNG              = 0x00000001
	flagLoginRequired    = 0x00000004
	flagUserPINSet       = 0x00000008
	flagTokenInitialized = 0x00000400
	flagUserPINCountLow  = 0x00010000
	flagUserPINFinalTry  = 0x00020000
	flagUserPINLocked    = 0x00040000
	flagUserPINToChange  = 0x00080000
	flagSOPINCountLow    = 0x00100000
	flagSOPINFinalTry    = 0x00200000
	flagSOPINLocked      = 0x00400000

	flagSessionRW     = 0x2
	flagSessionSerial = 0x4

	flagDigest   = 0x00000400
	flagSign     = 0x00000800
	flagVerify   = 0x00002000
	flagGenerate = 0x00010000
	flagDerive   = 0x00080000

	// DontBlock is CKF_DONT_BLOCK of C_WaitForSlotEvent.
	DontBlock = 1
)

// States of a session (CKS).
const (
	stateROPublic = iota
	stateROUser
	stateRWPublic
	stateRWUser
	stateRWSO
)
