package cades

import (
	"encoding/asn1"
	"hash"
	"slices"

	"propusk/pki/cms"
	"propusk/pki/der"
	"propusk/pki/sigalg"
)

// maxIndex is the number of digests of one sort in an index: there is one for every
// element of the file that a time-stamp covers.
const maxIndex = 1024

// index is ats-hash-index: it names by digest what an archive time-stamp of version
// 3 covers besides the signature itself (EN 319 122-1, Section 5.5.2; versions 1 and
// 2 in TS 101 733 and earlier editions).
type index struct {
	raw  []byte
	hash func() hash.Hash

	certificates, crls, attributes digests

	// Elements of the file, those that are covered.
	coveredCertificates, coveredCRLs [][]byte
	coveredAttributes                []coveredAttribute
	missing                          bool // a digest is of nothing here
}

// coveredAttribute is an unsigned attribute, or one of its values.
type coveredAttribute struct {
	place int
	value []byte // nil for all
}

// digests is a set of digests: whether each was found.
type digests map[string]bool

// hashIndex reads the index that a time-stamp carries and looks for everything that
// it names.
func (a Attributes) hashIndex(ts TimeStamp) (*index, error) {
	var found []cms.Attribute
	for _, attr := range ts.Token.Signed.Signers[0].UnsignedAttrs {
		switch string(attr.Type) {
		case oidHashIndex, oidHashIndexV2, oidHashIndexV3:
			found = append(found, attr)
		}
	}
	if len(found) != 1 {
		return nil, errNoIndex
	}
	x, err := readIndex(found[0])
	if err != nil {
		return nil, err
	}
	x.coveredCertificates = x.cover(x.certificates, contents(a.sd.RawCertificates))
	x.coveredCRLs = x.cover(x.crls, contents(a.sd.RawCRLs))
	for i, attr := range a.signer.UnsignedAttrs {
		x.coverAttribute(i, attr, string(found[0].Type) == oidHashIndexV3)
	}
	for _, set := range []digests{x.certificates, x.crls, x.attributes} {
		for _, here := range set {
			x.missing = x.missing || !here
		}
	}
	return x, nil
}

// readIndex reads ATSHashIndex of any version.
func readIndex(attr cms.Attribute) (*index, error) {
	var d der.Decoder
	top := d.Open(attr.Values, limits)
	ahead := top
	x := &index{raw: ahead.RawTag(der.TagSequence)}
	seq := top.Sequence()
	algorithm := sigalg.AlgorithmIdentifier{Algorithm: sigalg.OIDSHA256}
	if string(attr.Type) != oidHashIndex || namesAlgorithm(seq) {
		algorithm = sigalg.Read(&seq)
	}
	x.certificates, x.crls, x.attributes = readDigests(&seq), readDigests(&seq), readDigests(&seq)
	seq.End()
	top.End()
	if err := d.Err(); err != nil {
		return nil, err
	}
	if _, err := sigalg.NewHash(algorithm.Algorithm); err != nil {
		return nil, err
	}
	x.hash = func() hash.Hash {
		h, err := sigalg.NewHash(algorithm.Algorithm)
		if err != nil {
			panic("cades: a hash that was there is not")
		}
		return h
	}
	return x, nil
}

// namesAlgorithm reports whether the first element of version 1 is an algorithm,
// which may be left out, and not the first list.
func namesAlgorithm(seq der.Reader) bool {
	first := seq.Sequence()
	return first.Peek(der.TagOID)
}

// readDigests reads SEQUENCE OF OCTET STRING.
func readDigests(r *der.Reader) digests {
	set := make(digests)
	for list := r.Sequence(); list.More(); {
		set[string(list.OctetString())] = false
		if len(set) > maxIndex {
			list.Fail(der.ErrTooMany)
		}
	}
	return set
}

// check reports whether everything that the index names is here.
func (x *index) check() error {
	if x.missing {
		return errNotHere
	}
	return nil
}

// cover returns the elements whose digest is in the set.
func (x *index) cover(set digests, all [][]byte) [][]byte {
	var covered [][]byte
	for _, raw := range all {
		if x.has(set, raw) {
			covered = append(covered, raw)
		}
	}
	return covered
}

func (x *index) has(set digests, pieces ...[]byte) bool {
	if len(set) == 0 {
		return false
	}
	h := x.hash()
	for _, p := range pieces {
		h.Write(p)
	}
	sum := string(h.Sum(nil))
	if _, named := set[sum]; !named {
		return false
	}
	set[sum] = true
	return true
}

// coverAttribute looks for an attribute: as a whole, or in version 3 each value
// after the type.
func (x *index) coverAttribute(place int, attr cms.Attribute, byValue bool) {
	oid := append(header(der.TagOID, len(attr.Type)), attr.Type...)
	if !byValue {
		if x.has(x.attributes, header(der.TagSequence, attributeContent(attr)), oid, header(der.TagSet, len(attr.Values)), attr.Values) {
			x.coveredAttributes = append(x.coveredAttributes, coveredAttribute{place: place})
		}
		return
	}
	for _, value := range values(attr) {
		if x.has(x.attributes, oid, value) {
			x.coveredAttributes = append(x.coveredAttributes, coveredAttribute{place, value})
		}
	}
}

// values splits the values of an attribute. One in BER is taken for the only one.
func values(attr cms.Attribute) [][]byte {
	var d der.Decoder
	var all [][]byte
	for r := d.Open(attr.Values, limits); r.More(); {
		all = append(all, r.Raw())
	}
	if d.Err() != nil {
		return [][]byte{attr.Values}
	}
	return all
}

