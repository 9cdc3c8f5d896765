package gosttls

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/wire"
	"propusk/gost/spki"
)

// clientHandshake is the client's side of RFC 9189, Section 4.2, Figure 1.
type clientHandshake struct {
	handshake
	hello       *message.ClientHello
	serverChain [][]byte
	serverKey   spki.PublicKeyInfo // of the leaf of serverChain

	request *message.CertificateRequest // nil if the server did not ask
	cert    Certificate                 // without chain if there is none to present
	scheme  uint16                      // of CertificateVerify, zero before TLS 1.2

	clientSession
	clientOffer13
	next13 *clientHandshake13 // nil if the server does not speak TLS 1.3
}

func newClientHandshake(c *Conn) *clientHandshake {
	return &clientHandshake{handshake: newHandshake(c)}
}

// run is the whole handshake.
func (hs *clientHandshake) run() error {
	defer hs.wipe()
	if err := inOrder(hs.prepareHello, hs.offerSession, hs.offer13, hs.sendHello, hs.readServerHello); err != nil {
		return hs.dropSession(err)
	}
	if hs.next13 != nil {
		return hs.next13.run()
	}
	if hs.resumed != nil {
		return hs.dropSession(hs.runResumed())
	}
	return inOrder(
		hs.readServerCertificate,
		hs.readRequestAndDone, // CertificateRequest*, ServerHelloDone
		hs.judgeServer,

		hs.sendCertificate,
		hs.sendClientKeyExchange,
		hs.sendCertificateVerify,
		hs.sendClientFinished, // ChangeCipherSpec, Finished

		hs.readTicket,         // NewSessionTicket*
		hs.readServerFinished, // ChangeCipherSpec, Finished
		hs.keepSession,
	)
}

func (hs *clientHandshake) prepareHello() error {
	if err := hs.randomBytes(hs.clientRandom[:]); err != nil {
		return err
	}
	version, suites := hs.config.offer12()
	hs.hello = &message.ClientHello{
		Version:      version,
		Random:       hs.clientRandom,
		CipherSuites: suites,
		Compressions: []byte{0},
		Extensions: []message.Extension{
			message.RenegotiationInfo(),
			message.ExtendedMasterSecret(),
			message.SupportedGroups(allGroups()),
		},
	}
	if version >= VersionTLS12 { // RFC 5246, Section 7.4.1.4.1: not before
		hs.hello.Extensions = append(hs.hello.Extensions, message.SignatureAlgorithms(schemesFor(suites)))
	}
	if name := sniName(hs.config.ServerName); name != "" {
		hs.hello.Extensions = append(hs.hello.Extensions, message.ServerName(name))
		hs.state.ServerName = name
	}
	hs.state.Offered = hs.hello.CipherSuites
	return nil
}

// schemesFor returns the signature schemes that a client of the given suites verifies.
func schemesFor(suites []uint16) []uint16 {
	schemes := []uint16{message.SchemeGOST256, message.SchemeGOST512}
	if slices.Contains(suites, LegacyCNTIMIT) {
		schemes = append(schemes, message.SchemeLegacy256, message.SchemeLegacy512)
	}
	return schemes
}

// sniName returns what goes into server_name: no IP address and no final dot
// (RFC 6066, Section 3).
func sniName(name string) string {
	name = strings.TrimSuffix(name, ".")
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return ""
	}
	return name
}

// sendHello sends ClientHello. A server that lacks TLS 1.2 may not like its number on a
// record (RFC 5246, Appendix E.1).
func (hs *clientHandshake) sendHello() error {
	if hs.config.speaks(VersionTLS10) || hs.config.speaks(VersionTLS11) {
		hs.out.Version = VersionTLS10
	}
	raw := hs.hello.Marshal()
	hs.bind(raw, hs.transcript)
	if err := hs.send(raw); err != nil {
		return err
	}
	return hs.out.Flush()
}

func (hs *clientHandshake) readServerHello() error {
	body, err := hs.read(message.TypeServerHello)
	if err != nil {
		return err
	}
	hello, err := message.ParseServerHello(body)
	if err != nil {
		return wire.Malformed("ServerHello", err)
	}
	if ok, err := hs.answered13(hello); ok || err != nil {
		return err
	}
	if err := hs.checkServerHello(hello); err != nil {
		return err
	}
	suite, ok := record.SuiteByID(hello.CipherSuite)
	if !ok || !slices.Contains(hs.hello.CipherSuites, hello.CipherSuite) || !fits(suite, hello.Version) {
		return wire.Refuse(wire.AlertIllegalParameter, "server chose cipher suite %#04x, which was not offered", hello.CipherSuite)
	}
	hs.use(hello.Version, suite)
	hs.serverRandom = hello.Random
	hs.ems = hello.Known.ExtendedMasterSecret
	hs.state.ExtendedMasterSecret = hs.ems
	return hs.readAnswerToSession(hello)
}

