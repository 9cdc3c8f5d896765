package config

import (
	"strings"
	"testing"
)

func TestJournal(t *testing.T) {
	c := parsed(t, string(sample))
	if !c.Journal.Required() || c.Validate() != nil {
		t.Errorf("%+v: %v", c.Journal, c.Validate())
	}
	c.Journal.WhenLost, c.Journal.Addresses = "log", "network"
	if err := c.Validate(); err != nil || c.Journal.Required() {
		t.Error(err)
	}
	c.Journal.WhenLost, c.Journal.Addresses = "fallback", "some"
	err := c.Validate()
	if err == nil || !strings.Contains(err.Error(), "journal.when_lost") || !strings.Contains(err.Error(), "journal.addresses") {
		t.Error(err)
	}
	c.Journal.Path = "journal.db"
	c.resolve("/etc/propusk")
	if c.Journal.Path != "/etc/propusk/journal.db" {
		t.Error(c.Journal.Path)
	}
}
