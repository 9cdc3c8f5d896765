package config

import (
	"math"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"propusk/certs/fetch"
)

// Refresh says what is fetched over the network, where from, and how often. It
// counts only if trust.state_dir is set. Nothing that is fetched counts before its
// signature was verified.
type Refresh struct {
	// ListURLs are the addresses of the list of accredited CAs, tried in this order.
	// Without any, the list is not fetched.
	ListURLs []string `yaml:"list_urls"`

	// CRLURLs are addresses of revocation lists beside those that are discovered.
	CRLURLs []string `yaml:"crl_urls"`

	// Discover adds the addresses that the list of accredited CAs, CA certificates
	// and certificates that were judged name, as far as their hosts may be asked.
	Discover bool `yaml:"discover"`

	// Hosts may be asked: "host.example" alone, ".host.example" with all below it, or
	// "*", any. Those of ListURLs and CRLURLs need not be repeated. It holds for
	// responders (OCSP) as well.
	Hosts []string `yaml:"hosts"`

	// ListedHosts permits, beside Hosts, the hosts of the addresses of revocation
	// lists that stand in the verified list of accredited CAs.
	ListedHosts bool `yaml:"listed_hosts"`

	// Ports may be asked.
	Ports []int `yaml:"ports"`

	// AllowPrivate permits hosts whose addresses are of this machine or of private
	// networks. Addresses in certificates come from strangers: with this, they
	// lead into the network of the operator.
	AllowPrivate bool `yaml:"allow_private"`

	// ListInterval is how often the list of accredited CAs is fetched.
	ListInterval time.Duration `yaml:"list_interval"`

	// Interval is the longest time between two looks at a revocation list, and
	// MinInterval the shortest.
	Interval    time.Duration `yaml:"interval"`
	MinInterval time.Duration `yaml:"min_interval"`

	// ListTimeout and Timeout bound one request, for the list of accredited CAs and
	// for a revocation list; Budget bounds all addresses of one revocation list
	// together.
	ListTimeout time.Duration `yaml:"list_timeout"`
	Timeout     time.Duration `yaml:"timeout"`
	Budget      time.Duration `yaml:"budget"`
}

// defaultRefresh returns the values of fields that a file leaves out.
func defaultRefresh() Refresh {
	return Refresh{
		Discover: true, ListedHosts: true, Ports: []int{80, 443},
		ListInterval: 6 * time.Hour, Interval: time.Hour, MinInterval: 5 * time.Minute,
		ListTimeout: 3 * time.Minute, Timeout: 30 * time.Second, Budget: 2 * time.Minute,
	}
}

// Client returns the options of the client that fetches.
func (r Refresh) Client() fetch.Options {
	o := fetch.Options{
		Hosts: r.Hosts, AllowPrivate: r.AllowPrivate, CRLTimeout: r.Timeout, TSLTimeout: r.ListTimeout,
	}
	for _, p := range r.Ports {
		o.Ports = append(o.Ports, uint16(p))
	}
	for _, address := range slices.Concat(r.ListURLs, r.CRLURLs) {
		if u, err := url.Parse(address); err == nil && fetch.CheckHost(u.Hostname()) == nil {
			o.Hosts = append(slices.Clip(o.Hosts), u.Hostname())
		}
	}
	return o
}

// refresh checks the part and where what is fetched is kept.
func (k *checker) refresh(t Trust) {
	r := t.Refresh
	for i, h := range r.Hosts {
		k.that(fetch.CheckHost(h) == nil, "trust.refresh.hosts["+strconv.Itoa(i)+"]", "must be a host, .suffix or *")
	}
	k.that(len(r.Ports) > 0, "trust.refresh.ports", "must name at least one port")
	for _, p := range r.Ports {
		k.that(p > 0 && p <= math.MaxUint16, "trust.refresh.ports", "must be between 1 and 65535")
	}
	client, err := fetch.New(r.Client()) // a host that is not one has been reported
	for field, urls := range map[string][]string{"list_urls": r.ListURLs, "crl_urls": r.CRLURLs} {
		for _, u := range urls {
			k.that(link(u), "trust.refresh."+field, "must be http:// or https:// addresses")
			k.that(!link(u) || err != nil || client.Allowed(u) == nil, "trust.refresh."+field, "names a port that trust.refresh.ports does not")
		}
		k.that(len(urls) == 0 || t.StateDir != "", "trust.state_dir", "must be set when trust.refresh."+field+" is")
	}
	k.span("trust.refresh.list_interval", r.ListInterval, time.Minute, 7*24*time.Hour)
	k.span("trust.refresh.interval", r.Interval, time.Minute, 24*time.Hour)
	k.span("trust.refresh.min_interval", r.MinInterval, time.Second, r.Interval)
	k.span("trust.refresh.list_timeout", r.ListTimeout, time.Second, time.Hour)
	k.span("trust.refresh.timeout", r.Timeout, time.Second, 10*time.Minute)
	k.span("trust.refresh.budget", r.Budget, r.Timeout, time.Hour)
	if t.StateDir != "" && t.Dir != "" {
		k.that(!inside(t.StateDir, t.Dir) && !inside(t.Dir, t.StateDir), "trust.state_dir",
			"must not be trust.dir, nor inside or around it: the program never writes what the operator answers for")
	}
}

// inside reports whether a directory is another one or below it.
func inside(dir, other string) bool {
	rel, err := filepath.Rel(other, dir)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
