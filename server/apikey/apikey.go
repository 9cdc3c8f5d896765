// Package apikey says who may use the API and how much: keys that services show as
// bearer tokens (RFC 6750), each with a quota of its own, and a quota by address for
// those who have none.
//
// The server knows keys by their SHA-256 only. A key is 32 random bytes, so that
// nothing slower is needed to keep it from being guessed. Keys are never logged.
package apikey

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"propusk/pki/reason"
	"propusk/server/request"
)

// Anonymous is the id under which clients without a key are counted.
const Anonymous = "anonymous"

// prefix tells people, and programs that look for secrets in repositories, what a
// key is.
const prefix = "propusk_"

// maxKey bounds what is hashed for a stranger, in bytes.
const maxKey = 256

// Digest is the SHA-256 of a key, as the configuration has it.
type Digest [sha256.Size]byte

// Key is who may use the API. Two keys must differ in ID and Digest.
type Key struct {
	// ID names the key in the log and in metrics.
	ID string
	// Digest is the SHA-256 of the key.
	Digest Digest
	// Quota is what may be done with it.
	Quota Quota
}

// New returns a fresh key and its digest. It needs no error: crypto/rand aborts the
// program when there is no randomness.
func New() (key string, d Digest) {
	var secret [32]byte
	rand.Read(secret[:]) // never fails
	key = prefix + base64.RawURLEncoding.EncodeToString(secret[:])
	return key, sha256.Sum256([]byte(key))
}

// Options is what a Keeper needs; only Required and Observe may be left out.
type Options struct {
	// Keys are the clients that are known.
	Keys []Key
	// Required turns away who has no key.
	Required bool
	// Anonymous is what one IPv4 address, or IPv6 network of 64 bits, may do without
	// a key.
	Anonymous Quota
	// Now returns the time.
	Now func() time.Time
	// Observe is told about each request: the id of the key, [Anonymous] or "" for a
	// key that is not ours; the bytes of its body; and why it was turned away.
	Observe func(id string, bytes int64, why reason.Code)
}

// Keeper lets requests in. It is safe for concurrent use. Make it with NewKeeper.
type Keeper struct {
	opts      Options
	keys      []*client
	strangers *crowd
}

// client is a key and what is left of its quota.
type client struct {
	Key
	meter *meter
}

// NewKeeper returns a Keeper.
func NewKeeper(o Options) *Keeper {
	k := &Keeper{opts: o, strangers: newCrowd(o.Anonymous)}
	for _, key := range o.Keys {
		k.keys = append(k.keys, &client{key, newMeter(key.Quota, o.Now())})
	}
	return k
}

// Admit lets a request of the API in, or says why not: [reason.APIKeyMissing],
// [reason.APIKeyUnknown], or a [*LimitError] with [reason.QuotaExceeded]. The caller
// must call Leave when the request ends.
func (k *Keeper) Admit(r *http.Request) (*Visit, error) {
	token, given, err := tokenOf(r.Header)
	switch {
	case err != nil:
		return nil, k.refuse("", err)
	case !given && k.opts.Required:
		return nil, k.refuse(Anonymous, reason.New(reason.APIKeyMissing, nil))
	case !given:
		return k.AdmitStranger(r)
	}
	c := k.find(token)
	if c == nil {
		return nil, k.refuse("", reason.New(reason.APIKeyUnknown, nil))
	}
	return k.enter(c.ID, c.meter)
}

// AdmitStranger lets a request in under the quota of its address, whatever key it
// has: for pages that people open. The error is that of the quota.
func (k *Keeper) AdmitStranger(r *http.Request) (*Visit, error) {
	return k.enter(Anonymous, k.strangers.meter(request.Network(r.RemoteAddr), k.opts.Now()))
}

func (k *Keeper) enter(id string, m *meter) (*Visit, error) {
	if wait, ok := m.enter(k.opts.Now()); !ok {
		return nil, k.refuse(id, reason.New(reason.QuotaExceeded, &LimitError{After: wait}))
	}
	return &Visit{ID: id, keeper: k, meter: m}, nil
}

func (k *Keeper) refuse(id string, err error) error {
	k.observe(id, 0, reason.Of(err))
	return err
}

func (k *Keeper) observe(id string, bytes int64, why reason.Code) {
	if k.opts.Observe != nil {
		k.opts.Observe(id, bytes, why)
	}
}

// find compares with every key, so that the time says nothing about which ones there
// are.
func (k *Keeper) find(token string) *client {
	d := sha256.Sum256([]byte(token))
	var found *client
	for _, c := range k.keys {
		if subtle.ConstantTimeCompare(d[:], c.Digest[:]) == 1 {
			found = c
		}
	}
	return found
}

// tokenOf returns the key of a request, from one of the two headers that may hold it.
// Two different ones are one too many.
func tokenOf(h http.Header) (token string, given bool, err error) {
	bearer, plain := h.Values("Authorization"), h.Values("X-Api-Key")
	if len(bearer)+len(plain) == 0 {
		return "", false, nil
	}
	if len(bearer)+len(plain) > 1 {
		return "", true, reason.Errorf(reason.APIKeyUnknown, "the key is given more than once")
	}
	if len(plain) == 1 {
		token = plain[0]
	} else {
		scheme, rest, _ := strings.Cut(bearer[0], " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return "", true, reason.Errorf(reason.APIKeyUnknown, "the scheme of the Authorization header must be Bearer")
		}
		token = strings.TrimLeft(rest, " ")
	}
	if token == "" || len(token) > maxKey {
		return "", true, reason.Errorf(reason.APIKeyUnknown, "the key is empty or too long")
	}
	return token, true, nil
}

// Visit is one request that was let in. It belongs to the goroutine of the request.
type Visit struct {
	// ID is the id of the key, or [Anonymous].
	ID string

	keeper *Keeper
	meter  *meter
	bytes  int64
	left   bool
}

// Took counts n bytes of the body. A request that is under way may overdraw the
// quota; those that come later wait for it.
func (v *Visit) Took(n int64) {
	v.bytes += n
	v.meter.took(n)
}

// Leave ends the visit. Further calls do nothing.
func (v *Visit) Leave() {
	if !v.left {
		v.left = true
		v.meter.leave()
		v.keeper.observe(v.ID, v.bytes, "")
	}
}

// LimitError says how long a client must wait.
type LimitError struct {
	// After is the time after which the request may pass, more than zero.
	After time.Duration
}

// Error implements error.
func (e *LimitError) Error() string {
	return fmt.Sprintf("try again in %d s", e.Seconds())
}

// Seconds is After in whole seconds, at least one: the value of the Retry-After
// header. RFC 9110, Section 10.2.3.
func (e *LimitError) Seconds() int64 { return max(1, int64(math.Ceil(e.After.Seconds()))) }

// RetryAfter returns for how many seconds the client must wait, and false if err is
// not about a quota.
func RetryAfter(err error) (seconds int64, ok bool) {
	limit, ok := errors.AsType[*LimitError](err)
	if !ok {
		return 0, false
	}
	return limit.Seconds(), true
}
