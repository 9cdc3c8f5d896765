package config

import "slices"

// Verification says what computes signatures of GOST R 34.10 when they are verified.
// 63-ФЗ, ст. 11, п. 3 asks for a tool whose conformity is confirmed, which this program
// is not, and a token or HSM may be.
type Verification struct {
	// Engine is "go", this program; "pkcs11", a module; or "both", which must agree.
	Engine string `yaml:"engine"`

	// Module is the PKCS#11 library, and Token the label or serial number of the token in
	// it; empty is the only one.
	Module string `yaml:"module"`
	Token  string `yaml:"token"`

	// PINFile holds the PIN of the token, if it verifies nothing without. Empty: no login.
	PINFile string `yaml:"pin_file"`

	// Sessions is how many signatures the module verifies at once.
	Sessions int `yaml:"sessions"`

	// WhenLost is "refuse": while the module does not answer nothing passes; or
	// "fallback": this program answers alone, and verdicts say so.
	WhenLost string `yaml:"when_lost"`
}

// The words of Verification.
const (
	engineGo     = "go"
	enginePKCS11 = "pkcs11"
	engineBoth   = "both"

	whenLostRefuse   = "refuse"
	whenLostFallback = "fallback"
)

// maxEngineSessions bounds the sessions with a module.
const maxEngineSessions = 64

// defaultVerification returns the values of fields that a file leaves out.
func defaultVerification() Verification {
	return Verification{Engine: engineGo, Sessions: 2, WhenLost: whenLostRefuse}
}

// softTokens begins a module that is a directory of soft tokens.
const softTokens = "soft:"

// External reports whether a module computes.
func (v Verification) External() bool { return v.Engine != engineGo }

// Both reports whether this program computes as well, and has to agree.
func (v Verification) Both() bool { return v.Engine == engineBoth }

// Fallback reports whether this program answers alone while the module does not.
func (v Verification) Fallback() bool { return v.WhenLost == whenLostFallback }

// verification checks the part.
func (k *checker) verification(v Verification) {
	k.that(slices.Contains([]string{engineGo, enginePKCS11, engineBoth}, v.Engine), "verification.engine", "must be go, pkcs11 or both")
	k.that(v.WhenLost == whenLostRefuse || v.WhenLost == whenLostFallback, "verification.when_lost", "must be refuse or fallback")
	k.that(v.Sessions >= 1 && v.Sessions <= maxEngineSessions, "verification.sessions", "must be from 1 to 64")
	k.that(!v.External() || v.Module != "", "verification.module", "must be set for this engine")
	k.that(v.External() || v.Module == "" && v.Token == "" && v.PINFile == "", "verification.module", "is of no use: verification.engine is go")
}
