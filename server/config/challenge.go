package config

import (
	"slices"
	"strconv"

	"propusk/server/signrequest"
)

// The ways to sign in that SignIn.Methods may name.
const (
	// MethodGOSTTLS is the sign-in host: the browser itself proves the key.
	MethodGOSTTLS = "gost-tls"
	// MethodAgent is propusk-agent on the person's machine.
	MethodAgent = "agent"
	// MethodPlugin is a plug-in of a vendor on a page of the public host.
	MethodPlugin = "plugin"
)

// Challenge is sign-in by the signature of a one-time text, and signing for services
// by the same way. It is on when signin.methods has agent or plugin.
type Challenge struct {
	// Name is what agents call this gateway.
	Name string `yaml:"name"`

	// Keys are PEM files with keys on P-256, PKCS#8. The first one signs the requests
	// to agents; all are published, so that a new key is known before it signs, and an
	// old one until its last request is over.
	Keys []string `yaml:"keys"`

	// AgentPorts are the ports on 127.0.0.1 that agents listen on; the first one is
	// offered, the others are when it does not answer.
	AgentPorts []int `yaml:"agent_ports"`

	// States is how many sign-ins and signings may be under way at once. Each may
	// wait for its answer for five minutes.
	States int `yaml:"states"`

	// Orders is how many documents that services want signed are kept at once.
	Orders int `yaml:"orders"`
}

// defaultChallenge is the Challenge of a file that does not mention it.
func defaultChallenge() Challenge {
	return Challenge{Name: "Пропуск", Keys: []string{}, AgentPorts: []int{17446, 27446, 37446}, States: 20000, Orders: 1000}
}

// Has reports whether people may sign in by a method.
func (s SignIn) Has(method string) bool { return slices.Contains(s.Methods, method) }

// Challenges reports whether there is sign-in by challenge.
func (s SignIn) Challenges() bool { return s.Has(MethodAgent) || s.Has(MethodPlugin) }

func (k *checker) challenge(c Config) {
	k.that(len(c.SignIn.Methods) > 0, "signin.methods", "must name at least one way to sign in")
	for i, m := range c.SignIn.Methods {
		k.that(slices.Contains([]string{MethodGOSTTLS, MethodAgent, MethodPlugin}, m), "signin.methods", "must be of gost-tls, agent, plugin")
		k.that(!slices.Contains(c.SignIn.Methods[:i], m), "signin.methods", strconv.Quote(m)+" is there twice")
	}
	ch := c.Challenge
	k.that(signrequest.OneLine(ch.Name), "challenge.name", "must be one line of at most 300 bytes")
	k.that(!c.SignIn.Has(MethodAgent) || len(ch.Keys) > 0, "challenge.keys", "must name at least one file when signin.methods has agent")
	k.that(len(ch.Keys) <= 8, "challenge.keys", "must name at most 8 files")
	for i, file := range ch.Keys {
		k.that(file != "", "challenge.keys["+strconv.Itoa(i)+"]", "must name a file")
	}
	k.that(len(ch.AgentPorts) >= 1 && len(ch.AgentPorts) <= 8, "challenge.agent_ports", "must name 1 to 8 ports")
	for _, p := range ch.AgentPorts {
		k.that(p >= 1 && p <= 65535, "challenge.agent_ports", "must be between 1 and 65535")
	}
	k.that(ch.States >= 1 && ch.States <= 1_000_000, "challenge.states", "must be between 1 and 1000000")
	k.that(ch.Orders >= 1 && ch.Orders <= 100_000, "challenge.orders", "must be between 1 and 100000")
	if c.SignIn.Challenges() {
		for i, client := range c.OIDC.Clients {
			k.that(signrequest.OneLine(client.Name), "oidc.clients["+strconv.Itoa(i)+"].name", "must be one line of at most 300 bytes: people sign it")
		}
	}
}
