package gosttls

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/wire"
)

// old returns configurations of both sides for a version and a suite.
func old(t testing.TB, version, suite uint16, server, client paramSet) (clientConfig, serverConfig *Config) {
	t.Helper()
	clientConfig, serverConfig = mutual(t, server, client)
	for _, c := range []*Config{clientConfig, serverConfig} {
		c.MinVersion, c.MaxVersion, c.CipherSuites = version, version, []uint16{suite}
	}
	return clientConfig, serverConfig
}

// combinations are all versions before TLS 1.3 with all their suites.
func combinations(f func(version, suite uint16)) {
	for _, version := range []uint16{VersionTLS10, VersionTLS11, VersionTLS12} {
		for _, id := range suites12 {
			if suite, ok := record.SuiteByID(id); ok && fits(suite, version) {
				f(version, id)
			}
		}
	}
}

func TestOldVersions(t *testing.T) {
	tried := 0
	combinations(func(version, suite uint16) {
		tried++
		for _, set := range []paramSet{cryptoProA, tc26256A, tc26512A, tc26512C} {
			clientConfig, serverConfig := old(t, version, suite, set, set)
			client, server := connected(t, clientConfig, serverConfig)
			for _, s := range []ConnectionState{client.ConnectionState(), server.ConnectionState()} {
				if s.Version != version || s.CipherSuite != suite || !s.ExtendedMasterSecret || len(s.PeerCertificates) != 1 {
					t.Errorf("%#04x, %#04x: %+v", version, suite, s)
				}
			}
			if scheme := server.ConnectionState().SignatureScheme; (scheme == 0) != (version < VersionTLS12) {
				t.Errorf("%#04x: scheme %#04x", version, scheme)
			}
			exchange(t, client, server)
		}
	})
	if tried != 8 {
		t.Errorf("%d combinations", tried)
	}
}

// What both sides may say, and what comes of it, worked out in another way: by the list
// of what each side speaks.
func TestVersionAndSuite(t *testing.T) {
	type pair struct{ version, suite uint16 }
	spoken := func(c *Config) (pairs []pair) { // best first
		for version := VersionTLS12; version >= VersionTLS10; version-- {
			for _, suite := range c.CipherSuites {
				if version >= c.MinVersion && version <= c.MaxVersion && (version == VersionTLS12 || suite == CNTIMIT || suite == LegacyCNTIMIT) {
					pairs = append(pairs, pair{version, suite})
				}
			}
		}
		return pairs
	}
	tried := 0
	for server := range configurations {
		for client := range configurations {
			hello := &message.ClientHello{Compressions: []byte{0}}
			hello.Version, hello.CipherSuites = client.offer12()
			if hello.Version == 0 || len(spoken(server)) == 0 {
				continue // refused by Config.check
			}
			tried++
			// A hello of old offers all versions from TLS 1.0 on, and says only
			// the last: the server may take one that the client then refuses.
			offer := *client
			offer.MinVersion = VersionTLS10
			offered := spoken(&offer)
			var want pair
			for _, p := range spoken(server) {
				if p.version <= hello.Version && slices.Contains(offered, p) {
					want = p
					break
				}
			}
			version, suite, err := server.chooseSuite(hello)
			switch {
			case want == pair{}:
				if _, ok := errors.AsType[*ProtocolError](err); !ok || suite != nil || version != 0 {
					t.Errorf("server %+v, client %+v: %#04x, %v, %v", spoken(server), spoken(client), version, suite, err)
				}
			case err != nil || version != want.version || suite.ID != want.suite:
				t.Errorf("server %+v, client %+v: %#04x, %v, %v, want %v", spoken(server), spoken(client), version, suite, err, want)
			}
		}
	}
	if tried < 5_000 {
		t.Errorf("%d combinations", tried)
	}
}

