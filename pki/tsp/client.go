package tsp

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"propusk/pki/reason"
	"propusk/pki/sigalg"
)

// Types of the content that travels over HTTP: RFC 3161, Section 3.4.
const (
	QueryType = "application/timestamp-query"
	ReplyType = "application/timestamp-reply"
)

// answerTimeout is how long a TSA may take unless the caller brings an HTTP client
// of his own. Somebody waits at a screen.
const answerTimeout = 30 * time.Second

var (
	errURL      = errors.New("tsp: the address of a TSA is http:// or https:// with a host")
	errForeign  = errors.New("tsp: the answer is to another request")
	errNoSigner = errors.New("tsp: the TSA did not put its certificate into the token")
)

// Client asks a TSA over HTTP: RFC 3161, Section 3.4. The zero value asks nobody. It
// is safe for concurrent use.
type Client struct {
	// URL is the address of the TSA: http or https. The token proves itself, so http
	// is as good.
	URL string
	// HTTP makes the requests; nil means one with a time-out of 30 seconds.
	// Redirects are not followed, whatever it says: the answer must come from the
	// address that was named.
	HTTP *http.Client
	// Policy is the policy that is asked for; nil leaves the choice to the TSA.
	Policy asn1.ObjectIdentifier
}

// Stamp obtains a time-stamp of a digest that was computed with the algorithm given.
// The token is to this very request, of this digest, has the certificate of the TSA
// inside, and its [Token.Verify] passes; whether the TSA deserves trust is not
// judged.
//
// The error is a *reason.Error with reason.TimeStampUnavailable when nothing that
// could be a time-stamp came back, reason.TimeStampRefused around a *[Refusal],
// reason.TimeStampForeign when another request was answered, or those of
// [ParseResponse] and [Token.Verify]. When the context ends, errors.Is finds its
// error.
func (c *Client) Stamp(ctx context.Context, digestOID asn1.ObjectIdentifier, digest []byte) (*Token, error) {
	q, err := newRequest(digestOID, digest)
	if err != nil {
		return nil, err
	}
	q.Policy = c.Policy
	query, err := q.Marshal()
	if err != nil {
		return nil, err
	}
	reply, err := c.post(ctx, query)
	if err != nil {
		return nil, err
	}
	token, err := ParseResponse(reply)
	if err != nil {
		return nil, err
	}
	if err := token.answers(q); err != nil {
		return nil, err
	}
	certs, _ := token.Signed.X509()
	if _, err := token.Verify(certs); errors.Is(err, reason.SignerCertMissing) {
		return nil, reason.New(reason.TimeStampBad, errNoSigner)
	} else if err != nil {
		return nil, err
	}
	return token, nil
}

// newRequest makes a request with a fresh nonce.
func newRequest(algorithm asn1.ObjectIdentifier, digest []byte) (*Request, error) {
	h, err := sigalg.NewHash(algorithm)
	if err != nil {
		return nil, reason.New(reason.TimeStampAlgorithm, err)
	}
	if len(digest) != h.Size() {
		return nil, errLength
	}
	nonce := make([]byte, 8)
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("tsp: nonce: %w", err)
	}
	return &Request{
		Digest: Imprint{Algorithm: sigalg.AlgorithmIdentifier{Algorithm: algorithm}, Hash: digest},
		Nonce:  positive(nonce), WantCertificate: true,
	}, nil
}

// answers reports whether a token is the answer to a request: RFC 3161, Section 2.2.
func (t *Token) answers(q *Request) error {
	var what string
	switch {
	case !t.Digest.equal(q.Digest):
		what = "digest"
	case !bytes.Equal(t.Nonce, q.Nonce):
		what = "nonce"
	case q.Policy != nil && !q.Policy.Equal(t.Policy):
		what = "policy"
	default:
		return nil
	}
	return reason.New(reason.TimeStampForeign, fmt.Errorf("%w: %s", errForeign, what))
}

// post sends a request and returns what came back.
func (c *Client) post(ctx context.Context, query []byte) ([]byte, error) {
	if u, err := url.Parse(c.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, reason.New(reason.TimeStampUnavailable, errors.Join(errURL, err))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(query))
	if err != nil {
		return nil, reason.New(reason.TimeStampUnavailable, err)
	}
	request.Header.Set("Content-Type", QueryType)
	request.Header.Set("Accept", ReplyType)
	response, err := c.client().Do(request)
	if err != nil {
		return nil, reason.New(reason.TimeStampUnavailable, err)
	}
	defer response.Body.Close()
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch {
	case response.StatusCode != http.StatusOK:
		return nil, reason.Errorf(reason.TimeStampUnavailable, "tsp: %s answered %s", request.URL.Redacted(), response.Status)
	case err != nil || kind != ReplyType:
		return nil, reason.Errorf(reason.TimeStampUnavailable, "tsp: %s is no TSA: it answered with another type of content", request.URL.Redacted())
	}
	reply, err := io.ReadAll(io.LimitReader(response.Body, MaxToken+1))
	if err != nil {
		return nil, reason.New(reason.TimeStampUnavailable, err)
	}
	return reply, nil // ParseResponse refuses what is too long
}

// client returns an HTTP client that follows no redirects.
func (c *Client) client() *http.Client {
	client := http.Client{Timeout: answerTimeout}
	if c.HTTP != nil {
		client = *c.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}
