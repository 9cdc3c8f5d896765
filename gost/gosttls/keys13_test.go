package gosttls

import (
	"bytes"
	"slices"
	"testing"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/schedule"
	"propusk/gost/gosttls/internal/wire"
	"propusk/gost/internal/vectors"
)

// The key agreement of the examples of RFC 9367, both sides.
func TestAgree(t *testing.T) {
	curves := []*gost3410.Curve{gost3410.TC26512C(), gost3410.CryptoProA()}
	for i, v := range vectors.Load(t, "internal/schedule/testdata/rfc9367.txt") {
		var keys []*gost3410.PrivateKey
		for _, name := range []string{"client key", "server key"} {
			key, err := gost3410.NewPrivateKey(curves[i], v.Hex(t, name))
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, key)
		}
		want := v.Hex(t, "shared")
		for i, key := range keys {
			if got, err := agree(key, keys[1-i].PublicKey().Bytes()); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %x, %v, want %x", v.Name, got, err, want)
			}
		}
		hello, err := message.ParseServerHello(v.Hex(t, "server hello")[message.HeaderSize:])
		if err != nil {
			t.Fatal(err)
		}
		answer, err := message.ParseAnswer13(hello)
		if err != nil || answer.Share.Group != group(curves[i]) || !bytes.Equal(answer.Share.Key, keys[1].PublicKey().Bytes()) {
			t.Errorf("%s: key share %v, %v", v.Name, answer, err)
		}
	}
}

// The binders of an example with HelloRetryRequest, over the transcript as both sides
// keep it.
func TestRetriedTranscript(t *testing.T) {
	v := vectors.Load(t, "internal/schedule/testdata/rfc9367.txt")[1]
	first := slices.Concat(v.Hex(t, "truncated hello"), []byte{0, 33, 32}, v.Hex(t, "binder"))
	early := schedule.New(v.Hex(t, "psk"))
	client, server := newTranscript(), newTranscript()
	client.add(first)
	client.add(v.Hex(t, "retry"))
	client.retry(v.Hex(t, "retry"))
	server.add(first)
	server.retry(nil)
	server.add(v.Hex(t, "retry"))
	second := v.Hex(t, "truncated second hello")
	if got, want := early.Binder(schedule.ExternalBinder, client.hashWith(second)), v.Hex(t, "second binder"); !bytes.Equal(got, want) {
		t.Errorf("binder of the client %x, want %x", got, want)
	}
	server.add(second)
	server.add([]byte("binders"))
	if got, want := early.Binder(schedule.ExternalBinder, server.truncatedHash(7)), v.Hex(t, "second binder"); !bytes.Equal(got, want) {
		t.Errorf("binder of the server %x, want %x", got, want)
	}
}

// The certificate and the proof of an example of RFC 9367.
func TestVerifyOfTheRFC(t *testing.T) {
	v := vectors.Load(t, "internal/schedule/testdata/rfc9367.txt")[0]
	transcript := newTranscript()
	for _, name := range []string{"client hello", "server hello", "encrypted extensions", "certificate"} {
		transcript.add(v.Hex(t, name))
	}
	m, err := message.ParseCertificate13(v.Hex(t, "certificate")[message.HeaderSize:])
	if err != nil {
		t.Fatal(err)
	}
	key, err := peerKey(m.Entries[0].DER)
	if err != nil {
		t.Fatal(err)
	}
	verify, err := message.ParseCertificateVerify(v.Hex(t, "certificate verify")[message.HeaderSize:], VersionTLS13)
	if err != nil {
		t.Fatal(err)
	}
	if mismatch, err := checkScheme13(key.Key.Curve(), verify.Scheme, true); mismatch || err != nil {
		t.Errorf("scheme %#04x: %v, %v", verify.Scheme, mismatch, err)
	}
	slices.Reverse(verify.Signature)
	digest := verifyDigest(key.Key.Curve(), serverContext, transcript.sum256())
	if !key.Key.Verify(digest, verify.Signature) {
		t.Error("the signature of the RFC does not verify")
	}
}

