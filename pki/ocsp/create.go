package ocsp

import (
	"crypto"
	"fmt"
	"io"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/pki/crl"
	"propusk/pki/der"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// Template is what CreateResponse writes. All times are written to the second.
type Template struct {
	ProducedAt time.Time
	// Singles are the answers, one at least. A reason of crl.Unspecified and times
	// that are zero are left out; Unusable is not looked at.
	Singles []Single
	// Nonce is that of the request; left out if nil.
	Nonce []byte
	// ByName names the responder by its name, not by the digest of its key.
	ByName bool
	// Certificates go into the response. That of a responder which is not the issuer
	// belongs among them.
	Certificates []*gostx509.Certificate
	// Extra holds further extensions of the response, written as they are.
	Extra []gostx509.Extension
}

// CreateResponse makes a successful OCSPResponse, signed with the key of signer, and
// returns its DER. A nil rand means crypto/rand.
func CreateResponse(rand io.Reader, t Template, signer *gostx509.Certificate, key crypto.Signer) ([]byte, error) {
	if len(t.Singles) == 0 || len(t.Singles) > maxSingles || len(t.Certificates) > maxCertificates ||
		t.Nonce != nil && !validNonce(t.Nonce) {
		return nil, reason.Errorf(reason.OCSPMalformed, "ocsp: answers or certificates of a wrong number, or a nonce of a wrong length")
	}
	data, err := t.marshal(signer)
	if err != nil {
		return nil, fmt.Errorf("create OCSP response: %w", err)
	}
	alg, signature, err := sigalg.Sign(rand, key, data)
	if err != nil {
		return nil, fmt.Errorf("create OCSP response: %w", err)
	}
	algorithm, err := alg.Marshal()
	if err != nil {
		return nil, fmt.Errorf("create OCSP response: %w", err)
	}
	return wrap(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(data)
			b.AddBytes(algorithm)
			b.AddASN1BitString(signature)
			if len(t.Certificates) == 0 {
				return
			}
			tagged(b, 0, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					for _, c := range t.Certificates {
						b.AddBytes(c.Raw)
					}
				})
			})
		})
	})
}

// Wrap puts a BasicOCSPResponse into an OCSPResponse, the form of files and of answers
// over HTTP.
func Wrap(basic []byte) ([]byte, error) {
	return wrap(func(b *cryptobyte.Builder) { b.AddBytes(basic) })
}

// wrap writes OCSPResponse around a BasicOCSPResponse.
func wrap(basic cryptobyte.BuilderContinuation) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(int64(Successful))
		tagged(b, 0, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(idBasic)) })
				b.AddASN1(cbasn1.OCTET_STRING, basic)
			})
		})
	})
	return b.Bytes()
}

// CreateRefusal makes an OCSPResponse that holds no answer, only why. The status must
// not be Successful: a panic.
func CreateRefusal(s ResponseStatus) []byte {
	if s == Successful || s > 127 {
		panic("ocsp: no status to refuse with")
	}
	return []byte{byte(der.TagSequence), 3, byte(der.TagEnumerated), 1, byte(s)}
}

// marshal writes ResponseData.
func (t *Template) marshal(signer *gostx509.Certificate) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if t.ByName {
			tagged(b, 1, func(b *cryptobyte.Builder) { b.AddBytes(signer.RawSubject) })
		} else {
			tagged(b, 2, func(b *cryptobyte.Builder) { b.AddASN1OctetString(keyHash(signer)) })
		}
		addTime(b, t.ProducedAt)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for i := range t.Singles {
				b.AddASN1(cbasn1.SEQUENCE, t.Singles[i].add)
			}
		})
		t.addExtensions(b)
	})
	return b.Bytes()
}

// addExtensions writes responseExtensions, if there are any.
func (t *Template) addExtensions(b *cryptobyte.Builder) {
	if t.Nonce == nil && len(t.Extra) == 0 {
		return
	}
	tagged(b, 1, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			if t.Nonce != nil {
				addNonce(b, t.Nonce)
			}
			for _, e := range t.Extra {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(e.ID)
					if e.Critical {
						b.AddASN1Boolean(true)
					}
					b.AddASN1OctetString(e.Value)
				})
			}
		})
	})
}

// add writes the fields of SingleResponse.
func (s *Single) add(b *cryptobyte.Builder) {
	s.ID.add(b)
	switch s.Status {
	case Good:
		b.AddASN1(cbasn1.Tag(der.Context(0)), func(*cryptobyte.Builder) {})
	case Revoked:
		tagged(b, 1, func(b *cryptobyte.Builder) {
			addTime(b, s.RevokedAt)
			if s.Reason != crl.Unspecified {
				tagged(b, 0, func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(s.Reason)) })
			}
		})
	default:
		b.AddASN1(cbasn1.Tag(der.Context(2)), func(*cryptobyte.Builder) {})
	}
	addTime(b, s.ThisUpdate)
	if !s.NextUpdate.IsZero() {
		tagged(b, 0, func(b *cryptobyte.Builder) { addTime(b, s.NextUpdate) })
	}
	if s.InvalidSince.IsZero() && s.ArchiveCutoff.IsZero() {
		return
	}
	tagged(b, 1, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			if !s.ArchiveCutoff.IsZero() {
				addExtension(b, idArchiveCutoff, func(b *cryptobyte.Builder) { addTime(b, s.ArchiveCutoff) })
			}
			if !s.InvalidSince.IsZero() {
				addExtension(b, idInvalidityDate, func(b *cryptobyte.Builder) { addTime(b, s.InvalidSince) })
			}
		})
	})
}

// tagged writes an element with the explicit tag [n].
func tagged(b *cryptobyte.Builder, n uint8, inside cryptobyte.BuilderContinuation) {
	b.AddASN1(cbasn1.Tag(der.Constructed(n)), inside)
}

func addTime(b *cryptobyte.Builder, t time.Time) { b.AddASN1GeneralizedTime(t.UTC()) }
