package gosttls

import (
	"crypto"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/wire"
	"propusk/gost/vko"
)

// inside is a key of a token, which keeps the shared point to itself.
type inside struct {
	crypto.Signer
	key     agreeing
	derives vko.Functions
	derived atomic.Int32
}

func within(key PrivateKey, derives vko.Functions) *inside {
	return &inside{Signer: key, key: key.(agreeing), derives: derives}
}

func (k *inside) Derives() vko.Functions { return k.derives }

func (k *inside) VKO256(peer *gost3410.PublicKey, ukm []byte) ([]byte, error) {
	k.derived.Add(1)
	return vko.VKO256(k.key, peer, ukm)
}

func (k *inside) KEG(peer *gost3410.PublicKey, h []byte) ([]byte, error) {
	k.derived.Add(1)
	return vko.KEG(k.key, peer, h)
}

const everything = vko.FunctionVKO256 | vko.FunctionKEG

// signerOnly is a key that does nothing but sign.
type signerOnly struct{ crypto.Signer }

// What a key can do is what the server speaks: every suite with every key.
func TestDerivers(t *testing.T) {
	combinations(func(version, suite uint16) {
		for _, set := range []paramSet{cryptoProA, tc26512C} {
			for derives := range everything + 1 {
				clientConfig, serverConfig := old(t, version, suite, set, set)
				key := within(serverConfig.Certificates[0].PrivateKey, derives)
				serverConfig.Certificates[0].PrivateKey = key
				serverConfig.MaxVersion, serverConfig.CipherSuites = VersionTLS13, []uint16{suite, KuznyechikMGMS}
				need := vko.FunctionKEG
				if suite == CNTIMIT || suite == LegacyCNTIMIT {
					need = vko.FunctionVKO256
				}
				if cert := serverConfig.Certificates[0]; cert.Serves(suite) != (derives&need != 0) || !cert.Serves(KuznyechikMGMS) || cert.Serves(0) {
					t.Errorf("%#04x with a key that derives %d: %v", suite, derives, cert.Serves(suite))
				}
				if derives&need != 0 {
					client, server := connected(t, clientConfig, serverConfig)
					exchange(t, client, server)
					if key.derived.Load() != 1 {
						t.Errorf("%#04x, %#04x, %v: derived %d times", version, suite, set, key.derived.Load())
					}
					continue
				}
				c, s := shake(connPair(t, clientConfig, serverConfig))
				if c == nil || s == nil || key.derived.Load() != 0 || serverConfig.speaks(VersionTLS13) != true {
					t.Errorf("%#04x, %#04x, %v: client %v, server %v with a key that derives %d", version, suite, set, c, s, derives)
				}
			}
		}
	})
}

// A key that only signs is enough for TLS 1.3 and for clients, and for no other server.
func TestSignerOnly(t *testing.T) {
	for _, version := range []uint16{VersionTLS12, VersionTLS13} {
		clientConfig, serverConfig := mutual(t, cryptoProA, cryptoProA)
		clientConfig.MaxVersion, serverConfig.MaxVersion = version, VersionTLS13
		clientConfig.Certificates[0].PrivateKey = signerOnly{clientConfig.Certificates[0].PrivateKey}
		if version == VersionTLS13 {
			serverConfig.Certificates[0].PrivateKey = signerOnly{serverConfig.Certificates[0].PrivateKey}
		}
		_, server := connected(t, clientConfig, serverConfig)
		if s := server.ConnectionState(); s.Version != version || len(s.PeerCertificates) != 1 {
			t.Errorf("%+v", s)
		}
	}
	clientConfig, serverConfig := mutual(t, cryptoProA, cryptoProA)
	serverConfig.Certificates[0].PrivateKey = signerOnly{serverConfig.Certificates[0].PrivateKey}
	clientConfig.MaxVersion, serverConfig.MaxVersion = VersionTLS12, VersionTLS13
	c, s := shake(connPair(t, clientConfig, serverConfig))
	wantRefusal(t, wire.AlertProtocolVersion, s, c)
	serverConfig.MaxVersion = VersionTLS12
	if err := serverConfig.check(false); err == nil || !strings.Contains(err.Error(), "only signs") {
		t.Errorf("%v", err)
	}
	// Nor is it asked by mistake.
	if _, err := keg(serverConfig.Certificates[0].PrivateKey, nil, nil); !errors.Is(err, errSigner) {
		t.Errorf("%v", err)
	}
	if _, err := keg28147(serverConfig.Certificates[0].PrivateKey, nil, nil); !errors.Is(err, errSigner) {
		t.Errorf("%v", err)
	}
}

