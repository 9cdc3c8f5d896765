package admission

import (
	"time"

	"propusk/pki/person"
	"propusk/pki/reason"
	"propusk/server/account"
	"propusk/server/level"
	"propusk/server/visit"
)

// Check reports why an account lets nobody in, by whatever means; nil if it does. The error is
// a reason code.
func Check(acc account.Account) error {
	switch acc.State {
	case account.Active:
		return nil
	case account.Awaiting:
		return reason.AccountAwaiting
	case account.Pending:
		return reason.AccountPending
	case account.Rejected:
		return reason.AccountRejected
	case account.Compromised:
		return reason.AccountKeysCompromised
	case account.Closed:
		return reason.AccountClosed
	case account.Blocked:
		if acc.Why == reason.AccountBlockedBySelf || acc.Why == reason.AccountCardExpired {
			return acc.Why
		}
	}
	return reason.AccountBlocked // and every state that is not known
}

// limitedTo is how far somebody gets who acts for an enterprise that has ended: as far as a
// password and its second factor, whatever he has proven (IP-29, IP-08).
const limitedTo = level.TwoFactor

// Reach returns how far a person gets at a moment who acts for a taxpayer of his account: up
// to a level, [level.QES] being everything. The error is [reason.AccountShut] when years have
// passed since the enterprise ended (IP-29).
func (a *Admission) Reach(acc account.Account, kind person.Kind, at time.Time) (level.Level, error) {
	if kind != person.Entrepreneur || acc.Closed.IsZero() || at.Before(acc.Closed) {
		return level.QES, nil
	}
	if at.Before(a.Until(acc)) {
		return limitedTo, nil
	}
	return level.Open, reason.AccountShut
}

// Until returns until when somebody may come in as an entrepreneur who is none any more.
func (a *Admission) Until(acc account.Account) time.Time {
	return acc.Closed.AddDate(a.opts.EntrepreneurYears, 0, 0)
}

// firstTaxpayer chooses for whom a new visit acts: for the taxpayer that the key proves, or
// with a password for the first who may come in; and lowers the level to what he reaches.
func (a *Admission) firstTaxpayer(acc account.Account, proven string, how *visit.How) (string, error) {
	at := a.opts.Now()
	if t, ok := acc.Taxpayer(proven); ok {
		reach, err := a.Reach(acc, t.Kind, at)
		how.Level = min(how.Level, reach)
		return t.ID, err
	}
	var last error
	for _, t := range acc.Taxpayers {
		reach, err := a.Reach(acc, t.Kind, at)
		if err == nil {
			how.Level = min(how.Level, reach)
			return t.ID, nil
		}
		last = err
	}
	return "", last
}

// keepTaxpayer chooses for whom a visit goes on to act that is raised: for the same, unless he
// reaches less than was proven now for another.
func (a *Admission) keepTaxpayer(acc account.Account, current account.Visit, proven string, how *visit.How) (string, error) {
	t, ok := acc.Taxpayer(proven)
	if !ok { // a password
		return current.Taxpayer, nil
	}
	at := a.opts.Now()
	reach, err := a.Reach(acc, t.Kind, at)
	if err != nil {
		return "", err
	}
	how.Level = min(how.Level, reach)
	active, ok := acc.Taxpayer(current.Taxpayer)
	if !ok {
		return t.ID, nil
	}
	if other, err := a.Reach(acc, active.Kind, at); err != nil || other < how.Level {
		return t.ID, nil
	}
	return active.ID, nil
}
