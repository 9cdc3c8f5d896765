package main_test

import (
	"bytes"
	"context"
	"encoding/asn1"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/tokens/soft"
	"propusk/tokens/soft/softtest"
)

const (
	userPIN    = "12345678"
	officerPIN = "87654321"
)

// tool runs pkcs11-tool, of Debian's opensc, over the library.
type tool struct {
	module, dir string
}

// newTool returns a tool over a directory with one token that is not initialised.
func newTool(t *testing.T) tool {
	t.Helper()
	if _, err := exec.LookPath("pkcs11-tool"); err != nil {
		softtest.Missing(t, "no pkcs11-tool (Debian: opensc)")
	}
	x := tool{module: softtest.Module(t), dir: t.TempDir()}
	if err := os.Mkdir(filepath.Join(x.dir, "0"), 0o700); err != nil {
		t.Fatal(err)
	}
	return x
}

// run returns what the tool says, and whether it was content.
func (x tool) run(t *testing.T, args ...string) (string, bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "pkcs11-tool", append([]string{"--module", x.module}, args...)...)
	cmd.Env = append(os.Environ(), softtest.Environment+"="+x.dir, "OPENSSL_CONF=/dev/null")
	cmd.Dir = x.dir
	said, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("pkcs11-tool %q hung\n%s", args, said)
	}
	return string(said), err == nil
}

// must runs the tool, which must say all of the words.
func (x tool) must(t *testing.T, words []string, args ...string) string {
	t.Helper()
	said, ok := x.run(t, args...)
	if !ok {
		t.Fatalf("pkcs11-tool %q failed\n%s", args, said)
	}
	for _, w := range words {
		if !strings.Contains(said, w) {
			t.Errorf("pkcs11-tool %q does not say %q\n%s", args, w, said)
		}
	}
	return said
}

// refused runs the tool, which must fail and say why.
func (x tool) refused(t *testing.T, why string, args ...string) {
	t.Helper()
	if said, ok := x.run(t, args...); ok || !strings.Contains(said, why) {
		t.Errorf("pkcs11-tool %q: want %s\n%s", args, why, said)
	}
}