// Groups and schemes go together, and there is one of each for every curve.
func TestGroupsAndSchemes13(t *testing.T) {
	want := map[*gost3410.Curve][2]uint16{
		gost3410.TC26256A(): {34, 0x0709}, gost3410.CryptoProA(): {35, 0x070a}, gost3410.CryptoProB(): {36, 0x070b},
		gost3410.CryptoProC(): {37, 0x070c}, gost3410.TC26512A(): {38, 0x070d}, gost3410.TC26512B(): {39, 0x070e},
		gost3410.TC26512C(): {40, 0x070f},
	}
	if len(defaultCurves()) != len(want) {
		t.Errorf("%d curves by default", len(defaultCurves()))
	}
	for _, curve := range defaultCurves() {
		if got := [2]uint16{group(curve), scheme13(curve)}; got != want[curve] {
			t.Errorf("%v: %#04x, want %#04x", curve, got, want[curve])
		}
	}
	if got := schemes13(); !slices.Equal(got, []uint16{0x0709, 0x070a, 0x070b, 0x070c, 0x070d, 0x070e, 0x070f}) {
		t.Errorf("schemes %#04x", got)
	}
}

// Both sides export the same, and nobody exports before the handshake or of TLS 1.2.
func TestExportKeyingMaterial(t *testing.T) {
	clientConfig, serverConfig := configs13(t, cryptoProA, cryptoProA)
	client, server := connPair(t, clientConfig, serverConfig)
	if _, err := client.ExportKeyingMaterial("label", nil, 32); err == nil {
		t.Error("keying material before the handshake")
	}
	if c, s := shake(client, server); c != nil || s != nil {
		t.Fatal(c, s)
	}
	a, err := client.ExportKeyingMaterial("label", []byte("context"), 77)
	b, err2 := server.ExportKeyingMaterial("label", []byte("context"), 77)
	if err != nil || err2 != nil || len(a) != 77 || !bytes.Equal(a, b) {
		t.Errorf("%x, %v and %x, %v", a, err, b, err2)
	}
	if c, err := server.ExportKeyingMaterial("label", nil, 77); err != nil || bytes.Equal(c, b) {
		t.Errorf("the context does not matter: %v", err)
	}
	for _, n := range []int{-1, maxExport + 1} {
		if _, err := server.ExportKeyingMaterial("label", nil, n); err == nil {
			t.Errorf("%d bytes of keying material", n)
		}
	}
	if _, err := server.ExportKeyingMaterial(string(make([]byte, 201)), nil, 1); err == nil {
		t.Error("a label of 201 bytes")
	}
	if b, err := server.ExportKeyingMaterial("label", nil, maxExport); err != nil || len(b) != maxExport {
		t.Errorf("%d bytes of keying material, %v", len(b), err)
	}
	client, _ = connected(t, nil, nil)
	if _, err := client.ExportKeyingMaterial("label", nil, 32); err == nil {
		t.Error("keying material of TLS 1.2")
	}
}

// The key log has the lines that Wireshark wants, for the same secrets on both sides.
func TestKeyLog13(t *testing.T) {
	clientConfig, serverConfig := configs13(t, cryptoProA, cryptoProA)
	var logs [2]bytes.Buffer
	clientConfig.KeyLogWriter, serverConfig.KeyLogWriter = &logs[0], &logs[1]
	connected(t, clientConfig, serverConfig)
	if logs[0].String() != logs[1].String() {
		t.Errorf("the client logs\n%s\nthe server\n%s", logs[0].String(), logs[1].String())
	}
	lines := bytes.Split(bytes.TrimSpace(logs[0].Bytes()), []byte("\n"))
	var names []string
	for _, line := range lines {
		fields := bytes.Fields(line)
		if len(fields) != 3 || len(fields[1]) != 64 || len(fields[2]) != 64 {
			t.Fatalf("line %q", line)
		}
		names = append(names, string(fields[0]))
	}
	if !slices.Equal(names, []string{
		"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
		"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET",
	}) {
		t.Errorf("lines %v", names)
	}
	clientConfig.KeyLogWriter = brokenWriter{}
	client, server := connPair(t, clientConfig, serverConfig)
	c, s := shake(client, server)
	wantRefusal(t, wire.AlertInternalError, c, s)
}
