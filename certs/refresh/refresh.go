// Package refresh keeps trust data fresh: it fetches the list of accredited
// certification authorities and the revocation lists before they are due, has
// them verified, and puts the new snapshot in force while others use the old one.
//
// Nothing that is fetched counts before it was verified: [certs.Store] takes it
// into its state directory only then. Anything else (an empty answer, half a
// list, a list of another CA or one that has expired, a web page) is recorded and
// dropped, and the last good one stays.
package refresh

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"propusk/certs"
	"propusk/certs/fetch"
	"propusk/pki/reason"
)

// Getter gets data from servers; it must be safe for concurrent use. [fetch.Client]
// is one.
type Getter interface {
	Get(ctx context.Context, kind fetch.Kind, url string, last fetch.Version) (fetch.Answer, error)
	// Allow permits the hosts of these addresses, in place of those of the last
	// call.
	Allow(urls []string)
	// Allowed says why an address may not be asked.
	Allowed(url string) error
}

// Options of New. Store and Getter must be set.
type Options struct {
	// Store receives what was fetched; its source must name a state directory.
	Store *certs.Store
	// Getter asks the servers.
	Getter Getter

	// ListURLs are the addresses of the list of accredited CAs, tried in this order.
	// Without any the list is not fetched.
	ListURLs []string
	// CRLURLs are addresses of revocation lists beside those that the list of
	// accredited CAs and certificates name.
	CRLURLs []string
	// NoDiscovered leaves out the addresses that the list and certificates name.
	NoDiscovered bool
	// AllowListed permits the hosts of the addresses of revocation lists that stand
	// in the verified list of accredited CAs.
	AllowListed bool

	// ListInterval is how often the list of accredited CAs is fetched; zero means 6
	// hours.
	ListInterval time.Duration
	// Interval is the longest time between two looks at a revocation list, and
	// MinInterval the shortest, also after a failure; zero means an hour and 5
	// minutes.
	Interval, MinInterval time.Duration
	// Budget is how long all addresses of one list may take together; zero means 2
	// minutes, for the list of accredited CAs 5.
	Budget time.Duration
	// Concurrency is how many lists are fetched at once; zero means 8.
	Concurrency int

	// Reloaded is told what a reload of the snapshot came to; nil means nobody is.
	Reloaded func(error)
	// Log receives failures that are new; nil means nobody listens.
	Log *slog.Logger
	// Now returns the time; nil means time.Now.
	Now func() time.Time
}

// Refresher fetches. It is safe for concurrent use. Make it with New.
type Refresher struct {
	opts   Options
	random func() float64 // in [0, 1)
	tick   time.Duration
	seen   *seen

	pass    chan struct{} // held while a pass runs
	wake    chan struct{} // asks Run to look again
	asked   chan struct{} // asks Run to fetch everything
	mu      sync.Mutex    // of what follows
	list    *target
	crls    map[string]*target
	records []Record
	counts  map[reason.Code]int
	ended   time.Time // the last pass
}

