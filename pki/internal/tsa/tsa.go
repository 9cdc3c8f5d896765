// Package tsa gives tests a time-stamping authority that needs no network.
package tsa

import (
	"context"
	"encoding/asn1"
	"testing"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/pki/internal/country"
	"propusk/pki/sigalg"
	"propusk/pki/tsp"
)

// Policy is the one under which the authority stamps.
var Policy = asn1.ObjectIdentifier{1, 2, 643, 7, 99, 1}

// TSA is a time-stamping authority with a clock that a test sets. It is not safe for
// concurrent use.
type TSA struct {
	*tsp.Authority
	// At is the time that it stamps.
	At time.Time
	// Stamps counts the tokens that were asked for.
	Stamps int
}

// New makes an authority with a certificate of the issuer, whose own certificate is
// put into every token, and with a clock that stands at country.Now.
func New(t testing.TB, c *country.Country, issuer *country.Authority) *TSA {
	t.Helper()
	h := c.Person(t, issuer, gost3410.TC26256A(), country.TimeStamping())
	return &TSA{At: country.Now, Authority: &tsp.Authority{
		Certificate: h.Cert, Key: h.Key, Policy: Policy, Chain: []*gostx509.Certificate{issuer.Cert},
	}}
}

// Stamp implements cades.Stamper.
func (a *TSA) Stamp(_ context.Context, digestOID asn1.ObjectIdentifier, digest []byte) (*tsp.Token, error) {
	a.Stamps++
	q := tsp.Request{
		Digest:          tsp.Imprint{Algorithm: sigalg.AlgorithmIdentifier{Algorithm: digestOID}, Hash: digest},
		Nonce:           []byte{byte(a.Stamps & 0x7f)},
		WantCertificate: true,
	}
	query, err := q.Marshal()
	if err != nil {
		return nil, err
	}
	reply, err := a.Respond(query, a.At)
	if err != nil {
		return nil, err
	}
	return tsp.ParseResponse(reply)
}
