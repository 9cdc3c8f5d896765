package revocation

import "time"

// How long a server is left alone. One that fails once in a while is asked again at
// once; one that is dead costs every verdict the time of a connection.
const (
	tolerated = 3 // failures in a row before a server is left alone
	firstRest = 30 * time.Second
	longRest  = 30 * time.Minute
	// jitter is the part of a rest that is left to chance, so that many gateways do
	// not come back to a server in one moment.
	jitter = 0.5
	// maxServers is how many failing servers are remembered.
	maxServers = 4096
)

// server is one address that has failed lately.
type server struct {
	failures int
	until    time.Time // it is left alone
}

// breaker knows which servers are left alone. It is not safe for concurrent use.
type breaker struct {
	servers map[string]*server
	random  func() float64 // in [0, 1)
}

// allow reports whether a server may be asked. When its rest is over one question
// goes through, and others wait for how it ends.
func (b *breaker) allow(url string, now time.Time) bool {
	s := b.servers[url]
	if s == nil || s.failures < tolerated {
		return true
	}
	if now.Before(s.until) {
		return false
	}
	s.until = now.Add(firstRest)
	return true
}

// succeeded forgets the failures of a server.
func (b *breaker) succeeded(url string) { delete(b.servers, url) }

// failed counts a failure; from some on, each doubles the rest.
func (b *breaker) failed(url string, now time.Time) {
	s := b.servers[url]
	if s == nil {
		if len(b.servers) >= maxServers {
			clear(b.servers)
		}
		s = new(server)
		b.servers[url] = s
	}
	s.failures++
	if s.failures < tolerated {
		return
	}
	rest := longRest
	if doublings := s.failures - tolerated; doublings < 10 {
		rest = min(rest, firstRest<<doublings)
	}
	s.until = now.Add(rest - time.Duration(jitter*b.random()*float64(rest)))
}

// resting counts the servers that are left alone.
func (b *breaker) resting(now time.Time) int {
	n := 0
	for _, s := range b.servers {
		if s.failures >= tolerated && now.Before(s.until) {
			n++
		}
	}
	return n
}
