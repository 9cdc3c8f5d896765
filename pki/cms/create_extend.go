package cms

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/pki/der"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// Addition is what can be added to a signature without touching what was signed.
// The zero value adds nothing.
type Addition struct {
	// Attributes are unsigned attributes of one signer.
	Attributes []Attribute
	// Certificates, CRLs and OCSPs are put beside those of the file, unless they are
	// there: each is DER, of the OCSPs each an OCSPResponse (RFC 5940, Section 2.1).
	Certificates, CRLs, OCSPs [][]byte
}

var (
	errNoSuchSigner = errors.New("cms: no signer with this number")
	errBroken       = errors.New("cms: the signature is broken")
)

// Extend returns the file, in DER, with an addition to the signer with the given
// number, counted from 0. The bytes that were signed stay as they are, and so does
// everything that was added before; only the order in which a SET has its elements
// may change. The file itself is not modified.
//
// A file that the addition would break is refused with reason.SignatureSealed, one
// that would become too long with reason.SignatureTooLarge. Whether the signature is
// good is not looked at.
func (sd *SignedData) Extend(signer int, add Addition) ([]byte, error) {
	if signer < 0 || signer >= len(sd.Signers) {
		return nil, errNoSuchSigner
	}
	if sd.isSealed() {
		return nil, reason.New(reason.SignatureSealed, errSealed)
	}
	m, err := sd.message()
	if err != nil {
		return nil, err
	}
	if m.signers[signer], err = withUnsigned(m.signers[signer], add.Attributes); err != nil {
		return nil, err
	}
	for _, cert := range add.Certificates {
		m.include(cert)
	}
	for _, list := range add.CRLs {
		m.addRevocation(list)
	}
	for _, response := range add.OCSPs {
		m.addRevocation(otherRevocation(response))
		m.version = 5 // RFC 5652, Section 5.1
	}
	return m.file()
}

// CounterSign returns the file, in DER, with a counter-signature: a signature over
// the signature of the signer with the given number, which says that whoever made it
// knew of that one (RFC 5652, Section 11.4). The certificates of the signatory are
// put into the file.
//
// A signature that is known to be bad is refused with the reason of the failure.
// Errors are otherwise those of [Create] and [SignedData.Extend].
func (sd *SignedData) CounterSign(random io.Reader, signer int, by Signatory) ([]byte, error) {
	if err := by.ready(); err != nil {
		return nil, err
	}
	if err := sd.Unbroken(signer); err != nil {
		return nil, err
	}
	sums, err := digestDocument(bytes.NewReader(sd.Signers[signer].Signature), algorithmsOf([]Signatory{by}))
	if err != nil {
		return nil, err
	}
	info, err := by.sign(random, nil, sums)
	if err != nil {
		return nil, err
	}
	add := Addition{
		Attributes:   []Attribute{{Type: der.OID(oidCounterSignature), Values: info}},
		Certificates: [][]byte{by.Certificate.Raw},
	}
	for _, cert := range by.Chain {
		add.Certificates = append(add.Certificates, cert.Raw)
	}
	return sd.Extend(signer, add)
}

// Unbroken checks that nothing about the signature with the given number failed, as
// far as can be told with the certificates of the file and without a document beside
// it: nobody wants to build upon what is broken. The error is a *reason.Error with
// the reason of the check that failed.
func (sd *SignedData) Unbroken(signer int) error {
	if signer < 0 || signer >= len(sd.Signers) {
		return errNoSuchSigner
	}
	certs, _ := sd.X509()
	r := sd.Verify(Content{}, certs)[signer]
	for _, c := range slices.Concat(r.Math, r.Format) {
		if c.Status == verdict.Failed {
			return reason.New(c.Reason, fmt.Errorf("%w: %s", errBroken, c.Name))
		}
	}
	return nil
}

// isSealed reports whether an archive time-stamp of the old forms covers the file as
// it stands.
func (sd *SignedData) isSealed() bool {
	for i := range sd.Signers {
		for _, a := range sd.Signers[i].UnsignedAttrs {
			if t := string(a.Type); t == oidSealOld || t == oidSealV2 {
				return true
			}
		}
	}
	return false
}

// withUnsigned returns a SignerInfo with further unsigned attributes.
func withUnsigned(info []byte, add []Attribute) ([]byte, error) {
	if len(add) == 0 {
		return info, nil
	}
	var d der.Decoder
	top := d.Open(info, derLimits)
	seq := top.Sequence()
	var fields, unsigned [][]byte
	for seq.More() && !seq.Peek(der.Constructed(1)) {
		// Of the sid, digestAlgorithm and signedAttrs none has this tag.
		fields = append(fields, seq.Raw())
	}
	if seq.More() {
		unsigned = elements(seq.Enter(der.Constructed(1)))
	}
	seq.End()
	if err := d.Err(); err != nil {
		return nil, err
	}
	for _, a := range add {
		raw, err := a.marshal()
		if err != nil {
			return nil, err
		}
		unsigned = append(unsigned, raw)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, raw := range fields {
			b.AddBytes(raw)
		}
		addSet(b, der.Constructed(1), unsigned)
	})
	return b.Bytes()
}

// marshal writes Attribute: RFC 5652, Section 5.3.
func (a Attribute) marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addOID(b, string(a.Type))
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(a.Values) })
	})
	return b.Bytes()
}

// addRevocation puts in an element of crls, once.
func (m *message) addRevocation(raw []byte) {
	if !slices.ContainsFunc(m.crls, func(have []byte) bool { return bytes.Equal(have, raw) }) {
		m.crls = append(m.crls, raw)
	}
}

// otherRevocation writes OtherRevocationInfoFormat with an OCSPResponse: RFC 5940,
// Section 2.1.
func otherRevocation(response []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.Tag(der.Constructed(1)), func(b *cryptobyte.Builder) {
		addOID(b, oidOCSPResponse)
		b.AddBytes(response)
	})
	return b.BytesOrPanic() // only an OBJECT IDENTIFIER of ours could fail
}

// file writes the message and makes sure that it can be read.
func (m *message) file() ([]byte, error) {
	file, err := m.marshal()
	if err != nil {
		return nil, err
	}
	if _, err := Parse(file); err != nil {
		return nil, fmt.Errorf("cms: the signature cannot be written: %w", err)
	}
	return file, nil
}
