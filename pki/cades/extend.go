package cades

import (
	"bytes"
	"context"
	"encoding/asn1"
	"errors"

	"propusk/pki/cms"
	"propusk/pki/der"
	"propusk/pki/ocsp"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/tsp"
)

// Stamper obtains time-stamps; *tsp.Client is one.
type Stamper interface {
	// Stamp returns a token of a digest that was computed with the algorithm given,
	// with a signature that is right.
	Stamp(ctx context.Context, digestOID asn1.ObjectIdentifier, digest []byte) (*tsp.Token, error)
}

// Why a signature cannot be extended so.
var (
	errForeign    = errors.New("cades: the time-stamp is of another digest")
	errSealed     = errors.New("cades: a time-stamp covers what would be added to")
	errNoStamp    = errors.New("cades: the signature has no time-stamp to build upon")
	errExtended   = errors.New("cades: the signature has references or values already")
	errUnreadable = errors.New("cades: an attribute of the signature cannot be read")
	errLost       = errors.New("cades: the signature is not in the file that was made of it")
)

// ExtendT returns the file, in DER, with a time-stamp over the value of the
// signature with the given number, counted from 0: CAdES-T (ETSI EN 319 122-1,
// Section 5.3). The signature itself stays byte for byte, but signatures of a file
// may change places. A signature may have several time-stamps.
//
// A signature that is known to be bad is refused with the reason of the failure, one
// whose later time-stamps would break with reason.SignatureSealed. Further errors are
// those of the Stamper and of [cms.Parse]. Nothing is returned with an error.
func ExtendT(ctx context.Context, file []byte, signer int, stamper Stamper) ([]byte, error) {
	t, err := open(file, signer)
	if err != nil {
		return nil, err
	}
	if t.a.hasKind(ESCTimeStamp) {
		return nil, reason.New(reason.SignatureSealed, errSealed)
	}
	return t.stamp(ctx, SignatureTimeStamp, stamper)
}

// ExtendArchive returns the file, in DER, with an archive-time-stamp-v3 over the
// signature with the given number and over everything that was added to it, so that
// it stays provable when the algorithms or certificates of today are no longer good:
// CAdES-LTA (ETSI EN 319 122-1, Section 5.5). The material is put into the file
// beforehand; what is there already is not repeated. It may be done again, years
// later, with the material for the time-stamps of before.
//
// The document is given if the signature is detached: the time-stamp is over it too.
// A signature without a time-stamp is refused with reason.NoTimeStamp, and with
// reason.MaterialMissing one that has not, with the material, all that the signer and
// the authorities of its time-stamps are judged with. Errors are otherwise as of
// [ExtendT].
func ExtendArchive(
	ctx context.Context, file []byte, document cms.Content, signer int, stamper Stamper, material Material,
) ([]byte, error) {
	t, err := open(file, signer)
	if err != nil {
		return nil, err
	}
	if !t.a.hasKind(SignatureTimeStamp) {
		return nil, reason.New(reason.NoTimeStamp, errNoStamp)
	}
	if _, err := t.evidence(t.with(material)); err != nil {
		return nil, err
	}
	add, err := t.missing(material)
	if err != nil {
		return nil, err
	}
	if t, err = t.extend(add); err != nil {
		return nil, err
	}
	algorithm := t.digest()
	index, err := t.a.HashIndex(algorithm)
	if err != nil {
		return nil, err
	}
	sum, err := t.a.Imprint(ArchiveV3, algorithm, document, index)
	if err != nil {
		return nil, err
	}
	token, err := stamp(ctx, stamper, algorithm, sum)
	if err != nil {
		return nil, err
	}
	// The index travels in the token, as an unsigned attribute: it is part of what
	// the token is over.
	raw, err := token.Signed.Extend(0, cms.Addition{
		Attributes: []cms.Attribute{{Type: der.OID(oidHashIndexV3), Values: index}},
	})
	if err != nil {
		return nil, err
	}
	return t.sd.Extend(t.number, cms.Addition{Attributes: []cms.Attribute{{Type: der.OID(oidArchiveV3), Values: raw}}})
}

// target is one signature of a file.
type target struct {
	sd     *cms.SignedData
	number int
	a      Attributes
}

