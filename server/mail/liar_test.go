package mail

import (
	"bufio"
	"context"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"propusk/server/config"
	"propusk/server/mail/mailbox"
	"propusk/server/store"
)

// liar is an SMTP server that takes a letter and then does not say so.
type liar struct {
	after func(net.Conn) // what it does when it has the whole letter

	mu  sync.Mutex
	got []string // the Message-ID of each letter that it took
}

var messageID = regexp.MustCompile(`(?mi)^Message-ID: <([^>]+)>`)

// taken are the Message-IDs of the letters that were taken.
func (s *liar) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// serve talks to one client after the other until the listener is closed.
func (s *liar) serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s.talk(c)
		c.Close()
	}
}

func (s *liar) talk(c net.Conn) {
	r := bufio.NewReader(c)
	say := func(line string) bool {
		_, err := c.Write([]byte(line + "\r\n"))
		return err == nil
	}
	for ok := say("220 mail.example ESMTP"); ok; {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch word, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(line)), " "); word {
		case "DATA":
			if !say("354 go on") {
				return
			}
			var letter strings.Builder
			for line != ".\r\n" {
				if line, err = r.ReadString('\n'); err != nil {
					return
				}
				letter.WriteString(line)
			}
			s.mu.Lock()
			s.got = append(s.got, messageID.FindStringSubmatch(letter.String())[1])
			s.mu.Unlock()
			s.after(c)
			return
		case "QUIT":
			say("221 bye")
			return
		default:
			ok = say("250 mail.example")
		}
	}
}

// lying starts such a server, and a gateway that writes to it.
func lying(t *testing.T, after func(net.Conn)) (*liar, *office) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, ended := &liar{after: after}, make(chan struct{})
	go func() {
		defer close(ended)
		s.serve(l)
	}()
	t.Cleanup(func() {
		l.Close()
		<-ended
	})
	f := &office{store: store.NewMemory(), log: new(syncBuffer), now: at}
	f.server = Server{Address: l.Addr().String(), Security: config.MailPlain, From: "no-reply@example.ru"}
	return s, f
}

// TestCutAfterData: a server that takes a letter and hangs up without a word is not believed
// to have taken it. The letter goes again, later, under the same Message-ID and Date, so that
// a mailbox can tell; when the link in it is over it does not.
func TestCutAfterData(t *testing.T) {
	post, f := lying(t, func(net.Conn) {})
	l := f.put(t, code("ivan@example.ru", at)) // good for an hour
	s := f.sender(t)
	for try := 1; try <= 3; try++ {
		if _, err := s.Deliver(t.Context()); err == nil {
			t.Fatal("a silent server was believed")
		}
		got := f.letter(t, l.ID)
		if !got.Waiting() || got.Tries != try || got.Trouble != "the connection broke" || !got.NotBefore.Equal(f.clock().Add(backoff(try))) {
			t.Fatalf("try %d: %+v", try, got)
		}
		if more, err := s.Deliver(t.Context()); more || err != nil || len(post.taken()) != try {
			t.Fatalf("it goes again at once: %v, %v", post.taken(), err)
		}
		f.pass(backoff(try))
	}
	if id := l.ID + "@example.ru"; !slices.Equal(post.taken(), []string{id, id, id}) {
		t.Errorf("taken %v", post.taken())
	}
	f.pass(time.Hour)
	deliver(t, s)
	if got := f.letter(t, l.ID); got.Failed.IsZero() || !got.Text.IsZero() || len(post.taken()) != 3 {
		t.Errorf("sent when it is of no use: %+v", got)
	}
}

// TestHangAfterData: a server that takes a letter and then says nothing holds the gateway up
// for as long as its patience lasts, and no longer than a moment when the gateway ends.
func TestHangAfterData(t *testing.T) {
	hold, has := make(chan struct{}), make(chan struct{}, 1)
	post, f := lying(t, func(net.Conn) {
		has <- struct{}{}
		<-hold
	})
	t.Cleanup(func() { close(hold) }) // before the server is waited for
	l := f.put(t, code("ivan@example.ru", at))
	s := f.sender(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := s.Deliver(ctx)
		ended <- err
	}()
	select {
	case <-has:
	case err := <-ended:
		t.Fatalf("not taken: %v", err)
	}
	cancel()
	select {
	case <-ended:
	case <-time.After(patience / 2):
		t.Fatal("a silent server keeps the gateway from ending")
	}
	if got := f.letter(t, l.ID); !got.Waiting() || got.Tries != 1 || got.Text.IsZero() || len(post.taken()) != 1 {
		t.Errorf("%+v", got)
	}
}

// TestGreylisting: a server that says "later" to every new sender gets the letter again after
// the pause, once, and the others meanwhile.
func TestGreylisting(t *testing.T) {
	for _, stage := range []string{"rcpt", "data"} {
		t.Run(stage, func(t *testing.T) {
			tries := 0
			f := open(t, config.MailPlain, mailbox.Options{Refuse: func(at, to string) error {
				if at != stage || to != "grey@example.ru" {
					return nil
				}
				if tries++; tries < 3 {
					return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted, come again"}
				}
				return nil
			}})
			l := f.put(t, code("grey@example.ru", at))
			f.put(t, code("good@example.ru", at))
			s := f.sender(t)
			for try := 1; try <= 2; try++ {
				deliver(t, s)
				if got := f.letter(t, l.ID); got.Tries != try || !got.Waiting() || got.Trouble != "SMTP 451 4.7.1" || !s.State().FailingSince.IsZero() {
					t.Fatalf("try %d: %+v, %+v", try, got, s.State())
				}
				f.pass(backoff(try) - time.Second)
				deliver(t, s) // too early
				f.pass(time.Second)
			}
			deliver(t, s)
			deliver(t, s)
			got := f.letter(t, l.ID)
			if got.Sent.IsZero() || tries != 3 || len(f.box.Letters("grey@example.ru")) != 1 || len(f.box.Letters("good@example.ru")) != 1 {
				t.Errorf("%d tries, %+v", tries, got)
			}
		})
	}
}

// crashing is a store that ends the process, as kill -9 does, before it is noted that a
// letter was sent.
type crashing struct{ store.Store }

type killed struct{}

func (crashing) Update(context.Context, func(store.Tx) error) error { panic(killed{}) }

// TestKilledBeforeNote: a letter that was taken, when the gateway is killed before it has
// noted that, goes again under the same Message-ID: twice rather than never.
func TestKilledBeforeNote(t *testing.T) {
	f := open(t, config.MailPlain, mailbox.Options{})
	l := f.put(t, code("ivan@example.ru", at))
	s := f.sender(t)
	s.opts.Store = crashing{f.store}
	func() {
		defer func() {
			if _, ok := recover().(killed); !ok {
				t.Error("nothing was to be noted")
			}
		}()
		deliver(t, s)
	}()
	if n := len(f.box.Letters("ivan@example.ru")); n != 1 {
		t.Fatalf("%d letters before the crash", n)
	}
	deliver(t, f.sender(t)) // the next start
	got := f.box.Letters("ivan@example.ru")
	if len(got) != 2 || got[0].ID != l.ID+"@example.ru" || got[1].ID != got[0].ID || got[0].Header.Get("Date") != got[1].Header.Get("Date") {
		t.Errorf("after the next start: %+v", got)
	}
	if f.letter(t, l.ID).Sent.IsZero() {
		t.Error("not noted")
	}
}