// configurations yields one for every range of versions and every set of suites.
func configurations(yield func(*Config) bool) {
	certificates := []Certificate{{PrivateKey: new(gost3410.PrivateKey)}}
	for first := VersionTLS10; first <= VersionTLS12; first++ {
		for last := first; last <= VersionTLS12; last++ {
			for set := 1; set < 1<<len(suites12); set++ {
				c := &Config{MinVersion: first, MaxVersion: last, Certificates: certificates}
				for i := range suites12 {
					if j := (i + set) % len(suites12); set>>j&1 == 1 { // in various orders
						c.CipherSuites = append(c.CipherSuites, suites12[j])
					}
				}
				if !yield(c) {
					return
				}
			}
		}
	}
}

// The old number of the suite and the old versions are spoken only where the
// configuration says so in as many words.
func TestOldIsOff(t *testing.T) {
	cert := []Certificate{testCert(t, cryptoProA)}
	all := slices.Concat(suites12, []uint16{0x0081})
	for name, test := range map[string]struct {
		server  Config
		version uint16
		suites  []uint16
		alert   Alert
	}{
		"old number, nothing said":       {Config{}, VersionTLS12, []uint16{LegacyCNTIMIT}, wire.AlertHandshakeFailure},
		"old number, TLS 1.0 allowed":    {Config{MinVersion: VersionTLS10}, VersionTLS10, []uint16{LegacyCNTIMIT}, wire.AlertHandshakeFailure},
		"TLS 1.1, nothing said":          {Config{}, VersionTLS11, all, wire.AlertProtocolVersion},
		"TLS 1.0, nothing said":          {Config{}, VersionTLS10, all, wire.AlertProtocolVersion},
		"TLS 1.0, old number allowed":    {Config{CipherSuites: suites12}, VersionTLS10, all, wire.AlertProtocolVersion},
		"TLS 1.0, TLS 1.1 allowed":       {Config{MinVersion: VersionTLS11, CipherSuites: suites12}, VersionTLS10, all, wire.AlertProtocolVersion},
		"TLS 1.0 without suites for it":  {Config{MinVersion: VersionTLS10, CipherSuites: suites12[:2]}, VersionTLS10, all, wire.AlertProtocolVersion},
		"CTR_OMAC in TLS 1.1":            {Config{MinVersion: VersionTLS10, CipherSuites: suites12}, VersionTLS11, suites12[:2], wire.AlertHandshakeFailure},
		"TLS 1.2, only the old versions": {Config{MinVersion: VersionTLS10, MaxVersion: VersionTLS11, CipherSuites: suites12}, VersionTLS10, suites12[:2], wire.AlertHandshakeFailure},
		"GOST 2001":                      {Config{MinVersion: VersionTLS10, CipherSuites: suites12}, VersionTLS12, []uint16{0x0081}, wire.AlertHandshakeFailure},
		"SSL 3":                          {Config{MinVersion: VersionTLS10, CipherSuites: suites12}, 0x0300, all, wire.AlertProtocolVersion},
	} {
		test.server.Certificates = cert
		c, s := attackServer(t, nil, &test.server, helloWith(func(h *message.ClientHello) { h.Version, h.CipherSuites = test.version, test.suites }))
		if refusal, ok := errors.AsType[*ProtocolError](s); !ok || refusal.Alert != test.alert || !isRemote(c, test.alert) {
			t.Errorf("%s: client %v, server %v; want %v", name, c, s, test.alert)
		}
	}
	// A client does not offer it, and does not take it.
	hs := newClientHandshake(Client(nil, &Config{InsecureSkipVerify: true, MaxVersion: VersionTLS12}))
	if err := hs.prepareHello(); err != nil || hs.hello.Version != VersionTLS12 || !slices.Equal(hs.hello.CipherSuites, suites12[:3]) {
		t.Errorf("client offers %#04x, %#04x, %v", hs.hello.Version, hs.hello.CipherSuites, err)
	}
	for _, e := range hs.hello.Extensions {
		if e.Type == message.ExtSignatureAlgorithms && !bytes.Equal(e.Data, []byte{0, 4, 8, 64, 8, 65}) {
			t.Errorf("schemes %x", e.Data)
		}
	}
	for _, bad := range []struct{ version, suite uint16 }{
		{VersionTLS12, LegacyCNTIMIT}, {VersionTLS11, CNTIMIT}, {VersionTLS10, CNTIMIT}, {0x0300, CNTIMIT}, {VersionTLS13, CNTIMIT},
	} {
		c, _ := attackClient(t, nil, nil, func(hs *serverHandshake) []step {
			return before(honestServer(hs), atFlight, func() error { hs.hello.Version, hs.hello.CipherSuite = bad.version, bad.suite; return nil })
		})
		if _, ok := errors.AsType[*ProtocolError](c); !ok {
			t.Errorf("server chose %+v: client %v", bad, c)
		}
	}
	// Nor a suite in a version that it does not belong to.
	client := &Config{InsecureSkipVerify: true, MinVersion: VersionTLS10, MaxVersion: VersionTLS12, CipherSuites: suites12}
	c, s := attackClient(t, client, nil, func(hs *serverHandshake) []step {
		return before(honestServer(hs), atFlight, func() error { hs.hello.Version, hs.hello.CipherSuite = VersionTLS11, MagmaCTROMAC; return nil })
	})
	wantRefusal(t, wire.AlertIllegalParameter, c, s)
}

