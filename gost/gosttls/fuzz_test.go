package gosttls

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"testing"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/recording"
	"propusk/gost/gosttls/internal/wire"
)

// endsProperly checks how a handshake with nonsense ended: with an error of a kind
// that the documentation names, and with an alert if this side refused.
func endsProperly(t *testing.T, c *Conn, err error, out []byte) {
	t.Helper()
	if err == nil {
		t.Fatal("handshake with arbitrary bytes succeeded")
	}
	_, isRemote := errors.AsType[*RemoteError](err)
	refusal, isRefusal := errors.AsType[*ProtocolError](err)
	if !isRemote && !isRefusal && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("error %v", err)
	}
	if isRefusal {
		if refusal.Alert == wire.AlertInternalError {
			t.Fatalf("internal error by input: %v", err)
		}
		if c.out.Protect != nil {
			return // the alert is encrypted
		}
		version := cmp.Or(c.out.Version, VersionTLS12)
		tail := []byte{byte(wire.TypeAlert), byte(version >> 8), byte(version), 0, 2, wire.LevelFatal, byte(refusal.Alert)}
		if len(out) < len(tail) || string(out[len(out)-len(tail):]) != string(tail) {
			t.Fatalf("%v, but the last bytes are %x", err, out[max(0, len(out)-len(tail)):])
		}
	}
}

// FuzzServerConn feeds arbitrary bytes to a server.
func FuzzServerConn(f *testing.F) {
	for _, r := range recording.LoadAll(f, "testdata") {
		if len(r.FromClient) < 4096 {
			f.Add(r.FromClient)
		}
	}
	cert := testCert(f, cryptoProA)
	f.Fuzz(func(t *testing.T, in []byte) {
		wire := newScript(in)
		c := Server(wire, &Config{
			Certificates: []Certificate{cert},
			ClientAuth:   RequestClientCert,
			MinVersion:   VersionTLS10,
			CipherSuites: slices.Concat(suites13, suites12),
		})
		endsProperly(t, c, c.Handshake(), wire.out.Bytes())
	})
}

// FuzzClientConn feeds arbitrary bytes to a client.
func FuzzClientConn(f *testing.F) {
	for _, r := range recording.LoadAll(f, "testdata") {
		if len(r.FromServer) < 8192 {
			f.Add(r.FromServer)
		}
	}
	cert := testCert(f, cryptoProA)
	f.Fuzz(func(t *testing.T, in []byte) {
		wire := newScript(in)
		c := Client(wire, &Config{
			Certificates:       []Certificate{cert},
			InsecureSkipVerify: true,
			MinVersion:         VersionTLS10,
			CipherSuites:       slices.Concat(suites13, suites12),
		})
		endsProperly(t, c, c.Handshake(), wire.out.Bytes())
	})
}

// FuzzReplay feeds a server with recorded flights of clients in which bytes were
// replaced. Its randoms are those of the recording, so it gets as far as the client
// got, through the key exchange and the signature.
func FuzzReplay(f *testing.F) {
	all := recording.LoadAll(f, "testdata")
	all = slices.DeleteFunc(all, func(r recording.Recording) bool { return len(r.FromClient) > 4096 })
	for i, r := range all {
		f.Add(uint8(i), uint16(0), uint16(0), []byte(nil))
		f.Add(uint8(i), uint16(len(r.FromClient)/2), uint16(2), []byte{0xff, 0xff})
	}
	f.Fuzz(func(t *testing.T, which uint8, at, cut uint16, put []byte) {
		r := all[int(which)%len(all)]
		start := int(at) % len(r.FromClient)
		end := min(start+int(cut), len(r.FromClient))
		flight := slices.Concat(r.FromClient[:start], put, r.FromClient[end:])
		hs, wire, err := replayServer(t, r, flight, nil)
		if err == nil {
			// Warnings, and the borders of records in clear, are covered by
			// nothing; the messages are, by Finished.
			if hs.unusable || !slices.EqualFunc(hs.state.PeerCertificates, hs.clientChain, bytes.Equal) {
				t.Fatalf("handshake with %x succeeded", flight)
			}
			_, _ = io.ReadAll(hs.Conn) // must not panic
			return
		}
		endsProperly(t, hs.Conn, hs.giveUp(err), wire.out.Bytes())
	})
}

// FuzzKeyExchange feeds arbitrary bytes to the server's side of both key exchanges,
// which the other targets hardly reach.
func FuzzKeyExchange(f *testing.F) {
	for _, r := range recording.LoadAll(f, "testdata") {
		for _, raw := range recording.Messages(f, r.FromClient) {
			if message.Type(raw[0]) == message.TypeClientKeyExchange {
				f.Add(raw[message.HeaderSize:])
			}
		}
	}
	var certs []Certificate
	for _, p := range []paramSet{cryptoProA, tc26256A} {
		certs = append(certs, testCert(f, p))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, cert := range certs {
			for _, suite := range []uint16{MagmaCTROMAC, CNTIMIT} {
				key := &spy{agreeing: cert.PrivateKey.(agreeing)}
				s := secretsOf(t, suite)
				premaster, genuine, err := s.importPremaster(zeroReader{}, key, body)
				if genuine != 0 || key.agreements.Load() != 1 {
					t.Fatalf("%#x: %x: genuine %d, %d agreements", suite, body, genuine, key.agreements.Load())
				}
				if s.suite.KeyExchange == record.KeyExchangeKExp28147 {
					if err != nil || !bytes.Equal(premaster, make([]byte, premasterSize)) {
						t.Fatalf("%#x: %x: %x, %v", suite, body, premaster, err)
					}
				} else if !errors.Is(err, errKeyExchange) || premaster != nil {
					t.Fatalf("%#x: %x: %x, %v", suite, body, premaster, err)
				}
			}
		}
	})
}

// zeroReader is a source of randomness whose values are known.
type zeroReader struct{}

func (zeroReader) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// FuzzPeek feeds arbitrary bytes to the part of a listener that chooses.
func FuzzPeek(f *testing.F) {
	for _, r := range recording.LoadAll(f, "testdata") {
		f.Add(r.FromClient[:min(len(r.FromClient), 400)])
	}
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		wire := newScript(in)
		c, err := peek(wire)
		if err != nil {
			if c.hello != nil || c.facts.Offered != nil || c.facts.ServerName != "" {
				t.Fatalf("%x: %v, and facts", in, err)
			}
			if !errors.Is(err, ErrNotTLS) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("%x: %v", in, err)
			}
			return
		}
		if len(c.ahead) > maxPeek+8192 {
			t.Fatalf("%d bytes read ahead", len(c.ahead))
		}
		back, err := io.ReadAll(c)
		if err != nil || string(back) != string(in) {
			t.Fatalf("%x comes back as %x, %v", in, back, err)
		}
	})
}
