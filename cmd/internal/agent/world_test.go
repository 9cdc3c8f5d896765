package agent

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"propusk/certs/testpki"
	"propusk/cmd/internal/keyring"
	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/signrequest"
	"propusk/tokens"
)

// country is made once for all tests: nothing in it changes.
var country = sync.OnceValues(func() (*testpki.Country, error) {
	return testpki.New(testpki.Options{Now: time.Now()})
})

// world is an agent with a gateway that it trusts, and a browser.
type world struct {
	t       testing.TB
	country *testpki.Country
	key     *ecdsa.PrivateKey
	gateway Gateway
	lists   *httptest.Server // of accredited CAs; the gateway, as far as the agent asks it
	dir     string           // of soft tokens
	agent   *Agent
	url     string
	log     *journal
	clock   *clock
	number  int
}

// journal collects a log. It is safe for concurrent use.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// clock is real time that a test can set forward.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// newWorld starts an agent, with the tokens of some people.
func newWorld(t testing.TB, people []string, change ...func(*Options)) *world {
	t.Helper()
	return newWorldOf(t, people, func(*Agent) {}, change...)
}

// newWorldOf is newWorld with an agent that is changed before it serves.
func newWorldOf(t testing.TB, people []string, prepare func(*Agent), change ...func(*Options)) *world {
	t.Helper()
	c, err := country()
	must(t, err)
	w := &world{t: t, country: c, dir: filepath.Join(t.TempDir(), "tokens"), log: new(journal), clock: new(clock)}
	w.lists = httptest.NewTLSServer(http.HandlerFunc(w.serveList))
	t.Cleanup(w.lists.Close)
	w.key, w.gateway = newGateway(t, w.lists.URL)
	w.gateway.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.lists.Certificate().Raw})
	for _, id := range people {
		w.addToken(id)
	}
	o := Options{
		Gateways: []Gateway{w.gateway}, Modules: []string{tokens.SoftScheme + w.dir}, Phrase: "Зелёный слон",
		Version: "test", Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Now: w.clock.Now,
	}
	for _, f := range change {
		f(&o)
	}
	w.agent, err = New(o)
	must(t, err)
	prepare(w.agent)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	w.url = "http://" + l.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.agent.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		must(t, <-ended)
	})
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newGateway(t testing.TB, url string) (*ecdsa.PrivateKey, Gateway) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	public, err := signrequest.NewKey(&key.PublicKey)
	must(t, err)
	return key, Gateway{Gateway: signrequest.Gateway{URL: url, Name: "Шлюз испытаний", Keys: []signrequest.Key{public}}}
}

// serveList answers as a gateway does, about the CAs of the country.
func (w *world) serveList(out http.ResponseWriter, r *http.Request) {
	if r.URL.Path != accreditedPath {
		http.NotFound(out, r)
		return
	}
	type ca struct {
		InForce bool     `json:"in_force"`
		Keys    []string `json:"key_ids"`
	}
	var all []ca
	for _, a := range w.country.Authorities() {
		if a.Listed() {
			all = append(all, ca{a.ID != "terminated", []string{hex.EncodeToString(a.Certificate.SubjectKeyID)}})
		}
	}
	must(w.t, json.NewEncoder(out).Encode(map[string]any{"cas": all}))
}

// originals are tokens that were made once, for tests to copy: making one costs what
// guessing its PIN does.
var originals struct {
	sync.Mutex
	dir string
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "agent-tokens")
	if err != nil {
		panic(err)
	}
	originals.dir = dir
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// addToken puts the key of a person on a token of its own.
func (w *world) addToken(id string) {
	w.t.Helper()
	originals.Lock()
	defer originals.Unlock()
	original := filepath.Join(originals.dir, id)
	if _, err := os.Stat(original); err != nil {
		p := w.country.Person(id)
		must(w.t, keyring.Make(original, id, p.PIN, p.Certificate.Raw, p.Key))
	}
	must(w.t, os.MkdirAll(filepath.Join(w.dir, id), 0o700))
	files, err := os.ReadDir(original)
	must(w.t, err)
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(original, f.Name()))
		must(w.t, err)
		must(w.t, os.WriteFile(filepath.Join(w.dir, id, f.Name()), content, 0o600))
	}
}

