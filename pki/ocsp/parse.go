package ocsp

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"propusk/pki/crl"
	"propusk/pki/der"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// Limits of one message. Real ones have some kilobytes, one answer and two
// certificates; a responder that sends more costs memory that is kept.
const (
	// MaxSize is the greatest length of a message in bytes.
	MaxSize         = 1 << 20
	maxSingles      = 256
	maxCertificates = 16
	maxExtensions   = 32
	maxNonce        = 128 // RFC 9654, Section 2.1
	maxDigest       = 64
	maxSerial       = 21 // RFC 5280, Section 4.1.2.2, allows 20, and one leading zero
)

func limits() der.Limits { return der.Limits{Size: MaxSize, Depth: 16} }

// formError is a way in which DER fails to be a message.
type formError string

// Error implements error.
func (e formError) Error() string { return "ocsp: " + string(e) }

const (
	errID           formError = "identifier of a certificate with digests or a number of wrong lengths"
	errVersion      formError = "version is not 1"
	errSingles      formError = "no answers or questions, or too many"
	errNonce        formError = "nonce of a wrong length"
	errResponder    formError = "name of the responder is of an unknown kind"
	errStatus       formError = "unknown status of a certificate"
	errReason       formError = "unknown reason of revocation"
	errCertificates formError = "too many certificates"
	errAlgorithm    formError = "no answer with an error status, or an answer with one"
	errDates        formError = "the next update precedes this one"
)

// The content octets of the identifiers that are known: RFC 6960, Section 4.4.
const (
	idBasic          = "\x2b\x06\x01\x05\x05\x07\x30\x01\x01"
	idNonce          = "\x2b\x06\x01\x05\x05\x07\x30\x01\x02"
	idCRLReference   = "\x2b\x06\x01\x05\x05\x07\x30\x01\x03"
	idAcceptable     = "\x2b\x06\x01\x05\x05\x07\x30\x01\x04"
	idArchiveCutoff  = "\x2b\x06\x01\x05\x05\x07\x30\x01\x06"
	idExtendedRevoke = "\x2b\x06\x01\x05\x05\x07\x30\x01\x09"
	idReasonCode     = "\x55\x1d\x15"
	idInvalidityDate = "\x55\x1d\x18"
)

// failure turns the error of a decoder into a *reason.Error, or a nil error.
func failure(d *der.Decoder) error {
	err := d.Err()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, der.ErrTooLarge):
		return reason.New(reason.OCSPTooLarge, err)
	default:
		return reason.New(reason.OCSPMalformed, err)
	}
}

func unknownExtension(id der.OID) error {
	return reason.Errorf(reason.OCSPUnsupported, "ocsp: unknown critical extension %v", id)
}

// Parse reads an OCSPResponse or a bare BasicOCSPResponse, as signatures carry it, in
// DER. The data must hold it and nothing else.
//
// The error is a *reason.Error: reason.OCSPMalformed, OCSPTooLarge, OCSPUnsupported
// for a type of response that is not basic, or OCSPRefused, which wraps the
// [ResponseStatus]. A response that is well formed but cannot be relied upon is
// returned: see Unusable.
func Parse(data []byte) (*Response, error) { return parse(data, false) }

// ParseBasic reads a bare BasicOCSPResponse and nothing else; its errors are those of
// [Parse].
func ParseBasic(data []byte) (*Response, error) { return parse(data, true) }

func parse(data []byte, bare bool) (*Response, error) {
	r := &Response{Raw: bytes.Clone(data)}
	var d der.Decoder
	input := d.Open(r.Raw, limits())
	ahead := input
	outer := ahead.Sequence()
	if bare || !outer.Peek(der.TagEnumerated) {
		r.RawBasic = r.Raw
		r.readBasic(&input)
		input.End()
	} else if err := r.readOuter(&input); err != nil {
		return nil, err
	}
	if err := failure(&d); err != nil {
		return nil, err
	}
	return r, nil
}

