package gosttls

import (
	"bytes"
	"crypto"
	"errors"
	"io"
	"slices"
	"sync/atomic"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/wire"
	"propusk/gost/vko"
)

// A step of a handshake that went wrong on purpose.
type step = func() error

// attackServer runs a handshake of a client that follows the given steps against
// a server, and returns both errors.
func attackServer(t testing.TB, client, server *Config, steps func(hs *clientHandshake) []step) (clientErr, serverErr error) {
	t.Helper()
	c, s := connPair(t, client, server)
	done := make(chan error, 1)
	go func() { done <- s.Handshake() }()
	clientErr = inOrder(steps(newClientHandshake(c))...)
	return clientErr, <-done
}

// attackClient is the opposite: a server that follows the given steps.
func attackClient(t testing.TB, client, server *Config, steps func(hs *serverHandshake) []step) (clientErr, serverErr error) {
	t.Helper()
	c, s := connPair(t, client, server)
	done := make(chan error, 1)
	go func() { done <- c.Handshake() }()
	serverErr = inOrder(steps(newServerHandshake(s))...)
	return <-done, serverErr
}

// honest returns the steps of an honest client.
func honest(hs *clientHandshake) []step {
	return []step{
		hs.prepareHello, hs.sendHello,
		hs.readServerHello, hs.readServerCertificate, hs.readRequestAndDone, hs.judgeServer,
		hs.sendCertificate, hs.sendClientKeyExchange, hs.sendCertificateVerify, hs.sendClientFinished,
		hs.readServerFinished,
	}
}

// Positions in honest.
const (
	atHello       = 1
	atCertificate = 6
	atKeyExchange = 7
	atVerify      = 8
	atFinished    = 9
)

// honestServer returns the steps of an honest server.
func honestServer(hs *serverHandshake) []step {
	return []step{
		hs.readClientHello, hs.chooseParameters, hs.prepareFlight, hs.sendFlight,
		hs.readClientCertificate, hs.readClientKeyExchange, hs.readCertificateVerify, hs.readClientFinished,
		hs.judgeClient, hs.sendServerFinished,
	}
}

// Position in honestServer.
const atFlight = 3

// with replaces one step, or removes it.
func with(steps []step, at int, replacement ...step) []step {
	return slices.Replace(slices.Clone(steps), at, at+1, replacement...)
}

// before inserts a step.
func before(steps []step, at int, added step) []step {
	return slices.Insert(slices.Clone(steps), at, added)
}

func mutual(t testing.TB, server, client paramSet) (clientConfig, serverConfig *Config) {
	t.Helper()
	return &Config{InsecureSkipVerify: true, Certificates: []Certificate{testCert(t, client)}},
		&Config{Certificates: []Certificate{testCert(t, server)}, ClientAuth: RequireAnyClientCert}
}

// The honest steps do work, or the tests below would show nothing.
func TestHonestSteps(t *testing.T) {
	client, server := mutual(t, cryptoProA, tc26512A)
	if c, s := attackServer(t, client, server, honest); c != nil || s != nil {
		t.Errorf("client %v, server %v", c, s)
	}
	if c, s := attackClient(t, client, server, honestServer); c != nil || s != nil {
		t.Errorf("client %v, server %v", c, s)
	}
}

func TestCertificateVerifyOmitted(t *testing.T) {
	for _, auth := range []ClientAuth{RequestClientCert, RequireAnyClientCert} {
		client, server := mutual(t, cryptoProA, cryptoProA)
		server.ClientAuth = auth
		c, s := attackServer(t, client, server, func(hs *clientHandshake) []step {
			return with(honest(hs), atVerify)
		})
		wantRefusal(t, wire.AlertUnexpectedMessage, s, c)
	}
}

// CertificateVerify before ClientKeyExchange would not cover it.
func TestCertificateVerifyTooEarly(t *testing.T) {
	client, server := mutual(t, cryptoProA, cryptoProA)
	c, s := attackServer(t, client, server, func(hs *clientHandshake) []step {
		steps := honest(hs)
		steps[atKeyExchange], steps[atVerify] = steps[atVerify], steps[atKeyExchange]
		return steps
	})
	wantRefusal(t, wire.AlertUnexpectedMessage, s, c)
}

// verifyWith makes a client send a CertificateVerify that f has changed.
func verifyWith(t *testing.T, client, server *Config, f func(m *message.CertificateVerify)) (clientErr, serverErr error) {
	t.Helper()
	return attackServer(t, client, server, func(hs *clientHandshake) []step {
		return with(honest(hs), atVerify, func() error {
			m, err := hs.sign(hs.cert, hs.scheme)
			if err != nil {
				return err
			}
			f(m)
			return hs.send(m.Marshal())
		})
	})
}