// Of two certificates that whose key does the suite is taken; GetCertificate may give one
// that does not.
func TestCertificateByKey(t *testing.T) {
	clientConfig, serverConfig := mutual(t, cryptoProA, cryptoProA)
	clientConfig.CipherSuites = []uint16{KuznyechikCTROMAC, CNTIMIT}
	first, second := testCert(t, cryptoProA), testCert(t, cryptoProA)
	weak, strong := within(first.PrivateKey, 0), within(second.PrivateKey, vko.FunctionVKO256)
	first.PrivateKey, second.PrivateKey = weak, strong
	serverConfig.Certificates = []Certificate{first, second}
	_, server := connected(t, clientConfig, serverConfig)
	if s := server.ConnectionState(); s.CipherSuite != CNTIMIT || strong.derived.Load() != 1 || weak.derived.Load() != 0 {
		t.Errorf("%+v", s)
	}
	serverConfig.GetCertificate = func(*ClientHelloInfo) (*Certificate, error) { return &first, nil }
	c, s := shake(connPair(t, clientConfig, serverConfig))
	wantRefusal(t, wire.AlertHandshakeFailure, s, c)
	if !errors.Is(s, ErrNoSharedSuite) {
		t.Errorf("%v", s)
	}
}

// lyingModule derives what no key derives.
type lyingModule struct {
	*inside
	give []byte
	err  error
}

func (k lyingModule) VKO256(*gost3410.PublicKey, []byte) ([]byte, error) {
	return slices.Clone(k.give), k.err
}
func (k lyingModule) KEG(*gost3410.PublicKey, []byte) ([]byte, error) {
	return slices.Clone(k.give), k.err
}

// What a module derives is not used before its length was looked at, and its failure is
// told to the owner and not to the client.
func TestModulesLie(t *testing.T) {
	for _, suite := range suites12 {
		for name, lie := range map[string]lyingModule{
			"nothing":   {},
			"short":     {give: make([]byte, 31)},
			"long":      {give: make([]byte, 65)},
			"pulled":    {err: errUnwelcome},
			"wrong key": {give: make([]byte, 32)},
		} {
			clientConfig, serverConfig := old(t, VersionTLS12, suite, cryptoProA, cryptoProA)
			lie.inside = within(serverConfig.Certificates[0].PrivateKey, everything)
			if name == "wrong key" && suite != CNTIMIT && suite != LegacyCNTIMIT {
				lie.give = make([]byte, 64)
			}
			serverConfig.Certificates[0].PrivateKey = lie
			c, s := shake(connPair(t, clientConfig, serverConfig))
			alert := wire.AlertDecryptError
			if name == "wrong key" && len(lie.give) == 32 {
				alert = wire.AlertBadRecordMAC // as for a client that guessed the short MAC
			}
			wantRefusal(t, alert, s, c)
			if !errors.Is(s, errKeyExchange) || name == "pulled" && !errors.Is(s, errUnwelcome) {
				t.Errorf("%#04x, %s: %v", suite, name, s)
			}
		}
	}
}

// A bad ClientKeyExchange costs a module what a good one costs: one agreement, with its
// own public key if there is no other.
func TestBadExchangeWithModule(t *testing.T) {
	for _, suite := range suites12 {
		cert := testCert(t, cryptoProA)
		for _, body := range [][]byte{nil, {0}, make([]byte, 200)} {
			key := within(cert.PrivateKey, everything)
			s := secretsOf(t, suite)
			premaster, genuine, err := s.importPremaster(zeroReader{}, key, body)
			legacy := s.suite.KeyExchange == record.KeyExchangeKExp28147
			if genuine != 0 || key.derived.Load() != 1 || legacy != (err == nil) || legacy != (premaster != nil) {
				t.Errorf("%#04x: genuine %d, %d agreements, %x, %v", suite, genuine, key.derived.Load(), premaster, err)
			}
		}
	}
}

// OpenSSL with gost-engine agrees with keys that derive where they are, on every curve.
func TestDeriverInterop(t *testing.T) {
	p := interop(t)
	suites := []uint16{KuznyechikCTROMAC, MagmaCTROMAC, CNTIMIT}
	inParallel(len(paramSets), func(i int) {
		set := paramSets[i]
		cert := p.cert(t, "srv"+set.String())
		cert.PrivateKey = within(cert.PrivateKey, everything)
		addr := serveTell(t, &Config{Certificates: []Certificate{cert}})
		for _, suite := range suites {
			out, err := p.sClient(t, addr, suite)
			if want := fmt.Sprintf("over %s as nobody", opensslSuites[suite]); err != nil || !strings.Contains(out, want) {
				t.Errorf("%v, %#04x: %v\n%s", set, suite, err, out)
			}
		}
	})
}
