// Package throttle bounds guessing, so that nobody can lock out anybody else by it (GU-03).
//
// Every attempt is paid for before it is looked at, and given back when it was right. Who
// pays depends on where it comes from:
//
//	a browser that has signed in to this account before   its own budget, and that of all such
//	                                                      browsers together
//	any other                                             that of its network for this account,
//	                                                      that of the networks around it for it,
//	                                                      that of its network for all accounts,
//	                                                      that of the networks around it,
//	                                                      that of the account for all strangers
//
// So whoever guesses runs out of what his network may before he uses up what the account has
// for strangers; and if he has many networks and uses that up too, the person still gets in
// from where he has been, by his key, and by recovery, which paves the way for his browser.
//
// Accounts that do not exist have budgets as well: attempts tell nobody which do. Budgets are
// counters of the store under keyed digests, so that they hold for all processes, survive a
// restart, and name neither people nor addresses.
package throttle

import (
	"encoding/hex"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"propusk/server/account"
	"propusk/server/request"
	"propusk/server/store"
)

// Budget is how often something may be tried in vain: Burst times at once, and then as often
// as Refill allows, which is how long it takes until Burst attempts are there again. It must
// have both.
type Budget struct {
	Burst  int
	Refill time.Duration
}

// Rules are the budgets of one purpose.
type Rules struct {
	// Device is that of a browser that has signed in to the account before. Known is that of all
	// of them together: whoever gets cookies for many browsers guesses no more often. Without a
	// Burst there is none.
	Device, Known Budget
	// Pair is that of a network for one account, Network that for all accounts, and Around
	// that of the networks around it: 256 addresses of IPv4, 48 bits of IPv6.
	Pair, Network, Around Budget
	// Near is that of the networks around one for one account: it is a part of Login for the
	// same time, so that whoever has few networks does not use that up. Without a Burst there
	// is none.
	Near Budget
	// Login is that of an account for all strangers together.
	Login Budget
}

// Options is what a Throttle needs.
type Options struct {
	// Sealer keys the names of counters and signs cookies.
	Sealer *account.Sealer
	// Now returns the time.
	Now func() time.Time
}

// Throttle counts attempts. It is safe for concurrent use. Make it with New.
type Throttle struct{ opts Options }

// New returns a Throttle.
func New(o Options) *Throttle { return &Throttle{o} }

// Attempt is one attempt: where it comes from, and at what.
type Attempt struct {
	pays []payment
}

// payment is one budget that an attempt takes from.
type payment struct {
	key    string
	budget Budget
	login  bool // that of an account for strangers
}

// Attempt returns the attempt that a request makes at a login for a purpose, such as
// "password". Any text is a login: it need not exist.
func (t *Throttle) Attempt(r *http.Request, purpose, login string, rules Rules) Attempt {
	if device, ok := t.device(r, login); ok {
		pays := []payment{{t.key(purpose, "device", device), rules.Device, false}}
		if rules.Known.Burst > 0 {
			pays = append(pays, payment{t.key(purpose, "known", login), rules.Known, false})
		}
		return Attempt{pays}
	}
	network := request.Network(r.RemoteAddr)
	near := around(network).String()
	pays := []payment{
		{t.key(purpose, "pair", network.String(), login), rules.Pair, false},
		{t.key(purpose, "network", network.String()), rules.Network, false},
		{t.key(purpose, "around", near), rules.Around, false},
		{t.key(purpose, "login", login), rules.Login, true},
	}
	if rules.Near.Burst > 0 {
		pays = append(pays, payment{t.key(purpose, "near", near, login), rules.Near, false})
	}
	return Attempt{pays}
}

// Bits of the networks around one.
const (
	aroundIPv4 = 24
	aroundIPv6 = 48
)

// around returns the network around one, which often belongs to the same people. What is no
// network is around itself.
func around(n netip.Prefix) netip.Prefix {
	bits := aroundIPv6
	if n.Addr().Is4() {
		bits = aroundIPv4
	}
	wide, err := n.Addr().Prefix(bits)
	if err != nil {
		return n
	}
	return wide
}

// key names a counter: neither a login nor an address can be read or guessed from it.
func (t *Throttle) key(parts ...string) string {
	digest := t.opts.Sealer.Pepper("throttle", strings.Join(parts, "\x00"))
	return parts[0] + "/" + parts[1] + "/" + hex.EncodeToString(digest[:keySize])
}

// keySize is how much of a digest names a counter, in bytes.
const keySize = 16

// Refused says that a budget is used up.
type Refused struct {
	// Wait is until when there is one attempt again.
	Wait time.Duration
	// Login is true if it is the budget of the account for strangers: the attempts came from
	// many networks.
	Login bool
}

// Error implements error.
func (*Refused) Error() string { return "throttle: too many attempts" }

// Begin takes an attempt from its budgets, in a transaction that ends before anything is
// compared: of a thousand attempts at the same moment no more are looked at than the budget
// has. The error is a [*Refused], and nothing is taken then, or that of the store.
func (t *Throttle) Begin(tx store.Tx, a Attempt) error {
	now := t.opts.Now()
	counters := make([]account.Counter, 0, len(a.pays))
	var refused *Refused
	for _, p := range a.pays {
		c, err := tx.Counter(p.key)
		if err != nil {
			return err
		}
		// What is farther away than any budget was written before the clock was set back.
		if c.Until.Before(now) || c.Until.After(now.Add(2*p.budget.Refill)) {
			c.Count, c.Since, c.Until = 0, now, now
		}
		c.Count++
		c.Until = c.Until.Add(p.budget.step())
		if wait := c.Until.Sub(now) - p.budget.Refill; wait > 0 && (refused == nil || wait > refused.Wait) {
			refused = &Refused{Wait: wait, Login: p.login}
		}
		counters = append(counters, c)
	}
	if refused != nil {
		return refused
	}
	for _, c := range counters {
		if err := tx.PutCounter(c); err != nil {
			return err
		}
	}
	return nil
}

// step is how long one attempt is missing. A counter is the moment when its budget is whole
// again (the generic cell rate algorithm): one number, and nothing to be reset.
func (b Budget) step() time.Duration { return b.Refill / time.Duration(b.Burst) }

// Failed settles an attempt that was wrong. What it cost was taken by Begin; but who waits for
// the answer is not to learn from its time what else a caller writes about a login that
// exists, so this is a write always.
func (t *Throttle) Failed(tx store.Tx, a Attempt) error {
	c, err := tx.Counter(a.pays[0].key)
	if err != nil {
		return err
	}
	return tx.PutCounter(c)
}

// Passed gives an attempt back that was right, or that nobody looked at.
func (t *Throttle) Passed(tx store.Tx, a Attempt) error {
	now := t.opts.Now()
	for _, p := range a.pays {
		c, err := tx.Counter(p.key)
		if err != nil {
			return err
		}
		c.Until = c.Until.Add(-p.budget.step())
		c.Count--
		if c.Count <= 0 || !c.Until.After(now) {
			err = tx.DeleteCounter(p.key)
		} else {
			err = tx.PutCounter(c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
