package gosttls

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/wire"
)

// attackServer13 runs a handshake of a client that follows the given steps after the
// server's answer, and returns both errors. The hello can be changed before it is sent.
func attackServer13(t testing.TB, client, server *Config, change func(hs *clientHandshake), steps func(hs *clientHandshake13) []step) (clientErr, serverErr error) {
	t.Helper()
	c, s := connPair(t, client, server)
	done := make(chan error, 1)
	go func() {
		err := s.Handshake()
		if err == nil {
			err = s.CloseWrite() // or the client would wait for an alert that does not come
		}
		done <- err
	}()
	hs := newClientHandshake(c)
	clientErr = inOrder(hs.prepareHello, hs.offer13, func() error {
		if change != nil {
			change(hs)
		}
		return nil
	}, hs.sendHello, hs.readServerHello)
	switch {
	case clientErr != nil:
	case hs.next13 == nil:
		clientErr = errors.New("the server does not speak TLS 1.3")
	default:
		clientErr = inOrder(append(steps(hs.next13), hs.next13.hear)...)
	}
	_ = c.giveUp(clientErr)
	return clientErr, <-done
}

// hear waits for the alert of a server that did not like the client's flight: in TLS
// 1.3 the client is through before the server has seen it.
func (hs *clientHandshake13) hear() error {
	for {
		_, _, err := hs.in.Next()
		if isRemote(err, wire.AlertCloseNotify) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// attackClient13 is the opposite: a server that follows the given steps after the
// client's hello.
func attackClient13(t testing.TB, client, server *Config, steps func(hs *serverHandshake13) []step) (clientErr, serverErr error) {
	t.Helper()
	c, s := connPair(t, client, server)
	done := make(chan error, 1)
	go func() { done <- c.Handshake() }()
	first := newServerHandshake(s)
	serverErr = first.readClientHello()
	if serverErr == nil {
		serverErr = inOrder(steps(newServerHandshake13(first))...)
	}
	_ = s.giveUp(serverErr)
	return <-done, serverErr
}

// honest13 returns the steps of an honest client after the server's answer.
func honest13(hs *clientHandshake13) []step {
	return []step{
		hs.checkAnswer, hs.retryHello, hs.agreeWithServer, hs.protectServer,
		hs.readParameters, hs.readCertificate, hs.readFinished, hs.finish, hs.protectData, hs.judgeServer,
		hs.sendCertificate, hs.sendFinished,
	}
}

// Positions in honest13.
const (
	atCertificate13 = 10
	atFinished13    = 11
)

// honestServer13 returns the steps of an honest server after the client's hello.
func honestServer13(hs *serverHandshake13) []step {
	return []step{
		hs.checkHello, hs.chooseParameters, hs.retryHello, hs.findSession, hs.chooseCertificate,
		hs.sendHello, hs.protectHandshake, hs.sendParameters, hs.sendCertificate, hs.sendFinished, hs.finish, hs.protectData,
		hs.awaitClientFlight, hs.readCertificate, hs.readFinished, hs.judgeClient,
	}
}

// Positions in honestServer13.
const (
	atRetry13        = 2
	atServerHello13  = 5
	atParameters13   = 7
	atServerProof13  = 8
	atServerFinish13 = 9
)

// The honest steps do work, or the tests below would show nothing.
func TestHonestSteps13(t *testing.T) {
	client, server := configs13(t, cryptoProA, tc26512A)
	if c, s := attackServer13(t, client, server, nil, honest13); c != nil || s != nil {
		t.Errorf("client %v, server %v", c, s)
	}
	if c, s := attackClient13(t, client, server, honestServer13); c != nil || s != nil {
		t.Errorf("client %v, server %v", c, s)
	}
}

// sequences calls f with every sequence of up to n of the numbers below n that is not the
// beginning of 0, 1, 2…
func sequences(n int, f func(sequence []int)) {
	var grow func(sequence []int)
	grow = func(sequence []int) {
		for i := range n {
			next := append(slices.Clone(sequence), i)
			switch {
			case i != len(sequence):
				f(next)
			case len(next) < n:
				grow(next)
			}
		}
	}
	grow(nil)
}

// foreign returns a message of a type that does not belong where it comes, as like a
// good one as possible.
func foreign(typ message.Type) []byte {
	switch typ {
	case message.TypeKeyUpdate:
		return (&message.KeyUpdate{Requested: true}).Marshal()
	case message.TypeEncryptedExtensions:
		return (&message.EncryptedExtensions{}).Marshal()
	case message.TypeCertificateRequest:
		return (&message.CertificateRequest13{Extensions: []message.Extension{message.SignatureAlgorithms(schemes13())}}).Marshal()
	case message.TypeNewSessionTicket:
		return (&message.SessionTicket13{Lifetime: 60, Ticket: []byte("ticket")}).Marshal()
	case message.TypeFinished:
		return (&message.Finished{VerifyData: make([]byte, 32)}).Marshal()
	}
	return []byte{byte(typ), 0, 0, 0}
}

// foreignTypes are all types of messages, of TLS 1.2 as well, and unknown ones.
var foreignTypes = []message.Type{
	message.TypeHelloRequest, message.TypeClientHello, message.TypeServerHello, message.TypeNewSessionTicket, 5, 6,
	message.TypeEncryptedExtensions, message.TypeCertificate, 12, message.TypeCertificateRequest, message.TypeServerHelloDone,
	message.TypeCertificateVerify, message.TypeClientKeyExchange, message.TypeFinished, 21, 22, message.TypeKeyUpdate, 25,
	message.TypeMessageHash, 255,
}

// The messages of a client come in one order only: everything else is refused at the
// first message that is out of place.
func TestWrongOrderClient13(t *testing.T) {
	client, server := configs13(t, tc26256A, tc26256A)
	messages := func(hs *clientHandshake13) []step {
		return []step{
			func() error { return hs.sendChain13(hs.config.Certificates[0].Chain, nil) },
			func() error { return hs.sendVerify13(hs.config.Certificates[0], clientContext) },
			func() error { return hs.sendFinished13(&hs.client) },
		}
	}
	try := func(name string, flight func(hs *clientHandshake13) []step) {
		t.Helper()
		c, s := attackServer13(t, client, server, nil, func(hs *clientHandshake13) []step {
			steps := slices.Concat(honest13(hs)[:atCertificate13], flight(hs))
			return append(steps, hs.out.Flush)
		})
		if t.Failed() {
			return
		}
		wantRefusal(t, wire.AlertUnexpectedMessage, s, c)
		if t.Failed() {
			t.Fatal(name)
		}
	}
	sequences(3, func(sequence []int) {
		try(fmt.Sprint(sequence), func(hs *clientHandshake13) []step {
			var flight []step
			for _, i := range sequence {
				flight = append(flight, messages(hs)[i])
			}
			return flight
		})
	})
	right := []message.Type{message.TypeCertificate, message.TypeCertificateVerify, message.TypeFinished}
	for at := range right {
		for _, typ := range foreignTypes {
			if typ == right[at] {
				continue
			}
			try(fmt.Sprintf("%d at %d", typ, at), func(hs *clientHandshake13) []step {
				return append(messages(hs)[:at:at], func() error { return hs.send(foreign(typ)) })
			})
		}
		for _, typ := range []wire.RecordType{wire.TypeApplicationData, wire.TypeChangeCipherSpec, 24} {
			try(fmt.Sprintf("record %d at %d", typ, at), func(hs *clientHandshake13) []step {
				return append(messages(hs)[:at:at], func() error { return hs.out.Queue(typ, []byte{1}) })
			})
		}
	}
}

// The same for the messages of a server.
func TestWrongOrderServer13(t *testing.T) {
	client, server := configs13(t, tc26256A, tc26256A)
	messages := func(hs *serverHandshake13) []step {
		return []step{
			hs.sendParameters,
			func() error { return hs.send(foreign(message.TypeCertificateRequest)) },
			func() error { return hs.sendChain13(hs.cert.Chain, nil) },
			func() error { return hs.sendVerify13(hs.cert, serverContext) },
			func() error { return hs.sendFinished13(&hs.server) },
		}
	}
	try := func(name string, flight func(hs *serverHandshake13) []step) {
		t.Helper()
		c, s := attackClient13(t, client, server, func(hs *serverHandshake13) []step {
			steps := slices.Concat(honestServer13(hs)[:atParameters13], flight(hs))
			return append(steps, hs.out.Flush, func() error { _, _, err := hs.in.Next(); return err })
		})
		wantRefusal(t, wire.AlertUnexpectedMessage, c, s)
		if t.Failed() {
			t.Fatal(name)
		}
	}
	sequences(5, func(sequence []int) {
		if slices.Equal(sequence, []int{0, 2}) {
			return // without CertificateRequest: tried below
		}
		try(fmt.Sprint(sequence), func(hs *serverHandshake13) []step {
			var flight []step
			for _, i := range sequence {
				flight = append(flight, messages(hs)[i])
			}
			return flight
		})
	})
	for _, sequence := range [][]int{{0, 2, 0}, {0, 2, 1}, {0, 2, 2}, {0, 2, 4}, {0, 2, 3, 0}, {0, 2, 3, 1}, {0, 2, 3, 2}, {0, 2, 3, 3}} {
		try(fmt.Sprint(sequence), func(hs *serverHandshake13) []step {
			var flight []step
			for _, i := range sequence {
				flight = append(flight, messages(hs)[i])
			}
			return flight
		})
	}
	right := []message.Type{
		message.TypeEncryptedExtensions, message.TypeCertificateRequest, message.TypeCertificate, message.TypeCertificateVerify, message.TypeFinished,
	}
	for at := range right {
		for _, typ := range foreignTypes {
			if typ == right[at] || (at == 1 && typ == message.TypeCertificate) {
				continue
			}
			try(fmt.Sprintf("%d at %d", typ, at), func(hs *serverHandshake13) []step {
				return append(messages(hs)[:at:at], func() error { return hs.send(foreign(typ)) })
			})
		}
		for _, typ := range []wire.RecordType{wire.TypeApplicationData, wire.TypeChangeCipherSpec, 24} {
			try(fmt.Sprintf("record %d at %d", typ, at), func(hs *serverHandshake13) []step {
				return append(messages(hs)[:at:at], func() error { return hs.out.Queue(typ, []byte{1}) })
			})
		}
	}
}

// What a ChangeCipherSpec in clear may be, and when: RFC 8446, Section 5.
func TestChangeCipherSpec13(t *testing.T) {
	client, server := configs13(t, cryptoProA, cryptoProA)
	inClear := func(hs *clientHandshake13, content ...byte) step {
		return func() error {
			_, err := hs.out.Writer.Write(append([]byte{20, 3, 3, 0, byte(len(content))}, content...))
			return err
		}
	}
	for at := range len(honest13(&clientHandshake13{})) - 1 {
		if c, s := attackServer13(t, client, server, nil, func(hs *clientHandshake13) []step {
			return before(honest13(hs), at, inClear(hs, 1))
		}); c != nil || s != nil {
			t.Errorf("at %d: client %v, server %v", at, c, s)
		}
	}
	for _, content := range [][]byte{{}, {0}, {2}, {1, 1}} {
		c, s := attackServer13(t, client, server, nil, func(hs *clientHandshake13) []step {
			return before(honest13(hs), atCertificate13, inClear(hs, content...))
		})
		wantRefusal(t, wire.AlertUnexpectedMessage, s, c)
	}
	// Between the parts of a message.
	c, s := attackServer13(t, client, server, nil, func(hs *clientHandshake13) []step {
		return before(honest13(hs), atCertificate13, func() error {
			return errors.Join(hs.out.Queue(wire.TypeHandshake, []byte{byte(message.TypeCertificate)}), hs.out.Flush(), inClear(hs, 1)())
		})
	})
	wantRefusal(t, wire.AlertUnexpectedMessage, s, c)
	// After the handshake.
	clientConn, serverConn := connected(t, client, server)
	if _, err := clientConn.out.Writer.Write([]byte{20, 3, 3, 0, 1, 1}); err != nil {
		t.Fatal(err)
	}
	_, err := serverConn.Read(make([]byte, 1))
	_, told := clientConn.Read(make([]byte, 1))
	wantRefusal(t, wire.AlertUnexpectedMessage, err, told)
	// Too many of them.
	c, s = attackServer13(t, client, server, nil, func(hs *clientHandshake13) []step {
		return before(honest13(hs), atCertificate13, func() error {
			for range wire.MaxUselessRecords {
				if err := inClear(hs, 1)(); err != nil {
					return err
				}
			}
			return nil
		})
	})
	wantRefusal(t, wire.AlertUnexpectedMessage, s, c)
}

// verify13 makes a client prove itself as f says.
func verify13(t *testing.T, client, server *Config, f func(hs *clientHandshake13, m *message.CertificateVerify)) (clientErr, serverErr error) {
	t.Helper()
	return attackServer13(t, client, server, nil, func(hs *clientHandshake13) []step {
		return with(honest13(hs), atCertificate13, func() error {
			cert := hs.config.Certificates[0]
			if err := hs.sendChain13(cert.Chain, nil); err != nil {
				return err
			}
			m, err := sign13(hs.config.rand(), cert, clientContext, hs.transcript.sum256())
			if err != nil {
				return err
			}
			f(hs, m)
			return hs.send(m.Marshal())
		})
	})
}

func TestCertificateVerify13(t *testing.T) {
	client, server := configs13(t, cryptoProA, cryptoProA)
	other := testCert(t, cryptoProA)
	resign := func(hs *clientHandshake13, cert Certificate, context string, sum []byte) []byte {
		m, err := sign13(hs.config.rand(), cert, context, sum)
		if err != nil {
			t.Fatal(err)
		}
		return m.Signature
	}
	order := orderOf(t, gost3410.CryptoProA())
	for name, f := range map[string]func(hs *clientHandshake13, m *message.CertificateVerify){
		"another key": func(hs *clientHandshake13, m *message.CertificateVerify) {
			m.Signature = resign(hs, other, clientContext, hs.transcript.sum256())
		},
		"context of a server": func(hs *clientHandshake13, m *message.CertificateVerify) {
			m.Signature = resign(hs, hs.config.Certificates[0], serverContext, hs.transcript.sum256())
		},
		"another connection": func(hs *clientHandshake13, m *message.CertificateVerify) {
			m.Signature = resign(hs, hs.config.Certificates[0], clientContext, make([]byte, 32))
		},
		"order of X.509": func(_ *clientHandshake13, m *message.CertificateVerify) { slices.Reverse(m.Signature) },
		"flipped bit":    func(_ *clientHandshake13, m *message.CertificateVerify) { m.Signature[40] ^= 1 },
		"r is zero":      func(_ *clientHandshake13, m *message.CertificateVerify) { clear(m.Signature[:32]) },
		"s is zero":      func(_ *clientHandshake13, m *message.CertificateVerify) { clear(m.Signature[32:]) },
		"r is q":         func(_ *clientHandshake13, m *message.CertificateVerify) { copy(m.Signature, order) },
		"s is q":         func(_ *clientHandshake13, m *message.CertificateVerify) { copy(m.Signature[32:], order) },
		"short":          func(_ *clientHandshake13, m *message.CertificateVerify) { m.Signature = m.Signature[:63] },
		"long":           func(_ *clientHandshake13, m *message.CertificateVerify) { m.Signature = append(m.Signature, 0) },
		"empty":          func(_ *clientHandshake13, m *message.CertificateVerify) { m.Signature = nil },
	} {
		t.Run(name, func(t *testing.T) {
			c, s := verify13(t, client, server, f)
			wantRefusal(t, wire.AlertDecryptError, s, c)
		})
	}
}

// Schemes are those of the curve, or, unless that is forbidden, the first of the size.
func TestSchemes13(t *testing.T) {
	for _, p := range paramSets {
		client, server := configs13(t, tc26256A, p)
		curve, err := client.Certificates[0].curve()
		if err != nil {
			t.Fatal(err)
		}
		for scheme := message.FirstScheme13 - 1; scheme <= message.LastScheme13+1; scheme++ {
			first := (curve.Size() == 32 && scheme == 0x0709) || (curve.Size() == 64 && scheme == 0x070d)
			right := scheme == scheme13(curve)
			for _, strict := range []bool{false, true} {
				server.StrictSignatureSchemes = strict
				c, s := verify13(t, client, server, func(_ *clientHandshake13, m *message.CertificateVerify) { m.Scheme = scheme })
				if right || (first && !strict) {
					if c != nil || s != nil {
						t.Errorf("%v under %#04x, strict %v: client %v, server %v", p, scheme, strict, c, s)
					}
					continue
				}
				wantRefusal(t, wire.AlertIllegalParameter, s, c)
			}
		}
	}
}

func TestFinished13(t *testing.T) {
	client, server := configs13(t, cryptoProA, cryptoProA)
	for _, bit := range []int{0, 100, 255} {
		wrong := func(m *message.Finished) []byte {
			m.VerifyData[bit/8] ^= 1 << (bit % 8)
			return m.Marshal()
		}
		c, s := attackServer13(t, client, server, nil, func(hs *clientHandshake13) []step {
			return with(honest13(hs), atFinished13, func() error {
				return errors.Join(hs.send(wrong(&message.Finished{VerifyData: hs.client.Finished(hs.transcript.sum256())})), hs.out.Flush())
			})
		})
		wantRefusal(t, wire.AlertDecryptError, s, c)
		c, s = attackClient13(t, client, server, func(hs *serverHandshake13) []step {
			return with(honestServer13(hs), atServerFinish13, func() error {
				return errors.Join(hs.send(wrong(&message.Finished{VerifyData: hs.server.Finished(hs.transcript.sum256())})), hs.out.Flush())
			})
		})
		wantRefusal(t, wire.AlertDecryptError, c, s)
	}
}

// A message may not go on under other keys.
func TestFinishedIsLast13(t *testing.T) {
	client, server := configs13(t, cryptoProA, cryptoProA)
	c, s := attackServer13(t, client, server, nil, func(hs *clientHandshake13) []step {
		return with(honest13(hs), atFinished13, func() error {
			m := &message.Finished{VerifyData: hs.client.Finished(hs.transcript.sum256())}
			raw := append(m.Marshal(), (&message.KeyUpdate{}).Marshal()[:2]...)
			return errors.Join(hs.out.Queue(wire.TypeHandshake, raw), hs.out.Flush(), hs.protectOut(&hs.traffic.out))
		})
	})
	wantRefusal(t, wire.AlertUnexpectedMessage, s, c)
	c, s = attackClient13(t, client, server, func(hs *serverHandshake13) []step {
		return with(honestServer13(hs), atServerHello13, func() error {
			err := hs.sendHello()
			return errors.Join(err, hs.out.Queue(wire.TypeHandshake, []byte{8, 0}), hs.out.Flush())
		})
	})
	wantRefusal(t, wire.AlertUnexpectedMessage, c, s)
}

// badShares returns ephemeral keys that nobody honest sends.
func badShares(t testing.TB, p paramSet) map[string][]byte {
	t.Helper()
	curve, err := gost3410.CurveByParamSet(p.oid)
	if err != nil {
		t.Fatal(err)
	}
	key, err := gost3410.GenerateKey(curve, nil)
	if err != nil {
		t.Fatal(err)
	}
	good := key.PublicKey().Bytes()
	off := bytes.Clone(good)
	off[0] ^= 1
	all := map[string][]byte{
		"zero":         make([]byte, len(good)),
		"off curve":    off,
		"x and y swap": append(bytes.Clone(good[curve.Size():]), good[:curve.Size()]...),
		"beyond p":     bytes.Repeat([]byte{0xff}, len(good)),
		"with prefix":  append([]byte{4}, good...),
		"short":        good[:len(good)-1],
		"half":         good[:len(good)/2],
		"one byte":     {1},
	}
	if p.oid.Equal(tc26256A.oid) || p.oid.Equal(tc26512C.oid) {
		for name, point := range badPoints(t, p) {
			all[name] = point
		}
	}
	return all
}

// Whatever is wrong with the ephemeral key of the peer, it is one alert (RFC 9367,
// Section 6.1.1).
func TestBadShares13(t *testing.T) {
	for _, p := range paramSets {
		client, server := configs13(t, cryptoProA, cryptoProA)
		curve, err := gost3410.CurveByParamSet(p.oid)
		if err != nil {
			t.Fatal(err)
		}
		client.CurvePreferences = []*gost3410.Curve{curve}
		for name, point := range badShares(t, p) {
			t.Run(p.String()+" "+name, func(t *testing.T) {
				c, s := attackServer13(t, client, server, func(hs *clientHandshake) {
					hs.hello.Set(message.KeyShares([]message.KeyShare{{Group: group(curve), Key: point}}))
				}, honest13)
				wantRefusal(t, wire.AlertHandshakeFailure, s, c)
				c, s = attackClient13(t, client, server, func(hs *serverHandshake13) []step {
					return with(honestServer13(hs), atServerHello13, func() error {
						err := hs.randomBytes(hs.serverRandom[:])
						return errors.Join(err, hs.answerHello(point), hs.out.Flush(), hs.expectAlert())
					})
				})
				wantRefusal(t, wire.AlertHandshakeFailure, c, s)
			})
		}
	}
}

// expectAlert reads what should be an alert in clear.
func (hs *serverHandshake13) expectAlert() error {
	_, _, err := hs.in.Next()
	return err
}

// A server that wants a certificate lets nobody in without, in TLS 1.3 either; one that
// only asks does.
func TestClientAuth13(t *testing.T) {
	client, server := configs13(t, cryptoProA, cryptoProA)
	client.Certificates = nil
	for mode, want := range map[ClientAuth]Alert{NoClientCert: 0, RequestClientCert: 0, RequireAnyClientCert: wire.AlertCertificateRequired} {
		server.ClientAuth = mode
		c, s := attackServer13(t, client, server, nil, honest13)
		switch {
		case want == 0 && (c != nil || s != nil):
			t.Errorf("%d: client %v, server %v", mode, c, s)
		case want != 0:
			wantRefusal(t, want, s, c)
			if !errors.Is(s, ErrNoCertificate) {
				t.Errorf("%d: %v", mode, s)
			}
		}
	}
}
