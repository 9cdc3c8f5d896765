package gosttls

import (
	"slices"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/wire"
	"propusk/gost/spki"
)

// serverHandshake13 is the server's side of RFC 8446, Section 2, Figure 1, in the
// profile of RFC 9367, Section 6.
type serverHandshake13 struct {
	handshake13
	clientHello *message.ClientHello
	offer       *message.Offer13

	curve *gost3410.Curve   // for the ephemeral keys
	share *message.KeyShare // of the client, on curve

	cert Certificate

	resumption13
	requested   bool // the client was asked for a certificate
	clientChain [][]byte
	clientKey   spki.PublicKeyInfo // of the leaf of clientChain
}

// newServerHandshake13 takes over from the handshake that has read the ClientHello.
func newServerHandshake13(hs *serverHandshake) *serverHandshake13 {
	return &serverHandshake13{handshake13: handshake13{handshake: hs.handshake}, clientHello: hs.clientHello}
}

// run is the whole handshake after the ClientHello.
func (hs *serverHandshake13) run() error {
	defer hs.wipe()
	return inOrder(
		hs.checkHello,
		hs.chooseParameters,
		hs.retryHello, // HelloRetryRequest*, ClientHello*
		hs.findSession,
		hs.chooseCertificate,

		hs.sendHello, // ServerHello
		hs.protectHandshake,
		hs.sendParameters,  // EncryptedExtensions
		hs.sendCertificate, // CertificateRequest*, Certificate*, CertificateVerify*
		hs.sendFinished,
		hs.finish,
		hs.protectData,

		hs.awaitClientFlight,
		hs.readCertificate, // Certificate*, CertificateVerify*
		hs.readFinished,
		hs.judgeClient,

		hs.sendTicket, // NewSessionTicket*
	)
}

// checkHello looks at what every hello of TLS 1.3 must have, the second one too.
func (hs *serverHandshake13) checkHello() error {
	var err error
	if hs.offer, err = message.ParseOffer13(hs.clientHello); err != nil {
		return wire.Malformed("ClientHello", err)
	}
	hello, known := hs.clientHello, hs.clientHello.Known
	// RFC 8446, Section 4.1.2.
	if len(hello.Compressions) != 1 || hello.Compressions[0] != 0 {
		return wire.Refuse(wire.AlertIllegalParameter, "client of TLS 1.3 offers compression")
	}
	// Section 9.2. A pre-shared key alone is no key exchange here, so groups must be
	// there in any case; schemes, if it comes to a certificate.
	if known.Groups == nil || hs.offer.Shares == nil {
		return wire.Refuse(wire.AlertMissingExtension, "hello without groups or key share")
	}
	if hs.offer.PSKs != nil && hs.offer.PSKModes == nil {
		return wire.Refuse(wire.AlertMissingExtension, "pre-shared keys without modes")
	}
	for _, share := range hs.offer.Shares {
		if !slices.Contains(known.Groups, share.Group) {
			return wire.Refuse(wire.AlertIllegalParameter, "key share for group %d, which is not offered", share.Group)
		}
	}
	return nil
}

// chooseParameters takes the first suite of the configuration, and the first curve for
// which the client sent a key; if there is none, the first curve that it can use.
func (hs *serverHandshake13) chooseParameters() error {
	suite, ok := firstOffered(hs.config.suitesOf(VersionTLS13), hs.clientHello.CipherSuites)
	if !ok {
		return &ProtocolError{Alert: wire.AlertHandshakeFailure, Err: ErrNoSharedSuite}
	}
	hs.begin13(suite)
	for _, curve := range hs.config.curves() {
		if !slices.Contains(hs.clientHello.Known.Groups, group(curve)) {
			continue
		}
		if hs.share = hs.shareFor(curve); hs.share != nil {
			hs.curve = curve
			break
		}
		if hs.curve == nil {
			hs.curve = curve
		}
	}
	if hs.curve == nil {
		return &ProtocolError{Alert: wire.AlertHandshakeFailure, Err: ErrNoSharedSuite}
	}
	hs.state.Group = hs.curve
	return nil
}

