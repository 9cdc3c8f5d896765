package gosttls

import (
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"propusk/gost/kuznyechik"
	"propusk/gost/mgm"
)

// DefaultTicketRotation is TicketKeys.Rotation when that is zero.
const DefaultTicketRotation = time.Hour

// Sizes of a ticket in bytes: the id of the key in clear, the nonce, and the session
// under Kuznyechik-MGM with its tag.
const (
	ticketKeyIDSize = 16
	ticketNonceSize = kuznyechik.BlockSize
	ticketTagSize   = kuznyechik.BlockSize
	ticketOverhead  = ticketKeyIDSize + ticketNonceSize + ticketTagSize

	maxTicketSize = maxSessionSize + ticketOverhead
)

// ticketLabel is authenticated with every ticket, besides the id of the key, so that a
// key that is used elsewhere by mistake opens nothing here.
const ticketLabel = "propusk gosttls session ticket 1"

// TicketKeys seals the sessions of a server into tickets (RFC 5077), of TLS 1.2 and TLS
// 1.3, with keys that change. Tickets make a server remember nothing but these keys,
// and the sessions that were revoked. The zero value is ready to use; any number of
// configurations may share one, and goroutines too.
//
// A key seals for the time of Rotation, opens as long as a ticket that it sealed lives,
// and is wiped then. Whoever steals the keys out of the memory can read, of the
// connections that were resumed with them or could be, those of TLS 1.2; so Rotation
// and Config.SessionLifetime together are the time for which tickets give up forward
// secrecy.
type TicketKeys struct {
	// Rotation is how long a key seals new tickets. Zero means
	// DefaultTicketRotation. It must not change after the first use.
	Rotation time.Duration

	// Rand is the source of keys and nonces, safe for several goroutines. Nil means
	// crypto/rand.Reader.
	Rand io.Reader

	mu      sync.Mutex
	keys    []*ticketKey // the newest first
	revoked revocations
}

// ticketKey is one key of TicketKeys.
type ticketKey struct {
	id        [ticketKeyIDSize]byte
	key       [kuznyechik.KeySize]byte
	aead      cipher.AEAD
	sealUntil time.Time
	openUntil time.Time
}

// newTicketKey makes the cipher of a key.
func newTicketKey(id, key []byte) (*ticketKey, error) {
	k := new(ticketKey)
	copy(k.id[:], id)
	copy(k.key[:], key)
	block, err := kuznyechik.New(k.key[:])
	if err != nil {
		return nil, err
	}
	k.aead, err = mgm.New(block)
	return k, err
}

// wipe forgets the key.
func (k *ticketKey) wipe() {
	clear(k.key[:])
	k.aead = nil
}

// sealed reports whether a ticket names this key.
func (k *ticketKey) sealed(ticket []byte) bool {
	return len(ticket) >= ticketKeyIDSize && [ticketKeyIDSize]byte(ticket) == k.id
}

func (k *ticketKey) additional() []byte { return append([]byte(ticketLabel), k.id[:]...) }

func (t *TicketKeys) rand() io.Reader {
	if t.Rand == nil {
		return rand.Reader
	}
	return t.Rand
}

// seal returns the ticket of a session. The errors are a session that is too large and
// a failure of the random source.
func (t *TicketKeys) seal(s *session, now time.Time) ([]byte, error) {
	plain, err := s.marshal()
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	nonce := make([]byte, ticketNonceSize)
	if _, err := io.ReadFull(t.rand(), nonce); err != nil {
		return nil, err
	}
	nonce[0] &= 0x7f // RFC 9058, Section 4.1

	t.mu.Lock()
	defer t.mu.Unlock()
	key, err := t.sealingKey(now)
	if err != nil {
		return nil, err
	}
	if end := s.expires(); end.After(key.openUntil) {
		key.openUntil = end
	}
	ticket := make([]byte, 0, len(plain)+ticketOverhead)
	ticket = append(ticket, key.id[:]...)
	ticket = append(ticket, nonce...)
	return key.aead.Seal(ticket, nonce, plain, key.additional()), nil
}

// open returns the session of a ticket that these keys sealed, that is alive and not
// revoked. Nobody is told why a ticket does not open.
func (t *TicketKeys) open(ticket []byte, now time.Time) (*session, bool) {
	if len(ticket) <= ticketOverhead || len(ticket) > maxTicketSize {
		return nil, false
	}
	aead, additional, ok := t.openingKey(ticket, now)
	if !ok {
		return nil, false
	}
	nonce, sealed := ticket[ticketKeyIDSize:][:ticketNonceSize], ticket[ticketKeyIDSize+ticketNonceSize:]
	plain, err := aead.Open(nil, nonce, sealed, additional)
	if err != nil {
		return nil, false
	}
	defer clear(plain)
	s, ok := unmarshalSession(plain)
	if !ok || !s.alive(now) || t.isRevoked(s) {
		return nil, false
	}
	return s, true
}

// openingKey returns the cipher of the key that a ticket names.
func (t *TicketKeys) openingKey(ticket []byte, now time.Time) (aead cipher.AEAD, additional []byte, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(now)
	i := slices.IndexFunc(t.keys, func(k *ticketKey) bool { return k.sealed(ticket) })
	if i < 0 {
		return nil, nil, false
	}
	return t.keys[i].aead, t.keys[i].additional(), true
}

// current reports whether a ticket was sealed by the key that seals now. If not, it is
// time for another ticket.
func (t *TicketKeys) current(ticket []byte, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.keys) > 0 && t.keys[0].sealed(ticket) && now.Before(t.keys[0].sealUntil)
}

func (t *TicketKeys) isRevoked(s *session) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.revoked.has(s)
}

