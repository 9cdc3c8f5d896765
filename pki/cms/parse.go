package cms

import (
	"bytes"
	"errors"
	"slices"

	"propusk/pki/der"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// Limits of the DER reader. The depth covers ContentInfo down to an attribute
// value; certificates are read by their own parser. The count bounds attributes
// and serial numbers of embedded structures, which are not entered.
var derLimits = der.Limits{Size: MaxSize, Depth: 16, Elements: 1 << 16}

// pemLabels are the labels under which software writes signatures (RFC 7468,
// Sections 8 and 9; PKCS #7).
var pemLabels = []string{"CMS", "PKCS7", "PKCS #7 SIGNED DATA"}

// Errors that are not those of DER.
var (
	errNotSignedData = errors.New("cms: the content type is not signed-data")
	errSize          = errors.New("cms: longer than the limit")
	errNotBundle     = errors.New("cms: not a message of certificates only")
	errCount         = errors.New("cms: too many elements of a kind")
)

// Parse reads one SignedData inside a ContentInfo, in DER, PEM or bare base64.
// BER as signing software writes it is accepted. The result may point into data,
// which must not be modified afterwards.
//
// A file that cannot be read gives a *reason.Error with
// reason.SignatureMalformed, reason.SignatureTooLarge or
// reason.SignatureTypeUnsupported.
func Parse(data []byte) (*SignedData, error) {
	sd := new(SignedData)
	if err := sd.Reset(data); err != nil {
		return nil, err
	}
	return sd, nil
}

// Reset is [Parse] into a SignedData that is not needed any more: its slices are
// used again, so that reading DER takes no memory once they are long enough.
// Nothing that was taken from it before, the addresses of Signers among it, may be
// used afterwards. After an error it is empty.
func (sd *SignedData) Reset(data []byte) error {
	err := sd.reset(data)
	if err != nil {
		*sd = SignedData{}
		return parseError(err)
	}
	return nil
}

func (sd *SignedData) reset(data []byte) error {
	if len(data) > MaxSize {
		return errSize
	}
	if len(data) > 0 && data[0] == byte(der.TagSequence) { // as it is for Decode
		return sd.parseAnyEncoding(data)
	}
	raw, err := der.Decode(data, pemLabels...)
	if err != nil {
		return err
	}
	return sd.parseAnyEncoding(raw)
}

// parseAnyEncoding reads DER and, if it is not DER, tries whether it is BER.
func (sd *SignedData) parseAnyEncoding(raw []byte) error {
	err := sd.parse(raw)
	if err == nil {
		return nil
	}
	if _, syntax := errors.AsType[*der.SyntaxError](err); !syntax {
		return err
	}
	plain, berErr := normalise(raw)
	if berErr != nil {
		return errors.Join(err, berErr)
	}
	if bytes.Equal(plain, raw) {
		return err
	}
	return sd.parse(plain)
}

// parseError gives an error its reason.
func parseError(err error) error {
	switch {
	case errors.Is(err, errNotSignedData):
		return reason.New(reason.SignatureTypeUnsupported, err)
	case errors.Is(err, errSize), errors.Is(err, errCount), errors.Is(err, errBERCount), errors.Is(err, errBERDepth),
		errors.Is(err, der.ErrTooLarge), errors.Is(err, der.ErrTooDeep), errors.Is(err, der.ErrTooMany):
		return reason.New(reason.SignatureTooLarge, err)
	default:
		return reason.New(reason.SignatureMalformed, err)
	}
}

// parser reads one SignedData. Errors of DER stay in the decoder; err is the
// first one of another kind.
type parser struct {
	d   der.Decoder
	sd  *SignedData
	err error

	storage

	// Facts for the version rule of RFC 5652, Section 5.1.
	otherFormat, attributeCertV2, attributeCertV1, signerV3 bool
}

// storage is slices that are used again. What is absent in a file is nil in its
// SignedData, so they are kept apart.
type storage struct {
	algorithms         []sigalg.AlgorithmIdentifier
	certs, lists, ocsp [][]byte
	signerInfos        []Signer
	attrs              []Attribute // of all signers
}

// reuse returns an empty slice with room for n, in the given one if it is long enough.
func reuse[T any](s []T, n int) []T {
	if s == nil || cap(s) < n {
		return make([]T, 0, n)
	}
	return s[:0]
}

// parse reads a ContentInfo: RFC 5652, Section 3.
func (sd *SignedData) parse(raw []byte) error {
	p := sd.spare
	if p == nil {
		p = new(parser)
	}
	*p = parser{sd: sd, storage: p.storage}
	p.attrs = p.attrs[:0]
	*sd = SignedData{Raw: raw}
	top := p.d.Open(raw, derLimits)
	info := top.Sequence()
	if oid := info.OID(); info.Ok() && string(oid) != oidSignedData {
		return errNotSignedData
	}
	explicit := info.Enter(der.Constructed(0))
	p.signedData(&explicit)
	explicit.End()
	info.End()
	top.End()
	if err := errors.Join(p.d.Err(), p.err); err != nil {
		return err
	}
	sd.rightVersion = p.version() == sd.Version
	sd.spare, p.sd = p, nil
	return nil
}

// signedData reads SignedData: RFC 5652, Section 5.1.
func (p *parser) signedData(r *der.Reader) {
	seq := r.Sequence()
	p.sd.Version = seq.Int(5)
	p.digestAlgorithms(seq.Set())
	p.sd.RawEncapContentInfo = ahead(seq)
	p.encapsulated(seq.Sequence())
	if seq.Peek(der.Constructed(0)) {
		p.sd.RawCertificates = ahead(seq)
		p.certificates(seq.Enter(der.Constructed(0)))
	}
	if seq.Peek(der.Constructed(1)) {
		p.sd.RawCRLs = ahead(seq)
		p.crls(seq.Enter(der.Constructed(1)))
	}
	p.signers(seq.Set())
	seq.End()
}

// version returns the version that RFC 5652, Section 5.1 demands.
func (p *parser) version() int {
	switch {
	case p.otherFormat:
		return 5
	case p.attributeCertV2:
		return 4
	case p.attributeCertV1, p.signerV3, !p.sd.isData():
		return 3
	default:
		return 1
	}
}

func (p *parser) digestAlgorithms(set der.Reader) {
	p.algorithms = reuse(p.algorithms, p.count(set, MaxDigestAlgorithms))
	for set.More() {
		p.algorithms = append(p.algorithms, sigalg.Read(&set))
	}
	p.sd.DigestAlgorithms = p.algorithms
}

// encapsulated reads EncapsulatedContentInfo: RFC 5652, Section 5.2.
func (p *parser) encapsulated(seq der.Reader) {
	oid := seq.OID()
	p.sd.rawContentType = oid
	p.sd.ContentType = contentType(oid)
	if !seq.Peek(der.Constructed(0)) {
		p.sd.Detached = true
		seq.End()
		return
	}
	explicit := seq.Enter(der.Constructed(0))
	p.sd.Content = explicit.OctetString()
	explicit.End()
	seq.End()
}

// certificates reads CertificateSet: RFC 5652, Section 10.2.2. Only X.509
// certificates are kept.
func (p *parser) certificates(set der.Reader) {
	p.certs = reuse(p.certs, p.count(set, MaxCertificates))
	for set.More() {
		switch tag, raw, _ := set.Any(); tag {
		case der.TagSequence:
			p.certs = append(p.certs, raw)
			continue
		case der.Constructed(0): // extendedCertificate of PKCS #6, obsolete
		case der.Constructed(1):
			p.attributeCertV1 = true
		case der.Constructed(2):
			p.attributeCertV2 = true
		case der.Constructed(3):
			p.otherFormat = true
		default:
			set.Fail(der.ErrTag)
		}
		p.sd.Skipped++
	}
	p.sd.Certificates = p.certs
}

// crls reads RevocationInfoChoices: RFC 5652, Section 10.2.1. X.509 CRLs and the
// answers of RFC 5940 are kept.
func (p *parser) crls(set der.Reader) {
	p.lists = reuse(p.lists, p.count(set, MaxCRLs))
	p.ocsp = p.ocsp[:0]
	for set.More() {
		switch tag, raw, content := set.Any(); tag {
		case der.TagSequence:
			p.lists = append(p.lists, raw)
			continue
		case der.Constructed(1):
			p.otherFormat = true
			if response, ok := ocspResponse(content); ok {
				p.ocsp = append(p.ocsp, response)
				continue
			}
		default:
			set.Fail(der.ErrTag)
		}
		p.sd.Skipped++
	}
	p.sd.CRLs = p.lists
	if len(p.ocsp) > 0 {
		p.sd.OCSPResponses = p.ocsp
	}
}

// ocspResponse reads OtherRevocationInfoFormat and returns its value if that is an
// OCSPResponse: RFC 5940, Section 2. Other formats are not looked into.
func ocspResponse(content []byte) (response []byte, ok bool) {
	var d der.Decoder
	r := d.Open(content, derLimits)
	format := r.OID()
	response = r.RawTag(der.TagSequence)
	r.End()
	return response, d.Err() == nil && string(format) == oidOCSPResponse
}

func (p *parser) signers(set der.Reader) {
	p.signerInfos = reuse(p.signerInfos, p.count(set, MaxSigners))
	for set.More() && p.err == nil {
		raw := ahead(set)
		s := p.signer(set.Sequence())
		s.Raw = raw
		p.signerInfos = append(p.signerInfos, s)
	}
	p.sd.Signers = p.signerInfos
}

// signer reads SignerInfo: RFC 5652, Section 5.3.
func (p *parser) signer(seq der.Reader) Signer {
	s := Signer{Version: seq.Int(5)}
	p.signerV3 = p.signerV3 || s.Version == 3
	if seq.Peek(der.Context(0)) {
		s.SubjectKeyID = seq.Content(der.Context(0))
	} else {
		sid := seq.Sequence()
		s.Issuer = sid.RawTag(der.TagSequence)
		s.Serial = sid.Integer()
		sid.End()
	}
	s.DigestAlgorithm = sigalg.Read(&seq)
	if seq.Peek(der.Constructed(0)) {
		s.RawSignedAttrs = ahead(seq)
		s.SignedAttrs = p.attributes(seq.Enter(der.Constructed(0)))
	}
	s.SignatureAlgorithm = sigalg.Read(&seq)
	s.Signature = seq.OctetString()
	if seq.Peek(der.Constructed(1)) {
		s.UnsignedAttrs = p.attributes(seq.Enter(der.Constructed(1)))
	}
	seq.End()
	return s
}

// ahead returns the next element without reading it.
func ahead(r der.Reader) []byte { return r.Raw() }

// attributes reads SET SIZE (1..MAX) OF Attribute.
func (p *parser) attributes(set der.Reader) []Attribute {
	if set.Ok() && !set.More() {
		set.Fail(der.ErrTruncated)
	}
	if n := p.count(set, MaxAttributes); cap(p.attrs)-len(p.attrs) < n {
		p.attrs = make([]Attribute, 0, max(n, 8, 2*cap(p.attrs))) // those of other signers stay where they are
	}
	start := len(p.attrs)
	for set.More() {
		seq := set.Sequence()
		a := Attribute{Type: seq.OID(), Values: seq.Content(der.TagSet)}
		seq.End()
		p.attrs = append(p.attrs, a)
	}
	return slices.Clip(p.attrs[start:])
}

// count returns the number of elements in a set, looking ahead, and fails when
// it is above the limit. It returns no more than the limit.
func (p *parser) count(set der.Reader, limit int) int {
	n := 0
	for set.More() {
		set.Raw()
		if n++; n > limit {
			p.err = errors.Join(p.err, errCount)
			return 0
		}
	}
	return n
}
