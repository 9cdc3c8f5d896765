// Package fetch asks servers for trust data over HTTP: the list of accredited
// certification authorities, revocation lists and OCSP answers.
//
// The addresses come from certificates and lists, so from strangers. A [Client]
// asks only hosts that were allowed, only over http and https and on allowed
// ports, follows a redirect only to where it may go by itself, and connects to no
// private address whatever DNS says (the check is made on the address that is
// being connected to, so that a name cannot change in between). Answers are
// limited in length and time; hosts that fail are left alone for a while.
//
// Nothing here looks at what an answer says: that is signed, and whoever asked
// verifies it.
package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"propusk/certs"
	"propusk/pki/crl"
	"propusk/pki/reason"
)

// Limits of answers in bytes. Those of lists are the limits of their parsers.
const (
	// MaxOCSP is the limit of an OCSP answer; one with a chain of certificates
	// has some 5 KB.
	MaxOCSP = 64 << 10
	// MaxCRL is the limit of a revocation list.
	MaxCRL = crl.MaxSize
	// MaxTSL is the limit of the list of accredited CAs.
	MaxTSL = certs.MaxListFile
)

// usualAnswer is the length in bytes that answers may reach side by side. No more than
// maxLong longer ones are read at once, the others wait in their time: some dozen
// servers that send endless lists must not take all memory.
const (
	usualAnswer = 64 << 20
	maxLong     = 2
)

// maxURL is the greatest length of an address in bytes, and maxRedirects how often
// one request is redirected.
const (
	maxURL       = 2048
	maxRedirects = 3
)

// Options of New. The zero value asks nobody: Hosts is empty.
type Options struct {
	// Hosts may be asked: "host.example" is that host alone, ".host.example" it
	// and all below it, "*" any host. Names are compared without regard to case; an
	// IP address must be named as such.
	Hosts []string
	// Ports may be asked; empty means 80 and 443.
	Ports []uint16
	// AllowPrivate permits addresses of this machine and of private networks. It is
	// for demonstrations, tests and closed networks.
	AllowPrivate bool

	// OCSPTimeout, CRLTimeout and TSLTimeout bound one request from the look-up of
	// the name to the last byte. Zero means 5 seconds, 30 seconds and 3 minutes.
	OCSPTimeout, CRLTimeout, TSLTimeout time.Duration
	// Concurrency is how many requests of Get run at once, the others wait; zero
	// means 8. One host gets a half of it at most. OCSP and CRL, for which a verdict
	// waits, have four times as many places of their own.
	Concurrency int

	// Pause is how long a host is left alone after it failed Failures times in a
	// row; it doubles with each further failure up to MaxPause, and varies by a
	// half so that many gateways do not come back at once. Zero means 5 seconds,
	// 3 times, 10 minutes.
	Pause, MaxPause time.Duration
	Failures        int

	// UserAgent names the program to servers; empty means "propusk".
	UserAgent string
	// Now returns the time, for the pauses; nil means time.Now.
	Now func() time.Time
}

// Client asks servers. It is safe for concurrent use. Make it with New.
type Client struct {
	opts  Options
	allow allowList
	also  atomic.Pointer[map[string]bool]
	http  *http.Client
	hosts *breakers

	patient *queue        // Get
	urgent  chan struct{} // OCSP and CRL
	long    chan struct{} // answers that are longer than usual
	usual   int64         // bytes
}

// New returns a Client. It connects to nobody yet. The error names a host that is
// not one.
func New(o Options) (*Client, error) {
	allow, err := newAllowList(o.Hosts, o.Ports)
	if err != nil {
		return nil, err
	}
	o.setDefaults()
	c := &Client{
		opts: o, allow: allow, hosts: newBreakers(o, rand.Float64),
		patient: newQueue(o.Concurrency, max(1, o.Concurrency/2)), urgent: make(chan struct{}, 4*o.Concurrency),
		long: make(chan struct{}, maxLong), usual: usualAnswer,
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second, ControlContext: c.checkAddress}
	c.http = &http.Client{
		Transport: &http.Transport{
			// A proxy of the environment would make the connections in our place, and
			// to addresses that we cannot check.
			Proxy:       nil,
			DialContext: dialer.DialContext,
			// What nobody unpacks cannot be a bomb.
			DisableCompression:     true,
			TLSHandshakeTimeout:    10 * time.Second,
			ExpectContinueTimeout:  time.Second,
			IdleConnTimeout:        30 * time.Second,
			MaxIdleConns:           4 * o.Concurrency,
			MaxIdleConnsPerHost:    o.Concurrency,
			MaxResponseHeaderBytes: 64 << 10,
			ForceAttemptHTTP2:      true,
		},
		CheckRedirect: c.checkRedirect,
	}
	return c, nil
}

