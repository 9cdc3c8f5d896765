package config

import "time"

// Levels says what services want of the people who sign in (BY-03 to BY-08).
type Levels struct {
	// Path is the policy file; see package level. Empty: every service wants a key.
	Path string `yaml:"path"`
}

// Visits are the sessions of people on the public host. There are none without accounts.
type Visits struct {
	// Life is how long a visit lasts at most.
	Life time.Duration `yaml:"life"`
	// Idle is how long it lasts while the gateway hears nothing of the browser.
	Idle time.Duration `yaml:"idle"`
}

func defaultVisits() Visits { return Visits{Life: 12 * time.Hour, Idle: 30 * time.Minute} }

func (k *checker) visits(v Visits) {
	k.span("visits.life", v.Life, time.Minute, 30*24*time.Hour)
	k.span("visits.idle", v.Idle, time.Minute, v.Life)
}