// open reads a file and makes sure that its signature is worth extending.
func open(file []byte, signer int) (target, error) {
	sd, err := cms.Parse(file)
	if err != nil {
		return target{}, err
	}
	if err := sd.Unbroken(signer); err != nil {
		return target{}, err
	}
	t := target{sd: sd, number: signer}
	if t.a, err = Of(&sd.Signers[signer], sd); err != nil {
		return target{}, err
	}
	if len(t.a.Unreadable) > 0 {
		return target{}, reason.New(reason.AttributeUnreadable, errUnreadable)
	}
	return t, nil
}

// extend adds to the signature and reads the result. The signature may have another
// number in it: longer elements of a SET come later.
func (t target) extend(add cms.Addition) (target, error) {
	file, err := t.sd.Extend(t.number, add)
	if err != nil {
		return target{}, err
	}
	sd, err := cms.Parse(file)
	if err != nil {
		return target{}, err
	}
	was := &t.sd.Signers[t.number]
	for i := range sd.Signers {
		if s := &sd.Signers[i]; bytes.Equal(s.Signature, was.Signature) && bytes.Equal(s.RawSignedAttrs, was.RawSignedAttrs) {
			return open(file, i)
		}
	}
	return target{}, errLost
}

// digest returns the algorithm of the digests that are stamped: that of the
// signature, which is as strong as what it protects, unless it was withdrawn.
func (t target) digest() asn1.ObjectIdentifier {
	id := t.sd.Signers[t.number].DigestAlgorithm.Algorithm
	if _, err := sigalg.NewHash(id); err != nil || id.Equal(sigalg.OIDGOST94) {
		return sigalg.OIDStreebog256
	}
	return id
}

// stamp adds a time-stamp of a kind that needs no document.
func (t target) stamp(ctx context.Context, kind Kind, stamper Stamper) ([]byte, error) {
	algorithm := t.digest()
	sum, err := t.a.Imprint(kind, algorithm, cms.Content{}, nil)
	if err != nil {
		return nil, err
	}
	token, err := stamp(ctx, stamper, algorithm, sum)
	if err != nil {
		return nil, err
	}
	oid := oidSignatureTimeStamp
	if kind == ESCTimeStamp {
		oid = oidESCTimeStamp
	}
	return t.sd.Extend(t.number, cms.Addition{Attributes: []cms.Attribute{{Type: der.OID(oid), Values: token.Raw}}})
}

// stamp asks for a time-stamp and makes sure that it is of what was asked for.
func stamp(ctx context.Context, stamper Stamper, algorithm asn1.ObjectIdentifier, sum []byte) (*tsp.Token, error) {
	token, err := stamper.Stamp(ctx, algorithm, sum)
	if err != nil {
		return nil, err
	}
	if !token.DigestAlgorithm().Equal(algorithm) || !bytes.Equal(token.Digest.Hash, sum) {
		return nil, reason.New(reason.TimeStampForeign, errForeign)
	}
	return token, nil
}

// missing returns what of the material is not in the file.
func (t target) missing(m Material) (cms.Addition, error) {
	var add cms.Addition
	for _, cert := range m.Certificates {
		if !holds(t.a.Certificates, cert.Raw) && !holds(t.sd.Certificates, cert.Raw) {
			add.Certificates = append(add.Certificates, cert.Raw)
		}
	}
	for _, list := range m.CRLs {
		if !holds(t.a.CRLs, list) && !holds(t.sd.CRLs, list) {
			add.CRLs = append(add.CRLs, list)
		}
	}
	for _, basic := range m.OCSPs {
		response, err := ocsp.Wrap(basic)
		if err != nil {
			return cms.Addition{}, err
		}
		if !holds(t.a.Responses, basic) && !holds(t.sd.OCSPResponses, response) {
			add.OCSPs = append(add.OCSPs, response)
		}
	}
	return add, nil
}

// holds reports whether a list has an element.
func holds(list [][]byte, one []byte) bool {
	for _, have := range list {
		if bytes.Equal(have, one) {
			return true
		}
	}
	return false
}

// hasKind reports whether there is a time-stamp of a kind.
func (a Attributes) hasKind(kind Kind) bool { return len(a.tokens(kind)) > 0 }
