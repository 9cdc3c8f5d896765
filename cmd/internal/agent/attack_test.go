package agent

import (
	"context"
	"encoding/hex"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"propusk/pki/reason"
	"propusk/tokens"
)

// TestServiceWorker answers no page to a service worker that another program left in the
// browser while it had the port, and has the browser forget it before a PIN is asked for.
func TestServiceWorker(t *testing.T) {
	w := newWorld(t, []string{"ip"})
	_, jws := w.request()
	_, p := w.visit()
	pin := w.choose(p, "ip")
	for _, address := range []string{w.url + "/", w.url + "/sign?request=" + jws, p.url, pin.url, p.url + "/answer"} {
		for name, value := range map[string]string{
			"Service-Worker-Navigation-Preload": "true", "Service-Worker": "script",
			"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch", "X-Moz": "prefetch",
		} {
			got := w.get(address, set(name, value))
			w.want(got, 403, reason.AgentNotNavigation)
			if strings.Contains(got.text, "Зелёный слон") || got.header.Get("Clear-Site-Data") != `"cache", "storage"` {
				t.Errorf("%s, %s: the phrase is told, or nothing is forgotten", address, name)
			}
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/sign?request="+jws, nil)
	must(t, err)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	answer, err := client.Do(r)
	must(t, err)
	must(t, answer.Body.Close())
	if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Clear-Site-Data") != `"cache", "storage"` {
		t.Errorf("%s, forgets %q", answer.Status, answer.Header.Get("Clear-Site-Data"))
	}
}

// TestOddRequests comes to no page by other methods, paths and addresses than those that
// there are.
func TestOddRequests(t *testing.T) {
	w := newWorld(t, []string{"ip"})
	_, jws := w.request()
	_, p := w.visit()
	pin := w.choose(p, "ip")
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions, http.MethodTrace, "SIGN"} {
		for _, address := range []string{w.url + "/", w.url + "/sign?request=" + jws, p.url, pin.url, p.url + "/cancel"} {
			if got := w.navigate(method, address, nil); got.status != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: status %d", method, address, got.status)
			}
		}
	}
	for _, name := range []string{"X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"} {
		if got := w.get(p.url+"/cancel", set(name, http.MethodPost)); got.status != http.StatusMethodNotAllowed {
			t.Errorf("%s: status %d", name, got.status)
		}
	}
	form := url.Values{"form": {pin.field("form")}, "certificate": {pin.field("certificate")}, "pin": {testPIN}}
	visit := strings.TrimPrefix(p.url, w.url)
	for _, path := range []string{"/sign/.." + visit + "/pin", "//sign", "/sign/", visit + "/pin/", visit + "//pin"} {
		if got := w.navigate(http.MethodPost, w.url+path, form, set("Origin", "null"), set("Sec-Fetch-Site", "cross-site")); got.status < 400 {
			t.Errorf("%s: status %d", path, got.status)
		}
	}
	// A request is a field of a form, not of a text and not of several parts.
	for _, kind := range []string{"text/plain", "multipart/form-data; boundary=x", ""} {
		w.want(w.navigate(http.MethodPost, w.url+"/sign", url.Values{"request": {jws}}, set("Content-Type", kind)), 400, reason.SignRequestMalformed)
	}
	if w.tries("ip") != 10 {
		t.Error("a try was spent")
	}
	w.want(w.get(w.url+"/sign?request="+jws), 200, "")
}

// raw sends bytes to the agent, and returns the status line of the answer.
func (w *world) raw(request string) string {
	w.t.Helper()
	conn, err := new(net.Dialer).DialContext(w.t.Context(), "tcp4", strings.TrimPrefix(w.url, "http://"))
	must(w.t, err)
	defer conn.Close()
	must(w.t, conn.SetDeadline(time.Now().Add(time.Minute)))
	_, err = conn.Write([]byte(request))
	must(w.t, err)
	var answer [256]byte
	n, err := conn.Read(answer[:])
	must(w.t, err)
	line, _, _ := strings.Cut(string(answer[:n]), "\r\n")
	return line
}

