package tsp

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/pki/der"
	"propusk/pki/reason"
)

// Status is a PKIStatus: RFC 3161, Section 2.4.2.
type Status int

// The values of Status. A token comes with the first two only.
const (
	Granted Status = iota
	GrantedWithMods
	Rejection
	Waiting
	RevocationWarning
	RevocationNotification
)

// Failure is a bit of PKIFailureInfo, by its number: RFC 3161, Section 2.4.2.
type Failure int

// The values of Failure.
const (
	NoFailure           Failure = -1 // the TSA does not say why
	BadAlg              Failure = 0
	BadRequest          Failure = 2
	BadDataFormat       Failure = 5
	TimeNotAvailable    Failure = 14
	UnacceptedPolicy    Failure = 15
	UnacceptedExtension Failure = 16
	AddInfoNotAvailable Failure = 17
	SystemFailure       Failure = 25
)

// String returns the name of the standard.
func (f Failure) String() string {
	switch f {
	case BadAlg:
		return "badAlg"
	case BadRequest:
		return "badRequest"
	case BadDataFormat:
		return "badDataFormat"
	case TimeNotAvailable:
		return "timeNotAvailable"
	case UnacceptedPolicy:
		return "unacceptedPolicy"
	case UnacceptedExtension:
		return "unacceptedExtension"
	case AddInfoNotAvailable:
		return "addInfoNotAvailable"
	case SystemFailure:
		return "systemFailure"
	default:
		return "unspecified"
	}
}

// Refusal is the answer of a TSA that makes no token.
type Refusal struct {
	Status  Status
	Failure Failure
	// Text is what the TSA says, in one line; empty when it says nothing. It is
	// text of a stranger.
	Text string
}

// Error implements error.
func (r *Refusal) Error() string {
	text := fmt.Sprintf("tsp: status %d, %v", r.Status, r.Failure)
	if r.Text != "" {
		text += fmt.Sprintf(" (%q)", r.Text)
	}
	return text
}

const (
	maxTexts  = 16  // lines of PKIFreeText
	maxText   = 512 // bytes of all of them that are kept
	maxStatus = int(RevocationNotification)
)

var (
	errStatus   = errors.New("tsp: a token and a status that deny each other")
	errUTF8     = errors.New("tsp: text that is not UTF-8")
	errFailInfo = errors.New("tsp: unknown failure information")
)

// ParseResponse reads one TimeStampResp in DER and returns its token, as
// [ParseToken] does. A response without a token is a *reason.Error with
// reason.TimeStampRefused around a *[Refusal].
func ParseResponse(data []byte) (*Token, error) {
	if len(data) > MaxToken {
		return nil, reason.New(reason.TimeStampTooLarge, errSize)
	}
	var d der.Decoder
	top := d.Open(data, limits)
	seq := top.Sequence()
	refusal := readStatus(&seq)
	var token []byte
	if seq.More() {
		token = seq.RawTag(der.TagSequence)
	}
	seq.End()
	top.End()
	granted := refusal.Status == Granted || refusal.Status == GrantedWithMods
	switch err := d.Err(); {
	case err != nil:
		return nil, reason.New(reason.TimeStampMalformed, err)
	case granted != (token != nil):
		return nil, reason.New(reason.TimeStampMalformed, errStatus)
	case !granted:
		return nil, reason.New(reason.TimeStampRefused, refusal)
	}
	return ParseToken(token)
}

// readStatus reads PKIStatusInfo. Values that the standard does not define are
// refused, as it demands.
func readStatus(r *der.Reader) *Refusal {
	seq := r.Sequence()
	out := &Refusal{Status: Status(seq.Int(maxStatus)), Failure: NoFailure}
	if seq.Peek(der.TagSequence) {
		out.Text = readText(seq.Sequence())
	}
	if seq.Peek(der.TagBitString) {
		out.Failure = readFailure(&seq)
	}
	seq.End()
	return out
}

// readText reads PKIFreeText, and makes one line of what can be shown of it.
func readText(seq der.Reader) string {
	var lines []string
	for seq.More() {
		line := seq.Content(der.TagUTF8String)
		if !utf8.Valid(line) {
			seq.Fail(errUTF8)
		}
		if lines = append(lines, string(line)); len(lines) > maxTexts {
			seq.Fail(der.ErrTooMany)
		}
	}
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.Join(lines, "; "))
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "")
	}
	return text
}

// readFailure reads PKIFailureInfo and returns its first bit.
func readFailure(r *der.Reader) Failure {
	first := NoFailure
	bits, unused := r.BitString()
	for i := range 8*len(bits) - unused {
		if bits[i/8]&(0x80>>(i%8)) == 0 {
			continue
		}
		if Failure(i).String() == NoFailure.String() {
			r.Fail(errFailInfo)
		}
		if first == NoFailure {
			first = Failure(i)
		}
	}
	return first
}

// marshalGranted returns a response with a token.
func marshalGranted(token []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(Granted)) })
		b.AddBytes(token)
	})
	return b.Bytes()
}

// marshal returns a response without a token.
func (r *Refusal) marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(int64(r.Status))
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(r.Text)) })
			})
			// A named bit list ends with its last one: X.690, Section 11.2.2.
			b.AddASN1(cbasn1.BIT_STRING, func(b *cryptobyte.Builder) {
				b.AddUint8(uint8(7 - r.Failure%8))
				bits := make([]byte, r.Failure/8+1)
				bits[r.Failure/8] = 0x80 >> (r.Failure % 8)
				b.AddBytes(bits)
			})
		})
	})
	return b.Bytes()
}
