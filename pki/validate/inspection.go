package validate

import (
	"crypto/sha256"
	"slices"
	"time"

	"propusk/pki/cades"
	"propusk/pki/cms"
	"propusk/pki/crl"
	"propusk/pki/facts"
	"propusk/pki/gostx509"
	"propusk/pki/ocsp"
	"propusk/pki/reason"
	"propusk/pki/revocation"
	"propusk/pki/verdict"
)

// Limits on what is judged of one file. Each step costs what a signature does.
const (
	// maxStamps is the number of time-stamps.
	maxStamps = 64
	// maxCounterSignatures is the number of counter-signatures, and maxCounterDepth
	// how many of them may stand one over another.
	maxCounterSignatures = 64
	maxCounterDepth      = 4
	// maxHashed is how many bytes are hashed for time-stamps. Each archive
	// time-stamp is over the whole file.
	maxHashed = 1 << 29
	// maxCarried is the number of revocation lists and OCSP responses inside one
	// signature and its time-stamps.
	maxCarried = 256
)

// clockSkew is how far clocks may differ: that of the signer, those of the TSAs and
// ours.
const clockSkew = crl.ClockSkew

// inspection is the judgement of one file: what its signatures share. It is not
// safe for concurrent use.
type inspection struct {
	v       Validator
	file    *cms.SignedData
	content cms.Content
	certs   []*gostx509.Certificate // of the file and beside it
	at      time.Time               // the moment asked about
	now     time.Time               // when the judgement is made, at the earliest at

	beside *carried // what stands in the file for all signatures; nil until it is needed

	stamps   int // time-stamps that may still be judged
	counters int // counter-signatures that may still be judged
	hashed   int // bytes that may still be hashed for time-stamps
}

// inspect begins the judgement of a file; v is of [Validator.begin].
func (v Validator) inspect(file *cms.SignedData, content cms.Content, at time.Time, certs []*gostx509.Certificate) *inspection {
	f := &inspection{
		v: v, file: file, content: content, certs: certs, at: at, now: v.Now,
		stamps: maxStamps, counters: maxCounterSignatures, hashed: maxHashed,
	}
	if f.now.Before(at) { // no Now was given, or the question is about the future
		f.now = at
	}
	f.v.work = workPerSigner(len(file.Signers) + additions(file))
	return f
}

// additions returns how many attributes may hold something to judge.
func additions(file *cms.SignedData) int {
	n := 0
	for i := range file.Signers {
		n += len(file.Signers[i].UnsignedAttrs)
	}
	return n
}

// carried is what one signature brings along: certificates to build paths with and
// evidence of revocation, its own and that of its time-stamps. Nobody trusts it.
type carried struct {
	certs     []*gostx509.Certificate
	lists     []*crl.List
	responses []*ocsp.Response
	room      int // pieces of evidence that may still be read

	all revocation.Evidence // the evidence, with what the caller gave
}

// shared returns what stands in the file for all of its signatures. It is read once:
// there may be many signatures, and long lists.
func (f *inspection) shared() carried {
	if f.beside == nil {
		f.beside = &carried{certs: f.certs, room: maxCarried}
		f.beside.evidence(f.file.CRLs, f.file.OCSPResponses)
	}
	c := *f.beside
	c.certs, c.lists, c.responses = slices.Clip(c.certs), slices.Clip(c.lists), slices.Clip(c.responses)
	return c
}

// carry collects what a signature brings along.
func (f *inspection) carry(a cades.Attributes) carried {
	c := f.shared()
	c.certificates(f.v.Trust.Facts, a.Certificates)
	c.evidence(a.CRLs, a.Responses)
	for _, ts := range a.TimeStamps {
		if ts.Token == nil {
			continue
		}
		certs, _ := ts.Token.Signed.X509With(f.v.Trust.Facts)
		c.certs = append(c.certs, certs...)
		c.evidence(ts.Token.Signed.CRLs, ts.Token.Signed.OCSPResponses)
		if inner, err := cades.Of(&ts.Token.Signed.Signers[0], ts.Token.Signed); err == nil {
			c.certificates(f.v.Trust.Facts, inner.Certificates)
			c.evidence(inner.CRLs, inner.Responses)
		}
	}
	c.all = c.and(f.v.Evidence)
	return c
}

func (c *carried) certificates(known *facts.Memory, all [][]byte) {
	for _, raw := range all {
		if cert, err := known.Certificate(raw); err == nil {
			c.certs = append(c.certs, cert)
		}
	}
}

