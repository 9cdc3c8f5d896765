package gosttls

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// resumptionServer runs our server, with tickets or a cache, and returns what it knows
// about each connection after the handshake. Every client gets the word "done".
func (p peerPKI) resumptionServer(t testing.TB, way string) (addr string, states <-chan ConnectionState) {
	t.Helper()
	config := &Config{
		Certificates: []Certificate{p.cert(t, "srv256A")},
		CipherSuites: []uint16{KuznyechikCTROMAC, MagmaCTROMAC, CNTIMIT, LegacyCNTIMIT},
		ClientAuth:   RequireAnyClientCert,
		PolicyID:     "test",
	}
	switch way {
	case "ticket":
		config.SessionTickets = new(TicketKeys)
	case "id":
		config.SessionCache = NewSessionCache(100)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	all := make(chan ConnectionState, 100)
	go func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				c := Server(raw, config)
				defer c.Close()
				if c.Handshake() == nil {
					all <- c.ConnectionState()
					_, _ = c.Write([]byte("done\n")) // the client may have left
				}
			}()
		}
	}()
	return l.Addr().String(), all
}

// OpenSSL's client keeps a session in a file and resumes it, and connects six times with
// one session.
func TestResumeWithOpenSSLClient(t *testing.T) {
	p := interop(t)
	for _, way := range ways {
		addr, states := p.resumptionServer(t, way)
		for suite, name := range opensslSuites {
			file := fmt.Sprintf("session-%s-%04x", way, suite)
			client := []string{"-cert", "cli256TCA.crt", "-key", "cli256TCA.key"}
			if way == "id" {
				client = append(client, "-no_ticket")
			}
			if out, err := p.sClient(t, addr, suite, append(client, "-sess_out", file)...); err != nil {
				t.Fatalf("%s, %s: %v\n%s", way, name, err, out)
			}
			first := next(t, states)
			if out, err := p.sClient(t, addr, suite, append(client, "-sess_in", file)...); err != nil {
				t.Fatalf("%s, %s: %v\n%s", way, name, err, out)
			}
			if first.Resumed {
				t.Fatalf("%s, %s: the first connection was resumed", way, name)
			}
			second := next(t, states)
			if !second.Resumed {
				t.Errorf("%s, %s: not resumed", way, name)
			}
			first.Resumed, first.Offered, second.Offered = true, nil, nil
			sameButResumed(t, first, second)

			out, err := p.run(t, strings.NewReader(""), "openssl", append([]string{"s_client", "-connect", addr, "-tls1_2",
				"-cipher", name, "-CAfile", "ca.crt", "-reconnect"}, client...)...)
			if err != nil || strings.Count(out, "Reused, TLSv1.") != 5 {
				t.Errorf("%s, %s: %d of 5 reconnections reuse the session; %v\n%s", way, name, strings.Count(out, "Reused, TLSv1."), err, out)
			}
			for i := range 6 {
				if s := next(t, states); s.Resumed != (i > 0) {
					t.Errorf("%s, %s: connection %d: resumed is %v", way, name, i, s.Resumed)
				}
			}
		}
	}
}

// Our client resumes sessions of OpenSSL's server: by ticket, by id, and not at all when
// the server has forgotten.
func TestResumeWithOpenSSLServer(t *testing.T) {
	p := interop(t)
	args := []string{"-cert", "srv512A.crt", "-key", "srv512A.key", "-Verify", "3", "-verify_return_error", "-www", "-cipher", "ALL:@SECLEVEL=0"}
	for name, test := range map[string]struct {
		args   []string
		reused bool
	}{
		"ticket":   {nil, true},
		"id":       {[]string{"-no_ticket"}, true},
		"none":     {[]string{"-no_ticket", "-no_cache"}, false},
		"TLS only": {[]string{"-no_cache"}, true},
	} {
		addr := p.startServer(t, append(args, test.args...)...)
		for suite, cipher := range opensslSuites {
			config := &Config{
				CipherSuites:   []uint16{suite},
				Certificates:   []Certificate{p.cert(t, "cli256A")},
				VerifyPeer:     expect(p.cert(t, "srv512A")),
				ClientSessions: NewClientSessionCache(1),
			}
			for i := range 3 {
				page, err := get(addr, config)
				reused := strings.Contains(page, "Reused, TLSv1.")
				if err != nil || reused != (test.reused && i > 0) || !strings.Contains(page, cipher) {
					t.Errorf("%s, %s, connection %d: %v\n%s", name, cipher, i, err, page)
				}
			}
		}
	}
}

// A server that comes back with other keys does not take the session, and our client
// goes on.
func TestResumeAfterRestart(t *testing.T) {
	p := interop(t)
	config := &Config{
		InsecureSkipVerify: true,
		ServerName:         "localhost",
		ClientSessions:     NewClientSessionCache(1),
		Time:               time.Now,
	}
	for range 2 {
		addr := p.startServer(t, "-cert", "srv256A.crt", "-key", "srv256A.key", "-www")
		for i := range 2 {
			page, err := get(addr, config)
			if reused := strings.Contains(page, "Reused, "); err != nil || reused != (i > 0) {
				t.Errorf("connection %d: %v\n%s", i, err, page)
			}
		}
	}
}
