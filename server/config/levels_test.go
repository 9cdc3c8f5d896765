package config

import (
	"strings"
	"testing"
	"time"
)

func TestVisits(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"visits.life":            func(c *Config) { c.Visits.Life = time.Second },
		"visits.idle":            func(c *Config) { c.Visits.Idle = c.Visits.Life + 1 },
		"backchannel_logout_uri": func(c *Config) { c.OIDC.Clients[0].BackChannelLogoutURI = "http://cabinet.example.ru/" },
	} {
		c := parsed(t, string(sample))
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