func (hs *clientHandshake) checkServerHello(hello *message.ServerHello) error {
	if hello.Version > hs.hello.Version || !hs.config.speaks(hello.Version) {
		return wire.Refuse(wire.AlertProtocolVersion, "server chose version %#04x", hello.Version)
	}
	// RFC 8446, Section 4.1.3: the server could have spoken TLS 1.2, as we can.
	if hello.Version < VersionTLS12 && hs.config.speaks(VersionTLS12) && message.DowngradeMarked(hello.Random) {
		return wire.Refuse(wire.AlertIllegalParameter, "somebody made the server speak version %#04x", hello.Version)
	}
	if hello.Compression != 0 {
		return wire.Refuse(wire.AlertIllegalParameter, "server chose compression %d", hello.Compression)
	}
	// RFC 5246, Section 7.4.1.4: only what the client offered comes back.
	for _, e := range hello.Extensions {
		offered := func(o message.Extension) bool { return o.Type == e.Type }
		if !slices.ContainsFunc(hs.hello.Extensions, offered) {
			return wire.Refuse(wire.AlertUnsupportedExtension, "server answers extension %d, which was not offered", e.Type)
		}
	}
	// RFC 5746, Section 3.4.
	if len(hello.Known.Renegotiation) > 0 {
		return wire.Refuse(wire.AlertHandshakeFailure, "renegotiation in a first handshake")
	}
	if hs.config.RequireExtendedMasterSecret && !hello.Known.ExtendedMasterSecret {
		return wire.Refuse(wire.AlertHandshakeFailure, "server without extended master secret")
	}
	return nil
}

func (hs *clientHandshake) readServerCertificate() error {
	var err error
	if hs.serverChain, hs.serverKey, err = hs.readChain(); err != nil {
		return err
	}
	if len(hs.serverChain) == 0 {
		return wire.Refuse(wire.AlertDecodeError, "server sent no certificate")
	}
	hs.state.Curve = hs.serverKey.Key.Curve()
	return nil
}

// readRequestAndDone reads the end of the server's flight. A ServerKeyExchange
// is refused as any unexpected message: RFC 9189, Section 4.2, forbids it.
func (hs *clientHandshake) readRequestAndDone() error {
	typ, raw, err := hs.in.ReadMessage()
	if err != nil {
		return err
	}
	hs.transcript.add(raw)
	body := raw[message.HeaderSize:]
	if typ == message.TypeCertificateRequest {
		if hs.request, err = message.ParseCertificateRequest(body, hs.version); err != nil {
			return wire.Malformed("CertificateRequest", err)
		}
		if body, err = hs.read(message.TypeServerHelloDone); err != nil {
			return err
		}
	} else if typ != message.TypeServerHelloDone {
		return wire.Refuse(wire.AlertUnexpectedMessage, "handshake message %d instead of ServerHelloDone", typ)
	}
	if len(body) != 0 {
		return wire.Malformed("ServerHelloDone", message.ErrSyntax)
	}
	if hs.in.MidMessage() {
		return wire.Refuse(wire.AlertUnexpectedMessage, "handshake message after ServerHelloDone")
	}
	return nil
}

// judgeServer asks about the server's certificate before the client says anything
// about itself.
func (hs *clientHandshake) judgeServer() error {
	if hs.config.VerifyPeer == nil && !hs.config.InsecureSkipVerify {
		return errors.New("gosttls: a client needs VerifyPeer") // Config.check refused it before
	}
	state := hs.state
	state.PeerCertificates = hs.serverChain
	return hs.verifyPeer(state)
}

// sendCertificate presents the first certificate that the server can verify, or
// none, if the server asked.
func (hs *clientHandshake) sendCertificate() error {
	if hs.request == nil {
		return nil
	}
	for _, cert := range hs.config.Certificates {
		if alg, ok := hs.acceptable(cert); ok {
			hs.cert, hs.scheme = cert, alg
			break
		}
	}
	return hs.send((&message.Certificate{Chain: hs.cert.Chain}).Marshal())
}

// acceptable reports whether the request allows the type of a certificate and a scheme
// for its key, and returns the scheme: zero before TLS 1.2, which has none. With
// CNT_IMIT the numbers that are older than the standard will do (RFC 9189, Section 10).
// certificate_authorities is not looked at: a server can explain what is wrong with a
// certificate, but not why it got none.
func (hs *clientHandshake) acceptable(cert Certificate) (alg uint16, ok bool) {
	curve, err := cert.curve()
	if err != nil {
		return 0, false // refused by Config.check before the handshake
	}
	standard, typ := scheme(curve)
	legacy, legacyType := legacyScheme(curve)
	old := hs.suite.KeyExchange == record.KeyExchangeKExp28147
	allowed := func(typ uint8) bool { return slices.Contains(hs.request.Types, typ) }
	if !allowed(typ) && (!old || !allowed(legacyType)) {
		return 0, false
	}
	switch {
	case hs.version < VersionTLS12:
		return 0, true
	case slices.Contains(hs.request.Schemes, standard):
		return standard, true
	case old && slices.Contains(hs.request.Schemes, legacy):
		return legacy, true
	}
	return 0, false
}

func (hs *clientHandshake) sendClientKeyExchange() error {
	premaster, raw, err := hs.exportPremaster(hs.config.rand(), hs.serverKey)
	if err != nil {
		return wire.Refuse(wire.AlertInternalError, "key exchange: %w", err)
	}
	if err := hs.send(raw); err != nil {
		return err
	}
	return hs.establishKeys(premaster)
}

func (hs *clientHandshake) sendCertificateVerify() error {
	if len(hs.cert.Chain) == 0 {
		return nil
	}
	m, err := hs.sign(hs.cert, hs.scheme)
	if err != nil {
		return err
	}
	return hs.send(m.Marshal())
}

func (hs *clientHandshake) sendClientFinished() error { return hs.sendFinished(clientFinished) }

// readServerFinished ends the handshake: only the holder of the key of the
// server's certificate can have made this message.
func (hs *clientHandshake) readServerFinished() error {
	if err := hs.readFinished(serverFinished); err != nil {
		return err
	}
	hs.state.PeerCertificates = hs.serverChain
	hs.askVerdict()
	return nil
}

// allGroups returns all curves of RFC 9189, Section 6.
func allGroups() []uint16 {
	var all []uint16
	for id := firstGroup; id <= lastGroup; id++ {
		all = append(all, id)
	}
	return all
}
