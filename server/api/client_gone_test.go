package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"propusk/pki/revocation"
)

// silence is a network in which nobody answers until the test ends.
type silence struct {
	asked chan struct{}
	end   <-chan struct{}
}

func (s silence) OCSP(context.Context, string, []byte) ([]byte, error) {
	select {
	case s.asked <- struct{}{}:
	default:
	}
	<-s.end
	return nil, context.Canceled
}

func (s silence) CRL(ctx context.Context, url string) ([]byte, error) { return s.OCSP(ctx, url, nil) }

// TestClientGone: when the client has left, nobody waits for responders any more,
// however much time the verdict has.
func TestClientGone(t *testing.T) {
	w, err := country()
	if err != nil {
		t.Fatal(err)
	}
	cert := w.Person("ip").Certificate.Raw
	for _, c := range []struct {
		target, media string
		body          func(*service) []byte
	}{
		{toCertificate, "application/octet-stream", func(*service) []byte { return cert }},
		{"/api/v1/verify", "application/octet-stream", func(s *service) []byte { return s.attached("ip", "вымысел") }},
		{"/api/v1/verify/batch", "application/json", func(s *service) []byte {
			body, err := json.Marshal([]map[string][]byte{{"signature": s.attached("ip", "вымысел")}})
			if err != nil {
				t.Fatal(err)
			}
			return body
		}},
	} {
		network := silence{make(chan struct{}, 1), t.Context().Done()}
		s := newService(t, func(o *Options) {
			o.Trust.Online = revocation.NewOnline(network)
			o.Trust.Revocation = revocation.Policy{Order: revocation.OCSPFirst, Budget: time.Hour}
		})
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, c.target, bytes.NewReader(c.body(s)))
		r.Header.Set("Content-Type", c.media)
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			s.handler.ServeHTTP(httptest.NewRecorder(), r)
		}()
		select {
		case <-network.asked:
		case <-answered:
			t.Fatalf("%s: nobody was asked", c.target)
		}
		leave()
		select {
		case <-answered:
		case <-time.After(time.Minute):
			t.Fatalf("%s: still waiting", c.target)
		}
	}
}
