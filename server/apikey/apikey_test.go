package apikey

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"propusk/pki/reason"
)

// bench is a keeper with a clock of its own and what it observed.
type bench struct {
	*Keeper
	now      time.Time
	observed []string
}

func newBench(t *testing.T, o Options) *bench {
	t.Helper()
	b := &bench{now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}
	o.Now = func() time.Time { return b.now }
	o.Observe = func(id string, _ int64, why reason.Code) { b.observed = append(b.observed, id+":"+string(why)) }
	b.Keeper = NewKeeper(o)
	return b
}

func ask(headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/api/v1/verify", nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func TestNew(t *testing.T) {
	one, digest := New()
	two, _ := New()
	if one == two || !strings.HasPrefix(one, "propusk_") || len(one) != len("propusk_")+43 {
		t.Errorf("%q, %q", one, two)
	}
	if digest != sha256.Sum256([]byte(one)) {
		t.Error("the digest is of something else")
	}
}

// TestWhoIsLetIn: a key counts in either header, once, whole and as it is.
func TestWhoIsLetIn(t *testing.T) {
	key, digest := New()
	other, otherDigest := New()
	keys := []Key{{ID: "first", Digest: otherDigest}, {ID: "second", Digest: digest}}
	for name, c := range map[string]struct {
		headers  []string
		required bool
		id       string
		why      reason.Code
	}{
		"bearer":             {[]string{"Authorization", "Bearer " + key}, true, "second", ""},
		"bearer, lower case": {[]string{"Authorization", "bearer  " + key}, true, "second", ""},
		"plain":              {[]string{"X-Api-Key", other}, true, "first", ""},
		"none":               {nil, false, Anonymous, ""},
		"none, but wanted":   {nil, true, Anonymous, reason.APIKeyMissing},
		"wrong":              {[]string{"Authorization", "Bearer " + key + "x"}, false, "", reason.APIKeyUnknown},
		"shorter":            {[]string{"Authorization", "Bearer " + key[:len(key)-1]}, false, "", reason.APIKeyUnknown},
		"empty":              {[]string{"X-Api-Key", ""}, false, "", reason.APIKeyUnknown},
		"empty bearer":       {[]string{"Authorization", "Bearer "}, false, "", reason.APIKeyUnknown},
		"basic":              {[]string{"Authorization", "Basic " + key}, false, "", reason.APIKeyUnknown},
		"no scheme":          {[]string{"Authorization", key}, false, "", reason.APIKeyUnknown},
		"twice":              {[]string{"Authorization", "Bearer " + key, "Authorization", "Bearer " + key}, false, "", reason.APIKeyUnknown},
		"both headers":       {[]string{"Authorization", "Bearer " + key, "X-Api-Key", key}, false, "", reason.APIKeyUnknown},
		"the digest":         {[]string{"X-Api-Key", string(digest[:])}, false, "", reason.APIKeyUnknown},
		"too long":           {[]string{"X-Api-Key", strings.Repeat("x", 1000)}, false, "", reason.APIKeyUnknown},
	} {
		b := newBench(t, Options{Keys: keys, Required: c.required})
		v, err := b.Admit(ask(c.headers...))
		if reason.Of(err) != c.why || (v != nil) != (c.why == "") {
			t.Errorf("%s: %v, want %q", name, err, c.why)
			continue
		}
		if err != nil && strings.Contains(err.Error(), key) {
			t.Errorf("%s: the key is in the error", name)
		}
		if v != nil {
			if v.ID != c.id {
				t.Errorf("%s: let in as %q", name, v.ID)
			}
			v.Leave()
			v.Leave() // once is enough
		}
		if want := c.id + ":" + string(c.why); len(b.observed) != 1 || b.observed[0] != want {
			t.Errorf("%s: observed %q, want %q", name, b.observed, want)
		}
	}
}

func TestRequests(t *testing.T) {
	b := newBench(t, Options{Anonymous: Quota{Requests: 3}})
	for range 3 {
		v, err := b.Admit(ask())
		if err != nil {
			t.Fatal(err)
		}
		v.Leave()
	}
	_, err := b.Admit(ask())
	seconds, ok := RetryAfter(err)
	if reason.Of(err) != reason.QuotaExceeded || !ok || seconds != 20 {
		t.Fatalf("the fourth: %v, %d", err, seconds)
	}
	b.now = b.now.Add(19 * time.Second)
	if _, err := b.Admit(ask()); err == nil {
		t.Error("let in too early")
	}
	b.now = b.now.Add(time.Second)
	if _, err := b.Admit(ask()); err != nil {
		t.Errorf("after Retry-After: %v", err)
	}
	b.now = b.now.Add(-time.Hour)
	if _, err := b.Admit(ask()); err == nil {
		t.Error("a clock that goes back earns requests")
	}
}

