package keyring_test

import (
	"net"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls"
	"propusk/tokens/keyring"
	"propusk/tokens/soft/softtest"
)

// BenchmarkHandshake is whole handshakes, both sides, with the key of the server in a file and
// in the library of soft tokens.
func BenchmarkHandshake(b *testing.B) {
	curve := gost3410.TC26256A()
	private, err := gost3410.GenerateKey(curve, nil)
	if err != nil {
		b.Fatal(err)
	}
	token := softtest.New(b, softtest.Options{NoKey: true})
	b.Setenv(softtest.Environment, token.Dir)
	token.Import(b, private, paramSet(curve), "key", 7, 0)
	ring := newRing(b, keyring.Options{Sessions: 2})
	inside, err := ring.Key(parse(b, "pkcs11:id=%07?module-path="+softtest.Module(b), pinFile(b, token.PIN)))
	if err != nil {
		b.Fatal(err)
	}
	chain := [][]byte{softtest.Certificate(b, private, paramSet(curve), "Server")}
	for _, version := range []uint16{gosttls.VersionTLS12, gosttls.VersionTLS13} {
		for name, key := range map[string]gosttls.PrivateKey{"file": private, "module": inside} {
			cert, err := gosttls.NewCertificate(chain, key)
			if err != nil {
				b.Fatal(err)
			}
			server := &gosttls.Config{Certificates: []gosttls.Certificate{cert}, MaxVersion: version}
			client := &gosttls.Config{InsecureSkipVerify: true, MaxVersion: version}
			b.Run(map[uint16]string{gosttls.VersionTLS12: "1.2/", gosttls.VersionTLS13: "1.3/"}[version]+name, func(b *testing.B) {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						handshake(b, client, server)
					}
				})
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "handshakes/s")
			})
		}
	}
}

func handshake(b *testing.B, client, server *gosttls.Config) {
	c, s := net.Pipe()
	defer c.Close()
	defer s.Close()
	done := make(chan error, 1)
	go func() { done <- gosttls.Server(s, server).Handshake() }()
	if err := gosttls.Client(c, client).Handshake(); err != nil {
		b.Error(err)
	}
	if err := <-done; err != nil {
		b.Error(err)
	}
}
