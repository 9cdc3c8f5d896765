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

	clientSession
}

func newClientHandshake(c *Conn) *clientHandshake {
	return &clientHandshake{handshake: newHandshake(c)}
}

// run is the whole handshake.
func (hs *clientHandshake) run() error {
	defer hs.wipe()
	if err := inOrder(hs.prepareHello, hs.offerSession, hs.sendHello, hs.readServerHello); err != nil {
		return hs.dropSession(err)
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
	hs.hello = &message.ClientHello{
		Version:      VersionTLS12,
		Random:       hs.clientRandom,
		CipherSuites: hs.config.suites(),
		Compressions: []byte{0},
		Extensions: []message.Extension{
			message.RenegotiationInfo(),
			message.ExtendedMasterSecret(),
			message.SignatureAlgorithms([]uint16{message.SchemeGOST256, message.SchemeGOST512}),
			message.SupportedGroups(allGroups()),
		},
	}
	if name := sniName(hs.config.ServerName); name != "" {
		hs.hello.Extensions = append(hs.hello.Extensions, message.ServerName(name))
		hs.state.ServerName = name
	}
	hs.state.Offered = hs.hello.CipherSuites
	return nil
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

func (hs *clientHandshake) sendHello() error {
	if err := hs.send(hs.hello.Marshal()); err != nil {
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
	if err := hs.checkServerHello(hello); err != nil {
		return err
	}
	suite, ok := record.SuiteByID(hello.CipherSuite)
	if !ok || !slices.Contains(hs.hello.CipherSuites, hello.CipherSuite) {
		return wire.Refuse(wire.AlertIllegalParameter, "server chose cipher suite %#04x, which was not offered", hello.CipherSuite)
	}
	hs.useSuite(suite)
	hs.serverRandom = hello.Random
	hs.ems = hello.Known.ExtendedMasterSecret
	hs.state.ExtendedMasterSecret = hs.ems
	return hs.readAnswerToSession(hello)
}

func (hs *clientHandshake) checkServerHello(hello *message.ServerHello) error {
	if hello.Version != VersionTLS12 {
		return wire.Refuse(wire.AlertProtocolVersion, "server chose version %#04x", hello.Version)
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
		if hs.request, err = message.ParseCertificateRequest(body); err != nil {
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
		if hs.acceptable(cert) {
			hs.cert = cert
			break
		}
	}
	return hs.send((&message.Certificate{Chain: hs.cert.Chain}).Marshal())
}

// acceptable reports whether the request allows the type and scheme of a
// certificate. certificate_authorities is not looked at: a server can explain
// what is wrong with a certificate, but not why it got none.
func (hs *clientHandshake) acceptable(cert Certificate) bool {
	curve, err := cert.curve()
	if err != nil {
		return false // refused by Config.check before the handshake
	}
	alg, typ := scheme(curve)
	return slices.Contains(hs.request.Types, typ) && slices.Contains(hs.request.Schemes, alg)
}

func (hs *clientHandshake) sendClientKeyExchange() error {
	premaster, m, err := hs.exportPremaster(hs.config.rand(), hs.serverKey)
	if err != nil {
		return wire.Refuse(wire.AlertInternalError, "key exchange: %w", err)
	}
	if err := hs.send(m.Marshal()); err != nil {
		return err
	}
	return hs.establishKeys(premaster)
}

func (hs *clientHandshake) sendCertificateVerify() error {
	if len(hs.cert.Chain) == 0 {
		return nil
	}
	m, err := hs.sign(hs.cert)
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
