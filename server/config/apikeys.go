package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
	"strconv"
)

// API says who may use the verify API, and how much.
type API struct {
	// KeyRequired turns away requests under /api/v1 without a key, but for the
	// description of the interface. The page for people stays open.
	KeyRequired bool `yaml:"key_required"`

	// Page switches on the page /verify, where people check a file and its signature.
	Page bool `yaml:"page"`

	// Anonymous is what one IPv4 address, or IPv6 network of 64 bits, may do without
	// a key, on the page /verify as well. Behind a balancer that hides the addresses
	// of clients it is what all of them may do together.
	Anonymous Quota `yaml:"anonymous"`

	// Keys are the services that have a key.
	Keys []APIKey `yaml:"keys"`
}

// Quota is what one client may do. In each field zero means without limit.
type Quota struct {
	// RequestsPerMinute is how many requests a minute are answered on average; as
	// many may come at once.
	RequestsPerMinute int `yaml:"requests_per_minute"`

	// BytesPerMinute is how long all bodies of a minute may be together on average. A
	// longer body is taken, and paid for by waiting afterwards.
	BytesPerMinute int64 `yaml:"bytes_per_minute"`

	// Concurrent is how many requests may be under way at once.
	Concurrent int `yaml:"concurrent"`
}

// APIKey is a service with a key.
type APIKey struct {
	// ID names the key in the log and in metrics: letters, digits, dots, hyphens and
	// underscores.
	ID string `yaml:"id"`

	// SHA256 is the SHA-256 of the key in hexadecimal. `propusk apikey new` makes a
	// key and this entry; the key itself is nowhere in the configuration.
	SHA256 string `yaml:"sha256"`

	Quota `yaml:",inline"`
}

// Digest returns SHA256 as bytes. It is zero for what [Config.Validate] refuses.
func (k APIKey) Digest() (d [sha256.Size]byte) {
	if b, err := hex.DecodeString(k.SHA256); err == nil && len(b) == len(d) {
		copy(d[:], b)
	}
	return d
}

var keyID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Validate reports every mistake at once, as [Config.Validate] does for the whole.
func (a API) Validate() error {
	var k checker
	k.api(a)
	return errors.Join(k.errs...)
}

func (k *checker) api(a API) {
	k.quota("api.anonymous", a.Anonymous)
	ids, digests := map[string]bool{"anonymous": true}, map[[sha256.Size]byte]bool{}
	for i, key := range a.Keys {
		field := "api.keys[" + strconv.Itoa(i) + "]"
		k.that(keyID.MatchString(key.ID), field+".id", "must be 1 to 64 letters, digits, dots, hyphens and underscores")
		k.that(!ids[key.ID], field+".id", "is used twice, or is \"anonymous\"")
		ids[key.ID] = true
		d := key.Digest()
		k.that(d != [sha256.Size]byte{} && key.SHA256 == hex.EncodeToString(d[:]), field+".sha256",
			"must be 64 lower-case hexadecimal digits: the SHA-256 of the key, not the key")
		k.that(!digests[d], field+".sha256", "is used twice")
		digests[d] = true
		k.quota(field, key.Quota)
	}
}

func (k *checker) quota(field string, q Quota) {
	k.that(q.RequestsPerMinute >= 0 && q.RequestsPerMinute <= 10_000_000, field+".requests_per_minute", "must be between 0 (no limit) and 10000000")
	k.that(q.BytesPerMinute >= 0 && q.BytesPerMinute <= 1<<50, field+".bytes_per_minute", "must be between 0 (no limit) and 1125899906842624")
	k.that(q.Concurrent >= 0 && q.Concurrent <= 100_000, field+".concurrent", "must be between 0 (no limit) and 100000")
}
