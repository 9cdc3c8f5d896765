package gosttls

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
	"propusk/gost/gosttls/internal/wire"
	"propusk/gost/keywrap"
	"propusk/gost/spki"
	"propusk/gost/vko"
)

// keyExchange is a ClientKeyExchange of either kind, in the parts that both have.
type keyExchange struct {
	key    *[]byte // DER of the ephemeral key
	sealed *[]byte // the premaster secret, encrypted; with KExp15 the MAC follows
	mac    *[]byte // of KExp28147, else nil
	ukm    *[]byte

	message interface{ Marshal() []byte }
}

func parseKeyExchange(t testing.TB, suite uint16, body []byte) *keyExchange {
	t.Helper()
	if secretsOf(t, suite).suite.KeyExchange == record.KeyExchangeKExp28147 {
		m, err := message.ParseClientKeyExchange28147(body)
		if err != nil {
			t.Fatal(err)
		}
		return &keyExchange{key: &m.EphemeralKey, sealed: &m.EncryptedKey, mac: &m.MAC, ukm: &m.UKM, message: m}
	}
	m, err := message.ParseClientKeyExchange(body)
	if err != nil {
		t.Fatal(err)
	}
	return &keyExchange{key: &m.EphemeralKey, sealed: &m.KeyExp, ukm: &m.UKM, message: m}
}

func (k *keyExchange) body() []byte { return k.message.Marshal()[message.HeaderSize:] }

// exchangeWith makes a client send a ClientKeyExchange body made by f from a good
// one. It returns how often the server used its key.
func exchangeWith(t *testing.T, cert Certificate, suite uint16, f func(hs *clientHandshake, good []byte) []byte) (agreements int32, clientErr, serverErr error) {
	t.Helper()
	key := &spy{agreeing: cert.PrivateKey.(agreeing)}
	server := &Config{Certificates: []Certificate{{Chain: cert.Chain, PrivateKey: key}}, CipherSuites: []uint16{suite}}
	client := &Config{InsecureSkipVerify: true, CipherSuites: []uint16{suite}}
	clientErr, serverErr = attackServer(t, client, server, func(hs *clientHandshake) []step {
		return with(honest(hs), atKeyExchange, func() error {
			premaster, raw, err := hs.exportPremaster(rand.Reader, hs.serverKey)
			if err != nil {
				return err
			}
			if err := hs.send(withBody(message.TypeClientKeyExchange, f(hs, raw[message.HeaderSize:]))); err != nil {
				return err
			}
			return hs.establishKeys(premaster)
		})
	})
	if n := key.signatures.Load(); n != 0 {
		t.Errorf("the server signed %d times", n)
	}
	return key.agreements.Load(), clientErr, serverErr
}

// alertOfBadExchange is the one answer to all ClientKeyExchange that cannot be used:
// with CNT_IMIT it comes only after Finished.
func alertOfBadExchange(t testing.TB, suite uint16) Alert {
	if secretsOf(t, suite).suite.KeyExchange == record.KeyExchangeKExp28147 {
		return wire.AlertBadRecordMAC
	}
	return wire.AlertDecryptError
}

// wantBadExchange checks that a ClientKeyExchange got the one answer, after the one
// use of the server's key that a good one costs.
func wantBadExchange(t *testing.T, name string, cert Certificate, suite uint16, f func(hs *clientHandshake, good []byte) []byte) {
	t.Helper()
	agreements, c, s := exchangeWith(t, cert, suite, f)
	want := alertOfBadExchange(t, suite)
	if refusal, ok := errors.AsType[*ProtocolError](s); !ok || refusal.Alert != want || !isRemote(c, want) || !errors.Is(s, errKeyExchange) {
		t.Errorf("%#x, %s: client %v, server %v; want %v", suite, name, c, s, want)
	}
	if agreements != 1 {
		t.Errorf("%#x, %s: the server used its key %d times, want 1", suite, name, agreements)
	}
}

// otherKey returns the DER of a key with another parameter set.
func otherKey(t testing.TB, p paramSet) []byte {
	t.Helper()
	info, err := peerKey(testCert(t, p).Chain[0])
	if err != nil {
		t.Fatal(err)
	}
	return info.Raw
}

