package mail

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"propusk/pki/person"
	"propusk/server/account"
	"propusk/server/config"
	"propusk/server/mail/mailbox"
	"propusk/server/store"
)

// office is a post office on loopback, and a gateway that writes to it.
type office struct {
	box    *mailbox.Mailbox
	server Server
	store  store.Store
	log    *syncBuffer
	seen   []string

	mu  sync.Mutex
	now time.Time
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func (f *office) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *office) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

// certificate returns a certificate for 127.0.0.1, and the pool with it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// open starts a post office. The server of a gateway that may write to it is in the result.
func open(t *testing.T, security string, o mailbox.Options) *office {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cert, roots := certificate(t)
	f := &office{store: store.NewMemory(), log: new(syncBuffer), now: at}
	f.server = Server{Address: l.Addr().String(), Security: security, Roots: roots, From: "no-reply@example.ru", FromName: "Личный кабинет", Login: o.Login, Password: o.Password}
	switch security {
	case config.MailSTARTTLS:
		o.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	case config.MailTLS:
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	}
	f.box = mailbox.New(o)
	serve(t, func(ctx context.Context) error { return f.box.Serve(ctx, l) })
	return f
}

// serve runs something until the test ends.
func serve(t *testing.T, run func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func (f *office) sender(t *testing.T) *Sender {
	t.Helper()
	s, err := NewSender(Options{
		Store: f.store, Server: f.server, Poll: time.Hour, GiveUp: 48 * time.Hour, Keep: 30 * 24 * time.Hour, Now: f.clock,
		Log: slog.New(slog.NewJSONHandler(f.log, nil)), Observe: func(result string) { f.seen = append(f.seen, result) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// put writes a letter into the store.
func (f *office) put(t *testing.T, l account.Letter) account.Letter {
	t.Helper()
	if err := f.store.Update(t.Context(), func(tx store.Tx) error { return tx.PutLetter(l) }); err != nil {
		t.Fatal(err)
	}
	return l
}

func (f *office) letter(t *testing.T, id string) (l account.Letter) {
	t.Helper()
	err := f.store.View(t.Context(), func(tx store.Tx) (err error) {
		l, err = tx.Letter(id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func code(to string, now time.Time) account.Letter {
	return composer.Code(To{Email: person.NewEmail(to)}, now, Code{Code: "918273", Until: now.Add(time.Hour)})
}

func deliver(t *testing.T, s *Sender) {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = s.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDelivery: every way to protect the connection, with a login and without, and what
// arrives is what was written.
func TestDelivery(t *testing.T) {
	for name, c := range map[string]struct{ security, login string }{
		"STARTTLS": {config.MailSTARTTLS, "propusk"}, "TLS": {config.MailTLS, "propusk"}, "plain": {config.MailPlain, ""},
		"STARTTLS without a login": {config.MailSTARTTLS, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t, c.security, mailbox.Options{Login: c.login, Password: strings.Repeat("s", len(c.login))})
			l := f.put(t, code("ivan@example.ru", at))
			s := f.sender(t)
			deliver(t, s)
			got := f.box.Letters("ivan@example.ru")
			if len(got) != 1 {
				t.Fatalf("%d letters; log %s", len(got), f.log)
			}
			g := got[0]
			if g.Subject != "Код подтверждения" || g.From != "no-reply@example.ru" || g.ID != l.ID+"@example.ru" {
				t.Errorf("envelope %+v", g)
			}
			if strings.TrimSpace(g.Text) != strings.TrimSpace(l.Text.Reveal()) || strings.TrimSpace(g.HTML) != strings.TrimSpace(l.HTML.Reveal()) {
				t.Errorf("text\n%s\nHTML\n%s", g.Text, g.HTML)
			}
			if g.Header.Get("Auto-Submitted") != "auto-generated" || g.Header.Get("X-Mailer") != "" {
				t.Errorf("header %v", g.Header)
			}
			if date, err := g.Header.Date(); err != nil || !date.Equal(at) {
				t.Errorf("date %v, %v", date, err)
			}
			after := f.letter(t, l.ID)
			if !after.Sent.Equal(at) || after.Waiting() || !after.Text.IsZero() || !after.HTML.IsZero() || after.Tries != 0 {
				t.Errorf("what is kept: %+v", after)
			}
			deliver(t, s)
			if n := len(f.box.Letters("")); n != 1 {
				t.Errorf("sent %d times", n)
			}
			for _, secret := range []string{"918273", "ivan@", "sssss"} {
				if strings.Contains(f.log.String(), secret) {
					t.Errorf("%s in the log: %s", secret, f.log)
				}
			}
		})
	}
}

// TestNoTLSNoLetter: the server's word that it has no TLS, or a certificate of somebody else,
// does not make the gateway talk in the clear.
func TestNoTLSNoLetter(t *testing.T) {
	f := open(t, config.MailPlain, mailbox.Options{})
	f.server.Security = config.MailSTARTTLS
	f.put(t, code("ivan@example.ru", at))
	s := f.sender(t)
	if _, err := s.Deliver(t.Context()); err == nil || s.State().FailingSince.IsZero() {
		t.Errorf("delivered without TLS: %v, %+v", err, s.State())
	}
	g := open(t, config.MailTLS, mailbox.Options{})
	_, g.server.Roots = certificate(t)
	g.put(t, code("ivan@example.ru", at))
	if _, err := g.sender(t).Deliver(t.Context()); err == nil {
		t.Error("delivered to a stranger")
	}
	h := open(t, config.MailSTARTTLS, mailbox.Options{Login: "propusk", Password: "right"})
	h.server.Password = "wrong-password"
	h.put(t, code("ivan@example.ru", at))
	if _, err := h.sender(t).Deliver(t.Context()); err == nil || strings.Contains(err.Error(), "wrong-password") {
		t.Errorf("a wrong password: %v", err)
	}
	for _, o := range []*office{f, g, h} {
		if n := len(o.box.Letters("")); n != 0 {
			t.Errorf("%d letters", n)
		}
	}
}

// TestServerDown: while there is no server letters wait, with a growing pause, and go out when
// it is back.
func TestServerDown(t *testing.T) {
	f := open(t, config.MailPlain, mailbox.Options{})
	right := f.server.Address
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.server.Address = l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	written := f.put(t, code("ivan@example.ru", at))
	s := f.sender(t)
	for i, want := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second} {
		if _, err := s.Deliver(t.Context()); err == nil {
			t.Fatal("delivered to nobody")
		}
		if got := s.pause(); got != want {
			t.Errorf("pause %d: %s", i, got)
		}
		f.pass(want)
	}
	if st := s.State(); !st.FailingSince.Equal(at) || st.Failures != 3 || st.Waiting != 1 {
		t.Errorf("state %+v", st)
	}
	if kept := f.letter(t, written.ID); kept.Tries != 0 || kept.Text.IsZero() {
		t.Errorf("the letter is blamed: %+v", kept)
	}
	s.opts.Server.Address = right
	deliver(t, s)
	if st := s.State(); len(f.box.Letters("")) != 1 || !st.FailingSince.IsZero() || s.pause() != time.Hour {
		t.Errorf("not delivered: %+v", st)
	}
	if got := backoff(100); got != lastWait {
		t.Errorf("backoff %s", got)
	}
}

// TestRefusals: what the server says about one letter is remembered with it, without its
// words, and does not keep the others.
func TestRefusals(t *testing.T) {
	answers := map[string]*smtp.SMTPError{
		"rcpt unknown@example.ru": {Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "unknown@example.ru is not here"},
		"rcpt grey@example.ru":    {Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 0}, Message: "grey@example.ru: later"},
		"rcpt relay@example.ru":   {Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "relay@example.ru: no"},
		"data spam@example.ru":    {Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "spam@example.ru: spam"},
	}
	f := open(t, config.MailPlain, mailbox.Options{Refuse: func(stage, to string) error {
		if e := answers[stage+" "+to]; e != nil {
			return e
		}
		return nil
	}})
	letters := map[string]account.Letter{}
	for _, to := range []string{"unknown@example.ru", "grey@example.ru", "relay@example.ru", "spam@example.ru", "Кто <a@example.ru>", "no address", "good@example.ru"} {
		letters[to] = f.put(t, code(to, at))
	}
	s := f.sender(t)
	deliver(t, s)
	for to, want := range map[string]struct {
		trouble string
		waits   bool
	}{
		"unknown@example.ru": {"SMTP 550 5.1.1", false}, "grey@example.ru": {"SMTP 450 4.2.0", true}, "relay@example.ru": {"SMTP 554 5.7.1", true},
		"spam@example.ru": {"SMTP 554 5.6.0", false}, "Кто <a@example.ru>": {"not a letter that can be sent", false}, "no address": {"not a letter that can be sent", false},
		"good@example.ru": {"", false},
	} {
		got := f.letter(t, letters[to].ID)
		if got.Trouble != want.trouble || got.Waiting() != want.waits || got.Text.IsZero() == want.waits {
			t.Errorf("%s: %+v", to, got)
		}
		if want.waits && (!got.NotBefore.Equal(at.Add(firstWait)) || got.Tries != 1) {
			t.Errorf("%s: %+v", to, got)
		}
	}
	if strings.Contains(f.log.String(), "@example.ru") || len(f.box.Letters("")) != 1 || !s.State().FailingSince.IsZero() {
		t.Errorf("%+v, %d letters, log %s", s.State(), len(f.box.Letters("")), f.log)
	}
	if got := strings.Join(f.seen, " "); strings.Count(got, Failed) != 4 || strings.Count(got, Retried) != 2 || strings.Count(got, Sent) != 1 {
		t.Errorf("observed %s", got)
	}
	f.pass(firstWait)
	delete(answers, "rcpt grey@example.ru")
	deliver(t, s)
	if f.letter(t, letters["grey@example.ru"].ID).Sent.IsZero() {
		t.Error("not tried again")
	}
	f.pass(48 * time.Hour)
	deliver(t, s)
	if got := f.letter(t, letters["relay@example.ru"].ID); got.Failed.IsZero() || got.Trouble != "SMTP 554 5.7.1" {
		t.Errorf("not given up: %+v", got)
	}
}

// TestPoison: a letter over which the connection breaks every time does not stand before the
// others, and is given up.
func TestPoison(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := mailbox.New(mailbox.Options{})
	// A server that hangs up at one recipient.
	serve(t, func(ctx context.Context) error { return box.Serve(ctx, hangUp{l, "poison@"}) })
	f := &office{box: box, store: store.NewMemory(), log: new(syncBuffer), now: at}
	f.server = Server{Address: l.Addr().String(), Security: config.MailPlain, From: "no-reply@example.ru"}
	poison := f.put(t, code("poison@example.ru", at))
	f.pass(time.Second)
	f.put(t, code("good@example.ru", at.Add(time.Second)))
	s := f.sender(t)
	if _, err := s.Deliver(t.Context()); err == nil {
		t.Fatal("nobody hung up")
	}
	if got := f.letter(t, poison.ID); got.Tries != 1 || got.Trouble != "the connection broke" || !got.Waiting() {
		t.Fatalf("%+v", got)
	}
	deliver(t, s)
	if len(box.Letters("good@example.ru")) != 1 {
		t.Error("the others wait for the poison")
	}
	f.pass(48 * time.Hour)
	deliver(t, s)
	if got := f.letter(t, poison.ID); got.Failed.IsZero() {
		t.Errorf("%+v", got)
	}
}

// hangUp is a listener whose connections end when a client writes a word.
type hangUp struct {
	net.Listener
	word string
}

func (h hangUp) Accept() (net.Conn, error) {
	c, err := h.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return listening{c, h.word}, nil
}

type listening struct {
	net.Conn
	word string
}

func (c listening) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if bytes.Contains(p[:n], []byte(c.word)) {
		return 0, c.Close()
	}
	return n, err
}

// TestExpiredLetters: what is of no use is not sent, and what is over is forgotten.
func TestExpiredLetters(t *testing.T) {
	f := open(t, config.MailPlain, mailbox.Options{})
	late := f.put(t, code("ivan@example.ru", at.Add(-2*time.Hour)))
	fine := f.put(t, composer.PendingCheck(To{Email: person.NewEmail("ivan@example.ru")}, at, PendingCheck{}))
	s := f.sender(t)
	deliver(t, s)
	if got := f.letter(t, late.ID); got.Failed.IsZero() || !got.Text.IsZero() || got.Trouble != "not sent in time" {
		t.Errorf("%+v", got)
	}
	if len(f.box.Letters("")) != 1 || f.letter(t, fine.ID).Sent.IsZero() {
		t.Error("the other was not sent")
	}
	f.pass(30*24*time.Hour + time.Second)
	deliver(t, s)
	err := f.store.View(t.Context(), func(tx store.Tx) error {
		left, err := tx.Letters("", 10)
		if len(left) != 0 {
			t.Errorf("%d letters are kept for ever", len(left))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestMany: more letters than go over one connection.
func TestMany(t *testing.T) {
	f := open(t, config.MailPlain, mailbox.Options{})
	for range 2*batch + 1 {
		f.put(t, code("ivan@example.ru", at))
	}
	deliver(t, f.sender(t))
	if n := len(f.box.Letters("")); n != 2*batch+1 {
		t.Errorf("%d letters", n)
	}
}

// TestRun: a running sender is woken, and ends.
func TestRun(t *testing.T) {
	f := open(t, config.MailSTARTTLS, mailbox.Options{Login: "propusk", Password: "secret"})
	s := f.sender(t)
	serve(t, func(ctx context.Context) error {
		s.Run(ctx)
		return nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range 3 {
		l := f.put(t, code("ivan@example.ru", at))
		s.Wake()
		if _, err := f.box.Wait(ctx, "ivan@example.ru", func(g mailbox.Letter) bool { return strings.HasPrefix(g.ID, l.ID) }); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNewSenderSettings(t *testing.T) {
	for _, s := range []Server{
		{Address: "x", Security: config.MailPlain, From: "a@example.ru"},
		{Address: "x:y", Security: config.MailPlain, From: "a@example.ru"},
		{Address: "127.0.0.1:25", Security: "maybe", From: "a@example.ru"},
		{Address: "127.0.0.1:25", Security: config.MailPlain, From: "nobody"},
	} {
		if _, err := NewSender(Options{Store: store.NewMemory(), Server: s}); err == nil {
			t.Errorf("%+v", s)
		}
	}
}
