package gosttls

import (
	"fmt"
	"io"
	"sync"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/record"
)

// suites13 are all suites of TLS 1.3.
var suites13 = []uint16{KuznyechikMGMS, KuznyechikMGML, MagmaMGMS, MagmaMGML}

// configs13 returns configurations of both sides that speak TLS 1.3 only, with mutual
// authentication.
func configs13(t testing.TB, server, client paramSet) (clientConfig, serverConfig *Config) {
	t.Helper()
	clientConfig, serverConfig = mutual(t, server, client)
	clientConfig.MinVersion, serverConfig.MinVersion = VersionTLS13, VersionTLS13
	clientConfig.CipherSuites, serverConfig.CipherSuites = suites13, suites13
	return clientConfig, serverConfig
}

// exchange sends a line each way, and the end of the data.
func exchange(t testing.TB, client, server *Conn) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() {
		defer server.CloseWrite()
		if _, err := io.Copy(server, server); err != nil {
			t.Errorf("server: %v", err)
		}
	})
	defer wg.Wait()
	if _, err := io.WriteString(client, "say friend"); err != nil {
		t.Fatal(err)
	}
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if back, err := io.ReadAll(client); err != nil || string(back) != "say friend" {
		t.Errorf("%q comes back, %v", back, err)
	}
}

// Every suite, every curve for the ephemeral keys, and every kind of certificate, on
// both sides.
func TestHandshakes13(t *testing.T) {
	certs := make([]Certificate, len(paramSets))
	for i, p := range paramSets {
		certs[i] = testCert(t, p)
	}
	for i, suite := range suites13 {
		for j, curve := range defaultCurves() {
			for k, p := range paramSets {
				if testing.Short() && (i+j+k)%7 != 0 {
					continue
				}
				other := (k + j + 1) % len(paramSets)
				t.Run(fmt.Sprintf("%04x %s %v %v", suite, curve.Name(), p, paramSets[other]), func(t *testing.T) {
					clientConfig := &Config{
						InsecureSkipVerify: true, CipherSuites: []uint16{suite}, Certificates: []Certificate{certs[other]},
						CurvePreferences: []*gost3410.Curve{curve},
					}
					serverConfig := &Config{CipherSuites: []uint16{suite}, Certificates: []Certificate{certs[k]}, ClientAuth: RequireAnyClientCert}
					client, server := connected(t, clientConfig, serverConfig)
					for _, c := range []*Conn{client, server} {
						s := c.ConnectionState()
						if s.Version != VersionTLS13 || s.CipherSuite != suite || s.Group != curve || len(s.PeerCertificates) != 1 ||
							!s.ExtendedMasterSecret || s.SchemeMismatch {
							t.Errorf("version %#04x, suite %#04x, group %v, %d certificates, mismatch %v", s.Version, s.CipherSuite, s.Group, len(s.PeerCertificates), s.SchemeMismatch)
						}
					}
					exchange(t, client, server)
				})
			}
		}
	}
}

// suiteOf returns a suite by its number.
func suiteOf(t testing.TB, id uint16) *record.Suite {
	t.Helper()
	suite, ok := record.SuiteByID(id)
	if !ok {
		t.Fatalf("no suite %#04x", id)
	}
	return suite
}
