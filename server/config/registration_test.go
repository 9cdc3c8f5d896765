package config

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRegistration: each field of the section has its bounds.
func TestRegistration(t *testing.T) {
	for field, spoil := range map[string]func(*Registration){
		"registration.life":                func(r *Registration) { r.Life = time.Minute },
		"registration.link_life":           func(r *Registration) { r.LinkLife = time.Hour },
		"registration.activate_within":     func(r *Registration) { r.ActivateWithin = time.Hour },
		"registration.letters":             func(r *Registration) { r.Letters = 0 },
		"registration.check_days":          func(r *Registration) { r.CheckDays = 0 },
		"registration.register.timeout":    func(r *Registration) { r.Register.Timeout = 0 },
		"registration.register.token_file": func(r *Registration) { r.Register.TokenFile = "token" },
		"registration.register.url":        func(r *Registration) { r.Register.URL = "http://register.example.ru/" },
	} {
		c := parsed(t, string(Sample()))
		c.Registration.Register.File = ""
		spoil(&c.Registration)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), field+": ") {
			t.Errorf("%s: %v", field, err)
		}
	}
	c := parsed(t, string(Sample()))
	c.Registration.Register.File, c.Registration.Register.URL = "register.jsonl", "https://register.example.ru/"
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "registration.register.url: ") {
		t.Errorf("two registers: %v", err)
	}
	c.Registration.Register.URL, c.Registration.Agreement = "", "agreement.txt"
	c.resolve("/etc/propusk")
	if !filepath.IsAbs(c.Registration.Register.File) || !filepath.IsAbs(c.Registration.Agreement) {
		t.Errorf("the paths are not taken from the directory of the file: %+v", c.Registration)
	}
}

func TestRegisters(t *testing.T) {
	c := parsed(t, string(Sample()))
	c.Accounts.Path, c.SignIn.Methods = "accounts.db", []string{MethodGOSTTLS, MethodPlugin}
	if !c.Registers() {
		t.Error("nobody registers by a plug-in")
	}
	c.SignIn.Methods = []string{MethodGOSTTLS}
	if c.Registers() {
		t.Error("people register who cannot sign")
	}
	c.SignIn.Methods, c.Accounts.Path = []string{MethodAgent}, ""
	if c.Registers() {
		t.Error("people register without accounts")
	}
}
