package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// rawOutcome writes a text into a connection, says that there is no more, and returns
// what became of it. A status of net/http itself has no document.
func rawOutcome(t *testing.T, address, name, text string) string {
	t.Helper()
	c, err := new(net.Dialer).DialContext(context.Background(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	// The server may answer, and hang up, before it has heard everything.
	if _, err := io.WriteString(c, text); err == nil {
		c.(*net.TCPConn).CloseWrite()
	}
	res, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: http.MethodPost})
	if err != nil {
		t.Errorf("%s: no answer: %v", name, err)
		return "no answer"
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	if res.StatusCode >= 500 {
		t.Errorf("%s: %d %s", name, res.StatusCode, body)
	}
	if res.Header.Get("X-Request-Id") == "" {
		return fmt.Sprintf("%d of net/http", res.StatusCode)
	}
	return describe(t, name, res.StatusCode, res.Header, body)
}
