package certs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
)

// A Store holds the Snapshot in force. Current costs one atomic load and may be
// called by any number of goroutines while Reload swaps; whoever took a Snapshot
// keeps working with it. Make it with [NewStore].
type Store struct {
	src     Source
	now     func() time.Time
	current atomic.Pointer[Snapshot]

	mu     sync.Mutex        // one Reload at a time
	seen   [sha256.Size]byte // fingerprint of the files that are in force
	memory memory
	swept  bool

	stateErr atomic.Pointer[error]
}

// NewStore returns a Store that reads src and asks now for the time. Nothing is
// read until Reload; until then Current returns a Snapshot that trusts nobody.
func NewStore(src Source, now func() time.Time) *Store {
	s := &Store{src: src, now: now}
	s.current.Store(new(Snapshot))
	return s
}

// Current returns the Snapshot in force. It is never nil; before the first
// successful Reload it trusts nobody and its ID is empty.
func (s *Store) Current() *Snapshot { return s.current.Load() }

// Reload reads the files again and puts the new Snapshot in force. On any error
// the previous one stays; the error carries a reason code ([reason.Of]).
//
// Beside what [Load] refuses, Reload refuses to know less than before: a list of
// accredited CAs that is absent or of a lower version, a revocation list older
// than the one in force, and the loss of a revocation list that is still fresh
// while its CA stays.
func (s *Store) Reload(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.swept {
		s.noteState(state{s.src.State}.sweep())
		s.swept = true
	}
	now, seen := s.now(), s.fingerprint()
	next, err := load(ctx, s.src, now, &s.memory)
	if err != nil {
		return err
	}
	if err := mayReplace(s.current.Load(), next, now); err != nil {
		return err
	}
	// The floor rises before anybody relies on the snapshot. If that fails, fresh
	// data are worth more than a floor after the next start.
	if s.src.State != "" {
		s.noteState(s.tidy(next, now))
	}
	s.current.Store(next)
	if s.seen = seen; next.waits() {
		s.seen = [sha256.Size]byte{}
	}
	return nil
}

// noteState remembers what is wrong with the state directory.
func (s *Store) noteState(err error) {
	if err != nil {
		err = reason.New(reason.TrustStateUnwritable, err)
	}
	s.stateErr.Store(&err)
}

// StateError says what was wrong with the state directory when it was last
// written, nil if nothing: then what is in force would be there after a restart.
func (s *Store) StateError() error {
	if err := s.stateErr.Load(); err != nil {
		return *err
	}
	return nil
}

// tidy writes down what has been accepted, and moves damaged files out of the way.
func (s *Store) tidy(next *Snapshot, now time.Time) error {
	st := state{s.src.State}
	errs := []error{st.raiseFloor(next.floor())}
	for _, q := range next.quarantined {
		// Those that are good and wait, for their time or for a delta list, stay.
		waits := q.Code == reason.TrustCRLFuture || q.Code == reason.TrustCRLMissing
		if strings.HasPrefix(q.Path, st.dir+string(filepath.Separator)) && q.Path != st.path(stateFloor) && !waits {
			errs = append(errs, st.setAside(q.Path))
		}
	}
	for path, k := range s.memory.files {
		if k.crl != nil && k.issuer == nil && strings.HasPrefix(path, st.path(stateCRLs)) && !freshList(k.crl, now) {
			errs = append(errs, os.Remove(path)) // its CA has left, and it is of no use any more
		}
	}
	return errors.Join(errs...)
}

// floor is what the snapshot has raised it to.
func (s *Snapshot) floor() floor {
	f := floor{CRLs: make(map[string]time.Time)}
	f.TSLVersion, _ = s.TSLVersion()
	for key, r := range newest(s.crls) {
		f.CRLs[key] = r.list.ThisUpdate()
	}
	return f
}

// waits reports whether the same files may give more at a later time.
func (s *Snapshot) waits() bool {
	return slices.ContainsFunc(s.quarantined, func(q Quarantined) bool { return q.Code == reason.TrustCRLFuture })
}

