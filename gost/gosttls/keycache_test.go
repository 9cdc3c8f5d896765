package gosttls

import (
	"testing"

	"propusk/gost/gost3410"
)

// With a cache, clients that return are let in as before, and those whose signature is
// wrong are not, also once there is a table for their key.
func TestKeyCache(t *testing.T) {
	for _, suite := range []uint16{KuznyechikCTROMAC, KuznyechikMGMS} {
		clientConfig, serverConfig := mutual(t, cryptoProA, tc26512A)
		clientConfig.CipherSuites, serverConfig.CipherSuites = []uint16{suite}, []uint16{suite}
		serverConfig.KeyCache = gost3410.NewKeyCache(16)
		for i := range 6 {
			if clientErr, serverErr := shakeOver(t, clientConfig, serverConfig); clientErr != nil || serverErr != nil {
				t.Fatalf("%#x, handshake %d: %v, %v", suite, i, clientErr, serverErr)
			}
		}
		other := testCert(t, tc26512A)
		clientConfig.Certificates[0].PrivateKey = other.PrivateKey // of another key than the certificate
		if _, serverErr := shakeOver(t, clientConfig, serverConfig); serverErr == nil {
			t.Errorf("%#x: a signature of another key was accepted", suite)
		}
	}
}

// shakeOver runs one handshake.
func shakeOver(t *testing.T, clientConfig, serverConfig *Config) (clientErr, serverErr error) {
	t.Helper()
	client, server := connPair(t, clientConfig, serverConfig)
	return shake(client, server)
}
