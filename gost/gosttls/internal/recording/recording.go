// Package recording reads the handshakes of other implementations that the tests
// of gosttls replay; testdata/README.md says where they come from.
package recording

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Recording is a recorded connection.
type Recording struct {
	Name       string
	ServerCert []byte // PEM
	ServerKey  []byte // PEM

	Master                 []byte // master secret from the key log of the client
	FromClient, FromServer []byte // all bytes on the wire

	// Premaster and EphemeralKey, the little-endian scalar of the client, are
	// known for the examples of the RFC only.
	Premaster, EphemeralKey []byte

	// First is the full handshake whose session this recording resumes, nil if it
	// is a full one itself.
	First *Recording
}

// Record is one TLS record as it was sent.
type Record struct {
	Type     uint8
	Raw      []byte // header and fragment
	Fragment []byte
}

// LoadAll reads every recording of a directory. It fails the test if there is
// none.
func LoadAll(t testing.TB, dir string) []Recording {
	t.Helper()
	return loadAll(t, dir, load)
}

// loadAll reads every file of a directory.
func loadAll[R any](t testing.TB, dir string, load func(t testing.TB, file string) R) []R {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no recordings in %s", dir)
	}
	var all []R
	for _, file := range files {
		all = append(all, load(t, file))
	}
	return all
}

// Load reads the recording with the given name.
func Load(t testing.TB, dir, name string) Recording {
	t.Helper()
	return load(t, filepath.Join(dir, name+".json"))
}

func load(t testing.TB, file string) Recording {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var raw struct {
		Name       string `json:"name"`
		ServerKey  string `json:"server_key"`
		ServerCert string `json:"server_cert"`
		Master     string `json:"master_secret"`
		C2S        string `json:"c2s"`
		S2C        string `json:"s2c"`
		Premaster  string `json:"premaster"`
		Ephemeral  string `json:"ephemeral_key"`
		First      *struct {
			C2S string `json:"c2s"`
			S2C string `json:"s2c"`
		} `json:"first_connection"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	r := Recording{
		Name:       raw.Name,
		ServerCert: []byte(raw.ServerCert),
		ServerKey:  []byte(raw.ServerKey),
		Master:     unhex(t, file, raw.Master),
		FromClient: unhex(t, file, raw.C2S),
		FromServer: unhex(t, file, raw.S2C),

		Premaster:    unhex(t, file, raw.Premaster),
		EphemeralKey: unhex(t, file, raw.Ephemeral),
	}
	if raw.First != nil {
		first := r // with the same master secret, which is what is resumed
		first.FromClient, first.FromServer = unhex(t, file, raw.First.C2S), unhex(t, file, raw.First.S2C)
		r.First = &first
	}
	if want := strings.TrimSuffix(filepath.Base(file), ".json"); r.Name != want {
		t.Fatalf("%s calls itself %q", file, r.Name)
	}
	return r
}

func unhex(t testing.TB, file, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return b
}

// Records splits what one side sent.
func Records(t testing.TB, wire []byte) []Record {
	t.Helper()
	var all []Record
	for len(wire) > 0 {
		if len(wire) < 5 || len(wire) < 5+int(binary.BigEndian.Uint16(wire[3:])) {
			t.Fatal("recording ends within a record")
		}
		n := 5 + int(binary.BigEndian.Uint16(wire[3:]))
		all = append(all, Record{Type: wire[0], Raw: wire[:n], Fragment: wire[5:n]})
		wire = wire[n:]
	}
	return all
}

// Messages returns the handshake messages that one side sent before its
// ChangeCipherSpec, headers included.
func Messages(t testing.TB, wire []byte) [][]byte {
	t.Helper()
	var stream []byte
	for _, r := range Records(t, wire) {
		if r.Type != 22 {
			break
		}
		stream = append(stream, r.Fragment...)
	}
	var all [][]byte
	for len(stream) >= 4 {
		n := 4 + int(stream[1])<<16 + int(stream[2])<<8 + int(stream[3])
		if len(stream) < n {
			t.Fatal("recording ends within a message")
		}
		all = append(all, stream[:n])
		stream = stream[n:]
	}
	return all
}

// Protected returns the records that one side sent after its ChangeCipherSpec.
func Protected(t testing.TB, wire []byte) []Record {
	t.Helper()
	all := Records(t, wire)
	for i, r := range all {
		if r.Type == 20 {
			return all[i+1:]
		}
	}
	return nil
}
