package gosttls

import (
	"bytes"
	"io"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/recording"
	"propusk/gost/gosttls/internal/schedule"
	"propusk/gost/gosttls/internal/wire"
)

// recorded13 is a recorded connection, opened.
type recorded13 struct {
	recording.Recording13
	hello      *message.ClientHello
	helloBytes []byte
	answer     *message.ServerHello
	facts      *message.Answer13

	client, server []recording.Record // what was protected, in clear, one message in a record
}

// open13 opens a recorded connection with the secrets of its key log.
func open13(t testing.TB, r recording.Recording13) recorded13 {
	t.Helper()
	o := recorded13{Recording13: r}
	o.helloBytes = recording.Messages(t, r.FromClient)[0]
	var err error
	if o.hello, err = message.ParseClientHello(o.helloBytes[message.HeaderSize:]); err != nil {
		t.Fatal(err)
	}
	if o.answer, err = message.ParseServerHello(recording.Messages(t, r.FromServer)[0][message.HeaderSize:]); err != nil {
		t.Fatal(err)
	}
	if o.facts, err = message.ParseAnswer13(o.answer); err != nil {
		t.Fatal(err)
	}
	o.client = o.openSide(t, r.FromClient, "CLIENT")
	o.server = o.openSide(t, r.FromServer, "SERVER")
	return o
}

func (o *recorded13) secret(name string) schedule.Secret { return schedule.Secret(o.Secrets[name]) }