// Every ClientKeyExchange with wrong values gets the same answer for the same work.
func TestClientKeyExchangeRefused(t *testing.T) {
	cert := testCert(t, cryptoProA)
	for name, change := range map[string]func(hs *clientHandshake, k *keyExchange){
		"curve of the same size": func(_ *clientHandshake, k *keyExchange) { *k.key = otherKey(t, tc26256A) },
		"curve of another size":  func(_ *clientHandshake, k *keyExchange) { *k.key = otherKey(t, tc26512A) },
		"another good key":       func(_ *clientHandshake, k *keyExchange) { *k.key = otherKey(t, cryptoProA) },
		"point not on the curve": func(_ *clientHandshake, k *keyExchange) { (*k.key)[len(*k.key)-1] ^= 1 },
		"point of zeros":         func(_ *clientHandshake, k *keyExchange) { clear((*k.key)[len(*k.key)-64:]) },
		"coordinates beyond p": func(_ *clientHandshake, k *keyExchange) {
			copy((*k.key)[len(*k.key)-64:], bytes.Repeat([]byte{0xff}, 64))
		},
		"the server's own key":    func(hs *clientHandshake, k *keyExchange) { *k.key = hs.serverKey.Raw },
		"flipped bit, first byte": func(_ *clientHandshake, k *keyExchange) { (*k.sealed)[0] ^= 1 },
		"flipped bit, last byte":  func(_ *clientHandshake, k *keyExchange) { (*k.sealed)[len(*k.sealed)-1] ^= 0x80 },
		"secret too short":        func(_ *clientHandshake, k *keyExchange) { *k.sealed = (*k.sealed)[1:] },
		"secret too long":         func(_ *clientHandshake, k *keyExchange) { *k.sealed = append(bytes.Clone(*k.sealed), 0) },
		"no secret":               func(_ *clientHandshake, k *keyExchange) { *k.sealed = nil },
		"key of 2001": func(_ *clientHandshake, k *keyExchange) {
			info, err := spki.Parse(*k.key)
			if err != nil {
				t.Fatal(err)
			}
			info.Algorithm.Algorithm = spki.OID2001
			if *k.key, err = spki.Marshal(info.Algorithm, info.Key); err != nil {
				t.Fatal(err)
			}
		},
	} {
		for _, suite := range suites12 {
			wantBadExchange(t, name, cert, suite, func(hs *clientHandshake, good []byte) []byte {
				k := parseKeyExchange(t, suite, bytes.Clone(good))
				change(hs, k)
				return k.body()
			})
		}
	}
	for _, suite := range suites12 {
		wantBadExchange(t, "randoms of another connection", cert, suite, func(hs *clientHandshake, _ []byte) []byte {
			other := hs.secrets
			other.serverRandom[0] ^= 1
			_, raw, err := other.exportPremaster(rand.Reader, hs.serverKey)
			if err != nil {
				t.Error(err)
				return nil
			}
			return raw[message.HeaderSize:]
		})
	}
}

// harmless reports whether a spoilt body is one of the few that may be taken: ukm of
// CTR_OMAC is ignored, CNT_IMIT may have a SEQUENCE after keyBlob, and what stands
// beside the curve in the parameters of the ephemeral key matters to nobody.
func harmless(suite uint16, good []byte, s shape) bool {
	path, name, _ := strings.Cut(s.name, ": ")
	params := "0.1.0.1"
	if suite == CNTIMIT || suite == LegacyCNTIMIT {
		params = "0.0.1.1.0.1"
		if path == "0.0" && name == "twice" {
			return true
		}
	} else if path == "0.2" {
		return slices.Contains([]string{"absent", "empty", "one byte more", "one byte less", "half"}, name)
	}
	if !strings.HasPrefix(path, params) {
		return false
	}
	theirs, err := ephemeralOf(suite, s.body)
	if err != nil {
		return false
	}
	ours, err := ephemeralOf(suite, good)
	return err == nil && theirs.Equal(ours)
}

// ephemeralOf returns the ephemeral key in a ClientKeyExchange.
func ephemeralOf(suite uint16, body []byte) (*gost3410.PublicKey, error) {
	s := secrets{}
	s.suite, _ = record.SuiteByID(suite)
	der, _, err := s.parseTransport(body)
	if err != nil {
		return nil, err
	}
	info, err := spki.Parse(der)
	return info.Key, err
}

