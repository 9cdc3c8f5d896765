package gosttls

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/recording"
)

// resumedRecording is a recorded connection that resumed a session.
type resumedRecording struct {
	recording.Recording
	clientHello *message.ClientHello
	serverHello *message.ServerHello
	session     *session
}

// resumedRecordings loads testdata/resumed.
func resumedRecordings(t testing.TB) []resumedRecording {
	t.Helper()
	var all []resumedRecording
	for _, r := range recording.LoadAll(t, "testdata/resumed") {
		hello, err := message.ParseClientHello(recording.Messages(t, r.FromClient)[0][message.HeaderSize:])
		if err != nil {
			t.Fatal(err)
		}
		answer := flightOf(t, r).hello
		all = append(all, resumedRecording{r, hello, answer, &session{
			version:   answer.Version,
			suite:     answer.CipherSuite,
			secret:    bytes.Clone(r.Master),
			ems:       true,
			created:   newClock().now,
			issued:    newClock().now,
			lifetime:  time.Hour,
			peerChain: flightOf(t, *r.First).chain,
		}})
	}
	return all
}

// A cached session is found by our own means, a ticket of OpenSSL is opened for us; from
// there on our server writes every byte of the recorded one.
func TestReplayResumedServer(t *testing.T) {
	for _, r := range resumedRecordings(t) {
		t.Run(r.Name, func(t *testing.T) {
			cert, err := ParseKeyPair(r.ServerCert, r.ServerKey)
			if err != nil {
				t.Fatal(err)
			}
			config := &Config{
				Certificates: []Certificate{cert},
				CipherSuites: []uint16{r.serverHello.CipherSuite},
				Rand:         bytes.NewReader(r.serverHello.Random[:]),
				Time:         newClock().time,
			}
			r.session.peerChain = nil // of the client
			find := func(hs *serverHandshake) error { return hs.resume(r.session) }
			if strings.HasSuffix(r.Name, "-id") {
				data, err := r.session.marshal()
				if err != nil {
					t.Fatal(err)
				}
				config.SessionCache = NewSessionCache(1)
				config.SessionCache.Put([sessionIDSize]byte(r.clientHello.SessionID), CachedSession{State: data})
				find = (*serverHandshake).findSession
			}
			client, server := protectorsOf(t, r.Recording)
			wire := newScript(r.FromClient)
			hs := newServerHandshake(Server(wire, config))
			err = inOrder(hs.readClientHello, hs.chooseParameters, func() error { return find(hs) },
				hs.prepareFlight, hs.resumeKeys, hs.sendServerHello, hs.sendServerFinished,
				hs.readClientFinished, hs.recognizeClient, hs.judgeClient)
			if err != nil {
				t.Fatal(err)
			}
			establish(hs.Conn)
			got, err := io.ReadAll(hs.Conn)
			if want := bytes.Join(dataOf(contents(t, client, r.FromClient)), nil); err != nil || !bytes.Equal(got, want) {
				t.Errorf("read %q, %v; want %q", got, err, want)
			}
			for _, data := range dataOf(contents(t, server, r.FromServer)) {
				if _, err := hs.Write(data); err != nil {
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

// Our client, with the recorded ClientHello, understands every byte of the server and
// writes those of the recorded client.
func TestReplayResumedClient(t *testing.T) {
	for _, r := range resumedRecordings(t) {
		t.Run(r.Name, func(t *testing.T) {
			client, server := protectorsOf(t, r.Recording)
			wire := newScript(r.FromServer)
			hs := newClientHandshake(Client(wire, &Config{InsecureSkipVerify: true, CipherSuites: []uint16{r.serverHello.CipherSuite}}))
			choose := func() error {
				hs.hello, hs.clientRandom = r.clientHello, r.clientHello.Random
				hs.offered = &ClientSession{session: r.session, ticket: r.clientHello.Known.Ticket}
				return nil
			}
			acceptSCSV := func() error {
				addExtension(hs.hello, message.RenegotiationInfo())
				return nil
			}
			err := inOrder(hs.prepareHello, choose, hs.sendHello, acceptSCSV, hs.readServerHello)
			if err == nil && hs.resumed == nil {
				t.Fatal("not resumed")
			}
			if err == nil {
				err = hs.runResumed()
			}
			if err != nil {
				t.Fatal(err)
			}
			establish(hs.Conn)
			if state := hs.state; !state.Resumed || len(state.PeerCertificates) == 0 || !state.ExtendedMasterSecret {
				t.Errorf("%+v", state)
			}
			for _, data := range dataOf(contents(t, client, r.FromClient)) {
				if _, err := hs.Write(data); err != nil {
					t.Fatal(err)
				}
			}
			got, err := io.ReadAll(hs.Conn)
			if want := bytes.Join(dataOf(contents(t, server, r.FromServer)), nil); err != nil || !bytes.Equal(got, want) {
				t.Errorf("read %d bytes, %v; want %d", len(got), err, len(want))
			}
			if err := hs.Close(); err != nil {
				t.Fatal(err)
			}
			want := bytes.Clone(r.FromClient)
			want[2] = 3 // OpenSSL writes 0301 into the record of a ClientHello
			compare(t, wire.out.Bytes(), want)
		})
	}
}

// The full handshakes from which these sessions come replay as well: with a session id
// in ServerHello, or with NewSessionTicket in the transcript.
func TestReplayFirstConnections(t *testing.T) {
	for _, r := range resumedRecordings(t) {
		hs, wire, err := replayServer(t, *r.First, r.First.FromClient, nil)
		if err != nil {
			t.Fatalf("%s: %v", r.Name, err)
		}
		if hs.master != nil && !bytes.Equal(hs.master, r.Master) {
			t.Errorf("%s: master secret %x", r.Name, hs.master)
		}
		handshake := recording.Records(t, wire.out.Bytes())
		for i, want := range recording.Records(t, r.First.FromServer)[:len(handshake)] {
			if !bytes.Equal(handshake[i].Raw, want.Raw) {
				t.Errorf("%s: record %d is\n%x\nwant\n%x", r.Name, i, handshake[i].Raw, want.Raw)
			}
		}
	}
}
