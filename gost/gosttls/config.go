package gosttls

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"propusk/gost/gost3410"
	"propusk/gost/gosttls/internal/message"
	"propusk/gost/gosttls/internal/record"
)

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
// in use, and may be shared by any number of connections. The zero value works
// for neither side: a server needs a certificate, a client needs VerifyPeer.
type Config struct {
	// Certificates are the server's certificates in order of preference. Of those
	// whose curve the client can use, one is taken that the client can verify as far
	// as it says, and that carries the name it asks for, if there is such a one. On a
	// client: the certificates to present when asked, the first that the server can
	// verify.
	Certificates []Certificate

	// GetCertificate, if set, is asked by a server for the certificate of each
	// connection. Without an answer, (nil, nil), Certificates are looked at. An error refuses the connection with the alert
	// internal_error. It is called before anything is known about the client but
	// its ClientHello, and should be quick.
	GetCertificate func(*ClientHelloInfo) (*Certificate, error)

	// CipherSuites are the suites to offer or accept in order of preference.
	// Empty means all suites of this package but LegacyCNTIMIT, those of TLS 1.3 and
	// Kuznyechik first. The preference of the server decides.
	CipherSuites []uint16

	// MinVersion and MaxVersion are the first and the last version of TLS to
	// speak; zero means VersionTLS12 and VersionTLS13. A version is spoken only if
	// CipherSuites has a suite for it. Versions before TLS 1.2 work with the suites of
	// CNT_IMIT; RFC 8996 forbids them, so they are for peers that have nothing better.
	MinVersion, MaxVersion uint16

	// CurvePreferences are the curves for the ephemeral keys of TLS 1.3, in order of
	// preference. A client sends a key for the first one, and another one if the
	// server asks; a server takes the first one for which the client sent a key.
	// Empty means all seven, those of 256 bits first. Certificates may be on other
	// curves, except that servers of TLS 1.2 take the list of a client for its whole
	// mind.
	CurvePreferences []*gost3410.Curve

	// StrictSignatureSchemes refuses peers of TLS 1.3 that sign under a scheme that
	// belongs to another curve than that of their certificate. When false, those are
	// served that name the first scheme for the size of their key, as all do that
	// are built on gost-engine, and ConnectionState.SchemeMismatch tells.
	StrictSignatureSchemes bool

	// ClientAuth is for servers only.
	ClientAuth ClientAuth

	// ServerName is the name that the client sends in the server_name
	// extension. IP addresses are not sent (RFC 6066, Section 3). International
	// names are to be given in ASCII (xn--).
	ServerName string

	// VerifyPeer judges the certificates of the peer. An error refuses the
	// connection, with the alert of an *[AlertError] in it, else with
	// bad_certificate. It judges in every handshake, also when a session is resumed:
	// both sides are asked then after the Finished of the peer.
	//
	// A client must have it, unless InsecureSkipVerify is set; it runs before
	// the client sends anything about itself. At that moment the server has not
	// yet proven that it holds the key, which it does by its Finished message.
	//
	// On a server it may be nil, which accepts every proven certificate, so that
	// the reason can be told on a page instead of by an alert. If set, it runs
	// after the client has proven its key, also when the client sent none.
	VerifyPeer func(ConnectionState) error

	// InsecureSkipVerify lets a client do without VerifyPeer, and accept any
	// server then. For tests. A VerifyPeer that is set is asked all the same.
	InsecureSkipVerify bool

	// KeyCache, if set, verifies what peers sign in the handshake, and keeps a table of
	// multiples for the keys that come back, which makes that several times faster:
	// for servers whose users return. Its size bounds the memory. It is for any number
	// of configurations, and for Config.VerifyPeer too. Nil keeps nothing.
	KeyCache *gost3410.KeyCache

	// RequireExtendedMasterSecret refuses peers without the extension of RFC
	// 7627. When false they are served, and get no session to resume; nothing
	// here relies on the uniqueness of their master secret.
	RequireExtendedMasterSecret bool

	// HandshakeTimeout limits the whole handshake. Zero means
	// DefaultHandshakeTimeout, a negative value no limit.
	HandshakeTimeout time.Duration

	// Rand is the source of randoms, secrets and nonces. Nil means
	// crypto/rand.Reader.
	Rand io.Reader

	// SessionTickets makes a server give out tickets by which clients resume
	// their sessions, and accept them. Nil means no tickets.
	SessionTickets *TicketKeys

	// SessionCache makes a server of TLS 1.2 keep sessions for clients that take
	// no tickets, to be resumed by session id. Nil means none.
	SessionCache SessionCache

	// ClientSessions makes a client keep its sessions and resume them. Nil means
	// that every handshake is a full one. Clients that present different
	// certificates, or judge servers differently, must not share one.
	ClientSessions ClientSessionCache

	// SessionLifetime is how long a session can be resumed after the full
	// handshake it comes from; resuming does not prolong it. Zero means
	// DefaultSessionLifetime; the longest is MaxSessionLifetime. It is rounded to
	// seconds.
	SessionLifetime time.Duration

	// PolicyID names the rules that a server judges its clients by. A session is
	// resumed only under the rules it began under. At most 255 bytes.
	PolicyID string

	// TrustID, if set, returns the name of the trust data of this moment, by
	// which a server judges its clients. A session is resumed only while they are
	// the same as when it began. At most 255 bytes; a longer one makes no session.
	TrustID func() string

	// Resume, if set, is asked by a server before it resumes a session: whether
	// the certificate of the client has expired or was revoked meanwhile, whether
	// the person has logged out. An error means a full handshake, in which the
	// client proves itself and is judged again; the client sees no alert.
	Resume func(ResumedSession) error

	// Verdict, if set, looks at the proven certificates of the peer, once in each
	// handshake, resumed ones too. What it returns is kept in
	// ConnectionState.Verdict; it cannot abort the handshake, so that a page can
	// explain what is wrong. A server asks it also when the client sent no
	// certificate. It is not asked when the handshake fails.
	Verdict func(ConnectionState) any

	// Time returns the present moment, for the lifetime of sessions. Nil means
	// time.Now.
	Time func() time.Time

	// KeyLogWriter, if set, receives the master secrets in NSS key log format:
	// whoever reads it can read the connections. For debugging. Writes are not
	// serialised between connections; a line is one Write.
	KeyLogWriter io.Writer
}