// Bodies of every shape that is not the right one, for every suite: each element
// absent, doubled, empty, cut, with other tags, with lengths of every kind. One alert,
// the same work.
func TestClientKeyExchangeShapes(t *testing.T) {
	for _, p := range []paramSet{cryptoProA, tc26512A} {
		cert := testCert(t, p)
		for _, suite := range suites12 {
			tried := 0
			agreements, c, s := exchangeWith(t, cert, suite, func(hs *clientHandshake, good []byte) []byte {
				all := shapesOf(t, good)
				for n := range good {
					all = append(all, shape{fmt.Sprintf("first %d bytes", n), good[:n]})
				}
				for _, s := range all {
					if !harmless(suite, good, s) {
						wantUnusable(t, &hs.secrets, cert.PrivateKey, s)
						tried++
					}
				}
				return good
			})
			if c != nil || s != nil || agreements != 1 || tried < 300 {
				t.Errorf("%#x: client %v, server %v, %d agreements; %d shapes", suite, c, s, agreements, tried)
			}
		}
	}
}

// wantUnusable gives a body to the server's side of the key exchange, which takes the
// randoms of the handshake from the client here.
func wantUnusable(t *testing.T, s *secrets, key PrivateKey, body shape) {
	t.Helper()
	spied := &spy{agreeing: key.(agreeing)}
	premaster, genuine, err := s.importPremaster(rand.Reader, spied, body.body)
	if genuine != 0 || spied.agreements.Load() != 1 {
		t.Errorf("%#x, %s: genuine %d, %d agreements\n%x", s.suite.ID, body.name, genuine, spied.agreements.Load(), body.body)
	}
	if s.suite.KeyExchange == record.KeyExchangeKExp28147 {
		if err != nil || len(premaster) != premasterSize {
			t.Errorf("%#x, %s: %x, %v", s.suite.ID, body.name, premaster, err)
		}
		return
	}
	refusal, ok := errors.AsType[*ProtocolError](err)
	if !ok || refusal.Alert != wire.AlertDecryptError || !errors.Is(err, errKeyExchange) || premaster != nil {
		t.Errorf("%#x, %s: %x, %v", s.suite.ID, body.name, premaster, err)
	}
}

// Some of these shapes on the wire: the peer sees one alert.
func TestClientKeyExchangeShapesOnTheWire(t *testing.T) {
	cert := testCert(t, cryptoProA)
	for _, suite := range suites12 {
		for name, change := range map[string]func(good []byte) []byte{
			"empty":         func([]byte) []byte { return nil },
			"trailing byte": func(good []byte) []byte { return append(bytes.Clone(good), 0) },
			"length in front": func(good []byte) []byte {
				return append([]byte{0, byte(len(good))}, good...)
			},
			"no ephemeral key": func(good []byte) []byte {
				root := parseDER(t, good)[0]
				if suite == CNTIMIT || suite == LegacyCNTIMIT { // quirk of gost-engine: the key of the certificate
					params := root.children[0].children[1]
					params.children = slices.Delete(params.children, 1, 2)
				} else {
					root.children = slices.Delete(root.children, 1, 2)
				}
				return root.der()
			},
			"two after keyBlob": func(good []byte) []byte {
				root := parseDER(t, good)[0]
				root.children = append(root.children, &derNode{tag: 0x30}, &derNode{tag: 0x30})
				return root.der()
			},
			"64 KiB": func(good []byte) []byte { return make([]byte, message.MaxBody) },
		} {
			wantBadExchange(t, name, cert, suite, func(_ *clientHandshake, good []byte) []byte { return change(good) })
		}
	}
}

// The parts that only the blob of CNT_IMIT has. GOST-TLS says UKM = H[1..8]; without
// that a blob could be moved from one connection to another.
func TestClientKeyExchange28147Refused(t *testing.T) {
	cert := testCert(t, cryptoProA)
	for name, change := range map[string]func(k *keyExchange){
		"MAC":           func(k *keyExchange) { (*k.mac)[3] ^= 1 },
		"short MAC":     func(k *keyExchange) { *k.mac = (*k.mac)[:3] },
		"long MAC":      func(k *keyExchange) { *k.mac = append(bytes.Clone(*k.mac), 0) },
		"no MAC":        func(k *keyExchange) { *k.mac = nil },
		"UKM":           func(k *keyExchange) { (*k.ukm)[0] ^= 1 },
		"UKM of zeros":  func(k *keyExchange) { *k.ukm = make([]byte, 8) },
		"short UKM":     func(k *keyExchange) { *k.ukm = (*k.ukm)[:7] },
		"long UKM":      func(k *keyExchange) { *k.ukm = append(bytes.Clone(*k.ukm), 0) },
		"no UKM":        func(k *keyExchange) { *k.ukm = nil },
		"shifted parts": func(k *keyExchange) { *k.ukm, *k.sealed = append(bytes.Clone(*k.ukm), (*k.sealed)[0]), (*k.sealed)[1:] },
		"moved from the MAC": func(k *keyExchange) {
			*k.sealed, *k.mac = append(bytes.Clone(*k.sealed), (*k.mac)[0]), (*k.mac)[1:]
		},
	} {
		for _, suite := range []uint16{CNTIMIT, LegacyCNTIMIT} {
			wantBadExchange(t, name, cert, suite, func(_ *clientHandshake, good []byte) []byte {
				k := parseKeyExchange(t, suite, bytes.Clone(good))
				change(k)
				return k.body()
			})
		}
	}
}

