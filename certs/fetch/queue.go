package fetch

import (
	"context"
	"sync"
)

// queue lets so many in at once, and fewer to one host: a host that hangs must not
// take all places. It is safe for concurrent use.
type queue struct {
	places  chan struct{}
	perHost int

	mu    sync.Mutex
	hosts map[string]*lane
}

// lane is the queue before one host. It is forgotten with the last who uses it.
type lane struct {
	places chan struct{}
	users  int
}

func newQueue(all, perHost int) *queue {
	return &queue{places: make(chan struct{}, all), perHost: perHost, hosts: make(map[string]*lane)}
}

// enter waits for a place, or for the end of ctx. Whoever waits for a host takes no
// place from others.
func (q *queue) enter(ctx context.Context, host string) (leave func(), err error) {
	l := q.lane(host)
	select {
	case l.places <- struct{}{}:
	case <-ctx.Done():
		q.drop(host, l)
		return nil, ctx.Err()
	}
	select {
	case q.places <- struct{}{}:
	case <-ctx.Done():
		<-l.places
		q.drop(host, l)
		return nil, ctx.Err()
	}
	return func() {
		<-q.places
		<-l.places
		q.drop(host, l)
	}, nil
}

func (q *queue) lane(host string) *lane {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.hosts[host]
	if l == nil {
		l = &lane{places: make(chan struct{}, q.perHost)}
		q.hosts[host] = l
	}
	l.users++
	return l
}

func (q *queue) drop(host string, l *lane) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l.users--; l.users == 0 {
		delete(q.hosts, host)
	}
}
