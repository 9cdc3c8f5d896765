package gosttls

import (
	"errors"
	"slices"
	"testing"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/wire"
)

// Each version is spoken with each, the highest one first.
func TestVersions(t *testing.T) {
	both, old, current := &Config{}, &Config{MaxVersion: VersionTLS12}, &Config{MinVersion: VersionTLS13}
	for _, test := range []struct {
		client, server *Config
		version, suite uint16
	}{
		{both, both, VersionTLS13, KuznyechikMGMS},
		{both, old, VersionTLS12, KuznyechikCTROMAC},
		{both, current, VersionTLS13, KuznyechikMGMS},
		{old, both, VersionTLS12, KuznyechikCTROMAC},
		{current, both, VersionTLS13, KuznyechikMGMS},
		{both, &Config{CipherSuites: []uint16{CNTIMIT, MagmaMGML, MagmaMGMS}}, VersionTLS13, MagmaMGML},
		{&Config{CipherSuites: []uint16{MagmaCTROMAC}}, both, VersionTLS12, MagmaCTROMAC},
		{&Config{CipherSuites: []uint16{MagmaCTROMAC, MagmaMGMS}}, both, VersionTLS13, MagmaMGMS},
		{old, current, 0, 0},
		{current, old, 0, 0},
		{&Config{CipherSuites: []uint16{MagmaMGML}}, &Config{CipherSuites: []uint16{MagmaMGMS}}, 0, 0},
	} {
		c, s := *test.client, *test.server
		c.InsecureSkipVerify, s.Certificates = true, []Certificate{testCert(t, cryptoProA)}
		a, b := tcpPair(t)
		client, server := Client(a, &c), Server(b, &s)
		clientErr, serverErr := shake(client, server)
		if test.version == 0 {
			if refusal, ok := errors.AsType[*ProtocolError](serverErr); !ok || !isRemote(clientErr, refusal.Alert) {
				t.Errorf("client %v, server %v", clientErr, serverErr)
			}
			continue
		}
		if clientErr != nil || serverErr != nil {
			t.Errorf("client %v, server %v", clientErr, serverErr)
			continue
		}
		for _, state := range []ConnectionState{client.ConnectionState(), server.ConnectionState()} {
			if state.Version != test.version || state.CipherSuite != test.suite {
				t.Errorf("version %#04x, suite %#04x, want %#04x, %#04x", state.Version, state.CipherSuite, test.version, test.suite)
			}
		}
		exchange(t, client, server)
	}
}