// setDefaults fills the fields that are zero.
func (o *Options) setDefaults() {
	orDuration := func(d *time.Duration, usual time.Duration) {
		if *d <= 0 {
			*d = usual
		}
	}
	orDuration(&o.OCSPTimeout, 5*time.Second)
	orDuration(&o.CRLTimeout, 30*time.Second)
	orDuration(&o.TSLTimeout, 3*time.Minute)
	orDuration(&o.Pause, 5*time.Second)
	orDuration(&o.MaxPause, 10*time.Minute)
	if o.Concurrency <= 0 {
		o.Concurrency = 8
	}
	if o.Failures <= 0 {
		o.Failures = 3
	}
	if o.UserAgent == "" {
		o.UserAgent = "propusk"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// Close closes connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Allow adds the hosts of these addresses to those that may be asked, in place of
// those of the last call: the addresses of the verified list of accredited CAs.
// Ports and private addresses are held to the same rules.
func (c *Client) Allow(urls []string) {
	hosts := make(map[string]bool)
	for _, raw := range urls {
		if u, err := url.Parse(raw); err == nil && u.Hostname() != "" {
			hosts[canonical(u.Hostname())] = true
		}
	}
	c.also.Store(&hosts)
}

// Allowed reports whether an address may be asked: nil, or an error with
// [reason.FetchURLNotAllowed].
func (c *Client) Allowed(raw string) error {
	_, err := c.parse(raw)
	return err
}

// Kind is what is asked for; it decides the limits.
type Kind uint8

// The kinds of data.
const (
	OCSP Kind = iota
	CRL
	TSL
)

// limits returns the greatest length in bytes, and the time of one request.
func (c *Client) limits(k Kind) (int64, time.Duration) {
	switch k {
	case TSL:
		return MaxTSL, c.opts.TSLTimeout
	case CRL:
		return MaxCRL, c.opts.CRLTimeout
	default:
		return MaxOCSP, c.opts.OCSPTimeout
	}
}

// Version is how a server names a state of what it serves: the fields ETag and
// Last-Modified as they came. The zero value is no state. Many servers name none.
type Version struct {
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
}

// Answer is what a server sent.
type Answer struct {
	// Data is the body; nil if Unchanged.
	Data []byte
	// Unchanged means that the server still has the version it was asked about.
	Unchanged bool
	// Version is to be given with the next request.
	Version Version
}

// OCSP posts a request to a responder and returns its answer (RFC 6960, Appendix
// A.1). Errors are those of Get.
func (c *Client) OCSP(ctx context.Context, url string, request []byte) ([]byte, error) {
	return c.now(ctx, OCSP, url, request)
}

// CRL gets a revocation list. Errors are those of Get.
func (c *Client) CRL(ctx context.Context, url string) ([]byte, error) {
	return c.now(ctx, CRL, url, nil)
}

// now asks while somebody waits for a verdict.
func (c *Client) now(ctx context.Context, kind Kind, url string, post []byte) ([]byte, error) {
	u, err := c.parse(url)
	if err != nil {
		return nil, err
	}
	select {
	case c.urgent <- struct{}{}:
		defer func() { <-c.urgent }()
	case <-ctx.Done():
		return nil, failure(u, ctx.Err())
	}
	a, err := c.ask(ctx, kind, u, post, Version{})
	return a.Data, err
}

// TSL gets the list of accredited CAs. Errors are those of Get.
func (c *Client) TSL(ctx context.Context, url string) ([]byte, error) {
	a, err := c.Get(ctx, TSL, url, Version{})
	return a.Data, err
}

// Get gets data unless the server says that it still has the version of the last
// time. The error is a *reason.Error with one of the codes Fetch…, whose text
// names the address.
func (c *Client) Get(ctx context.Context, kind Kind, url string, last Version) (Answer, error) {
	u, err := c.parse(url)
	if err != nil {
		return Answer{}, err
	}
	leave, err := c.patient.enter(ctx, serverOf(u))
	if err != nil {
		return Answer{}, failure(u, err)
	}
	defer leave()
	return c.ask(ctx, kind, u, nil, last)
}

// ask makes one request within the limits of its kind.
func (c *Client) ask(ctx context.Context, kind Kind, u *url.URL, post []byte, last Version) (Answer, error) {
	limit, timeout := c.limits(kind)
	done, err := c.hosts.enter(serverOf(u))
	if err != nil {
		return Answer{}, reason.Errorf(reason.FetchHostResting, "%s: %w", u, err)
	}
	asked, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	a, err := c.exchange(asked, u, post, last, limit)
	done(outcomeOf(ctx, err))
	return a, err
}

// exchange sends the request and reads the answer.
func (c *Client) exchange(ctx context.Context, u *url.URL, post []byte, last Version, limit int64) (Answer, error) {
	req, err := c.request(ctx, u, post, last)
	if err != nil {
		return Answer{}, failure(u, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return Answer{}, failure(u, err)
	}
	defer resp.Body.Close()
	asked := last != Version{}
	switch {
	case resp.StatusCode == http.StatusNotModified && asked:
		return Answer{Unchanged: true, Version: last}, nil
	case resp.StatusCode != http.StatusOK:
		return Answer{}, reason.New(reason.FetchRefused, &statusError{u.String(), resp.StatusCode})
	case encoded(resp.Header):
		return Answer{}, reason.Errorf(reason.FetchEncoded, "%s: Content-Encoding %.40q", u, resp.Header.Get("Content-Encoding"))
	case resp.ContentLength > limit:
		return Answer{}, reason.Errorf(reason.FetchTooLarge, "%s: %d bytes, at most %d are taken", u, resp.ContentLength, limit)
	}
	data, err := c.body(ctx, io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return Answer{}, failure(u, err)
	case int64(len(data)) > limit:
		return Answer{}, reason.Errorf(reason.FetchTooLarge, "%s: more than %d bytes", u, limit)
	case len(data) == 0:
		return Answer{}, reason.Errorf(reason.FetchEmpty, "%s", u)
	}
	return Answer{Data: data, Version: versionOf(resp.Header)}, nil
}

// body reads an answer.
func (c *Client) body(ctx context.Context, r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, c.usual))
	if err != nil || int64(len(data)) < c.usual {
		return data, err
	}
	select {
	case c.long <- struct{}{}:
		defer func() { <-c.long }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	all := bytes.NewBuffer(data)
	_, err = all.ReadFrom(r)
	return all.Bytes(), err
}

// serverOf names the server of an address: as for the allow-list, letters of either
// case and a final dot make no other one.
func serverOf(u *url.URL) string { return canonical(u.Hostname()) + ":" + u.Port() }

// request makes the request.
func (c *Client) request(ctx context.Context, u *url.URL, post []byte, last Version) (*http.Request, error) {
	method, body := http.MethodGet, io.Reader(nil)
	if post != nil {
		method, body = http.MethodPost, strings.NewReader(string(post))
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", c.opts.UserAgent)
	if post != nil {
		req.Header.Set("Content-Type", "application/ocsp-request")
		req.Header.Set("Accept", "application/ocsp-response")
		return req, nil
	}
	if last.ETag != "" {
		req.Header.Set("If-None-Match", last.ETag)
	}
	if last.LastModified != "" {
		req.Header.Set("If-Modified-Since", last.LastModified)
	}
	return req, nil
}

// maxVersion bounds what is remembered of one header field, in bytes.
const maxVersion = 256

func versionOf(h http.Header) Version {
	short := func(s string) string {
		if len(s) > maxVersion {
			return ""
		}
		return s
	}
	return Version{ETag: short(h.Get("ETag")), LastModified: short(h.Get("Last-Modified"))}
}

// encoded reports whether a body is compressed or transformed.
func encoded(h http.Header) bool {
	for _, value := range h.Values("Content-Encoding") {
		if value != "" && !strings.EqualFold(value, "identity") {
			return true
		}
	}
	return false
}

// statusError is an answer with another status than success.
type statusError struct {
	url    string
	status int
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s: status %d %s", e.url, e.status, http.StatusText(e.status))
}

// failure gives an error of the transport its code.
func failure(u *url.URL, err error) error {
	if coded, ok := errors.AsType[*reason.Error](err); ok {
		return coded // of checkAddress or checkRedirect
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // it repeats the address
	}
	code := reason.FetchFailed
	if timeout, ok := errors.AsType[net.Error](err); errors.Is(err, context.DeadlineExceeded) || ok && timeout.Timeout() {
		code = reason.FetchTimeout
	}
	return reason.Errorf(code, "%s: %w", u, err)
}

// outcomeOf says what an attempt tells about the host.
func outcomeOf(ctx context.Context, err error) outcome {
	switch code := reason.Of(err); {
	case err == nil:
		return alive
	case errors.Is(ctx.Err(), context.Canceled):
		return unknown // nobody waited for the answer
	case code == reason.FetchFailed || code == reason.FetchTimeout || code == reason.FetchAddressNotAllowed:
		return dead
	case code == reason.FetchRefused:
		if refused, ok := errors.AsType[*statusError](err); ok && (refused.status >= 500 || refused.status == http.StatusTooManyRequests) {
			return dead
		}
	}
	return alive
}
