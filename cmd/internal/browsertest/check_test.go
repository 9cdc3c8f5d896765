//go:build unix

package browsertest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"propusk/server/page/plugins"
	"propusk/server/testgateway"
)

// TestCheck goes through the environment check page in a browser: to its end with a soft
// token that really signs, and into each row of the failure table that a browser, or what is
// on the computer of a person, is the cause of.
func TestCheck(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if !plugins.Built() {
		t.Skip("the script is not built: make plugins") // its own test fails where it must be there
	}
	people := []string{"ip", "ip512", "ul", "expired"}
	for _, id := range people {
		w.addToken(t, id)
	}
	bare := newWorld(t, nil) // its agent has no tokens
	stopped := listen(t)     // nobody answers there
	port := stopped.Addr().(*net.TCPAddr).Port
	if err := stopped.Close(); err != nil {
		t.Fatal(err)
	}
	alone := testgateway.Start(t, testgateway.WithChallenge, func(g *testgateway.Gateway) { g.Config.Challenge.AgentPorts = []int{port} })
	in := w.input(NewHost(t, holders(w.gateway.Country, people...)...), people...)
	in["check"], in["signin"] = w.gateway.Config.Check.URL, w.gateway.Config.SignIn.URL
	in["bare"], in["alone"] = bare.gateway.Config.Public.URL, alone.Config.Public.URL
	in["proxy"], in["profile"] = interceptor(t), profileWithoutCookies(t)
	Run(t, "check", in)
}

// profileWithoutCookies is a directory of a user of Chromium who has switched cookies off.
func profileWithoutCookies(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "Default"), 0o700); err != nil {
		t.Fatal(err)
	}
	preferences := `{"profile":{"default_content_setting_values":{"cookies":2},"block_third_party_cookies":true}}`
	if err := os.WriteFile(filepath.Join(dir, "Default", "Preferences"), []byte(preferences), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// interceptor is what antivirus programs and proxies of companies do: it ends the TLS of the
// browser with a certificate of its own, and speaks to the server in its place. It returns
// its address.
func interceptor(t *testing.T) string {
	t.Helper()
	own := ownCertificate(t)
	l := listen(t)
	forward := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // nor do the bad ones look
	t.Cleanup(forward.CloseIdleConnections)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			intercept(w, r.Host, own, forward)
			return
		}
		r.RequestURI = ""
		passOn(w, r, forward)
	})
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
	return "http://" + l.Addr().String()
}

// passOn asks the server what the browser asked.
func passOn(w http.ResponseWriter, r *http.Request, forward *http.Transport) {
	answer, err := forward.RoundTrip(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	io.Copy(w, answer.Body) //nolint:errcheck // the browser notices
}

// intercept answers a browser in the place of a host.
func intercept(w http.ResponseWriter, host string, own tls.Certificate, forward *http.Transport) {
	raw, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer raw.Close()
	if _, err := io.WriteString(raw, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	conn := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12})
	requests := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(requests)
		if err != nil {
			return // the browser has closed, or does not like the certificate
		}
		r.URL.Scheme, r.URL.Host, r.RequestURI = "https", host, ""
		answer, err := forward.RoundTrip(r)
		if err != nil {
			return
		}
		err = answer.Write(conn)
		answer.Body.Close()
		if err != nil {
			return
		}
	}
}

// ownCertificate is of a CA that nobody knows.
func ownCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Antivirus"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
