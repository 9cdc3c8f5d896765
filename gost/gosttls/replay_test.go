package gosttls

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/recording"
	"propusk/gost/gosttls/internal/wire"
	"propusk/gost/pkcs8"
)

// newSessionTicket is a message that this package does not know; the recorded
// servers send it.
const newSessionTicket message.Type = 4

// recordedFlight is what a recorded server decided.
type recordedFlight struct {
	hello   *message.ServerHello
	request *message.CertificateRequest // nil if the client was not asked
	chain   [][]byte
	ticket  []byte // whole message; nil if there was none
}

func flightOf(t testing.TB, r recording.Recording) recordedFlight {
	t.Helper()
	var f recordedFlight
	version := VersionTLS12
	for _, raw := range recording.Messages(t, r.FromServer) {
		var err error
		body := raw[message.HeaderSize:]
		switch message.Type(raw[0]) {
		case message.TypeServerHello:
			if f.hello, err = message.ParseServerHello(body); err == nil {
				version = f.hello.Version
			}
		case message.TypeCertificateRequest:
			f.request, err = message.ParseCertificateRequest(body, version)
		case message.TypeCertificate:
			var m *message.Certificate
			if m, err = message.ParseCertificate(body); err == nil {
				f.chain = m.Chain
			}
		case newSessionTicket:
			f.ticket = raw
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// establish does what HandshakeContext does after the handshake.
func establish(c *Conn) {
	c.in.Established = true
	c.complete.Store(true)
}

// replayServer puts our server at the place of a recorded one and feeds it with
// the given bytes. Its choices, which depend on chance and configuration, are
// those of the recording.
func replayServer(t testing.TB, r recording.Recording, fromClient []byte, keyLog io.Writer) (*serverHandshake, *script, error) {
	t.Helper()
	cert, err := ParseKeyPair(r.ServerCert, r.ServerKey)
	if err != nil {
		t.Fatal(err)
	}
	flight := flightOf(t, r)
	cert.Chain = flight.chain
	wire := newScript(fromClient)
	hs := newServerHandshake(Server(wire, &Config{
		Certificates: []Certificate{cert},
		CipherSuites: []uint16{flight.hello.CipherSuite},
		MinVersion:   flight.hello.Version,
		ClientAuth:   RequestClientCert,
		KeyLogWriter: keyLog,
	}))
	choose := func() error {
		hs.hello, hs.request, hs.serverRandom = flight.hello, flight.request, flight.hello.Random
		return nil
	}
	sendTicket := func() error {
		if flight.ticket == nil {
			return nil
		}
		return hs.send(flight.ticket)
	}
	err = inOrder(
		hs.readClientHello, hs.chooseParameters, hs.prepareFlight, choose, hs.sendFlight,
		hs.readClientCertificate, hs.readClientKeyExchange, hs.readCertificateVerify, hs.readClientFinished,
		hs.judgeClient, sendTicket, hs.sendServerFinished,
	)
	establish(hs.Conn)
	return hs, wire, err
}

// protectorsOf derives the record keys of a recording from its key log.
func protectorsOf(t testing.TB, r recording.Recording) (client, server *record.Protector) {
	t.Helper()
	hello, err := message.ParseClientHello(recording.Messages(t, r.FromClient)[0][message.HeaderSize:])
	if err != nil {
		t.Fatal(err)
	}
	s := secrets{clientRandom: hello.Random, serverRandom: flightOf(t, r).hello.Random, master: r.Master}
	s.suite, _ = record.SuiteByID(flightOf(t, r).hello.CipherSuite)
	client, server, err = s.protectors()
	if err != nil {
		t.Fatal(err)
	}
	return client, server
}

// contents opens the protected records of one side.
func contents(t testing.TB, p *record.Protector, wire []byte) []recording.Record {
	t.Helper()
	var all []recording.Record
	for i, rec := range recording.Protected(t, wire) {
		_, content, err := p.Open(rec.Type, binary.BigEndian.Uint16(rec.Raw[1:]), bytes.Clone(rec.Fragment))
		if err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		all = append(all, recording.Record{Type: rec.Type, Raw: rec.Raw, Fragment: content})
	}
	return all
}

// compare compares record by record what was written with what was recorded.
func compare(t testing.TB, got, want []byte) {
	t.Helper()
	gotRecords, wantRecords := recording.Records(t, got), recording.Records(t, want)
	if len(gotRecords) != len(wantRecords) {
		t.Errorf("%d records, want %d", len(gotRecords), len(wantRecords))
		return
	}
	for i, rec := range gotRecords {
		if !bytes.Equal(rec.Raw, wantRecords[i].Raw) {
			t.Errorf("record %d is\n%x\nwant\n%x", i, rec.Raw, wantRecords[i].Raw)
			return
		}
	}
}

// dataOf returns the application data among opened records.
func dataOf(all []recording.Record) [][]byte {
	var data [][]byte
	for _, rec := range all {
		if wire.RecordType(rec.Type) == wire.TypeApplicationData {
			data = append(data, rec.Fragment)
		}
	}
	return data
}

// writeRecord writes application data in a record of its own, also if there is none:
// OpenSSL begins with an empty record in TLS 1.0.
func writeRecord(c *Conn, data []byte) error {
	if len(data) > 0 {
		_, err := c.Write(data)
		return err
	}
	return errors.Join(c.out.Queue(wire.TypeApplicationData, nil), c.out.Flush())
}

// Our server, at the place of the recorded one, understands every byte of the
// client and writes every byte of the server.
func TestReplayServer(t *testing.T) {
	for _, r := range recording.LoadAll(t, "testdata") {
		t.Run(r.Name, func(t *testing.T) {
			client, server := protectorsOf(t, r)
			var keyLog bytes.Buffer
			hs, wire, err := replayServer(t, r, r.FromClient, &keyLog)
			if err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf("CLIENT_RANDOM %x %x\n", hs.clientRandom, r.Master); keyLog.String() != want {
				t.Errorf("key log %q, want %q", keyLog.String(), want)
			}
			got, err := io.ReadAll(hs.Conn) // up to close_notify
			if want := bytes.Join(dataOf(contents(t, client, r.FromClient)), nil); err != nil || !bytes.Equal(got, want) {
				t.Errorf("read %d bytes, %v; want %d", len(got), err, len(want))
			}
			if left := wire.in.Len(); left != 0 {
				t.Errorf("%d bytes of the client were not read", left)
			}
			for _, data := range dataOf(contents(t, server, r.FromServer)) {
				if err := writeRecord(hs.Conn, data); err != nil {
					t.Fatal(err)
				}
			}
			if err := hs.Close(); err != nil {
				t.Fatal(err)
			}
			compare(t, wire.out.Bytes(), r.FromServer)
		})
	}
}

// The server knows from CertificateVerify, and only then, who the client is.
func TestReplayClientCertificate(t *testing.T) {
	r := recording.Load(t, "testdata", "c100-256A-mtls-512C")
	hs, _, err := replayServer(t, r, r.FromClient, nil)
	if err != nil {
		t.Fatal(err)
	}
	if chain := hs.state.PeerCertificates; len(chain) != 1 || !bytes.Equal(chain[0], hs.clientChain[0]) {
		t.Errorf("peer certificates %x", chain)
	}
	r = recording.Load(t, "testdata", "c100-256A")
	if hs, _, err = replayServer(t, r, r.FromClient, nil); err != nil {
		t.Fatal(err)
	}
	if chain := hs.state.PeerCertificates; chain != nil {
		t.Errorf("peer certificates %x of a client without", chain)
	}
}

// clientReplay puts our client at the place of a recorded one. The messages that
// depend on chance are those of the recording; keys, both Finished and all records
// are ours.
type clientReplay struct {
	*clientHandshake
	recorded  map[message.Type][]byte // of the client, whole messages
	premaster []byte
	ticket    bool
}

func (r *clientReplay) chooseHello() (err error) {
	r.hello, err = message.ParseClientHello(r.recorded[message.TypeClientHello][message.HeaderSize:])
	if err == nil {
		r.clientRandom = r.hello.Random
	}
	return err
}

// acceptSCSV makes the client accept renegotiation_info in the answer to the SCSV,
// which OpenSSL sends in place of the extension (RFC 5746, Section 3.6). Our
// client always sends the extension.
func (r *clientReplay) acceptSCSV() error {
	if slices.Contains(r.hello.CipherSuites, scsvRenegotiation) {
		r.hello.Extensions = append(r.hello.Extensions, message.RenegotiationInfo())
	}
	return nil
}

// resend sends a recorded message, if there is one.
func (r *clientReplay) resend(typ message.Type) func() error {
	return func() error {
		if raw := r.recorded[typ]; raw != nil {
			return r.send(raw)
		}
		return nil
	}
}

func (r *clientReplay) agree() error { return r.establishKeys(bytes.Clone(r.premaster)) }

func (r *clientReplay) readTicket() error {
	if !r.ticket {
		return nil
	}
	_, err := r.read(newSessionTicket)
	return err
}

func (r *clientReplay) run() error {
	return inOrder(
		r.prepareHello, r.chooseHello, r.sendHello, r.acceptSCSV,
		r.readServerHello, r.readServerCertificate, r.readRequestAndDone, r.judgeServer,
		r.resend(message.TypeCertificate), r.resend(message.TypeClientKeyExchange), r.agree,
		r.resend(message.TypeCertificateVerify), r.sendClientFinished,
		r.readTicket, r.readServerFinished,
	)
}

func replayClient(t testing.TB, r recording.Recording) (*clientReplay, *script) {
	t.Helper()
	wire := newScript(r.FromServer)
	chosen := flightOf(t, r).hello
	config := &Config{
		InsecureSkipVerify: true,
		CipherSuites:       []uint16{chosen.CipherSuite},
		MinVersion:         chosen.Version,
	}
	replay := &clientReplay{
		clientHandshake: newClientHandshake(Client(wire, config)),
		recorded:        make(map[message.Type][]byte),
		ticket:          flightOf(t, r).ticket != nil,
	}
	for _, raw := range recording.Messages(t, r.FromClient) {
		replay.recorded[message.Type(raw[0])] = raw
	}
	// Only the server's key opens the premaster secret of a recording.
	hello, err := message.ParseClientHello(replay.recorded[message.TypeClientHello][message.HeaderSize:])
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := pkcs8.Parse(mustPEM(t, r.ServerKey))
	if err != nil {
		t.Fatal(err)
	}
	s := secrets{clientRandom: hello.Random, serverRandom: flightOf(t, r).hello.Random}
	s.suite, _ = record.SuiteByID(flightOf(t, r).hello.CipherSuite)
	cke := replay.recorded[message.TypeClientKeyExchange][message.HeaderSize:]
	var genuine int
	if replay.premaster, genuine, err = s.importPremaster(rand.Reader, key, cke); err != nil || genuine != 1 {
		t.Fatalf("genuine %d, %v", genuine, err)
	}
	return replay, wire
}

// Our client, at the place of the recorded one, derives the same keys, writes the
// same Finished and records, and understands every byte of the server.
func TestReplayClient(t *testing.T) {
	for _, r := range recording.LoadAll(t, "testdata") {
		t.Run(r.Name, func(t *testing.T) {
			client, server := protectorsOf(t, r)
			replay, wire := replayClient(t, r)
			if err := replay.run(); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(replay.master, r.Master) {
				t.Errorf("master secret %x, want %x", replay.master, r.Master)
			}
			establish(replay.Conn)
			for _, data := range dataOf(contents(t, client, r.FromClient)) {
				if err := writeRecord(replay.Conn, data); err != nil {
					t.Fatal(err)
				}
			}
			got, err := io.ReadAll(replay.Conn)
			if want := bytes.Join(dataOf(contents(t, server, r.FromServer)), nil); err != nil || !bytes.Equal(got, want) {
				t.Errorf("read %d bytes, %v; want %d", len(got), err, len(want))
			}
			if err := replay.Close(); err != nil {
				t.Fatal(err)
			}
			// The record of a ClientHello may have any version up to that of the
			// hello (RFC 5246, Appendix E.1): OpenSSL writes 0301, we only if we
			// would speak less than TLS 1.2.
			want := bytes.Clone(r.FromClient)
			if replay.version == VersionTLS12 {
				want[2] = 3
			}
			compare(t, wire.out.Bytes(), want)
		})
	}
}

// RFC 9189 prints the ephemeral keys and premaster secrets of its examples, so
// ClientKeyExchange is checked as well. Those of CTR_OMAC have no ukm, ours has.
func TestClientKeyExchangeOfTheRFC(t *testing.T) {
	for _, name := range []string{"rfc9189-a131", "rfc9189-a132", "rfc9189-a22"} {
		r := recording.Load(t, "testdata", name)
		replay, _ := replayClient(t, r)
		if !bytes.Equal(replay.premaster, r.Premaster) {
			t.Errorf("%s: premaster secret %x, want %x", name, replay.premaster, r.Premaster)
		}
		if err := replay.run(); err != nil {
			t.Fatal(err)
		}
		ephemeral, err := gost3410.NewPrivateKey(replay.serverKey.Key.Curve(), r.EphemeralKey)
		if err != nil {
			t.Fatal(err)
		}
		got := wrapWithoutUKM(t, replay, r.Premaster, ephemeral)
		if want := replay.recorded[message.TypeClientKeyExchange]; !bytes.Equal(got, want) {
			t.Errorf("%s: ClientKeyExchange\n%x\nwant\n%x", name, got, want)
		}
	}
}

// wrapWithoutUKM returns the ClientKeyExchange of a client, without what is optional.
func wrapWithoutUKM(t *testing.T, replay *clientReplay, premaster []byte, ephemeral *gost3410.PrivateKey) []byte {
	t.Helper()
	if replay.suite.KeyExchange == record.KeyExchangeKExp28147 {
		m, err := replay.wrap28147(premaster, ephemeral, replay.serverKey)
		if err != nil {
			t.Fatal(err)
		}
		return m.Marshal()
	}
	m, err := replay.wrap15(premaster, ephemeral, replay.serverKey)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m.UKM, replay.randomsHash()) {
		t.Errorf("ukm %x", m.UKM)
	}
	m.UKM = nil
	return m.Marshal()
}

// One flipped bit anywhere in what the client sends before the end of the
// handshake, and there is no handshake. The only exceptions are the version bytes
// of records in clear: they are not part of what Finished covers.
func TestFlippedBits(t *testing.T) {
	r := recording.Load(t, "testdata", "c101-256A-mtls-256A")
	unprotected := make(map[int]bool)
	at := 0
	for _, rec := range recording.Records(t, r.FromClient) {
		if wire.RecordType(rec.Type) == wire.TypeChangeCipherSpec {
			unprotected[at+2] = true
			at += len(rec.Raw)
			break
		}
		unprotected[at+2] = true
		at += len(rec.Raw)
	}
	end := at + len(recording.Protected(t, r.FromClient)[0].Raw)
	for i := range end {
		for bit := range 8 {
			if testing.Short() && (i+bit)%16 != 0 {
				continue
			}
			bad := bytes.Clone(r.FromClient[:end])
			bad[i] ^= 1 << bit
			_, _, err := replayServer(t, r, bad, nil)
			if (err == nil) != unprotected[i] {
				t.Errorf("byte %d (%02x), bit %d flipped: %v", i, r.FromClient[i], bit, err)
			}
		}
	}
}
