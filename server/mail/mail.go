// Package mail writes the letters of the gateway and hands them to an SMTP server.
//
// A [Composer] writes a letter; who calls it puts the letter into the store in the
// transaction of what the letter tells about, so that neither is ever without the
// other. A [Sender] takes letters out of the store and delivers them (RFC 5321), each at
// least once: a letter that was accepted in the moment before a crash is sent again
// under the same Message-ID.
//
// Letters hold nothing that a stranger could have typed: no names, no subjects of other
// people. Whoever registers a foreign address cannot make the gateway send his words.
package mail

import (
	"time"

	"propusk/pki/person"
	"propusk/server/account"
)

// The kinds of letters: [account.Letter.Kind].
const (
	KindActivation      = "activation"
	KindRegistered      = "registered"
	KindEmailChange     = "email-change"
	KindEmailChanged    = "email-changed"
	KindPasswordChanged = "password-changed"
	KindSecurityChanged = "security-changed"
	KindCode            = "code"
	KindRecovery        = "recovery"
	KindNewKey          = "new-key"
	KindNewDevice       = "new-device"
	KindBlocked         = "blocked"
	KindKeyCompromised  = "key-compromised"
	KindCardIssued      = "card-issued"
	KindPendingCheck    = "pending-check"
	KindCheckResult     = "check-result"
	KindTicketOpened    = "ticket-opened"
	KindTicketAnswered  = "ticket-answered"
)

// Composer writes letters. It is a plain value, safe for several goroutines.
type Composer struct {
	// Gateway is the name that people know the gateway by.
	Gateway string

	// URL is the public host, "https://host[:port]": links to its own pages begin with it.
	URL string

	// Support is where the technical support is: an address of a page or "mailto:…".
	// Empty: letters do not mention it.
	Support string
}

// To is who a letter goes to.
type To struct {
	Email person.Email

	// Language is "ru" or "en"; anything else is Russian.
	Language string

	// Account is whose letter it is; empty for people without one.
	Account account.ID
}

// Device is what is known of the browser that something was done with.
type Device struct {
	At      time.Time
	Address person.Private // of the network, as the journal keeps it
	Name    person.Private // «Chromium, Linux»
}

// Activation is the letter with the link that confirms an e-mail address and brings an
// account to life (IP-19).
type Activation struct {
	// Link is the whole address, the one-time code included.
	Link string
	// Until is when the link ends.
	Until time.Time
}

// Registered says that an account lives and the agreement is in force (IP-28).
type Registered struct {
	At time.Time
	// Agreement is the number of the evidence under which the agreement is kept; empty
	// for people without one.
	Agreement string
}

// EmailChange is the letter to a new address, with the link that confirms it (IP-06).
type EmailChange struct {
	Link  string
	Until time.Time
}

// EmailChanged is the letter to the old address.
type EmailChanged struct{ Device Device }

// PasswordChanged says that a password was set (FL-06).
type PasswordChanged struct{ Device Device }

// Change is what was changed of the ways to prove who one is.
type Change string

// The changes that SecurityChanged tells of.
const (
	// ApplicationOn is an application with codes, with fresh recovery codes; those before it
	// are void.
	ApplicationOn Change = "application-on"
	// ApplicationOff takes the application away, and the recovery codes.
	ApplicationOff Change = "application-off"
	EmailCodesOn   Change = "email-codes-on"
	EmailCodesOff  Change = "email-codes-off"
	// RecoveryCodesNew makes the older ones void.
	RecoveryCodesNew Change = "recovery-codes-new"
	CodeWordSet      Change = "code-word-set"
	CodeWordChanged  Change = "code-word-changed"
)

// SecurityChanged says that a second factor or the code word was added, removed or made anew.
type SecurityChanged struct {
	Device Device
	What   Change
}

// Code is a one-time code by e-mail: the second factor, or the confirmation of a change
// of the account (GU-12).
type Code struct {
	// Code is as the person types it: digits.
	Code  string
	Until time.Time
	// Change is true if the code confirms a change of the account, false if it is for
	// a sign-in.
	Change bool
}

// Recovery is the link that lets a person set a new password (FL-04, GU-11).
type Recovery struct {
	Link  string
	Until time.Time
}

// NewKey says that another certificate opens the account (IP-24).
type NewKey struct {
	Device Device
	// SHA256 is the fingerprint of the certificate.
	SHA256   [32]byte
	NotAfter time.Time
}

// NewDevice says that somebody signed in from a browser that was not seen before (GU-04).
type NewDevice struct {
	Device Device
	// Key is true for a sign-in with a key, false for one with a password.
	Key bool
}

// Blocked says that an account is blocked.
type Blocked struct {
	At time.Time
	// BySelf is true if the person blocked it (IP-30).
	BySelf bool
	// Card is true if the first password was not changed in time (PW-02).
	Card bool
}

