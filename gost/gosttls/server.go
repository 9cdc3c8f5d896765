package gosttls

import (
	"errors"
	"fmt"
	"slices"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/wire"
	"propusk/gost/spki"
)

// scsvRenegotiation is TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746, Section 3.3).
const scsvRenegotiation uint16 = 0x00ff

// scsvFallback is TLS_FALLBACK_SCSV (RFC 7507, Section 2).
const scsvFallback uint16 = 0x5600

// serverHandshake is the server's side of RFC 9189, Section 4.2, Figure 1.
type serverHandshake struct {
	handshake
	clientHello *message.ClientHello
	cert        Certificate
	curve       *gost3410.Curve // of cert

	hello   *message.ServerHello
	request *message.CertificateRequest // nil if the client is not asked

	clientChain [][]byte
	clientKey   spki.PublicKeyInfo // of the leaf of clientChain
	unusable    bool               // ClientKeyExchange was; a random secret is in use

	serverSession
}

func newServerHandshake(c *Conn) *serverHandshake {
	return &serverHandshake{handshake: newHandshake(c)}
}

// run is the whole handshake.
func (hs *serverHandshake) run() error {
	defer hs.wipe()
	if err := hs.readClientHello(); err != nil {
		return err
	}
	if hs.config.answers13(hs.clientHello) {
		return newServerHandshake13(hs).run()
	}
	if err := inOrder(hs.chooseParameters, hs.findSession); err != nil {
		return err
	}
	if hs.resumed != nil {
		return hs.runResumed()
	}
	return inOrder(
		hs.prepareFlight,
		hs.sendFlight, // ServerHello, Certificate, CertificateRequest*, ServerHelloDone

		hs.readClientCertificate,
		hs.readClientKeyExchange,
		hs.readCertificateVerify,
		hs.readClientFinished, // ChangeCipherSpec, Finished
		hs.judgeClient,

		hs.sendTicket, // NewSessionTicket*
		hs.cacheSession,
		hs.sendServerFinished, // ChangeCipherSpec, Finished
	)
}

func (hs *serverHandshake) readClientHello() error {
	var err error
	if hs.clientHello, err = hs.nextClientHello(); err != nil {
		return err
	}
	hs.clientRandom = hs.clientHello.Random
	hs.state.takeHello(hs.clientHello)
	return nil
}

// nextClientHello reads a ClientHello: the first one, or in TLS 1.3 the second.
func (hs *handshake) nextClientHello() (*message.ClientHello, error) {
	body, err := hs.read(message.TypeClientHello)
	if err != nil {
		return nil, err
	}
	hello, err := message.ParseClientHello(body)
	if err != nil {
		return nil, wire.Malformed("ClientHello", err)
	}
	// What follows the hello is an answer to nothing: the client's next message
	// comes after ServerHelloDone (RFC 5246, Section 7.4.6).
	if hs.in.MidMessage() {
		return nil, wire.Refuse(wire.AlertUnexpectedMessage, "handshake message right after ClientHello")
	}
	return hello, nil
}

// chooseParameters decides what is spoken of TLS 1.2 and before.
func (hs *serverHandshake) chooseParameters() error {
	hello := hs.clientHello
	version, suite, err := hs.config.chooseSuite(hello)
	if err != nil {
		return err
	}
	hs.use(version, suite)
	if !hello.SupportsNullCompression() {
		return wire.Refuse(wire.AlertIllegalParameter, "client offers no null compression")
	}
	// RFC 5746, Section 3.6: in a first handshake it is empty.
	if len(hello.Known.Renegotiation) > 0 {
		return wire.Refuse(wire.AlertHandshakeFailure, "renegotiation in a first handshake")
	}
	hs.ems = hello.Known.ExtendedMasterSecret
	if hs.config.RequireExtendedMasterSecret && !hs.ems {
		return wire.Refuse(wire.AlertHandshakeFailure, "client without extended master secret")
	}
	hs.state.ExtendedMasterSecret = hs.ems
	return hs.chooseCertificate()
}

