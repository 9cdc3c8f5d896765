package tsp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/reason"
)

// serve runs a TSA over HTTP whose answers a test may change.
func serve(t *testing.T, answer func(w http.ResponseWriter, query []byte)) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != QueryType {
			http.Error(w, "not a query", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", ReplyType)
		answer(w, query)
	}))
	t.Cleanup(server.Close)
	return &Client{URL: server.URL}
}

// respond answers as a TSA does. It runs outside the goroutine of the test.
func respond(t *testing.T, a *Authority, w http.ResponseWriter, query []byte) {
	reply, err := a.Respond(query, stampedAt)
	if err == nil {
		_, err = w.Write(reply)
	}
	if err != nil {
		t.Error(err)
	}
}

func TestClient(t *testing.T) {
	a := newAuthority(t)
	c := serve(t, func(w http.ResponseWriter, query []byte) { respond(t, a, w, query) })
	c.Policy = policy
	want := digest(t, streebog, stamped)
	nonces := map[string]bool{}
	for range 3 {
		token, err := c.Stamp(t.Context(), streebog, want.Hash)
		if err != nil {
			t.Fatal(err)
		}
		if err := token.CheckImprint(stamped); err != nil || !token.GenTime.Equal(stampedAt) {
			t.Errorf("%v: %v", token.GenTime, err)
		}
		nonces[string(token.Nonce)] = true
	}
	if len(nonces) != 3 {
		t.Error("a nonce was used twice")
	}
}

// TestClientRefuses has every answer but the right one refused.
func TestClientRefuses(t *testing.T) {
	a := newAuthority(t)
	notCritical := country.TimeStamping()
	notCritical.Critical = nil
	unfit := authorityWith(t, a.Key, notCritical)
	// other answers a request that was changed on the way.
	other := func(change func(*Request)) func(http.ResponseWriter, []byte) {
		return func(w http.ResponseWriter, query []byte) {
			q, err := ParseRequest(query)
			if err != nil {
				t.Error(err)
				return
			}
			change(q)
			changed, err := q.Marshal()
			if err != nil {
				t.Error(err)
			}
			respond(t, a, w, changed)
		}
	}
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, []byte)
		want   reason.Code
	}{
		"another nonce":  {other(func(q *Request) { q.Nonce[len(q.Nonce)-1] ^= 1 }), reason.TimeStampForeign},
		"no nonce":       {other(func(q *Request) { q.Nonce = nil }), reason.TimeStampForeign},
		"another digest": {other(func(q *Request) { q.Digest.Hash[0] ^= 1 }), reason.TimeStampForeign},
		"no certificate": {other(func(q *Request) { q.WantCertificate = false }), reason.TimeStampBad},
		"refused":        {other(func(q *Request) { q.Policy = []int{1, 2, 3} }), reason.TimeStampRefused},
		"unfit": {func(w http.ResponseWriter, query []byte) {
			q, err := ParseRequest(query)
			if err != nil {
				t.Error(err)
				return
			}
			token, err := Create(nil, Template{
				Policy: policy, Digest: q.Digest, Nonce: q.Nonce, GenTime: stampedAt, Certificates: []*gostx509.Certificate{unfit.Certificate},
			}, unfit.Certificate, unfit.Key)
			if err != nil {
				t.Error(err)
			}
			reply, err := marshalGranted(token)
			if err != nil {
				t.Error(err)
			}
			_, _ = w.Write(reply)
		}, reason.TimeStampSigner},
		"changed": {func(w http.ResponseWriter, query []byte) {
			reply, err := a.Respond(query, stampedAt)
			if err != nil {
				t.Error(err)
			}
			reply[len(reply)-1] ^= 1 // of the signature
			_, _ = w.Write(reply)
		}, reason.TimeStampBad},
		"nonsense": {func(w http.ResponseWriter, _ []byte) { _, _ = w.Write([]byte("hello")) }, reason.TimeStampMalformed},
		"endless":  {func(w http.ResponseWriter, _ []byte) { _, _ = w.Write(make([]byte, 2*MaxToken)) }, reason.TimeStampTooLarge},
		"a page": {func(w http.ResponseWriter, query []byte) {
			w.Header().Set("Content-Type", "text/html")
			respond(t, a, w, query)
		}, reason.TimeStampUnavailable},
		"busy": {func(w http.ResponseWriter, _ []byte) { w.WriteHeader(http.StatusServiceUnavailable) }, reason.TimeStampUnavailable},
		"cut off": {func(w http.ResponseWriter, _ []byte) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte{0x30})
		}, reason.TimeStampUnavailable},
	} {
		client := serve(t, c.answer)
		if token, err := client.Stamp(t.Context(), streebog, digest(t, streebog, stamped).Hash); token != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestClientPolicy compares the policy with the one that was asked for: here the
// TSA takes no notice of it.
func TestClientPolicy(t *testing.T) {
	a := newAuthority(t)
	c := serve(t, func(w http.ResponseWriter, query []byte) {
		q, err := ParseRequest(query)
		if err != nil {
			t.Error(err)
			return
		}
		q.Policy = nil
		changed, err := q.Marshal()
		if err != nil {
			t.Error(err)
		}
		respond(t, a, w, changed)
	})
	c.Policy = []int{1, 2, 3}
	if _, err := c.Stamp(t.Context(), streebog, digest(t, streebog, stamped).Hash); !errors.Is(err, reason.TimeStampForeign) {
		t.Error(err)
	}
}

// TestClientRedirect does not follow a redirect, even when the HTTP client would.
func TestClientRedirect(t *testing.T) {
	a := newAuthority(t)
	target := serve(t, func(w http.ResponseWriter, query []byte) { respond(t, a, w, query) })
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		c := serve(t, func(w http.ResponseWriter, _ []byte) {
			w.Header().Set("Location", target.URL)
			w.WriteHeader(status)
		})
		c.HTTP = &http.Client{}
		if _, err := c.Stamp(t.Context(), streebog, digest(t, streebog, stamped).Hash); !errors.Is(err, reason.TimeStampUnavailable) {
			t.Errorf("%d: %v", status, err)
		}
		if c.HTTP.CheckRedirect != nil {
			t.Error("the client of the caller was changed")
		}
	}
}

