package gosttls

import (
	"crypto"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"slices"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/wire"
	"propusk/gost/spki"
)

// handshake is what both sides of a handshake share.
type handshake struct {
	*Conn
	secrets
	transcript *transcript
	version    uint16
	ems        bool // both hellos had extended_master_secret
}

func newHandshake(c *Conn) handshake {
	return handshake{Conn: c, transcript: newTranscript()}
}

// inOrder runs the steps of a handshake until one fails.
func inOrder(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// read returns the body of the next handshake message, which must have the given
// type, and adds the message to the transcript.
func (hs *handshake) read(want message.Type) ([]byte, error) {
	typ, raw, err := hs.in.ReadMessage()
	if err != nil {
		return nil, err
	}
	if typ != want {
		return nil, wire.Refuse(wire.AlertUnexpectedMessage, "handshake message %d instead of %d", typ, want)
	}
	hs.transcript.add(raw)
	return raw[message.HeaderSize:], nil
}

// send adds a handshake message to the flight and to the transcript.
func (hs *handshake) send(raw []byte) error {
	hs.transcript.add(raw)
	return hs.out.Queue(wire.TypeHandshake, raw)
}

// use fixes version and cipher suite, also for the records that follow; those of TLS
// 1.3 look like those of 1.2.
func (hs *handshake) use(version uint16, suite *record.Suite) {
	hs.version, hs.suite = version, suite
	hs.in.Version = min(version, VersionTLS12)
	hs.out.Version = hs.in.Version
	hs.state.Version = version
	hs.state.CipherSuite = suite.ID
}

// readChain reads a Certificate message and the key of its leaf. The chain may be
// empty; who may send that is for the caller.
func (hs *handshake) readChain() ([][]byte, spki.PublicKeyInfo, error) {
	body, err := hs.read(message.TypeCertificate)
	if err != nil {
		return nil, spki.PublicKeyInfo{}, err
	}
	m, err := message.ParseCertificate(body)
	if err != nil {
		return nil, spki.PublicKeyInfo{}, wire.Malformed("Certificate", err)
	}
	if len(m.Chain) == 0 {
		return nil, spki.PublicKeyInfo{}, nil
	}
	key, err := peerKey(m.Chain[0])
	if err != nil {
		return nil, spki.PublicKeyInfo{}, wire.Refuse(wire.AlertUnsupportedCertificate, "certificate of the peer: %w", err)
	}
	return m.Chain, key, nil
}

// establishKeys turns the premaster secret into the pending protection of both
// directions. The transcript ends with ClientKeyExchange.
func (hs *handshake) establishKeys(premaster []byte) error {
	var sessionHash []byte
	if hs.ems {
		sessionHash = hs.transcript.sum256()
	}
	hs.setMaster(premaster, sessionHash)
	return hs.installKeys()
}

// installKeys makes the pending protection of both directions from the master secret.
func (hs *handshake) installKeys() error {
	client, server, err := hs.protectors()
	if err != nil {
		return wire.Refuse(wire.AlertInternalError, "record keys: %w", err)
	}
	if hs.isClient {
		hs.out.Pending, hs.in.Pending = client, server
	} else {
		hs.in.Pending, hs.out.Pending = client, server
	}
	return hs.logKey()
}

// logKey writes a line of the NSS key log.
func (hs *handshake) logKey() error {
	if hs.config.KeyLogWriter == nil {
		return nil
	}
	_, err := fmt.Fprintf(hs.config.KeyLogWriter, "CLIENT_RANDOM %x %x\n", hs.clientRandom, hs.master)
	if err != nil {
		return wire.Refuse(wire.AlertInternalError, "key log: %w", err)
	}
	return nil
}

// sendFinished sends ChangeCipherSpec and Finished.
func (hs *handshake) sendFinished(label string) error {
	if err := hs.out.QueueChangeCipherSpec(); err != nil {
		return err
	}
	if err := hs.send(hs.finished(label, hs.transcript).Marshal()); err != nil {
		return err
	}
	return hs.out.Flush()
}

// readFinished reads ChangeCipherSpec and Finished.
func (hs *handshake) readFinished(label string) error {
	if err := hs.in.ReadChangeCipherSpec(); err != nil {
		return err
	}
	want := hs.finished(label, hs.transcript)
	body, err := hs.read(message.TypeFinished)
	if err != nil {
		return err
	}
	got, err := message.ParseFinished(body, hs.suite.FinishedSize)
	if err != nil {
		return wire.Malformed("Finished", err)
	}
	if subtle.ConstantTimeCompare(got.VerifyData, want.VerifyData) != 1 {
		return wire.Refuse(wire.AlertDecryptError, "Finished does not match")
	}
	if hs.in.MidMessage() {
		return wire.Refuse(wire.AlertUnexpectedMessage, "handshake message after Finished")
	}
	return nil
}

// sign returns the signature of CertificateVerify over the transcript so far:
// LE(r)|LE(s) in TLS (RFC 9189, Section 4.2.5), which are the bytes of
// BE(s)|BE(r) in reverse. The scheme is zero before TLS 1.2.
func (hs *handshake) sign(cert Certificate, alg uint16) (*message.CertificateVerify, error) {
	curve, err := cert.curve()
	if err != nil {
		return nil, wire.Refuse(wire.AlertInternalError, "own certificate: %w", err)
	}
	sig, err := cert.PrivateKey.Sign(hs.config.rand(), hs.transcript.digest(curve), crypto.Hash(0))
	if err != nil {
		return nil, wire.Refuse(wire.AlertInternalError, "sign CertificateVerify: %w", err)
	}
	sig = slices.Clone(sig)
	slices.Reverse(sig)
	return &message.CertificateVerify{Scheme: alg, Signature: sig}, nil
}

// checkSignature checks a CertificateVerify over the transcript so far. The schemes are
// those that this side has asked for; before TLS 1.2 there are none.
func (hs *handshake) checkSignature(key spki.PublicKeyInfo, digest []byte, m *message.CertificateVerify, schemes []uint16) error {
	size := key.Key.Curve().Size()
	if hs.version >= VersionTLS12 && (schemeSize(m.Scheme) != size || !slices.Contains(schemes, m.Scheme)) {
		return wire.Refuse(wire.AlertIllegalParameter, "signature scheme %#04x for a key of %d bytes", m.Scheme, size)
	}
	sig := slices.Clone(m.Signature)
	slices.Reverse(sig)
	// Verify refuses r and s outside [1, q-1] (RFC 7091, Section 6.2).
	if len(sig) != 2*size || !hs.config.KeyCache.Verify(key.Key, digest, sig) {
		return wire.Refuse(wire.AlertDecryptError, "CertificateVerify does not match")
	}
	hs.state.PeerProof = Proof{Digest: slices.Clone(digest), Signature: sig}
	return nil
}

// randomBytes fills b.
func (hs *handshake) randomBytes(b []byte) error {
	if _, err := io.ReadFull(hs.config.rand(), b); err != nil {
		return wire.Refuse(wire.AlertInternalError, "random source: %w", err)
	}
	return nil
}

// isRemote reports whether an error is the given alert of the peer.
func isRemote(err error, alert Alert) bool {
	remote, ok := errors.AsType[*RemoteError](err)
	return ok && remote.Alert == alert
}
