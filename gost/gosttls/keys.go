package gosttls

import (
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/wire"
	"propusk/gost/kdf"
	"propusk/gost/keywrap"
	"propusk/gost/spki"
	"propusk/gost/streebog"
	"propusk/gost/vko"
)

// Sizes in bytes.
const (
	premasterSize = 32 // RFC 9189, Section 4.2
	masterSize    = 48 // RFC 5246, Section 8.1
)

// transcript is the concatenation of the handshake messages so far.
type transcript struct {
	hash256 hash.Hash

	// messages is kept until the client has proven its key: which hash
	// CertificateVerify needs is known only with the client's certificate.
	messages []byte
}

func newTranscript() *transcript { return &transcript{hash256: streebog.New256()} }

func (t *transcript) add(raw []byte) {
	t.hash256.Write(raw)
	t.messages = append(t.messages, raw...)
}

// sum256 is HASH of RFC 9189, Section 4.3.4.
func (t *transcript) sum256() []byte { return t.hash256.Sum(nil) }

// digest returns what a key on the curve signs in CertificateVerify.
func (t *transcript) digest(c *gost3410.Curve) []byte {
	if c.Size() == 64 {
		h := streebog.New512()
		h.Write(t.messages)
		return h.Sum(nil)
	}
	return t.sum256()
}

// secrets are the values that both sides of a handshake derive.
type secrets struct {
	suite                      *record.Suite
	clientRandom, serverRandom [message.RandomSize]byte
	master                     []byte
}

// wipe forgets the master secret. Without resumption and exporters nobody needs
// it after the handshake.
func (s *secrets) wipe() { clear(s.master) }

// randomsHash is H of RFC 9189, Section 4.2.4.1.
func (s *secrets) randomsHash() []byte {
	h := streebog.New256()
	h.Write(s.clientRandom[:])
	h.Write(s.serverRandom[:])
	return h.Sum(nil)
}

// setMaster derives the master secret and wipes the premaster secret. The
// sessionHash is nil without the extended master secret; otherwise it covers the
// messages up to ClientKeyExchange (RFC 7627, Section 4).
func (s *secrets) setMaster(premaster, sessionHash []byte) {
	if sessionHash != nil {
		s.master = kdf.PRF(premaster, "extended master secret", sessionHash, masterSize)
	} else {
		seed := slices.Concat(s.clientRandom[:], s.serverRandom[:])
		s.master = kdf.PRF(premaster, "master secret", seed, masterSize)
	}
	clear(premaster)
}

// protectors returns the record protection of what the client and what the server
// sends (RFC 5246, Section 6.3).
func (s *secrets) protectors() (client, server *record.Protector, err error) {
	const key = record.KeySize
	iv := s.suite.IVSize()
	seed := slices.Concat(s.serverRandom[:], s.clientRandom[:])
	block := kdf.PRF(s.master, "key expansion", seed, 4*key+2*iv)
	defer clear(block)
	rest := block
	next := func(n int) (part []byte) {
		part, rest = rest[:n], rest[n:]
		return part
	}
	clientMAC, serverMAC := next(key), next(key)
	clientKey, serverKey := next(key), next(key)
	clientIV, serverIV := next(iv), next(iv)
	if client, err = record.NewProtector(s.suite, clientMAC, clientKey, clientIV); err != nil {
		return nil, nil, err
	}
	if server, err = record.NewProtector(s.suite, serverMAC, serverKey, serverIV); err != nil {
		return nil, nil, err
	}
	return client, server, nil
}

// Labels of Finished, RFC 5246, Section 7.4.9.
const (
	clientFinished = "client finished"
	serverFinished = "server finished"
)

// finished returns the Finished message over the transcript so far.
func (s *secrets) finished(label string, t *transcript) *message.Finished {
	return &message.Finished{VerifyData: kdf.PRF(s.master, label, t.sum256(), message.FinishedSize)}
}

// errKeyExchange is all that anybody learns about a ClientKeyExchange that was
// refused: a peer that could tell a wrong point from a wrong MAC would have an
// oracle on the server's key.
var errKeyExchange = errors.New("ClientKeyExchange cannot be used")

// importPremaster is the server's side of RFC 9189, Section 4.2.4.1. The key is
// that of the server's certificate. Every failure is the same alert, and the same
// error but for a failure of the key itself, of which its owner has to know.
func (s *secrets) importPremaster(key PrivateKey, curve *gost3410.Curve, body []byte) ([]byte, error) {
	premaster, err := s.tryImport(key, curve, body)
	if err != nil {
		if !errors.Is(err, errKeyExchange) {
			err = errKeyExchange
		}
		return nil, &ProtocolError{Alert: wire.AlertDecryptError, Err: err}
	}
	return premaster, nil
}

func (s *secrets) tryImport(key PrivateKey, curve *gost3410.Curve, body []byte) ([]byte, error) {
	m, err := message.ParseClientKeyExchange(body)
	if err != nil {
		return nil, err
	}
	// Step 1. spki.Parse refuses points that are zero, not on the curve or not
	// in the subgroup of order q.
	ephemeral, err := spki.Parse(m.EphemeralKey)
	if err != nil {
		return nil, err
	}
	if ephemeral.Key.Curve() != curve || !ephemeral.Algorithm.Algorithm.Equal(keyAlgorithm(curve)) {
		return nil, errKeyExchange
	}
	if len(m.KeyExp) != premasterSize+s.suite.BlockSize {
		return nil, errKeyExchange
	}
	// Step 2.
	h := s.randomsHash()
	export, err := vko.KEG(key, ephemeral.Key, h)
	if err != nil {
		return nil, fmt.Errorf("%w: own key: %w", errKeyExchange, err)
	}
	defer clear(export)
	// Step 3.
	return keywrap.KImp15(s.suite.NewCipher, export[:32], export[32:], h[24:24+s.suite.IVSize()], m.KeyExp)
}

// exportPremaster is the client's side of RFC 9189, Section 4.2.4.1, steps 1 and
// 2: the secrets that only the client chooses.
func (s *secrets) exportPremaster(rand io.Reader, server spki.PublicKeyInfo) ([]byte, *message.ClientKeyExchange, error) {
	ephemeral, err := gost3410.GenerateKey(server.Key.Curve(), rand)
	if err != nil {
		return nil, nil, fmt.Errorf("generate ephemeral key: %w", err)
	}
	premaster := make([]byte, premasterSize)
	if _, err := io.ReadFull(rand, premaster); err != nil {
		return nil, nil, fmt.Errorf("generate premaster secret: %w", err)
	}
	m, err := s.wrapPremaster(premaster, ephemeral, server)
	if err != nil {
		return nil, nil, err
	}
	return premaster, m, nil
}

// wrapPremaster is steps 3 to 5.
func (s *secrets) wrapPremaster(premaster []byte, ephemeral *gost3410.PrivateKey, server spki.PublicKeyInfo) (*message.ClientKeyExchange, error) {
	// The server's own AlgorithmIdentifier: gost-engine compares names of
	// curves, so an equivalent one would fail there.
	key, err := spki.Marshal(server.Algorithm, ephemeral.PublicKey())
	if err != nil {
		return nil, fmt.Errorf("encode ephemeral key: %w", err)
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
