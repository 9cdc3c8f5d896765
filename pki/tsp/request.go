package tsp

import (
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/pki/der"
	"propusk/pki/reason"
)

// Request is a TimeStampReq: RFC 3161, Section 2.4.1.
type Request struct {
	// Digest is the imprint of what shall be stamped.
	Digest Imprint
	// Policy is the one that is asked for; nil: any.
	Policy asn1.ObjectIdentifier
	// Nonce is the content of the INTEGER, minimal; nil: none.
	Nonce []byte
	// WantCertificate asks for the certificate of the TSA inside the token.
	WantCertificate bool
	// Extensions stand as they were sent.
	Extensions []Extension
}

// ParseRequest reads one request in DER. Slices point into data. The error is a
// *reason.Error with reason.TimeStampMalformed or reason.TimeStampTooLarge.
func ParseRequest(data []byte) (*Request, error) {
	if len(data) > MaxRequest {
		return nil, reason.New(reason.TimeStampTooLarge, errSize)
	}
	var d der.Decoder
	var q Request
	top := d.Open(data, limits)
	seq := top.Sequence()
	if seq.Int(1<<16) != 1 {
		seq.Fail(errVersion)
	}
	q.Digest = readImprint(&seq)
	if seq.Peek(der.TagOID) {
		q.Policy = seq.OID().ObjectIdentifier()
	}
	if seq.Peek(der.TagInteger) {
		q.Nonce = readNumber(&seq, MaxNonce, errNonce)
	}
	q.WantCertificate = seq.DefaultFalse()
	q.Extensions = readExtensions(&seq, der.Constructed(0))
	seq.End()
	top.End()
	if err := d.Err(); err != nil {
		return nil, reason.New(reason.TimeStampMalformed, err)
	}
	return &q, nil
}

// Marshal returns the DER of the request. A field that cannot be written is an
// error.
func (q *Request) Marshal() ([]byte, error) {
	imprint, err := q.Digest.marshal()
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddBytes(imprint)
		if q.Policy != nil {
			b.AddASN1ObjectIdentifier(q.Policy)
		}
		addNumber(b, q.Nonce)
		addTrue(b, q.WantCertificate)
		addExtensions(b, der.Constructed(0), q.Extensions)
	})
	return b.Bytes()
}

// marshal returns the DER of MessageImprint.
func (i Imprint) marshal() ([]byte, error) {
	id, err := i.Algorithm.Marshal()
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(id)
		b.AddASN1OctetString(i.Hash)
	})
	return b.Bytes()
}

// addNumber writes an optional INTEGER given as its content.
func addNumber(b *cryptobyte.Builder, content []byte) {
	if len(content) > 0 {
		b.AddASN1(cbasn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(content) })
	}
}

// addTrue writes a BOOLEAN DEFAULT FALSE.
func addTrue(b *cryptobyte.Builder, value bool) {
	if value {
		b.AddASN1Boolean(true)
	}
}

// addExtensions writes optional Extensions under a tag.
func addExtensions(b *cryptobyte.Builder, tag der.Tag, all []Extension) {
	if len(all) == 0 {
		return
	}
	b.AddASN1(cbasn1.Tag(tag), func(b *cryptobyte.Builder) {
		for _, e := range all {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(e.ID)
				addTrue(b, e.Critical)
				b.AddASN1OctetString(e.Value)
			})
		}
	})
}
