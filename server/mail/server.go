package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"propusk/server/account"
	"propusk/server/config"
)

// Times of a conversation with a server.
const (
	// patience is how long a server may take to let the gateway in, and for each letter.
	patience = time.Minute
	// grace is how long the letter under way may take when the gateway ends.
	grace = 3 * time.Second
)

// errUnsendable means that a letter cannot be made a message, whatever the server.
var errUnsendable = errors.New("mail: the address is none")

// Server is an SMTP server that takes letters.
type Server struct {
	// Address is "host:port".
	Address string
	// Security is one of the words of config.Mail.
	Security string
	// Roots verify its certificate; nil means those of the system.
	Roots *x509.CertPool
	// Login and Password are what the gateway is known by there; empty if it needs nothing.
	Login, Password string
	// From is the sender, and FromName the name beside it.
	From, FromName string
}

// host returns the name and port of the server.
func (s Server) host() (string, int, error) {
	host, service, err := net.SplitHostPort(s.Address)
	if err != nil {
		return "", 0, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	return host, int(port), err
}

// check reports settings that do not fit.
func (s Server) check() error {
	if _, _, err := s.host(); err != nil {
		return fmt.Errorf("mail: server: %w", err)
	}
	if _, err := netmail.ParseAddress(s.From); err != nil {
		return fmt.Errorf("mail: sender: %w", err)
	}
	_, err := s.client(new(net.Dialer).DialContext)
	return err
}

// client returns a client of go-mail that dials by the function.
func (s Server) client(dial mail.DialContextFunc) (*mail.Client, error) {
	host, port, err := s.host()
	if err != nil {
		return nil, err
	}
	options := []mail.Option{
		mail.WithPort(port), mail.WithTimeout(patience), mail.WithTLSConfig(s.tls(host)), mail.WithDialContextFunc(dial),
		mail.WithoutNoop(), // some servers hang up when there are many commands without a letter
	}
	switch s.Security {
	case config.MailSTARTTLS:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case config.MailTLS:
		// TLS is there when the library begins, which finds out with this policy only.
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic))
	case config.MailPlain:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		return nil, fmt.Errorf("mail: security %q is unknown", s.Security)
	}
	if s.Login != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(s.Login), mail.WithPassword(s.Password))
	}
	return mail.NewClient(host, options...)
}

func (s Server) tls(host string) *tls.Config {
	return &tls.Config{ServerName: host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
}

// connection is a conversation with a server that has let the gateway in.
type connection struct {
	server Server
	client *mail.Client
	smtp   *smtp.Client
	raw    net.Conn
	stop   func() bool
}

// open connects. The library forgets connections that fail on the way in, and lets a silent
// server take for ever, so it is dialled here.
func (s Server) open(ctx context.Context) (*connection, error) {
	c := &connection{server: s, stop: func() bool { return true }}
	client, err := s.client(func(dialling context.Context, network, address string) (net.Conn, error) {
		raw, err := (&net.Dialer{Timeout: patience}).DialContext(dialling, network, address)
		if err != nil {
			return nil, err
		}
		c.raw = raw
		c.stop = context.AfterFunc(ctx, func() { raw.SetDeadline(time.Now().Add(grace)) }) //nolint:errcheck // a closed connection needs none
		if err := raw.SetDeadline(time.Now().Add(patience)); err != nil {
			return nil, err
		}
		if s.Security != config.MailTLS {
			return raw, nil
		}
		host, _, err := s.host()
		if err != nil {
			return nil, err
		}
		protected := tls.Client(raw, s.tls(host))
		return protected, protected.HandshakeContext(dialling)
	})
	if err != nil {
		return nil, err
	}
	c.client = client
	if c.smtp, err = client.DialToSMTPClientWithContext(ctx); err != nil {
		c.close()
		return nil, fmt.Errorf("mail: server: %w", err)
	}
	return c, nil
}

// close ends the conversation, with the words that are polite if there is time for them.
func (c *connection) close() {
	c.stop()
	if c.raw == nil {
		return
	}
	if c.smtp != nil {
		_ = c.client.CloseWithSMTPClient(c.smtp) // the letters are acknowledged already
	}
	_ = c.raw.Close() // closed twice after a clean end
}

// send hands a letter over. The server has taken it when there is no error.
func (c *connection) send(l account.Letter) error {
	m, err := c.server.message(l)
	if err != nil {
		return err
	}
	err = c.client.SendWithSMTPClient(c.smtp, m)
	if m.IsDelivered() {
		return nil // whatever went wrong behind it
	}
	return err
}

// message makes a letter a message (RFC 5322), plain text and HTML. Its Message-ID stays over
// tries, so that a mailbox that got it twice can tell.
func (s Server) message(l account.Letter) (*mail.Msg, error) {
	from, err := netmail.ParseAddress(s.From)
	if err != nil {
		return nil, fmt.Errorf("mail: sender: %w", err)
	}
	from.Name = s.FromName
	to, err := netmail.ParseAddress(l.To.Reveal())
	if err != nil || to.Name != "" || to.Address != l.To.Reveal() {
		return nil, errUnsendable
	}
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	m.FromMailAddress(from)
	m.AddToMailAddress(to)
	m.SetDateWithValue(l.Created)
	m.SetMessageIDWithValue(l.ID + "@" + domain(from.Address))
	m.Subject(l.Subject)
	// RFC 3834, Section 5: no automatic answers to it.
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader("Content-Language", l.Language)
	m.SetBodyString(mail.TypeTextPlain, l.Text.Reveal())
	m.AddAlternativeString(mail.TypeTextHTML, l.HTML.Reveal())
	return m, nil
}

// domain returns what is behind the last "@".
func domain(address string) string {
	for i := len(address) - 1; i >= 0; i-- {
		if address[i] == '@' {
			return address[i+1:]
		}
	}
	return "localhost"
}
