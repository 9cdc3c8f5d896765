package login

import (
	"errors"
	"time"

	"propusk/pki/reason"
	"propusk/server/throttle"
)

// Purposes of attempts.
const (
	byPassword = "password"
	bySecond   = "second"
	byLetter   = "letter"
	byRecovery = "recovery"
)

// rules returns the budgets of a purpose. A budget is for what fails: who is right gets it
// back, but for letters, which are written in either case. How far a guesser gets by them is in
// docs/LOGIN.md, and TestOdds keeps both the same.
func rules(purpose string) throttle.Rules {
	const hour = time.Hour
	switch purpose {
	case bySecond, byLetter:
		return throttle.Rules{
			Device: throttle.Budget{Burst: 5, Refill: hour}, Known: throttle.Budget{Burst: 30, Refill: 24 * hour},
			Pair: throttle.Budget{Burst: 5, Refill: hour}, Near: throttle.Budget{Burst: 10, Refill: 24 * hour},
			Network: throttle.Budget{Burst: 40, Refill: hour}, Around: throttle.Budget{Burst: 120, Refill: hour},
			Login: throttle.Budget{Burst: 15, Refill: 24 * hour},
		}
	case byRecovery:
		return throttle.Rules{
			Device: throttle.Budget{Burst: 5, Refill: hour}, Known: throttle.Budget{Burst: 30, Refill: 24 * hour},
			Pair: throttle.Budget{Burst: 5, Refill: hour}, Near: throttle.Budget{Burst: 20, Refill: 24 * hour},
			Network: throttle.Budget{Burst: 20, Refill: hour}, Around: throttle.Budget{Burst: 60, Refill: hour},
			Login: throttle.Budget{Burst: 50, Refill: 24 * hour},
		}
	default:
		return throttle.Rules{
			Device: throttle.Budget{Burst: 10, Refill: hour / 2}, Known: throttle.Budget{Burst: 60, Refill: hour},
			Pair: throttle.Budget{Burst: 5, Refill: hour / 4}, Near: throttle.Budget{Burst: 20, Refill: 24 * hour},
			Network: throttle.Budget{Burst: 40, Refill: hour / 4}, Around: throttle.Budget{Burst: 120, Refill: hour / 4},
			Login: throttle.Budget{Burst: 60, Refill: 24 * hour},
		}
	}
}

// asRefused finds the refusal of a throttle in an error.
func asRefused(err error) (*throttle.Refused, bool) {
	return errors.AsType[*throttle.Refused](err)
}

// limited gives a refusal of a throttle the reason that people are told; other errors stay.
func limited(purpose string, err error) error {
	refused, ok := asRefused(err)
	if !ok {
		return err
	}
	code := reason.LoginThrottled
	switch {
	case purpose == bySecond:
		code = reason.LoginCodeAttempts
	case purpose == byLetter:
		code = reason.LoginCodeSent
	case purpose == byRecovery:
		code = reason.LoginRecoveryAttempts
	case refused.Login:
		code = reason.LoginStrangers
	}
	return reason.New(code, refused)
}
