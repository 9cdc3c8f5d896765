package xmldsig

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"io"
	"strings"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
	"propusk/pki/verdict"
	"propusk/pki/xmldsig/strictxml"
)

// Options says whom Verify believes.
type Options struct {
	// Signers are the pinned certificates: the signature must verify with the
	// key of one of them. Without any, nothing passes. Their dates and their
	// own chains are the caller's business.
	Signers []*gostx509.Certificate
}

// Result is what Verify found. The zero value grants nothing.
type Result struct {
	status verdict.Status
	checks []verdict.Check
	signer *gostx509.Certificate
	proof  Proof
}

// Proof is the value of a signature, for those who want it verified by somebody else
// too (63-ФЗ, ст. 11).
type Proof struct {
	Digest []byte // of SignedInfo, in software order
	Value  []byte // for GOST s and r, both big-endian (RFC 9215)
}

// Status says how the verification ended.
func (r Result) Status() verdict.Status { return r.status }

// Checks returns the steps in the order they ran: "xml.structure",
// "xml.coverage", "xml.signature", "xml.digest".
func (r Result) Checks() []verdict.Check { return r.checks }

// Reason says why the signature did not pass; it is empty if it did.
func (r Result) Reason() reason.Code { return why(r.checks) }

// why returns the reason of the first check that did not pass.
func why(checks []verdict.Check) reason.Code {
	for _, c := range checks {
		if c.Status != verdict.Passed {
			return c.Reason
		}
	}
	return ""
}

// Signer returns the pinned certificate whose key made the signature, and true
// only if the signature passed and covers the whole document. Certificates that
// came with the document are never returned.
func (r Result) Signer() (*gostx509.Certificate, bool) {
	if r.status != verdict.Passed {
		return nil, false
	}
	return r.signer, true
}

// Proof returns what the key of the signer was checked with; zero unless the status is
// Passed. It must not be modified.
func (r Result) Proof() Proof {
	if r.status != verdict.Passed {
		return Proof{}
	}
	return r.proof
}

// Names of the steps, and what they rest on.
const (
	stepStructure = "xml.structure"
	stepCoverage  = "xml.coverage"
	stepDigest    = "xml.digest"
	stepSignature = "xml.signature"

	citeStructure = "XMLDSig, 4"
	citeCoverage  = "XMLDSig, 8.1"
	citeDigest    = "XMLDSig, 3.2.1"
	citeSignature = "XMLDSig, 3.2.2"
)

// Verify checks a document that carries exactly one signature: enveloped, a
// child of the root element, over the whole root element (XMLDSig, 3.2). Other
// references are allowed only to parts of the Signature itself, as XAdES makes
// them. Comments are not covered: no reader of the document may give them a
// meaning.
//
// A signature that is absent, bad or made by somebody else is a Result. An error
// is a *reason.Error that says why doc is not XML that can be read.
func Verify(doc []byte, opts Options) (Result, error) {
	d, err := strictxml.Open(doc)
	if err != nil {
		return Result{}, err
	}
	return VerifyDocument(d, opts)
}

// VerifyDocument is Verify for a document whose characters were checked already: that
// takes time when it is large.
func VerifyDocument(d *strictxml.Document, opts Options) (Result, error) {
	places, err := findSignatures(d, 1)
	if err != nil && reason.Of(err) != reason.XMLSignatureAmbiguous {
		return Result{}, err
	}
	var r Result
	if err == nil {
		err = checkPlace(places)
	}
	var s *signature
	if err == nil {
		s, err = readSignature(d, places[0])
	}
	if !r.step(stepStructure, citeStructure, err) {
		return r, nil
	}
	v := verifier{d: d, s: s}
	if !r.step(stepCoverage, citeCoverage, v.coversDocument()) {
		return r, nil
	}
	// First whose references these are: digests of a stranger's may take long.
	signer, digest, err := v.signer(opts.Signers)
	if r.step(stepSignature, citeSignature, err) && r.step(stepDigest, citeDigest, v.checkReferences()) {
		r.status, r.signer, r.proof = verdict.Passed, signer, Proof{Digest: digest, Value: s.value}
	}
	return r, nil
}

