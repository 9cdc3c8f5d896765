package config

import "time"

// Check is the environment check page. It is on the public host too.
type Check struct {
	// URL is how browsers reach the page, "http://host[:port]".
	URL string `yaml:"url"`

	// Listen is the address to listen on; empty means that the page is served
	// by somebody else.
	Listen string `yaml:"listen"`

	// Runs is how many checks may be under way at once; each is kept for an hour.
	Runs int `yaml:"runs"`

	// ResultLife is how long a result can be found by its code.
	ResultLife time.Duration `yaml:"result_life"`
}

func defaultCheck() Check { return Check{Runs: 10000, ResultLife: 30 * 24 * time.Hour} }

func (k *checker) check(c Check) {
	k.that(c.Listen == "" || address(c.Listen), "check.listen", "must be host:port, or empty")
	k.that(c.URL == "" || origin(c.URL, "http", "https"), "check.url", "must be http://host[:port] without a path")
	k.that(c.Listen == "" || c.URL != "", "check.url", "must be set when check.listen is")
	k.that(c.Runs >= 1 && c.Runs <= 1_000_000, "check.runs", "must be between 1 and 1000000")
	k.span("check.result_life", c.ResultLife, time.Hour, 366*24*time.Hour)
}
