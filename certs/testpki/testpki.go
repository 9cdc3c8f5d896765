// Package testpki makes the demo country: a head certification authority,
// accredited CAs and others, a signed list of accredited CAs, revocation lists,
// server certificates and people with soft keys. Everything in it is fictional.
//
// It is for propusk demo and for tests. Nothing here is secret.
package testpki

import (
	"crypto"
	"io"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
	"propusk/pki/reason"
)

// Options says what country to make.
type Options struct {
	// Now is the moment at which the country is to be looked at. It must be set.
	Now time.Time
	// Hosts are DNS names and IP addresses of the server certificates;
	// "127.0.0.1" and "localhost" when empty.
	Hosts []string
	// Rand is the source of keys and serial numbers; nil means crypto/rand.
	// A deterministic source makes the same keys again, not the same signatures.
	Rand io.Reader
	// BaseURL is what addresses of CRLs in certificates begin with;
	// "http://pki.demo.invalid" when empty.
	BaseURL string
}

// Authority is a certification authority with its key.
type Authority struct {
	ID          string // "head-256", "fns", "commercial", …
	Name        string
	OGRN        string
	Certificate *gostx509.Certificate
	Key         *gost3410.PrivateKey
	Accredited  bool // in the list, with accreditation in force
}

// Person is somebody with a certificate and a soft key.
type Person struct {
	ID     string // "ip", "expired", …
	Kind   string // kind of holder, as package person names it
	Name   string
	INN    string
	INNLE  string
	OGRN   string
	OGRNIP string
	SNILS  string
	PIN    string
	// Expect is the reason code of a sign-in as entrepreneur; empty means that
	// the person may sign in.
	Expect reason.Code

	Certificate *gostx509.Certificate
	Issuer      *Authority
	Key         *gost3410.PrivateKey
}

// Server is a certificate for TLS with its key.
type Server struct {
	Chain [][]byte // DER, leaf first, without the root
	Key   crypto.Signer
}

// Country is everything that was made.
type Country struct {
	opts Options
}

// New makes a country.
func New(opts Options) (*Country, error) { panic("TODO") }

// WriteTo writes the country as files under dir, which is made if absent:
// trust/ as package certs reads it, tls/ and people/.
func (c *Country) WriteTo(dir string) error { panic("TODO") }

// Person returns the person with the given ID; an ID that does not exist is a
// mistake of the caller and panics.
func (c *Country) Person(id string) *Person { panic("TODO") }

// People returns all persons in the order of the contract.
func (c *Country) People() []*Person { panic("TODO") }

// Authority returns the CA with the given ID; an ID that does not exist is a
// mistake of the caller and panics.
func (c *Country) Authority(id string) *Authority { panic("TODO") }

// IssueServer makes a GOST server certificate for the hosts of the options, with
// a new key on the given curve.
func (c *Country) IssueServer(curve *gost3410.Curve) (*Server, error) { panic("TODO") }
