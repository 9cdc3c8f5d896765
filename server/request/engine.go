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

	fixed []header // of every answer
}

// header is a field of a header. Answers share the slice: to replace the field is right,
// to change the slice is not, and to append to it makes another one.
type header struct {
	name  string
	value []string
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
	o.fixed = o.headers()
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
	h := c.Writer.Header()
	h.Set("X-Request-Id", e.ID)
	for _, field := range o.fixed {
		h[field.name] = field.value
	}
	defer func() {
		if v := recover(); v != nil {
			o.recovered(c, e, v)
		}
		o.finish(c, e, o.Now().Sub(start))
	}()
	c.Next()
}

// headers returns what every answer carries; handlers may replace Cache-Control.
func (o Options) headers() []header {
	assets := strings.TrimSpace("'self' " + o.AssetsURL)
	all := map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src " + assets + "; img-src " + assets +
			"; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":     "nosniff",
		"X-Frame-Options":            "DENY",
		"Referrer-Policy":            "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin",
		"Cache-Control":              "no-store",
	}
	if o.HSTS {
		all["Strict-Transport-Security"] = "max-age=31536000"
	}
	fields := make([]header, 0, len(all))
	for name, value := range all {
		fields = append(fields, header{http.CanonicalHeaderKey(name), []string{value}})
	}
	return fields
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
	attrs := make([]slog.Attr, 0, 14)
	attrs = append(attrs,
		slog.String("request", e.ID),
		slog.String("host", o.Host),
		slog.String("method", method(c.Request.Method)),
		slog.String("route", route),
		slog.Int("status", status),
		slog.Int("bytes", max(c.Writer.Size(), 0)),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000),
		slog.String("tls", conn.Kind),
	)
	attrs = optional(attrs, "suite", conn.Suite)
	attrs = optional(attrs, "code", string(e.Code))
	attrs = optional(attrs, "conclusion", e.Conclusion)
	attrs = optional(attrs, "engine", e.Engine)
	attrs = optional(attrs, "client", e.Client)
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

// optional adds an attribute unless the value is empty.
func optional(attrs []slog.Attr, key, value string) []slog.Attr {
	if value == "" {
		return attrs
	}
	return append(attrs, slog.String(key, value))
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
