package register

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"sync"
	"time"

	"propusk/pki/reason"
)

// Limits of a service.
const (
	// DefaultTimeout is how long an answer may take.
	DefaultTimeout = 5 * time.Second
	// failures in a row open the breaker for a while: people are told at once to come again
	// later instead of waiting, and a service in trouble is left alone.
	maxFailures = 5
	pause       = 30 * time.Second
	// under way at once; a person waits for his turn until his time is over.
	maxUnderWay = 16
)

// HTTPOptions is what an HTTP register needs. Timeout, Token, Transport and Now may be left out.
type HTTPOptions struct {
	// URL is https://…, or http:// on a loopback address.
	URL string
	// Token goes into the header Authorization, as "Bearer …".
	Token string
	// Timeout is how long an answer may take; 0 is DefaultTimeout.
	Timeout time.Duration
	// Transport carries requests; nil is a fresh one that uses no proxy.
	Transport http.RoundTripper
	// Now returns the time; nil is time.Now.
	Now func() time.Time
}

// HTTP is a register behind a service of the operator. It posts {"inn": …, "ogrnip": …} in
// JSON, so that no log of addresses knows whom it was asked about, and takes 200 with an
// entry, or 404. Whatever else comes, or nothing in time, means that the register is
// unavailable. Make it with NewHTTP; it is safe for concurrent use.
type HTTP struct {
	opts   HTTPOptions
	client *http.Client
	turns  chan struct{}

	mu       sync.Mutex
	failures int
	until    time.Time // the breaker is open
	probing  bool      // one request looks whether the service is back
}

// NewHTTP returns an HTTP register. The error says that the URL cannot be used.
func NewHTTP(o HTTPOptions) (*HTTP, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("register: the URL must be https://host/path")
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Transport == nil {
		o.Transport = &http.Transport{MaxIdleConnsPerHost: maxUnderWay, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true}
	}
	return &HTTP{opts: o, turns: make(chan struct{}, maxUnderWay), client: &http.Client{
		Transport: o.Transport,
		// Who answers is in the configuration, and nobody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Find implements Register.
func (h *HTTP) Find(person context.Context, q Query) (Entry, error) {
	ctx, cancel := context.WithTimeout(person, h.opts.Timeout)
	defer cancel()
	select {
	case h.turns <- struct{}{}:
		defer func() { <-h.turns }()
	case <-ctx.Done():
		return Entry{}, unavailable("no turn within %s", h.opts.Timeout)
	}
	if !h.enter() {
		return Entry{}, unavailable("it has failed %d times; it is left alone for %s", maxFailures, pause)
	}
	e, err := h.ask(ctx, q)
	switch {
	case err == nil || errors.Is(err, ErrNotFound):
		h.leave(answered)
	case person.Err() != nil: // who asked has left, which says nothing about the service
		h.leave(abandoned)
	default:
		h.leave(failed)
	}
	return e, err
}

// ask asks the service.
func (h *HTTP) ask(ctx context.Context, q Query) (Entry, error) {
	body, err := json.Marshal(struct {
		INN    string `json:"inn"`
		OGRNIP string `json:"ogrnip,omitempty"`
	}{q.INN.Reveal(), q.OGRNIP.Reveal()})
	if err != nil {
		return Entry{}, fmt.Errorf("register: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.opts.URL, bytes.NewReader(body))
	if err != nil {
		return Entry{}, unavailable("the address cannot be used")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if h.opts.Token != "" {
		req.Header.Set("Authorization", "Bearer "+h.opts.Token)
	}
	answer, err := h.client.Do(req)
	if err != nil {
		return Entry{}, reason.New(reason.RegisterUnavailable, err)
	}
	defer answer.Body.Close()
	return read(answer)
}

// read reads an answer.
func read(answer *http.Response) (Entry, error) {
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxRecord+1))
	if err != nil {
		return Entry{}, unavailable("the answer ends before its end")
	}
	media, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	switch {
	case answer.StatusCode == http.StatusNotFound && err == nil && media == "application/json":
		// JSON too: the 404 of a proxy or of a wrong address says nothing about people.
		return Entry{}, ErrNotFound
	case answer.StatusCode != http.StatusOK:
		return Entry{}, unavailable("the answer has status %d", answer.StatusCode)
	case err != nil || media != "application/json":
		return Entry{}, unavailable("the answer is not JSON")
	}
	e, err := parse(data)
	if err != nil {
		return Entry{}, reason.New(reason.RegisterUnavailable, err)
	}
	return e, nil
}

// enter reports whether the service may be asked. When its pause is over one request looks
// whether it is back.
func (h *HTTP) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failures < maxFailures {
		return true
	}
	if h.probing || h.opts.Now().Before(h.until) {
		return false
	}
	h.probing = true
	return true
}

// outcome is how a request ended.
type outcome int

const (
	answered outcome = iota
	abandoned
	failed
)

// leave notes how a request ended.
func (h *HTTP) leave(how outcome) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.probing = false
	switch how {
	case answered:
		h.failures = 0
	case failed:
		if h.failures++; h.failures >= maxFailures {
			h.until = h.opts.Now().Add(pause)
		}
	}
}
