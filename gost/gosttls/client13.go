package gosttls

import (
	"bytes"
	"slices"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/wire"
	"propusk/gost/spki"
)

// clientOffer13 is what a hello offers for TLS 1.3.
type clientOffer13 struct {
	share     *gost3410.PrivateKey   // the ephemeral one, nil if TLS 1.3 is not offered
	offered13 *ClientSession         // nil if there is none to resume
	psks      *message.PreSharedKeys // in the hello; nil without offered13
}

// offer13 makes the hello one of TLS 1.3 as well, if the configuration allows it.
func (hs *clientHandshake) offer13() error {
	suites := hs.config.suitesOf(VersionTLS13)
	if len(suites) == 0 {
		return nil
	}
	var err error
	if hs.share, err = gost3410.GenerateKey(hs.config.curves()[0], hs.config.rand()); err != nil {
		return wire.Refuse(wire.AlertInternalError, "ephemeral key: %w", err)
	}
	if len(hs.hello.SessionID) == 0 {
		// RFC 8446, Appendix D.4: what middle boxes know.
		hs.hello.SessionID = make([]byte, sessionIDSize)
		if err := hs.randomBytes(hs.hello.SessionID); err != nil {
			return err
		}
	}
	var ids []uint16
	for _, suite := range suites {
		ids = append(ids, suite.ID)
	}
	schemes := schemes13()
	if hs.config.speaks(VersionTLS12) {
		schemes = append(schemes, schemesFor(hs.hello.CipherSuites)...)
	}
	hs.hello.Version = VersionTLS12
	hs.hello.CipherSuites = append(ids, hs.hello.CipherSuites...)
	hs.state.Offered = hs.hello.CipherSuites
	hs.hello.Set(message.SupportedGroups(groups(hs.config.curves())))
	hs.hello.Set(message.SignatureAlgorithms(schemes))
	hs.hello.Set(message.SupportedVersions(hs.config.versions()))
	hs.hello.Set(message.PSKModes([]uint8{message.PSKWithECDHE}))
	hs.hello.Set(keyShareOf(hs.share))
	hs.findSession13()
	hs.addTicket(hs.hello, hs.config.now())
	return nil
}

// answered13 takes the answer to a hello that offered TLS 1.3, and reports whether it is
// one of TLS 1.3, or means to be one.
func (hs *clientHandshake) answered13(hello *message.ServerHello) (bool, error) {
	if hs.share == nil {
		return false, nil
	}
	facts, err := message.ParseAnswer13(hello)
	if err != nil {
		return false, wire.Malformed("ServerHello", err)
	}
	if hello.IsRetry() || facts.Version != 0 {
		hs.next13 = newClientHandshake13(hs, hello, facts)
		return true, nil
	}
	if message.DowngradeMarked(hello.Random) {
		return false, wire.Refuse(wire.AlertIllegalParameter, "somebody made the server speak version %#04x", hello.Version)
	}
	if facts.Share != nil || facts.PSK != nil {
		return false, wire.Refuse(wire.AlertIllegalParameter, "extensions of TLS 1.3 in an answer of TLS 1.2")
	}
	return false, nil
}

// keyShareOf returns the extension key_share of a client with one key.
func keyShareOf(key *gost3410.PrivateKey) message.Extension {
	public := key.PublicKey()
	return message.KeyShares([]message.KeyShare{{Group: group(public.Curve()), Key: public.Bytes()}})
}

// clientHandshake13 is the client's side of RFC 8446, Section 2, Figure 1, in the
// profile of RFC 9367, Section 6.
type clientHandshake13 struct {
	handshake13
	clientOffer13
	hello  *message.ClientHello
	answer *message.ServerHello
	facts  *message.Answer13 // of answer

	retryOf *message.ServerHello // the HelloRetryRequest, nil if there was none

	resumed     *session
	serverChain [][]byte
	serverKey   spki.PublicKeyInfo // of the leaf of serverChain

	request *message.CertificateRequest13 // nil if the server did not ask
	cert    Certificate                   // without chain if there is none to present
}

