package xmldsig

import (
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/verdict"
	"propusk/pki/xmldsig/strictxml"
)

// Limits of Inspect. Each reference may cost a pass over the whole document, so
// the size and the number of signatures are bounded together.
const (
	maxInspected  = 16 << 20 // bytes
	maxSignatures = 16
)

// Signature is one Signature element and what was found about it. Nobody vouches
// for the certificate: it came with the document.
type Signature struct {
	// Status is Passed if the digests and the signature value are right; Checks
	// are the steps "xml.structure", "xml.digest" and "xml.signature".
	Status verdict.Status
	Checks []verdict.Check

	// Certificate is the certificate of KeyInfo whose key made the signature;
	// nil unless Status is Passed.
	Certificate *gostx509.Certificate

	// References says what the signature covers, in the order of SignedInfo.
	References []Covered
}

// Covered is what one reference of a signature covers.
type Covered struct {
	URI string // as written
	// Element is the local name of the element that is covered, empty for the
	// whole document.
	Element string
	// Start and End are the offsets of the element in the document, in bytes.
	Start, End int
	// Whole says that all elements of the document but signatures are covered.
	Whole bool
}

// Reason says why the signature did not pass; it is empty if it did.
func (s *Signature) Reason() reason.Code { return why(s.Checks) }

// Inspect checks every signature of a document of at most 16 MiB, each with the
// certificates that it brings, and tells what it covers. Besides what Verify
// knows it knows references to parts of the document and the transform of СМЭВ 3.
//
// An error is a *reason.Error that says why doc is not XML that can be read, or
// reason.XMLNotSigned.
func Inspect(doc []byte) ([]Signature, error) {
	if len(doc) > maxInspected {
		return nil, reason.Errorf(reason.XMLTooLarge, "document of %d bytes, the limit is %d", len(doc), maxInspected)
	}
	d, err := strictxml.Open(doc)
	if err != nil {
		return nil, err
	}
	places, err := findSignatures(d, maxSignatures)
	if err != nil {
		return nil, err
	}
	if len(places) == 0 {
		return nil, reason.Errorf(reason.XMLNotSigned, "no Signature element")
	}
	all := make([]Signature, 0, len(places))
	for _, p := range places {
		all = append(all, inspect(d, p))
	}
	return all, nil
}

func inspect(d *strictxml.Document, at *place) Signature {
	var r Result
	s, err := readSignature(d, at)
	if !r.step(stepStructure, citeStructure, err) {
		return Signature{Status: r.status, Checks: r.checks}
	}
	v := verifier{d: d, s: s}
	out := Signature{}
	if r.step(stepDigest, citeDigest, v.checkReferences()) {
		out.References, err = v.covered()
		var cert *gostx509.Certificate
		if err == nil {
			cert, err = v.ownSigner()
		}
		if r.step(stepSignature, citeSignature, err) {
			r.status, out.Certificate = verdict.Passed, cert
		}
	}
	out.Status, out.Checks = r.status, r.checks
	return out
}

// covered describes the targets of the references.
func (v *verifier) covered() ([]Covered, error) {
	var all []Covered
	for _, ref := range v.s.references {
		t, err := v.resolve(ref.uri)
		if err != nil {
			return nil, err
		}
		plan, err := ref.plan()
		if err != nil {
			return nil, err
		}
		c := Covered{URI: ref.uri, End: len(v.d.Bytes()), Whole: t.whole() && !plan.smev}
		if t.place != nil {
			c.Element, c.Start, c.End = t.place.name, t.place.scope.Start(), t.place.end
		}
		all = append(all, c)
	}
	return all, nil
}

// ownSigner returns the certificate of KeyInfo whose key made the signature.
func (v *verifier) ownSigner() (*gostx509.Certificate, error) {
	check, _, err := v.signatureCheck()
	if err != nil {
		return nil, err
	}
	if len(v.s.certs) == 0 {
		return nil, reason.Errorf(reason.SignerCertMissing, "no X509Certificate in KeyInfo")
	}
	for _, der := range v.s.certs {
		c, err := gostx509.Parse(der)
		if err != nil {
			continue // another one may do; if none does, the signature is bad
		}
		if check(c) {
			return c, nil
		}
	}
	return nil, reason.Errorf(reason.SignatureBad, "SignatureValue verifies with none of %d certificates of KeyInfo", len(v.s.certs))
}