// openSide opens the records of one side: those of the handshake, those after Finished,
// and those after each KeyUpdate.
func (o *recorded13) openSide(t testing.TB, stream []byte, side string) []recording.Record {
	t.Helper()
	suite := suiteOf(t, o.answer.CipherSuite)
	secret := o.secret(side + "_HANDSHAKE_TRAFFIC_SECRET")
	p, err := secret.Protector(suite)
	if err != nil {
		t.Fatal(err)
	}
	var all []recording.Record
	for i, rec := range recording.Protected(t, stream) {
		typ, content, err := p.Open(rec.Type, VersionTLS12, bytes.Clone(rec.Fragment))
		if err != nil {
			t.Fatalf("%s, record %d: %v", side, i, err)
		}
		all = append(all, recording.Record{Type: typ, Raw: rec.Raw, Fragment: content})
		if wire.RecordType(typ) != wire.TypeHandshake {
			continue
		}
		switch message.Type(content[0]) {
		case message.TypeFinished:
			secret = o.secret(side + "_TRAFFIC_SECRET_0")
		case message.TypeKeyUpdate:
			secret.Update()
		default:
			continue
		}
		if p, err = secret.Protector(suite); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// messageOf returns the recorded messages of a type.
func messagesOf(all []recording.Record, typ message.Type) [][]byte {
	var found [][]byte
	for _, rec := range all {
		if wire.RecordType(rec.Type) == wire.TypeHandshake && message.Type(rec.Fragment[0]) == typ {
			found = append(found, rec.Fragment)
		}
	}
	return found
}

// resend returns a step that sends the recorded messages of a type.
func resend13(hs *handshake13, all []recording.Record, types ...message.Type) step {
	return func() error {
		for _, typ := range types {
			for _, raw := range messagesOf(all, typ) {
				if err := hs.send(raw); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// unknownSession stands for the session that a recording resumes: of its pre-shared key
// nothing is recorded but what comes out at the end.
func unknownSession() *session {
	return &session{version: VersionTLS13, secret: make([]byte, schedule.Size)}
}

// replayServer13 puts our server at the place of a recorded one and feeds it with the
// given bytes. What depends on chance and on keys that were not recorded is taken from
// the recording: random, ephemeral key, signature, traffic secrets and tickets.
func replayServer13(t testing.TB, r recorded13, fromClient []byte) (*serverHandshake13, *script, error) {
	t.Helper()
	conn := newScript(fromClient)
	first := newServerHandshake(Server(conn, &Config{
		CipherSuites: []uint16{r.answer.CipherSuite},
		Certificates: []Certificate{testCert(t, cryptoProA)},
	}))
	if err := first.readClientHello(); err != nil {
		return nil, conn, err
	}
	hs := newServerHandshake13(first)
	hs.requested = len(messagesOf(r.server, message.TypeCertificateRequest)) > 0
	err := inOrder(
		hs.checkHello, hs.chooseParameters, hs.retryHello,
		func() error {
			if r.facts.PSK != nil {
				hs.take(unknownSession(), *r.facts.PSK)
			}
			hs.serverRandom = r.answer.Random
			return hs.answerHello(r.facts.Share.Key)
		},
		func() error {
			hs.schedule = schedule.New(nil)
			hs.client, hs.server = r.secret("CLIENT_HANDSHAKE_TRAFFIC_SECRET"), r.secret("SERVER_HANDSHAKE_TRAFFIC_SECRET")
			return nil
		},
		hs.protectHandshake, hs.sendParameters,
		resend13(&hs.handshake13, r.server, message.TypeCertificateRequest, message.TypeCertificate, message.TypeCertificateVerify),
		hs.sendFinished, hs.finish,
		func() error {
			hs.traffic.in, hs.traffic.out = r.secret("CLIENT_TRAFFIC_SECRET_0"), r.secret("SERVER_TRAFFIC_SECRET_0")
			return nil
		},
		hs.protectData, hs.awaitClientFlight, hs.readCertificate, hs.readFinished, hs.judgeClient,
		resend13(&hs.handshake13, r.server, message.TypeNewSessionTicket), hs.out.Flush,
	)
	establish(hs.Conn)
	return hs, conn, err
}

// readChunk reads what one Read gives.
func readChunk(t testing.TB, c *Conn) []byte {
	t.Helper()
	buf := make([]byte, 1<<14)
	n, err := c.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

// Our server, at the place of the recorded one, understands every byte of the client
// and writes every byte of the server.
func TestReplayServer13(t *testing.T) {
	for _, r := range recording.LoadAll13(t, "testdata/tls13") {
		t.Run(r.Name, func(t *testing.T) {
			o := open13(t, r)
			hs, conn, err := replayServer13(t, o, r.FromClient)
			if err != nil {
				t.Fatal(err)
			}
			if proven := len(messagesOf(o.client, message.TypeCertificateVerify)) > 0; proven != (len(hs.state.PeerCertificates) > 0) {
				t.Errorf("peer certificates %x", hs.state.PeerCertificates)
			}
			fromClient, fromServer := dataOf(o.client), dataOf(o.server)
			for i := range max(len(fromClient), len(fromServer)) {
				if i < len(fromClient) {
					if got := readChunk(t, hs.Conn); !bytes.Equal(got, fromClient[i]) {
						t.Errorf("read %q, want %q", got, fromClient[i])
					}
				}
				if i < len(fromServer) {
					if _, err := hs.Write(fromServer[i]); err != nil {
						t.Fatal(err)
					}
				}
			}
			if rest, err := io.ReadAll(hs.Conn); err != nil || len(rest) > 0 || conn.in.Len() > 0 {
				t.Errorf("left %q, %d bytes, %v", rest, conn.in.Len(), err)
			}
			if want, ok := r.Secrets["CLIENT_TRAFFIC_SECRET_N"]; ok && !bytes.Equal(hs.traffic.in[:], want) {
				t.Errorf("secret after KeyUpdate %x, want %x", hs.traffic.in, want)
			}
			if err := hs.Close(); err != nil {
				t.Fatal(err)
			}
			compare(t, conn.out.Bytes(), r.FromServer)
		})
	}
}

// replayClient13 is the opposite of replayServer13.
func replayClient13(t testing.TB, r recorded13, fromServer []byte) (*clientHandshake13, *script, error) {
	t.Helper()
	conn := newScript(fromServer)
	curve, ok := curveByNumber(r.facts.Share.Group)
	if !ok {
		t.Fatalf("group %d", r.facts.Share.Group)
	}
	first := newClientHandshake(Client(conn, &Config{
		CipherSuites: suites13, InsecureSkipVerify: true, CurvePreferences: []*gost3410.Curve{curve},
	}))
	if err := inOrder(first.prepareHello, first.offer13); err != nil {
		t.Fatal(err)
	}
	offer, err := message.ParseOffer13(r.hello)
	if err != nil {
		t.Fatal(err)
	}
	first.hello, first.clientRandom, first.psks = r.hello, r.hello.Random, offer.PSKs
	if offer.PSKs != nil {
		first.offered13 = &ClientSession{session: unknownSession(), ticket: offer.PSKs.Identities[0].Ticket}
	}
	first.out.Version = VersionTLS10 // as OpenSSL
	err = inOrder(func() error { return first.send(r.helloBytes) }, first.out.Flush, first.readServerHello)
	if err != nil || first.next13 == nil {
		return nil, conn, err
	}
	hs := first.next13
	err = inOrder(
		hs.checkAnswer, hs.retryHello, hs.agreeWithServer,
		func() error {
			hs.client, hs.server = r.secret("CLIENT_HANDSHAKE_TRAFFIC_SECRET"), r.secret("SERVER_HANDSHAKE_TRAFFIC_SECRET")
			return nil
		},
		hs.protectServer, hs.readParameters, hs.readCertificate, hs.readFinished, hs.finish,
		func() error {
			hs.traffic.out, hs.traffic.in = r.secret("CLIENT_TRAFFIC_SECRET_0"), r.secret("SERVER_TRAFFIC_SECRET_0")
			return nil
		},
		hs.protectData, hs.judgeServer,
		resend13(&hs.handshake13, r.client, message.TypeCertificate, message.TypeCertificateVerify),
		hs.sendFinished,
	)
	establish(hs.Conn)
	return hs, conn, err
}

// requestUpdate makes a side send, before its next data, a KeyUpdate that asks for one.
func requestUpdate(c *Conn) {
	c.out.Lock()
	defer c.out.Unlock()
	own := c.out.KeyUpdate
	c.out.KeyUpdate = func() ([]byte, *record.Protector, error) {
		_, next, err := own()
		c.out.KeyUpdate = own
		return (&message.KeyUpdate{Requested: true}).Marshal(), next, err
	}
	c.out.UpdateOwed.Store(true)
}

// Our client, at the place of the recorded one, understands every byte of the server
// and writes every byte of the client.
func TestReplayClient13(t *testing.T) {
	for _, r := range recording.LoadAll13(t, "testdata/tls13") {
		t.Run(r.Name, func(t *testing.T) {
			o := open13(t, r)
			hs, conn, err := replayClient13(t, o, r.FromServer)
			if err != nil {
				t.Fatal(err)
			}
			if s := hs.state; (o.facts.PSK == nil) != (len(s.PeerCertificates) > 0) || s.Resumed != (o.facts.PSK != nil) {
				t.Errorf("%d peer certificates, resumed %v", len(s.PeerCertificates), s.Resumed)
			}
			for _, rec := range o.client {
				switch {
				case wire.RecordType(rec.Type) == wire.TypeApplicationData:
					if _, err := hs.Write(rec.Fragment); err != nil {
						t.Fatal(err)
					}
				case message.Type(rec.Fragment[0]) == message.TypeKeyUpdate:
					requestUpdate(hs.Conn)
				}
			}
			got, err := io.ReadAll(hs.Conn)
			if want := bytes.Join(dataOf(o.server), nil); err != nil || !bytes.Equal(got, want) {
				t.Errorf("read %q, %v; want %q", got, err, want)
			}
			if err := hs.Close(); err != nil {
				t.Fatal(err)
			}
			compare(t, conn.out.Bytes(), r.FromClient)
		})
	}
}

// Peers built on gost-engine sign under 0709 and 070D whatever the curve; that is
// known, told, and refused on demand.
func TestSchemeMismatchRecorded(t *testing.T) {
	for name, mismatch := range map[string]bool{"c105-256TCA-GC256A-mtls": false, "c105-256A-GC256B-mtls": true, "c105-512A-GC512A-mtls": false, "c105-512C-GC512C-mtls": true} {
		o := open13(t, recording.Load13(t, "testdata/tls13", name))
		hs, _, err := replayServer13(t, o, o.FromClient)
		if err != nil || hs.state.SchemeMismatch != mismatch {
			t.Errorf("%s: server: %v, %v", name, hs.state.SchemeMismatch, err)
		}
		client, _, err := replayClient13(t, o, o.FromServer)
		if err != nil || client.state.SchemeMismatch != mismatch {
			t.Errorf("%s: client: %v, %v", name, client.state.SchemeMismatch, err)
		}
	}
}
