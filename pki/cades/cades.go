// Package cades reads what is added to a CMS signature so that it can be judged
// later: time-stamps, references to certificates and revocation data, these data
// themselves, counter-signatures (CAdES: ETSI EN 319 122-1 and -2, ETSI TS 101 733;
// RFC 5126). It tells the level of a signature and computes what each time-stamp
// must be over.
//
// Nothing here is signed by the signer but the policy and the content time-stamp;
// anybody may have added or removed the rest. Whether a time-stamp proves anything
// is judged in package validate.
package cades

import (
	"bytes"
	"errors"
	"fmt"

	"propusk/pki/cms"
	"propusk/pki/der"
	"propusk/pki/reason"
	"propusk/pki/tsp"
)

// Limits on what is read of one signature.
const (
	// MaxTimeStamps is the number of time-stamps. Each costs a signature check and
	// a chain, and each archive time-stamp a pass over the whole file.
	MaxTimeStamps = 32

	// MaxCounterSignatures is the number of counter-signatures directly over one
	// signature. Each costs what a signature does.
	MaxCounterSignatures = 16

	// MaxReferences is the number of references to certificates, and of those to
	// revocation data.
	MaxReferences = 128

	// MaxValues is the number of certificates, of lists and of OCSP responses
	// inside.
	MaxValues = 64
)

// limits of the DER reader. Values are read by their own parsers.
var limits = der.Limits{Size: cms.MaxSize, Depth: 16, Elements: 1 << 14}

// Kind is a kind of time-stamp.
type Kind string

// The kinds. The words appear in verdict documents and stay as they are.
const (
	// ContentTimeStamp is over the document, made before the signature and signed
	// with it (EN 319 122-1, 5.2.8; RFC 5126, 5.11.4).
	ContentTimeStamp Kind = "content-time-stamp"
	// SignatureTimeStamp is over the value of the signature (5.3; 6.1.1).
	SignatureTimeStamp Kind = "signature-time-stamp"
	// ESCTimeStamp, CAdES-C-time-stamp, is over the signature, its time-stamps and
	// the references (A.1.5.2; 6.3.5).
	ESCTimeStamp Kind = "cades-c-time-stamp"
	// ReferencesTimeStamp is over the references alone (A.1.5.1; 6.3.6).
	ReferencesTimeStamp Kind = "time-stamped-certs-crls-references"
	// ArchiveV1 and ArchiveV2 are over the whole file as it stood (A.2.4, A.2.5;
	// 6.4.1).
	ArchiveV1 Kind = "archive-time-stamp"
	ArchiveV2 Kind = "archive-time-stamp-v2"
	// ArchiveV3 is over the signature and all that an index names (5.5.3).
	ArchiveV3 Kind = "archive-time-stamp-v3"
)

// IsArchive reports whether time-stamps of the kind protect earlier ones.
func (k Kind) IsArchive() bool { return k == ArchiveV1 || k == ArchiveV2 || k == ArchiveV3 }

// TimeStamp is one time-stamp of a signature.
type TimeStamp struct {
	Kind Kind
	// Raw is the TimeStampToken as it stands.
	Raw []byte
	// Token is the parsed token; nil if it could not be read.
	Token *tsp.Token
	// Err says why Token is nil: a *reason.Error.
	Err error

	attribute int // its place among the unsigned attributes; -1 if signed
}

// Unreadable is an attribute that could not be read.
type Unreadable struct {
	Type   der.OID
	Signed bool
	Err    error // a *reason.Error
}