// step records a step and reports whether it passed.
func (r *Result) step(name, cite string, err error) bool {
	c := verdict.Check{Name: name, Cite: cite, Status: verdict.Passed}
	if err != nil {
		c.Status, c.Reason, c.Detail = verdict.Failed, reason.Of(err), err.Error()
		r.status = verdict.Failed
	}
	r.checks = append(r.checks, c)
	return err == nil
}

// checkPlace makes sure that there is one Signature and that it is a child of
// the root element.
func checkPlace(places []*place) error {
	if len(places) == 0 {
		return reason.Errorf(reason.XMLNotSigned, "no Signature element")
	}
	if places[0].depth != 2 {
		return reason.Errorf(reason.XMLSignaturePartial, "Signature is not a child of the root element")
	}
	return nil
}

// verifier checks one signature.
type verifier struct {
	d *strictxml.Document
	s *signature
}

// target is what a Reference points to.
type target struct {
	place    *place // nil means the document
	comments bool   // the node-set holds comments
}

// whole reports whether the target is all the elements of the document.
func (t target) whole() bool { return t.place == nil || t.place.depth == 1 }

// resolve finds what a Reference points to (XMLDSig, 4.3.3.2).
func (v *verifier) resolve(uri string) (target, error) {
	switch {
	case uri == "":
		return target{}, nil
	case uri == "#xpointer(/)":
		return target{comments: true}, nil
	case strings.HasPrefix(uri, "#") && len(uri) > 1 && !strings.ContainsAny(uri, "()"):
		p, err := findID(v.d, uri[1:])
		return target{place: p}, err
	}
	return target{}, reason.Errorf(reason.XMLSignaturePartial, "reference to something outside the document")
}

// coversDocument makes sure that one reference covers the whole document but the
// signature, and that the others stay inside the signature.
func (v *verifier) coversDocument() error {
	whole := 0
	for _, ref := range v.s.references {
		t, err := v.resolve(ref.uri)
		if err != nil {
			return err
		}
		plan, err := ref.plan()
		if err != nil {
			return err
		}
		if _, err := digestMethod(ref.method); err != nil {
			return err
		}
		switch {
		case t.whole() && plan.enveloped() && !plan.smev:
			whole++
		case t.place != nil && v.s.at.contains(t.place) && !plan.enveloped() && !plan.smev:
		default:
			return reason.Errorf(reason.XMLSignaturePartial, "reference %q does not cover the document", ref.uri)
		}
	}
	if whole != 1 {
		return reason.Errorf(reason.XMLSignaturePartial, "%d references cover the document", whole)
	}
	return nil
}

