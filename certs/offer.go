package certs

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"os"
	"slices"
	"time"

	"propusk/pki/crl"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/tsl"
)

// maxListAhead is how far in the future the date of an offered list of accredited
// CAs may lie. «Дата» may be a day without a zone. One dated later would put
// everything out of force until that day.
const maxListAhead = 24 * time.Hour

// OfferTSL takes a list of accredited CAs that was fetched into the state
// directory, if it is signed by a pinned signer and not older than what was
// accepted before. It is in force after the next Reload. Changed is false if it
// is the one that is there already. Offering needs no snapshot in force.
//
// An error carries a reason code, and nothing has changed.
func (s *Store) OfferTSL(ctx context.Context, doc []byte) (changed bool, err error) {
	st := state{s.src.State}
	if st.dir == "" {
		return false, reason.Errorf(reason.TrustStateUnwritable, "no state directory was named")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := sha256.Sum256(doc)
	if s.holds(st.path(tslFile), sum) && s.inForce(s.memory.files[st.path(tslFile)].list) {
		return false, nil
	}
	signers, err := s.signers(ctx)
	if err != nil {
		return false, err
	}
	list, err := tsl.Verify(doc, signers...)
	if err != nil {
		return false, within(reason.TSLMalformed, "fetched list", err)
	}
	now := s.now()
	if list.Date().Sub(now) > maxListAhead {
		return false, reason.Errorf(reason.TrustListFuture, "version %d is of %s", list.Version(), list.Date().Format(time.RFC3339))
	}
	newer, err := s.newerTSL(list)
	if err != nil || !newer && !s.lost(st.path(tslFile), sum) {
		return false, err
	}
	if err := st.write(tslFile, doc); err != nil {
		return false, err
	}
	s.remember(st.path(tslFile), &known{
		File: File{Role: RoleTSL, Path: st.path(tslFile), SHA256: sum, Size: len(doc)},
		list: list, signers: fingerprintsOf(signers),
	})
	return true, nil
}

// holds reports whether a file says what it said when it had this hash, as far as can
// be seen without reading it.
func (s *Store) holds(path string, sum [32]byte) bool {
	k := s.memory.files[path]
	if k == nil || k.SHA256 != sum {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && k.info != nil && same(k.info, info)
}

// lost reports whether a file had this hash and has it no more: somebody has damaged
// or removed it, and the same data put it right.
func (s *Store) lost(path string, sum [32]byte) bool {
	k := s.memory.files[path]
	return k != nil && k.SHA256 == sum && !s.holds(path, sum)
}

// inForce reports whether the snapshot in force has this very list.
func (s *Store) inForce(list *tsl.List) bool {
	return list != nil && s.current.Load().trust.Accredited == list
}

// signers returns who may sign the list, by the files of the operator alone.
func (s *Store) signers(ctx context.Context) ([]*gostx509.Certificate, error) {
	src := s.src
	src.State = ""
	l, err := newLoader(src, s.now(), &memory{files: s.memory.files, facts: s.memory.facts})
	if err != nil {
		return nil, err
	}
	l.inputs = slices.DeleteFunc(l.inputs, func(in input) bool { return in.Role == RoleTSL || in.Role == RoleCRL })
	for _, step := range []func(context.Context) error{l.open, l.readPins, l.readRoots} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return l.signers()
}

// newerTSL compares a verified list with what was accepted before: the list in
// force, the one that waits in the state directory, and the floor.
func (s *Store) newerTSL(list *tsl.List) (bool, error) {
	was, _ := s.current.Load().TSLVersion()
	st := state{s.src.State}
	if f, err := st.readFloor(); err == nil {
		was = max(was, f.TSLVersion)
	}
	if k := s.memory.files[st.path(tslFile)]; k != nil && k.list != nil {
		was = max(was, k.list.Version())
	}
	switch {
	case list.Version() < was:
		return false, reason.Errorf(reason.TrustListRollback, "version %d was accepted before, and the list that was fetched is of version %d", was, list.Version())
	case list.Version() > was:
		return true, nil
	}
	// The same version: needed only if none of it is at hand.
	return s.current.Load().trust.Accredited == nil, nil
}

// remember notes what a file that was just written says.
func (s *Store) remember(path string, k *known) {
	info, err := os.Stat(path)
	if err != nil {
		return // the next load will see
	}
	k.info = info // not settled: the next load compares the contents
	if s.memory.files == nil {
		s.memory.files = make(map[string]*known)
	}
	s.memory.files[path] = k
}

// Wanted says which revocation list was asked for. The zero value takes any.
type Wanted struct {
	// KeyID is the subject key identifier of the CA; empty means any.
	KeyID []byte
	// Issuer is the DER of the name of the CA; empty means any.
	Issuer []byte
}

// Offered is what an offered revocation list is.
type Offered struct {
	// Changed is false if a list as new as this one was there already.
	Changed bool
	// ThisUpdate and NextUpdate are those of the list.
	ThisUpdate, NextUpdate time.Time
	// Freshest are the addresses of delta lists.
	Freshest []string
}

// OfferCRL takes a revocation list that was fetched, DER or PEM, into the state
// directory: if a CA of the snapshot in force signed it, it is of the CA that was
// wanted, complete, within its dates, and not older than what was accepted before.
// It is in force after the next Reload.
//
// An error carries a reason code, and nothing has changed: the last good list
// stays.
func (s *Store) OfferCRL(data []byte, want Wanted) (Offered, error) {
	st := state{s.src.State}
	if st.dir == "" {
		return Offered{}, reason.Errorf(reason.TrustStateUnwritable, "no state directory was named")
	}
	snap, now := s.current.Load(), s.now()
	if snap.authorities == nil {
		return Offered{}, reason.Errorf(reason.TrustDataAbsent, "no snapshot has been loaded")
	}
	raw, list, issuer, err := s.checkOffered(snap, data, want, now)
	if err != nil {
		return Offered{}, err
	}
	out := Offered{ThisUpdate: list.ThisUpdate(), NextUpdate: list.NextUpdate(), Freshest: list.FreshestCRL()}
	key := crlKey(issuer, list)
	name := st.crlFile(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := sha256.Sum256(raw)
	newer, err := s.newerCRL(snap, key, list)
	if err != nil || !newer && !s.lost(st.path(name), sum) {
		return out, err
	}
	if !exists(st.dir, name) && st.full() {
		return out, reason.Errorf(reason.TrustTooManyFiles, "%d fetched revocation lists are kept, and no more", maxStateCRLs)
	}
	if err := st.write(name, raw); err != nil {
		return out, err
	}
	s.remember(st.path(name), &known{
		File: File{Role: RoleCRL, Path: st.path(name), SHA256: sum, Size: len(raw)},
		crl:  list, issuer: issuer, under: snap.authorities,
	})
	out.Changed = true
	return out, nil
}

// checkOffered reads a list and says what is wrong with it by itself.
func (s *Store) checkOffered(snap *Snapshot, data []byte, want Wanted, now time.Time) ([]byte, *crl.List, *gostx509.Certificate, error) {
	list, err := parseCRL(data)
	if err != nil {
		return nil, nil, nil, err
	}
	issuer, err := snap.authorities.issuerOf(list)
	if err != nil {
		return nil, nil, nil, err
	}
	switch {
	case len(want.KeyID) > 0 && !bytes.Equal(want.KeyID, issuer.SubjectKeyID),
		len(want.Issuer) > 0 && !bytes.Equal(want.Issuer, issuer.RawSubject):
		return nil, nil, nil, reason.Errorf(reason.CRLIssuerMismatch, "the list is good, but of another CA than the one whose list was wanted")
	case !freshList(list, now):
		return nil, nil, nil, reason.Errorf(reason.TrustCRLExpired, "the next list was due %s", list.NextUpdate().Format(time.RFC3339))
	}
	if err := notFuture(list, now); err != nil {
		return nil, nil, nil, err
	}
	raw, err := decodeCRL(data)
	return raw, list, issuer, err
}

// newerCRL compares a good list with what was accepted before in its place: what is
// in force, what waits in the state directory, and the floor.
func (s *Store) newerCRL(snap *Snapshot, key string, list *crl.List) (bool, error) {
	st := state{s.src.State}
	var was *crl.List
	if k := s.memory.files[st.path(st.crlFile(key))]; k != nil && k.crl != nil && k.issuerErr == nil {
		was = k.crl
	}
	if r, ok := newest(snap.crls)[key]; ok && (was == nil || was.ThisUpdate().Before(r.list.ThisUpdate())) {
		was = r.list
	}
	if was == nil {
		f, err := st.readFloor()
		if at := f.CRLs[key]; err == nil && list.ThisUpdate().Before(at) {
			return false, rollback(list, at)
		}
		return true, nil
	}
	switch list.ThisUpdate().Compare(was.ThisUpdate()) {
	case -1:
		return false, rollback(list, was.ThisUpdate())
	case +1:
		return true, nil
	}
	return laterNumber(list.Number(), was.Number()), nil
}

func rollback(list *crl.List, was time.Time) error {
	return reason.Errorf(reason.TrustCRLRollback, "issued %s, and the list that was accepted before was issued %s",
		list.ThisUpdate().Format(time.RFC3339), was.Format(time.RFC3339))
}

// laterNumber compares CRL numbers, which are not negative (RFC 5280, Section
// 5.2.3).
func laterNumber(a, b []byte) bool {
	a, b = bytes.TrimLeft(a, "\x00"), bytes.TrimLeft(b, "\x00")
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c > 0
	}
	return bytes.Compare(a, b) > 0
}