// TestRawRequests refuses what no browser sends.
func TestRawRequests(t *testing.T) {
	w := newWorld(t, nil)
	at := strings.TrimPrefix(w.url, "http://")
	for name, one := range map[string]struct{ request, status string }{
		"proxy":          {"GET http://attacker.example/status HTTP/1.1\r\nHost: " + at + "\r\n\r\n", "403"},
		"no host":        {"GET /status HTTP/1.0\r\n\r\n", "403"},
		"two hosts":      {"GET /status HTTP/1.1\r\nHost: " + at + "\r\nHost: attacker.example\r\n\r\n", "400"},
		"two lengths":    {"POST /sign HTTP/1.1\r\nHost: " + at + "\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"},
		"length, chunks": {"POST /sign HTTP/1.1\r\nHost: " + at + "\r\nContent-Length: 1\r\nTransfer-Encoding: gzip\r\n\r\na", "501"},
		"good":           {"GET /status HTTP/1.1\r\nHost: " + at + "\r\n\r\n", "200"},
	} {
		if got := w.raw(one.request); !strings.Contains(got, " "+one.status+" ") {
			t.Errorf("%s: %q, want %s", name, got, one.status)
		}
	}
}

// TestManySignatures does not tell who signs a lot to wait: only what is open counts.
// What was answered stays answered.
func TestManySignatures(t *testing.T) {
	w := newWorld(t, nil)
	_, first := w.request()
	p := w.get(w.url + "/sign?request=" + first)
	last := p
	for range maxVisits + 1 {
		last = p
		w.answer(w.navigate(http.MethodPost, p.url+"/cancel", url.Values{"form": {p.field("form")}}))
		if _, p = w.visit(); p.status != 200 {
			t.Fatalf("status %d, %q", p.status, p.code())
		}
	}
	if len(w.agent.visits) > maxVisits {
		t.Errorf("%d visits are kept", len(w.agent.visits))
	}
	w.want(w.get(w.url+"/sign?request="+first), 409, reason.AgentRequestUsed)
	w.answer(w.get(last.url + "/answer")) // the oldest ones went
}

// TestVisitLimits keeps one answer, and the forms of the last pages.
func TestVisitLimits(t *testing.T) {
	v := new(visit)
	if !v.finish(answer{signature: "a"}) || v.finish(answer{failure: "cancelled"}) || v.answer.signature != "a" {
		t.Errorf("%+v", v.answer)
	}
	v = new(visit)
	oldest := v.newForm()
	second := v.newForm()
	for range maxForms - 1 {
		v.newForm()
	}
	if err := v.useForm([]byte(oldest)); reason.Of(err) != reason.AgentFormStale || len(v.forms) != maxForms {
		t.Errorf("%v, %d forms", err, len(v.forms))
	}
	must(t, v.useForm([]byte(second)))
}

// TestAnswerAgain brings the answer by itself once, so that the way back in the browser
// is not a way forward.
func TestAnswerAgain(t *testing.T) {
	w := newWorld(t, []string{"ip"})
	_, p := w.visit()
	first := w.enter(w.choose(p, "ip"), testPIN)
	again := w.get(first.url)
	_, one, _ := w.answer(first)
	_, two, _ := w.answer(again)
	if string(one) != string(two) || !strings.Contains(first.text, ".submit()") {
		t.Error("another signature, or it does not go by itself")
	}
	if strings.Contains(again.text, "<script") || strings.Contains(again.header.Get("Content-Security-Policy"), "script-src") || !strings.Contains(again.text, `type="submit"`) {
		t.Errorf("it goes by itself again, or there is no button:\n%s", again.text)
	}
}

// TestHungLibrary shows the pages while a library hangs, asks it once however many pages
// are opened, and signs with a token of another.
func TestHungLibrary(t *testing.T) {
	hang, asked := make(chan struct{}), make(chan struct{}, 100)
	w := newWorldOf(t, []string{"ip"}, func(a *Agent) {
		a.shelf.wait = 50 * time.Millisecond
		b := &book{path: "hung.so", ask: func() ([]*tokens.Token, error) {
			asked <- struct{}{}
			<-hang
			return nil, nil
		}}
		a.shelf.books = append(a.shelf.books, b)
		soft := a.shelf.books[0]
		must(t, func() error { _, err := soft.tokens(); return err }())
	})
	defer close(hang)
	for _, p := range []page{w.get(w.url + "/"), w.get(w.url + "/")} {
		if p.status != 200 || !strings.Contains(p.text, `<li data-code="token-timeout"><strong>hung.so</strong>`) {
			t.Errorf("status %d:\n%s", p.status, p.text)
		}
	}
	over := make(chan struct{})
	close(over)
	<-w.agent.shelf.books[0].look().done
	if _, troubles := w.agent.shelf.devices(over); len(troubles) == 0 || troubles[len(troubles)-1] != (trouble{"hung.so", reason.TokenTimeout}) {
		t.Errorf("%v", troubles)
	}
	if len(asked) != 1 {
		t.Errorf("asked %d times", len(asked))
	}
}

