//go:build cgo

package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"propusk/gost/spki"
	"propusk/pki/gostx509"
	"propusk/server/testgateway"
	"propusk/tokens/soft"
	"propusk/tokens/soft/softtest"
)

// program runs propusk, with the soft tokens of a directory, as a process: their library has
// a Go runtime of its own.
func program(t *testing.T, tokens string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PROPUSK_TEST_ARGS="+strings.Join(args, "\n"), softtest.Environment+"="+tokens)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// give puts the key and the certificate of a person of the country on a soft token.
func give(t *testing.T, token *softtest.Token, id string, cka []byte) {
	t.Helper()
	person := filepath.Join("country", "people", id)
	key, err := readKey(nil, filepath.Join(person, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	cert, err := gostx509.ParseAny(read(t, filepath.Join(person, "cert.pem")))
	if err != nil {
		t.Fatal(err)
	}
	info, err := spki.FromCertificate(cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	open, err := soft.Open(token.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := open.Login(soft.User, []byte(token.PIN)); err != nil {
		t.Fatal(err)
	}
	defer open.Logout()
	if _, err := open.Import(key, soft.KeyTemplate{ParamSet: info.Algorithm.ParamSet, Label: id, ID: cka}); err != nil {
		t.Fatal(err)
	}
	if _, err := open.Add(soft.Object{Class: soft.Certificate, Label: id, ID: cka, Value: cert.Raw}); err != nil {
		t.Fatal(err)
	}
}

// TestSignWithToken: the key stays in the token, openssl and we verify what it made.
func TestSignWithToken(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	module := softtest.Module(t)
	signPlace(t)
	writeFile(t, "pin.txt", []byte("12345678\n"))
	for _, id := range []string{"ip", "ip512"} {
		token := softtest.New(t, softtest.Options{NoKey: true, Label: "Ключ " + id})
		give(t, token, id, []byte{0xA1})
		code, out, errs := program(t, token.Dir, "sign", "--module", module, "--pin-file", "pin.txt", "--out", id+".der", "contract.txt")
		if code != exitYes || out != "" {
			t.Fatalf("%s: exit code %d: %s %s", id, code, out, errs)
		}
		mustVerify(t, exitYes, "--content", "contract.txt", id+".der")
		mustVerify(t, exitNo, "--content", "other.txt", id+".der")
		verifyByPeer(peer, id, id+".der", "der")
	}
}

// TestSignChoosesTheKey: of a token with several keys.
func TestSignChoosesTheKey(t *testing.T) {
	module := softtest.Module(t)
	signPlace(t)
	writeFile(t, "pin.txt", []byte("12345678"))
	token := softtest.New(t, softtest.Options{NoKey: true})
	give(t, token, "expired", []byte{1})
	give(t, token, "ip", []byte{2})
	sign := func(want int, code string, args ...string) {
		t.Helper()
		exit, _, errs := program(t, token.Dir, append([]string{"sign", "--module", module, "--pin-file", "pin.txt", "contract.txt"}, args...)...)
		if exit != want || !strings.Contains(errs, code) {
			t.Errorf("%q: exit code %d, want %d and %q: %s", args, exit, want, code, errs)
		}
	}
	sign(exitYes, "Подписано", "--out", "only-good.sig") // the other has expired
	mustVerify(t, exitYes, "--content", "contract.txt", "only-good.sig")
	sign(exitNo, "certificate-expired", "--key-id", "01")
	sign(exitNo, "token-key-absent", "--key-id", "03")
	give(t, token, "ul", []byte{0xFE})
	sign(exitNo, "token-ambiguous")
	sign(exitYes, "Подписано", "--key-id", "fe", "--out", "ul.sig")
	sign(exitYes, "Подписано", "--cert", "country/people/ip/cert.pem", "--out", "ip.sig")
	sign(exitNo, "signing-key-mismatch", "--cert", "country/people/ip512/cert.pem")
	sign(exitUsage, "none of the others can be", "--key", "country/people/ip/key.pem")
	if _, err := os.Stat("contract.txt.sig"); err == nil {
		t.Error("something was written although nothing was signed")
	}
}

// TestSignByURI: a PKCS #11 URI says all that the flags say.
func TestSignByURI(t *testing.T) {
	peer := testgateway.NewOpenSSL(t)
	module := softtest.Module(t)
	signPlace(t)
	writeFile(t, "pin.txt", []byte("12345678\n"))
	writeFile(t, "loose.txt", []byte("12345678\n"))
	if err := os.Chmod("loose.txt", 0o644); err != nil {
		t.Fatal(err)
	}
	token := softtest.New(t, softtest.Options{NoKey: true, Label: "Ключ"})
	softtest.New(t, softtest.Options{Dir: token.Dir, Label: "other"})
	give(t, token, "ip", []byte{0xA1})
	give(t, token, "ul", []byte{0xA2})
	const label = "pkcs11:token=%D0%9A%D0%BB%D1%8E%D1%87"
	at := "?module-path=" + module + "&pin-source=file:pin.txt"
	for name, test := range map[string]struct {
		exit int
		word string
		args []string
	}{
		"label":         {exitYes, "Подписано", []string{"--key", label + ";object=ip" + at, "--out", "label.der"}},
		"identifier":    {exitYes, "Подписано", []string{"--key", label + ";id=%a1;type=private" + at, "--out", "id.der"}},
		"PIN by flag":   {exitYes, "Подписано", []string{"--key", label + ";object=ip?module-path=" + module, "--pin-file", "pin.txt", "--out", "pin.der"}},
		"certificate":   {exitYes, "Подписано", []string{"--key", label + at, "--cert", "country/people/ip/cert.pem", "--out", "cert.der"}},
		"several keys":  {exitNo, "token-ambiguous", []string{"--key", label + at}},
		"no key":        {exitNo, "token-key-absent", []string{"--key", label + ";object=none" + at}},
		"no token":      {exitNo, "token-absent", []string{"--key", "pkcs11:token=none;object=ip" + at}},
		"two tokens":    {exitNo, "token-ambiguous", []string{"--key", "pkcs11:object=ip" + at}},
		"no library":    {exitUsage, "token-module-bad", []string{"--key", label + ";object=ip"}},
		"no PIN":        {exitUsage, "--pin-file", []string{"--key", label + ";object=ip?module-path=" + module}},
		"open PIN":      {exitUsage, "chmod 600", []string{"--key", label + ";object=ip?module-path=" + module + "&pin-source=file:loose.txt"}},
		"PIN in it":     {exitUsage, "pin-value", []string{"--key", label + ";object=ip?pin-value=12345678"}},
		"another type":  {exitUsage, "type=private", []string{"--key", label + ";type=cert" + at}},
		"flags as well": {exitUsage, "--key-id", []string{"--key", label + at, "--key-id", "a1"}},
	} {
		exit, _, errs := program(t, token.Dir, append([]string{"sign", "contract.txt"}, test.args...)...)
		if exit != test.exit || !strings.Contains(errs, test.word) || strings.Contains(errs, "12345678") {
			t.Errorf("%s: exit code %d, want %d and %q: %s", name, exit, test.exit, test.word, errs)
		}
	}
	for _, name := range []string{"label.der", "id.der", "pin.der", "cert.der"} {
		mustVerify(t, exitYes, "--content", "contract.txt", name)
		verifyByPeer(peer, "ip", name, "der")
	}
}

// TestTokenPINs: what people are told, and that no try is spent but those that are
// asked for.
func TestTokenPINs(t *testing.T) {
	module := softtest.Module(t)
	signPlace(t)
	writeFile(t, "wrong.txt", []byte("00000000"))
	writeFile(t, "pin.txt", []byte("12345678"))
	token := softtest.New(t, softtest.Options{})
	tries := func() int {
		t.Helper()
		open, err := soft.Open(token.Path)
		if err != nil {
			t.Fatal(err)
		}
		info, err := open.Info()
		if err != nil {
			t.Fatal(err)
		}
		return info.UserTries
	}
	sign := func(want string, left int, args ...string) {
		t.Helper()
		exit, _, errs := program(t, token.Dir, append([]string{"sign", "--module", module, "--out", "never.sig", "contract.txt"}, args...)...)
		if exit == exitYes || !strings.Contains(errs, want) {
			t.Errorf("%q: exit code %d, want %q: %s", args, exit, want, errs)
		}
		if got := tries(); got != left {
			t.Errorf("%q: %d tries are left, want %d", args, got, left)
		}
	}
	sign("файла с PIN-кодом none.txt нет", soft.MaxTries, "--pin-file", "none.txt")
	sign("there is no file none.txt", soft.MaxTries, "--pin-file", "none.txt")
	sign("token-pin-wrong", soft.MaxTries-1, "--pin-file", "wrong.txt")
	open, err := soft.Open(token.Path)
	if err != nil {
		t.Fatal(err)
	}
	for range soft.MaxTries - 3 { // the others as another program would
		if err := open.Login(soft.User, []byte("00000000")); !errors.Is(err, soft.ErrPIN) {
			t.Fatal(err)
		}
	}
	sign("token-pin-wrong", 1, "--pin-file", "wrong.txt")
	sign("token-pin-last-try", 1, "--pin-file", "pin.txt")
	sign("token-pin-locked", 0, "--pin-file", "wrong.txt", "--last-try") // by this one
	sign("token-pin-locked", 0, "--pin-file", "pin.txt", "--last-try")

	must := softtest.New(t, softtest.Options{MustChange: true})
	if exit, _, errs := program(t, must.Dir, "sign", "--module", module, "--pin-file", "pin.txt", "contract.txt"); exit != exitNo ||
		!strings.Contains(errs, "token-pin-change") {
		t.Errorf("exit code %d: %s", exit, errs)
	}
	// Nobody at a terminal, and no file.
	if exit, _, errs := program(t, must.Dir, "sign", "--module", module, "contract.txt"); exit != exitUsage || !strings.Contains(errs, "--pin-file") {
		t.Errorf("exit code %d: %s", exit, errs)
	}
}

// TestTokenList: who is connected, without a PIN.
func TestTokenList(t *testing.T) {
	module := softtest.Module(t)
	t.Chdir(t.TempDir())
	dir := t.TempDir()
	if code, out, errs := program(t, dir, "token", "list", "--module", module); code != exitNo || !strings.Contains(errs, "token-absent") {
		t.Errorf("no token: exit code %d: %s %s", code, out, errs)
	}
	softtest.New(t, softtest.Options{Dir: dir, Label: "Первый"})
	softtest.New(t, softtest.Options{Dir: dir, Label: "Второй", MustChange: true})
	code, out, errs := program(t, dir, "token", "list", "--json", "--module", module)
	var lines []tokenLine
	if err := json.Unmarshal([]byte(out), &lines); code != exitYes || err != nil || len(lines) != 2 {
		t.Fatalf("exit code %d: %v %s %s", code, err, out, errs)
	}
	states := map[string]string{}
	for _, l := range lines {
		states[l.Label] = l.PIN
		if l.Serial == "" || l.Model == "" || l.PINPad {
			t.Errorf("%+v", l)
		}
	}
	if states["Первый"] != "ready" || states["Второй"] != "must-change" {
		t.Errorf("%v", states)
	}
	if code, _, errs := program(t, dir, "token", "list", "--module", "absent.so"); code != exitUsage || !strings.Contains(errs, "token-module-bad") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}