// readOuter reads OCSPResponse: RFC 6960, Section 4.2.1.
func (r *Response) readOuter(input *der.Reader) error {
	seq := input.Sequence()
	input.End()
	status := ResponseStatus(seq.Enumerated(255))
	if seq.More() == (status != Successful) {
		seq.Fail(errAlgorithm)
	}
	if seq.Ok() && status != Successful {
		return reason.New(reason.OCSPRefused, status)
	}
	tagged := seq.Enter(der.Constructed(0))
	seq.End()
	inner := tagged.Sequence()
	tagged.End()
	kind := inner.OID()
	r.RawBasic = inner.OctetString()
	inner.End()
	if inner.Ok() && string(kind) != idBasic {
		return reason.Errorf(reason.OCSPUnsupported, "ocsp: response of type %v", kind)
	}
	basic := inner.Inside(r.RawBasic)
	r.readBasic(&basic)
	basic.End()
	return nil
}

// readBasic reads BasicOCSPResponse.
func (r *Response) readBasic(input *der.Reader) {
	seq := input.Sequence()
	r.rawData = seq.RawTag(der.TagSequence)
	r.SignatureAlgorithm = sigalg.Read(&seq)
	r.signature = seq.BitOctets()
	if seq.Peek(der.Constructed(0)) {
		tagged := seq.Enter(der.Constructed(0))
		r.readCertificates(tagged.Sequence())
		tagged.End()
	}
	seq.End()
	data := seq.Inside(r.rawData)
	r.readData(data.Sequence())
}

// readCertificates reads the certificates. Those that cannot be read help nobody and
// are passed over.
func (r *Response) readCertificates(list der.Reader) {
	for n := 0; list.More(); n++ {
		raw := list.RawTag(der.TagSequence)
		if n == maxCertificates {
			list.Fail(errCertificates)
			return
		}
		if c, err := gostx509.Parse(raw); err == nil {
			r.Certificates = append(r.Certificates, c)
		}
	}
}

// readVersion reads version [0] EXPLICIT INTEGER DEFAULT v1, which may be written out.
func readVersion(seq *der.Reader) {
	if !seq.Peek(der.Constructed(0)) {
		return
	}
	tagged := seq.Enter(der.Constructed(0))
	if tagged.Int(255) != 0 {
		tagged.Fail(errVersion)
	}
	tagged.End()
}

// readData reads ResponseData.
func (r *Response) readData(seq der.Reader) {
	readVersion(&seq)
	switch {
	case seq.Peek(der.Constructed(1)):
		tagged := seq.Enter(der.Constructed(1))
		r.ResponderName = tagged.RawTag(der.TagSequence)
		tagged.End()
	case seq.Peek(der.Constructed(2)):
		tagged := seq.Enter(der.Constructed(2))
		r.ResponderKeyHash = tagged.OctetString()
		tagged.End()
		if len(r.ResponderKeyHash) != 20 {
			tagged.Fail(errResponder)
		}
	default:
		seq.Fail(errResponder)
	}
	r.ProducedAt = readTime(&seq)
	list := seq.Sequence()
	for list.More() {
		r.Singles = append(r.Singles, readSingle(list.Sequence()))
		if len(r.Singles) > maxSingles {
			list.Fail(errSingles)
		}
	}
	if len(r.Singles) == 0 {
		list.Fail(errSingles)
	}
	if seq.Peek(der.Constructed(1)) {
		tagged := seq.Enter(der.Constructed(1))
		tagged.Extensions(maxExtensions, r.extension)
		tagged.End()
	}
	seq.End()
}

// readTime reads a GeneralizedTime, which may have a fraction of a second.
func readTime(r *der.Reader) time.Time { return r.GeneralizedTimeFraction(der.TagGeneralizedTime) }

// extension reads one extension of the response.
func (r *Response) extension(id der.OID, critical bool, v der.Reader) {
	switch string(id) {
	case idNonce:
		r.Nonce = readNonce(v)
	case idExtendedRevoke: // says what RFC 6960, Section 2.2, allows a responder to do
	default:
		if critical && r.Unusable == nil {
			r.Unusable = unknownExtension(id)
		}
	}
}

