// Package resumption decides which TLS sessions of a person's browser may be resumed,
// and ends them at logout.
//
// A session spares the browser the proof by the key in the token, and nothing else: the
// certificate is judged again before a session is resumed and again at every request.
// A certificate that would not be let in now is not resumed either, so that the person
// can choose another one.
package resumption

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"propusk/gost/gosttls"
)

// cached is how many sessions are kept for clients that take no tickets. One is as long
// as the certificates of its person, some kilobytes.
const cached = 4096

// Options is what a Keeper needs, all of it.
type Options struct {
	// Life is how long a session can be resumed after the handshake in which the
	// client proved its key, up to gosttls.MaxSessionLifetime. Zero means never.
	Life time.Duration

	// Rotation is how long a key seals new tickets.
	Rotation time.Duration

	// Now returns the time.
	Now func() time.Time

	// Judge returns why the holder of a chain, leaf first, is not let in by the
	// trust data of this moment, or nil.
	Judge func(chain [][]byte) error
}

// Keeper keeps the keys and the cache of all hosts of a server. It is safe for
// concurrent use. Make it with New.
type Keeper struct {
	opts  Options
	keys  *gosttls.TicketKeys
	cache gosttls.SessionCache
	left  departures
}

// New returns a Keeper.
func New(o Options) *Keeper {
	return &Keeper{
		opts:  o,
		keys:  &gosttls.TicketKeys{Rotation: o.Rotation},
		cache: gosttls.NewSessionCache(cached),
	}
}

// Offer lets clients of a host resume their sessions. The policy is the host's name: a
// session of one host is worth nothing on another.
func (k *Keeper) Offer(c *gosttls.Config, policy string) {
	if k.opts.Life <= 0 {
		return
	}
	c.SessionTickets, c.SessionCache = k.keys, k.cache
	c.SessionLifetime = k.opts.Life
	c.PolicyID = policy
	c.Time = k.opts.Now
}

// OfferCertified is Offer for a host that judges client certificates. The trust data by
// which a session began are part of it: with others the client proves itself again.
func (k *Keeper) OfferCertified(c *gosttls.Config, policy string, trustID func() string) {
	k.Offer(c, policy)
	c.TrustID = trustID
	c.Resume = k.resume
}

// Reasons not to resume a session.
var (
	// errNobody: without a certificate there is nothing to resume, and the person
	// could not choose one.
	errNobody = errors.New("resumption: the session has no certificate")

	errLoggedOut = errors.New("resumption: the person has logged out")
)

// resume says why a session is not resumed.
func (k *Keeper) resume(s gosttls.ResumedSession) error {
	switch {
	case len(s.PeerCertificates) == 0:
		return errNobody
	case k.left.after(sha256.Sum256(s.PeerCertificates[0]), s.Established):
		return errLoggedOut
	}
	return k.opts.Judge(s.PeerCertificates)
}

// Forget ends all sessions that a certificate, known by its SHA-256, has until now:
// those of other connections and browsers as well.
func (k *Keeper) Forget(cert [sha256.Size]byte) {
	k.left.note(cert, k.opts.Now())
}

// Run wipes keys whose time is over, which an idle server would not do by itself, until
// ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	tick := time.NewTicker(k.opts.Rotation)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			k.keys.Forget(k.opts.Now())
		case <-ctx.Done():
			return
		}
	}
}

// maxDepartures bounds how many certificates are remembered that have logged out.
const maxDepartures = 1 << 16

// departures remembers when which certificate logged out, for as long as a session can
// live. When there are too many, everybody has logged out. The zero value is ready to
// use.
type departures struct {
	mu  sync.Mutex
	at  map[[sha256.Size]byte]time.Time
	all time.Time // when everybody did
}

func (d *departures) note(cert [sha256.Size]byte, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.at) >= maxDepartures {
		d.forget(now)
	}
	if len(d.at) >= maxDepartures {
		d.at, d.all = nil, now
	}
	if d.at == nil {
		d.at = make(map[[sha256.Size]byte]time.Time)
	}
	d.at[cert] = now
}

// forget drops what concerns no session that is still alive.
func (d *departures) forget(now time.Time) {
	for cert, at := range d.at {
		if now.Sub(at) > gosttls.MaxSessionLifetime {
			delete(d.at, cert)
		}
	}
}

// after reports whether a certificate logged out after a moment, or at it.
func (d *departures) after(cert [sha256.Size]byte, moment time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	at, left := d.at[cert]
	return left && !moment.After(at) || !d.all.IsZero() && !moment.After(d.all)
}
