package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"propusk/pki/reason"
	"propusk/pki/revocation"
)

// server answers on loopback until the test ends. Handlers that hang return when
// the client has gone, or at the end.
type server struct {
	*httptest.Server
	over chan struct{}
	port uint16
}

func newServer(t *testing.T, handlers map[string]http.HandlerFunc) *server {
	t.Helper()
	s := &server{over: make(chan struct{})}
	mux := http.NewServeMux()
	for path, h := range handlers {
		mux.HandleFunc(path, h)
	}
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() { close(s.over); s.Close() })
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	s.port = uint16(port)
	return s
}

// client may ask the server.
func (s *server) client(t *testing.T, change ...func(*Options)) *Client {
	t.Helper()
	o := Options{Hosts: []string{"127.0.0.1", "localhost"}, Ports: []uint16{s.port}, AllowPrivate: true}
	for _, f := range change {
		f(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func wantCode(t *testing.T, what string, err error, code reason.Code) {
	t.Helper()
	if got := reason.Of(err); got != code {
		t.Errorf("%s: code %q, want %q (%v)", what, got, code, err)
	}
	if err != nil && strings.Contains(err.Error(), "\n") {
		t.Errorf("%s: more than one line: %v", what, err)
	}
}

// raw answers with bytes of its own making.
func raw(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_, _ = buffered.WriteString(answer)
		_ = buffered.Flush()
	}
}

// TestBadServers asks servers that do everything wrong. None of them costs more
// than its limits, and each has its code.
func TestBadServers(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	if _, err := z.Write(make([]byte, 10<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	s := newServer(t, map[string]http.HandlerFunc{
		"/empty":   func(http.ResponseWriter, *http.Request) {},
		"/404":     http.NotFound,
		"/500":     func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "broken", http.StatusInternalServerError) },
		"/204":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"/206":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusPartialContent) },
		"/304":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) },
		"/short":   raw("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf"),
		"/chunks":  raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nhalf"),
		"/closed":  raw(""),
		"/not":     raw("SSH-2.0-OpenSSH_9.2\r\n"),
		"/long":    raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"),
		"/headers": raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n"),
		"/endless": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 32<<10)); err != nil {
					return
				}
			}
		},
		"/bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		},
	})
	c := s.client(t, func(o *Options) { o.Failures = 1000 })
	for path, code := range map[string]reason.Code{
		"/empty": reason.FetchEmpty, "/404": reason.FetchRefused, "/500": reason.FetchRefused, "/204": reason.FetchRefused,
		"/206": reason.FetchRefused, "/304": reason.FetchRefused, "/short": reason.FetchFailed, "/chunks": reason.FetchFailed,
		"/closed": reason.FetchFailed, "/not": reason.FetchFailed, "/long": reason.FetchTooLarge, "/headers": reason.FetchFailed,
		"/endless": reason.FetchTooLarge, "/bomb": reason.FetchEncoded,
	} {
		a, err := c.Get(t.Context(), OCSP, s.URL+path, Version{})
		wantCode(t, path, err, code)
		if a.Data != nil || a.Unchanged {
			t.Errorf("%s: an answer in spite of the error", path)
		}
	}
}

// TestSlowServers asks servers that never finish: one that says nothing, and one
// that sends a byte now and then. Both end with the time of the request.
func TestSlowServers(t *testing.T) {
	var s *server
	hang := func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-s.over:
		}
	}
	drip := func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := w.Write([]byte{'.'}); err != nil || http.NewResponseController(w).Flush() != nil {
				return
			}
			select {
			case <-r.Context().Done():
				return
			case <-s.over:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	s = newServer(t, map[string]http.HandlerFunc{"/hang": hang, "/drip": drip})
	c := s.client(t, func(o *Options) {
		o.OCSPTimeout, o.CRLTimeout, o.TSLTimeout, o.Failures = 200*time.Millisecond, 300*time.Millisecond, 250*time.Millisecond, 100
	})
	for _, path := range []string{"/hang", "/drip"} {
		_, err := c.OCSP(t.Context(), s.URL+path, []byte("?"))
		wantCode(t, "OCSP "+path, err, reason.FetchTimeout)
		_, err = c.CRL(t.Context(), s.URL+path)
		wantCode(t, "CRL "+path, err, reason.FetchTimeout)
		_, err = c.TSL(t.Context(), s.URL+path)
		wantCode(t, "TSL "+path, err, reason.FetchTimeout)
	}
	// Somebody who does not wait any longer is not the fault of the server.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.CRL(ctx, s.URL+"/hang"); err == nil {
		t.Error("no error after the caller has gone")
	}
}

