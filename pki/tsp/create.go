package tsp

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/pki/cms"
	"propusk/pki/der"
	"propusk/pki/gostx509"
)

// Template says what Create puts into a token.
type Template struct {
	// Policy is that of the TSA; it must be set.
	Policy asn1.ObjectIdentifier
	// Digest is the imprint of what is stamped; it must be set.
	Digest Imprint
	// Serial is the number of the token as a big-endian magnitude, up to 20 bytes.
	// When empty, 16 random bytes are taken.
	Serial []byte
	// GenTime is the time of the stamp; what is below a microsecond is cut off.
	GenTime time.Time
	// Accuracy is how far GenTime may be off, in whole microseconds; zero leaves
	// the field out.
	Accuracy time.Duration
	// Ordering says that tokens can be ordered by GenTime alone.
	Ordering bool
	// Nonce is that of the request: content of the INTEGER; empty: none.
	Nonce []byte
	// Named puts in the subject of the certificate as the name of the TSA.
	Named bool
	// Certificates are included: usually, when the request asks for them, that of
	// the TSA and those of its CAs.
	Certificates []*gostx509.Certificate
	// Extensions are written as they are.
	Extensions []Extension
}

var errTemplate = errors.New("tsp: a token without a policy or digest, or with a number that is too long")

// Create makes a token, signed with the key of a certificate, and returns its DER.
// A nil random means crypto/rand. Whether the certificate is one for time-stamps is
// not asked, so that bad tokens can be made for tests; [Authority.Respond] asks.
// Further errors are those of [cms.CreateContent].
func Create(random io.Reader, t Template, cert *gostx509.Certificate, key crypto.Signer) ([]byte, error) {
	if random == nil {
		random = rand.Reader
	}
	if len(t.Policy) == 0 || len(t.Digest.Hash) == 0 || len(t.Serial) > MaxSerial-1 || len(t.Nonce) > MaxNonce || t.Accuracy < 0 {
		return nil, errTemplate
	}
	if len(t.Serial) == 0 {
		t.Serial = make([]byte, 16)
		if _, err := io.ReadFull(random, t.Serial); err != nil {
			return nil, fmt.Errorf("tsp: serial number: %w", err)
		}
	}
	info, err := t.info(cert)
	if err != nil {
		return nil, err
	}
	return cms.CreateContent(random, oidTSTInfo, info, cms.Signatory{
		Key: key, Certificate: cert, Chain: t.Certificates,
	})
}

// info writes TSTInfo: RFC 3161, Section 2.4.2.
func (t *Template) info(cert *gostx509.Certificate) ([]byte, error) {
	imprint, err := t.Digest.marshal()
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1ObjectIdentifier(t.Policy)
		b.AddBytes(imprint)
		addNumber(b, positive(t.Serial))
		b.AddASN1(cbasn1.GeneralizedTime, func(b *cryptobyte.Builder) { b.AddBytes(generalizedTime(t.GenTime)) })
		t.addAccuracy(b)
		addTrue(b, t.Ordering)
		addNumber(b, t.Nonce)
		if t.Named {
			b.AddASN1(cbasn1.Tag(der.Constructed(0)), func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.Tag(der.Constructed(4)), func(b *cryptobyte.Builder) { b.AddBytes(cert.RawSubject) })
			})
		}
		addExtensions(b, der.Constructed(1), t.Extensions)
	})
	return b.Bytes()
}

// positive returns the content of an INTEGER with a magnitude.
func positive(magnitude []byte) []byte {
	n := bytes.TrimLeft(magnitude, "\x00")
	if len(n) == 0 || n[0]&0x80 != 0 {
		n = append([]byte{0}, n...)
	}
	return n
}

// generalizedTime writes a time with the fraction that DER wants: no zeros at its
// end, and no point without a digit.
func generalizedTime(at time.Time) []byte {
	return []byte(at.UTC().Truncate(time.Microsecond).Format("20060102150405.999999") + "Z")
}

// addAccuracy writes Accuracy, whose fields are left out when they are zero.
func (t *Template) addAccuracy(b *cryptobyte.Builder) {
	micros := t.Accuracy.Microseconds()
	if micros == 0 {
		return
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if s := micros / 1e6; s > 0 {
			b.AddASN1Int64(s)
		}
		if ms := micros / 1e3 % 1e3; ms > 0 {
			b.AddASN1Int64WithTag(ms, cbasn1.Tag(der.Context(0)))
		}
		if us := micros % 1e3; us > 0 {
			b.AddASN1Int64WithTag(us, cbasn1.Tag(der.Context(1)))
		}
	})
}