// newClientHandshake13 takes over from the handshake that has read the server's answer.
func newClientHandshake13(hs *clientHandshake, answer *message.ServerHello, facts *message.Answer13) *clientHandshake13 {
	return &clientHandshake13{
		handshake13:   handshake13{handshake: hs.handshake},
		clientOffer13: hs.clientOffer13,
		hello:         hs.hello,
		answer:        answer,
		facts:         facts,
	}
}

// run is the whole handshake after ServerHello or HelloRetryRequest.
func (hs *clientHandshake13) run() error {
	defer hs.wipe()
	return inOrder(
		hs.checkAnswer,
		hs.retryHello, // ClientHello*, ServerHello*
		hs.agreeWithServer,
		hs.protectServer,

		hs.readParameters,  // EncryptedExtensions
		hs.readCertificate, // CertificateRequest*, Certificate*, CertificateVerify*
		hs.readFinished,
		hs.finish,
		hs.protectData,
		hs.judgeServer,

		hs.sendCertificate, // Certificate*, CertificateVerify*
		hs.sendFinished,
	)
}

// checkAnswer looks at what a ServerHello and a HelloRetryRequest have in common (RFC
// 8446, Section 4.1.3).
func (hs *clientHandshake13) checkAnswer() error {
	if hs.facts.Version != VersionTLS13 || hs.answer.Version != VersionTLS12 {
		return wire.Refuse(wire.AlertIllegalParameter, "server answers with versions %#04x and %#04x", hs.answer.Version, hs.facts.Version)
	}
	if !bytes.Equal(hs.answer.SessionID, hs.hello.SessionID) || hs.answer.Compression != 0 {
		return wire.Refuse(wire.AlertIllegalParameter, "server does not echo the session id, or compresses")
	}
	suite, ok := record.SuiteByID(hs.answer.CipherSuite)
	if !ok || !suite.Version13 || !slices.Contains(hs.hello.CipherSuites, suite.ID) {
		return wire.Refuse(wire.AlertIllegalParameter, "server chose cipher suite %#04x, which was not offered for TLS 1.3", hs.answer.CipherSuite)
	}
	if hs.retryOf != nil && hs.retryOf.CipherSuite != suite.ID {
		return wire.Refuse(wire.AlertIllegalParameter, "server chose another suite after HelloRetryRequest")
	}
	hs.begin13(suite)
	return hs.checkExtensions()
}

// checkExtensions refuses extensions that were not offered or do not belong where they
// are (RFC 8446, Section 4.2).
func (hs *clientHandshake13) checkExtensions() error {
	allowed := []uint16{message.ExtSupportedVersions, message.ExtKeyShare, message.ExtPreSharedKey}
	if hs.answer.IsRetry() {
		allowed[2] = message.ExtCookie
	}
	for _, e := range hs.answer.Extensions {
		switch {
		case slices.Contains(allowed, e.Type) && (e.Type != message.ExtPreSharedKey || hs.psks != nil):
		case offers(hs.hello, e.Type):
			return wire.Refuse(wire.AlertIllegalParameter, "extension %d does not belong into ServerHello", e.Type)
		default:
			return wire.Refuse(wire.AlertUnsupportedExtension, "server answers extension %d, which was not offered", e.Type)
		}
	}
	return nil
}

// offers reports whether a hello has an extension.
func offers(hello *message.ClientHello, typ uint16) bool {
	return slices.ContainsFunc(hello.Extensions, func(e message.Extension) bool { return e.Type == typ })
}

