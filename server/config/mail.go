package config

import (
	"net"
	"net/mail"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Ways to protect the connection to the mail server: Mail.Security.
const (
	// MailSTARTTLS asks for TLS on a connection that began without it, and goes no further
	// without (RFC 3207).
	MailSTARTTLS = "starttls"
	// MailTLS begins with TLS (RFC 8314, Section 3.3).
	MailTLS = "tls"
	// MailPlain is without TLS: to a server on this machine only.
	MailPlain = "none"
)

// Mail is the SMTP server that takes the letters of accounts and of the support.
type Mail struct {
	// Server is its address, "host:port". Empty: letters are written and wait.
	Server string `yaml:"server"`

	// Security is "starttls", "tls", or, on this machine only, "none".
	Security string `yaml:"security"`

	// CA is a PEM file with the roots that its certificate is verified with; empty means
	// those of the operating system.
	CA string `yaml:"ca"`

	// Login is the name that the gateway has there; empty means that it needs none.
	Login string `yaml:"login"`

	// PasswordFile is a file with its password.
	PasswordFile string `yaml:"password_file"`

	// From is the address of the sender, "no-reply@example.ru".
	From string `yaml:"from"`

	// FromName is the name beside it; empty means the name of the gateway.
	FromName string `yaml:"from_name"`

	// Poll is how often letters are looked for that another program has written, such as
	// `propusk ticket answer`.
	Poll time.Duration `yaml:"poll"`

	// GiveUp is how long a letter is tried.
	GiveUp time.Duration `yaml:"give_up"`

	// Keep is how long it is known that a letter was sent. Its text is forgotten at once.
	Keep time.Duration `yaml:"keep"`
}

func defaultMail() Mail {
	return Mail{Security: MailSTARTTLS, Poll: 5 * time.Second, GiveUp: 48 * time.Hour, Keep: 30 * 24 * time.Hour}
}

func (k *checker) mail(m Mail) {
	k.that(m.Server == "" || address(m.Server), "mail.server", "must be host:port, or empty")
	k.that(slices.Contains([]string{MailSTARTTLS, MailTLS, MailPlain}, m.Security), "mail.security", "must be starttls, tls or none")
	k.that(m.Security != MailPlain || m.Server == "" || nearby(m.Server), "mail.security", "may be none only on this machine: letters hold links that open accounts")
	k.that(m.Server == "" || mailbox(m.From), "mail.from", "must be the address of a mailbox, as in no-reply@example.ru")
	k.that(!strings.ContainsAny(m.FromName, "\r\n") && len(m.FromName) <= 200, "mail.from_name", "must be one line of at most 200 bytes")
	k.that((m.Login == "") == (m.PasswordFile == ""), "mail.password_file", "must be set if and only if mail.login is")
	k.span("mail.poll", m.Poll, 100*time.Millisecond, time.Hour)
	k.span("mail.give_up", m.GiveUp, time.Minute, 14*24*time.Hour)
	k.span("mail.keep", m.Keep, m.GiveUp, 3660*24*time.Hour)
}

// nearby reports whether "host:port" is on this machine.
func nearby(s string) bool {
	host, _, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// mailbox reports whether s is an address and nothing more.
func mailbox(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Name == "" && a.Address == s
}
