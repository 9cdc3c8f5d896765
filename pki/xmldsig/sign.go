package xmldsig

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/xmldsig/strictxml"
)

// Sign returns doc with an enveloped signature over the whole as the last child
// of the root element, in the form that [Verify] accepts. key holds a GOST R
// 34.10-2012 key of 256 or 512 bits; certDER is the certificate of that key and
// is put into KeyInfo. doc itself is not changed.
//
// It refuses documents that are signed already, and those whose root element is
// empty.
func Sign(doc []byte, key crypto.Signer, certDER []byte) ([]byte, error) {
	alg, err := signingAlgorithm(key, certDER)
	if err != nil {
		return nil, err
	}
	d, err := strictxml.Open(doc)
	if err != nil {
		return nil, err
	}
	at, err := insertionPoint(d)
	if err != nil {
		return nil, err
	}
	h, err := newHash(alg.digest)
	if err != nil {
		return nil, err
	}
	if err := canonicalize(h, d, subset{noComment: true}, form{Method: C14N}); err != nil {
		return nil, err
	}
	head, tail := alg.markup(h.Sum(nil), certDER)
	unsigned := bytes.Join([][]byte{doc[:at], []byte(head), []byte(tail), doc[at:]}, nil)
	value, err := alg.sign(unsigned, key)
	if err != nil {
		return nil, err
	}
	middle := base64.StdEncoding.AppendEncode(nil, value)
	return bytes.Join([][]byte{doc[:at], []byte(head), middle, []byte(tail), doc[at:]}, nil), nil
}

// algorithm is what a key signs with.
type algorithm struct {
	digest                  asn1.ObjectIdentifier
	digestURI, signatureURI string
}

func signingAlgorithm(key crypto.Signer, certDER []byte) (algorithm, error) {
	public, ok := key.Public().(*gost3410.PublicKey)
	if !ok {
		return algorithm{}, fmt.Errorf("xmldsig: cannot sign with a %T", key.Public())
	}
	cert, err := gostx509.Parse(certDER)
	if err != nil {
		return algorithm{}, fmt.Errorf("xmldsig: certificate of the signer: %w", err)
	}
	if !public.Equal(cert.PublicKey) {
		return algorithm{}, errors.New("xmldsig: the certificate is of another key")
	}
	if public.Curve().Size() == 64 {
		return algorithm{sigalg.OIDStreebog512, digest512URI, signature512URI}, nil
	}
	return algorithm{sigalg.OIDStreebog256, digest256URI, signature256URI}, nil
}

// insertionPoint returns the offset of the end tag of the root element.
func insertionPoint(d *strictxml.Document) (int, error) {
	at := 0
	for r := d.Reader(); ; {
		t, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return at, nil
		case err != nil:
			return 0, err
		case t.Kind == strictxml.StartElement && isSignature(t):
			return 0, reason.Errorf(reason.XMLSignatureAmbiguous, "the document is signed already")
		case t.Kind == strictxml.EndElement && r.Depth() == 0:
			if t.End == t.Start {
				return 0, errors.New("xmldsig: the root element is empty")
			}
			at = t.Start
		}
	}
}

// markup returns the Signature element without its value: what stands before the
// value, and what stands after it.
func (a algorithm) markup(digest, certDER []byte) (head, tail string) {
	head = `<ds:Signature xmlns:ds="` + space + `"><ds:SignedInfo>` +
		`<ds:CanonicalizationMethod Algorithm="` + string(C14N) + `"/>` +
		`<ds:SignatureMethod Algorithm="` + a.signatureURI + `"/>` +
		`<ds:Reference URI=""><ds:Transforms>` +
		`<ds:Transform Algorithm="` + envelopedURI + `"/>` +
		`<ds:Transform Algorithm="` + string(C14N) + `"/>` +
		`</ds:Transforms><ds:DigestMethod Algorithm="` + a.digestURI + `"/>` +
		`<ds:DigestValue>` + base64.StdEncoding.EncodeToString(digest) + `</ds:DigestValue>` +
		`</ds:Reference></ds:SignedInfo><ds:SignatureValue>`
	tail = `</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>` +
		base64.StdEncoding.EncodeToString(certDER) +
		`</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>`
	return head, tail
}

// sign computes SignatureValue of a document whose Signature has none yet.
func (a algorithm) sign(doc []byte, key crypto.Signer) ([]byte, error) {
	d, err := strictxml.Open(doc)
	if err != nil {
		return nil, err
	}
	places, err := findSignatures(d, 1)
	if err != nil {
		return nil, err
	}
	s, err := readSignature(d, places[0])
	if err != nil {
		return nil, err
	}
	h, err := newHash(a.digest)
	if err != nil {
		return nil, err
	}
	info := s.signedInfo
	if err := canonicalize(h, d, subset{apex: info.scope, inherited: info.inherited}, s.form); err != nil {
		return nil, err
	}
	value, err := key.Sign(rand.Reader, h.Sum(nil), crypto.Hash(0))
	if err != nil {
		return nil, fmt.Errorf("xmldsig: sign: %w", err)
	}
	return value, nil
}