// retryHello sends the second hello if the server wants one (RFC 8446, Section 4.1.4),
// and reads its answer, which cannot be another HelloRetryRequest.
func (hs *clientHandshake13) retryHello() error {
	if !hs.answer.IsRetry() {
		return nil
	}
	hs.retryOf = hs.answer
	hs.transcript.retry(hs.answer.Marshal()) // the bytes that were read: parsers lose nothing
	if err := hs.changeHello(); err != nil {
		return err
	}
	if err := hs.queueCCS(); err != nil {
		return err
	}
	raw := hs.hello.Marshal()
	hs.bind(raw, hs.transcript)
	if err := inOrder(func() error { return hs.send(raw) }, hs.out.Flush); err != nil {
		return err
	}
	if err := hs.readAnswer(); err != nil {
		return err
	}
	if hs.answer.IsRetry() {
		return wire.Refuse(wire.AlertUnexpectedMessage, "a second HelloRetryRequest")
	}
	return hs.checkAnswer()
}

// changeHello does to the hello what the server asks for.
func (hs *clientHandshake13) changeHello() error {
	wanted := hs.facts.Group
	if wanted == 0 && hs.facts.Cookie == nil {
		return wire.Refuse(wire.AlertIllegalParameter, "HelloRetryRequest that changes nothing")
	}
	if hs.psks != nil {
		hs.hello.Extensions = hs.hello.Extensions[:len(hs.hello.Extensions)-1] // it comes again, as the last one
	}
	if wanted != 0 {
		curve, err := hs.wantedCurve(wanted)
		if err != nil {
			return err
		}
		if hs.share, err = gost3410.GenerateKey(curve, hs.config.rand()); err != nil {
			return wire.Refuse(wire.AlertInternalError, "ephemeral key: %w", err)
		}
		hs.hello.Set(keyShareOf(hs.share))
	}
	if hs.facts.Cookie != nil {
		hs.hello.Set(message.Cookie(hs.facts.Cookie))
	}
	hs.addTicket(hs.hello, hs.config.now())
	return nil
}

// wantedCurve returns the curve that a HelloRetryRequest asks for: one that was offered,
// and not with a key.
func (hs *clientHandshake13) wantedCurve(id uint16) (*gost3410.Curve, error) {
	for _, curve := range hs.config.curves() {
		if group(curve) == id && curve != hs.share.PublicKey().Curve() {
			return curve, nil
		}
	}
	return nil, wire.Refuse(wire.AlertIllegalParameter, "HelloRetryRequest for group %d", id)
}

// readAnswer reads the ServerHello after the second hello.
func (hs *clientHandshake13) readAnswer() error {
	body, err := hs.read(message.TypeServerHello)
	if err != nil {
		return err
	}
	if hs.answer, err = message.ParseServerHello(body); err == nil {
		hs.facts, err = message.ParseAnswer13(hs.answer)
	}
	if err != nil {
		return wire.Malformed("ServerHello", err)
	}
	return nil
}

// agreeWithServer agrees on the handshake keys.
func (hs *clientHandshake13) agreeWithServer() error {
	curve := hs.share.PublicKey().Curve()
	if hs.facts.Share == nil {
		return wire.Refuse(wire.AlertMissingExtension, "server without key share")
	}
	if hs.facts.Share.Group != group(curve) {
		return wire.Refuse(wire.AlertIllegalParameter, "key share of group %d, which was not sent", hs.facts.Share.Group)
	}
	if number := hs.facts.PSK; number != nil {
		if *number != 0 {
			return wire.Refuse(wire.AlertIllegalParameter, "server takes pre-shared key %d of 1", *number)
		}
		hs.resume()
	}
	shared, err := agree(hs.share, hs.facts.Share.Key)
	if err != nil {
		return err
	}
	hs.state.Group = curve
	hs.serverRandom = hs.answer.Random
	var psk []byte
	if hs.resumed != nil {
		psk = hs.resumed.secret
	}
	return hs.agreed(psk, shared)
}

// protectServer expects what the server sends under its handshake keys.
func (hs *clientHandshake13) protectServer() error { return hs.protectIn(&hs.server) }

