package gosttls

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"slices"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/wire"
	"propusk/gost/keywrap"
	"propusk/gost/spki"
	"propusk/gost/vko"
)

// errKeyExchange is all that anybody learns about a ClientKeyExchange that was
// refused: a peer that could tell a wrong point from a wrong MAC would have an
// oracle on the server's key.
var errKeyExchange = errors.New("ClientKeyExchange cannot be used")

// transport is what a server takes out of a ClientKeyExchange.
type transport struct {
	peer    *gost3410.PublicKey // the client's ephemeral key, on the server's curve
	wrapped []byte              // the export representation, of the right length

	// good is 1, or 0 if the message could not be used and the other fields are
	// stand-ins: the work that follows is the same.
	good int
}

// decodeTransport takes a ClientKeyExchange apart. It is not secret whether a message
// is well-formed, since whoever made it knows. Still a bad one leads to as much work as
// a good one, with the server's own public key as that of the client.
func (s *secrets) decodeTransport(own *gost3410.PublicKey, body []byte) transport {
	key, wrapped, err := s.parseTransport(body)
	if err == nil && len(wrapped) == s.wrappedSize() {
		// spki.Parse refuses points that are zero, not on the curve or not in the
		// subgroup of order q: RFC 9189, Sections 4.2.4.1 and 4.2.4.2, step 1.
		ephemeral, err := spki.Parse(key)
		if err == nil && ephemeral.Key.Curve() == own.Curve() &&
			ephemeral.Algorithm.Algorithm.Equal(keyAlgorithm(own.Curve())) {
			return transport{peer: ephemeral.Key, wrapped: wrapped, good: 1}
		}
	}
	return transport{peer: own, wrapped: make([]byte, s.wrappedSize())}
}

// parseTransport returns the DER of the ephemeral key and the export representation of
// the premaster secret.
func (s *secrets) parseTransport(body []byte) (key, wrapped []byte, err error) {
	if s.suite.KeyExchange == record.KeyExchangeKExp28147 {
		m, err := message.ParseClientKeyExchange28147(body)
		if err != nil {
			return nil, nil, err
		}
		if len(m.UKM) != keywrap.IVSize28147 || len(m.EncryptedKey) != premasterSize {
			return nil, nil, errKeyExchange // or bytes of one would count as the other's
		}
		return m.EphemeralKey, slices.Concat(m.UKM, m.EncryptedKey, m.MAC), nil
	}
	m, err := message.ParseClientKeyExchange(body)
	if err != nil {
		return nil, nil, err
	}
	return m.EphemeralKey, m.KeyExp, nil
}

// wrappedSize returns the length of the export representation of a premaster secret in
// bytes.
func (s *secrets) wrappedSize() int {
	if s.suite.KeyExchange == record.KeyExchangeKExp28147 {
		return keywrap.WrappedSize28147
	}
	return premasterSize + s.suite.MACSize
}

// importPremaster is the server's side of RFC 9189, Section 4.2.4. The key is that of
// the server's certificate. Every failure is the same alert, and the same error but for
// a failure of the key itself, of which its owner has to know.
//
// With CNT_IMIT, whose MAC has 32 bits only, a message that cannot be used is not a
// failure: a random premaster secret takes its place, so that the handshake ends at
// Finished, as it does for a client that guessed the MAC. Genuine is 0 then.
func (s *secrets) importPremaster(rand io.Reader, key PrivateKey, body []byte) (premaster []byte, genuine int, err error) {
	own, ok := key.Public().(*gost3410.PublicKey)
	if !ok {
		return nil, 0, wire.Refuse(wire.AlertInternalError, "the private key belongs to a %T", key.Public())
	}
	t := s.decodeTransport(own, body)
	if s.suite.KeyExchange == record.KeyExchangeKExp28147 {
		premaster, genuine, err = s.import28147(rand, key, t)
	} else {
		premaster, genuine, err = s.import15(key, t)
	}
	if err != nil {
		return nil, 0, &ProtocolError{Alert: wire.AlertDecryptError, Err: err}
	}
	return premaster, genuine, nil
}

// import15 is steps 2 and 3 of RFC 9189, Section 4.2.4.1.
func (s *secrets) import15(key PrivateKey, t transport) ([]byte, int, error) {
	h := s.randomsHash()
	export, err := keg(key, t.peer, h)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: own key: %w", errKeyExchange, err)
	}
	defer clear(export)
	premaster, err := keywrap.KImp15(s.suite.NewCipher, export[:32], export[32:], h[24:24+s.suite.IVSize()], t.wrapped)
	if err != nil || t.good != 1 {
		return nil, 0, errKeyExchange
	}
	return premaster, 1, nil
}

// import28147 is steps 2 and 3 of RFC 9189, Section 4.2.4.2. The UKM in the message
// must be H[1..8], which is what the RFC gives to KImp28147.
func (s *secrets) import28147(rand io.Reader, key PrivateKey, t transport) ([]byte, int, error) {
	substitute := make([]byte, premasterSize)
	if _, err := io.ReadFull(rand, substitute); err != nil {
		return nil, 0, fmt.Errorf("%w: random source: %w", errKeyExchange, err)
	}
	defer clear(substitute)
	h := s.randomsHash()
	export, err := keg28147(key, t.peer, h)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: own key: %w", errKeyExchange, err)
	}
	defer clear(export)
	premaster, genuine, err := keywrap.KImp28147Or(export, h[:keywrap.IVSize28147], t.wrapped, substitute)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errKeyExchange, err)
	}
	genuine &= t.good
	subtle.ConstantTimeCopy(1-genuine, premaster, substitute)
	return premaster, genuine, nil
}

