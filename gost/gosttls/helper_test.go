package gosttls

import (
	"bytes"
	"crypto/rand"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/spki"
)

// paramSet names a parameter set as the command openssl does.
type paramSet struct {
	alg, name string
	oid       asn1.ObjectIdentifier
}

// paramSets are the twelve that exist; see RFC 9189, Section 10, for the
// equivalent ones.
var paramSets = []paramSet{
	{"gost2012_256", "A", asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 1}},
	{"gost2012_256", "B", asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 2}},
	{"gost2012_256", "C", asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 3}},
	{"gost2012_256", "XA", asn1.ObjectIdentifier{1, 2, 643, 2, 2, 36, 0}},
	{"gost2012_256", "XB", asn1.ObjectIdentifier{1, 2, 643, 2, 2, 36, 1}},
	{"gost2012_256", "TCA", asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 1, 1}},
	{"gost2012_256", "TCB", asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 1, 2}},
	{"gost2012_256", "TCC", asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 1, 3}},
	{"gost2012_256", "TCD", asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 1, 4}},
	{"gost2012_512", "A", asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 2, 1}},
	{"gost2012_512", "B", asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 2, 2}},
	{"gost2012_512", "C", asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 2, 3}},
}

func (p paramSet) String() string { return p.alg[len(p.alg)-3:] + p.name }

// testCert makes a key with the given parameter set and a certificate that holds
// it, with names if there are any. Nothing here looks at more than the key, so its signature is zero bytes.
func testCert(t testing.TB, p paramSet, names ...string) Certificate {
	t.Helper()
	alg, err := spki.AlgorithmFor(p.oid)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := gost3410.CurveByParamSet(p.oid)
	if err != nil {
		t.Fatal(err)
	}
	key, err := gost3410.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	info, err := spki.Marshal(alg, key.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := NewCertificate([][]byte{wrapSPKI(info, names...)}, key)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// wrapSPKI returns a certificate with the given key and an empty signature.
func wrapSPKI(info []byte, names ...string) []byte {
	sigAlg := func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 643, 7, 1, 1, 3, 2})
		})
	}
	name := func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{2, 5, 4, 3})
					b.AddASN1(cbasn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte("Nobody")) })
				})
			})
		})
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.Tag(0).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) { b.AddASN1Int64(2) })
			b.AddASN1Int64(1)
			sigAlg(b)
			name(b)
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1UTCTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
				b.AddASN1UTCTime(time.Date(2046, 1, 1, 0, 0, 0, 0, time.UTC))
			})
			name(b)
			b.AddBytes(info)
			addNames(b, names)
		})
		sigAlg(b)
		b.AddASN1BitString(make([]byte, 64))
	})
	return b.BytesOrPanic()
}

// addNames adds extensions: a basicConstraints, and the subjectAltName.
func addNames(b *cryptobyte.Builder, names []string) {
	if len(names) == 0 {
		return
	}
	sequence := func(f func(b *cryptobyte.Builder)) func(b *cryptobyte.Builder) {
		return func(b *cryptobyte.Builder) { b.AddASN1(cbasn1.SEQUENCE, f) }
	}
	b.AddASN1(cbasn1.Tag(3).Constructed().ContextSpecific(), sequence(func(b *cryptobyte.Builder) {
		sequence(func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{2, 5, 29, 19})
			b.AddASN1Boolean(true)
			b.AddASN1OctetString([]byte{0x30, 0})
		})(b)
		sequence(func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{2, 5, 29, 17})
			b.AddASN1(cbasn1.OCTET_STRING, sequence(func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.Tag(7).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte{127, 0, 0, 1}) })
				for _, name := range names {
					b.AddASN1(cbasn1.Tag(2).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(name)) })
				}
			}))
		})(b)
	}))
}

// certs256 are certificates that tests share; making them is not what they test.
var cryptoProA, tc26256A, tc26512A, tc26512C = paramSets[0], paramSets[5], paramSets[9], paramSets[11]