// Somebody who makes a client and a server that speak TLS 1.2 speak TLS 1.1 is noticed
// by the mark in the server's random.
func TestDowngradeToOldVersion(t *testing.T) {
	client := &Config{InsecureSkipVerify: true, MinVersion: VersionTLS10, MaxVersion: VersionTLS12, CipherSuites: []uint16{CNTIMIT}}
	server := &Config{Certificates: []Certificate{testCert(t, cryptoProA)}, MinVersion: VersionTLS10, MaxVersion: VersionTLS12, CipherSuites: []uint16{CNTIMIT}}
	for _, version := range []uint16{VersionTLS10, VersionTLS11} {
		c, s := attackServer(t, client, server, func(hs *clientHandshake) []step {
			return []step{hs.prepareHello, func() error {
				hs.hello.Version = version
				err := hs.sendHello()
				hs.hello.Version = VersionTLS12
				return err
			}, func() error { return hs.giveUp(hs.readServerHello()) }}
		})
		wantRefusal(t, wire.AlertIllegalParameter, c, s)
		// A client that wants no more has no reason to leave.
		modest := *client
		modest.MaxVersion = version
		connected(t, &modest, server)
	}
}

// RFC 7507: a client that was made to try less than it can says so.
func TestFallback(t *testing.T) {
	cert := []Certificate{testCert(t, cryptoProA)}
	for _, test := range []struct {
		last, version uint16 // of the server, of the hello
		ok            bool
	}{
		{VersionTLS12, VersionTLS12, true},
		{VersionTLS12, VersionTLS11, false},
		{VersionTLS12, VersionTLS10, false},
		{VersionTLS11, VersionTLS11, true},
		{VersionTLS11, VersionTLS10, false},
		{VersionTLS10, VersionTLS10, true},
		{VersionTLS13, VersionTLS12, false},
	} {
		server := &Config{Certificates: cert, MinVersion: VersionTLS10, MaxVersion: test.last, CipherSuites: slices.Concat(suites12, suites13)}
		client := &Config{InsecureSkipVerify: true, MinVersion: VersionTLS10, MaxVersion: test.version, CipherSuites: suites12}
		c, s := attackServer(t, client, server, helloWith(func(h *message.ClientHello) { h.CipherSuites = append(slices.Clone(h.CipherSuites), scsvFallback) }))
		if test.ok {
			if c != nil || s != nil {
				t.Errorf("%+v: client %v, server %v", test, c, s)
			}
			continue
		}
		wantRefusal(t, wire.AlertInappropriateFallback, s, c)
	}
}

