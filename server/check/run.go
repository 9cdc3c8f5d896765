package check

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"propusk/pki/reason"
	"propusk/server/request"
	"propusk/server/session"
)

// runLife is how long a run is kept, findingLife how long the sign-in host's answer waits
// for the browser that carries it, or a run that moves to another host.
const (
	runLife     = time.Hour
	findingLife = 2 * time.Minute
)

// run is a check under way. Its key is in addresses; what is added to it about a certificate
// comes with the cookie of the browser that began, so that whoever lures a person into
// showing his certificate learns nothing of it.
type run struct {
	key   string
	from  netip.Prefix
	began time.Time

	mu      sync.Mutex
	host    string   // URL of the host that it is on
	browser [32]byte // SHA-256 of the cookie
	facts   Facts
	result  string // code of the result that was made of the facts whose digest this is
	digest  [32]byte

	// found is what the sign-in host has seen last, on its way to the host of the run; moves
	// has no holder, and is the run itself on its way to the public host.
	found, moves finding
}

// finding is on its way, with the browser, under a key that is good once.
type finding struct {
	key    string
	until  time.Time
	holder *Holder
}

// take uses a finding up if the key is its own.
func (f *finding) take(key string, now time.Time) bool {
	if f.key == "" || !now.Before(f.until) || subtle.ConstantTimeCompare([]byte(key), []byte(f.key)) != 1 {
		return false
	}
	*f = finding{}
	return true
}

// move takes a run to another host, where it belongs to the browser that has brought the key.
func (r *run) move(host, key string, now time.Time, browser func() [32]byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.moves.take(key, now) {
		return reason.New(reason.CheckRunUnknown, nil)
	}
	r.host, r.browser, r.facts.Cookies = host, browser(), ""
	return nil
}

// runs keeps runs.
type runs struct {
	store *session.Store[*run]
	room  *room
	now   func() time.Time
}

func newRuns(limit int, now func() time.Time) *runs {
	return &runs{
		store: session.New[*run](limit, runLife, now), room: newRoom(limit, limit, runLife, now), now: now,
	}
}

// begin keeps a new run.
func (s *runs) begin(host string, browser [32]byte, from netip.Prefix) (*run, error) {
	if err := s.room.enter(from); err != nil {
		return nil, err
	}
	r := &run{key: session.NewKey(), host: host, browser: browser, from: from, began: s.now()}
	if !s.store.PutAs(r.key, r) {
		return nil, reason.Errorf(reason.ServerBusy, "too many checks are under way")
	}
	return r, nil
}

// room bounds what one address, and all together, make within a time. One address gets in
// while it has less than is left free, and less than each; and the network around it twice as
// much, so that nobody takes all the room, and not from his neighbours either.
type room struct {
	limit, each int
	life        time.Duration
	now         func() time.Time

	mu     sync.Mutex
	counts map[netip.Prefix]int
	queue  []coming // the oldest first
}

// coming is one thing that an address made.
type coming struct {
	from netip.Prefix
	at   time.Time
}

func newRoom(limit, each int, life time.Duration, now func() time.Time) *room {
	return &room{limit: limit, each: each, life: life, now: now, counts: make(map[netip.Prefix]int)}
}

// enter lets an address make one more, or not with [reason.ServerBusy].
func (r *room) enter(from netip.Prefix) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	for len(r.queue) > 0 && now.Sub(r.queue[0].at) >= r.life {
		old := r.queue[0].from
		r.count(old, -1)
		r.count(around(old), -1)
		r.queue = r.queue[1:]
	}
	free, near := r.limit-len(r.queue), r.counts[around(from)]
	if n := r.counts[from]; n >= r.each || n >= free || near/2 >= free || near/neighbours >= r.each {
		return reason.Errorf(reason.ServerBusy, "too many checks or results of this address, or of all")
	}
	r.count(from, 1)
	r.count(around(from), 1)
	r.queue = append(r.queue, coming{from, now})
	return nil
}

func (r *room) count(from netip.Prefix, by int) {
	if r.counts[from] += by; r.counts[from] <= 0 {
		delete(r.counts, from)
	}
}

// neighbours is how many addresses of one network may each make as many as one may.
const neighbours = 8

// around is the network around that of an address: 256 addresses of IPv4, 48 bits of IPv6,
// which anybody can have. What is no network is around nothing.
func around(n netip.Prefix) netip.Prefix {
	bits := 48
	if n.Addr().Is4() {
		bits = 24
	}
	wide, err := n.Addr().Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return wide
}