// New returns a Refresher that has fetched nothing yet.
func New(o Options) *Refresher {
	orDuration := func(d *time.Duration, usual time.Duration) {
		if *d <= 0 {
			*d = usual
		}
	}
	orDuration(&o.ListInterval, 6*time.Hour)
	orDuration(&o.Interval, time.Hour)
	orDuration(&o.MinInterval, 5*time.Minute)
	orDuration(&o.Budget, 2*time.Minute)
	if o.Concurrency <= 0 {
		o.Concurrency = 8
	}
	if o.Reloaded == nil {
		o.Reloaded = func(error) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Refresher{
		opts: o, random: rand.Float64, tick: time.Minute, seen: newSeen(),
		pass: make(chan struct{}, 1), wake: make(chan struct{}, 1), asked: make(chan struct{}, 1),
		crls: make(map[string]*target), counts: make(map[reason.Code]int),
	}
	if len(o.ListURLs) > 0 {
		r.list = &target{kind: fetch.TSL, urls: o.ListURLs}
	}
	return r
}

// Run fetches what is due, again and again, until ctx is done; then it returns the
// error of ctx.
//
// There is at least a tick between two passes, so that hundreds of lists that are
// due one after another make a snapshot a minute and not hundreds: whoever resumes
// a TLS session must prove the key again after each.
func (r *Refresher) Run(ctx context.Context) error {
	for all := false; ; {
		_, err := r.do(ctx, all)
		if ctx.Err() != nil {
			return err // any other one was reported
		}
		if all, err = r.sleep(ctx); err != nil {
			return err
		}
	}
}

// sleep waits until something is due, for a tick if something new to fetch comes up
// meanwhile, and not at all once somebody asks for all.
func (r *Refresher) sleep(ctx context.Context) (all bool, err error) {
	began := time.Now()
	timer := time.NewTimer(max(r.tick, r.next().Sub(r.opts.Now())))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-r.asked:
			return true, nil
		case <-r.wake:
			timer.Reset(max(0, r.tick-time.Since(began)))
		case <-timer.C:
			return false, nil
		}
	}
}

// Ask has Run fetch everything now, and does not wait for it.
func (r *Refresher) Ask() {
	select {
	case r.asked <- struct{}{}:
	default: // somebody else has
	}
}

// Refresh fetches everything now, whether it is due or not, and returns what came of
// it. The error is that of putting the new snapshot in force, or of ctx.
func (r *Refresher) Refresh(ctx context.Context) (Summary, error) { return r.do(ctx, true) }

// Summary is what one pass came to, in numbers of lists.
type Summary struct {
	Asked     int `json:"asked"`     // lists whose addresses were tried
	Changed   int `json:"changed"`   // of these, newer ones were taken
	Unchanged int `json:"unchanged"` // of these, nothing newer was there
	Failed    int `json:"failed"`    // of these, no address gave a good one
}

// do makes one pass, and no other at the same time: the list of accredited CAs
// first, because it says where the revocation lists are.
func (r *Refresher) do(ctx context.Context, all bool) (Summary, error) {
	select {
	case r.pass <- struct{}{}:
		defer func() { <-r.pass }()
	case <-ctx.Done():
		return Summary{}, ctx.Err()
	}
	var sum Summary
	var errs []error
	if r.list != nil && (all || r.due(r.list)) {
		errs = append(errs, r.chunk(ctx, []*target{r.list}, &sum))
	}
	r.discover()
	var due []*target
	for _, t := range r.sorted() {
		if all || r.due(t) {
			due = append(due, t)
		}
	}
	// A snapshot for every chunk: what was fetched does not wait for servers that
	// hang.
	size := 4 * r.opts.Concurrency
	for len(due) > 0 && ctx.Err() == nil {
		n := min(size, len(due))
		errs = append(errs, r.chunk(ctx, due[:n], &sum))
		due = due[n:]
	}
	r.discover()
	r.mu.Lock()
	r.ended = r.opts.Now()
	r.mu.Unlock()
	return sum, errors.Join(append(errs, ctx.Err())...)
}

// chunk fetches some lists side by side and puts what has changed in force.
func (r *Refresher) chunk(ctx context.Context, targets []*target, sum *Summary) error {
	results := make([]result, len(targets))
	slots := make(chan struct{}, r.opts.Concurrency)
	var all sync.WaitGroup
	for i, t := range targets {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			results[i] = r.fetch(ctx, t)
		})
	}
	all.Wait()
	changed := false
	for i, t := range targets {
		sum.Asked++
		switch {
		case results[i].failed:
			sum.Failed++
		case results[i].changed:
			sum.Changed++
			changed = true
		default:
			sum.Unchanged++
		}
		r.schedule(t, results[i])
	}
	if !changed {
		return nil
	}
	err := r.opts.Store.Reload(ctx)
	if err == nil || ctx.Err() == nil {
		r.opts.Reloaded(err)
	}
	return err
}
