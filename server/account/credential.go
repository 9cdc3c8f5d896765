package account

import (
	"time"

	"propusk/pki/person"
)

// Password is the password of an account; there is at most one.
type Password struct {
	Account ID
	// Hash is in PHC form, never the password.
	Hash string
	Set  time.Time
	// Expires is when it is good no more; zero is never.
	Expires time.Time
	// Initial passwords were given out by an operator and must be changed at the first
	// sign-in (PW-03).
	Initial bool
	// Spent is set when the time of an initial password was found to be over: what that does
	// to the account was done.
	Spent bool
}

// Kinds of factors.
const (
	// TOTP is a generator of codes in an application (RFC 6238).
	TOTP = "totp"
	// EmailCode is a code sent to the confirmed address.
	EmailCode = "email"
	// Recovery is a set of codes on paper, each good once.
	Recovery = "recovery"
)

// Factor is a second factor of an account.
type Factor struct {
	Account ID
	// ID names the factor, and tells nothing.
	ID string
	// Kind is TOTP, EmailCode or Recovery.
	Kind string
	// Sealed is what the factor needs to be checked: a secret sealed by [Sealer.Seal], or
	// hashes.
	Sealed []byte
	// Added is when the factor was proposed, and Confirmed when its first code was right;
	// zero until then, and the factor counts for nothing.
	Added, Confirmed time.Time
	LastUsed         time.Time
	// Counter is the last time step that was used up, or whatever the kind counts.
	Counter int64
}

// States of keys.
const (
	// GoodKey signs in.
	GoodKey = "good"
	// CompromisedKey is one that the person has lost to somebody else (IP-31). It never signs
	// in again, whatever its CA says.
	CompromisedKey = "compromised"
	// RemovedKey is one that the person does not use any more.
	RemovedKey = "removed"
)

// Key is a certificate bound to an account; it belongs to one account for ever.
type Key struct {
	SHA256   [32]byte // of the certificate in DER
	Account  ID
	DER      []byte // the certificate
	NotAfter time.Time
	Bound    time.Time
	LastUsed time.Time
	// State is GoodKey, CompromisedKey or RemovedKey, and Changed is since when; zero if it
	// always was.
	State   string
	Changed time.Time
	Kind    person.Kind
}

// Card is a registration card (PW-01): the login and first password that an operator issued.
// The password itself is on paper only.
type Card struct {
	// Number names the card.
	Number  string
	Account ID
	Issued  time.Time
	// Expires is by when the first password must have been changed (PW-02).
	Expires time.Time
	// Reason is why it was issued, and Delivery how it was handed over (PW-08).
	Reason, Delivery string
	// By is the operator, as the operating system calls him.
	By string
}

// Secret is something that is good once and not for long: a link of a letter, a code, a
// sign-in that waits for its second factor. Only the digest of what proves it is kept.
type Secret struct {
	// Digest is the SHA-256 of the link or code.
	Digest [32]byte
	// Purpose keeps apart what is used for different things.
	Purpose string
	// Account is whose it is; empty if there is no account yet.
	Account ID
	// Data is what its owner wants to find again.
	Data []byte
	// Created and Expires bound its life; at Expires it is good no more.
	Created, Expires time.Time
	// Tries is how often it was tried in vain, for owners who count.
	Tries int
}

// Evidence is what a person has signed for the gateway, such as the agreement (IP-14): text,
// signature, certificate and verdict. It is never changed, and outlives the account, under whose ID it stays.
type Evidence struct {
	ID      string
	Account ID
	// Kind is what was signed: "agreement".
	Kind string
	Text []byte
	// Signature is the CMS in DER, and Certificate the signer's in DER.
	Signature, Certificate []byte
	// Verdict is the verdict document, in JSON.
	Verdict []byte
	At      time.Time
}

// Counter counts attempts for throttles.
type Counter struct {
	// Key is what is counted. It must not be personal: digests of addresses and logins are
	// used.
	Key   string
	Count int64
	// Since is when counting began, and Until when the counter may be forgotten.
	Since, Until time.Time
}

// Purposes of secrets that let somebody into an account or take it over. Whoever makes void
// what was good before, with a new password or with a card, forgets them all ([Open]).
const (
	// ForSignIn is a sign-in whose password was right, and which waits for its next step.
	ForSignIn = "login-wait"
	// ForRecovery is a link for a new password.
	ForRecovery = "login-recovery"
	// ForEmail is a link for another address of e-mail.
	ForEmail = "email-change"
)

// ForRegistration is the purpose of a registration under way. Until its person goes on to the
// service it lets him in by the key that he has proven; whoever has signed in does not need it
// any more.
const ForRegistration = "registration"

// Open returns the purposes of the secrets that open an account.
func Open() []string { return []string{ForSignIn, ForRecovery, ForEmail} }
