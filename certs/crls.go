package certs

import (
	"context"
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
	issuer [32]byte // fingerprint of the CA certificate that verifies it
	list   *crl.List
}

// fresh reports whether the list is within its dates.
func (r revocationList) fresh(now time.Time) bool {
	next := r.list.NextUpdate()
	return !next.IsZero() && now.Before(next)
}

// readCRLs parses the revocation lists and checks each under the CA of the
// snapshot that issued it.
func (l *loader) readCRLs(ctx context.Context) error {
	l.indexCAs()
	for _, in := range l.of(RoleCRL) {
		if err := ctx.Err(); err != nil {
			return err
		}
		good, err := l.readCRL(in)
		switch {
		case err == nil:
			l.crls = append(l.crls, good)
		case in.explicit:
			return err
		default:
			l.quarantined = append(l.quarantined, Quarantined{Path: in.Path, Code: reason.Of(err), Err: err})
		}
	}
	return nil
}

// readCRL parses one list, finds its issuer and checks signature and dates.
func (l *loader) readCRL(in *input) (revocationList, error) {
	if in.err != nil {
		return revocationList{}, in.err
	}
	raw, err := decodeCRL(in.data)
	if err != nil {
		return revocationList{}, within(reason.CRLMalformed, in.Path, err)
	}
	list, err := crl.Parse(raw)
	if err != nil {
		return revocationList{}, within(reason.CRLMalformed, in.Path, err)
	}
	if err := list.Unusable(); err != nil {
		return revocationList{}, within(reason.CRLUnsupported, in.Path, err)
	}
	issuer, err := l.issuerOf(list)
	if err != nil {
		return revocationList{}, within(reason.CRLSignatureBad, in.Path, err)
	}
	if list.ThisUpdate().After(l.now.Add(crl.ClockSkew)) {
		return revocationList{}, reason.Errorf(reason.TrustCRLFuture, "%s: issued %s", in.Path, list.ThisUpdate().Format(time.RFC3339))
	}
	return revocationList{path: in.Path, issuer: issuer.SHA256(), list: list}, nil
}

// decodeCRL takes DER as it is, of any length that was read, and PEM with exactly
// one list.
func decodeCRL(data []byte) ([]byte, error) {
	if data[0] == byte(der.TagSequence) {
		return data, nil
	}
	return der.Decode(data, "X509 CRL")
}

// indexCAs makes the CAs of the snapshot findable by their subject.
func (l *loader) indexCAs() {
	l.bySubject = make(map[string][]*gostx509.Certificate)
	for _, pool := range []*path.Pool{l.roots, l.intermediates} {
		for _, c := range pool.Certificates() {
			l.bySubject[string(c.RawSubject)] = append(l.bySubject[string(c.RawSubject)], c)
		}
	}
}

// issuerOf returns the CA whose key verifies the list, trying all that have its
// name: names of CAs are not unique.
func (l *loader) issuerOf(list *crl.List) (*gostx509.Certificate, error) {
	failure := reason.Errorf(reason.TrustCRLIssuerUnknown, "no CA of the trust data has issued this list")
	for _, c := range l.bySubject[string(list.RawIssuer())] {
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
