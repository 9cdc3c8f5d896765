package config

import (
	"slices"
	"time"

	"propusk/pki/person"
)

// Words of Login.SecondFactor.
const (
	secondEnrolled = "enrolled"
	secondPossible = "possible"
)

// Login is sign-in by ИНН and password. There is none without accounts.
type Login struct {
	// SecondFactor is who has to give a second factor at every sign-in by password:
	// "enrolled" is who has set one up; "possible" is everybody with a confirmed address as
	// well, to whom a code goes by e-mail. Services may want it of everybody in either case.
	SecondFactor string `yaml:"second_factor"`

	// MinLength is how many characters a new password has at least.
	MinLength int `yaml:"min_length"`

	// HashMemory is how many KiB one password takes while it is compared (argon2id), and
	// HashPasses how often they are gone through.
	HashMemory int `yaml:"hash_memory"`
	HashPasses int `yaml:"hash_passes"`

	// HashesAtOnce is how many are compared at a time; 0 is one for every processor. Together
	// they take HashesAtOnce times HashMemory, and up to twice that until it is given back.
	HashesAtOnce int `yaml:"hashes_at_once"`

	// HashQueue is how many wait for their turn; who comes then is told that the server is
	// busy.
	HashQueue int `yaml:"hash_queue"`

	// StepLife is how long a sign-in may take from the password to the last code.
	StepLife time.Duration `yaml:"step_life"`

	// CodeLife is how long a code by e-mail is good, LinkLife how long the link of recovery.
	CodeLife time.Duration `yaml:"code_life"`
	LinkLife time.Duration `yaml:"link_life"`

	// DemoINN is the ИНН of the account that the login 000000000000 opens, which must be one
	// of a demo country. Empty: that login opens nothing.
	DemoINN string `yaml:"demo_inn"`
}

func defaultLogin() Login {
	return Login{
		SecondFactor: secondEnrolled, MinLength: 8, HashMemory: 19 << 10, HashPasses: 2, HashQueue: 256,
		StepLife: 15 * time.Minute, CodeLife: 10 * time.Minute, LinkLife: time.Hour,
	}
}

// SecondAlways reports whether whoever can give a second factor has to.
func (l Login) SecondAlways() bool { return l.SecondFactor == secondPossible }

// Demo returns DemoINN; zero if this is no demo.
func (l Login) Demo() person.INN {
	inn, err := person.ParseINN(l.DemoINN)
	if err != nil { // empty: Validate has refused the rest
		return person.INN{}
	}
	return inn
}

func (k *checker) login(l Login) {
	k.that(slices.Contains([]string{secondEnrolled, secondPossible}, l.SecondFactor), "login.second_factor", "must be enrolled or possible")
	k.that(l.MinLength >= 8 && l.MinLength <= 64, "login.min_length", "must be between 8 and 64 characters")
	k.that(l.HashMemory >= 8<<10 && l.HashMemory <= 256<<10, "login.hash_memory", "must be between 8192 and 262144 KiB")
	k.that(l.HashPasses >= 1 && l.HashPasses <= 16, "login.hash_passes", "must be between 1 and 16")
	k.that(l.HashesAtOnce >= 0 && l.HashesAtOnce <= 256, "login.hashes_at_once", "must be between 0 and 256")
	k.that(l.HashQueue >= 1 && l.HashQueue <= 10000, "login.hash_queue", "must be between 1 and 10000")
	k.span("login.step_life", l.StepLife, time.Minute, time.Hour)
	k.span("login.code_life", l.CodeLife, time.Minute, time.Hour)
	k.span("login.link_life", l.LinkLife, 10*time.Minute, 7*24*time.Hour)
	_, err := person.ParseINN(l.DemoINN)
	k.that(l.DemoINN == "" || err == nil, "login.demo_inn", "must be an INN of 12 digits, or empty")
}
