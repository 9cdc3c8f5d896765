package config

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestAccounts(t *testing.T) {
	c := parsed(t, string(Sample()))
	if !c.Accounts.Kept() {
		t.Error("the sample has no accounts")
	}
	c.Accounts.Secret = ""
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "accounts.secret") {
		t.Errorf("accounts without a secret: %v", err)
	}
	c.Accounts.Secret, c.Journal.Path = "x", ""
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "journal.path") {
		t.Errorf("accounts without a journal: %v", err)
	}
	c.Accounts = Accounts{}
	if err := c.Validate(); err != nil || c.Accounts.Kept() {
		t.Errorf("no accounts: %v", err)
	}

	c = parsed(t, string(Sample()))
	c.resolve("/etc/propusk")
	if !filepath.IsAbs(c.Accounts.Path) || !filepath.IsAbs(c.Accounts.Secret) {
		t.Errorf("the paths are not taken from the directory of the file: %q, %q", c.Accounts.Path, c.Accounts.Secret)
	}
	c.Accounts.Secret = "pkcs11:token=t;id=%01?pin-source=file:/p&module-path=/m"
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "accounts.secret") {
		t.Errorf("a secret that is a key: %v", err)
	}
}
