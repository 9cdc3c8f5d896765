package register

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
)

// Numbers of nobody, with right check digits.
const (
	inn, otherINN       = "500100732259", "526317984689"
	ogrnip, otherOGRNIP = "304500116000157", "304463210700212"
)

func number(t testing.TB) (person.INN, person.OGRNIP) {
	t.Helper()
	i, err := person.ParseINN(inn)
	if err != nil {
		t.Fatal(err)
	}
	o, err := person.ParseOGRNIP(ogrnip)
	if err != nil {
		t.Fatal(err)
	}
	return i, o
}

func entry(t testing.TB) Entry {
	i, o := number(t)
	return Entry{
		INN: i, OGRNIP: o, Name: person.NewName("Берёзкина Алёна Петровна"),
		Born: person.NewPrivate("1980-02-29"), Document: person.NewPrivate("4501 123456"),
	}
}

// marshal is the inverse of parse.
func (e Entry) marshal() []byte {
	r := record{
		INN: e.INN.Reveal(), OGRNIP: e.OGRNIP.Reveal(), Name: e.Name.Reveal(),
		Born: e.Born.Reveal(), Document: e.Document.Reveal(),
	}
	if !e.Closed.IsZero() {
		r.Closed = e.Closed.Format(time.DateOnly)
	}
	data, err := json.Marshal(r)
	if err != nil {
		panic("register: an entry does not encode: " + err.Error())
	}
	return data
}

// lines are entries as a file has them.
func lines(entries ...Entry) []byte {
	var b bytes.Buffer
	for _, e := range entries {
		b.Write(append(e.marshal(), '\n'))
	}
	return b.Bytes()
}