// Attributes is what was added to one signature, and its policy. Slices point into
// the file; nothing may be modified. It is safe for concurrent use. The zero value
// is of no signature.
type Attributes struct {
	// Policy is the signature policy; nil if there is none.
	Policy *SignaturePolicy
	// TimeStamps are in the order of the file, the signed one first.
	TimeStamps []TimeStamp
	// CertificateRefs and RevocationRefs name what the signature was verified with.
	// They are nil if the attribute is absent, and may be empty if it is there.
	CertificateRefs []CertificateRef
	RevocationRefs  []RevocationRef
	// Certificates, CRLs and Responses are the values, in DER: X.509 certificates
	// and lists, BasicOCSPResponses. Nobody has looked at them.
	Certificates, CRLs, Responses [][]byte
	// CounterSignatures are those directly over the signature.
	CounterSignatures []*cms.Signer
	// Unreadable lists attributes of known types that could not be read; they count
	// as absent.
	Unreadable []Unreadable

	// HasCertificateValues and HasRevocationValues say which of the attributes with
	// values are there; an attribute may hold none.
	HasCertificateValues, HasRevocationValues bool

	signer *cms.Signer
	sd     *cms.SignedData
	over   []byte // the signature that a counter-signature is over; else nil

	// What the references were found to be; true where there are no values to look
	// among.
	certificatesFit, revocationFits bool
	// Values that are named by digests nobody can imitate.
	referredCertificates, referredRevocation [][]byte
}

// errCount means that a limit was exceeded.
var errCount = errors.New("cades: too many elements of a kind")

// errRepeated means that an attribute stands twice that may stand once.
var errRepeated = errors.New("cades: the attribute occurs twice")

// Signature returns the value of the signature.
func (a Attributes) Signature() []byte { return a.signer.Signature }

// OfCounter is [Of] for a counter-signature of a file, which is over the value of
// another signature: that is its document.
func OfCounter(s *cms.Signer, sd *cms.SignedData, over []byte) (Attributes, error) {
	return of(s, sd, over)
}

// Of reads the attributes of a signature of a file.
//
// An attribute that cannot be read is listed in Unreadable and does not hinder the
// others. An error is a *reason.Error with reason.SignatureTooLarge: more was added
// than is looked at, and what is returned is what the signer himself signed.
func Of(s *cms.Signer, sd *cms.SignedData) (Attributes, error) { return of(s, sd, nil) }

func of(s *cms.Signer, sd *cms.SignedData, over []byte) (Attributes, error) {
	p := reader{a: Attributes{signer: s, sd: sd, over: over}}
	for _, attr := range s.SignedAttrs {
		p.attribute(attr, -1)
	}
	own := p.a
	for i, attr := range s.UnsignedAttrs {
		p.attribute(attr, i)
	}
	if p.err != nil {
		own.match()
		return own, reason.New(reason.SignatureTooLarge, p.err)
	}
	p.a.match()
	return p.a, nil
}

// reader reads the attributes of one signature; err is about a limit.
type reader struct {
	a    Attributes
	seen []der.OID // of attributes that may occur once
	err  error
}

// attribute reads one attribute, if it is of a known type. Its place is -1 among
// the signed ones: those of the two sorts never stand for each other.
func (p *reader) attribute(attr cms.Attribute, place int) {
	var err error
	if place < 0 {
		err = p.signed(attr)
	} else {
		err = p.unsigned(attr, place)
	}
	switch {
	case err == nil:
	case errors.Is(err, errCount) && place >= 0:
		p.err = fmt.Errorf("attribute %s: %w", attr.Type, err)
	default:
		p.a.Unreadable = append(p.a.Unreadable, Unreadable{
			Type: attr.Type, Signed: place < 0, Err: reason.New(reason.AttributeUnreadable, err),
		})
	}
}

func (p *reader) signed(attr cms.Attribute) error {
	switch string(attr.Type) {
	case oidSignaturePolicy:
		policy, err := readPolicy(attr.Values)
		p.a.Policy = policy
		return err
	case oidContentTimeStamp:
		return p.timeStamps(ContentTimeStamp, attr, -1)
	default:
		return nil
	}
}

func (p *reader) unsigned(attr cms.Attribute, place int) error {
	if kind, ok := kindOf(attr.Type); ok {
		return p.timeStamps(kind, attr, place)
	}
	switch string(attr.Type) {
	case oidCounterSignature:
		return p.counterSignatures(attr.Values)
	case oidCertificateRefs, oidRevocationRefs, oidCertificateValues, oidRevocationValues:
		return p.single(attr)
	default:
		return nil
	}
}

