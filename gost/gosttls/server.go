package gosttls

import (
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

	serverSession
}

func newServerHandshake(c *Conn) *serverHandshake {
	return &serverHandshake{handshake: newHandshake(c)}
}

// run is the whole handshake.
func (hs *serverHandshake) run() error {
	defer hs.wipe()
	if err := inOrder(hs.readClientHello, hs.chooseParameters, hs.findSession); err != nil {
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
	body, err := hs.read(message.TypeClientHello)
	if err != nil {
		return err
	}
	if hs.clientHello, err = message.ParseClientHello(body); err != nil {
		return wire.Malformed("ClientHello", err)
	}
	// What follows the hello is an answer to nothing: the client's next message
	// comes after ServerHelloDone (RFC 5246, Section 7.4.6).
	if hs.in.MidMessage() {
		return wire.Refuse(wire.AlertUnexpectedMessage, "handshake message right after ClientHello")
	}
	hs.clientRandom = hs.clientHello.Random
	hs.state.Offered = hs.clientHello.CipherSuites
	hs.state.ServerName = hs.clientHello.Known.ServerName
	return nil
}

// chooseParameters decides what is spoken. signature_algorithms of the client is
// ignored, as RFC 9189, Section 4.2.1, allows: clients that take the GOST
// suites from a cryptographic provider do not name the GOST schemes.
func (hs *serverHandshake) chooseParameters() error {
	hello := hs.clientHello
	if !hello.Offers(VersionTLS12) {
		return wire.Refuse(wire.AlertProtocolVersion, "client offers version %#04x", hello.Version)
	}
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
	suite, ok := chooseSuite(hs.config, hello)
	if !ok {
		return &ProtocolError{Alert: wire.AlertHandshakeFailure, Err: ErrNoSharedSuite}
	}
	hs.useSuite(suite)
	if hs.cert, hs.curve, ok = chooseCertificate(hs.config.Certificates, hello.Known); !ok {
		return &ProtocolError{Alert: wire.AlertHandshakeFailure, Err: ErrNoSharedSuite}
	}
	hs.state.ExtendedMasterSecret = hs.ems
	hs.state.Curve = hs.curve
	return nil
}

// chooseSuite returns the first suite of the configuration that the client
// offers.
func chooseSuite(config *Config, hello *message.ClientHello) (*record.Suite, bool) {
	for _, id := range config.suites() {
		if slices.Contains(hello.CipherSuites, id) {
			return record.SuiteByID(id)
		}
	}
	return nil, false
}

// prepareFlight makes ServerHello and CertificateRequest. Nothing here costs a
// public-key operation: most of the first flights go to probes.
func (hs *serverHandshake) prepareFlight() error {
	if err := hs.randomBytes(hs.serverRandom[:]); err != nil {
		return err
	}
	hs.hello = &message.ServerHello{
		Version:     VersionTLS12,
		Random:      hs.serverRandom,
		SessionID:   hs.id,
		CipherSuite: hs.suite.ID,
		Extensions:  hs.extensions(),
	}
	if hs.config.ClientAuth != NoClientCert {
		// RFC 9189, Section 4.2.3: these and no others.
		hs.request = &message.CertificateRequest{
			Types:   []byte{message.CertGOST256, message.CertGOST512},
			Schemes: []uint16{message.SchemeGOST256, message.SchemeGOST512},
		}
	}
	return nil
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
func (hs *serverHandshake) awaitClientFlight() error {
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
	premaster, err := hs.importPremaster(hs.cert.PrivateKey, hs.curve, body)
	if err != nil {
		return err
	}
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
	m, err := message.ParseCertificateVerify(body)
	if err != nil {
		return wire.Malformed("CertificateVerify", err)
	}
	if err := hs.checkSignature(hs.clientKey, digest, m); err != nil {
		return err
	}
	hs.state.PeerCertificates = hs.clientChain
	return nil
}

func (hs *serverHandshake) readClientFinished() error { return hs.readFinished(clientFinished) }

func (hs *serverHandshake) judgeClient() error { return hs.judgeProven() }

func (hs *serverHandshake) sendServerFinished() error { return hs.sendFinished(serverFinished) }
