package cades

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"hash"
	"slices"
	"time"

	"propusk/pki/cms"
	"propusk/pki/der"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

var (
	errOther    = errors.New("cades: the time-stamp is of other data")
	errDocument = errors.New("cades: the document is not at hand")
	errNoIndex  = errors.New("cades: not exactly one ats-hash-index")
	errNotHere  = errors.New("cades: the time-stamp covers something that is not here")
	errKind     = errors.New("cades: unknown kind of time-stamp")
	errPart     = errors.New("cades: what the time-stamp would be over is not there")
)

// CheckImprint checks that a time-stamp of the signature is over what one of its
// kind must be over, octets as they stand in the file. The content is the document
// given beside the file.
//
// The error is a *reason.Error: reason.TimeStampImprint for a stamp of other data,
// TimeStampIndex for an archive time-stamp that covers something that is not here,
// TimeStampAlgorithm for an unknown digest, ContentMissing if the document is needed
// and not at hand, or that of a token that could not be read.
func (a Attributes) CheckImprint(ts TimeStamp, content cms.Content) error {
	if ts.Token == nil {
		return ts.Err
	}
	var index []byte
	if ts.Kind == ArchiveV3 {
		found, err := a.hashIndex(ts)
		if err == nil {
			err = found.check()
		}
		if err != nil {
			return reason.New(reason.TimeStampIndex, err)
		}
		index = found.raw
	}
	// An archive time-stamp of version 2 hashes the unsigned attributes with the
	// header of their SET, or without: TS 101 733, Annex K, Table K.3, Note 3.
	forms := []bool{true}
	if ts.Kind == ArchiveV1 || ts.Kind == ArchiveV2 {
		forms = append(forms, false)
	}
	for _, withHeader := range forms {
		sum, err := a.imprint(ts.Kind, ts.Token.DigestAlgorithm(), content, a.before(ts), withHeader, index)
		if err != nil {
			return err
		}
		if bytes.Equal(sum, ts.Token.Digest.Hash) {
			return nil
		}
	}
	return reason.New(reason.TimeStampImprint, errOther)
}

// Imprint returns the digest that a new time-stamp of the given kind, added to the
// signature as it stands, must be over. Errors are as in [Attributes.CheckImprint].
// For ArchiveV3 the index is that of [Attributes.HashIndex], which the token must
// then carry; for others it is nil.
func (a Attributes) Imprint(kind Kind, algorithm asn1.ObjectIdentifier, content cms.Content, index []byte) ([]byte, error) {
	if (kind == ArchiveV3) != (index != nil) {
		return nil, reason.New(reason.TimeStampIndex, errNoIndex)
	}
	return a.imprint(kind, algorithm, content, a.signer.UnsignedAttrs, true, index)
}

// imprint computes the digest that a time-stamp is over. The unsigned attributes
// given are those that an archive time-stamp of version 1 or 2 saw.
func (a Attributes) imprint(
	kind Kind, algorithm asn1.ObjectIdentifier, content cms.Content, seen []cms.Attribute, withHeader bool, index []byte,
) ([]byte, error) {
	if kind == ContentTimeStamp {
		return a.documentDigest(content, algorithm)
	}
	h, err := sigalg.NewHash(algorithm)
	if err != nil {
		return nil, reason.New(reason.TimeStampAlgorithm, err)
	}
	switch kind {
	case SignatureTimeStamp: // EN 319 122-1, 5.3
		h.Write(a.signer.Signature)
	case ESCTimeStamp: // RFC 5126, 6.3.5
		h.Write(a.signer.Signature)
		if !a.writeAttributes(h, oidSignatureTimeStamp) || !a.writeReferences(h) {
			return nil, reason.New(reason.TimeStampImprint, errPart)
		}
	case ReferencesTimeStamp: // RFC 5126, 6.3.6
		if !a.writeReferences(h) {
			return nil, reason.New(reason.TimeStampImprint, errPart)
		}
	case ArchiveV1, ArchiveV2:
		err = a.writeFile(h, content, seen, withHeader)
	case ArchiveV3:
		err = a.writeIndexed(h, algorithm, content, index)
	default:
		err = reason.New(reason.TimeStampMalformed, errKind)
	}
	if err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}

func (a Attributes) documentDigest(content cms.Content, algorithm asn1.ObjectIdentifier) ([]byte, error) {
	h, err := sigalg.NewHash(algorithm)
	if err != nil {
		return nil, reason.New(reason.TimeStampAlgorithm, err)
	}
	if a.over != nil {
		h.Write(a.over)
		return h.Sum(nil), nil
	}
	sum, ok := a.sd.DocumentDigest(content, algorithm)
	if !ok {
		return nil, reason.New(reason.ContentMissing, errDocument)
	}
	return sum, nil
}

// Digests returns the digest algorithms in which a document must be known so that the
// signatures of a file can be judged: those of the signers, and those of time-stamps
// over the document. Each is there once, and those that are unknown are left out.
func Digests(sd *cms.SignedData) []asn1.ObjectIdentifier {
	var all []asn1.ObjectIdentifier
	add := func(id asn1.ObjectIdentifier) {
		if _, err := sigalg.NewHash(id); err == nil && !slices.ContainsFunc(all, id.Equal) {
			all = append(all, id)
		}
	}
	for i := range sd.Signers {
		add(sd.Signers[i].DigestAlgorithm.Algorithm)
		a, _ := Of(&sd.Signers[i], sd) // what cannot be read is not judged
		for _, ts := range a.TimeStamps {
			if ts.Token != nil && (ts.Kind == ContentTimeStamp || ts.Kind == ArchiveV3) {
				add(ts.Token.DigestAlgorithm())
			}
		}
	}
	return all
}

