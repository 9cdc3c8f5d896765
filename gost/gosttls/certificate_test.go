package gosttls

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/recording"
	"propusk/gost/gosttls/internal/wire"
	"propusk/gost/pkcs8"
	"propusk/gost/spki"
)

func pemOf(typ string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der})
}

func TestParseKeyPair(t *testing.T) {
	r := recording.Load(t, "testdata", "c100-512C")
	other := recording.Load(t, "testdata", "c100-512A")
	cert, err := ParseKeyPair(r.ServerCert, r.ServerKey)
	if err != nil || len(cert.Chain) != 1 || !bytes.Equal(cert.Chain[0], mustPEM(t, r.ServerCert)) {
		t.Fatalf("%v, %v", cert.Chain, err)
	}
	// One file with everything, as some servers want it.
	all := slices.Concat(r.ServerKey, []byte("text between\n"), r.ServerCert, other.ServerCert)
	if cert, err = ParseKeyPair(all, all); err != nil || len(cert.Chain) != 2 {
		t.Errorf("one file: chain of %d, %v", len(cert.Chain), err)
	}
	for name, test := range map[string]struct{ cert, key []byte }{
		"nothing":              {nil, nil},
		"no certificate":       {r.ServerKey, r.ServerKey},
		"no key":               {r.ServerCert, r.ServerCert},
		"key of another":       {r.ServerCert, other.ServerKey},
		"broken certificate":   {pemOf("CERTIFICATE", []byte{0x30, 0}), r.ServerKey},
		"broken key":           {r.ServerCert, pemOf("PRIVATE KEY", []byte{0x30, 0})},
		"encrypted key":        {r.ServerCert, pemOf("ENCRYPTED PRIVATE KEY", mustPEM(t, r.ServerKey))},
		"certificate, not PEM": {mustPEM(t, r.ServerCert), r.ServerKey},
	} {
		if cert, err := ParseKeyPair(test.cert, test.key); err == nil || cert.Chain != nil || cert.PrivateKey != nil {
			t.Errorf("%s: %v, %v", name, cert, err)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q is not one sentence", name, err)
		}
	}
}

