package gosttls

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"slices"
	"testing"

	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/recording"
	"propusk/gost/gosttls/internal/wire"
)

// Of several certificates, one is taken that the client can use, then one that it can
// verify, then one with the name it wants, then the first.
func TestChooseCertificate(t *testing.T) {
	certs := []Certificate{
		testCert(t, tc26512A, "one.example"),
		testCert(t, cryptoProA, "one.example", "*.two.example"),
		testCert(t, tc26256A, "three.example"),
	}
	suite, _ := record.SuiteByID(KuznyechikCTROMAC)
	for name, test := range map[string]struct {
		known message.Known
		want  int // -1: none
	}{
		"nothing known":              {message.Known{}, 0},
		"both sizes":                 {message.Known{Schemes: []uint16{0x0840, 0x0841}}, 0},
		"256 bits":                   {message.Known{Schemes: []uint16{0x0403, 0x0840}}, 1},
		"256 bits, old number":       {message.Known{Schemes: []uint16{0xeeee}}, 1},
		"512 bits":                   {message.Known{Schemes: []uint16{0x0841}}, 0},
		"512 bits, old number":       {message.Known{Schemes: []uint16{0xefef}}, 0},
		"both, one by an old number": {message.Known{Schemes: []uint16{0x0840, 0xefef}}, 0},
		"no scheme of GOST":          {message.Known{Schemes: []uint16{0x0403, 0xeded}}, 0},
		"schemes of TLS 1.3":         {message.Known{Schemes: []uint16{0x0709}}, 0},
		"curve":                      {message.Known{Groups: []uint16{34}}, 2},
		"curve before scheme":        {message.Known{Groups: []uint16{35}, Schemes: []uint16{0x0841}}, 1},
		"no curve of ours":           {message.Known{Groups: []uint16{36, 40}}, -1},
		"name":                       {message.Known{ServerName: "three.example"}, 2},
		"name in other letters":      {message.Known{ServerName: "Three.EXAMPLE."}, 2},
		"name below a star":          {message.Known{ServerName: "www.two.example"}, 1},
		"name two below a star":      {message.Known{ServerName: "a.www.two.example"}, 0},
		"name of the star":           {message.Known{ServerName: "two.example"}, 0},
		"name of nobody":             {message.Known{ServerName: "four.example"}, 0},
		"name of two":                {message.Known{ServerName: "one.example"}, 0},
		"scheme before name":         {message.Known{ServerName: "three.example", Schemes: []uint16{0x0841}}, 0},
		"scheme and name":            {message.Known{ServerName: "three.example", Schemes: []uint16{0x0840}}, 2},
		"name, and what a curve says": {message.Known{
			ServerName: "three.example", Groups: []uint16{35, 38}, Schemes: []uint16{0x0840, 0x0841},
		}, 0},
	} {
		cert, curve, ok := chooseCertificate(certs, suite, test.known)
		if !ok {
			if test.want >= 0 || cert.Chain != nil || curve != nil {
				t.Errorf("%s: none", name)
			}
			continue
		}
		got := slices.IndexFunc(certs, func(c Certificate) bool { return bytes.Equal(c.Chain[0], cert.Chain[0]) })
		if want, err := certs[got].curve(); got != test.want || err != nil || curve != want {
			t.Errorf("%s: certificate %d, want %d", name, got, test.want)
		}
	}
	if _, _, ok := chooseCertificate(nil, suite, message.Known{}); ok {
		t.Error("a certificate out of nothing")
	}
}

func TestDNSNames(t *testing.T) {
	for _, r := range recording.LoadAll(t, "testdata")[:1] {
		if got := dnsNames(mustPEM(t, r.ServerCert)); !slices.Equal(got, []string{"localhost"}) {
			t.Errorf("%s: %q", r.Name, got)
		}
	}
	named := testCert(t, cryptoProA, "a.example", "b.example").Chain[0]
	if got := dnsNames(named); !slices.Equal(got, []string{"a.example", "b.example"}) {
		t.Errorf("%q", got)
	}
	if got := dnsNames(testCert(t, cryptoProA).Chain[0]); got != nil {
		t.Errorf("without extensions: %q", got)
	}
	for n := range named {
		if got := dnsNames(named[:n]); got != nil {
			t.Errorf("first %d bytes: %q", n, got)
		}
	}
	if (Certificate{}).carries("a.example") {
		t.Error("no certificate carries a name")
	}
}