// contents splits the content of an element.
func contents(raw []byte) [][]byte {
	if raw == nil {
		return nil
	}
	var d der.Decoder
	top := d.Open(raw, limits)
	_, _, content := top.Any()
	var all [][]byte
	for r := top.Inside(content); r.More(); {
		all = append(all, r.Raw())
	}
	return all
}

// HashIndex returns an ats-hash-index-v3 of the file as it stands, in DER, for a new
// archive time-stamp of version 3: EN 319 122-1, Section 5.5.2. The error is of an
// unknown digest algorithm.
func (a Attributes) HashIndex(algorithm asn1.ObjectIdentifier) ([]byte, error) {
	h, err := sigalg.NewHash(algorithm)
	if err != nil {
		return nil, err
	}
	list := func(all ...[]byte) []byte {
		var digests []byte
		for _, one := range all {
			h.Reset()
			h.Write(one)
			digests = append(digests, header(der.TagOctetString, h.Size())...)
			digests = h.Sum(digests)
		}
		return append(header(der.TagSequence, len(digests)), digests...)
	}
	var attributes [][]byte
	for _, attr := range a.signer.UnsignedAttrs {
		oid := append(header(der.TagOID, len(attr.Type)), attr.Type...)
		for _, value := range values(attr) {
			attributes = append(attributes, slices.Concat(oid, value))
		}
	}
	id := sigalg.AlgorithmIdentifier{Algorithm: algorithm}
	content, err := id.Marshal()
	if err != nil {
		return nil, err
	}
	content = append(content, list(contents(a.sd.RawCertificates)...)...)
	content = append(content, list(contents(a.sd.RawCRLs)...)...)
	content = append(content, list(attributes...)...)
	return append(header(der.TagSequence, len(content)), content...), nil
}

// Covers returns what a time-stamp of the signature proves to have existed besides
// the signature itself: tokens of earlier time-stamps, certificates, revocation
// lists, OCSP responses and counter-signatures, as they stand in the file, provided
// that its imprint was checked.
func (a Attributes) Covers(ts TimeStamp) [][]byte {
	if ts.Token == nil {
		return nil
	}
	switch ts.Kind {
	case SignatureTimeStamp: // the signature is over the signed attributes
		return a.tokens(ContentTimeStamp)
	case ESCTimeStamp:
		return slices.Concat(a.tokens(ContentTimeStamp), a.tokens(SignatureTimeStamp), a.referred())
	case ReferencesTimeStamp:
		return a.referred()
	case ArchiveV1, ArchiveV2:
		return a.coveredByFile(ts)
	case ArchiveV3:
		return a.coveredByIndex(ts)
	default:
		return nil
	}
}

// referred returns the values that both references name.
func (a Attributes) referred() [][]byte {
	return slices.Concat(a.referredCertificates, a.referredRevocation)
}

// tokens returns the tokens of a kind.
func (a Attributes) tokens(kind Kind) [][]byte {
	var all [][]byte
	for _, ts := range a.TimeStamps {
		if ts.Kind == kind {
			all = append(all, ts.Raw)
		}
	}
	return all
}

func (a Attributes) coveredByFile(ts TimeStamp) [][]byte {
	covered := slices.Concat(contents(a.sd.RawCertificates), revocation(contents(a.sd.RawCRLs)), a.tokens(ContentTimeStamp))
	for i := range a.signer.UnsignedAttrs {
		if !a.laterArchive(i, ts.Token.GenTime) {
			covered = append(covered, a.inside(coveredAttribute{place: i})...)
		}
	}
	return covered
}

func (a Attributes) coveredByIndex(ts TimeStamp) [][]byte {
	x, err := a.hashIndex(ts)
	if err != nil || x.missing {
		return nil
	}
	covered := slices.Concat(x.coveredCertificates, revocation(x.coveredCRLs), a.tokens(ContentTimeStamp))
	for _, c := range x.coveredAttributes {
		covered = append(covered, a.inside(c)...)
	}
	return covered
}

// revocation replaces elements of another format than a list by their value, an
// OCSPResponse (RFC 5652, Section 10.2.1; RFC 5940).
func revocation(all [][]byte) [][]byte {
	for i, raw := range all {
		var d der.Decoder
		top := d.Open(raw, limits)
		if !top.Peek(der.Constructed(1)) {
			continue
		}
		other := top.Enter(der.Constructed(1))
		other.OID()
		if value := other.Raw(); d.Err() == nil {
			all[i] = value
		}
	}
	return all
}

// Work returns how many bytes checking a time-stamp of the signature hashes, and
// whether the document is to be hashed too. Archive time-stamps are over the whole
// file, each.
func (a Attributes) Work(ts TimeStamp) (bytes int, document bool) {
	switch {
	case ts.Kind == ContentTimeStamp:
		return 0, true
	case ts.Kind == SignatureTimeStamp:
		return len(a.signer.Signature), false
	case ts.Kind.IsArchive():
		return len(a.sd.RawEncapContentInfo) + len(a.sd.RawCertificates) + len(a.sd.RawCRLs) + len(a.signer.Raw), true
	default:
		return len(a.signer.Raw), false
	}
}

// inside returns what an attribute holds.
func (a Attributes) inside(c coveredAttribute) [][]byte {
	attr := a.signer.UnsignedAttrs[c.place]
	switch string(attr.Type) {
	case oidCertificateValues:
		return a.Certificates
	case oidRevocationValues:
		return slices.Concat(a.CRLs, a.Responses)
	case oidCertificateRefs:
		return a.referredCertificates
	case oidRevocationRefs:
		return a.referredRevocation
	}
	if c.value != nil {
		return [][]byte{c.value}
	}
	return values(attr)
}