// TestClientContext ends with its context.
func TestClientContext(t *testing.T) {
	release := make(chan struct{})
	c := serve(t, func(http.ResponseWriter, []byte) { <-release })
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Stamp(ctx, streebog, digest(t, streebog, stamped).Hash)
	if !errors.Is(err, context.Canceled) || !errors.Is(err, reason.TimeStampUnavailable) {
		t.Error(err)
	}
}

// TestClientMistakes has mistakes of the caller found before anybody is asked.
func TestClientMistakes(t *testing.T) {
	good := digest(t, streebog, stamped).Hash
	for _, address := range []string{"", "tsa.example.test", "file:///etc/passwd", "http://", "http://%", "ftp://tsa.example.test/"} {
		if _, err := (&Client{URL: address}).Stamp(t.Context(), streebog, good); !errors.Is(err, reason.TimeStampUnavailable) {
			t.Errorf("%q: %v", address, err)
		}
	}
	c := &Client{URL: "http://127.0.0.1:1/"}
	if _, err := c.Stamp(t.Context(), []int{1, 2, 3}, good); !errors.Is(err, reason.TimeStampAlgorithm) {
		t.Error(err)
	}
	if _, err := c.Stamp(t.Context(), streebog, good[1:]); !errors.Is(err, errLength) {
		t.Error(err)
	}
	if _, err := c.Stamp(t.Context(), streebog, bytes.Clone(good)); !errors.Is(err, reason.TimeStampUnavailable) {
		t.Errorf("nobody listens, and yet %v", err)
	}
}