// chooseSuite returns the last version of TLS 1.0 to 1.2 that both sides speak, and
// the first suite of the configuration for it that the client offers.
func (c *Config) chooseSuite(hello *message.ClientHello) (version uint16, suite *record.Suite, err error) {
	err = wire.Refuse(wire.AlertProtocolVersion, "client offers version %#04x", hello.Version)
	for version = VersionTLS12; version >= VersionTLS10; version-- {
		suites := c.servedSuites(version)
		if len(suites) == 0 || !hello.Offers(version) {
			continue
		}
		for _, suite := range suites {
			if slices.Contains(hello.CipherSuites, suite.ID) {
				return version, suite, c.checkFallback(hello)
			}
		}
		err = &ProtocolError{Alert: wire.AlertHandshakeFailure, Err: ErrNoSharedSuite}
	}
	return 0, nil, err
}

// checkFallback refuses a client that says it was made to try a lower version than it
// could, by somebody who broke its first attempt (RFC 7507, Section 3).
func (c *Config) checkFallback(hello *message.ClientHello) error {
	if !slices.Contains(hello.CipherSuites, scsvFallback) {
		return nil
	}
	for version := VersionTLS13; version > hello.Version; version-- {
		if len(c.servedSuites(version)) > 0 && !hello.Offers(version) {
			return wire.Refuse(wire.AlertInappropriateFallback, "client fell back to version %#04x", hello.Version)
		}
	}
	return nil
}

// chooseCertificate asks Config.GetCertificate, then looks at Config.Certificates.
func (hs *serverHandshake) chooseCertificate() error {
	certificates, err := hs.certificatesFor(hs.clientHello)
	if err != nil {
		return err
	}
	var ok bool
	if hs.cert, hs.curve, ok = chooseCertificate(certificates, hs.suite, hs.clientHello.Known); !ok {
		return &ProtocolError{Alert: wire.AlertHandshakeFailure, Err: ErrNoSharedSuite}
	}
	hs.state.Curve = hs.curve
	return nil
}

// certificatesFor returns the certificates among which to choose for a client: the one
// that Config.GetCertificate gives, or Config.Certificates.
func (c *Conn) certificatesFor(hello *message.ClientHello) ([]Certificate, error) {
	if c.config.GetCertificate == nil {
		return c.config.Certificates, nil
	}
	cert, err := c.config.GetCertificate(newClientHelloInfo(hello, c.conn))
	if err != nil {
		return nil, wire.Refuse(wire.AlertInternalError, "own certificate: %w", err)
	}
	if cert == nil {
		return c.config.Certificates, nil
	}
	return []Certificate{*cert}, nil
}

// prepareFlight makes ServerHello and CertificateRequest. Nothing here costs a
// public-key operation: most of the first flights go to probes.
func (hs *serverHandshake) prepareFlight() error {
	if err := hs.randomBytes(hs.serverRandom[:]); err != nil {
		return err
	}
	hs.config.markDowngrade(hs.version, hs.clientHello, &hs.serverRandom)
	hs.hello = &message.ServerHello{
		Version:     hs.version,
		Random:      hs.serverRandom,
		SessionID:   hs.id,
		CipherSuite: hs.suite.ID,
		Extensions:  hs.extensions(),
	}
	if hs.config.ClientAuth != NoClientCert {
		hs.request = newCertificateRequest(hs.version, hs.suite)
	}
	return nil
}

// newCertificateRequest asks for what RFC 9189, Section 4.2.3, allows and nothing else.
// Clients that know the suite by its old number know the rest by its old numbers, too
// (Section 10).
func newCertificateRequest(version uint16, suite *record.Suite) *message.CertificateRequest {
	m := &message.CertificateRequest{
		Types:   []byte{message.CertGOST256, message.CertGOST512},
		Schemes: []uint16{message.SchemeGOST256, message.SchemeGOST512},
	}
	if suite.ID == LegacyCNTIMIT {
		m.Types = append(m.Types, message.CertLegacy256, message.CertLegacy512, message.CertGOST2001)
		m.Schemes = append(m.Schemes, message.SchemeLegacy256, message.SchemeLegacy512)
	}
	if version < VersionTLS12 {
		m.Schemes = nil
	}
	return m
}