// suites12 are all suites of TLS 1.2, the old number among them.
var suites12 = []uint16{KuznyechikCTROMAC, MagmaCTROMAC, CNTIMIT, LegacyCNTIMIT}

// secretsOf returns the secrets of a handshake that has got as far as the choice of a
// suite; both randoms are zero.
func secretsOf(t testing.TB, id uint16) *secrets {
	t.Helper()
	suite, ok := record.SuiteByID(id)
	if !ok {
		t.Fatalf("no suite %#x", id)
	}
	return &secrets{suite: suite}
}

// tcpPair returns the two ends of a TCP connection. A net.Pipe would not do: it
// has no buffer, so two sides that send alerts at the same time would block.
func tcpPair(t testing.TB) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for _, c := range []net.Conn{client, server} {
		if err := c.SetDeadline(deadline); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			// A socket that this side closed first keeps its port for a minute, and
			// there are many tests: all ports would be taken.
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
			_ = c.Close()
		})
	}
	return client, server
}

// connPair returns both ends of a TLS connection before the handshake. Nil
// configurations mean a working default. Configurations that name neither suites nor
// versions speak TLS 1.2: those of TLS 1.3 have tests of their own.
func connPair(t testing.TB, clientConfig, serverConfig *Config) (client, server *Conn) {
	t.Helper()
	if serverConfig == nil {
		serverConfig = &Config{Certificates: []Certificate{testCert(t, cryptoProA)}}
	}
	if clientConfig == nil {
		clientConfig = &Config{InsecureSkipVerify: true}
	}
	c, s := tcpPair(t)
	return Client(c, for12(clientConfig)), Server(s, for12(serverConfig))
}

// for12 returns a configuration for TLS 1.2, if it does not name suites or a version:
// most tests are about TLS 1.2, and those of TLS 1.3 say so.
func for12(config *Config) *Config {
	if config.MaxVersion != 0 || len(config.CipherSuites) > 0 {
		return config
	}
	old := *config
	old.MaxVersion = VersionTLS12
	return &old
}

// shake runs the handshakes of both sides and returns their errors.
func shake(client, server *Conn) (clientErr, serverErr error) {
	var wg sync.WaitGroup
	wg.Go(func() { serverErr = server.Handshake() })
	clientErr = client.Handshake()
	wg.Wait()
	return clientErr, serverErr
}

// connected returns a TLS connection whose handshake is done.
func connected(t testing.TB, clientConfig, serverConfig *Config) (client, server *Conn) {
	t.Helper()
	client, server = connPair(t, clientConfig, serverConfig)
	if clientErr, serverErr := shake(client, server); clientErr != nil || serverErr != nil {
		t.Fatalf("handshake: client %v, server %v", clientErr, serverErr)
	}
	return client, server
}

// wantRefusal checks that one side ended the connection with the alert, and that
// the other side was told.
func wantRefusal(t testing.TB, alert Alert, refuser, other error) {
	t.Helper()
	if refusal, ok := errors.AsType[*ProtocolError](refuser); !ok || refusal.Alert != alert {
		t.Errorf("refused with %v, want %v", refuser, alert)
	}
	if !isRemote(other, alert) {
		t.Errorf("the other side got %v, want %v", other, alert)
	}
}

// script is a net.Conn that reads what is written down and keeps what is written.
type script struct {
	net.Conn // nil: nothing else may be used
	in       *bytes.Reader
	out      bytes.Buffer
	closed   bool
}

func newScript(in []byte) *script { return &script{in: bytes.NewReader(in)} }

func (s *script) Read(b []byte) (int, error)       { return s.in.Read(b) }
func (s *script) Write(b []byte) (int, error)      { return s.out.Write(b) }
func (s *script) Close() error                     { s.closed = true; return nil }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

// mustPEM returns the first block of PEM data.
func mustPEM(t testing.TB, data []byte) []byte {
	t.Helper()
	block, _ := pem.Decode(data)
	if block == nil {
		t.Fatalf("no PEM in %q", data)
	}
	return block.Bytes
}
