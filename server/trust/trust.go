// Package trust hands out the trust snapshot in force and says whether it is
// fresh enough to let anybody in.
package trust

import (
	"time"

	"propusk/certs"
	"propusk/pki/reason"
	"propusk/pki/revocation"
	"propusk/pki/sigalg"
	"propusk/pki/validate"
)

// Guard watches the age of trust data. Store and Now must be set; the zero MaxAge
// lets nobody in. It is safe for concurrent use.
type Guard struct {
	// Store holds the snapshot in force.
	Store *certs.Store
	// MaxAge is how old the list of accredited CAs may be, by its own date.
	MaxAge time.Duration
	// Now returns the time.
	Now func() time.Time
	// Judged is told every certificate that is judged with the data; nil means
	// nobody is.
	Judged func(validate.Certificate)
	// Revocation says how evidence of revocation is judged and asked for.
	Revocation revocation.Policy
	// Engine says who computes signatures; nil is this program.
	Engine *sigalg.Choice
	// Online asks servers for it; nil means that none is asked.
	Online *revocation.Online
}

// maxAhead is how far in the future the date of a list may lie. «Дата» may be a day
// without an hour and without a zone; a list dated later than that would never
// grow old.
const maxAhead = 24 * time.Hour

// Current returns the snapshot in force, and why nobody may be let in by it: nil,
// [reason.TrustDataAbsent] without a snapshot or without a list of accredited
// CAs, [reason.TrustDataStale] with one that is old or dated in the future. The snapshot is never nil; one
// that was never loaded trusts nobody.
func (g Guard) Current() (*certs.Snapshot, error) {
	snap := g.Store.Current()
	list := snap.Trust().Accredited
	switch {
	case snap.ID() == "":
		return snap, reason.Errorf(reason.TrustDataAbsent, "no snapshot has been loaded")
	case list == nil:
		return snap, reason.Errorf(reason.TrustDataAbsent, "the snapshot has no list of accredited CAs")
	case g.Now().Sub(list.Date()) > g.MaxAge, list.Date().Sub(g.Now()) > maxAhead:
		return snap, reason.Errorf(reason.TrustDataStale, "the list of accredited CAs is of %s", list.Date().UTC().Format(time.RFC3339))
	}
	return snap, nil
}

// ForVerdicts returns the trust data to judge with. A stale list of accredited
// CAs is left out: what rests on it then stays undecided instead of passing.
func (g Guard) ForVerdicts() validate.Trust {
	snap, err := g.Current()
	t := g.Of(snap)
	if err != nil {
		t.Accredited = nil
	}
	return t
}

// Of returns the trust data of a snapshot, with Judged told of what they judge, and
// with Online and Engine to ask.
func (g Guard) Of(snap *certs.Snapshot) validate.Trust {
	t := snap.Trust()
	t.Judged, t.Online, t.Engine = g.Judged, g.Online, g.Engine
	return t
}

// Policy returns a policy that judges revocation as the operator wants it.
func (g Guard) Policy(p validate.Policy) validate.Policy {
	p.Revocation = g.Revocation
	return p
}
