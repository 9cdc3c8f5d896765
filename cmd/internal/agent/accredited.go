package agent

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"propusk/pki/gostx509"
	"propusk/pki/reason"
)

// AccreditedPath is where a gateway publishes which CAs are accredited.
const accreditedPath = "/api/v1/accredited-cas"

const (
	// listFresh is how long a list is used without asking again, listLife how long at
	// most, when the gateway does not answer.
	listFresh = time.Hour
	listLife  = 24 * time.Hour
	// listRetry is how long a gateway that did not answer is left alone.
	listRetry = time.Minute
	// listTime is how long a gateway may take, listWait how long a person waits for it.
	listTime = 30 * time.Second
	listWait = 3 * time.Second
	// maxList is the longest list, in bytes; the real one has some hundred CAs.
	maxList = 16 << 20
)

// accredited is the list of accredited CAs. A nil one judges nobody.
type accredited struct {
	keys map[string]bool // hexadecimal identifier of a CA key: accredited now
}

// judge says whether the CA of a certificate is accredited. The CA is known by the
// identifier of its key.
func (l *accredited) judge(cert *gostx509.Certificate) reason.Code {
	if l == nil {
		return ""
	}
	inForce, listed := l.keys[hex.EncodeToString(cert.AuthorityKeyID.KeyID)]
	switch {
	case !listed:
		return reason.CANotListed
	case !inForce:
		return reason.CANotAccredited
	}
	return ""
}

// authorities keeps the list of a gateway. It is safe for concurrent use.
type authorities struct {
	url    string
	client *http.Client
	now    func() time.Time

	mu      sync.Mutex
	list    *accredited
	at      time.Time     // when list came
	failed  time.Time     // when the gateway last did not answer
	running chan struct{} // closed when the request under way ends; nil if there is none
}

func newAuthorities(g Gateway, now func() time.Time) (*authorities, error) {
	client, err := gatewayClient(g.CA)
	if err != nil {
		return nil, err
	}
	return &authorities{url: g.URL + accreditedPath, client: client, now: now}, nil
}

// gatewayClient reaches a gateway over TLS. It follows no redirects and keeps no
// connections: it is needed once an hour.
func gatewayClient(ca []byte) (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(ca) > 0 {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(ca) {
			return nil, errors.New("there is no certificate in the file of CAs")
		}
	}
	return &http.Client{
		Timeout:       listTime,
		Transport:     &http.Transport{TLSClientConfig: config, DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// begin asks for the list in the background, if there is none that is fresh.
func (a *authorities) begin() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	switch {
	case a.running != nil:
	case a.list != nil && within(now, a.at, listFresh) || within(now, a.failed, listRetry):
		done := make(chan struct{})
		close(done)
		return done
	default:
		a.running = make(chan struct{})
		go a.fetch(a.running)
	}
	return a.running
}

// current returns the list, and false if there is none that is young enough.
func (a *authorities) current(ctx context.Context) (*accredited, bool) {
	timer := time.NewTimer(listWait)
	defer timer.Stop()
	select {
	case <-a.begin():
	case <-timer.C:
	case <-ctx.Done():
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.list == nil || !within(a.now(), a.at, listLife) {
		return nil, false
	}
	return a.list, true
}

// within reports whether something happened less than d ago. What a clock that was set
// back puts into the future did not.
func within(now, then time.Time, d time.Duration) bool {
	age := now.Sub(then)
	return age >= 0 && age < d
}

func (a *authorities) fetch(done chan struct{}) {
	list, err := a.get()
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil {
		a.list, a.at = list, a.now()
	} else {
		a.failed = a.now()
	}
	a.running = nil
	close(done)
}

func (a *authorities) get() (*accredited, error) {
	body, err := getLimited(context.Background(), a.client, a.url, maxList)
	if err != nil {
		return nil, err
	}
	return parseAccredited(body)
}

// getLimited fetches a document of at most limit bytes.
func getLimited(ctx context.Context, client *http.Client, url string, limit int64) (body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, answer.Status)
	}
	body, err = io.ReadAll(io.LimitReader(answer.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = fmt.Errorf("%s: longer than %d bytes", url, limit)
	}
	return body, err
}

// accreditedDocument is what the agent needs of GET /api/v1/accredited-cas.
type accreditedDocument struct {
	CAs []struct {
		InForce bool     `json:"in_force"`
		Heir    string   `json:"successor_ogrn"` // accredited, and has the powers
		Keys    []string `json:"key_ids"`
	} `json:"cas"`
}

// parseAccredited reads the list of a gateway. One without a single key is of a gateway
// that does not tell them, and judges nobody.
func parseAccredited(raw []byte) (*accredited, error) {
	var doc accreditedDocument
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("list of accredited CAs: %w", err)
	}
	list := &accredited{keys: make(map[string]bool)}
	for _, ca := range doc.CAs {
		for _, id := range ca.Keys {
			if raw, err := hex.DecodeString(id); err != nil || len(raw) == 0 || len(raw) > 64 {
				return nil, errors.New("list of accredited CAs: an identifier of a key is not hexadecimal")
			}
			id = strings.ToLower(id)
			// An organisation that was accredited anew is in the list more than once.
			list.keys[id] = list.keys[id] || ca.InForce || ca.Heir != ""
		}
	}
	if len(list.keys) == 0 {
		return nil, errors.New("list of accredited CAs: no identifiers of keys")
	}
	return list, nil
}
