// Package factor keeps second factors (GU-01, GU-02): codes of an application (TOTP, RFC
// 6238), recovery codes on paper, and codes by e-mail. Each code is good once.
//
// Methods work within a transaction of the caller, who counts attempts (package throttle)
// and decides what a right code is good for. Nothing here writes letters or the journal.
package factor

import (
	"time"

	"propusk/server/account"
	"propusk/server/store"
)

// Options is what a Keeper needs.
type Options struct {
	// Sealer seals secrets and keys the digests of codes.
	Sealer *account.Sealer
	// Issuer is what applications call the gateway, such as "Propusk".
	Issuer string
	// Now returns the time.
	Now func() time.Time
	// CodeLife is how long a code by e-mail is good; zero is 10 minutes.
	CodeLife time.Duration
}

// Keeper keeps factors. It is safe for concurrent use. Make it with New.
type Keeper struct{ opts Options }

// New returns a Keeper.
func New(o Options) *Keeper {
	if o.CodeLife <= 0 {
		o.CodeLife = 10 * time.Minute
	}
	return &Keeper{o}
}

// Set is what an account has.
type Set struct {
	// TOTP is whether there is an application, Email whether codes by e-mail were asked for.
	TOTP, Email bool
	// Recovery is how many recovery codes are left.
	Recovery int
}

// Any reports whether a sign-in by password needs a second factor.
func (s Set) Any() bool { return s.TOTP || s.Email }

// Of returns what an account has.
func (k *Keeper) Of(tx store.Tx, id account.ID) (Set, error) { return Set{}, nil }

// Enrolment is what a person needs to teach an application the secret.
type Enrolment struct {
	// Secret is in base 32, in groups of four, to be typed.
	Secret string
	// URI is "otpauth://totp/…", and PNG a picture of it (QR code).
	URI string
	PNG []byte
}

// Propose makes a new secret, which counts for nothing until Confirm; a secret that was
// proposed before is forgotten. Label is what the application shows under the issuer.
func (k *Keeper) Propose(tx store.Tx, id account.ID, label string) (Enrolment, error) {
	return Enrolment{}, nil
}

// Proposed returns the enrolment that waits to be confirmed, to be shown again;
// [store.ErrNotFound] if there is none.
func (k *Keeper) Proposed(tx store.Tx, id account.ID, label string) (Enrolment, error) {
	return Enrolment{}, nil
}

// Confirm makes the proposed application count, instead of an older one, if the code is one
// of its codes, and returns fresh recovery codes, to be shown this once. [ErrWrong] means
// that the code is not.
func (k *Keeper) Confirm(tx store.Tx, id account.ID, code string) (recovery []string, err error) {
	return nil, nil
}

// RemoveTOTP forgets the application and the recovery codes.
func (k *Keeper) RemoveTOTP(tx store.Tx, id account.ID) error { return nil }

// NewRecovery returns fresh recovery codes, to be shown this once; the old ones are void.
func (k *Keeper) NewRecovery(tx store.Tx, id account.ID) ([]string, error) { return nil, nil }

// SetEmail says whether sign-ins by password need a code by e-mail when there is no
// application.
func (k *Keeper) SetEmail(tx store.Tx, id account.ID, on bool) error { return nil }

// TOTP uses up a code of the application. [ErrWrong] means that it is none, or was used.
func (k *Keeper) TOTP(tx store.Tx, id account.ID, code string) error { return nil }

// Recovery uses up a recovery code. [ErrWrong] means that it is none, or was used.
func (k *Keeper) Recovery(tx store.Tx, id account.ID, code string) error { return nil }

// EmailCode returns a fresh code of 8 digits for a purpose and for what owner names, such as
// a sign-in that waits; the older one is void.
func (k *Keeper) EmailCode(tx store.Tx, id account.ID, purpose, owner string) (code string, until time.Time, err error) {
	return "", time.Time{}, nil
}

// CheckEmailCode uses up a code by e-mail. [ErrWrong] means that it is none, was used, has
// expired, or was tried in vain five times: a code is void then.
func (k *Keeper) CheckEmailCode(tx store.Tx, id account.ID, purpose, owner, code string) error {
	return nil
}
