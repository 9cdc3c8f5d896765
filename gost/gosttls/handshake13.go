package gosttls

import (
	"fmt"
	"slices"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/schedule"
	"propusk/gost/gosttls/internal/wire"
	"propusk/gost/spki"
	"propusk/gost/streebog"
)

// handshake13 is what both sides of a handshake of TLS 1.3 share.
type handshake13 struct {
	handshake
	schedule *schedule.Schedule

	// client and server are the handshake traffic secrets.
	client, server schedule.Secret

	sentCCS bool // the record that pleases middle boxes has been sent
}

// wipe forgets the secrets of the handshake.
func (hs *handshake13) wipe() {
	hs.client.Wipe()
	hs.server.Wipe()
	if hs.schedule != nil {
		hs.schedule.Wipe()
	}
}

// retry replaces the first ClientHello by its hash (RFC 8446, Section 4.4.1). answer
// is what the transcript has after it: the HelloRetryRequest, or nothing yet.
func (t *transcript) retry(answer []byte) {
	first := t.truncatedHash(len(answer))
	*t = *newTranscript()
	t.add(message.HashOfHello(first))
	t.add(answer)
}

// truncatedHash is the hash of the transcript without its last n bytes.
func (t *transcript) truncatedHash(n int) []byte {
	sum := streebog.Sum256(t.messages[:len(t.messages)-n])
	return sum[:]
}

// hashWith is the hash of the transcript with more bytes behind.
func (t *transcript) hashWith(more []byte) []byte {
	h := streebog.New256()
	h.Write(t.messages)
	h.Write(more)
	return h.Sum(nil)
}

// begin13 fixes the suite, and takes records as TLS 1.3 has them from now on.
func (hs *handshake13) begin13(suite *record.Suite) {
	hs.use(VersionTLS13, suite)
	hs.state.ExtendedMasterSecret = true
	hs.in.SkipChangeCipherSpec = true
}

// queueCCS sends, once, the record that makes TLS 1.3 look like TLS 1.2 (RFC 8446,
// Appendix D.4).
func (hs *handshake13) queueCCS() error {
	if hs.sentCCS {
		return nil
	}
	hs.sentCCS = true
	return hs.out.Queue(wire.TypeChangeCipherSpec, []byte{1})
}

// agreed goes on to the handshake secret. The transcript ends with ServerHello.
func (hs *handshake13) agreed(psk, shared []byte) error {
	hs.schedule = schedule.New(psk)
	hs.schedule.Handshake(shared)
	clear(shared)
	sum := hs.transcript.sum256()
	hs.client = hs.schedule.Derive(schedule.ClientHandshake, sum)
	hs.server = hs.schedule.Derive(schedule.ServerHandshake, sum)
	return hs.logSecrets(logged{"CLIENT_HANDSHAKE_TRAFFIC_SECRET", hs.client}, logged{"SERVER_HANDSHAKE_TRAFFIC_SECRET", hs.server})
}

// finish goes on to the main secret. The transcript ends with the server's Finished.
func (hs *handshake13) finish() error {
	hs.schedule.Main()
	sum := hs.transcript.sum256()
	client := hs.schedule.Derive(schedule.ClientTraffic, sum)
	server := hs.schedule.Derive(schedule.ServerTraffic, sum)
	t := &traffic13{suite: hs.suite, in: client, out: server, exporter: hs.schedule.Derive(schedule.Exporter, sum)}
	if hs.isClient {
		t.in, t.out = server, client
	}
	hs.traffic = t
	return hs.logSecrets(logged{"CLIENT_TRAFFIC_SECRET_0", client}, logged{"SERVER_TRAFFIC_SECRET_0", server},
		logged{"EXPORTER_SECRET", t.exporter})
}

// end makes the resumption secret. The transcript ends with the client's Finished.
func (hs *handshake13) end() {
	hs.traffic.resumption = hs.schedule.Derive(schedule.Resumption, hs.transcript.sum256())
	hs.out.Lock()
	defer hs.out.Unlock()
	hs.out.KeyUpdate = hs.traffic.updateOut
}

// protectIn and protectOut put a direction under a traffic secret.
func (hs *handshake13) protectIn(s *schedule.Secret) error {
	p, err := s.Protector(hs.suite)
	if err != nil {
		return wire.Refuse(wire.AlertInternalError, "record keys: %w", err)
	}
	return hs.in.Switch(p)
}

func (hs *handshake13) protectOut(s *schedule.Secret) error {
	p, err := s.Protector(hs.suite)
	if err != nil {
		return wire.Refuse(wire.AlertInternalError, "record keys: %w", err)
	}
	hs.out.Switch(p)
	return nil
}

