package server

import (
	"crypto/rand"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls"
	"propusk/pki/gostx509"
	"propusk/server/check"
	"propusk/server/config"
	"propusk/server/metrics"
)

// brokenKey panics when it is used, as a driver of a token may.
type brokenKey struct{ *gost3410.PrivateKey }

func (brokenKey) SharedPoint(*gost3410.PublicKey, []byte) ([]byte, error) { panic("broken key") }

// brokenHost returns a certificate for the broken key.
func brokenHost(t *testing.T) gosttls.Certificate {
	t.Helper()
	key, err := gost3410.GenerateKey(gost3410.CryptoProA(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := gostx509.Create(rand.Reader, gostx509.Template{
		Serial:    []byte{1},
		Subject:   gostx509.Name{{Type: gostx509.OIDCommonName, Text: "host"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}, nil, key.PublicKey(), key)
	if err != nil {
		t.Fatal(err)
	}
	return gosttls.Certificate{Chain: [][]byte{raw}, PrivateKey: brokenKey{key}}
}

// lines hands on each line of a log.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// TestPanicIsLogged: a panic in a handshake ends that connection, and somebody
// hears of it.
func TestPanicIsLogged(t *testing.T) {
	log := make(lines, 1)
	checks, err := check.New(check.Options{Runs: 1, ResultLife: time.Hour, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{
		checks:  checks,
		opts:    Options{Config: config.Default(), Log: slog.New(slog.NewJSONHandler(log, nil))},
		metrics: metrics.New(metrics.Gauges{}),
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := s.tls("signin", inner, hostKeys{gost: brokenHost(t)}, new(gosttls.Config))
	accepted := make(chan error, 1)
	go func() {
		_, err := l.Accept()
		accepted <- err
	}()
	conn, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := gosttls.Client(conn, &gosttls.Config{InsecureSkipVerify: true, MaxVersion: gosttls.VersionTLS12}).Handshake(); err == nil {
		t.Error("the handshake succeeds")
	}
	select {
	case text := <-log:
		if !strings.Contains(text, `"level":"ERROR"`) || !strings.Contains(text, "broken key") || !strings.Contains(text, `"host":"signin"`) {
			t.Errorf("the log says:\n%s", text)
		}
	case <-time.After(30 * time.Second):
		t.Error("the log says nothing")
	}
	l.Close()
	<-accepted
}
