package ocsp

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/pki/der"
	"propusk/pki/reason"
)

// NonceSize is the length in bytes of the nonce that a client should send: RFC
// 9654, Section 2.1.
const NonceSize = 32

// Request is a parsed request. Its slices point into Raw, which belongs to it;
// nothing may be modified.
type Request struct {
	Raw []byte
	// IDs are the certificates that are asked about; there is at least one.
	IDs []ID
	// Nonce is the content of the nonce; nil if there is none.
	Nonce []byte
	// Signed reports whether the request carries a signature, which is not
	// checked: who may ask is not a question here.
	Signed bool
	// Unusable says why the request must be refused: a critical extension that is
	// not known (RFC 6960, Section 4.1.2). It is nil for one that can be answered.
	Unusable error
}

// CreateRequest makes a request about certificates, one at least, that is not signed.
// The nonce is of 1 to 128 bytes, NonceSize of them by a good generator; with nil
// there is none. The error is a *reason.Error with reason.OCSPMalformed.
func CreateRequest(nonce []byte, certs ...ID) ([]byte, error) {
	if len(certs) == 0 || len(certs) > maxSingles || nonce != nil && !validNonce(nonce) {
		return nil, reason.Errorf(reason.OCSPMalformed, "ocsp: no certificate or too many, or a nonce of a wrong length")
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, id := range certs {
					b.AddASN1(cbasn1.SEQUENCE, id.add)
				}
			})
			if nonce != nil {
				b.AddASN1(cbasn1.Tag(der.Constructed(2)), func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { addNonce(b, nonce) })
				})
			}
		})
	})
	raw, err := b.Bytes()
	if err != nil {
		return nil, reason.New(reason.OCSPMalformed, err)
	}
	return raw, nil
}

// ParseRequest reads OCSPRequest in DER (RFC 6960, Section 4.1.1). The error is a
// *reason.Error: reason.OCSPMalformed or reason.OCSPTooLarge.
func ParseRequest(data []byte) (*Request, error) {
	r := &Request{Raw: bytes.Clone(data)}
	var d der.Decoder
	input := d.Open(r.Raw, limits())
	request := input.Sequence()
	input.End()
	r.readData(request.Sequence())
	if request.Peek(der.Constructed(0)) {
		r.Signed = true
		signature := request.Enter(der.Constructed(0))
		signature.RawTag(der.TagSequence)
		signature.End()
	}
	request.End()
	if err := failure(&d); err != nil {
		return nil, err
	}
	return r, nil
}

// readData reads TBSRequest.
func (r *Request) readData(data der.Reader) {
	readVersion(&data)
	if data.Peek(der.Constructed(1)) {
		data.Raw() // requestorName
	}
	list := data.Sequence()
	for list.More() {
		one := list.Sequence()
		r.IDs = append(r.IDs, readID(&one))
		if one.Peek(der.Constructed(0)) {
			extensions := one.Enter(der.Constructed(0))
			extensions.Extensions(maxExtensions, r.extension)
			extensions.End()
		}
		one.End()
		if len(r.IDs) > maxSingles {
			list.Fail(errSingles)
		}
	}
	if len(r.IDs) == 0 {
		list.Fail(errSingles)
	}
	if data.Peek(der.Constructed(2)) {
		extensions := data.Enter(der.Constructed(2))
		extensions.Extensions(maxExtensions, r.requestExtension)
		extensions.End()
	}
	data.End()
}

// requestExtension reads one extension of the request.
func (r *Request) requestExtension(id der.OID, critical bool, v der.Reader) {
	switch string(id) {
	case idNonce:
		r.Nonce = v.OctetString()
		v.End()
		if !validNonce(r.Nonce) {
			v.Fail(errNonce)
		}
	case idAcceptable: // there is one type of response
	default:
		r.extension(id, critical, v)
	}
}

// extension passes over an extension that is not known.
func (r *Request) extension(id der.OID, critical bool, _ der.Reader) {
	if critical && r.Unusable == nil {
		r.Unusable = unknownExtension(id)
	}
}

// validNonce reports whether a nonce has a length that RFC 9654, Section 2.1, allows.
func validNonce(nonce []byte) bool { return len(nonce) >= 1 && len(nonce) <= maxNonce }

// addNonce writes the extension.
func addNonce(b *cryptobyte.Builder, nonce []byte) {
	addExtension(b, idNonce, func(b *cryptobyte.Builder) { b.AddASN1OctetString(nonce) })
}

// addExtension writes an extension that is not critical; id is the content of its
// identifier.
func addExtension(b *cryptobyte.Builder, id string, value cryptobyte.BuilderContinuation) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(id)) })
		b.AddASN1(cbasn1.OCTET_STRING, value)
	})
}