// shareFor returns the client's key on a curve, nil if it sent none.
func (hs *serverHandshake13) shareFor(curve *gost3410.Curve) *message.KeyShare {
	for i, share := range hs.offer.Shares {
		if share.Group == group(curve) {
			return &hs.offer.Shares[i]
		}
	}
	return nil
}

// retryHello asks for a key on the chosen curve, if there is none, and reads the second
// hello (RFC 8446, Section 4.1.4). The server remembers the first one itself, so it
// needs no cookie.
func (hs *serverHandshake13) retryHello() error {
	if hs.share != nil {
		return nil
	}
	hs.transcript.retry(nil)
	answer := &message.Answer13{Version: VersionTLS13, Group: group(hs.curve)}
	if err := hs.sendAnswer(message.RetryRandom, answer); err != nil {
		return err
	}
	if err := hs.out.Flush(); err != nil {
		return err
	}
	if hs.offer.EarlyData {
		hs.in.SkipEarlyData()
	}
	first := hs.clientHello
	var err error
	if hs.clientHello, err = hs.nextClientHello(); err != nil {
		return err
	}
	return hs.checkSecondHello(first)
}

func (hs *serverHandshake13) checkSecondHello(first *message.ClientHello) error {
	if err := hs.checkHello(); err != nil {
		return err
	}
	if !hs.clientHello.SameButRetried(first) {
		return wire.Refuse(wire.AlertIllegalParameter, "second hello differs from the first")
	}
	if hs.offer.EarlyData || hs.offer.Cookie != nil {
		return wire.Refuse(wire.AlertIllegalParameter, "second hello with early data or a cookie that nobody gave")
	}
	if hs.share = hs.shareFor(hs.curve); hs.share == nil || len(hs.offer.Shares) != 1 {
		return wire.Refuse(wire.AlertIllegalParameter, "second hello without the one key share that was asked for")
	}
	return nil
}

// chooseCertificate takes the first certificate whose scheme the client names. TLS 1.3
// has no room for certificates that the client did not ask for (RFC 9367, Section
// 6.3.1).
func (hs *serverHandshake13) chooseCertificate() error {
	if hs.resumed != nil {
		return nil
	}
	if hs.clientHello.Known.Schemes == nil {
		return wire.Refuse(wire.AlertMissingExtension, "hello without signature schemes")
	}
	certificates, err := hs.certificatesFor(hs.clientHello)
	if err != nil {
		return err
	}
	var curve *gost3410.Curve
	var ok bool
	if hs.cert, curve, ok = chooseCertificate13(certificates, hs.clientHello.Known); !ok {
		return &ProtocolError{Alert: wire.AlertHandshakeFailure, Err: ErrNoSharedSuite}
	}
	hs.state.Curve = curve
	return nil
}

// chooseCertificate13 prefers, among the certificates that the client can verify, one
// with the name that it asks for.
func chooseCertificate13(all []Certificate, known message.Known) (best Certificate, bestCurve *gost3410.Curve, ok bool) {
	for _, cert := range all {
		curve, err := cert.curve()
		if err != nil || !slices.Contains(known.Schemes, scheme13(curve)) {
			continue // the error was refused by Config.check before the handshake
		}
		if cert.carries(known.ServerName) {
			return cert, curve, true
		}
		if !ok {
			best, bestCurve, ok = cert, curve, true
		}
	}
	return best, bestCurve, ok
}

// sendAnswer sends a ServerHello or a HelloRetryRequest.
func (hs *serverHandshake13) sendAnswer(random [message.RandomSize]byte, answer *message.Answer13) error {
	hello := &message.ServerHello{
		Version:     VersionTLS12,
		Random:      random,
		SessionID:   hs.clientHello.SessionID,
		CipherSuite: hs.suite.ID,
		Extensions:  answer.Extensions(),
	}
	if err := hs.send(hello.Marshal()); err != nil {
		return err
	}
	if len(hs.clientHello.SessionID) == 0 {
		return nil
	}
	return hs.queueCCS() // RFC 8446, Appendix D.4
}

