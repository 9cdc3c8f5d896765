package server_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"propusk/server/testgateway"
)

// TestHandshakeFlood: a client that opens connections and says nothing fills its
// own share of the handshakes. Finished handshakes do not count.
func TestHandshakeFlood(t *testing.T) {
	g := testgateway.Start(t, func(g *testgateway.Gateway) { g.Config.Limits.HandshakesPerAddress = 3 })
	address := strings.TrimPrefix(g.Config.Public.URL, "https://")
	for range 10 {
		if a := g.Get(g.Browser(), g.Config.Public.URL+"/"); a.StatusCode != http.StatusOK {
			t.Fatalf("one after another: %d", a.StatusCode)
		}
	}
	var silent []net.Conn
	for range 3 {
		c, err := new(net.Dialer).DialContext(context.Background(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		silent = append(silent, c)
	}
	enters := func() bool {
		res, err := g.Browser().Get(g.Config.Public.URL + "/")
		if err != nil {
			return false
		}
		res.Body.Close()
		return true
	}
	if !soon(func() bool { return !enters() }) {
		t.Error("a fourth handshake from the address of three")
	}
	if metrics := g.Get(g.Browser(), g.Admin()+"/metrics").Text; !strings.Contains(metrics, `propusk_tls_handshakes_total{host="public",kind="none",result="failed",resumed="false",suite="",version=""} 1`) {
		t.Errorf("the metrics do not tell:\n%s", metrics)
	}
	silent[0].Close()
	if !soon(enters) {
		t.Error("the place of a closed connection stays taken")
	}
}

// soon reports whether f becomes true: the server may not have noticed yet.
func soon(f func() bool) bool {
	for range 3000 {
		if f() {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}