// A signature for one connection is worth nothing on another.
func TestCertificateVerifyReplayed(t *testing.T) {
	client, server := mutual(t, cryptoProA, cryptoProA)
	var old []byte
	c, s := verifyWith(t, client, server, func(m *message.CertificateVerify) { old = bytes.Clone(m.Signature) })
	if c != nil || s != nil {
		t.Fatalf("client %v, server %v", c, s)
	}
	c, s = verifyWith(t, client, server, func(m *message.CertificateVerify) { m.Signature = old })
	wantRefusal(t, wire.AlertDecryptError, s, c)
}

func TestCertificateVerifyOfAnotherKey(t *testing.T) {
	for _, other := range []paramSet{cryptoProA, tc26256A} {
		client, server := mutual(t, cryptoProA, cryptoProA)
		client.Certificates[0].PrivateKey = testCert(t, other).PrivateKey
		c, s := shake(connPair(t, client, server))
		wantRefusal(t, wire.AlertDecryptError, s, c)
	}
}

func TestCertificateVerifyScheme(t *testing.T) {
	for _, test := range []struct {
		key    paramSet
		scheme uint16
	}{
		{cryptoProA, message.SchemeGOST512},
		{tc26512A, message.SchemeGOST256},
		{cryptoProA, 0xeeee}, // gostr34102012_256 of the drafts
		{tc26512A, 0xefef},
		{cryptoProA, 0xeded}, // gostr34102001
		{cryptoProA, 0x0401}, // rsa_pkcs1_sha256
		{cryptoProA, 1},
	} {
		client, server := mutual(t, cryptoProA, test.key)
		c, s := verifyWith(t, client, server, func(m *message.CertificateVerify) { m.Scheme = test.scheme })
		wantRefusal(t, wire.AlertIllegalParameter, s, c)
	}
}

// orderOf returns q of a curve as little-endian bytes: the private key q-1 exists,
// and adding one is easy, because q is odd.
func orderOf(t testing.TB, curve *gost3410.Curve) []byte {
	t.Helper()
	size := curve.Size()
	q := make([]byte, size)
	for bit := 8*size - 1; bit >= 0; bit-- { // the greatest key that is accepted
		q[bit/8] |= 1 << (bit % 8)
		if _, err := gost3410.NewPrivateKey(curve, q); err != nil {
			q[bit/8] &^= 1 << (bit % 8)
		}
	}
	q[0]++
	if _, err := gost3410.NewPrivateKey(curve, q); err == nil || q[0]&1 == 0 {
		t.Fatalf("%x is not the order", q)
	}
	return q
}

func TestCertificateVerifyValues(t *testing.T) {
	for _, key := range []paramSet{cryptoProA, tc26512A} {
		client, server := mutual(t, cryptoProA, key)
		curve, err := client.Certificates[0].curve()
		if err != nil {
			t.Fatal(err)
		}
		size, q := curve.Size(), orderOf(t, curve)
		zero, ones := make([]byte, size), bytes.Repeat([]byte{0xff}, size)
		plusQ := func(v []byte) []byte { // v + q, if there is room
			sum, carry := make([]byte, size), 0
			for i := range sum {
				carry += int(v[i]) + int(q[i])
				sum[i] = byte(carry)
				carry >>= 8
			}
			return sum
		}
		for name, change := range map[string]func(r, s []byte) []byte{
			"r = 0":       func(r, s []byte) []byte { return slices.Concat(zero, s) },
			"s = 0":       func(r, s []byte) []byte { return slices.Concat(r, zero) },
			"both 0":      func(r, s []byte) []byte { return slices.Concat(zero, zero) },
			"r = q":       func(r, s []byte) []byte { return slices.Concat(q, s) },
			"s = q":       func(r, s []byte) []byte { return slices.Concat(r, q) },
			"both q":      func(r, s []byte) []byte { return slices.Concat(q, q) },
			"r + q":       func(r, s []byte) []byte { return slices.Concat(plusQ(r), s) },
			"s + q":       func(r, s []byte) []byte { return slices.Concat(r, plusQ(s)) },
			"r = 2^n - 1": func(r, s []byte) []byte { return slices.Concat(ones, s) },
			"s = 2^n - 1": func(r, s []byte) []byte { return slices.Concat(r, ones) },
			"s first":     func(r, s []byte) []byte { return slices.Concat(s, r) },
			"big-endian": func(r, s []byte) []byte {
				r, s = bytes.Clone(r), bytes.Clone(s)
				slices.Reverse(r)
				slices.Reverse(s)
				return slices.Concat(r, s)
			},
			"the order of X.509": func(r, s []byte) []byte {
				all := slices.Concat(r, s)
				slices.Reverse(all)
				return all
			},
			"empty":      func(r, s []byte) []byte { return nil },
			"short":      func(r, s []byte) []byte { return slices.Concat(r, s[:size-1]) },
			"long":       func(r, s []byte) []byte { return slices.Concat(r, s, []byte{0}) },
			"half":       func(r, s []byte) []byte { return r },
			"twice":      func(r, s []byte) []byte { return slices.Concat(r, s, r, s) },
			"length too": func(r, s []byte) []byte { return slices.Concat([]byte{0, byte(2 * size)}, r, s) },
		} {
			c, s := verifyWith(t, client, server, func(m *message.CertificateVerify) {
				m.Signature = change(m.Signature[:size], m.Signature[size:])
			})
			if refusal, ok := errors.AsType[*ProtocolError](s); !ok || refusal.Alert != wire.AlertDecryptError || !isRemote(c, wire.AlertDecryptError) {
				t.Errorf("%v, %s: client %v, server %v", key, name, c, s)
			}
		}
	}
}