// mayReplace says why next may not take the place of current.
func mayReplace(current, next *Snapshot, now time.Time) error {
	if was, ok := current.TSLVersion(); ok {
		is, ok := next.TSLVersion()
		if !ok {
			return reason.Errorf(reason.TrustListMissing, "version %d is in force, and there is no list in the new files", was)
		}
		if is < was {
			return reason.Errorf(reason.TrustListRollback, "version %d is in force, and the new list is of version %d", was, is)
		}
	}
	return keepsRevocation(current, next, now)
}

// keepsRevocation compares, place by place, the newest lists of both snapshots.
func keepsRevocation(current, next *Snapshot, now time.Time) error {
	inForce, offered := newest(current.crls), newest(next.crls)
	for _, was := range current.crls { // in order, so that the same files always give the same answer
		if inForce[was.key] != was {
			continue
		}
		is, ok := offered[was.key]
		switch {
		case ok && is.list.ThisUpdate().Before(was.list.ThisUpdate()):
			return reason.Errorf(reason.TrustCRLRollback, "%s: issued %s, and the list in force was issued %s", is.path,
				is.list.ThisUpdate().Format(time.RFC3339), was.list.ThisUpdate().Format(time.RFC3339))
		case ok || !was.fresh(now) || !next.authorities.know(was.issuer):
			continue
		}
		for _, q := range next.quarantined {
			if q.Path == was.path {
				return q.Err
			}
		}
		return reason.Errorf(reason.TrustCRLMissing, "%s: this list is in force and fresh, and is not in the new files", was.path)
	}
	return nil
}

// newest returns the newest list of each place.
func newest(lists []revocationList) map[string]revocationList {
	best := make(map[string]revocationList, len(lists))
	for _, r := range lists {
		if b, ok := best[r.key]; !ok || b.list.ThisUpdate().Before(r.list.ThisUpdate()) {
			best[r.key] = r
		}
	}
	return best
}

// know reports whether a CA, by name and key, is among the authorities.
func (a *authorities) know(ca *gostx509.Certificate) bool {
	return slices.ContainsFunc(a.bySubject[string(ca.RawSubject)], func(c *gostx509.Certificate) bool {
		return bytes.Equal(c.RawSPKI, ca.RawSPKI)
	})
}

// Watch reloads at once unless the files are in force already, and then whenever
// they have changed, looking every interval, until ctx is done; then it returns
// the error of ctx. A failed attempt is repeated at the next look, because time
// alone may cure it. After an attempt Watch calls report with what Reload said,
// nil for success; the same failure again is not reported.
//
// It looks at names, sizes and times of modification only.
func (s *Store) Watch(ctx context.Context, interval time.Duration, report func(error)) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var last string // the failure that was reported
	for {
		if s.changed() {
			err := s.Reload(ctx)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err == nil || err.Error() != last {
				report(err)
			}
			if last = ""; err != nil {
				last = err.Error()
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// changed reports whether the files differ from those in force.
func (s *Store) changed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fingerprint() != s.seen
}

// fingerprint summarises names, sizes and times of the files. A source that
// cannot be listed has a fingerprint of its own.
func (s *Store) fingerprint() [sha256.Size]byte {
	h := sha256.New()
	inputs, err := s.src.inputs()
	if err != nil {
		return sha256.Sum256([]byte(err.Error()))
	}
	var b []byte
	for _, in := range inputs {
		info, err := os.Stat(in.Path)
		if err != nil {
			info = nil
		}
		b = append(b[:0], in.Role...)
		b = append(append(b, 0), in.Path...)
		b = append(b, 0)
		if info != nil {
			b = binary.BigEndian.AppendUint64(b, uint64(info.Size()))
			b = binary.BigEndian.AppendUint64(b, uint64(info.ModTime().UnixNano()))
		}
		h.Write(b)
	}
	return [sha256.Size]byte(h.Sum(nil))
}