// errSigner is a key that was never asked whether it does the suite.
var errSigner = errors.New("the private key can only sign")

// keg is KEG of RFC 9189, Section 8.3.1, here or where the key is.
func keg(key PrivateKey, peer *gost3410.PublicKey, h []byte) ([]byte, error) {
	switch key := key.(type) {
	case vko.Agreement:
		return vko.KEG(key, peer, h)
	case vko.Deriver:
		export, err := key.KEG(peer, h)
		if err == nil && len(export) != vko.KeySize {
			clear(export)
			return nil, fmt.Errorf("KEG gave %d bytes", len(export))
		}
		return export, err
	}
	return nil, errSigner
}

// keg28147 is KEG_28147 of RFC 9189, Section 8.3.2, with VKO here or where the key is.
func keg28147(key PrivateKey, peer *gost3410.PublicKey, h []byte) ([]byte, error) {
	switch key := key.(type) {
	case vko.Agreement:
		return vko.KEG28147(key, peer, h)
	case vko.Deriver:
		return vko.KEG28147Within(key, peer, h)
	}
	return nil, errSigner
}

// exportPremaster is the client's side of RFC 9189, Section 4.2.4, steps 1 and 2: the
// secrets that only the client chooses. It returns the premaster secret and the message.
func (s *secrets) exportPremaster(rand io.Reader, server spki.PublicKeyInfo) (premaster, raw []byte, err error) {
	ephemeral, err := gost3410.GenerateKey(server.Key.Curve(), rand)
	if err != nil {
		return nil, nil, fmt.Errorf("generate ephemeral key: %w", err)
	}
	premaster = make([]byte, premasterSize)
	if _, err := io.ReadFull(rand, premaster); err != nil {
		return nil, nil, fmt.Errorf("generate premaster secret: %w", err)
	}
	if s.suite.KeyExchange == record.KeyExchangeKExp28147 {
		m, err := s.wrap28147(premaster, ephemeral, server)
		if err != nil {
			return nil, nil, err
		}
		return premaster, m.Marshal(), nil
	}
	m, err := s.wrap15(premaster, ephemeral, server)
	if err != nil {
		return nil, nil, err
	}
	return premaster, m.Marshal(), nil
}

// ephemeralInfo returns the DER of an ephemeral key. Its AlgorithmIdentifier is the
// server's own: gost-engine compares names of curves, so an equivalent one would fail
// there.
func ephemeralInfo(ephemeral *gost3410.PrivateKey, server spki.PublicKeyInfo) ([]byte, error) {
	key, err := spki.Marshal(server.Algorithm, ephemeral.PublicKey())
	if err != nil {
		return nil, fmt.Errorf("encode ephemeral key: %w", err)
	}
	return key, nil
}

// wrap15 is steps 3 to 5 of RFC 9189, Section 4.2.4.1.
func (s *secrets) wrap15(premaster []byte, ephemeral *gost3410.PrivateKey, server spki.PublicKeyInfo) (*message.ClientKeyExchange, error) {
	key, err := ephemeralInfo(ephemeral, server)
	if err != nil {
		return nil, err
	}
	h := s.randomsHash()
	export, err := vko.KEG(ephemeral, server.Key, h)
	if err != nil {
		return nil, fmt.Errorf("agree on export keys: %w", err)
	}
	defer clear(export)
	wrapped, err := keywrap.KExp15(s.suite.NewCipher, export[:32], export[32:], h[24:24+s.suite.IVSize()], premaster)
	if err != nil {
		return nil, fmt.Errorf("export premaster secret: %w", err)
	}
	// The server ignores ukm. OpenSSL sends H there; so do we, to look the same.
	return &message.ClientKeyExchange{KeyExp: wrapped, EphemeralKey: key, UKM: h}, nil
}

// wrap28147 is steps 3 to 5 of RFC 9189, Section 4.2.4.2.
func (s *secrets) wrap28147(premaster []byte, ephemeral *gost3410.PrivateKey, server spki.PublicKeyInfo) (*message.ClientKeyExchange28147, error) {
	key, err := ephemeralInfo(ephemeral, server)
	if err != nil {
		return nil, err
	}
	h := s.randomsHash()
	export, err := vko.KEG28147(ephemeral, server.Key, h)
	if err != nil {
		return nil, fmt.Errorf("agree on export key: %w", err)
	}
	defer clear(export)
	ukm := h[:keywrap.IVSize28147]
	wrapped, err := keywrap.KExp28147(export, ukm, premaster)
	if err != nil {
		return nil, fmt.Errorf("export premaster secret: %w", err)
	}
	sealed := wrapped[keywrap.IVSize28147:]
	return &message.ClientKeyExchange28147{
		EncryptedKey: sealed[:premasterSize],
		MAC:          sealed[premasterSize:],
		EphemeralKey: key,
		UKM:          ukm,
	}, nil
}
