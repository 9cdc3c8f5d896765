package certs

import (
	"context"
	"time"
)

// Load reads a Snapshot: all of it, or nothing and an error that carries a
// reason code ([reason.Of]). The moment now is the time of loading: by it
// revocation lists are fresh or stale; give the moment in question to look at an
// archive as of that day.
//
// Reading stops when ctx is done.
func Load(ctx context.Context, src Source, now time.Time) (*Snapshot, error) {
	panic("TODO")
}