// A blob is bound to its connection by the UKM in it, and not only by its key: one that is
// whole in itself, but for the UKM of another connection, is not taken.
func TestUKMOfAnotherConnection(t *testing.T) {
	cert := testCert(t, cryptoProA)
	for _, suite := range []uint16{CNTIMIT, LegacyCNTIMIT} {
		s := secretsOf(t, suite)
		info, err := peerKey(cert.Chain[0])
		if err != nil {
			t.Fatal(err)
		}
		for flip, want := range map[byte]int{0: 1, 1: 0} {
			ephemeral, err := gost3410.GenerateKey(info.Key.Curve(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			h := s.randomsHash()
			export, err := vko.KEG28147(ephemeral, info.Key, h)
			if err != nil {
				t.Fatal(err)
			}
			ukm := bytes.Clone(h[:keywrap.IVSize28147])
			ukm[0] ^= flip
			premaster := bytes.Repeat([]byte{7}, premasterSize)
			wrapped, err := keywrap.KExp28147(export, ukm, premaster)
			if err != nil {
				t.Fatal(err)
			}
			key, err := ephemeralInfo(ephemeral, info)
			if err != nil {
				t.Fatal(err)
			}
			sealed := wrapped[keywrap.IVSize28147:]
			m := &message.ClientKeyExchange28147{EncryptedKey: sealed[:premasterSize], MAC: sealed[premasterSize:], EphemeralKey: key, UKM: ukm}
			got, genuine, err := s.importPremaster(rand.Reader, cert.PrivateKey, m.Marshal()[message.HeaderSize:])
			if err != nil || genuine != want || bytes.Equal(got, premaster) != (want == 1) {
				t.Errorf("%#04x, UKM changed by %d: %x, genuine %d, %v", suite, flip, got, genuine, err)
			}
		}
	}
}

// A random premaster secret goes on where the import failed, and it is random: the
// client cannot know it, also if it knows what the blob decrypts to.
func TestSubstituteOfPremaster(t *testing.T) {
	cert := testCert(t, cryptoProA)
	s := secretsOf(t, CNTIMIT)
	info, err := peerKey(cert.Chain[0])
	if err != nil {
		t.Fatal(err)
	}
	premaster, raw, err := s.exportPremaster(rand.Reader, info)
	if err != nil {
		t.Fatal(err)
	}
	body := raw[message.HeaderSize:]
	if got, genuine, err := s.importPremaster(rand.Reader, cert.PrivateKey, body); err != nil || genuine != 1 || !bytes.Equal(got, premaster) {
		t.Fatalf("%x, %d, %v", got, genuine, err)
	}
	k := parseKeyExchange(t, CNTIMIT, body)
	(*k.mac)[0] ^= 1
	var seen [][]byte
	for _, bad := range [][]byte{k.body(), k.body(), nil, {0x30}} {
		got, genuine, err := s.importPremaster(rand.Reader, cert.PrivateKey, bad)
		if err != nil || genuine != 0 || len(got) != premasterSize || bytes.Equal(got, premaster) {
			t.Fatalf("%x: %x, %d, %v", bad, got, genuine, err)
		}
		if slices.ContainsFunc(seen, func(b []byte) bool { return bytes.Equal(b, got) }) {
			t.Errorf("%x twice", got)
		}
		seen = append(seen, got)
	}
	if got, genuine, err := s.importPremaster(&failingReader{}, cert.PrivateKey, body); err == nil || genuine != 0 || got != nil {
		t.Errorf("without randomness: %x, %d, %v", got, genuine, err)
	}
}

// Points outside the subgroup of prime order tell something about the server's
// key, even if the agreement fails: they must not come near it.
func TestPointsOfSmallOrder(t *testing.T) {
	for _, p := range []paramSet{tc26256A, tc26512C} {
		cert := testCert(t, p)
		for name, raw := range badPoints(t, p) {
			for _, suite := range suites12 {
				peers := &peerSpy{agreeing: cert.PrivateKey.(agreeing)}
				spied := Certificate{Chain: cert.Chain, PrivateKey: peers}
				wantBadExchange(t, fmt.Sprint(p, ", ", name), spied, suite, func(_ *clientHandshake, good []byte) []byte {
					k := parseKeyExchange(t, suite, bytes.Clone(good))
					copy((*k.key)[len(*k.key)-len(raw):], raw)
					return k.body()
				})
				if !slices.ContainsFunc(peers.seen, func(k *gost3410.PublicKey) bool { return k.Equal(cert.PrivateKey.Public()) }) {
					t.Errorf("%v, %s, %#x: the key met %v", p, name, suite, peers.seen)
				}
			}
		}
	}
}

// peerSpy notes which public keys a private key meets.
type peerSpy struct {
	agreeing
	seen []*gost3410.PublicKey
}

func (s *peerSpy) SharedPoint(peer *gost3410.PublicKey, ukm []byte) ([]byte, error) {
	s.seen = append(s.seen, peer)
	return s.agreeing.SharedPoint(peer, ukm)
}

// Old clients append an element that nobody reads; RFC 9189 lets the server ignore ukm.
func TestClientKeyExchangeTolerated(t *testing.T) {
	cert := testCert(t, cryptoProA)
	for name, test := range map[string]struct {
		suites []uint16
		change func(t *testing.T, suite uint16, good []byte) []byte
	}{
		"proxyKeyBlobs": {[]uint16{CNTIMIT, LegacyCNTIMIT}, func(t *testing.T, _ uint16, good []byte) []byte {
			m, err := message.ParseClientKeyExchange28147(good)
			if err != nil {
				t.Fatal(err)
			}
			m.Proxies = []byte{0x30, 4, 4, 2, 1, 2}
			return m.Marshal()[message.HeaderSize:]
		}},
		"no ukm": {[]uint16{KuznyechikCTROMAC, MagmaCTROMAC}, func(t *testing.T, suite uint16, good []byte) []byte {
			k := parseKeyExchange(t, suite, good)
			*k.ukm = nil
			return k.body()
		}},
		"another ukm": {[]uint16{KuznyechikCTROMAC, MagmaCTROMAC}, func(t *testing.T, suite uint16, good []byte) []byte {
			k := parseKeyExchange(t, suite, good)
			*k.ukm = []byte{1}
			return k.body()
		}},
	} {
		for _, suite := range test.suites {
			agreements, c, s := exchangeWith(t, cert, suite, func(_ *clientHandshake, good []byte) []byte { return test.change(t, suite, good) })
			if c != nil || s != nil || agreements != 1 {
				t.Errorf("%#x, %s: client %v, server %v, %d agreements", suite, name, c, s, agreements)
			}
		}
	}
}

// RFC 9189, Section 10: one curve may have several names.
func TestEquivalentParameterSets(t *testing.T) {
	names := map[string][]paramSet{
		"CryptoPro-A": {paramSets[0], paramSets[3], paramSets[6]},
		"CryptoPro-B": {paramSets[1], paramSets[7]},
		"CryptoPro-C": {paramSets[2], paramSets[4], paramSets[8]},
	}
	for curve, sets := range names {
		for _, ours := range sets {
			cert := testCert(t, ours)
			for _, theirs := range sets {
				alg, err := spki.AlgorithmFor(theirs.oid)
				if err != nil {
					t.Fatal(err)
				}
				for _, suite := range suites12 {
					client := &Config{InsecureSkipVerify: true, CipherSuites: []uint16{suite}}
					server := &Config{Certificates: []Certificate{cert}, CipherSuites: []uint16{suite}}
					c, s := attackServer(t, client, server, func(hs *clientHandshake) []step {
						return before(honest(hs), atKeyExchange, func() error {
							hs.serverKey.Algorithm = alg
							return nil
						})
					})
					if c != nil || s != nil {
						t.Errorf("%s, %v and %v, %#x: client %v, server %v", curve, ours, theirs, suite, c, s)
					}
				}
			}
		}
	}
}
