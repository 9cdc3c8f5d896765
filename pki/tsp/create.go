package tsp

import (
	"crypto"
	"encoding/asn1"
	"io"
	"time"

	"propusk/pki/gostx509"
)

// Template says what Create puts into a token.
type Template struct {
	// Policy is that of the TSA; it must be set.
	Policy asn1.ObjectIdentifier
	// Digest is the imprint of what is stamped; it must be set.
	Digest Imprint
	// Serial is the number of the token as a big-endian magnitude, up to 20 bytes.
	// When empty, 16 random bytes are taken.
	Serial []byte
	// GenTime is the time of the stamp; fractions below a microsecond are cut off.
	GenTime time.Time
	// Accuracy is how far GenTime may be off, in whole microseconds; zero leaves
	// the field out.
	Accuracy time.Duration
	// Ordering says that tokens can be ordered by GenTime alone.
	Ordering bool
	// Nonce is that of the request: content of the INTEGER; empty: none.
	Nonce []byte
	// Named puts in the subject of the certificate as the name of the TSA.
	Named bool
	// Certificates are included, usually that of the TSA and of its CAs when the
	// request asks for them.
	Certificates []*gostx509.Certificate
	// Extensions are written as they are.
	Extensions []Extension
}

// Create makes a token, signed with the key of a certificate, and returns its DER.
// A nil random means crypto/rand. Whether the certificate is one for time-stamps is
// not asked, so that bad tokens can be made for tests; [Authority.Respond] asks.
func Create(random io.Reader, t Template, cert *gostx509.Certificate, key crypto.Signer) ([]byte, error) {
	panic("TODO")
}

// Authority is a TSA. It is safe for concurrent use if Key and Random are.
type Authority struct {
	// Certificate is that of Key: one for time-stamps only.
	Certificate *gostx509.Certificate
	// Chain holds the certificates of the CAs above, to be included on request.
	Chain []*gostx509.Certificate
	// Key signs; see cms.Signatory.
	Key crypto.Signer
	// Policy is the one under which tokens are made. A request that wants another
	// is refused.
	Policy asn1.ObjectIdentifier
	// Accuracy of the clock.
	Accuracy time.Duration
	// Random is the source of serial numbers and signatures; nil: crypto/rand.
	Random io.Reader
}

// Respond answers a request in DER with a response in DER, as of the moment given.
// What is wrong with the request is said in the response; an error is of the
// authority itself, and there is then no response.
func (a *Authority) Respond(request []byte, at time.Time) ([]byte, error) { panic("TODO") }
