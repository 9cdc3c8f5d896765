package config

import (
	"time"
)

// Registration is how people open accounts by a certificate. There is none without accounts,
// and none if signin.methods has neither agent nor plugin: nobody could sign the agreement.
type Registration struct {
	// Agreement is a file with the text that people sign, a template; empty is a text of our
	// own.
	Agreement string `yaml:"agreement"`

	// Life is how long a person may take from his key to his password.
	Life time.Duration `yaml:"life"`

	// LinkLife is how long the link of a letter is good.
	LinkLife time.Duration `yaml:"link_life"`

	// ActivateWithin is how long an account waits for its link before it is forgotten.
	ActivateWithin time.Duration `yaml:"activate_within"`

	// Letters is how many letters with links a person gets within 24 hours.
	Letters int `yaml:"letters"`

	// CheckDays is what people are told of how long it takes until somebody has compared
	// their data by hand; CheckWorkingDays says that only working days count.
	CheckDays        int  `yaml:"check_days"`
	CheckWorkingDays bool `yaml:"check_working_days"`

	// Register is the register of entrepreneurs.
	Register Register `yaml:"register"`
}

// Register is the register of entrepreneurs: a file, or a service of the operator. Without
// either, certificates are believed.
type Register struct {
	// File has an entry in JSON a line.
	File string `yaml:"file"`

	// URL is where the service is asked.
	URL string `yaml:"url"`

	// TokenFile is a file with what proves to the service who asks; empty is nothing.
	TokenFile string `yaml:"token_file"`

	// Timeout is how long its answer may take.
	Timeout time.Duration `yaml:"timeout"`
}

func defaultRegistration() Registration {
	return Registration{
		Life: time.Hour, LinkLife: 72 * time.Hour, ActivateWithin: 30 * 24 * time.Hour, Letters: 5,
		CheckDays: 15, CheckWorkingDays: true, Register: Register{Timeout: 5 * time.Second},
	}
}

// Registers reports whether people can open accounts by a certificate.
func (c Config) Registers() bool { return c.Accounts.Kept() && c.SignIn.Challenges() }

func (k *checker) registration(r Registration) {
	k.span("registration.life", r.Life, 10*time.Minute, 24*time.Hour)
	k.span("registration.link_life", r.LinkLife, 2*time.Hour, 30*24*time.Hour)
	k.span("registration.activate_within", r.ActivateWithin, r.LinkLife, 366*24*time.Hour)
	k.that(r.Letters >= 1 && r.Letters <= 100, "registration.letters", "must be between 1 and 100")
	k.that(r.CheckDays >= 1 && r.CheckDays <= 365, "registration.check_days", "must be between 1 and 365")
	k.that(r.Register.File == "" || r.Register.URL == "", "registration.register.url", "must be empty if registration.register.file is set")
	k.that(r.Register.URL == "" || redirect(r.Register.URL), "registration.register.url", "must be https://, or http:// on a loopback address: it is asked about people")
	k.that(r.Register.TokenFile == "" || r.Register.URL != "", "registration.register.token_file", "needs registration.register.url")
	k.span("registration.register.timeout", r.Register.Timeout, 100*time.Millisecond, time.Minute)
}