// readNonce reads the nonce of a response. Before RFC 6960 said so in 2013 its value
// was not wrapped in an OCTET STRING; archives hold such responses.
func readNonce(v der.Reader) []byte {
	raw := v.Rest()
	if len(raw) >= 2 && raw[0] == byte(der.TagOctetString) && int(raw[1]) == len(raw)-2 {
		raw = raw[2:]
	}
	if !validNonce(raw) {
		v.Fail(errNonce)
	}
	return raw
}

// readSingle reads SingleResponse.
func readSingle(seq der.Reader) Single {
	s := Single{ID: readID(&seq)}
	s.readStatus(&seq)
	s.ThisUpdate = readTime(&seq)
	if seq.Peek(der.Constructed(0)) {
		tagged := seq.Enter(der.Constructed(0))
		s.NextUpdate = readTime(&tagged)
		tagged.End()
		if s.NextUpdate.Before(s.ThisUpdate) {
			tagged.Fail(errDates)
		}
	}
	if seq.Peek(der.Constructed(1)) {
		tagged := seq.Enter(der.Constructed(1))
		tagged.Extensions(maxExtensions, s.extension)
		tagged.End()
	}
	seq.End()
	return s
}

// readStatus reads CertStatus.
func (s *Single) readStatus(seq *der.Reader) {
	switch {
	case seq.Peek(der.Context(0)), seq.Peek(der.Context(2)):
		if seq.Peek(der.Context(0)) {
			s.Status = Good
		}
		if _, _, content := seq.Any(); len(content) > 0 {
			seq.Fail(errStatus)
		}
	case seq.Peek(der.Constructed(1)):
		s.Status = Revoked
		info := seq.Enter(der.Constructed(1))
		s.RevokedAt = readTime(&info)
		if info.Peek(der.Constructed(0)) {
			tagged := info.Enter(der.Constructed(0))
			s.Reason = readReason(&tagged)
			tagged.End()
		}
		info.End()
	default:
		seq.Fail(errStatus)
	}
}

// readReason reads CRLReason.
func readReason(r *der.Reader) crl.Reason {
	n := crl.Reason(r.Enumerated(int(crl.AACompromise)))
	if n == 7 {
		r.Fail(errReason)
	}
	return n
}

// extension reads one extension of an answer: RFC 6960, Sections 4.4.2 to 4.4.5.
func (s *Single) extension(id der.OID, critical bool, v der.Reader) {
	switch string(id) {
	case idArchiveCutoff:
		s.ArchiveCutoff = readTime(&v)
	case idInvalidityDate:
		s.InvalidSince = readTime(&v)
	case idReasonCode:
		if n := readReason(&v); s.Status == Revoked && s.Reason == crl.Unspecified {
			s.Reason = n
		}
	case idCRLReference: // where the responder looked
		return
	default:
		if critical && s.Unusable == nil {
			s.Unusable = unknownExtension(id)
		}
		return
	}
	v.End()
}

// SHA256 returns the fingerprint of RawBasic.
func (r *Response) SHA256() [32]byte { return sha256.Sum256(r.RawBasic) }

// ResponseStatus says why a responder did not answer (RFC 6960, Section 4.2.1). It is
// an error.
type ResponseStatus uint8

// The statuses. Successful is no reason for anything.
const (
	Successful       ResponseStatus = 0
	MalformedRequest ResponseStatus = 1
	InternalError    ResponseStatus = 2
	TryLater         ResponseStatus = 3
	SigRequired      ResponseStatus = 5
	Unauthorized     ResponseStatus = 6
)

// Error implements error.
func (s ResponseStatus) Error() string {
	switch s {
	case Successful:
		return "ocsp: successful"
	case MalformedRequest:
		return "ocsp: the responder answered malformedRequest"
	case InternalError:
		return "ocsp: the responder answered internalError"
	case TryLater:
		return "ocsp: the responder answered tryLater"
	case SigRequired:
		return "ocsp: the responder answered sigRequired"
	case Unauthorized:
		return "ocsp: the responder answered unauthorized"
	default:
		return fmt.Sprintf("ocsp: the responder answered with status %d", uint8(s))
	}
}
