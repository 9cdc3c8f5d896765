package schedule

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"

	"propusk/gost/gosttls/internal/record"
	"propusk/gost/internal/vectors"
	"propusk/gost/streebog"
)

func hashOf(messages ...[]byte) []byte {
	sum := streebog.Sum256(slices.Concat(messages...))
	return sum[:]
}

// transcripts returns the hashes of the transcript of an example up to ServerHello, to
// before the server's Finished, and to the end of it; and checks the binders.
func transcripts(t *testing.T, v vectors.Vector) (hello, before, finished []byte) {
	t.Helper()
	var first [][]byte
	if v.Has("psk") {
		first = retried(t, v)
	} else {
		first = [][]byte{v.Hex(t, "client hello")}
	}
	first = append(first, v.Hex(t, "server hello"))
	hello = hashOf(first...)
	first = append(first, v.Hex(t, "encrypted extensions"))
	if v.Has("certificate") {
		first = append(first, v.Hex(t, "certificate"), v.Hex(t, "certificate verify"))
	}
	before = hashOf(first...)
	first = append(first, []byte{20, 0, 0, Size}, v.Hex(t, "server finished"))
	return hello, before, hashOf(first...)
}

// retried returns the messages that begin the transcript of an example with a
// HelloRetryRequest.
func retried(t *testing.T, v vectors.Vector) [][]byte {
	t.Helper()
	s := New(v.Hex(t, "psk"))
	truncated := v.Hex(t, "truncated hello")
	if got, want := s.Binder(ExternalBinder, hashOf(truncated)), v.Hex(t, "binder"); !bytes.Equal(got, want) {
		t.Errorf("binder %x, want %x", got, want)
	}
	first := slices.Concat(truncated, []byte{0, 1 + Size, Size}, v.Hex(t, "binder"))
	all := [][]byte{{254, 0, 0, Size}, hashOf(first), v.Hex(t, "retry"), v.Hex(t, "truncated second hello")}
	if got, want := s.Binder(ExternalBinder, hashOf(all...)), v.Hex(t, "second binder"); !bytes.Equal(got, want) {
		t.Errorf("second binder %x, want %x", got, want)
	}
	return append(all, []byte{0, 1 + Size, Size}, v.Hex(t, "second binder"))
}

func TestSchedule(t *testing.T) {
	for _, v := range vectors.Load(t, "testdata/rfc9367.txt") {
		t.Run(v.Name, func(t *testing.T) {
			var psk []byte
			if v.Has("psk") {
				psk = v.Hex(t, "psk")
			}
			check := func(name string, got []byte) {
				t.Helper()
				if want := v.Hex(t, name); !bytes.Equal(got, want) {
					t.Errorf("%s %x, want %x", name, got, want)
				}
			}
			hello, before, finished := transcripts(t, v)
			s := New(psk)
			check("early", s.secret[:])
			s.Handshake(v.Hex(t, "shared"))
			check("handshake", s.secret[:])
			client, server := s.Derive(ClientHandshake, hello), s.Derive(ServerHandshake, hello)
			check("client handshake", client[:])
			check("server handshake", server[:])
			check("server finished", server.Finished(before))
			check("client finished", client.Finished(finished))
			if !server.Verify(v.Hex(t, "server finished"), before) || server.Verify(v.Hex(t, "server finished"), finished) {
				t.Error("Verify does not know the Finished of the server")
			}
			s.Main()
			check("main", s.secret[:])
			client, server = s.Derive(ClientTraffic, finished), s.Derive(ServerTraffic, finished)
			check("client traffic", client[:])
			check("server traffic", server[:])
		})
	}
}

// The keys of a record are those of RFC 9367, Appendix A.1.2: EncryptedExtensions.
func TestProtector(t *testing.T) {
	v := vectors.Load(t, "testdata/rfc9367.txt")[0]
	suite, ok := record.SuiteByID(0xc105)
	if !ok {
		t.Fatal("no suite")
	}
	secret := Secret(v.Hex(t, "server handshake"))
	p, err := secret.Protector(suite)
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Seal(nil, 22, 0x0303, v.Hex(t, "encrypted extensions"))
	if want := v.Hex(t, "record"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("record %x, %v, want %x", got, err, want)
	}
	low, _ := record.SuiteByID(0xc100)
	if _, err := secret.Protector(low); err == nil {
		t.Error("a suite of TLS 1.2 has a protector of TLS 1.3")
	}
}

func TestWipe(t *testing.T) {
	s := New([]byte("secret"))
	if s.secret == (Secret{}) {
		t.Fatal("no secret")
	}
	if s.Wipe(); s.secret != (Secret{}) {
		t.Error("a secret is left")
	}
}

// Keying material depends on the label, the context and the length, and not on whether
// an empty context is nil.
func TestExport(t *testing.T) {
	secret := Secret{1}
	base := secret.Export("label", nil, 32)
	seen := map[string]bool{hex.EncodeToString(base): true}
	for _, other := range [][]byte{
		secret.Export("other", nil, 32), secret.Export("label", []byte{0}, 32), secret.Export("label", nil, 33)[:32],
	} {
		if seen[hex.EncodeToString(other)] {
			t.Errorf("%x twice", other)
		}
		seen[hex.EncodeToString(other)] = true
	}
	if !bytes.Equal(base, secret.Export("label", []byte{}, 32)) {
		t.Error("an empty context is not a nil one")
	}
}