// TestBytes: one request may overdraw, the next ones wait until the debt is paid.
func TestBytes(t *testing.T) {
	b := newBench(t, Options{Anonymous: Quota{Bytes: 600}})
	v, err := b.Admit(ask())
	if err != nil {
		t.Fatal(err)
	}
	v.Took(1000)
	v.Took(200)
	v.Leave()
	if seconds, ok := RetryAfter(errorOf(b.Admit(ask()))); !ok || seconds != 61 {
		t.Errorf("a debt of 600 bytes: %d, %v", seconds, ok)
	}
	b.now = b.now.Add(61 * time.Second)
	if _, err := b.Admit(ask()); err != nil {
		t.Error(err)
	}
}

func errorOf(_ *Visit, err error) error { return err }

func TestConcurrent(t *testing.T) {
	b := newBench(t, Options{Anonymous: Quota{Concurrent: 2}})
	first, err1 := b.Admit(ask())
	second, err2 := b.Admit(ask())
	if errors.Join(err1, err2) != nil {
		t.Fatal(err1, err2)
	}
	if seconds, ok := RetryAfter(errorOf(b.Admit(ask()))); !ok || seconds != 1 {
		t.Errorf("the third: %d, %v", seconds, ok)
	}
	first.Leave()
	first.Leave()
	if v, err := b.Admit(ask()); err != nil {
		t.Errorf("after one left: %v", err)
	} else if _, err := b.Admit(ask()); err == nil {
		t.Error("leaving twice made two places")
	} else {
		v.Leave()
	}
	second.Leave()
}

// TestQuotasAreApart: one client does not use up what belongs to another.
func TestQuotasAreApart(t *testing.T) {
	key, digest := New()
	b := newBench(t, Options{Keys: []Key{{ID: "a", Digest: digest, Quota: Quota{Requests: 1}}}, Anonymous: Quota{Requests: 1}})
	from := func(remote string, headers ...string) error {
		r := ask(headers...)
		r.RemoteAddr = remote
		_, err := b.Admit(r)
		return err
	}
	for i, c := range []struct {
		remote string
		want   bool
	}{
		{"192.0.2.1:1", true}, {"192.0.2.1:2", false}, {"192.0.2.2:1", true}, {"[::ffff:192.0.2.2]:1", false},
		{"[2001:db8::1]:1", true}, {"[2001:db8::2]:1", false}, {"[2001:db8:0:1::2]:1", true}, {"@", true}, {"?", false},
	} {
		if err := from(c.remote); (err == nil) != c.want {
			t.Errorf("%d, %s: %v", i, c.remote, err)
		}
	}
	if err := from("192.0.2.1:1", "X-Api-Key", key); err != nil {
		t.Errorf("the key pays for its address: %v", err)
	}
	if err := from("192.0.2.99:1", "X-Api-Key", key); err == nil {
		t.Error("the quota of a key is that of an address")
	}
}

// TestCrowd: meters of clients that went away are forgotten, those in debt are not,
// and there is an end to their number.
func TestCrowd(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	c := newCrowd(Quota{Requests: 1})
	address := func(i int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32)
	}
	for i := range maxStrangers + 5 {
		m := c.meter(address(i), now)
		m.enter(now)
		m.leave()
	}
	if len(c.meters) != maxStrangers || c.rest == nil || c.meter(address(maxStrangers+9), now) != c.rest {
		t.Errorf("%d meters", len(c.meters))
	}
	if _, ok := c.meter(address(7), now).enter(now); ok {
		t.Error("a full crowd forgets its debts")
	}
	later := now.Add(2 * time.Minute)
	c.meter(address(maxStrangers+9), later)
	if len(c.meters) != 1 {
		t.Errorf("%d meters after a while", len(c.meters))
	}
	free := newCrowd(Quota{})
	if free.meter(address(1), now); len(free.meters) != 0 {
		t.Error("what has no limit is measured")
	}
}

// TestManyAtOnce counts under load: of 1000 requests at once no more are let in than
// the quota allows.
func TestManyAtOnce(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	k := NewKeeper(Options{Anonymous: Quota{Requests: 50}, Now: func() time.Time { return now }})
	var in sync.Map
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			if v, err := k.Admit(ask()); err == nil {
				in.Store(i, true)
				v.Took(1)
				v.Leave()
			}
		})
	}
	all.Wait()
	n := 0
	in.Range(func(any, any) bool { n++; return true })
	if n != 50 {
		t.Errorf("%d were let in", n)
	}
}