// defaultSuites is Config.CipherSuites when that is empty.
// Of TLS 1.3, those come first whose keys live shorter (RFC 9367, Section 1).
var defaultSuites = [...]uint16{
	KuznyechikMGMS, KuznyechikMGML, MagmaMGMS, MagmaMGML,
	KuznyechikCTROMAC, MagmaCTROMAC, CNTIMIT,
}

func (c *Config) suites() []uint16 {
	if len(c.CipherSuites) == 0 {
		return defaultSuites[:]
	}
	return c.CipherSuites
}

// fits reports whether a suite belongs to a version of the protocol.
func fits(suite *record.Suite, version uint16) bool {
	switch {
	case suite.Version13:
		return version == VersionTLS13
	case suite.KeyExchange == record.KeyExchangeKExp28147:
		return VersionTLS10 <= version && version <= VersionTLS12
	}
	return version == VersionTLS12
}

// suitesOf returns the suites of the configuration for a version, in order of
// preference: none if the version is not to be spoken.
func (c *Config) suitesOf(version uint16) []*record.Suite {
	if version < cmp.Or(c.MinVersion, VersionTLS12) || version > cmp.Or(c.MaxVersion, VersionTLS13) {
		return nil
	}
	var all []*record.Suite
	for _, id := range c.suites() {
		if suite, ok := record.SuiteByID(id); ok && fits(suite, version) {
			all = append(all, suite)
		}
	}
	return all
}