// request returns a request of the gateway, signed.
func (w *world) request(change ...func(*signrequest.Request)) (signrequest.Request, string) {
	w.t.Helper()
	w.number++
	now := w.clock.Now().Truncate(time.Second)
	r := signrequest.Request{
		ID: fmt.Sprintf("r%d", w.number), Issuer: w.gateway.URL, ReturnTo: w.gateway.URL + "/signed",
		State: strings.Repeat("s", 43), Nonce: random(), IssuedAt: now, Expires: now.Add(signrequest.Life),
		Purpose: signrequest.SignIn, Service: "Кабинет испытаний", Kinds: []person.Kind{person.Entrepreneur},
	}
	for _, f := range change {
		f(&r)
	}
	jws, err := signrequest.Sign(r, w.key)
	must(w.t, err)
	return r, jws
}

func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// page is what the browser got.
type page struct {
	status int
	header http.Header
	text   string
	url    string // of the page
}

// code is the reason that the page tells.
func (p page) code() reason.Code {
	if m := regexp.MustCompile(`<main [^>]*data-code="([^"]+)"`).FindStringSubmatch(p.text); m != nil {
		return reason.Code(m[1])
	}
	return ""
}

// field returns the value of a hidden field.
func (p page) field(name string) string {
	if m := regexp.MustCompile(`<input type="hidden" name="` + name + `" value="([^"]*)"`).FindStringSubmatch(p.text); m != nil {
		return html.UnescapeString(m[1])
	}
	return ""
}

// navigate is what a browser does when a person follows a link, or a page sends a form.
// A change may spoil the request before it goes.
func (w *world) navigate(method, address string, form url.Values, change ...func(*http.Request)) page {
	w.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, address, body)
	must(w.t, err)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if r.URL.Path != "/sign" {
			r.Header.Set("Origin", w.url)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
		}
	}
	for _, f := range change {
		f(r)
	}
	// A browser goes to another page as it goes to the first.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(next *http.Request, _ []*http.Request) error {
		for _, name := range []string{"Sec-Fetch-Mode", "Sec-Fetch-Dest", "Sec-Fetch-Site"} {
			next.Header[name] = r.Header[name]
		}
		return nil
	}}
	answer, err := client.Do(r)
	must(w.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	must(w.t, err)
	return page{answer.StatusCode, answer.Header, string(text), answer.Request.URL.String()}
}

func (w *world) get(address string, change ...func(*http.Request)) page {
	w.t.Helper()
	return w.navigate(http.MethodGet, address, nil, change...)
}

// visit brings a request to the agent.
func (w *world) visit(change ...func(*signrequest.Request)) (signrequest.Request, page) {
	w.t.Helper()
	r, jws := w.request(change...)
	return r, w.get(w.url + "/sign?request=" + jws)
}

// choose goes from the page of a visit to that of the PIN, by the link of a person's
// certificate.
func (w *world) choose(p page, id string) page {
	w.t.Helper()
	for _, m := range regexp.MustCompile(`href="(/visit/[^"]*/pin\?certificate=[^"]*)"`).FindAllStringSubmatch(p.text, -1) {
		sum := w.country.Person(id).Certificate.SHA256()
		if strings.HasSuffix(m[1], hex.EncodeToString(sum[:16])) {
			return w.get(w.url + html.UnescapeString(m[1]))
		}
	}
	w.t.Fatalf("no certificate of %s to choose:\n%s", id, p.text)
	return page{}
}

// enter sends the form of the PIN.
func (w *world) enter(p page, pin string, more ...string) page {
	w.t.Helper()
	form := url.Values{"form": {p.field("form")}, "certificate": {p.field("certificate")}, "pin": {pin}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	address, _, _ := strings.Cut(p.url, "?")
	return w.navigate(http.MethodPost, address, form)
}

// answer returns what a page would post to the gateway.
func (w *world) answer(p page) (state string, signature []byte, failure string) {
	w.t.Helper()
	if !strings.Contains(p.text, `<form id="answer" method="post" action="`+w.gateway.URL+`/signed">`) {
		w.t.Fatalf("status %d, not the page of an answer:\n%s", p.status, p.text)
	}
	signature, err := base64.StdEncoding.DecodeString(p.field("signature"))
	must(w.t, err)
	return p.field("state"), signature, p.field("error")
}

func (w *world) want(p page, status int, code reason.Code) {
	w.t.Helper()
	if p.status != status || p.code() != code {
		w.t.Errorf("status %d, code %q; want %d, %q\n%s", p.status, p.code(), status, code, p.text)
	}
}

// addCertificate puts the certificate of a person on a token, and forgets the key.
func (w *world) addCertificate(id string) {
	w.t.Helper()
	p := w.country.Person(id)
	must(w.t, keyring.Make(filepath.Join(w.dir, id), id, p.PIN, p.Certificate.Raw, nil))
}
