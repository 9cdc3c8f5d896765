package config

import "slices"

// Journal is the journal of sign-ins, signatures and actions of operators.
type Journal struct {
	// Path is its file. Empty: there is none.
	Path string `yaml:"path"`

	// WhenLost is "refuse": what cannot be written does not happen, so nobody signs in or
	// signs while the disk is full; or "log": it happens, and the log says so.
	WhenLost string `yaml:"when_lost"`

	// Addresses is how much of people's addresses is kept: "full", "network" (24 bits of
	// IPv4, 48 of IPv6) or "none".
	Addresses string `yaml:"addresses"`
}

// whenLostLog is the other word of Journal.WhenLost.
const whenLostLog = "log"

func defaultJournal() Journal { return Journal{WhenLost: whenLostRefuse, Addresses: "full"} }

// Required reports whether nothing may happen that is not in the journal.
func (j Journal) Required() bool { return j.WhenLost == whenLostRefuse }

func (k *checker) journal(j Journal) {
	k.that(j.WhenLost == whenLostRefuse || j.WhenLost == whenLostLog, "journal.when_lost", "must be refuse or log")
	k.that(slices.Contains([]string{"full", "network", "none"}, j.Addresses), "journal.addresses", "must be full, network or none")
}