// Keys of GOST R 34.10-2001 have the same form and are another algorithm.
func TestCertificateOf2001(t *testing.T) {
	key, err := gost3410.GenerateKey(gost3410.CryptoProA(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good, err := spki.Marshal(spki.DefaultAlgorithm(key.PublicKey().Curve()), key.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewCertificate([][]byte{wrapSPKI(good)}, key); err != nil {
		t.Fatalf("2012: %v", err)
	}
	// SEQUENCE { OID 1.2.643.2.2.19, SEQUENCE { OID 2.2.35.1, OID 2.2.30.1 } }
	alg := []byte{0x30, 0x1c, 0x06, 0x06, 0x2a, 0x85, 0x03, 0x02, 0x02, 0x13,
		0x30, 0x12, 0x06, 0x07, 0x2a, 0x85, 0x03, 0x02, 0x02, 0x23, 0x01, 0x06, 0x07, 0x2a, 0x85, 0x03, 0x02, 0x02, 0x1e, 0x01}
	old := append(append([]byte{0x30, byte(len(alg) + 69)}, alg...), good[len(good)-69:]...)
	info, err := spki.Parse(old)
	if err != nil || !info.Key.Equal(key.Public()) {
		t.Fatalf("the key of the test is wrong: %v", err)
	}
	if _, err := NewCertificate([][]byte{wrapSPKI(old)}, key); err == nil {
		t.Error("certificate with a key of 2001 accepted")
	}

	client, server := mutual(t, cryptoProA, cryptoProA)
	client.Certificates[0] = Certificate{Chain: [][]byte{wrapSPKI(old)}, PrivateKey: key}
	c, s := shake(connPair(t, client, server))
	wantRefusal(t, wire.AlertUnsupportedCertificate, s, c)
}

// ecKey has the wrong kind of public key.
type ecKey struct{ *ecdsa.PrivateKey }

func (ecKey) SharedPoint(*gost3410.PublicKey, []byte) ([]byte, error) { return nil, io.EOF }

func TestConfigRefused(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := testCert(t, cryptoProA)
	for name, config := range map[string]*Config{
		"nil":           nil,
		"zero":          {},
		"unknown suite": {CipherSuites: []uint16{KuznyechikCTROMAC, 0x0081}, Certificates: []Certificate{good}, InsecureSkipVerify: true},
		"no key":        {Certificates: []Certificate{good, {Chain: good.Chain}}, InsecureSkipVerify: true},
		"no chain":      {Certificates: []Certificate{{PrivateKey: good.PrivateKey}}, InsecureSkipVerify: true},
		"client auth":   {ClientAuth: RequireAnyClientCert + 1, Certificates: []Certificate{good}, InsecureSkipVerify: true},
		"long policy":   {PolicyID: strings.Repeat("x", 256), Certificates: []Certificate{good}, InsecureSkipVerify: true},
		"below zero":    {ClientAuth: -1, Certificates: []Certificate{good}, InsecureSkipVerify: true},
		"another kind":  {Certificates: []Certificate{{Chain: good.Chain, PrivateKey: ecKey{ec}}}, InsecureSkipVerify: true},
	} {
		wire := newScript(nil)
		for _, c := range []*Conn{Client(wire, config), Server(wire, config)} {
			if err := c.Handshake(); err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if wire.out.Len() != 0 {
			t.Errorf("%s: sent %x", name, wire.out.Bytes())
		}
	}
}

// The first certificate on a curve that the client has is taken.
func TestServerChoosesCertificate(t *testing.T) {
	server := &Config{Certificates: []Certificate{testCert(t, cryptoProA), testCert(t, tc26512A), testCert(t, tc26256A)}}
	for name, test := range map[string]struct {
		groups []uint16
		want   int
	}{
		"all":              {[]uint16{34, 35, 36, 37, 38, 39, 40}, 0},
		"GnuTLS":           {[]uint16{23, 29, 0x23, 0x26}, 0},
		"512 only":         {[]uint16{38, 39, 40}, 1},
		"tc26-256-A first": {[]uint16{34, 38}, 1},
		"tc26-256-A":       {[]uint16{34}, 2},
		"no GOST curve":    {[]uint16{29, 23, 24}, 0},
	} {
		client, srv := connPair(t, nil, server)
		done := make(chan error, 1)
		go func() { done <- srv.Handshake() }()
		err := inOrder(helloWith(func(h *message.ClientHello) {
			dropExtension(h, message.ExtSupportedGroups)
			addExtension(h, message.SupportedGroups(test.groups))
		})(newClientHandshake(client))...)
		if err := errors.Join(err, <-done); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if chain := client.state.PeerCertificates; !bytes.Equal(chain[0], server.Certificates[test.want].Chain[0]) {
			t.Errorf("%s: another certificate than number %d", name, test.want)
		}
	}
}

// The client presents what the server can verify, or nothing.
func TestClientChoosesCertificate(t *testing.T) {
	client := &Config{InsecureSkipVerify: true, Certificates: []Certificate{testCert(t, tc26512A), testCert(t, cryptoProA)}}
	server := &Config{Certificates: []Certificate{testCert(t, cryptoProA)}, ClientAuth: RequestClientCert}
	for name, test := range map[string]struct {
		request message.CertificateRequest
		want    int
	}{
		"both":              {message.CertificateRequest{Types: []byte{67, 68}, Schemes: []uint16{0x0840, 0x0841}}, 0},
		"256 only":          {message.CertificateRequest{Types: []byte{67}, Schemes: []uint16{0x0840}}, 1},
		"256 by scheme":     {message.CertificateRequest{Types: []byte{67, 68}, Schemes: []uint16{0x0403, 0x0840}}, 1},
		"256 by type":       {message.CertificateRequest{Types: []byte{1, 67}, Schemes: []uint16{0x0841, 0x0840}}, 1},
		"neither":           {message.CertificateRequest{Types: []byte{1, 64}, Schemes: []uint16{0x0403}}, -1},
		"types, no schemes": {message.CertificateRequest{Types: []byte{67, 68}, Schemes: []uint16{0x0403}}, -1},
		"another authority": {message.CertificateRequest{Types: []byte{67}, Schemes: []uint16{0x0840}, Authorities: [][]byte{{0x30, 0}}}, 1},
	} {
		c, s := connPair(t, client, server)
		done := make(chan error, 1)
		go func() { done <- c.Handshake() }()
		hs := newServerHandshake(s)
		err := inOrder(before(honestServer(hs), atFlight, func() error { hs.request = &test.request; return nil })...)
		if err := errors.Join(err, <-done); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		switch got := s.state.PeerCertificates; {
		case test.want < 0 && got != nil:
			t.Errorf("%s: presented a certificate", name)
		case test.want >= 0 && (len(got) != 1 || !bytes.Equal(got[0], client.Certificates[test.want].Chain[0])):
			t.Errorf("%s: did not present certificate %d", name, test.want)
		}
	}
}

func TestClientAuth(t *testing.T) {
	withCert := &Config{InsecureSkipVerify: true, Certificates: []Certificate{testCert(t, cryptoProA)}}
	without := &Config{InsecureSkipVerify: true}
	for _, test := range []struct {
		auth   ClientAuth
		client *Config
		certs  int
		ok     bool
	}{
		{NoClientCert, withCert, 0, true},
		{NoClientCert, without, 0, true},
		{RequestClientCert, withCert, 1, true},
		{RequestClientCert, without, 0, true},
		{RequireAnyClientCert, withCert, 1, true},
		{RequireAnyClientCert, without, 0, false},
	} {
		client, server := connPair(t, test.client, &Config{Certificates: []Certificate{testCert(t, cryptoProA)}, ClientAuth: test.auth})
		c, s := shake(client, server)
		if !test.ok {
			wantRefusal(t, wire.AlertHandshakeFailure, s, c)
			if !errors.Is(s, ErrNoCertificate) {
				t.Errorf("%+v: %v", test, s)
			}
		} else if c != nil || s != nil {
			t.Errorf("%+v: client %v, server %v", test, c, s)
		}
		if got := len(server.ConnectionState().PeerCertificates); got != test.certs {
			t.Errorf("%+v: %d certificates", test, got)
		}
	}
}

var errUnwelcome = errors.New("unwelcome")

func TestVerifyPeer(t *testing.T) {
	clientConfig, serverConfig := mutual(t, cryptoProA, tc26512A)
	clientConfig.InsecureSkipVerify = false
	var seenByClient, seenByServer ConnectionState
	clientConfig.VerifyPeer = func(s ConnectionState) error { seenByClient = s; return nil }
	serverConfig.VerifyPeer = func(s ConnectionState) error { seenByServer = s; return nil }
	connected(t, clientConfig, serverConfig)
	if chain := seenByClient.PeerCertificates; len(chain) != 1 || !bytes.Equal(chain[0], serverConfig.Certificates[0].Chain[0]) || seenByClient.HandshakeComplete {
		t.Errorf("client saw %+v", seenByClient)
	}
	if chain := seenByServer.PeerCertificates; len(chain) != 1 || !bytes.Equal(chain[0], clientConfig.Certificates[0].Chain[0]) || seenByServer.HandshakeComplete {
		t.Errorf("server saw %+v", seenByServer)
	}

	// A server that is refused learns nothing about the client.
	spied := &spy{agreeing: clientConfig.Certificates[0].PrivateKey.(agreeing)}
	clientConfig.Certificates[0].PrivateKey = spied
	clientConfig.VerifyPeer = func(ConnectionState) error { return errUnwelcome }
	client, server := connPair(t, clientConfig, serverConfig)
	c, s := shake(client, server)
	wantRefusal(t, wire.AlertBadCertificate, c, s)
	if !errors.Is(c, errUnwelcome) || spied.signatures.Load() != 0 || client.ConnectionState().PeerCertificates != nil {
		t.Errorf("%v; %d signatures", c, spied.signatures.Load())
	}

	// A client that is refused has proven its key, and only then.
	clientConfig.VerifyPeer = func(ConnectionState) error { return nil }
	serverConfig.VerifyPeer = func(ConnectionState) error { return errUnwelcome }
	c, s = shake(connPair(t, clientConfig, serverConfig))
	wantRefusal(t, wire.AlertBadCertificate, s, c)
	if !errors.Is(s, errUnwelcome) || spied.signatures.Load() != 1 {
		t.Errorf("%v; %d signatures", s, spied.signatures.Load())
	}
	serverConfig.VerifyPeer = func(ConnectionState) error { t.Error("asked about a client that did not prove its key"); return nil }
	_, s = attackServer(t, clientConfig, serverConfig, func(hs *clientHandshake) []step { return with(honest(hs), atVerify) })
	if s == nil {
		t.Error("CertificateVerify omitted")
	}
}

// InsecureSkipVerify gives up the need for VerifyPeer, not what VerifyPeer says:
// with crypto/tls it is usual to set it beside a check of one's own.
func TestVerifyPeerBesideInsecureSkipVerify(t *testing.T) {
	client := &Config{InsecureSkipVerify: true, VerifyPeer: func(ConnectionState) error { return errUnwelcome }}
	c, s := shake(connPair(t, client, nil))
	wantRefusal(t, wire.AlertBadCertificate, c, s)
	if !errors.Is(c, errUnwelcome) {
		t.Errorf("%v", c)
	}
}

// brokenKey fails as a token does that was pulled out.
type brokenKey struct{ agreeing }

func (brokenKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errUnwelcome }
func (brokenKey) SharedPoint(*gost3410.PublicKey, []byte) ([]byte, error)   { return nil, errUnwelcome }

func TestBrokenKeys(t *testing.T) {
	clientConfig, serverConfig := mutual(t, cryptoProA, cryptoProA)
	good := clientConfig.Certificates[0].PrivateKey
	clientConfig.Certificates[0].PrivateKey = brokenKey{good.(agreeing)}
	c, s := shake(connPair(t, clientConfig, serverConfig))
	wantRefusal(t, wire.AlertInternalError, c, s)
	if !errors.Is(c, errUnwelcome) {
		t.Errorf("%v", c)
	}
	clientConfig.Certificates[0].PrivateKey = good
	serverConfig.Certificates[0].PrivateKey = brokenKey{serverConfig.Certificates[0].PrivateKey.(agreeing)}
	c, s = shake(connPair(t, clientConfig, serverConfig))
	wantRefusal(t, wire.AlertDecryptError, s, c)
	if !errors.Is(s, errUnwelcome) {
		t.Errorf("%v does not tell the owner of the key why", s)
	}
}

// failingReader is a source of randomness that ends.
type failingReader struct{ left int }

func (r *failingReader) Read(b []byte) (int, error) {
	if r.left < len(b) {
		return 0, errUnwelcome
	}
	r.left -= len(b)
	clear(b)
	b[0] = 1
	return len(b), nil
}

// Without randomness there is no handshake, wherever it ends.
func TestBrokenRand(t *testing.T) {
	for left := 0; left < 160; left += 32 { // random, ephemeral key, premaster secret, nonce
		clientConfig, serverConfig := mutual(t, cryptoProA, cryptoProA)
		clientConfig.Rand = &failingReader{left}
		c, s := shake(connPair(t, clientConfig, serverConfig))
		if left == 128 {
			if c != nil || s != nil {
				t.Errorf("enough randomness: client %v, server %v", c, s)
			}
			continue
		}
		wantRefusal(t, wire.AlertInternalError, c, s)
	}
	_, serverConfig := mutual(t, cryptoProA, cryptoProA)
	serverConfig.Rand = &failingReader{}
	c, s := shake(connPair(t, nil, serverConfig))
	wantRefusal(t, wire.AlertInternalError, s, c)
}

// brokenWriter is a key log that cannot be written.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errUnwelcome }

func TestKeyLog(t *testing.T) {
	var log bytes.Buffer
	connected(t, &Config{InsecureSkipVerify: true, KeyLogWriter: &log}, nil)
	if fields := strings.Fields(log.String()); len(fields) != 3 || fields[0] != "CLIENT_RANDOM" || len(fields[1]) != 64 || len(fields[2]) != 96 {
		t.Errorf("%q", log.String())
	}
	c, s := shake(connPair(t, &Config{InsecureSkipVerify: true, KeyLogWriter: brokenWriter{}}, nil))
	wantRefusal(t, wire.AlertInternalError, c, s)
}

// A name that no server would take is refused before anything is sent.
func TestServerNameRefused(t *testing.T) {
	for _, name := range []string{strings.Repeat("a", 256), strings.Repeat("a", 1<<16), "two words", "кабинет.example", "a\x00b", "a\n"} {
		wire := newScript(nil)
		err := Client(wire, &Config{InsecureSkipVerify: true, ServerName: name}).Handshake()
		if err == nil || errors.Is(err, io.ErrUnexpectedEOF) || wire.out.Len() != 0 {
			t.Errorf("%.20q: %v, sent %d bytes", name, err, wire.out.Len())
		}
	}
}

func TestSNIName(t *testing.T) {
	for name, want := range map[string]string{
		"cabinet.example":  "cabinet.example",
		"cabinet.example.": "cabinet.example",
		"192.0.2.1":        "",
		"2001:db8::1":      "",
		"[2001:db8::1]":    "",
		"fe80::1%eth0":     "",
		"[fe80::1%eth0]":   "",
		"":                 "",
	} {
		if got := sniName(name); got != want {
			t.Errorf("sniName(%q) = %q, want %q", name, got, want)
		}
	}
	client, server := connected(t, &Config{InsecureSkipVerify: true, ServerName: "cabinet.example"}, nil)
	for _, c := range []*Conn{client, server} {
		if got := c.ConnectionState().ServerName; got != "cabinet.example" {
			t.Errorf("server name %q", got)
		}
	}
}

func TestNames(t *testing.T) {
	for id, want := range map[uint16]string{
		KuznyechikCTROMAC: "TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC",
		MagmaCTROMAC:      "TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC",
		0x1301:            "TLS_AES_128_GCM_SHA256",
		0x0081:            "0x0081",
	} {
		if got := CipherSuiteName(id); got != want {
			t.Errorf("CipherSuiteName(%#x) = %q, want %q", id, got, want)
		}
	}
	seen := make(map[string]bool)
	for a := range 256 {
		name := Alert(a).String()
		if name == "" || seen[name] {
			t.Errorf("alert %d is called %q", a, name)
		}
		seen[name] = true
	}
	if got := wire.AlertIllegalParameter.String(); got != "illegal_parameter (47)" {
		t.Error(got)
	}
}

// The private keys that OpenSSL writes are read by package pkcs8; here they only
// have to fit the recorded certificates.
func TestRecordedKeys(t *testing.T) {
	for _, r := range recording.LoadAll(t, "testdata") {
		if _, _, err := pkcs8.Parse(mustPEM(t, r.ServerKey)); err != nil {
			t.Errorf("%s: %v", r.Name, err)
		}
		if _, err := ParseKeyPair(r.ServerCert, r.ServerKey); err != nil {
			t.Errorf("%s: %v", r.Name, err)
		}
	}
}
