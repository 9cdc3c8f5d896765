// Package account is what the gateway keeps about people: accounts, taxpayers, passwords,
// factors, keys, visits and what hangs on them (DOMAIN 1, requirements IP, PW, GU and BY).
//
// The types are plain values. They are kept by package store, which copies them on the way
// in and out: whoever holds one may change it, and nothing changes until it is put back.
// Times are kept to the microsecond, in UTC. What tells something about a person is of a
// type that prints masked.
package account

import (
	"crypto/rand"
	"encoding/hex"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
)

// ID names an account. It is random and tells nothing about the person, so it may stand in
// logs. The zero value names none.
type ID string

// idSize is the length of an ID, in bytes before they are written in hexadecimal.
const idSize = 16

// NewID returns a random ID.
func NewID() ID { return ID(NewName()) }

// NewName returns a random name of 32 hexadecimal digits, for whatever needs one that tells
// nothing and that nobody guesses: visits in lists, factors, evidence, letters.
func NewName() string {
	var raw [idSize]byte
	rand.Read(raw[:])
	return hex.EncodeToString(raw[:])
}

// State is what an account may do. The zero value is none, and lets nobody in.
type State string

// The states of accounts.
const (
	// Active accounts are used.
	Active State = "active"
	// Awaiting accounts wait for the link of the activation letter (IP-19).
	Awaiting State = "awaiting-activation"
	// Pending accounts wait for an operator who compares the data by hand (IP-07).
	Pending State = "pending-check"
	// Rejected accounts were refused by that operator.
	Rejected State = "rejected"
	// Blocked accounts are locked: by their person (IP-30), by an operator, or because
	// the first password was not changed in time (PW-02). Why tells which.
	Blocked State = "blocked"
	// Compromised accounts have lost all their keys to others (IP-31): a new certificate
	// or an operator opens them again.
	Compromised State = "compromised-all"
	// Closed accounts are given up for ever, at the wish of the person (PW-08).
	Closed State = "closed"
)

// Known reports whether s is one of the states.
func (s State) Known() bool {
	switch s {
	case Active, Awaiting, Pending, Rejected, Blocked, Compromised, Closed:
		return true
	}
	return false
}

// Origins of accounts.
const (
	// ByCertificate is registration with a qualified certificate (IP-10).
	ByCertificate = "certificate"
	// ByCard is registration by an operator, with a registration card (PW-01).
	ByCard = "card"
	// ByDemo is an account of a demo country.
	ByDemo = "demo"
)

// Account is a natural person, known by his ИНН of 12 digits, which no two accounts share.
type Account struct {
	ID ID
	// Identity is the first that was proven: the claim sub is computed from it, whatever
	// taxpayer is active later. It always has an ИНН. The name is the newest that was proven.
	Identity person.Identity
	// Taxpayers are those for whom the person may act (BY-09).
	Taxpayers []Taxpayer
	State     State
	// Why is the reason of a State other than Active; empty when there is none to tell.
	Why reason.Code
	// Email is where letters go, once EmailConfirmed is set.
	Email          person.Email
	EmailConfirmed time.Time
	Phone          person.Private
	// CodeWord is the hash of the word that recovery asks for (GU-11); empty if none was set.
	CodeWord string
	// Language is "ru" or "en": that of letters.
	Language   string
	Registered time.Time
	// Origin is ByCertificate, ByCard or ByDemo.
	Origin string
	// ActivateBy is when an Awaiting account is forgotten, or zero.
	ActivateBy time.Time
	// Closed is when the person ceased to be an entrepreneur (IP-29); zero if he is one, or
	// never was.
	Closed time.Time
	// KeysLost is when the person said last that others have all his keys (IP-31), or zero.
	KeysLost  time.Time
	LastVisit time.Time
	// Version counts changes. It must be as it was read when the account is put back.
	Version uint64
}

// Taxpayer returns the taxpayer with the given ID, and false if the account has none.
func (a *Account) Taxpayer(id string) (Taxpayer, bool) {
	for _, t := range a.Taxpayers {
		if t.ID == id {
			return t, true
		}
	}
	return Taxpayer{}, false
}

// Taxpayer is one capacity in which a person acts (BY-09): himself, an entrepreneur, the head
// of a legal entity.
type Taxpayer struct {
	// ID names the taxpayer within its account, and tells nothing.
	ID     string
	Kind   person.Kind
	INN    person.INN
	OGRNIP person.OGRNIP
	INNLE  person.INNLE
	OGRN   person.OGRN
	Name   person.Name
}

// Same reports whether t and other are one taxpayer, whatever their IDs and names: the same
// kind and numbers.
func (t Taxpayer) Same(other Taxpayer) bool {
	return t.Kind == other.Kind && t.INN == other.INN && t.OGRNIP == other.OGRNIP && t.INNLE == other.INNLE && t.OGRN == other.OGRN
}

// TaxpayerOf returns the taxpayer that a certificate with this identity proves, with an ID of
// its own.
func TaxpayerOf(who person.Identity) Taxpayer {
	t := Taxpayer{ID: NewName(), Kind: who.Kind, INN: who.INN, OGRNIP: who.OGRNIP, INNLE: who.INNLE, OGRN: who.OGRN, Name: who.Name}
	if who.Kind == person.LegalEntity && !who.Organization.IsZero() {
		t.Name = who.Organization
	}
	return t
}
