package crl

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"time"

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
	errReasons      formError = "no reasons, or not a set of them"
	errIssuers      formError = "too many issuers of certificates"
)

// Parse reads one list in DER; data must hold it and nothing else. The time is
// linear in its length. No part of data is kept.
//
// The error is a *reason.Error: reason.CRLMalformed or reason.CRLTooLarge. A list
// that is well formed but cannot be relied upon is returned: see Unusable.
func Parse(data []byte) (*List, error) {
	if len(data) > MaxSize {
		return nil, errTooLarge(int64(len(data)))
	}
	return read(newStream(nil, data))
}

// Read is Parse for a list that comes from somewhere: no more than a part of it is
// in memory at any time. r is read to its end, or to the first mistake. An error of r
// comes back wrapped; a list that is cut short is malformed.
func Read(r io.Reader) (*List, error) { return read(newStream(r, nil)) }

func read(s *stream) (*List, error) {
	p := parser{s: s, l: &List{}}
	p.certificateList()
	if s.finish(); s.err != nil {
		return nil, s.err
	}
	p.build()
	s.whole.Sum(p.l.sha256[:0])
	if s.signed.Hash != nil {
		p.l.digest = s.signed.Sum(nil)
	}
	return p.l, nil
}

// parser reads one list. Errors stick in s.
type parser struct {
	s         *stream
	d         der.Decoder // of one element
	l         *List
	algorithm []byte // DER of the signature algorithm inside
	into      *index // where the entry that is being read belongs: with the one before, unless it says
	serial    []byte // of that entry
	record    record
}

// unusable notes the first reason why nothing may be concluded from the list.
func (p *parser) unusable(format string, args ...any) {
	if p.l.unusable == nil {
		p.l.unusable = reason.Errorf(reason.CRLUnsupported, "crl: "+format, args...)
	}
}

// element reads one element that fits into memory, and what is inside with a
// function.
func (p *parser) element(tag der.Tag, limit int64, inside func(*der.Reader)) {
	raw := p.s.element(tag, limit)
	if p.s.err != nil {
		return
	}
	r := p.d.Open(raw, der.Limits{Size: maxElement, Depth: 16, Elements: maxElement})
	inside(&r)
	r.End()
	if err := p.d.Err(); err != nil {
		p.s.fail(fmt.Errorf("element that ends there: %w", err))
	}
}

// certificateList reads CertificateList: RFC 5280, Section 5.1.
func (p *parser) certificateList() {
	s := p.s
	end := s.enter(der.TagSequence, MaxSize)
	start := s.offset()
	signedEnd := s.enter(der.TagSequence, end)
	p.tbsCertList(start, signedEnd)
	s.at(signedEnd)
	if outer := s.element(der.TagSequence, end); !bytes.Equal(outer, p.algorithm) {
		s.fail(errAlgorithms)
	}
	p.element(der.TagBitString, end, func(r *der.Reader) { p.l.signature = bytes.Clone(r.BitOctets()) })
	s.at(end)
}

// tbsCertList reads TBSCertList, which stands from start to end: RFC 5280, Section
// 5.1.2.
func (p *parser) tbsCertList(start, end int64) {
	l, s := p.l, p.s
	l.version = 1
	if s.peek(der.TagInteger, end) {
		p.element(der.TagInteger, end, func(r *der.Reader) {
			if l.version = r.Int(1) + 1; l.version != 2 {
				r.Fail(errVersion)
			}
		})
	}
	p.signatureAlgorithm(start, end)
	l.rawIssuer = bytes.Clone(s.element(der.TagSequence, end))
	l.thisUpdate = p.time(end)
	if s.peek(der.TagUTCTime, end) || s.peek(der.TagGeneralizedTime, end) {
		l.nextUpdate = p.time(end)
	}
	if s.peek(der.TagSequence, end) {
		// RFC 5280 wants no list rather than an empty one; CAs write either.
		p.entries(s.enter(der.TagSequence, end))
	}
	if s.peek(der.Constructed(0), end) {
		p.element(der.Constructed(0), end, func(r *der.Reader) {
			explicit := r.Enter(der.Constructed(0))
			p.extensions(explicit.Sequence(), p.listExtension)
			explicit.End()
		})
	}
}