// The numbers that were in use before there was a standard go with the old number of
// the suite, and with nothing else (RFC 9189, Sections 4.2.3 and 10).
func TestCertificateRequest(t *testing.T) {
	standard, schemes := []byte{67, 68}, []uint16{0x0840, 0x0841}
	legacy, legacySchemes := []byte{67, 68, 238, 239, 22}, []uint16{0x0840, 0x0841, 0xeeee, 0xefef}
	combinations(func(version, suite uint16) {
		clientConfig, serverConfig := old(t, version, suite, cryptoProA, cryptoProA)
		var request *message.CertificateRequest
		c, s := attackServer(t, clientConfig, serverConfig, func(hs *clientHandshake) []step {
			return before(honest(hs), atCertificate, func() error { request = hs.request; return nil })
		})
		if c != nil || s != nil {
			t.Fatalf("%#04x, %#04x: client %v, server %v", version, suite, c, s)
		}
		wantTypes, wantSchemes := standard, schemes
		if suite == LegacyCNTIMIT {
			wantTypes, wantSchemes = legacy, legacySchemes
		}
		if version < VersionTLS12 {
			wantSchemes = nil
		}
		if !bytes.Equal(request.Types, wantTypes) || !slices.Equal(request.Schemes, wantSchemes) || len(request.Authorities) != 0 {
			t.Errorf("%#04x, %#04x: %+v", version, suite, request)
		}
	})
}

// A client takes what fits out of the lists of old servers, and with the suites of old
// the numbers of old.
func TestClientChoosesByOldNumbers(t *testing.T) {
	certs := []Certificate{testCert(t, tc26512A), testCert(t, cryptoProA)}
	for name, test := range map[string]struct {
		version, suite uint16
		types          []byte
		schemes        []uint16
		want           int // -1: none
		scheme         uint16
	}{
		"CTR_OMAC, old types":         {VersionTLS12, MagmaCTROMAC, []byte{238, 239}, []uint16{0x0840, 0x0841}, -1, 0},
		"CTR_OMAC, old schemes":       {VersionTLS12, MagmaCTROMAC, []byte{67, 68}, []uint16{0xeeee, 0xefef}, -1, 0},
		"old types":                   {VersionTLS12, LegacyCNTIMIT, []byte{238, 239}, []uint16{0x0840, 0x0841}, 0, 0x0841},
		"old schemes":                 {VersionTLS12, LegacyCNTIMIT, []byte{67, 68}, []uint16{0xeeee, 0xefef}, 0, 0xefef},
		"old everything, 256 bits":    {VersionTLS12, LegacyCNTIMIT, []byte{22, 238}, []uint16{0xeded, 0xeeee}, 1, 0xeeee},
		"the standard before the old": {VersionTLS12, CNTIMIT, []byte{238, 67}, []uint16{0xeeee, 0x0840}, 1, 0x0840},
		"type of 2001 only":           {VersionTLS12, LegacyCNTIMIT, []byte{22}, []uint16{0xeded}, -1, 0},
		"type without scheme":         {VersionTLS12, CNTIMIT, []byte{67, 68}, []uint16{0xeded}, -1, 0},
		"TLS 1.1":                     {VersionTLS11, LegacyCNTIMIT, []byte{67, 68}, nil, 0, 0},
		"TLS 1.0, old types":          {VersionTLS10, CNTIMIT, []byte{1, 238}, nil, 1, 0},
		"TLS 1.0, no type of ours":    {VersionTLS10, CNTIMIT, []byte{1, 2, 22}, nil, -1, 0},
	} {
		client, server := old(t, test.version, test.suite, cryptoProA, cryptoProA)
		client.Certificates, server.ClientAuth = certs, RequestClientCert
		c, s := connPair(t, client, server)
		done := make(chan error, 1)
		go func() { done <- c.Handshake() }()
		hs := newServerHandshake(s)
		err := inOrder(before(honestServer(hs), atFlight, func() error {
			hs.request = &message.CertificateRequest{Types: test.types, Schemes: test.schemes}
			return nil
		})...)
		if err := errors.Join(err, <-done); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		switch got := s.state.PeerCertificates; {
		case test.want < 0 && got != nil:
			t.Errorf("%s: presented a certificate", name)
		case test.want >= 0 && (len(got) != 1 || !bytes.Equal(got[0], certs[test.want].Chain[0])):
			t.Errorf("%s: did not present certificate %d", name, test.want)
		}
		if s.state.SignatureScheme != test.scheme {
			t.Errorf("%s: scheme %#04x, want %#04x", name, s.state.SignatureScheme, test.scheme)
		}
	}
}