// agreeing is a private key in software.
type agreeing interface {
	crypto.Signer
	vko.Agreement
}

// spy counts what a private key is used for.
type spy struct {
	agreeing
	agreements, signatures atomic.Int32
}

func (s *spy) SharedPoint(peer *gost3410.PublicKey, ukm []byte) ([]byte, error) {
	s.agreements.Add(1)
	return s.agreeing.SharedPoint(peer, ukm)
}

func (s *spy) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.signatures.Add(1)
	return s.agreeing.Sign(rand, digest, opts)
}

// withBody returns a handshake message.
func withBody(typ message.Type, body []byte) []byte {
	return append([]byte{byte(typ), byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
}

// Other messages, or none, where a message belongs.
func TestServerRefusesOrder(t *testing.T) {
	sendCCS := func(hs *clientHandshake) step {
		return func() error {
			if err := hs.out.Queue(wire.TypeChangeCipherSpec, []byte{1}); err != nil {
				return err
			}
			return hs.out.Flush()
		}
	}
	for name, test := range map[string]struct {
		alert Alert
		steps func(hs *clientHandshake) []step
	}{
		"no Certificate": {wire.AlertUnexpectedMessage, func(hs *clientHandshake) []step {
			return with(honest(hs), atCertificate)
		}},
		"Certificate twice": {wire.AlertUnexpectedMessage, func(hs *clientHandshake) []step {
			return before(honest(hs), atCertificate, hs.sendCertificate)
		}},
		"no ClientKeyExchange": {wire.AlertUnexpectedMessage, func(hs *clientHandshake) []step {
			return with(honest(hs), atKeyExchange, func() error {
				return hs.establishKeys(make([]byte, premasterSize))
			})
		}},
		"CertificateVerify twice": {wire.AlertUnexpectedMessage, func(hs *clientHandshake) []step {
			return before(honest(hs), atVerify, hs.sendCertificateVerify)
		}},
		"ChangeCipherSpec before the flight": {wire.AlertUnexpectedMessage, func(hs *clientHandshake) []step {
			return before(honest(hs), atCertificate, sendCCS(hs))
		}},
		"ChangeCipherSpec before the key": {wire.AlertUnexpectedMessage, func(hs *clientHandshake) []step {
			return before(honest(hs), atKeyExchange, sendCCS(hs))
		}},
		"ChangeCipherSpec first of all": {wire.AlertUnexpectedMessage, func(hs *clientHandshake) []step {
			return before(honest(hs), atHello, sendCCS(hs))
		}},
		"Finished without ChangeCipherSpec": {wire.AlertUnexpectedMessage, func(hs *clientHandshake) []step {
			return with(honest(hs), atFinished, func() error {
				if err := hs.send(hs.finished(clientFinished, hs.transcript).Marshal()); err != nil {
					return err
				}
				return hs.out.Flush()
			}, hs.readServerFinished)
		}},
		// Bytes in clear must not serve as the message that ChangeCipherSpec
		// protects.
		"Finished in clear, then ChangeCipherSpec": {wire.AlertUnexpectedMessage, func(hs *clientHandshake) []step {
			return with(honest(hs), atFinished, func() error {
				return hs.send(hs.finished(clientFinished, hs.transcript).Marshal())
			}, hs.out.QueueChangeCipherSpec, hs.out.Flush, hs.readServerFinished)
		}},
		"Finished in the record of CertificateVerify, then ChangeCipherSpec": {wire.AlertUnexpectedMessage, func(hs *clientHandshake) []step {
			steps := with(honest(hs), atVerify, func() error {
				m, err := hs.sign(hs.cert, hs.scheme)
				if err != nil {
					return err
				}
				verify := m.Marshal()
				hs.transcript.add(verify)
				finished := hs.finished(clientFinished, hs.transcript).Marshal()
				return hs.out.Queue(wire.TypeHandshake, append(verify, finished...))
			})
			return with(steps, atFinished, hs.out.QueueChangeCipherSpec, hs.out.Flush, hs.readServerFinished)
		}},
		"ChangeCipherSpec inside of Finished": {wire.AlertUnexpectedMessage, func(hs *clientHandshake) []step {
			finished := func() []byte { return hs.finished(clientFinished, hs.transcript).Marshal() }
			return with(honest(hs), atFinished, func() error {
				return hs.out.Queue(wire.TypeHandshake, finished()[:1])
			}, hs.out.QueueChangeCipherSpec, func() error {
				return hs.out.Queue(wire.TypeHandshake, finished()[1:])
			}, hs.out.Flush, hs.readServerFinished)
		}},
		"ChangeCipherSpec twice": {wire.AlertUnexpectedMessage, func(hs *clientHandshake) []step {
			return with(honest(hs), atFinished, hs.out.QueueChangeCipherSpec, sendCCS(hs), hs.readServerFinished)
		}},
		"another Finished": {wire.AlertDecryptError, func(hs *clientHandshake) []step {
			return with(honest(hs), atFinished, func() error { return hs.sendFinished(serverFinished) })
		}},
		"application data in clear": {wire.AlertUnexpectedMessage, func(hs *clientHandshake) []step {
			return before(honest(hs), atCertificate, func() error {
				return hs.out.Queue(wire.TypeApplicationData, []byte("x"))
			})
		}},
		"application data before Finished": {wire.AlertUnexpectedMessage, func(hs *clientHandshake) []step {
			return with(honest(hs), atFinished, hs.out.QueueChangeCipherSpec, func() error {
				return hs.out.Queue(wire.TypeApplicationData, []byte("x"))
			}, hs.out.Flush, hs.readServerFinished)
		}},
		"a message right after the hello": {wire.AlertUnexpectedMessage, func(hs *clientHandshake) []step {
			return with(honest(hs), atHello, func() error {
				hello, early := hs.hello.Marshal(), (&message.Certificate{}).Marshal()
				if err := hs.out.Queue(wire.TypeHandshake, append(hello, early...)); err != nil {
					return err
				}
				return hs.out.Flush()
			})
		}},
		"a part of a message right after the hello": {wire.AlertUnexpectedMessage, func(hs *clientHandshake) []step {
			return with(honest(hs), atHello, func() error {
				if err := hs.out.Queue(wire.TypeHandshake, append(hs.hello.Marshal(), 0)); err != nil {
					return err
				}
				return hs.out.Flush()
			})
		}},
		"empty Certificate, then CertificateVerify": {wire.AlertHandshakeFailure, func(hs *clientHandshake) []step {
			return with(honest(hs), atCertificate, func() error { return hs.send((&message.Certificate{}).Marshal()) })
		}},
		"empty handshake record": {wire.AlertUnexpectedMessage, func(hs *clientHandshake) []step {
			return before(honest(hs), atCertificate, func() error { return hs.out.Queue(wire.TypeHandshake, nil) })
		}},
		"a second hello": {wire.AlertUnexpectedMessage, func(hs *clientHandshake) []step {
			return before(honest(hs), atCertificate, hs.sendHello)
		}},
		"message after Finished in one record": {wire.AlertUnexpectedMessage, func(hs *clientHandshake) []step {
			return with(honest(hs), atFinished, hs.out.QueueChangeCipherSpec, func() error {
				finished := hs.finished(clientFinished, hs.transcript).Marshal()
				return hs.out.Queue(wire.TypeHandshake, append(finished, 0))
			}, hs.out.Flush, hs.readServerFinished)
		}},
	} {
		client, server := mutual(t, cryptoProA, cryptoProA)
		c, s := attackServer(t, client, server, test.steps)
		if refusal, ok := errors.AsType[*ProtocolError](s); !ok || refusal.Alert != test.alert || !isRemote(c, test.alert) {
			t.Errorf("%s: client %v, server %v; want %v", name, c, s, test.alert)
		}
	}
}

// Where the certificate is optional, a client without one has nothing to prove,
// and no message to prove it with.
func TestCertificateVerifyWithoutCertificate(t *testing.T) {
	key := testCert(t, cryptoProA)
	for _, auth := range []ClientAuth{NoClientCert, RequestClientCert} {
		server := &Config{Certificates: []Certificate{testCert(t, cryptoProA)}, ClientAuth: auth}
		c, s := attackServer(t, nil, server, func(hs *clientHandshake) []step {
			return before(honest(hs), atVerify, func() error { hs.cert = key; return nil })
		})
		wantRefusal(t, wire.AlertUnexpectedMessage, s, c)
	}
}

// A client with the wrong keys, for whatever reason, is not let in.
func TestKeysThatDiffer(t *testing.T) {
	for name, steps := range map[string]func(hs *clientHandshake) []step{
		"premaster secret": func(hs *clientHandshake) []step {
			return before(honest(hs), atFinished, func() error { return hs.establishKeys(make([]byte, premasterSize)) })
		},
		"extended master secret negotiated and not used": func(hs *clientHandshake) []step {
			return before(honest(hs), atKeyExchange, func() error { hs.ems = false; return nil })
		},
		"transcript": func(hs *clientHandshake) []step {
			return before(honest(hs), atKeyExchange, func() error { hs.transcript.add([]byte{0, 0, 0, 0}); return nil })
		},
	} {
		c, s := attackServer(t, nil, nil, steps)
		if refusal, ok := errors.AsType[*ProtocolError](s); !ok || refusal.Alert != wire.AlertBadRecordMAC || !isRemote(c, wire.AlertBadRecordMAC) {
			t.Errorf("%s: client %v, server %v", name, c, s)
		}
	}
}

// helloWith changes the ClientHello of an honest client.
func helloWith(f func(h *message.ClientHello)) func(hs *clientHandshake) []step {
	return func(hs *clientHandshake) []step {
		return before(honest(hs), atHello, func() error { f(hs.hello); return nil })
	}
}

func dropExtension(h *message.ClientHello, typ uint16) {
	h.Extensions = slices.DeleteFunc(h.Extensions, func(e message.Extension) bool { return e.Type == typ })
}

func addExtension(h *message.ClientHello, all ...message.Extension) {
	h.Extensions = append(h.Extensions, all...)
}

func TestClientHellosAccepted(t *testing.T) {
	for name, change := range map[string]func(h *message.ClientHello){
		"no extended master secret":   func(h *message.ClientHello) { dropExtension(h, message.ExtExtendedMasterSecret) },
		"no signature_algorithms":     func(h *message.ClientHello) { dropExtension(h, message.ExtSignatureAlgorithms) },
		"no supported_groups":         func(h *message.ClientHello) { dropExtension(h, message.ExtSupportedGroups) },
		"no renegotiation_info":       func(h *message.ClientHello) { dropExtension(h, message.ExtRenegotiationInfo) },
		"no extensions":               func(h *message.ClientHello) { h.Extensions = nil },
		"empty list of extensions":    func(h *message.ClientHello) { h.Extensions = []message.Extension{} },
		"renegotiation_info and SCSV": func(h *message.ClientHello) { h.CipherSuites = append(h.CipherSuites, scsvRenegotiation) },
		"other suites first": func(h *message.ClientHello) {
			h.CipherSuites = []uint16{0x1301, 0xc02b, LegacyCNTIMIT, KuznyechikCTROMAC}
		},
		"a session to resume": func(h *message.ClientHello) { h.SessionID = make([]byte, 32) },
		"a ticket to resume":  func(h *message.ClientHello) { addExtension(h, message.Extension{Type: 35, Data: make([]byte, 100)}) },
		"encrypt_then_mac":    func(h *message.ClientHello) { addExtension(h, message.Extension{Type: 22}) },
		"unknown extensions": func(h *message.ClientHello) {
			addExtension(h, message.Extension{Type: 0x1a1a}, message.Extension{Type: 0x2a2a, Data: []byte{0}})
		},
		"compression besides none": func(h *message.ClientHello) { h.Compressions = []byte{1, 0} },
		"a later version":          func(h *message.ClientHello) { h.Version = 0x0304 },
		"TLS 1.3 besides": func(h *message.ClientHello) {
			addExtension(h, message.Extension{Type: 43, Data: []byte{4, 3, 4, 3, 3}})
		},
		"groups without GOST": func(h *message.ClientHello) {
			dropExtension(h, 10)
			addExtension(h, message.SupportedGroups([]uint16{29, 23}))
		},
		"schemes without GOST": func(h *message.ClientHello) {
			dropExtension(h, 13)
			addExtension(h, message.SignatureAlgorithms([]uint16{0x0403}))
		},
	} {
		c, s := connPair(t, nil, nil)
		done := make(chan error, 1)
		go func() { done <- s.Handshake() }()
		hs := newClientHandshake(c)
		steps := helloWith(change)(hs)
		// The client answers the server that it did not ask for an
		// extension; what the server says is looked at below.
		if err := inOrder(steps...); err != nil {
			t.Errorf("%s: client %v", name, err)
		}
		if err := <-done; err != nil {
			t.Errorf("%s: server %v", name, err)
		}
		if got, want := s.state.ExtendedMasterSecret, slices.ContainsFunc(hs.hello.Extensions, func(e message.Extension) bool {
			return e.Type == message.ExtExtendedMasterSecret
		}); got != want {
			t.Errorf("%s: extended master secret %v", name, got)
		}
	}
}

func TestClientHellosRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change func(h *message.ClientHello)
		alert  Alert
	}{
		"duplicate extension": {func(h *message.ClientHello) { addExtension(h, message.ExtendedMasterSecret()) }, wire.AlertIllegalParameter},
		"duplicate unknown extension": {func(h *message.ClientHello) {
			addExtension(h, message.Extension{Type: 99}, message.Extension{Type: 99})
		}, wire.AlertIllegalParameter},
		"malformed extension": {func(h *message.ClientHello) {
			addExtension(h, message.Extension{Type: message.ExtServerName, Data: []byte{0}})
		}, wire.AlertDecodeError},
		"no suites":              {func(h *message.ClientHello) { h.CipherSuites = nil }, wire.AlertDecodeError},
		"SCSV only":              {func(h *message.ClientHello) { h.CipherSuites = []uint16{scsvRenegotiation} }, wire.AlertHandshakeFailure},
		"suites that we lack":    {func(h *message.ClientHello) { h.CipherSuites = []uint16{LegacyCNTIMIT, 0x0081} }, wire.AlertHandshakeFailure},
		"no null compression":    {func(h *message.ClientHello) { h.Compressions = []byte{1} }, wire.AlertIllegalParameter},
		"no compression":         {func(h *message.ClientHello) { h.Compressions = nil }, wire.AlertDecodeError},
		"TLS 1.1":                {func(h *message.ClientHello) { h.Version = 0x0302 }, wire.AlertProtocolVersion},
		"TLS 1.3 only":           {func(h *message.ClientHello) { addExtension(h, message.Extension{Type: 43, Data: []byte{2, 3, 4}}) }, wire.AlertProtocolVersion},
		"session id of 33 bytes": {func(h *message.ClientHello) { h.SessionID = make([]byte, 33) }, wire.AlertDecodeError},
		"renegotiation":          {func(h *message.ClientHello) { h.Extensions[0].Data = append([]byte{32}, make([]byte, 32)...) }, wire.AlertHandshakeFailure},
		"renegotiation beside SCSV": {func(h *message.ClientHello) {
			h.CipherSuites = append(h.CipherSuites, scsvRenegotiation)
			h.Extensions[0].Data = append([]byte{32}, make([]byte, 32)...)
		}, wire.AlertHandshakeFailure},
		"another GOST curve": {func(h *message.ClientHello) {
			dropExtension(h, message.ExtSupportedGroups)
			addExtension(h, message.SupportedGroups([]uint16{29, 34, 38}))
		}, wire.AlertHandshakeFailure},
	} {
		c, s := attackServer(t, nil, nil, helloWith(test.change))
		if refusal, ok := errors.AsType[*ProtocolError](s); !ok || refusal.Alert != test.alert || !isRemote(c, test.alert) {
			t.Errorf("%s: client %v, server %v; want %v", name, c, s, test.alert)
		}
	}
}

