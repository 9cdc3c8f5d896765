package request

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/reason"
)

// host is an engine under test with what it logged and counted.
type host struct {
	*gin.Engine
	log      bytes.Buffer
	outcomes []Outcome
}

func newHost(change func(*Options)) *host {
	h := new(host)
	o := Options{
		Host: "test", Log: slog.New(slog.NewJSONHandler(&h.log, nil)), Now: time.Now,
		Refuse: func(w http.ResponseWriter, _ *http.Request, code reason.Code) {
			w.WriteHeader(http.StatusTeapot)
			io.WriteString(w, string(code))
		},
		Observe: func(o Outcome) { h.outcomes = append(h.outcomes, o) },
	}
	if change != nil {
		change(&o)
	}
	h.Engine = NewEngine(o)
	return h
}

func (h *host) do(method, target string, body io.Reader) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, body))
	return w
}

// line returns the only request line of the log.
func (h *host) line(t *testing.T) map[string]any {
	t.Helper()
	var found map[string]any
	for text := range strings.Lines(h.log.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		if m["msg"] != "request" {
			continue
		}
		if found != nil {
			t.Fatalf("more than one line for one request:\n%s", h.log.String())
		}
		found = m
	}
	if found == nil {
		t.Fatalf("no line for the request:\n%s", h.log.String())
	}
	return found
}

func TestOneLinePerRequest(t *testing.T) {
	h := newHost(nil)
	h.GET("/thing/:id", func(c *gin.Context) {
		e := From(c.Request.Context())
		e.Code, e.Conclusion, e.Engine, e.Client, e.Err = "a-code", "TOTAL-FAILED", "both", "cabinet", errors.New("a cause")
		c.String(http.StatusOK, "hello")
	})
	w := h.do(http.MethodGet, "/thing/500100732259?inn=500100732259", nil)
	line := h.line(t)
	id := w.Header().Get("X-Request-Id")
	for key, want := range map[string]any{
		"host": "test", "method": "GET", "route": "/thing/:id", "status": 200.0, "bytes": 5.0, "tls": "none",
		"code": "a-code", "conclusion": "TOTAL-FAILED", "engine": "both", "client": "cabinet", "err": "a cause", "request": id,
	} {
		if line[key] != want {
			t.Errorf("%s = %v, want %v", key, line[key], want)
		}
	}
	if strings.Contains(h.log.String(), "500100732259") {
		t.Errorf("the log knows the person:\n%s", h.log.String())
	}
	if len(h.outcomes) != 1 || h.outcomes[0].Route != "/thing/:id" || h.outcomes[0].Status != 200 {
		t.Errorf("outcomes = %+v", h.outcomes)
	}
}

func TestUnknownAddressesAndMethods(t *testing.T) {
	h := newHost(nil)
	h.GET("/here", func(c *gin.Context) { c.Status(http.StatusOK) })
	for _, c := range []struct{ method, target, code, route, logged string }{
		{"GET", "/nowhere/500100732259", "page-not-found", "none", "GET"},
		{"POST", "/here", "method-not-allowed", "none", "POST"},
		{"GET", "/here/", "page-not-found", "none", "GET"},
		{"X500100732259", "/here", "method-not-allowed", "none", "OTHER"},
	} {
		h.log.Reset()
		h.outcomes = nil
		w := h.do(c.method, c.target, nil)
		if got := w.Body.String(); got != c.code {
			t.Errorf("%s %s: refused with %q, want %q", c.method, c.target, got, c.code)
		}
		line := h.line(t)
		if line["code"] != c.code || line["route"] != c.route || line["method"] != c.logged {
			t.Errorf("%s %s: line %v", c.method, c.target, line)
		}
		if strings.Contains(h.log.String(), "500100732259") {
			t.Errorf("%s %s: what the client wrote is in the log", c.method, c.target)
		}
	}
}

func TestPanicIsAnswered(t *testing.T) {
	h := newHost(nil)
	h.GET("/secret", func(*gin.Context) { panic("ИНН 500100732259") })
	h.GET("/index", func(c *gin.Context) { _ = make([]int, 1)[len(c.Params)+5] })
	for _, path := range []string{"/secret", "/index"} {
		h.log.Reset()
		if w := h.do(http.MethodGet, path, nil); w.Body.String() != "internal-error" {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
		if line := h.line(t); line["code"] != "internal-error" || line["err"] == "" {
			t.Errorf("%s: line %v", path, line)
		}
		if strings.Contains(h.log.String(), "500100732259") {
			t.Errorf("%s: the panic value is in the log", path)
		}
	}
}

func TestAbortReachesNetHTTP(t *testing.T) {
	h := newHost(nil)
	h.GET("/", func(*gin.Context) { panic(http.ErrAbortHandler) })
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("recovered %v", err)
		}
	}()
	h.do(http.MethodGet, "/", nil)
}

func TestSecurityHeaders(t *testing.T) {
	h := newHost(func(o *Options) { o.HSTS, o.AssetsURL = true, "https://assets.example" })
	h.GET("/", func(c *gin.Context) { c.Status(http.StatusOK) })
	got := h.do(http.MethodGet, "/", nil).Header()
	for key, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'self' https://assets.example; img-src 'self' https://assets.example; " +
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":     "nosniff",
		"Referrer-Policy":            "no-referrer",
		"Cache-Control":              "no-store",
		"Strict-Transport-Security":  "max-age=31536000",
		"Cross-Origin-Opener-Policy": "same-origin",
	} {
		if got.Get(key) != want {
			t.Errorf("%s = %q, want %q", key, got.Get(key), want)
		}
	}
	plain := newHost(nil).do(http.MethodGet, "/", nil).Header()
	if plain.Get("Strict-Transport-Security") != "" {
		t.Error("HSTS although it is off")
	}
}

func TestLimitBody(t *testing.T) {
	h := newHost(nil)
	var failure error
	h.POST("/", LimitBody(4), func(c *gin.Context) { _, failure = io.ReadAll(c.Request.Body) })
	h.do(http.MethodPost, "/", strings.NewReader("1234"))
	if failure != nil {
		t.Errorf("4 bytes: %v", failure)
	}
	h.do(http.MethodPost, "/", strings.NewReader("12345"))
	if !errors.As(failure, new(*http.MaxBytesError)) {
		t.Errorf("5 bytes: %v", failure)
	}
}

func TestNewID(t *testing.T) {
	form := regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$`)
	seen := make(map[string]bool)
	for range 1000 {
		id := NewID()
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("NewID = %q", id)
		}
		seen[id] = true
	}
}

func TestFromOutsideOfARequest(t *testing.T) {
	From(context.Background()).Code = "x"
	if From(context.Background()).Code != "" {
		t.Error("events of nobody are shared")
	}
}

func TestSuiteName(t *testing.T) {
	for id, want := range map[uint16]string{
		0xc100: "TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC", 0xc101: "TLS_GOSTR341112_256_WITH_MAGMA_CTR_OMAC",
		0x1301: "TLS_AES_128_GCM_SHA256", 0xfeed: "0xFEED", 0: "",
	} {
		if got := suiteName(id); got != want {
			t.Errorf("suiteName(%#x) = %q, want %q", id, got, want)
		}
	}
}
