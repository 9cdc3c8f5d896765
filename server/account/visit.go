package account

import (
	"time"

	"propusk/pki/person"
	"propusk/server/level"
)

// Visit is the session of one browser on the public host.
type Visit struct {
	// Key is the SHA-256 of the cookie, which nobody else has.
	Key [32]byte
	// Public names the visit in lists, and SID in tokens and logout tokens. Neither opens
	// anything. They stay when Key is replaced.
	Public, SID string
	Account     ID
	// Level is how strongly the person has proven who he is, AMR how (RFC 8176), and AuthTime
	// when.
	Level    level.Level
	AMR      []string
	AuthTime time.Time
	// PasswordAt and KeyAt are when each way was last used; zero if it was not.
	PasswordAt, KeyAt time.Time
	// Proofs are all ways in which the person has proven who he is during the visit, at most
	// one of each level; Level, AMR and AuthTime are the strongest of them.
	Proofs []level.Proof
	// CertSHA256 is the certificate of KeyAt.
	CertSHA256 [32]byte
	// Taxpayer is the ID of the active one (BY-09).
	Taxpayer string
	// Began is when the visit did, Seen when its browser was last heard of, and Until when it
	// ends: nobody gets anything by it from then on.
	Began, Seen, Until time.Time
	// Address and Device are where it came from, for the person to recognise.
	Address, Device person.Private
	// Clients are the client_ids that the visit has signed in to: they are told when it ends.
	Clients []string
}

// CheckRun is a result of the environment check page, by the code that its person tells the
// support.
type CheckRun struct {
	Code             string
	Created, Expires time.Time
	// Data is the result in the JSON of its owner.
	Data []byte
}