// find returns the run whose key a request has.
func (s *runs) find(r *http.Request) (*run, error) {
	keys := r.URL.Query()["run"]
	if len(keys) == 1 {
		if one, ok := s.store.Get(keys[0]); ok {
			return one, nil
		}
	}
	return nil, reason.New(reason.CheckRunUnknown, nil)
}

// visit finds the run of a request to its own host, and notes whether the browser has
// cookies. One that has none sees the page all the same, which says so; but a run that has
// seen its cookie once is for that browser alone.
func (s *runs) visit(r *http.Request, host string) (one *run, bound bool, err error) {
	one, err = s.find(r)
	if err != nil {
		return nil, false, err
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.host != host {
		return nil, false, reason.Errorf(reason.CheckOtherBrowser, "the run is on another host")
	}
	digest, has := cookieOf(r)
	bound = has && subtle.ConstantTimeCompare(digest[:], one.browser[:]) == 1
	switch {
	case bound:
		one.facts.Cookies = cookiesOn
	case has || one.facts.Cookies == cookiesOn:
		return nil, false, reason.New(reason.CheckOtherBrowser, nil)
	default:
		one.facts.Cookies = cookiesOff
	}
	return one, bound, nil
}

// own is visit for what only the browser that began may do.
func (s *runs) own(r *http.Request, host string) (*run, error) {
	one, bound, err := s.visit(r, host)
	if err == nil && !bound {
		err = reason.Errorf(reason.CheckOtherBrowser, "the browser has no cookie")
	}
	return one, err
}

// Names of the cookie. Browsers take the first over TLS only, and from this very host.
const (
	secureCookie = "__Host-propusk-check"
	plainCookie  = "propusk-check"
)

func overTLS(r *http.Request) bool { return request.ConnectionFrom(r.Context()).Kind != kindNone }

func cookieName(r *http.Request) string {
	if overTLS(r) {
		return secureCookie
	}
	return plainCookie
}

// cookieOf returns the SHA-256 of the cookie of a browser, and false if there is none.
func cookieOf(r *http.Request) ([32]byte, bool) {
	cookies := r.CookiesNamed(cookieName(r))
	if len(cookies) != 1 || cookies[0].Value == "" { // two are somebody's trick
		return [32]byte{}, false
	}
	return sha256.Sum256([]byte(cookies[0].Value)), true
}

// bind gives the browser a cookie, unless it has one, and returns its SHA-256.
func bind(w http.ResponseWriter, r *http.Request) [32]byte {
	if digest, ok := cookieOf(r); ok {
		return digest
	}
	value := session.NewKey()
	http.SetCookie(w, &http.Cookie{
		Name: cookieName(r), Value: value, Path: "/", MaxAge: int((2 * runLife).Seconds()),
		Secure: overTLS(r), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return sha256.Sum256([]byte(value))
}

// page is the address of the run on its host.
func (r *run) page(path string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.host + path + "?run=" + url.QueryEscape(r.key)
}

// change changes the facts.
func (r *run) change(f func(*Facts)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.facts)
}

// snapshot returns the facts as they are, with the handshakes that failed since the run
// began.
func (c *Check) snapshot(r *run) Facts {
	r.mu.Lock()
	f := r.facts
	f.PlainHost = strings.HasPrefix(r.host, "http://")
	r.mu.Unlock()
	f.Refused = c.notes.since(r.from, r.began)
	f.Methods = make([]string, len(c.opts.Methods))
	for i, m := range c.opts.Methods {
		f.Methods[i] = string(m)
	}
	return f
}

// saved is a result as it is stored.
type saved struct {
	Version     int       `json:"version"`
	At          time.Time `json:"at"`
	Facts       Facts     `json:"facts"`
	Certificate []byte    `json:"certificate,omitempty"` // DER
}

// resultVersion is that of saved.
const resultVersion = 1

// newSaved makes a result of facts.
func newSaved(f Facts, at time.Time) saved {
	s := saved{Version: resultVersion, At: at, Facts: f}
	if h := f.holder(); h != nil {
		s.Certificate = slices.Clone(h.cert)
	}
	return s
}

// digestOf tells whether facts have changed.
func digestOf(f Facts) ([32]byte, error) {
	data, err := json.Marshal(f)
	return sha256.Sum256(data), err
}
