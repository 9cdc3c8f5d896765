// Package schedule is the key schedule of TLS 1.3 (RFC 8446, Section 7) with the hash
// function of all GOST suites, Streebog-256 (RFC 9367, Section 4.2).
package schedule

import (
	"crypto/hkdf"
	"crypto/subtle"
	"hash"

	"golang.org/x/crypto/cryptobyte"

	"propusk/gost/gosttls/internal/record"
	"propusk/gost/streebog"
)

// Size is the length of a hash and of every secret in bytes.
const Size = streebog.Size256

// A Secret is one of the secrets of RFC 8446, Section 7.1.
type Secret [Size]byte

// Labels of the secrets that are derived from a [Schedule].
const (
	ClientHandshake = "c hs traffic"
	ServerHandshake = "s hs traffic"
	ClientTraffic   = "c ap traffic"
	ServerTraffic   = "s ap traffic"
	Exporter        = "exp master"
	Resumption      = "res master"
)

// Labels of binder keys.
const (
	ResumptionBinder = "res binder"
	ExternalBinder   = "ext binder"
)

// newHash is streebog.New256 under the type that package hkdf infers.
func newHash() hash.Hash { return streebog.New256() }

// emptyHash is Transcript-Hash("").
func emptyHash() []byte {
	h := streebog.Sum256(nil)
	return h[:]
}

// A Schedule is the column in the figure of RFC 8446, Section 7.1: the early secret,
// then the handshake secret, then the main secret.
type Schedule struct{ secret Secret }

// New returns the schedule at the early secret. psk is the pre-shared key, nil if
// there is none.
func New(psk []byte) *Schedule {
	if psk == nil {
		psk = make([]byte, Size)
	}
	return &Schedule{extract(make([]byte, Size), psk)}
}

// Handshake goes on to the handshake secret. shared is the ECDHE secret.
func (s *Schedule) Handshake(shared []byte) { s.advance(shared) }

// Main goes on to the main secret, which RFC 8446 calls master secret.
func (s *Schedule) Main() { s.advance(make([]byte, Size)) }

func (s *Schedule) advance(input []byte) {
	salt := s.secret.derive("derived", emptyHash())
	s.secret = extract(salt[:], input)
	clear(salt[:])
}

// Derive is Derive-Secret of the present secret; transcriptHash is the hash of the
// messages so far.
func (s *Schedule) Derive(label string, transcriptHash []byte) Secret {
	return s.secret.derive(label, transcriptHash)
}

// Binder returns the binder of the pre-shared key, of the early secret (Section
// 4.2.11.2). The hash covers the ClientHello up to the binders.
func (s *Schedule) Binder(label string, transcriptHash []byte) []byte {
	key := s.secret.derive(label, emptyHash())
	defer key.Wipe()
	return key.Finished(transcriptHash)
}

// Wipe overwrites the secret.
func (s *Schedule) Wipe() { s.secret.Wipe() }

// extract is HKDF-Extract.
func extract(salt, input []byte) Secret {
	prk, err := hkdf.Extract(newHash, input, salt)
	if err != nil {
		panic("schedule: " + err.Error()) // only where Streebog is forbidden altogether
	}
	defer clear(prk)
	return Secret(prk)
}

// expand is HKDF-Expand-Label.
func (s *Secret) expand(label string, context []byte, length int) []byte {
	var b cryptobyte.Builder
	b.AddUint16(uint16(length))
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte("tls13 " + label)) })
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(context) })
	out, err := hkdf.Expand(newHash, s[:], string(b.BytesOrPanic()), length)
	if err != nil {
		panic("schedule: " + err.Error()) // lengths are ours
	}
	return out
}

// derive is Derive-Secret.
func (s *Secret) derive(label string, transcriptHash []byte) Secret {
	out := s.expand(label, transcriptHash, Size)
	defer clear(out)
	return Secret(out)
}

// Finished returns verify_data of a traffic secret (Section 4.4.4).
func (s *Secret) Finished(transcriptHash []byte) []byte {
	key := s.expand("finished", nil, Size)
	defer clear(key)
	code := streebog.HMAC256(key, transcriptHash)
	return code[:]
}

// Verify reports whether verify_data is that of the traffic secret, in constant time.
func (s *Secret) Verify(verifyData, transcriptHash []byte) bool {
	return subtle.ConstantTimeCompare(verifyData, s.Finished(transcriptHash)) == 1
}

// Protector returns the record protection under a traffic secret (Section 7.3).
func (s *Secret) Protector(suite *record.Suite) (*record.Protector, error) {
	key, iv := s.expand("key", nil, record.KeySize), s.expand("iv", nil, suite.IVSize())
	defer clear(key)
	defer clear(iv)
	return record.NewProtector13(suite, key, iv)
}

// Update replaces a traffic secret by the next generation (Section 7.2).
func (s *Secret) Update() { *s = s.derive("traffic upd", nil) }

// PSK returns the pre-shared key of a ticket from the resumption secret (Section
// 4.6.1).
func (s *Secret) PSK(nonce []byte) []byte { return s.expand("resumption", nonce, Size) }

// Export returns keying material from the exporter secret (Section 7.5). The label
// has at most 249 bytes, length is at most 8160.
func (s *Secret) Export(label string, context []byte, length int) []byte {
	secret := s.derive(label, emptyHash())
	defer secret.Wipe()
	sum := streebog.Sum256(context)
	return secret.expand("exporter", sum[:], length)
}

// Wipe overwrites the secret.
func (s *Secret) Wipe() { clear(s[:]) }
