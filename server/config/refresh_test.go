package config

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// sameRefresh compares all fields but the lists that have no default.
func sameRefresh(a, b Refresh) bool {
	a.ListURLs, a.CRLURLs, a.Hosts = nil, nil, nil
	b.ListURLs, b.CRLURLs, b.Hosts = nil, nil, nil
	return reflect.DeepEqual(a, b)
}

// TestRefreshMistakes spoils one field of the sample after another.
func TestRefreshMistakes(t *testing.T) {
	for field, spoil := range map[string]func(*Trust){
		"trust.refresh.hosts[1]":      func(c *Trust) { c.Refresh.Hosts = []string{"good.example", "http://bad.example"} },
		"trust.refresh.ports: must n": func(c *Trust) { c.Refresh.Ports = nil },
		"trust.refresh.ports: must b": func(c *Trust) { c.Refresh.Ports = []int{80, 443, 65536} },
		"trust.refresh.list_urls: mu": func(c *Trust) { c.Refresh.ListURLs = []string{"ftp://list.example/"} },
		"trust.refresh.crl_urls: nam": func(c *Trust) { c.Refresh.CRLURLs = []string{"http://crl.example:8080/a.crl"} },
		"trust.refresh.list_interval": func(c *Trust) { c.Refresh.ListInterval = time.Second },
		"trust.refresh.interval":      func(c *Trust) { c.Refresh.Interval = 0 },
		"trust.refresh.min_interval":  func(c *Trust) { c.Refresh.MinInterval = 2 * time.Hour },
		"trust.refresh.list_timeout":  func(c *Trust) { c.Refresh.ListTimeout = 0 },
		"trust.refresh.timeout":       func(c *Trust) { c.Refresh.Timeout = -1 },
		"trust.refresh.budget":        func(c *Trust) { c.Refresh.Budget = time.Second },
		"trust.state_dir: must be se": func(c *Trust) { c.StateDir = "" },
		"trust.state_dir: must not b": func(c *Trust) { c.StateDir = c.Dir + "/state" },
	} {
		c := parsed(t, string(Sample()))
		spoil(&c.Trust)
		err := c.Validate()
		if err == nil || !strings.Contains(err.Error(), "config: "+field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, dir := range []string{"trust", "./trust", "trust/../trust", "."} {
		c := parsed(t, string(Sample()))
		if c.Trust.StateDir = dir; c.Validate() == nil {
			t.Errorf("the state directory may be %q beside %q", dir, c.Trust.Dir)
		}
	}
}

// TestRefreshClient sees that hosts of configured addresses are allowed by that.
func TestRefreshClient(t *testing.T) {
	o := Refresh{ListURLs: []string{"https://list.example/a"}, Hosts: []string{".ca.example"}, Ports: []int{443}}.Client()
	if !reflect.DeepEqual(o.Hosts, []string{".ca.example", "list.example"}) || !reflect.DeepEqual(o.Ports, []uint16{443}) {
		t.Errorf("%+v", o)
	}
}