// sendHello agrees on the handshake keys.
func (hs *serverHandshake13) sendHello() error {
	if err := hs.randomBytes(hs.serverRandom[:]); err != nil {
		return err
	}
	key, shared, err := hs.ephemeral()
	if err != nil {
		return err
	}
	if err := hs.answerHello(key); err != nil {
		return err
	}
	err = hs.agreed(hs.psk(), shared)
	clear(hs.psk()) // the next ticket gets another one
	return err
}

// ephemeral makes the ephemeral key of the server, and returns its public half and the
// shared secret.
func (hs *serverHandshake13) ephemeral() (public, shared []byte, err error) {
	key, err := gost3410.GenerateKey(hs.curve, hs.config.rand())
	if err != nil {
		return nil, nil, wire.Refuse(wire.AlertInternalError, "ephemeral key: %w", err)
	}
	if shared, err = agree(key, hs.share.Key); err != nil {
		return nil, nil, err
	}
	return key.PublicKey().Bytes(), shared, nil
}

// answerHello sends ServerHello with the ephemeral key.
func (hs *serverHandshake13) answerHello(key []byte) error {
	return hs.sendAnswer(hs.serverRandom, &message.Answer13{
		Version: VersionTLS13,
		Share:   &message.KeyShare{Group: group(hs.curve), Key: key},
		PSK:     hs.pskNumber,
	})
}

// protectHandshake goes on under the handshake keys.
func (hs *serverHandshake13) protectHandshake() error {
	if err := hs.protectOut(&hs.server); err != nil {
		return err
	}
	if err := hs.protectIn(&hs.client); err != nil {
		return err
	}
	if hs.offer.EarlyData {
		hs.in.SkipEarlyData()
	}
	return nil
}

// sendParameters sends EncryptedExtensions, of which there are none.
func (hs *serverHandshake13) sendParameters() error {
	return hs.send((&message.EncryptedExtensions{}).Marshal())
}

// sendCertificate proves who the server is, and asks who the client is. Who resumes a
// session has proven it before.
func (hs *serverHandshake13) sendCertificate() error {
	if hs.resumed != nil {
		return nil
	}
	if hs.config.ClientAuth != NoClientCert {
		hs.requested = true
		request := &message.CertificateRequest13{
			Extensions: []message.Extension{message.SignatureAlgorithms(schemes13())},
		}
		if err := hs.send(request.Marshal()); err != nil {
			return err
		}
	}
	if err := hs.sendChain13(hs.cert.Chain, nil); err != nil {
		return err
	}
	return hs.sendVerify13(hs.cert, serverContext)
}

// sendFinished ends the server's flight.
func (hs *serverHandshake13) sendFinished() error {
	if err := hs.sendFinished13(&hs.server); err != nil {
		return err
	}
	return hs.out.Flush()
}

// protectData puts what the server sends under the keys of application data. It could
// send some already, but Conn lets none through before the client is known.
func (hs *serverHandshake13) protectData() error { return hs.protectOut(&hs.traffic.out) }

// readCertificate reads the certificate of the client, if it was asked for one, and the
// proof that it has the key. The proof is not optional once there is a certificate.
func (hs *serverHandshake13) readCertificate() error {
	if !hs.requested {
		return nil
	}
	var err error
	if hs.clientChain, hs.clientKey, err = hs.readChain13(); err != nil {
		return err
	}
	if len(hs.clientChain) == 0 {
		if hs.config.ClientAuth == RequireAnyClientCert {
			return &ProtocolError{Alert: wire.AlertCertificateRequired, Err: ErrNoCertificate}
		}
		return nil
	}
	return hs.readVerify13(hs.clientKey, clientContext)
}

// readFinished ends what the client says about itself.
func (hs *serverHandshake13) readFinished() error {
	if err := hs.readFinished13(&hs.client); err != nil {
		return err
	}
	hs.end()
	if err := hs.protectIn(&hs.traffic.in); err != nil {
		return err
	}
	hs.state.PeerCertificates = hs.clientChain
	return hs.beginSession()
}

func (hs *serverHandshake13) judgeClient() error { return hs.judgeProven() }
