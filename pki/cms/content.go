package cms

import (
	"bytes"
	"encoding/asn1"
	"slices"

	"propusk/pki/der"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
)

// Content is the document that a signature was made over, given beside the
// signature. The zero value means that it was not given.
type Content struct {
	given      bool
	document   []byte
	digests    []contentDigest
	passed     bool // the document was read by Stream or ParseStream
	attributes bool // then, whether isAttributes says so
}

// contentDigest is a digest of a document.
type contentDigest struct {
	algorithm asn1.ObjectIdentifier
	digest    []byte
}

// Document is a document that is at hand. An empty one, or nil, is a document
// too. The slice is not copied and must not be modified during verification.
func Document(b []byte) Content { return Content{given: true, document: b} }

// Digest is a document known only by its digest, computed with the digest
// algorithm of the given OID.
//
// The caller vouches that the digest is of a document: with a signature that has
// no signed attributes, nothing here can tell a document from the attributes of
// another signature.
func Digest(algorithm asn1.ObjectIdentifier, digest []byte) Content {
	return Content{digests: []contentDigest{{algorithm, digest}}}
}

// And returns the same document known by one more digest. What [Digest] says of the
// caller holds.
func (c Content) And(algorithm asn1.ObjectIdentifier, digest []byte) Content {
	c.digests = append(slices.Clip(c.digests), contentDigest{algorithm, digest})
	return c
}

// digester computes digests of the document, each once: many signers with one
// algorithm must not cost many passes over a large document.
type digester struct {
	sd       *SignedData
	content  Content
	computed []contentDigest
}

// document returns what is known of the document that was signed: the one inside,
// or else the one that was given.
func (d *digester) document() Content {
	switch {
	case d.sd.Detached:
		return d.content
	case d.sd.passed != nil:
		return *d.sd.passed
	default:
		return Document(d.sd.Content)
	}
}

// bytes returns the document, and false if it is not at hand.
func (d *digester) bytes() ([]byte, bool) {
	c := d.document()
	return c.document, c.given
}

// digest returns the digest of the document in the given algorithm, or why there
// is none.
func (d *digester) digest(algorithm asn1.ObjectIdentifier) ([]byte, reason.Code) {
	for _, known := range d.computed {
		if known.algorithm.Equal(algorithm) {
			return known.digest, ""
		}
	}
	document := d.document()
	if document.given {
		sum, err := sigalg.Sum(algorithm, document.document)
		if err != nil {
			return nil, reason.SignatureAlgorithmUnsupported
		}
		d.computed = append(d.computed, contentDigest{algorithm, sum})
		return sum, ""
	}
	h, err := sigalg.NewHash(algorithm)
	if err != nil {
		return nil, reason.SignatureAlgorithmUnsupported
	}
	for _, known := range document.digests {
		if known.algorithm.Equal(algorithm) && len(known.digest) == h.Size() {
			return known.digest, ""
		}
	}
	return nil, reason.ContentMissing
}

// isAttributes reports whether the document looks like signed attributes.
func (d *digester) isAttributes() bool {
	c := d.document()
	return c.attributes || c.given && isAttributes(c.document, int64(len(c.document)))
}

// agrees compares a document given beside an attached signature with the one
// inside: byte for byte, or by all digests that are known of both.
func (d *digester) agrees() reason.Code {
	if d.sd.Detached || !d.content.given && len(d.content.digests) == 0 {
		return ""
	}
	if inside, ok := d.bytes(); ok && d.content.given {
		if !bytes.Equal(d.content.document, inside) {
			return reason.ContentMismatch
		}
		return ""
	}
	beside := slices.Clip(d.content.digests)
	if d.content.given {
		outside := digester{sd: &SignedData{Detached: true}, content: d.content}
		for _, known := range d.sd.passed.digests {
			sum, _ := outside.digest(known.algorithm) // a document at hand has all digests
			beside = append(beside, contentDigest{known.algorithm, sum})
		}
	}
	result := reason.ContentMissing // nothing was compared
	for _, given := range beside {
		inside, code := d.digest(given.algorithm)
		switch {
		case code == reason.ContentMissing:
			continue
		case code != "":
			return code
		case !bytes.Equal(inside, given.digest):
			return reason.ContentMismatch
		}
		result = ""
	}
	return result
}

// content checks that the document is the one that was signed. It returns the
// digest of the document, nil if there is none.
//
// Without signed attributes nothing names the document but the signature itself:
// the check then passes when the document is at hand.
func (v *verifier) content(s *Signer) ([]byte, verdict.Check) {
	const cite = "RFC 5652, 5.4"
	if code := v.digests.agrees(); code != "" {
		return nil, notPassed(CheckContent, code, cite)
	}
	digest, code := v.digests.digest(s.DigestAlgorithm.Algorithm)
	if code != "" {
		return nil, notPassed(CheckContent, code, cite)
	}
	if s.RawSignedAttrs == nil {
		if v.digests.isAttributes() {
			return nil, verdict.Fail(CheckContent, reason.ContentIsAttributes, cite, "")
		}
		return digest, verdict.Pass(CheckContent, cite)
	}
	values, _ := s.signed(oidMessageDigest)
	signed, ok := singleOctetString(values)
	if !ok || !bytes.Equal(signed, digest) {
		return nil, verdict.Fail(CheckContent, reason.ContentChanged, cite, "")
	}
	return digest, verdict.Pass(CheckContent, cite)
}

// notPassed makes a check of a code: what we lack is indeterminate, the rest
// failed.
func notPassed(name string, code reason.Code, cite string) verdict.Check {
	switch code {
	case reason.ContentMissing, reason.SignatureAlgorithmUnsupported:
		return verdict.Unknown(name, code, cite, "")
	default:
		return verdict.Fail(name, code, cite, "")
	}
}

// attributesHead is how many bytes of a document isAttributes looks at, at most: two
// headers and a tag.
const attributesHead = 2*10 + 1

// isAttributes reports whether a document, given by its beginning and its length, looks
// like the encoding of signed attributes: one SET from the first byte to the last that
// begins with an Attribute (RFC 5652, Section 5.3). A signature over attributes, offered
// without them, would otherwise verify over such a document: the signer never saw it.
//
// What sort of attributes they are does not matter, nor whether we could read them: those
// of a counter-signature have no content type, and there may be more than MaxAttributes.
func isAttributes(head []byte, length int64) bool {
	set, err := headerOfPart(head)
	if err != nil || set.tag != byte(der.TagSet) || !set.indefinite && int64(set.size)+int64(set.length) != length {
		return false
	}
	head = head[set.size:]
	attribute, err := headerOfPart(head)
	return err == nil && attribute.tag == byte(der.TagSequence) &&
		len(head) > attribute.size && head[attribute.size] == byte(der.TagOID)
}

// headerOfPart is readHeader of an element whose content is not all there.
func headerOfPart(head []byte) (header, error) {
	if len(head) < 2 {
		return header{}, errBERTruncated
	}
	h := header{tag: head[0], size: 2, length: int(head[1]), indefinite: head[1] == 0x80}
	if head[1] <= 0x80 {
		return h, nil
	}
	var err error
	h.size, h.length, err = longLength(head)
	return h, err
}
