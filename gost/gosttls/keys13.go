package gosttls

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"slices"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/schedule"
	"propusk/gost/gosttls/internal/wire"
	"propusk/gost/streebog"
)

// defaultCurves is Config.CurvePreferences when that is empty: the curves of 256 bits
// before those of 512, and the faster ones first.
func defaultCurves() []*gost3410.Curve {
	return []*gost3410.Curve{
		gost3410.TC26256A(), gost3410.CryptoProA(), gost3410.CryptoProB(), gost3410.CryptoProC(),
		gost3410.TC26512C(), gost3410.TC26512A(), gost3410.TC26512B(),
	}
}

// curves returns the curves for ephemeral keys in order of preference.
func (c *Config) curves() []*gost3410.Curve {
	if len(c.CurvePreferences) == 0 {
		return defaultCurves()
	}
	return c.CurvePreferences
}

// groups returns the numbers of curves for supported_groups.
func groups(curves []*gost3410.Curve) []uint16 {
	all := make([]uint16, len(curves))
	for i, c := range curves {
		all[i] = group(c)
	}
	return all
}

// scheme13 returns the signature scheme of TLS 1.3 of keys on a curve. Schemes and
// groups are numbered in the same order (RFC 9367, Sections 5.2 and 6.1.2).
func scheme13(c *gost3410.Curve) uint16 { return message.FirstScheme13 + group(c) - firstGroup }

// schemes13 returns all schemes of RFC 9367, which are all that may be asked for
// (Section 6.3.2).
func schemes13() []uint16 {
	var all []uint16
	for s := message.FirstScheme13; s <= message.LastScheme13; s++ {
		all = append(all, s)
	}
	return all
}

// agree returns the ECDHE shared secret of an ephemeral key and the one of the peer, a
// point LE(x)|LE(y) (RFC 9367, Section 6.1.1). What is wrong with a point is told by
// one alert.
//
// The standard multiplies by h·d, not reduced modulo q, so that a component of small
// order vanishes. Here the number is reduced, and a point with such a component is
// refused beforehand: the result is the same for every point of the subgroup, which is
// all that an honest peer sends.
func agree(key *gost3410.PrivateKey, point []byte) ([]byte, error) {
	curve := key.PublicKey().Curve()
	peer, err := gost3410.NewPublicKey(curve, point)
	if err != nil {
		return nil, wire.Refuse(wire.AlertHandshakeFailure, "ephemeral key of the peer: %w", err)
	}
	xy, err := key.SharedPoint(peer, []byte{1})
	if err != nil {
		return nil, wire.Refuse(wire.AlertHandshakeFailure, "key agreement: %w", err)
	}
	return xy[:curve.Size()], nil
}

// Contexts of CertificateVerify, RFC 8446, Section 4.4.3.
const (
	clientContext = "TLS 1.3, client CertificateVerify"
	serverContext = "TLS 1.3, server CertificateVerify"
)

// verifyDigest returns what a key on the curve signs in CertificateVerify.
func verifyDigest(c *gost3410.Curve, context string, transcriptHash []byte) []byte {
	var m []byte
	for range 64 {
		m = append(m, ' ')
	}
	m = append(m, context...)
	m = append(m, 0)
	m = append(m, transcriptHash...)
	if c.Size() == 64 {
		sum := streebog.Sum512(m)
		return sum[:]
	}
	sum := streebog.Sum256(m)
	return sum[:]
}

// sign13 returns the CertificateVerify of a certificate. The signature is LE(r)|LE(s)
// (RFC 9367, Section 5.3), which are the bytes of BE(s)|BE(r) in reverse.
func sign13(rand io.Reader, cert Certificate, context string, transcriptHash []byte) (*message.CertificateVerify, error) {
	curve, err := cert.curve()
	if err != nil {
		return nil, wire.Refuse(wire.AlertInternalError, "own certificate: %w", err)
	}
	sig, err := cert.PrivateKey.Sign(rand, verifyDigest(curve, context, transcriptHash), crypto.Hash(0))
	if err != nil {
		return nil, wire.Refuse(wire.AlertInternalError, "sign CertificateVerify: %w", err)
	}
	sig = slices.Clone(sig)
	slices.Reverse(sig)
	return &message.CertificateVerify{Scheme: scheme13(curve), Signature: sig}, nil
}

// checkScheme13 reports whether a peer may sign under a scheme with a key on a curve,
// and whether the scheme belongs to another one. Peers built on gost-engine name the
// first scheme for the size of the key, whatever the curve.
func checkScheme13(c *gost3410.Curve, scheme uint16, strict bool) (mismatch bool, err error) {
	if scheme == scheme13(c) {
		return false, nil
	}
	first := message.FirstScheme13
	if c.Size() == 64 {
		first = message.FirstScheme512
	}
	if scheme != first || strict {
		return false, wire.Refuse(wire.AlertIllegalParameter, "signature scheme %#04x for a key that needs %#04x", scheme, scheme13(c))
	}
	return true, nil
}

// traffic13 is what a connection of TLS 1.3 keeps of its key schedule.
type traffic13 struct {
	suite *record.Suite

	// in and out are the present traffic secrets of the directions; Conn.in and
	// Conn.out guard them.
	in, out schedule.Secret

	exporter schedule.Secret

	// resumption makes the pre-shared keys of tickets, and trustID is that of the
	// beginning of the handshake.
	resumption schedule.Secret

	// updates counts the KeyUpdates of the peer in a row; Conn.in guards it.
	updates int
}

// updateOut makes a KeyUpdate of this side (RFC 8446, Section 4.6.3). Conn.out is
// locked.
func (t *traffic13) updateOut() ([]byte, *record.Protector, error) {
	t.out.Update()
	next, err := t.out.Protector(t.suite)
	if err != nil {
		return nil, nil, fmt.Errorf("gosttls: KeyUpdate: %w", err)
	}
	return (&message.KeyUpdate{}).Marshal(), next, nil
}

// maxExport limits keying material in bytes: what HKDF can give.
const maxExport = 255 * schedule.Size

// ExportKeyingMaterial returns length bytes, at most 8160, that both sides of the
// connection derive from the label, at most 200 bytes, and the context, and nobody else
// can (RFC 8446, Section 7.5). A nil context is an empty one. It is an error before the
// handshake is complete, and before TLS 1.3.
func (c *Conn) ExportKeyingMaterial(label string, context []byte, length int) ([]byte, error) {
	if !c.complete.Load() {
		return nil, errors.New("gosttls: keying material before the handshake")
	}
	if c.traffic == nil {
		return nil, errors.New("gosttls: keying material needs TLS 1.3")
	}
	if length < 0 || length > maxExport || len(label) > 200 {
		return nil, fmt.Errorf("gosttls: keying material of %d bytes for a label of %d", length, len(label))
	}
	return c.traffic.exporter.Export(label, context, length), nil
}