// evidence reads lists and responses. Those that cannot be read say nothing.
func (c *carried) evidence(lists, responses [][]byte) {
	for _, raw := range lists {
		if c.room--; c.room < 0 {
			return
		}
		if l, err := crl.Parse(raw); err == nil {
			c.lists = append(c.lists, l)
		}
	}
	for _, raw := range responses {
		if c.room--; c.room < 0 {
			return
		}
		if r, err := ocsp.Parse(raw); err == nil {
			c.responses = append(c.responses, r)
		}
	}
}

// and returns the evidence together with what there was before.
func (c *carried) and(e revocation.Evidence) revocation.Evidence {
	if len(c.responses) > 0 {
		e.Responses = slices.Concat(e.Responses, c.responses)
	}
	if len(c.lists) > 0 {
		lists := c.lists
		if e.CRLs != nil {
			lists = slices.Concat(e.CRLs.Lists(), lists)
		}
		e.CRLs = crl.NewSet(lists...)
	}
	return e
}

// proofs says since when things are proven to have existed, by the SHA-256 of their
// bytes. What is not there is proven to exist now, no more.
type proofs map[[sha256.Size]byte]time.Time

// add records that something existed at a time, and what is inside of it if it is a
// time-stamp.
func (p proofs) add(raw []byte, t time.Time) {
	key := sha256.Sum256(raw)
	if known, found := p[key]; !found || t.Before(known) {
		p[key] = t
	}
}

// since returns the earliest time at which something is proven to have existed, and
// false if there is no proof but that it is here.
func (p proofs) since(raw []byte) (time.Time, bool) {
	t, found := p[sha256.Sum256(raw)]
	return t, found
}

// ofResponse is since for an OCSP response; zero if there is no proof.
func (p proofs) ofResponse(r *ocsp.Response) time.Time {
	t, _ := p.since(r.Raw)
	return t
}

// addAll records everything that a time-stamp covers, and what is inside the
// time-stamps among it.
func (p proofs) addAll(covered [][]byte, stamps []cades.TimeStamp, t time.Time) {
	for _, raw := range covered {
		p.add(raw, t)
	}
	for _, ts := range stamps {
		if ts.Token == nil {
			continue
		}
		if since, found := p.since(ts.Raw); !found || !since.Equal(t) {
			continue
		}
		signed := ts.Token.Signed
		lists := [][][]byte{signed.Certificates, signed.CRLs, signed.OCSPResponses}
		if inner, err := cades.Of(&signed.Signers[0], signed); err == nil {
			lists = append(lists, inner.Certificates, inner.CRLs, inner.Responses)
		}
		for _, list := range lists {
			for _, raw := range list {
				p.add(raw, t)
			}
		}
	}
}

// checkEvidence checks that revocation data inside the file were made by somebody
// whose certificate was in force when the data are proven to have existed: whoever
// gets hold of an old key can write any list of the past (ETSI EN 319 102-1,
// 5.6.2.2). There is no check when nothing inside the file was used.
func (f *inspection) checkEvidence(c Certificate, p proofs, own carried) []verdict.Check {
	const cite = "ETSI EN 319 102-1, 5.6.2.2"
	var checks []verdict.Check
	for _, used := range c.Evidence {
		key, carried := own.find(used)
		if !carried {
			continue
		}
		since, proven := p[key]
		if !proven {
			since = f.now
		}
		check := verdict.Check{Name: CheckEvidence, Status: verdict.Passed, Cite: cite}
		for _, by := range []*gostx509.Certificate{used.Signer, used.Issuer} {
			if by != nil && by.NotAfter.Before(since) {
				check.Status, check.Reason = verdict.Indeterminate, reason.EvidenceNotProven
				check.Detail = "the certificate of the issuer expired on " + by.NotAfter.Format(time.RFC3339)
			}
		}
		checks = append(checks, check)
	}
	return checks
}

// find returns the key in proofs of a piece of evidence, and false if the file does
// not carry it.
func (c *carried) find(used revocation.Used) (key [sha256.Size]byte, carried bool) {
	for _, l := range c.lists {
		if l.SHA256() == used.SHA256 {
			return used.SHA256, true
		}
	}
	for _, r := range c.responses {
		if r.SHA256() == used.SHA256 {
			return sha256.Sum256(r.Raw), true
		}
	}
	return key, false
}