// KeyCompromised says that a certificate no longer opens the account, on the word of the
// person (IP-31).
type KeyCompromised struct {
	Device Device
	SHA256 [32]byte
}

// CardIssued is the letter about a registration card (PW-02, PW-08).
type CardIssued struct {
	// Login is the ИНН.
	Login person.INN
	// Password is the first password; empty if it was given to the person in the office.
	Password string
	// Elsewhere says that the letter goes to an address that the account has no more.
	Elsewhere bool
	// From is when login and password become active (PW-04).
	From time.Time
	// Until is when the account is blocked unless the password was changed (PW-02).
	Until time.Time
}

// PendingCheck says that somebody looks at the registration (IP-04, IP-07).
type PendingCheck struct{}

// CheckResult says how the manual check of a registration ended.
type CheckResult struct {
	Approved bool
}

// TicketOpened confirms a request to the support (SP-05, GU-15).
type TicketOpened struct {
	// Number is how the person and the support call it.
	Number string
	// Until is by when an answer comes: two working days (SP-05).
	Until time.Time
}

// TicketAnswered is an answer of the support.
type TicketAnswered struct {
	Number string
	// Answer is the text of the operator.
	Answer string
	// Closed is true if the request is over with it.
	Closed bool
}

// Activation writes the letter; at is now.
func (c Composer) Activation(to To, at time.Time, d Activation) account.Letter {
	return c.write(KindActivation, to, at, d.Until, d)
}

// Registered writes the letter; at is now.
func (c Composer) Registered(to To, at time.Time, d Registered) account.Letter {
	return c.write(KindRegistered, to, at, time.Time{}, d)
}

// EmailChange writes the letter; to is the new address, at is now.
func (c Composer) EmailChange(to To, at time.Time, d EmailChange) account.Letter {
	return c.write(KindEmailChange, to, at, d.Until, d)
}

// EmailChanged writes the letter; to is the old address, at is now.
func (c Composer) EmailChanged(to To, at time.Time, d EmailChanged) account.Letter {
	return c.write(KindEmailChanged, to, at, time.Time{}, d)
}

// PasswordChanged writes the letter; at is now.
func (c Composer) PasswordChanged(to To, at time.Time, d PasswordChanged) account.Letter {
	return c.write(KindPasswordChanged, to, at, time.Time{}, d)
}

// SecurityChanged writes the letter; at is now.
func (c Composer) SecurityChanged(to To, at time.Time, d SecurityChanged) account.Letter {
	return c.write(KindSecurityChanged, to, at, time.Time{}, d)
}

// Code writes the letter; at is now.
func (c Composer) Code(to To, at time.Time, d Code) account.Letter {
	return c.write(KindCode, to, at, d.Until, d)
}

// Recovery writes the letter; at is now.
func (c Composer) Recovery(to To, at time.Time, d Recovery) account.Letter {
	return c.write(KindRecovery, to, at, d.Until, d)
}

// NewKey writes the letter; at is now.
func (c Composer) NewKey(to To, at time.Time, d NewKey) account.Letter {
	return c.write(KindNewKey, to, at, time.Time{}, d)
}

// NewDevice writes the letter; at is now.
func (c Composer) NewDevice(to To, at time.Time, d NewDevice) account.Letter {
	return c.write(KindNewDevice, to, at, time.Time{}, d)
}

// Blocked writes the letter; at is now.
func (c Composer) Blocked(to To, at time.Time, d Blocked) account.Letter {
	return c.write(KindBlocked, to, at, time.Time{}, d)
}

// KeyCompromised writes the letter; at is now.
func (c Composer) KeyCompromised(to To, at time.Time, d KeyCompromised) account.Letter {
	return c.write(KindKeyCompromised, to, at, time.Time{}, d)
}

// CardIssued writes the letter; at is now.
func (c Composer) CardIssued(to To, at time.Time, d CardIssued) account.Letter {
	return c.write(KindCardIssued, to, at, time.Time{}, d)
}

// PendingCheck writes the letter; at is now.
func (c Composer) PendingCheck(to To, at time.Time, d PendingCheck) account.Letter {
	return c.write(KindPendingCheck, to, at, time.Time{}, d)
}

// CheckResult writes the letter; at is now.
func (c Composer) CheckResult(to To, at time.Time, d CheckResult) account.Letter {
	return c.write(KindCheckResult, to, at, time.Time{}, d)
}

// TicketOpened writes the letter; at is now.
func (c Composer) TicketOpened(to To, at time.Time, d TicketOpened) account.Letter {
	return c.write(KindTicketOpened, to, at, time.Time{}, d)
}

// TicketAnswered writes the letter; at is now.
func (c Composer) TicketAnswered(to To, at time.Time, d TicketAnswered) account.Letter {
	return c.write(KindTicketAnswered, to, at, time.Time{}, d)
}