// TestGood sees what a good server is sent and what comes back of it.
func TestGood(t *testing.T) {
	s := newServer(t, map[string]http.HandlerFunc{
		"/ocsp": func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s %s", r.Method, r.Header.Get("Content-Type"), body)
		},
		"/crl": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"1"`)
			w.Header().Set("Last-Modified", "Mon, 02 Nov 2026 00:00:00 GMT")
			if r.Header.Get("If-None-Match") == `"1"` && r.Header.Get("If-Modified-Since") != "" {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			fmt.Fprintf(w, "list for %q, encodings %q", r.UserAgent(), r.Header.Get("Accept-Encoding"))
		},
		"/plain": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("no version")) },
	})
	c := s.client(t, func(o *Options) { o.UserAgent = "propusk/test" })
	if got, err := c.OCSP(t.Context(), s.URL+"/ocsp", []byte("question")); err != nil || string(got) != "POST application/ocsp-request question" {
		t.Errorf("%q, %v", got, err)
	}
	first, err := c.Get(t.Context(), CRL, s.URL+"/crl#fragment", Version{})
	if err != nil || string(first.Data) != `list for "propusk/test", encodings ""` || first.Version == (Version{}) {
		t.Errorf("%+v, %v", first, err)
	}
	again, err := c.Get(t.Context(), CRL, s.URL+"/crl", first.Version)
	if err != nil || !again.Unchanged || again.Version != first.Version || again.Data != nil {
		t.Errorf("%+v, %v", again, err)
	}
	plain, err := c.Get(t.Context(), CRL, s.URL+"/plain", Version{ETag: "x"})
	if err != nil || plain.Unchanged || plain.Version != (Version{}) || string(plain.Data) != "no version" {
		t.Errorf("%+v, %v", plain, err)
	}
}

// TestRedirects follows redirects to where the client may go by itself, and nowhere
// else.
func TestRedirects(t *testing.T) {
	to := func(target string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target, http.StatusFound) }
	}
	var asked atomic.Int32
	other := newServer(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = w.Write([]byte("secret"))
	}})
	handlers := map[string]http.HandlerFunc{
		"/here":    to("/good"),
		"/loop":    to("/loop"),
		"/port":    to(other.URL + "/"),
		"/host":    to("http://169.254.169.254/latest/meta-data"),
		"/file":    to("file:///etc/passwd"),
		"/user":    to("http://user:secret@127.0.0.1/"),
		"/nowhere": raw("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"),
		"/good":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("good")) },
		"/307": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/good", http.StatusTemporaryRedirect)
		},
	}
	s := newServer(t, handlers)
	c := s.client(t, func(o *Options) { o.Failures = 100 })
	if got, err := c.CRL(t.Context(), s.URL+"/here"); err != nil || string(got) != "good" {
		t.Errorf("%q, %v", got, err)
	}
	for path, code := range map[string]reason.Code{
		"/loop": reason.FetchRefused, "/port": reason.FetchURLNotAllowed, "/host": reason.FetchURLNotAllowed,
		"/file": reason.FetchURLNotAllowed, "/user": reason.FetchURLNotAllowed, "/nowhere": reason.FetchRefused,
	} {
		_, err := c.CRL(t.Context(), s.URL+path)
		wantCode(t, path, err, code)
	}
	_, err := c.OCSP(t.Context(), s.URL+"/307", []byte("?"))
	wantCode(t, "a responder that redirects", err, reason.FetchRefused)
	if asked.Load() != 0 {
		t.Error("a server that may not be asked was asked")
	}
}

// TestNoWayBackFromHTTPS: what began with https does not go on without.
func TestNoWayBackFromHTTPS(t *testing.T) {
	c, err := New(Options{Hosts: []string{"a.example"}})
	if err != nil {
		t.Fatal(err)
	}
	request := func(u string) *http.Request {
		r, err := http.NewRequest(http.MethodGet, u, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	wantCode(t, "https to http", c.checkRedirect(request("http://a.example/"), []*http.Request{request("https://a.example/")}), reason.FetchURLNotAllowed)
	wantCode(t, "by https back to http", c.checkRedirect(request("http://a.example/"), []*http.Request{request("http://a.example/"), request("https://a.example/")}), reason.FetchURLNotAllowed)
	wantCode(t, "http to https", c.checkRedirect(request("https://a.example/"), []*http.Request{request("http://a.example/")}), "")
}

// TestPrivateAddresses: a host that is allowed by name but leads to this machine is
// not connected to, whatever DNS says, nor as a target of a redirect.
func TestPrivateAddresses(t *testing.T) {
	s := newServer(t, map[string]http.HandlerFunc{"/": func(http.ResponseWriter, *http.Request) { t.Error("it was asked") }})
	c := s.client(t, func(o *Options) { o.AllowPrivate = false })
	if transport, ok := c.http.Transport.(*http.Transport); !ok || transport.Proxy != nil {
		t.Error("a proxy would connect to addresses that nobody has checked")
	}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		_, err := c.CRL(t.Context(), fmt.Sprintf("http://%s/", net.JoinHostPort(host, strconv.Itoa(int(s.port)))))
		wantCode(t, host, err, reason.FetchAddressNotAllowed)
	}
	for _, a := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255",
		"192.0.0.8", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
		"2002:7f00:1::", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
		"::ffff:0:7f00:1", "4000::1", "5f00::1", "8000::1", "3fff::1",
	} {
		if public(netip.MustParseAddr(a)) {
			t.Errorf("%s counts as public", a)
		}
	}
	for _, a := range []string{"1.1.1.1", "8.8.8.8", "95.173.136.70", "172.32.0.1", "192.169.0.1", "2a02:6b8::2:242", "::ffff:8.8.8.8"} {
		if !public(netip.MustParseAddr(a)) {
			t.Errorf("%s does not count as public", a)
		}
	}
}

// TestAllowed holds addresses to the allow-list.
func TestAllowed(t *testing.T) {
	c, err := New(Options{Hosts: []string{"Exact.example", ".suffix.example", "192.0.2.7", "2001:db8::7"}, Ports: []uint16{80, 443, 8080}})
	if err != nil {
		t.Fatal(err)
	}
	for _, good := range []string{
		"http://exact.example/a.crl", "HTTP://EXACT.EXAMPLE./a.crl", "https://suffix.example/", "http://a.b.suffix.example:8080/?q",
		"http://192.0.2.7/", "http://[2001:db8::7]/", "https://exact.example:443",
	} {
		if err := c.Allowed(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "exact.example", "//exact.example/", "ldap://exact.example/", "file:///etc/passwd", "http:///", "http:exact.example",
		"http://other.example/", "http://exact.example.evil.example/", "http://notsuffix.example/", "http://exact.example:22/",
		"http://exact.example:0/", "http://exact.example:99999/", "http://u:p@exact.example/", "http://exact.example@evil.example/",
		"http://192.0.2.8/", "http://0300.0.2.7/", "http://sub.exact.example/", "http://exact.example/" + strings.Repeat("a", maxURL),
		"http://exact.example\\@evil.example/", "javascript:alert(1)", "http://[2001:db8::7%25eth0]/",
	} {
		wantCode(t, bad, c.Allowed(bad), reason.FetchURLNotAllowed)
	}
	c.Allow([]string{"http://Listed.example/a.crl", "://", "http://listed2.example:22/"})
	wantCode(t, "a host of the list", c.Allowed("http://listed.example/b.crl"), "")
	wantCode(t, "a port of the list", c.Allowed("http://listed2.example:22/"), reason.FetchURLNotAllowed)
	c.Allow(nil)
	wantCode(t, "a host of the last list", c.Allowed("http://listed.example/b.crl"), reason.FetchURLNotAllowed)

	nobody, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "without hosts", nobody.Allowed("http://exact.example/"), reason.FetchURLNotAllowed)
	anybody, err := New(Options{Hosts: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "any host", anybody.Allowed("http://any.example/"), "")
	for _, bad := range []string{"", ".", "http://a.example", "a.example/", "a.example:80", "*.example", "a b", "u@a.example", "..example", "1.2.3.4.", ".1.2.3.4/8"} {
		if CheckHost(bad) == nil && bad != "1.2.3.4." {
			t.Errorf("%q passes as a host", bad)
		}
	}
}

// TestConcurrency: no more requests run at once than there may, a host gets a half of
// them at most, and each has its answer. A verdict does not wait for them.
func TestConcurrency(t *testing.T) {
	const most, all = 4, 40
	var now, peak atomic.Int32
	full, release := make(chan struct{}), make(chan struct{})
	s := newServer(t, map[string]http.HandlerFunc{
		"/": func(w http.ResponseWriter, _ *http.Request) {
			n := now.Add(1)
			for old := peak.Load(); n > old && !peak.CompareAndSwap(old, n); old = peak.Load() {
			}
			if n == most/2 {
				select {
				case full <- struct{}{}:
				case <-release:
				}
			}
			<-release
			_, _ = w.Write([]byte("x"))
			now.Add(-1)
		},
		"/ocsp": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("at once")) },
	})
	c := s.client(t, func(o *Options) { o.Concurrency = most })
	var wait sync.WaitGroup
	for range all {
		wait.Go(func() {
			if got, err := c.TSL(t.Context(), s.URL); err != nil || string(got) != "x" {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	<-full // all places of the host are taken
	if got, err := c.OCSP(t.Context(), s.URL+"/ocsp", []byte("?")); err != nil || string(got) != "at once" {
		t.Errorf("%q, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.TSL(ctx, s.URL); err == nil {
		t.Error("somebody who has gone gets a place")
	}
	close(release)
	wait.Wait()
	if peak.Load() != most/2 {
		t.Errorf("%d at once", peak.Load())
	}
	if len(c.patient.hosts) != 0 || len(c.patient.places) != 0 {
		t.Errorf("%d hosts, %d places are still taken", len(c.patient.hosts), len(c.patient.places))
	}
}

// A Client asks about revocation as well.
var _ revocation.Fetcher = (*Client)(nil)

// FuzzAllowed: an address that may be asked leads to an allowed host and port and
// nowhere else, whoever reads it.
func FuzzAllowed(f *testing.F) {
	for _, seed := range []string{
		"http://exact.example/a.crl", "https://A.Suffix.Example:443/?q#f", "http://u:p@exact.example/", "http://exact.example@evil.example/",
		"http://exact.example\\@evil.example/", "http://[::1]/", "http://exact.example:80:80/", "//exact.example", "http://exact.example%2eevil/",
	} {
		f.Add(seed)
	}
	c, err := New(Options{Hosts: []string{"exact.example", ".suffix.example"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := c.parse(raw)
		if err != nil {
			if reason.Of(err) != reason.FetchURLNotAllowed || u != nil {
				t.Fatalf("%q: %v, %v", raw, u, err)
			}
			return
		}
		req, err := http.NewRequest(http.MethodGet, u.String(), nil)
		if err != nil {
			return // it cannot be asked at all
		}
		host, port := canonical(req.URL.Hostname()), req.URL.Port()
		if host != "exact.example" && host != "suffix.example" && !strings.HasSuffix(host, ".suffix.example") ||
			port != "" && port != "80" && port != "443" || req.URL.User != nil || req.URL.Scheme != "http" && req.URL.Scheme != "https" {
			t.Fatalf("%q leads to %s", raw, req.URL)
		}
	})
}

// longBody is an answer that tells when it is read on.
type longBody struct {
	head io.Reader
	more func()
}

func (b *longBody) Read(p []byte) (int, error) {
	n, err := b.head.Read(p)
	if n == 0 && errors.Is(err, io.EOF) {
		b.more()
	}
	return n, err
}

// TestLongAnswers: of answers that are longer than usual few are held at once.
func TestLongAnswers(t *testing.T) {
	c, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	c.usual = 1000
	var now, peak atomic.Int32
	full, release := make(chan struct{}, 1), make(chan struct{})
	read := func(ctx context.Context, length int) ([]byte, error) {
		return c.body(ctx, &longBody{strings.NewReader(strings.Repeat("x", length)), func() {
			if length < 1000 {
				return
			}
			n := now.Add(1)
			for old := peak.Load(); n > old && !peak.CompareAndSwap(old, n); old = peak.Load() {
			}
			if n == maxLong {
				select {
				case full <- struct{}{}:
				default: // nobody looks any more
				}
			}
			<-release
			now.Add(-1)
		}})
	}
	var wait sync.WaitGroup
	for i := range 3 * maxLong {
		wait.Go(func() {
			if data, err := read(t.Context(), 1000+i); err != nil || len(data) != 1000+i {
				t.Errorf("%d bytes, %v", len(data), err)
			}
		})
	}
	<-full
	if data, err := read(t.Context(), 999); err != nil || len(data) != 999 {
		t.Errorf("a usual answer waits for long ones: %d bytes, %v", len(data), err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if data, err := read(gone, 2000); data != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	release <- struct{}{} // of one that has its place; another one follows
	<-full
	close(release)
	wait.Wait()
	if peak.Load() != maxLong || len(c.long) != 0 {
		t.Errorf("%d at once, %d places are still taken", peak.Load(), len(c.long))
	}
}

// TestOneServer: a server has one name, however it is written.
func TestOneServer(t *testing.T) {
	c, err := New(Options{Hosts: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	for written, want := range map[string]string{
		"http://CA.Example./a": "ca.example:", "http://ca.example:80/b": "ca.example:80", "http://[2001:DB8::7]/": "2001:db8::7:",
	} {
		u, err := c.parse(written)
		if err != nil || serverOf(u) != want {
			t.Errorf("%s: %v, %v", written, u, err)
		}
	}
}