// logged is a line of the key log.
type logged struct {
	name   string
	secret schedule.Secret
}

// logSecrets writes lines of the NSS key log.
func (hs *handshake13) logSecrets(lines ...logged) error {
	if hs.config.KeyLogWriter == nil {
		return nil
	}
	for _, line := range lines {
		if _, err := fmt.Fprintf(hs.config.KeyLogWriter, "%s %x %x\n", line.name, hs.clientRandom, line.secret[:]); err != nil {
			return wire.Refuse(wire.AlertInternalError, "key log: %w", err)
		}
	}
	return nil
}

// readChain13 reads a Certificate and the key of its leaf. The chain may be empty; who
// may send that is for the caller. The context is that of the request, which in a
// handshake is empty (RFC 8446, Section 4.4.2).
func (hs *handshake13) readChain13() ([][]byte, spki.PublicKeyInfo, error) {
	var none spki.PublicKeyInfo
	body, err := hs.read(message.TypeCertificate)
	if err != nil {
		return nil, none, err
	}
	m, err := message.ParseCertificate13(body)
	if err != nil {
		return nil, none, wire.Malformed("Certificate", err)
	}
	if len(m.Context) != 0 {
		return nil, none, wire.Refuse(wire.AlertIllegalParameter, "certificate for another request")
	}
	var chain [][]byte
	for _, entry := range m.Entries {
		// Extensions there answer those of the hello or the request, and this
		// side asks for none (RFC 8446, Section 4.4.2).
		if len(entry.Extensions) > 0 {
			return nil, none, wire.Refuse(wire.AlertUnsupportedExtension, "extension %d of a certificate, which was not asked for", entry.Extensions[0].Type)
		}
		chain = append(chain, entry.DER)
	}
	if len(chain) == 0 {
		return nil, none, nil
	}
	key, err := peerKey(chain[0])
	if err != nil {
		return nil, none, wire.Refuse(wire.AlertUnsupportedCertificate, "certificate of the peer: %w", err)
	}
	return chain, key, nil
}

// sendChain13 sends a Certificate, without a chain if there is none to present.
func (hs *handshake13) sendChain13(chain [][]byte, context []byte) error {
	m := &message.Certificate13{Context: context}
	for _, der := range chain {
		m.Entries = append(m.Entries, message.CertificateEntry{DER: der})
	}
	return hs.send(m.Marshal())
}

// sendVerify13 proves that this side has the key of its certificate.
func (hs *handshake13) sendVerify13(cert Certificate, context string) error {
	m, err := sign13(hs.config.rand(), cert, context, hs.transcript.sum256())
	if err != nil {
		return err
	}
	return hs.send(m.Marshal())
}

// readVerify13 reads the proof of the peer.
func (hs *handshake13) readVerify13(key spki.PublicKeyInfo, context string) error {
	sum := hs.transcript.sum256()
	body, err := hs.read(message.TypeCertificateVerify)
	if err != nil {
		return err
	}
	m, err := message.ParseCertificateVerify(body, VersionTLS13)
	if err != nil {
		return wire.Malformed("CertificateVerify", err)
	}
	mismatch, err := checkScheme13(key.Key.Curve(), m.Scheme, hs.config.StrictSignatureSchemes)
	if err != nil {
		return err
	}
	digest := verifyDigest(key.Key.Curve(), context, sum)
	sig := slices.Clone(m.Signature)
	slices.Reverse(sig)
	// Verify refuses r and s outside [1, q-1] (RFC 7091, Section 6.2).
	if !hs.config.KeyCache.Verify(key.Key, digest, sig) {
		return wire.Refuse(wire.AlertDecryptError, "CertificateVerify does not match")
	}
	hs.state.SignatureScheme, hs.state.SchemeMismatch = m.Scheme, mismatch
	hs.state.PeerProof = Proof{Digest: digest, Signature: sig}
	return nil
}

// sendFinished13 sends the Finished of a traffic secret.
func (hs *handshake13) sendFinished13(s *schedule.Secret) error {
	m := &message.Finished{VerifyData: s.Finished(hs.transcript.sum256())}
	return hs.send(m.Marshal())
}

// readFinished13 reads the Finished of the peer.
func (hs *handshake13) readFinished13(s *schedule.Secret) error {
	sum := hs.transcript.sum256()
	body, err := hs.read(message.TypeFinished)
	if err != nil {
		return err
	}
	m, err := message.ParseFinished(body, hs.suite.FinishedSize)
	if err != nil {
		return wire.Malformed("Finished", err)
	}
	if !s.Verify(m.VerifyData, sum) {
		return wire.Refuse(wire.AlertDecryptError, "Finished does not match")
	}
	return nil
}
