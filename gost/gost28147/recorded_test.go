package gost28147

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"testing"

	"propusk/gost/internal/corpus"
	"propusk/gost/internal/cryptotest"
	"propusk/gost/kdf"
)

// TestRecorded decrypts recorded connections of TLS 1.2 between OpenSSL or GnuTLS and
// OpenSSL with gost-engine, and checks all their codes: RFC 9189, Section 4.1.2.
func TestRecorded(t *testing.T) { cryptotest.Paths(t, testRecorded) }

func testRecorded(t *testing.T) {
	for _, name := range []string{
		"c102-256A-many", "c102-256A-big", "c102-256A-gnutls", "c102-512B-mtls-256TCA", "c102-256A-resumed-ticket",
		"ff85-256A-mtls-512C", "ff85-256A-resumed-id",
	} {
		var c struct {
			ClientRandom string `json:"client_random"`
			MasterSecret string `json:"master_secret"`
			C2S          string `json:"c2s"`
			S2C          string `json:"s2c"`
		}
		if err := json.Unmarshal(corpus.Read(t, "testbed/tls/vectors/"+name+".json"), &c); err != nil {
			t.Fatal(err)
		}
		c2s, s2c := unhex(t, c.C2S), unhex(t, c.S2C)
		const serverRandom = 5 + 4 + 2 // after the headers of record and message, and the version
		seed := append(bytes.Clone(s2c[serverRandom:][:32]), unhex(t, c.ClientRandom)...)
		keys := kdf.PRF(unhex(t, c.MasterSecret), "key expansion", seed, 4*KeySize+2*BlockSize)
		for i, stream := range [][]byte{c2s, s2c} {
			macKey, key := keys[KeySize*i:][:KeySize], keys[KeySize*(2+i):][:KeySize]
			iv := keys[4*KeySize+BlockSize*i:][:BlockSize]
			if count := checkRecords(t, name, macKey, key, iv, stream); count < 2 {
				t.Errorf("%s: only %d protected records", name, count)
			}
		}
	}
}

// checkRecords checks all records of a direction after ChangeCipherSpec.
func checkRecords(t *testing.T, name string, macKey, key, iv, stream []byte) int {
	t.Helper()
	gamma := newCNT(t, key, iv, TC26Z(), MeshingCryptoPro)
	mac := newIMIT(t, macKey, nil, TC26Z(), MeshingCryptoPro, MACSize)
	protected, seq := false, uint64(0)
	for len(stream) >= 5 {
		size := 5 + int(binary.BigEndian.Uint16(stream[3:]))
		header, fragment := stream[:3], bytes.Clone(stream[5:size])
		stream = stream[size:]
		if !protected {
			protected = header[0] == 20 // change_cipher_spec
			continue
		}
		gamma.XORKeyStream(fragment, fragment)
		content, code := fragment[:len(fragment)-MACSize], fragment[len(fragment)-MACSize:]
		mac.Write(binary.BigEndian.AppendUint64(nil, seq))
		mac.Write(binary.BigEndian.AppendUint16(bytes.Clone(header), uint16(len(content))))
		mac.Write(content)
		if got := mac.Sum(nil); !bytes.Equal(got, code) {
			t.Fatalf("%s, record %d: code %x, want %x", name, seq, got, code)
		}
		seq++
	}
	return int(seq)
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil || len(b) == 0 {
		t.Fatalf("not hexadecimal: %q", s)
	}
	return b
}
