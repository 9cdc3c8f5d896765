package gosttls

import (
	"hash"
	"slices"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/kdf"
	"propusk/gost/streebog"
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
	return &message.Finished{VerifyData: kdf.PRF(s.master, label, t.sum256(), s.suite.FinishedSize)}
}
