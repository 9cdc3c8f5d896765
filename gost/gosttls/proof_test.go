package gosttls

import (
	"testing"

	"propusk/gost/spki"
)

// TestPeerProof: the signature by which a client has proven its key can be verified
// again, by whoever wants to; there is none without a certificate.
func TestPeerProof(t *testing.T) {
	for _, set := range paramSets {
		for _, suite := range []uint16{suites12[0], suites13[0]} {
			clientConfig, serverConfig := mutual(t, set, set)
			clientConfig.CipherSuites, serverConfig.CipherSuites = []uint16{suite}, []uint16{suite}
			_, server := connected(t, clientConfig, serverConfig)
			st := server.ConnectionState()
			info, err := spki.FromCertificate(st.PeerCertificates[0])
			if err != nil {
				t.Fatal(err)
			}
			key := info.Key
			if !key.Verify(st.PeerProof.Digest, st.PeerProof.Signature) {
				t.Errorf("%v, suite %#04x: not the proof of the client: %+v", set, suite, st.PeerProof)
			}
			st.PeerProof.Signature[0] ^= 1
			if key.Verify(st.PeerProof.Digest, st.PeerProof.Signature) {
				t.Errorf("%v, suite %#04x: anything is a proof", set, suite)
			}
		}
	}
	_, server := connected(t, &Config{InsecureSkipVerify: true, CipherSuites: suites12},
		&Config{CipherSuites: suites12, Certificates: []Certificate{testCert(t, cryptoProA)}})
	if p := server.ConnectionState().PeerProof; p.Digest != nil || p.Signature != nil {
		t.Errorf("nobody has proven anything: %+v", p)
	}
}