func (x tool) file(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(x.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (x tool) read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(x.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (x tool) init(t *testing.T) {
	t.Helper()
	x.must(t, []string{"uninitialized"}, "-L")
	x.must(t, nil, "--init-token", "--slot", "0", "--so-pin", officerPIN, "--label", "Токен")
	x.must(t, nil, "--init-pin", "--so-pin", officerPIN, "--pin", userPIN)
}

// The life of a token with a program that is not ours: initialised, with keys,
// certificates and signatures that openssl verifies. The public key is read from
// CKA_VALUE as it is, and so is the signature: there is no other byte order.
func TestOpenSC(t *testing.T) {
	x := newTool(t)
	x.init(t)
	x.must(t, []string{"Токен", "token initialized", "PIN initialized", "Propusk soft"}, "-L")
	x.must(t, []string{"GOSTR3410,", "GOSTR3410_512,", "GOSTR3411-12-256", "GOSTR3410-12-DERIVE"}, "-M")
	for id, key := range map[string]struct {
		typ, mechanism string
		set            asn1.ObjectIdentifier
		curve          *gost3410.Curve
	}{
		"01": {"GOSTR3410-2012-256:A", "GOSTR3410", asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 1, 1}, gost3410.TC26256A()},
		"02": {"GOSTR3410-2012-256:B", "GOSTR3410", asn1.ObjectIdentifier{1, 2, 643, 2, 2, 35, 1}, gost3410.CryptoProA()},
		"03": {"GOSTR3410-2012-512:A", "0xD4321006", asn1.ObjectIdentifier{1, 2, 643, 7, 1, 2, 1, 2, 1}, gost3410.TC26512A()},
	} {
		x.must(t, []string{"never extractable", "sensitive", "local"},
			"-l", "--pin", userPIN, "--keypairgen", "--key-type", key.typ, "--id", id, "--label", "key"+id)
		data := []byte("to be signed by " + id)
		digest := softtest.Digest(key.curve.Size(), data)
		x.file(t, "digest", digest)
		x.must(t, nil, "-l", "--pin", userPIN, "--sign", "-m", key.mechanism, "--id", id, "-i", "digest", "-o", "sig")
		public, err := gost3410.NewPublicKey(key.curve, x.publicValue(t, id))
		if err != nil {
			t.Fatal(err)
		}
		sig := x.read(t, "sig")
		if !public.Verify(digest, sig) {
			t.Errorf("%s: not a signature", key.typ)
		}
		if !softtest.OpenSSLVerify(t, key.set, public, digest, sig) {
			t.Errorf("%s: openssl does not verify it", key.typ)
		}
		sig[7] ^= 1
		if softtest.OpenSSLVerify(t, key.set, public, digest, sig) {
			t.Errorf("%s: openssl verifies anything", key.typ)
		}
	}
	x.certificate(t)
}

// publicValue finds CKA_VALUE of a public key in what the tool lists, which is every
// one, as lines of hexadecimal digits between other lines.
func (x tool) publicValue(t *testing.T, id string) []byte {
	t.Helper()
	said := x.must(t, nil, "-O", "--type", "pubkey")
	for _, object := range strings.Split(said, "Public Key Object")[1:] {
		_, value, _ := strings.Cut(object, "VALUE:")
		value, rest, _ := strings.Cut(value, "label:")
		if _, after, ok := strings.Cut(rest, "ID:"); !ok || !strings.HasPrefix(strings.TrimSpace(after), id) {
			continue
		}
		raw, err := hex.DecodeString(strings.Join(strings.Fields(value), ""))
		if err != nil {
			t.Fatalf("%v in\n%s", err, said)
		}
		return raw
	}
	t.Fatalf("no public key %s in\n%s", id, said)
	return nil
}

// certificate writes, reads, renames and removes one.
func (x tool) certificate(t *testing.T) {
	t.Helper()
	cert := softtest.New(t, softtest.Options{Subject: "Ivan Ivanov"}).Certificate
	x.file(t, "cert.der", cert)
	x.must(t, nil, "-l", "--pin", userPIN, "--write-object", "cert.der", "--type", "cert", "--id", "02", "--label", "cert")
	x.must(t, []string{"Certificate Object", "Ivan Ivanov"}, "-O", "--type", "cert")
	x.must(t, nil, "--read-object", "--type", "cert", "--id", "02", "-o", "back.der")
	if !bytes.Equal(x.read(t, "back.der"), cert) {
		t.Error("the certificate came back as another")
	}
	x.must(t, nil, "-l", "--pin", userPIN, "--set-id", "0a0b", "--type", "cert", "--id", "02")
	x.must(t, []string{"0a0b"}, "-O", "--type", "cert")
	x.must(t, nil, "-l", "--pin", userPIN, "--delete-object", "--type", "cert", "--id", "0a0b")
	if said := x.must(t, nil, "-O", "--type", "cert"); strings.Contains(said, "Certificate Object") {
		t.Errorf("a certificate is left\n%s", said)
	}
}

// The hash is that of the standard, and a signature with the hash is one over it.
func TestOpenSCHash(t *testing.T) {
	x := newTool(t)
	x.init(t)
	data := x.file(t, "data", []byte("data"))
	x.must(t, nil, "--hash", "-m", "0xD4321012", "-i", data, "-o", "hash")
	if !bytes.Equal(x.read(t, "hash"), softtest.Digest(32, []byte("data"))) {
		t.Errorf("hash %x", x.read(t, "hash"))
	}
	x.must(t, nil, "-l", "--pin", userPIN, "--keypairgen", "--key-type", "GOSTR3410-2012-256:B", "--id", "01", "--label", "key")
	x.must(t, nil, "-l", "--pin", userPIN, "--sign", "-m", "0xD4321008", "--id", "01", "-i", data, "-o", "sig")
	public, err := gost3410.NewPublicKey(gost3410.CryptoProA(), x.publicValue(t, "01"))
	if err != nil {
		t.Fatal(err)
	}
	if !public.Verify(softtest.Digest(32, []byte("data")), x.read(t, "sig")) {
		t.Error("not a signature")
	}
}

// Wrong, last, locked; and set anew.
func TestOpenSCPIN(t *testing.T) {
	x := newTool(t)
	x.init(t)
	wrong := []string{"-l", "--pin", "00000000", "-O"}
	for range soft.MaxTries - 1 {
		x.refused(t, "CKR_PIN_INCORRECT", wrong...)
	}
	x.must(t, []string{"final user PIN try"}, "-L")
	x.refused(t, "CKR_PIN_INCORRECT", wrong...)
	x.must(t, []string{"user PIN locked"}, "-L")
	x.refused(t, "CKR_PIN_LOCKED", "-l", "--pin", userPIN, "-O")
	x.refused(t, "CKR_PIN_INCORRECT", "--init-pin", "--so-pin", "00000000", "--pin", userPIN)
	x.must(t, []string{"SO PIN count low"}, "-L")
	x.must(t, nil, "--init-pin", "--so-pin", officerPIN, "--pin", "новый-пин")
	x.must(t, nil, "-l", "--pin", "новый-пин", "-O")
	x.must(t, nil, "-l", "--pin", "новый-пин", "--change-pin", "--new-pin", userPIN)
	x.must(t, nil, "-l", "--pin", userPIN, "-O")
	x.refused(t, "CKR_PIN_INCORRECT", "--init-token", "--slot", "0", "--so-pin", "00000000", "--label", "x")
}
