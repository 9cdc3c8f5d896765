package tsp

import (
	"context"
	"encoding/asn1"
	"net/http"
)

// Client asks a TSA over HTTP: RFC 3161, Section 3.4. The zero value asks nobody. It
// is safe for concurrent use.
type Client struct {
	// HTTP makes the requests; nil means one with a time-out of 30 seconds.
	// Redirects are never followed: the answer must come from the address that the
	// user named.
	HTTP *http.Client
	// URL is the address of the TSA: http or https.
	URL string
	// Policy is the policy that is asked for; nil leaves it to the TSA.
	Policy asn1.ObjectIdentifier
}

// Stamp obtains a time-stamp of a digest.
func (c *Client) Stamp(ctx context.Context, digestOID asn1.ObjectIdentifier, digest []byte) (*Token, error) {
	panic("TODO")
}
