package mgm

import (
	"bytes"
	"crypto/hkdf"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"testing"

	"propusk/gost/internal/corpus"
	"propusk/gost/internal/cryptotest"
	"propusk/gost/kdf"
	"propusk/gost/kuznyechik"
	"propusk/gost/magma"
	"propusk/gost/streebog"
)

// recorded are connections of TLS 1.3 between OpenSSL and itself, with a gost-engine
// that has MGM.
var recorded = []string{
	"c103-256TCA-GC256A-mtls", "c104-resumed", "c105-256A-GC256B-mtls", "c105-512C-GC512C-mtls", "c105-keyupdate", "c106-256TCA-GC256A-mtls",
}

var suites = map[uint64]struct {
	masks kdf.Masks
	new   newCipher
}{
	0xc103: {kdf.KuznyechikMGML, kuznyechik.New},
	0xc104: {kdf.MagmaMGML, magma.New},
	0xc105: {kdf.KuznyechikMGMS, kuznyechik.New},
	0xc106: {kdf.MagmaMGMS, magma.New},
}

// TestRecorded opens every record of recorded connections, and seals it again.
func TestRecorded(t *testing.T) { cryptotest.Paths(t, testRecorded) }

func testRecorded(t *testing.T) {
	for _, name := range recorded {
		var connection struct {
			Suite   string
			Secrets map[string]string
			C2S     string `json:"c2s"`
			S2C     string `json:"s2c"`
		}
		if err := json.Unmarshal(corpus.Read(t, "testbed/tls/vectors13/"+name+".json"), &connection); err != nil {
			t.Fatal(err)
		}
		suite, err := strconv.ParseUint(connection.Suite, 16, 16)
		if err != nil {
			t.Fatal(err)
		}
		for who, records := range map[string]string{"CLIENT": connection.C2S, "SERVER": connection.S2C} {
			d := &direction{t: t, suite: suite}
			d.start(unhex(t, connection.Secrets[who+"_HANDSHAKE_TRAFFIC_SECRET"]))
			d.next = unhex(t, connection.Secrets[who+"_TRAFFIC_SECRET_0"])
			if count := d.run(unhex(t, records)); count < 2 {
				t.Errorf("%s, %s: only %d protected records", name, who, count)
			}
		}
	}
}

// direction reads what one side sends.
type direction struct {
	t     *testing.T
	suite uint64
	tree  *kdf.TLSTree
	iv    []byte
	seq   uint64
	next  []byte // the secret that follows
}

// start begins with record 0 under a traffic secret, RFC 8446, Section 7.3.
func (d *direction) start(secret []byte) {
	d.tree = kdf.NewTLSTree(suites[d.suite].masks, d.expand(secret, "key", 32))
	d.iv = d.expand(secret, "iv", block(d.t, suites[d.suite].new, make([]byte, 32)).BlockSize())
	d.seq = 0
	d.next = d.expand(secret, "traffic upd", 32)
}

// expand is HKDF-Expand-Label without context, RFC 8446, Section 7.1.
func (d *direction) expand(secret []byte, label string, size int) []byte {
	label = "tls13 " + label
	out, err := hkdf.Expand(streebog.New256, secret, string([]byte{0, byte(size), byte(len(label))})+label+"\x00", size)
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

// run opens all protected records. A record that does not open must do so as the first
// one under the next secret.
func (d *direction) run(stream []byte) (count int) {
	for len(stream) >= 5 {
		size := 5 + int(binary.BigEndian.Uint16(stream[3:]))
		record := stream[:size]
		stream = stream[size:]
		if record[0] != 0x17 {
			continue
		}
		if !d.open(record) {
			d.start(d.next)
			if !d.open(record) {
				d.t.Fatalf("record %d does not open", count)
			}
		}
		count++
	}
	return count
}

func (d *direction) open(record []byte) bool {
	key := d.tree.Key(d.seq)
	a := aead(d.t, suites[d.suite].new, key[:])
	nonce := bytes.Clone(d.iv)
	for i := range 8 {
		nonce[len(nonce)-1-i] ^= byte(d.seq >> (8 * i))
	}
	nonce[0] &= 0x7f
	plain, err := a.Open(nil, nonce, record[5:], record[:5])
	if err != nil {
		return false
	}
	if got := a.Seal(nil, nonce, plain, record[:5]); !bytes.Equal(got, record[5:]) {
		d.t.Errorf("record %d seals as %x, want %x", d.seq, got, record[5:])
	}
	d.seq++
	return true
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil || len(b) == 0 {
		t.Fatalf("not hexadecimal: %q", s)
	}
	return b
}
