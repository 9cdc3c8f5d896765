package gosttls

import (
	"crypto"
	"io"
	"time"

	"propusk/gost/vko"
)

// A PrivateKey signs and agrees on keys. Its Public method returns a
// *gost3410.PublicKey, Sign returns BE(s)|BE(r) as package gost3410 does.
// *gost3410.PrivateKey and keys inside tokens implement it.
type PrivateKey interface {
	crypto.Signer
	vko.Agreement
}

// A Certificate is a certificate chain with the private key of its leaf.
type Certificate struct {
	// Chain holds DER certificates, leaf first, in the order to send.
	Chain [][]byte

	// PrivateKey belongs to the leaf. [NewCertificate] checks that it does.
	PrivateKey PrivateKey
}

// ClientAuth says whether a server asks for a client certificate. A certificate
// that was presented is always proven by CertificateVerify, whatever the mode;
// none of the modes says anything about who issued it.
type ClientAuth int

// Modes of client authentication.
const (
	NoClientCert         ClientAuth = iota // the server does not ask
	RequestClientCert                      // the server asks; a client without a certificate is let in
	RequireAnyClientCert                   // a client without a certificate is refused
)

// DefaultHandshakeTimeout is the time for a handshake when
// Config.HandshakeTimeout is zero. It leaves room for a person who types the PIN
// of a token while the handshake waits for the signature.
const DefaultHandshakeTimeout = 2 * time.Minute

// Config configures one side of connections. It must not be changed once it is
// in use, and may be shared by any number of connections.
type Config struct {
	// Certificates are the server's certificates in order of preference; the
	// first whose curve the client can use is taken. On a client: the
	// certificates to present when asked, the first that the server can verify.
	Certificates []Certificate

	// CipherSuites are the suites to offer or accept in order of preference.
	// Empty means both suites of this package, Kuznyechik first. The preference
	// of the server decides.
	CipherSuites []uint16

	// ClientAuth is for servers only.
	ClientAuth ClientAuth

	// ServerName is the name that the client sends in the server_name
	// extension. IP addresses are not sent (RFC 6066, Section 3).
	ServerName string

	// VerifyPeer judges the certificates of the peer. An error refuses the
	// connection with the alert bad_certificate.
	//
	// A client must have it, unless InsecureSkipVerify is set; it runs before
	// the client sends anything about itself. At that moment the server has not
	// yet proven that it holds the key, which it does by its Finished message.
	//
	// On a server it may be nil, which accepts every proven certificate, so that
	// the reason can be told on a page instead of by an alert. If set, it runs
	// after the client has proven its key, also when the client sent none.
	VerifyPeer func(ConnectionState) error

	// InsecureSkipVerify makes a client accept any server. For tests.
	InsecureSkipVerify bool

	// RequireExtendedMasterSecret refuses peers without the extension of RFC
	// 7627. When false they are served; nothing here relies on the uniqueness
	// of their master secret.
	RequireExtendedMasterSecret bool

	// HandshakeTimeout limits the whole handshake. Zero means
	// DefaultHandshakeTimeout, a negative value no limit.
	HandshakeTimeout time.Duration

	// Rand is the source of randoms, secrets and nonces. Nil means
	// crypto/rand.Reader.
	Rand io.Reader

	// KeyLogWriter, if set, receives the master secrets in NSS key log format:
	// whoever reads it can read the connections. For debugging. Writes are not
	// serialised between connections; a line is one Write.
	KeyLogWriter io.Writer
}