func TestRequireExtendedMasterSecret(t *testing.T) {
	server := &Config{Certificates: []Certificate{testCert(t, cryptoProA)}, RequireExtendedMasterSecret: true}
	c, s := attackServer(t, nil, server, helloWith(func(h *message.ClientHello) {
		dropExtension(h, message.ExtExtendedMasterSecret)
	}))
	wantRefusal(t, wire.AlertHandshakeFailure, s, c)

	client := &Config{InsecureSkipVerify: true, RequireExtendedMasterSecret: true}
	c, s = attackClient(t, client, nil, func(hs *serverHandshake) []step {
		return before(honestServer(hs), atFlight, func() error {
			hs.hello.Extensions = nil
			return nil
		})
	})
	wantRefusal(t, wire.AlertHandshakeFailure, c, s)
}

// What a server must not say.
func TestServerHellosRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change func(h *message.ServerHello)
		alert  Alert
	}{
		"suite that was not offered": {func(h *message.ServerHello) { h.CipherSuite = LegacyCNTIMIT }, wire.AlertIllegalParameter},
		"the SCSV as suite":          {func(h *message.ServerHello) { h.CipherSuite = scsvRenegotiation }, wire.AlertIllegalParameter},
		"TLS 1.1":                    {func(h *message.ServerHello) { h.Version = 0x0302 }, wire.AlertProtocolVersion},
		"TLS 1.3":                    {func(h *message.ServerHello) { h.Version = 0x0304 }, wire.AlertProtocolVersion},
		"compression":                {func(h *message.ServerHello) { h.Compression = 1 }, wire.AlertIllegalParameter},
		"encrypt_then_mac":           {func(h *message.ServerHello) { h.Extensions = append(h.Extensions, message.Extension{Type: 22}) }, wire.AlertUnsupportedExtension},
		"duplicate extension":        {func(h *message.ServerHello) { h.Extensions = append(h.Extensions, h.Extensions[0]) }, wire.AlertIllegalParameter},
		"malformed extension":        {func(h *message.ServerHello) { h.Extensions[1].Data = []byte{0} }, wire.AlertDecodeError},
		"renegotiation": {func(h *message.ServerHello) {
			h.Extensions[0].Data = append([]byte{64}, make([]byte, 64)...)
		}, wire.AlertHandshakeFailure},
		"session id of 33 bytes": {func(h *message.ServerHello) { h.SessionID = make([]byte, 33) }, wire.AlertDecodeError},
	} {
		c, s := attackClient(t, nil, nil, func(hs *serverHandshake) []step {
			return before(honestServer(hs), atFlight, func() error { test.change(hs.hello); return nil })
		})
		if refusal, ok := errors.AsType[*ProtocolError](c); !ok || refusal.Alert != test.alert || !isRemote(s, test.alert) {
			t.Errorf("%s: client %v, server %v; want %v", name, c, s, test.alert)
		}
	}
}