// A server takes the schemes that it asked for, for keys of their size.
func TestSchemesOfSuites(t *testing.T) {
	for _, suite := range suites12 {
		for _, set := range []paramSet{cryptoProA, tc26512A} {
			for _, scheme := range []uint16{0x0840, 0x0841, 0xeeee, 0xefef, 0xeded, 0x0709, 0x070d} {
				client, server := old(t, VersionTLS12, suite, cryptoProA, set)
				c, s := verifyWith(t, client, server, func(m *message.CertificateVerify) { m.Scheme = scheme })
				right := map[string][]uint16{"gost2012_256": {0x0840}, "gost2012_512": {0x0841}}[set.alg]
				if suite == LegacyCNTIMIT {
					right = map[string][]uint16{"gost2012_256": {0x0840, 0xeeee}, "gost2012_512": {0x0841, 0xefef}}[set.alg]
				}
				if slices.Contains(right, scheme) {
					if c != nil || s != nil {
						t.Errorf("%#04x, %v, %#04x: client %v, server %v", suite, set, scheme, c, s)
					}
					continue
				}
				wantRefusal(t, wire.AlertIllegalParameter, s, c)
			}
		}
	}
}

// Before TLS 1.2 a signature may come with a length, as OpenSSL writes it, or bare, as
// others do. Nothing else has another form.
func TestCertificateVerifyOfOldVersions(t *testing.T) {
	for _, version := range []uint16{VersionTLS10, VersionTLS11} {
		for _, set := range []paramSet{cryptoProA, tc26512C} {
			for name, test := range map[string]struct {
				change func(m *message.CertificateVerify)
				alert  Alert
			}{
				"with a length":  {func(*message.CertificateVerify) {}, 0},
				"bare":           {func(m *message.CertificateVerify) { m.Bare = true }, 0},
				"with a scheme":  {func(m *message.CertificateVerify) { m.Scheme = 0x0840 }, wire.AlertDecodeError},
				"bare, cut":      {func(m *message.CertificateVerify) { m.Bare, m.Signature = true, m.Signature[1:] }, wire.AlertDecodeError},
				"bare, longer":   {func(m *message.CertificateVerify) { m.Bare, m.Signature = true, append(m.Signature, 0) }, wire.AlertDecodeError},
				"cut":            {func(m *message.CertificateVerify) { m.Signature = m.Signature[1:] }, wire.AlertDecryptError},
				"twice":          {func(m *message.CertificateVerify) { m.Signature = slices.Concat(m.Signature, m.Signature) }, wire.AlertDecryptError},
				"half":           {func(m *message.CertificateVerify) { m.Signature = m.Signature[:len(m.Signature)/2] }, wire.AlertDecryptError},
				"another":        {func(m *message.CertificateVerify) { m.Signature[0] ^= 1 }, wire.AlertDecryptError},
				"bare, another":  {func(m *message.CertificateVerify) { m.Bare = true; m.Signature[0] ^= 1 }, wire.AlertDecryptError},
				"bare, reversed": {func(m *message.CertificateVerify) { m.Bare = true; slices.Reverse(m.Signature) }, wire.AlertDecryptError},
				"bare, of the other size": {func(m *message.CertificateVerify) {
					m.Bare, m.Signature = true, make([]byte, 192-len(m.Signature))
				}, wire.AlertDecryptError},
			} {
				client, server := old(t, version, LegacyCNTIMIT, cryptoProA, set)
				c, s := verifyWith(t, client, server, test.change)
				if test.alert == 0 {
					if c != nil || s != nil {
						t.Errorf("%#04x, %v, %s: client %v, server %v", version, set, name, c, s)
					}
					continue
				}
				if refusal, ok := errors.AsType[*ProtocolError](s); !ok || refusal.Alert != test.alert || !isRemote(c, test.alert) {
					t.Errorf("%#04x, %v, %s: client %v, server %v; want %v", version, set, name, c, s, test.alert)
				}
			}
		}
	}
}

