package cms

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"propusk/pki/der"
	"propusk/pki/reason"
	"propusk/pki/verdict"
)

// Unsigned attributes with a time-stamp over the certificates of the file as they
// stand: whoever adds one breaks it (ETSI EN 319 122-1, Annex A.2.4 and A.2.5).
// The newest form, archive-time-stamp-v3, names what it covers and bears additions.
const (
	oidSealOld = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x1b" // 1.2.840.113549.1.9.16.2.27
	oidSealV2  = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x30" // 1.2.840.113549.1.9.16.2.48
)

var (
	errNoDocument  = errors.New("cms: the signature is detached: its document is needed")
	errTwoDocument = errors.New("cms: the document is inside the signature: none may be given beside it")
	errNoSigners   = errors.New("cms: no signature to add one to")
	errSealed      = errors.New("cms: an archive time-stamp covers the file")
	errTwice       = errors.New("cms: the certificate has signed already")
)

// Add returns the file with the signatures of further signatories over the same
// document, in DER. Those that are there stay byte for byte, with everything that
// belongs to them; only the order in which a SET has its elements may change. The
// file itself is not modified.
//
// The document is given if and only if the signature is detached; it is read once.
// Nobody puts his name beside what is broken: a file with a signature that fails, or
// is over another document, is refused with the reason.Code of the failure, a
// signatory who is there already with reason.SignedAlready, a file that an addition
// would break with reason.SignatureSealed. Further errors are those of [Create].
func (sd *SignedData) Add(random, document io.Reader, by ...Signatory) ([]byte, error) {
	if err := ready(by); err != nil {
		return nil, err
	}
	if err := sd.takes(by); err != nil {
		return nil, err
	}
	switch {
	case sd.Detached && document == nil:
		return nil, reason.New(reason.ContentMissing, errNoDocument)
	case !sd.Detached && document != nil:
		return nil, errTwoDocument
	case !sd.Detached:
		document = bytes.NewReader(sd.Content)
	}
	algorithms := algorithmsOf(by)
	for i := range sd.Signers {
		if id := sd.Signers[i].DigestAlgorithm.Algorithm; !contains(algorithms, id) {
			algorithms = append(algorithms, id)
		}
	}
	sums, err := digestDocument(document, algorithms)
	if err != nil {
		return nil, err
	}
	if err := sd.isSound(Content{digests: sums}); err != nil {
		return nil, err
	}
	m, err := sd.message()
	if err != nil {
		return nil, err
	}
	return m.signAll(random, sd.rawContentType, sums, by)
}

// takes checks whether signatures can be added at all.
func (sd *SignedData) takes(by []Signatory) error {
	if len(sd.Signers) == 0 {
		return reason.New(reason.NoSigners, errNoSigners)
	}
	if sd.isSealed() {
		return reason.New(reason.SignatureSealed, errSealed)
	}
	for i := range sd.Signers {
		for j := range by {
			if sd.Signers[i].names(by[j].Certificate) {
				return reason.New(reason.SignedAlready, errTwice)
			}
		}
	}
	return nil
}

// isSound checks that no signature of the file is known to be bad. A certificate
// that is not in the file, or an unknown algorithm, says nothing against one.
func (sd *SignedData) isSound(content Content) error {
	certs, _ := sd.X509()
	for i, r := range sd.Verify(content, certs) {
		for _, c := range slices.Concat(r.Math, r.Format) {
			if c.Status == verdict.Failed {
				return reason.New(c.Reason, fmt.Errorf("cms: signature %d of the file: %s", i+1, c.Name))
			}
		}
	}
	return nil
}

// message takes the file apart, to be written again.
func (sd *SignedData) message() (*message, error) {
	m := &message{version: int64(sd.Version)}
	var d der.Decoder
	top := d.Open(sd.Raw, derLimits)
	info := top.Sequence()
	info.OID()
	explicit := info.Enter(der.Constructed(0))
	seq := explicit.Sequence()
	seq.Int(5) // version
	m.digests = elements(seq.Set())
	m.content = seq.RawTag(der.TagSequence)
	if seq.Peek(der.Constructed(0)) {
		m.certificates = elements(seq.Enter(der.Constructed(0)))
	}
	if seq.Peek(der.Constructed(1)) {
		m.crls = elements(seq.Enter(der.Constructed(1)))
	}
	m.signers = elements(seq.Set())
	seq.End()
	return m, d.Err()
}

// elements returns the elements of a SET.
func elements(set der.Reader) [][]byte {
	var all [][]byte
	for set.More() {
		all = append(all, set.Raw())
	}
	return all
}
