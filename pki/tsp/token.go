package tsp

import (
	"encoding/asn1"
	"errors"
	"time"

	"propusk/pki/cms"
	"propusk/pki/der"
	"propusk/pki/reason"
)

// Errors of form.
var (
	errParameters = errors.New("tsp: unexpected parameters of the digest algorithm")
	errLength     = errors.New("tsp: the length of the digest does not fit its algorithm")
	errImprint    = errors.New("tsp: the digest is of other data")
	errRepeated   = errors.New("tsp: an extension occurs twice")
	errCritical   = errors.New("tsp: an unknown critical extension")
	errType       = errors.New("tsp: the content is not a TSTInfo")
	errSigners    = errors.New("tsp: not exactly one signer")
	errSize       = errors.New("tsp: longer than the limit")
	errVersion    = errors.New("tsp: unknown version")
	errNonce      = errors.New("tsp: the nonce is too long")
	errSerial     = errors.New("tsp: the serial number is too long")
)

// oidTSTInfo is the type of the content of a token: RFC 3161, Section 2.4.2. It is
// shared and must not be modified.
var oidTSTInfo = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}

// Token is a time-stamp token: RFC 3161, Section 2.4.2. Slices point into Raw;
// nothing may be modified. It is safe for concurrent use.
type Token struct {
	Raw    []byte          // the ContentInfo in DER
	Signed *cms.SignedData // what Raw holds; its Content is the DER of TSTInfo

	// Policy is that of the TSA, under which the token was made.
	Policy asn1.ObjectIdentifier
	// Digest is the imprint of what existed.
	Digest Imprint
	// Serial is the number of the token at its TSA: content of the INTEGER.
	Serial []byte
	// GenTime is the time of the stamp, UTC.
	GenTime time.Time
	// Accuracy is how far GenTime may be off, either way; zero when the TSA does
	// not say.
	Accuracy time.Duration
	// Ordering says that tokens of this TSA can be ordered by GenTime alone.
	Ordering bool
	// Nonce is that of the request: content of the INTEGER, nil when absent.
	Nonce []byte
	// TSA is the name of the authority: DER of a GeneralName, nil when absent.
	TSA []byte
	// Extensions holds those of TSTInfo, none of them critical.
	Extensions []Extension
}

// ParseToken reads one token, a ContentInfo with SignedData in DER or BER, signed
// by exactly one signer over a TSTInfo. Whether the signature is good is for
// [Token.Verify] to say, and of what data the token is for [Token.CheckImprint].
// The result may point into data, which must not be modified.
//
// The error is a *reason.Error with reason.TimeStampMalformed or
// reason.TimeStampTooLarge.
func ParseToken(data []byte) (*Token, error) {
	if len(data) > MaxToken {
		return nil, reason.New(reason.TimeStampTooLarge, errSize)
	}
	if len(data) == 0 || data[0] != byte(der.TagSequence) { // package cms would look for PEM and base64
		return nil, reason.New(reason.TimeStampMalformed, der.ErrTag)
	}
	sd, err := cms.Parse(data)
	if err != nil {
		return nil, reason.New(reason.TimeStampMalformed, err)
	}
	switch {
	case !sd.ContentType.Equal(oidTSTInfo) || sd.Detached:
		return nil, reason.New(reason.TimeStampMalformed, errType)
	case len(sd.Signers) != 1:
		return nil, reason.New(reason.TimeStampMalformed, errSigners)
	}
	t := &Token{Raw: sd.Raw, Signed: sd}
	if err := t.readInfo(sd.Content); err != nil {
		return nil, reason.New(reason.TimeStampMalformed, err)
	}
	return t, nil
}

// readInfo reads TSTInfo: RFC 3161, Section 2.4.2. Readers must take every field
// of version 1, and may not take a critical extension that they do not know.
func (t *Token) readInfo(data []byte) error {
	var d der.Decoder
	top := d.Open(data, limits)
	seq := top.Sequence()
	if seq.Int(1<<16) != 1 {
		seq.Fail(errVersion)
	}
	t.Policy = seq.OID().ObjectIdentifier()
	t.Digest = readImprint(&seq)
	t.Serial = readNumber(&seq, MaxSerial, errSerial)
	t.GenTime = seq.GeneralizedTimeFraction(der.TagGeneralizedTime)
	if seq.Peek(der.TagSequence) {
		t.Accuracy = readAccuracy(&seq)
	}
	t.Ordering = seq.DefaultFalse()
	if seq.Peek(der.TagInteger) {
		t.Nonce = readNumber(&seq, MaxNonce, errNonce)
	}
	if seq.Peek(der.Constructed(0)) {
		name := seq.Enter(der.Constructed(0))
		t.TSA = name.Raw()
		name.End()
	}
	t.Extensions = readExtensions(&seq, der.Constructed(1))
	for _, e := range t.Extensions {
		if e.Critical {
			seq.Fail(errCritical)
		}
	}
	seq.End()
	top.End()
	return d.Err()
}

// readNumber reads an INTEGER of a limited length and returns its content.
func readNumber(r *der.Reader, limit int, tooLong error) []byte {
	n := r.Integer()
	if len(n) > limit {
		r.Fail(tooLong)
		return nil
	}
	return n
}

// CheckImprint reports whether the token is of the data whose parts, one after
// another, are given. It returns nil, or a *reason.Error with
// reason.TimeStampImprint, or reason.TimeStampAlgorithm when the digest cannot be
// computed.
func (t *Token) CheckImprint(parts ...[]byte) error { return t.Digest.check(parts) }

// DigestAlgorithm returns the identifier of the digest of the imprint. It must not
// be modified.
func (t *Token) DigestAlgorithm() asn1.ObjectIdentifier { return t.Digest.Algorithm.Algorithm }