// A certificate without CertificateVerify, or with the one of another connection, is
// worth nothing with any suite in any version: quirk of servers that take the key of
// the certificate for the key exchange instead.
func TestCertificateVerifyEverywhere(t *testing.T) {
	combinations(func(version, suite uint16) {
		client, server := old(t, version, suite, cryptoProA, cryptoProA)
		c, s := attackServer(t, client, server, func(hs *clientHandshake) []step { return with(honest(hs), atVerify) })
		wantRefusal(t, wire.AlertUnexpectedMessage, s, c)

		var kept []byte
		c, s = verifyWith(t, client, server, func(m *message.CertificateVerify) { kept = bytes.Clone(m.Signature) })
		if c != nil || s != nil {
			t.Errorf("%#04x, %#04x: client %v, server %v", version, suite, c, s)
		}
		c, s = verifyWith(t, client, server, func(m *message.CertificateVerify) { m.Signature = kept })
		wantRefusal(t, wire.AlertDecryptError, s, c)
	})
}

// The first record that is not genuine is the last one, whatever follows: the code of
// CNT_IMIT has 32 bits, so nobody may try twice.
func TestFirstBadRecord(t *testing.T) {
	combinations(func(version, suite uint16) {
		for bit := range 9 * 8 { // one byte of data, and what protects it
			clientConfig, serverConfig := old(t, version, suite, tc26256A, tc26256A)
			client, server := connected(t, clientConfig, serverConfig)
			rec, err := client.out.Protect.Seal(nil, uint8(wire.TypeApplicationData), version, []byte("x"))
			if err != nil {
				t.Fatal(err)
			}
			if bit/8 >= len(rec)-record.HeaderSize {
				break
			}
			rec[record.HeaderSize+bit/8] ^= 1 << (bit % 8)
			good, err := client.out.Protect.Seal(nil, uint8(wire.TypeApplicationData), version, []byte("y"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.NetConn().Write(append(rec, good...)); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				n, err := server.Read(make([]byte, 10))
				if refusal, ok := errors.AsType[*ProtocolError](err); !ok || n != 0 || refusal.Alert != wire.AlertBadRecordMAC {
					t.Errorf("%#04x, %#04x, bit %d: %d bytes, %v", version, suite, bit, n, err)
				}
			}
			if _, err := io.ReadAll(client); !isRemote(err, wire.AlertBadRecordMAC) {
				t.Errorf("%#04x, %#04x, bit %d: client %v", version, suite, bit, err)
			}
		}
	})
}

// Records have the version of the connection, and no other one.
func TestRecordVersion(t *testing.T) {
	combinations(func(version, suite uint16) {
		for _, other := range []uint16{0x0300, VersionTLS10, VersionTLS11, VersionTLS12, VersionTLS13} {
			clientConfig, serverConfig := old(t, version, suite, tc26256A, tc26256A)
			client, server := connected(t, clientConfig, serverConfig)
			client.out.Version = other
			if _, err := client.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			_, err := server.Read(make([]byte, 1))
			if refusal, ok := errors.AsType[*ProtocolError](err); (other == version) != (err == nil) || err != nil && (!ok || refusal.Alert != wire.AlertProtocolVersion) {
				t.Errorf("%#04x, %#04x, record of %#04x: %v", version, suite, other, err)
			}
		}
	})
}

// Records without content are tolerated up to a limit with every suite: TLS 1.0 of
// OpenSSL begins with one.
func TestEmptyRecordFlood(t *testing.T) {
	combinations(func(version, suite uint16) {
		clientConfig, serverConfig := old(t, version, suite, tc26256A, tc26256A)
		client, server := connected(t, clientConfig, serverConfig)
		for range 3 {
			for range wire.MaxUselessRecords - 1 {
				sendRaw(t, client, wire.TypeApplicationData, nil)
			}
			sendRaw(t, client, wire.TypeApplicationData, []byte("x"))
			if n, err := server.Read(make([]byte, 2)); n != 1 || err != nil {
				t.Fatalf("%#04x, %#04x: %d bytes, %v", version, suite, n, err)
			}
		}
		for range wire.MaxUselessRecords {
			sendRaw(t, client, wire.TypeApplicationData, nil)
		}
		_, err := server.Read(make([]byte, 1))
		_, clientErr := client.Read(make([]byte, 1))
		wantRefusal(t, wire.AlertUnexpectedMessage, err, clientErr)
	})
}

// Whoever asks for a renegotiation is told that there is none, with every suite in
// every version, and the connection goes on.
func TestNoRenegotiation(t *testing.T) {
	combinations(func(version, suite uint16) {
		clientConfig, serverConfig := old(t, version, suite, tc26256A, tc26256A)
		client, server := connected(t, clientConfig, serverConfig)
		hs := newClientHandshake(client)
		if err := hs.prepareHello(); err != nil {
			t.Fatal(err)
		}
		sendRaw(t, client, wire.TypeHandshake, hs.hello.Marshal())
		sendRaw(t, client, wire.TypeApplicationData, []byte("still here"))
		got := make([]byte, 20)
		if n, err := server.Read(got); err != nil || string(got[:n]) != "still here" {
			t.Fatalf("%#04x, %#04x: %q, %v", version, suite, got[:n], err)
		}
		typ, content, err := readRaw(client)
		if err != nil || typ != wire.TypeAlert || !bytes.Equal(content, []byte{wire.LevelWarning, byte(wire.AlertNoRenegotiation)}) {
			t.Errorf("%#04x, %#04x: record %d, %x, %v", version, suite, typ, content, err)
		}
		exchange(t, client, server)
	})
}

// Without the extension of RFC 7627 the master secret depends on the randoms only, and
// who requires more says so; the suites of old are no exception.
func TestExtendedMasterSecretEverywhere(t *testing.T) {
	combinations(func(version, suite uint16) {
		client, server := old(t, version, suite, cryptoProA, cryptoProA)
		without := helloWith(func(h *message.ClientHello) { dropExtension(h, message.ExtExtendedMasterSecret) })
		if c, s := attackServer(t, client, server, without); c != nil || s != nil {
			t.Errorf("%#04x, %#04x: client %v, server %v", version, suite, c, s)
		}
		server.RequireExtendedMasterSecret = true
		c, s := attackServer(t, client, server, without)
		wantRefusal(t, wire.AlertHandshakeFailure, s, c)
		// Negotiated and not used: the keys differ.
		server.RequireExtendedMasterSecret = false
		c, s = attackServer(t, client, server, func(hs *clientHandshake) []step {
			return before(honest(hs), atKeyExchange, func() error { hs.ems = false; return nil })
		})
		wantRefusal(t, wire.AlertBadRecordMAC, s, c)
	})
}

// Configurations that cannot speak any version are refused before anything is sent.
func TestVersionsRefused(t *testing.T) {
	cert := []Certificate{testCert(t, cryptoProA)}
	for _, c := range []Config{
		{MinVersion: VersionTLS13, MaxVersion: VersionTLS12},
		{MaxVersion: VersionTLS11},
		{MinVersion: VersionTLS10, MaxVersion: VersionTLS11, CipherSuites: []uint16{MagmaCTROMAC}},
		{MinVersion: VersionTLS13, CipherSuites: suites12},
		{MaxVersion: VersionTLS12, CipherSuites: suites13},
		{MinVersion: 0x0305},
		{MaxVersion: 0x0300},
	} {
		c.Certificates, c.InsecureSkipVerify = cert, true
		for _, isClient := range []bool{true, false} {
			if err := c.check(isClient); err == nil {
				t.Errorf("%#04x to %#04x, %#04x: accepted", c.MinVersion, c.MaxVersion, c.CipherSuites)
			}
		}
	}
}

// The key exchange works with keys that only sign and agree, as those in tokens do, and
// asks nothing else of them.
func TestKeysInTokens(t *testing.T) {
	combinations(func(version, suite uint16) {
		for _, set := range []paramSet{cryptoProA, tc26512C} {
			clientConfig, serverConfig := old(t, version, suite, set, set)
			serverKey, clientKey := &spy{agreeing: serverConfig.Certificates[0].PrivateKey.(agreeing)}, &spy{agreeing: clientConfig.Certificates[0].PrivateKey.(agreeing)}
			serverConfig.Certificates[0].PrivateKey, clientConfig.Certificates[0].PrivateKey = serverKey, clientKey
			connected(t, clientConfig, serverConfig)
			got := fmt.Sprint(serverKey.agreements.Load(), serverKey.signatures.Load(), clientKey.agreements.Load(), clientKey.signatures.Load())
			if got != "1 0 0 1" {
				t.Errorf("%#04x, %#04x, %v: agreements and signatures of server and client: %s", version, suite, set, got)
			}
		}
	})
}

// A premaster secret is never the same twice, whoever makes it.
func TestPremasterIsRandom(t *testing.T) {
	for _, suite := range suites12 {
		s := secretsOf(t, suite)
		info, err := peerKey(testCert(t, cryptoProA).Chain[0])
		if err != nil {
			t.Fatal(err)
		}
		first, firstRaw, err := s.exportPremaster(rand.Reader, info)
		if err != nil {
			t.Fatal(err)
		}
		second, secondRaw, err := s.exportPremaster(rand.Reader, info)
		if err != nil || bytes.Equal(first, second) || bytes.Equal(firstRaw, secondRaw) {
			t.Errorf("%#04x: %x, %x, %v", suite, first, second, err)
		}
	}
}

// Sessions of old versions are resumed as others are, and in their own version only.
func TestOldVersionsResumed(t *testing.T) {
	for _, way := range ways {
		for _, version := range []uint16{VersionTLS10, VersionTLS11} {
			for _, suite := range []uint16{CNTIMIT, LegacyCNTIMIT} {
				r := newResumption(t, way)
				for _, c := range []*Config{&r.client, &r.server} {
					c.MinVersion, c.MaxVersion, c.CipherSuites = VersionTLS10, VersionTLS12, []uint16{suite}
				}
				r.client.MaxVersion = version
				r.connectAnew(t)
				if client, server := r.connectAgain(t); client.Version != version || server.Version != version || client.CipherSuite != suite {
					t.Errorf("%s, %#04x, %#04x: client %#04x, server %#04x", way, version, suite, client.Version, server.Version)
				}
				r.client.MaxVersion = VersionTLS12
				if client, _ := r.connectAnew(t); client.Version != VersionTLS12 {
					t.Errorf("%s: version %#04x", way, client.Version)
				}
			}
		}
	}
}
