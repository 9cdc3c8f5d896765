package recording

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Recording13 is a recorded connection of TLS 1.3.
type Recording13 struct {
	Name string

	// Secrets are the traffic secrets under the names of the key log.
	Secrets map[string][]byte

	FromClient, FromServer []byte // all bytes on the wire
}

// LoadAll13 reads every recording of TLS 1.3 of a directory. It fails the test if there
// is none.
func LoadAll13(t testing.TB, dir string) []Recording13 {
	t.Helper()
	return loadAll(t, dir, load13)
}

// Load13 reads the recording of TLS 1.3 with the given name.
func Load13(t testing.TB, dir, name string) Recording13 {
	t.Helper()
	return load13(t, filepath.Join(dir, name+".json"))
}

func load13(t testing.TB, file string) Recording13 {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var raw struct {
		Name    string            `json:"name"`
		Secrets map[string]string `json:"secrets"`
		C2S     string            `json:"c2s"`
		S2C     string            `json:"s2c"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	r := Recording13{
		Name:       raw.Name,
		Secrets:    make(map[string][]byte),
		FromClient: unhex(t, file, raw.C2S),
		FromServer: unhex(t, file, raw.S2C),
	}
	for name, secret := range raw.Secrets {
		r.Secrets[name] = unhex(t, file, secret)
	}
	if want := strings.TrimSuffix(filepath.Base(file), ".json"); r.Name != want {
		t.Fatalf("%s calls itself %q", file, r.Name)
	}
	return r
}