// checkReferences computes the digest of every reference (XMLDSig, 3.2.1).
func (v *verifier) checkReferences() error {
	for _, ref := range v.s.references {
		if err := v.checkReference(ref); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) checkReference(ref reference) error {
	oid, err := digestMethod(ref.method)
	if err != nil {
		return err
	}
	h, err := newHash(oid)
	if err != nil {
		return err
	}
	t, err := v.resolve(ref.uri)
	if err != nil {
		return err
	}
	plan, err := ref.plan()
	if err != nil {
		return err
	}
	if err := v.transform(h, t, plan); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(h.Sum(nil), ref.digest) != 1 {
		return reason.Errorf(reason.ContentChanged, "digest of reference %q differs", ref.uri)
	}
	return nil
}

// plan is a list of transforms, understood.
type plan struct {
	own  bool // leave out the signature itself: enveloped-signature
	all  bool // leave out all signatures: the XPath filter
	form form // canonicalisation
	smev bool // then the transform of СМЭВ 3
}

// enveloped reports whether the signature is left out of what it signs.
func (p plan) enveloped() bool { return p.own || p.all }

// Transforms besides canonicalisation.
const (
	envelopedURI = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
	xpathURI     = "http://www.w3.org/TR/1999/REC-xpath-19991116"
	smevURI      = "urn://smev-gov-ru/xmldsig/transform"
)

// plan understands the transforms of a reference: first those that leave
// something out, then at most one canonicalisation, then the transform of СМЭВ.
// Without a canonicalisation it is C14N (XMLDSig, 4.3.3.2).
func (r *reference) plan() (plan, error) {
	p := plan{form: form{Method: C14N}}
	octets := false
	for _, t := range r.transforms {
		switch {
		case t.algorithm == envelopedURI && !octets:
			p.own = true
		case t.algorithm == xpathURI && !octets && t.leavesOutSignatures():
			p.all = true
		case Method(t.algorithm).valid() && !octets:
			p.form, octets = form{Method: Method(t.algorithm), inclusive: t.inclusive}, true
			if len(t.inclusive) > 0 && !p.form.exclusive() {
				return plan{}, structure("InclusiveNamespaces for %q", t.algorithm)
			}
		case t.algorithm == smevURI && !p.smev:
			octets, p.smev = true, true
		default:
			return plan{}, reason.Errorf(reason.SignatureAlgorithmUnsupported, "transform %q here", t.algorithm)
		}
	}
	return p, nil
}

// leavesOutSignatures recognises the one XPath filter that is in use. XPath as
// such is a programming language, which a verifier must not run.
func (t *transform) leavesOutSignatures() bool {
	if t.xpath == nil {
		return false
	}
	expr := string(bytes.TrimSpace(t.xpath.text))
	prefix, ok := strings.CutPrefix(expr, "not(ancestor-or-self::")
	if !ok {
		return false
	}
	prefix, ok = strings.CutSuffix(prefix, ":Signature)")
	return ok && prefix != "" && t.xpath.scopes[prefix] == space
}

// transform writes to w what a reference digests.
func (v *verifier) transform(w io.Writer, t target, p plan) error {
	s := subset{noComment: !t.comments, omit: v.omit(p)}
	if t.place != nil {
		s.apex, s.inherited = t.place.scope, t.place.inherited
	}
	if !p.smev {
		return canonicalize(w, v.d, s, p.form)
	}
	var b bytes.Buffer
	if err := canonicalize(&b, v.d, s, p.form); err != nil {
		return err
	}
	return transformSMEV(w, b.Bytes())
}

// omit returns the test for the elements that a plan leaves out.
func (v *verifier) omit(p plan) func(*strictxml.Token) bool {
	switch {
	case p.all:
		return isSignature
	case p.own:
		at := v.s.at.scope.Start()
		return func(t *strictxml.Token) bool { return t.Start == at }
	}
	return nil
}

// signer returns the pinned certificate whose key made the signature (XMLDSig,
// 3.2.2), and the digest that it signs.
func (v *verifier) signer(pinned []*gostx509.Certificate) (*gostx509.Certificate, []byte, error) {
	check, digest, err := v.signatureCheck()
	if err != nil {
		return nil, nil, err
	}
	for _, c := range pinned {
		if check(c) {
			return c, digest, nil
		}
	}
	for _, der := range v.s.certs {
		for _, c := range pinned {
			if bytes.Equal(c.Raw, der) {
				return nil, nil, reason.Errorf(reason.SignatureBad, "SignatureValue does not verify with the pinned certificate")
			}
		}
	}
	return nil, nil, reason.Errorf(reason.XMLSignerUnknown, "none of %d pinned certificates made the signature", len(pinned))
}

// signatureCheck returns the check of SignatureValue with the key of a
// certificate, and the digest of SignedInfo.
func (v *verifier) signatureCheck() (func(*gostx509.Certificate) bool, []byte, error) {
	oid, size, ok := signatureMethod(v.s.method)
	if !ok {
		return nil, nil, reason.Errorf(reason.SignatureAlgorithmUnsupported, "SignatureMethod %q", v.s.method)
	}
	h, err := newHash(oid)
	if err != nil {
		return nil, nil, err
	}
	info := v.s.signedInfo
	err = canonicalize(h, v.d, subset{apex: info.scope, inherited: info.inherited}, v.s.form)
	if err != nil {
		return nil, nil, fmt.Errorf("canonicalise SignedInfo: %w", err)
	}
	digest := h.Sum(nil)
	return func(c *gostx509.Certificate) bool {
		// The value is s|r, as in X.509: all samples from the wild agree.
		return c.AcceptsDigest(oid) && fits(c.PublicKey, size) && sigalg.VerifyDigest(oid, c.PublicKey, digest, v.s.value) == nil
	}, digest, nil
}