// readParameters reads EncryptedExtensions. Nothing in it matters, but the server may
// acknowledge the name and say which groups it likes (RFC 8446, Section 4.2).
func (hs *clientHandshake13) readParameters() error {
	body, err := hs.read(message.TypeEncryptedExtensions)
	if err != nil {
		return err
	}
	m, err := message.ParseEncryptedExtensions(body)
	if err != nil {
		return wire.Malformed("EncryptedExtensions", err)
	}
	for _, e := range m.Extensions {
		switch {
		case !offers(hs.hello, e.Type):
			return wire.Refuse(wire.AlertUnsupportedExtension, "server answers extension %d, which was not offered", e.Type)
		case e.Type != message.ExtServerName && e.Type != message.ExtSupportedGroups:
			return wire.Refuse(wire.AlertIllegalParameter, "extension %d does not belong into EncryptedExtensions", e.Type)
		}
	}
	return nil
}

// readCertificate reads who the server is and the proof, unless it has proven it before,
// and whether it asks who the client is.
func (hs *clientHandshake13) readCertificate() error {
	if hs.resumed != nil {
		return nil
	}
	if err := hs.readRequest(); err != nil {
		return err
	}
	var err error
	if hs.serverChain, hs.serverKey, err = hs.readChain13(); err != nil {
		return err
	}
	if len(hs.serverChain) == 0 {
		return wire.Refuse(wire.AlertDecodeError, "server sent no certificate")
	}
	hs.state.Curve = hs.serverKey.Key.Curve()
	return hs.readVerify13(hs.serverKey, serverContext)
}

// readRequest reads CertificateRequest, if it is the next message.
func (hs *clientHandshake13) readRequest() error {
	asks, err := hs.in.NextIs(message.TypeCertificateRequest)
	if err != nil || !asks {
		return err
	}
	body, err := hs.read(message.TypeCertificateRequest)
	if err != nil {
		return err
	}
	if hs.request, err = message.ParseCertificateRequest13(body); err != nil {
		return wire.Malformed("CertificateRequest", err)
	}
	// RFC 8446, Section 4.3.2.
	if len(hs.request.Context) != 0 {
		return wire.Refuse(wire.AlertIllegalParameter, "CertificateRequest with a context during the handshake")
	}
	if hs.request.Schemes == nil {
		return wire.Refuse(wire.AlertMissingExtension, "CertificateRequest without signature schemes")
	}
	return nil
}

// readFinished ends what the server says about itself.
func (hs *clientHandshake13) readFinished() error {
	if err := hs.readFinished13(&hs.server); err != nil {
		return err
	}
	hs.state.PeerCertificates = hs.serverChain
	return nil
}

// protectData expects what the server sends under the keys of application data.
func (hs *clientHandshake13) protectData() error { return hs.protectIn(&hs.traffic.in) }

// judgeServer asks about the server's certificate before the client says anything about
// itself.
func (hs *clientHandshake13) judgeServer() error {
	return inOrder(hs.queueCCS, hs.protectHandshake, hs.judgeProven)
}

// protectHandshake goes on under the handshake keys of the client. An alert of the
// judge is the first that may need them.
func (hs *clientHandshake13) protectHandshake() error { return hs.protectOut(&hs.client) }

// sendCertificate presents the first certificate that the server can verify, or none,
// if the server asked, and proves that the client has the key.
func (hs *clientHandshake13) sendCertificate() error {
	if hs.request == nil {
		return nil
	}
	for _, cert := range hs.config.Certificates {
		if curve, err := cert.curve(); err == nil && slices.Contains(hs.request.Schemes, scheme13(curve)) {
			hs.cert = cert
			break
		}
	}
	if err := hs.sendChain13(hs.cert.Chain, hs.request.Context); err != nil {
		return err
	}
	if len(hs.cert.Chain) == 0 {
		return nil
	}
	return hs.sendVerify13(hs.cert, clientContext)
}

// sendFinished ends the handshake.
func (hs *clientHandshake13) sendFinished() error {
	if err := hs.sendFinished13(&hs.client); err != nil {
		return err
	}
	if err := hs.out.Flush(); err != nil {
		return err
	}
	hs.end()
	return hs.protectOut(&hs.traffic.out)
}