// A suite that the client knows but did not offer this time.
func TestServerChoosesSuiteNotOffered(t *testing.T) {
	client := &Config{InsecureSkipVerify: true, CipherSuites: []uint16{MagmaCTROMAC}}
	c, s := attackClient(t, client, nil, func(hs *serverHandshake) []step {
		return before(honestServer(hs), atFlight, func() error {
			suite, _ := record.SuiteByID(KuznyechikCTROMAC)
			hs.use(VersionTLS12, suite)
			hs.hello.CipherSuite = KuznyechikCTROMAC
			return nil
		})
	})
	wantRefusal(t, wire.AlertIllegalParameter, c, s)
}

// flightOfMessages makes a server send the given messages after its ServerHello.
func flightOfMessages(hs *serverHandshake, messages func() [][]byte) []step {
	return with(honestServer(hs), atFlight, func() error {
		for _, raw := range append([][]byte{hs.hello.Marshal()}, messages()...) {
			if err := hs.send(raw); err != nil {
				return err
			}
		}
		if err := hs.out.Flush(); err != nil {
			return err
		}
		return hs.awaitClientFlight()
	})
}

// rsaCertificate is a certificate without a GOST key: its key is an RSA key that
// is far too short to be of use.
var rsaSPKI = []byte{
	0x30, 0x1a, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
	0x03, 0x09, 0x00, 0x30, 0x06, 0x02, 0x01, 0x23, 0x02, 0x01, 0x03,
}

