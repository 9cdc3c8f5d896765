package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"propusk/certs/testpki"
	"propusk/pki/cms"
	"propusk/pki/gostx509"
	"propusk/pki/report"
	"propusk/tokens"
	"propusk/tokens/soft/softtest"
)

// signedInCountry makes a country in a directory, and a signature of a person of it.
func signedInCountry(t *testing.T) (trust, signature, certificate string) {
	t.Helper()
	country, err := testpki.New(testpki.Options{Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := country.WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	person := country.Person("ip")
	cert, err := gostx509.Parse(person.Certificate.Raw)
	if err != nil {
		t.Fatal(err)
	}
	file, err := cms.Create(nil, []byte("Документ вымышленный.\n"), cms.Signatory{Key: person.Key, Certificate: cert, Time: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	signature, certificate = filepath.Join(dir, "a.sig"), filepath.Join(dir, "a.cer")
	for path, data := range map[string][]byte{signature: file, certificate: cert.Raw} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "trust"), signature, certificate
}

// TestEngineFlags: verify and cert name who computed; a module that lies makes nothing
// pass; one that is lost refuses or is replaced, as the flag says.
func TestEngineFlags(t *testing.T) {
	trust, signature, certificate := signedInCountry(t)
	token := softtest.New(t, softtest.Options{NoKey: true, Label: "Токен"})
	soft := tokens.SoftScheme + token.Dir
	for name, c := range map[string]struct {
		args []string
		exit int
		want report.Engine
		code string
	}{
		"go":               {nil, 0, report.Engine{Name: "go"}, ""},
		"module":           {[]string{"--engine", "pkcs11", "--module", soft}, 0, report.Engine{Name: "pkcs11"}, ""},
		"both":             {[]string{"--engine", "both", "--module", soft, "--token", token.Label}, 0, report.Engine{Name: "both"}, ""},
		"another token":    {[]string{"--engine", "both", "--module", soft, "--token", "другой"}, 2, report.Engine{Name: "both"}, "engine-lost"},
		"another, instead": {[]string{"--engine", "pkcs11", "--module", soft, "--token", "другой", "--when-lost", "fallback"}, 0, report.Engine{Name: "pkcs11", Fallback: true}, ""},
		"no module":        {[]string{"--engine", "pkcs11", "--module", "/nonexistent.so"}, 2, report.Engine{Name: "pkcs11"}, "engine-lost"},
	} {
		for command, file := range map[string]string{"verify": signature, "cert": certificate} {
			args := append([]string{command, "--trust", trust, "--json"}, append(c.args, file)...)
			exit, out, said := propusk(nil, args...)
			var got struct {
				Code   string
				Engine report.Engine
			}
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatalf("%s, %s: %v\n%s%s", command, name, err, out, said)
			}
			known := got.Engine.Module != "" && got.Engine.Version != ""
			if exit != c.exit || got.Code != c.code || got.Engine.Name != c.want.Name || got.Engine.Fallback != c.want.Fallback ||
				c.exit == 0 && c.want.Name != "go" && !c.want.Fallback && !known {
				t.Errorf("%s, %s: exit %d, %q by %+v", command, name, exit, got.Code, got.Engine)
			}
		}
	}
	if _, out, _ := propusk(nil, "verify", "--trust", trust, "--engine", "both", "--module", soft, signature); !strings.Contains(out, "signatures verified by: both, ") {
		t.Errorf("the text does not name the engine:\n%s", out)
	}
	second := softtest.New(t, softtest.Options{NoKey: true, Dir: token.Dir, Label: "Второй"})
	for _, c := range []struct{ args, want []string }{
		{nil, []string{"token-ambiguous: --engine pkcs11: " + soft, "2 tokens", "Подходит несколько токенов", " / "}},
		{[]string{"--when-lost", "fallback"}, []string{"token-ambiguous: "}},
		{[]string{"--token", second.Label, "--pin-file", "/none/pin"}, []string{"файла с PIN-кодом /none/pin нет", "there is no file /none/pin", "chmod 600"}},
	} {
		for command, file := range map[string]string{"verify": signature, "cert": certificate} {
			args := append([]string{command, "--trust", trust, "--engine", "pkcs11", "--module", soft}, append(c.args, file)...)
			_, _, said := propusk(nil, args...)
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("%q: no %q:\n%s", args, want, said)
				}
			}
			if strings.Count(said, "\n") != 1 {
				t.Errorf("%q: not one line:\n%s", args, said)
			}
		}
	}
	for _, args := range [][]string{
		{"--engine", "java"}, {"--engine", "pkcs11"}, {"--module", soft}, {"--engine", "both", "--module", soft, "--when-lost", "perhaps"},
	} {
		if exit, _, _ := propusk(nil, append(append([]string{"verify"}, args...), signature)...); exit != 3 {
			t.Errorf("%q: exit %d", args, exit)
		}
	}
}

// TestConfigCheckEngine: the module that is to verify signatures is connected and tried,
// and what is wrong is said in plain words, once, without the PIN.
func TestConfigCheckEngine(t *testing.T) {
	dir := writeConfig(t, freePorts(t))
	file := filepath.Join(dir, "propusk.yaml")
	plain, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pin"), []byte("87650000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const good = "verification: {engine: both, module: 'soft:TOKEN'"
	for name, c := range map[string]struct {
		text string
		exit int
		want []string
	}{
		"good":          {good + "}", exitYes, []string{"the configuration is good"}},
		"another token": {good + ", token: другой}", exitNo, []string{"token-absent: verification: soft:", "Токен"}},
		"no library":    {"verification: {engine: pkcs11, module: /nonexistent.so}", exitNo, []string{"token-module-bad: verification: /nonexistent.so"}},
		"no PIN file":   {good + ", pin_file: none}", exitNo, []string{"verification: soft:", "файла с PIN-кодом", filepath.Join(dir, "none"), "there is no file", "chmod 600"}},
		"wrong PIN":     {good + ", pin_file: pin}", exitNo, []string{"token-pin-wrong: verification: soft:", "PIN"}},
	} {
		token := softtest.New(t, softtest.Options{NoKey: true, Label: "Токен"}) // each its own: one remembers a wrong PIN
		text := strings.ReplaceAll(c.text, "TOKEN", token.Dir)
		if err := os.WriteFile(file, append(append([]byte(nil), plain...), text+"\n"...), 0o600); err != nil {
			t.Fatal(err)
		}
		exit, out, errs := propusk(nil, "config", "check", file)
		if exit != c.exit {
			t.Errorf("%s: exit %d:\n%s%s", name, exit, out, errs)
		}
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q:\n%s", name, want, out)
			}
		}
		if strings.Contains(out+errs, "8765") || strings.Count(out, "\n") != 1 {
			t.Errorf("%s:\n%s%s", name, out, errs)
		}
	}
}