// FuzzDNSNames reads names out of anything.
func FuzzDNSNames(f *testing.F) {
	f.Add(testCert(f, cryptoProA, "a.example").Chain[0], "a.example")
	f.Add([]byte(nil), "")
	f.Fuzz(func(t *testing.T, cert []byte, host string) {
		carries := Certificate{Chain: [][]byte{cert}}.carries(host)
		if carries && len(dnsNames(cert)) == 0 {
			t.Fatalf("%x carries %q and no names", cert, host)
		}
	})
}

// The hook is asked first, sees the hello, and need not know.
func TestGetCertificate(t *testing.T) {
	byHook, configured := testCert(t, tc26256A), testCert(t, cryptoProA)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var seen *ClientHelloInfo
	config := &Config{MaxVersion: VersionTLS12, Certificates: []Certificate{configured}}
	for name, test := range map[string]struct {
		hook func(*ClientHelloInfo) (*Certificate, error)
		want *Certificate
	}{
		"an answer":               {func(*ClientHelloInfo) (*Certificate, error) { return &byHook, nil }, &byHook},
		"no answer":               {func(*ClientHelloInfo) (*Certificate, error) { return nil, nil }, &configured},
		"an error":                {func(*ClientHelloInfo) (*Certificate, error) { return nil, errUnwelcome }, nil},
		"an error beside":         {func(*ClientHelloInfo) (*Certificate, error) { return &byHook, errUnwelcome }, nil},
		"one that nobody can use": {func(*ClientHelloInfo) (*Certificate, error) { return new(Certificate), nil }, nil},
		"one without key":         {func(*ClientHelloInfo) (*Certificate, error) { return &Certificate{Chain: byHook.Chain}, nil }, nil},
		"one of a key of another kind": {func(*ClientHelloInfo) (*Certificate, error) {
			return &Certificate{Chain: byHook.Chain, PrivateKey: ecKey{ec}}, nil
		}, nil},
	} {
		config := *config
		config.GetCertificate = func(info *ClientHelloInfo) (*Certificate, error) {
			seen = info
			return test.hook(info)
		}
		client, server := connPair(t, &Config{InsecureSkipVerify: true, ServerName: "a.example", CipherSuites: []uint16{MagmaCTROMAC}}, &config)
		c, s := shake(client, server)
		if seen == nil || seen.ServerName != "a.example" || !slices.Equal(seen.CipherSuites, []uint16{MagmaCTROMAC}) ||
			!slices.Contains(seen.Groups, 34) || !slices.Contains(seen.Schemes, 0x0840) || seen.Conn != server.NetConn() {
			t.Errorf("%s: saw %+v", name, seen)
		}
		switch {
		case test.want == nil:
			if _, ok := errors.AsType[*ProtocolError](s); !ok || c == nil {
				t.Errorf("%s: client %v, server %v", name, c, s)
			}
		case c != nil || s != nil || !bytes.Equal(client.ConnectionState().PeerCertificates[0], test.want.Chain[0]):
			t.Errorf("%s: client %v, server %v", name, c, s)
		}
	}
	// No other certificate is needed.
	config.Certificates = nil
	config.GetCertificate = func(*ClientHelloInfo) (*Certificate, error) { return &byHook, nil }
	connected(t, nil, config)
	config.GetCertificate = func(*ClientHelloInfo) (*Certificate, error) { return nil, nil }
	c, s := shake(connPair(t, nil, config))
	wantRefusal(t, wire.AlertHandshakeFailure, s, c)
}
