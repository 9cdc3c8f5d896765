package crl

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math"

	"propusk/pki/der"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// formError is a way in which DER fails to be a list.
type formError string

// Error implements error.
func (e formError) Error() string { return "crl: " + string(e) }

const (
	errVersion      formError = "version is not 2 where it is written"
	errAlgorithms   formError = "inner and outer signature algorithms differ"
	errOldExtension formError = "extensions in a list of version 1"
	errOneExtension formError = "extension occurs twice"
	errExtensions   formError = "no extensions, or too many"
	errSerial       formError = "serial number is too long"
	errReason       formError = "unknown reason code"
	errNames        formError = "no names of a distribution point, or too many"
	errScope        formError = "contradictory scope"
)

// Parse reads one list in DER; data must hold it and nothing else. The time is
// linear in its length. No part of data is kept.
//
// The error is a *reason.Error: reason.CRLMalformed or reason.CRLTooLarge. A list
// that is well formed but cannot be relied upon is returned: see Unusable.
func Parse(data []byte) (*List, error) {
	if len(data) > MaxSize {
		return nil, reason.Errorf(reason.CRLTooLarge, "crl: %d bytes, at most %d are allowed", len(data), MaxSize)
	}
	p := parser{l: &List{}}
	p.structure(data)
	if err := p.d.Err(); err != nil {
		return nil, reason.New(reason.CRLMalformed, err)
	}
	p.hash()
	p.l.sha256 = sha256.Sum256(data)
	return p.l, nil
}

// Read is Parse for a list that comes from somewhere: it need not be in memory at
// any time. r is read to its end. Errors of r come back as they are, wrapped.
func Read(r io.Reader) (*List, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read CRL: %w", err)
	}
	return Parse(data)
}

// structure reads everything and builds the index.
func (p *parser) structure(data []byte) {
	// Every element has at least two bytes; the number needs no other limit.
	p.certificateList(p.d.Open(data, der.Limits{Size: MaxSize, Depth: 16, Elements: math.MaxInt32}))
	if p.d.Err() == nil {
		p.l.index.build()
	}
}

// parser reads one list. Errors stick in d.
type parser struct {
	d     der.Decoder
	l     *List
	tbs   []byte
	entry Entry // that is being read; there may be millions, so it is not allocated anew
}

// unusable notes the first reason why nothing may be concluded from the list.
func (p *parser) unusable(format string, args ...any) {
	if p.l.unusable == nil {
		p.l.unusable = reason.Errorf(reason.CRLUnsupported, "crl: "+format, args...)
	}
}

// hash computes the digest that the signature is over, so that the bytes need not
// be kept until the issuer is known.
func (p *parser) hash() {
	digest, err := sigalg.DigestOf(p.l.algorithm)
	if err == nil && digest == nil {
		err = errors.New("crl: the signature algorithm names no digest")
	}
	if err != nil {
		p.l.digestErr = err
		return
	}
	h, err := sigalg.NewHash(digest)
	if err != nil {
		p.l.digestErr = err
		return
	}
	h.Write(p.tbs)
	p.l.digest = h.Sum(nil)
}

// certificateList reads CertificateList: RFC 5280, Section 5.1.
func (p *parser) certificateList(input der.Reader) {
	list := input.Sequence()
	input.End()

	p.tbs = list.RawTag(der.TagSequence)
	outer := list.RawTag(der.TagSequence)
	p.l.signature = bytes.Clone(list.BitOctets())
	list.End()

	algorithm := input.Inside(outer)
	p.l.algorithm = sigalg.Read(&algorithm)
	p.l.algorithm.Parameters = bytes.Clone(p.l.algorithm.Parameters)
	tbs := input.Inside(p.tbs)
	p.tbsCertList(tbs.Sequence(), outer)
}

// tbsCertList reads TBSCertList: RFC 5280, Section 5.1.2.
func (p *parser) tbsCertList(tbs der.Reader, outer []byte) {
	l := p.l
	l.version = 1
	if tbs.Peek(der.TagInteger) {
		if l.version = tbs.Int(1) + 1; l.version != 2 {
			tbs.Fail(errVersion)
		}
	}
	if inner := tbs.RawTag(der.TagSequence); !bytes.Equal(inner, outer) {
		tbs.Fail(errAlgorithms)
	}
	l.rawIssuer = bytes.Clone(tbs.RawTag(der.TagSequence))
	l.thisUpdate = tbs.Time()
	if tbs.Peek(der.TagUTCTime) || tbs.Peek(der.TagGeneralizedTime) {
		l.nextUpdate = tbs.Time()
	}
	if tbs.Peek(der.TagSequence) {
		// RFC 5280 wants no list rather than an empty one; CAs write either.
		p.entries(tbs.Sequence())
	}
	if tbs.Peek(der.Constructed(0)) {
		explicit := tbs.Enter(der.Constructed(0))
		p.extensions(explicit.Sequence(), p.listExtension)
		explicit.End()
	}
	tbs.End()
}

// entries reads revokedCertificates. Nearly all entries of real lists have one of
// two forms, which usualEntry reads; the rest, and all errors, go the long way.
func (p *parser) entries(list der.Reader) {
	content := list.Rest()
	// A record takes about half of the bytes of its entry.
	p.l.index.records = make([]byte, 0, len(content)/2)
	for len(content) > 0 && list.Ok() {
		if n := p.usualEntry(content); n > 0 {
			content = content[n:]
			continue
		}
		one := list.Inside(content)
		p.anyEntry(one.Sequence())
		content = one.Rest()
	}
}