func TestCompare(t *testing.T) {
	other, err := person.ParseINN(otherINN)
	if err != nil {
		t.Fatal(err)
	}
	otherEntry, err := person.ParseOGRNIP(otherOGRNIP)
	if err != nil {
		t.Fatal(err)
	}
	e := entry(t)
	for name, test := range map[string]struct {
		change func(c *Claim, e *Entry)
		want   Match
	}{
		"the same":              {func(*Claim, *Entry) {}, Same},
		"ё, case and spaces":    {func(c *Claim, _ *Entry) { c.Name = person.NewName("БЕРЕЗКИНА  Алена петровна") }, Same},
		"no ОГРНИП told":        {func(c *Claim, _ *Entry) { c.OGRNIP = person.OGRNIP{} }, Same},
		"another ИНН":           {func(c *Claim, _ *Entry) { c.INN = other }, Mismatch},
		"another ОГРНИП":        {func(c *Claim, _ *Entry) { c.OGRNIP = otherEntry }, Mismatch},
		"another name":          {func(c *Claim, _ *Entry) { c.Name = person.NewName("Берёзкина Анна Петровна") }, More},
		"no name":               {func(c *Claim, e *Entry) { c.Name, e.Name = person.Name{}, person.Name{} }, More},
		"entered numbers":       {func(c *Claim, _ *Entry) { c.Entered = true }, More},
		"entered, with details": {func(c *Claim, _ *Entry) { c.Entered = true; detail(c, "1980-02-29", "45 01 № 123456") }, Same},
		"another name, with details": {func(c *Claim, _ *Entry) {
			c.Name = person.NewName("Соснина Алёна Петровна")
			detail(c, "1980-02-29", "4501123456")
		}, Same},
		"entered ИНН, with details": {func(c *Claim, _ *Entry) {
			c.Entered, c.EnteredINN = true, true
			detail(c, "1980-02-29", "4501123456")
		}, Same},
		"entered ИНН, another name": {func(c *Claim, _ *Entry) {
			c.Entered, c.EnteredINN, c.Name = true, true, person.NewName("Соснина Алёна Петровна")
		}, More},
		"entered ИНН, another name, with details": {func(c *Claim, _ *Entry) {
			c.Entered, c.EnteredINN, c.Name = true, true, person.NewName("Соснина Алёна Петровна")
			detail(c, "1980-02-29", "4501123456")
		}, Mismatch},
		"another birthday":         {func(c *Claim, _ *Entry) { c.Entered = true; detail(c, "1980-02-28", "4501123456") }, Mismatch},
		"another document":         {func(c *Claim, _ *Entry) { c.Entered = true; detail(c, "1980-02-29", "4501123457") }, Mismatch},
		"half of the details":      {func(c *Claim, _ *Entry) { c.Entered = true; detail(c, "1980-02-29", "") }, Mismatch},
		"details, but ИНН differs": {func(c *Claim, _ *Entry) { c.INN = other; detail(c, "1980-02-29", "4501123456") }, Mismatch},
		"a register without details": {func(c *Claim, e *Entry) {
			c.Entered, e.Born, e.Document = true, person.Private{}, person.Private{}
			detail(c, "1980-02-29", "4501123456")
		}, Mismatch},
	} {
		t.Run(name, func(t *testing.T) {
			e := e
			c := Claim{INN: e.INN, OGRNIP: e.OGRNIP, Name: e.Name}
			test.change(&c, &e)
			if got := e.Compare(c); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
	if (Entry{}).Compare(Claim{INN: e.INN, OGRNIP: e.OGRNIP}) != Mismatch {
		t.Error("an empty entry fits")
	}
}

func detail(c *Claim, born, document string) {
	c.Born, c.Document = person.NewPrivate(born), person.NewPrivate(document)
}

func TestFile(t *testing.T) {
	e := entry(t)
	before := e
	var err error
	if before.OGRNIP, err = person.ParseOGRNIP(otherOGRNIP); err != nil {
		t.Fatal(err)
	}
	before.Closed = time.Date(2019, 5, 6, 0, 0, 0, 0, time.UTC)
	b := bytes.NewBuffer(lines(before, e))
	path := filepath.Join(t.TempDir(), "register.jsonl")
	write(t, path, b.Bytes())
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	find := func(o person.OGRNIP) Entry {
		t.Helper()
		got, err := f.Find(t.Context(), Query{INN: e.INN, OGRNIP: o})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if find(person.OGRNIP{}) != e || find(e.OGRNIP) != e || find(before.OGRNIP) != before {
		t.Error("the entry in force does not come first, or the one that was asked for not at all")
	}
	other, err := person.ParseINN(otherINN)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Find(t.Context(), Query{INN: other}); !errors.Is(err, ErrNotFound) {
		t.Errorf("somebody who is not there: %v", err)
	}

	// Half of a file is not believed, a whole one is read without a restart.
	write(t, path, b.Bytes()[:b.Len()-3])
	if find(person.OGRNIP{}) != e {
		t.Error("half of a file is believed")
	}
	e.Closed = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	b.Reset()
	b.Write(lines(e))
	write(t, path, b.Bytes())
	if find(person.OGRNIP{}) != e {
		t.Error("a new file is not read")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if find(person.OGRNIP{}) != e {
		t.Error("nobody is known any more without the file")
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFileMistakes(t *testing.T) {
	if _, err := OpenFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	for _, line := range []string{
		`{`, `[]`, `null`, `{"inn":"` + inn + `"}`, `{"inn":"1","ogrnip":"` + ogrnip + `","name":"А"}`,
		`{"inn":"` + inn + `","ogrnip":"` + ogrnip + `","name":"А","secret":1}`,
		`{"inn":"` + inn + `","ogrnip":"` + ogrnip + `","name":"А"} {}`,
		`{"inn":"` + inn + `","ogrnip":"` + ogrnip + `","name":"А","born":"1.2.1980"}`,
		`{"inn":"` + inn + `","ogrnip":"` + ogrnip + `","name":"А","closed":"soon"}`,
		`{"inn":"` + inn + `","ogrnip":"` + ogrnip + `","name":"` + strings.Repeat("а", maxName+1) + `"}`,
		strings.Repeat(" ", maxRecord+1),
	} {
		path := filepath.Join(t.TempDir(), "register.jsonl")
		write(t, path, []byte("\n"+line+"\n"))
		if _, err := OpenFile(path); err == nil || strings.Contains(err.Error(), inn) {
			t.Errorf("%.40q: %v", line, err)
		}
	}
}

// service is a register of an operator that answers as it is told.
type service struct {
	*httptest.Server
	asked  atomic.Int64
	answer atomic.Pointer[http.HandlerFunc]
}

func newService(t *testing.T) *service {
	s := new(service)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		(*s.answer.Load())(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *service) will(f http.HandlerFunc) { s.answer.Store(&f) }

func status(code int, media, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

func TestHTTP(t *testing.T) {
	e, s := entry(t), newService(t)
	h, err := NewHTTP(HTTPOptions{URL: s.URL + "/find", Token: "letmein", Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	s.will(func(w http.ResponseWriter, r *http.Request) {
		var q map[string]string
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q["inn"] != inn || q["ogrnip"] != ogrnip || len(q) != 2 ||
			r.Method != http.MethodPost || r.URL.RawQuery != "" || r.Header.Get("Authorization") != "Bearer letmein" {
			t.Errorf("%s %s %v %v: %v", r.Method, r.URL, r.Header, q, err)
		}
		status(http.StatusOK, "application/json; charset=utf-8", string(e.marshal()))(w, r)
	})
	got, err := h.Find(t.Context(), Query{INN: e.INN, OGRNIP: e.OGRNIP})
	if err != nil || got != e {
		t.Fatalf("%v, %v", got, err)
	}
	s.will(status(http.StatusNotFound, "application/json", "{}"))
	if _, err := h.Find(t.Context(), Query{INN: e.INN}); !errors.Is(err, ErrNotFound) {
		t.Errorf("somebody who is not there: %v", err)
	}
	for name, f := range map[string]http.HandlerFunc{
		"a page of a proxy":   status(http.StatusOK, "text/html", "<p>"),
		"another 404":         status(http.StatusNotFound, "text/html", "<p>"),
		"a mistake":           status(http.StatusInternalServerError, "application/json", "{}"),
		"not an entry":        status(http.StatusOK, "application/json", "{}"),
		"too long":            status(http.StatusOK, "application/json", string(e.marshal())+strings.Repeat(" ", maxRecord)),
		"another place":       func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other", http.StatusFound) },
		"half of an answer":   func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "100") },
		"a broken connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		fresh, err := NewHTTP(HTTPOptions{URL: s.URL, Timeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		s.will(f)
		before := s.asked.Load()
		_, err = fresh.Find(t.Context(), Query{INN: e.INN})
		if !errors.Is(err, reason.RegisterUnavailable) || s.asked.Load() != before+1 {
			t.Errorf("%s: %v after %d requests", name, err, s.asked.Load()-before)
		}
		if err != nil && strings.Contains(err.Error(), inn) {
			t.Errorf("%s: the error tells about a person: %v", name, err)
		}
	}
	for _, u := range []string{"", "ftp://x/", "https://", "https://u:p@x/", "https://x/#a", "%"} {
		if _, err := NewHTTP(HTTPOptions{URL: u}); err == nil {
			t.Errorf("%q is taken", u)
		}
	}
}

// TestBreaker: a service in trouble is left alone, and asked again by one person first.
func TestBreaker(t *testing.T) {
	e, s := entry(t), newService(t)
	now := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	h, err := NewHTTP(HTTPOptions{URL: s.URL, Timeout: time.Minute, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	find := func(want error, asked int64) {
		t.Helper()
		before := s.asked.Load()
		if _, err := h.Find(t.Context(), Query{INN: e.INN}); !errors.Is(err, want) || s.asked.Load()-before != asked {
			t.Fatalf("%v after %d requests, want %v after %d", err, s.asked.Load()-before, want, asked)
		}
	}
	s.will(status(http.StatusBadGateway, "text/plain", ""))
	// Those who leave say nothing about the service.
	left, leave := context.WithCancel(t.Context())
	leave()
	for range 2 * maxFailures {
		h.Find(left, Query{INN: e.INN}) //nolint:errcheck // it fails
	}
	for range maxFailures {
		find(reason.RegisterUnavailable, 1)
	}
	find(reason.RegisterUnavailable, 0)
	now = now.Add(pause)
	find(reason.RegisterUnavailable, 1) // it looked, and it is not back
	find(reason.RegisterUnavailable, 0)
	now = now.Add(pause)
	entered, goOn := make(chan bool), make(chan bool)
	s.will(func(w http.ResponseWriter, r *http.Request) {
		entered <- true
		<-goOn
		status(http.StatusOK, "application/json", string(e.marshal()))(w, r)
	})
	done := make(chan error)
	go func() {
		_, err := h.Find(t.Context(), Query{INN: e.INN})
		done <- err
	}()
	<-entered
	find(reason.RegisterUnavailable, 0) // one looks, the others do not wait for him
	close(goOn)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s.will(status(http.StatusOK, "application/json", string(e.marshal())))
	find(nil, 1)
	find(nil, 1)
}

// TestSlow: nobody waits longer than he was told.
func TestSlow(t *testing.T) {
	s := newService(t)
	stop := make(chan bool)
	s.will(func(http.ResponseWriter, *http.Request) { <-stop })
	defer close(stop)
	h, err := NewHTTP(HTTPOptions{URL: s.URL, Timeout: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Find(t.Context(), Query{INN: entry(t).INN}); !errors.Is(err, reason.RegisterUnavailable) {
		t.Error(err)
	}
}

func FuzzEntry(f *testing.F) {
	f.Add(entry(f).marshal())
	f.Add([]byte(`{"inn":"` + inn + `","ogrnip":"` + ogrnip + `","name":"А","closed":"2020-01-01"}`))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := parse(data)
		if err != nil {
			if e != (Entry{}) {
				t.Fatal("refused, yet something came back")
			}
			return
		}
		if again, err := parse(e.marshal()); err != nil || again != e {
			t.Fatalf("taken, but does not come back: %v", err)
		}
	})
}