func TestServerFlightsRefused(t *testing.T) {
	chain := func(hs *serverHandshake) []byte {
		return (&message.Certificate{Chain: hs.cert.Chain}).Marshal()
	}
	done := message.ServerHelloDone
	request := (&message.CertificateRequest{Types: []byte{67}, Schemes: []uint16{0x0840}}).Marshal()
	for name, test := range map[string]struct {
		alert    Alert
		messages func(hs *serverHandshake) [][]byte
	}{
		"no Certificate":    {wire.AlertUnexpectedMessage, func(*serverHandshake) [][]byte { return [][]byte{done()} }},
		"empty Certificate": {wire.AlertDecodeError, func(*serverHandshake) [][]byte { return [][]byte{(&message.Certificate{}).Marshal(), done()} }},
		"no GOST certificate": {wire.AlertUnsupportedCertificate, func(*serverHandshake) [][]byte {
			return [][]byte{(&message.Certificate{Chain: [][]byte{wrapSPKI(rsaSPKI)}}).Marshal(), done()}
		}},
		"not a certificate": {wire.AlertUnsupportedCertificate, func(*serverHandshake) [][]byte {
			return [][]byte{(&message.Certificate{Chain: [][]byte{{0x30, 0}}}).Marshal(), done()}
		}},
		"ServerKeyExchange": {wire.AlertUnexpectedMessage, func(hs *serverHandshake) [][]byte {
			return [][]byte{chain(hs), withBody(12, []byte{3, 0, 23}), done()}
		}},
		"CertificateStatus": {wire.AlertUnexpectedMessage, func(hs *serverHandshake) [][]byte {
			return [][]byte{chain(hs), withBody(22, []byte{1, 0, 0, 0}), done()}
		}},
		"two requests": {wire.AlertUnexpectedMessage, func(hs *serverHandshake) [][]byte {
			return [][]byte{chain(hs), request, request, done()}
		}},
		"malformed request": {wire.AlertDecodeError, func(hs *serverHandshake) [][]byte {
			return [][]byte{chain(hs), withBody(message.TypeCertificateRequest, []byte{0, 0, 0, 0, 0}), done()}
		}},
		"ServerHelloDone with content": {wire.AlertDecodeError, func(hs *serverHandshake) [][]byte {
			return [][]byte{chain(hs), withBody(message.TypeServerHelloDone, []byte{0})}
		}},
	} {
		c, s := attackClient(t, nil, nil, func(hs *serverHandshake) []step {
			return flightOfMessages(hs, func() [][]byte { return test.messages(hs) })
		})
		if refusal, ok := errors.AsType[*ProtocolError](c); !ok || refusal.Alert != test.alert || !isRemote(s, test.alert) {
			t.Errorf("%s: client %v, server %v; want %v", name, c, s, test.alert)
		}
	}
}