// single reads an attribute that may occur once (RFC 5126, Sections 6.2.1, 6.2.2,
// 6.3.3 and 6.3.4). Of two, none counts: two readers may take different ones.
func (p *reader) single(attr cms.Attribute) error {
	for _, t := range p.seen {
		if bytes.Equal(t, attr.Type) {
			p.forget(attr.Type)
			return errRepeated
		}
	}
	p.seen = append(p.seen, attr.Type)
	var err error
	switch string(attr.Type) {
	case oidCertificateRefs:
		p.a.CertificateRefs, err = readAll(attr.Values, readCertificateRefs)
	case oidRevocationRefs:
		p.a.RevocationRefs, err = readAll(attr.Values, readRevocationRefs)
	case oidCertificateValues:
		err = p.certificateValues(attr.Values)
	default:
		err = p.revocationValues(attr.Values)
	}
	return err
}

// forget drops what an attribute said.
func (p *reader) forget(t der.OID) {
	switch string(t) {
	case oidCertificateRefs:
		p.a.CertificateRefs = nil
	case oidRevocationRefs:
		p.a.RevocationRefs = nil
	case oidCertificateValues:
		p.a.Certificates, p.a.HasCertificateValues = nil, false
	default:
		p.a.CRLs, p.a.Responses, p.a.HasRevocationValues = nil, nil, false
	}
}

// kindOf returns the kind of time-stamps in an unsigned attribute.
func kindOf(oid der.OID) (Kind, bool) {
	switch string(oid) {
	case oidSignatureTimeStamp:
		return SignatureTimeStamp, true
	case oidESCTimeStamp:
		return ESCTimeStamp, true
	case oidReferencesTimeStamp:
		return ReferencesTimeStamp, true
	case oidArchiveV1:
		return ArchiveV1, true
	case oidArchiveV2:
		return ArchiveV2, true
	case oidArchiveV3:
		return ArchiveV3, true
	default:
		return "", false
	}
}

// timeStamps reads the values of an attribute with time-stamps. A token that cannot
// be read is kept, with its error: the attribute is there and proves nothing.
func (p *reader) timeStamps(kind Kind, attr cms.Attribute, place int) error {
	values, err := elements(attr.Values, MaxTimeStamps)
	if errors.Is(err, der.ErrIndefinite) {
		values, err = [][]byte{attr.Values}, nil // one token in BER; it is read as such
	}
	if err != nil {
		return err
	}
	if len(p.a.TimeStamps)+len(values) > MaxTimeStamps {
		return errCount
	}
	for _, raw := range values {
		ts := TimeStamp{Kind: kind, Raw: raw, attribute: place}
		ts.Token, ts.Err = tsp.ParseToken(raw)
		if ts.Err != nil {
			ts.Token = nil
		}
		p.a.TimeStamps = append(p.a.TimeStamps, ts)
	}
	return nil
}

// counterSignatures reads Countersignature values: RFC 5652, Section 11.4.
func (p *reader) counterSignatures(values []byte) error {
	all, err := elements(values, MaxCounterSignatures)
	if err != nil {
		return err
	}
	if len(p.a.CounterSignatures)+len(all) > MaxCounterSignatures {
		return errCount
	}
	for _, raw := range all {
		s, err := cms.ParseSigner(raw)
		if err != nil {
			return err
		}
		p.a.CounterSignatures = append(p.a.CounterSignatures, s)
	}
	return nil
}

// elements splits the content of a SET or SEQUENCE; there must be one at least.
func elements(values []byte, limit int) ([][]byte, error) {
	var d der.Decoder
	r := d.Open(values, limits)
	if !r.More() {
		r.Fail(der.ErrTruncated)
	}
	var all [][]byte
	for r.More() {
		if len(all) == limit {
			return nil, errCount
		}
		all = append(all, r.Raw())
	}
	return all, d.Err()
}

// readAll reads one value, which must be the only one. The list is never nil
// without an error.
func readAll[T any](values []byte, read func(*der.Reader) ([]T, error)) ([]T, error) {
	var d der.Decoder
	r := d.Open(values, limits)
	all, err := read(&r)
	r.End()
	if err = errors.Join(err, d.Err()); err != nil {
		return nil, err
	}
	if all == nil {
		all = []T{}
	}
	return all, nil
}
