package config

import (
	"strings"
	"testing"
)

func TestMail(t *testing.T) {
	for _, bad := range []struct {
		field  string
		change func(*Mail)
	}{
		{"mail.server", func(m *Mail) { m.Server = "smtp.example.ru" }},
		{"mail.security", func(m *Mail) { m.Security = "opportunistic" }},
		{"mail.security", func(m *Mail) { m.Security = MailPlain }},
		{"mail.from", func(m *Mail) { m.From = "" }},
		{"mail.from", func(m *Mail) { m.From = "Кабинет <a@example.ru>" }},
		{"mail.from", func(m *Mail) { m.From = "a@example.ru\r\nBcc: b@example.ru" }},
		{"mail.from_name", func(m *Mail) { m.FromName = "a\r\nBcc: b@example.ru" }},
		{"mail.password_file", func(m *Mail) { m.PasswordFile = "" }},
		{"mail.password_file", func(m *Mail) { m.Login = "" }},
		{"mail.poll", func(m *Mail) { m.Poll = 0 }},
		{"mail.give_up", func(m *Mail) { m.GiveUp = 0 }},
		{"mail.keep", func(m *Mail) { m.Keep = m.GiveUp - 1 }},
	} {
		c, err := Parse(Sample())
		if err != nil {
			t.Fatal(err)
		}
		if bad.change(&c.Mail); c.Validate() == nil || !strings.Contains(c.Validate().Error(), bad.field) {
			t.Errorf("%+v: %v", c.Mail, c.Validate())
		}
	}
	c, err := Parse(Sample())
	if err != nil {
		t.Fatal(err)
	}
	c.Mail.Server, c.Mail.Security = "127.0.0.1:25", MailPlain
	if err := c.Validate(); err != nil {
		t.Errorf("a server on this machine: %v", err)
	}
	c.Mail = defaultMail()
	if err := c.Validate(); err != nil {
		t.Errorf("no server: %v", err)
	}
}