// A client that got more than the server's flight says nothing about itself.
func TestMessageAfterServerHelloDone(t *testing.T) {
	for name, extra := range map[string][]byte{
		"whole":  message.ServerHelloDone(),
		"begun":  {byte(message.TypeFinished)},
		"ticket": withBody(4, make([]byte, 6)),
	} {
		client, server := mutual(t, cryptoProA, cryptoProA)
		spied := &spy{agreeing: client.Certificates[0].PrivateKey.(agreeing)}
		client.Certificates[0].PrivateKey = spied
		c, s := attackClient(t, client, server, func(hs *serverHandshake) []step {
			return flightOfMessages(hs, func() [][]byte {
				return [][]byte{
					(&message.Certificate{Chain: hs.cert.Chain}).Marshal(),
					hs.request.Marshal(),
					append(message.ServerHelloDone(), extra...),
				}
			})
		})
		wantRefusal(t, wire.AlertUnexpectedMessage, c, s)
		if n := spied.signatures.Load(); n != 0 {
			t.Errorf("%s: the client signed %d times", name, n)
		}
	}
}

// Finished in clear and ChangeCipherSpec after it are no Finished of a server.
func TestServerFinishedInClear(t *testing.T) {
	c, s := attackClient(t, nil, nil, func(hs *serverHandshake) []step {
		steps := honestServer(hs)
		return with(steps, len(steps)-1, func() error {
			return hs.send(hs.finished(serverFinished, hs.transcript).Marshal())
		}, hs.out.QueueChangeCipherSpec, hs.out.Flush, func() error {
			_, _, err := hs.in.Next()
			return err
		})
	})
	wantRefusal(t, wire.AlertUnexpectedMessage, c, s)
}

