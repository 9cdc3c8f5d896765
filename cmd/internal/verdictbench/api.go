package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"runtime"
	"time"

	"propusk/certs"
	"propusk/pki/cms"
	"propusk/pki/reason"
	"propusk/pki/report"
	"propusk/pki/validate"
	"propusk/server/api"
	"propusk/server/apikey"
	"propusk/server/metrics"
	"propusk/server/problem"
	"propusk/server/request"
	"propusk/server/trust"
)

// requests measures what a request of the verify API costs beyond its verdict: the
// way through the server from the request line on, with the log line, the metrics and
// the quota, the verdict document, and its JSON. The connection is left out.
func requests(ctx context.Context, s setup) ([]*row, error) {
	country, snapshot, err := newCountry(ctx, filepath.Join(s.dir, "api"))
	if err != nil {
		return nil, err
	}
	files, err := signIns(country, 1)
	if err != nil {
		return nil, err
	}
	j := judge{trust: snapshot.Trust(), at: country.Now().Add(time.Hour)}
	handler, err := newEndpoint(ctx, filepath.Join(s.dir, "api", "country", "trust"), j.at)
	if err != nil {
		return nil, err
	}
	send := sender(handler, files[0])
	judgement := func() error { return j.verdict(files[0]) }
	return []*row{
		{name: "request with a sign-in, beyond the verdict", ours: beyond(send, judgement), goal: atMost(25_000)},
		{name: "request with a sign-in, in all", ours: loop(send)},
		{name: "verdict document of a sign-in in JSON", ours: beyond(func() error { return j.document(files[0]) }, judgement)},
	}, nil
}

// document writes the verdict document of a sign-in.
func (j *judge) document(file []byte) error {
	v := validate.Validator{Trust: j.trust, Policy: validate.QES()}
	j.text = report.Signatures(v.Signature(file, cms.Content{}, j.at), j.trust, j.at).AppendJSON(j.text[:0])
	return nil
}

// newEndpoint returns the verify API as the gateway has it, with trust data of its own
// from a directory, at a moment that stands still.
func newEndpoint(ctx context.Context, dir string, at time.Time) (http.Handler, error) {
	clock := func() time.Time { return at }
	store := certs.NewStore(certs.Source{Dir: dir}, clock)
	if err := store.Reload(ctx); err != nil {
		return nil, err
	}
	count := metrics.New(metrics.Gauges{Trust: store.Current}) // nobody asks for them
	engine := request.NewEngine(request.Options{
		Host: "public", Log: slog.New(slog.NewJSONHandler(discard{}, nil)), Now: time.Now, Observe: count.Request,
		Refuse: func(w http.ResponseWriter, _ *http.Request, code reason.Code) {
			problem.Write(w, problem.New(code, "", ""))
		},
	})
	api.New(api.Options{
		Trust: trust.Guard{Store: store, MaxAge: 24 * time.Hour, Now: clock}, Now: clock,
		Keys:    apikey.NewKeeper(apikey.Options{Anonymous: apikey.Quota{Concurrent: 1000}, Now: time.Now, Observe: count.APIRequest}),
		MaxBody: 32 << 20, MaxDocument: 1 << 30, MaxBatch: 1000, Verifications: 16, Wait: time.Minute, Observe: count.Verdict,
	}).Routes(engine)
	return engine, nil
}

// discard takes the log. [slog.DiscardHandler] would leave out the work of writing it.
type discard struct{}

// Write implements io.Writer.
func (discard) Write(p []byte) (int, error) { return len(p), nil }

// answer is a response that keeps its status and whether the verdict is good.
type answer struct {
	header http.Header
	status int
	passed bool
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write implements io.Writer.
func (a *answer) Write(p []byte) (int, error) {
	a.passed = a.passed || bytes.HasPrefix(p, []byte(`{"conclusion":"TOTAL-PASSED"`))
	return len(p), nil
}

// sender returns what sends a signature as it stands. What reads requests from
// connections is left out, and so is making this one.
func sender(handler http.Handler, file []byte) func() error {
	body := bytes.NewReader(file)
	r := &http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: "/api/v1/verify"}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "gateway.example",
		Header:        http.Header{"Content-Type": {"application/octet-stream"}, "Accept": {"application/json"}},
		ContentLength: int64(len(file)), Body: io.NopCloser(body), RemoteAddr: "192.0.2.1:1234",
	}
	return func() error {
		body.Reset(file)
		a := answer{header: make(http.Header)}
		handler.ServeHTTP(&a, r)
		if a.status != http.StatusOK || !a.passed {
			return fmt.Errorf("the answer has the status %d, or is no good verdict", a.status)
		}
		return nil
	}
}

// beyond measures how much more processor time the whole takes than its part. The two
// run by turns, so that what else the machine does meets both.
func beyond(whole, part func() error) measure {
	const turn = 16
	return func(ctx context.Context, each time.Duration) (float64, error) {
		if err := errors.Join(whole(), part()); err != nil {
			return 0, err
		}
		runtime.GC() // of what others left
		var spent [2]time.Duration
		for n := turn; ; n += turn {
			for i, f := range []func() error{whole, part} {
				start, err := processorTime()
				if err != nil {
					return 0, err
				}
				for range turn {
					if err := f(); err != nil {
						return 0, err
					}
				}
				end, err := processorTime()
				if err != nil {
					return 0, err
				}
				spent[i] += end - start
			}
			if spent[0]+spent[1] >= each || ctx.Err() != nil {
				return float64(spent[0]-spent[1]) / float64(n), ctx.Err()
			}
		}
	}
}
