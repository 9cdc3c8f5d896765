package mailbox

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

const letter = "From: a@example.ru\r\nTo: b@example.ru\r\nSubject: =?UTF-8?B?0J/QuNGB0YzQvNC+?=\r\nMessage-ID: <1@example.ru>\r\n" +
	"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n" +
	"Content-Transfer-Encoding: quoted-printable\r\n\r\n<b>=D0=9F</b>\r\nhttps://gate.example/a?b=3Dc&d\r\n\r\n--x\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
	"PHA+PC9wPg==\r\n--x--\r\n"

// TestMailbox: a letter that comes by SMTP is shown, its link leads somewhere, and nothing in it
// becomes part of the page.
func TestMailbox(t *testing.T) {
	m := New(Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Serve(ctx, l) }()
	if err := smtp.SendMail(l.Addr().String(), nil, "a@example.ru", []string{"b@example.ru"}, strings.NewReader(letter)); err == nil {
		t.Error("SendMail of the library wants STARTTLS, and got none")
	}
	c, err := smtp.Dial(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SendMail("a@example.ru", []string{"b@example.ru"}, strings.NewReader(letter)); err != nil {
		t.Fatal(err)
	}
	if err := c.Quit(); err != nil {
		t.Fatal(err)
	}
	waiting, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	got, err := m.Wait(waiting, "B@example.ru", func(Letter) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	if got.Subject != "Письмо" || got.HTML != "<p></p>" || got.ID != "1@example.ru" || got.Number != 1 {
		t.Errorf("%+v", got)
	}
	if link, ok := got.Link("https://"); !ok || link != "https://gate.example/a?b=c&d" {
		t.Errorf("link %q", link)
	}
	if len(m.Letters("c@example.ru")) != 0 {
		t.Error("somebody else's letter")
	}
	for path, want := range map[string][2]string{
		"/mailbox":                         {"200", ">Письмо</a>"},
		"/mailbox?to=c@example.ru":         {"200", "Писем нет"},
		"/mailbox/1":                       {"200", `&lt;b&gt;П&lt;/b&gt;<br>`},
		"/mailbox/1.html":                  {"200", "<p></p>"},
		"/mailbox/2":                       {"404", ""},
		"/mailbox/x":                       {"404", ""},
		"/mailbox.json?to=b@example.ru":    {"200", `"subject":"Письмо"`},
		"/mailbox.json?to=none@example.ru": {"200", "[]"},
	} {
		w := httptest.NewRecorder()
		m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Result().Status[:3] != want[0] || !strings.Contains(w.Body.String(), want[1]) {
			t.Errorf("%s: %d\n%s", path, w.Code, w.Body)
		}
		if w.Code == 200 && !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: no policy", path)
		}
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/mailbox/1", nil))
	if !strings.Contains(w.Body.String(), `<a href="https://gate.example/a?b=c&amp;d" rel="noreferrer">`) {
		t.Errorf("no link:\n%s", w.Body)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(letter))
	f.Add([]byte("Subject: x\r\n\r\nText"))
	f.Add([]byte("Content-Type: multipart/alternative\r\n\r\n--\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := parse(raw)
		if err == nil && len(l.Text)+len(l.HTML) > 8*len(raw) {
			t.Fatalf("%d bytes become %d", len(raw), len(l.Text)+len(l.HTML))
		}
		_ = lines(l.Text)
	})
}

// TestOldestGoes: the post office is not the limit of the machine.
func TestOldestGoes(t *testing.T) {
	m := New(Options{})
	for range maxLetters + 1 {
		m.add(Letter{})
	}
	if all := m.Letters(""); len(all) != maxLetters || all[0].Number != 2 {
		t.Errorf("%d letters", len(all))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Serve(ctx, l); err != nil { // ends before it began
		t.Error(err)
	}
}
