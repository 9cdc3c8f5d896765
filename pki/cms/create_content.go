package cms

import (
	"bytes"
	"encoding/asn1"
	"io"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/pki/der"
)

// CreateContent signs content of a type of its own, such as the TSTInfo of a
// time-stamp, and returns the SignedData in DER with the content inside. The
// certificates in it are those of the Chain alone: who wants that of the signatory
// inside, names it there. Unlike people, a service may sign with a key of RSA or
// ECDSA; a key of crypto/rsa or crypto/ecdsa is asked to sign as it always is.
//
// Errors are as of [Create].
func CreateContent(random io.Reader, contentType asn1.ObjectIdentifier, content []byte, by Signatory) ([]byte, error) {
	by.anyKey = true
	if err := by.ready(); err != nil {
		return nil, err
	}
	var oid cryptobyte.Builder
	oid.AddASN1ObjectIdentifier(contentType)
	typeRaw, err := oid.Bytes()
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(typeRaw)
		b.AddASN1(cbasn1.Tag(der.Constructed(0)), func(b *cryptobyte.Builder) { b.AddASN1OctetString(content) })
	})
	encapsulated, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	sums, err := digestDocument(bytes.NewReader(content), algorithmsOf([]Signatory{by}))
	if err != nil {
		return nil, err
	}
	m := &message{version: 3, content: encapsulated, namedOnly: true} // RFC 5652, Section 5.1
	return m.signAll(random, typeRaw[2:], sums, []Signatory{by})
}