// A server that shows the certificate of somebody else cannot finish.
func TestServerWithoutItsKey(t *testing.T) {
	stolen := testCert(t, cryptoProA)
	stolen.PrivateKey = testCert(t, cryptoProA).PrivateKey
	asked := false
	client := &Config{VerifyPeer: func(ConnectionState) error { asked = true; return nil }}
	cc, sc := connPair(t, client, &Config{Certificates: []Certificate{stolen}})
	c, s := shake(cc, sc)
	wantRefusal(t, wire.AlertDecryptError, s, c)
	if !asked || cc.ConnectionState().PeerCertificates != nil || cc.ConnectionState().HandshakeComplete {
		t.Errorf("asked %v, state %+v", asked, cc.ConnectionState())
	}
}

// Finished of the server is what proves its key.
func TestServerFinishedChecked(t *testing.T) {
	c, s := attackClient(t, nil, nil, func(hs *serverHandshake) []step {
		steps := honestServer(hs)
		return with(steps, len(steps)-1, func() error { return hs.sendFinished(clientFinished) }, func() error {
			_, _, err := hs.in.Next()
			return err
		})
	})
	wantRefusal(t, wire.AlertDecryptError, c, s)
}

// Every byte of Finished counts, on both sides.
func TestFinishedEveryByte(t *testing.T) {
	cert := testCert(t, cryptoProA)
	for _, suite := range []uint16{KuznyechikCTROMAC, CNTIMIT} {
		client := &Config{InsecureSkipVerify: true, CipherSuites: []uint16{suite}}
		server := &Config{Certificates: []Certificate{cert}, CipherSuites: []uint16{suite}}
		wrong := func(hs *handshake, label string, i int) step {
			return func() error {
				if err := hs.out.QueueChangeCipherSpec(); err != nil {
					return err
				}
				m := hs.finished(label, hs.transcript)
				m.VerifyData[i] ^= 0x10
				return errors.Join(hs.send(m.Marshal()), hs.out.Flush())
			}
		}
		hear := func(hs *handshake) step {
			return func() error { _, _, err := hs.in.Next(); return err }
		}
		known, ok := record.SuiteByID(suite)
		if !ok {
			t.Fatal(suite)
		}
		for i := range known.FinishedSize {
			c, s := attackServer(t, client, server, func(hs *clientHandshake) []step {
				return append(with(honest(hs), atFinished, wrong(&hs.handshake, clientFinished, i))[:atFinished+1], hear(&hs.handshake))
			})
			wantRefusal(t, wire.AlertDecryptError, s, c)
			c, s = attackClient(t, client, server, func(hs *serverHandshake) []step {
				steps := honestServer(hs)
				return with(steps, len(steps)-1, wrong(&hs.handshake, serverFinished, i), hear(&hs.handshake))
			})
			wantRefusal(t, wire.AlertDecryptError, c, s)
		}
	}
}
