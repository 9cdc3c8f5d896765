// Package testpki makes the demo country: a head certification authority,
// accredited CAs and others, a signed list of accredited CAs, revocation lists,
// certificates of OCSP responders and of a time-stamping authority, server
// certificates and people with soft keys. Everything in it is fictional.
//
// Package responder answers at the addresses that the certificates name.
//
// It is for propusk demo, propusk pki init and tests. Nothing here is secret: the
// keys of all CAs lie beside their certificates.
package testpki

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"time"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
)

// Life is how long a country can be used: its revocation lists are due then.
const Life = 30 * day

// day is a day of 24 hours.
const day = 24 * time.Hour

// year is near enough for dates that nobody compares.
const year = 365 * day

// Options says what country to make.
type Options struct {
	// Now is the moment at which the country is made. It must be set; the country
	// can be used from then on for Life.
	Now time.Time
	// Hosts are DNS names and IP addresses of the server certificates;
	// "localhost" and "127.0.0.1" when empty.
	Hosts []string
	// Rand is the source of keys and serial numbers; nil means crypto/rand. A
	// deterministic source makes the same GOST keys again.
	Rand io.Reader
	// BaseURL is what addresses in certificates begin with: those of revocation
	// lists, of OCSP and of CA certificates; "http://pki.demo.invalid" when empty.
	BaseURL string
}

// Country is everything that was made. It is not safe for concurrent use while
// something is being issued.
type Country struct {
	opts        Options
	authorities []*Authority
	people      []*Person
	tsl         []byte
	crls        map[string][]byte // by ID of the Authority

	tsa        *Credential
	responders map[string]*Credential // of OCSP, by ID of the Authority

	tlsCA   []byte // DER
	servers []*Server
}

// Credential is a certificate with its key.
type Credential struct {
	Certificate *gostx509.Certificate
	Key         *gost3410.PrivateKey
}

// New makes a country. It takes some dozens of signatures, well under a second.
func New(opts Options) (*Country, error) {
	if opts.Now.IsZero() {
		return nil, errors.New("testpki: Options.Now is not set")
	}
	opts.Now = opts.Now.UTC().Truncate(time.Second)
	if len(opts.Hosts) == 0 {
		opts.Hosts = []string{"localhost", "127.0.0.1"}
	}
	if opts.BaseURL == "" {
		opts.BaseURL = "http://pki.demo.invalid"
	}
	c := &Country{opts: opts, crls: make(map[string][]byte), responders: make(map[string]*Credential)}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"authorities", c.makeAuthorities},
		{"people", c.makePeople},
		{"services", c.makeServices},
		{"revocation lists", c.makeCRLs},
		{"list of accredited CAs", c.makeTSL},
		{"servers", c.makeServers},
	} {
		if err := step.do(); err != nil {
			return nil, fmt.Errorf("testpki: %s: %w", step.name, err)
		}
	}
	return c, nil
}

// Now is the moment at which the country was made, in UTC and whole seconds.
func (c *Country) Now() time.Time { return c.opts.Now }

// Issue makes a key on the curve and a certificate for it, signed by issuer. The
// template goes into the certificate as it is; address of the revocation list and
// dates are the caller's.
func (c *Country) Issue(issuer *Authority, t gostx509.Template, curve *gost3410.Curve) (*Credential, error) {
	key, err := gost3410.GenerateKey(curve, c.opts.Rand)
	if err != nil {
		return nil, err
	}
	cert, err := c.certify(t, issuer.Certificate, key.Public(), issuer.Key)
	if err != nil {
		return nil, err
	}
	return &Credential{Certificate: cert, Key: key}, nil
}

// certify makes a certificate; a nil issuer makes a self-signed one.
func (c *Country) certify(t gostx509.Template, issuer *gostx509.Certificate, pub crypto.PublicKey, signer crypto.Signer) (*gostx509.Certificate, error) {
	raw, err := gostx509.Create(c.opts.Rand, t, issuer, pub, signer)
	if err != nil {
		return nil, err
	}
	return gostx509.Parse(raw)
}