// anyEntry reads one entry.
func (p *parser) anyEntry(seq der.Reader) {
	p.entry = Entry{Serial: seq.Integer()}
	if len(p.entry.Serial) > maxSerial {
		seq.Fail(errSerial)
	}
	p.entry.RevokedAt = seq.Time()
	if seq.More() {
		p.extensions(seq.Sequence(), p.entryExtension)
	}
	seq.End()
	if seq.Ok() {
		p.l.index.add(&p.entry)
	}
}

// extensions reads Extensions (RFC 5280, Section 4.1) and calls read with each.
func (p *parser) extensions(list der.Reader, read func(id string, critical bool, value der.Reader)) {
	if p.l.version < 2 {
		list.Fail(errOldExtension)
	}
	var seen [maxExtensions]string
	count := 0
	for list.More() {
		seq := list.Sequence()
		id := string(seq.OID())
		critical := seq.DefaultFalseLenient() // CAs write FALSE out, as in certificates
		value := seq.OctetString()
		seq.End()
		for _, s := range seen[:count] {
			if s == id {
				list.Fail(errOneExtension)
			}
		}
		if count == maxExtensions {
			list.Fail(errExtensions)
		}
		if !list.Ok() {
			return
		}
		seen[count] = id
		count++
		read(id, critical, list.Inside(value))
	}
	if count == 0 {
		list.Fail(errExtensions)
	}
}

// The content octets of the identifiers of the extensions that are read.
const (
	idCRLNumber         = "\x55\x1d\x14"
	idReasonCode        = "\x55\x1d\x15"
	idInvalidityDate    = "\x55\x1d\x18"
	idDeltaCRLIndicator = "\x55\x1d\x1b"
	idIssuingPoint      = "\x55\x1d\x1c"
	idCertificateIssuer = "\x55\x1d\x1d"
	idAuthorityKeyID    = "\x55\x1d\x23"
)

// entryExtension reads an extension of an entry: RFC 5280, Section 5.3.
func (p *parser) entryExtension(id string, critical bool, v der.Reader) {
	switch id {
	case idReasonCode:
		p.entry.Reason = Reason(v.Enumerated(int(AACompromise)))
		if p.entry.Reason == 7 {
			v.Fail(errReason)
		}
	case idInvalidityDate:
		p.entry.InvalidSince = v.GeneralizedTime()
	case idCertificateIssuer:
		p.unusable("an indirect list: an entry names another issuer")
		return
	default:
		if critical {
			p.unusable("unknown critical extension %v of an entry", oid(id))
		}
		return
	}
	v.End()
}

// listExtension reads an extension of the list: RFC 5280, Section 5.2.
func (p *parser) listExtension(id string, critical bool, v der.Reader) {
	switch id {
	case idCRLNumber:
		p.l.number = bytes.Clone(v.Integer())
		if len(p.l.number) > maxSerial {
			v.Fail(errSerial)
		}
	case idAuthorityKeyID:
		seq := v.Sequence()
		if seq.Peek(der.Context(0)) {
			p.l.authorityKeyID = bytes.Clone(seq.Content(der.Context(0)))
		}
		for seq.More() {
			seq.Raw() // name and serial number of the issuer's certificate: RFC 4158, 3.5.12, the key says more
		}
	case idIssuingPoint:
		p.issuingPoint(v.Sequence())
	case idDeltaCRLIndicator:
		p.unusable("a delta list")
		return
	default:
		if critical {
			p.unusable("unknown critical extension %v", oid(id))
		}
		return
	}
	v.End()
}

func oid(id string) asn1.ObjectIdentifier { return der.OID(id).ObjectIdentifier() }

// issuingPoint reads IssuingDistributionPoint: RFC 5280, Section 5.2.5.
func (p *parser) issuingPoint(seq der.Reader) {
	if seq.Peek(der.Constructed(0)) {
		p.pointName(seq.Enter(der.Constructed(0)))
	}
	s := &p.l.scope
	s.userCerts = boolean(&seq, 1)
	s.caCerts = boolean(&seq, 2)
	if seq.Skip(der.Context(3)) {
		p.unusable("a list of some reasons only")
	}
	if boolean(&seq, 4) {
		p.unusable("an indirect list")
	}
	if boolean(&seq, 5) {
		p.unusable("a list of attribute certificates")
	}
	if s.userCerts && s.caCerts {
		seq.Fail(errScope)
	}
	seq.End()
}

// boolean reads a BOOLEAN DEFAULT FALSE under the IMPLICIT tag [n].
func boolean(seq *der.Reader, n uint8) bool {
	if !seq.Peek(der.Context(n)) {
		return false
	}
	b := seq.Content(der.Context(n))
	if len(b) != 1 || b[0] != 0xFF && b[0] != 0 {
		seq.Fail(der.ErrBoolean)
		return false
	}
	return b[0] == 0xFF
}

// pointName reads DistributionPointName: RFC 5280, Section 4.2.1.13. Only URLs
// can be compared with those of certificates.
func (p *parser) pointName(choice der.Reader) {
	if !choice.Peek(der.Constructed(0)) {
		p.unusable("a distribution point with a relative name")
		return
	}
	names := choice.Enter(der.Constructed(0))
	choice.End()
	count := 0
	for names.More() {
		tag, _, content := names.Any()
		if count++; count > maxNames {
			names.Fail(errNames)
		}
		if tag == der.Context(6) {
			p.l.scope.urls = append(p.l.scope.urls, string(content))
		}
	}
	if count == 0 {
		names.Fail(errNames)
	}
	if len(p.l.scope.urls) == 0 {
		p.unusable("a distribution point without a URL")
	}
}
