//go:build cgo && unix

package main

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"propusk/pki/reason"
	"propusk/tokens"
	"propusk/tokens/faulty"
	"propusk/tokens/soft/softtest"
)

// examine runs the doctor over a library with a fault, and returns what it found.
func examine(t *testing.T, dir string, f faulty.Fault, pin string) (*doctor, int) {
	t.Helper()
	l := faulty.New(t, dir, f, false)
	writeFile(t, "pin.txt", []byte(pin))
	cmd := &cobra.Command{}
	var out strings.Builder
	cmd.SetOut(&out)
	d := &doctor{o: &tokenOptions{module: l.Path, pinFile: "pin.txt"}, cmd: cmd, now: time.Now(), open: func(path string) (*tokens.Module, error) {
		return tokens.Open(path, tokens.Environment(l.Environment...))
	}}
	exit := &exitError{Code: exitYes}
	if err := d.run(t.Context(), false); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), l.Path) {
		t.Errorf("the answer does not name the library:\n%s", out.String())
	}
	return d, exit.Code
}

// finds returns the finding about something; the test fails if there is none.
func (d *doctor) finds(t *testing.T, check string, h health) finding {
	t.Helper()
	i := slices.IndexFunc(d.Findings, func(f finding) bool { return f.Check == check && f.Health == h })
	if i < 0 {
		t.Fatalf("nothing about %q that is %q: %+v", check, h, d.Findings)
	}
	return d.Findings[i]
}

// A token in good order, through a library without a fault.
func TestDoctorHealthy(t *testing.T) {
	t.Chdir(t.TempDir())
	token := softtest.New(t, softtest.Options{})
	d, code := examine(t, token.Dir, faulty.Fault{}, token.PIN)
	if code != exitYes {
		t.Errorf("exit code %d: %+v", code, d.Findings)
	}
	for _, check := range []string{"library", "model", "pin", "mechanisms", "login", "keys", "certificate", "sign", "speed", "verify", "agree"} {
		d.finds(t, check, healthy)
	}
	if d.SignaturesPerSecond <= 0 || d.Token.Known != "soft" {
		t.Errorf("%+v", d.examination)
	}
	for _, f := range d.Findings {
		if f.RU == "" || f.EN == "" {
			t.Errorf("%+v", f)
		}
	}
}

// What is wrong with a library or a token is said, and costs no more than one try.
func TestDoctorFinds(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, c := range map[string]struct {
		fault  faulty.Fault
		pin    string
		check  string
		code   reason.Code
		detail string
		tries  int
	}{
		"wrong PIN":          {pin: "00000000", check: "login", code: reason.TokenPINWrong, tries: 9},
		"order of bytes":     {fault: faulty.Fault{Function: "C_Sign", What: "swap"}, check: "sign", code: reason.TokenSignatureBad, detail: "r comes before s"},
		"wrong signature":    {fault: faulty.Fault{Function: "C_Sign", What: "flip"}, check: "sign", code: reason.TokenSignatureBad, detail: "in no order"},
		"says yes":           {fault: faulty.Fault{Function: "C_Verify", What: "yes"}, check: "verify"},
		"says no":            {fault: faulty.Fault{Function: "C_Verify", What: "rv", Value: "0xC0"}, check: "verify"},
		"cannot start":       {fault: faulty.Fault{Function: "C_Initialize", What: "rv", Value: "0x30"}, check: "library", code: reason.TokenModuleBad},
		"crashes":            {fault: faulty.Fault{Function: "C_Sign", What: "crash"}, check: "sign", code: reason.TokenCrashed},
		"to be changed":      {fault: faulty.Fault{Function: "C_Login", What: "rv", Value: "0xA3"}, check: "login", code: reason.TokenPINChange},
		"one try is left":    {fault: faulty.Fault{Function: "C_GetTokenInfo", What: "set-flags", Value: "0x20000"}, check: "pin", code: reason.TokenPINLastTry},
		"no mechanisms":      {fault: faulty.Fault{Function: "C_GetMechanismList", What: "zero"}, check: "mechanisms"},
		"another's values":   {fault: faulty.Fault{Function: "C_GetAttributeValue", What: "garbage", Value: "0x11"}, check: "keys", code: reason.TokenKeyAbsent},
		"no token":           {fault: faulty.Fault{Function: "C_GetTokenInfo", What: "rv", Value: "0xE0"}, check: "token", code: reason.TokenAbsent},
		"crashes at the end": {fault: faulty.Fault{Function: "C_OpenSession", What: "crash"}, check: "login", code: reason.TokenCrashed},
	} {
		t.Run(name, func(t *testing.T) {
			token := softtest.New(t, softtest.Options{})
			if c.pin == "" {
				c.pin = token.PIN
			}
			if c.tries == 0 {
				c.tries = 10
			}
			d, code := examine(t, token.Dir, c.fault, c.pin)
			f := d.finds(t, c.check, unhealthy)
			if code != exitNo || c.code != "" && f.Code != c.code || !strings.Contains(f.Detail, c.detail) {
				t.Errorf("exit code %d: %+v", code, f)
			}
			if left := token.Tries(t); left != c.tries {
				t.Errorf("%d tries are left, want %d", left, c.tries)
			}
		})
	}
}