// answerTo returns what a server with the default suites answers to a hello, nil if it
// is an alert.
func answerTo(t testing.TB, config *Config, hello *message.ClientHello) *message.ServerHello {
	t.Helper()
	var out []byte
	rec := append([]byte{22, 3, 1}, byte(len(hello.Marshal())>>8), byte(len(hello.Marshal())))
	conn := newScript(append(rec, hello.Marshal()...))
	_ = Server(conn, config).Handshake() // ends with the script
	out = conn.out.Bytes()
	if out[0] != byte(wire.TypeHandshake) {
		return nil
	}
	size := int(out[record.HeaderSize+2])<<8 | int(out[record.HeaderSize+3])
	answer, err := message.ParseServerHello(out[record.HeaderSize+message.HeaderSize:][:size])
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// A server of TLS 1.3 that speaks TLS 1.2 marks its random, whoever the client is: what
// a client offers may have been taken away. The one exception is a client that offers
// TLS 1.3 and GOST only for TLS 1.2.
func TestDowngradeMark(t *testing.T) {
	gost12 := []uint16{KuznyechikCTROMAC, MagmaCTROMAC, CNTIMIT, LegacyCNTIMIT}
	chromium := append([]uint16{0x1301, 0x1302, 0x1303, 0xc02b}, gost12...)
	with13, v12, v11 := []uint16{VersionTLS13, VersionTLS12}, []uint16{VersionTLS12}, []uint16{VersionTLS11, VersionTLS10}
	server13, server12 := &Config{}, &Config{MaxVersion: VersionTLS12}
	server10 := &Config{MinVersion: VersionTLS10, CipherSuites: append(slices.Clone(suites13), gost12...)}
	for name, test := range map[string]struct {
		server   *Config
		versions []uint16 // nil: no supported_versions
		suites   []uint16
		version  uint16
		mark     message.Sentinel
	}{
		"probe of Chromium-Gost":                {server13, with13, chromium, VersionTLS12, message.Sentinel{}},
		"probe, server without TLS 1.3":         {server12, with13, chromium, VersionTLS12, message.Sentinel{}},
		"client of TLS 1.2":                     {server13, nil, gost12, VersionTLS12, message.DowngradeTo12},
		"TLS 1.3 taken out of the versions":     {server13, v12, append(slices.Clone(suites13), gost12...), VersionTLS12, message.DowngradeTo12},
		"versions taken away":                   {server13, nil, append(slices.Clone(suites13), gost12...), VersionTLS12, message.DowngradeTo12},
		"suites of TLS 1.3 that are not served": {&Config{CipherSuites: []uint16{MagmaMGML, MagmaCTROMAC}}, with13, []uint16{KuznyechikMGMS, MagmaCTROMAC}, VersionTLS12, message.DowngradeTo12},
		"nobody speaks TLS 1.3":                 {server12, nil, gost12, VersionTLS12, message.Sentinel{}},
		"TLS 1.1":                               {server10, v11, gost12, VersionTLS11, message.DowngradeTo11},
		"TLS 1.1 of a client of TLS 1.3":        {server10, []uint16{VersionTLS13, VersionTLS11}, gost12, VersionTLS11, message.DowngradeTo11},
	} {
		t.Run(name, func(t *testing.T) {
			config := *test.server
			config.Certificates = []Certificate{testCert(t, cryptoProA)}
			hello := &message.ClientHello{
				Version: VersionTLS12, CipherSuites: test.suites, Compressions: []byte{0},
				Extensions: []message.Extension{message.RenegotiationInfo()},
			}
			if test.versions != nil {
				hello.Set(message.SupportedVersions(test.versions))
			}
			answer := answerTo(t, &config, hello)
			if answer == nil || answer.Version != test.version {
				t.Fatalf("answer %v", answer)
			}
			marked := message.DowngradeMarked(answer.Random)
			if marked != (test.mark != message.Sentinel{}) {
				t.Errorf("random %x", answer.Random)
			}
			if mark := message.Sentinel(answer.Random[24:]); marked && mark != test.mark {
				t.Errorf("mark %q, want %q", mark, test.mark)
			}
		})
	}
}

// A client that offered TLS 1.3 leaves when the random says that the server could have
// spoken it; a client that did not offer it does not look.
func TestDowngradeNoticed(t *testing.T) {
	server := &Config{Certificates: []Certificate{testCert(t, cryptoProA)}, MaxVersion: VersionTLS13}
	for mark, refused := range map[message.Sentinel]bool{
		message.DowngradeTo12: true, message.DowngradeTo11: true, {'D', 'O', 'W', 'N', 'G', 'R', 'D', 2}: false, {}: false,
	} {
		for _, last := range []uint16{VersionTLS13, VersionTLS12} {
			client := &Config{InsecureSkipVerify: true, MinVersion: VersionTLS12, MaxVersion: last}
			c, s := attackClient(t, client, server, func(hs *serverHandshake) []step {
				return before(honestServer(hs), atFlight, func() error {
					message.MarkDowngrade(&hs.serverRandom, mark)
					hs.hello.Random = hs.serverRandom
					return nil
				})
			})
			if refused && last == VersionTLS13 {
				wantRefusal(t, wire.AlertIllegalParameter, c, s)
			} else if c != nil || s != nil {
				t.Errorf("%q, up to %#04x: client %v, server %v", mark, last, c, s)
			}
		}
	}
}

// What somebody in between can take out of a hello in order to have TLS 1.2, ends the
// handshake, whoever notices it first.
func TestDowngradeByHello(t *testing.T) {
	client := &Config{InsecureSkipVerify: true, MaxVersion: VersionTLS13}
	server := &Config{Certificates: []Certificate{testCert(t, cryptoProA)}, MaxVersion: VersionTLS13}
	for name, change := range map[string]func(h *message.ClientHello){
		"versions": func(h *message.ClientHello) { remove(h, message.ExtSupportedVersions) },
		"TLS 1.3":  func(h *message.ClientHello) { h.Set(message.SupportedVersions([]uint16{VersionTLS12})) },
		"suites": func(h *message.ClientHello) {
			h.CipherSuites = slices.DeleteFunc(slices.Clone(h.CipherSuites), func(id uint16) bool { return slices.Contains(suites13, id) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, s := connPair(t, client, server)
			done := make(chan error, 1)
			go func() { done <- s.Handshake() }()
			hs := newClientHandshake(c)
			err := inOrder(hs.prepareHello, hs.offer13, func() error {
				// The client remembers its own hello, the server reads another.
				changed := *hs.hello
				changed.Extensions = slices.Clone(changed.Extensions)
				change(&changed)
				raw := hs.hello.Marshal()
				hs.transcript.add(raw)
				return errors.Join(hs.out.Queue(wire.TypeHandshake, changed.Marshal()), hs.out.Flush())
			}, hs.readServerHello, hs.readServerCertificate, hs.readRequestAndDone, hs.judgeServer,
				hs.sendCertificate, hs.sendClientKeyExchange, hs.sendCertificateVerify, hs.sendClientFinished, hs.readServerFinished)
			_ = c.giveUp(err)
			if serverErr := <-done; err == nil || serverErr == nil {
				t.Errorf("client %v, server %v", err, serverErr)
			}
		})
	}
}

// The probe of Chromium-Gost is known in TLS 1.3 as well, where the alert may come in
// clear or under the keys of the handshake.
func TestProbe13(t *testing.T) {
	client, server := configs13(t, cryptoProA, cryptoProA)
	probe := wire.Refuse(wire.AlertIllegalParameter, "only looking")
	for at := 1; at < atCertificate13; at++ {
		_, err := attackServer13(t, client, server, nil, func(hs *clientHandshake13) []step {
			return append(honest13(hs)[:at:at], func() error { return probe })
		})
		if !errors.Is(err, ErrGOSTProbe) || !isRemote(err, wire.AlertIllegalParameter) {
			t.Errorf("after step %d: %v", at, err)
		}
	}
	_, err := attackServer13(t, client, server, nil, func(hs *clientHandshake13) []step {
		return append(honest13(hs)[:1:1], func() error { return wire.Refuse(wire.AlertHandshakeFailure, "no") })
	})
	if errors.Is(err, ErrGOSTProbe) || !isRemote(err, wire.AlertHandshakeFailure) {
		t.Errorf("another alert: %v", err)
	}
}

// The server takes GOST for what it is before it looks at the version, and only what it
// can serve.
func TestServes(t *testing.T) {
	config := &Config{Certificates: []Certificate{testCert(t, cryptoProA)}}
	all := []uint16{KuznyechikMGMS, KuznyechikCTROMAC}
	for name, test := range map[string]struct {
		suites, versions, groups, schemes []uint16
		want                              bool
	}{
		"GOST of TLS 1.3":         {all, []uint16{VersionTLS13}, []uint16{34}, []uint16{0x070a}, true},
		"GOST of TLS 1.2 only":    {[]uint16{0x1301, KuznyechikCTROMAC}, []uint16{VersionTLS13, VersionTLS12}, []uint16{29}, nil, true},
		"no TLS 1.2 for GOST":     {[]uint16{0x1301, KuznyechikCTROMAC}, []uint16{VersionTLS13}, []uint16{29}, nil, false},
		"no curve in common":      {all, []uint16{VersionTLS13}, []uint16{29}, []uint16{0x070a}, false},
		"no scheme in common":     {all, []uint16{VersionTLS13}, []uint16{34}, []uint16{0x0709}, false},
		"no GOST":                 {[]uint16{0x1301}, []uint16{VersionTLS13}, []uint16{34}, []uint16{0x070a}, false},
		"TLS 1.3 without version": {[]uint16{KuznyechikMGMS}, nil, []uint16{34}, []uint16{0x070a}, false},
	} {
		hello := &message.ClientHello{Version: VersionTLS12, CipherSuites: test.suites}
		hello.Known = message.Known{Versions: test.versions, Groups: test.groups, Schemes: test.schemes}
		if got := config.serves(hello); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