// servedSuites returns the suites that a server speaks in a version: those of the
// configuration that the key of one of its certificates can do.
func (c *Config) servedSuites(version uint16) []*record.Suite {
	all := c.suitesOf(version)
	if c.GetCertificate != nil {
		return all // whose certificates are not known yet
	}
	return slices.DeleteFunc(all, func(suite *record.Suite) bool {
		return !slices.ContainsFunc(c.Certificates, func(cert Certificate) bool { return cert.does(suite) })
	})
}

// offer12 returns what a client offers of TLS 1.2 and before: the last version, and the
// suites for any of them in order of preference.
func (c *Config) offer12() (version uint16, suites []uint16) {
	for v := VersionTLS10; v <= VersionTLS12; v++ {
		if c.speaks(v) {
			version = v
		}
	}
	for _, id := range c.suites() {
		for v := VersionTLS10; v <= version; v++ {
			if slices.ContainsFunc(c.suitesOf(v), func(s *record.Suite) bool { return s.ID == id }) {
				suites = append(suites, id)
				break
			}
		}
	}
	return version, suites
}

// speaks reports whether the configuration allows a version.
func (c *Config) speaks(version uint16) bool { return len(c.suitesOf(version)) > 0 }

func (c *Config) rand() io.Reader {
	if c.Rand == nil {
		return rand.Reader
	}
	return c.Rand
}

func (c *Config) handshakeTimeout() time.Duration {
	if c.HandshakeTimeout == 0 {
		return DefaultHandshakeTimeout
	}
	return c.HandshakeTimeout
}

func (c *Config) now() time.Time {
	if c.Time == nil {
		return time.Now()
	}
	return c.Time()
}

// sessionLifetime is in whole seconds.
func (c *Config) sessionLifetime() time.Duration {
	return min(valueOr(c.SessionLifetime, DefaultSessionLifetime), MaxSessionLifetime).Truncate(time.Second)
}

// trustID is empty without trust data.
func (c *Config) trustID() string {
	if c.TrustID == nil {
		return ""
	}
	return c.TrustID()
}

// check reports what makes the configuration useless before anything is sent.
func (c *Config) check(isClient bool) error {
	for _, id := range c.suites() {
		if _, ok := record.SuiteByID(id); !ok {
			return fmt.Errorf("gosttls: config: unknown cipher suite %#04x", id)
		}
	}
	if len(c.versions()) == 0 {
		return fmt.Errorf("gosttls: config: no suite for any version from %#04x to %#04x", c.MinVersion, c.MaxVersion)
	}
	for _, curve := range c.CurvePreferences {
		if curve == nil || curve.Name() == "" {
			return errors.New("gosttls: config: unknown curve in CurvePreferences")
		}
	}
	for i, cert := range c.Certificates {
		if _, err := cert.curve(); err != nil {
			return fmt.Errorf("gosttls: config: certificate %d: %w", i, err)
		}
	}
	if isClient && c.VerifyPeer == nil && !c.InsecureSkipVerify {
		return errors.New("gosttls: config: a client needs VerifyPeer or InsecureSkipVerify")
	}
	if name := sniName(c.ServerName); isClient && name != "" && !message.ValidServerName(name) {
		return errors.New("gosttls: config: ServerName is not the name of a host")
	}
	if len(c.PolicyID) > 255 {
		return errors.New("gosttls: config: PolicyID is longer than 255 bytes")
	}
	if c.ClientAuth < NoClientCert || c.ClientAuth > RequireAnyClientCert {
		return fmt.Errorf("gosttls: config: unknown ClientAuth %d", c.ClientAuth)
	}
	if isClient {
		return nil
	}
	if len(c.Certificates) == 0 && c.GetCertificate == nil {
		return errors.New("gosttls: config: a server needs a certificate")
	}
	if !slices.ContainsFunc(c.versions(), func(v uint16) bool { return len(c.servedSuites(v)) > 0 }) {
		return errors.New("gosttls: config: no private key can do any of the suites; one that only signs does those of TLS 1.3")
	}
	return nil
}
