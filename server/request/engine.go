package request

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"propusk/pki/reason"
)

// Options is what an engine needs to know about its host. Only HSTS and AssetsURL
// may be left out.
type Options struct {
	// Host is the name of the listener in logs and metrics: "public", "signin".
	Host string
	// Log receives one line per request.
	Log *slog.Logger
	// Now returns the time.
	Now func() time.Time
	// HSTS tells browsers to use nothing but TLS for this host name from now on.
	// It must be off where a plain HTTP page lives under the same name.
	HSTS bool
	// AssetsURL is another host that pages may take styles and images from; empty
	// when there is none.
	AssetsURL string
	// Refuse writes the answer to a request that could not be served.
	Refuse func(http.ResponseWriter, *http.Request, reason.Code)
	// Observe is called at the end of each request.
	Observe func(Outcome)
}

// Outcome is a finished request in numbers.
type Outcome struct {
	Host   string
	Method string
	Route  string // the pattern of the route, "none" if there is none
	Status int
	Took   time.Duration
}

// NewEngine returns a gin engine without routes whose every request goes through
// this package.
func NewEngine(o Options) *gin.Engine {
	gin.SetMode(gin.ReleaseMode) // or gin prints to standard output
	e := gin.New()
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false // one address for one thing
	e.RedirectFixedPath = false
	e.ForwardedByClientIP = false // nobody is believed about addresses
	e.ContextWithFallback = false
	e.Use(o.handle)
	e.NoRoute(func(c *gin.Context) { o.refuse(c, reason.PageNotFound) })
	e.NoMethod(func(c *gin.Context) { o.refuse(c, reason.MethodNotAllowed) })
	return e
}

// Get adds a route for GET and for HEAD, which is the same without the body. RFC
// 9110, Section 9.1 wants both. Routes that change something by GET, such as those
// of a sign-in, have no HEAD: programs that preview links must not use them up.
func Get(r gin.IRouter, path string, h ...gin.HandlerFunc) {
	r.GET(path, h...)
	r.HEAD(path, h...)
}

// LimitBody bounds the bodies of the routes that come after it, in bytes.
func LimitBody(n int64) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, n)
	}
}

// handle is the way of a request: a number, headers, the handler, the log line.
func (o Options) handle(c *gin.Context) {
	start := o.Now()
	e := &Event{ID: NewID()}
	c.Request = c.Request.WithContext(withEvent(c.Request.Context(), e))
	o.headers(c.Writer.Header(), e.ID)
	defer func() {
		if v := recover(); v != nil {
			o.recovered(c, e, v)
		}
		o.finish(c, e, o.Now().Sub(start))
	}()
	c.Next()
}

// headers sets what every answer carries; handlers may replace Cache-Control.
func (o Options) headers(h http.Header, id string) {
	h.Set("X-Request-Id", id)
	assets := strings.TrimSpace("'self' " + o.AssetsURL)
	h.Set("Content-Security-Policy", "default-src 'none'; style-src "+assets+"; img-src "+assets+
		"; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if o.HSTS {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// recovered answers a request whose handler panicked.
func (o Options) recovered(c *gin.Context, e *Event, v any) {
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v) // net/http knows what to do
	}
	e.Code = reason.InternalError
	// The panic value may hold anything, personal data included; what the
	// runtime says, and the type of the rest, may not.
	e.Err = fmt.Errorf("panic of type %T", v)
	if err, ok := v.(runtime.Error); ok {
		e.Err = fmt.Errorf("panic: %w", err)
	}
	o.Log.LogAttrs(c.Request.Context(), slog.LevelError, "panic",
		slog.String("request", e.ID), slog.String("stack", string(debug.Stack())))
	if !c.Writer.Written() {
		o.Refuse(c.Writer, c.Request, reason.InternalError)
	}
}

func (o Options) refuse(c *gin.Context, code reason.Code) {
	From(c.Request.Context()).Code = code
	o.Refuse(c.Writer, c.Request, code)
}

// finish writes the log line and counts.
func (o Options) finish(c *gin.Context, e *Event, took time.Duration) {
	route, status := c.FullPath(), c.Writer.Status()
	if route == "" {
		route = "none"
	}
	conn := ConnectionFrom(c.Request.Context())
	attrs := []slog.Attr{
		slog.String("request", e.ID),
		slog.String("host", o.Host),
		slog.String("method", method(c.Request.Method)),
		slog.String("route", route),
		slog.Int("status", status),
		slog.Int("bytes", max(c.Writer.Size(), 0)),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000),
		slog.String("tls", conn.Kind),
	}
	attrs = append(attrs, optional("suite", conn.Suite), optional("code", string(e.Code)),
		optional("conclusion", e.Conclusion), optional("client", e.Client))
	if e.Err != nil {
		attrs = append(attrs, slog.String("err", e.Err.Error()))
	}
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	o.Log.LogAttrs(c.Request.Context(), level, "request", attrs...)
	o.Observe(Outcome{Host: o.Host, Method: method(c.Request.Method), Route: route, Status: status, Took: took})
}

// optional returns the zero attribute when the value is empty; slog leaves it
// out.
func optional(key, value string) slog.Attr {
	if value == "" {
		return slog.Attr{}
	}
	return slog.String(key, value)
}

// method returns m, or "OTHER" for what is not a method of RFC 9110: the client
// must not be able to write into the log or make labels of metrics.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete,
		http.MethodOptions, http.MethodPatch, http.MethodConnect, http.MethodTrace:
		return m
	}
	return "OTHER"
}