// sealingKey returns the key that seals now, a new one if it is time.
func (t *TicketKeys) sealingKey(now time.Time) (*ticketKey, error) {
	t.forget(now)
	if len(t.keys) > 0 && now.Before(t.keys[0].sealUntil) {
		return t.keys[0], nil
	}
	var fresh [ticketKeyIDSize + kuznyechik.KeySize]byte
	defer clear(fresh[:])
	if _, err := io.ReadFull(t.rand(), fresh[:]); err != nil {
		return nil, err
	}
	key, err := newTicketKey(fresh[:ticketKeyIDSize], fresh[ticketKeyIDSize:])
	if err != nil {
		return nil, err
	}
	key.sealUntil = now.Add(valueOr(t.Rotation, DefaultTicketRotation))
	t.keys = slices.Insert(t.keys, 0, key)
	return key, nil
}

// forget wipes the keys that neither seal nor open any more.
func (t *TicketKeys) forget(now time.Time) {
	t.keys = slices.DeleteFunc(t.keys, func(k *ticketKey) bool {
		over := !now.Before(k.sealUntil) && !now.Before(k.openUntil)
		if over {
			k.wipe()
		}
		return over
	})
}

// Forget wipes the keys that are not used any more, and drops what was revoked and has
// expired. Every use of the keys does the same; call it now and then so that an idle
// server does not keep old keys.
func (t *TicketKeys) Forget(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(now)
	t.revoked.forget(now)
}

// Revoke makes every ticket of a session useless, as logout must. It is remembered
// until the tickets expire.
func (t *TicketKeys) Revoke(handle SessionHandle, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.revoked.add(handle, now)
}

// maxRevoked bounds how many revoked sessions are remembered; one takes some 50 bytes.
const maxRevoked = 1 << 16

// revocations remembers the sessions that were revoked. Its size is bounded: when it is
// full, all sessions that exist at that moment count as revoked. The zero value is ready
// to use.
type revocations struct {
	until map[SessionHandle]time.Time // when the last ticket of the session has expired

	// before is when all sessions were revoked.
	before time.Time
}

func (r *revocations) add(handle SessionHandle, now time.Time) {
	if handle.IsZero() {
		return
	}
	if len(r.until) >= maxRevoked {
		r.forget(now)
	}
	if len(r.until) >= maxRevoked {
		r.until, r.before = nil, now
	}
	if r.until == nil {
		r.until = make(map[SessionHandle]time.Time)
	}
	r.until[handle] = now.Add(MaxSessionLifetime + clockSkew)
}

// has reports whether a session was revoked.
func (r *revocations) has(s *session) bool {
	_, revoked := r.until[s.handle]
	return revoked || (!r.before.IsZero() && !s.created.After(r.before))
}

// forget drops the sessions that have expired anyway.
func (r *revocations) forget(now time.Time) {
	for handle, until := range r.until {
		if !now.Before(until) {
			delete(r.until, handle)
		}
	}
}

// keysFormat begins what Export writes.
const keysFormat = "propusk ticket keys 1\n"

// Export returns the keys that are in use now, for Import by other servers that are to
// open the tickets of this one. It holds secrets: whoever reads it can read the
// connections of these sessions. Export again after each Rotation, sooner than that.
// What was revoked is not part of it: with Config.Resume servers can ask a store of
// their own.
//
// The error is a failure of the random source, when a first key has to be made.
func (t *TicketKeys) Export(now time.Time) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := t.sealingKey(now); err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddBytes([]byte(keysFormat))
	for _, k := range t.keys {
		// The others may seal until the end, tickets that live long.
		k.openUntil = k.sealUntil.Add(MaxSessionLifetime)
		b.AddBytes(k.id[:])
		b.AddBytes(k.key[:])
		b.AddUint64(uint64(k.sealUntil.UnixMilli()))
	}
	return b.Bytes()
}

// Import replaces the keys by those of another server that Export returned, so that
// both open each other's tickets. Keys that are here and not there still open what they
// sealed. The error is data that Export did not write; nothing is changed then.
func (t *TicketKeys) Import(data []byte, now time.Time) error {
	keys, err := parseTicketKeys(data)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, old := range t.keys {
		if slices.ContainsFunc(keys, func(k *ticketKey) bool { return k.id == old.id }) {
			old.wipe()
			continue
		}
		old.sealUntil = now // the keys of the other server seal from now on
		keys = append(keys, old)
	}
	t.keys = keys
	t.forget(now)
	return nil
}

// maxMillis is the end of the year 9999, in milliseconds since 1970: times beyond it
// would overflow in calculations.
const maxMillis = 253402300799999

// errTicketKeys is the error of Import.
var errTicketKeys = errors.New("gosttls: these are not ticket keys")

// parseTicketKeys reads what Export wrote.
func parseTicketKeys(data []byte) ([]*ticketKey, error) {
	in := cryptobyte.String(data)
	var format []byte
	if !in.ReadBytes(&format, len(keysFormat)) || string(format) != keysFormat || in.Empty() {
		return nil, errTicketKeys
	}
	var keys []*ticketKey
	for !in.Empty() {
		var id, key []byte
		var until uint64
		if !in.ReadBytes(&id, ticketKeyIDSize) || !in.ReadBytes(&key, kuznyechik.KeySize) ||
			!in.ReadUint64(&until) || until > maxMillis {
			return nil, errTicketKeys
		}
		k, err := newTicketKey(id, key)
		if err != nil {
			return nil, err
		}
		k.sealUntil = time.UnixMilli(int64(until))
		k.openUntil = k.sealUntil.Add(MaxSessionLifetime)
		keys = append(keys, k)
	}
	return keys, nil
}
