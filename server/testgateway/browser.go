package testgateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"strings"
	"time"

	"propusk/gost/gosttls"
)

// Browser returns an HTTP client with cookies that follows no redirects by
// itself and trusts the ordinary certificates of the gateway.
func (g *Gateway) Browser() *http.Client {
	g.t.Helper()
	roots := x509.NewCertPool()
	ca, err := os.ReadFile(g.Path("tls/ca.pem"))
	if err != nil || !roots.AppendCertsFromPEM(ca) {
		g.t.Fatalf("the CA of the ordinary certificates: %v", err)
	}
	return g.browser(&http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}})
}

// GOSTBrowser is a Browser that speaks GOST TLS and presents the certificate of a
// person of the country, or none if person is empty. A change may alter how it speaks
// TLS.
func (g *Gateway) GOSTBrowser(person string, change ...func(*gosttls.Config)) *http.Client {
	g.t.Helper()
	config := &gosttls.Config{InsecureSkipVerify: true}
	for _, f := range change {
		f(config)
	}
	if person != "" {
		p := g.Country.Person(person)
		cert, err := gosttls.NewCertificate([][]byte{p.Certificate.Raw}, p.Key)
		if err != nil {
			g.t.Fatal(err)
		}
		config.Certificates = []gosttls.Certificate{cert}
	}
	return g.browser(&http.Transport{DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		c := gosttls.Client(conn, config)
		return c, c.HandshakeContext(ctx)
	}})
}

func (g *Gateway) browser(transport *http.Transport) *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Jar: jar, Transport: transport, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Answer is a response whose body was read.
type Answer struct {
	*http.Response
	Text string
}

// Location is where the answer redirects to.
func (a Answer) Location() string { return a.Header.Get("Location") }

// Get asks for a URL. It fails the test when there is no answer.
func (g *Gateway) Get(c *http.Client, url string) Answer {
	g.t.Helper()
	res, err := c.Get(url)
	return g.read(res, err)
}

// Post sends a body to a URL. It fails the test when there is no answer.
func (g *Gateway) Post(c *http.Client, url, contentType, body string) Answer {
	g.t.Helper()
	res, err := c.Post(url, contentType, strings.NewReader(body))
	return g.read(res, err)
}

// Do sends a request. It fails the test when there is no answer.
func (g *Gateway) Do(c *http.Client, r *http.Request) Answer {
	g.t.Helper()
	res, err := c.Do(r)
	return g.read(res, err)
}

func (g *Gateway) read(res *http.Response, err error) Answer {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return Answer{res, string(body)}
}
