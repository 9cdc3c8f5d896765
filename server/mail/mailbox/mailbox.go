// Package mailbox is an SMTP server that keeps the letters that it gets in memory and shows
// them: the post office of a demo country and of tests. It takes letters for everybody, and
// shows them to everybody who can reach the page.
package mailbox

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Limits of the post office.
const (
	maxLetter    = 1 << 20 // bytes of a letter, in the form in which it came
	maxLetters   = 1000    // the oldest goes when there are more
	conversation = time.Minute
)

// Options is what a Mailbox is made of.
type Options struct {
	// TLS is offered by STARTTLS; nil offers none.
	TLS *tls.Config
	// Login and Password are asked for; with an empty Login everybody may send.
	Login, Password string
	// Refuse is asked at every recipient ("rcpt") and at the end of every letter ("data"),
	// and its error, an [smtp.SMTPError], is the answer. Nil takes everything.
	Refuse func(stage, recipient string) error
	// Now returns the time; nil means time.Now.
	Now func() time.Time
}

// Mailbox is the post office. It is safe for concurrent use. Make it with New.
type Mailbox struct {
	opts Options

	mu      sync.Mutex
	letters []Letter // the oldest first
	last    int
	changed chan struct{} // closed and replaced when a letter comes
}

// New returns a Mailbox without letters.
func New(o Options) *Mailbox {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Refuse == nil {
		o.Refuse = func(string, string) error { return nil }
	}
	return &Mailbox{opts: o, changed: make(chan struct{})}
}

// Serve takes letters on l until ctx ends, and closes it. The error is nil then.
func (m *Mailbox) Serve(ctx context.Context, l net.Listener) error {
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{box: m, in: m.opts.Login == ""}, nil }))
	s.Domain, s.TLSConfig = "mail.example", m.opts.TLS
	s.MaxRecipients, s.MaxMessageBytes = 10, maxLetter
	s.ReadTimeout, s.WriteTimeout = conversation, conversation
	s.AllowInsecureAuth = false
	s.ErrorLog = silence{}
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	// Close comes to nothing when Serve has not begun: the port is closed all the same.
	err := errors.Join(s.Close(), l.Close())
	if serving := <-failed; !errors.Is(serving, smtp.ErrServerClosed) && !errors.Is(serving, net.ErrClosed) {
		err = errors.Join(err, serving)
	}
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Letters returns the letters to an address, the oldest first; to everybody if it is empty.
func (m *Mailbox) Letters(to string) []Letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.to(to)
}

func (m *Mailbox) to(address string) []Letter {
	var found []Letter
	for _, l := range m.letters {
		if address == "" || slices.ContainsFunc(l.To, func(to string) bool { return strings.EqualFold(to, address) }) {
			found = append(found, l)
		}
	}
	return found
}

// Wait returns the first letter to an address that want wants, as soon as it is there. The
// error is that of ctx.
func (m *Mailbox) Wait(ctx context.Context, to string, want func(Letter) bool) (Letter, error) {
	for {
		m.mu.Lock()
		found, changed := m.to(to), m.changed
		m.mu.Unlock()
		if i := slices.IndexFunc(found, want); i >= 0 {
			return found[i], nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Letter{}, ctx.Err()
		}
	}
}

// add keeps a letter.
func (m *Mailbox) add(l Letter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last++
	l.Number = m.last
	m.letters = append(m.letters, l)
	if len(m.letters) > maxLetters {
		m.letters = slices.Clone(m.letters[1:])
	}
	close(m.changed)
	m.changed = make(chan struct{})
}

// silence is a log of nothing: that a connection broke is the sender's to tell.
type silence struct{}

// Printf implements smtp.Logger.
func (silence) Printf(string, ...any) {}

// Println implements smtp.Logger.
func (silence) Println(...any) {}

// session is one conversation.
type session struct {
	box  *Mailbox
	in   bool // may send
	from string
	to   []string
}

var _ smtp.AuthSession = (*session)(nil)

// AuthMechanisms implements smtp.AuthSession.
func (s *session) AuthMechanisms() []string {
	if s.box.opts.Login == "" {
		return nil
	}
	return []string{sasl.Plain}
}

// Auth implements smtp.AuthSession.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, login, password string) error {
		o := s.box.opts
		s.in = subtle.ConstantTimeCompare([]byte(login+"\x00"+password), []byte(o.Login+"\x00"+o.Password)) == 1
		if !s.in {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if !s.in {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if err := s.box.opts.Refuse("rcpt", to); err != nil {
		return err
	}
	s.to = append(s.to, to)
	return nil
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	letter, err := parse(raw)
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "Not a letter"}
	}
	for _, to := range s.to {
		if err := s.box.opts.Refuse("data", to); err != nil {
			return err
		}
	}
	letter.From, letter.To, letter.At = s.from, s.to, s.box.opts.Now()
	s.box.add(letter)
	return nil
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.from, s.to = "", nil }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }
