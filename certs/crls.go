package certs

import (
	"context"
	"slices"
	"time"

	"propusk/pki/crl"
	"propusk/pki/der"
	"propusk/pki/gostx509"
	"propusk/pki/path"
	"propusk/pki/reason"
)

// revocationList is a good list of a Snapshot.
type revocationList struct {
	path   string
	key    string                // its place, see [crlKey]
	issuer *gostx509.Certificate // the CA certificate that verifies it
	list   *crl.List
}

// fresh reports whether the list is within its dates.
func (r revocationList) fresh(now time.Time) bool { return freshList(r.list, now) }

func freshList(list *crl.List, now time.Time) bool {
	next := list.NextUpdate()
	return !next.IsZero() && now.Before(next)
}

// readCRLs parses the revocation lists and checks each under the CA of the
// snapshot that issued it.
func (l *loader) readCRLs(ctx context.Context) error {
	for _, in := range l.of(RoleCRL) {
		if err := l.read(ctx, in); err != nil {
			return err
		}
		good, err := l.readCRL(in)
		in.data = nil // there are hundreds
		switch {
		case err == nil:
			l.crls = append(l.crls, good)
		case !in.mayBeBad():
			return err
		case in.fetched && reason.Of(err) == reason.TrustCRLIssuerUnknown:
			// Its CA has left the trust data; it may come back.
		default:
			l.quarantined = append(l.quarantined, Quarantined{Path: in.Path, Code: reason.Of(err), Err: err})
		}
	}
	l.dropBelowFloor()
	return nil
}

// dropBelowFloor sets lists aside where a newer one of the same place was accepted
// before and is gone: what it said about revocation must not be forgotten.
func (l *loader) dropBelowFloor() {
	best := newest(l.crls)
	l.crls = slices.DeleteFunc(l.crls, func(r revocationList) bool {
		err := l.belowFloor(r, best)
		if err != nil {
			l.quarantined = append(l.quarantined, Quarantined{Path: r.path, Code: reason.Of(err), Err: err})
		}
		return err != nil
	})
}

// belowFloor says which newer list there was, nil if none is missing. Of a complete list
// that may be a delta list as well: without it, what it revoked would be good again.
func (l *loader) belowFloor(r revocationList, best map[string]revocationList) error {
	is := best[r.key].list.ThisUpdate()
	if was := l.floor.CRLs[r.key]; is.Before(was) {
		return reason.Errorf(reason.TrustCRLRollback, "%s: issued %s, and a list of %s was accepted before", r.path,
			r.list.ThisUpdate().Format(time.RFC3339), was.Format(time.RFC3339))
	}
	if r.list.Delta() {
		return nil
	}
	changes := placeOf(r.issuer, r.list.Scope(), true)
	if d, ok := best[changes]; ok && d.list.ThisUpdate().After(is) {
		is = d.list.ThisUpdate()
	}
	if was := l.floor.CRLs[changes]; is.Before(was) {
		return reason.Errorf(reason.TrustCRLMissing, "%s: issued %s, and a delta list of %s that was accepted before is not in the files", r.path,
			r.list.ThisUpdate().Format(time.RFC3339), was.Format(time.RFC3339))
	}
	return nil
}

// readCRL parses one list, finds its issuer and checks signature and dates, as far
// as that was not done before.
func (l *loader) readCRL(in *input) (revocationList, error) {
	if in.err != nil {
		return revocationList{}, in.err
	}
	k := in.known
	if k.crl == nil && k.crlErr == nil {
		k.crl, k.crlErr = parseCRL(in.data)
	}
	if k.crlErr != nil {
		return revocationList{}, within(reason.CRLMalformed, in.Path, k.crlErr)
	}
	if k.under != l.authorities {
		k.issuer, k.issuerErr = l.issuerOf(k.crl)
		k.under = l.authorities
	}
	if k.issuerErr != nil {
		return revocationList{}, within(reason.CRLSignatureBad, in.Path, k.issuerErr)
	}
	if err := notFuture(k.crl, l.now); err != nil {
		return revocationList{}, within(reason.TrustCRLFuture, in.Path, err)
	}
	return revocationList{path: in.Path, key: crlKey(k.issuer, k.crl), issuer: k.issuer, list: k.crl}, nil
}

// parseCRL reads a list that can be used.
func parseCRL(data []byte) (*crl.List, error) {
	raw, err := decodeCRL(data)
	if err != nil {
		return nil, reason.New(reason.CRLMalformed, err)
	}
	list, err := crl.Parse(raw)
	if err != nil {
		return nil, err
	}
	if err := list.Unusable(); err != nil {
		return nil, reason.New(reason.CRLUnsupported, err)
	}
	return list, nil
}

// notFuture refuses a list that was issued later than clocks can differ.
func notFuture(list *crl.List, now time.Time) error {
	if list.ThisUpdate().After(now.Add(crl.ClockSkew)) {
		return reason.Errorf(reason.TrustCRLFuture, "issued %s", list.ThisUpdate().Format(time.RFC3339))
	}
	return nil
}

// decodeCRL takes DER as it is, of any length that was read, and PEM with exactly
// one list.
func decodeCRL(data []byte) ([]byte, error) {
	if len(data) > 0 && data[0] == byte(der.TagSequence) {
		return data, nil
	}
	return der.Decode(data, "X509 CRL")
}

// indexCAs makes the CAs of the snapshot findable by their subject, by their key and
// by their thumbprint.
func (a *authorities) indexCAs() {
	a.bySubject = make(map[string][]*gostx509.Certificate)
	a.keys = make(map[string]time.Time)
	a.byThumbprint = make(map[[20]byte]*gostx509.Certificate)
	for _, pool := range []*path.Pool{a.roots, a.intermediates} {
		for _, c := range pool.Certificates() {
			a.bySubject[string(c.RawSubject)] = append(a.bySubject[string(c.RawSubject)], c)
			a.byThumbprint[c.SHA1()] = c
			if id := string(c.SubjectKeyID); c.NotAfter.After(a.keys[id]) {
				a.keys[id] = c.NotAfter
			}
		}
	}
}

// issuerOf returns the CA whose key verifies the list, trying all that have its
// name: names of CAs are not unique.
func (a *authorities) issuerOf(list *crl.List) (*gostx509.Certificate, error) {
	failure := reason.Errorf(reason.TrustCRLIssuerUnknown, "no CA of the trust data has issued this list")
	for _, c := range a.bySubject[string(list.RawIssuer())] {
		err := list.CheckSignature(c)
		if err == nil {
			return c, nil
		}
		failure = reason.New(reason.CRLSignatureBad, err)
	}
	return nil, failure
}

// crlSet indexes the good lists for the validator.
func (l *loader) crlSet() *crl.Set {
	lists := make([]*crl.List, 0, len(l.crls))
	for _, r := range l.crls {
		lists = append(lists, r.list)
	}
	return crl.NewSet(lists...)
}
