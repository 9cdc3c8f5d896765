package testpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"net/netip"

	"propusk/gost/gost3410"
	"propusk/pki/gostx509"
)

// Server is a certificate for TLS with its key.
type Server struct {
	// Name is "gost-256", "gost-512" or "ecdsa"; empty for others.
	Name string
	// Chain is DER, leaf first, without the root.
	Chain [][]byte
	// Key is a *gost3410.PrivateKey or an *ecdsa.PrivateKey.
	Key crypto.Signer
}

// serverLife is how long server certificates are valid; browsers accept up to
// 398 days.
const serverLife = 397 * day

// IssueServer makes a GOST server certificate for the hosts of the options, with
// a new key on the given curve.
func (c *Country) IssueServer(curve *gost3410.Curve) (*Server, error) {
	t := gostx509.Template{
		Subject:               gostx509.Name{{Type: gostx509.OIDCountry, Text: "RU"}, {Type: gostx509.OIDCommonName, Text: c.opts.Hosts[0]}},
		NotBefore:             c.opts.Now.Add(-day),
		NotAfter:              c.opts.Now.Add(serverLife),
		MaxPathLen:            -1,
		KeyUsage:              gostx509.KeyUsageDigitalSignature | gostx509.KeyUsageKeyEncipherment | gostx509.KeyUsageKeyAgreement,
		ExtKeyUsage:           []asn1.ObjectIdentifier{gostx509.OIDServerAuth},
		CRLDistributionPoints: []string{c.opts.BaseURL + crlPath("tls")},
	}
	t.DNSNames, t.IPAddresses = c.hosts()
	issued, err := c.Issue(c.Authority("tls"), t, curve)
	if err != nil {
		return nil, err
	}
	return &Server{Chain: [][]byte{issued.Certificate.Raw}, Key: issued.Key}, nil
}

// hosts splits the hosts of the options into names and addresses.
func (c *Country) hosts() (names []string, addresses []netip.Addr) {
	for _, h := range c.opts.Hosts {
		if a, err := netip.ParseAddr(h); err == nil {
			addresses = append(addresses, a)
		} else {
			names = append(names, h)
		}
	}
	return names, addresses
}

// TLSAuthority returns the certificate, in DER, of the ECDSA CA that issued the
// ordinary server certificate.
func (c *Country) TLSAuthority() []byte { return c.tlsCA }

// Server returns one of the servers of the country: "gost-256" (CryptoPro-A),
// "gost-512" (tc26-512-A) or "ecdsa" (P-256, for ordinary TLS). Another name is a
// mistake of the caller and panics.
func (c *Country) Server(name string) *Server {
	for _, s := range c.servers {
		if s.Name == name {
			return s
		}
	}
	panic("testpki: no server " + name)
}

func (c *Country) makeServers() error {
	for _, spec := range []struct {
		name  string
		curve *gost3410.Curve
	}{
		{"gost-256", gost3410.CryptoProA()},
		{"gost-512", gost3410.TC26512A()},
	} {
		s, err := c.IssueServer(spec.curve)
		if err != nil {
			return err
		}
		s.Name = spec.name
		c.servers = append(c.servers, s)
	}
	return c.makeTLSServer()
}

// makeTLSServer makes the ECDSA CA and its one server certificate; the key of the
// CA is forgotten at once, because browsers may be told to trust it.
func (c *Country) makeTLSServer() error {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	ca := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "Propusk demo TLS CA " + c.opts.Now.Format("2006-01-02 15:04:05")},
		NotBefore:             c.opts.Now.Add(-day),
		NotAfter:              c.opts.Now.Add(serverLife),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	if c.tlsCA, err = x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey); err != nil {
		return err
	}
	if ca, err = x509.ParseCertificate(c.tlsCA); err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	names, addresses := c.hosts()
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: c.opts.Hosts[0]},
		NotBefore:    ca.NotBefore,
		NotAfter:     ca.NotAfter,
		DNSNames:     names,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, a := range addresses {
		leaf.IPAddresses = append(leaf.IPAddresses, net.IP(a.AsSlice()))
	}
	raw, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	if err != nil {
		return err
	}
	c.servers = append(c.servers, &Server{Name: "ecdsa", Chain: [][]byte{raw}, Key: key})
	return nil
}
