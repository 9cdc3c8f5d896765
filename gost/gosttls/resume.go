package gosttls

import "time"

// ResumedSession is what a server remembers of a session that a client wants to
// resume. See [Config.Resume].
type ResumedSession struct {
	// Handle names the session.
	Handle SessionHandle

	// Version and CipherSuite are those of the session.
	Version     uint16
	CipherSuite uint16

	// PeerCertificates is the DER chain whose leaf the client has proven to own
	// when the session began, leaf first; empty if it sent none.
	PeerCertificates [][]byte

	// Established is when that was.
	Established time.Time

	// ServerName is what the client sent in server_name, then and now.
	ServerName string

	// PolicyID and TrustID were in force then, and are now.
	PolicyID string
	TrustID  string
}

// CachedSession is a session as a [SessionCache] keeps it.
type CachedSession struct {
	// State is the session in a form of this package. It holds the keys of
	// connections: whoever reads it can read those.
	State []byte

	// Handle names the session for Delete.
	Handle SessionHandle

	// Expires is when the session can be dropped.
	Expires time.Time
}

// A SessionCache keeps the sessions of a server of TLS 1.2 by session id (RFC 5246,
// Appendix F.1.4). It must be bounded, and safe for several goroutines.
type SessionCache interface {
	// Put keeps a session under its id, which is 32 random bytes. State belongs to
	// the cache from then on.
	Put(id [32]byte, s CachedSession)

	// Get returns the session with an id. Whether it has expired is looked at by
	// the caller, to whom State belongs: it is cleared after use.
	Get(id [32]byte) (CachedSession, bool)

	// Delete drops all sessions with a handle, as logout must.
	Delete(handle SessionHandle)
}

// ClientSession is what a client needs to resume a session. It is made by this
// package, and not changed afterwards.
type ClientSession struct {
	*session
	ticket []byte // empty: resumed by id
	id     []byte
}

// A ClientSessionCache keeps the sessions of clients. It must be bounded, and safe for
// several goroutines.
type ClientSessionCache interface {
	// Get returns the session of a key.
	Get(key string) (*ClientSession, bool)

	// Put keeps a session under a key, or drops the one there if s is nil.
	Put(key string, s *ClientSession)
}

// newSession returns the session of a full handshake, for a ticket or a cache. The
// secret is kept, not copied.
func (c *Config) newSession(state ConnectionState, secret []byte, trustID string, now time.Time) *session {
	return &session{
		version:    state.Version,
		suite:      state.CipherSuite,
		secret:     secret,
		ems:        state.ExtendedMasterSecret,
		created:    now,
		lifetime:   c.sessionLifetime(),
		issued:     now,
		handle:     state.Session,
		clientAuth: c.ClientAuth,
		serverName: state.ServerName,
		curve:      state.Curve,
		peerChain:  state.PeerCertificates,
		scheme:     state.SignatureScheme,
		policyID:   c.PolicyID,
		trustID:    trustID,
	}
}

// renew returns the session for a new ticket of a connection that resumed this one. It
// lives no longer for that.
func (s *session) renew(secret []byte, now time.Time) *session {
	renewed := *s
	renewed.secret, renewed.issued = secret, now
	return &renewed
}

// mayResume reports whether a server may resume a session for a client that names
// serverName now: nothing but the connection is another one. Version and suite are for
// the caller to compare. The trust data are those of the beginning of this handshake.
func (c *Config) mayResume(s *session, serverName, trustID string, now time.Time) bool {
	if !s.ems || !s.alive(now) || s.serverName != serverName || s.clientAuth != c.ClientAuth ||
		s.policyID != c.PolicyID || s.trustID != trustID {
		return false
	}
	if c.ClientAuth == RequireAnyClientCert && len(s.peerChain) == 0 {
		return false
	}
	return c.Resume == nil || c.Resume(ResumedSession{
		Handle:           s.handle,
		Version:          s.version,
		CipherSuite:      s.suite,
		PeerCertificates: s.peerChain,
		Established:      s.created,
		ServerName:       s.serverName,
		PolicyID:         s.policyID,
		TrustID:          s.trustID,
	}) == nil
}
