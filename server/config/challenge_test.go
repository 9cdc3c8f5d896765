package config

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestChallengeMistakes(t *testing.T) {
	for field, change := range map[string]func(*Config){
		"signin.methods: must name":              func(c *Config) { c.SignIn.Methods = nil },
		"signin.methods: must be of":             func(c *Config) { c.SignIn.Methods = []string{"sms"} },
		`signin.methods: "agent" is there twice`: func(c *Config) { c.SignIn.Methods = []string{MethodAgent, MethodAgent} },
		"challenge.name":                         func(c *Config) { c.Challenge.Name = "a\nb" },
		"challenge.keys: must name at least":     func(c *Config) { c.Challenge.Keys = nil },
		"challenge.keys: must name at most":      func(c *Config) { c.Challenge.Keys = make([]string, 9) },
		"challenge.keys[0]":                      func(c *Config) { c.Challenge.Keys = []string{""} },
		"challenge.agent_ports: must name":       func(c *Config) { c.Challenge.AgentPorts = nil },
		"challenge.agent_ports: must be":         func(c *Config) { c.Challenge.AgentPorts = []int{0} },
		"challenge.states":                       func(c *Config) { c.Challenge.States = 0 },
		"challenge.orders":                       func(c *Config) { c.Challenge.Orders = 100_001 },
		"oidc.clients[0].name":                   func(c *Config) { c.OIDC.Clients[0].Name = "a\u202eb" },
	} {
		c := parsed(t, string(Sample()))
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "config: "+field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	// Without challenges their keys are not needed, nor a name that can be signed.
	c := parsed(t, string(Sample()))
	c.SignIn.Methods, c.Challenge.Keys, c.OIDC.Clients[0].Name = []string{MethodGOSTTLS}, nil, strings.Repeat("я", 400)
	if err := c.Validate(); err != nil || c.SignIn.Challenges() {
		t.Error(err)
	}
	// Plug-ins need no key: nothing is sent to agents.
	c.SignIn.Methods, c.OIDC.Clients[0].Name = []string{MethodPlugin}, "Кабинет"
	if err := c.Validate(); err != nil || !c.SignIn.Challenges() {
		t.Error(err)
	}
}

func TestChallengeDefaults(t *testing.T) {
	c, d := parsed(t, string(Sample())), Default()
	if c.Challenge.Name != d.Challenge.Name || c.Challenge.States != d.Challenge.States || c.Challenge.Orders != d.Challenge.Orders ||
		len(c.Challenge.AgentPorts) != 3 || c.Challenge.AgentPorts[0] != d.Challenge.AgentPorts[0] {
		t.Error("the sample shows another value than the default")
	}
	if d.SignIn.Challenges() || !d.SignIn.Has(MethodGOSTTLS) {
		t.Error("the default asks people how to sign in")
	}
	c.resolve("/etc/propusk")
	if c.Challenge.Keys[0] != filepath.Join("/etc/propusk", "keys", "challenge.pem") {
		t.Errorf("key %q", c.Challenge.Keys[0])
	}
	found := false
	for _, s := range c.Secrets() {
		found = found || s.Field == "challenge.keys[0]" && s.Path == c.Challenge.Keys[0]
	}
	if !found {
		t.Error("the key is not among the secrets")
	}
}
