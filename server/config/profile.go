package config

import "time"

// Profile is what people may do with their accounts, and what keys may.
type Profile struct {
	// EmailLinkLife is how long the link for a new address is good.
	EmailLinkLife time.Duration `yaml:"email_link_life"`

	// ConfirmFor is how long after a sign-in the account may be changed without another one
	// (GU-12).
	ConfirmFor time.Duration `yaml:"confirm_for"`

	// EntrepreneurYears is for how many years somebody who is no entrepreneur any more may
	// still come in as one, as far as a password reaches (IP-29).
	EntrepreneurYears int `yaml:"entrepreneur_years"`
}

func defaultProfile() Profile {
	return Profile{EmailLinkLife: 24 * time.Hour, ConfirmFor: 15 * time.Minute, EntrepreneurYears: 3}
}

func (k *checker) profile(p Profile) {
	k.span("profile.email_link_life", p.EmailLinkLife, 10*time.Minute, 30*24*time.Hour)
	k.span("profile.confirm_for", p.ConfirmFor, time.Minute, 24*time.Hour)
	k.that(p.EntrepreneurYears >= 0 && p.EntrepreneurYears <= 100, "profile.entrepreneur_years", "must be between 0 and 100")
}
