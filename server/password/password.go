// Package password keeps passwords so that neither a stolen store nor a flood of attempts
// gives anything: argon2id (RFC 9106) over a password that was keyed with the pepper of the
// gateway, in a queue that bounds the memory all attempts take together; and judges how
// hard a new password is to guess (PW-06, FL-03, GU-11).
//
// A login that nobody has costs the same work as one that somebody has.
package password

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"propusk/pki/reason"
)

// Limits of parameters. Whoever can write a hash must not choose how much memory it takes.
const (
	minMemory = 8 << 10   // KiB
	maxMemory = 256 << 10 // KiB
	maxTime   = 16
	maxHash   = 256 // bytes of a hash as text
)

const (
	saltSize = 16 // bytes; RFC 9106, Section 3.1
	tagSize  = 32 // bytes
)

// MaxLength is how long a password may be, in bytes of UTF-8. A longer one is no password
// but an attempt to make us compute.
const MaxLength = 512

// Errors of hashes.
var (
	// ErrFormat means that a text is not a hash of this package, or beyond its limits.
	ErrFormat = errors.New("password: not a hash of argon2id")
	// ErrPepper means that a hash was made with another pepper.
	ErrPepper = errors.New("password: the hash was made with another pepper")
)

// Params is the cost of one hash.
type Params struct {
	// Memory is in KiB, from 8 MiB to 256 MiB.
	Memory uint32
	// Time is how many passes are made over it, from 1 to 16.
	Time uint32
}

// DefaultParams are 19 MiB and two passes: the least that OWASP recommends in 2025, and about
// 30 ms of one core.
func DefaultParams() Params { return Params{Memory: 19 << 10, Time: 2} }

// valid reports whether p is within the limits.
func (p Params) valid() bool {
	return p.Memory >= minMemory && p.Memory <= maxMemory && p.Time >= 1 && p.Time <= maxTime
}

// Options is what a Hasher needs.
type Options struct {
	// Params is the cost of a hash; the zero value is DefaultParams.
	Params Params
	// Pepper keys every password, so that the store alone does not let anybody guess; at
	// least 16 bytes, or none. Whoever changes it makes every password worthless.
	Pepper []byte
	// Concurrent is how many hashes are computed at a time, each in Params.Memory; 0 is the
	// number of processors.
	Concurrent int
	// Waiting is how many attempts may wait for their turn; 0 is 256.
	Waiting int
	// Wait is how long one waits at most; 0 is 10 seconds.
	Wait time.Duration
}

// Hasher makes and checks hashes. It is safe for concurrent use: whatever the number of
// callers, at most Concurrent hashes are being computed, so that no flood of attempts takes
// more memory than theirs. Make it with New.
type Hasher struct {
	params Params
	pepper []byte
	keyID  string
	wait   time.Duration
	queue  chan struct{} // places of those who wait and those who compute
	known  chan struct{} // the same for those who are preferred
	line   chan struct{} // who is next, of those who are not
	desks  chan struct{} // places of those who compute
	nobody hash          // that of no password, for logins that do not exist
}

// New returns a Hasher. The error says which option is beyond its limits.
func New(o Options) (*Hasher, error) {
	if o.Params == (Params{}) {
		o.Params = DefaultParams()
	}
	if !o.Params.valid() {
		return nil, fmt.Errorf("password: the cost must be of %d to %d KiB and 1 to %d passes", minMemory, maxMemory, maxTime)
	}
	if len(o.Pepper) > 0 && len(o.Pepper) < 16 {
		return nil, errors.New("password: the pepper must have at least 16 bytes")
	}
	if o.Concurrent <= 0 {
		o.Concurrent = runtime.GOMAXPROCS(0)
	}
	if o.Waiting <= 0 {
		o.Waiting = 256
	}
	if o.Wait <= 0 {
		o.Wait = 10 * time.Second
	}
	h := &Hasher{
		params: o.Params, pepper: o.Pepper, keyID: keyID(o.Pepper), wait: o.Wait,
		queue: make(chan struct{}, o.Concurrent+o.Waiting), known: make(chan struct{}, o.Concurrent+o.Waiting),
		line: make(chan struct{}, o.Concurrent), desks: make(chan struct{}, o.Concurrent),
	}
	h.nobody = hash{params: o.Params, keyID: h.keyID, salt: make([]byte, saltSize), tag: make([]byte, tagSize)}
	rand.Read(h.nobody.salt) // never fails: crypto/rand aborts the program instead
	rand.Read(h.nobody.tag)
	return h, nil
}

// keyID names a pepper in hashes, so that a wrong one is told from a wrong password.
func keyID(pepper []byte) string {
	if len(pepper) == 0 {
		return ""
	}
	mac := hmac.New(sha256.New, pepper)
	mac.Write([]byte("propusk pepper id 1"))
	return base64.RawStdEncoding.EncodeToString(mac.Sum(nil)[:6])
}