// signatureAlgorithm reads the inner signature algorithm, and starts computing the
// digest that the signature is over: so the bytes need not be kept until the issuer
// is known.
func (p *parser) signatureAlgorithm(start, end int64) {
	l := p.l
	p.element(der.TagSequence, end, func(r *der.Reader) {
		p.algorithm = bytes.Clone(r.Rest())
		l.algorithm = sigalg.Read(r)
		l.algorithm.Parameters = bytes.Clone(l.algorithm.Parameters)
	})
	digest, err := sigalg.DigestOf(l.algorithm)
	if err == nil && digest == nil {
		err = errors.New("crl: the signature algorithm names no digest")
	}
	if err == nil {
		p.s.signed.next, p.s.signed.end = start, end
		p.s.signed.Hash, err = sigalg.NewHash(digest)
	}
	l.digestErr = err
	p.s.keep = false
}

// time reads Time: RFC 5280, Section 5.1.2.4.
func (p *parser) time(end int64) (t time.Time) {
	tag := der.TagUTCTime
	if p.s.peek(der.TagGeneralizedTime, end) {
		tag = der.TagGeneralizedTime
	}
	p.element(tag, end, func(r *der.Reader) { t = r.Time() })
	return t
}

// longList is the length of the entries, in bytes, from which on they are worth
// shelves.
const longList = 1 << 20

// entries reads the inside of revokedCertificates. Nearly all entries of real lists
// have one of two forms, which usualEntry reads; the rest, and all errors, go the
// long way.
func (p *parser) entries(end int64) {
	s := p.s
	if end-s.offset() >= longList {
		p.l.index.long(p.l.thisUpdate)
	}
	p.into = &p.l.index
	odd := p.anyEntry
	for s.err == nil && s.offset() < end {
		b := s.ahead(window / 4)
		b = b[:min(int64(len(b)), end-s.offset())]
		n := 0
		for length := p.usualEntry(b); length > 0; length = p.usualEntry(b[n:]) {
			n += length
		}
		if s.pos += n; n == 0 {
			p.element(der.TagSequence, end, odd)
		}
	}
}

// anyEntry reads one entry.
func (p *parser) anyEntry(r *der.Reader) {
	seq := r.Sequence()
	p.serial, p.record = seq.Integer(), record{invalidSince: noDate}
	if len(p.serial) > maxSerial {
		seq.Fail(errSerial)
	}
	p.record.revokedAt = seq.Time().Unix()
	if seq.More() {
		p.extensions(seq.Sequence(), p.entryExtension)
	}
	seq.End()
	if seq.Ok() {
		p.into.add(p.serial, p.record)
	}
}

// build makes the entries findable.
func (p *parser) build() {
	l := p.l
	l.index.build()
	for _, x := range l.others {
		x.build()
	}
	switch {
	case len(l.others) > 0 && !l.scope.Indirect:
		p.unusable("an entry names another issuer, and the list does not say that it is indirect")
	case l.base != nil && l.number == nil:
		p.unusable("a delta list without a number")
	}
}

// issuer makes the entry that is being read, and those after it, entries of the
// issuer named: certificateIssuer, RFC 5280, Section 5.3.3.
func (p *parser) issuer(v *der.Reader) {
	names := readNames(v.Sequence())
	if len(names) != 1 || names[0].tag != tagDirectory {
		p.unusable("an entry whose issuer has another name than one directory name")
		return
	}
	name := names[0].value
	if name == string(p.l.rawIssuer) {
		p.into = &p.l.index
		return
	}
	if p.into = p.l.others[name]; p.into != nil {
		return
	}
	if len(p.l.others) >= maxIssuers {
		v.Fail(errIssuers)
	}
	if p.l.others == nil {
		p.l.others = make(map[string]*index)
	}
	p.into = &index{}
	p.l.others[name] = p.into
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
	idFreshestCRL       = "\x55\x1d\x2e"
)

// entryExtension reads an extension of an entry: RFC 5280, Section 5.3.
func (p *parser) entryExtension(id string, critical bool, v der.Reader) {
	switch id {
	case idReasonCode:
		p.record.reason = Reason(v.Enumerated(int(AACompromise)))
		if p.record.reason == 7 {
			v.Fail(errReason)
		}
	case idInvalidityDate:
		p.record.invalidSince = v.GeneralizedTime().Unix()
	case idCertificateIssuer:
		p.issuer(&v)
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
		p.l.base = bytes.Clone(v.Integer())
		if len(p.l.base) > maxSerial {
			v.Fail(errSerial)
		}
	case idFreshestCRL:
		p.l.freshest = urls(readPoints(&v, p.l.rawIssuer))
	default:
		if critical {
			p.unusable("unknown critical extension %v", oid(id))
		}
		return
	}
	v.End()
}

func oid(id string) asn1.ObjectIdentifier { return der.OID(id).ObjectIdentifier() }