// writeReferences writes both attributes with references: there is no time-stamp
// over one.
func (a Attributes) writeReferences(h hash.Hash) bool {
	return a.writeAttributes(h, oidCertificateRefs) && a.writeAttributes(h, oidRevocationRefs)
}

// writeAttributes writes the attributes of a type, in the order of the file: type
// and values with their headers, without that of the attribute (RFC 5126, Section
// 6.3.5, Note 2). It reports whether there is one.
func (a Attributes) writeAttributes(h hash.Hash, oid string) bool {
	found := false
	for _, attr := range a.signer.UnsignedAttrs {
		if string(attr.Type) != oid {
			continue
		}
		found = true
		h.Write(header(der.TagOID, len(attr.Type)))
		h.Write(attr.Type)
		h.Write(header(der.TagSet, len(attr.Values)))
		h.Write(attr.Values)
	}
	return found
}

// writeFile writes what an archive time-stamp of version 2 is over: RFC 5126,
// Section 6.4.1. Version 1 is the same in the editions 1.5.1 to 1.6.3 of TS 101 733;
// older ones never came into use here.
func (a Attributes) writeFile(h hash.Hash, content cms.Content, seen []cms.Attribute, withHeader bool) error {
	if a.sd.RawEncapContentInfo == nil {
		return reason.New(reason.ContentMissing, errDocument)
	}
	h.Write(a.sd.RawEncapContentInfo)
	if a.sd.Detached {
		document, ok := a.sd.Document(content)
		if !ok {
			return reason.New(reason.ContentMissing, errDocument)
		}
		h.Write(document)
	}
	h.Write(a.sd.RawCertificates)
	h.Write(a.sd.RawCRLs)
	h.Write(a.signedFields())
	n := 0
	for _, attr := range seen {
		n += attributeLength(attr)
	}
	if withHeader && n > 0 {
		h.Write(header(der.Constructed(1), n))
	}
	for _, attr := range seen {
		writeAttribute(h, attr)
	}
	return nil
}

// writeIndexed writes what an archive time-stamp of version 3 is over: EN 319 122-1,
// Section 5.5.3.
func (a Attributes) writeIndexed(h hash.Hash, algorithm asn1.ObjectIdentifier, content cms.Content, index []byte) error {
	digest, err := a.documentDigest(content, algorithm)
	if err != nil {
		return err
	}
	contentType := a.sd.RawContentType()
	h.Write(header(der.TagOID, len(contentType)))
	h.Write(contentType)
	h.Write(digest)
	h.Write(a.signedFields())
	h.Write(index)
	return nil
}

// signedFields returns the fields of the SignerInfo before the unsigned attributes,
// with their headers, one after another.
func (a Attributes) signedFields() []byte {
	var d der.Decoder
	top := d.Open(a.signer.Raw, limits)
	seq := top.Sequence()
	whole := seq.Rest()
	for seq.More() && !seq.Peek(der.Constructed(1)) {
		seq.Raw()
	}
	return whole[:len(whole)-len(seq.Rest())]
}

// before returns the unsigned attributes that were there when a time-stamp of
// version 1 or 2 was made: all but those with archive time-stamps that are not
// older (RFC 5126, Section 6.4.1).
func (a Attributes) before(ts TimeStamp) []cms.Attribute {
	var seen []cms.Attribute
	for i, attr := range a.signer.UnsignedAttrs {
		if !a.laterArchive(i, ts.Token.GenTime) {
			seen = append(seen, attr)
		}
	}
	return seen
}

// laterArchive reports whether an unsigned attribute holds an archive time-stamp
// not older than a time.
func (a Attributes) laterArchive(place int, t time.Time) bool {
	for _, ts := range a.TimeStamps {
		if ts.attribute == place && ts.Kind.IsArchive() && (ts.Token == nil || !ts.Token.GenTime.Before(t)) {
			return true
		}
	}
	return false
}

// writeAttribute writes an attribute as it stands.
func writeAttribute(h hash.Hash, attr cms.Attribute) {
	h.Write(header(der.TagSequence, attributeContent(attr)))
	h.Write(header(der.TagOID, len(attr.Type)))
	h.Write(attr.Type)
	h.Write(header(der.TagSet, len(attr.Values)))
	h.Write(attr.Values)
}

// attributeLength returns the length of an attribute in bytes, attributeContent
// that without its header.
func attributeLength(attr cms.Attribute) int {
	n := attributeContent(attr)
	return len(header(der.TagSequence, n)) + n
}

func attributeContent(attr cms.Attribute) int {
	return len(header(der.TagOID, len(attr.Type))) + len(attr.Type) +
		len(header(der.TagSet, len(attr.Values))) + len(attr.Values)
}

// header makes the header of an element whose content has n bytes. In DER there is
// one, so it is the one that stood in the file.
func header(tag der.Tag, n int) []byte {
	switch {
	case n < 0x80:
		return []byte{byte(tag), byte(n)}
	case n < 1<<8:
		return []byte{byte(tag), 0x81, byte(n)}
	case n < 1<<16:
		return []byte{byte(tag), 0x82, byte(n >> 8), byte(n)}
	case n < 1<<24:
		return []byte{byte(tag), 0x83, byte(n >> 16), byte(n >> 8), byte(n)}
	default:
		return []byte{byte(tag), 0x84, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	}
}