// Hash returns the hash of a password with a fresh salt, in the PHC form:
// "$argon2id$v=19$m=19456,t=2,p=1,keyid=…$salt$tag". The error is [reason.ServerBusy] when
// too many wait, or says that the password is longer than MaxLength.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if len(password) > MaxLength {
		return "", fmt.Errorf("password: longer than %d bytes", MaxLength)
	}
	made := hash{params: h.params, keyID: h.keyID, salt: make([]byte, saltSize)}
	rand.Read(made.salt)
	tag, err := h.compute(ctx, password, made)
	if err != nil {
		return "", err
	}
	made.tag = tag
	return made.String(), nil
}

// Verify reports whether a password belongs to a hash, and whether the hash should be made
// anew because the cost has changed since. An empty hash belongs to no password; finding
// that out takes the same work. The error is [reason.ServerBusy], or says that the hash
// cannot be used ([ErrFormat], [ErrPepper]).
func (h *Hasher) Verify(ctx context.Context, text, password string) (ok, again bool, err error) {
	known, broken := h.nobody, error(nil)
	if text != "" {
		if known, broken = parse(text); broken == nil && known.keyID != h.keyID {
			broken = ErrPepper
		}
		if broken != nil {
			known = h.nobody
		}
	}
	if len(password) > MaxLength {
		password = "" // nobody's: the empty password is refused when it is set
	}
	tag, err := h.compute(ctx, password, known)
	if err = errors.Join(broken, err); err != nil {
		return false, false, err
	}
	same := subtle.ConstantTimeCompare(tag, known.tag) == 1
	if text == "" || password == "" || !same {
		return false, false, nil
	}
	return true, known.params != h.params, nil
}

// preferred is the key of the contexts of Prefer.
type preferred struct{}

// Prefer returns a context in which Verify does not wait behind everybody else: for those who
// have been here before, and whose attempts the caller bounds. A flood of others does not make
// it fail.
func Prefer(ctx context.Context) context.Context { return context.WithValue(ctx, preferred{}, true) }

// compute waits for a desk and computes the tag of a hash. Of those who are not preferred no
// more stand before the desks than there are desks.
func (h *Hasher) compute(ctx context.Context, password string, of hash) ([]byte, error) {
	queue := h.queue
	first := ctx.Value(preferred{}) != nil
	if first {
		queue = h.known
	}
	select {
	case queue <- struct{}{}:
		defer func() { <-queue }()
	default:
		return nil, reason.Errorf(reason.ServerBusy, "too many passwords wait to be checked")
	}
	ctx, cancel := context.WithTimeout(ctx, h.wait)
	defer cancel()
	if !first {
		select {
		case h.line <- struct{}{}:
			defer func() { <-h.line }()
		case <-ctx.Done():
			return nil, reason.New(reason.ServerBusy, ctx.Err())
		}
	}
	select {
	case h.desks <- struct{}{}:
		defer func() { <-h.desks }()
	case <-ctx.Done():
		return nil, reason.New(reason.ServerBusy, ctx.Err())
	}
	return argon2.IDKey(h.keyed(password), of.salt, of.params.Time, of.params.Memory, 1, tagSize), nil
}

// keyed returns what is hashed: the password as one form of Unicode, because keyboards
// differ in how they write «й», under the pepper.
func (h *Hasher) keyed(password string) []byte {
	text := norm.NFC.Bytes([]byte(password))
	if len(h.pepper) == 0 {
		return text
	}
	mac := hmac.New(sha256.New, h.pepper)
	mac.Write(text)
	return mac.Sum(nil)
}

// hash is one hash. The Argon2 of this package has one lane always: a second one would save
// time where there is no second core to spare.
type hash struct {
	params    Params
	keyID     string
	salt, tag []byte
}

// String returns the PHC form.
func (v hash) String() string {
	key := ""
	if v.keyID != "" {
		key = ",keyid=" + v.keyID
	}
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1%s$%s$%s", argon2.Version, v.params.Memory, v.params.Time, key,
		base64.RawStdEncoding.EncodeToString(v.salt), base64.RawStdEncoding.EncodeToString(v.tag))
}

// parse reads the PHC form, and nothing but what String writes.
func parse(text string) (hash, error) {
	parts := strings.Split(text, "$")
	if len(text) > maxHash || len(parts) != 6 {
		return hash{}, ErrFormat
	}
	var v hash
	for field := range strings.SplitSeq(parts[3], ",") {
		name, value, _ := strings.Cut(field, "=")
		n, _ := strconv.ParseUint(value, 10, 32) // what is no number does not come out the same
		switch name {
		case "m":
			v.params.Memory = uint32(n)
		case "t":
			v.params.Time = uint32(n)
		case "keyid":
			v.keyID = value
		}
	}
	var err1, err2 error
	v.salt, err1 = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	v.tag, err2 = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(v.salt) != saltSize || len(v.tag) != tagSize || !v.params.valid() || v.String() != text {
		return hash{}, ErrFormat
	}
	return v, nil
}