// TestHungToken waits for a token that hangs until the time is over, and then still
// prefers what is there.
func TestHungToken(t *testing.T) {
	hang, over := make(chan struct{}), make(chan struct{})
	defer close(hang)
	close(over)
	if all := contentsOf([]device{{vault: &fake{serial: "1", hang: hang}}}, over); reason.Of(all[0].err) != reason.TokenTimeout {
		t.Errorf("%v", all[0].err)
	}
	if all := contentsOf([]device{{vault: &fake{serial: "1"}}}, nil); reason.Of(all[0].err) != reason.TokenRemoved {
		t.Errorf("%v", all[0].err)
	}
	for range 100 {
		answer := make(chan contents, 1)
		answer <- contents{err: reason.New(reason.TokenRemoved, nil)}
		if got := await(answer, over); reason.Of(got.err) != reason.TokenRemoved {
			t.Fatal(got.err)
		}
	}
}

// fake is a token that says what it is told to, and has nothing on it.
type fake struct {
	label, serial, model string
	hang                 chan struct{}
	asked                int
}

func (f *fake) Label() string          { return f.label }
func (f *fake) Serial() string         { return f.serial }
func (f *fake) Model() string          { return f.model }
func (f *fake) Manufacturer() string   { return "" }
func (f *fake) About() tokens.Model    { return tokens.Model{} }
func (f *fake) PIN() tokens.PINState   { return 0 }
func (f *fake) TriesLeft() (int, bool) { return 0, false }
func (f *fake) HasPINPad() bool        { return false }
func (f *fake) Public() (*tokens.Session, error) {
	f.asked++
	if f.hang != nil {
		<-f.hang
	}
	return nil, reason.New(reason.TokenRemoved, nil)
}

func (f *fake) Login([]byte, bool) (*tokens.Session, error) {
	return nil, reason.New(reason.TokenRemoved, nil)
}

// TestSecondLibrary asks a second library about a token that the first sees nothing on,
// and no more if it does; tokens without a serial number are not each other.
func TestSecondLibrary(t *testing.T) {
	w := newWorld(t, []string{"ip"}, func(o *Options) { o.Modules = append(o.Modules, o.Modules[0]+"/.") })
	_, p := w.visit()
	if n := strings.Count(p.text, "/pin?certificate="); n != 1 {
		t.Errorf("the certificate is shown %d times", n)
	}
	if n := strings.Count(w.get(w.url+"/").text, "<li><strong>"); n != 2 { // the gateway, and a token
		t.Errorf("%d cards, want 2", n)
	}
	first, second := &fake{serial: "1"}, &fake{serial: "1"}
	contentsOf([]device{{vault: first}, {vault: second, again: true}}, nil)
	if first.asked != 1 || second.asked != 1 {
		t.Errorf("asked %d and %d times", first.asked, second.asked)
	}
}

// TestNamesakes tells two tokens of one name apart by their serial numbers.
func TestNamesakes(t *testing.T) {
	a, b := device{vault: &fake{label: "Основной", serial: "0017", model: "M"}}, device{vault: &fake{label: "Основной", serial: "0018", model: "M"}}
	other := device{vault: &fake{label: "Запасной", serial: "0019", model: "M"}}
	again := other
	again.again = true
	several := namesakes([]device{a, b, other, again})
	if !several[deviceName(a)] || several[deviceName(other)] {
		t.Errorf("%v", several)
	}
	if v := (candidate{device: a, twin: true}).view(); v.Token != "M «Основной», № 0017" {
		t.Error(v.Token)
	}
	if v := (candidate{device: a}).view(); v.Token != "M «Основной»" {
		t.Error(v.Token)
	}
}

// TestShown lets nothing on a token turn a page around or hide in it.
func TestShown(t *testing.T) {
	for text, want := range map[string]string{
		"Иванов Иван": "Иванов Иван", "Ёлкин": "Ёлкин", "": "", "a\u202eb": "a\uFFFDb", "a\u200bb\n<b>": "a\uFFFDb\uFFFD<b>", "a\xffb": "a\uFFFDb",
		strings.Repeat("щ", maxShown):     strings.Repeat("щ", maxShown),
		strings.Repeat("щ", maxShown+100): strings.Repeat("щ", maxShown) + "…",
	} {
		if got := shown(text); got != want {
			t.Errorf("%.40q: %.60q", text, got)
		}
	}
	d := device{vault: &fake{label: "a\u202eb", serial: "1\u202e", model: "m\u202e"}}
	if v := d.view(); strings.Contains(v.Name+v.Serial, "\u202e") {
		t.Errorf("%q, %q", v.Name, v.Serial)
	}
}