// extensions answers the extensions of the client. encrypt_then_mac is not among
// them: RFC 9189, Section 4.2.1, forbids it.
func (hs *serverHandshake) extensions() []message.Extension {
	var all []message.Extension
	secure := slices.Contains(hs.clientHello.CipherSuites, scsvRenegotiation)
	if secure || hs.clientHello.Known.Renegotiation != nil {
		all = append(all, message.RenegotiationInfo())
	}
	if hs.ems {
		all = append(all, message.ExtendedMasterSecret())
	}
	return append(all, hs.sessionExtensions()...)
}

func (hs *serverHandshake) sendFlight() error {
	flight := [][]byte{
		hs.hello.Marshal(),
		(&message.Certificate{Chain: hs.cert.Chain}).Marshal(),
	}
	if hs.request != nil {
		flight = append(flight, hs.request.Marshal())
	}
	flight = append(flight, message.ServerHelloDone())
	for _, raw := range flight {
		if err := hs.send(raw); err != nil {
			return err
		}
	}
	if err := hs.out.Flush(); err != nil {
		return err
	}
	return hs.awaitClientFlight()
}

// awaitClientFlight waits for the first record after the server's flight, to tell
// a probe from a failure.
func (hs *handshake) awaitClientFlight() error {
	typ, content, err := hs.in.Next()
	switch {
	case isRemote(err, wire.AlertIllegalParameter):
		return fmt.Errorf("%w: %w", ErrGOSTProbe, err)
	case err != nil:
		return err
	case typ != wire.TypeHandshake:
		return wire.Refuse(wire.AlertUnexpectedMessage, "record type %d instead of the client's flight", typ)
	}
	return hs.in.AddHandshake(content)
}

// readClientCertificate reads Certificate if the client was asked for one.
func (hs *serverHandshake) readClientCertificate() error {
	if hs.request == nil {
		return nil
	}
	var err error
	if hs.clientChain, hs.clientKey, err = hs.readChain(); err != nil {
		return err
	}
	if len(hs.clientChain) == 0 && hs.config.ClientAuth == RequireAnyClientCert {
		return &ProtocolError{Alert: wire.AlertHandshakeFailure, Err: ErrNoCertificate}
	}
	return nil
}

func (hs *serverHandshake) readClientKeyExchange() error {
	body, err := hs.read(message.TypeClientKeyExchange)
	if err != nil {
		return err
	}
	premaster, genuine, err := hs.importPremaster(hs.config.rand(), hs.cert.PrivateKey, body)
	if err != nil {
		return err
	}
	hs.unusable = genuine != 1
	return hs.establishKeys(premaster)
}

// readCertificateVerify is not optional once the client has sent a certificate:
// without it the certificate is a claim (RFC 5246, Section 7.4.8). Nothing but
// this message is accepted in its place.
func (hs *serverHandshake) readCertificateVerify() error {
	if len(hs.clientChain) == 0 {
		return nil
	}
	digest := hs.transcript.digest(hs.clientKey.Key.Curve())
	body, err := hs.read(message.TypeCertificateVerify)
	if err != nil {
		return err
	}
	m, err := message.ParseCertificateVerify(body, hs.version)
	if err != nil {
		return wire.Malformed("CertificateVerify", err)
	}
	if err := hs.checkSignature(hs.clientKey, digest, m, hs.request.Schemes); err != nil {
		return err
	}
	hs.state.PeerCertificates = hs.clientChain
	hs.state.SignatureScheme = m.Scheme
	return nil
}

// readClientFinished is where a handshake ends whose ClientKeyExchange could not be
// used with CNT_IMIT. The peer is told the same as one whose Finished is wrong for
// another reason; only the error says more.
func (hs *serverHandshake) readClientFinished() error {
	err := hs.readFinished(clientFinished)
	if refusal, ok := errors.AsType[*ProtocolError](err); ok && hs.unusable {
		refusal.Err = fmt.Errorf("%w: %w", errKeyExchange, refusal.Err)
	}
	return err
}

func (hs *serverHandshake) judgeClient() error { return hs.judgeProven() }

func (hs *serverHandshake) sendServerFinished() error { return hs.sendFinished(serverFinished) }