// The command: texts, JSON and exit codes.
func TestDoctorCommand(t *testing.T) {
	t.Chdir(t.TempDir())
	token := softtest.New(t, softtest.Options{})
	writeFile(t, "pin.txt", []byte(token.PIN+"\n"))
	module := tokens.SoftScheme + token.Dir
	code, out, errs := program(t, token.Dir, "token", "doctor", "--module", module, "--pin-file", "pin.txt")
	if code != exitYes || !strings.Contains(out, "Всё в порядке / all is well") || errs != "" {
		t.Errorf("exit code %d: %s %s", code, out, errs)
	}
	code, out, _ = program(t, token.Dir, "token", "doctor", "--module", module)
	if code != exitIndeterminate || !strings.Contains(out, "--pin-file") {
		t.Errorf("no PIN: exit code %d: %s", code, out)
	}
	code, out, _ = program(t, token.Dir, "token", "doctor", "--module", softtest.Module(t), "--pin-file", "pin.txt", "--json")
	var all []examination
	if err := json.Unmarshal([]byte(out), &all); err != nil || code != exitYes || len(all) != 1 || len(all[0].Findings) < 10 || all[0].Token == nil {
		t.Errorf("exit code %d: %v %s", code, err, out)
	}
	code, out, _ = program(t, token.Dir, "token", "doctor", "--module", "absent.so")
	if code != exitNo || !strings.Contains(out, "Библиотека токена не загрузилась") {
		t.Errorf("no library: exit code %d: %s", code, out)
	}
	if code, _, errs := program(t, token.Dir, "token", "doctor", "--nonsense"); code != exitUsage {
		t.Errorf("exit code %d: %s", code, errs)
	}
	softtest.New(t, softtest.Options{Dir: token.Dir, Label: "Второй"})
	code, out, _ = program(t, token.Dir, "token", "doctor", "--module", module)
	if code != exitNo || !strings.Contains(out, "Подходит несколько токенов") {
		t.Errorf("two tokens: exit code %d: %s", code, out)
	}
}

// TestTokenCert: which certificates can be used, with and without the PIN.
func TestTokenCert(t *testing.T) {
	signPlace(t)
	writeFile(t, "pin.txt", []byte("12345678"))
	token := softtest.New(t, softtest.Options{NoKey: true})
	module := tokens.SoftScheme + token.Dir
	give(t, token, "expired", []byte{1})
	code, out, _ := program(t, token.Dir, "token", "cert", "--module", module)
	if code != exitNo || !strings.Contains(out, "certificate-expired") {
		t.Errorf("exit code %d: %s", code, out)
	}
	give(t, token, "ip", []byte{2})
	code, out, errs := program(t, token.Dir, "token", "cert", "--module", module, "--pin-file", "pin.txt", "--json")
	var lines []certificateLine
	if err := json.Unmarshal([]byte(out), &lines); err != nil || code != exitYes || len(lines) != 2 {
		t.Fatalf("exit code %d: %v %s %s", code, err, out, errs)
	}
	usable := 0
	for _, l := range lines {
		switch {
		case l.Usable && l.KeyID == "02" && l.Code == "":
			usable++
		case l.Usable || l.Code != reason.CertExpired || l.KeyID != "01":
			t.Errorf("%+v", l)
		}
	}
	if usable != 1 {
		t.Errorf("%d can be used", usable)
	}
	code, out, _ = program(t, token.Dir, "token", "cert", "--module", module, "--pem")
	if code != exitYes || strings.Count(out, "BEGIN CERTIFICATE") != 2 {
		t.Errorf("exit code %d: %s", code, out)
	}
	bare := softtest.New(t, softtest.Options{NoKey: true})
	if code, out, _ := program(t, bare.Dir, "token", "cert", "--module", tokens.SoftScheme+bare.Dir); code != exitNo || !strings.Contains(out, "Сертификатов нет") {
		t.Errorf("exit code %d: %s", code, out)
	}
}