// TestClocks ends things by the clock on the wall, which goes on while the machine
// sleeps, and trusts no list that came from the future.
func TestClocks(t *testing.T) {
	a, err := New(Options{})
	must(t, err)
	if now := a.now().String(); strings.Contains(now, " m=") {
		t.Errorf("%s has a reading of the clock that sleeps", now)
	}
	now := time.Now()
	for age, want := range map[time.Duration]bool{0: true, time.Hour - 1: true, time.Hour: false, -time.Second: false, 365 * 24 * time.Hour: false} {
		if within(now, now.Add(-age), time.Hour) != want {
			t.Errorf("%s ago: want %v", age, want)
		}
	}
}

// TestListForms reads identifiers of keys in either case.
func TestListForms(t *testing.T) {
	list, err := parseAccredited([]byte(`{"cas":[{"in_force":true,"key_ids":["ABCD"]}]}`))
	must(t, err)
	if inForce, listed := list.keys["abcd"]; !inForce || !listed {
		t.Errorf("%v", list.keys)
	}
}

// TestHostileList judges by no list when the gateway answers with something else, and
// comes to no harm.
func TestHostileList(t *testing.T) {
	c, err := country()
	must(t, err)
	for name, answer := range map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other", http.StatusFound) },
		"error":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"spoilt":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"cas":[`)) },
		"long": func(w http.ResponseWriter, _ *http.Request) {
			id := hex.EncodeToString(c.Authority("fns").Certificate.SubjectKeyID)
			_, _ = w.Write([]byte(`{"cas":[{"in_force":true,"key_ids":["` + id + `"]}],"more":"` + strings.Repeat("a", maxList) + `"}`))
		},
	} {
		server := httptest.NewTLSServer(answer)
		_, gateway := newGateway(t, server.URL)
		list, err := newAuthorities(gateway, time.Now)
		must(t, err)
		list.client = server.Client()
		list.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		if got, known := list.current(context.WithoutCancel(t.Context())); known || got != nil {
			t.Errorf("%s: a list of %d keys", name, len(got.keys))
		}
		<-list.begin()
		if list.failed.IsZero() {
			t.Errorf("%s: was not refused", name)
		}
		server.Close()
	}
}

// TestClosedEnd takes an end of a connection that was closed for nobody's: Linux says
// that it is root's.
func TestClosedEnd(t *testing.T) {
	if ip, ok := procAddress("0100007F:0001"); !ok || ip.Addr() != loopback {
		t.Skip("the tables here are of machines of little-endian order")
	}
	client, server := netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("127.0.0.1:17446")
	closed := strings.Replace(procTable, "1001        0 30213", "   0        0 0", 1)
	if closed == procTable {
		t.Fatal("nothing was changed")
	}
	if uid, found, err := ownerIn(strings.NewReader(closed), client, server); found || err != nil {
		t.Errorf("it is of user %d, %v", uid, err)
	}
}

// TestEnded asks no library when the agent has ended.
func TestEnded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tokens")
	must(t, os.MkdirAll(dir, 0o700))
	s := newShelf([]string{tokens.SoftScheme + dir}, nil)
	if _, err := s.books[0].tokens(); err != nil {
		t.Fatal(err)
	}
	module := s.books[0].module
	must(t, s.close())
	if _, err := module.Tokens(); err == nil {
		t.Error("the library is still open")
	}
	if _, troubles := s.devices(nil); len(troubles) != 1 || troubles[0].Code != reason.TokenModuleBad {
		t.Errorf("%v", troubles)
	}
	must(t, s.close())
	s.books[0].start = func(string, ...tokens.Option) (*tokens.Module, error) {
		t.Error("a library was opened after the end")
		return nil, reason.New(reason.TokenModuleBad, nil)
	}
	if _, troubles := s.devices(nil); len(troubles) != 1 {
		t.Errorf("%v", troubles)
	}
}

// TestServeEnds ends the libraries with the agent.
func TestServeEnds(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tokens")
	must(t, os.MkdirAll(dir, 0o700))
	a, err := New(Options{Modules: []string{tokens.SoftScheme + dir}})
	must(t, err)
	if _, err := a.shelf.books[0].tokens(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	must(t, a.Serve(ctx, l))
	if _, err := a.shelf.books[0].tokens(); reason.Of(err) != reason.TokenModuleBad {
		t.Errorf("%v", err)
	}
}

// TestEndedMeanwhile closes a library that was starting when the agent ended: nobody else
// has it, and its process would stay.
func TestEndedMeanwhile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tokens")
	must(t, os.MkdirAll(dir, 0o700))
	s := newShelf([]string{tokens.SoftScheme + dir}, nil)
	var started *tokens.Module
	s.books[0].start = func(path string, o ...tokens.Option) (module *tokens.Module, err error) {
		started, err = tokens.Open(path, o...)
		must(t, err)
		must(t, s.close())
		return started, nil
	}
	if _, err := s.books[0].tokens(); reason.Of(err) != reason.TokenModuleBad {
		t.Errorf("%v", err)
	}
	if _, err := started.Tokens(); err == nil {
		t.Error("the library is still open")
	}
	must(t, s.close())
}

// TestPhraseBesidePIN shows the phrase between the certificate and the field of the PIN,
// which has the focus: above the rest of the page it would be out of sight.
func TestPhraseBesidePIN(t *testing.T) {
	w := newWorld(t, []string{"ip"})
	_, p := w.visit()
	pin := w.choose(p, "ip")
	at := func(what string) int {
		i := strings.Index(pin.text, what)
		if i < 0 {
			t.Errorf("no %s:\n%s", what, pin.text)
		}
		return i
	}
	if at(`class="cards"`) > at(`id="phrase"`) || at(`id="phrase"`) > at(`name="pin"`) || at(`name="pin"`)-at(`id="phrase"`) > 2000 {
		t.Error("the phrase is elsewhere")
	}
	if !strings.Contains(pin.text, `aria-describedby="phrase phrase-hint pin-hint"`) || strings.Contains(pin.text, `name="pin" value`) || !strings.Contains(pin.text, `autocomplete="one-time-code"`) {
		t.Error("readers of the screen are not told, or the browser would keep the PIN")
	}
	// A person can leave from here too, with a form that is good once.
	_, _, failure := w.answer(w.navigate(http.MethodPost, p.url+"/cancel", url.Values{"form": {pin.field("form")}}))
	if failure != "cancelled" {
		t.Errorf("%q", failure)
	}
}

// counted counts the logins to a token.
type counted struct {
	*tokens.Token
	logins *atomic.Int32
}

func (c counted) Login(pin []byte, lastTry bool) (*tokens.Session, error) {
	c.logins.Add(1)
	return c.Token.Login(pin, lastTry)
}

// TestTwoTabs signs once though several tabs send their forms at once: the token is asked
// by the first, and by nobody after it.
func TestTwoTabs(t *testing.T) {
	var logins atomic.Int32
	w := newWorldOf(t, []string{"ip"}, func(a *Agent) {
		a.shelf.wrap = func(t *tokens.Token) vault { return counted{t, &logins} }
	})
	_, p := w.visit()
	tabs := make([]page, 6)
	for i := range tabs {
		tabs[i] = w.choose(p, "ip")
	}
	var wait sync.WaitGroup
	for i := range tabs {
		wait.Go(func() { tabs[i] = w.enter(tabs[i], testPIN) })
	}
	wait.Wait()
	signed := 0
	for _, tab := range tabs {
		switch {
		case tab.status == 200 && strings.Contains(tab.text, `name="signature"`):
			signed++
		case tab.code() != reason.AgentRequestUsed && tab.code() != reason.AgentFormStale:
			t.Errorf("status %d, %q", tab.status, tab.code())
		}
	}
	if signed != 1 || logins.Load() != 1 {
		t.Errorf("signed %d times, the token was asked %d times", signed, logins.Load())
	}
}

// TestListOnce asks a gateway for its list once, however many pages wait for it.
func TestListOnce(t *testing.T) {
	_, gateway := newGateway(t, "https://gateway.example")
	list, err := newAuthorities(gateway, time.Now)
	must(t, err)
	underWay := make(chan struct{})
	list.running = underWay
	if got := list.begin(); got != (<-chan struct{})(underWay) {
		t.Error("it is asked again")
	}
}
